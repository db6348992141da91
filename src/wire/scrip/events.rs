//! Events for earning rules.

use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;
use uuid::Uuid;

use super::programs::PaginationResponse;
use crate::domain::{
    DerivedIds, DerivedKind, ExternalUserId, Invalid, MemberNumber, StoredEventId, Timestamp,
};
use crate::wire::field_types::{EXTERNAL_USER_ID, STRING, TIME, raw};
use crate::wire::fields::FieldType;
use crate::wire::request::request;
use crate::wire::schema::{
    self, EvaluationStatus, StoredEventSource, StoredEventStatus, WrittenBatchStatus,
};

/// The longest key of an event, in characters.
const KEY_MAX: usize = 255;
/// The most events of a batch.
const BATCH_MAX: usize = 100;

/// The key of an event.
const EVENT_KEY: FieldType<Box<str>> = FieldType {
    read: |field| {
        let key = field.text(|_, text| Ok(text))?;
        if !(1..=KEY_MAX).contains(&key.chars().count()) {
            return Err(field.wrong(format!("must be 1 to {KEY_MAX} characters long")));
        }
        Ok(key.into_boxed_str())
    },
    schema: || schema::string_of(1, KEY_MAX).into(),
};

/// The data of an event, as it was received.
const EVENT_DATA: FieldType<Box<str>> = FieldType {
    read: |field| {
        let raw = raw(field).filter(|_| field.value.is_object());
        let raw = raw.ok_or_else(|| field.wrong("must be an object"))?;
        Ok(raw.get().into())
    },
    schema: || schema::any_object().into(),
};

/// The id of a participant.
const PARTICIPANT_ID: FieldType<Uuid> = FieldType {
    read: |field| {
        let read = |name: &str, text: String| {
            Uuid::try_parse(&text).map_err(|_| Invalid::new(name, "must be a UUID"))
        };
        field.text(read)
    },
    schema: || schema::uuid().into(),
};

/// The events of a batch. Each one has its own error.
const EVENTS: FieldType<Vec<Result<EventRequest, Invalid>>> = FieldType {
    read: |field| {
        let expected = || field.wrong(format!("must be a list of 1 to {BATCH_MAX} events"));
        let values = field.value.as_array().ok_or_else(expected)?;
        let raw = raw(field).ok_or_else(expected)?;
        let raws: Vec<&RawValue> = serde_json::from_str(raw.get()).map_err(|_| expected())?;
        if !(1..=BATCH_MAX).contains(&values.len()) || raws.len() != values.len() {
            return Err(expected());
        }
        let pairs = values.iter().zip(raws);
        Ok(pairs
            .map(|(value, raw)| EventRequest::parse(value, raw.get().as_bytes()))
            .collect())
    },
    // What is no event is an error of its own.
    schema: || schema::list(schema::anything(), BATCH_MAX).into(),
};

request! {
    /// The body of `POST /v1/events`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct EventRequest {
        /// The program of the API key.
        pub program_id: String = required("program_id", STRING),
        /// The key of the event: one with the same key is the same event. It never expires.
        pub key: Box<str> = required("idempotency_key", EVENT_KEY),
        /// When it happened: `now` in rules.
        pub happened_at: Timestamp = required("event_timestamp", TIME),
        /// Its data: `event` in rules, up to 16384 bytes and 16 levels.
        pub data: Box<str> = required("event_data", EVENT_DATA),
        /// The participant, by the operator's own id.
        pub external_id: Option<ExternalUserId> = nullable("external_id", EXTERNAL_USER_ID),
        /// The participant, by its id.
        pub participant_id: Option<Uuid> = nullable("participant_id", PARTICIPANT_ID),
        /// Whom the actions of rules are for, if not the participant.
        pub recipient_id: Option<Uuid> = nullable("recipient_id", PARTICIPANT_ID),
        /// The same, by the operator's own id.
        pub recipient_external_id: Option<ExternalUserId> =
            nullable("recipient_external_id", EXTERNAL_USER_ID),
    }
    example {
        "program_id": "current",
        "idempotency_key": "order-1042",
        "event_timestamp": "2026-06-15T12:00:00Z",
        "event_data": {"type": "purchase", "amount": 49.90},
        "external_id": "user_42"
    }
    parse(body, bytes);
}

request! {
    /// The body of `POST /v1/events/batch`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct EventBatchRequest {
        /// The events, each as the body of `POST /v1/events`.
        pub events: Vec<Result<EventRequest, Invalid>> = required("events", EVENTS),
    }
    parse(body, bytes);
}

/// An event as its sender gets it back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct AcceptedEventResponse {
    /// The id, which follows from the program and the key.
    #[schema(format = Uuid)]
    pub id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The participant.
    #[schema(format = Uuid)]
    pub participant_id: Option<String>,
    /// The operator's own id of the participant.
    pub external_id: Option<String>,
    /// The key; null if it was erased.
    pub idempotency_key: Option<String>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub event_timestamp: String,
    /// The status: an event is processed before the response.
    #[schema(value_type = StoredEventStatus)]
    pub status: &'static str,
}

/// What happened to an event of a batch.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct BatchItemResponse {
    /// The place in the request, from 0.
    pub index: usize,
    /// Whether it was accepted. Whether its rules did something is in the status of the event.
    #[schema(value_type = WrittenBatchStatus)]
    pub status: &'static str,
    /// The event, if it was accepted.
    #[schema(value_type = Option<AcceptedEventResponse>)]
    pub event: Option<Box<RawValue>>,
    /// The error, if it was not.
    #[schema(value_type = Option<Object>)]
    pub error: Option<Box<RawValue>>,
}

