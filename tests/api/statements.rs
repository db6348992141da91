//! Reading back: statements, journal entries, lots and reports, each compared with the log.

mod beside_writes;
mod schedule;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stampcard::domain::{DerivedIds, DerivedKind, LotMove, LotMoves, Timestamp};
use uuid::Uuid;

use crate::support::TestApp;

const DAY: i64 = 86_400;

/// A ledger entry, read from the file.
#[derive(Debug, Clone)]
struct Row {
    seq: i64,
    at: i64,
    entry: i64,
    /// The changes of available, held and deferred points.
    changes: [i64; 3],
    reason: Option<String>,
    lots: Option<Vec<u8>>,
}

/// The program and its asset.
struct Ids {
    program: Uuid,
    asset: String,
}

fn ids(app: &TestApp) -> Ids {
    let program = app.get("/v1/programs/current").expect(200);
    let program = Uuid::parse_str(program["id"].as_str().unwrap()).unwrap();
    let asset = app.get("/v1/assets/default").expect(200);
    let asset = asset["id"].as_str().unwrap().to_owned();
    Ids { program, asset }
}

fn member_row(app: &TestApp, id: &str) -> i64 {
    let sql = "SELECT id FROM member WHERE external_user_id = ?1";
    app.sqlite().query_row(sql, [id], |row| row.get(0)).unwrap()
}

fn participant(app: &TestApp, ids: &Ids, id: &str) -> String {
    let participants = DerivedIds::new(ids.program, DerivedKind::Participant);
    participants.id(member_row(app, id), 0).to_string()
}

