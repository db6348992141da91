//! Failures to open a database file. Each message says what to do.

use std::path::{Path, PathBuf};

use crate::store::Error;

/// The reason why a database file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the database {path} is in use by another stampcard process{holder}; stop that one first, \
         or choose another --database",
        path = path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// The other process, if it could be read.
        holder: String,
    },
    /// Its lock file is not ours.
    #[error(
        "{path} is not a lock file of stampcard (a regular file that is empty or holds a process \
         number): move it away, or choose another --database",
        path = path.display()
    )]
    ForeignLock {
        /// The path of the lock file.
        path: PathBuf,
    },
    /// A newer program wrote it.
    #[error(
        "the database {path} has schema version {found}, this program knows up to {known}; \
         start it with the version of stampcard that wrote it, or a newer one",
        path = path.display()
    )]
    TooNew {
        /// The database.
        path: PathBuf,
        /// The version it has.
        found: i64,
        /// The newest version this program knows.
        known: i64,
    },
    /// It is the database of another program, or not a database.
    #[error("{path} is not a stampcard database", path = path.display())]
    NotOurs {
        /// The file.
        path: PathBuf,
    },
    /// Its pages contradict each other.
    #[error("the database {path} cannot be read ({HINT_OF_DAMAGE})", path = path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
    },
    /// The file or its folder cannot be used.
    #[error(
        "the database {path} cannot be opened ({hint})",
        path = path.display(),
        hint = hint_of_file(source)
    )]
    File {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// SQLite failed.
    #[error(
        "the database {path} cannot be opened ({hint})",
        path = path.display(),
        hint = hint_of_sqlite(source)
    )]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: rusqlite::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the schema of {path} could not be brought up to date", path = path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: MigrationError,
    },
    /// An import into it was not finished.
    #[error(
        "an import into the database {path} was not finished; run `stampcard import` with the same \
         file again, or delete the database",
        path = path.display()
    )]
    UnfinishedImport {
        /// The database.
        path: PathBuf,
    },
    /// An earlier version wrote it.
    #[error(
        "the database {path} has the schema of an earlier version; run `stampcard migrate` on it, \
         or start the server, which does the same",
        path = path.display()
    )]
    OldSchema {
        /// The database.
        path: PathBuf,
    },
    /// Its schema is not the one that this program creates.
    #[error(
        "the schema of the database {path} was altered: {}; undo the alteration, or restore a \
         backup",
        .findings.join("; "),
        path = path.display()
    )]
    Altered {
        /// The database.
        path: PathBuf,
        /// The objects that were added, dropped or altered, one sentence each.
        findings: Vec<String>,
    },
    /// The pool of readers could not be filled.
    #[error("the reading connections could not be opened")]
    Pool(#[source] r2d2::Error),
}

impl OpenError {
    /// The reason why a file cannot be opened. SQLite reports only on the first read that a file is
    /// not a database.
    pub(in crate::store) fn from_sqlite(path: &Path, source: rusqlite::Error) -> Self {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => Self::NotOurs { path },
            _ => Self::Sqlite { path, source },
        }
    }
}

/// The reason why the schema of a database cannot be brought up to date.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The disk has too little free space.
    #[error(
        "the migration needs up to {} MB of free disk space, and {} MB are free; nothing was \
         changed: free some space and start again",
        needed.div_ceil(1_000_000), free / 1_000_000
    )]
    NoRoom {
        /// Bytes that may be needed.
        needed: u64,
        /// Bytes that are free.
        free: u64,
    },
    /// The schema was altered.
    #[error("{0}; nothing was changed: undo the alteration, or restore a backup")]
    Altered(String),
    /// The database failed.
    #[error("the database failed; the rows moved so far are kept, and the next start resumes")]
    Storage(#[from] Error),
    /// The file system did not report its free space.
    #[error("the file system does not report its free space")]
    Room(#[source] std::io::Error),
}

impl From<rusqlite::Error> for MigrationError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Storage(error.into())
    }
}

/// Advice on a file that cannot be used.
fn hint_of_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "the file or at least its folder must exist",
        _ => "it and its folder must be readable and writable by this user",
    }
}

/// Advice on a file that SQLite does not open.
fn hint_of_sqlite(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program has locked it: close that program"
        }
        Some(ErrorCode::DatabaseCorrupt) => HINT_OF_DAMAGE,
        Some(ErrorCode::DiskFull) => "its disk is full: free some space",
        _ => "it and its folder must be readable and writable by this user",
    }
}

/// Advice on a damaged file.
const HINT_OF_DAMAGE: &str = "it is damaged: `stampcard verify` reports where, `stampcard restore` \
     replaces it with a backup";
