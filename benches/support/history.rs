//! Databases with a long history, created through the product's services, as the demo creates its
//! own: sign-ups, credits, token exchanges, redemptions and their status changes, spread over a
//! year of the program's time.
//!
//! The program is in the sandbox, and its time is advanced again and again while less than a day
//! passes on the clock itself. So the idempotency records are as recent as on a busy server, where
//! they are deleted after a day, and the year lies in the future.

#![allow(
    clippy::print_stderr,
    reason = "it takes minutes, and says how far it is"
)]

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use fastrand::Rng;
use futures_util::{StreamExt as _, stream};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use stampcard::clock::Clock;
use stampcard::config::Settings;
use stampcard::domain::{ExternalUserId, Precondition, Timestamp};
use stampcard::service::{
    Caller, IdempotencyKey, KeyPrincipal, PartnerPrincipal, Reply, Scope, Services,
};
use stampcard::wire::{
    AdvanceClockRequest, CreateOfferRequest, CreateOrganizationRequest, CreateRedemptionRequest,
    CreditRequest, ExchangeTokenRequest, PatchRedemptionRequest, SetMemberRequest,
};

use super::{KEY, PARTNER_KEY, folder};

/// Requests that wait for the writer at the same time, and steps that are planned before they are
/// run.
const AT_ONCE: usize = 1_500;
const CHUNK: usize = 20_000;
const DAY: u64 = 86_400;
/// The time that passes on the clock itself, in milliseconds.
const CLOCK_SPAN: u64 = 23 * 3_600_000;
/// A database whose idempotency records would soon be deleted is created again. A server keeps them
/// for at most seven days.
const AGE_MAX: Duration = Duration::from_secs(5 * DAY);

/// The contents of a database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) name: &'static str,
    /// Rows of the log, without those that advance the program's time.
    pub(crate) events: u64,
    pub(crate) members: u64,
    pub(crate) offers: usize,
    /// Other organizations of the partner, each with one program in which ten members signed up and
    /// received points.
    pub(crate) others: u64,
}

/// A database and its counts.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct History {
    #[serde(skip)]
    pub(crate) path: PathBuf,
    pub(crate) members: u64,
    /// Rows of the log, ledger entries included, and idempotency records.
    pub(crate) rows: u64,
    pub(crate) entries: u64,
    pub(crate) answers: u64,
    /// The program's time of the first and the last row, in milliseconds since 1970.
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// How long it took to create and to verify it.
    pub(crate) making_seconds: f64,
    pub(crate) verifying_seconds: f64,
    made: u64,
}

impl History {
    /// The database of a size: the one of an earlier run, if it fits the schema and is recent
    /// enough.
    pub(crate) fn of(size: &Size) -> Self {
        let schema = data_encoding::HEXLOWER.encode(&Sha256::digest(stampcard::store::SCHEMA)[..4]);
        let path = folder().join(format!("{}-{schema}.db", size.name));
        let about = path.with_extension("json");
        let found = std::fs::read(&about).ok();
        let found = found.and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        if let Some(found) = found
            && path.exists()
            && found.made + AGE_MAX.as_secs() > unix_seconds()
        {
            return Self { path, ..found };
        }
        let history = make(size, &path);
        std::fs::write(&about, serde_json::to_vec_pretty(&history).unwrap()).unwrap();
        history
    }

    /// Returns a copy that can be written to and is deleted with its folder.
    pub(crate) fn copy(&self) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::Builder::new()
            .prefix("run-")
            .tempdir_in(folder())
            .unwrap();
        let path = folder.path().join("bench.db");
        std::fs::copy(&self.path, &path).unwrap();
        // Pages that are not on the disk yet would be written during a measurement.
        std::fs::File::open(&path).unwrap().sync_all().unwrap();
        (folder, path)
    }

    /// A moment of the history, a given number of days after its start and some odd milliseconds.
    pub(crate) fn day(&self, days: i64) -> Timestamp {
        Timestamp::from_millis(self.from + days * 86_400_000 + 12_345_678).unwrap()
    }
}

fn unix_seconds() -> u64 {
    u64::try_from(Clock::system().now().as_millis() / 1000).unwrap()
}

