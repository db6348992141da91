//! Statuses that follow from the ledger: those of lots, and of redemptions by what was returned.

use super::Bucket;

/// The status of a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotStatus {
    /// It has points left, which are in a bucket.
    In(Bucket),
    /// Its points were used up.
    Consumed,
    /// Its last points expired.
    Expired,
}

impl LotStatus {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::In(Bucket::Available),
        Self::In(Bucket::Held),
        Self::In(Bucket::Deferred),
        Self::Consumed,
        Self::Expired,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In(bucket) => bucket.as_str(),
            Self::Consumed => "CONSUMED",
            Self::Expired => "EXPIRED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether it is that of a lot with points left.
    pub fn is_live(self) -> bool {
        matches!(self, Self::In(_))
    }
}

/// How much of a redemption was reversed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReversalStatus {
    /// Nothing.
    Completed,
    /// A part.
    PartiallyReversed,
    /// All of it.
    FullyReversed,
}

impl ReversalStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [
        Self::Completed,
        Self::PartiallyReversed,
        Self::FullyReversed,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "COMPLETED",
            Self::PartiallyReversed => "PARTIALLY_REVERSED",
            Self::FullyReversed => "FULLY_REVERSED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}
