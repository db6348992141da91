//! Every route, with a valid request and others for each access check.

use serde_json::{Value, json};
use stampcard::http::{Access, ROUTES};

use super::events::event_rows;
use super::interests::interest_rows;
use super::ledger_rows::ledger_rows;
use super::participants::{balance_rows, participant_rows, state_rows};
use super::partner_rows::{figure_rows, organization_rows, tenant_rows};
use super::rules::rule_rows;
use super::world::World;
use crate::support::{LIVE_KEY, PARTNER_LIVE_KEY, Request, TestApp};

/// A route and the requests to it.
pub(super) struct Row {
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    /// Valid input, which Ada's token may send as well if members may call the route at all.
    pub(super) path: String,
    pub(super) body: Value,
    /// A PNG file that is sent instead of the body.
    pub(super) file: Option<&'static [u8]>,
    /// The body that a member sends instead.
    pub(super) members: Option<Value>,
    pub(super) status: u16,
    /// Texts that the response must contain.
    pub(super) holds: Vec<String>,
    /// The response to the live key for the same request.
    pub(super) live: u16,
    /// Ada's request for an object of Bob's.
    pub(super) others: Option<(String, Value, u16)>,
    /// Invalid input: what the message must name.
    pub(super) bad: Option<(String, Value, u16, &'static str)>,
}

pub(super) fn row(method: &'static str, route: &'static str, path: impl Into<String>) -> Row {
    Row {
        method,
        route,
        path: path.into(),
        body: Value::Null,
        file: None,
        members: None,
        status: 200,
        holds: Vec::new(),
        live: 404,
        others: None,
        bad: None,
    }
}

impl Row {
    /// The key of the live environment that is allowed on the route.
    pub(super) fn live_key(&self) -> &'static str {
        match self.access() {
            Access::PartnerKey => PARTNER_LIVE_KEY,
            _ => LIVE_KEY,
        }
    }

    pub(super) fn body(self, body: Value) -> Self {
        Self { body, ..self }
    }

    pub(super) fn file(self, file: &'static [u8]) -> Self {
        let file = Some(file);
        Self { file, ..self }
    }

    /// The request with this body, or with the file of the row.
    pub(super) fn request(&self, app: &TestApp, body: &Value) -> Request {
        let request = app.request(self.method, &self.path);
        if body.is_null() && self.file.is_none() {
            return request;
        }
        let (kind, bytes) = self.payload(body);
        request.header("Content-Type", kind).raw(bytes)
    }

    /// The media type and the bytes of this body, or of the file of the row.
    pub(super) fn payload(&self, body: &Value) -> (&'static str, Vec<u8>) {
        match self.file {
            Some(file) => ("image/png", file.to_vec()),
            None => ("application/json", body.to_string().into_bytes()),
        }
    }

    pub(super) fn members(self, body: Value) -> Self {
        Self {
            members: Some(body),
            ..self
        }
    }

    /// The body that a member's token sends.
    pub(super) fn members_body(&self) -> &Value {
        self.members.as_ref().unwrap_or(&self.body)
    }

    pub(super) fn gives<const N: usize>(self, status: u16, holds: [&str; N]) -> Self {
        let holds = holds.map(str::to_owned).to_vec();
        Self {
            status,
            holds,
            ..self
        }
    }

    pub(super) fn live(self, live: u16) -> Self {
        Self { live, ..self }
    }

    pub(super) fn others(self, path: impl Into<String>, body: Value, status: u16) -> Self {
        Self {
            others: Some((path.into(), body, status)),
            ..self
        }
    }

    pub(super) fn bad(
        self,
        path: impl Into<String>,
        body: Value,
        status: u16,
        names: &'static str,
    ) -> Self {
        Self {
            bad: Some((path.into(), body, status, names)),
            ..self
        }
    }

    pub(super) fn access(&self) -> Access {
        let route = ROUTES
            .iter()
            .find(|route| route.method == self.method && route.path == self.route);
        route.expect("the row is of a route").access
    }
}

