use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    call, column, exchange, get_as, live, organization, post_as, program, rows, scrip_error,
};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const LIST: &str = "/v1/programs";
const REPORT: &str = "/v1/reports/program-activity";

fn patch(app: &TestApp, key: &str, id: &str, body: &Value) -> Response {
    call(app, key, "PATCH", &format!("{LIST}/{id}"), body)
}

/// The names of a page of programs.
#[track_caller]
fn listed(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("{LIST}{query}")).expect(200);
    let names = column(&page["data"], "name");
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn a_new_program_is_empty_and_its_key_works_at_once() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.offer(json!({}));
    let before = app.summary();
    let (id, key) = program(&app, SANDBOX_KEY, "Second");
    assert!(key.starts_with("expys_sandbox_"), "{key}");
    let get = |path: &str| get_as(&app, &key, path).expect(200);
    assert_eq!(get("/v1/members")["members"], json!([]));
    assert_eq!(get("/v1/offers")["data"], json!([]));
    assert_eq!(get("/v1/redemptions")["redemptions"], json!([]));
    assert_eq!(get("/v1/analytics/offers")["offers"], json!([]));
    assert_eq!(get("/v1/analytics/summary")["memberCount"], 0);
    let configuration = get("/v1/configuration");
    assert_eq!(configuration["currencyName"], "Points");
    assert_eq!(configuration["defaultTier"], "standard");
    let own = get(&format!("{LIST}/{id}"));
    assert_eq!((&own["id"], &own["name"]), (&json!(id), &json!("Second")));
    assert_eq!(app.summary(), before);
}

#[test]
fn the_key_is_shown_once_and_never_kept() {
    let app = TestApp::start();
    let (id, key) = program(&app, SANDBOX_KEY, "Second");
    for path in [LIST, &format!("{LIST}/{id}"), REPORT] {
        let text = app.get(path).text();
        assert!(text.contains(&id) && !text.contains(&key[20..]), "{text}");
    }
    let renamed = patch(&app, &key, &id, &json!({"name": "Other"}));
    assert!(!renamed.text().contains("apiKey"));
    assert!(rows(&app).iter().all(|row| !row.contains(&key[22..])));
    let app = app.restart();
    get_as(&app, &key, "/v1/members").expect(200);
}

#[test]
fn every_program_has_members_offers_and_a_currency_of_its_own() {
    let app = TestApp::start();
    let (_, key) = program(&app, SANDBOX_KEY, "Second");
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &offer);
    let before = app.summary();
    let currency = json!({"currencyName": "Miles", "currencySymbol": "mi"});
    call(&app, &key, "PUT", "/v1/configuration", &currency).expect(200);
    let profile = json!({"tier": "gold"});
    call(&app, &key, "PUT", "/v1/members/ada", &profile).expect(200);
    let points = json!({"externalUserID": "ada", "amount": 7});
    let credited = post_as(&app, &key, "/v1/wallet/credit", &points).expect(200);
    assert_eq!(credited["balance"], 7);
    assert_eq!(credited["currency"]["name"], "Miles");
    assert_eq!(app.balance("ada"), 90);
    let summary = get_as(&app, &key, "/v1/analytics/summary").expect(200);
    assert_eq!(summary["pointsMinted"], 7);
    assert_eq!(app.summary(), before);
    // The second program does not see what belongs to the first.
    let redeem = json!({"externalUserID": "ada", "offer": offer});
    for (method, path, body) in [
        ("GET", format!("/v1/offers/{offer}"), Value::Null),
        (
            "PATCH",
            format!("/v1/offers/{offer}"),
            json!({"title": "x"}),
        ),
        ("DELETE", format!("/v1/offers/{offer}"), Value::Null),
        ("POST", "/v1/redemptions".to_owned(), redeem),
        ("GET", format!("/v1/redemptions/{redemption}"), Value::Null),
        (
            "PATCH",
            format!("/v1/redemptions/{redemption}"),
            json!({"status": "OPEN"}),
        ),
        (
            "POST",
            format!("/v1/redemptions/{redemption}/cancel"),
            json!({}),
        ),
    ] {
        call(&app, &key, method, &path, &body).expect_error(404, "NOT_FOUND");
    }
    // A member's token opens the member's own program only.
    let token = exchange(&app, &key, "ada");
    let wallet = get_as(&app, &token, "/v1/wallet").expect(200);
    assert_eq!(wallet["balance"], 7);
    get_as(&app, &token, &format!("/v1/offers/{offer}")).expect_error(404, "NOT_FOUND");
    assert_eq!(app.summary(), before);
}

