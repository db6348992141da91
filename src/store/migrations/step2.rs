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

use std::collections::HashMap;
use std::path::Path;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row as SqlRow, Statement, TransactionBehavior, params_from_iter};

use super::super::activity::chain::{self, Hash};
use super::super::activity::{NewText, REASON};
use super::super::backup::beside;
use super::super::scrub::scrub_all;
use super::super::{Error, erasure};
use super::{APPLICATION_ID, MigrationError, NOTE, Progress, SCHEMA};
use crate::domain::{
    Account, Cell, Cells as _, Column, Entry, EventKind, MemberNumber, MessageId, OfferId, Row, Seq,
};

/// Rows, and bytes of text and of the like, that are moved in one transaction at most.
const STEP_ROWS: i64 = 100_000;
const STEP_BYTES: i64 = 32 << 20;
/// The most ledger entries of a program between two that tell the hash they follow.
const CHAIN_ROWS_MAX: u32 = 256;
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

/// How the id of a member looks that version 1 erased, for GLOB; 32 digits follow.
const ERASED: &str = "erased_";

/// The columns of the log of version 1 and what carries each now; `note` comes after them.
const OLD_LOG: [(&str, Column); 14] = [
    ("seq", Column::Seq),
    ("at", Column::At),
    ("program_id", Column::Program),
    ("kind", Column::Kind),
    ("member_id", Column::Member),
    ("offer_id", Column::Offer),
    ("redemption_id", Column::Redemption),
    ("organization_id", Column::Organization),
    ("entry", Column::Entry),
    ("amount", Column::Amount),
    ("first", Column::Flag),
    ("previous_seq", Column::Previous),
    ("from_state", Column::From),
    ("to_state", Column::To),
];

/// The columns that rows of version 1 fill.
const NEW_LOG: [Column; 21] = [
    Column::Seq,
    Column::At,
    Column::Program,
    Column::Kind,
    Column::Member,
    Column::Offer,
    Column::Redemption,
    Column::Organization,
    Column::Entry,
    Column::Amount,
    Column::Flag,
    Column::Previous,
    Column::From,
    Column::To,
    Column::Jump,
    Column::ReceivedAfter,
    Column::SpentAfter,
    Column::Chain,
    Column::Object,
    Column::Name,
    Column::Cause,
];

