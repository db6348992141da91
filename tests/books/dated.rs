//! The steps of a history of accounts with lots: each plans a row, applies it to the draft, and
//! changes the plain list in its own way.

use std::rc::Rc;

use stampcard::books::{LotDates, Pick, Plan, Record, Taken};
use stampcard::domain::{
    Bucket, BurnOrder, Due, DueKind, Entry, Event, InventoryMode, Lot, LotMoves, LotState,
    MemberNumber, Points, ProgramNumber, Row, Timestamp,
};

use super::naive::{DAY, Person};
use super::purse::{Fate, Pile, Place, Purse, Taking};
use super::world::World;

pub(crate) const START: i64 = 1_780_000_000_000;
/// The times at which anything matures or expires: few, so that many things happen at once, and
/// some one millisecond apart.
const INSTANTS: [i64; 8] = [
    START + 1,
    START + 2,
    START + DAY - 1,
    START + DAY,
    START + DAY + 1,
    START + 30 * DAY,
    START + 400 * DAY,
    START + 401 * DAY,
];

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

fn points(amount: i64) -> Points {
    Points::new(amount).unwrap()
}

fn is_free(pile: &Pile) -> bool {
    pile.place == Place::Free
}

fn is_held(pile: &Pile) -> bool {
    matches!(pile.place, Place::Held { .. })
}

fn is_provisional(pile: &Pile) -> bool {
    matches!(pile.place, Place::Held { is_provisional, .. } if is_provisional)
}

/// What a row of takings leaves in the plain list.
fn note_taking(person: &mut Person, amount: i64, parts: Vec<(u32, i64)>, lots: Option<LotMoves>) {
    person.takings.push(Taking {
        amount,
        restored: 0,
        parts,
        lots,
    });
}

impl World {
    pub(crate) fn dated_step(&mut self, number: i64) {
        let person = Rc::clone(&self.naive.people[&number]);
        match self.rng.u8(..100) {
            0..30 => self.mint(number, &person),
            30..40 => self.take(number, &person),
            40..45 => self.overdraw(number, &person),
            45..56 => self.give_back(number, &person),
            56..64 => self.hold(number, &person),
            64..70 => self.release(number, &person),
            70..74 => self.settle_or_void(number, &person),
            74..76 => self.forfeit_all(number, &person),
            76..79 => self.debit_held(number, &person),
            79..83 => self.open(number, &person),
            83..90 => self.pass_time(),
            _ => self.sweep(person.program),
        }
        self.check_step(number, person.program);
    }

    fn open_record(&self, number: i64) -> Record {
        self.draft.record(MemberNumber(number)).unwrap()
    }

    fn count(&mut self, what: &'static str) {
        *self.tally.dated.entry(what).or_default() += 1;
    }

    /// A number of points up to `most`, often all of them; `None` if there are none.
    fn some_of(&mut self, most: i64) -> Option<i64> {
        let amount = match self.rng.u8(..3) {
            0 => most,
            _ => self.rng.i64(1..=most.clamp(1, 60)),
        };
        (most > 0).then_some(amount.min(most))
    }

    fn order(&mut self) -> (BurnOrder, bool) {
        if self.rng.bool() {
            (BurnOrder::Fifo, false)
        } else {
            (BurnOrder::SoonestExpiry, true)
        }
    }

    /// Writes the row of a plan, which must be read as it was written.
    fn write_plan(&mut self, number: i64, plan: Plan, change: impl FnOnce(&mut Person)) {
        let kind = plan.entry;
        let due_at = plan.buckets.as_ref().and_then(|buckets| buckets.due_at);
        let event = Event::of_entry(plan.entry_of(&self.open_record(number)));
        let mut row = Row::default();
        event.write(&mut row);
        assert_eq!(Event::read(event.kind(), &row).as_ref(), Some(&event));
        change(self.naive.person(number));
        self.post_event(number, event);
        if kind != Entry::Open {
            let at = due_at.map_or(self.now.unwrap(), Timestamp::as_millis);
            self.pass_notices(number, at);
        }
        let person = self.naive.person(number);
        person.has_participated |= matches!(kind, Entry::Mint | Entry::Spend);
    }

