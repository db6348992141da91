//! From version 1 to 2: the log in its final shape.
//!
//! The rows of a table move to a new one, some at a time: what was moved is deleted in the same
//! transaction, so that the new table takes the room that the old one leaves. When a table is empty
//! the new one takes its name.
//!
//! The words of people that stood in the log have their own table from now on, from which they can
//! be erased. Version 1 overwrote nothing that it deleted. So free pages are overwritten first;
//! tables that may hold long values, which end within a page, move to such pages; and what rows
//! left in the unused bytes of the others is overwritten in the end.

mod ledger;
mod log;
mod tables;

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use self::ledger::Ledger;
use super::super::backup::beside;
use super::super::scrub::scrub_all;
use super::{APPLICATION_ID, MigrationError, NOTE, Progress, SCHEMA};
use crate::domain::{MemberNumber, Seq};
use crate::store::tables::conversations;
use crate::store::whole::erasure;

/// Rows that are moved in one transaction at most.
const STEP_ROWS: i64 = 100_000;
/// The room that one transaction takes: the rows that it writes, and in the write-ahead log the
/// same again and the pages that they leave.
const STEP_ROOM: u64 = 256 << 20;
/// KiB of pages that are kept in memory meanwhile.
const CACHE_KIB: i64 = 131_072;

/// The tables that are moved, in this order, each with its key. The last ones keep their columns;
/// their values may be longer than a page, whose end then held a rest of what was there before.
const TABLES: &[(&str, &[&str])] = &[
    ("activity", &["seq"]),
    ("member", &["id"]),
    ("offer", &["id"]),
    ("redemption", &["id"]),
    ("message", &["id"]),
    ("event_payload", &["program_id", "seq"]),
    ("idempotency", &["id"]),
    ("idempotency_list", &["id"]),
    ("idempotency_filter", &["last_segment"]),
    ("organization", &["id"]),
    ("snapshot_state", &["last_seq", "part"]),
    (
        "snapshot_segment",
        &["program_id", "offer_id", "measure", "number"],
    ),
];

/// The place of the members among them.
const MEMBERS: usize = 1;

/// How the id of a member looks that version 1 erased, for GLOB; 32 digits follow.
const ERASED: &str = "erased_";

/// Begins the step, once there is room for it: from here on no older program opens the file.
pub(super) fn begin(connection: &mut Connection, path: &Path) -> Result<(), MigrationError> {
    check_room(path)?;
    let mut waiting = tables::definitions("conversation")?;
    waiting.retain(|sql| sql.starts_with("CREATE INDEX") && sql.contains("waiting_since"));
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&format!(
        "DROP TRIGGER IF EXISTS activity_is_never_changed;
         DROP TRIGGER IF EXISTS activity_is_never_deleted;
         DROP INDEX IF EXISTS redemption_held;
         ALTER TABLE program ADD COLUMN chain BLOB CONSTRAINT program_chain CHECK (length(chain) = 32);
         ALTER TABLE program ADD COLUMN version INTEGER NOT NULL DEFAULT 0
             CONSTRAINT program_version CHECK (version >= 0);
         ALTER TABLE program ADD COLUMN configuration_version INTEGER NOT NULL DEFAULT 0
             CONSTRAINT program_configuration_version CHECK (configuration_version >= 0);
         ALTER TABLE credential ADD COLUMN last_used_at INTEGER;
         ALTER TABLE webhook_endpoint ADD COLUMN version INTEGER NOT NULL DEFAULT 0
             CONSTRAINT webhook_endpoint_version CHECK (version >= 0);
         ALTER TABLE conversation ADD COLUMN waiting_since INTEGER
             CONSTRAINT conversation_waiting_since
             CHECK (waiting_since IS NULL OR last_role = 'member');
         DROP INDEX IF EXISTS conversation_waiting;
         {};
         {};
         {};
         {};
         {};
         PRAGMA user_version = 2;
         PRAGMA application_id = {APPLICATION_ID}",
        waiting.join(";"),
        tables::definitions("log_text")?.join(";"),
        tables::definitions("idempotency_words")?.join(";"),
        tables::definitions("search_term")?.join(";"),
        tables::definitions("removal")?.join(";")
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
    let file = file + length(&beside(path, "-wal")).unwrap_or(0);
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

/// The room that a database of so many bytes needs beside it: its rows get at most half as long
/// again, and a small one is moved in one transaction.
fn room_for(file: u64) -> u64 {
    file / 2 + STEP_ROOM.min(4 * file)
}

/// Moves what is not moved yet.
pub(super) fn go_on(
    connection: &mut Connection,
    progress: Progress<'_>,
) -> Result<(), MigrationError> {
    // A table that gets another name must not take the references to the old one along.
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = OFF; PRAGMA secure_delete = ON; PRAGMA cache_size = -{CACHE_KIB}"
    ))?;
    let note = super::note(connection)?.unwrap_or_default();
    let first = TABLES
        .iter()
        .position(|(table, _)| table.as_bytes() == note)
        .unwrap_or(TABLES.len());
    if first == 0 {
        tables::drop_indexes(connection)?;
        tables::fill_free_pages(connection)?;
    }
    // Only the log and the heads of its accounts need what has been moved already.
    let mut ledger = Ledger::of_programs(connection)?;
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
                "idempotency" => move_answers(&tx)?,
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
    erase_again(connection)?;
    set_versions(connection)?;
    set_waiting(connection)?;
    scrub_all(connection)?;
    let dangling = crate::store::whole::audit::foreign_keys(connection)?;
    if let Some(first) = dangling.first() {
        // It was so before; `verify` says it again, in whole.
        tracing::error!(first, "rows of the database point to nothing");
    }
    connection.execute("DELETE FROM setting WHERE name = ?1", [NOTE])?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA foreign_keys = ON")?;
    tracing::info!("the database is migrated");
    Ok(())
}

