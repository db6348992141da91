//! `GET /v1/wallet?at=`: the wallet of a past time.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{cancel, encode, get_as, millis, time, try_redeem};
use crate::points_life::{advance, assert_sums, credit, debit, wallet, with_lots};
use crate::support::{Response, TestApp};

const NOW: &str = "2026-06-15T12:00:00.000Z";
/// The numbers that a past wallet has of its own time.
const FIELDS: [&str; 5] = [
    "balance",
    "amountReceived",
    "amountSpent",
    "pending",
    "held",
];

fn ask(app: &TestApp, member: &str, at: &str) -> Response {
    let (member, at) = (encode(member), encode(at));
    app.get(&format!("/v1/wallet?externalUserID={member}&at={at}"))
}

#[track_caller]
fn past(app: &TestApp, at: i64) -> [i64; 5] {
    let wallet = ask(app, "ada", &time(at)).expect(200);
    assert_eq!(wallet["expiring"], json!([]));
    FIELDS.map(|field| wallet[field].as_i64().unwrap())
}

/// Credits, debits, redemptions and cancellations of ada at random times, of which many are the
/// same, with points that mature and expire. Returns the credits of points that come later: when
/// they were made, when they mature, and the points.
fn live(app: &TestApp, random: &mut fastrand::Rng) -> Vec<(i64, i64, i64)> {
    let offers = [(); 40].map(|()| app.offer(json!({"pointsPrice": 7})));
    let (mut offers, mut redeemed, mut pending) = (offers.iter(), Vec::new(), Vec::new());
    for _ in 0..120 {
        match random.u8(..6) {
            0 => app.clock.advance(Duration::from_millis(random.u64(1..4))),
            1 => advance(app, random.i64(1..4)),
            _ => {}
        }
        let ahead = app.get("/v1/sandbox/clock").expect(200);
        let now = millis(ahead["now"].as_str().unwrap());
        let some = random.i64(1..30);
        match random.u8(..8) {
            0 => credit(app, some, &json!({})),
            1 | 2 => {
                let expires_at = time(now + random.i64(0..9_000));
                credit(app, some, &json!({"expiresAt": expires_at}));
            }
            3 => {
                let matures_at = now + random.i64(0..9_000);
                credit(app, some, &json!({"maturesAt": time(matures_at)}));
                pending.push((now, matures_at, some));
            }
            4 => {
                let debited = debit(app, some).status;
                assert!(matches!(debited, 200 | 422), "{debited}");
            }
            5 | 6 => {
                let offer = offers.next().map(|offer| try_redeem(app, "ada", offer));
                let made = offer.filter(|made| made.status == 201);
                redeemed
                    .extend(made.map(|made| made.expect(201)["id"].as_str().unwrap().to_owned()));
            }
            _ => {
                if let Some(redemption) = redeemed.pop() {
                    cancel(app, &redemption).expect(200);
                }
            }
        }
    }
    advance(app, 20);
    pending
}

/// All transactions, oldest first: the time, and the points that came and went.
fn all_transactions(app: &TestApp) -> Vec<(i64, i64, i64)> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/wallet/transactions?externalUserID=ada&limit=100{cursor}");
        let page = app.get(&path).expect(200);
        for row in page["transactions"].as_array().unwrap() {
            let (at, amount) = (
                millis(row["createdAt"].as_str().unwrap()),
                row["amount"].as_i64(),
            );
            let amount = amount.unwrap();
            all.push(match row["type"].as_str().unwrap() {
                "CREDIT" => (at, amount, 0),
                _ => (at, 0, amount),
            });
        }
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    all.reverse();
    all
}

#[test]
fn a_past_wallet_is_the_sum_of_what_happened_until_then() {
    for seed in 0..3 {
        let mut random = fastrand::Rng::with_seed(seed);
        let app = with_lots();
        let pending = live(&app, &mut random);
        let all = all_transactions(&app);
        assert!(all.len() > 60, "{}", all.len());
        let mut times: Vec<i64> = all.iter().map(|(at, ..)| *at).collect();
        times.extend(
            pending
                .iter()
                .flat_map(|(made, matures, _)| [*made, *matures]),
        );
        times.extend([millis(NOW) - 86_400_000, times[0]]);
        let mut around: Vec<i64> = times.iter().flat_map(|at| [at - 1, *at, at + 1]).collect();
        around.sort_unstable();
        around.dedup();
        let mut has_pending = false;
        for at in around {
            let until = all.iter().filter(|(time, ..)| *time <= at);
            let sums = until.fold((0, 0), |(came, went), row| (came + row.1, went + row.2));
            // What matures at once, because its time has passed, is never pending.
            let waits = |one: &&(i64, i64, i64)| one.0 <= at && at < one.1;
            let waiting: i64 = pending.iter().filter(waits).map(|one| one.2).sum();
            has_pending |= waiting > 0;
            let expected = [sums.0 - sums.1, sums.0, sums.1, waiting, 0];
            assert_eq!(past(&app, at), expected, "seed {seed}, {}", time(at));
        }
        assert!(has_pending);
        // Now it is what it is without a time, and by then the log has nothing newer of ada.
        let now = app.get("/v1/sandbox/clock").expect(200)["now"].clone();
        let (now, current) = (now.as_str().unwrap(), wallet(&app, "ada"));
        let current_sums = FIELDS.map(|field| current[field].as_i64().unwrap());
        assert_eq!(past(&app, millis(now)), current_sums);
        assert_sums(&app);
    }
}

