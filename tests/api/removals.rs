//! A repeated removal.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{live, number, rows, until};
use crate::figures_on_disk::verify;
use crate::support::TestApp;

#[test]
fn a_repeated_removal_has_the_answer_of_the_last_one() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.member("bob", 0);
    let again = |id: &str, first: &Value| {
        let before = rows(&app);
        for query in ["", "?retainBalance=true", "?retainBalance=false"] {
            let path = format!("/v1/members/{id}{query}");
            assert_eq!(app.delete(&path).expect(200), *first, "{path}");
        }
        assert_eq!(rows(&app), before);
    };
    for (id, query, retained) in [
        ("ada", "?retainBalance=true", true),
        // Nothing was forfeited from an empty balance, but it was not retained.
        ("bob", "", false),
        ("ada", "", false),
        ("ada", "?retainBalance=true", true),
    ] {
        app.put(&format!("/v1/members/{id}"), &json!({}))
            .expect(200);
        let first = app.delete(&format!("/v1/members/{id}{query}")).expect(200);
        assert_eq!(first["balanceRetained"], retained);
        again(id, &first);
    }
    assert_eq!(verify(&app), [""; 0]);
    app.delete("/v1/members/eve").expect_error(404, "NOT_FOUND");
}

#[test]
fn the_removal_of_an_erased_member_can_be_repeated_for_the_retention() {
    let app = TestApp::start();
    app.member("ada", 70);
    app.member("bob", 70);
    let ada = app.delete("/v1/members/ada?retainBalance=true").expect(200);
    let erase = "/v1/members/ada?erase=true";
    assert_eq!(app.delete(erase).expect(200), ada);
    let bob = app.delete("/v1/members/bob?erase=true").expect(200);
    assert_eq!(bob["balanceRetained"], false);
    let before = rows(&app);
    for path in [
        "/v1/members/ada",
        erase,
        "/v1/members/ada?retainBalance=false",
    ] {
        assert_eq!(app.delete(path).expect(200), ada, "{path}");
    }
    assert_eq!(rows(&app), before);
    assert_eq!(verify(&app), [""; 0]);
    // No other program or environment knows them.
    app.get("/v1/members/ada?includeArchived=true")
        .expect_error(404, "NOT_FOUND");
    live(&app, "DELETE", "/v1/members/ada", &Value::Null).expect_error(404, "NOT_FOUND");

    // A new member with the same id is removed independently.
    app.put("/v1/members/ada", &json!({})).expect(200);
    let removed = app.delete("/v1/members/ada").expect(200);
    assert_eq!(removed["balanceRetained"], false);
    assert_eq!(app.delete(erase).expect(200), removed);
    assert_eq!(app.delete("/v1/members/ada").expect(200), removed);

    let app = app.restart();
    app.clock.advance(Duration::from_hours(24));
    assert_eq!(number(&app, "SELECT count(erased_key) FROM removal"), 3);
    app.delete("/v1/members/ada").expect_error(404, "NOT_FOUND");
    app.delete("/v1/members/bob?erase=true")
        .expect_error(404, "NOT_FOUND");
    app.put("/v1/members/eve", &json!({})).expect(200);
    until(|| {
        let left = number(
            &app,
            "SELECT count(erased_key) + count(erased_at) FROM removal",
        );
        (left == 0).then_some(())
    });
    assert_eq!(verify(&app), [""; 0]);
}
