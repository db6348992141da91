//! A database with some data of every kind, for tests that read it.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

use crate::assets::convert;
use crate::client::{
    attach, call, cancel, conversation, credit, exchange, move_to, organization, partner, picture,
    post_as, post_once, program, say, say_as_agent, support, until, webhook,
};
use crate::support::receiver::{Answer, Receiver};
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// A stopped server. The database is deleted when this is dropped.
pub(crate) struct Lived {
    app: TestApp,
}

impl Lived {
    pub(crate) fn database(&self) -> PathBuf {
        self.app.database()
    }

    /// A copy of the database in a folder.
    pub(crate) fn copy(&self, folder: &tempfile::TempDir) -> PathBuf {
        let path = folder.path().join("copy.db");
        for suffix in ["-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", path.display()));
        }
        std::fs::copy(self.database(), &path).unwrap();
        path
    }
}

/// Members, credits, redemptions of every status, messages, webhooks and their deliveries, a
/// removed, a restored and an erased member, a sandbox that was reset, and several tenants.
pub(crate) fn lived() -> Lived {
    let mut app = TestApp::start();
    app.member("before", 5);
    app.post("/v1/sandbox/reset", &json!({})).expect(200);
    let good = Receiver::start();
    let bad = Receiver::start_with(|_| Answer::Status(500));
    webhook(&app, &good.url("/good"), &crate::client::catalogue());
    webhook(&app, &bad.url("/bad"), &["member.created"]);
    let gone = webhook(&app, &good.url("/gone"), &["member.removed"]);
    app.delete(&gone.path("")).expect(200);
    members(&app);
    redemptions(&app);
    state(&app, "dee");
    removals(&app);
    interests(&app);
    terms(&app);
    tenants(&app);
    points(&app);
    rules(&app);
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 3600}))
        .expect(200);
    let configuration = json!({"defaultTier": "bronze", "currencyName": "Beans"});
    app.put("/v1/configuration", &configuration).expect(200);
    credit(&app, "ann", 1);
    state(&app, "ann");
    until_delivered(&app);
    app.stop();
    Lived { app }
}

/// Rules, one of which was changed, and one archived; a budget that was reset.
fn rules(app: &TestApp) {
    let budgets = json!([
        {"asset_id": "default", "limit": "500", "schedule_type": "INTERVAL", "interval": "720h"},
    ]);
    for name in ["Earn", "Greet"] {
        let body = json!({"program_id": "current", "name": name, "budgets": budgets,
            "condition": "event.type == 'purchase'",
            "actions": [{"type": "CREDIT", "asset_id": "default", "amount": "event.amount"}]});
        let made = app.post("/v1/rules", &body).expect(201);
        pass(app);
        let path = format!("/v1/rules/{}", made["id"].as_str().unwrap());
        app.post(&format!("{path}/reset-budget?asset_id=default"), &json!({}))
            .expect(200);
        app.patch(
            &path,
            &json!({"description": "Why", "order": made["order"]}),
        )
        .expect(200);
        pass(app);
        if name == "Greet" {
            app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
        }
    }
}

/// Tags, counters and attributes of a member.
fn state(app: &TestApp, id: &str) {
    let of = crate::state::participant(app, id);
    for (path, body) in [
        ("tags", json!({"tags": ["Vip", "new"]})),
        ("tags", json!({"tags": ["vip", "old"]})),
        (
            "counters/visits",
            json!({"value": "3", "reset_after": "1s"}),
        ),
        ("counters/visits", json!({"value": "4.50"})),
        ("counters/spent", json!({"value": "12.25"})),
        ("attributes/city", json!({"value": "Bath"})),
        ("attributes/city", json!({"value": "Rome"})),
    ] {
        pass(app);
        app.put(&format!("{of}/state/{path}"), &body).expect(200);
    }
}

fn pass(app: &TestApp) {
    app.clock.advance(Duration::from_millis(1_234));
}

