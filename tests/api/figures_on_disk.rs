//! The snapshot of the figures in the database, with which a start need not read the whole log, and
//! the effect of damage to it: a start that takes longer, and nothing else.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use stampcard::analytics::snapshot::Header;
use stampcard::domain::Seq;
use stampcard::domain::jump_depth;

use crate::client::{buckets, cancel, credit, live, millis, move_to, number, time};
use crate::support::{LIVE_KEY, NOW, SANDBOX_KEY, TestApp};

/// Entries in a closed block of a timeline.
const BLOCK: u64 = 128;

/// Every response with figures, byte for byte.
fn answers(app: &TestApp) -> Vec<String> {
    let now = app.clock.now().as_millis();
    let window = |from: i64, to: i64, rest: &str| {
        let (from, to) = (time(from), time(to));
        format!("/v1/analytics/timeseries?from={from}&to={to}&{rest}")
    };
    let start = millis(NOW);
    let mut paths = vec![
        "/v1/analytics/summary".to_owned(),
        "/v1/analytics/offers".to_owned(),
        window(start, now + 1, "interval=hour"),
        window(start - 1, now + 1, "interval=week&tz=Asia/Kathmandu"),
        window(start + 40_000, start + 90_001, "interval=hour"),
        window(start - 1_000_000_000, now + 1, "interval=day"),
        window(start, now + 1, "interval=hour").replace("timeseries", "members"),
    ];
    let offers = app.get("/v1/analytics/offers").expect(200)["offers"].clone();
    for row in offers.as_array().unwrap() {
        let offer = row["offerId"].as_str().unwrap();
        let rest = format!("interval=hour&offer={offer}");
        paths.push(window(start, now + 1, &rest));
    }
    let ask = |(path, key): (&String, &str)| {
        let answer = app.request("GET", path).bearer(key).send();
        format!("{} {:?}", answer.text(), answer.header("ETag"))
    };
    let of_sandbox = paths.iter().map(|path| (path, SANDBOX_KEY));
    let of_live = paths[..7].iter().map(|path| (path, LIVE_KEY));
    of_sandbox.chain(of_live).map(ask).collect()
}

/// Credits to a member by several clients concurrently, a millisecond apart or not.
fn credits(app: &TestApp, member: &str, count: u64) {
    const CLIENTS: u64 = 8;
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                for number in (client..count).step_by(usize::try_from(CLIENTS).unwrap()) {
                    credit(app, member, number % 97 + 1);
                    app.clock.advance(Duration::from_millis(number % 3 * 350));
                }
            });
        }
    });
}

/// Enough for closed blocks of more than one timeline, and some of every other kind of data.
fn busy() -> TestApp {
    let app = TestApp::start();
    let offer = app.offer(json!({"pointsPrice": 3}));
    app.offer(json!({}));
    app.member("ada", 0);
    app.member("bob", 50);
    credits(&app, "ada", 2 * BLOCK + 20);
    for _ in 0..3 {
        let redemption = app.redeem("bob", &offer);
        cancel(&app, &redemption).expect(200);
    }
    let redemption = app.redeem("ada", &offer);
    move_to(&app, &redemption, "COMPLETED").expect(200);
    app.delete("/v1/members/bob").expect(200);
    live(&app, "PUT", "/v1/members/lea", &json!({"tier": "gold"})).expect(200);
    app
}

/// Starts without the stored figures, so that the whole log is folded.
pub(crate) fn forget(app: &TestApp) {
    let sql = "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment";
    app.sqlite().execute_batch(sql).unwrap();
}

#[track_caller]
pub(crate) fn verify(app: &TestApp) -> Vec<String> {
    let connection = stampcard::service::open_read_only(&app.database()).unwrap();
    let report = stampcard::service::verify::verify(&connection, |_| ()).unwrap();
    report.findings
}

/// The contradictions in the figures, except for hashes that are missing from rows added by SQL.
pub(crate) fn verify_figures(app: &TestApp) -> Vec<String> {
    let mut findings = verify(app);
    findings.retain(|finding| {
        !finding.contains("does not follow the one before it")
            && !finding.contains("has another hash than the chain")
    });
    findings
}

