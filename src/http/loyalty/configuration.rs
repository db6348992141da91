//! `/v1/configuration`.

use actix_web::web::Data;

use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::JsonBody;
use crate::http::openapi::operation::Operation;
use crate::http::precondition::Conditions;
use crate::http::response::{ok_at, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{ConfigurationRequest, ConfigurationResponse};

routes! {
    tag "Configuration";

    "/v1/configuration" {
        GET OrgKey get_configuration => Operation::new("Get the program's configuration")
            .returns::<ConfigurationResponse>(200, "The configuration.")
            .versioned();
        PUT OrgKey update_configuration => Operation::new("Update the program's configuration")
            .description(
                "Absent fields keep their value. The response to a request that sets `phoneWebhook` \
                 or `conciergeWebhook` shows, once, a new secret for its signatures.",
            )
            .body::<ConfigurationRequest>()
            .returns::<ConfigurationResponse>(200, "The updated configuration.")
            .errors(&[
                Code::RepriceNotConfirmed,
                Code::SymbolTaken,
                Code::WebhookUrlNotAllowed,
            ])
            .versioned();
    }
}

async fn get_configuration(services: Data<Services>, OrgKey(key): OrgKey) -> HttpResult {
    let (configuration, version) = services.get_configuration(key).await?;
    Ok(ok_at(version.0, &configuration))
}

async fn update_configuration(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = ConfigurationRequest::parse(&body.value)?;
    Ok(reply(
        services
            .update_configuration(key, precondition, request)
            .await?,
    ))
}
