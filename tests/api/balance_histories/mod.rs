//! Random histories of balances over HTTP, beside a list of lots that knows nothing of the server.
//!
//! All dates are among eight instants, so that maturity, expiry and the end of holds coincide. The
//! people of a history share a program and its clock.

mod naive;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};
use stampcard::domain::Timestamp;

use self::naive::{INSTANTS, Naive, Place};
use crate::support::{Response, TestApp};

/// The seconds from one instant to the next.
const STEP: u64 = 3600;
const REFERENCES: [&str; 3] = ["a", "b", "c"];
const PRICES: [i64; 2] = [7, 20];

struct Person {
    name: String,
    path: String,
    naive: Naive,
    /// Open redemptions: the id, and its place in the model.
    redemptions: Vec<(String, usize)>,
}

struct World {
    app: TestApp,
    rng: Rng,
    has_lots: bool,
    begin: Timestamp,
    now: usize,
    offers: [String; 2],
    /// How often each step had each status.
    tally: BTreeMap<(&'static str, u16), u64>,
}

impl World {
    fn begin(seed: u64) -> Self {
        let app = TestApp::start_with(|settings| settings.rate_limit.sandbox_per_minute = 0);
        let mut rng = Rng::with_seed(seed);
        let has_lots = seed % 4 != 3;
        let by_end = rng.bool();
        if has_lots {
            app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
                .expect(200);
            let order = if by_end { "soonest_expiry" } else { "fifo" };
            app.patch("/v1/assets/default", &json!({"burn_order": order}))
                .expect(200);
        }
        let offers = PRICES.map(|price| {
            app.offer(json!({"pointsPrice": price, "redemptionLimit": {"perMember": null}}))
        });
        let now = app.get("/v1/sandbox/clock").expect(200);
        let begin = Timestamp::parse(now["now"].as_str().unwrap()).unwrap();
        Self {
            app,
            rng,
            has_lots,
            begin,
            now: 0,
            offers,
            tally: BTreeMap::new(),
        }
    }

    fn person(&self, number: usize) -> Person {
        let name = format!("p{number}");
        let made = self
            .app
            .post("/v1/participants", &json!({"external_id": name}));
        let id = made.expect(201)["id"].as_str().unwrap().to_owned();
        let order = self.app.get("/v1/assets/default").expect(200)["burn_order"].clone();
        Person {
            name,
            path: format!("/v1/participants/{id}/balances"),
            naive: Naive::new(order == "soonest_expiry"),
            redemptions: Vec::new(),
        }
    }

    fn time(&self, instant: usize) -> String {
        let seconds = STEP * instant as u64;
        let at = self.begin.saturating_add(Duration::from_secs(seconds));
        at.to_string()
    }

    /// A later instant, or an earlier one once in a while.
    fn instant(&mut self) -> usize {
        if self.rng.u8(..12) == 0 {
            return self.rng.usize(..=self.now);
        }
        self.rng.usize(self.now + 1..=INSTANTS)
    }

    fn some_instant(&mut self) -> Option<usize> {
        self.rng.bool().then(|| self.instant())
    }

    fn reference(&mut self) -> Option<&'static str> {
        let some = self.has_lots && self.rng.bool();
        some.then(|| REFERENCES[self.rng.usize(..REFERENCES.len())])
    }

    fn amount(&mut self) -> Option<i64> {
        (self.rng.u8(..4) > 0).then(|| self.rng.i64(1..30))
    }

    fn send(&self, person: &Person, operation: &str, fields: Value) -> Response {
        let mut body = json!({"program_id": "current", "asset_id": "default",
            "description": "A step"});
        let Value::Object(fields) = fields else {
            panic!()
        };
        let given = fields.into_iter().filter(|(_, value)| !value.is_null());
        body.as_object_mut().unwrap().extend(given);
        self.app
            .post(&format!("{}/{operation}", person.path), &body)
    }

    fn step(&mut self, person: &mut Person) {
        let kind = self.rng.u8(..100);
        let (name, expected) = match kind {
            0..30 => ("credit", self.credit(person)),
            30..38 => ("debit", self.debit(person)),
            38..60 => ("hold", self.hold(person)),
            60..74 => ("release", self.release(person)),
            74..80 => ("forfeit", self.forfeit(person)),
            80..86 => ("void", self.void(person)),
            86..95 => return self.redeem(person),
            _ => return self.cancel(person),
        };
        let (response, expected) = expected;
        let text = response.text();
        assert_eq!(response.status, expected, "{}: {text}", person.name);
        *self.tally.entry((name, expected)).or_default() += 1;
        if expected == 200 {
            check(person, &response.json()["balance"]);
        }
    }

