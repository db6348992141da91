//! Every record is as it was when it is restored.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::books::parts::{Damaged, Generation, Header, Part};
use crate::books::rows::Records as _;
use crate::books::{AssetRecord, Books, Lots, Published};
use crate::domain::{AssetNumber, Bucket, Lot, LotState, Tier};

/// Every record by the member's number, each with the name of its tier, which may have another
/// number in other books.
fn contents(books: &Books) -> BTreeMap<(i64, Option<i64>), (Record, Option<Tier>)> {
    let all = books.records().chain(books.further_records());
    let all = all.map(|record| {
        let tier = books.tier(record.tier);
        let plain = Record {
            tier: TierNumber(0),
            ..record
        };
        let key = (plain.number.0, plain.asset.map(|asset| asset.0));
        (key, (plain, tier))
    });
    all.collect()
}

fn programs(books: &Books) -> BTreeMap<i64, ProgramRecord> {
    let all = books.programs().map(|(number, record)| (number.0, *record));
    all.collect()
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
    let points = (points, prop::option::of(lots()), 0..3_i64);
    let flags = (any::<bool>(), any::<bool>(), any::<u32>());
    let asset = prop_oneof![3 => Just(None), 1 => (1..4_i64).prop_map(Some)];
    let end = prop::option::of(1..=253_402_300_799_999_i64);
    let count = prop_oneof![Just(0), Just(u32::MAX), any::<u32>()];
    let counts = prop::array::uniform7(count);
    (own, rest, points, flags, end, counts, asset).prop_map(
        |((number, program, tier), rest, (points, lots, held), flags, end, counts, asset)| {
            let (applied, (last, jump, far), version, entries) = rest;
            let mut redemptions = StatusCounts::default();
            for (status, count) in Status::ALL.into_iter().zip(counts) {
                redemptions.add(status, u64::from(count));
            }
            let (received, spent) = points;
            let mut wallet = Wallet {
                received: Points::new(received).unwrap(),
                spent: Points::new(spent).unwrap(),
                held: Points::new(held).unwrap(),
                pending: Points::ZERO,
            };
            if let Some(lots) = &lots {
                wallet.held = lots.sum(Bucket::Held);
                wallet.pending = lots.sum(Bucket::Deferred);
                let available = lots.sum(Bucket::Available).get();
                // What is spent beyond that makes the balance negative.
                let beyond = if available == 0 { spent % 7 } else { 0 };
                wallet.spent = Points::new(spent % 1_000 + beyond).unwrap();
                let all = spent % 1_000 + available + wallet.held.get();
                wallet.received = Points::new(all).unwrap();
            }
            Record {
                number: MemberNumber(number),
                program: ProgramNumber(program),
                asset: asset.map(AssetNumber),
                applied: Seq(applied),
                tier,
                is_archived: flags.0,
                is_suspended: flags.2 % 2 == 1,
                has_participated: flags.1,
                wallet,
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
                lots: lots.map(Box::new),
            }
        },
    )
}

/// Some lots of small numbers of points.
fn lots() -> impl Strategy<Value = Lots> {
    let time = |millis| Timestamp::from_millis(millis).unwrap();
    let state = prop_oneof![
        Just(LotState::Available),
        (1..9_u32, any::<bool>()).prop_map(move |(by, is_provisional)| LotState::Held {
            by,
            is_provisional,
            // All lots that an entry holds are held until the same time.
            until: (by % 3 == 0 && !is_provisional).then(|| time(by.into())),
        }),
        (0..99_i64).prop_map(move |at| LotState::Deferred {
            matures_at: time(at)
        }),
    ];
    let end = || prop::option::of((99..253_402_300_799_999_i64).prop_map(time));
    let lot = (1..40_u32, 0..3_u32, any::<u32>(), 1..9_i64, end(), state);
    (vec(lot, 0..9), 0..3_u32, end()).prop_map(|(all, further, noticed_until)| {
        let (mut number, mut live) = (0, Vec::new());
        for (after, origin, entry, remaining, expires_at, state) in all {
            number += after;
            live.push(Lot {
                number,
                origin: number.saturating_sub(origin).max(1),
                entry: entry.max(1),
                remaining: Points::new(remaining).unwrap(),
                expires_at,
                state,
            });
        }
        Lots {
            made: (number + further).max(1),
            live,
            noticed_until,
        }
    })
}

/// Books whose list of tiers exists before their records.
fn with_tiers() -> (Books, Vec<TierNumber>) {
    let books = Books::default();
    let tiers = ["standard", "gold", "ünïcode tier"];
    let number = |tier: &&str| books.tier_list().number(&Tier::stored((*tier).to_owned()));
    let numbers = tiers.iter().map(number).collect();
    (books, numbers)
}

/// Adds records, except those that no log leads to: a member stays in one program, the points
/// of a wallet never decrease, and the sums of a program have a limit.
fn add(books: &mut Books, records: &[Record]) {
    for record in records {
        let is_later = |before: Record| {
            before.program == record.program
                && before.wallet.received <= record.wallet.received
                && before.wallet.spent <= record.wallet.spent
                && before.lots.is_none()
        };
        let before = books.stored(record.key());
        if before.is_none_or(is_later) && books.restore(record) {
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
    fn random_bytes_are_refused_or_restored_but_never_a_panic(
        bytes in vec(any::<u8>(), 0..400),
    ) {
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

#[test]
fn what_wallets_of_programs_have_is_restored_and_a_newer_generation_replaces_it() {
    let points = |points| Points::new(points);
    let funded = |last: i64, own: Option<Points>, asset: Option<Points>| {
        let mut books = Books::default();
        let program = ProgramRecord {
            last_entry: Some(Seq(last)),
            funds: own,
            ..ProgramRecord::default()
        };
        books.put_program(ProgramNumber(1), program);
        let asset = AssetRecord {
            funds: asset,
            ..AssetRecord::default()
        };
        books.put_asset(AssetNumber(7), asset);
        books.restored_up_to(Seq(last));
        Published::new(books)
    };
    let mut restored = Books::default();
    for (last, own, asset) in [
        (3, points(0), points(Points::MAX.get())),
        (4, points(Points::MAX.get()), points(0)),
        (5, None, points(1)),
    ] {
        let (parts, header) = generation(&funded(last, own, asset), last == 3);
        restore(&mut restored, &parts, header);
        assert_eq!(restored.program(ProgramNumber(1)).funds, own);
        assert_eq!(restored.asset(AssetNumber(7)).funds, asset);
    }
    for funds in [-1, Points::MAX.get() + 1] {
        let part = StoredPart {
            funds: vec![(7, funds)],
            ..StoredPart::default()
        };
        let bytes = postcard::to_allocvec(&part).unwrap();
        let checksum = crc32fast::hash(&bytes);
        let refused = restored.restore_part(&Part { bytes, checksum });
        assert_eq!(refused, Err(Damaged::Form));
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
    let records: Vec<Record> = books.records().chain(books.further_records()).collect();
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
        if let Some(lots) = &record.lots {
            assert_eq!(lots.sum(Bucket::Available), record.wallet.available());
        }
    }
}
