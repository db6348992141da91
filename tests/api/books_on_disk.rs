//! The saved books in the database, with which a start need not read the whole log, and the effect
//! of damage to them: a start that takes longer, and nothing else.

use std::path::PathBuf;

use rusqlite::Connection;
use serde_json::json;
use stampcard::books::parts::{Header, VERSION};
use stampcard::books::{Books, ProgramRecord, Record};
use stampcard::domain::{ExternalUserId, ProgramNumber, Seq};
use stampcard::service::{Loaded, open_read_only};

use crate::client::{cancel, credit, live, move_to, number};
use crate::figures_on_disk::verify;
use crate::support::TestApp;

/// Enough that the records of a few of them do not exceed half the base.
const MEMBERS: usize = 40;

/// A base and two deltas.
fn lived() -> TestApp {
    let app = TestApp::start();
    let offer = app.offer(json!({"pointsPrice": 3}));
    for member in 0..MEMBERS {
        app.member(&format!("member{member}"), 10);
    }
    live(&app, "PUT", "/v1/members/lea", &json!({"tier": "gold"})).expect(200);
    let redemption = app.redeem("member1", &offer);
    cancel(&app, &redemption).expect(200);
    let redemption = app.redeem("member2", &offer);
    move_to(&app, &redemption, "COMPLETED").expect(200);
    app.token("member3");
    let app = app.restart();
    credit(&app, "member4", 5);
    app.delete("/v1/members/member5").expect(200);
    let app = app.restart();
    app.put("/v1/members/late", &json!({"tier": "silver"}))
        .expect(200);
    app.delete("/v1/members/member6?erase=true").expect(200);
    app.redeem("member7", &offer);
    let mut app = app.restart();
    app.stop();
    let bases = "SELECT group_concat(is_base, '') = '100' FROM book_generation ORDER BY number";
    assert_eq!(number(&app, bases), 1, "a base and two deltas");
    app
}

fn connection(app: &TestApp) -> Connection {
    open_read_only(&app.database()).unwrap()
}

/// Checks that both have the same records and sums.
#[track_caller]
fn assert_same(loaded: &Books, folded: &Books, what: &str) {
    let mut records = loaded.records();
    for expected in folded.records() {
        let found = records.next().expect(what);
        assert_eq!(
            loaded.tier(found.tier),
            folded.tier(expected.tier),
            "{what}: {found:?}"
        );
        // The same tier may have another number.
        let found = Record {
            tier: expected.tier,
            ..found
        };
        assert_eq!(found, expected, "{what}");
    }
    assert_eq!(records.next(), None, "{what}");
    for (number, program) in folded.programs() {
        // A fold of the log does not compute the hash of the newest entry.
        let found = ProgramRecord {
            head: None,
            ..loaded.program(number)
        };
        assert_eq!(found, *program, "{what}: {number:?}");
    }
    assert_eq!(loaded.last_seq(), folded.last_seq(), "{what}");
}

/// Checks that the books of a start are those of the whole log, with every member's id.
#[track_caller]
fn check_load(app: &TestApp, what: &str) {
    let connection = connection(app);
    let loaded = Loaded::load(&connection).unwrap().books;
    let folded = Loaded::from_log(&connection).unwrap().books;
    assert!(folded.len() > MEMBERS);
    assert_same(&loaded, &folded, what);
    let sql = "SELECT id, program_id, external_user_id FROM member";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| row.try_into()).unwrap();
    for row in rows {
        let (number, program, id): (i64, i64, String) = row.unwrap();
        let id = ExternalUserId::parse("id", &id).unwrap();
        let found = loaded.find(ProgramNumber(program), &id);
        assert_eq!(found.expect(what).number.0, number, "{what}");
    }
    let erased = ExternalUserId::parse("id", "member6").unwrap();
    assert_eq!(loaded.find(ProgramNumber(1), &erased), None, "{what}");
}

/// A damaged file, from which servers start.
struct Patient {
    app: TestApp,
    copy: PathBuf,
}

impl Patient {
    fn new() -> Self {
        let app = lived();
        let copy = app.database().with_extension("copy");
        std::fs::copy(app.database(), &copy).unwrap();
        Self { app, copy }
    }

    /// Damages the file and loads it.
    #[track_caller]
    fn loads(&self, what: &str, damage: impl FnOnce(&TestApp)) {
        std::fs::copy(&self.copy, self.app.database()).unwrap();
        damage(&self.app);
        assert_eq!(verify(&self.app), Vec::<String>::new(), "{what}");
        check_load(&self.app, what);
    }

    /// Damages the file, starts a server on it that saves the books again, and starts another one.
    #[track_caller]
    fn survives(mut self, what: &str, damage: impl FnOnce(&TestApp)) -> Self {
        self.loads(what, damage);
        for _ in 0..2 {
            self.app = self.app.restart();
            credit(&self.app, "member8", 1);
            self.app.stop();
            assert_eq!(verify(&self.app), Vec::<String>::new(), "{what}, after");
            check_load(&self.app, what);
            let newest = "SELECT max(last_seq) = (SELECT max(seq) FROM activity)
                          FROM book_generation";
            assert_eq!(number(&self.app, newest), 1, "{what}: they are saved again");
            let loose = "SELECT count(*) FROM book_part
                         WHERE generation NOT IN (SELECT number FROM book_generation)";
            assert_eq!(
                number(&self.app, loose),
                0,
                "{what}: nothing is left behind"
            );
        }
        self
    }
}

