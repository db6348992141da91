use serde_json::{Value, json};

use crate::client::{
    activities, cancel, column, credit, encode, get_as, names, number, post_as, put_raw, race,
    rows, try_redeem,
};
use crate::support::{Response, SANDBOX_KEY, TestApp};

fn exchange(app: &TestApp, member: &str) -> Response {
    app.post("/v1/auth/exchange", &json!({"externalUserID": member}))
}

#[test]
fn a_put_creates_a_member_in_the_default_tier_with_nothing_else_set() {
    let app = TestApp::start();
    let body = app.put("/v1/members/ada", &json!({})).expect(200);
    let expected = json!({
        "externalUserID": "ada", "displayName": null, "tier": "standard", "attributes": null,
    });
    assert_eq!(body, expected);
    assert_eq!(activities(&app, 1), 1);
}

#[test]
fn a_put_keeps_what_it_omits_and_clears_what_is_null() {
    let app = TestApp::start();
    let all = json!({"displayName": "Ada", "tier": "gold", "attributes": {"plan": "annual"}});
    app.put("/v1/members/ada", &all).expect(200);

    let kept = app.put("/v1/members/ada", &json!({})).expect(200);
    let renamed = app
        .put("/v1/members/ada", &json!({"displayName": "Ada L."}))
        .expect(200);
    let replaced = app
        .put("/v1/members/ada", &json!({"attributes": {"region": "eu"}}))
        .expect(200);
    let cleared = app
        .put(
            "/v1/members/ada",
            &json!({"displayName": null, "attributes": null}),
        )
        .expect(200);

    let member = |name: Value, attributes: Value| json!({"externalUserID": "ada", "displayName": name, "tier": "gold", "attributes": attributes});
    assert_eq!(kept, member(json!("Ada"), json!({"plan": "annual"})));
    assert_eq!(renamed, member(json!("Ada L."), json!({"plan": "annual"})));
    assert_eq!(replaced, member(json!("Ada L."), json!({"region": "eu"})));
    assert_eq!(cleared, member(Value::Null, Value::Null));
}

#[test]
fn the_same_put_again_writes_nothing() {
    let app = TestApp::start();
    let body = json!({"displayName": "Ada", "tier": "gold"});
    let first = app.put("/v1/members/ada", &body);
    let before = rows(&app);
    let second = app.put("/v1/members/ada", &body);
    assert_eq!(first.bytes, second.bytes);
    assert_eq!(rows(&app), before);
}

#[test]
fn a_tier_is_never_null_or_empty() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    for bad in [json!(null), json!(""), json!(7), json!("x".repeat(65))] {
        let message = app
            .put("/v1/members/ada", &json!({"tier": bad}))
            .expect_error(422, "VALIDATION");
        assert!(message.contains("tier"), "{message}");
    }
    assert_eq!(
        app.get("/v1/members/ada").expect(200)["tier"],
        json!("gold")
    );
}

#[test]
fn a_change_of_tier_is_one_event_and_a_new_member_with_a_tier_is_only_a_signup() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    assert_eq!((activities(&app, 1), activities(&app, 2)), (1, 0));
    app.put("/v1/members/ada", &json!({"tier": "vip"}))
        .expect(200);
    app.put(
        "/v1/members/ada",
        &json!({"tier": "vip", "displayName": "A"}),
    )
    .expect(200);
    assert_eq!((activities(&app, 1), activities(&app, 2)), (1, 1));
}

#[test]
fn attributes_come_back_byte_for_byte() {
    let app = TestApp::start();
    let given = r#"{ "z" :1,"a":  [ 1.0 , 1e2,123456789012345678901234567890 ] ,"Ä": "\u00e4\/",
	"nested":{"b":-0.10,"a":null}}"#;
    let answer = put_raw(
        &app,
        "/v1/members/ada",
        &format!(r#"{{"attributes": {given} }}"#),
    );
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().contains(given), "{}", answer.text());
    for path in ["/v1/members/ada", "/v1/members"] {
        let read = app.get(path);
        assert!(read.text().contains(given), "{}", read.text());
    }
}

