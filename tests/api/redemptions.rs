use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{
    activities, call, cancel, column, credit, get_as, move_to, number, post_as, race, rows, stock,
    try_redeem,
};
use crate::support::{Response, TestApp};

const STATUSES: [&str; 7] = [
    "SUBMITTED",
    "OPEN",
    "AWAITING_VENDOR",
    "AWAITING_CUSTOMER",
    "PURCHASED",
    "COMPLETED",
    "CANCELED",
];

/// Checks that a request is refused and leaves every row as it was.
#[track_caller]
fn refused(app: &TestApp, send: impl FnOnce() -> Response, status: u16, code: &str) {
    let before = rows(app);
    send().expect_error(status, code);
    assert_eq!(rows(app), before, "nothing may be written");
}

#[test]
fn a_redemption_takes_the_price_and_one_piece() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30, "availability": {"quantityRemaining": 2}}));

    let redemption = try_redeem(&app, "ada", &offer).expect(201);

    assert_eq!(redemption["offer"], offer.as_str());
    assert_eq!(redemption["status"], "SUBMITTED");
    assert_eq!(redemption["createdAt"], "2026-06-15T12:00:00.000Z");
    assert_eq!(app.balance("ada"), 70);
    assert_eq!(
        stock(&app, &offer),
        json!({"isAvailable": true, "quantityRemaining": 1, "isUnlimited": false})
    );
    let ledger = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200)["transactions"]
        .clone();
    assert_eq!(ledger[0]["type"], "DEBIT");
    assert_eq!(ledger[0]["amount"], 30);
    assert_eq!(ledger[0]["reason"], "redemption");
    assert_eq!(ledger[0]["redemptionID"], redemption["id"]);
}

#[test]
fn a_member_redeems_with_a_token_and_may_name_nobody_else() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let token = app.token("ada");
    refused(
        &app,
        || {
            let body = json!({"offer": offer, "externalUserID": "bob"});
            post_as(&app, &token, "/v1/redemptions", &body)
        },
        403,
        "FORBIDDEN",
    );
    let body = json!({"offer": offer, "externalUserID": "ada"});
    let made = post_as(&app, &token, "/v1/redemptions", &body).expect(201);
    assert_eq!(made["externalUserID"], "ada");
    assert_eq!((app.balance("ada"), app.balance("bob")), (70, 100));
}

#[test]
fn a_key_has_to_name_the_member() {
    let app = TestApp::start();
    let offer = app.offer(json!({}));
    let message = app
        .post("/v1/redemptions", &json!({"offer": offer}))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("externalUserID"), "{message}");
}

#[test]
fn too_few_points_are_refused() {
    let app = TestApp::start();
    app.member("ada", 29);
    let offer = app.offer(json!({"pointsPrice": 30, "availability": {"quantityRemaining": 1}}));
    refused(
        &app,
        || try_redeem(&app, "ada", &offer),
        422,
        "INSUFFICIENT_POINTS",
    );
    credit(&app, "ada", 1);
    try_redeem(&app, "ada", &offer).expect(201);
    assert_eq!(app.balance("ada"), 0);
}

#[test]
fn the_same_offer_a_second_time_is_refused_until_the_first_is_canceled() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let first = app.redeem("ada", &offer);
    refused(
        &app,
        || try_redeem(&app, "ada", &offer),
        409,
        "REDEMPTION_ALREADY_EXISTS",
    );
    move_to(&app, &first, "COMPLETED").expect(200);
    refused(
        &app,
        || try_redeem(&app, "ada", &offer),
        409,
        "REDEMPTION_ALREADY_EXISTS",
    );

    let other = app.offer(json!({"pointsPrice": 30}));
    let second = app.redeem("ada", &other);
    cancel(&app, &second).expect(200);
    let third = app.redeem("ada", &other);

    assert_ne!(second, third);
    assert_eq!(app.balance("ada"), 40);
    let figures = app.get("/v1/analytics/offers").expect(200)["offers"][1].clone();
    assert_eq!(figures["signups"], 1, "the same member is one signup");
    assert_eq!(figures["cancellations"], 1);
    assert_eq!(figures["pointsSpent"], 60, "gross");
}

