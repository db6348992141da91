//! A closed block: entries packed so that any one can be read without those before it.
//!
//! A block is a few words, one after the other: the slope of a line through its times, the time at
//! which that line starts, then how far each time lies above the line, then each amount less one.
//! The numbers of the last two have one width each, as many bits as the largest needs.

/// Entries in a closed block.
pub const BLOCK_LEN: usize = 128;

/// Words of a block before its columns: the slope and the start of the line.
const LINE_WORDS: usize = 2;

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
    words: &'a [u64],
    /// The bit at which the first number begins.
    start: usize,
    /// Bits of a number, 0 to 64.
    bits: usize,
}

impl Column<'_> {
    #[inline]
    fn get(&self, index: usize) -> u64 {
        self.at_bit(self.start + index * self.bits)
    }

    /// The number that begins at a bit. It may reach into a second word, which is looked at in any
    /// case: whether it does is a coin toss that a branch would often get wrong.
    #[inline]
    fn at_bit(&self, bit: usize) -> u64 {
        let (word, shift) = (bit / 64, bit % 64);
        let word_at = |index: usize| self.words.get(index).copied().unwrap_or(0);
        let low = word_at(word) >> shift;
        // In two steps, as a shift by 64 is none.
        let high = word_at(word + 1) << 1 << (63 - shift);
        (low | high) & mask(self.bits)
    }

    /// The sum of a range of numbers.
    #[inline]
    fn sum(&self, range: std::ops::Range<usize>) -> u64 {
        let mut bit = self.start + range.start * self.bits;
        let mut sum = 0_u64;
        for _ in range {
            sum = sum.wrapping_add(self.at_bit(bit));
            bit += self.bits;
        }
        sum
    }
}

#[inline]
fn mask(bits: usize) -> u64 {
    if bits == 64 {
        u64::MAX
    } else {
        (1 << bits) - 1
    }
}

/// The entries of a closed block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Packed<'a> {
    slope: u64,
    base: i64,
    times: Column<'a>,
    amounts: Column<'a>,
}

impl<'a> Packed<'a> {
    /// The block at the front of `words`.
    #[inline]
    pub(super) fn new(words: &'a [u64], time_bits: u8, amount_bits: u8) -> Self {
        let start = LINE_WORDS * 64;
        let bits = usize::from(time_bits);
        Self {
            slope: words[0],
            base: words[1].cast_signed(),
            times: Column { words, start, bits },
            amounts: Column {
                words,
                start: start + BLOCK_LEN * bits,
                bits: usize::from(amount_bits),
            },
        }
    }

    /// The time of an entry.
    #[inline]
    pub(super) fn time(&self, index: usize) -> i64 {
        let line = self.slope.wrapping_mul(index as u64);
        self.base
            .wrapping_add_unsigned(line.wrapping_add(self.times.get(index)))
    }

    /// The amount of an entry.
    #[inline]
    pub(super) fn amount(&self, index: usize) -> u64 {
        self.amounts.get(index).wrapping_add(1)
    }

    /// How many entries from `from` on lie before `at`, and `from`.
    #[inline]
    pub(super) fn count_before(&self, at: i64, from: usize) -> usize {
        let (mut low, mut high) = (from, BLOCK_LEN);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.time(middle) < at {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The amounts of a range of entries.
    #[inline]
    pub(super) fn sum(&self, range: std::ops::Range<usize>) -> u64 {
        let count = range.len() as u64;
        if self.amounts.bits == 0 {
            return count;
        }
        count.wrapping_add(self.amounts.sum(range))
    }
}
