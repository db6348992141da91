//! What rules make of events.

use stampcard::domain::{AssetNumber, BalanceOperation, Bucket, Points};
use stampcard::rules::{
    ActionDraft, BudgetDraft, Consumed, DEPTH_MAX, Effect, Event, Listed, Number, Outcome,
    Participant, ParticipantKey, Recipient, RuleDraft, RuleSet, State, TargetDraft, Verdict, step,
};
use uuid::Uuid;

use crate::support::{at, fields, now};
use crate::written::{action, compile, rule, text};

fn points(units: i64) -> Points {
    Points::new(units).unwrap()
}

/// An active participant whose external id is `ann`.
pub(crate) fn ann() -> State {
    let mut ann = Participant {
        id: Uuid::from_u128(0x6f),
        external_id: "ann".into(),
        is_active: true,
        ..Participant::default()
    };
    ann.traits.add_tag("vip");
    State {
        participant: Some(ann),
        ..State::default()
    }
}

pub(crate) fn set(drafts: &[RuleDraft]) -> RuleSet {
    let number = |place: usize| u64::try_from(place).unwrap() + 1;
    let rules = drafts.iter().enumerate();
    let rules = rules.map(|(place, draft)| compile(number(place), draft).unwrap());
    RuleSet::new(rules.collect())
}

pub(crate) fn run(drafts: &[RuleDraft], json: &str, state: &State, listed: Listed) -> Outcome {
    let data = fields(json);
    let event = Event {
        data: &data,
        now: now(),
        at: now(),
        recipient: None,
        depth: 0,
    };
    step(&set(drafts), &event, state, listed)
}

const PURCHASE: &str = r#"{"type": "purchase", "amount": 49.99, "id": "o-1", "friend": "bob"}"#;

pub(crate) fn credit(amount: &str) -> ActionDraft {
    ActionDraft {
        amount: text(amount),
        ..action("CREDIT")
    }
}

/// Rules whose order is that of the list.
pub(crate) fn ordered(drafts: impl IntoIterator<Item = RuleDraft>) -> Vec<RuleDraft> {
    let drafts = drafts.into_iter().zip(1..);
    drafts
        .map(|(draft, order)| RuleDraft { order, ..draft })
        .collect()
}

fn verdicts(outcome: &Outcome) -> Vec<(u64, &Verdict)> {
    let evaluations = outcome.evaluations.iter();
    evaluations.map(|it| (it.rule.rule, &it.verdict)).collect()
}

pub(crate) fn credited(outcome: &Outcome) -> Vec<i64> {
    let credits = outcome
        .effects
        .iter()
        .filter_map(|caused| match &caused.effect {
            Effect::Credit { amount, .. } => Some(amount.get()),
            _ => None,
        });
    credits.collect()
}

const SUCCESS: Verdict = Verdict::Success {
    is_over_budget: false,
};

/// Checks holding, releasing, forfeiting and taking back.
fn check_operations(effects: &[&Effect]) {
    for (effect, expected) in effects.iter().zip([
        (
            BalanceOperation::Hold,
            Bucket::Available,
            Some(points(1000)),
        ),
        (BalanceOperation::Release, Bucket::Held, Some(points(1000))),
        (BalanceOperation::Forfeit, Bucket::Held, Some(points(1000))),
        (BalanceOperation::VoidHold, Bucket::Held, None),
    ]) {
        let Effect::Operation {
            operation,
            bucket,
            amount,
            ..
        } = effect
        else {
            panic!("{effect:?}");
        };
        assert_eq!((*operation, *bucket, *amount), expected);
    }
}

