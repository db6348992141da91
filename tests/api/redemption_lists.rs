//! Lists of redemptions: filters, search and order, page by page; and the history of one
//! redemption.

use std::time::Duration;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::client::{call, cancel, column, encode, get_as, move_to, number, time};
use crate::support::TestApp;

/// Every redemption that a query finds, page by page, and the number of pages.
#[track_caller]
fn walk(app: &TestApp, query: &str, limit: usize) -> (Vec<Value>, usize) {
    let (mut found, mut pages, mut cursor) = (Vec::new(), 0, String::new());
    loop {
        let path = format!("/v1/redemptions?limit={limit}&{query}{cursor}");
        let page = app.get(&path).expect(200);
        found.extend(page["redemptions"].as_array().unwrap().iter().cloned());
        pages += 1;
        match &page["nextCursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => return (found, pages),
        }
    }
}

fn ids(rows: &[Value]) -> Vec<&str> {
    rows.iter().map(|row| row["id"].as_str().unwrap()).collect()
}

const MEMBERS: [(&str, &str); 5] = [
    ("user_1", "Änne Ärzte"),
    ("user_2", "José Straße"),
    ("user_3", "Γιώργος Café"),
    ("user_4", "Ada Lovelace"),
    ("stamp_5", ""),
];
const OFFERS: [&str; 4] = ["Café crème", "Museum night", "Stamp album", "Night train"];

/// Expected results of a search, written by hand: a word, and the members and offers that contain
/// it.
const WORDS: [(&str, &[usize], &[usize]); 8] = [
    ("arzte", &[0], &[]),
    ("STRASSE", &[1], &[]),
    ("cafe", &[2], &[0]),
    ("ada", &[3], &[]),
    ("night", &[], &[1, 3]),
    ("stamp", &[4], &[2]),
    ("user", &[0, 1, 2, 3], &[]),
    ("nobody", &[], &[]),
];

/// A server with 60 redemptions over many days, some of them canceled and redeemed again; the
/// member and the offer of each.
fn filled(random: &mut Rng) -> (TestApp, Vec<(usize, usize)>, Vec<String>) {
    let app = TestApp::start();
    for (id, name) in MEMBERS {
        let name = if name.is_empty() {
            Value::Null
        } else {
            json!(name)
        };
        let body = json!({"displayName": name});
        app.put(&format!("/v1/members/{id}"), &body).expect(200);
    }
    let offers: Vec<String> = OFFERS
        .iter()
        .map(|title| app.offer(json!({"title": title})))
        .collect();
    let mut made = Vec::new();
    while made.len() < 60 {
        let (member, offer) = (random.usize(..MEMBERS.len()), random.usize(..OFFERS.len()));
        let body = json!({"offer": offers[offer], "externalUserID": MEMBERS[member].0});
        let answer = app.post("/v1/redemptions", &body);
        if answer.status != 201 {
            // The member holds it already; a canceled one can be redeemed again.
            let path = format!(
                "externalUserID={}&offer={}",
                MEMBERS[member].0, offers[offer]
            );
            let (held, _) = walk(&app, &path, 100);
            cancel(&app, held[0]["id"].as_str().unwrap());
            continue;
        }
        let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
        if random.bool() {
            move_to(&app, &id, ["OPEN", "AWAITING_VENDOR"][random.usize(..2)]).expect(200);
        }
        made.push((member, offer));
        // Some are created at the same time.
        if random.bool() {
            app.clock.advance(Duration::from_hours(random.u64(1..30)));
        }
    }
    (app, made, offers)
}