/// The ledger entries of a member, or of the sandbox program, oldest first.
fn rows(app: &TestApp, member: Option<&str>) -> Vec<Row> {
    let member = member.map(|id| member_row(app, id));
    let connection = app.sqlite();
    let sql = "SELECT a.seq, a.at, a.entry, a.amount, coalesce(a.held, 0), coalesce(a.deferred, 0),
            t.text, a.lots
        FROM activity a LEFT JOIN log_text t ON t.seq = a.seq AND t.part = 1
        WHERE a.entry IS NOT NULL AND a.program_id = 1 AND (?1 IS NULL OR a.member_id = ?1)
        ORDER BY a.seq";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([member], |row| {
        let [seq, at, entry, amount, held, deferred] =
            [0, 1, 2, 3, 4, 5].map(|i| row.get_unwrap(i));
        let amount: i64 = amount;
        let available = match entry {
            1 | 3 | 12 => amount - held - deferred,
            2 | 4 | 5 | 6 | 10 => -(amount + held + deferred),
            7 => -(held + deferred),
            8 | 9 => -held,
            _ => 0,
        };
        Ok(Row {
            seq,
            at,
            entry,
            changes: [available, held, deferred],
            reason: row.get_unwrap(6),
            lots: row.get_unwrap(7),
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn now(app: &TestApp) -> i64 {
    let now = app.get("/v1/sandbox/clock").expect(200);
    Timestamp::parse(now["now"].as_str().unwrap())
        .unwrap()
        .as_millis()
}

fn text(millis: i64) -> String {
    Timestamp::from_millis(millis).unwrap().to_string()
}

/// The message of a refusal.
#[track_caller]
fn refused(app: &TestApp, path: &str, status: u16, code: &str) -> String {
    let answer = app.get(path).expect(status);
    assert_eq!(answer["code"], code, "{answer}");
    answer["message"].as_str().unwrap().to_owned()
}

/// All pages of a list, with rows as many as `limit` at a time.
fn all(app: &TestApp, path: &str, limit: usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = app
            .get(&format!("{path}&limit={limit}{cursor}"))
            .expect(200);
        let data = page["data"].as_array().unwrap();
        assert!(data.len() <= limit);
        found.extend(data.clone());
        let next = page["pagination"]["next_cursor"].as_str();
        assert_eq!(page["pagination"]["has_more"], next.is_some());
        let Some(next) = next else {
            return found;
        };
        cursor = format!("&cursor={next}");
    }
}

/// Members with a history of credits, redemptions, refunds, debits, expiry and removal.
fn play(app: &TestApp, seed: u64) {
    let mut rng = fastrand::Rng::with_seed(seed);
    let offers = [40, 75].map(|price| {
        app.offer(json!({"pointsPrice": price,
            "redemptionLimit": {"perMember": null, "per": "ever"}}))
    });
    let names = ["ada", "bob", "cleo"];
    for name in names {
        app.member(name, 0);
    }
    let mut open: Vec<String> = Vec::new();
    for step in 0..90 {
        let name = names[rng.usize(..names.len())];
        match rng.u8(..12) {
            0..5 => {
                let amount = rng.i64(1..150);
                let mut body = json!({"externalUserID": name, "amount": amount,
                    "reason": format!("step {step}")});
                let at = now(app);
                let end = [0, 3, 10, 45].map(|days| at + days * DAY * 1000);
                match rng.usize(..4) {
                    0 => {}
                    days => body["expiresAt"] = json!(text(end[days])),
                }
                if rng.u8(..4) == 0 {
                    body["maturesAt"] = json!(text(at + DAY * 1000));
                }
                app.post("/v1/wallet/credit", &body).expect(200);
            }
            5..8 => {
                let offer = &offers[rng.usize(..2)];
                let body = json!({"externalUserID": name, "offer": offer});
                let made = app.post("/v1/redemptions", &body);
                if made.status == 201 {
                    open.push(made.json()["id"].as_str().unwrap().to_owned());
                }
            }
            8 if !open.is_empty() => {
                let id = open.swap_remove(rng.usize(..open.len()));
                let path = format!("/v1/redemptions/{id}/cancel");
                app.post(&path, &json!({})).expect(200);
            }
            9 => {
                let body = json!({"externalUserID": name, "amount": rng.i64(1..60)});
                app.post("/v1/wallet/debit", &body);
            }
            10 => {
                let seconds = rng.i64(1..3 * DAY);
                let body = json!({"advanceSeconds": seconds});
                app.post("/v1/sandbox/clock", &body).expect(200);
            }
            _ => {}
        }
    }
    app.delete("/v1/members/cleo").expect(200);
}

fn started(seed: u64) -> TestApp {
    let app = TestApp::start();
    app.member("dora", 70);
    app.post("/v1/assets/default/convert", &json!({"to": "LOT"}))
        .expect(200);
    play(&app, seed);
    app
}

const BUCKETS: [&str; 3] = ["AVAILABLE", "HELD", "DEFERRED"];

#[test]
fn a_statement_is_what_the_log_says_in_any_period() {
    let app = started(1);
    let ids = ids(&app);
    let entries = DerivedIds::new(ids.program, DerivedKind::JournalEntry);
    for name in ["ada", "bob", "cleo", "dora"] {
        let rows = rows(&app, Some(name));
        let path = format!(
            "/v1/participants/{}/statement",
            participant(&app, &ids, name)
        );
        let times: Vec<Option<i64>> = [None]
            .into_iter()
            .chain(
                rows.iter()
                    .step_by(5)
                    .flat_map(|row| [row.at - 1, row.at])
                    .map(Some),
            )
            .collect();
        for (bucket, word) in BUCKETS.into_iter().enumerate() {
            for (index, from) in times.iter().enumerate() {
                let to = times[(index * 7 + 3) % times.len()];
                if from.zip(to).is_some_and(|(from, to)| from > to) {
                    continue;
                }
                let part = |name, at: Option<i64>| {
                    at.map_or(String::new(), |at| format!("&{name}={}", text(at)))
                };
                let asset = &ids.asset;
                let (start, end) = (part("from", *from), part("to", to));
                let path = format!("{path}?asset_id={asset}&bucket={word}{start}{end}");
                let (mut balance, mut opening, mut expected) = (0, 0, Vec::new());
                for row in &rows {
                    if to.is_some_and(|to| row.at > to) {
                        break;
                    }
                    balance += row.changes[bucket];
                    if from.is_some_and(|from| row.at < from) {
                        opening = balance;
                    } else if row.changes[bucket] != 0 {
                        expected.push((
                            entries.id(row.seq, 0).to_string(),
                            row.changes[bucket].to_string(),
                            balance.to_string(),
                            row.reason.clone(),
                        ));
                    }
                }
                let head = app.get(&path).expect(200);
                assert_eq!(head["opening_balance"], opening.to_string(), "{path}");
                assert_eq!(head["closing_balance"], balance.to_string(), "{path}");
                let found = all(&app, &path, 1 + index % 4);
                let mut newest_first = all(&app, &format!("{path}&sort_dir=desc"), 1 + index % 4);
                newest_first.reverse();
                assert_eq!(newest_first, found, "{path}");
                let found = found.iter().map(|row| {
                    let text = |field: &str| row[field].as_str().map(str::to_owned);
                    (
                        text("journal_entry_id").unwrap(),
                        text("amount").unwrap(),
                        text("running_balance").unwrap(),
                        text("description"),
                    )
                });
                assert_eq!(found.collect::<Vec<_>>(), expected, "{path}");
            }
        }
    }
}

#[test]
fn journal_entries_balance_and_continue_the_chain() {
    let app = started(2);
    let ids = ids(&app);
    let logged = rows(&app, None);
    let found = all(&app, "/v1/journal-entries?", 7);
    assert_eq!(found.len(), logged.len());
    let entries = DerivedIds::new(ids.program, DerivedKind::JournalEntry);
    let (mut seen, mut hashes) = (BTreeSet::new(), BTreeMap::new());
    for (entry, row) in found.iter().rev().zip(&logged) {
        assert_eq!(entry["id"], entries.id(row.seq, 0).to_string());
        let (mut sum, mut own) = (0, [0; 3]);
        for posting in entry["postings"].as_array().unwrap() {
            let amount: i64 = posting["amount"].as_str().unwrap().parse().unwrap();
            sum += amount;
            assert!(seen.insert(posting["id"].as_str().unwrap().to_owned()));
            if posting["entity_type"] == "PARTICIPANT" {
                let bucket = BUCKETS.iter().position(|it| posting["bucket"] == **it);
                own[bucket.unwrap()] += amount;
            }
        }
        assert_eq!((sum, own), (0, row.changes), "{entry}");
        hashes.insert(row.seq, entry["entry_hash"].as_str().unwrap().to_owned());
        let one = app.get(&format!(
            "/v1/journal-entries/{}",
            entry["id"].as_str().unwrap()
        ));
        assert_eq!(&one.expect(200), entry);
    }
    // The first entry of each commit stores the hash of the entry before it.
    let connection = app.sqlite();
    let sql = "SELECT seq, lower(hex(chain)) FROM activity
        WHERE program_id = 1 AND chain IS NOT NULL AND entry IS NOT NULL";
    let mut statement = connection.prepare(sql).unwrap();
    let stored = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let stored: Vec<(i64, String)> = stored.unwrap().map(Result::unwrap).collect();
    let mut checked = 0;
    for (seq, before) in stored {
        if let Some((_, hash)) = hashes.range(..seq).next_back() {
            assert_eq!(hash, &before, "before {seq}");
            checked += 1;
        }
    }
    assert!(checked > 30, "{checked}");
    check_filters(&app, &ids, &found);
    check_refusals(&app, &ids);
}

/// Whether a filter admits a journal entry.
type Admits<'a> = Box<dyn Fn(&Value) -> bool + 'a>;

/// Each filter finds what it finds in the whole list.
fn check_filters(app: &TestApp, ids: &Ids, whole: &[Value]) {
    let ada = participant(app, ids, "ada");
    let amount = |posting: &Value| posting["amount"].as_str().unwrap().parse::<i64>().unwrap();
    let own = |entry: &Value| -> Vec<Value> {
        let postings = entry["postings"].as_array().unwrap().clone();
        let own = postings
            .into_iter()
            .filter(|it| it["entity_type"] == "PARTICIPANT");
        own.collect()
    };
    let middle = whole[whole.len() / 2]["created_at"]
        .as_str()
        .unwrap()
        .to_owned();
    let of_ada = |entry: &Value| {
        own(entry)
            .iter()
            .any(|it| it["participant_id"] == ada.as_str())
    };
    let filters: Vec<(String, Admits<'_>)> = vec![
        (format!("participant_id={ada}"), Box::new(of_ada)),
        ("external_id=ada".to_owned(), Box::new(of_ada)),
        (
            format!("participant_id={ada}&action_type=REDEMPTION"),
            Box::new(move |it| of_ada(it) && it["action_type"] == "REDEMPTION"),
        ),
        (
            "action_type=EXPIRE".to_owned(),
            Box::new(|it| it["action_type"] == "EXPIRE"),
        ),
        (
            "bucket=DEFERRED".to_owned(),
            Box::new(|it| own(it).iter().any(|it| it["bucket"] == "DEFERRED")),
        ),
        (
            "min_amount=-50&max_amount=-10".to_owned(),
            Box::new(|it| own(it).iter().any(|it| (-50..=-10).contains(&amount(it)))),
        ),
        (
            format!("from={middle}"),
            Box::new(|it| it["created_at"].as_str().unwrap() >= middle.as_str()),
        ),
        (format!("event_id={ada}"), Box::new(|_| false)),
        ("reference_id=x".to_owned(), Box::new(|_| false)),
        ("external_id=nobody".to_owned(), Box::new(|_| false)),
    ];
    for (query, admits) in filters {
        // An entry that only opens an account has no posting that names its participant.
        let is_open = |it: &Value| it["action_type"] == "OPEN";
        let found = all(app, &format!("/v1/journal-entries?{query}"), 3);
        let found: Vec<&Value> = found.iter().filter(|it| !is_open(it)).collect();
        let expected: Vec<&Value> = whole
            .iter()
            .filter(|it| !is_open(it) && admits(it))
            .collect();
        assert_eq!(found, expected, "{query}");
    }
}

fn check_refusals(app: &TestApp, ids: &Ids) {
    let ada = participant(app, ids, "ada");
    for (query, status, code) in [
        (format!("program_id={ada}"), 403, "forbidden"),
        (format!("asset_id={ada}"), 404, "not_found"),
        (
            format!("participant_id={ada}&external_id=ada"),
            400,
            "bad_request",
        ),
        ("min_amount=1.5".to_owned(), 400, "bad_request"),
        ("cursor=00".to_owned(), 400, "bad_request"),
    ] {
        let answer = app.get(&format!("/v1/journal-entries?{query}"));
        assert_eq!(
            (answer.status, &answer.json()["code"]),
            (status, &json!(code)),
            "{query}"
        );
    }
}

/// What came into each lot of a member, what is left, and whether points of it expired, according
/// to the log.
fn logged_lots(app: &TestApp, ids: &Ids, name: &str) -> BTreeMap<String, (i64, i64, bool)> {
    let lots = DerivedIds::new(ids.program, DerivedKind::Lot);
    let number = member_row(app, name);
    let id = |lot| lots.id(number, lot).to_string();
    let mut logged: BTreeMap<String, (i64, i64, bool)> = BTreeMap::new();
    for row in rows(app, Some(name)) {
        let moves = LotMoves::parse(row.lots.as_deref().unwrap_or(&[])).unwrap();
        for moved in moves.iter() {
            match moved {
                LotMove::Make { number, amount, .. } => {
                    let amount = amount.get();
                    logged.insert(id(number), (amount, amount, false));
                }
                LotMove::Take { part, .. } => {
                    let lot = logged.get_mut(&id(part.number)).unwrap();
                    lot.1 -= part.amount.get();
                    lot.2 |= row.entry == 6;
                }
                LotMove::Give { part, .. } => {
                    let lot = logged.get_mut(&id(part.number)).unwrap();
                    lot.1 += part.amount.get();
                }
                LotMove::Shift { .. } => {}
            }
        }
    }
    logged
}

#[test]
fn lots_are_those_of_the_log() {
    for seed in [3, 4] {
        let app = started(seed);
        let ids = ids(&app);
        for name in ["ada", "bob", "cleo", "dora"] {
            let asset = &ids.asset;
            let path = participant(&app, &ids, name);
            let path = format!("/v1/participants/{path}/balances/lots?asset_id={asset}");
            let whole = all(&app, &path, 200);
            assert_eq!(all(&app, &path, 1), whole);
            assert_eq!(all(&app, &path, 3), whole);
            let mut sum = 0;
            let mut found = BTreeMap::new();
            for lot in &whole {
                let number = |field: &str| lot[field].as_str().unwrap().parse::<i64>().unwrap();
                let status = lot["status"].as_str().unwrap();
                if status == "AVAILABLE" {
                    sum += number("remaining");
                }
                assert_eq!(number("remaining") > 0, BUCKETS.contains(&status), "{lot}");
                let has_expired = status == "EXPIRED";
                let id = lot["id"].as_str().unwrap().to_owned();
                let lot = (number("amount"), number("remaining"), has_expired);
                assert!(found.insert(id, lot).is_none());
            }
            assert_eq!(found, logged_lots(&app, &ids, name), "{name}");
            if name != "cleo" {
                assert_eq!(sum, app.balance(name));
            }
            check_lot_filters(&app, &path, &whole);
        }
    }
}

/// Each filter finds what it finds in the whole list of lots.
fn check_lot_filters(app: &TestApp, path: &str, whole: &[Value]) {
    for status in ["AVAILABLE", "HELD", "DEFERRED", "CONSUMED", "EXPIRED"] {
        let some = all(app, &format!("{path}&status={status}"), 2);
        let expected = whole.iter().filter(|lot| lot["status"] == status);
        assert_eq!(some, expected.cloned().collect::<Vec<_>>(), "{status}");
    }
    let middle = text(now(app));
    for (filter, is_before) in [("expires_before", true), ("expires_after", false)] {
        let some = all(app, &format!("{path}&{filter}={middle}"), 5);
        let expected = whole.iter().filter(|lot| {
            let end = lot["expires_at"]
                .as_str()
                .map(|at| Timestamp::parse(at).unwrap());
            end.is_some_and(|end| (end.to_string() < middle) == is_before)
        });
        assert_eq!(some, expected.cloned().collect::<Vec<_>>(), "{filter}");
    }
}

#[test]
fn lots_need_an_asset_with_lots() {
    let app = TestApp::start();
    app.member("ada", 10);
    let ids = ids(&app);
    let path = format!(
        "/v1/participants/{}/balances/lots",
        participant(&app, &ids, "ada")
    );
    refused(&app, &path, 400, "bad_request");
    let simple = format!("{path}?asset_id={}", ids.asset);
    let message = refused(&app, &simple, 400, "bad_request");
    assert!(message.contains("/convert"), "{message}");
    let query = format!("asset_id={}&program_id={}", ids.asset, Uuid::nil());
    refused(&app, &format!("{path}?{query}"), 403, "forbidden");
    let other = format!("{path}?asset_id={}", Uuid::nil());
    refused(&app, &other, 404, "not_found");
    let unknown = format!(
        "/v1/participants/{}/statement?asset_id={}",
        Uuid::nil(),
        ids.asset
    );
    refused(&app, &unknown, 404, "not_found");
}

#[test]
fn the_ledger_summary_is_the_sum_of_the_log_in_any_period() {
    let app = started(5);
    let rows = rows(&app, None);
    let sum = |kinds: &[i64], from: i64, to: i64| -> i64 {
        let rows = rows.iter().filter(|row| kinds.contains(&row.entry));
        let rows = rows.filter(|row| (from..=to).contains(&row.at));
        let points = rows.map(|row| row.changes.iter().sum::<i64>());
        points.sum()
    };
    let far = i64::MAX;
    let path = "/v1/reports/ledger-summary";
    let row = app.get(path).expect(200)["data"][0].clone();
    let number = |row: &Value, field: &str| row[field].as_str().unwrap().parse::<i64>().unwrap();
    let total = sum(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12], 0, far);
    assert_eq!(number(&row, "current_balance"), total);
    assert_eq!(number(&row, "total_issued"), sum(&[1, 5, 10], 0, far));
    assert_eq!(number(&row, "total_redeemed"), -sum(&[2, 3, 12], 0, far));
    assert_eq!(number(&row, "total_expired"), -sum(&[6], 0, far));
    assert_eq!(number(&row, "total_forfeited"), -sum(&[4], 0, far));
    assert!(number(&row, "total_expired") > 0 && number(&row, "total_redeemed") > 0);
    assert_eq!(row["opening_balance"], Value::Null);
    let sql = "SELECT count(*) FROM wallet WHERE program_id = 1 AND (balance > 0 OR pending > 0)";
    let holders: i64 = app.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(row["participant_count"], holders);
    let all = [1, 2, 3, 4, 5, 6, 7, 10, 12];
    for index in (0..rows.len()).step_by(6) {
        let (from, to) = (rows[index].at, rows[(index * 2).min(rows.len() - 1)].at);
        let query = format!("{path}?from={}&to={}", text(from), text(to));
        let row = app.get(&query).expect(200)["data"][0].clone();
        for (field, kinds, sign) in [
            ("period_issued", &[1][..], 1),
            ("period_redeemed", &[2], -1),
            ("period_expired", &[6], -1),
            ("period_forfeited", &[4], -1),
            ("other_adjustments_net", &[3, 5, 10, 12], 1),
        ] {
            assert_eq!(number(&row, field), sign * sum(kinds, from, to), "{field}");
        }
        assert_eq!(number(&row, "opening_balance"), sum(&all, 0, from - 1));
        assert_eq!(number(&row, "closing_balance"), sum(&all, 0, to));
    }
    refused(
        &app,
        &format!("{path}?from=2026-06-01T00:00:00Z"),
        400,
        "bad_request",
    );
    refused(
        &app,
        &format!("{path}?program_id={}", Uuid::nil()),
        404,
        "not_found",
    );
}
