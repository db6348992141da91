//! `stampcard demo`.

use std::fs::File;
use std::io::{BufRead as _, BufReader, Read as _};
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Place, Server, request};

/// A hundredth of the usual history is enough to check that all parts exist.
pub(crate) const SMALL: [&str; 5] = ["demo", "--scale", "0.01", "--listen", "127.0.0.1:0"];

/// The first printed word that begins like this.
pub(crate) fn key(server: &Server, prefix: &str) -> String {
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
fn a_demo_prints_where_its_page_is_and_then_its_keys_the_main_ones_first() {
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
    assert_eq!(server.printed[0], format!("Open the dashboard at {page}"));
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

/// A new member can redeem one offer, another begins later, and one has all fields.
fn offers_can_be_tried(server: &Server, key: &str) {
    let listed = get(server, key, "/v1/offers?limit=100");
    let named = |title: &str| {
        let offers = listed["data"].as_array().unwrap();
        offers.iter().find(|offer| offer["title"] == title).unwrap()
    };
    let drink = named("A welcome drink");
    assert_eq!(
        (&drink["pointsPrice"], &drink["tiers"]),
        (&json!(0), &json!([]))
    );
    assert_eq!(drink["availability"]["isAvailable"], true);
    let later = named("Lantern night on the terrace");
    assert_eq!(later["availability"]["isAvailable"], false);
    assert!(later["availableFrom"].as_str() < later["availableUntil"].as_str());
    let sauna = named("Sauna evening for two");
    assert_eq!(
        sauna["redemptionLimit"],
        json!({"perMember": 2, "per": "open"})
    );
    assert_eq!(sauna["location"]["city"], "Turku");
    assert_eq!(sauna["inclusions"].as_array().unwrap().len(), 3);
}

/// The pilot draws its credits from a pool, and most of its members accepted the legal documents.
fn the_pilot_has_a_pool_and_terms(server: &Server, place: &Place) {
    let live = key(server, "expys_live_");
    let pool = get(server, &live, "/v1/balance");
    assert!(pool["balance"].as_i64() > Some(0), "{pool}");
    let minted = &get(server, &live, "/v1/analytics/summary")["pointsMinted"];
    assert_eq!(&pool["lifetimeSpent"], minted);
    for key in [live, key(server, "expys_sandbox_")] {
        let terms = get(server, &key, "/v1/terms");
        assert_eq!(terms["documents"].as_array().unwrap().len(), 2);
    }
    let sql = "SELECT count(DISTINCT member_id) FROM terms_acceptance";
    let count = place.sqlite().query_row(sql, [], |row| row.get(0));
    let (accepted, members): (i64, _) = (count.unwrap(), &summary(server)["memberCount"]);
    assert!(
        accepted > 10 && Some(accepted) < members.as_i64(),
        "{accepted} of {members}"
    );
}

/// From some day on the main program keeps its points in lots, and they mature and expire.
fn points_mature_and_expire(server: &Server, place: &Place) {
    let key = key(server, "expys_sandbox_");
    let asset = get(server, &key, "/v1/assets/default");
    assert_eq!(asset["inventory_mode"], "LOT");
    let program = get(server, &key, "/v1/programs/current");
    assert_eq!(program["expiry"], json!({"after": "P6M"}));
    assert_eq!(program["expiry_notice"], 14);
    let count = |condition: &str| {
        let sql = format!("SELECT count(*) FROM activity WHERE program_id = 1 AND {condition}");
        let count = place.sqlite().query_row(&sql, [], |row| row.get(0));
        let count: i64 = count.unwrap();
        count
    };
    let entries = [
        ("credited before", "entry = 1 AND lots IS NULL"),
        ("credited in lots", "entry = 1 AND lots IS NOT NULL"),
        ("put into lots", "entry = 11"),
        ("matured", "entry = 7"),
        ("expired", "entry = 6"),
        ("announced", "kind = 17"),
    ];
    for (what, condition) in entries {
        let count = count(condition);
        assert!(count > 10, "{count} entries of points that were {what}");
    }
    let sql = "SELECT m.external_user_id FROM activity a JOIN member m ON m.id = a.member_id
               WHERE a.entry = 6 AND m.archived_at IS NULL ORDER BY a.seq DESC LIMIT 1";
    let member = place.sqlite().query_row(sql, [], |row| row.get(0));
    let member: String = member.unwrap();
    let path = format!("/v1/wallet/transactions?limit=100&externalUserID={member}");
    let ledger = get(server, &key, &path);
    let mut rows = ledger["transactions"].as_array().unwrap().iter();
    assert!(rows.any(|row| row["reason"] == "expired"), "{ledger}");
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
    assert_eq!(offers["offers"].as_array().unwrap().len(), 14);
    offers_can_be_tried(&server, &main);
    points_mature_and_expire(&server, &place);
    the_pilot_has_a_pool_and_terms(&server, &place);
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
    // At this small scale a shop may have a month without customers.
    assert!(
        figures["organizationsWithActivity"].as_u64() >= Some(2),
        "{figures}"
    );
    assert!(
        figures["totalIdentifications"].as_u64() > Some(20),
        "{figures}"
    );
    assert_eq!(figures["creditsUsed"], figures["totalIdentifications"]);

    // Each of the thirteen months has data.
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
        // Today is left out: more of it has passed in the second one. Nothing says in which order
        // the events of different programs are written.
        let sql =
            "SELECT min(at), group_concat(coalesce(program_id, '') || ' ' || kind || ' ' || at
                        || ' ' || coalesce(member_id, '') || ' ' || coalesce(amount, '')
                        ORDER BY program_id, seq)
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
    let mut command = keeping(&place);
    command.args(["--speed", "10000"]);
    let server = place.start_as(command);
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
    command
        .env("TMPDIR", &temporary)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
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

/// Starts a demo in the background, and reads the first line that it prints: the link.
fn being_made(mut command: Command) -> (Child, BufReader<ChildStdout>, String) {
    let mut demo = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut printed = BufReader::new(demo.stdout.take().unwrap());
    let mut first = String::new();
    printed.read_line(&mut first).unwrap();
    let link = first.split_whitespace().last().unwrap().to_owned();
    (demo, printed, link)
}

fn terminate(mut demo: Child) {
    let kill = Command::new("kill").arg(demo.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(0));
}

#[test]
fn whoever_opens_a_demo_that_is_being_made_sees_how_far_it_is() {
    let place = Place::new();
    let mut command = place.on_database(&["demo", "--scale", "100", "--listen", "127.0.0.1:0"]);
    command.stderr(Stdio::null());
    let (demo, _printed, link) = being_made(command);
    let (base, key) = link.split_once("#key=").unwrap();
    let agent = crate::server::agent();
    let page = agent.get(base).header("Accept", "text/html,*/*").call();
    let mut page = page.unwrap();
    assert_eq!(page.status(), 503);
    assert_eq!(page.headers()["retry-after"], "1");
    assert_eq!(page.headers()["cache-control"], "no-store");
    let html = page.body_mut().read_to_string().unwrap();
    assert!(
        html.contains("The demo's history is being generated: "),
        "{html}"
    );
    assert!(!html.contains("{percent}") && html.contains(" %"), "{html}");
    // An API client receives the same error in the API's form.
    let summary = agent.get(format!("{base}v1/analytics/summary"));
    let mut answer = summary
        .header("Authorization", format!("Bearer {key}"))
        .call()
        .unwrap();
    assert_eq!(answer.status(), 503);
    let error: Value = answer.body_mut().read_json().unwrap();
    assert_eq!(error["error"]["code"], "OVERLOADED");
    let message = error["error"]["message"].as_str().unwrap();
    assert!(message.ends_with(" %"), "{message}");
    // Without a body, as HEAD requires; and a request with a body is accepted.
    assert_eq!(agent.head(base).call().unwrap().status(), 503);
    let write = agent.post(format!("{base}v1/offers"));
    assert_eq!(write.send("x".repeat(100_000)).unwrap().status(), 503);
    terminate(demo);
}

#[test]
fn the_page_of_a_demo_is_never_refused_and_opens_by_itself() {
    let place = Place::new();
    let mut command = keeping(&place);
    command.stderr(Stdio::null());
    let (demo, mut printed, link) = being_made(command);
    let (base, _) = link.split_once('#').unwrap();
    // Polls as the page does until the dashboard is ready.
    let (agent, start) = (crate::server::agent(), Instant::now());
    let page = loop {
        // While the server takes over, a connection may be closed, but none is refused.
        match agent.get(base).header("Accept", "application/json").call() {
            Ok(mut answer) if answer.status() == 200 => {
                break answer.body_mut().read_to_string().unwrap();
            }
            Ok(answer) => assert_eq!(answer.status(), 503),
            Err(ureq::Error::Io(error)) => {
                assert_ne!(error.kind(), std::io::ErrorKind::ConnectionRefused);
            }
            Err(error) => panic!("{error}"),
        }
        assert!(start.elapsed() < Duration::from_secs(50), "never ready");
        std::thread::sleep(Duration::from_millis(10));
    };
    assert!(page.contains("id=\"app\""), "{page}");
    terminate(demo);
    let mut rest = String::new();
    printed.read_to_string(&mut rest).unwrap();
    let address = base.trim_end_matches('/');
    let ready = format!("stampcard listening on {address}");
    assert_eq!(
        rest.lines().filter(|line| *line == ready).count(),
        1,
        "{rest}"
    );
    assert_eq!(rest.lines().last(), Some(ready.as_str()));
}

#[test]
fn a_demo_says_nothing_on_standard_error() {
    let place = Place::new();
    let log = place.path("stderr");
    let mut command = keeping(&place);
    command
        .args(["--speed", "10000"])
        // Whatever the limit of open files is here: the demo would warn about it.
        .env("STAMPCARD_SERVER__CONNECTIONS_MAX", "100")
        .stderr(File::create(&log).unwrap());
    let (demo, _printed, link) = being_made(command);
    let (base, key) = link.split_once("#key=").unwrap();
    let (agent, start) = (crate::server::agent(), Instant::now());
    let summary = || {
        let request = agent.get(format!("{base}v1/analytics/summary"));
        let answer = request.header("Authorization", format!("Bearer {key}"));
        let mut answer = answer.call().ok()?;
        let is_ready = answer.status() == 200;
        is_ready.then(|| answer.body_mut().read_json::<Value>().unwrap())
    };
    // Until it is ready, and then until there is an event.
    let mut first = None;
    while first.is_none() || first == summary() {
        assert!(start.elapsed() < Duration::from_secs(50), "nothing happens");
        first = first.or_else(summary);
        std::thread::sleep(Duration::from_millis(50));
    }
    terminate(demo);
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "");
}

#[test]
fn a_demo_takes_a_free_port_if_the_usual_one_is_taken() {
    let place = Place::new();
    let usual = SocketAddr::from(([127, 0, 0, 1], 8080));
    // If this fails another program uses the port, which is as good.
    let _taken = TcpListener::bind(usual);
    let server = place.start_as(place.command(&["demo", "--scale", "0.01"]));
    assert_ne!(server.address, usual);
    let link = format!("Open the dashboard at http://{}/#key=", server.address);
    assert!(server.printed[0].starts_with(&link), "{:?}", server.printed);
    assert!(
        server.printed[1].contains("127.0.0.1:8080"),
        "{:?}",
        server.printed
    );
    server.terminate();
}

#[test]
fn a_demo_on_a_chosen_address_that_is_taken_fails_at_once() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    std::fs::write(
        place.path("taken.toml"),
        format!("[server]\nlisten = \"{address}\"\n"),
    )
    .unwrap();
    let large = ["demo", "--scale", "100"];
    let mut by_flag = place.on_database(&large);
    by_flag.args(["--listen", &address]);
    let mut by_file = place.on_database(&large);
    by_file.args(["--config", "taken.toml"]);
    let mut by_variable = place.on_database(&large);
    by_variable.env("STAMPCARD_SERVER__LISTEN", &address);
    for command in [by_flag, by_file, by_variable] {
        let ended = place.run(command);
        assert!(ended.refusal().contains(&address), "{ended:?}");
        assert_eq!(place.names(), ["taken.toml"]);
    }
}

