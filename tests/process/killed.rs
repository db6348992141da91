//! The process is killed before one of the calls by which an operation changes files. Whatever the
//! operation and the call, the next start succeeds, acknowledged writes are present, and `verify`
//! agrees.
//!
//! tests/faults/shim.c counts the calls and kills.

use std::fs::File;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};

use crate::faults::shim;
use crate::migration::keep;
use crate::server::{Place, SANDBOX_KEY, Server, done};
use crate::wallets::check_wallets;

/// Longer than any of these takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// A number that no operation reaches: all calls are counted.
const NEVER: u64 = u64::MAX >> 33;
/// Kills of the long form.
const KILLS: u64 = 500;

/// An operation to kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    /// The start of a server without a file.
    FirstStart,
    /// The start on a backup that was copied into place, which changes the journal mode.
    StartOnBackup,
    /// The start on a file that `restore` put into place.
    StartOnRestored,
    Restore,
    Backup,
    Migrate,
    /// The start on a file of version 0.1.0.
    StartOnOld,
    Import,
    /// The stop of a server: its last snapshot, and the checkpoint.
    Stop,
    /// The same, when the saved books become one base again.
    StopWithBase,
    /// Commits, and the checkpoints between them.
    Writes,
    /// The start on the files of a killed server, whose last writes are not in what it saved.
    StartOnKilled,
}

const ALL: [Operation; 12] = [
    Operation::FirstStart,
    Operation::StartOnBackup,
    Operation::StartOnRestored,
    Operation::Restore,
    Operation::Backup,
    Operation::Migrate,
    Operation::StartOnOld,
    Operation::Import,
    Operation::Stop,
    Operation::StopWithBase,
    Operation::Writes,
    Operation::StartOnKilled,
];

/// Files that the operations begin with, created once.
struct Origin(Place);

impl Origin {
    /// A database with two members, a backup and an export of it, a restored one, and one that has
    /// a third member since.
    fn new() -> Self {
        let place = Place::new();
        let server = place.start();
        server.live_a_little();
        server.terminate();
        for arguments in [
            ["backup", "backup.db"],
            ["export", "all.ndjson"],
            ["restore", "backup.db"],
        ] {
            done(&place.run_on_database(&arguments));
        }
        std::fs::copy(place.database(), place.path("restored.db")).unwrap();
        let server = place.start();
        server.set_member("cid");
        server.terminate();
        keep_before_base(&place);
        keep_killed(&place);
        Self(place)
    }

    /// A folder in which `operation` can begin.
    fn place(&self, operation: Operation) -> Place {
        let place = Place::new();
        let copy = |from: &str, to: &str| {
            std::fs::copy(self.0.path(from), place.path(to)).unwrap();
        };
        match operation {
            Operation::FirstStart => {}
            Operation::StartOnBackup => copy("backup.db", "test.db"),
            Operation::StartOnRestored => copy("restored.db", "test.db"),
            Operation::Restore => {
                copy("test.db", "test.db");
                copy("backup.db", "backup.db");
            }
            Operation::Backup => {
                copy("test.db", "test.db");
                copy("backup.db", "copy.db");
            }
            Operation::Migrate | Operation::StartOnOld => keep(&place),
            Operation::Import => copy("all.ndjson", "all.ndjson"),
            Operation::Stop | Operation::Writes => copy("test.db", "test.db"),
            Operation::StopWithBase => copy("deltas.db", "test.db"),
            Operation::StartOnKilled => {
                copy("killed.db", "test.db");
                copy("killed.db-wal", "test.db-wal");
            }
        }
        place
    }
}

/// The numbers of the newest base and of the newest generation of the saved books.
fn generations(place: &Place) -> (i64, i64) {
    let sql = "SELECT max(number) FILTER (WHERE is_base = 1), max(number) FROM book_generation";
    let connection = place.sqlite();
    connection
        .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
}

