//! `/v1/conversations/{id}/attachments` and `/a`.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use data_encoding::HEXLOWER;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use crate::domain::FileName;
use crate::error::Code;
use crate::http::HttpResult;
use crate::http::auth::OrgKey;
use crate::http::extract::{FileBody, Idempotency, PathText, QueryText};
use crate::http::openapi::operation::Operation;
use crate::http::response::reply;
use crate::http::route::routes;
use crate::service::{Caller, LinkedFile, NewFile, Services};
use crate::wire::{Kind, MessageResponse, optional, query_parameters, schema};

/// A file opens in nothing of this server, even if a browser shows it.
const POLICY: &str = "sandbox; default-src 'none'";

/// The characters of a file's name that are not encoded.
///
/// Source: RFC 8187, section 3.2.1.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

routes! {
    tag "Conversations";

    "/v1/conversations/{id}/attachments" {
        POST OrgKey send_attachment => Operation::new("Send a file")
            .description(
                "The operator sends the body, a file of at most 1 MiB, as a message with an empty \
                 text. `Content-Type` is its type, without parameters; the first bytes must be \
                 those of that type.",
            )
            .returns::<MessageResponse>(201, "The message.")
            .errors(&[Code::NotFound, Code::LimitReached]);
    }
    "/a/{signature}" {
        GET Public get_attachment => Operation::new("Get a file of a message")
            .description(
                "The path is the `url` of an attachment. It is valid for 15 minutes by the \
                 server's clock, for everyone who has it.",
            )
            .returns_file(200, "The file, as a download.")
            .errors(&[Code::NotFound, Code::Internal, Code::Overloaded]);
    }
}

query_parameters! {
    /// The query of `POST /v1/conversations/{id}/attachments`.
    struct SendAttachmentQuery {
        /// The name of the file, without `/` and `\\`.
        name: FileName = optional("name", FILE_NAME).required();
    }
}

const FILE_NAME: Kind<FileName> = Kind {
    read: |name, value| FileName::parse(name, value),
    schema: || schema::text(FileName::RULE),
};

async fn send_attachment(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    idempotency: Idempotency,
    body: FileBody,
    PathText(id): PathText,
    query: QueryText<SendAttachmentQuery>,
) -> HttpResult {
    let name = query.parse()?.name;
    let FileBody { file_type, bytes } = body;
    let file = NewFile::new(name.clone(), file_type, bytes);
    // What the request asks for, in place of a JSON body.
    let request = json!({
        "name": name.as_str(),
        "type": file_type.as_str(),
        "sha256": HEXLOWER.encode(file.sha256()),
    });
    let idempotency = idempotency.key(Caller::Key(key), &request)?;
    let sent = services.send_attachment(key, idempotency, id, file);
    Ok(reply(sent.await?))
}

async fn get_attachment(services: Data<Services>, PathText(signature): PathText) -> HttpResult {
    let LinkedFile { file, valid_for } = services.get_attachment(&signature).await?;
    let name = utf8_percent_encode(file.name.as_str(), ENCODED);
    let disposition = format!("attachment; filename*=UTF-8''{name}");
    let caching = format!("private, max-age={}", valid_for.as_secs());
    Ok(HttpResponse::Ok()
        .content_type(file.file_type.as_str())
        .insert_header((header::CONTENT_DISPOSITION, disposition))
        .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((header::CACHE_CONTROL, caching))
        .body(file.bytes))
}
