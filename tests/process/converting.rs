//! The conversion of points to lots beside the writes of clients, and killed anywhere: nothing is
//! lost, every balance is as before, and the next start finishes it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use fastrand::Rng;
use serde_json::{Value, json};
use stampcard::clock::Clock;

use crate::faults::shim;
use crate::lots::{POINTS, begin_conversion, insert_sums};
use crate::server::{Place, SANDBOX_KEY, Server, agent, request};
use crate::wallets::check_wallets;

/// Several steps of the thread that puts points into lots.
const MEMBERS: usize = 3_000;
const CLIENTS: usize = 3;
const PATIENCE: Duration = Duration::from_mins(2);
const ASSET: &str = "/v1/assets/default";
const CONVERT: &str = "/v1/assets/default/convert";

/// A database whose members have points, but no lots.
fn place(members: usize) -> Place {
    let place = Place::new();
    place.start().terminate();
    let now = Clock::system().now().as_millis();
    insert_sums(&place.sqlite(), members, now);
    place
}

fn is_converting(asset: &Value) -> bool {
    asset["converting"].as_bool().unwrap()
}

/// Waits until the points of all members are in lots.
#[track_caller]
fn opened(server: &Server) {
    let begun = Instant::now();
    while is_converting(&server.get(ASSET)) {
        assert!(begun.elapsed() < PATIENCE, "{}", server.log());
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// The members whose points were put into lots, and those with several such entries.
fn counted(place: &Place) -> (usize, usize) {
    let sql = "SELECT count(*), count(*) FILTER (WHERE n > 1)
        FROM (SELECT count(*) AS n FROM activity WHERE entry = 11 GROUP BY member_id)";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?));
    let (members, several) = place.sqlite().query_row(sql, [], read).unwrap();
    (
        usize::try_from(members).unwrap(),
        usize::try_from(several).unwrap(),
    )
}

#[track_caller]
fn verify(place: &Place) {
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
}

/// A member as a client expects it.
struct Expected {
    balance: i64,
    /// Redemptions that can be canceled.
    open: Vec<String>,
    is_removed: bool,
}

/// The price of the offer.
const PRICE: i64 = 3;

/// A client, with members of its own.
struct Client<'a> {
    server: &'a Server,
    agent: ureq::Agent,
    offer: &'a str,
    rng: Rng,
    first: usize,
    members: BTreeMap<usize, Expected>,
}

impl Client<'_> {
    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (agent, address) = (&self.agent, self.server.address);
        let route = (method, path);
        let answer = request(agent, address, SANDBOX_KEY, route, None, body).unwrap();
        let body = serde_json::from_str(&answer.text).unwrap_or(Value::Null);
        (answer.status, body)
    }

    /// One request about one of its members, which must answer as the model says.
    fn step(&mut self) {
        let number = self.first + CLIENTS * self.rng.usize(..MEMBERS / CLIENTS);
        let id = format!("m{number}");
        let expected = self.members.remove(&number);
        let mut expected = expected.unwrap_or_else(|| Expected {
            balance: POINTS,
            open: Vec::new(),
            is_removed: false,
        });
        if expected.is_removed {
            let (status, _) = self.send("PUT", &format!("/v1/members/{id}"), &json!({}));
            assert_eq!(status, 200);
            expected.is_removed = false;
        }
        let amount = self.rng.i64(1..9);
        let body = json!({"externalUserID": id, "amount": amount});
        match self.rng.u8(..8) {
            0..3 => {
                assert_eq!(self.send("POST", "/v1/wallet/credit", &body).0, 200);
                expected.balance += amount;
            }
            3 => {
                let (status, _) = self.send("POST", "/v1/wallet/debit", &body);
                let is_enough = expected.balance >= amount;
                assert_eq!(status, if is_enough { 200 } else { 422 }, "{id}");
                expected.balance -= if is_enough { amount } else { 0 };
            }
            4 | 5 => {
                let body = json!({"externalUserID": id, "offer": self.offer});
                let (status, made) = self.send("POST", "/v1/redemptions", &body);
                if expected.balance < PRICE {
                    assert_eq!(status, 422, "{made}");
                } else {
                    assert_eq!(status, 201, "{made}");
                    expected.open.push(made["id"].as_str().unwrap().to_owned());
                    expected.balance -= PRICE;
                }
            }
            6 if !expected.open.is_empty() => {
                let place = self.rng.usize(..expected.open.len());
                let redemption = expected.open.swap_remove(place);
                let path = format!("/v1/redemptions/{redemption}/cancel");
                assert_eq!(self.send("POST", &path, &json!({})).0, 200);
                expected.balance += PRICE;
            }
            _ => {
                let retains = self.rng.bool();
                let path = format!("/v1/members/{id}?retainBalance={retains}");
                assert_eq!(self.send("DELETE", &path, &Value::Null).0, 200);
                expected.is_removed = true;
                expected.balance = if retains { expected.balance } else { 0 };
            }
        }
        self.members.insert(number, expected);
    }
}

