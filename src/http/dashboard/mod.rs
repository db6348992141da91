//! The dashboard: a page and its assets, compiled in. It needs no credential, because it holds no
//! data: its scripts sign in with a key and read the public API like any other client.
//!
//! **Must not know**: the services. The API must offer everything that the dashboard needs.

use std::io::Read as _;
use std::sync::{LazyLock, OnceLock};

use actix_web::http::header::{self, AcceptEncoding, Encoding};
use actix_web::web::{self, Bytes};
use actix_web::{HttpRequest, HttpResponse};
use flate2::read::GzDecoder;

use super::body::shared;
use super::extract::PathPair;
use super::openapi::operation::{NOT_FOUND, Operation};
use super::route::routes;
use super::{HttpError, HttpResult};
use crate::domain::EventName;
use crate::error::Code;

/// A file of the page.
struct Asset {
    /// The hash of the content, a segment of the path.
    digest: &'static str,
    name: &'static str,
    media_type: &'static str,
    gzip: &'static [u8],
    /// The decompressed file, from the first request for it on.
    plain: OnceLock<Bytes>,
}

include!(concat!(env!("OUT_DIR"), "/dashboard.rs"));

/// The page with the list of events.
static FILLED_PAGE: LazyLock<String> =
    LazyLock::new(|| PAGE.replace("{events}", &EventName::ALL.map(EventName::as_str).join(" ")));

/// Allows the page to load from and call this server only, except for pictures of offers. Charts
/// are exported as PNG through images with `data:` URLs, and the icon of the page is one.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data: https:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

routes! {
    tag "Server";

    "/" {
        GET Public get_page => Operation::new("Get the dashboard")
            .returns_media(
                200,
                "text/html; charset=utf-8",
                "The page. It calls only this server, with the key that the operator enters.",
            )
            .conditional();
    }
    "/assets/{digest}/{name}" {
        GET Public get_page_file => Operation::new("Get a file of the dashboard")
            .returns_media(200, "text/css; charset=utf-8", "A file that never changes under its path.")
            .or_media(200, "text/javascript; charset=utf-8")
            .errors(NOT_FOUND);
    }
}

/// `GET /`: the page. Browsers revalidate it each time, because it names the current assets.
async fn get_page(request: HttpRequest) -> HttpResponse {
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

/// `GET /assets/{digest}/{name}`: a file of the page. Its content never changes under its path.
async fn get_page_file(
    PathPair(digest, name): PathPair,
    accepted: web::Header<AcceptEncoding>,
) -> HttpResult {
    let asset = ASSETS
        .iter()
        .find(|asset| asset.digest == digest && asset.name == name)
        .ok_or_else(|| {
            HttpError::new(
                Code::NotFound,
                "no such asset; reload the page for the current names",
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

/// Decompresses a file for the rare client that does not accept gzip.
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
