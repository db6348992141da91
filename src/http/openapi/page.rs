//! The document as it is served: as JSON, and as a page to read and try it on.

use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;

use crate::error::Code;
use crate::http::body::shared;
use crate::http::extract::PathText;
use crate::http::{HttpError, HttpResult};

/// What the page may load: its own files, and images that are written into its style sheet.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /openapi.json`.
pub(in crate::http) async fn get_openapi() -> HttpResult {
    static RENDERED: OnceLock<Result<String, String>> = OnceLock::new();
    let render = || {
        let document = super::document().map_err(|error| error.to_string())?;
        document.to_json().map_err(|error| error.to_string())
    };
    match RENDERED.get_or_init(render) {
        Ok(rendered) => Ok(file("application/json", rendered.as_str())),
        Err(cause) => Err(HttpError {
            cause: Some(cause.clone()),
            ..HttpError::plain(Code::Internal)
        }),
    }
}

/// `GET /docs`.
pub(in crate::http) async fn get_docs() -> HttpResponse {
    let mut page = file("text/html; charset=utf-8", include_str!("page.html"));
    page.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    page
}

/// `GET /docs/{file}`.
pub(in crate::http) async fn get_docs_file(PathText(name): PathText) -> HttpResult {
    // Each is copied once, not for everybody who asks.
    static STYLE: OnceLock<(Bytes, bool)> = OnceLock::new();
    static SCRIPT: OnceLock<(Bytes, bool)> = OnceLock::new();
    match name.as_str() {
        "page.js" => Ok(file(
            "text/javascript; charset=utf-8",
            include_str!("page.js"),
        )),
        "swagger-ui.css" => library_file((&name, &STYLE), "text/css; charset=utf-8"),
        "swagger-ui-bundle.js" => library_file((&name, &SCRIPT), "text/javascript; charset=utf-8"),
        _ => Err(HttpError::new(Code::NotFound, "no such file")),
    }
}

/// A file of the library, which is compiled in as gzip: every browser takes that.
fn library_file(
    (name, kept): (&str, &OnceLock<(Bytes, bool)>),
    content_type: &'static str,
) -> HttpResult {
    let (bytes, is_gzip) = if let Some(found) = kept.get() {
        found
    } else {
        let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
        let found = utoipa_swagger_ui::serve(name, config)
            .ok()
            .flatten()
            .ok_or_else(|| HttpError::plain(Code::Internal))?;
        kept.get_or_init(|| (found.bytes.into_owned().into(), found.gzpipped))
    };
    let mut response = file(content_type, Bytes::clone(bytes));
    if *is_gzip {
        response.headers_mut().insert(
            header::CONTENT_ENCODING,
            header::HeaderValue::from_static("gzip"),
        );
    }
    Ok(response)
}

/// A file that a browser may keep, and asks about after a new start of the server at the latest.
fn file(
    content_type: &'static str,
    body: impl actix_web::body::MessageBody + 'static,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "no-cache"));
    shared(response.body(body))
}
