//! The actions and budgets of rules, as requests write them.

use serde_json::value::RawValue;
use utoipa::PartialSchema;
use utoipa::openapi::schema::ArrayBuilder;
use utoipa::openapi::{RefOr, Schema};

use crate::domain::Bucket;
use crate::rules::{
    ActionDraft, ActionKind, BudgetDraft, Data, DataMap, Expression, NoData, Rule, TargetDraft,
};
use crate::wire::field_types::{BOOLEAN, STRING, word};
use crate::wire::fields::{Field, FieldType};
use crate::wire::request::request;
use crate::wire::schema;

/// The most budgets of a rule: one for each asset that a program can have.
const BUDGETS_MAX: usize = 101;
/// The most characters of an expression, each of which has at least one byte.
const EXPRESSION_MAX: usize = Expression::BYTES_MAX;

/// An expression, or a text in its place.
pub(super) const EXPRESSION: FieldType<String> = FieldType {
    read: STRING.read,
    schema: || schema::length(1, EXPRESSION_MAX).into(),
};

/// The kind of an action. Whether there is such a kind is checked with its other fields.
const KIND: FieldType<String> = FieldType {
    read: STRING.read,
    schema: || schema::one_of(ActionKind::ALL.map(ActionKind::as_str)).into(),
};

const TARGET_KIND: FieldType<String> = FieldType {
    read: STRING.read,
    schema: || schema::one_of(["PARTICIPANT", "PROGRAM"]).into(),
};

/// The data of an event, with exact numbers.
pub(super) const DATA: FieldType<DataMap> = FieldType {
    read: |field| {
        let raw = field.value.is_object().then(|| raw_at(field)).flatten();
        let read = raw
            .ok_or(NoData::NoObject)
            .and_then(|raw| Data::parse_event(raw.get()));
        read.map_err(|no_data| field.wrong(no_data.to_string()))
    },
    schema: || schema::any_object().into(),
};

/// Whom an action is for.
const TARGET: FieldType<TargetDraft> = FieldType {
    read: |field| Ok(TargetRequest::read(&field.object()?)?.target),
    schema: inline::<TargetRequest>,
};

/// The actions of a rule.
pub(super) const ACTIONS: FieldType<Vec<ActionDraft>> = FieldType {
    read: |field| {
        field.objects(Rule::ACTIONS_MAX, |fields| {
            Ok(ActionRequest::read(fields)?.action)
        })
    },
    schema: || {
        let items = ActionRequest::schema();
        let list = ArrayBuilder::new().items(items).min_items(Some(1));
        list.max_items(Some(Rule::ACTIONS_MAX)).build().into()
    },
};

/// The budgets of a rule.
pub(super) const BUDGETS: FieldType<Vec<BudgetDraft>> = FieldType {
    read: |field| {
        field.objects(
            BUDGETS_MAX,
            |fields| Ok(BudgetRequest::read(fields)?.budget),
        )
    },
    schema: || {
        let items = BudgetRequest::schema();
        let list = ArrayBuilder::new().items(items);
        list.max_items(Some(BUDGETS_MAX)).build().into()
    },
};

/// The schema of a part of a request.
fn inline<T: PartialSchema>() -> Schema {
    match T::schema() {
        RefOr::T(schema) => schema,
        RefOr::Ref(_) => schema::any_object().into(),
    }
}

/// The text of a field that may be within lists and objects of the body.
fn raw_at<'a>(field: &Field<'a>) -> Option<&'a RawValue> {
    let mut raw: &RawValue = serde_json::from_slice(field.bytes).ok()?;
    for step in field.name.split('.') {
        let (name, place) = match step.split_once('[') {
            None => (step, None),
            Some((name, place)) => (name, Some(place.strip_suffix(']')?.parse::<usize>().ok()?)),
        };
        let fields: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_str(raw.get()).ok()?;
        raw = fields.get(name).copied()?;
        if let Some(place) = place {
            let items: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
            raw = items.get(place).copied()?;
        }
    }
    Some(raw)
}

request! {
    /// Whom an action of a rule is for.
    #[derive(Debug)]
    struct TargetRequest {}
    /// The target.
    target: TargetDraft {
        /// `PARTICIPANT`.
        kind = required("type", TARGET_KIND),
        /// The id of the participant, or an expression that gives one.
        id = nullable("id", STRING),
        /// The same as `id`.
        participant_id = nullable("participant_id", STRING),
        /// The operator's own id of the participant, or an expression that gives one.
        external_id = nullable("external_id", STRING),
    }
}

request! {
    /// An action of a rule.
    #[derive(Debug)]
    struct ActionRequest {}
    /// The action.
    action: ActionDraft {
        /// What it does. The other fields that count depend on it.
        kind = required("type", KIND),
        /// The asset whose points move: its id, or `default`.
        asset_id = nullable("asset_id", STRING),
        /// How many points: a number such as `100`, or an expression such as `event.amount * 10`.
        amount = nullable("amount", EXPRESSION),
        /// Where points are credited, or from where they are forfeited.
        bucket = nullable("bucket", word!(Bucket)),
        /// The description of the ledger entry.
        description = nullable("description", STRING),
        /// What the points belong to: a text, or an expression.
        reference_id = nullable("reference_id", STRING),
        /// When credited points expire: a time, or how long after the credit, such as `720h`.
        expires_at = nullable("expires_at", STRING),
        /// When credited points become available: a time, or how long after the credit.
        matures_at = nullable("matures_at", STRING),
        /// Whether a debit may make the balance negative.
        allow_negative = optional_or("allow_negative", BOOLEAN, false),
        /// Whom it is for; by default the recipient of the event, or its participant.
        target = nullable("target", TARGET),
        /// The tag.
        tag = nullable("tag", STRING),
        /// The key of the counter or the attribute.
        key = nullable("key", STRING),
        /// What is added to the counter, a number or an expression; the value of the attribute, a
        /// text or an expression.
        value = nullable("value", STRING),
        /// After this long the counter starts from zero, such as `24h`.
        reset_after = nullable("reset_after", STRING),
        /// How much later the event happens, such as `24h`.
        delay = nullable("delay", STRING),
        /// The type of the event.
        event_name = nullable("event_name", STRING),
        /// Further data of the event.
        payload = nullable("payload", DATA),
    }
}

/// When a budget starts from zero again.
const SCHEDULE_TYPE: FieldType<String> = FieldType {
    read: STRING.read,
    schema: || schema::one_of(["CRON", "INTERVAL"]).into(),
};

request! {
    /// The most points of an asset that a rule credits.
    #[derive(Debug)]
    struct BudgetRequest {}
    /// The budget.
    budget: BudgetDraft {
        /// The asset: its id, or `default`.
        asset_id = required("asset_id", STRING),
        /// The most points: a string with a number above 0.
        limit = required("limit", STRING),
        /// When it starts from zero again; null: never.
        schedule_type = nullable("schedule_type", SCHEDULE_TYPE),
        /// Of `CRON`: five fields in UTC, such as `0 0 1 * *`.
        cron_expression = nullable("cron_expression", STRING),
        /// Of `INTERVAL`: how long, such as `720h`.
        interval = nullable("interval", STRING),
        ..BudgetDraft::default()
    }
}
