//! The state that the writer keeps in memory, so that it need not read the database.

use std::time::Duration;

use rusqlite::Connection;

use super::cached_rules::CachedRules;
use super::cached_settings::CachedSettings;
use super::observing::AccessChange;
use super::tally::Tally;
use crate::books::{Draft, Published};
use crate::clock::Clock;
use crate::domain::{Activity, ByNumber, EventSet, ProgramNumber, Timestamp};
use crate::store::answers::key_index::KeyIndex;
use crate::store::answers::stored_index;
use crate::store::tables::sandbox;
use crate::store::{Error, log};

/// The writer's knowledge, as the open transaction sees it.
#[derive(Debug)]
pub(super) struct State {
    pub(super) clock: Clock,
    /// The number of the next activity.
    pub(super) next_seq: i64,
    /// The time of each program's last committed activity.
    pub(super) last_at: ByNumber<ProgramNumber, Timestamp>,
    /// The time of each program's last activity in the open batch.
    pub(super) open_at: ByNumber<ProgramNumber, Timestamp>,
    /// How far the time of a program is ahead of the clock, for programs whose clock was moved.
    pub(super) ahead: ByNumber<ProgramNumber, Duration>,
    /// Whether `ahead` changed in the open batch.
    pub(super) clocks_changed: bool,
    pub(super) changes: Changes,
    /// Whether a batch that was lost had changes of access.
    pub(super) access_in_doubt: bool,
    pub(super) keys: KeyIndex,
    pub(super) settings: CachedSettings,
    /// The active rules of programs.
    pub(super) rules: CachedRules,
    /// The accounts of members, as the open batch changes them.
    pub(super) draft: Draft,
    pub(super) tally: Tally,
    /// The events that webhooks of each program listen to; `None` if they have to be read again.
    pub(super) listened: Option<ByNumber<ProgramNumber, EventSet>>,
    /// Members whose words were erased in the open batch.
    pub(super) erasures: usize,
}

/// The changes of the open batch, for the observer. Except for the activities, what a refused write
/// changed may still be listed.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pub(super) activities: Vec<Activity>,
    /// The changes of who may do what.
    pub(super) access: Vec<AccessChange>,
    /// The programs of the events that a webhook listens to.
    pub(super) announced: Vec<ProgramNumber>,
    /// The programs with a webhook that has something to send again, or a test.
    pub(super) due: Vec<ProgramNumber>,
    pub(super) webhooks_changed: bool,
}

impl State {
    /// Reads the state from the database.
    pub(super) fn read(
        connection: &Connection,
        clock: Clock,
        last_at: ByNumber<ProgramNumber, Timestamp>,
        books: &Published,
    ) -> Result<Self, Error> {
        Ok(Self {
            clock,
            next_seq: next_seq(connection)?,
            last_at,
            open_at: ByNumber::default(),
            ahead: sandbox::all_ahead(connection)?,
            clocks_changed: false,
            changes: Changes::default(),
            access_in_doubt: false,
            keys: stored_index::read(connection)?,
            settings: CachedSettings::default(),
            rules: CachedRules::default(),
            draft: Draft::new(books),
            tally: Tally::default(),
            listened: None,
            erasures: 0,
        })
    }

    /// The time of a program's last activity.
    pub(super) fn last_of(&self, program: ProgramNumber) -> Option<Timestamp> {
        let last = self.open_at.get(&program);
        last.or(self.last_at.get(&program)).copied()
    }

    /// The time in a program when the clock shows `now`.
    pub(super) fn time_in(&self, program: ProgramNumber, now: Timestamp) -> Timestamp {
        let now = self
            .ahead
            .get(&program)
            .map_or(now, |ahead| now.saturating_add(*ahead));
        self.last_of(program).map_or(now, |last| now.max(last))
    }

    /// What the clock shows when it is `at` in a program.
    pub(super) fn clock_time(&self, program: ProgramNumber, at: Timestamp) -> Timestamp {
        let ahead = self.ahead.get(&program);
        ahead.map_or(at, |ahead| at.saturating_sub(*ahead))
    }

    /// Takes in that the open batch was committed, and returns its changes.
    pub(super) fn batch_committed(&mut self) -> Changes {
        self.last_at.extend(self.open_at.drain());
        self.clocks_changed = false;
        std::mem::take(&mut self.changes)
    }

    /// Forgets the open batch, whose outcome is not known: it may have reached the disk.
    pub(super) fn batch_lost(&mut self) {
        let lost = std::mem::take(&mut self.changes);
        self.next_seq -= i64::try_from(lost.activities.len()).unwrap_or(0);
        self.access_in_doubt |= !lost.access.is_empty();
        self.settings.clear();
        self.rules.clear();
        self.draft.clear();
        self.tally.clear();
        self.listened = None;
        self.clocks_changed = false;
    }
}

/// The number of the next activity, according to the database.
pub(super) fn next_seq(connection: &Connection) -> Result<i64, Error> {
    Ok(log::last_seq(connection)?.map_or(1, |seq| seq.0 + 1))
}
