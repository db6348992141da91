//! Settings of a program: suspension, description, where redemptions go, and the life of points
//! that are returned late.

use serde_json::{Value, json};

use crate::client::{call, cancel, credit, get_as, millis, post_as, try_redeem, until};
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

const PROGRAM: &str = "/v1/programs/current";
const DAY: i64 = 86_400;

fn set(app: &TestApp, body: &Value) -> Value {
    app.patch(PROGRAM, body).expect(200)
}

#[track_caller]
fn refused(response: Response, status: u16, code: &str) -> String {
    let body = response.expect(status);
    assert_eq!(body["code"], code, "{body}");
    body["message"].as_str().unwrap().to_owned()
}

fn verify(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

fn advance(app: &TestApp, seconds: i64) {
    let body = json!({"advanceSeconds": seconds});
    app.post("/v1/sandbox/clock", &body).expect(200);
}

/// The address of a participant.
fn participant(app: &TestApp, name: &str) -> String {
    let path = format!("/v1/participants?external_id={name}");
    let list = app.get(&path).expect(200);
    format!(
        "/v1/participants/{}",
        list["data"][0]["id"].as_str().unwrap()
    )
}

/// A redemption of an amount.
fn spend(app: &TestApp, name: &str, amount: i64) -> Response {
    let path = format!("{}/redemptions", participant(app, name));
    let body = json!({"program_id": "current", "asset_id": "default",
        "amount": amount.to_string(), "description": "Tea"});
    app.post(&path, &body)
}

fn reverse(app: &TestApp, name: &str, made: &Value, fields: &Value) -> Value {
    let id = made["id"].as_str().unwrap();
    let path = format!("{}/redemptions/{id}/reverse", participant(app, name));
    let mut body = json!({"reason": "Cold"});
    body.as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    app.post(&path, &body).expect(201)
}

/// Writes on the Expys surface.
fn refuse_writes(app: &TestApp, token: &str, offer: &str) {
    let points = json!({"externalUserID": "ada", "amount": 1});
    for (credential, method, path, body) in [
        (SANDBOX_KEY, "POST", "/v1/wallet/credit", points),
        (SANDBOX_KEY, "PUT", "/v1/members/bob", json!({})),
        (SANDBOX_KEY, "DELETE", "/v1/members/ada", Value::Null),
        (
            SANDBOX_KEY,
            "POST",
            "/v1/auth/exchange",
            json!({"externalUserID": "ada"}),
        ),
        (
            SANDBOX_KEY,
            "POST",
            "/v1/sandbox/clock",
            json!({"advanceSeconds": 1}),
        ),
        (token, "POST", "/v1/redemptions", json!({"offer": offer})),
    ] {
        let message = call(app, credential, method, path, &body).expect_error(403, "FORBIDDEN");
        assert!(message.contains("suspended"), "{path}: {message}");
    }
}

/// Writes on the earning routes.
fn refuse_earning(app: &TestApp, ada: &str) {
    let adjust = json!({"program_id": "current", "asset_id": "default", "type": "CREDIT",
        "amount": "1", "description": "x"});
    for (method, path, body) in [
        (
            "POST",
            "/v1/participants".to_owned(),
            json!({"external_id": "bob"}),
        ),
        ("POST", format!("{ada}/balances/adjust"), adjust),
        (
            "PATCH",
            format!("{ada}/status"),
            json!({"status": "CLOSED"}),
        ),
        (
            "PATCH",
            "/v1/assets/default".to_owned(),
            json!({"burn_order": "fifo"}),
        ),
        (
            "POST",
            "/v1/programs".to_owned(),
            json!({"name": "Another"}),
        ),
    ] {
        let response = call(app, SANDBOX_KEY, method, &path, &body);
        let message = refused(response, 409, "program_inactive");
        assert!(message.contains("SUSPENDED"), "{path}: {message}");
    }
}

#[test]
fn a_suspended_program_can_be_read_and_not_be_changed() {
    let app = TestApp::start();
    app.member("ada", 100);
    let token = app.token("ada");
    let offer = app.offer(json!({"pointsPrice": 5}));
    let ada = participant(&app, "ada");
    let other = app.post("/v1/programs", &json!({"name": "Another"}));
    let other = other.expect(201)["id"].as_str().unwrap().to_owned();
    let other = format!("/v1/programs/{other}");
    let suspended = set(&app, &json!({"status": "SUSPENDED"}));
    assert_eq!(
        (&suspended["status"], &suspended["deleted_at"]),
        (&json!("SUSPENDED"), &Value::Null)
    );
    // Reads, by keys and tokens.
    for (credential, path) in [
        (SANDBOX_KEY, "/v1/members/ada"),
        (SANDBOX_KEY, PROGRAM),
        (SANDBOX_KEY, "/v1/analytics/summary"),
        (SANDBOX_KEY, "/v1/journal-entries"),
        (SANDBOX_KEY, ada.as_str()),
        (token.as_str(), "/v1/wallet"),
    ] {
        call(&app, credential, "GET", path, &Value::Null).expect(200);
    }
    for query in ["", "?status=SUSPENDED"] {
        let list = app.get(&format!("/v1/programs{query}")).expect(200);
        let mut rows = list["data"].as_array().unwrap().iter();
        let row = rows.find(|row| row["id"] == suspended["id"]).unwrap();
        assert_eq!(row["status"], "SUSPENDED", "{query}");
    }
    let report = app.get("/v1/reports/program-activity").expect(200);
    assert_eq!(report["data"].as_array().unwrap().len(), 2);
    // Its key changes no other program, and is still the one that the partner makes keys for.
    let renamed = app.patch(&other, &json!({"name": "Other"}));
    refused(renamed, 409, "program_inactive");
    let organizations = get_as(&app, PARTNER_SANDBOX_KEY, "/partner/organizations").expect(200);
    let organization = organizations["organizations"][0]["id"].as_str().unwrap();
    let keys = format!("/partner/organizations/{organization}/api-keys");
    let made = post_as(&app, PARTNER_SANDBOX_KEY, &keys, &json!({"name": "till"}));
    let key = made.expect(201)["plainKey"].as_str().unwrap().to_owned();
    assert_eq!(
        get_as(&app, &key, PROGRAM).expect(200)["id"],
        suspended["id"]
    );
    refuse_writes(&app, &token, &offer);
    refuse_earning(&app, &ada);
    refused(spend(&app, "ada", 1), 409, "program_inactive");
    let app = app.restart();
    assert_eq!(app.balance("ada"), 100);
    refused(spend(&app, "ada", 1), 409, "program_inactive");
    verify(&app);
    set(&app, &json!({"status": "ACTIVE"}));
    spend(&app, "ada", 1).expect(201);
    set(&app, &json!({"status": "ARCHIVED"}));
    assert_eq!(app.get(PROGRAM).status, 403);
    verify(&app);
}

/// A refusal is not kept under an Idempotency-Key, and a response from before is.
#[test]
fn a_retry_in_a_suspended_program_is_answered_as_before() {
    let app = TestApp::start();
    app.member("ada", 0);
    let once = |key: &str| {
        let points = json!({"externalUserID": "ada", "amount": 7});
        crate::client::post_once(&app, key, "/v1/wallet/credit", &points)
    };
    once("before").expect(200);
    set(&app, &json!({"status": "SUSPENDED"}));
    once("before").expect(200);
    once("meanwhile").expect_error(403, "FORBIDDEN");
    assert_eq!(app.balance("ada"), 7);
    set(&app, &json!({"status": "ACTIVE"}));
    once("meanwhile").expect(200);
    assert_eq!(app.balance("ada"), 14);
    verify(&app);
}

#[test]
fn what_is_due_in_a_suspended_program_waits_until_it_is_active() {
    let app = TestApp::start();
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    app.member("ada", 0);
    let end = "2026-06-20T12:00:00Z";
    let body = json!({"externalUserID": "ada", "amount": 50, "expiresAt": end});
    app.post("/v1/wallet/credit", &body).expect(200);
    set(&app, &json!({"status": "SUSPENDED"}));
    app.clock.advance(std::time::Duration::from_hours(240));
    assert_eq!(app.balance("ada"), 50);
    // Answers say for how long, once the server has looked at the clock.
    let behind = || {
        let answer = app.get("/v1/wallet?externalUserID=ada");
        let behind = answer.header("stampcard-behind")?;
        Some(behind.parse::<i64>().unwrap())
    };
    let overdue = app.clock.now().as_millis() - millis(end);
    assert_eq!(until(behind), overdue);
    // The change itself waits for nothing; the next write finds the points gone.
    set(&app, &json!({"status": "ACTIVE"}));
    refused(spend(&app, "ada", 1), 422, "insufficient_balance");
    assert_eq!((app.balance("ada"), behind()), (0, None));
    assert_eq!(app.summary()["pointsExpired"], 50);
    verify(&app);
}

#[test]
fn a_description_is_set_and_cleared() {
    let app = TestApp::start();
    let program = app.get(PROGRAM).expect(200);
    assert_eq!(program["description"], Value::Null);
    let set_to = |text: Value| app.patch(PROGRAM, &json!({"description": text}));
    let longest = "x".repeat(1000);
    assert_eq!(set_to(json!(longest)).expect(200)["description"], *longest);
    let kept = set(&app, &json!({"name": "Another"}));
    assert_eq!(kept["description"], *longest);
    for wrong in [json!("x".repeat(1001)), json!(7)] {
        let message = refused(set_to(wrong), 400, "bad_request");
        assert!(message.starts_with("description"), "{message}");
    }
    assert_eq!(set_to(Value::Null).expect(200)["description"], Value::Null);
    let body = json!({"name": "Third", "description": "For all",
        "redemption_target_type": "SYSTEM_BREAKAGE"});
    let made = app.post("/v1/programs", &body).expect(201);
    assert_eq!(
        (&made["description"], &made["redemption_target_type"]),
        (&json!("For all"), &json!("SYSTEM_BREAKAGE"))
    );
    verify(&app);
}

/// The accounts of the journal entries of ada, newest first, without her own.
fn accounts(app: &TestApp) -> Vec<(String, String)> {
    let list = app.get("/v1/journal-entries?external_id=ada").expect(200);
    let entries = list["data"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    entries
        .map(|entry| {
            let postings = entry["postings"].as_array().unwrap();
            let mut others = postings
                .iter()
                .filter(|it| it["entity_type"] != "PARTICIPANT");
            let other = others.next().unwrap();
            (text(&entry["action_type"]), text(&other["entity_type"]))
        })
        .collect()
}

#[test]
fn a_redemption_and_its_reversals_keep_the_account_that_was_set_then() {
    for has_lots in [false, true] {
        let app = TestApp::start();
        if has_lots {
            app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
                .expect(200);
        }
        app.member("ada", 100);
        let offer = app.offer(json!({"pointsPrice": 5}));
        let target = |name: &str| json!({"redemption_target_type": name});
        for (body, field) in [
            (target("LEDGER_ENTITY"), "redemption_target_type"),
            (
                json!({"redemption_target_entity_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"}),
                "redemption_target_entity_id",
            ),
        ] {
            let message = refused(app.patch(PROGRAM, &body), 400, "bad_request");
            assert!(message.starts_with(field), "{message}");
        }
        let before = spend(&app, "ada", 10).expect(201);
        let shown = set(&app, &target("SYSTEM_BREAKAGE"));
        assert_eq!(shown["redemption_target_type"], "SYSTEM_BREAKAGE");
        let amount = spend(&app, "ada", 20).expect(201);
        let redemption = app.redeem("ada", &offer);
        set(&app, &target("SYSTEM_REDEMPTION"));
        let app = app.restart();
        reverse(&app, "ada", &before, &json!({}));
        reverse(&app, "ada", &amount, &json!({"amount": "5"}));
        cancel(&app, &redemption).expect(200);
        let expected = [
            ("REVERSAL", "SYSTEM_BREAKAGE"),
            ("REVERSAL", "SYSTEM_BREAKAGE"),
            ("REVERSAL", "SYSTEM_REDEMPTION"),
            ("REDEMPTION", "SYSTEM_BREAKAGE"),
            ("REDEMPTION", "SYSTEM_BREAKAGE"),
            ("REDEMPTION", "SYSTEM_REDEMPTION"),
            ("CREDIT", "SYSTEM_ISSUANCE"),
        ];
        let expected = expected.map(|(action, account)| (action.to_owned(), account.to_owned()));
        assert_eq!(accounts(&app), expected);
        // The figures do not depend on the account.
        let summary = app.summary();
        assert_eq!(
            [&summary["pointsSpent"], &summary["pointsRefunded"]],
            [&json!(35), &json!(20)]
        );
        verify(&app);
    }
}

/// The points of the lots that are left, each with its end.
fn lots(app: &TestApp) -> Vec<(String, Value)> {
    lots_of(app, "default")
}

fn lots_of(app: &TestApp, asset: &str) -> Vec<(String, Value)> {
    let path = format!("{}/balances/lots", participant(app, "ada"));
    let query = format!("asset_id={asset}&program_id=current&status=AVAILABLE");
    let list = app.get(&format!("{path}?{query}")).expect(200);
    let rows = list["data"].as_array().unwrap().iter();
    rows.map(|lot| {
        let remaining = lot["remaining"].as_str().unwrap().to_owned();
        (remaining, lot["expires_at"].clone())
    })
    .collect()
}

#[test]
fn points_that_are_returned_after_their_time_live_as_long_as_the_grace() {
    let app = TestApp::start();
    let grace = |text: Value| app.patch(PROGRAM, &json!({"refund_grace": text}));
    let message = refused(grace(json!("72h")), 400, "bad_request");
    assert!(message.contains("/convert"), "{message}");
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    for wrong in ["0h", "72", "3d", "-1h", "1.5h", "87601h", "07h", "h", ""] {
        let message = refused(grace(json!(wrong)), 400, "bad_request");
        assert!(message.starts_with("refund_grace"), "{message}");
    }
    assert_eq!(grace(json!("72h")).expect(200)["refund_grace"], "72h");
    app.member("ada", 0);
    for (amount, end) in [(50, "2026-06-20T12:00:00Z"), (50, "2026-07-20T12:00:00Z")] {
        let body = json!({"externalUserID": "ada", "amount": amount, "expiresAt": end});
        app.post("/v1/wallet/credit", &body).expect(200);
    }
    let made = spend(&app, "ada", 80).expect(201);
    let offer = app.offer(json!({"pointsPrice": 20}));
    let redemption = app.redeem("ada", &offer);
    advance(&app, 10 * DAY);
    // It is 25 June: the second lot goes on as it was, the first one is past its end.
    reverse(&app, "ada", &made, &json!({"amount": "40"}));
    let late = |day: &str| json!(format!("2026-06-{day}T12:00:00Z"));
    let lot = |points: &str, end: Value| (points.to_owned(), end);
    let second = json!("2026-07-20T12:00:00Z");
    assert_eq!(
        lots(&app),
        [lot("30", second.clone()), lot("10", late("28"))]
    );
    advance(&app, DAY);
    reverse(&app, "ada", &made, &json!({"amount": "10"}));
    cancel(&app, &redemption).expect(200);
    assert_eq!(
        lots(&app),
        [
            lot("50", second.clone()),
            lot("10", late("28")),
            lot("10", late("29")),
        ]
    );
    let app = app.restart();
    // Without a grace they expire at once, as an entry of its own.
    set(&app, &json!({"refund_grace": null}));
    reverse(&app, "ada", &made, &json!({"amount": "5"}));
    assert_eq!(app.balance("ada"), 70);
    advance(&app, 3 * DAY);
    assert_eq!(lots(&app), [lot("50", second)]);
    assert_eq!(app.balance("ada"), 50);
    assert_eq!(app.summary()["pointsExpired"], 25);
    verify(&app);
}

/// The points of the program are a sum, and a further asset is in lots.
#[test]
fn a_grace_is_for_whatever_is_in_lots() {
    let app = TestApp::start();
    let grace = || app.patch(PROGRAM, &json!({"refund_grace": "72h"}));
    refused(grace(), 400, "bad_request");
    let asset = json!({"program_id": "current", "name": "Miles", "symbol": "MI", "scale": 0,
        "inventory_mode": "LOT", "issuance_policy": "UNLIMITED"});
    app.post("/v1/assets", &asset).expect(201);
    assert_eq!(grace().expect(200)["refund_grace"], "72h");
}

#[test]
fn a_negative_balance_is_repaid_by_points_with_a_grace() {
    let app = TestApp::start();
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    set(&app, &json!({"refund_grace": "24h"}));
    app.member("ada", 0);
    let end = json!({"externalUserID": "ada", "amount": 50, "expiresAt": "2026-06-20T12:00:00Z"});
    app.post("/v1/wallet/credit", &end).expect(200);
    let made = spend(&app, "ada", 50).expect(201);
    let debit = json!({"program_id": "current", "asset_id": "default", "type": "DEBIT",
        "amount": "20", "allow_negative": true, "description": "x"});
    let path = format!("{}/balances/adjust", participant(&app, "ada"));
    app.post(&path, &debit).expect(200);
    advance(&app, 10 * DAY);
    reverse(&app, "ada", &made, &json!({}));
    assert_eq!(
        lots(&app),
        [("30".to_owned(), json!("2026-06-26T12:00:00Z"))]
    );
    credit(&app, "ada", 1);
    assert_eq!(app.balance("ada"), 31);
    verify(&app);
}

#[test]
fn queries_and_bodies_name_the_keys_own_program_and_asset_by_a_word() {
    let app = TestApp::start();
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 5}));
    try_redeem(&app, "ada", &offer).expect(201);
    let ada = participant(&app, "ada");
    let program = app.get(PROGRAM).expect(200)["id"].clone();
    let asset = app.get("/v1/assets/default").expect(200)["id"].clone();
    let window = "from=2026-06-01T00:00:00Z&to=2026-07-01T00:00:00Z";
    for path in [
        format!("{ada}/balances/lots?asset_id=ASSET&program_id=PROGRAM"),
        format!("{ada}/statement?asset_id=ASSET"),
        format!("{ada}/redemptions?program_id=PROGRAM"),
        "/v1/journal-entries?asset_id=ASSET&program_id=PROGRAM".to_owned(),
        "/v1/reports/ledger-summary?program_id=PROGRAM".to_owned(),
        format!("/v1/reports/expiration-schedule?{window}&program_id=PROGRAM&asset_id=ASSET"),
    ] {
        let ask = |program: &str, asset: &str| {
            app.get(&path.replace("PROGRAM", program).replace("ASSET", asset))
        };
        let by_word = ask("current", "default").expect(200);
        let by_id = ask(program.as_str().unwrap(), asset.as_str().unwrap());
        assert_eq!(by_id.expect(200), by_word, "{path}");
        assert_ne!(by_word["data"], json!([]), "{path}");
        let message = refused(ask("mine", "mine"), 400, "bad_request");
        assert!(
            message.contains("current") || message.contains("default"),
            "{message}"
        );
    }
    let made = spend(&app, "ada", 5).expect(201);
    assert_eq!((&made["program_id"], &made["asset_id"]), (&program, &asset));
}

