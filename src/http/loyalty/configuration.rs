//! `/v1/configuration`.

use actix_web::web::Data;

use crate::http::auth::OrgKey;
use crate::http::extract::JsonBody;
use crate::http::{HttpResult, ok, reply};
use crate::service::Services;
use crate::wire::ConfigurationRequest;

/// `GET /v1/configuration`.
pub(in crate::http) async fn get_configuration(
    services: Data<Services>,
    OrgKey(key): OrgKey,
) -> HttpResult {
    Ok(ok(&services.get_configuration(key).await?))
}

/// `PUT /v1/configuration`.
pub(in crate::http) async fn set_configuration(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody,
) -> HttpResult {
    let request = ConfigurationRequest::parse(&body.value)?;
    Ok(reply(services.set_configuration(key, request).await?))
}
