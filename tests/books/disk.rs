//! The written-down books: generations of parts, and how a start loads them.

use std::collections::{BTreeMap, BTreeSet};

use stampcard::books::parts::{Generation, Header, Part, Replaced};
use stampcard::books::{Books, Published};
use stampcard::domain::{MemberNumber, ProgramNumber, Seq};

use super::naive::Chain;
use super::world::World;

/// What is stored: a base and the deltas after it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) generations: Vec<(Header, Vec<Part>)>,
    /// The ledger entries of each program when each generation began.
    pub(crate) chains: Vec<BTreeMap<i64, Chain>>,
    /// The members that changed since the last generation.
    pub(crate) changed: BTreeSet<i64>,
    /// No batch was published while a generation was written, and so `changed` is exact.
    pub(crate) is_exact: bool,
    /// A generation was abandoned after it had taken records.
    pub(crate) is_broken: bool,
}

impl Disk {
    fn records(&self, is_base: bool) -> u64 {
        let generations = self.generations.iter();
        let those = generations.filter(|(header, _)| header.is_base == is_base);
        those.map(|(header, _)| header.records).sum()
    }
}

/// The parts of a generation; something may happen after each.
pub(crate) fn take(
    generation: &mut Generation,
    published: &Published,
    mut after_each: impl FnMut(),
) -> Vec<Part> {
    let mut parts = Vec::new();
    while let Some(part) = generation.next_part(published).unwrap() {
        parts.push(part);
        after_each();
    }
    parts
}

/// The books of a base and its deltas, and the row from which they have to be completed. `order`
/// may reorder the parts of each.
pub(crate) fn restore(
    generations: &[(Header, Vec<Part>)],
    mut order: impl FnMut(&mut Vec<&Part>),
) -> (Books, Seq) {
    let mut books = Books::default();
    let mut last = Seq(0);
    for (header, parts) in generations {
        let mut parts: Vec<&Part> = parts.iter().collect();
        order(&mut parts);
        for part in parts {
            books.restore_part(part).unwrap();
        }
        last = header.last_seq;
    }
    books.restored_up_to(last);
    (books, last)
}

impl World {
    /// Writes a base or a delta down, perhaps while batches are published, and perhaps not to the
    /// end.
    pub(crate) fn write_down(&mut self) {
        let disk = &self.disk;
        let is_large = disk.records(false) > disk.records(true) / 2;
        let is_base = disk.generations.is_empty() || disk.is_broken || is_large;
        let last_seq = self.published.read().last_seq();
        let chains = self.naive.entries.clone();
        let mut generation = Generation::begin(&self.published, is_base);
        let (mut parts, mut between) = (Vec::new(), 0);
        while let Some(part) = generation.next_part(&self.published).unwrap() {
            parts.push(part);
            for _ in 0..self.rng.usize(..6).saturating_sub(2) {
                self.batch();
                between += 1;
            }
            match self.rng.u8(..60) {
                0 => {
                    // The numbers of chunks are of other books.
                    self.restart();
                    assert_eq!(generation.next_part(&self.published), Err(Replaced));
                    return;
                }
                1..4 => {
                    self.disk.is_broken = true;
                    self.tally.abandoned += 1;
                    return;
                }
                _ => {}
            }
        }
        self.tally.between += between;
        self.tally.parts = self.tally.parts.max(parts.len());
        let number = self.disk.generations.last();
        let number = number.map_or(1, |(header, _)| header.number + 1);
        let header = generation.header(number, u32::try_from(parts.len()).unwrap());
        assert_eq!((header.is_base, header.last_seq), (is_base, last_seq));
        if between == 0 {
            let members = self.naive.people.len();
            let changed = self.disk.changed.len();
            if is_base {
                assert_eq!(header.records, u64::try_from(members).unwrap());
            } else if self.disk.is_exact {
                assert!(header.records <= u64::try_from(changed).unwrap());
            }
            assert_eq!(self.published.read().dirty_count(), 0);
            self.disk.changed.clear();
        }
        self.disk.is_exact = between == 0;
        if is_base {
            self.disk.generations.clear();
            self.disk.chains.clear();
            self.disk.is_broken = false;
            self.tally.bases += 1;
        } else {
            self.tally.deltas += 1;
        }
        self.disk.generations.push((header, parts));
        self.disk.chains.push(chains);
    }

    /// The books of a start: the parts, and the rows since the last generation began.
    pub(crate) fn load(&mut self) -> Books {
        let rng = &mut self.rng;
        let (books, last) = restore(&self.disk.generations, |parts| rng.shuffle(parts));
        let first = usize::try_from(last.0).unwrap();
        if first > 0 {
            self.tally.redone += u64::try_from(self.log.len() - first).unwrap();
        }
        self.replay(books, first)
    }

    /// Folds the rows of the log from a place, and names every member.
    pub(crate) fn replay(&self, mut books: Books, from: usize) -> Books {
        for logged in &self.log[from..] {
            let token_end = |member: MemberNumber| self.given.get(&member.0).copied();
            books.apply(&logged.read(), token_end).unwrap();
        }
        for (number, person) in &self.naive.people {
            let program = ProgramNumber(person.program);
            books.name(MemberNumber(*number), program, &person.name.id());
        }
        books
    }
}
