//! Writes events as rows.

use std::sync::LazyLock;

use rusqlite::Connection;

use super::chain;
use super::chain_head::chain_head;
use super::texts;
use crate::books::{self, Draft};
use crate::domain::{Activity, Actor, Cell, Cells as _, Column, EventKind, Position, Row};
use crate::store::Error;
use crate::store::writer::{Prepared, run};

/// The columns of every row.
pub(super) const COMMON: [Column; 6] = [
    Column::Seq,
    Column::At,
    Column::Program,
    Column::Kind,
    Column::Actor,
    Column::ActorNumber,
];

/// The columns of a ledger entry that are not part of the event.
pub(super) const OF_ENTRIES: [Column; 5] = [
    Column::Previous,
    Column::Jump,
    Column::ReceivedAfter,
    Column::SpentAfter,
    Column::Chain,
];

/// A statement that appends a row of one kind, and the columns of its parameters.
struct Insert {
    sql: String,
    columns: Vec<Column>,
}

/// One statement for each kind, in the order of [`EventKind::ALL`], with only the columns of the
/// kind.
static INSERTS: LazyLock<Vec<Insert>> = LazyLock::new(|| {
    let insert = |kind: EventKind| {
        let mut columns = COMMON.to_vec();
        columns.extend(kind.columns());
        if kind.columns().contains(&Column::Entry) {
            columns.extend(OF_ENTRIES);
        }
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let sql = format!(
            "INSERT INTO activity ({}) VALUES ({})",
            names.join(", "),
            vec!["?"; names.len()].join(", ")
        );
        Insert { sql, columns }
    };
    EventKind::ALL.map(insert).into()
});

/// Appends one row, caused by an actor, and applies it to the draft of the books. Only a ledger
/// entry has a `position` in its account.
pub(in crate::store) fn insert(
    (connection, statements): (&Connection, &dyn Prepared),
    draft: &mut Draft,
    activity: &Activity,
    actor: Actor,
    position: Option<Position>,
) -> Result<(), Error> {
    let kind = activity.event.kind();
    if activity.event.ledger_entry().is_some() != position.is_some() {
        return Err(Error::Impossible("position of a ledger entry"));
    }
    let mut row = Row::default();
    row.set(Column::Seq, Cell::Integer(activity.seq.0));
    row.set(Column::At, Cell::Integer(activity.at.as_millis()));
    row.set_number(Column::Program, activity.program.map(|program| program.0));
    row.set(Column::Kind, Cell::Integer(kind.number()));
    let (actor, number) = actor.numbers();
    row.set(Column::Actor, Cell::Integer(actor));
    row.set_number(Column::ActorNumber, number);
    activity.event.write(&mut row);
    let text = texts::of_event(&activity.event);
    let (mut hash, mut starts_chain) = (None, false);
    let before;
    if let (Some(position), Some(program)) = (position, activity.program) {
        row.set_number(Column::Previous, position.previous.map(|seq| seq.0));
        row.set_number(Column::Jump, position.jump.map(|seq| seq.0));
        row.set(
            Column::ReceivedAfter,
            Cell::Integer(position.received.get()),
        );
        row.set(Column::SpentAfter, Cell::Integer(position.spent.get()));
        let commitments = text.as_ref().map(|text| (text.part, text.commitment()));
        let record = draft.program(program);
        before = match record.head {
            Some(head) => head,
            None => chain_head(connection, program, record)?,
        };
        hash = Some(chain::next(&before, &row, commitments.as_slice()));
        // The first entry of a program in a batch stores the hash that it follows.
        starts_chain = draft.starts_chain(program);
        if starts_chain {
            row.set(Column::Chain, Cell::Blob(&before));
        }
    }
    draft.apply(&books::Row {
        activity,
        jump: position.and_then(|position| position.jump),
        starts_chain,
        hash,
        is_given: false,
    })?;
    let insert = &INSERTS[kind as usize];
    run(statements, &insert.sql, |statement| {
        for (index, column) in (1..).zip(&insert.columns) {
            statement.raw_bind_parameter(index, row.cell(*column))?;
        }
        statement.raw_execute()
    })?;
    if let Some(text) = &text {
        texts::insert(statements, activity.seq, text)?;
    }
    Ok(())
}
