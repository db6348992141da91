//! Rows changed by SQL behind the server's back: either `verify` names each, or docs/RELIABILITY.md
//! says that the change cannot be detected.

mod found;
mod found_points;
mod found_rules;
mod found_state;

use std::path::Path;

use rusqlite::Connection;
use serde_json::json;
use stampcard::service::verify;
use stampcard::store;

use self::found::FOUND;
use crate::client::live;
use crate::lived::lived;
use crate::support::TestApp;

/// SQL with changes that cannot be detected.
const NOT_FOUND: &[&str] = &[
    "UPDATE organization SET external_id = 'another', tier = 'paid'",
    "UPDATE setting SET value = randomblob(32) WHERE name = 'token_key'",
    "UPDATE offer SET title = 'Another', points_price = 1, tiers = '[]', disclaimer = 'x',
     is_paused = 1, value_usd = 7, limit_per = 'open'",
    "UPDATE program SET expiry = 'P1M', time_zone = 'Asia/Tokyo', description = 'Another',
     redemption_target = 'SYSTEM_BREAKAGE', refund_grace = 5,
     unknown_participants = 'REJECT'",
    "UPDATE program SET currency_name = 'Another';
     UPDATE configuration SET currency_name = 'Another'",
    // The first two bytes are the balance.
    "UPDATE idempotency SET response = CAST(x'01' || substr(response, 3) AS BLOB)
     WHERE renderer = 1",
    "UPDATE message SET body = 'Something else' WHERE body <> ''",
    "UPDATE attachment SET name = 'another.png', day = day - 1 WHERE name IS NOT NULL",
    // The comment of a rating that was replaced.
    "UPDATE log_text SET text = 'Hot' WHERE text = 'Too cold'",
    "UPDATE log_text SET text = 'Ann was full' WHERE text = 'Ann was not hungry' AND seq IN
         (SELECT seq FROM activity WHERE kind = 36)",
    // A tag that is gone.
    "UPDATE log_text SET text = 'another' WHERE part = 3 AND text = 'new'",
    "UPDATE credential SET name = 'another', hash = randomblob(32)",
    "UPDATE rule SET uuid = randomblob(16);
     UPDATE rule_budget SET consumed = consumed + 1",
    "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment",
    "DELETE FROM book_generation; DELETE FROM book_part",
    "UPDATE book_part SET checksum = checksum + 1",
];

/// Runs SQL on a database although the log is append-only, and leaves the schema as it was.
pub(crate) fn tamper(path: &Path, sql: &str) {
    let connection = Connection::open(path).unwrap();
    let triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
    let mut statement = connection.prepare(triggers).unwrap();
    let rows = statement.query_map([], |row| row.try_into()).unwrap();
    let triggers: Vec<(String, String)> = rows.collect::<Result<_, _>>().unwrap();
    drop(statement);
    for (name, _) in &triggers {
        connection
            .execute_batch(&format!("DROP TRIGGER {name}"))
            .unwrap();
    }
    connection
        .execute_batch("PRAGMA foreign_keys = OFF")
        .unwrap();
    connection.execute_batch(sql).expect(sql);
    for (_, definition) in &triggers {
        connection.execute_batch(definition).unwrap();
    }
    connection
        .execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
        .unwrap();
}

fn findings(path: &Path) -> Vec<String> {
    let connection = store::open_read_only(path).unwrap();
    verify::verify(&connection, |_| ()).unwrap().findings
}

/// Each change, made to a copy of a database, is named by a finding with its text.
#[track_caller]
pub(crate) fn assert_named(database: &Path, changes: &[(&str, &str)]) {
    let folder = tempfile::tempdir().unwrap();
    for (place, (sql, named)) in changes.iter().enumerate() {
        let copy = folder.path().join(format!("{place}.db"));
        std::fs::copy(database, &copy).unwrap();
        tamper(&copy, sql);
        let found = findings(&copy);
        let is_named = found.iter().any(|finding| finding.contains(named));
        assert!(is_named, "{sql}: {found:?}");
    }
}

