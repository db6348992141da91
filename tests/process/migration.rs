//! Migration of a database of version 0.1.0: nothing is lost, however often the migration is
//! stopped, killed or fails.

use std::io;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use flate2::read::GzDecoder;
use rusqlite::Connection;
use serde_json::Value;

use crate::faults::shim;
use crate::server::Place;

/// The database that version 0.1.0 wrote.
const KEPT: &str = "tests/kept/0.1.0/stampcard.db.gz";
/// The control file for faults, as in tests/faults/shim.c.
const FAULT: &str = "fault";

/// Adds ?1 members to program 1, as version 0.1.0 did: with a sign-up each.
const SIGN_UPS: &str = "
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
    INSERT INTO member (id, program_id, external_user_id, tier, created_at)
    SELECT 1000000 + i, 1, 'wide-' || i, 'standard', 1700000000000 FROM n";
const SIGN_UP_EVENTS: &str = "
    INSERT INTO activity (seq, at, program_id, kind, member_id, to_state)
    SELECT (SELECT max(seq) FROM activity) + 1 + id - 1000000, 1700000000000, 1, 1, id, 'standard'
    FROM member WHERE id >= 1000000";
/// One credit to each of ?1 members in round ?2; every fourth has a reason.
const ROUND: &str = "
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
    INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount, first, previous_seq,
        note)
    SELECT last.seq + 1 + i, 1700000000000 + ?2 * 1000, 1, 4, 1000000 + i, 1, 5, ?2 = 0,
        iif(?2 = 0, NULL, last.seq + 1 + i - ?1), iif((i + ?2) % 4 = 0, 'visit ' || ?2, NULL)
    FROM n, (SELECT max(seq) AS seq FROM activity) last";
/// The points that ?2 rounds gave to ?1 members.
const WALLETS: &str = "
    UPDATE member SET balance = 5 * ?2, amount_received = 5 * ?2, participated = 1,
        last_entry_seq = (SELECT max(seq) FROM activity) - ?1 + 1 + id - 1000000
    WHERE id >= 1000000";
const SUMS: &str = "
    UPDATE program SET amount_received = amount_received + 5 * ?1 * ?2 WHERE id = 1";

/// Copies the kept database into the test's folder.
pub(crate) fn keep(place: &Place) {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(KEPT);
    let mut packed = GzDecoder::new(std::fs::File::open(kept).unwrap());
    let mut database = std::fs::File::create(place.database()).unwrap();
    io::copy(&mut packed, &mut database).unwrap();
}

/// Makes the kept database long.
fn widen(place: &Place, members: i64, rounds: i64) {
    let connection = place.sqlite();
    connection
        .execute_batch("PRAGMA synchronous = OFF; BEGIN")
        .unwrap();
    connection.execute(SIGN_UPS, [members]).unwrap();
    connection.execute(SIGN_UP_EVENTS, []).unwrap();
    for round in 0..rounds {
        connection.execute(ROUND, [members, round]).unwrap();
    }
    connection.execute(WALLETS, [members, rounds]).unwrap();
    connection.execute(SUMS, [members, rounds]).unwrap();
    // The snapshot fits the log before this.
    connection
        .execute_batch("COMMIT; DELETE FROM snapshot; PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
}

/// A migration whose writes fail or are torn from the `first` on.
fn run_with_fault(place: &Place, fault: &str, first: u32) -> Option<i32> {
    std::fs::write(place.path(FAULT), format!("{fault} {first}")).unwrap();
    let mut command = place.on_database(&["migrate"]);
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_CONTROL", place.path(FAULT));
    place.run(command).code
}

/// Data that must be the same before and after.
fn contents(connection: &Connection, state: [&str; 2]) -> Vec<String> {
    let log = "SELECT format('%d %d %d %d %d %s', count(*), sum(seq), sum(at), sum(amount),
                   sum(previous_seq), group_concat(DISTINCT to_state)) FROM activity";
    let words = "SELECT format('%d %d', count(*), sum(length(body))) FROM message";
    let [texts, wallets] = state;
    [log, wallets, words, texts]
        .map(|sql| connection.query_row(sql, [], |row| row.get(0)).unwrap())
        .into()
}

