//! The use cases: they check the rules, change rows and record events.
//!
//! **Must not know**: HTTP requests or SQL. A use case receives a parsed request and an
//! authenticated caller, works in the writer's transaction or on a reading connection, and returns
//! a rendered answer.

mod answer;
mod earning;
mod error;
mod events;
mod figures;
mod idempotency;
mod loyalty;
mod page;
mod random;
mod services;
mod start;
mod tenancy;
mod upkeep;
mod writer;
mod writes;

pub use self::answer::{Answer, Reply};
pub use self::earning::{
    EventSelection, ExpirationSelection, FundingKind, Granularity, HistoryFilter, JournalFilter,
    LotFilter, RedemptionSelection, StatementSelection,
};
pub use self::error::ServiceError;
pub use self::events::{
    Addresses, Announcements, DueDeliveries, Names, Outcome, Parcel, Post, Posted, ShownEvent,
    Signals, SystemNames, Targets, after_attempt,
};
pub use self::figures::{
    ActivitySelection, Analytics, FoldError, Loaded, MembersSelection, TimeForm,
    TimeseriesSelection, unknown_series_offer,
};
pub use self::idempotency::{IdempotencyKey, Scope};
pub use self::loyalty::{LinkedFile, NewFile, RemoveOptions, TransactionSelection, UNKNOWN_OFFER};
pub use self::services::Services;
pub use self::start::StartError;
pub use self::tenancy::{
    Caller, CredentialError, Directory, DirectoryVersion, KeyPrincipal, MemberPrincipal,
    OrganizationChange, PartnerPrincipal, TokenKey, bootstrap,
};
pub use self::upkeep::{transfer, verify};
pub use crate::store::open_read_only;
