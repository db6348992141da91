//! kill -9 under load: acknowledged writes took effect once, the others completely or not at all,
//! and a retry with the same Idempotency-Key settles which.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::server::{Answer, Place, SANDBOX_KEY, Server, agent, request};

const ROUNDS: usize = 5;
const CLIENTS: usize = 6;
const OFFERS: usize = 60;
const PRICE: u64 = 3;
/// Acknowledged writes before the kill, in the first round; a few more in each later one.
const WRITES: usize = 150;

/// A write that a client sent: a credit, or the booking of an offer.
#[derive(Debug, Clone)]
struct Write {
    key: String,
    member: String,
    /// Points of a credit; `None` for a booking.
    amount: Option<u64>,
    path: &'static str,
    body: Value,
    /// The response, if there was one.
    answer: Option<Answer>,
}

impl Write {
    fn new(round: usize, client: usize, count: usize, offers: &[String]) -> Self {
        let key = format!("write-{round}-{client}-{count}");
        let member = format!("member-{client}");
        // Every fifth books an offer that this member has not booked before.
        let offer = (count % 5 == 4)
            .then(|| offers.get(round * OFFERS / ROUNDS + count / 5))
            .flatten()
            .filter(|_| count / 5 < OFFERS / ROUNDS);
        let amount = 3 + count as u64 % 7;
        let (amount, path, body) = if let Some(offer) = offer {
            let body = json!({"externalUserID": member, "offer": offer});
            (None, "/v1/redemptions", body)
        } else {
            let body = json!({"externalUserID": member, "amount": amount, "reason": key});
            (Some(amount), "/v1/wallet/credit", body)
        };
        Self {
            key,
            member,
            amount,
            path,
            body,
            answer: None,
        }
    }

    fn send(&self, server: &Server, agent: &ureq::Agent) -> Option<Answer> {
        let (address, route) = (server.address, ("POST", self.path));
        request(
            agent,
            address,
            SANDBOX_KEY,
            route,
            Some(&self.key),
            &self.body,
        )
        .ok()
    }

    /// How often the database holds the effect of this write.
    fn times_done(&self, connection: &Connection) -> i64 {
        let count = |sql: &str, values: &[&str]| -> i64 {
            let values = rusqlite::params_from_iter(values);
            connection.query_row(sql, values, |row| row.get(0)).unwrap()
        };
        if self.amount.is_some() {
            return count(
                "SELECT count(*) FROM log_text WHERE text = ?1",
                &[&self.key],
            );
        }
        let offer = self.body["offer"].as_str().unwrap();
        let booked = "FROM redemption r JOIN member m ON m.id = r.member_id
                      JOIN offer o ON o.id = r.offer_id
                      WHERE m.external_user_id = ?1
                          AND lower(hex(o.uuid)) = replace(substr(?2, 5), '-', '')";
        let times = count(&format!("SELECT count(*) {booked}"), &[&self.member, offer]);
        // A booking is a row, an event and a spend, or none of them.
        let parts = count(
            &format!(
                "SELECT count(*) FROM activity WHERE kind IN (5, 6)
                     AND redemption_id IN (SELECT r.id {booked})"
            ),
            &[&self.member, offer],
        );
        assert_eq!(parts, 2 * times, "{self:?}");
        times
    }
}

/// Runs clients that write as fast as they can until the server receives a signal; returns their
/// writes and the exit code.
fn write_until(
    signal: &str,
    mut server: Server,
    round: usize,
    offers: &[String],
) -> (Vec<Write>, Option<i32>) {
    let (acknowledged, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
    let (acknowledged, dead, borrowed) = (&acknowledged, &dead, &server);
    let goal = WRITES + 37 * round;
    let mut writes = Vec::new();
    std::thread::scope(|scope| {
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                scope.spawn(move || {
                    let agent = agent();
                    let mut writes = Vec::new();
                    for count in 0.. {
                        let mut write = Write::new(round, client, count, offers);
                        write.answer = write.send(borrowed, &agent);
                        let is_lost = write.answer.is_none();
                        writes.push(write);
                        if is_lost {
                            break;
                        }
                        acknowledged.fetch_add(1, Ordering::Relaxed);
                    }
                    assert!(
                        dead.load(Ordering::Relaxed),
                        "a connection broke before the signal"
                    );
                    writes
                })
            })
            .collect();
        while acknowledged.load(Ordering::Relaxed) < goal {
            std::thread::yield_now();
        }
        dead.store(true, Ordering::Relaxed);
        borrowed.signal(signal);
        for client in clients {
            writes.extend(client.join().unwrap());
        }
    });
    (writes, server.wait().0)
}

