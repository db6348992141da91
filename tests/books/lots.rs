//! What happens to lots, case by case, and rows that the fold refuses.

use stampcard::books::{
    ContradictionKind, Draft, Grace, LotDates, Pick, Plan, Published, Record, Row, Taken,
};
use stampcard::domain::{
    Activity, Bucket, Buckets, BurnOrder, Cell, Cells as _, Column, Due, DueKind, Entry, Event,
    InventoryMode, Lot, LotMove, LotMoves, LotState, MemberNumber, Points, ProgramNumber, Seq,
    Tier, Timestamp,
};

const PROGRAM: ProgramNumber = ProgramNumber(1);
const ADA: MemberNumber = MemberNumber(1);

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

/// A program with some members.
struct Case {
    published: Published,
    draft: Draft,
    seq: i64,
    now: i64,
}

impl Case {
    fn new(members: i64) -> Self {
        let published = Published::default();
        let mut case = Self {
            draft: Draft::new(&published),
            published,
            seq: 0,
            now: 0,
        };
        for number in 1..=members {
            let (member, tier) = (MemberNumber(number), Tier::parse("tier", "gold").unwrap());
            let applied = case.apply(Event::MemberCreated {
                member,
                tier,
                cause: None,
            });
            applied.unwrap();
        }
        case
    }

    fn apply(&mut self, event: Event) -> Result<(), ContradictionKind> {
        let activity = Activity {
            seq: Seq(self.seq + 1),
            at: at(self.now),
            program: Some(PROGRAM),
            event,
        };
        let row = Row {
            activity: &activity,
            jump: None,
            starts_chain: false,
            hash: None,
            is_given: false,
        };
        self.draft.mark();
        match self.draft.apply(&row) {
            Ok(()) => self.seq += 1,
            Err(refused) => {
                self.draft.undo();
                return Err(refused.kind);
            }
        }
        Ok(())
    }

    fn publish(&mut self) {
        let mut books = self.published.write();
        self.draft.publish(&mut books, Seq(self.seq));
        drop(books);
        self.published.advance(Seq(self.seq));
        self.draft.clear();
    }

    fn of(&self, member: MemberNumber) -> Record {
        self.draft.record(member).unwrap()
    }

    fn ada(&self) -> Record {
        self.of(ADA)
    }

    fn post(&mut self, member: MemberNumber, plan: Plan) -> Option<LotMoves> {
        let lots = plan.buckets.as_ref().and_then(|it| it.lots.clone());
        let entry = plan.entry_of(&self.of(member));
        self.apply(Event::of_entry(entry)).unwrap();
        lots
    }

    fn mint(&mut self, amount: i64, expires_at: Option<i64>, matures_at: Option<i64>) {
        self.mint_for(ADA, amount, expires_at, matures_at);
    }

    fn mint_for(&mut self, who: MemberNumber, amount: i64, end: Option<i64>, start: Option<i64>) {
        let dates = LotDates {
            expires_at: end.map(at),
            matures_at: start.map(at),
        };
        let plan = self
            .of(who)
            .plan_mint(points(amount), Bucket::Available, Some(dates));
        self.post(who, plan.unwrap());
    }

    /// Takes available points, or moves them, the oldest first.
    fn take(&mut self, entry: Entry, amount: i64) -> Option<LotMoves> {
        let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
        let plan = self.ada().plan(entry, points(amount), &pick);
        self.post(ADA, plan.unwrap())
    }

    fn release(&mut self, amount: i64) {
        let pick = Pick::all(Bucket::Held, BurnOrder::Fifo);
        let plan = self.ada().plan(Entry::Release, points(amount), &pick);
        self.post(ADA, plan.unwrap());
    }

    fn refund(&mut self, amount: i64, taken: i64, lots: Option<&LotMoves>) {
        let taken = Taken {
            amount: points(taken),
            lots,
            restored: Points::ZERO,
            ..Taken::default()
        };
        let plan =
            self.ada()
                .plan_restore(Entry::Refund, points(amount), taken, InventoryMode::Lot);
        self.post(ADA, plan.unwrap());
    }

