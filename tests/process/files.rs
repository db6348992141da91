//! The files that a server creates, does not share with other users, and refuses.

use std::os::unix::fs::symlink;
use std::path::Path;

use crate::server::{Place, done, mode};

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
    // Its end releases the file.
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

/// Starts a server and a verification on a foreign file: both refuse, nothing changes.
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
    // A matching version number does not make it a database of the product.
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
    // Reading such a file creates an empty -wal and -shm next to it; the file stays as it is.
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
    // No user, not even root, can create a file there.
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
    // Not only for a transaction: as long as the connection is open.
    other
        .execute_batch("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; COMMIT;")
        .unwrap();
    let ended = place.run(place.serve());
    let said = ended.refusal();
    assert!(
        said.contains("another program has locked it: close that program"),
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

/// The bytes of a foreign file.
const FOREIGN: &str = "precious";

#[test]
fn a_lock_file_that_is_not_ours_is_refused_and_left_alone() {
    let place = Place::new();
    let (lock, target) = (place.path("test.db.lock"), place.path("target"));
    let is_refused = |what: &str| {
        let commands = [
            place.serve(),
            place.on_database(&["keys", "rotate-token-key"]),
            place.on_database(&["restore", "backup.db"]),
        ];
        for command in commands {
            let ended = place.run(command);
            let refusal = ended.refusal();
            assert!(
                refusal.contains("test.db.lock is not a lock file"),
                "{what}: {refusal}"
            );
        }
    };
    place.start().terminate();
    place.run_on_database(&["backup", "backup.db"]);
    std::fs::remove_file(&lock).unwrap();
    // A link is not followed, whatever its target: also not to a file that looks like a lock file.
    for content in [FOREIGN, "", "4711\n"] {
        std::fs::write(&target, content).unwrap();
        symlink(&target, &lock).unwrap();
        is_refused("link");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), content);
        std::fs::remove_file(&lock).unwrap();
    }
    symlink(place.path("nowhere"), &lock).unwrap();
    is_refused("link to nowhere");
    assert!(!place.path("nowhere").exists());
    std::fs::remove_file(&lock).unwrap();
    for content in [FOREIGN, "12 monkeys", "99999999999999999999", "-1"] {
        std::fs::write(&lock, content).unwrap();
        is_refused(content);
        assert_eq!(std::fs::read_to_string(&lock).unwrap(), content);
    }
    std::fs::remove_file(&lock).unwrap();
    std::fs::create_dir(&lock).unwrap();
    is_refused("folder");
    std::fs::remove_dir(&lock).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&lock).status();
    assert!(made.unwrap().success());
    is_refused("pipe");
    std::fs::remove_file(&lock).unwrap();
    // A killed process's lock file is taken over.
    for content in ["", "4711\n", "47"] {
        std::fs::write(&lock, content).unwrap();
        place.start().terminate();
    }
}

#[test]
fn links_beside_the_database_are_not_followed() {
    for suffix in ["-wal", "-shm", "-journal"] {
        let place = Place::new();
        place.start().terminate();
        let target = place.path("target");
        std::fs::write(&target, FOREIGN).unwrap();
        let beside = place.path(&format!("test.db{suffix}"));
        let _ = std::fs::remove_file(&beside);
        symlink(&target, beside).unwrap();
        let ended = place.run_on_database(&["keys", "rotate-token-key"]);
        assert_eq!(
            std::fs::read_to_string(&target).unwrap(),
            FOREIGN,
            "{suffix}"
        );
        ended.refusal();
    }
}

#[test]
fn a_file_that_a_command_makes_does_not_go_through_a_link() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    let target = place.path("target");
    for arguments in [
        &["backup", "made", "--force"] as &[&str],
        &["export", "made", "--force"],
        &[
            "export", "made", "--force", "--format", "csv", "--table", "ledger",
        ],
    ] {
        std::fs::write(&target, FOREIGN).unwrap();
        symlink(&target, place.path("made")).unwrap();
        done(&place.run_on_database(arguments));
        assert_eq!(
            std::fs::read_to_string(&target).unwrap(),
            FOREIGN,
            "{arguments:?}"
        );
        assert!(!place.path("made").is_symlink(), "{arguments:?}");
        std::fs::remove_file(place.path("made")).unwrap();
    }
    for suffix in ["", "-wal", "-shm", "-journal", ".lock"] {
        let ended = place.run_on_database(&["backup", "--force", &format!("test.db{suffix}")]);
        assert!(
            ended.refusal().contains("belongs to the database"),
            "{suffix}"
        );
    }
}

#[test]
fn a_database_under_two_names_is_one_database() {
    let place = Place::new();
    std::fs::create_dir(place.path("data")).unwrap();
    std::fs::write(place.path("data/real.db"), "").unwrap();
    symlink("data/real.db", place.database()).unwrap();
    let server = place.start();
    server.live_a_little();
    // Its other files are next to it, and so is the lock.
    assert!(place.path("data/real.db-wal").exists());
    assert!(place.path("data/real.db.lock").exists());
    assert!(!place.path("test.db.lock").exists());
    let other = place.command(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--database",
        "data/real.db",
    ]);
    let ended = place.run(other);
    assert!(ended.refusal().contains("in use by another"), "{ended:?}");
    server.terminate();
    // A restore replaces the file, not the link.
    done(&place.run_on_database(&["backup", "backup.db"]));
    done(&place.run_on_database(&["restore", "backup.db"]));
    assert!(place.database().is_symlink());
    let server = place.start();
    assert_eq!(server.get("/v1/analytics/summary")["memberCount"], 2);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
    // A dangling link creates no file at its target.
    std::fs::remove_file(place.path("data/real.db")).unwrap();
    place.run(place.serve()).refusal();
    assert!(!place.path("data/real.db").exists());
}
