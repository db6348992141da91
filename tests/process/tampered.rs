//! Schemas that were tampered with: `verify` names the change, `restore` and `backup` refuse. And
//! schemas that only have another notation, which are accepted.

use std::path::Path;

use rusqlite::Connection;

use crate::server::{Ended, Place};

/// SQL that tampers with a schema, and the expected finding.
type Case = (&'static str, &'static [&'static str]);

/// Each adds, drops or alters one object.
const TAMPERED: &[Case] = &[
    // The name begins like those that SQLite reserves; the next credit plants a partner key.
    (
        "CREATE TRIGGER sqlitex AFTER INSERT ON activity BEGIN
             INSERT OR IGNORE INTO credential
                 (uuid, kind, environment, name, prefix, hash, created_at)
             VALUES (zeroblob(16), 'partner', 'live', 'x', 'x', zeroblob(32), 0);
         END",
        &["trigger sqlitex is not of the schema"],
    ),
    (
        "CREATE VIEW every_key AS SELECT hash FROM credential",
        &["view every_key is not of the schema"],
    ),
    // Other programs that read the file would show wrong balances.
    (
        "DROP VIEW wallet;
         CREATE VIEW wallet (member_id, program_id, balance, amount_received, amount_spent, entries)
             AS SELECT id, program_id, 1000, 1000, 0, 1 FROM member",
        &["view wallet is missing or was altered"],
    ),
    ("DROP VIEW wallet", &["view wallet is missing or was altered"]),
    (
        "CREATE INDEX member_by_email ON member (email)",
        &["index member_by_email is not of the schema"],
    ),
    (
        "CREATE TABLE sqlitey (a)",
        &["table sqlitey is not of the schema"],
    ),
    (
        "CREATE TABLE \"a\nb\" (a)",
        &["table \"a\\nb\" is not of the schema"],
    ),
    (
        "DROP TRIGGER activity_is_never_changed",
        &["trigger activity_is_never_changed is missing or was altered"],
    ),
    (
        "DROP INDEX conversation_waiting;
         CREATE INDEX conversation_waiting ON conversation (program_id, active_at)
             WHERE last_role = 'member ';",
        &["index conversation_waiting is missing or was altered"],
    ),
    (
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'CONSTRAINT member_tier CHECK (tier <> '''')', '')
             WHERE name = 'member'",
        &["table member is missing or was altered"],
    ),
    // A comment that SQLite does not read to its end, so that the table is not strict.
    (
        "PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '/* ' || char(0) || '*/ STRICT')
             WHERE name = 'member'",
        &["table member is missing or was altered"],
    ),
    // Names that SQLite reserves, bypassing its refusal to create them.
    (
        "CREATE TABLE evil (a);
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET name = 'sqlite_evil', tbl_name = 'sqlite_evil',
                 sql = 'CREATE TABLE sqlite_evil (a)'
             WHERE name = 'evil'",
        &["table sqlite_evil is not of the schema"],
    ),
    (
        "CREATE TRIGGER evil AFTER INSERT ON activity BEGIN SELECT 1; END;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET name = 'sqlite_evil',
                 sql = 'CREATE TRIGGER sqlite_evil AFTER INSERT ON activity BEGIN SELECT 1; END'
             WHERE name = 'evil'",
        &["trigger sqlite_evil is not of the schema"],
    ),
    (
        "ANALYZE;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_stat1(tbl,idx,stat DEFAULT 1)'
             WHERE name = 'sqlite_stat1'",
        &["table sqlite_stat1 is not of the schema"],
    ),
    // Names that differ from ours only in case, or sort before ours.
    (
        "DROP TABLE pool_usage; CREATE TABLE \"POOL_USAGE\" (environment, month, credits)",
        &["table pool_usage is missing or was altered"],
    ),
    (
        "ALTER TABLE member ADD COLUMN shadow INTEGER AS (version + 1)",
        &["table member is missing or was altered"],
    ),
    (
        "ALTER TABLE member ADD COLUMN birthday TEXT",
        &["table member is missing or was altered"],
    ),
    (
        "ANALYZE;
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET sql = 'CREATE TABLE sqlite_stat1(tbl,idx,stat,more)'
             WHERE name = 'sqlite_stat1'",
        &["table sqlite_stat1 is not of the schema"],
    ),
    // The tables of Litestream, but not quite.
    (
        "CREATE TABLE _litestream_lock (id INTEGER);
         CREATE TRIGGER _litestream_now AFTER INSERT ON _litestream_lock
         BEGIN DELETE FROM webhook_endpoint; END",
        &["trigger _litestream_now is not of the schema"],
    ),
    (
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER, note TEXT)",
        &["table _litestream_seq is not of the schema"],
    ),
    (
        "CREATE VIEW _litestream_lock AS SELECT 1 AS id",
        &["view _litestream_lock is not of the schema"],
    ),
];

/// A folder whose server has stopped, with a valid backup.
fn stopped() -> Place {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    for arguments in [["backup", "good.db"], ["export", "all.ndjson"]] {
        let ended = run(&place, &arguments, &place.database());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    place
}

fn run(place: &Place, arguments: &[&str], database: &Path) -> Ended {
    let mut command = place.command(arguments);
    command.arg("--database").arg(database);
    place.run(command)
}

/// A copy of the valid backup on which some SQL was run.
fn altered(place: &Place, sql: &str) -> std::path::PathBuf {
    let path = place.path("altered.db");
    std::fs::copy(place.path("good.db"), &path).unwrap();
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch(sql).expect(sql);
    path
}

/// Nothing was put into place, and no half-finished file is left next to it.
#[track_caller]
fn assert_untouched(place: &Place, before: &[u8], sql: &str) {
    assert!(std::fs::read(place.database()).unwrap() == before, "{sql}");
    let names = place.names();
    let stray = |name: &&String| {
        ["partial", "replaced", "copy.db"]
            .iter()
            .any(|part| name.contains(part))
    };
    assert_eq!(names.iter().find(stray), None, "{sql}");
}

#[test]
fn a_schema_that_was_tampered_with_is_named_and_refused() {
    let place = stopped();
    let before = std::fs::read(place.database()).unwrap();
    for (sql, found) in TAMPERED {
        let path = altered(&place, sql);
        let verified = run(&place, &["verify"], &path);
        assert_eq!(verified.code, Some(1), "{sql}: {verified:?}");
        let restored = run(&place, &["restore", "altered.db"], &place.database());
        let backed_up = run(&place, &["backup", "copy.db"], &path);
        let served = run(&place, &["serve", "--listen", "127.0.0.1:0"], &path);
        let imported = run(&place, &["import", "all.ndjson"], &path);
        assert_eq!(imported.code, Some(1), "{sql}: {imported:?}");
        for text in *found {
            let said = &served.stderr;
            assert_eq!(served.code, Some(1), "{sql}: {served:?}");
            assert!(
                said.contains("was altered") && said.contains(text),
                "{text}: {said}"
            );
            assert!(verified.stdout.contains(text), "{text}: {verified:?}");
            for refused in [&restored, &backed_up] {
                let said = refused.refusal();
                assert!(said.contains("does not verify"), "{sql}: {said}");
                assert!(said.contains(text), "{text}: {said}");
            }
        }
        assert_untouched(&place, &before, sql);
    }
}

#[test]
fn everything_that_was_tampered_with_is_named() {
    let place = stopped();
    let all = "CREATE TRIGGER sqlitex AFTER INSERT ON activity BEGIN SELECT 1; END;
               CREATE VIEW sqlitey AS SELECT 1 AS a;
               DROP TRIGGER activity_is_never_deleted;
               DROP INDEX member_by_tier;
               CREATE INDEX member_by_tier ON member (tier, program_id);";
    let verified = run(&place, &["verify"], &altered(&place, all));
    let expected = [
        "index member_by_tier is missing or was altered",
        "trigger activity_is_never_deleted is missing or was altered",
        "trigger sqlitex is not of the schema",
        "view sqlitey is not of the schema",
    ];
    let lines: Vec<&str> = verified.stdout.lines().collect();
    assert_eq!(lines[..4], expected, "{verified:?}");
    assert!(lines[4].contains("4 things are wrong"), "{verified:?}");
}

/// Rewrites a definition: without its comments and with others, in capitals, with other white
/// space. Text in single quotes stays as it is.
fn rewritten(definition: &str) -> String {
    let without_comments: Vec<&str> = definition
        .lines()
        .map(|line| line.split("--").next().unwrap())
        .collect();
    let text = without_comments.join("\n");
    let parts = text.split('\'').enumerate().map(|(index, part)| {
        if index % 2 == 1 {
            return part.to_owned();
        }
        let part = part.to_ascii_uppercase();
        part.replace(' ', " /* it's */\t").replace('(', "(--'\n")
    });
    parts.collect::<Vec<_>>().join("'")
}

#[test]
fn a_schema_that_is_only_written_in_another_way_is_no_fault() {
    let place = stopped();
    let path = altered(&place, "PRAGMA writable_schema = ON");
    let connection = Connection::open(&path).unwrap();
    let mut select = connection
        .prepare("SELECT rowid, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        .unwrap();
    let rows = select
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let rows: Vec<(i64, String)> = rows.collect::<Result<_, _>>().unwrap();
    drop(select);
    connection
        .pragma_update(None, "writable_schema", true)
        .unwrap();
    for (row, definition) in rows {
        let update = "UPDATE sqlite_schema SET sql = ?2 WHERE rowid = ?1";
        connection
            .execute(update, (row, rewritten(&definition)))
            .unwrap();
    }
    drop(connection);
    assert_verifies_and_restores(&place, &path);
}

/// SQLite quotes the names of renamed tables wherever they occur.
#[test]
fn a_table_that_was_renamed_back_is_no_fault() {
    let place = stopped();
    let sql = "ALTER TABLE activity RENAME TO other; ALTER TABLE other RENAME TO activity;
               ALTER TABLE member RENAME TO other; ALTER TABLE other RENAME TO member;";
    let path = altered(&place, sql);
    let quoted = "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%\"activity\"%'";
    let count: i64 = Connection::open(&path)
        .and_then(|connection| connection.query_row(quoted, [], |row| row.get(0)))
        .unwrap();
    assert!(count > 2, "{count} definitions were rewritten");
    assert_verifies_and_restores(&place, &path);
}

#[test]
fn the_tables_of_analyze_and_autoincrement_are_no_fault() {
    let place = stopped();
    let sql = "CREATE TABLE used (id INTEGER PRIMARY KEY AUTOINCREMENT); DROP TABLE used; ANALYZE;";
    let path = altered(&place, sql);
    let tables = "SELECT count(*) FROM sqlite_schema
                  WHERE name IN ('sqlite_sequence', 'sqlite_stat1', 'sqlite_stat4')";
    let count: i64 = Connection::open(&path)
        .and_then(|connection| connection.query_row(tables, [], |row| row.get(0)))
        .unwrap();
    assert_eq!(count, 3);
    assert_verifies_and_restores(&place, &path);
}

#[track_caller]
fn assert_verifies_and_restores(place: &Place, path: &Path) {
    let verified = run(place, &["verify"], path);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let file = path.display().to_string();
    let restored = run(place, &["restore", &file], &place.database());
    assert_eq!(restored.code, Some(0), "{restored:?}");
    let server = place.start();
    server.credit("ann", 5);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

/// Wrong values in the file's header, and pages that are exchanged.
#[test]
fn a_file_that_lies_about_itself_is_refused_by_all() {
    let place = stopped();
    let swapped = "CREATE TEMP TABLE roots AS SELECT name, rootpage FROM sqlite_schema
             WHERE name IN ('pool_usage', 'organization_usage');
         PRAGMA writable_schema = ON;
         UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM roots r
                 WHERE r.name <> sqlite_schema.name)
             WHERE name IN ('pool_usage', 'organization_usage')";
    for (sql, refusal) in [
        ("PRAGMA user_version = 7", "has schema version 7"),
        ("PRAGMA user_version = 0", "is not a stampcard database"),
        ("PRAGMA application_id = 1", "is not a stampcard database"),
        ("PRAGMA application_id = 0", "is not a stampcard database"),
        (swapped, ""),
    ] {
        let path = altered(&place, sql);
        let mut refused = vec![
            run(&place, &["verify"], &path),
            run(&place, &["backup", "copy.db"], &path),
            run(&place, &["restore", "altered.db"], &place.database()),
        ];
        if !refusal.is_empty() {
            refused.push(run(&place, &["serve", "--listen", "127.0.0.1:0"], &path));
        }
        for ended in refused {
            assert_eq!(ended.code, Some(1), "{sql}: {ended:?}");
            assert!(ended.stderr.contains(refusal), "{sql}: {ended:?}");
        }
    }
}

/// A file without its key of member tokens does not start, so it is no backup either.
#[test]
fn a_backup_that_could_not_start_is_no_backup() {
    let place = stopped();
    let path = altered(&place, "DELETE FROM setting WHERE name = 'token_key'");
    let missing = "setting \"token_key\" is missing";
    let verified = run(&place, &["verify"], &path);
    assert_eq!(verified.code, Some(1), "{verified:?}");
    assert!(verified.stdout.contains(missing), "{verified:?}");
    for ended in [
        run(&place, &["backup", "copy.db"], &path),
        run(&place, &["restore", "altered.db"], &place.database()),
    ] {
        assert!(ended.refusal().contains(missing), "{ended:?}");
    }
    let served = run(&place, &["serve", "--listen", "127.0.0.1:0"], &path);
    assert_eq!(served.code, Some(1), "{served:?}");
    assert!(
        served
            .stderr
            .contains("the key of member tokens is missing"),
        "{served:?}"
    );
}
