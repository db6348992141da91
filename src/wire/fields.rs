//! Reads a JSON body field by field, so that every error names its field.

use std::borrow::Cow;

use serde_json::{Map, Value};
use utoipa::openapi::Schema;

use crate::domain::{Change, Invalid, Money, Rate};

/// The type of a field on the wire: how a value is read, and the schema of the values it accepts.
pub(super) struct FieldType<T, E = Invalid> {
    pub(super) read: fn(&Field<'_>) -> Result<T, E>,
    pub(super) schema: fn() -> Schema,
}

/// The fields of a JSON object. Unknown fields are ignored, so that newer clients may send more.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    /// `None` for an absent body, which has no fields.
    map: Option<&'a Map<String, Value>>,
    /// The name of the object's own field; empty for the body.
    parent: &'a str,
    /// The body as it was received; empty if no field is read from it.
    bytes: &'a [u8],
}

/// A field that is present.
pub(super) struct Field<'a> {
    /// The name in messages, for example `availability.quantityRemaining`.
    pub(super) name: &'a str,
    pub(super) value: &'a Value,
    /// The body as it was received.
    pub(super) bytes: &'a [u8],
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    ///
    /// # Errors
    /// [`Invalid`] if it is not an object.
    pub(super) fn of(body: &'a Value) -> Result<Self, Invalid> {
        Self::with_bytes(body, b"")
    }

    /// The fields of a body whose objects are stored as they were received.
    ///
    /// # Errors
    /// [`Invalid`] if it is not an object.
    pub(super) fn with_bytes(body: &'a Value, bytes: &'a [u8]) -> Result<Self, Invalid> {
        let map = body
            .as_object()
            .ok_or_else(|| Invalid::new("the body", "must be a JSON object"))?;
        Ok(Self {
            map: Some(map),
            parent: "",
            bytes,
        })
    }

    /// The fields of an optional body. An absent body is treated as `null`.
    ///
    /// # Errors
    /// [`Invalid`] if it is neither null nor an object.
    pub(super) fn of_optional(body: &'a Value) -> Result<Self, Invalid> {
        if body.is_null() {
            return Ok(Self {
                map: None,
                parent: "",
                bytes: b"",
            });
        }
        Self::of(body)
    }

    /// A required field.
    pub(super) fn required<T, E: From<Invalid>>(
        &self,
        name: &str,
        of: &FieldType<T, E>,
    ) -> Result<T, E> {
        match self.get(name) {
            None => Err(Invalid::new(self.full_name(name), "is required").into()),
            Some(value) => self.read(name, value, of),
        }
    }

    /// An optional field, which may be absent but not null.
    pub(super) fn optional<T, E: From<Invalid>>(
        &self,
        name: &str,
        of: &FieldType<T, E>,
    ) -> Result<Option<T>, E> {
        self.get(name)
            .map(|value| self.read(name, value, of))
            .transpose()
    }

    /// An optional field with a default.
    pub(super) fn optional_or<T, E: From<Invalid>>(
        &self,
        name: &str,
        of: &FieldType<T, E>,
        default: T,
    ) -> Result<T, E> {
        Ok(self.optional(name, of)?.unwrap_or(default))
    }

    /// A field that changes a stored value: it is kept if the field is absent and cleared if it is
    /// null.
    pub(super) fn change<T, E: From<Invalid>>(
        &self,
        name: &str,
        of: &FieldType<T, E>,
    ) -> Result<Change<T>, E> {
        match self.get(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Ok(Change::Clear),
            Some(value) => self.read(name, value, of).map(Change::Set),
        }
    }

    /// An optional field, for which null means absent.
    pub(super) fn nullable<T, E: From<Invalid>>(
        &self,
        name: &str,
        of: &FieldType<T, E>,
    ) -> Result<Option<T>, E> {
        Ok(self.change(name, of)?.apply(None))
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.map?.get(name)
    }

    fn read<T, E>(&self, name: &str, value: &Value, of: &FieldType<T, E>) -> Result<T, E> {
        (of.read)(&Field {
            name: &self.full_name(name),
            value,
            bytes: self.bytes,
        })
    }

    fn full_name<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match self.parent {
            "" => Cow::Borrowed(name),
            parent => Cow::Owned(format!("{parent}.{name}")),
        }
    }
}

