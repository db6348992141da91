//! The program-activity report, in the manner of the Scrip surface.

use serde::Serialize;

use super::{PaginationResponse, Query};
use crate::domain::{Invalid, Timestamp};

/// The times of `GET /v1/reports/program-activity`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProgramActivityQuery {
    /// Only programs whose newest ledger entry is later than this.
    pub since: Option<Timestamp>,
    /// The period, both ends in it.
    pub period: Option<(Timestamp, Timestamp)>,
}

impl ProgramActivityQuery {
    /// Reads the query.
    ///
    /// # Errors
    /// [`Invalid`] naming a parameter that is unreadable, alone, or before the other.
    pub fn parse(query: &Query) -> Result<Self, Invalid> {
        let time = |name: &str| {
            query.parsed(name, |name, text| {
                Timestamp::parse(text).ok_or_else(|| {
                    Invalid::new(
                        name,
                        "must be an RFC 3339 time such as 2026-06-01T00:00:00Z",
                    )
                })
            })
        };
        let period = match (time("from")?, time("to")?) {
            (None, None) => None,
            (Some(from), Some(to)) if from <= to => Some((from, to)),
            (Some(_), Some(_)) => return Err(Invalid::new("to", "must not be before from")),
            (Some(_), None) => return Err(Invalid::new("to", "is required when from is given")),
            (None, Some(_)) => return Err(Invalid::new("from", "is required when to is given")),
        };
        Ok(Self {
            since: time("since")?,
            period,
        })
    }
}

/// The activity of one program.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ProgramActivityResponse {
    pub asset_count: u64,
    pub event_count: u64,
    pub journal_count: u64,
    pub last_activity_at: Option<String>,
    pub program_id: String,
    pub program_name: String,
    pub reward_count: u64,
    pub rule_count: u64,
    pub tier_count: u64,
    pub total_issued: String,
    pub total_redeemed: String,
    pub unique_participants: u64,
}

/// Points as the Scrip surface writes amounts: with two decimals, of which points have none.
pub fn decimal(points: u64) -> String {
    format!("{points}.00")
}

/// A page of the report.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct ProgramActivityListResponse {
    pub data: Vec<ProgramActivityResponse>,
    pub pagination: PaginationResponse,
}
