//! Profiles that were read before: every change shows at once, also of members who share a place.

use std::thread;

use fastrand::Rng;
use serde_json::{Value, json};

use crate::support::TestApp;

/// The profile according to the row.
fn stored(app: &TestApp, id: &str) -> Option<Value> {
    let sql = "SELECT display_name, tier, attributes, version FROM member
               WHERE external_user_id = ?1 AND archived_at IS NULL";
    let found = app.sqlite().query_row(sql, [id], |row| {
        let attributes: Option<String> = row.get(2)?;
        Ok(json!({
            "displayName": row.get::<_, Option<String>>(0)?,
            "tier": row.get::<_, String>(1)?,
            "attributes": attributes.map(|text| serde_json::from_str::<Value>(&text).unwrap()),
            "version": row.get::<_, i64>(3)?,
        }))
    });
    found.ok()
}

#[track_caller]
fn check(app: &TestApp, id: &str) {
    let expected = stored(app, id);
    // The second time it is read from memory.
    for _ in 0..2 {
        let response = app.get(&format!("/v1/members/{id}"));
        let Some(expected) = &expected else {
            response.expect_error(404, "NOT_FOUND");
            continue;
        };
        let shown = response.expect(200);
        for (field, value) in expected.as_object().unwrap() {
            assert_eq!(shown[field], *value, "{id}: {field}");
        }
    }
}

#[test]
fn every_change_shows_at_once() {
    let app = TestApp::start();
    let mut random = Rng::with_seed(32);
    let members = ["ada", "bob", "cyd", "dee"];
    for round in 0..400 {
        let id = members[random.usize(0..members.len())];
        let path = format!("/v1/members/{id}");
        match random.u8(0..8) {
            0 => drop(
                app.put(&path, &json!({"displayName": format!("Name {round}")}))
                    .expect(200),
            ),
            1 => drop(
                app.put(&path, &json!({"tier": format!("tier {}", round % 3)}))
                    .expect(200),
            ),
            2 => {
                // Some are too large to be kept.
                let text = "x".repeat(random.usize(0..1_000));
                let body = json!({"attributes": {"round": round, "text": text}});
                app.put(&path, &body).expect(200);
            }
            3 => drop(app.put(&path, &json!({"attributes": null})).expect(200)),
            4 => {
                let body = json!({"externalUserID": id, "displayName": format!("Token {round}")});
                app.post("/v1/auth/exchange", &body);
            }
            5 => drop(app.delete(&path)),
            6 => drop(app.delete(&format!("{path}?erase=true"))),
            _ => {
                let body = json!({"externalUserID": id, "amount": 1});
                app.post("/v1/wallet/credit", &body);
            }
        }
        check(&app, id);
        check(&app, members[random.usize(0..members.len())]);
    }
}

/// A reader never sees a profile that is older than one that was acknowledged before.
#[test]
fn a_profile_never_goes_back() {
    let app = TestApp::start();
    app.member("ada", 0);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut last = 0;
                while last < 300 {
                    let shown = app.get("/v1/members/ada").expect(200);
                    let name = shown["displayName"].as_str().unwrap_or("0");
                    let number: u32 = name.parse().unwrap();
                    assert!(number >= last, "{number} after {last}");
                    last = number;
                }
            });
        }
        for number in 1..=300 {
            let body = json!({"displayName": number.to_string()});
            app.put("/v1/members/ada", &body).expect(200);
            let shown = app.get("/v1/members/ada").expect(200);
            assert_eq!(shown["displayName"], number.to_string());
        }
    });
}
