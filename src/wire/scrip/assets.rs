//! Assets.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::expiry::EXPIRY;
use super::programs::PaginationResponse;
use crate::domain::{
    Asset, BurnOrder, Change, DerivedIds, DerivedKind, Expiry, InventoryMode, Points, Program,
    Timestamp,
};
use crate::wire::field_types::{BOOLEAN, TIME, word};
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{self, AssetBurnOrder, AssetInventoryMode};

/// A number of points, from 1, as a decimal string.
pub(super) const DECIMAL: FieldType<Points> = FieldType {
    read: |field| {
        let digits = field.value.as_str().filter(|text| {
            !text.is_empty() && text.len() <= 16 && text.bytes().all(|byte| byte.is_ascii_digit())
        });
        let points = digits
            .and_then(|text| text.parse().ok())
            .and_then(Points::new);
        points.filter(|points| !points.is_zero()).ok_or_else(|| {
            let most = Points::MAX.get();
            field.wrong(format!(
                "must be a string with a whole number from 1 to {most}"
            ))
        })
    },
    schema: || schema::string().into(),
};

/// A field that an asset has, but that is not changed here.
const OF_CURRENCY: FieldType<()> = FieldType {
    read: |field| Err(field.wrong("is that of the program's currency: PUT /v1/configuration")),
    schema: || schema::string().into(),
};

request! {
    /// The body of `PATCH /v1/assets/{id}`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct PatchAssetRequest {
        /// The most points that a single credit or debit may move; null: any number.
        pub max_amount: Change<Points> = change("max_transaction_amount", DECIMAL),
        /// The order in which lots are used.
        pub burn_order: Option<BurnOrder> = optional("burn_order", word!(BurnOrder)),
        /// Refused: `PUT /v1/configuration` sets the name.
        pub name: Option<()> = optional("name", OF_CURRENCY),
        /// Refused: `PUT /v1/configuration` sets the symbol.
        pub symbol: Option<()> = optional("symbol", OF_CURRENCY),
    }
    example {"max_transaction_amount": "10000", "burn_order": "soonest_expiry"}
    parse(body);
}

request! {
    /// The body of `POST /v1/assets/{id}/convert`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ConvertAssetRequest {
        /// How the points are to be kept: `LOT`.
        pub to: InventoryMode = required("to", word!(InventoryMode)),
        /// When the points that members have now expire; null: never. By default, as the program's
        /// `expiry` says.
        pub expires_at: Change<Timestamp> = change("expires_at", TIME),
        /// The life of the points that members have now, in place of `expires_at`.
        pub expiry: Option<Expiry> = nullable("expiry", EXPIRY),
        /// Only count what the conversion would do.
        pub dry_run: bool = optional_or("dry_run", BOOLEAN, false),
    }
    example {"to": "LOT", "expiry": {"after": "P12M"}, "dry_run": true}
    parse(body);
}

/// An asset: so far, the points of a program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "name": "Points",
    "symbol": "pts",
    "inventory_mode": "LOT",
    "burn_order": "fifo",
    "converting": false,
    "issuance_policy": "UNLIMITED",
    "scale": 0,
    "max_transaction_amount": null,
    "is_default": true,
    "program_ids": ["0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4"],
    "status": "ACTIVE",
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T12:00:00Z",
    "deleted_at": null,
    "version": 9,
})))]
pub struct AssetResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The name: that of the program's currency.
    pub name: String,
    /// The symbol: that of the program's currency.
    pub symbol: String,
    /// How the points are kept: as a sum, or in lots, which can have dates.
    #[schema(value_type = AssetInventoryMode)]
    pub inventory_mode: &'static str,
    /// The order in which lots are used.
    #[schema(value_type = AssetBurnOrder)]
    pub burn_order: &'static str,
    /// Whether points from before a conversion to lots are still being put into them.
    pub converting: bool,
    /// Always `UNLIMITED`: credits create points.
    pub issuance_policy: &'static str,
    /// The decimals of amounts: always 0.
    pub scale: u8,
    /// The most points that a single credit or debit may move.
    pub max_transaction_amount: Option<String>,
    /// Whether it is the points of the program: always true.
    pub is_default: bool,
    /// The program.
    pub program_ids: Vec<String>,
    /// Always `ACTIVE`.
    pub status: &'static str,
    /// When the program was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the settings last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// Always null.
    #[schema(format = DateTime)]
    pub deleted_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the asset.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl AssetResponse {
    /// The points of a program.
    pub fn new(program: &Program, asset: &Asset) -> Self {
        Self {
            id: Self::id_of(program.uuid).to_string(),
            name: program.currency.name.as_str().to_owned(),
            symbol: program.currency.symbol.as_str().to_owned(),
            inventory_mode: asset.mode.as_str(),
            burn_order: asset.burn_order.as_str(),
            converting: asset.opening_after.is_some(),
            issuance_policy: "UNLIMITED",
            scale: 0,
            max_transaction_amount: asset.max_amount.map(|amount| amount.get().to_string()),
            is_default: true,
            program_ids: vec![program.uuid.to_string()],
            status: "ACTIVE",
            created_at: program.created_at.to_short(),
            updated_at: asset.updated_at.to_short(),
            deleted_at: None,
            version: asset.version.0,
        }
    }

    /// The id of the points of a program.
    pub fn id_of(program: Uuid) -> Uuid {
        DerivedIds::new(program, DerivedKind::Asset).id(0, 0)
    }
}

/// A page of assets.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AssetListResponse {
    /// The assets.
    pub data: Vec<AssetResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// What a conversion to lots does, or would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "dry_run": true,
    "members": 1200,
    "lots": 1200,
    "points": "845000",
    "would_expire_first": "2027-06-15T12:00:00.000Z",
})))]
pub struct ConvertAssetResponse {
    /// Whether nothing was changed.
    pub dry_run: bool,
    /// The members whose points are put into lots.
    pub members: u64,
    /// The lots.
    pub lots: u64,
    /// The points in them.
    pub points: String,
    /// When the first of them expire; null: never.
    #[schema(format = DateTime)]
    pub would_expire_first: Option<String>,
}
