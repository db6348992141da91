//! `/partner/server`.

use actix_web::web::Data;

use crate::http::auth::PartnerKey;
use crate::http::{HttpResult, ok};
use crate::service::Services;

/// `GET /partner/server`.
pub(in crate::http) async fn get_server(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
) -> HttpResult {
    Ok(ok(&services.get_server(partner).await?))
}