#[test]
fn what_was_tampered_with_is_named_or_documented_as_unknowable() {
    let lived = lived();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(findings(&lived.copy(&folder)), Vec::<String>::new());
    let mut missed = Vec::new();
    for (sql, named) in FOUND
        .iter()
        .chain(found_points::FOUND)
        .chain(found_rules::FOUND)
        .chain(found_state::FOUND)
    {
        let path = lived.copy(&folder);
        tamper(&path, sql);
        let found = findings(&path);
        if !found.iter().any(|finding| finding.contains(named)) {
            missed.push(format!("{sql}\n    {named:?} is not in {found:?}"));
        }
        // The findings are for people: one line each, in plain words.
        let is_plain = |finding: &String| !finding.contains('\n') && !finding.contains("Null");
        assert!(found.iter().all(is_plain), "{sql}: {found:?}");
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
    assert!(FOUND.len() >= 60, "{}", FOUND.len());
    for sql in NOT_FOUND {
        let path = lived.copy(&folder);
        tamper(&path, sql);
        assert_eq!(findings(&path), Vec::<String>::new(), "{sql}");
    }
}

/// A query that was run for all tenants at once failed all of them.
#[test]
fn a_row_that_cannot_be_read_costs_its_owner_and_nobody_else() {
    for (sql, table) in [
        (
            "UPDATE webhook_endpoint SET events = '[\"member.invented\"]'",
            "webhook_endpoint",
        ),
        (
            "UPDATE webhook_endpoint SET url = 'nowhere'",
            "webhook_endpoint",
        ),
    ] {
        let mut app = TestApp::start();
        let hook = json!({"url": "https://hooks.example/", "events": ["member.created"]});
        let answer = live(&app, "POST", "/v1/webhooks", &hook);
        if answer.status != 201 {
            // As if it had been created without a name service.
            let insert = "INSERT INTO webhook_endpoint
                    (uuid, program_id, url, events, secret, cursor_seq, created_at)
                SELECT randomblob(16), p.id, 'https://hooks.example/', '[\"member.created\"]',
                    'whsec_0', 0, 1
                FROM program p JOIN organization o ON o.id = p.organization_id
                WHERE o.environment = 'live'";
            assert_eq!(app.sqlite().execute(insert, []).unwrap(), 1);
        }
        app.stop();
        let ignoring = format!("PRAGMA ignore_check_constraints = ON; {sql}");
        tamper(&app.database(), &ignoring);
        let found = findings(&app.database());
        assert!(
            found.iter().any(|finding| finding.contains(table)),
            "{sql}: {found:?}"
        );
        let app = app.restart();
        app.member("ann", 5);
        assert_eq!(app.balance("ann"), 5, "{sql}");
        assert_eq!(app.summary()["pointsMinted"], 5, "{sql}");
        let is_of_webhook = table == "webhook_endpoint";
        let answer = live(&app, "PUT", "/v1/members/amy", &json!({}));
        assert_eq!(
            answer.status == 200,
            is_of_webhook,
            "{sql}: {}",
            answer.text()
        );
        assert!(answer.status < 500, "{sql}: {}", answer.text());
    }
}

/// The columns of every table except those of the snapshot and the saved books, which are discarded
/// if they do not fit: table, column and type.
fn columns(path: &Path) -> Vec<(String, String, String)> {
    let connection = Connection::open(path).unwrap();
    let sql = "SELECT t.name, c.name, c.type FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT GLOB 'sqlite_*' AND t.name NOT GLOB 'snapshot*'
            AND t.name NOT GLOB 'book_*'
        ORDER BY 1, c.cid";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.try_into()).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// Values that the API can write: a time before 1970, the number of a test, and a response.
const POSSIBLE: &[&str] = &[
    "idempotency.response",
    "offer.available_from",
    "offer.end_at",
    "webhook_delivery.seq",
];

/// Ids and hashes that are too short, and numbers below zero: constraints refuse them, but a direct
/// edit of the file does not.
#[test]
fn a_value_of_the_wrong_length_or_sign_is_named_with_its_table() {
    let lived = lived();
    let folder = tempfile::tempdir().unwrap();
    let mut missed = Vec::new();
    let mut changed = 0;
    for (table, column, kind) in columns(&lived.copy(&folder)) {
        let value = match &*kind {
            "BLOB" => "x'00'",
            "INTEGER" => "-1",
            _ => continue,
        };
        let path = lived.copy(&folder);
        let one = format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL LIMIT 1");
        let sql = format!(
            "PRAGMA ignore_check_constraints = ON;
             UPDATE OR IGNORE {table} SET {column} = {value}
             WHERE {column} IN ({one}) AND {column} IS NOT {value}"
        );
        let before = content(&path, &table);
        tamper(&path, &sql);
        let is_possible = POSSIBLE.contains(&&*format!("{table}.{column}"));
        if content(&path, &table) == before || is_possible {
            continue;
        }
        changed += 1;
        let found = findings(&path);
        // The names of these rows in reports.
        let named = match &*table {
            "activity" => "ledger entry",
            "search_term" => "the search index",
            _ => &table,
        };
        let is_named = |finding: &String| finding.contains(&*table) || finding.contains(named);
        if !found.iter().any(is_named) {
            missed.push(format!("{table}.{column} = {value}\n    {found:?}"));
        }
    }
    assert!(missed.is_empty(), "\n{}", missed.join("\n"));
    assert!(changed > 60, "{changed}");
}

/// All rows of a table.
fn content(path: &Path, table: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection
        .prepare(&format!("SELECT * FROM {table}"))
        .unwrap();
    let count = statement.column_count();
    let rows = statement.query_map([], |row| {
        let cells = (0..count).map(|place| row.get::<_, rusqlite::types::Value>(place));
        Ok(format!("{:?}", cells.collect::<Result<Vec<_>, _>>()?))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}
