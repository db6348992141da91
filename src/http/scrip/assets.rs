//! `/v1/assets`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::precondition::Conditions;
use crate::http::response::{ok, ok_at, reply};
use crate::http::route::routes;
use crate::service::{Caller, Services};
use crate::wire::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse, PatchAssetRequest,
};

routes! {
    tag "Assets";

    "/v1/assets" {
        GET OrgKey list_assets => Operation::new("List the assets of the key's program")
            .description("So far a program has one asset: its points.")
            .returns::<AssetListResponse>(200, "The assets.");
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
            .errors(NOT_FOUND);
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

async fn list_assets(services: Data<Services>, OrgKey(key): OrgKey) -> HttpResult {
    Ok(ok(&services.list_assets(key).await?))
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
