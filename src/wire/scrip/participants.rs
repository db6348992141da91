//! Participants.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::balances::ParticipantBalanceResponse;
use super::programs::PaginationResponse;
use crate::domain::{
    Attributes, Change, DerivedIds, DerivedKind, DisplayName, Email, ExternalUserId, Invalid,
    Member, ParticipantStatus, Phone, Tag, TextRule, Timestamp,
};
use crate::wire::field_types::{EXTERNAL_USER_ID, STRING, text, word};
use crate::wire::fields::{Field, FieldType};
use crate::wire::request::request;
use crate::wire::schema::{self, ParticipantState};

/// The most attributes that one request changes.
const ATTRIBUTES_MAX: usize = 200;
/// The most tags of a participant.
const TAGS_MAX: usize = 100;
/// The longest name of an attribute, in characters.
const ATTRIBUTE_NAME_MAX: usize = 255;

/// A text of a profile, or an empty one, which clears it.
macro_rules! clearable {
    ($text:ty) => {
        FieldType {
            read: |field| match field.value {
                Value::String(text) if text.is_empty() => Ok(None),
                _ => field.text(<$text>::parse).map(Some),
            },
            schema: || {
                let rule = TextRule {
                    least: 0,
                    ..<$text>::RULE
                };
                schema::text(rule).into()
            },
        }
    };
}

/// Texts by name.
pub(super) const ATTRIBUTES: FieldType<BTreeMap<String, String>> = FieldType {
    read: attributes,
    schema: || schema::texts().into(),
};

/// A name that is not kept apart from `display_name`.
const PART_OF_NAME: FieldType<()> = FieldType {
    read: |field| match field.value {
        Value::String(text) if text.is_empty() => Ok(()),
        _ => Err(field.wrong("is not kept: send display_name")),
    },
    schema: || schema::string().into(),
};

/// Tags, in lower case. A repeated one counts once.
pub(super) const TAGS: FieldType<Vec<Tag>> = FieldType {
    read: |field| {
        let mut tags = field.list(TAGS_MAX, |name, tag| Tag::lower(name, &tag))?;
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    },
    schema: || schema::list(schema::text(Tag::RULE), TAGS_MAX).into(),
};

/// Checks the name of an attribute, given as `field`.
///
/// # Errors
/// [`Invalid`] if it is too short or too long.
pub fn check_attribute_name(field: &str, name: &str) -> Result<(), Invalid> {
    if (1..=ATTRIBUTE_NAME_MAX).contains(&name.chars().count()) {
        return Ok(());
    }
    let expected = format!("must have names of 1 to {ATTRIBUTE_NAME_MAX} characters");
    Err(Invalid::new(field, expected))
}

fn attributes(field: &Field<'_>) -> Result<BTreeMap<String, String>, Invalid> {
    let object = field.value.as_object();
    let object = object.ok_or_else(|| field.wrong("must be an object"))?;
    if object.len() > ATTRIBUTES_MAX {
        let expected = format!("must have at most {ATTRIBUTES_MAX} attributes");
        return Err(Invalid::new(field.name, expected));
    }
    let texts = object.iter().map(|(name, value)| {
        let full = format!("{}.{name}", field.name);
        check_attribute_name(field.name, name)?;
        let text = value.as_str();
        let text = text.ok_or_else(|| Invalid::new(full, "must be a string"))?;
        Ok((name.clone(), text.to_owned()))
    });
    texts.collect()
}

/// The changes of a participant's profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParticipantProfile {
    /// The name to show.
    pub display_name: Change<Option<DisplayName>>,
    /// The email address.
    pub email: Change<Option<Email>>,
    /// The phone number.
    pub phone: Change<Option<Phone>>,
    /// Attributes that get these texts; the others are kept.
    pub attributes: BTreeMap<String, String>,
    /// Not kept.
    pub first_name: Option<()>,
    /// Not kept.
    pub last_name: Option<()>,
    /// All tags.
    pub tags: Option<Vec<Tag>>,
}

request! {
    /// The body of `POST /v1/participants`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateParticipantRequest {
        /// The operator's own id: `externalUserID` of the member.
        pub external_id: ExternalUserId = required("external_id", EXTERNAL_USER_ID),
        /// The program of the API key. It is the only one that a participant can have.
        pub program_id: Option<String> = nullable("program_id", STRING),
        /// The status; a new participant is `ACTIVE` by default.
        pub status: Option<ParticipantStatus> = optional("status", word!(ParticipantStatus)),
    }
    /// The changes of the profile.
    pub profile: ParticipantProfile {
        /// Attributes, which are merged with those that the participant has.
        attributes = optional_or("attributes", ATTRIBUTES, BTreeMap::new()),
        /// The name to show; an empty string clears it.
        display_name = change("display_name", clearable!(DisplayName)),
        /// The email address; an empty string clears it.
        email = change("email", clearable!(Email)),
        /// Not kept: send `display_name`.
        first_name = nullable("first_name", PART_OF_NAME),
        /// Not kept: send `display_name`.
        last_name = nullable("last_name", PART_OF_NAME),
        /// The phone number; an empty string clears it.
        phone = change("phone", clearable!(Phone)),
        /// All tags, in place of those that the participant has.
        tags = nullable("tags", TAGS),
    }
    example {"external_id": "user_42", "display_name": "Ada", "attributes": {"city": "London"}}
    parse(body);
}

