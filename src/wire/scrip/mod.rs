//! The surface of the earning engine: programs, assets, participants, reports.

mod amount;
mod assets;
mod balances;
mod events;
mod expiry;
mod funds;
mod journal;
mod lots;
mod named;
mod participants;
mod programs;
mod redemptions;
mod reports;
mod rules;
mod state;
mod statement;

pub use self::assets::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse,
    CreateAssetRequest, LinkAssetRequest, PatchAssetRequest,
};
pub use self::balances::{
    AdjustBalanceRequest, AdjustedBalanceResponse, BalanceOperationRequest,
    BalanceOperationResponse, BucketsResponse, LotAmountResponse, OperatedAsset,
    ParticipantBalanceListResponse, ParticipantBalanceResponse, SettleResponse,
};
pub use self::events::{
    AcceptedEventResponse, BatchItemResponse, EventBatchRequest, EventBatchResponse,
    EventListResponse, EventRequest, EventResponse, RuleEvaluationResponse, check_event, event_id,
    participant_id,
};
pub use self::expiry::ExpiryResponse;
pub use self::funds::{
    FundAssetRequest, FundedAssetResponse, FundingEventData, ProgramBalanceListResponse,
    ProgramBalanceResponse,
};
pub use self::journal::{JournalEntryListResponse, JournalEntryResponse, PostingResponse};
pub use self::lots::{LotListResponse, LotResponse, short};
pub use self::named::{ASSET_ID, Named, PROGRAM_ID};
pub use self::participants::{
    CreateParticipantRequest, ParticipantListResponse, ParticipantProfile, ParticipantResponse,
    ParticipantRowResponse, PatchParticipantRequest, SetParticipantStatusRequest,
    check_attribute_name,
};
pub use self::programs::{
    CreateProgramRequest, CreatedProgramResponse, PaginationResponse, PatchProgramRequest,
    ProgramListResponse, ProgramResponse,
};
pub use self::redemptions::{
    ParticipantRedemptionListResponse, ParticipantRedemptionResponse, RedeemAmountRequest,
    RedeemItemsRequest, ReversalListResponse, ReversalResponse, ReverseRedemptionRequest,
};
pub use self::reports::{
    ExpirationBucketResponse, ExpirationScheduleListResponse, ExpirationScheduleResponse,
    LedgerSummaryListResponse, LedgerSummaryResponse, ProgramActivityListResponse,
    ProgramActivityResponse, decimal,
};
pub use self::rules::{
    BudgetUse, CreateRuleRequest, PatchRuleRequest, RuleBudgetResponse, RuleListResponse,
    RuleResponse, RuleTimes, RuleVersionListResponse, RuleVersionResponse, SimulateRuleRequest,
    SimulatedActionResponse, SimulatedEvaluationResponse, SimulatedResultResponse,
    SimulatedRuleResponse, SimulationResponse, ValidateRuleRequest, ValidatedRuleResponse,
};
pub use self::state::{
    AttributeListResponse, AttributeResponse, AttributesResponse, CounterListResponse,
    CounterResponse, PatchAttributesRequest, ReplaceTagsRequest, SetAttributeRequest,
    SetCounterRequest, StateChangeListResponse, StateChangeResponse, TagListResponse, TagResponse,
    TagsResponse,
};
pub use self::statement::{
    StatementActorResponse, StatementDetailsResponse, StatementLotResponse, StatementResponse,
    StatementRowResponse,
};
