//! The data of events that rules cause.

use std::sync::Arc;

use stampcard::rules::{ActionDraft, Data, DataMap, Effect, Event, Listed, step};

use crate::steps::{ann, set};
use crate::support::{fields, now};
use crate::written::{action, compile, rule};

/// What is wrong with a rule that causes an event with this payload.
fn error_of(kind: &str, payload: &DataMap) -> Option<String> {
    let caused = ActionDraft {
        payload: Some(payload.clone()),
        ..action(kind)
    };
    let compiled = compile(1, &rule("true", vec![caused]));
    compiled.err().map(|error| error.to_string())
}

const KINDS: [&str; 2] = ["SCHEDULE_EVENT", "BROADCAST"];

#[test]
fn a_payload_is_as_long_as_its_json_with_the_type() {
    let start =
        r#"{"a":[true,false,null,-1.5,"é\"\\/\b\f\n\r\t\u0001"],"b":{},"c":[],"d":{"e":{"f":0}}"#;
    let of_length = |length: usize| {
        let json = |x: usize| format!(r#"{start},"type":"later","x":"{}"}}"#, "x".repeat(x));
        json(length - json(0).len())
    };
    let longest = of_length(Data::BYTES_MAX);
    assert_eq!(longest.len(), Data::BYTES_MAX);
    let too_long = of_length(Data::BYTES_MAX + 1).replace(r#""type":"later","#, "");
    for kind in KINDS {
        assert_eq!(error_of(kind, &fields(&longest)), None, "{kind}");
        let error = error_of(kind, &fields(&too_long));
        let expected = "actions[0].payload must have at most 16384 bytes";
        assert_eq!(error.as_deref(), Some(expected), "{kind}");
    }
}

#[test]
fn a_payload_is_bounded_in_depth_and_its_numbers_in_range() {
    let nested = |open: &str, inside: &str, close: &str, depth: usize| {
        let json = format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
        DataMap::from([("x".into(), Data::parse(&json).unwrap())])
    };
    for kind in KINDS {
        for (open, inside, close) in [("[", "", "]"), (r#"{"x":"#, "1", "}")] {
            let deepest = nested(open, inside, close, Data::DEPTH_MAX - 1);
            assert_eq!(error_of(kind, &deepest), None, "{kind} {open}");
            let error = error_of(kind, &nested(open, inside, close, Data::DEPTH_MAX));
            let expected = "actions[0].payload must be nested at most 16 deep";
            assert_eq!(error.as_deref(), Some(expected), "{kind} {open}");
        }
        for json in [r#"{"x": 1e300}"#, r#"{"x": [1, {"y": 1e-300}]}"#] {
            let error = error_of(kind, &fields(json));
            let expected = "actions[0].payload must have numbers of at most 28 digits";
            assert_eq!(error.as_deref(), Some(expected), "{kind} {json}");
        }
    }
}

#[test]
fn the_data_of_a_caused_event_is_not_copied_for_each_effect() {
    let rules = set(&[rule("true", KINDS.map(action).into())]);
    let caused = || {
        let data = fields(r#"{"type": "purchase"}"#);
        let event = Event {
            data: &data,
            now: now(),
            at: now(),
            recipient: None,
            depth: 0,
        };
        let outcome = step(&rules, &event, &ann(), Listed::Stored);
        let effects = outcome.effects.into_iter();
        let data = effects.filter_map(|caused| match caused.effect {
            Effect::Schedule { data, .. } | Effect::Broadcast { data, .. } => Some(data),
            _ => None,
        });
        data.collect::<Vec<_>>()
    };
    let (first, second) = (caused(), caused());
    assert_eq!(first.len(), KINDS.len());
    for (first, second) in first.iter().zip(&second) {
        assert!(Arc::ptr_eq(first, second));
    }
}
