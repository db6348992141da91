//! The filter of a list of redemptions, and its conditions in a query.

use crate::domain::{
    MemberNumber, OfferNumber, RedemptionCode, RedemptionNumber, RedemptionOrder, Search, Status,
    Timestamp,
};
use crate::store::tables::query::Query;

/// The filter and the order of a list of redemptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedemptionFilter {
    /// Only redemptions after this one, in the order of the list.
    pub after: Option<(Timestamp, RedemptionNumber)>,
    /// Only redemptions of this member.
    pub member: Option<MemberNumber>,
    /// Only redemptions of this offer.
    pub offer: Option<OfferNumber>,
    /// Only the redemption with this code.
    pub code: Option<RedemptionCode>,
    /// Only redemptions with this status.
    pub status: Option<Status>,
    /// Only redemptions made at this time or later.
    pub from: Option<Timestamp>,
    /// Only redemptions made before this time.
    pub to: Option<Timestamp>,
    /// Only redemptions whose member's id and display name and whose offer's title have these
    /// terms. If it is the code of a redemption, only that one.
    pub search: Option<Search>,
    /// The order.
    pub order: RedemptionOrder,
}

/// The operator that compares a place with the one before it, and the direction of the order.
pub(super) fn directions(order: RedemptionOrder) -> (&'static str, &'static str) {
    match order {
        RedemptionOrder::Newest => ("<", "DESC"),
        RedemptionOrder::Oldest => (">", "ASC"),
    }
}

/// Appends the conditions of a filter, except those on members and offers.
pub(super) fn narrow(query: &mut Query, filter: &RedemptionFilter, status: Option<Status>) {
    if let Some(status) = status {
        query.and("r.status = ?", [status.as_str().to_owned()]);
    }
    if let Some(from) = filter.from {
        query.and("r.created_at >= ?", [from.as_millis()]);
    }
    if let Some(to) = filter.to {
        query.and("r.created_at < ?", [to.as_millis()]);
    }
    if let Some((at, number)) = filter.after {
        let (after, _) = directions(filter.order);
        let place = [at.as_millis(), number.0];
        query.and(&format!("(r.created_at, r.id) {after} (?, ?)"), place);
    }
}
