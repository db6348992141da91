//! Participants: the earning engine's view of members.

use serde_json::{Value, json};

use crate::balances::Flat as _;
use crate::support::{SANDBOX_KEY, TestApp};

fn create(app: &TestApp, id: &str) -> Value {
    let body = json!({"external_id": id});
    app.post("/v1/participants", &body).expect(201)
}

fn path(participant: &Value) -> String {
    format!("/v1/participants/{}", participant["id"].as_str().unwrap())
}

fn set_status(app: &TestApp, participant: &Value, status: &str) -> Value {
    let path = format!("{}/status", path(participant));
    app.patch(&path, &json!({"status": status})).expect(200)
}

/// The external ids of a list, over all its pages.
fn listed(app: &TestApp, query: &str) -> Vec<String> {
    let mut ids = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app.get(&format!("/v1/participants?limit=2&{query}{cursor}"));
        let page = page.expect(200);
        for row in page["data"].as_array().unwrap() {
            ids.push(row["external_id"].as_str().unwrap().to_owned());
        }
        let Some(next) = page["pagination"]["next_cursor"].as_str() else {
            assert_eq!(page["pagination"]["has_more"], false);
            return ids;
        };
        cursor = format!("&cursor={next}");
    }
}

fn verify(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

#[test]
fn a_participant_is_a_member_of_both_surfaces() {
    let app = TestApp::start();
    let attributes = json!({"city": "Bath", "size": 1.5, "tags": ["a"]});
    let profile = json!({"displayName": "Ada", "attributes": attributes});
    app.put("/v1/members/ada", &profile).expect(200);
    let body = json!({"external_id": "ada", "email": "ada@example.com",
        "attributes": {"city": "Rome"}});
    let ada = app.post("/v1/participants", &body).expect(200);
    assert_eq!(
        ada["attributes"],
        json!({"city": "Rome", "size": "1.5", "tags": "[\"a\"]"})
    );
    assert_eq!(ada["display_name"], "Ada");
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(member["email"], "ada@example.com");
    assert_eq!(
        member["attributes"],
        json!({"city": "Rome", "size": 1.5, "tags": ["a"]})
    );
    assert_eq!(member["version"], ada["version"]);
    // An empty text clears a field, and an absent one keeps it.
    let ada = app.patch(&path(&ada), &json!({"email": ""})).expect(200);
    assert_eq!(
        (&ada["email"], &ada["display_name"]),
        (&Value::Null, &json!("Ada"))
    );
    let read = app.get(&path(&ada));
    let tag = format!("\"{}\"", ada["version"]);
    assert_eq!(read.header("etag"), Some(&*tag));
    assert_eq!(read.expect(200), ada);
    let stale = app.request("PATCH", &path(&ada)).bearer(SANDBOX_KEY);
    let stale = stale
        .header("If-Match", "\"1\"")
        .json(&json!({"phone": "12345"}))
        .send();
    stale.expect_refusal(412, "precondition_failed");
    verify(&app);
}

#[test]
fn a_new_participant_has_all_fields_and_a_retry_gets_the_same_answer() {
    let app = TestApp::start();
    let body = json!({"external_id": "bob", "idempotency_key": "k1"});
    let first = app.post("/v1/participants", &body).expect(201);
    assert_eq!(app.post("/v1/participants", &body).expect(201), first);
    // The key may be in the header, in the body, or in both if they are equal.
    let plain = json!({"external_id": "bob"});
    let header = |key: &str, body: &Value| {
        let request = app.request("POST", "/v1/participants").bearer(SANDBOX_KEY);
        request.idempotency_key(key).json(body).send()
    };
    assert_eq!(header("k1", &plain).expect(201), first);
    assert_eq!(header("k1", &body).expect(201), first);
    let message = header("k2", &body).expect_refusal(400, "bad_request");
    assert!(message.starts_with("idempotency_key "), "{message}");
    let other = json!({"external_id": "eve", "idempotency_key": "k1"});
    app.post("/v1/participants", &other)
        .expect_refusal(409, "idempotency_conflict");
    let program = app.get("/v1/programs/current").expect(200);
    assert_eq!(first["program_ids"], json!([program["id"]]));
    let asset = app.get("/v1/assets/default").expect(200);
    let balance = json!({"asset_id": asset["id"], "available": "0", "deferred": "0", "held": "0"});
    assert_eq!(first["balances"], json!([balance]));
    assert_eq!(first["status"], "ACTIVE");
    for (field, empty) in [
        ("counters", json!({})),
        ("tiers", json!({})),
        ("tags", json!([])),
    ] {
        assert_eq!(first[field], empty, "{field}");
    }
}

#[test]
fn an_id_can_be_changed_unless_another_participant_has_it() {
    let app = TestApp::start();
    let (ada, _) = (create(&app, "ada"), create(&app, "bob"));
    app.patch(&path(&ada), &json!({"external_id": "bob"}))
        .expect_refusal(409, "conflict");
    let renamed = app.patch(&path(&ada), &json!({"external_id": "lovelace"}));
    assert_eq!(renamed.expect(200)["id"], ada["id"]);
    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    let credit = json!({"externalUserID": "lovelace", "amount": 5});
    app.post("/v1/wallet/credit", &credit).expect(200);
    assert_eq!(listed(&app, "search=love"), ["lovelace"]);
    assert_eq!(listed(&app, "search=ada"), [""; 0]);
    verify(&app);
    let app = app.restart();
    assert_eq!(app.balance("lovelace"), 5);
    assert_eq!(app.get(&path(&ada)).expect(200)["external_id"], "lovelace");
}

#[test]
fn a_suspended_member_neither_earns_nor_spends_and_keeps_the_rest() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &offer);
    let row = app.get("/v1/participants?external_id=ada").expect(200);
    let ada = &row["data"][0];
    let token = app.token("ada");
    let active = app.summary()["activeMembers"].clone();
    assert_eq!(set_status(&app, ada, "SUSPENDED")["status"], "SUSPENDED");
    assert_eq!(app.summary()["activeMembers"], active);
    let suspended_at = || {
        let list = app.get("/v1/members").expect(200)["members"][0].take();
        let alone = app.get("/v1/members/ada").expect(200);
        assert_eq!(list, alone);
        alone["suspendedAt"].clone()
    };
    assert_eq!(suspended_at(), "2026-06-15T12:00:00.000Z");

    let points = json!({"externalUserID": "ada", "amount": 5});
    for path in ["/v1/wallet/credit", "/v1/wallet/debit"] {
        let message = app.post(path, &points).expect_error(403, "FORBIDDEN");
        assert!(message.contains("suspended"), "{message}");
    }
    let again = app.offer(json!({"pointsPrice": 10}));
    let body = json!({"offer": again, "externalUserID": "ada"});
    app.post("/v1/redemptions", &body)
        .expect_error(403, "FORBIDDEN");
    let as_member = app.request("POST", "/v1/redemptions").bearer(&token);
    as_member
        .json(&json!({"offer": again}))
        .send()
        .expect_error(403, "FORBIDDEN");
    // Refunds, reads and tokens work.
    app.post(&format!("/v1/redemptions/{redemption}/cancel"), &json!({}))
        .expect(200);
    assert_eq!(app.balance("ada"), 100);
    app.token("ada");
    assert_eq!(
        app.request("GET", "/v1/wallet")
            .bearer(&token)
            .send()
            .status,
        200
    );
    verify(&app);
    let app = app.restart();
    assert_eq!(app.get(&path(ada)).expect(200)["status"], "SUSPENDED");
    app.post("/v1/wallet/credit", &points)
        .expect_error(403, "FORBIDDEN");
    set_status(&app, ada, "ACTIVE");
    let active = app.get("/v1/members/ada").expect(200);
    assert_eq!(active["suspendedAt"], json!(null));
    app.post("/v1/wallet/credit", &points).expect(200);
    verify(&app);
}

