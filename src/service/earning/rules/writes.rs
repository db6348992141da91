//! Changes of rules. Each is an activity and a version; what was used of budgets is apart.

use uuid::Uuid;

use super::{Shown, drafts, find};
use crate::domain::{
    Event, Invalid, Precondition, Refusal, RuleChange, RuleNumber, RuleStatus, RuleVersionNumber,
    Seq, Timestamp,
};
use crate::error::Surface;
use crate::rules::{Consumed, Rule, RuleDocument, RuleDraft, RuleSet, RuleVersion};
use crate::service::earning::scope::check_program_text;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::rules::{RuleRow, version_of};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{BudgetUse, CreateRuleRequest, Named, PatchRuleRequest, RuleBudgetResponse};

/// The step between the places of rules that name none.
const ORDER_STEP: u32 = 10;

impl Services {
    /// Creates a rule.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_rule(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateRuleRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            check_program_text(program, &request.program_id)?;
            let at = tx.now(key.program);
            let (count, highest) = store::rules::count(tx, key.program)?;
            let mut document = document_of(request, highest)?;
            let shown = Shown::of(tx, *key, program)?;
            let number = store::rules::next_number(tx)?;
            let version = store::rules::next_version(tx)?;
            let checked = (&mut document.draft, None);
            drafts::check(&shown.assets, at, version_of(number, version), checked)?;
            if count >= RuleSet::RULES_MAX {
                return Err(Refusal::TooManyRules(RuleSet::RULES_MAX).into());
            }
            let mut rule = RuleRow {
                number,
                uuid: Uuid::new_v4(),
                program: key.program,
                version,
                version_place: 0,
                seq: Seq(0),
                created_at: at,
                updated_at: at,
                archived_at: None,
                document,
            };
            save(tx, at, &mut rule, RuleChange::Created)?;
            Ok(Answer::created(&shown.rule(tx, &rule, at)?))
        })
        .await
    }

    /// Changes what the request names.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_rule(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchRuleRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            let before = find(tx, key, &id)?;
            precondition.check(Some(before.seq))?;
            check_open(&before)?;
            let at = tx.now(key.program);
            let shown = Shown::of(tx, *key, program)?;
            let mut rule = before.clone();
            apply(&mut rule.document, request);
            let status = rule.document.status;
            rule.archived_at = (status == RuleStatus::Archived).then_some(at);
            rule.version = store::rules::next_version(tx)?;
            let version = version_of(rule.number, rule.version);
            // A rule that only ends is not checked again.
            let is_same = rule.document.draft == before.document.draft;
            if !is_same || (status == RuleStatus::Active && status != before.document.status) {
                let checked = (&mut rule.document.draft, Some(&before.document.draft));
                let new = drafts::check(&shown.assets, at, version, checked)?;
                // What the check fills in may be what there was.
                if rule.document.draft != before.document.draft {
                    replace_budgets(tx, at, &shown.compiled(&before)?, &new)?;
                }
            }
            if rule.document == before.document {
                rule = before;
            } else {
                let change = RuleChange::of(before.document.status, status);
                save(tx, at, &mut rule, change)?;
            }
            let answer = Answer::ok(&shown.rule(tx, &rule, at)?);
            Ok(answer.at(rule.seq))
        })
        .await
    }

    /// Sets what a rule used of its budget of an asset to zero.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn reset_rule_budget(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        asset: Named,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            let rule = find(tx, key, &id)?;
            check_open(&rule)?;
            let at = tx.now(key.program);
            let shown = Shown::of(tx, *key, program)?;
            let asset = drafts::named(&shown.assets, asset).to_string();
            let budgets = &rule.document.draft.budgets;
            let place = budgets.iter().position(|budget| budget.asset_id == asset);
            let place = place.ok_or(Refusal::NotFound("budget of the rule"))?;
            let budget = shown.compiled(&rule)?.budgets()[place];
            let used = BudgetUse {
                consumed: Consumed {
                    next_reset_at: budget.schedule.after(at),
                    ..Consumed::default()
                },
                scale: budget.asset.scale,
            };
            let event = Event::BudgetReset {
                version: rule.version,
                asset: budget.asset.asset,
            };
            tx.record(Some(key.program), at, event)?;
            let key = (rule.number.0.unsigned_abs(), budget.asset.asset);
            store::rules::save_budgets(tx, &[(key, used.consumed)].into())?;
            Ok(Answer::ok(&RuleBudgetResponse::new(&budgets[place], &used)))
        })
        .await
    }
}