#[test]
fn an_idempotency_key_means_one_thing_for_each_program() {
    let app = TestApp::start();
    let (_, key) = program(&app, SANDBOX_KEY, "Second");
    let body = json!({"name": "Third"});
    let send = |key: &str| {
        let request = app.request("POST", LIST).bearer(key);
        request.idempotency_key("k").json(&body).send()
    };
    let ids: BTreeSet<String> = [SANDBOX_KEY, &key, SANDBOX_KEY, &key]
        .map(|key| send(key).expect(201)["id"].to_string())
        .into();
    assert_eq!(ids.len(), 2);
    assert_eq!(listed(&app, ""), ["Third", "Third", "Second", "Sandbox"]);
}

#[test]
fn the_list_is_newest_first_50_a_page_and_at_most_200() {
    let app = TestApp::start();
    let mut all = vec!["Sandbox".to_owned()];
    for number in 1..=60 {
        let name = format!("Program {number}");
        program(&app, SANDBOX_KEY, &name);
        all.insert(0, name);
    }
    assert_eq!(listed(&app, "?limit=200"), all);
    assert_eq!(listed(&app, ""), all[..50]);
    for limit in [1, 7, 50, 60, 61, 200] {
        let (mut walked, mut query) = (Vec::new(), format!("?limit={limit}"));
        loop {
            let page = app.get(&format!("{LIST}{query}")).expect(200);
            let names = column(&page["data"], "name");
            assert!(!names.is_empty() && names.len() <= limit);
            walked.extend(names.into_iter().map(str::to_owned));
            let pagination = &page["pagination"];
            assert_eq!(
                pagination["has_more"],
                pagination["next_cursor"].is_string()
            );
            let Some(cursor) = pagination["next_cursor"].as_str() else {
                break;
            };
            query = format!("?limit={limit}&cursor={cursor}");
        }
        assert_eq!(walked, all, "by {limit}");
    }
}

#[test]
fn the_list_can_be_narrowed() {
    let app = TestApp::start();
    for name in ["Summer 100%", "Summer_1", "Winter", "winter sale"] {
        let (id, _) = program(&app, SANDBOX_KEY, name);
        if name == "Summer_1" {
            patch(&app, SANDBOX_KEY, &id, &json!({"status": "ARCHIVED"})).expect(200);
        }
    }
    let cases: [(&str, &[&str]); 14] = [
        ("", &["winter sale", "Winter", "Summer 100%", "Sandbox"]),
        (
            "?include_archived=true",
            &[
                "winter sale",
                "Winter",
                "Summer_1",
                "Summer 100%",
                "Sandbox",
            ],
        ),
        (
            "?include_archived=false",
            &["winter sale", "Winter", "Summer 100%", "Sandbox"],
        ),
        ("?status=ARCHIVED", &["Summer_1"]),
        (
            "?status=ACTIVE&include_archived=true",
            &["winter sale", "Winter", "Summer 100%", "Sandbox"],
        ),
        ("?search=inter", &[]),
        ("?search=winter", &["winter sale", "Winter"]),
        ("?search=WINTER", &["winter sale", "Winter"]),
        ("?search=%25", &[]),
        (
            "?search=1&include_archived=true",
            &["Summer_1", "Summer 100%"],
        ),
        ("?search=s+w", &["winter sale"]),
        ("?search=nothing", &[]),
        (
            "?search=",
            &["winter sale", "Winter", "Summer 100%", "Sandbox"],
        ),
        ("?search=w&limit=1", &["winter sale"]),
    ];
    for (query, names) in cases {
        assert_eq!(listed(&app, query), names, "{query}");
    }
}

