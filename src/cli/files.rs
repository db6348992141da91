//! Output files of commands: complete or absent, and never overwriting another file by mistake.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tempfile::{NamedTempFile, TempPath};

use crate::store::backup::{sync_folder, with_suffix};

/// Suffixes of the files of a database.
const COMPANIONS: &[&str] = &["", "-wal", "-shm", "-journal", ".lock"];
/// Suffixes of the logs that SQLite would apply to a new file of that name.
const LOGS: &[&str] = &["-wal", "-journal"];

/// A file under a temporary name. [`NewFile::keep`] renames it; otherwise it is deleted.
#[derive(Debug)]
pub(super) struct NewFile {
    file: NamedTempFile,
    target: PathBuf,
    force: bool,
}

impl NewFile {
    /// Creates a file in the target's folder, readable only by its owner.
    pub(super) fn begin(
        target: &Path,
        database: &Path,
        force: bool,
    ) -> Result<Self, anyhow::Error> {
        let resolved = resolve(target);
        for suffix in COMPANIONS {
            anyhow::ensure!(
                resolved != resolve(&with_suffix(database, suffix)),
                "{} belongs to the database itself; choose another file",
                target.display()
            );
        }
        if !force && target.try_exists().unwrap_or(false) {
            return Err(taken(target));
        }
        let new = Self {
            file: beginning(target)?,
            target: target.to_owned(),
            force,
        };
        new.refuse_logs()?;
        Ok(new)
    }

    /// Refuses a name that has the log of another database.
    fn refuse_logs(&self) -> Result<(), anyhow::Error> {
        for suffix in LOGS {
            let log = with_suffix(&self.target, suffix);
            let found = log.symlink_metadata();
            anyhow::ensure!(
                !found.is_ok_and(|found| !found.is_file() || found.len() > 0),
                "{} exists next to {}: a database of that name is or was in use; choose another file, \
                 or move both away",
                log.display(),
                self.target.display()
            );
        }
        Ok(())
    }

    /// The temporary path.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// A buffered writer to the file.
    pub(super) fn writer(&mut self) -> io::BufWriter<&mut std::fs::File> {
        io::BufWriter::with_capacity(1 << 18, self.file.as_file_mut())
    }

    /// Syncs the file, renames it, and returns its length in bytes.
    pub(super) fn keep(self) -> Result<u64, anyhow::Error> {
        self.refuse_logs()?;
        let Self {
            mut file,
            target,
            force,
        } = self;
        let failed = || format!("{} cannot be written", target.display());
        file.flush().with_context(failed)?;
        file.as_file().sync_all().with_context(failed)?;
        let kept = if force {
            file.persist(&target)
        } else {
            file.persist_noclobber(&target)
        };
        let file = match kept {
            Ok(file) => file,
            Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(taken(&target));
            }
            Err(error) => return Err(error.error).with_context(failed),
        };
        sync_folder(&target).with_context(failed)?;
        Ok(file.metadata()?.len())
    }
}

/// A temporary file in the folder of another one, deleted unless it is renamed.
pub(super) fn scratch(target: &Path) -> Result<TempPath, anyhow::Error> {
    Ok(beginning(target)?.into_temp_path())
}

fn beginning(target: &Path) -> Result<NamedTempFile, anyhow::Error> {
    let name = target
        .file_name()
        .with_context(|| format!("{} is not the name of a file", target.display()))?;
    let mut prefix = std::ffi::OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    tempfile::Builder::new()
        .prefix(&prefix)
        .suffix(".partial")
        .tempfile_in(folder(target))
        .with_context(|| {
            let folder = folder(target).display();
            format!(
                "{} cannot be written: no file can be created in {folder}",
                target.display()
            )
        })
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    }
}

fn taken(target: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "{} exists already; choose another name, or overwrite it with --force",
        target.display()
    )
}

/// The canonical path of a file, even if the file does not exist.
fn resolve(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = folder(path).canonicalize();
        let name = path.file_name().unwrap_or_default();
        folder.map_or_else(|_| path.to_owned(), |folder| folder.join(name))
    })
}
