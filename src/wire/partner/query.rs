//! What the partner's surface asks for in a query: pages by number, days, a status.

use crate::domain::{Day, Invalid, OrganizationStatus};
use crate::wire::Query;

/// A page by its number, as the partner's surface counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberedPageQuery {
    /// From 1.
    pub page: i64,
    /// Rows a page, 1 to 100, 20 unless said.
    pub page_size: i64,
}

impl NumberedPageQuery {
    /// The highest number of a page.
    pub const PAGE_MAX: i64 = 1_000_000;
    /// The most rows of one.
    pub const PAGE_SIZE_MAX: i64 = 100;
}

impl Query<'_> {
    /// `page` and `pageSize`.
    ///
    /// # Errors
    /// [`Invalid`] if one is out of range.
    pub fn numbered_page(&self) -> Result<NumberedPageQuery, Invalid> {
        let number = |name: &str, most: i64| {
            self.parsed(name, |name, text| {
                text.parse::<i64>()
                    .ok()
                    .filter(|number| (1..=most).contains(number))
                    .ok_or_else(|| {
                        Invalid::new(name, format!("must be a whole number from 1 to {most}"))
                    })
            })
        };
        let page = number("page", NumberedPageQuery::PAGE_MAX)?.unwrap_or(1);
        Ok(NumberedPageQuery {
            page,
            page_size: number("pageSize", NumberedPageQuery::PAGE_SIZE_MAX)?.unwrap_or(20),
        })
    }

    /// The `status` that a list of organizations is narrowed to.
    ///
    /// # Errors
    /// [`Invalid`] if it is none.
    pub fn organization_status(&self) -> Result<Option<OrganizationStatus>, Invalid> {
        self.parsed("status", super::organizations::status)
    }

    /// `startDate` and `endDate`, both days in the period; a side that is missing is what
    /// `defaults` says.
    ///
    /// # Errors
    /// [`Invalid`] if one is unreadable, or the end is before the start.
    pub fn days(&self, defaults: (Day, Day)) -> Result<(Day, Day), Invalid> {
        let day = |name: &str| {
            self.parsed(name, |name, text| {
                Day::parse(text).ok_or_else(|| {
                    Invalid::new(
                        name,
                        "must be a date such as 2026-06-01 or an ISO 8601 date-time",
                    )
                })
            })
        };
        let start = day("startDate")?.unwrap_or(defaults.0);
        let end = day("endDate")?.unwrap_or(defaults.1);
        if end < start {
            return Err(Invalid::new(
                "endDate",
                format!("must not be before startDate ({start})"),
            ));
        }
        Ok((start, end))
    }
}
