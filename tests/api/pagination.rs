use serde_json::{Value, json};

use crate::client::{credit, get_as, live, try_redeem};
use crate::support::{Response, TestApp};

/// A list with the name of its array and of the field that identifies its rows.
struct List {
    path: &'static str,
    rows: &'static str,
    id: &'static str,
    /// Adds the row with this number.
    add: fn(&TestApp, usize),
}

const LISTS: [List; 4] = [
    List {
        path: "/v1/members?",
        rows: "members",
        id: "externalUserID",
        add: |app, number| app.member(&format!("member{number}"), 0),
    },
    List {
        path: "/v1/offers?",
        rows: "data",
        id: "id",
        add: |app, number| drop(app.offer(json!({"title": format!("Offer {number}")}))),
    },
    List {
        path: "/v1/redemptions?",
        rows: "redemptions",
        id: "id",
        add: |app, _| {
            try_redeem(app, "ada", &app.offer(json!({}))).expect(201);
        },
    },
    List {
        path: "/v1/wallet/transactions?externalUserID=ada&",
        rows: "transactions",
        id: "id",
        add: |app, number| credit(app, "ada", number as u64 + 1),
    },
];

impl List {
    fn page(&self, app: &TestApp, query: &str) -> Response {
        app.get(&format!("{}{query}", self.path))
    }

    /// The ids on a page, and the cursor of the next one.
    #[track_caller]
    fn read(&self, app: &TestApp, query: &str) -> (Vec<String>, Option<String>) {
        let body = self.page(app, query).expect(200);
        let rows = body[self.rows].as_array().unwrap();
        let ids = rows
            .iter()
            .map(|row| row[self.id].as_str().unwrap().to_owned());
        assert!(
            body.as_object().unwrap().contains_key("nextCursor"),
            "{body}"
        );
        (
            ids.collect(),
            body["nextCursor"].as_str().map(str::to_owned),
        )
    }

    /// Every id, page by page; `between` runs before each page except the first.
    #[track_caller]
    fn walk(&self, app: &TestApp, limit: usize, mut between: impl FnMut()) -> Vec<String> {
        let (mut ids, mut next) = self.read(app, &format!("limit={limit}"));
        while let Some(cursor) = next {
            assert_eq!(ids.len() % limit, 0, "only the last page is short");
            between();
            let (more, after) = self.read(app, &format!("limit={limit}&cursor={cursor}"));
            assert!(
                !more.is_empty(),
                "{}: a cursor leads to something",
                self.path
            );
            ids.extend(more);
            next = after;
        }
        ids
    }
}

/// A server with a member, and a given number of rows in a list.
fn filled(list: &List, count: usize) -> TestApp {
    let app = TestApp::start();
    app.member("ada", 0);
    for number in 0..count {
        (list.add)(&app, number);
    }
    app
}

#[test]
fn a_walk_sees_every_row_once_whatever_the_size_of_the_page() {
    for list in &LISTS {
        let app = filled(list, 7);
        let (all, next) = list.read(&app, "limit=100");
        assert_eq!(next, None);
        for limit in [1, 2, 3, 7, 8, 20] {
            assert_eq!(
                list.walk(&app, limit, || ()),
                all,
                "{} by {limit}",
                list.path
            );
        }
    }
}

#[test]
fn a_walk_has_no_gap_and_no_double_while_rows_are_added() {
    for list in &LISTS {
        let app = filled(list, 7);
        let (all, _) = list.read(&app, "limit=100");
        let mut number = 100;
        let walked = list.walk(&app, 2, || {
            (list.add)(&app, number);
            number += 1;
        });
        assert_eq!(walked, all, "{}", list.path);
        assert!(list.read(&app, "limit=100").0.len() > all.len());
    }
}

#[test]
fn an_empty_list_has_no_next_page() {
    let app = TestApp::start();
    for path in ["/v1/members", "/v1/offers", "/v1/redemptions"] {
        let body = app.get(path).expect(200);
        assert_eq!(body["nextCursor"], Value::Null, "{path}");
    }
    app.member("ada", 0);
    let body = app
        .get("/v1/wallet/transactions?externalUserID=ada")
        .expect(200);
    assert_eq!(body, json!({"transactions": [], "nextCursor": null}));
}

#[test]
fn a_page_has_20_rows_unless_said() {
    for list in &LISTS {
        let app = filled(list, 22);
        let (ids, next) = list.read(&app, "");
        assert_eq!(ids.len(), 20, "{}", list.path);
        assert!(next.is_some());
    }
}

#[test]
fn a_limit_outside_of_1_to_100_is_refused() {
    let app = TestApp::start();
    app.member("ada", 0);
    for list in &LISTS {
        for bad in [
            "0",
            "101",
            "-1",
            "x",
            "",
            "1.0",
            "1e1",
            "99999999999999999999",
        ] {
            let message = list
                .page(&app, &format!("limit={bad}"))
                .expect_error(422, "VALIDATION");
            assert!(message.contains("limit"), "{message}");
        }
    }
}

