//! The last verification and the last backup of a database, which the server reports.
//!
//! Both are made by other processes, which can only read the database. So each of them leaves a
//! small file next to it, which replaces the file before it, but only if a server was ever started
//! on the database, which its lock file shows. Nothing depends on these files.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::paths;
use crate::domain::Timestamp;

/// The number of bytes that are read of such a file, which is smaller.
const BYTES_MAX: u64 = 4096;

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verification {
    /// When it ended, in Unix milliseconds.
    pub at: i64,
    /// The number of compared figures.
    pub figures: u64,
    /// The number of findings.
    pub findings: u64,
}

/// A backup that was created and verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupMade {
    /// When it ended, in Unix milliseconds.
    pub at: i64,
    /// Its size.
    pub bytes: u64,
}

/// A check of a database, which is stored in a file of its own.
pub trait Check: Serialize + DeserializeOwned {
    /// The end of the file's name.
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

/// Saves a check of a database, if a server was ever started on it.
///
/// # Errors
/// If the file cannot be written, such as in a folder of another user.
pub fn note<C: Check>(database: &Path, check: &C) -> io::Result<()> {
    let database = paths::resolved(database).map_err(io::Error::other)?;
    if !paths::lock_file(&database).exists() {
        return Ok(());
    }
    let path = path_of::<C>(&database);
    // A new file that is renamed: no link is followed, and a reader sees all of it or nothing.
    let draft = paths::with_suffix(&path, &format!(".{}", std::process::id()));
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

/// The last saved check of a database; `None` also if the file in its place is not ours.
pub fn last<C: Check>(database: &Path) -> Option<C> {
    let database = paths::resolved(database).ok()?;
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
    paths::with_suffix(database, C::SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MADE: BackupMade = BackupMade {
        at: 1_781_524_800_000,
        bytes: 4096,
    };

    #[test]
    fn a_check_is_saved_next_to_a_served_database_and_no_link_is_followed() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        fs::write(&database, "").unwrap();
        note(&database, &MADE).unwrap();
        assert_eq!(
            last::<BackupMade>(&database),
            None,
            "no server was started on it"
        );

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
