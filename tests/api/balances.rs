//! Operations on the balances of participants.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Response, SANDBOX_KEY, TestApp};

const DAY: u64 = 24 * 3600;

/// Errors of the earning engine, which have no envelope.
pub(crate) trait Flat {
    /// The message, if status and code are as expected.
    fn expect_refusal(self, status: u16, code: &str) -> String;
}

impl Flat for Response {
    #[track_caller]
    fn expect_refusal(self, status: u16, code: &str) -> String {
        let body = self.expect(status);
        assert_eq!(body["code"], code, "{body}");
        body["message"].as_str().unwrap().to_owned()
    }
}

/// A participant of a program.
struct Person {
    app: TestApp,
    path: String,
}

impl Person {
    /// One without points, whose program keeps points in lots or as a sum.
    fn begin(has_lots: bool) -> Self {
        let app = TestApp::start();
        if has_lots {
            app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
                .expect(200);
        }
        let ada = app.post("/v1/participants", &json!({"external_id": "ada"}));
        let id = ada.expect(201)["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/participants/{id}");
        Self { app, path }
    }

    fn send(&self, operation: &str, fields: Value) -> Response {
        let mut body = json!({"program_id": "current", "asset_id": "default",
            "description": "A test"});
        let Value::Object(fields) = fields else {
            panic!()
        };
        body.as_object_mut().unwrap().extend(fields);
        self.app
            .post(&format!("{}/balances/{operation}", self.path), &body)
    }

    fn credit(&self, amount: u32) -> Value {
        self.adjust("CREDIT", amount, json!({})).expect(200)
    }

    fn adjust(&self, kind: &str, amount: u32, fields: Value) -> Response {
        let mut all = json!({"type": kind, "amount": amount.to_string()});
        let Value::Object(fields) = fields else {
            panic!()
        };
        all.as_object_mut().unwrap().extend(fields);
        self.send("adjust", all)
    }

    /// Credits points to HELD.
    fn accrue(&self, amount: u32, reference: &str) {
        let fields = json!({"bucket": "HELD", "reference_id": reference});
        self.adjust("CREDIT", amount, fields).expect(200);
    }

    fn hold(&self, amount: u32, reference: &str) -> Value {
        let fields = json!({"amount": amount.to_string(), "reference_id": reference});
        self.send("hold", fields).expect(200)
    }

    /// Available, deferred and held points.
    fn points(&self) -> [i64; 3] {
        let list = self.app.get(&format!("{}/balances", self.path)).expect(200);
        let row = &list["data"][0];
        ["available", "deferred", "held"].map(|name| row[name].as_str().unwrap().parse().unwrap())
    }

    /// A page of the lots, with a further query.
    fn lots(&self, query: &str) -> Value {
        let asset = self.app.get("/v1/assets/default").expect(200);
        let asset = asset["id"].as_str().unwrap();
        let path = &self.path;
        let lots = format!("{path}/balances/lots?asset_id={asset}{query}");
        self.app.get(&lots).expect(200)
    }

    /// The points, status and reference of lots, with a further query.
    fn references(&self, query: &str) -> Vec<[Value; 3]> {
        let page = self.lots(query);
        assert_eq!(page["pagination"]["has_more"], false);
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|lot| ["remaining", "status", "reference_id"].map(|name| lot[name].clone()))
            .collect()
    }

    /// The actions of a statement, with the amount of each and the balance after it.
    fn statement(&self, bucket: &str) -> Vec<[Value; 3]> {
        let asset = self.app.get("/v1/assets/default").expect(200);
        let asset = asset["id"].as_str().unwrap();
        let path = format!("{}/statement?asset_id={asset}&bucket={bucket}", self.path);
        let statement = self.app.get(&path).expect(200);
        let rows = statement["data"].as_array().unwrap().iter();
        rows.map(|row| ["action_type", "amount", "running_balance"].map(|name| row[name].clone()))
            .collect()
    }

    fn wait(&self, seconds: u64) {
        let body = json!({"advanceSeconds": seconds});
        self.app.post("/v1/sandbox/clock", &body).expect(200);
    }

    /// A time some seconds from the program's present.
    fn later(&self, seconds: u64) -> String {
        let now = self.app.get("/v1/sandbox/clock").expect(200);
        let now = stampcard::domain::Timestamp::parse(now["now"].as_str().unwrap()).unwrap();
        now.saturating_add(Duration::from_secs(seconds)).to_string()
    }

    fn verify(&self) {
        let report = stampcard::service::verify::verify(&self.app.sqlite(), |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
    }
}

