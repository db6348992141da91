use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{activities, get_as, live, names, number, post_once, race, rows};
use crate::support::TestApp;

const CREDITS: &str = "SELECT coalesce(sum(credits), 0) FROM pool_usage";
const IDENTIFICATIONS: &str = "SELECT count(*) FROM activity WHERE kind = 20 AND flag = 1";

fn exchange(app: &TestApp, body: &Value) -> Value {
    app.post("/v1/auth/exchange", body).expect(200)
}

#[test]
fn a_grant_has_a_paseto_and_its_end_and_nothing_else() {
    let app = TestApp::start();
    let grant = exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(names(&grant), ["accessToken", "expiresAt"]);
    assert!(
        grant["accessToken"]
            .as_str()
            .unwrap()
            .starts_with("v4.local.")
    );
    assert_eq!(grant["expiresAt"], "2026-06-15T12:15:00.000Z");
}

#[test]
fn an_exchange_signs_an_unknown_member_up_and_keeps_the_profile() {
    let app = TestApp::start();
    let body = json!({
        "externalUserID": "ada", "displayName": "Ada", "email": "ada@example.com", "tier": "gold",
    });
    exchange(&app, &body);
    let member = app.get("/v1/members/ada").expect(200);
    let shown = ["displayName", "tier", "email"].map(|name| &member[name]);
    assert_eq!(shown, ["Ada", "gold", "ada@example.com"]);
    assert_eq!((activities(&app, 1), activities(&app, 2)), (1, 0));
}

#[test]
fn an_exchange_merges_the_profile_of_a_known_member() {
    let app = TestApp::start();
    let body = json!({"displayName": "Ada", "tier": "gold", "attributes": {"a": 1}});
    app.put("/v1/members/ada", &body).expect(200);
    exchange(&app, &json!({"externalUserID": "ada"}));
    exchange(&app, &json!({"externalUserID": "ada", "tier": "vip"}));
    let member = app.get("/v1/members/ada").expect(200);
    assert_eq!(
        (&member["displayName"], &member["tier"]),
        (&json!("Ada"), &json!("vip"))
    );
    assert_eq!(member["attributes"], json!({"a": 1}));
    assert_eq!((activities(&app, 1), activities(&app, 2)), (1, 1));
}

#[test]
fn a_token_ends_by_the_clock() {
    let app = TestApp::start();
    app.member("ada", 5);
    let token = app.token("ada");
    app.clock.advance(Duration::from_millis(15 * 60 * 1000 - 1));
    assert_eq!(get_as(&app, &token, "/v1/wallet").expect(200)["balance"], 5);
    app.clock.advance(Duration::from_millis(1));
    let ended = get_as(&app, &token, "/v1/wallet");
    assert_eq!(ended.header("www-authenticate"), Some("Bearer"));
    ended.expect_error(401, "UNAUTHORIZED");
}

#[test]
fn the_lifetime_of_a_token_is_a_setting() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 60);
    let grant = exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(grant["expiresAt"], "2026-06-15T12:01:00.000Z");
    let token = grant["accessToken"].as_str().unwrap();
    app.clock.advance(Duration::from_mins(1));
    get_as(&app, token, "/v1/wallet").expect_error(401, "UNAUTHORIZED");
}

#[test]
fn a_token_outlives_a_restart() {
    let app = TestApp::start();
    app.member("ada", 5);
    let token = app.token("ada");
    let app = app.restart();
    assert_eq!(get_as(&app, &token, "/v1/wallet").expect(200)["balance"], 5);
}

#[test]
fn a_token_that_was_tampered_with_or_comes_from_elsewhere_is_401() {
    let app = TestApp::start();
    let token = app.token("ada");
    let elsewhere = TestApp::start().token("ada");
    let mut flipped = token.clone().into_bytes();
    let middle = flipped.len() / 2;
    flipped[middle] = if flipped[middle] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    for bad in [
        &flipped,
        &elsewhere,
        &token[..token.len() - 4],
        "v4.local.",
        "v4.public.AAAA",
    ] {
        get_as(&app, bad, "/v1/wallet").expect_error(401, "UNAUTHORIZED");
    }
}

