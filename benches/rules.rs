//! Benchmark of earning rules: the time of a condition, and of an event with ten rules of which two
//! match and credit.
//!
//! Run with `cargo bench --bench rules`. Times are measured by criterion.
#![allow(
    missing_docs,
    reason = "criterion's macros make public items without any"
)]
#![allow(clippy::unwrap_used, reason = "a benchmark stops at a surprise")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use stampcard::domain::Timestamp;
use stampcard::rules::{
    ActionDraft, AssetTerms, Data, Event, Expression, Listed, Meter, NoValue, Participant, Rule,
    RuleDraft, RuleSet, RuleVersion, Scope, State, Traits, step,
};

const EVENT: &str = r#"{
    "type": "purchase", "amount": 49.99, "currency": "EUR", "store": "berlin-1", "order": "o-17",
    "items": [{"sku": "A-1", "price": 19.99, "quantity": 1}, {"sku": "B-7", "price": 15, "quantity": 2}]
}"#;

/// Conditions, each with its name.
const CONDITIONS: [(&str, &str); 4] = [
    ("comparison", "event.amount > 20"),
    (
        "type and amount",
        "event.type == 'purchase' && event.amount * 10 >= 250",
    ),
    (
        "tags and counters",
        "'vip' in participant.tags || get(participant.counters, 'visits', 0) > 3",
    ),
    (
        "items",
        "event.items.exists(item, item.sku.startsWith('B') && item.quantity > 1)",
    ),
];

fn at() -> Timestamp {
    Timestamp::parse("2026-11-30T12:00:00Z").unwrap()
}

fn conditions(criterion: &mut Criterion) {
    let event = Data::parse_event(EVENT).unwrap();
    let mut participant = Traits::default();
    participant.add_tag("vip");
    for (name, text) in CONDITIONS {
        let condition = Expression::condition(text).unwrap();
        let evaluate = || -> Result<bool, NoValue> {
            let scope = Scope {
                event: &event,
                participant: &participant,
                now: at(),
                at: at(),
            };
            condition.boolean(scope, &mut Meter::default())
        };
        assert_eq!(evaluate(), Ok(true), "{text}");
        criterion.bench_function(&format!("condition/{name}"), |bencher| {
            bencher.iter(|| black_box(evaluate()));
        });
    }
}

fn rule(number: u64, condition: &str) -> Rule {
    let draft = RuleDraft {
        condition: condition.to_owned(),
        actions: vec![ActionDraft {
            kind: "CREDIT".to_owned(),
            asset_id: Some("points".to_owned()),
            amount: Some("event.amount * 0.5".to_owned()),
            ..ActionDraft::default()
        }],
        order: u32::try_from(number).unwrap(),
        ..RuleDraft::default()
    };
    let version = RuleVersion {
        rule: number,
        version: 1,
    };
    Rule::compile(version, &draft, &|_| Some(AssetTerms::default())).unwrap()
}

/// Eight rules ask for the type of the event, and two for another.
fn events(criterion: &mut Criterion) {
    let rules = (1..=10).map(|number| match number {
        1 | 2 => rule(number, "event.type == 'purchase' && event.amount > 20"),
        3 | 4 => rule(number, "event.type == 'refund'"),
        _ => rule(number, "event.type == 'purchase' && event.amount > 100"),
    });
    let rules = RuleSet::new(rules.collect());
    let state = State {
        participant: Some(Participant {
            external_id: "ann".into(),
            is_active: true,
            ..Participant::default()
        }),
        ..State::default()
    };
    criterion.bench_function("data of an event", |bencher| {
        bencher.iter(|| black_box(Data::parse_event(black_box(EVENT))));
    });
    let data = Data::parse_event(EVENT).unwrap();
    let event = Event {
        data: &data,
        now: at(),
        at: at(),
        recipient: None,
        depth: 0,
    };
    assert_eq!(
        step(&rules, &event, &state, Listed::Stored).effects.len(),
        2
    );
    criterion.bench_function("event with ten rules, two match", |bencher| {
        bencher.iter(|| black_box(step(&rules, &event, &state, Listed::Stored)));
    });
    criterion.bench_function("compiling a condition", |bencher| {
        bencher.iter(|| black_box(Expression::condition(black_box(CONDITIONS[3].1))));
    });
}

criterion_group!(benches, conditions, events);
criterion_main!(benches);
