//! The figures of all programs, shared between readers and the writer.

use parking_lot::RwLock;

use super::{
    Bucket, Contradiction, Counters, MemberFigures, Merge, Merged, OfferCounters, OfferFigures,
    Series, Totals, Window,
};
use crate::domain::{Activity, ByNumber, OfferId, ProgramNumber, Seq, Tier, Timestamp};

/// The figures of all programs, folded from the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub(super) programs: ByNumber<ProgramNumber, Counters>,
    /// The newest activity that is counted.
    pub(super) last_seq: Option<Seq>,
}

impl Figures {
    /// Counts one activity. Events of organizations change no figures.
    ///
    /// # Errors
    /// [`Contradiction`] if the activity cannot follow from those before it. Nothing of it is
    /// counted then, and no later activity can be counted.
    pub fn apply(&mut self, activity: &Activity) -> Result<(), Contradiction> {
        if let Some(program) = activity.program {
            let counters = self.programs.entry(program).or_default();
            counters.apply(activity).map_err(|kind| Contradiction {
                seq: activity.seq,
                program,
                kind,
            })?;
        }
        self.last_seq = Some(activity.seq);
        Ok(())
    }

    /// Merges late entries into their places at the end of a fold. Returns whether there were any:
    /// blocks that were stored before are then out of date.
    pub fn settle(&mut self) -> bool {
        let mut any = false;
        for counters in self.programs.values_mut() {
            any |= counters.settle();
        }
        any
    }

    /// Visits of members that would be counted faster in other blocks, with their program; `None`
    /// if there are none.
    pub fn plan_merge(&self) -> Option<(ProgramNumber, Merge)> {
        self.plan(|counters| counters.visits.plan_merge())
    }

    /// Visits of members that are in no block yet, although they are enough for one.
    pub fn plan_close(&self) -> Option<(ProgramNumber, Merge)> {
        self.plan(|counters| counters.visits.plan_close())
    }

    fn plan(&self, plan: fn(&Counters) -> Option<Merge>) -> Option<(ProgramNumber, Merge)> {
        let mut programs = self.programs();
        programs.find_map(|(number, counters)| Some((number, plan(counters)?)))
    }

    /// Puts blocks of a program instead of what they were made of. Returns false, and changes
    /// nothing, if it is not there any more.
    pub fn accept(&mut self, program: ProgramNumber, merged: Merged) -> bool {
        let counters = self.programs.get_mut(&program);
        counters.is_some_and(|counters| counters.visits.accept(merged))
    }

    /// The newest activity that is counted.
    pub fn last_seq(&self) -> Option<Seq> {
        self.last_seq
    }

    /// The figures of one program.
    pub fn program(&self, program: ProgramNumber) -> Option<&Counters> {
        self.programs.get(&program)
    }

    /// The figures of every program that has any activity.
    pub fn programs(&self) -> impl Iterator<Item = (ProgramNumber, &Counters)> {
        self.programs
            .iter()
            .map(|(number, counters)| (*number, counters))
    }

    /// The latest time of any activity of each program.
    pub fn last_at(&self) -> ByNumber<ProgramNumber, Timestamp> {
        self.programs()
            .filter_map(|(number, c)| Some((number, c.last_at()?)))
            .collect()
    }
}

/// A value and the number of the program's newest activity that it reflects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The number; 0 before any activity.
    pub version: i64,
    /// The value.
    pub value: T,
}

/// [`Figures`] behind a lock. A batch is counted under one lock, so that no reader sees half of it.
/// Readers hold the lock only while they copy a result.
#[derive(Debug, Default)]
pub struct Engine {
    figures: RwLock<Figures>,
}

impl Engine {
    /// Creates an engine with initial figures.
    pub fn new(figures: Figures) -> Self {
        Self {
            figures: RwLock::new(figures),
        }
    }

    /// Counts the activities of one commit.
    ///
    /// # Errors
    /// [`Contradiction`] of the first activity that cannot follow from those before it. Those
    /// before it stay counted, so the caller must replace the figures or stop.
    pub fn apply(&self, activities: &[Activity]) -> Result<(), Contradiction> {
        let mut figures = self.figures.write();
        activities
            .iter()
            .try_for_each(|activity| figures.apply(activity))
    }

    /// Replaces all figures.
    pub fn replace(&self, figures: Figures) {
        *self.figures.write() = figures;
    }

    /// Does one step of what makes visits of members faster to count and to store; it may take
    /// seconds, but holds the lock only for a moment. Returns whether there was anything to do.
    pub fn tidy(&self, plan: impl FnOnce(&Figures) -> Option<(ProgramNumber, Merge)>) -> bool {
        let planned = plan(&self.figures.read());
        let Some((program, merge)) = planned else {
            return false;
        };
        let merged = merge.run();
        // If the figures were replaced meanwhile, the next plan is for the new ones.
        self.figures.write().accept(program, merged);
        true
    }

