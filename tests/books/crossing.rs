//! Readers, and the taker of parts, beside a writer that publishes batch after batch.
//!
//! The whole history is computed beforehand, with the state after each batch. So a reader knows
//! exactly what it has to see once it knows the newest row of the books that it reads.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};

use fastrand::Rng;
use stampcard::books::parts::Generation;
use stampcard::books::{Books, Draft, Published, Row};
use stampcard::domain::{
    Account, Activity, Entry, Event, ExternalUserId, LedgerEntry, MemberNumber, Points,
    ProgramNumber, Seq, Tier, Timestamp,
};

use super::disk::{restore, take};

const BATCHES: usize = 4_000;
const READERS: usize = 3;
/// The members between whom points move, in different chunks and parts. Those of even places are
/// in one program, and those of odd places in the other.
const MOVERS: [i64; 8] = [1, 2, 1_400, 1_401, 2_800, 2_801, 4_997, 5_000];
const MEMBERS: i64 = 5_000;
const START: i64 = 100_000;

fn program(place: usize) -> ProgramNumber {
    ProgramNumber(i64::try_from(place % 2).unwrap() + 1)
}

/// The id of a mover after a number of changes.
fn id(place: usize, changes: usize) -> ExternalUserId {
    // Equal in both programs.
    ExternalUserId::parse("id", format!("{}-{changes}", place / 2)).unwrap()
}

/// A row, with its jump.
type Logged = (Activity, Option<Seq>);

fn row((activity, jump): &Logged) -> Row<'_> {
    Row {
        activity,
        jump: *jump,
        starts_chain: false,
        hash: None,
        is_given: false,
    }
}

/// What a batch leaves behind.
#[derive(Debug, Clone)]
struct State {
    last: Seq,
    balances: [i64; MOVERS.len()],
    /// How often the ids changed.
    changes: [usize; MOVERS.len()],
}

/// All rows, and the state after each batch. The first batch signs everybody up.
struct History {
    log: Vec<Logged>,
    states: Vec<State>,
    accounts: [Account; MOVERS.len()],
}

impl History {
    fn new(seed: u64) -> Self {
        let mut history = Self {
            log: Vec::new(),
            states: Vec::new(),
            accounts: [Account::default(); MOVERS.len()],
        };
        let tier = Tier::parse("tier", "standard").unwrap();
        for number in 1..=MEMBERS {
            let place = MOVERS.iter().position(|mover| *mover == number);
            let (member, tier) = (MemberNumber(number), tier.clone());
            let event = Event::MemberCreated {
                member,
                tier,
                cause: None,
            };
            history.push(program(place.unwrap_or(0)), event, None);
        }
        for place in 0..MOVERS.len() {
            history.post(place, Entry::Mint, START);
        }
        history.states.push(State {
            last: history.last(),
            balances: [START; MOVERS.len()],
            changes: [0; MOVERS.len()],
        });
        let mut rng = Rng::with_seed(seed);
        for _ in 0..BATCHES {
            history.batch(&mut rng);
        }
        history
    }

    fn last(&self) -> Seq {
        Seq(i64::try_from(self.log.len()).unwrap())
    }

    fn push(&mut self, program: ProgramNumber, event: Event, jump: Option<Seq>) {
        let activity = Activity {
            seq: Seq(self.last().0 + 1),
            at: Timestamp::from_millis(1_780_000_000_000).unwrap(),
            program: Some(program),
            event,
        };
        self.log.push((activity, jump));
    }

    fn post(&mut self, place: usize, entry: Entry, amount: i64) {
        let jump_of = |seq: Seq| Ok::<_, ()>(self.log[usize::try_from(seq.0).unwrap() - 1].1);
        let mut account = self.accounts[place].extended(jump_of).unwrap();
        account.last = Some(Seq(self.last().0 + 1));
        self.accounts[place] = account;
        let event = Event::of_entry(LedgerEntry {
            entry,
            amount: Points::new(amount).unwrap(),
            member: MemberNumber(MOVERS[place]),
            asset: None,
            offer: None,
            redemption: None,
            first: false,
            reason: None,
            buckets: None,
        });
        self.push(program(place), event, account.jump);
    }

