use std::collections::BTreeMap;

use insta::{assert_json_snapshot, dynamic_redaction};
use serde_json::{Value, json};
use stampcard::error::{Code, Surface};

use crate::client::{
    call, cancel, get_as, live, move_to, organization, partner, partner_get, post_as, post_once,
    try_redeem,
};
use crate::support::{PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// Replaces an id, after checking that it is the prefix and a UUID of version 7.
fn id(prefix: &'static str) -> insta::internals::Redaction {
    dynamic_redaction(move |value, path| {
        let text = value.as_str().expect("an id is a string");
        let digits = text.strip_prefix(prefix).expect("an id has its prefix");
        let uuid = uuid::Uuid::try_parse(digits).expect("a UUID follows");
        assert_eq!(uuid.get_version_num(), 7, "{path}");
        assert_eq!(uuid.to_string(), digits, "{path}: lower case with hyphens");
        format!("[{prefix}…]")
    })
}

/// Replaces the code of a redemption, after checking its form.
fn code() -> insta::internals::Redaction {
    dynamic_redaction(|value, _| {
        let text = value.as_str().expect("a code is a string");
        let is_plain = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit();
        assert!(text.len() == 8 && text.chars().all(is_plain), "{text}");
        "[code]"
    })
}

/// Replaces a member token, after checking that it is a PASETO.
fn token() -> insta::internals::Redaction {
    dynamic_redaction(|value, _| {
        let text = value.as_str().expect("a token is a string");
        let sealed = text.strip_prefix("v4.local.").expect("a PASETO v4.local");
        let is_base64url = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        assert!(sealed.len() > 100 && sealed.chars().all(is_base64url));
        "[v4.local.…]"
    })
}

/// Replaces a cursor, after checking that it needs no encoding in a query.
fn cursor() -> insta::internals::Redaction {
    dynamic_redaction(|value, _| {
        let text = value.as_str().expect("a cursor is a string");
        assert!(!text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric()));
        "[cursor]"
    })
}

/// Ada with a complete profile, 70 points and a redemption of a complete offer.
struct Story {
    app: TestApp,
    token: String,
    offer: String,
    redemption: String,
}

fn story() -> Story {
    let app = TestApp::start();
    let profile = json!({
        "displayName": "Ada Lovelace", "tier": "gold",
        "attributes": {"plan": "annual", "region": "eu"},
    });
    app.put("/v1/members/ada", &profile).expect(200);
    let credit = json!({"externalUserID": "ada", "amount": 100, "reason": "welcome bonus"});
    app.post("/v1/wallet/credit", &credit).expect(200);
    let offer = app.offer(json!({
        "title": "Dinner", "description": "Five courses", "shortDescription": "Dinner",
        "disclaimer": "Without drinks.", "pointsPrice": 30, "valueUSD": 64.5,
        "availableFrom": "2026-06-01T00:00:00Z", "expiresAt": "2026-12-01T00:00:00Z",
        "redemptionLimit": {"perMember": 1, "per": "ever"}, "maxGuests": 6,
        "inclusions": [{"group": "Food", "name": "Soup"}],
        "location": {"display": "Harbour Café, Athens", "city": "Athens", "countryCode": "GR"},
        "images": ["https://example.com/1.png"], "availability": {"quantityRemaining": 5},
        "startAt": "2026-12-24T18:00:00Z", "endAt": "2026-12-24T22:00:00Z", "tiers": ["gold"],
    }));
    let redemption = app.redeem("ada", &offer);
    Story {
        token: app.token("ada"),
        app,
        offer,
        redemption,
    }
}

#[test]
fn a_token_grant_has_exactly_two_fields() {
    let app = TestApp::start();
    let grant = app
        .post("/v1/auth/exchange", &json!({"externalUserID": "ada"}))
        .expect(200);
    assert_json_snapshot!("token_grant", grant, {".accessToken" => token()});
}

