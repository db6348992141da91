//! Rules as they are written, and what is wrong with them.

use stampcard::domain::{AssetNumber, Bucket, InventoryMode, Scale};
use stampcard::rules::{
    ActionDraft, AssetTerms, BudgetDraft, Rule, RuleDraft, RuleError, RuleVersion, TargetDraft,
};

use crate::support::{at, now};

/// The assets of a program: `points`, and `lots` with two decimals.
pub(crate) fn assets(id: &str) -> Option<AssetTerms> {
    match id {
        "points" => Some(AssetTerms::default()),
        "lots" => Some(AssetTerms {
            asset: Some(AssetNumber(7)),
            scale: Scale::new(2).unwrap(),
            mode: InventoryMode::Lot,
        }),
        _ => None,
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "the fields of a draft are optional"
)]
pub(crate) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

/// An action of a kind with every field that it needs.
pub(crate) fn action(kind: &str) -> ActionDraft {
    ActionDraft {
        kind: kind.to_owned(),
        asset_id: text("lots"),
        amount: (kind != "VOID_HOLD").then(|| "10".to_owned()),
        bucket: (kind == "FORFEIT").then_some(Bucket::Held),
        reference_id: text("order-1"),
        tag: text("Gold"),
        key: text("visits"),
        value: text("1"),
        delay: text("24h"),
        event_name: text("later"),
        ..ActionDraft::default()
    }
}

pub(crate) fn rule(condition: &str, actions: Vec<ActionDraft>) -> RuleDraft {
    RuleDraft {
        condition: condition.to_owned(),
        actions,
        order: 10,
        ..RuleDraft::default()
    }
}

pub(crate) fn compile(number: u64, draft: &RuleDraft) -> Result<Rule, RuleError> {
    let version = RuleVersion {
        rule: number,
        version: 1,
    };
    Rule::compile(version, draft, &assets)
}

#[test]
fn every_kind_of_action_is_compiled() {
    for kind in stampcard::rules::ActionKind::ALL {
        let draft = rule("true", vec![action(kind.as_str())]);
        let compiled = compile(1, &draft);
        assert!(compiled.is_ok(), "{kind:?}: {compiled:?}");
    }
}

/// What is wrong with a rule whose only action was changed.
fn error_of(kind: &str, change: impl FnOnce(&mut ActionDraft)) -> String {
    let mut draft = action(kind);
    change(&mut draft);
    compile(1, &rule("true", vec![draft]))
        .unwrap_err()
        .to_string()
}

/// A kind of action, a change, and how the error begins.
type Change = (&'static str, fn(&mut ActionDraft), &'static str);

