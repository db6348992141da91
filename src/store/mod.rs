//! The only SQL: one SQLite file, one thread that writes it, a pool of connections that read it.
//!
//! **Must not know**: HTTP, JSON of the API, the analytics engine, or why a row changes. It is told
//! by the services, and tells whoever listens what was committed.

pub mod activity;
pub mod audit;
pub mod backup;
mod cells;
pub mod checks;
mod condition;
mod connection;
pub mod conversations;
pub mod credentials;
pub mod credits;
mod definitions;
pub mod deliveries;
pub mod dump;
pub mod erasure;
mod gate;
pub mod idempotency;
pub mod import_batches;
pub mod inbox;
mod key_index;
mod lock;
pub mod members;
mod migrations;
pub mod offers;
pub mod organizations;
pub mod programs;
mod readers;
mod readership;
pub mod redemptions;
pub mod removals;
mod replay;
mod rules;
pub mod sandbox;
mod scrub;
pub mod search;
pub mod settings;
mod shares;
pub mod snapshots;
pub mod transfer;
mod turns;
pub mod webhooks;
mod writer;

use std::path::{Path, PathBuf};

pub use connection::{open_any_version, open_read_only};
pub use lock::Lock;
pub use migrations::{
    MigrationError, Progress, SCHEMA, known_version as schema_version, schema_of,
};
pub use readers::{ReaderSettings, Readers};
pub use readership::Readership;
pub use replay::replay;
pub use rusqlite::Connection;
pub use shares::Tenant;
pub use turns::Turns;
pub use writer::{
    AccessChange, Committed, Counted, Observer, ObserverError, Transaction, WriteError, Writer,
    WriterSettings,
};

/// A failure of the database or of the pool in front of it. It is never the caller's fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite failed.
    #[error("the database failed")]
    Sqlite(#[from] rusqlite::Error),
    /// No reading connection came free in time.
    #[error("no reading connection came free in time")]
    PoolExhausted(#[source] r2d2::Error),
    /// Too many reads wait already, or one waited too long.
    #[error("too many reads wait")]
    TooManyReads,
    /// A row holds what no version of this program writes.
    #[error("the database holds an impossible {0}")]
    Impossible(&'static str),
    /// The system refused a thread.
    #[error("a thread cannot be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// Whether SQLite found the file damaged.
    pub fn is_of_damage(&self) -> bool {
        let Self::Sqlite(error) = self else {
            return false;
        };
        matches!(
            error.sqlite_error_code(),
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase)
        )
    }

    /// Whether the disk or the file is to blame, so that the same may work later; otherwise it is a
    /// defect of the program, which a retry only repeats.
    pub fn is_of_storage(&self) -> bool {
        use rusqlite::ErrorCode;
        match self {
            Self::PoolExhausted(_) | Self::TooManyReads | Self::Thread(_) => true,
            Self::Impossible(_) => false,
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

/// A database file that this process owns, its schema up to date.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    connection: Connection,
    lock: Lock,
    readership: Readership,
    condition: condition::Condition,
}

impl Database {
    /// Takes the lock, opens the file (making it, readable by its owner alone, if there is none)
    /// and brings its schema up to date.
    ///
    /// # Errors
    /// [`OpenError`], each kind in a sentence that says what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, &mut |_, _| ())
    }

    /// [`Database::open`]; `progress` is told how far a migration of the schema is.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(path: &Path, progress: Progress<'_>) -> Result<Self, OpenError> {
        let mut database = Self::open_for_import(path)?;
        if database.version()? == 1 && database.has_unfinished_import()? {
            // The rest of its rows has the columns of that version.
            return Err(OpenError::UnfinishedImport {
                path: path.to_owned(),
            });
        }
        database.migrate(progress)?;
        database.check_schema()?;
        Ok(database)
    }

    /// Refuses a schema that somebody altered: a trigger would act on every write.
    fn check_schema(&self) -> Result<(), OpenError> {
        let path = || self.path.clone();
        match audit::schema(&self.connection) {
            Ok(findings) if findings.is_empty() => Ok(()),
            Ok(findings) => Err(OpenError::Altered {
                path: path(),
                findings,
            }),
            Err(Error::Sqlite(source)) => Err(connection::failure(&self.path, source)),
            Err(_) => Err(OpenError::NotOurs { path: path() }),
        }
    }

    /// Takes the lock and opens the file, or makes an empty one, and leaves the schema as it is.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_for_import(path: &Path) -> Result<Self, OpenError> {
        let path = connection::resolved(path)?;
        let lock = Lock::take(&path)?;
        connection::create_private(&path)?;
        connection::check_ours(&path)?;
        let connection = connection::open_writer(&path)?;
        Ok(Self {
            condition: condition::Condition::of(&path),
            connection,
            path,
            lock,
            readership: Readership::default(),
        })
    }

    /// Where the file is, symbolic links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the schema; 0 of an empty file.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read or is not ours.
    pub fn version(&self) -> Result<i64, OpenError> {
        migrations::check(&self.connection, &self.path)
    }

    /// Makes the tables of a version in an empty file.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn create(&self, version: i64) -> Result<(), Error> {
        let schema = schema_of(version).ok_or(Error::Impossible("version of the schema"))?;
        Ok(migrations::create(&self.connection, version, schema)?)
    }

    /// Brings the schema up to date; `progress` is told how far that is.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn migrate(&mut self, progress: Progress<'_>) -> Result<(), OpenError> {
        migrations::migrate(&mut self.connection, &self.path, progress)
    }

    fn has_unfinished_import(&self) -> Result<bool, OpenError> {
        match import_batches::unfinished_import(&self.connection) {
            Ok(note) => Ok(note.is_some()),
            Err(Error::Sqlite(source)) => Err(connection::failure(&self.path, source)),
            Err(_) => Ok(false),
        }
    }

    /// The connection, for reading before the writer starts.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Opens the pool of read-only connections.
    ///
    /// # Errors
    /// [`OpenError::Pool`].
    pub fn readers(&self, settings: ReaderSettings) -> Result<Readers, OpenError> {
        let shared = (self.readership.clone(), self.condition.clone());
        Readers::open(&self.path, settings, shared)
    }

    /// Where those say so who read something else that the writer keeps, such as the figures.
    pub fn readership(&self) -> Readership {
        self.readership.clone()
    }

    /// Gives the connection and the lock to a thread that does all the writing from now on.
    ///
    /// # Errors
    /// [`Error`] if the idempotency keys or the activity number cannot be read.
    pub fn start_writer(
        self,
        settings: WriterSettings,
        observer: Box<dyn Observer>,
    ) -> Result<Writer, Error> {
        Writer::start(self, settings, observer)
    }
}

/// What was read of a row; `None` of one that cannot be read, which costs its owner and nobody
/// else. The row's first column is its number.
fn readable<T>(
    table: &'static str,
    row: &rusqlite::Row<'_>,
    read: Result<T, Error>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.is_of_storage() || error.is_of_damage() => Err(error),
        Err(error) => {
            let row: i64 = row.get(0).unwrap_or_default();
            let reason = error.to_string();
            tracing::error!(
                table,
                row,
                reason,
                "a row cannot be read and is left out; `stampcard verify` says more"
            );
            Ok(None)
        }
    }
}
