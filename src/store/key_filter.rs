//! A filter in memory that tells which hours may hold an idempotency key.
//!
//! It may say yes wrongly, about once in a thousand for each layer, but never no. Of hours that
//! were stored before this process started it knows nothing at first, and says yes, until somebody
//! who has read them hands their keys in: so a start need not wait for millions of keys.
//!
//! Source: Putze, Sanders and Singler, "Cache-, Hash- and Space-Efficient Bloom Filters" (2007),
//! for filters of which a key touches one cache line, a bit in each of its words.

use std::collections::BTreeMap;

use super::idempotency::Hash;

/// A Bloom filter for each hour.
#[derive(Debug, Default)]
pub(super) struct KeyFilter {
    hours: BTreeMap<i64, HourFilter>,
}

impl KeyFilter {
    /// A filter that knows of these hours, but not their keys.
    pub(super) fn unread(hours: &[i64]) -> Self {
        let unread = |hour: &i64| {
            let filter = HourFilter {
                is_unread: true,
                ..HourFilter::default()
            };
            (*hour, filter)
        };
        Self {
            hours: hours.iter().map(unread).collect(),
        }
    }

    /// Takes all keys that an hour had when this filter was made. Those added since are known.
    pub(super) fn adopt(&mut self, hour: i64, keys: Layer) {
        // An hour that was forgotten meanwhile stays so.
        if let Some(filter) = self.hours.get_mut(&hour) {
            filter.is_unread = false;
            filter.layers.insert(0, keys);
        }
    }

    /// The newest first: a retry mostly comes soon.
    pub(super) fn hours_that_may_hold(&self, key: &Hash) -> Vec<i64> {
        let may_hold = |(_, filter): &(&i64, &HourFilter)| filter.may_hold(key);
        self.hours
            .iter()
            .rev()
            .filter(may_hold)
            .map(|(hour, _)| *hour)
            .collect()
    }

    pub(super) fn add(&mut self, hour: i64, key: &Hash) {
        self.hours.entry(hour).or_default().add(key);
    }

    pub(super) fn forget_before(&mut self, hour: i64) {
        self.hours = self.hours.split_off(&hour);
    }
}

/// The keys of one hour, in layers of which each has room for twice as many as the one before, so
/// that the filter grows with the hour without ever being rebuilt.
#[derive(Debug, Default)]
struct HourFilter {
    /// Whether there may be keys that no layer has.
    is_unread: bool,
    layers: Vec<Layer>,
}

impl HourFilter {
    const FIRST_LAYER_KEYS: usize = 4096;

    fn may_hold(&self, key: &Hash) -> bool {
        self.is_unread || self.layers.iter().rev().any(|layer| layer.may_hold(key))
    }

    fn add(&mut self, key: &Hash) {
        if self.layers.last().is_none_or(|layer| layer.room == 0) {
            // No shift passes the largest number: memory ends long before.
            let keys = Self::FIRST_LAYER_KEYS << self.layers.len();
            self.layers.push(Layer::with_room(keys));
        }
        if let Some(layer) = self.layers.last_mut() {
            layer.add(key);
        }
    }
}

/// Some keys: two bytes for each that there is room for.
#[derive(Debug)]
pub(super) struct Layer {
    blocks: Vec<Block>,
    room: usize,
}

/// As much as a look-up touches: a cache line.
#[derive(Debug, Clone, Copy, Default)]
#[repr(align(64))]
struct Block([u64; 8]);

impl Layer {
    /// Keys that share a block of 512 bits.
    const BLOCK_KEYS: usize = 32;

    /// Room for so many keys. More make it say yes more often.
    pub(super) fn with_room(keys: usize) -> Self {
        let blocks = keys.div_ceil(Self::BLOCK_KEYS).max(1);
        Self {
            blocks: vec![Block::default(); blocks],
            room: keys,
        }
    }

    pub(super) fn add(&mut self, key: &Hash) {
        let (index, bits) = self.place(key);
        for (word, bit) in self.blocks[index].0.iter_mut().zip(bits) {
            *word |= 1 << (bit % 64);
        }
        self.room = self.room.saturating_sub(1);
    }

    fn may_hold(&self, key: &Hash) -> bool {
        let (index, bits) = self.place(key);
        let mut words = self.blocks[index].0.iter().zip(bits);
        words.all(|(word, bit)| word >> (bit % 64) & 1 == 1)
    }

    /// The block of a key and its bit in each word. The key is a hash, so its bytes are random.
    fn place(&self, key: &Hash) -> (usize, [u8; 8]) {
        let [b0, b1, b2, b3, _, _, _, _, bits @ ..] = *key;
        let block = u32::from_le_bytes([b0, b1, b2, b3]) as usize % self.blocks.len();
        (block, bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u64) -> Hash {
        use sha2::{Digest as _, Sha256};
        let digest = Sha256::digest(number.to_le_bytes());
        std::array::from_fn(|index| digest[index])
    }

    #[test]
    fn the_filter_never_denies_a_key_it_was_given_and_rarely_affirms_another() {
        let mut filter = KeyFilter::default();
        for number in 0..50_000 {
            filter.add(7, &key(number));
        }
        assert!((0..50_000).all(|number| filter.hours_that_may_hold(&key(number)) == [7]));
        let wrong = (50_000..100_000)
            .filter(|n| !filter.hours_that_may_hold(&key(*n)).is_empty())
            .count();
        assert!(wrong < 300, "{wrong} of 50,000 unknown keys were affirmed");
        filter.forget_before(8);
        assert!(filter.hours_that_may_hold(&key(1)).is_empty());
    }

    #[test]
    fn an_hour_may_hold_any_key_until_it_was_read() {
        let mut filter = KeyFilter::unread(&[8, 7, 6]);
        filter.add(8, &key(1));
        assert_eq!(filter.hours_that_may_hold(&key(2)), [8, 7, 6]);
        let mut read = Layer::with_room(1);
        read.add(&key(3));
        filter.adopt(8, read);
        filter.adopt(7, Layer::with_room(0));
        filter.forget_before(7);
        filter.adopt(6, Layer::with_room(0));
        assert_eq!(filter.hours_that_may_hold(&key(1)), [8]);
        assert_eq!(filter.hours_that_may_hold(&key(3)), [8]);
        assert!(filter.hours_that_may_hold(&key(2)).is_empty());
    }
}
