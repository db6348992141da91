//! What expressions of rules give, where the contract or our own choice says so.

use std::time::Duration;

use stampcard::rules::{
    Counter, Data, Expression, Failure, Meter, NoValue, Number, SyntaxError, Traits,
};

use crate::support::{at, fields, now, value};

const EVENT: &str = r#"{
    "type": "purchase", "amount": 49.99, "quantity": 3, "text": "12.50", "empty": null,
    "sku": "AB-7", "tags": ["a", "b"], "items": [{"sku": "A", "price": 10}, {"sku": "B", "price": 2.5}],
    "nested": {"deep": {"er": true}}, "odd name": 1, "huge": 1e300, "when": "2026-11-30T13:00:00+01:00"
}"#;

fn ann() -> Traits {
    let mut ann = Traits::default();
    for tag in ["VIP", "beta", "vip"] {
        ann.add_tag(tag);
    }
    let counter = |value: i64, reset_after: Option<u64>| Counter {
        value: Number::from(value),
        reset_after: reset_after.map(Duration::from_hours),
        last_reset_at: at("2026-11-29T12:00:00Z"),
    };
    ann.counters.insert("visits".into(), counter(7, None));
    ann.counters.insert("today".into(), counter(5, Some(24)));
    ann.counters
        .insert("this_week".into(), counter(6, Some(25)));
    ann.attributes
        .insert("level".into(), Data::Text("gold".into()));
    ann.attributes
        .insert("age".into(), Data::Number(Number::from(41)));
    ann
}

fn evaluate(text: &str) -> Result<Data, NoValue> {
    let expression = Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    value(&expression, &fields(EVENT), &ann(), &mut Meter::default())
}