/// Every POST of participants, as in the table of all.
pub(crate) fn posts(app: &TestApp) -> Vec<(&'static str, String, Value, u16, &'static str)> {
    let list = app.get("/v1/participants?external_id=ada").expect(200);
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    let row = |path: String, body: Value, status| (SANDBOX_KEY, path, body, status, "");
    let operation = |name: &str, more: Value, status| {
        let mut body = json!({"program_id": "current", "asset_id": "default",
            "description": "One"});
        let Value::Object(more) = more else { panic!() };
        body.as_object_mut().unwrap().extend(more);
        row(
            format!("/v1/participants/{id}/balances/{name}"),
            body,
            status,
        )
    };
    let five = json!({"amount": "5"});
    vec![
        row(
            "/v1/participants".to_owned(),
            json!({"external_id": "eve"}),
            201,
        ),
        operation("adjust", json!({"type": "CREDIT", "amount": "5"}), 200),
        operation("hold", five.clone(), 200),
        operation("release", five, 200),
        operation(
            "forfeit",
            json!({"amount": "5", "bucket": "AVAILABLE"}),
            200,
        ),
        operation("void-hold", json!({"reference_id": "order"}), 400),
    ]
}

#[test]
fn a_hold_leaves_the_balance_and_comes_back() {
    for has_lots in [false, true] {
        let ada = Person::begin(has_lots);
        ada.credit(100);
        let held = ada.send("hold", json!({"amount": "60"})).expect(200);
        assert_eq!(held["operation"], "HOLD");
        assert_eq!(held["amount_processed"], "60");
        assert_eq!(
            held["balance"],
            json!({"available": "40", "deferred": "0", "held": "60"})
        );
        assert_eq!(held["lots_processed"].is_array(), has_lots);
        assert_eq!(ada.app.balance("ada"), 40);
        // What is held cannot be spent, and a refused hold changes nothing.
        let debit = ada.adjust("DEBIT", 41, json!({}));
        debit.expect_refusal(422, "insufficient_balance");
        let more = ada.send("hold", json!({"amount": "41"}));
        more.expect_refusal(422, "insufficient_balance");
        assert_eq!(ada.points(), [40, 0, 60]);
        let part = ada.send("release", json!({"amount": "10"})).expect(200);
        assert_eq!(part["amount_processed"], "10");
        let beyond = ada.send("release", json!({"amount": "51"}));
        beyond.expect_refusal(422, "insufficient_balance");
        let taken = ada
            .adjust("DEBIT", 20, json!({"bucket": "HELD"}))
            .expect(200);
        assert_eq!(taken["bucket"], "HELD");
        let rest = ada.send("release", json!({})).expect(200);
        assert_eq!(rest["amount_processed"], "30");
        assert_eq!(ada.points(), [80, 0, 0]);
        for operation in ["hold", "release"] {
            ada.send(operation, json!({"amount": "81"}))
                .expect_refusal(422, "insufficient_balance");
        }
        ada.send("release", json!({}))
            .expect_refusal(422, "insufficient_balance");
        let lost = ada
            .send("forfeit", json!({"bucket": "AVAILABLE"}))
            .expect(200);
        assert_eq!(lost["amount_processed"], "80");
        ada.send("hold", json!({}))
            .expect_refusal(422, "insufficient_balance");
        ada.send("forfeit", json!({"bucket": "HELD"}))
            .expect_refusal(422, "insufficient_balance");
        ada.verify();
    }
}

