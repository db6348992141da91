//! The JSON of every resource: requests and responses.
//!
//! Names and formats that exist only on the wire (camelCase, date formats, prefixed ids) are
//! defined here.
//!
//! **Must not know**: HTTP, the database, or permissions. It uses only `domain`, the table of
//! error codes and the types of `rules`.

mod analytics;
mod balance;
mod configuration;
mod conversation_page;
mod conversations;
mod cursor;
mod entry_details;
mod events;
mod expired;
mod field_types;
mod fields;
mod health;
mod interests;
mod keys;
mod member_figures;
mod members;
mod money;
mod numbers;
mod offer_parts;
mod offers;
mod partner;
mod pools;
mod problem;
mod query;
mod redemption_history;
mod redemptions;
mod request;
mod sandbox;
pub mod schema;
mod scrip;
mod terms;
mod text_pattern;
mod timeseries;
mod tokens;
mod wallets;
mod webhooks;

pub use analytics::{
    OfferAnalyticsResponse, OffersAnalyticsResponse, RedemptionTotalsResponse, SummaryResponse,
    hundredths,
};
pub use balance::{BALANCE_RENDERER, BalanceRenderer, balance_renderer, render_balance};
pub use configuration::{ConfigurationRequest, ConfigurationResponse, GatewayResponse};
pub use conversation_page::{ConversationOrder, ConversationPageQuery};
pub use conversations::{
    AttachmentResponse, ConversationListResponse, ConversationResponse, FileLink,
    LastMessageResponse, MessageEventData, MessageListResponse, MessageResponse,
    SendMessageRequest, SendMessageResponse, StartConversationRequest, message_frame,
};
pub use cursor::{Cursor, ListKind};
pub use entry_details::{EntryDetailsResponse, MovedLotResponse};
pub use events::{EventBody, TEST_EVENT, TestEventData, TransactionEventData, frame};
pub use expired::ExpiredEventData;
pub use health::{HealthResponse, UnreadyResponse};
pub use interests::{
    ConfirmPhoneRequest, CreateInterestRequest, IntakeResponse, InterestListResponse,
    InterestResponse, PatchInterestRequest, PhoneCodeData, PhoneCodeSentResponse,
    PhoneVerifiedResponse, SensitiveDetailsData, SetIntakeRequest,
};
pub use keys::{CreateKeyRequest, CreatedKeyResponse, KeyListResponse, KeyResponse};
pub use member_figures::{
    ActiveByResponse, MemberFiguresResponse, MembersBucketResponse, MembersResponse,
};
pub use members::{
    MemberListResponse, MemberProfileResponse, MemberSummaryResponse, RedemptionCountsResponse,
    RemoveMemberResponse, SetMemberRequest, SetMemberResponse, TierListResponse, TierResponse,
};
pub use numbers::{PlainNumbers, with_plain_numbers};
pub use offer_parts::{
    AvailabilityRequest, AvailabilityResponse, InclusionResponse, LocationResponse,
    RedemptionLimitRequest, RedemptionLimitResponse,
};
pub use offers::{
    CreateOfferRequest, OfferListResponse, OfferResponse, PatchOfferRequest, SetOfferPriceRequest,
};
pub use partner::{
    AcceptClockRequest, AcceptedClockResponse, AllocateCreditsRequest, AllocationResponse,
    ApiKeyListResponse, ApiKeyResponse, BillingResponse, BillingUsageResponse, CreateApiKeyRequest,
    CreateOrganizationRequest, CreatedApiKeyResponse, CreatedOrganizationResponse, Days, DaysQuery,
    NumberedPage, NumberedPageQuery, OneAllocationResponse, OneOrganizationResponse,
    OnePartnerResponse, OrganizationListResponse, OrganizationResponse, OrganizationUsageResponse,
    PartnerAnalyticsResponse, PartnerResponse, PartnerUsageResponse, PatchOrganizationRequest,
    ServerBackupResponse, ServerFileResponse, ServerResponse, ServerVerifyResponse,
    SetStatusRequest, SetTierRequest,
};
pub use pools::{
    FundPoolRequest, OnePoolResponse, PointsLowEventData, PointsPurchasedEventData,
    PoolBalanceResponse, PoolResponse, SetPoolRequest,
};
pub use problem::{
    ErrorDetailsResponse, ErrorResponse, PartnerErrorResponse, PlainErrorResponse,
    ReportErrorResponse, StatusDetailsResponse, render as render_problem,
};
pub use query::{
    AMOUNT, BOOLEAN, Group, Kind, Limit, ListOwner, MEMBER_ID, Optional, OrDefault, Page,
    PageQuery, Parameters, Part, Query, Required, TEXT, TIME, UUID, expected_one_of, flag, group,
    limit, optional, page, parameter, search, with_plus,
};
pub(crate) use query::{query_parameters, words};
pub use redemption_history::{
    ActorResponse, RedemptionHistoryEntryResponse, RedemptionHistoryResponse,
};
pub use redemptions::{
    CancelRedemptionRequest, CreateRedemptionRequest, FeedbackResponse, PatchRedemptionRequest,
    RedemptionListResponse, RedemptionResponse, SetRedemptionFeedbackRequest,
};
pub use sandbox::{AdvanceClockRequest, ClockResponse, ResetRequest, ResetResponse};
pub use scrip::{
    ASSET_ID, AcceptedEventResponse, AdjustBalanceRequest, AdjustedBalanceResponse,
    AssetListResponse, AssetResponse, AttributeListResponse, AttributeResponse, AttributesResponse,
    BalanceOperationRequest, BalanceOperationResponse, BatchItemResponse, BucketsResponse,
    BudgetUse, ConvertAssetRequest, ConvertAssetResponse, CounterListResponse, CounterResponse,
    CreateAssetRequest, CreateParticipantRequest, CreateProgramRequest, CreateRuleRequest,
    CreatedProgramResponse, EventBatchRequest, EventBatchResponse, EventListResponse, EventRequest,
    EventResponse, ExpirationBucketResponse, ExpirationScheduleListResponse,
    ExpirationScheduleResponse, ExpiryResponse, FundAssetRequest, FundedAssetResponse,
    FundingEventData, JournalEntryListResponse, JournalEntryResponse, LedgerSummaryListResponse,
    LedgerSummaryResponse, LinkAssetRequest, LotAmountResponse, LotListResponse, LotResponse,
    Named, OperatedAsset, PROGRAM_ID, PaginationResponse, ParticipantBalanceListResponse,
    ParticipantBalanceResponse, ParticipantListResponse, ParticipantProfile,
    ParticipantRedemptionListResponse, ParticipantRedemptionResponse, ParticipantResponse,
    ParticipantRowResponse, PatchAssetRequest, PatchAttributesRequest, PatchParticipantRequest,
    PatchProgramRequest, PatchRuleRequest, PostingResponse, ProgramActivityListResponse,
    ProgramActivityResponse, ProgramBalanceListResponse, ProgramBalanceResponse,
    ProgramListResponse, ProgramResponse, RedeemAmountRequest, RedeemItemsRequest,
    ReplaceTagsRequest, ReversalListResponse, ReversalResponse, ReverseRedemptionRequest,
    RuleBudgetResponse, RuleEvaluationResponse, RuleListResponse, RuleResponse, RuleTimes,
    RuleVersionListResponse, RuleVersionResponse, SetAttributeRequest, SetCounterRequest,
    SetParticipantStatusRequest, SettleResponse, SimulateRuleRequest, SimulatedActionResponse,
    SimulatedEvaluationResponse, SimulatedResultResponse, SimulatedRuleResponse,
    SimulationResponse, StateChangeListResponse, StateChangeResponse, StatementActorResponse,
    StatementDetailsResponse, StatementLotResponse, StatementResponse, StatementRowResponse,
    TagListResponse, TagResponse, TagsResponse, ValidateRuleRequest, ValidatedRuleResponse,
    check_attribute_name, check_event, decimal, event_id, participant_id, short,
};
pub use terms::{
    AcceptTermsRequest, PublishTermsRequest, TermsContentResponse, TermsDocumentResponse,
    TermsResponse,
};
pub use timeseries::{
    BucketResponse, BucketTimeResponse, MeasuredBucketResponse, TimeseriesResponse,
};
pub use tokens::{ExchangeTokenRequest, TokenGrantResponse};
pub use wallets::{
    BalanceResponse, CreditRequest, CurrencyResponse, DebitRequest, EligibilityResponse,
    ExpiringResponse, LedgerEntryResponse, TransactionListResponse, TransactionResponse,
    WalletResponse,
};
pub use webhooks::{
    CreateWebhookRequest, CreatedWebhookResponse, DeleteWebhookResponse, DeliveryListResponse,
    DeliveryResponse, PatchWebhookRequest, WebhookListResponse, WebhookResponse,
};

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::domain::{Attributes, Timestamp};

/// The JSON of a response.
///
/// # Panics
/// Never: the types of this module have only values that JSON can represent.
pub fn to_json<T: Serialize>(body: &T) -> Vec<u8> {
    // Most responses fit without growing the buffer.
    let mut json = Vec::with_capacity(512);
    append_json(&mut json, body);
    json
}

/// Appends the JSON of a part.
fn append_json<T: Serialize>(json: &mut Vec<u8>, part: &T) {
    serde_json::to_writer(json, part)
        .expect("responses have only strings, numbers, lists and maps");
}

/// Serializes a secret for the response that shows it. Its type keeps it out of all other output.
fn exposed<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

/// Serializes a secret that a response may show.
#[expect(clippy::ref_option, reason = "serde passes the field by reference")]
fn exposed_if_any<S: Serializer>(
    secret: &Option<SecretString>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match secret {
        Some(secret) => exposed(secret, serializer),
        None => serializer.serialize_none(),
    }
}

/// An optional time.
fn time(at: Option<Timestamp>) -> Option<String> {
    at.map(|at| at.to_string())
}

/// An optional JSON object, as it was received.
fn json_object(object: Option<&Attributes>) -> Option<Box<RawValue>> {
    RawValue::from_string(object?.as_str().to_owned()).ok()
}
