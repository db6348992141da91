//! The index that leads from idempotency keys to the numbers of their records.
//!
//! Records are numbered in the order of their insertion. The newest keys are in a map. Once there
//! are many, they are closed into a segment: a list of the keys on the disk, in 256 parts by the
//! first byte of a key. Neighbouring segments form an era. A filter in memory (less than two bytes
//! per key) rules out nearly every key that no segment of the era lists. So rows and lists are only
//! ever appended, and a new key, the usual case, needs no look-up at all.
//!
//! The index is not updated when a write is undone: the row at a number decides.
//!
//! Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007),
//! for filters in which a key sets one bit in each word of a single cache line.

use std::collections::{HashMap, VecDeque};

/// A hash of a key with its scope, or of a body.
pub type Hash = [u8; 16];

/// The number of keys at which a segment is closed: as many as a map of 65,536 places takes, minus
/// those that a batch may add before the next check. Few in tests, so that they have many segments.
const SEGMENT_KEYS: usize = if cfg!(debug_assertions) {
    1 << 6
} else {
    (7 << 13) - 256
};
/// The number of records after which a segment is closed even if few keys have them, such as one
/// that is retried again and again while the disk is full.
const SEGMENT_NUMBERS: i64 = 1 << 20;
/// The number of segments in an era. A look-up reads every filter, and where a filter matches, the
/// lists of all segments of its era.
const ERA_SEGMENTS: usize = if cfg!(debug_assertions) { 2 } else { 16 };

/// The part of the index that is in memory.
#[derive(Debug, Default)]
pub(in crate::store) struct KeyIndex {
    /// The number of the last record.
    last: i64,
    /// The keys that are in no segment yet, with the numbers of their records.
    open: HashMap<Hash, i64>,
    /// Oldest first. The last era may still get segments.
    eras: VecDeque<Era>,
}

/// Records whose keys are listed on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) struct Segment {
    pub(in crate::store) number: i64,
    /// The number of its last record.
    pub(in crate::store) last: i64,
}

/// Neighbouring segments, and a filter of all their keys.
#[derive(Debug)]
pub(in crate::store) struct Era {
    /// Oldest first, at least one.
    segments: Vec<Segment>,
    filter: Filter,
}

impl Era {
    /// A stored era. `None` without segments.
    pub(in crate::store) fn new(segments: Vec<Segment>, filter: Filter) -> Option<Self> {
        (!segments.is_empty()).then_some(Self { segments, filter })
    }

    /// An era of segments with a given number of keys, with an empty filter.
    pub(in crate::store) fn with_room(segments: Vec<Segment>, keys: usize) -> Option<Self> {
        let keys = keys.max(ERA_SEGMENTS * SEGMENT_KEYS);
        Self::new(segments, Filter::with_room(keys))
    }

    pub(in crate::store) fn last(&self) -> Segment {
        *self.segments.last().expect("an era has a segment")
    }

    pub(in crate::store) fn filter(&self) -> &Filter {
        &self.filter
    }

    /// Adds the keys of a part of a list to the filter.
    pub(in crate::store) fn add_listed(&mut self, part: u8, list: &[u8]) {
        for entry in List::entries(list) {
            self.filter.add(part, List::end_of(entry));
        }
    }
}

impl KeyIndex {
    /// An index of the given eras, oldest first, and no other keys.
    pub(in crate::store) fn new(eras: VecDeque<Era>) -> Self {
        Self {
            last: eras.back().map_or(0, |era| era.last().last),
            open: HashMap::new(),
            eras,
        }
    }

    /// The number of the last record.
    pub(in crate::store) fn last(&self) -> i64 {
        self.last
    }

    /// Adds the key of the record of a number, which is larger than all numbers before it.
    pub(in crate::store) fn add(&mut self, key: Hash, number: i64) {
        self.last = number;
        self.open.insert(key, number);
    }

    /// The number of the record of a key, if the key is not in a segment.
    pub(in crate::store) fn open(&self, key: &Hash) -> Option<i64> {
        self.open.get(key).copied()
    }

    /// The segments that may list a key, newest first, as a retry mostly comes soon.
    pub(in crate::store) fn segments(&self, key: &Hash) -> Vec<Segment> {
        let eras = self.eras.iter().rev();
        eras.filter(|era| era.filter.may_hold(key))
            .flat_map(|era| era.segments.iter().rev())
            .copied()
            .collect()
    }

    /// Whether it is time to close a segment.
    pub(in crate::store) fn is_full(&self) -> bool {
        let numbers = self.last - self.newest().map_or(0, |segment| segment.last);
        self.open.len() >= SEGMENT_KEYS || numbers >= SEGMENT_NUMBERS
    }

    fn newest(&self) -> Option<Segment> {
        self.eras.back().map(Era::last)
    }