#[test]
fn a_hold_ends_by_itself_and_the_oldest_is_released_first() {
    let ada = Person::begin(true);
    ada.credit(100);
    let first = ada.hold(30, "a");
    assert_eq!(first["hold_until"], ada.later(30 * DAY));
    let until = ada.later(100);
    let fields = json!({"amount": "50", "hold_until": until, "reference_id": "b"});
    assert_eq!(ada.send("hold", fields).expect(200)["hold_until"], until);
    // A part of the older one, although the other ends first.
    let part = ada.send("release", json!({"amount": "10"})).expect(200);
    assert_eq!(part["lots_processed"].as_array().unwrap().len(), 1);
    assert_eq!(ada.points(), [30, 0, 70]);
    ada.wait(99);
    assert_eq!(ada.points(), [30, 0, 70]);
    ada.wait(1);
    assert_eq!(ada.points(), [80, 0, 20]);
    ada.wait(30 * DAY);
    assert_eq!(ada.points(), [100, 0, 0]);
    for seconds in [0, 366 * DAY + 1] {
        let fields = json!({"hold_until": ada.later(seconds)});
        let message = ada.send("hold", fields).expect_refusal(400, "bad_request");
        assert!(message.starts_with("hold_until "), "{message}");
    }
    let fields = json!({"hold_until": ada.later(366 * DAY)});
    ada.send("hold", fields).expect(200);
    ada.verify();
    let Person { app, path } = ada;
    let ada = Person {
        app: app.restart(),
        path,
    };
    assert_eq!(ada.points(), [0, 0, 100]);
    ada.wait(366 * DAY);
    assert_eq!(ada.points(), [100, 0, 0]);
    ada.verify();
}

#[test]
fn held_points_do_not_expire_before_they_are_released() {
    let ada = Person::begin(true);
    let dates = json!({"expires_at": ada.later(100)});
    ada.adjust("CREDIT", 100, dates).expect(200);
    ada.hold(40, "a");
    ada.hold(30, "b");
    ada.wait(100);
    // What was not held is gone at that very moment; what is held stays.
    assert_eq!(ada.points(), [0, 0, 70]);
    let debit = json!({"bucket": "HELD", "reference_id": "a"});
    ada.adjust("DEBIT", 15, debit).expect(200);
    let released = ada
        .send("release", json!({"reference_id": "a"}))
        .expect(200);
    assert_eq!(released["amount_processed"], "25");
    assert_eq!(released["balance"]["available"], "0");
    assert_eq!(ada.points(), [0, 0, 30]);
    // The time-out of the other one ends in the same way.
    ada.wait(31 * DAY);
    assert_eq!(ada.points(), [0, 0, 0]);
    ada.verify();
}

#[test]
fn a_credit_settles_above_and_below_what_was_held() {
    let ada = Person::begin(true);
    for (held, settled, message) in [(100, 130, "above"), (100, 70, "below"), (0, 40, "none")] {
        let before = ada.points()[0];
        if held > 0 {
            ada.accrue(held - 10, message);
            ada.accrue(10, message);
        }
        assert_eq!(ada.points(), [before, 0, i64::from(held)]);
        let done = ada.adjust("CREDIT", settled, json!({"reference_id": message}));
        let done = done.expect(200);
        let delta = i64::from(settled) - i64::from(held);
        let settle = json!({"held_amount": held.to_string(), "delta": delta.to_string()});
        assert_eq!(done["settle"], settle, "{message}");
        assert_eq!(
            ada.points(),
            [before + i64::from(settled), 0, 0],
            "{message}"
        );
    }
    let summary = ada.app.summary();
    assert_eq!(summary["pointsMinted"], 100 + 30 + 100 + 40);
    ada.verify();
}

#[test]
fn void_hold_takes_back_credits_and_leaves_own_points() {
    let ada = Person::begin(true);
    ada.credit(100);
    ada.hold(40, "order");
    ada.accrue(25, "order");
    ada.accrue(5, "other");
    let fields = json!({"reference_id": "order"});
    let void = ada.send("void-hold", fields.clone()).expect(200);
    assert_eq!(
        (&void["operation"], &void["amount_processed"]),
        (&json!("VOID_HOLD"), &json!("25"))
    );
    assert_eq!(ada.points(), [60, 0, 45]);
    ada.send("void-hold", fields)
        .expect_refusal(404, "not_found");
    // A release makes points that were credited as held the participant's.
    ada.send("release", json!({"reference_id": "other"}))
        .expect(200);
    assert_eq!(ada.points(), [65, 0, 40]);
    let released = ada.send("release", json!({})).expect(200);
    assert_eq!(released["amount_processed"], "40");
    for (field, value) in [
        ("amount", json!("1")),
        ("lot_ids", json!(["0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"])),
        ("earned_from", json!("2026-06-01T00:00:00Z")),
    ] {
        let fields = json!({"reference_id": "x", field: value});
        let message = ada
            .send("void-hold", fields)
            .expect_refusal(400, "bad_request");
        assert!(message.starts_with(field), "{message}");
    }
    ada.verify();
}