#[test]
fn an_expired_offer_is_unavailable_from_the_very_millisecond() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let offer = app.offer(json!({"pointsPrice": 30, "expiresAt": "2026-06-15T12:00:01Z"}));
    app.clock.advance(Duration::from_millis(999));
    try_redeem(&app, "ada", &offer).expect(201);
    app.clock.advance(Duration::from_millis(1));
    refused(
        &app,
        || try_redeem(&app, "bob", &offer),
        422,
        "OFFER_UNAVAILABLE",
    );
}

#[test]
fn a_sold_out_offer_is_unavailable() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    let offer = app.offer(json!({"availability": {"quantityRemaining": 1}}));
    app.redeem("ada", &offer);
    refused(
        &app,
        || try_redeem(&app, "bob", &offer),
        422,
        "OFFER_UNAVAILABLE",
    );
    assert_eq!(
        stock(&app, &offer),
        json!({"isAvailable": false, "quantityRemaining": 0, "isUnlimited": false})
    );
}

#[test]
fn an_offer_closed_to_the_tier_is_unavailable() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"tiers": ["gold", "vip"]}));
    refused(
        &app,
        || try_redeem(&app, "ada", &offer),
        422,
        "OFFER_UNAVAILABLE",
    );
    app.put("/v1/members/ada", &json!({"tier": "vip"}))
        .expect(200);
    try_redeem(&app, "ada", &offer).expect(201);
}

#[test]
fn an_unknown_archived_or_foreign_offer_is_404() {
    let app = TestApp::start();
    app.member("ada", 100);
    let archived = app.offer(json!({}));
    app.delete(&format!("/v1/offers/{archived}")).expect(200);
    let unknown = "off_01890a5d-ac96-774b-bcce-b302099a8057";
    let redemption = app.redeem("ada", &app.offer(json!({})));
    for id in [
        &archived,
        unknown,
        "nonsense",
        "",
        &redemption,
        &archived.to_uppercase(),
    ] {
        refused(&app, || try_redeem(&app, "ada", id), 404, "NOT_FOUND");
    }
}

#[test]
fn an_offer_without_a_price_and_one_for_nothing_write_no_ledger_entry() {
    let app = TestApp::start();
    app.member("ada", 0);
    for price in [json!(null), json!(0)] {
        let offer = app.offer(json!({"pointsPrice": price}));
        let redemption = app.redeem("ada", &offer);
        cancel(&app, &redemption).expect(200);
        app.redeem("ada", &offer);
    }
    assert_eq!(
        number(
            &app,
            "SELECT count(*) FROM activity WHERE entry IS NOT NULL"
        ),
        0
    );
    let ledger = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);
    assert_eq!(ledger["transactions"], json!([]));
    assert_eq!(activities(&app, 6), 4);
}