impl BatchItemResponse {
    /// That of an item whose response has a status and a body.
    pub fn new(index: usize, status: u16, body: &[u8]) -> Self {
        let body = std::str::from_utf8(body).unwrap_or("null").to_owned();
        let body = RawValue::from_string(body).ok();
        let is_accepted = (200..300).contains(&status);
        let (event, error) = if is_accepted {
            (body, None)
        } else {
            (None, body)
        };
        Self {
            index,
            status: if is_accepted { "accepted" } else { "error" },
            event,
            error,
        }
    }
}

/// What happened to the events of a batch, in their order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventBatchResponse {
    /// The number of events.
    pub total: usize,
    /// The number of those that were accepted.
    pub success_count: usize,
    /// The number of those that were not.
    pub error_count: usize,
    /// Each of them.
    pub results: Vec<BatchItemResponse>,
}

impl EventBatchResponse {
    /// That of some items.
    pub fn new(results: Vec<BatchItemResponse>) -> Self {
        let accepted = results.iter().filter(|item| item.event.is_some());
        let success_count = accepted.count();
        Self {
            total: results.len(),
            success_count,
            error_count: results.len() - success_count,
            results,
        }
    }
}

/// What a rule made of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleEvaluationResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The rule.
    #[schema(format = Uuid)]
    pub rule_id: String,
    /// Its name then.
    pub rule_name: String,
    /// The id of the version that was evaluated, in the history of the rule.
    #[schema(format = Uuid)]
    pub rule_history_id: String,
    /// The result.
    #[schema(value_type = EvaluationStatus)]
    pub status: String,
    /// The reason, if there is one: `BUDGET_EXCEEDED`, `OUTSIDE_TIME_WINDOW` or
    /// `STOPPED_BY_PRIOR_RULE`.
    pub reason: Option<String>,
    /// The rule that ended the evaluation before this one.
    #[schema(format = Uuid)]
    pub stopped_by_rule_id: Option<String>,
    /// What went wrong, if something did.
    pub error_message: Option<String>,
    /// When it was evaluated.
    #[schema(format = DateTime)]
    pub created_at: String,
}

/// An event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "6b0ac8ea-31a7-5ad0-a6e5-0f9a42f9d3b4",
    "program_id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "participant_id": "1b0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
    "external_id": "user_42",
    "recipient_id": null,
    "event_type": "EXTERNAL",
    "event_data": {"type": "purchase", "amount": 49.90},
    "event_timestamp": "2026-06-15T12:00:00Z",
    "idempotency_key": "order-1042",
    "status": "COMPLETED",
    "error_message": null,
    "received_at": "2026-06-15T12:00:01Z",
    "created_at": "2026-06-15T12:00:01Z",
    "processed_at": "2026-06-15T12:00:01Z",
    "updated_at": "2026-06-15T12:00:01Z",
})))]
pub struct EventResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The participant.
    #[schema(format = Uuid)]
    pub participant_id: Option<String>,
    /// The operator's own id of the participant.
    pub external_id: Option<String>,
    /// Whom the actions of rules were for, if not the participant.
    #[schema(format = Uuid)]
    pub recipient_id: Option<String>,
    /// Where it comes from.
    #[schema(value_type = StoredEventSource)]
    pub event_type: &'static str,
    /// Its data, as it was received; null if it was erased.
    #[schema(value_type = Option<Object>)]
    pub event_data: Option<Box<RawValue>>,
    /// When it happened.
    #[schema(format = DateTime)]
    pub event_timestamp: String,
    /// The key; null if it was erased.
    pub idempotency_key: Option<String>,
    /// The status.
    #[schema(value_type = StoredEventStatus)]
    pub status: &'static str,
    /// Why it failed, if it did.
    pub error_message: Option<String>,
    /// When it was stored.
    #[schema(format = DateTime)]
    pub received_at: String,
    /// When it was stored.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it was processed: before the response to its sender.
    #[schema(format = DateTime)]
    pub processed_at: String,
    /// When it was processed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// What the rules made of it; only in the response for one event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_evaluations: Option<Vec<RuleEvaluationResponse>>,
}

impl EventResponse {
    /// The data of an event, as JSON.
    pub fn data_of(data: Option<String>) -> Option<Box<RawValue>> {
        data.and_then(|data| RawValue::from_string(data).ok())
    }
}

/// The id of a participant of a program.
pub fn participant_id(program: Uuid, member: MemberNumber) -> String {
    let ids = DerivedIds::new(program, DerivedKind::Participant);
    ids.id(member.0, 0).to_string()
}

/// The id of an event on the wire.
pub fn event_id(id: StoredEventId) -> String {
    id.as_uuid().to_string()
}

/// A page of events.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventListResponse {
    /// The events.
    pub data: Vec<EventResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// Refuses anything but one participant, and more than one recipient.
///
/// # Errors
/// Names the field that is wrong.
pub fn check_event(request: &EventRequest) -> Result<(), Invalid> {
    match (&request.external_id, &request.participant_id) {
        (None, None) => return Err(Invalid::new("external_id", "or participant_id is required")),
        (Some(_), Some(_)) => {
            let expected = "must be absent when external_id is given";
            return Err(Invalid::new("participant_id", expected));
        }
        _ => {}
    }
    if request.recipient_id.is_some() && request.recipient_external_id.is_some() {
        let expected = "must be absent when recipient_id is given";
        return Err(Invalid::new("recipient_external_id", expected));
    }
    Ok(())
}