#[test]
fn a_stop_leaves_the_figures_on_the_disk() {
    let mut app = busy();
    assert_eq!(number(&app, "SELECT count(*) FROM snapshot"), 0, "too soon");
    app.stop();
    assert_eq!(number(&app, "SELECT count(*) FROM snapshot"), 1);
    let newest = number(&app, "SELECT max(seq) FROM activity");
    assert_eq!(number(&app, "SELECT last_seq FROM snapshot"), newest);
    assert!(number(&app, "SELECT count(*) FROM snapshot_state") >= 1);
    let segments = "SELECT count(*) FROM snapshot_segment WHERE program_id = 1";
    assert!(number(&app, segments) >= 2, "minted and events at least");
    assert_eq!(verify(&app), Vec::<String>::new());
}

#[test]
fn a_start_from_the_disk_and_one_from_the_log_answer_the_same() {
    let mut app = busy();
    let before = answers(&app);
    app = app.restart();
    assert_eq!(answers(&app), before, "from the disk");
    app.stop();
    forget(&app);
    app = app.restart();
    assert_eq!(answers(&app), before, "from the log");
    assert_eq!(verify(&app), Vec::<String>::new());
}

/// The figures of the first stop, and rows added after them.
#[test]
fn newer_rows_are_folded_onto_what_is_on_the_disk() {
    let mut app = busy();
    app.stop();
    let copy = app.database().with_extension("copy");
    std::fs::copy(app.database(), &copy).unwrap();
    app = app.restart();
    credits(&app, "ada", BLOCK + 5);
    let offer = app.offer(json!({"pointsPrice": 2}));
    app.redeem("ada", &offer);
    app.put("/v1/members/eve", &json!({})).expect(200);
    let expected = answers(&app);
    app.stop();
    let older = format!(
        "ATTACH '{}' AS older;
         DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment;
         INSERT INTO snapshot SELECT * FROM older.snapshot;
         INSERT INTO snapshot_state SELECT * FROM older.snapshot_state;
         INSERT INTO snapshot_segment SELECT * FROM older.snapshot_segment;",
        copy.display()
    );
    app.sqlite().execute_batch(&older).unwrap();
    let rows = "SELECT max(seq) - (SELECT last_seq FROM snapshot) FROM activity";
    assert!(number(&app, rows) > i64::try_from(BLOCK).unwrap());
    assert_eq!(verify(&app), Vec::<String>::new());
    app = app.restart();
    assert_eq!(answers(&app), expected);
    app.stop();
    let newest = "SELECT max(seq) = (SELECT last_seq FROM snapshot) FROM activity";
    assert_eq!(
        number(&app, newest),
        1,
        "and they are kept with the next stop"
    );
    app = app.restart();
    assert_eq!(answers(&app), expected);
}

#[test]
fn several_stops_in_a_row_lose_nothing() {
    let mut app = busy();
    for round in 1..=4 {
        credits(&app, "ada", 60 * round);
        app.member(&format!("member{round}"), round);
        let before = answers(&app);
        app = app.restart();
        assert_eq!(answers(&app), before, "round {round}");
    }
    app.stop();
    assert_eq!(verify(&app), Vec::<String>::new());
    let states = "SELECT count(DISTINCT last_seq) FROM snapshot_state";
    assert_eq!(number(&app, states), 1, "older states are forgotten");
}

#[test]
fn the_figures_are_kept_while_it_runs() {
    let app = TestApp::start_with(|settings| settings.analytics.snapshot_interval = 1);
    app.member("ada", 5);
    let wait_for = |sql: &str| {
        let start = Instant::now();
        while number(&app, sql) == 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "never: {sql}");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let newest = "SELECT count(*) FROM snapshot
        WHERE last_seq = (SELECT max(seq) FROM activity)";
    wait_for(newest);
    credit(&app, "ada", 5);
    wait_for(newest);
}

#[test]
fn many_rows_are_kept_sooner() {
    let app = TestApp::start_with(|settings| {
        settings.analytics.snapshot_interval = 86_400;
        settings.analytics.snapshot_rows = 100;
    });
    app.member("ada", 0);
    credits(&app, "ada", 150);
    let start = Instant::now();
    while number(&app, "SELECT count(*) FROM snapshot") == 0 {
        assert!(start.elapsed() < Duration::from_secs(30));
        std::thread::sleep(Duration::from_millis(20));
    }
    let before = answers(&app);
    let app = app.restart();
    assert_eq!(answers(&app), before);
}

