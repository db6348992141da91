//! The balances of participants, and what moves them.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amount::AMOUNT;
use super::programs::PaginationResponse;
use crate::domain::{
    Bucket, Change, Decimal, Invalid, Reason, ReferenceId, Scale, Timestamp, Wallet,
};
use crate::wire::field_types::{BOOLEAN, STRING, TIME, text};
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema;

/// The most lots that one request names.
const LOTS_MAX: usize = 100;

/// A description, which is not empty.
pub(super) const DESCRIPTION: FieldType<Reason> = FieldType {
    read: |field| {
        let reason = field.text(Reason::parse)?;
        if reason.as_str().trim().is_empty() {
            return Err(field.wrong("must be 1 to 500 characters long"));
        }
        Ok(reason)
    },
    schema: || schema::text(Reason::RULE).into(),
};

const AVAILABLE: &str = "AVAILABLE";
const HELD: &str = "HELD";
const CREDIT: &str = "CREDIT";
const DEBIT: &str = "DEBIT";

/// A bucket that points are taken from or come into.
const BUCKET: FieldType<Bucket> = FieldType {
    read: |field| match field.value.as_str() {
        Some(AVAILABLE) => Ok(Bucket::Available),
        Some(HELD) => Ok(Bucket::Held),
        _ => Err(field.wrong("must be AVAILABLE or HELD")),
    },
    schema: || schema::one_of([AVAILABLE, HELD]).into(),
};

/// Whether points come or go.
const IS_CREDIT: FieldType<bool> = FieldType {
    read: |field| match field.value.as_str() {
        Some(CREDIT) => Ok(true),
        Some(DEBIT) => Ok(false),
        _ => Err(field.wrong("must be CREDIT or DEBIT")),
    },
    schema: || schema::one_of([CREDIT, DEBIT]).into(),
};

/// Ids of lots.
const LOT_IDS: FieldType<Vec<Uuid>> = FieldType {
    read: |field| {
        let ids = field.list(LOTS_MAX, |name, id| {
            let id = Uuid::try_parse(&id);
            id.map_err(|_| Invalid::new(name, "must be the id of a lot"))
        })?;
        if ids.is_empty() {
            return Err(field.wrong("must name at least one lot, or be left out"));
        }
        Ok(ids)
    },
    schema: || schema::list(schema::string(), LOTS_MAX).into(),
};

/// The key of a retry, which was read with the headers.
pub(super) const KEY: FieldType<()> = FieldType {
    read: |field| match field.value {
        Value::String(_) => Ok(()),
        _ => Err(field.wrong("must be a string")),
    },
    schema: || schema::string().into(),
};

/// What a request names besides its own fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OperatedAsset {
    /// The program, which has to be that of the API key.
    pub program_id: String,
    /// The asset.
    pub asset_id: String,
    /// The reason.
    pub description: Reason,
    /// The key of a retry.
    pub idempotency_key: Option<()>,
}

request! {
    /// The body of `POST /v1/participants/{id}/balances/adjust`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AdjustBalanceRequest {
        /// Whether points come or go.
        pub is_credit: bool = required("type", IS_CREDIT),
        /// The amount: a string with at most the decimals of the asset.
        pub amount: Decimal = required("amount", AMOUNT),
        /// Where they come into, or go from; by default `AVAILABLE`.
        pub bucket: Bucket = optional_or("bucket", BUCKET, Bucket::Available),
        /// Whether a debit may make the balance negative.
        pub allow_negative: bool = optional_or("allow_negative", BOOLEAN, false),
        /// What the caller calls the purpose of a credit. A credit to `HELD` is taken back by
        /// `void-hold` with the same one, and settled by a credit to `AVAILABLE` with it.
        pub reference_id: Option<ReferenceId> = nullable("reference_id", text!(ReferenceId)),
        /// When credited points expire; null: never. By default, as the program's `expiry` says.
        pub expires_at: Change<Timestamp> = change("expires_at", TIME),
        /// When credited points become available; by default, at once.
        pub matures_at: Option<Timestamp> = nullable("matures_at", TIME),
    }
    /// The asset.
    pub asset: OperatedAsset {
        /// The id of the asset, or `default`.
        asset_id = required("asset_id", STRING),
        /// The reason.
        description = required("description", DESCRIPTION),
        /// In place of the header `Idempotency-Key`.
        idempotency_key = optional("idempotency_key", KEY),
        /// The program of the API key.
        program_id = required("program_id", STRING),
    }
    example {
        "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        "asset_id": "default",
        "type": "CREDIT",
        "amount": "100",
        "description": "A birthday"
    }
    parse(body);
}

