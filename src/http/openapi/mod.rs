//! The OpenAPI 3.1 document, assembled from the routes, the table of error codes, the wire types
//! and the table of events; and the page that shows it.
//!
//! **Must not know**: what a handler does. The file of a resource describes its operations; method,
//! path, credential and most errors follow from the route.

pub(super) mod arguments;
mod catalogue;
mod errors;
pub(super) mod operation;
pub(super) mod page;

use std::fmt::Write as _;

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, OperationBuilder, Paths};
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::{Tag, TagBuilder};
use utoipa::openapi::{
    ComponentsBuilder, Header, InfoBuilder, LicenseBuilder, OpenApi, OpenApiBuilder, PathItem,
    RefOr, Schema, Server,
};

use self::operation::{Operation, header};
use super::path::PARTNER_PREFIX;
use super::route::{Access, Route};
use crate::domain::ExternalUserId;
use crate::error::Surface;
use crate::service::IdempotencyKey;
use crate::wire::schema;

/// The OpenAPI document of these routes.
pub(super) fn document(routes: &[Route]) -> OpenApi {
    let mut paths = Paths::new();
    let mut components = components();
    components.schemas.extend(errors::envelopes());
    for route in routes {
        add(&mut paths, &mut components, route, (route.operation)());
    }
    let webhooks = catalogue::webhooks(&mut components);
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Stampcard")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(include_str!("about.md")))
                .license(Some(
                    LicenseBuilder::new()
                        .name("MIT or Apache-2.0")
                        .identifier(Some("MIT OR Apache-2.0"))
                        .build(),
                )),
        )
        .servers(Some([Server::new("/")]))
        .tags(Some(tags()))
        .paths(paths)
        .webhooks(Some(webhooks))
        .components(Some(components))
        .build()
}

/// A document as indented JSON. Characters beyond U+FFFF are escaped: those of patterns are not
/// visible.
///
/// # Errors
/// If it cannot be rendered, which would be a fault of its parts.
pub fn indented(document: &OpenApi) -> Result<String, serde_json::Error> {
    let json = document.to_pretty_json()?;
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if c <= '\u{ffff}' {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            write!(escaped, "\\u{unit:04x}").expect("a string accepts everything");
        }
    }
    Ok(escaped)
}

/// Adds an operation to its path, with everything that follows from the route.
fn add(paths: &mut Paths, components: &mut Components, route: &Route, operation: Operation) {
    let operation = with_route_parameters(route, operation);
    let surface = Surface::of_path(route.path);
    let mut built = OperationBuilder::new()
        .tag(route.tag)
        .operation_id(Some(camel_case(route.handler)))
        .summary(Some(operation.summary))
        .securities(Some(securities(route.access)));
    if !operation.description.is_empty() {
        built = built.description(Some(operation.description));
    }
    for (status, codes) in errors::by_status(surface, &errors::of(route, &operation)) {
        let (name, response) = errors::response(surface, &codes);
        let reference = utoipa::openapi::Ref::from_response_name(&name);
        built = built.response(status.to_string(), RefOr::Ref(reference));
        components.responses.insert(name, RefOr::T(response));
    }
    for (status, mut response) in operation.responses {
        if route.method == "POST" {
            let name = "Idempotency-Replayed";
            response
                .headers
                .insert(name.to_owned(), RefOr::Ref(header(name)));
        }
        built = built.response(status.to_string(), response);
    }
    for parameter in operation.parameters {
        built = built.parameter(parameter);
    }
    if let Some(body) = operation.body {
        built = built.request_body(Some(body));
    }
    components.schemas.extend(operation.request_schemas);
    for (name, mut response) in operation.response_schemas {
        schema::require_all(&name, &mut response);
        components.schemas.insert(name, response);
    }
    let mut item = PathItem::new(method(route.method), built.build());
    if surface == Surface::Bullseye {
        item.servers = Some(vec![Server::new("/"), Server::new(PARTNER_PREFIX)]);
    }
    match paths.paths.get_mut(route.path) {
        Some(known) => known.merge_operations(item),
        None => {
            paths.paths.insert(route.path.to_owned(), item);
        }
    }
}

/// Adds the variable segments of the path, and the `Idempotency-Key` of a POST.
fn with_route_parameters(route: &Route, mut operation: Operation) -> Operation {
    let segments = route.path.split('/').filter_map(|segment| {
        segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
    });
    for name in segments {
        let (schema, about) = match name {
            "externalUserID" => (
                schema::text(ExternalUserId::RULE),
                "The operator's id of the member, percent-encoded; a slash is `%2F`.",
            ),
            "file" | "name" => (schema::string(), "The name of the file."),
            "digest" => (schema::string(), "The hash of its content."),
            "signature" => (schema::string(), "The last segment of a `url`."),
            _ => (schema::string(), "The id."),
        };
        operation = operation.segment(name, schema, about);
    }
    if route.method == "POST" {
        operation = operation.header(
            "Idempotency-Key",
            schema::length(1, IdempotencyKey::CHARS_MAX),
            "Makes a retry safe: the same key with the same body replays the first response.",
        );
    }
    operation
}