#[test]
fn the_grace_and_the_account_of_redemptions_also_hold_for_further_assets() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    let body = json!({"program_id": "current", "name": "Miles", "symbol": "MI", "scale": 2,
        "inventory_mode": "LOT", "issuance_policy": "UNLIMITED"});
    let made = app.post("/v1/assets", &body).expect(201);
    let miles = made["id"].as_str().unwrap();
    let asset = format!("/v1/assets/{miles}");
    let message = refused(
        app.patch(&asset, &json!({"status": "SUSPENDED"})),
        400,
        "bad_request",
    );
    assert!(message.starts_with("status"), "{message}");
    let ada = participant(&app, "ada");
    let credit = json!({"program_id": "current", "asset_id": miles, "type": "CREDIT",
        "amount": "12.50", "expires_at": "2026-06-20T12:00:00Z", "description": "A flight"});
    app.post(&format!("{ada}/balances/adjust"), &credit)
        .expect(200);
    let upgrade = json!({"program_id": "current", "asset_id": miles, "amount": "7.25",
        "description": "An upgrade"});
    let settings = json!({"redemption_target_type": "SYSTEM_BREAKAGE", "refund_grace": "72h"});
    set(&app, &settings);
    let spent = app
        .post(&format!("{ada}/redemptions"), &upgrade)
        .expect(201);
    set(
        &app,
        &json!({"redemption_target_type": "SYSTEM_REDEMPTION"}),
    );
    advance(&app, 10 * DAY);
    let reversed = reverse(&app, "ada", &spent, &json!({"amount": "0.75"}));
    assert_eq!(reversed["amount"], "0.75");
    let end = json!("2026-06-28T12:00:00Z");
    assert_eq!(lots_of(&app, miles), [("0.75".to_owned(), end)]);
    let kinds = ["REVERSAL", "EXPIRE", "REDEMPTION"].map(|kind| (kind, "SYSTEM_BREAKAGE"));
    let found = accounts(&app);
    let found = found
        .iter()
        .map(|(kind, account)| (&kind[..], &account[..]));
    assert_eq!(found.take(3).collect::<Vec<_>>(), kinds);
    verify(&app.restart());
}
