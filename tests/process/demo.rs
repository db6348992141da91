//! `stampcard demo`.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Place, Server, request};

/// A hundredth of the usual history is enough to see that all of it is there.
const SMALL: [&str; 5] = ["demo", "--scale", "0.01", "--listen", "127.0.0.1:0"];

/// The first word that was printed and begins so.
fn key(server: &Server, prefix: &str) -> String {
    let printed = server.printed.join(" ");
    let mut words = printed.split_whitespace();
    let key = words.find(|word| word.starts_with(prefix));
    key.unwrap_or_else(|| panic!("no {prefix} in {printed}"))
        .to_owned()
}

fn get(server: &Server, key: &str, path: &str) -> Value {
    let route = ("GET", path);
    let answer = request(
        &server.agent,
        server.address,
        key,
        route,
        None,
        &Value::Null,
    );
    answer.unwrap().expect(200)
}

/// The summary of the program whose key was printed first.
fn summary(server: &Server) -> Value {
    get(server, &key(server, "expys_"), "/v1/analytics/summary")
}

fn keeping(place: &Place) -> Command {
    let mut command = place.command(&SMALL);
    command.arg("--database").arg(place.database());
    command
}

#[test]
fn a_demo_prints_its_keys_the_main_ones_first_and_where_its_page_is() {
    let place = Place::new();
    let server = place.start_as(keeping(&place));
    let keys: Vec<&str> = server
        .printed
        .iter()
        .filter_map(|line| line.split_whitespace().find(|word| word.contains('_')))
        .filter(|word| !word.contains('#'))
        .collect();
    let prefixes = [
        "expys_sandbox_",
        "partner_sandbox_",
        "expys_live_",
        "partner_live_",
        "expys_sandbox_",
        "expys_sandbox_",
    ];
    assert_eq!(keys.len(), prefixes.len(), "{:?}", server.printed);
    for (key, prefix) in keys.iter().zip(prefixes) {
        assert!(key.starts_with(prefix), "{:?}", server.printed);
    }
    // The link signs in with the first of them.
    let page = format!("http://{}/#key={}", server.address, keys[0]);
    assert!(
        server.printed.last().unwrap().contains(&page),
        "{:?}",
        server.printed
    );
    for key in keys {
        let path = if key.starts_with("partner_") {
            "/partner/analytics"
        } else {
            "/v1/analytics/summary"
        };
        get(&server, key, path);
    }
    server.terminate();
}

#[test]
fn a_demo_has_figures_everywhere() {
    let place = Place::new();
    let server = place.start_as(keeping(&place));
    let main = key(&server, "expys_sandbox_");
    let shown = summary(&server);
    for figure in [
        "memberCount",
        "pointsMinted",
        "pointsSpent",
        "pointsRefunded",
    ] {
        assert!(shown[figure].as_u64() > Some(20), "{figure}: {shown}");
    }
    for status in ["completed", "canceled", "total"] {
        assert!(shown["redemptions"][status].as_u64() > Some(3), "{shown}");
    }
    let offers = get(&server, &main, "/v1/analytics/offers");
    assert_eq!(offers["offers"].as_array().unwrap().len(), 12);
    let reports = get(&server, &main, "/v1/reports/program-activity");
    assert_eq!(reports["data"][0]["program_name"], "Harbour & Pine Hotels");
    let live = get(
        &server,
        &key(&server, "expys_live_"),
        "/v1/analytics/offers",
    );
    assert_eq!(live["offers"].as_array().unwrap().len(), 2);
    let partner = key(&server, "partner_sandbox_");
    let figures = get(&server, &partner, "/partner/analytics");
    assert_eq!(figures["totalOrganizations"], 3);
    // At so small a scale a shop may have a month without anybody.
    assert!(
        figures["organizationsWithActivity"].as_u64() >= Some(2),
        "{figures}"
    );
    assert!(
        figures["totalIdentifications"].as_u64() > Some(20),
        "{figures}"
    );
    assert_eq!(figures["creditsUsed"], figures["totalIdentifications"]);

    // Every month of the thirteen has its part.
    let now: i64 = place
        .sqlite()
        .query_row("SELECT max(at) FROM activity", [], |row| row.get(0))
        .unwrap();
    for month in 0..13 {
        let end = now - month * 30 * 86_400_000;
        let sql = "SELECT count(*) FROM activity WHERE program_id = 1 AND at > ?1 AND at <= ?2";
        let count: i64 = place
            .sqlite()
            .query_row(sql, [end - 30 * 86_400_000, end], |row| row.get(0))
            .unwrap();
        assert!(count > 10, "{count} activities {month} months ago");
    }
    server.terminate();
    let ended = place.verify();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn two_demos_of_a_day_tell_the_same_story() {
    let history = || {
        let place = Place::new();
        place.start_as(keeping(&place)).terminate();
        // Today is left out: it has come further in the second one.
        let sql =
            "SELECT min(at), group_concat(coalesce(program_id, '') || ' ' || kind || ' ' || at
                        || ' ' || coalesce(member_id, '') || ' ' || coalesce(amount, ''))
                   FROM activity
                   WHERE at < (SELECT min(at) FROM activity) + 395 * 86400000";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        place.sqlite().query_row(sql, [], read).unwrap()
    };
    let (mut first, mut second) = (history(), history());
    if first.0 != second.0 {
        // It was midnight in between.
        (first, second) = (second, history());
    }
    assert!(first.1.len() > 10_000);
    assert!(first == second);
}

