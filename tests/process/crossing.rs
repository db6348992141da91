//! Readers beside writers on a running server: a row and the balance beside it. A member's name is
//! in a row of the database, and the balance is a figure. The name that a reader sees tells which
//! credits were acknowledged before it was set, so the balance must include them.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::server::{Answer, Place, SANDBOX_KEY, Server, agent, request};

const WRITERS: usize = 3;
const READERS: usize = 3;
/// Names and credits of each writer's member.
const STEPS: i64 = 60;

/// The points that the credits up to a step have given.
fn sum(step: i64) -> i64 {
    step * (step + 1) / 2
}

/// What a writer has had acknowledged, and the number of reads of its member.
#[derive(Debug, Default)]
struct Progress {
    credited: AtomicI64,
    reads: AtomicUsize,
}

struct Crossing<'a> {
    server: &'a Server,
    progress: [Progress; WRITERS],
    is_over: AtomicBool,
}

/// Ends the readers when the writers end, or when one of them fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn tier(step: i64) -> &'static str {
    ["standard", "silver", "gold"][usize::try_from(step % 3).unwrap()]
}

impl Crossing<'_> {
    fn send(&self, agent: &ureq::Agent, (method, path): (&str, &str), body: &Value) -> Answer {
        let route = (method, path);
        request(agent, self.server.address, SANDBOX_KEY, route, None, body).unwrap()
    }

    /// Sets the name and the tier of a member, and then credits as many points as the name says.
    fn write(&self, writer: usize) {
        let agent = agent();
        let id = format!("member-{writer}");
        for step in 1..=STEPS {
            let path = format!("/v1/members/{id}");
            let body = json!({"displayName": step.to_string(), "tier": tier(step)});
            self.send(&agent, ("PUT", &path), &body).expect(200);
            let body = json!({"externalUserID": id, "amount": step});
            let route = ("POST", "/v1/wallet/credit");
            self.send(&agent, route, &body).expect(200);
            self.progress[writer]
                .credited
                .store(sum(step), Ordering::SeqCst);
        }
    }

    fn read(&self, number: usize) {
        let agent = agent();
        let mut seen = [Seen::default(); WRITERS];
        let mut is_last = false;
        for round in number.. {
            is_last |= self.is_over.load(Ordering::SeqCst);
            let before = || {
                self.progress
                    .each_ref()
                    .map(|it| it.credited.load(Ordering::SeqCst))
            };
            let (credited, writer) = (before(), round / 3 % WRITERS);
            let id = format!("member-{writer}");
            match round % 3 {
                0 => {
                    let path = format!("/v1/members/{id}");
                    let member = self.send(&agent, ("GET", &path), &Value::Null).expect(200);
                    seen[writer].check(&member, credited[writer]);
                }
                1 => {
                    let path = format!("/v1/wallet?externalUserID={id}");
                    let wallet = self.send(&agent, ("GET", &path), &Value::Null).expect(200);
                    seen[writer].check_balance(&wallet, credited[writer]);
                }
                _ => {
                    let route = ("GET", "/v1/members?limit=100");
                    let page = self.send(&agent, route, &Value::Null).expect(200);
                    let members = page["members"].as_array().unwrap();
                    assert_eq!(members.len(), WRITERS);
                    for member in members {
                        let id = member["externalUserID"].as_str().unwrap();
                        let place: usize = id.strip_prefix("member-").unwrap().parse().unwrap();
                        seen[place].check(member, credited[place]);
                    }
                }
            }
            self.progress[writer].reads.fetch_add(1, Ordering::Relaxed);
            if is_last && round % 3 == 2 {
                break;
            }
        }
        // The list at the end shows everything.
        for seen in seen {
            assert_eq!((seen.step, seen.balance), (STEPS, sum(STEPS)));
        }
    }
}

/// What a reader saw of a member, in the order of its reads.
#[derive(Debug, Clone, Copy, Default)]
struct Seen {
    step: i64,
    version: i64,
    balance: i64,
}

impl Seen {
    /// Checks a member with a wallet. `credited` was acknowledged before the request was sent.
    #[track_caller]
    fn check(&mut self, member: &Value, credited: i64) {
        let step = member["displayName"].as_str();
        let step = step.map_or(0, |name| name.parse().unwrap());
        let version = member["version"].as_i64().unwrap();
        assert!(step >= self.step, "an older name: {member} {self:?}");
        assert!(
            version >= self.version,
            "an older version: {member} {self:?}"
        );
        assert_eq!(member["tier"], tier(step), "{member}");
        (self.step, self.version) = (step, version);
        let balance = self.check_balance(&member["wallet"], credited);
        // The name was set after the credits before it.
        assert!(
            balance >= sum(step - 1),
            "a balance older than its row: {member}"
        );
    }

    #[track_caller]
    fn check_balance(&mut self, wallet: &Value, credited: i64) -> i64 {
        let balance = wallet["balance"].as_i64().unwrap();
        assert!(
            balance >= credited,
            "{wallet} misses an acknowledged credit: {credited}"
        );
        assert!(
            balance >= self.balance,
            "an older balance: {wallet} {self:?}"
        );
        self.balance = balance;
        balance
    }
}

#[test]
fn no_reader_sees_a_balance_older_than_the_row_beside_it() {
    let place = Place::new();
    let mut command = place.serve();
    command
        // Frequent, so that readers also cross a snapshot that is being taken.
        .env("STAMPCARD_ANALYTICS__SNAPSHOT_INTERVAL", "1");
    let server = place.start_as(command);
    let crossing = Crossing {
        server: &server,
        progress: Default::default(),
        is_over: AtomicBool::new(false),
    };
    for writer in 0..WRITERS {
        let path = format!("/v1/members/member-{writer}");
        let body = json!({"tier": tier(0)});
        crossing
            .send(&server.agent, ("PUT", &path), &body)
            .expect(200);
    }
    std::thread::scope(|scope| {
        let crossing = &crossing;
        for reader in 0..READERS {
            scope.spawn(move || crossing.read(reader));
        }
        let _over = Over(&crossing.is_over);
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| scope.spawn(move || crossing.write(writer)))
            .collect();
        for writer in writers {
            writer.join().unwrap();
        }
    });
    let reads = crossing.progress.each_ref();
    let reads = reads.map(|progress| progress.reads.load(Ordering::Relaxed));
    println!("{reads:?} reads beside {} writes", 2 * STEPS * 3);
    assert!(reads.iter().all(|count| *count > READERS), "{reads:?}");
    server.terminate();
}
