//! The journal of a program, newest first, and its hashes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;

use super::account_log::{AccountLog, EntryRow};
use super::chain::Hash;
use super::chain_head::hashes;
use super::read::{ALL, IN_JOURNAL, Stored};
use super::with_texts;
use crate::domain::{
    Account, Activity, Actor, AssetNumber, Cell, Cells as _, Column, MemberNumber, ProgramNumber,
    Seq, Timestamp,
};
use crate::store::Error;

/// The most rows of the log that are read for a page.
pub const READ_MAX: i64 = 10_000;

/// An entry of a program's journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalRow {
    /// A ledger entry of a member.
    Entry(EntryRow),
    /// A change of the program's wallet.
    Funding(FundingRow),
}

/// A change of a program's wallet, with what its row says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FundingRow {
    /// The event, with its description.
    pub activity: Activity,
    /// The cause.
    pub actor: Option<Actor>,
}

impl JournalRow {
    /// Its number in the log.
    pub fn seq(&self) -> Seq {
        match self {
            Self::Entry(row) => row.seq,
            Self::Funding(row) => row.activity.seq,
        }
    }

    /// Its time.
    pub fn at(&self) -> Timestamp {
        match self {
            Self::Entry(row) => row.at,
            Self::Funding(row) => row.activity.at,
        }
    }

    /// The cause, which version 0.1.0 did not log.
    pub fn actor(&self) -> Option<Actor> {
        match self {
            Self::Entry(row) => row.actor,
            Self::Funding(row) => row.actor,
        }
    }

    /// The asset; `None`: the program's points.
    pub fn asset(&self) -> Option<AssetNumber> {
        match self {
            Self::Entry(row) => row.entry.asset,
            Self::Funding(row) => row.activity.event.funding()?.0.asset,
        }
    }

    /// Reads a row of [`ALL`]; its texts are in another table.
    fn read(connection: &Connection, row: &Stored<'_>) -> Result<Self, Error> {
        if row.cell(Column::Entry) != Cell::Null {
            return EntryRow::read(connection, row).map(Self::Entry);
        }
        let activity = row.activity().ok_or(Error::Impossible("journal entry"))?;
        let number = |column| row.cell(column).integer();
        let actor = number(Column::Actor);
        Ok(Self::Funding(FundingRow {
            activity: with_texts(connection, activity)?,
            actor: actor.and_then(|kind| Actor::of_numbers(kind, number(Column::ActorNumber))),
        }))
    }
}

/// An entry of the journal of a program.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
) -> Result<Option<JournalRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE seq = ?1 AND program_id = ?2 AND {}",
        ALL.names, *IN_JOURNAL
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((seq.0, program.0))?;
    rows.next()?
        .map(|row| JournalRow::read(connection, &Stored::new(row, &ALL)))
        .transpose()
}

/// Entries that were found, or what was made of them, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found<T = JournalRow> {
    /// The entries.
    pub rows: Vec<T>,
    /// Where to continue, if there may be others.
    pub next: Option<Seq>,
}

impl<T> Default for Found<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            next: None,
        }
    }
}

/// Where a walk back through the log begins and ends. It reads at most [`READ_MAX`] rows.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// The newest row of the log.
    pub start: Seq,
    /// The time of the oldest row; `None`: any.
    pub from: Option<Timestamp>,
    /// The most rows that are found.
    pub limit: usize,
}

/// The journal of a program from a row of the log back that `keeps` admits.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_program(
    connection: &Connection,
    program: ProgramNumber,
    bounds: Bounds,
    keeps: impl Fn(&JournalRow) -> bool,
) -> Result<Found, Error> {
    let Bounds { start, from, limit } = bounds;
    let sql = format!(
        "SELECT {} FROM activity
         WHERE seq BETWEEN ?1 AND ?2 AND program_id = ?3 AND {} ORDER BY seq DESC",
        ALL.names, *IN_JOURNAL
    );
    let first = (start.0 - READ_MAX + 1).max(1);
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((first, start.0, program.0))?;
    let mut found = Found::default();
    while let Some(row) = rows.next()? {
        let row = JournalRow::read(connection, &Stored::new(row, &ALL))?;
        // The times of a program never decrease.
        if from.is_some_and(|from| row.at() < from) {
            return Ok(found);
        }
        if !keeps(&row) {
            continue;
        }
        if found.rows.len() == limit {
            found.next = Some(row.seq());
            return Ok(found);
        }
        found.rows.push(row);
    }
    found.next = (first > 1).then(|| Seq(first - 1));
    Ok(found)
}

