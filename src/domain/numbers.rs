//! Maps by row numbers.
//!
//! Every activity is counted by the number of its program, and often of its offer, and every write
//! looks its program up several times. The database assigns the numbers, so no client can choose
//! numbers that collide, and the standard library's protection against that would cost more than
//! the counting.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by the number of a row.
pub type ByNumber<K, V> = HashMap<K, V, BuildHasherDefault<NumberHasher>>;

/// Hashes one number, by a multiplication that spreads it over all bits.
///
/// Source: Knuth, "The Art of Computer Programming", volume 3, section 6.4.
#[derive(Debug, Clone, Copy, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write_i64(&mut self, number: i64) {
        self.write_u64(number.cast_unsigned());
    }

    fn finish(&self) -> u64 {
        // A map uses the lowest bits, which a multiplication mixes least.
        self.0.rotate_left(32)
    }
}
