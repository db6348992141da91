//! Interests, their intake and the verification of its phone number.

use serde::Serialize;
use utoipa::ToSchema;

use super::field_types::{DATES, DETAILS, EXTERNAL_USER_ID, PERSONS, PHONE, STRING, word};
use super::request::request;
use super::schema::{
    InterestContactMethod, InterestContactWindow, InterestOccasion, InterestState,
};
use crate::domain::{
    ContactMethod, ContactWindow, Day, ExternalUserId, Intake, Interest, InterestStatus, Note,
    Occasion,
};

/// A request with the fields of an intake and others.
macro_rules! request_with_intake {
    (
        $(#[$meta:meta])*
        pub struct $request:ident { $($own:tt)* }
        example $example:tt
    ) => {
        request! {
            $(#[$meta])*
            pub struct $request { $($own)* }
            /// The intake.
            pub intake: Intake {
                /// The number of adults.
                adults = nullable("adults", PERSONS),
                /// The number of children.
                children = nullable("children", PERSONS),
                /// The days that suit.
                preferred_dates = nullable("preferredDates", DATES),
                /// The days that do not suit.
                blackout_dates = nullable("blackoutDates", DATES),
                /// The occasion.
                occasion = nullable("occasion", word!(Occasion)),
                /// How the member wants to be contacted.
                contact_method = nullable("contactMethod", word!(ContactMethod)),
                /// When the member wants to be contacted.
                contact_window = nullable("contactWindow", word!(ContactWindow)),
                /// A phone number: 5 to 15 digits, with a leading `+` and separators.
                phone = nullable("phone", PHONE),
            }
            example $example
            parse(body);
        }
    };
}

request_with_intake! {
    /// The body of `POST /v1/interests`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreateInterestRequest {
        /// The offer's id.
        pub offer: String = required("offer", STRING),
        /// The member; required of an Org-API-Key. A token may name its own member.
        pub external_user_id: Option<ExternalUserId> =
            nullable("externalUserID", EXTERNAL_USER_ID),
    }
    example {
        "offer": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
        "adults": 2,
        "preferredDates": ["2026-11-06"],
        "occasion": "ANNIVERSARY"
    }
}

request_with_intake! {
    /// The body of `PUT /v1/interests/{id}/intake`. What it leaves out is deleted.
    #[derive(Clone, PartialEq, Eq)]
    pub struct SetIntakeRequest {
        /// What the guests can or will not eat. Forwarded to the concierge and never stored.
        pub dietary: Option<Note> = nullable("dietary", DETAILS),
        /// Their allergies. Forwarded to the concierge and never stored.
        pub allergies: Option<Note> = nullable("allergies", DETAILS),
        /// The access that they need. Forwarded to the concierge and never stored.
        pub accessibility: Option<Note> = nullable("accessibility", DETAILS),
    }
    example {"adults": 2, "children": 1, "phone": "+30 694 123 4567", "dietary": "Vegetarian"}
}

impl SetIntakeRequest {
    /// Whether it has sensitive details.
    pub fn has_details(&self) -> bool {
        [&self.dietary, &self.allergies, &self.accessibility]
            .into_iter()
            .any(Option::is_some)
    }
}

/// Omits the content, which may be sensitive.
impl std::fmt::Debug for SetIntakeRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SetIntakeRequest").finish_non_exhaustive()
    }
}

request! {
    /// The body of `PATCH /v1/interests/{id}`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct PatchInterestRequest {
        /// `closed`.
        pub status: InterestStatus = required("status", CLOSED),
    }
    example {"status": "closed"}
    parse(body);
}

/// The only status that an operator sets.
const CLOSED: super::fields::FieldType<InterestStatus> = super::fields::FieldType {
    read: |field| {
        let closed = |word: &str| InterestStatus::parse(word).filter(|status| *status == CLOSE);
        field.word(closed, || [CLOSE.as_str()])
    },
    schema: || super::schema::one_of([CLOSE.as_str()]).into(),
};
const CLOSE: InterestStatus = InterestStatus::Closed;

request! {
    /// The body of `PUT /v1/interests/{id}/phone/verification`.
    #[derive(Clone, PartialEq, Eq)]
    pub struct ConfirmPhoneRequest {
        /// The code that was sent.
        pub code: String = required("code", STRING),
    }
    example {"code": "123456"}
    parse(body);
}

/// Omits the code.
impl std::fmt::Debug for ConfirmPhoneRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ConfirmPhoneRequest")
            .finish_non_exhaustive()
    }
}