/// The ledger entries of some accounts of a member, from one of them back, that `keeps` admits.
/// `None` if no account has the entry `start`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn of_accounts(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    accounts: &[Account],
    bounds: Bounds,
    keeps: impl Fn(&JournalRow) -> bool,
) -> Result<Option<Found>, Error> {
    let heads = heads(connection, member, accounts, bounds.start)?;
    if heads.last() != Some(&bounds.start) {
        return Ok(None);
    }
    let kept = |row| {
        let row = JournalRow::Entry(row);
        Ok(keeps(&row).then_some(row))
    };
    walk(connection, (program, member), (heads, bounds), kept).map(Some)
}

/// What `kept` makes of the ledger entries of some accounts of a member, from a row of the log
/// back; it leaves out the others.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn kept_of_accounts<T>(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    accounts: &[Account],
    bounds: Bounds,
    kept: impl Fn(EntryRow) -> Result<Option<T>, Error>,
) -> Result<Found<T>, Error> {
    let heads = heads(connection, member, accounts, bounds.start)?;
    walk(connection, (program, member), (heads, bounds), kept)
}

/// The newest entry of each account that is not above `start`.
fn heads(
    connection: &Connection,
    member: MemberNumber,
    accounts: &[Account],
    start: Seq,
) -> Result<BTreeSet<Seq>, Error> {
    let mut heads = BTreeSet::new();
    for account in accounts {
        let log = AccountLog::new(connection, member, account);
        heads.extend(log.last_up_to(start)?);
    }
    Ok(heads)
}

/// Follows the chains of the accounts of a member from their `heads` back, always at the newest
/// entry that is left.
fn walk<T>(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    (mut heads, bounds): (BTreeSet<Seq>, Bounds),
    kept: impl Fn(EntryRow) -> Result<Option<T>, Error>,
) -> Result<Found<T>, Error> {
    let mut found = Found::default();
    let mut read = 0;
    while let Some(seq) = heads.pop_last() {
        if read == READ_MAX {
            found.next = Some(seq);
            break;
        }
        let row = super::account_log::entry(connection, program, seq)?;
        let row = row.filter(|row| row.entry.member == member);
        let row = row.ok_or(Error::Impossible("chain of ledger entries"))?;
        if bounds.from.is_some_and(|from| row.at < from) {
            break;
        }
        read += 1;
        heads.extend(row.previous);
        let Some(row) = kept(row)? else {
            continue;
        };
        if found.rows.len() == bounds.limit {
            found.next = Some(seq);
            break;
        }
        found.rows.push(row);
    }
    Ok(found)
}

/// The hashes of ledger entries of a program. Those of one commit are computed together.
#[derive(Debug)]
pub struct Hashes<'a> {
    connection: &'a Connection,
    program: ProgramNumber,
    known: BTreeMap<Seq, Hash>,
}

impl<'a> Hashes<'a> {
    /// Those of a program, none of which is known yet.
    pub fn new(connection: &'a Connection, program: ProgramNumber) -> Self {
        Self {
            connection,
            program,
            known: BTreeMap::new(),
        }
    }

    /// The hash of an entry.
    ///
    /// # Errors
    /// [`Error`] if the database fails or the chain begins nowhere.
    pub fn of(&mut self, seq: Seq) -> Result<Hash, Error> {
        if let Some(hash) = self.known.get(&seq) {
            return Ok(*hash);
        }
        let sql = "SELECT seq FROM activity
                   WHERE seq <= ?1 AND program_id = ?2 AND chain IS NOT NULL
                   ORDER BY seq DESC LIMIT 1";
        let missing = || Error::Impossible("chain of ledger entries");
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query((seq.0, self.program.0))?;
        let start: i64 = rows.next()?.ok_or_else(missing)?.get(0)?;
        self.known.clear();
        hashes(
            self.connection,
            self.program,
            (Seq(start), seq),
            |at, hash| {
                self.known.insert(at, hash);
            },
        )?;
        self.known.get(&seq).copied().ok_or_else(missing)
    }
}