request! {
    /// The body of the operations `hold`, `release`, `forfeit` and `void-hold` on a balance.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct BalanceOperationRequest {
        /// The amount: a string with at most the decimals of the asset. By default all that match.
        pub amount: Option<Decimal> = nullable("amount", AMOUNT),
        /// The bucket of a forfeit.
        pub bucket: Option<Bucket> = nullable("bucket", BUCKET),
        /// Only these lots.
        pub lot_ids: Option<Vec<Uuid>> = nullable("lot_ids", LOT_IDS),
        /// Only lots that were credited at this time or later.
        pub earned_from: Option<Timestamp> = nullable("earned_from", TIME),
        /// Only lots that were credited at this time or earlier.
        pub earned_to: Option<Timestamp> = nullable("earned_to", TIME),
        /// What the caller calls the purpose. A hold notes it; the others take only points that
        /// were held, or credited as held, with it.
        pub reference_id: Option<ReferenceId> = nullable("reference_id", text!(ReferenceId)),
        /// When a hold ends automatically; by default after 30 days, and at most after 366.
        pub hold_until: Option<Timestamp> = nullable("hold_until", TIME),
    }
    /// The asset.
    pub asset: OperatedAsset {
        /// The id of the asset, or `default`.
        asset_id = required("asset_id", STRING),
        /// The reason.
        description = required("description", DESCRIPTION),
        /// In place of the header `Idempotency-Key`.
        idempotency_key = optional("idempotency_key", KEY),
        /// The program of the API key.
        program_id = required("program_id", STRING),
    }
    example {
        "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        "asset_id": "default",
        "amount": "100",
        "reference_id": "order_7",
        "description": "An order"
    }
    parse(body);
}

/// The points of a participant, by bucket.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"available": "100", "deferred": "0", "held": "20"})))]
pub struct BucketsResponse {
    /// Points that can be spent; negative after a debit with `allow_negative`.
    #[schema(pattern = r"^-?[0-9]+(\.[0-9]+)?$")]
    pub available: String,
    /// Points that become available later.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    pub deferred: String,
    /// Points that are reserved.
    #[schema(pattern = r"^[0-9]+(\.[0-9]+)?$")]
    pub held: String,
}

impl BucketsResponse {
    /// Those of a wallet, with the decimals of its asset.
    pub fn new(wallet: &Wallet, scale: Scale) -> Self {
        Self {
            available: scale.show(wallet.balance()),
            deferred: scale.show_points(wallet.pending),
            held: scale.show_points(wallet.held),
        }
    }
}

/// The balance of an asset.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticipantBalanceResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The points by bucket.
    #[serde(flatten)]
    pub buckets: BucketsResponse,
}

impl ParticipantBalanceResponse {
    /// That of an asset with an id.
    pub fn new(asset: Uuid, wallet: &Wallet, scale: Scale) -> Self {
        Self {
            asset_id: asset.to_string(),
            buckets: BucketsResponse::new(wallet, scale),
        }
    }
}

/// The balances of a participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticipantBalanceListResponse {
    /// The balance of each asset.
    pub data: Vec<ParticipantBalanceResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// What a credit did with points that had been credited as held with its reference.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"held_amount": "100", "delta": "-20"})))]
pub struct SettleResponse {
    /// The points that had been credited as held.
    pub held_amount: String,
    /// The points of the credit less these.
    pub delta: String,
}

/// What an adjustment did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdjustedBalanceResponse {
    /// The points.
    pub amount: String,
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// `CREDIT` or `DEBIT`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The bucket: `DEFERRED` if the points become available later.
    pub bucket: &'static str,
    /// The journal entry, or the first of two.
    #[schema(format = Uuid)]
    pub journal_entry_id: String,
    /// The reference of the request.
    pub reference_id: Option<String>,
    /// What a credit to `AVAILABLE` with a reference did to points credited as held with it.
    pub settle: Option<SettleResponse>,
    /// A sentence that says what was done.
    pub message: String,
    /// The points after it.
    pub balance: BucketsResponse,
}

impl AdjustedBalanceResponse {
    /// The words of an adjustment.
    pub fn words(
        is_credit: bool,
        bucket: Bucket,
        is_deferred: bool,
    ) -> (&'static str, &'static str) {
        let kind = if is_credit { CREDIT } else { DEBIT };
        let bucket = match bucket {
            _ if is_deferred => "DEFERRED",
            Bucket::Held => HELD,
            Bucket::Available | Bucket::Deferred => AVAILABLE,
        };
        (kind, bucket)
    }
}

/// A lot, and the points of it that were moved.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LotAmountResponse {
    /// The lot that has the points now, or that had them last.
    #[schema(format = Uuid)]
    pub id: String,
    /// The points.
    pub amount: String,
}

/// What an operation on a balance did.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BalanceOperationResponse {
    /// `HOLD`, `RELEASE`, `FORFEIT` or `VOID_HOLD`.
    pub operation: &'static str,
    /// The points.
    pub amount_processed: String,
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The journal entry, or the first of two.
    #[schema(format = Uuid)]
    pub journal_entry_id: String,
    /// The reference of the request.
    pub reference_id: Option<String>,
    /// When a hold ends automatically.
    #[schema(format = DateTime)]
    pub hold_until: Option<String>,
    /// A sentence that says what was done.
    pub message: String,
    /// The points after it.
    pub balance: BucketsResponse,
    /// The lots; null if the points are kept as a sum.
    pub lots_processed: Option<Vec<LotAmountResponse>>,
}
