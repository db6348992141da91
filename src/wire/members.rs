//! Members.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::WalletResponse;
use super::fields::{Fields, raw_object, text};
use crate::domain::{
    Attributes, Change, DisplayName, Invalid, Member, MemberProfile, Status, StatusCounts, Tier,
};

/// The body of `PUT /v1/members/{externalUserID}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetMemberRequest {
    /// What to merge into the profile.
    pub profile: MemberProfile,
}

impl SetMemberRequest {
    /// Reads the body, given both parsed and as it came.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        let attributes = fields.change("attributes", raw_object("attributes", bytes))?;
        Ok(Self {
            profile: MemberProfile {
                display_name: fields.change("displayName", text(DisplayName::parse))?,
                email: Change::Keep,
                tier: fields.optional("tier", text(Tier::parse))?,
                attributes,
            },
        })
    }
}

/// `SetMemberResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct SetMemberResponse {
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    pub display_name: Option<String>,
    pub tier: String,
    pub attributes: Option<Box<RawValue>>,
}

impl From<&Member> for SetMemberResponse {
    fn from(member: &Member) -> Self {
        let raw = |json: &Attributes| RawValue::from_string(json.as_str().to_owned()).ok();
        Self {
            external_user_id: member.external_user_id.as_str().to_owned(),
            display_name: member
                .display_name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            tier: member.tier.as_str().to_owned(),
            attributes: member.attributes.as_ref().and_then(raw),
        }
    }
}

/// A member's redemptions by where they stand: exactly these keys.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RedemptionCountsResponse {
    pub submitted: u64,
    pub open: u64,
    pub awaiting_vendor: u64,
    pub awaiting_customer: u64,
    pub purchased: u64,
    pub completed: u64,
    pub canceled: u64,
}

impl From<&StatusCounts> for RedemptionCountsResponse {
    fn from(counts: &StatusCounts) -> Self {
        Self {
            submitted: counts.get(Status::Submitted),
            open: counts.get(Status::Open),
            awaiting_vendor: counts.get(Status::AwaitingVendor),
            awaiting_customer: counts.get(Status::AwaitingCustomer),
            purchased: counts.get(Status::Purchased),
            completed: counts.get(Status::Completed),
            canceled: counts.get(Status::Canceled),
        }
    }
}

/// `MemberSummary`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct MemberSummaryResponse {
    #[serde(flatten)]
    pub profile: SetMemberResponse,
    pub wallet: WalletResponse,
    pub redemption_counts: RedemptionCountsResponse,
    /// Additive: when the member was removed.
    pub archived_at: Option<String>,
}

impl MemberSummaryResponse {
    /// A member with a wallet in the program's currency.
    pub fn new(member: &Member, wallet: WalletResponse, counts: &StatusCounts) -> Self {
        Self {
            profile: member.into(),
            wallet,
            redemption_counts: counts.into(),
            archived_at: super::time(member.archived_at),
        }
    }
}

/// A page of members.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct MemberListResponse {
    pub members: Vec<MemberSummaryResponse>,
    pub next_cursor: Option<String>,
}

/// `RemoveMemberResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct RemoveMemberResponse {
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    pub archived: bool,
    pub balance_retained: bool,
}
