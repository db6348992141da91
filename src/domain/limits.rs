//! Limits that belong to the product and cannot be set.

/// Active endpoints that a program may have.
pub const ENDPOINTS_MAX: usize = 10;

/// The most credits a month that a trial organization may be allocated.
pub const TRIAL_CREDITS_MAX: i64 = 500;
