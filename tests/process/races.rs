//! Concurrent commands on one file: one succeeds, the other is refused, and a copy that is made
//! during changes is consistent.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Place, SANDBOX_KEY, Server, agent, request};

const CLIENTS: usize = 3;

fn minted(server: &Server) -> usize {
    let minted = server.get("/v1/analytics/summary")["pointsMinted"].as_u64();
    usize::try_from(minted.unwrap()).unwrap()
}

/// Runs clients that credit one point at a time during something else; returns how many were
/// acknowledged before it, how many in all, and its result.
fn beside_writes<T>(place: &Place, mut act: impl FnMut() -> T) -> (usize, usize, T) {
    let server = place.start();
    for client in 0..CLIENTS {
        server.set_member(&format!("member-{client}"));
    }
    let (count, over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (before, result) = std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (server, count, over) = (&server, &count, &over);
            scope.spawn(move || {
                let agent = agent();
                let body = json!({"externalUserID": format!("member-{client}"), "amount": 1});
                let route = ("POST", "/v1/wallet/credit");
                while !over.load(Ordering::Relaxed) {
                    let answer =
                        request(&agent, server.address, SANDBOX_KEY, route, None, &body).unwrap();
                    assert_eq!(answer.status, 200, "{answer:?}");
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while count.load(Ordering::Relaxed) < 200 {
            std::thread::yield_now();
        }
        let before = count.load(Ordering::Relaxed);
        let result = act();
        over.store(true, Ordering::Relaxed);
        (before, result)
    });
    let all = count.load(Ordering::Relaxed);
    assert_eq!(minted(&server), all);
    server.terminate();
    assert!(all > before, "there was load meanwhile");
    (before, all, result)
}

/// The copy has all writes that were acknowledged before it began, and is consistent.
fn check_copy(copy: &Place, before: usize, all: usize) {
    let verified = copy.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let server = copy.start();
    let minted = minted(&server);
    assert!((before..=all).contains(&minted), "{before} {minted} {all}");
    server.terminate();
}

#[test]
fn an_export_beside_a_server_that_writes_is_of_one_moment() {
    let place = Place::new();
    let (before, all, ended) = beside_writes(&place, || {
        place.run_on_database(&["export", "all.ndjson", "--with-secrets"])
    });
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let copy = Place::new();
    std::fs::copy(place.path("all.ndjson"), copy.path("all.ndjson")).unwrap();
    let imported = copy.run_on_database(&["import", "all.ndjson"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    check_copy(&copy, before, all);
}

#[test]
fn a_backup_while_the_log_is_moved_into_the_file_again_and_again_is_whole() {
    let place = Place::new();
    let (before, all, checkpoints) = beside_writes(&place, || {
        let over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let moving = scope.spawn(|| {
                let (connection, mut done) = (place.sqlite(), 0);
                while !over.load(Ordering::Relaxed) {
                    let moved =
                        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| {
                            row.get::<_, i64>(0)
                        });
                    done += usize::from(moved == Ok(0));
                    std::thread::sleep(Duration::from_millis(1));
                }
                done
            });
            let ended = place.run_on_database(&["backup", "copy.db"]);
            over.store(true, Ordering::Relaxed);
            assert_eq!(ended.code, Some(0), "{ended:?}");
            moving.join().unwrap()
        })
    });
    assert!(checkpoints > 0, "the log was moved at least once");
    let copy = Place::new();
    std::fs::copy(place.path("copy.db"), copy.database()).unwrap();
    check_copy(&copy, before, all);
}

/// Starts the same command many times concurrently; returns how each ended.
fn at_once(commands: Vec<std::process::Command>) -> Vec<(Option<i32>, String)> {
    let children: Vec<_> = commands
        .into_iter()
        .map(|mut command| {
            command.stdout(std::process::Stdio::piped());
            command.stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    let ends = children.into_iter().map(|child| {
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        (output.status.code(), said)
    });
    ends.collect()
}

#[test]
fn of_imports_at_once_one_is_done_and_the_others_are_told_why_not() {
    let origin = Place::new();
    let server = origin.start();
    server.live_a_little();
    let summary = server.get("/v1/analytics/summary");
    server.terminate();
    let exported = origin.run_on_database(&["export", "all.ndjson", "--with-secrets"]);
    assert_eq!(exported.code, Some(0), "{exported:?}");
    for _ in 0..5 {
        let place = Place::new();
        std::fs::copy(origin.path("all.ndjson"), place.path("all.ndjson")).unwrap();
        let import = || {
            let mut command = place.command(&["import", "all.ndjson", "--database"]);
            command.arg(place.database());
            command
        };
        let ends = at_once(vec![import(), import(), import()]);
        let done = ends.iter().filter(|(code, _)| *code == Some(0)).count();
        assert_eq!(done, 1, "{ends:?}");
        for (code, said) in ends.iter().filter(|(code, _)| *code != Some(0)) {
            let is_told = said.contains("in use by another") || said.contains("holds data already");
            assert!(*code == Some(1) && is_told, "{said}");
        }
        assert_eq!(place.verify().code, Some(0));
        let server = place.start();
        assert_eq!(server.get("/v1/analytics/summary"), summary);
        server.terminate();
    }
}

#[test]
fn of_servers_started_at_once_on_a_new_file_one_serves_and_the_others_say_why_not() {
    const SERVERS: usize = 4;
    for _ in 0..3 {
        let place = Place::new();
        let mut children: Vec<_> = (0..SERVERS)
            .map(|_| {
                let mut command = place.serve();
                command.stdout(std::process::Stdio::piped());
                command.stderr(std::process::Stdio::piped());
                command.spawn().unwrap()
            })
            .collect();
        let start = std::time::Instant::now();
        let mut refused = 0;
        while children.len() > 1 {
            assert!(
                start.elapsed() < Duration::from_mins(1),
                "{} left",
                children.len()
            );
            let ended = children
                .iter_mut()
                .position(|child| child.try_wait().unwrap().is_some());
            let Some(index) = ended else {
                std::thread::sleep(Duration::from_millis(5));
                continue;
            };
            let output = children.swap_remove(index).wait_with_output().unwrap();
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(
                said.contains("in use by another stampcard process"),
                "{said}"
            );
            refused += 1;
        }
        let mut last = children.pop().unwrap();
        let mut first = String::new();
        let stdout = last.stdout.take().unwrap();
        for line in std::io::BufRead::lines(std::io::BufReader::new(stdout)) {
            first = line.unwrap();
            if first.contains("listening") {
                break;
            }
        }
        assert!(first.contains("listening"), "the one that is left serves");
        last.kill().unwrap();
        last.wait().unwrap();
        assert_eq!(refused, SERVERS - 1);
        assert_eq!(place.verify().code, Some(0));
        // The keys are those of the server that started.
        let server = place.start();
        assert_eq!(server.printed, Vec::<String>::new());
        assert_eq!(
            server.get("/v1/analytics/summary")["memberCount"],
            Value::from(0)
        );
        server.terminate();
    }
}
