//! Comparisons of the books and the draft with the maps.

use std::collections::BTreeSet;

use stampcard::books::{Record, TierNumber};
use stampcard::domain::{MemberNumber, ProgramNumber, Seq, Tier};

use super::naive::{Naive, Name};
use super::world::World;

/// Checks a record, and the name of its tier.
#[track_caller]
fn check(
    naive: &Naive,
    number: i64,
    found: Option<&Record>,
    tier: impl Fn(TierNumber) -> Option<Tier>,
) {
    let person = naive.people.get(&number);
    let expected = person
        .zip(found)
        .map(|(person, found)| person.record(number, found.tier));
    assert_eq!(found, expected.as_ref(), "member {number}: {person:?}");
    assert_eq!(found.is_some(), person.is_some(), "member {number}");
    if let Some((found, person)) = found.zip(person) {
        let name = tier(found.tier);
        assert_eq!(name.as_ref().map(Tier::as_str), Some(&*person.tier));
    }
}

/// Checks who is found by an id.
#[track_caller]
fn check_found(number: Option<i64>, (program, name): (i64, Name), found: Option<&Record>) {
    let found = found.map(|record| record.number.0);
    assert_eq!(found, number, "{name:?} of program {program}");
}

impl World {
    /// The programs of the members whom the batch touched.
    fn touched_programs(&self) -> BTreeSet<i64> {
        let people = self.touched.people.iter();
        let people = people.filter_map(|number| self.naive.people.get(number));
        let names = self.touched.names.iter().map(|(program, _)| *program);
        people.map(|person| person.program).chain(names).collect()
    }

    /// Compares what readers see of the members whom the batch touched.
    #[track_caller]
    pub(crate) fn compare_published(&self) {
        let books = self.published.read();
        for number in &self.touched.people {
            let found = books.record(MemberNumber(*number));
            check(&self.naive, *number, found.as_ref(), |it| books.tier(it));
            if let Some(person) = self.naive.people.get(number) {
                let found = books.find(ProgramNumber(person.program), &person.name.id());
                check_found(Some(*number), (person.program, person.name), found.as_ref());
            }
        }
        for (program, name) in &self.touched.names {
            let found = books.find(ProgramNumber(*program), &name.id());
            let number = self.naive.find(*program, *name);
            check_found(number, (*program, *name), found.as_ref());
        }
        for program in self.touched_programs() {
            let found = books.program(ProgramNumber(program));
            assert_eq!(found, self.naive.program(program), "program {program}");
            let expiries = books.expiries(ProgramNumber(program));
            let expiries = expiries.cloned().unwrap_or_default();
            super::expiries::check(&self.naive, program, &expiries);
        }
        assert_eq!(books.len(), self.naive.people.len());
    }

    /// Compares what the open batch sees.
    #[track_caller]
    pub(crate) fn compare_draft(&self) {
        for number in &self.touched.people {
            let found = self.draft.record(MemberNumber(*number));
            check(&self.naive, *number, found.as_ref(), |it| {
                self.draft.tier(it)
            });
            if let Some(person) = self.naive.people.get(number) {
                let program = ProgramNumber(person.program);
                let found = self.draft.find(program, &person.name.id());
                check_found(Some(*number), (person.program, person.name), found.as_ref());
            }
        }
        for (program, name) in &self.touched.names {
            let found = self.draft.find(ProgramNumber(*program), &name.id());
            let number = self.naive.find(*program, *name);
            check_found(number, (*program, *name), found.as_ref());
        }
        for program in self.touched_programs() {
            let found = self.draft.program(ProgramNumber(program));
            assert_eq!(found, self.naive.program(program), "program {program}");
        }
    }

    /// Compares everything.
    #[track_caller]
    pub(crate) fn compare_all(&self) {
        let books = self.published.read();
        let last = Seq(i64::try_from(self.log.len()).unwrap());
        assert_eq!(books.last_seq(), last);
        assert_eq!(books.len(), self.naive.people.len());
        assert_eq!(books.is_empty(), self.naive.people.is_empty());
        let mut numbers = self.naive.people.keys();
        for record in books.records() {
            let number = *numbers.next().unwrap();
            check(&self.naive, number, Some(&record), |it| books.tier(it));
            let alone = books.record(MemberNumber(number));
            assert_eq!(alone.as_ref(), Some(&record));
        }
        assert_eq!(numbers.next(), None);
        let mut programs = self.naive.programs();
        for (number, program) in books.programs() {
            assert_eq!(*program, self.naive.program(number.0), "{number:?}");
            assert!(programs.remove(&number.0), "{number:?} has no member");
        }
        assert!(programs.is_empty(), "left out: {programs:?}");
        let names = self.naive.names();
        for name in &self.all_names {
            let found = books.find(ProgramNumber(name.0), &name.1.id());
            check_found(names.get(name).copied(), *name, found.as_ref());
        }
        for absent in [0, self.naive.dense + 1, i64::MAX, -1] {
            if !self.naive.people.contains_key(&absent) {
                assert_eq!(books.record(MemberNumber(absent)), None);
            }
        }
    }
}
