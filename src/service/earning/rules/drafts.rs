//! Rules as requests write them, checked and with ids in one form.

use uuid::Uuid;

use crate::domain::{Invalid, Refusal, Timestamp};
use crate::rules::{ActionKind, Problem, Rule, RuleDraft, RuleError, RuleVersion};
use crate::service::ServiceError;
use crate::store::rules::ProgramAssets;
use crate::wire::Named;

/// Checks a rule. Ids of assets get one form and limits of budgets the decimals of their assets; a
/// budget of an asset that the rule had before keeps its beginning.
pub(super) fn check(
    assets: &ProgramAssets,
    at: Timestamp,
    version: RuleVersion,
    (draft, before): (&mut RuleDraft, Option<&RuleDraft>),
) -> Result<Rule, ServiceError> {
    check_kinds(draft)?;
    let own = assets.id(None);
    let actions = draft.actions.iter_mut();
    let ids = actions.filter_map(|action| action.asset_id.as_mut());
    for id in ids.chain(draft.budgets.iter_mut().map(|it| &mut it.asset_id)) {
        if let Some(uuid) = Named::asset(id).map(|named| named.or(own)) {
            *id = uuid.to_string();
        }
    }
    for budget in &mut draft.budgets {
        let mut former = before.iter().flat_map(|draft| &draft.budgets);
        let former = former.find(|former| former.asset_id == budget.asset_id);
        budget.since = former.and_then(|former| former.since).or(Some(at));
    }
    let rule = Rule::compile(version, draft, &|id| assets.find(id)).map_err(refusal)?;
    for (draft, budget) in draft.budgets.iter_mut().zip(rule.budgets()) {
        draft.limit = budget.asset.scale.show_points(budget.limit);
    }
    Ok(rule)
}

/// Refuses the actions whose effects do not happen in this version of the server.
fn check_kinds(draft: &RuleDraft) -> Result<(), Invalid> {
    let later = [ActionKind::ScheduleEvent, ActionKind::Broadcast];
    for (index, action) in draft.actions.iter().enumerate() {
        let kind = ActionKind::parse(&action.kind);
        if kind.is_some_and(|kind| later.contains(&kind)) {
            let kind = &action.kind;
            let expected = format!("cannot be {kind} in this version: no event happens later");
            return Err(Invalid::new(format!("actions[{index}].type"), expected));
        }
        let target = action.target.as_ref();
        if target.is_some_and(|target| target.kind == "PROGRAM") {
            let expected = "cannot be PROGRAM in this version: a program has no tags, counters or \
                            attributes";
            return Err(Invalid::new(
                format!("actions[{index}].target.type"),
                expected,
            ));
        }
    }
    Ok(())
}

/// The refusal of a rule that is wrong.
fn refusal(error: RuleError) -> Refusal {
    match error.problem {
        Problem::TooFine(scale) => Refusal::InvalidScale {
            field: error.field,
            scale: scale.decimals(),
        },
        problem => Invalid::new(error.field, problem.to_string()).into(),
    }
}

/// The asset that a request names.
pub(super) fn named(assets: &ProgramAssets, named: Named) -> Uuid {
    named.or(assets.id(None))
}
