//! Reading a JSON body field by field, so that every error names its field.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::domain::{
    Allocation, Attributes, Change, ExternalUserId, Invalid, OfferContent, Points, Tier, Timestamp,
    Url,
};

/// The fields of a JSON object. Those that nobody asks for are ignored: newer clients send more.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'a> {
    map: &'a Map<String, Value>,
    /// What stands before a field's name in a message, for an object inside another.
    prefix: &'a str,
}

impl<'a> Fields<'a> {
    /// The fields of a body.
    ///
    /// # Errors
    /// [`Invalid`] if it is not an object.
    pub fn of(body: &'a Value) -> Result<Self, Invalid> {
        let map = body
            .as_object()
            .ok_or_else(|| Invalid::new("the body", "must be a JSON object"))?;
        Ok(Self { map, prefix: "" })
    }

    /// The fields of an object inside this one, if it is there and not null.
    pub(super) fn object(&self, name: &str, prefix: &'a str) -> Result<Option<Self>, Invalid> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(map)) => Ok(Some(Self { map, prefix })),
            Some(_) => Err(self.wrong(name, "must be an object")),
        }
    }

    /// A field that must be there.
    pub(super) fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        match self.map.get(name) {
            None => Err(self.wrong(name, "is required")),
            Some(value) => self.read(name, value, read),
        }
    }

    /// A field that may be left out, but not be null.
    pub(super) fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        self.map
            .get(name)
            .map(|value| self.read(name, value, read))
            .transpose()
    }

    /// A field that may be left out (keep) or be null (clear).
    pub(super) fn change<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, Invalid>,
    ) -> Result<Change<T>, Invalid> {
        match self.map.get(name) {
            None => Ok(Change::Keep),
            Some(Value::Null) => Ok(Change::Clear),
            Some(value) => self.read(name, value, read).map(Change::Set),
        }
    }

    /// A field for which being left out and being null are the same.
    pub(super) fn nullable<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        Ok(self.change(name, read)?.apply(None))
    }

    /// Reads a field; an error says what came.
    fn read<T>(
        &self,
        name: &str,
        value: &Value,
        read: impl FnOnce(&str, &Value) -> Result<T, Invalid>,
    ) -> Result<T, Invalid> {
        read(&self.full_name(name), value).map_err(|invalid| match value {
            Value::String(text) => invalid.received(text),
            Value::Array(_) => invalid.received("a list"),
            Value::Object(_) => invalid.received("an object"),
            other => invalid.received(&other.to_string()),
        })
    }

    fn full_name(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    fn wrong(&self, name: &str, expected: &str) -> Invalid {
        Invalid::new(self.full_name(name), expected)
    }
}

/// A string, further looked at by `parse`.
pub(super) fn text<T>(
    parse: impl FnOnce(&str, String) -> Result<T, Invalid>,
) -> impl FnOnce(&str, &Value) -> Result<T, Invalid> {
    move |name, value| match value {
        Value::String(text) => parse(name, text.clone()),
        _ => Err(Invalid::new(name, "must be a string")),
    }
}

/// True or false.
pub(super) fn boolean(name: &str, value: &Value) -> Result<bool, Invalid> {
    let wrong = || Invalid::new(name, "must be true or false");
    value.as_bool().ok_or_else(wrong)
}

/// A whole number. One written in another way (`100.0`) was made an integer before the body was
/// parsed; a double is none, whatever it was rounded to.
fn whole(value: &Value) -> Option<i64> {
    value.as_i64()
}

/// The id of a member, who may have it since before a rule on new ids. Whoever creates a member
/// holds it to them.
pub(super) fn known_id(name: &str, value: &Value) -> Result<ExternalUserId, Invalid> {
    text(|name, id| ExternalUserId::parse_stored(name, &id))(name, value)
}

/// Points to move, 1 to [`Points::MAX`].
pub(super) fn amount(name: &str, value: &Value) -> Result<Points, Invalid> {
    whole(value)
        .and_then(Points::new)
        .filter(|points| !points.is_zero())
        .ok_or_else(|| {
            let most = Points::MAX.get();
            Invalid::new(name, format!("must be a whole number from 1 to {most}"))
        })
}

