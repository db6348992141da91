//! Refusals: a rule does not allow a request.

use super::{ENDPOINTS_MAX, InterestStatus, Invalid, Points, Status};

/// The reason why a rule refuses a request. A refused request changes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The input is invalid, which only the stored state could show.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The member's token was issued before the member was deleted.
    #[error("the token is no longer valid")]
    TokenRevoked,
    /// The credential was revoked while the request was in progress.
    #[error("the credential is unknown, revoked or expired")]
    CredentialRevoked,
    /// The program was archived, or its organization suspended or canceled, while the request was
    /// in progress.
    #[error("the program or its organization is not active")]
    Inactive,
    /// The program is suspended, so that it can only be read.
    #[error("the program is suspended: it can be read, but not changed")]
    ProgramSuspended,
    /// The same, as the model of participants has it.
    #[error("the program is SUSPENDED: it can be read, but not changed")]
    ProgramInactive,
    /// A member's token was used with another member's id.
    #[error("externalUserID names another member than the token was minted for")]
    AnotherMember,
    /// The object does not exist, or the caller may not see it.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The resource does not meet the precondition of the request.
    #[error("{0}")]
    PreconditionFailed(&'static str),
    /// The Idempotency-Key was used before with another body.
    #[error("the Idempotency-Key was used before with another body")]
    IdempotencyKeyReused,
    /// The member has as many redemptions of the offer as its limit allows.
    #[error("the member has as many redemptions of this offer as its limit allows")]
    RedemptionAlreadyExists,
    /// The member is suspended, so that points neither come nor go.
    #[error(
        "the member is suspended: points can be credited, debited or spent when it is active again"
    )]
    MemberSuspended,
    /// The participant is suspended or closed.
    #[error("the participant is {0}, and only an ACTIVE one can do this")]
    ParticipantInactive(&'static str),
    /// Another member has the id.
    #[error("another participant of the program has this external_id")]
    ExternalIdTaken,
    /// An object of another program was named.
    #[error("{0} is not that of the API key's program")]
    AnotherProgram(&'static str),
    /// An amount has more decimals than its asset.
    #[error("{field} has more decimals than the asset, whose scale is {scale}")]
    InvalidScale {
        /// The field.
        field: String,
        /// The decimals of the asset.
        scale: u8,
    },
    /// An amount is above the most that a single credit or debit may move.
    #[error("amount is above {0}, the limit of a single credit or debit")]
    AmountTooLarge(String),
    /// Another asset of the program has the symbol.
    #[error("another asset of the program has this symbol")]
    SymbolTaken,
    /// The asset belongs to the program already.
    #[error("the asset is linked to this program already, and to no other one")]
    AlreadyLinked,
    /// Nothing of an archived asset is credited.
    #[error("the asset is archived: nothing of it is credited until its status is ACTIVE again")]
    AssetArchived,
    /// The program has as many assets as are possible.
    #[error("a program has at most {0} assets besides its points")]
    TooManyAssets(usize),
    /// The program has as many rules as are possible.
    #[error("a program has at most {0} rules that are not archived; archive one first")]
    TooManyRules(usize),
    /// Another active rule has the place in the order.
    #[error("another active rule has order {0}")]
    OrderTaken(u32),
    /// An archived rule never changes again.
    #[error("the rule is archived, and never changes again")]
    RuleArchived,
    /// The member has as many open holds as are possible.
    #[error("a participant has at most {0} holds at a time; release one first")]
    TooManyHolds(usize),
    /// The participant has as many tags as are possible.
    #[error("a participant has at most {0} tags; remove one first")]
    TooManyTags(usize),
    /// The participant has as many counters as are possible.
    #[error("a participant has at most {0} counters")]
    TooManyCounters(usize),
    /// There are not enough points of the kind that the request names.
    #[error("{available} points match, {needed} are needed")]
    TooFewMatching {
        /// The points that match.
        available: String,
        /// The points that are needed, at least one.
        needed: String,
    },
    /// The wallet of the program has fewer points than are needed.
    #[error("the program's wallet has {available} points of this asset, {needed} are needed")]
    WalletEmpty {
        /// The points in it.
        available: String,
        /// The points that are needed.
        needed: String,
    },
    /// The points of the program are kept in lots already.
    #[error("the points are kept in lots already")]
    AlreadyLots,
    /// A redemption cannot move from one status to the other.
    #[error("a redemption cannot go from {} to {}", .from.as_str(), .to.as_str())]
    RedemptionTransitionInvalid {
        /// Its status.
        from: Status,
        /// The requested status.
        to: Status,
    },
    /// Only a completed redemption can be rated.
    #[error("a redemption is rated when it is COMPLETED, but this one is {}", .0.as_str())]
    RedemptionNotCompleted(Status),
    /// An interest has left its first status.
    #[error("the interest is {}; only a submitted one can be redeemed or closed", .0.as_str())]
    InterestNotSubmitted(InterestStatus),
    /// Too many codes were sent to a phone number or for a member, or too many wrong ones tried.
    #[error("too many codes for this member or phone number; try again in {retry_after} s")]
    TooManyCodes {
        /// The seconds to wait.
        retry_after: u64,
    },
    /// The program's concierge did not accept the sensitive details.
    #[error("the concierge did not accept the details, so nothing was changed: retry later")]
    ConciergeUnavailable,
    /// The offer cannot be redeemed now, or not by this member.
    #[error("{0}")]
    OfferUnavailable(&'static str),
    /// A webhook names an event that is not in the catalogue.
    #[error("{field} must be an event of the catalogue: {catalogue}")]
    WebhookEventUnknown {
        /// The field, such as `events[0]`.
        field: String,
        /// The names in the catalogue.
        catalogue: String,
    },
    /// Webhooks cannot be sent to the address.
    #[error("url {0}")]
    WebhookUrlNotAllowed(&'static str),
    /// The program has the most active webhooks that it may have.
    #[error("a program has at most {ENDPOINTS_MAX} active webhooks; delete one first")]
    WebhookLimitReached,
    /// A redemption has fewer points left than are to be returned.
    #[error("only {0} points of the redemption are left to be returned")]
    ReversalTooLarge(String),
    /// A redemption has fewer units left than are to be returned.
    #[error("only {0} units of the redemption are left to be returned")]
    QuantityTooLarge(i64),
    /// A configured limit is reached.
    #[error("{subject} at most {most} {what} (setting {setting})")]
    LimitReached {
        /// The limited party and a verb, such as `a program can have`.
        subject: &'static str,
        /// The limit.
        most: u64,
        /// The objects that are limited.
        what: &'static str,
        /// The setting of the limit.
        setting: &'static str,
    },
    /// A key tried to revoke itself.
    #[error("a key cannot revoke itself; use another key of the program")]
    KeyInUse,
    /// The organization cannot be allocated that many credits.
    #[error("{0}")]
    AllocationTooLarge(String),
    /// A change of what points are worth is not confirmed, but offers have prices of their own.
    #[error(
        "offers have display prices of their own, which do not follow the change; send \
         confirmReprice: true"
    )]
    RepriceNotConfirmed,
    /// The pool of the organization does not hold enough points.
    #[error("insufficient organization points")]
    InsufficientOrgPoints,
    /// The organization pays redemptions from its pool, so that its members cannot have points.
    #[error("{0}")]
    OrgPool(&'static str),
    /// The wallet does not hold enough points.
    #[error("the balance is {} points, {} are needed", .balance.get(), .needed.get())]
    InsufficientPoints {
        /// The balance of the wallet.
        balance: Points,
        /// The points that are needed.
        needed: Points,
    },
}

impl Refusal {
    /// Whether a retry with the same Idempotency-Key gets the same refusal. Refusals that depend on
    /// the caller's access or on the request's headers, and limits that may be raised, are checked
    /// again each time.
    pub fn is_outcome(&self) -> bool {
        !matches!(
            self,
            Self::TokenRevoked
                | Self::CredentialRevoked
                | Self::Inactive
                | Self::ProgramSuspended
                | Self::ProgramInactive
                | Self::MemberSuspended
                | Self::ParticipantInactive(_)
                | Self::AssetArchived
                | Self::TooManyAssets(_)
                | Self::TooManyRules(_)
                | Self::TooManyTags(_)
                | Self::TooManyCounters(_)
                | Self::AnotherProgram(_)
                | Self::AnotherMember
                | Self::PreconditionFailed(_)
                | Self::KeyInUse
                | Self::IdempotencyKeyReused
                | Self::WebhookUrlNotAllowed(_)
                | Self::LimitReached { .. }
                | Self::TooManyCodes { .. }
                | Self::ConciergeUnavailable
        )
    }

    /// The seconds after which a retry may succeed, if that is known.
    pub fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooManyCodes { retry_after } => Some(*retry_after),
            _ => None,
        }
    }
}