/// Begins the step, once there is room for it: from here on no older program opens the file.
pub(super) fn begin(connection: &mut Connection, path: &Path) -> Result<(), MigrationError> {
    check_room(path)?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    tx.execute_batch(&format!(
        "DROP TRIGGER IF EXISTS activity_is_never_changed;
         DROP TRIGGER IF EXISTS activity_is_never_deleted;
         DROP INDEX IF EXISTS redemption_held;
         ALTER TABLE program ADD COLUMN chain BLOB CONSTRAINT program_chain CHECK (length(chain) = 32);
         {};
         {};
         PRAGMA user_version = 2;
         PRAGMA application_id = {APPLICATION_ID}",
        definitions("log_text")?.join(";"),
        definitions("idempotency_words")?.join(";")
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
        .position(|(table, _)| table.as_bytes() == note);
    if first == Some(0) {
        drop_indexes(connection)?;
        fill_free_pages(connection)?;
    }
    let mut ledger = Ledger::read(connection)?;
    let mut moved = Moved::begin(connection, progress)?;
    for (table, key) in &TABLES[first.unwrap_or(TABLES.len())..] {
        create(connection, table)?;
        loop {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let rows = match *table {
                "activity" => move_log(&tx, &mut ledger)?,
                "member" => move_members(&tx, &ledger)?,
                "idempotency" => move_answers(&tx)?,
                table => move_rows(&tx, table, key)?.0,
            };
            tx.commit()?;
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
            if rows == 0 {
                break;
            }
            moved.add(rows);
        }
        take_place(connection, table)?;
    }
    erase_again(connection)?;
    scrub_all(connection)?;
    let dangling = super::super::audit::foreign_keys(connection)?;
    if let Some(first) = dangling.first() {
        // It was so before; `verify` says it again, in whole.
        tracing::error!(first, "rows of the database point to nothing");
    }
    connection.execute("DELETE FROM setting WHERE name = ?1", [NOTE])?;
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA foreign_keys = ON")?;
    Ok(())
}

/// How many rows are moved, for whoever watches.
struct Moved<'a> {
    done: u64,
    total: u64,
    progress: Progress<'a>,
}

impl<'a> Moved<'a> {
    fn begin(connection: &Connection, progress: Progress<'a>) -> Result<Self, MigrationError> {
        let (mut done, mut total) = (0, 0);
        for (table, _) in TABLES {
            for (name, is_moved) in [((*table).to_owned(), false), (format!("new_{table}"), true)] {
                if !connection.table_exists(None, name.as_str())? {
                    continue;
                }
                let sql = format!("SELECT count(*) FROM {name}");
                let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
                total += rows.unsigned_abs();
                done += if is_moved { rows.unsigned_abs() } else { 0 };
            }
        }
        progress(done, total);
        Ok(Self {
            done,
            total,
            progress,
        })
    }

    fn add(&mut self, rows: usize) {
        self.done += rows as u64;
        (self.progress)(self.done.min(self.total), self.total);
    }
}

/// What makes a table of the schema, and then its indexes and triggers.
fn definitions(table: &str) -> Result<Vec<String>, Error> {
    let schema = Connection::open_in_memory()?;
    schema.execute_batch(SCHEMA)?;
    let sql = "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND sql IS NOT NULL
               ORDER BY type <> 'table', rowid";
    let mut statement = schema.prepare(sql)?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Drops the old indexes, whose names the new ones take. Their pages are not overwritten in this
/// one transaction, but with all that are free.
fn drop_indexes(connection: &mut Connection) -> Result<(), MigrationError> {
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

/// Makes the new table and its indexes, unless they are there.
fn create(connection: &mut Connection, table: &str) -> Result<(), MigrationError> {
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
fn take_place(connection: &mut Connection, table: &str) -> Result<(), MigrationError> {
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

/// Moves the next rows of a table that keeps its columns; how many, and the key of the last.
fn move_rows(
    tx: &Connection,
    table: &str,
    key: &[&str],
) -> Result<(usize, Option<i64>), MigrationError> {
    let keys = key.join(", ");
    let columns = columns(tx, table)?;
    // The last of the rows to move.
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

fn columns(connection: &Connection, table: &str) -> Result<Vec<String>, rusqlite::Error> {
    let mut statement = connection.prepare("SELECT name FROM pragma_table_info(?1)")?;
    let rows = statement.query_map([table], |row| row.get(0))?;
    rows.collect()
}

/// Moves the next members, each with the head of the chain that the log gave it.
fn move_members(tx: &Connection, ledger: &Ledger) -> Result<usize, MigrationError> {
    let sql = "SELECT coalesce(max(id), 0) FROM new_member";
    let before: i64 = tx.query_row(sql, [], |row| row.get(0))?;
    let (rows, last) = move_rows(tx, "member", &["id"])?;
    let Some(last) = last else { return Ok(0) };
    let sql = "SELECT id FROM new_member WHERE id > ?1 AND id <= ?2";
    let mut members = tx.prepare(sql)?;
    let sql = "UPDATE new_member SET last_jump_seq = ?2, entries = ?3 WHERE id = ?1";
    let mut update = tx.prepare(sql)?;
    let ids = members.query_map((before, last), |row| row.get::<_, i64>(0))?;
    for id in ids {
        let id = id?;
        if let Some(wallet) = ledger.wallets.get(&id) {
            let account = wallet.account;
            let jump = account.jump.map(|seq| seq.0);
            update.execute((id, jump, account.entries.cast_signed()))?;
        }
    }
    Ok(rows)
}

/// Moves the next answers, each with the member whose words it has: those about a redemption do.
fn move_answers(tx: &Connection) -> Result<usize, MigrationError> {
    let before: i64 = tx.query_row(
        "SELECT coalesce(max(id), 0) FROM new_idempotency",
        [],
        |row| row.get(0),
    )?;
    let (rows, last) = move_rows(tx, "idempotency", &["id"])?;
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

/// What the ledger entries so far add up to.
struct Ledger {
    wallets: HashMap<i64, Wallet>,
    chains: HashMap<i64, Chain>,
}

#[derive(Default)]
struct Wallet {
    account: Account,
    received: i64,
    spent: i64,
    /// When a removal last took what was left.
    forfeited_at: Option<i64>,
}

/// The head of a program's chain of hashes.
struct Chain {
    hash: Hash,
    /// Entries since one told the hash it follows; `None`: none did in this transaction.
    since: Option<u32>,
}

impl Ledger {
    /// Reads what has been moved already.
    fn read(connection: &Connection) -> Result<Self, MigrationError> {
        let mut ledger = Self {
            wallets: HashMap::new(),
            chains: HashMap::new(),
        };
        let mut programs = connection.prepare("SELECT id, chain FROM program")?;
        let mut rows = programs.query([])?;
        while let Some(row) = rows.next()? {
            let hash: Option<Hash> = row.get(1)?;
            let chain = Chain {
                hash: hash.unwrap_or(chain::START),
                since: None,
            };
            ledger.chains.insert(row.get(0)?, chain);
        }
        // The new log has its own name once it is whole.
        let is_whole = connection.column_exists(None, "activity", "jump_seq")?;
        let table = if is_whole { "activity" } else { "new_activity" };
        if !connection.table_exists(None, table)? {
            return Ok(ledger);
        }
        let sql = format!(
            "SELECT seq, at, member_id, entry, jump_seq, received_after, spent_after FROM {table}
             WHERE entry IS NOT NULL ORDER BY seq"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let wallet = ledger.wallets.entry(row.get(2)?).or_default();
            wallet.account = Account {
                last: Some(Seq(row.get(0)?)),
                jump: row.get::<_, Option<i64>>(4)?.map(Seq),
                far: None,
                entries: wallet.account.entries + 1,
            };
            (wallet.received, wallet.spent) = (row.get(5)?, row.get(6)?);
            if row.get::<_, i64>(3)? == Entry::Forfeit.number() {
                wallet.forfeited_at = Some(row.get(1)?);
            }
        }
        Ok(ledger)
    }

    /// Takes in a ledger entry: where it stands in its account goes into the row.
    fn add(&mut self, row: &mut Row<'_>, jumps: &mut Statement<'_>) -> Result<(), Error> {
        let impossible = || Error::Impossible("ledger entry");
        let number = |row: &Row<'_>, column| row.cell(column).integer();
        let member = number(row, Column::Member).ok_or_else(impossible)?;
        let amount = number(row, Column::Amount).ok_or_else(impossible)?;
        let entry = number(row, Column::Entry).and_then(Entry::of_number);
        let entry = entry.ok_or_else(impossible)?;
        let wallet = self.wallets.entry(member).or_default();
        if entry.is_credit() {
            wallet.received = wallet.received.saturating_add(amount);
        } else {
            wallet.spent = wallet.spent.saturating_add(amount);
        }
        if entry == Entry::Forfeit {
            wallet.forfeited_at = number(row, Column::At);
        }
        let account = wallet.account.extended(|seq| {
            let jump: Option<i64> = jumps.query_row([seq.0], |row| row.get(0))?;
            Ok::<_, rusqlite::Error>(jump.map(Seq))
        })?;
        wallet.account = Account {
            last: number(row, Column::Seq).map(Seq),
            ..account
        };
        row.set_number(Column::Jump, account.jump.map(|seq| seq.0));
        row.set(Column::ReceivedAfter, Cell::Integer(wallet.received));
        row.set(Column::SpentAfter, Cell::Integer(wallet.spent));
        Ok(())
    }

    /// Extends the chain of the entry's program; the hash it follows, if the row is to tell it.
    fn extend(&mut self, row: &Row<'_>, text: Option<&NewText<'_>>) -> Option<Hash> {
        let program = row.cell(Column::Program).integer();
        let Some(chain) = program.and_then(|program| self.chains.get_mut(&program)) else {
            // It was put in by somebody else: `verify` says so.
            return None;
        };
        let commitments = text.map(|text| (text.part, text.commitment()));
        let before = chain.hash;
        chain.hash = chain::next(&before, row, commitments.as_slice());
        let is_told = chain.since.is_none_or(|since| since >= CHAIN_ROWS_MAX);
        chain.since = Some(if is_told {
            1
        } else {
            chain.since.unwrap_or(0) + 1
        });
        is_told.then_some(before)
    }

    /// Writes the heads of the chains that the open transaction changed.
    fn write_chains(&mut self, tx: &Connection) -> Result<(), Error> {
        let mut update = tx.prepare("UPDATE program SET chain = ?2 WHERE id = ?1")?;
        for (program, chain) in &mut self.chains {
            if chain.since.take().is_some() {
                update.execute((program, chain.hash))?;
            }
        }
        Ok(())
    }
}

/// Moves the next rows of the log.
fn move_log(tx: &Connection, ledger: &mut Ledger) -> Result<usize, MigrationError> {
    let names = OLD_LOG.map(|(name, _)| name).join(", ");
    let sql = format!("SELECT {names}, note FROM activity ORDER BY seq LIMIT {STEP_ROWS}");
    let mut old = tx.prepare(&sql)?;
    let names = NEW_LOG.map(Column::name).join(", ");
    let places = vec!["?"; NEW_LOG.len()].join(", ");
    let mut insert = tx.prepare(&format!(
        "INSERT INTO new_activity ({names}) VALUES ({places})"
    ))?;
    let sql = "INSERT INTO log_text (seq, part, text, salt) VALUES (?1, ?2, ?3, ?4)";
    let mut insert_text = tx.prepare(sql)?;
    let mut jumps = tx.prepare("SELECT jump_seq FROM new_activity WHERE seq = ?1")?;
    let mut last = None;
    let mut rows = old.query([])?;
    while let Some(found) = rows.next()? {
        let mut row = Row::default();
        for (index, (_, column)) in OLD_LOG.into_iter().enumerate() {
            row.set(column, cell(found, index));
        }
        last = row.cell(Column::Seq).integer();
        let note = cell(found, OLD_LOG.len()).text();
        let id = note.and_then(public_id);
        let kind = row
            .cell(Column::Kind)
            .integer()
            .and_then(EventKind::of_number);
        let is_entry = row.cell(Column::Entry) != Cell::Null;
        let text = note
            .filter(|_| is_entry)
            .map(|note| NewText::new(REASON, note));
        let start;
        match kind {
            _ if is_entry => {
                ledger.add(&mut row, &mut jumps)?;
                start = ledger.extend(&row, text.as_ref());
                row.set(
                    Column::Chain,
                    start.as_ref().map_or(Cell::Null, |start| Cell::Blob(start)),
                );
            }
            Some(EventKind::MemberRemoved) => {
                let member = row.cell(Column::Member).integer();
                let wallet = member.and_then(|member| ledger.wallets.get(&member));
                let forfeited = wallet.and_then(|wallet| wallet.forfeited_at);
                // A balance that was not retained was forfeited at the same time.
                let retained = forfeited != row.cell(Column::At).integer();
                row.set(Column::Flag, Cell::Integer(i64::from(retained)));
            }
            Some(EventKind::OrganizationCreated) => {
                row.set(Column::Name, note.map_or(Cell::Null, Cell::Text));
            }
            _ => row.set(
                Column::Object,
                id.as_ref().map_or(Cell::Null, |id| Cell::Blob(id)),
            ),
        }
        for (index, column) in (1..).zip(NEW_LOG) {
            insert.raw_bind_parameter(index, row.cell(column))?;
        }
        insert.raw_execute()?;
        if let Some(text) = text {
            insert_text.execute((last, text.part, text.text, text.salt()))?;
        }
    }
    drop(rows);
    let Some(last) = last else { return Ok(0) };
    ledger.write_chains(tx)?;
    Ok(tx.execute("DELETE FROM activity WHERE seq <= ?1", [last])?)
}

/// The cell of a row; null of a text that is no UTF-8, which no version wrote.
fn cell<'a>(row: &'a SqlRow<'_>, index: usize) -> Cell<'a> {
    match row.get_ref(index) {
        Ok(ValueRef::Integer(number)) => Cell::Integer(number),
        Ok(ValueRef::Text(text)) => std::str::from_utf8(text).map_or(Cell::Null, Cell::Text),
        Ok(ValueRef::Blob(bytes)) => Cell::Blob(bytes),
        _ => Cell::Null,
    }
}

/// The sixteen bytes of the public id that the note of a message or an offer is.
fn public_id(note: &str) -> Option<[u8; 16]> {
    let message = MessageId::parse(note).map(|id| *id.as_uuid().as_bytes());
    message.or_else(|| OfferId::parse(note).map(|id| *id.as_uuid().as_bytes()))
}

/// Overwrites the pages that version 1 left free with whatever stood in them.
fn fill_free_pages(connection: &Connection) -> Result<(), MigrationError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    let page = number("page_size")?;
    connection.execute_batch("CREATE TABLE IF NOT EXISTS new_filler (x BLOB) STRICT")?;
    loop {
        let free = number("freelist_count")?;
        if free == 0 {
            break;
        }
        // Less than is free, as rows take some of each page for themselves.
        let bytes = (free * page / 2).min(16 << 20).max(page / 4);
        connection.execute("INSERT INTO new_filler VALUES (zeroblob(?1))", [bytes])?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    // It has nothing but zeros, which need not be overwritten once more, all in one transaction.
    connection.execute_batch(
        "PRAGMA secure_delete = OFF; DROP TABLE new_filler; PRAGMA secure_delete = ON",
    )?;
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
            said.contains("up to 5 MB") && said.contains("has 1 MB free"),
            "{said}"
        );
    }
}