/// Kinds of damage, as SQL. Each is noticed or harmless.
const DAMAGES: &[&str] = &[
    // another header
    "UPDATE snapshot SET checksum = checksum + 1",
    "UPDATE snapshot SET checksum = checksum + 1099511627776",
    "UPDATE snapshot SET checksum = -1",
    "UPDATE snapshot SET last_seq = last_seq - 1",
    "UPDATE snapshot SET last_seq = last_seq + 1",
    "UPDATE snapshot SET last_seq = -last_seq",
    "UPDATE snapshot SET last_seq = last_seq | (1 << 62)",
    "UPDATE snapshot SET version = version + 1",
    "UPDATE snapshot SET version = version + 4294967296",
    "UPDATE snapshot SET version = -1",
    "UPDATE snapshot SET parts = parts + 1",
    "UPDATE snapshot SET parts = 0",
    "UPDATE snapshot SET parts = -1",
    // another state
    "UPDATE snapshot_state SET checksum = checksum + 1",
    "UPDATE snapshot_state SET checksum = -1",
    "UPDATE snapshot_state SET checksum = checksum + 4294967296",
    "UPDATE snapshot_state SET last_seq = last_seq + 1",
    "UPDATE snapshot_state SET data = x''",
    "UPDATE snapshot_state SET data = substr(data, 1, length(data) - 1)",
    "UPDATE snapshot_state SET data = CAST(data || x'00' AS BLOB)",
    "DELETE FROM snapshot_state",
    "INSERT INTO snapshot_state SELECT last_seq, part + 1, checksum, data FROM snapshot_state",
    // other segments
    "UPDATE snapshot_segment SET checksum = checksum + 1",
    "UPDATE snapshot_segment SET checksum = -1",
    "UPDATE snapshot_segment SET checksum = checksum + 4294967296",
    "UPDATE snapshot_segment SET data = x''",
    "UPDATE snapshot_segment SET data = substr(data, 1, length(data) - 8)",
    "UPDATE snapshot_segment SET number = number + 1",
    "UPDATE snapshot_segment SET number = -1",
    "UPDATE snapshot_segment SET number = number + 4294967296",
    "UPDATE snapshot_segment SET measure = measure + 256",
    "UPDATE snapshot_segment SET measure = -1 - measure",
    "UPDATE snapshot_segment SET offer_id = 99",
    "UPDATE snapshot_segment SET program_id = 99",
    "DELETE FROM snapshot_segment WHERE rowid = (SELECT min(rowid) FROM snapshot_segment)",
    "DELETE FROM snapshot_segment",
    // all of it
    "DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment",
];

/// Flips one bit in the middle of every blob of a table.
fn flip(app: &TestApp, table: &str, place: usize, bit: u8) {
    let connection = app.sqlite();
    let mut statement = connection
        .prepare(&format!("SELECT rowid, data FROM {table}"))
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let rows: Vec<(i64, Vec<u8>)> = rows.unwrap().map(Result::unwrap).collect();
    assert!(!rows.is_empty());
    for (row, mut data) in rows {
        let place = place % data.len();
        data[place] ^= 1 << bit;
        let sql = format!("UPDATE {table} SET data = ?1 WHERE rowid = ?2");
        connection.execute(&sql, (data, row)).unwrap();
    }
}

/// Damages the data that a stop left behind, starts, compares, writes and stops again.
struct Patient {
    app: TestApp,
    copy: PathBuf,
    expected: Vec<String>,
}

impl Patient {
    fn new() -> Self {
        let mut app = busy();
        credits(&app, "ada", 8 * BLOCK);
        let expected = answers(&app);
        app.stop();
        // Blocks of visits, and the newest of each member.
        let visits = "SELECT count(DISTINCT measure) FROM snapshot_segment WHERE measure > 126";
        assert!(number(&app, visits) > 2);
        let copy = app.database().with_extension("copy");
        std::fs::copy(app.database(), &copy).unwrap();
        Self {
            app,
            copy,
            expected,
        }
    }

    #[track_caller]
    fn survives(mut self, what: &str, damage: impl FnOnce(&TestApp)) -> Self {
        std::fs::copy(&self.copy, self.app.database()).unwrap();
        damage(&self.app);
        assert_eq!(verify(&self.app), Vec::<String>::new(), "{what}");
        self.app = self.app.restart();
        assert_eq!(answers(&self.app), self.expected, "{what}");
        credit(&self.app, "ada", 1);
        let after = answers(&self.app);
        self.app = self.app.restart();
        assert_eq!(answers(&self.app), after, "{what}, the start after");
        self.app.stop();
        assert_eq!(verify(&self.app), Vec::<String>::new(), "{what}, after");
        self
    }
}

#[test]
fn damage_costs_only_time() {
    let mut patient = Patient::new();
    for damage in DAMAGES {
        patient = patient.survives(damage, |app| {
            app.sqlite().execute_batch(damage).unwrap();
        });
    }
}

