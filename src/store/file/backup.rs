//! Copies of a whole database file, and one file put in the place of another.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

pub use super::connection::resolved;
use super::{connection, migrations, scrub};
use crate::store::tables::settings;
use crate::store::{Error, OpenError, Progress};

/// Pages copied between two reports of progress (4 MiB).
const STEP_PAGES: i32 = 1024;
/// How often a step that finds the source locked is tried again, and how long is waited between.
const BUSY_TRIES_MAX: u32 = 100;
const BUSY_WAIT: Duration = Duration::from_millis(50);

/// Copies the database behind `source` into the empty file `target`. What is copied is one moment:
/// whoever writes meanwhile is neither waited for nor stopped. The copy is one file, without a
/// write-ahead log. `progress` is told how many pages are done, of how many.
///
/// # Errors
/// [`Error`] if one of the two files fails.
pub fn copy(
    source: &Connection,
    target: &Path,
    mut progress: impl FnMut(u64, u64),
) -> Result<(), Error> {
    // An open read transaction pins the moment; without it every commit would start the copy anew.
    let moment = source.unchecked_transaction()?;
    moment.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let mut copy = open_plain(target)?;
    // Whether it is on the disk is settled once, at the end, by whoever gives the file its name.
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
            _ => return Err(Error::Impossible("lock that is never given back")),
        }
        let state = backup.progress();
        let pages = |count| u64::try_from(count).unwrap_or(0);
        let total = pages(state.pagecount);
        progress(total - pages(state.remaining), total);
    }
    drop(backup);
    if settings::is_scrub_wanted(&copy)? {
        // The source is not done with an erasure.
        scrub::scrub_all(&copy)?;
    }
    settle_into_one_file(&copy)?;
    Ok(())
}

/// Brings the schema of a copy up to date. No lock is taken: nobody else knows the file yet.
///
/// # Errors
/// [`OpenError`].
pub fn bring_up_to_date(path: &Path, progress: Progress<'_>) -> Result<(), OpenError> {
    let mut copy = connection::open_writer(path)?;
    migrations::migrate(&mut copy, path, progress)?;
    settle_into_one_file(&copy).map_err(|source| connection::failure(path, source))
}

/// Why a database cannot be replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// Somebody reads the database that is to go.
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
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Enters the journal mode of a server's file and puts everything on the disk. A file that has yet
/// to change its mode when it gets its name could be left half changed by a kill.
///
/// # Errors
/// [`OpenError`].
pub fn enter_final_mode(path: &Path) -> Result<(), OpenError> {
    let connection = open_plain(path).map_err(|source| connection::failure(path, source))?;
    connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
        .and_then(|_| connection.close().map_err(|(_, error)| error))
        .map_err(|source| connection::failure(path, source))?;
    let synced = File::open(path).and_then(|file| file.sync_all());
    synced.map_err(|source| OpenError::File {
        path: path.to_owned(),
        source,
    })
}

/// Puts `prepared` in the place of `database`, whose lock the caller holds. What stood there is
/// kept as `kept`; `false`: nothing did. At every moment the name of the database stands for a
/// whole one, the old or the new, as long as the old one is not damaged.
///
/// # Errors
/// [`ReplaceError`]. Then the old database stands where it stood.
pub fn replace(database: &Path, prepared: &Path, kept: &Path) -> Result<bool, ReplaceError> {
    let failed = |source| ReplaceError::File {
        path: database.to_owned(),
        source,
    };
    let is_there = database.try_exists().map_err(failed)?;
    if is_there {
        // Its write-ahead log goes into it first: the new file must not meet the old log.
        let is_readable = begins_like_a_database(database).map_err(failed)?;
        if is_readable && matches!(empty_log(database), Ok(false)) {
            return Err(ReplaceError::Busy {
                path: database.to_owned(),
            });
        }
        // What is left of it belongs to a damaged database and is kept with that.
        for suffix in ["-wal", "-journal"] {
            link_unless_empty(&beside(database, suffix), &beside(kept, suffix)).map_err(failed)?;
        }
        fs::hard_link(database, kept).map_err(failed)?;
        sync_folder(database).map_err(failed)?;
    }
    // Either log would be played into the new file.
    for suffix in ["-wal", "-shm", "-journal"] {
        remove_if_there(&beside(database, suffix)).map_err(failed)?;
    }
    fs::rename(prepared, database).map_err(failed)?;
    sync_folder(database).map_err(failed)?;
    Ok(is_there)
}

/// Makes the name of a file last, not only its content.
///
/// # Errors
/// What the operating system says.
pub fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// `database` with something added to its name.
pub fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// SQLite deletes the write-ahead log of a file that is no database: such a one is left alone.
fn begins_like_a_database(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(16).read_to_end(&mut head)?;
    Ok(head == b"SQLite format 3\0")
}

/// Moves the write-ahead log into the database. `false`: a reader is in the way.
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
        scrub::leave_rests(&connection);
        for is_wanted in [false, true] {
            if is_wanted {
                settings::want_scrub(&connection).unwrap();
            }
            let path = folder.path().join(format!("{is_wanted}.db"));
            connection::create_private(&path).unwrap();
            copy(&connection, &path, |_, _| ()).unwrap();
            let copied = open_plain(&path).unwrap();
            // The note that it was wanted leaves two bytes, which are no words.
            assert_eq!(scrub::rests(&copied) <= 1, is_wanted);
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