#[test]
fn life_goes_on_in_a_demo_until_it_is_stopped() {
    let place = Place::new();
    let server = place.start_as(keeping(&place));
    let activity = || {
        let sql = "SELECT count(*) FROM activity";
        let count: i64 = place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
        count
    };
    let (start, patience) = (Instant::now(), Duration::from_secs(50));
    let (before, shown) = (activity(), summary(&server));
    while activity() < before + 5 || summary(&server) == shown {
        assert!(
            start.elapsed() < patience,
            "nothing happens: {}",
            server.log()
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    let start = Instant::now();
    server.terminate();
    assert!(start.elapsed() < Duration::from_secs(10));
    let ended = place.verify();
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn a_demo_with_a_database_keeps_it_and_only_serves_it_the_next_time() {
    let place = Place::new();
    place.start_as(keeping(&place)).terminate();
    let rows = || {
        let sql = "SELECT count(*) FROM activity";
        let count: i64 = place.sqlite().query_row(sql, [], |row| row.get(0)).unwrap();
        count
    };
    let before = rows();
    let server = place.start_as(keeping(&place));
    assert_eq!(server.printed, Vec::<String>::new());
    server.terminate();
    assert_eq!(rows(), before);
}

#[test]
fn a_demo_without_a_database_leaves_nothing_behind() {
    let place = Place::new();
    std::fs::create_dir(place.path("temporary")).unwrap();
    let mut command = place.command(&SMALL);
    command.env("TMPDIR", place.path("temporary"));
    let server = place.start_as(command);
    assert!(summary(&server)["memberCount"].as_u64() > Some(20));
    let made = place.path("temporary").read_dir().unwrap().count();
    assert_eq!(made, 1);
    server.terminate();
    assert_eq!(place.path("temporary").read_dir().unwrap().count(), 0);
    assert_eq!(place.names(), ["temporary"]);
}

#[test]
fn a_demo_that_is_stopped_before_it_is_ready_leaves_nothing_behind_either() {
    let place = Place::new();
    let temporary = place.path("temporary");
    std::fs::create_dir(&temporary).unwrap();
    let mut command = place.command(&["demo", "--scale", "100", "--listen", "127.0.0.1:0"]);
    command.env("TMPDIR", &temporary).stderr(Stdio::null());
    let mut demo = command.spawn().unwrap();
    let start = Instant::now();
    let is_making = || {
        let folder = temporary.read_dir().unwrap().next();
        folder.is_some_and(|folder| folder.unwrap().path().join("demo.db-wal").exists())
    };
    while !is_making() && start.elapsed() < Duration::from_secs(50) {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = demo.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(demo.wait().unwrap().code(), Some(0));
    assert_eq!(temporary.read_dir().unwrap().count(), 0);
}

#[test]
fn a_scale_that_makes_no_sense_is_refused() {
    let place = Place::new();
    for scale in ["0", "-1", "nan", "1000", "much"] {
        let ended = place.run(place.command(&["demo", &format!("--scale={scale}")]));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("0.01 to 100"), "{}", ended.stderr);
    }
}