pub(super) fn public_rows() -> Vec<Row> {
    vec![
        row("GET", "/", "/").gives(200, ["<title>Stampcard</title>"]),
        row("GET", "/assets/{digest}/{name}", "/assets/unknown/main.js")
            .gives(404, ["no such asset"]),
        row("GET", "/healthz", "/healthz").gives(200, ["ok"]),
        row("GET", "/readyz", "/readyz").gives(200, ["ready"]),
        row("GET", "/metrics", "/metrics").gives(200, ["# EOF"]),
        row("GET", "/openapi.json", "/openapi.json").gives(200, ["\"3.1.0\""]),
        row("GET", "/docs", "/docs").gives(200, ["<main"]),
        row("GET", "/a/{signature}", "/a/v4.local.AAAA").gives(404, ["no such file"]),
        row("GET", "/docs/{file}", "/docs/page.js").gives(200, ["openapi.json"]),
    ]
}

fn member_rows() -> Vec<Row> {
    let id = "/v1/members/{externalUserID}";
    let long = format!("/v1/members/{}", "x".repeat(256));
    vec![
        row("POST", "/v1/auth/exchange", "/v1/auth/exchange")
            .body(json!({"externalUserID": "eve"}))
            .gives(200, ["accessToken", "v4.local."])
            .live(200)
            .bad("/v1/auth/exchange", json!({}), 422, "externalUserID"),
        row("GET", "/v1/members", "/v1/members")
            .gives(200, ["ada", "bob", "ada@example.com"])
            .live(200)
            .bad("/v1/members?limit=0", Value::Null, 422, "limit"),
        row("GET", "/v1/tiers", "/v1/tiers")
            .gives(200, ["tiers", "total"])
            .live(200),
        row("GET", id, "/v1/members/ada")
            .gives(200, ["Ada Lovelace", "ada@example.com", "redemptionCounts"])
            .bad(&long, Value::Null, 422, "externalUserID"),
        row("PUT", id, "/v1/members/new")
            .body(json!({"tier": "gold"}))
            .gives(200, ["new", "gold"])
            .live(200)
            .bad("/v1/members/new", json!({"tier": 7}), 422, "tier"),
        row("DELETE", id, "/v1/members/zoe")
            .gives(200, ["zoe", "archived"])
            .bad(
                "/v1/members/zoe?retainBalance=1",
                Value::Null,
                422,
                "retainBalance",
            ),
    ]
}

fn wallet_rows() -> Vec<Row> {
    let mut rows = Vec::new();
    for (route, holds) in [
        ("/v1/eligibility", "tier"),
        ("/v1/wallet", "amountReceived"),
        ("/v1/wallet/transactions", "redemptionID"),
    ] {
        rows.push(
            row("GET", route, format!("{route}?externalUserID=ada"))
                .gives(200, [holds])
                .others(format!("{route}?externalUserID=bob"), Value::Null, 403)
                .bad(route, Value::Null, 422, "externalUserID"),
        );
    }
    for route in ["/v1/wallet/credit", "/v1/wallet/debit"] {
        rows.push(
            row("POST", route, route)
                .body(json!({"externalUserID": "ada", "amount": 5}))
                .gives(200, ["balance", "currency"])
                .bad(
                    route,
                    json!({"externalUserID": "ada", "amount": 0}),
                    422,
                    "amount",
                ),
        );
    }
    rows
}

fn offer_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/offers", "/v1/offers/{id}");
    let price = "/v1/offers/{id}/price";
    let path = format!("/v1/offers/{}", world.offer);
    let spare = format!("/v1/offers/{}", world.spare_offers[0]);
    vec![
        row("GET", list, list)
            .gives(200, [&*world.offer, "nextCursor"])
            .live(200)
            .bad("/v1/offers?available=1", Value::Null, 422, "available"),
        row("POST", list, list)
            .body(json!({"title": "New"}))
            .gives(201, ["New", "off_"])
            .live(201)
            .bad(
                list,
                json!({"title": "New", "inclusions": [{"group": "Food"}]}),
                422,
                "inclusions[0].name",
            ),
        row("GET", id, &path)
            .gives(200, [&*world.offer, "pointsPrice"])
            .bad("/v1/offers/%FF", Value::Null, 400, "path"),
        row("PATCH", id, &path)
            .body(json!({"title": "Changed"}))
            .gives(200, [&*world.offer, "Changed"])
            .bad(&path, json!({"pointsPrice": -1}), 422, "pointsPrice"),
        row("PUT", price, format!("{path}/price"))
            .body(json!({"amount": 2.5}))
            .gives(200, [&*world.offer, "AUTHORED"])
            .bad(
                format!("{path}/price"),
                json!({"amount": -1}),
                422,
                "amount",
            ),
        row("DELETE", price, format!("{path}/price"))
            .gives(200, [&*world.offer, "display"])
            .bad("/v1/offers/%FF/price", Value::Null, 400, "path"),
        row("DELETE", id, &spare)
            .gives(200, [&*world.spare_offers[0]])
            .bad("/v1/offers/%FF", Value::Null, 400, "path"),
    ]
}

