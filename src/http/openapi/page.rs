//! The served document: as JSON, and as a page on which to read and try it.

use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Bytes, Data};
use utoipa::openapi::OpenApi;

use super::operation::{NOT_FOUND, Operation};

use crate::error::Code;
use crate::http::body::shared;
use crate::http::extract::PathText;
use crate::http::route::routes;
use crate::http::{HttpError, HttpResult};

/// Allows the page its own files, and images within its style sheet.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; \
    style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

routes! {
    tag "Server";

    "/openapi.json" {
        GET Public get_openapi => Operation::new("Get this document")
            .returns_any_object(200, "OpenAPI 3.1.");
    }
    "/docs" {
        GET Public get_docs => Operation::new("Get this document as a page")
            .returns_media(200, HTML, "The page. It loads nothing from other servers.");
    }
    "/docs/{file}" {
        GET Public get_docs_file => Operation::new("Get a file of that page")
            .returns_media(200, CSS, "A style sheet or a script.")
            .or_media(200, JAVASCRIPT)
            .errors(NOT_FOUND);
    }
}

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The document, rendered by the first request for it.
pub(in crate::http) struct Document {
    build: fn() -> OpenApi,
    json: OnceLock<Result<Bytes, String>>,
}

impl Document {
    /// The document that `build` returns.
    pub(in crate::http) fn new(build: fn() -> OpenApi) -> Self {
        Self {
            build,
            json: OnceLock::new(),
        }
    }
}

async fn get_openapi(document: Data<Document>) -> HttpResult {
    let json = document.json.get_or_init(|| {
        let json = (document.build)().to_json();
        json.map(Bytes::from).map_err(|error| error.to_string())
    });
    match json {
        Ok(json) => Ok(file("application/json", Bytes::clone(json))),
        Err(cause) => Err(HttpError {
            cause: Some(cause.clone()),
            ..HttpError::plain(Code::Internal)
        }),
    }
}

async fn get_docs() -> HttpResponse {
    let mut page = file(HTML, include_str!("page.html"));
    page.headers_mut().insert(
        header::CONTENT_SECURITY_POLICY,
        header::HeaderValue::from_static(CONTENT_SECURITY_POLICY),
    );
    page
}

async fn get_docs_file(PathText(name): PathText) -> HttpResult {
    // Each is copied once, not for every request.
    static STYLE: OnceLock<(Bytes, bool)> = OnceLock::new();
    static SCRIPT: OnceLock<(Bytes, bool)> = OnceLock::new();
    match name.as_str() {
        "page.js" => Ok(file(JAVASCRIPT, include_str!("page.js"))),
        "swagger-ui.css" => library_file((&name, &STYLE), CSS),
        "swagger-ui-bundle.js" => library_file((&name, &SCRIPT), JAVASCRIPT),
        _ => Err(HttpError::new(Code::NotFound, "no such file")),
    }
}

/// A file of the library, which is compiled in as gzip: every browser accepts that.
fn library_file(
    (name, copied): (&str, &OnceLock<(Bytes, bool)>),
    content_type: &'static str,
) -> HttpResult {
    let (bytes, is_gzip) = if let Some(found) = copied.get() {
        found
    } else {
        let config = Arc::new(utoipa_swagger_ui::Config::from("/openapi.json"));
        let found = utoipa_swagger_ui::serve(name, config)
            .ok()
            .flatten()
            .ok_or_else(|| HttpError::plain(Code::Internal))?;
        copied.get_or_init(|| (found.bytes.into_owned().into(), found.gzpipped))
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

/// A file that a browser may cache and revalidates each time.
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
