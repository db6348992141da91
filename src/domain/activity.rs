//! What happened: one typed row of the activity log.

use serde::{Deserialize, Serialize};

use super::{
    Environment, EventName, MemberNumber, MessageId, OfferId, OfferNumber, OrganizationNumber,
    OrganizationStatus, Points, ProgramNumber, Reason, RedemptionNumber, Status, Tier, Timestamp,
};

/// The number of an activity: the order of commits, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub i64);

/// The kind of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The operator gave points.
    Mint,
    /// A redemption took points.
    Spend,
    /// A canceled redemption gave points back.
    Refund,
    /// A removal took what was left.
    Forfeit,
    /// The operator took points, to correct a mistake.
    Debit,
}

impl Entry {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Mint,
        Self::Spend,
        Self::Refund,
        Self::Forfeit,
        Self::Debit,
    ];

    /// Whether it adds to the wallet.
    pub fn is_credit(self) -> bool {
        matches!(self, Self::Mint | Self::Refund)
    }
}

/// One movement of points in one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What kind of movement.
    pub entry: Entry,
    /// How many points, at least one.
    pub amount: Points,
    /// Whose wallet.
    pub member: MemberNumber,
    /// The offer, on a spend and a refund.
    pub offer: Option<OfferNumber>,
    /// The redemption, on a spend and a refund.
    pub redemption: Option<RedemptionNumber>,
    /// Whether it is the member's first mint or spend.
    pub first: bool,
    /// The entry of the same wallet before this one.
    pub previous: Option<Seq>,
    /// What the caller gave as the reason.
    pub reason: Option<Reason>,
}

/// What happened, with all that the figures need to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are what the variant's sentence names"
)]
pub enum Event {
    /// A member signed up with a tier.
    MemberCreated { member: MemberNumber, tier: Tier },
    /// A current member went from one tier to another.
    MemberTierChanged {
        member: MemberNumber,
        from: Tier,
        to: Tier,
    },
    /// A member who held this tier was removed.
    MemberRemoved { member: MemberNumber, tier: Tier },
    /// A removed member came back with this tier. Internal.
    MemberRestored { member: MemberNumber, tier: Tier },
    /// Points moved.
    Ledger(LedgerEntry),
    /// A member booked an offer; `first` if never before.
    RedemptionCreated {
        member: MemberNumber,
        offer: OfferNumber,
        redemption: RedemptionNumber,
        charged: Points,
        first: bool,
    },
    /// A redemption went from one status to another.
    RedemptionMoved {
        member: MemberNumber,
        offer: OfferNumber,
        redemption: RedemptionNumber,
        from: Status,
        to: Status,
    },
    /// Somebody said something in a conversation of a member's.
    MessageCreated {
        member: MemberNumber,
        message: MessageId,
    },
    /// A member token was minted: an identification if the member held none that was good, and
    /// then perhaps with a credit taken. Internal.
    TokenExchanged {
        member: MemberNumber,
        identified: bool,
        credit: bool,
    },
    /// An offer was made. Internal.
    OfferCreated { offer: OfferNumber, id: OfferId },
    /// An offer's content changed. Internal.
    OfferChanged { offer: OfferNumber },
    /// An offer was put away. Internal.
    OfferArchived { offer: OfferNumber },
    /// A program was made. Internal.
    ProgramCreated { organization: OrganizationNumber },
    /// A program's settings changed. Internal.
    ProgramChanged,
    /// An organization was made. Internal.
    OrganizationCreated {
        organization: OrganizationNumber,
        environment: Environment,
    },
    /// An organization went from one status to another. Internal.
    OrganizationChanged {
        organization: OrganizationNumber,
        from: OrganizationStatus,
        to: OrganizationStatus,
    },
}

impl Event {
    /// Its name in the catalogue, which webhooks can listen to and reports count; the others are
    /// internal.
    pub fn name(&self) -> Option<EventName> {
        Some(match self {
            Self::MemberCreated { .. } => EventName::MemberCreated,
            Self::MemberTierChanged { .. } => EventName::MemberTierChanged,
            Self::MemberRemoved { .. } => EventName::MemberRemoved,
            Self::Ledger(entry) if entry.entry.is_credit() => EventName::WalletCredited,
            Self::Ledger(_) => EventName::WalletDebited,
            Self::RedemptionCreated { .. } => EventName::RedemptionCreated,
            Self::RedemptionMoved { to, .. } => EventName::of_status(*to),
            Self::MessageCreated { .. } => EventName::ConversationMessageCreated,
            Self::MemberRestored { .. }
            | Self::TokenExchanged { .. }
            | Self::OfferCreated { .. }
            | Self::OfferChanged { .. }
            | Self::OfferArchived { .. }
            | Self::ProgramCreated { .. }
            | Self::ProgramChanged
            | Self::OrganizationCreated { .. }
            | Self::OrganizationChanged { .. } => return None,
        })
    }
}

/// One row of the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The program it happened in; `None` for what happens to an organization.
    pub program: Option<ProgramNumber>,
    /// What happened.
    pub event: Event,
}