    /// Lets time pass, and does everything that is due.
    fn pass(&mut self, now: i64) -> Vec<Due> {
        self.now = now;
        let mut done = Vec::new();
        while let due = self.draft.due(PROGRAM, at(now), 2)
            && !due.is_empty()
        {
            for due in due {
                let plan = self.of(due.member).plan_due(due);
                self.post(due.member, plan.unwrap());
                done.push(due);
            }
        }
        done
    }

    /// The number and the points of each lot of a bucket.
    fn lots(&self, bucket: Bucket) -> Vec<(u32, i64)> {
        let record = self.ada();
        let lots = record.lots.iter().flat_map(|lots| &lots.live);
        let lots = lots.filter(|lot| lot.state.bucket() == bucket);
        lots.map(|lot| (lot.number, lot.remaining.get())).collect()
    }

    fn available(&self) -> Vec<(u32, i64)> {
        self.lots(Bucket::Available)
    }
}

#[test]
fn points_are_gone_at_the_time_of_their_expiry_and_usable_at_the_time_of_their_maturity() {
    let mut case = Case::new(1);
    case.mint(10, Some(1_000), None);
    case.mint(20, Some(3_000), Some(1_000));
    assert_eq!(case.pass(999), []);
    assert_eq!(case.ada().wallet.balance(), 10);
    assert_eq!(case.ada().wallet.pending, points(20));
    // A yearly grant is never counted twice: the new one comes first, and the old one goes.
    let kinds: Vec<DueKind> = case.pass(1_000).iter().map(|due| due.kind).collect();
    assert_eq!(kinds, [DueKind::Mature, DueKind::Expire]);
    assert_eq!(case.available(), [(2, 20)]);
    let wallet = case.ada().wallet;
    assert_eq!(wallet.balance(), 20);
    assert_eq!((wallet.received, wallet.spent), (points(30), points(10)));
    assert_eq!(case.pass(2_999), []);
    assert_eq!(case.pass(5_000).len(), 1);
    assert_eq!((case.ada().wallet.balance(), case.available()), (0, vec![]));
}

#[test]
fn what_matures_and_expires_while_nobody_looks_does_both_in_order() {
    let mut case = Case::new(2);
    case.mint(10, Some(3_000), Some(2_000));
    case.mint_for(MemberNumber(2), 5, Some(2_500), None);
    let expected = [
        (2_000, DueKind::Mature, 1),
        (2_500, DueKind::Expire, 2),
        (3_000, DueKind::Expire, 1),
    ];
    let expected = expected.map(|(time, kind, member)| Due {
        at: at(time),
        kind,
        asset: None,
        member: MemberNumber(member),
    });
    assert_eq!(case.draft.due(PROGRAM, at(9_000), 9), expected);
    case.publish();
    assert_eq!(case.draft.due(PROGRAM, at(9_000), 9), expected);
    assert_eq!(case.draft.due(PROGRAM, at(2_500), 9), expected[..2]);
    assert_eq!(case.draft.due(PROGRAM, at(9_000), 1), expected[..1]);
    assert_eq!(case.draft.next_due(PROGRAM), Some(at(2_000)));
    assert_eq!(case.draft.next_due(ProgramNumber(2)), None);
    assert_eq!(case.pass(9_000), expected);
    let wallet = case.ada().wallet;
    assert_eq!((wallet.balance(), wallet.received.get()), (0, 10));
}

#[test]
fn a_refund_restores_the_very_lots_the_last_one_first() {
    let mut case = Case::new(1);
    case.mint(10, Some(5_000), None);
    case.mint(10, Some(4_000), None);
    case.mint(10, None, None);
    let lots = case.take(Entry::Spend, 25);
    assert_eq!(case.available(), [(3, 5)]);
    case.refund(12, 25, lots.as_ref());
    assert_eq!(case.available(), [(2, 7), (3, 10)]);
    let second = Taken {
        amount: points(25),
        lots: lots.as_ref(),
        restored: points(12),
        ..Taken::default()
    };
    let plan = case
        .ada()
        .plan_restore(Entry::Refund, points(13), second, InventoryMode::Lot);
    case.post(ADA, plan.unwrap());
    assert_eq!(case.available(), [(1, 10), (2, 10), (3, 10)]);
    let dates: Vec<Option<Timestamp>> = case
        .ada()
        .lots
        .unwrap()
        .live
        .iter()
        .map(|lot| lot.expires_at)
        .collect();
    assert_eq!(dates, [Some(at(5_000)), Some(at(4_000)), None]);
}