fn run(app: &TestApp, sql: &str) {
    app.sqlite().execute_batch(sql).expect(sql);
}

#[test]
fn a_base_its_deltas_and_newer_rows_are_the_books_of_the_log() {
    let patient = Patient::new();
    let patient = patient.survives("nothing", |_| ());
    patient.survives("newer rows", |app| {
        // A delta is complete, or not there.
        run(app, "DELETE FROM book_generation WHERE number = 3");
    });
}

/// Kinds of damage after which servers start, as SQL.
const SURVIVED: &[&str] = &[
    // a missing part
    "DELETE FROM book_part WHERE generation = 1 AND number = 1",
    // a missing header: of the base, of a delta between others, and all of them
    "DELETE FROM book_generation WHERE is_base = 1",
    "DELETE FROM book_generation WHERE number = 2",
    "DELETE FROM book_generation",
    // a generation that was not finished
    "INSERT INTO book_part SELECT 4, number, checksum, data FROM book_part WHERE generation = 1",
    // deltas alone
    "DELETE FROM book_generation WHERE is_base = 1; DELETE FROM book_part WHERE generation = 1",
    // nothing
    "DELETE FROM book_generation; DELETE FROM book_part",
    // numbers at the end of their range
    "UPDATE book_generation SET number = 9223372036854775807 WHERE number = 3",
];

#[test]
fn servers_start_on_damaged_books_and_save_them_again() {
    let mut patient = Patient::new();
    for sql in SURVIVED {
        patient = patient.survives(sql, |app| run(app, sql));
    }
    patient = patient.survives("another version", |app| {
        put_headers(app, |header| header.version += 1);
    });
    patient.survives("newer than the log", |app| {
        put_headers(app, |header| header.last_seq.0 += 1000);
    });
}

/// A change of a header.
type Change = fn(&mut Header);

/// Replaces every header with another one and its correct checksum.
fn put_headers(app: &TestApp, change: impl Fn(&mut Header)) {
    let connection = app.sqlite();
    let sql = "SELECT number, version, is_base, last_seq, parts, records FROM book_generation";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| {
        Ok(Header {
            number: row.get(0)?,
            version: row.get(1)?,
            is_base: row.get(2)?,
            last_seq: Seq(row.get(3)?),
            parts: row.get(4)?,
            records: u64::try_from(row.get::<_, i64>(5)?).unwrap(),
        })
    });
    let headers: Vec<Header> = rows.unwrap().map(Result::unwrap).collect();
    assert!(headers.iter().all(|header| header.version == VERSION));
    for mut header in headers {
        let number = header.number;
        change(&mut header);
        let sql =
            "UPDATE book_generation SET number = ?1, version = ?2, is_base = ?3, last_seq = ?4,
                   parts = ?5, records = ?6, checksum = ?7 WHERE number = ?8";
        let row = (
            header.number,
            header.version,
            header.is_base,
            header.last_seq.0,
            header.parts,
            i64::try_from(header.records).unwrap(),
            header.checksum(),
            number,
        );
        connection.execute(sql, row).unwrap();
    }
}

#[test]
fn headers_that_fit_only_themselves_cost_only_time() {
    let patient = Patient::new();
    let changes: [(&str, Change); 8] = [
        ("one part more", |header| header.parts += 1),
        ("more parts than a table can have", |header| {
            header.parts = u32::MAX;
        }),
        ("one part less", |header| header.parts -= 1),
        ("no parts", |header| header.parts = 0),
        ("one record more", |header| header.records += 1),
        ("no base", |header| header.is_base = false),
        ("an older moment", |header| header.last_seq.0 -= 1),
        ("a moment before the log", |header| header.last_seq.0 = -5),
    ];
    for (what, change) in changes {
        patient.loads(what, |app| put_headers(app, change));
    }
    // A delta that claims to be a base lacks most members.
    std::fs::copy(&patient.copy, patient.app.database()).unwrap();
    put_headers(&patient.app, |header| header.is_base = true);
    check_load(&patient.app, "only bases");
    let lacks = |finding: &String| finding.ends_with(": the saved books lack it");
    assert!(verify(&patient.app).iter().any(lacks));
}

