//! `/v1/terms`.

use actix_web::http::header::{self, HeaderValue};
use actix_web::web::Data;

use super::member_query::MemberQuery;
use crate::domain::TermsHtml;
use crate::http::HttpResult;
use crate::http::auth::{KeyOrMember, OrgKey};
use crate::http::extract::{Idempotency, JsonBody, PathText, QueryText};
use crate::http::openapi::operation::{NOT_FOUND, Operation};
use crate::http::response::{ok, reply};
use crate::http::route::routes;
use crate::service::Services;
use crate::wire::{
    AcceptTermsRequest, PublishTermsRequest, TermsContentResponse, TermsDocumentResponse,
    TermsResponse,
};

/// A version never changes. It is for members of the program, so only for private caches.
const IMMUTABLE: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// The bytes of the largest body that publishes a document.
const BODY_BYTES_MAX: usize = 1_573_888;
// JSON can write each byte of a document as six (`\u003c`); the rest is for the field and for white
// space.
const _: () = assert!(BODY_BYTES_MAX == 6 * TermsHtml::BYTES_MAX + 1024);

routes! {
    tag "Terms";

    "/v1/terms" {
        GET KeyOrMember get_terms => Operation::new("Get the present legal documents")
            .description("`acceptedAt` is about the present version: the acceptance of an earlier one \
                is null. An Org-API-Key may name a member.")
            .returns::<TermsResponse>(200, "The present version of each published document.")
            .errors(NOT_FOUND);
    }
    "/v1/terms/acceptance" {
        POST KeyOrMember accept_terms => Operation::new("Accept versions of legal documents")
            .description("All versions are accepted, or none if one of them is unknown. Accepting a \
                version again changes nothing. An Org-API-Key must name the member.")
            .body::<AcceptTermsRequest>()
            .returns::<TermsResponse>(200, "The present version of each document.")
            .errors(NOT_FOUND);
    }
    "/v1/terms/{type}" {
        PUT OrgKey publish_terms => Operation::new("Publish a version of a legal document")
            .description("`type` is `TERMS_OF_SERVICE` or `PRIVACY_POLICY`. The text of the present \
                version again changes nothing. The body may have 1,573,888 bytes.")
            .body::<PublishTermsRequest>()
            .returns::<TermsDocumentResponse>(200, "The present version.")
            .errors(NOT_FOUND);
    }
    "/v1/terms/{version}/content" {
        GET KeyOrMember get_terms_content => Operation::new("Get a version of a legal document")
            .description("A version never changes, so caches may keep it.")
            .returns::<TermsContentResponse>(200, "The version with its text.")
            .errors(NOT_FOUND);
    }
}

async fn get_terms(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    query: QueryText<MemberQuery>,
) -> HttpResult {
    let on_behalf = query.parse()?.external_user_id;
    Ok(ok(&services.get_terms(caller, on_behalf).await?))
}

async fn get_terms_content(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    PathText(version): PathText,
) -> HttpResult {
    let mut response = ok(&services.get_terms_content(caller, version).await?);
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, IMMUTABLE);
    Ok(response)
}

async fn publish_terms(
    services: Data<Services>,
    OrgKey(key): OrgKey,
    body: JsonBody<BODY_BYTES_MAX>,
    PathText(of): PathText,
) -> HttpResult {
    let request = PublishTermsRequest::parse(&body.value)?;
    Ok(reply(services.publish_terms(key, of, request).await?))
}

async fn accept_terms(
    services: Data<Services>,
    KeyOrMember(caller): KeyOrMember,
    idempotency: Idempotency,
    body: JsonBody,
) -> HttpResult {
    let request = AcceptTermsRequest::parse(&body.value)?;
    let idempotency = idempotency.key(caller, &body.value)?;
    Ok(reply(
        services.accept_terms(caller, idempotency, request).await?,
    ))
}
