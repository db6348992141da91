//! `stampcard keys` and `organizations`: on the file of a stopped server, and on a running one.

use serde_json::{Value, json};

use crate::server::{Ended, Place, Server, request};

const PARTNER_KEY: &str = "partner_sandbox_0123456789abcdef0123456789abcdef";

/// A server whose sandbox partner key the tests know.
fn start(place: &Place) -> Server {
    let mut command = place.serve();
    command.env("STAMPCARD_BOOTSTRAP__PARTNER_SANDBOX_KEY", PARTNER_KEY);
    place.start_as(command)
}

/// A command on the file.
fn on_file(place: &Place, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command.arg("--database").arg(place.database());
    place.run(command)
}

/// A command that calls a server.
fn on_server(place: &Place, server: &Server, arguments: &[&str]) -> Ended {
    let mut command = place.command(arguments);
    command
        .args(["--url", &format!("http://{}/", server.address)])
        .env("STAMPCARD_KEY", PARTNER_KEY);
    place.run(command)
}

#[track_caller]
fn json(ended: &Ended) -> Value {
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The response to a key's request for its program's summary.
fn status(server: &Server, key: &str) -> u16 {
    let route = ("GET", "/v1/analytics/summary");
    let answer = request(
        &server.agent,
        server.address,
        key,
        route,
        None,
        &Value::Null,
    );
    answer.unwrap().status
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

#[test]
fn organizations_and_keys_are_made_on_the_file_and_used_on_the_server() {
    let place = Place::new();
    start(&place).terminate();
    let arguments = [
        "organizations",
        "create",
        "Acme",
        "--environment",
        "sandbox",
        "--json",
    ];
    let made = json(&on_file(&place, &arguments));
    let id = text(&made["organization"], "id").to_owned();
    let first = text(&made, "apiKey").to_owned();
    let listed = json(&on_file(&place, &["organizations", "list", "--json"]));
    let names: Vec<&str> = listed["organizations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|organization| text(organization, "name"))
        .collect();
    assert_eq!(names, ["Acme", "Sandbox", "Live"]);
    let arguments = ["organizations", "list", "--environment", "live", "--json"];
    let listed = json(&on_file(&place, &arguments));
    assert_eq!(listed["organizations"].as_array().unwrap().len(), 1);

    let made = json(&on_file(
        &place,
        &["keys", "create", "second", "--organization", &id, "--json"],
    ));
    let (second, second_id) = (
        text(&made, "plainKey"),
        text(&made["apiKey"], "id").to_owned(),
    );
    let server = start(&place);
    assert_eq!(
        (status(&server, &first), status(&server, second)),
        (200, 200)
    );
    server.terminate();

    let ended = on_file(&place, &["keys", "list"]);
    assert!(
        ended.stdout.contains(&second_id) && !ended.stdout.contains(second),
        "{ended:?}"
    );
    let keys = json(&on_file(
        &place,
        &["keys", "list", "--organization", &id, "--json"],
    ));
    assert_eq!(keys["apiKeys"].as_array().unwrap().len(), 2);
    json(&on_file(&place, &["keys", "revoke", &second_id, "--json"]));
    let again = on_file(&place, &["keys", "revoke", &second_id]);
    assert!(again.refusal().contains("there is no key"), "{again:?}");
    json(&on_file(
        &place,
        &["organizations", "set-status", &id, "suspended", "--json"],
    ));
    let server = start(&place);
    assert_eq!(
        (status(&server, &first), status(&server, second)),
        (403, 401)
    );
    server.terminate();
    json(&on_file(
        &place,
        &["organizations", "set-status", &id, "active", "--json"],
    ));
    let server = start(&place);
    assert_eq!(status(&server, &first), 200);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn the_same_through_a_running_server() {
    let place = Place::new();
    let server = start(&place);
    let run = |arguments: &[&str]| on_server(&place, &server, arguments);
    let made = json(&run(&[
        "organizations",
        "create",
        "Acme",
        "--external-id",
        "a-1",
        "--json",
    ]));
    let id = text(&made["organization"], "id").to_owned();
    let first = text(&made, "apiKey").to_owned();
    assert_eq!(made["organization"]["externalId"], "a-1");
    let listed = json(&run(&["organizations", "list", "--json"]));
    assert_eq!(
        listed["organizations"].as_array().unwrap().len(),
        2,
        "only the organizations of the sandbox"
    );
    let made = json(&run(&[
        "keys",
        "create",
        "second",
        "--organization",
        &id,
        "--json",
    ]));
    let (second, second_id) = (text(&made, "plainKey"), text(&made["apiKey"], "id"));
    assert_eq!(
        (status(&server, &first), status(&server, second)),
        (200, 200)
    );
    let keys = json(&run(&["keys", "list", "--organization", &id, "--json"]));
    assert_eq!(keys["apiKeys"].as_array().unwrap().len(), 2);
    json(&run(&[
        "keys",
        "revoke",
        second_id,
        "--organization",
        &id,
        "--json",
    ]));
    assert_eq!(status(&server, second), 401);
    json(&run(&[
        "organizations",
        "set-status",
        &id,
        "canceled",
        "--json",
    ]));
    assert_eq!(status(&server, &first), 403);

    // The server's refusal is printed in its words.
    let unknown = "6f7b4a0e-5c1e-4d5b-9a0c-2f6f3f0f8c11";
    let ended = run(&["organizations", "set-status", unknown, "active"]);
    assert!(ended.refusal().contains("organization"), "{ended:?}");
    let ended = run(&["keys", "list"]);
    assert!(ended.refusal().contains("--organization"), "{ended:?}");
    let mut command = place.command(&["organizations", "list", "--key", "partner_sandbox_wrong"]);
    command.args(["--url", &format!("http://{}", server.address)]);
    let ended = place.run(command);
    assert!(
        !ended.refusal().contains("partner_sandbox_wrong"),
        "{ended:?}"
    );
    server.terminate();
}

#[test]
fn a_running_server_keeps_the_file_to_itself() {
    let place = Place::new();
    let server = start(&place);
    for arguments in [
        &["keys", "list"] as &[&str],
        &["keys", "rotate-token-key"],
        &["organizations", "list"],
    ] {
        let ended = on_file(&place, arguments);
        assert!(
            ended
                .refusal()
                .contains("in use by another stampcard process"),
            "{ended:?}"
        );
    }
    server.terminate();
}

#[test]
fn no_database_is_made_by_asking_for_its_keys() {
    let place = Place::new();
    for arguments in [&["keys", "list"] as &[&str], &["organizations", "list"]] {
        let ended = on_file(&place, arguments);
        assert!(
            ended.refusal().contains("there is no database"),
            "{ended:?}"
        );
    }
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_partner_key_is_made_and_revoked_on_the_file() {
    let place = Place::new();
    start(&place).terminate();
    let arguments = [
        "keys",
        "create",
        "billing",
        "--partner",
        "--environment",
        "sandbox",
        "--json",
    ];
    let made = json(&on_file(&place, &arguments));
    let key = text(&made, "plainKey").to_owned();
    assert!(key.starts_with("partner_sandbox_"), "{key}");
    let organizations = |server: &Server| {
        let route = ("GET", "/partner/organizations");
        let answer = request(
            &server.agent,
            server.address,
            &key,
            route,
            None,
            &Value::Null,
        );
        answer.unwrap().status
    };
    let server = start(&place);
    assert_eq!(organizations(&server), 200);
    server.terminate();
    let id = text(&made["apiKey"], "id");
    json(&on_file(&place, &["keys", "revoke", id, "--json"]));
    let server = start(&place);
    assert_eq!(organizations(&server), 401);
    server.terminate();
}

#[test]
fn a_new_token_key_ends_every_member_token_and_nothing_else() {
    let place = Place::new();
    let server = start(&place);
    server.live_a_little();
    let exchange = |server: &Server| {
        let body = json!({"externalUserID": "ann"});
        let grant = server.post("/v1/auth/exchange", &body).expect(200);
        text(&grant, "accessToken").to_owned()
    };
    let wallet = |server: &Server, token: &str| {
        let route = ("GET", "/v1/wallet");
        let answer = request(
            &server.agent,
            server.address,
            token,
            route,
            None,
            &Value::Null,
        );
        answer.unwrap().status
    };
    let old = exchange(&server);
    server.terminate();
    let server = start(&place);
    assert_eq!(wallet(&server, &old), 200);
    server.terminate();
    json(&on_file(&place, &["keys", "rotate-token-key", "--json"]));
    let server = start(&place);
    assert_eq!(wallet(&server, &old), 401);
    assert_eq!(wallet(&server, &exchange(&server)), 200);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn what_does_not_fit_together_is_refused() {
    let place = Place::new();
    start(&place).terminate();
    for arguments in [
        &["keys", "create", "x"] as &[&str],
        &["keys", "create", "x", "--partner"],
        &[
            "keys",
            "create",
            "x",
            "--organization",
            "a",
            "--partner",
            "--environment",
            "live",
        ],
        &["keys", "list", "--url", "http://127.0.0.1:1"],
        &["organizations", "set-status", "a", "asleep"],
    ] {
        let ended = on_file(&place, arguments);
        assert_eq!(
            (ended.code, ended.stdout.as_str()),
            (Some(2), ""),
            "{ended:?}"
        );
    }
    let https = [
        "organizations",
        "list",
        "--url",
        "https://example.com",
        "--key",
        "partner_live_1",
    ];
    for (arguments, said) in [
        (&https as &[&str], "must begin with http://"),
        (
            &["organizations", "create", "x"],
            "--environment sandbox or live",
        ),
        (
            &["organizations", "create", "", "--environment", "live"],
            "name",
        ),
        (
            &["keys", "create", "x", "--organization", "nobody"],
            "there is no organization nobody",
        ),
        (&["keys", "revoke", "nothing"], "there is no key nothing"),
    ] {
        let ended = on_file(&place, arguments);
        assert!(ended.refusal().contains(said), "{ended:?}");
    }
}
