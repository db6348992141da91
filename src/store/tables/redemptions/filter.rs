//! What a page of redemptions is narrowed to, and that as conditions of a query.

use rusqlite::types::Value;

use crate::domain::{
    MemberNumber, OfferNumber, RedemptionNumber, RedemptionOrder, Search, Status, Timestamp,
};

/// What a page of a program's redemptions is narrowed to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedemptionFilter {
    /// Only rows behind this one, in the order of the page.
    pub after: Option<(Timestamp, RedemptionNumber)>,
    /// Only this member's.
    pub member: Option<MemberNumber>,
    /// Only of this offer.
    pub offer: Option<OfferNumber>,
    /// Only those that stand here.
    pub status: Option<Status>,
    /// Only those made then or later.
    pub from: Option<Timestamp>,
    /// Only those made earlier.
    pub to: Option<Timestamp>,
    /// Only those whose member's id and display name and whose offer's title have these terms.
    pub search: Option<Search>,
    /// Which come first.
    pub order: RedemptionOrder,
}

/// How one place is compared with another, and in which direction rows go.
pub(super) fn directions(order: RedemptionOrder) -> (&'static str, &'static str) {
    match order {
        RedemptionOrder::Newest => ("<", "DESC"),
        RedemptionOrder::Oldest => (">", "ASC"),
    }
}

/// A condition and the values of its parameters.
pub(super) struct Condition {
    pub(super) sql: String,
    pub(super) values: Vec<Value>,
}

impl Condition {
    pub(super) fn new(sql: &str, value: impl Into<Value>) -> Self {
        Self {
            sql: sql.to_owned(),
            values: vec![value.into()],
        }
    }

    pub(super) fn and(&mut self, sql: &str, value: impl Into<Value>) {
        self.sql.push_str(" AND ");
        self.sql.push_str(sql);
        self.values.push(value.into());
    }

    /// What does not depend on whose redemptions these are.
    pub(super) fn narrow(&mut self, filter: &RedemptionFilter, status: Option<Status>) {
        if let Some(status) = status {
            self.and("r.status = ?", status.as_str().to_owned());
        }
        if let Some(from) = filter.from {
            self.and("r.created_at >= ?", from.as_millis());
        }
        if let Some(to) = filter.to {
            self.and("r.created_at < ?", to.as_millis());
        }
        if let Some((at, number)) = filter.after {
            let (behind, _) = directions(filter.order);
            let sql = format!("(r.created_at, r.id) {behind} (?, ?)");
            self.and(&sql, at.as_millis());
            self.values.push(number.0.into());
        }
    }
}
