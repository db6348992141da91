//! Statuses of redemptions, and moves from one to another.

use serde::{Deserialize, Serialize};

use super::row::fields;
use super::{MemberNumber, OfferNumber, RedemptionNumber};

/// The status of a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Created.
    Submitted,
    /// Opened by the operator.
    Open,
    /// Waiting for the vendor.
    AwaitingVendor,
    /// Waiting for the customer.
    AwaitingCustomer,
    /// Purchased from the vendor.
    Purchased,
    /// The experience took place.
    Completed,
    /// Canceled; the points were returned.
    Canceled,
}

impl Status {
    /// All statuses, in the order in which a redemption goes through them.
    pub const ALL: [Self; 7] = [
        Self::Submitted,
        Self::Open,
        Self::AwaitingVendor,
        Self::AwaitingCustomer,
        Self::Purchased,
        Self::Completed,
        Self::Canceled,
    ];

    /// The upper-case name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Submitted => "SUBMITTED",
            Self::Open => "OPEN",
            Self::AwaitingVendor => "AWAITING_VENDOR",
            Self::AwaitingCustomer => "AWAITING_CUSTOMER",
            Self::Purchased => "PURCHASED",
            Self::Completed => "COMPLETED",
            Self::Canceled => "CANCELED",
        }
    }

    /// Reads the upper-case name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether a redemption may go from this status to `next`: forward, also past some statuses;
    /// between the two waiting statuses both ways; and to canceled unless it is completed.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Completed | Self::Canceled, _) => false,
            (_, Self::Canceled) | (Self::AwaitingCustomer, Self::AwaitingVendor) => true,
            _ => next as usize > self as usize,
        }
    }
}

/// The number of redemptions in each status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCounts([u64; Status::ALL.len()]);

impl StatusCounts {
    /// The number of redemptions in `status`.
    pub fn get(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    /// The number of all redemptions.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Adds `count` redemptions in `status`.
    pub fn add(&mut self, status: Status, count: u64) {
        self.0[status as usize] += count;
    }

    /// Moves a redemption from one status to another. Returns `None` and changes nothing if no
    /// redemption is counted in `from`.
    #[must_use]
    pub fn shift(&mut self, from: Status, to: Status) -> Option<()> {
        let left = &mut self.0[from as usize];
        *left = left.checked_sub(1)?;
        self.0[to as usize] += 1;
        Some(())
    }
}

fields! {
    /// A redemption's move from one status to another.
    pub struct RedemptionMove {
        /// The member.
        member: MemberNumber = Member,
        /// The redeemed offer.
        offer: OfferNumber = Offer,
        /// The redemption.
        redemption: RedemptionNumber = Redemption,
        /// The status it left.
        from: Status = From,
        /// The status it entered.
        to: Status = To,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moves_go_forward_and_the_two_waiting_statuses_swap() {
        use Status::{
            AwaitingCustomer, AwaitingVendor, Canceled, Completed, Open, Purchased, Submitted,
        };
        let legal = |from: Status| -> Vec<Status> {
            Status::ALL
                .into_iter()
                .filter(|next| from.may_become(*next))
                .collect()
        };
        let after_open = vec![
            AwaitingVendor,
            AwaitingCustomer,
            Purchased,
            Completed,
            Canceled,
        ];
        assert_eq!(legal(Submitted)[0], Open);
        assert_eq!(legal(Open), after_open);
        assert_eq!(
            legal(AwaitingVendor),
            [AwaitingCustomer, Purchased, Completed, Canceled]
        );
        assert_eq!(
            legal(AwaitingCustomer),
            [AwaitingVendor, Purchased, Completed, Canceled]
        );
        assert_eq!(legal(Purchased), [Completed, Canceled]);
        assert!(legal(Completed).is_empty());
        assert!(legal(Canceled).is_empty());
    }
}
