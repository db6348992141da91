//! One measure over time, small enough to keep every entry in memory and fast for any window.
//!
//! A timeline gives the number and the sum of all entries before `t`, exactly, for any millisecond
//! `t`. A window is the difference of two such sums. Every entry is kept, in a compressed form:
//!
//! * The newest entries, fewer than [`BLOCK_LEN`], are in an open **head** as plain pairs.
//! * A full head is closed into a **block**. Its header holds the time of its first entry and the
//!   sum of all amounts before the block; the number of entries before it follows from its index.
//!   A sum takes a binary search over the headers and a search in one block.
//! * In a block all times have the same number of bits, as many as the largest needs, and so have
//!   all amounts. Any entry can be read without those before it. Times are stored as their distance
//!   from a straight line between the block's first and last entry, which is small because events
//!   come at a nearly even pace over so short a time. Amounts are stored minus one, so that they
//!   take no bits where all are one, as when occurrences are counted.
//!
//! Closed blocks never change. Entries come in the order of time. A late entry, which only an
//! import brings, is kept in a separate list, which every sum includes, until [`Timeline::settle`]
//! merges it into its place.
//!
//! Sources: Pelkonen et al., "Gorilla" (2015), for blocks of compressed points in memory with plain
//! headers; Zukowski et al., "Super-Scalar RAM-CPU Cache Compression" (2006), for numbers of one
//! width relative to a frame of reference.

mod block;
mod cursor;
mod stored;

use serde::{Deserialize, Serialize};

pub use self::block::BLOCK_LEN;
use self::block::{Packed, pack};
pub use self::cursor::Cursor;
pub use self::stored::OpenState;

/// The number of entries and the sum of their amounts.
///
/// ```
/// use stampcard::analytics::Sum;
/// let (all, early) = (Sum { count: 5, amount: 90 }, Sum { count: 2, amount: 30 });
/// assert_eq!(all - early, Sum { count: 3, amount: 60 });
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// The number of entries.
    pub count: u64,
    /// The sum of their amounts.
    pub amount: u64,
}

impl std::ops::Sub for Sum {
    type Output = Self;

    fn sub(self, earlier: Self) -> Self {
        Self {
            count: self.count - earlier.count,
            amount: self.amount - earlier.amount,
        }
    }
}

impl Sum {
    fn add(&mut self, amount: u64) {
        self.count += 1;
        // No total of points exceeds 2^53: the fold refuses the entry.
        self.amount = self
            .amount
            .checked_add(amount)
            .expect("a sum fits in 64 bits");
    }
}

/// An append-only series of (time, amount), compressed.
///
/// ```
/// use stampcard::analytics::{Sum, Timeline};
///
/// let mut minted = Timeline::default();
/// for (at, points) in [(1_000, 50), (2_000, 20), (2_000, 30), (5_000, 10)] {
///     minted.push(at, points);
/// }
/// assert_eq!(minted.before(2_000), Sum { count: 1, amount: 50 });
/// // The half-open window from 2,000 to 5,000.
/// assert_eq!(minted.before(5_000) - minted.before(2_000), Sum { count: 2, amount: 50 });
/// assert_eq!(minted.total(), Sum { count: 4, amount: 110 });
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    /// The time of each closed block's first entry, in milliseconds since 1970, in rising order.
    /// They are separate from the rest of the header, so that a search over blocks touches little
    /// memory.
    firsts: Vec<i64>,
    /// The rest of each closed block's header.
    blocks: Vec<Block>,
    /// The packed entries of all closed blocks, one block after the other, in whole little-endian
    /// words; see the module of blocks.
    bytes: Vec<u8>,
    /// Entries that are not in a block yet; fewer than [`BLOCK_LEN`] between two calls.
    head: Vec<(i64, u64)>,
    /// The sum of the closed blocks.
    closed: Sum,
    /// The sum of all entries.
    total: Sum,
    /// The time of the newest entry in `blocks` and `head`.
    last_at: Option<i64>,
    /// Late entries, in any order.
    late: Vec<(i64, u64)>,
}

