//! Public ids that are computed and not stored: those of what a program has by number.

use uuid::Uuid;

use super::id::{mix, unmix};

/// What a computed id is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum DerivedKind {
    /// An asset, by its number; that of the program's points is 0.
    Asset = 1,
    /// A participant, by the number of the member.
    Participant,
    /// A lot, by the number of the member and that of the lot.
    Lot,
    /// A journal entry, by its number in the log.
    JournalEntry,
    /// A posting, by the number of the journal entry in the log and its own number there.
    Posting,
    /// A redemption of an amount, by the number of its ledger entry in the log.
    Redemption,
    /// A reversal, by the number in the log of the activity that returned the points.
    Reversal,
    /// A version of an earning rule, by its number.
    RuleVersion,
    /// What a rule made of an event, by the number of the event in the log and its own place.
    Evaluation,
    /// A change of a participant's state, by its number in the log.
    StateChange,
}

/// The ids of one kind in a program: `UUIDv8`s that do not count up, in which the numbers can be
/// read back.
///
/// ```
/// use stampcard::domain::{DerivedIds, DerivedKind};
/// let program = uuid::Uuid::from_u128(7);
/// let lots = DerivedIds::new(program, DerivedKind::Lot);
/// let id = lots.id(12_345, 6);
/// assert_eq!(lots.numbers(id), Some((12_345, 6)));
/// assert_eq!(DerivedIds::new(program, DerivedKind::Participant).numbers(id), None);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DerivedIds {
    key: u64,
}

/// The bits of an id that are neither its version nor its variant, beyond the first number.
const SECOND_BITS: u32 = 58;
/// The bits after the variant.
const LOW_BITS: u32 = 62;

impl DerivedIds {
    /// Those of a kind in the program with a public id.
    pub fn new(program: Uuid, kind: DerivedKind) -> Self {
        let (high, low) = program.as_u64_pair();
        Self {
            key: mix(high ^ mix(low ^ u64::from(kind as u8))),
        }
    }

    /// The id of a pair of numbers. The first is that of a row, and the second 0 if one is enough.
    pub fn id(self, first: i64, second: u32) -> Uuid {
        let first = mix(first.unsigned_abs() ^ self.key);
        let second = u64::from(second) ^ self.mask(first);
        let bits = u128::from(first) << SECOND_BITS | u128::from(second);
        let high = u64::try_from(bits >> LOW_BITS).unwrap_or_default();
        let low = u64::try_from(bits & ((1 << LOW_BITS) - 1)).unwrap_or_default();
        Uuid::from_u64_pair(
            (high >> 12) << 16 | 8 << 12 | high & 0xfff,
            2 << LOW_BITS | low,
        )
    }

    /// The numbers in an id; `None` if it is not one of these.
    pub fn numbers(self, id: Uuid) -> Option<(i64, u32)> {
        let (high, low) = id.as_u64_pair();
        let high = (high >> 16) << 12 | high & 0xfff;
        let bits = u128::from(high) << LOW_BITS | u128::from(low & ((1 << LOW_BITS) - 1));
        let first = u64::try_from(bits >> SECOND_BITS).ok()?;
        let second = u64::try_from(bits & ((1 << SECOND_BITS) - 1)).ok()? ^ self.mask(first);
        let second = u32::try_from(second).ok()?;
        let first = i64::try_from(unmix(first) ^ self.key).ok()?;
        (self.id(first, second) == id).then_some((first, second))
    }

    fn mask(self, first: u64) -> u64 {
        mix(first ^ self.key) >> (64 - SECOND_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_back_and_foreign_ids_are_not_read() {
        let [ours, theirs] =
            [7, 8].map(|program| DerivedIds::new(Uuid::from_u128(program), DerivedKind::Lot));
        let mut seen = std::collections::HashSet::new();
        for first in [0, 1, 2, 4_000_000_000, 1 << 53] {
            for second in [0, 1, u32::MAX] {
                let id = ours.id(first, second);
                assert_eq!(id.get_version_num(), 8);
                assert_eq!(id.get_variant(), uuid::Variant::RFC4122);
                assert_eq!(ours.numbers(id), Some((first, second)));
                assert_eq!(theirs.numbers(id), None);
                assert!(seen.insert(id));
            }
        }
        assert_eq!(ours.numbers(Uuid::now_v7()), None);
        assert_eq!(ours.numbers(Uuid::nil()), None);
    }
}