    /// Reads all figures at one moment, while nothing is counted.
    pub fn read<T>(&self, read: impl FnOnce(&Figures) -> T) -> T {
        read(&self.figures.read())
    }

    /// The program-wide figures.
    pub fn summary(&self, program: ProgramNumber) -> Versioned<Totals> {
        self.read_program(program, |counters| *counters.totals())
    }

    /// The number of a program's offers.
    pub fn offer_count(&self, program: ProgramNumber) -> usize {
        let figures = self.figures.read();
        let counters = figures.program(program);
        counters.map_or(0, |counters| counters.offers().len())
    }

    /// The figures of every offer of a program, in the order of creation.
    pub fn offers(&self, program: ProgramNumber) -> Versioned<Vec<OfferFigures>> {
        self.read_program(program, |counters| {
            counters
                .offers()
                .iter()
                .map(OfferCounters::figures)
                .collect()
        })
    }

    /// The tiers held by the most members, at most `limit`, and the number of all tiers held; see
    /// [`Counters::tiers`].
    pub fn tiers(&self, program: ProgramNumber, limit: usize) -> (Vec<(Tier, u64)>, usize) {
        let tiers = |counters: &Counters| (counters.tiers(limit), counters.tier_count());
        self.read_program(program, tiers).value
    }

    /// The buckets of a window; see [`Counters::timeseries`].
    pub fn timeseries(
        &self,
        program: ProgramNumber,
        window: &Window,
        offer: Option<OfferId>,
    ) -> Versioned<Option<Vec<Bucket>>> {
        self.read_program(program, |counters| counters.timeseries(window, offer))
    }

    /// Several series over the buckets of a window, at one moment.
    pub fn series(
        &self,
        program: ProgramNumber,
        window: &Window,
        offer: Option<OfferId>,
        series: &[Series],
    ) -> Versioned<Option<Vec<Vec<i64>>>> {
        let read = |counters: &Counters| {
            let numbers = counters.series(window, offer, series);
            (numbers, counters.moment())
        };
        let Versioned { version, value } = self.read_program(program, read);
        let (mut numbers, moment) = value;
        if let Some(numbers) = &mut numbers {
            for (series, numbers) in series.iter().zip(numbers) {
                let Some(deed) = series.deed() else {
                    continue;
                };
                let count = |counters: &Counters, from, to| {
                    counters.distinct(deed, moment, from, to).cast_signed()
                };
                *numbers = self.in_turns(program, window, count);
            }
        }
        Versioned {
            version,
            value: numbers,
        }
    }

    /// The members of a window as a whole, then those of each of its buckets, if they are wanted.
    pub fn members(
        &self,
        program: ProgramNumber,
        window: &Window,
        has_buckets: bool,
    ) -> Versioned<(MemberFigures, Vec<MemberFigures>)> {
        let (from, to) = window.ends();
        let read = |counters: &Counters| {
            let moment = counters.moment();
            (moment, counters.members(moment, from, to))
        };
        let Versioned { version, value } = self.read_program(program, read);
        let (moment, whole) = value;
        let buckets = if has_buckets {
            let count = |counters: &Counters, from, to| counters.members(moment, from, to);
            self.in_turns(program, window, count)
        } else {
            Vec::new()
        };
        Versioned {
            version,
            value: (whole, buckets),
        }
    }

    /// A value for each bucket of a window, of a moment that has been noted before: the lock is
    /// held for a few buckets at a time, because each takes microseconds.
    fn in_turns<T>(
        &self,
        program: ProgramNumber,
        window: &Window,
        mut value: impl FnMut(&Counters, i64, i64) -> T,
    ) -> Vec<T> {
        const TURN: usize = 16;
        let pairs: Vec<_> = window.bounds().windows(2).collect();
        let mut values = Vec::with_capacity(pairs.len());
        for turn in pairs.chunks(TURN) {
            self.read_program(program, |counters| {
                let bounds = turn
                    .iter()
                    .map(|pair| [0, 1].map(|at| pair[at].as_millis()));
                values.extend(bounds.map(|[from, to]| value(counters, from, to)));
            });
        }
        values
    }

    fn read_program<T>(
        &self,
        program: ProgramNumber,
        read: impl FnOnce(&Counters) -> T,
    ) -> Versioned<T> {
        let figures = self.figures.read();
        let none;
        let counters = if let Some(counters) = figures.program(program) {
            counters
        } else {
            none = Counters::default();
            &none
        };
        let version = counters.last_seq().map_or(0, |seq| seq.0);
        Versioned {
            version,
            value: read(counters),
        }
    }
}
