//! Requests about rules.

use serde_json::Value;

use super::actions::{ACTIONS, BUDGETS, EXPRESSION};
use crate::domain::{Change, Invalid, Name, Note, RuleStatus, Timestamp};
use crate::rules::{ActionDraft, BudgetDraft};
use crate::wire::field_types::{BOOLEAN, STRING, TIME, text, word};
use crate::wire::fields::{FieldType, Fields};
use crate::wire::request::request;
use crate::wire::schema;

/// The highest place in the order of rules.
const ORDER_MAX: u32 = 1_000_000_000;

/// A place in the order of rules.
const ORDER: FieldType<u32> = FieldType {
    read: |field| field.whole(1, ORDER_MAX.into(), |order| u32::try_from(order).ok()),
    schema: || schema::whole(1, ORDER_MAX.into()).into(),
};

/// The status of a new rule.
const NEW_STATUS: FieldType<RuleStatus> = FieldType {
    read: |field| match field.value.as_str().and_then(RuleStatus::parse) {
        Some(status) if status != RuleStatus::Archived => Ok(status),
        _ => Err(field.wrong("must be ACTIVE or SUSPENDED")),
    },
    schema: || {
        let statuses = [RuleStatus::Active, RuleStatus::Suspended];
        schema::one_of(statuses.map(RuleStatus::as_str)).into()
    },
};

request! {
    /// The body of `POST /v1/rules`.
    #[derive(Debug, Clone, PartialEq)]
    pub struct CreateRuleRequest {
        /// The program of the API key, or `current`.
        pub program_id: String = required("program_id", STRING),
        /// The name.
        pub name: Name = required("name", text!(Name)),
        /// What it is for.
        pub description: Option<Note> = nullable("description", text!(Note)),
        /// When it acts: an expression such as `event.type == 'purchase'`.
        pub condition: String = required("condition", EXPRESSION),
        /// What it does, in this order.
        pub actions: Vec<ActionDraft> = required("actions", ACTIONS),
        /// Its place among the rules of the program, which no other active one has; by default 10
        /// above the highest one.
        pub order: Option<u32> = nullable("order", ORDER),
        /// Whether no later rule acts on an event once this one does.
        pub stop_after_match: bool = optional_or("stop_after_match", BOOLEAN, false),
        /// It acts from this time on, by the time at which an event is processed.
        pub active_from: Option<Timestamp> = nullable("active_from", TIME),
        /// It acts until before this time.
        pub active_to: Option<Timestamp> = nullable("active_to", TIME),
        /// The most points that it credits, at most one budget for an asset.
        pub budgets: Vec<BudgetDraft> = optional_or("budgets", BUDGETS, Vec::new()),
        /// Whether it is evaluated; by default `ACTIVE`.
        pub status: RuleStatus = optional_or("status", NEW_STATUS, RuleStatus::Active),
    }
    example {
        "program_id": "current",
        "name": "Ten points per euro",
        "condition": "event.type == 'purchase' && event.amount > 0",
        "actions": [{"type": "CREDIT", "asset_id": "default", "amount": "event.amount * 10"}]
    }
    parse(body, bytes);
}

request! {
    /// The body of `PATCH /v1/rules/{id}`: at least one field.
    #[derive(Debug, Clone, Default, PartialEq)]
    pub struct PatchRuleRequest {
        /// The name.
        pub name: Option<Name> = optional("name", text!(Name)),
        /// What it is for; null: nothing was said.
        pub description: Change<Note> = change("description", text!(Note)),
        /// When it acts: an expression.
        pub condition: Option<String> = optional("condition", EXPRESSION),
        /// What it does, in place of all actions that it had.
        pub actions: Option<Vec<ActionDraft>> = optional("actions", ACTIONS),
        /// Its place among the rules of the program.
        pub order: Option<u32> = optional("order", ORDER),
        /// Whether no later rule acts on an event once this one does.
        pub stop_after_match: Option<bool> = optional("stop_after_match", BOOLEAN),
        /// It acts from this time on; null: from the beginning.
        pub active_from: Change<Timestamp> = change("active_from", TIME),
        /// It acts until before this time; null: without an end.
        pub active_to: Change<Timestamp> = change("active_to", TIME),
        /// Its budgets, in place of all that it had. What it used of an asset's budget stays used.
        pub budgets: Option<Vec<BudgetDraft>> = optional("budgets", BUDGETS),
        /// Whether it is evaluated. An `ARCHIVED` one never changes again.
        pub status: Option<RuleStatus> = optional("status", word!(RuleStatus)),
    }
    example {"status": "SUSPENDED"}
}

impl PatchRuleRequest {
    /// Reads the body, both parsed and as it was received.
    ///
    /// # Errors
    /// Names the first field that is wrong, or the body if it has no field of a rule.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let request = Self::read(&Fields::with_bytes(body, bytes)?)?;
        if request == Self::default() {
            let expected = "must have at least one field of a rule";
            return Err(Invalid::new("the body", expected));
        }
        Ok(request)
    }
}

request! {
    /// The body of `POST /v1/rules/validate`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct ValidateRuleRequest {
        /// The condition of a rule.
        pub condition: String = required("condition", STRING),
    }
    example {"condition": "event.type == 'purchase' && event.amount > 0"}
    parse(body);
}