#[test]
fn a_flipped_bit_costs_only_time() {
    let mut patient = Patient::new();
    for table in ["snapshot_state", "snapshot_segment"] {
        for (place, bit) in [(0, 0), (9, 3), (100, 7), (usize::MAX, 6)] {
            let what = format!("bit {bit} of byte {place} of {table}");
            patient = patient.survives(&what, |app| flip(app, table, place, bit));
        }
    }
    for column in ["version", "last_seq", "parts", "checksum"] {
        for bit in [0, 1, 7, 31, 32, 62] {
            let sql = format!(
                "UPDATE snapshot SET {column} = ({column} | (1 << {bit})) - ({column} & (1 << {bit}))"
            );
            patient = patient.survives(&sql, |app| app.sqlite().execute_batch(&sql).unwrap());
        }
    }
}

/// Replaces the header with another one and its correct checksum.
fn put_header(app: &TestApp, change: impl FnOnce(&mut Header)) {
    let connection = app.sqlite();
    let sql = "SELECT version, last_seq, parts FROM snapshot";
    let mut header = connection
        .query_row(sql, [], |row| {
            Ok(Header {
                version: row.get(0)?,
                last_seq: Seq(row.get(1)?),
                parts: row.get(2)?,
            })
        })
        .unwrap();
    change(&mut header);
    let sql = "UPDATE snapshot SET version = ?1, last_seq = ?2, parts = ?3, checksum = ?4";
    let row = (
        header.version,
        header.last_seq.0,
        header.parts,
        header.checksum(),
    );
    connection.execute(sql, row).unwrap();
}

#[test]
fn a_header_that_fits_itself_alone_costs_only_time() {
    let patient = Patient::new();
    let patient = patient.survives("another version", |app| put_header(app, |h| h.version += 1));
    let patient = patient.survives("one part more", |app| put_header(app, |h| h.parts += 1));
    let patient = patient.survives("no parts", |app| put_header(app, |h| h.parts = 0));
    let patient = patient.survives("older", |app| put_header(app, |h| h.last_seq.0 -= 1));
    let patient = patient.survives("the state of another moment", |app| {
        put_header(app, |h| h.last_seq.0 -= 1);
        let sql = "UPDATE snapshot_state SET last_seq = last_seq - 1";
        app.sqlite().execute_batch(sql).unwrap();
    });
    patient.survives("newer than the log", |app| {
        put_header(app, |h| h.last_seq.0 += 1_000);
        let sql = "UPDATE snapshot_state SET last_seq = last_seq + 1000";
        app.sqlite().execute_batch(sql).unwrap();
    });
}

/// Wrong figures with correct checksums are found by `verify`.
#[test]
fn figures_of_another_past_are_found_by_verify() {
    let mut app = busy();
    app.stop();
    let copy = app.database().with_extension("copy");
    std::fs::copy(app.database(), &copy).unwrap();
    app = app.restart();
    credits(&app, "ada", 20);
    app.stop();
    let other = TestApp::start();
    // As many activities as the copy has, but different ones.
    let newest = number(&app, "SELECT max(seq) FROM activity");
    while number(&other, "SELECT max(seq) FROM activity") < newest {
        other.member(&format!("member{}", other.clock.now()), 0);
        other.clock.advance(Duration::from_millis(1));
    }
    let mut other = other;
    other.stop();
    let sql = format!(
        "ATTACH '{}' AS other;
         DELETE FROM snapshot; DELETE FROM snapshot_state; DELETE FROM snapshot_segment;
         INSERT INTO snapshot SELECT * FROM other.snapshot;
         INSERT INTO snapshot_state SELECT * FROM other.snapshot_state;
         INSERT INTO snapshot_segment SELECT * FROM other.snapshot_segment;",
        other.database().display()
    );
    app.sqlite().execute_batch(&sql).unwrap();
    let findings = verify(&app);
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0].contains("the snapshot"), "{findings:?}");
}

