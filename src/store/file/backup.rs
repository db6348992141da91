//! Copies of a database file, and the replacement of one file by another.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::open_error::OpenError;
pub use super::paths::{resolved, with_suffix};
use super::schema::Progress;
use super::{connection, migrations, scrub};
use crate::store::Error;
use crate::store::tables::settings;

/// Pages copied between two reports of progress (4 MiB).
const STEP_PAGES: i32 = 1024;
/// How often a step is retried if the source is locked, and the pause between two tries.
const BUSY_TRIES_MAX: u32 = 100;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// Copies the database behind `source` into the empty file `target`. The copy shows one moment; it
/// neither waits for writers nor blocks them. It is a single file, without a write-ahead log.
/// `progress` receives the number of copied pages and of all pages.
///
/// # Errors
/// [`Error`] if one of the two files fails.
pub fn copy(
    source: &Connection,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), Error> {
    // An open read transaction pins the moment; without it, every commit would restart the copy.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut copy = open_plain(target)?;
    // The caller syncs the finished file once, before it renames it.
    copy.pragma_update(None, "synchronous", "OFF")?;
    copy.pragma_update(None, "secure_delete", true)?;
    let backup = Backup::new(source, &mut copy)?;
    let mut tries = 0;
    loop {
        match backup.step(STEP_PAGES)? {
            StepResult::Done => break,
            StepResult::Busy | StepResult::Locked if tries < BUSY_TRIES_MAX => {
                tries += 1;
                std::thread::sleep(BUSY_WAIT);
            }
            StepResult::More => tries = 0,
            _ => return Err(Error::Impossible("lock that is never released")),
        }
        let state = backup.progress();
        let pages = |count| u64::try_from(count).unwrap_or(0);
        let total = pages(state.pagecount);
        progress(total - pages(state.remaining), total);
    }
    drop(backup);
    if settings::is_scrub_wanted(&copy)? {
        // The source has not finished scrubbing after an erasure.
        scrub::scrub_all(&copy)?;
    }
    settle_into_one_file(&copy)?;
    Ok(())
}

/// Brings the schema of a copy up to date. Takes no lock, as no other process knows the file yet.
///
/// # Errors
/// [`OpenError`].
pub fn bring_up_to_date(path: &Path, progress: Progress<'_>) -> Result<(), OpenError> {
    let mut copy = connection::open_writer(path)?;
    migrations::migrate(&mut copy, path, progress)?;
    settle_into_one_file(&copy).map_err(|source| OpenError::from_sqlite(path, source))
}

/// The reason why a database cannot be replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Another process reads the database that is to be replaced.
    #[error(
        "another program has the database {path} open; close it, then restore again",
        path = path.display()
    )]
    Busy {
        /// The database.
        path: PathBuf,
    },
    /// A file could not be moved.
    #[error("{path} cannot be put in place", path = path.display())]
    File {
        /// The database.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// Enters the journal mode that the server uses, and syncs the file. If the mode changed only after
/// the file has its name, a kill could leave the change unfinished.
///
/// # Errors
/// [`OpenError`].
pub fn enter_final_mode(path: &Path) -> Result<(), OpenError> {
    let connection = open_plain(path).map_err(|source| OpenError::from_sqlite(path, source))?;
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .and_then(|_| connection.close().map_err(|(_, error)| error))
        .map_err(|source| OpenError::from_sqlite(path, source))?;
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

/// Replaces `database`, whose lock the caller holds, by `prepared`. The old file gets the name
/// `kept`; returns `false` if there was none. At every moment the name of the database leads to a
/// whole database, the old or the new one, as long as the old one is not damaged.
///
/// # Errors
/// [`ReplaceError`]. Then the old database is still in its place.
pub fn replace(database: &Path, prepared: &Path, kept: &Path) -> Result<bool, ReplaceError> {
    let failed = |source| ReplaceError::File {
        path: database.to_owned(),
        source,
    };
    let exists = database.try_exists().map_err(failed)?;
    if exists {
        // Its write-ahead log is moved into it first: the new file must not meet the old log.
        let is_readable = begins_like_a_database(database).map_err(failed)?;
        if is_readable && matches!(empty_log(database), Ok(false)) {
            return Err(ReplaceError::Busy {
                path: database.to_owned(),
            });
        }
        // A log that is left belongs to a damaged database and is kept together with it.
        for suffix in ["-wal", "-journal"] {
            link_unless_empty(&with_suffix(database, suffix), &with_suffix(kept, suffix))
                .map_err(failed)?;
        }
        fs::hard_link(database, kept).map_err(failed)?;
        sync_folder(database).map_err(failed)?;
    }
    // SQLite would apply either log to the new file.
    for suffix in ["-wal", "-shm", "-journal"] {
        remove_if_there(&with_suffix(database, suffix)).map_err(failed)?;
    }
    fs::rename(prepared, database).map_err(failed)?;
    sync_folder(database).map_err(failed)?;
    Ok(exists)
}

/// Syncs the folder of a file, so that its name is on the disk too.
///
/// # Errors
/// The error of the operating system.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether a file begins like a database. SQLite would delete the write-ahead log of any other
/// file.
fn begins_like_a_database(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == b"SQLite format 3\0")
}

/// Moves the write-ahead log into the database. Returns `false` if a reader is in the way.
fn empty_log(database: &Path) -> rusqlite::Result<bool> {
    let connection = open_plain(database)?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
        row.get::<_, i64>(0).map(|busy| busy == 0)
    })
}

/// Leaves WAL mode, so that the database is one file. The server enters it again.
fn settle_into_one_file(connection: &Connection) -> rusqlite::Result<()> {
    connection.pragma_update(None, "journal_mode", "DELETE")
}

fn open_plain(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn link_unless_empty(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(from) {
        Ok(found) if found.len() > 0 => fs::hard_link(from, to),
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    #[test]
    fn a_copy_is_scrubbed_if_its_source_is_not_yet() {
        let folder = tempfile::tempdir().unwrap();
        let connection = open_new(&folder.path().join("source.db"));
        scrub::leave_remains(&connection);
        for is_wanted in [false, true] {
            if is_wanted {
                settings::want_scrub(&connection).unwrap();
            }
            let path = folder.path().join(format!("{is_wanted}.db"));
            connection::create_private(&path).unwrap();
            copy(&connection, &path, |_, _| ()).unwrap();
            let copied = open_plain(&path).unwrap();
            // The deleted setting leaves two bytes, which are no words.
            assert_eq!(scrub::remains(&copied) <= 1, is_wanted);
            assert!(!settings::is_scrub_wanted(&copied).unwrap());
        }
    }

    fn open_new(path: &Path) -> Connection {
        connection::create_private(path).unwrap();
        let connection = connection::open_writer(path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        connection
    }
}