    fn credit(&mut self, person: &mut Person) -> (Response, u16) {
        let amount = self.rng.i64(1..40);
        let to_held = self.rng.u8(..3) == 0;
        let reference = self.reference();
        let end = if self.has_lots {
            self.some_instant()
        } else {
            None
        };
        let later = self.has_lots && !to_held && self.rng.u8(..4) == 0;
        let start = later.then(|| self.instant());
        let bucket = if to_held { "HELD" } else { "AVAILABLE" };
        let times = [end, start].map(|it| it.map(|it| self.time(it)));
        let fields = json!({"type": "CREDIT", "amount": amount.to_string(), "bucket": bucket,
            "reference_id": reference, "expires_at": times[0], "matures_at": times[1]});
        let response = self.send(person, "adjust", fields);
        let settled = if to_held { None } else { reference };
        let held = settled.map_or(0, |reference| person.naive.sum_provisional(reference));
        // The dates count only if points are credited.
        let is_impossible = matches!((end, start), (Some(end), Some(start)) if end <= start);
        if amount > held && is_impossible {
            return (response, 400);
        }
        if let Some(reference) = settled {
            person.naive.settle(reference, amount);
        }
        if amount > held {
            let place = match start {
                Some(start) => Place::Later(start),
                None if to_held => Place::Held {
                    by: 0,
                    until: None,
                    is_provisional: true,
                    reference,
                },
                None => Place::Free,
            };
            person.naive.credit(amount - held, end, place);
        }
        person.naive.pass(self.now);
        (response, 200)
    }

    fn debit(&mut self, person: &mut Person) -> (Response, u16) {
        let amount = self.rng.i64(1..30);
        let (from_held, negative) = (self.rng.bool(), self.rng.bool());
        let (bucket, is_done) = if from_held {
            ("HELD", person.naive.take(amount, Place::is_held))
        } else if negative {
            person.naive.overdraw(amount);
            ("AVAILABLE", true)
        } else {
            (
                "AVAILABLE",
                person.naive.take(amount, |place| *place == Place::Free),
            )
        };
        let fields = json!({"type": "DEBIT", "amount": amount.to_string(), "bucket": bucket,
            "allow_negative": negative && !from_held});
        let response = self.send(person, "adjust", fields);
        (response, if is_done { 200 } else { 422 })
    }

    fn hold(&mut self, person: &mut Person) -> (Response, u16) {
        let (amount, reference) = (self.amount(), self.reference());
        let until = if self.has_lots {
            self.some_instant()
        } else {
            None
        };
        let fields = json!({"amount": amount.map(|it| it.to_string()), "reference_id": reference,
            "hold_until": until.map(|until| self.time(until))});
        let response = self.send(person, "hold", fields);
        if until.is_some_and(|until| until <= self.now) {
            return (response, 400);
        }
        let is_done = person.naive.hold(amount, reference, until);
        (response, if is_done { 200 } else { 422 })
    }

    fn release(&mut self, person: &mut Person) -> (Response, u16) {
        let (amount, reference) = (self.amount(), self.reference());
        let fields = json!({"amount": amount.map(|it| it.to_string()), "reference_id": reference});
        let response = self.send(person, "release", fields);
        let is_done = person.naive.release(amount, reference);
        person.naive.pass(self.now);
        (response, if is_done { 200 } else { 422 })
    }

    fn forfeit(&mut self, person: &mut Person) -> (Response, u16) {
        let (amount, from_held) = (self.amount(), self.rng.bool());
        let reference = if from_held { self.reference() } else { None };
        let bucket = if from_held { "HELD" } else { "AVAILABLE" };
        let fields = json!({"amount": amount.map(|it| it.to_string()), "bucket": bucket,
            "reference_id": reference});
        let response = self.send(person, "forfeit", fields);
        let fits = |place: &Place| match place {
            Place::Held { .. } => from_held && place.refers_to(reference),
            place => !from_held && *place == Place::Free,
        };
        let amount = amount.unwrap_or(person.naive.sum(fits));
        let is_done = amount > 0 && person.naive.take(amount, fits);
        (response, if is_done { 200 } else { 422 })
    }

