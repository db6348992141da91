//! Earning rules, as far as the log knows them.

use super::words::words;

words! {
    /// The status of an earning rule.
    RuleStatus {
        /// It is evaluated for every event.
        Active "ACTIVE",
        /// It is not evaluated.
        Suspended "SUSPENDED",
        /// It is not evaluated, and never changes again.
        Archived "ARCHIVED",
    }
}
