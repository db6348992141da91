//! The wallet of a program.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::domain::ProgramNumber;
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathPair, PathText, QueryText};
use crate::http::openapi::operation::Operation;
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::{FundingKind, Services};
use crate::wire::{
    ASSET_ID, FundAssetRequest, FundedAssetResponse, ListKind, Named, PageQuery,
    ProgramBalanceListResponse, optional, page, query_parameters,
};

routes! {
    tag "Programs";

    "/v1/programs/{id}/balance" {
        GET OrgKey list_program_balance => Operation::new("Get what the wallet of a program has")
            .description(
                "Of each `PREFUNDED` asset: what was funded and returned, without what was burned \
                 and credited. The program is that of the key, or `current`.",
            )
            .returns::<ProgramBalanceListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
    }
    "/v1/programs/{id}/assets/{assetId}/fund" {
        POST OrgKey fund_asset => Operation::new("Put points into the wallet of a program")
            .description(
                "Credits of a `PREFUNDED` asset take their points from there. An `UNLIMITED` asset \
                 needs none: nothing is changed. The asset is named by its id, or `default`.",
            )
            .body::<FundAssetRequest>()
            .returns::<FundedAssetResponse>(200, "What the wallet has now.")
            .errors(&[
                Code::Forbidden,
                Code::NotFound,
                Code::AssetArchived,
                Code::InvalidScale,
            ]);
    }
    "/v1/programs/{id}/assets/{assetId}/burn" {
        POST OrgKey burn_asset => Operation::new("Take points out of the wallet of a program")
            .description("They are gone. At most what the wallet has.")
            .body::<FundAssetRequest>()
            .returns::<FundedAssetResponse>(200, "What the wallet has now.")
            .errors(&[
                Code::Forbidden,
                Code::NotFound,
                Code::InvalidScale,
                Code::WalletEmpty,
            ]);
    }
}

query_parameters! {
    /// The query of `GET /v1/programs/{id}/balance`.
    struct ListProgramBalanceQuery of ProgramNumber {
        page: PageQuery = page(ListKind::ProgramBalances).limits(PAGE_LIMITS);
        /// Only this asset; `default`: the points of the program.
        asset: Option<Named> = optional("asset_id", ASSET_ID);
    }
}

async fn list_program_balance(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListProgramBalanceQuery>,
) -> HttpResult {
    let query = query.parse_for(key.program)?;
    let list = services.list_program_balance(key, id, query.asset, query.page);
    Ok(ok(&list.await?))
}

async fn fund_asset(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    path: PathPair,
) -> HttpResult {
    change(FundingKind::Fund, (services, key, path), idempotency, body).await
}

async fn burn_asset(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    path: PathPair,
) -> HttpResult {
    change(FundingKind::Burn, (services, key, path), idempotency, body).await
}

async fn change(
    kind: FundingKind,
    (services, OrgKey(key), PathPair(program, asset)): (Data<Services>, OrgKey, PathPair),
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = FundAssetRequest::parse(&body.value)?;
    let idempotency = idempotency.of_body(key, &body.value)?;
    let changed = services.fund_asset(key, idempotency, (program, asset, kind), request);
    Ok(reply(changed.await?))
}