/// The texts and the wallets of version 0.1.0. The reasons of members that it erased are deleted.
const OLD: [&str; 2] = [OLD_TEXTS, OLD_WALLETS];
/// The texts and the wallets as they are now.
const NEW: [&str; 2] = [NEW_TEXTS, NEW_WALLETS];

const OLD_WALLETS: &str = "SELECT format('%d %d %d %d', count(*), sum(balance), sum(id * balance),
        sum(id * amount_received)) FROM member";
const NEW_WALLETS: &str = "SELECT format('%d %d %d %d', count(*), sum(balance),
        sum(member_id * balance), sum(member_id * amount_received)) FROM wallet";

const OLD_TEXTS: &str = "SELECT format('%d %d', count(*),
        sum(iif(external_user_id GLOB 'erased_*', 0, length(note)) * seq))
    FROM activity JOIN member ON member.id = member_id WHERE entry IS NOT NULL AND note IS NOT NULL";
const NEW_TEXTS: &str = "SELECT format('%d %d', count(*), sum(length(text) * seq)) FROM log_text";

/// Completes the migration: the data is the same as before, and everything agrees.
#[track_caller]
fn finish(place: &Place, before: &[String], what: &str) {
    let ended = place.run_on_database(&["migrate", "--json"]);
    assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
    assert_agrees(place, before, what);
}

#[track_caller]
fn assert_agrees(place: &Place, before: &[String], what: &str) {
    assert_eq!(contents(&place.sqlite(), NEW), before, "{what}");
    let ended = place.verify();
    assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
}

#[test]
fn commands_that_only_read_an_old_database_say_how_to_bring_it_up_to_date() {
    let place = Place::new();
    keep(&place);
    let before = std::fs::read(place.database()).unwrap();
    for arguments in [
        &["verify"] as &[&str],
        &["backup", "copy.db"],
        &["export", "all.ndjson"],
    ] {
        let ended = place.run_on_database(arguments);
        assert!(ended.refusal().contains("`stampcard migrate`"), "{ended:?}");
    }
    assert_eq!(std::fs::read(place.database()).unwrap(), before);

    let contents = contents(&place.sqlite(), OLD);
    let ended = place.run_on_database(&["migrate", "--json"]);
    let said: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&said["schema"], &said["changed"]),
        (&2.into(), &true.into())
    );
    assert_agrees(&place, &contents, "once");
    let ended = place.run_on_database(&["migrate"]);
    assert!(
        ended.stdout.contains("there was nothing to do"),
        "{ended:?}"
    );
    // A missing file is not created.
    let place = Place::new();
    place.run_on_database(&["migrate"]).refusal();
    assert!(!place.database().exists());
}

#[test]
fn a_write_that_tears_or_a_full_disk_anywhere_loses_nothing() {
    let origin = Place::new();
    keep(&origin);
    let before = contents(&origin.sqlite(), OLD);
    for (fault, step) in [("tear", 29), ("write=ENOSPC", 149), ("sync=EIO", 13)] {
        let mut first = 1;
        let mut failed = 0;
        loop {
            let place = Place::new();
            std::fs::copy(origin.database(), place.database()).unwrap();
            let code = run_with_fault(&place, fault, first);
            if code == Some(0) {
                break;
            }
            failed += 1;
            finish(&place, &before, &format!("{fault} {first}"));
            first += step;
        }
        assert!(failed >= 3, "{fault}: {failed}");
    }
}

/// Starts a migration and kills it after a while; returns whether it ended before.
fn kill_after(place: &Place, wait: Duration) -> bool {
    let mut child = spawn(place);
    let start = Instant::now();
    while start.elapsed() < wait {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return true;
        }
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    false
}

