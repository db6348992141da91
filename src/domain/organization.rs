//! Organizations: the tenants of a server.

use uuid::Uuid;

use super::{
    Attributes, Environment, ExternalId, Name, Note, OrganizationNumber, Refusal, Seq,
    TRIAL_CREDITS_MAX, Timestamp,
};

/// Whether an organization may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationStatus {
    /// It may act.
    Active,
    /// Its keys and tokens are refused until it is active again.
    Suspended,
    /// Its keys and tokens are refused.
    Canceled,
}

impl OrganizationStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Canceled];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Canceled => "canceled",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The payment plan of an organization.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationTier {
    /// A free trial.
    Trial,
    /// A paid plan.
    Paid,
}

impl OrganizationTier {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Trial, Self::Paid];

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tier| tier.as_str() == name)
    }

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Paid => "paid",
        }
    }
}

/// Credits that an organization may use in a month: a cap, not a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allocation {
    /// The public id.
    pub uuid: Uuid,
    /// The number of credits.
    pub credits: i64,
    /// The partner's note on it.
    pub notes: Option<Note>,
    /// When it was set.
    pub at: Timestamp,
}

impl Allocation {
    /// The most credits a month, 10^12.
    pub const CREDITS_MAX: i64 = 1_000_000_000_000;
}

/// A tenant in one environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// The row.
    pub number: OrganizationNumber,
    /// The public id.
    pub uuid: Uuid,
    /// Its environment.
    pub environment: Environment,
    /// Its name.
    pub name: Name,
    /// The partner's own id for it.
    pub external_id: Option<ExternalId>,
    /// Whether it may act.
    pub status: OrganizationStatus,
    /// Its payment plan.
    pub tier: OrganizationTier,
    /// The partner's own JSON.
    pub metadata: Option<Attributes>,
    /// Its cap, if it has one.
    pub allocation: Option<Allocation>,
    /// When it was created.
    pub created_at: Timestamp,
    /// The settings version: the number of the activity that last changed what a request can set.
    pub version: Seq,
}

impl Organization {
    /// Checks whether it may be allocated a number of credits, while other organizations have
    /// `others` of a pool of `pool`.
    ///
    /// # Errors
    /// [`Refusal::AllocationTooLarge`] if not.
    pub fn check_allocation(&self, credits: i64, others: i64, pool: i64) -> Result<(), Refusal> {
        if self.tier == OrganizationTier::Trial && credits > TRIAL_CREDITS_MAX {
            return Err(Refusal::AllocationTooLarge(format!(
                "credits: a trial organization may be allocated at most {TRIAL_CREDITS_MAX} a month"
            )));
        }
        let left = pool.saturating_sub(others).max(0);
        // A lower allocation is always possible, even after the pool has shrunk.
        let before = self
            .allocation
            .as_ref()
            .map_or(0, |allocation| allocation.credits);
        if credits > left && credits > before {
            return Err(Refusal::AllocationTooLarge(format!(
                "credits: the pool has {pool} a month, of which {left} are not allocated"
            )));
        }
        Ok(())
    }
}
