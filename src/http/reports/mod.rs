//! `/v1/reports` and `/v1/programs`: the surface that covers every program of an organization.

pub(super) mod activity;
pub(super) mod programs;

/// Rows on a page by default, and at most.
pub(super) const PAGE_LIMITS: (usize, usize) = (50, 200);