/// Adds a member with credits in the past, as an import does: one row every `gap` milliseconds.
pub(crate) fn import(app: &TestApp, member: &str, start: &str, gap: i64, credits: i64) {
    let mut connection = app.sqlite();
    let tx = connection.transaction().unwrap();
    let at = millis(start);
    tx.execute(
        "INSERT INTO member (program_id, external_user_id, tier, created_at)
         VALUES (1, ?1, 'standard', ?2)",
        (member, at),
    )
    .unwrap();
    let row = tx.last_insert_rowid();
    tx.execute(
        "INSERT INTO search_term (program_id, term, member_id) VALUES (1, ?1, ?2)",
        (member, row),
    )
    .unwrap();
    tx.execute(
        "INSERT INTO activity (at, program_id, kind, actor, member_id, to_state)
         VALUES (?1, 1, 1, 6, ?2, 'standard')",
        (at, row),
    )
    .unwrap();
    let sql = "UPDATE member SET version = last_insert_rowid() WHERE id = ?1";
    tx.execute(sql, [row]).unwrap();
    let mut entries: Vec<i64> = Vec::new();
    for number in 0..credits {
        let depth = jump_depth(number.unsigned_abs() + 1);
        let jump = depth
            .checked_sub(1)
            .map(|place| entries[usize::try_from(place).unwrap()]);
        tx.execute(
            "INSERT INTO activity (at, program_id, kind, actor, member_id, entry, amount, flag,
                 previous_seq, jump_seq, received_after, spent_after)
             VALUES (?1, 1, 4, 6, ?2, 1, 3, ?3, ?4, ?5, ?6, 0)",
            (
                at + number * gap,
                row,
                entries.is_empty(),
                entries.last(),
                jump,
                3 * (number + 1),
            ),
        )
        .unwrap();
        entries.push(tx.last_insert_rowid());
    }
    tx.commit().unwrap();
}

/// Sign-ups and minted points by plain SQL, for every hour of 2026 that has any.
fn by_sql(app: &TestApp, from: &str) -> Vec<(i64, i64, i64)> {
    let connection = app.sqlite();
    let sql = "SELECT (at - ?1) / 3600000 AS hour, count(*) FILTER (WHERE kind = 1),
            coalesce(sum(amount) FILTER (WHERE entry = 1), 0)
        FROM activity WHERE program_id = 1 AND (kind = 1 OR entry = 1) AND at >= ?1
        GROUP BY hour ORDER BY hour";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([millis(from)], |row| row.try_into());
    rows.unwrap().map(Result::unwrap).collect()
}

fn by_server(app: &TestApp, from: &str) -> Vec<(i64, i64, i64)> {
    let query = format!("from={from}&to=2026-06-30T00:00:00Z&interval=hour");
    let hours = (0..).zip(buckets(app, &query));
    hours
        .filter(|(_, bucket)| (bucket.signups, bucket.minted) != (0, 0))
        .map(|(hour, bucket)| (hour, bucket.signups, bucket.minted))
        .collect()
}

/// The imported rows lie before, between and exactly at the rows that the server wrote itself.
#[test]
fn what_an_import_added_to_the_past_stands_in_its_place() {
    const FROM: &str = "2026-05-20T00:00:00Z";
    for forgets in [true, false] {
        let mut app = busy();
        app.stop();
        import(&app, "old", "2026-05-20T00:00:00Z", 3_700_000, 150);
        import(&app, "near", NOW, 1_000, 40);
        import(&app, "older", "2026-05-28T08:15:00.123Z", 61_001, 300);
        if forgets {
            forget(&app);
        }
        assert_eq!(verify_figures(&app), Vec::<String>::new());
        app = app.restart();
        let expected = by_sql(&app, FROM);
        assert!(expected.len() > 100);
        assert_eq!(by_server(&app, FROM), expected);
        assert_eq!(app.summary()["memberCount"], 5);
        credit(&app, "older", 7);
        assert_eq!(app.balance("older"), 3 * 300 + 7);
        let (expected, before) = (by_sql(&app, FROM), answers(&app));
        assert_eq!(by_server(&app, FROM), expected, "time goes on from now");
        app = app.restart();
        assert_eq!(by_server(&app, FROM), expected, "after another start");
        assert_eq!(answers(&app), before);
        assert_eq!(app.balance("older"), 3 * 300 + 7);
        app.stop();
        assert_eq!(verify_figures(&app), Vec::<String>::new());
    }
}

/// A few rows in the past shift the entries of closed blocks but close no further one.
#[test]
fn blocks_that_shifted_are_kept_anew() {
    let mut app = busy();
    app.stop();
    import(&app, "old", "2026-06-01T00:00:00Z", 1_000, 5);
    app = app.restart();
    let expected = answers(&app);
    app = app.restart();
    assert_eq!(answers(&app), expected);
    credit(&app, "ada", 1);
    let expected = answers(&app);
    app = app.restart();
    assert_eq!(answers(&app), expected);
    app.stop();
    assert_eq!(verify_figures(&app), Vec::<String>::new());
}