#[test]
fn a_set_member_response_has_exactly_four_fields() {
    let app = TestApp::start();
    let bare = app.put("/v1/members/ada", &json!({})).expect(200);
    assert_json_snapshot!("set_member_bare", bare);
    let profile = json!({"displayName": "Ada", "tier": "gold", "attributes": {"a": [1, null]}});
    let full = app.put("/v1/members/ada", &profile).expect(200);
    assert_json_snapshot!("set_member_full", full);
}

#[test]
fn a_member_summary_has_the_profile_the_wallet_and_upper_case_counts() {
    let Story { app, .. } = story();
    let summary = app.get("/v1/members/ada").expect(200);
    assert_json_snapshot!("member_summary", summary);
    app.delete("/v1/members/ada").expect(200);
    let archived = app.get("/v1/members/ada?includeArchived=true").expect(200);
    assert_json_snapshot!("member_summary_archived", archived);
}

#[test]
fn a_page_of_members_has_members_and_the_next_cursor() {
    let Story { app, .. } = story();
    app.member("bob", 0);
    let page = app.get("/v1/members?limit=1").expect(200);
    assert_json_snapshot!("members", page, {".nextCursor" => cursor()});
}

#[test]
fn a_remove_member_response_has_exactly_three_fields() {
    let Story { app, .. } = story();
    let removed = app.delete("/v1/members/ada?retainBalance=true").expect(200);
    assert_json_snapshot!("remove_member", removed);
}

#[test]
fn wallet_and_eligibility() {
    let Story { app, token, .. } = story();
    assert_json_snapshot!("wallet", get_as(&app, &token, "/v1/wallet").expect(200));
    assert_json_snapshot!(
        "eligibility",
        get_as(&app, &token, "/v1/eligibility").expect(200)
    );
}

#[test]
fn credit_and_debit_answer_with_balance_and_currency() {
    let Story { app, .. } = story();
    let body = json!({"externalUserID": "ada", "amount": 7});
    assert_json_snapshot!("credit", app.post("/v1/wallet/credit", &body).expect(200));
    assert_json_snapshot!("debit", app.post("/v1/wallet/debit", &body).expect(200));
}

#[test]
fn a_page_of_transactions() {
    let Story {
        app,
        token,
        redemption,
        ..
    } = story();
    cancel(&app, &redemption).expect(200);
    let page = get_as(&app, &token, "/v1/wallet/transactions").expect(200);
    assert_json_snapshot!("transactions", page, {
        ".transactions[].id" => id("txn_"),
        ".transactions[0:2].redemptionID" => id("rdm_"),
    });
    let page = get_as(&app, &token, "/v1/wallet/transactions?limit=1").expect(200);
    assert_json_snapshot!("transactions_first_page", page, {
        ".transactions[].id" => id("txn_"),
        ".transactions[].redemptionID" => id("rdm_"),
        ".nextCursor" => cursor(),
    });
}

#[test]
fn offers_and_a_page_of_them_under_data() {
    let Story {
        app, token, offer, ..
    } = story();
    let bare = app
        .post("/v1/offers", &json!({"title": "A walk"}))
        .expect(201);
    assert_json_snapshot!("offer_bare", bare, {".id" => id("off_")});
    let full = app.get(&format!("/v1/offers/{offer}")).expect(200);
    assert_json_snapshot!("offer_full", full, {".id" => id("off_")});
    let page = get_as(&app, &token, "/v1/offers").expect(200);
    assert_json_snapshot!("offers", page, {".data[].id" => id("off_")});
    let archived = app.delete(&format!("/v1/offers/{offer}")).expect(200);
    assert_json_snapshot!("offer_archived", archived, {".id" => id("off_")});
}

