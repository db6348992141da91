//! The numbers of `activity.kind`, as schema.sql explains them.

use crate::domain::Status;

pub(super) const MEMBER_CREATED: i64 = 1;
pub(super) const MEMBER_TIER_CHANGED: i64 = 2;
pub(super) const MEMBER_REMOVED: i64 = 3;
pub(super) const WALLET_CREDITED: i64 = 4;
pub(super) const WALLET_DEBITED: i64 = 5;
pub(super) const REDEMPTION_CREATED: i64 = 6;
pub(super) const REDEMPTION_OPEN: i64 = 7;
pub(super) const REDEMPTION_CANCELED: i64 = 12;
pub(super) const MESSAGE_CREATED: i64 = 13;
pub(super) const TOKEN_EXCHANGED: i64 = 20;
pub(super) const MEMBER_RESTORED: i64 = 30;
pub(super) const OFFER_CREATED: i64 = 40;
pub(super) const OFFER_CHANGED: i64 = 41;
pub(super) const OFFER_ARCHIVED: i64 = 42;
pub(super) const PROGRAM_CREATED: i64 = 50;
pub(super) const PROGRAM_CHANGED: i64 = 51;
pub(super) const ORGANIZATION_CREATED: i64 = 60;
pub(super) const ORGANIZATION_CHANGED: i64 = 61;

/// The kind of a redemption's move to a status.
pub(super) fn of_status(status: Status) -> i64 {
    // The kinds 7 to 12 stand in the order of the statuses after SUBMITTED.
    REDEMPTION_OPEN + status as i64 - Status::Open as i64
}
