//! Pages of lists: `limit` and `cursor`.

use utoipa::openapi::path::{Parameter, ParameterIn};

use super::{Part, Query, parameter};
use crate::domain::{Invalid, OrganizationNumber, ProgramNumber};
use crate::wire::{Cursor, ListKind, schema};

/// A page of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageQuery {
    /// Rows a page.
    pub limit: usize,
    /// The place after which it begins; `None` for the first page.
    pub cursor: Option<Cursor>,
}

impl PageQuery {
    /// Rows a page by default, and at most.
    pub const LIMITS: (usize, usize) = (20, 100);
}

/// The owner of lists: each has cursors of its own.
pub trait ListOwner {
    /// The owner's number in the cursors of its lists.
    fn number(self) -> i64;
}

impl ListOwner for ProgramNumber {
    fn number(self) -> i64 {
        self.0
    }
}

impl ListOwner for OrganizationNumber {
    fn number(self) -> i64 {
        self.0
    }
}

/// `limit`: its default and its largest value.
#[derive(Debug, Clone, Copy)]
pub struct Limit(usize, usize);

/// `limit`.
pub const fn limit((default, most): (usize, usize)) -> Limit {
    Limit(default, most)
}

impl<O> Part<O> for Limit {
    type Value = usize;

    fn read(&self, query: &Query<'_>, _: O) -> Result<usize, Invalid> {
        let Self(default, most) = *self;
        let limit = query.count("limit", i64::try_from(most).unwrap_or(i64::MAX))?;
        Ok(limit.map_or(default, |limit| usize::try_from(limit).unwrap_or(most)))
    }

    fn describe(&self, _: &str, parameters: &mut Vec<Parameter>) {
        let most = i64::try_from(self.1).unwrap_or(i64::MAX);
        let about = format!("The number of rows on a page; {} by default.", self.0);
        let schema = schema::whole(1, most);
        parameters.push(parameter(
            "limit",
            ParameterIn::Query,
            false,
            schema,
            &about,
        ));
    }
}

/// `limit` and `cursor`.
#[derive(Debug, Clone, Copy)]
pub struct Page {
    list: ListKind,
    limit: Limit,
}

/// A page of a list, with the usual limits.
pub const fn page(list: ListKind) -> Page {
    Page {
        list,
        limit: limit(PageQuery::LIMITS),
    }
}

impl Page {
    /// Replaces the limits.
    #[must_use]
    pub const fn limits(self, limits: (usize, usize)) -> Self {
        Self {
            limit: limit(limits),
            ..self
        }
    }
}

impl<O: ListOwner> Part<O> for Page {
    type Value = PageQuery;

    fn read(&self, query: &Query<'_>, owner: O) -> Result<PageQuery, Invalid> {
        let limit = self.limit.read(query, ())?;
        let owner = owner.number();
        let cursor = query.get_as("cursor", |_, text| Cursor::decode(text, self.list, owner))?;
        Ok(PageQuery { limit, cursor })
    }

    fn describe(&self, about: &str, parameters: &mut Vec<Parameter>) {
        Part::<()>::describe(&self.limit, about, parameters);
        let about = "The next cursor of the previous page; the first page by default.";
        let schema = schema::string();
        parameters.push(parameter(
            "cursor",
            ParameterIn::Query,
            false,
            schema,
            about,
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_whole_number_from_1_to_100() {
        let limit = |text: &str| {
            let query = Query::parse(text).unwrap();
            page(ListKind::Offers)
                .read(&query, ProgramNumber(1))
                .map(|page| page.limit)
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
