//! The index of rules by the type of events.

use stampcard::rules::{Data, Expression, Listed, Meter, RuleDraft, Traits, Verdict};

use crate::steps::{ann, credit, run};
use crate::support::{Random, fields, value as value_of};
use crate::written::rule;

/// Random rules over random events: with the index and without it the effects are the same.
#[test]
fn the_index_by_type_leaves_out_only_rules_that_do_not_match() {
    const CONDITIONS: &[&str] = &[
        "event.type == 'a'",
        "event.type in ['a', 'b'] && event.x > 1",
        "event.x > 1 && event.type == 'b'",
        "event.type == 'a' || event.type == 'c' && event.x == 2",
        "event.type == 'a' || event.x == 2",
        "event.type != 'a'",
        "has(event.type) && event.type.startsWith('a')",
        "event.x / (event.x - 2) > 0 && event.type == 'c'",
        "event.type == 'a' && event.type == 'b'",
        "event.type in ['a', 1, null]",
        "true",
    ];
    let mut random = Random(5);
    let mut effects = 0;
    for _ in 0..2_000 {
        let drafts: Vec<RuleDraft> = (0..random.below(8))
            .map(|_| RuleDraft {
                order: u32::try_from(random.below(5)).unwrap() + 1,
                stop_after_match: random.below(6) == 0,
                ..rule(random.pick::<&str>(CONDITIONS), vec![credit("1")])
            })
            .collect();
        let name = random.pick(&["\"a\"", "\"b\"", "\"c\"", "\"d\"", "1", "null"]);
        let json = match random.below(8) {
            0 => format!(r#"{{"x": {}}}"#, random.below(4)),
            _ => format!(r#"{{"type": {name}, "x": {}}}"#, random.below(4)),
        };
        let stored = run(&drafts, &json, &ann(), Listed::Stored);
        let all = run(&drafts, &json, &ann(), Listed::All);
        assert_eq!(stored.effects, all.effects, "{json}: {drafts:?}");
        let listed = all
            .evaluations
            .iter()
            .filter(|it| it.verdict.status().is_some());
        assert!(listed.eq(&stored.evaluations), "{json}: {drafts:?}");
        assert_eq!(all.evaluations.len(), drafts.len());
        // A rule of another type would not have matched.
        let data = fields(&json);
        for evaluation in &all.evaluations {
            if evaluation.verdict == Verdict::OtherType {
                let place = usize::try_from(evaluation.rule.rule).unwrap() - 1;
                let condition = Expression::condition(&drafts[place].condition);
                let traits = Traits::default();
                let mut meter = Meter::default();
                let value = value_of(&condition.unwrap(), &data, &traits, &mut meter);
                assert_ne!(
                    value,
                    Ok(Data::Bool(true)),
                    "{json}: {}",
                    drafts[place].condition
                );
            }
        }
        effects += stored.effects.len();
    }
    assert!(effects > 1_000, "{effects}");
}
