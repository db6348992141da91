//! The meaning of ledger entries in SQL: the one list of their kinds beside
//! [`LedgerEntry::change`], with which the books are folded. The view `wallet` repeats it.
//!
//! [`LedgerEntry::change`]: crate::domain::LedgerEntry::change

use rusqlite::Connection;

use crate::domain::{AssetNumber, Entry};
use crate::store::Error;
use crate::store::tables::query;

/// The points that an entry added to those that its account received.
pub(in crate::store) const RECEIVED: &str =
    "CASE WHEN entry IN (1, 3, 12) THEN amount - coalesce(deferred, 0)
        WHEN entry = 7 THEN -coalesce(deferred, 0) ELSE 0 END";

/// The points that an entry added to those that its account spent.
pub(in crate::store) const SPENT: &str =
    "CASE WHEN entry IN (2, 4, 5, 6, 10) THEN amount + coalesce(deferred, 0) ELSE 0 END";

/// The change of the account's balance by an entry.
pub(in crate::store) fn balance() -> String {
    format!("({RECEIVED}) - ({SPENT}) - coalesce(held, 0)")
}

/// The sums of the amounts of a further asset's ledger entries that change what there is of it, by
/// their kind: of all, of those before a time, and of those from it until another, exclusive.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn sums_of_asset(
    connection: &Connection,
    asset: AssetNumber,
    (from, to): (i64, i64),
) -> Result<Vec<(Entry, [i64; 3])>, Error> {
    // Holds can be of more than there is, as often as somebody likes.
    let sql = "SELECT entry, sum(amount),
            coalesce(sum(amount) FILTER (WHERE at < ?2), 0),
            coalesce(sum(amount) FILTER (WHERE at >= ?2 AND at < ?3), 0)
        FROM activity WHERE asset = ?1 AND entry NOT IN (7, 8, 9, 11) GROUP BY entry";
    query::all(connection, sql, [asset.0, from, to], |row| {
        let entry = Entry::of_number(row.get(0)?).ok_or(Error::Impossible("ledger entry"))?;
        Ok((entry, [row.get(1)?, row.get(2)?, row.get(3)?]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Cell, Cells as _, Column, Event, EventKind, Row};
    use crate::store::Database;

    /// Every kind of entry with every change of the buckets that it may have.
    fn rows() -> Vec<Row<'static>> {
        const AMOUNT: i64 = 10;
        let changes = [-AMOUNT, -4, 0, AMOUNT];
        let mut rows = Vec::new();
        for entry in Entry::ALL {
            for (held, deferred) in changes.iter().flat_map(|h| changes.map(|d| (*h, d))) {
                for date in [None, Some(2)] {
                    let mut row = Row::default();
                    row.set_number(Column::Member, Some(1));
                    row.set_number(Column::Entry, Some(entry.number()));
                    row.set_number(Column::Amount, Some(AMOUNT));
                    row.set_number(Column::Flag, Some(0));
                    row.set_number(Column::Held, Some(held).filter(|held| *held != 0));
                    row.set_number(Column::Deferred, Some(deferred).filter(|it| *it != 0));
                    row.set_number(Column::MaturesAt, date);
                    row.set(Column::Lots, Cell::Blob(&[]));
                    rows.push(row);
                }
            }
        }
        rows
    }

    /// The event of a row, whichever kind it fits.
    fn event(row: &Row<'_>) -> Option<Event> {
        let kinds = [
            EventKind::WalletCredited,
            EventKind::WalletDebited,
            EventKind::WalletMoved,
        ];
        let events = kinds.iter().filter_map(|kind| Event::read(*kind, row));
        let events: Vec<Event> = events.collect();
        assert!(events.len() <= 1, "{events:?}");
        events.into_iter().next()
    }

    fn insert(connection: &Connection, event: &Event) {
        let mut row = Row::default();
        event.write(&mut row);
        let columns = [
            Column::Entry,
            Column::Amount,
            Column::Held,
            Column::Deferred,
        ];
        let [entry, amount, held, deferred] = columns.map(|column| row.cell(column).integer());
        let sql =
            "INSERT INTO activity (at, program_id, kind, member_id, entry, amount, held, deferred)
            VALUES (1, 1, ?1, 1, ?2, ?3, ?4, ?5)";
        let values = (event.kind().number(), entry, amount, held, deferred);
        connection.execute(sql, values).unwrap();
    }

    #[test]
    fn sql_and_the_fold_understand_every_kind_of_entry_alike() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection: &Connection = database.connection();
        let member = "PRAGMA foreign_keys = OFF;
            INSERT INTO member (id, program_id, external_user_id, tier, created_at)
            VALUES (1, 1, 'ada', 'gold', 1)";
        connection.execute_batch(member).unwrap();
        let (mut sums, mut read) = ([0; 5], Vec::new());
        for row in rows() {
            let Some(event) = event(&row) else { continue };
            let entry = event.ledger_entry().unwrap();
            read.push(entry.entry);
            let it = entry.change();
            let changes = [it.balance(), it.received, it.spent, it.held, it.pending];
            for (sum, change) in sums.iter_mut().zip(changes) {
                *sum += change;
            }
            insert(connection, &event);
        }
        read.dedup();
        assert_eq!(read, Entry::ALL, "each kind is read");
        let sql = format!(
            "SELECT sum({}), sum({RECEIVED}), sum({SPENT}), sum(held), sum(deferred) FROM activity
             WHERE entry IS NOT NULL",
            balance()
        );
        let view = "SELECT balance, amount_received, amount_spent, held, pending FROM wallet";
        for sql in [&sql, view] {
            let row = connection.query_row(sql, [], |row| {
                Ok([0, 1, 2, 3, 4].map(|column| row.get_unwrap::<_, i64>(column)))
            });
            assert_eq!(row.unwrap(), sums, "{sql}");
        }
    }
}
