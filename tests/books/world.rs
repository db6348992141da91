//! A history of batches: the draft, the published books and the parts on the disk, beside the maps.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use fastrand::Rng;
use stampcard::books::{Books, Draft, Published};
use stampcard::domain::{Seq, Timestamp};

use super::disk::Disk;
use super::naive::{Chain, Naive, Name};
use super::steps::Logged;

/// Counts of a history.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rows: u64,
    pub(crate) published: u64,
    pub(crate) lost: u64,
    pub(crate) refused: u64,
    pub(crate) panicked: u64,
    pub(crate) contradictions: BTreeMap<String, u64>,
    pub(crate) bases: u64,
    pub(crate) deltas: u64,
    pub(crate) abandoned: u64,
    /// Batches that were published between two parts.
    pub(crate) between: u64,
    pub(crate) restarts: u64,
    pub(crate) replaced: u64,
    /// Rows that a restart read from the log although parts were loaded.
    pub(crate) redone: u64,
    pub(crate) parts: usize,
    pub(crate) members: usize,
    /// What happened to lots.
    pub(crate) dated: BTreeMap<&'static str, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        for (count, more) in [
            (&mut self.rows, other.rows),
            (&mut self.published, other.published),
            (&mut self.lost, other.lost),
            (&mut self.refused, other.refused),
            (&mut self.panicked, other.panicked),
            (&mut self.bases, other.bases),
            (&mut self.deltas, other.deltas),
            (&mut self.abandoned, other.abandoned),
            (&mut self.between, other.between),
            (&mut self.restarts, other.restarts),
            (&mut self.replaced, other.replaced),
            (&mut self.redone, other.redone),
        ] {
            *count += more;
        }
        for (kind, count) in &other.contradictions {
            *self.contradictions.entry(kind.clone()).or_default() += count;
        }
        for (what, count) in &other.dated {
            *self.dated.entry(what).or_default() += count;
        }
        self.parts = self.parts.max(other.parts);
        self.members = self.members.max(other.members);
    }

    /// Fails if the histories missed something that they are meant to cover.
    pub(crate) fn check_that_everything_happened(&self) {
        let seldom = [
            self.lost,
            self.refused,
            self.panicked,
            self.bases,
            self.deltas,
            self.abandoned,
            self.between,
            self.restarts,
            self.replaced,
            self.redone,
        ];
        assert!(seldom.iter().all(|count| *count > 3), "{self:#?}");
        // Of each kind, whatever status it names.
        let has = |text: &str| self.contradictions.keys().any(|kind| kind.contains(text));
        let kinds = [
            "not signed up",
            "second time",
            "another program",
            "below zero",
        ];
        for kind in kinds.iter().chain(&["exceeds", "leaves the status"]) {
            assert!(has(kind), "{kind}: {self:#?}");
        }
        assert!(self.parts > 2 && self.members > 5_000, "{self:#?}");
    }
}

/// What a batch changed or tried to change.
#[derive(Debug, Clone, Default)]
pub(crate) struct Touched {
    pub(crate) people: BTreeSet<i64>,
    pub(crate) names: BTreeSet<(i64, Name)>,
}

/// The books and the maps.
pub(crate) struct World {
    pub(crate) rng: Rng,
    pub(crate) naive: Naive,
    pub(crate) log: Vec<Logged>,
    pub(crate) published: Published,
    pub(crate) draft: Draft,
    pub(crate) disk: Disk,
    pub(crate) touched: Touched,
    /// Every id that a member ever had.
    pub(crate) all_names: BTreeSet<(i64, Name)>,
    pub(crate) names: u32,
    /// The rows are as version 0.1.0 wrote them.
    pub(crate) is_given: bool,
    /// The time, in a history of accounts with lots.
    pub(crate) now: Option<i64>,
    /// The token ends of the members of these rows.
    pub(crate) given: BTreeMap<i64, Timestamp>,
    pub(crate) tally: Tally,
}

