//! The ledger of a wallet as an operator reads it: balances after each entry, and removed members.

use serde_json::{Value, json};

use crate::client::{call, cancel, get_as, live, try_redeem};
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

const WRITES: usize = 160;

/// The fields of an entry on a page: its id, and the balance after it.
type Seen = (String, i64);

fn seen(page: &Value) -> Vec<Seen> {
    let rows = page["transactions"].as_array().unwrap().iter();
    rows.map(|row| {
        let id = row["id"].as_str().unwrap().to_owned();
        (id, row["balanceAfter"].as_i64().unwrap())
    })
    .collect()
}

/// Reads all pages of a member's ledger, each while writes continue.
fn walk(app: &TestApp, credential: &str, member: &str, limit: usize) -> Vec<Seen> {
    let path = format!("/v1/wallet/transactions?externalUserID={member}&limit={limit}");
    let mut page = get_as(app, credential, &path).expect(200);
    let mut all = seen(&page);
    while let Some(cursor) = page["nextCursor"].as_str() {
        let next = format!("{path}&cursor={cursor}");
        page = get_as(app, credential, &next).expect(200);
        all.extend(seen(&page));
    }
    all
}

/// Writes to one wallet and a plain list of the balance after each that moved points.
struct Writer<'a> {
    app: &'a TestApp,
    member: &'a str,
    rng: fastrand::Rng,
    open: Vec<(String, i64)>,
    balances: Vec<i64>,
}

impl Writer<'_> {
    fn balance(&self) -> i64 {
        self.balances.last().copied().unwrap_or(0)
    }

    fn write(&mut self) {
        let amount = self.rng.i64(1..500);
        let body = json!({"externalUserID": self.member, "amount": amount});
        let balance = self.balance();
        match self.rng.u8(..6) {
            0..=2 => {
                self.app.post("/v1/wallet/credit", &body).expect(200);
                self.balances.push(balance + amount);
            }
            3 => {
                let answer = self.app.post("/v1/wallet/debit", &body);
                if amount <= balance {
                    answer.expect(200);
                    self.balances.push(balance - amount);
                } else {
                    answer.expect_error(422, "INSUFFICIENT_POINTS");
                }
            }
            4 => {
                let price = self.rng.i64(0..300);
                let offer = self.app.offer(json!({"pointsPrice": price}));
                let answer = try_redeem(self.app, self.member, &offer);
                if price <= balance {
                    let id = answer.expect(201)["id"].as_str().unwrap().to_owned();
                    self.open.push((id, price));
                    // A redemption without a price adds no entry.
                    self.balances.extend((price > 0).then(|| balance - price));
                }
            }
            _ => {
                if let Some((id, price)) = self.open.pop() {
                    cancel(self.app, &id).expect(200);
                    self.balances.extend((price > 0).then(|| balance + price));
                }
            }
        }
    }
}

#[test]
fn the_balance_after_each_entry_is_that_of_a_plain_sum_on_every_page_while_writes_go_on() {
    let app = TestApp::start();
    let members = ["ada", "bob", "eve"];
    for member in members {
        app.member(member, 0);
    }
    let (expected, walks) = std::thread::scope(|scope| {
        let app = &app;
        let writers = (1_u64..).zip(members).map(|(seed, member)| {
            scope.spawn(move || {
                let mut writer = Writer {
                    app,
                    member,
                    rng: fastrand::Rng::with_seed(seed),
                    open: Vec::new(),
                    balances: Vec::new(),
                };
                (0..WRITES).for_each(|_| writer.write());
                writer.balances
            })
        });
        let writers: Vec<_> = writers.collect();
        let mut walks = Vec::new();
        while writers.iter().any(|writer| !writer.is_finished()) {
            let at = walks.len() % members.len();
            walks.push((at, walk(app, SANDBOX_KEY, members[at], 1 + walks.len() % 7)));
        }
        let expected = writers.into_iter().map(|writer| writer.join().unwrap());
        (expected.collect::<Vec<_>>(), walks)
    });
    let finals = members.map(|member| walk(&app, SANDBOX_KEY, member, 100));
    for ((member, balances), shown) in members.iter().zip(&expected).zip(&finals) {
        let shown: Vec<i64> = shown.iter().rev().map(|(_, balance)| *balance).collect();
        assert_eq!(&shown, balances, "{member}");
        assert_eq!(app.balance(member), *shown.last().unwrap(), "{member}");
    }
    assert!(walks.len() > 3 && walks.iter().any(|(_, walk)| walk.len() > 10));
    for (at, walk) in walks {
        // Every page read in the meantime is the end of the complete ledger, entry by entry.
        assert!(finals[at].ends_with(&walk), "{} entries", walk.len());
    }
    let token = app.token("bob");
    assert_eq!(
        walk(&app, &token, "bob", 13),
        finals[1],
        "a token sees the same"
    );
}

