//! The dashboard: one page and its assets, compiled in. It needs no credential, because it holds
//! no data: its scripts sign in with a key and read the public API like any other client.
//!
//! **Must not know**: the services. What the dashboard needs, the API has to offer.

use std::io::Read as _;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::{self, AcceptEncoding, Encoding};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;

use super::body::shared;
use super::extract::PathPair;
use super::{HttpError, HttpResult};
use crate::domain::EventName;
use crate::error::Code;

/// A file that the page asks for.
struct Asset {
    /// In its path: another content has another one.
    digest: &'static str,
    name: &'static str,
    media_type: &'static str,
    gzip: &'static [u8],
    /// The same unpacked, once somebody asked for it.
    plain: OnceLock<Bytes>,
}

include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The page, with what it has to know of the catalogue.
static FILLED_PAGE: LazyLock<String> =
    LazyLock::new(|| PAGE.replace("{events}", &EventName::ALL.map(EventName::as_str).join(" ")));

/// What the page may do: load what this server serves, ask this server, and nothing else. A chart
/// becomes a PNG by way of an image that is an address with its data, and so is the page's icon.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// `GET /`: the page. It is asked about each time, since it names the current assets.
pub(super) async fn get_page(request: HttpRequest) -> HttpResponse {
    let tag = format!("\"{:08x}\"", crc32fast::hash(FILLED_PAGE.as_bytes()));
    let known = request.headers().get(header::IF_NONE_MATCH);
    let is_known = known.is_some_and(|known| known.as_bytes() == tag.as_bytes());
    let mut response = if is_known {
        HttpResponse::NotModified()
    } else {
        HttpResponse::Ok()
    };
    response
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::ETAG, tag))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header(("cross-origin-opener-policy", "same-origin"));
    if is_known {
        return response.finish();
    }
    response
        .content_type("text/html; charset=utf-8")
        .body(FILLED_PAGE.as_str())
}

/// `GET /assets/{digest}/{name}`: what the page asks for. It never changes under its path.
pub(super) async fn get_asset(
    PathPair(digest, name): PathPair,
    accepted: web::Header<AcceptEncoding>,
) -> HttpResult {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.digest == digest && asset.name == name)
        .ok_or_else(|| {
            HttpError::new(
                Code::NotFound,
                "no such asset; load the page anew for its names",
            )
        })?;
    let mut response = HttpResponse::Ok();
    response
        .content_type(asset.media_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::VARY, "Accept-Encoding"));
    let supported = [Encoding::gzip(), Encoding::identity()];
    if accepted.negotiate(supported.iter()) == Some(Encoding::gzip()) {
        response.insert_header((header::CONTENT_ENCODING, "gzip"));
        return Ok(shared(response.body(asset.gzip)));
    }
    let plain = if let Some(plain) = asset.plain.get() {
        plain
    } else {
        let unpacked = unpack(asset.gzip)?;
        asset.plain.get_or_init(|| unpacked)
    };
    Ok(shared(response.body(Bytes::clone(plain))))
}

/// For the rare client that takes nothing compressed.
fn unpack(gzip: &[u8]) -> Result<Bytes, HttpError> {
    let mut bytes = Vec::new();
    GzDecoder::new(gzip)
        .read_to_end(&mut bytes)
        .map_err(|error| HttpError {
            cause: Some(error.to_string()),
            ..HttpError::plain(Code::Internal)
        })?;
    Ok(bytes.into())
}
