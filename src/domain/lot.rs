//! Lots: points that were credited together, and how a ledger entry moves them.
//!
//! An account with lots is one whose ledger entries say which lots they move. Each lot has a
//! number, counted from 1 in its account. Part of a lot that is held, released or restored may get
//! a number of its own; its origin, the number of the lot that it was first part of, keeps its age.

use super::{Points, Timestamp};

/// A part of an account's points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Bucket {
    /// Points that can be spent.
    #[default]
    Available,
    /// Points that are reserved.
    Held,
    /// Points that become available later.
    Deferred,
}

impl Bucket {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Available, Self::Held, Self::Deferred];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Available => "AVAILABLE",
            Self::Held => "HELD",
            Self::Deferred => "DEFERRED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.as_str() == name)
    }

    /// The number in the log, from 1.
    pub(super) const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The bucket with this number.
    pub(super) const fn of_number(number: u8) -> Option<Self> {
        Some(match number {
            1 => Self::Available,
            2 => Self::Held,
            3 => Self::Deferred,
            _ => return None,
        })
    }
}

/// The bucket that a lot is in, and what only lots in this bucket have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotState {
    /// Its points can be spent.
    Available,
    /// Its points are reserved.
    Held {
        /// The number of the ledger entry in the account that reserved them.
        by: u32,
        /// Whether they were credited as reserved, so that they may be taken back.
        is_provisional: bool,
        /// When they become available again automatically, if ever.
        until: Option<Timestamp>,
    },
    /// Its points become available later.
    Deferred {
        /// When they become available.
        matures_at: Timestamp,
    },
}

impl LotState {
    /// The bucket.
    pub const fn bucket(self) -> Bucket {
        match self {
            Self::Available => Bucket::Available,
            Self::Held { .. } => Bucket::Held,
            Self::Deferred { .. } => Bucket::Deferred,
        }
    }
}

/// A lot with points left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lot {
    /// The number in the account, from 1.
    pub number: u32,
    /// The number of the lot that it was split from, or its own.
    pub origin: u32,
    /// The number in the account of the ledger entry that credited its points.
    pub entry: u32,
    /// The points that are left, at least one.
    pub remaining: Points,
    /// When they expire, if ever.
    pub expires_at: Option<Timestamp>,
    /// Its bucket.
    pub state: LotState,
}

impl Lot {
    /// The most lots with points left that an account may have.
    pub const COUNT_MAX: usize = 1 << 16;

    /// When its points become available, if they are not yet.
    pub const fn matures_at(&self) -> Option<Timestamp> {
        match self.state {
            LotState::Deferred { matures_at } => Some(matures_at),
            LotState::Available | LotState::Held { .. } => None,
        }
    }

    /// When its points become available again automatically, if they are reserved until then.
    pub const fn held_until(&self) -> Option<Timestamp> {
        match self.state {
            LotState::Held { until, .. } => until,
            LotState::Available | LotState::Deferred { .. } => None,
        }
    }

    /// From when on its points are neither pending nor reserved, as far as that is known; `None` if
    /// they are reserved until somebody releases them.
    pub fn free_from(&self) -> Option<Timestamp> {
        match self.state {
            LotState::Available => Some(Timestamp::MIN),
            LotState::Deferred { matures_at } => Some(matures_at),
            LotState::Held { until, .. } => until,
        }
    }

    /// The number of the ledger entry that reserved its points, if they are reserved.
    pub const fn held_by(&self) -> Option<u32> {
        match self.state {
            LotState::Held { by, .. } => Some(by),
            LotState::Available | LotState::Deferred { .. } => None,
        }
    }

    /// Whether its points were credited as reserved, and still are.
    pub const fn is_provisional(&self) -> bool {
        let state = self.state;
        matches!(state, LotState::Held { is_provisional, .. } if is_provisional)
    }

    /// Part of it, as a ledger entry describes it.
    pub const fn part(&self, amount: Points) -> LotPart {
        LotPart {
            number: self.number,
            origin: self.origin,
            entry: self.entry,
            amount,
            expires_at: self.expires_at,
            matures_at: self.matures_at(),
        }
    }
}

/// Points of a lot, with all that is needed to restore them without a look-up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LotPart {
    /// The number of the lot.
    pub number: u32,
    /// The lot's origin.
    pub origin: u32,
    /// The number in the account of the ledger entry that credited the points.
    pub entry: u32,
    /// The number of points, at least one.
    pub amount: Points,
    /// When they expire, if ever.
    pub expires_at: Option<Timestamp>,
    /// When they become available, if they are not yet.
    pub matures_at: Option<Timestamp>,
}

/// Points of an account that expire at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expiring {
    /// When they expire.
    pub at: Timestamp,
    /// The number of points.
    pub amount: Points,
}