/// A price, 0 to [`OfferContent::PRICE_MAX`].
pub(super) fn price(name: &str, value: &Value) -> Result<Points, Invalid> {
    let most = OfferContent::PRICE_MAX;
    whole(value)
        .and_then(Points::new)
        .filter(|price| *price <= most)
        .ok_or_else(|| {
            let most = most.get();
            Invalid::new(
                name,
                format!("must be null or a whole number from 0 to {most}"),
            )
        })
}

/// The most credits a month, 10^12.
pub(super) const CREDITS_MAX: i64 = Allocation::CREDITS_MAX;

/// A number of pieces, 0 to [`OfferContent::UNLIMITED`].
pub(super) fn quantity(name: &str, value: &Value) -> Result<i64, Invalid> {
    let most = OfferContent::UNLIMITED;
    whole(value)
        .filter(|pieces| (0..=most).contains(pieces))
        .ok_or_else(|| {
            Invalid::new(
                name,
                format!("must be null or a whole number from 0 to {most}"),
            )
        })
}

/// Seconds, 1 to `most`.
pub(super) fn seconds(name: &str, value: &Value, most: u64) -> Result<Duration, Invalid> {
    whole(value)
        .and_then(|seconds| u64::try_from(seconds).ok())
        .filter(|seconds| (1..=most).contains(seconds))
        .map(Duration::from_secs)
        .ok_or_else(|| Invalid::new(name, format!("must be a whole number from 1 to {most}")))
}

/// Credits a month, 0 to [`CREDITS_MAX`].
pub(super) fn credits(name: &str, value: &Value) -> Result<i64, Invalid> {
    let most = CREDITS_MAX;
    whole(value)
        .filter(|credits| (0..=most).contains(credits))
        .ok_or_else(|| Invalid::new(name, format!("must be a whole number from 0 to {most}")))
}

/// An object inside the body, taken byte for byte from the body as it came.
pub(super) fn raw_object<'a>(
    field: &'a str,
    bytes: &'a [u8],
) -> impl FnOnce(&str, &Value) -> Result<Attributes, Invalid> + 'a {
    move |name, value| {
        if !value.is_object() {
            return Err(Invalid::new(name, "must be an object"));
        }
        // The last one counts, as it does in the parsed body.
        let fields: BTreeMap<String, &RawValue> =
            serde_json::from_slice(bytes).map_err(|_| Invalid::new(name, "must be an object"))?;
        let raw = fields
            .get(field)
            .ok_or_else(|| Invalid::new(name, "must be an object"))?;
        let object = Attributes::parse(name, raw.get())?;
        // It is returned as it came, so that whoever reads it must be able to.
        serde_json::from_str::<Map<String, Value>>(raw.get())
            .map(|_| object)
            .map_err(|_| Invalid::new(name, "must have only numbers that a double can hold"))
    }
}

/// A time.
pub(super) fn time(name: &str, value: &Value) -> Result<Timestamp, Invalid> {
    value.as_str().and_then(Timestamp::parse).ok_or_else(|| {
        Invalid::new(
            name,
            "must be an RFC 3339 time such as 2026-06-01T00:00:00Z",
        )
    })
}

/// A list of at most `most` strings, each further looked at by `parse`.
pub(super) fn list<T>(
    most: usize,
    parse: impl Fn(&str, String) -> Result<T, Invalid>,
) -> impl FnOnce(&str, &Value) -> Result<Vec<T>, Invalid> {
    move |name, value| {
        let items = value
            .as_array()
            .filter(|items| items.len() <= most)
            .ok_or_else(|| {
                Invalid::new(name, format!("must be a list of at most {most} strings"))
            })?;
        items
            .iter()
            .enumerate()
            .map(|(index, item)| text(&parse)(&format!("{name}[{index}]"), item))
            .collect()
    }
}

/// Addresses of images.
pub(super) fn images(most: usize) -> impl FnOnce(&str, &Value) -> Result<Vec<Url>, Invalid> {
    list(most, Url::parse)
}

/// Tiers, each named once.
pub(super) fn tiers(most: usize) -> impl FnOnce(&str, &Value) -> Result<Vec<Tier>, Invalid> {
    move |name, value| {
        let mut tiers: Vec<Tier> = Vec::new();
        for tier in list(most, Tier::parse)(name, value)? {
            if !tiers.contains(&tier) {
                tiers.push(tier);
            }
        }
        Ok(tiers)
    }
}
