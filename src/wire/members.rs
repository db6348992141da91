//! Members.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::WalletResponse;
use super::field_types::{EMAIL, JSON_OBJECT, PHONE, text};
use super::request::request;
use crate::domain::{DisplayName, Member, MemberProfile, Status, StatusCounts, Tier};

request! {
    /// The body of `PUT /v1/members/{externalUserID}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SetMemberRequest {}
    /// The changes to the member's profile.
    pub profile: MemberProfile {
        /// The operator's own JSON, up to 16384 bytes, replaced as a whole; null clears it.
        attributes = change("attributes", JSON_OBJECT),
        /// The display name; null clears it.
        display_name = change("displayName", text!(DisplayName)),
        /// The email address, with one `@` and no white space; null clears it.
        email = change("email", EMAIL),
        /// The phone number: 5 to 15 digits, with blanks, dashes, brackets and a leading `+`; null
        /// clears it.
        phone = change("phone", PHONE),
        /// The tier; a new member without one gets the program's default tier.
        tier = optional("tier", text!(Tier)),
    }
    example {"displayName": "Ada Lovelace", "tier": "gold", "attributes": {"city": "London"}}
    parse(body, bytes);
}

/// `SetMemberResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "externalUserID": "user_42",
    "displayName": "Ada Lovelace",
    "tier": "gold",
    "attributes": {"city": "London"},
})))]
pub struct SetMemberResponse {
    /// The operator's own id for the member.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// The display name.
    pub display_name: Option<String>,
    /// The tier; never empty.
    pub tier: String,
    /// The operator's own JSON, as it was received.
    #[schema(value_type = Option<HashMap<String, Object>>, additional_properties)]
    pub attributes: Option<Box<RawValue>>,
}

impl From<&Member> for SetMemberResponse {
    fn from(member: &Member) -> Self {
        Self {
            external_user_id: member.external_user_id.as_str().to_owned(),
            display_name: member
                .display_name
                .as_ref()
                .map(|name| name.as_str().to_owned()),
            tier: member.tier.as_str().to_owned(),
            attributes: super::json_object(member.attributes.as_ref()),
        }
    }
}

/// The profile of a member as events and reads show it to a key.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "externalUserID": "user_42",
    "displayName": "Ada Lovelace",
    "tier": "gold",
    "attributes": {"city": "London"},
    "email": "ada@example.com",
    "phone": "+44 7700 900042",
})))]
pub struct MemberProfileResponse {
    /// The fields that every response has.
    #[serde(flatten)]
    pub member: SetMemberResponse,
    /// The email address.
    pub email: Option<String>,
    /// The phone number, as it was given.
    pub phone: Option<String>,
}

impl From<&Member> for MemberProfileResponse {
    fn from(member: &Member) -> Self {
        Self {
            member: member.into(),
            email: member.email.as_ref().map(|email| email.as_str().to_owned()),
            phone: member.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        }
    }
}

/// The number of a member's redemptions by status: exactly these keys.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
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
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberSummaryResponse {
    /// The member.
    #[serde(flatten)]
    pub profile: MemberProfileResponse,
    /// The wallet.
    pub wallet: WalletResponse,
    /// The number of redemptions by status.
    pub redemption_counts: RedemptionCountsResponse,
    /// When the member signed up.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the member was removed.
    #[schema(format = DateTime)]
    pub archived_at: Option<String>,
    /// When the member was suspended: since then points can neither be credited nor spent.
    #[schema(format = DateTime)]
    pub suspended_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the member.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl MemberSummaryResponse {
    /// A member with its wallet and its redemptions.
    pub fn new(member: &Member, wallet: WalletResponse, counts: &StatusCounts) -> Self {
        Self {
            profile: member.into(),
            wallet,
            redemption_counts: counts.into(),
            created_at: member.created_at.to_string(),
            archived_at: super::time(member.archived_at),
            suspended_at: super::time(member.suspended_at),
            version: member.version.0,
        }
    }
}

/// The tiers in use, those with the most members first.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"tiers": [{"tier": "standard", "members": 3}], "total": 1})))]
pub struct TierListResponse {
    /// At most 100 tiers.
    pub tiers: Vec<TierResponse>,
    /// The number of tiers in use.
    pub total: usize,
}

/// A tier in use.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"tier": "standard", "members": 3})))]
pub struct TierResponse {
    /// The tier.
    pub tier: String,
    /// The number of members of the tier who are not removed.
    #[schema(minimum = 1)]
    pub members: u64,
}

/// A page of members.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MemberListResponse {
    /// The members, newest first.
    pub members: Vec<MemberSummaryResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// `RemoveMemberResponse`: exactly these fields.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "externalUserID": "user_42",
    "archived": true,
    "balanceRetained": false,
})))]
pub struct RemoveMemberResponse {
    /// The removed member, by the id in the request, also after `erase`.
    #[serde(rename = "externalUserID")]
    pub external_user_id: String,
    /// Always true.
    pub archived: bool,
    /// Whether the balance was retained: `retainBalance`.
    pub balance_retained: bool,
}
