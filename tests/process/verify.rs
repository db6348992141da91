//! `stampcard verify`: accepts an unchanged database, and names the errors in another.

use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::server::{Ended, Place, Server, agent, done, request};

const PARTNER_KEY: &str = "partner_live_0123456789abcdef0123456789abcdef";

/// A database with some data of every kind, whose server has stopped.
fn stopped() -> Place {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    let ended = place.verify();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    assert!(
        ended.stdout.contains("everything agrees"),
        "{}",
        ended.stdout
    );
    place
}

fn server_state(server: &Server) -> Value {
    let route = ("GET", "/partner/server");
    let answer = request(
        &agent(),
        server.address,
        PARTNER_KEY,
        route,
        None,
        &Value::Null,
    );
    answer.unwrap().expect(200)
}

#[test]
fn a_server_tells_the_partner_when_its_database_was_verified_and_backed_up() {
    let place = Place::new();
    let mut serve = place.serve();
    serve.env("STAMPCARD_BOOTSTRAP__PARTNER_LIVE_KEY", PARTNER_KEY);
    let server = place.start_as(serve);
    server.live_a_little();
    let state = || server_state(&server);
    assert_eq!(state()["lastVerify"], Value::Null);
    assert_eq!(state()["lastBackup"], Value::Null);
    assert_eq!(place.verify().code, Some(0));
    let first = state();
    assert_eq!(first["lastVerify"]["agrees"], true, "{first}");
    assert!(first["lastVerify"]["figures"].as_u64().unwrap() > 0);
    assert!(first["lastVerify"]["at"].as_str() > first["startedAt"].as_str());
    assert_eq!(first["lastBackup"], Value::Null);
    done(&place.run_on_database(&["backup", "copy.db"]));
    let copy = place.path("copy.db");
    let bytes = std::fs::metadata(&copy).unwrap().len();
    assert_eq!(state()["lastBackup"]["bytes"], bytes);
    // Findings in a copy name the copy, and nothing is left next to it.
    let mut command = place.command(&["verify"]);
    command.arg("--database").arg(&copy);
    assert_eq!(place.run(command).code, Some(0));
    assert_eq!(state()["lastVerify"], first["lastVerify"]);
    let beside = |name: &String| name.starts_with("copy.db.");
    assert!(!place.names().iter().any(beside), "{:?}", place.names());
    // The finding is also reported to the next server.
    server.terminate();
    let sql = on_the_log("UPDATE activity SET amount = amount + 1 WHERE entry = 1");
    place.sqlite().execute_batch(&sql).unwrap();
    assert_eq!(place.verify().code, Some(1));
    let server = place.start();
    let after = server_state(&server);
    assert_eq!(after["lastVerify"]["agrees"], false);
    assert!(
        after["lastVerify"]["findings"].as_u64().unwrap() > 0,
        "{after}"
    );
}

/// Verifies after some SQL was run on the file; returns the findings.
#[track_caller]
fn verified_after(sql: &str) -> Ended {
    let place = stopped();
    place.sqlite().execute_batch(sql).unwrap();
    let ended = place.verify();
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(1), ""),
        "{ended:?}"
    );
    // Lines for a person: no debug output, no empty ones, the count at the end.
    for line in ended.stdout.lines() {
        assert!(!line.trim().is_empty() && !line.contains("Some("), "{line}");
    }
    let last = ended.stdout.lines().last().unwrap();
    assert!(last.contains("wrong"), "{last}");
    ended
}

#[track_caller]
fn assert_found(sql: &str, found: &[&str]) {
    let ended = verified_after(sql);
    for text in found {
        assert!(
            ended.stdout.contains(text),
            "no {text:?} in: {}",
            ended.stdout
        );
    }
}

#[test]
fn a_changed_amount_is_found() {
    assert_found(
        &on_the_log("UPDATE activity SET amount = amount + 50 WHERE entry = 1 AND member_id = 1"),
        &["its received_after is 100, but must be 150 after the entries before it"],
    );
}

#[test]
fn a_changed_running_total_is_found() {
    assert_found(
        &on_the_log("UPDATE activity SET spent_after = 20 WHERE entry = 2 AND member_id = 1"),
        &["its spent_after is 20, but must be 30 after the entries before it"],
    );
}