    /// The newest era, if it is full, so that its filter does not change any more.
    pub(in crate::store) fn full_era(&self) -> Option<&Era> {
        let newest = self.eras.back();
        newest.filter(|era| era.segments.len() >= ERA_SEGMENTS)
    }

    /// A segment of the keys that are in none yet, with the parts of its list.
    pub(in crate::store) fn close(&self) -> (Segment, Vec<List>) {
        let segment = Segment {
            number: self.newest().map_or(0, |segment| segment.number) + 1,
            last: self.last,
        };
        let mut lists = vec![List::default(); 1 << u8::BITS];
        for (key, number) in &self.open {
            lists[usize::from(List::part(key))].push(key, *number, segment);
        }
        (segment, lists)
    }

    /// Adds the segment that [`KeyIndex::close`] returned, after it was committed.
    pub(in crate::store) fn closed(&mut self, segment: Segment) {
        if self.eras.is_empty() || self.full_era().is_some() {
            let new = Era::with_room(vec![segment], self.open.len());
            self.eras.extend(new);
        } else if let Some(era) = self.eras.back_mut() {
            era.segments.push(segment);
        }
        if let Some(era) = self.eras.back_mut() {
            for key in self.open.keys() {
                era.filter.add(List::part(key), List::end(key));
            }
        }
        self.open.clear();
    }

    /// Forgets the oldest eras whose records all have numbers up to `number`.
    pub(in crate::store) fn forget_up_to(&mut self, number: i64) {
        while self
            .eras
            .pop_front_if(|era| era.last().last <= number)
            .is_some()
        {}
    }
}

/// A part of the list of a segment: the end of each key, and the distance from the number of its
/// record to the segment's last number.
#[derive(Debug, Clone, Default)]
pub(in crate::store) struct List(Vec<u8>);

impl List {
    /// The number of parts of a list: a part of a full segment fits into a page.
    pub(in crate::store) const PARTS: i64 = 256;
    /// The bytes of a key that a list holds. The row has all of them.
    const KEY: usize = 8;
    const ENTRY: usize = Self::KEY + size_of::<u32>();

    /// The part of a list that a key belongs to.
    pub(in crate::store) fn part(key: &Hash) -> u8 {
        key[0]
    }

    fn push(&mut self, key: &Hash, number: i64, segment: Segment) {
        // A segment has far fewer numbers.
        let before = u32::try_from(segment.last - number).unwrap_or(u32::MAX);
        self.0.extend_from_slice(&Self::end(key));
        self.0.extend_from_slice(&before.to_le_bytes());
    }

    pub(in crate::store) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The number of keys in a stored list of a given size.
    pub(in crate::store) fn keys_in(bytes: i64) -> usize {
        usize::try_from(bytes).unwrap_or(0) / Self::ENTRY
    }

    /// The numbers of the records that may be those of a key, in a stored list.
    pub(in crate::store) fn numbers(bytes: &[u8], key: &Hash, segment: Segment) -> Vec<i64> {
        let number = |entry: &[u8; Self::ENTRY]| {
            let before = entry.strip_prefix(&Self::end(key))?;
            let before = u32::from_le_bytes(before.try_into().ok()?);
            Some(segment.last - i64::from(before))
        };
        Self::entries(bytes).iter().filter_map(number).collect()
    }

    fn entries(bytes: &[u8]) -> &[[u8; Self::ENTRY]] {
        bytes.as_chunks().0
    }

    fn end_of(entry: &[u8; Self::ENTRY]) -> [u8; Self::KEY] {
        *entry.first_chunk().expect("an entry begins with a key")
    }

    fn end(key: &Hash) -> [u8; Self::KEY] {
        *key.last_chunk().expect("a key is longer")
    }
}

/// A Bloom filter of keys: it matches about one in four hundred other keys by mistake, but never
/// misses a key that it has.
#[derive(Debug)]
pub(in crate::store) struct Filter(Vec<Block>);

/// The part that a look-up touches: a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

impl Filter {
    /// The number of keys that share a block of 512 bits.
    const BLOCK_KEYS: usize = 38;

    fn with_room(keys: usize) -> Self {
        let blocks = keys.div_ceil(Self::BLOCK_KEYS).max(1);
        Self(vec![Block::default(); blocks])
    }

    /// Adds a key, given by its part and its entry in a list.
    fn add(&mut self, part: u8, end: [u8; List::KEY]) {
        let (block, bits) = self.place(part, end);
        for (word, bit) in self.0[block].0.iter_mut().zip(bits) {
            *word |= 1 << bit;
        }
    }

