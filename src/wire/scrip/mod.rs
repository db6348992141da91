//! The surface of the earning engine: programs, assets, participants, reports.

mod assets;
mod balances;
mod expiry;
mod participants;
mod programs;
mod reports;

pub use self::assets::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse, PatchAssetRequest,
};
pub use self::balances::{
    AdjustBalanceRequest, AdjustedBalanceResponse, BalanceOperationRequest,
    BalanceOperationResponse, BucketsResponse, LotAmountResponse, OperatedAsset,
    ParticipantBalanceListResponse, ParticipantBalanceResponse, SettleResponse,
};
pub use self::expiry::ExpiryResponse;
pub use self::participants::{
    CreateParticipantRequest, ParticipantListResponse, ParticipantProfile, ParticipantResponse,
    ParticipantRowResponse, PatchParticipantRequest, SetParticipantStatusRequest,
};
pub use self::programs::{
    CreateProgramRequest, CreatedProgramResponse, PaginationResponse, PatchProgramRequest,
    ProgramListResponse, ProgramResponse,
};
pub use self::reports::{ProgramActivityListResponse, ProgramActivityResponse, decimal};