#[test]
fn every_filter_search_and_order_gives_what_it_says_page_by_page() {
    let mut random = Rng::with_seed(44);
    let (app, made, offers) = filled(&mut random);
    let (all, _) = walk(&app, "order=oldest", 100);
    let sorted = column(&json!(all), "createdAt").is_sorted();
    assert!(sorted && all.len() == made.len());
    for (row, (member, offer)) in all.iter().zip(&made) {
        let expected = (MEMBERS[*member].0, offers[*offer].as_str(), OFFERS[*offer]);
        let found = ["externalUserID", "offer", "offerTitle"].map(|field| row[field].as_str());
        assert_eq!(found, [expected.0, expected.1, expected.2].map(Some));
    }
    for _ in 0..250 {
        let mut query = Vec::new();
        let mut expected: Vec<usize> = (0..all.len()).collect();
        if random.bool() {
            let member = random.usize(..MEMBERS.len());
            query.push(format!("externalUserID={}", MEMBERS[member].0));
            expected.retain(|row| made[*row].0 == member);
        }
        if random.bool() {
            let offer = random.usize(..OFFERS.len());
            query.push(format!("offer={}", offers[offer]));
            expected.retain(|row| made[*row].1 == offer);
        }
        if random.bool() {
            let status = ["SUBMITTED", "OPEN", "AWAITING_VENDOR", "CANCELED"][random.usize(..4)];
            query.push(format!("status={status}"));
            expected.retain(|row| all[*row]["status"] == status);
        }
        for (name, is_from) in [("from", true), ("to", false)] {
            if random.u8(..3) == 0 {
                let half = if is_from { 0..30 } else { 31..60 };
                let at = all[random.usize(half)]["createdAt"].as_str().unwrap();
                query.push(format!("{name}={at}"));
                expected.retain(|row| (all[*row]["createdAt"].as_str().unwrap() < at) != is_from);
            }
        }
        if random.bool() {
            let words = [(); 2].map(|()| WORDS[random.usize(..WORDS.len())]);
            let words = &words[..random.usize(1..=2)];
            let text: Vec<&str> = words.iter().map(|word| word.0).collect();
            query.push(format!("search={}", encode(&text.join(" "))));
            for (_, members, of) in words {
                expected
                    .retain(|row| members.contains(&made[*row].0) || of.contains(&made[*row].1));
            }
        }
        if random.bool() {
            query.push("order=oldest".to_owned());
        } else {
            expected.reverse();
        }
        if let (Some(from), Some(to)) = (
            query.iter().find_map(|part| part.strip_prefix("from=")),
            query.iter().find_map(|part| part.strip_prefix("to=")),
        ) && from >= to
        {
            continue;
        }
        let query = query.join("&");
        let expected: Vec<&Value> = expected.into_iter().map(|row| &all[row]).collect();
        let (found, _) = walk(&app, &query, random.usize(1..8));
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "{query}");
    }
}

#[test]
fn a_key_gets_names_and_a_token_what_is_documented() {
    let app = TestApp::start();
    app.put("/v1/members/ada", &json!({"displayName": "Ada Lovelace"}))
        .expect(200);
    let id = app.redeem("ada", &app.offer(json!({"title": "Coffee"})));
    let path = format!("/v1/redemptions/{id}");
    let token = app.token("ada");
    let documented = [
        "canceledNote",
        "canceledReason",
        "code",
        "conversationId",
        "createdAt",
        "endAt",
        "externalUserID",
        "feedback",
        "id",
        "offer",
        "pointsCharged",
        "quantity",
        "startAt",
        "status",
    ];
    let fields = |body: &Value| -> Vec<String> {
        let mut names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
        names.sort_unstable();
        names
    };
    let own = get_as(&app, &token, "/v1/redemptions").expect(200);
    assert_eq!(fields(&own["redemptions"][0]), documented);
    assert_eq!(fields(&get_as(&app, &token, &path).expect(200)), documented);
    assert_eq!(
        fields(&app.patch(&path, &json!({})).expect(200)),
        documented
    );
    for body in [
        app.get(&path).expect(200),
        app.get("/v1/redemptions").expect(200)["redemptions"][0].take(),
    ] {
        assert_eq!(body["offerTitle"], "Coffee");
        assert_eq!(body["displayName"], "Ada Lovelace");
        assert_eq!(fields(&body).len(), documented.len() + 2);
    }
    app.delete("/v1/members/ada?erase=true").expect(200);
    assert_eq!(app.get(&path).expect(200)["displayName"], Value::Null);
    let (found, _) = walk(&app, "search=lovelace", 10);
    assert_eq!(ids(&found), [""; 0]);
    assert_eq!(ids(&walk(&app, "search=coffee", 10).0), [id.as_str()]);
}

