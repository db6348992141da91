//! Rules as they are written, and what is wrong with them.

use serde::{Deserialize, Serialize};

use crate::domain::{AssetNumber, Bucket, InventoryMode, Scale, Timestamp};

use super::expression::{DataMap, SyntaxError};
use super::json;

/// What a rule knows of an asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssetTerms {
    /// The asset; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The decimals of its amounts.
    pub scale: Scale,
    /// How its points are kept.
    pub mode: InventoryMode,
}

/// The kind of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// Points are credited.
    Credit,
    /// Points are debited.
    Debit,
    /// Available points are reserved.
    Hold,
    /// Reserved points become available.
    Release,
    /// Points are taken permanently.
    Forfeit,
    /// Points that were credited as held are taken back.
    VoidHold,
    /// A tag is added.
    Tag,
    /// A tag is removed.
    Untag,
    /// A counter is increased.
    Counter,
    /// An attribute is set.
    SetAttribute,
    /// An event happens later.
    ScheduleEvent,
    /// An event happens for every participant.
    Broadcast,
}

impl ActionKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Credit,
        Self::Debit,
        Self::Hold,
        Self::Release,
        Self::Forfeit,
        Self::VoidHold,
        Self::Tag,
        Self::Untag,
        Self::Counter,
        Self::SetAttribute,
        Self::ScheduleEvent,
        Self::Broadcast,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "CREDIT",
            Self::Debit => "DEBIT",
            Self::Hold => "HOLD",
            Self::Release => "RELEASE",
            Self::Forfeit => "FORFEIT",
            Self::VoidHold => "VOID_HOLD",
            Self::Tag => "TAG",
            Self::Untag => "UNTAG",
            Self::Counter => "COUNTER",
            Self::SetAttribute => "SET_ATTRIBUTE",
            Self::ScheduleEvent => "SCHEDULE_EVENT",
            Self::Broadcast => "BROADCAST",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Whom an action is for, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetDraft {
    /// `PARTICIPANT` or `PROGRAM`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The participant's id: a UUID, or an expression that gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The same as `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub participant_id: Option<String>,
    /// The operator's own id of the participant: a text, or an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
}

/// An action as it is written. Which fields count depends on its kind; others are ignored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ActionDraft {
    /// The name of its [`ActionKind`].
    #[serde(rename = "type")]
    pub kind: String,
    /// The id of the asset whose points move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asset_id: Option<String>,
    /// How many points: an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<String>,
    /// The bucket that is credited or forfeited.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "json::bucket"
    )]
    pub bucket: Option<Bucket>,
    /// The description of the ledger entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What the points belong to: a text, or an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference_id: Option<String>,
    /// When the points expire: a time, or how long after the credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<String>,
    /// When the points become available: a time, or how long after the credit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matures_at: Option<String>,
    /// Whether a debit may make the balance negative.
    #[serde(default, skip_serializing_if = "is_false")]
    pub allow_negative: bool,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<TargetDraft>,
    /// The tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,
    /// The key of the counter or the attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The increment of the counter, an expression; the value of the attribute, a text or an
    /// expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// After this long the counter starts from zero.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_after: Option<String>,
    /// How much later the event happens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<String>,
    /// The type of the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_name: Option<String>,
    /// Further data of the event. With the type it has the bounds of an event from outside.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "json::data")]
    pub payload: Option<DataMap>,
}

/// A budget as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetDraft {
    /// The id of the asset.
    pub asset_id: String,
    /// The most points.
    pub limit: String,
    /// `CRON` or `INTERVAL`; `None`: the budget is there once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule_type: Option<String>,
    /// The calendar of `CRON`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cron_expression: Option<String>,
    /// The length of time of `INTERVAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<String>,
    /// When the rule got its budget of this asset, from which `INTERVAL` counts. It stays when
    /// other fields of the budget change.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "json::time")]
    pub since: Option<Timestamp>,
}

/// A rule as it is written.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleDraft {
    /// The condition.
    pub condition: String,
    /// What happens if it is met, in order.
    pub actions: Vec<ActionDraft>,
    /// Rules of an event are evaluated in this order, the lowest first.
    pub order: u32,
    /// Whether no later rule acts once this one matches.
    pub stop_after_match: bool,
    /// It acts from this time on.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "json::time")]
    pub active_from: Option<Timestamp>,
    /// It acts until before this time.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "json::time")]
    pub active_to: Option<Timestamp>,
    /// How much it may give.
    pub budgets: Vec<BudgetDraft>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_false(it: &bool) -> bool {
    !it
}

/// What is wrong with a field of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It is no expression, or not one for this field.
    #[error("is not a valid expression: {0}")]
    Expression(SyntaxError),
    /// It has more decimals than its asset.
    #[error("must have at most {} decimals", .0.decimals())]
    TooFine(Scale),
    /// It is something else than what was expected.
    #[error("{0}")]
    Expected(String),
}

/// A field of a rule that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct RuleError {
    /// The field, such as `actions[0].amount`.
    pub field: String,
    /// What is wrong.
    pub problem: Problem,
}

impl RuleError {
    pub(super) fn expected(field: impl Into<String>, expected: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: Problem::Expected(expected.into()),
        }
    }

    pub(super) fn expression(field: impl Into<String>, error: SyntaxError) -> Self {
        Self {
            field: field.into(),
            problem: Problem::Expression(error),
        }
    }
}
