//! Questions to a timeline in the order of time.

use super::block::{BLOCK_LEN, partition_near};
use super::{Sum, Timeline};

/// How many times are looked up together.
const AHEAD: usize = 16;
/// Bytes of a timeline from which on most of it is in no cache of the processor.
const FAR: usize = 4 << 20;
/// Bytes that the memory brings at once.
const CACHE_LINE: usize = 64;

/// Asks a timeline for sums at rising times. Between two questions it stays where it is, so that
/// narrow buckets share the work: no amount is read twice.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    timeline: &'a Timeline,
    /// The block it stands in, or as many as there are: in the head.
    block: usize,
    /// How many blocks it last went on.
    stride: usize,
    /// Entries of the block, or of the head, that were passed.
    passed: usize,
    /// Everything that was passed.
    sum: Sum,
}

impl<'a> Cursor<'a> {
    /// Room for the times that are looked up together.
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

    /// Everything before `at`, which must not be less than it was the last time.
    pub fn before(&mut self, at: i64) -> Sum {
        self.before_in(self.timeline.block_for(at, self.block, self.stride), at)
    }

    /// The same, once it is known in which block to look.
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

    /// Finds the blocks of the next times, as many as `places` has room for, and where they are far
    /// has the memory bring all of them at once: looked into one after the other, each would be
    /// waited for.
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
        // Else nobody would have to read anything.
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
            // The end of the block, whose sum is known, is nearer.
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
    /// Everything before `at`, which itself is not included.
    pub fn before(&self, at: i64) -> Sum {
        self.cursor().before(at)
    }

    /// Everything from `from` on and before `to`.
    pub fn between(&self, from: i64, to: i64) -> Sum {
        let mut cursor = self.cursor();
        let before = cursor.before(from);
        cursor.before(to) - before
    }

    /// A cursor for asking [`Timeline::before`] at rising times.
    pub fn cursor(&self) -> Cursor<'_> {
        Cursor::new(self)
    }

    /// Tells, one after the other, what lies between each two neighbours of some rising times.
    pub fn divide(&self, times: impl IntoIterator<Item = i64>, mut tell: impl FnMut(Sum)) {
        let mut times = times.into_iter();
        let Some(from) = times.next() else { return };
        let mut cursor = self.cursor();
        let mut before = cursor.before(from);
        let mut places = Cursor::PLACES;
        while let count @ 1.. = cursor.look_ahead(&mut times, &mut places) {
            for (block, at) in &places[..count] {
                let after = cursor.before_in(*block, *at);
                tell(after - before);
                before = after;
            }
        }
    }

    /// The last block, or the head, that begins before `at`; never one before `block`.
    ///
    /// Most buckets are of one length, so that each goes on about as far as the one before.
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

    /// Reads something of every cache line of a block, and gives back what comes of that.
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
