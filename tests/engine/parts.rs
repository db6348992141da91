//! The form of the saved books, byte for byte: a database holds such parts, so that the bytes of a
//! fixed history change only together with [`VERSION`].

use data_encoding::HEXLOWER;
use stampcard::books::parts::{Generation, VERSION};
use stampcard::books::{Books, LotDates, Pick, Plan, Published, Record, Row};
use stampcard::domain::{
    AccountKey, Activity, AssetNumber, AssetSymbol, Bucket, BurnOrder, Entry, Event, Funding,
    InventoryMode, IssuancePolicy, MemberNumber, OfferNumber, Points, ProgramNumber,
    RedemptionNumber, Scale, Seq, Tier, Timestamp, Units,
};

/// The parts of the history below, by the version of their form.
const STORED: (u32, [&str; 2]) = (
    5,
    [
        "010a0822010707070707070707070707070707070707070707070707070707070707070707000001\
         9001a001000000",
        "00000204676f6c640673696c76657203020a00020000000000000000000000000000020a010c0000\
         01e8070002040000080000010001012800000000840e0a001a000001880ec8010604000014000000\
         01b009d8040505010001d80482c0e285e36801050001000290030000010003d80482c0e285e36803\
         80b083c59868010004900382b083c598680204010302c8010001050082c0e285e368028e01040a01\
         1e0000011200010200001e000000008c01840e0a001c0000017800010200001c0000000100000101\
         0100017882c0e285e3680000",
    ],
);

struct History {
    books: Books,
    seq: i64,
}

impl History {
    fn apply(&mut self, event: Event) {
        self.seq += 1;
        let activity = Activity {
            seq: Seq(self.seq),
            at: Timestamp::from_millis(1_780_000_000_000 + self.seq).unwrap(),
            program: Some(ProgramNumber(5)),
            event,
        };
        let row = Row {
            activity: &activity,
            jump: None,
            starts_chain: self.seq == 4,
            hash: Some([7; 32]),
            is_given: false,
        };
        self.books.apply(&row, |_| None).unwrap();
    }

    fn post(&mut self, member: i64, plan: impl FnOnce(&Record) -> Option<Plan>) {
        self.post_in(None, member, plan);
    }

    fn post_in(
        &mut self,
        asset: Option<i64>,
        member: i64,
        plan: impl FnOnce(&Record) -> Option<Plan>,
    ) {
        let (asset, member) = (asset.map(AssetNumber), MemberNumber(member));
        let record = self.books.account(AccountKey { asset, member }).unwrap();
        let plan = plan(&record).unwrap();
        self.apply(Event::of_entry(plan.entry_of(&record)));
    }
}

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

fn created(member: i64, tier: &str) -> Event {
    Event::MemberCreated {
        member: MemberNumber(member),
        tier: Tier::parse("tier", tier).unwrap(),
        cause: None,
    }
}

/// Members without points, with points, with a redemption and held points, with lots of every
/// kind of which some are announced to expire, and with points of a further asset; a wallet of the
/// program.
fn books() -> Books {
    let mut history = History {
        books: Books::default(),
        seq: 0,
    };
    for (member, tier) in [(1, "gold"), (2, "silver"), (900, "gold")] {
        history.apply(created(member, tier));
    }
    let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
    let held = Pick::all(Bucket::Held, BurnOrder::Fifo);
    history.post(2, |it| it.plan_mint(points(500), Bucket::Available, None));
    history.post(2, |it| it.plan(Entry::Hold, points(20), &pick));
    history.apply(Event::RedemptionCreated {
        member: MemberNumber(2),
        offer: OfferNumber(1),
        redemption: RedemptionNumber(1),
        charged: Points::ZERO,
        quantity: Units::ONE,
        first: true,
    });
    let at = |millis| Timestamp::from_millis(millis);
    let (soon, late) = (at(1_790_000_000_000), at(1_800_000_000_000));
    let dates = |expires_at, matures_at| {
        Some(LotDates {
            expires_at,
            matures_at,
        })
    };
    let lots = [
        (Bucket::Available, dates(late, None)),
        (Bucket::Available, dates(None, None)),
        (Bucket::Available, dates(late, soon)),
        (Bucket::Held, dates(soon, None)),
    ];
    for (bucket, dates) in lots {
        history.post(900, |it| it.plan_mint(points(300), bucket, dates));
    }
    history.post(900, |it| it.plan(Entry::Hold, points(400), &pick));
    history.post(900, |it| it.plan(Entry::Debit, points(100), &held));
    history.apply(Event::WalletExpiring {
        member: MemberNumber(900),
        amount: points(200),
        at: late.unwrap(),
        due_at: soon.unwrap(),
        balance: 200,
    });
    let dates = dates(late, None);
    history.post_in(Some(70), 900, |it| {
        it.plan_mint(points(60), Bucket::Available, dates)
    });
    history.post_in(Some(71), 2, |it| {
        it.plan_mint(points(9), Bucket::Available, None)
    });
    history.apply(Event::AssetCreated {
        asset: AssetNumber(72),
        mode: InventoryMode::Simple,
        burn_order: BurnOrder::Fifo,
        symbol: AssetSymbol::parse("symbol", "cups").unwrap(),
        scale: Scale::WHOLE,
        max_amount: None,
        policy: IssuancePolicy::Prefunded,
    });
    history.apply(Event::ProgramFunded(Funding {
        asset: Some(AssetNumber(72)),
        amount: points(80),
        balance: points(80),
        description: None,
    }));
    history.books
}

#[test]
fn the_bytes_of_a_version_of_the_saved_books_never_change() {
    let published = Published::new(books());
    let mut generation = Generation::begin(&published, true);
    let mut parts = Vec::new();
    while let Some(part) = generation.next_part(&published).unwrap() {
        parts.push(HEXLOWER.encode(&part.bytes));
    }
    assert_eq!(
        (VERSION, &parts[..]),
        (STORED.0, &STORED.1.map(str::to_owned)[..]),
        "Databases hold such parts: raise VERSION in src/books/parts/mod.rs"
    );
}
