//! The API's description, OpenAPI 3.1, made of the table of routes, the table of error codes,
//! the types on the wire, and the table of events; and the page that shows it.
//!
//! **Must not know**: what a handler does. An operation says what is read and answered; method,
//! path, credential and most errors follow from its route.

mod catalogue;
mod errors;
mod events;
mod loyalty;
mod operation;
mod page;
mod partner;
mod reports;
mod server;

use std::collections::BTreeMap;

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

pub(super) use page::{get_docs, get_docs_file, get_openapi};

use self::operation::{Operation, header};
use super::routes::{Access, ROUTES, Route};
use crate::domain::ExternalUserId;
use crate::error::Surface;
use crate::service::IdempotencyKey;
use crate::wire::schema;

/// The description of the API.
///
/// # Errors
/// [`Undescribed`] naming a route that has no operation, or an operation that has no route.
pub fn document() -> Result<OpenApi, Undescribed> {
    let mut operations: BTreeMap<&str, Operation> = BTreeMap::new();
    for operation in all_operations() {
        operations.insert(operation.handler, operation);
    }
    let mut paths = Paths::new();
    let mut components = components();
    components.schemas.extend(errors::envelopes());
    for route in ROUTES {
        let operation = operations
            .remove(route.handler)
            .ok_or(Undescribed::Route(route.method, route.path))?;
        add(&mut paths, &mut components, route, operation);
    }
    if let Some((handler, _)) = operations.pop_first() {
        return Err(Undescribed::Operation(handler));
    }
    let webhooks = catalogue::webhooks(&mut components);
    Ok(OpenApiBuilder::new()
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
        .build())
}

/// What the description lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undescribed {
    /// The route's handler has no operation.
    #[error("{0} {1} has no operation in src/http/openapi")]
    Route(&'static str, &'static str),
    /// The operation's handler has no route, or two operations have one handler.
    #[error("the operation of {0} in src/http/openapi has no route")]
    Operation(&'static str),
}

fn all_operations() -> impl Iterator<Item = Operation> {
    loyalty::operations()
        .chain(events::operations())
        .chain(reports::operations())
        .chain(partner::operations())
        .chain(server::operations())
}

/// Puts an operation where its route is, with all that follows from the route.
fn add(paths: &mut Paths, components: &mut Components, route: &Route, operation: Operation) {
    let operation = with_what_the_route_says(route, operation);
    let surface = Surface::of_path(route.path);
    let mut built = OperationBuilder::new()
        .tag(operation.tag)
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
    for (status, mut answer) in operation.answers {
        if route.method == "POST" {
            let name = "Idempotency-Replayed";
            answer
                .headers
                .insert(name.to_owned(), RefOr::Ref(header(name)));
        }
        built = built.response(status.to_string(), answer);
    }
    for parameter in operation.parameters {
        built = built.parameter(parameter);
    }
    if let Some(body) = operation.body {
        built = built.request_body(Some(body));
    }
    components.schemas.extend(operation.request_schemas);
    for (name, mut answer) in operation.answer_schemas {
        schema::require_all(&name, &mut answer);
        components.schemas.insert(name, answer);
    }
    let mut item = PathItem::new(method(route.method), built.build());
    if surface == Surface::Bullseye {
        item.servers = Some(vec![Server::new("/"), Server::new("/api/v1")]);
    }
    match paths.paths.get_mut(route.path) {
        Some(known) => known.merge_operations(item),
        None => {
            paths.paths.insert(route.path.to_owned(), item);
        }
    }
}

/// The variable segments of the path, and the Idempotency-Key of a POST.
fn with_what_the_route_says(route: &Route, mut operation: Operation) -> Operation {
    let segments = route.path.split('/').filter_map(|segment| {
        segment
            .strip_prefix('{')
            .and_then(|rest| rest.strip_suffix('}'))
    });
    for name in segments {
        let (schema, about) = match name {
            "externalUserID" => (
                schema::text(ExternalUserId::RULE),
                "The operator's own id for the member, percent-encoded; a slash is `%2F`.",
            ),
            "file" | "name" => (schema::string(), "The name of the file."),
            "digest" => (schema::string(), "Stands for its content."),
            _ => (schema::string(), "The id."),
        };
        operation = operation.segment(name, schema, about);
    }
    if route.method == "POST" {
        operation = operation.header(
            "Idempotency-Key",
            schema::length(1, IdempotencyKey::CHARS_MAX),
            "Makes a retry safe: the same key with the same body gets the first answer again.",
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

/// Any one of these opens a route.
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

/// What the operations refer to, but for the schemas and the errors.
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
    let org = "An Org-API-Key, `expys_sandbox_…` or `expys_live_…`: for a backend only.";
    let partner = "A partner key, `partner_sandbox_…` or `partner_live_…`: for the operator only.";
    let member = "A member token of `POST /v1/auth/exchange`: one member's own routes.";
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

/// The headers of answers.
const HEADERS: &[(&str, &str)] = &[
    ("Allow", "The methods that the route has."),
    (
        "ETag",
        "Of figures: stands for this answer until something happens in the program. Of a resource: \
         its settings version in quotes, which changes with what a request can set, and with \
         nothing else.",
    ),
    (
        "Idempotency-Replayed",
        "`true` if this is the first answer again.",
    ),
    ("Retry-After", "Seconds to wait before trying again."),
    ("WWW-Authenticate", "`Bearer`."),
    ("X-Request-Id", "Names this request; the log has the same."),
];

fn text_header(about: &str) -> Header {
    HeaderBuilder::new()
        .schema(Some(Schema::Object(schema::string())))
        .description(Some(about))
        .build()
}

/// The headings, in the order of the page.
fn tags() -> Vec<Tag> {
    [
        ("Tokens", "What a member's app holds."),
        ("Members", "Who takes part."),
        ("Wallets", "Points, and the ledger of where they went."),
        ("Offers", "What points buy."),
        ("Redemptions", "What was bought, and how far it got."),
        (
            "Conversations",
            "What members and the operator say to each other.",
        ),
        ("Webhooks", "Events, sent to whoever listens."),
        ("Activity", "Events, as they happen."),
        ("Configuration", "What a program is set to."),
        ("Sandbox", "Help for those who build an app."),
        ("Analytics", "A program's figures, from memory."),
        ("Programs", "The programs of an organization."),
        ("Reports", "Figures of all of them."),
        ("Partner", "Figures and credits of a whole environment."),
        ("Organizations", "The partner's tenants."),
        ("Keys", "Their Org-API-Keys."),
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
