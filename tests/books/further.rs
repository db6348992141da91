//! Accounts in further assets, beside plain sums by member and asset: in the draft, in the
//! published books, and in those that are loaded from parts and the rows after them.

use std::collections::BTreeMap;

use fastrand::Rng;
use stampcard::books::parts::Generation;
use stampcard::books::{AssetRecord, Books, Draft, LotDates, Pick, Plan, Published, Record, Row};
use stampcard::domain::{
    AccountKey, Activity, AssetNumber, AssetSymbol, Bucket, BurnOrder, Due, Entry, Event, Funding,
    InventoryMode, IssuancePolicy, MemberNumber, Points, ProgramNumber, Scale, Seq, Tier,
    Timestamp, Wallet,
};

use super::disk::{restore, take};

/// The assets of each program; those with an even number are kept in lots.
const ASSETS: [(i64, &[Option<i64>]); 2] =
    [(1, &[None, Some(11), Some(12)]), (2, &[None, Some(22)])];
const MEMBERS: i64 = 6;
/// The assets that are credited from the wallet of their program.
const PREFUNDED: [(i64, Option<i64>); 2] = [(1, Some(12)), (2, None)];

fn points(points: i64) -> Points {
    Points::new(points).unwrap()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn program_of(member: i64) -> i64 {
    1 + member % 2
}

fn key(member: i64, asset: Option<i64>) -> AccountKey {
    AccountKey {
        asset: asset.map(AssetNumber),
        member: MemberNumber(member),
    }
}

fn has_lots(asset: Option<i64>) -> bool {
    asset.is_some_and(|asset| asset % 2 == 0)
}

/// Received, spent, held and pending, by member and asset.
type Sums = BTreeMap<(i64, Option<i64>), [i64; 4]>;

fn wallet([received, spent, held, pending]: [i64; 4]) -> Wallet {
    Wallet {
        received: points(received),
        spent: points(spent),
        held: points(held),
        pending: points(pending),
    }
}

struct World {
    rng: Rng,
    published: Published,
    draft: Draft,
    log: Vec<Activity>,
    sums: Sums,
    /// What the wallets of programs have.
    funds: BTreeMap<(i64, Option<i64>), i64>,
    now: i64,
    applied: u64,
    /// Credits that a wallet did not have the points for.
    short: u64,
}

fn row(activity: &Activity) -> Row<'_> {
    Row {
        activity,
        jump: None,
        starts_chain: false,
        hash: None,
        is_given: false,
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let published = Published::default();
        let mut world = Self {
            rng: Rng::with_seed(seed),
            draft: Draft::new(&published),
            published,
            log: Vec::new(),
            sums: Sums::new(),
            funds: PREFUNDED.map(|key| (key, 0)).into(),
            now: 1_000,
            applied: 0,
            short: 0,
        };
        world.prefund();
        for member in 1..=MEMBERS {
            let tier = Tier::parse("tier", "gold").unwrap();
            let event = Event::MemberCreated {
                member: MemberNumber(member),
                tier,
                cause: None,
            };
            world.apply(program_of(member), event);
        }
        world.publish();
        world
    }

    /// Creates the assets that are credited from wallets.
    fn prefund(&mut self) {
        let policy = IssuancePolicy::Prefunded;
        for (program, asset) in PREFUNDED {
            let event = match asset {
                Some(asset) => Event::AssetCreated {
                    asset: AssetNumber(asset),
                    mode: InventoryMode::Lot,
                    burn_order: BurnOrder::Fifo,
                    symbol: AssetSymbol::parse("symbol", "MI").unwrap(),
                    scale: Scale::WHOLE,
                    max_amount: None,
                    policy,
                },
                None => Event::AssetChanged {
                    asset: None,
                    mode: InventoryMode::Simple,
                    burn_order: BurnOrder::Fifo,
                    max_amount: None,
                    expires_at: None,
                    archived: None,
                    policy,
                },
            };
            self.apply(program, event);
        }
    }

    /// Puts points into a wallet, or takes some out of it.
    fn fund(&mut self) {
        let (program, asset) = PREFUNDED[self.rng.usize(..PREFUNDED.len())];
        let left = self.funds[&(program, asset)];
        let amount = self.rng.i64(1..150);
        let is_burned = self.rng.u8(..3) == 0 && amount <= left;
        let balance = if is_burned {
            left - amount
        } else {
            left + amount
        };
        self.funds.insert((program, asset), balance);
        let funding = Funding {
            asset: asset.map(AssetNumber),
            amount: points(amount),
            balance: points(balance),
            description: None,
        };
        let event = if is_burned {
            Event::ProgramBurned(funding)
        } else {
            Event::ProgramFunded(funding)
        };
        self.apply(program, event);
    }

    /// Takes the points of an entry from the wallet of a program, or returns them. Returns whether
    /// the wallet has them.
    fn pay(&mut self, member: i64, asset: Option<i64>, plan: &Plan) -> bool {
        let Some(left) = self.funds.get_mut(&(program_of(member), asset)) else {
            return true;
        };
        let amount = plan.amount.get();
        let issued = match plan.entry {
            Entry::Mint => amount,
            Entry::Debit => -amount,
            _ => 0,
        };
        if issued > *left {
            self.short += 1;
            return false;
        }
        *left -= issued;
        true
    }

    fn apply(&mut self, program: i64, event: Event) {
        let activity = Activity {
            seq: Seq(i64::try_from(self.log.len()).unwrap() + 1),
            at: time(self.now),
            program: Some(ProgramNumber(program)),
            event,
        };
        self.draft.apply(&row(&activity)).unwrap();
        self.log.push(activity);
        self.applied += 1;
    }

    fn publish(&mut self) {
        let last = Seq(i64::try_from(self.log.len()).unwrap());
        let mut books = self.published.write();
        self.draft.publish(&mut books, last);
        drop(books);
        self.published.advance(last);
        self.draft.clear();
    }

    fn account(&self, member: i64, asset: Option<i64>) -> Record {
        self.draft.account(key(member, asset)).unwrap()
    }

    /// Posts what a plan says, and adds it to the plain sums.
    fn post(&mut self, member: i64, asset: Option<i64>, plan: Plan) {
        let entry = plan.entry_of(&self.account(member, asset));
        assert_eq!(entry.asset, asset.map(AssetNumber));
        let (held, deferred) = entry
            .buckets
            .as_ref()
            .map_or((0, 0), |buckets| (buckets.held, buckets.deferred));
        let amount = entry.amount.get();
        let sums = self.sums.entry((member, asset)).or_default();
        match entry.entry {
            Entry::Mint => sums[0] += amount - deferred,
            Entry::Mature => sums[0] -= deferred,
            Entry::Debit | Entry::Forfeit | Entry::Expire => sums[1] += amount + deferred,
            _ => {}
        }
        sums[2] += held;
        sums[3] += deferred;
        self.apply(program_of(member), Event::of_entry(entry));
    }

    fn step(&mut self) {
        if self.rng.u8(..6) == 0 {
            return self.fund();
        }
        let member = self.rng.i64(1..=MEMBERS);
        let (_, assets) = ASSETS[usize::try_from(program_of(member) - 1).unwrap()];
        let asset = assets[self.rng.usize(..assets.len())];
        let record = self.account(member, asset);
        let available = Pick::all(Bucket::Available, BurnOrder::Fifo);
        let plan = match self.rng.u8(..8) {
            0..3 => {
                let amount = points(self.rng.i64(1..100));
                let end = self.now + self.rng.i64(1..20) * 1_000;
                let start = self.rng.bool().then_some(self.now + self.rng.i64(1..900));
                let dates = has_lots(asset).then(|| LotDates {
                    expires_at: self.rng.bool().then(|| time(end)),
                    matures_at: start.map(time),
                });
                record.plan_mint(amount, Bucket::Available, dates)
            }
            3 => record.plan(Entry::Debit, points(self.rng.i64(1..50)), &available),
            4 => record.plan(Entry::Hold, points(self.rng.i64(1..50)), &available),
            5 => {
                let held = Pick::all(Bucket::Held, BurnOrder::Fifo);
                record.plan(Entry::Release, points(self.rng.i64(1..50)), &held)
            }
            6 => record.plan_overdraft(points(self.rng.i64(1..50)), BurnOrder::Fifo),
            _ if self.rng.u8(..4) == 0 => record.plan_forfeit_all(),
            _ => None,
        };
        if let Some(plan) = plan
            && self.pay(member, asset, &plan)
        {
            self.post(member, asset, plan);
        }
    }

    /// Lets time pass, and does what is due, in order.
    fn pass(&mut self) {
        self.now += self.rng.i64(1..2_000);
        for (program, _) in ASSETS {
            let number = ProgramNumber(program);
            while let due = self.draft.due(number, time(self.now), 3)
                && !due.is_empty()
            {
                assert_eq!(due, self.expected_due(program, 3));
                for due in due {
                    let (member, asset) = (due.member.0, due.asset.map(|asset| asset.0));
                    let plan = self.account(member, asset).plan_due(due);
                    if let Some(plan) = plan {
                        self.post(member, asset, plan);
                    }
                }
            }
        }
    }

    fn expected_due(&self, program: i64, max: usize) -> Vec<Due> {
        let keys = self
            .sums
            .keys()
            .filter(|(of, _)| program_of(*of) == program);
        let dues = keys.flat_map(|(member, asset)| self.account(*member, *asset).dues(None));
        let mut dues: Vec<Due> = dues.filter(|due| due.at <= time(self.now)).collect();
        dues.sort_unstable();
        dues.truncate(max);
        dues
    }

    fn batch(&mut self) {
        let before = (self.sums.clone(), self.funds.clone());
        let length = self.log.len();
        for _ in 0..self.rng.usize(1..6) {
            let before = (self.sums.clone(), self.funds.clone());
            let length = self.log.len();
            self.draft.mark();
            for _ in 0..self.rng.usize(1..4) {
                self.step();
            }
            if self.rng.u8(..5) == 0 {
                self.draft.undo();
                self.log.truncate(length);
                (self.sums, self.funds) = before;
            }
            self.check_draft();
        }
        self.draft.mark();
        self.pass();
        self.check_draft();
        if self.rng.u8(..8) == 0 {
            self.draft.clear();
            self.log.truncate(length);
            (self.sums, self.funds) = before;
        } else {
            self.publish();
        }
        self.check_draft();
        self.check(&self.published.read());
    }

    fn check_draft(&self) {
        for ((program, asset), left) in &self.funds {
            let program = ProgramNumber(*program);
            let funds = match asset {
                None => self.draft.program(program).funds,
                Some(asset) => self.draft.asset(AssetNumber(*asset)).funds,
            };
            assert_eq!(funds, Some(points(*left)), "{program:?} {asset:?}");
        }
        for ((member, asset), sums) in &self.sums {
            let record = self.account(*member, *asset);
            assert_eq!(
                record.wallet,
                wallet(*sums),
                "member {member}, asset {asset:?}"
            );
        }
    }

    /// Compares books with the plain sums.
    fn check(&self, books: &Books) {
        let mut of_assets: BTreeMap<i64, AssetRecord> = BTreeMap::new();
        let mut further = 0;
        for ((member, asset), sums) in &self.sums {
            let record = books.account(key(*member, *asset)).unwrap();
            assert_eq!(
                record.wallet,
                wallet(*sums),
                "member {member}, asset {asset:?}"
            );
            // A debit of an empty account has no lots.
            assert!(record.lots.is_none() || has_lots(*asset), "member {member}");
            let Some(asset) = asset else { continue };
            further += 1;
            let accounts = books.accounts_of(MemberNumber(*member));
            let has = accounts
                .iter()
                .filter(|it| it.asset == Some(AssetNumber(*asset)));
            assert_eq!(has.count(), 1, "member {member}, asset {asset}");
            let all = of_assets.entry(*asset).or_default();
            let add = |sum: Points, more: i64| points(sum.get() + more);
            all.wallets = Wallet {
                received: add(all.wallets.received, sums[0]),
                spent: add(all.wallets.spent, sums[1]),
                held: add(all.wallets.held, sums[2]),
                pending: add(all.wallets.pending, sums[3]),
            };
            let balance = sums[0] - sums[1] - sums[2];
            all.holders += u64::from(balance > 0 || sums[2] > 0 || sums[3] > 0);
            all.overdrawn += (-balance).max(0);
        }
        for (asset, sums) in &mut of_assets {
            let funds = self.funds.iter().find(|((_, of), _)| *of == Some(*asset));
            sums.funds = funds.map(|(_, left)| points(*left));
        }
        for (program, _) in ASSETS {
            let left = self.funds.get(&(program, None));
            let funds = books.program(ProgramNumber(program)).funds;
            assert_eq!(funds, left.map(|left| points(*left)), "program {program}");
        }
        assert_eq!(books.further_records().count(), further);
        assert_eq!(books.len(), usize::try_from(MEMBERS).unwrap());
        for (asset, expected) in &of_assets {
            let asset = AssetNumber(*asset);
            assert_eq!(books.asset(asset), *expected, "{asset:?}");
            if let Some(expiries) = books.expiries_of_asset(asset) {
                let total = expected.wallets.total() + expected.overdrawn;
                assert_eq!(expiries.total().points, total, "{asset:?}");
            }
        }
    }
}

