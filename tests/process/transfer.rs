//! `stampcard export` and `import`: everything arrives, and an import is all or nothing.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::server::{Ended, Place, Server, done, mode};

/// Windows of figures that an import must not change.
const FIGURES: &[&str] = &[
    "/v1/analytics/summary",
    "/v1/analytics/offers",
    "/v1/analytics/timeseries?from=2020-01-01&to=2100-01-01&interval=month",
    "/v1/analytics/timeseries?from=2026-01-01T00:00:01.001Z&to=2027-06-01&interval=week\
     &tz=Asia/Kathmandu",
    "/v1/reports/program-activity",
    "/v1/reports/program-activity?from=2020-01-01T00:00:00Z&to=2100-01-01T00:00:00Z",
    "/v1/members?limit=100",
    "/v1/wallet/transactions?externalUserID=ann&limit=100",
    "/v1/redemptions?limit=100",
    "/v1/configuration",
];

fn figures(server: &Server) -> Vec<Value> {
    FIGURES.iter().map(|path| server.get(path)).collect()
}

/// A database with some data of every kind, its server stopped, and its export.
pub(crate) fn exported() -> (Place, String) {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    server.terminate();
    done(&place.run_on_database(&["export", "all.ndjson"]));
    let text = std::fs::read_to_string(place.path("all.ndjson")).unwrap();
    (place, text)
}

/// Imports a text into a new database.
pub(crate) fn import(place: &Place, text: &str) -> Ended {
    std::fs::write(place.path("in.ndjson"), text).unwrap();
    place.run_on_database(&["import", "in.ndjson"])
}

/// The same lines with a correct trailer.
pub(crate) fn sealed(lines: &[&str]) -> String {
    let mut text = lines.join("\n") + "\n";
    let hash = data_encoding::HEXLOWER.encode(&Sha256::digest(text.as_bytes()));
    text += &json!({"end": lines.len() - 1, "sha256": hash}).to_string();
    text + "\n"
}

#[test]
fn what_is_exported_and_imported_answers_the_same_with_the_same_keys() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    // Text that JSON could damage: quotes, line ends, characters of every plane.
    let body = json!({
        "displayName": "A \"quoted\" name \\ 𝄞 é",
        "attributes": {"z": 1.50, "a": [null, "x\ny"], "big": 12_345_678_901_234_567_890_u64},
    });
    let answer = server.send("PUT", "/v1/members/ann", None, &body).unwrap();
    answer.expect(200);
    // While the server continues.
    done(&place.run_on_database(&["export", "all.ndjson"]));
    assert_eq!(mode(&place.path("all.ndjson")), 0o600);
    let (before, wallets) = (figures(&server), server.wallets());
    let token = server
        .post("/v1/auth/exchange", &json!({"externalUserID": "bob"}))
        .expect(200);
    server.terminate();

    let other = Place::new();
    let text = std::fs::read_to_string(place.path("all.ndjson")).unwrap();
    let ended = import(&other, &text);
    assert!(
        done(&ended)
            .stdout
            .contains("the key of member tokens is new"),
        "{ended:?}"
    );
    assert_eq!(other.verify().code, Some(0));
    done(&other.run_on_database(&["export", "again.ndjson"]));
    let again = std::fs::read_to_string(other.path("again.ndjson")).unwrap();
    assert!(again == text, "the same bytes");
    // Any other program reads the balances, before a server has ever opened the file.
    assert_eq!(other.wallets("test.db"), wallets);
    assert_eq!(wallets, ["ann 70 100 30", "bob 100 130 30"]);
    let server = other.start();
    assert_eq!(server.printed, Vec::<String>::new(), "no keys are made");
    assert_eq!(figures(&server), before);
    // Without --with-secrets tokens are those of another server.
    let bearer = token["accessToken"].as_str().unwrap();
    let wallet = ("GET", "/v1/wallet");
    let answer = crate::server::request(
        &server.agent,
        server.address,
        bearer,
        wallet,
        None,
        &Value::Null,
    );
    assert_eq!(answer.unwrap().status, 401);
    server.credit("ann", 7);
    server.terminate();
    assert_eq!(other.verify().code, Some(0));
}

