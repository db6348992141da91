//! Queries of the partner surface: pages by number, and days.

use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::domain::{Day, Invalid};
use crate::wire::{Kind, Optional, Part, Query, optional, parameter, schema, with_plus};

/// A page by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedPageQuery {
    /// The number of the page, from 1.
    pub page: i64,
    /// Rows a page, 1 to 100.
    pub page_size: i64,
}

impl NumberedPageQuery {
    /// The highest number of a page.
    const PAGE_MAX: i64 = 1_000_000;
    /// The most rows on a page.
    const PAGE_SIZE_MAX: i64 = 100;
}

/// `page` and `pageSize`.
#[derive(Debug, Clone, Copy)]
pub struct NumberedPage;

impl<O> Part<O> for NumberedPage {
    type Value = NumberedPageQuery;

    fn read(&self, query: &Query<'_>, _: O) -> Result<NumberedPageQuery, Invalid> {
        let page = query.count("page", NumberedPageQuery::PAGE_MAX)?;
        let page_size = query.count("pageSize", NumberedPageQuery::PAGE_SIZE_MAX)?;
        Ok(NumberedPageQuery {
            page: page.unwrap_or(1),
            page_size: page_size.unwrap_or(20),
        })
    }

    fn describe(&self, _: &str, parameters: &mut Vec<Parameter>) {
        let mut add = |name, most, about| {
            let schema = schema::whole(1, most);
            parameters.push(parameter(name, ParameterIn::Query, false, schema, about));
        };
        add(
            "page",
            NumberedPageQuery::PAGE_MAX,
            "The number of the page; 1 by default.",
        );
        add(
            "pageSize",
            NumberedPageQuery::PAGE_SIZE_MAX,
            "The number of rows on a page; 20 by default.",
        );
    }
}

/// A period of days, each end of which may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DaysQuery {
    /// The first day.
    pub start: Option<Day>,
    /// The last day, which belongs to the period.
    pub end: Option<Day>,
}

impl DaysQuery {
    /// The first and the last day; an absent one is taken from `defaults`.
    ///
    /// # Errors
    /// [`Invalid`] if the end is before the start.
    pub fn or(self, defaults: (Day, Day)) -> Result<(Day, Day), Invalid> {
        let start = self.start.unwrap_or(defaults.0);
        let end = self.end.unwrap_or(defaults.1);
        if end < start {
            let expected = format!("must not be before startDate ({start})");
            return Err(Invalid::new("endDate", expected));
        }
        Ok((start, end))
    }
}

/// `startDate` and `endDate`.
#[derive(Debug, Clone, Copy)]
pub struct Days {
    /// The first day by default, in words.
    pub start: &'static str,
    /// The last day by default, in words.
    pub end: &'static str,
}

const DAY: Kind<Day> = Kind {
    read: |name, text| {
        let expected = "must be a date such as 2026-06-01 or an ISO 8601 date-time";
        Day::parse(&with_plus(text)).ok_or_else(|| Invalid::new(name, expected))
    },
    schema: schema::day,
};

fn day(name: &'static str) -> Optional<Day> {
    optional(name, DAY).example("2026-06-01")
}

impl<O> Part<O> for Days {
    type Value = DaysQuery;

    fn read(&self, query: &Query<'_>, _: O) -> Result<DaysQuery, Invalid> {
        Ok(DaysQuery {
            start: day("startDate").read(query, ())?,
            end: day("endDate").read(query, ())?,
        })
    }

    fn describe(&self, _: &str, parameters: &mut Vec<Parameter>) {
        let about = "a date in UTC, or a time, of which the date counts";
        for (name, end, default) in [
            ("startDate", "first", self.start),
            ("endDate", "last", self.end),
        ] {
            let about = format!("The {end} day, {about}; {default} by default.");
            Part::<()>::describe(&day(name), &about, parameters);
        }
    }
}
