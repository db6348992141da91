use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{
    call, column, exchange, get_as, names, organization, partner, partner_error, partner_get,
    program, rows,
};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

const LIST: &str = "/partner/organizations";

/// Sends a raw body.
fn raw(app: &TestApp, method: &str, path: &str, body: &str) -> Response {
    let request = app.request(method, path).bearer(PARTNER_SANDBOX_KEY);
    request.raw(body).send()
}

/// The names of the organizations on a page, and the total.
#[track_caller]
fn listed(app: &TestApp, query: &str) -> (Vec<String>, i64) {
    let page = partner_get(app, &format!("{LIST}{query}"));
    let names = column(&page["organizations"], "name");
    let names = names.into_iter().map(str::to_owned).collect();
    (names, page["total"].as_i64().unwrap())
}

#[test]
fn a_new_organization_has_one_program_named_after_it_and_a_key_that_works_at_once() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "Acme"}));
    let page = get_as(&app, &tenant.key, "/v1/programs").expect(200);
    assert_eq!(column(&page["data"], "name"), ["Acme"]);
    exchange(&app, &tenant.key, "ada");
    let summary = get_as(&app, &tenant.key, "/v1/analytics/summary").expect(200);
    assert_eq!(summary["memberCount"], 1);
    assert_eq!(app.summary()["memberCount"], 0);
    let one = partner_get(&app, &tenant.path(""));
    let organization = &one["organization"];
    assert_eq!(organization["tier"], "trial");
    assert_eq!(organization["status"], "active");
    for name in ["externalId", "metadata", "credits"] {
        assert_eq!(organization[name], Value::Null);
    }
    assert_eq!(organization["createdAt"], "2026-06-15T12:00:00.000Z");
    // The key is shown only once.
    for path in [LIST, &tenant.path(""), &tenant.path("/api-keys")] {
        let text = get_as(&app, PARTNER_SANDBOX_KEY, path).text();
        assert!(text.contains("Acme") || text.contains("first key"));
        assert!(!text.contains(&tenant.key[22..]), "{text}");
    }
    assert!(
        rows(&app)
            .iter()
            .all(|row| !row.contains(&tenant.key[22..]))
    );
    let live = organization_of(&app, PARTNER_LIVE_KEY, "Acme live");
    assert!(live.key.starts_with("expys_live_"));
    let app = app.restart();
    get_as(&app, &tenant.key, "/v1/offers").expect(200);
}

fn organization_of(app: &TestApp, key: &str, name: &str) -> crate::client::Tenant {
    organization(app, key, &json!({"name": name}))
}

