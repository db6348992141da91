//! Random expressions beside an evaluator that shares no code with ours: it evaluates the tree that
//! was generated, not the text, with whole numbers and a count of decimals.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stampcard::rules::{Data, DataMap, Expression, Meter, NoValue, Number, Traits};

use crate::support::{Random, runs, value};

/// A value: a number is a whole number and how many of its digits are decimals.
#[derive(Debug, Clone, PartialEq)]
enum Plain {
    Number(i128, u32),
    Text(String),
    Bool(bool),
    List(Vec<Plain>),
}

#[derive(Debug, Clone, PartialEq)]
enum Stop {
    Absent,
    Failed,
    /// The numbers become too long to be compared digit by digit.
    TooLong,
}

#[derive(Debug)]
enum Tree {
    Constant(Plain),
    Field(&'static str),
    Has(&'static str),
    Get(&'static str, Box<Tree>),
    Local,
    Not(Box<Tree>),
    Negate(Box<Tree>),
    /// `&&` if it is false that decides.
    Logical(bool, Vec<Tree>),
    If(Box<[Tree; 3]>),
    Compare(&'static str, Box<[Tree; 2]>),
    Arithmetic(char, Box<[Tree; 2]>),
    /// By a number that divides a power of ten, or by zero.
    Divide(Box<Tree>, i128),
    In(Box<Tree>, Vec<Plain>),
    Macro(&'static str, Box<Tree>),
    Size(Box<Tree>),
}

const FIELDS: [&str; 7] = ["a", "b", "c", "s", "t", "f", "items"];

fn normal(mut mantissa: i128, mut decimals: u32) -> Result<Plain, Stop> {
    while decimals > 0 && mantissa % 10 == 0 {
        (mantissa, decimals) = (mantissa / 10, decimals - 1);
    }
    if decimals > 12 || mantissa.abs() > 1_000_000_000_000_000_000_000_000 {
        return Err(Stop::TooLong);
    }
    Ok(Plain::Number(mantissa, decimals))
}

/// Two numbers with the same count of decimals.
fn aligned(left: &Plain, right: &Plain) -> Option<(i128, i128, u32)> {
    let (Plain::Number(left, first), Plain::Number(right, second)) = (left, right) else {
        return None;
    };
    let decimals = (*first).max(*second);
    let scaled = |number: i128, own: u32| number * 10_i128.pow(decimals - own);
    Some((scaled(*left, *first), scaled(*right, *second), decimals))
}

fn equal(left: &Plain, right: &Plain) -> bool {
    match (left, right) {
        (Plain::List(left), Plain::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| equal(l, r))
        }
        _ => match aligned(left, right) {
            Some((left, right, _)) => left == right,
            None => left == right,
        },
    }
}

struct World<'a> {
    event: &'a BTreeMap<&'static str, Plain>,
    locals: Vec<Plain>,
}

impl World<'_> {
    fn truth(&mut self, tree: &Tree) -> Result<bool, Stop> {
        match self.value(tree)? {
            Plain::Bool(it) => Ok(it),
            _ => Err(Stop::Failed),
        }
    }

    fn value(&mut self, tree: &Tree) -> Result<Plain, Stop> {
        Ok(match tree {
            Tree::Constant(it) => it.clone(),
            Tree::Field(name) => self.event.get(name).ok_or(Stop::Absent)?.clone(),
            Tree::Has(name) => Plain::Bool(self.event.contains_key(name)),
            Tree::Get(name, default) => match self.event.get(name) {
                Some(found) => found.clone(),
                None => self.value(default)?,
            },
            Tree::Local => self.locals.last().unwrap().clone(),
            Tree::Not(part) => Plain::Bool(!self.truth(part)?),
            Tree::Negate(part) => match self.value(part)? {
                Plain::Number(it, decimals) => Plain::Number(-it, decimals),
                _ => return Err(Stop::Failed),
            },
            Tree::Logical(decisive, parts) => {
                let mut results = Vec::new();
                for part in parts {
                    let result = self.truth(part);
                    let is_last = result == Ok(*decisive);
                    results.push(result);
                    if is_last {
                        break;
                    }
                }
                Plain::Bool(decide(*decisive, results.into_iter())?)
            }
            Tree::If(parts) => {
                let chosen = if self.truth(&parts[0])? { 1 } else { 2 };
                self.value(&parts[chosen])?
            }
            Tree::Compare(operator, parts) => {
                let (left, right) = (self.value(&parts[0])?, self.value(&parts[1])?);
                Plain::Bool(compare(operator, &left, &right)?)
            }
            Tree::Arithmetic(operator, parts) => {
                let (left, right) = (self.value(&parts[0])?, self.value(&parts[1])?);
                arithmetic(*operator, &left, &right)?
            }
            Tree::Divide(part, by) => match (self.value(part)?, by) {
                (Plain::Number(..), 0) => return Err(Stop::Failed),
                (Plain::Number(it, decimals), by) => normal(it * 1000 / by, decimals + 3)?,
                _ => return Err(Stop::Failed),
            },
            Tree::In(part, list) => {
                let wanted = self.value(part)?;
                Plain::Bool(list.iter().any(|element| equal(element, &wanted)))
            }
            Tree::Macro(name, test) => self.each(name, test)?,
            Tree::Size(part) => match self.value(part)? {
                Plain::Text(text) => Plain::Number(text.chars().count().try_into().unwrap(), 0),
                Plain::List(list) => Plain::Number(list.len().try_into().unwrap(), 0),
                _ => return Err(Stop::Failed),
            },
        })
    }

    /// A macro over `event.items`.
    fn each(&mut self, name: &str, test: &Tree) -> Result<Plain, Stop> {
        let Plain::List(items) = self.event.get("items").ok_or(Stop::Absent)?.clone() else {
            return Err(Stop::Failed);
        };
        let decisive = name == "exists";
        let mut results = Vec::new();
        for item in &items {
            self.locals.push(item.clone());
            let result = self.truth(test);
            self.locals.pop();
            let is_last = match name {
                "all" | "exists" => result == Ok(decisive) || matches!(result, Err(Stop::Absent)),
                _ => result.is_err(),
            };
            results.push(result);
            if is_last {
                break;
            }
        }
        match name {
            "all" | "exists" => decide(decisive, results.into_iter()).map(Plain::Bool),
            _ => {
                let tests = results.into_iter().collect::<Result<Vec<bool>, Stop>>()?;
                if name == "exists_one" {
                    return Ok(Plain::Bool(tests.iter().filter(|test| **test).count() == 1));
                }
                let kept = items.into_iter().zip(tests).filter(|(_, test)| *test);
                Ok(Plain::List(kept.map(|(item, _)| item).collect()))
            }
        }
    }
}

/// What decides among several: the first that is `decisive`, whatever fails beside it.
fn decide(decisive: bool, parts: impl Iterator<Item = Result<bool, Stop>>) -> Result<bool, Stop> {
    let mut has_failed = false;
    for part in parts {
        match part {
            Ok(it) if it == decisive => return Ok(decisive),
            Ok(_) => (),
            Err(Stop::Failed) => has_failed = true,
            Err(stop) => return Err(stop),
        }
    }
    if has_failed {
        Err(Stop::Failed)
    } else {
        Ok(!decisive)
    }
}

fn compare(operator: &str, left: &Plain, right: &Plain) -> Result<bool, Stop> {
    if operator == "==" || operator == "!=" {
        return Ok(equal(left, right) == (operator == "=="));
    }
    let order = match (left, right) {
        (Plain::Text(left), Plain::Text(right)) => left.as_bytes().cmp(right.as_bytes()),
        (Plain::Bool(left), Plain::Bool(right)) => left.cmp(right),
        _ => match aligned(left, right) {
            Some((left, right, _)) => left.cmp(&right),
            None => return Err(Stop::Failed),
        },
    };
    Ok(match operator {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

fn arithmetic(operator: char, left: &Plain, right: &Plain) -> Result<Plain, Stop> {
    match (operator, left, right) {
        ('+', Plain::Text(left), Plain::Text(right)) => Ok(Plain::Text(format!("{left}{right}"))),
        ('+', Plain::List(left), Plain::List(right)) => {
            Ok(Plain::List(left.iter().chain(right).cloned().collect()))
        }
        ('*', Plain::Number(left, first), Plain::Number(right, second)) => {
            let product = left.checked_mul(*right).ok_or(Stop::TooLong)?;
            normal(product, first + second)
        }
        _ => {
            let (left, right, decimals) = aligned(left, right).ok_or(Stop::Failed)?;
            let sum = if operator == '+' {
                left + right
            } else {
                left - right
            };
            normal(sum, decimals)
        }
    }
}

const WORDS: [&str; 5] = ["", "x", "gold", "größe", "a'b\\"];

fn constant(random: &mut Random, kind: usize) -> Plain {
    match kind {
        0 => {
            let number = i128::try_from(random.below(2_000)).unwrap() - 1_000;
            normal(number, u32::try_from(random.below(3)).unwrap()).unwrap()
        }
        1 => Plain::Text((*random.pick(&WORDS)).to_owned()),
        _ => Plain::Bool(random.below(2) == 0),
    }
}

/// A tree whose constants are of a kind: 0 number, 1 text, 2 boolean. Fields are of any.
fn tree(random: &mut Random, kind: usize, depth: usize, in_macro: bool) -> Tree {
    let part = |random: &mut Random, kind| tree(random, kind, depth - 1, in_macro);
    if depth == 0 || random.below(6) == 0 {
        return match random.below(if in_macro { 4 } else { 3 }) {
            0 => Tree::Constant(constant(random, kind)),
            1 | 2 => Tree::Field(random.pick::<&str>(&FIELDS)),
            _ => Tree::Local,
        };
    }
    if random.below(8) == 0 {
        let parts = [part(random, 2), part(random, kind), part(random, kind)];
        return Tree::If(Box::new(parts));
    }
    if random.below(10) == 0 {
        return Tree::Get(random.pick::<&str>(&FIELDS), Box::new(part(random, kind)));
    }
    match kind {
        0 => match random.below(6) {
            0 => Tree::Negate(Box::new(part(random, 0))),
            1 => Tree::Divide(
                Box::new(part(random, 0)),
                *random.pick(&[0, 2, 4, 5, 8, 10]),
            ),
            2 => {
                let kind = random.below(2) + 1;
                let of = if kind == 1 {
                    part(random, 1)
                } else {
                    Tree::Field("items")
                };
                Tree::Size(Box::new(of))
            }
            _ => {
                let parts = [part(random, 0), part(random, 0)];
                Tree::Arithmetic(*random.pick(&['+', '-', '*']), Box::new(parts))
            }
        },
        1 => Tree::Arithmetic('+', Box::new([part(random, 1), part(random, 1)])),
        _ => test(random, depth, in_macro),
    }
}

/// A tree whose value is a boolean.
fn test(random: &mut Random, depth: usize, in_macro: bool) -> Tree {
    let part = |random: &mut Random, kind| tree(random, kind, depth - 1, in_macro);
    match random.below(8) {
        0 => Tree::Has(random.pick::<&str>(&FIELDS)),
        1 => Tree::Not(Box::new(part(random, 2))),
        2 | 3 => {
            let parts = (0..random.below(4) + 2).map(|_| part(random, 2));
            let parts: Vec<Tree> = parts.collect::<Vec<_>>();
            Tree::Logical(random.below(2) == 0, parts)
        }
        4 => {
            let kind = random.below(3);
            let list = (0..random.below(4))
                .map(|_| constant(random, kind))
                .collect();
            Tree::In(Box::new(part(random, kind)), list)
        }
        5 => {
            let name = *random.pick(&["all", "exists", "exists_one", "filter"]);
            let test = Box::new(tree(random, 2, depth - 1, true));
            match name {
                "filter" => {
                    let filtered = Tree::Size(Box::new(Tree::Macro(name, test)));
                    let one = Tree::Constant(Plain::Number(1, 0));
                    Tree::Compare(">", Box::new([filtered, one]))
                }
                _ => Tree::Macro(name, test),
            }
        }
        _ => {
            let kind = random.below(3);
            let parts = [part(random, kind), part(random, kind)];
            let operator = random.pick(&["==", "!=", "<", "<=", ">", ">="]);
            Tree::Compare(operator, Box::new(parts))
        }
    }
}

fn show_plain(it: &Plain) -> String {
    match it {
        Plain::Number(mantissa, decimals) => {
            Number::from_i128_with_scale(*mantissa, *decimals).to_string()
        }
        Plain::Text(text) => format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'")),
        Plain::Bool(it) => it.to_string(),
        Plain::List(list) => {
            let list: Vec<String> = list.iter().map(show_plain).collect();
            format!("[{}]", list.join(", "))
        }
    }
}

fn show(tree: &Tree, depth: usize) -> String {
    let inner = |tree: &Tree| show(tree, depth);
    match tree {
        Tree::Constant(it) => show_plain(it),
        Tree::Field(name) => format!("event.{name}"),
        Tree::Has(name) => format!("has(event.{name})"),
        Tree::Get(name, default) => format!("get(event, '{name}', {})", inner(default)),
        Tree::Local => format!("x{}", depth - 1),
        Tree::Not(part) => format!("!({})", inner(part)),
        Tree::Negate(part) => format!("-({})", inner(part)),
        Tree::Logical(decisive, parts) => {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| format!("({})", inner(part)))
                .collect();
            parts.join(if *decisive { " || " } else { " && " })
        }
        Tree::If(parts) => {
            let [test, yes, no] = &**parts;
            format!("(({}) ? ({}) : ({}))", inner(test), inner(yes), inner(no))
        }
        Tree::Compare(operator, parts) => {
            format!("({}) {operator} ({})", inner(&parts[0]), inner(&parts[1]))
        }
        Tree::Arithmetic(operator, parts) => {
            format!("({}) {operator} ({})", inner(&parts[0]), inner(&parts[1]))
        }
        Tree::Divide(part, by) => format!("({}) / {by}", inner(part)),
        Tree::In(part, list) => {
            let list: Vec<String> = list.iter().map(show_plain).collect();
            format!("({}) in [{}]", inner(part), list.join(", "))
        }
        Tree::Macro(name, test) => {
            format!("event.items.{name}(x{depth}, {})", show(test, depth + 1))
        }
        Tree::Size(part) => format!("size({})", inner(part)),
    }
}

fn data(it: &Plain) -> Data {
    match it {
        Plain::Number(mantissa, decimals) => {
            Data::Number(Number::from_i128_with_scale(*mantissa, *decimals))
        }
        Plain::Text(text) => Data::Text(text.as_str().into()),
        Plain::Bool(it) => Data::Bool(*it),
        Plain::List(list) => Data::List(list.iter().map(data).collect()),
    }
}

fn event(random: &mut Random) -> BTreeMap<&'static str, Plain> {
    let mut event = BTreeMap::new();
    for (place, name) in FIELDS.into_iter().enumerate() {
        if random.below(4) == 0 {
            continue;
        }
        // Mostly of the kind that the place suggests.
        let kind = if random.below(8) == 0 {
            random.below(3)
        } else {
            [0, 0, 0, 1, 1, 2, 3][place]
        };
        let it = match kind {
            3 => {
                let kind = random.below(3);
                let items = (0..random.below(5)).map(|_| constant(random, kind));
                Plain::List(items.collect())
            }
            kind => constant(random, kind),
        };
        event.insert(name, it);
    }
    event
}

/// What came out, by kind of result.
fn compare_many(seed: u64, count: u64) -> BTreeMap<&'static str, u64> {
    let mut tally = BTreeMap::new();
    for number in 0..count {
        let mut random = Random(seed.wrapping_add(number));
        let kind = random.below(3);
        let depth = random.below(5) + 1;
        let tree = tree(&mut random, kind, depth, false);
        let text = show(&tree, 0);
        if text.len() > Expression::BYTES_MAX {
            continue;
        }
        let event = event(&mut random);
        let mut naive = World {
            event: &event,
            locals: Vec::new(),
        };
        let expected = naive.value(&tree);
        let fields: DataMap = event
            .iter()
            .map(|(name, it)| ((*name).into(), data(it)))
            .collect();
        let mut shown = format!("seed {number}: {text}\n");
        write!(shown, "{fields:?}").unwrap();
        let expression = Expression::compile(&text);
        let expression = expression.unwrap_or_else(|error| panic!("{error}: {shown}"));
        let found = value(
            &expression,
            &fields,
            &Traits::default(),
            &mut Meter::default(),
        );
        let what = match (&expected, &found) {
            (Err(Stop::TooLong), _) => "too long",
            (Err(Stop::Absent), Err(NoValue::Absent(_))) => "absent",
            (Err(Stop::Failed), Err(NoValue::Failed(_))) => "failed",
            (Ok(expected), Ok(found)) if data(expected) == *found => match found {
                Data::Bool(true) => "true",
                Data::Bool(false) => "false",
                Data::Number(_) => "number",
                _ => "other",
            },
            _ => panic!("expected {expected:?}, found {found:?}: {shown}"),
        };
        *tally.entry(what).or_insert(0) += 1;
    }
    tally
}

#[test]
fn random_expressions_have_the_values_of_a_plain_evaluator() {
    let tally = compare_many(17, 20_000);
    println!("{tally:?}");
    for what in ["absent", "failed", "true", "false", "number", "other"] {
        assert!(tally[what] > 200, "{what}: {tally:?}");
    }
    assert!(
        tally.get("too long").copied().unwrap_or(0) < 2_000,
        "{tally:?}"
    );
}

#[test]
#[ignore = "the long form: RULES_RUNS, or two million expressions"]
fn many_random_expressions_have_the_values_of_a_plain_evaluator() {
    println!("{:?}", compare_many(1_000_000_007, runs(2_000_000)));
}
