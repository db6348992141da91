//! Redemptions of participants, of amounts and of offers, and their reversal.

use serde_json::{Value, json};
use stampcard::domain::{DerivedIds, DerivedKind};
use uuid::Uuid;

use crate::client::move_to;
use crate::support::{Response, TestApp};

/// The program, its asset, and the address of a participant.
pub(crate) struct World {
    pub(crate) app: TestApp,
    program: Uuid,
    asset: String,
}

impl World {
    pub(crate) fn start() -> Self {
        let app = TestApp::start();
        let program = app.get("/v1/programs/current").expect(200);
        let program = Uuid::parse_str(program["id"].as_str().unwrap()).unwrap();
        let asset = app.get("/v1/assets/default").expect(200);
        let asset = asset["id"].as_str().unwrap().to_owned();
        Self {
            app,
            program,
            asset,
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        let sql = "SELECT id FROM member WHERE external_user_id = ?1";
        let connection = self.app.sqlite();
        let row: i64 = connection.query_row(sql, [name], |row| row.get(0)).unwrap();
        let ids = DerivedIds::new(self.program, DerivedKind::Participant);
        format!("/v1/participants/{}", ids.id(row, 0))
    }

    fn redeem(&self, name: &str, amount: i64, extra: &Value) -> Response {
        let mut body = json!({"program_id": self.program.to_string(), "asset_id": self.asset,
            "amount": amount.to_string(), "description": "Two teas"});
        let fields = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let path = format!("{}/redemptions", self.path(name));
        self.app.post(&path, &body)
    }

    pub(crate) fn redeem_item(&self, name: &str, offer: &str, extra: &Value) -> Response {
        let reward = offer.strip_prefix("off_").unwrap();
        let mut body = json!({"program_id": self.program.to_string(), "reward_id": reward});
        let fields = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        let path = format!("{}/redemptions/items", self.path(name));
        self.app.post(&path, &body)
    }

    pub(crate) fn reverse(&self, name: &str, made: &Value, extra: &Value) -> Response {
        let mut body = json!({"reason": "The tea was cold"});
        let fields = extra.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        self.app
            .post(&format!("{}/reverse", self.one(name, made)), &body)
    }

    pub(crate) fn one(&self, name: &str, made: &Value) -> String {
        let id = made["id"].as_str().unwrap();
        format!("{}/redemptions/{id}", self.path(name))
    }

    /// The remaining points of the lots of a participant, by number, and their statuses.
    fn lots(&self, name: &str) -> Vec<(String, String)> {
        let path = format!("{}/balances/lots?asset_id={}", self.path(name), self.asset);
        let lots = self.app.get(&path).expect(200);
        let lots = lots["data"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        lots.map(|lot| (text(&lot["remaining"]), text(&lot["status"])))
            .collect()
    }

    pub(crate) fn verify(&self) {
        let report = stampcard::service::verify::verify(&self.app.sqlite(), |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
    }
}

#[track_caller]
pub(crate) fn refused(response: Response, status: u16, code: &str) -> String {
    let body = response.expect(status);
    assert_eq!(body["code"], code, "{body}");
    body["message"].as_str().unwrap().to_owned()
}

#[test]
fn an_amount_is_spent_and_given_back_in_parts() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let made = world.redeem("ada", 40, &json!({})).expect(201);
    assert_eq!(made["status"], "COMPLETED");
    assert_eq!(
        (&made["amount"], &made["reward_id"]),
        (&json!("40"), &Value::Null)
    );
    assert_eq!(app.balance("ada"), 60);
    assert_eq!(app.get(&world.one("ada", &made)).expect(200), made);
    let first = world
        .reverse("ada", &made, &json!({"amount": "15"}))
        .expect(201);
    assert_eq!(first["amount"], "15");
    assert_eq!(app.balance("ada"), 75);
    let part = app.get(&world.one("ada", &made)).expect(200);
    assert_eq!(
        (&part["status"], &part["reversed_amount"]),
        (&json!("PARTIALLY_REVERSED"), &json!("15"))
    );
    let message = refused(
        world.reverse("ada", &made, &json!({"amount": "26"})),
        422,
        "insufficient_balance",
    );
    assert!(message.contains("25"), "{message}");
    refused(
        world.reverse("ada", &made, &json!({"quantity": 1})),
        400,
        "bad_request",
    );
    let rest = world.reverse("ada", &made, &json!({})).expect(201);
    assert_eq!(rest["amount"], "25");
    assert_eq!(app.balance("ada"), 100);
    refused(
        world.reverse("ada", &made, &json!({})),
        422,
        "insufficient_balance",
    );
    let path = format!("{}/reversals", world.one("ada", &made));
    let list = app.get(&path).expect(200);
    assert_eq!(list["data"], json!([first, rest]));
    let page = app.get(&format!("{path}?limit=1")).expect(200);
    let cursor = page["pagination"]["next_cursor"].as_str().unwrap();
    let page = app.get(&format!("{path}?cursor={cursor}")).expect(200);
    assert_eq!(page["data"], json!([rest]));
    // The Expys surface shows a debit with the description, and the figures count it.
    let wallet = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);
    let debit = &wallet["transactions"][2];
    assert_eq!(
        (&debit["type"], &debit["reason"]),
        (&json!("DEBIT"), &json!("Two teas"))
    );
    assert_eq!(debit["redemptionID"], Value::Null);
    assert_eq!(app.summary()["pointsSpent"], 40);
    refused(
        world.redeem("ada", 101, &json!({})),
        422,
        "insufficient_balance",
    );
    world.verify();
}

#[test]
fn a_key_in_the_body_makes_one_redemption() {
    let world = World::start();
    world.app.member("ada", 100);
    let key = json!({"idempotency_key": "one"});
    let made = world.redeem("ada", 40, &key).expect(201);
    assert_eq!(world.redeem("ada", 40, &key).expect(200), made);
    refused(world.redeem("ada", 41, &key), 409, "idempotency_conflict");
    assert_eq!(world.app.balance("ada"), 60);
    let back = json!({"amount": "5", "idempotency_key": "two"});
    let reversal = world.reverse("ada", &made, &back).expect(201);
    assert_eq!(world.reverse("ada", &made, &back).expect(200), reversal);
    assert_eq!(world.app.balance("ada"), 65);
    let path = format!("{}/redemptions", world.path("ada"));
    let body = json!({"program_id": world.program.to_string(), "asset_id": world.asset,
        "amount": "1", "description": "x", "idempotency_key": "a"});
    let request = world.app.request("POST", &path);
    let both = request
        .bearer(crate::support::SANDBOX_KEY)
        .idempotency_key("b");
    refused(both.json(&body).send(), 400, "bad_request");
}

#[test]
fn points_go_back_to_the_very_lots_and_expire_if_their_time_has_passed() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 0);
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    for end in ["2026-06-25T12:00:00Z", "2026-07-25T12:00:00Z"] {
        let body = json!({"externalUserID": "ada", "amount": 50, "expiresAt": end});
        app.post("/v1/wallet/credit", &body).expect(200);
    }
    let made = world.redeem("ada", 80, &json!({})).expect(201);
    let lot = |left: &str, status: &str| (left.to_owned(), status.to_owned());
    assert_eq!(
        world.lots("ada"),
        [lot("20", "AVAILABLE"), lot("0", "CONSUMED")]
    );
    // The 30 of the second lot were taken last, so they come back first.
    world
        .reverse("ada", &made, &json!({"amount": "40"}))
        .expect(201);
    assert_eq!(
        world.lots("ada"),
        [lot("10", "AVAILABLE"), lot("50", "AVAILABLE")]
    );
    let wait = json!({"advanceSeconds": 11 * 86_400});
    app.post("/v1/sandbox/clock", &wait).expect(200);
    assert_eq!(app.balance("ada"), 50);
    let late = world.reverse("ada", &made, &json!({})).expect(201);
    assert_eq!(late["amount"], "40");
    assert_eq!(app.balance("ada"), 50);
    assert_eq!(
        world.lots("ada"),
        [lot("50", "AVAILABLE"), lot("0", "EXPIRED")]
    );
    world.verify();
}