#[test]
fn an_exchange_while_a_token_lives_is_a_refresh_and_takes_no_credit() {
    let app = TestApp::start();
    exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(
        (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
        (1, 1)
    );

    app.clock.advance(Duration::from_secs(899));
    exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(
        (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
        (1, 1)
    );

    // The refresh returned a new token, which stays valid.
    app.clock.advance(Duration::from_secs(899));
    exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(
        (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
        (1, 1)
    );

    app.clock.advance(Duration::from_mins(15));
    exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(
        (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
        (2, 2)
    );
    assert_eq!(activities(&app, 20), 4);
}

#[test]
fn each_environment_has_its_own_pool() {
    let app = TestApp::start();
    exchange(&app, &json!({"externalUserID": "ada"}));
    exchange(&app, &json!({"externalUserID": "bob"}));
    let body = json!({"externalUserID": "ada"});
    live(&app, "POST", "/v1/auth/exchange", &body).expect(200);
    let used = |environment: &str| {
        let sql = format!("SELECT credits FROM pool_usage WHERE environment = '{environment}'");
        number(&app, &sql)
    };
    assert_eq!((used("sandbox"), used("live")), (2, 1));
}

#[test]
fn an_exchange_succeeds_without_credit_and_takes_none() {
    let app = TestApp::start_with(|settings| settings.partner.credit_pool = 2);
    for id in ["a", "b", "c", "d"] {
        exchange(&app, &json!({"externalUserID": id}));
    }
    assert_eq!(
        (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
        (4, 2)
    );
    let taken = number(&app, "SELECT sum(amount) FROM activity WHERE kind = 20");
    assert_eq!(taken, 2);
}

#[test]
fn the_pool_is_full_again_on_the_first_of_the_month() {
    let app = TestApp::start_with(|settings| settings.partner.credit_pool = 1);
    exchange(&app, &json!({"externalUserID": "a"}));
    exchange(&app, &json!({"externalUserID": "b"}));
    assert_eq!(number(&app, CREDITS), 1);
    // From June 15th at noon to the last millisecond of June, and past it.
    let left = Duration::from_hours(15 * 24 + 12) - Duration::from_millis(1);
    app.clock.advance(left);
    exchange(&app, &json!({"externalUserID": "c"}));
    assert_eq!(number(&app, CREDITS), 1);
    app.clock.advance(Duration::from_millis(1));
    exchange(&app, &json!({"externalUserID": "d"}));
    assert_eq!(number(&app, CREDITS), 2);
    assert_eq!(number(&app, "SELECT count(*) FROM pool_usage"), 2);
}

#[test]
fn a_removal_ends_the_token_so_that_the_next_exchange_identifies_anew() {
    let app = TestApp::start();
    exchange(&app, &json!({"externalUserID": "ada"}));
    app.delete("/v1/members/ada").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    exchange(&app, &json!({"externalUserID": "ada"}));
    assert_eq!(number(&app, IDENTIFICATIONS), 2);
}

#[test]
fn a_replayed_exchange_counts_once() {
    let app = TestApp::start();
    let body = json!({"externalUserID": "ada"});
    post_once(&app, "k", "/v1/auth/exchange", &body).expect(200);
    let before = rows(&app);
    app.clock.advance(Duration::from_mins(16));
    post_once(&app, "k", "/v1/auth/exchange", &body).expect(200);
    assert_eq!(rows(&app), before);
}

#[test]
fn an_exchange_with_a_bad_profile_writes_nothing() {
    let app = TestApp::start();
    let before = rows(&app);
    for (field, bad) in [
        ("externalUserID", json!(null)),
        ("externalUserID", json!("")),
        ("externalUserID", json!(7)),
        ("displayName", json!(7)),
        ("displayName", json!("x".repeat(256))),
        ("email", json!("")),
        ("email", json!("ada")),
        ("email", json!(["a"])),
        ("tier", json!(null)),
        ("tier", json!("")),
    ] {
        let mut body = json!({"externalUserID": "ada"});
        body[field] = bad;
        let message = app
            .post("/v1/auth/exchange", &body)
            .expect_error(422, "VALIDATION");
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn of_two_first_exchanges_at_once_one_signs_up_and_one_takes_the_credit() {
    let app = TestApp::start();
    for round in 1..=8 {
        let body = json!({"externalUserID": format!("member{round}")});
        let send = || app.post("/v1/auth/exchange", &body);
        assert_eq!(race([&send, &send]), [200, 200]);
        assert_eq!(activities(&app, 1), round);
        assert_eq!(
            (number(&app, IDENTIFICATIONS), number(&app, CREDITS)),
            (round, round)
        );
    }
}