#[test]
fn a_list_names_the_parameter_that_is_wrong() {
    let app = TestApp::start();
    let other = {
        let program = app
            .post("/v1/programs", &json!({"name": "Other"}))
            .expect(201);
        let key = program["apiKey"].as_str().unwrap();
        let made = call(&app, key, "POST", "/v1/offers", &json!({"title": "Theirs"}));
        made.expect(201)["id"].as_str().unwrap().to_owned()
    };
    let unknown = "off_01890a5d-ac96-774b-bcce-b302099a8057";
    for (query, field) in [
        ("offer=", "offer"),
        ("offer=coffee", "offer"),
        (&format!("offer={unknown}"), "offer"),
        (&format!("offer={other}"), "offer"),
        ("from=yesterday", "from"),
        ("to=2026-06-31T00:00:00Z", "to"),
        ("from=2026-06-02T00:00:00Z&to=2026-06-02T00:00:00Z", "to"),
        ("order=asc", "order"),
        ("order=", "order"),
        (&format!("search={}", "a+".repeat(17)), "search"),
        ("order=oldest&order=newest", "order"),
        ("cursor=00", "cursor"),
        ("status=OPENED", "status"),
    ] {
        let message = app
            .get(&format!("/v1/redemptions?{query}"))
            .expect_error(422, "VALIDATION");
        assert!(message.starts_with(field), "{query}: {message}");
    }
    // An archived offer still belongs to the program.
    let archived = app.offer(json!({}));
    app.delete(&format!("/v1/offers/{archived}")).expect(200);
    let page = app.get(&format!("/v1/redemptions?offer={archived}&search=%25"));
    assert_eq!(page.expect(200)["redemptions"], json!([]));
}

/// A server with 24,000 redemptions of 3,000 members: two offers that everybody redeems, and a rare
/// one.
fn crowded() -> TestApp {
    let mut app = TestApp::start();
    for title in ["Every day", "Every night", "Rare"] {
        app.offer(json!({"title": title}));
    }
    app.stop();
    let sql = "PRAGMA synchronous = OFF; BEGIN;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO member (id, program_id, external_user_id, display_name, tier, created_at)
            SELECT i, 1, 'user_' || i, iif(i % 1000 = 0, 'Rara Avis', 'Everyone'), 'standard', i
            FROM n;
        INSERT INTO search_term (program_id, term, member_id)
            SELECT 1, 'user', id FROM member UNION ALL SELECT 1, id, id FROM member
            UNION ALL SELECT 1, iif(id % 1000 = 0, 'rara', 'everyone'), id FROM member
            UNION ALL SELECT 1, 'avis', id FROM member WHERE id % 1000 = 0;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 24000)
        INSERT INTO redemption (id, uuid, program_id, member_id, offer_id, status, charged,
                took_stock, created_at)
            SELECT i, unhex(printf('%032X', i)), 1, 1 + i % 3000,
                iif(i % 6000 = 0, 3, 1 + i % 2), iif(i % 8 = 0, 'OPEN', 'SUBMITTED'), 0, 0,
                1700000000000 + i * 1000
            FROM n;
        COMMIT";
    app.sqlite().execute_batch(sql).unwrap();
    app.restart()
}

#[test]
fn a_search_of_very_many_leaves_nobody_out_and_one_of_few_is_one_page() {
    let app = crowded();
    let count = |query: &str| walk(&app, query, 100).0.len();
    // A few matches: looked up, in either order, even behind all redemptions of the others.
    for order in ["newest", "oldest"] {
        for (search, expected) in [
            ("rara", 24),
            ("avis+every", 24),
            ("rare", 4),
            ("user_2999", 8),
        ] {
            let (found, pages) = walk(&app, &format!("search={search}&order={order}"), 100);
            assert_eq!((found.len(), pages), (expected, 1), "{search} {order}");
            let stamps = json!(found);
            let mut stamps = column(&stamps, "createdAt");
            if order == "newest" {
                stamps.reverse();
            }
            assert!(stamps.is_sorted(), "{search} {order}");
        }
    }
    // Nearly all match: read in order, one page at a time, from where the page before stopped.
    let rare = app.get("/v1/offers").expect(200)["data"][0]["id"].take();
    let rare = rare.as_str().unwrap();
    assert_eq!(count("search=every&status=OPEN"), 3000);
    assert_eq!(count("search=everyone+night&order=oldest"), 11_976);
    assert_eq!(count(&format!("search=every&offer={rare}")), 4);
    assert_eq!(count("search=night+nobody"), 0);
    let (found, pages) = walk(&app, "search=every+rare&order=oldest", 100);
    assert_eq!((found.len(), pages), (4, 1));
    let oldest = app.get("/v1/redemptions?order=oldest&limit=1").expect(200);
    assert_eq!(
        oldest["redemptions"][0]["createdAt"],
        time(1_700_000_001_000)
    );
    // One page of a search reads at most 10,000 rows.
    let page = app
        .get("/v1/redemptions?search=user+nigh+every+dayz")
        .expect(200);
    assert_eq!(
        (&page["redemptions"], &page["nextCursor"]),
        (&json!([]), &Value::Null)
    );
}

