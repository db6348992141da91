//! What redemptions took from accounts and what was returned, from the log.

use rusqlite::Connection;

use super::account_log::{EntryRow, entry};
use super::read::{ALL, OF_EVENTS, Stored};
use super::texts::{self, REASON};
use crate::domain::{
    Entry, Event, EventKind, MemberNumber, ProgramNumber, RedemptionNumber, Seq, Timestamp, Units,
};
use crate::store::Error;

/// The ledger entries of a redemption of an offer, oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_offer(
    connection: &Connection,
    redemption: RedemptionNumber,
) -> Result<Vec<EntryRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE redemption_id = ?1 AND entry IS NOT NULL ORDER BY seq",
        ALL.names
    );
    entries(connection, &sql, redemption.0)
}

/// The ledger entry that paid a redemption of an offer, if it took points of the member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn spend_of_offer(
    connection: &Connection,
    redemption: RedemptionNumber,
) -> Result<Option<EntryRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE redemption_id = ?1 AND entry = 2 ORDER BY seq LIMIT 1",
        ALL.names
    );
    Ok(entries(connection, &sql, redemption.0)?.pop())
}

/// The newest ledger entry of a redemption of an offer.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn newest_of_offer(
    connection: &Connection,
    redemption: RedemptionNumber,
) -> Result<Option<EntryRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE redemption_id = ?1 AND entry IS NOT NULL
         ORDER BY seq DESC LIMIT 1",
        ALL.names
    );
    Ok(entries(connection, &sql, redemption.0)?.pop())
}

/// The ledger entries that a query with one parameter finds.
fn entries(connection: &Connection, sql: &str, parameter: i64) -> Result<Vec<EntryRow>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([parameter])?;
    let mut entries = Vec::new();
    while let Some(row) = rows.next()? {
        entries.push(EntryRow::read(connection, &Stored::new(row, &ALL))?);
    }
    Ok(entries)
}

/// The creation of a redemption of an offer: its row in the log.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn created(connection: &Connection, redemption: RedemptionNumber) -> Result<Seq, Error> {
    let sql = "SELECT min(seq) FROM activity WHERE redemption_id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let seq: Option<i64> = statement.query_row([redemption.0], |row| row.get(0))?;
    seq.map(Seq).ok_or(Error::Impossible("redemption"))
}

/// A spend of an amount, without an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amount {
    /// The entry that took the points.
    pub spend: EntryRow,
    /// Those that returned some of them, oldest first.
    pub reversals: Vec<EntryRow>,
}

impl Amount {
    /// Whether a ledger entry is a spend of an amount.
    pub fn is_spend(row: &EntryRow) -> bool {
        row.entry.entry == Entry::Spend && row.entry.redemption.is_none()
    }

    /// A spend with its reversals.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn of(connection: &Connection, spend: EntryRow) -> Result<Self, Error> {
        let sql = format!(
            "SELECT {} FROM activity WHERE entry = 12 AND cause_seq = ?1 ORDER BY seq",
            ALL.names
        );
        let reversals = entries(connection, &sql, spend.seq.0)?;
        Ok(Self { spend, reversals })
    }
}

/// A spend of an amount by a member, by its number in the log.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn amount(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    seq: Seq,
) -> Result<Option<Amount>, Error> {
    let spend = entry(connection, program, seq)?;
    let spend = spend.filter(|row| row.entry.member == member && Amount::is_spend(row));
    spend.map(|spend| Amount::of(connection, spend)).transpose()
}

/// A return of units of a redemption of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Its row in the log.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The units, and why they were returned; `None` for a cancellation, which returns the rest.
    pub part: Option<(Units, Option<String>)>,
}

/// The returns of units of a redemption of an offer, oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn returned(
    connection: &Connection,
    redemption: RedemptionNumber,
) -> Result<Vec<Returned>, Error> {
    returns(connection, redemption, "")
}

/// The newest return of units of a redemption of an offer.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn newest_returned(
    connection: &Connection,
    redemption: RedemptionNumber,
) -> Result<Option<Returned>, Error> {
    Ok(returns(connection, redemption, "DESC LIMIT 1")?.pop())
}

fn returns(
    connection: &Connection,
    redemption: RedemptionNumber,
    order: &str,
) -> Result<Vec<Returned>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE redemption_id = ?1 AND kind IN (?2, ?3)
         ORDER BY seq {order}",
        OF_EVENTS.names
    );
    let kinds = [EventKind::RedemptionReturned, EventKind::RedemptionCanceled];
    let [returned, canceled] = kinds.map(EventKind::number);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((redemption.0, returned, canceled))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let activity = Stored::new(row, &OF_EVENTS).activity();
        let activity = activity.ok_or(Error::Impossible("activity"))?;
        let part = match activity.event {
            Event::RedemptionReturned(part) => {
                let reason = texts::find(connection, activity.seq, REASON)?;
                Some((part.units, reason))
            }
            _ => None,
        };
        found.push(Returned {
            seq: activity.seq,
            at: activity.at,
            part,
        });
    }
    Ok(found)
}