#[test]
fn what_is_wrong_first_in_the_documented_order_is_reported() {
    let app = TestApp::start();
    app.member("ada", 10);
    let offer = app.offer(json!({"pointsPrice": 10}));
    let held = app.redeem("ada", &offer);
    let path = format!("/v1/offers/{offer}");

    // Already held and too expensive: already held comes first.
    app.patch(&path, &json!({"pointsPrice": 50})).expect(200);
    try_redeem(&app, "ada", &offer).expect_error(409, "REDEMPTION_ALREADY_EXISTS");
    // Also sold out, expired or closed: these come before.
    for (wrong, right) in [
        (
            json!({"availability": {"quantityRemaining": 0}}),
            json!({"availability": {"quantityRemaining": null}}),
        ),
        (
            json!({"expiresAt": "2026-06-15T12:00:00Z"}),
            json!({"expiresAt": null}),
        ),
        (json!({"tiers": ["gold"]}), json!({"tiers": []})),
        (json!({"paused": true}), json!({"paused": false})),
        (
            json!({"availableFrom": "2026-06-15T12:00:01Z"}),
            json!({"availableFrom": null}),
        ),
    ] {
        app.patch(&path, &wrong).expect(200);
        try_redeem(&app, "ada", &offer).expect_error(422, "OFFER_UNAVAILABLE");
        app.patch(&path, &right).expect(200);
    }
    // Without the booking only the points are missing.
    cancel(&app, &held).expect(200);
    try_redeem(&app, "ada", &offer).expect_error(422, "INSUFFICIENT_POINTS");
    // Archived: the offer does not exist, whatever else is wrong.
    app.patch(&path, &json!({"tiers": ["gold"]})).expect(200);
    app.delete(&path).expect(200);
    try_redeem(&app, "ada", &offer).expect_error(404, "NOT_FOUND");
}

#[test]
fn a_cancellation_returns_the_points_and_the_piece_once() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30, "availability": {"quantityRemaining": 1}}));
    let redemption = app.redeem("ada", &offer);

    let body = json!({"canceledReason": "SOLD_OUT", "canceledNote": "two\nlines"});
    let path = format!("/v1/redemptions/{redemption}/cancel");
    let canceled = app.post(&path, &body).expect(200);

    assert_eq!(canceled["status"], "CANCELED");
    assert_eq!(canceled["canceledReason"], "SOLD_OUT");
    assert_eq!(canceled["canceledNote"], "two\nlines");
    assert_eq!(app.balance("ada"), 100);
    assert_eq!(stock(&app, &offer)["quantityRemaining"], 1);
    let wallet = app.get("/v1/wallet?externalUserID=ada").expect(200);
    assert_eq!(
        (&wallet["amountReceived"], &wallet["amountSpent"]),
        (&json!(130), &json!(30))
    );
    let ledger = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200)["transactions"][0]
        .clone();
    assert_eq!(
        (&ledger["type"], &ledger["reason"]),
        (&json!("CREDIT"), &json!("refund"))
    );
    assert_eq!(ledger["redemptionID"], redemption.as_str());

    // Any repetition has no further effect.
    let before = rows(&app);
    let other = json!({"canceledReason": "OTHER", "canceledNote": null});
    assert_eq!(app.post(&path, &other).expect(200), canceled);
    assert_eq!(move_to(&app, &redemption, "CANCELED").expect(200), canceled);
    assert_eq!(rows(&app), before);
}

#[test]
fn a_refund_returns_what_was_charged_whatever_the_offer_costs_by_then() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let redemption = app.redeem("ada", &offer);
    for price in [json!(99), json!(1), json!(null)] {
        app.patch(
            &format!("/v1/offers/{offer}"),
            &json!({"pointsPrice": price}),
        )
        .expect(200);
    }
    app.delete(&format!("/v1/offers/{offer}")).expect(200);
    cancel(&app, &redemption).expect(200);
    assert_eq!(app.balance("ada"), 100);
    assert_eq!(app.summary()["pointsRefunded"], 30);
}

#[test]
fn an_offer_that_became_unlimited_or_limited_gets_back_only_what_was_taken() {
    let app = TestApp::start();
    app.member("ada", 0);
    let offer = app.offer(json!({"availability": {"quantityRemaining": null}}));
    let path = format!("/v1/offers/{offer}");
    let unlimited = app.redeem("ada", &offer);
    let limit = json!({"availability": {"quantityRemaining": 5}});
    app.patch(&path, &limit).expect(200);
    cancel(&app, &unlimited).expect(200);
    assert_eq!(stock(&app, &offer)["quantityRemaining"], 5);
    let limited = app.redeem("ada", &offer);
    let lift = json!({"availability": {"quantityRemaining": null}});
    app.patch(&path, &lift).expect(200);
    cancel(&app, &limited).expect(200);
    assert_eq!(stock(&app, &offer)["isUnlimited"], true);
}

