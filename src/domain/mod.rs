//! Plain types and rules of a loyalty program: members, offers, redemptions, activities and the
//! changes that each of them allows.
//!
//! **Must not know**: HTTP, JSON, SQL, the engine or the system clock. A value that exists is
//! valid.

mod account;
mod activity;
mod asset;
mod attachment;
mod attribute_texts;
mod audience;
mod balance_operation;
mod catalogue;
mod cells;
mod cents;
mod contact;
mod conversation;
mod counter_value;
mod day;
mod decimal;
mod derived_id;
mod due;
mod environment;
mod event_kinds;
mod events;
mod expiry;
mod expiry_notice;
mod feedback;
mod funding;
mod id;
mod inclusion;
mod interest;
mod interest_words;
mod invalid;
mod ledger;
mod limits;
mod location;
mod lot;
mod lot_moves;
mod member;
mod money;
mod numbers;
mod offer;
mod organization;
mod participant;
mod participant_state;
mod points;
mod pool;
mod posting;
mod precondition;
mod program;
mod redemption;
mod redemption_code;
mod redemption_limit;
mod refusal;
mod row;
mod rule;
mod rule_words;
mod scrip_status;
mod search;
mod status;
mod stored_event;
mod terms;
mod text;
mod timestamp;
mod visible;
mod webhook;
mod words;
mod zone;

pub use account::{Account, AccountKey, Link, Position, jump_depth};
pub use activity::{Activity, Actor};
pub use asset::{
    Asset, AssetStatus, BurnOrder, FurtherAsset, InventoryMode, IssuancePolicy, PointsRules,
};
pub use attachment::{Attachment, FileType};
pub use attribute_texts::AttributeChanges;
pub use audience::{Audience, Counting, Shown};
pub use balance_operation::BalanceOperation;
pub use catalogue::{EventName, EventSet, Subscription};
pub use cents::Cents;
pub use contact::phone_terms;
pub use conversation::{Conversation, ConversationPlace, InboxPlace, InboxRank, Message, Role};
pub use counter_value::CounterValue;
pub use day::Day;
pub use decimal::{Decimal, NoAmount, Scale};
pub use derived_id::{DerivedIds, DerivedKind};
pub use due::{Due, DueKind};
pub use environment::Environment;
pub use events::{Event, EventKind};
pub use expiry::{Expiry, NoPeriod, Period};
pub use expiry_notice::ExpiryNotice;
pub use feedback::{Feedback, Rating, RedemptionRating};
pub use funding::Funding;
pub use id::{
    AssetNumber, AttachmentNumber, ConversationId, ConversationNumber, CredentialNumber,
    DeliveryId, EndpointNumber, EventId, InterestId, MemberNumber, MessageId, MessageNumber,
    OfferId, OfferNumber, OrganizationNumber, ProgramNumber, RedemptionId, RedemptionNumber,
    RuleNumber, RuleVersionNumber, Seq, TermsVersionId, TransactionId, WebhookId,
};
pub use inclusion::Inclusion;
pub use interest::{Gateway, Intake, Interest};
pub use interest_words::{ContactMethod, ContactWindow, InterestStatus, Occasion};
pub use invalid::Invalid;
pub use ledger::{Buckets, Entry, LedgerEntry};
pub use limits::{ENDPOINTS_MAX, TRIAL_CREDITS_MAX};
pub use location::{CountryCode, Location};
pub use lot::{Bucket, Expiring, Lot, LotPart, LotState};
pub use lot_moves::{LotMove, LotMoves};
pub use member::{Change, Member, MemberProfile, Wallet, WalletChange};
pub use money::{Currency, Money, Rate};
pub use numbers::{ByNumber, NumberHasher};
pub use offer::{Offer, OfferContent};
pub use organization::{Allocation, Organization, OrganizationStatus, OrganizationTier};
pub use participant::{ParticipantFilter, ParticipantPlace, ParticipantSort, ParticipantStatus};
pub use participant_state::{StateChange, StateKind, StateOperation};
pub use points::Points;
pub use pool::{Pool, SettlementMode};
pub use posting::{JournalAction, LedgerEntity, Posting};
pub use precondition::{ExpectedVersion, Precondition};
pub use program::{Program, ProgramSort, ProgramStatus, RedemptionTarget, RefundGrace};
pub use redemption::{
    CancelReason, Mover, Redemption, RedemptionOrder, RedemptionPatch, RedemptionReturn, Units,
};
pub use redemption_code::RedemptionCode;
pub use redemption_limit::{LimitPer, RedemptionLimit};
pub use refusal::Refusal;
pub use row::{Cell, Cells, Column, Row};
pub use rule::RuleStatus;
pub use rule_words::{RuleChange, RuleSort};
pub use scrip_status::{LotStatus, ReversalStatus};
pub use search::{Search, begins, terms};
pub use status::{RedemptionMove, Status, StatusCounts};
pub use stored_event::{
    Cause, EventSort, EventSource, EventStatus, StoredEvent, StoredEventId, UnknownParticipants,
};
pub use terms::{PresentTerms, TermsContent, TermsHtml, TermsType, TermsVersion};
pub use text::{
    AssetSymbol, Attributes, Blanks, Caption, Comment, CounterKey, CurrencyName, CurrencySymbol,
    DisplayName, Email, ExternalId, ExternalUserId, FileName, Label, LongText, MessageText, Name,
    Note, Phone, Reason, ReferenceId, Tag, TextRule, Tier, Title, Url,
};
pub use timestamp::Timestamp;
pub use visible::INVISIBLE;
pub use webhook::{
    Attempt, Delivery, DeliveryStatus, Endpoint, RETRY_AFTER, TargetPolicy, WebhookUrl,
    is_globally_routable,
};
pub use zone::Zone;
