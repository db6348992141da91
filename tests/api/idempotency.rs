mod posts;

use std::sync::Barrier;

use serde_json::{Value, json};
use stampcard::error::{Code, Surface};

use self::posts::posts;
use crate::client::{cancel, credit, number, organization, post_as, post_once, rows, until};
use crate::support::{
    LIVE_KEY, PARTNER_LIVE_KEY, PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp,
};

pub(crate) const CREDIT: &str = "/v1/wallet/credit";
pub(crate) const KEPT: &str = "SELECT count(*) FROM idempotency";

/// `POST` with any credential and an Idempotency-Key.
fn post_once_as(
    app: &TestApp,
    credential: &str,
    key: &str,
    path: &str,
    body: impl Into<Vec<u8>>,
) -> Response {
    app.request("POST", path)
        .bearer(credential)
        .idempotency_key(key)
        .header("Content-Type", "application/json")
        .raw(body)
        .send()
}

pub(crate) fn is_replay(response: &Response) -> bool {
    response.header("idempotency-replayed") == Some("true")
}

/// Repeats a request and checks that the first response is replayed.
#[track_caller]
pub(crate) fn check_replay(app: &TestApp, first: &Response, again: impl FnOnce() -> Response) {
    assert!(!is_replay(first), "the first is none");
    let before = rows(app);
    let second = again();
    assert!(is_replay(&second), "{} {}", second.status, second.text());
    assert_eq!(second.status, first.status);
    assert_eq!(second.bytes, first.bytes);
    assert_eq!(rows(app), before);
}

#[test]
fn every_post_replays_status_and_bytes() {
    let app = TestApp::start();
    let posts = posts(&app);
    let known = stampcard::http::ROUTES.iter().filter(|route| {
        // A member starts the verification of a phone, and a retry sends another code. A file
        // is not JSON; its own tests retry it. A check or a simulation of a rule only reads, and
        // an event has a key of its own.
        let others = [
            "/phone/verification",
            "/attachments",
            "/validate",
            "/simulate",
            "/v1/events",
            "/v1/events/batch",
        ];
        route.method == "POST" && !others.iter().any(|other| route.path.ends_with(other))
    });
    assert_eq!(known.count(), posts.len(), "every POST is in the table");
    for (who, path, body, status, _) in &posts {
        let send = || post_once_as(&app, who, "one key", path, body.to_string());
        let first = send();
        assert_eq!(first.status, *status, "{path}: {}", first.text());
        // A conversion goes on after its response.
        let left = "SELECT count(*) FROM asset WHERE opening_after IS NOT NULL";
        until(|| (number(&app, left) == 0).then_some(()));
        check_replay(&app, &first, send);
        assert!(first.header("x-request-id").is_some());
        let mut other = body.clone();
        other["another field"] = json!(1);
        let refused = post_once_as(&app, who, "one key", path, other.to_string());
        let (conflict, code) = Code::IdempotencyKeyReused.on(Surface::of_path(path));
        let body = refused.expect(conflict);
        assert_eq!(
            body.pointer("/error/code").unwrap_or(&body["code"]),
            code,
            "{path}"
        );
    }
}

#[test]
fn answers_that_carry_a_secret_are_kept_under_seal() {
    let app = TestApp::start();
    let key = "a key that is a secret itself";
    let mut hidden = vec![key.to_owned()];
    for (who, path, body, _, secret) in posts(&app) {
        let answer = post_once_as(&app, who, key, &path, body.to_string());
        if secret.is_empty() {
            continue;
        }
        let text = answer.json()[secret].as_str().unwrap().to_owned();
        if secret == "signingSecret" {
            // The database stores it elsewhere, as signatures need it; the idempotency record must
            // not contain it.
            let plain = "SELECT count(*) FROM idempotency WHERE instr(response, ?1)";
            let found: i64 = app
                .sqlite()
                .query_row(plain, [text.as_bytes()], |row| row.get(0))
                .unwrap();
            assert_eq!(found, 0, "{path}");
        } else {
            hidden.push(text[..text.len().min(60)].to_owned());
        }
    }
    assert_eq!(hidden.len(), 6);
    let sealed = "SELECT count(*) FROM idempotency WHERE sealed";
    assert_eq!(number(&app, sealed), 6);
    for text in &hidden {
        check_not_on_disk(&app, text);
    }
}