    fn mint(&mut self, number: i64, person: &Person) {
        let has_entries = !person.entries.is_empty();
        // Members of even numbers get lots from the beginning, others when they are opened.
        let with_lots = person.purse.is_some() || (!has_entries && number % 2 == 0);
        let amount = self.rng.i64(1..200);
        let instant = |world: &mut Self| INSTANTS[world.rng.usize(..INSTANTS.len())];
        let end = (with_lots && self.rng.u8(..4) > 0).then(|| instant(self));
        let place = match self.rng.u8(..8) {
            0 | 1 if with_lots => Place::Later(instant(self)),
            2 => Place::Held {
                by: 0,
                is_provisional: true,
                until: None,
            },
            _ => Place::Free,
        };
        let (bucket, matures_at) = match place {
            Place::Free => (Bucket::Available, None),
            Place::Held { .. } => (Bucket::Held, None),
            Place::Later(at) => (Bucket::Available, Some(at)),
        };
        let dates = LotDates {
            expires_at: end.map(time),
            matures_at: matures_at.map(time),
        };
        let plan =
            self.open_record(number)
                .plan_mint(points(amount), bucket, with_lots.then_some(dates));
        if matches!((matures_at, end), (Some(at), Some(end)) if at >= end) {
            assert_eq!(plan, None);
            return;
        }
        self.count(match place {
            Place::Free if person.balance() < 0 => "mint that repays",
            Place::Free => "mint",
            Place::Held { .. } => "mint that is held",
            Place::Later(_) => "mint that is deferred",
        });
        self.write_plan(number, plan.unwrap(), |person| {
            if with_lots {
                person.purse.get_or_insert_with(Purse::default);
            }
            person.mint(amount, end, place);
        });
    }

    fn take(&mut self, number: i64, person: &Person) {
        let (order, by_end) = self.order();
        let pick = Pick::all(Bucket::Available, order);
        let entry = if self.rng.bool() {
            Entry::Spend
        } else {
            Entry::Debit
        };
        let record = self.open_record(number);
        let most = person.balance().max(0);
        assert_eq!(record.plan(entry, points(most + 1), &pick), None);
        let Some(amount) = self.some_of(most) else {
            return;
        };
        let plan = record.plan(entry, points(amount), &pick).unwrap();
        self.count("take");
        self.write_taking(number, plan, |person| {
            person.spent += amount;
            (amount, person.drain(amount, by_end, is_free, Fate::Gone))
        });
    }

    /// Writes a row that takes points, and notes what it took.
    fn write_taking(
        &mut self,
        number: i64,
        plan: Plan,
        change: impl FnOnce(&mut Person) -> (i64, Vec<(u32, i64)>),
    ) {
        let lots = plan.buckets.as_ref().and_then(|it| it.lots.clone());
        self.write_plan(number, plan, |person| {
            let (amount, parts) = change(person);
            note_taking(person, amount, parts, lots);
        });
    }

    fn overdraw(&mut self, number: i64, person: &Person) {
        let (order, by_end) = self.order();
        let amount = self.rng.i64(1..300);
        let covered = amount.min(person.balance().max(0));
        let record = self.open_record(number);
        let plan = record.plan_overdraft(points(amount), order).unwrap();
        let uncovered = plan.buckets.as_ref().map_or(0, |it| it.uncovered.get());
        assert_eq!(uncovered, amount - covered);
        self.count("overdraft");
        self.write_taking(number, plan, |person| {
            let parts = person.drain(covered, by_end, is_free, Fate::Gone);
            person.spent += amount;
            (amount, parts)
        });
    }

