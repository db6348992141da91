//! The conformance cases of the Common Expression Language that apply, as data.
//!
//! `conformance.json` holds one case a line: an expression, perhaps the fields of an event in place
//! of variables, and the value, or that there is none. `outside.json` lists the cases whose result
//! is another one here, by the reason; each of them has another one, so that the list is never
//! longer than it must be. Cases about bytes, types as values and messages are not in the file.
//!
//! Source: facts of the conformance suite of the specification, github.com/google/cel-spec,
//! `tests/simple/testdata`.

use std::collections::BTreeMap;

use serde_json::Value;
use stampcard::rules::{Data, DataMap, Expression, Meter, Traits};

use crate::support::value;

const CASES: &str = include_str!("conformance.json");
const OUTSIDE: &str = include_str!("outside.json");

fn data(json: &Value) -> Data {
    Data::parse(&json.to_string()).unwrap()
}

/// Whether our result is that of the specification.
fn conforms(case: &Value) -> bool {
    let event = match case.get("event").map(data) {
        Some(Data::Map(fields)) => fields,
        _ => DataMap::new(),
    };
    let is_error = case.get("error").is_some();
    let Ok(expression) = Expression::compile(case["expr"].as_str().unwrap()) else {
        return is_error;
    };
    match value(
        &expression,
        &event,
        &Traits::default(),
        &mut Meter::default(),
    ) {
        Ok(value) => !is_error && value == data(&case["value"]),
        Err(_) => is_error,
    }
}

#[test]
fn every_case_conforms_or_is_listed_as_outside_the_subset() {
    let cases: Vec<Value> = CASES
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line.trim_end_matches(',')).unwrap())
        .collect();
    assert!(cases.len() > 900, "{}", cases.len());
    let outside: BTreeMap<String, Vec<String>> = serde_json::from_str(OUTSIDE).unwrap();
    let listed: Vec<&String> = outside.values().flatten().collect();
    let mut wrong = Vec::new();
    for case in &cases {
        let name = case["name"].as_str().unwrap();
        if conforms(case) == listed.iter().any(|listed| *listed == name) {
            wrong.push(format!("{name}: {case}"));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    let is_case = |name: &&&String| cases.iter().any(|case| case["name"] == ***name);
    assert_eq!(
        listed.iter().filter(is_case).count(),
        listed.len(),
        "every listed case exists"
    );
}
