//! Redemptions.

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, text, time};
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
            external_user_id: fields.nullable("externalUserID", text(ExternalUserId::parse))?,
        })
    }
}

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

impl super::Query {
    /// The `status` that a list is narrowed to.
    ///
    /// # Errors
    /// [`Invalid`] if it is none of the seven.
    pub fn status(&self) -> Result<Option<Status>, Invalid> {
        self.parsed("status", status)
    }
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
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RedemptionResponse {
    pub id: String,
    pub offer: String,
    pub status: &'static str,
    pub created_at: String,
    pub start_at: Option<String>,
    pub end_at: Option<String>,
    pub canceled_reason: Option<&'static str>,
    pub canceled_note: Option<String>,
    /// Additive: whose it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// Additive: what was charged and a cancellation returns.
    pub points_charged: i64,
    /// Where the member and the operator talk about it.
    pub conversation_id: String,
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
        }
    }
}

/// A page of redemptions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RedemptionListResponse {
    pub redemptions: Vec<RedemptionResponse>,
    pub next_cursor: Option<String>,
}
