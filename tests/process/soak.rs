//! Hours under load: memory stays constant, responses stay fast, and at the end the figures equal
//! those of SQL. `make soak` runs it; it takes too long for every run.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::campaign::setting;
use crate::overload::{anonymous_memory, memory};
use crate::server::{Answer, Place, SANDBOX_KEY, Server, agent, request};

const CLIENTS: u32 = 16;
const MEMBERS: usize = 500;
/// How long the highest load is measured.
const MEASURED: Duration = Duration::from_secs(10);
/// Memory that a write may take permanently, for its place in the timelines and its
/// Idempotency-Key.
const BYTES_A_WRITE: u64 = 64;
/// Memory that may fill up in addition: SQLite's page caches, 32 MiB of the writer and 8 of each of
/// four readers, and the allocator's reserves.
const SLACK: u64 = 96 << 20;

/// The requests of a client, in typical proportions.
struct Client {
    rng: fastrand::Rng,
    agent: ureq::Agent,
    address: SocketAddr,
    offer: String,
    number: u32,
    serial: usize,
    /// Bookings that are still to be canceled.
    bookings: Vec<String>,
}

impl Client {
    fn ask(&self, method: &str, path: &str, key: Option<&str>, body: &Value) -> Answer {
        let route = (method, path);
        request(&self.agent, self.address, SANDBOX_KEY, route, key, body).unwrap()
    }

    /// Sends one request; returns the points that it minted and whether it wrote.
    fn step(&mut self) -> (u64, bool) {
        self.serial += 1;
        let member = format!("member-{}", self.rng.usize(..MEMBERS));
        let key = format!("soak-{}-{}", self.number, self.serial);
        let (answer, minted, wrote) = match self.rng.u32(..100) {
            0..35 => {
                let amount = self.rng.u64(1..50);
                let body = json!({"externalUserID": member, "amount": amount});
                let answer = self.ask("POST", "/v1/wallet/credit", Some(&key), &body);
                (answer, amount, true)
            }
            35..45 => {
                let body = json!({"externalUserID": member});
                (self.ask("POST", "/v1/auth/exchange", None, &body), 0, true)
            }
            45..52 => (self.redeem(&member, &key), 0, true),
            52..58 => match self.bookings.pop() {
                Some(id) => {
                    let path = format!("/v1/redemptions/{id}/cancel");
                    (self.ask("POST", &path, Some(&key), &Value::Null), 0, true)
                }
                None => (self.get("/v1/analytics/summary"), 0, false),
            },
            58..75 => {
                let path = format!("/v1/wallet?externalUserID={member}");
                (self.get(&path), 0, false)
            }
            75..90 => (self.get("/v1/analytics/summary"), 0, false),
            90..95 => {
                let window = "from=2026-01-01&to=2027-01-01&interval=day";
                let path = format!("/v1/analytics/timeseries?{window}");
                (self.get(&path), 0, false)
            }
            _ => (self.get("/v1/members?limit=20"), 0, false),
        };
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        (minted, wrote)
    }

    fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, None, &Value::Null)
    }

    fn redeem(&mut self, member: &str, key: &str) -> Answer {
        let body = json!({"externalUserID": member, "offer": self.offer});
        let mut answer = self.ask("POST", "/v1/redemptions", Some(key), &body);
        if answer.status == 201 {
            let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
            self.bookings.push(id);
        } else {
            // The member holds it already, or has too few points: refusals are part of the load.
            assert!(matches!(answer.status, 409 | 422), "{answer:?}");
            answer.status = 200;
        }
        answer
    }
}

/// The state that all clients share.
#[derive(Default)]
struct Shared {
    over: AtomicBool,
    requests: AtomicU32,
    writes: AtomicU64,
    minted: AtomicU64,
    /// Of the current minute.
    took: Mutex<Vec<Duration>>,
}

impl Shared {
    /// The 99th percentile since the last call.
    fn p99(&self) -> Duration {
        let mut took = std::mem::take(&mut *self.took.lock());
        took.sort_unstable();
        let index = (took.len() * 99 / 100).min(took.len().saturating_sub(1));
        took.get(index).copied().unwrap_or_default()
    }
}

/// The number of requests of all routes that the server has served within each of its bounds, in
/// seconds, by its own metrics, without the time that clients and server wait for the same
/// processors.
#[derive(Default)]
struct Answered(Vec<(f64, f64)>);

impl Answered {
    fn read(server: &Server) -> Self {
        let mut bounds = Vec::new();
        let metrics = server
            .send("GET", "/metrics", None, &Value::Null)
            .unwrap()
            .text;
        for line in metrics.lines() {
            let Some(line) = line.strip_prefix("http_request_duration_seconds_bucket{le=\"") else {
                continue;
            };
            let (bound, rest) = line.split_once('"').unwrap();
            let bound: f64 = bound.parse().unwrap();
            let (_, count) = rest.rsplit_once(' ').unwrap();
            let count: f64 = count.parse().unwrap();
            match bounds.binary_search_by(|(known, _): &(f64, f64)| known.total_cmp(&bound)) {
                Ok(index) => bounds[index].1 += count,
                Err(index) => bounds.insert(index, (bound, count)),
            }
        }
        Self(bounds)
    }

