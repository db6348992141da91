//! Operations on the points of a participant.

/// What is done to points, other than to credit or debit them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BalanceOperation {
    /// Available points are reserved.
    Hold,
    /// Reserved points become available.
    Release,
    /// Points are taken permanently.
    Forfeit,
    /// Points that were credited as held are taken back.
    VoidHold,
}

impl BalanceOperation {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hold => "HOLD",
            Self::Release => "RELEASE",
            Self::Forfeit => "FORFEIT",
            Self::VoidHold => "VOID_HOLD",
        }
    }

    /// What happened to points, after their number.
    pub fn past(self) -> &'static str {
        match self {
            Self::Hold => "held",
            Self::Release => "made available",
            Self::Forfeit => "forfeited",
            Self::VoidHold => "taken back",
        }
    }

    /// Whether only an active participant can have it done.
    pub fn needs_active(self) -> bool {
        matches!(self, Self::Hold | Self::Release)
    }
}
