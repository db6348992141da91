//! The crash campaign: clients that use every kind of write, a server that is killed again and
//! again at random moments, and a comparison of the responses with the database.
//!
//! `make crash` runs hundreds of kills; the test here runs a few. The random choices follow from a
//! seed, which is printed; their effects do not, because threads are scheduled in any order.

mod client;
mod deed;
mod follower;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::Value;

use crate::receiver::Receiver;
use crate::server::{Answer, Place, Server, agent, request};
use crate::wallets::check_wallets;
use crate::webhooks::CATALOGUE;
use client::{Client, KEEPER};
use deed::{Deed, Row};
use follower::Follower;

pub(crate) const PARTNER_KEY: &str = "partner_sandbox_0123456789abcdef0123456789abcdef";
const CLIENTS: usize = 6;
/// The clients with a separate organization, and the one that also resets it.
const ALONE: std::ops::Range<usize> = 4..6;
const RESETS: usize = 5;
/// The maximum number of acknowledged writes between two kills.
const WRITES_MAX: usize = 160;
/// After this number of kills it starts again with a new database, because every check reads the
/// whole log.
const KILLS_MAX: usize = 40;
const PATIENCE: Duration = Duration::from_mins(2);
/// One life in this number is long: the server is killed around the time at which it first saves.
const LONG_EVERY: usize = 4;
/// Microseconds of a long life. The server saves after a second.
const LONG: std::ops::Range<u64> = 900_000..1_600_000;

/// Reads a number from the environment.
pub(crate) fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = std::env::var(name).ok()?;
    let number = text.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// Counts of the campaign.
#[derive(Debug, Default)]
struct Tally {
    kills: usize,
    /// Of these, before the server listened.
    kills_at_start: usize,
    acknowledged: usize,
    /// Writes whose response was lost, by whether they took effect.
    open_done: usize,
    open_absent: usize,
    replays: usize,
    /// Balances that were compared with the log.
    wallets: usize,
    /// Kills of a server that had saved its books since the kill before.
    saved: usize,
    /// Kills while it saved them.
    half_saved: usize,
    kinds: BTreeMap<String, usize>,
}

impl Tally {
    fn add(&mut self, other: Self) {
        self.kills += other.kills;
        self.kills_at_start += other.kills_at_start;
        self.acknowledged += other.acknowledged;
        self.open_done += other.open_done;
        self.open_absent += other.open_absent;
        self.replays += other.replays;
        self.wallets += other.wallets;
        self.saved += other.saved;
        self.half_saved += other.half_saved;
        for (kind, count) in other.kinds {
            *self.kinds.entry(kind).or_default() += count;
        }
    }
}

struct Campaign {
    place: Place,
    rng: fastrand::Rng,
    clients: Vec<Client>,
    receiver: Receiver,
    bin: Receiver,
    follower: Follower,
    tally: Tally,
    /// The newest generation of the saved books.
    saved: i64,
    /// The number of servers that wrote until they were killed.
    lives: usize,
    /// Counts at the end.
    report: String,
}

/// A client's history before the kill: the writes with their responses, and the one without.
type Turn = (Vec<(Deed, Answer)>, Option<Deed>);

fn command(place: &Place) -> Command {
    let mut command = place.serve();
    command
        .env("STAMPCARD_BOOTSTRAP__PARTNER_SANDBOX_KEY", PARTNER_KEY)
        .env("STAMPCARD_AUTH__MEMBER_TOKEN_TTL", "86400")
        // Frequent, so that kills interrupt snapshots, too.
        .env("STAMPCARD_ANALYTICS__SNAPSHOT_INTERVAL", "1");
    command
}

impl Campaign {
    fn new(seed: u64) -> Self {
        let place = Place::new();
        let bin = Receiver::start();
        let mut rng = fastrand::Rng::with_seed(seed);
        let clients = (0..CLIENTS)
            .map(|number| Client::new(number, rng.u64(..), place.database(), bin.url()))
            .collect();
        Self {
            place,
            rng,
            clients,
            receiver: Receiver::start(),
            bin,
            follower: Follower::start(),
            tally: Tally::default(),
            saved: 0,
            lives: 0,
            report: String::new(),
        }
    }

