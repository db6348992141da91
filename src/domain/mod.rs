//! Plain types and rules of a loyalty program: what a member, an offer, a redemption and an
//! activity are, and what may become of them.
//!
//! **Must not know**: HTTP, JSON, SQL, the engine or the system clock. A value that exists is
//! valid.

mod activity;
mod catalogue;
mod conversation;
mod day;
mod environment;
mod id;
mod invalid;
mod member;
mod offer;
mod organization;
mod points;
mod program;
mod redemption;
mod refusal;
mod text;
mod timestamp;
mod webhook;

pub use activity::{Activity, Entry, Event, LedgerEntry, Seq};
pub use catalogue::{EventName, EventSet, Subscription};
pub use conversation::{Conversation, ConversationNumber, Message, MessageNumber, Role};
pub use day::Day;
pub use environment::Environment;
pub use id::{
    ConversationId, CredentialNumber, DeliveryId, EventId, MemberNumber, MessageId, OfferId,
    OfferNumber, OrganizationNumber, ProgramNumber, RedemptionId, RedemptionNumber, TransactionId,
    WebhookId,
};
pub use invalid::Invalid;
pub use member::{Change, Member, MemberProfile, Wallet};
pub use offer::{Offer, OfferContent};
pub use organization::{
    Allocation, Organization, OrganizationStatus, OrganizationTier, TRIAL_CREDITS_MAX,
};
pub use points::Points;
pub use program::{Currency, Program, ProgramSort, ProgramStatus};
pub use redemption::{Actor, CancelReason, Redemption, RedemptionPatch, Status, StatusCounts};
pub use refusal::Refusal;
pub use text::{
    Attributes, CurrencyName, CurrencySymbol, DisplayName, Email, ExternalId, ExternalUserId,
    Label, LongText, MessageText, Name, Note, Reason, TextRule, Tier, Title, Url,
};
pub use timestamp::Timestamp;
pub use webhook::{
    Attempt, Delivery, DeliveryStatus, ENDPOINTS_MAX, Endpoint, EndpointNumber, RETRY_AFTER,
    TargetPolicy, WebhookUrl, is_globally_routable,
};