    fn void(&mut self, person: &mut Person) -> (Response, u16) {
        let reference = REFERENCES[self.rng.usize(..REFERENCES.len())];
        let response = self.send(person, "void-hold", json!({"reference_id": reference}));
        if !self.has_lots {
            return (response, 400);
        }
        let amount = person.naive.sum_provisional(reference);
        person.naive.void(reference, amount);
        (response, if amount > 0 { 200 } else { 404 })
    }

    fn redeem(&mut self, person: &mut Person) {
        let which = self.rng.usize(..2);
        let body = json!({"externalUserID": person.name, "offer": self.offers[which]});
        let response = self.app.post("/v1/redemptions", &body);
        let spent = person.naive.spend(PRICES[which]);
        let status = if spent.is_some() { 201 } else { 422 };
        *self.tally.entry(("redeem", status)).or_default() += 1;
        if let Some(place) = spent {
            let id = response.expect(201)["id"].as_str().unwrap().to_owned();
            person.redemptions.push((id, place));
        } else {
            response.expect_error(422, "INSUFFICIENT_POINTS");
        }
    }

    fn cancel(&mut self, person: &mut Person) {
        if person.redemptions.is_empty() {
            return;
        }
        let which = self.rng.usize(..person.redemptions.len());
        let (id, place) = person.redemptions.swap_remove(which);
        let path = format!("/v1/redemptions/{id}/cancel");
        self.app.post(&path, &json!({})).expect(200);
        *self.tally.entry(("cancel", 200)).or_default() += 1;
        person.naive.refund(place);
        person.naive.pass(self.now);
    }

    /// The next instant.
    fn advance(&mut self, people: &mut [Person]) {
        self.now += 1;
        let body = json!({"advanceSeconds": STEP});
        self.app.post("/v1/sandbox/clock", &body).expect(200);
        for person in people {
            person.naive.pass(self.now);
            let list = self.app.get(&person.path).expect(200);
            check(person, &list["data"][0]);
        }
    }
}

#[track_caller]
fn check(person: &Person, found: &Value) {
    let of = |name: &str| found[name].as_str().unwrap().parse::<i64>().unwrap();
    let found = [of("available"), of("deferred"), of("held")];
    assert_eq!(found, person.naive.buckets(), "{}", person.name);
}

/// One history of some people: each takes some steps at every instant.
fn run(seed: u64, people: usize, steps: usize) -> BTreeMap<(&'static str, u16), u64> {
    let mut world = World::begin(seed);
    let mut people: Vec<Person> = (0..people).map(|number| world.person(number)).collect();
    for _ in 0..INSTANTS {
        for person in &mut people {
            for _ in 0..steps {
                world.step(person);
            }
        }
        world.advance(&mut people);
    }
    let report = stampcard::service::verify::verify(&world.app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new(), "seed {seed}");
    // A start folds the log to the same balances.
    let app = world.app.restart();
    for person in &people {
        let list = app.get(&person.path).expect(200);
        check(person, &list["data"][0]);
    }
    world.tally
}

#[test]
fn hundreds_of_histories_are_as_a_list_of_lots_says() {
    let mut all = BTreeMap::new();
    for seed in 0..4 {
        for (outcome, count) in run(seed, 60, 2) {
            *all.entry(outcome).or_insert(0) += count;
        }
    }
    for outcome in [
        ("credit", 200),
        ("credit", 400),
        ("debit", 200),
        ("debit", 422),
        ("hold", 200),
        ("hold", 422),
        ("release", 200),
        ("release", 422),
        ("forfeit", 200),
        ("forfeit", 422),
        ("void", 200),
        ("void", 404),
        ("redeem", 201),
        ("redeem", 422),
        ("cancel", 200),
    ] {
        assert!(
            all.get(&outcome).is_some_and(|count| *count > 9),
            "{outcome:?}: {all:?}"
        );
    }
}

#[test]
#[ignore = "takes an hour: 10,000 histories"]
fn ten_thousand_histories_are_as_a_list_of_lots_says() {
    for seed in 100..200 {
        run(seed, 100, 3);
    }
}
