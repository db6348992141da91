//! The evaluator.
//!
//! It follows the compiled form, whose depth is bounded, and asks the meter before it does anything
//! whose size is not. `&&` and `||` are lazy, from left to right; as in CEL, a failure beside a
//! part that decides the result does not count. An absent field ends the evaluation.

use std::rc::Rc;

use rust_decimal::prelude::ToPrimitive;

use super::error::Failure;
use super::meter::Meter;
use super::node::{Arithmetic, Comparison, Loop, Macro, Node, Variable};
use super::number::Number;
use super::scope::Scope;
use super::value::{List, Map, Stop, Text, Value};

pub(super) struct Evaluator<'a, 'm> {
    pub(super) scope: Scope<'a>,
    pub(super) meter: &'m mut Meter,
    pub(super) locals: Vec<Value<'a>>,
}

pub(super) type Result<'a, T = Value<'a>> = std::result::Result<T, Stop<'a>>;

impl<'a> Evaluator<'a, '_> {
    pub(super) fn value(&mut self, node: &'a Node) -> Result<'a> {
        self.meter.steps(1)?;
        match node {
            Node::Constant(data) => Value::of(data),
            Node::Variable(variable) => Ok(self.variable(*variable)),
            // The compiler made the index from the macros around.
            Node::Local(index) => Ok(self.locals.get(*index).cloned().unwrap_or(Value::Null)),
            Node::Field(of, name) => {
                let of = self.value(of)?;
                self.field(&of, Text::Borrowed(name))
            }
            Node::Has(of, name) => match self.value(of)? {
                Value::Map(map) => Ok(Value::Bool(self.has(&map, name)?)),
                other => Err(other.refused("has")),
            },
            Node::Index(parts) => self.index(&parts[0], &parts[1]),
            Node::Not(part) => Ok(Value::Bool(!self.boolean(part, "!")?)),
            Node::Negate(part) => Ok(Value::Number(-self.number(part, "-")?)),
            Node::And(parts) => self.all(parts, false, "&&"),
            Node::Or(parts) => self.all(parts, true, "||"),
            Node::If(parts) => {
                let chosen = if self.boolean(&parts[0], "?")? { 1 } else { 2 };
                self.value(&parts[chosen])
            }
            Node::Compare(comparison, parts) => self.compare(*comparison, &parts[0], &parts[1]),
            Node::Arithmetic(operator, parts) => self.arithmetic(*operator, &parts[0], &parts[1]),
            Node::In(parts) => self.is_in(&parts[0], &parts[1]),
            Node::List(parts) => self.list(parts),
            Node::Map(entries) => self.map(entries),
            Node::Loop(of) => self.run(of),
            Node::Call(function, arguments) => self.call(*function, arguments),
        }
    }

    fn variable(&self, variable: Variable) -> Value<'a> {
        let participant = self.scope.participant;
        match variable {
            Variable::Event => Value::Map(Map::Data(self.scope.event)),
            Variable::Tags => Value::List(List::Tags(participant.tags())),
            Variable::Counters => Value::Map(Map::Counters(&participant.counters, self.scope.at)),
            Variable::Attributes => Value::Map(Map::Data(&participant.attributes)),
            Variable::Now => Value::Time(self.scope.now),
        }
    }

    fn field(&mut self, of: &Value<'a>, name: Text<'a>) -> Result<'a> {
        let Value::Map(map) = of else {
            return Err(of.refused("a field"));
        };
        let found = map.get(name.as_str(), self.meter)?;
        found.ok_or(Stop::Absent(name))
    }

    /// Whether a map has a field, even one that cannot be read.
    fn has(&mut self, map: &Map<'a>, name: &str) -> Result<'a, bool> {
        match map {
            Map::Data(fields) => Ok(fields.contains_key(name)),
            _ => Ok(map.get(name, self.meter)?.is_some()),
        }
    }

    fn index(&mut self, of: &'a Node, index: &'a Node) -> Result<'a> {
        let (of, index) = (self.value(of)?, self.value(index)?);
        match (&of, index) {
            (Value::Map(_), Value::Text(name)) => self.field(&of, name),
            (Value::List(list), Value::Number(number)) => {
                let place = number.is_integer().then(|| number.to_usize()).flatten();
                match place.and_then(|place| list.get(place)) {
                    Some(element) => element,
                    None => Err(Stop::Absent(
                        self.make_text(&format!("[{}]", number.normalize()))?,
                    )),
                }
            }
            (of, index) => Err(Stop::Failed(Failure::Kinds {
                operation: "[]",
                left: of.kind(),
                right: index.kind(),
            })),
        }
    }

    pub(super) fn boolean(&mut self, node: &'a Node, operation: &'static str) -> Result<'a, bool> {
        match self.value(node)? {
            Value::Bool(value) => Ok(value),
            other => Err(other.refused(operation)),
        }
    }

    pub(super) fn number(&mut self, node: &'a Node, operation: &'static str) -> Result<'a, Number> {
        match self.value(node)? {
            Value::Number(number) => Ok(number),
            other => Err(other.refused(operation)),
        }
    }

    /// Parts of which the first one that is `decisive` decides.
    fn all(&mut self, parts: &'a [Node], decisive: bool, operation: &'static str) -> Result<'a> {
        let mut failure = None;
        for part in parts {
            match self.boolean(part, operation) {
                Ok(value) if value == decisive => return Ok(Value::Bool(decisive)),
                Ok(_) => (),
                Err(Stop::Failed(first)) => _ = failure.get_or_insert(first),
                Err(stop) => return Err(stop),
            }
        }
        failure.map_or(Ok(Value::Bool(!decisive)), |it| Err(Stop::Failed(it)))
    }

    fn compare(&mut self, comparison: Comparison, left: &'a Node, right: &'a Node) -> Result<'a> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let is_met = match comparison {
            Comparison::Equal => left.equals(&right, self.meter)?,
            Comparison::Different => !left.equals(&right, self.meter)?,
            _ => {
                let order = left.order(&right, comparison.symbol(), self.meter)?;
                match comparison {
                    Comparison::Less => order.is_lt(),
                    Comparison::LessOrEqual => order.is_le(),
                    Comparison::Greater => order.is_gt(),
                    _ => order.is_ge(),
                }
            }
        };
        Ok(Value::Bool(is_met))
    }

    fn arithmetic(&mut self, operator: Arithmetic, left: &'a Node, right: &'a Node) -> Result<'a> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        let result = match (&left, &right) {
            (Value::Number(left), Value::Number(right)) => match operator {
                Arithmetic::Add => left.checked_add(*right),
                Arithmetic::Subtract => left.checked_sub(*right),
                Arithmetic::Multiply => left.checked_mul(*right),
                Arithmetic::Divide | Arithmetic::Remainder if right.is_zero() => {
                    return Err(Stop::Failed(Failure::DivisionByZero));
                }
                Arithmetic::Divide => left.checked_div(*right),
                Arithmetic::Remainder => left.checked_rem(*right),
            },
            (Value::Text(left), Value::Text(right)) if operator == Arithmetic::Add => {
                let text = (left.as_str(), right.as_str());
                self.meter.memory(text.0.len() + text.1.len())?;
                self.meter.text(text.0.len() + text.1.len())?;
                return Ok(Value::Text(Text::Made(
                    format!("{}{}", text.0, text.1).into(),
                )));
            }
            (Value::List(left), Value::List(right)) if operator == Arithmetic::Add => {
                self.pay_elements(left.len() + right.len())?;
                let elements = left.iter().chain(right.iter());
                let elements: Rc<[Value<'a>]> = elements.collect::<Result<'a, _>>()?;
                return Ok(Value::List(List::Made(elements)));
            }
            _ => {
                return Err(Stop::Failed(Failure::Kinds {
                    operation: operator.symbol(),
                    left: left.kind(),
                    right: right.kind(),
                }));
            }
        };
        result
            .map(Value::Number)
            .ok_or(Stop::Failed(Failure::OutOfRange))
    }

    fn is_in(&mut self, wanted: &'a Node, list: &'a Node) -> Result<'a> {
        let (wanted, list) = (self.value(wanted)?, self.value(list)?);
        let is_in = match (&wanted, &list) {
            (wanted, Value::List(list)) => list.contains(wanted, self.meter)?,
            (Value::Text(name), Value::Map(map)) => self.has(map, name.as_str())?,
            // As every other value than a text, it is no key.
            (_, Value::Map(_)) => false,
            (wanted, list) => {
                return Err(Stop::Failed(Failure::Kinds {
                    operation: "in",
                    left: wanted.kind(),
                    right: list.kind(),
                }));
            }
        };
        Ok(Value::Bool(is_in))
    }

    /// Pays for a list that is made.
    fn pay_elements(&mut self, elements: usize) -> Result<'a, ()> {
        self.meter
            .memory(elements.saturating_mul(size_of::<Value<'_>>()))?;
        self.meter.steps(elements)?;
        Ok(())
    }

    pub(super) fn make_text(&mut self, text: &str) -> Result<'a, Text<'a>> {
        self.meter.memory(text.len())?;
        Ok(Text::Made(text.into()))
    }

    fn list(&mut self, parts: &'a [Node]) -> Result<'a> {
        self.pay_elements(parts.len())?;
        let mut elements = Vec::with_capacity(parts.len());
        for part in parts {
            elements.push(self.value(part)?);
        }
        Ok(Value::List(List::Made(elements.into())))
    }

    fn map(&mut self, entries: &'a [[Node; 2]]) -> Result<'a> {
        self.pay_elements(entries.len().saturating_mul(2))?;
        let mut made: Vec<(Text<'a>, Value<'a>)> = Vec::with_capacity(entries.len());
        for [key, value] in entries {
            let key = match self.value(key)? {
                Value::Text(key) => key,
                other => return Err(other.refused("a key of a map")),
            };
            self.meter.steps(made.len())?;
            if made.iter().any(|(other, _)| other.as_str() == key.as_str()) {
                return Err(Stop::Failed(Failure::SameKey));
            }
            let value = self.value(value)?;
            made.push((key, value));
        }
        Ok(Value::Map(Map::Made(made.into())))
    }

    /// A macro over the elements of a list, or over the keys of a map.
    fn run(&mut self, of: &'a Loop) -> Result<'a> {
        let over = match self.value(&of.over)? {
            Value::List(list) => list,
            Value::Map(map) => {
                self.pay_elements(map.len())?;
                let keys = map.keys().into_iter().map(Value::Text);
                List::Made(keys.collect())
            }
            other => return Err(other.refused(of.kind.name())),
        };
        let depth = self.locals.len();
        let mut found = Found::default();
        for element in over.iter() {
            self.locals.push(element?);
            let is_decided = self.visit(of, &mut found);
            self.locals.truncate(depth);
            if is_decided? {
                break;
            }
        }
        if let Some(failure) = found.failure.filter(|_| !found.is_decided) {
            return Err(Stop::Failed(failure));
        }
        Ok(match of.kind {
            Macro::All => Value::Bool(!found.is_decided),
            Macro::Exists => Value::Bool(found.is_decided),
            Macro::ExistsOne => Value::Bool(found.count == 1),
            Macro::Filter | Macro::Map => Value::List(List::Made(found.made.into())),
        })
    }

    /// Whether the element that is the last local decides the result.
    fn visit(&mut self, of: &'a Loop, found: &mut Found<'a>) -> Result<'a, bool> {
        let test = match &of.test {
            Some(test) => self.boolean(test, of.kind.name()),
            None => Ok(true),
        };
        let is_met = match (of.kind, test) {
            (Macro::All | Macro::Exists, Err(Stop::Failed(first))) => {
                found.failure.get_or_insert(first);
                return Ok(false);
            }
            (_, test) => test?,
        };
        match of.kind {
            Macro::All => found.is_decided = !is_met,
            Macro::Exists => found.is_decided = is_met,
            Macro::ExistsOne => found.count += usize::from(is_met),
            Macro::Filter | Macro::Map if is_met => {
                let made = match &of.made {
                    Some(made) => self.value(made)?,
                    None => self.locals.last().cloned().unwrap_or(Value::Null),
                };
                self.pay_elements(1)?;
                found.made.push(made);
            }
            Macro::Filter | Macro::Map => (),
        }
        Ok(found.is_decided)
    }
}

/// What a macro found so far.
#[derive(Default)]
struct Found<'a> {
    is_decided: bool,
    failure: Option<Failure>,
    count: usize,
    made: Vec<Value<'a>>,
}
