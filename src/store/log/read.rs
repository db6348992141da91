//! From a row to an event.

use std::sync::LazyLock;

use rusqlite::Row;

use crate::domain::{
    Activity, Audience, Cell, Cells, Column, Counting, Event, EventKind, ProgramNumber, Seq,
    Timestamp,
};
use crate::store::tables::cells::cell;

/// Columns that a query reads, and where in its rows each stands.
#[derive(Debug)]
pub(in crate::store) struct Selection {
    /// Their names, for SQL.
    pub(in crate::store) names: String,
    places: [Option<usize>; Column::ALL.len()],
}

impl Selection {
    fn new(is_read: impl Fn(Column) -> bool) -> Self {
        let columns: Vec<Column> = Column::ALL.into_iter().filter(|c| is_read(*c)).collect();
        let names: Vec<&str> = columns.iter().map(|column| column.name()).collect();
        let place = |column| columns.iter().position(|read| *read == column);
        Self {
            names: names.join(", "),
            places: Column::ALL.map(place),
        }
    }
}

/// What an event is made of, and no other column: to read one costs as much as to count it.
pub(super) static OF_EVENTS: LazyLock<Selection> = LazyLock::new(|| {
    let own = [Column::Seq, Column::At, Column::Program, Column::Kind];
    let kinds = EventKind::ALL;
    Selection::new(|column| {
        own.contains(&column) || kinds.iter().any(|kind| kind.columns().contains(&column))
    })
});

/// Every column.
pub(in crate::store) static ALL: LazyLock<Selection> = LazyLock::new(|| Selection::new(|_| true));

/// The cells of a row of a [`Selection`]. A cell that was not selected is read as null, and what no
/// version writes as bytes that mean nothing, so that it is not taken for null.
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
        let Some(place) = self.selection.places[column as usize] else {
            return Cell::Null;
        };
        let value = self.row.get_ref(place).ok();
        value.and_then(cell).unwrap_or(Cell::Blob(&[]))
    }
}

impl Stored<'_> {
    /// What happened, without the words of people; `None` if the cells contradict each other.
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

/// The condition that a row is an event of the catalogue.
pub(super) static IN_CATALOGUE: LazyLock<String> =
    LazyLock::new(|| kinds(|kind| kind.audience() == Audience::Catalogue));

/// The condition that a row is an event that reports count.
pub(in crate::store) static COUNTED: LazyLock<String> =
    LazyLock::new(|| kinds(|kind| kind.counting() == Counting::Counted));

/// The condition that a row is of some kinds, as ranges of their numbers.
fn kinds(are: impl Fn(EventKind) -> bool) -> String {
    let mut ranges: Vec<(i64, i64)> = Vec::new();
    for number in EventKind::ALL
        .into_iter()
        .filter(|kind| are(*kind))
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