fn members(app: &TestApp) {
    let profile = json!({"displayName": "Ann", "email": "ann@example.com",
        "attributes": {"a": [1, "x"], "b": 1.5}});
    app.put("/v1/members/ann", &profile).expect(200);
    for member in ["bob", "cyd", "dee", "eve"] {
        pass(app);
        app.member(member, 200);
    }
    pass(app);
    app.put("/v1/members/bob", &json!({"tier": "gold"}))
        .expect(200);
    for (key, member) in [("one", "ann"), ("two", "dee")] {
        pass(app);
        let body = json!({"externalUserID": member, "amount": 300, "reason": "for coming"});
        post_once(app, key, "/v1/wallet/credit", &body).expect(200);
    }
    let body = json!({"externalUserID": "ann", "amount": 3, "reason": "a mistake"});
    app.post("/v1/wallet/debit", &body).expect(200);
    pass(app);
    let token = exchange(app, SANDBOX_KEY, "ann");
    let support = support(app, "ann");
    say(app, &token, &support, "Where is my tea?");
    pass(app);
    say_as_agent(app, &support, "On its way.");
    pass(app);
    attach(app, &support, "map.png", &picture(70_000, 0));
    pass(app);
    let lost = json!({"externalUserID": "bob", "title": "Your coat", "message": "It is here."});
    app.post("/v1/conversations", &lost).expect(201);
    let support = crate::client::support(app, "eve");
    let token = exchange(app, SANDBOX_KEY, "eve");
    for text in ["Is there tea?", "Or coffee?"] {
        pass(app);
        say(app, &token, &support, text);
    }
}

fn redemptions(app: &TestApp) {
    let walk = [
        "OPEN",
        "AWAITING_VENDOR",
        "AWAITING_CUSTOMER",
        "PURCHASED",
        "COMPLETED",
    ];
    for index in 0..=walk.len() {
        let fields = json!({"pointsPrice": 7, "tiers": ["standard"], "images": ["a.png"],
            "availability": {"quantityRemaining": 5}, "endAt": "2027-01-01T00:00:00Z"});
        let offer = app.offer(fields);
        pass(app);
        let redemption = app.redeem("ann", &offer);
        for status in &walk[..index] {
            move_to(app, &redemption, status).expect(200);
        }
        let dates = json!({"endAt": "2027-01-01T12:00:00Z"});
        app.patch(&format!("/v1/redemptions/{redemption}"), &dates)
            .expect(200);
    }
    feedback(app, "ann");
    let offer = app.offer(json!({"pointsPrice": 9, "availability": {"quantityRemaining": 3}}));
    let canceled = app.redeem("bob", &offer);
    pass(app);
    let why = json!({"canceledReason": "SOLD_OUT", "canceledNote": "Sorry, Bob"});
    let path = format!("/v1/redemptions/{canceled}/cancel");
    post_once(app, "three", &path, &why).expect(200);
    app.redeem("dee", &offer);
    let unlimited = app.offer(json!({"title": "Free"}));
    let price = json!({"amount": 2.5});
    app.put(&format!("/v1/offers/{unlimited}/price"), &price)
        .expect(200);
    let redeemed = app.redeem("bob", &unlimited);
    cancel(app, &redeemed).expect(200);
    let stocked = json!({
        "availability": {"quantityRemaining": 8}, "disclaimer": "Once.", "valueUSD": 2.5,
        "availableFrom": "2026-06-01T00:00:00Z", "maxGuests": 2,
        "redemptionLimit": {"perMember": 2, "per": "open"},
        "inclusions": [{"group": "Extras", "name": "A biscuit"}],
        "location": {"display": "Athens", "countryCode": "GR"},
    });
    app.patch(&format!("/v1/offers/{unlimited}"), &stocked)
        .expect(200);
    let archived = app.offer(json!({"title": "Gone"}));
    app.delete(&format!("/v1/offers/{archived}")).expect(200);
    let booking = conversation(app, "dee", "booking");
    say_as_agent(app, &booking, "Welcome, Dee");
    attach(app, &booking, "table.png", &picture(500, 0));
    let about = json!({"externalUserID": "dee", "title": "Dee's hat", "message": "It is here."});
    app.post("/v1/conversations", &about).expect(201);
    let redeemed = app.redeem("dee", &app.offer(json!({})));
    move_to(app, &redeemed, "COMPLETED").expect(200);
    feedback(app, "dee");
}

/// A member rates its completed redemption twice.
fn feedback(app: &TestApp, member: &str) {
    let path = format!("/v1/redemptions?status=COMPLETED&externalUserID={member}");
    let list = app.get(&path).expect(200);
    let path = format!(
        "/v1/redemptions/{}/feedback",
        list["redemptions"][0]["id"].as_str().unwrap()
    );
    let token = exchange(app, SANDBOX_KEY, member);
    for (rating, comment) in [(4, "Too cold"), (7, "Warm by now")] {
        pass(app);
        let body = json!({"rating": rating, "comment": comment});
        call(app, &token, "PUT", &path, &body).expect(200);
    }
}