/// Every row of the log agrees with those before it, but the member could not have spent so much.
#[test]
fn a_balance_below_zero_is_found_and_refused_by_a_start_that_folds_it() {
    let place = stopped();
    let sql = on_the_log(
        "UPDATE activity SET amount = 10, received_after = 10 WHERE entry = 1 AND member_id = 1;
         UPDATE activity SET received_after = 10 WHERE entry = 2 AND member_id = 1",
    );
    place.sqlite().execute_batch(&sql).unwrap();
    let ended = place.verify();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let finding = "of member row 1, the balance falls below zero";
    assert!(ended.stdout.contains(finding), "{ended:?}");
    // A start that folds these rows, because no books are saved that include them.
    let forget = "DELETE FROM book_part; DELETE FROM book_generation";
    place.sqlite().execute_batch(forget).unwrap();
    let mut serve = place.serve();
    serve.env("STAMPCARD_LOG__LEVEL", "error");
    let started = place.run(serve);
    assert!(started.refusal().contains(finding), "{started:?}");
}

#[test]
fn an_index_of_the_search_that_is_not_that_of_the_members_is_found() {
    assert_found(
        "DELETE FROM search_term WHERE member_id = 1",
        &["member row 1: the search index lacks a word of its id, name, email or phone"],
    );
    assert_found(
        "INSERT INTO search_term (program_id, term, member_id) VALUES (1, 'nobody', 1)",
        &["the search index has 1 words"],
    );
}

/// SQL that changes the log although that is forbidden, and leaves the schema as it was.
pub(crate) fn on_the_log(sql: &str) -> String {
    let trigger = |name: &str, what: &str| {
        let drop = format!("DROP TRIGGER {name};");
        let create = format!(
            "CREATE TRIGGER {name} BEFORE {what} ON activity
             BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;"
        );
        (drop, create)
    };
    let changed = trigger("activity_is_never_changed", "UPDATE");
    let deleted = trigger("activity_is_never_deleted", "DELETE");
    format!("{}{}{sql};{}{}", changed.0, deleted.0, changed.1, deleted.1)
}

/// A stopped server whose log has texts, one of them erased.
fn with_texts() -> Place {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    for (amount, reason) in [(40, "for waiting"), (60, "for waiting longer")] {
        let body = json!({"externalUserID": "ann", "amount": amount, "reason": reason});
        server.post("/v1/wallet/credit", &body).expect(200);
    }
    let body = json!({"externalUserID": "bob", "amount": 1, "reason": "for coming"});
    server.post("/v1/wallet/credit", &body).expect(200);
    let erased = server.send("DELETE", "/v1/members/bob?erase=true", None, &json!(null));
    erased.unwrap().expect(200);
    server.terminate();
    place
}

/// Findings about the chain. Only the books that were saved at the stop have the hash of the newest
/// entry.
const BROKEN_CHAIN: [&str; 2] = [
    "does not follow the one before it",
    "its newest ledger entry was changed or removed since the books were saved",
];

