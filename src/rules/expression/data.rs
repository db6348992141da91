//! JSON with exact numbers: the data of an event, and attributes.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::number::{Number, parse_number};

/// The fields of an object, by name.
pub type DataMap = BTreeMap<Box<str>, Data>;

/// A JSON value whose numbers are decimals.
///
/// ```
/// use stampcard::rules::{Data, Number};
/// let fields = Data::parse_event(r#"{"type": "purchase", "amount": 49.99}"#).unwrap();
/// assert_eq!(fields["amount"], Data::Number(Number::new(4999, 2)));
/// assert!(Data::parse_event("[1]").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A number that no decimal of 28 digits can express. An expression that reads it fails.
    OutOfRange,
    /// A text.
    Text(Box<str>),
    /// An array.
    List(Box<[Self]>),
    /// An object. Of two fields with one name, the last one counts.
    Map(DataMap),
}

/// The reason why a text is no data of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoData {
    /// It is too long.
    #[error("must have at most {} bytes", Data::BYTES_MAX)]
    TooLong,
    /// Arrays and objects are nested too deeply.
    #[error("must be nested at most {} deep", Data::DEPTH_MAX)]
    TooDeep,
    /// It is no JSON object.
    #[error("must be a JSON object")]
    NoObject,
}

impl Data {
    /// The most bytes of an event's data.
    pub const BYTES_MAX: usize = 16 * 1024;
    /// How deep arrays and objects of an event's data can be nested.
    pub const DEPTH_MAX: usize = 16;

    /// Reads the data of an event: a JSON object.
    ///
    /// # Errors
    /// [`NoData`] if it is too long, nested too deeply or no object.
    pub fn parse_event(json: &str) -> Result<DataMap, NoData> {
        match Self::parse(json)? {
            Self::Map(fields) => Ok(fields),
            _ => Err(NoData::NoObject),
        }
    }

    /// Reads any JSON value, such as an attribute.
    ///
    /// # Errors
    /// [`NoData`] as of [`Data::parse_event`]; [`NoData::NoObject`] if it is no JSON.
    pub fn parse(json: &str) -> Result<Self, NoData> {
        if json.len() > Self::BYTES_MAX {
            return Err(NoData::TooLong);
        }
        let raw: &RawValue = serde_json::from_str(json).map_err(|_| NoData::NoObject)?;
        Self::read(raw, Self::DEPTH_MAX)
    }

    /// Reads a value that is nested at most this deep.
    fn read(raw: &RawValue, depth: usize) -> Result<Self, NoData> {
        let json = raw.get();
        let inside = || depth.checked_sub(1).ok_or(NoData::TooDeep);
        Ok(match json.as_bytes().first() {
            Some(b'{') => {
                let depth = inside()?;
                let fields: BTreeMap<Box<str>, &RawValue> =
                    serde_json::from_str(json).map_err(|_| NoData::NoObject)?;
                let fields = fields.into_iter();
                let fields = fields.map(|(name, raw)| Ok((name, Self::read(raw, depth)?)));
                Self::Map(fields.collect::<Result<_, _>>()?)
            }
            Some(b'[') => {
                let depth = inside()?;
                let elements: Vec<&RawValue> =
                    serde_json::from_str(json).map_err(|_| NoData::NoObject)?;
                let elements = elements.into_iter().map(|raw| Self::read(raw, depth));
                Self::List(elements.collect::<Result<_, _>>()?)
            }
            Some(b'"') => Self::Text(serde_json::from_str(json).map_err(|_| NoData::NoObject)?),
            Some(b't') => Self::Bool(true),
            Some(b'f') => Self::Bool(false),
            Some(b'n') => Self::Null,
            _ => parse_number(json).map_or(Self::OutOfRange, Self::Number),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_and_those_out_of_range_are_no_error_of_the_event() {
        let read = |json| Data::parse(json).unwrap();
        let number = |text: &str| Data::Number(parse_number(text).unwrap());
        assert_eq!(
            read("0.1234567890123456789"),
            number("0.1234567890123456789")
        );
        assert_eq!(read("1e3"), number("1000"));
        assert_eq!(read("-12.50"), number("-12.5"));
        assert_eq!(read("1e300"), Data::OutOfRange);
        assert_eq!(read("1e-300"), Data::OutOfRange);
        assert_eq!(read("79228162514264337593543950336"), Data::OutOfRange);
    }

    #[test]
    fn data_is_bounded_in_length_and_depth() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(Data::parse(&nested(Data::DEPTH_MAX)).is_ok());
        assert_eq!(
            Data::parse(&nested(Data::DEPTH_MAX + 1)),
            Err(NoData::TooDeep)
        );
        assert_eq!(Data::parse(&nested(8_000)), Err(NoData::TooDeep));
        assert_eq!(Data::parse(&nested(20_000)), Err(NoData::TooLong));
        for text in ["", "{", "{\"a\":}", "nul", "01", "+1", "\"\\x\"", "{} {}"] {
            assert_eq!(Data::parse(text), Err(NoData::NoObject), "{text}");
        }
        let twice = Data::parse_event(r#"{"a": 1, "a": "x"}"#).unwrap();
        assert_eq!(twice["a"], Data::Text("x".into()));
    }
}