/// Keeps a file with deltas, after which the next stop saves a base.
fn keep_before_base(origin: &Place) {
    let place = Place::new();
    std::fs::copy(origin.database(), place.database()).unwrap();
    let mut before = generations(&place);
    for _ in 0..9 {
        std::fs::copy(place.database(), origin.path("deltas.db")).unwrap();
        let server = place.start();
        server.move_points("ann");
        server.terminate();
        let after = generations(&place);
        if after.0 > before.0 && before.1 > before.0 {
            return;
        }
        before = after;
    }
    panic!("no base follows a delta: {before:?}");
}

/// Keeps the files of a server that was killed after writes that it had not saved.
fn keep_killed(origin: &Place) {
    let place = Place::new();
    std::fs::copy(origin.database(), place.database()).unwrap();
    let server = place.start();
    for _ in 0..5 {
        server.move_points("ann");
    }
    server.kill();
    for suffix in ["", "-wal"] {
        let from = place.path(&format!("test.db{suffix}"));
        std::fs::copy(from, origin.path(&format!("killed.db{suffix}"))).unwrap();
    }
}

impl Operation {
    fn command(self, place: &Place) -> Command {
        let arguments: &[&str] = match self {
            Self::Restore => &["restore", "backup.db"],
            Self::Backup => &["backup", "--force", "copy.db"],
            Self::Migrate => &["migrate"],
            Self::Import => &["import", "all.ndjson"],
            _ => return place.serve(),
        };
        place.on_database(arguments)
    }

    /// The possible numbers of members afterwards; none if the keys of the file are not known.
    fn members(self) -> &'static [u64] {
        match self {
            Self::FirstStart => &[0],
            Self::StartOnBackup | Self::StartOnRestored | Self::Import => &[2],
            Self::Restore => &[2, 3],
            Self::Backup | Self::Stop | Self::StopWithBase | Self::Writes | Self::StartOnKilled => {
                &[3]
            }
            // The members of a recorded file.
            Self::Migrate | Self::StartOnOld => &[],
        }
    }

    /// Runs the operation, killed before the call `number`; returns the credits acknowledged
    /// meanwhile, and whether one more may have taken effect.
    fn run(self, place: &Place, number: u64) -> (u64, bool) {
        let mut command = self.command(place);
        command
            .env("LD_PRELOAD", shim())
            .env("FAULT_CONTROL", place.path("fault"))
            .env("FAULT_COUNT", place.path("calls"));
        let arm = || std::fs::write(place.path("fault"), format!("kill {number}")).unwrap();
        if matches!(self, Self::Stop | Self::StopWithBase | Self::Writes) {
            return meanwhile(place.start_as(command), self == Self::Writes, arm);
        }
        arm();
        let out = place.path("out");
        let mut child = command
            .stdout(File::create(&out).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let start = Instant::now();
        while child.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "{self:?} {number}");
            if std::fs::read_to_string(&out).unwrap().contains("listening") {
                child.kill().unwrap();
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        (0, false)
    }

    /// Runs the operation, killed before the call `number`, and checks the result; returns the
    /// number of calls.
    #[track_caller]
    fn kill_and_check(self, origin: &Origin, number: u64) -> u64 {
        let place = origin.place(self);
        let (credits, is_open) = self.run(&place, number);
        let calls = std::fs::metadata(place.path("calls")).map_or(0, |file| file.len());
        let what = format!("{self:?} killed before call {number}, at {calls}");
        if self == Self::Import {
            // No server starts on it until it is finished.
            let ended = place.run(self.command(&place));
            let is_done = ended.code == Some(0) || ended.stderr.contains("holds data already");
            assert!(is_done, "{what}: {ended:?}");
        }
        if self == Self::Backup {
            let ended = place.run(place.command(&["verify", "--database", "copy.db"]));
            assert_eq!(ended.code, Some(0), "{what}: {ended:?}");
        }
        let server = place.start();
        if self == Self::FirstStart && server.printed.is_empty() {
            // It has keys already: they may have been printed.
            let printed = std::fs::read_to_string(place.path("out")).unwrap();
            assert_eq!(printed.matches("_live_").count(), 2, "{what}: {printed}");
        }
        if !self.members().is_empty() {
            self.check(&server, credits, is_open, &what);
            let connection = stampcard::store::open_read_only(&place.database()).unwrap();
            check_wallets(&server, SANDBOX_KEY, &connection);
        }
        server.terminate();
        let verified = place.verify();
        assert_eq!(verified.code, Some(0), "{what}: {verified:?}");
        calls
    }

    #[track_caller]
    fn check(self, server: &Server, credits: u64, is_open: bool, what: &str) {
        let summary = server.get("/v1/analytics/summary");
        let members = summary["memberCount"].as_u64().unwrap();
        assert!(self.members().contains(&members), "{what}: {members}");
        if members == 0 {
            return;
        }
        let wallet = server.get("/v1/wallet?externalUserID=ann");
        // 100 were credited before; 30 of them were spent.
        let gained = wallet["balance"].as_u64().unwrap() - 70;
        let is_right = gained == credits || (is_open && gained == credits + 1);
        assert!(is_right, "{what}: {gained} of {credits} credits");
    }

    /// Kills it before some of its calls.
    fn survives(self, origin: &Origin, number: impl Fn(u64) -> bool) {
        let calls = self.kill_and_check(origin, NEVER);
        let mut kills = 0;
        for call in (1..=calls).filter(|call| number(*call)) {
            self.kill_and_check(origin, call);
            kills += 1;
        }
        assert!(kills > 2, "{self:?}: {calls} calls");
    }
}

