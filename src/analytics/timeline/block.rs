//! Closed blocks: entries packed so that any of them can be read without those before it.
//!
//! A block is a sequence of words: the slope of a line through its times, the time at which the
//! line starts, the distance of each time above the line, and each amount minus one. The distances
//! have one width and the amounts another, as many bits as the largest needs.

/// Entries in a closed block.
pub const BLOCK_LEN: usize = 128;

/// Bits of a block before its columns, for the slope and the start of the line.
const LINE_BITS: usize = 128;

/// Packs the entries of a block. Returns the words, the bits of a time and the bits of an amount.
pub(super) fn pack(entries: &[(i64, u64)]) -> (Vec<u64>, u8, u8) {
    let (first, last) = (entries[0].0, entries[entries.len() - 1].0);
    let slope = last.abs_diff(first) / (entries.len() as u64 - 1);
    // The distance of each time above a line from the first entry, at most the whole span.
    let above: Vec<i128> = (0_u64..)
        .zip(entries)
        .map(|(index, (at, _))| i128::from(*at) - i128::from(first) - i128::from(index * slope))
        .collect();
    let lowest = above.iter().copied().min().unwrap_or(0);
    let base = i64::try_from(i128::from(first) + lowest)
        .expect("the range of times leaves room for their span");
    let times: Vec<u64> = above
        .iter()
        .map(|above| u64::try_from(above - lowest).expect("no time is below the lowest"))
        .collect();
    let amounts: Vec<u64> = entries.iter().map(|(_, amount)| amount - 1).collect();
    let (time_bits, amount_bits) = (width(&times), width(&amounts));
    let mut writer = BitWriter {
        words: vec![slope, base.cast_unsigned()],
        used: 0,
    };
    for time in times {
        writer.put(time, time_bits);
    }
    for amount in amounts {
        writer.put(amount, amount_bits);
    }
    (writer.words, time_bits, amount_bits)
}

/// The bits that the largest number needs.
fn width(numbers: &[u64]) -> u8 {
    let largest = numbers.iter().copied().max().unwrap_or(0);
    u8::try_from(u64::BITS - largest.leading_zeros()).unwrap_or(64)
}

/// Writes numbers bit by bit, the lowest bit first.
struct BitWriter {
    words: Vec<u64>,
    /// Bits used of the last word; 0 if it is full.
    used: u32,
}

impl BitWriter {
    /// Writes the low `len` bits of `value`, whose other bits are zero.
    fn put(&mut self, value: u64, len: u8) {
        let len = u32::from(len);
        if len == 0 {
            return;
        }
        if self.used == 0 {
            self.words.push(value);
        } else {
            let room = 64 - self.used;
            if let Some(word) = self.words.last_mut() {
                *word |= value << self.used;
            }
            if len > room {
                self.words.push(value >> room);
            }
        }
        self.used = (self.used + len) % 64;
    }
}

/// A sequence of numbers of the same width.
#[derive(Debug, Clone, Copy)]
struct Column<'a> {
    bytes: &'a [u8],
    /// The offset of the first number, in bits.
    start: usize,
    /// The bits of a number, 0 to 64.
    bits: usize,
    /// A mask of that many bits.
    mask: u64,
}

impl<'a> Column<'a> {
    #[inline]
    fn new(bytes: &'a [u8], start: usize, bits: usize) -> Self {
        let mask = mask(bits);
        Self {
            bytes,
            start,
            bits,
            mask,
        }
    }

    #[inline]
    fn get(&self, index: usize) -> u64 {
        let bit = self.start + index * self.bits;
        if self.bits <= READ_BITS {
            self.read(bit) & self.mask
        } else {
            (self.read(bit) & mask(32) | self.read(bit + 32) << 32) & self.mask
        }
    }

    /// Reads at least [`READ_BITS`] bits from a position on.
    #[inline]
    fn read(&self, bit: usize) -> u64 {
        let byte = bit / 8;
        let word = self.bytes.get(byte..byte + 8).and_then(<[u8]>::first_chunk);
        let word = word.map_or_else(
            || padded(self.bytes, byte),
            |word| u64::from_le_bytes(*word),
        );
        word >> (bit % 8)
    }

