//! Values of expressions while they are evaluated.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::domain::Timestamp;

use super::data::{Data, DataMap};
use super::error::{Failure, Limit, NoValue};
use super::kind::Kind;
use super::meter::Meter;
use super::number::Number;
use super::scope::Counter;

/// The reason why an evaluation ends without a value.
#[derive(Debug)]
pub(super) enum Stop<'a> {
    Absent(Text<'a>),
    Failed(Failure),
    Exhausted(Limit),
}

impl From<Limit> for Stop<'_> {
    fn from(limit: Limit) -> Self {
        Self::Exhausted(limit)
    }
}

impl Stop<'_> {
    pub(super) fn into_no_value(self) -> NoValue {
        match self {
            Self::Absent(field) => NoValue::Absent(field.as_str().into()),
            Self::Failed(failure) => NoValue::Failed(failure),
            Self::Exhausted(limit) => NoValue::Exhausted(limit),
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Text<'a> {
    Borrowed(&'a str),
    Made(Rc<str>),
}

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum List<'a> {
    Data(&'a [Data]),
    Tags(&'a [Box<str>]),
    Made(Rc<[Value<'a>]>),
}

#[derive(Debug, Clone)]
pub(super) enum Map<'a> {
    Data(&'a DataMap),
    /// Counters with their values at a time.
    Counters(&'a BTreeMap<Box<str>, Counter>, Timestamp),
    Made(Rc<[(Text<'a>, Value<'a>)]>),
}

#[derive(Debug, Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    Time(Timestamp),
    List(List<'a>),
    Map(Map<'a>),
}

impl<'a> Value<'a> {
    pub(super) fn of(data: &'a Data) -> Result<Self, Stop<'a>> {
        Ok(match data {
            Data::Null => Self::Null,
            Data::Bool(it) => Self::Bool(*it),
            Data::Number(number) => Self::Number(*number),
            Data::OutOfRange => return Err(Stop::Failed(Failure::OutOfRange)),
            Data::Text(text) => Self::Text(Text::Borrowed(text)),
            Data::List(elements) => Self::List(List::Data(elements)),
            Data::Map(fields) => Self::Map(Map::Data(fields)),
        })
    }

    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) => Kind::Text,
            Self::Time(_) => Kind::Time,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
        }
    }

    /// The value as data, which may be larger than what it was made of.
    pub(super) fn into_data(self, meter: &mut Meter) -> Result<Data, Stop<'a>> {
        meter.steps(1)?;
        Ok(match self {
            Self::Null => Data::Null,
            Self::Bool(it) => Data::Bool(it),
            Self::Number(number) => Data::Number(number),
            Self::Text(text) => {
                meter.memory(text.as_str().len())?;
                Data::Text(text.as_str().into())
            }
            Self::Time(time) => Data::Text(time.to_short().into()),
            Self::List(list) => {
                meter.memory(list.len().saturating_mul(size_of::<Data>()))?;
                let elements = list.iter().map(|element| element?.into_data(meter));
                Data::List(elements.collect::<Result<_, _>>()?)
            }
            Self::Map(map) => {
                meter.memory(map.len().saturating_mul(2 * size_of::<Data>()))?;
                let mut fields = DataMap::new();
                for key in map.keys() {
                    let value = map.get(key.as_str(), meter)?;
                    let value = value.map_or(Ok(Data::Null), |value| value.into_data(meter));
                    fields.insert(key.as_str().into(), value?);
                }
                Data::Map(fields)
            }
        })
    }

    /// The failure of an operation that does not take this value.
    pub(super) fn refused(&self, operation: &'static str) -> Stop<'a> {
        Stop::Failed(Failure::Kind {
            operation,
            found: self.kind(),
        })
    }

    /// Whether two values are equal. Values of different kinds are not.
    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Stop<'a>> {
        meter.steps(1)?;
        Ok(match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Bool(left), Self::Bool(right)) => left == right,
            (Self::Number(left), Self::Number(right)) => left == right,
            (Self::Text(left), Self::Text(right)) => {
                let (left, right) = (left.as_str(), right.as_str());
                if left.len() == right.len() {
                    meter.text(left.len())?;
                }
                left == right
            }
            (Self::Time(left), Self::Time(right)) => left == right,
            (Self::Time(time), Self::Text(text)) | (Self::Text(text), Self::Time(time)) => {
                Timestamp::parse(text.as_str()) == Some(*time)
            }
            (Self::List(left), Self::List(right)) => left.equals(right, meter)?,
            (Self::Map(left), Self::Map(right)) => left.equals(right, meter)?,
            _ => false,
        })
    }
}

impl<'a> Value<'a> {
    /// The order of two values of one kind.
    pub(super) fn order(
        &self,
        other: &Self,
        operation: &'static str,
        meter: &mut Meter,
    ) -> Result<Ordering, Stop<'a>> {
        let parse = |text: &str| Timestamp::parse(text).ok_or(Stop::Failed(Failure::NoTime));
        Ok(match (self, other) {
            (Self::Number(left), Self::Number(right)) => left.cmp(right),
            (Self::Text(left), Self::Text(right)) => {
                let (left, right) = (left.as_str(), right.as_str());
                meter.text(left.len().min(right.len()))?;
                left.cmp(right)
            }
            (Self::Time(left), Self::Time(right)) => left.cmp(right),
            (Self::Time(left), Self::Text(right)) => left.cmp(&parse(right.as_str())?),
            (Self::Text(left), Self::Time(right)) => parse(left.as_str())?.cmp(right),
            (Self::Bool(left), Self::Bool(right)) => left.cmp(right),
            (left, right) => {
                return Err(Stop::Failed(Failure::Kinds {
                    operation,
                    left: left.kind(),
                    right: right.kind(),
                }));
            }
        })
    }
}

impl<'a> List<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Data(elements) => elements.len(),
            Self::Tags(tags) => tags.len(),
            Self::Made(elements) => elements.len(),
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<Result<Value<'a>, Stop<'a>>> {
        match self {
            Self::Data(elements) => Some(Value::of(elements.get(index)?)),
            Self::Tags(tags) => Some(Ok(Value::Text(Text::Borrowed(tags.get(index)?)))),
            Self::Made(elements) => Some(Ok(elements.get(index)?.clone())),
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Result<Value<'a>, Stop<'a>>> + '_ {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Stop<'a>> {
        if self.len() != other.len() {
            return Ok(false);
        }
        for (left, right) in self.iter().zip(other.iter()) {
            if !left?.equals(&right?, meter)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn contains(&self, wanted: &Value<'a>, meter: &mut Meter) -> Result<bool, Stop<'a>> {
        if let (Self::Tags(tags), Value::Text(wanted)) = (self, wanted) {
            let wanted = wanted.as_str();
            meter.text(wanted.len())?;
            return Ok(tags.binary_search_by(|tag| (**tag).cmp(wanted)).is_ok());
        }
        for element in self.iter() {
            if element?.equals(wanted, meter)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl<'a> Map<'a> {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Data(fields) => fields.len(),
            Self::Counters(counters, _) => counters.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    pub(super) fn get(&self, key: &str, meter: &mut Meter) -> Result<Option<Value<'a>>, Stop<'a>> {
        Ok(match self {
            Self::Data(fields) => fields.get(key).map(Value::of).transpose()?,
            Self::Counters(counters, at) => counters
                .get(key)
                .map(|counter| Value::Number(counter.value_at(*at))),
            Self::Made(entries) => {
                meter.steps(entries.len())?;
                let entry = entries.iter().find(|(name, _)| name.as_str() == key);
                entry.map(|(_, value)| value.clone())
            }
        })
    }

    /// The keys, which the caller pays for.
    pub(super) fn keys(&self) -> Vec<Text<'a>> {
        match self {
            Self::Data(fields) => fields.keys().map(|key| Text::Borrowed(key)).collect(),
            Self::Counters(counters, _) => {
                let keys = counters.keys();
                keys.map(|key| Text::Borrowed(key)).collect()
            }
            Self::Made(entries) => entries.iter().map(|(key, _)| key.clone()).collect(),
        }
    }

    fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, Stop<'a>> {
        if self.len() != other.len() {
            return Ok(false);
        }
        meter.steps(self.len())?;
        for key in self.keys() {
            let (left, right) = (
                self.get(key.as_str(), meter)?,
                other.get(key.as_str(), meter)?,
            );
            let is_equal = match (left, right) {
                (Some(left), Some(right)) => left.equals(&right, meter)?,
                _ => false,
            };
            if !is_equal {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
