//! Simulations: what a rule would make of an event.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use super::actions::DATA;
use crate::domain::Invalid;
use crate::rules::{ActionDraft, DataMap, Number, parse_decimal};
use crate::wire::fields::{Field, FieldType};
use crate::wire::request::request;
use crate::wire::schema;

/// The most tags, counters or attributes of a simulated participant.
const TRAITS_MAX: usize = 200;

const TAGS: FieldType<Vec<String>> = FieldType {
    read: |field| field.list(TRAITS_MAX, |_, tag| Ok(tag)),
    schema: || schema::list(schema::string(), TRAITS_MAX).into(),
};

/// Numbers by key, each as a string or as a number.
const COUNTERS: FieldType<BTreeMap<String, Number>> = FieldType {
    read: |field| {
        let expected = "must be an object with numbers, or strings with numbers";
        let wrong = || field.wrong(expected);
        let counters = field.value.as_object().filter(|it| it.len() <= TRAITS_MAX);
        let counters = counters.ok_or_else(wrong)?.iter().map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            let is_plain = value.is_string() || value.is_number();
            let number = parse_decimal(&text).filter(|_| is_plain);
            Ok((key.clone(), number.ok_or_else(wrong)?))
        });
        counters.collect()
    },
    schema: || schema::any_object().into(),
};

const PARTICIPANT: FieldType<ParticipantStateRequest> = FieldType {
    read: |field: &Field<'_>| -> Result<_, Invalid> {
        ParticipantStateRequest::read(&field.object()?)
    },
    schema: || schema::any_object().into(),
};

request! {
    /// What a simulated participant has.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub struct ParticipantStateRequest {
        /// Its tags.
        pub tags: Vec<String> = optional_or("tags", TAGS, Vec::new()),
        /// Its counters.
        pub counters: BTreeMap<String, Number> = optional_or("counters", COUNTERS, BTreeMap::new()),
        /// Its attributes.
        pub attributes: DataMap = optional_or("attributes", DATA, DataMap::new()),
    }
}

request! {
    /// The body of `POST /v1/rules/{id}/simulate`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct SimulateRuleRequest {
        /// The data of the event.
        pub event: DataMap = required("event", DATA),
        /// What the participant has: `tags`, a list of strings; `counters`, numbers by key;
        /// `attributes`, values by key. By default nothing. Other fields are ignored.
        pub participant: Option<ParticipantStateRequest> =
            nullable("participant_state", PARTICIPANT),
    }
    example {
        "event": {"type": "purchase", "amount": 75},
        "participant_state": {"tags": ["vip"], "counters": {"purchases": "4"}}
    }
    parse(body, bytes);
}

/// The rule of a simulation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulatedRuleResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The name.
    pub name: String,
    /// When it acts.
    pub condition: String,
    /// Its place among the rules of the program.
    pub order: u32,
    /// Whether no later rule acts on an event once this one does.
    pub stop_after_match: bool,
}

/// What an action would do. The fields depend on the action; projections are there if it is for the
/// participant of the event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulatedResultResponse {
    /// The points that move.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub amount: Option<String>,
    /// The symbol of their asset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub asset_symbol: Option<String>,
    /// The counter or the attribute before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub current_value: Option<String>,
    /// The counter after.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub projected_value: Option<String>,
    /// What is added to the counter, or the value that the attribute gets.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub value: Option<String>,
    /// The tags before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub current_tags: Option<Vec<String>>,
    /// Whether the tag would be new.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub would_add: Option<bool>,
    /// Whether the tag was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub would_remove: Option<bool>,
    /// Whether the attribute would change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub would_change: Option<bool>,
    /// A sentence.
    pub description: String,
}

/// An action of a simulation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulatedActionResponse {
    /// The action, as it was written.
    #[schema(value_type = Object)]
    pub action: ActionDraft,
    /// What it would do.
    pub result: SimulatedResultResponse,
}

/// What came out of a simulation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SimulatedEvaluationResponse {
    /// Whether the rule would act.
    pub matched: bool,
    /// `evaluated`, or `condition_failed` if the condition has no value.
    pub status: &'static str,
    /// Why the condition has no value, or `OUTSIDE_TIME_WINDOW` or `BUDGET_EXCEEDED`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub reason: Option<String>,
    /// Why an action is impossible, so that nothing of the event would happen.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub error_message: Option<String>,
    /// What each action would do, if the rule would act.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub results: Option<Vec<SimulatedActionResponse>>,
}

/// What a rule would make of an event.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "rule": {
        "id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
        "name": "Ten points per euro",
        "condition": "event.type == 'purchase'",
        "order": 10,
        "stop_after_match": false,
    },
    "evaluation": {
        "matched": true,
        "status": "evaluated",
        "results": [{
            "action": {"type": "CREDIT", "asset_id": "default", "amount": "event.amount * 10"},
            "result": {
                "amount": "750",
                "asset_symbol": "PTS",
                "description": "Credit 750 PTS to participant",
            },
        }],
    },
})))]
pub struct SimulationResponse {
    /// The rule.
    pub rule: SimulatedRuleResponse,
    /// What came of it.
    pub evaluation: SimulatedEvaluationResponse,
}
