//! One measure over time, small enough to keep whole and quick enough to ask about any window.
//!
//! A timeline answers "how many, and how much, before `t`" exactly, for any millisecond `t`; a window
//! is the difference of two such answers. It keeps every entry, but not as it came:
//!
//! * The newest entries, up to [`BLOCK_LEN`], stand in an open **head** as plain pairs.
//! * A full head is closed into a **block**. Its header holds the time of its first entry and the
//!   sum of all amounts before it (how many entries stand before it follows from its place), so
//!   that all but one block of an answer is a binary search.
//! * Inside a block an entry is two small numbers: the milliseconds since the entry before, and its
//!   amount less one. Each is **Rice coded**: the high part in unary (that many one bits, then a
//!   zero), then the low `k` bits as they are. A number near 2^k then takes about `k` + 2 bits, and
//!   `k` is chosen anew for each block and each of the two. The few numbers that would make a long
//!   row of ones are written out after [`ESCAPE`] of them instead. Where all amounts are one, as when
//!   only occurrences are counted, they take no bits at all.
//!
//! Blocks never change once closed. Entries come in the order of time; one that comes late (only an
//! import brings such) waits in a list of its own, which every answer includes, until
//! [`Timeline::settle`] merges it in.
//!
//! Sources: Rice and Plaunt, "Adaptive Variable-Length Coding" (1971), for the code; Pelkonen et al.,
//! "Gorilla" (2015), for blocks of delta-coded points in memory.

use serde::{Deserialize, Serialize};

/// Entries in a closed block.
pub const BLOCK_LEN: usize = 64;

/// How many and how much.
///
/// ```
/// use stampcard::analytics::Sum;
/// let (all, early) = (Sum { count: 5, amount: 90 }, Sum { count: 2, amount: 30 });
/// assert_eq!(all - early, Sum { count: 3, amount: 60 });
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sum {
    /// Entries.
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
        // The store keeps every total of points below 2^53.
        self.amount = self
            .amount
            .checked_add(amount)
            .expect("a sum fits in 64 bits");
    }
}

/// An append-only series of (time, amount), delta-coded.
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
    /// The closed blocks, in the order of time.
    blocks: Vec<Block>,
    /// Their coded entries. Each block begins a new word.
    words: Vec<u64>,
    /// Entries not in a block yet; never [`BLOCK_LEN`] of them between two calls.
    head: Vec<(i64, u64)>,
    /// Everything in the closed blocks.
    closed: Sum,
    /// Everything.
    total: Sum,
    /// Entries that came after later ones, in any order.
    late: Vec<(i64, u64)>,
}

/// The header of a closed block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// The time of its first entry, in milliseconds since 1970.
    first_at: i64,
    /// The amounts of all entries before it.
    amount_before: u64,
    /// Where its bits begin in `words`.
    word: u32,
    /// The Rice parameter of the time steps.
    step_bits: u8,
    /// The Rice parameter of the amounts, or [`ALL_ONE`].
    amount_bits: u8,
}

/// In place of a Rice parameter: every amount is one and none is written.
const ALL_ONE: u8 = u8::MAX;
/// So many one bits stand for a number written out in 64 bits.
const ESCAPE: u32 = 20;
/// The largest Rice parameter: with the unary part it still fits into one look at 64 bits.
const PARAMETER_MAX: u8 = 40;

impl Timeline {
    /// Adds an entry at `at`, in milliseconds since 1970. The amount is at least one.
    ///
    /// # Panics
    /// If the amount is zero, or a sum passes 2^64 − 1.
    pub fn push(&mut self, at: i64, amount: u64) {
        assert!(amount > 0, "an entry of a timeline has an amount");
        self.total.add(amount);
        if self.last_at().is_some_and(|last| at < last) {
            self.late.push((at, amount));
            return;
        }
        self.head.push((at, amount));
        if self.head.len() == BLOCK_LEN {
            self.close_head();
        }
    }

    /// Everything before `at`, which itself is not included.
    pub fn before(&self, at: i64) -> Sum {
        let mut cursor = Cursor::new(self);
        cursor.before(at)
    }

    /// Everything.
    pub fn total(&self) -> Sum {
        self.total
    }

    /// A cursor for asking [`Timeline::before`] at rising times, each block decoded at most once.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Merges entries that came late into their places.
    pub fn settle(&mut self) {
        if self.late.is_empty() {
            return;
        }
        let mut late = std::mem::take(&mut self.late);
        // Stable: among entries of one time the order they came in is kept.
        late.sort_by_key(|(at, _)| *at);
        let mut late = late.into_iter().peekable();
        let mut merged = Self::default();
        for (at, amount) in self.entries() {
            while let Some((at, amount)) = late.next_if(|(late_at, _)| *late_at < at) {
                merged.push(at, amount);
            }
            merged.push(at, amount);
        }
        for (at, amount) in late {
            merged.push(at, amount);
        }
        *self = merged;
    }

