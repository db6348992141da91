//! `stampcard demo`: a small believable history, made through the real services, then served.

use std::io::{self, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use futures_util::future::join_all;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use super::serve::{print_keys, serve};
use crate::app::App;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::ExternalUserId;
use crate::service::{Caller, KeyPrincipal, Reply, Services};
use crate::store::WriteError;
use crate::wire::{
    CreateOfferRequest, CreateRedemptionRequest, ExchangeTokenRequest, MovePointsRequest,
    PatchRedemptionRequest, SetMemberRequest,
};

/// The same history every time.
const SEED: u64 = 20_261_121;
const DAYS: u32 = 90;
const HOURS_A_STEP: u64 = 6;

/// Title, price, tiers, pieces.
const OFFERS: &[(&str, u32, &[&str], Option<u32>)] = &[
    ("A coffee on the house", 120, &[], None),
    ("Two tickets to the matinee", 650, &[], Some(40)),
    ("Dinner at the chef's table", 2400, &["gold"], Some(12)),
    ("Tote bag", 300, &[], None),
    ("Late check-out", 450, &["silver", "gold"], None),
    ("A birthday surprise", 0, &[], None),
];

const FIRST_NAMES: &[&str] = &[
    "Ada", "Grace", "Linus", "Radia", "Edsger", "Barbara", "Dennis", "Margaret", "Alan", "Hedy",
    "Donald", "Frances", "Ken", "Shafi", "Tony", "Joan",
];

/// Makes the history if the database is new, and serves it.
pub(super) fn run(mut settings: Settings, keep: bool) -> Result<ExitCode, anyhow::Error> {
    let folder = tempfile::Builder::new()
        .prefix("stampcard-demo-")
        .tempdir()?;
    if !keep {
        settings.database.path = folder.path().join("demo.db");
    }
    seed(&settings)?;
    serve(App::build(&settings, &Clock::system())?)
}

/// Seeds a new database on a clock of its own, which ends now.
fn seed(settings: &Settings) -> Result<(), anyhow::Error> {
    let day = Duration::from_hours(24);
    let clock = Clock::fixed(Clock::system().now().saturating_sub(day * DAYS));
    let (services, first_keys) = Services::start(settings, &clock)?;
    if let Some(keys) = first_keys {
        let (_, sandbox_key, _) = keys.keys.first().context("there is a sandbox key")?;
        let key = services
            .directory()
            .authenticate_key(sandbox_key.expose_secret())?;
        let mut story = Story {
            services: &services,
            key,
            rng: Rng::with_seed(SEED),
            offers: Vec::new(),
            members: Vec::new(),
            requests: 0,
        };
        actix_web::rt::System::new().block_on(story.tell(&clock))?;
        let (members, requests) = (story.members.len(), story.requests);
        writeln!(
            io::stdout(),
            "Made {DAYS} days of history in the sandbox: {members} members, {requests} requests."
        )?;
        print_keys(&keys)?;
    }
    services.stop();
    Ok(())
}

/// A program's history as it is being made.
struct Story<'a> {
    services: &'a Services,
    key: KeyPrincipal,
    rng: Rng,
    offers: Vec<String>,
    members: Vec<String>,
    requests: usize,
}

