//! Assets.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amount::AMOUNT;
use super::expiry::EXPIRY;
use super::programs::PaginationResponse;
use crate::domain::{
    Asset, AssetNumber, AssetStatus, AssetSymbol, BurnOrder, Change, Decimal, DerivedIds,
    DerivedKind, Expiry, InventoryMode, IssuancePolicy, Name, Program, Scale, Timestamp,
};
use crate::wire::field_types::{ASSET_SYMBOL, BOOLEAN, STRING, TIME, text, word};
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{
    self, AssetBurnOrder, AssetInventoryMode, AssetIssuancePolicy, AssetState,
};

/// The decimals of amounts.
const SCALE: FieldType<Scale> = FieldType {
    read: |field| {
        let decimals = field.value.as_u64();
        let scale = decimals
            .and_then(|it| u8::try_from(it).ok())
            .and_then(Scale::new);
        let most = Scale::MAX.decimals();
        scale.ok_or_else(|| field.wrong(format!("must be a whole number from 0 to {most}")))
    },
    schema: || schema::whole(0, Scale::MAX.decimals().into()).into(),
};

request! {
    /// The body of `POST /v1/assets`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateAssetRequest {
        /// The program of the API key, or `current`.
        pub program_id: String = required("program_id", STRING),
        /// The name.
        pub name: Name = required("name", text!(Name)),
        /// The symbol: letters and digits, unique in the program.
        pub symbol: AssetSymbol = required("symbol", ASSET_SYMBOL),
        /// How it is kept: as a sum, or in lots, which can have dates.
        pub mode: InventoryMode = required("inventory_mode", word!(InventoryMode)),
        /// How it is issued: a credit creates it, or takes it from the wallet of the program.
        pub policy: IssuancePolicy = required("issuance_policy", word!(IssuancePolicy)),
        /// The decimals of amounts.
        pub scale: Scale = required("scale", SCALE),
        /// The most that a single credit or debit may move; by default any amount.
        pub max_amount: Option<Decimal> = nullable("max_transaction_amount", AMOUNT),
        /// The order in which lots are used.
        pub burn_order: BurnOrder =
            optional_or("burn_order", word!(BurnOrder), BurnOrder::Fifo),
    }
    example {
        "program_id": "current",
        "name": "Miles",
        "symbol": "MI",
        "inventory_mode": "SIMPLE",
        "issuance_policy": "UNLIMITED",
        "scale": 2
    }
    parse(body);
}

request! {
    /// The body of `POST /v1/programs/{id}/assets`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct LinkAssetRequest {
        /// The asset.
        pub asset: String = required("asset_id", STRING),
    }
    example {"asset_id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4"}
    parse(body);
}

/// A field that does not change.
const FIXED: FieldType<()> = FieldType {
    read: |field| {
        Err(field.wrong(
            "does not change; that of the program's currency is set by PUT /v1/configuration",
        ))
    },
    schema: || schema::string().into(),
};

request! {
    /// The body of `PATCH /v1/assets/{id}`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct PatchAssetRequest {
        /// The most that a single credit or debit may move; null: any amount.
        pub max_amount: Change<Decimal> = change("max_transaction_amount", AMOUNT),
        /// The order in which lots are used.
        pub burn_order: Option<BurnOrder> = optional("burn_order", word!(BurnOrder)),
        /// The name. That of the program's points is set by `PUT /v1/configuration`.
        pub name: Option<Name> = optional("name", text!(Name)),
        /// How it is issued. Only the program's points may become `PREFUNDED`, and only before the
        /// first entry of the program's journal.
        pub policy: Option<IssuancePolicy> = optional("issuance_policy", word!(IssuancePolicy)),
        /// Refused: it does not change. `PUT /v1/configuration` sets that of the program's points.
        pub symbol: Option<()> = optional("symbol", FIXED),
        /// Whether it is in use. Nothing of an archived asset is credited. The program's points are
        /// always `ACTIVE`.
        pub status: Option<AssetStatus> = optional("status", word!(AssetStatus)),
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

/// An asset: the points of a program, or a further one.
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
    /// The name; of the program's points, that of its currency.
    pub name: String,
    /// The symbol; of the program's points, that of its currency.
    pub symbol: String,
    /// How the points are kept: as a sum, or in lots, which can have dates.
    #[schema(value_type = AssetInventoryMode)]
    pub inventory_mode: &'static str,
    /// The order in which lots are used.
    #[schema(value_type = AssetBurnOrder)]
    pub burn_order: &'static str,
    /// Whether points from before a conversion to lots are still being put into them.
    pub converting: bool,
    /// Whether a credit creates points, or takes them from the wallet of the program.
    #[schema(value_type = AssetIssuancePolicy)]
    pub issuance_policy: &'static str,
    /// The decimals of amounts; 0 of the program's points.
    pub scale: u8,
    /// The most points that a single credit or debit may move.
    pub max_transaction_amount: Option<String>,
    /// Whether it is the points of the program.
    pub is_default: bool,
    /// The program.
    pub program_ids: Vec<String>,
    /// Whether it is in use.
    #[schema(value_type = AssetState)]
    pub status: &'static str,
    /// When it was created: the program's points with the program.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the settings last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// When it was archived.
    #[schema(format = DateTime)]
    pub deleted_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the asset.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl AssetResponse {
    /// An asset of a program.
    pub fn new(program: &Program, asset: &Asset) -> Self {
        let (name, symbol) = match &asset.further {
            None => (
                program.currency.name.as_str(),
                program.currency.symbol.as_str(),
            ),
            Some(further) => (further.name.as_str(), further.symbol.as_str()),
        };
        let further = asset.further.as_ref();
        let archived_at = further.and_then(|further| further.archived_at);
        let created_at = further.map_or(program.created_at, |further| further.created_at);
        let status = match archived_at {
            None => AssetStatus::Active,
            Some(_) => AssetStatus::Archived,
        };
        Self {
            id: Self::id_of(program.uuid, asset.number()).to_string(),
            name: name.to_owned(),
            symbol: symbol.to_owned(),
            inventory_mode: asset.mode.as_str(),
            burn_order: asset.burn_order.as_str(),
            converting: asset.opening_after.is_some(),
            issuance_policy: asset.policy.as_str(),
            scale: asset.scale().decimals(),
            max_transaction_amount: asset
                .max_amount
                .map(|amount| asset.scale().show_points(amount)),
            is_default: further.is_none(),
            program_ids: vec![program.uuid.to_string()],
            status: status.as_str(),
            created_at: created_at.to_short(),
            updated_at: asset.updated_at.to_short(),
            deleted_at: archived_at.map(Timestamp::to_short),
            version: asset.version.0,
        }
    }

    /// The id of an asset of a program; `None`: its points.
    pub fn id_of(program: Uuid, asset: Option<AssetNumber>) -> Uuid {
        let number = asset.map_or(0, |asset| asset.0);
        DerivedIds::new(program, DerivedKind::Asset).id(number, 0)
    }

    /// The asset of a program with an id, if the id can be that of one; the inner `None`: its
    /// points.
    pub fn number_of(program: Uuid, id: Uuid) -> Option<Option<AssetNumber>> {
        match DerivedIds::new(program, DerivedKind::Asset).numbers(id)? {
            (0, 0) => Some(None),
            (number, 0) => Some(Some(AssetNumber(number))),
            _ => None,
        }
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
