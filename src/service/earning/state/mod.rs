//! Tags, counters and attributes of participants.

mod changes;
mod history;
mod reading;
mod requests;

pub(super) use self::changes::replace_tags;
pub(super) use self::changes::{count, set_attribute, tag, untag};
pub use self::history::HistoryFilter;
pub(super) use self::reading::traits_of;
pub(super) use self::reading::{now, shown};

/// The most tags that a participant has.
const TAGS_MAX: usize = 100;
/// The most counters that a participant has.
const COUNTERS_MAX: usize = 100;
