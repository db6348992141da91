//! When a database was last verified and backed up, for the server that has it open to tell.
//!
//! Both are done by other processes, which can only read the database. So each leaves a small file
//! beside it, in the place of the one before. Only beside a database that a server was started on:
//! the lock file is there. Nobody has to read these files, and nothing depends on them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{connection, lock};
use crate::domain::Timestamp;

/// Bytes of such a file that are read: more than it has.
const BYTES_MAX: u64 = 4096;

/// What a verification came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When it ended, in Unix milliseconds.
    pub at: i64,
    /// How many figures were compared.
    pub figures: u64,
    /// How many things are wrong.
    pub findings: u64,
}

/// A backup that was made and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// When it ended, in Unix milliseconds.
    pub at: i64,
    /// How large it is.
    pub bytes: u64,
}

/// What is told of a database. A trait's constant keeps name and type together.
pub trait Check: Serialize + DeserializeOwned {
    /// What the file's name ends in.
    const SUFFIX: &str;

    /// When it ended, in Unix milliseconds.
    fn at(&self) -> i64;
}

impl Check for Verification {
    const SUFFIX: &str = ".verified.json";

    fn at(&self) -> i64 {
        self.at
    }
}

impl Check for BackupMade {
    const SUFFIX: &str = ".backup.json";

    fn at(&self) -> i64 {
        self.at
    }
}

/// Notes a check of a database, if a server was ever started on it.
///
/// # Errors
/// If the file cannot be written, as in a folder of somebody else's.
pub fn note<C: Check>(database: &Path, check: &C) -> io::Result<()> {
    let database = connection::resolved(database).map_err(io::Error::other)?;
    if !lock::path_of(&database).exists() {
        return Ok(());
    }
    let path = path_of::<C>(&database);
    // A name of its own, which is renamed, so that nothing is followed and a reader sees all of it.
    let mut draft = path.clone().into_os_string();
    draft.push(format!(".{}", std::process::id()));
    let draft = PathBuf::from(draft);
    let written = write(&draft, check).and_then(|()| fs::rename(&draft, &path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

fn write<C: Check>(draft: &Path, check: &C) -> io::Result<()> {
    let mut options = OpenOptions::new();
    // The server may run as another user than the command.
    let options = options.write(true).create_new(true).mode(0o644);
    let mut file = options.open(draft)?;
    file.write_all(&serde_json::to_vec(check)?)
}

/// The last check of a database that was noted; `None` too if what stands there is not ours.
pub fn last<C: Check>(database: &Path) -> Option<C> {
    let database = connection::resolved(database).ok()?;
    let mut options = OpenOptions::new();
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
    let options = options.read(true).custom_flags(flags.bits().cast_signed());
    let file = options.open(path_of::<C>(&database)).ok()?;
    let check: C = serde_json::from_slice(&content(file)?).ok()?;
    Timestamp::parse_stored(check.at())?;
    Some(check)
}

fn content(file: File) -> Option<Vec<u8>> {
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

fn path_of<C: Check>(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(C::SUFFIX);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: BackupMade = BackupMade {
        at: 1_781_524_800_000,
        bytes: 4096,
    };

    #[test]
    fn it_is_noted_beside_a_database_that_a_server_had_and_nothing_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        fs::write(&database, "").unwrap();
        note(&database, &MADE).unwrap();
        assert_eq!(last::<BackupMade>(&database), None, "nobody served it");

        fs::write(folder.path().join("a.db.lock"), "").unwrap();
        let (other, place) = (
            folder.path().join("other"),
            path_of::<BackupMade>(&database),
        );
        fs::write(&other, serde_json::to_vec(&MADE).unwrap()).unwrap();
        std::os::unix::fs::symlink(&other, &place).unwrap();
        assert_eq!(
            last::<BackupMade>(&database),
            None,
            "a link is not followed"
        );
        let made = BackupMade { bytes: 1, ..MADE };
        note(&database, &made).unwrap();
        assert_eq!(last(&database), Some(made));
        assert!(fs::read_to_string(&other).unwrap().contains("4096"));
        assert_eq!(last::<Verification>(&database), None);

        for bad in ["", "{}", "[1]", r#"{"at": 99999999999999999, "bytes": 1}"#] {
            fs::write(&place, bad).unwrap();
            assert_eq!(last::<BackupMade>(&database), None, "{bad}");
        }
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, 4, "no draft is left");
    }
}
