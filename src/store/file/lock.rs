//! The lock by which one process owns a database file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::open_error::OpenError;
use super::paths;

/// The number of bytes of a lock file that are read: more than a process number has.
const LOOKED_AT: u64 = 32;

/// Holds `<database>.lock` until it is dropped or the process ends in any way: the lock belongs to
/// the operating system, and the file's content (the owner's process id) is only for people.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock of a database. The lock file is next to the database file itself, even if the
    /// name is a symbolic link to it.
    ///
    /// # Errors
    /// [`OpenError::InUse`] if another process has it, [`OpenError::ForeignLock`] if the lock
    /// file is not ours, [`OpenError::File`] if it cannot be created.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::File {
            path: database.to_owned(),
            source,
        };
        let path = paths::lock_file(&paths::resolved(database)?);
        let mut file = open(&path).map_err(|source| {
            if path.is_symlink() || path.is_dir() {
                return OpenError::ForeignLock { path: path.clone() };
            }
            failed(source)
        })?;
        let is_regular = file.metadata().map_err(failed)?.is_file();
        let content = if is_regular { content(&mut file) } else { None };
        let Some(content) = content else {
            return Err(OpenError::ForeignLock { path });
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = match content.as_str() {
                    // The owner has not written its number yet.
                    "" => String::new(),
                    pid => format!(" (process {pid})"),
                };
                return Err(OpenError::InUse {
                    path: database.to_owned(),
                    holder,
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        file.set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| writeln!(file, "{}", std::process::id()))
            .map_err(failed)?;
        Ok(Self { _file: file })
    }
}

/// Opens or creates the lock file. Does not follow a link, and does not wait for a pipe or a
/// device.
fn open(path: &Path) -> io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)
}

/// The process number in a lock file, or an empty text; `None` if it holds anything else, so that
/// it is not ours.
fn content(file: &mut File) -> Option<String> {
    let mut bytes = Vec::new();
    file.take(LOOKED_AT).read_to_end(&mut bytes).ok()?;
    let text = str::from_utf8(&bytes).ok()?.trim_end();
    let is_ours = text.is_empty() || text.parse::<u32>().is_ok();
    is_ours.then(|| text.to_owned())
}