#[test]
fn redemptions_and_a_page_of_them() {
    let Story {
        app,
        token,
        redemption,
        ..
    } = story();
    let body = json!({"offer": app.offer(json!({}))});
    let new = post_as(&app, &token, "/v1/redemptions", &body).expect(201);
    assert_json_snapshot!("redemption_new", new, {
        ".id" => id("rdm_"),
        ".offer" => id("off_"),
        ".conversationId" => id("cnv_"),
        ".code" => code(),
    });
    let path = format!("/v1/redemptions/{redemption}");
    let body = json!({
        "status": "CANCELED", "canceledReason": "VENDOR_DECLINED", "canceledNote": "Closed.",
        "startAt": "2026-12-24T18:00:00Z", "endAt": "2026-12-24T22:00:00Z",
    });
    let canceled = app.patch(&path, &body).expect(200);
    assert_json_snapshot!("redemption_canceled", canceled, {
        ".id" => id("rdm_"),
        ".offer" => id("off_"),
        ".conversationId" => id("cnv_"),
        ".code" => code(),
    });
    let page = get_as(&app, &token, "/v1/redemptions").expect(200);
    assert_json_snapshot!("redemptions", page, {
        ".redemptions[].id" => id("rdm_"),
        ".redemptions[].offer" => id("off_"),
        ".redemptions[].conversationId" => id("cnv_"),
        ".redemptions[].code" => code(),
    });
}

#[test]
fn the_configuration() {
    let app = TestApp::start();
    assert_json_snapshot!("configuration", app.get("/v1/configuration").expect(200));
    let body = json!({"currencyName": "Miles", "currencySymbol": "mi", "defaultTier": "bronze"});
    let set = app.put("/v1/configuration", &body).expect(200);
    assert_json_snapshot!("configuration_set", set);
}

#[test]
fn the_summary_has_lower_case_statuses_and_their_total() {
    let Story {
        app, redemption, ..
    } = story();
    move_to(&app, &redemption, "COMPLETED").expect(200);
    app.redeem("ada", &app.offer(json!({"pointsPrice": 5})));
    assert_json_snapshot!("analytics_summary", app.summary());
}

#[test]
fn the_figures_of_offers_name_them_by_offer_id() {
    let Story { app, .. } = story();
    app.offer(json!({}));
    let figures = app.get("/v1/analytics/offers").expect(200);
    assert_json_snapshot!("analytics_offers", figures, {".offers[].offerId" => id("off_")});
}

#[test]
fn the_buckets_of_a_timeseries_have_numbers_for_times() {
    let Story { app, .. } = story();
    let path = "/v1/analytics/timeseries?from=2026-06-15&to=2026-06-16T06:00:00Z&interval=day";
    assert_json_snapshot!("analytics_timeseries", app.get(path).expect(200));
}

#[test]
fn the_buckets_of_a_timeseries_have_text_for_times_if_so_set() {
    let app = TestApp::start_with(|settings| {
        settings.analytics.bucket_time = stampcard::config::BucketTime::Rfc3339;
    });
    app.member("ada", 100);
    let path = "/v1/analytics/timeseries?from=2026-06-15&to=2026-06-16T06:00:00Z&interval=day";
    assert_json_snapshot!("analytics_timeseries_rfc3339", app.get(path).expect(200));
}

#[test]
fn the_sandbox_tells_its_time_and_its_new_program() {
    let app = TestApp::start();
    let clock = app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 60}));
    assert_json_snapshot!("sandbox_clock", clock.expect(200));
    let reset = app.post("/v1/sandbox/reset", &Value::Null).expect(200);
    assert_json_snapshot!("sandbox_reset", reset, {".programId" => uuid()});
}

#[test]
fn health_and_readiness() {
    let app = TestApp::start();
    let get = |path: &str| app.request("GET", path).send().expect(200);
    let version = || {
        dynamic_redaction(|value, _| {
            assert_eq!(value.as_str(), Some(env!("CARGO_PKG_VERSION")));
            "[version]"
        })
    };
    assert_json_snapshot!("healthz", get("/healthz"), {".version" => version()});
    assert_json_snapshot!("readyz", get("/readyz"), {".version" => version()});
}

