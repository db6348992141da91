//! The figures of all programs, shared between those who ask and the one who counts.

use parking_lot::RwLock;

use super::{Bucket, Contradiction, Counters, OfferCounters, OfferFigures, Totals, Window};
use crate::domain::{Activity, ByNumber, OfferId, ProgramNumber, Seq, Tier, Timestamp};

/// The figures of all programs: what the log folds into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    pub(super) programs: ByNumber<ProgramNumber, Counters>,
    /// The newest activity that is counted.
    pub(super) last_seq: Option<Seq>,
}

impl Figures {
    /// Counts one activity. What happens to an organization concerns no program.
    ///
    /// # Errors
    /// [`Contradiction`] if the activity cannot follow from those before it. Nothing of it is
    /// counted then; as the log cannot be counted on from there, the figures are of no use.
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

    /// Merges what came late into its place; to be called when a fold ends. Whether anything came
    /// late: blocks that were stored before are then out of date.
    pub fn settle(&mut self) -> bool {
        let mut any = false;
        for counters in self.programs.values_mut() {
            any |= counters.settle();
        }
        any
    }

    /// The newest activity that is counted.
    pub fn last_seq(&self) -> Option<Seq> {
        self.last_seq
    }

    /// The figures of one program.
    pub fn program(&self, program: ProgramNumber) -> Option<&Counters> {
        self.programs.get(&program)
    }

    /// Every program that anything happened in.
    pub fn programs(&self) -> impl Iterator<Item = (ProgramNumber, &Counters)> {
        self.programs
            .iter()
            .map(|(number, counters)| (*number, counters))
    }

    /// The latest time stamped in each program.
    pub fn last_at(&self) -> ByNumber<ProgramNumber, Timestamp> {
        self.programs()
            .filter_map(|(number, c)| Some((number, c.last_at()?)))
            .collect()
    }
}

/// An answer and the number of the program's newest activity that it reflects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// The number, 0 before anything happened.
    pub version: i64,
    /// The answer.
    pub value: T,
}

/// [`Figures`] behind a lock. A batch is counted whole, so that no reader sees half of it; a reader
/// copies its answer out and holds the lock no longer than that.
#[derive(Debug, Default)]
pub struct Engine {
    figures: RwLock<Figures>,
}

impl Engine {
    /// An engine that starts from these figures.
    pub fn new(figures: Figures) -> Self {
        Self {
            figures: RwLock::new(figures),
        }
    }

    /// Counts what one commit added to the log.
    ///
    /// # Errors
    /// [`Contradiction`] of the first activity that cannot follow from those before it. Those before
    /// it stay counted, so the caller must replace the figures or stop.
    pub fn apply(&self, activities: &[Activity]) -> Result<(), Contradiction> {
        let mut figures = self.figures.write();
        activities
            .iter()
            .try_for_each(|activity| figures.apply(activity))
    }

    /// Starts anew from other figures.
    pub fn replace(&self, figures: Figures) {
        *self.figures.write() = figures;
    }

    /// Looks at all figures at one moment, while nothing is counted.
    pub fn look<T>(&self, look: impl FnOnce(&Figures) -> T) -> T {
        look(&self.figures.read())
    }

    /// The program-wide figures.
    pub fn summary(&self, program: ProgramNumber) -> Versioned<Totals> {
        self.ask(program, |counters| *counters.totals())
    }

    /// How many offers a program has.
    pub fn offer_count(&self, program: ProgramNumber) -> usize {
        let figures = self.figures.read();
        let counters = figures.program(program);
        counters.map_or(0, |counters| counters.offers().len())
    }

    /// One row for every offer of a program, in the order made.
    pub fn offers(&self, program: ProgramNumber) -> Versioned<Vec<OfferFigures>> {
        self.ask(program, |counters| {
            counters
                .offers()
                .iter()
                .map(OfferCounters::figures)
                .collect()
        })
    }

    /// The tiers held by the most members, at most `limit`, and how many are held in all; see
    /// [`Counters::tiers`].
    pub fn tiers(&self, program: ProgramNumber, limit: usize) -> (Vec<(Tier, u64)>, usize) {
        let ask = |counters: &Counters| (counters.tiers(limit), counters.tier_count());
        self.ask(program, ask).value
    }

    /// The buckets of a window; see [`Counters::timeseries`].
    pub fn timeseries(
        &self,
        program: ProgramNumber,
        window: &Window,
        offer: Option<OfferId>,
    ) -> Versioned<Option<Vec<Bucket>>> {
        self.ask(program, |counters| counters.timeseries(window, offer))
    }

    fn ask<T>(&self, program: ProgramNumber, ask: impl FnOnce(&Counters) -> T) -> Versioned<T> {
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
            value: ask(counters),
        }
    }
}
