//! Plain types and rules of a loyalty program: members, offers, redemptions, activities and the
//! changes that each of them allows.
//!
//! **Must not know**: HTTP, JSON, SQL, the engine or the system clock. A value that exists is
//! valid.

mod account;
mod activity;
mod catalogue;
mod cells;
mod conversation;
mod day;
mod environment;
mod events;
mod id;
mod interest;
mod interest_words;
mod invalid;
mod ledger;
mod limits;
mod member;
mod money;
mod numbers;
mod offer;
mod organization;
mod phone;
mod points;
mod precondition;
mod program;
mod redemption;
mod refusal;
mod row;
mod search;
mod status;
mod terms;
mod text;
mod timestamp;
mod webhook;

pub use account::{Account, Position, jump_depth};
pub use activity::{Activity, Actor};
pub use catalogue::{EventName, EventSet, Subscription};
pub use conversation::{Conversation, ConversationPlace, InboxPlace, InboxRank, Message, Role};
pub use day::Day;
pub use environment::Environment;
pub use events::{Audience, Counting, Event, EventKind, Shown};
pub use id::{
    ConversationId, ConversationNumber, CredentialNumber, DeliveryId, EndpointNumber, EventId,
    InterestId, MemberNumber, MessageId, MessageNumber, OfferId, OfferNumber, OrganizationNumber,
    ProgramNumber, RedemptionId, RedemptionNumber, Seq, TermsVersionId, TransactionId, WebhookId,
};
pub use interest::{Gateway, Intake, Interest};
pub use interest_words::{ContactMethod, ContactWindow, InterestStatus, Occasion};
pub use invalid::Invalid;
pub use ledger::{Entry, LedgerEntry};
pub use limits::{ENDPOINTS_MAX, TRIAL_CREDITS_MAX};
pub use member::{Change, Member, MemberProfile, Wallet};
pub use money::{Money, Rate};
pub use numbers::{ByNumber, NumberHasher};
pub use offer::{Offer, OfferContent};
pub use organization::{Allocation, Organization, OrganizationStatus, OrganizationTier};
pub use phone::Phone;
pub use points::Points;
pub use precondition::{ExpectedVersion, Precondition};
pub use program::{Currency, Program, ProgramSort, ProgramStatus};
pub use redemption::{CancelReason, Mover, Redemption, RedemptionOrder, RedemptionPatch};
pub use refusal::Refusal;
pub use row::{Cell, Cells, Column, Row};
pub use search::{Search, all_begin, terms};
pub use status::{RedemptionMove, Status, StatusCounts};
pub use terms::{PresentTerms, TermsContent, TermsType, TermsVersion};
pub use text::{
    Attributes, Blanks, CurrencyName, CurrencySymbol, DisplayName, Email, ExternalId,
    ExternalUserId, Label, LongText, MessageText, Name, Note, Reason, TermsHtml, TextRule, Tier,
    Title, Url,
};
pub use timestamp::Timestamp;
pub use webhook::{
    Attempt, Delivery, DeliveryStatus, Endpoint, RETRY_AFTER, TargetPolicy, WebhookUrl,
    is_globally_routable,
};
