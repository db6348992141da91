//! The hashes of the keys that were last used on a thread.
//!
//! A key is found by its SHA-256, which takes longer than the rest of its check on a processor
//! without instructions for it. The keys themselves are not kept, but two keyed hashes of each
//! (`SipHash`, 128 bits together, with keys that are random and never leave the process). Only the
//! hash of a key is known here: whether it is valid is looked up for each request, so that a
//! revoked key is refused at once.

use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};

/// The number of keys that a thread holds.
const SLOTS: usize = 8;

/// Identifies the text of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Mark(u64, u64);

type Slot = Cell<Option<(Mark, [u8; 32])>>;

/// The hashes, each in the slot that the mark selects.
#[derive(Debug, Default)]
pub(super) struct KnownKeys {
    hashers: [RandomState; 2],
    slots: [Slot; SLOTS],
}

impl KnownKeys {
    /// The mark of a credential.
    pub(super) fn mark(&self, credential: &str) -> Mark {
        let [first, second] = &self.hashers;
        Mark(first.hash_one(credential), second.hash_one(credential))
    }

    /// The SHA-256 of a key, if it is known.
    pub(super) fn hash(&self, mark: Mark) -> Option<[u8; 32]> {
        let (known, hash) = self.slot(mark).get()?;
        (known == mark).then_some(hash)
    }

    /// Keeps the SHA-256 of a key that was found valid, so that wrong keys displace none.
    pub(super) fn put(&self, mark: Mark, hash: [u8; 32]) {
        self.slot(mark).set(Some((mark, hash)));
    }

    fn slot(&self, mark: Mark) -> &Slot {
        &self.slots[usize::try_from(mark.0 % SLOTS as u64).unwrap_or(0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_text_has_a_hash() {
        let known = KnownKeys::default();
        let text = "expys_live_0123456789abcdef0123456789abcdef";
        assert_eq!(known.hash(known.mark(text)), None);
        known.put(known.mark(text), [7; 32]);
        assert_eq!(known.hash(known.mark(text)), Some([7; 32]));
        for place in 0..text.len() {
            let mut other = text.as_bytes().to_vec();
            other[place] ^= 1;
            let other = String::from_utf8(other).unwrap();
            assert_eq!(known.hash(known.mark(&other)), None, "{other}");
        }
        assert_eq!(known.hash(known.mark(&text[..text.len() - 1])), None);
    }

    #[test]
    fn half_of_a_mark_is_not_enough() {
        let known = KnownKeys::default();
        known.put(Mark(8, 1), [7; 32]);
        assert_eq!(known.hash(Mark(8, 1)), Some([7; 32]));
        assert_eq!(known.hash(Mark(8, 2)), None);
        assert_eq!(known.hash(Mark(16, 1)), None);
    }
}