    fn give_back(&mut self, number: i64, person: &Person) {
        if person.takings.is_empty() {
            return;
        }
        let place = self.rng.usize(..person.takings.len());
        let taking = &person.takings[place];
        let taken = Taken {
            amount: points(taking.amount),
            lots: taking.lots.as_ref(),
            restored: points(taking.restored),
            ..Taken::default()
        };
        let record = self.open_record(number);
        let left = taking.amount - taking.restored;
        let entry = if self.rng.bool() {
            Entry::Refund
        } else {
            Entry::Reverse
        };
        let mode = match record.lots {
            Some(_) => InventoryMode::Lot,
            None => InventoryMode::Simple,
        };
        let plan = |amount| record.plan_restore(entry, points(amount), taken, mode);
        assert_eq!(plan(left + 1), None);
        let Some(amount) = self.some_of(left) else {
            return;
        };
        let plan = plan(amount).unwrap();
        self.count(if amount < left {
            "partial restore"
        } else {
            "restore"
        });
        self.write_plan(number, plan, |person| person.restore_taking(place, amount));
    }

    fn hold(&mut self, number: i64, person: &Person) {
        let (order, by_end) = self.order();
        let pick = Pick::all(Bucket::Available, order);
        let record = self.open_record(number);
        let most = person.balance().max(0);
        assert_eq!(record.plan(Entry::Hold, points(most + 1), &pick), None);
        let Some(amount) = self.some_of(most) else {
            return;
        };
        let mut plan = record.plan(Entry::Hold, points(amount), &pick).unwrap();
        let ends = person.purse.is_some() && self.rng.bool();
        let until = ends.then(|| INSTANTS[self.rng.usize(..INSTANTS.len())]);
        if let Some(until) = until {
            plan = plan.held_until(time(until));
        }
        self.count("hold");
        self.write_plan(number, plan, |person| {
            let place = Place::Held {
                by: person.next_entry(),
                is_provisional: false,
                until,
            };
            person.drain(amount, by_end, is_free, Fate::To(place));
            person.held += amount;
        });
    }

    /// Releases all that is held, or what one entry holds.
    fn release(&mut self, number: i64, person: &Person) {
        let (order, by_end) = self.order();
        let one = self.rng.bool().then(|| {
            let piles = person.purse.iter().flat_map(|purse| &purse.0);
            let held = piles.filter(|pile| pile.left > 0);
            let mut by = held.filter_map(|pile| match pile.place {
                Place::Held { by, .. } => Some(by),
                _ => None,
            });
            by.next_back().unwrap_or(1)
        });
        let admits = |lot: &Lot| {
            matches!(lot.state, LotState::Held { by, is_provisional, .. }
                if !is_provisional && one.is_none_or(|one| by == one))
        };
        let fits = |pile: &Pile| {
            matches!(pile.place, Place::Held { by, is_provisional, .. }
                if !is_provisional && one.is_none_or(|one| by == one))
        };
        let pick = Pick {
            bucket: Bucket::Held,
            order,
            admits: &admits,
        };
        let most = match &person.purse {
            Some(purse) => purse.sum(fits),
            None => person.held,
        };
        let record = self.open_record(number);
        assert_eq!(record.points_in(&pick), points(most));
        let Some(amount) = self.some_of(most) else {
            return;
        };
        let plan = record.plan(Entry::Release, points(amount), &pick).unwrap();
        self.count(if person.balance() < 0 {
            "release that repays"
        } else {
            "release"
        });
        self.write_plan(number, plan, |person| {
            person.drain(amount, by_end, fits, Fate::To(Place::Free));
            person.held -= amount;
        });
    }

    /// Makes provisional points the member's, or takes them back.
    fn settle_or_void(&mut self, number: i64, person: &Person) {
        let admits = |lot: &Lot| lot.is_provisional();
        let pick = Pick {
            bucket: Bucket::Held,
            order: BurnOrder::Fifo,
            admits: &admits,
        };
        let entry = if self.rng.bool() {
            Entry::Mature
        } else {
            Entry::Void
        };
        let record = self.open_record(number);
        let Some(purse) = &person.purse else {
            assert_eq!(record.plan(entry, points(1), &pick), None);
            return;
        };
        let Some(amount) = self.some_of(purse.sum(is_provisional)) else {
            return;
        };
        let plan = record.plan(entry, points(amount), &pick).unwrap();
        let fate = if entry == Entry::Void {
            self.count("void");
            Fate::Gone
        } else {
            self.count("settle");
            Fate::To(Place::Free)
        };
        self.write_plan(number, plan, |person| {
            person.drain(amount, false, is_provisional, fate);
            person.held -= amount;
            person.spent += if fate == Fate::Gone { amount } else { 0 };
        });
    }

