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

/// The reason why something is no data of an event.
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
    /// A rule would cause it, with a number that no decimal can express.
    #[error("must have numbers of at most 28 digits")]
    OutOfRange,
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

    /// Checks data that a rule causes: as JSON, [`Data::parse_event`] reads the same again.
    ///
    /// # Errors
    /// [`NoData`] if it is too long, nested too deeply, or has a number out of range.
    pub fn check_event(fields: &DataMap) -> Result<(), NoData> {
        let length = Self::length_of(fields, Self::DEPTH_MAX)?;
        let is_short = length <= Self::BYTES_MAX;
        is_short.then_some(()).ok_or(NoData::TooLong)
    }

    /// The bytes of a value as JSON, if it is nested at most this deep.
    fn length(&self, depth: usize) -> Result<usize, NoData> {
        Ok(match self {
            Self::Null | Self::Bool(true) => 4,
            Self::Bool(false) => 5,
            Self::Number(number) => number.to_string().len(),
            Self::OutOfRange => return Err(NoData::OutOfRange),
            Self::Text(text) => quoted(text),
            Self::List(elements) => {
                let depth = depth.checked_sub(1).ok_or(NoData::TooDeep)?;
                enclosed(elements.iter().map(|element| element.length(depth)))?
            }
            Self::Map(fields) => Self::length_of(fields, depth)?,
        })
    }

    fn length_of(fields: &DataMap, depth: usize) -> Result<usize, NoData> {
        let depth = depth.checked_sub(1).ok_or(NoData::TooDeep)?;
        let fields = fields.iter();
        enclosed(fields.map(|(name, value)| Ok(quoted(name) + 1 + value.length(depth)?)))
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

/// The bytes of an array or an object with parts of these lengths.
fn enclosed(parts: impl ExactSizeIterator<Item = Result<usize, NoData>>) -> Result<usize, NoData> {
    let commas = parts.len().saturating_sub(1);
    Ok(2 + commas + parts.sum::<Result<usize, NoData>>()?)
}

/// The bytes of a text as JSON.
fn quoted(text: &str) -> usize {
    let bytes = text.bytes().map(|byte| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        // As \u and four digits.
        0..0x20 => 6,
        _ => 1,
    });
    2 + bytes.sum::<usize>()
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