/// Creates a database, runs `stampcard verify` on it, and gives it its name only if that succeeds.
fn make(size: &Size, path: &Path) -> History {
    eprintln!("creating {}", path.display());
    let part = path.with_extension("part");
    for extension in ["part", "part-wal", "part-shm", "part.lock"] {
        let _ = std::fs::remove_file(path.with_extension(extension));
    }
    let start = Instant::now();
    let now = i64::try_from(1000 * (unix_seconds() - DAY)).unwrap();
    let clock = Clock::fixed(Timestamp::from_millis(now).unwrap());
    let (services, first_keys) = Services::start(&settings(&part), &clock).unwrap();
    assert!(first_keys.is_some(), "the database is new");
    actix_web::rt::System::new().block_on(Story::new(&services, *size).tell());
    services.stop();
    drop(services);
    let making = start.elapsed();
    let start = Instant::now();
    let verified = Command::new(env!("CARGO_BIN_EXE_stampcard"))
        .args(["verify", "--database"])
        .arg(&part)
        .status()
        .unwrap();
    assert!(
        verified.success(),
        "verify found something in {}",
        part.display()
    );
    let history = count(&part, size, making, start.elapsed());
    std::fs::rename(&part, path).unwrap();
    let _ = std::fs::remove_file(path.with_extension("part.lock"));
    History {
        path: path.to_owned(),
        ..history
    }
}

fn settings(path: &Path) -> Settings {
    let mut settings = Settings::defaults();
    path.clone_into(&mut settings.database.path);
    settings.database.queue_max = 2 * AT_ONCE;
    settings.limits.sandbox_members_max = 0;
    settings.bootstrap.sandbox_key = Some(SecretString::from(KEY));
    settings.bootstrap.partner_sandbox_key = Some(SecretString::from(PARTNER_KEY));
    settings
}

/// Counts the rows, after the write-ahead log has been moved into the file.
fn count(path: &Path, size: &Size, making: Duration, verifying: Duration) -> History {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    let number = |sql: &str| -> i64 { connection.query_row(sql, [], |row| row.get(0)).unwrap() };
    let count = |sql: &str| u64::try_from(number(sql)).unwrap();
    History {
        path: path.to_owned(),
        members: size.members,
        rows: count("SELECT count(*) FROM activity"),
        entries: count("SELECT count(*) FROM activity WHERE entry IS NOT NULL"),
        answers: count("SELECT count(*) FROM idempotency"),
        from: number("SELECT min(at) FROM activity"),
        to: number("SELECT max(at) FROM activity"),
        making_seconds: making.as_secs_f64(),
        verifying_seconds: verifying.as_secs_f64(),
        made: unix_seconds(),
    }
}

/// A step of the history.
enum Deed {
    SignUp,
    Exchange,
    Credit,
    /// A redemption of the offer with this index by this member.
    Book(u64, usize),
    /// A change of a redemption's status.
    Move(String),
    /// Advances the program's time.
    Advance,
}

struct Booking {
    id: String,
    member: u64,
    offer: usize,
    status: usize,
}

/// The state of the program.
struct Story<'a> {
    services: &'a Services,
    key: KeyPrincipal,
    partner: PartnerPrincipal,
    size: Size,
    rng: Rng,
    /// The balance of every member who signed up.
    balances: Vec<u64>,
    offers: Vec<String>,
    /// Which member holds which offer.
    held: HashSet<(u64, usize)>,
    open: VecDeque<Booking>,
    /// The number of events so far, when the time was last advanced, and how far the clock has
    /// advanced.
    events: u64,
    advanced: u64,
    elapsed: u64,
    deeds: u64,
}

const STATUSES: [&str; 4] = ["SUBMITTED", "OPEN", "PURCHASED", "COMPLETED"];

impl<'a> Story<'a> {
    fn new(services: &'a Services, size: Size) -> Self {
        let directory = services.directory();
        Self {
            services,
            key: directory.authenticate_key(KEY).unwrap(),
            partner: directory.authenticate_partner(PARTNER_KEY).unwrap(),
            size,
            rng: Rng::with_seed(7),
            balances: Vec::new(),
            offers: Vec::new(),
            held: HashSet::new(),
            open: VecDeque::new(),
            events: 0,
            advanced: 0,
            elapsed: 0,
            deeds: 0,
        }
    }

