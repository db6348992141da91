//! Cursors: sums of a timeline at rising times.

use super::block::{BLOCK_LEN, partition_near};
use super::{Sum, Timeline};

/// Times that are looked up together.
const AHEAD: usize = 16;
/// The size of a timeline, in bytes, from which most of it is not in the processor's caches.
const FAR: usize = 4 << 20;
/// Bytes of a cache line.
const CACHE_LINE: usize = 64;

/// Computes sums of a timeline at rising times. It keeps its position between two calls, so that no
/// amount is read twice for narrow buckets.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    timeline: &'a Timeline,
    /// The index of the current block; the number of blocks if the cursor is in the head.
    block: usize,
    /// The number of blocks of the last move.
    stride: usize,
    /// Entries of the block or the head that were passed.
    passed: usize,
    /// The sum of all entries that were passed.
    sum: Sum,
}

impl<'a> Cursor<'a> {
    /// A buffer for the times that are looked up together.
    pub(super) const PLACES: [(usize, i64); AHEAD] = [(0, 0); AHEAD];

    pub(super) fn new(timeline: &'a Timeline) -> Self {
        Self {
            timeline,
            block: 0,
            stride: 0,
            passed: 0,
            sum: Sum::default(),
        }
    }

    /// The sum of all entries before `at`, which must not be before the time of the last call.
    pub fn before(&mut self, at: i64) -> Sum {
        self.before_in(self.timeline.block_for(at, self.block, self.stride), at)
    }

    /// [`Cursor::before`], for a time whose block is known.
    #[inline]
    pub(super) fn before_in(&mut self, block: usize, at: i64) -> Sum {
        self.enter(block);
        if self.block < self.timeline.blocks.len() {
            self.pass_in_block(at);
        } else {
            self.pass_in_head(at);
        }
        let mut sum = self.sum;
        for (_, amount) in self
            .timeline
            .late
            .iter()
            .filter(|(late_at, _)| *late_at < at)
        {
            sum.add(*amount);
        }
        sum
    }

    /// Finds the blocks of the next times, as many as fit in `places`. In a large timeline it also
    /// touches the blocks, so that the processor loads all of them into its caches together instead
    /// of waiting for one after the other.
    pub(super) fn look_ahead(
        &self,
        times: &mut impl Iterator<Item = i64>,
        places: &mut [(usize, i64); AHEAD],
    ) -> usize {
        let (mut block, mut stride) = (self.block, self.stride);
        let (mut count, mut seen) = (0, 0);
        let is_far = self.timeline.bytes.len() >= FAR;
        for (place, at) in places.iter_mut().zip(times) {
            let next = self.timeline.block_for(at, block, stride);
            stride = next - block;
            block = next;
            if stride > 0 && is_far {
                seen ^= self.timeline.touch(block);
            }
            *place = (block, at);
            count += 1;
        }
        // Without this the compiler could leave out the reads.
        std::hint::black_box(seen);
        count
    }

    #[inline]
    fn enter(&mut self, block: usize) {
        self.stride = block - self.block;
        if self.stride == 0 {
            return;
        }
        self.block = block;
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

    #[inline]
    fn pass_in_block(&mut self, at: i64) {
        let packed = self.timeline.packed(self.block);
        let passed = packed.count_before(at, self.passed);
        let skipped = passed - self.passed;
        self.sum.count += skipped as u64;
        if skipped > BLOCK_LEN - passed {
            // The end of the block is nearer, and the sum up to there is known.
            let next = self.timeline.blocks.get(self.block + 1);
            let after = next.map_or(self.timeline.closed.amount, |next| next.amount_before);
            self.sum.amount = after.wrapping_sub(packed.sum(passed..BLOCK_LEN));
        } else {
            self.sum.amount = self
                .sum
                .amount
                .wrapping_add(packed.sum(self.passed..passed));
        }
        self.passed = passed;
    }

    fn pass_in_head(&mut self, at: i64) {
        let head = self.timeline.head.iter().skip(self.passed);
        for (_, amount) in head.take_while(|(entry_at, _)| *entry_at < at) {
            self.sum.add(*amount);
            self.passed += 1;
        }
    }
}

impl Timeline {
    /// The sum of all entries before `at`, exclusive.
    pub fn before(&self, at: i64) -> Sum {
        self.cursor().before(at)
    }

    /// The sum of all entries from `from`, inclusive, to `to`, exclusive.
    pub fn between(&self, from: i64, to: i64) -> Sum {
        let mut cursor = self.cursor();
        let before = cursor.before(from);
        cursor.before(to) - before
    }

    /// A cursor for sums at rising times.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Computes the sums between each two neighbouring times of a rising sequence, in order.
    pub fn divide(&self, times: impl IntoIterator<Item = i64>, mut put: impl FnMut(Sum)) {
        let mut times = times.into_iter();
        let Some(from) = times.next() else { return };
        let mut cursor = self.cursor();
        let mut before = cursor.before(from);
        let mut places = Cursor::PLACES;
        while let count @ 1.. = cursor.look_ahead(&mut times, &mut places) {
            for (block, at) in &places[..count] {
                let after = cursor.before_in(*block, *at);
                put(after - before);
                before = after;
            }
        }
    }

    /// The last block, or the head, that begins before `at`, from `block` on.
    ///
    /// Most buckets have the same length, so that each move is about as long as the one before.
    #[inline]
    fn block_for(&self, at: i64, block: usize, stride: usize) -> usize {
        let Self { firsts, head, .. } = self;
        if head.first().is_some_and(|(head_at, _)| *head_at < at) {
            return firsts.len();
        }
        if firsts.is_empty() {
            return 0;
        }
        let next = block + 1;
        let begins_before = |index: usize| firsts[index] < at;
        partition_near(next + stride, next..firsts.len(), begins_before) - 1
    }

    /// Reads a byte of every cache line of a block and combines them.
    #[inline]
    fn touch(&self, block: usize) -> u8 {
        let Some(header) = self.blocks.get(block) else {
            return 0;
        };
        let next = self.blocks.get(block + 1);
        let end = next.map_or(self.bytes.len(), |next| 8 * next.word as usize);
        let lines = self.bytes[8 * header.word as usize..end].iter();
        lines.step_by(CACHE_LINE).fold(0, |seen, byte| seen ^ byte)
    }
}