    /// The 99th percentile of the requests since then, as if they were spread evenly between two
    /// bounds.
    fn p99_since(&self, before: &Self) -> Duration {
        // The bounds are the same each time.
        let pairs = self.0.iter().zip(&before.0);
        let since = pairs.map(|((bound, count), (_, old))| (*bound, count - old));
        let wanted = 0.99 * since.clone().next_back().map_or(0.0, |(_, all)| all);
        let (mut low, mut below) = (0.0, 0.0);
        for (bound, count) in since {
            if count >= wanted && count > below && bound.is_finite() {
                let share = (wanted - below) / (count - below);
                return Duration::from_secs_f64(low + share * (bound - low));
            }
            (low, below) = (bound, count);
        }
        Duration::ZERO
    }
}

/// Runs the clients while `watch` runs: as fast as they can, or at a common rate. At a rate, the
/// time of a request counts from when it was due, so that a pause shows in all requests that it
/// delayed.
fn load(clients: &mut [Client], rate: Option<f64>, shared: &Shared, watch: impl FnOnce()) {
    let begun = Instant::now();
    let every = rate.map(|rate| Duration::from_secs_f64(f64::from(CLIENTS) / rate));
    std::thread::scope(|scope| {
        for client in clients {
            scope.spawn(move || {
                let mut due = begun;
                while !shared.over.load(Ordering::Relaxed) {
                    let from = if let Some(every) = every {
                        due += every;
                        std::thread::sleep(due.saturating_duration_since(Instant::now()));
                        due
                    } else {
                        Instant::now()
                    };
                    let (minted, wrote) = client.step();
                    shared.took.lock().push(from.elapsed());
                    shared.requests.fetch_add(1, Ordering::Relaxed);
                    shared.minted.fetch_add(minted, Ordering::Relaxed);
                    shared.writes.fetch_add(u64::from(wrote), Ordering::Relaxed);
                }
            });
        }
        watch();
        shared.over.store(true, Ordering::Relaxed);
    });
    shared.over.store(false, Ordering::Relaxed);
}

fn clients(server: &Server) -> Vec<Client> {
    let offer = server.offer(1);
    let new = |number| Client {
        rng: fastrand::Rng::with_seed(u64::from(number)),
        agent: agent(),
        address: server.address,
        offer: offer.clone(),
        number,
        serial: 0,
        bookings: Vec::new(),
    };
    (0..CLIENTS).map(new).collect()
}

/// Minutes and requests per second come from the environment.
#[test]
#[ignore = "make soak"]
fn memory_and_latency_stay_where_they_are() {
    let minutes = setting("SOAK_MINUTES").unwrap_or(60.0);
    let place = Place::new();
    let server = place.start();
    for number in 0..MEMBERS {
        server.set_member(&format!("member-{number}"));
    }
    let mut clients = clients(&server);
    let shared = Shared::default();
    load(&mut clients, None, &shared, || std::thread::sleep(MEASURED));
    let most = f64::from(shared.requests.load(Ordering::Relaxed)) / MEASURED.as_secs_f64();
    println!("highest load: {most:.0} requests/s, p99 {:?}", shared.p99());
    let rate = setting("SOAK_RATE").unwrap_or(most / 2.0);
    println!("for {minutes} minutes at {rate:.0} requests/s");
    println!("minute  requests    writes  memory kB  of it no file  server's p99  p99");
    let length = Duration::from_secs_f64(60.0 * minutes);
    // Once a minute; in a short run often enough for a few samples.
    let step = Duration::from_mins(1).min(length / 6);
    let mut seen: Vec<(u64, u64)> = Vec::new();
    let mut answered = Answered::read(&server);
    let begun = Instant::now();
    load(&mut clients, Some(rate), &shared, || {
        while begun.elapsed() < length {
            std::thread::sleep(step);
            let writes = shared.writes.load(Ordering::Relaxed);
            seen.push((anonymous_memory(&server), writes));
            let before = std::mem::replace(&mut answered, Answered::read(&server));
            println!(
                "{:6.1} {:9} {writes:9} {:10} {:15} {:13.1?}  {:.1?}",
                begun.elapsed().as_secs_f64() / 60.0,
                shared.requests.load(Ordering::Relaxed),
                memory(&server) / 1024,
                anonymous_memory(&server) / 1024,
                answered.p99_since(&before),
                shared.p99()
            );
        }
    });
    // In the first quarter, pools and caches fill.
    let (first, last) = (seen[seen.len() / 4], seen[seen.len() - 1]);
    let (grown, writes) = (last.0.saturating_sub(first.0), last.1 - first.1);
    println!("after the first quarter: {grown} bytes more for {writes} writes");
    assert!(grown < SLACK + BYTES_A_WRITE * writes, "memory grows");
    let summary = server.get("/v1/analytics/summary");
    assert_eq!(
        summary["pointsMinted"],
        shared.minted.load(Ordering::Relaxed)
    );
    let log = server.log();
    assert!(!log.contains("panic"), "{log}");
    server.terminate();
    let verified = place.verify();
    assert_eq!(verified.code, Some(0), "{verified:?}");
    println!("{}", verified.stdout.trim_end());
}