    async fn tell(mut self) {
        for number in 0..self.size.others {
            self.add_organization(number).await;
        }
        for number in 0..self.size.offers {
            let body = json!({"title": format!("Offer {number}"), "pointsPrice": price(number)});
            let request = CreateOfferRequest::parse(&body, body.to_string().as_bytes()).unwrap();
            let reply = self.services.create_offer(self.key, None, request).await;
            self.offers.push(id_of(&reply.unwrap()));
        }
        let mut said = 0;
        while self.events < self.size.events {
            self.live_on().await;
            let tenth = 10 * self.events / self.size.events;
            if tenth > said && self.size.events >= 1_000_000 {
                eprintln!("{} events", self.events);
                said = tenth;
            }
        }
    }

    /// Creates one more organization of the partner, with a few events in its program.
    async fn add_organization(&self, number: u64) {
        let body = json!({"name": format!("Organization {number}"), "tier": "paid"});
        let request = CreateOrganizationRequest::parse(&body, body.to_string().as_bytes()).unwrap();
        let reply = self
            .services
            .create_organization(self.partner, None, request)
            .await
            .unwrap();
        let made: Value = serde_json::from_slice(&reply.body).unwrap();
        let secret = made["apiKey"].as_str().unwrap();
        let key = self.services.directory().authenticate_key(secret).unwrap();
        for member in 0..10 {
            let (id, request) = sign_up(member);
            let set = (self.services).set_member(key, id, Precondition::NONE, request);
            set.await.unwrap();
            let body = json!({"externalUserID": format!("m{member}"), "amount": 100});
            let request = CreditRequest::parse(&body).unwrap();
            self.services
                .credit_wallet(key, None, request)
                .await
                .unwrap();
        }
    }

    /// Plans the next steps and runs them.
    async fn live_on(&mut self) {
        let mut plan = Vec::new();
        // A short history is not planned in one go either, so that redemptions change their status
        // in between.
        let chunk = CHUNK
            .min(usize::try_from(self.size.events).unwrap() / 20)
            .max(50);
        while plan.len() < chunk && self.events < self.size.events {
            let (deed, body) = self.next();
            self.deeds += 1;
            let target = self.events * CLOCK_SPAN / self.size.events;
            let step = Duration::from_millis(target - self.elapsed);
            self.elapsed = target;
            plan.push((step, self.deeds, deed, body));
        }
        let (services, key) = (self.services, self.key);
        let mut done = stream::iter(plan)
            .map(|(step, number, deed, body)| async move {
                let reply = carry_out(&services.after(step), key, number, &deed, &body).await;
                assert!(reply.status < 300, "{body}: {}", reply.status);
                (deed, reply)
            })
            .buffered(AT_ONCE);
        while let Some((deed, reply)) = done.next().await {
            if let Deed::Book(member, offer) = deed {
                self.open.push_back(Booking {
                    id: id_of(&reply),
                    member,
                    offer,
                    status: 0,
                });
            }
        }
    }

    fn next(&mut self) -> (Deed, Value) {
        // A hundred thousand steps over the year, or one for ten events.
        let every = (self.size.events / 100_000).max(10);
        if self.events >= self.advanced + every {
            self.advanced = self.events;
            let seconds = 365 * DAY * every / self.size.events;
            return (Deed::Advance, json!({"advanceSeconds": seconds}));
        }
        let count = self.balances.len() as u64;
        if count * self.size.events < self.size.members * (self.events + 1) {
            self.balances.push(0);
            self.events += 1;
            return (Deed::SignUp, json!(count));
        }
        match self.rng.u32(0..100) {
            ..5 => self.exchange(),
            5..10 => self.redeem(),
            10..13 => self.proceed(),
            _ => self.credit(),
        }
    }

    fn random_member(&mut self) -> u64 {
        self.rng.u64(0..self.balances.len() as u64)
    }

    fn exchange(&mut self) -> (Deed, Value) {
        self.events += 1;
        let body = json!({"externalUserID": format!("m{}", self.random_member())});
        (Deed::Exchange, body)
    }