#[test]
fn the_list_can_be_ordered_and_walked_in_any_order() {
    let app = TestApp::start();
    for name in ["beta", "Alpha", "gamma", "Beta"] {
        program(&app, SANDBOX_KEY, name);
    }
    let by_name = ["Alpha", "beta", "Beta", "gamma", "Sandbox"];
    let by_time = ["Sandbox", "beta", "Alpha", "gamma", "Beta"];
    let reversed = |names: &[&str]| -> Vec<String> {
        names.iter().rev().map(|name| (*name).to_owned()).collect()
    };
    let cases = [
        ("", reversed(&by_time)),
        ("&sort_by=created_at", reversed(&by_time)),
        ("&sort_dir=asc", by_time.map(str::to_owned).to_vec()),
        ("&sort_by=name", by_name.map(str::to_owned).to_vec()),
        ("&sort_by=name&sort_dir=desc", reversed(&by_name)),
    ];
    for (order, expected) in cases {
        for limit in [1, 2, 5] {
            let (mut walked, mut cursor) = (Vec::new(), String::new());
            loop {
                let query = format!("{LIST}?limit={limit}{order}{cursor}");
                let page = app.get(&query).expect(200);
                let names = column(&page["data"], "name");
                walked.extend(names.into_iter().map(str::to_owned));
                let Some(next) = page["pagination"]["next_cursor"].as_str() else {
                    break;
                };
                cursor = format!("&cursor={next}");
            }
            assert_eq!(walked, expected, "{order} by {limit}");
        }
    }
    for (query, field) in [
        ("?sort_by=status", "sort_by"),
        ("?sort_dir=down", "sort_dir"),
    ] {
        let message = scrip_error(app.get(&format!("{LIST}{query}")), 400, "bad_request");
        assert!(message.contains(field), "{message}");
    }
}

#[test]
fn a_program_can_be_renamed() {
    let app = TestApp::start();
    let (id, key) = program(&app, SANDBOX_KEY, "Second");
    let path = format!("{LIST}/{id}");
    let made = app.get(&path).expect(200);
    app.clock.advance(Duration::from_millis(1_500));
    for nothing in [json!({}), json!({"name": "Second"}), json!({"unknown": 1})] {
        let same = patch(&app, SANDBOX_KEY, &id, &nothing).expect(200);
        assert_eq!(same, made, "{nothing}");
    }
    let longest = "é".repeat(255);
    let renamed = patch(&app, &key, &id, &json!({"name": longest})).expect(200);
    assert_eq!(renamed["name"], longest);
    assert_eq!(renamed["updated_at"], "2026-06-15T12:00:01.500Z");
    assert_eq!(renamed["created_at"], made["created_at"]);
    assert_eq!(app.get(&path).expect(200), renamed);
    let report = app.get(REPORT).expect(200);
    assert_eq!(column(&report["data"], "program_name")[1], longest);
    let app = app.restart();
    assert_eq!(app.get(&path).expect(200), renamed);
}

#[test]
fn an_archived_programs_keys_and_tokens_are_refused_until_it_is_active_again() {
    let app = TestApp::start();
    let (id, key) = program(&app, SANDBOX_KEY, "Second");
    let token = exchange(&app, &key, "ada");
    let points = json!({"externalUserID": "ada", "amount": 5});
    post_as(&app, &key, "/v1/wallet/credit", &points).expect(200);
    let report = app.get(REPORT).expect(200);
    app.clock.advance(Duration::from_secs(1));
    let archive = json!({"status": "ARCHIVED"});
    let archived = patch(&app, &key, &id, &archive).expect(200);
    assert_eq!(archived["status"], "ARCHIVED");
    assert_eq!(archived["deleted_at"], "2026-06-15T12:00:01Z");
    get_as(&app, &key, "/v1/members").expect_error(403, "FORBIDDEN");
    scrip_error(get_as(&app, &key, LIST), 403, "forbidden");
    scrip_error(get_as(&app, &key, REPORT), 403, "forbidden");
    get_as(&app, &token, "/v1/wallet").expect_error(403, "FORBIDDEN");
    // The others of the organization keep working, and see it only if they request archived ones.
    app.member("bob", 5);
    assert_eq!(listed(&app, ""), ["Sandbox"]);
    let rows = app.get(REPORT).expect(200);
    assert_eq!(column(&rows["data"], "program_name"), ["Sandbox"]);
    let path = format!("{LIST}/{id}");
    assert_eq!(app.get(&path).expect(200), archived);
    // The same request again changes nothing.
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(
        patch(&app, SANDBOX_KEY, &id, &archive).expect(200),
        archived
    );
    // The name stays the same when the program is archived, too.
    let renamed = patch(&app, SANDBOX_KEY, &id, &json!({"name": "Old"})).expect(200);
    assert_eq!(renamed["deleted_at"], archived["deleted_at"]);
    assert_eq!(renamed["updated_at"], "2026-06-15T12:00:02Z");
    patch(&app, SANDBOX_KEY, &id, &json!({"name": "Second"})).expect(200);
    let app = app.restart();
    get_as(&app, &key, "/v1/members").expect_error(403, "FORBIDDEN");
    let active = patch(&app, SANDBOX_KEY, &id, &json!({"status": "ACTIVE"})).expect(200);
    assert_eq!(active["deleted_at"], Value::Null);
    let wallet = get_as(&app, &token, "/v1/wallet").expect(200);
    assert_eq!(wallet["balance"], 5);
    get_as(&app, &key, "/v1/members").expect(200);
    let again = app.get(REPORT).expect(200);
    assert_eq!(again["data"][1], report["data"][1]);
}

