//! Random histories of credits, corrections, redemptions and changes of a program's wallet over
//! HTTP, beside sums that know nothing of the server.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};

use super::{World, check};
use crate::support::{Response, TestApp};

/// The sums of one participant.
#[derive(Default)]
struct Account {
    path: String,
    available: i64,
    held: i64,
    deferred: i64,
    /// What was credited to `HELD` by reference, and is still there.
    provisional: BTreeMap<u8, i64>,
    /// Redemptions: the id, and what is left to be reversed.
    redemptions: Vec<(String, i64)>,
}

struct History {
    world: World,
    rng: Rng,
    has_lots: bool,
    left: i64,
    accounts: [Account; 2],
    /// How often each step had each status.
    tally: BTreeMap<(&'static str, u16), u64>,
}

impl History {
    fn begin(app: TestApp, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let has_lots = rng.bool();
        let mode = if has_lots { "LOT" } else { "SIMPLE" };
        let asset = if rng.bool() {
            super::create(&app, &format!("S{seed}"), mode, 0)
        } else {
            let policy = json!({"issuance_policy": "PREFUNDED"});
            app.patch("/v1/assets/default", &policy).expect(200);
            if has_lots {
                let to = json!({"to": "LOT"});
                app.post("/v1/assets/default/convert", &to).expect(200);
            }
            let asset = app.get("/v1/assets/default").expect(200)["id"].clone();
            asset.as_str().unwrap().to_owned()
        };
        let accounts = ["ada", "bob"].map(|name| Account {
            path: super::participant(&app, name),
            ..Account::default()
        });
        let path = String::new();
        Self {
            world: World { app, path, asset },
            rng,
            has_lots,
            left: 0,
            accounts,
            tally: BTreeMap::new(),
        }
    }

    fn step(&mut self) {
        let who = self.rng.usize(..2);
        self.world.path.clone_from(&self.accounts[who].path);
        let amount = self.rng.i64(1..30);
        let (name, response, expected) = match self.rng.u8(..100) {
            0..12 => self.fund(amount * 2),
            12..18 => self.burn(amount),
            18..40 => self.credit(who, amount),
            40..48 => self.credit_held(who, amount),
            48..56 => self.settle(who, amount),
            56..62 => self.void(who),
            62..72 => self.debit(who, amount),
            72..84 => self.redeem(who, amount),
            84..94 => self.reverse(who, amount),
            _ => self.forfeit(who, amount),
        };
        let text = response.text();
        assert_eq!(response.status, expected, "{name} of {amount}: {text}");
        *self.tally.entry((name, expected)).or_default() += 1;
        assert_eq!(
            self.world.left(),
            self.left.to_string(),
            "{name} of {amount}"
        );
        let account = &self.accounts[who];
        let expected = [account.available, account.deferred, account.held];
        let found = self.world.points();
        assert_eq!(found, expected.map(|points| points.to_string()), "{name}");
    }

    fn fund(&mut self, amount: i64) -> (&'static str, Response, u16) {
        let body = json!({"amount": amount.to_string()});
        self.left += amount;
        ("fund", self.world.change("fund", &body), 200)
    }

    fn burn(&mut self, amount: i64) -> (&'static str, Response, u16) {
        let body = json!({"amount": amount.to_string()});
        let response = self.world.change("burn", &body);
        if amount > self.left {
            return ("burn", response, 422);
        }
        self.left -= amount;
        ("burn", response, 200)
    }

    fn credit(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let is_later = self.has_lots && self.rng.u8(..4) == 0;
        let fields = if is_later {
            json!({"matures_at": "2030-01-01T00:00:00Z"})
        } else {
            json!({})
        };
        let response = self.world.adjust("CREDIT", &amount.to_string(), fields);
        if amount > self.left {
            return ("credit", response, 422);
        }
        self.left -= amount;
        let account = &mut self.accounts[who];
        *(if is_later {
            &mut account.deferred
        } else {
            &mut account.available
        }) += amount;
        ("credit", response, 200)
    }

    fn credit_held(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let reference = self.rng.u8(..3);
        let fields = if self.has_lots {
            json!({"bucket": "HELD", "reference_id": reference.to_string()})
        } else {
            json!({"bucket": "HELD"})
        };
        let response = self.world.adjust("CREDIT", &amount.to_string(), fields);
        if amount > self.left {
            return ("credit held", response, 422);
        }
        self.left -= amount;
        let account = &mut self.accounts[who];
        account.held += amount;
        *account.provisional.entry(reference).or_default() += amount;
        ("credit held", response, 200)
    }

