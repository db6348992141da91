//! The figures of all programs, shared between those who ask and the one who counts.

use std::collections::HashMap;

use parking_lot::RwLock;

use super::{Counters, OfferFigures, Totals};
use crate::domain::{Activity, ProgramNumber, Timestamp};

/// The figures of all programs: what the log folds into.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    programs: HashMap<ProgramNumber, Counters>,
}

impl Figures {
    /// Counts one activity. What happens to an organization concerns no program.
    ///
    /// # Panics
    /// As [`Counters::apply`] does.
    pub fn apply(&mut self, activity: &Activity) {
        if let Some(program) = activity.program {
            self.programs.entry(program).or_default().apply(activity);
        }
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
    pub fn last_at(&self) -> HashMap<ProgramNumber, Timestamp> {
        self.programs()
            .filter_map(|(number, counters)| Some((number, counters.last_at()?)))
            .collect()
    }
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
    /// # Panics
    /// As [`Counters::apply`] does; the figures must then be replaced.
    pub fn apply(&self, activities: &[Activity]) {
        let mut figures = self.figures.write();
        for activity in activities {
            figures.apply(activity);
        }
    }

    /// Starts anew from other figures.
    pub fn replace(&self, figures: Figures) {
        *self.figures.write() = figures;
    }

    /// The program-wide figures.
    pub fn summary(&self, program: ProgramNumber) -> Totals {
        self.figures
            .read()
            .program(program)
            .map_or_else(Totals::default, |c| *c.totals())
    }

    /// One row for every offer of a program, in the order made.
    pub fn offers(&self, program: ProgramNumber) -> Vec<OfferFigures> {
        self.figures
            .read()
            .program(program)
            .map_or_else(Vec::new, |c| c.offers().to_vec())
    }
}