/// The rule that a request describes. `highest` is the highest place of a rule that exists.
fn document_of(request: CreateRuleRequest, highest: Option<u32>) -> Result<RuleDocument, Invalid> {
    let next = highest.unwrap_or(0).checked_add(ORDER_STEP);
    let expected = "is required: no place is left above the highest one";
    let order = request.order.or(next);
    let order = order.ok_or_else(|| Invalid::new("order", expected))?;
    Ok(RuleDocument {
        name: request.name,
        description: request.description,
        status: request.status,
        draft: RuleDraft {
            condition: request.condition,
            actions: request.actions,
            order,
            stop_after_match: request.stop_after_match,
            active_from: request.active_from,
            active_to: request.active_to,
            budgets: request.budgets,
        },
    })
}

/// Makes the changes that a request names.
fn apply(document: &mut RuleDocument, request: PatchRuleRequest) {
    let draft = &mut document.draft;
    document.name = request.name.unwrap_or_else(|| document.name.clone());
    document.description = request.description.apply(document.description.take());
    document.status = request.status.unwrap_or(document.status);
    if let Some(condition) = request.condition {
        draft.condition = condition;
    }
    if let Some(actions) = request.actions {
        draft.actions = actions;
    }
    draft.order = request.order.unwrap_or(draft.order);
    draft.stop_after_match = request.stop_after_match.unwrap_or(draft.stop_after_match);
    draft.active_from = request.active_from.apply(draft.active_from);
    draft.active_to = request.active_to.apply(draft.active_to);
    if let Some(budgets) = request.budgets {
        draft.budgets = budgets;
    }
}

/// Refuses to change an archived rule.
fn check_open(rule: &RuleRow) -> Result<(), Refusal> {
    match rule.archived_at {
        None => Ok(()),
        Some(_) => Err(Refusal::RuleArchived),
    }
}

/// Carries what was used of budgets over to those of the same assets, and forgets it of others.
fn replace_budgets(
    tx: &Transaction<'_>,
    at: Timestamp,
    old: &Rule,
    new: &Rule,
) -> Result<(), store::Error> {
    let RuleVersion { rule, .. } = new.version();
    let number = RuleNumber(i64::try_from(rule).unwrap_or(i64::MAX));
    let stored = store::rules::budgets_of(tx, number)?;
    let mut kept = std::collections::BTreeMap::new();
    for budget in new.budgets() {
        let asset = budget.asset.asset;
        let former = old.budgets().iter().find(|it| it.asset.asset == asset);
        let used = stored.get(&(rule, asset)).copied();
        if let Some((former, used)) = former.zip(used) {
            kept.insert((rule, asset), budget.replacing(former, Some(used), at));
        }
    }
    let assets: Vec<_> = kept.keys().map(|(_, asset)| *asset).collect();
    store::rules::drop_budgets(tx, number, &assets)?;
    store::rules::save_budgets(tx, &kept)
}

/// Stores a rule that is new or was changed, with its version and its event.
fn save(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    rule: &mut RuleRow,
    change: RuleChange,
) -> Result<(), ServiceError> {
    let status = rule.document.status;
    let order = rule.document.draft.order;
    if status == RuleStatus::Active
        && store::rules::is_order_taken(tx, rule.program, order, rule.number)?
    {
        return Err(Refusal::OrderTaken(order).into());
    }
    let version: RuleVersionNumber = rule.version;
    let event = Event::RuleChanged { version, status };
    rule.seq = tx.record(Some(rule.program), at, event)?;
    rule.updated_at = at;
    rule.version_place += 1;
    store::rules::put(tx, rule)?;
    let number = (rule.number, rule.version_place);
    store::rules::insert_version(tx, number, (version, rule.seq), change, &rule.document)?;
    Ok(())
}