    /// Every entry in the order of time, but for those that came late.
    fn entries(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        let blocks = self.blocks.iter().flat_map(|block| {
            let mut reader = BlockReader::new(block, &self.words);
            (0..BLOCK_LEN).map(move |_| {
                let entry = (reader.at, reader.amount());
                reader.step();
                entry
            })
        });
        blocks.chain(self.head.iter().copied())
    }

    /// Bytes of memory it takes on the heap.
    pub fn heap_bytes(&self) -> usize {
        self.blocks.capacity() * size_of::<Block>()
            + self.words.capacity() * size_of::<u64>()
            + (self.head.capacity() + self.late.capacity()) * size_of::<(i64, u64)>()
    }

    fn last_at(&self) -> Option<i64> {
        // Only right after closing is the head empty while there are blocks.
        self.head.last().map(|(at, _)| *at).or_else(|| {
            let block = self.blocks.last()?;
            let mut reader = BlockReader::new(block, &self.words);
            for _ in 1..BLOCK_LEN {
                reader.amount();
                reader.step();
            }
            Some(reader.at)
        })
    }

    fn close_head(&mut self) {
        let first_at = self.head[0].0;
        let steps: Vec<u64> = self
            .head
            .windows(2)
            .map(|pair| pair[1].0.abs_diff(pair[0].0))
            .collect();
        let step_bits = rice_parameter(&steps.iter().copied());
        let amounts = self.head.iter().map(|(_, amount)| amount - 1);
        let amount_bits = if amounts.clone().all(|amount| amount == 0) {
            ALL_ONE
        } else {
            rice_parameter(&amounts)
        };
        let word = u32::try_from(self.words.len()).expect("a timeline has fewer than 2^32 words");
        let mut writer = BitWriter::default();
        for (index, (_, amount)) in self.head.iter().enumerate() {
            if index > 0 {
                writer.rice(steps[index - 1], step_bits);
            }
            if amount_bits != ALL_ONE {
                writer.rice(amount - 1, amount_bits);
            }
        }
        let amount_before = self.closed.amount;
        let block = Block {
            first_at,
            amount_before,
            word,
            step_bits,
            amount_bits,
        };
        reserve_by_eighths(&mut self.blocks, 1);
        self.blocks.push(block);
        let words = writer.finish();
        reserve_by_eighths(&mut self.words, words.len());
        self.words.extend(words);
        for (_, amount) in self.head.drain(..) {
            self.closed.add(amount);
        }
    }
}

/// Makes room as a vector does by itself, but by an eighth at a time instead of twice as much:
/// memory per entry is what a timeline is about.
fn reserve_by_eighths<T>(items: &mut Vec<T>, more: usize) {
    if items.capacity() - items.len() < more {
        items.reserve_exact(more.max(items.len() / 8));
    }
}

/// The Rice parameter that makes these numbers shortest, or nearly so.
fn rice_parameter(numbers: &(impl Iterator<Item = u64> + Clone)) -> u8 {
    let (mut count, mut sum) = (0_u64, 0_u128);
    for number in numbers.clone() {
        count += 1;
        sum += u128::from(number);
    }
    let mean = u64::try_from(sum / u128::from(count.max(1))).unwrap_or(u64::MAX);
    let near = u8::try_from(mean.max(1).ilog2())
        .unwrap_or(PARAMETER_MAX)
        .min(PARAMETER_MAX);
    let length = |bits: &u8| {
        numbers
            .clone()
            .map(|n| u64::from(rice_len(n, *bits)))
            .sum::<u64>()
    };
    // One gap among many small steps pulls the mean up; the best parameter then lies lower.
    (near.saturating_sub(6)..=(near + 1).min(PARAMETER_MAX))
        .min_by_key(length)
        .unwrap_or(near)
}

/// Bits that a number takes.
fn rice_len(number: u64, bits: u8) -> u32 {
    match u32::try_from(number >> bits) {
        Ok(high) if high < ESCAPE => high + 1 + u32::from(bits),
        _ => ESCAPE + 64,
    }
}

/// Puts bits one after the other, the lowest first.
#[derive(Default)]
struct BitWriter {
    words: Vec<u64>,
    used: u32,
}

impl BitWriter {
    fn rice(&mut self, number: u64, bits: u8) {
        match u32::try_from(number >> bits) {
            Ok(high) if high < ESCAPE => {
                self.put((1 << high) - 1, high + 1);
                self.put(number & ((1 << bits) - 1), u32::from(bits));
            }
            _ => {
                self.put((1 << ESCAPE) - 1, ESCAPE);
                self.put(number, 64);
            }
        }
    }

