//! Feedback of members on their redemptions.

use std::time::Duration;

use serde_json::{Value, json};
use stampcard::clock::Clock;
use stampcard::service::transfer::{export, import};
use stampcard::service::verify;
use stampcard::store::{self, Database};

use crate::client::{
    activities, call, cancel, delivery, get_as, move_to, names, number, rows, until, webhook,
};
use crate::figures_on_disk;
use crate::support::receiver::Receiver;
use crate::support::{Response, SANDBOX_KEY, TestApp};

/// The number of `redemption.rated` in the log.
const RATED: i64 = 34;

fn rate(app: &TestApp, token: &str, redemption: &str, body: &Value) -> Response {
    let path = format!("/v1/redemptions/{redemption}/feedback");
    call(app, token, "PUT", &path, body)
}

/// A completed redemption of a new offer, and the offer.
fn completed(app: &TestApp, member: &str) -> (String, String) {
    let offer = app.offer(json!({}));
    let redemption = app.redeem(member, &offer);
    move_to(app, &redemption, "COMPLETED").expect(200);
    (redemption, offer)
}

/// The average and the number of ratings of each offer.
fn ratings(app: &TestApp) -> Vec<(Value, Value)> {
    let offers = app.get("/v1/analytics/offers").expect(200)["offers"].clone();
    let of = |offer: &Value| (offer["averageRating"].clone(), offer["ratingCount"].clone());
    offers.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn a_member_rates_a_completed_redemption_and_everyone_may_read_it() {
    let app = TestApp::start();
    app.member("ada", 0);
    let (redemption, _) = completed(&app, "ada");
    let path = format!("/v1/redemptions/{redemption}");
    assert_eq!(app.get(&path).expect(200)["feedback"], Value::Null);
    let token = app.token("ada");

    let body = json!({"rating": 9, "comment": "Lovely tea,\nthank you"});
    let rated = rate(&app, &token, &redemption, &body).expect(200);

    let expected = json!({
        "rating": 9, "comment": "Lovely tea,\nthank you", "submittedAt": "2026-06-15T12:00:00.000Z",
    });
    assert_eq!(rated["feedback"], expected);
    assert_eq!(rated["status"], "COMPLETED");
    assert_eq!(get_as(&app, &token, &path).expect(200), rated);
    for list in ["/v1/redemptions", "/v1/redemptions?externalUserID=ada"] {
        let page = app.get(list).expect(200);
        assert_eq!(page["redemptions"][0]["feedback"], expected);
    }
    let history = app.get(&format!("{path}/history")).expect(200);
    let last = history["history"]
        .as_array()
        .unwrap()
        .last()
        .unwrap()
        .clone();
    assert_eq!(last["event"], "redemption.rated");
    assert_eq!(last["rating"], 9);
    assert_eq!(last["actor"]["type"], "member");
    assert_eq!(last["from"], Value::Null);
    assert_eq!(figures_on_disk::verify(&app), Vec::<String>::new());
}

#[test]
fn a_rating_is_replaced_and_the_same_one_again_changes_nothing() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let (redemption, _) = completed(&app, "ada");
    for (number, body) in (0..).zip([
        json!({"rating": 0}),
        json!({"rating": 10, "comment": null}),
        json!({"rating": 10, "comment": ""}),
        json!({"rating": 10, "comment": "x".repeat(4000)}),
        json!({"rating": 3e0, "comment": "é"}),
    ]) {
        app.clock.advance(Duration::from_secs(1));
        let first = rate(&app, &token, &redemption, &body).expect(200);
        let feedback = &first["feedback"];
        assert_eq!(names(feedback), ["comment", "rating", "submittedAt"]);
        assert_eq!(feedback["comment"], body["comment"]);
        assert_eq!(
            feedback["submittedAt"],
            format!("2026-06-15T12:00:0{}.000Z", 2 * number + 1)
        );
        assert_eq!(activities(&app, RATED), number + 1);
        // A retry after a lost response.
        app.clock.advance(Duration::from_secs(1));
        let before = rows(&app);
        assert_eq!(rate(&app, &token, &redemption, &body).expect(200), first);
        assert_eq!(rows(&app), before);
    }
}

#[test]
fn an_idempotency_key_is_not_needed_and_does_no_harm() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let (redemption, _) = completed(&app, "ada");
    let path = format!("/v1/redemptions/{redemption}/feedback");
    for rating in [4, 5] {
        let request = app.request("PUT", &path).bearer(&token);
        let body = json!({"rating": rating});
        let rated = request
            .idempotency_key("one")
            .json(&body)
            .send()
            .expect(200);
        assert_eq!(rated["feedback"]["rating"], rating);
    }
}