#[test]
fn every_status_follows_every_other_and_points_stay() {
    let app = TestApp::start();
    app.member("ada", 100);
    let ada = app.get("/v1/participants").expect(200)["data"][0].clone();
    let statuses = ["ACTIVE", "SUSPENDED", "CLOSED"];
    for from in statuses {
        for to in statuses {
            set_status(&app, &ada, from);
            let changed = set_status(&app, &ada, to);
            assert_eq!(
                (&changed["status"], &changed["id"]),
                (&json!(to), &ada["id"])
            );
            assert_eq!(changed["balances"][0]["available"], "100");
            // The same status again changes nothing.
            assert_eq!(set_status(&app, &ada, to), changed, "{from} {to}");
            let found = app.get("/v1/members/ada").status;
            assert_eq!(found == 404, to == "CLOSED", "{from} {to}");
        }
    }
    // An update of a closed participant leaves it closed; a member that is set comes back.
    let body = json!({"external_id": "ada", "display_name": "Ada"});
    set_status(&app, &ada, "CLOSED");
    let updated = app.post("/v1/participants", &body).expect(200);
    assert_eq!(
        (&updated["status"], &updated["display_name"]),
        (&json!("CLOSED"), &json!("Ada"))
    );
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(app.get(&path(&ada)).expect(200)["status"], "ACTIVE");
    set_status(&app, &ada, "SUSPENDED");
    app.delete("/v1/members/ada").expect(200);
    let closed = app.get(&path(&ada)).expect(200);
    assert_eq!(
        (&closed["status"], &closed["balances"][0]["available"]),
        (&json!("CLOSED"), &json!("0"))
    );
    verify(&app);
}