#[test]
fn lots_are_chosen_by_id_by_date_and_by_reference() {
    let ada = Person::begin(true);
    let mut times = Vec::new();
    for amount in [10, 20, 30] {
        times.push(ada.later(0));
        ada.credit(amount);
        ada.wait(60);
    }
    let within = json!({"earned_from": times[1], "earned_to": times[1]});
    let held = ada.send("hold", within).expect(200);
    assert_eq!(held["amount_processed"], "20");
    let lot = held["lots_processed"][0]["id"].clone();
    let from = json!({"earned_from": times[1], "reference_id": "r"});
    assert_eq!(ada.send("hold", from).expect(200)["amount_processed"], "30");
    let named = json!({"lot_ids": [lot], "amount": "5", "bucket": "HELD"});
    let gone = ada.send("forfeit", named).expect(200);
    assert_eq!(gone["lots_processed"], json!([{"id": lot, "amount": "5"}]));
    let to = json!({"earned_to": times[0], "bucket": "AVAILABLE"});
    assert_eq!(
        ada.send("forfeit", to).expect(200)["amount_processed"],
        "10"
    );
    let early = json!({"earned_to": "2000-01-01T00:00:00Z"});
    ada.send("release", early)
        .expect_refusal(422, "insufficient_balance");
    let by = json!({"reference_id": "r"});
    assert_eq!(
        ada.send("release", by).expect(200)["amount_processed"],
        "30"
    );
    assert_eq!(ada.points(), [30, 0, 15]);
    let wrong = json!({"earned_from": times[1], "earned_to": times[0]});
    ada.send("hold", wrong).expect_refusal(400, "bad_request");
    ada.verify();
}

#[test]
fn a_negative_balance_is_repaid_first() {
    for has_lots in [false, true] {
        let ada = Person::begin(has_lots);
        ada.credit(30);
        ada.send("hold", json!({"amount": "20"})).expect(200);
        let debit = ada.adjust("DEBIT", 25, json!({"allow_negative": true}));
        assert_eq!(debit.expect(200)["balance"]["available"], "-15");
        ada.send("hold", json!({}))
            .expect_refusal(422, "insufficient_balance");
        let released = ada.send("release", json!({})).expect(200);
        assert_eq!(released["balance"]["available"], "5");
        ada.adjust("DEBIT", 6, json!({}))
            .expect_refusal(422, "insufficient_balance");
        ada.verify();
    }
}

#[test]
fn the_status_says_which_operations_are_possible() {
    let ada = Person::begin(true);
    ada.credit(100);
    ada.hold(50, "a");
    ada.accrue(10, "p");
    for (status, mine, held) in [("SUSPENDED", "10", "5"), ("CLOSED", "10", "5")] {
        let path = format!("{}/status", ada.path);
        ada.app.patch(&path, &json!({"status": status})).expect(200);
        for (operation, fields) in [
            ("adjust", json!({"type": "CREDIT", "amount": "1"})),
            ("adjust", json!({"type": "DEBIT", "amount": "1"})),
            ("hold", json!({"amount": "1"})),
            ("release", json!({"amount": "1"})),
        ] {
            let message = ada
                .send(operation, fields)
                .expect_refusal(409, "participant_inactive");
            assert!(message.contains(status), "{message}");
        }
        ada.send("forfeit", json!({"bucket": "AVAILABLE", "amount": mine}))
            .expect(200);
        ada.send("forfeit", json!({"bucket": "HELD", "amount": held}))
            .expect(200);
    }
    ada.send("void-hold", json!({"reference_id": "p"}))
        .expect(200);
    assert_eq!(ada.points(), [30, 0, 40]);
    // A hold of a closed participant ends all the same.
    ada.wait(31 * DAY);
    assert_eq!(ada.points(), [70, 0, 0]);
    ada.verify();
}

#[test]
fn amounts_are_strings_of_whole_numbers() {
    let ada = Person::begin(false);
    for (amount, code) in [
        (json!("10.5"), "invalid_scale"),
        (json!("10.0"), "invalid_scale"),
        (json!("10."), "bad_request"),
        (json!("0"), "bad_request"),
        (json!("-1"), "bad_request"),
        (json!("1e3"), "bad_request"),
        (json!("9007199254740992"), "bad_request"),
        (json!(10), "bad_request"),
        (json!(""), "bad_request"),
    ] {
        let fields = json!({"type": "CREDIT", "amount": amount});
        let message = ada.send("adjust", fields).expect_refusal(400, code);
        assert!(message.starts_with("amount "), "{message}");
    }
    assert_eq!(ada.points(), [0, 0, 0]);
}

