//! Standard output and standard error without a reader, closed, or on a full disk.

use std::fs::File;
use std::io::pipe;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::shim;
use crate::server::{Ended, Place, SANDBOX_KEY, Server, done};

/// A pipe whose reader has closed it.
fn ended_pipe() -> Stdio {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    writer.into()
}

fn full() -> Stdio {
    File::options()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .into()
}

/// The same command with one of its outputs closed.
fn closing(command: &Command, descriptor: u32) -> Command {
    let mut shell = Command::new("/bin/sh");
    shell
        .arg("-c")
        .arg(format!("exec \"$0\" \"$@\" {descriptor}>&-"))
        .arg(command.get_program())
        .args(command.get_args())
        .current_dir(command.get_current_dir().unwrap())
        .env_clear()
        .envs(
            command
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdin(Stdio::null());
    shell
}

/// Makes a server log at least one line per request.
fn with_request_log(place: &Place) -> Command {
    let mut command = place.serve();
    command
        .env("STAMPCARD_LOG__LEVEL", "trace")
        .env("STAMPCARD_LOG__SLOW_REQUEST", "0");
    command
}

#[track_caller]
fn assert_works(place: &Place, server: Server, what: &str) {
    server.set_member("ann");
    for _ in 0..20 {
        server.credit("ann", 1);
        let refused = server.post("/v1/wallet/credit", &json!({"amount": -1}));
        assert_eq!(refused.status, 422, "{what}");
    }
    let ready = server.send("GET", "/readyz", None, &Value::Null).unwrap();
    assert_eq!(ready.status, 200, "{what}");
    assert_eq!(server.get("/v1/analytics/summary")["pointsMinted"], 20);
    let mut server = server;
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0), "{what}");
    assert_eq!(place.verify().code, Some(0), "{what}");
}

#[test]
fn a_server_goes_on_whatever_becomes_of_its_log() {
    for (what, stderr) in [("full", full()), ("its reader ended", ended_pipe())] {
        let place = Place::new();
        let mut command = with_request_log(&place);
        command.stderr(stderr);
        let server = Place::start_logging_to(command, place.path("no-log"));
        assert_works(&place, server, what);
    }
    let place = Place::new();
    let command = closing(&with_request_log(&place), 2);
    let server = Place::start_logging_to(command, place.path("no-log"));
    assert_works(&place, server, "closed");
}

