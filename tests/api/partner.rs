use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    call, cancel, credit, encode, exchange, get_as, live, number, organization, partner,
    partner_error, partner_get, post_as, post_once, program, rows, try_redeem,
};
use crate::support::{
    LIVE_KEY, NOW, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const ANALYTICS: &str = "/partner/analytics";
const USAGE: &str = "/partner/usage";
const DATED: [&str; 2] = [ANALYTICS, USAGE];
const FIGURES: [&str; 4] = [
    ANALYTICS,
    USAGE,
    "/partner/billing",
    "/partner/billing/usage",
];

/// The first and the last day in a response.
#[track_caller]
fn days(app: &TestApp, path: &str) -> [String; 2] {
    let body = partner_get(app, path);
    ["startDate", "endDate"].map(|name| body[name].as_str().unwrap().to_owned())
}

/// One number of a response.
#[track_caller]
fn figure(app: &TestApp, path: &str, name: &str) -> i64 {
    let body = partner_get(app, path);
    let found = body[name].as_i64();
    found.unwrap_or_else(|| panic!("{name} in {body}"))
}

/// All four responses of an environment.
fn figures(app: &TestApp, partner_key: &str) -> Vec<String> {
    let text = |path: &&str| {
        let response = get_as(app, partner_key, path);
        assert_eq!(response.status, 200);
        response.text()
    };
    FIGURES.iter().map(text).collect()
}

#[test]
fn days_default_to_the_last_30_and_to_this_month() {
    // The time, and the start and end of the two responses.
    for (now, analytics, usage) in [
        (NOW, "2026-05-16 2026-06-15", "2026-06-01 2026-06-15"),
        (
            "2026-06-15T23:59:59.999Z",
            "2026-05-16 2026-06-15",
            "2026-06-01 2026-06-15",
        ),
        (
            "2026-06-16T00:00:00Z",
            "2026-05-17 2026-06-16",
            "2026-06-01 2026-06-16",
        ),
        (
            "2026-06-30T23:59:59.999Z",
            "2026-05-31 2026-06-30",
            "2026-06-01 2026-06-30",
        ),
        (
            "2026-07-01T00:00:00Z",
            "2026-06-01 2026-07-01",
            "2026-07-01 2026-07-01",
        ),
        (
            "2024-02-29T23:59:59.999Z",
            "2024-01-30 2024-02-29",
            "2024-02-01 2024-02-29",
        ),
        (
            "2024-03-01T00:00:00Z",
            "2024-01-31 2024-03-01",
            "2024-03-01 2024-03-01",
        ),
        (
            "2024-03-30T12:00:00Z",
            "2024-02-29 2024-03-30",
            "2024-03-01 2024-03-30",
        ),
        (
            "2025-03-01T12:00:00Z",
            "2025-01-30 2025-03-01",
            "2025-03-01 2025-03-01",
        ),
        (
            "2025-12-31T23:59:59.999Z",
            "2025-12-01 2025-12-31",
            "2025-12-01 2025-12-31",
        ),
        (
            "2026-01-01T00:00:00Z",
            "2025-12-02 2026-01-01",
            "2026-01-01 2026-01-01",
        ),
    ] {
        let app = TestApp::start_at(now, |_| ());
        assert_eq!(days(&app, ANALYTICS).join(" "), analytics, "{now}");
        assert_eq!(days(&app, USAGE).join(" "), usage, "{now}");
        let billing = partner_get(&app, "/partner/billing");
        let month = format!("{}-01T00:00:00.000Z", &now[..7]);
        assert_eq!(billing["billingPeriodStart"], month);
    }
}

#[test]
fn a_missing_side_takes_its_default() {
    let app = TestApp::start();
    for (query, analytics, usage) in [
        ("", "2026-05-16 2026-06-15", "2026-06-01 2026-06-15"),
        (
            "?startDate=2024-02-29",
            "2024-02-29 2026-06-15",
            "2024-02-29 2026-06-15",
        ),
        (
            "?endDate=2026-06-03",
            "2026-05-16 2026-06-03",
            "2026-06-01 2026-06-03",
        ),
        (
            "?endDate=2027-01-01",
            "2026-05-16 2027-01-01",
            "2026-06-01 2027-01-01",
        ),
        (
            "?startDate=2026-06-15",
            "2026-06-15 2026-06-15",
            "2026-06-15 2026-06-15",
        ),
        (
            "?startDate=2027-01-01&endDate=2027-01-01",
            "2027-01-01 2027-01-01",
            "2027-01-01 2027-01-01",
        ),
        (
            "?startDate=0001-01-01&endDate=9998-12-31",
            "0001-01-01 9998-12-31",
            "0001-01-01 9998-12-31",
        ),
    ] {
        let asked = |path: &str| days(&app, &format!("{path}{query}")).join(" ");
        assert_eq!(asked(ANALYTICS), analytics, "{query}");
        assert_eq!(asked(USAGE), usage, "{query}");
    }
}

#[test]
fn a_date_time_is_cut_to_its_utc_day() {
    let app = TestApp::start();
    for (given, day) in [
        ("2026-06-01T00:00:00Z", "2026-06-01"),
        ("2026-06-01T23:59:59.999Z", "2026-06-01"),
        ("2026-06-02T00:30:00+01:00", "2026-06-01"),
        ("2026-05-31T23:30:00-01:00", "2026-06-01"),
        ("2026-06-01T12:00:00.123456789+00:00", "2026-06-01"),
        ("2026-06-01", "2026-06-01"),
    ] {
        for path in DATED {
            let given = encode(given);
            let path = format!("{path}?startDate={given}&endDate={given}");
            assert_eq!(days(&app, &path), [day; 2], "{path}");
        }
    }
}

#[test]
fn dates_that_cannot_be_used_are_400_and_named() {
    let app = TestApp::start();
    let mut cases = vec![
        ("startDate=2026-06-02&endDate=2026-06-01", "endDate"),
        ("startDate=2026-06-16", "endDate"),
        ("endDate=2026-05-15", "endDate"),
        (
            "startDate=2026-06-02T00:30:00Z&endDate=2026-06-02T00:30:00%2B01:00",
            "endDate",
        ),
    ];
    let unreadable: Vec<_> = [
        "",
        "today",
        "2026-6-1",
        "2026-02-29",
        "2026-06-31",
        "2026-13-01",
        "2026-06",
        "20260601",
        "01-06-2026",
        "0000-01-01",
        "9999-01-01",
        "1781524800",
        "2026-06-01T24:00:00Z",
        "%FF",
    ]
    .into_iter()
    .flat_map(|bad| ["startDate", "endDate"].map(|name| (format!("{name}={bad}"), name)))
    .collect();
    cases.extend(
        unreadable
            .iter()
            .map(|(query, name)| (query.as_str(), *name)),
    );
    for (query, name) in cases {
        for path in DATED {
            for root in ["", "/api/v1"] {
                let answer = get_as(&app, PARTNER_SANDBOX_KEY, &format!("{root}{path}?{query}"));
                let message = partner_error(answer, 400, "BadRequest");
                assert!(message.contains(name), "{query}: {message}");
            }
        }
    }
    // An end on its own, before the 1st, is before the start of a usage, but not of analytics.
    let early = "endDate=2026-05-31";
    partner_get(&app, &format!("{ANALYTICS}?{early}"));
    let answer = partner(&app, "GET", &format!("{USAGE}?{early}"), &Value::Null);
    partner_error(answer, 400, "BadRequest");
}

#[test]
fn a_day_has_both_its_midnights_where_they_belong() {
    let app = TestApp::start_at("2024-02-28T23:59:59.998Z", |_| ());
    // 28 February: two at its end; 29: one at its begin, one at its end; 1 March: one.
    for (advance, member) in [
        (0, "m1"),
        (1, "m2"),
        (1, "m3"),
        (86_399_999, "m4"),
        (1, "m5"),
    ] {
        app.clock.advance(Duration::from_millis(advance));
        app.token(member);
    }
    let between = |path: &str, name: &str, start: &str, end: &str| {
        figure(
            &app,
            &format!("{path}?startDate={start}&endDate={end}"),
            name,
        )
    };
    for (start, end, count) in [
        ("2024-02-27", "2024-02-27", 0),
        ("2024-02-28", "2024-02-28", 2),
        ("2024-02-29", "2024-02-29", 2),
        ("2024-03-01", "2024-03-01", 1),
        ("2024-02-28", "2024-02-29", 4),
        ("2024-02-29", "2024-03-01", 3),
        ("2024-02-01", "2024-02-29", 4),
        ("2024-01-01", "2024-12-31", 5),
        ("2024-03-02", "2024-12-31", 0),
    ] {
        let analytics = between(ANALYTICS, "totalIdentifications", start, end);
        assert_eq!(analytics, count, "{start} {end}");
        assert_eq!(between(ANALYTICS, "creditsUsed", start, end), count);
        assert_eq!(between(USAGE, "totalQuantity", start, end), count);
        // Each signed a member up, which is an event.
        assert_eq!(between(USAGE, "totalEvents", start, end), 2 * count);
        let active = between(ANALYTICS, "organizationsWithActivity", start, end);
        assert_eq!(active, i64::from(count > 0));
    }
    assert_eq!(figure(&app, USAGE, "totalQuantity"), 1);
    assert_eq!(figure(&app, ANALYTICS, "totalIdentifications"), 5);
}

#[test]
fn an_exchange_identifies_a_member_who_holds_no_token_that_is_good() {
    let app = TestApp::start();
    let identified = || {
        let path = "/partner/analytics";
        [
            figure(&app, path, "totalIdentifications"),
            figure(&app, path, "creditsUsed"),
            10_000 - figure(&app, path, "creditsRemaining"),
            figure(&app, USAGE, "totalQuantity"),
        ]
    };
    let wait = |millis: u64| app.clock.advance(Duration::from_millis(millis));
    let token = || drop(app.token("ada"));
    token();
    assert_eq!(identified(), [1; 4]);
    token();
    wait(899_999);
    token();
    assert_eq!(
        identified(),
        [1; 4],
        "a refresh a millisecond before the end"
    );
    wait(899_999);
    token();
    assert_eq!(identified(), [1; 4], "the second token is good for longer");
    wait(900_000);
    token();
    assert_eq!(identified(), [2; 4], "the end itself is after it");
    app.token("bob");
    assert_eq!(identified(), [3; 4]);
    // The member of another program is another member.
    let (_, key) = program(&app, SANDBOX_KEY, "Second");
    exchange(&app, &key, "ada");
    assert_eq!(identified(), [4; 4]);
    // A removed member has no valid token.
    app.delete("/v1/members/ada").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(identified(), [4; 4]);
    token();
    assert_eq!(identified(), [5; 4]);
    // 8 exchanges; ada, bob and the other ada signed up, ada was removed.
    assert_eq!(figure(&app, USAGE, "totalEvents"), 8 + 4);
}

#[test]
fn events_are_exchanges_and_what_the_programs_report() {
    let app = TestApp::start();
    let other = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Other"}));
    let (second_id, second) = program(&app, SANDBOX_KEY, "Second");
    let hour = || app.clock.advance(Duration::from_hours(7));
    for round in 0..8 {
        for key in [SANDBOX_KEY, &second, &other.key] {
            exchange(&app, key, &format!("member {round}"));
            let body = json!({"externalUserID": format!("member {round}"), "amount": 5});
            post_as(&app, key, "/v1/wallet/credit", &body).expect(200);
            hour();
        }
    }
    // The events of an archived program stay in the partner's totals.
    let reported = |start: &str, end: &str| -> i64 {
        let query = format!("from={start}T00:00:00Z&to={end}T23:59:59.999Z");
        [SANDBOX_KEY, &other.key]
            .iter()
            .flat_map(|key| {
                let path = format!("/v1/reports/program-activity?{query}");
                let body = get_as(&app, key, &path).expect(200);
                body["data"].as_array().unwrap().clone()
            })
            .map(|row| row["event_count"].as_i64().unwrap())
            .sum()
    };
    let mut whole = Vec::new();
    for (start, end) in [
        ("2026-06-15", "2026-06-15"),
        ("2026-06-16", "2026-06-18"),
        ("2026-06-15", "2026-06-30"),
        ("2026-06-20", "2026-06-21"),
        ("2026-05-01", "2026-06-14"),
    ] {
        let dates = format!("?startDate={start}&endDate={end}");
        let sql = format!(
            "SELECT count(*) FROM activity WHERE kind = 20
             AND date(at / 1000, 'unixepoch') BETWEEN '{start}' AND '{end}'"
        );
        let usage = partner_get(&app, &format!("{USAGE}{dates}"));
        let expected = number(&app, &sql) + reported(start, end);
        assert_eq!(usage["totalEvents"], expected, "{dates}");
        let analytics = partner_get(&app, &format!("{ANALYTICS}{dates}"));
        assert_eq!(analytics["totalIdentifications"], usage["totalQuantity"]);
        whole.push((dates, usage, analytics));
    }
    let path = format!("/v1/programs/{second_id}");
    app.patch(&path, &json!({"status": "ARCHIVED"})).expect(200);
    let app = app.restart();
    for (dates, usage, analytics) in whole {
        assert_eq!(partner_get(&app, &format!("{USAGE}{dates}")), usage);
        assert_eq!(partner_get(&app, &format!("{ANALYTICS}{dates}")), analytics);
    }
}

#[test]
fn nothing_crosses_the_environment() {
    let app = TestApp::start();
    app.token("ada");
    let sandbox = figures(&app, PARTNER_SANDBOX_KEY);
    let lives = figures(&app, PARTNER_LIVE_KEY);
    let exchanged = exchange(&app, LIVE_KEY, "lea");
    let points = json!({"externalUserID": "lea", "amount": 9});
    live(&app, "POST", "/v1/wallet/credit", &points).expect(200);
    let new = organization(
        &app,
        PARTNER_LIVE_KEY,
        &json!({"name": "Live", "tier": "paid"}),
    );
    let allocate = json!({"credits": 10_000});
    call(
        &app,
        PARTNER_LIVE_KEY,
        "PUT",
        &new.path("/credits"),
        &allocate,
    )
    .expect(200);
    get_as(&app, &exchanged, "/v1/wallet").expect(200);
    assert_eq!(figures(&app, PARTNER_SANDBOX_KEY), sandbox);
    let moved = figures(&app, PARTNER_LIVE_KEY);
    assert!(moved.iter().zip(&lives).all(|(now, then)| now != then));
    // The reverse holds too; and the whole pool can still be allocated.
    app.token("bob");
    let mine = organization(
        &app,
        PARTNER_SANDBOX_KEY,
        &json!({"name": "Mine", "tier": "paid"}),
    );
    call(
        &app,
        PARTNER_SANDBOX_KEY,
        "PUT",
        &mine.path("/credits"),
        &allocate,
    )
    .expect(200);
    assert_eq!(figures(&app, PARTNER_LIVE_KEY), moved);
    let ids = |key: &str| get_as(&app, key, ANALYTICS).expect(200)["partnerId"].clone();
    assert_eq!(ids(PARTNER_SANDBOX_KEY), ids(PARTNER_LIVE_KEY));
}

/// The usage of an organization, as the billing usage reports it.
#[track_caller]
fn used(app: &TestApp, id: &str) -> [i64; 3] {
    let usage = partner_get(app, "/partner/billing/usage");
    let all = usage["organizations"].as_array().unwrap();
    let row = all.iter().find(|row| row["organizationId"] == id).unwrap();
    ["totalIdentifications", "creditsUsed", "overage"].map(|name| row[name].as_i64().unwrap())
}

#[test]
fn what_an_organization_does_moves_no_other() {
    let app = TestApp::start();
    let [one, two] =
        ["One", "Two"].map(|name| organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": name})));
    for member in ["ada", "bob", "eve"] {
        exchange(&app, &one.key, member);
    }
    assert_eq!(used(&app, &one.id), [3, 3, 0]);
    assert_eq!(used(&app, &two.id), [0, 0, 0]);
    exchange(&app, &two.key, "ada");
    assert_eq!(used(&app, &one.id), [3, 3, 0]);
    assert_eq!(used(&app, &two.id), [1, 1, 0]);
    let usage = partner_get(&app, "/partner/billing/usage");
    assert_eq!(usage["totalIdentifications"], 4);
    assert_eq!(usage["organizations"].as_array().unwrap().len(), 3);
    let analytics = partner_get(&app, ANALYTICS);
    assert_eq!(analytics["totalOrganizations"], 3);
    assert_eq!(analytics["organizationsWithActivity"], 2);
}

#[test]
fn what_is_replayed_or_refused_moves_nothing() {
    let app = TestApp::start();
    app.member("ada", 5);
    app.member("gone", 0);
    app.delete("/v1/members/gone").expect(200);
    let dear = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &app.offer(json!({})));
    let body = json!({"externalUserID": "ada"});
    post_once(&app, "k", "/v1/auth/exchange", &body).expect(200);
    let before = figures(&app, PARTNER_SANDBOX_KEY);
    app.clock.advance(Duration::from_mins(20));
    let same = figures(&app, PARTNER_SANDBOX_KEY);
    assert_eq!(same, before);
    post_once(&app, "k", "/v1/auth/exchange", &body).expect(200);
    let exchange = |body: Value| app.post("/v1/auth/exchange", &body);
    exchange(json!({"externalUserID": "gone"})).expect_error(404, "NOT_FOUND");
    exchange(json!({"externalUserID": "new", "tier": 7})).expect(422);
    exchange(json!({})).expect(422);
    let wrong = json!({"externalUserID": "new"});
    post_as(&app, "expys_sandbox_x", "/v1/auth/exchange", &wrong).expect(401);
    try_redeem(&app, "ada", &dear).expect(422);
    app.offer(json!({}));
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    assert_eq!(figures(&app, PARTNER_SANDBOX_KEY), before);
    cancel(&app, &redemption).expect(200);
    credit(&app, "ada", 1);
    let events = |text: &str| serde_json::from_str::<Value>(text).unwrap()["totalEvents"].clone();
    let after = figures(&app, PARTNER_SANDBOX_KEY);
    let (then, now) = (events(&before[1]), events(&after[1]));
    assert_eq!(now.as_i64().unwrap() - then.as_i64().unwrap(), 2);
    assert_eq!(after[2..], before[2..]);
}

/// Sets an organization's status.
fn set_status(app: &TestApp, path: &str, status: &str) -> Response {
    partner(app, "PUT", path, &json!({"status": status}))
}

#[test]
fn a_suspended_organization_is_refused_until_it_is_active_and_its_history_stays() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "One"}));
    let (_, second) = program(&app, &tenant.key, "Second");
    let token = exchange(&app, &tenant.key, "ada");
    exchange(&app, &second, "bob");
    let counts = || {
        let body = partner_get(&app, ANALYTICS);
        ["totalOrganizations", "activeOrganizations"].map(|name| body[name].as_i64().unwrap())
    };
    let past = || {
        let body = partner_get(&app, ANALYTICS);
        let names = ["totalIdentifications", "creditsUsed", "creditsRemaining"];
        let with = body["organizationsWithActivity"].clone();
        let usage = partner_get(&app, USAGE);
        let billing = partner_get(&app, "/partner/billing/usage");
        (names.map(|name| body[name].clone()), with, usage, billing)
    };
    let before = past();
    assert_eq!(counts(), [2, 2]);
    let status = tenant.path("/status");
    for stopped in ["suspended", "canceled"] {
        let answer = set_status(&app, &status, stopped).expect(200);
        assert_eq!(answer["organization"]["status"], stopped);
        for credential in [&tenant.key, &second, &token] {
            get_as(&app, credential, "/v1/offers").expect_error(403, "FORBIDDEN");
        }
        let body = json!({"externalUserID": "ada"});
        post_as(&app, &tenant.key, "/v1/auth/exchange", &body).expect_error(403, "FORBIDDEN");
        assert_eq!(counts(), [2, 1]);
        assert_eq!(past(), before);
        // The other organizations keep working.
        app.get("/v1/offers").expect(200);
        set_status(&app, &status, "active").expect(200);
        assert_eq!(counts(), [2, 2]);
        for credential in [&tenant.key, &second, &token] {
            get_as(&app, credential, "/v1/offers").expect(200);
        }
        assert_eq!(past(), before);
    }
    // The same request again changes nothing.
    let rows_before = rows(&app);
    set_status(&app, &status, "active").expect(200);
    assert_eq!(rows(&app), rows_before);
    set_status(&app, &status, "suspended").expect(200);
    let app = app.restart();
    get_as(&app, &tenant.key, "/v1/offers").expect_error(403, "FORBIDDEN");
    get_as(&app, &token, "/v1/offers").expect_error(403, "FORBIDDEN");
}

