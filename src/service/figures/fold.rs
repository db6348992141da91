//! Folds the log into the figures and the books.

use std::cell::OnceCell;

use crate::analytics::{self, Figures};
use crate::books::{self, Books};
use crate::domain::{ByNumber, MemberNumber, Seq, Timestamp};
use crate::store::{self, Connection, LoggedRow, ObserverError};

/// The reason why the log cannot be folded.
#[derive(Debug, thiserror::Error)]
pub enum FoldError {
    /// The database cannot be read.
    #[error(transparent)]
    Storage(#[from] store::Error),
    /// A row contradicts those before it in the figures.
    #[error(transparent)]
    Figures(#[from] analytics::Contradiction),
    /// A row contradicts those before it in the books.
    #[error(transparent)]
    Books(#[from] books::Contradiction),
}

impl From<FoldError> for ObserverError {
    fn from(error: FoldError) -> Self {
        match error {
            FoldError::Storage(error) => Self::Storage(error),
            FoldError::Figures(contradiction) => Self::Contradiction(contradiction.into()),
            FoldError::Books(contradiction) => Self::Contradiction(contradiction.into()),
        }
    }
}

/// What is folded from the log. Each part takes no rows after the first that it cannot follow.
#[derive(Debug, Default)]
pub(in crate::service) struct Folded {
    pub(in crate::service) figures: Figures,
    pub(in crate::service) books: Books,
    pub(in crate::service) figures_fault: Option<analytics::Contradiction>,
    pub(in crate::service) books_fault: Option<books::Contradiction>,
}

/// The number of rows that were applied.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::service) struct Applied {
    pub(super) to_figures: u64,
    pub(super) to_books: u64,
}

impl Folded {
    /// Reads the log once and applies to each part the rows that it does not include yet. The
    /// caller settles the figures.
    pub(in crate::service) fn catch_up(
        &mut self,
        connection: &Connection,
    ) -> Result<Applied, store::Error> {
        self.catch_up_with(connection, |_, _| ())
    }

    /// [`Folded::catch_up`]; `check` receives each row with the books before it.
    pub(in crate::service) fn catch_up_with(
        &mut self,
        connection: &Connection,
        mut check: impl FnMut(&Books, &LoggedRow),
    ) -> Result<Applied, store::Error> {
        let in_figures = self.figures.last_seq().unwrap_or(Seq(0));
        let in_books = self.books.last_seq();
        let ends = GivenTokenEnds::of(connection);
        let mut applied = Applied::default();
        store::replay(connection, in_figures.min(in_books), |row| {
            let seq = row.activity.seq;
            if seq > in_figures && self.figures_fault.is_none() {
                applied.to_figures += 1;
                self.figures_fault = self.figures.apply(&row.activity).err();
            }
            if seq > in_books && self.books_fault.is_none() {
                applied.to_books += 1;
                check(&self.books, row);
                let result = self
                    .books
                    .apply(&row_of(row), |member| ends.get(row, member));
                self.books_fault = result.err();
            }
        })?;
        ends.check()?;
        Ok(applied)
    }

    /// The first contradiction, if there is one, as an error.
    pub(in crate::service) fn check(&self) -> Result<(), FoldError> {
        if let Some(fault) = self.figures_fault {
            return Err(fault.into());
        }
        self.books_fault.map_or(Ok(()), |fault| Err(fault.into()))
    }
}

/// What the books read from a row.
pub(super) fn row_of(row: &LoggedRow) -> books::Row<'_> {
    books::Row {
        activity: &row.activity,
        jump: row.jump,
        starts_chain: row.starts_chain,
        hash: None,
        is_given: row.is_given,
    }
}

/// When the last tokens of members expire whom version 0.1.0 created. Their rows are read when the
/// first such member signs up.
struct GivenTokenEnds<'a> {
    connection: &'a Connection,
    ends: OnceCell<Result<ByNumber<MemberNumber, Timestamp>, store::Error>>,
}

impl<'a> GivenTokenEnds<'a> {
    fn of(connection: &'a Connection) -> Self {
        Self {
            connection,
            ends: OnceCell::new(),
        }
    }

    fn get(&self, row: &LoggedRow, member: MemberNumber) -> Option<Timestamp> {
        if !row.is_given {
            return None;
        }
        let read = || store::books::given_token_ends(self.connection);
        let ends = self.ends.get_or_init(read).as_ref().ok()?;
        ends.get(&member).copied()
    }

    fn check(self) -> Result<(), store::Error> {
        self.ends.into_inner().map_or(Ok(()), |ends| ends.map(drop))
    }
}