#[test]
fn a_refund_after_the_expiry_is_restored_and_expires_at_once() {
    let mut case = Case::new(1);
    case.mint(10, Some(1_000), None);
    let lots = case.take(Entry::Spend, 10);
    assert_eq!(case.pass(2_000), []);
    case.refund(10, 10, lots.as_ref());
    assert_eq!(case.available(), [(1, 10)]);
    assert_eq!(case.draft.next_due(PROGRAM), Some(at(1_000)));
    assert_eq!(case.pass(2_000).len(), 1);
    assert_eq!((case.ada().wallet.balance(), case.available()), (0, vec![]));
}

/// Points whose time has passed come into a lot of their own, each time; the others come back.
#[test]
fn a_grace_is_the_new_life_of_points_that_are_restored_after_their_time() {
    let mut case = Case::new(1);
    case.mint(10, Some(1_000), None);
    case.mint(10, Some(3_000), None);
    let lots = case.take(Entry::Spend, 20);
    assert_eq!(case.pass(2_000), []);
    for (restored, amount, now) in [(0, 14, 2_000), (14, 2, 2_100)] {
        case.now = now;
        let taken = Taken {
            amount: points(20),
            lots: lots.as_ref(),
            restored: points(restored),
            grace: Some(Grace {
                at: at(now),
                expires_at: at(now + 500),
            }),
            ..Taken::default()
        };
        let plan =
            case.ada()
                .plan_restore(Entry::Refund, points(amount), taken, InventoryMode::Lot);
        case.post(ADA, plan.unwrap());
    }
    assert_eq!(case.available(), [(2, 10), (3, 4), (4, 2)]);
    let due = |time| Due {
        at: at(time),
        kind: DueKind::Expire,
        asset: None,
        member: ADA,
    };
    assert_eq!(case.pass(9_000), [2_500, 2_600, 3_000].map(due));
    assert_eq!((case.ada().wallet.balance(), case.available()), (0, vec![]));
}

#[test]
fn held_points_cannot_be_spent_and_do_not_expire() {
    let mut case = Case::new(1);
    case.mint(10, Some(1_000), None);
    case.take(Entry::Hold, 6);
    assert_eq!(case.ada().wallet.balance(), 4);
    assert_eq!(case.ada().wallet.held, points(6));
    let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
    assert_eq!(case.ada().plan(Entry::Spend, points(5), &pick), None);
    case.pass(2_000);
    assert_eq!(case.ada().wallet.balance(), 0);
    assert_eq!(case.lots(Bucket::Held), [(2, 6)]);
    // They do when they are released.
    case.release(6);
    assert_eq!(case.pass(2_000).len(), 1);
    assert_eq!((case.ada().wallet.balance(), case.available()), (0, vec![]));
}

#[test]
fn part_of_a_lot_keeps_its_age_when_it_was_held() {
    let mut case = Case::new(1);
    case.mint(10, None, None);
    case.mint(10, None, None);
    case.take(Entry::Hold, 4);
    case.release(4);
    assert_eq!(case.available(), [(1, 6), (2, 10), (3, 4)]);
    // All of the first lot goes before the second one.
    case.take(Entry::Spend, 11);
    assert_eq!(case.available(), [(2, 9)]);
    // A lot that is held as a whole keeps its number.
    case.take(Entry::Hold, 9);
    assert_eq!(case.lots(Bucket::Held), [(2, 9)]);
}

#[test]
fn a_negative_balance_is_repaid_by_the_next_credit() {
    let mut case = Case::new(1);
    case.mint(10, None, None);
    let plan = case.ada().plan_overdraft(points(25), BurnOrder::Fifo);
    case.post(ADA, plan.unwrap());
    assert_eq!(case.ada().wallet.balance(), -15);
    case.mint(5, Some(9_000), None);
    assert_eq!(
        (case.ada().wallet.balance(), case.available()),
        (-10, vec![])
    );
    case.mint(30, Some(9_000), None);
    assert_eq!(case.ada().wallet.balance(), 20);
    assert_eq!(case.available(), [(3, 20)]);
}