    fn run(&mut self, kills: usize) {
        let mut server = self.place.start_as(command(&self.place));
        let body = serde_json::json!({"url": self.receiver.url(), "events": CATALOGUE});
        server.post("/v1/webhooks", &body).expect(201);
        for index in ALONE {
            self.clients[index].settle_in(&server, index == RESETS);
        }
        while self.tally.kills < kills {
            self.follower.turn_to(server.address);
            let turns = self.write_until_killed(server);
            let open = self.check_what_is_left(turns);
            while self.tally.kills < kills && self.rng.u8(..6) == 0 {
                self.kill_while_it_starts();
            }
            server = self.place.start_as(command(&self.place));
            assert_eq!(
                server.printed,
                Vec::<String>::new(),
                "no keys are created again"
            );
            self.check_wallets(&server);
            self.settle(&server, open);
        }
        self.finish(server);
    }

    /// All clients write as fast as they can; at some moment the server is killed.
    fn write_until_killed(&mut self, mut server: Server) -> Vec<Turn> {
        let goal = self.rng.usize(..WRITES_MAX);
        self.lives += 1;
        let is_long = self.lives % LONG_EVERY == 2;
        let pause = self.rng.u64(if is_long { LONG } else { 0..5000 });
        let pause = Duration::from_micros(pause);
        let (acknowledged, dead) = (AtomicUsize::new(0), AtomicBool::new(false));
        let (acknowledged, dead, borrowed) = (&acknowledged, &dead, &server);
        let turns = std::thread::scope(|scope| {
            let threads: Vec<_> = self
                .clients
                .iter_mut()
                .map(|client| scope.spawn(move || turn(client, borrowed.address, acknowledged)))
                .collect();
            let start = Instant::now();
            while acknowledged.load(Ordering::Relaxed) < goal {
                assert!(start.elapsed() < PATIENCE, "{}", borrowed.log());
                let ended = threads
                    .iter()
                    .any(std::thread::ScopedJoinHandle::is_finished);
                assert!(!ended, "before the kill: {}", borrowed.log());
                std::thread::sleep(Duration::from_micros(200));
            }
            std::thread::sleep(pause);
            dead.store(true, Ordering::SeqCst);
            borrowed.signal("KILL");
            let ends = threads.into_iter().map(|thread| thread.join().unwrap());
            ends.collect()
        });
        assert_eq!(server.wait().0, None, "{}", server.log());
        assert!(!server.log().contains("panicked"), "{}", server.log());
        self.tally.kills += 1;
        turns
    }