    /// Moves points between two members of a program, some times; or changes an id.
    fn batch(&mut self, rng: &mut Rng) {
        let mut state = self.states.last().unwrap().clone();
        let count = MOVERS.len();
        if rng.u8(..8) == 0 {
            let place = rng.usize(..count);
            state.changes[place] += 1;
            let id = id(place, state.changes[place]);
            let member = MemberNumber(MOVERS[place]);
            self.push(program(place), Event::MemberErased { member, id }, None);
        }
        for _ in 0..rng.usize(1..4) {
            let from = rng.usize(..count);
            let to = (from + 2 * rng.usize(1..count / 2)) % count;
            let amount = rng.i64(1..100).min(state.balances[from]);
            if amount > 0 {
                self.post(from, Entry::Debit, amount);
                self.post(to, Entry::Refund, amount);
                state.balances[from] -= amount;
                state.balances[to] += amount;
            }
        }
        state.last = self.last();
        self.states.push(state);
    }

    /// The state after the batch that ends with a row. Panics if none does.
    fn state(&self, last: Seq) -> &State {
        let place = self.states.binary_search_by_key(&last, |state| state.last);
        &self.states[place.unwrap_or_else(|_| panic!("{last:?} is in the middle of a batch"))]
    }

    /// Checks books against the state after their newest row.
    #[track_caller]
    fn check(&self, books: &Books) {
        let state = self.state(books.last_seq());
        let mut sums = [(0, 0); 2];
        for (place, number) in MOVERS.into_iter().enumerate() {
            let record = books.record(MemberNumber(number)).unwrap();
            assert!(record.applied <= state.last, "{record:?}");
            let wallet = record.wallet;
            assert_eq!(wallet.balance(), state.balances[place], "{state:?}");
            sums[place % 2].0 += wallet.received.get();
            sums[place % 2].1 += wallet.spent.get();
            let changes = state.changes[place];
            let found = books.find(program(place), &id(place, changes));
            assert_eq!(found.as_ref(), Some(&record));
            if let Some(before) = changes.checked_sub(1) {
                assert_eq!(books.find(program(place), &id(place, before)), None);
            }
            assert_eq!(books.find(program(place), &id(place, changes + 1)), None);
        }
        for (place, sums) in sums.into_iter().enumerate() {
            let of_program = books.program(program(place));
            let wallets = of_program.wallets;
            assert_eq!((wallets.received.get(), wallets.spent.get()), sums);
            assert_eq!(sums.0 - sums.1, START * 4, "points move, and none is made");
            assert!(of_program.last_entry <= Some(state.last));
        }
        assert_eq!(books.len(), usize::try_from(MEMBERS).unwrap());
    }
}

/// What the threads share.
struct Crossing {
    history: History,
    published: Published,
    /// The newest row that a reader of the database could see.
    committed: AtomicI64,
    reads: [AtomicUsize; READERS],
    generations: AtomicUsize,
    is_over: AtomicBool,
}

/// Ends the other threads when the writer is done, or when a thread fails.
struct Guard<'a> {
    is_over: &'a AtomicBool,
    is_writer: bool,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        if self.is_writer || std::thread::panicking() {
            self.is_over.store(true, Ordering::SeqCst);
        }
    }
}

