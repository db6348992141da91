//! The open transaction that a write works in.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use rusqlite::{Connection, Statement};

use super::observing::AccessChange;
use super::state::State;
use super::statements::{self, Prepared};
use super::tally::Counted;
use crate::domain::{
    Activity, Actor, AssetNumber, Event, EventName, ExternalUserId, LedgerEntry, Member,
    PointsRules, Position, ProgramNumber, Seq, Timestamp,
};
use crate::store::answers::key_index::KeyIndex;
use crate::store::tables::compiled_rules::CompiledRules;
use crate::store::tables::programs::CurrencyVersion;
use crate::store::tables::{sandbox, webhooks};
use crate::store::{Error, log};

/// An open transaction, and the only way to change a row or to record an event.
///
/// A write that is refused is undone by a savepoint, which costs as much as the rows of a credit.
/// So the savepoint is opened when a write first uses the connection. Until then, rows that are
/// appended to the log are kept in memory. A write that only appends, such as a credit, inserts
/// them when it has succeeded, and never opens a savepoint.
#[derive(Debug)]
pub struct Transaction<'a> {
    connection: &'a Connection,
    statements: &'a dyn Prepared,
    pub(super) state: &'a mut State,
    mark: Mark,
    /// The clock's time, once it was read.
    pub(super) clock_now: Cell<Option<Timestamp>>,
    /// The cause of the events that are recorded.
    actor: Actor,
    savepoint: Cell<Savepoint>,
    /// The rows that are not inserted yet.
    pending: RefCell<Vec<Pending>>,
}

/// A row that is to be inserted.
enum Pending {
    /// That of an activity of the open batch, by its position in the list.
    Activity(usize, log::NewRow),
    Other(Insert),
}

/// Inserts a row by a prepared statement.
type Insert = Box<dyn FnOnce(&dyn Prepared) -> rusqlite::Result<usize>>;

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pending")
    }
}

/// The savepoint of a write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Savepoint {
    /// Not needed so far.
    None,
    Open,
    /// It could not be opened, so that nothing can be undone.
    Failed,
}

/// The end of the log before a write.
#[derive(Debug, Clone, Copy)]
struct Mark {
    next_seq: i64,
    activities: usize,
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    /// The connection, by which any row can be changed.
    fn deref(&self) -> &Connection {
        self.guard();
        self.connection
    }
}

impl<'a> Transaction<'a> {
    /// Begins a write: those before it in the batch stand. It happens at `clock_now` if the clock
    /// was read for it already.
    pub(super) fn begin(
        (connection, statements): (&'a Connection, &'a dyn Prepared),
        state: &'a mut State,
        clock_now: Option<Timestamp>,
    ) -> Self {
        let mark = Mark {
            next_seq: state.next_seq,
            activities: state.changes.activities.len(),
        };
        state.settings.mark();
        state.rules.mark();
        state.draft.mark();
        state.tally.mark();
        Self {
            connection,
            statements,
            state,
            mark,
            clock_now: Cell::new(clock_now),
            actor: Actor::Server,
            savepoint: Cell::new(Savepoint::None),
            pending: RefCell::default(),
        }
    }

    /// Ends the write: inserts its rows.
    ///
    /// # Errors
    /// [`Error`] if the batch has to be dropped.
    pub(super) fn end(self) -> Result<(), Error> {
        match self.savepoint.get() {
            Savepoint::None => self.insert_pending(),
            Savepoint::Open => self.command("RELEASE job"),
            Savepoint::Failed => Err(Error::Irrevocable),
        }
    }

    /// Inserts rows immediately from here on. A write of many rows so knows how long they take.
    pub(super) fn insert_immediately(&self) {
        self.guard();
    }

    /// Opens the savepoint unless it is open. From then on rows are inserted immediately.
    fn guard(&self) {
        if self.savepoint.get() == Savepoint::None {
            let opened = self.command("SAVEPOINT job");
            let is_open = opened.and_then(|()| self.insert_pending()).is_ok();
            self.savepoint.set(if is_open {
                Savepoint::Open
            } else {
                Savepoint::Failed
            });
        }
    }