    fn forfeit_all(&mut self, number: i64, person: &Person) {
        let free = person.balance().max(0);
        let amount = free + person.held + person.pending;
        let plan = self.open_record(number).plan_forfeit_all();
        assert_eq!(plan.is_some(), amount > 0);
        let Some(plan) = plan else { return };
        self.count("forfeit of all");
        self.write_plan(number, plan, |person| {
            if let Some(purse) = &mut person.purse {
                purse.0.iter_mut().for_each(|pile| pile.left = 0);
            }
            person.spent += free + person.held;
            (person.held, person.pending) = (0, 0);
        });
    }

    fn debit_held(&mut self, number: i64, person: &Person) {
        let (order, by_end) = self.order();
        let pick = Pick::all(Bucket::Held, order);
        let Some(amount) = self.some_of(person.held) else {
            return;
        };
        let record = self.open_record(number);
        let plan = record.plan(Entry::Debit, points(amount), &pick).unwrap();
        self.count("debit of held points");
        self.write_taking(number, plan, |person| {
            (person.held, person.spent) = (person.held - amount, person.spent + amount);
            (amount, person.drain(amount, by_end, is_held, Fate::Gone))
        });
    }

    fn open(&mut self, number: i64, person: &Person) {
        let end = INSTANTS[self.rng.usize(..INSTANTS.len())];
        let plan = self.open_record(number).plan_open(Some(time(end)));
        let (free, held) = (person.balance().max(0), person.held);
        let opens = person.purse.is_none() && free + held > 0;
        assert_eq!(plan.is_some(), opens);
        let Some(plan) = plan else { return };
        self.count("open");
        self.write_plan(number, plan, |person| {
            let (by, mut purse) = (person.next_entry(), Purse::default());
            let place = Place::Held {
                by,
                is_provisional: false,
                until: None,
            };
            for (left, place) in [(free, Place::Free), (held, place)] {
                if left > 0 {
                    purse.add(by, left, Some(end), place);
                }
            }
            person.purse = Some(purse);
        });
    }

    fn pass_time(&mut self) {
        let now = self.now.unwrap();
        let later: Vec<i64> = INSTANTS.into_iter().filter(|at| *at > now).collect();
        let next = match self.rng.u8(..4) {
            0 => now + self.rng.i64(0..3),
            _ => later.first().copied().unwrap_or(now + DAY),
        };
        self.now = Some(next);
    }

    /// Does what is due, one after the other, perhaps not to the end.
    fn sweep(&mut self, program: i64) {
        let now = self.now.unwrap();
        let max = self.rng.usize(1..20);
        for due in self.draft.due(ProgramNumber(program), time(now), max) {
            self.do_due(due);
        }
    }

    /// Sets how long before points expire this is announced in a program with members.
    pub(crate) fn set_notice(&mut self) {
        let programs: Vec<i64> = self.naive.programs().into_iter().collect();
        if programs.is_empty() {
            return;
        }
        let program = programs[self.rng.usize(..programs.len())];
        let days = [0, 1, 30, 366][self.rng.usize(..4)];
        let event = Event::ProgramChanged {
            status: None,
            default_tier: None,
            ahead: None,
            expiry_notice: Some(days),
        };
        self.append(self.row_of(program, event));
        let before = match days {
            0 => self.naive.notices.remove(&program),
            days => self.naive.notices.insert(program, days),
        };
        self.count(if before.unwrap_or(0) < days {
            "longer notice"
        } else {
            "shorter notice"
        });
    }