#[test]
fn secrets_come_along_only_when_asked_for() {
    let place = Place::new();
    let server = place.start();
    let token = server
        .post("/v1/auth/exchange", &json!({"externalUserID": "bob"}))
        .expect(200);
    server.terminate();
    let endpoint =
        "INSERT INTO webhook_endpoint (uuid, program_id, url, events, secret, cursor_seq,
            created_at)
        VALUES (zeroblob(16), 1, 'https://example.com', '[\"member.created\"]', 'whsec_old', 1, 5)";
    place.sqlite().execute_batch(endpoint).unwrap();
    done(&place.run_on_database(&["export", "bare.ndjson"]));
    done(&place.run_on_database(&["export", "full.ndjson", "--with-secrets"]));
    let read = |name: &str| std::fs::read_to_string(place.path(name)).unwrap();
    let (bare, full) = (read("bare.ndjson"), read("full.ndjson"));
    assert!(!bare.contains("whsec_old") && !bare.contains("token_key"));
    assert!(full.contains("whsec_old") && full.contains("token_key"));

    for (text, is_full) in [(&bare, false), (&full, true)] {
        let other = Place::new();
        let ended = import(&other, text);
        let said = &done(&ended).stdout;
        assert_eq!(
            said.contains("signing secrets of 1 webhook endpoints are new"),
            !is_full
        );
        let (secret, cursor): (String, i64) = other
            .sqlite()
            .query_row(
                "SELECT secret, cursor_seq FROM webhook_endpoint",
                [],
                |row| row.try_into(),
            )
            .unwrap();
        assert_eq!(secret == "whsec_old", is_full);
        assert!(
            secret.starts_with("whsec_") && (is_full || secret.len() == 70),
            "{secret}"
        );
        let last: i64 = other
            .sqlite()
            .query_row("SELECT max(seq) FROM activity", [], |row| row.get(0))
            .unwrap();
        assert_eq!(cursor, last, "nothing of the past is delivered");
        let mut arguments = vec!["export", "again.ndjson"];
        arguments.extend(is_full.then_some("--with-secrets"));
        done(&other.run_on_database(&arguments));
        let again = std::fs::read_to_string(other.path("again.ndjson")).unwrap();
        assert!(again == **text, "the same bytes");
        let server = other.start();
        let bearer = token["accessToken"].as_str().unwrap();
        let answer = crate::server::request(
            &server.agent,
            server.address,
            bearer,
            ("GET", "/v1/wallet"),
            None,
            &Value::Null,
        );
        assert_eq!(answer.unwrap().status, if is_full { 200 } else { 401 });
        server.terminate();
    }
}

#[test]
fn an_export_goes_through_a_pipe() {
    let (place, text) = exported();
    let ended = place.run_on_database(&["export", "-"]);
    assert!(done(&ended).stdout == text);
    let other = Place::new();
    std::fs::write(other.path("in.ndjson"), &text).unwrap();
    let mut command = other.command(&["import", "-", "--json", "--database"]);
    command
        .arg(other.database())
        .stdin(std::fs::File::open(other.path("in.ndjson")).unwrap());
    let said: Value = serde_json::from_str(&done(&other.run(command)).stdout).unwrap();
    assert_eq!(said["rows"], text.lines().count() - 2);
    assert_eq!(said["resumed"], 0);
}

#[test]
fn an_import_is_refused_by_a_database_with_data_and_by_one_in_use() {
    let (place, text) = exported();
    let server = place.start();
    let ended = import(&place, &text);
    assert!(
        ended
            .refusal()
            .contains("in use by another stampcard process"),
        "{ended:?}"
    );
    server.terminate();
    let ended = import(&place, &text);
    assert!(ended.refusal().contains("holds data already"), "{ended:?}");
    assert_eq!(place.verify().code, Some(0));
}

/// The line (the first that contains this text), the text to replace, its replacement, and the
/// expected message.
const BAD: &[(&str, &str, &str, &str)] = &[
    (
        "\"table\":\"member\"",
        "\"tier\":\"standard\"",
        "\"tier\":5",
        "member.tier must be text",
    ),
    (
        "\"table\":\"member\"",
        "\"tier\":\"standard\",",
        "",
        "member.tier is missing",
    ),
    (
        "\"table\":\"member\"",
        "\"tier\"",
        "\"teir\"",
        "member.teir is not known",
    ),
    (
        "\"table\":\"member\"",
        "\"token_epoch\":0",
        "\"token_epoch\":0.5",
        "member.token_epoch must be a whole number",
    ),
    (
        "\"table\":\"member\"",
        "\"token_epoch\":0",
        "\"token_epoch\":-1",
        "token_epoch",
    ),
    (
        "\"table\":\"member\"",
        "\"program_id\":1",
        "\"program_id\":99",
        "member.program_id: there is no such row",
    ),
    (
        "\"table\":\"member\"",
        "\"table\":\"member\"",
        "\"table\":\"membr\"",
        "table \"membr\" is not known",
    ),
    ("\"table\":\"member\"", "{", "[", "not well-formed JSON"),
    (
        "\"table\":\"member\"",
        "\"table\":\"member\",",
        "",
        "table is missing",
    ),
    (
        "\"table\":\"organization\"",
        "\"uuid\":\"",
        "\"uuid\":\"xy",
        "organization.uuid must be bytes",
    ),
    (
        "\"table\":\"organization\"",
        "\"sandbox\"",
        "\"elsewhere\"",
        "environment IN ('sandbox', 'live')",
    ),
    ("\"entry\":1", "\"amount\":100", "\"amount\":0", "amount"),
    (
        "\"entry\":1",
        "{\"table\":\"activity\"",
        "{\"table\":\"member\"",
        "must come in the order",
    ),
];