    fn kill_while_it_starts(&mut self) {
        let mut command = command(&self.place);
        command.stdout(std::process::Stdio::null());
        let mut child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_micros(self.rng.u64(..60_000)));
        child.kill().unwrap();
        child.wait().unwrap();
        self.tally.kills += 1;
        self.tally.kills_at_start += 1;
    }

    /// Compares the file of the killed server with every client's state; returns the open writes,
    /// and whether they took effect.
    fn check_what_is_left(&mut self, turns: Vec<Turn>) -> Vec<(Turn, bool)> {
        let verified = self.place.verify();
        assert_eq!(verified.code, Some(0), "{verified:?}");
        let connection = stampcard::store::open_read_only(&self.place.database()).unwrap();
        check_nothing_is_half_there(&connection);
        self.note_saved(&connection);
        let mut checked = Vec::new();
        for (client, turn) in self.clients.iter_mut().zip(turns) {
            let is_done = check_log(&connection, client, turn.1.as_ref());
            for (deed, _) in &turn.0 {
                *self.tally.kinds.entry(kind(deed)).or_default() += 1;
                // Effects that the log does not show and that nothing reverts.
                if deed.rows.is_empty() && deed.method != "PUT" {
                    assert_eq!(deed.traces(&connection), Some(true), "{deed:?}");
                }
            }
            self.tally.acknowledged += turn.0.len();
            if is_done {
                self.tally.open_done += 1;
            } else if turn.1.is_some() {
                self.tally.open_absent += 1;
            }
            checked.push((turn, is_done));
        }
        let ahead = self.clients[0].ahead * 1000;
        check_clock(&connection, ahead, checked[0].0.1.as_ref(), checked[0].1);
        checked
    }

    /// Counts what the killed server had saved, and was saving.
    fn note_saved(&mut self, connection: &Connection) {
        let sql = "SELECT coalesce(max(number), 0),
                (SELECT count(*) FROM book_part WHERE generation NOT IN
                    (SELECT number FROM book_generation))
            FROM book_generation";
        let (saved, loose): (i64, i64) = connection
            .query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap();
        self.tally.saved += usize::from(saved > self.saved);
        self.tally.half_saved += usize::from(loose > 0);
        self.saved = saved;
    }

    /// Compares every balance of every program that a client has with the log, before any write.
    fn check_wallets(&mut self, server: &Server) {
        let connection = stampcard::store::open_read_only(&self.place.database()).unwrap();
        let keys: BTreeSet<&str> = self.clients.iter().map(|client| &*client.key).collect();
        for key in keys {
            self.tally.wallets += check_wallets(server, key, &connection);
        }
    }

    /// Repeats the acknowledged writes, and the open ones until they succeed; then checks all
    /// members.
    fn settle(&mut self, server: &Server, turns: Vec<(Turn, bool)>) {
        for (client, ((deeds, open), was_done)) in self.clients.iter_mut().zip(turns) {
            let opened = open.as_ref().filter(|_| was_done);
            let resets = opened.map_or(client.resets, |deed| deed.resets);
            // A new program has no idempotency records of the one before.
            let lasting = |deed: &Deed| deed.resets == resets || deed.credential == PARTNER_KEY;
            for (deed, first) in deeds.iter().filter(|(deed, _)| lasting(deed)) {
                // The token of a removed member is refused, even for a replay.
                if deed.key.is_some() && client.holds(&deed.credential) {
                    let again = deed.send(server.address, &server.agent).unwrap();
                    if again.status == 404 && !again.is_replay && client.has_erased(deed, opened) {
                        // The idempotency records of an erased member are deleted.
                        continue;
                    }
                    assert!(again.is_replay, "{deed:?} {again:?}");
                    assert_eq!((again.status, &again.text), (first.status, &first.text));
                    self.tally.replays += 1;
                }
            }
            if let Some(deed) = open {
                let answer = deed.send(server.address, &server.agent).unwrap();
                let expected = if was_done {
                    deed.status.1
                } else {
                    deed.status.0
                };
                assert_eq!(answer.status, expected, "{deed:?} {answer:?}");
                assert_eq!(answer.is_replay, was_done && deed.key.is_some(), "{deed:?}");
                acknowledge(client, deed, &answer, was_done);
            }
            check_members(server, client);
        }
    }

    fn finish(&mut self, server: Server) {
        self.follower.turn_to(server.address);
        let place = &self.place;
        let connection = stampcard::store::open_read_only(&place.database()).unwrap();
        let happened = catalogue(&connection);
        for client in &mut self.clients {
            client.since = 0;
        }
        let start = Instant::now();
        let newest = happened.last().map_or(0, |(seq, _)| *seq);
        let mut firsts = Vec::new();
        while self.follower.last() < newest || firsts.len() < happened.len() {
            let what = (self.follower.last(), newest, firsts.len(), happened.len());
            assert!(start.elapsed() < PATIENCE, "{what:?} {}", server.log());
            std::thread::sleep(Duration::from_millis(200));
            firsts = first_arrivals(&self.receiver, &self.follower.numbers());
        }
        assert!(firsts.is_sorted(), "first attempts arrive in order");
        let delivered: Vec<i64> = happened.iter().map(|(seq, _)| *seq).collect();
        assert_eq!(firsts, delivered, "each at least once");
        drop(connection);
        server.terminate();
        let follower = std::mem::replace(&mut self.follower, Follower::start());
        let (frames, connections) = follower.finish();
        let seen: Vec<(i64, &str)> = frames
            .iter()
            .map(|frame| (frame.seq, frame.event.as_str()))
            .collect();
        assert_eq!(seen, happened, "every event once on the stream, in order");
        let verified = place.verify();
        assert_eq!(verified.code, Some(0), "{verified:?}");
        self.report = format!(
            "{} events: each once on the stream, over {connections} connections, and each \
             delivered, in {} arrivals; {} more at webhooks that came and went",
            happened.len(),
            self.receiver.arrivals().len(),
            self.bin.arrivals().len()
        );
    }
}

/// Runs a client until its connection breaks.
fn turn(client: &mut Client, address: SocketAddr, acknowledged: &AtomicUsize) -> Turn {
    let agent = agent();
    let mut done = Vec::new();
    loop {
        let mut deed = client.next();
        let Some(answer) = deed.send(address, &agent) else {
            return (done, Some(deed));
        };
        assert_eq!(answer.status, deed.status.0, "{deed:?} {answer:?}");
        assert!(!answer.is_replay, "{deed:?}");
        let effect = std::mem::replace(&mut deed.effect, Box::new(|_, _| {}));
        client.rows.extend(deed.rows.iter().cloned());
        effect(client, &json_of(&answer));
        done.push((deed, answer));
        acknowledged.fetch_add(1, Ordering::Relaxed);
    }
}

