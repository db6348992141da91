//! Reads rows as events.
//!
//! A start reads the whole log, so columns are read by position; a [`Selection`] knows the position
//! of each.

use std::sync::LazyLock;

use rusqlite::Row;

use crate::domain::{
    Activity, Audience, Cell, Cells, Column, Counting, Entry, Event, EventKind, ProgramNumber, Seq,
    Timestamp,
};
use crate::store::tables::cells::cell;

/// The columns that a query selects, and their positions in its rows.
#[derive(Debug)]
pub(in crate::store) struct Selection {
    /// Their names, for SQL.
    pub(in crate::store) names: String,
    positions: [Option<usize>; Column::ALL.len()],
}

impl Selection {
    fn new(is_read: impl Fn(Column) -> bool) -> Self {
        let columns: Vec<Column> = Column::ALL.into_iter().filter(|c| is_read(*c)).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let position = |column| columns.iter().position(|read| *read == column);
        Self {
            names: names.join(", "),
            positions: Column::ALL.map(position),
        }
    }
}

/// The columns of events, and no others: reading a column costs as much as counting an event.
pub(super) static OF_EVENTS: LazyLock<Selection> = LazyLock::new(|| {
    let own = [Column::Seq, Column::At, Column::Program, Column::Kind];
    let kinds = EventKind::ALL;
    Selection::new(|column| {
        own.contains(&column) || kinds.iter().any(|kind| kind.columns().contains(&column))
    })
});

/// Every column.
pub(in crate::store) static ALL: LazyLock<Selection> = LazyLock::new(|| Selection::new(|_| true));

/// The cells of a row of a [`Selection`]. A cell that was not selected is read as null. A value
/// that no version writes is read as an empty blob, which has no meaning, so that it differs from
/// null.
pub(in crate::store) struct Stored<'a> {
    row: &'a Row<'a>,
    selection: &'a Selection,
}

impl<'a> Stored<'a> {
    pub(in crate::store) fn new(row: &'a Row<'a>, selection: &'a Selection) -> Self {
        Self { row, selection }
    }
}

impl Cells for Stored<'_> {
    fn cell(&self, column: Column) -> Cell<'_> {
        let Some(position) = self.selection.positions[column as usize] else {
            return Cell::Null;
        };
        let value = self.row.get_ref(position).ok();
        value.and_then(cell).unwrap_or(Cell::Blob(&[]))
    }
}

impl Stored<'_> {
    /// The activity, without its texts; `None` if the cells contradict each other.
    pub(super) fn activity(&self) -> Option<Activity> {
        let kind = EventKind::of_number(self.cell(Column::Kind).integer()?)?;
        Some(Activity {
            seq: Seq(self.cell(Column::Seq).integer()?),
            at: Timestamp::from_millis(self.cell(Column::At).integer()?)?,
            program: self.cell(Column::Program).integer().map(ProgramNumber),
            event: Event::read(kind, self)?,
        })
    }
}

/// The SQL condition that a row is an event of the catalogue.
pub(super) static IN_CATALOGUE: LazyLock<String> =
    LazyLock::new(|| kinds(|kind| kind.audience() == Audience::Catalogue));

/// The SQL condition that a row is an entry of the program's journal.
pub(super) static IN_JOURNAL: LazyLock<String> = LazyLock::new(|| {
    let others = kinds(|kind| kind.is_journaled() && !kind.columns().contains(&Column::Entry));
    format!("(entry IS NOT NULL OR {others})")
});

/// The SQL condition that a row is an event that reports count.
pub(in crate::store) static COUNTED: LazyLock<String> = LazyLock::new(|| {
    let kinds = kinds(|kind| kind.counting() == Counting::Counted);
    let entries = Entry::ALL.into_iter().filter(|entry| !entry.is_counted());
    let entries: Vec<String> = entries.map(|entry| entry.number().to_string()).collect();
    // A reversal names the entry that it reverses, and other ledger entries a cause and its rule.
    let signup = EventKind::MemberCreated.number();
    format!(
        "({kinds} AND coalesce(entry, 0) NOT IN ({}) AND (entry IS NULL OR rule_version IS NULL)
          AND (kind <> {signup} OR cause_seq IS NULL))",
        entries.join(", ")
    )
});

/// The SQL condition that a row is of the given kinds, as ranges of their numbers.
pub(super) fn kinds(is_included: impl Fn(EventKind) -> bool) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in EventKind::ALL
        .into_iter()
        .filter(|kind| is_included(*kind))
        .map(EventKind::number)
    {
        match ranges.last_mut() {
            Some((_, last)) if *last + 1 == number => *last = number,
            _ => ranges.push((number, number)),
        }
    }
    let ranges: Vec<String> = ranges
        .into_iter()
        .map(|(first, last)| format!("kind BETWEEN {first} AND {last}"))
        .collect();
    format!("({})", ranges.join(" OR "))
}