/// Checks that a text is nowhere in the files of the database.
#[track_caller]
fn check_not_on_disk(app: &TestApp, text: &str) {
    for suffix in ["", "-wal"] {
        let mut path = app.database().into_os_string();
        path.push(suffix);
        let bytes = std::fs::read(path).unwrap_or_default();
        let found = bytes.windows(text.len()).any(|w| w == text.as_bytes());
        assert!(!found, "{text} is in the database{suffix}");
    }
}

#[test]
fn the_partners_other_address_shares_its_keys() {
    let app = TestApp::start();
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let body = json!({"name": "New"}).to_string();
    for path in [
        "/partner/organizations".to_owned(),
        tenant.path("/api-keys"),
    ] {
        let alias = format!("/api/v1{path}");
        let send = |path: &str| post_once_as(&app, PARTNER_SANDBOX_KEY, "k", path, body.clone());
        let first = send(&alias);
        assert_eq!(first.status, 201);
        check_replay(&app, &first, || send(&path));
        check_replay(&app, &first, || send(&alias));
    }
    // In the live environment it is another key.
    let live = post_once_as(
        &app,
        PARTNER_LIVE_KEY,
        "k",
        "/partner/organizations",
        body.clone(),
    );
    assert!(!is_replay(&live));
    assert_eq!(live.status, 201);
}

#[test]
fn refusals_of_the_partners_surface_are_kept_in_its_envelope() {
    let app = TestApp::start();
    let path = "/partner/organizations";
    let send = |path: &str, key: &str, body: &Value| {
        post_once_as(&app, PARTNER_SANDBOX_KEY, key, path, body.to_string())
    };
    let large = json!({"name": "New", "initialCredits": 501});
    let first = send(path, "k", &large);
    assert_eq!(first.clone().expect(422)["code"], "UnprocessableEntity");
    check_replay(&app, &first, || send(path, "k", &large));
    let keys = format!("{path}/{}/api-keys", uuid::Uuid::nil());
    let body = json!({"name": "k"});
    let first = send(&keys, "k", &body);
    assert_eq!(first.clone().expect(404)["code"], "NotFound");
    check_replay(&app, &first, || send(&keys, "k", &body));
    // No idempotency record is saved for invalid input.
    let before = rows(&app);
    send(path, "free", &json!({"name": ""})).expect(400);
    send(path, "", &body).expect(400);
    assert_eq!(rows(&app), before);
    send(path, "free", &body).expect(201);
}

#[test]
fn the_order_of_fields_and_the_spacing_do_not_matter() {
    let app = TestApp::start();
    app.member("ada", 0);
    let send = |body: &str| post_once_as(&app, SANDBOX_KEY, "k", CREDIT, body);
    let first = send(r#"{"externalUserID":"ada","amount":5,"reason":"é"}"#);
    for same in [
        r#"{"amount":5,"reason":"é","externalUserID":"ada"}"#,
        "\n{ \"reason\" : \"\\u00e9\",\t\"amount\": 5, \"externalUserID\": \"ada\" }\r\n",
        r#"{"externalUserID":"ada","amount":5.0,"reason":"é"}"#,
        r#"{"externalUserID":"ada","amount":0.5e1,"reason":"é"}"#,
    ] {
        check_replay(&app, &first, || send(same));
    }
    assert_eq!(app.balance("ada"), 5);
}

#[test]
fn no_body_is_the_same_as_null() {
    let app = TestApp::start();
    app.member("ada", 0);
    let redemption = app.redeem("ada", &app.offer(json!({})));
    let path = format!("/v1/redemptions/{redemption}/cancel");
    let first = post_once_as(&app, SANDBOX_KEY, "k", &path, "");
    assert_eq!(first.status, 200);
    check_replay(&app, &first, || {
        post_once_as(&app, SANDBOX_KEY, "k", &path, "null")
    });
    post_once_as(&app, SANDBOX_KEY, "k", &path, "{}").expect_error(409, "IDEMPOTENCY_KEY_REUSED");
}

#[test]
fn another_body_under_the_same_key_is_refused() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5});
    let first = post_once(&app, "k", CREDIT, &body);
    let before = rows(&app);
    for other in [
        json!({"externalUserID": "ada", "amount": 6}),
        json!({"externalUserID": "ada", "amount": 5, "reason": null}),
        json!({"externalUserID": "bob", "amount": 5}),
    ] {
        let refused = post_once(&app, "k", CREDIT, &other);
        assert!(!is_replay(&refused));
        refused.expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(rows(&app), before);
    check_replay(&app, &first, || post_once(&app, "k", CREDIT, &body));
}

