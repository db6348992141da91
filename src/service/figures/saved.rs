//! Loads the figures and the books: from what was saved of them and the newer rows of the log or,
//! where nothing usable was saved, from the whole log. Both give the same.

use std::thread::{Builder, scope};
use std::time::Instant;

use super::fold::{Applied, FoldError, Folded};
use super::generations::{self, Generations};
use super::snapshots::{self, LastSnapshot};
use crate::analytics::Figures;
use crate::books::Books;
use crate::domain::{ExternalUserId, MemberNumber, ProgramNumber};
use crate::store::{self, Connection};

/// The figures and the books, up to the newest row of the log.
#[derive(Debug)]
pub struct Loaded {
    /// The figures.
    pub figures: Figures,
    /// The books, with the ids of all members.
    pub books: Books,
    /// The snapshot of the figures that the database has.
    pub(in crate::service) snapshot: LastSnapshot,
    /// The generations of the books that the database has.
    pub(in crate::service) generations: Generations,
}

impl Loaded {
    /// Loads both as fast as possible.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn load(connection: &Connection) -> Result<Self, FoldError> {
        let start = Instant::now();
        let mut restored = Restored::read(connection)?;
        if let Some(reason) = restored.no_figures {
            tracing::info!(reason, "folding the figures from the whole log");
        }
        if let Some(reason) = restored.no_books {
            tracing::info!(reason, "folding the books from the whole log");
        }
        let (has_figures, has_books) = (restored.has_figures(), restored.has_books());
        let applied = restored.catch_up(connection)?;
        match restored.folded.check() {
            Ok(()) => {}
            Err(contradiction) if has_figures || has_books => {
                tracing::warn!(
                    %contradiction,
                    "the log does not follow from what was saved; folding the whole log"
                );
                drop(restored);
                return Self::from_log(connection);
            }
            Err(contradiction) => return Err(contradiction),
        }
        if restored.lacks_members() {
            tracing::warn!("the saved books lack members; folding the whole log");
            drop(restored);
            return Self::from_log(connection);
        }
        let loaded = restored.named(connection)?;
        let duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
        let origin = if has_figures {
            "the snapshot and the rows after it"
        } else {
            "the whole log"
        };
        let rows = applied.to_figures;
        tracing::info!(origin, rows, duration_ms, "the figures are loaded");
        let origin = if has_books {
            "the saved books and the rows after them"
        } else {
            "the whole log"
        };
        let rows = applied.to_books;
        tracing::info!(origin, rows, duration_ms, "the books are loaded");
        Ok(loaded)
    }

    /// Folds the whole log.
    ///
    /// # Errors
    /// [`FoldError`].
    pub fn from_log(connection: &Connection) -> Result<Self, FoldError> {
        let mut restored = Restored::default();
        restored.catch_up(connection)?;
        restored.folded.check()?;
        Ok(restored.named(connection)?)
    }
}

/// The figures and the books that were saved; empty ones where they cannot be used.
#[derive(Debug, Default)]
pub(in crate::service) struct Restored {
    pub(in crate::service) folded: Folded,
    snapshot: LastSnapshot,
    generations: Generations,
    /// The reasons why they cannot be used.
    no_figures: Option<&'static str>,
    no_books: Option<&'static str>,
    /// Members that the restored books did not have yet.
    unnamed: Vec<(MemberNumber, ProgramNumber, ExternalUserId)>,
}

impl Restored {
    /// Reads what was saved: the books on a second thread, if there can be a second connection.
    pub(in crate::service) fn read(connection: &Connection) -> Result<Self, store::Error> {
        let Some(second) = store::sibling(connection)? else {
            let mut restored = Self::default();
            restored.restore_books(connection)?;
            restored.restore_figures(connection)?;
            return Ok(restored);
        };
        scope(|scope| {
            let books = Builder::new()
                .name("stampcard-books".to_owned())
                .spawn_scoped(scope, move || {
                    let mut restored = Self::default();
                    restored.restore_books(&second).map(|()| restored)
                })
                .map_err(store::Error::Thread)?;
            let mut figures = Self::default();
            let read = figures.restore_figures(connection);
            let books = books
                .join()
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            read?;
            let mut restored = books?;
            restored.folded.figures = figures.folded.figures;
            restored.snapshot = figures.snapshot;
            restored.no_figures = figures.no_figures;
            Ok(restored)
        })
    }

    /// Whether there are saved figures.
    pub(in crate::service) fn has_figures(&self) -> bool {
        self.snapshot.last_seq.is_some()
    }

    /// Whether there are saved books.
    pub(in crate::service) fn has_books(&self) -> bool {
        self.generations.has_base()
    }

    fn restore_figures(&mut self, connection: &Connection) -> Result<(), store::Error> {
        match snapshots::restore(connection)? {
            Ok((figures, stored)) => {
                let last_seq = figures.last_seq();
                self.snapshot = LastSnapshot { stored, last_seq };
                self.folded.figures = figures;
            }
            Err(reason) => self.no_figures = Some(reason),
        }
        Ok(())
    }

    /// Restores the books, with the ids of the members that they have.
    fn restore_books(&mut self, connection: &Connection) -> Result<(), store::Error> {
        match generations::restore(connection)? {
            Ok((books, generations)) => {
                self.folded.books = books;
                self.generations = generations;
            }
            Err(reason) => {
                self.no_books = Some(reason);
                return Ok(());
            }
        }
        let (books, unnamed) = (&mut self.folded.books, &mut self.unnamed);
        store::books::ids(connection, |number, program, id| {
            if books.record(number).is_some() {
                books.name(number, program, &id);
            } else {
                unnamed.push((number, program, id));
            }
        })
    }

    /// Applies the newer rows of the log, and settles the figures.
    pub(in crate::service) fn catch_up(
        &mut self,
        connection: &Connection,
    ) -> Result<Applied, store::Error> {
        let applied = self.folded.catch_up(connection)?;
        if self.folded.figures.settle() {
            // Closed blocks have changed, so that the stored ones cannot be used.
            self.snapshot = LastSnapshot::default();
        }
        Ok(applied)
    }

    /// Whether the books that were restored lack a member who has a row.
    fn lacks_members(&self) -> bool {
        let books = &self.folded.books;
        let mut numbers = self.unnamed.iter().map(|(number, ..)| *number);
        numbers.any(|number| books.record(number).is_none())
    }

    /// The result, after the ids of further members were read.
    fn named(mut self, connection: &Connection) -> Result<Loaded, store::Error> {
        let books = &mut self.folded.books;
        if self.generations.has_base() {
            for (number, program, id) in &self.unnamed {
                books.name(*number, *program, id);
            }
        } else {
            store::books::ids(connection, |number, program, id| {
                books.name(number, program, &id);
            })?;
        }
        Ok(Loaded {
            figures: self.folded.figures,
            books: self.folded.books,
            snapshot: self.snapshot,
            generations: self.generations,
        })
    }
}
