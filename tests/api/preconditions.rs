//! Settings versions: what changes them, and requests that depend on them.

use serde_json::{Value, json};
use stampcard::clock::Clock;
use stampcard::service::transfer::{export, import};
use stampcard::service::verify;
use stampcard::store::{self, Database};

use crate::client::{
    cancel, credit, live, move_to, organization, partner_error, partner_get, race, scrip_error,
    webhook,
};
use crate::support::{PARTNER_SANDBOX_KEY, Response, SANDBOX_KEY, TestApp};

/// No server listens on this port.
const NOWHERE: &str = "http://127.0.0.1:9/hook";

/// A resource, and requests that change it if its state is unchanged.
struct Resource {
    path: String,
    credential: &'static str,
    /// The method, the path and two bodies, each of which changes something.
    changes: Vec<(&'static str, String, [Value; 2])>,
    /// The method that archives or deletes it, if there is one.
    can_delete: bool,
}

/// One of each kind, all active.
fn resources(app: &TestApp) -> Vec<Resource> {
    app.member("ada", 0);
    let offer = format!("/v1/offers/{}", app.offer(json!({})));
    let hook = webhook(app, NOWHERE, &["member.created"]).path("");
    let list = app.get("/v1/programs").expect(200);
    let program = format!("/v1/programs/{}", list["data"][0]["id"].as_str().unwrap());
    let tenant = organization(app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let two = |field: &str, one: Value, other: Value| [json!({field: one}), json!({field: other})];
    let own = |path: &str, method, bodies, can_delete| Resource {
        path: path.to_owned(),
        credential: SANDBOX_KEY,
        changes: vec![(method, path.to_owned(), bodies)],
        can_delete,
    };
    let names = |field| two(field, json!("One"), json!("Two"));
    let of_tenant = |rest: &str| tenant.path(rest);
    vec![
        own("/v1/members/ada", "PUT", names("displayName"), true),
        own(&offer, "PATCH", names("title"), true),
        own("/v1/configuration", "PUT", names("currencyName"), false),
        own(&program, "PATCH", names("name"), false),
        own(
            &hook,
            "PATCH",
            two(
                "events",
                json!(["member.removed"]),
                json!(["wallet.debited"]),
            ),
            true,
        ),
        Resource {
            path: of_tenant(""),
            credential: PARTNER_SANDBOX_KEY,
            changes: vec![
                ("PATCH", of_tenant(""), names("name")),
                (
                    "PUT",
                    of_tenant("/status"),
                    two("status", json!("suspended"), json!("active")),
                ),
                (
                    "PUT",
                    of_tenant("/tier"),
                    two("tier", json!("paid"), json!("trial")),
                ),
                (
                    "PUT",
                    of_tenant("/credits"),
                    two("credits", json!(1), json!(2)),
                ),
            ],
            can_delete: true,
        },
        own(
            "/v1/assets/default",
            "PATCH",
            two("max_transaction_amount", json!("100"), json!(null)),
            false,
        ),
    ]
}

impl Resource {
    fn send(&self, app: &TestApp, method: &str, path: &str, more: (&[&str], &Value)) -> Response {
        let (conditions, body) = more;
        let mut request = app.request(method, path).bearer(self.credential);
        for value in conditions {
            request = request.header("If-Match", value);
        }
        request.json(body).send()
    }

    /// The tag in the response to a read.
    #[track_caller]
    fn tag(&self, app: &TestApp) -> String {
        let response = app
            .request("GET", &self.path)
            .bearer(self.credential)
            .send();
        assert_eq!(response.status, 200, "{}: {}", self.path, response.text());
        let tag = response.header("ETag").unwrap().to_owned();
        let head = app
            .request("HEAD", &self.path)
            .bearer(self.credential)
            .send();
        assert_eq!(head.header("ETag"), Some(tag.as_str()));
        let body = response.json();
        let version = body.get("version").or(body["organization"].get("version"));
        if let Some(version) = version {
            assert_eq!(tag, format!("\"{version}\""));
        }
        tag
    }

    #[track_caller]
    fn check_failed(&self, response: Response) {
        if self.credential == PARTNER_SANDBOX_KEY {
            partner_error(response, 412, "PreconditionFailed");
        } else if ["/v1/programs", "/v1/assets"]
            .iter()
            .any(|root| self.path.starts_with(root))
        {
            scrip_error(response, 412, "precondition_failed");
        } else {
            response.expect_error(412, "PRECONDITION_FAILED");
        }
    }
}

#[test]
fn a_change_is_made_only_if_the_tag_still_fits() {
    let app = TestApp::start();
    for resource in resources(&app) {
        for (method, path, [one, other]) in &resource.changes {
            let send =
                |conditions: &[&str], body| resource.send(&app, method, path, (conditions, body));
            let first = resource.tag(&app);
            let changed = send(&[&first], one);
            assert_eq!(changed.status, 200, "{path}: {}", changed.text());
            let second = resource.tag(&app);
            assert_eq!(changed.header("ETag"), Some(second.as_str()), "{path}");
            assert_ne!(first, second, "{path}");
            let weak = format!("W/{second}");
            let list = format!("\"x\", {first},{weak}");
            for conditions in [&[first.as_str()][..], &[&weak], &[&list], &["\"x\""]] {
                resource.check_failed(send(conditions, other));
            }
            assert_eq!(resource.tag(&app), second, "{path}");
            let list = format!("{first} , {second}");
            assert_eq!(send(&[&list], other).status, 200, "{path}");
            assert_eq!(send(&["*"], one).status, 200, "{path}");
            let third = resource.tag(&app);
            // Two header lines are one list.
            assert_eq!(send(&["\"x\"", &third], other).status, 200, "{path}");
        }
    }
}

#[test]
fn a_malformed_condition_is_refused_and_changes_nothing() {
    let app = TestApp::start();
    for resource in resources(&app) {
        let before = resource.tag(&app);
        for (method, path, [one, _]) in &resource.changes {
            for bad in ["7", "\"7", "*, \"7\"", "w/\"7\"", "\"a\" \"b\"", "", ","] {
                let response = resource.send(&app, method, path, (&[bad], one));
                assert_eq!(response.status, 400, "{path} {bad:?}: {}", response.text());
                assert!(response.text().contains("if-match"), "{}", response.text());
            }
        }
        if resource.can_delete {
            let refused = resource.send(&app, "DELETE", &resource.path, (&["7"], &Value::Null));
            assert_eq!(refused.status, 400);
        }
        assert_eq!(resource.tag(&app), before);
    }
}

#[test]
fn nothing_is_taken_out_of_use_unless_the_tag_fits() {
    let app = TestApp::start();
    for resource in resources(&app).into_iter().filter(|one| one.can_delete) {
        let delete = |condition: &str| {
            resource.send(&app, "DELETE", &resource.path, (&[condition], &Value::Null))
        };
        let tag = resource.tag(&app);
        resource.check_failed(delete("\"0\""));
        resource.check_failed(delete(&format!("W/{tag}")));
        assert_eq!(resource.tag(&app), tag);
        assert!(delete(&tag).status < 300, "{}", resource.path);
    }
}

#[test]
fn existence_is_judged_first() {
    let app = TestApp::start();
    let missing = "00000000-0000-4000-8000-000000000000";
    let condition = |method: &str, path: &str, body: &Value, key: &str| {
        let request = app
            .request(method, path)
            .bearer(key)
            .header("If-Match", "\"1\"");
        request.json(body).send()
    };
    let title = json!({"title": "x"});
    let offer = format!("/v1/offers/off_{missing}");
    for (method, path, body) in [
        ("PATCH", offer.as_str(), &title),
        ("DELETE", &offer, &Value::Null),
        ("DELETE", "/v1/members/nobody", &Value::Null),
        (
            "PATCH",
            &format!("/v1/webhooks/wh_{missing}"),
            &json!({"disabled": true}),
        ),
        (
            "DELETE",
            &format!("/v1/webhooks/wh_{missing}"),
            &Value::Null,
        ),
    ] {
        condition(method, path, body, SANDBOX_KEY).expect_error(404, "NOT_FOUND");
    }
    let program = format!("/v1/programs/{missing}");
    scrip_error(
        condition("PATCH", &program, &json!({"name": "x"}), SANDBOX_KEY),
        404,
        "not_found",
    );
    let asset = format!("/v1/assets/{missing}");
    let body = json!({"burn_order": "fifo"});
    scrip_error(
        condition("PATCH", &asset, &body, SANDBOX_KEY),
        404,
        "not_found",
    );
    let path = format!("/partner/organizations/{missing}");
    partner_error(
        condition("PATCH", &path, &json!({"name": "x"}), PARTNER_SANDBOX_KEY),
        404,
        "NotFound",
    );
    // The precondition is checked before the state: the allocation is too large for a trial.
    let tenant = organization(&app, PARTNER_SANDBOX_KEY, &json!({"name": "A tenant"}));
    let much = json!({"credits": 501});
    partner_error(
        condition("PUT", &tenant.path("/credits"), &much, PARTNER_SANDBOX_KEY),
        412,
        "PreconditionFailed",
    );
}

#[test]
fn a_member_can_be_created_and_nothing_else() {
    let app = TestApp::start();
    let create = |id: &str, name: &str| {
        app.request("PUT", &format!("/v1/members/{id}"))
            .bearer(SANDBOX_KEY)
            .header("If-None-Match", "*")
            .json(&json!({"displayName": name}))
            .send()
    };
    let made = create("ada", "Ada");
    assert_eq!(made.status, 200);
    let tag = made.header("ETag").unwrap().to_owned();
    create("ada", "Eve").expect_error(412, "PRECONDITION_FAILED");
    app.delete("/v1/members/ada").expect(200);
    create("ada", "Eve").expect_error(412, "PRECONDITION_FAILED");
    let shown = app.get("/v1/members/ada?includeArchived=true").expect(200);
    assert_eq!(shown["displayName"], "Ada");
    assert_ne!(format!("\"{}\"", shown["version"]), tag);

    // The reverse: an unknown member matches no tag, not even `*`.
    for condition in ["*", "\"0\""] {
        let request = app.request("PUT", "/v1/members/nobody").bearer(SANDBOX_KEY);
        let request = request.header("If-Match", condition);
        request
            .json(&json!({}))
            .send()
            .expect_error(412, "PRECONDITION_FAILED");
    }
    app.get("/v1/members/nobody").expect_error(404, "NOT_FOUND");
    // Any other tag in If-None-Match has no effect here.
    let request = app.request("PUT", "/v1/members/ada").bearer(SANDBOX_KEY);
    let tag = format!("\"{}\"", shown["version"]);
    let restored = request
        .header("If-None-Match", &tag)
        .json(&json!({}))
        .send();
    assert_eq!(restored.status, 200);
    let read = app.request("GET", "/v1/members/ada").bearer(SANDBOX_KEY);
    let tag = restored.header("ETag").unwrap();
    assert_eq!(read.header("If-None-Match", tag).send().status, 200);
}

#[test]
fn of_two_writers_with_one_tag_exactly_one_wins() {
    let app = TestApp::start();
    for resource in resources(&app) {
        for (method, path, bodies) in &resource.changes {
            for _ in 0..5 {
                let tag = resource.tag(&app);
                let [one, other] = bodies.each_ref().map(|body| {
                    let (app, resource, tag) = (&app, &resource, &tag);
                    move || resource.send(app, method, path, (&[tag], body))
                });
                let statuses = race([&one, &other]);
                // A request that sets the same values is no change, and keeps the tag.
                let is_one = statuses == [200, 412];
                let is_same = statuses == [200, 200] && !path.ends_with("/credits");
                assert!(is_one || is_same, "{path}: {statuses:?}");
                if is_one {
                    assert_ne!(resource.tag(&app), tag);
                }
            }
        }
    }
    let tags = std::sync::Mutex::new(Vec::new());
    let create = || {
        let request = app.request("PUT", "/v1/members/new").bearer(SANDBOX_KEY);
        let response = request.header("If-None-Match", "*").json(&json!({})).send();
        tags.lock()
            .unwrap()
            .extend(response.header("ETag").map(str::to_owned));
        response
    };
    let statuses = race([&create, &create]);
    assert_eq!(statuses, [200, 412]);
    assert_eq!(tags.lock().unwrap().len(), 1);
}

#[test]
fn what_changes_nothing_and_what_no_request_sets_leaves_the_tag() {
    let app = TestApp::start();
    let all = resources(&app);
    let offer = all[1].path.rsplit('/').next().unwrap().to_owned();
    let stock = json!({"availability": {"quantityRemaining": 5}, "pointsPrice": 10});
    app.patch(&all[1].path, &stock).expect(200);
    let before: Vec<String> = all.iter().map(|one| one.tag(&app)).collect();
    let check = |what: &str| {
        let now: Vec<String> = all.iter().map(|one| one.tag(&app)).collect();
        assert_eq!(now, before, "{what}");
    };
    credit(&app, "ada", 100);
    check("a credit");
    let redemption = app.redeem("ada", &offer);
    check("a piece that was sold");
    move_to(&app, &redemption, "OPEN").expect(200);
    cancel(&app, &redemption).expect(200);
    check("a piece that came back");
    app.token("ada");
    check("an exchange");
    app.put("/v1/members/ada", &json!({})).expect(200);
    app.patch(&all[1].path, &stock).expect(200);
    let current = app.get("/v1/configuration").expect(200);
    app.put("/v1/configuration", &current).expect(200);
    app.patch(&all[3].path, &json!({"status": "ACTIVE"}))
        .expect(200);
    app.patch(&all[4].path, &json!({"disabled": false, "url": NOWHERE}))
        .expect(200);
    let status = format!("{}/status", all[5].path);
    let tenant = app.request("PUT", &status).bearer(PARTNER_SANDBOX_KEY);
    tenant.json(&json!({"status": "active"})).send().expect(200);
    check("the same again");
    app.post("/v1/sandbox/clock", &json!({"advanceSeconds": 60}))
        .expect(200);
    check("the clock");
    live(&app, "PUT", "/v1/members/ada", &json!({"tier": "gold"})).expect(200);
    check("another program");

    // A stock that is set is a setting, and so are a tier and attributes; name and status of a
    // program are not its configuration.
    let change = |place: usize, method: &str, body: &Value| {
        all[place]
            .send(&app, method, &all[place].path, (&[], body))
            .expect(200);
        assert_ne!(all[place].tag(&app), before[place], "{body}");
    };
    change(
        1,
        "PATCH",
        &json!({"availability": {"quantityRemaining": 4}}),
    );
    change(0, "PUT", &json!({"attributes": {"a": 1}}));
    change(3, "PATCH", &json!({"name": "Another"}));
    assert_eq!(all[2].tag(&app), before[2]);
    change(2, "PUT", &json!({"currencySymbol": "x"}));
    let exchange = json!({"externalUserID": "ada", "displayName": "Ada"});
    let tag = all[0].tag(&app);
    app.post("/v1/auth/exchange", &exchange).expect(200);
    assert_ne!(all[0].tag(&app), tag);
}

#[test]
fn lists_and_new_resources_tell_the_version() {
    let app = TestApp::start();
    let all = resources(&app);
    let tag_of = |place: usize| all[place].tag(&app);
    for (path, rows, place) in [
        ("/v1/members", "members", 0),
        ("/v1/offers", "data", 1),
        ("/v1/programs", "data", 3),
        ("/v1/webhooks", "data", 4),
    ] {
        let list = app.get(path).expect(200);
        assert_eq!(
            format!("\"{}\"", list[rows][0]["version"]),
            tag_of(place),
            "{path}"
        );
    }
    let list = partner_get(&app, "/partner/organizations");
    assert_eq!(
        format!("\"{}\"", list["organizations"][0]["version"]),
        tag_of(5)
    );
    let made = app.post("/v1/offers", &json!({"title": "New"})).expect(201);
    let path = format!("/v1/offers/{}", made["id"].as_str().unwrap());
    assert_eq!(
        app.get(&path).header("ETag"),
        Some(format!("\"{}\"", made["version"]).as_str())
    );
}

#[test]
fn versions_survive_a_restart_and_a_move_to_another_file() {
    let app = TestApp::start();
    let all = resources(&app);
    let name = json!({"displayName": "Ada"});
    app.put("/v1/members/ada", &name).expect(200);
    app.patch(&all[4].path, &json!({"disabled": true}))
        .expect(200);
    let before: Vec<String> = all.iter().map(|one| one.tag(&app)).collect();
    let mut app = app.restart();
    let after: Vec<String> = all.iter().map(|one| one.tag(&app)).collect();
    assert_eq!(after, before);
    app.stop();
    let mut lines = Vec::new();
    let database = Database::open(&app.database()).unwrap();
    export(database.connection(), true, &mut lines, |_, _| ()).unwrap();
    drop(database);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("moved.db");
    let mut database = Database::open_for_import(&path).unwrap();
    let now = Clock::system().now();
    import(&mut database, lines.as_slice(), now, |_| ()).unwrap();
    drop(database);
    let report = verify::verify(&store::open_read_only(&path).unwrap(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
    let moved = TestApp::start_with(|settings| {
        std::fs::copy(&path, &settings.database.path).unwrap();
    });
    let after: Vec<String> = all.iter().map(|one| one.tag(&moved)).collect();
    assert_eq!(after, before);
}

/// Each version that was changed in the file is found.
#[test]
fn verify_compares_versions_with_the_log() {
    let mut app = TestApp::start();
    resources(&app);
    app.put("/v1/members/ada", &json!({"displayName": "Ada"}))
        .expect(200);
    app.stop();
    let findings = || {
        let report = verify::verify(&store::open_read_only(&app.database()).unwrap(), |_| ());
        report.unwrap().findings
    };
    assert_eq!(findings(), Vec::<String>::new());
    for (table, column) in [
        ("member", "version"),
        ("offer", "version"),
        ("program", "version"),
        ("program", "configuration_version"),
        ("organization", "version"),
        ("webhook_endpoint", "version"),
    ] {
        for change in [1, -1] {
            let sqlite = app.sqlite();
            let set = |by: i64| {
                let sql = format!("UPDATE {table} SET {column} = {column} + {by} WHERE id = 1");
                assert_eq!(sqlite.execute(&sql, []).unwrap(), 1);
            };
            set(change);
            let found = findings();
            let is_named = found
                .iter()
                .any(|one| one.contains(table) && one.contains(column));
            assert!(is_named, "{table}.{column} {change}: {found:?}");
            set(-change);
        }
    }
    assert_eq!(findings(), Vec::<String>::new());
}
