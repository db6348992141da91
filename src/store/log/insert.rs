//! Writes events as rows.

use std::sync::LazyLock;

use rusqlite::Connection;

use super::chain::{self, Hash};
use super::chain_head::chain_head;
use super::texts::{self, NewText, Salt};
use crate::books::{self, Draft};
use crate::domain::{Activity, Actor, Cell, Cells as _, Column, EventKind, Points, Position, Row};
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
const OF_ENTRIES: [Column; 7] = [
    Column::Previous,
    Column::Jump,
    Column::ReceivedAfter,
    Column::SpentAfter,
    Column::HeldAfter,
    Column::DeferredAfter,
    Column::Chain,
];

/// The columns that few ledger entries have.
const SELDOM: [Column; 14] = [
    Column::ExpiresAt,
    Column::Cause,
    Column::MaturesAt,
    Column::DueAt,
    Column::Asset,
    Column::Available,
    Column::Held,
    Column::Deferred,
    Column::HeldAfter,
    Column::DeferredAfter,
    Column::Lots,
    Column::Name,
    Column::To,
    Column::RuleVersion,
];

/// The columns of an entry of the journal that are not part of the event.
pub(super) fn of_journal(kind: EventKind) -> &'static [Column] {
    if kind.columns().contains(&Column::Entry) {
        &OF_ENTRIES
    } else if kind.is_journaled() {
        &[Column::Chain]
    } else {
        &[]
    }
}

/// A statement that appends a row of one kind, and the columns of its parameters.
struct Insert {
    sql: String,
    columns: Vec<Column>,
}

/// Two statements for each kind, in the order of [`EventKind::ALL`], with only the columns of the
/// kind: the first leaves out those that few ledger entries have.
static INSERTS: LazyLock<Vec<[Insert; 2]>> = LazyLock::new(|| {
    let insert = |kind: EventKind, has_seldom: bool| {
        let is_entry = kind.columns().contains(&Column::Entry);
        let of_entry = of_journal(kind);
        let own = kind.columns().iter().chain(of_entry).copied();
        let mut columns = COMMON.to_vec();
        columns.extend(own.filter(|column| has_seldom || !is_entry || !SELDOM.contains(column)));
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let sql = format!(
            "INSERT INTO activity ({}) VALUES ({})",
            names.join(", "),
            vec!["?"; names.len()].join(", ")
        );
        Insert { sql, columns }
    };
    let both = |kind| [false, true].map(|has_seldom| insert(kind, has_seldom));
    EventKind::ALL.map(both).into()
});

/// What a row has besides its activity.
#[derive(Debug, Clone, Copy)]
pub(in crate::store) struct NewRow {
    actor: Actor,
    /// The position of a ledger entry in its account.
    position: Option<Position>,
    /// The hash of the entry before it, if the row stores it.
    start: Option<Hash>,
    /// The salt of its texts.
    salt: Option<Salt>,
}

/// Prepares the row of an activity, caused by an actor, and applies it to the draft of the books.
/// Only a ledger entry has a `position` in its account.
pub(in crate::store) fn prepare(
    connection: &Connection,
    draft: &mut Draft,
    activity: &Activity,
    actor: Actor,
    position: Option<Position>,
) -> Result<NewRow, Error> {
    if activity.event.ledger_entry().is_some() != position.is_some() {
        return Err(Error::Impossible("position of a ledger entry"));
    }
    let mut new = NewRow {
        actor,
        position,
        start: None,
        salt: texts::salt_of(&activity.event),
    };
    let mut hash = None;
    if let Some(program) = activity
        .program
        .filter(|_| activity.event.kind().is_journaled())
    {
        let texts = new.texts(activity);
        let commitments: Vec<_> = texts.map(|text| (text.part, text.commitment())).collect();
        let record = draft.program(program);
        let before = match record.head {
            Some(head) => head,
            None => chain_head(connection, program, record)?,
        };
        let row = new.row(activity);
        hash = Some(chain::next(&before, &row, &commitments));
        // The first entry of a program in a batch stores the hash that it follows.
        new.start = draft.starts_chain(program).then_some(before);
    }
    draft.apply(&books::Row {
        activity,
        jump: position.and_then(|position| position.jump),
        starts_chain: new.start.is_some(),
        hash,
        is_given: false,
    })?;
    Ok(new)
}

impl NewRow {
    /// The cells of the row, without those that a commit adds.
    fn row<'a>(&self, activity: &'a Activity) -> Row<'a> {
        let mut row = Row::default();
        row.set(Column::Seq, Cell::Integer(activity.seq.0));
        row.set(Column::At, Cell::Integer(activity.at.as_millis()));
        row.set_number(Column::Program, activity.program.map(|program| program.0));
        let kind = activity.event.kind();
        row.set(Column::Kind, Cell::Integer(kind.number()));
        let (actor, number) = self.actor.numbers();
        row.set(Column::Actor, Cell::Integer(actor));
        row.set_number(Column::ActorNumber, number);
        activity.event.write(&mut row);
        if let Some(position) = self.position {
            row.set_number(Column::Previous, position.previous.map(|seq| seq.0));
            row.set_number(Column::Jump, position.jump.map(|seq| seq.0));
            row.set(
                Column::ReceivedAfter,
                Cell::Integer(position.received.get()),
            );
            row.set(Column::SpentAfter, Cell::Integer(position.spent.get()));
            let unless_zero = |points: Points| Some(points.get()).filter(|points| *points > 0);
            row.set_number(Column::HeldAfter, unless_zero(position.held));
            row.set_number(Column::DeferredAfter, unless_zero(position.deferred));
        }
        row
    }

    /// Whether a ledger entry has a column that few have.
    fn has_seldom(&self, activity: &Activity) -> bool {
        let entry = activity.event.ledger_entry();
        entry.is_some_and(|entry| entry.buckets.is_some() || entry.asset.is_some())
            || self
                .position
                .is_some_and(|position| !position.held.is_zero() || !position.deferred.is_zero())
    }

    /// The texts of the row.
    fn texts<'a>(&self, activity: &'a Activity) -> impl Iterator<Item = NewText<'a>> {
        let salt = self.salt.into_iter();
        salt.flat_map(|salt| texts::salted(&activity.event, salt))
    }

    /// Inserts the row, and its texts.
    pub(in crate::store) fn insert(
        &self,
        statements: &dyn Prepared,
        activity: &Activity,
    ) -> Result<(), Error> {
        let mut row = self.row(activity);
        if let Some(start) = &self.start {
            row.set(Column::Chain, Cell::Blob(start));
        }
        let insert =
            &INSERTS[activity.event.kind() as usize][usize::from(self.has_seldom(activity))];
        run(statements, &insert.sql, |statement| {
            for (index, column) in (1..).zip(&insert.columns) {
                statement.raw_bind_parameter(index, row.cell(*column))?;
            }
            statement.raw_execute()
        })?;
        let mut texts = self.texts(activity);
        texts.try_for_each(|text| texts::insert(statements, activity.seq, &text))
    }
}