fn method(name: &str) -> HttpMethod {
    match name {
        "POST" => HttpMethod::Post,
        "PUT" => HttpMethod::Put,
        "PATCH" => HttpMethod::Patch,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// `list_api_keys` as `listApiKeys`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let mut camel = words.next().unwrap_or_default().to_owned();
    for word in words {
        let (first, rest) = word.split_at(word.len().min(1));
        camel.push_str(&first.to_ascii_uppercase());
        camel.push_str(rest);
    }
    camel
}

/// The alternative security schemes of a route.
fn securities(access: Access) -> Vec<SecurityRequirement> {
    let schemes: &[&str] = match access {
        Access::Public => &[],
        Access::OrgKey => &["orgKey", "orgKeyHeader"],
        Access::Member => &["memberToken"],
        Access::KeyOrMember => &["orgKey", "orgKeyHeader", "memberToken"],
        Access::PartnerKey => &["partnerKey", "partnerKeyBearer"],
    };
    let none: [&str; 0] = [];
    schemes
        .iter()
        .map(|scheme| SecurityRequirement::new(*scheme, none))
        .collect()
}

/// The components that operations refer to, except schemas and errors.
fn components() -> Components {
    let bearer = |format: &str, about: &str| {
        SecurityScheme::Http(
            HttpBuilder::new()
                .scheme(HttpAuthScheme::Bearer)
                .bearer_format(format)
                .description(Some(about))
                .build(),
        )
    };
    let key = |name: &str, about: &str| {
        SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(name, about)))
    };
    let org = "An Org-API-Key, `expys_sandbox_…` or `expys_live_…`: only for a backend.";
    let partner = "A partner key, `partner_sandbox_…` or `partner_live_…`: only for the operator.";
    let member = "A member token from `POST /v1/auth/exchange`: only for the data of its member.";
    let mut components = ComponentsBuilder::new()
        .security_scheme("orgKey", bearer("expys_…", org))
        .security_scheme("orgKeyHeader", key("X-API-Key", org))
        .security_scheme("memberToken", bearer("PASETO v4.local", member))
        .security_scheme("partnerKey", key("X-Partner-API-Key", partner))
        .security_scheme("partnerKeyBearer", bearer("partner_…", partner))
        .build();
    for (name, about) in HEADERS {
        components
            .headers
            .insert((*name).to_owned(), RefOr::T(text_header(about)));
    }
    components
}

/// The headers of responses.
const HEADERS: &[(&str, &str)] = &[
    ("Allow", "The methods that the route has."),
    (
        "ETag",
        "Of figures: identifies this response until something happens in the program. Of a \
         resource: its settings version in quotes, which changes only with the fields that a \
         request can set.",
    ),
    (
        "Idempotency-Replayed",
        "`true` if this is a replayed response.",
    ),
    ("Retry-After", "Seconds to wait before the next attempt."),
    ("WWW-Authenticate", "`Bearer`."),
    ("X-Request-Id", "The id of this request, as in the log."),
];

fn text_header(about: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(Schema::Object(schema::string())))
        .description(Some(about))
        .build()
}

/// The tags, in the order of the page.
fn tags() -> Vec<Tag> {
    [
        ("Tokens", "Credentials of members' apps."),
        ("Members", "The participants of a program."),
        ("Wallets", "Points, and their ledger."),
        ("Offers", "Rewards that points buy."),
        (
            "Interests",
            "Wishes of members, which the operator arranges.",
        ),
        ("Redemptions", "Redeemed offers and their progress."),
        (
            "Conversations",
            "Messages between members and the operator.",
        ),
        ("Webhooks", "Events, sent to other servers."),
        ("Activity", "Events as they happen."),
        ("Configuration", "The settings of a program."),
        ("Terms", "Legal documents, which members accept."),
        ("Sandbox", "Tools for developing an app."),
        ("Analytics", "A program's figures, from memory."),
        (
            "Participants",
            "Members as the earning engine sees them, and their accounts.",
        ),
        ("Balances", "Operations on the points of participants."),
        ("Journal entries", "The ledger as double-entry bookkeeping."),
        ("Programs", "The programs of an organization."),
        ("Assets", "Points, and how they are kept."),
        ("Rules", "What is earned by events."),
        (
            "Events",
            "What happened to participants, for the rules to act on.",
        ),
        ("Reports", "Figures of all programs of an organization."),
        ("Partner", "Figures and credits of an environment."),
        ("Organizations", "The partner's tenants."),
        ("Keys", "Org-API-Keys of programs."),
        ("Server", "Health, and this document."),
    ]
    .map(|(name, about)| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    })
    .to_vec()
}
