//! The surface of the earning engine: programs, assets, participants, reports.

pub(super) mod accounts;
pub(super) mod activity;
pub(super) mod assets;
pub(super) mod balances;
pub(super) mod events;
pub(super) mod funds;
pub(super) mod journal;
pub(super) mod ledger_reports;
pub(super) mod participants;
pub(super) mod programs;
pub(super) mod redemptions;
pub(super) mod rules;
pub(super) mod state;

/// Rows on a page by default, and at most.
pub(super) const PAGE_LIMITS: (usize, usize) = (50, 200);