const WRONG: &[Change] = &[
    (
        "SET_TIER",
        |_| (),
        "actions[0].type must be one of CREDIT, DEBIT",
    ),
    (
        "CREDIT",
        |it| it.asset_id = None,
        "actions[0].asset_id is required for CREDIT",
    ),
    (
        "DEBIT",
        |it| it.asset_id = text("other"),
        "actions[0].asset_id must be the id of an asset of the program",
    ),
    (
        "CREDIT",
        |it| it.amount = None,
        "actions[0].amount is required for CREDIT",
    ),
    (
        "CREDIT",
        |it| it.amount = text("1.005"),
        "actions[0].amount must have at most 2 decimals",
    ),
    (
        "CREDIT",
        |it| it.amount = text("-5"),
        "actions[0].amount must be from 0 to",
    ),
    (
        "CREDIT",
        |it| it.amount = text("event.amount > 5"),
        "actions[0].amount is not a valid expression: line 1, column 14: an amount must be a \
             number, not a boolean",
    ),
    (
        "CREDIT",
        |it| it.amount = text("event."),
        "actions[0].amount is not a valid expression: line 1, column 7",
    ),
    (
        "CREDIT",
        |it| it.bucket = Some(Bucket::Deferred),
        "actions[0].bucket must be",
    ),
    (
        "CREDIT",
        |it| it.expires_at = text("tomorrow"),
        "actions[0].expires_at must be a duration such as 720h, or a time",
    ),
    (
        "CREDIT",
        |it| {
            it.asset_id = text("points");
            it.reference_id = None;
            it.expires_at = text("24h");
        },
        "actions[0].expires_at needs an asset whose points are kept in lots",
    ),
    (
        "CREDIT",
        |it| {
            (it.matures_at, it.expires_at) = (text("24h"), text("24h"));
        },
        "actions[0].matures_at must be before expires_at",
    ),
    (
        "CREDIT",
        |it| {
            (it.matures_at, it.bucket) = (text("24h"), Some(Bucket::Held));
        },
        "actions[0].matures_at cannot be combined with the bucket HELD",
    ),
    (
        "CREDIT",
        |it| it.description = Some("x".repeat(501)),
        "actions[0].description must be 0 to 500 characters long",
    ),
    (
        "FORFEIT",
        |it| it.bucket = None,
        "actions[0].bucket must be AVAILABLE or HELD",
    ),
    (
        "VOID_HOLD",
        |it| it.amount = text("5"),
        "actions[0].amount cannot be given for VOID_HOLD",
    ),
    (
        "VOID_HOLD",
        |it| it.reference_id = None,
        "actions[0].reference_id is required for VOID_HOLD",
    ),
    (
        "TAG",
        |it| it.tag = text(""),
        "actions[0].tag must be 1 to 100 characters",
    ),
    (
        "COUNTER",
        |it| it.key = None,
        "actions[0].key is required for COUNTER",
    ),
    (
        "COUNTER",
        |it| it.value = text("'a'"),
        "actions[0].value is not a valid expression: line 1, column 1: an amount must be a \
             number, not a text",
    ),
    (
        "COUNTER",
        |it| it.reset_after = text("1d"),
        "actions[0].reset_after must be a duration such as 24h",
    ),
    (
        "SET_ATTRIBUTE",
        |it| it.value = Some("x".repeat(256)),
        "actions[0].value must be 1 to 255 characters",
    ),
    (
        "SET_ATTRIBUTE",
        |it| it.value = text("event.matches('x')"),
        "actions[0].value is not a valid expression: line 1, column 7: there is no function",
    ),
    (
        "SCHEDULE_EVENT",
        |it| it.delay = None,
        "actions[0].delay is required",
    ),
    (
        "SCHEDULE_EVENT",
        |it| it.delay = text("17521h"),
        "actions[0].delay must be from 1s to 17520h",
    ),
    (
        "BROADCAST",
        |it| it.event_name = None,
        "actions[0].event_name is required",
    ),
];

#[test]
fn a_wrong_action_is_refused_by_the_name_of_its_field() {
    for (kind, change, start) in WRONG {
        let error = error_of(kind, change);
        assert!(error.starts_with(start), "{error} / {start}");
    }
}

#[test]
fn a_wrong_target_is_refused() {
    let error = |kind: &str, target: &str, ids: [Option<&str>; 3]| {
        let [id, participant_id, external_id] = ids.map(|id| id.map(str::to_owned));
        let target = TargetDraft {
            kind: target.to_owned(),
            id,
            participant_id,
            external_id,
        };
        error_of(kind, |it| it.target = Some(target))
    };
    for (error, expected) in [
        (
            error("TAG", "GROUP", [None; 3]),
            "actions[0].target.type must be PARTICIPANT or PROGRAM",
        ),
        (
            error("CREDIT", "PROGRAM", [None; 3]),
            "actions[0].target.type must be PARTICIPANT: a program has no balance",
        ),
        (
            error("TAG", "PARTICIPANT", [Some("a"), None, Some("b")]),
            "actions[0].target must have one of id, participant_id, external_id",
        ),
        (
            error(
                "TAG",
                "PARTICIPANT",
                [None, None, Some("event.x.matches('a')")],
            ),
            "actions[0].target.external_id is not a valid expression",
        ),
        (
            error("TAG", "PARTICIPANT", [Some(""), None, None]),
            "actions[0].target.id must be 1 to 255 characters",
        ),
        (
            error("TAG", "PARTICIPANT", [Some("ann"), None, None]),
            "actions[0].target.id must be a UUID, or an expression that gives one",
        ),
        (
            error("TAG", "PARTICIPANT", [None, Some("6f"), None]),
            "actions[0].target.participant_id must be a UUID, or an expression",
        ),
    ] {
        assert!(error.starts_with(expected), "{error} / {expected}");
    }
}

