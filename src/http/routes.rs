//! All routes, assembled from the files of the resources.

use actix_web::HttpRequest;
use actix_web::web::{self, ServiceConfig};
use utoipa::openapi::OpenApi;

use super::error::HttpError;
use super::path::PARTNER_PREFIX;
use super::route::Route;
use super::{HttpResult, dashboard, health, loyalty, openapi, partner, path, reports};
use crate::error::{Code, Surface};
use crate::telemetry::Metrics;

/// The routes of each file, in the order of the documentation.
const FILES: &[&[Route]] = &[
    dashboard::ROUTES,
    health::ROUTES,
    openapi::page::ROUTES,
    loyalty::tokens::ROUTES,
    loyalty::members::ROUTES,
    loyalty::wallets::ROUTES,
    loyalty::offers::ROUTES,
    loyalty::redemptions::ROUTES,
    loyalty::conversations::ROUTES,
    loyalty::streams::ROUTES,
    loyalty::webhooks::ROUTES,
    loyalty::configuration::ROUTES,
    loyalty::keys::ROUTES,
    loyalty::analytics::ROUTES,
    loyalty::sandbox::ROUTES,
    reports::programs::ROUTES,
    reports::activity::ROUTES,
    partner::analytics::ROUTES,
    partner::organizations::ROUTES,
    partner::keys::ROUTES,
    partner::server::ROUTES,
    partner::clock::ROUTES,
];

/// All routes.
pub const ROUTES: &[Route] = &joined::<{ count() }>();

const fn count() -> usize {
    let (mut count, mut file) = (0, 0);
    while file < FILES.len() {
        count += FILES[file].len();
        file += 1;
    }
    count
}

const fn joined<const N: usize>() -> [Route; N] {
    let mut all = [FILES[0][0]; N];
    let (mut count, mut file) = (0, 0);
    while file < FILES.len() {
        let mut index = 0;
        while index < FILES[file].len() {
            all[count] = FILES[file][index];
            count += 1;
            index += 1;
        }
        file += 1;
    }
    all
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    openapi::document(ROUTES)
}

/// The paths that apps request most often.
const FREQUENT: [&str; 9] = [
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
const LAST_TURN: usize = FREQUENT.len() + 1;

/// The position of a path in the router, which tries paths one after the other: the frequent ones
/// first, and paths without variables before those with. The order affects only the speed, because
/// no request matches two paths.
fn turn_of(path: &str) -> usize {
    let frequent = FREQUENT.iter().position(|known| *known == path);
    frequent.unwrap_or(if path.contains('{') {
        LAST_TURN
    } else {
        LAST_TURN - 1
    })
}

/// Adds every path to an application, with the counters of its requests.
pub(super) fn configure(config: &mut ServiceConfig, metrics: &Metrics) {
    for turn in 0..=LAST_TURN {
        for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
            let path = routes[0].path;
            if turn_of(path) == turn {
                add(config, metrics, path, routes);
                if Surface::of_path(path) == Surface::Bullseye {
                    add(config, metrics, &format!("{PARTNER_PREFIX}{path}"), routes);
                }
            }
        }
    }
}

/// Serves the routes of one path at an address.
fn add(config: &mut ServiceConfig, metrics: &Metrics, address: &str, routes: &'static [Route]) {
    let methods: Vec<_> = routes.iter().map(|route| route.method).collect();
    let mut resource = web::resource(address).app_data(metrics.of_path(routes[0].path, &methods));
    for route in routes {
        resource = (route.attach)(resource);
    }
    let refuse = move || async move { method_not_allowed(routes) };
    config.service(resource.default_service(web::to(refuse)));
}

/// Answers a request whose path is unknown or cannot be decoded.
pub(super) async fn unknown(request: HttpRequest) -> HttpResult {
    path::plain(request.uri().path())?;
    Err(HttpError::new(Code::NotFound, "no such route"))
}

fn method_not_allowed(routes: &[Route]) -> HttpResult {
    let methods: Vec<_> = routes.iter().map(|route| route.method).collect();
    let allow = methods.join(", ").replace("GET", "GET, HEAD");
    let message = format!("this route allows {allow}");
    Err(HttpError {
        allow: Some(allow),
        ..HttpError::new(Code::MethodNotAllowed, message)
    })
}