#[test]
fn the_partner_of_a_key_has_every_documented_field() {
    let app = TestApp::start_with(|settings| {
        settings.partner.credit_pool = 3;
        settings.limits.organizations_max = 7;
    });
    app.token("ada");
    let analytics = partner_get(&app, ANALYTICS);
    let me = partner_get(&app, "/partner/me");
    let expected = json!({"partner": {
        "id": analytics["partnerId"],
        "name": "Partner",
        "slug": "partner",
        "status": "active",
        "companyName": null,
        "supportEmail": null,
        "logoUrl": null,
        "primaryColor": null,
        "secondaryColor": null,
        "scriptDomain": null,
        "scriptDomainVerified": false,
        "billingMode": "pooled",
        "creditPoolTotal": 3,
        "creditPoolUsed": 1,
        "creditPoolAvailable": 2,
        "maxOrganizations": 7,
        "maxIdentificationsPerOrg": 2_147_483_647,
        "identificationWebhookUrl": null,
        "identificationWebhookEnabled": false,
        "billingWebhookUrl": null,
        "billingWebhookEnabled": false,
        "createdAt": "2026-06-15T12:00:00.000Z",
        "isOwner": true,
        "environment": "sandbox",
    }});
    assert_eq!(me, expected);
    let of_live = get_as(&app, PARTNER_LIVE_KEY, "/partner/me").expect(200);
    assert_eq!(of_live["partner"]["environment"], "live");
    assert_eq!(of_live["partner"]["id"], analytics["partnerId"]);
    assert_eq!(of_live["partner"]["creditPoolUsed"], 0);
    let unlimited = TestApp::start_with(|settings| settings.limits.organizations_max = 0);
    let me = partner_get(&unlimited, "/partner/me");
    assert_eq!(me["partner"]["maxOrganizations"], 2_147_483_647);
}
