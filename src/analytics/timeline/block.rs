//! A closed block: entries packed so that any one can be read without those before it.
//!
//! A block is a few words, one after the other: the slope of a line through its times, the time at
//! which that line starts, then how far each time lies above the line, then each amount less one.
//! The numbers of the last two have one width each, as many bits as the largest needs.

/// Entries in a closed block.
pub const BLOCK_LEN: usize = 128;

/// Bits of a block before its columns: the slope and the start of the line.
const LINE_BITS: usize = 128;

/// Packs the entries of a block: a word for the slope of the line through its times, a word for the
/// time at which the line starts, then all times above the line, then all amounts less one. Gives
/// back the words, the bits of a time and the bits of an amount.
pub(super) fn pack(entries: &[(i64, u64)]) -> (Vec<u64>, u8, u8) {
    let (first, last) = (entries[0].0, entries[entries.len() - 1].0);
    let slope = last.abs_diff(first) / (entries.len() as u64 - 1);
    // How far above a line from the first entry each lies; none is more than the whole span away.
    let above: Vec<i128> = (0_u64..)
        .zip(entries)
        .map(|(index, (at, _))| i128::from(*at) - i128::from(first) - i128::from(index * slope))
        .collect();
    let lowest = above.iter().copied().min().unwrap_or(0);
    let base = i64::try_from(i128::from(first) + lowest).expect("times leave room for their span");
    let times: Vec<u64> = above
        .iter()
        .map(|above| u64::try_from(above - lowest).expect("no time lies below the lowest"))
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

/// Bits that the largest of these numbers needs.
fn width(numbers: &[u64]) -> u8 {
    let largest = numbers.iter().copied().max().unwrap_or(0);
    u8::try_from(u64::BITS - largest.leading_zeros()).unwrap_or(64)
}

/// Puts bits one after the other, the lowest first.
struct BitWriter {
    words: Vec<u64>,
    /// Bits used of the last word, 0 when it is full.
    used: u32,
}

impl BitWriter {
    /// The low `len` bits of `value`; the others are zero.
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

/// Numbers of one width.
#[derive(Debug, Clone, Copy)]
struct Column<'a> {
    bytes: &'a [u8],
    /// The bit at which the first number begins.
    start: usize,
    /// Bits of a number, 0 to 64.
    bits: usize,
    /// As many ones.
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

    /// [`READ_BITS`] from one on, and some of those behind them.
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

    /// The sum of a range of numbers, at most half a block. Several are read at once and added two
    /// by two, each pair in a place of twice their width, which has room for the sum.
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

/// Bits that one look is sure to give, from any bit on.
const READ_BITS: usize = 57;

/// The last bytes, with zeros behind them.
#[cold]
#[inline(never)]
fn padded(bytes: &[u8], from: usize) -> u64 {
    let rest = bytes.get(from..).unwrap_or_default();
    rest.iter()
        .rev()
        .fold(0, |word, byte| word << 8 | u64::from(*byte))
}

/// How several numbers of one width are read at once.
struct Several {
    count: usize,
    /// All bits of them.
    bits: usize,
    mask: u64,
    /// The bits of every other one, from the first on.
    lanes: u64,
}

/// By width. Not for 1 and 2 bits, of which a pair has no room for the sum of half a block, nor for
/// widths of which fewer than three are read at once: those numbers are read one by one.
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
        // The last place is as wide as the others.
        if count.div_ceil(2) * 2 * bits > 64 {
            count -= 1;
        }
        let mut lanes = 0;
        let mut number = 0;
        while number < count {
            lanes |= mask(bits) << (number * bits);
            number += 2;
        }
        // A place takes in two numbers each time, and has room for 2^bits + 1.
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

/// Where in a range those end that `is_before` holds for, which stand before all others. The nearer
/// the guess, the fewer are looked at.
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
    /// The block at the front of `bytes`, its first entry at `first`.
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

    /// How far after the base an entry lies.
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

    /// How many entries from `from` on lie before `at`, and `from`.
    ///
    /// The line from the first entry to the last tells about where to look: it is a few entries to
    /// one side from there, as events come at a nearly even pace.
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

    /// The amounts of a range of entries, at most half of them.
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

    /// A full block, its steps and amounts of some number of bits.
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
        fn a_block_answers_as_its_entries_do(
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