/// The header of a closed block without the time of its first entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// The sum of the amounts of all entries before it.
    amount_before: u64,
    /// The offset in `bytes`, in words of eight bytes.
    word: u32,
    /// The bits of a time.
    time_bits: u8,
    /// The bits of an amount minus one; 0 if every amount is one.
    amount_bits: u8,
}

impl Timeline {
    /// Adds an entry at `at`, in milliseconds since 1970. The amount is at least one.
    ///
    /// # Panics
    /// If the amount is zero or the sum exceeds 2^64 − 1.
    pub fn push(&mut self, at: i64, amount: u64) {
        assert!(amount > 0, "an entry of a timeline has an amount");
        self.total.add(amount);
        if self.is_late(at) {
            self.late.push((at, amount));
            return;
        }
        self.last_at = Some(at);
        self.head.push((at, amount));
        if self.head.len() == BLOCK_LEN {
            self.close_head();
        }
    }

    /// Whether an entry at this time would be late, or was, if it is the newest.
    pub fn is_late(&self, at: i64) -> bool {
        self.last_at.is_some_and(|last| at < last)
    }

    /// The sum of all entries.
    pub fn total(&self) -> Sum {
        self.total
    }

    /// Merges late entries into their places. Returns whether there were any: closed blocks have
    /// then changed.
    pub fn settle(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        let late = std::mem::take(&mut self.late);
        let mut merged = Self::default();
        for (at, amount) in in_order(self.entries(), late) {
            merged.push(at, amount);
        }
        *self = merged;
        true
    }

    /// The memory that it takes on the heap, in bytes.
    pub fn heap_bytes(&self) -> usize {
        self.firsts.capacity() * size_of::<i64>()
            + self.blocks.capacity() * size_of::<Block>()
            + self.bytes.capacity()
            + (self.head.capacity() + self.late.capacity()) * size_of::<(i64, u64)>()
    }

    /// Every entry except late ones, in the order of time.
    pub(super) fn entries(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let blocks = (0..self.blocks.len()).flat_map(|index| {
            let packed = self.packed(index);
            (0..BLOCK_LEN).map(move |entry| (packed.time(entry), packed.amount(entry)))
        });
        blocks.chain(self.head.iter().copied())
    }

    /// The entries of a block.
    #[inline]
    fn packed(&self, index: usize) -> Packed<'_> {
        let block = &self.blocks[index];
        Packed::new(
            &self.bytes[8 * block.word as usize..],
            self.firsts[index],
            block.time_bits,
            block.amount_bits,
        )
    }

    fn close_head(&mut self) {
        let word =
            u32::try_from(self.bytes.len() / 8).expect("a timeline has fewer than 2^32 words");
        let (words, time_bits, amount_bits) = pack(&self.head);
        reserve_by_eighths(&mut self.firsts, 1);
        reserve_by_eighths(&mut self.blocks, 1);
        reserve_by_eighths(&mut self.bytes, 8 * words.len());
        self.firsts.push(self.head[0].0);
        let amount_before = self.closed.amount;
        self.blocks.push(Block {
            amount_before,
            word,
            time_bits,
            amount_bits,
        });
        let start = self.bytes.len();
        self.bytes.resize(start + 8 * words.len(), 0);
        let places = self.bytes[start..].as_chunks_mut::<8>().0;
        for (place, word) in places.iter_mut().zip(words) {
            *place = word.to_le_bytes();
        }
        for (_, amount) in self.head.drain(..) {
            self.closed.add(amount);
        }
    }
}