fn redemption_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/redemptions", "/v1/redemptions/{id}");
    let cancel = "/v1/redemptions/{id}/cancel";
    let path = |id: &str| format!("/v1/redemptions/{id}");
    let (ada, bob) = (path(&world.ada_redemption), path(&world.bob_redemption));
    let spare = format!("{}/cancel", path(&world.spare_redemption));
    let feedback = format!("{}/feedback", path(&world.completed_redemption));
    let redeem = |id: &str| json!({"externalUserID": id, "offer": world.spare_offers[1]});
    vec![
        row("GET", list, "/v1/redemptions?externalUserID=ada")
            .gives(200, [&*world.ada_redemption])
            .others("/v1/redemptions?externalUserID=bob", Value::Null, 403)
            .bad("/v1/redemptions?status=NO", Value::Null, 422, "status"),
        row("POST", list, list)
            .body(redeem("ada"))
            .gives(201, ["SUBMITTED", &*world.spare_offers[1]])
            .others(list, redeem("bob"), 403)
            .bad(list, json!({"externalUserID": "ada"}), 422, "offer"),
        row("GET", id, &ada)
            .gives(200, [&*world.ada_redemption])
            .others(&bob, Value::Null, 404)
            .bad("/v1/redemptions/%FF", Value::Null, 400, "path"),
        row(
            "GET",
            "/v1/redemptions/{id}/history",
            format!("{ada}/history"),
        )
        .gives(200, ["redemption.created", "nextCursor"])
        .bad(format!("{ada}/history?limit=0"), Value::Null, 422, "limit"),
        row("PATCH", id, &ada)
            .body(json!({"status": "OPEN"}))
            .gives(200, ["OPEN", &*world.ada_redemption])
            .bad(&ada, json!({"status": "NO"}), 422, "status"),
        row("PUT", "/v1/redemptions/{id}/feedback", &feedback)
            .body(json!({"rating": 9, "comment": "Fine"}))
            .gives(200, ["submittedAt", "Fine", &*world.completed_redemption])
            .live(403)
            .others(format!("{bob}/feedback"), json!({"rating": 9}), 404)
            .bad(&feedback, json!({"rating": 11}), 422, "rating"),
        row("POST", cancel, &spare)
            .body(json!({}))
            .gives(200, ["CANCELED", &*world.spare_redemption])
            .others(format!("{bob}/cancel"), json!({}), 404)
            .bad(
                &spare,
                json!({"canceledReason": "NO"}),
                422,
                "canceledReason",
            ),
    ]
}

fn program_rows(world: &World) -> Vec<Row> {
    let configuration = "/v1/configuration";
    vec![
        row("GET", configuration, configuration)
            .gives(200, ["currencyName"])
            .live(200),
        row("PUT", configuration, configuration)
            .body(json!({"currencyName": "Miles"}))
            .gives(200, ["Miles"])
            .live(200)
            .bad(
                configuration,
                json!({"currencyName": ""}),
                422,
                "currencyName",
            ),
        row("GET", "/v1/balance", "/v1/balance")
            .gives(200, ["lifetimeSpent", "settlementMode"])
            .live(200),
        row("GET", "/v1/analytics/summary", "/v1/analytics/summary")
            .gives(200, ["memberCount", "completionRate"])
            .live(200),
        row("GET", "/v1/analytics/offers", "/v1/analytics/offers")
            .gives(200, [&*world.offer, "signups"])
            .live(200),
        row(
            "GET",
            "/v1/analytics/timeseries",
            "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23&interval=day",
        )
        .gives(200, ["buckets", "startTime", "pointsMinted"])
        .live(200)
        .bad(
            "/v1/analytics/timeseries?from=2026-06-01&to=2026-06-23",
            Value::Null,
            422,
            "interval",
        ),
        row(
            "GET",
            "/v1/analytics/members",
            "/v1/analytics/members?from=2026-06-01&to=2026-06-23&interval=day",
        )
        .gives(200, ["buckets", "activeBy", "reactivated"])
        .live(200)
        .bad(
            "/v1/analytics/members?from=2026-06-01",
            Value::Null,
            422,
            "to",
        ),
    ]
}