    /// The low `len` bits of `value`; the others are zero.
    fn put(&mut self, value: u64, len: u32) {
        if len == 0 {
            return;
        }
        if self.used == 0 {
            self.words.push(0);
        }
        if let Some(word) = self.words.last_mut() {
            *word |= value << self.used;
        }
        let room = 64 - self.used;
        if len > room {
            self.words.push(value >> room);
        }
        self.used = (self.used + len) % 64;
    }

    fn finish(self) -> Vec<u64> {
        self.words
    }
}

/// Reads the entries of one block, one after the other.
#[derive(Debug, Clone)]
struct BlockReader<'a> {
    words: &'a [u64],
    /// The next bit.
    bit: usize,
    /// The time of the entry it stands at.
    at: i64,
    step_bits: u8,
    amount_bits: u8,
}

impl<'a> BlockReader<'a> {
    fn new(block: &Block, words: &'a [u64]) -> Self {
        Self {
            words,
            bit: block.word as usize * 64,
            at: block.first_at,
            step_bits: block.step_bits,
            amount_bits: block.amount_bits,
        }
    }

    /// The amount of the entry it stands at. To be asked exactly once an entry.
    #[inline]
    fn amount(&mut self) -> u64 {
        if self.amount_bits == ALL_ONE {
            1
        } else {
            self.rice(self.amount_bits) + 1
        }
    }

    /// Goes to the next entry. After the last one of a block, where it stands means nothing.
    #[inline]
    fn step(&mut self) {
        let step = self.rice(self.step_bits);
        self.at = self.at.wrapping_add_unsigned(step);
    }

    #[inline]
    fn rice(&mut self, bits: u8) -> u64 {
        let look = self.look();
        let high = look.trailing_ones();
        if high < ESCAPE {
            let low = (look >> (high + 1)) & ((1 << bits) - 1);
            self.bit += (high + 1) as usize + usize::from(bits);
            return u64::from(high) << bits | low;
        }
        self.bit += ESCAPE as usize;
        let number = self.look();
        self.bit += 64;
        number
    }

    /// The next 64 bits; zeros after the end.
    #[inline]
    fn look(&self) -> u64 {
        let (index, shift) = (self.bit / 64, self.bit % 64);
        let word = |index: usize| self.words.get(index).copied().unwrap_or(0);
        if shift == 0 {
            word(index)
        } else {
            word(index) >> shift | word(index + 1) << (64 - shift)
        }
    }
}

/// Asks a timeline for sums at rising times. Between two questions it stays where it is, so that
/// narrow buckets share the work: each block is decoded at most once, and only as far as needed.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    timeline: &'a Timeline,
    /// The block it stands in, or as many as there are: in the head.
    block: usize,
    /// Where it stands in that block; `None` until it is looked into.
    reader: Option<BlockReader<'a>>,
    /// Entries of the block, or of the head, that were passed.
    passed: usize,
    /// Everything that was passed.
    sum: Sum,
}

impl<'a> Cursor<'a> {
    fn new(timeline: &'a Timeline) -> Self {
        Self {
            timeline,
            block: 0,
            reader: None,
            passed: 0,
            sum: Sum::default(),
        }
    }

    /// Everything before `at`, which must not be less than it was the last time.
    pub fn before(&mut self, at: i64) -> Sum {
        let timeline = self.timeline;
        self.skip_blocks(at);
        if self.block < timeline.blocks.len() {
            self.pass_in_block(at);
        }
        if self.block == timeline.blocks.len() {
            while let Some((_, amount)) = timeline
                .head
                .get(self.passed)
                .filter(|(entry_at, _)| *entry_at < at)
            {
                self.sum.add(*amount);
                self.passed += 1;
            }
        }
        let mut sum = self.sum;
        for (_, amount) in timeline.late.iter().filter(|(late_at, _)| *late_at < at) {
            sum.add(*amount);
        }
        sum
    }

    /// Goes to the last block, or the head, that begins before `at`, unless it is there already.
    fn skip_blocks(&mut self, at: i64) {
        let timeline = self.timeline;
        let blocks = &timeline.blocks;
        if timeline
            .head
            .first()
            .is_some_and(|(head_at, _)| *head_at < at)
        {
            self.enter(blocks.len());
            return;
        }
        // Gallop: the next boundary is mostly near.
        let start = self.block;
        let begins_before = |index: usize| blocks.get(index).is_some_and(|b| b.first_at < at);
        if !begins_before(start + 1) {
            return;
        }
        let mut step = 1;
        while begins_before(start + 2 * step) {
            step *= 2;
        }
        // It begins before at `start + step`, and no longer at `start + 2 * step`.
        let (low, high) = (start + step, (start + 2 * step).min(blocks.len()));
        let further = blocks[low..high].partition_point(|block| block.first_at < at);
        self.enter(low + further - 1);
    }

