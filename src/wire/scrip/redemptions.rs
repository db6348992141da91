//! Redemptions, in the format of the Scrip surface.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::amount::AMOUNT;
use super::named::{ASSET_FIELD, Named, PROGRAM_FIELD};
use super::programs::PaginationResponse;
use crate::domain::{Decimal, Reason, Units};
use crate::wire::field_types::STRING;
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{self, RewardRedemptionStatus};

/// A UUID.
const UUID: FieldType<Uuid> = FieldType {
    read: |field| {
        let uuid = field
            .value
            .as_str()
            .and_then(|text| Uuid::try_parse(text).ok());
        uuid.ok_or_else(|| field.wrong("must be a UUID"))
    },
    schema: || schema::uuid().into(),
};

/// A text of 1 to 500 characters.
const DESCRIPTION: FieldType<Reason> = FieldType {
    read: |field| {
        let text = field.value.as_str().filter(|text| !text.is_empty());
        let expected = "must be a text of 1 to 500 characters";
        let text = text.ok_or_else(|| field.wrong(expected))?;
        Reason::parse(field.name, text)
    },
    schema: || schema::length(1, 500).into(),
};

/// The number of units of a reward.
const UNITS: FieldType<Units> = FieldType {
    read: |field| field.whole(1, Units::MAX, Units::new),
    schema: || schema::whole(1, Units::MAX).into(),
};

request! {
    /// The body of `POST /v1/participants/{id}/redemptions`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RedeemAmountRequest {
        /// The program: that of the key, also as `current`.
        pub program: Named = required("program_id", PROGRAM_FIELD),
        /// The asset; `default`: the points of the program.
        pub asset: Named = required("asset_id", ASSET_FIELD),
        /// The amount.
        pub amount: Decimal = required("amount", AMOUNT),
        /// What they are spent on.
        pub description: Reason = required("description", DESCRIPTION),
        /// As the header `Idempotency-Key`.
        pub idempotency_key: Option<String> = nullable("idempotency_key", STRING),
    }
    example {
        "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        "asset_id": "195c35fe-dd3f-8305-9cd2-8342549855d4",
        "amount": "40", "description": "Two teas"
    }
    parse(body);
}

request! {
    /// The body of `POST /v1/participants/{id}/redemptions/items`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct RedeemItemsRequest {
        /// The program: that of the key, also as `current`.
        pub program: Named = required("program_id", PROGRAM_FIELD),
        /// The reward: the UUID of an offer's id.
        pub reward: Uuid = required("reward_id", UUID),
        /// The units, which are redeemed and counted together; 1 by default.
        pub quantity: Units = optional_or("quantity", UNITS, Units::ONE),
        /// A text for the journal.
        pub description: Option<Reason> = nullable("description", DESCRIPTION),
        /// As the header `Idempotency-Key`.
        pub idempotency_key: Option<String> = nullable("idempotency_key", STRING),
    }
    example {
        "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        "reward_id": "01a1fda8-194e-75c2-b11a-dd34b93c1d23",
        "quantity": 2
    }
    parse(body);
}

request! {
    /// The body of `POST /v1/participants/{id}/redemptions/{redemptionId}/reverse`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ReverseRedemptionRequest {
        /// Why.
        pub reason: Reason = required("reason", DESCRIPTION),
        /// The points to return, of a redemption of an amount; by default all that are left.
        pub amount: Option<Decimal> = nullable("amount", AMOUNT),
        /// The units to return, of a redemption of a reward; by default all that are left.
        pub quantity: Option<Units> = nullable("quantity", UNITS),
        /// As the header `Idempotency-Key`.
        pub idempotency_key: Option<String> = nullable("idempotency_key", STRING),
    }
    example {"reason": "The tea was cold", "amount": "10"}
    parse(body);
}

/// A redemption of an amount, or of a reward.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "3b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "participant_id": "1b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "asset_id": "195c35fe-dd3f-8305-9cd2-8342549855d4",
    "amount": "40",
    "reward_id": null,
    "quantity": null,
    "unit_cost": null,
    "reversed_amount": "10",
    "reversed_quantity": null,
    "description": "Two teas",
    "status": "PARTIALLY_REVERSED",
    "journal_entry_id": "8b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T13:00:00Z",
})))]
pub struct ParticipantRedemptionResponse {
    /// The id: that of the redemption of an offer without its prefix, or one of its own.
    #[schema(format = Uuid)]
    pub id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The participant.
    #[schema(format = Uuid)]
    pub participant_id: String,
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The points.
    pub amount: String,
    /// The reward; null for an amount.
    #[schema(format = Uuid)]
    pub reward_id: Option<String>,
    /// The units of the reward; null for an amount.
    pub quantity: Option<i64>,
    /// The points of a unit; null for an amount.
    pub unit_cost: Option<String>,
    /// The points that were returned.
    pub reversed_amount: String,
    /// The units that were returned; null for an amount.
    pub reversed_quantity: Option<i64>,
    /// What the points were spent on; null if nothing was said, or if it was erased.
    pub description: Option<String>,
    /// How much of it was reversed.
    #[schema(value_type = RewardRedemptionStatus)]
    pub status: &'static str,
    /// The journal entry that took the points; null if it was free.
    #[schema(format = Uuid)]
    pub journal_entry_id: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When points of it were last returned, or when it happened.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

/// A page of redemptions.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticipantRedemptionListResponse {
    /// The redemptions, newest first.
    pub data: Vec<ParticipantRedemptionResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// A reversal of a redemption, or of a part of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "4b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "redemption_id": "3b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "amount": "10",
    "quantity": null,
    "reason": "The tea was cold",
    "journal_entry_id": "8c0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "created_at": "2026-06-15T13:00:00Z",
})))]
pub struct ReversalResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The redemption.
    #[schema(format = Uuid)]
    pub redemption_id: String,
    /// The points that were returned.
    pub amount: String,
    /// The units that were returned; null for an amount.
    pub quantity: Option<i64>,
    /// Why; null if nothing was said, or if it was erased.
    pub reason: Option<String>,
    /// The journal entry that returned the points; null if it was free.
    #[schema(format = Uuid)]
    pub journal_entry_id: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// A page of reversals.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ReversalListResponse {
    /// The reversals, oldest first.
    pub data: Vec<ReversalResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
