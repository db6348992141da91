//! Starts on a system that refuses the process its threads.

use std::os::unix::fs::chown;
use std::process::{Command, Stdio};

use rustix::process::geteuid;

use crate::server::Place;

/// A user that runs nothing else.
const USER: u32 = 54_321;

/// A server whose user may run this many threads, that of `main` included. Root has no such limit,
/// so it becomes another user first.
fn limited(place: &Place, threads: u32) -> Command {
    let binary = place.path("stampcard");
    // By another process: one that a test beside this one forks meanwhile would keep a file open
    // that this process writes, and a file that is open for writing cannot be run.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_stampcard"))
        .arg(&binary)
        .status()
        .unwrap();
    assert!(copied.success());
    let mut command = if geteuid().is_root() {
        chown(place.path(""), Some(USER), Some(USER)).unwrap();
        let mut command = Command::new("setpriv");
        command
            .args([format!("--reuid={USER}"), format!("--regid={USER}")])
            .args(["--clear-groups", "prlimit"]);
        command
    } else {
        Command::new("prlimit")
    };
    command
        .arg(format!("--nproc={threads}"))
        .arg(binary)
        .args(["serve", "--listen", "127.0.0.1:0", "--database"])
        .arg(place.database())
        .current_dir(place.path(""))
        .env_remove("STAMPCARD_LOG__LEVEL")
        .stdin(Stdio::null());
    command
}

#[test]
fn a_start_without_threads_fails_with_one_sentence_and_makes_no_database() {
    let place = Place::new();
    // With more than one the start gets some of its threads, unless its user runs other processes.
    for threads in [1, 2, 8] {
        let ended = place.run(limited(&place, threads));
        let refusal = ended.refusal();
        assert!(
            refusal.contains(" threads, but the server needs "),
            "{refusal}"
        );
        assert!(!place.database().exists());
    }
}
