//! The numbers that version 0.1.0 stored in a member's row, and later versions fold from the log:
//! they are the same after the migration, without saved state, and after an export and an
//! import.

use std::path::{Path, PathBuf};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::Connection;
use serde_json::{Value, json};
use stampcard::domain::Timestamp;

use crate::support::TestApp;
use crate::{Recording, run};

/// The keys that the recording created, by the number of their programs.
const KEYS: [(i64, &str); 2] = [
    (1, "expys_sandbox_kept0000000000000000000000000001"),
    (2, "expys_live_kept0000000000000000000000000002"),
];

/// The member's row of version 0.1.0.
struct Row {
    number: i64,
    program: i64,
    id: String,
    is_archived: bool,
    /// Balance, received and spent.
    wallet: [i64; 3],
    /// The redemptions by status, in the order of the columns.
    redemptions: [i64; 7],
    token_end: Option<i64>,
}

const STATUSES: [&str; 7] = [
    "SUBMITTED",
    "OPEN",
    "AWAITING_VENDOR",
    "AWAITING_CUSTOMER",
    "PURCHASED",
    "COMPLETED",
    "CANCELED",
];

/// Every member of a file of version 0.1.0.
fn rows(database: &Path) -> Vec<Row> {
    let sql = "SELECT id, program_id, external_user_id, archived_at IS NOT NULL, token_expires_at,
            balance, amount_received, amount_spent, redemptions_submitted, redemptions_open,
            redemptions_awaiting_vendor, redemptions_awaiting_customer, redemptions_purchased,
            redemptions_completed, redemptions_canceled
        FROM member ORDER BY id";
    let connection = Connection::open(database).unwrap();
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let mut numbers = [0; 10];
        for (column, number) in (5..).zip(&mut numbers) {
            *number = row.get(column)?;
        }
        let [balance, received, spent, redemptions @ ..] = numbers;
        Ok(Row {
            number: row.get(0)?,
            program: row.get(1)?,
            id: row.get(2)?,
            is_archived: row.get(3)?,
            token_end: row.get(4)?,
            wallet: [balance, received, spent],
            redemptions,
        })
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The four ways in which the members of a release reach this version, each a new file.
fn files(recording: &Recording) -> Vec<(&'static str, PathBuf)> {
    let migrated = recording.file("migrated.db");
    std::fs::copy(recording.file("stampcard.db"), &migrated).unwrap();
    run(&migrated, &["migrate"]);
    // A server saved what it folded from it, and that is lost.
    let mut app = recording.serve(&migrated);
    app.stop();
    forget(&app.database());
    let folded = recording.file("folded.db");
    std::fs::copy(app.database(), &folded).unwrap();
    let again = recording.file("again.jsonl");
    run(&migrated, &["export", again.to_str().unwrap()]);
    let [moved, imported] = [
        ("moved.db", again),
        ("imported.db", recording.file("export.jsonl")),
    ]
    .map(|(database, export)| {
        let database = recording.file(database);
        run(&database, &["import", export.to_str().unwrap()]);
        database
    });
    vec![
        ("migrated by the start", recording.file("stampcard.db")),
        ("folded again", folded),
        ("exported and imported", moved),
        ("the release's export", imported),
    ]
}

/// Deletes everything that only makes a start faster.
fn forget(database: &Path) {
    let connection = Connection::open(database).unwrap();
    let sql = "SELECT name FROM sqlite_schema
        WHERE type = 'table' AND (name GLOB 'snapshot*' OR name GLOB 'book_*')";
    let mut statement = connection.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    let names: Vec<String> = names.collect::<Result<_, _>>().unwrap();
    assert!(names.len() >= 3, "{names:?}");
    for name in names {
        connection
            .execute(&format!("DELETE FROM {name}"), [])
            .unwrap();
    }
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
}

fn key_of(program: i64) -> Option<&'static str> {
    let found = KEYS.iter().find(|(number, _)| *number == program);
    found.map(|(_, key)| *key)
}

#[test]
fn every_wallet_and_every_number_of_redemptions_is_as_before() {
    for recording in Recording::all() {
        let rows = rows(&recording.file("stampcard.db"));
        assert!(rows.iter().any(|row| row.is_archived && row.wallet[0] > 0));
        assert!(rows.iter().any(|row| row.redemptions[6] > 0));
        for (what, file) in files(&recording) {
            let app = recording.serve(&file);
            let mut seen = 0;
            for row in &rows {
                let sql = "SELECT balance, amount_received, amount_spent FROM wallet
                    WHERE member_id = ?1";
                let wallet: (i64, i64, i64) = app
                    .sqlite()
                    .query_row(sql, [row.number], |row| row.try_into())
                    .unwrap();
                let wallet = [wallet.0, wallet.1, wallet.2];
                assert_eq!(wallet, row.wallet, "{what}: member row {}", row.number);
                let Some(key) = key_of(row.program) else {
                    continue;
                };
                let id = utf8_percent_encode(&row.id, NON_ALPHANUMERIC);
                let path = format!("/v1/members/{id}?includeArchived=true");
                let member = app.request("GET", &path).bearer(key).send().expect(200);
                let wallet = &member["wallet"];
                let wallet = ["balance", "amountReceived", "amountSpent"].map(|name| &wallet[name]);
                assert_eq!(
                    wallet,
                    row.wallet.map(Value::from).each_ref(),
                    "{what}: {path}"
                );
                let counts = STATUSES.map(|status| &member["redemptionCounts"][status]);
                let expected = row.redemptions.map(Value::from);
                assert_eq!(counts, expected.each_ref(), "{what}: {path}");
                seen += 1;
            }
            assert!(seen > 40, "{what}: {seen}");
        }
    }
}

/// Whether a token exchange identified the member.
fn is_identified(app: &TestApp, key: &str, member: &str) -> bool {
    let body = json!({ "externalUserID": member });
    let request = app.request("POST", "/v1/auth/exchange").bearer(key);
    request.json(&body).send().expect(200);
    let sql = "SELECT flag FROM activity WHERE kind = 20 ORDER BY seq DESC LIMIT 1";
    app.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The log of version 0.1.0 does not tell when a token expires.
#[test]
fn a_token_of_the_release_identifies_its_member_until_it_expires() {
    for recording in Recording::all() {
        let rows = rows(&recording.file("stampcard.db"));
        let of_keys = rows.iter().filter(|row| !row.is_archived);
        let members: Vec<(&Row, &str)> = of_keys
            .filter_map(|row| Some((row, key_of(row.program)?)))
            .collect();
        let start = Timestamp::parse(&recording.recorded_at)
            .unwrap()
            .as_millis();
        let ends = members.iter().filter_map(|(row, _)| row.token_end);
        let last = ends.clone().max().unwrap();
        assert!(ends.clone().count() > 5 && ends.min().unwrap() > start + 1);
        for (what, file) in files(&recording) {
            // At the time of the recording, and one millisecond before the last token expires.
            for now in [start, last - 1, last] {
                let app = recording.serve(&file);
                let wait = u64::try_from(now - start).unwrap();
                app.clock.advance(std::time::Duration::from_millis(wait));
                for (row, key) in &members {
                    let is_held = row.token_end.is_some_and(|end| end > now);
                    let is_new = is_identified(&app, key, &row.id);
                    assert_eq!(is_new, !is_held, "{what}: {} at {now}", row.id);
                    // The token that it just got is valid in any case.
                    assert!(!is_identified(&app, key, &row.id), "{what}: {}", row.id);
                }
            }
        }
    }
}