/// Expressions and their values as JSON.
const VALUES: &[(&str, &str)] = &[
    ("event.amount * 10", "499.9"),
    ("round(event.amount * 0.03, 2)", "1.5"),
    ("event.amount * 0.1", "4.999"),
    ("7 / 2", "3.5"),
    ("7 % 2.5", "2"),
    ("-7 % 5", "-2"),
    ("1 / 3 * 3 < 1", "true"),
    ("0.1 + 0.2 == 0.3", "true"),
    ("0.12345678901234567890123 * 1", "0.12345678901234567890123"),
    ("0x10 + 5u", "21"),
    ("1e3 + .5", "1000.5"),
    ("round(2.5, 0)", "3"),
    ("round(-2.5, 0)", "-3"),
    ("round(0.125, 2)", "0.13"),
    ("round(event.amount)", "50"),
    ("int(-3.9)", "-3"),
    ("double(event.text) + 1", "13.5"),
    ("event.quantity * 5.0", "15"),
    ("event['odd name'] + 1", "2"),
    ("event.items[1].price", "2.5"),
    ("event.items.map(item, item.price)[0]", "10"),
    ("event.items.filter(item, item.price > 5).size()", "1"),
    (
        "event.items.map(item, item.price > 5, item.sku)",
        r#"["A"]"#,
    ),
    ("event.items.exists_one(item, item.sku == 'B')", "true"),
    ("event.nested.all(key, key == 'deep')", "true"),
    ("size(event.tags) + event.sku.size() + {'a': 1}.size()", "7"),
    ("sets.contains(participant.tags, ['vip', 'beta'])", "true"),
    ("sets.contains(participant.tags, ['vip', 'new'])", "false"),
    ("sets.intersects(participant.tags, ['vip', 'new'])", "true"),
    ("sets.intersects(participant.tags, [])", "false"),
    ("sets.contains([], [])", "true"),
    (
        "'vip' in participant.tags && !('VIP' in participant.tags)",
        "true",
    ),
    ("participant.tags", r#"["beta", "vip"]"#),
    ("participant.counters.visits + 1", "8"),
    ("participant.counters.today", "0"),
    ("participant.counters.this_week", "6"),
    ("get(participant.counters, 'none', 0)", "0"),
    ("get(event, 'amount', 1 / 0)", "49.99"),
    (
        "get({'gold': 3, 'silver': 2}, participant.attributes.level, 1)",
        "3",
    ),
    ("participant.attributes.age >= 18", "true"),
    ("'level' in participant.attributes", "true"),
    (
        "has(participant.tags) && !has(event.coupon) && has(event.huge)",
        "true",
    ),
    ("!has(event.coupon) || event.coupon == 'X'", "true"),
    (
        "event.sku.startsWith('AB') && event.sku.endsWith('7') && event.sku.contains('-')",
        "true",
    ),
    ("'order-' + event.sku", r#""order-AB-7""#),
    ("event.tags + ['c']", r#"["a", "b", "c"]"#),
    ("event.empty == null", "true"),
    ("event.amount == '49.99'", "false"),
    ("now", r#""2026-11-30T12:00:00Z""#),
    ("now == event.when", "true"),
    (
        "now < '2026-11-30T12:00:00.001Z' && now >= '2026-11-30T12:00:00Z'",
        "true",
    ),
    ("now > timestamp('2026-11-01T00:00:00Z')", "true"),
    ("event.type == 'purchase' ? event.amount : 0", "49.99"),
    ("[1, 2, 3].exists(event, event > 2)", "true"),
    ("[1].all(x, [2].all(y, x < y))", "true"),
    ("[[1, 2], [3]].map(x, x.map(x, x * 2))", "[[2, 4], [6]]"),
    ("1 / 0 == 1 || true", "true"),
    ("1 / 0 == 1 && false", "false"),
    ("[0, 1].exists(x, 1 / x == 1)", "true"),
    ("// a comment\n1 + 1", "2"),
];

#[test]
fn expressions_have_the_documented_values() {
    for (text, json) in VALUES {
        let expected = Data::parse(json).unwrap();
        assert_eq!(evaluate(text), Ok(expected), "{text}");
    }
}

#[test]
fn an_absent_field_that_is_reached_ends_the_evaluation_wherever_it_is() {
    for (text, field) in [
        ("event.coupon == 'X'", "coupon"),
        ("event.coupon == 'X' || true", "coupon"),
        ("1 / 0 == 1 || event.coupon == 'X'", "coupon"),
        ("!(event.coupon == 'X')", "coupon"),
        ("event.nested.none.er", "none"),
        ("has(event.none.er)", "none"),
        ("event['coupon'] == 'X'", "coupon"),
        ("event.items[2].sku == 'A'", "[2]"),
        ("event.items[-1].sku == 'A'", "[-1]"),
        ("event.items[0.5].sku == 'A'", "[0.5]"),
        ("event.items.exists(item, item.none == 1)", "none"),
        ("participant.counters.none > 1", "none"),
        ("participant.attributes['none'] == 'x'", "none"),
        ("get(event.none, 'x', 1) == 1", "none"),
    ] {
        assert_eq!(evaluate(text), Err(NoValue::Absent(field.into())), "{text}");
    }
    assert_eq!(
        evaluate("true || event.coupon == 'X'"),
        Ok(Data::Bool(true))
    );
    assert_eq!(
        evaluate("false && event.coupon == 'X'"),
        Ok(Data::Bool(false))
    );
}

#[test]
fn operations_without_a_result_fail() {
    for (text, failure) in [
        ("event.amount / 0", Failure::DivisionByZero),
        ("event.amount % (1 - 1)", Failure::DivisionByZero),
        ("event.huge > 1", Failure::OutOfRange),
        ("79228162514264337593543950335.0 + 1", Failure::OutOfRange),
        ("double(event.sku)", Failure::NoNumber),
        ("double('')", Failure::NoNumber),
        ("double('1_000')", Failure::NoNumber),
        ("now > event.sku", Failure::NoTime),
        ("round(1.5, event.amount)", Failure::NoDigits),
        ("{event.sku: 1, 'AB-7': 2}", Failure::SameKey),
    ] {
        assert_eq!(evaluate(text), Err(NoValue::Failed(failure)), "{text}");
    }
    for (text, message) in [
        ("event.sku + 1", "+ does not take a text and a number"),
        (
            "event.sku > event.amount",
            "> does not take a text and a number",
        ),
        ("event.amount && true", "&& does not take a number"),
        ("!event.sku", "! does not take a text"),
        ("event.empty.field", "a field does not take null"),
        ("event.sku[0]", "[] does not take a text and a number"),
        (
            "event.amount in event.sku",
            "in does not take a number and a text",
        ),
        ("event.amount.all(x, true)", "all does not take a number"),
        ("size(event.amount)", "size does not take a number"),
    ] {
        assert_eq!(evaluate(text).unwrap_err().to_string(), message, "{text}");
    }
}

fn refused(text: &str) -> SyntaxError {
    match Expression::condition(text) {
        Ok(_) => panic!("{text:?} is no error"),
        Err(error) => error,
    }
}

/// The text, where it is wrong, what is said, and a part of the hint.
const REFUSED: &[(&str, (usize, usize), &str, &str)] = &[
    (
        "event.amount = 5",
        (1, 14),
        "is not expected here",
        "write ==",
    ),
    (
        "event.a == 1 and event.b == 2",
        (1, 14),
        "is not expected here",
        "write &&",
    ),
    (
        "event.a ==\n  event.b or true",
        (2, 11),
        "is not expected here",
        "write ||",
    ),
    ("event.a &", (1, 9), "", ""),
    ("", (1, 1), "", ""),
    ("(event.a", (1, 9), "expected ')'", ""),
    ("event.a >", (1, 10), "the expression is not complete", ""),
    ("[1, 2", (1, 6), "", ""),
    ("event.a) > 1", (1, 8), ") closes no bracket", ""),
    ("(event.a] > 1", (1, 9), "] closes no bracket", ""),
    ("event.name == 'ann", (1, 15), "unterminated", ""),
    ("event.größe > 1", (1, 9), "", ""),
    (
        "evnt.amount > 5",
        (1, 1),
        "there is no variable evnt",
        "did you mean event?",
    ),
    (
        "'ä' == 'ö' && amount > 5",
        (1, 15),
        "there is no variable amount",
        "event, participant and now",
    ),
    (
        "event.a > 1\n && customer.b > 1",
        (2, 5),
        "there is no variable customer",
        "event, part",
    ),
    (
        "participant.tiers.x == 'gold'",
        (1, 13),
        "participant has no tiers",
        "participant.tags",
    ),
    (
        "participant == event",
        (1, 1),
        "participant is no value",
        "participant.tags",
    ),
    (
        "event.sku.matches('A.*')",
        (1, 11),
        "there is no function matches",
        "regular expressions",
    ),
    (
        "now.getHours() > 5",
        (1, 5),
        "there is no function getHours",
        "functions are",
    ),
    (
        "now() > now",
        (1, 1),
        "there is no function now",
        "without brackets",
    ),
    (
        "event.sku.startswith('A')",
        (1, 11),
        "there is no function startswith",
        "startsWith?",
    ),
    (
        "rnd(1.5, 0) > 1",
        (1, 1),
        "there is no function rnd",
        "did you mean int?",
    ),
    (
        "string(event.a) == 'x'",
        (1, 1),
        "there is no function string",
        "double, int",
    ),
    (
        "sets.union([1], [2]) == [1]",
        (1, 6),
        "there is no function sets.union",
        "functions are",
    ),
    (
        "round() > 1",
        (1, 1),
        "round has other arguments",
        "round(event.amount, 2)",
    ),
    (
        "startsWith(event.a, 'x')",
        (1, 1),
        "startsWith has other arguments",
        "event.sku.startsWith",
    ),
    (
        "event.a.double() > 1",
        (1, 9),
        "double has other arguments",
        "double(event.text)",
    ),
    ("has(event['a'])", (1, 10), "invalid argument to has", ""),
    (
        "event.items.all(x)",
        (1, 13),
        "all has other arguments",
        "list.all",
    ),
    ("event.items.all(x.y, true)", (1, 18), "simple name", ""),
    (
        "event.items.all(x, x) && x",
        (1, 26),
        "there is no variable x",
        "",
    ),
    (
        "event.text * 2 > '5'",
        (1, 16),
        "> does not take a number and a text",
        "double()",
    ),
    (
        "1 + 'a' == 'b'",
        (1, 3),
        "+ does not take a number and a text",
        "double()",
    ),
    (
        "participant.tags == 'vip'",
        (1, 18),
        "== does not take a list and a text",
        "",
    ),
    (
        "event.a in 'abc'",
        (1, 9),
        "in does not take a value and a text",
        "['a', 'b']",
    ),
    (
        "participant.tags.x == 1",
        (1, 13),
        "a field needs a map, not a list",
        "",
    ),
    ("5 && true", (1, 1), "&& needs a boolean, not a number", ""),
    ("!5", (1, 2), "! needs a boolean, not a number", ""),
    (
        "true ? 1 : 2",
        (1, 6),
        "a condition must be a boolean, not a number",
        "",
    ),
    (
        "event.amount * 2",
        (1, 14),
        "a condition must be a boolean, not a number",
        "",
    ),
    ("round(1.5, 29) == 1", (1, 12), "whole number of digits", ""),
    (
        "{1: 2} == event",
        (1, 2),
        "a key of a map needs a text, not a number",
        "",
    ),
    ("{'a': 1, 'a': 2} == event", (1, 10), "the key a twice", ""),
    (
        "b'abc' == event.x",
        (1, 1),
        "bytes are not part",
        "leave out the b",
    ),
    (
        "event.a == 99999999999999999999",
        (1, 12),
        "invalid int literal",
        "",
    ),
    ("event.a == 1e100", (1, 12), "out of range", "28 digits"),
    (
        "Message{a: 1} == event",
        (1, 1),
        "messages are not part",
        "",
    ),
    ("event.?a == 1", (1, 6), "unsupported syntax", ""),
    (".event.a == 1", (1, 2), "there is no variable .event", ""),
];

#[test]
fn bad_expressions_are_refused_with_the_place_and_a_hint() {
    for (text, (line, column), message, hint) in REFUSED {
        let error = refused(text);
        assert_eq!(
            (error.place.line, error.place.column),
            (*line, *column),
            "{text}: {error}"
        );
        assert!(error.message.contains(message), "{text}: {error}");
        let found = error.hint.as_deref().unwrap_or_default();
        assert!(found.contains(hint), "{text}: {error}");
    }
}

#[test]
fn a_condition_names_the_event_types_that_it_can_be_met_by() {
    let types = |text: &str| {
        let expression = Expression::condition(text).unwrap();
        let types = expression.types().map(|names| names.join(" "));
        types.unwrap_or_else(|| "any".to_owned())
    };
    for (text, expected) in [
        ("event.type == 'a'", "a"),
        ("'a' == event['type']", "a"),
        ("event.type in ['b', 'a', 'b']", "a b"),
        ("event.type in ['a', 1]", "any"),
        ("event.type == 1", "any"),
        ("event.amount > 1 && event.type == 'a'", "a"),
        ("event.type == 'a' && event.type == 'b'", ""),
        ("event.type in ['a', 'b'] && event.type in ['b', 'c']", "b"),
        (
            "event.type == 'a' || event.type == 'b' && event.x == 1",
            "a b",
        ),
        ("event.type == 'a' || event.x == 1", "any"),
        ("event.type != 'a'", "any"),
        ("!(event.type == 'a')", "any"),
        ("event.type == event.other", "any"),
        ("event.nested.type == 'a'", "any"),
        ("event.items.exists(event, event.type == 'a')", "any"),
        ("event.type.startsWith('a')", "any"),
        ("true", "any"),
    ] {
        assert_eq!(types(text), expected, "{text}");
    }
}

#[test]
fn a_text_is_an_expression_only_if_it_names_a_variable() {
    let text = |text: &str| {
        let expression = Expression::named(text).unwrap()?;
        let (event, participant) = (fields(EVENT), ann());
        let scope = stampcard::rules::Scope {
            event: &event,
            participant: &participant,
            now: now(),
            at: now(),
        };
        Some(expression.text(scope, &mut Meter::default()).unwrap())
    };
    assert_eq!(text("ann").as_deref(), None);
    assert_eq!(text("1 + 1").as_deref(), None);
    assert_eq!(text("hello event, welcome").as_deref(), None);
    assert_eq!(text("((((").as_deref(), None);
    assert_eq!(text("event.sku").as_deref(), Some("AB-7"));
    assert_eq!(text("event.amount * 2").as_deref(), Some("99.98"));
    assert_eq!(text("now").as_deref(), Some("2026-11-30T12:00:00Z"));
    assert_eq!(
        text("participant.attributes.level").as_deref(),
        Some("gold")
    );
    assert_eq!(text("event.items.all(x, true)").as_deref(), Some("true"));
    let error = Expression::named("event-driven").unwrap_err();
    assert!(
        error.to_string().contains("there is no variable driven"),
        "{error}"
    );
}

#[test]
fn an_expression_that_can_never_be_a_text_is_refused_where_one_is_needed() {
    for (text, column, found) in [
        ("event", 1, "a map"),
        ("participant.tags", 13, "a list"),
        ("participant.counters", 13, "a map"),
        ("[event.sku]", 1, "a list"),
        ("{'sku': event.sku}", 1, "a map"),
        ("event.tags + ['c']", 12, "a list"),
        ("event.sku == 'a' ? null : null", 18, "null"),
    ] {
        let error = Expression::named(text).unwrap_err();
        let message = format!("a text is needed, not {found}");
        assert_eq!(error.message, message, "{text}");
        assert_eq!(
            (error.place.line, error.place.column),
            (1, column),
            "{text}"
        );
    }
    // Whether these are a text is known only when an event comes.
    for text in ["event.tags", "event.sku == 'a' ? event.tags : 'b'"] {
        assert!(Expression::named(text).unwrap().is_some(), "{text}");
    }
}