#[test]
fn fields_that_need_lots_or_do_not_fit_are_named() {
    let ada = Person::begin(false);
    ada.credit(100);
    for (operation, field, fields) in [
        ("hold", "reference_id", json!({"reference_id": "a"})),
        ("hold", "hold_until", json!({"hold_until": ada.later(60)})),
        (
            "release",
            "earned_from",
            json!({"earned_from": "2026-06-01T00:00:00Z"}),
        ),
        ("void-hold", "reference_id", json!({"reference_id": "a"})),
        ("void-hold", "reference_id", json!({})),
        ("forfeit", "bucket", json!({})),
        ("forfeit", "bucket", json!({"bucket": "DEFERRED"})),
        (
            "release",
            "hold_until",
            json!({"hold_until": ada.later(60)}),
        ),
        ("hold", "description", json!({"description": " "})),
        ("hold", "program_id", json!({"program_id": "x"})),
        ("adjust", "type", json!({"amount": "1"})),
        (
            "adjust",
            "reference_id",
            json!({"type": "CREDIT", "amount": "1", "reference_id": "a"}),
        ),
        (
            "adjust",
            "reference_id",
            json!({"type": "DEBIT", "amount": "1", "reference_id": "a"}),
        ),
        (
            "adjust",
            "expires_at",
            json!({"type": "DEBIT", "amount": "1", "expires_at": null}),
        ),
        (
            "adjust",
            "allow_negative",
            json!({"type": "CREDIT", "amount": "1", "allow_negative": true}),
        ),
        (
            "adjust",
            "matures_at",
            json!({"type": "CREDIT", "amount": "1", "bucket": "HELD",
            "matures_at": ada.later(60)}),
        ),
    ] {
        let message = ada
            .send(operation, fields)
            .expect_refusal(400, "bad_request");
        assert!(message.starts_with(field), "{operation}: {message}");
    }
    let other = json!({"program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"});
    ada.send("hold", other).expect_refusal(403, "forbidden");
    let other = json!({"asset_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"});
    ada.send("hold", other).expect_refusal(404, "not_found");
    let limit = json!({"max_transaction_amount": "50"});
    ada.app.patch("/v1/assets/default", &limit).expect(200);
    ada.adjust("CREDIT", 51, json!({}))
        .expect_refusal(422, "amount_too_large");
    ada.adjust("DEBIT", 50, json!({})).expect(200);
    assert_eq!(ada.points(), [50, 0, 0]);
    ada.verify();
}

#[test]
fn a_participant_has_so_many_holds_at_a_time() {
    let ada = Person::begin(true);
    ada.credit(2_000);
    for _ in 0..1_000 {
        ada.send("hold", json!({"amount": "1"})).expect(200);
    }
    for held in [
        ada.send("hold", json!({"amount": "1"})),
        ada.adjust("CREDIT", 1, json!({"bucket": "HELD"})),
    ] {
        held.expect_refusal(422, "limit_reached");
    }
    ada.send("release", json!({"amount": "1"})).expect(200);
    ada.hold(1, "the last");
    assert_eq!(ada.points(), [1_000, 0, 1_000]);
}

#[test]
fn of_two_holds_at_once_one_gets_the_points() {
    let ada = Person::begin(true);
    ada.credit(100);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| ada.send("hold", json!({"amount": "60"})).status))
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 7);
    assert_eq!(ada.points(), [40, 0, 60]);
    // A retry with the same key is the same hold.
    let fields = json!({"amount": "10", "idempotency_key": "one"});
    let first = ada.send("hold", fields.clone()).expect(200);
    assert_eq!(ada.send("hold", fields).expect(200), first);
    assert_eq!(ada.points(), [30, 0, 70]);
    ada.verify();
}

#[test]
fn the_journal_shows_and_finds_what_an_entry_is_for() {
    let ada = Person::begin(true);
    ada.adjust("CREDIT", 100, json!({})).expect(200);
    ada.hold(30, "order");
    ada.hold(20, "trip");
    let journal = |query: &str| -> Vec<[Value; 2]> {
        let page = ada.app.get(&format!("/v1/journal-entries{query}"));
        let page = page.expect(200);
        let rows = page["data"].as_array().unwrap().iter();
        rows.map(|row| ["action_type", "reference_id"].map(|name| row[name].clone()))
            .collect()
    };
    let hold = |reference: &str| [json!("HOLD"), json!(reference)];
    let credit = [json!("CREDIT"), Value::Null];
    assert_eq!(journal(""), [hold("trip"), hold("order"), credit]);
    assert_eq!(journal("?reference_id=order"), [hold("order")]);
    assert_eq!(journal("?reference_id=ord"), Vec::<[Value; 2]>::new());
}