fn spawn(place: &Place) -> Child {
    place
        .on_database(&["migrate"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

#[test]
fn a_migration_that_is_killed_again_and_again_goes_on() {
    let place = Place::new();
    keep(&place);
    widen(&place, 2_000, 52);
    let before = contents(&place.sqlite(), OLD);
    let mut rng = Rng::with_seed(13);
    let mut kills = 0;
    let mut wait = Duration::from_millis(40);
    while !kill_after(&place, wait) {
        kills += 1;
        // The time grows, so that it completes on every machine.
        wait = wait.mul_f64(1.0 + rng.f64() / 4.0);
    }
    assert!(kills >= 3, "{kills}");
    assert_agrees(&place, &before, "killed");
}

#[test]
fn a_server_finishes_what_was_begun_and_nobody_else_touches_it() {
    let place = Place::new();
    keep(&place);
    let before = contents(&place.sqlite(), OLD);
    // After the first transaction, which makes the file one of the new version.
    let mut first = 40;
    loop {
        run_with_fault(&place, "tear", first);
        let version: i64 = place
            .sqlite()
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .unwrap();
        if version == 2 {
            break;
        }
        first += 10;
    }
    for arguments in [&["verify"] as &[&str], &["export", "all.ndjson"]] {
        let ended = place.run_on_database(arguments);
        assert!(ended.refusal().contains("`stampcard migrate`"), "{ended:?}");
    }
    place.start().terminate();
    assert_agrees(&place, &before, "served");
}

#[test]
fn a_database_that_was_killed_with_its_log_full_is_brought_up_to_date() {
    let origin = Place::new();
    keep(&origin);
    let connection = origin.sqlite();
    connection
        .execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
        .unwrap();
    connection.execute(SIGN_UPS, [100]).unwrap();
    connection.execute(SIGN_UP_EVENTS, []).unwrap();
    connection.execute("DELETE FROM snapshot", []).unwrap();
    let place = Place::new();
    for suffix in ["", "-wal"] {
        let from = origin.path(&format!("test.db{suffix}"));
        std::fs::copy(from, place.path(&format!("test.db{suffix}"))).unwrap();
    }
    finish(&place, &contents(&connection, OLD), "with its log");
}

#[test]
fn an_old_schema_that_was_tampered_with_is_refused_and_left_alone() {
    let place = Place::new();
    keep(&place);
    place
        .sqlite()
        .execute_batch(
            "CREATE TRIGGER sqlitex AFTER DELETE ON message BEGIN DELETE FROM credential; END",
        )
        .unwrap();
    let before = std::fs::read(place.database()).unwrap();
    for command in [place.on_database(&["migrate"]), place.serve()] {
        let ended = place.run(command);
        assert!(ended.refusal().contains("trigger sqlitex"), "{ended:?}");
    }
    assert_eq!(std::fs::read(place.database()).unwrap(), before);
}

/// The bytes of the database and of the files next to it.
fn bytes(place: &Place) -> u64 {
    ["", "-wal", "-shm"]
        .iter()
        .filter_map(|suffix| std::fs::metadata(place.path(&format!("test.db{suffix}"))).ok())
        .map(|file| file.len())
        .sum()
}

/// The time and the space that a long log needs, and 30 kills during it. `make migration`;
/// `MIGRATION_ROWS` sets the length.
#[test]
#[ignore = "make migration"]
fn a_long_log_is_brought_up_to_date_in_minutes() {
    const MEMBERS: i64 = 200_000;
    const KILLS: u32 = 30;
    let rows = std::env::var("MIGRATION_ROWS").map_or(10_000_000, |rows| rows.parse().unwrap());
    let place = Place::new();
    keep(&place);
    widen(&place, MEMBERS, rows / MEMBERS - 1);
    let before = contents(&place.sqlite(), OLD);
    let old = bytes(&place);
    let saved = place.path("saved.db");
    std::fs::copy(place.database(), &saved).unwrap();

    let (start, mut peak) = (Instant::now(), old);
    let mut child = spawn(&place);
    while child.try_wait().unwrap().is_none() {
        peak = peak.max(bytes(&place));
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = start.elapsed();
    assert_agrees(&place, &before, "in one go");
    eprintln!(
        "{rows} rows, {MEMBERS} members: {:.1} s; {} MB before, {} MB after, at most {} MB",
        took.as_secs_f64(),
        old / 1_000_000,
        bytes(&place) / 1_000_000,
        peak / 1_000_000
    );

    std::fs::rename(&saved, place.database()).unwrap();
    let mut rng = Rng::with_seed(7);
    let mut kills = 0;
    let start = Instant::now();
    while kills < KILLS {
        // A start reads the completed steps, so that each needs some time to advance.
        let wait = took.mul_f64(0.02 + rng.f64() * 0.08) + took.mul_f64(f64::from(kills) / 100.0);
        if kill_after(&place, wait) {
            break;
        }
        kills += 1;
    }
    finish(&place, &before, "killed");
    eprintln!(
        "killed {kills} times: {:.1} s in all",
        start.elapsed().as_secs_f64()
    );
}
