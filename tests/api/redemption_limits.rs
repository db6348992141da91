//! How often a member can redeem an offer.

use serde_json::json;

use crate::client::{cancel, move_to, race, rows, stock, try_redeem};
use crate::figures_on_disk::verify;
use crate::support::TestApp;

fn limited(app: &TestApp, per_member: impl Into<Option<i64>>, per: &str) -> String {
    let per_member = per_member.into();
    app.offer(json!({"redemptionLimit": {"perMember": per_member, "per": per}}))
}

#[track_caller]
fn refused(app: &TestApp, member: &str, offer: &str) {
    let before = rows(app);
    let message = try_redeem(app, member, offer).expect_error(409, "REDEMPTION_ALREADY_EXISTS");
    assert_eq!(
        message,
        "the member has as many redemptions of this offer as its limit allows"
    );
    assert_eq!(rows(app), before, "nothing may be written");
}

#[test]
fn the_default_is_one_redemption_that_is_not_canceled() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({}));
    let path = format!("/v1/offers/{offer}");
    assert_eq!(
        app.get(&path).expect(200)["redemptionLimit"],
        json!({"perMember": 1, "per": "ever"})
    );
    let first = app.redeem("ada", &offer);
    move_to(&app, &first, "COMPLETED").expect(200);
    refused(&app, "ada", &offer);
}

#[test]
fn a_limit_of_all_redemptions_counts_completed_but_not_canceled_ones() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let offer = limited(&app, 3, "ever");
    let first = app.redeem("ada", &offer);
    let second = app.redeem("ada", &offer);
    cancel(&app, &first).expect(200);
    move_to(&app, &second, "COMPLETED").expect(200);
    app.redeem("ada", &offer);
    app.redeem("ada", &offer);
    refused(&app, "ada", &offer);
    app.redeem("bob", &offer);
    let figures = app.get("/v1/analytics/offers").expect(200)["offers"][0].clone();
    assert_eq!(figures["signups"], 2, "each member is one signup");
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_limit_of_open_redemptions_lets_a_completed_one_be_followed() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = limited(&app, 2, "open");
    for _ in 0..5 {
        let first = app.redeem("ada", &offer);
        let second = app.redeem("ada", &offer);
        move_to(&app, &first, "PURCHASED").expect(200);
        refused(&app, "ada", &offer);
        move_to(&app, &first, "COMPLETED").expect(200);
        cancel(&app, &second).expect(200);
    }
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn without_a_limit_only_the_stock_counts() {
    let app = TestApp::start();
    app.member("ada", 0);
    for per in ["ever", "open"] {
        let offer = limited(&app, None, per);
        let pieces = json!({"availability": {"quantityRemaining": 4}});
        app.patch(&format!("/v1/offers/{offer}"), &pieces)
            .expect(200);
        for _ in 0..4 {
            app.redeem("ada", &offer);
        }
        try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
    }
}

#[test]
fn a_lowered_limit_concerns_new_redemptions_only() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = limited(&app, 3, "ever");
    let all: Vec<String> = (0..3).map(|_| app.redeem("ada", &offer)).collect();
    let path = format!("/v1/offers/{offer}");
    let patched = app
        .patch(&path, &json!({"redemptionLimit": {"perMember": 2}}))
        .expect(200);
    assert_eq!(
        patched["redemptionLimit"],
        json!({"perMember": 2, "per": "ever"})
    );
    assert_eq!(
        verify(&app),
        [""; 0],
        "the earlier redemptions were allowed"
    );
    refused(&app, "ada", &offer);
    cancel(&app, &all[0]).expect(200);
    refused(&app, "ada", &offer);
    cancel(&app, &all[1]).expect(200);
    let fourth = app.redeem("ada", &offer);
    refused(&app, "ada", &offer);
    let per = json!({"redemptionLimit": {"per": "open"}});
    app.patch(&path, &per).expect(200);
    refused(&app, "ada", &offer);
    move_to(&app, &fourth, "COMPLETED").expect(200);
    app.redeem("ada", &offer);
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn more_redemptions_than_a_limit_allowed_are_reported() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = limited(&app, 2, "open");
    app.redeem("ada", &offer);
    app.redeem("ada", &offer);
    let lower = "UPDATE offer SET limit_per_member = 1";
    app.sqlite().execute(lower, []).unwrap();
    let findings = verify(&app);
    let expected = "has 2 redemptions of offer row 1, whose limit is 1";
    assert!(
        findings.iter().any(|one| one.contains(expected)),
        "{findings:?}"
    );
}

#[test]
fn of_two_concurrent_redemptions_under_a_limit_exactly_as_many_succeed_as_it_allows() {
    let app = TestApp::start();
    for (per_member, per, expected) in [
        (1, "open", [201, 409]),
        (3, "ever", [201, 409]),
        (3, "open", [201, 409]),
        (4, "ever", [201, 201]),
    ] {
        for round in 0..4 {
            let member = format!("{per}{per_member}-{round}");
            app.member(&member, 0);
            let offer = limited(&app, per_member, per);
            for _ in 0..2.min(per_member - 1) {
                app.redeem(&member, &offer);
            }
            let send = || try_redeem(&app, &member, &offer);
            assert_eq!(race([&send, &send]), expected, "{member}");
        }
    }
    assert_eq!(verify(&app), [""; 0]);
}

#[test]
fn a_refused_redemption_takes_no_piece() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = limited(&app, 2, "open");
    let pieces = json!({"availability": {"quantityRemaining": 9}});
    app.patch(&format!("/v1/offers/{offer}"), &pieces)
        .expect(200);
    for _ in 0..2 {
        app.redeem("ada", &offer);
    }
    refused(&app, "ada", &offer);
    assert_eq!(stock(&app, &offer)["quantityRemaining"], 7);
}
