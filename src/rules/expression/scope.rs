//! What an expression can see.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::domain::Timestamp;

use super::data::DataMap;
use super::number::Number;

/// A counter of a participant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counter {
    /// The value when it was last written.
    pub value: Number,
    /// After this time it starts from zero.
    pub reset_after: Option<Duration>,
    /// When it was created, set to a value or last reset.
    pub last_reset_at: Timestamp,
}

impl Counter {
    /// Whether its time is over.
    pub fn is_over(&self, at: Timestamp) -> bool {
        let is_over = |after| at >= self.last_reset_at.saturating_add(after);
        self.reset_after.is_some_and(is_over)
    }

    /// The value at a time: zero if its time is over.
    pub fn value_at(&self, at: Timestamp) -> Number {
        if self.is_over(at) {
            Number::ZERO
        } else {
            self.value
        }
    }
}

/// Tags, counters and attributes of a participant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Traits {
    /// In the order of their bytes, each once.
    pub(crate) tags: Vec<Box<str>>,
    /// By key.
    pub counters: BTreeMap<Box<str>, Counter>,
    /// By key.
    pub attributes: DataMap,
}

impl Traits {
    /// The tags, in the order of their bytes.
    pub fn tags(&self) -> &[Box<str>] {
        &self.tags
    }

    /// Adds a tag, in lower case; whether it was new.
    pub fn add_tag(&mut self, tag: &str) -> bool {
        let tag = tag.to_lowercase().into_boxed_str();
        let Err(place) = self.tags.binary_search(&tag) else {
            return false;
        };
        self.tags.insert(place, tag);
        true
    }

    /// Removes a tag; whether it was there.
    pub fn remove_tag(&mut self, tag: &str) -> bool {
        let tag = tag.to_lowercase().into_boxed_str();
        let place = self.tags.binary_search(&tag);
        place.map(|place| self.tags.remove(place)).is_ok()
    }
}

/// What an expression can see.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// `event`: the event's data.
    pub event: &'a DataMap,
    /// `participant`.
    pub participant: &'a Traits,
    /// `now`: the time of the event.
    pub now: Timestamp,
    /// When the event is processed, at which counters have their values.
    pub at: Timestamp,
}
