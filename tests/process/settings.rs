//! The sources of settings, and the keys of the first start.

use std::path::Path;

use serde_json::json;

use crate::server::{Place, SANDBOX_KEY, request};

#[test]
fn the_first_start_prints_the_keys_and_no_later_one_does() {
    let place = Place::new();
    let plain = || {
        let mut command = place.serve();
        command.env_remove("STAMPCARD_BOOTSTRAP__SANDBOX_KEY");
        command
    };
    let first = place.start_as(plain());
    let printed = first.printed.join("\n");
    let keys: Vec<&str> = printed
        .split_whitespace()
        .filter(|word| word.starts_with("expys_") || word.starts_with("partner_"))
        .collect();
    let starts = [
        "expys_sandbox_",
        "partner_sandbox_",
        "expys_live_",
        "partner_live_",
    ];
    assert_eq!(keys.len(), starts.len(), "{printed}");
    for (key, start) in keys.iter().zip(starts) {
        let random = key.strip_prefix(start).expect("the sandbox comes first");
        assert!(
            random.len() >= 48,
            "192 bits in hexadecimal: {}",
            random.len()
        );
    }
    let summary = ("GET", "/v1/analytics/summary");
    for (key, status) in [(keys[0], 200), (keys[2], 200), (keys[1], 403)] {
        let answer = request(
            &first.agent,
            first.address,
            key,
            summary,
            None,
            &json!(null),
        );
        assert_eq!(answer.unwrap().status, status);
    }
    first.terminate();

    let second = place.start_as(plain());
    assert_eq!(second.printed, Vec::<String>::new());
    second.terminate();
}

#[test]
fn the_keys_of_the_environment_are_taken_on_the_first_start() {
    let place = Place::new();
    let keys = [
        ("SANDBOX_KEY", "expys_sandbox_mine-1234"),
        ("LIVE_KEY", "expys_live_mine-1234"),
        ("PARTNER_SANDBOX_KEY", "partner_sandbox_mine-1234"),
        ("PARTNER_LIVE_KEY", "partner_live_mine-1234"),
    ];
    let mut command = place.serve();
    for (name, key) in keys {
        command.env(format!("STAMPCARD_BOOTSTRAP__{name}"), key);
    }
    let server = place.start_as(command);
    let path = ("GET", "/v1/analytics/summary");
    for (_, key) in keys {
        let status = if key.starts_with("expys_") { 200 } else { 403 };
        let answer = request(&server.agent, server.address, key, path, None, &json!(null));
        assert_eq!(answer.unwrap().status, status, "{key}");
    }
    server.terminate();
    // Later, other keys change nothing.
    let server = place.start();
    let answer = server.send("GET", path.1, None, &json!(null)).unwrap();
    answer.expect(401);
    server.terminate();
}

#[test]
fn a_key_of_another_kind_is_refused_by_name_and_not_repeated() {
    let place = Place::new();
    for (name, key) in [
        ("SANDBOX_KEY", "expys_live_secret99"),
        ("LIVE_KEY", "secret99"),
        ("PARTNER_SANDBOX_KEY", "expys_sandbox_secret99"),
        ("PARTNER_LIVE_KEY", "partner_live_secret99 with spaces"),
    ] {
        let mut command = place.serve();
        command.env(format!("STAMPCARD_BOOTSTRAP__{name}"), key);
        let ended = place.run(command);
        let said = ended.refusal();
        let setting = format!("bootstrap.{}", name.to_lowercase());
        assert!(said.contains(&setting), "{said}");
        assert!(!said.contains("secret99"), "{said}");
    }
    assert_eq!(place.names(), Vec::<String>::new(), "nothing was made");
}

#[test]
fn an_unknown_setting_is_refused_by_name() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("STAMPCARD_SERVER__LISTN", "127.0.0.1:0");
    assert!(place.run(command).refusal().contains("listn"));

    std::fs::write(place.path("my.toml"), "[server]\nworkerz = 3\n").unwrap();
    let mut command = place.serve();
    command.args(["--config", "my.toml"]);
    assert!(place.run(command).refusal().contains("workerz"));

    let mut command = place.serve();
    command.args(["--config", "none.toml"]);
    assert!(place.run(command).refusal().contains("none.toml"));
}

