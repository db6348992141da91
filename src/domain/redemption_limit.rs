//! How often a member can redeem an offer.

use super::Status;

/// The redemptions that count towards a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LimitPer {
    /// All that are not canceled.
    #[default]
    Ever,
    /// Those that are neither completed nor canceled.
    Open,
}

impl LimitPer {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Ever, Self::Open];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ever => "ever",
            Self::Open => "open",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|per| per.as_str() == name)
    }

    /// Whether a redemption in a status counts. One that does not count never does so again.
    pub fn counts(self, status: Status) -> bool {
        match self {
            Self::Ever => status != Status::Canceled,
            Self::Open => !matches!(status, Status::Completed | Status::Canceled),
        }
    }
}

/// The number of redemptions of an offer that a member can have. A lowered limit concerns only new
/// redemptions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RedemptionLimit {
    /// The number, from 1; `None` if there is no limit.
    pub per_member: Option<i64>,
    /// The redemptions that count.
    pub per: LimitPer,
}

impl RedemptionLimit {
    /// The highest number that can be set: a redemption counts the earlier ones up to it.
    pub const PER_MEMBER_MAX: i64 = 1_000;
}

impl Default for RedemptionLimit {
    /// One redemption that is not canceled, the rule of version 0.1.0.
    fn default() -> Self {
        Self {
            per_member: Some(1),
            per: LimitPer::Ever,
        }
    }
}