#[test]
fn nothing_is_lost_by_a_conversion_beside_writes() {
    let place = place(MEMBERS);
    let server = place.start();
    let body = json!({"title": "Tea", "pointsPrice": PRICE,
        "redemptionLimit": {"perMember": null, "per": "ever"}});
    let offer = server.post("/v1/offers", &body).expect(201);
    let offer = offer["id"].as_str().unwrap();
    let over = AtomicBool::new(false);
    let mut clients: Vec<Client<'_>> = (1..=CLIENTS)
        .map(|first| Client {
            server: &server,
            agent: agent(),
            offer,
            rng: Rng::with_seed(first as u64),
            first,
            members: BTreeMap::new(),
        })
        .collect();
    let during = std::thread::scope(|scope| {
        for client in &mut clients {
            // Redemptions that are canceled after the conversion.
            for _ in 0..100 {
                client.step();
            }
            let over = &over;
            scope.spawn(move || {
                while !over.load(Ordering::Relaxed) {
                    client.step();
                }
                for _ in 0..50 {
                    client.step();
                }
            });
        }
        let before = written(&place);
        let done = server.post(CONVERT, &json!({"to": "LOT"})).expect(200);
        assert_eq!(done["dry_run"], false);
        opened(&server);
        let during = written(&place) - before;
        over.store(true, Ordering::Relaxed);
        during
    });
    assert!(during > 0, "no client wrote meanwhile");
    let connection = stampcard::store::open_read_only(&place.database()).unwrap();
    assert_eq!(check_wallets(&server, SANDBOX_KEY, &connection), MEMBERS);
    for (number, expected) in clients.into_iter().flat_map(|client| client.members) {
        let path = format!("/v1/members/m{number}?includeArchived=true");
        let member = server.get(&path);
        assert_eq!(member["wallet"]["balance"], expected.balance, "{member}");
    }
    server.terminate();
    let (members, several) = counted(&place);
    assert!(members > MEMBERS / 2 && several == 0, "{members} {several}");
    verify(&place);
}

