//! Redemptions.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::fields::{Fields, known_id, text, time};
use super::schema::{self, CanceledReason, RedemptionStatus, request_schema};
use crate::domain::{
    CancelReason, Change, ExternalUserId, Invalid, Note, Redemption, RedemptionPatch, Status,
};

/// The body of `POST /v1/redemptions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateRedemptionRequest {
    /// The offer's id as it was written: one that can be none is like one that is unknown.
    pub offer: String,
    /// On whose behalf a key calls.
    pub external_user_id: Option<ExternalUserId>,
}

impl CreateRedemptionRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            offer: fields.required("offer", text(|_, id| Ok(id)))?,
            external_user_id: fields.nullable("externalUserID", known_id)?,
        })
    }
}

request_schema!(CreateRedemptionRequest {
    /// The offer's id.
    required offer: schema::string(),
    /// On whose behalf; required of an Org-API-Key. A token may name its own member.
    optional externalUserID: schema::nullable(schema::text(ExternalUserId::RULE)),
} example {"offer": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23", "externalUserID": "user_42"});

/// The body of `PATCH /v1/redemptions/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PatchRedemptionRequest {
    /// What should change.
    pub patch: RedemptionPatch,
}

impl PatchRedemptionRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        let patch = RedemptionPatch {
            status: fields.optional("status", text(|name, word| status(name, &word)))?,
            start_at: fields.change("startAt", time)?,
            end_at: fields.change("endAt", time)?,
            canceled_reason: canceled_reason(&fields)?,
            canceled_note: fields.change("canceledNote", text(Note::parse))?,
        };
        Ok(Self { patch })
    }
}

request_schema!(PatchRedemptionRequest {
    /// Where it should stand; only forward, or `CANCELED`.
    optional status: schema::one_of(Status::ALL.map(Status::as_str)),
    /// When the experience begins.
    optional startAt: schema::nullable(schema::time()),
    /// When the experience ends.
    optional endAt: schema::nullable(schema::time()),
    /// Why it was canceled; only on a canceled redemption.
    optional canceledReason: schema::nullable(canceled_reason_words()),
    /// More about that; only on a canceled redemption.
    optional canceledNote: schema::nullable(schema::text(Note::RULE)),
} example {"status": "OPEN", "startAt": "2026-07-01T18:00:00Z"});

/// The body of `POST /v1/redemptions/{id}/cancel`, which may be left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CancelRedemptionRequest {
    /// What should change.
    pub patch: RedemptionPatch,
}

impl CancelRedemptionRequest {
    /// Reads the body; null is no body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let mut patch = RedemptionPatch {
            status: Some(Status::Canceled),
            ..RedemptionPatch::default()
        };
        if !body.is_null() {
            let fields = Fields::of(body)?;
            patch.canceled_reason = canceled_reason(&fields)?;
            patch.canceled_note = fields.change("canceledNote", text(Note::parse))?;
        }
        Ok(Self { patch })
    }
}

request_schema!(CancelRedemptionRequest {
    /// Why; `MEMBER_REQUESTED` if a member gives no reason.
    optional canceledReason: schema::nullable(canceled_reason_words()),
    /// More about that.
    optional canceledNote: schema::nullable(schema::text(Note::RULE)),
} example {"canceledReason": "SOLD_OUT", "canceledNote": "The last one went this morning."});

fn canceled_reason_words() -> utoipa::openapi::Object {
    schema::one_of(CancelReason::ALL.map(CancelReason::as_str))
}

/// One of the seven statuses, in upper case.
pub(super) fn status(name: &str, word: &str) -> Result<Status, Invalid> {
    Status::parse(word).ok_or_else(|| {
        Invalid::new(
            name,
            format!(
                "must be one of {}",
                Status::ALL.map(Status::as_str).join(", ")
            ),
        )
    })
}

fn canceled_reason(fields: &Fields<'_>) -> Result<Change<CancelReason>, Invalid> {
    fields.change(
        "canceledReason",
        text(|name, word| {
            CancelReason::parse(&word).ok_or_else(|| {
                let names = CancelReason::ALL.map(CancelReason::as_str).join(", ");
                Invalid::new(name, format!("must be null or one of {names}"))
            })
        }),
    )
}

/// `Redemption`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "rdm_01a1fda8-1988-75da-9f29-66beffff55ec",
    "offer": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "status": "SUBMITTED",
    "createdAt": "2026-06-15T12:00:00.000Z",
    "startAt": null,
    "endAt": null,
    "canceledReason": null,
    "canceledNote": null,
    "externalUserID": "user_42",
    "pointsCharged": 40,
    "conversationId": "cnv_01a1fda8-1988-75da-9f29-66beffff55ec",
})))]
pub struct RedemptionResponse {
    /// The id, `rdm_…`.
    pub id: String,
    /// The offer's id.
    pub offer: String,
    /// Where it stands.
    #[schema(value_type = RedemptionStatus)]
    pub status: &'static str,
    /// When the offer was redeemed.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the experience begins.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// When the experience ends.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// Why it was canceled.
    #[schema(value_type = Option<CanceledReason>)]
    pub canceled_reason: Option<&'static str>,
    /// More about that.
    pub canceled_note: Option<String>,
    /// Additive: whose it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// Additive: what was charged and a cancellation returns.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub points_charged: i64,
    /// Where the member and the operator talk about it.
    pub conversation_id: String,
    /// Additive: the offer's title. Where redemptions are read with an Org-API-Key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub offer_title: Option<String>,
    /// Additive: the member's display name, or null. Where `offerTitle` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub display_name: Option<Option<String>>,
}

impl RedemptionResponse {
    /// The same with what an operator calls its member and its offer.
    #[must_use]
    pub fn named(mut self, display_name: Option<String>, offer_title: String) -> Self {
        self.display_name = Some(display_name);
        self.offer_title = Some(offer_title);
        self
    }
}

impl From<&Redemption> for RedemptionResponse {
    fn from(redemption: &Redemption) -> Self {
        Self {
            id: redemption.id.to_string(),
            offer: redemption.offer_id.to_string(),
            status: redemption.status.as_str(),
            created_at: redemption.created_at.to_string(),
            start_at: super::time(redemption.start_at),
            end_at: super::time(redemption.end_at),
            canceled_reason: redemption.canceled_reason.map(CancelReason::as_str),
            canceled_note: redemption
                .canceled_note
                .as_ref()
                .map(|note| note.as_str().to_owned()),
            external_user_id: redemption.external_user_id.as_str().to_owned(),
            points_charged: redemption.charged.get(),
            conversation_id: redemption.conversation().to_string(),
            offer_title: None,
            display_name: None,
        }
    }
}

/// A page of redemptions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionListResponse {
    /// The redemptions, in the order asked for.
    pub redemptions: Vec<RedemptionResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
