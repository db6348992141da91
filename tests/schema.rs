//! The schema of a real database file: exactly `schema.sql`.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use rusqlite::{Connection, Error};
use stampcard::store::{Database, SCHEMA, open_read_only};
use tempfile::TempDir;

/// A new database file, migrated and closed again.
fn migrated() -> (TempDir, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    drop(Database::open(&path).unwrap());
    let connection = Connection::open(&path).unwrap();
    (folder, connection)
}

/// Everything in SQLite's schema, one line each.
fn described(connection: &Connection) -> Vec<String> {
    let sql = "SELECT type || ' ' || name || ' on ' || tbl_name || ': ' || coalesce(sql, '-')
               FROM sqlite_schema ORDER BY rowid";
    strings(connection, sql)
}

fn strings(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

#[track_caller]
fn assert_refused(result: Result<usize, Error>, why: &str) {
    let message = result.unwrap_err().to_string();
    assert!(message.contains(why), "{message}");
}

/// Every constraint of the tables that are expected to change has a name, by which a later version
/// can drop it.
#[test]
fn constraints_of_the_log_members_and_offers_have_names() {
    let (_folder, migrated) = migrated();
    for table in ["activity", "member", "offer"] {
        let sql = format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'");
        let definition = strings(&migrated, &sql).remove(0);
        let without_comments: Vec<&str> = definition
            .lines()
            .map(|line| line.split("--").next().unwrap_or_default())
            .collect();
        let words = without_comments.join(" ").replace(['(', ')', ','], " ");
        let words: Vec<&str> = words.split_whitespace().collect();
        let mut constraints = 0;
        for (place, word) in words.iter().enumerate() {
            if ["CHECK", "UNIQUE", "REFERENCES"].contains(word) {
                constraints += 1;
                assert_eq!(
                    words[place - 2],
                    "CONSTRAINT",
                    "{table}: {word} {}",
                    words[place + 1]
                );
            }
        }
        assert!(constraints >= 4, "{table}");
    }
}

/// A program with one member, who has 100 points.
const ROWS: &str = "
    INSERT INTO organization (id, uuid, environment, name, status, tier, created_at)
        VALUES (1, zeroblob(16), 'sandbox', 'o', 'active', 'paid', 0);
    INSERT INTO program (id, uuid, organization_id, name, status, currency_name, currency_symbol,
            default_tier, created_at, updated_at)
        VALUES (1, zeroblob(16), 1, 'p', 'ACTIVE', 'Points', 'pts', 'standard', 0, 0);
    INSERT INTO member (id, program_id, external_user_id, tier, created_at)
        VALUES (1, 1, 'ann', 'standard', 0);
    INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount, flag)
        VALUES (1, 0, 1, 4, 1, 1, 100, 1);";

#[test]
fn a_migrated_database_is_exactly_schema_sql() {
    let (_folder, migrated) = migrated();
    let expected = Connection::open_in_memory().unwrap();
    expected.execute_batch(SCHEMA).unwrap();
    assert_eq!(described(&migrated), described(&expected));
}

#[test]
fn migrating_again_changes_nothing() {
    let (folder, migrated) = migrated();
    let before = described(&migrated);
    drop(Database::open(&folder.path().join("new.db")).unwrap());
    assert_eq!(described(&migrated), before);
    let version: i64 = migrated
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, stampcard::store::schema_version());
}

#[test]
fn every_table_is_strict() {
    let (_folder, migrated) = migrated();
    let sql = "SELECT name FROM pragma_table_list
               WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'";
    assert_eq!(strings(&migrated, sql), Vec::<String>::new());
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table'";
    assert!(strings(&migrated, sql).len() > 10);
}

