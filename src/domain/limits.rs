//! Limits of the product that are not settings.

/// The most active webhook endpoints of a program.
pub const ENDPOINTS_MAX: usize = 10;

/// The most credits a month that a trial organization may be allocated.
pub const TRIAL_CREDITS_MAX: i64 = 500;