fn terms_rows(world: &World) -> Vec<Row> {
    let (terms, acceptance) = ("/v1/terms", "/v1/terms/acceptance");
    let (document, content) = ("/v1/terms/{type}", "/v1/terms/{version}/content");
    vec![
        row("GET", terms, format!("{terms}?externalUserID=ada"))
            .gives(200, ["documents", &*world.terms])
            .others(format!("{terms}?externalUserID=bob"), Value::Null, 403)
            .bad(
                format!("{terms}?externalUserID="),
                Value::Null,
                422,
                "externalUserID",
            ),
        row("PUT", document, format!("{terms}/TERMS_OF_SERVICE"))
            .body(json!({"contentHTML": "<p>Hello</p>"}))
            .gives(200, ["TERMS_OF_SERVICE", "ldv_"])
            .live(200)
            .bad(
                format!("{terms}/PRIVACY_POLICY"),
                json!({}),
                422,
                "contentHTML",
            ),
        row("GET", content, format!("{terms}/{}/content", world.terms))
            .gives(200, ["contentHTML", "renderedHash"])
            .bad("/v1/terms/%FF/content", Value::Null, 400, "path"),
        row("POST", acceptance, acceptance)
            .body(json!({"versions": [world.terms], "externalUserID": "ada"}))
            .gives(200, ["acceptedAt", &*world.terms])
            .others(
                acceptance,
                json!({"versions": [], "externalUserID": "bob"}),
                403,
            )
            .bad(
                acceptance,
                json!({"versions": 1, "externalUserID": "ada"}),
                422,
                "versions",
            ),
    ]
}

fn key_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/keys", "/v1/keys/{id}");
    vec![
        row("GET", list, list)
            .gives(200, [&*world.spare_key, "keyPrefix", "current"])
            .live(200),
        row("POST", list, list)
            .body(json!({"name": "till"}))
            .gives(201, ["till", "plainKey"])
            .live(201)
            .bad(list, json!({"name": " "}), 422, "name"),
        row("DELETE", id, format!("{list}/{}", world.spare_key))
            .gives(204, [])
            .bad("/v1/keys/%FF", Value::Null, 400, "path"),
    ]
}

fn conversation_rows(world: &World) -> Vec<Row> {
    let list = "/v1/conversations";
    let (one, messages, attachments, stream) = (
        "/v1/conversations/{id}",
        "/v1/conversations/{id}/messages",
        "/v1/conversations/{id}/attachments",
        "/v1/conversations/{id}/stream",
    );
    let ada = |rest: &str| format!("{list}/{}/{rest}", world.ada_conversation);
    let bob = |rest: &str| format!("{list}/{}/{rest}", world.bob_conversation);
    vec![
        row("GET", list, format!("{list}?externalUserID=ada"))
            .gives(200, [&*world.ada_conversation, "support", "booking"])
            .others(format!("{list}?externalUserID=bob"), Value::Null, 403)
            .bad(format!("{list}?waiting=1"), Value::Null, 422, "waiting"),
        row("POST", list, list)
            .body(json!({"externalUserID": "ada", "title": "A coat", "message": "It is here."}))
            .gives(
                201,
                ["cnv_", "support", "A coat", "Ada Lovelace", "It is here."],
            )
            .bad(
                list,
                json!({"externalUserID": "ada", "message": ""}),
                422,
                "message",
            ),
        row("GET", one, format!("{list}/{}", world.ada_conversation))
            .gives(200, [&*world.ada_conversation, "support"])
            .others(
                format!("{list}/{}", world.bob_conversation),
                Value::Null,
                404,
            )
            .bad(format!("{list}/%FF"), Value::Null, 400, "path"),
        row("GET", messages, ada("messages"))
            .gives(200, ["is anybody there", "msg_"])
            .others(bob("messages"), Value::Null, 404)
            .bad(ada("messages?limit=0"), Value::Null, 422, "limit"),
        row("POST", messages, ada("messages"))
            .body(json!({"message": "We are.", "as": "agent"}))
            .members(json!({"message": "Good."}))
            .gives(200, ["ok"])
            .others(bob("messages"), json!({"message": "Hi"}), 404)
            .bad(ada("messages"), json!({"as": "agent"}), 422, "message"),
        row("POST", attachments, ada("attachments?name=a.png"))
            .file(b"\x89PNG\r\n\x1a\n")
            .gives(201, ["msg_", "a.png", "/a/v4.local."])
            .bad(ada("attachments"), json!({}), 422, "Content-Type"),
        row("GET", stream, ada("stream"))
            .gives(200, [": heartbeat"])
            .live(403)
            .others(bob("stream"), Value::Null, 404)
            .bad(format!("{list}/%FF/stream"), Value::Null, 400, "path"),
        row("GET", "/v1/activity/stream", "/v1/activity/stream")
            .gives(200, [": heartbeat"])
            .live(200),
    ]
}