    fn credit(&mut self) -> (Deed, Value) {
        self.events += 1;
        let member = self.random_member();
        let amount = self.rng.u64(1..=500);
        *self.balance(member) += amount;
        let body = json!({"externalUserID": format!("m{member}"), "amount": amount});
        (Deed::Credit, body)
    }

    /// A member redeems an offer if one is available, or else receives points.
    fn redeem(&mut self) -> (Deed, Value) {
        let (member, offer) = (self.random_member(), self.rng.usize(0..self.offers.len()));
        if *self.balance(member) < price(offer) || !self.held.insert((member, offer)) {
            return self.credit();
        }
        self.events += 2;
        *self.balance(member) -= price(offer);
        let body = json!({"externalUserID": format!("m{member}"), "offer": self.offers[offer]});
        (Deed::Book(member, offer), body)
    }

    /// Moves the oldest open redemption to its next status, or cancels it.
    fn proceed(&mut self) -> (Deed, Value) {
        let Some(mut booking) = self.open.pop_front() else {
            return self.credit();
        };
        let id = booking.id.clone();
        if self.rng.u32(0..10) == 0 {
            self.events += 2;
            *self.balance(booking.member) += price(booking.offer);
            self.held.remove(&(booking.member, booking.offer));
            return (Deed::Move(id), json!({"status": "CANCELED"}));
        }
        self.events += 1;
        booking.status += 1;
        let body = json!({"status": STATUSES[booking.status]});
        if booking.status < STATUSES.len() - 1 {
            self.open.push_back(booking);
        }
        (Deed::Move(id), body)
    }

    fn balance(&mut self, member: u64) -> &mut u64 {
        &mut self.balances[usize::try_from(member).unwrap()]
    }
}

fn price(offer: usize) -> u64 {
    5 + 5 * (offer as u64 % 12)
}

fn sign_up(number: u64) -> (ExternalUserId, SetMemberRequest) {
    let id = ExternalUserId::parse("externalUserID", format!("m{number}")).unwrap();
    let tier = ["bronze", "silver", "gold"][usize::try_from(number % 3).unwrap()];
    let body = json!({"displayName": format!("Member {number}"), "tier": tier});
    let request = SetMemberRequest::parse(&body, body.to_string().as_bytes()).unwrap();
    (id, request)
}

/// Sends a request to the service, with an idempotency key where the route accepts one.
async fn carry_out(
    services: &Services,
    key: KeyPrincipal,
    number: u64,
    deed: &Deed,
    body: &Value,
) -> Reply {
    let kept = |path: &str| {
        let scope = Scope::Program(key.program);
        IdempotencyKey::new(&format!("bench-{number}"), scope, "POST", path, body).ok()
    };
    let reply = match deed {
        Deed::SignUp => {
            let (id, request) = sign_up(body.as_u64().unwrap());
            let precondition = Precondition::NONE;
            services.set_member(key, id, precondition, request).await
        }
        Deed::Exchange => {
            let request = ExchangeTokenRequest::parse(body).unwrap();
            let kept = kept("/v1/auth/exchange");
            services.exchange_token(key, kept, request).await
        }
        Deed::Credit => {
            let request = CreditRequest::parse(body).unwrap();
            let kept = kept("/v1/wallet/credit");
            services.credit_wallet(key, kept, request).await
        }
        Deed::Book(..) => {
            let request = CreateRedemptionRequest::parse(body).unwrap();
            let (caller, kept) = (Caller::Key(key), kept("/v1/redemptions"));
            services.create_redemption(caller, kept, request).await
        }
        Deed::Move(id) => {
            let request = PatchRedemptionRequest::parse(body).unwrap();
            services.patch_redemption(key, id.clone(), request).await
        }
        Deed::Advance => {
            let request = AdvanceClockRequest::parse(body).unwrap();
            let advanced = services.advance_clock(key, None, request).await;
            advanced.map(|(reply, _)| reply)
        }
    };
    reply.unwrap()
}

fn id_of(reply: &Reply) -> String {
    let made: Value = serde_json::from_slice(&reply.body).unwrap();
    made["id"].as_str().unwrap().to_owned()
}
