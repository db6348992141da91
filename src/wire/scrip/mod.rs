//! The surface of the earning engine: programs, assets, reports.

mod assets;
mod expiry;
mod programs;
mod reports;

pub use self::assets::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse, PatchAssetRequest,
};
pub use self::expiry::ExpiryResponse;
pub use self::programs::{
    CreateProgramRequest, CreatedProgramResponse, PaginationResponse, PatchProgramRequest,
    ProgramListResponse, ProgramResponse,
};
pub use self::reports::{ProgramActivityListResponse, ProgramActivityResponse, decimal};
