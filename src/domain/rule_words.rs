//! The words of lists of earning rules.

use super::RuleStatus;

/// What a version of a rule changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleChange {
    /// The rule is new.
    Created,
    /// It says something else.
    Updated,
    /// It is evaluated again.
    Activated,
    /// It is not evaluated any more.
    Suspended,
    /// The same, permanently.
    Archived,
}

impl RuleChange {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Created,
        Self::Updated,
        Self::Activated,
        Self::Suspended,
        Self::Archived,
    ];

    /// What a change is from one status to another.
    pub fn of(before: RuleStatus, after: RuleStatus) -> Self {
        match after {
            _ if before == after => Self::Updated,
            RuleStatus::Active => Self::Activated,
            RuleStatus::Suspended => Self::Suspended,
            RuleStatus::Archived => Self::Archived,
        }
    }

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Activated => "activated",
            Self::Suspended => "suspended",
            Self::Archived => "archived",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == name)
    }
}

/// The field by which rules are listed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RuleSort {
    /// The order in which they are evaluated.
    #[default]
    Order,
    /// The name.
    Name,
    /// When they were created.
    CreatedAt,
}

impl RuleSort {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Order, Self::Name, Self::CreatedAt];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Order => "order",
            Self::Name => "name",
            Self::CreatedAt => "created_at",
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
