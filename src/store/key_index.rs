//! Where the answer to an idempotency key may be.
//!
//! Answers are numbered in the order they come. The newest keys are in a map. Once there are many
//! they are closed into a segment: a filter of it stays in memory (less than two bytes a key), and
//! on the disk is a list of its keys in 256 parts, by the first byte of a key. So rows and lists
//! are only ever appended, and a new key, the usual case, costs no look-up at all.
//!
//! Nothing here is told of a write that was undone: what stands at a number is for the row to say.
//!
//! Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007),
//! for filters of which a key touches one cache line, a bit in each of its words.

use std::collections::{HashMap, VecDeque};

use super::idempotency::Hash;

/// Keys that a segment is closed with. Few while the program is tested, so that there are many.
const SEGMENT_KEYS: usize = if cfg!(debug_assertions) {
    1 << 6
} else {
    1 << 16
};
/// Numbers after which it is closed however few keys have them, as where one is tried over and
/// over while the disk is full.
const SEGMENT_NUMBERS: i64 = 1 << 20;

/// The index, as far as it is in memory.
#[derive(Debug, Default)]
pub(super) struct KeyIndex {
    /// The number of the last answer.
    last: i64,
    /// The numbers of those that no segment has.
    open: HashMap<Hash, i64>,
    /// The oldest first.
    closed: VecDeque<(Segment, Filter)>,
}

/// Answers of which the disk has a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) number: i64,
    /// The number of its last answer.
    pub(super) last: i64,
}

impl KeyIndex {
    /// An index of these segments, the oldest first, and nothing else.
    pub(super) fn new(closed: VecDeque<(Segment, Filter)>) -> Self {
        Self {
            last: closed.back().map_or(0, |(segment, _)| segment.last),
            open: HashMap::new(),
            closed,
        }
    }

    /// The number of the last answer.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// Takes the key of the answer of a number, which is larger than all before.
    pub(super) fn add(&mut self, key: Hash, number: i64) {
        self.last = number;
        self.open.insert(key, number);
    }

    /// The number of the answer to a key, if it is not in a segment.
    pub(super) fn open(&self, key: &Hash) -> Option<i64> {
        self.open.get(key).copied()
    }

    /// The segments that may hold a key: the newest first, as a retry mostly comes soon.
    pub(super) fn segments(&self, key: &Hash) -> Vec<Segment> {
        let segments = self.closed.iter().rev();
        segments
            .filter(|(_, filter)| filter.may_hold(key))
            .map(|(segment, _)| *segment)
            .collect()
    }

    /// Whether it is time to close a segment.
    pub(super) fn is_full(&self) -> bool {
        let numbers = self.last - self.newest().map_or(0, |segment| segment.last);
        self.open.len() >= SEGMENT_KEYS || numbers >= SEGMENT_NUMBERS
    }

    fn newest(&self) -> Option<Segment> {
        self.closed.back().map(|(segment, _)| *segment)
    }

    /// The keys that no segment has, as one, with its filter and the parts of its list.
    pub(super) fn close(&self) -> (Segment, Filter, Vec<List>) {
        let segment = Segment {
            number: self.newest().map_or(0, |segment| segment.number) + 1,
            last: self.last,
        };
        let mut filter = Filter::with_room(self.open.len());
        let mut lists = vec![List::default(); 1 << u8::BITS];
        for (key, number) in &self.open {
            filter.add(key);
            lists[usize::from(List::part(key))].push(key, *number, segment);
        }
        (segment, filter, lists)
    }

    /// Takes the segment that [`KeyIndex::close`] gave, after it came to the disk.
    pub(super) fn closed(&mut self, segment: Segment, filter: Filter) {
        self.open.clear();
        self.closed.push_back((segment, filter));
    }

    /// Forgets the oldest segments, as far as all their answers have numbers up to this.
    pub(super) fn forget_up_to(&mut self, number: i64) {
        while self
            .closed
            .pop_front_if(|(segment, _)| segment.last <= number)
            .is_some()
        {}
    }
}

/// A part of the list of a segment: the end of each key, and how far before the segment's last
/// number that of its answer is.
#[derive(Debug, Clone, Default)]
pub(super) struct List(Vec<u8>);

impl List {
    /// The parts of a list: a part of a full segment fits into a page.
    pub(super) const PARTS: i64 = 256;
    /// Bytes of a key that are compared here. The row has all.
    const KEY: usize = 8;
    const ENTRY: usize = Self::KEY + size_of::<u32>();

    /// The part of a list that would have a key.
    pub(super) fn part(key: &Hash) -> u8 {
        key[0]
    }