#[test]
fn a_member_without_lots_opens_them_with_the_points_of_the_account() {
    let mut case = Case::new(1);
    let plan = case.ada().plan_mint(points(10), Bucket::Available, None);
    case.post(ADA, plan.unwrap());
    assert_eq!(case.ada().lots, None);
    case.take(Entry::Hold, 3);
    assert_eq!(case.ada().lots, None);
    let plan = case.ada().plan_open(Some(at(1_000)));
    case.post(ADA, plan.unwrap());
    assert_eq!(case.ada().plan_open(None), None);
    assert_eq!(case.available(), [(1, 7)]);
    assert_eq!(case.lots(Bucket::Held), [(2, 3)]);
    assert!(
        case.ada()
            .lots
            .unwrap()
            .live
            .iter()
            .all(|lot| !lot.is_provisional())
    );
    assert_eq!(case.pass(1_000).len(), 1);
    assert_eq!(case.ada().wallet.balance(), 0);
}

#[test]
fn dates_that_a_lot_cannot_have_make_no_plan() {
    let ada = Case::new(1).ada();
    let mint = |bucket, expires_at: Option<i64>, matures_at: Option<i64>| {
        let dates = LotDates {
            expires_at: expires_at.map(at),
            matures_at: matures_at.map(at),
        };
        ada.plan_mint(points(10), bucket, Some(dates)).is_some()
    };
    let (available, held) = (Bucket::Available, Bucket::Held);
    assert!(mint(available, Some(0), None) && mint(available, None, Some(0)));
    assert!(mint(available, Some(6), Some(5)) && mint(held, Some(5), None));
    assert!(!mint(available, Some(-1), None) && !mint(available, None, Some(-1)));
    assert!(!mint(available, Some(5), Some(5)) && !mint(available, Some(4), Some(5)));
    assert!(!mint(held, None, Some(5)) && !mint(Bucket::Deferred, None, None));
    assert_eq!(ada.plan_mint(Points::ZERO, available, None), None);
    let mut case = Case::new(1);
    let plan = case.ada().plan_mint(points(10), available, None);
    case.post(ADA, plan.unwrap());
    assert_eq!(case.ada().plan_open(Some(at(-1))), None);
}

#[test]
fn a_credit_of_an_account_without_lots_has_no_further_column() {
    let case = Case::new(1);
    let plan = case.ada().plan_mint(points(10), Bucket::Available, None);
    let event = Event::of_entry(plan.unwrap().entry_of(&case.ada()));
    let mut row = stampcard::domain::Row::default();
    event.write(&mut row);
    let used = Column::ALL
        .into_iter()
        .filter(|it| row.cell(*it) != Cell::Null);
    let expected = [Column::Member, Column::Entry, Column::Amount, Column::Flag];
    assert_eq!(used.collect::<Vec<_>>(), expected);
}

/// The lot of a spend that is changed, and how the fold refuses it.
type Change = (fn(&mut LotMove), ContradictionKind);

fn part(moved: &mut LotMove) -> &mut stampcard::domain::LotPart {
    match moved {
        LotMove::Take { part, .. } | LotMove::Give { part, .. } | LotMove::Shift { part, .. } => {
            part
        }
        LotMove::Make { .. } => unreachable!("a spend makes no lot"),
    }
}

