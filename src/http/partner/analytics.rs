//! `/partner/me`, `/partner/analytics`, `/partner/usage`, `/partner/billing`.

use actix_web::web::Data;

use crate::http::HttpResult;
use crate::http::auth::PartnerKey;
use crate::http::extract::QueryText;
use crate::http::openapi::operation::Operation;
use crate::http::response::ok;
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{
    BillingResponse, BillingUsageResponse, Days, DaysQuery, OnePartnerResponse,
    PartnerAnalyticsResponse, PartnerUsageResponse, query_parameters,
};

routes! {
    tag "Partner";

    "/partner/me" {
        GET PartnerKey get_partner => Operation::new("Get the partner of the key")
            .description(
                "With the environment of the key and this month's pool. Branding, domain and \
                 webhooks are not supported.",
            )
            .returns::<OnePartnerResponse>(200, "The partner.");
    }
    "/partner/analytics" {
        GET PartnerKey get_partner_analytics => Operation::new("Get figures of all organizations")
            .returns::<PartnerAnalyticsResponse>(200, "The figures.");
    }
    "/partner/usage" {
        GET PartnerKey get_partner_usage => Operation::new("Get identifications and events")
            .returns::<PartnerUsageResponse>(200, "The figures.");
    }
    "/partner/billing" {
        GET PartnerKey get_partner_billing => Operation::new("Get this month's credit pool")
            .returns::<BillingResponse>(200, "The pool.");
    }
    "/partner/billing/usage" {
        GET PartnerKey get_partner_billing_usage => Operation::new("Get each organization's usage")
            .description("Credits used this month.")
            .returns::<BillingUsageResponse>(200, "The figures.");
    }
}

query_parameters! {
    /// The query of `GET /partner/analytics`.
    struct AnalyticsQuery {
        days: DaysQuery = Days { start: "30 days ago", end: "today" };
    }
}

query_parameters! {
    /// The query of `GET /partner/usage`.
    struct UsageQuery {
        days: DaysQuery = Days { start: "the 1st of this month", end: "today" };
    }
}

async fn get_partner(services: Data<Services>, PartnerKey(partner): PartnerKey) -> HttpResult {
    Ok(ok(&services.get_partner(partner).await?))
}

async fn get_partner_analytics(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText<AnalyticsQuery>,
) -> HttpResult {
    let days = query.parse()?.days;
    Ok(ok(&services.get_partner_analytics(partner, days).await?))
}

async fn get_partner_usage(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
    query: QueryText<UsageQuery>,
) -> HttpResult {
    let days = query.parse()?.days;
    Ok(ok(&services.get_partner_usage(partner, days).await?))
}

async fn get_partner_billing(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
) -> HttpResult {
    Ok(ok(&services.get_partner_billing(partner).await?))
}

async fn get_partner_billing_usage(
    services: Data<Services>,
    PartnerKey(partner): PartnerKey,
) -> HttpResult {
    Ok(ok(&services.get_partner_billing_usage(partner).await?))
}
