//! Loyalty programs.

use uuid::Uuid;

use super::{
    Currency, Environment, Expiry, ExpiryNotice, Name, OrganizationNumber, ProgramNumber, Seq,
    Tier, Timestamp, Zone,
};

/// Whether a program is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramStatus {
    /// In use.
    Active,
    /// Archived: its keys and tokens are refused.
    Archived,
}

impl ProgramStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Archived];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Archived => "ARCHIVED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The order of a list of programs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgramSort {
    /// By creation.
    #[default]
    CreatedAt,
    /// By name, ignoring case.
    Name,
}

impl ProgramSort {
    /// Both.
    pub const ALL: [Self; 2] = [Self::CreatedAt, Self::Name];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CreatedAt => "created_at",
            Self::Name => "name",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.as_str() == name)
    }

    /// Whether the default direction is descending.
    pub fn is_descending(self) -> bool {
        self == Self::CreatedAt
    }
}

/// A program and its configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its row.
    pub number: ProgramNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// The organization it belongs to.
    pub organization: OrganizationNumber,
    /// Its environment.
    pub environment: Environment,
    /// Its name.
    pub name: Name,
    /// Whether it is in use.
    pub status: ProgramStatus,
    /// Its points.
    pub currency: Currency,
    /// The tier of members that are created without one.
    pub default_tier: Tier,
    /// The life of points that are credited without dates of their own.
    pub expiry: Option<Expiry>,
    /// How long before points expire this is announced, if at all.
    pub expiry_notice: Option<ExpiryNotice>,
    /// The time zone of its calendar.
    pub zone: Zone,
    /// When it was created.
    pub created_at: Timestamp,
    /// When its name or status last changed.
    pub updated_at: Timestamp,
    /// When it was archived, if so.
    pub archived_at: Option<Timestamp>,
    /// The settings version of name and status: the number of the activity that last changed them.
    pub version: Seq,
    /// The settings version of the configuration: currency and default tier.
    pub configuration_version: Seq,
}