#[test]
fn lists_have_filters_orders_and_pages() {
    let app = TestApp::start();
    let ids = ["dora", "ada", "carl", "bob", "eve"];
    let mut all = Vec::new();
    let mut times = Vec::new();
    for id in ids {
        app.clock.advance(std::time::Duration::from_mins(1));
        let one = create(&app, id);
        times.push(one["created_at"].as_str().unwrap().to_owned());
        all.push(one);
    }
    set_status(&app, &all[1], "SUSPENDED");
    set_status(&app, &all[4], "CLOSED");
    set_status(&app, &all[2], "CLOSED");
    for (query, expected) in [
        ("", &["eve", "bob", "carl", "ada", "dora"][..]),
        ("sort_dir=asc", &ids),
        (
            "sort_by=external_id",
            &["ada", "bob", "carl", "dora", "eve"],
        ),
        (
            "sort_by=external_id&sort_dir=desc",
            &["eve", "dora", "carl", "bob", "ada"],
        ),
        ("sort_by=status", &["dora", "bob", "carl", "eve", "ada"]),
        (
            "sort_by=status&sort_dir=desc",
            &["ada", "eve", "carl", "bob", "dora"],
        ),
        ("status=CLOSED", &["eve", "carl"]),
        ("status=ACTIVE&sort_by=external_id", &["bob", "dora"]),
        ("status=SUSPENDED&sort_by=status", &["ada"]),
        ("external_id=carl", &["carl"]),
        ("external_id=car", &[]),
        ("search=car", &["carl"]),
        ("search=e&status=CLOSED", &["eve"]),
        ("search=e&status=ACTIVE", &[]),
    ] {
        assert_eq!(listed(&app, query), expected, "{query}");
    }
    let (from, to) = (&times[1], &times[3]);
    let within = listed(&app, &format!("from={from}&to={to}"));
    assert_eq!(within, ["bob", "carl", "ada"]);
    let program = app.get("/v1/programs/current").expect(200);
    let own = format!("program_id={}", program["id"].as_str().unwrap());
    assert_eq!(listed(&app, &own).len(), 5);
    for (query, status, code) in [
        (
            "program_id=0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
            403,
            "forbidden",
        ),
        ("program_id=x", 400, "bad_request"),
        ("limit=201", 400, "bad_request"),
        ("status=OPEN", 400, "bad_request"),
        ("search=a&sort_by=status", 400, "bad_request"),
        ("search=a&sort_dir=asc", 400, "bad_request"),
    ] {
        let path = format!("/v1/participants?{query}");
        app.get(&path).expect_refusal(status, code);
    }
}

#[test]
fn bad_input_names_its_field() {
    let app = TestApp::start();
    let ada = create(&app, "ada");
    for (body, field) in [
        (json!({}), "external_id"),
        (json!({"external_id": " "}), "external_id"),
        (json!({"external_id": "a", "status": "GONE"}), "status"),
        (json!({"external_id": "a", "email": "x"}), "email"),
        (
            json!({"external_id": "a", "attributes": {"n": 1}}),
            "attributes.n",
        ),
        (json!({"external_id": "a", "first_name": "A"}), "first_name"),
        (json!({"external_id": "a", "tags": [""]}), "tags[0]"),
        (json!({"external_id": "a", "program_id": "x"}), "program_id"),
    ] {
        let response = app.post("/v1/participants", &body);
        let message = response.expect_refusal(400, "bad_request");
        assert!(message.starts_with(field), "{field}: {message}");
    }
    let body = json!({"external_id": "a", "program_id": ada["id"]});
    app.post("/v1/participants", &body)
        .expect_refusal(403, "forbidden");
    for id in ["ada", "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"] {
        let path = format!("/v1/participants/{id}");
        app.get(&path).expect_refusal(404, "not_found");
        app.patch(&path, &json!({}))
            .expect_refusal(404, "not_found");
    }
}
