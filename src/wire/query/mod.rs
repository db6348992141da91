//! Query strings. A route declares its parameters in a table, from which both reading and
//! describing them follow: a parameter that is read is in the OpenAPI document.

mod page;
mod parts;

pub use page::{Limit, ListOwner, Page, PageQuery, limit, page};
pub(crate) use parts::words;
pub use parts::{
    AMOUNT, BOOLEAN, Group, Kind, MEMBER_ID, Optional, OrDefault, Required, TEXT, TIME, UUID,
    expected_one_of, flag, group, optional, search, with_plus,
};

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use utoipa::openapi::Required as Need;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::Object;

use crate::domain::Invalid;

/// The decoded parameters of a query string. Unknown parameters are ignored; a known one must not
/// be given twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A parameter, or several that are read into one value. `Owner` is the program or organization
/// whose cursors are accepted; parts without a cursor take any.
pub trait Part<Owner> {
    /// The value that a handler gets.
    type Value;

    /// Reads the value.
    ///
    /// # Errors
    /// [`Invalid`] naming the parameter that is missing, repeated or malformed.
    fn read(&self, query: &Query<'_>, owner: Owner) -> Result<Self::Value, Invalid>;

    /// Adds the parameters to the OpenAPI document.
    fn describe(&self, about: &str, parameters: &mut Vec<Parameter>);
}

/// The parameters of a route, declared with `query_parameters!`.
pub trait Parameters: Sized {
    /// The program or organization whose cursors are accepted; `()` if the route has no cursor.
    type Owner: Copy;

    /// Reads all parameters, in the order of the table.
    ///
    /// # Errors
    /// [`Invalid`] naming the first parameter that is missing, repeated or malformed.
    fn read(query: &Query<'_>, owner: Self::Owner) -> Result<Self, Invalid>;

    /// Adds the parameters to the OpenAPI document, in the order of the table.
    fn describe(parameters: &mut Vec<Parameter>);
}

/// Declares the parameters of a route: for each field its type and the [`Part`] that reads it. The
/// doc comment of a field is the description of its parameter. `checked by` names a function that
/// gets the values and may refuse their combination.
macro_rules! query_parameters {
    ($(#[doc = $doc:literal])+
    $vis:vis struct $name:ident $(of $owner:path)? $(, checked by $check:path)? {
        $($(#[doc = $about:literal])* $reach:vis $field:ident: $type:ty = $part:expr;)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug)]
        $vis struct $name {
            $($(#[doc = $about])* $reach $field: $type,)+
        }

        impl $crate::wire::Parameters for $name {
            type Owner = $crate::wire::query_parameters!(@owner $($owner)?);

            fn read(
                query: &$crate::wire::Query<'_>,
                owner: Self::Owner,
            ) -> Result<Self, $crate::domain::Invalid> {
                let read = Self {
                    $($field: $crate::wire::Part::read(&$part, query, owner)?,)+
                };
                $($check(&read)?;)?
                Ok(read)
            }

            fn describe(parameters: &mut Vec<utoipa::openapi::path::Parameter>) {
                $($crate::wire::Part::<Self::Owner>::describe(
                    &$part,
                    concat!($($about),*).trim_ascii(),
                    parameters,
                );)+
            }
        }
    };
    (@owner) => { () };
    (@owner $owner:path) => { $owner };
}
pub(crate) use query_parameters;

impl<'a> Query<'a> {
    /// The expectation of a parameter that was given twice.
    pub(super) const ONCE: &'static str = "must be given only once";

    /// Splits and decodes a query string.
    ///
    /// # Errors
    /// [`Invalid`] naming a parameter that is not UTF-8 once decoded.
    pub fn parse(text: &'a str) -> Result<Self, Invalid> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)
                .ok_or_else(|| Invalid::new("the query", "must be UTF-8 once decoded"))?;
            let value =
                decode(value).ok_or_else(|| Invalid::new(&*name, "must be UTF-8 once decoded"))?;
            Ok((name, value))
        });
        Ok(Self {
            pairs: pairs.collect::<Result<_, Invalid>>()?,
        })
    }

    /// The value of a parameter. A repeated parameter is refused: a proxy might take another one of
    /// the values than this server does.
    fn get(&self, name: &str) -> Result<Option<&str>, Invalid> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next();
        match values.next() {
            None => Ok(first.map(|(_, value)| &**value)),
            Some(_) => Err(Invalid::new(name, Self::ONCE)),
        }
    }

    /// A parameter read by `read`, which receives its name and value.
    fn get_as<T>(
        &self,
        name: &str,
        read: impl FnOnce(&str, &str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        self.get(name)?
            .map(|value| read(name, value).map_err(|invalid| invalid.received(value)))
            .transpose()
    }

    /// A parameter that is a whole number from 1 to `most`.
    pub(super) fn count(&self, name: &str, most: i64) -> Result<Option<i64>, Invalid> {
        self.get_as(name, |name, value| {
            let number = value.parse().ok();
            number
                .filter(|number| (1..=most).contains(number))
                .ok_or_else(|| {
                    Invalid::new(name, format!("must be a whole number from 1 to {most}"))
                })
        })
    }
}

/// Decodes a name or value; `None` if it is not UTF-8.
///
/// `form_urlencoded` would replace what is not UTF-8 instead of reporting it.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

/// A parameter of an operation in the OpenAPI document.
pub fn parameter(
    name: &str,
    place: ParameterIn,
    is_required: bool,
    schema: Object,
    about: &str,
) -> Parameter {
    let need = if is_required { Need::True } else { Need::False };
    ParameterBuilder::new()
        .name(name)
        .parameter_in(place)
        .required(need)
        .description(Some(about))
        .schema(Some(schema))
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_bad_ones_named() {
        let query = Query::parse("a=1+2%2B3&b&x=1&%C3%A9=x&%78=1").unwrap();
        assert_eq!(query.get("a"), Ok(Some("1 2+3")));
        assert_eq!(query.get("b"), Ok(Some("")));
        assert_eq!(query.get("é"), Ok(Some("x")));
        assert_eq!(query.get("c"), Ok(None));
        assert_eq!(query.get("x").unwrap_err().field, "x");
        let error = Query::parse("externalUserID=%FF").unwrap_err();
        assert_eq!(error.field, "externalUserID");
    }
}
