//! A rule, compiled.

use crate::domain::{Points, Timestamp};

use super::action::{Action, Deed, Fields, check_literal};
use super::budget::{Budget, Schedule};
use super::cron::Cron;
use super::draft::{AssetTerms, BudgetDraft, RuleDraft, RuleError};
use super::duration::parse_duration;
use super::effect::RuleVersion;
use super::expression::{Expression, parse_decimal};

/// A rule, compiled.
///
/// ```
/// use stampcard::rules::{ActionDraft, AssetTerms, Rule, RuleDraft, RuleVersion};
/// let mut draft = RuleDraft {
///     condition: "event.type == 'purchase' && event.amount > 10".to_owned(),
///     actions: vec![ActionDraft {
///         kind: "CREDIT".to_owned(),
///         asset_id: Some("points".to_owned()),
///         amount: Some("event.amount * 2".to_owned()),
///         ..ActionDraft::default()
///     }],
///     order: 10,
///     ..RuleDraft::default()
/// };
/// let assets = |id: &str| (id == "points").then(AssetTerms::default);
/// let version = RuleVersion { rule: 1, version: 1 };
/// assert!(Rule::compile(version, &draft, &assets).is_ok());
///
/// draft.actions[0].amount = Some("event.amount *".to_owned());
/// let error = Rule::compile(version, &draft, &assets).unwrap_err();
/// assert_eq!(error.field, "actions[0].amount");
/// ```
#[derive(Debug)]
pub struct Rule {
    pub(super) version: RuleVersion,
    pub(super) order: u32,
    pub(super) condition: Expression,
    pub(super) actions: Box<[Action]>,
    pub(super) stop_after_match: bool,
    pub(super) active_from: Option<Timestamp>,
    pub(super) active_to: Option<Timestamp>,
    pub(super) budgets: Box<[Budget]>,
}

impl Rule {
    /// The most actions.
    pub const ACTIONS_MAX: usize = 32;

    /// Compiles a rule. `find_asset` finds the assets of the program by their ids.
    ///
    /// # Errors
    /// [`RuleError`] names the first field that is wrong.
    pub fn compile(
        version: RuleVersion,
        draft: &RuleDraft,
        find_asset: &dyn Fn(&str) -> Option<AssetTerms>,
    ) -> Result<Self, RuleError> {
        if draft.condition.is_empty() {
            return Err(RuleError::expected("condition", "must not be empty"));
        }
        let condition = Expression::condition(&draft.condition);
        let condition = condition.map_err(|error| RuleError::expression("condition", error))?;
        let most = Self::ACTIONS_MAX;
        if !(1..=most).contains(&draft.actions.len()) {
            return Err(RuleError::expected(
                "actions",
                format!("must be 1 to {most} actions"),
            ));
        }
        if draft.order == 0 {
            return Err(RuleError::expected("order", "must be 1 or more"));
        }
        if let (Some(from), Some(to)) = (draft.active_from, draft.active_to)
            && to <= from
        {
            return Err(RuleError::expected(
                "active_to",
                "must be after active_from",
            ));
        }
        let mut actions = Vec::with_capacity(draft.actions.len());
        for (index, draft) in draft.actions.iter().enumerate() {
            let path = format!("actions[{index}]");
            let action = Fields {
                draft,
                path: path.clone(),
                find_asset,
            };
            let action = action.compile()?;
            let is_broadcast = |action: &Action| matches!(action.deed, Deed::Broadcast { .. });
            if is_broadcast(&action) && actions.iter().any(is_broadcast) {
                let expected = "must not be a second BROADCAST";
                return Err(RuleError::expected(format!("{path}.type"), expected));
            }
            actions.push(action);
        }
        Ok(Self {
            version,
            order: draft.order,
            condition,
            actions: actions.into(),
            stop_after_match: draft.stop_after_match,
            active_from: draft.active_from,
            active_to: draft.active_to,
            budgets: budgets(draft, find_asset)?,
        })
    }

    /// Its version.
    pub fn version(&self) -> RuleVersion {
        self.version
    }

    /// Its place among the rules of a program.
    pub fn order(&self) -> u32 {
        self.order
    }

    /// The event types that its condition asks for; `None` if it can be met by any.
    pub fn types(&self) -> Option<&[Box<str>]> {
        self.condition.types()
    }

    /// Its budgets, at most one for an asset.
    pub fn budgets(&self) -> &[Budget] {
        &self.budgets
    }

    /// Whether a time is in its window: from its start on, and before its end.
    pub fn is_active_at(&self, at: Timestamp) -> bool {
        self.active_from.is_none_or(|from| from <= at) && self.active_to.is_none_or(|to| at < to)
    }
}

fn budgets(
    draft: &RuleDraft,
    find_asset: &dyn Fn(&str) -> Option<AssetTerms>,
) -> Result<Box<[Budget]>, RuleError> {
    let mut budgets: Vec<Budget> = Vec::with_capacity(draft.budgets.len());
    for (index, budget) in draft.budgets.iter().enumerate() {
        let field = |name: &str| format!("budgets[{index}].{name}");
        let Some(asset) = find_asset(&budget.asset_id) else {
            let expected = "must be the id of an asset of the program";
            return Err(RuleError::expected(field("asset_id"), expected));
        };
        if budgets.iter().any(|other| other.asset.asset == asset.asset) {
            let expected = "must not be the asset of another budget of the rule";
            return Err(RuleError::expected(field("asset_id"), expected));
        }
        budgets.push(Budget {
            asset,
            limit: limit(&field("limit"), &budget.limit, asset)?,
            schedule: schedule(budget, field)?,
        });
    }
    Ok(budgets.into())
}

fn limit(field: &str, text: &str, asset: AssetTerms) -> Result<Points, RuleError> {
    let expected = || RuleError::expected(field, "must be a string with a number above 0");
    let number = parse_decimal(text).ok_or_else(expected)?;
    check_literal(field, number, asset)?.ok_or_else(expected)
}

fn schedule(budget: &BudgetDraft, field: impl Fn(&str) -> String) -> Result<Schedule, RuleError> {
    match budget.schedule_type.as_deref() {
        None => Ok(Schedule::Once),
        Some("CRON") => {
            let text = budget.cron_expression.as_deref().unwrap_or_default();
            let expected = "must be a schedule of five fields, such as 0 0 1 * *";
            let cron = Cron::parse(text).map(Schedule::Cron);
            cron.ok_or_else(|| RuleError::expected(field("cron_expression"), expected))
        }
        Some("INTERVAL") => {
            let every = parse_duration(budget.interval.as_deref().unwrap_or_default());
            let expected = "must be a duration such as 720h";
            let every = every.ok_or_else(|| RuleError::expected(field("interval"), expected))?;
            let expected = || RuleError::expected(field("since"), "is required for INTERVAL");
            Ok(Schedule::Every(every, budget.since.ok_or_else(expected)?))
        }
        Some(_) => {
            let expected = "must be CRON or INTERVAL, or absent";
            Err(RuleError::expected(field("schedule_type"), expected))
        }
    }
}
