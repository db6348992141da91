use serde_json::{Value, json};

use crate::client::{cancel, column, credit, live, move_to};
use crate::support::TestApp;

fn offers(app: &TestApp) -> Value {
    app.get("/v1/analytics/offers").expect(200)["offers"].clone()
}

/// minted + refunded − spent − forfeited − debited is always the sum of all balances.
#[track_caller]
fn check_ledger_equation(app: &TestApp) {
    let summary = app.summary();
    let of = |name: &str| summary[name].as_i64().unwrap();
    let page = app
        .get("/v1/members?limit=100&includeArchived=true")
        .expect(200);
    let members = page["members"].as_array().unwrap();
    assert_eq!(summary["memberCount"], members.len());
    let balance = |member: &Value| member["wallet"]["balance"].as_i64().unwrap();
    let balances: i64 = members.iter().map(balance).sum();
    let left = of("pointsMinted") + of("pointsRefunded");
    let gone = of("pointsSpent") + of("pointsForfeited") + of("pointsDebited");
    assert_eq!(left - gone, balances, "{summary}");
}

#[test]
fn a_new_program_has_zeros_everywhere() {
    let app = TestApp::start();
    let expected = json!({
        "memberCount": 0, "activeMembers": 0, "pointsMinted": 0, "pointsSpent": 0,
        "pointsRefunded": 0, "pointsForfeited": 0, "pointsDebited": 0, "completionRate": 0.0,
        "pointsExpired": 0, "pointsVoided": 0, "pointsPending": 0, "pointsHeld": 0,
        "redemptions": {
            "submitted": 0, "open": 0, "awaiting_vendor": 0, "awaiting_customer": 0,
            "purchased": 0, "completed": 0, "canceled": 0, "total": 0,
        },
    });
    assert_eq!(app.summary(), expected);
    assert_eq!(offers(&app), json!([]));
}

#[test]
fn every_acknowledged_write_shows_in_the_next_read() {
    let app = TestApp::start();
    for count in 1..=5 {
        app.member(&format!("member{count}"), 0);
        assert_eq!(app.summary()["memberCount"], count);
        credit(&app, &format!("member{count}"), 10);
        assert_eq!(app.summary()["pointsMinted"], count * 10);
        let offer = app.offer(json!({"pointsPrice": 4}));
        assert_eq!(
            offers(&app).as_array().unwrap().len(),
            usize::try_from(count).unwrap()
        );
        let redemption = app.redeem(&format!("member{count}"), &offer);
        assert_eq!(app.summary()["pointsSpent"], count * 4);
        assert_eq!(app.summary()["redemptions"]["submitted"], 1);
        move_to(&app, &redemption, "OPEN").expect(200);
        assert_eq!(app.summary()["redemptions"]["open"], count);
        assert_eq!(app.summary()["redemptions"]["total"], count);
    }
    check_ledger_equation(&app);
}

#[test]
fn spent_points_are_gross_and_refunds_are_counted_beside_them() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let redemption = app.redeem("ada", &offer);
    cancel(&app, &redemption).expect(200);
    let summary = app.summary();
    assert_eq!(summary["pointsMinted"], 100, "a refund is no mint");
    assert_eq!(
        (&summary["pointsSpent"], &summary["pointsRefunded"]),
        (&json!(30), &json!(30))
    );
    assert_eq!(offers(&app)[0]["pointsSpent"], 30);
    check_ledger_equation(&app);
}

#[test]
fn removed_members_stay_in_the_figures() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 50);
    let offer = app.offer(json!({"pointsPrice": 30}));
    app.redeem("ada", &offer);
    let before = app.summary();
    app.delete("/v1/members/ada").expect(200);
    app.delete("/v1/members/bob?erase=true").expect(200);
    let mut expected = before;
    expected["activeMembers"] = json!(0);
    expected["pointsForfeited"] = json!(120);
    assert_eq!(app.summary(), expected);
    assert_eq!(offers(&app)[0]["signups"], 1);
    check_ledger_equation(&app);
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(app.summary()["memberCount"], 2);
    assert_eq!(app.summary()["activeMembers"], 1);
}

#[test]
fn the_completion_rate_is_completed_by_total() {
    let app = TestApp::start();
    app.member("ada", 0);
    let redemptions = [(); 4].map(|()| app.redeem("ada", &app.offer(json!({}))));
    let rate = || app.summary()["completionRate"].as_f64().unwrap();
    let close = |a: f64, b: f64| (a - b).abs() < 1e-12;
    assert!(close(rate(), 0.0));
    move_to(&app, &redemptions[0], "COMPLETED").expect(200);
    assert!(close(rate(), 0.25));
    cancel(&app, &redemptions[1]).expect(200);
    assert!(close(rate(), 0.25), "a canceled one stays in the total");
    for redemption in &redemptions[2..] {
        move_to(&app, redemption, "COMPLETED").expect(200);
    }
    assert!(close(rate(), 0.75));
}