#[test]
fn a_key_sees_the_programs_of_its_own_organization_only() {
    let app = TestApp::start();
    let other = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Other"}));
    let lives = organization(&app, PARTNER_LIVE_KEY, &json!({"name": "Live one"}));
    let (id, _) = program(&app, SANDBOX_KEY, "Second");
    let names = |key: &str| {
        let page = get_as(&app, key, &format!("{LIST}?include_archived=true")).expect(200);
        column(&page["data"], "name").join(", ")
    };
    assert_eq!(names(SANDBOX_KEY), "Second, Sandbox");
    assert_eq!(names(&other.key), "Other");
    assert_eq!(names(&lives.key), "Live one");
    assert_eq!(names(LIVE_KEY), "Live");
    let before = rows(&app);
    let path = format!("{LIST}/{id}");
    for key in [&other.key, &lives.key, LIVE_KEY] {
        scrip_error(get_as(&app, key, &path), 404, "not_found");
        let refused = patch(&app, key, &id, &json!({"status": "ARCHIVED"}));
        scrip_error(refused, 404, "not_found");
        let report = get_as(&app, key, REPORT).text();
        assert!(!report.contains(&id), "{report}");
    }
    for id in ["x", "550e8400-e29b-41d4-a716-446655440000", "%20"] {
        scrip_error(app.get(&format!("{LIST}/{id}")), 404, "not_found");
        scrip_error(patch(&app, SANDBOX_KEY, id, &json!({})), 404, "not_found");
    }
    assert_eq!(rows(&app), before);
    // A new program of the live environment is a live one.
    let made = live(&app, "POST", LIST, &json!({"name": "Live two"})).expect(201);
    assert!(made["apiKey"].as_str().unwrap().starts_with("expys_live_"));
    assert_eq!(names(SANDBOX_KEY), "Second, Sandbox");
}

#[test]
fn a_key_may_come_as_a_bearer_or_in_a_header_of_its_own() {
    let app = TestApp::start();
    for path in [LIST, REPORT] {
        let send = |name: &str, value: &str| app.request("GET", path).header(name, value).send();
        let bearer = send("Authorization", &format!("Bearer {SANDBOX_KEY}"));
        let header = send("X-API-Key", SANDBOX_KEY);
        assert_eq!(header.bytes, bearer.bytes);
        header.expect(200);
        scrip_error(send("X-API-Key", "expys_sandbox_x"), 401, "unauthorized");
        scrip_error(app.request("GET", path).send(), 401, "unauthorized");
        scrip_error(send("X-API-Key", PARTNER_SANDBOX_KEY), 403, "forbidden");
        let wrong = app.request("DELETE", path).bearer(SANDBOX_KEY).send();
        assert!(wrong.header("allow").unwrap().starts_with("GET, HEAD"));
        scrip_error(wrong, 405, "method_not_allowed");
    }
    let token = app.token("ada");
    scrip_error(get_as(&app, &token, REPORT), 403, "forbidden");
    scrip_error(app.get("/v1/reports/nothing"), 404, "not_found");
}