#[test]
fn a_bad_line_is_refused_by_its_number_and_its_field() {
    let (_, text) = exported();
    let lines: Vec<&str> = text.lines().collect();
    let body = &lines[..lines.len() - 1];
    for (place, from, to, said) in BAD {
        let index = body.iter().position(|line| line.contains(place)).unwrap();
        let mut changed: Vec<String> = body.iter().map(|line| (*line).to_owned()).collect();
        assert!(
            changed[index].contains(from),
            "{from} in {}",
            changed[index]
        );
        changed[index] = changed[index].replacen(from, to, 1);
        let changed: Vec<&str> = changed.iter().map(String::as_str).collect();
        let place = Place::new();
        let ended = import(&place, &sealed(&changed));
        let line = format!("line {}: ", index + 1);
        let message = ended.refusal();
        assert!(
            message.contains(&line) && message.contains(said),
            "{line}{said}: {message}"
        );
    }
    // The same lines, unchanged, are accepted.
    done(&import(&Place::new(), &sealed(body)));
}

#[test]
fn lines_that_contradict_each_other_keep_the_database_closed() {
    let (_, text) = exported();
    let lines: Vec<&str> = text.lines().collect();
    // A ledger entry with another amount: every single line is valid.
    let body: Vec<String> = lines[..lines.len() - 1]
        .iter()
        .map(|line| line.replace("\"entry\":1,\"amount\":100", "\"entry\":1,\"amount\":101"))
        .collect();
    let body: Vec<&str> = body.iter().map(String::as_str).collect();
    let place = Place::new();
    let ended = import(&place, &sealed(&body));
    let said = ended.refusal();
    assert!(
        said.contains("contradict each other") && said.contains("its received_after is"),
        "{said}"
    );
    assert!(
        place
            .run(place.serve())
            .refusal()
            .contains("was not finished")
    );
    assert!(
        place
            .verify()
            .stdout
            .contains("an import into the database was not finished")
    );
}

#[test]
fn a_file_that_was_cut_or_changed_is_refused() {
    let (_, text) = exported();
    let lines: Vec<&str> = text.lines().collect();
    let whole = lines.len();
    let cut_at = |count: usize| lines[..count].join("\n") + "\n";
    let changed = text.replace("ann", "amy");
    let mut missing = lines.clone();
    missing.remove(whole - 3);
    for (text, said) in [
        (String::new(), "ends after line 0".to_owned()),
        (cut_at(1), "ends after line 1".to_owned()),
        (cut_at(whole - 1), format!("ends after line {}", whole - 1)),
        // In the middle of the last line, and without only its line end.
        (
            text[..text.len() - 20].to_owned(),
            format!("ends after line {}", whole - 1),
        ),
        (
            text[..text.len() - 1].to_owned(),
            format!("ends after line {}", whole - 1),
        ),
        (changed, format!("line {whole}: sha256 does not match")),
        (
            missing.join("\n") + "\n",
            format!("line {}: end is", whole - 1),
        ),
        (
            text.clone() + "{}\n",
            format!("line {whole}: is the last line of the export"),
        ),
        (
            "hello\n".to_owned(),
            "line 1: must be the header of an export".to_owned(),
        ),
        (
            text.replacen("\"format\":1", "\"format\":7", 1),
            "line 1: format is 7".to_owned(),
        ),
    ] {
        let place = Place::new();
        let ended = import(&place, &text);
        assert!(ended.refusal().contains(&said), "{said}: {ended:?}");
        if place.database().exists() {
            // Either nothing was imported, or the database stays closed.
            let ended = place.verify();
            let is_empty = ended.stderr.contains("is not a stampcard database")
                || ended.stdout.contains("(0 figures compared)");
            assert!(
                is_empty || ended.stdout.contains("was not finished"),
                "{ended:?}"
            );
        }
    }
}

