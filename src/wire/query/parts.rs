//! The parts of queries that routes share: kinds of values, and what an absent one means.

use std::borrow::Cow;
use std::marker::PhantomData;

use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::schema::Object;
use uuid::Uuid;

use super::{Parameters, Part, Query, parameter};
use crate::domain::{ExternalUserId, Invalid, Search, Timestamp};
use crate::wire::fields::one_of;
use crate::wire::schema;

/// A kind of value: how a parameter's name and value are read, and the schema.
#[derive(Debug, Clone, Copy)]
pub struct Kind<T> {
    /// Reads a value.
    pub read: fn(&str, &str) -> Result<T, Invalid>,
    /// The schema of a value.
    pub schema: fn() -> Object,
}

/// `true` or `false`.
pub const BOOLEAN: Kind<bool> = Kind {
    read: |name, value| match value {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err(Invalid::new(name, "must be true or false")),
    },
    schema: schema::boolean,
};

/// Any text.
pub const TEXT: Kind<String> = Kind {
    read: |_, value| Ok(value.to_owned()),
    schema: schema::string,
};

/// A time of a query with the `+` of its offset, which some clients do not encode, so that it
/// arrives as a blank.
pub fn with_plus(time: &str) -> Cow<'_, str> {
    match time.rsplit_once(' ') {
        Some((before, offset)) if is_offset(offset.as_bytes()) => {
            Cow::Owned(format!("{before}+{offset}"))
        }
        _ => Cow::Borrowed(time),
    }
}

/// Whether a text is `hh:mm`.
fn is_offset(text: &[u8]) -> bool {
    matches!(text, [a, b, b':', c, d] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit()))
}

/// An RFC 3339 time.
pub const TIME: Kind<Timestamp> = Kind {
    read: |name, value| {
        let expected = "must be an RFC 3339 time such as 2026-06-01T00:00:00Z";
        Timestamp::parse(&with_plus(value)).ok_or_else(|| Invalid::new(name, expected))
    },
    schema: schema::time,
};

/// A UUID.
pub const UUID: Kind<Uuid> = Kind {
    read: |name, value| Uuid::try_parse(value).map_err(|_| Invalid::new(name, "must be a UUID")),
    schema: schema::uuid,
};

/// A whole number as a decimal string, perhaps negative.
pub const AMOUNT: Kind<i64> = Kind {
    read: |name, value| {
        let digits = value.strip_prefix('-').unwrap_or(value);
        let is_whole = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = value.parse().ok().filter(|_| is_whole);
        number.ok_or_else(|| Invalid::new(name, "must be a whole number such as 100 or -5"))
    },
    schema: schema::string,
};

/// The operator's id of a member.
pub const MEMBER_ID: Kind<ExternalUserId> = Kind {
    read: |name, value| ExternalUserId::parse_stored(name, value),
    schema: || schema::text(ExternalUserId::RULE),
};

/// Words to search for; an empty text searches for nothing.
const SEARCH: Kind<Option<Search>> = Kind {
    read: |name, value| {
        let is_given = !value.is_empty();
        is_given.then(|| Search::parse(name, value)).transpose()
    },
    schema: || schema::text(Search::RULE),
};

/// The kind of an enum of words, which has `parse`, `as_str` and `ALL`.
macro_rules! words {
    ($type:ty) => {
        $crate::wire::Kind {
            read: |name, word| {
                <$type>::parse(word).ok_or_else(|| {
                    $crate::wire::expected_one_of(name, &<$type>::ALL.map(<$type>::as_str))
                })
            },
            schema: || $crate::wire::schema::one_of(<$type>::ALL.map(<$type>::as_str)),
        }
    };
}
pub(crate) use words;

/// The error for a value that is none of some words.
pub fn expected_one_of(name: &str, words: &[&str]) -> Invalid {
    Invalid::new(name, one_of(words))
}

/// A parameter that may be absent.
#[derive(Debug)]
pub struct Optional<T> {
    name: &'static str,
    kind: Kind<T>,
    example: Option<&'static str>,
}

/// A parameter that may be absent.
pub const fn optional<T>(name: &'static str, kind: Kind<T>) -> Optional<T> {
    Optional {
        name,
        kind,
        example: None,
    }
}

/// A parameter that is `true` or `false`, and false by default.
pub fn flag(name: &'static str) -> OrDefault<bool> {
    optional(name, BOOLEAN).or_default()
}

/// `search`.
pub fn search() -> OrDefault<Option<Search>> {
    optional("search", SEARCH).or_default()
}

impl<T> Optional<T> {
    /// Shows an example in the document.
    #[must_use]
    pub fn example(self, example: &'static str) -> Self {
        Self {
            example: Some(example),
            ..self
        }
    }

    /// Makes the parameter required.
    pub fn required(self) -> Required<T> {
        Required(self)
    }

    /// Reads an absent parameter as the default value.
    pub fn or_default(self) -> OrDefault<T> {
        OrDefault(self)
    }

    fn get(&self, query: &Query<'_>) -> Result<Option<T>, Invalid> {
        query.get_as(self.name, self.kind.read)
    }

    fn add(&self, is_required: bool, about: &str, parameters: &mut Vec<Parameter>) {
        let mut schema = (self.kind.schema)();
        schema.examples.extend(self.example.map(Into::into));
        let place = ParameterIn::Query;
        parameters.push(parameter(self.name, place, is_required, schema, about));
    }
}

impl<O, T> Part<O> for Optional<T> {
    type Value = Option<T>;

    fn read(&self, query: &Query<'_>, _: O) -> Result<Option<T>, Invalid> {
        self.get(query)
    }

    fn describe(&self, about: &str, parameters: &mut Vec<Parameter>) {
        self.add(false, about, parameters);
    }
}

/// A parameter that must be given.
#[derive(Debug)]
pub struct Required<T>(Optional<T>);

impl<O, T> Part<O> for Required<T> {
    type Value = T;

    fn read(&self, query: &Query<'_>, _: O) -> Result<T, Invalid> {
        let value = self.0.get(query)?;
        value.ok_or_else(|| Invalid::new(self.0.name, "is required"))
    }

    fn describe(&self, about: &str, parameters: &mut Vec<Parameter>) {
        self.0.add(true, about, parameters);
    }
}

/// A parameter with a default value.
#[derive(Debug)]
pub struct OrDefault<T>(Optional<T>);

impl<O, T: Default> Part<O> for OrDefault<T> {
    type Value = T;

    fn read(&self, query: &Query<'_>, _: O) -> Result<T, Invalid> {
        Ok(self.0.get(query)?.unwrap_or_default())
    }

    fn describe(&self, about: &str, parameters: &mut Vec<Parameter>) {
        self.0.add(false, about, parameters);
    }
}

/// Parameters with a table of their own, such as both ends of a period.
#[derive(Debug)]
pub struct Group<G>(PhantomData<G>);

/// Parameters with a table of their own, such as both ends of a period.
pub const fn group<G: Parameters<Owner = ()>>() -> Group<G> {
    Group(PhantomData)
}

impl<O, G: Parameters<Owner = ()>> Part<O> for Group<G> {
    type Value = G;

    fn read(&self, query: &Query<'_>, _: O) -> Result<G, Invalid> {
        G::read(query, ())
    }

    fn describe(&self, _: &str, parameters: &mut Vec<Parameter>) {
        G::describe(parameters);
    }
}