#[test]
fn bad_bodies_are_400_and_the_field_named() {
    let app = TestApp::start();
    let (id, _) = program(&app, SANDBOX_KEY, "Second");
    let before = rows(&app);
    let path = format!("{LIST}/{id}");
    let long = format!(r#"{{"name":"{}"}}"#, "é".repeat(256));
    let both: [(&str, &str); 10] = [
        ("{", "JSON"),
        ("[]", "the body"),
        ("null", "the body"),
        ("", "the body"),
        ("\"name\"", "the body"),
        (r#"{"name":""}"#, "name"),
        (r#"{"name":7}"#, "name"),
        (r#"{"name":null}"#, "name"),
        (r#"{"name":"a\nb"}"#, "name"),
        (&long, "name"),
    ];
    let send = |method: &str, path: &str, body: &str| {
        let request = app.request(method, path).bearer(SANDBOX_KEY);
        request.raw(body).send()
    };
    for (body, names) in both {
        for (method, path) in [("POST", LIST), ("PATCH", &path)] {
            let message = scrip_error(send(method, path, body), 400, "bad_request");
            assert!(message.contains(names), "{method} {body}: {message}");
        }
    }
    let message = scrip_error(send("POST", LIST, "{}"), 400, "bad_request");
    assert!(message.contains("name"), "{message}");
    for status in ["\"PAUSED\"", "\"active\"", "\"\"", "7", "null", "[]"] {
        let body = format!(r#"{{"status":{status}}}"#);
        let message = scrip_error(send("PATCH", &path, &body), 400, "bad_request");
        assert!(message.contains("status"), "{status}: {message}");
    }
    let large = format!(r#"{{"name":"{}"}}"#, "x".repeat(300_000));
    scrip_error(send("POST", LIST, &large), 413, "payload_too_large");
    let long_key = app.request("POST", LIST).bearer(SANDBOX_KEY);
    let long_key = long_key.idempotency_key(&"k".repeat(256));
    let message = scrip_error(
        long_key.json(&json!({"name": "x"})).send(),
        400,
        "bad_request",
    );
    assert!(message.contains("Idempotency-Key"), "{message}");
    assert_eq!(rows(&app), before);
}

#[test]
fn bad_parameters_are_400_and_named() {
    let app = TestApp::start();
    for number in 0..3 {
        program(&app, SANDBOX_KEY, &format!("Program {number}"));
    }
    let next = |path: &str| {
        let page = app.get(&format!("{path}?limit=1")).expect(200);
        page["pagination"]["next_cursor"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (of_list, of_report) = (next(LIST), next(REPORT));
    let mut cases = vec![
        (LIST, "status=archived".to_owned(), "status"),
        (LIST, "status=".to_owned(), "status"),
        (LIST, "include_archived=yes".to_owned(), "include_archived"),
        (LIST, "search=%FF".to_owned(), "search"),
        (LIST, format!("search={}", "x".repeat(256)), "search"),
        (LIST, format!("cursor={of_report}"), "cursor"),
        (REPORT, format!("cursor={of_list}"), "cursor"),
    ];
    for path in [LIST, REPORT] {
        for limit in ["0", "201", "x", "", "-1", "1.5", "99999999999999999999"] {
            cases.push((path, format!("limit={limit}"), "limit"));
        }
        for cursor in ["x", "", "%00", "YWJjMTIz"] {
            cases.push((path, format!("cursor={cursor}"), "cursor"));
        }
    }
    for (path, query, names) in cases {
        let answer = app.get(&format!("{path}?{query}"));
        let message = scrip_error(answer, 400, "bad_request");
        assert!(message.contains(names), "{path}?{query}: {message}");
    }
    // A cursor is valid only for the organization that received it.
    let other = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Other"}));
    for (path, cursor) in [(LIST, &of_list), (REPORT, &of_report)] {
        let path = format!("{path}?cursor={cursor}");
        scrip_error(get_as(&app, &other.key, &path), 400, "bad_request");
        app.get(&path).expect(200);
    }
}

#[test]
fn what_is_wrong_first_in_the_documented_order_is_reported() {
    let app = TestApp::start();
    let token = app.token("ada");
    let large = "x".repeat(300_000);
    let unknown = "550e8400-e29b-41d4-a716-446655440000";
    let program = format!("{LIST}/{unknown}");
    let tenant = format!("/partner/organizations/{unknown}/status");
    let send = |credential: &str, method: &str, path: &str, body: &str| {
        let request = app.request(method, path).bearer(credential);
        request.raw(body).send().status
    };
    for (key, other, method, path, right) in [
        (SANDBOX_KEY, &*token, "PATCH", &program, r#"{"name":"x"}"#),
        (
            PARTNER_SANDBOX_KEY,
            SANDBOX_KEY,
            "PUT",
            &tenant,
            r#"{"status":"active"}"#,
        ),
    ] {
        // Credential, permission, size, well-formedness, validity, existence.
        assert_eq!(send("nonsense", method, path, &large), 401);
        assert_eq!(send(other, method, path, &large), 403);
        assert_eq!(send(key, method, path, &large), 413);
        assert_eq!(send(key, method, path, "{"), 400);
        let wrong = r#"{"name":7,"status":7}"#;
        assert_eq!(send(key, method, path, wrong), 400);
        assert_eq!(send(key, method, path, right), 404);
    }
}
