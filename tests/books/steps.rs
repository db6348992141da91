//! The steps of a write: each makes one row, applies it to the draft, and changes the maps in its
//! own way.

use std::rc::Rc;

use stampcard::books::{ContradictionKind, Row};
use stampcard::domain::{
    Account, Activity, Entry, Event, LedgerEntry, MemberNumber, OfferNumber, Points, ProgramNumber,
    RedemptionMove, RedemptionNumber, Seq, Status, Tier, Timestamp, Units, jump_depth,
};

use super::naive::{Chain, Name, Person};
use super::world::World;

/// The programs of most members. In the last, points come close to the largest number.
const PROGRAMS: std::ops::RangeInclusive<i64> = 1..=3;
const RICH: i64 = 3;
/// Programs that begin now and then, with a member.
const LATE: std::ops::RangeInclusive<i64> = 4..=60;
const MAX: i64 = 9_007_199_254_740_991;

/// A row of the log.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    pub(crate) activity: Activity,
    jump: Option<Seq>,
    starts_chain: bool,
    /// Of a ledger entry, any number of its own.
    hash: Option<[u8; 32]>,
    is_given: bool,
}

impl Logged {
    /// The row as it is written.
    pub(crate) fn written(&self) -> Row<'_> {
        Row {
            hash: self.hash,
            ..self.read()
        }
    }

    /// The row as it is read from the log, without its hash.
    pub(crate) fn read(&self) -> Row<'_> {
        Row {
            activity: &self.activity,
            jump: self.jump,
            starts_chain: self.starts_chain,
            hash: None,
            is_given: self.is_given,
        }
    }
}