fn interests(app: &TestApp) {
    let gateways = json!({
        "phoneWebhook": {"url": "http://127.0.0.1:9/codes"},
        "conciergeWebhook": {"url": "http://127.0.0.1:9/details"},
    });
    app.put("/v1/configuration", &gateways).expect(200);
    app.put("/v1/configuration", &json!({"phoneWebhook": null}))
        .expect(200);
    let offer = app.offer(json!({"title": "A wish"}));
    let show = |member: &str, offer: &str| {
        pass(app);
        let body = json!({"externalUserID": member, "offer": offer, "phone": "+30 694 1234567",
            "preferredDates": ["2026-11-06"], "occasion": "BIRTHDAY"});
        let interest = app.post("/v1/interests", &body).expect(201);
        interest["id"].as_str().unwrap().to_owned()
    };
    // One is verified, one converted, one closed.
    let verified = show("ann", &offer);
    let token = exchange(app, SANDBOX_KEY, "ann");
    let path = format!("/v1/interests/{verified}/phone/verification");
    call(app, &token, "POST", &path, &json!(null)).expect(200);
    call(app, &token, "PUT", &path, &json!({"code": "000000"})).expect(200);
    let converted = show("bob", &offer);
    let body = json!({"externalUserID": "bob", "offer": offer, "interest": converted});
    app.post("/v1/redemptions", &body).expect(201);
    let closed = show("ann", &offer);
    app.patch(
        &format!("/v1/interests/{closed}"),
        &json!({"status": "closed"}),
    )
    .expect(200);
    show("ann", &offer);
}

fn terms(app: &TestApp) {
    for (document, html) in [
        ("TERMS_OF_SERVICE", "<p>Be kind.</p>"),
        ("PRIVACY_POLICY", "<p>Nothing is sold.</p>"),
        ("TERMS_OF_SERVICE", "<p>Be kinder.</p>"),
    ] {
        pass(app);
        let body = json!({"contentHTML": html});
        let published = app.put(&format!("/v1/terms/{document}"), &body).expect(200);
        let body = json!({"versions": [published["version"]], "externalUserID": "ann"});
        app.post("/v1/terms/acceptance", &body).expect(200);
    }
}

fn removals(app: &TestApp) {
    for (member, query) in [
        ("cyd", "?retainBalance=true"),
        ("dee", "?erase=true"),
        ("eve", ""),
    ] {
        pass(app);
        app.delete(&format!("/v1/members/{member}{query}"))
            .expect(200);
    }
    pass(app);
    app.put("/v1/members/eve", &json!({"tier": "silver"}))
        .expect(200);
    exchange(app, SANDBOX_KEY, "eve");
}

/// Points in lots from now on: some mature, some expire within an hour, which is announced, some
/// later.
fn points(app: &TestApp) {
    convert(
        app,
        &json!({"to": "LOT", "expires_at": "2027-06-15T12:00:00Z"}),
    );
    let settings = json!({"burn_order": "soonest_expiry", "max_transaction_amount": "5000"});
    app.patch("/v1/assets/default", &settings).expect(200);
    let soon = crate::client::time(app.clock.now().as_millis() + 1_800_000);
    for (member, fields) in [
        ("bob", json!({"expiresAt": soon})),
        ("eve", json!({"maturesAt": soon})),
        ("eve", json!({"maturesAt": "2027-01-01T00:00:00Z"})),
        ("ann", json!({"expiresAt": null})),
    ] {
        pass(app);
        let mut body = json!({"externalUserID": member, "amount": 20});
        let fields = fields.as_object().unwrap().clone();
        body.as_object_mut().unwrap().extend(fields);
        app.post("/v1/wallet/credit", &body).expect(200);
    }
    let notice = json!({"expiry_notice": 2});
    app.patch("/v1/programs/current", &notice).expect(200);
    let offer = app.offer(json!({"title": "A cake", "pointsPrice": 25}));
    let redemption = app.redeem("bob", &offer);
    cancel(app, &redemption).expect(200);
    app.redeem("ann", &offer);
    buns(app);
}