#[test]
fn a_cursor_that_is_garbage_or_of_another_list_is_refused() {
    for list in &LISTS {
        let app = filled(list, 3);
        let cursors = LISTS
            .iter()
            .filter(|other| other.path != list.path)
            .map(|other| {
                for number in 10..13 {
                    (other.add)(&app, number);
                }
                other.read(&app, "limit=1").1.unwrap()
            });
        let mut bad: Vec<String> = cursors.collect();
        let own = list.read(&app, "limit=1").1.unwrap();
        bad.extend(["", "x", "00", "%00", "🦊"].map(str::to_owned));
        bad.extend([own[1..].to_owned(), own.to_uppercase(), format!("{own}00")]);
        for cursor in bad {
            let message = list
                .page(&app, &format!("cursor={}", crate::client::encode(&cursor)))
                .expect_error(422, "VALIDATION");
            assert!(message.contains("cursor"), "{message}");
        }
    }
}

#[test]
fn a_cursor_of_another_program_is_refused() {
    let app = TestApp::start();
    for number in 0..2 {
        let path = format!("/v1/members/live{number}");
        live(&app, "PUT", &path, &json!({})).expect(200);
    }
    let page = live(&app, "GET", "/v1/members?limit=1", &Value::Null).expect(200);
    let cursor = page["nextCursor"].as_str().unwrap();
    app.get(&format!("/v1/members?cursor={cursor}"))
        .expect_error(422, "VALIDATION");
}

#[test]
fn a_filter_holds_over_every_page() {
    let app = TestApp::start();
    for number in 0..9 {
        let tier = if number % 2 == 0 { "even" } else { "odd" };
        app.put(&format!("/v1/members/m{number}"), &json!({"tier": tier}))
            .expect(200);
    }
    let list = List {
        path: "/v1/members?tier=even&",
        ..LISTS[0]
    };
    let walked = list.walk(&app, 2, || ());
    assert_eq!(walked, ["m8", "m6", "m4", "m2", "m0"]);
}

#[test]
fn a_cursor_of_another_members_ledger_is_refused() {
    let app = TestApp::start();
    for (member, amount) in [("ada", 1), ("bob", 2)] {
        app.member(member, 0);
        for _ in 0..3 {
            credit(&app, member, amount);
        }
    }
    let page = app
        .get("/v1/wallet/transactions?externalUserID=bob&limit=1")
        .expect(200);
    let cursor = page["nextCursor"].as_str().unwrap();
    let path = format!("/v1/wallet/transactions?cursor={cursor}");
    let message = app
        .get(&format!("{path}&externalUserID=ada"))
        .expect_error(422, "VALIDATION");
    assert!(message.contains("cursor"), "{message}");
    get_as(&app, &app.token("ada"), &path).expect_error(422, "VALIDATION");
    get_as(&app, &app.token("bob"), &path).expect(200);
}

/// A message between two pages moves a conversation to the front of the list: it is still shown
/// once, in its previous place.
#[test]
fn a_conversation_that_becomes_active_between_two_pages_is_not_skipped() {
    let app = TestApp::start_with(|settings| settings.auth.member_token_ttl = 86_400);
    let say = |id: &Value, words: &str| {
        let path = format!("/v1/conversations/{}/messages", id.as_str().unwrap());
        let body = json!({"message": words, "as": "agent"});
        app.post(&path, &body).expect(200);
    };
    let members = ["ada", "bob", "eve"];
    for member in members {
        app.member(member, 0);
        for _ in 0..3 {
            try_redeem(&app, member, &app.offer(json!({}))).expect(201);
        }
    }
    let read = |query: &str| {
        let page = app.get(&format!("/v1/conversations?{query}")).expect(200);
        let rows = page["conversations"].as_array().unwrap().clone();
        let ids: Vec<Value> = rows.iter().map(|row| row["id"].clone()).collect();
        (ids, page["nextCursor"].as_str().map(str::to_owned))
    };
    for owner in ["", "externalUserID=ada&"] {
        let (all, _) = read(&format!("{owner}limit=1000"));
        for limit in [1, 2, 4] {
            let (before, mut next) = read(&format!("{owner}limit=1000"));
            assert_eq!(next, None);
            let (mut seen, cursor) = read(&format!("{owner}limit={limit}"));
            next = cursor;
            let mut round = 0;
            while let Some(cursor) = next {
                // The last one that was not shown yet, one that was, and a new one.
                say(before.last().unwrap(), "still there?");
                say(&before[before.len() - 2 - round % 2], "and you?");
                say(&before[0], "again");
                try_redeem(&app, "ada", &app.offer(json!({}))).expect(201);
                round += 1;
                let (more, after) = read(&format!("{owner}limit={limit}&cursor={cursor}"));
                seen.extend(more);
                next = after;
            }
            assert_eq!(seen, before, "{owner} {limit}");
        }
        assert!(read(&format!("{owner}limit=1000")).0.len() > all.len());
    }
}
