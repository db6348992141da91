//! The whole server over HTTP, on histories of a thousand, a million and ten million events, beside
//! floors in the same run: a bare actix server that looks at the Authorization header and answers
//! a constant body, of the size of a summary or of the very size of our answer; a sketch of a
//! server that does nothing but durable credits; and a bare loop of durable commits.
//!
//! Server and load are pinned to a core each, and scenarios take turns in every round, so that a
//! ratio compares moments that lie close together. The load is wrk's (Debian: `wrk`), on loopback.
//! Run with `cargo bench --bench http`; `-- 1` makes one round instead of three, a word runs the
//! scenarios whose name has it, and `1k`, `1M` or `10M` as the first word that history alone.
//! docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::collections::HashSet;

use serde_json::json;

use self::support::floor::{Floor, commits_per_second};
use self::support::history::{History, Size};
use self::support::load::{Scenario, Seen, load, median_of};
use self::support::results::{Arguments, Results};
use self::support::sizes::{MILLION, TEN_MILLION, THOUSAND};
use self::support::{Client, PARTNER_KEY, Server, Target, floor, median};

/// Rounds whose medians the tables show.
const ROUNDS: usize = 3;
const SECONDS: u32 = 2;
const CLIENTS: [u32; 3] = [1, 64, 256];
/// Members that redeem, each with points enough.
const SPENDERS: u64 = 2_000;
const BARE: &str = "bare actix";
const SKETCH: &str = "sketch of a credit";

/// Something that is measured, and by what.
struct Arm {
    scenario: Scenario,
    target: Target,
    /// The name of the floor among the arms; a floor has none.
    floor: Option<String>,
    seen: Vec<Seen>,
}

fn main() {
    let mut arguments = Arguments::read(ROUNDS);
    if let Some([kind, ..]) = arguments.part("floor") {
        return floor::serve(kind);
    }
    let sizes = [THOUSAND, MILLION, TEN_MILLION];
    let only = sizes
        .iter()
        .find(|size| arguments.part(size.name).is_some());
    let only = only.map(|size| size.name);
    let chosen = arguments.without(only);
    let mut results = Results::new("http", &arguments);
    arguments = chosen;
    let floors = (Floor::constant(), Floor::sketch());
    for size in &sizes {
        if only.is_none_or(|only| only == size.name) {
            measure(size, &floors, &arguments, &mut results);
        }
    }
    let commits = (0..arguments.rounds).map(|_| commits_per_second());
    let commits = median(commits.collect());
    results.figure("commits", commits);
    results.table(
        "commits",
        format!(
            "Bare SQLite, the three statements of the sketch, 256 credits a commit with \
             `synchronous=FULL`: {commits:.0} credits/s.\n"
        ),
    );
    results.save();
}

/// All scenarios on one history, and a table of them.
fn measure(
    size: &Size,
    (constant, sketch): &(Floor, Floor),
    arguments: &Arguments,
    results: &mut Results,
) {
    let history = History::of(size);
    let (_folder, path) = history.copy();
    let server = Server::open_pinned("0", &path);
    let redeemed = furnish(&mut server.client(), &history);
    let mut table = String::from(
        "| answer | clients | requests/s | p50 | p99 | server's CPU a request | of its floor |\n\
         | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    for clients in CLIENTS {
        let mut arms = arms(&server, constant, sketch, &history, &redeemed);
        choose(&mut arms, arguments);
        for _ in 0..arguments.rounds {
            for arm in &mut arms {
                let seen = load(arm.target, &arm.scenario, clients, SECONDS);
                arm.seen.push(seen);
                if arm.scenario.name == REDEEM {
                    // A connection of its own: an idle one is closed after a while.
                    cancel_all(&mut server.client(), &redeemed);
                }
            }
        }
        for arm in &arms {
            table += &row(size, clients, arm, &arms, results);
        }
    }
    results.table(&format!("http-{}", size.name), table);
    let bytes = server.resident_bytes();
    results.figure(&format!("http.{}.resident", size.name), megabytes(bytes));
    results.table(
        &format!("http-{}-memory", size.name),
        format!(
            "Resident memory of the server at the end: {:.1} MB.\n",
            megabytes(bytes)
        ),
    );
}

/// Leaves those that words choose, and their floors.
fn choose(arms: &mut Vec<Arm>, arguments: &Arguments) {
    arms.retain(|arm| arm.floor.is_none() || arguments.wants(&arm.scenario.name));
    let floors: HashSet<String> = arms.iter().filter_map(|arm| arm.floor.clone()).collect();
    arms.retain(|arm| arm.floor.is_some() || floors.contains(&arm.scenario.name));
}

const REDEEM: &str = "redeem, or cancel that";