#[test]
fn a_refund_goes_to_the_wallet_of_a_removed_member_too() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let redemption = app.redeem("ada", &offer);
    app.delete("/v1/members/ada").expect(200);
    cancel(&app, &redemption).expect(200);
    let wallet = app.get("/v1/members/ada?includeArchived=true").expect(200)["wallet"].clone();
    assert_eq!(wallet["balance"], 30);
    app.put("/v1/members/ada", &json!({})).expect(200);
    assert_eq!(app.balance("ada"), 30);
}

/// Whether a redemption may go from one status to another, as the API defines it.
fn is_legal(from: &str, to: &str) -> bool {
    let place = |status| STATUSES.iter().position(|s| *s == status).unwrap();
    match (from, to) {
        ("COMPLETED" | "CANCELED", _) => false,
        (_, "CANCELED") | ("AWAITING_CUSTOMER", "AWAITING_VENDOR") => true,
        _ => place(to) > place(from),
    }
}

#[test]
fn every_move_by_patch_is_allowed_or_refused_as_decided_and_emits_its_event_once() {
    let app = TestApp::start();
    app.member("ada", 1000);
    for from in STATUSES {
        for to in STATUSES {
            let redemption = app.redeem("ada", &app.offer(json!({"pointsPrice": 1})));
            move_to(&app, &redemption, from).expect(200);
            let kind = 6 + i64::try_from(STATUSES.iter().position(|s| *s == to).unwrap()).unwrap();
            let (before, events) = (rows(&app), activities(&app, kind));
            let response = move_to(&app, &redemption, to);
            if from == to {
                assert_eq!(response.expect(200)["status"], to);
                assert_eq!(rows(&app), before, "{from} again is nothing new");
            } else if is_legal(from, to) {
                assert_eq!(response.expect(200)["status"], to);
                assert_eq!(activities(&app, kind), events + 1, "{from} to {to}");
            } else {
                response.expect_error(409, "REDEMPTION_TRANSITION_INVALID");
                assert_eq!(rows(&app), before, "{from} to {to}");
            }
        }
    }
}

#[test]
fn the_key_cancels_by_the_cancel_route_as_by_the_patch() {
    let app = TestApp::start();
    app.member("ada", 0);
    for from in STATUSES {
        let redemption = app.redeem("ada", &app.offer(json!({})));
        move_to(&app, &redemption, from).expect(200);
        let response = cancel(&app, &redemption);
        if from == "COMPLETED" {
            response.expect_error(409, "REDEMPTION_TRANSITION_INVALID");
        } else {
            assert_eq!(response.expect(200)["status"], "CANCELED", "{from}");
        }
    }
}

#[test]
fn a_member_cancels_only_what_is_submitted_or_open() {
    let app = TestApp::start();
    app.member("ada", 0);
    for from in STATUSES {
        let redemption = app.redeem("ada", &app.offer(json!({})));
        move_to(&app, &redemption, from).expect(200);
        let token = app.token("ada");
        let path = format!("/v1/redemptions/{redemption}/cancel");
        let before = rows(&app);
        let response = post_as(&app, &token, &path, &Value::Null);
        match from {
            "SUBMITTED" | "OPEN" => {
                let body = response.expect(200);
                assert_eq!(body["status"], "CANCELED");
                assert_eq!(body["canceledReason"], "MEMBER_REQUESTED");
            }
            "CANCELED" => {
                response.expect(200);
                assert_eq!(rows(&app), before);
            }
            _ => {
                response.expect_error(409, "REDEMPTION_TRANSITION_INVALID");
                assert_eq!(rows(&app), before);
            }
        }
    }
}

