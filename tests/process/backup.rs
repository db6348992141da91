//! `stampcard backup`, during writes of a server, and `restore`.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::server::{Ended, Place, SANDBOX_KEY, Server, agent, done, mode, request};
use crate::verify::on_the_log;

fn backup(place: &Place, file: &str) -> Ended {
    place.run_on_database(&["backup", file])
}

/// A folder whose database is a restored backup of another one.
#[track_caller]
fn restored(from: &Place, file: &str) -> Place {
    let place = Place::new();
    let mut command = place.command(&["restore"]);
    command
        .arg(from.path(file))
        .arg("--database")
        .arg(place.database());
    done(&place.run(command));
    place
}

fn summary(server: &Server) -> Value {
    server.get("/v1/analytics/summary")
}

/// Unexpected files next to the database.
fn unexpected(place: &Place, expected: &[&str]) -> Vec<String> {
    let names = place.names().into_iter();
    names
        .filter(|name| !expected.contains(&name.as_str()))
        .collect()
}

#[test]
fn a_backup_beside_a_server_holds_what_was_acknowledged_and_nothing_goes_on_in_it() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    let (before, wallets) = (summary(&server), server.wallets());
    assert_eq!(wallets, ["ann 70 100 30", "bob 100 130 30"]);
    let ended = backup(&place, "copy.db");
    assert!(
        done(&ended).stdout.contains("everything in it agrees"),
        "{ended:?}"
    );
    // Any other program reads the balances from the copy.
    assert_eq!(place.wallets("copy.db"), wallets);
    assert_eq!(mode(&place.path("copy.db")), 0o600);
    // One file, which needs no other next to it.
    assert_eq!(
        unexpected(
            &place,
            &[
                "copy.db",
                "test.db",
                "test.db.backup.json",
                "test.db-wal",
                "test.db-shm",
                "test.db.lock"
            ]
        ),
        Vec::<String>::new()
    );
    server.credit("ann", 5);
    server.terminate();

    let other = restored(&place, "copy.db");
    let server = other.start();
    assert_eq!(server.printed, Vec::<String>::new(), "no keys are made");
    assert_eq!((summary(&server), server.wallets()), (before, wallets));
    server.terminate();
    assert_eq!(other.verify().code, Some(0));
}

/// Several clients write as fast as they can; each backup is complete and holds all writes that
/// were acknowledged before it began.
#[test]
fn a_backup_under_full_load_restores_to_what_verifies() {
    const CLIENTS: usize = 4;
    let place = Place::new();
    let server = place.start();
    for client in 0..CLIENTS {
        server.set_member(&format!("member-{client}"));
    }
    let (acknowledged, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut least = Vec::new();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, acknowledged, over) = (&server, &acknowledged, &over);
            scope.spawn(move || {
                let agent = agent();
                let body = json!({"externalUserID": format!("member-{client}"), "amount": 1});
                while !over.load(Ordering::Relaxed) {
                    let route = ("POST", "/v1/wallet/credit");
                    let answer =
                        request(&agent, server.address, SANDBOX_KEY, route, None, &body).unwrap();
                    assert_eq!(answer.status, 200, "{answer:?}");
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..3 {
            let from = acknowledged.load(Ordering::Relaxed);
            while acknowledged.load(Ordering::Relaxed) < from + 50 {
                std::thread::yield_now();
            }
            least.push(acknowledged.load(Ordering::Relaxed));
            let ended = backup(&place, &format!("copy-{round}.db"));
            over.store(ended.code != Some(0), Ordering::Relaxed);
            done(&ended);
        }
        over.store(true, Ordering::Relaxed);
    });
    let all = acknowledged.load(Ordering::Relaxed);
    server.terminate();
    assert!(all > least[2], "there was load during the last backup");
    for (round, least) in least.into_iter().enumerate() {
        let other = restored(&place, &format!("copy-{round}.db"));
        assert_eq!(other.verify().code, Some(0));
        let server = other.start();
        let minted = summary(&server)["pointsMinted"].as_u64().unwrap();
        assert!(
            minted >= least as u64 && minted <= all as u64,
            "{least} {minted} {all}"
        );
        server.terminate();
    }
}

#[test]
fn a_backup_overwrites_nothing_unless_told_to() {
    let place = Place::new();
    place.start().terminate();
    std::fs::write(place.path("copy.db"), "precious").unwrap();
    let ended = backup(&place, "copy.db");
    assert!(
        ended.refusal().contains("copy.db exists already"),
        "{ended:?}"
    );
    assert!(ended.refusal().contains("--force"), "{ended:?}");
    assert_eq!(std::fs::read(place.path("copy.db")).unwrap(), b"precious");
    done(&place.run_on_database(&["backup", "copy.db", "--force"]));
    restored(&place, "copy.db").start().terminate();
}

#[test]
fn a_backup_does_not_take_the_place_of_the_database_or_what_stands_beside_it() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    for name in [
        "test.db",
        "test.db-wal",
        "test.db-shm",
        "test.db.lock",
        "./test.db",
    ] {
        for command in ["backup", "export"] {
            let ended = place.run_on_database(&[command, name, "--force"]);
            let said = ended.refusal();
            assert!(said.contains("belongs to the database itself"), "{said}");
        }
    }
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_backup_that_does_not_verify_gets_no_name() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    let sql = on_the_log("UPDATE activity SET amount = amount + 1 WHERE entry = 1");
    place.sqlite().execute_batch(&sql).unwrap();
    let ended = backup(&place, "copy.db");
    let said = ended.refusal();
    assert!(
        said.contains("does not verify") && said.contains("its received_after is"),
        "{said}"
    );
    assert!(!place.path("copy.db").exists());
    assert!(
        place.names().iter().all(|name| !name.contains("partial")),
        "{:?}",
        place.names()
    );
}

