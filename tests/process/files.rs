//! The files that a server makes, shares with nobody, and refuses.

use std::path::Path;

use crate::server::{Place, mode};

#[test]
fn every_file_is_its_owners_alone() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    for name in ["test.db", "test.db-wal", "test.db-shm", "test.db.lock"] {
        assert_eq!(mode(&place.path(name)), 0o600, "{name}");
    }
    server.terminate();
    assert_eq!(mode(&place.database()), 0o600);
}

#[test]
fn a_second_server_on_the_same_file_is_refused_and_the_first_goes_on() {
    let place = Place::new();
    let server = place.start();
    server.set_member("ann");
    let ended = place.run(place.serve());
    let said = ended.refusal();
    assert!(
        said.contains("in use by another stampcard process"),
        "{said}"
    );
    assert!(said.contains(&server.id().to_string()), "{said}");
    server.credit("ann", 7);
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], 7);
    server.terminate();
    // Its end frees the file.
    place.start().terminate();
}

#[test]
fn the_file_is_free_again_after_a_kill() {
    let place = Place::new();
    place.start().kill();
    place.start().terminate();
}

#[test]
fn a_database_of_a_newer_version_is_refused_by_both_numbers() {
    let place = Place::new();
    place.start().terminate();
    let connection = place.sqlite();
    connection
        .pragma_update(None, "user_version", 7799)
        .unwrap();
    drop(connection);
    let before = std::fs::read(place.database()).unwrap();
    let ended = place.run(place.serve());
    let said = ended.refusal();
    assert!(said.contains("schema version 7799"), "{said}");
    let known = format!("knows up to {}", stampcard::store::schema_version());
    assert!(said.contains(&known), "{said}");
    assert!(place.verify().refusal().contains("7799"));
    assert_eq!(std::fs::read(place.database()).unwrap(), before);
}

/// Starts a server and a verification on a file that is not ours: both refuse, nothing changes.
#[track_caller]
fn assert_left_alone(place: &Place, path: &Path) {
    let before = std::fs::read(path).unwrap();
    for ended in [place.run(place.serve()), place.verify()] {
        let said = ended.refusal();
        assert!(said.contains("is not a stampcard database"), "{said}");
    }
    assert!(
        std::fs::read(path).unwrap() == before,
        "the file was changed"
    );
    let names = place.names();
    let beside = names
        .iter()
        .filter(|name| *name != "test.db" && *name != "test.db.lock");
    assert_eq!(beside.count(), 0, "{names:?}");
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    for length in [100, 4096, 20_000_u32] {
        let place = Place::new();
        let bytes: Vec<u8> = (0..length).map(|i| (i * 7919 % 251) as u8).collect();
        std::fs::write(place.database(), bytes).unwrap();
        assert_left_alone(&place, &place.database());
    }
}

#[test]
fn a_database_of_another_program_is_left_alone() {
    let place = Place::new();
    place
        .sqlite()
        .execute_batch("CREATE TABLE song (title TEXT); INSERT INTO song VALUES ('Blue');")
        .unwrap();
    assert_left_alone(&place, &place.database());
    // Nor does a version number like ours make it ours.
    place
        .sqlite()
        .pragma_update(None, "user_version", 1)
        .unwrap();
    assert_left_alone(&place, &place.database());
}

#[test]
fn a_database_of_another_program_in_wal_mode_is_left_alone() {
    let place = Place::new();
    let connection = place.sqlite();
    connection
        .pragma_update(None, "journal_mode", "WAL")
        .unwrap();
    connection
        .execute_batch("CREATE TABLE song (title TEXT);")
        .unwrap();
    drop(connection);
    let before = std::fs::read(place.database()).unwrap();
    for ended in [place.run(place.serve()), place.verify()] {
        let said = ended.refusal();
        assert!(said.contains("is not a stampcard database"), "{said}");
    }
    // Looking at such a file makes an empty -wal and -shm beside it; the file stays as it is.
    assert!(std::fs::read(place.database()).unwrap() == before);
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let place = Place::new();
    let mut command = place.command(&["--listen", "127.0.0.1:0", "--database", "none/test.db"]);
    let ended = place.run({
        command.env("RUST_BACKTRACE", "1");
        command
    });
    let said = ended.stderr.lines().next().unwrap_or_default();
    assert_eq!(ended.code, Some(1));
    assert!(
        said.contains("none/test.db") && said.contains("No such file"),
        "{said}"
    );
}

#[test]
fn a_folder_that_cannot_be_written_is_named_with_what_to_do() {
    let place = Place::new();
    // Nobody can make a file there, whoever runs the test.
    let mut command = place.command(&["--listen", "127.0.0.1:0", "--database"]);
    command.arg("/sys/stampcard-test.db");
    let ended = place.run(command);
    let said = ended.refusal();
    assert!(
        said.contains("/sys/stampcard-test.db cannot be opened"),
        "{said}"
    );
    assert!(said.contains("writable by this user"), "{said}");
}

#[test]
fn a_database_that_another_program_locks_is_not_started_on() {
    let place = Place::new();
    place.start().terminate();
    let other = place.sqlite();
    // Not only for a transaction: for as long as the connection lives.
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;")
        .unwrap();
    let ended = place.run(place.serve());
    let said = ended.refusal();
    assert!(
        said.contains("another program holds it locked: close that one"),
        "{said}"
    );
    drop(other);
    place.start().terminate();
}

#[test]
fn a_damaged_database_is_not_started_on() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    // The log and the snapshot are read at start; the schema stays readable.
    let mut bytes = std::fs::read(place.database()).unwrap();
    for byte in &mut bytes[4096 * 4..] {
        *byte = 0xa5;
    }
    std::fs::write(place.database(), bytes).unwrap();
    let ended = place.run(place.serve());
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    let said = ended.stderr.lines().last().unwrap();
    assert!(
        said.starts_with("stampcard: ") && said.contains("it is damaged"),
        "{}",
        ended.stderr
    );
    assert!(said.contains("stampcard restore"), "{said}");
    assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
}

#[test]
fn the_log_refuses_to_be_changed_by_whoever_opens_the_file() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    let connection = place.sqlite();
    connection
        .pragma_update(None, "recursive_triggers", true)
        .unwrap();
    for sql in [
        "UPDATE activity SET amount = amount + 1 WHERE entry IS NOT NULL",
        "DELETE FROM activity WHERE seq = (SELECT max(seq) FROM activity)",
        "DELETE FROM activity",
        "REPLACE INTO activity SELECT * FROM activity LIMIT 1",
    ] {
        let refused = connection.execute(sql, []).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
    }
    drop(connection);
    assert_eq!(place.verify().code, Some(0));
}