#[test]
fn refusals_are_kept_and_replayed_even_if_they_would_not_be_given_now() {
    let app = TestApp::start();
    app.member("ada", 5);
    let dear = app.offer(json!({"pointsPrice": 10}));
    let held = app.offer(json!({}));
    let expired = app.offer(json!({"expiresAt": "2026-06-15T12:00:00Z"}));
    let redemption = app.redeem("ada", &held);
    let completed = app.redeem("ada", &app.offer(json!({})));
    crate::client::move_to(&app, &completed, "COMPLETED").expect(200);
    let redeem = |offer: &str| json!({"externalUserID": "ada", "offer": offer});
    let points = |id: &str, amount: i64| json!({"externalUserID": id, "amount": amount});
    let cases = [
        (CREDIT, points("bob", 5), 404, "NOT_FOUND"),
        (
            "/v1/wallet/debit",
            points("ada", 6),
            422,
            "INSUFFICIENT_POINTS",
        ),
        ("/v1/redemptions", redeem(&dear), 422, "INSUFFICIENT_POINTS"),
        (
            &format!("/v1/redemptions/{completed}/cancel"),
            json!({}),
            409,
            "REDEMPTION_TRANSITION_INVALID",
        ),
    ];
    for (path, body, status, code) in &cases {
        let first = post_once(&app, "k", path, body);
        assert_eq!(first.clone().expect(*status)["error"]["code"], *code);
        check_replay(&app, &first, || post_once(&app, "k", path, body));
    }
    for (key, offer, status) in [
        ("held", &held, 409),
        ("expired", &expired, 422),
        ("none", &"off_x".to_owned(), 404),
    ] {
        let first = post_once(&app, key, "/v1/redemptions", &redeem(offer));
        assert_eq!(first.status, status);
        check_replay(&app, &first, || {
            post_once(&app, key, "/v1/redemptions", &redeem(offer))
        });
    }
    // Now every request would succeed.
    app.member("bob", 0);
    credit(&app, "ada", 100);
    cancel(&app, &redemption).expect(200);
    for (path, body, status, _) in &cases {
        let again = post_once(&app, "k", path, body);
        assert!(is_replay(&again));
        again.expect(*status);
    }
}

#[test]
fn bad_input_and_bad_credentials_are_not_kept() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({}));
    let token = app.token("ada");
    let before = rows(&app);
    let large = format!(
        r#"{{"externalUserID":"ada","amount":5,"reason":"{}"}}"#,
        "x".repeat(300_000)
    );
    let right = json!({"externalUserID": "ada", "amount": 5}).to_string();
    let cases = [
        (SANDBOX_KEY, CREDIT, "{", 400),
        (SANDBOX_KEY, CREDIT, "[]", 422),
        (
            SANDBOX_KEY,
            CREDIT,
            r#"{"externalUserID":"ada","amount":0}"#,
            422,
        ),
        (SANDBOX_KEY, CREDIT, &large, 413),
        ("expys_sandbox_unknown", CREDIT, &right, 401),
        (&token, CREDIT, &right, 403),
        (
            &token,
            "/v1/redemptions",
            &json!({"offer": offer, "externalUserID": "bob"}).to_string(),
            403,
        ),
    ];
    for (credential, path, body, status) in cases {
        let response = post_once_as(&app, credential, "k", path, body);
        assert_eq!(response.status, status, "{}", response.text());
    }
    assert_eq!(rows(&app), before);
    let first = post_once_as(&app, SANDBOX_KEY, "k", CREDIT, right);
    assert!(!is_replay(&first), "the key is still free");
    first.expect(200);
}