#[test]
fn only_a_completed_redemption_is_rated() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    for status in [
        "SUBMITTED",
        "OPEN",
        "AWAITING_VENDOR",
        "AWAITING_CUSTOMER",
        "PURCHASED",
        "CANCELED",
    ] {
        let redemption = app.redeem("ada", &app.offer(json!({})));
        move_to(&app, &redemption, status).expect(200);
        let before = rows(&app);
        let refused = rate(&app, &token, &redemption, &json!({"rating": 7})).expect(422);
        assert_eq!(refused["error"]["code"], "REDEMPTION_NOT_COMPLETED");
        assert_eq!(refused["error"]["details"], json!({"status": status}));
        assert_eq!(names(&refused["error"]), ["code", "details", "message"]);
        assert_eq!(rows(&app), before);
    }
}

#[test]
fn bad_feedback_is_refused_with_the_name_of_the_field() {
    let app = TestApp::start();
    app.member("ada", 0);
    let token = app.token("ada");
    let (redemption, _) = completed(&app, "ada");
    let before = rows(&app);
    let range = "must be a whole number from 0 to 10";
    for (body, expected) in [
        (json!({}), "rating is required"),
        (json!({"rating": null}), range),
        (json!({"rating": -1}), range),
        (json!({"rating": 11}), range),
        (json!({"rating": 7.5}), range),
        (json!({"rating": "7"}), range),
        (
            json!({"rating": 7, "comment": 7}),
            "comment must be a string",
        ),
        (
            json!({"rating": 7, "comment": "x".repeat(4001)}),
            "comment must be 0 to 4000 characters long",
        ),
        (
            json!({"rating": 7, "comment": "a\u{0}"}),
            "comment must not contain control characters",
        ),
        (json!([7]), "the body must be a JSON object"),
    ] {
        let message = rate(&app, &token, &redemption, &body).expect_error(422, "VALIDATION");
        assert!(message.contains(expected), "{body}: {message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_redemption_is_rated_by_its_own_member_only() {
    let app = TestApp::start();
    for member in ["ada", "bob", "eve"] {
        app.member(member, 0);
    }
    let (redemption, offer) = completed(&app, "ada");
    let (bob, eve) = (app.token("bob"), app.token("eve"));
    let body = json!({"rating": 7});
    rate(&app, SANDBOX_KEY, &redemption, &body).expect_error(403, "FORBIDDEN");
    rate(&app, &bob, &redemption, &body).expect_error(404, "NOT_FOUND");
    let unknown = "rdm_01a1fda8-1988-75da-9f29-66beffff55ec";
    rate(&app, &bob, unknown, &body).expect_error(404, "NOT_FOUND");
    rate(&app, &bob, "rdm_x", &body).expect_error(404, "NOT_FOUND");
    // Another member's redemption that could not be rated anyway is unknown as well.
    let open = app.redeem("bob", &offer);
    rate(&app, &eve, &open, &body).expect_error(404, "NOT_FOUND");
    // An archived offer can still be rated; an archived member has no token that is valid.
    app.delete(&format!("/v1/offers/{offer}")).expect(200);
    let ada = app.token("ada");
    rate(&app, &ada, &redemption, &body).expect(200);
    app.delete("/v1/members/ada").expect(200);
    rate(&app, &ada, &redemption, &json!({"rating": 1})).expect_error(401, "UNAUTHORIZED");
    assert_eq!(activities(&app, RATED), 1);
    app.put("/v1/members/ada", &json!({})).expect(200);
    let again = rate(&app, &app.token("ada"), &redemption, &json!({"rating": 2}));
    assert_eq!(again.expect(200)["feedback"]["rating"], 2);
}

#[test]
fn an_offer_has_the_average_and_the_number_of_its_ratings() {
    let app = TestApp::start();
    let members = ["ada", "bob", "eve"];
    let (offer, quiet) = (app.offer(json!({})), app.offer(json!({})));
    let mut each = Vec::new();
    for member in members {
        app.member(member, 0);
        let redemption = app.redeem(member, &offer);
        move_to(&app, &redemption, "COMPLETED").expect(200);
        each.push((app.token(member), redemption));
    }
    let canceled = app.redeem("ada", &quiet);
    cancel(&app, &canceled).expect(200);
    let unrated = (Value::Null, json!(0));
    assert_eq!(ratings(&app), [unrated.clone(), unrated.clone()]);
    for (member, rating, average, count) in [
        (0, 7, "7", 1),
        (1, 8, "7.5", 2),
        (2, 10, "8.33", 3),
        // A replaced rating counts no longer.
        (2, 5, "6.67", 3),
        (2, 5, "6.67", 3),
        (0, 0, "4.33", 3),
        (1, 10, "5", 3),
    ] {
        let (token, redemption) = &each[member];
        rate(&app, token, redemption, &json!({"rating": rating})).expect(200);
        let text = app.get("/v1/analytics/offers").text();
        let expected = format!(r#""averageRating":{average},"ratingCount":{count}}}"#);
        assert!(text.contains(&expected), "{expected}: {text}");
        assert_eq!(ratings(&app)[1], unrated);
    }
    // Removed members stay in the figures.
    app.delete("/v1/members/bob?erase=true").expect(200);
    let before = app.get("/v1/analytics/offers").text();
    let mut app = app.restart();
    assert_eq!(app.get("/v1/analytics/offers").text(), before);
    app.stop();
    figures_on_disk::forget(&app);
    let app = app.restart();
    assert_eq!(app.get("/v1/analytics/offers").text(), before);
    assert_eq!(figures_on_disk::verify(&app), Vec::<String>::new());
}

#[test]
fn webhooks_show_a_redemption_with_its_feedback_as_it_was() {
    let app = TestApp::start();
    app.member("ada", 0);
    let receiver = Receiver::start();
    let hook = webhook(&app, &receiver.url("/"), &["redemption.completed"]);
    let (redemption, _) = completed(&app, "ada");
    let token = app.token("ada");
    rate(&app, &token, &redemption, &json!({"rating": 7})).expect(200);
    delivery(&app, &hook, |newest| newest["status"] == "delivered");
    let sent = receiver.received();
    assert_eq!(sent.len(), 1, "the rating itself is not delivered");
    let body = sent[0].json();
    assert!(names(&body["data"]).contains(&"feedback"), "{body}");
    assert_eq!(body["data"]["feedback"], Value::Null);
}

#[test]
fn an_erasure_deletes_every_comment_and_keeps_the_rating() {
    let app = TestApp::start();
    for member in ["ada", "bob"] {
        app.member(member, 5);
        let (redemption, _) = completed(&app, member);
        let token = app.token(member);
        for comment in ["at first", "on second thought"] {
            let body = json!({"rating": 8, "comment": format!("{member} {comment}")});
            rate(&app, &token, &redemption, &body).expect(200);
        }
    }
    let before = ratings(&app);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let texts = "SELECT count(*) FROM log_text WHERE part = 2 AND text IS NOT NULL";
    assert_eq!(number(&app, texts), 2, "Bob's");
    let erased = "SELECT count(*) FROM log_text WHERE part = 2 AND commitment IS NOT NULL";
    assert_eq!(number(&app, erased), 2, "Ada's");
    let comments = "SELECT count(*) FROM redemption WHERE rating_comment IS NOT NULL";
    assert_eq!(number(&app, comments), 1);
    let list = app.get("/v1/redemptions").expect(200)["redemptions"].clone();
    assert_eq!(list[0]["feedback"]["comment"], "bob on second thought");
    assert_eq!(list[1]["feedback"]["comment"], Value::Null);
    assert_eq!(list[1]["feedback"]["rating"], 8);
    assert_eq!(ratings(&app), before);
    assert_eq!(figures_on_disk::verify(&app), Vec::<String>::new());
    // No file has a copy.
    until(|| {
        let name = app.database();
        let files = ["", "-wal"].map(|end| format!("{}{end}", name.display()));
        let has = |file: &String| {
            let bytes = std::fs::read(file).unwrap_or_default();
            bytes.windows(8).any(|part| part == b"ada on s")
        };
        (!files.iter().any(has)).then_some(())
    });
}

#[test]
fn feedback_moves_with_an_export() {
    let mut app = TestApp::start();
    for member in ["ada", "bob"] {
        app.member(member, 0);
        let (redemption, _) = completed(&app, member);
        let token = app.token(member);
        for rating in [2, 9] {
            let body = json!({"rating": rating, "comment": "So \"so\"\n"});
            rate(&app, &token, &redemption, &body).expect(200);
        }
    }
    app.delete("/v1/members/bob?erase=true").expect(200);
    let answers = |app: &TestApp| {
        let paths = ["/v1/redemptions", "/v1/analytics/offers"];
        paths.map(|path| app.get(path).text())
    };
    let before = answers(&app);
    app.stop();
    let mut lines = Vec::new();
    let database = Database::open(&app.database()).unwrap();
    export(database.connection(), true, &mut lines, |_, _| ()).unwrap();
    drop(database);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moved.db");
    let mut database = Database::open_for_import(&path).unwrap();
    let now = Clock::system().now();
    import(&mut database, lines.as_slice(), now, |_| ()).unwrap();
    drop(database);
    let report = verify::verify(&store::open_read_only(&path).unwrap(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let moved = TestApp::start_with(|settings| {
        std::fs::copy(&path, &settings.database.path).unwrap();
    });
    assert_eq!(answers(&moved), before);
}
