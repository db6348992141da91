//! Statuses of redemptions, and moves from one to another.

use serde::{Deserialize, Serialize};

use super::row::fields;
use super::{MemberNumber, OfferNumber, RedemptionNumber};

/// Where a redemption stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// Just made.
    Submitted,
    /// Taken up.
    Open,
    /// Waiting on the vendor.
    AwaitingVendor,
    /// Waiting on the customer.
    AwaitingCustomer,
    /// Bought.
    Purchased,
    /// The experience took place.
    Completed,
    /// Called off; the points went back.
    Canceled,
}

impl Status {
    /// All, in the order of the way.
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

    /// Whether a redemption may go from here to `next`: forward, skipping allowed; between the two
    /// waiting states either way; to canceled from anywhere but completed.
    pub fn may_become(self, next: Self) -> bool {
        match (self, next) {
            (Self::Completed | Self::Canceled, _) => false,
            (_, Self::Canceled) | (Self::AwaitingCustomer, Self::AwaitingVendor) => true,
            _ => next as usize > self as usize,
        }
    }
}

/// How many redemptions stand where.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCounts([u64; Status::ALL.len()]);

impl StatusCounts {
    /// How many stand at `status`.
    pub fn get(&self, status: Status) -> u64 {
        self.0[status as usize]
    }

    /// How many there are in all.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Counts `count` more at `status`.
    pub fn add(&mut self, status: Status, count: u64) {
        self.0[status as usize] += count;
    }

    /// Counts a redemption that went from one status to another. `None`, and nothing is changed,
    /// if no redemption is counted in `from`.
    #[must_use]
    pub fn shift(&mut self, from: Status, to: Status) -> Option<()> {
        let left = &mut self.0[from as usize];
        *left = left.checked_sub(1)?;
        self.0[to as usize] += 1;
        Some(())
    }
}

fields! {
    /// A redemption that went from one status to another.
    pub struct RedemptionMove {
        /// Whose it is.
        member: MemberNumber = Member,
        /// The offer that was redeemed.
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
    fn the_way_goes_forward_and_the_two_waiting_states_swap() {
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
