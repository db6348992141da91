//! Moves a table, with any columns: its rows go to a new one, which then takes its name.

use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::plan::{STEP_ROWS, TABLES};
use crate::store::Error;
use crate::store::file::open_error::MigrationError;
use crate::store::file::schema::{NOTE, SCHEMA};

/// The most bytes of values that are moved in one transaction.
const STEP_BYTES: i64 = 32 << 20;

/// The definitions of a table of the schema, then of its indexes and triggers.
pub(super) fn definitions(table: &str) -> Result<Vec<String>, Error> {
    let schema = Connection::open_in_memory()?;
    schema.execute_batch(SCHEMA)?;
    let sql = "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL
               ORDER BY type <> 'table', rowid";
    let mut statement = schema.prepare(sql)?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops the old indexes, whose names the new ones take. Their pages are not overwritten in this
/// transaction, but later with all free pages.
pub(super) fn drop_indexes(connection: &mut Connection) -> Result<(), MigrationError> {
    connection.execute_batch("PRAGMA secure_delete = OFF")?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for (table, _) in TABLES {
        let sql = "SELECT name FROM sqlite_schema
                   WHERE tbl_name = ?1 AND type = 'index' AND sql IS NOT NULL";
        let indexes: Vec<String> = tx
            .prepare(sql)?
            .query_map([table], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for index in indexes {
            tx.execute_batch(&format!("DROP INDEX {index}"))?;
        }
    }
    tx.commit()?;
    connection.execute_batch("PRAGMA secure_delete = ON")?;
    Ok(())
}

/// Creates the new table and its indexes, unless they exist.
pub(super) fn create(connection: &mut Connection, table: &str) -> Result<(), MigrationError> {
    let new = format!("new_{table}");
    if connection.table_exists(None, new.as_str())? {
        return Ok(());
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for definition in definitions(table)? {
        let definition = definition
            .replacen(
                &format!("CREATE TABLE {table}"),
                &format!("CREATE TABLE {new}"),
                1,
            )
            .replacen(&format!(" ON {table} ("), &format!(" ON {new} ("), 1);
        if !definition.starts_with("CREATE TRIGGER") {
            tx.execute_batch(&definition)?;
        }
    }
    tx.commit()?;
    Ok(())
}

/// Gives the new table the name of the old one, which is empty, and its triggers.
pub(super) fn take_place(connection: &mut Connection, table: &str) -> Result<(), MigrationError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&format!(
        "DROP TABLE {table}; ALTER TABLE new_{table} RENAME TO {table}"
    ))?;
    for definition in definitions(table)? {
        if definition.starts_with("CREATE TRIGGER") {
            tx.execute_batch(&definition)?;
        }
    }
    let place = TABLES.iter().position(|(name, _)| *name == table);
    let next = place.and_then(|place| TABLES.get(place + 1));
    let note = next.map_or("done", |(name, _)| *name);
    let sql = "UPDATE setting SET value = ?2 WHERE name = ?1";
    tx.execute(sql, (NOTE, note.as_bytes()))?;
    tx.commit()?;
    Ok(())
}

/// Moves the next rows of a table, with the columns that it keeps. Returns their number and the key
/// of the last one.
pub(super) fn move_rows(
    tx: &Connection,
    table: &str,
    key: &[&str],
) -> Result<(usize, Option<i64>), MigrationError> {
    let keys = key.join(", ");
    let columns = shared_columns(tx, table)?;
    // Finds the last of the rows to move.
    let lengths: Vec<String> = columns
        .iter()
        .map(|column| format!("coalesce(octet_length({column}), 0)"))
        .collect();
    let sql = format!(
        "SELECT {keys}, {} FROM {table} ORDER BY {keys} LIMIT {STEP_ROWS}",
        lengths.join(" + ")
    );
    let mut statement = tx.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let (mut last, mut bytes) = (Vec::new(), 0_i64);
    while let Some(row) = rows.next()?.filter(|_| bytes < STEP_BYTES) {
        last.clear();
        for index in 0..key.len() {
            last.push(row.get::<_, i64>(index)?);
        }
        bytes += row.get::<_, i64>(key.len())?;
    }
    drop(rows);
    if last.is_empty() {
        return Ok((0, None));
    }
    let columns = columns.join(", ");
    let places = vec!["?"; key.len()].join(", ");
    let condition = format!("({keys}) <= ({places})");
    let sql = format!(
        "INSERT INTO new_{table} ({columns}) SELECT {columns} FROM {table} WHERE {condition}
         ORDER BY {keys}"
    );
    tx.prepare(&sql)?.execute(params_from_iter(&last))?;
    let sql = format!("DELETE FROM {table} WHERE {condition}");
    let moved = tx.prepare(&sql)?.execute(params_from_iter(&last))?;
    Ok((moved, last.last().copied()))
}

/// The columns of a table that the new one has too.
fn shared_columns(connection: &Connection, table: &str) -> Result<Vec<String>, rusqlite::Error> {
    let sql = "SELECT name FROM pragma_table_info(?1) JOIN pragma_table_info(?2) USING (name)";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([table, &format!("new_{table}")], |row| row.get(0))?;
    rows.collect()
}

/// Overwrites the free pages, in which version 1 left deleted data.
pub(super) fn fill_free_pages(connection: &Connection) -> Result<(), MigrationError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let page = number("page_size")?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS new_filler (x BLOB) STRICT")?;
    loop {
        let free = number("freelist_count")?;
        if free == 0 {
            break;
        }
        // Fewer bytes than are free, as rows have an overhead on each page.
        let bytes = (free * page / 2).min(16 << 20).max(page / 4);
        connection.execute("INSERT INTO new_filler VALUES (zeroblob(?1))", [bytes])?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    // It holds only zeros. Overwriting them again would write every page in one transaction.
    connection.execute_batch(
        "PRAGMA secure_delete = OFF; DROP TABLE new_filler; PRAGMA secure_delete = ON",
    )?;
    Ok(())
}
