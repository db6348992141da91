//! Why a rule said no.

use super::{ENDPOINTS_MAX, Invalid, Points, Status};

/// A rule's no. Nothing has changed when one is given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The input cannot be used, as only the stored state could show.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The member's token was minted before the member was removed.
    #[error("the token is no longer valid")]
    TokenRevoked,
    /// The credential was revoked while the request was on its way.
    #[error("the credential is unknown, revoked or expired")]
    CredentialRevoked,
    /// The program was archived, or its organization suspended or canceled, on the way.
    #[error("the program or its organization is not active")]
    Inactive,
    /// A member's token was used with another member's id.
    #[error("externalUserID names another member than the token was minted for")]
    AnotherMember,
    /// There is no such thing, or the caller may not see it.
    #[error("no such {0}")]
    NotFound(&'static str),
    /// The resource is not as the request expects it.
    #[error("{0}")]
    PreconditionFailed(&'static str),
    /// The Idempotency-Key came with another body before.
    #[error("the Idempotency-Key was used before with another body")]
    IdempotencyKeyReused,
    /// The member holds a redemption of this offer already.
    #[error("the member already holds a redemption of this offer")]
    RedemptionAlreadyExists,
    /// A redemption cannot go this way.
    #[error("a redemption cannot go from {} to {}", .from.as_str(), .to.as_str())]
    RedemptionTransitionInvalid {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// The offer cannot be redeemed now, or not by this member.
    #[error("{0}")]
    OfferUnavailable(&'static str),
    /// A webhook listens to something that is not in the catalogue.
    #[error("{field} must be an event of the catalogue: {catalogue}")]
    WebhookEventUnknown {
        /// The field, such as `events[0]`.
        field: String,
        /// The names in the catalogue.
        catalogue: String,
    },
    /// A webhook cannot be sent there.
    #[error("url {0}")]
    WebhookUrlNotAllowed(&'static str),
    /// The program has as many active webhooks as it may have.
    #[error("a program has at most {ENDPOINTS_MAX} active webhooks; delete one first")]
    WebhookLimitReached,
    /// There are as many as there may be.
    #[error("{subject} at most {most} {what}; the server's setting {setting} says so")]
    LimitReached {
        /// Who is limited, and a verb.
        subject: &'static str,
        /// How many; 0 is no limit.
        most: u64,
        /// Of what.
        what: &'static str,
        /// The setting that says how many.
        setting: &'static str,
    },
    /// A key was to revoke itself.
    #[error("a key cannot revoke itself; use another key of the program")]
    KeyInUse,
    /// An organization cannot be allocated so many credits.
    #[error("{0}")]
    AllocationTooLarge(String),
    /// The wallet does not hold enough.
    #[error("the balance is {} points, {} are needed", .balance.get(), .needed.get())]
    InsufficientPoints {
        /// What the wallet holds.
        balance: Points,
        /// What it would have to hold.
        needed: Points,
    },
}

impl Refusal {
    /// Whether a retry with the same Idempotency-Key gets this same no. A question of who is asking
    /// is asked each time, input that cannot be used may be mended, and a limit may be raised.
    pub fn is_outcome(&self) -> bool {
        !matches!(
            self,
            Self::TokenRevoked
                | Self::CredentialRevoked
                | Self::Inactive
                | Self::AnotherMember
                | Self::PreconditionFailed(_)
                | Self::KeyInUse
                | Self::IdempotencyKeyReused
                | Self::WebhookUrlNotAllowed(_)
                | Self::LimitReached { .. }
        )
    }
}