/// A long export: many members, each a line.
fn long() -> (Place, String) {
    const MEMBERS: usize = 20_000;
    let (place, text) = exported();
    let lines: Vec<&str> = text.lines().collect();
    let member = lines
        .iter()
        .position(|line| line.contains("\"table\":\"member\""))
        .unwrap();
    let created = lines
        .iter()
        .rposition(|line| line.contains("\"table\":\"activity\""))
        .unwrap();
    let mut body: Vec<String> = lines[..lines.len() - 1]
        .iter()
        .map(|l| (*l).to_owned())
        .collect();
    // No row may be later than the clock.
    let last: Value = serde_json::from_str(lines[created]).unwrap();
    let at = last["at"].as_i64().unwrap();
    let row = |index: usize| {
        json!({"table": "activity", "seq": 1000 + index, "at": at, "program_id": 1, "kind": 1,
            "actor": 6, "member_id": 1000 + index, "to_state": "standard"})
        .to_string()
    };
    let tail = body.split_off(created + 1);
    body.extend((0..MEMBERS).map(row));
    body.extend(tail);
    let row = |index: usize| {
        json!({"table": "member", "id": 1000 + index, "program_id": 1, "created_at": at,
            "external_user_id": format!("user-{index}"), "tier": "standard",
            "token_epoch": 0, "version": 1000 + index})
        .to_string()
    };
    let members = lines
        .iter()
        .filter(|line| line.contains("\"table\":\"member\""))
        .count();
    let tail = body.split_off(member + members);
    body.extend((0..MEMBERS).map(row));
    body.extend(tail);
    let mut header: Value = serde_json::from_str(&body[0]).unwrap();
    for table in ["member", "activity"] {
        header["rows"][table] = json!(header["rows"][table].as_u64().unwrap() + MEMBERS as u64);
    }
    body[0] = header.to_string();
    let body: Vec<&str> = body.iter().map(String::as_str).collect();
    (place, sealed(&body))
}

#[test]
fn an_import_that_was_killed_is_finished_by_another_and_by_no_other_file() {
    let (_origin, text) = long();
    let place = Place::new();
    std::fs::write(place.path("in.ndjson"), &text).unwrap();
    let command = |file: &str| {
        let mut command = place.command(&["import", file, "--json", "--database"]);
        command.arg(place.database());
        command
    };
    let mut child = command("in.ndjson")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // Until some batch is imported.
    let start = Instant::now();
    let has_note = || {
        let connection = stampcard::store::open_read_only(&place.database()).ok()?;
        stampcard::store::import_batches::unfinished_import(&connection).ok()?
    };
    while has_note().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "too fast to be killed");
        assert!(start.elapsed() < Duration::from_mins(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();

    // Only an import can open it.
    assert!(
        place
            .run(place.serve())
            .refusal()
            .contains("was not finished")
    );
    for arguments in [&["keys", "list"] as &[&str], &["backup", "copy.db"]] {
        let ended = place.run_on_database(arguments);
        assert!(ended.refusal().contains("was not finished"), "{ended:?}");
    }
    let (_, other) = exported();
    std::fs::write(place.path("other.ndjson"), other).unwrap();
    let ended = place.run(command("other.ndjson"));
    assert!(
        ended.refusal().contains("an import of another file"),
        "{ended:?}"
    );
    let other = text.replacen("\"user-0\"", "\"user-x\"", 1);
    std::fs::write(place.path("other.ndjson"), other).unwrap();
    let ended = place.run(command("other.ndjson"));
    assert!(
        ended.refusal().contains("an import of another file"),
        "{ended:?}"
    );

    let ended = place.run(command("in.ndjson"));
    let said: Value = serde_json::from_str(&done(&ended).stdout).unwrap();
    let (rows, resumed) = (
        said["rows"].as_u64().unwrap(),
        said["resumed"].as_u64().unwrap(),
    );
    assert_eq!(rows, text.lines().count() as u64 - 2);
    assert!((1..rows).contains(&resumed), "{resumed} of {rows}");
    assert_eq!(place.verify().code, Some(0));
    let server = place.start();
    assert_eq!(server.get("/v1/analytics/summary")["memberCount"], 20_002);
    server.terminate();
    // A finished import is not resumed.
    let ended = place.run(command("in.ndjson"));
    assert!(ended.refusal().contains("holds data already"), "{ended:?}");
}