/// `Intake`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IntakeResponse {
    /// The number of adults.
    #[schema(minimum = 0, maximum = 1000)]
    pub adults: Option<i64>,
    /// The number of children.
    #[schema(minimum = 0, maximum = 1000)]
    pub children: Option<i64>,
    /// The days that suit.
    pub preferred_dates: Vec<String>,
    /// The days that do not suit.
    pub blackout_dates: Vec<String>,
    /// The occasion.
    #[schema(value_type = Option<InterestOccasion>)]
    pub occasion: Option<&'static str>,
    /// How the member wants to be contacted.
    #[schema(value_type = Option<InterestContactMethod>)]
    pub contact_method: Option<&'static str>,
    /// When the member wants to be contacted.
    #[schema(value_type = Option<InterestContactWindow>)]
    pub contact_window: Option<&'static str>,
    /// The phone number.
    pub phone: Option<String>,
    /// Whether the member has verified the phone number. One that is not verified is for display
    /// only.
    pub phone_verified: bool,
    /// When sensitive details were last forwarded to the concierge.
    #[schema(format = DateTime)]
    pub sensitive_details_sent_at: Option<String>,
}

/// `Interest`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "int_01a1fda8-1988-75da-9f29-66beffff55ec",
    "offer": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "status": "submitted",
    "createdAt": "2026-06-15T12:00:00.000Z",
    "conversationId": "cnv_01a1fda8-1988-75da-9f29-66beffff55ec",
    "intake": null,
})))]
pub struct InterestResponse {
    /// The id, `int_…`.
    pub id: String,
    /// The offer's id.
    pub offer: String,
    /// The status.
    #[schema(value_type = InterestState)]
    pub status: &'static str,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// The conversation about it between the member and the operator.
    pub conversation_id: String,
    /// What the member says about the plan; null if nothing was given.
    pub intake: Option<IntakeResponse>,
    /// The member whose interest it is. Only where interests are read with an Org-API-Key.
    #[serde(rename = "externalUserID", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub external_user_id: Option<String>,
    /// The member's display name, or null. Present wherever `externalUserID` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, required = false)]
    pub display_name: Option<Option<String>>,
    /// The offer's title. Present wherever `externalUserID` is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = String, required = false)]
    pub offer_title: Option<String>,
}

impl InterestResponse {
    /// Adds the member and the offer's title, for an operator.
    #[must_use]
    pub fn named(
        mut self,
        external_user_id: String,
        display_name: Option<String>,
        offer_title: String,
    ) -> Self {
        self.external_user_id = Some(external_user_id);
        self.display_name = Some(display_name);
        self.offer_title = Some(offer_title);
        self
    }
}

impl From<&Interest> for InterestResponse {
    fn from(interest: &Interest) -> Self {
        Self {
            id: interest.id.to_string(),
            offer: interest.offer_id.to_string(),
            status: interest.status.as_str(),
            created_at: interest.created_at.to_string(),
            conversation_id: interest.conversation().to_string(),
            intake: interest
                .intake
                .as_ref()
                .map(|intake| intake_of(interest, intake)),
            external_user_id: None,
            display_name: None,
            offer_title: None,
        }
    }
}

fn intake_of(interest: &Interest, intake: &Intake) -> IntakeResponse {
    let dates = |days: &Option<Vec<Day>>| {
        let days = days.iter().flatten();
        days.map(ToString::to_string).collect()
    };
    IntakeResponse {
        adults: intake.adults,
        children: intake.children,
        preferred_dates: dates(&intake.preferred_dates),
        blackout_dates: dates(&intake.blackout_dates),
        occasion: intake.occasion.map(Occasion::as_str),
        contact_method: intake.contact_method.map(ContactMethod::as_str),
        contact_window: intake.contact_window.map(ContactWindow::as_str),
        phone: intake.phone.as_ref().map(|phone| phone.as_str().to_owned()),
        phone_verified: interest.phone_verified,
        sensitive_details_sent_at: super::time(interest.details_sent_at),
    }
}

/// A page of interests.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InterestListResponse {
    /// The interests, newest first.
    pub interests: Vec<InterestResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// The outcome of the start of a phone verification.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PhoneCodeSentResponse {
    /// Whether the gateway accepted the code.
    pub sent: bool,
}

/// The outcome of the confirmation of a phone number.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct PhoneVerifiedResponse {
    /// Whether the code was right.
    pub verified: bool,
}

/// The data of `interest.phone_code`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PhoneCodeData {
    /// The interest.
    pub interest_id: String,
    /// The phone number.
    pub phone: String,
    /// The code to send to it.
    pub code: String,
}

/// The data of `interest.sensitive_details`.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SensitiveDetailsData {
    /// The interest.
    pub interest_id: String,
    /// What the guests can or will not eat.
    pub dietary: Option<String>,
    /// Their allergies.
    pub allergies: Option<String>,
    /// The access that they need.
    pub accessibility: Option<String>,
}

/// Omits the code.
impl std::fmt::Debug for PhoneCodeData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PhoneCodeData").finish_non_exhaustive()
    }
}

/// Omits the content.
impl std::fmt::Debug for SensitiveDetailsData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SensitiveDetailsData")
            .finish_non_exhaustive()
    }
}

impl SensitiveDetailsData {
    /// The details of a request.
    pub fn of(interest_id: String, request: &SetIntakeRequest) -> Self {
        let text = |note: &Option<Note>| note.as_ref().map(|note| note.as_str().to_owned());
        Self {
            interest_id,
            dietary: text(&request.dietary),
            allergies: text(&request.allergies),
            accessibility: text(&request.accessibility),
        }
    }
}