#[test]
fn a_log_that_nobody_reads_holds_nothing_up() {
    let place = Place::new();
    let (reader, writer) = pipe().unwrap();
    let mut command = with_request_log(&place);
    command.stderr(writer);
    let server = Place::start_logging_to(command, place.path("no-log"));
    server.set_member("ann");
    // More than the pipe holds, line by line.
    let start = Instant::now();
    let lost = || {
        let metrics = server.send("GET", "/metrics", None, &Value::Null).unwrap();
        let line = metrics
            .text
            .lines()
            .find(|line| line.starts_with("log_lines_lost "));
        line.unwrap()
            .split(' ')
            .nth(1)
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    while lost() < 10 {
        for _ in 0..50 {
            server.credit("ann", 1);
        }
        assert!(
            start.elapsed() < Duration::from_secs(50),
            "it is never full"
        );
    }
    // From then on no request waits for it.
    let start = Instant::now();
    for _ in 0..20 {
        server.credit("ann", 1);
    }
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{:?}",
        start.elapsed()
    );
    drop(reader);
    server.kill();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_log_on_the_full_disk_of_the_database_ends_nothing() {
    let place = Place::new();
    let log = place.path("log-beside.db.txt");
    let mut command = with_request_log(&place);
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_CONTROL", place.path("fault"))
        .stderr(File::create(&log).unwrap());
    let server = Place::start_logging_to(command, log.clone());
    server.set_member("ann");
    server.credit("ann", 1);
    std::fs::write(place.path("fault"), "write=ENOSPC").unwrap();
    let before = std::fs::metadata(&log).unwrap().len();
    for attempt in 0..3 {
        let key = format!("full-{attempt}");
        let body = json!({"externalUserID": "ann", "amount": 1});
        let answer = server.send("POST", "/v1/wallet/credit", Some(&key), &body);
        assert_eq!(answer.unwrap().status, 503);
    }
    assert_eq!(
        std::fs::metadata(&log).unwrap().len(),
        before,
        "it was full"
    );
    std::fs::write(place.path("fault"), "").unwrap();
    let start = Instant::now();
    let body = json!({"externalUserID": "ann", "amount": 1});
    while server.post("/v1/wallet/credit", &body).status != 200 {
        assert!(start.elapsed() < Duration::from_secs(20));
    }
    assert_eq!(server.get("/v1/wallet?externalUserID=ann")["balance"], 2);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

/// A first start without configured keys.
fn first_start(place: &Place) -> Command {
    let mut command = place.serve();
    command
        .env_remove("STAMPCARD_BOOTSTRAP__SANDBOX_KEY")
        .env("STAMPCARD_LOG__LEVEL", "warn");
    command
}

/// Runs a command with this standard output.
#[track_caller]
fn run(place: &Place, mut command: Command, stdout: Stdio) -> Ended {
    let log = place.path("said");
    let mut child = command
        .stdout(stdout)
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let code = wait(&mut child);
    Ended {
        code,
        stdout: String::new(),
        stderr: std::fs::read_to_string(log).unwrap(),
    }
}

#[track_caller]
fn wait(child: &mut Child) -> Option<i32> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if start.elapsed() > Duration::from_secs(30) {
            let _ = child.kill();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_first_start_makes_no_keys_that_nobody_can_see() {
    let place = Place::new();
    let closed = closing(&first_start(&place), 1);
    for (what, command, stdout) in [
        ("full", first_start(&place), full()),
        ("its reader ended", first_start(&place), ended_pipe()),
        ("discarded", first_start(&place), Stdio::null()),
        ("closed", closed, Stdio::null()),
    ] {
        let ended = run(&place, command, stdout);
        let refusal = ended.refusal();
        assert!(
            refusal.contains("could not be printed"),
            "{what}: {refusal}"
        );
    }
    // None of them left a file.
    let server = place.start_as(first_start(&place));
    assert_eq!(server.printed.len(), 5, "{:?}", server.printed);
    server.terminate();
    // Configured keys need not be printed; the output says how to create others.
    let place = Place::new();
    let mut command = place.command(&["serve", "--database", "test.db"]);
    command
        .env("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", SANDBOX_KEY)
        .env("STAMPCARD_LOG__LEVEL", "warn");
    let log = serve_with_stdout(&place, command, Stdio::null());
    assert!(log.contains("`stampcard keys create`"), "{log}");
}

/// Starts a server with an unusable standard output, waits until it serves, and stops it; returns
/// its log.
#[track_caller]
fn serve_with_stdout(place: &Place, mut command: Command, stdout: Stdio) -> String {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let log = place.path("unseen");
    let mut child = command
        .args(["--listen", &port.to_string()])
        .stdout(stdout)
        .stderr(File::create(&log).unwrap())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while ureq::get(format!("http://{port}/readyz")).call().is_err() {
        let log = std::fs::read_to_string(&log).unwrap();
        assert!(child.try_wait().unwrap().is_none(), "{log}");
        assert!(start.elapsed() < Duration::from_secs(30), "{log}");
        std::thread::sleep(Duration::from_millis(10));
    }
    let ended = Command::new("kill").arg(child.id().to_string()).status();
    assert!(ended.unwrap().success());
    assert_eq!(wait(&mut child), Some(0));
    std::fs::read_to_string(log).unwrap()
}

#[test]
fn a_server_serves_although_its_address_cannot_be_printed() {
    let place = Place::new();
    place.start().terminate();
    for (what, stdout) in [("full", full()), ("its reader ended", ended_pipe())] {
        let mut command = place.command(&["serve", "--database", "test.db"]);
        command.env("STAMPCARD_LOG__LEVEL", "warn");
        let log = serve_with_stdout(&place, command, stdout);
        assert!(
            log.contains("standard output did not take"),
            "{what}: {log}"
        );
    }
}

#[test]
fn a_command_whose_reader_ended_ends_quietly() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    for (arguments, code) in [
        (&["verify"] as &[&str], 0),
        (&["verify", "--json"], 0),
        (&["check-config"], 0),
        (&["completions", "bash"], 0),
        (&["openapi"], 0),
        (&["keys", "list"], 0),
        (&["organizations", "list", "--json"], 0),
        (&["backup", "copy.db"], 0),
        (&["migrate"], 0),
        (&["--help"], 0),
        // The output is incomplete.
        (&["export", "-"], 1),
        (&["export", "-", "--format", "csv", "--table", "ledger"], 1),
    ] {
        let ended = run(&place, place.on_database(arguments), ended_pipe());
        let expected = (Some(code), "");
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            expected,
            "{arguments:?}"
        );
    }
    // A full disk must be reported.
    for arguments in [
        &["verify"] as &[&str],
        &["completions", "bash"],
        &["openapi"],
        &["export", "-"],
    ] {
        let ended = run(&place, place.on_database(arguments), full());
        assert!(ended.refusal().contains("No space left"), "{ended:?}");
    }
}

#[test]
fn a_key_that_was_made_and_not_seen_is_no_quiet_success() {
    let place = Place::new();
    place.start().terminate();
    let create = ["keys", "create", "x", "--partner", "--environment", "live"];
    for stdout in [ended_pipe(), full()] {
        let ended = run(&place, place.on_database(&create), stdout);
        let refusal = ended.refusal();
        let id = refusal.split("the key of ").nth(1).unwrap();
        let id = id.split(' ').next().unwrap();
        assert!(refusal.contains("`stampcard keys revoke`"), "{refusal}");
        done(&place.run_on_database(&["keys", "revoke", id]));
    }
    let create = ["organizations", "create", "x", "--environment", "live"];
    let ended = run(&place, place.on_database(&create), ended_pipe());
    assert!(
        ended.refusal().contains("`stampcard keys create`"),
        "{ended:?}"
    );
}