    /// Inserts a row, or keeps it until the savepoint is opened or the write ends.
    fn put(&self, row: Pending) -> Result<(), Error> {
        if self.savepoint.get() == Savepoint::None {
            self.pending.borrow_mut().push(row);
            return Ok(());
        }
        self.insert(row)
    }

    fn insert_pending(&self) -> Result<(), Error> {
        let pending = std::mem::take(&mut *self.pending.borrow_mut());
        pending.into_iter().try_for_each(|row| self.insert(row))
    }

    fn insert(&self, row: Pending) -> Result<(), Error> {
        match row {
            Pending::Activity(place, row) => {
                row.insert(self.statements, &self.state.changes.activities[place])
            }
            Pending::Other(insert) => {
                insert(self.statements)?;
                Ok(())
            }
        }
    }

    fn command(&self, sql: &'static str) -> Result<(), Error> {
        statements::run(self.statements, sql, |statement| statement.execute([]))?;
        Ok(())
    }

    /// The number of the next activity.
    pub fn next_seq(&self) -> Seq {
        Seq(self.state.next_seq)
    }

    /// Sets the actor of the events that this write records from here on. Returns the one before.
    pub fn act_as(&mut self, actor: Actor) -> Actor {
        std::mem::replace(&mut self.actor, actor)
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

    /// Takes in the operator's id of a member that was created or erased; `former` is the one
    /// before.
    pub(in crate::store) fn name_member(
        &mut self,
        member: &Member,
        former: Option<&ExternalUserId>,
    ) {
        let draft = &mut self.state.draft;
        let id = &member.external_user_id;
        draft.name(member.number, member.program, id, former);
    }

    /// Appends a ledger entry at its position in its account.
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
        let draft = &mut self.state.draft;
        let row = log::prepare(self.connection, draft, &activity, self.actor, position)?;
        self.state.next_seq += 1;
        if let Some(program) = program {
            let last = self.state.open_at.entry(program).or_insert(at);
            *last = (*last).max(at);
        }
        self.state.changes.activities.push(activity);
        let place = self.state.changes.activities.len() - 1;
        self.put(Pending::Activity(place, row))?;
        Ok(seq)
    }

