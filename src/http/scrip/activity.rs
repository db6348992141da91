//! `/v1/reports/program-activity`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::domain::{Invalid, OrganizationNumber, Timestamp};
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::QueryText;
use crate::http::openapi::operation::Operation;
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::{ActivitySelection, Services};
use crate::wire::{
    ListKind, Optional, PageQuery, ProgramActivityListResponse, TIME, group, optional, page,
    query_parameters,
};

routes! {
    tag "Reports";

    "/v1/reports/program-activity" {
        GET OrgKey get_program_activity => Operation::new("Get the figures of every program")
            .description(
                "Programs of the organization that are not archived, oldest first. With `from` and \
                 `to`, programs without an event of the catalogue in the period are omitted.",
            )
            .returns::<ProgramActivityListResponse>(200, "A page, read at one moment.");
    }
}

query_parameters! {
    /// The query of `GET /v1/reports/program-activity`.
    struct ProgramActivityQuery of OrganizationNumber {
        page: PageQuery = page(ListKind::ProgramActivity).limits(PAGE_LIMITS);
        period: PeriodQuery = group::<PeriodQuery>();
        /// Only programs with a later `last_activity_at`; affects no figure.
        since: Option<Timestamp> = time("since");
    }
}

query_parameters! {
    /// The period of the report, both ends included.
    pub(super) struct PeriodQuery, checked by is_complete {
        /// The start of the period; requires `to`.
        pub(super) from: Option<Timestamp> = time("from");
        /// The end of the period, which belongs to it.
        pub(super) to: Option<Timestamp> = time("to");
    }
}

fn time(name: &'static str) -> Optional<Timestamp> {
    optional(name, TIME).example("2026-06-01T00:00:00Z")
}

fn is_complete(period: &PeriodQuery) -> Result<(), Invalid> {
    match (period.from, period.to) {
        (Some(from), Some(to)) if from > to => Err(Invalid::new("to", "must not be before from")),
        (Some(_), None) => Err(Invalid::new("to", "is required when from is given")),
        (None, Some(_)) => Err(Invalid::new("from", "is required when to is given")),
        _ => Ok(()),
    }
}

async fn get_program_activity(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ProgramActivityQuery>,
) -> HttpResult {
    let query = query.parse_for(key.organization)?;
    let selection = ActivitySelection {
        since: query.since,
        period: query.period.from.zip(query.period.to),
    };
    let report = services.get_program_activity(key, selection, query.page);
    Ok(ok(&report.await?))
}
