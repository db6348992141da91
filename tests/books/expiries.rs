//! The sums of when points expire, compared with the plain lists of lots.

use stampcard::books::{Expiries, LotSum};
use stampcard::domain::{Bucket, Lot, Timestamp};

use super::dated::START;
use super::naive::{Naive, Person};
use super::purse::Purse;

const QUARTER: i64 = 900_000;

/// Compares them at many times, before and after any lot expires.
#[track_caller]
pub(crate) fn check(naive: &Naive, program: i64, found: &Expiries) {
    let people = naive.people.values();
    let of_program = people.filter(|person| person.program == program);
    let purses = of_program.filter_map(|person: &std::rc::Rc<Person>| person.purse.as_ref());
    let lots: Vec<Vec<Lot>> = purses
        .filter_map(Purse::lots)
        .map(|lots| lots.live)
        .collect();
    let accounts = lots.iter().filter(|lots| !lots.is_empty()).count();
    assert_eq!(found.accounts(), accounts as u64);
    let lots = lots.concat();
    let sum = |admits: &dyn Fn(Option<i64>) -> bool| {
        let lots = lots.iter();
        let lots = lots.filter(|lot| admits(lot.expires_at.map(Timestamp::as_millis)));
        lots.fold(LotSum::default(), |sum, lot| LotSum {
            points: sum.points + lot.remaining.get(),
            lots: sum.lots + 1,
        })
    };
    assert_eq!(found.total(), sum(&|_| true));
    assert_eq!(found.never(), sum(&|at| at.is_none()));
    let start = START - START % QUARTER;
    let times = [-5, 0, 1, 96, 97, 30 * 96, 400 * 96 + 1, 500 * 96].map(|q| start + q * QUARTER);
    let time = |millis| Timestamp::from_millis(millis).unwrap();
    for (index, from) in times.into_iter().enumerate() {
        let before = sum(&|at| at.is_some_and(|at| at < from));
        let since = sum(&|at| at.is_some_and(|at| at >= from));
        assert_eq!(found.before(time(from)), before);
        assert_eq!(found.since(time(from)), since);
        for to in &times[index..] {
            let between = sum(&|at| at.is_some_and(|at| (from..*to).contains(&at)));
            assert_eq!(found.between(time(from)..time(*to)), between);
        }
        for now in [from, from + 1] {
            let held = lots.iter().filter(|lot| {
                let is_held = lot.state.bucket() == Bucket::Held;
                is_held && lot.expires_at.is_some_and(|at| at <= time(now))
            });
            let held: i64 = held.map(|lot| lot.remaining.get()).sum();
            assert_eq!(found.overdue_held(time(now)), held);
        }
    }
}
