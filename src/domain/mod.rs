//! Plain types and rules of a loyalty program: members, offers, redemptions, activities and the
//! changes that each of them allows.
//!
//! **Must not know**: HTTP, JSON, SQL, the engine or the system clock. A value that exists is
//! valid.

mod account;
mod activity;
mod catalogue;
mod cells;
mod cents;
mod conversation;
mod day;
mod environment;
mod events;
mod id;
mod inclusion;
mod invalid;
mod ledger;
mod limits;
mod location;
mod member;
mod numbers;
mod offer;
mod organization;
mod points;
mod precondition;
mod program;
mod redemption;
mod redemption_limit;
mod refusal;
mod row;
mod search;
mod status;
mod text;
mod timestamp;
mod webhook;

pub use account::{Account, Position, jump_depth};
pub use activity::{Activity, Actor};
pub use catalogue::{EventSet, Subscription};
pub use cents::Cents;
pub use conversation::{Conversation, ConversationPlace, InboxPlace, InboxRank, Message, Role};
pub use day::Day;
pub use environment::Environment;
pub use events::{Audience, Counting, Event, EventKind, EventName, Shown};
pub use id::{
    ConversationId, ConversationNumber, CredentialNumber, DeliveryId, EndpointNumber, EventId,
    MemberNumber, MessageId, MessageNumber, OfferId, OfferNumber, OrganizationNumber,
    ProgramNumber, RedemptionId, RedemptionNumber, Seq, TransactionId, WebhookId,
};
pub use inclusion::Inclusion;
pub use invalid::Invalid;
pub use ledger::{Entry, LedgerEntry};
pub use limits::{ENDPOINTS_MAX, TRIAL_CREDITS_MAX};
pub use location::{CountryCode, Location};
pub use member::{Change, Member, MemberProfile, Wallet};
pub use numbers::{ByNumber, NumberHasher};
pub use offer::{Offer, OfferContent};
pub use organization::{Allocation, Organization, OrganizationStatus, OrganizationTier};
pub use points::Points;
pub use precondition::{ExpectedVersion, Precondition};
pub use program::{Currency, Program, ProgramSort, ProgramStatus};
pub use redemption::{CancelReason, Mover, Redemption, RedemptionOrder, RedemptionPatch};
pub use redemption_limit::{LimitPer, RedemptionLimit};
pub use refusal::Refusal;
pub use row::{Cell, Cells, Column, Row};
pub use search::{Search, all_begin, terms};
pub use status::{RedemptionMove, Status, StatusCounts};
pub use text::{
    Attributes, Blanks, Caption, CurrencyName, CurrencySymbol, DisplayName, Email, ExternalId,
    ExternalUserId, Label, LongText, MessageText, Name, Note, Reason, TextRule, Tier, Title, Url,
};
pub use timestamp::Timestamp;
pub use webhook::{
    Attempt, Delivery, DeliveryStatus, Endpoint, RETRY_AFTER, TargetPolicy, WebhookUrl,
    is_globally_routable,
};
