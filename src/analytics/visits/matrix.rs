//! A wavelet matrix: how many of a range of numbers are below a bound, in time that depends only on
//! the width of the numbers.
//!
//! Source: Claude, Navarro and Ordóñez, "The wavelet matrix" (2015).

/// Bits of a word.
const WORD: usize = 64;
/// Words for which one count of the ones before them is kept.
const GROUP: usize = 4;

/// Numbers that never change. Each takes as many bits as the largest needs, and an eighth of a bit
/// more for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Matrix {
    len: usize,
    /// One for each bit of the numbers, the highest first. Each level has the bit of every number,
    /// sorted stably by the bits above it in reverse: those with a zero in the bit before come
    /// first.
    levels: Vec<Level>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Level {
    words: Vec<u64>,
    /// The number of ones before each group of words.
    ones: Vec<u32>,
    /// The number of zeros in the level.
    zeros: usize,
}

impl Level {
    /// The bits of a given number of numbers, in one word more than is needed.
    fn of(len: usize, words: Vec<u64>) -> Self {
        let mut before = 0;
        let ones = words
            .chunks(GROUP)
            .map(|group| {
                let ones = before;
                before += group.iter().map(|word| word.count_ones()).sum::<u32>();
                ones
            })
            .collect();
        let zeros = len - before as usize;
        Self { words, ones, zeros }
    }

    /// The number of ones before a position.
    #[inline]
    fn ones_before(&self, position: usize) -> usize {
        let word = position / WORD;
        let group = word / GROUP;
        let mut ones = self.ones[group] as usize;
        for word in &self.words[group * GROUP..word] {
            ones += word.count_ones() as usize;
        }
        // The last position may be the end of the words.
        let mask = (1 << (position % WORD)) - 1;
        ones + (self.words[word] & mask).count_ones() as usize
    }
}

impl Matrix {
    /// # Panics
    /// If there are 2^32 numbers or more.
    pub(super) fn new(mut numbers: Vec<u32>) -> Self {
        let largest = numbers.iter().copied().max().unwrap_or(0);
        let width = u32::BITS - largest.leading_zeros();
        let mut rest = Vec::with_capacity(numbers.len());
        let levels = (0..width)
            .rev()
            .map(|bit| level(&mut numbers, &mut rest, bit))
            .collect();
        Self {
            len: numbers.len(),
            levels,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of a range's numbers that are below a bound.
    pub(super) fn count_below(&self, range: std::ops::Range<usize>, bound: u32) -> usize {
        let width = self.levels.len();
        let (mut start, mut end) = (range.start, range.end);
        if u64::from(bound) >= 1 << width {
            return end - start;
        }
        let mut below = 0;
        for (level, bit) in self.levels.iter().zip((0..width).rev()) {
            if start == end {
                break;
            }
            let ones = (level.ones_before(start), level.ones_before(end));
            let zeros = (start - ones.0, end - ones.1);
            if bound >> bit & 1 == 1 {
                below += zeros.1 - zeros.0;
                (start, end) = (level.zeros + ones.0, level.zeros + ones.1);
            } else {
                (start, end) = zeros;
            }
        }
        below
    }

    /// Every number, in order.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..self.len).map(|index| {
            let mut position = index;
            self.levels.iter().fold(0, |number, level| {
                let ones = level.ones_before(position);
                let bit = level.words[position / WORD] >> (position % WORD) & 1;
                position = match bit {
                    0 => position - ones,
                    _ => level.zeros + ones,
                };
                number << 1 | u32::from(bit == 1)
            })
        })
    }

    /// The bits of a number (1 byte), then the words of each level, little-endian. Only whole words
    /// are written.
    ///
    /// # Panics
    /// If the numbers do not fill whole words.
    pub(super) fn stored(&self) -> Vec<u8> {
        assert!(self.len.is_multiple_of(WORD), "stored blocks are whole");
        let width = u8::try_from(self.levels.len()).expect("a number has at most 32 bits");
        let mut bytes = Vec::with_capacity(Self::stored_len(self.len, width));
        bytes.push(width);
        for level in &self.levels {
            let words = level.words[..self.len / WORD].iter();
            words.for_each(|word| bytes.extend(word.to_le_bytes()));
        }
        bytes
    }

    /// The length of the stored form of a given number of numbers.
    pub(super) fn stored_len(len: usize, width: u8) -> usize {
        1 + usize::from(width) * (len / 8)
    }

    /// Restores a stored matrix of a given number of numbers; `None` if it is none.
    pub(super) fn restore(len: usize, bytes: &[u8]) -> Option<Self> {
        let (width, words) = bytes.split_first()?;
        if bytes.len() != Self::stored_len(len, *width) || u32::from(*width) > u32::BITS {
            return None;
        }
        let levels = words.chunks_exact(len / 8).map(|words| {
            let (words, _) = words.as_chunks::<8>();
            let mut restored = Vec::with_capacity(words.len() + 1);
            restored.extend(words.iter().map(|word| u64::from_le_bytes(*word)));
            restored.push(0);
            Level::of(len, restored)
        });
        Some(Self {
            len,
            levels: levels.collect(),
        })
    }

    pub(super) fn heap_bytes(&self) -> usize {
        let level = |level: &Level| {
            level.words.capacity() * size_of::<u64>() + level.ones.capacity() * size_of::<u32>()
        };
        self.levels.capacity() * size_of::<Level>() + self.levels.iter().map(level).sum::<usize>()
    }
}

/// Writes one bit of all numbers, and sorts them stably by it. `rest` is empty before and after.
fn level(numbers: &mut [u32], rest: &mut Vec<u32>, bit: u32) -> Level {
    // One word more than is needed, so that the end is a position too.
    let mut words = vec![0_u64; numbers.len() / WORD + 1];
    let mut zeros = 0;
    for index in 0..numbers.len() {
        let number = numbers[index];
        if number >> bit & 1 == 1 {
            words[index / WORD] |= 1 << (index % WORD);
            rest.push(number);
        } else {
            numbers[zeros] = number;
            zeros += 1;
        }
    }
    numbers[zeros..].copy_from_slice(rest);
    rest.clear();
    Level::of(numbers.len(), words)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // The same cases each time.
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn a_matrix_counts_as_the_plain_list(
            width in 0..=32_u32,
            numbers in prop::collection::vec(any::<u32>(), 0..700),
            questions in prop::collection::vec(
                (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u32>()),
                1..40,
            ),
        ) {
            let narrow = |number: u32| number.checked_shr(32 - width).unwrap_or(0);
            let numbers: Vec<u32> = numbers.into_iter().map(narrow).collect();
            let matrix = Matrix::new(numbers.clone());
            prop_assert_eq!(matrix.len(), numbers.len());
            let whole = numbers.len() / WORD * WORD;
            if whole > 0 {
                let matrix = Matrix::new(numbers[..whole].to_vec());
                let bytes = matrix.stored();
                prop_assert_eq!(Matrix::restore(whole, &bytes), Some(matrix));
                prop_assert_eq!(Matrix::restore(whole, &bytes[1..]), None);
            }
            prop_assert_eq!(matrix.numbers().collect::<Vec<_>>(), numbers.clone());
            for (one, other, bound) in questions {
                let ends = [one, other].map(|end| end.index(numbers.len() + 1));
                let range = ends[0].min(ends[1])..ends[0].max(ends[1]);
                for bound in [bound, narrow(bound), 0, u32::MAX] {
                    let below = numbers[range.clone()].iter().filter(|number| **number < bound);
                    prop_assert_eq!(matrix.count_below(range.clone(), bound), below.count());
                }
            }
        }
    }
}
