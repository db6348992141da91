//! Moves the rows of the log from the columns of version 1 to those of version 2.

use rusqlite::{Connection, Row as SqlRow};

use super::ledger::Ledger;
use super::plan::STEP_ROWS;
use crate::domain::{Cell, Cells as _, Column, EventKind, MessageId, OfferId, Row};
use crate::store::file::open_error::MigrationError;
use crate::store::log::{NewText, REASON};
use crate::store::tables::cells::cell;

/// The columns of the log of version 1, each with its new column; `note` comes after them.
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
const NEW_LOG: [Column; 20] = [
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
];

/// Moves the next rows of the log.
pub(super) fn move_rows(tx: &Connection, ledger: &mut Ledger) -> Result<usize, MigrationError> {
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
        let mut row = old_row(found);
        last = row.cell(Column::Seq).integer();
        let note = old_cell(found, OLD_LOG.len()).text();
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
                let retained = is_retained(&row, ledger);
                row.set(Column::Flag, Cell::Integer(i64::from(retained)));
                note_removal(tx, row.cell(Column::Member).integer(), Some(retained))?;
            }
            Some(EventKind::MemberRestored) => {
                note_removal(tx, row.cell(Column::Member).integer(), None)?;
            }
            Some(EventKind::OrganizationCreated) => {
                row.set(Column::Name, note.map_or(Cell::Null, Cell::Text));
            }
            _ => row.set(
                Column::Object,
                id.as_ref().map_or(Cell::Null, |id| Cell::Blob(id)),
            ),
        }
        ledger.note_change(kind, &row);
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

/// Whether the balance was retained when a member was removed.
fn is_retained(row: &Row<'_>, ledger: &Ledger) -> bool {
    let member = row.cell(Column::Member).integer();
    let forfeited = member.and_then(|member| ledger.forfeited_at(member));
    // A balance that was not retained was forfeited at the same time.
    forfeited != row.cell(Column::At).integer()
}

/// Notes how a member was removed, or deletes the note if the member was restored.
fn note_removal(
    tx: &Connection,
    member: Option<i64>,
    retained: Option<bool>,
) -> Result<(), rusqlite::Error> {
    if let Some(retained) = retained {
        let sql = "INSERT OR REPLACE INTO removal (member_id, retained) VALUES (?1, ?2)";
        tx.prepare_cached(sql)?.execute((member, retained))?;
    } else {
        let sql = "DELETE FROM removal WHERE member_id = ?1";
        tx.prepare_cached(sql)?.execute([member])?;
    }
    Ok(())
}

/// The columns of an old row, except `note`.
fn old_row<'a>(found: &'a SqlRow<'_>) -> Row<'a> {
    let mut row = Row::default();
    for (index, (_, column)) in OLD_LOG.into_iter().enumerate() {
        row.set(column, old_cell(found, index));
    }
    row
}

/// A cell of an old row; null if no version wrote its value.
fn old_cell<'a>(row: &'a SqlRow<'_>, index: usize) -> Cell<'a> {
    row.get_ref(index).ok().and_then(cell).unwrap_or_default()
}

/// The sixteen bytes of the public id in the note of a message or an offer.
fn public_id(note: &str) -> Option<[u8; 16]> {
    let message = MessageId::parse(note).map(|id| *id.as_uuid().as_bytes());
    message.or_else(|| OfferId::parse(note).map(|id| *id.as_uuid().as_bytes()))
}
