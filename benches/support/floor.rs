//! Baselines for the server, in separate processes: a bare actix server that returns constants, two
//! sketches of a server that makes credits durable and does nothing else, and SQLite alone.
//!
//! The program is built from benches/floor, with settings that the product cannot use.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

use super::{KEY, Target, folder, signal};

/// What the product and the baselines share.
const SHARED: [&str; 5] = [
    "actix-http",
    "actix-web",
    "libsqlite3-sys",
    "rusqlite",
    "tokio",
];

/// How a sketch stores a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sketch {
    /// It appends a log row and an idempotency record.
    Append,
    /// It updates a member's row, appends a ledger row and inserts a key into an index.
    Update,
}

impl Sketch {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Append => "append sketch",
            Self::Update => "updating sketch",
        }
    }
}

/// A baseline server on the first core, which is stopped when this is dropped.
pub(crate) struct Floor {
    child: Child,
    target: Target,
    /// The folder of its database, removed after it.
    folder: Option<TempDir>,
}

impl Floor {
    /// `GET /` returns a constant as long as a summary, `GET /{bytes}` one of the given number of
    /// bytes, both after a check of the Authorization header.
    pub(crate) fn constant() -> Self {
        Self::start(&["constant".into(), KEY.into()], None)
    }

    /// `POST` is a credit, durable before the response, for a given number of members.
    pub(crate) fn sketch(sketch: Sketch, members: u64) -> Self {
        let (folder, database) = database();
        let kind = match sketch {
            Sketch::Append => "append",
            Sketch::Update => "update",
        };
        let members = members.to_string();
        let arguments = [kind.into(), KEY.into(), database, members.into()];
        Self::start(&arguments, Some(folder))
    }

    fn start(arguments: &[OsString], folder: Option<TempDir>) -> Self {
        let mut child = pinned(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let target = Target {
            address: line.trim().parse().unwrap(),
            process: child.id(),
        };
        Self {
            child,
            target,
            folder,
        }
    }

    pub(crate) fn target(&self) -> Target {
        self.target
    }
}

impl Drop for Floor {
    /// Waiting closes its input, which ends it; the end of this process does, too.
    fn drop(&mut self) {
        signal(self.child.id(), "CONT");
        let _ = self.child.wait();
        drop(self.folder.take());
    }
}

/// Credits per second that SQLite makes durable with no server around it: the rows of the append
/// sketch, with the maximum number of credits in each commit.
pub(crate) fn commits_per_second(members: u64) -> f64 {
    let (_folder, database) = database();
    let arguments = ["commits".into(), database, members.to_string().into()];
    let output = pinned(&arguments).output().expect("taskset is installed");
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().parse().unwrap()
}

fn database() -> (TempDir, OsString) {
    let folder = tempfile::tempdir_in(folder()).unwrap();
    let database = folder.path().join("sketch.db").into_os_string();
    (folder, database)
}

fn pinned(arguments: &[OsString]) -> Command {
    let mut command = Command::new("taskset");
    command.args(["-c", "0"]).arg(&*PROGRAM).args(arguments);
    command
}

/// The baselines' program, built once per benchmark.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let lock = |folder: &Path| std::fs::read_to_string(folder.join("Cargo.lock")).unwrap();
    let ours = lock(package);
    let theirs = lock(&package.join("benches/floor"));
    for name in SHARED {
        let (ours, theirs) = (version(&ours, name), version(&theirs, name));
        assert_eq!(
            ours, theirs,
            "{name} of the baselines is not the product's: cargo update --manifest-path \
             benches/floor/Cargo.toml {name} --precise {ours}"
        );
    }
    let target = folder().with_file_name("floor");
    // In the package's folder, whose .cargo/config.toml says how SQLite is compiled.
    let status = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()))
        .args(["build", "--release", "--locked", "--manifest-path"])
        .arg("benches/floor/Cargo.toml")
        .arg("--target-dir")
        .arg(&target)
        .current_dir(package)
        .status();
    assert!(status.unwrap().success(), "the baselines do not build");
    target.join("release/stampcard-floor")
});

/// The version of a package in a lock file.
fn version<'a>(lock: &'a str, name: &str) -> &'a str {
    let start = format!("name = \"{name}\"\nversion = \"");
    let (_, rest) = lock.split_once(&start).unwrap();
    rest.split('"').next().unwrap()
}