    /// Whether a webhook of a program listens to an event.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn has_listener(
        &mut self,
        program: ProgramNumber,
        event: EventName,
    ) -> Result<bool, Error> {
        if self.state.listened.is_none() {
            self.state.listened = Some(webhooks::subscribed(self.connection)?);
        }
        let listened = self.state.listened.as_ref();
        let listened = listened.and_then(|all| all.get(&program));
        Ok(listened.is_some_and(|events| events.contains(event)))
    }

    /// Notes that a program has a new event for its webhooks.
    pub fn announce(&mut self, program: ProgramNumber) {
        self.state.changes.announced.push(program);
    }

    /// Stores the present state of the object that an event of this transaction is about.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn store_payload(&self, program: ProgramNumber, seq: Seq, data: &str) -> Result<(), Error> {
        self.guard();
        webhooks::insert_payload(self.connection, program, seq, data)
    }

    /// Notes that a webhook of a program has something to send again, or a test.
    pub fn mark_due(&mut self, program: ProgramNumber) {
        self.state.changes.due.push(program);
    }

    /// Notes that webhooks were created or deleted.
    pub fn webhooks_changed(&mut self) {
        self.state.listened = None;
        self.state.changes.webhooks_changed = true;
    }

    /// Notes the change of a row that decides who may do what.
    pub(in crate::store) fn access_changed(&mut self, change: AccessChange) {
        self.state.changes.access.push(change);
    }

    /// The changes of who may do what since the last commit, which the directory does not have yet.
    pub fn access_changes(&self) -> &[AccessChange] {
        &self.state.changes.access
    }

    /// Notes that a member's words were erased.
    pub(in crate::store) fn words_erased(&mut self) {
        self.state.erasures += 1;
    }

    /// Takes in that the clock of a program was moved.
    pub(in crate::store) fn clocks_changed(&mut self) -> Result<(), Error> {
        self.state.ahead = sandbox::all_ahead(self.connection)?;
        self.state.clocks_changed = true;
        Ok(())
    }

    /// Undoes everything this write did so far, so that a refusal leaves nothing behind except what
    /// is written after it.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn undo(&mut self) -> Result<(), Error> {
        self.pending.borrow_mut().clear();
        match self.savepoint.get() {
            Savepoint::None => {}
            Savepoint::Open => self.command("ROLLBACK TO job")?,
            Savepoint::Failed => return Err(Error::Irrevocable),
        }
        self.state.changes.activities.truncate(self.mark.activities);
        self.state.settings.undo();
        self.state.rules.undo();
        self.state.draft.undo();
        self.state.tally.undo();
        if self.state.changes.webhooks_changed {
            // It may be this write that changed them.
            self.state.listened = None;
        }
        self.state.next_seq = self.mark.next_seq;
        if self.state.clocks_changed {
            self.state.ahead = sandbox::all_ahead(self.connection)?;
        }
        Ok(())
    }

    /// Counts rows that are limited, including those of this write.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn count(&mut self, what: Counted) -> Result<i64, Error> {
        let state = &mut *self.state;
        state.tally.get(self.connection, what)
    }

    /// Notes by how many this write changed the count of rows that are limited.
    pub(in crate::store) fn count_change(&mut self, what: Counted, by: i64) {
        self.state.tally.change(what, by);
    }

    /// The currency of a program's points.
    ///
    /// # Errors
    /// [`Error`] if the database fails or there is no such program.
    pub fn currency(&mut self, program: ProgramNumber) -> Result<&CurrencyVersion, Error> {
        let settings = self.state.settings.get(self.connection, program)?;
        Ok(&settings.currency)
    }

    /// The settings by which the points of a program, or a further asset, are moved.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn points_rules(
        &mut self,
        program: ProgramNumber,
        asset: Option<AssetNumber>,
    ) -> Result<&PointsRules, Error> {
        if let Some(asset) = asset {
            return self
                .state
                .settings
                .of_asset(self.connection, program, asset);
        }
        let settings = self.state.settings.get(self.connection, program)?;
        Ok(&settings.points)
    }

    /// Runs `work` with a statement that stays prepared for the rest of the batch.
    pub(in crate::store) fn run<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        self.guard();
        Ok(statements::run(self.statements, sql, work)?)
    }

    /// [`Transaction::run`] for a statement that only reads.
    pub(in crate::store) fn look_up<T>(
        &self,
        sql: &'static str,
        work: impl FnOnce(&mut Statement<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Error> {
        if !self.pending.borrow().is_empty() {
            self.guard();
        }
        Ok(statements::run(self.statements, sql, work)?)
    }

    /// Appends a row, once all checks of the write have passed.
    pub(in crate::store) fn append_row<F>(&self, sql: &'static str, insert: F) -> Result<(), Error>
    where
        F: FnOnce(&mut Statement<'_>) -> rusqlite::Result<usize> + 'static,
    {
        self.put(Pending::Other(Box::new(move |statements| {
            statements::run(statements, sql, insert)
        })))
    }

    /// Notes that a program's currency, or the settings of its points, were changed.
    pub(in crate::store) fn settings_changed(&mut self, program: ProgramNumber) {
        self.state.settings.changed(program);
        self.state.rules.changed(program);
    }

    /// The active rules of a program.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn rules(&mut self, program: ProgramNumber) -> Result<Arc<CompiledRules>, Error> {
        self.state.rules.get(self.connection, program)
    }

    /// Notes that the rules of a program were changed.
    pub(in crate::store) fn rules_changed(&mut self, program: ProgramNumber) {
        self.state.rules.changed(program);
    }

    /// The index of idempotency keys.
    pub(in crate::store) fn keys(&mut self) -> &mut KeyIndex {
        &mut self.state.keys
    }
}