/// A credit in a live program whose organization has an empty pool.
fn in_live(mode: &str) -> crate::support::Response {
    let app = TestApp::start();
    let list = get_as(&app, PARTNER_LIVE_KEY, "/partner/organizations").expect(200);
    let id = list["organizations"][0]["id"].as_str().unwrap();
    let path = format!("/partner/organizations/{id}/pool");
    let body = json!({"settlementMode": mode});
    call(&app, PARTNER_LIVE_KEY, "PUT", &path, &body).expect(200);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let credit = json!({"externalUserID": "lea", "amount": 1});
    live(&app, "POST", "/v1/wallet/credit", &credit)
}

/// A credit of points that the wallet of the program does not have.
fn from_empty_wallet() -> crate::support::Response {
    let app = TestApp::start();
    let policy = json!({"issuance_policy": "PREFUNDED"});
    app.patch("/v1/assets/default", &policy).expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    let credit = json!({"externalUserID": "ada", "amount": 1});
    app.post("/v1/wallet/credit", &credit)
}

/// One error of each code that a client can cause.
fn errors() -> BTreeMap<String, Value> {
    let Story {
        app,
        token,
        offer,
        redemption,
    } = story();
    app.member("bob", 5);
    let dear = app.offer(json!({"pointsPrice": 30}));
    let credit = |amount: u64| json!({"externalUserID": "ada", "amount": amount});
    post_once(&app, "k", "/v1/wallet/credit", &credit(1)).expect(200);
    move_to(&app, &redemption, "COMPLETED").expect(200);
    let open = app.redeem("ada", &app.offer(json!({"pointsPrice": 0})));
    let feedback = format!("/v1/redemptions/{open}/feedback");
    let raw = |body: String| {
        let request = app.request("POST", "/v1/wallet/credit").bearer(SANDBOX_KEY);
        request.raw(body).send()
    };
    let webhook =
        |url: &str, event: &str| app.post("/v1/webhooks", &json!({"url": url, "events": [event]}));
    for _ in 0..10 {
        webhook("https://example.com/", "member.removed").expect(201);
    }
    let interest = json!({"offer": offer, "externalUserID": "ada"});
    let interest = app.post("/v1/interests", &interest).expect(201);
    let intake = format!("/v1/interests/{}/intake", interest["id"].as_str().unwrap());
    // Nothing listens there.
    let nowhere = json!({"conciergeWebhook": {"url": "http://127.0.0.1:9/"}});
    app.put("/v1/configuration", &nowhere).expect(200);
    let hurried = TestApp::start_with(|settings| settings.rate_limit.sandbox_per_minute = 10);
    hurried.get("/v1/configuration").expect(200);
    let full = TestApp::start_with(|settings| settings.limits.programs_each_max = 1);
    let stale = app.request("PUT", "/v1/members/ada").bearer(SANDBOX_KEY);
    let keys = app.get("/v1/keys").expect(200);
    let own = format!("/v1/keys/{}", keys["keys"][0]["id"].as_str().unwrap());
    let priced = format!("/v1/offers/{offer}/price");
    app.put(&priced, &json!({"amount": 3})).expect(200);
    let responses = [
        in_live("MEMBER_WALLET"),
        in_live("ORG_POOL"),
        from_empty_wallet(),
        app.put("/v1/configuration", &json!({"ratePerPoint": 1})),
        app.delete(&own),
        call(&app, &token, "PUT", &intake, &json!({"dietary": "none"})),
        stale.header("If-Match", "\"0\"").json(&json!({})).send(),
        webhook("https://example.com/", "member.renamed"),
        webhook("ftp://example.com/", "member.removed"),
        webhook("https://example.com/", "member.removed"),
        hurried.get("/v1/configuration"),
        full.post("/v1/sandbox/reset", &json!({})),
        raw("{".to_owned()),
        app.request("GET", "/v1/wallet").send(),
        get_as(&app, &token, "/v1/members"),
        app.get("/v1/members/nobody"),
        call(&app, SANDBOX_KEY, "PATCH", "/v1/wallet", &Value::Null),
        post_once(&app, "k", "/v1/wallet/credit", &credit(2)),
        try_redeem(&app, "ada", &offer),
        move_to(&app, &redemption, "OPEN"),
        call(&app, &token, "PUT", &feedback, &json!({"rating": 9})),
        raw(" ".repeat(262_145)),
        raw(credit(0).to_string()),
        try_redeem(&app, "bob", &dear),
        try_redeem(&app, "bob", &offer),
    ];
    let entry = |response: crate::support::Response| {
        let body = response.json();
        let code = body["error"]["code"].as_str().unwrap().to_owned();
        (code, json!({"status": response.status, "body": body}))
    };
    responses.into_iter().map(entry).collect()
}