/// Most leave wallets and figures unchanged, so that only the chain of hashes shows them.
#[test]
fn whatever_is_changed_in_the_ledger_is_found_by_its_chain() {
    let cases = [
        "UPDATE log_text SET text = 'for nothing' WHERE text IS NOT NULL",
        "UPDATE log_text SET salt = randomblob(16) WHERE text IS NOT NULL",
        "UPDATE log_text SET text = NULL, salt = NULL, commitment = randomblob(32)
         WHERE text IS NOT NULL",
        "UPDATE log_text SET commitment = randomblob(32) WHERE text IS NULL",
        "PRAGMA ignore_check_constraints = ON;
         UPDATE log_text SET text = NULL, salt = NULL WHERE text IS NOT NULL",
        "DELETE FROM log_text WHERE text IS NULL",
        "INSERT INTO log_text (seq, part, text, salt)
         SELECT min(seq), 1, 'a gift', randomblob(16) FROM activity WHERE entry = 2",
        &on_the_log("UPDATE activity SET at = at - 1 WHERE entry = 2 AND member_id = 1"),
        &on_the_log(
            "CREATE TEMP TABLE newest AS SELECT max(seq) AS seq FROM activity WHERE entry = 1;
             DELETE FROM log_text WHERE seq = (SELECT seq FROM newest);
             DELETE FROM activity WHERE seq = (SELECT seq FROM newest)",
        ),
        // The newest entry, which no other entry follows.
        &on_the_log(
            "UPDATE activity SET actor = 3
                 WHERE seq = (SELECT max(seq) FROM activity WHERE entry IS NOT NULL)",
        ),
        &on_the_log(
            "CREATE TEMP TABLE newest AS
                 SELECT max(seq) AS seq FROM activity WHERE entry IS NOT NULL;
             DELETE FROM log_text WHERE seq = (SELECT seq FROM newest);
             DELETE FROM activity WHERE seq = (SELECT seq FROM newest)",
        ),
        // The times of two entries are exchanged.
        &on_the_log(
            "CREATE TEMP TABLE two AS
                 SELECT seq, at, lead(at, 1, at) OVER (ORDER BY seq) AS next,
                     lag(at) OVER (ORDER BY seq) AS last FROM activity WHERE entry = 1;
             UPDATE activity SET at = (SELECT coalesce(last, next) FROM two
                 WHERE two.seq = activity.seq) WHERE entry = 1",
        ),
        // Moves five points from one credit to the next, with all consequences.
        &on_the_log(
            "UPDATE activity SET received_after = received_after + 5, amount = amount + 5
                 WHERE entry = 1 AND member_id = 1 AND amount = 40;
             UPDATE activity SET amount = amount - 5
                 WHERE entry = 1 AND member_id = 1 AND amount = 60",
        ),
        &on_the_log("UPDATE activity SET actor = 3 WHERE entry = 1"),
        &on_the_log("UPDATE activity SET chain = randomblob(32) WHERE chain IS NOT NULL"),
    ];
    let place = with_texts();
    let honest = place.verify();
    assert_eq!(honest.code, Some(0), "{honest:?}");
    assert!(honest.stdout.contains("1 text was erased"), "{honest:?}");
    let good = std::fs::read(place.database()).unwrap();
    for sql in cases {
        std::fs::write(place.database(), &good).unwrap();
        place.sqlite().execute_batch(sql).expect(sql);
        let ended = place.verify();
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(1), ""),
            "{sql}: {ended:?}"
        );
        assert!(
            BROKEN_CHAIN.iter().any(|text| ended.stdout.contains(text)),
            "{sql}: {ended:?}"
        );
        assert!(!ended.stdout.contains("trigger"), "{sql}: {ended:?}");
    }
}

#[test]
fn a_dropped_trigger_is_found() {
    assert_found(
        "DROP TRIGGER activity_is_never_changed",
        &["trigger activity_is_never_changed is missing or was altered"],
    );
}

#[test]
fn an_altered_trigger_is_found() {
    assert_found(
        "DROP TRIGGER activity_is_never_deleted;
         CREATE TRIGGER activity_is_never_deleted BEFORE DELETE ON activity WHEN 0
         BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;",
        &["trigger activity_is_never_deleted is missing or was altered"],
    );
}

#[test]
fn a_changed_ledger_entry_is_found_even_when_the_trigger_stands_again() {
    let trigger = "CREATE TRIGGER activity_is_never_changed BEFORE UPDATE ON activity
BEGIN
    SELECT RAISE(ABORT, 'activity is append-only');
END;";
    let sql = format!(
        "DROP TRIGGER activity_is_never_changed;
         UPDATE activity SET amount = amount + 1 WHERE entry = 1;
         {trigger}"
    );
    let ended = verified_after(&sql);
    let found = "its received_after is 100, but must be 101";
    assert!(ended.stdout.contains(found), "{}", ended.stdout);
    assert!(!ended.stdout.contains("trigger"), "{}", ended.stdout);
}

/// Without `recursive_triggers`, which is off in any other program, REPLACE bypasses the triggers.
#[test]
fn a_replaced_ledger_entry_is_found() {
    assert_found(
        "CREATE TEMP TABLE copy AS SELECT * FROM activity WHERE entry = 1 LIMIT 1;
         UPDATE copy SET amount = amount + 1;
         REPLACE INTO activity SELECT * FROM copy",
        &["its received_after is 100, but must be 101"],
    );
}

#[test]
fn a_deleted_activity_is_found() {
    assert_found(
        "DROP TRIGGER activity_is_never_deleted;
         DELETE FROM activity WHERE entry = 3",
        &["is missing", "the ledger says 30 spent, 0 refunded"],
    );
}

#[test]
fn a_log_that_contradicts_itself_is_a_finding_and_no_crash() {
    assert_found(
        "DROP TRIGGER activity_is_never_deleted;
         DELETE FROM activity WHERE kind IN (6, 40)",
        &["the activity log contradicts itself"],
    );
}

