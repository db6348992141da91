//! `stampcard demo`.

use serde_json::Value;

use crate::server::{Place, Server, request};

/// The summary of the program whose key was printed first.
fn summary(server: &Server) -> Value {
    let printed = server.printed.join(" ");
    let key = printed
        .split_whitespace()
        .find(|word| word.starts_with("expys_"))
        .unwrap();
    assert!(key.starts_with("expys_sandbox_"), "{printed}");
    let path = ("GET", "/v1/analytics/summary");
    let answer = request(&server.agent, server.address, key, path, None, &Value::Null);
    answer.unwrap().expect(200)
}

#[test]
fn a_demo_with_a_database_keeps_it() {
    let place = Place::new();
    let command = || {
        let mut command = place.command(&["demo", "--listen", "127.0.0.1:0", "--database"]);
        command.arg(place.database());
        command
    };
    let server = place.start_as(command());
    let shown = summary(&server);
    for figure in [
        "memberCount",
        "pointsMinted",
        "pointsSpent",
        "pointsRefunded",
    ] {
        assert!(shown[figure].as_u64() > Some(20), "{figure}: {shown}");
    }
    for status in ["completed", "canceled", "total"] {
        assert!(shown["redemptions"][status].as_u64() > Some(20), "{shown}");
    }
    server.terminate();
    let ended = place.verify();
    assert_eq!(ended.code, Some(0), "{ended:?}");

    // A second time it serves what is there.
    let server = place.start_as(command());
    assert_eq!(server.printed, Vec::<String>::new());
    server.terminate();
}

#[test]
fn a_demo_without_a_database_leaves_nothing_behind() {
    let place = Place::new();
    std::fs::create_dir(place.path("temporary")).unwrap();
    let mut command = place.command(&["demo", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", place.path("temporary"));
    let server = place.start_as(command);
    assert!(summary(&server)["memberCount"].as_u64() > Some(20));
    let made = place.path("temporary").read_dir().unwrap().count();
    assert_eq!(made, 1);
    server.terminate();
    assert_eq!(place.path("temporary").read_dir().unwrap().count(), 0);
    assert_eq!(place.names(), ["temporary"]);
}
