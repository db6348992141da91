//! Webhooks while the receiver, the connection or the server fails. Nothing is lost, first attempts
//! arrive in order, and repetitions have the same delivery id.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use stampcard::domain::EventName;

use crate::receiver::{Arrival, Mood, Receiver};
use crate::server::{Place, Server};

/// Longer than two repetitions.
const PATIENCE: Duration = Duration::from_secs(100);
/// Credits of more than this are made in rising order.
const FIRST_AMOUNT: u64 = 1_000_000;
pub(crate) const CATALOGUE: [&str; EventName::ALL.len()] = {
    let mut names = [""; EventName::ALL.len()];
    let mut index = 0;
    while index < names.len() {
        names[index] = EventName::ALL[index].as_str();
        index += 1;
    }
    names
};

fn start(place: &Place) -> Server {
    let mut command = place.serve();
    command.env("STAMPCARD_WEBHOOKS__TIMEOUT", "1");
    place.start_as(command)
}

/// Subscribes a receiver to all events; returns the secret.
fn subscribe(server: &Server, receiver: &Receiver) -> String {
    let body = json!({"url": receiver.url(), "events": CATALOGUE});
    let made = server.post("/v1/webhooks", &body).expect(201);
    made["signingSecret"].as_str().unwrap().to_owned()
}

/// Checks every request's signature over its raw bytes, and that requests of one delivery are the
/// same; returns the accepted deliveries.
fn check(arrivals: &[Arrival], secret: &str) -> BTreeSet<String> {
    let mut seen: HashMap<&str, &Arrival> = HashMap::new();
    let mut of_event: HashMap<String, &str> = HashMap::new();
    for arrival in arrivals {
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&arrival.body);
        let digest = mac.finalize().into_bytes();
        let hex = HEXLOWER.encode(&digest);
        assert_eq!(arrival.signature, format!("sha256={hex}"));
        let first = seen.entry(&arrival.delivery).or_insert(arrival);
        assert_eq!(first.body, arrival.body, "the same on every attempt");
        let json = arrival.json();
        assert_eq!(json["type"], arrival.event.as_str());
        let id = json["id"].as_str().unwrap().to_owned();
        let delivery = of_event.entry(id).or_insert(&arrival.delivery);
        assert_eq!(*delivery, arrival.delivery, "one delivery an event");
    }
    let taken = arrivals.iter().filter(|arrival| arrival.taken);
    taken.map(|arrival| arrival.delivery.clone()).collect()
}

/// The number of events, as the report counts them.
fn event_count(server: &Server) -> usize {
    let report = server.get("/v1/reports/program-activity");
    let count = report["data"][0]["event_count"].as_u64().unwrap();
    usize::try_from(count).unwrap()
}

/// Waits until every event was accepted.
fn wait_for_all(server: &Server, receiver: &Receiver, secret: &str) -> BTreeSet<String> {
    let start = Instant::now();
    loop {
        let taken = check(&receiver.arrivals(), secret);
        if taken.len() == event_count(server) {
            return taken;
        }
        assert!(
            start.elapsed() < PATIENCE,
            "{} of {} events were taken",
            taken.len(),
            event_count(server)
        );
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Credits rising amounts until it is stopped or the server has ended.
fn credit_on(server: &Server, amount: &AtomicU64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let next = amount.fetch_add(1, Ordering::SeqCst) + 1;
        let body = json!({"externalUserID": "ann", "amount": next});
        if server
            .send("POST", "/v1/wallet/credit", None, &body)
            .is_err()
        {
            return;
        }
        std::thread::sleep(Duration::from_millis(3));
    }
}

/// The amounts of credits in the order in which they first arrived.
fn amounts(arrivals: &[Arrival]) -> Vec<u64> {
    let mut seen = BTreeSet::new();
    let credits = arrivals
        .iter()
        .filter(|arrival| arrival.event == "wallet.credited");
    credits
        .filter_map(|arrival| arrival.json()["data"]["amount"].as_u64())
        .filter(|amount| *amount > FIRST_AMOUNT && seen.insert(*amount))
        .collect()
}

#[test]
fn nothing_is_lost_through_outages_errors_timeouts_and_kills() {
    let place = Place::new();
    let receiver = Receiver::start();
    let mut server = start(&place);
    let secret = subscribe(&server, &receiver);
    server.live_a_little();
    let amount = AtomicU64::new(FIRST_AMOUNT);
    // Credits that were sent while connections were refused: their first attempts did not arrive.
    let mut unseen = Vec::new();
    for round in ["fine", "failing", "silent", "down", "fine again"] {
        let arrived = amounts(&receiver.arrivals()).into_iter().max();
        match round {
            "failing" => receiver.be(Mood::Failing),
            "silent" => receiver.be(Mood::Silent),
            "down" => receiver.go_down(),
            _ => receiver.be(Mood::Fine),
        }
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| credit_on(&server, &amount, &stop));
            std::thread::sleep(Duration::from_millis(700));
            server.signal("KILL");
            stop.store(true, Ordering::Relaxed);
            writing.join().unwrap();
        });
        server.kill();
        if round == "down" {
            receiver.come_up();
        }
        receiver.be(Mood::Fine);
        if round == "down" {
            unseen.push(arrived.unwrap_or(0)..=amount.load(Ordering::SeqCst));
        }
        server = start(&place);
    }
    let taken = wait_for_all(&server, &receiver, &secret);
    let arrivals = receiver.arrivals();
    let seen = amounts(&arrivals);
    let ordered = seen
        .iter()
        .filter(|amount| !unseen.iter().any(|range| range.contains(amount)));
    assert!(ordered.is_sorted(), "first attempts arrive in order");
    println!(
        "5 kills; {} events, {} arrivals, each delivered",
        taken.len(),
        arrivals.len()
    );
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_clean_stop_loses_no_delivery_and_repeats_none() {
    let place = Place::new();
    let receiver = Receiver::start();
    let mut server = start(&place);
    let secret = subscribe(&server, &receiver);
    server.set_member("ann");
    let amount = AtomicU64::new(FIRST_AMOUNT);
    for _ in 0..3 {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| credit_on(&server, &amount, &stop));
            std::thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::Relaxed);
            writing.join().unwrap();
        });
        server.terminate();
        server = start(&place);
    }
    wait_for_all(&server, &receiver, &secret);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for arrival in receiver.arrivals() {
        *times.entry(arrival.delivery).or_default() += 1;
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    assert!(amounts(&receiver.arrivals()).is_sorted());
    server.terminate();
}