#[test]
fn an_offer_is_redeemed_as_a_reward_and_reversed_as_a_whole() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let stock = json!({"quantityRemaining": 1});
    let offer = app.offer(json!({"title": "Tea", "pointsPrice": 30, "availability": stock}));
    refused(
        world.redeem_item("ada", &offer, &json!({"quantity": 2})),
        409,
        "reward_unavailable",
    );
    let made = world.redeem_item("ada", &offer, &json!({})).expect(201);
    assert_eq!(
        (&made["quantity"], &made["unit_cost"]),
        (&json!(1), &json!("30"))
    );
    assert_eq!(made["description"], "Redeemed: Tea");
    let id = format!("rdm_{}", made["id"].as_str().unwrap());
    let theirs = app.get(&format!("/v1/redemptions/{id}")).expect(200);
    assert_eq!(theirs["status"], "SUBMITTED");
    refused(
        world.redeem_item("ada", &offer, &json!({})),
        409,
        "reward_unavailable",
    );
    refused(
        world.reverse("ada", &made, &json!({"amount": "5"})),
        400,
        "bad_request",
    );
    refused(
        world.reverse("ada", &made, &json!({"quantity": 2})),
        422,
        "insufficient_balance",
    );
    let reversal = world.reverse("ada", &made, &json!({})).expect(201);
    assert_eq!(
        (&reversal["amount"], &reversal["quantity"]),
        (&json!("30"), &json!(1))
    );
    assert_eq!(reversal["reason"], "The tea was cold");
    let theirs = app.get(&format!("/v1/redemptions/{id}")).expect(200);
    assert_eq!(
        (
            &theirs["status"],
            &theirs["canceledReason"],
            &theirs["canceledNote"]
        ),
        (
            &json!("CANCELED"),
            &json!("OTHER"),
            &json!("The tea was cold")
        )
    );
    assert_eq!(app.balance("ada"), 100);
    refused(
        world.reverse("ada", &made, &json!({})),
        422,
        "insufficient_balance",
    );
    world.verify();
}