impl<'a> Field<'a> {
    /// The error of a value that is not as expected.
    pub(super) fn wrong(&self, expected: impl Into<String>) -> Invalid {
        self.received(Invalid::new(self.name, expected))
    }

    /// Adds the received value to an error.
    pub(super) fn received(&self, invalid: Invalid) -> Invalid {
        match self.value {
            Value::String(text) => invalid.received(text),
            Value::Array(_) => invalid.received("a list"),
            Value::Object(_) => invalid.received("an object"),
            other => invalid.received(&other.to_string()),
        }
    }

    /// A string, parsed by `parse`, which receives the name and the string.
    pub(super) fn text<T>(
        &self,
        parse: impl FnOnce(&str, String) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        match self.value {
            Value::String(text) => {
                parse(self.name, text.clone()).map_err(|invalid| self.received(invalid))
            }
            _ => Err(self.wrong("must be a string")),
        }
    }

    /// A string that is one of a list of words.
    pub(super) fn word<T, const N: usize>(
        &self,
        parse: impl FnOnce(&str) -> Option<T>,
        words: impl FnOnce() -> [&'static str; N],
    ) -> Result<T, Invalid> {
        match self.value {
            Value::String(word) => parse(word).ok_or_else(|| self.wrong(one_of(&words()))),
            _ => Err(self.wrong("must be a string")),
        }
    }

    /// A whole number in a closed range, converted by `make`. One written in another form (`100.0`)
    /// was made an integer before the body was parsed; a double is never one, even after rounding.
    pub(super) fn whole<T>(
        &self,
        least: i64,
        most: i64,
        make: impl FnOnce(i64) -> Option<T>,
    ) -> Result<T, Invalid> {
        self.value
            .as_i64()
            .filter(|number| (least..=most).contains(number))
            .and_then(make)
            .ok_or_else(|| self.wrong(format!("must be a whole number from {least} to {most}")))
    }

    /// A decimal number in a closed range, with at most six digits after the point.
    pub(super) fn rate(&self, least: Rate, most: Rate) -> Result<Rate, Invalid> {
        let number = self.value.as_f64().and_then(Rate::new);
        number
            .filter(|number| (least..=most).contains(number))
            .ok_or_else(|| {
                let [least, most] = [least, most].map(Money::from);
                self.wrong(format!(
                    "must be a number from {least} to {most} with at most 6 digits after the point"
                ))
            })
    }

    /// An object.
    pub(super) fn object(&self) -> Result<Fields<'a>, Invalid> {
        match self.value {
            Value::Object(map) => Ok(Fields {
                map: Some(map),
                parent: self.name,
                bytes: self.bytes,
            }),
            _ => Err(self.wrong("must be an object")),
        }
    }

    /// A list of at most `most` strings, each parsed by `parse`.
    pub(super) fn list<T>(
        &self,
        most: usize,
        parse: impl Fn(&str, String) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        self.items(most, "strings", |item| item.text(&parse))
    }

    /// A list of at most `most` objects, each read by `read`.
    pub(super) fn objects<T>(
        &self,
        most: usize,
        read: impl Fn(&Fields<'_>) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        self.items(most, "objects", |item| read(&item.object()?))
    }

    fn items<T>(
        &self,
        most: usize,
        what: &str,
        read: impl Fn(&Field<'_>) -> Result<T, Invalid>,
    ) -> Result<Vec<T>, Invalid> {
        let items = self
            .value
            .as_array()
            .filter(|items| items.len() <= most)
            .ok_or_else(|| self.wrong(format!("must be a list of at most {most} {what}")))?;
        let item = |(index, value): (usize, &Value)| {
            let name = format!("{}[{index}]", self.name);
            let item = Field {
                name: &name,
                value,
                bytes: self.bytes,
            };
            read(&item)
        };
        items.iter().enumerate().map(item).collect()
    }
}

/// The words that a field or parameter accepts, as an error lists them.
pub(super) fn one_of(words: &[&str]) -> String {
    match words {
        [first @ .., last] if !first.is_empty() => {
            format!("must be {} or {last}", first.join(", "))
        }
        _ => format!("must be {}", words.join("")),
    }
}
