//! Every route, with the credential it needs.

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Resource, Responder};

use super::{HttpError, HttpResult, dashboard, health, loyalty, openapi, partner, path, reports};
use crate::error::Code;
use crate::telemetry::Metrics;

/// Who may call a route. The handler's own types enforce it; the table states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody.
    Public,
    /// An Org-API-Key.
    OrgKey,
    /// An Org-API-Key or a member token.
    KeyOrMember,
    /// A member token.
    Member,
    /// A partner key.
    PartnerKey,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, its variable segments in braces.
    pub path: &'static str,
    /// Who may call it.
    pub access: Access,
    /// The name of its handler, in camel case the id of its operation.
    pub handler: &'static str,
}

/// The last name of a path of names.
const fn last_segment(path: &'static str) -> &'static str {
    let mut start = path.len();
    while start > 0 && path.as_bytes()[start - 1] != b':' {
        start -= 1;
    }
    path.split_at(start).1.trim_ascii()
}

/// What apps ask for all the time.
const ASKED_MOST: [&str; 9] = [
    "/v1/analytics/summary",
    "/v1/wallet",
    "/v1/eligibility",
    "/v1/wallet/credit",
    "/v1/analytics/timeseries",
    "/v1/redemptions",
    "/v1/auth/exchange",
    "/v1/members/{externalUserID}",
    "/v1/offers",
];
const LAST_TURN: usize = ASKED_MOST.len() + 1;

/// When the router tries a path. It tries one after the other, so that what is asked most comes
/// first, and what only has to be compared before what has variables. The order changes nothing
/// else: no request fits two paths.
fn turn_of(path: &str) -> usize {
    let often = ASKED_MOST.iter().position(|asked| *asked == path);
    often.unwrap_or(if path.contains('{') {
        LAST_TURN
    } else {
        LAST_TURN - 1
    })
}

macro_rules! routes {
    ($($path:literal $(or $alias:literal)? {
        $($method:ident $access:ident $($handler:ident)::+;)+
    })+) => {
        /// Every route.
        pub const ROUTES: &[Route] = &[$($(
            Route {
                method: stringify!($method),
                path: $path,
                access: Access::$access,
                handler: last_segment(stringify!($($handler)::+)),
            },
        )+)+];

        /// Adds every route to an application, and who counts the requests of each.
        pub(super) fn configure(config: &mut ServiceConfig, metrics: &Metrics) {
            for turn in 0..=LAST_TURN {
                $(for path in [$path, $($alias)?] {
                    if turn_of(path) == turn {
                        let resource = web::resource(path)
                            .app_data(metrics.of_path($path, &[$(stringify!($method)),+]));
                        $(let resource = take(resource, &Method::$method, $($handler)::+);)+
                        config.service(resource.default_service(web::to(|| async {
                            method_not_allowed(&[$(stringify!($method)),+])
                        })));
                    }
                })+
            }
        }
    };
}

routes! {
    "/" { GET Public dashboard::get_page; }
    "/assets/{digest}/{name}" { GET Public dashboard::get_asset; }
    "/healthz" { GET Public health::get_health; }
    "/readyz" { GET Public health::get_readiness; }
    "/metrics" { GET Public health::get_metrics; }
    "/openapi.json" { GET Public openapi::get_openapi; }
    "/docs" { GET Public openapi::get_docs; }
    "/docs/{file}" { GET Public openapi::get_docs_file; }

    "/v1/auth/exchange" { POST OrgKey loyalty::tokens::exchange_token; }
    "/v1/members" { GET OrgKey loyalty::members::list_members; }
    "/v1/members/{externalUserID}" {
        GET OrgKey loyalty::members::get_member;
        PUT OrgKey loyalty::members::set_member;
        DELETE OrgKey loyalty::members::remove_member;
    }
    "/v1/tiers" { GET OrgKey loyalty::members::list_tiers; }
    "/v1/eligibility" { GET KeyOrMember loyalty::wallets::get_eligibility; }
    "/v1/wallet" { GET KeyOrMember loyalty::wallets::get_wallet; }
    "/v1/wallet/transactions" { GET KeyOrMember loyalty::wallets::list_transactions; }
    "/v1/wallet/credit" { POST OrgKey loyalty::wallets::credit_wallet; }
    "/v1/wallet/debit" { POST OrgKey loyalty::wallets::debit_wallet; }
    "/v1/offers" {
        GET KeyOrMember loyalty::offers::list_offers;
        POST OrgKey loyalty::offers::create_offer;
    }
    "/v1/offers/{id}" {
        GET KeyOrMember loyalty::offers::get_offer;
        PATCH OrgKey loyalty::offers::patch_offer;
        DELETE OrgKey loyalty::offers::archive_offer;
    }
    "/v1/redemptions" {
        GET KeyOrMember loyalty::redemptions::list_redemptions;
        POST KeyOrMember loyalty::redemptions::create_redemption;
    }
    "/v1/redemptions/{id}" {
        GET KeyOrMember loyalty::redemptions::get_redemption;
        PATCH OrgKey loyalty::redemptions::patch_redemption;
    }
    "/v1/redemptions/{id}/history" {
        GET OrgKey loyalty::redemptions::get_redemption_history;
    }
    "/v1/redemptions/{id}/cancel" { POST KeyOrMember loyalty::redemptions::cancel_redemption; }
    "/v1/conversations" {
        GET KeyOrMember loyalty::conversations::list_conversations;
        POST OrgKey loyalty::conversations::start_conversation;
    }
    "/v1/conversations/{id}" { GET KeyOrMember loyalty::conversations::get_conversation; }
    "/v1/conversations/{id}/messages" {
        GET KeyOrMember loyalty::conversations::list_messages;
        POST KeyOrMember loyalty::conversations::send_message;
    }
    "/v1/conversations/{id}/stream" { GET Member loyalty::streams::stream_messages; }
    "/v1/activity/stream" { GET OrgKey loyalty::streams::stream_activity; }
    "/v1/webhooks" {
        GET OrgKey loyalty::webhooks::list_webhooks;
        POST OrgKey loyalty::webhooks::create_webhook;
    }
    "/v1/webhooks/{id}" {
        GET OrgKey loyalty::webhooks::get_webhook;
        PATCH OrgKey loyalty::webhooks::patch_webhook;
        DELETE OrgKey loyalty::webhooks::delete_webhook;
    }
    "/v1/webhooks/{id}/deliveries" { GET OrgKey loyalty::webhooks::list_webhook_deliveries; }
    "/v1/webhooks/{id}/deliveries/{deliveryId}/redeliver" {
        POST OrgKey loyalty::webhooks::redeliver_webhook;
    }
    "/v1/webhooks/{id}/test" { POST OrgKey loyalty::webhooks::test_webhook; }
    "/v1/configuration" {
        GET OrgKey loyalty::configuration::get_configuration;
        PUT OrgKey loyalty::configuration::set_configuration;
    }
    "/v1/keys" {
        GET OrgKey loyalty::keys::list_keys;
        POST OrgKey loyalty::keys::create_key;
    }
    "/v1/keys/{id}" { DELETE OrgKey loyalty::keys::revoke_key; }
    "/v1/analytics/summary" { GET OrgKey loyalty::analytics::get_analytics_summary; }
    "/v1/analytics/offers" { GET OrgKey loyalty::analytics::get_analytics_offers; }
    "/v1/analytics/timeseries" { GET OrgKey loyalty::analytics::get_analytics_timeseries; }

    // A live key gets 403 here.
    "/v1/sandbox/reset" { POST OrgKey loyalty::sandbox::reset_sandbox; }
    "/v1/sandbox/clock" {
        GET OrgKey loyalty::sandbox::get_clock;
        POST OrgKey loyalty::sandbox::advance_clock;
    }

    "/v1/programs" {
        GET OrgKey reports::programs::list_programs;
        POST OrgKey reports::programs::create_program;
    }
    "/v1/programs/{id}" {
        GET OrgKey reports::programs::get_program;
        PATCH OrgKey reports::programs::patch_program;
    }
    "/v1/reports/program-activity" { GET OrgKey reports::activity::get_program_activity; }

    "/partner/analytics" or "/api/v1/partner/analytics" {
        GET PartnerKey partner::analytics::get_partner_analytics;
    }
    "/partner/usage" or "/api/v1/partner/usage" {
        GET PartnerKey partner::analytics::get_partner_usage;
    }
    "/partner/billing" or "/api/v1/partner/billing" {
        GET PartnerKey partner::analytics::get_partner_billing;
    }
    "/partner/billing/usage" or "/api/v1/partner/billing/usage" {
        GET PartnerKey partner::analytics::get_partner_billing_usage;
    }
    "/partner/organizations" or "/api/v1/partner/organizations" {
        GET PartnerKey partner::organizations::list_organizations;
        POST PartnerKey partner::organizations::create_organization;
    }
    "/partner/organizations/{id}" or "/api/v1/partner/organizations/{id}" {
        GET PartnerKey partner::organizations::get_organization;
        PATCH PartnerKey partner::organizations::patch_organization;
        DELETE PartnerKey partner::organizations::cancel_organization;
    }
    "/partner/organizations/{id}/status" or "/api/v1/partner/organizations/{id}/status" {
        PUT PartnerKey partner::organizations::set_organization_status;
    }
    "/partner/organizations/{id}/tier" or "/api/v1/partner/organizations/{id}/tier" {
        PUT PartnerKey partner::organizations::set_organization_tier;
    }
    "/partner/organizations/{id}/credits" or "/api/v1/partner/organizations/{id}/credits" {
        PUT PartnerKey partner::organizations::allocate_credits;
    }
    "/partner/organizations/{id}/api-keys" or "/api/v1/partner/organizations/{id}/api-keys" {
        GET PartnerKey partner::keys::list_api_keys;
        POST PartnerKey partner::keys::create_api_key;
    }
    "/partner/organizations/{id}/api-keys/{keyId}"
        or "/api/v1/partner/organizations/{id}/api-keys/{keyId}" {
        DELETE PartnerKey partner::keys::revoke_api_key;
    }
    "/partner/server" or "/api/v1/partner/server" {
        GET PartnerKey partner::server::get_server;
    }
    "/partner/clock/accept" or "/api/v1/partner/clock/accept" {
        POST PartnerKey partner::clock::accept_clock;
    }
}

/// No such route, or a path that cannot be decoded.
pub(super) async fn unknown(request: HttpRequest) -> HttpResult {
    path::plain(request.uri().path())?;
    Err(HttpError::new(Code::NotFound, "no such route"))
}

/// Lets a path take a method. What can be read can also be asked for its head alone.
///
/// Source: RFC 9110, section 9.3.2; the server leaves out the body by itself.
fn take<F, Args>(resource: Resource, method: &Method, handler: F) -> Resource
where
    F: Handler<Args>,
    F::Output: Responder + 'static,
    Args: FromRequest + 'static,
{
    let resource = resource.route(web::method(method.clone()).to(handler.clone()));
    if *method == Method::GET {
        resource.route(web::head().to(handler))
    } else {
        resource
    }
}

fn method_not_allowed(methods: &[&str]) -> HttpResult {
    let allow = methods.join(", ").replace("GET", "GET, HEAD");
    let message = format!("this route takes {allow}");
    Err(HttpError {
        allow: Some(allow),
        ..HttpError::new(Code::MethodNotAllowed, message)
    })
}