#[test]
fn a_wrong_rule_is_refused_by_the_name_of_its_field() {
    let error = |change: &dyn Fn(&mut RuleDraft)| {
        let mut draft = rule("true", vec![action("TAG")]);
        change(&mut draft);
        compile(1, &draft).unwrap_err().to_string()
    };
    for (error, expected) in [
        (
            error(&|it| it.condition.clear()),
            "condition must not be empty",
        ),
        (
            error(&|it| it.condition = "event.amount >".to_owned()),
            "condition is not a valid expression: line 1, column 15",
        ),
        (
            error(&|it| it.actions.clear()),
            "actions must be 1 to 32 actions",
        ),
        (
            error(&|it| it.actions = vec![action("TAG"); 33]),
            "actions must be 1 to 32 actions",
        ),
        (
            error(&|it| it.actions = vec![action("BROADCAST"), action("BROADCAST")]),
            "actions[1].type must not be a second BROADCAST",
        ),
        (error(&|it| it.order = 0), "order must be 1 or more"),
        (
            error(&|it| {
                it.active_from = Some(at("2026-01-01T00:00:00Z"));
                it.active_to = it.active_from;
            }),
            "active_to must be after active_from",
        ),
    ] {
        assert!(error.starts_with(expected), "{error} / {expected}");
    }
}

#[test]
fn a_wrong_budget_is_refused_by_the_name_of_its_field() {
    let budget = |asset: &str, limit: &str, kind: Option<&str>, when: &str| BudgetDraft {
        asset_id: asset.to_owned(),
        limit: limit.to_owned(),
        schedule_type: kind.map(str::to_owned),
        cron_expression: text(when),
        interval: text(when),
        since: None,
    };
    let of_budgets = |budgets: &[BudgetDraft]| {
        let mut draft = rule("true", vec![action("TAG")]);
        draft.budgets = budgets.to_vec();
        compile(1, &draft).unwrap_err().to_string()
    };
    for (error, expected) in [
        (
            of_budgets(&[budget("x", "1", None, "")]),
            "budgets[0].asset_id must be the id",
        ),
        (
            of_budgets(&[budget("lots", "0", None, "")]),
            "budgets[0].limit must be a string with",
        ),
        (
            of_budgets(&[budget("lots", "x", None, "")]),
            "budgets[0].limit must be a string with",
        ),
        (
            of_budgets(&[budget("lots", "-1", None, "")]),
            "budgets[0].limit must be from 0",
        ),
        (
            of_budgets(&[budget("points", "1.5", None, "")]),
            "budgets[0].limit must have at most 0",
        ),
        (
            of_budgets(&[budget("lots", "1", None, ""), budget("lots", "2", None, "")]),
            "budgets[1].asset_id must not be the asset of another budget",
        ),
        (
            of_budgets(&[budget("lots", "1", Some("CRON"), "0 0 31 2 *")]),
            "budgets[0].cron_expression must be a schedule of five fields",
        ),
        (
            of_budgets(&[budget("lots", "1", Some("INTERVAL"), "0h")]),
            "budgets[0].interval must be a duration",
        ),
        (
            of_budgets(&[budget("lots", "1", Some("INTERVAL"), "24h")]),
            "budgets[0].since is required for INTERVAL",
        ),
        (
            of_budgets(&[budget("lots", "1", Some("DAILY"), "")]),
            "budgets[0].schedule_type must be CRON or INTERVAL",
        ),
    ] {
        assert!(error.starts_with(expected), "{error} / {expected}");
    }
}

#[test]
fn each_budget_counts_its_interval_from_its_own_start() {
    let budget = |asset: &str, since: &str| BudgetDraft {
        asset_id: asset.to_owned(),
        limit: "1".to_owned(),
        schedule_type: text("INTERVAL"),
        interval: text("24h"),
        since: Some(at(since)),
        ..BudgetDraft::default()
    };
    let mut draft = rule("true", vec![action("TAG")]);
    draft.budgets = vec![
        budget("points", "2026-01-01T06:00:00Z"),
        budget("lots", "2026-11-30T11:00:00Z"),
    ];
    let compiled = compile(1, &draft).unwrap();
    let resets = compiled.budgets().iter();
    let resets: Vec<_> = resets.map(|it| it.schedule.after(now())).collect();
    let expected = ["2026-12-01T06:00:00Z", "2026-12-01T11:00:00Z"];
    assert_eq!(resets, expected.map(|text| Some(at(text))));
}