fn webhook_rows(world: &World) -> Vec<Row> {
    let list = "/v1/webhooks";
    let [first, second] = world.webhooks.each_ref().map(|id| format!("{list}/{id}"));
    let hook = json!({"url": "https://1.1.1.1/", "events": ["member.tier_changed"]});
    let redeliver = format!("{first}/deliveries/{}/redeliver", world.delivery);
    vec![
        row("GET", list, list)
            .gives(200, [&*world.webhooks[0], &*world.webhooks[1], "SANDBOX"])
            .live(200),
        row("POST", list, list)
            .body(hook)
            .gives(201, ["whsec_", "wh_"])
            .live(201)
            .bad(
                list,
                json!({"url": "https://1.1.1.1/", "events": []}),
                422,
                "events",
            ),
        row(
            "GET",
            "/v1/webhooks/{id}/deliveries",
            format!("{first}/deliveries"),
        )
        .gives(200, [&*world.delivery, "webhook.test"])
        .bad(
            format!("{first}/deliveries?status=no"),
            Value::Null,
            422,
            "status",
        ),
        row(
            "POST",
            "/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver",
            redeliver,
        )
        .gives(200, [&*world.delivery, "pending"])
        .bad(
            format!("{first}/deliveries/%FF/redeliver"),
            Value::Null,
            400,
            "path",
        ),
        row("POST", "/v1/webhooks/{id}/test", format!("{first}/test"))
            .gives(200, ["webhook.test", "pending"])
            .bad("/v1/webhooks/%FF/test", Value::Null, 400, "path"),
        row("GET", "/v1/webhooks/{id}", &first)
            .gives(200, [&*world.webhooks[0], "member.tier_changed"])
            .bad("/v1/webhooks/%FF", Value::Null, 400, "path"),
        row("PATCH", "/v1/webhooks/{id}", &first)
            .body(json!({"url": "http://127.0.0.1:9/changed"}))
            .gives(200, [&*world.webhooks[0], "/changed"])
            .bad(&first, json!({"disabled": "no"}), 422, "disabled"),
        row("DELETE", "/v1/webhooks/{id}", second)
            .gives(200, [&*world.webhooks[1], "ok"])
            .bad("/v1/webhooks/%FF", Value::Null, 400, "path"),
    ]
}

fn report_rows(world: &World) -> Vec<Row> {
    let (list, id) = ("/v1/programs", "/v1/programs/{id}");
    let report = "/v1/reports/program-activity";
    let own = format!("{list}/{}", world.programs[0]);
    let second = format!("{list}/{}", world.programs[1]);
    vec![
        row("GET", list, list)
            .gives(200, [&*world.programs[0], &*world.programs[1]])
            .live(200)
            .bad("/v1/programs?limit=201", Value::Null, 400, "limit"),
        row("POST", list, list)
            .body(json!({"name": "A third one"}))
            .gives(201, ["A third one", "apiKey"])
            .live(201)
            .bad(list, json!({}), 400, "name"),
        row("GET", id, &own)
            .gives(200, [&*world.programs[0], "ACTIVE"])
            .bad("/v1/programs/%FF", Value::Null, 400, "path"),
        row("PATCH", id, &second)
            .body(json!({"name": "Archived", "status": "ARCHIVED"}))
            .gives(200, ["Archived", "ARCHIVED"])
            .bad(&second, json!({"status": "archived"}), 400, "status"),
        row("GET", report, report)
            .gives(200, ["event_count", &*world.programs[0]])
            .live(200)
            .bad(
                "/v1/reports/program-activity?from=2026-06-01T00:00:00Z",
                Value::Null,
                400,
                "to",
            ),
    ]
}

