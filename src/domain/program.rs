//! Loyalty programs.

use std::fmt;
use std::time::Duration;

use uuid::Uuid;

use super::{
    Currency, Environment, Expiry, ExpiryNotice, Name, Note, OrganizationNumber, ProgramNumber,
    Seq, Tier, Timestamp, UnknownParticipants, Zone,
};

/// Whether a program is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramStatus {
    /// In use.
    Active,
    /// Suspended: its keys and tokens can read.
    Suspended,
    /// Archived: its keys and tokens are refused.
    Archived,
}

impl ProgramStatus {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Active, Self::Suspended, Self::Archived];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Suspended => "SUSPENDED",
            Self::Archived => "ARCHIVED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// The account that redemptions of a program go to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RedemptionTarget {
    /// That of redemptions.
    #[default]
    Redemption,
    /// That of points that are forfeited or expire.
    Breakage,
}

impl RedemptionTarget {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Redemption, Self::Breakage];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Redemption => "SYSTEM_REDEMPTION",
            Self::Breakage => "SYSTEM_BREAKAGE",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|target| target.as_str() == name)
    }
}

/// How long points can be used that are returned after their time: a number of hours.
///
/// ```
/// use stampcard::domain::RefundGrace;
/// assert_eq!(RefundGrace::parse("720h").unwrap().to_string(), "720h");
/// assert_eq!(RefundGrace::parse("0h"), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefundGrace(i64);

impl RefundGrace {
    /// The most hours: ten years.
    pub const MAX: i64 = 87_600;

    /// A number of hours, from 1 to [`MAX`](Self::MAX).
    pub fn new(hours: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&hours).then_some(Self(hours))
    }

    /// Reads hours, such as `720h`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_suffix('h')?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        Self::new(digits.parse().ok().filter(|_| is_plain)?)
    }

    /// The hours.
    pub fn hours(self) -> i64 {
        self.0
    }

    /// When points expire that are returned at a time.
    pub fn after(self, at: Timestamp) -> Timestamp {
        let seconds = self.0.unsigned_abs() * 3_600;
        at.saturating_add(Duration::from_secs(seconds))
    }
}

impl fmt::Display for RefundGrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}h", self.0)
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
    /// What it is, in the operator's words.
    pub description: Option<Note>,
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
    /// The account that later redemptions go to.
    pub target: RedemptionTarget,
    /// What an event of an unknown participant does.
    pub unknown: UnknownParticipants,
    /// How long points can be used that are returned after their time.
    pub refund_grace: Option<RefundGrace>,
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