/// Credits a server's member, point by point, until the server is killed, or stops it after two;
/// returns how many were acknowledged, and whether one more was sent.
fn meanwhile(server: Server, until_it_dies: bool, arm: impl Fn()) -> (u64, bool) {
    let mut server = server;
    if until_it_dies {
        arm();
    }
    let credits = if until_it_dies { 20 } else { 2 };
    let mut acknowledged = 0;
    let body = json!({"externalUserID": "ann", "amount": 1});
    for _ in 0..credits {
        match server.send("POST", "/v1/wallet/credit", None, &body) {
            Ok(answer) => assert_eq!(answer.status, 200, "{}", answer.text),
            Err(_) => return (acknowledged, true),
        }
        acknowledged += 1;
    }
    if !until_it_dies {
        arm();
    }
    server.signal("TERM");
    server.wait();
    (acknowledged, false)
}

#[test]
fn a_start_that_is_killed_anywhere_is_followed_by_one_that_starts() {
    let origin = Origin::new();
    // The journal mode is changed by the first calls.
    let number = |call| call <= 24 || call % 20 == 0;
    Operation::FirstStart.survives(&origin, number);
    Operation::StartOnBackup.survives(&origin, |call| call <= 24);
    Operation::StartOnRestored.survives(&origin, |call| call <= 12);
}

#[test]
fn a_command_that_is_killed_anywhere_leaves_files_that_start() {
    let origin = Origin::new();
    Operation::Restore.survives(&origin, |call| call % 5 == 0);
    Operation::Backup.survives(&origin, |call| call % 5 == 0);
    Operation::Import.survives(&origin, |call| call < 20 || call % 20 == 0);
}

#[test]
fn a_migration_that_is_killed_anywhere_is_followed_by_a_start_that_starts() {
    let origin = Origin::new();
    Operation::Migrate.survives(&origin, |call| call % 150 == 10);
    Operation::StartOnOld.survives(&origin, |call| call % 300 == 10);
}

#[test]
fn a_server_that_is_killed_while_it_writes_or_stops_loses_nothing() {
    let origin = Origin::new();
    Operation::Writes.survives(&origin, |call| call % 7 == 0);
    Operation::Stop.survives(&origin, |call| call % 3 == 0);
    Operation::StopWithBase.survives(&origin, |call| call % 5 == 1);
    Operation::StartOnKilled.survives(&origin, |call| call % 5 == 2);
}