#[test]
fn life_in_a_demo_goes_on_at_the_pace_of_its_history() {
    const SPEED: f64 = 10_000.0;
    /// The live part of the demo: a day within some seconds.
    const SPAN: Duration = Duration::from_hours(24);
    let place = Place::new();
    let mut command = place.on_database(&["demo", "--scale", "0.03", "--listen", "127.0.0.1:0"]);
    command.args(["--speed", &SPEED.to_string()]);
    let server = place.start_as(command);
    let start = Instant::now();
    let ask = |sql: &str, between: [i64; 2]| -> i64 {
        let row = |row: &rusqlite::Row<'_>| row.get(0);
        place.sqlite().query_row(sql, between, row).unwrap()
    };
    let last = "SELECT max(at) FROM activity WHERE at BETWEEN ?1 AND ?2";
    let count = "SELECT count(*) FROM activity WHERE at > ?1 AND at <= ?2";
    let made_until = ask(last, [0, i64::MAX]);
    while start.elapsed().mul_f64(SPEED) < SPAN {
        std::thread::sleep(Duration::from_millis(10));
    }
    let lived = ask(count, [made_until, i64::MAX]);
    let story = i64::try_from(start.elapsed().mul_f64(SPEED).as_millis()).unwrap();
    server.terminate();
    // The same hours of the same weekdays in the last two weeks.
    let weeks = [7, 14].map(|days| {
        let from = made_until - days * 86_400_000;
        ask(count, [from, from + story])
    });
    let made = weeks.iter().sum::<i64>() / 2;
    assert!(made > 20, "{weeks:?}");
    assert!((made / 2..=made * 2).contains(&lived), "{lived}, {weeks:?}");
}

#[test]
fn a_scale_or_a_speed_that_makes_no_sense_is_refused() {
    let place = Place::new();
    for speed in ["0", "-1", "nan", "10001", "much"] {
        let ended = place.run(place.command(&["demo", &format!("--speed={speed}")]));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("0.1 to 10000"), "{}", ended.stderr);
    }
    for scale in ["0", "-1", "nan", "1000", "much"] {
        let ended = place.run(place.command(&["demo", &format!("--scale={scale}")]));
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.stderr.contains("0.01 to 100"), "{}", ended.stderr);
    }
}