fn tier(name: &str) -> Tier {
    Tier::parse("tier", name).unwrap()
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

impl World {
    /// The number of the next row.
    fn next_seq(&self) -> i64 {
        i64::try_from(self.log.len()).unwrap() + 1
    }

    pub(crate) fn row_of(&self, program: i64, event: Event) -> Logged {
        let seq = self.next_seq();
        Logged {
            activity: Activity {
                seq: Seq(seq),
                at: time(self.now.unwrap_or(1_780_000_000_000 + seq)),
                program: Some(ProgramNumber(program)),
                event,
            },
            jump: None,
            starts_chain: false,
            hash: None,
            is_given: self.is_given,
        }
    }

    /// Appends a row that must apply.
    pub(crate) fn append(&mut self, logged: Logged) {
        self.draft.apply(&logged.written()).unwrap();
        self.log.push(logged);
        self.tally.rows += 1;
    }

    /// Appends an event of a member, and the change that it means to the map.
    pub(crate) fn record(
        &mut self,
        number: i64,
        event: Event,
        change: impl FnOnce(&mut Person, i64),
    ) {
        let seq = self.next_seq();
        let logged = self.row_of(self.naive.people[&number].program, event);
        self.append(logged);
        let person = self.naive.person(number);
        person.applied = seq;
        change(person, seq);
        self.touched.people.insert(number);
    }

    /// One step of a write.
    pub(crate) fn step(&mut self) {
        let Some(number) = self.pick(|_| true) else {
            return self.sign_up();
        };
        if self.now.is_some() {
            // Their entries name lots, so that only some of the other steps are possible.
            return match self.rng.u8(..24) {
                0 => self.sign_up(),
                1 => self.change_tier(number),
                2 => self.redeem(number),
                _ => self.dated_step(number),
            };
        }
        self.plain_step(number);
    }

    fn plain_step(&mut self, number: i64) {
        let member = MemberNumber(number);
        let person = Rc::clone(&self.naive.people[&number]);
        match self.rng.u8(..100) {
            0..8 => self.sign_up(),
            8..40 => self.credit(number),
            40..50 => self.spend(number, Entry::Debit),
            50..58 => self.change_tier(number),
            58..62 => self.remove(number),
            62..66 if person.is_archived && !person.is_erased => self.restore(number),
            66..68 if !person.is_erased => self.erase(number),
            68..70 => self.record(number, Event::MemberChanged { member }, |person, seq| {
                person.version = seq;
            }),
            70..72 if !person.is_archived => {
                let suspended = !person.is_suspended;
                let event = Event::MemberStatusChanged { member, suspended };
                self.record(number, event, |person, seq| {
                    (person.is_suspended, person.version) = (suspended, seq);
                });
            }
            72..79 => self.exchange(number),
            79..86 => self.redeem(number),
            86..96 => self.move_redemption(number),
            _ => self.record_nothing(),
        }
    }

    /// A member, mostly one of a few who appear again and again.
    fn pick(&mut self, fits: impl Fn(&Person) -> bool) -> Option<i64> {
        let count = self.naive.people.len();
        let reach = if self.rng.bool() { count } else { count.min(6) };
        let skipped = self.rng.usize(..reach.max(1));
        let mut people = self.naive.people.iter();
        let found = people.nth(skipped).filter(|(_, person)| fits(person));
        found.map(|(number, _)| *number)
    }

    pub(crate) fn sign_up(&mut self) {
        let number = match self.rng.u8(..40) {
            0 => self.rng.i64(0..=1 << 53),
            // A little beyond the others, who reach it later.
            1 => self.naive.dense + self.rng.i64(2..50),
            2 => self.naive.dense + self.rng.i64(60_000..200_000),
            _ => self.naive.dense + 1,
        };
        if number == self.naive.dense + 1 {
            self.naive.dense += 1;
        }
        if self.naive.people.contains_key(&number) {
            return;
        }
        let programs = if self.rng.u8(..20) == 0 {
            LATE
        } else {
            PROGRAMS
        };
        let program = self.rng.i64(programs);
        let name = self.free_name(program);
        let tier_name = self.tier_name();
        let event = Event::MemberCreated {
            member: MemberNumber(number),
            tier: tier(&tier_name),
            cause: None,
        };
        let seq = self.next_seq();
        let logged = self.row_of(program, event);
        self.append(logged);
        self.draft.name(
            MemberNumber(number),
            ProgramNumber(program),
            &name.id(),
            None,
        );
        let person = Person {
            program,
            name,
            tier: tier_name,
            applied: seq,
            is_archived: false,
            is_suspended: false,
            is_erased: false,
            has_participated: false,
            received: 0,
            spent: 0,
            held: 0,
            pending: 0,
            purse: None,
            told: None,
            takings: Vec::new(),
            entries: Rc::default(),
            account: Account::default(),
            version: seq,
            removals: 0,
            token_end: None,
            redemptions: Vec::new(),
        };
        self.naive.people.insert(number, Rc::new(person));
        self.touched.people.insert(number);
        self.touched.names.insert((program, name));
    }

    /// An id that no member of the program has: a new one, one of another program, or one that
    /// an erased member had.
    fn free_name(&mut self, program: i64) -> Name {
        if self.rng.bool() {
            let known = self.rng.u32(..=self.names);
            let name = Name::User(known);
            if self.naive.find(program, name).is_none() {
                return name;
            }
        }
        self.names += 1;
        Name::User(self.names)
    }

    fn tier_name(&mut self) -> String {
        if self.rng.u8(..10) == 0 {
            return format!("tier {}", self.rng.u16(..));
        }
        let known = ["standard", "silver", "gold"];
        known[self.rng.usize(..known.len())].to_owned()
    }

    fn credit(&mut self, number: i64) {
        let program = self.naive.people[&number].program;
        let wanted = if program == RICH {
            self.rng.i64(1..1 << 50)
        } else {
            self.rng.i64(1..500)
        };
        let amount = wanted.min(MAX - self.naive.received(program));
        if amount > 0 {
            self.post(number, Entry::Mint, amount);
        }
    }

    fn spend(&mut self, number: i64, entry: Entry) {
        let balance = self.naive.people[&number].balance();
        if balance > 0 {
            let amount = self.rng.i64(1..=balance);
            self.post(number, entry, amount);
        }
    }

    fn ledger_event(number: i64, entry: Entry, amount: i64) -> Event {
        Event::of_entry(LedgerEntry {
            entry,
            amount: Points::new(amount).unwrap(),
            member: MemberNumber(number),
            asset: None,
            offer: None,
            redemption: None,
            first: false,
            reason: None,
            buckets: None,
        })
    }

    pub(crate) fn post(&mut self, number: i64, entry: Entry, amount: i64) {
        self.post_event(number, Self::ledger_event(number, entry, amount));
        let person = self.naive.person(number);
        if entry.is_credit() {
            person.received += amount;
        } else {
            person.spent += amount;
        }
        person.has_participated |= matches!(entry, Entry::Mint | Entry::Spend);
    }

    /// Posts a ledger entry. Its jump follows from the positions of the entries before it, and the
    /// account from the domain's own rule. The caller changes the person's points.
    pub(crate) fn post_event(&mut self, number: i64, event: Event) {
        let person = Rc::clone(&self.naive.people[&number]);
        let (program, entries) = (person.program, &person.entries);
        let jump_of = |seq: Seq| {
            let row = &self.log[usize::try_from(seq.0).unwrap() - 1];
            Ok::<_, ()>(row.jump)
        };
        let mut account = person.account.extended(jump_of).unwrap();
        let depth = jump_depth(u64::try_from(entries.len()).unwrap() + 1);
        let before = usize::try_from(depth).unwrap().checked_sub(1);
        assert_eq!(account.jump, before.map(|place| Seq(entries[place])));
        let mut logged = self.row_of(program, event);
        let seq = logged.activity.seq;
        account.last = Some(seq);
        logged.jump = account.jump;
        logged.starts_chain = self.naive.chained.insert(program);
        assert_eq!(
            self.draft.starts_chain(ProgramNumber(program)),
            logged.starts_chain
        );
        let mut hash = [0; 32];
        self.rng.fill(&mut hash);
        logged.hash = Some(hash);
        let start = self.naive.entries.get(&program).map(|chain| chain.start);
        let chain = Chain {
            start: start.filter(|_| !logged.starts_chain).unwrap_or(seq.0),
            last: seq.0,
            head: logged.hash,
        };
        self.naive.entries.insert(program, chain);
        self.append(logged);
        let person = self.naive.person(number);
        person.applied = seq.0;
        person.account = account;
        Rc::make_mut(&mut person.entries).push(seq.0);
        self.touched.people.insert(number);
    }

    fn change_tier(&mut self, number: i64) {
        let (from, to) = (self.naive.people[&number].tier.clone(), self.tier_name());
        let event = Event::MemberTierChanged {
            member: MemberNumber(number),
            from: tier(&from),
            to: tier(&to),
        };
        self.record(number, event, |person, seq| {
            (person.tier, person.version) = (to, seq);
        });
    }

    /// Removes a member, who forfeits the balance or keeps it.
    fn remove(&mut self, number: i64) {
        let balance = self.naive.people[&number].balance();
        let retained = self.rng.bool();
        if !retained && balance > 0 {
            self.post(number, Entry::Forfeit, balance);
        }
        let event = Event::MemberRemoved {
            member: MemberNumber(number),
            tier: tier(&self.naive.people[&number].tier),
            retained,
        };
        let is_given = self.is_given;
        self.record(number, event, |person, seq| {
            (person.is_archived, person.is_suspended) = (true, false);
            person.version = seq;
            person.removals += 1;
            person.token_end = person.token_end.filter(|_| is_given);
        });
    }

    fn restore(&mut self, number: i64) {
        let to = self.tier_name();
        let event = Event::MemberRestored {
            member: MemberNumber(number),
            tier: tier(&to),
        };
        self.record(number, event, |person, seq| {
            (person.tier, person.is_archived, person.version) = (to, false, seq);
        });
    }

    fn erase(&mut self, number: i64) {
        self.names += 1;
        let name = Name::Erased(self.names);
        let former = self.naive.people[&number].name;
        let program = self.naive.people[&number].program;
        let member = MemberNumber(number);
        let event = Event::MemberErased {
            member,
            id: name.id(),
        };
        self.record(number, event, |person, seq| {
            (person.name, person.is_erased, person.version) = (name, true, seq);
        });
        let (id, former_id) = (name.id(), former.id());
        self.draft
            .name(member, ProgramNumber(program), &id, Some(&former_id));
        self.touched
            .names
            .extend([(program, name), (program, former)]);
    }

    fn exchange(&mut self, number: i64) {
        // Version 0.1.0 did not log the end of a token.
        let end = self.rng.i64(1_780_000_000_000..1_790_000_000_000);
        let end = (!self.is_given).then_some(end);
        let event = Event::TokenExchanged {
            member: MemberNumber(number),
            identified: self.rng.bool(),
            credit: self.rng.bool(),
            expires_at: end.map(time),
        };
        self.record(number, event, |person, _| {
            person.token_end = person.token_end.max(end);
        });
    }

    /// Redeems an offer, mostly for points.
    fn redeem(&mut self, number: i64) {
        let event = Event::RedemptionCreated {
            member: MemberNumber(number),
            offer: OfferNumber(1),
            redemption: RedemptionNumber(self.next_seq()),
            charged: Points::ZERO,
            quantity: Units::ONE,
            first: false,
        };
        self.record(number, event, |person, _| person.redemptions.push(0));
        if self.now.is_none() && self.rng.u8(..4) > 0 {
            self.spend(number, Entry::Spend);
        }
    }

    /// Moves a redemption to any other status, also to those that a domain rule would refuse.
    fn move_redemption(&mut self, number: i64) {
        let count = self.naive.people[&number].redemptions.len();
        if count == 0 {
            return self.redeem(number);
        }
        let place = self.rng.usize(..count);
        let from = self.naive.people[&number].redemptions[place];
        let to = self.rng.usize(1..Status::ALL.len());
        let event = move_event(number, from, to);
        self.record(number, event, |person, _| person.redemptions[place] = to);
        let program = self.naive.people[&number].program;
        let room = MAX - self.naive.received(program);
        if Status::ALL[to] == Status::Canceled && room > 0 {
            let amount = self.rng.i64(1..=room.min(100));
            self.post(number, Entry::Refund, amount);
        }
    }

    /// A row that changes no record.
    fn record_nothing(&mut self) {
        let event = if self.rng.bool() {
            Event::OfferChanged {
                offer: OfferNumber(1),
                stock: None,
            }
        } else {
            Event::RedemptionChanged {
                member: MemberNumber(1),
                offer: OfferNumber(1),
                redemption: RedemptionNumber(1),
                start_at: None,
                end_at: None,
            }
        };
        let program = self.rng.i64(PROGRAMS);
        let logged = self.row_of(program, event);
        self.append(logged);
    }

    /// Applies a row that contradicts those before it, and checks why it is refused. Returns false
    /// if nothing can be contradicted yet.
    pub(crate) fn contradict(&mut self) -> bool {
        let Some((member, program, event, kind)) = self.contradiction() else {
            return false;
        };
        let logged = self.row_of(program, event);
        let refused = self.draft.apply(&logged.written()).unwrap_err();
        assert_eq!(
            (refused.seq, refused.member, refused.kind),
            (logged.activity.seq, Some(MemberNumber(member)), kind)
        );
        *self
            .tally
            .contradictions
            .entry(kind.to_string())
            .or_default() += 1;
        self.touched.people.insert(member);
        true
    }

    fn contradiction(&mut self) -> Option<(i64, i64, Event, ContradictionKind)> {
        use ContradictionKind as Kind;
        let number = self.pick(|_| true)?;
        let person = Rc::clone(&self.naive.people[&number]);
        let program = person.program;
        let ledger = Self::ledger_event;
        let created = |member: i64| Event::MemberCreated {
            member: MemberNumber(member),
            tier: tier("gold"),
            cause: None,
        };
        let other = PROGRAMS.start() + (program % PROGRAMS.end());
        Some(match self.rng.u8(..8) {
            0 => {
                let unknown = self.naive.dense + self.rng.i64(1..100_000);
                if self.naive.people.contains_key(&unknown) {
                    return None;
                }
                let event = ledger(unknown, Entry::Mint, 5);
                (unknown, program, event, Kind::MemberUnknown)
            }
            1 => {
                let beyond = self.rng.i64(1 << 53..i64::MAX) + 1;
                (beyond, program, created(beyond), Kind::MemberUnknown)
            }
            2 => (number, program, created(number), Kind::MemberKnown),
            3 => {
                let event = ledger(number, Entry::Mint, 5);
                (number, other, event, Kind::AnotherProgram)
            }
            4..7 if person.purse.is_some() => {
                let event = ledger(number, Entry::Mint, 5);
                (number, program, event, Kind::LotsMissing)
            }
            4 => {
                let more = Points::new(person.balance() + 1).filter(|more| !more.is_zero())?;
                let spends = [Entry::Spend, Entry::Forfeit, Entry::Debit];
                let entry = spends[self.rng.usize(..spends.len())];
                // More points than there may be are too many first.
                Points::new(person.spent + more.get())?;
                let event = ledger(number, entry, more.get());
                (number, program, event, Kind::BalanceNegative)
            }
            5 => {
                let event = ledger(number, Entry::Mint, MAX);
                Points::new(person.received).filter(|received| !received.is_zero())?;
                (number, program, event, Kind::TooManyPoints)
            }
            6 => {
                // Too many only for the program.
                let amount = MAX - self.naive.received(program) + 1;
                Points::new(person.received + amount)?;
                let event = ledger(number, Entry::Refund, Points::new(amount)?.get());
                (number, program, event, Kind::TooManyPoints)
            }
            _ => {
                let empty = (0..Status::ALL.len()).find(|it| !person.redemptions.contains(it))?;
                let event = move_event(number, empty, 6 - usize::from(empty == 6));
                (
                    number,
                    program,
                    event,
                    Kind::StatusEmpty(Status::ALL[empty]),
                )
            }
        })
    }
}

fn move_event(number: i64, from: usize, to: usize) -> Event {
    Event::of_move(RedemptionMove {
        member: MemberNumber(number),
        offer: OfferNumber(1),
        redemption: RedemptionNumber(1),
        from: Status::ALL[from],
        to: Status::ALL[to],
    })
    .unwrap()
}