#[test]
fn an_offer_counts_its_members_completions_cancellations_and_points() {
    let app = TestApp::start();
    for member in ["ada", "bob", "eve"] {
        app.member(member, 100);
    }
    let first = app.offer(json!({"pointsPrice": 10}));
    let second = app.offer(json!({"pointsPrice": 20}));
    let quiet = app.offer(json!({}));
    let ada = app.redeem("ada", &first);
    cancel(&app, &ada).expect(200);
    app.redeem("ada", &first);
    let bob = app.redeem("bob", &first);
    move_to(&app, &bob, "COMPLETED").expect(200);
    app.redeem("eve", &second);
    app.delete(&format!("/v1/offers/{second}")).expect(200);

    let figures = offers(&app);

    let row = |id: &str, signups: u64, completions: u64, cancellations: u64, spent: u64| {
        json!({"offerId": id, "signups": signups, "completions": completions,
            "cancellations": cancellations, "pointsSpent": spent, "averageRating": null,
            "ratingCount": 0})
    };
    let expected = json!([
        row(&first, 2, 1, 1, 30),
        row(&second, 1, 0, 0, 20),
        row(&quiet, 0, 0, 0, 0)
    ]);
    assert_eq!(figures, expected, "in the order made, archived included");
}

#[test]
fn live_and_sandbox_have_their_own_figures() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.redeem("ada", &app.offer(json!({"pointsPrice": 5})));
    let path = "/v1/analytics/summary";
    let other = live(&app, "GET", path, &Value::Null).expect(200);
    assert_eq!(
        (&other["memberCount"], &other["pointsMinted"]),
        (&json!(0), &json!(0))
    );
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);
    let offer = live(&app, "POST", "/v1/offers", &json!({"title": "Live"})).expect(201);
    let other = live(&app, "GET", path, &Value::Null).expect(200);
    assert_eq!(other["memberCount"], 1);
    assert_eq!(app.summary()["memberCount"], 1);
    let rows = live(&app, "GET", "/v1/analytics/offers", &Value::Null).expect(200);
    assert_eq!(
        column(&rows["offers"], "offerId"),
        [offer["id"].as_str().unwrap()]
    );
    assert_eq!(offers(&app).as_array().unwrap().len(), 1);
}

#[test]
fn the_figures_are_the_same_after_a_restart() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let redemption = app.redeem("ada", &offer);
    cancel(&app, &redemption).expect(200);
    app.redeem("ada", &offer);
    app.delete("/v1/members/ada").expect(200);
    let before = (app.summary(), offers(&app));
    let app = app.restart();
    assert_eq!((app.summary(), offers(&app)), before);
    check_ledger_equation(&app);
}

#[test]
fn after_all_kinds_of_writes_every_figure_agrees_with_plain_sql() {
    let app = TestApp::start();
    for member in ["ada", "bob", "eve"] {
        app.member(member, 100);
        app.token(member);
    }
    let offers: Vec<_> = (1..=3)
        .map(|price| {
            app.offer(json!({"pointsPrice": price, "availability": {"quantityRemaining": 2}}))
        })
        .collect();
    for (member, offer, status) in [
        ("ada", 0, "COMPLETED"),
        ("ada", 1, "CANCELED"),
        ("ada", 1, "OPEN"),
        ("bob", 1, "AWAITING_CUSTOMER"),
        ("bob", 2, "CANCELED"),
        ("eve", 2, "PURCHASED"),
    ] {
        let redemption = app.redeem(member, &offers[offer]);
        move_to(&app, &redemption, status).expect(200);
    }
    let debit = json!({"externalUserID": "eve", "amount": 9});
    app.post("/v1/wallet/debit", &debit).expect(200);
    app.delete(&format!("/v1/offers/{}", offers[0])).expect(200);
    app.delete("/v1/members/bob").expect(200);
    app.put("/v1/members/bob", &json!({"tier": "gold"}))
        .expect(200);
    app.delete("/v1/members/ada?erase=true").expect(200);
    live(&app, "PUT", "/v1/members/lea", &json!({})).expect(200);

    let connection = stampcard::service::open_read_only(&app.database()).unwrap();
    let report = stampcard::service::verify::verify(&connection, |_| ()).unwrap();

    assert_eq!(report.findings, Vec::<String>::new());
    assert!(report.figures > 20, "{}", report.figures);
    check_ledger_equation(&app);
}