#[test]
fn a_missing_external_user_id_is_bad_input_and_leaves_the_key_free() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({}));
    let before = rows(&app);
    let message = post_once(&app, "k", "/v1/redemptions", &json!({"offer": offer}))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("externalUserID"), "{message}");
    assert_eq!(rows(&app), before);
    let body = json!({"offer": offer, "externalUserID": "ada"});
    post_once(&app, "k", "/v1/redemptions", &body).expect(201);
}

#[test]
fn a_key_means_one_thing_for_each_member_path_and_program() {
    let app = TestApp::start();
    for id in ["ada", "bob"] {
        app.member(id, 50);
    }
    let offer = app.offer(json!({}));
    let body = json!({"offer": offer}).to_string();
    for id in ["ada", "bob"] {
        let token = app.token(id);
        let made = post_once_as(&app, &token, "k", "/v1/redemptions", body.clone());
        assert!(!is_replay(&made));
        assert_eq!(made.expect(201)["externalUserID"], id);
        // A new token of the same member counts as the same member.
        let fresh = app.token(id);
        let again = post_once_as(&app, &fresh, "k", "/v1/redemptions", body.clone());
        assert!(is_replay(&again));
        assert_eq!(again.expect(201)["externalUserID"], id);
    }
    let points = json!({"externalUserID": "ada", "amount": 5});
    for path in [CREDIT, "/v1/wallet/debit"] {
        let response = post_once(&app, "k", path, &points);
        assert!(!is_replay(&response), "{path}");
        response.expect(200);
    }
    crate::client::live(&app, "PUT", "/v1/members/ada", &json!({})).expect(200);
    let other = post_once_as(&app, LIVE_KEY, "k", CREDIT, points.to_string());
    assert!(!is_replay(&other));
    assert_eq!(other.expect(200)["balance"], 5);
}

#[test]
fn a_key_has_1_to_255_characters() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5});
    let before = rows(&app);
    for bad in ["x".repeat(256), String::new()] {
        let message = post_once(&app, &bad, CREDIT, &body).expect_error(422, "VALIDATION");
        assert!(message.contains("Idempotency-Key"), "{message}");
    }
    assert_eq!(rows(&app), before);
    let longest = "x".repeat(255);
    let first = post_once(&app, &longest, CREDIT, &body);
    assert_eq!(first.status, 200);
    check_replay(&app, &first, || post_once(&app, &longest, CREDIT, &body));
}

#[test]
fn the_exchange_replays_the_same_token_and_keeps_it_under_seal() {
    let app = TestApp::start();
    let body = json!({"externalUserID": "ada"});
    let key = "a key that is a secret itself";
    let first = post_once(&app, key, "/v1/auth/exchange", &body);
    check_replay(&app, &first, || {
        post_once(&app, key, "/v1/auth/exchange", &body)
    });

    let token = first.json()["accessToken"].as_str().unwrap().to_owned();
    let connection = app.sqlite();
    let (sealed, response): (bool, Vec<u8>) = connection
        .query_row("SELECT sealed, response FROM idempotency", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    assert!(sealed);
    let holds = |bytes: &[u8], text: &str| {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    };
    for text in [&token, "accessToken", "expiresAt", key] {
        assert!(!holds(&response, text), "{text}");
    }
    // It is nowhere else in the files either.
    drop(connection);
    for suffix in ["", "-wal"] {
        let mut path = app.database().into_os_string();
        path.push(suffix);
        let bytes = std::fs::read(path).unwrap_or_default();
        assert!(
            !holds(&bytes, &token[..60]),
            "the token is not in the database{suffix}"
        );
        assert!(!holds(&bytes, key), "nor is the key");
    }
}

#[test]
fn requests_that_repeat_each_other_all_at_once_act_once_each() {
    const KEYS: usize = 50;
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 7});
    let start = Barrier::new(20);
    let answers: Vec<(usize, Response)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20)
            .map(|thread| {
                let (app, body, start) = (&app, &body, &start);
                scope.spawn(move || {
                    start.wait();
                    let send = |request: usize| {
                        let key = (thread + 20 * request) % KEYS;
                        (key, post_once(app, &format!("key {key}"), CREDIT, body))
                    };
                    (0..10).map(send).collect::<Vec<_>>()
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap())
            .collect()
    });
    assert_eq!(answers.len(), 4 * KEYS);
    for key in 0..KEYS {
        let same: Vec<_> = answers.iter().filter(|(k, _)| *k == key).collect();
        assert_eq!(same.len(), 4);
        assert!(same.iter().all(|(_, response)| response.status == 200));
        assert!(
            same.iter()
                .all(|(_, response)| response.bytes == same[0].1.bytes)
        );
        let replays = same.iter().filter(|(_, response)| is_replay(response));
        assert_eq!(replays.count(), 3, "one acts, the others replay");
    }
    assert_eq!(app.balance("ada"), 50 * 7);
    assert_eq!(app.summary()["pointsMinted"], 50 * 7);
    assert_eq!(number(&app, KEPT), 50);
}

