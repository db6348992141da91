//! Tenants.

/// Whether an organization may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationStatus {
    /// It may.
    Active,
    /// Its keys and tokens are refused until it is active again.
    Suspended,
    /// Its keys and tokens are refused.
    Canceled,
}

impl OrganizationStatus {
    const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Canceled];

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

/// What an organization pays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationTier {
    /// Nothing yet.
    Trial,
    /// Something.
    Paid,
}

impl OrganizationTier {
    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trial => "trial",
            Self::Paid => "paid",
        }
    }
}