    /// The sum of a range of numbers, at most half a block. Several numbers are read together and
    /// added in pairs, each pair in a lane of twice the width, which has room for the sum.
    #[inline]
    fn sum(&self, range: std::ops::Range<usize>) -> u64 {
        let several = SEVERAL.get(self.bits).filter(|several| several.count > 0);
        let Some(several) = several else {
            return range.fold(0, |sum, index| sum.wrapping_add(self.get(index)));
        };
        let pairs =
            |numbers: u64| (numbers & several.lanes) + (numbers >> self.bits & several.lanes);
        let (mut bit, mut left) = (self.start + range.start * self.bits, range.len());
        let mut places = 0;
        while left > several.count {
            places += pairs(self.read(bit) & several.mask);
            bit += several.bits;
            left -= several.count;
        }
        places += pairs(self.read(bit) & mask(left * self.bits));
        let (mut sum, width) = (0, 2 * self.bits);
        while places > 0 {
            sum += places & mask(width);
            places >>= width;
        }
        sum
    }
}

/// Bits that one read gives at least, at any position.
const READ_BITS: usize = 57;

/// The last bytes, padded with zeros.
#[cold]
#[inline(never)]
fn padded(bytes: &[u8], from: usize) -> u64 {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// How several numbers of the same width are read together.
struct Several {
    count: usize,
    /// Their total number of bits.
    bits: usize,
    mask: u64,
    /// The bits of every other number, beginning with the first.
    lanes: u64,
}

/// Indexed by width. Numbers of 1 and 2 bits are read one by one, because a lane has no room for
/// the sum of half a block, and so are those of which fewer than three could be read together.
static SEVERAL: [Several; 20] = {
    let mut all = [const {
        Several {
            count: 0,
            bits: 0,
            mask: 0,
            lanes: 0,
        }
    }; 20];
    let mut bits = 3;
    while bits < all.len() {
        let mut count = READ_BITS / bits;
        // The last lane is as wide as the others.
        if count.div_ceil(2) * 2 * bits > 64 {
            count -= 1;
        }
        let mut lanes = 0;
        let mut number = 0;
        while number < count {
            lanes |= mask(bits) << (number * bits);
            number += 2;
        }
        // Each step adds two numbers to a lane, which has room for 2^bits + 1 of them.
        assert!(2 * (BLOCK_LEN / 2).div_ceil(count) <= (1 << bits) + 1);
        all[bits] = Several {
            count,
            bits: count * bits,
            mask: mask(count * bits),
            lanes,
        };
        bits += 1;
    }
    all
};

#[inline]
const fn mask(bits: usize) -> u64 {
    if bits == 64 {
        u64::MAX
    } else {
        (1 << bits) - 1
    }
}

/// The end of those items of a range for which `is_before` holds; they precede all others. The
/// nearer the guess, the fewer items are tested.
#[inline]
pub(super) fn partition_near(
    guess: usize,
    range: std::ops::Range<usize>,
    is_before: impl Fn(usize) -> bool,
) -> usize {
    let (mut low, mut high) = (range.start, range.end);
    let guess = guess.clamp(low, high);
    let mut step = 1;
    if guess < high && is_before(guess) {
        low = guess + 1;
        while step <= high - low && is_before(low + step - 1) {
            low += step;
            step *= 2;
        }
        high = high.min(low + step - 1);
    } else {
        high = guess;
        while step <= high - low && !is_before(high - step) {
            high -= step;
            step *= 2;
        }
        low = low.max((high + 1).saturating_sub(step));
    }
    while low < high {
        let middle = usize::midpoint(low, high);
        if is_before(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}

/// The entries of a closed block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    /// The time of the first entry.
    first: i64,
    slope: u64,
    base: i64,
    times: Column<'a>,
    amounts: Column<'a>,
}

impl<'a> Packed<'a> {
    /// The block at the beginning of `bytes`, with its first entry at `first`.
    #[inline]
    pub(super) fn new(bytes: &'a [u8], first: i64, time_bits: u8, amount_bits: u8) -> Self {
        let line = Column::new(bytes, 0, 64);
        let (time_bits, amount_bits) = (usize::from(time_bits), usize::from(amount_bits));
        Self {
            first,
            slope: line.read(0),
            base: line.read(64).cast_signed(),
            times: Column::new(bytes, LINE_BITS, time_bits),
            amounts: Column::new(bytes, LINE_BITS + BLOCK_LEN * time_bits, amount_bits),
        }
    }

    /// The time of an entry after the base.
    #[inline]
    fn above_base(&self, index: usize) -> u64 {
        let line = self.slope.wrapping_mul(index as u64);
        line.wrapping_add(self.times.get(index))
    }

    /// The time of an entry.
    #[inline]
    pub(super) fn time(&self, index: usize) -> i64 {
        self.base.wrapping_add_unsigned(self.above_base(index))
    }

    /// The amount of an entry.
    #[inline]
    pub(super) fn amount(&self, index: usize) -> u64 {
        self.amounts.get(index).wrapping_add(1)
    }

    /// The index of the first entry from `from` on that is not before `at`.
    ///
    /// The line from the first entry to the last gives a good guess, as events come at a nearly
    /// even pace.
    #[inline]
    pub(super) fn count_before(&self, at: i64, from: usize) -> usize {
        if at <= self.first {
            return from;
        }
        let reach = at.abs_diff(self.base);
        let guess = at.abs_diff(self.first).checked_div(self.slope);
        let guess = guess.and_then(|guess| usize::try_from(guess).ok());
        partition_near(guess.unwrap_or(BLOCK_LEN), from..BLOCK_LEN, |index| {
            self.above_base(index) < reach
        })
    }

    /// The sum of the amounts of a range, at most half of the entries.
    #[inline]
    pub(super) fn sum(&self, range: std::ops::Range<usize>) -> u64 {
        let count = range.len() as u64;
        if self.amounts.bits == 0 {
            return count;
        }
        count.wrapping_add(self.amounts.sum(range))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A full block whose steps and amounts have a random number of bits.
    fn entries() -> impl Strategy<Value = Vec<(i64, u64)>> {
        (
            0..=44_u32,
            0..=53_u32,
            -1_000_000_000_000..1_000_000_000_000_i64,
        )
            .prop_flat_map(|(step_bits, amount_bits, start)| {
                let pair = (0..=1_i64 << step_bits, 1..=1_u64 << amount_bits);
                let pairs = prop::collection::vec(pair, BLOCK_LEN);
                pairs.prop_map(move |pairs| {
                    let mut at = start;
                    let entry = |(step, amount)| {
                        at += step;
                        (at, amount)
                    };
                    pairs.into_iter().map(entry).collect()
                })
            })
    }

    proptest! {
        // The same cases each time.
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn a_block_gives_the_same_sums_as_its_entries(
            entries in entries(),
            ranges in prop::collection::vec((0..BLOCK_LEN, 0..=BLOCK_LEN / 2), 20),
            questions in prop::collection::vec((0..BLOCK_LEN, -1..=1_i64, 0..=BLOCK_LEN), 20),
        ) {
            let (words, time_bits, amount_bits) = pack(&entries);
            let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
            let packed = Packed::new(&bytes, entries[0].0, time_bits, amount_bits);
            for (index, entry) in entries.iter().enumerate() {
                prop_assert_eq!((packed.time(index), packed.amount(index)), *entry);
            }
            for (start, len) in ranges {
                let range = start..BLOCK_LEN.min(start + len);
                let sum = entries[range.clone()].iter().map(|(_, amount)| amount).sum::<u64>();
                prop_assert_eq!(packed.sum(range), sum);
            }
            for (index, shift, from) in questions {
                let at = entries[index].0 + shift;
                let before = entries.partition_point(|(entry_at, _)| *entry_at < at);
                prop_assert_eq!(packed.count_before(at, from), before.max(from));
            }
        }
    }
}