#[test]
fn a_restore_keeps_what_it_replaces_and_is_refused_while_a_server_runs() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    let before = summary(&server);
    done(&backup(&place, "copy.db"));
    server.credit("ann", 5);
    let after = summary(&server);
    let refused = place.run_on_database(&["restore", "copy.db"]);
    assert!(
        refused
            .refusal()
            .contains("in use by another stampcard process"),
        "{refused:?}"
    );
    // Killed, so that its last write is only in the write-ahead log.
    server.kill();
    let ended = place.run_on_database(&["restore", "copy.db", "--json"]);
    let said: Value = serde_json::from_str(&done(&ended).stdout).unwrap();
    let kept = Path::new(said["replaced"].as_str().unwrap()).to_owned();
    assert_eq!(mode(&place.database()), 0o600);
    let server = place.start();
    assert_eq!(summary(&server), before);
    server.terminate();

    // And back: the old database is complete, its last write included.
    let mut command = place.command(&["restore"]);
    command.arg(kept).arg("--database").arg(place.database());
    done(&place.run(command));
    let server = place.start();
    assert_eq!(summary(&server), after);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_restore_leaves_the_database_alone_if_the_backup_is_no_good() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    done(&backup(&place, "good.db"));
    let good = std::fs::read(place.path("good.db")).unwrap();
    let before = std::fs::read(place.database()).unwrap();

    std::fs::write(place.path("garbage.db"), "garbage ".repeat(1000)).unwrap();
    std::fs::write(place.path("empty.db"), "").unwrap();
    std::fs::write(place.path("cut.db"), &good[..good.len() / 2]).unwrap();
    std::fs::write(place.path("wrong.db"), &good).unwrap();
    rusqlite::Connection::open(place.path("wrong.db"))
        .unwrap()
        .execute_batch("UPDATE pool_usage SET credits = 5")
        .unwrap();
    std::fs::write(place.path("newer.db"), &good).unwrap();
    rusqlite::Connection::open(place.path("newer.db"))
        .unwrap()
        .pragma_update(None, "user_version", 7799)
        .unwrap();
    for (file, said) in [
        ("none.db", "none.db cannot be opened"),
        ("garbage.db", "is not a stampcard database"),
        ("empty.db", "is not a stampcard database"),
        ("cut.db", "cut.db"),
        ("wrong.db", "wrong.db does not verify"),
        ("newer.db", "schema version 7799"),
    ] {
        let ended = place.run_on_database(&["restore", file]);
        assert!(ended.refusal().contains(said), "{file}: {ended:?}");
        assert!(std::fs::read(place.database()).unwrap() == before, "{file}");
    }
    let left = place.names();
    let strays = left
        .iter()
        .filter(|name| name.contains("partial") || name.contains("replaced"));
    assert_eq!(strays.count(), 0, "{left:?}");
    place.start().terminate();
}

#[test]
fn a_restore_replaces_a_damaged_database_and_keeps_its_log_too() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    done(&backup(&place, "copy.db"));
    server.terminate();
    std::fs::write(place.database(), "garbage ".repeat(4096)).unwrap();
    std::fs::write(place.path("test.db-wal"), "more garbage").unwrap();
    let ended = place.run_on_database(&["restore", "copy.db"]);
    assert!(done(&ended).stdout.contains("is kept as"), "{ended:?}");
    let names = place.names();
    let kept = |suffix: &str| {
        names
            .iter()
            .any(|name| name.contains(".replaced-") && name.ends_with(suffix))
    };
    assert!(kept("-wal"), "{names:?}");
    let server = place.start();
    assert_eq!(summary(&server)["pointsMinted"], 200);
    server.terminate();
}

/// A process with the old database open would keep reading the replaced file.
#[test]
fn a_restore_waits_for_nobody_who_reads() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    done(&backup(&place, "copy.db"));
    server.credit("ann", 5);
    let reader = place.sqlite();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM member;")
        .unwrap();
    server.kill();
    let ended = place.run_on_database(&["restore", "copy.db"]);
    assert!(
        ended.refusal().contains("another program has the database"),
        "{ended:?}"
    );
    drop(reader);
    done(&place.run_on_database(&["restore", "copy.db"]));
    place.start().terminate();
}

#[test]
fn verify_and_backup_say_it_in_json_too() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    let json = |ended: &Ended| -> Value { serde_json::from_str(&ended.stdout).unwrap() };
    let made = json(done(
        &place.run_on_database(&["backup", "copy.db", "--json"]),
    ));
    assert_eq!(
        made["bytes"],
        std::fs::metadata(place.path("copy.db")).unwrap().len()
    );
    let ended = place.run_on_database(&["verify", "--json"]);
    let report = json(done(&ended));
    assert_eq!(
        (&report["agrees"], &report["findings"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(report["figures"], made["figures"]);
    place
        .sqlite()
        .execute_batch("UPDATE pool_usage SET credits = 5")
        .unwrap();
    let ended = place.run_on_database(&["verify", "--json"]);
    assert_eq!(ended.code, Some(1));
    let report = json(&ended);
    assert_eq!(report["agrees"], false);
    assert!(
        report["findings"][0].as_str().unwrap().contains("credits"),
        "{report}"
    );
}
