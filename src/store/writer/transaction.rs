//! The open transaction that a write works in.

use std::ops::Deref;
use std::time::Duration;

use rusqlite::{Connection, Statement};

use super::AccessChange;
use super::statements::{self, Prepared};
use super::sums::Sums;
use super::tally::{Counted, Tally};
use crate::clock::Clock;
use crate::domain::{
    Activity, Actor, ByNumber, Currency, Event, EventName, EventSet, LedgerEntry, Points, Position,
    ProgramNumber, Seq, Timestamp,
};
use crate::store::answers::key_index::KeyIndex;
use crate::store::log::chain::Hash;
use crate::store::tables::{sandbox, webhooks};
use crate::store::{Error, log};

/// The log as the open batch sees it.
#[derive(Debug)]
pub(super) struct Log {
    pub(super) clock: Clock,
    pub(super) next_seq: i64,
    /// The time of each program's last activity that was committed.
    pub(super) last_at: ByNumber<ProgramNumber, Timestamp>,
    /// The same within the open batch.
    pub(super) open_at: ByNumber<ProgramNumber, Timestamp>,
    /// How far the time of programs is ahead of the clock, of those that are.
    pub(super) ahead: ByNumber<ProgramNumber, Duration>,
    /// Whether `ahead` changed in the open batch.
    pub(super) clocks_changed: bool,
    pub(super) pending: Vec<Activity>,
    /// What changed in the open batch of who may do what; what was undone may still stand here.
    pub(super) access: Vec<AccessChange>,
    /// Whether a batch that was lost had changed something of it.
    pub(super) access_in_doubt: bool,
    pub(super) keys: KeyIndex,
    pub(super) sums: Sums,
    pub(super) tally: Tally,
    /// The events that some webhook of each program listens to, as the open transaction sees it;
    /// `None`: to be read anew.
    pub(super) heard: Option<ByNumber<ProgramNumber, EventSet>>,
    /// The programs of the events that were kept for webhooks in this batch.
    pub(super) announced: Vec<ProgramNumber>,
    /// The programs with a webhook that has something to send again, or a test.
    pub(super) due: Vec<ProgramNumber>,
    pub(super) webhooks_changed: bool,
    /// Members whose words were erased in this batch.
    pub(super) erasures: usize,
}

/// An open transaction, and the only way to change a row or to say what happened.
#[derive(Debug)]
pub struct Transaction<'a> {
    pub(super) connection: &'a Connection,
    pub(super) statements: &'a dyn Prepared,
    pub(super) log: &'a mut Log,
    pub(super) mark: Mark,
    /// Who causes what is recorded.
    pub(super) actor: Actor,
}

/// Where the log stood before a write.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) next_seq: i64,
    pub(super) pending: usize,
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}