#[test]
fn of_two_at_once_under_one_key_with_different_bodies_one_is_refused() {
    let app = TestApp::start();
    app.member("ada", 0);
    for round in 0..8 {
        let before = app.balance("ada");
        let start = Barrier::new(2);
        let mut statuses = std::thread::scope(|scope| {
            let threads = [5, 6].map(|amount| {
                let (app, start) = (&app, &start);
                scope.spawn(move || {
                    let body = json!({"externalUserID": "ada", "amount": amount});
                    start.wait();
                    post_once(app, &format!("round {round}"), CREDIT, &body).status
                })
            });
            threads.map(|thread| thread.join().unwrap())
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409]);
        assert!([5, 6].contains(&(app.balance("ada") - before)));
    }
}

#[test]
fn without_a_key_every_request_acts() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5});
    for _ in 0..3 {
        let response = post_as(&app, SANDBOX_KEY, CREDIT, &body);
        assert_eq!(response.header("idempotency-replayed"), None);
    }
    assert_eq!(app.balance("ada"), 15);
    assert_eq!(number(&app, KEPT), 0);
}

#[test]
fn a_put_or_patch_takes_no_notice_of_a_key() {
    let app = TestApp::start();
    for name in ["Ada", "Eva"] {
        let set: Value = app
            .request("PUT", "/v1/members/ada")
            .bearer(SANDBOX_KEY)
            .idempotency_key("k")
            .json(&json!({"displayName": name}))
            .send()
            .expect(200);
        assert_eq!(set["displayName"], name);
    }
    assert_eq!(number(&app, KEPT), 0);
}

#[test]
fn a_dead_token_replays_nothing() {
    let app = TestApp::start();
    app.member("ada", 50);
    let token = app.token("ada");
    let body = json!({"offer": app.offer(json!({}))}).to_string();
    let send = || post_once_as(&app, &token, "k", "/v1/redemptions", body.clone());
    let first = send();
    assert_eq!(first.status, 201);
    check_replay(&app, &first, send);
    app.delete("/v1/members/ada").expect(200);
    let refused = send();
    assert!(!is_replay(&refused));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    refused.expect_error(401, "UNAUTHORIZED");
}

#[test]
fn numbers_of_a_body_are_compared_by_what_they_are() {
    let app = TestApp::start();
    app.member("ada", 0);
    let credit = |key: &str, amount: &str, more: &str| {
        let body = format!(r#"{{"externalUserID":"ada","amount":{amount}{more}}}"#);
        post_once_as(&app, SANDBOX_KEY, key, CREDIT, body)
    };
    for (index, amount) in ["100", "100.0", "1e2"].into_iter().enumerate() {
        let key = format!("key {index}");
        let first = credit(&key, amount, "");
        assert_eq!(first.status, 200, "{}", first.text());
        for same in ["100", "100.0", "1e2", "10000E-2"] {
            check_replay(&app, &first, || credit(&key, same, ""));
        }
        credit(&key, "101", "").expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    }
    let first = credit("more", "1", r#","more":[1,-0.0,0.5]"#);
    check_replay(&app, &first, || {
        credit("more", "1", r#","more":[1.0,0,5e-1]"#)
    });
    for other in [
        r#","more":[1.0000000000000000000001,0,0.5]"#,
        r#","more":[0.99999999999999999999,0,0.5]"#,
        r#","more":[1,0,0.25]"#,
        r#","more":["1",0,0.5]"#,
    ] {
        credit("more", "1", other).expect_error(409, "IDEMPOTENCY_KEY_REUSED");
    }
    assert_eq!(app.balance("ada"), 301);
}