/// Passes the result of a write to the client; `was_counted`: its rows were counted in the log
/// already.
fn acknowledge(client: &mut Client, deed: Deed, answer: &Answer, was_counted: bool) {
    if !was_counted {
        client.rows.extend(deed.rows);
    }
    (deed.effect)(client, &json_of(answer));
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(&answer.text).unwrap_or(Value::Null)
}

/// Method and path without the parts that differ each time.
fn kind(deed: &Deed) -> String {
    let path = deed.path.split('?').next().unwrap_or_default();
    let is_name = |segment: &&str| !segment.contains(|c: char| c.is_ascii_digit() || c == '_');
    let named: Vec<&str> = path
        .split('/')
        .map(|segment| {
            if segment == "v1" || is_name(&segment) {
                segment
            } else {
                "*"
            }
        })
        .collect();
    format!("{} {}", deed.method, named.join("/"))
}

/// Replaces a reason that was erased.
const ERASED: &str = "(erased)";

/// The rows of a client after those that were checked before.
fn rows(connection: &Connection, client: &Client) -> Vec<(i64, Row)> {
    let erased: Vec<String> = client.erased.iter().map(i64::to_string).collect();
    let sql = format!(
        "SELECT a.seq, a.kind, iif(a.entry IS NULL, NULL, a.amount),
                iif(a.entry IN (1, 5), iif(t.commitment IS NULL, t.text, ?4), NULL)
         FROM activity a LEFT JOIN log_text t ON t.seq = a.seq
         LEFT JOIN member m ON m.id = a.member_id LEFT JOIN offer o ON o.id = a.offer_id
         LEFT JOIN program p ON p.id = a.program_id
         LEFT JOIN organization g ON g.id = a.organization_id
         WHERE a.seq > ?1 AND (
             m.external_user_id GLOB ?2 OR a.member_id IN ({})
             OR (a.kind BETWEEN 40 AND 42 AND o.title GLOB ?2)
             OR (a.kind IN (50, 51) AND p.name GLOB ?2)
             OR (a.kind IN (60, 61) AND g.name GLOB ?2)
             OR (a.kind IN (70, 71) AND a.object_uuid IN (
                 SELECT uuid FROM webhook_endpoint WHERE url GLOB '*/' || ?2))
             OR (a.kind = 51 AND p.name = 'Sandbox' AND ?3))
         ORDER BY a.seq",
        erased.join(", ")
    );
    let mut statement = connection.prepare(&sql).unwrap();
    let glob = format!("{}*", client.name);
    let moves_clock = client.name == KEEPER;
    let found = statement.query_map((client.since, glob, moves_clock, ERASED), |row| {
        Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?)))
    });
    found.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Checks that the log has the client's acknowledged writes, once, in order, and of the open write
/// all rows or none.
fn check_log(connection: &Connection, client: &mut Client, open: Option<&Deed>) -> bool {
    let (numbers, mut found): (Vec<i64>, Vec<Row>) = rows(connection, client).into_iter().unzip();
    let told = client.rows.len();
    for (found, told) in found.iter_mut().zip(&client.rows) {
        // The member has been erased since.
        if found.2.as_deref() == Some(ERASED) && told.2.is_some() {
            found.2.clone_from(&told.2);
        }
    }
    assert_eq!(
        found[..told.min(found.len())],
        client.rows[..],
        "acknowledged, so there once, in order: {}",
        client.name
    );
    let is_done = open.map(|deed| deed.is_done(&found[told..], connection));
    assert!(
        open.is_some() || found.len() == told,
        "{:?}",
        &found[told..]
    );
    client.rows.clear();
    client.since = numbers.last().copied().unwrap_or(client.since);
    is_done.unwrap_or(false)
}

/// References from the log to rows in other tables.
fn check_nothing_is_half_there(connection: &Connection) {
    for sql in [
        "SELECT count(*) FROM activity a WHERE kind = 13 AND NOT EXISTS (
             SELECT 1 FROM message WHERE uuid = a.object_uuid)",
        "SELECT count(*) FROM message",
        // Of a program whose webhook subscribes to everything.
        "SELECT count(*) FROM activity a JOIN program o ON o.id = a.program_id AND o.name = 'Sandbox'
         WHERE (a.kind <= 3 OR a.kind BETWEEN 6 AND 12) AND NOT EXISTS (
             SELECT 1 FROM event_payload p WHERE p.program_id = a.program_id AND p.seq = a.seq)",
    ] {
        let count: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        if sql == "SELECT count(*) FROM message" {
            let said = "SELECT count(*) FROM activity WHERE kind = 13";
            let said: i64 = connection.query_row(said, [], |row| row.get(0)).unwrap();
            assert_eq!(
                count, said,
                "a message for each event and the other way round"
            );
        } else {
            assert_eq!(count, 0, "{sql}");
        }
    }
}

