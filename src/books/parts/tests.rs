use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::books::Row;
use crate::domain::{Activity, Entry, Event, LedgerEntry};

/// Every record by the member's number, each with the name of its tier, which may have another
/// number in other books.
fn contents(books: &Books) -> BTreeMap<i64, (Record, Option<Tier>)> {
    let all = books.records().map(|record| {
        let tier = books.tier(record.tier);
        let plain = Record {
            tier: TierNumber(0),
            ..record
        };
        (plain.number.0, (plain, tier))
    });
    all.collect()
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

/// Small numbers, extreme ones and others, up to `max`.
fn number(max: i64) -> impl Strategy<Value = i64> {
    prop_oneof![0..=max.min(40), Just(max), Just(max / 2), 0..=max]
}

fn record(tiers: Vec<TierNumber>) -> impl Strategy<Value = Record> {
    let seq = |max| prop::option::of(number(max).prop_map(|seq| Seq(seq.max(1))));
    let tier = prop::sample::select(tiers);
    let own = (number(NUMBER_MAX), number(NUMBER_MAX), tier);
    let applied = number(NUMBER_MAX).prop_map(|applied| applied.max(1));
    let rest = applied.prop_flat_map(move |applied| {
        (
            Just(applied),
            (seq(applied), seq(applied), seq(applied)),
            number(applied),
            number(NUMBER_MAX),
        )
    });
    let points = number(Points::MAX.get()).prop_flat_map(|all| (Just(all), number(all)));
    let flags = (any::<bool>(), any::<bool>(), any::<u32>());
    let end = prop::option::of(1..=253_402_300_799_999_i64);
    let count = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    let counts = prop::array::uniform7(count);
    (own, rest, points, flags, end, counts).prop_map(
        |((number, program, tier), rest, (received, spent), flags, end, counts)| {
            let (applied, (last, jump, far), version, entries) = rest;
            let mut redemptions = StatusCounts::default();
            for (status, count) in Status::ALL.into_iter().zip(counts) {
                redemptions.add(status, u64::from(count));
            }
            Record {
                number: MemberNumber(number),
                program: ProgramNumber(program),
                applied: Seq(applied),
                tier,
                is_archived: flags.0,
                has_participated: flags.1,
                wallet: Wallet {
                    received: Points::new(received).unwrap(),
                    spent: Points::new(spent).unwrap(),
                },
                account: Account {
                    last,
                    jump,
                    far,
                    entries: entries.unsigned_abs(),
                },
                version: Seq(version),
                token_epoch: flags.2,
                token_expires_at: end.and_then(Timestamp::from_millis),
                redemptions,
            }
        },
    )
}

/// Books whose list of tiers exists before their records.
fn with_tiers() -> (Books, Vec<TierNumber>) {
    let books = Books::default();
    let tiers = ["standard", "gold", "ünïcode tier"];
    let number = |tier: &&str| books.tier_list().number(&Tier::stored((*tier).to_owned()));
    let numbers = tiers.iter().map(number).collect();
    (books, numbers)
}

/// Adds records, except those that no log leads to: a member stays in one program, the points of a
/// wallet never decrease, and the sums of a program have a limit.
fn add(books: &mut Books, records: &[Record]) {
    for record in records {
        let is_later = |before: Record| {
            before.program == record.program
                && before.wallet.received <= record.wallet.received
                && before.wallet.spent <= record.wallet.spent
        };
        if books.record(record.number).is_none_or(is_later) && books.restore(record) {
            books.write(record);
        }
    }
}

proptest! {
    #[test]
    fn a_base_and_a_delta_restore_every_record(
        (first, second) in {
            let (_, tiers) = with_tiers();
            (vec(record(tiers.clone()), 0..60), vec(record(tiers), 0..20))
        },
        last in number(NUMBER_MAX),
    ) {
        let (mut books, _) = with_tiers();
        add(&mut books, &first);
        books.restored_up_to(Seq(last));
        let published = Published::new(books);
        let (base, base_header) = generation(&published, true);
        prop_assert_eq!(published.read().dirty_count(), 0);
        let mut restored = Books::default();
        restore(&mut restored, &base, base_header);
        prop_assert_eq!(contents(&restored), contents(&published.read()));
        prop_assert_eq!(programs(&restored), programs(&published.read()));
        prop_assert_eq!(restored.last_seq(), Seq(last));
        prop_assert_eq!(restored.dirty_count(), 0);

        add(&mut published.write(), &second);
        let changed = published.read().dirty_count();
        let (delta, header) = generation(&published, false);
        prop_assert_eq!(header.records, u64::try_from(changed).unwrap());
        restore(&mut restored, &delta, header);
        prop_assert_eq!(contents(&restored), contents(&published.read()));
        prop_assert_eq!(programs(&restored), programs(&published.read()));
    }

    #[test]
    fn random_bytes_are_refused_or_restored_but_never_a_panic(bytes in vec(any::<u8>(), 0..400)) {
        let checksum = crc32fast::hash(&bytes);
        take_in(Part { bytes, checksum });
    }

    #[test]
    fn changed_bytes_are_refused_or_restored_but_never_a_panic(
        records in vec(record(with_tiers().1), 1..20),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        end in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let (mut books, _) = with_tiers();
        add(&mut books, &records);
        let (parts, _) = generation(&Published::new(books), true);
        for mut part in parts {
            for (place, byte) in &changes {
                let place = place.index(part.bytes.len());
                part.bytes[place] = *byte;
            }
            if is_cut {
                part.bytes.truncate(end.index(part.bytes.len()));
            }
            let checksum = crc32fast::hash(&part.bytes);
            take_in(Part { checksum, ..part });
        }
    }
}

/// Takes in a part with any content, and reads all that it may have left in the books.
fn take_in(part: Part) {
    let mut books = Books::default();
    let restored = books.restore_part(&part);
    let damaged = Part {
        checksum: part.checksum ^ 1,
        ..part
    };
    assert_eq!(books.restore_part(&damaged), Err(Damaged::Checksum));
    let records: Vec<Record> = books.records().collect();
    if let Ok(restored) = restored {
        assert!(u64::try_from(records.len()).unwrap() <= restored.records);
    }
    for record in records {
        assert!((0..=NUMBER_MAX).contains(&record.number.0), "{record:?}");
        assert!(
            record
                .account
                .last
                .is_none_or(|last| last <= record.applied)
        );
        assert!(record.wallet.spent <= record.wallet.received);
    }
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
            tier: Tier::stored("standard".to_owned()),
        });
    }

    fn credit(&mut self, member: i64) {
        self.append(Event::of_entry(LedgerEntry {
            member: MemberNumber(member),
            entry: Entry::Mint,
            amount: Points::new(7).unwrap(),
            first: false,
            offer: None,
            redemption: None,
            reason: None,
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