/// What is measured, each floor before those that it belongs to.
fn arms(
    server: &Server,
    constant: &Floor,
    sketch: &Floor,
    history: &History,
    redeemed: &[String],
) -> Vec<Arm> {
    let mut arms = Vec::new();
    let mut add = |scenario: Scenario, target: Target, floor: Option<&str>| {
        arms.push(Arm {
            scenario,
            target,
            floor: floor.map(str::to_owned),
            seen: Vec::new(),
        });
    };
    let ours = server.target();
    add(Scenario::get(BARE, "/"), constant.target(), None);
    let mut paths = vec!["/v1/analytics/summary".to_owned()];
    add(Scenario::get("summary", &paths[0]), ours, Some(BARE));
    let offers = "/v1/analytics/offers".to_owned();
    add(Scenario::get("offers", &offers), ours, Some(BARE));
    let report = "/v1/reports/program-activity".to_owned();
    add(Scenario::get("program activity", &report), ours, Some(BARE));
    let (from, to) = (history.day(100).to_string(), history.day(130).to_string());
    let partner = format!(
        "/partner/analytics?startDate={}&endDate={}",
        &from[..10],
        &to[..10]
    );
    let scenario = Scenario::get_with("partner analytics, 30 days", &partner, PARTNER_KEY);
    add(scenario, ours, Some(BARE));
    paths.extend([offers, report]);
    for (name, interval, first, last) in [
        ("timeseries, 30 days", "day", 100, 130),
        ("timeseries, 720 hours", "hour", 100, 130),
        ("timeseries, 12 months", "month", 1, 366),
    ] {
        let (from, to) = (history.day(first), history.day(last));
        let query = format!("from={from}&to={to}&interval={interval}");
        let path = format!("/v1/analytics/timeseries?{query}");
        let bytes = server.client().send("GET", &path, "").1.len();
        let same = format!("constant of {bytes} bytes");
        let scenario = Scenario::get(&same, &format!("/{bytes}"));
        add(scenario, constant.target(), None);
        add(Scenario::get(name, &path), ours, Some(&same));
        paths.push(path);
    }
    let of_members = [
        ("member", "/v1/members/m"),
        ("wallet", "/v1/wallet?externalUserID=m"),
        ("eligibility", "/v1/eligibility?externalUserID=m"),
    ];
    for (name, path) in of_members {
        let scenario = Scenario::get_member(name, path, history.members);
        add(scenario, ours, Some(BARE));
    }
    let members = history.members;
    let of_members = of_members.map(|(_, path)| path);
    let mixed = Scenario::mixed("mixed, 90 % reads", &paths, &of_members, members);
    add(mixed, ours, Some(BARE));
    let post = |name, path, fields| Scenario::post_member(name, path, fields, members);
    let credit = "/v1/wallet/credit";
    add(post(SKETCH, credit, ",\"amount\":1"), sketch.target(), None);
    add(post("credit", credit, ",\"amount\":1"), ours, Some(SKETCH));
    let spenders = members.min(SPENDERS);
    let redeem = Scenario::redeem_and_cancel(REDEEM, redeemed, spenders);
    add(redeem, ours, Some(SKETCH));
    let exchange = post("token exchange", "/v1/auth/exchange", "");
    add(exchange, ours, Some(SKETCH));
    arms
}

/// Offers that nobody took yet, and points for those who will.
fn furnish(client: &mut Client, history: &History) -> Vec<String> {
    for number in 0..history.members.min(SPENDERS) {
        let body = json!({"externalUserID": format!("m{number}"), "amount": 100_000});
        client.expect("POST", "/v1/wallet/credit", &body, 200);
    }
    let offers = (0..12).map(|number| {
        let body = json!({"title": format!("Redeemed {number}"), "pointsPrice": 10});
        let offer = client.expect("POST", "/v1/offers", &body, 201);
        offer["id"].as_str().unwrap().to_owned()
    });
    offers.collect()
}

/// Cancels what a round has left, so that the next one can redeem the same.
fn cancel_all(client: &mut Client, offers: &[String]) {
    loop {
        let path = "/v1/redemptions?status=SUBMITTED&limit=100";
        let page = client.get(path);
        let rows = page["redemptions"].as_array().unwrap();
        let ours = rows.iter().filter(|row| {
            let offer = row["offer"].as_str().unwrap();
            offers.iter().any(|id| id == offer)
        });
        let ids: Vec<_> = ours.map(|row| row["id"].as_str().unwrap()).collect();
        for id in &ids {
            let path = format!("/v1/redemptions/{id}/cancel");
            client.expect("POST", &path, &json!({}), 200);
        }
        if ids.is_empty() {
            return;
        }
    }
}

/// A line of the table; its figures are kept, too.
fn row(size: &Size, clients: u32, arm: &Arm, arms: &[Arm], results: &mut Results) -> String {
    let name = &arm.scenario.name;
    let rate = median_of(&arm.seen, |seen| seen.per_second);
    let p50 = median_of(&arm.seen, |seen| seen.p50_ms);
    let p99 = median_of(&arm.seen, |seen| seen.p99_ms);
    let cpu = median_of(&arm.seen, |seen| seen.cpu_us);
    let floor = arms
        .iter()
        .find(|other| Some(&other.scenario.name) == arm.floor.as_ref());
    let (ratio, of_p50) = match floor.map(|floor| &floor.seen) {
        None => (1.0, 1.0),
        Some(floor) => (
            rate / median_of(floor, |seen| seen.per_second),
            p50 / median_of(floor, |seen| seen.p50_ms),
        ),
    };
    let figures = [
        ("rate", rate),
        ("p50", p50),
        ("p99", p99),
        ("cpu", cpu),
        ("ratio", ratio),
        ("p50-ratio", of_p50),
    ];
    for (field, value) in figures {
        results.figure(
            &format!("http.{}.{clients}.{name}.{field}", size.name),
            value,
        );
    }
    let ratio = floor.map_or("floor".to_owned(), |_| format!("{ratio:.3}"));
    let times = format!("{p50:.2} ms | {p99:.2} ms | {cpu:.1} µs");
    format!("| {name} | {clients} | {rate:.0} | {times} | {ratio} |\n")
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