/// The kill comes after the sync of a commit: the credit is on the disk, but neither in the books
/// nor acknowledged.
#[test]
fn a_credit_that_is_committed_when_the_server_dies_counts_once() {
    let origin = Origin::new();
    let mut committed = 0;
    for number in 1..=8_u64 {
        let place = origin.place(Operation::Writes);
        let mut command = place.serve();
        command
            .env("LD_PRELOAD", shim())
            .env("FAULT_CONTROL", place.path("fault"));
        let mut server = place.start_as(command);
        std::fs::write(place.path("fault"), format!("synced {number}")).unwrap();
        let body = json!({"externalUserID": "ann", "amount": 1});
        let send = |server: &Server, number: u64| {
            let key = format!("credit-{number}");
            server.send("POST", "/v1/wallet/credit", Some(&key), &body)
        };
        let mut credits = 0;
        while send(&server, credits).is_ok() {
            credits += 1;
        }
        assert_eq!(server.wait().0, None, "{}", server.log());
        let server = place.start();
        let connection = stampcard::store::open_read_only(&place.database()).unwrap();
        check_wallets(&server, SANDBOX_KEY, &connection);
        let again = send(&server, credits).unwrap();
        assert_eq!(again.status, 200, "{again:?}");
        committed += u64::from(again.is_replay);
        let wallet = server.get("/v1/wallet?externalUserID=ann");
        assert_eq!(wallet["balance"], 70 + credits + 1, "{number}");
        assert_eq!(again.expect(200)["balance"], wallet["balance"]);
        check_wallets(&server, SANDBOX_KEY, &connection);
    }
    // Now and then it is another commit, such as that of a snapshot.
    assert!(committed > 4, "{committed} of 8");
}

/// Kills drawn from all calls of all operations. `make kills`.
#[test]
#[ignore = "make kills"]
fn hundreds_of_kills_leave_no_file_that_does_not_start() {
    let chosen = |name: &str, default| std::env::var(name).map_or(default, |n| n.parse().unwrap());
    let (kills, seed) = (chosen("KILLS", KILLS), chosen("KILLS_SEED", 1));
    let origin = Origin::new();
    let calls = ALL.map(|operation| operation.kill_and_check(&origin, NEVER));
    let mut rng = Rng::with_seed(seed);
    let mut done = [0; ALL.len()];
    for _ in 0..kills {
        let place = rng.usize(..ALL.len());
        ALL[place].kill_and_check(&origin, rng.u64(1..=calls[place]));
        done[place] += 1;
    }
    for (operation, (calls, kills)) in ALL.iter().zip(calls.iter().zip(done)) {
        println!("{operation:?}: {kills} kills at {calls} calls");
    }
}

/// The journal of a deleted or unreadable database is not applied to the file that takes its place.
#[test]
fn no_log_of_another_database_is_played_into_a_file_that_is_put_in_place() {
    let origin = Origin::new();
    // The journal that a kill leaves during a change of the journal mode.
    let hot = origin.place(Operation::StartOnBackup);
    let journal = hot.path("test.db-journal");
    let is_hot = (1..40).any(|number| {
        let _ = std::fs::remove_file(&journal);
        std::fs::copy(origin.0.path("backup.db"), hot.database()).unwrap();
        Operation::StartOnBackup.run(&hot, number);
        std::fs::metadata(&journal).is_ok_and(|file| file.len() > 512)
            && std::fs::read(&journal).unwrap()[0] != 0
    });
    assert!(is_hot, "no kill leaves a journal");
    // Next to a file that is not a database any more.
    let place = origin.place(Operation::Restore);
    std::fs::write(place.database(), "no database").unwrap();
    std::fs::copy(&journal, place.path("test.db-journal")).unwrap();
    done(&place.run_on_database(&["restore", "backup.db"]));
    assert!(!place.path("test.db-journal").exists());
    assert_eq!(place.verify().code, Some(0));
    // A backup does not use a name next to which there is one.
    for suffix in ["-journal", "-wal"] {
        let log = place.path(&format!("copy.db{suffix}"));
        std::fs::copy(&journal, &log).unwrap();
        for arguments in [
            &["backup", "copy.db"] as &[&str],
            &["backup", "--force", "copy.db"],
        ] {
            let ended = place.run_on_database(arguments);
            let refusal = ended.refusal();
            assert!(
                refusal.contains(&format!("copy.db{suffix} exists")),
                "{refusal}"
            );
        }
        std::fs::remove_file(log).unwrap();
    }
    // Read-only commands roll back interrupted transactions, too.
    let verified = hot.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let _: Value = hot.start().get("/v1/analytics/summary");
}
