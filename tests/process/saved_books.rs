//! The books are saved while writes go on, and the server is killed meanwhile: whatever is left in
//! the file, the next start has the books of the log.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};
use stampcard::books::Books;
use stampcard::service::{Loaded, open_read_only};

use crate::campaign::setting;
use crate::server::{Place, SANDBOX_KEY, Server, agent, done, request};

/// Enough that a base takes several writes.
const MEMBERS: i64 = 60_000;
const CLIENTS: usize = 3;
/// Kills of the short form.
const KILLS: usize = 4;
const PATIENCE: Duration = Duration::from_mins(1);

/// Adds members as sign-ups do: rows, words for the search, and activities.
const SIGN_UPS: &str = "
    CREATE TEMP TABLE base AS SELECT max(seq) AS seq FROM activity;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO member (id, program_id, external_user_id, tier, created_at, version)
    SELECT i, 1, 'm' || i, 'standard', 1700000000000, base.seq + i FROM n, base;
    INSERT INTO search_term (program_id, term, member_id)
    SELECT 1, external_user_id, id FROM member;
    INSERT INTO activity (seq, at, program_id, kind, actor, member_id, to_state)
    SELECT version, 1700000000000, 1, 1, 6, id, 'standard' FROM member ORDER BY id;";

/// A database with many members, of which nothing was saved.
fn populated() -> Place {
    let place = Place::new();
    place.start().terminate();
    let connection = place.sqlite();
    let sql = SIGN_UPS.replace("?1", &MEMBERS.to_string());
    let sql = format!("PRAGMA synchronous = OFF; BEGIN; {sql}; COMMIT");
    connection.execute_batch(&sql).unwrap();
    forget(&connection);
    place
}

/// Deletes the saved books, so that the next generation is a base.
fn forget(connection: &Connection) {
    let sql = "DELETE FROM book_generation; DELETE FROM book_part";
    connection.execute_batch(sql).unwrap();
}

fn start(place: &Place) -> Server {
    let mut command = place.serve();
    command.env("STAMPCARD_ANALYTICS__SNAPSHOT_INTERVAL", "1");
    place.start_as(command)
}