impl Transaction<'_> {
    /// The time to stamp on what happens in a program: the clock's, or ahead of it where the
    /// program's clock was moved, but never before the program's last activity.
    pub fn now(&self, program: ProgramNumber) -> Timestamp {
        let log = &*self.log;
        let now = log.clock.stamp();
        let now = log
            .ahead
            .get(&program)
            .map_or(now, |ahead| now.saturating_add(*ahead));
        let last = log.open_at.get(&program).or(log.last_at.get(&program));
        last.map_or(now, |last| now.max(*last))
    }

    /// The clock's time, for what belongs to no program.
    pub fn clock_now(&self) -> Timestamp {
        self.log.clock.now()
    }

    /// The number that the next activity gets.
    pub fn next_seq(&self) -> Seq {
        Seq(self.log.next_seq)
    }

    /// Says who causes what this write records from here on.
    pub fn act_as(&mut self, actor: Actor) {
        self.actor = actor;
    }

    /// Appends to the activity log.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn record(
        &mut self,
        program: Option<ProgramNumber>,
        at: Timestamp,
        event: Event,
    ) -> Result<Seq, Error> {
        self.append(program, at, event, None)
    }

    /// Appends a ledger entry, which has its position in its account.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn record_entry(
        &mut self,
        program: ProgramNumber,
        at: Timestamp,
        entry: LedgerEntry,
        position: Position,
    ) -> Result<Seq, Error> {
        self.append(Some(program), at, Event::of_entry(entry), Some(position))
    }

    fn append(
        &mut self,
        program: Option<ProgramNumber>,
        at: Timestamp,
        event: Event,
        position: Option<Position>,
    ) -> Result<Seq, Error> {
        let seq = self.next_seq();
        let activity = Activity {
            seq,
            at,
            program,
            event,
        };
        let actor = self.actor;
        log::insert(self, &activity, actor, position)?;
        self.log.next_seq += 1;
        if let Some(program) = program {
            let last = self.log.open_at.entry(program).or_insert(at);
            *last = (*last).max(at);
        }
        self.log.pending.push(activity);
        Ok(seq)
    }

    /// Puts the hash of a program's next ledger entry at the head of its chain; see
    /// [`Sums::extend_chain`].
    pub(in crate::store) fn extend_chain(
        &mut self,
        program: ProgramNumber,
        next: impl FnOnce(&Hash) -> Hash,
    ) -> Result<Option<Hash>, Error> {
        self.log.sums.extend_chain(self.connection, program, next)
    }

    /// Whether some webhook of a program listens to an event.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn is_heard(&mut self, program: ProgramNumber, event: EventName) -> Result<bool, Error> {
        if self.log.heard.is_none() {
            self.log.heard = Some(webhooks::heard(self.connection)?);
        }
        let heard = self.log.heard.as_ref().and_then(|all| all.get(&program));
        Ok(heard.is_some_and(|events| events.contains(event)))
    }

    /// Says that something happened in a program that a webhook listens to.
    pub fn announce(&mut self, program: ProgramNumber) {
        self.log.announced.push(program);
    }

    /// Keeps the object that an event of this transaction is about, as it is now.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn keep(&self, program: ProgramNumber, seq: Seq, data: &str) -> Result<(), Error> {
        webhooks::insert_payload(self.connection, program, seq, data)
    }

    /// Says that a webhook of a program has something to send again, or a test.
    pub fn is_due(&mut self, program: ProgramNumber) {
        self.log.due.push(program);
    }

    /// Says that webhooks were made or deleted.
    pub fn webhooks_changed(&mut self) {
        self.log.heard = None;
        self.log.webhooks_changed = true;
    }

    /// Says that a row changed that decides who may do what.
    pub(in crate::store) fn access_changed(&mut self, change: AccessChange) {
        self.log.access.push(change);
    }

    /// What changed of who may do what since the last commit, so that nobody has heard of it yet.
    pub fn open_access(&self) -> &[AccessChange] {
        &self.log.access
    }

    /// Says that a member's words were erased.
    pub(in crate::store) fn words_erased(&mut self) {
        self.log.erasures += 1;
    }

    /// Says that the clock of a program was moved.
    pub(in crate::store) fn clocks_changed(&mut self) -> Result<(), Error> {
        self.log.ahead = sandbox::all_ahead(self.connection)?;
        self.log.clocks_changed = true;
        Ok(())
    }

    /// Undoes everything this write did so far, so that a refusal leaves nothing behind but what is
    /// written after it.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn undo(&mut self) -> Result<(), Error> {
        self.run("ROLLBACK TO job", |statement| statement.execute([]))?;
        self.log.pending.truncate(self.mark.pending);
        self.log.sums.undo();
        self.log.tally.undo();
        if self.log.webhooks_changed {
            // This write may have been the one that changed them.
            self.log.heard = None;
        }
        self.log.next_seq = self.mark.next_seq;
        if self.log.clocks_changed {
            self.log.ahead = sandbox::all_ahead(self.connection)?;
        }
        Ok(())
    }

    /// Adds to the sums over all wallets of a program; `false`, and nothing is changed, if one
    /// would pass [`Points::MAX`].
    ///
    /// # Errors
    /// [`Error`] if the database fails or there is no such program.
    pub fn add_to_sums(
        &mut self,
        program: ProgramNumber,
        received: Points,
        spent: Points,
    ) -> Result<bool, Error> {
        let log = &mut *self.log;
        log.sums.add(self.connection, program, received, spent)
    }

    /// How many there are of something that is limited, this write's own included.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn count(&mut self, what: Counted) -> Result<i64, Error> {
        let log = &mut *self.log;
        log.tally.get(self.connection, what)
    }

    /// Says that this write added so many of something that is limited, or took them away.
    pub(in crate::store) fn count_change(&mut self, what: Counted, by: i64) {
        self.log.tally.change(what, by);
    }

    /// What the points of a program are called.
    ///
    /// # Errors
    /// [`Error`] if the database fails or there is no such program.
    pub fn currency(&mut self, program: ProgramNumber) -> Result<&Currency, Error> {
        self.log.sums.currency(self.connection, program)
    }

    /// Runs `work` with a statement that the batch keeps prepared.
    pub(in crate::store) fn run<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        Ok(statements::run(self.statements, sql, work)?)
    }

    pub(in crate::store) fn currency_changed(&mut self, program: ProgramNumber) {
        self.log.sums.currency_changed(program);
    }

    pub(in crate::store) fn keys(&mut self) -> &mut KeyIndex {
        &mut self.log.keys
    }
}