    /// An entry was posted: the notices before it are not sent any more.
    fn pass_notices(&mut self, number: i64, at: i64) {
        let person = &self.naive.people[&number];
        let has_lots = person.purse.as_ref().is_some_and(|it| !it.0.is_empty());
        let days = self.naive.notices.get(&person.program).copied();
        if let (true, Some(days)) = (has_lots, days) {
            let person = self.naive.person(number);
            person.told = person.told.max(Some(at + days * DAY - 1));
        }
    }

    fn announce(&mut self, due: Due, person: &Person) {
        let number = due.member.0;
        let end = due.at.as_millis() + self.naive.notices[&person.program] * DAY;
        let fits = |pile: &Pile| is_free(pile) && pile.end == Some(end);
        let amount = person.purse.as_ref().map_or(0, |purse| purse.sum(fits));
        let is_due = amount > 0 && person.told < Some(end);
        let found = self.open_record(number).unannounced(time(end));
        assert_eq!(found, is_due.then(|| points(amount)), "{due:?}");
        assert_eq!(self.open_record(number).plan_due(due), None);
        let Some(amount) = found else { return };
        self.count("notice");
        let event = Event::WalletExpiring {
            member: due.member,
            amount,
            at: time(end),
            due_at: due.at,
            balance: person.balance(),
        };
        self.record(number, event, |person, _| {
            person.told = person.told.max(Some(end));
        });
    }

    fn do_due(&mut self, due: Due) {
        let (number, at) = (due.member.0, due.at.as_millis());
        let person = Rc::clone(&self.naive.people[&number]);
        if due.kind == DueKind::Notice {
            return self.announce(due, &person);
        }
        let fits = |pile: &Pile| match due.kind {
            DueKind::Mature => pile.place == Place::Later(at),
            DueKind::Expire => is_free(pile) && pile.end == Some(at),
            DueKind::Release => {
                matches!(pile.place, Place::Held { until, .. } if until == Some(at))
            }
            DueKind::Notice => false,
        };
        let amount = person.purse.as_ref().map_or(0, |purse| purse.sum(fits));
        let plan = self.open_record(number).plan_due(due);
        assert_eq!(plan.is_some(), amount > 0, "{due:?}");
        let Some(plan) = plan else { return };
        assert_eq!(plan.amount, points(amount));
        self.count(match due.kind {
            DueKind::Mature if person.balance() < 0 => "maturity that repays",
            DueKind::Mature => "maturity",
            DueKind::Expire => "expiry",
            DueKind::Release => "release",
            DueKind::Notice => "nothing",
        });
        self.write_plan(number, plan, |person| match due.kind {
            DueKind::Mature => {
                person.drain(amount, false, fits, Fate::To(Place::Free));
                person.pending -= amount;
                person.received += amount;
            }
            DueKind::Expire => {
                person.drain(amount, false, fits, Fate::Gone);
                person.spent += amount;
            }
            DueKind::Release => {
                person.drain(amount, false, fits, Fate::To(Place::Free));
                person.held -= amount;
            }
            DueKind::Notice => {}
        });
    }

    /// Compares the member's record, and what is due in its program.
    fn check_step(&mut self, number: i64, program: i64) {
        let person = &self.naive.people[&number];
        person.check_equations();
        let found = self.open_record(number);
        assert_eq!(found, person.record(number, found.tier));
        let until = INSTANTS[self.rng.usize(..INSTANTS.len())];
        let max = self.rng.usize(1..30);
        let mut expected = self.naive.due(program, until);
        let first = expected.first().map(|(at, ..)| time(*at));
        let next = self.draft.next_due(ProgramNumber(program));
        assert!(first.is_none_or(|first| next.is_some_and(|next| next <= first)));
        expected.truncate(max);
        let found = self.draft.due(ProgramNumber(program), time(until), max);
        let plain = |due: &Due| (due.at.as_millis(), due.kind.number(), due.member.0);
        assert_eq!(found.iter().map(plain).collect::<Vec<_>>(), expected);
    }
}
