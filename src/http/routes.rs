//! All routes, assembled from the files of the resources.

use utoipa::openapi::OpenApi;

use super::path::PARTNER_PREFIX;
use super::route::Route;
use super::router::Router;
use super::{dashboard, health, loyalty, openapi, partner, scrip};
use crate::error::Surface;
use crate::telemetry::Metrics;

/// The routes of each file, in the order of the documentation.
const FILES: &[&[Route]] = &[
    dashboard::ROUTES,
    health::ROUTES,
    openapi::page::ROUTES,
    loyalty::tokens::ROUTES,
    loyalty::members::ROUTES,
    loyalty::wallets::ROUTES,
    loyalty::balance::ROUTES,
    loyalty::offers::ROUTES,
    loyalty::redemptions::ROUTES,
    loyalty::interests::ROUTES,
    loyalty::conversations::ROUTES,
    loyalty::attachments::ROUTES,
    loyalty::streams::ROUTES,
    loyalty::webhooks::ROUTES,
    loyalty::configuration::ROUTES,
    loyalty::terms::ROUTES,
    loyalty::keys::ROUTES,
    loyalty::analytics::ROUTES,
    loyalty::sandbox::ROUTES,
    scrip::programs::ROUTES,
    scrip::assets::ROUTES,
    scrip::funds::ROUTES,
    scrip::participants::ROUTES,
    scrip::state::ROUTES,
    scrip::balances::ROUTES,
    scrip::accounts::ROUTES,
    scrip::redemptions::ROUTES,
    scrip::rules::ROUTES,
    scrip::events::ROUTES,
    scrip::journal::ROUTES,
    scrip::activity::ROUTES,
    scrip::ledger_reports::ROUTES,
    partner::analytics::ROUTES,
    partner::organizations::ROUTES,
    partner::pools::ROUTES,
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

/// A router with all routes. Those of the partner are at two addresses.
pub(super) fn router(metrics: &Metrics) -> Router {
    let mut router = Router::new(metrics);
    for routes in ROUTES.chunk_by(|one, next| one.path == next.path) {
        router.add(metrics, "", routes);
        if Surface::of_path(routes[0].path) == Surface::Bullseye {
            router.add(metrics, PARTNER_PREFIX, routes);
        }
    }
    router
}