#[test]
fn a_completed_reward_is_reversed_and_stays_completed() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    let stock = json!({"quantityRemaining": 1});
    let offer = app.offer(json!({"title": "Tea", "pointsPrice": 30, "availability": stock}));
    // One that was reversed before gives its stock back.
    let first = world.redeem_item("ada", &offer, &json!({})).expect(201);
    world.reverse("ada", &first, &json!({})).expect(201);
    let second = world
        .redeem_item("ada", &offer, &json!({"description": "Again"}))
        .expect(201);
    assert_eq!(second["description"], "Again");
    let id = format!("rdm_{}", second["id"].as_str().unwrap());
    move_to(app, &id, "COMPLETED").expect(200);
    world.reverse("ada", &second, &json!({})).expect(201);
    let theirs = app.get(&format!("/v1/redemptions/{id}")).expect(200);
    assert_eq!(theirs["status"], "COMPLETED");
    assert_eq!(app.balance("ada"), 100);
    refused(
        world.reverse("ada", &second, &json!({})),
        422,
        "insufficient_balance",
    );
    // It counts towards no limit any more, on either surface.
    let own = app.post(
        "/v1/redemptions",
        &json!({"externalUserID": "ada", "offer": offer}),
    );
    let own = own.expect(201)["id"].as_str().unwrap().to_owned();
    move_to(app, &own, "CANCELED").expect(200);
    let third = world.redeem_item("ada", &offer, &json!({})).expect(201);
    world.reverse("ada", &third, &json!({})).expect(201);
    let second = app.get(&world.one("ada", &second)).expect(200);
    assert_eq!(
        (&second["status"], &second["reversed_quantity"]),
        (&json!("FULLY_REVERSED"), &json!(1))
    );
    let list = app
        .get(&format!("{}/reversals", world.one("ada", &second)))
        .expect(200);
    assert_eq!(list["data"][0]["amount"], "30");
    world.verify();
}

#[test]
fn who_is_not_active_redeems_nothing_but_gets_points_back() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 100);
    app.member("bob", 100);
    let offer = app.offer(json!({"pointsPrice": 500}));
    refused(
        world.redeem_item("ada", &offer, &json!({})),
        422,
        "insufficient_balance",
    );
    let made = world.redeem("ada", 40, &json!({})).expect(201);
    app.delete("/v1/members/ada").expect(200);
    refused(
        world.redeem("ada", 1, &json!({})),
        409,
        "participant_inactive",
    );
    refused(
        world.redeem_item("ada", &offer, &json!({})),
        409,
        "participant_inactive",
    );
    refused(world.reverse("bob", &made, &json!({})), 404, "not_found");
    world.reverse("ada", &made, &json!({})).expect(201);
    let other = json!({"program_id": Uuid::nil().to_string()});
    refused(world.redeem("bob", 1, &other), 403, "forbidden");
    let gone = world.redeem_item("bob", &format!("off_{}", Uuid::nil()), &json!({}));
    refused(gone, 404, "not_found");
    world.verify();
}