#[test]
fn a_value_that_cannot_be_used_is_refused_by_name() {
    let place = Place::new();
    for (name, value, said) in [
        ("SERVER__WORKERS", "many", "workers"),
        ("SERVER__WORKERS", "5000", "server.workers"),
        ("AUTH__MEMBER_TOKEN_TTL", "0", "auth.member_token_ttl"),
        ("LOG__FORMAT", "xml", "format"),
    ] {
        let mut command = place.serve();
        command.env(format!("STAMPCARD_{name}"), value);
        let ended = place.run(command);
        assert!(ended.refusal().contains(said), "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_wrong_setting_is_refused_by_where_it_stands_and_what_would_be_right() {
    let place = Place::new();
    let in_variable = |name: &str, value: &str| {
        let mut command = place.command(&["check-config"]);
        command.env(format!("STAMPCARD_{name}"), value);
        place.run(command)
    };
    for (name, value, said) in [
        (
            "SERVER__LISTN",
            "x",
            "did you mean STAMPCARD_SERVER__LISTEN?",
        ),
        (
            "SERVER__WORKERS",
            "many",
            "server.workers is \"many\"; expected a whole number",
        ),
        (
            "SERVER__WORKERS",
            "5000",
            "server.workers is 5000; expected a number from 0 to 1024",
        ),
        ("LOG__FORMAT", "xml", "expected \"text\" (text or json)"),
        ("LOG__LEVEL", "a=b=c", "log.level \"a=b=c\" is not a filter"),
        ("LEVEL", "debug", "there is no setting level"),
    ] {
        let ended = in_variable(name, value);
        let message = ended.refusal();
        let begins = format!("stampcard: STAMPCARD_{name}: ");
        assert!(
            message.starts_with(&begins) && message.contains(said),
            "{message}"
        );
    }
    for (text, said) in [
        (
            "[server]\nworkerz = 3\n",
            "there is no setting server.workerz; did you mean server.workers?",
        ),
        ("[server]\nworkers = true\n", "server.workers is true"),
        (
            "[analytics]\nsnapshot_interval = 0\n",
            "analytics.snapshot_interval is 0; expected a number from 1 to 86400",
        ),
        (
            "[analytics]\nsnapshot_rows = 0\n",
            "analytics.snapshot_rows is 0; expected a number from 1000 to 1000000000",
        ),
        ("[server]\nworkers = 2.5\n", "expected a whole number"),
        ("[server]\nworkers = 5000\n", "server.workers is 5000"),
        ("[server\nworkers = 1\n", "line 1, column 8"),
        (
            "[rewards]\nrate = 1\n",
            "there is no setting rewards.rate; `stampcard check-config`",
        ),
        ("[bootstrap]\nlive_key = 998877\n", "bootstrap.live_key"),
    ] {
        std::fs::write(place.path("my.toml"), text).unwrap();
        let ended = place.run(place.command(&["check-config", "--config", "my.toml"]));
        let message = ended.refusal();
        assert!(message.starts_with("stampcard: my.toml: "), "{message}");
        assert!(
            message.contains(said) && !message.contains("998877"),
            "{message}"
        );
    }
}

#[test]
fn check_config_prints_every_setting_and_where_it_comes_from_and_no_secret() {
    let place = Place::new();
    std::fs::write(place.path("my.toml"), "[auth]\nmember_token_ttl = 60\n").unwrap();
    let mut command = place.command(&["check-config", "--config", "my.toml", "--database", "a.db"]);
    command
        .env("STAMPCARD_PARTNER__CREDIT_POOL", "7")
        .env("STAMPCARD_BOOTSTRAP__LIVE_KEY", "expys_live_secret99");
    let ended = place.run(command);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let lines: Vec<&str> = ended.stdout.lines().collect();
    for line in [
        "server.workers = 0    [default]",
        "auth.member_token_ttl = 60    [my.toml]",
        "partner.credit_pool = 7    [STAMPCARD_PARTNER__CREDIT_POOL]",
        "database.path = a.db    [--database]",
        "bootstrap.live_key = [redacted]    [STAMPCARD_BOOTSTRAP__LIVE_KEY]",
        "bootstrap.sandbox_key = (not set)    [default]",
    ] {
        assert!(lines.contains(&line), "{line}: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains("secret99"));
    let ended = place.run(place.command(&["check-config", "--json"]));
    let printed: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(printed["settings"].as_array().unwrap().len(), lines.len());
    assert!(
        place.names().iter().all(|name| name == "my.toml"),
        "nothing is made"
    );
}

#[test]
fn a_flag_wins_over_the_environment_which_wins_over_the_file() {
    let place = Place::new();
    std::fs::write(
        place.path("my.toml"),
        "[server]\nlisten = \"127.0.0.1:0\"\n[database]\npath = \"of-the-file.db\"\n",
    )
    .unwrap();
    let with_file = || place.command(&["--config", "my.toml"]);
    let is_database = |name: &str| Path::new(name).extension().is_some_and(|ext| ext == "db");
    let made = |expected: &str| {
        let names = place.names();
        let databases: Vec<&String> = names.iter().filter(|name| is_database(name)).collect();
        assert!(databases.iter().any(|name| *name == expected), "{names:?}");
        databases.len()
    };

    place.start_as(with_file()).terminate();
    assert_eq!(made("of-the-file.db"), 1);

    let mut command = with_file();
    command.env("STAMPCARD_DATABASE__PATH", "of-the-environment.db");
    place.start_as(command).terminate();
    assert_eq!(made("of-the-environment.db"), 2);

    let mut command = with_file();
    command
        .env("STAMPCARD_DATABASE__PATH", "of-nobody.db")
        .args(["--database", "of-the-flag.db"]);
    place.start_as(command).terminate();
    assert_eq!(made("of-the-flag.db"), 3);
}

#[test]
fn serve_is_the_command_when_none_is_given() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--listen", "127.0.0.1:0", "--database"]);
    command
        .arg(place.database())
        .env("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", SANDBOX_KEY);
    place.start_as(command).terminate();
    place.start().terminate();
}
