//! Functions of expressions.

use rust_decimal::RoundingStrategy;
use rust_decimal::prelude::ToPrimitive;

use crate::domain::Timestamp;

use super::calls::DIGITS_MAX;
use super::error::Failure;
use super::eval::{Evaluator, Result};
use super::meter::Meter;
use super::node::{Function, Node};
use super::number::parse_number;
use super::value::{List, Stop, Value};

impl<'a> Evaluator<'a, '_> {
    /// Evaluates a call. The compiler checked the number of arguments.
    pub(super) fn call(&mut self, function: Function, arguments: &'a [Node]) -> Result<'a> {
        let [first, rest @ ..] = arguments else {
            return Ok(Value::Null);
        };
        let first = self.value(first)?;
        match (function, rest) {
            (Function::Size, _) => size(&first, self.meter),
            (Function::Get, [key, default]) => {
                let (Value::Map(map), Value::Text(key)) = (&first, self.value(key)?) else {
                    return Err(first.refused("get"));
                };
                match map.get(key.as_str(), self.meter)? {
                    Some(found) => Ok(found),
                    None => self.value(default),
                }
            }
            (Function::Double, _) => double(first, self.meter),
            (Function::Int, _) => match double(first, self.meter)? {
                Value::Number(number) => Ok(Value::Number(number.trunc())),
                other => Ok(other),
            },
            (Function::Round, digits) => {
                let Value::Number(number) = first else {
                    return Err(first.refused("round"));
                };
                let digits = match digits {
                    [digits, ..] => {
                        let digits = self.number(digits, "round")?;
                        let whole = digits.is_integer().then(|| digits.to_u32()).flatten();
                        let whole = whole.filter(|digits| *digits <= DIGITS_MAX);
                        whole.ok_or(Stop::Failed(Failure::NoDigits))?
                    }
                    [] => 0,
                };
                let way = RoundingStrategy::MidpointAwayFromZero;
                Ok(Value::Number(number.round_dp_with_strategy(digits, way)))
            }
            (Function::Timestamp, _) => match &first {
                Value::Time(_) => Ok(first),
                Value::Text(text) => {
                    let time = Timestamp::parse(text.as_str());
                    time.map(Value::Time).ok_or(Stop::Failed(Failure::NoTime))
                }
                other => Err(other.refused("timestamp")),
            },
            (Function::Contains | Function::StartsWith | Function::EndsWith, [second, ..]) => {
                let second = self.value(second)?;
                texts(function, &first, &second, self.meter)
            }
            (Function::SetsContains | Function::SetsIntersects, [second, ..]) => {
                let second = self.value(second)?;
                sets(function, &first, &second, self.meter)
            }
            _ => Ok(Value::Null),
        }
    }
}

fn size<'a>(value: &Value<'a>, meter: &mut Meter) -> Result<'a> {
    let size = match value {
        Value::Text(text) => {
            meter.text(text.as_str().len())?;
            text.as_str().chars().count()
        }
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        other => return Err(other.refused("size")),
    };
    Ok(Value::Number(size.into()))
}

fn double<'a>(value: Value<'a>, meter: &mut Meter) -> Result<'a> {
    match value {
        Value::Number(_) => Ok(value),
        Value::Text(text) => {
            meter.text(text.as_str().len())?;
            let number = parse_number(text.as_str());
            number
                .map(Value::Number)
                .ok_or(Stop::Failed(Failure::NoNumber))
        }
        other => Err(other.refused("double")),
    }
}

fn texts<'a>(
    function: Function,
    text: &Value<'a>,
    part: &Value<'a>,
    meter: &mut Meter,
) -> Result<'a> {
    let (operation, is_met): (_, fn(&str, &str) -> bool) = match function {
        Function::StartsWith => ("startsWith", |text, part| text.starts_with(part)),
        Function::EndsWith => ("endsWith", |text, part| text.ends_with(part)),
        _ => ("contains", |text, part| text.contains(part)),
    };
    let (Value::Text(text), Value::Text(part)) = (text, part) else {
        return Err(Stop::Failed(Failure::Kinds {
            operation,
            left: text.kind(),
            right: part.kind(),
        }));
    };
    meter.text(text.as_str().len() + part.as_str().len())?;
    Ok(Value::Bool(is_met(text.as_str(), part.as_str())))
}

fn sets<'a>(
    function: Function,
    first: &Value<'a>,
    second: &Value<'a>,
    meter: &mut Meter,
) -> Result<'a> {
    let (Value::List(first), Value::List(second)) = (first, second) else {
        return Err(Stop::Failed(Failure::Kinds {
            operation: "sets",
            left: first.kind(),
            right: second.kind(),
        }));
    };
    let contains = |wanted: Value<'a>, list: &List<'a>, meter: &mut Meter| {
        meter.steps(1)?;
        list.contains(&wanted, meter)
    };
    let is_any = function == Function::SetsIntersects;
    for wanted in second.iter() {
        if contains(wanted?, first, meter)? == is_any {
            return Ok(Value::Bool(is_any));
        }
    }
    Ok(Value::Bool(!is_any))
}
