//! `/v1/reports/ledger-summary` and `/v1/reports/expiration-schedule`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use super::activity::PeriodQuery;
use crate::domain::{Invalid, OrganizationNumber, Timestamp};
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::QueryText;
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::{ExpirationSelection, Granularity, Services};
use crate::wire::{
    ASSET_ID, AssetResponse, ExpirationScheduleListResponse, LedgerSummaryListResponse, ListKind,
    Named, PROGRAM_ID, PageQuery, TIME, group, optional, page, query_parameters, words,
};

routes! {
    tag "Reports";

    "/v1/reports/expiration-schedule" {
        GET OrgKey get_expiration_schedule => Operation::new("Get when points expire")
            .description(
                "Days, weeks from Monday, or months of the calendar in the time zone of each \
                 program: from the one with `from` to the one with `to`, at most 1,000. The sum of \
                 the buckets, `expiring_before_window`, `expiring_after_window` and \
                 `never_expiring` is `total_outstanding`. Programs whose points are not in lots are \
                 omitted; naming one is a 400.",
            )
            .returns::<ExpirationScheduleListResponse>(200, "A page, oldest program first.")
            .errors(NOT_FOUND);
    }
    "/v1/reports/ledger-summary" {
        GET OrgKey get_ledger_summary => Operation::new("Get where points came from and went")
            .returns::<LedgerSummaryListResponse>(200, "A page, oldest program first.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/reports/expiration-schedule`.
    struct ExpirationScheduleQuery of OrganizationNumber, checked by is_ordered {
        page: PageQuery = page(ListKind::ExpirationSchedule).limits(PAGE_LIMITS);
        /// A time in the first bucket.
        from: Timestamp = optional("from", TIME).example("2026-06-01T00:00:00Z").required();
        /// A time in the last bucket.
        to: Timestamp = optional("to", TIME).example("2027-06-01T00:00:00Z").required();
        /// The length of the buckets; `month` by default.
        granularity: Granularity = optional("granularity", words!(Granularity)).or_default();
        /// Only this program; `current`: that of the key.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
        /// Only this asset; `default`: the points of the key's program.
        asset: Option<Named> = optional("asset_id", ASSET_ID);
    }
}

query_parameters! {
    /// The query of `GET /v1/reports/ledger-summary`.
    struct LedgerSummaryQuery of OrganizationNumber {
        page: PageQuery = page(ListKind::LedgerSummary).limits(PAGE_LIMITS);
        period: PeriodQuery = group::<PeriodQuery>();
        /// Only this program; `current`: that of the key.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
    }
}

fn is_ordered(query: &ExpirationScheduleQuery) -> Result<(), Invalid> {
    if query.from > query.to {
        return Err(Invalid::new("to", "must not be before from"));
    }
    Ok(())
}

async fn get_expiration_schedule(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ExpirationScheduleQuery>,
) -> HttpResult {
    let query = query.parse_for(key.organization)?;
    let selection = ExpirationSelection {
        from: query.from,
        to: query.to,
        granularity: query.granularity,
        program: query.program.map(|named| named.or(key.program_uuid)),
        asset: query
            .asset
            .map(|named| named.or(AssetResponse::id_of(key.program_uuid, None))),
    };
    let schedule = services.get_expiration_schedule(key, selection, query.page);
    Ok(ok(&schedule.await?))
}

async fn get_ledger_summary(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<LedgerSummaryQuery>,
) -> HttpResult {
    let query = query.parse_for(key.organization)?;
    let period = query.period.from.zip(query.period.to);
    let program = query.program.map(|named| named.or(key.program_uuid));
    let summary = services.get_ledger_summary(key, program, period, query.page);
    Ok(ok(&summary.await?))
}