fn asset_rows() -> Vec<Row> {
    let (list, id) = ("/v1/assets", "/v1/assets/{id}");
    let convert = "/v1/assets/{id}/convert";
    let [own, own_convert] = ["/v1/assets/default", "/v1/assets/default/convert"];
    let of_program = "/v1/programs/{id}/assets";
    let own_program = "/v1/programs/current/assets";
    let [fund, burn] = [
        "/v1/programs/{id}/assets/{assetId}/fund",
        "/v1/programs/{id}/assets/{assetId}/burn",
    ];
    let [own_fund, own_burn] = [
        "/v1/programs/current/assets/default/fund",
        "/v1/programs/current/assets/default/burn",
    ];
    let miles = json!({"program_id": "current", "name": "Miles", "symbol": "MI",
        "inventory_mode": "LOT", "issuance_policy": "UNLIMITED", "scale": 2});
    vec![
        row("GET", list, list)
            .gives(200, ["inventory_mode", "SIMPLE"])
            .live(200)
            .bad("/v1/assets?limit=0", Value::Null, 400, "limit"),
        row("POST", list, list)
            .body(miles)
            .gives(201, ["Miles", "inventory_mode"])
            .live(201)
            .bad(list, json!({"program_id": "current"}), 400, "name"),
        row("GET", of_program, own_program)
            .gives(200, ["inventory_mode", "SIMPLE"])
            .live(200)
            .bad("/v1/programs/other/assets", Value::Null, 404, "program"),
        row("POST", of_program, own_program)
            .body(json!({"asset_id": "default"}))
            .gives(409, ["already_linked"])
            .live(409)
            .bad(own_program, json!({}), 400, "asset_id"),
        row("GET", id, own)
            .gives(200, ["inventory_mode", "is_default"])
            .live(200)
            .bad("/v1/assets/%FF", Value::Null, 400, "path"),
        row("PATCH", id, own)
            .body(json!({"max_transaction_amount": "5000000"}))
            .gives(200, ["max_transaction_amount", "5000000"])
            .live(200)
            .bad(own, json!({"burn_order": "lifo"}), 400, "burn_order"),
        row(
            "GET",
            "/v1/programs/{id}/balance",
            "/v1/programs/current/balance",
        )
        .gives(200, ["data", "pagination"])
        .live(200)
        .bad("/v1/programs/other/balance", Value::Null, 404, "program"),
        row("POST", fund, own_fund)
            .body(json!({"amount": "5"}))
            .gives(200, ["available", "journal_entry_id"])
            .live(200)
            .bad(own_fund, json!({"amount": 5}), 400, "amount"),
        row("POST", burn, own_burn)
            .body(json!({"amount": "5"}))
            .gives(422, ["wallet_empty"])
            .live(422)
            .bad(own_burn, json!({}), 400, "amount"),
        row("POST", convert, own_convert)
            .body(json!({"to": "LOT", "dry_run": true}))
            .gives(200, ["dry_run", "would_expire_first"])
            .live(200)
            .bad(own_convert, json!({"to": "SIMPLE"}), 400, "to"),
    ]
}

fn sandbox_rows() -> Vec<Row> {
    let (clock, reset) = ("/v1/sandbox/clock", "/v1/sandbox/reset");
    vec![
        row("GET", clock, clock)
            .gives(200, ["now", "aheadSeconds"])
            .live(403),
        row("POST", clock, clock)
            .body(json!({"advanceSeconds": 60}))
            .gives(200, ["now", "2026-06-15T12:01"])
            .live(403)
            .bad(clock, json!({"advanceSeconds": 0}), 422, "advanceSeconds"),
        row("POST", reset, reset)
            .body(json!({}))
            .gives(200, ["programId"])
            .live(403)
            .bad(reset, json!([]), 422, "the body"),
    ]
}

pub(super) fn table(world: &World) -> Vec<Row> {
    let mut rows = public_rows();
    rows.extend(member_rows());
    rows.extend(wallet_rows());
    rows.extend(asset_rows().into_iter().chain(rule_rows(world)));
    rows.extend(event_rows(world));
    rows.extend(offer_rows(world));
    rows.extend(redemption_rows(world));
    rows.extend(interest_rows(world));
    rows.extend(terms_rows(world));
    rows.extend(key_rows(world));
    rows.extend(conversation_rows(world));
    rows.extend(webhook_rows(world));
    rows.extend(program_rows(world));
    rows.extend(participant_rows(world));
    rows.extend(state_rows(world));
    rows.extend(balance_rows(world));
    rows.extend(report_rows(world));
    rows.extend(ledger_rows(world));
    rows.extend(figure_rows());
    rows.extend(organization_rows(world));
    rows.extend(tenant_rows(world));
    // Comes last, because it removes everything from the program.
    rows.extend(sandbox_rows());
    rows
}
