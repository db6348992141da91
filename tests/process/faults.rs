//! The disk fails under the running server: writes are refused, reads continue, no acknowledged
//! write is lost, and once the disk works again the server recovers automatically.
//!
//! The faults are injected below SQLite, by a library that is preloaded into the real binary
//! (tests/faults/shim.c); it is compiled with the C compiler that SQLite itself needs.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Place, Server};

/// Longer than a recovery takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// The library, compiled once.
pub(crate) fn shim() -> &'static PathBuf {
    static SHIM: OnceLock<PathBuf> = OnceLock::new();
    SHIM.get_or_init(|| {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"));
        let shim = folder.join(format!("shim-{}.so", std::process::id()));
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&shim)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/faults/shim.c"))
            .arg("-ldl")
            .status();
        assert!(compiled.unwrap().success());
        shim
    })
}

/// A server whose disk can be made to fail.
pub(crate) fn start(place: &Place) -> Server {
    let mut command = place.serve();
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_CONTROL", place.path("fault"))
        .env("FAULT_COUNT", place.path("faults-made"));
    place.start_as(command)
}

/// The number of calls that failed.
fn faults_made(place: &Place) -> u64 {
    std::fs::metadata(place.path("faults-made")).map_or(0, |file| file.len())
}

pub(crate) fn set_fault(place: &Place, fault: &str) {
    std::fs::write(place.path("fault"), fault).unwrap();
}

fn credit(server: &Server, key: &str) -> (u16, Value) {
    let body = json!({"externalUserID": "ann", "amount": 10, "reason": key});
    let answer = server.send("POST", "/v1/wallet/credit", Some(key), &body);
    let answer = answer.unwrap();
    (answer.status, serde_json::from_str(&answer.text).unwrap())
}

fn readiness(server: &Server) -> u16 {
    let answer = server.send("GET", "/readyz", None, &Value::Null);
    answer.unwrap().status
}

/// The course of every failure; returns how often the disk failed.
fn fails_and_recovers(fault: &str) -> u64 {
    let place = Place::new();
    let server = start(&place);
    server.set_member("ann");
    assert_eq!(credit(&server, "before").0, 200);
    set_fault(&place, fault);
    for attempt in 0..3 {
        let (status, body) = credit(&server, &format!("during-{attempt}"));
        assert_eq!(status, 503, "{fault}: {body}");
        assert_eq!(body["error"]["code"], "STORAGE_UNAVAILABLE", "{fault}");
    }
    assert_eq!(readiness(&server), 503, "{fault}");
    // Reads and figures continue, and show only acknowledged writes.
    let wallet = server.get("/v1/wallet?externalUserID=ann");
    assert_eq!(wallet["balance"], 10, "{fault}");
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], 10);
    set_fault(&place, "");
    let start = Instant::now();
    while credit(&server, "after").0 != 200 {
        assert!(start.elapsed() < PATIENCE, "{fault}: {}", server.log());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(readiness(&server), 200, "{fault}");
    // A retry with the same key settles the result of each.
    for key in ["before", "during-0", "during-1", "during-2", "after"] {
        assert_eq!(credit(&server, key).0, 200, "{fault} {key}");
    }
    assert_eq!(server.get("/v1/wallet?externalUserID=ann")["balance"], 50);
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], 50);
    let log = server.log();
    server.terminate();
    assert_eq!(place.verify().code, Some(0), "{fault}: {log}");
    assert!(!log.contains("panicked"), "{log}");
    let made = faults_made(&place);
    assert!(made >= 3, "each of these met it: {made}");
    made
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    println!("{} faults", fails_and_recovers("write=ENOSPC"));
}

#[test]
fn a_disk_that_fails_to_write_refuses_writes_until_it_works() {
    println!("{} faults", fails_and_recovers("write=EIO"));
}

#[test]
fn a_file_system_turned_read_only_refuses_writes_until_it_is_not() {
    println!("{} faults", fails_and_recovers("write=EROFS"));
}

#[test]
fn a_disk_that_fails_to_sync_acknowledges_nothing() {
    println!("{} faults", fails_and_recovers("sync=EIO"));
}

