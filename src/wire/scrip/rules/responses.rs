//! Rules, their versions and budgets.

use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::{RuleChange, Scale, Seq, Timestamp};
use crate::rules::{ActionDraft, BudgetDraft, Consumed, RuleDocument, SyntaxError};
use crate::wire::schema::{RuleChangeType, RuleState};
use crate::wire::scrip::programs::PaginationResponse;

/// What a rule says.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleContentResponse {
    /// The id.
    #[schema(format = Uuid)]
    pub id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// The name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// When it acts.
    pub condition: String,
    /// What it does, in this order. An action has the fields that were written.
    #[schema(value_type = Vec<Object>)]
    pub actions: Vec<ActionDraft>,
    /// Its place among the rules of the program.
    pub order: u32,
    /// Whether it is evaluated.
    #[schema(value_type = RuleState)]
    pub status: &'static str,
    /// Whether no later rule acts on an event once this one does.
    pub stop_after_match: bool,
    /// It acts from this time on.
    #[schema(format = DateTime)]
    pub active_from: Option<String>,
    /// It acts until before this time.
    #[schema(format = DateTime)]
    pub active_to: Option<String>,
}

impl RuleContentResponse {
    fn new((program, id): (Uuid, Uuid), rule: &RuleDocument) -> Self {
        let draft = &rule.draft;
        Self {
            id: id.to_string(),
            program_id: program.to_string(),
            name: rule.name.as_str().to_owned(),
            description: rule.description.as_ref().map(|it| it.as_str().to_owned()),
            condition: draft.condition.clone(),
            actions: draft.actions.clone(),
            order: draft.order,
            status: rule.status.as_str(),
            stop_after_match: draft.stop_after_match,
            active_from: draft.active_from.map(Timestamp::to_short),
            active_to: draft.active_to.map(Timestamp::to_short),
        }
    }
}

/// The most points of an asset that a rule credits.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleLimitResponse {
    /// The asset.
    #[schema(format = Uuid)]
    pub asset_id: String,
    /// The most points.
    pub limit: String,
    /// When it starts from zero again: `CRON` or `INTERVAL`; null: never.
    pub schedule_type: Option<String>,
    /// Of `CRON`: five fields in UTC.
    pub cron_expression: Option<String>,
    /// Of `INTERVAL`: how long.
    pub interval: Option<String>,
}

impl From<&BudgetDraft> for RuleLimitResponse {
    fn from(budget: &BudgetDraft) -> Self {
        let is = |kind: &str| budget.schedule_type.as_deref() == Some(kind);
        Self {
            asset_id: budget.asset_id.clone(),
            limit: budget.limit.clone(),
            schedule_type: budget.schedule_type.clone(),
            cron_expression: budget.cron_expression.clone().filter(|_| is("CRON")),
            interval: budget.interval.clone().filter(|_| is("INTERVAL")),
        }
    }
}

/// What was used of a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetUse {
    /// The points, and when they become zero.
    pub consumed: Consumed,
    /// The decimals of the asset.
    pub scale: Scale,
}

/// A budget of a rule, and what was used of it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleBudgetResponse {
    /// The budget.
    #[serde(flatten)]
    pub limit: RuleLimitResponse,
    /// The points that the rule credited of it since it last started from zero.
    pub consumed: String,
    /// When it starts from zero again; null: never.
    #[schema(format = DateTime)]
    pub next_reset_at: Option<String>,
}

impl RuleBudgetResponse {
    /// A budget with its use.
    pub fn new(budget: &BudgetDraft, used: &BudgetUse) -> Self {
        Self {
            limit: budget.into(),
            consumed: used.scale.show_points(used.consumed.points),
            next_reset_at: used.consumed.next_reset_at.map(Timestamp::to_short),
        }
    }
}

/// An earning rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "id": "0b0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "program_id": "7c0ac8ea-31a7-4ad0-a6e5-0f9a42f9d3b4",
    "name": "Ten points per euro",
    "description": null,
    "condition": "event.type == 'purchase' && event.amount > 0",
    "actions": [{
        "type": "CREDIT",
        "asset_id": "1d0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
        "amount": "event.amount * 10",
    }],
    "order": 10,
    "status": "ACTIVE",
    "stop_after_match": false,
    "active_from": null,
    "active_to": null,
    "budgets": [{
        "asset_id": "1d0ac8ea-31a7-8ad0-a6e5-0f9a42f9d3b4",
        "limit": "100000",
        "schedule_type": "CRON",
        "cron_expression": "0 0 1 * *",
        "interval": null,
        "consumed": "2500",
        "next_reset_at": "2026-07-01T00:00:00Z",
    }],
    "created_at": "2026-06-15T12:00:00Z",
    "updated_at": "2026-06-15T12:00:00Z",
    "deleted_at": null,
    "version": 12,
})))]
pub struct RuleResponse {
    /// What it says.
    #[serde(flatten)]
    pub content: RuleContentResponse,
    /// The most points that it credits.
    pub budgets: Vec<RuleBudgetResponse>,
    /// When it was created.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// When it last changed.
    #[schema(format = DateTime)]
    pub updated_at: String,
    /// When it was archived.
    #[schema(format = DateTime)]
    pub deleted_at: Option<String>,
    /// The settings version; in quotes, the `ETag` of the rule.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

/// When a rule was created, changed and archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RuleTimes {
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When it was archived.
    pub archived_at: Option<Timestamp>,
}