/// Compares the clients' writes with the file of the killed server.
fn check_what_is_left(place: &Place, writes: &[Write]) -> (usize, usize) {
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let connection = stampcard::store::open_read_only(&place.database()).unwrap();
    let (mut kept, mut open) = (0, 0);
    for write in writes {
        let times = write.times_done(&connection);
        if let Some(answer) = &write.answer {
            assert!(matches!(answer.status, 200 | 201), "{answer:?}");
            assert_eq!(times, 1, "acknowledged, so there once: {write:?}");
            kept += 1;
        } else {
            assert!(times <= 1, "never twice: {write:?}");
            open += 1;
        }
    }
    (kept, open)
}

/// Sends everything once more: the acknowledged writes are replayed, the others settled.
fn retry(server: &Server, writes: &mut [Write], connection: &Connection) {
    for write in writes {
        let was_done = write.times_done(connection) == 1;
        let again = write.send(server, &server.agent).expect("the server lives");
        assert!(matches!(again.status, 200 | 201), "{again:?}");
        assert_eq!(again.is_replay, was_done, "{write:?}");
        if let Some(first) = &write.answer {
            assert_eq!((first.status, &first.text), (again.status, &again.text));
        }
        write.answer = Some(again);
        assert_eq!(write.times_done(connection), 1, "{write:?}");
    }
}

/// Every wallet and the program's figures are the sums of the settled writes.
fn check_sums(server: &Server, writes: &[Write]) {
    let credited = |of: &[&Write]| of.iter().filter_map(|write| write.amount).sum::<u64>();
    let booked = |of: &[&Write]| of.iter().filter(|write| write.amount.is_none()).count() as u64;
    for client in 0..CLIENTS {
        let member = format!("member-{client}");
        let own: Vec<&Write> = writes.iter().filter(|w| w.member == member).collect();
        let wallet = server.get(&format!("/v1/wallet?externalUserID={member}"));
        assert_eq!(wallet["balance"], credited(&own) - PRICE * booked(&own));
    }
    let all: Vec<&Write> = writes.iter().collect();
    let summary = server.get("/v1/analytics/summary");
    assert_eq!(summary["pointsMinted"], credited(&all));
    assert_eq!(summary["pointsSpent"], PRICE * booked(&all));
    assert_eq!(summary["redemptions"]["submitted"], booked(&all));
}

/// A server with members and offers.
fn furnished(place: &Place) -> (Server, Vec<String>) {
    let server = place.start();
    let offers = (0..OFFERS).map(|_| server.offer(PRICE)).collect();
    for client in 0..CLIENTS {
        server.set_member(&format!("member-{client}"));
    }
    (server, offers)
}

#[test]
fn a_stop_under_load_loses_nothing_either() {
    let place = Place::new();
    let (server, offers) = furnished(&place);
    let (mut writes, code) = write_until("TERM", server, 0, &offers);
    assert_eq!(code, Some(0));
    check_what_is_left(&place, &writes);
    let server = place.start();
    let connection = stampcard::store::open_read_only(&place.database()).unwrap();
    retry(&server, &mut writes, &connection);
    check_sums(&server, &writes);
}

#[test]
fn a_kill_loses_nothing_that_was_acknowledged() {
    let place = Place::new();
    let (mut server, offers) = furnished(&place);
    let mut all = Vec::new();
    let (mut kept, mut open) = (0, 0);
    for round in 0..ROUNDS {
        let (mut writes, code) = write_until("KILL", server, round, &offers);
        assert_eq!(code, None);
        let counted = check_what_is_left(&place, &writes);
        (kept, open) = (kept + counted.0, open + counted.1);
        server = place.start();
        assert_eq!(
            server.printed,
            Vec::<String>::new(),
            "no keys are created again"
        );
        let connection = stampcard::store::open_read_only(&place.database()).unwrap();
        retry(&server, &mut writes, &connection);
        all.extend(writes);
        check_sums(&server, &all);
    }
    println!("{ROUNDS} kills; {kept} acknowledged writes checked, {open} open ones settled");
    assert!(kept > ROUNDS * WRITES && open > 0);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_kill_during_the_first_start_leaves_a_file_that_starts() {
    for _ in 0..6 {
        let place = Place::new();
        let mut child = place.serve().spawn().unwrap();
        // As soon as there is a file, at any point of the first start.
        while !place.database().exists() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let server = place.start();
        server.get("/v1/analytics/summary");
        server.terminate();
        assert_eq!(place.verify().code, Some(0));
    }
}