#[test]
fn verify_and_a_start_name_the_activity_that_contradicts_the_log() {
    let place = stopped();
    // More offers are archived than there are.
    let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9)
               INSERT INTO activity (at, program_id, kind, offer_id)
               SELECT at, program_id, 42, offer_id FROM activity, n WHERE kind = 40";
    place.sqlite().execute_batch(sql).unwrap();
    let ended = place.verify();
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), ""));
    let mut found = ended.stdout.lines();
    let found = found.find(|line| line.starts_with("the activity log contradicts itself"));
    let found = found.unwrap_or_else(|| panic!("{ended:?}"));
    let (row, what) = found.split_once(" of program row 1, ").unwrap();
    let row = row.strip_prefix("the activity log contradicts itself: in activity ");
    assert!(row.is_some_and(|row| row.parse::<i64>().is_ok()), "{found}");
    let expected = "an offer is archived although the program has none that is not archived";
    assert_eq!(what, expected);
    // The start, from the snapshot and the newer rows, comes to the same row.
    let mut serve = place.serve();
    serve.env("STAMPCARD_LOG__LEVEL", "error");
    let refusal = format!("stampcard: {found}; run `stampcard verify` on the database");
    assert_eq!(place.run(serve).refusal(), refusal);
}

#[test]
fn a_row_that_no_version_writes_is_a_finding_and_no_crash() {
    assert_found(
        "INSERT INTO activity (at, program_id, kind) VALUES (0, 1, 33)",
        &["the activity log holds an impossible activity"],
    );
}

#[test]
fn the_tables_of_litestream_are_no_fault_and_any_other_is() {
    let place = stopped();
    let sql = "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER);
               CREATE TABLE _litestream_lock (id INTEGER);
               INSERT INTO _litestream_seq VALUES (1, 7);";
    place.sqlite().execute_batch(sql).unwrap();
    assert_eq!(place.verify().code, Some(0));
    let server = place.start();
    server.credit("ann", 5);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
    assert_found(
        "CREATE TABLE _litestream_other (id INTEGER)",
        &["table _litestream_other is not of the schema"],
    );
}

#[test]
fn a_changed_status_is_found() {
    assert_found(
        "UPDATE redemption SET status = 'PURCHASED' WHERE status = 'COMPLETED'",
        &["has the status PURCHASED; its history says COMPLETED"],
    );
}

#[test]
fn a_changed_count_of_redemptions_is_found() {
    assert_found(
        "UPDATE redemption SET status = 'OPEN' WHERE status = 'COMPLETED'",
        &[
            "member row 1: its number of redemptions of a status is 0 in the books, but 1 by its rows",
            "member row 1: its number of redemptions of a status is 1 in the books, but 0 by its rows",
        ],
    );
}

#[test]
fn a_removed_row_that_others_point_to_is_found() {
    assert_found(
        "PRAGMA foreign_keys = OFF; DELETE FROM redemption WHERE status = 'COMPLETED'",
        &["refers to a missing row of redemption"],
    );
}

#[test]
fn a_changed_count_of_credits_is_found() {
    assert_found(
        "UPDATE pool_usage SET credits = 5",
        &["sandbox pool", "the log says 1 credits, pool_usage 5"],
    );
    assert_found(
        "UPDATE organization_usage SET credits = 5",
        &[
            "organization row",
            "the log says 1 credits, organization_usage 5",
        ],
    );
}

#[test]
fn an_added_figure_of_credits_is_found() {
    assert_found(
        "INSERT INTO pool_usage VALUES ('live', 1, 3)",
        &["live pool", "the log says 0 credits, pool_usage 3"],
    );
}

#[test]
fn a_damaged_page_is_found() {
    let place = stopped();
    let mut bytes = std::fs::read(place.database()).unwrap();
    // Every page except the first few, so that the schema can still be read.
    for byte in bytes.iter_mut().skip(4096 * 12).step_by(3) {
        *byte = 0xa5;
    }
    std::fs::write(place.database(), bytes).unwrap();
    let ended = place.verify();
    assert_eq!(ended.code, Some(1), "{ended:?}");
}

#[test]
fn it_works_beside_a_running_server_that_writes() {
    let place = Place::new();
    let server = place.start();
    server.set_member("ann");
    let (done, credits) = (AtomicBool::new(false), 5);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                server.credit("ann", credits);
            }
        });
        for _ in 0..3 {
            let ended = place.verify();
            done.store(ended.code != Some(0), Ordering::Relaxed);
            assert_eq!(ended.code, Some(0), "{ended:?}");
        }
        done.store(true, Ordering::Relaxed);
    });
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn it_makes_no_file_and_names_the_one_that_is_missing() {
    let place = Place::new();
    let ended = place.verify();
    assert!(
        ended.refusal().contains("test.db cannot be opened"),
        "{ended:?}"
    );
    assert_eq!(place.names(), Vec::<String>::new());
}