#[test]
fn there_is_one_error_of_each_code() {
    let errors = errors();
    let out_of_reach = [Code::Internal, Code::StorageUnavailable, Code::Overloaded];
    // Codes that only the other surfaces have.
    let elsewhere = [
        Code::AllocationTooLarge,
        Code::AlreadyLots,
        Code::AlreadyLinked,
        Code::SymbolTaken,
        Code::AssetArchived,
        Code::ParticipantInactive,
        Code::ProgramInactive,
        Code::OrderConflict,
        Code::RuleArchived,
        Code::ExternalIdTaken,
        Code::InvalidScale,
        Code::AmountTooLarge,
    ];
    let not_here = |code: &Code| out_of_reach.contains(code) || elsewhere.contains(code);
    for code in Code::ALL.iter().filter(|code| !not_here(code)) {
        let (status, name) = code.on(Surface::Expys);
        let found = errors
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no example"));
        assert_eq!(found["status"], status, "{name}");
    }
    assert_eq!(
        errors.len() + out_of_reach.len() + elsewhere.len(),
        Code::ALL.len()
    );
    assert_json_snapshot!("errors", errors);
}

/// Replaces a UUID of version 4.
fn uuid() -> insta::internals::Redaction {
    dynamic_redaction(|value, path| {
        let text = value.as_str().expect("an id is a string");
        let uuid = uuid::Uuid::try_parse(text).expect("a UUID");
        assert_eq!(uuid.get_version_num(), 4, "{path}");
        assert_eq!(uuid.to_string(), text, "{path}: lower case with hyphens");
        "[uuid]"
    })
}

/// Replaces a new Org-API-Key of the sandbox, after checking its length and randomness.
fn key() -> insta::internals::Redaction {
    dynamic_redaction(|value, _| {
        let text = value.as_str().expect("a key is a string");
        let random = text.strip_prefix("expys_sandbox_").expect("an org key");
        assert!(random.len() >= 48 && random.chars().all(|c| c.is_ascii_hexdigit()));
        "[expys_sandbox_…]"
    })
}

/// Replaces the first characters of a key.
fn prefix() -> insta::internals::Redaction {
    dynamic_redaction(|value, _| {
        let text = value.as_str().expect("a prefix is a string");
        let shown = text.strip_prefix("expys_sandbox_").expect("an org key");
        assert!(shown.len() <= 8);
        "[expys_sandbox_ and a little more]"
    })
}

#[test]
fn programs_and_a_page_of_them() {
    let app = TestApp::start();
    let made = app
        .post("/v1/programs", &json!({"name": "Q1 Sales Bonus"}))
        .expect(201);
    let path = format!("/v1/programs/{}", made["id"].as_str().unwrap());
    assert_json_snapshot!("program_created", made, {".id" => uuid(), ".apiKey" => key()});
    let program = app.get(&path).expect(200);
    assert_json_snapshot!("program", program, {".id" => uuid()});
    let page = app.get("/v1/programs?limit=1").expect(200);
    assert_json_snapshot!("programs", page, {
        ".data[].id" => uuid(),
        ".pagination.next_cursor" => cursor(),
    });
    app.clock.advance(std::time::Duration::from_millis(1));
    let archived = app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    assert_json_snapshot!("program_archived", archived, {".id" => uuid()});
    let page = app.get("/v1/programs").expect(200);
    assert_json_snapshot!("programs_last_page", page, {".data[].id" => uuid()});
}

