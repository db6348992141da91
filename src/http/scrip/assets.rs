//! `/v1/assets`.

use actix_web::web::Data;

use super::PAGE_LIMITS;
use crate::domain::ProgramNumber;
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse,
    CreateAssetRequest, LinkAssetRequest, ListKind, PageQuery, PatchAssetRequest, page,
    query_parameters,
};

routes! {
    tag "Assets";

    "/v1/assets" {
        GET OrgKey list_assets => Operation::new("List the assets of the key's program")
            .description("The points of the program first, then its further assets, oldest first.")
            .returns::<AssetListResponse>(200, "A page.");
        POST OrgKey create_asset => Operation::new("Create an asset")
            .description(
                "A program has its points, which are its currency, and at most 100 further assets. \
                 These are never shown outside this part of the API, and no figure counts them.",
            )
            .body::<CreateAssetRequest>()
            .returns::<AssetResponse>(201, "The asset.")
            .errors(&[
                Code::Forbidden,
                Code::SymbolTaken,
                Code::InvalidScale,
                Code::LimitReached,
            ]);
    }
    "/v1/programs/{id}/assets" {
        GET OrgKey list_assets_of_program => Operation::new("List the assets of a program")
            .description("As `GET /v1/assets`: the program is that of the key, or `current`.")
            .returns::<AssetListResponse>(200, "A page.")
            .errors(&[Code::Forbidden, Code::NotFound]);
        POST OrgKey link_asset => Operation::new("Link an asset to a program")
            .description(
                "Always refused: an asset belongs to the program in which it was created, and to no \
                 other one.",
            )
            .body::<LinkAssetRequest>()
            .errors(&[Code::Forbidden, Code::NotFound, Code::AlreadyLinked]);
    }
    "/v1/assets/{id}" {
        GET OrgKey get_asset => Operation::new("Get an asset")
            .description("The id `default` means the points of the key's program.")
            .returns::<AssetResponse>(200, "The asset.")
            .versioned()
            .errors(NOT_FOUND);
        PATCH OrgKey patch_asset => Operation::new("Change the settings of an asset")
            .body::<PatchAssetRequest>()
            .returns::<AssetResponse>(200, "The updated asset.")
            .versioned()
            .errors(&[Code::NotFound, Code::InvalidScale]);
    }
    "/v1/assets/{id}/convert" {
        POST OrgKey convert_asset => Operation::new("Keep the points in lots from now on")
            .description(
                "One way. The points that each member has become one lot; their dates are those of \
                 the request. Send `dry_run` first: it counts and changes nothing.",
            )
            .body::<ConvertAssetRequest>()
            .returns::<ConvertAssetResponse>(200, "What the conversion does, or would do.")
            .errors(&[Code::NotFound, Code::AlreadyLots]);
    }
}

query_parameters! {
    /// The query of lists of assets.
    struct ListAssetsQuery of ProgramNumber {
        page: PageQuery = page(ListKind::Assets).limits(PAGE_LIMITS);
    }
}

async fn list_assets(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    query: QueryText<ListAssetsQuery>,
) -> HttpResult {
    let page = query.parse_for(key.program)?.page;
    Ok(ok(&services.list_assets(key, page).await?))
}

async fn list_assets_of_program(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListAssetsQuery>,
) -> HttpResult {
    let page = query.parse_for(key.program)?.page;
    Ok(ok(&services.list_assets_of_program(key, id, page).await?))
}

async fn create_asset(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = CreateAssetRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.create_asset(key, idempotency, request).await?,
    ))
}

async fn link_asset(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = LinkAssetRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services.link_asset(key, idempotency, id, request).await?,
    ))
}

async fn get_asset(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
) -> HttpResult {
    let asset = services.get_asset(key, id).await?;
    Ok(ok_at(asset.version, &asset))
}

async fn patch_asset(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    PathText(id): PathText,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = PatchAssetRequest::parse(&body.value)?;
    Ok(reply(
        services.patch_asset(key, id, precondition, request).await?,
    ))
}

async fn convert_asset(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = ConvertAssetRequest::parse(&body.value)?;
    let idempotency = idempotency.key(Caller::Key(key), &body.value)?;
    Ok(reply(
        services
            .convert_asset(key, idempotency, id, request)
            .await?,
    ))
}