/// Kinds of damage, as SQL. Each is noticed or harmless.
const DAMAGES: &[&str] = &[
    "UPDATE book_generation SET checksum = checksum + 1",
    "UPDATE book_generation SET checksum = -1",
    "UPDATE book_generation SET checksum = checksum + 4294967296",
    "UPDATE book_generation SET version = version + 1",
    "UPDATE book_generation SET version = -1",
    "UPDATE book_generation SET is_base = 1 - is_base",
    "UPDATE book_generation SET is_base = 7 WHERE is_base = 0",
    "UPDATE book_generation SET last_seq = last_seq - 1",
    "UPDATE book_generation SET last_seq = last_seq | (1 << 62)",
    "UPDATE book_generation SET parts = parts + 1",
    "UPDATE book_generation SET parts = -1",
    "UPDATE book_generation SET records = -1",
    "UPDATE book_generation SET number = -number",
    "UPDATE book_generation SET number = number + 10 WHERE number > 1",
    "UPDATE book_part SET checksum = checksum + 1",
    "UPDATE book_part SET checksum = -1",
    "UPDATE book_part SET data = x''",
    "UPDATE book_part SET data = substr(data, 1, length(data) - 1)",
    "UPDATE book_part SET data = CAST(data || x'00' AS BLOB)",
    "UPDATE book_part SET number = number + 1 WHERE generation = 3 AND number = 1",
    "UPDATE book_part SET number = -1 WHERE number = 0",
    "UPDATE book_part SET generation = generation + 10",
    "DELETE FROM book_part WHERE generation = 3",
    "DELETE FROM book_part",
];

#[test]
fn damage_costs_only_time() {
    let patient = Patient::new();
    for sql in DAMAGES {
        patient.loads(sql, |app| run(app, sql));
    }
    for column in ["version", "last_seq", "parts", "records", "checksum"] {
        for bit in [0, 1, 7, 31, 32, 62] {
            let sql = format!(
                "UPDATE book_generation
                 SET {column} = ({column} | (1 << {bit})) - ({column} & (1 << {bit}))"
            );
            patient.loads(&sql, |app| run(app, &sql));
        }
    }
    for (place, bit) in [(0, 0), (9, 3), (100, 7), (usize::MAX, 6)] {
        let what = format!("bit {bit} of byte {place}");
        patient.loads(&what, |app| flip(app, place, bit));
    }
}

/// Flips one bit of every part.
fn flip(app: &TestApp, place: usize, bit: u8) {
    let connection = app.sqlite();
    let mut statement = connection
        .prepare("SELECT rowid, data FROM book_part")
        .unwrap();
    let rows = statement.query_map([], |row| row.try_into()).unwrap();
    let rows: Vec<(i64, Vec<u8>)> = rows.map(Result::unwrap).collect();
    assert!(rows.len() >= 6, "programs and records, three times");
    for (row, mut data) in rows {
        let place = place % data.len();
        data[place] ^= 1 << bit;
        let sql = "UPDATE book_part SET data = ?1 WHERE rowid = ?2";
        connection.execute(sql, (data, row)).unwrap();
    }
}

/// Wrong books with correct checksums are found by `verify`. This also shows that the saved books
/// are read at all.
#[test]
fn books_of_another_past_are_found_by_verify() {
    let app = lived();
    let mut other = TestApp::start();
    other.offer(json!({"pointsPrice": 3}));
    for member in 0..MEMBERS {
        let points = if member == 9 { 11 } else { 10 };
        other.member(&format!("member{member}"), points);
    }
    other.stop();
    let sql = format!(
        "ATTACH '{}' AS other;
         DELETE FROM book_generation; DELETE FROM book_part;
         INSERT INTO book_generation SELECT * FROM other.book_generation;
         INSERT INTO book_part SELECT * FROM other.book_part;",
        other.database().display()
    );
    run(&app, &sql);
    let findings = verify(&app);
    let expected = "member row 10, points received: the saved books say 11, the log says 10";
    assert!(findings.iter().any(|f| f == expected), "{findings:#?}");
    let expected = "program row 1, points received: the saved books say";
    assert!(
        findings.iter().any(|f| f.starts_with(expected)),
        "{findings:#?}"
    );
}

/// Saved books that the log cannot continue are ignored.
#[test]
fn a_log_that_does_not_follow_from_the_books_is_folded_as_a_whole() {
    let app = lived();
    // Other members than the log has.
    let mut other = TestApp::start();
    other.member("ada", 1);
    other.stop();
    let sql = format!(
        "ATTACH '{}' AS other;
         DELETE FROM book_generation; DELETE FROM book_part;
         INSERT INTO book_generation SELECT * FROM other.book_generation;
         INSERT INTO book_part SELECT * FROM other.book_part;",
        other.database().display()
    );
    run(&app, &sql);
    // Without the only member, who signed up before they were saved.
    put_headers(&app, |header| {
        header.parts = 1;
        header.records = 0;
    });
    let findings = verify(&app);
    let expected = "after the saved books, the activity log contradicts itself";
    assert!(
        findings.iter().any(|f| f.starts_with(expected)),
        "{findings:#?}"
    );
    check_load(&app, "another log");
}

#[test]
fn saved_books_contain_no_ids_of_members() {
    let app = lived();
    let connection = app.sqlite();
    let mut statement = connection.prepare("SELECT data FROM book_part").unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    let parts: Vec<Vec<u8>> = rows.map(Result::unwrap).collect();
    for part in parts {
        let is_in = |text: &[u8]| part.windows(text.len()).any(|window| window == text);
        assert!(!is_in(b"member"), "ids are not in the books");
    }
}