#[test]
fn an_entry_names_its_offer_by_the_title_of_today() {
    let app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"title": "Cofee", "pointsPrice": 30}));
    cancel(&app, &app.redeem("ada", &offer)).expect(200);
    app.patch(&format!("/v1/offers/{offer}"), &json!({"title": "Coffee"}))
        .expect(200);
    app.delete(&format!("/v1/offers/{offer}")).expect(200);
    let page = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);
    let rows = page["transactions"].as_array().unwrap().iter();
    let titles: Vec<_> = rows.map(|row| row["offerTitle"].clone()).collect();
    assert_eq!(titles, [json!("Coffee"), json!("Coffee"), json!(null)]);
}

/// The lists of a removed member that a key may read: their array, and how many rows are Ada's.
const LISTS: [(&str, &str, usize); 3] = [
    ("/v1/wallet/transactions", "transactions", 2),
    ("/v1/redemptions", "redemptions", 1),
    // The support conversation, which has no messages, and that of the redemption.
    ("/v1/conversations", "conversations", 2),
];

#[test]
fn a_key_reads_the_lists_of_a_removed_member_if_it_says_so() {
    let app = TestApp::start();
    app.member("ada", 100);
    app.redeem("ada", &app.offer(json!({"pointsPrice": 30})));
    let token = app.token("ada");
    let read = |list: &str, query: &str| app.get(&format!("{list}?externalUserID=ada{query}"));
    let before = LISTS.map(|(list, ..)| read(list, "").expect(200));
    app.delete("/v1/members/ada?retainBalance=true").expect(200);
    for ((list, rows, count), before) in LISTS.iter().zip(&before) {
        let message = read(list, "").expect_error(404, "NOT_FOUND");
        assert!(message.contains("member"), "{message}");
        read(list, "&includeArchived=false").expect_error(404, "NOT_FOUND");
        let shown = read(list, "&includeArchived=true").expect(200);
        assert_eq!(&shown, before, "{list}");
        assert_eq!(shown[rows].as_array().unwrap().len(), *count, "{list}");
        let message = read(list, "&includeArchived=yes").expect_error(422, "VALIDATION");
        assert!(message.contains("includeArchived"), "{message}");
        let unknown = format!("{list}?externalUserID=nobody&includeArchived=true");
        app.get(&unknown).expect_error(404, "NOT_FOUND");
        // The member's own token, which has expired, and another program's key have no access.
        let own = format!("{list}?includeArchived=true");
        get_as(&app, &token, &own).expect_error(401, "UNAUTHORIZED");
        let path = format!("{list}?externalUserID=ada&includeArchived=true");
        call(&app, LIVE_KEY, "GET", &path, &Value::Null).expect_error(404, "NOT_FOUND");
    }
    // Writes are refused.
    let body = json!({"externalUserID": "ada", "amount": 1, "includeArchived": true});
    app.post("/v1/wallet/credit?includeArchived=true", &body)
        .expect_error(404, "NOT_FOUND");
}

#[test]
fn an_erased_members_ledger_is_found_by_the_id_that_is_left() {
    let app = TestApp::start();
    app.member("ada", 0);
    let body = json!({"externalUserID": "ada", "amount": 5, "reason": "Ada's birthday"});
    app.post("/v1/wallet/credit", &body).expect(200);
    app.delete("/v1/members/ada?erase=true").expect(200);
    let members = app.get("/v1/members?includeArchived=true").expect(200);
    let id = members["members"][0]["externalUserID"].as_str().unwrap();
    assert!(id.starts_with("erased_") && id.len() == 39, "{id}");
    let path = format!("/v1/wallet/transactions?externalUserID={id}&includeArchived=true");
    let page = app.get(&path).expect(200);
    let shown = page["transactions"].as_array().unwrap();
    let shown: Vec<_> = shown
        .iter()
        .map(|row| json!([row["amount"], row["reason"], row["balanceAfter"]]))
        .collect();
    assert_eq!(
        shown,
        [json!([5, "member removed", 0]), json!([5, null, 5])]
    );
}

#[test]
fn a_member_tells_since_when() {
    let app = TestApp::start();
    app.member("ada", 0);
    app.clock.advance(std::time::Duration::from_hours(24));
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    app.delete("/v1/members/ada").expect(200);
    app.put("/v1/members/ada", &json!({})).expect(200);
    app.member("bob", 0);
    let page = app.get("/v1/members").expect(200);
    let since = |at: usize| page["members"][at]["createdAt"].clone();
    assert_eq!(since(1), "2026-06-15T12:00:00.000Z");
    assert_eq!(since(0), "2026-06-16T12:00:00.000Z");
    let ada = app.get("/v1/members/ada").expect(200);
    assert_eq!(ada["createdAt"], since(1));
}

