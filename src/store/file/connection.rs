//! Opening connections: the file's mode, and the PRAGMAs of every connection in one place.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};

use crate::store::{Lock, OpenError};

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Role {
    Writer,
    Reader,
}

/// Statements a connection keeps prepared.
const STATEMENTS_MAX: usize = 128;

/// Makes the file if there is none, for its owner alone (mode 0600). SQLite gives the -wal and -shm
/// files the mode of the database.
pub(in crate::store) fn create_private(path: &Path) -> Result<(), OpenError> {
    match OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
    {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(source) => Err(OpenError::File {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Opens the one connection that writes.
pub(in crate::store) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| set_pragmas(&connection, Role::Writer).map(|()| connection))
        .map_err(|source| failure(path, source))
}

/// Opens a connection that moves pages from the log into the file, and can write nothing else.
pub(in crate::store) fn open_to_checkpoint(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_writer(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| failure(path, source))?;
    Ok(connection)
}

/// Refuses a file that is not ours or that a newer program made, without changing a byte of it. The
/// caller holds the lock: what a killed process left half done in our own file is rolled back.
pub(in crate::store) fn check_ours(path: &Path) -> Result<(), OpenError> {
    match checked(path) {
        Err(error) if is_half_done(&error) => {
            recover(path)?;
            checked(path).map(drop)
        }
        other => other.map(drop),
    }
}

/// A connection that can only read, and the version of the schema behind it.
fn checked(path: &Path) -> Result<(Connection, i64), OpenError> {
    let connection = Connection::open_with_flags(path, reader_flags())
        .and_then(|connection| set_pragmas(&connection, Role::Reader).map(|()| connection))
        .map_err(|source| failure(path, source))?;
    let version = super::migrations::check(&connection, path)?;
    Ok((connection, version))
}

/// Whether reading failed because the file has to be written first: a process was killed while it
/// changed the journal mode, and left a journal that has to be rolled back.
fn is_half_done(error: &OpenError) -> bool {
    let OpenError::Sqlite { source, .. } = error else {
        return false;
    };
    source.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
}

/// Rolls back what a killed process left half done, if the file is ours. The caller holds the lock.
fn recover(path: &Path) -> Result<(), OpenError> {
    check_as_it_lies(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        })
        .map_err(|source| failure(path, source))
}

/// The checks of [`checked`] on the bytes of the file alone, whatever stands beside it.
fn check_as_it_lies(path: &Path) -> Result<(), OpenError> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    let bytes = path.as_os_str().as_encoded_bytes();
    let uri = format!("file:{}?immutable=1", percent_encode(bytes, KEPT));
    let connection = Connection::open_with_flags(uri, reader_flags() | OpenFlags::SQLITE_OPEN_URI)
        .map_err(|source| failure(path, source))?;
    super::migrations::check(&connection, path).map(drop)
}

/// The file itself, if the name is a symbolic link to one: a lock beside another name of it would
/// let two processes in.
///
/// # Errors
/// [`OpenError::File`] if the link leads nowhere.
pub fn resolved(path: &Path) -> Result<PathBuf, OpenError> {
    if !path.is_symlink() {
        return Ok(path.to_owned());
    }
    path.canonicalize().map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

/// Why a file cannot be opened: SQLite says so of a file that is no database once it is read.
pub(in crate::store) fn failure(path: &Path, source: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotOurs { path },
        _ => OpenError::Sqlite { path, source },
    }
}

/// Opens a connection that can only read, beside whatever else has the file open.
///
/// # Errors
/// [`OpenError`] if there is no such file, it is not ours, or it has a version not known here.
pub fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_any_version(path)?;
    super::migrations::check_current(&connection, path)?;
    Ok(connection)
}

/// Opens another connection to a file that is known to be ours, to read much of it once.
pub(in crate::store) fn open_to_scan(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, reader_flags())?;
    set_pragmas(&connection, Role::Reader)?;
    // KiB: no page is needed twice.
    connection.pragma_update(None, "cache_size", -256)?;
    Ok(connection)
}

/// [`open_read_only`], also of a database whose schema is older.
///
/// # Errors
/// [`OpenError`] if there is no such file, it is not ours, or a newer program made it.
pub fn open_any_version(path: &Path) -> Result<Connection, OpenError> {
    if let Err(source) = std::fs::metadata(path) {
        return Err(OpenError::File {
            path: path.to_owned(),
            source,
        });
    }
    let opened = match checked(path) {
        Err(error) if is_half_done(&error) => {
            // A server that has the lock rolls back itself.
            if let Ok(lock) = Lock::take(path) {
                recover(path)?;
                drop(lock);
            }
            checked(path)
        }
        other => other,
    };
    match opened? {
        // Nothing was ever written to it.
        (_, 0) => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
        (connection, _) => Ok(connection),
    }
}

pub(in crate::store) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Sets every PRAGMA that matters, each for the reason beside it.
pub(in crate::store) fn set_pragmas(connection: &Connection, role: Role) -> rusqlite::Result<()> {
    // First, so that the following ones wait for a lock instead of failing.
    connection.busy_timeout(Duration::from_secs(5))?;
    // A schema that was tampered with cannot call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    match role {
        Role::Writer => {
            // Readers go on while the writer commits.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A commit is on the disk before it is acknowledged.
            connection.pragma_update(None, "synchronous", "FULL")?;
            // Off by default in SQLite.
            connection.pragma_update(None, "foreign_keys", true)?;
            // So that REPLACE cannot pass the append-only triggers either.
            connection.pragma_update(None, "recursive_triggers", true)?;
            // What was deleted or erased is overwritten, so that nobody finds it in the file.
            connection.pragma_update(None, "secure_delete", true)?;
            // The writer says when: a thread beside it under load, itself when idle.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            // KiB: room for the pages that random members and keys touch.
            connection.pragma_update(None, "cache_size", -32_768)?;
        }
        Role::Reader => {
            // Even a mistake in a statement cannot write.
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "cache_size", -8_192)?;
        }
    }
    Ok(())
}
