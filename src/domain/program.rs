//! A loyalty program.

use uuid::Uuid;

use super::{
    CurrencyName, CurrencySymbol, Environment, Name, OrganizationNumber, ProgramNumber, Seq, Tier,
    Timestamp,
};

/// What a program's points are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency {
    /// The display name, for example `Points`.
    pub name: CurrencyName,
    /// The symbol, for example `pts`.
    pub symbol: CurrencySymbol,
}

/// Whether a program is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramStatus {
    /// In use.
    Active,
    /// Put away: its keys and tokens are refused.
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

/// What a list of programs is ordered by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ProgramSort {
    /// When they were made.
    #[default]
    CreatedAt,
    /// Their names, capitals as small letters.
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

    /// Whether the last comes first unless a direction is asked for.
    pub fn is_descending(self) -> bool {
        self == Self::CreatedAt
    }
}

/// A program and what it is set to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its row.
    pub number: ProgramNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// The organization it belongs to.
    pub organization: OrganizationNumber,
    /// Where it lives.
    pub environment: Environment,
    /// Its name.
    pub name: Name,
    /// Whether it is in use.
    pub status: ProgramStatus,
    /// What its points are called.
    pub currency: Currency,
    /// The tier of a member who is given none.
    pub default_tier: Tier,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its name or status last changed.
    pub updated_at: Timestamp,
    /// When it was put away, if so.
    pub archived_at: Option<Timestamp>,
    /// The settings version of name and status: the number of the activity that last changed them.
    pub version: Seq,
    /// The same of the configuration: currency and default tier.
    pub configuration_version: Seq,
}