#[test]
fn rows_that_contradict_the_lots_are_refused() {
    use ContradictionKind as Kind;
    let mut case = Case::new(1);
    case.mint(10, Some(9_000), None);
    case.mint(10, None, None);
    let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
    let good = case.ada().plan(Entry::Spend, points(15), &pick).unwrap();
    let changes: [Change; 7] = [
        (|it| part(it).number = 9, Kind::LotUnknown(9)),
        (|it| part(it).number = 2, Kind::LotDiffers(2)),
        (|it| part(it).entry = 7, Kind::LotDiffers(1)),
        (|it| part(it).expires_at = None, Kind::LotDiffers(1)),
        (|it| part(it).amount = points(11), Kind::LotShort(1)),
        (|it| part(it).amount = points(9), Kind::LotsDiffer),
        (
            |it| {
                *it = LotMove::Give {
                    part: *part(it),
                    target: None,
                }
            },
            Kind::LotsDiffer,
        ),
    ];
    let before = case.ada();
    for (change, kind) in changes {
        let mut plan = good.clone();
        let buckets = plan.buckets.as_mut().unwrap();
        let mut moves: Vec<LotMove> = buckets.lots.as_ref().unwrap().iter().collect();
        change(&mut moves[0]);
        buckets.lots = Some(LotMoves::new(&moves));
        let event = Event::of_entry(plan.entry_of(&before));
        assert_eq!(case.apply(event), Err(kind), "{moves:?}");
        assert_eq!(case.ada(), before);
    }
    let mut plain = good.clone();
    plain.buckets = None;
    let event = Event::of_entry(plain.entry_of(&before));
    assert_eq!(case.apply(event), Err(Kind::LotsMissing));
    case.post(ADA, good);
}

/// A row of an entry with these moves.
fn entry(case: &Case, entry: Entry, amount: i64, buckets: Buckets) -> Event {
    let plan = Plan {
        entry,
        amount: points(amount),
        buckets: buckets.boxed(),
    };
    Event::of_entry(plan.entry_of(&case.ada()))
}

#[test]
fn other_contradictory_rows_are_refused() {
    use ContradictionKind as Kind;
    let made = |number, amount| LotMove::Make {
        number,
        amount: points(amount),
        bucket: Bucket::Available,
    };
    let lots = |moves: &[LotMove]| Buckets {
        lots: Some(LotMoves::new(moves)),
        ..Buckets::default()
    };
    let mut case = Case::new(1);
    let mint = |case: &Case, moves: &[LotMove]| entry(case, Entry::Mint, 10, lots(moves));
    for (moves, kind) in [
        (vec![made(2, 10)], Kind::LotNumber(2)),
        (vec![made(1, 9)], Kind::LotsDiffer),
        (vec![made(1, 10), made(2, 1)], Kind::LotsDiffer),
        (vec![], Kind::LotsDiffer),
        (vec![made(1, i64::MAX >> 10); 2_000], Kind::LotNumber(1)),
    ] {
        let event = mint(&case, &moves);
        assert_eq!(case.apply(event), Err(kind), "{moves:?}");
    }
    let event = mint(&case, &[made(1, 10)]);
    case.apply(event).unwrap();
    // An expiry before its time, a maturity of points that are available, and too early ones.
    let lot = case.ada().lots.unwrap().live[0];
    let take = LotMove::Take {
        part: lot.part(points(10)),
        from: Bucket::Available,
    };
    let event = entry(&case, Entry::Expire, 10, lots(&[take]));
    assert_eq!(case.apply(event), Err(Kind::LotsDiffer));
    case.mint(5, None, Some(1_000));
    let due = Due {
        at: at(1_000),
        kind: DueKind::Mature,
        asset: None,
        member: ADA,
    };
    let plan = case.ada().plan_due(due).unwrap();
    let event = Event::of_entry(plan.entry_of(&case.ada()));
    assert_eq!(case.apply(event.clone()), Err(Kind::LotsDiffer));
    case.now = 1_000;
    case.apply(event).unwrap();
    // Points that are not there.
    let released = Buckets {
        held: -3,
        ..lots(&[])
    };
    let event = entry(&case, Entry::Release, 3, released);
    assert_eq!(case.apply(event), Err(Kind::BucketNegative));
    let event = entry(&case, Entry::Debit, 16, lots(&[]));
    assert_eq!(case.apply(event), Err(Kind::BalanceNegative));
    let uncovered = Buckets {
        uncovered: points(2),
        ..lots(&[])
    };
    let event = entry(&case, Entry::Debit, 16, uncovered);
    assert_eq!(case.apply(event), Err(Kind::Uncovered));
}

