//! A database file that this process owns.

use std::path::{Path, PathBuf};

use super::condition::Condition;
use super::lock::Lock;
use super::migrations::{Progress, schema_of};
use super::open_error::OpenError;
use super::{connection, migrations};
use crate::store::error::Error;
use crate::store::readers::{ReaderSettings, Readers, Readership};
use crate::store::whole::{audit, import_batches};
use crate::store::writer::{Observer, Writer, WriterSettings};
use rusqlite::Connection;

/// A database file that this process owns, its schema up to date.
#[derive(Debug)]
pub struct Database {
    pub(in crate::store) path: PathBuf,
    pub(in crate::store) connection: Connection,
    pub(in crate::store) lock: Lock,
    pub(in crate::store) readership: Readership,
    pub(in crate::store) condition: Condition,
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
            condition: Condition::of(&path),
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
