//! Where settings come from, and the keys of the first start.

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