#[test]
fn metadata_comes_back_byte_for_byte() {
    let app = TestApp::start();
    let given = r#"{"b" : 1,"a":[ 1.50, 1e2,"é\u00e9" ], "b":2, "n":12345678901234567890123}"#;
    let body = format!(r#"{{"name":"Acme","metadata":{given}}}"#);
    let made = raw(&app, "POST", LIST, &body);
    assert!(made.text().contains(given), "{}", made.text());
    let id = made.expect(201)["organization"]["id"].clone();
    let path = format!("{LIST}/{}", id.as_str().unwrap());
    let app = app.restart();
    for path in [LIST, &path] {
        let text = get_as(&app, PARTNER_SANDBOX_KEY, path).text();
        assert!(text.contains(given), "{text}");
    }
    let other = r#"{ "z":{},"y":null }"#;
    let patched = raw(&app, "PATCH", &path, &format!(r#"{{"metadata":{other}}}"#));
    assert!(patched.text().contains(other), "{}", patched.text());
    let sized = |bytes: usize| format!(r#"{{"k":"{}"}}"#, "x".repeat(bytes - 8));
    let largest = format!(r#"{{"metadata":{}}}"#, sized(16 * 1024));
    raw(&app, "PATCH", &path, &largest).expect(200);
    let larger = format!(r#"{{"metadata":{}}}"#, sized(16 * 1024 + 1));
    let message = partner_error(raw(&app, "PATCH", &path, &larger), 400, "BadRequest");
    assert!(message.contains("metadata"), "{message}");
}

#[test]
fn a_patch_changes_what_it_names_and_null_clears() {
    let app = TestApp::start();
    let body = json!({"name": "Acme", "externalId": "a-1", "metadata": {"k": 1}});
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &body);
    let path = tenant.path("");
    let made = partner_get(&app, &path);
    let change = |body: Value| partner(&app, "PATCH", &path, &body).expect(200);
    let before = rows(&app);
    for nothing in [
        json!({}),
        json!({"name": "Acme", "externalId": "a-1"}),
        json!({"status": "canceled", "tier": "paid", "credits": 7, "id": "x"}),
    ] {
        assert_eq!(change(nothing), made);
    }
    assert_eq!(rows(&app), before);
    let mut expected = made.clone();
    let same_version = |expected: &mut Value, changed: &Value| {
        expected["organization"]["version"] = changed["organization"]["version"].clone();
    };
    let renamed = change(json!({"name": "Acme & Söhne"}));
    expected["organization"]["name"] = json!("Acme & Söhne");
    same_version(&mut expected, &renamed);
    assert_eq!(renamed, expected);
    let cleared = change(json!({"externalId": null}));
    expected["organization"]["externalId"] = Value::Null;
    same_version(&mut expected, &cleared);
    assert_eq!(cleared, expected);
    let cleared = change(json!({"metadata": null}));
    expected["organization"]["metadata"] = Value::Null;
    same_version(&mut expected, &cleared);
    assert_eq!(cleared, expected);
    let set = change(json!({"externalId": "a-2", "metadata": {}}));
    expected["organization"]["externalId"] = json!("a-2");
    expected["organization"]["metadata"] = json!({});
    same_version(&mut expected, &set);
    assert_eq!(set, expected);
    assert_eq!(partner_get(&app, &path), expected);
    // The program keeps the name from its creation.
    let page = get_as(&app, &tenant.key, "/v1/programs").expect(200);
    assert_eq!(column(&page["data"], "name"), ["Acme"]);
}

#[test]
fn pages_are_numbered_and_newest_first() {
    let app = TestApp::start();
    let mut all = vec!["Sandbox".to_owned()];
    for number in 1..=24 {
        let name = format!("Organization {number}");
        organization_of(&app, PARTNER_SANDBOX_KEY, &name);
        all.insert(0, name);
    }
    let first = partner_get(&app, LIST);
    assert_eq!(
        names(&first),
        ["organizations", "page", "pageSize", "total"]
    );
    assert_eq!(
        (&first["page"], &first["pageSize"]),
        (&json!(1), &json!(20))
    );
    for size in [1, 7, 20, 24, 25, 26, 100] {
        let pages = all.len().div_ceil(size);
        for (index, expected) in all.chunks(size).enumerate() {
            let query = format!("?page={}&pageSize={size}", index + 1);
            assert_eq!(listed(&app, &query), (expected.to_vec(), 25), "{query}");
        }
        let beyond = format!("?page={}&pageSize={size}", pages + 1);
        assert_eq!(listed(&app, &beyond), (Vec::new(), 25));
    }
    assert_eq!(listed(&app, "?page=2").0, all[20..]);
    assert_eq!(listed(&app, "?page=1000000&pageSize=100").1, 25);
    let echoed = partner_get(&app, &format!("{LIST}?page=3&pageSize=7"));
    assert_eq!(
        (&echoed["page"], &echoed["pageSize"]),
        (&json!(3), &json!(7))
    );
}

#[test]
fn the_list_can_be_narrowed() {
    let app = TestApp::start();
    for (name, external_id) in [
        ("North 100%", "n-1"),
        ("North_2", "N-1"),
        ("South", "s 1"),
        ("south pole", "n-1"),
    ] {
        let body = json!({"name": name, "externalId": external_id});
        let tenant = organization(&app, PARTNER_SANDBOX_KEY, &body);
        let status = match name {
            "South" => "suspended",
            "North_2" => "canceled",
            _ => "active",
        };
        let body = json!({"status": status});
        partner(&app, "PUT", &tenant.path("/status"), &body).expect(200);
    }
    organization_of(&app, PARTNER_LIVE_KEY, "North live");
    let all = ["south pole", "South", "North_2", "North 100%", "Sandbox"];
    let cases: [(&str, &[&str]); 13] = [
        ("", &all),
        ("?status=active", &["south pole", "North 100%", "Sandbox"]),
        ("?status=suspended", &["South"]),
        ("?status=canceled", &["North_2"]),
        ("?search=nort", &["North_2", "North 100%"]),
        ("?search=SOUTH", &["south pole", "South"]),
        ("?search=%25", &[]),
        ("?search=north+1", &["North 100%"]),
        ("?search=p+south", &["south pole"]),
        ("?externalId=n-1", &["south pole", "North 100%"]),
        ("?externalId=s%201", &["South"]),
        ("?externalId=n", &[]),
        (
            "?externalId=n-1&search=south&status=active",
            &["south pole"],
        ),
    ];
    for (query, names) in cases {
        let (found, total) = listed(&app, query);
        assert_eq!(found, names, "{query}");
        assert_eq!(usize::try_from(total).unwrap(), names.len());
    }
    let (found, total) = listed(&app, "?search=s&pageSize=1&page=2");
    assert_eq!((found, total), (vec!["South".to_owned()], 3));
}

#[test]
fn parameters_that_cannot_be_used_are_400_and_named() {
    let app = TestApp::start();
    for (name, bad) in [
        ("page", &["0", "-1", "x", "", "1.5", "1000001"][..]),
        ("pageSize", &["0", "101", "-1", "x", ""]),
        ("status", &["ACTIVE", "deleted", ""]),
        ("search", &["%FF", "a%00"]),
    ] {
        for value in bad {
            let answer = partner(&app, "GET", &format!("{LIST}?{name}={value}"), &Value::Null);
            let message = partner_error(answer, 400, "BadRequest");
            assert!(message.contains(name), "{name}={value}: {message}");
        }
    }
    let long = format!("{LIST}?search={}", "x".repeat(256));
    partner_error(partner(&app, "GET", &long, &Value::Null), 400, "BadRequest");
}

/// Checks that a body is refused and that the message names the error.
#[track_caller]
fn check_bad(app: &TestApp, (method, path): (&str, &str), body: &str, names: &str) {
    let message = partner_error(raw(app, method, path, body), 400, "BadRequest");
    assert!(message.contains(names), "{method} {path} {body}: {message}");
}

#[test]
fn bodies_that_are_no_objects_are_400_on_every_route() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let before = rows(&app);
    let one = tenant.path("");
    let check = |method: &str, path: &str, body: &str, names: &str| {
        check_bad(&app, (method, path), body, names);
    };
    let routes = [
        ("POST", LIST.to_owned()),
        ("PATCH", one.clone()),
        ("PUT", tenant.path("/status")),
        ("PUT", tenant.path("/tier")),
        ("PUT", tenant.path("/credits")),
        ("POST", tenant.path("/api-keys")),
    ];
    for (method, path) in &routes {
        check(method, path, "{", "JSON");
        check(method, &format!("/api/v1{path}"), "{\"a\":1,}", "JSON");
        for body in ["", "null", "[]", "7", "\"x\""] {
            check(method, path, body, "the body");
        }
        let large = raw(&app, method, path, &" ".repeat(262_145));
        partner_error(large, 413, "PayloadTooLarge");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn fields_of_an_organization_that_cannot_be_used_are_400_and_named() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let before = rows(&app);
    let check = |method: &str, path: &str, body: &str, names: &str| {
        check_bad(&app, (method, path), body, names);
    };
    let one = tenant.path("");
    let long = |name: &str| format!(r#"{{"name":"x","{name}":"{}"}}"#, "é".repeat(256));
    for (method, path) in [("POST", LIST), ("PATCH", &one)] {
        for (body, names) in [
            (r#"{"name":""}"#, "name"),
            (r#"{"name":null}"#, "name"),
            (r#"{"name":7}"#, "name"),
            (r#"{"name":"a\u0000"}"#, "name"),
            (&long("externalId"), "externalId"),
            (r#"{"name":"x","externalId":""}"#, "externalId"),
            (r#"{"name":"x","externalId":7}"#, "externalId"),
            (r#"{"name":"x","metadata":[]}"#, "metadata"),
            (r#"{"name":"x","metadata":"{}"}"#, "metadata"),
        ] {
            check(method, path, body, names);
        }
    }
    for (body, names) in [
        ("{}", "name"),
        (&long("unknown").replace("\"x\"", "7"), "name"),
        (r#"{"name":"x","tier":"free"}"#, "tier"),
        (r#"{"name":"x","tier":null}"#, "tier"),
        (r#"{"name":"x","initialCredits":-1}"#, "initialCredits"),
        (r#"{"name":"x","initialCredits":1.5}"#, "initialCredits"),
        (r#"{"name":"x","initialCredits":"5"}"#, "initialCredits"),
    ] {
        check("POST", LIST, body, names);
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_status_tier_or_key_that_cannot_be_used_is_400_and_named() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let before = rows(&app);
    let check = |method: &str, path: &str, body: &str, names: &str| {
        check_bad(&app, (method, path), body, names);
    };
    for (rest, field) in [
        ("/status", "status"),
        ("/tier", "tier"),
        ("/api-keys", "name"),
    ] {
        let method = if field == "name" { "POST" } else { "PUT" };
        for value in ["\"\"", "7", "null", "[]", "\"Tri\nal\""] {
            let body = format!(r#"{{"{field}":{}}}"#, value.replace('\n', "\\n"));
            check(method, &tenant.path(rest), &body, field);
        }
        check(method, &tenant.path(rest), "{}", field);
    }
    check(
        "PUT",
        &tenant.path("/status"),
        r#"{"status":"ACTIVE"}"#,
        "status",
    );
    check("PUT", &tenant.path("/tier"), r#"{"tier":"gold"}"#, "tier");
    let body = r#"{"name":"x","programId":7}"#;
    check("POST", &tenant.path("/api-keys"), body, "programId");
    assert_eq!(rows(&app), before);
}

/// Every route to one organization, with valid input.
fn routes_to(id: &str) -> Vec<(&'static str, String, Value)> {
    let path = |rest: &str| format!("{LIST}/{id}{rest}");
    vec![
        ("GET", path(""), Value::Null),
        ("PATCH", path(""), json!({"name": "Changed"})),
        ("PUT", path("/status"), json!({"status": "suspended"})),
        ("PUT", path("/tier"), json!({"tier": "paid"})),
        ("PUT", path("/credits"), json!({"credits": 5})),
        ("GET", path("/api-keys"), Value::Null),
        ("POST", path("/api-keys"), json!({"name": "k"})),
        (
            "DELETE",
            path("/api-keys/550e8400-e29b-41d4-a716-446655440000"),
            Value::Null,
        ),
        ("DELETE", path("/api-keys/x"), Value::Null),
        ("DELETE", path(""), Value::Null),
    ]
}

#[test]
fn unknown_organizations_and_those_of_the_other_environment_are_404() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let before = rows(&app);
    for id in ["x", "550e8400-e29b-41d4-a716-446655440000", "%20"] {
        for (method, path, body) in routes_to(id) {
            partner_error(partner(&app, method, &path, &body), 404, "NotFound");
        }
    }
    for (method, path, body) in routes_to(&tenant.id) {
        for root in ["", "/api/v1"] {
            let answer = call(
                &app,
                PARTNER_LIVE_KEY,
                method,
                &format!("{root}{path}"),
                &body,
            );
            assert!(!answer.text().contains(&tenant.id));
            partner_error(answer, 404, "NotFound");
        }
    }
    assert_eq!(rows(&app), before);
    let list = get_as(&app, PARTNER_LIVE_KEY, LIST).expect(200);
    assert_eq!(column(&list["organizations"], "name"), ["Live"]);
    let unknown = partner(&app, "GET", "/partner/nothing", &Value::Null);
    partner_error(unknown, 404, "NotFound");
    let wrong = partner(&app, "DELETE", LIST, &Value::Null);
    assert_eq!(wrong.header("allow"), Some("GET, HEAD, POST"));
    partner_error(wrong, 405, "MethodNotAllowed");
}

#[test]
fn a_delete_cancels_without_a_word() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    exchange(&app, &tenant.key, "ada");
    let delete = || partner(&app, "DELETE", &tenant.path(""), &Value::Null);
    for _ in 0..2 {
        let answer = delete();
        assert_eq!((answer.status, answer.bytes.len()), (204, 0));
        assert_eq!(answer.header("content-type"), None);
        let one = partner_get(&app, &tenant.path(""));
        assert_eq!(one["organization"]["status"], "canceled");
    }
    get_as(&app, &tenant.key, "/v1/offers").expect_error(403, "FORBIDDEN");
    assert_eq!(listed(&app, "?status=canceled").0, ["Acme"]);
    let analytics = partner_get(&app, "/partner/analytics");
    assert_eq!(analytics["totalOrganizations"], 2);
    assert_eq!(analytics["activeOrganizations"], 1);
    assert_eq!(analytics["totalIdentifications"], 1);
    let body = json!({"status": "active"});
    partner(&app, "PUT", &tenant.path("/status"), &body).expect(200);
    get_as(&app, &tenant.key, "/v1/offers").expect(200);
}

#[test]
fn keys_are_made_listed_by_their_first_characters_and_revoked() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let (second, _) = program(&app, &tenant.key, "Second");
    let path = tenant.path("/api-keys");
    let make = |body: Value| partner(&app, "POST", &path, &body).expect(201);
    let first = make(json!({"name": "Till", "programId": null}));
    let other = make(json!({"name": "Shop", "programId": second}));
    let keys = [&first, &other].map(|made| made["plainKey"].as_str().unwrap().to_owned());
    for key in &keys {
        assert!(key.starts_with("expys_sandbox_"));
        get_as(&app, key, "/v1/members").expect(200);
    }
    get_as(&app, &keys[1], "/v1/programs").expect(200);
    exchange(&app, &keys[0], "ada");
    exchange(&app, &keys[1], "bob");
    let members = |key: &str| get_as(&app, key, "/v1/members").expect(200)["members"].clone();
    assert_eq!(
        members(&tenant.key),
        members(&keys[0]),
        "the oldest program"
    );
    assert_eq!(column(&members(&keys[1]), "externalUserID"), ["bob"]);
    let list = partner_get(&app, &path);
    let all = &list["apiKeys"];
    assert_eq!(
        column(all, "name"),
        ["Shop", "Till", "first key", "first key"]
    );
    assert_eq!(column(all, "programId")[0], second);
    let prefixes = column(all, "keyPrefix");
    for (prefix, key) in prefixes.iter().zip([&keys[1], &keys[0]]) {
        assert!(key.starts_with(prefix) && prefix.len() < key.len() / 2);
    }
    let distinct: BTreeSet<_> = column(all, "id").into_iter().collect();
    assert_eq!(distinct.len(), 4);
    // A revoked key is unknown from the next request on; a token created with it stays valid.
    let token = exchange(&app, &keys[0], "ada");
    let revoke = |made: &Value| {
        let id = made["apiKey"]["id"].as_str().unwrap();
        partner(&app, "DELETE", &format!("{path}/{id}"), &Value::Null)
    };
    let revoked = revoke(&first);
    assert_eq!((revoked.status, revoked.bytes.len()), (204, 0));
    get_as(&app, &keys[0], "/v1/members").expect_error(401, "UNAUTHORIZED");
    get_as(&app, &token, "/v1/wallet").expect(200);
    get_as(&app, &keys[1], "/v1/members").expect(200);
    get_as(&app, &tenant.key, "/v1/members").expect(200);
    partner_error(revoke(&first), 404, "NotFound");
    let list = partner_get(&app, &path);
    assert_eq!(column(&list["apiKeys"], "name")[0], "Shop");
    assert_eq!(list["apiKeys"].as_array().unwrap().len(), 3);
    let app = app.restart();
    get_as(&app, &keys[0], "/v1/members").expect_error(401, "UNAUTHORIZED");
    get_as(&app, &keys[1], "/v1/members").expect(200);
}

#[test]
fn keys_and_programs_of_another_organization_are_404() {
    let app = TestApp::start();
    let [one, two] = ["One", "Two"].map(|name| organization_of(&app, PARTNER_SANDBOX_KEY, name));
    let keys = partner_get(&app, &two.path("/api-keys"));
    let key = keys["apiKeys"][0]["id"].as_str().unwrap();
    let foreign = keys["apiKeys"][0]["programId"].clone();
    let live = get_as(&app, LIVE_KEY, "/v1/programs").expect(200)["data"][0]["id"].clone();
    let before = rows(&app);
    let path = one.path(&format!("/api-keys/{key}"));
    partner_error(
        partner(&app, "DELETE", &path, &Value::Null),
        404,
        "NotFound",
    );
    for id in [foreign, live, json!("x"), json!("")] {
        let body = json!({"name": "k", "programId": id});
        let answer = partner(&app, "POST", &one.path("/api-keys"), &body);
        partner_error(answer, 404, "NotFound");
    }
    assert_eq!(rows(&app), before);
    get_as(&app, &two.key, "/v1/members").expect(200);
    // The partner's own keys are in no list.
    for id in [&one, &two] {
        let list = partner_get(&app, &id.path("/api-keys"));
        assert_eq!(column(&list["apiKeys"], "name"), ["first key"]);
    }
}

#[test]
fn keys_of_a_suspended_organization_can_be_made_and_wait() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    let set = |status: &str| {
        let body = json!({"status": status});
        partner(&app, "PUT", &tenant.path("/status"), &body).expect(200)
    };
    set("suspended");
    let made = partner(
        &app,
        "POST",
        &tenant.path("/api-keys"),
        &json!({"name": "k"}),
    );
    let made = made.expect(201);
    let key = made["plainKey"].as_str().unwrap();
    get_as(&app, key, "/v1/members").expect_error(403, "FORBIDDEN");
    set("active");
    get_as(&app, key, "/v1/members").expect(200);
}

#[test]
fn the_other_address_answers_the_same() {
    let app = TestApp::start();
    let tenant = organization_of(&app, PARTNER_SANDBOX_KEY, "Acme");
    app.token("ada");
    for path in [
        LIST.to_owned(),
        format!("{LIST}?pageSize=1&page=2"),
        tenant.path(""),
        tenant.path("/api-keys"),
        "/partner/analytics?startDate=2026-06-01".to_owned(),
        "/partner/usage".to_owned(),
        "/partner/me".to_owned(),
        "/partner/billing".to_owned(),
        "/partner/billing/usage".to_owned(),
        "/partner/usage?startDate=x".to_owned(),
        "/partner/nothing".to_owned(),
    ] {
        let plain = get_as(&app, PARTNER_SANDBOX_KEY, &path);
        let alias = get_as(&app, PARTNER_SANDBOX_KEY, &format!("/api/v1{path}"));
        assert_eq!(alias.status, plain.status, "{path}");
        assert_eq!(alias.bytes, plain.bytes, "{path}");
    }
    let alias = |method: &str, rest: &str, body: &Value| {
        let path = format!("/api/v1{}", tenant.path(rest));
        partner(&app, method, &path, body)
    };
    alias("PATCH", "", &json!({"name": "Renamed"})).expect(200);
    alias("PUT", "/tier", &json!({"tier": "paid"})).expect(200);
    alias("PUT", "/credits", &json!({"credits": 700})).expect(200);
    let made = alias("POST", "/api-keys", &json!({"name": "k"})).expect(201);
    let id = made["apiKey"]["id"].as_str().unwrap();
    let revoked = alias("DELETE", &format!("/api-keys/{id}"), &Value::Null);
    assert_eq!(revoked.status, 204);
    alias("PUT", "/status", &json!({"status": "suspended"})).expect(200);
    assert_eq!(alias("DELETE", "", &Value::Null).status, 204);
    let one = partner_get(&app, &tenant.path(""));
    let found = ["name", "status", "tier"].map(|name| one["organization"][name].clone());
    assert_eq!(found, ["Renamed", "canceled", "paid"]);
    assert_eq!(one["organization"]["credits"], 700);
    // Only the partner's routes have an alias.
    let none = get_as(&app, SANDBOX_KEY, "/api/v1/v1/programs");
    none.expect_error(404, "NOT_FOUND");
}
