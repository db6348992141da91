//! Assets: the points of a program, and how they are kept.

use super::{
    AssetNumber, AssetSymbol, Expiry, MemberNumber, Name, Points, ProgramNumber, RedemptionTarget,
    RefundGrace, Scale, Seq, Timestamp, Zone,
};

/// How the points of an asset are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum InventoryMode {
    /// As a sum. Points live forever.
    #[default]
    Simple,
    /// In lots, each of which can have dates: points that were credited together.
    Lot,
}

impl InventoryMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Simple, Self::Lot];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Simple => "SIMPLE",
            Self::Lot => "LOT",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// The order in which lots are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum BurnOrder {
    /// The oldest first.
    #[default]
    Fifo,
    /// The one that expires first, and the oldest of those that expire at one time.
    SoonestExpiry,
}

impl BurnOrder {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Fifo, Self::SoonestExpiry];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fifo => "fifo",
            Self::SoonestExpiry => "soonest_expiry",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }
}

/// Where the points of an asset come from that are credited.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IssuancePolicy {
    /// A credit creates them.
    #[default]
    Unlimited,
    /// From the wallet of the program, which has to be funded first.
    Prefunded,
}

impl IssuancePolicy {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Unlimited, Self::Prefunded];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unlimited => "UNLIMITED",
            Self::Prefunded => "PREFUNDED",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|policy| policy.as_str() == name)
    }
}

/// Whether an asset is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssetStatus {
    /// In use.
    Active,
    /// Archived: nothing of it is credited.
    Archived,
}

impl AssetStatus {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Active, Self::Archived];

    /// The name on the wire.
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

/// What an asset has that is not the points of its program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherAsset {
    /// Its number.
    pub number: AssetNumber,
    /// Its name.
    pub name: Name,
    /// Its symbol, unique in the program.
    pub symbol: AssetSymbol,
    /// The decimals of its amounts.
    pub scale: Scale,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was archived, if it is: nothing of it is credited then.
    pub archived_at: Option<Timestamp>,
}

/// An asset: how the points of a program are kept, or a further one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// The program.
    pub program: ProgramNumber,
    /// What a further asset has of its own; `None`: the points of the program.
    pub further: Option<FurtherAsset>,
    /// In lots, or as a sum.
    pub mode: InventoryMode,
    /// Where credited points come from. It never changes after the first ledger entry.
    pub policy: IssuancePolicy,
    /// The order in which lots are used.
    pub burn_order: BurnOrder,
    /// The most points that a single credit or debit may move.
    pub max_amount: Option<Points>,
    /// The last member whose points from before the conversion were put into lots, while there may
    /// be others.
    pub opening_after: Option<MemberNumber>,
    /// When these points expire.
    pub opening_expires_at: Option<Timestamp>,
    /// When the settings last changed.
    pub updated_at: Timestamp,
    /// The settings version; 0 before the first change.
    pub version: Seq,
}

impl Asset {
    /// That of a program whose settings were never changed.
    pub fn of_new(program: ProgramNumber, created_at: Timestamp) -> Self {
        Self {
            program,
            further: None,
            mode: InventoryMode::default(),
            policy: IssuancePolicy::default(),
            burn_order: BurnOrder::default(),
            max_amount: None,
            opening_after: None,
            opening_expires_at: None,
            updated_at: created_at,
            version: Seq(0),
        }
    }

    /// The number of a further asset.
    pub fn number(&self) -> Option<AssetNumber> {
        Some(self.further.as_ref()?.number)
    }

    /// The decimals of its amounts.
    pub fn scale(&self) -> Scale {
        self.further
            .as_ref()
            .map_or(Scale::WHOLE, |further| further.scale)
    }
}

/// The settings by which the points of a program are moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointsRules {
    /// How they are kept.
    pub mode: InventoryMode,
    /// The order in which lots are used.
    pub burn_order: BurnOrder,
    /// The most points that a single credit or debit may move.
    pub max_amount: Option<Points>,
    /// The life of points that are credited without dates of their own.
    pub expiry: Option<Expiry>,
    /// The time zone of the program's calendar.
    pub zone: Zone,
    /// When the points that the program had before it had lots expire.
    pub opening_expires_at: Option<Timestamp>,
    /// Whether nothing is credited any more, because the asset is archived.
    pub is_archived: bool,
    /// The decimals of amounts.
    pub scale: Scale,
    /// The account that redemptions go to.
    pub target: RedemptionTarget,
    /// How long points can be used that are returned after their time.
    pub refund_grace: Option<RefundGrace>,
}

impl PointsRules {
    /// When points expire that are credited at a time without dates of their own.
    pub fn expires_at(&self, at: Timestamp) -> Option<Timestamp> {
        self.expiry?.after(at, &self.zone)
    }
}
