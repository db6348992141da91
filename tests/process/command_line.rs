//! Help, manual pages, and invalid command lines.

use crate::server::Place;

#[test]
fn help_and_version_are_printed_and_are_no_failure() {
    let place = Place::new();
    for (arguments, said) in [
        (&["--help"] as &[&str], "Usage: stampcard"),
        (&["help"], "verify"),
        (&["verify", "--help"], "Only reads"),
        (&["serve", "--help"], "--database"),
        (&["demo", "--help"], "temporary folder"),
        (&["backup", "--help"], "--force"),
        (&["restore", "--help"], "server stopped"),
        (&["export", "--help"], "ndjson"),
        (&["import", "--help"], "by its number"),
        (&["keys", "create", "--help"], "--partner"),
        (&["organizations", "--help"], "set-status"),
        (&["check-config", "--help"], "secrets hidden"),
        (&["completions", "bash"], "_stampcard()"),
        (&["completions", "fish"], "complete -c stampcard"),
        (&["man"], ".TH stampcard 1"),
        (&["openapi"], include_str!("../../docs/openapi.json")),
        (&["--version"], "stampcard 0."),
    ] {
        let ended = place.run(place.command(arguments));
        assert_eq!(ended.code, Some(0), "{arguments:?}");
        assert!(
            ended.stdout.contains(said),
            "{arguments:?}: {}",
            ended.stdout
        );
        assert_eq!(ended.stderr, "");
    }
    assert!(place.names().iter().all(|name| !name.contains(".db")));
}

/// The commands that a help text lists.
fn listed(place: &Place, command: &[&str]) -> Vec<String> {
    let help = place.run(place.command(&[command, &["--help"]].concat()));
    let commands = help.stdout.lines();
    commands
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .map_while(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_command_has_a_manual_page() {
    let place = Place::new();
    let folder = place.path("share/man1");
    let written = place.run(place.command(&["man", folder.to_str().unwrap()]));
    assert_eq!((written.code, written.stdout.as_str()), (Some(0), ""));
    let mut expected = vec!["stampcard.1".to_owned()];
    for command in listed(&place, &[]) {
        expected.push(format!("stampcard-{command}.1"));
        for below in listed(&place, &[&command]) {
            expected.push(format!("stampcard-{command}-{below}.1"));
        }
    }
    expected.sort();
    let mut pages: Vec<String> = folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_eq!(pages, expected);
    let page = std::fs::read_to_string(folder.join("stampcard-keys-create.1")).unwrap();
    assert!(page.contains("Create a key and print it once"), "{page}");
    let blocked = place.path("file");
    std::fs::write(&blocked, "").unwrap();
    let ended = place.run(place.command(&["man", blocked.to_str().unwrap()]));
    assert!(
        ended.refusal().contains("cannot be written to"),
        "{ended:?}"
    );
}

#[test]
fn a_command_line_that_cannot_be_used_ends_with_2() {
    let place = Place::new();
    for arguments in [
        &["fly"] as &[&str],
        &["--fly"],
        &["serve", "now"],
        &["backup"],
        &["completions", "basic"],
        &["--listen", "nowhere"],
        &["--database"],
    ] {
        let ended = place.run(place.command(arguments));
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{arguments:?}"
        );
        assert!(ended.stderr.contains("error:"), "{}", ended.stderr);
    }
}

#[test]
fn ready_asks_the_server_that_runs() {
    let place = Place::new();
    let server = place.start();
    let address = server.address.to_string();
    let ready = |listen: &str| place.run(place.command(&["ready", "--listen", listen]));
    assert_eq!(ready(&address).code, Some(0));
    assert_eq!(
        ready(&format!("0.0.0.0:{}", server.address.port())).code,
        Some(0)
    );
    server.terminate();
    let ended = ready(&address);
    assert!(
        ended
            .refusal()
            .contains(&format!("no answer from {address}")),
        "{ended:?}"
    );
}

#[test]
fn a_port_that_is_taken_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let mut command = place.command(&["--listen", &address, "--database"]);
    let ended = place.run({
        command.arg(place.database());
        command
    });
    let said = ended.refusal();
    assert!(
        said.contains(&format!("cannot listen on {address}")) && said.contains("--listen"),
        "{said}"
    );
}

#[test]
fn a_server_logs_where_its_page_is() {
    for listen in ["127.0.0.1:0", "0.0.0.0:0"] {
        let place = Place::new();
        let server = place.start_as(place.on_database(&["serve", "--listen", listen]));
        // A browser cannot open the wildcard address.
        let page = format!("http://127.0.0.1:{}/", server.address.port());
        server.wait_for_log(&format!("the dashboard is on {page}\n"));
        let answer = server.agent.get(&page).call().unwrap();
        assert_eq!(answer.status(), 200);
        server.terminate();
    }
}