#[test]
fn every_foreign_key_names_a_table_and_a_column_that_exist() {
    let (_folder, migrated) = migrated();
    let keys = "FROM sqlite_schema s, pragma_foreign_key_list(s.name) f WHERE s.type = 'table'";
    let resolved = format!(
        "SELECT s.name || '.' || f.\"from\" {keys}
            AND EXISTS (SELECT 1 FROM pragma_table_info(f.\"table\") c
                WHERE c.name = coalesce(f.\"to\", 'id') AND c.pk = 1)"
    );
    let all = strings(
        &migrated,
        &format!("SELECT s.name || '.' || f.\"from\" {keys}"),
    );
    assert!(all.len() > 10, "{all:?}");
    assert_eq!(strings(&migrated, &resolved), all);
    // SQLite agrees: a reference to nowhere would make this an error.
    migrated
        .execute_batch("PRAGMA foreign_keys = ON; PRAGMA foreign_key_check;")
        .unwrap();
}

#[test]
fn a_column_named_like_a_reference_is_one() {
    let (_folder, migrated) = migrated();
    // A snapshot is discarded without the rows it refers to, and its offer 0 is none. `verify`
    // compares the program of a row of the log with its member's, and all search terms with the
    // members.
    let sql = "SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_info(s.name) c
               WHERE s.type = 'table' AND s.name NOT IN ('snapshot_segment', 'search_term')
                   AND c.name LIKE '%\\_id' ESCAPE '\\'
                   AND c.name NOT IN ('external_id', 'external_user_id')
                   AND (s.name, c.name) <> ('activity', 'program_id')
                   AND c.name NOT IN (SELECT \"from\" FROM pragma_foreign_key_list(s.name))";
    assert_eq!(strings(&migrated, sql), Vec::<String>::new());
}

/// A row for each member: the number, and the columns of the view.
const WALLETS: &str = "SELECT format('%d %d %d %d %d %d', member_id, program_id, balance,
    amount_received, amount_spent, entries) FROM wallet ORDER BY member_id";

#[test]
fn the_view_of_wallets_follows_the_log() {
    let (folder, migrated) = migrated();
    migrated.execute_batch(ROWS).unwrap();
    // Ben has no entry, and the one of Cyd is of each kind.
    let rows = "
        INSERT INTO member (id, program_id, external_user_id, tier, created_at)
            VALUES (2, 1, 'ben', 'standard', 0), (3, 1, 'cyd', 'standard', 0);
        INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount, flag)
            VALUES (2, 0, 1, 4, 3, 1, 1000, 1), (3, 0, 1, 5, 3, 2, 100, 0),
                (4, 0, 1, 4, 3, 3, 20, 0), (5, 0, 1, 5, 3, 4, 3, 0), (6, 0, 1, 5, 3, 5, 400, 0);
        INSERT INTO activity (seq, at, program_id, kind, member_id, amount)
            VALUES (7, 0, 1, 20, 3, 1);";
    migrated.execute_batch(rows).unwrap();
    let expected = ["1 1 100 100 0 1", "2 1 0 0 0 0", "3 1 517 1020 503 5"];
    assert_eq!(strings(&migrated, WALLETS), expected);
    // A reader sees the same, and the next commit.
    let reader = open_read_only(&folder.path().join("new.db")).unwrap();
    assert_eq!(strings(&reader, WALLETS), expected);
    let spend = "INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount, flag)
        VALUES (8, 0, 1, 5, 1, 2, 60, 0)";
    migrated.execute_batch(spend).unwrap();
    assert_eq!(strings(&reader, WALLETS)[0], "1 1 40 100 60 2");
    // Points that are held cannot be spent, and those that mature later are not received yet.
    let moved = "INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount, flag, held, deferred)
        VALUES (9, 0, 1, 21, 2, 1, 70, 1, NULL, 70), (10, 0, 1, 4, 2, 7, 50, 0, NULL, -50),
            (11, 0, 1, 21, 2, 8, 30, 0, 30, NULL), (12, 0, 1, 5, 2, 6, 5, 0, NULL, NULL)";
    migrated.execute_batch(moved).unwrap();
    assert_eq!(strings(&reader, WALLETS)[1], "2 1 15 50 5 4");
    assert_refused(reader.execute("DELETE FROM wallet", []), "view");
}

/// A wallet is a sum over the log, so no other table may have a column for it.
#[test]
fn no_table_besides_the_log_has_a_column_for_points_of_members() {
    let (_folder, migrated) = migrated();
    let sql = "SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_info(s.name) c
               WHERE s.type = 'table' AND s.name <> 'organization_pool' AND (c.name LIKE '%balance%' OR c.name LIKE 'amount%'
                   OR c.name LIKE '%received%' OR c.name LIKE '%spent%') ORDER BY 1";
    let expected = [
        "activity.amount",
        "activity.received_after",
        "activity.spent_after",
    ];
    assert_eq!(strings(&migrated, sql), expected);
    let sql = "SELECT name FROM pragma_table_info('wallet')";
    let columns = [
        "member_id",
        "program_id",
        "balance",
        "amount_received",
        "amount_spent",
        "entries",
        "held",
        "pending",
    ];
    assert_eq!(strings(&migrated, sql), columns);
}

#[test]
fn stock_prices_and_ledger_amounts_cannot_be_negative() {
    let (_folder, migrated) = migrated();
    migrated.execute_batch(ROWS).unwrap();
    for (price, stock) in [("-1", "1"), ("1", "-1"), ("9007199254740992", "NULL")] {
        let sql = format!(
            "INSERT INTO offer (uuid, program_id, title, description, short_description, kind, type,
                 points_price, images, tiers, quantity_remaining, created_at)
             VALUES (zeroblob(16), 1, 't', '', '', 'k', 't', {price}, '[]', '[]', {stock}, 0)"
        );
        assert_refused(migrated.execute(&sql, []), "CHECK");
    }
    for (kind, entry, amount) in [(4, "1", "0"), (4, "1", "-5"), (4, "1", "9007199254740992")] {
        let sql = format!(
            "INSERT INTO activity (seq, at, program_id, kind, member_id, entry, amount)
             VALUES (2, 0, 1, {kind}, 1, {entry}, {amount})"
        );
        assert_refused(migrated.execute(&sql, []), "CHECK");
    }
}

#[test]
fn a_redemption_stands_at_a_known_status() {
    let (_folder, migrated) = migrated();
    migrated.execute_batch(ROWS).unwrap();
    let offer =
        "INSERT INTO offer (id, uuid, program_id, title, description, short_description, kind, type,
             images, tiers, created_at)
         VALUES (1, zeroblob(16), 1, 't', '', '', 'k', 't', '[]', '[]', 0)";
    migrated.execute(offer, []).unwrap();
    let book = |status: &str| {
        let sql = "INSERT INTO redemption (uuid, program_id, member_id, offer_id, status, charged,
                       took_stock, created_at) VALUES (randomblob(16), 1, 1, 1, ?1, 0, 0, 0)";
        migrated.execute(sql, [status])
    };
    book("CANCELED").unwrap();
    book("COMPLETED").unwrap();
    assert_refused(book("LOST"), "CHECK");
}