impl Crossing {
    fn guard(&self, is_writer: bool) -> Guard<'_> {
        Guard {
            is_over: &self.is_over,
            is_writer,
        }
    }

    /// Publishes every batch after the first. Each reader reads at least once in fifty batches.
    fn write(&self) {
        let _guard = self.guard(true);
        let mut draft = Draft::new(&self.published);
        let mut rng = Rng::with_seed(3);
        let mut seen = [0; READERS];
        for (number, pair) in self.history.states.windows(2).enumerate() {
            let last = self.apply(&mut draft, &pair[0], &pair[1]);
            self.committed.store(last.0, Ordering::SeqCst);
            if rng.u8(..4) == 0 {
                // Time for readers to ask for what is not published yet.
                std::thread::yield_now();
            }
            let mut books = self.published.write();
            draft.publish(&mut books, last);
            drop(books);
            self.published.advance(last);
            draft.clear();
            if number % 50 == 0 {
                for (reads, seen) in self.reads.iter().zip(&mut seen) {
                    while reads.load(Ordering::Relaxed) == *seen {
                        assert!(
                            !self.is_over.load(Ordering::Relaxed),
                            "another thread failed"
                        );
                        std::thread::yield_now();
                    }
                    *seen = reads.load(Ordering::Relaxed);
                }
            }
        }
    }

    /// Applies a batch to the draft; returns its last row.
    fn apply(&self, draft: &mut Draft, before: &State, after: &State) -> Seq {
        let place = |seq: Seq| usize::try_from(seq.0).unwrap();
        for logged in &self.history.log[place(before.last)..place(after.last)] {
            draft.mark();
            draft.apply(&row(logged)).unwrap();
            if let Event::MemberErased { member, .. } = &logged.0.event {
                let place = MOVERS.iter().position(|it| it == &member.0).unwrap();
                let former = id(place, before.changes[place]);
                let next = id(place, after.changes[place]);
                draft.name(*member, program(place), &next, Some(&former));
            }
        }
        after.last
    }

    fn read(&self, reader: usize) {
        let _guard = self.guard(false);
        let mut newest = Seq(0);
        // One more at the end, which sees everything.
        let mut is_last = false;
        while !is_last {
            is_last = self.is_over.load(Ordering::SeqCst);
            let asked = Seq(self.committed.load(Ordering::SeqCst));
            let books = self.published.read_at(asked).unwrap();
            let last = books.last_seq();
            assert!(
                last >= asked && last >= newest,
                "{asked:?} {newest:?}: {last:?}"
            );
            self.history.check(&books);
            newest = last;
            drop(books);
            self.reads[reader].fetch_add(1, Ordering::Relaxed);
        }
        assert_eq!(newest, self.history.last());
    }

    /// Writes the books down again and again, and loads each base with its deltas.
    fn take_parts(&self) {
        let _guard = self.guard(false);
        let mut is_over = false;
        while !is_over {
            is_over = self.is_over.load(Ordering::SeqCst);
            let mut generations = Vec::new();
            for number in 0..4 {
                let mut generation = Generation::begin(&self.published, number == 0);
                let parts = take(&mut generation, &self.published, std::thread::yield_now);
                let count = u32::try_from(parts.len()).unwrap();
                generations.push((generation.header(number, count), parts));
                self.generations.fetch_add(1, Ordering::Relaxed);
            }
            let (mut books, last) = restore(&generations, |_| {});
            assert_eq!(books.last_seq(), last);
            let first = usize::try_from(last.0).unwrap();
            for logged in &self.history.log[first..] {
                books.apply(&row(logged), |_| None).unwrap();
            }
            let changes = self.history.states.last().unwrap().changes;
            for (place, number) in MOVERS.into_iter().enumerate() {
                let id = id(place, changes[place]);
                books.name(MemberNumber(number), program(place), &id);
            }
            self.history.check(&books);
        }
    }
}

#[test]
fn no_reader_sees_half_a_batch_or_a_book_older_than_what_it_asked_for() {
    let history = History::new(11);
    let mut books = Books::default();
    let first = history.states[0].last;
    for logged in &history.log[..usize::try_from(first.0).unwrap()] {
        books.apply(&row(logged), |_| None).unwrap();
    }
    for (place, number) in MOVERS.into_iter().enumerate() {
        books.name(MemberNumber(number), program(place), &id(place, 0));
    }
    let crossing = Crossing {
        history,
        published: Published::new(books),
        committed: AtomicI64::new(first.0),
        reads: Default::default(),
        generations: AtomicUsize::new(0),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let crossing = &crossing;
        scope.spawn(move || crossing.write());
        scope.spawn(move || crossing.take_parts());
        for reader in 0..READERS {
            scope.spawn(move || crossing.read(reader));
        }
    });
    println!(
        "{:?} reads, {:?} generations",
        crossing.reads, crossing.generations
    );
    assert!(crossing.generations.load(Ordering::Relaxed) > 7);
    for reads in &crossing.reads {
        assert!(reads.load(Ordering::Relaxed) > BATCHES / 50);
    }
}
