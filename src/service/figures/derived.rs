//! State that is derived from the log and the keys, and kept up to date with every commit.

use std::sync::Arc;

use crate::analytics::{Contradiction, Engine, Figures};
use crate::books::{Books, Published};
use crate::domain::Seq;
use crate::service::{Directory, Signals};
use crate::store::{self, Committed, Connection, Observer, ObserverError};

/// Why the log cannot be folded.
#[derive(Debug, thiserror::Error)]
pub(in crate::service) enum FoldError {
    /// The database cannot be read.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// A row contradicts those before it, according to the books.
    #[error(transparent)]
    Books(#[from] crate::books::Contradiction),
    /// A row contradicts those before it.
    #[error(transparent)]
    Contradiction(#[from] Contradiction),
}

impl From<FoldError> for ObserverError {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Storage(error) => Self::Storage(error),
            FoldError::Books(contradiction) => Self::Contradiction(contradiction.into()),
            FoldError::Contradiction(contradiction) => Self::Contradiction(contradiction.into()),
        }
    }
}

/// The figures, the keys and the signals, which follow every commit.
#[derive(Debug)]
pub(in crate::service) struct Derived {
    pub(in crate::service) books: Published,
    pub(in crate::service) engine: Arc<Engine>,
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
        counted.map_err(FoldError::Contradiction)?;
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
        self.engine.replace(fold(connection)?);
        let books = fold_books(connection)?;
        let last = books.last_seq();
        *self.books.write() = books;
        self.books.advance(last);
        self.directory.rebuild(connection)?;
        let last = store::log::last_seq(connection)?;
        self.signals.notify_all(last.unwrap_or(Seq(0)));
        Ok(())
    }
}

/// Folds the whole log.
pub(in crate::service) fn fold(connection: &Connection) -> Result<Figures, FoldError> {
    let mut figures = Figures::default();
    fold_newer(connection, &mut figures)?;
    figures.settle();
    Ok(figures)
}

/// Counts the rows of the log that the figures do not hold yet, and returns their number. The
/// caller settles the figures.
pub(in crate::service) fn fold_newer(
    connection: &Connection,
    figures: &mut Figures,
) -> Result<u64, FoldError> {
    let after = figures.last_seq().unwrap_or(Seq(0));
    let mut rows = 0;
    let mut counted = Ok(());
    store::replay(connection, after, |activity| {
        // After a contradiction nothing can be counted correctly.
        if counted.is_ok() {
            rows += 1;
            counted = figures.apply(activity);
        }
    })?;
    counted?;
    Ok(rows)
}

pub(in crate::service) fn fold_books(connection: &Connection) -> Result<Books, FoldError> {
    let mut books = Books::default();
    let given = store::members::given_token_ends(connection)?;
    let mut folded = Ok(());
    store::log::read_logged(connection, Seq(0), |row| {
        if folded.is_ok() {
            folded = books.apply(&row.as_row(), |member| given.get(&member).copied());
        }
    })?;
    folded?;
    store::members::each_id(connection, |number, program, id| {
        books.name(number, program, &id);
    })?;
    Ok(books)
}