#[test]
fn tiers_in_use_are_listed_those_of_the_most_members_first() {
    let app = TestApp::start();
    let tiers = |app: &TestApp| app.get("/v1/tiers").expect(200);
    assert_eq!(tiers(&app), json!({"tiers": [], "total": 0}));
    for (member, tier) in [
        ("a", "gold"),
        ("b", "silver"),
        ("c", "silver"),
        ("d", "bronze"),
    ] {
        app.put(&format!("/v1/members/{member}"), &json!({"tier": tier}))
            .expect(200);
    }
    let row = |tier: &str, members: u32| json!({"tier": tier, "members": members});
    let expected = json!({
        "tiers": [row("silver", 2), row("bronze", 1), row("gold", 1)], "total": 3,
    });
    assert_eq!(tiers(&app), expected);
    app.delete("/v1/members/a").expect(200);
    app.put("/v1/members/d", &json!({"tier": "silver"}))
        .expect(200);
    let expected = json!({"tiers": [row("silver", 3)], "total": 1});
    assert_eq!(tiers(&app), expected);
    let app = app.restart();
    assert_eq!(tiers(&app), expected);
    assert_eq!(
        live(&app, "GET", "/v1/tiers", &Value::Null).expect(200)["total"],
        0
    );
    for number in 0..110 {
        let path = format!("/v1/members/m{number}");
        app.put(&path, &json!({"tier": format!("tier-{number}")}))
            .expect(200);
    }
    let many = tiers(&app);
    assert_eq!(
        (many["tiers"].as_array().unwrap().len(), &many["total"]),
        (100, &json!(111))
    );
    assert_eq!(many["tiers"][0], row("silver", 3));
}

/// The newest entries with the actor, and the number, the change and the points of each lot.
fn causes(app: &TestApp, count: usize) -> Value {
    let path = format!("/v1/wallet/transactions?externalUserID=ada&details=true&limit={count}");
    let page = app.get(&path).expect(200);
    let rows = page["transactions"].as_array().unwrap().iter();
    rows.map(|row| {
        let details = &row["details"];
        let lots = details["lots"].as_array().map(|lots| {
            let lots = lots.iter();
            let parts = lots.map(|lot| json!([lot["number"], lot["change"], lot["amount"]]));
            parts.collect::<Vec<_>>()
        });
        json!([row["type"], row["amount"], details["actor"]["type"], lots])
    })
    .collect()
}

#[test]
fn an_entry_names_who_caused_it_and_the_lots_that_it_moved() {
    let app = TestApp::start();
    app.member("ada", 50);
    let convert = json!({"to": "LOT", "expires_at": "2026-06-20T00:00:00Z"});
    app.post("/v1/assets/default/convert", &convert).expect(200);
    let body = json!({"externalUserID": "ada", "amount": 30,
        "maturesAt": "2026-06-16T00:00:00Z", "expiresAt": "2026-07-01T00:00:00Z"});
    app.post("/v1/wallet/credit", &body).expect(200);
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 86_400}))
        .expect(200);
    let offer = app.offer(json!({"pointsPrice": 60}));
    let redeemed = app
        .request("POST", "/v1/redemptions")
        .bearer(&app.token("ada"))
        .json(&json!({"offer": offer}));
    let id = redeemed.send().expect(201)["id"].clone();
    cancel(&app, id.as_str().unwrap()).expect(200);
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 864_000}))
        .expect(200);
    let expected = json!([
        ["DEBIT", 50, "scheduler", [[1, "taken", 50]]],
        [
            "CREDIT",
            60,
            "key",
            [[2, "restored", 10], [1, "restored", 50]]
        ],
        ["DEBIT", 60, "member", [[1, "taken", 50], [2, "taken", 10]]],
        ["CREDIT", 30, "scheduler", [[2, "moved", 30]]],
        ["CREDIT", 50, "key", null],
    ]);
    assert_eq!(causes(&app, 9), expected);
    let path = "/v1/wallet/transactions?externalUserID=ada&limit=1";
    let newest = app.get(&format!("{path}&details=true")).expect(200)["transactions"][0].take();
    let lot = json!({"number": 1, "change": "taken", "amount": 50,
        "expiresAt": "2026-06-20T00:00:00.000Z", "maturesAt": null});
    assert_eq!(newest["details"]["lots"], json!([lot]));
    let actor = json!({"type": "scheduler", "name": null, "keyPrefix": null});
    assert_eq!(newest["details"]["actor"], actor);
    let plain = app.get(path).expect(200)["transactions"][0].take();
    assert_eq!(plain.get("details"), None);
    // Keys have names, which members are not told.
    let token = app.token("ada");
    let own = "/v1/wallet/transactions?details=true";
    let message = get_as(&app, &token, own).expect_error(422, "VALIDATION");
    assert_eq!(message, "details needs an Org-API-Key");
}