fn check_clock(connection: &Connection, ahead: i64, open: Option<&Deed>, is_done: bool) {
    let sql = "SELECT clock_offset FROM program WHERE name = 'Sandbox'";
    let found: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    let opened = open.and_then(|deed| deed.body["advanceSeconds"].as_i64());
    let moved = opened.filter(|_| is_done).unwrap_or(0) * 1000;
    assert_eq!(found, ahead + moved, "the clock moves once");
}

/// Compares the API's response for every member with the client's state.
fn check_members(server: &Server, client: &mut Client) {
    let key = client.key.clone();
    for member in client.members.iter_mut().filter(|member| member.touched) {
        member.touched = false;
        if member.erased {
            continue;
        }
        let path = format!("/v1/members/{}?includeArchived=true", member.id);
        let route = ("GET", path.as_str());
        let (agent, address) = (&server.agent, server.address);
        let found = request(agent, address, &key, route, None, &Value::Null);
        let found = found.unwrap().expect(200);
        assert_eq!(
            found["displayName"].as_str(),
            member.name.as_deref(),
            "{member:?}"
        );
        assert_eq!(found["tier"], member.tier.as_str(), "{member:?}");
        assert_eq!(found["wallet"]["balance"], member.balance, "{member:?}");
        assert_eq!(
            found["archivedAt"].is_null(),
            !member.archived,
            "{member:?}"
        );
    }
}

/// The events of the program, with their public names.
fn catalogue(connection: &Connection) -> Vec<(i64, &'static str)> {
    let sql = "SELECT a.seq, a.kind FROM activity a JOIN program p ON p.id = a.program_id
               WHERE a.kind BETWEEN 1 AND 13 AND p.name = 'Sandbox' ORDER BY a.seq";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let kind: u8 = row.get(1)?;
        Ok((row.get(0)?, KINDS[usize::from(kind) - 1]))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// The catalogue in the order of the log's numbers.
const KINDS: [&str; 13] = [
    "member.created",
    "member.tier_changed",
    "member.removed",
    "wallet.credited",
    "wallet.debited",
    "redemption.created",
    "redemption.open",
    "redemption.awaiting_vendor",
    "redemption.awaiting_customer",
    "redemption.purchased",
    "redemption.completed",
    "redemption.canceled",
    "conversation.message_created",
];

/// The activities in the order in which they first arrived.
fn first_arrivals(
    receiver: &Receiver,
    numbers: &std::collections::HashMap<String, i64>,
) -> Vec<i64> {
    let mut seen = std::collections::HashSet::new();
    let arrivals = receiver.arrivals();
    let new = arrivals
        .iter()
        .filter(|arrival| seen.insert(&arrival.delivery));
    new.filter_map(|arrival| {
        let id = arrival.json()["id"].as_str().unwrap().to_owned();
        numbers.get(&id).copied()
    })
    .collect()
}

#[test]
fn everything_that_was_acknowledged_is_there_once_however_often_it_is_killed() {
    let kills = setting("CRASH_KILLS").unwrap_or(8_usize);
    // The ordinary run makes the same choices each time; a run with more kills makes others.
    let is_asked = std::env::var_os("CRASH_KILLS").is_some();
    let drawn = || if is_asked { fastrand::u64(..) } else { 14 };
    let seed = setting("CRASH_SEED").unwrap_or_else(drawn);
    println!("CRASH_KILLS={kills} CRASH_SEED={seed}");
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut all, start) = (Tally::default(), Instant::now());
    while all.kills < kills {
        let mut campaign = Campaign::new(rng.u64(..));
        campaign.run(KILLS_MAX.min(kills - all.kills));
        println!("{}", campaign.report);
        all.add(campaign.tally);
        println!("{} kills after {:?}", all.kills, start.elapsed());
    }
    println!("{all:#?}");
    assert!(all.wallets > 0);
    // Not every long life is long enough.
    assert!(all.saved > 0 || kills < 40, "no server saved anything");
    assert!(all.acknowledged > 0 && all.open_done + all.open_absent > 0);
}