fn count(connection: &Connection, sql: &str) -> i64 {
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Parts of a generation that is not complete.
const LOOSE: &str = "SELECT count(*) FROM book_part
    WHERE generation NOT IN (SELECT number FROM book_generation)";

/// Waits until a query finds something.
#[track_caller]
fn wait_for(server: &Server, connection: &Connection, sql: &str) {
    let start = Instant::now();
    while count(connection, sql) == 0 {
        assert!(start.elapsed() < PATIENCE, "never: {sql}\n{}", server.log());
        std::thread::sleep(Duration::from_micros(300));
    }
}

/// Acknowledged credits by member.
type Credits = BTreeMap<i64, i64>;

/// Clients credit random members one point after the other, until `work` has ended the server.
fn while_crediting(
    server: Server,
    rng: &mut fastrand::Rng,
    work: impl FnOnce(Server, &AtomicUsize),
) -> Credits {
    let (address, acknowledged) = (server.address, &AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|_| {
                let mut rng = rng.fork();
                scope.spawn(move || {
                    let (agent, mut credits) = (agent(), Credits::new());
                    loop {
                        let member = rng.i64(1..=MEMBERS);
                        let body = json!({"externalUserID": format!("m{member}"), "amount": 1});
                        let route = ("POST", "/v1/wallet/credit");
                        let answer = request(&agent, address, SANDBOX_KEY, route, None, &body);
                        match answer {
                            Ok(answer) if answer.status == 200 => {}
                            Ok(answer) => panic!("{}", answer.text),
                            Err(_) => return credits,
                        }
                        *credits.entry(member).or_default() += 1;
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        work(server, acknowledged);
        let mut all = Credits::new();
        for client in clients {
            for (member, points) in client.join().unwrap() {
                *all.entry(member).or_default() += points;
            }
        }
        all
    })
}

/// Checks what is left: `verify` agrees, every acknowledged credit is in the books of a start, and
/// they are those of the log.
#[track_caller]
fn check(place: &Place, acknowledged: &Credits) {
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let connection = open_read_only(&place.database()).unwrap();
    let loaded = Loaded::load(&connection).unwrap().books;
    let sql = "SELECT member_id, sum(amount) FROM activity WHERE entry = 1 GROUP BY member_id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.try_into()).unwrap();
    let by_sql: Credits = rows.map(Result::unwrap).collect();
    assert_eq!(received(&loaded), by_sql);
    for (member, points) in acknowledged {
        assert!(by_sql.get(member) >= Some(points), "member row {member}");
    }
    let total: i64 = by_sql.values().sum();
    let sums = loaded.program(stampcard::domain::ProgramNumber(1)).wallets;
    assert_eq!(sums.received.get(), total);
    assert_eq!(i64::try_from(loaded.len()).unwrap(), MEMBERS);
}

fn received(books: &Books) -> Credits {
    let credited = books.records().filter(|record| record.account.entries > 0);
    let points = credited.map(|record| (record.number.0, record.wallet.received.get()));
    points.collect()
}

#[test]
fn a_server_that_is_killed_while_it_saves_its_books_starts_with_those_of_the_log() {
    let seed = setting("SAVED_BOOKS_SEED").unwrap_or(1);
    let kills = setting("SAVED_BOOKS_KILLS").unwrap_or(KILLS);
    let mut rng = fastrand::Rng::with_seed(seed);
    let place = populated();
    let mut acknowledged = Credits::new();
    let mut unfinished = 0;
    // A generation takes milliseconds, so that the first kills may miss it.
    for kill in 0..10 * kills {
        if kill >= kills && unfinished > 0 {
            break;
        }
        let connection = place.sqlite();
        if kill % 2 == 0 {
            forget(&connection);
        }
        let server = start(&place);
        let pause = Duration::from_micros(rng.u64(..10_000));
        // Every other base is interrupted as soon as it has a part.
        let pause = if kill % 4 == 0 { Duration::ZERO } else { pause };
        let credits = while_crediting(server, &mut rng, |server, _| {
            if kill % 2 == 0 {
                wait_for(&server, &connection, LOOSE);
                std::thread::sleep(pause);
            } else {
                // About when the next generation begins.
                std::thread::sleep(Duration::from_millis(900) + 20 * pause);
            }
            server.kill();
        });
        unfinished += usize::from(count(&connection, LOOSE) > 0);
        drop(connection);
        for (member, points) in credits {
            *acknowledged.entry(member).or_default() += points;
        }
        check(&place, &acknowledged);
    }
    assert!(
        unfinished > 0,
        "no kill interrupted a generation (seed {seed})"
    );
    let server = start(&place);
    let (member, points) = acknowledged.first_key_value().unwrap();
    let wallet = server.get(&format!("/v1/wallet?externalUserID=m{member}"));
    assert!(wallet["balance"].as_i64() >= Some(*points), "{wallet}");
    server.terminate();
    let connection = place.sqlite();
    assert_eq!(count(&connection, LOOSE), 0, "older parts are deleted");
    check(&place, &acknowledged);
}

#[test]
fn writes_go_on_while_the_books_are_saved_and_a_backup_meanwhile_is_complete() {
    let place = populated();
    let mut rng = fastrand::Rng::with_seed(2);
    let mut in_between = 0;
    let mut is_meanwhile = false;
    for attempt in 0.. {
        assert!(attempt < 8, "no backup was taken between two parts");
        let connection = place.sqlite();
        forget(&connection);
        let server = start(&place);
        while_crediting(server, &mut rng, |server, acknowledged| {
            wait_for(&server, &connection, LOOSE);
            let first = acknowledged.load(Ordering::Relaxed);
            let backup = place.run_on_database(&["backup", "copy.db", "--force"]);
            done(&backup);
            wait_for(
                &server,
                &connection,
                "SELECT count(*) FROM book_generation WHERE is_base = 1",
            );
            in_between += acknowledged.load(Ordering::Relaxed) - first;
            server.kill();
        });
        drop(connection);
        let copy = Connection::open(place.path("copy.db")).unwrap();
        is_meanwhile |= count(&copy, LOOSE) > 0;
        if is_meanwhile {
            break;
        }
    }
    assert!(in_between > 0, "credits while the base was saved");
    let restored = Place::new();
    std::fs::copy(place.path("copy.db"), restored.database()).unwrap();
    let server = start(&restored);
    assert_ne!(server.get("/v1/analytics/summary"), Value::Null);
    server.terminate();
    check(&restored, &Credits::new());
}
