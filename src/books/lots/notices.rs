//! When it is announced that points will expire.
//!
//! A time at which points of an account expire is announced once, a number of days ahead that the
//! program sets. Points that become available later than that are not announced. So an account has
//! a mark: what expires up to then was announced, or is not announced any more. An event moves the
//! mark to the time that it announces, and a ledger entry moves it to just before the time of the
//! next notices. As the mark depends on nothing but the rows of the log, a notice is sent once,
//! whenever the number of days is changed. If it becomes larger, more is due at once.

use crate::domain::{ExpiryNotice, Lot, Timestamp};

/// What decides when the lots of an account are announced.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::books) struct Notices {
    /// How long before they expire, if at all.
    pub(in crate::books) notice: Option<ExpiryNotice>,
    /// The mark of the account.
    pub(in crate::books) until: Option<Timestamp>,
}

impl Notices {
    /// When a lot is announced, if it will be.
    pub(super) fn due_at(self, lot: &Lot) -> Option<Timestamp> {
        let (notice, end) = (self.notice?, lot.expires_at?);
        let at = notice.before(end);
        // Points that become available before are listed as well, so that a list of what is due has
        // them in order.
        let is_free = lot.free_from().is_some_and(|from| from <= at);
        (is_free && self.until < Some(end)).then_some(at)
    }
}