impl Story<'_> {
    async fn tell(&mut self, clock: &Clock) -> Result<(), anyhow::Error> {
        self.publish_offers().await?;
        for day in 0..DAYS {
            for _ in 0..24 / HOURS_A_STEP {
                self.step(day).await?;
                clock.advance(Duration::from_secs(HOURS_A_STEP * 3600));
            }
        }
        Ok(())
    }

    async fn publish_offers(&mut self) -> Result<(), anyhow::Error> {
        for (title, price, tiers, pieces) in OFFERS {
            let body = json!({
                "title": title,
                "shortDescription": title,
                "pointsPrice": price,
                "tiers": tiers,
                "availability": {"quantityRemaining": pieces},
            });
            let request = CreateOfferRequest::parse(&body)?;
            let reply = self.services.create_offer(self.key, None, request).await?;
            let offer: Value = serde_json::from_slice(&reply.body)?;
            self.offers.push(
                offer["id"]
                    .as_str()
                    .context("an offer has an id")?
                    .to_owned(),
            );
        }
        Ok(())
    }

    /// A few hours: people sign up, earn, book, and bookings move along.
    async fn step(&mut self, day: u32) -> Result<(), anyhow::Error> {
        // It grows, and weekends are busier.
        let busy = if day % 7 >= 5 { 2 } else { 1 };
        let sign_ups = self.rng.usize(0..=busy);
        for _ in 0..sign_ups {
            self.sign_up().await?;
        }
        let credits = self.rng.usize(0..=self.members.len() / 6 * busy);
        self.credit(credits).await?;
        let bookings = self.rng.usize(0..=self.members.len() / 30 * busy + 1);
        self.book(bookings).await?;
        self.move_bookings_along().await
    }

    async fn sign_up(&mut self) -> Result<(), anyhow::Error> {
        let number = self.members.len() + 1;
        let id = format!("user_{number}");
        let name = self.rng.choice(FIRST_NAMES).copied().unwrap_or("Ada");
        let tier = ["standard", "standard", "standard", "silver", "gold"][self.rng.usize(0..5)];
        let body = json!({"displayName": format!("{name} {number}"), "tier": tier});
        let request = SetMemberRequest::parse(&body, body.to_string().as_bytes())?;
        let external = ExternalUserId::parse("externalUserID", id.as_str())?;
        self.services
            .set_member(self.key, external, request)
            .await?;
        let body = json!({"externalUserID": id});
        let request = ExchangeTokenRequest::parse(&body)?;
        self.services
            .exchange_token(self.key, None, request)
            .await?;
        self.members.push(id);
        self.requests += 2;
        Ok(())
    }

    async fn credit(&mut self, count: usize) -> Result<(), anyhow::Error> {
        let mut requests = Vec::new();
        for _ in 0..count {
            let Some(id) = self.rng.choice(&self.members) else {
                break;
            };
            let amount = 10 * self.rng.u32(1..=40);
            let body = json!({"externalUserID": id, "amount": amount, "reason": "purchase"});
            requests.push(MovePointsRequest::parse(&body)?);
        }
        let (services, key) = (self.services, self.key);
        self.count(
            join_all(
                requests
                    .into_iter()
                    .map(|r| services.credit_wallet(key, None, r)),
            )
            .await,
        )
    }

    /// Not every booking goes through: some cannot afford it, some hold it already.
    async fn book(&mut self, count: usize) -> Result<(), anyhow::Error> {
        let mut requests = Vec::new();
        for _ in 0..count {
            let (Some(id), Some(offer)) = (
                self.rng.choice(&self.members),
                self.rng.choice(&self.offers),
            ) else {
                break;
            };
            let body = json!({"externalUserID": id, "offer": offer});
            requests.push(CreateRedemptionRequest::parse(&body)?);
        }
        let (services, caller) = (self.services, Caller::Key(self.key));
        self.count(
            join_all(
                requests
                    .into_iter()
                    .map(|r| services.create_redemption(caller, None, r)),
            )
            .await,
        )
    }

    async fn move_bookings_along(&mut self) -> Result<(), anyhow::Error> {
        let page = crate::wire::PageQuery {
            limit: 100,
            cursor: None,
        };
        let listed = self
            .services
            .list_redemptions(Caller::Key(self.key), None, None, page);
        let mut moves = Vec::new();
        for redemption in listed.await?.redemptions {
            if matches!(redemption.status, "COMPLETED" | "CANCELED") || self.rng.u32(0..10) < 7 {
                continue;
            }
            let next = match (redemption.status, self.rng.u32(0..12)) {
                (_, 0) => "CANCELED",
                ("SUBMITTED", _) => "OPEN",
                ("OPEN", ..6) => "AWAITING_VENDOR",
                ("OPEN" | "AWAITING_VENDOR", _) => "AWAITING_CUSTOMER",
                ("AWAITING_CUSTOMER", _) => "PURCHASED",
                _ => "COMPLETED",
            };
            let request = PatchRedemptionRequest::parse(&json!({"status": next}))?;
            moves.push((redemption.id, request));
        }
        let (services, key) = (self.services, self.key);
        self.count(
            join_all(
                moves
                    .into_iter()
                    .map(|(id, r)| services.patch_redemption(key, id, r)),
            )
            .await,
        )
    }

    fn count(&mut self, replies: Vec<Result<Reply, WriteError>>) -> Result<(), anyhow::Error> {
        for reply in replies {
            let reply = reply?;
            anyhow::ensure!(
                reply.status < 500,
                "a step of the demo failed: {}",
                reply.status
            );
            self.requests += 1;
        }
        Ok(())
    }
}