/// How many rows have been moved, reported to the caller and, at every tenth, to the log.
struct Moved<'a> {
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl<'a> Moved<'a> {
    /// Counts what there is to move; the tables before `first` have been moved already.
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

/// Moves the next answers, each with the member whose words it has: those about a redemption do.
fn move_answers(tx: &Connection) -> Result<usize, MigrationError> {
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

/// Erases what version 1 left of members that it erased: what callers said about their points and
/// cancellations.
fn erase_again(connection: &mut Connection) -> Result<(), MigrationError> {
    let pattern = ERASED.to_owned() + &"[0-9a-f]".repeat(32);
    let sql = "SELECT id, last_entry_seq FROM member
               WHERE archived_at IS NOT NULL AND external_user_id GLOB ?1
                   AND display_name IS NULL AND email IS NULL AND attributes IS NULL";
    let mut members: Vec<(i64, Option<i64>)> = Vec::new();
    for member in connection
        .prepare(sql)?
        .query_map([pattern], |row| row.try_into())?
    {
        members.push(member?);
    }
    for (member, last) in members {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        erasure::empty(&tx, MemberNumber(member), last.map(Seq))?;
        tx.commit()?;
    }
    Ok(())
}

/// Sets the settings versions of offers, programs and organizations: the last activities that
/// changed them. Those of members were set as they were moved; of webhooks the log of version 1
/// does not tell.
fn set_versions(connection: &mut Connection) -> Result<(), MigrationError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT kind / 10, CASE WHEN kind < 50 THEN offer_id WHEN kind < 60 THEN program_id
                   ELSE organization_id END AS row, max(seq)
               FROM activity WHERE kind >= 40 GROUP BY 1, 2";
    let mut newest = tx.prepare(sql)?;
    let mut rows = newest.query([])?;
    while let Some(row) = rows.next()? {
        let (group, number, seq): (i64, Option<i64>, i64) = row.try_into()?;
        let sql = match group {
            4 => "UPDATE offer SET version = ?2 WHERE id = ?1",
            5 => "UPDATE program SET version = ?2, configuration_version = ?2 WHERE id = ?1",
            _ => "UPDATE organization SET version = ?2 WHERE id = ?1",
        };
        tx.prepare_cached(sql)?.execute((number, seq))?;
    }
    drop(rows);
    drop(newest);
    tx.commit()?;
    Ok(())
}

/// Sets since when members wait for an answer, some conversations at a time.
fn set_waiting(connection: &mut Connection) -> Result<(), MigrationError> {
    let last: i64 =
        connection.query_row("SELECT coalesce(max(id), 0) FROM conversation", [], |row| {
            row.get(0)
        })?;
    let mut after = 0;
    while after < last {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        conversations::set_waiting_of(&tx, (after, after + STEP_ROWS))?;
        tx.commit()?;
        after += STEP_ROWS;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_room_that_is_asked_for_goes_by_the_file() {
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
