//! Failures of the database.

/// A failure of the database or of the pool in front of it. It is never the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite failed.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// No reading connection became free in time.
    #[error("no reading connection became free in time")]
    PoolExhausted(#[source] r2d2::Error),
    /// Too many reads wait already, or this one waited too long.
    #[error("too many reads wait")]
    TooManyReads,
    /// A row holds a value that no version of this program writes.
    #[error("the database holds an impossible {0}")]
    Impossible(&'static str),
    /// A row that was about to be written cannot follow from those before it.
    #[error(transparent)]
    Contradiction(#[from] crate::books::Contradiction),
    /// A row was read that is not published yet: its commit failed although it reached the disk.
    #[error("a row is not published yet")]
    Unpublished,
    /// A write found its program in a state that is not settled yet.
    #[error("something that is due was not applied yet")]
    Overdue,
    /// The savepoint of a write could not be opened.
    #[error("a write cannot be undone, so that its batch is dropped")]
    Irrevocable,
    /// The system refused a thread.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// Whether SQLite found the file damaged.
    pub fn is_damage(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        )
    }

    /// Whether the cause is the disk or the file, so that a retry may succeed later. Otherwise it
    /// is a defect of the program, which a retry only repeats.
    pub fn is_storage_failure(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::PoolExhausted(_) | Self::TooManyReads | Self::Thread(_) | Self::Unpublished => {
                true
            }
            Self::Impossible(_) | Self::Contradiction(_) | Self::Irrevocable | Self::Overdue => {
                false
            }
            Self::Sqlite(error) => error.sqlite_error_code().is_some_and(|code| {
                !matches!(
                    code,
                    ErrorCode::ConstraintViolation
                        | ErrorCode::TypeMismatch
                        | ErrorCode::ApiMisuse
                        | ErrorCode::ParameterOutOfRange
                        | ErrorCode::Unknown
                )
            }),
        }
    }
}

/// Returns what was read of a row, or `None` if the row cannot be read, so that a bad row affects
/// only its owner. The row's first column is its number.
pub(in crate::store) fn readable<T>(
    table: &'static str,
    row: &rusqlite::Row<'_>,
    read: Result<T, Error>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.is_storage_failure() || error.is_damage() => Err(error),
        Err(error) => {
            let row: i64 = row.get(0).unwrap_or_default();
            let reason = error.to_string();
            tracing::error!(
                table,
                row,
                reason,
                "a row cannot be read and is left out; run `stampcard verify` for details"
            );
            Ok(None)
        }
    }
}
