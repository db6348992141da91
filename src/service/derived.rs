//! What is derived from the log and the keys, and how it follows every commit.

use std::sync::Arc;

use super::{Directory, Signals};
use crate::analytics::{Engine, Figures};
use crate::domain::Seq;
use crate::store::{self, Committed, Connection, Observer};

/// What is derived from the log and the keys, kept in memory and up to date with every commit.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) engine: Arc<Engine>,
    pub(super) directory: Arc<Directory>,
    pub(super) signals: Arc<Signals>,
}

impl Observer for Derived {
    fn committed(
        &mut self,
        connection: &Connection,
        committed: &Committed<'_>,
    ) -> Result<(), store::Error> {
        self.engine.apply(committed.activities);
        if !committed.access.is_empty() {
            self.directory.apply(connection, committed.access)?;
        }
        self.signals.ring(committed);
        Ok(())
    }

    fn rebuild(&mut self, connection: &Connection) -> Result<(), store::Error> {
        self.engine.replace(fold(connection)?);
        self.directory.rebuild(connection)?;
        let last = store::activity::last_seq(connection)?;
        self.signals.ring_anew(last.unwrap_or(Seq(0)));
        Ok(())
    }
}

/// Folds the whole log.
pub(super) fn fold(connection: &Connection) -> Result<Figures, store::Error> {
    let mut figures = Figures::default();
    store::replay(connection, Seq(0), |activity| figures.apply(activity))?;
    figures.settle();
    Ok(figures)
}