    fn push(&mut self, key: &Hash, number: i64, segment: Segment) {
        // A segment has far fewer numbers.
        let before = u32::try_from(segment.last - number).unwrap_or(u32::MAX);
        self.0.extend_from_slice(Self::end(key));
        self.0.extend_from_slice(&before.to_le_bytes());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The numbers of the answers that may be those to a key, in a list as it was stored.
    pub(super) fn numbers(bytes: &[u8], key: &Hash, segment: Segment) -> Vec<i64> {
        let (entries, _) = bytes.as_chunks::<{ Self::ENTRY }>();
        let number = |entry: &[u8; Self::ENTRY]| {
            let before = entry.strip_prefix(Self::end(key))?;
            let before = u32::from_le_bytes(before.try_into().ok()?);
            Some(segment.last - i64::from(before))
        };
        entries.iter().filter_map(number).collect()
    }

    fn end(key: &Hash) -> &[u8] {
        &key[key.len() - Self::KEY..]
    }
}

/// Some keys: it may say wrongly, about once in five hundred, that it has another, but never that
/// it has not one that it has.
#[derive(Debug)]
pub(super) struct Filter(Vec<Block>);

/// As much as a look-up touches: a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

impl Filter {
    /// Keys that share a block of 512 bits.
    const BLOCK_KEYS: usize = 36;

    fn with_room(keys: usize) -> Self {
        let blocks = keys.div_ceil(Self::BLOCK_KEYS).max(1);
        Self(vec![Block::default(); blocks])
    }

    fn add(&mut self, key: &Hash) {
        let (index, bits) = self.place(key);
        for (word, bit) in self.0[index].0.iter_mut().zip(bits) {
            *word |= 1 << (bit % 64);
        }
    }

    pub(super) fn may_hold(&self, key: &Hash) -> bool {
        let (index, bits) = self.place(key);
        let mut words = self.0[index].0.iter().zip(bits);
        words.all(|(word, bit)| word >> (bit % 64) & 1 == 1)
    }

    /// The block of a key and its bit in each word. The key is a hash, so its bytes are random.
    fn place(&self, key: &Hash) -> (usize, [u8; 8]) {
        let [b0, b1, b2, b3, _, _, _, _, bits @ ..] = *key;
        let block = u32::from_le_bytes([b0, b1, b2, b3]) as usize % self.0.len();
        (block, bits)
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let words = self.0.iter().flat_map(|block| block.0);
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// A filter as it was stored; `None` if it is none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks();
        let (blocks, more) = words.as_chunks();
        let block = |words: &[[u8; 8]; 8]| Block(words.map(u64::from_le_bytes));
        let is_whole = rest.is_empty() && more.is_empty() && !blocks.is_empty();
        is_whole.then(|| Self(blocks.iter().map(block).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: i64) -> Hash {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(number.to_le_bytes());
        std::array::from_fn(|index| digest[index])
    }

    /// Closes what is open, through what the disk would keep of it.
    fn close(index: &mut KeyIndex) -> (Segment, Vec<List>) {
        let (segment, filter, lists) = index.close();
        index.closed(segment, Filter::from_bytes(&filter.to_bytes()).unwrap());
        (segment, lists)
    }

    #[test]
    fn every_key_is_found_in_its_segment_and_few_others_are_looked_for() {
        let mut index = KeyIndex::default();
        let keys = 50_000;
        for number in 1..=keys {
            index.add(key(number), number);
        }
        assert_eq!(index.open(&key(77)), Some(77));
        let (segment, lists) = close(&mut index);
        assert_eq!((index.open(&key(77)), index.last()), (None, keys));
        for number in 1..=keys {
            let key = key(number);
            assert_eq!(index.segments(&key), [segment]);
            let list = lists[usize::from(List::part(&key))].bytes();
            assert_eq!(List::numbers(list, &key, segment), [number]);
        }
        let others = keys + 1..=2 * keys;
        let wrong = others.filter(|other| !index.segments(&key(*other)).is_empty());
        let wrong = wrong.count();
        assert!(wrong < 200, "{wrong} of 50,000 other keys were affirmed");
    }

    #[test]
    fn a_segment_is_closed_when_it_is_full_and_forgotten_when_all_of_it_is() {
        let mut index = KeyIndex::default();
        let last = i64::try_from(SEGMENT_KEYS).unwrap();
        for number in 1..=last {
            assert!(!index.is_full());
            index.add(key(number), number);
        }
        assert!(index.is_full());
        let (first, _) = close(&mut index);
        assert_eq!(first, Segment { number: 1, last });
        assert!(!index.is_full());
        // One key over and over: its last number counts.
        index.add(key(0), last + 1);
        index.add(key(0), last + SEGMENT_NUMBERS);
        assert!(index.is_full());
        assert_eq!(index.open(&key(0)), Some(last + SEGMENT_NUMBERS));
        let (second, _) = close(&mut index);
        index.forget_up_to(last - 1);
        assert_eq!(index.segments(&key(1)), [first]);
        index.forget_up_to(last);
        assert!(index.segments(&key(1)).is_empty());
        assert_eq!(index.segments(&key(0)), [second]);
    }

    #[test]
    fn a_stored_filter_that_is_damaged_is_none() {
        assert!(Filter::from_bytes(&[]).is_none());
        assert!(Filter::from_bytes(&[0; 63]).is_none());
        assert!(Filter::from_bytes(&[0; 72]).is_none());
        assert!(Filter::from_bytes(&[0; 128]).is_some());
    }
}