#[test]
fn faults_that_come_and_go_under_load_lose_nothing() {
    let place = Place::new();
    let mut rng = fastrand::Rng::with_seed(7);
    let server = start(&place);
    server.set_member("ann");
    let mut acknowledged = 0;
    let mut refused = Vec::new();
    for count in 0..300 {
        if count % 10 == 0 {
            let faults = ["", "", "write=ENOSPC", "sync=EIO", "write=EIO"];
            set_fault(&place, rng.choice(faults).unwrap());
        }
        let key = format!("load-{count}");
        match credit(&server, &key).0 {
            200 => acknowledged += 1,
            503 => refused.push(key),
            status => panic!("{status}: {}", server.log()),
        }
    }
    set_fault(&place, "");
    let start = Instant::now();
    while readiness(&server) != 200 {
        credit(&server, "wake up");
        assert!(start.elapsed() < PATIENCE, "{}", server.log());
    }
    credit(&server, "wake up");
    for key in &refused {
        assert_eq!(credit(&server, key).0, 200, "{key}");
    }
    assert!(acknowledged > 50 && refused.len() > 50);
    let total = 10 * (acknowledged + refused.len() + 1);
    assert_eq!(
        server.get("/v1/wallet?externalUserID=ann")["balance"],
        total
    );
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], total);
    println!(
        "{} faults, {acknowledged} acknowledged, {} refused and settled",
        faults_made(&place),
        refused.len()
    );
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_torn_write_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    let mut expected = 0;
    for round in 0..5 {
        let mut server = start(&place);
        server.set_member("ann");
        for count in 0..20 {
            assert_eq!(credit(&server, &format!("{round}-{count}")).0, 200);
            expected += 10;
        }
        set_fault(&place, "tear");
        let torn = format!("{round}-torn");
        let body = json!({"externalUserID": "ann", "amount": 10, "reason": torn});
        let lost = server.send("POST", "/v1/wallet/credit", Some(&torn), &body);
        assert!(lost.is_err(), "the machine lost its power");
        assert_eq!(server.wait().0, None);
        set_fault(&place, "");
        let server = start(&place);
        let wallet = server.get("/v1/wallet?externalUserID=ann");
        assert_eq!(wallet["balance"], expected, "round {round}");
        // A torn write was not acknowledged; it is settled like any other.
        assert_eq!(credit(&server, &torn).0, 200);
        expected += 10;
        server.terminate();
        assert_eq!(place.verify().code, Some(0));
    }
    assert_eq!(faults_made(&place), 5);
}

/// Inverts every bit of the file after its first page, which has the header and the schema.
pub(crate) fn damage(place: &Place) {
    let path = place.database();
    let mut bytes = std::fs::read(&path).unwrap();
    for byte in &mut bytes[4096..] {
        *byte = !*byte;
    }
    std::fs::write(&path, bytes).unwrap();
}

#[test]
fn a_damaged_file_is_not_served() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    damage(&place);
    let before = std::fs::read(place.database()).unwrap();
    let ended = place.run(place.serve());
    let refusal = ended.refusal();
    assert!(refusal.contains("damaged"), "{refusal}");
    assert_eq!(std::fs::read(place.database()).unwrap(), before);
    let verified = place.verify();
    assert_eq!(verified.code, Some(1), "{verified:?}");
}

#[test]
fn damage_that_shows_while_it_runs_stops_writes_and_says_what_to_do() {
    let place = Place::new();
    let server = start(&place);
    for count in 0..500 {
        server.set_member(&format!("member-{count}"));
    }
    // Once the write-ahead log is in the file, reads use the file.
    let wal = place.path("test.db-wal");
    let start = Instant::now();
    while std::fs::metadata(&wal).is_ok_and(|file| file.len() > 0) {
        assert!(start.elapsed() < PATIENCE, "it is never checkpointed");
        std::thread::sleep(Duration::from_millis(20));
    }
    damage(&place);
    // After a failed sync the writer opens the file again and checks its contents.
    set_fault(&place, "sync=EIO");
    assert_eq!(credit(&server, "unlucky").0, 503);
    set_fault(&place, "");
    let start = Instant::now();
    while !server.log().contains("the database is damaged") {
        let member = format!("member-{}", fastrand::usize(..500));
        let body = json!({"externalUserID": member, "amount": 1});
        let answer = server.post("/v1/wallet/credit", &body);
        assert!(!answer.text.contains("malformed"), "{}", answer.text);
        assert!(start.elapsed() < PATIENCE, "{answer:?} {}", server.log());
    }
    assert!(
        server.log().contains("stampcard verify"),
        "{}",
        server.log()
    );
    assert_eq!(credit(&server, "no more").0, 503);
    assert_eq!(readiness(&server), 503);
    // The figures are in memory, and include all acknowledged writes.
    assert_eq!(server.get("/v1/analytics/summary")["memberCount"], 500);
}
