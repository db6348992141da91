//! The books in parts: what a log that continues meanwhile leaves in them.

use std::collections::BTreeMap;

use stampcard::books::parts::{Generation, Header, Part, Replaced};
use stampcard::books::{Books, ProgramRecord, Published, Record, Row};
use stampcard::domain::{
    Activity, Entry, Event, LedgerEntry, MemberNumber, Points, ProgramNumber, Seq, Tier, Timestamp,
};

/// Every record by the member's number. All have the same tier.
fn contents(books: &Books) -> BTreeMap<i64, Record> {
    let records = books.records();
    records.map(|record| (record.number.0, record)).collect()
}

fn programs(books: &Books) -> BTreeMap<i64, ProgramRecord> {
    let all = books.programs();
    all.map(|(number, record)| (number.0, *record)).collect()
}

/// The parts of a generation of books that nobody changes meanwhile, and its header.
fn generation(published: &Published, is_base: bool) -> (Vec<Part>, Header) {
    let mut generation = Generation::begin(published, is_base);
    let mut parts = Vec::new();
    while let Some(part) = generation.next_part(published).unwrap() {
        parts.push(part);
    }
    let count = u32::try_from(parts.len()).unwrap();
    (parts, generation.header(1, count))
}

#[track_caller]
fn restore(books: &mut Books, parts: &[Part], header: Header) {
    let mut records = 0;
    for part in parts {
        records += books.restore_part(part).unwrap().records;
    }
    assert_eq!(records, header.records);
    books.restored_up_to(header.last_seq);
}

/// A log of sign-ups and credits, and the books that follow it.
struct Log {
    rows: Vec<Activity>,
    published: Published,
}

impl Log {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            published: Published::default(),
        }
    }

    fn append(&mut self, event: Event) {
        let activity = Activity {
            seq: Seq(i64::try_from(self.rows.len()).unwrap() + 1),
            at: Timestamp::EPOCH,
            program: Some(ProgramNumber(1)),
            event,
        };
        apply(&mut self.published.write(), &activity);
        self.rows.push(activity);
    }

    fn sign_up(&mut self, member: i64) {
        self.append(Event::MemberCreated {
            member: MemberNumber(member),
            tier: Tier::parse("tier", "standard").unwrap(),
            cause: None,
        });
    }

    fn credit(&mut self, member: i64) {
        self.append(Event::of_entry(LedgerEntry {
            member: MemberNumber(member),
            asset: None,
            entry: Entry::Mint,
            amount: Points::new(7).unwrap(),
            first: false,
            offer: None,
            redemption: None,
            reason: None,
            buckets: None,
        }));
    }

    /// Applies the rows after those that the books include.
    fn redo(&self, books: &mut Books) {
        let last = books.last_seq();
        let newer = self.rows.iter().filter(|row| row.seq > last);
        newer.for_each(|row| apply(books, row));
    }
}

fn apply(books: &mut Books, activity: &Activity) {
    let row = Row {
        activity,
        jump: None,
        starts_chain: false,
        hash: None,
        is_given: false,
    };
    books.apply(&row, |_| None).unwrap();
}

/// Members of several parts.
const MEMBERS: i64 = 10_000;

#[test]
fn writes_between_two_parts_are_neither_lost_nor_counted_twice() {
    let mut log = Log::new();
    for member in 1..=MEMBERS {
        log.sign_up(member);
    }
    let mut restored = Books::default();
    for is_base in [true, false] {
        let mut generation = Generation::begin(&log.published, is_base);
        let mut parts = Vec::new();
        while let Some(part) = generation.next_part(&log.published).unwrap() {
            parts.push(part);
            // Of chunks that are copied already, and of those that are not yet.
            for member in (1..=MEMBERS).step_by(997) {
                log.credit(member);
            }
            log.sign_up(MEMBERS + i64::try_from(log.rows.len()).unwrap());
        }
        assert!(!is_base || parts.len() > 3, "{}", parts.len());
        let header = generation.header(1, u32::try_from(parts.len()).unwrap());
        restore(&mut restored, &parts, header);
        assert!(header.last_seq < log.published.read().last_seq());
        let mut redone = Books::default();
        // Only of this generation, so that the next one is restored upon it as it is.
        if is_base {
            restore(&mut redone, &parts, header);
            log.redo(&mut redone);
            assert_eq!(contents(&redone), contents(&log.published.read()));
        }
    }
    log.redo(&mut restored);
    assert_eq!(contents(&restored), contents(&log.published.read()));
    assert_eq!(programs(&restored), programs(&log.published.read()));
}

#[test]
fn a_generation_of_replaced_books_ends() {
    let mut log = Log::new();
    for member in 1..=MEMBERS {
        log.sign_up(member);
    }
    let mut generation = Generation::begin(&log.published, true);
    assert!(generation.next_part(&log.published).unwrap().is_some());
    assert!(generation.next_part(&log.published).unwrap().is_some());
    let mut rebuilt = Books::default();
    log.redo(&mut rebuilt);
    *log.published.write() = rebuilt;
    assert_eq!(generation.next_part(&log.published), Err(Replaced));
}

#[test]
fn a_record_takes_about_thirty_bytes() {
    const MEMBERS: i64 = 20_000;
    let mut log = Log::new();
    for member in 1..=MEMBERS {
        log.sign_up(member);
    }
    let mut random = 1_u64;
    for _ in 0..10 * MEMBERS {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let member = i64::try_from(random >> 33).unwrap() % MEMBERS + 1;
        log.credit(member);
    }
    let (parts, header) = generation(&log.published, true);
    let bytes: usize = parts.iter().map(|part| part.bytes.len()).sum();
    let bytes = u64::try_from(bytes).unwrap();
    let each = bytes * 10 / header.records;
    assert!((150..350).contains(&each), "{each} tenths of a byte");
}