    fn enter(&mut self, block: usize) {
        if block == self.block {
            return;
        }
        self.block = block;
        self.reader = None;
        self.passed = 0;
        self.sum = match self.timeline.blocks.get(block) {
            Some(header) => {
                let count = (block * BLOCK_LEN) as u64;
                Sum {
                    count,
                    amount: header.amount_before,
                }
            }
            None => self.timeline.closed,
        };
    }

    fn pass_in_block(&mut self, at: i64) {
        let header = &self.timeline.blocks[self.block];
        let reader = self
            .reader
            .get_or_insert_with(|| BlockReader::new(header, &self.timeline.words));
        while self.passed < BLOCK_LEN && reader.at < at {
            self.sum.count += 1;
            self.sum.amount += reader.amount();
            reader.step();
            self.passed += 1;
        }
        if self.passed == BLOCK_LEN {
            let next = self.block + 1;
            self.enter(next);
        }
    }
}

/// The closed blocks from a place on, in a form that can be stored; see [`Timeline::restore`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredBlock {
    first_at: i64,
    amount: u64,
    step_bits: u8,
    amount_bits: u8,
    words: Vec<u64>,
}

/// Everything of a timeline but its closed blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenState {
    /// How many blocks are closed.
    pub blocks: u64,
    head: Vec<(i64, u64)>,
}

impl Timeline {
    /// How many blocks are closed.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// What can still change, to be stored with every snapshot.
    ///
    /// # Panics
    /// If an entry that came late has not been merged.
    pub fn open_state(&self) -> OpenState {
        assert!(
            self.late.is_empty(),
            "a timeline is settled before it is stored"
        );
        OpenState {
            blocks: self.blocks.len() as u64,
            head: self.head.clone(),
        }
    }

    /// Closed blocks, to be stored once.
    pub fn stored_blocks(&self, range: std::ops::Range<usize>) -> Vec<StoredBlock> {
        range
            .map(|index| {
                let block = &self.blocks[index];
                let next = self.blocks.get(index + 1);
                let end = next.map_or(self.words.len(), |next| next.word as usize);
                let amount_after = next.map_or(self.closed.amount, |next| next.amount_before);
                StoredBlock {
                    first_at: block.first_at,
                    amount: amount_after - block.amount_before,
                    step_bits: block.step_bits,
                    amount_bits: block.amount_bits,
                    words: self.words[block.word as usize..end].to_vec(),
                }
            })
            .collect()
    }

    /// The timeline that was stored. `None` if the parts do not fit together.
    pub fn restore(blocks: &[StoredBlock], open: OpenState) -> Option<Self> {
        if blocks.len() as u64 != open.blocks || open.head.len() >= BLOCK_LEN {
            return None;
        }
        let mut timeline = Self::default();
        timeline.blocks.reserve_exact(blocks.len());
        timeline
            .words
            .reserve_exact(blocks.iter().map(|block| block.words.len()).sum());
        for block in blocks {
            timeline.blocks.push(Block {
                first_at: block.first_at,
                amount_before: timeline.closed.amount,
                word: u32::try_from(timeline.words.len()).ok()?,
                step_bits: Some(block.step_bits).filter(|bits| *bits <= PARAMETER_MAX)?,
                amount_bits: Some(block.amount_bits)
                    .filter(|bits| *bits <= PARAMETER_MAX || *bits == ALL_ONE)?,
            });
            timeline.words.extend(&block.words);
            timeline.closed.count += BLOCK_LEN as u64;
            timeline.closed.amount = timeline.closed.amount.checked_add(block.amount)?;
        }
        timeline.total = timeline.closed;
        for (_, amount) in &open.head {
            timeline.total.count += 1;
            timeline.total.amount = timeline.total.amount.checked_add(*amount)?;
        }
        timeline.head = open.head;
        Some(timeline)
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

    /// Steps of all sizes, runs of one time among them, and amounts of all sizes.
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
        let pairs = prop::collection::vec((step, amount), 0..500);
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
        fn late_entries_count_at_once_and_settle_into_their_places(
            mut entries in entries(),
            shuffle in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 0..40),
            at in any::<prop::sample::Index>(),
        ) {
            prop_assume!(!entries.is_empty());
            for (one, other) in shuffle {
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
            let blocks = timeline.stored_blocks(0..timeline.block_count());
            let restored = Timeline::restore(&blocks, timeline.open_state());
            prop_assert_eq!(restored, Some(timeline));
        }
    }
}
