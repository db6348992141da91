//! What is derived from the log and the keys, and how it follows every commit.

use std::sync::Arc;

use crate::analytics::{Engine, Figures};
use crate::domain::Seq;
use crate::service::{Directory, Signals};
use crate::store::{self, Committed, Connection, Observer};

/// What is derived from the log and the keys, kept in memory and up to date with every commit.
#[derive(Debug)]
pub(in crate::service) struct Derived {
    pub(in crate::service) engine: Arc<Engine>,
    pub(in crate::service) directory: Arc<Directory>,
    pub(in crate::service) signals: Arc<Signals>,
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
        let last = store::log::last_seq(connection)?;
        self.signals.ring_anew(last.unwrap_or(Seq(0)));
        Ok(())
    }
}

/// Folds the whole log.
pub(in crate::service) fn fold(connection: &Connection) -> Result<Figures, store::Error> {
    let mut figures = Figures::default();
    store::replay(connection, Seq(0), |activity| figures.apply(activity))?;
    figures.settle();
    Ok(figures)
}