impl RuleResponse {
    /// A rule with the use of its budgets, in their order. The ids are those of the program and of
    /// the rule.
    pub fn new(
        ids: (Uuid, Uuid),
        rule: &RuleDocument,
        used: &[BudgetUse],
        (times, version): (RuleTimes, Seq),
    ) -> Self {
        let budgets = rule.draft.budgets.iter().zip(used);
        let budgets = budgets.map(|(budget, used)| RuleBudgetResponse::new(budget, used));
        Self {
            content: RuleContentResponse::new(ids, rule),
            budgets: budgets.collect(),
            created_at: times.created_at.to_short(),
            updated_at: times.updated_at.to_short(),
            deleted_at: times.archived_at.map(Timestamp::to_short),
            version: version.0,
        }
    }
}

/// A page of rules.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleListResponse {
    /// The rules.
    pub data: Vec<RuleResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// A rule as it was from a change on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleSnapshotResponse {
    /// What it said.
    #[serde(flatten)]
    pub content: RuleContentResponse,
    /// The most points that it credited.
    pub budgets: Vec<RuleLimitResponse>,
}

/// A change of a rule, and the rule from then on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleVersionResponse {
    /// The id of the version, which evaluations name.
    #[schema(format = Uuid)]
    pub id: String,
    /// The rule.
    #[schema(format = Uuid)]
    pub rule_id: String,
    /// The program.
    #[schema(format = Uuid)]
    pub program_id: String,
    /// What kind of change it was.
    #[schema(value_type = RuleChangeType)]
    pub change_type: &'static str,
    /// The fields that changed, each with its `old` and `new` value; none of a new rule.
    #[schema(value_type = Object)]
    pub changes: Map<String, Value>,
    /// The whole rule.
    pub snapshot: RuleSnapshotResponse,
    /// The API key that changed it.
    #[schema(format = Uuid)]
    pub changed_by_api_key_id: Option<String>,
    /// Always null.
    pub changed_by_user_id: Option<String>,
    /// When.
    #[schema(format = DateTime)]
    pub changed_at: String,
}

impl RuleVersionResponse {
    /// A version of a rule. The ids are those of the program, the rule and the version.
    pub fn new(
        (program, rule, id): (Uuid, Uuid, Uuid),
        change: RuleChange,
        (before, after): (Option<&RuleDocument>, &RuleDocument),
        (at, key): (Timestamp, Option<String>),
    ) -> Self {
        let snapshot = |document| RuleSnapshotResponse::new((program, rule), document);
        let after = snapshot(after);
        let changes = before.map(|before| changes(&snapshot(before), &after));
        Self {
            id: id.to_string(),
            rule_id: rule.to_string(),
            program_id: program.to_string(),
            change_type: change.as_str(),
            changes: changes.unwrap_or_default(),
            snapshot: after,
            changed_by_api_key_id: key,
            changed_by_user_id: None,
            changed_at: at.to_short(),
        }
    }
}

impl RuleSnapshotResponse {
    fn new(ids: (Uuid, Uuid), rule: &RuleDocument) -> Self {
        Self {
            content: RuleContentResponse::new(ids, rule),
            budgets: rule.draft.budgets.iter().map(Into::into).collect(),
        }
    }
}

/// The fields that differ.
fn changes(before: &RuleSnapshotResponse, after: &RuleSnapshotResponse) -> Map<String, Value> {
    let object = |snapshot| match serde_json::to_value(snapshot) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    let mut old = object(before);
    let fields = object(after).into_iter();
    let fields = fields.filter_map(|(name, new)| {
        let old = old.remove(&name).unwrap_or_default();
        (old != new).then(|| (name, serde_json::json!({"old": old, "new": new})))
    });
    fields.collect()
}

/// A page of the history of a rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleVersionListResponse {
    /// The versions, the newest first.
    pub data: Vec<RuleVersionResponse>,
    /// The pagination.
    pub pagination: PaginationResponse,
}

/// Whether a text can be the condition of a rule.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "valid": false,
    "message": "line 1, column 14: an unexpected =; to compare, write ==",
    "line": 1,
    "column": 14,
    "hint": "to compare, write ==",
})))]
pub struct ValidatedRuleResponse {
    /// Whether it can.
    pub valid: bool,
    /// What is wrong, if something is.
    pub message: String,
    /// What was not checked; only of a valid one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub note: Option<&'static str>,
    /// The line of the error, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub line: Option<usize>,
    /// The character of the error in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub column: Option<usize>,
    /// What to write instead, if that can be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, required = false)]
    pub hint: Option<String>,
}

impl ValidatedRuleResponse {
    /// A valid condition, or the error.
    pub fn new(error: Option<SyntaxError>) -> Self {
        match error {
            None => Self {
                valid: true,
                message: "CEL condition is valid".to_owned(),
                note: Some(
                    "the form was checked; fields of events that are absent stop an evaluation",
                ),
                line: None,
                column: None,
                hint: None,
            },
            Some(error) => Self {
                valid: false,
                message: error.to_string(),
                note: None,
                line: Some(error.place.line),
                column: Some(error.place.column),
                hint: error.hint,
            },
        }
    }
}
