//! Programs, in the format of the Scrip surface: `snake_case`, times without milliseconds.

use secrecy::SecretString;
use serde::Serialize;
use utoipa::ToSchema;

use super::expiry::{EXPIRY, EXPIRY_NOTICE, ExpiryResponse, TIME_ZONE};
use crate::domain::{
    Change, Expiry, ExpiryNotice, Name, Note, Program, ProgramStatus, RedemptionTarget,
    RefundGrace, Timestamp, UnknownParticipants, Zone,
};
use crate::wire::field_types::{text, word};
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{self, OnUnknownParticipant, ProgramState, RedemptionAccount};

/// A number of hours.
const GRACE: FieldType<RefundGrace> = FieldType {
    read: |field| {
        let grace = field.value.as_str().and_then(RefundGrace::parse);
        let most = RefundGrace::MAX;
        grace.ok_or_else(|| field.wrong(format!("must be hours from 1h to {most}h, such as 720h")))
    },
    schema: || schema::string().into(),
};

/// The account of another kind of target.
const NO_ENTITY: FieldType<()> = FieldType {
    read: |field| {
        Err(field.wrong("must be left out: redemptions go to SYSTEM_REDEMPTION or SYSTEM_BREAKAGE"))
    },
    schema: || schema::string().into(),
};

request! {
    /// The body of `POST /v1/programs`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateProgramRequest {
        /// The name.
        pub name: Name = required("name", text!(Name)),
        /// What it is.
        pub description: Option<Note> = nullable("description", text!(Note)),
        /// The account that redemptions go to; `SYSTEM_REDEMPTION` by default.
        pub target: RedemptionTarget = optional_or(
            "redemption_target_type", word!(RedemptionTarget), RedemptionTarget::Redemption
        ),
        /// Not possible.
        pub entity: Option<()> = nullable("redemption_target_entity_id", NO_ENTITY),
        /// What an event of an unknown participant does: it creates one, or is refused.
        pub unknown: UnknownParticipants = optional_or(
            "on_unknown_participant", word!(UnknownParticipants), UnknownParticipants::Create
        ),
    }
    example {"name": "Summer club"}
    parse(body);
}

request! {
    /// The body of `PATCH /v1/programs/{id}`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct PatchProgramRequest {
        /// The name.
        pub name: Option<Name> = optional("name", text!(Name)),
        /// Whether the program is active. Of a `SUSPENDED` one everything can be read, but only
        /// these settings can be changed. Nothing can be done with an `ARCHIVED` one's keys.
        pub status: Option<ProgramStatus> = optional("status", word!(ProgramStatus)),
        /// What it is; null: nothing was said.
        pub description: Change<Note> = change("description", text!(Note)),
        /// The account that redemptions go to. A change concerns later redemptions only: a
        /// reversal comes from the account that the redemption went to.
        pub target: Option<RedemptionTarget> = optional(
            "redemption_target_type", word!(RedemptionTarget)
        ),
        /// Not possible.
        pub entity: Option<()> = nullable("redemption_target_entity_id", NO_ENTITY),
        /// What an event of an unknown participant does: it creates one, or is refused.
        pub unknown: Option<UnknownParticipants> = optional(
            "on_unknown_participant", word!(UnknownParticipants)
        ),
        /// How long points can be used that are returned after their time, in hours such as
        /// `720h`; null: they expire at once. Only in a program whose points are kept in lots.
        pub refund_grace: Change<RefundGrace> = change("refund_grace", GRACE),
        /// The life of points that are credited without dates of their own; null: no end. Only in a
        /// program whose points are kept in lots. It concerns later credits only.
        pub expiry: Change<Expiry> = change("expiry", EXPIRY),
        /// The time zone of the calendar by which points expire, an IANA name such as
        /// `Europe/Berlin`. A change concerns later credits only.
        pub zone: Option<Zone> = optional("time_zone", TIME_ZONE),
        /// How many days of 24 hours before points expire `wallet.expiring` is sent; null: it is
        /// not. Only in a program whose points are kept in lots. What expires within a longer time
        /// than before is announced at once.
        pub expiry_notice: Change<ExpiryNotice> = change("expiry_notice", EXPIRY_NOTICE),
    }
    example {"name": "Winter club"}
    parse(body);
}

/// A program.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "name": "Sandbox",
    "description": "For everybody",
    "status": "ACTIVE",
    "redemption_target_type": "SYSTEM_REDEMPTION",
    "redemption_target_entity_id": null,
    "on_unknown_participant": "CREATE",
    "expiry": {"after": "P12M"},
    "refund_grace": "720h",
    "time_zone": "UTC",
    "expiry_notice": 30,
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T12:00:00Z",
    "deleted_at": null,
    "version": 2,
})))]
pub struct ProgramResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The name.
    pub name: String,
    /// What it is; null if nothing was said.
    pub description: Option<String>,
    /// The account that redemptions go to.
    #[schema(value_type = RedemptionAccount)]
    pub redemption_target_type: &'static str,
    /// Always null.
    pub redemption_target_entity_id: Option<String>,
    /// What an event of an unknown participant does: it creates one, or is refused.
    #[schema(value_type = OnUnknownParticipant)]
    pub on_unknown_participant: &'static str,
    /// Whether it is active.
    #[schema(value_type = ProgramState)]
    pub status: &'static str,
    /// The life of points that are credited without dates of their own; null: no end.
    pub expiry: Option<ExpiryResponse>,
    /// How long points can be used that are returned after their time; null: they expire at once.
    pub refund_grace: Option<String>,
    /// The time zone of the calendar by which points expire.
    pub time_zone: String,
    /// How many days before points expire `wallet.expiring` is sent; null: it is not.
    #[schema(minimum = 1, maximum = 366)]
    pub expiry_notice: Option<i64>,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When its settings last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// When it was archived.
    #[schema(format = DateTime)]
    pub deleted_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the program.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl From<&Program> for ProgramResponse {
    fn from(program: &Program) -> Self {
        Self {
            id: program.uuid.to_string(),
            name: program.name.as_str().to_owned(),
            description: program
                .description
                .as_ref()
                .map(|description| description.as_str().to_owned()),
            redemption_target_type: program.target.as_str(),
            redemption_target_entity_id: None,
            on_unknown_participant: program.unknown.as_str(),
            status: program.status.as_str(),
            expiry: program.expiry.map(ExpiryResponse::from),
            refund_grace: program.refund_grace.map(|grace| grace.to_string()),
            time_zone: program.zone.name().to_owned(),
            expiry_notice: program.expiry_notice.map(ExpiryNotice::days),
            created_at: program.created_at.to_short(),
            updated_at: program.updated_at.to_short(),
            deleted_at: program.archived_at.map(Timestamp::to_short),
            version: program.version.0,
        }
    }
}

/// A new program with its key, which is shown only once.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CreatedProgramResponse {
    /// The program.
    #[serde(flatten)]
    pub program: ProgramResponse,
    /// Its first Org-API-Key, which is not shown again.
    #[serde(rename = "apiKey", serialize_with = "crate::wire::exposed")]
    #[schema(value_type = String)]
    pub api_key: SecretString,
}

/// The pagination of a list of the Scrip surface.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"has_more": false, "next_cursor": null})))]
pub struct PaginationResponse {
    /// Whether there is another page.
    pub has_more: bool,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl From<Option<String>> for PaginationResponse {
    fn from(next_cursor: Option<String>) -> Self {
        Self {
            has_more: next_cursor.is_some(),
            next_cursor,
        }
    }
}

/// A page of programs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ProgramListResponse {
    /// The programs, newest first.
    pub data: Vec<ProgramResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