#[test]
fn the_log_takes_rows_and_gives_none_back() {
    let (_folder, migrated) = migrated();
    migrated.execute_batch(ROWS).unwrap();
    migrated
        .execute_batch("PRAGMA recursive_triggers = ON")
        .unwrap();
    for sql in [
        "UPDATE activity SET amount = 1",
        "UPDATE activity SET name = 'x' WHERE seq = 1",
        "DELETE FROM activity",
        "REPLACE INTO activity (seq, at, program_id, kind) VALUES (1, 0, 1, 51)",
    ] {
        assert_refused(migrated.execute(sql, []), "append-only");
    }
}

#[test]
fn a_reader_cannot_write() {
    let (folder, migrated) = migrated();
    migrated.execute_batch(ROWS).unwrap();
    let reader = open_read_only(&folder.path().join("new.db")).unwrap();
    for sql in [
        "UPDATE member SET tier = 'gold'",
        "INSERT INTO setting VALUES ('x', x'00')",
        "DELETE FROM member",
        "CREATE TABLE x (y)",
        "DROP TRIGGER activity_is_never_changed",
    ] {
        assert_refused(reader.execute(sql, []), "readonly");
    }
    // Not even after it turned off query_only: the file itself is open for reading.
    reader.pragma_update(None, "query_only", false).unwrap();
    assert_refused(
        reader.execute("UPDATE member SET tier = 'gold'", []),
        "readonly",
    );
    assert_eq!(strings(&migrated, "SELECT tier FROM member"), ["standard"]);
}

#[test]
fn a_reader_makes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    open_read_only(&folder.path().join("none.db")).unwrap_err();
    assert_eq!(folder.path().read_dir().unwrap().count(), 0);
}

/// docs/RELIABILITY.md says for every column what it is compared with, or why changes cannot be
/// detected.
#[test]
fn every_column_has_its_row_in_the_table_of_what_verify_compares() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/RELIABILITY.md");
    let document = std::fs::read_to_string(path).unwrap();
    let (_, section) = document.split_once("### What `verify` compares\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let mut listed = Vec::new();
    for line in section.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.split(" | ").collect();
        let table = cells[0].trim_matches(['|', ' ', '`']);
        let columns = cells[1].split(", ").map(|column| column.trim_matches('`'));
        listed.extend(columns.map(|column| format!("{table}.{column}")));
        assert!(cells[2].len() > 3, "{line}");
    }
    listed.sort_unstable();
    let (_folder, connection) = migrated();
    let sql = "SELECT s.name || '.' || c.name FROM sqlite_schema s, pragma_table_info(s.name) c
               WHERE s.type = 'table' ORDER BY 1";
    assert_eq!(listed, strings(&connection, sql));
}
