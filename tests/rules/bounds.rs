//! Nothing that is written as an expression, and no event, panics or costs more than is allowed.

use proptest::prelude::*;
use stampcard::rules::{Data, DataMap, Expression, Limit, Meter, NoValue, Traits};

use crate::support::{Random, fields, runs, value};

/// Parts of expressions and of what is nearly one.
const PARTS: &[&str] = &[
    "event",
    "participant",
    "now",
    "sets",
    "x",
    "y",
    ".",
    ".a",
    ".items",
    ".tags",
    ".counters",
    ".attributes",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "?",
    ":",
    "+",
    "-",
    "*",
    "/",
    "%",
    "!",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "&&",
    "||",
    " in ",
    "=",
    "&",
    "|",
    "true",
    "false",
    "null",
    "1",
    "0",
    "0.5",
    "1e3",
    "1e-9",
    "0x1F",
    "5u",
    "9223372036854775807",
    "79228162514264337593543950335.0",
    "'a'",
    "\"b\"",
    "r'\\'",
    "'''c'''",
    "b'd'",
    "'",
    "\"",
    "`",
    "\\",
    "\n",
    "\r",
    "\t",
    " ",
    "//",
    "é",
    "𝄞",
    "\0",
    "has(",
    "get(",
    "size(",
    "round(",
    "double(",
    "int(",
    "timestamp(",
    "matches(",
    ".all(x,",
    ".exists(x,",
    ".exists_one(x,",
    ".map(x,",
    ".filter(x,",
    ".map(x,true,",
    ".size()",
    "sets.contains(",
    "sets.intersects(",
    ".contains(",
    ".startsWith(",
    "if",
    "for",
    "@",
    "#",
    "$",
    "event.items.map(x, event.items.map(y, ",
    "[1,2,3,4,5,6,7,8,9]",
    "'\\u00e9'",
    "'\\U0001F600'",
    "'\\x41'",
    "'\\777'",
    "'\\uD800'",
];

fn event(items: usize) -> DataMap {
    let items: Vec<String> = (0..items)
        .map(|n| format!(r#"{{"a": {n}, "b": "t{n}"}}"#))
        .collect();
    fields(&format!(
        r#"{{"type": "purchase", "a": 12.5, "b": "text", "items": [{}]}}"#,
        items.join(", ")
    ))
}

/// Compiles and evaluates a text, and checks that it cost no more than is allowed. Returns whether
/// it is an expression.
fn check(text: &str, event: &DataMap) -> bool {
    let _ = Expression::named(text);
    let Ok(expression) = Expression::compile(text) else {
        return false;
    };
    for (steps, bytes) in [(Meter::STEPS_MAX, Meter::BYTES_MAX), (50, 1_000), (0, 0)] {
        let mut meter = Meter::new(steps, bytes);
        let value = value(&expression, event, &Traits::default(), &mut meter);
        if let Err(NoValue::Exhausted(limit)) = value {
            let left = match limit {
                Limit::Steps => meter.steps_left(),
                Limit::Memory => meter.bytes_left(),
            };
            assert_eq!(left, 0, "{text}");
        }
        assert!(
            meter.steps_left() <= steps && meter.bytes_left() <= bytes,
            "{text}"
        );
        assert!(
            steps > 0 || matches!(value, Err(NoValue::Exhausted(Limit::Steps))),
            "{text}"
        );
    }
    true
}

/// A text of random parts.
fn random_text(random: &mut Random) -> String {
    let length = random.below(24) + 1;
    (0..length).map(|_| *random.pick(PARTS)).collect()
}

/// A text that is an expression, with one part of it replaced.
fn mutated(random: &mut Random) -> String {
    const WHOLE: &[&str] = &[
        "event.items.exists(x, x.a > 38 && x.b.startsWith('t'))",
        "event.type == 'purchase' && round(event.a * 0.1, 2) >= 1.25 || !has(event.c)",
        "get(event, 'c', {'k': [1, 2, event.a]}).k[0] in [1, 2, 3] ? 'yes' : \"no\" + 'maybe'",
        "sets.contains(participant.tags, ['a', 'b']) || participant.counters.visits % 10 == 0",
        "event.items.map(x, x.a > 1, x.a).filter(x, x < 5).size() + int(double('12.5'))",
        "now >= timestamp('2026-01-01T00:00:00Z') && -event.a < --1",
    ];
    let text = *random.pick(WHOLE);
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    let (from, to) = (*random.pick(&starts), *random.pick(&starts));
    let (from, to) = (from.min(to), from.max(to));
    match random.below(3) {
        0 => format!("{}{}", &text[..from], &text[to..]),
        1 => format!("{}{}{}", &text[..from], random.pick(PARTS), &text[to..]),
        _ => format!("{}{}{}", &text[..to], &text[from..to], &text[to..]),
    }
}

/// The number of random texts that are expressions.
fn fuzz(seed: u64, count: u64) -> u64 {
    let event = event(40);
    let mut expressions = 0;
    for number in 0..count {
        let mut random = Random(seed.wrapping_add(number));
        let text = match random.below(2) {
            0 => random_text(&mut random),
            _ => mutated(&mut random),
        };
        expressions += u64::from(check(&text, &event));
    }
    expressions
}

#[test]
fn no_random_text_panics_or_costs_too_much() {
    let expressions = fuzz(23, 10_000);
    assert!(expressions > 250, "{expressions} are expressions");
}

#[test]
#[ignore = "the long form: RULES_RUNS, or two million texts"]
fn none_of_many_random_texts_panics_or_costs_too_much() {
    let count = runs(2_000_000);
    println!("{} of {count} are expressions", fuzz(2_000_000_011, count));
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        check(&text, &DataMap::new());
    }

    #[test]
    fn no_bytes_are_data_that_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Data::parse_event(&String::from_utf8_lossy(&bytes));
    }
}