/// Histories with writes that are undone, batches that are lost, and starts from what was saved.
#[test]
fn accounts_in_further_assets_are_what_the_plain_sums_are() {
    let (mut redone, mut short) = (0, 0);
    for seed in 0..60 {
        let mut world = World::new(seed);
        let mut generations = Vec::new();
        for _ in 0..40 {
            world.batch();
            if world.rng.u8(..8) == 0 {
                let is_base = generations.is_empty();
                let mut generation = Generation::begin(&world.published, is_base);
                // Batches are published between the parts.
                let published = world.published.clone();
                let parts = take(&mut generation, &published, || world.batch());
                let number = i64::try_from(generations.len()).unwrap() + 1;
                let count = u32::try_from(parts.len()).unwrap();
                generations.push((generation.header(number, count), parts));
            }
        }
        let (mut loaded, last) = restore(&generations, |parts| world.rng.shuffle(parts));
        for activity in &world.log[usize::try_from(last.0).unwrap()..] {
            loaded.apply(&row(activity), |_| None).unwrap();
            redone += 1;
        }
        let mut folded = Books::default();
        for activity in &world.log {
            folded.apply(&row(activity), |_| None).unwrap();
        }
        for books in [&loaded, &folded] {
            world.check(books);
            let books: Vec<Record> = books.further_records().collect();
            let published: Vec<Record> = world.published.read().further_records().collect();
            assert_eq!(books, published);
        }
        short += world.short;
    }
    assert!(redone > 1_000, "{redone}");
    assert!(short > 100, "{short}");
}
