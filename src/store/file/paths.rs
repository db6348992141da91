//! Paths of the files next to a database.

use std::path::{Path, PathBuf};

use super::open_error::OpenError;

/// The path of the database file itself, if `path` is a symbolic link to it. A lock next to another
/// name of the same file would let two processes in.
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

/// `database` with a suffix added to its name.
pub fn with_suffix(database: &Path, suffix: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The path of the lock file of a database.
pub(super) fn lock_file(database: &Path) -> PathBuf {
    with_suffix(database, ".lock")
}