#[test]
fn another_members_redemption_is_404_and_a_patch_is_for_the_key_alone() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let redemption = app.redeem("bob", &app.offer(json!({})));
    let token = app.token("ada");
    let path = format!("/v1/redemptions/{redemption}");
    let before = rows(&app);
    get_as(&app, &token, &path).expect_error(404, "NOT_FOUND");
    post_as(&app, &token, &format!("{path}/cancel"), &json!({})).expect_error(404, "NOT_FOUND");
    let own = app.token("bob");
    call(&app, &own, "PATCH", &path, &json!({"status": "OPEN"})).expect_error(403, "FORBIDDEN");
    get_as(&app, &token, "/v1/redemptions?externalUserID=bob").expect_error(403, "FORBIDDEN");
    app.get(&format!("{path}?externalUserID=ada"))
        .expect_error(404, "NOT_FOUND");
    app.get(&format!("{path}?externalUserID=bob")).expect(200);
    assert_eq!(rows(&app).len(), before.len() + 1, "the exchange alone");
}

#[test]
fn times_reason_and_note_are_patched_and_cleared() {
    let app = TestApp::start();
    app.member("ada", 0);
    let redemption = app.redeem("ada", &app.offer(json!({})));
    let path = format!("/v1/redemptions/{redemption}");
    let times =
        json!({"startAt": "2026-07-01T10:00:00.5006+02:00", "endAt": "2026-07-02T00:00:00Z"});

    let set = app.patch(&path, &times).expect(200);
    assert_eq!(set["startAt"], "2026-07-01T08:00:00.500Z");
    assert_eq!(set["endAt"], "2026-07-02T00:00:00.000Z");
    assert_eq!(set["status"], "SUBMITTED");
    assert_eq!(app.patch(&path, &json!({})).expect(200), set);
    let cleared = app.patch(&path, &json!({"startAt": null})).expect(200);
    assert_eq!(cleared["startAt"], Value::Null);

    let body = json!({"status": "CANCELED", "canceledReason": "EXPIRED", "canceledNote": "late"});
    let canceled = app.patch(&path, &body).expect(200);
    assert_eq!(
        (&canceled["canceledReason"], &canceled["canceledNote"]),
        (&json!("EXPIRED"), &json!("late"))
    );
    let body = json!({"canceledReason": null, "canceledNote": null});
    let cleared = app.patch(&path, &body).expect(200);
    assert_eq!(
        (&cleared["canceledReason"], &cleared["canceledNote"]),
        (&Value::Null, &Value::Null)
    );
}

#[test]
fn a_patch_that_does_not_hold_together_changes_nothing() {
    let app = TestApp::start();
    app.member("ada", 0);
    let redemption = app.redeem("ada", &app.offer(json!({})));
    let path = format!("/v1/redemptions/{redemption}");
    let before = rows(&app);
    for (body, field) in [
        (
            json!({"startAt": "2026-07-02T00:00:00Z", "endAt": "2026-07-01T00:00:00Z"}),
            "endAt",
        ),
        (json!({"canceledReason": "OTHER"}), "canceledReason"),
        (
            json!({"status": "OPEN", "canceledNote": "no"}),
            "canceledNote",
        ),
        (
            json!({"status": "CANCELED", "canceledReason": "BORED"}),
            "canceledReason",
        ),
        (json!({"status": null}), "status"),
        (json!({"status": "open"}), "status"),
    ] {
        let message = app.patch(&path, &body).expect_error(422, "VALIDATION");
        assert!(message.contains(field), "{message}");
    }
    assert_eq!(rows(&app), before);
}

