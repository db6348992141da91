//! A program with a history: sixty days of members, points and redemptions, created through the
//! API.

use std::time::Duration;

use serde_json::{Value, json};
use stampcard::clock::Clock;

use crate::support::TestApp;

const DAYS: u32 = 60;
const DAY: Duration = Duration::from_hours(24);

const OFFERS: &[(&str, &str, u32, Option<u32>)] = &[
    ("A coffee on the house", "Any size, any day", 40, None),
    (
        "Two tickets to the matinee",
        "Sundays at eleven",
        220,
        Some(24),
    ),
    (
        "Dinner at the chef's table",
        "Five courses, two people",
        900,
        Some(6),
    ),
    ("Tote bag", "Organic cotton", 90, None),
    ("Late check-out", "Stay until four", 150, None),
];

const NAMES: &[&str] = &[
    "Ada Lovelace",
    "Grace Hopper",
    "Radia Perlman",
    "Barbara Liskov",
    "Margaret Hamilton",
    "Frances Allen",
    "Hedy Lamarr",
    "Shafi Goldwasser",
    "Joan Clarke",
    "Katherine Johnson",
    "Edsger Dijkstra",
    "Donald Knuth",
    "Dennis Ritchie",
    "Ken Thompson",
    "Tony Hoare",
    "Niklaus Wirth",
    "Alan Kay",
    "John Backus",
    "Leslie Lamport",
    "Robin Milner",
];

const ON_THE_WAY: &[&str] = &["OPEN", "AWAITING_VENDOR", "AWAITING_CUSTOMER", "PURCHASED"];

/// A server whose clock ends up at the present, because the browser's clock is there.
pub(crate) struct World {
    pub(crate) app: TestApp,
    /// In the order of the list above.
    pub(crate) offers: Vec<String>,
}

pub(crate) fn member(at: usize) -> String {
    let first = NAMES[at].split(' ').next().unwrap();
    format!("{}-{}", first.to_lowercase(), 101 + at)
}

impl World {
    pub(crate) fn new() -> Self {
        let now = Clock::system().now();
        let app = TestApp::start_at(&now.saturating_sub(DAY * DAYS).to_string(), |_| ());
        let offers: Vec<String> = OFFERS
            .iter()
            .map(|(title, line, price, pieces)| {
                app.offer(json!({
                    "title": title, "shortDescription": line, "pointsPrice": price,
                    "availability": {"quantityRemaining": pieces},
                }))
            })
            .collect();
        let mut world = Self { app, offers };
        let mut rng = fastrand::Rng::with_seed(7);
        for day in 0..DAYS {
            world.simulate_day(day as usize, &mut rng);
            world.app.clock.advance(DAY);
        }
        world.add_program("Lounge", 900, 300);
        world.add_program("Staff rewards", 2400, 0);
        world
    }

    /// Another program of the same organization, with points issued and redeemed.
    fn add_program(&self, name: &str, issued: u32, redeemed: u32) {
        let made = self.app.post("/v1/programs", &json!({"name": name}));
        let made = made.expect(201);
        let post = |path: &str, body: Value| {
            let request = self.app.request("POST", path);
            let response = request
                .bearer(made["apiKey"].as_str().unwrap())
                .json(&body)
                .send();
            assert!(response.status < 300, "{}", response.text());
            response.json()
        };
        post("/v1/auth/exchange", json!({"externalUserID": "guest"}));
        post(
            "/v1/wallet/credit",
            json!({"externalUserID": "guest", "amount": issued}),
        );
        if redeemed > 0 {
            let offer = post(
                "/v1/offers",
                json!({"title": "A day", "pointsPrice": redeemed}),
            );
            post(
                "/v1/redemptions",
                json!({"externalUserID": "guest", "offer": offer["id"]}),
            );
        }
    }

    fn simulate_day(&mut self, day: usize, rng: &mut fastrand::Rng) {
        let app = &self.app;
        if day.is_multiple_of(3) {
            let at = day / 3;
            let tier = ["standard", "silver", "gold"][at % 3];
            let body = json!({"displayName": NAMES[at], "tier": tier});
            app.put(&format!("/v1/members/{}", member(at)), &body)
                .expect(200);
        }
        let known = day / 3 + 1;
        for _ in 0..2 + rng.usize(..4) {
            let who = member(rng.usize(..known));
            let amount = 20 + 5 * rng.u32(..40);
            let body = json!({"externalUserID": who, "amount": amount, "reason": "purchase"});
            app.post("/v1/wallet/credit", &body).expect(200);
        }
        for _ in 0..rng.usize(..3) {
            let who = member(rng.usize(..known));
            let offer = &self.offers[rng.usize(..self.offers.len())];
            let body = json!({"externalUserID": who, "offer": offer});
            let answer = app.post("/v1/redemptions", &body);
            // Some cannot afford it, or hold it already.
            if answer.status == 201 {
                let id = answer.json()["id"].as_str().unwrap().to_owned();
                self.settle(&id, day, rng);
            }
        }
    }

    /// Early redemptions are finished, late ones are in progress.
    fn settle(&self, id: &str, day: usize, rng: &mut fastrand::Rng) {
        let path = format!("/v1/redemptions/{id}");
        let moved = |status: &str| {
            self.app
                .patch(&path, &json!({"status": status}))
                .expect(200);
        };
        match rng.u32(..10) {
            0 => {
                let body = json!({"canceledReason": "DATE_UNAVAILABLE"});
                self.app.post(&format!("{path}/cancel"), &body).expect(200);
            }
            _ if day < 40 => moved("COMPLETED"),
            1..=7 => moved(ON_THE_WAY[rng.usize(..ON_THE_WAY.len())]),
            _ => (),
        }
    }

    /// Another organization, for the partner's pages.
    pub(crate) fn add_organization(&self, name: &str, credits: u32, exchanges: u32) {
        let partner = crate::support::PARTNER_SANDBOX_KEY;
        let body = json!({"name": name, "tier": "paid", "initialCredits": credits});
        let made = self
            .app
            .request("POST", "/partner/organizations")
            .bearer(partner)
            .json(&body)
            .send()
            .expect(201);
        let key = made["apiKey"].as_str().unwrap();
        for at in 0..exchanges {
            let body: Value = json!({"externalUserID": format!("guest-{at}")});
            self.app
                .request("POST", "/v1/auth/exchange")
                .bearer(key)
                .json(&body)
                .send()
                .expect(200);
        }
    }
}
