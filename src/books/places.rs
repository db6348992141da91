//! Where in the books the record of each member is.

use crate::domain::{ByNumber, MemberNumber};

/// Numbers this much beyond the number of members are too sparse for a list.
const SLACK: usize = 1 << 16;

/// The places of records by member number. SQLite numbers rows one after the other, so nearly all
/// places are in a list; an imported file may have any numbers, and the sparse ones are in a map.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// One more than the place of each number; 0: none.
    dense: Vec<u32>,
    sparse: ByNumber<i64, u32>,
    count: usize,
}

impl Places {
    pub(super) fn get(&self, number: MemberNumber) -> Option<u32> {
        let index = usize::try_from(number.0).ok()?;
        match self.dense.get(index) {
            Some(&place) if place > 0 => Some(place - 1),
            _ if self.sparse.is_empty() => None,
            _ => self.sparse.get(&number.0).copied(),
        }
    }

    /// Adds the place of a number that has none.
    pub(super) fn put(&mut self, number: MemberNumber, place: u32) {
        self.count += 1;
        match usize::try_from(number.0) {
            Ok(index) if index < 2 * self.count + SLACK => {
                if index >= self.dense.len() {
                    // An eighth at a time, as the list is mostly full.
                    let more = index + 1 - self.dense.len();
                    if self.dense.capacity() <= index {
                        self.dense.reserve_exact(more.max(self.dense.len() / 8));
                    }
                    self.dense.resize(index + 1, 0);
                }
                self.dense[index] = place + 1;
            }
            _ => {
                self.sparse.insert(number.0, place);
            }
        }
    }

    /// Every place, in the order of the members' numbers.
    pub(super) fn in_order(&self) -> Vec<u32> {
        let mut sparse: Vec<(i64, u32)> = self.sparse.iter().map(|(n, p)| (*n, *p)).collect();
        sparse.sort_unstable();
        let mut sparse = sparse.into_iter().peekable();
        let mut places = Vec::with_capacity(self.count);
        for (number, place) in (0..).zip(&self.dense) {
            while let Some((_, earlier)) = sparse.next_if(|(sparse, _)| *sparse < number) {
                places.push(earlier);
            }
            if *place > 0 {
                places.push(place - 1);
            }
        }
        places.extend(sparse.map(|(_, place)| place));
        places
    }

    /// The number of places.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.dense.capacity() * size_of::<u32>() + self.sparse.capacity() * size_of::<(i64, u32)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sparse_and_dense_numbers_are_found_and_take_little_memory() {
        let mut places = Places::default();
        let numbers = [5, 1, i64::MAX, 70_000, 1 << 53, 2];
        for (place, number) in (0..).zip(numbers) {
            assert_eq!(places.get(MemberNumber(number)), None);
            places.put(MemberNumber(number), place);
        }
        for (place, number) in (0..).zip(numbers) {
            assert_eq!(places.get(MemberNumber(number)), Some(place));
        }
        for absent in [0, 3, -1, 1 << 52] {
            assert_eq!(places.get(MemberNumber(absent)), None);
        }
        assert_eq!(places.in_order(), [1, 5, 0, 3, 4, 2]);
        assert!(places.heap_bytes() < 1 << 20);
    }
}
