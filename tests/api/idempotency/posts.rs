//! Every POST, for the tests that repeat each.

use serde_json::{Value, json};

use super::CREDIT;
use crate::client::{organization, support};
use crate::scrip_posts::ScripPosts;
use crate::support::{PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// The body that creates a webhook, the path of a webhook so created, and the id of a delivery to
/// it. No request here causes an event that it subscribes to.
fn webhook_with_delivery(app: &TestApp) -> (Value, String, String) {
    let body = json!({"url": "http://127.0.0.1:9/", "events": ["member.tier_changed"]});
    let made = app.post("/v1/webhooks", &body).expect(201);
    let path = format!("/v1/webhooks/{}", made["id"].as_str().unwrap());
    let tried = app.post(&format!("{path}/test"), &Value::Null).expect(200);
    (body, path, tried["id"].as_str().unwrap().to_owned())
}

/// Every POST: its sender, path and body; the expected status; the field with a secret.
#[expect(clippy::too_many_lines, reason = "a table: a row for every POST")]
pub(super) fn posts(app: &TestApp) -> Vec<(&'static str, String, Value, u16, &'static str)> {
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &app.offer(json!({"pointsPrice": 5})));
    let ada = |amount: u64| json!({"externalUserID": "ada", "amount": amount});
    let named = |name: &str| json!({"name": name});
    let tenant = organization(app, PARTNER_SANDBOX_KEY, &named("A tenant"));
    let redeem = json!({"externalUserID": "ada", "offer": offer});
    let (hook, webhook, delivery) = webhook_with_delivery(app);
    let html = json!({"contentHTML": "<p>Be kind.</p>"});
    let terms = app.put("/v1/terms/TERMS_OF_SERVICE", &html).expect(200);
    let scrip = ScripPosts::new(app);
    let rows = [
        (
            SANDBOX_KEY,
            "/v1/auth/exchange",
            json!({"externalUserID": "ada"}),
            200,
            "accessToken",
        ),
        (SANDBOX_KEY, CREDIT, ada(5), 200, ""),
        (SANDBOX_KEY, "/v1/wallet/debit", ada(5), 200, ""),
        (
            SANDBOX_KEY,
            "/v1/offers",
            json!({"title": "An offer"}),
            201,
            "",
        ),
        (SANDBOX_KEY, "/v1/redemptions", redeem, 201, ""),
        (SANDBOX_KEY, &scrip.redemptions, scrip.spend, 201, ""),
        (SANDBOX_KEY, &scrip.items, scrip.reward, 201, ""),
        (
            SANDBOX_KEY,
            &scrip.reverse,
            json!({"reason": "cold"}),
            201,
            "",
        ),
        (
            SANDBOX_KEY,
            &format!("/v1/redemptions/{redemption}/cancel"),
            json!({}),
            200,
            "",
        ),
        (
            SANDBOX_KEY,
            &format!("/v1/conversations/{}/messages", support(app, "ada")),
            json!({"message": "Good morning", "as": "agent"}),
            200,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/conversations",
            json!({"externalUserID": "ada", "message": "Good morning"}),
            201,
            "",
        ),
        (SANDBOX_KEY, "/v1/webhooks", hook, 201, "signingSecret"),
        (SANDBOX_KEY, &format!("{webhook}/test"), json!({}), 200, ""),
        (
            SANDBOX_KEY,
            &format!("{webhook}/deliveries/{delivery}/redeliver"),
            json!({}),
            200,
            "",
        ),
        (SANDBOX_KEY, "/v1/programs", named("More"), 201, "apiKey"),
        (SANDBOX_KEY, "/v1/keys", named("Till"), 201, "plainKey"),
        (
            PARTNER_SANDBOX_KEY,
            "/partner/organizations",
            named("New"),
            201,
            "apiKey",
        ),
        (
            PARTNER_SANDBOX_KEY,
            &tenant.path("/api-keys"),
            named("Another"),
            201,
            "plainKey",
        ),
        (
            PARTNER_SANDBOX_KEY,
            &tenant.path("/pool/fund"),
            json!({"amount": 5}),
            201,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/interests",
            json!({"externalUserID": "ada", "offer": offer}),
            201,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/terms/acceptance",
            json!({"externalUserID": "ada", "versions": [terms["version"]]}),
            200,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/assets",
            json!({"program_id": "current", "name": "Miles", "symbol": "MI",
                "inventory_mode": "SIMPLE", "issuance_policy": "UNLIMITED", "scale": 0}),
            201,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/programs/current/assets",
            json!({"asset_id": "default"}),
            409,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/programs/current/assets/default/fund",
            json!({"amount": "5"}),
            200,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/programs/current/assets/default/burn",
            json!({"amount": "5"}),
            422,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/assets/default/convert",
            json!({"to": "LOT"}),
            200,
            "",
        ),
        (
            SANDBOX_KEY,
            "/v1/sandbox/clock",
            json!({"advanceSeconds": 60}),
            200,
            "",
        ),
        (
            PARTNER_SANDBOX_KEY,
            "/partner/clock/accept",
            json!({}),
            200,
            "",
        ),
        // Comes last, because it removes everything from the program.
        (SANDBOX_KEY, "/v1/sandbox/reset", json!({}), 200, ""),
    ];
    let rows =
        rows.map(|(who, path, body, status, secret)| (who, path.to_owned(), body, status, secret));
    let mut rows = rows.to_vec();
    rows.splice(..0, crate::balances::posts(app));
    rows.splice(..0, crate::rules::posts(app));
    rows
}
