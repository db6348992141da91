//! `/v1/participants/{id}/statement` and `/v1/participants/{id}/balances/lots`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use super::programs::DIRECTION;
use crate::domain::{Bucket, Invalid, LotStatus, ProgramNumber, Timestamp};
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::{LotFilter, Services, StatementSelection};
use crate::wire::{
    ASSET_ID, AssetResponse, ListKind, LotListResponse, Named, Optional, PROGRAM_ID, PageQuery,
    StatementResponse, TEXT, TIME, flag, group, optional, page, query_parameters, words,
};

routes! {
    tag "Participants";

    "/v1/participants/{id}/balances/lots" {
        GET OrgKey list_lots => Operation::new("List the lots of a participant")
            .description(
                "Those with points left first, in the order of their numbers; then the others, the \
                 newest first. A page reads at most 10,000 ledger entries, so it may have fewer \
                 rows than `limit` although `has_more` is true. 400 if the points of the program \
                 are not in lots.",
            )
            .returns::<LotListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
    }
    "/v1/participants/{id}/statement" {
        GET OrgKey get_statement => Operation::new("Get the statement of a participant")
            .description(
                "The changes of one bucket of the account, by default the oldest first. `from` and \
                 `to` select rows; balances are always those of the whole history. A page reads at most 10,000 \
                 ledger entries, so it may have fewer rows than `limit` although `has_more` is \
                 true.",
            )
            .returns::<StatementResponse>(200, "A page.")
            .errors(NOT_FOUND);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/balances/lots`.
    struct ListLotsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Lots).limits(PAGE_LIMITS);
        /// The asset; `default`: the points of the program.
        asset: Named = optional("asset_id", ASSET_ID).required();
        /// The program: that of the key, also as `current`.
        program: Option<Named> = optional("program_id", PROGRAM_ID);
        /// Only lots with this status.
        status: Option<LotStatus> = optional("status", words!(LotStatus));
        /// Only lots that expire before this time.
        expires_before: Option<Timestamp> = optional("expires_before", TIME);
        /// Only lots that expire after this time.
        expires_after: Option<Timestamp> = optional("expires_after", TIME);
        /// Only lots with this reference.
        reference: Option<String> = optional("reference_id", TEXT);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/statement`.
    struct GetStatementQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Statement).limits(PAGE_LIMITS);
        /// The asset; `default`: the points of the program.
        asset: Named = optional("asset_id", ASSET_ID).required();
        /// The bucket; `AVAILABLE` by default.
        bucket: Bucket = optional("bucket", words!(Bucket)).or_default();
        period: CreatedQuery = group::<CreatedQuery>();
        /// Ascending or descending by time; `asc` by default.
        is_descending: bool = optional("sort_dir", DIRECTION).or_default();
        /// Whether rows have `details`: who caused them, and the lots that they moved.
        details: bool = flag("details");
    }
}

query_parameters! {
    /// The time at which an entry was created, both ends included.
    pub(super) struct CreatedQuery, checked by is_ordered {
        /// Only entries of this time or later.
        pub(super) from: Option<Timestamp> = time("from");
        /// Only entries of this time or earlier.
        pub(super) to: Option<Timestamp> = time("to");
    }
}

fn time(name: &'static str) -> Optional<Timestamp> {
    optional(name, TIME).example("2026-06-01T00:00:00Z")
}

fn is_ordered(period: &CreatedQuery) -> Result<(), Invalid> {
    match (period.from, period.to) {
        (Some(from), Some(to)) if from > to => Err(Invalid::new("to", "must not be before from")),
        _ => Ok(()),
    }
}

async fn list_lots(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListLotsQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let filter = LotFilter {
        asset: query.asset.or(AssetResponse::id_of(key.program_uuid, None)),
        program: query.program.map(|named| named.or(key.program_uuid)),
        status: query.status,
        expires_before: query.expires_before,
        expires_after: query.expires_after,
        reference: query.reference,
    };
    Ok(ok(&services.list_lots(key, id, filter, query.page).await?))
}

async fn get_statement(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<GetStatementQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let selection = StatementSelection {
        asset: query.asset.or(AssetResponse::id_of(key.program_uuid, None)),
        bucket: query.bucket,
        from: query.period.from,
        to: query.period.to,
        is_descending: query.is_descending,
        has_details: query.details,
    };
    let statement = services.get_statement(key, id, selection, query.page);
    Ok(ok(&statement.await?))
}