#[test]
fn an_account_cannot_have_more_lots_than_are_supported() {
    let mut case = Case::new(1);
    let count = u32::try_from(Lot::COUNT_MAX).unwrap();
    let made = |number| LotMove::Make {
        number,
        amount: points(1),
        bucket: Bucket::Available,
    };
    // One entry that makes them all, as no request does.
    let mint = |case: &Case, numbers: std::ops::RangeInclusive<u32>| {
        let moves: Vec<LotMove> = numbers.map(made).collect();
        let buckets = Buckets {
            lots: Some(LotMoves::new(&moves)),
            ..Buckets::default()
        };
        entry(
            case,
            Entry::Mint,
            i64::try_from(moves.len()).unwrap(),
            buckets,
        )
    };
    let event = mint(&case, 1..=count + 1);
    assert_eq!(case.apply(event), Err(ContradictionKind::TooManyLots));
    let event = mint(&case, 1..=count);
    case.apply(event).unwrap();
    let event = mint(&case, count + 1..=count + 1);
    assert_eq!(case.apply(event), Err(ContradictionKind::TooManyLots));
}

/// The memory for each of many lots that nobody spends, and for lots that are spent at once.
#[test]
fn a_lot_takes_less_than_forty_eight_bytes_and_a_spent_one_leaves_nothing() {
    const MEMBERS: i64 = 100;
    const LOTS: i64 = 100;
    const DAY: i64 = 86_400_000;
    let mut case = Case::new(MEMBERS);
    case.publish();
    let bytes = |case: &Case| case.published.read().heap_bytes();
    let empty = bytes(&case);
    for lot in 0..LOTS {
        for number in 1..=MEMBERS {
            // A year later, each member at another time of the day.
            let end = (365 + lot) * DAY + number * 1_000;
            case.mint_for(MemberNumber(number), 5, Some(end), None);
        }
        case.publish();
    }
    let each = (bytes(&case) - empty) / usize::try_from(MEMBERS * LOTS).unwrap();
    assert!((32 + 8..48).contains(&each), "{each} bytes");
    let full = bytes(&case);
    for number in 1..=MEMBERS {
        let member = MemberNumber(number);
        let plan = case.of(member).plan_forfeit_all();
        case.post(member, plan.unwrap());
        case.publish();
    }
    // What each member keeps is not for each lot.
    let left = bytes(&case) - empty;
    assert!(left < (full - empty) / 10, "{left} of {full} bytes");
    assert_eq!(case.pass(900 * DAY), []);
    assert_eq!(case.published.read().next_due(PROGRAM), None);
}

#[test]
fn a_held_lot_says_which_entry_holds_it_and_whether_it_may_be_taken_back() {
    let mut case = Case::new(1);
    case.mint(10, None, None);
    let dates = Some(LotDates::default());
    let plan = case.ada().plan_mint(points(5), Bucket::Held, dates);
    case.post(ADA, plan.unwrap());
    case.take(Entry::Hold, 4);
    let lots = case.ada().lots.unwrap();
    let states: Vec<LotState> = lots.live.iter().map(|lot| lot.state).collect();
    let held = |by, is_provisional| LotState::Held {
        by,
        is_provisional,
        until: None,
    };
    assert_eq!(states, [LotState::Available, held(2, true), held(3, false)]);
    let origins: Vec<(u32, u32)> = lots.live.iter().map(|it| (it.origin, it.entry)).collect();
    assert_eq!(origins, [(1, 1), (2, 2), (1, 1)]);
    // A release cannot make provisional points the member's.
    let pick = Pick {
        bucket: Bucket::Held,
        order: BurnOrder::Fifo,
        admits: &|lot| lot.number == 2,
    };
    let plan = case.ada().plan(Entry::Release, points(5), &pick).unwrap();
    let event = Event::of_entry(plan.entry_of(&case.ada()));
    assert_eq!(case.apply(event), Err(ContradictionKind::LotsDiffer));
    let plan = case.ada().plan(Entry::Void, points(5), &pick).unwrap();
    case.post(ADA, plan);
    let wallet = case.ada().wallet;
    assert_eq!((wallet.received.get(), wallet.spent.get()), (15, 5));
    assert_eq!((wallet.balance(), wallet.held.get()), (6, 4));
}