#[test]
fn attributes_are_an_object_of_at_most_16_kib() {
    let app = TestApp::start();
    let sized = |bytes: usize| format!(r#"{{"k":"{}"}}"#, "x".repeat(bytes - 8));
    let put = |attributes: &str| {
        let body = format!(r#"{{"attributes":{attributes}}}"#);
        put_raw(&app, "/v1/members/ada", &body)
    };
    assert_eq!(put(&sized(16 * 1024)).status, 200);
    let before = rows(&app);
    for bad in [&sized(16 * 1024 + 1), "[]", "\"text\"", "1", "true"] {
        let message = put(bad).expect_error(422, "VALIDATION");
        assert!(message.contains("attributes"), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn of_attributes_given_twice_the_last_count_and_they_are_found_however_spelled() {
    let app = TestApp::start();
    let twice = r#"{"attributes":{"a":1},"attributes":{"a":2}}"#;
    let answer = put_raw(&app, "/v1/members/ada", twice);
    assert_eq!(answer.expect(200)["attributes"], json!({"a": 2}));
    let spelled = r#"{"\u0061ttributes":{"attributes": 1, "b":2,"b":3}}"#;
    let answer = put_raw(&app, "/v1/members/ada", spelled);
    assert!(
        answer.text().contains(r#"{"attributes": 1, "b":2,"b":3}"#),
        "{}",
        answer.text()
    );
}

#[test]
fn of_two_first_puts_at_once_one_signs_the_member_up() {
    let app = TestApp::start();
    for round in 1..=8 {
        let path = format!("/v1/members/member{round}");
        let send = || app.put(&path, &json!({"tier": "gold"}));
        assert_eq!(race([&send, &send]), [200, 200]);
        assert_eq!(activities(&app, 1), round);
    }
    assert_eq!(app.summary()["memberCount"], 8);
}

#[test]
fn two_removals_at_once_remove_once_and_have_the_same_answer() {
    let app = TestApp::start();
    for round in 0..8 {
        let member = format!("member{round}");
        app.member(&member, 10);
        let path = format!("/v1/members/{member}");
        let send = || app.delete(&path);
        assert_eq!(race([&send, &send]), [200, 200]);
    }
    assert_eq!(activities(&app, 3), 8);
    assert_eq!(app.summary()["pointsForfeited"], 80);
}

#[test]
fn an_id_may_hold_anything_but_control_characters() {
    let app = TestApp::start();
    let ids = [
        "a/b",
        "a b",
        "ünï/🦊",
        "..",
        ".",
        "a%2Fb",
        "a+b",
        "100%",
        "?x=1#y",
        "a\\b",
        "'\"",
    ];
    for id in ids {
        let path = format!("/v1/members/{}", encode(id));
        let set = app.put(&path, &json!({})).expect(200);
        assert_eq!(set["externalUserID"], id);
        assert_eq!(app.get(&path).expect(200)["externalUserID"], id);
        credit(&app, id, 5);
        let wallet = format!("/v1/wallet?externalUserID={}", encode(id));
        assert_eq!(app.get(&wallet).expect(200)["balance"], 5, "{id}");
    }
    let listed = app.get("/v1/members?limit=100").expect(200);
    let mut listed = column(&listed["members"], "externalUserID");
    listed.reverse();
    assert_eq!(listed, ids);
}

#[test]
fn an_id_has_1_to_255_characters() {
    let app = TestApp::start();
    let longest = "é".repeat(255);
    let path = |id: &str| format!("/v1/members/{}", encode(id));
    app.put(&path(&longest), &json!({})).expect(200);
    app.token(&longest);
    let before = rows(&app);
    for bad in [
        "é".repeat(256),
        "a\nb".to_owned(),
        "\u{85}".to_owned(),
        "\u{1}".to_owned(),
    ] {
        for method in ["GET", "PUT", "DELETE"] {
            let request = app.request(method, &path(&bad)).bearer(SANDBOX_KEY);
            let message = request.raw("{}").send().expect_error(422, "VALIDATION");
            assert!(message.contains("externalUserID"), "{message}");
        }
        let message = exchange(&app, &bad).expect_error(422, "VALIDATION");
        assert!(message.contains("externalUserID"), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_display_name_has_up_to_255_characters() {
    let app = TestApp::start();
    let put = |name: String| app.put("/v1/members/ada", &json!({"displayName": name}));
    put("é".repeat(255)).expect(200);
    let message = put("é".repeat(256)).expect_error(422, "VALIDATION");
    assert!(message.contains("displayName"), "{message}");
}

#[test]
fn an_unknown_member_is_404_everywhere() {
    let app = TestApp::start();
    let before = rows(&app);
    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    app.get("/v1/members/ada?includeArchived=true")
        .expect_error(404, "NOT_FOUND");
    app.delete("/v1/members/ada").expect_error(404, "NOT_FOUND");
    for path in [
        "eligibility",
        "wallet",
        "wallet/transactions",
        "redemptions",
    ] {
        app.get(&format!("/v1/{path}?externalUserID=ada"))
            .expect_error(404, "NOT_FOUND");
    }
    for path in ["/v1/wallet/credit", "/v1/wallet/debit"] {
        let body = json!({"externalUserID": "ada", "amount": 1});
        app.post(path, &body).expect_error(404, "NOT_FOUND");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_removal_forfeits_the_balance_unless_it_is_retained() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.member("bob", 50);
    app.member("eve", 0);

    let ada = app.delete("/v1/members/ada").expect(200);
    let bob = app.delete("/v1/members/bob?retainBalance=true").expect(200);
    let eve = app
        .delete("/v1/members/eve?retainBalance=false")
        .expect(200);

    let removed = |id: &str, retained: bool| json!({"externalUserID": id, "archived": true, "balanceRetained": retained});
    assert_eq!(ada, removed("ada", false));
    assert_eq!(bob, removed("bob", true));
    assert_eq!(eve, removed("eve", false));
    let balance = |id: &str| {
        let path = format!("/v1/members/{id}?includeArchived=true");
        app.get(&path).expect(200)["wallet"]["balance"].clone()
    };
    assert_eq!((balance("ada"), balance("bob")), (json!(0), json!(50)));
    let forfeits = number(&app, "SELECT count(*) FROM activity WHERE entry = 4");
    assert_eq!(forfeits, 1, "nothing is forfeited of nothing");
    assert_eq!(activities(&app, 3), 3);
    assert_eq!(app.summary()["pointsForfeited"], 70);
}

#[test]
fn retain_balance_is_true_or_false() {
    let app = TestApp::start();
    app.member("ada", 70);
    let before = rows(&app);
    for (name, value) in [
        ("retainBalance", "1"),
        ("retainBalance", ""),
        ("erase", "yes"),
    ] {
        let message = app
            .delete(&format!("/v1/members/ada?{name}={value}"))
            .expect_error(422, "VALIDATION");
        assert!(message.contains(name), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_removed_member_is_404_but_for_include_archived() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.delete("/v1/members/ada").expect(200);
    let before = rows(&app);

    app.get("/v1/members/ada").expect_error(404, "NOT_FOUND");
    exchange(&app, "ada").expect_error(404, "NOT_FOUND");
    for path in [
        "eligibility",
        "wallet",
        "wallet/transactions",
        "redemptions",
    ] {
        app.get(&format!("/v1/{path}?externalUserID=ada"))
            .expect_error(404, "NOT_FOUND");
    }
    let body = json!({"externalUserID": "ada", "amount": 1});
    app.post("/v1/wallet/credit", &body)
        .expect_error(404, "NOT_FOUND");

    let shown = app.get("/v1/members/ada?includeArchived=true").expect(200);
    assert_eq!(shown["archivedAt"], "2026-06-15T12:00:00.000Z");
    assert_eq!(rows(&app), before);
}

#[test]
fn a_put_restores_a_removed_member_with_the_same_history_and_no_new_signup() {
    let app = TestApp::start();
    let full = json!({"displayName": "Ada", "tier": "gold", "attributes": {"a": 1}});
    app.put("/v1/members/ada", &full).expect(200);
    credit(&app, "ada", 70);
    app.delete("/v1/members/ada?retainBalance=true").expect(200);

    let restored = app.put("/v1/members/ada", &json!({})).expect(200);

    assert_eq!(
        names(&restored),
        ["attributes", "displayName", "externalUserID", "tier"]
    );
    assert_eq!(restored["displayName"], "Ada");
    assert_eq!(restored["tier"], "gold");
    let summary = app.get("/v1/members/ada").expect(200);
    assert_eq!(summary["wallet"]["balance"], 70);
    assert_eq!(summary["archivedAt"], Value::Null);
    let totals = app.summary();
    assert_eq!(
        (&totals["memberCount"], &totals["activeMembers"]),
        (&json!(1), &json!(1))
    );
    assert_eq!((activities(&app, 1), activities(&app, 2)), (1, 0));
}

#[test]
fn a_token_dies_with_the_removal_and_stays_dead_after_the_restoration() {
    let app = TestApp::start();
    app.member("ada", 70);
    let offer = app.offer(json!({}));
    let token = app.token("ada");
    get_as(&app, &token, "/v1/wallet").expect(200);
    let dead = || {
        for path in ["/v1/wallet", "/v1/eligibility", "/v1/wallet/transactions"] {
            get_as(&app, &token, path).expect_error(401, "UNAUTHORIZED");
        }
        let id = format!("/v1/offers/{offer}");
        for path in ["/v1/offers", &id, "/v1/redemptions"] {
            get_as(&app, &token, path).expect_error(401, "UNAUTHORIZED");
        }
        let response = post_as(&app, &token, "/v1/redemptions", &json!({"offer": offer}));
        assert_eq!(response.header("www-authenticate"), Some("Bearer"));
        response.expect_error(401, "UNAUTHORIZED");
    };

    app.delete("/v1/members/ada").expect(200);
    dead();
    app.put("/v1/members/ada", &json!({})).expect(200);
    dead();

    let fresh = app.token("ada");
    get_as(&app, &fresh, "/v1/wallet").expect(200);
}

#[test]
fn the_open_redemptions_of_a_removed_member_stay_as_they_are() {
    let app = TestApp::start();
    app.member("ada", 70);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let redemption = app.redeem("ada", &offer);
    app.delete("/v1/members/ada").expect(200);
    let path = format!("/v1/redemptions/{redemption}");
    assert_eq!(app.get(&path).expect(200)["status"], "SUBMITTED");
    let counts =
        app.get("/v1/members/ada?includeArchived=true").expect(200)["redemptionCounts"].clone();
    assert_eq!(counts["SUBMITTED"], 1);
    try_redeem(&app, "ada", &offer).expect_error(404, "NOT_FOUND");
}

#[test]
fn erasure_removes_who_it_was_and_keeps_the_ledger_and_the_figures() {
    let app = TestApp::start();
    let secrets = ["ada-the-id", "Ada Lovelace", "ada@example.com", "tall"];
    let body = json!({
        "externalUserID": "ada-the-id", "displayName": "Ada Lovelace", "email": "ada@example.com",
    });
    app.post("/v1/auth/exchange", &body).expect(200);
    app.put(
        "/v1/members/ada-the-id",
        &json!({"attributes": {"is": "tall"}}),
    )
    .expect(200);
    credit(&app, "ada-the-id", 70);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let redemption = app.redeem("ada-the-id", &offer);
    let before = app.summary();

    let removed = app
        .delete("/v1/members/ada-the-id?erase=true&retainBalance=true")
        .expect(200);

    assert_eq!(removed["externalUserID"], "ada-the-id");
    for row in rows(&app) {
        assert!(!secrets.iter().any(|text| row.contains(text)), "{row}");
    }
    app.get("/v1/members/ada-the-id?includeArchived=true")
        .expect_error(404, "NOT_FOUND");
    let shown = app.get("/v1/members?includeArchived=true").expect(200)["members"][0].clone();
    assert_ne!(shown["externalUserID"], "ada-the-id");
    assert_eq!(
        (&shown["displayName"], &shown["attributes"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM activity WHERE entry IS NOT NULL"
        ),
        2
    );
    let mut expected = before;
    expected["activeMembers"] = json!(0);
    assert_eq!(app.summary(), expected);
    let found = app
        .get(&format!("/v1/redemptions/{redemption}"))
        .expect(200);
    assert_eq!(found["externalUserID"], shown["externalUserID"]);
    // A refund still finds the wallet.
    cancel(&app, &redemption).expect(200);
    assert_eq!(app.summary()["pointsRefunded"], 30);
}

#[test]
fn whoever_comes_back_after_an_erasure_is_a_new_member() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.delete("/v1/members/ada?erase=true").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(app.balance("ada"), 0);
    assert_eq!(app.summary()["memberCount"], 2);
}

#[test]
fn someone_removed_before_can_still_be_erased() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.delete("/v1/members/ada").expect(200);
    app.delete("/v1/members/ada?erase=true").expect(200);
    app.get("/v1/members/ada?includeArchived=true")
        .expect_error(404, "NOT_FOUND");
    assert_eq!(activities(&app, 3), 1);
}

#[track_caller]
fn listed(app: &TestApp, query: &str, expected: &[&str]) {
    let page = app.get(&format!("/v1/members{query}")).expect(200);
    assert_eq!(
        column(&page["members"], "externalUserID"),
        expected,
        "{query}"
    );
}

#[test]
fn a_list_is_newest_first_and_leaves_the_removed_out_unless_asked() {
    let app = TestApp::start();
    for id in ["ada", "bob", "eve"] {
        app.member(id, 0);
    }
    app.delete("/v1/members/bob").expect(200);
    listed(&app, "", &["eve", "ada"]);
    listed(&app, "?includeArchived=false", &["eve", "ada"]);
    listed(&app, "?includeArchived=true", &["eve", "bob", "ada"]);
    app.get("/v1/members?includeArchived=1")
        .expect_error(422, "VALIDATION");
}

#[test]
fn a_search_looks_into_ids_and_names_and_knows_no_wildcards() {
    let app = TestApp::start();
    for (id, name) in [
        ("a_b", "Percy"),
        ("axb", "100% Ada"),
        ("c", "1000 Ada"),
        ("d\\e", "Dee"),
    ] {
        let path = format!("/v1/members/{}", encode(id));
        app.put(&path, &json!({"displayName": name})).expect(200);
    }
    listed(&app, "?search=a_b", &["a_b"]);
    listed(&app, "?search=100%25", &["c", "axb"]);
    listed(&app, "?search=Ada", &["c", "axb"]);
    listed(&app, "?search=d%5Ce", &["d\\e"]);
    listed(&app, "?search=%5C", &[]);
    listed(&app, "?search=%25", &[]);
    listed(&app, "?search=nobody", &[]);
    listed(&app, "?search=", &["d\\e", "c", "axb", "a_b"]);
}

#[test]
fn a_search_is_as_long_as_a_name_can_be_and_as_clean() {
    let app = TestApp::start();
    app.member("ada", 0);
    listed(&app, &format!("?search={}", "x".repeat(255)), &[]);
    for bad in [
        "%00".to_owned(),
        "a%00".to_owned(),
        "x".repeat(256),
        "x".repeat(60_000),
    ] {
        let message = app
            .get(&format!("/v1/members?search={bad}"))
            .expect_error(422, "VALIDATION");
        assert!(message.contains("search"), "{message}");
    }
}

#[test]
fn a_list_is_narrowed_to_one_tier_exactly() {
    let app = TestApp::start();
    for (id, tier) in [
        ("ada", "gold"),
        ("bob", "Gold"),
        ("eve", "golden"),
        ("joe", "gold"),
    ] {
        app.put(&format!("/v1/members/{id}"), &json!({"tier": tier}))
            .expect(200);
    }
    app.member("kim", 0);
    listed(&app, "?tier=gold", &["joe", "ada"]);
    listed(&app, "?tier=standard", &["kim"]);
    listed(&app, "?tier=gold&search=jo", &["joe"]);
    listed(&app, "?tier=none", &[]);
}

#[test]
fn the_summary_counts_the_redemptions_of_this_member_by_status() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let offers: Vec<_> = (0..3)
        .map(|_| app.offer(json!({"pointsPrice": 10})))
        .collect();
    let redemptions: Vec<_> = offers
        .iter()
        .map(|offer| app.redeem("ada", offer))
        .collect();
    app.redeem("bob", &offers[0]);
    cancel(&app, &redemptions[0]).expect(200);
    let body = json!({"status": "COMPLETED"});
    app.patch(&format!("/v1/redemptions/{}", redemptions[1]), &body)
        .expect(200);
    let summary = app.get("/v1/members/ada").expect(200);
    let expected = json!({
        "SUBMITTED": 1, "OPEN": 0, "AWAITING_VENDOR": 0, "AWAITING_CUSTOMER": 0, "PURCHASED": 0,
        "COMPLETED": 1, "CANCELED": 1,
    });
    assert_eq!(summary["redemptionCounts"], expected);
    assert_eq!(summary["wallet"]["balance"], 80);
    let list = app.get("/v1/members").expect(200);
    let members = list["members"].as_array().unwrap();
    let ada = members.iter().find(|one| one["externalUserID"] == "ada");
    assert_eq!(ada.unwrap()["redemptionCounts"], expected);
}

#[test]
fn a_dead_token_is_401_before_anything_else_is_looked_at_and_after_a_restart() {
    let app = TestApp::start();
    let token = app.token("ada");
    app.delete("/v1/members/ada").expect(200);
    let app = app.restart();
    for path in [
        "/v1/wallet/transactions?limit=0",
        "/v1/offers?cursor=x",
        "/v1/offers/none",
    ] {
        get_as(&app, &token, path).expect_error(401, "UNAUTHORIZED");
    }
    let malformed = app
        .request("POST", "/v1/redemptions")
        .bearer(&token)
        .raw("{")
        .send();
    malformed.expect_error(401, "UNAUTHORIZED");
    let server_only = app.request("GET", "/v1/members").bearer(&token).send();
    server_only.expect_error(401, "UNAUTHORIZED");
    app.put("/v1/members/ada", &json!({})).expect(200);
    get_as(&app, &token, "/v1/wallet").expect_error(401, "UNAUTHORIZED");
    let fresh = app.token("ada");
    get_as(&app, &fresh, "/v1/wallet").expect(200);
}
