//! From version 1 to 2: the log in its final shape.
//!
//! The rows of a table move to a new one, a limited number at a time. Moved rows are deleted in the
//! same transaction, so that the new table uses the room that the old one frees. When the old table
//! is empty, the new one takes its name.
//!
//! Personal data in the log moves to a separate table, from which it can be erased. Version 1 did
//! not overwrite what it deleted. So free pages are overwritten first; tables that may hold long
//! values, which end within a page, move to such pages; and unused bytes of the other pages are
//! overwritten at the end.

mod finish;
mod ledger;
mod log;
mod plan;
mod tables;

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use self::ledger::Ledger;
use self::plan::{MEMBERS, NEW_TABLES, TABLES};
use crate::store::file::open_error::MigrationError;
use crate::store::file::paths::with_suffix;
use crate::store::file::schema::{self, APPLICATION_ID, NOTE, Progress};
use crate::store::file::scrub::scrub_all;

/// The room that one transaction needs: for the rows that it writes, and in the write-ahead log for
/// the same rows and the pages that they leave.
const STEP_ROOM: u64 = 256 << 20;
/// The page cache during the migration, in KiB.
const CACHE_KIB: i64 = 131_072;

/// Begins the step if there is room for it. From then on no older program opens the file.
pub(super) fn begin(connection: &mut Connection, path: &Path) -> Result<(), MigrationError> {
    check_room(path)?;
    let mut created = tables::definitions("conversation")?;
    created.retain(|sql| sql.starts_with("CREATE INDEX") && sql.contains("waiting_since"));
    for table in NEW_TABLES {
        created.extend(tables::definitions(table)?);
    }
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&format!(
        "DROP TRIGGER IF EXISTS activity_is_never_changed;
         DROP TRIGGER IF EXISTS activity_is_never_deleted;
         DROP INDEX IF EXISTS redemption_held;
         ALTER TABLE program ADD COLUMN chain BLOB CONSTRAINT program_chain CHECK (length(chain) = 32);
         ALTER TABLE credential ADD COLUMN last_used_at INTEGER;
         ALTER TABLE webhook_endpoint ADD COLUMN version INTEGER NOT NULL DEFAULT 0
             CONSTRAINT webhook_endpoint_version CHECK (version >= 0);
         ALTER TABLE conversation ADD COLUMN waiting_since INTEGER
             CONSTRAINT conversation_waiting_since
             CHECK (waiting_since IS NULL OR last_role = 'member');
         DROP INDEX IF EXISTS conversation_waiting;
         {};
         PRAGMA user_version = 2;
         PRAGMA application_id = {APPLICATION_ID}",
        created.join(";")
    ))?;
    let sql = "INSERT INTO setting (name, value) VALUES (?1, ?2)";
    tx.execute(sql, (NOTE, TABLES[0].0.as_bytes()))?;
    tx.commit()?;
    Ok(())
}

/// Refuses to begin without room for it.
fn check_room(path: &Path) -> Result<(), MigrationError> {
    let length = |path: &Path| std::fs::metadata(path).map(|file| file.len());
    let file = length(path).map_err(MigrationError::Room)?;
    let file = file + length(&with_suffix(path, "-wal")).unwrap_or(0);
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    let found = rustix::fs::statvfs(folder.unwrap_or(Path::new(".")));
    let found = found.map_err(|error| MigrationError::Room(error.into()))?;
    let free = found.f_bavail.saturating_mul(found.f_frsize);
    let needed = room_for(file);
    if free < needed {
        return Err(MigrationError::NoRoom { needed, free });
    }
    Ok(())
}

/// The free room that a database of a given size needs: its rows grow by at most half, and a small
/// database is moved in one transaction.
fn room_for(file: u64) -> u64 {
    file / 2 + STEP_ROOM.min(4 * file)
}

