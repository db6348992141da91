//! A database file that this process owns.

use std::path::{Path, PathBuf};

use super::condition::Condition;
use super::lock::Lock;
use super::open_error::OpenError;
use super::schema::{self, Progress, schema_of};
use super::{connection, migrations, paths};
use crate::store::error::Error;
use crate::store::readers::{ReaderSettings, Readers, Readership};
use crate::store::whole::{audit, import_batches};
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
    /// Takes the lock, opens the file and brings its schema up to date. If there is no file,
    /// creates one that only its owner can read.
    ///
    /// # Errors
    /// [`OpenError`], which says what to do.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::open_with(path, &mut |_, _| ())
    }

    /// As [`Database::open`]; `progress` receives the progress of a migration of the schema.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_with(path: &Path, progress: Progress<'_>) -> Result<Self, OpenError> {
        let mut database = Self::open_for_import(path)?;
        if database.version()? == 1 && database.has_unfinished_import()? {
            // The rows that are still to be imported have the columns of that version.
            return Err(OpenError::UnfinishedImport {
                path: path.to_owned(),
            });
        }
        database.migrate(progress)?;
        database.check_schema()?;
        Ok(database)
    }

    /// Refuses an altered schema: a trigger would act on every write.
    fn check_schema(&self) -> Result<(), OpenError> {
        let path = || self.path.clone();
        match audit::schema(&self.connection) {
            Ok(findings) if findings.is_empty() => Ok(()),
            Ok(findings) => Err(OpenError::Altered {
                path: path(),
                findings,
            }),
            Err(Error::Sqlite(source)) => Err(OpenError::from_sqlite(&self.path, source)),
            Err(_) => Err(OpenError::NotOurs { path: path() }),
        }
    }

    /// Takes the lock and opens the file, or creates an empty one, and leaves the schema as it is.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub fn open_for_import(path: &Path) -> Result<Self, OpenError> {
        let path = paths::resolved(path)?;
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

    /// The path of the file, with symbolic links resolved.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The version of the schema; 0 if the file is empty.
    ///
    /// # Errors
    /// [`OpenError`] if the file cannot be read or is not ours.
    pub fn version(&self) -> Result<i64, OpenError> {
        schema::check(&self.connection, &self.path)
    }

    /// Creates the tables of a version in an empty file.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub fn create(&self, version: i64) -> Result<(), Error> {
        let schema = schema_of(version).ok_or(Error::Impossible("version of the schema"))?;
        Ok(migrations::create(&self.connection, version, schema)?)
    }

    /// Brings the schema up to date; `progress` receives how far that is.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn migrate(&mut self, progress: Progress<'_>) -> Result<(), OpenError> {
        migrations::migrate(&mut self.connection, &self.path, progress)
    }

    fn has_unfinished_import(&self) -> Result<bool, OpenError> {
        match import_batches::unfinished_import(&self.connection) {
            Ok(note) => Ok(note.is_some()),
            Err(Error::Sqlite(source)) => Err(OpenError::from_sqlite(&self.path, source)),
            Err(_) => Ok(false),
        }
    }

    /// The connection, for reads before the writer starts.
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

    /// The flag by which reads of anything outside the database, such as the figures, notify the
    /// writer.
    pub fn readership(&self) -> Readership {
        self.readership.clone()
    }
}
