//! Why a database file cannot be opened, each kind in a sentence that says what to do.

use std::path::PathBuf;

use super::migrations::MigrationError;

/// Why a database file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error(
        "the database {path} is in use by another stampcard process{holder}; stop that one first, \
         or give this one another --database",
        path = path.display()
    )]
    InUse {
        /// The database.
        path: PathBuf,
        /// The other process, if it could be read.
        holder: String,
    },
    /// What stands in the place of its lock file is somebody else's.
    #[error(
        "{path} is not a lock file of stampcard (a regular file that is empty or holds a process \
         number): move it away, or give this one another --database",
        path = path.display()
    )]
    ForeignLock {
        /// Where the lock file has its place.
        path: PathBuf,
    },
    /// A newer program made it.
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
    /// It is some other program's database, or no database at all.
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
        /// Why not.
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
        /// Why not.
        #[source]
        source: rusqlite::Error,
    },
    /// The schema could not be brought up to date.
    #[error("the schema of {path} could not be brought up to date", path = path.display())]
    Migration {
        /// The database.
        path: PathBuf,
        /// Why not.
        #[source]
        source: MigrationError,
    },
    /// An import into it stopped half-way.
    #[error(
        "an import into the database {path} was not finished; run `stampcard import` with the same \
         file again, or delete the database",
        path = path.display()
    )]
    UnfinishedImport {
        /// The database.
        path: PathBuf,
    },
    /// An earlier version made it.
    #[error(
        "the database {path} has the schema of an earlier version; run `stampcard migrate` on it, \
         or start the server, which does the same",
        path = path.display()
    )]
    OldSchema {
        /// The database.
        path: PathBuf,
    },
    /// Its schema is not the one that this program makes.
    #[error(
        "the schema of the database {path} was altered: {}; undo the alteration, or restore a backup",
        .findings.join("; "),
        path = path.display()
    )]
    Altered {
        /// The database.
        path: PathBuf,
        /// The objects that were added, dropped or altered, a sentence each.
        findings: Vec<String>,
    },
    /// The pool of readers could not be filled.
    #[error("the reading connections could not be opened")]
    Pool(#[source] r2d2::Error),
}

/// What to do about a file that cannot be used.
fn hint_of_file(error: &std::io::Error) -> &'static str {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there must be such a file, or at least its folder",
        _ => "it and its folder must be readable and writable by this user",
    }
}

/// What to do about a file that SQLite does not open.
fn hint_of_sqlite(error: &rusqlite::Error) -> &'static str {
    use rusqlite::ErrorCode;
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds it locked: close that one"
        }
        Some(ErrorCode::DatabaseCorrupt) => HINT_OF_DAMAGE,
        Some(ErrorCode::DiskFull) => "make room on its disk",
        _ => "it and its folder must be readable and writable by this user",
    }
}

/// What to do about a damaged file.
const HINT_OF_DAMAGE: &str =
    "it is damaged: `stampcard verify` says where, `stampcard restore` puts a backup in its place";
