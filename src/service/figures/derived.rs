//! State that is derived from the log and the keys, and kept up to date with every commit.

use std::sync::Arc;

use super::fold::FoldError;
use super::saved::Loaded;
use crate::analytics::Engine;
use crate::books::Published;
use crate::domain::Seq;
use crate::service::{Directory, Signals};
use crate::store::{self, Committed, Connection, Observer, ObserverError};

/// The figures, the books, the keys and the signals, which follow every commit.
#[derive(Debug)]
pub(in crate::service) struct Derived {
    pub(in crate::service) engine: Arc<Engine>,
    pub(in crate::service) books: Published,
    pub(in crate::service) directory: Arc<Directory>,
    pub(in crate::service) signals: Arc<Signals>,
}

impl Observer for Derived {
    fn committed(
        &mut self,
        connection: &Connection,
        committed: &Committed<'_>,
    ) -> Result<(), ObserverError> {
        // Readers see a batch in the books and in the figures at the same moment.
        let mut books = self.books.write();
        let last = committed.activities.last().map(|activity| activity.seq);
        committed.draft.publish(&mut books, last.unwrap_or(Seq(0)));
        let counted = self.engine.apply(committed.activities);
        drop(books);
        counted.map_err(FoldError::Figures)?;
        if let Some(last) = last {
            self.books.advance(last);
        }
        if !committed.access.is_empty() {
            self.directory.apply(connection, committed.access)?;
        }
        self.signals.notify(committed);
        Ok(())
    }

    fn rebuild(&mut self, connection: &Connection) -> Result<(), ObserverError> {
        let Loaded { figures, books, .. } = Loaded::from_log(connection)?;
        let last = books.last_seq();
        self.engine.replace(figures);
        *self.books.write() = books;
        self.books.advance(last);
        self.directory.rebuild(connection)?;
        let last = store::log::last_seq(connection)?;
        self.signals.notify_all(last.unwrap_or(Seq(0)));
        Ok(())
    }
}