#[test]
fn a_row_of_program_activity_has_exactly_twelve_fields() {
    let Story { app, .. } = story();
    app.post("/v1/programs", &json!({"name": "Quiet"}))
        .expect(201);
    let report = app.get("/v1/reports/program-activity").expect(200);
    for row in report["data"].as_array().unwrap() {
        assert_eq!(row.as_object().unwrap().len(), 12);
    }
    assert_json_snapshot!("program_activity", report, {".data[].program_id" => uuid()});
}

#[test]
fn organizations_and_a_page_of_them() {
    let app = TestApp::start();
    let body = json!({
        "name": "Acme", "externalId": "acme-1", "metadata": {"plan": "annual"},
        "initialCredits": 500,
    });
    let made = partner(&app, "POST", "/partner/organizations", &body).expect(201);
    let id = made["organization"]["id"].as_str().unwrap().to_owned();
    assert_json_snapshot!("organization_created", made, {
        ".organization.id" => uuid(), ".apiKey" => key(),
    });
    let one = partner_get(&app, &format!("/partner/organizations/{id}"));
    assert_json_snapshot!("organization", one, {".organization.id" => uuid()});
    let page = partner_get(&app, "/partner/organizations");
    assert_json_snapshot!("organizations", page, {".organizations[].id" => uuid()});
    let path = format!("/partner/organizations/{id}/credits");
    let body = json!({"credits": 400, "notes": "for June"});
    let allocation = partner(&app, "PUT", &path, &body).expect(200);
    assert_json_snapshot!("allocation", allocation, {
        ".allocation.id" => uuid(),
        ".allocation.partnerId" => uuid(),
        ".allocation.organizationId" => uuid(),
    });
    let too_much = partner(&app, "PUT", &path, &json!({"credits": 501})).expect(422);
    assert_json_snapshot!("allocation_too_large", too_much);
}

#[test]
fn the_keys_of_an_organization() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Acme"}));
    let path = tenant.path("/api-keys");
    let made = partner(&app, "POST", &path, &json!({"name": "Till"})).expect(201);
    assert_json_snapshot!("api_key_created", made, {
        ".plainKey" => key(),
        ".apiKey.id" => uuid(),
        ".apiKey.programId" => uuid(),
        ".apiKey.keyPrefix" => prefix(),
    });
    let list = partner_get(&app, &path);
    assert_json_snapshot!("api_keys", list, {
        ".apiKeys[].id" => uuid(),
        ".apiKeys[].programId" => uuid(),
        ".apiKeys[].keyPrefix" => prefix(),
    });
}

#[test]
fn the_partners_figures() {
    let Story { app, .. } = story();
    let figures = partner_get(&app, "/partner/analytics");
    assert_json_snapshot!("partner_analytics", figures, {".partnerId" => uuid()});
    assert_json_snapshot!("partner_usage", partner_get(&app, "/partner/usage"));
    let billing = partner_get(&app, "/partner/billing");
    assert_json_snapshot!("billing", billing, {".partnerId" => uuid()});
    let usage = partner_get(&app, "/partner/billing/usage");
    assert_json_snapshot!("billing_usage", usage, {
        ".organizations[].organizationId" => uuid(),
    });
}

#[test]
fn each_surface_has_its_own_envelope() {
    let app = TestApp::start();
    let mut bodies = BTreeMap::new();
    for path in ["/v1/nothing", "/v1/programs/x/y/z", "/partner/nothing/here"] {
        bodies.insert(path, app.request("GET", path).send().expect(404));
    }
    assert_json_snapshot!("envelopes", bodies);
}