/// The entries that clients caused.
fn written(place: &Place) -> u32 {
    let sql = "SELECT count(*) FROM activity WHERE entry IS NOT NULL AND entry <> 11";
    place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// Converts, killed before the call `number`. Returns the calls, and the members whose points were
/// in lots when the server died; `None` if the conversion was not begun.
#[track_caller]
fn kill_and_check(origin: &Place, members: usize, number: u64) -> (u64, Option<usize>) {
    let place = Place::new();
    std::fs::copy(origin.database(), place.database()).unwrap();
    let mut command = place.serve();
    command
        .env("LD_PRELOAD", shim())
        .env("FAULT_CONTROL", place.path("fault"))
        .env("FAULT_COUNT", place.path("calls"));
    let mut server = place.start_as(command);
    std::fs::write(place.path("fault"), format!("kill {number}")).unwrap();
    let before = std::fs::metadata(place.path("calls")).map_or(0, |file| file.len());
    let sent = server.send("POST", CONVERT, None, &json!({"to": "LOT"}));
    let is_acknowledged = sent.is_ok_and(|answer| answer.status == 200);
    let is_done = || loop {
        match server.send("GET", ASSET, None, &Value::Null) {
            Ok(answer) if is_converting(&answer.expect(200)) => {}
            Ok(_) => return true,
            Err(_) => return false,
        }
    };
    let is_done = is_acknowledged && is_done();
    let calls = std::fs::metadata(place.path("calls")).map_or(0, |file| file.len()) - before;
    if is_done {
        server.kill();
    } else {
        assert_eq!(server.wait().0, None, "{}", server.log());
    }
    let what = format!("killed before call {number}");
    let (converted, _) = counted(&place);
    let server = place.start();
    let is_begun = server.get(ASSET)["inventory_mode"] == "LOT";
    assert!(is_begun || !is_acknowledged, "{what}");
    opened(&server);
    let connection = stampcard::store::open_read_only(&place.database()).unwrap();
    assert_eq!(check_wallets(&server, SANDBOX_KEY, &connection), members);
    let wallet = server.get("/v1/wallet?externalUserID=m7");
    assert_eq!(wallet["balance"], POINTS, "{what}");
    server.terminate();
    let expected = if is_begun { members } else { 0 };
    assert_eq!(counted(&place), (expected, 0), "{what}");
    verify(&place);
    (calls, is_begun.then_some(converted))
}

#[test]
fn a_conversion_that_is_killed_anywhere_is_finished_by_the_next_start() {
    let members = 1_100;
    let origin = place(members);
    let (calls, converted) = kill_and_check(&origin, members, u64::MAX >> 33);
    assert_eq!(converted, Some(members));
    let (mut unbegun, mut between) = (0, 0);
    // Each of the first calls, which belong to the conversion itself, and some of each step.
    let numbers = (1..=calls).filter(|number| *number <= 4 || number % (calls / 8).max(1) == 0);
    for number in numbers {
        let (_, converted) = kill_and_check(&origin, members, number);
        unbegun += u32::from(converted.is_none());
        between += u32::from(converted.is_some_and(|converted| converted < members));
    }
    assert!(
        unbegun > 0 && between > 1,
        "{unbegun} {between} of {calls} calls"
    );
}

/// The points of a conversion that an earlier run began expire while this one goes on.
#[test]
fn points_that_expire_while_a_conversion_goes_on_expire_in_time_and_once() {
    let place = place(MEMBERS);
    let now = Clock::system().now().as_millis();
    begin_conversion(&place.sqlite(), now, Some(now + 1_000));
    let server = place.start();
    // Not the first that the thread reaches.
    let body = json!({"externalUserID": "m2999", "amount": 2});
    let before = server.post("/v1/wallet/debit", &body).status;
    assert!([200, 422].contains(&before), "{before}");
    server.credit("m3000", 4);
    opened(&server);
    let begun = Instant::now();
    let expired = "SELECT count(*) FROM activity WHERE entry = 6";
    let count = || -> usize {
        let read = |row: &rusqlite::Row<'_>| row.get::<_, u32>(0);
        let count = place.sqlite().query_row(expired, [], read).unwrap();
        usize::try_from(count).unwrap()
    };
    while count() < MEMBERS {
        assert!(begun.elapsed() < PATIENCE, "{} {}", count(), server.log());
        std::thread::sleep(Duration::from_millis(10));
    }
    let balance = |member: &str| {
        let wallet = server.get(&format!("/v1/wallet?externalUserID={member}"));
        wallet["balance"].as_i64().unwrap()
    };
    assert_eq!(
        (balance("m1"), balance("m2999"), balance("m3000")),
        (0, 0, 4)
    );
    server.terminate();
    assert_eq!((counted(&place), count()), ((MEMBERS, 0), MEMBERS));
    verify(&place);
}