    /// Whether the filter matches a key. It always checks all words: a branch after each would keep
    /// the processor from fetching the block of the next filter in advance.
    pub(in crate::store) fn may_hold(&self, key: &Hash) -> bool {
        let (block, bits) = self.place(List::part(key), List::end(key));
        let words = self.0[block].0.iter().zip(bits);
        words.fold(1, |all, (word, bit)| all & (word >> bit)) == 1
    }

    /// The block of a key and its bit in each word. The block's position among all blocks is that
    /// of the key among all keys. As the key is a hash, block and bits are independent.
    fn place(&self, part: u8, end: [u8; List::KEY]) -> (usize, [u64; 8]) {
        let end = u64::from_le_bytes(end);
        let bits = std::array::from_fn(|word| (end >> (6 * word)) % 64);
        let turn = u64::from(part) << 16 | end >> 48;
        let block = (turn * self.0.len() as u64) >> 24;
        (usize::try_from(block).unwrap_or(0), bits)
    }

    pub(in crate::store) fn to_bytes(&self) -> Vec<u8> {
        let words = self.0.iter().flat_map(|block| block.0);
        words.flat_map(u64::to_le_bytes).collect()
    }

    /// A stored filter; `None` if the bytes are not one.
    pub(in crate::store) fn from_bytes(bytes: &[u8]) -> Option<Self> {
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

    fn close(index: &mut KeyIndex) -> (Segment, Vec<List>) {
        let (segment, lists) = index.close();
        index.closed(segment);
        (segment, lists)
    }

    fn filled(keys: std::ops::RangeInclusive<i64>) -> KeyIndex {
        let mut index = KeyIndex::default();
        for number in keys {
            index.add(key(number), number);
        }
        index
    }

    #[test]
    fn every_key_is_found_in_its_segment_and_few_others_are_looked_for() {
        let keys = 50_000;
        let mut index = filled(1..=keys);
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
        assert!(wrong < 250, "{wrong} of 50,000 other keys matched");
    }

    #[test]
    fn an_era_comes_back_from_what_was_stored_or_from_its_lists() {
        let keys = 1_000;
        let mut index = filled(1..=keys);
        let (segment, lists) = close(&mut index);
        let stored = index.eras[0].filter().to_bytes();
        let stored = Era::new(vec![segment], Filter::from_bytes(&stored).unwrap());
        let mut listed = Era::with_room(vec![segment], 1_000).unwrap();
        for (part, list) in (0..=u8::MAX).zip(&lists) {
            listed.add_listed(part, list.bytes());
        }
        for era in [stored.unwrap(), listed] {
            assert_eq!(era.filter().to_bytes(), index.eras[0].filter().to_bytes());
            let index = KeyIndex::new(VecDeque::from([era]));
            assert_eq!(
                (index.last(), index.segments(&key(5))),
                (keys, vec![segment])
            );
        }
        assert!(Era::new(Vec::new(), Filter::with_room(1)).is_none());
    }

    #[test]
    fn an_era_has_a_limited_number_of_segments_and_is_forgotten_with_the_last_of_them() {
        let mut index = KeyIndex::default();
        let count = i64::try_from(2 * ERA_SEGMENTS + 1).unwrap();
        let mut segments = Vec::new();
        for number in 1..=count {
            index.add(key(number), number);
            let is_begun = number % i64::try_from(ERA_SEGMENTS).unwrap() != 1;
            assert_eq!(index.full_era().is_none(), is_begun || number == 1);
            segments.push(close(&mut index).0);
        }
        assert_eq!(index.eras.len(), 3);
        // A key leads to all segments of its era, the newest first.
        let of_first: Vec<_> = segments[..ERA_SEGMENTS].iter().rev().copied().collect();
        assert_eq!(index.segments(&key(1)), of_first);
        assert_eq!(index.segments(&key(count)), segments[2 * ERA_SEGMENTS..]);
        index.forget_up_to(of_first[0].last - 1);
        assert_eq!(index.eras.len(), 3);
        index.forget_up_to(of_first[0].last);
        assert!(index.segments(&key(1)).is_empty());
        index.forget_up_to(count);
        assert!(index.eras.is_empty());
    }

    #[test]
    fn a_segment_is_closed_when_it_is_full() {
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
        // One key again and again: its last number counts.
        index.add(key(0), last + 1);
        index.add(key(0), last + SEGMENT_NUMBERS);
        assert!(index.is_full());
        assert_eq!(index.open(&key(0)), Some(last + SEGMENT_NUMBERS));
        let (second, _) = close(&mut index);
        assert_eq!(index.segments(&key(0))[0], second);
    }

    #[test]
    fn a_stored_filter_that_is_damaged_is_none() {
        assert!(Filter::from_bytes(&[]).is_none());
        assert!(Filter::from_bytes(&[0; 63]).is_none());
        assert!(Filter::from_bytes(&[0; 72]).is_none());
        assert!(Filter::from_bytes(&[0; 128]).is_some());
    }
}