    fn settle(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let reference = self.rng.u8(..3);
        let fields = json!({"reference_id": reference.to_string()});
        let response = self.world.adjust("CREDIT", &amount.to_string(), fields);
        if !self.has_lots {
            return ("settle", response, 400);
        }
        let account = &mut self.accounts[who];
        let held = account.provisional.get(&reference).copied().unwrap_or(0);
        if amount - held > self.left {
            return ("settle", response, 422);
        }
        self.left -= amount - held;
        account.provisional.remove(&reference);
        account.held -= held;
        account.available += amount;
        ("settle", response, 200)
    }

    fn void(&mut self, who: usize) -> (&'static str, Response, u16) {
        let reference = self.rng.u8(..3);
        let fields = json!({"reference_id": reference.to_string()});
        let response = self.world.send("void-hold", fields);
        if !self.has_lots {
            return ("void", response, 400);
        }
        let account = &mut self.accounts[who];
        let Some(held) = account.provisional.remove(&reference) else {
            return ("void", response, 404);
        };
        account.held -= held;
        self.left += held;
        ("void", response, 200)
    }

    fn debit(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let allow = self.rng.u8(..3) == 0;
        let fields = json!({"allow_negative": allow});
        let response = self.world.adjust("DEBIT", &amount.to_string(), fields);
        let account = &mut self.accounts[who];
        if amount > account.available && !allow {
            return ("debit", response, 422);
        }
        account.available -= amount;
        self.left += amount;
        ("debit", response, 200)
    }

    fn redeem(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let response = self.world.redeem(&amount.to_string());
        let account = &mut self.accounts[who];
        if amount > account.available {
            return ("redeem", response, 422);
        }
        account.available -= amount;
        let id = response.json()["id"].as_str().unwrap().to_owned();
        account.redemptions.push((id, amount));
        ("redeem", response, 201)
    }

    fn reverse(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let account = &mut self.accounts[who];
        let count = account.redemptions.len();
        if count == 0 {
            let unknown = json!({"id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"});
            let body = json!({"reason": "cold"});
            return ("reverse", self.world.reverse(&unknown, &body), 404);
        }
        let (id, spent) = &mut account.redemptions[self.rng.usize(..count)];
        let body = json!({"reason": "cold", "amount": amount.to_string()});
        let response = self.world.reverse(&json!({"id": id}), &body);
        if amount > *spent {
            return ("reverse", response, 422);
        }
        *spent -= amount;
        account.available += amount;
        ("reverse", response, 201)
    }

    fn forfeit(&mut self, who: usize, amount: i64) -> (&'static str, Response, u16) {
        let fields = json!({"bucket": "AVAILABLE", "amount": amount.to_string()});
        let response = self.world.send("forfeit", fields);
        let account = &mut self.accounts[who];
        if amount > account.available {
            return ("forfeit", response, 422);
        }
        account.available -= amount;
        ("forfeit", response, 200)
    }
}

/// The seeds and the steps of each history: 600 steps in all.
const HISTORIES: u64 = 6;
const STEPS: usize = 100;

#[test]
fn wallets_of_programs_are_those_of_a_naive_model() {
    let mut tally: BTreeMap<(&'static str, u16), u64> = BTreeMap::new();
    for seed in 0..HISTORIES {
        let app = TestApp::start_with(|settings| settings.rate_limit.sandbox_per_minute = 0);
        let mut history = History::begin(app, seed);
        for step in 0..STEPS {
            history.step();
            if step == STEPS / 2 {
                history.world.app = history.world.app.restart();
            }
        }
        check(&history.world.app);
        let entries = history
            .world
            .app
            .get("/v1/journal-entries?limit=200")
            .expect(200);
        for entry in entries["data"].as_array().unwrap() {
            let postings = entry["postings"].as_array().unwrap().iter();
            let amount = |it: &Value| it["amount"].as_str().unwrap().parse::<i64>().unwrap();
            assert_eq!(postings.map(amount).sum::<i64>(), 0, "{entry}");
        }
        for (step, count) in history.tally {
            *tally.entry(step).or_default() += count;
        }
    }
    // Each step had each of its outcomes.
    for step in [
        ("fund", 200),
        ("burn", 200),
        ("burn", 422),
        ("credit", 200),
        ("credit", 422),
        ("credit held", 200),
        ("credit held", 422),
        ("settle", 200),
        ("settle", 422),
        ("void", 200),
        ("void", 404),
        ("debit", 200),
        ("debit", 422),
        ("redeem", 201),
        ("reverse", 201),
        ("reverse", 422),
        ("forfeit", 200),
    ] {
        assert!(
            tally.get(&step).is_some_and(|count| *count > 1),
            "{step:?}: {tally:?}"
        );
    }
}
