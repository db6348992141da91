//! `/partner/server`.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::openapi::operation::Operation;
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::ServerResponse;

routes! {
    tag "Partner";

    "/partner/server" {
        GET PartnerKey get_server => Operation::new("Get the state of the server and its database")
            .description(
                "For both environments: the version, the state, and when the commands `verify` and \
                 `backup` last ran on this machine.",
            )
            .returns::<ServerResponse>(200, "The server.");
    }
}

async fn get_server(services: Data<Services>, PartnerKey(partner): PartnerKey) -> HttpResult {
    Ok(ok(&services.get_server(partner).await?))
}