impl World {
    fn empty(seed: u64) -> Self {
        let published = Published::default();
        Self {
            rng: Rng::with_seed(seed),
            naive: Naive::default(),
            log: Vec::new(),
            draft: Draft::new(&published),
            published,
            disk: Disk::default(),
            touched: Touched::default(),
            all_names: BTreeSet::new(),
            names: 0,
            is_given: true,
            now: None,
            given: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// A world in which accounts may have lots.
    pub(crate) fn dated(seed: u64) -> Self {
        Self {
            is_given: false,
            now: Some(super::dated::START),
            ..Self::empty(seed)
        }
    }

    /// A world with a history of version 0.1.0, and with a number of members.
    pub(crate) fn new(seed: u64, members: usize) -> Self {
        let mut world = Self::empty(seed);
        for _ in 0..20 {
            world.batch();
        }
        world.migrate();
        while world.naive.people.len() < members {
            let batch = |world: &mut Self| (0..1_000).for_each(|_| world.sign_up());
            world.draft.mark();
            batch(&mut world);
            world.publish();
        }
        world.compare_all();
        world
    }

    /// The file of version 0.1.0 tells when tokens expire, which the log does not.
    fn migrate(&mut self) {
        self.is_given = false;
        let numbers: Vec<i64> = self.naive.people.keys().copied().collect();
        for number in numbers {
            if self.rng.bool() {
                let end = self.rng.i64(1_780_000_000_000..1_790_000_000_000);
                self.naive.person(number).token_end = Some(end);
                self.given
                    .insert(number, Timestamp::from_millis(end).unwrap());
            }
        }
        self.restart();
    }

    pub(crate) fn live(&mut self, batches: u64) {
        for number in 1..=batches {
            self.batch();
            match self.rng.u8(..60) {
                0 => self.restart(),
                1..5 => self.write_down(),
                _ => {}
            }
            if number % 100 == 0 || number == batches {
                self.compare_all();
            }
        }
        self.tally.members = self.naive.people.len();
    }

    /// Some writes, which are committed and published, or lost.
    pub(crate) fn batch(&mut self) {
        if self.now.is_some() && self.rng.u8(..6) == 0 {
            return self.notice_batch();
        }
        let (before, length) = (self.naive.clone(), self.log.len());
        self.touched = Touched::default();
        for _ in 0..self.rng.usize(1..8) {
            self.write();
        }
        // Readers see nothing of the open batch, and the writes after it see all of it.
        let open = std::mem::replace(&mut self.naive, before);
        self.compare_published();
        if self.rng.u8(..12) == 0 {
            self.tally.lost += 1;
            self.log.truncate(length);
            self.draft.clear();
        } else {
            self.naive = open;
            self.compare_draft();
            self.publish();
        }
        self.compare_published();
        self.compare_draft();
    }

    /// Another notice of points that expire. Nothing comes after it in its batch.
    fn notice_batch(&mut self) {
        self.touched = Touched::default();
        self.draft.mark();
        self.set_notice();
        assert_eq!(self.draft.has_new_notice(), self.draft.dated().count() > 0);
        self.compare_draft();
        self.publish();
        self.compare_published();
    }

    fn publish(&mut self) {
        let last = Seq(i64::try_from(self.log.len()).unwrap());
        let mut books = self.published.write();
        self.draft.publish(&mut books, last);
        drop(books);
        self.published.advance(last);
        self.draft.clear();
        self.naive.chained.clear();
        self.all_names.extend(&self.touched.names);
        self.disk.changed.extend(&self.touched.people);
        self.tally.published += 1;
    }

    /// One write: it stands, or it is undone. Something may be written after that, as a refusal
    /// stores its answer.
    fn write(&mut self) {
        let (before, length) = (self.naive.clone(), self.log.len());
        self.draft.mark();
        while !self.stands() {
            self.draft.undo();
            self.naive = before.clone();
            self.log.truncate(length);
            if self.rng.u8(..3) > 0 {
                break;
            }
        }
    }

    /// Takes some steps. Returns false if they are refused, or panic.
    fn stands(&mut self) -> bool {
        let (steps, end) = (self.rng.usize(0..4), self.rng.u8(..10));
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            for _ in 0..steps {
                self.step();
            }
            match end {
                // Without the message of a panic.
                0 => resume_unwind(Box::new("in the middle of a write")),
                1 => false,
                2 => !self.contradict(),
                _ => true,
            }
        }));
        match outcome {
            Ok(true) => return true,
            Ok(false) => self.tally.refused += 1,
            Err(panic) if panic.is::<&str>() && end == 0 => self.tally.panicked += 1,
            Err(panic) => resume_unwind(panic),
        }
        false
    }

    /// Ends the process, or reads the whole log in place; either way from what is on the disk.
    pub(crate) fn restart(&mut self) {
        if self.rng.u8(..4) == 0 {
            // The newest generation was not finished.
            self.disk.generations.pop();
            self.disk.chains.pop();
        }
        let is_process = self.rng.bool();
        let books = if is_process {
            forget_heads(&mut self.naive.entries, self.disk.chains.last());
            self.load()
        } else {
            forget_heads(&mut self.naive.entries, None);
            self.replay(Books::default(), 0)
        };
        if is_process {
            self.published = Published::new(books);
            self.draft = Draft::new(&self.published);
            self.tally.restarts += 1;
        } else {
            // As after a failed commit: the draft is empty, and lives on.
            let last = books.last_seq();
            *self.published.write() = books;
            self.published.advance(last);
            self.tally.replaced += 1;
        }
        // What an abandoned generation took is among the rows that were folded again.
        self.disk.is_broken = false;
        self.disk.is_exact = false;
        self.compare_all();
    }
}

/// The hash of a program's newest entry is known only if it is stored.
fn forget_heads(chains: &mut BTreeMap<i64, Chain>, stored: Option<&BTreeMap<i64, Chain>>) {
    for (program, chain) in chains {
        let stored = stored.and_then(|stored| stored.get(program));
        let stored = stored.filter(|stored| stored.last == chain.last);
        chain.head = stored.and_then(|stored| stored.head);
    }
}