#[test]
fn a_stop_waits_for_no_receiver() {
    let place = Place::new();
    let receiver = Receiver::start();
    receiver.be(Mood::Silent);
    let mut command = place.serve();
    command.env("STAMPCARD_WEBHOOKS__TIMEOUT", "60");
    let server = place.start_as(command);
    let secret = subscribe(&server, &receiver);
    server.set_member("ann");
    while receiver.arrivals().is_empty() {
        std::thread::yield_now();
    }
    let begun = Instant::now();
    server.terminate();
    assert!(begun.elapsed() < Duration::from_secs(10));
    receiver.be(Mood::Fine);
    let server = start(&place);
    wait_for_all(&server, &receiver, &secret);
    server.terminate();
}

#[test]
fn what_is_old_is_forgotten_beside_what_is_new_and_no_stop_waits_for_it() {
    let place = Place::new();
    let receiver = Receiver::start();
    let server = start(&place);
    let secret = subscribe(&server, &receiver);
    server.set_member("ann");
    wait_for_all(&server, &receiver, &secret);
    server.terminate();
    let old = "WITH RECURSIVE old (n) AS
                   (SELECT 1 UNION ALL SELECT n + 1 FROM old WHERE n < 400000)
               INSERT INTO webhook_delivery (endpoint_id, seq, status, attempts, created_at)
               SELECT 1, -n, 'dead', 8, 0 FROM old";
    place.sqlite().execute_batch(old).unwrap();
    let server = start(&place);
    server.credit("ann", 1);
    wait_for_all(&server, &receiver, &secret);
    let begun = Instant::now();
    server.terminate();
    assert!(begun.elapsed() < Duration::from_secs(10));
    let left: i64 = place
        .sqlite()
        .query_row(
            "SELECT count(*) FROM webhook_delivery WHERE seq < 0",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert!((1..400_000).contains(&left), "{left}");
}

#[test]
fn streams_end_with_the_server_and_resume_without_a_gap_after_a_kill() {
    use std::io::{BufRead as _, BufReader, Write as _};
    let place = Place::new();
    let mut server = place.start();
    server.set_member("ann");
    let mut last = 0_u64;
    let mut seen = Vec::new();
    let amount = AtomicU64::new(0);
    for round in 0..4 {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let writing = scope.spawn(|| credit_on(&server, &amount, &stop));
            let stream = std::net::TcpStream::connect(server.address).unwrap();
            let head = format!(
                "GET /v1/activity/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
                 last-event-id: {last}\r\n\r\n",
                crate::server::SANDBOX_KEY
            );
            (&stream).write_all(head.as_bytes()).unwrap();
            let mut event = String::new();
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                if let Some(id) = line.strip_prefix("id: ") {
                    last = id.parse().unwrap();
                } else if let Some(name) = line.strip_prefix("event: ") {
                    name.clone_into(&mut event);
                } else if let Some(data) = line.strip_prefix("data: ")
                    && event == "wallet.credited"
                {
                    let data: Value = serde_json::from_str(data).unwrap();
                    seen.push(data["data"]["amount"].as_u64().unwrap());
                    if seen.len() % 40 == 0 {
                        server.signal(if round % 2 == 0 { "KILL" } else { "TERM" });
                    }
                }
            }
            stop.store(true, Ordering::Relaxed);
            writing.join().unwrap();
        });
        server.wait();
        server = place.start();
    }
    // A credit whose response was lost may be missing; none is there twice or late.
    assert!(seen.len() >= 160, "{}", seen.len());
    let mut sorted = seen.clone();
    sorted.dedup();
    sorted.sort_unstable();
    assert_eq!(seen, sorted);
    let page = server.get("/v1/wallet/transactions?externalUserID=ann&limit=100");
    let newest = page["transactions"][0]["amount"].as_u64().unwrap();
    let connection = stampcard::store::open_read_only(&place.database()).unwrap();
    let count = |sql: &str| -> u64 {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        count.unsigned_abs()
    };
    let up_to_last = seen.last().copied().unwrap();
    let made = count("SELECT count(*) FROM activity WHERE kind = 4");
    let after = count(&format!(
        "SELECT count(*) FROM activity WHERE kind = 4 AND amount > {up_to_last}"
    ));
    assert!(newest >= up_to_last);
    assert_eq!(seen.len() as u64, made - after, "no gap");
    server.terminate();
}
