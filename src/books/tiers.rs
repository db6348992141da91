//! The tiers that members hold or held, each stored once.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;

use super::TierNumber;
use crate::domain::Tier;

/// A list of tiers that only grows. Clones share it, so that the draft and the published books
/// number tiers alike. A tier that only a lost batch used stays in it unused.
#[derive(Debug, Clone, Default)]
pub(super) struct Tiers(Arc<RwLock<List>>);

#[derive(Debug, Default)]
struct List {
    all: Vec<Tier>,
    numbers: HashMap<Tier, u32>,
}

impl Tiers {
    /// The number of a tier, which is added if it is new.
    pub(super) fn number(&self, tier: &Tier) -> TierNumber {
        if let Some(number) = self.0.read().numbers.get(tier) {
            return TierNumber(*number);
        }
        let mut list = self.0.write();
        let next = u32::try_from(list.all.len()).expect("there are fewer tiers than members");
        let number = *list.numbers.entry(tier.clone()).or_insert(next);
        if number == next {
            list.all.push(tier.clone());
        }
        TierNumber(number)
    }

    /// The tier of a number.
    pub(super) fn get(&self, number: TierNumber) -> Option<Tier> {
        let list = self.0.read();
        list.all.get(usize::try_from(number.0).ok()?).cloned()
    }

    /// Whether this is the same list, not only one with the same tiers.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// The memory that the list takes, in bytes, without that of the texts.
    pub(super) fn heap_bytes(&self) -> usize {
        let list = self.0.read();
        (list.all.capacity() + list.numbers.capacity()) * size_of::<(Tier, u32)>()
    }
}