request! {
    /// The body of `PATCH /v1/participants/{id}`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PatchParticipantRequest {
        /// Another id of the operator's own.
        pub external_id: Option<ExternalUserId> = optional("external_id", text!(ExternalUserId)),
    }
    /// The changes of the profile.
    pub profile: ParticipantProfile {
        /// Attributes, which are merged with those that the participant has.
        attributes = optional_or("attributes", ATTRIBUTES, BTreeMap::new()),
        /// The name to show; an empty string clears it.
        display_name = change("display_name", clearable!(DisplayName)),
        /// The email address; an empty string clears it.
        email = change("email", clearable!(Email)),
        /// Not kept: send `display_name`.
        first_name = nullable("first_name", PART_OF_NAME),
        /// Not kept: send `display_name`.
        last_name = nullable("last_name", PART_OF_NAME),
        /// The phone number; an empty string clears it.
        phone = change("phone", clearable!(Phone)),
        /// All tags, in place of those that the participant has.
        tags = nullable("tags", TAGS),
    }
    example {"attributes": {"city": "Bath"}}
    parse(body);
}

request! {
    /// The body of `PATCH /v1/participants/{id}/status`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct SetParticipantStatusRequest {
        /// The status.
        pub status: ParticipantStatus = required("status", word!(ParticipantStatus)),
    }
    example {"status": "SUSPENDED"}
    parse(body);
}

/// A participant in a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "external_id": "user_42",
    "status": "ACTIVE",
    "email": "ada@example.com",
    "phone": null,
    "first_name": null,
    "last_name": null,
    "display_name": "Ada",
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T12:00:00Z",
})))]
pub struct ParticipantRowResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The operator's own id.
    pub external_id: String,
    /// Whether the participant can earn and spend points.
    #[schema(value_type = ParticipantState)]
    pub status: &'static str,
    /// The email address.
    pub email: Option<String>,
    /// The phone number, as it was given.
    pub phone: Option<String>,
    /// Always null.
    pub first_name: Option<String>,
    /// Always null.
    pub last_name: Option<String>,
    /// The name to show.
    pub display_name: Option<String>,
    /// When the participant was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When the profile or the status last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
}

impl ParticipantRowResponse {
    /// A member of a program, who last changed at a time.
    pub fn new(program: Uuid, member: &Member, updated_at: Timestamp) -> Self {
        let ids = DerivedIds::new(program, DerivedKind::Participant);
        let name = member.display_name.as_ref();
        Self {
            id: ids.id(member.number.0, 0).to_string(),
            external_id: member.external_user_id.as_str().to_owned(),
            status: ParticipantStatus::of(member).as_str(),
            email: member.email.as_ref().map(|email| email.as_str().to_owned()),
            phone: member.phone.as_ref().map(|phone| phone.as_str().to_owned()),
            first_name: None,
            last_name: None,
            display_name: name.map(|name| name.as_str().to_owned()),
            created_at: member.created_at.to_short(),
            updated_at: updated_at.to_short(),
        }
    }
}

/// A participant.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticipantResponse {
    /// The fields that lists show.
    #[serde(flatten)]
    pub row: ParticipantRowResponse,
    /// The attributes: strings as they are, other values as JSON.
    pub attributes: BTreeMap<String, String>,
    /// The balance of each asset.
    pub balances: Vec<ParticipantBalanceResponse>,
    /// The value of each counter now, by key.
    pub counters: BTreeMap<String, String>,
    /// The tags, in lower case.
    pub tags: Vec<String>,
    /// Always empty: the tier of a member is no track.
    pub tiers: BTreeMap<String, String>,
    /// The program.
    pub program_ids: Vec<String>,
    /// The settings version; in quotes, the `ETag` of the participant.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl ParticipantResponse {
    /// A member of a program, with the balances, the tags and the counters, who last changed at a
    /// time.
    pub fn new(
        program: Uuid,
        member: &Member,
        balances: Vec<ParticipantBalanceResponse>,
        (tags, counters): (Vec<String>, BTreeMap<String, String>),
        updated_at: Timestamp,
    ) -> Self {
        let attributes = member.attributes.as_ref();
        Self {
            row: ParticipantRowResponse::new(program, member, updated_at),
            attributes: attributes.map(Attributes::texts).unwrap_or_default(),
            balances,
            counters,
            tags,
            tiers: BTreeMap::new(),
            program_ids: vec![program.to_string()],
            version: member.version.0,
        }
    }
}

/// A page of participants.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ParticipantListResponse {
    /// The participants.
    pub data: Vec<ParticipantRowResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}
