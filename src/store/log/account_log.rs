//! The ledger entries of one account, found by their numbers and by their times.

use rusqlite::Connection;

use super::read::{ALL, Stored};
use super::with_texts;
use crate::domain::{
    Account, Actor, Cells, Column, Event, LedgerEntry, Link, LotMoves, MemberNumber, Points,
    ProgramNumber, Seq, Timestamp, Wallet,
};
use crate::store::Error;
use crate::store::tables::columns::{optional, time};

/// A ledger entry with what its row says besides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EntryRow {
    /// Its number in the log.
    pub seq: Seq,
    /// Its time.
    pub at: Timestamp,
    /// Its program.
    pub program: ProgramNumber,
    /// The entry, with its reason.
    pub entry: LedgerEntry,
    /// The cause, which version 0.1.0 did not log.
    pub actor: Option<Actor>,
    /// The entry before it in the account.
    pub previous: Option<Seq>,
    /// The wallet after it.
    pub after: Wallet,
}

impl EntryRow {
    /// What the caller called the purpose of the entry.
    pub fn reference(&self) -> Option<&str> {
        let reference = self.entry.buckets.as_ref()?.reference.as_ref()?;
        Some(reference.as_str())
    }

    /// What it does to the lots of its account, if that has any.
    pub fn lots(&self) -> Option<&LotMoves> {
        self.entry.buckets.as_ref()?.lots.as_ref()
    }

    /// Reads a row of [`ALL`]; its reason is in another table.
    pub(super) fn read(connection: &Connection, row: &Stored<'_>) -> Result<Self, Error> {
        let impossible = || Error::Impossible("ledger entry");
        let activity = row.activity().ok_or_else(impossible)?;
        let (seq, at, program) = (activity.seq, activity.at, activity.program);
        let event = with_texts(connection, activity)?.event;
        let (Event::WalletCredited(entry)
        | Event::WalletDebited(entry)
        | Event::WalletMoved(entry)) = event
        else {
            return Err(impossible());
        };
        let number = |column| row.cell(column).integer();
        let points = |column| Points::new(number(column).unwrap_or(0)).ok_or_else(impossible);
        let actor = number(Column::Actor);
        Ok(Self {
            seq,
            at,
            program: program.ok_or_else(impossible)?,
            entry,
            actor: actor.and_then(|kind| Actor::of_numbers(kind, number(Column::ActorNumber))),
            previous: number(Column::Previous).map(Seq),
            after: Wallet {
                received: points(Column::ReceivedAfter)?,
                spent: points(Column::SpentAfter)?,
                held: points(Column::HeldAfter)?,
                pending: points(Column::DeferredAfter)?,
            },
        })
    }
}

/// A ledger entry of a program.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn entry(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
) -> Result<Option<EntryRow>, Error> {
    let sql = format!(
        "SELECT {} FROM activity WHERE seq = ?1 AND program_id = ?2 AND entry IS NOT NULL",
        ALL.names
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((seq.0, program.0))?;
    rows.next()?
        .map(|row| EntryRow::read(connection, &Stored::new(row, &ALL)))
        .transpose()
}

/// The ledger entries of an account, numbered from 1. An entry is found in a number of steps that
/// grows with the logarithm of the number of entries.
#[derive(Debug)]
pub struct AccountLog<'a> {
    connection: &'a Connection,
    member: MemberNumber,
    last: Option<Seq>,
    count: u64,
}

impl<'a> AccountLog<'a> {
    /// Those of a member's account as the books have it.
    pub fn new(connection: &'a Connection, member: MemberNumber, account: &Account) -> Self {
        Self {
            connection,
            member,
            last: account.last,
            count: account.entries,
        }
    }

    /// The number of entries.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The entry with a number.
    ///
    /// # Errors
    /// [`Error`] if the database fails or there is no such entry.
    pub fn get(&self, number: u64) -> Result<EntryRow, Error> {
        self.row(self.seq_of(number)?)
    }

    /// The number of the newest entry for whose time `is_early` holds, which is so for all entries
    /// before it; 0 if there is none.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn last_where(&self, is_early: impl Fn(Timestamp) -> bool) -> Result<u64, Error> {
        let found = self.newest_where(|link| is_early(link.at))?;
        Ok(found.map_or(0, |link| link.number))
    }

    /// The newest entry whose number in the log is not above another.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn last_up_to(&self, seq: Seq) -> Result<Option<Seq>, Error> {
        let found = self.newest_where(|link| link.seq <= seq)?;
        Ok(found.map(|link| link.seq))
    }

    /// The newest entry that is not later than a time.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn newest_by(&self, time: Timestamp) -> Result<Option<EntryRow>, Error> {
        let found = self.newest_where(|link| link.at <= time)?;
        found.map(|link| self.row(link.seq)).transpose()
    }

    /// Passes the entries from a number back to the first one to `take`, until it returns false.
    ///
    /// # Errors
    /// [`Error`] if the database fails, and those of `take`.
    pub fn back<E: From<Error>>(
        &self,
        from: u64,
        mut take: impl FnMut(u64, EntryRow) -> Result<bool, E>,
    ) -> Result<(), E> {
        let mut number = from.min(self.count);
        let mut next = match number {
            0 => None,
            _ => Some(self.seq_of(number)?),
        };
        while let Some(seq) = next {
            let row = self.row(seq)?;
            next = row.previous;
            if !take(number, row)? {
                return Ok(());
            }
            number -= 1;
        }
        Ok(())
    }

    /// The entries with the numbers `first` to `last`, oldest first.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn range(&self, first: u64, last: u64) -> Result<Vec<EntryRow>, Error> {
        let mut rows = Vec::new();
        self.back(last, |number, row| {
            if number >= first {
                rows.push(row);
            }
            Ok::<_, Error>(number > first)
        })?;
        rows.reverse();
        Ok(rows)
    }

    fn seq_of(&self, number: u64) -> Result<Seq, Error> {
        let found = self.newest_where(|link| link.number <= number)?;
        let found = found.filter(|link| link.number == number);
        let missing = Error::Impossible("number of a ledger entry");
        found.map(|link| link.seq).ok_or(missing)
    }

    fn newest_where(&self, holds: impl Fn(&Link) -> bool) -> Result<Option<Link>, Error> {
        let sql = "SELECT at, previous_seq, jump_seq FROM activity
                   WHERE seq = ?1 AND member_id = ?2 AND entry IS NOT NULL";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut find = |number, seq: Seq| {
            let mut rows = statement.query((seq.0, self.member.0))?;
            let row = rows.next()?;
            let row = row.ok_or(Error::Impossible("chain of ledger entries"))?;
            Ok::<_, Error>(Link {
                number,
                seq,
                at: time(row, 0)?,
                previous: optional(row, 1, Seq)?,
                jump: optional(row, 2, Seq)?,
            })
        };
        match self.last {
            Some(last) => find(self.count, last)?.newest_where(holds, find),
            None => Ok(None),
        }
    }

    fn row(&self, seq: Seq) -> Result<EntryRow, Error> {
        let sql = format!(
            "SELECT {} FROM activity WHERE seq = ?1 AND member_id = ?2 AND entry IS NOT NULL",
            ALL.names
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query((seq.0, self.member.0))?;
        let row = rows.next()?;
        let row = row.ok_or(Error::Impossible("chain of ledger entries"))?;
        EntryRow::read(self.connection, &Stored::new(row, &ALL))
    }
}