#[test]
fn a_list_is_the_members_own_or_the_programs_and_narrowed_by_status() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.member("bob", 0);
    let offer = app.offer(json!({}));
    let other = app.offer(json!({}));
    let first = app.redeem("ada", &offer);
    let second = app.redeem("bob", &offer);
    let third = app.redeem("ada", &other);
    move_to(&app, &first, "OPEN").expect(200);
    let token = app.token("ada");
    let ids = |body: &Value| -> Vec<String> {
        let ids = column(&body["redemptions"], "id");
        ids.into_iter().map(str::to_owned).collect()
    };
    let as_key = |query: &str| ids(&app.get(&format!("/v1/redemptions{query}")).expect(200));
    assert_eq!(as_key(""), [third.clone(), second.clone(), first.clone()]);
    assert_eq!(
        as_key("?externalUserID=ada"),
        [third.clone(), first.clone()]
    );
    assert_eq!(as_key("?status=OPEN"), std::slice::from_ref(&first));
    assert_eq!(as_key("?status=SUBMITTED&externalUserID=bob"), [second]);
    assert_eq!(as_key("?status=COMPLETED"), Vec::<String>::new());
    let own = get_as(&app, &token, "/v1/redemptions").expect(200);
    assert_eq!(ids(&own), [third, first]);
    app.get("/v1/redemptions?status=open")
        .expect_error(422, "VALIDATION");
}

#[test]
fn of_two_redemptions_racing_for_the_last_points_exactly_one_wins() {
    let app = TestApp::start();
    for round in 0..8 {
        let member = format!("member{round}");
        app.member(&member, 30);
        let offers = [(); 2].map(|()| app.offer(json!({"pointsPrice": 20})));
        let statuses = race([&|| try_redeem(&app, &member, &offers[0]), &|| {
            try_redeem(&app, &member, &offers[1])
        }]);
        assert_eq!(statuses, [201, 422]);
        assert_eq!(app.balance(&member), 10);
    }
    let summary = app.summary();
    assert_eq!(summary["pointsSpent"], 160);
    assert_eq!(summary["redemptions"]["total"], 8);
}

#[test]
fn of_two_members_racing_for_the_last_piece_exactly_one_wins() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.member("bob", 100);
    for _ in 0..8 {
        let offer = app.offer(json!({"pointsPrice": 1, "availability": {"quantityRemaining": 1}}));
        let statuses = race([&|| try_redeem(&app, "ada", &offer), &|| {
            try_redeem(&app, "bob", &offer)
        }]);
        assert_eq!(statuses, [201, 422]);
        assert_eq!(stock(&app, &offer)["quantityRemaining"], 0);
    }
    assert_eq!(app.balance("ada") + app.balance("bob"), 192);
}

#[test]
fn of_two_bookings_of_one_offer_by_one_member_exactly_one_wins() {
    let app = TestApp::start();
    app.member("ada", 100);
    for round in 1..=8 {
        let offer = app.offer(json!({"pointsPrice": 1}));
        let send = || try_redeem(&app, "ada", &offer);
        assert_eq!(race([&send, &send]), [201, 409]);
        assert_eq!(app.balance("ada"), 100 - round);
    }
}

#[test]
fn of_two_cancellations_at_once_only_one_refunds() {
    let app = TestApp::start();
    app.member("ada", 100);
    for _ in 0..8 {
        let redemption = app.redeem("ada", &app.offer(json!({"pointsPrice": 50})));
        let send = || cancel(&app, &redemption);
        assert_eq!(race([&send, &send]), [200, 200]);
        assert_eq!(app.balance("ada"), 100);
    }
}

#[test]
fn a_member_does_not_rewrite_why_the_operator_canceled() {
    let app = TestApp::start();
    app.member("ada", 100);
    let token = app.token("ada");
    let redemption = app.redeem("ada", &app.offer(json!({})));
    let path = format!("/v1/redemptions/{redemption}");
    let body = json!({"status": "CANCELED", "canceledReason": "SOLD_OUT", "canceledNote": "sorry"});
    let canceled = app.patch(&path, &body).expect(200);
    let mine = json!({"canceledReason": "MEMBER_REQUESTED", "canceledNote": "I did it"});
    let again = post_as(&app, &token, &format!("{path}/cancel"), &mine).expect(200);
    assert_eq!(again, canceled);
}