/// A redemption: its id, its points, and those of them that were returned.
type Made = (String, i64, i64);

/// The price of the offer below.
const TEA: i64 = 7;

/// A long mix of both kinds, newest first.
fn mixed(world: &World, offer: &str, free: &str) -> Vec<Made> {
    let mut rng = fastrand::Rng::with_seed(11);
    let mut all = Vec::new();
    for _ in 0..40 {
        let made = match rng.u8(..5) {
            0 => world.redeem_item("ada", offer, &json!({"quantity": rng.i64(1..5)})),
            1 => world.redeem_item("ada", free, &json!({})),
            _ => world.redeem("ada", rng.i64(1..50), &json!({})),
        };
        let made = made.expect(201);
        let amount: i64 = made["amount"].as_str().unwrap().parse().unwrap();
        let mut reversed = 0;
        while reversed < amount && rng.bool() {
            let (points, body) = if made["reward_id"].is_null() {
                let part = rng.i64(1..=amount - reversed);
                (part, json!({"amount": part.to_string()}))
            } else {
                let units = rng.i64(1..=(amount - reversed) / TEA);
                (units * TEA, json!({"quantity": units}))
            };
            world.reverse("ada", &made, &body).expect(201);
            reversed += points;
        }
        all.push((made["id"].as_str().unwrap().to_owned(), amount, reversed));
        if rng.u8(..3) == 0 {
            let wait = json!({"advanceSeconds": 1});
            world.app.post("/v1/sandbox/clock", &wait).expect(200);
        }
    }
    all.reverse();
    all
}

/// A row of the list, whose status has to fit.
fn listed(row: &Value) -> Made {
    let number = |field: &str| row[field].as_str().unwrap().parse().unwrap();
    let (amount, reversed) = (number("amount"), number("reversed_amount"));
    let status = match reversed {
        0 => "COMPLETED",
        all if all == amount => "FULLY_REVERSED",
        _ => "PARTIALLY_REVERSED",
    };
    assert_eq!(row["status"], status, "{row}");
    (row["id"].as_str().unwrap().to_owned(), amount, reversed)
}

/// The list has each once, newest first, with what was returned.
#[test]
fn the_list_has_every_redemption_once_in_any_size_of_page() {
    let world = World::start();
    let app = &world.app;
    app.member("ada", 10_000);
    let limit = json!({"perMember": null, "per": "ever"});
    let offer = app.offer(json!({"title": "Tea", "pointsPrice": TEA, "redemptionLimit": limit}));
    let free = app.offer(json!({"title": "Water", "redemptionLimit": limit}));
    let expected = mixed(&world, &offer, &free);
    let left: i64 = expected.iter().map(|(_, amount, back)| amount - back).sum();
    assert_eq!(app.balance("ada"), 10_000 - left);
    let path = format!("{}/redemptions", world.path("ada"));
    for limit in [1, 4, 200] {
        let mut found = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = app
                .get(&format!("{path}?limit={limit}{cursor}"))
                .expect(200);
            found.extend(page["data"].as_array().unwrap().iter().map(listed));
            match page["pagination"]["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(found, expected, "{limit}");
    }
    let some = app
        .get(&format!("{path}?status=PARTIALLY_REVERSED&limit=200"))
        .expect(200);
    let parts = expected
        .iter()
        .filter(|(_, all, back)| (1..*all).contains(back));
    assert_eq!(some["data"].as_array().unwrap().len(), parts.count());
    let reward = offer.strip_prefix("off_").unwrap();
    let some = app
        .get(&format!("{path}?reward_catalog_item_id={reward}"))
        .expect(200);
    let teas = expected
        .iter()
        .filter(|(_, amount, _)| *amount > 0 && amount % TEA == 0);
    assert!(some["data"].as_array().unwrap().len() <= teas.count());
    world.verify();
}
