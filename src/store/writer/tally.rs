//! Counts of rows that are limited, so that a write can check a limit without counting rows.
//!
//! A count is computed from the rows when it is first needed, and cached from then on: only the
//! writer changes rows, and every function that adds or deletes such a row updates the count here.
//! If the open write is undone, so are its changes of counts.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::domain::{Environment, MemberNumber, OrganizationNumber, ProgramNumber};
use crate::store::Error;
use crate::store::tables::{attachments, conversations};

/// Counts of a day that are cached. All other counts are as few as their owners, which are
/// in memory anyway.
const DAYS_MAX: usize = 1 << 16;

/// A kind of rows that are counted, and their owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Counted {
    /// The organizations of an environment, canceled ones too.
    Organizations(Environment),
    /// The programs of an organization, archived ones too.
    Programs(OrganizationNumber),
    /// The keys of a program that are not revoked.
    Keys(ProgramNumber),
    /// The offers of a program, archived ones too.
    Offers(ProgramNumber),
    /// The members of a program, removed ones too.
    Members(ProgramNumber),
    /// The bytes of the messages that a member sent on a day (days since 1970, UTC).
    Sent(MemberNumber, i64),
    /// The bytes of the files that a program sent on a day.
    Attached(ProgramNumber, i64),
    /// The bytes of all files.
    AttachedInAll,
}

impl Counted {
    /// Counts the rows in the database.
    fn count(self, connection: &Connection) -> Result<i64, Error> {
        let count = |sql, of: i64| -> Result<i64, Error> {
            let mut statement = connection.prepare_cached(sql)?;
            Ok(statement.query_row([of], |row| row.get(0))?)
        };
        match self {
            Self::Organizations(environment) => {
                let sql = "SELECT count(*) FROM organization WHERE environment = ?1";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.query_row([environment.as_str()], |row| row.get(0))?)
            }
            Self::Programs(of) => count(
                "SELECT count(*) FROM program WHERE organization_id = ?1",
                of.0,
            ),
            Self::Keys(of) => count(
                "SELECT count(*) FROM credential WHERE program_id = ?1 AND revoked_at IS NULL",
                of.0,
            ),
            Self::Offers(of) => count("SELECT count(*) FROM offer WHERE program_id = ?1", of.0),
            Self::Members(of) => count("SELECT count(*) FROM member WHERE program_id = ?1", of.0),
            Self::Sent(member, day) => conversations::bytes_sent(connection, member, day),
            Self::Attached(program, day) => attachments::bytes_of_day(connection, program, day),
            Self::AttachedInAll => attachments::bytes_in_all(connection),
        }
    }

    /// Whether it is of a day, so that there are ever more of them.
    fn is_of_day(self) -> bool {
        matches!(self, Self::Sent(..) | Self::Attached(..))
    }
}

/// The cached counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    counts: HashMap<Counted, i64>,
    /// The number of them that are of a day.
    days: usize,
    /// The changes of the open write.
    open: Vec<(Counted, i64)>,
}

impl Tally {
    /// The count, as the open transaction sees it.
    pub(super) fn get(&mut self, connection: &Connection, what: Counted) -> Result<i64, Error> {
        if let Some(count) = self.counts.get(&what) {
            return Ok(*count);
        }
        let count = what.count(connection)?;
        self.counts.insert(what, count);
        self.days += usize::from(what.is_of_day());
        Ok(count)
    }

    /// Adds a change of the open write to a count.
    pub(super) fn change(&mut self, what: Counted, by: i64) {
        if let Some(count) = self.counts.get_mut(&what) {
            *count += by;
        }
        // Also if the count is not cached yet: once it is, it includes the rows of this write.
        self.open.push((what, by));
    }

    /// Begins a new write: the one before it stands.
    pub(super) fn mark(&mut self) {
        self.open.clear();
        if self.days > DAYS_MAX {
            self.counts.retain(|what, _| !what.is_of_day());
            self.days = 0;
        }
    }

    /// Undoes the open write.
    pub(super) fn undo(&mut self) {
        for (what, by) in self.open.drain(..) {
            if let Some(count) = self.counts.get_mut(&what) {
                *count -= by;
            }
        }
    }

    /// Forgets everything, as its state in the database is not known.
    pub(super) fn clear(&mut self) {
        self.counts.clear();
        self.days = 0;
        self.open.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    const KEYS: Counted = Counted::Keys(ProgramNumber(1));

    fn add_key(connection: &Connection) {
        let sql = "INSERT INTO credential
                (uuid, kind, environment, program_id, name, prefix, hash, created_at)
            VALUES (randomblob(16), 'org', 'live', 1, 'One', '', randomblob(32), 0)";
        connection.execute_batch(sql).unwrap();
    }

    #[test]
    fn a_write_that_is_undone_leaves_the_counts_of_those_before_it() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        let off = "PRAGMA foreign_keys = OFF; BEGIN";
        connection.execute_batch(off).unwrap();
        add_key(connection);
        let mut tally = Tally::default();
        let undone = |tally: &mut Tally, asks: [bool; 3]| {
            connection.execute_batch("SAVEPOINT job").unwrap();
            tally.mark();
            for (place, asks) in asks.into_iter().enumerate() {
                let added = i64::try_from(place).unwrap();
                if asks {
                    assert_eq!(tally.get(connection, KEYS).unwrap(), 1 + added);
                }
                add_key(connection);
                tally.change(KEYS, 1);
            }
            connection.execute_batch("ROLLBACK TO job").unwrap();
            tally.undo();
            assert_eq!(tally.get(connection, KEYS).unwrap(), 1);
        };
        // Read before, between and after the changes; first with nothing cached, then cached.
        for asks in [[true, false, false], [false, false, true], [false; 3]] {
            tally.clear();
            undone(&mut tally, asks);
            undone(&mut tally, asks);
        }
        tally.mark();
        add_key(connection);
        tally.change(KEYS, 1);
        tally.mark();
        tally.undo();
        assert_eq!(tally.get(connection, KEYS).unwrap(), 2);
    }

    #[test]
    fn the_days_of_members_do_not_pile_up() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let mut tally = Tally::default();
        for number in 0..=i64::try_from(DAYS_MAX).unwrap() {
            let day = Counted::Sent(MemberNumber(number), 7);
            assert_eq!(tally.get(database.connection(), day).unwrap(), 0);
        }
        assert_eq!(tally.get(database.connection(), KEYS).unwrap(), 0);
        tally.mark();
        assert_eq!(tally.counts.len(), 1);
    }
}
