//! The view `wallet` of the database, which other programs read: the balances that the API returns.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::client::{cancel, credit, encode, get_as, live};
use crate::figures_on_disk::verify;
use crate::support::{LIVE_KEY, SANDBOX_KEY, TestApp};

/// A row of the view: the program, the member's id, and the balance, the points received and the
/// points spent.
type Row = (i64, String, [i64; 3]);

/// The view, as any program reads it that knows SQLite and nothing of this one.
fn view(database: &Path) -> Vec<Row> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let connection = connection.unwrap();
    let sql = "SELECT w.program_id, m.external_user_id, w.balance, w.amount_received,
            w.amount_spent
        FROM wallet w JOIN member m ON m.id = w.member_id ORDER BY w.member_id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        let wallet = [row.get(2)?, row.get(3)?, row.get(4)?];
        Ok((row.get(0)?, row.get(1)?, wallet))
    });
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Compares the view with the API for every member of the programs of both keys. Returns their
/// number.
#[track_caller]
fn assert_agrees(app: &TestApp) -> usize {
    let rows = view(&app.database());
    for (program, id, wallet) in &rows {
        let key = if *program == 1 { SANDBOX_KEY } else { LIVE_KEY };
        let path = format!("/v1/members/{}?includeArchived=true", encode(id));
        let member = get_as(app, key, &path).expect(200);
        let shown = ["balance", "amountReceived", "amountSpent"];
        let shown = shown.map(|field| member["wallet"][field].as_i64().unwrap());
        assert_eq!(shown, *wallet, "{path}");
        if member["archivedAt"].is_null() {
            let path = format!("/v1/wallet?externalUserID={}", encode(id));
            assert_eq!(
                get_as(app, key, &path).expect(200),
                member["wallet"],
                "{path}"
            );
        }
    }
    rows.len()
}

fn wallet_of(app: &TestApp, member: &str) -> [i64; 3] {
    let mut rows = view(&app.database()).into_iter();
    rows.find(|(_, id, _)| id == member).unwrap().2
}

#[test]
fn the_view_of_wallets_equals_the_api_whatever_happened_to_a_member() {
    let app = TestApp::start();
    for member in ["ada", "bob", "cyd", "dee", "eve", "fay"] {
        app.member(member, if member == "fay" { 0 } else { 100 });
    }
    live(&app, "PUT", "/v1/members/ada", &json!({})).expect(200);
    let body = json!({"externalUserID": "ada", "amount": 7});
    live(&app, "POST", "/v1/wallet/credit", &body).expect(200);
    assert_eq!(assert_agrees(&app), 7);

    let debit = json!({"externalUserID": "ada", "amount": 3});
    app.post("/v1/wallet/debit", &debit).expect(200);
    let offer = app.offer(json!({"pointsPrice": 30}));
    app.redeem("ada", &offer);
    let refunded = app.redeem("bob", &offer);
    cancel(&app, &refunded).expect(200);
    assert_eq!(wallet_of(&app, "ada"), [67, 100, 33]);
    assert_eq!(wallet_of(&app, "bob"), [100, 130, 30]);
    assert_agrees(&app);

    // A refused write and one without an effect leave the view as it is.
    let before = view(&app.database());
    let too_much = json!({"externalUserID": "ada", "amount": 68});
    app.post("/v1/wallet/debit", &too_much).expect(422);
    app.put("/v1/members/ada", &json!({"tier": "gold"}))
        .expect(200);
    assert_eq!(view(&app.database()), before);

    // Of a removed member the balance is forfeited or retained, a restored one has it back.
    app.delete("/v1/members/cyd").expect(200);
    assert_eq!(wallet_of(&app, "cyd"), [0, 100, 100]);
    app.delete("/v1/members/dee?retainBalance=true").expect(200);
    assert_eq!(wallet_of(&app, "dee"), [100, 100, 0]);
    assert_agrees(&app);
    app.put("/v1/members/dee", &json!({})).expect(200);
    credit(&app, "dee", 1);
    assert_eq!(wallet_of(&app, "dee"), [101, 101, 0]);
    // An erased member has another id, and the same wallet.
    app.delete("/v1/members/eve?erase=true&retainBalance=true")
        .expect(200);
    let erased = view(&app.database());
    let erased = erased.iter().find(|(_, id, _)| id.starts_with("erased_"));
    assert_eq!(erased.unwrap().2, [100, 100, 0]);
    assert_eq!(assert_agrees(&app), 7);

    // A start folds the same from the log.
    let mut app = app.restart();
    assert_eq!(assert_agrees(&app), 7);
    app.stop();
    assert_eq!(verify(&app), [""; 0]);
}

/// The list of members takes its wallets from memory and its rows from the file.
#[test]
fn the_list_of_members_has_the_wallets_of_the_view() {
    let app = TestApp::start();
    for (points, member) in (0..).zip(["ada", "bob", "cyd", "dee", "eve"]) {
        app.member(member, 10 * points);
    }
    app.delete("/v1/members/cyd").expect(200);
    let mut expected = view(&app.database());
    expected.reverse();
    let (mut listed, mut path) = (
        Vec::new(),
        "/v1/members?limit=2&includeArchived=true".to_owned(),
    );
    loop {
        let page = app.get(&path).expect(200);
        for member in page["members"].as_array().unwrap() {
            let id = member["externalUserID"].as_str().unwrap().to_owned();
            let wallet = ["balance", "amountReceived", "amountSpent"];
            let wallet = wallet.map(|field| member["wallet"][field].as_i64().unwrap());
            listed.push((1, id, wallet));
        }
        let Value::String(cursor) = &page["nextCursor"] else {
            break;
        };
        path = format!(
            "/v1/members?limit=2&includeArchived=true&cursor={}",
            encode(cursor)
        );
    }
    assert_eq!(listed, expected);
}