#[test]
fn lots_and_statements_show_what_is_held_and_for_what() {
    let ada = Person::begin(true);
    let dates = json!({"expires_at": ada.later(40 * DAY)});
    ada.adjust("CREDIT", 100, dates).expect(200);
    ada.wait(60);
    ada.hold(30, "order");
    ada.accrue(20, "trip");
    let none: [[Value; 3]; 0] = [];
    let lot = |left: &str, status: &str, reference: Option<&str>| {
        [json!(left), json!(status), json!(reference)]
    };
    let rest = lot("70", "AVAILABLE", None);
    let order = lot("30", "HELD", Some("order"));
    let trip = lot("20", "HELD", Some("trip"));
    assert_eq!(
        ada.references(""),
        [rest.clone(), order.clone(), trip.clone()]
    );
    assert_eq!(ada.references("&reference_id=order"), [order]);
    let of_trip = ada.references("&reference_id=trip");
    assert_eq!(of_trip, std::slice::from_ref(&trip));
    assert_eq!(ada.references("&reference_id=trip&status=AVAILABLE"), none);
    let lots = ada.lots("")["data"].clone();
    for field in ["created_at", "expires_at", "matures_at"] {
        assert_eq!(lots[1][field], lots[0][field], "{field}");
    }
    assert_eq!(
        (&lots[0]["amount"], &lots[1]["amount"]),
        (&json!("100"), &json!("30"))
    );
    assert_ne!(lots[1]["id"], lots[0]["id"]);
    let row = |action: &str, amount: &str, after: &str| [action, amount, after].map(Value::from);
    let held = [row("HOLD", "30", "30"), row("CREDIT", "20", "50")];
    assert_eq!(ada.statement("HELD"), held);
    let available = [row("CREDIT", "100", "100"), row("HOLD", "-30", "70")];
    assert_eq!(ada.statement("AVAILABLE"), available);

    // Once released, a part has the reference of its credit, which has none.
    let released = json!({"reference_id": "order"});
    ada.send("release", released).expect(200);
    let back = lot("30", "AVAILABLE", None);
    assert_eq!(ada.references(""), [rest, back, trip]);
    assert_eq!(ada.references("&reference_id=order"), none);
    assert_eq!(ada.statement("HELD")[2], row("RELEASE", "-30", "20"));
    // Points that were credited for a purpose keep it.
    ada.adjust("CREDIT", 20, json!({"reference_id": "trip"}))
        .expect(200);
    let trip = ada.references("&reference_id=trip");
    assert_eq!(trip, [lot("20", "AVAILABLE", Some("trip"))]);
    assert_eq!(ada.statement("HELD")[3][2], "0");
    ada.adjust("DEBIT", 120, json!({})).expect(200);
    let trip = lot("0", "CONSUMED", Some("trip"));
    let other = lot("0", "CONSUMED", None);
    assert_eq!(ada.references(""), [trip.clone(), other.clone(), other]);
    assert_eq!(ada.references("&reference_id=trip"), [trip]);
    ada.verify();
}

/// A filter by reference looks up the entries of a limited number of lots for a page.
#[test]
fn a_reference_is_found_among_many_lots_in_several_pages() {
    let ada = Person::begin(true);
    let named = json!({"reference_id": "x"});
    ada.adjust("CREDIT", 1, named.clone()).expect(200);
    for _ in 0..600 {
        ada.credit(1);
    }
    ada.adjust("CREDIT", 2, named).expect(200);
    let (mut cursor, mut amounts) = (String::new(), Vec::new());
    for more in [true, false] {
        let page = ada.lots(&format!("&reference_id=x{cursor}"));
        assert_eq!(page["pagination"]["has_more"], more);
        let lots = page["data"].as_array().unwrap().clone();
        amounts.push(
            lots.iter()
                .map(|lot| lot["amount"].clone())
                .collect::<Vec<_>>(),
        );
        let next = page["pagination"]["next_cursor"].as_str();
        cursor = next.map_or(String::new(), |next| format!("&cursor={next}"));
    }
    assert_eq!(amounts, [["1"], ["2"]]);
}
