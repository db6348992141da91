//! Runs programs under callgrind and computes the cost of one operation.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether valgrind is installed.
pub(crate) fn is_installed() -> bool {
    let version = Command::new("valgrind")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    version.is_ok_and(|status| status.success())
}

/// Runs a program under callgrind, which writes its counts to a file when the program ends.
pub(crate) fn command(program: &Path, counts: &Path) -> Command {
    let mut command = Command::new("valgrind");
    // A waiting thread is scheduled before the one that has just run; without this, the order in
    // which threads run depends on the machine.
    command.args(["--quiet", "--tool=callgrind", "--fair-sched=try"]);
    let mut file = std::ffi::OsString::from("--callgrind-out-file=");
    file.push(counts);
    command.arg(file).arg(program);
    command
}

/// The instructions of all threads, read from such a file.
pub(crate) fn total(counts: &Path) -> u64 {
    let text = std::fs::read_to_string(counts).unwrap();
    let totals = text
        .lines()
        .filter_map(|line| line.strip_prefix("totals: "));
    totals.map(|number| number.parse::<u64>().unwrap()).sum()
}

/// The instructions of n and of 2n operations, including start and end.
pub(crate) struct Cost {
    operations: u64,
    once: u64,
    twice: u64,
}

impl Cost {
    pub(crate) fn count(operations: usize, run: impl Fn(usize) -> u64) -> Self {
        Self {
            operations: operations as u64,
            once: run(operations),
            twice: run(2 * operations),
        }
    }

    /// Counts again. Disturbances, such as a timer or contention for a lock, only add instructions,
    /// so the lowest count is the most accurate.
    pub(crate) fn recount(&mut self, operations: usize, run: impl Fn(usize) -> u64) {
        let again = Self::count(operations, run);
        self.once = self.once.min(again.once);
        self.twice = self.twice.min(again.twice);
    }

    /// The instructions of one operation.
    pub(crate) fn of_one(&self) -> u64 {
        self.twice.saturating_sub(self.once) / self.operations
    }
}
