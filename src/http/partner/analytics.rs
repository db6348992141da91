//! `/partner/analytics`, `/partner/usage`, `/partner/billing`.

use actix_web::web::Data;

use crate::http::auth::PartnerKey;
use crate::http::extract::QueryText;
use crate::http::{HttpResult, ok};
use crate::service::Services;

/// `GET /partner/analytics`.
pub(in crate::http) async fn get_partner_analytics(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    Ok(ok(&services.partner_analytics(partner, &query).await?))
}

/// `GET /partner/usage`.
pub(in crate::http) async fn get_partner_usage(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText,
) -> HttpResult {
    let query = query.parse()?;
    Ok(ok(&services.partner_usage(partner, &query).await?))
}

/// `GET /partner/billing`.
pub(in crate::http) async fn get_partner_billing(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
) -> HttpResult {
    Ok(ok(&services.partner_billing(partner).await?))
}

/// `GET /partner/billing/usage`.
pub(in crate::http) async fn get_partner_billing_usage(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
) -> HttpResult {
    Ok(ok(&services.partner_billing_usage(partner).await?))
}