#[test]
fn a_past_wallet_names_the_newest_entry_that_it_includes() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({})).expect(200);
    let before = ask(&app, "ada", "2026-06-15T11:59:59.999Z").expect(200);
    assert_eq!(
        (&before["balance"], &before["asOf"]),
        (&json!(0), &json!(0))
    );
    credit(&app, 5, &json!({}));
    credit(&app, 6, &json!({}));
    let newest: i64 = app
        .sqlite()
        .query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))
        .unwrap();
    // Others do not change what was.
    app.member("bob", 7);
    app.clock.advance(Duration::from_mins(1));
    credit(&app, 100, &json!({}));
    for at in [NOW, "2026-06-15T14:00:30+02:00", "2026-06-15T12:00:59.999Z"] {
        let past = ask(&app, "ada", at).expect(200);
        assert_eq!(
            (&past["balance"], &past["asOf"]),
            (&json!(11), &json!(newest)),
            "{at}"
        );
        assert_eq!(past["currency"], before["currency"]);
    }
    let path = "/v1/wallet?externalUserID=ada&at=2026-06-15T14:00:00+02:00";
    assert_eq!(
        app.get(path).expect(200)["balance"],
        11,
        "an offset that is not encoded"
    );
}

#[test]
fn a_time_to_come_and_a_bad_one_are_refused_by_name() {
    let app = TestApp::start();
    app.member("ada", 5);
    let refused = |member: &str, at: &str, expected: &str| {
        let message = ask(&app, member, at).expect_error(422, "VALIDATION");
        assert!(message.starts_with("at "), "{message}");
        assert!(message.contains(expected), "{message}");
    };
    assert_eq!(ask(&app, "ada", NOW).expect(200)["balance"], 5);
    refused(
        "ada",
        "2026-06-15T12:00:00.001Z",
        "2026-06-15T12:00:00.000Z",
    );
    refused("nobody", "2027-01-01T00:00:00Z", "future");
    refused("ada", "yesterday", "RFC 3339");
    refused("ada", "", "RFC 3339");
    ask(&app, "nobody", NOW).expect_error(404, "NOT_FOUND");
    let message = app.get(&format!("/v1/wallet?at={NOW}"));
    let message = message.expect_error(422, "VALIDATION");
    assert!(message.starts_with("externalUserID"), "{message}");
    // The time is the program's.
    advance(&app, 60);
    assert_eq!(
        ask(&app, "ada", "2026-06-15T12:01:00Z").expect(200)["balance"],
        5
    );
    refused("ada", "2026-06-15T12:01:00.001Z", "future");
    // It is the wallet's parameter alone.
    let path = "/v1/eligibility?externalUserID=ada&at=yesterday";
    app.get(path).expect(200);
}

#[test]
fn a_member_sees_only_the_own_past() {
    let app = TestApp::start();
    app.member("ada", 5);
    app.member("bob", 7);
    let token = app.token("ada");
    let get = |query: &str| get_as(&app, &token, &format!("/v1/wallet?{query}"));
    let own: Value = get(&format!("at={NOW}")).expect(200);
    assert_eq!(own["balance"], 5);
    assert_eq!(
        get(&format!("at={NOW}&externalUserID=ada")).expect(200),
        own
    );
    get(&format!("at={NOW}&externalUserID=bob")).expect_error(403, "FORBIDDEN");
    get("at=2030-01-01T00:00:00Z&externalUserID=bob").expect_error(403, "FORBIDDEN");
    get("at=2030-01-01T00:00:00Z").expect_error(422, "VALIDATION");
    app.delete("/v1/members/ada").expect(200);
    get(&format!("at={NOW}")).expect_error(401, "UNAUTHORIZED");
    ask(&app, "ada", NOW).expect_error(404, "NOT_FOUND");
}
