//! Reading a query string, so that every error names its parameter.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::{Cursor, ListKind};
use crate::domain::{ExternalUserId, Invalid, ProgramNumber, Search, Timestamp};

/// The parameters of a query string. Those that nobody asks for are ignored; one that is asked for
/// must not be given twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// Rows a page, 1 to 100, 20 unless said.
    pub limit: usize,
    /// Where it begins; `None` for the first page.
    pub cursor: Option<Cursor>,
}

impl<'a> Query<'a> {
    /// What is expected of a parameter that was given twice.
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

    /// A parameter, if it was given.
    ///
    /// # Errors
    /// [`Invalid`] if it was given twice: which of them was meant is anyone's guess, and a proxy's
    /// may differ from ours.
    pub fn get(&self, name: &str) -> Result<Option<&str>, Invalid> {
        let mut values = self.pairs.iter().filter(|(key, _)| key == name);
        let first = values.next();
        match values.next() {
            None => Ok(first.map(|(_, value)| &**value)),
            Some(_) => Err(Invalid::new(name, Self::ONCE)),
        }
    }

    /// A parameter that is `true` or `false`; false unless given.
    ///
    /// # Errors
    /// [`Invalid`] for any other value.
    pub fn flag(&self, name: &str) -> Result<bool, Invalid> {
        Ok(self.boolean(name)?.unwrap_or(false))
    }

    /// A parameter that is `true` or `false`, if it was given.
    ///
    /// # Errors
    /// [`Invalid`] for any other value.
    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Invalid> {
        self.parsed(name, |name, value| match value {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Invalid::new(name, "must be true or false")),
        })
    }

    /// A parameter read by `parse`, which is given its name and value.
    ///
    /// # Errors
    /// What `parse` returns; [`Invalid`] if it was given twice.
    pub fn parsed<T>(
        &self,
        name: &str,
        parse: impl FnOnce(&str, &str) -> Result<T, Invalid>,
    ) -> Result<Option<T>, Invalid> {
        self.get(name)?
            .map(|value| parse(name, value).map_err(|invalid| invalid.received(value)))
            .transpose()
    }

    /// What a list is searched for, if it is anything: up to 255 characters.
    ///
    /// # Errors
    /// [`Invalid`] if it is longer, has control characters or too many words.
    pub fn search(&self) -> Result<Option<Search>, Invalid> {
        let search = self.parsed("search", |name, value| {
            let is_given = !value.is_empty();
            is_given.then(|| Search::parse(name, value)).transpose()
        })?;
        Ok(search.flatten())
    }

    /// A time, if it was given.
    ///
    /// # Errors
    /// [`Invalid`] if it is unreadable.
    pub fn time(&self, name: &str) -> Result<Option<Timestamp>, Invalid> {
        self.parsed(name, |name, text| {
            let expected = "must be an RFC 3339 time such as 2026-06-01T00:00:00Z";
            Timestamp::parse(text).ok_or_else(|| Invalid::new(name, expected))
        })
    }

    /// The member on whose behalf a key calls.
    ///
    /// # Errors
    /// [`Invalid`] if it can be no member's id.
    pub fn external_user_id(&self) -> Result<Option<ExternalUserId>, Invalid> {
        self.parsed("externalUserID", |name, value| {
            ExternalUserId::parse_stored(name, value)
        })
    }

    /// `limit` and `cursor`.
    ///
    /// # Errors
    /// [`Invalid`] if one is out of range or garbage.
    pub fn page(&self, list: ListKind, program: ProgramNumber) -> Result<PageQuery, Invalid> {
        self.page_of(list, program.0, PageQuery::LIMITS)
    }

    /// The same of another owner's list, with another default and largest limit.
    ///
    /// # Errors
    /// [`Invalid`] if one is out of range or garbage.
    pub fn page_of(
        &self,
        list: ListKind,
        owner: i64,
        limits: (usize, usize),
    ) -> Result<PageQuery, Invalid> {
        let limit = self.limit(limits)?;
        let cursor = self.parsed("cursor", |_, value| Cursor::decode(value, list, owner))?;
        Ok(PageQuery { limit, cursor })
    }

    /// `limit`, which has a default and a largest value.
    pub(super) fn limit(&self, (default, most): (usize, usize)) -> Result<usize, Invalid> {
        let limit = self.parsed("limit", |name, value| {
            value
                .parse::<usize>()
                .ok()
                .filter(|limit| (1..=most).contains(limit))
                .ok_or_else(|| {
                    Invalid::new(name, format!("must be a whole number from 1 to {most}"))
                })
        })?;
        Ok(limit.unwrap_or(default))
    }
}

/// A name or value as it was meant; `None` if it is not UTF-8.
fn decode(text: &str) -> Option<Cow<'_, str>> {
    if !text.bytes().any(|byte| byte == b'+' || byte == b'%') {
        return Some(Cow::Borrowed(text));
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Cow::Owned(decoded.into_owned()))
}

impl PageQuery {
    /// Rows a page unless said, and at most.
    pub const LIMITS: (usize, usize) = (20, 100);
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

    #[test]
    fn a_limit_is_a_whole_number_from_1_to_100() {
        let limit = |text: &str| {
            Query::parse(text)
                .unwrap()
                .page(ListKind::Offers, ProgramNumber(1))
                .map(|p| p.limit)
        };
        assert_eq!(limit(""), Ok(20));
        assert_eq!(limit("limit=100"), Ok(100));
        for bad in [
            "limit=0",
            "limit=101",
            "limit=",
            "limit=1.0",
            "limit=-1",
            "limit=x",
        ] {
            assert_eq!(limit(bad).unwrap_err().field, "limit", "{bad}");
        }
    }
}
