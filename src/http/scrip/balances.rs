//! `/v1/participants/{id}/balances`.

use actix_web::web::Data;

use crate::domain::BalanceOperation;
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{
    AdjustBalanceRequest, AdjustedBalanceResponse, BalanceOperationRequest,
    BalanceOperationResponse, ParticipantBalanceListResponse, TEXT, optional, query_parameters,
};

/// The errors of what moves points.
const MOVES: &[Code] = &[
    Code::Forbidden,
    Code::NotFound,
    Code::ParticipantInactive,
    Code::InvalidScale,
    Code::InsufficientPoints,
];

/// The errors of what is possible whatever the status is.
const ALWAYS: &[Code] = &[
    Code::Forbidden,
    Code::NotFound,
    Code::InvalidScale,
    Code::InsufficientPoints,
];

routes! {
    tag "Balances";

    "/v1/participants/{id}/balances" {
        GET OrgKey list_balances => Operation::new("Get the balances of a participant")
            .returns::<ParticipantBalanceListResponse>(200, "The balance of each asset.")
            .errors(NOT_FOUND);
    }
    "/v1/participants/{id}/balances/adjust" {
        POST OrgKey adjust_balance => Operation::new("Credit or debit points")
            .description(
                "A credit to `AVAILABLE` whose `reference_id` has points that were credited to \
                 `HELD` settles them: they become available, and the difference is credited or \
                 taken back.",
            )
            .body::<AdjustBalanceRequest>()
            .returns::<AdjustedBalanceResponse>(200, "What was done.")
            .errors(&[
                Code::InsufficientOrgPoints,
                Code::Forbidden,
                Code::NotFound,
                Code::OrgPool,
                Code::AssetArchived,
                Code::ParticipantInactive,
                Code::InvalidScale,
                Code::AmountTooLarge,
                Code::InsufficientPoints,
                Code::WalletEmpty,
                Code::LimitReached,
            ]);
    }
    "/v1/participants/{id}/balances/hold" {
        POST OrgKey hold_balance => Operation::new("Reserve available points")
            .description(
                "In a program with lots a hold ends automatically: after 30 days, or at `hold_until`. \
                 Points do not expire while they are held.",
            )
            .body::<BalanceOperationRequest>()
            .returns::<BalanceOperationResponse>(200, "What was done.")
            .errors(&[
                Code::Forbidden,
                Code::NotFound,
                Code::ParticipantInactive,
                Code::InvalidScale,
                Code::InsufficientPoints,
                Code::LimitReached,
            ]);
    }
    "/v1/participants/{id}/balances/release" {
        POST OrgKey release_balance => Operation::new("Make reserved points available again")
            .description("The points that were held first are released first.")
            .body::<BalanceOperationRequest>()
            .returns::<BalanceOperationResponse>(200, "What was done.")
            .errors(MOVES);
    }
    "/v1/participants/{id}/balances/forfeit" {
        POST OrgKey forfeit_balance => Operation::new("Take points permanently")
            .body::<BalanceOperationRequest>()
            .returns::<BalanceOperationResponse>(200, "What was done.")
            .errors(ALWAYS);
    }
    "/v1/participants/{id}/balances/void-hold" {
        POST OrgKey void_hold => Operation::new("Take back points that were credited to HELD")
            .description(
                "All that is left of the credits to `HELD` with this `reference_id`. Points that \
                 the participant had, and that were held, stay.",
            )
            .body::<BalanceOperationRequest>()
            .returns::<BalanceOperationResponse>(200, "What was done.")
            .errors(&[Code::Forbidden, Code::NotFound]);
    }
}

query_parameters! {
    /// The query of `GET /v1/participants/{id}/balances`.
    struct ListBalancesQuery {
        /// Only the balance of this asset.
        asset_id: Option<String> = optional("asset_id", TEXT);
    }
}

async fn list_balances(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    PathText(id): PathText,
    query: QueryText<ListBalancesQuery>,
) -> HttpResult {
    let asset = query.parse()?.asset_id;
    Ok(ok(&services.list_balances(key, &id, asset).await?))
}

async fn adjust_balance(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    PathText(id): PathText,
) -> HttpResult {
    let request = AdjustBalanceRequest::parse(&body.value)?;
    let idempotency = idempotency.of_body(key, &body.value)?;
    Ok(reply(
        services
            .adjust_balance(key, idempotency, id, request)
            .await?,
    ))
}

async fn hold_balance(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    id: PathText,
) -> HttpResult {
    operate(
        BalanceOperation::Hold,
        (services, key, id),
        (idempotency, body),
    )
    .await
}

async fn release_balance(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    id: PathText,
) -> HttpResult {
    operate(
        BalanceOperation::Release,
        (services, key, id),
        (idempotency, body),
    )
    .await
}

async fn forfeit_balance(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    id: PathText,
) -> HttpResult {
    operate(
        BalanceOperation::Forfeit,
        (services, key, id),
        (idempotency, body),
    )
    .await
}

async fn void_hold(
    services: Data<Services>,
    key: OrgKey,
    idempotency: Idempotency,
    body: JsonBody,
    id: PathText,
) -> HttpResult {
    operate(
        BalanceOperation::VoidHold,
        (services, key, id),
        (idempotency, body),
    )
    .await
}

async fn operate(
    operation: BalanceOperation,
    (services, OrgKey(key), PathText(id)): (Data<Services>, OrgKey, PathText),
    (idempotency, body): (Idempotency, JsonBody),
) -> HttpResult {
    let request = BalanceOperationRequest::parse(&body.value)?;
    let idempotency = idempotency.of_body(key, &body.value)?;
    let done = services.operate_on_balance(key, idempotency, (id, operation), request);
    Ok(reply(done.await?))
}
