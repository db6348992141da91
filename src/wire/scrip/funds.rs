//! The wallet of a program, from which `PREFUNDED` assets are credited.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amount::AMOUNT;
use super::balances::{DESCRIPTION, KEY};
use super::programs::PaginationResponse;
use crate::domain::{Decimal, IssuancePolicy, Points, Reason, Scale};
use crate::wire::request::request;
use crate::wire::schema::AssetIssuancePolicy;

request! {
    /// The body of `POST /v1/programs/{id}/assets/{asset_id}/fund` and `…/burn`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct FundAssetRequest {
        /// The amount: a string with at most the decimals of the asset.
        pub amount: Decimal = required("amount", AMOUNT),
        /// The reason.
        pub description: Option<Reason> = nullable("description", DESCRIPTION),
        /// In place of the header `Idempotency-Key`.
        pub idempotency_key: Option<()> = optional("idempotency_key", KEY),
    }
    example {"amount": "10000", "description": "The budget of July"}
    parse(body);
}

/// What the wallet of a program has of an asset after a change.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "available": "10000",
    "journal_entry_id": "8b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "message": "10000 points funded",
})))]
pub struct FundedAssetResponse {
    /// What the wallet has now; `0` of an `UNLIMITED` asset.
    pub available: String,
    /// The journal entry; null if nothing was changed, because the asset is `UNLIMITED`.
    #[schema(format = Uuid)]
    pub journal_entry_id: Option<String>,
    /// What was done, in words.
    pub message: String,
}

/// What the wallet of a program has of an asset.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "asset_id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "available": "10000",
    "deferred": "0",
    "held": "0",
    "issuance_policy": "PREFUNDED",
})))]
pub struct ProgramBalanceResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// What can be credited.
    pub available: String,
    /// Always zero: a program has nothing that matures later.
    pub deferred: String,
    /// Always zero: a program holds nothing.
    pub held: String,
    /// Always `PREFUNDED`: the program has nothing of other assets.
    #[schema(value_type = AssetIssuancePolicy)]
    pub issuance_policy: &'static str,
}

impl ProgramBalanceResponse {
    /// What the wallet of a program has of an asset.
    pub fn new(asset: Uuid, funds: Points, scale: Scale) -> Self {
        Self {
            asset_id: asset.to_string(),
            available: scale.show_points(funds),
            deferred: scale.show(0),
            held: scale.show(0),
            issuance_policy: IssuancePolicy::Prefunded.as_str(),
        }
    }
}

/// A page of what the wallet of a program has.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgramBalanceListResponse {
    /// What it has of each `PREFUNDED` asset: of the program's points, then of further assets,
    /// oldest first.
    pub data: Vec<ProgramBalanceResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// The object of `program.funded` and `program.burned`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FundingEventData {
    /// The asset.
    #[serde(rename = "assetID")]
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The amount, with the decimals of the asset.
    pub amount: String,
    /// What the wallet had then, with the decimals of the asset.
    pub balance: String,
    /// The reason that was given.
    pub description: Option<String>,
}
