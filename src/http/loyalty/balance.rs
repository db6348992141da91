//! `/v1/balance`.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::openapi::operation::Operation;
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::PoolBalanceResponse;

routes! {
    tag "Wallets";

    "/v1/balance" {
        GET OrgKey get_balance => Operation::new("Get the pool of the organization")
            .description("Zeros if the organization has no pool. A sandbox never draws from it.")
            .returns::<PoolBalanceResponse>(200, "The pool.");
    }
}

async fn get_balance(services: Data<Services>, OrgKey(key): OrgKey) -> HttpResult {
    Ok(ok(&services.get_balance(key).await?))
}
