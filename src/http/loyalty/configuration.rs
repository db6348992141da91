//! `/v1/configuration`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::extract::JsonBody;
use crate::http::precondition::{Conditions, ok_at};
use crate::http::{HttpResult, reply};
use crate::service::Services;
use crate::wire::ConfigurationRequest;

/// `GET /v1/configuration`.
pub(in crate::http) async fn get_configuration(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    let (configuration, version) = services.get_configuration(key).await?;
    Ok(ok_at(version.0, &configuration))
}

/// `PUT /v1/configuration`.
pub(in crate::http) async fn set_configuration(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
    conditions: Conditions,
) -> HttpResult {
    let precondition = conditions.parse()?;
    let request = ConfigurationRequest::parse(&body.value)?;
    Ok(reply(
        services
            .set_configuration(key, precondition, request)
            .await?,
    ))
}
