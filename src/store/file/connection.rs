//! Opening connections: the file's mode, and the PRAGMAs of every connection in one place.

use std::fs::OpenOptions;
use std::io::ErrorKind;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use rusqlite::{Connection, OpenFlags};

use super::lock::Lock;
use super::open_error::OpenError;
use super::schema;

/// The use of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Role {
    Writer,
    Reader,
}

/// The number of statements that a connection keeps prepared.
const STATEMENTS_MAX: usize = 128;

/// Creates the file, if there is none, so that only its owner can read it (mode 0600). SQLite gives
/// the -wal and -shm files the mode of the database.
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

/// Opens a connection that writes.
pub(in crate::store) fn open_writer(path: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| set_pragmas(&connection, Role::Writer).map(|()| connection))
        .map_err(|source| OpenError::from_sqlite(path, source))
}

/// Opens a connection that can only move pages from the write-ahead log into the file.
pub(in crate::store) fn open_to_checkpoint(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_writer(path)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    Ok(connection)
}

/// Refuses a file that is not ours or that a newer program wrote, without changing a byte of it.
/// The caller holds the lock: in our own file, a change that a killed process did not finish is
/// rolled back.
pub(in crate::store) fn check_ours(path: &Path) -> Result<(), OpenError> {
    match checked(path) {
        Err(error) if is_half_done(&error) => {
            recover(path)?;
            checked(path).map(drop)
        }
        other => other.map(drop),
    }
}

/// Opens a connection that can only read, and returns it with the version of its schema.
fn checked(path: &Path) -> Result<(Connection, i64), OpenError> {
    let connection = Connection::open_with_flags(path, reader_flags())
        .and_then(|connection| set_pragmas(&connection, Role::Reader).map(|()| connection))
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    let version = schema::check(&connection, path)?;
    Ok((connection, version))
}

/// Whether a read failed because a process was killed while it changed the journal mode, and left a
/// journal that has to be rolled back first.
fn is_half_done(error: &OpenError) -> bool {
    let OpenError::Sqlite { source, .. } = error else {
        return false;
    };
    source.sqlite_error_code() == Some(rusqlite::ErrorCode::ReadOnly)
}

/// Rolls back a change that a killed process did not finish, if the file is ours. The caller holds
/// the lock.
fn recover(path: &Path) -> Result<(), OpenError> {
    check_without_journal(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
        .and_then(|connection| {
            connection.busy_timeout(Duration::from_secs(5))?;
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))
        })
        .map_err(|source| OpenError::from_sqlite(path, source))
}

/// Checks only the bytes of the file itself, without the files next to it.
fn check_without_journal(path: &Path) -> Result<(), OpenError> {
    const KEPT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'/');
    let bytes = path.as_os_str().as_encoded_bytes();
    let uri = format!("file:{}?immutable=1", percent_encode(bytes, KEPT));
    let connection = Connection::open_with_flags(uri, reader_flags() | OpenFlags::SQLITE_OPEN_URI)
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    schema::check(&connection, path).map(drop)
}

/// Opens a connection that can only read. Other processes may have the file open.
///
/// # Errors
/// [`OpenError`] if there is no such file, it is not ours, or its schema has another version.
pub fn open_read_only(path: &Path) -> Result<Connection, OpenError> {
    let connection = open_any_version(path)?;
    schema::check_current(&connection, path)?;
    Ok(connection)
}

/// Opens a connection to read much of a file once. The file is known to be ours.
pub(in crate::store) fn open_to_scan(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, reader_flags())?;
    set_pragmas(&connection, Role::Reader)?;
    // KiB. Small, as no page is needed twice.
    connection.pragma_update(None, "cache_size", -256)?;
    Ok(connection)
}

/// As [`open_read_only`], but accepts a database with an older schema.
///
/// # Errors
/// [`OpenError`] if there is no such file, it is not ours, or a newer program wrote it.
pub fn open_any_version(path: &Path) -> Result<Connection, OpenError> {
    if let Err(source) = std::fs::metadata(path) {
        return Err(OpenError::File {
            path: path.to_owned(),
            source,
        });
    }
    let opened = match checked(path) {
        Err(error) if is_half_done(&error) => {
            // If a server has the lock, it has rolled back already.
            if let Ok(lock) = Lock::take(path) {
                recover(path)?;
                drop(lock);
            }
            checked(path)
        }
        other => other,
    };
    match opened? {
        // The file is empty.
        (_, 0) => Err(OpenError::NotOurs {
            path: path.to_owned(),
        }),
        (connection, _) => Ok(connection),
    }
}

pub(in crate::store) fn reader_flags() -> OpenFlags {
    OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// Sets every PRAGMA that matters, each with its reason.
pub(in crate::store) fn set_pragmas(connection: &Connection, role: Role) -> rusqlite::Result<()> {
    // First, so that the following ones wait for a lock instead of failing.
    connection.busy_timeout(Duration::from_secs(5))?;
    // An altered schema must not call functions with side effects.
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    match role {
        Role::Writer => {
            // Readers are not blocked while the writer commits.
            connection.pragma_update(None, "journal_mode", "WAL")?;
            // A commit is on the disk before it is acknowledged.
            connection.pragma_update(None, "synchronous", "FULL")?;
            // Off by default in SQLite.
            connection.pragma_update(None, "foreign_keys", true)?;
            // REPLACE must not bypass the append-only triggers.
            connection.pragma_update(None, "recursive_triggers", true)?;
            // Deleted rows are overwritten, so that their content cannot be found in the file.
            connection.pragma_update(None, "secure_delete", true)?;
            // The writer decides: its own thread checkpoints when idle, another one under load.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
            // KiB. Room for the pages that random members and keys touch.
            connection.pragma_update(None, "cache_size", -32_768)?;
        }
        Role::Reader => {
            // Even a wrong statement cannot write.
            connection.pragma_update(None, "query_only", true)?;
            connection.pragma_update(None, "cache_size", -8_192)?;
        }
    }
    Ok(())
}