/// Runs on a stack that is as small as that of a thread of the server.
fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(run).unwrap().join().unwrap();
}

#[test]
fn what_is_nested_deeply_is_refused_before_it_is_parsed() {
    on_a_small_stack(|| {
        let half = |open: &str, close: &str| {
            let count = 4_000 / (open.len() + close.len());
            format!("{}1{}", open.repeat(count), close.repeat(count))
        };
        for text in [
            half("(", ")"),
            half("[", "]"),
            half("{'a':", "}"),
            half("!", ""),
            half("-", ""),
            half("!-", ""),
            half("1+", ""),
            half("1<", ""),
            half("true?1:", ""),
            half("true?", ":1"),
            half("f(", ")"),
            half("x.f(", ")"),
            half("[1].all(x,", ")"),
            half("has(x.", ")"),
            half("", ".a"),
            half("", "[0]"),
            half("", ".f()"),
            half("(1+", ")"),
            half("(1+1||", ")"),
            half("(", ""),
            half("[", ""),
            half("", ")"),
            half("(", ")("),
            format!("@{}", half("(", ")")),
            format!("){}", half("1+", "")),
            format!("[){}", half("1+", "")),
            format!("f(]{}", half("-", "")),
            format!("'a{}", half("(1+", ")")),
        ] {
            assert!(Expression::compile(&text).is_err(), "{text}");
        }
        // What is long but flat is allowed.
        let conditions = vec!["event.a == 1"; 240].join(" || ");
        let compiled = Expression::condition(&conditions);
        assert!(compiled.is_ok(), "{compiled:?}");
        let conditions = vec!["(event.a == 1)"; 220].join(" && ");
        let compiled = Expression::condition(&conditions);
        assert!(compiled.is_ok(), "{compiled:?}");
        let list = vec!["'abcdef'"; 400].join(",");
        assert!(Expression::condition(&format!("event.a in [{list}]")).is_ok());
        let long = format!("event.a == '{}'", "x".repeat(Expression::BYTES_MAX));
        let error = Expression::condition(&long).unwrap_err();
        assert_eq!(error.message, "an expression has at most 4096 bytes");
    });
}

/// The deepest expressions that are allowed, each evaluated on a small stack.
#[test]
fn what_is_nested_as_deeply_as_allowed_fits_on_a_small_stack() {
    on_a_small_stack(|| {
        let event = event(40);
        let deepest = |open: &str, middle: &str, close: &str| {
            let text =
                |count: usize| format!("{}{middle}{}", open.repeat(count), close.repeat(count));
            let count = (1..200).take_while(|count| Expression::compile(&text(*count)).is_ok());
            let count = count.last().unwrap_or_default();
            assert!(check(&text(count), &event), "{}", text(count));
            count
        };
        for (open, middle, close) in [
            ("(", "1", ")"),
            ("[", "1", "]"),
            ("{'a':", "1", "}"),
            ("1+", "1", ""),
            ("(1+", "1", ")"),
            ("true?1:", "1", ""),
            ("!(true&&", "true", ")"),
            ("[1].exists(x,", "true", ")"),
            ("[1].map(x,", "1", ")"),
            ("", "event", "[\"a\"]"),
            ("round(1+", "1", ")"),
        ] {
            let count = deepest(open, middle, close);
            assert!(count >= 24, "{open}{middle}{close}: {count}");
        }
    });
}

#[test]
fn a_runaway_expression_stops_at_its_budget() {
    let event = event(400);
    let exhausted = |text: &str| {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let mut meter = Meter::default();
        match value(&expression, &event, &Traits::default(), &mut meter) {
            Err(NoValue::Exhausted(limit)) => limit,
            other => panic!("{text}: {other:?}"),
        }
    };
    for text in [
        // 400 x 400 elements.
        "event.items.all(x, event.items.exists(y, y.a == x.a))",
        "event.items.all(x, event.items.all(y, event.items.all(z, true)))",
        "event.items.map(x, event.items).map(x, x) == event.items.map(x, event.items)",
        "sets.contains(event.items, event.items)",
    ] {
        assert_eq!(exhausted(text), Limit::Steps, "{text}");
    }
    let doubled = format!("['{}']{}", "x".repeat(100), ".map(x, x + x)".repeat(20));
    assert_eq!(exhausted(&doubled), Limit::Memory);
    let doubled = format!("[event.items]{}", ".map(x, x + x)".repeat(12));
    assert_eq!(exhausted(&doubled), Limit::Memory);
    // Shared parts are small until they are compared, or returned.
    let shared = format!("[event]{}", ".map(x, [x, x, x, x])".repeat(18));
    assert_eq!(exhausted(&shared), Limit::Memory);
    assert_eq!(exhausted(&format!("{shared} == {shared}")), Limit::Steps);
}

/// 125 bytes that made the parser take all memory in earlier versions of it.
#[test]
fn short_bombs_are_harmless() {
    let event = event(40);
    for text in [
        "[1].map(x,[1].map(x,[1].map(x,[1].map(x,[1].map(x,[1].map(x,[1].map(x,[1].map(x,[1].map(x,x)))))))))",
        "x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x.all(x,x))))))))))))",
        "a.exists_one(a,a.exists_one(a,a.exists_one(a,a.exists_one(a,a.exists_one(a,a.exists_one(a,a.exists_one(a,a)))))))",
        "has(a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s.t.u.v.w.x.y.z)",
        "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((",
        "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
        "????????????????????????????????????????????????????????????",
        "''''''''''''''''''''''''''''''''''''''''''''''''''''''''''''",
    ] {
        check(text, &event);
    }
}