/// Three units are redeemed together, of which one is returned.
fn buns(app: &TestApp) {
    let offer = app.offer(json!({
        "title": "A bun", "pointsPrice": 2, "availability": {"quantityRemaining": 9},
        "redemptionLimit": {"perMember": null, "per": "ever"},
    }));
    let ann = app.get("/v1/participants?external_id=ann").expect(200);
    let ann = ann["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/participants/{ann}/redemptions");
    let program = app.get("/v1/programs/current").expect(200)["id"].clone();
    let reward = offer.strip_prefix("off_").unwrap();
    let three = json!({"program_id": program, "reward_id": reward, "quantity": 3});
    let made = app.post(&format!("{path}/items"), &three).expect(201);
    let id = made["id"].as_str().unwrap();
    let one = json!({"reason": "Ann was not hungry", "quantity": 1});
    app.post(&format!("{path}/{id}/reverse"), &one).expect(201);
}

fn tenants(app: &TestApp) {
    let body = json!({"name": "Acme", "externalId": "a-1", "metadata": {"x": 1}});
    let acme = organization(app, PARTNER_SANDBOX_KEY, &body);
    let allocation = json!({"credits": 5, "notes": "for a start"});
    partner(app, "PUT", &acme.path("/credits"), &allocation).expect(200);
    exchange(app, &acme.key, "amy");
    let second = organization(app, PARTNER_SANDBOX_KEY, &json!({"name": "Other"}));
    let status = json!({"status": "suspended"});
    partner(app, "PUT", &second.path("/status"), &status).expect(200);
    pool(app);
    let (id, _) = program(app, LIVE_KEY, "Second");
    let archive = json!({"status": "ARCHIVED"});
    let path = format!("/v1/programs/{id}");
    crate::client::live(app, "PATCH", &path, &archive).expect(200);
}

/// A live organization with a pool that pays credits, and one whose pool pays redemptions.
fn pool(app: &TestApp) {
    let as_partner =
        |method: &str, path: String, body: Value| call(app, PARTNER_LIVE_KEY, method, &path, &body);
    let list = as_partner("GET", "/partner/organizations".to_owned(), Value::Null).expect(200);
    let first = format!(
        "/partner/organizations/{}",
        list["organizations"][0]["id"].as_str().unwrap()
    );
    let bought = json!({"amount": 100, "note": "invoice 1"});
    as_partner("POST", format!("{first}/pool/fund"), bought.clone()).expect(201);
    let low = json!({"lowThreshold": 90});
    as_partner("PUT", format!("{first}/pool"), low).expect(200);
    crate::client::live(app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let credit = json!({"externalUserID": "lea", "amount": 30});
    crate::client::live(app, "POST", "/v1/wallet/credit", &credit).expect(200);
    let pooled = organization(app, PARTNER_LIVE_KEY, &json!({"name": "Pooled"}));
    as_partner("POST", pooled.path("/pool/fund"), bought).expect(201);
    let mode = json!({"settlementMode": "ORG_POOL", "creditLimit": 10});
    as_partner("PUT", pooled.path("/pool"), mode).expect(200);
    let as_key = |path: &str, body: Value| post_as(app, &pooled.key, path, &body).expect(201);
    let walk = as_key("/v1/offers", json!({"title": "A walk", "pointsPrice": 40}));
    for guest in ["kim", "max"] {
        exchange(app, &pooled.key, guest);
        let redemption = as_key(
            "/v1/redemptions",
            json!({"externalUserID": guest, "offer": walk["id"]}),
        );
        if guest == "max" {
            let path = format!(
                "/v1/redemptions/{}/cancel",
                redemption["id"].as_str().unwrap()
            );
            post_as(app, &pooled.key, &path, &json!({})).expect(200);
        }
    }
}

/// Waits until every event was sent to the receiver that accepts them, and one failed elsewhere.
fn until_delivered(app: &TestApp) {
    until(|| {
        let sql = "SELECT EXISTS (SELECT 1 FROM webhook_delivery WHERE status = 'delivered'
                AND seq = (SELECT max(seq) FROM activity WHERE entry IS NOT NULL))
            AND EXISTS (SELECT 1 FROM webhook_delivery WHERE error IS NOT NULL)";
        let found = app.sqlite().query_row(sql, [], |row| row.get(0));
        found.unwrap_or(false).then_some(())
    });
}