/// Moves the rows that have not been moved yet.
pub(super) fn go_on(
    connection: &mut Connection,
    progress: Progress<'_>,
) -> Result<(), MigrationError> {
    // Renaming a table must not change the references to it.
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; PRAGMA cache_size = -{CACHE_KIB}"
    ))?;
    let note = schema::note(connection)?.unwrap_or_default();
    let first = TABLES
        .iter()
        .position(|(table, _)| table.as_bytes() == note)
        .unwrap_or(TABLES.len());
    if first == 0 {
        tables::drop_indexes(connection)?;
        tables::fill_free_pages(connection)?;
    }
    // Only the log and the members need the entries that have been moved already.
    let mut ledger = Ledger::default();
    if first <= MEMBERS {
        ledger.read(connection)?;
    }
    let mut moved = Moved::begin(connection, first, progress)?;
    for (table, key) in &TABLES[first..] {
        tables::create(connection, table)?;
        loop {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rows = match *table {
                "activity" => log::move_rows(&tx, &mut ledger)?,
                "member" => ledger.move_members(&tx)?,
                "idempotency" => move_idempotency_records(&tx)?,
                table => tables::move_rows(&tx, table, key)?.0,
            };
            tx.commit()?;
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            if rows == 0 {
                break;
            }
            moved.add(rows);
        }
        tables::take_place(connection, table)?;
    }
    finish::erase_again(connection)?;
    finish::set_versions(connection)?;
    finish::set_waiting(connection)?;
    finish::drop_sums(connection)?;
    scrub_all(connection)?;
    let dangling = crate::store::whole::audit::foreign_keys(connection)?;
    if let Some(first) = dangling.first() {
        // They were dangling before; `stampcard verify` reports all of them.
        tracing::error!(first, "rows of the database refer to missing rows");
    }
    connection.execute("DELETE FROM setting WHERE name = ?1", [NOTE])?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA foreign_keys = ON")?;
    tracing::info!("the database was migrated");
    Ok(())
}

/// The number of rows moved so far, reported to the caller and, at every tenth, to the log.
struct Moved<'a> {
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl<'a> Moved<'a> {
    /// Counts the rows to move; the tables before `first` have been moved already.
    fn begin(
        connection: &Connection,
        first: usize,
        progress: Progress<'a>,
    ) -> Result<Self, MigrationError> {
        let (mut done, mut total) = (0, 0);
        for (place, (table, _)) in TABLES.iter().enumerate() {
            let names = [
                ((*table).to_owned(), place < first),
                (format!("new_{table}"), true),
            ];
            for (name, is_moved) in names {
                if !connection.table_exists(None, name.as_str())? {
                    continue;
                }
                let sql = format!("SELECT count(*) FROM {name}");
                let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
                total += rows.unsigned_abs();
                done += if is_moved { rows.unsigned_abs() } else { 0 };
            }
        }
        tracing::info!(done, total, "migrating the database to schema version 2");
        progress(done, total);
        Ok(Self {
            done,
            total,
            progress,
        })
    }

    fn add(&mut self, rows: usize) {
        let tenths = |done: u64| done * 10 / self.total.max(1);
        let before = tenths(self.done);
        self.done += rows as u64;
        if tenths(self.done) > before {
            let (done, total) = (self.done, self.total);
            tracing::info!(done, total, "migrating");
        }
        (self.progress)(self.done.min(self.total), self.total);
    }
}

/// Moves the next idempotency records. One about a redemption holds personal data, and is noted
/// with its member.
fn move_idempotency_records(tx: &Connection) -> Result<usize, MigrationError> {
    let before: i64 = tx.query_row(
        "SELECT coalesce(max(id), 0) FROM new_idempotency",
        [],
        |row| row.get(0),
    )?;
    let (rows, last) = tables::move_rows(tx, "idempotency", &["id"])?;
    let sql = "INSERT INTO idempotency_words (answer, member_id)
               SELECT a.id, r.member_id FROM new_idempotency a JOIN redemption r
                   ON r.uuid = unhex(replace(substr(a.response, 12, 36), '-', ''))
               WHERE a.id > ?1 AND a.id <= ?2 AND a.sealed = 0
                   AND substr(a.response, 1, 11) = CAST('{\"id\":\"rdm_' AS BLOB)";
    tx.execute(sql, (before, last))?;
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_is_needed_depends_on_the_size_of_the_file() {
        assert_eq!(room_for(1_000_000), 4_500_000);
        assert_eq!(room_for(10_000_000_000), 5_000_000_000 + STEP_ROOM);
        let refusal = MigrationError::NoRoom {
            needed: 4_500_000,
            free: 1_999_999,
        };
        let said = refusal.to_string();
        assert!(
            said.contains("up to 5 MB") && said.contains("1 MB are free"),
            "{said}"
        );
    }
}
