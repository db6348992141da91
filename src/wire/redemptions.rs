//! Redemptions.

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{EXTERNAL_USER_ID, RATING, STRING, TIME, text, word};
use super::request::request;
use super::schema::{CanceledReason, RedemptionStatus};
use crate::domain::{
    CancelReason, Comment, ExternalUserId, Feedback, Note, Rating, Redemption, RedemptionPatch,
    Status,
};

request! {
    /// The body of `POST /v1/redemptions`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateRedemptionRequest {
        /// The offer's id.
        pub offer: String = required("offer", STRING),
        /// The member who redeems; required of an Org-API-Key. A token may name its own member.
        pub external_user_id: Option<ExternalUserId> =
            nullable("externalUserID", EXTERNAL_USER_ID),
        /// The id of the member's interest that it comes of.
        pub interest: Option<String> = nullable("interest", STRING),
    }
    example {"offer": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23", "externalUserID": "user_42"}
    parse(body);
}

request! {
    /// The body of `PATCH /v1/redemptions/{id}`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct PatchRedemptionRequest {}
    /// The changes to the redemption.
    pub patch: RedemptionPatch {
        /// The new status; only forward, or `CANCELED`.
        status = optional("status", word!(Status)),
        /// The start of the experience.
        start_at = change("startAt", TIME),
        /// The end of the experience.
        end_at = change("endAt", TIME),
        /// The reason for the cancellation; only on a canceled redemption.
        canceled_reason = change("canceledReason", word!(CancelReason)),
        /// A note on the cancellation; only on a canceled redemption.
        canceled_note = change("canceledNote", text!(Note)),
    }
    example {"status": "OPEN", "startAt": "2026-07-01T18:00:00Z"}
    parse(body);
}

request! {
    /// The body of `POST /v1/redemptions/{id}/cancel`, which is optional.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct CancelRedemptionRequest {}
    /// The changes to the redemption.
    pub patch: RedemptionPatch {
        /// The reason; `MEMBER_REQUESTED` if a member gives none.
        canceled_reason = change("canceledReason", word!(CancelReason)),
        /// A note on the cancellation.
        canceled_note = change("canceledNote", text!(Note)),
        ..RedemptionPatch { status: Some(Status::Canceled), ..RedemptionPatch::default() }
    }
    example {"canceledReason": "SOLD_OUT", "canceledNote": "The last one went this morning."}
    parse(body or null);
}

request! {
    /// The body of `PUT /v1/redemptions/{id}/feedback`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SetRedemptionFeedbackRequest {
        /// The rating.
        pub rating: Rating = required("rating", RATING),
        /// A comment.
        pub comment: Option<Comment> = nullable("comment", text!(Comment)),
    }
    example {"rating": 9, "comment": "The best tea in town."}
    parse(body);
}

/// The member's feedback on a redemption.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeedbackResponse {
    /// The rating.
    #[schema(minimum = 0, maximum = 10)]
    pub rating: u8,
    /// The comment.
    pub comment: Option<String>,
    /// When it was submitted.
    #[schema(format = DateTime)]
    pub submitted_at: String,
}

impl From<&Feedback> for FeedbackResponse {
    fn from(feedback: &Feedback) -> Self {
        let comment = feedback.comment.as_ref();
        Self {
            rating: feedback.rating.get(),
            comment: comment.map(|comment| comment.as_str().to_owned()),
            submitted_at: feedback.submitted_at.to_string(),
        }
    }
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
    "feedback": null,
    "code": "K7X2M9QP",
    "quantity": 1,
})))]
pub struct RedemptionResponse {
    /// The id, `rdm_…`.
    pub id: String,
    /// The offer's id.
    pub offer: String,
    /// The status.
    #[schema(value_type = RedemptionStatus)]
    pub status: &'static str,
    /// When the offer was redeemed.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The start of the experience.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// The end of the experience.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// The reason for the cancellation.
    #[schema(value_type = Option<CanceledReason>)]
    pub canceled_reason: Option<&'static str>,
    /// A note on the cancellation.
    pub canceled_note: Option<String>,
    /// The member whose redemption it is.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// The points that were charged and that a cancellation refunds.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub points_charged: i64,
    /// The conversation about it between the member and the operator.
    pub conversation_id: String,
    /// The member's feedback, once it is completed.
    pub feedback: Option<FeedbackResponse>,
    /// The code, by which `GET /v1/redemptions` finds it: 8 digits and capital letters that do not
    /// look alike. No other redemption of the program has it. Null if version 0.1.0 created the
    /// redemption.
    #[schema(pattern = "^[2-9A-HJKMNP-TV-Z]{8}$")]
    pub code: Option<String>,
    /// The units of the offer that were redeemed together, which share `pointsCharged`; 1, except
    /// if `POST /v1/participants/{id}/redemptions/items` redeemed more.
    #[schema(minimum = 1, maximum = 10_000)]
    pub quantity: i64,
    /// The offer's title. Only where redemptions are read with an Org-API-Key.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub offer_title: Option<String>,
    /// The member's display name, or null. Present wherever `offerTitle` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub display_name: Option<Option<String>>,
}

impl RedemptionResponse {
    /// Adds the member's display name and the offer's title, for an operator.
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
            feedback: redemption.feedback.as_ref().map(Into::into),
            code: redemption
                .code
                .as_ref()
                .map(|code| code.as_str().to_owned()),
            quantity: redemption.quantity.get(),
            offer_title: None,
            display_name: None,
        }
    }
}

/// A page of redemptions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionListResponse {
    /// The redemptions, in the requested order.
    pub redemptions: Vec<RedemptionResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