#[test]
fn every_kind_of_action_has_its_effect() {
    let kinds = stampcard::rules::ActionKind::ALL;
    let mut actions: Vec<ActionDraft> = kinds.map(|kind| action(kind.as_str())).into();
    actions[0].expires_at = text("48h");
    actions[0].matures_at = text("2026-12-01T00:00:00Z");
    actions[0].reference_id = text("event.id");
    actions[9].value = text("event.friend");
    actions[10].payload = Some(fields(r#"{"x": 1, "type": "is replaced"}"#));
    let outcome = run(&[rule("true", actions)], PURCHASE, &ann(), Listed::Stored);
    assert_eq!(outcome.failure(), None);
    let effects: Vec<&Effect> = outcome.effects.iter().map(|it| &it.effect).collect();
    assert_eq!(effects.len(), kinds.len());
    let Effect::Credit {
        amount,
        expires_at,
        matures_at,
        reference,
        ..
    } = effects[0]
    else {
        panic!("{effects:?}");
    };
    assert_eq!(amount.get(), 1000);
    assert_eq!(*expires_at, Some(at("2026-12-02T12:00:00Z")));
    assert_eq!(*matures_at, Some(at("2026-12-01T00:00:00Z")));
    assert_eq!(reference.as_ref().unwrap().as_str(), "o-1");
    assert!(matches!(
        effects[1],
        Effect::Debit {
            allow_negative: false,
            ..
        }
    ));
    check_operations(&effects[2..6]);
    assert_eq!(*effects[6], Effect::Tag("gold".into()));
    assert_eq!(*effects[7], Effect::Untag("gold".into()));
    assert!(matches!(effects[8], Effect::Count { increment, .. } if *increment == Number::ONE));
    let Effect::SetAttribute { value, .. } = effects[9] else {
        panic!()
    };
    assert_eq!(&**value, "bob");
    let Effect::Schedule { due, data, depth } = effects[10] else {
        panic!()
    };
    assert_eq!((*due, *depth), (at("2026-12-01T12:00:00Z"), 1));
    assert_eq!(**data, fields(r#"{"x": 1, "type": "later"}"#));
    assert!(matches!(effects[11], Effect::Broadcast { .. }));
    assert_eq!(outcome.effects[11].recipient, Recipient::Program);
    let own = Recipient::Participant(ParticipantKey::ExternalId("ann".into()));
    assert!(
        outcome.effects[..11]
            .iter()
            .all(|caused| caused.recipient == own)
    );
}

#[test]
fn each_rule_and_each_action_sees_what_was_done_before_it() {
    let counter = |value: &str| ActionDraft {
        value: text(value),
        ..action("COUNTER")
    };
    let drafts = ordered([
        rule(
            "!('gold' in participant.tags)",
            vec![action("TAG"), counter("5")],
        ),
        rule(
            "'gold' in participant.tags && participant.counters.visits == 5",
            vec![counter("-2"), credit("participant.counters.visits * 10")],
        ),
        rule("participant.counters.visits != 3", vec![credit("1")]),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::All);
    let expected = [(1, &SUCCESS), (2, &SUCCESS), (3, &Verdict::NotMet)];
    assert_eq!(verdicts(&outcome), expected);
    assert_eq!(credited(&outcome), [3000]);

    // Applying the effects to a state gives what the rules saw.
    let mut state = ann();
    for caused in &outcome.effects {
        state.apply(caused, now());
    }
    let traits = &state.participant.unwrap().traits;
    assert_eq!(traits.tags().join(" "), "gold vip");
    assert_eq!(traits.counters["visits"].value, Number::from(3));
}

#[test]
fn amounts_are_cut_to_the_scale_and_checked() {
    let drafts = |amount: &str| [rule("true", vec![credit(amount), action("TAG")])];
    let of = |amount: &str, state: &State| run(&drafts(amount), PURCHASE, state, Listed::Stored);
    assert_eq!(credited(&of("event.amount * 0.1", &ann())), [499]);
    assert_eq!(credited(&of("0.019999 * 1", &ann())), [1]);
    for (amount, expected) in [
        ("event.amount / 3", 1666),
        ("1 / 3.0 * 3", 99),
        ("90071992547409.91", i64::pow(2, 53) - 1),
    ] {
        assert_eq!(credited(&of(amount, &ann())), [expected], "{amount}");
    }
    let nothing = of("event.amount - 49.99", &ann());
    assert_eq!(
        (nothing.effects.len(), nothing.failure()),
        (1, None),
        "only the tag"
    );
    let mut limited = ann();
    limited
        .amount_limits
        .insert(Some(AssetNumber(7)), points(1000));
    assert_eq!(credited(&of("event.amount - 39.99", &limited)), [1000]);
    for (amount, state, message) in [
        ("event.amount - 50", &ann(), "the amount -0.01 is negative"),
        (
            "event.amount",
            &limited,
            "the amount 49.99 is above the asset's limit of 10.00",
        ),
        (
            "event.amount * 1e20",
            &ann(),
            "the amount 4999000000000000000000 is above 90071992547409.91",
        ),
        (
            "event.none * 2",
            &ann(),
            "the amount has no value: the field none is absent",
        ),
        (
            "event.id",
            &ann(),
            "the amount has no value: an amount does not take a text",
        ),
        (
            "1 / (event.amount - 49.99)",
            &ann(),
            "the amount has no value: division by zero",
        ),
        (
            "[1,2,3,4,5,6,7,8,9].map(a, [1,2,3,4,5,6,7,8,9].map(b, [1,2,3,4,5,6,7,8,9].map(c, \
             [1,2,3,4,5,6,7,8,9].map(d, a + b + c + d)))).size()",
            &ann(),
            "the amount has no value: it takes too many steps",
        ),
    ] {
        let outcome = of(amount, state);
        assert_eq!(
            outcome.failure().map(|(_, message)| message),
            Some(message),
            "{amount}"
        );
        assert_eq!(outcome.effects, [], "{amount}");
    }
}

#[test]
fn the_limit_of_an_asset_is_for_credits_and_debits() {
    let mut limited = ann();
    limited
        .amount_limits
        .insert(Some(AssetNumber(7)), points(999));
    for kind in ["CREDIT", "DEBIT", "HOLD", "RELEASE", "FORFEIT"] {
        let drafts = [rule("true", vec![action(kind)])];
        let outcome = run(&drafts, PURCHASE, &limited, Listed::Stored);
        let is_limited = matches!(kind, "CREDIT" | "DEBIT");
        assert_eq!(outcome.failure().is_some(), is_limited, "{kind}");
    }
}

#[test]
fn a_failed_action_takes_everything_back_and_says_so() {
    let drafts = ordered([
        rule("true", vec![credit("1")]),
        rule("true", vec![action("TAG"), credit("event.none")]),
        rule("true", vec![credit("2")]),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    assert_eq!(outcome.effects, []);
    let message = "the amount has no value: the field none is absent".to_owned();
    let failed = Verdict::Failed { action: 1, message };
    assert_eq!(verdicts(&outcome), [(1, &SUCCESS), (2, &failed)]);

    // What only the caller can find out ends in the same way.
    let drafts = ordered([
        rule("true", vec![credit("1")]),
        rule("true", vec![action("TAG"), action("DEBIT")]),
        rule("true", vec![credit("2")]),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    assert_eq!(outcome.effects.len(), 4);
    let refused = outcome.refused(2, "the balance is too low".to_owned());
    let message = "the balance is too low".to_owned();
    let failed = Verdict::Failed { action: 1, message };
    assert_eq!(verdicts(&refused), [(1, &SUCCESS), (2, &failed)]);
    assert_eq!(refused.effects, []);
    assert_eq!(refused.failure().unwrap().1, "the balance is too low");
}

#[test]
fn a_condition_that_fails_or_runs_away_skips_its_rule_alone() {
    let items: Vec<String> = (0..400).map(|number| number.to_string()).collect();
    let event = format!(r#"{{"type": "purchase", "items": [{}]}}"#, items.join(","));
    let drafts = ordered([
        rule(
            "event.items.all(x, event.items.exists(y, x == y))",
            vec![credit("1")],
        ),
        rule("event.items > 1", vec![credit("2")]),
        rule("event.none > 1", vec![credit("3")]),
        rule("false", vec![credit("4")]),
        rule("event.type == 'refund'", vec![credit("5")]),
        rule("true", vec![credit("6")]),
    ]);
    let stored = run(&drafts, &event, &ann(), Listed::Stored);
    assert_eq!(credited(&stored), [600]);
    let timeout = Verdict::SkippedTimeout("it takes too many steps".to_owned());
    let error = Verdict::SkippedError("> does not take a list and a number".to_owned());
    assert_eq!(
        verdicts(&stored),
        [(1, &timeout), (2, &error), (6, &SUCCESS)]
    );
    let all = run(&drafts, &event, &ann(), Listed::All);
    let absent = Verdict::Absent("none".into());
    let (not_met, other) = (Verdict::NotMet, Verdict::OtherType);
    let expected = [
        (1, &timeout),
        (2, &error),
        (3, &absent),
        (4, &not_met),
        (5, &other),
        (6, &SUCCESS),
    ];
    assert_eq!(verdicts(&all), expected);
    assert_eq!(all.effects, stored.effects);
    let statuses: Vec<_> = all
        .evaluations
        .iter()
        .map(|it| it.verdict.status())
        .collect();
    let expected = [
        Some("SKIPPED_TIMEOUT"),
        Some("SKIPPED_ERROR"),
        None,
        None,
        None,
        Some("SUCCESS"),
    ];
    assert_eq!(statuses, expected);
}

#[test]
fn windows_are_half_open_and_a_match_can_stop_later_rules() {
    let timed = |from: Option<&str>, to: Option<&str>| RuleDraft {
        active_from: from.map(at),
        active_to: to.map(at),
        stop_after_match: true,
        ..rule("true", vec![credit("1")])
    };
    let stop = RuleDraft {
        stop_after_match: true,
        ..rule("true", vec![credit("7")])
    };
    let drafts = ordered([
        timed(Some("2026-11-30T12:00:00.001Z"), None),
        timed(None, Some("2026-11-30T12:00:00Z")),
        RuleDraft {
            stop_after_match: true,
            ..rule("1 / 0 == 1", vec![credit("2")])
        },
        RuleDraft {
            active_from: Some(now()),
            active_to: Some(at("2026-11-30T12:00:00.001Z")),
            ..rule("true", vec![credit("3")])
        },
        stop,
        rule("true", vec![credit("8")]),
        rule("false", vec![credit("9")]),
        timed(None, Some("2026-01-01T00:00:00Z")),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    assert_eq!(credited(&outcome), [300, 700]);
    let outside = Verdict::OutsideTimeWindow;
    let error = Verdict::SkippedError("division by zero".to_owned());
    let stopped = Verdict::StoppedByPriorRule(stampcard::rules::RuleVersion {
        rule: 5,
        version: 1,
    });
    let expected = [
        (1, &outside),
        (2, &outside),
        (3, &error),
        (4, &SUCCESS),
        (5, &SUCCESS),
        (6, &stopped),
        (8, &outside),
    ];
    assert_eq!(verdicts(&outcome), expected);
    assert_eq!(stopped.reason(), Some("STOPPED_BY_PRIOR_RULE"));
    assert_eq!(outside.reason(), Some("OUTSIDE_TIME_WINDOW"));
}

#[test]
fn a_budget_leaves_out_a_whole_credit_and_nothing_else() {
    let budget = BudgetDraft {
        asset_id: "lots".to_owned(),
        limit: "10".to_owned(),
        schedule_type: text("CRON"),
        cron_expression: text("0 0 * * *"),
        ..BudgetDraft::default()
    };
    let drafts = ordered([
        RuleDraft {
            budgets: vec![budget],
            stop_after_match: true,
            ..rule(
                "true",
                vec![credit("6"), credit("5"), credit("4"), action("TAG")],
            )
        },
        rule("true", vec![credit("1")]),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    // 6 + 5 is too much, 6 + 4 is not.
    assert_eq!(credited(&outcome), [600, 400]);
    assert_eq!(outcome.effects.len(), 3, "the tag is added");
    let over = Verdict::Success {
        is_over_budget: true,
    };
    assert_eq!(verdicts(&outcome)[0], (1, &over));
    assert_eq!(over.reason(), Some("BUDGET_EXCEEDED"));
    assert_eq!(
        verdicts(&outcome)[1].1.reason(),
        Some("STOPPED_BY_PRIOR_RULE")
    );
    let used = outcome.budgets[&(1, Some(AssetNumber(7)))];
    let reset = Some(at("2026-12-01T00:00:00Z"));
    assert_eq!(
        used,
        Consumed {
            points: points(1000),
            next_reset_at: reset
        }
    );

    let mut state = ann();
    state.budgets = outcome.budgets;
    let later = run(&drafts, PURCHASE, &state, Listed::Stored);
    assert_eq!(credited(&later), Vec::<i64>::new());
    assert_eq!(later.effects.len(), 1);
    state
        .budgets
        .get_mut(&(1, Some(AssetNumber(7))))
        .unwrap()
        .next_reset_at = Some(now());
    assert_eq!(
        credited(&run(&drafts, PURCHASE, &state, Listed::Stored)),
        [600, 400]
    );
}

fn targeted(kind: &str, target: &str, external_id: Option<&str>) -> ActionDraft {
    ActionDraft {
        target: Some(TargetDraft {
            kind: target.to_owned(),
            external_id: external_id.map(str::to_owned),
            ..TargetDraft::default()
        }),
        ..action(kind)
    }
}

#[test]
fn actions_are_for_their_target_and_only_those_for_the_participant_change_what_rules_see() {
    let drafts = ordered([
        rule(
            "true",
            vec![
                targeted("TAG", "PARTICIPANT", Some("event.friend")),
                targeted("TAG", "PROGRAM", None),
                targeted("CREDIT", "PARTICIPANT", Some("carl")),
            ],
        ),
        rule("'gold' in participant.tags", vec![credit("1")]),
        rule("true", vec![targeted("TAG", "PARTICIPANT", Some("ann"))]),
        rule("'gold' in participant.tags", vec![credit("2")]),
    ]);
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    let recipients: Vec<&Recipient> = outcome.effects.iter().map(|it| &it.recipient).collect();
    let participant = |id: &str| Recipient::Participant(ParticipantKey::ExternalId(id.into()));
    let (bob, carl, own) = (participant("bob"), participant("carl"), participant("ann"));
    assert_eq!(recipients, [&bob, &Recipient::Program, &carl, &own, &own]);
    assert_eq!(credited(&outcome), [1000, 200]);

    let absent = [rule(
        "true",
        vec![targeted("TAG", "PARTICIPANT", Some("event.none"))],
    )];
    let outcome = run(&absent, PURCHASE, &ann(), Listed::Stored);
    assert_eq!(
        outcome.failure().unwrap().1,
        "the target has no value: the field none is absent"
    );
}

#[test]
fn the_recipient_of_an_event_gets_what_has_no_target() {
    let data = fields(PURCHASE);
    let bob = ParticipantKey::ExternalId("bob".into());
    let event = Event {
        data: &data,
        now: now(),
        at: now(),
        recipient: Some(bob.clone()),
        depth: 0,
    };
    let drafts = ordered([
        rule(
            "'vip' in participant.tags",
            vec![action("TAG"), credit("1")],
        ),
        rule("'gold' in participant.tags", vec![credit("2")]),
    ]);
    let mut state = ann();
    state.participant.as_mut().unwrap().is_active = false;
    let outcome = step(&set(&drafts), &event, &state, Listed::Stored);
    assert_eq!(credited(&outcome), [100]);
    let bob = Recipient::Participant(bob);
    assert!(outcome.effects.iter().all(|caused| caused.recipient == bob));
}

#[test]
fn points_and_counters_need_an_active_participant_and_the_rest_does_not() {
    let mut state = ann();
    state.participant.as_mut().unwrap().is_active = false;
    for kind in stampcard::rules::ActionKind::ALL {
        let drafts = [rule("true", vec![action(kind.as_str())])];
        let outcome = run(&drafts, PURCHASE, &state, Listed::Stored);
        let is_free = [
            "TAG",
            "UNTAG",
            "SET_ATTRIBUTE",
            "SCHEDULE_EVENT",
            "BROADCAST",
        ];
        let expected =
            (!is_free.contains(&kind.as_str())).then_some("the participant is not active");
        assert_eq!(
            outcome.failure().map(|(_, message)| message),
            expected,
            "{kind:?}"
        );
    }
}

#[test]
fn an_event_without_a_participant_has_an_empty_one_and_needs_targets() {
    let nobody = State::default();
    let drafts = [rule(
        "!has(participant.counters.visits)",
        vec![targeted("TAG", "PROGRAM", None)],
    )];
    assert_eq!(
        run(&drafts, PURCHASE, &nobody, Listed::Stored)
            .effects
            .len(),
        1
    );
    let drafts = [rule("true", vec![action("TAG")])];
    let outcome = run(&drafts, PURCHASE, &nobody, Listed::Stored);
    assert_eq!(
        outcome.failure().unwrap().1,
        "the event has no participant, and the action no target"
    );
}

#[test]
fn events_cause_each_other_only_so_deep_and_one_broadcast_is_enough() {
    let data = fields(PURCHASE);
    let run_at = |kinds: &[&str], depth| {
        let drafts = ordered(kinds.iter().map(|kind| rule("true", vec![action(kind)])));
        let event = Event {
            data: &data,
            now: now(),
            at: now(),
            recipient: None,
            depth,
        };
        step(&set(&drafts), &event, &ann(), Listed::Stored)
    };
    for kind in ["SCHEDULE_EVENT", "BROADCAST"] {
        assert_eq!(run_at(&[kind], DEPTH_MAX - 1).failure(), None);
        let outcome = run_at(&[kind], DEPTH_MAX);
        assert_eq!(
            outcome.failure().unwrap().1,
            "more than 8 events cause each other"
        );
    }
    let outcome = run_at(&["BROADCAST", "BROADCAST"], 0);
    assert_eq!(
        outcome.failure().unwrap().1,
        "an event can be broadcast once"
    );
}

#[test]
fn counters_start_from_zero_when_their_time_is_over() {
    let daily = |value: &str| ActionDraft {
        value: text(value),
        reset_after: text("24h"),
        ..action("COUNTER")
    };
    let mut state = ann();
    let mut visit = |time: &str| {
        let data = fields(PURCHASE);
        let (now, recipient) = (at(time), None);
        let event = Event {
            data: &data,
            now,
            at: now,
            recipient,
            depth: 0,
        };
        let rules = set(&[rule("true", vec![daily("1")])]);
        let outcome = step(&rules, &event, &state, Listed::Stored);
        for caused in &outcome.effects {
            state.apply(caused, now);
        }
        state.participant.as_ref().unwrap().traits.counters["visits"]
    };
    assert_eq!(visit("2026-01-01T00:00:00Z").value, Number::ONE);
    assert_eq!(visit("2026-01-01T23:59:59Z").value, Number::TWO);
    let reset = visit("2026-01-02T00:00:00Z");
    assert_eq!(
        (reset.value, reset.last_reset_at),
        (Number::ONE, at("2026-01-02T00:00:00Z"))
    );
    assert_eq!(
        visit("2026-01-02T12:00:00Z").last_reset_at,
        at("2026-01-02T00:00:00Z")
    );

    let drafts = [rule(
        "true",
        vec![daily("79228162514264337593543950335.0"), daily("1")],
    )];
    let outcome = run(&drafts, PURCHASE, &ann(), Listed::Stored);
    assert_eq!(
        outcome.failure().unwrap().1,
        "the counter visits is out of range"
    );
}