#[track_caller]
fn history(app: &TestApp, id: &str) -> Vec<Value> {
    let path = format!("/v1/redemptions/{id}/history");
    let page = app.get(&path).expect(200);
    assert_eq!(page["nextCursor"], Value::Null);
    page["history"].as_array().unwrap().clone()
}

/// The same, two entries at a time.
fn paged_history(app: &TestApp, path: &str) -> Vec<Value> {
    let mut paged = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&format!("{path}/history?limit=2{cursor}"))
            .expect(200);
        paged.extend(page["history"].as_array().unwrap().iter().cloned());
        match &page["nextCursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    paged
}

/// An entry of a history, by the member at a minute, with its other fields.
fn entry(event: &str, minute: u8, fields: &Value) -> Value {
    let mut entry = json!({
        "event": event, "at": format!("2026-06-15T12:0{minute}:00.000Z"), "from": null,
        "to": null, "points": null, "startAt": null, "endAt": null, "rating": null,
        "units": null, "actor": {"type": "member", "name": null, "keyPrefix": null},
    });
    for (name, value) in fields.as_object().unwrap() {
        entry[name] = value.clone();
    }
    entry
}

#[test]
fn a_history_tells_what_happened_when_and_by_whom() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 30}));
    let body = json!({"offer": offer});
    let token = app.token("ada");
    let made = call(&app, &token, "POST", "/v1/redemptions", &body).expect(201);
    let id = made["id"].as_str().unwrap();
    let path = format!("/v1/redemptions/{id}");
    app.clock.advance(Duration::from_mins(1));
    let dates = json!({"startAt": "2026-07-01T18:00:00Z", "status": "OPEN"});
    app.patch(&path, &dates).expect(200);
    // The same request again adds no entry.
    app.patch(&path, &dates).expect(200);
    app.clock.advance(Duration::from_mins(1));
    let dates = json!({"startAt": null, "endAt": "0000-01-01T00:00:00Z"});
    app.patch(&path, &dates).expect(200);
    let cancel = format!("{path}/cancel");
    call(&app, &token, "POST", &cancel, &Value::Null).expect(200);

    let found = history(&app, id);
    let key = found[2]["actor"].clone();
    assert_eq!(key["type"], "key");
    let prefix = key["keyPrefix"].as_str().unwrap();
    assert!(prefix.starts_with("expys_sandbox_"), "{key}");
    assert_eq!(
        found,
        [
            entry(
                "redemption.created",
                0,
                &json!({"to": "SUBMITTED", "units": 1})
            ),
            entry("wallet.debited", 0, &json!({"points": 30})),
            entry(
                "redemption.changed",
                1,
                &json!({"startAt": "2026-07-01T18:00:00.000Z", "actor": key}),
            ),
            entry(
                "redemption.open",
                1,
                &json!({"from": "SUBMITTED", "to": "OPEN", "actor": key})
            ),
            entry(
                "redemption.changed",
                2,
                &json!({"endAt": "0000-01-01T00:00:00.000Z", "actor": key}),
            ),
            entry(
                "redemption.canceled",
                2,
                &json!({"from": "OPEN", "to": "CANCELED"})
            ),
            entry("wallet.credited", 2, &json!({"points": 30})),
        ]
    );
    assert_eq!(paged_history(&app, &path), found);
    // Only the operator sees it.
    get_as(&app, &token, &format!("{path}/history")).expect_error(403, "FORBIDDEN");
    app.get("/v1/redemptions/rdm_01890a5d-ac96-774b-bcce-b302099a8057/history")
        .expect_error(404, "NOT_FOUND");
    let message = app
        .get(&format!("{path}/history?limit=101"))
        .expect_error(422, "VALIDATION");
    assert!(message.starts_with("limit"), "{message}");
    // Dates cause no other event, and the figures do not count them.
    assert_eq!(
        number(&app, "SELECT count(*) FROM activity WHERE kind = 33"),
        2
    );
    let app = app.restart();
    assert_eq!(history(&app, id), found);
}