/// Entries in the order of time, with late ones in their places: after those with the same time.
pub(super) fn in_order<T>(
    entries: impl Iterator<Item = (i64, T)>,
    mut late: Vec<(i64, T)>,
) -> impl Iterator<Item = (i64, T)> {
    // A stable sort keeps the order of entries with the same time.
    late.sort_by_key(|(at, _)| *at);
    let (mut entries, mut late) = (entries.peekable(), late.into_iter().peekable());
    std::iter::from_fn(move || {
        let next = entries.peek().map(|(at, _)| *at);
        late.next_if(|(late_at, _)| next.is_none_or(|at| *late_at < at))
            .or_else(|| entries.next())
    })
}

/// Makes room for more items by an eighth at a time, where a vector would double its capacity:
/// timelines must take little memory per entry.
fn reserve_by_eighths<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more.max(items.len() / 8));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(entries: &[(i64, u64)], at: i64) -> Sum {
        let mut sum = Sum::default();
        for (_, amount) in entries.iter().filter(|(entry_at, _)| *entry_at < at) {
            sum.add(*amount);
        }
        sum
    }

    /// Steps of all sizes, including runs of the same time, and amounts of all sizes.
    fn entries() -> impl Strategy<Value = Vec<(i64, u64)>> {
        let step = prop_oneof![
            3 => Just(0_i64),
            5 => 0..5_000_i64,
            2 => 0..100_000_000_i64,
            1 => 0..4_000_000_000_000_i64,
        ];
        let amount = prop_oneof![
            4 => Just(1_u64),
            5 => 1..500_u64,
            1 => 1..=9_007_199_254_740_991_u64,
        ];
        let pairs = prop::collection::vec((step, amount), 0..800);
        (-1_000_000_000_000..1_000_000_000_000_i64, pairs).prop_map(|(start, pairs)| {
            let mut at = start;
            pairs
                .into_iter()
                .map(|(step, amount)| {
                    at += step;
                    (at, amount)
                })
                .collect()
        })
    }

    fn timeline(entries: &[(i64, u64)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (at, amount) in entries {
            timeline.push(*at, *amount);
        }
        timeline
    }

    proptest! {
        // The same cases each time.
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn every_sum_is_that_of_the_plain_list(
            entries in entries(),
            picks in prop::collection::vec((any::<prop::sample::Index>(), -1..=1_i64), 0..50),
        ) {
            let timeline = timeline(&entries);
            prop_assert_eq!(timeline.entries().collect::<Vec<_>>(), entries.clone());
            let mut times: Vec<i64> = picks
                .iter()
                .filter(|_| !entries.is_empty())
                .map(|(index, shift)| index.get(&entries).0 + shift)
                .chain([i64::MIN, i64::MAX])
                .collect();
            times.sort_unstable();
            let mut cursor = timeline.cursor();
            for at in times {
                prop_assert_eq!(timeline.before(at), naive(&entries, at));
                prop_assert_eq!(cursor.before(at), naive(&entries, at));
            }
        }

        #[test]
        fn late_entries_count_immediately_and_settle_into_their_places(
            mut entries in entries(),
            shuffle in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 0..40),
            at in any::<prop::sample::Index>(),
        ) {
            prop_assume!(!entries.is_empty());
            for [one, other] in shuffle {
                let (one, other) = (one.index(entries.len()), other.index(entries.len()));
                entries.swap(one, other);
            }
            let at = at.get(&entries).0;
            let mut timeline = timeline(&entries);
            prop_assert_eq!(timeline.before(at), naive(&entries, at));
            timeline.settle();
            prop_assert_eq!(timeline.before(at), naive(&entries, at));
            prop_assert!(timeline.late.is_empty());
            let total = timeline.total();
            prop_assert_eq!(total, naive(&entries, i64::MAX));
        }

        #[test]
        fn a_stored_timeline_is_the_same_timeline(entries in entries()) {
            let timeline = timeline(&entries);
            let count = timeline.block_count();
            let halves = [0..count / 2, count / 2..count];
            let pieces = halves.map(|range| Ok::<_, ()>(timeline.stored_blocks(range)));
            let restored = Timeline::restore(pieces.into_iter(), timeline.open_state());
            prop_assert_eq!(restored, Ok(Some(timeline)));
        }
    }
}
