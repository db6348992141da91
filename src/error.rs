//! The table of error codes: the meaning of each, and its name and status on each of the three
//! surfaces. Every error that a client receives is a row of it.

use std::borrow::Cow;

use crate::domain::{Invalid, Refusal, Status};

/// A family of routes with its own error envelope and error names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Surface {
    /// `/v1/*` except those below: `{"error":{"code","message"}}`.
    Expys,
    /// The routes of the earning engine, such as `/v1/programs*`: `{"code","message"}`.
    Scrip,
    /// `/partner/*`: `{"code","message","details"}`.
    Bullseye,
}

/// The roots of the paths of [`Surface::Scrip`].
const SCRIP: [&str; 7] = [
    "/v1/assets",
    "/v1/events",
    "/v1/journal-entries",
    "/v1/participants",
    "/v1/programs",
    "/v1/reports",
    "/v1/rules",
];

impl Surface {
    /// The surface that a path belongs to.
    pub fn of_path(path: &str) -> Self {
        let within = |path: &str, root: &str| {
            path.strip_prefix(root)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if SCRIP.iter().any(|root| within(path, root)) {
            Self::Scrip
        } else if within(path, "/partner") || within(path, "/api/v1/partner") {
            Self::Bullseye
        } else {
            Self::Expys
        }
    }
}

macro_rules! error_codes {
    ($($(#[doc = $meaning:literal])+ $variant:ident {
        expys: $expys_status:literal $expys:literal,
        scrip: $scrip_status:literal $scrip:literal,
        bullseye: $bullseye_status:literal $bullseye:literal $(,)?
    })+) => {
        /// The code of an error.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code {
            $($(#[doc = $meaning])+ $variant,)+
        }

        impl Code {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The HTTP status and the name on a surface.
            pub fn on(self, surface: Surface) -> (u16, &'static str) {
                match (self, surface) {
                    $(
                        (Self::$variant, Surface::Expys) => ($expys_status, $expys),
                        (Self::$variant, Surface::Scrip) => ($scrip_status, $scrip),
                        (Self::$variant, Surface::Bullseye) => ($bullseye_status, $bullseye),
                    )+
                }
            }

            /// The meaning of the code.
            pub fn meaning(self) -> &'static str {
                match self {
                    $(Self::$variant => concat!($($meaning),+).trim_ascii(),)+
                }
            }
        }
    };
}

error_codes! {
    /// The request is not well formed: its body is not JSON, or its path cannot be decoded.
    BadRequest {
        expys: 400 "BAD_REQUEST",
        scrip: 400 "bad_request",
        bullseye: 400 "BadRequest",
    }
    /// The credential is missing, unknown, revoked or expired.
    Unauthorized {
        expys: 401 "UNAUTHORIZED",
        scrip: 401 "unauthorized",
        bullseye: 401 "Unauthorized",
    }
    /// The organization's pool does not cover the points.
    InsufficientOrgPoints {
        expys: 402 "INSUFFICIENT_ORG_POINTS",
        scrip: 402 "insufficient_balance",
        bullseye: 402 "PaymentRequired",
    }
    /// The credential is valid, but not for this request.
    Forbidden {
        expys: 403 "FORBIDDEN",
        scrip: 403 "forbidden",
        bullseye: 403 "Forbidden",
    }
    /// The resource does not exist, or the caller may not see it.
    NotFound {
        expys: 404 "NOT_FOUND",
        scrip: 404 "not_found",
        bullseye: 404 "NotFound",
    }
    /// The route does not have this method; `Allow` lists the methods that it has.
    MethodNotAllowed {
        expys: 405 "METHOD_NOT_ALLOWED",
        scrip: 405 "method_not_allowed",
        bullseye: 405 "MethodNotAllowed",
    }
    /// The Idempotency-Key was used before with another body.
    IdempotencyKeyReused {
        expys: 409 "IDEMPOTENCY_KEY_REUSED",
        scrip: 409 "idempotency_conflict",
        bullseye: 409 "Conflict",
    }
    /// The member has as many redemptions of this offer as its limit allows.
    RedemptionAlreadyExists {
        expys: 409 "REDEMPTION_ALREADY_EXISTS",
        scrip: 409 "reward_unavailable",
        bullseye: 409 "Conflict",
    }
    /// The redemption or interest cannot go from its current status to the requested one.
    RedemptionTransitionInvalid {
        expys: 409 "REDEMPTION_TRANSITION_INVALID",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// The organization pays redemptions from its pool, so that its members cannot have points.
    OrgPool {
        expys: 409 "ORG_POOL",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// A change of what points are worth must be confirmed, as offers have prices of their own.
    RepriceNotConfirmed {
        expys: 409 "REPRICE_NOT_CONFIRMED",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// The points of the program are kept in lots already.
    AlreadyLots {
        expys: 409 "ALREADY_LOTS",
        scrip: 409 "already_lots",
        bullseye: 409 "Conflict",
    }
    /// The asset belongs to the program already.
    AlreadyLinked {
        expys: 409 "ALREADY_LINKED",
        scrip: 409 "already_linked",
        bullseye: 409 "Conflict",
    }
    /// Another asset of the program has the symbol.
    SymbolTaken {
        expys: 409 "SYMBOL_TAKEN",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// Nothing of an archived asset is credited.
    AssetArchived {
        expys: 409 "ASSET_ARCHIVED",
        scrip: 409 "asset_archived",
        bullseye: 409 "Conflict",
    }
    /// The participant is suspended or closed.
    ParticipantInactive {
        expys: 409 "PARTICIPANT_INACTIVE",
        scrip: 409 "participant_inactive",
        bullseye: 409 "Conflict",
    }
    /// The program is suspended, so that it can only be read.
    ProgramInactive {
        expys: 409 "PROGRAM_INACTIVE",
        scrip: 409 "program_inactive",
        bullseye: 409 "Conflict",
    }
    /// Another active rule of the program has this place in the order.
    OrderConflict {
        expys: 409 "ORDER_CONFLICT",
        scrip: 409 "order_conflict",
        bullseye: 409 "Conflict",
    }
    /// An archived rule never changes again.
    RuleArchived {
        expys: 409 "RULE_ARCHIVED",
        scrip: 409 "rule_archived",
        bullseye: 409 "Conflict",
    }
    /// Another participant of the program has the id.
    ExternalIdTaken {
        expys: 409 "EXTERNAL_ID_TAKEN",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// A key cannot revoke itself: use another key of the program.
    KeyInUse {
        expys: 409 "KEY_IN_USE",
        scrip: 409 "conflict",
        bullseye: 409 "Conflict",
    }
    /// The resource does not meet `If-Match` or `If-None-Match`; nothing was changed.
    PreconditionFailed {
        expys: 412 "PRECONDITION_FAILED",
        scrip: 412 "precondition_failed",
        bullseye: 412 "PreconditionFailed",
    }
    /// The body is larger than the server accepts.
    PayloadTooLarge {
        expys: 413 "PAYLOAD_TOO_LARGE",
        scrip: 413 "payload_too_large",
        bullseye: 413 "PayloadTooLarge",
    }
    /// A field or parameter is missing, of the wrong type or out of range; the message names it.
    Validation {
        expys: 422 "VALIDATION",
        scrip: 400 "bad_request",
        bullseye: 400 "BadRequest",
    }
    /// The amount has more decimals than the asset.
    InvalidScale {
        expys: 422 "INVALID_SCALE",
        scrip: 400 "invalid_scale",
        bullseye: 400 "BadRequest",
    }
    /// The amount is above the limit of a single credit or debit.
    AmountTooLarge {
        expys: 422 "AMOUNT_TOO_LARGE",
        scrip: 422 "amount_too_large",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The wallet holds less than is needed.
    InsufficientPoints {
        expys: 422 "INSUFFICIENT_POINTS",
        scrip: 422 "insufficient_balance",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The wallet of the program, from which the points are credited, holds less than is needed.
    WalletEmpty {
        expys: 422 "WALLET_EMPTY",
        scrip: 422 "wallet_empty",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The offer is paused, is not available yet, has expired, is sold out or is not open to the
    /// member's tier.
    OfferUnavailable {
        expys: 422 "OFFER_UNAVAILABLE",
        scrip: 409 "reward_unavailable",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The redemption is not completed; `details` has its current `status`.
    RedemptionNotCompleted {
        expys: 422 "REDEMPTION_NOT_COMPLETED",
        scrip: 422 "redemption_not_completed",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The credits exceed what is left of the partner's pool, or the limit of a trial organization.
    AllocationTooLarge {
        expys: 422 "UNPROCESSABLE_ENTITY",
        scrip: 422 "allocation_too_large",
        bullseye: 422 "UnprocessableEntity",
    }
    /// A webhook names an event that is not in the catalogue.
    WebhookEventUnknown {
        expys: 422 "WEBHOOK_EVENT_UNKNOWN",
        scrip: 422 "webhook_event_unknown",
        bullseye: 422 "UnprocessableEntity",
    }
    /// Webhooks cannot be sent to this address: it is not HTTPS, or it is not routable on the
    /// internet.
    WebhookUrlNotAllowed {
        expys: 422 "WEBHOOK_URL_NOT_ALLOWED",
        scrip: 422 "webhook_url_not_allowed",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The program has ten active webhooks already.
    WebhookLimitReached {
        expys: 422 "WEBHOOK_LIMIT_REACHED",
        scrip: 422 "webhook_limit_reached",
        bullseye: 422 "UnprocessableEntity",
    }
    /// A limit is reached; the message names it and its setting.
    LimitReached {
        expys: 422 "LIMIT_REACHED",
        scrip: 422 "limit_reached",
        bullseye: 422 "UnprocessableEntity",
    }
    /// The credential exceeds its rate limit, or a member that of phone codes; `Retry-After` says
    /// when to continue.
    RateLimited {
        expys: 429 "RATE_LIMITED",
        scrip: 429 "too_many_requests",
        bullseye: 429 "TooManyRequests",
    }
    /// An internal error occurred; the server's log has it under the request id.
    Internal {
        expys: 500 "INTERNAL",
        scrip: 500 "internal_error",
        bullseye: 500 "InternalError",
    }
    /// The disk takes no writes now, and it is not known whether this one was done:
    /// retry with the same Idempotency-Key.
    StorageUnavailable {
        expys: 503 "STORAGE_UNAVAILABLE",
        scrip: 503 "unavailable",
        bullseye: 503 "Unavailable",
    }
    /// The program's concierge did not accept the sensitive details; nothing was changed: retry
    /// later.
    ConciergeUnavailable {
        expys: 503 "CONCIERGE_UNAVAILABLE",
        scrip: 503 "unavailable",
        bullseye: 503 "Unavailable",
    }
    /// Too many requests are waiting; nothing was done: retry after a moment.
    Overloaded {
        expys: 503 "OVERLOADED",
        scrip: 503 "unavailable",
        bullseye: 503 "Unavailable",
    }
}

/// An error as the client receives it: a code and a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The row of the table.
    pub code: Code,
    /// The text for people: what was wrong and what was expected.
    pub message: Cow<'static, str>,
    /// The invalid field or parameter, if any.
    pub invalid: Option<Box<Invalid>>,
    /// The status of the redemption that the request is about, if that is the problem.
    pub status: Option<Status>,
}

impl Problem {
    /// A problem with its own message.
    pub fn new(code: Code, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            code,
            message: message.into(),
            invalid: None,
            status: None,
        }
    }

    /// A problem whose message is the meaning of its code.
    pub fn plain(code: Code) -> Self {
        Self::new(code, code.meaning())
    }
}

impl From<&Invalid> for Problem {
    fn from(invalid: &Invalid) -> Self {
        Self {
            invalid: Some(Box::new(invalid.clone())),
            ..Self::new(Code::Validation, invalid.to_string())
        }
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let code = match refusal {
            Refusal::Invalid(invalid) => return Self::from(invalid),
            Refusal::TokenRevoked | Refusal::CredentialRevoked => Code::Unauthorized,
            Refusal::AnotherMember
            | Refusal::Inactive
            | Refusal::ProgramSuspended
            | Refusal::MemberSuspended
            | Refusal::AnotherProgram(_) => Code::Forbidden,
            Refusal::ProgramInactive => Code::ProgramInactive,
            Refusal::ParticipantInactive(_) => Code::ParticipantInactive,
            Refusal::ExternalIdTaken => Code::ExternalIdTaken,
            Refusal::InvalidScale { .. } => Code::InvalidScale,
            Refusal::AmountTooLarge(_) => Code::AmountTooLarge,
            Refusal::NotFound(_) => Code::NotFound,
            Refusal::PreconditionFailed(_) => Code::PreconditionFailed,
            Refusal::IdempotencyKeyReused => Code::IdempotencyKeyReused,
            Refusal::RedemptionAlreadyExists => Code::RedemptionAlreadyExists,
            Refusal::RedemptionNotCompleted(status) => {
                return Self {
                    status: Some(*status),
                    ..Self::new(Code::RedemptionNotCompleted, refusal.to_string())
                };
            }
            Refusal::RedemptionTransitionInvalid { .. } | Refusal::InterestNotSubmitted(_) => {
                Code::RedemptionTransitionInvalid
            }
            Refusal::TooManyCodes { .. } => Code::RateLimited,
            Refusal::ConciergeUnavailable => Code::ConciergeUnavailable,
            Refusal::AllocationTooLarge(_) => Code::AllocationTooLarge,
            Refusal::WebhookEventUnknown { .. } => Code::WebhookEventUnknown,
            Refusal::WebhookUrlNotAllowed(_) => Code::WebhookUrlNotAllowed,
            Refusal::WebhookLimitReached => Code::WebhookLimitReached,
            Refusal::LimitReached { .. }
            | Refusal::TooManyHolds(_)
            | Refusal::TooManyAssets(_)
            | Refusal::TooManyRules(_)
            | Refusal::TooManyTags(_)
            | Refusal::TooManyCounters(_) => Code::LimitReached,
            Refusal::KeyInUse => Code::KeyInUse,
            Refusal::OfferUnavailable(_) => Code::OfferUnavailable,
            Refusal::InsufficientOrgPoints => Code::InsufficientOrgPoints,
            Refusal::RepriceNotConfirmed => Code::RepriceNotConfirmed,
            Refusal::AlreadyLots => Code::AlreadyLots,
            Refusal::AlreadyLinked => Code::AlreadyLinked,
            Refusal::SymbolTaken => Code::SymbolTaken,
            Refusal::AssetArchived => Code::AssetArchived,
            Refusal::OrderTaken(_) => Code::OrderConflict,
            Refusal::RuleArchived => Code::RuleArchived,
            Refusal::OrgPool(_) => Code::OrgPool,
            Refusal::WalletEmpty { .. } => Code::WalletEmpty,
            Refusal::InsufficientPoints { .. }
            | Refusal::TooFewMatching { .. }
            | Refusal::ReversalTooLarge(_)
            | Refusal::QuantityTooLarge(_) => Code::InsufficientPoints,
        };
        Self::new(code, refusal.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_belongs_to_one_surface() {
        assert_eq!(Surface::of_path("/v1/programs"), Surface::Scrip);
        assert_eq!(Surface::of_path("/v1/programs/1"), Surface::Scrip);
        assert_eq!(Surface::of_path("/v1/programsx"), Surface::Expys);
        assert_eq!(Surface::of_path("/api/v1/partner/usage"), Surface::Bullseye);
        assert_eq!(Surface::of_path("/partners"), Surface::Expys);
        assert_eq!(Surface::of_path("/v1/wallet"), Surface::Expys);
    }
}
