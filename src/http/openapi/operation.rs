//! The builder of an operation. Method, path and credential come from the route, and so do the
//! errors that follow from them; query parameters and conditions come from the handler's arguments.

use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Schema};

use crate::domain::FileType;
use crate::error::Code;
use crate::wire::{Parameters, parameter, schema};

/// The errors of most operations on one resource.
pub(in crate::http) const NOT_FOUND: &[Code] = &[Code::NotFound];

/// A named schema, as it goes into the document.
pub(super) type Named = (String, RefOr<Schema>);

/// The description of what a handler reads and returns.
pub(in crate::http) struct Operation {
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) responses: Vec<(u16, Response)>,
    /// Errors besides those that follow from the route and the arguments.
    pub(super) codes: &'static [Code],
    pub(super) request_schemas: Vec<Named>,
    pub(super) response_schemas: Vec<Named>,
}

impl Operation {
    /// An operation with a summary in a few words.
    pub(in crate::http) fn new(summary: &'static str) -> Self {
        Self {
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            responses: Vec::new(),
            codes: &[],
            request_schemas: Vec::new(),
            response_schemas: Vec::new(),
        }
    }

    /// Adds a description, in Markdown.
    pub(in crate::http) fn description(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// Adds the parameters of a query.
    pub(super) fn query<Q: Parameters>(mut self) -> Self {
        Q::describe(&mut self.parameters);
        self
    }

    /// Adds an optional header of the request.
    pub(in crate::http) fn header(self, name: &str, schema: Object, about: &str) -> Self {
        self.parameter(name, ParameterIn::Header, false, schema, about)
    }

    /// Adds a variable segment of the path.
    pub(super) fn segment(self, name: &str, schema: Object, about: &str) -> Self {
        self.parameter(name, ParameterIn::Path, true, schema, about)
    }

    fn parameter(
        mut self,
        name: &str,
        place: ParameterIn,
        is_required: bool,
        schema: Object,
        about: &str,
    ) -> Self {
        self.parameters
            .push(parameter(name, place, is_required, schema, about));
        self
    }

    /// Sets the body.
    pub(in crate::http) fn body<T: ToSchema>(self) -> Self {
        self.body_that_is::<T>(Required::True, schema::reference::<T>())
    }

    /// Sets a body that may be absent; null means absent.
    pub(in crate::http) fn optional_body<T: ToSchema>(self) -> Self {
        let none = ObjectBuilder::new().schema_type(Type::Null);
        let either = OneOfBuilder::new()
            .item(schema::reference::<T>())
            .item(none);
        self.body_that_is::<T>(Required::False, Schema::OneOf(either.build()).into())
    }

    fn body_that_is<T: ToSchema>(mut self, required: Required, schema: RefOr<Schema>) -> Self {
        collect::<T>(&mut self.request_schemas);
        let content = ContentBuilder::new().schema(Some(schema));
        let body = RequestBodyBuilder::new()
            .content("application/json", content.build())
            .required(Some(required));
        Self {
            body: Some(body.build()),
            ..self
        }
    }

    /// Sets a body that is a file of an accepted type.
    pub(super) fn file_body(self) -> Self {
        let content = || ContentBuilder::new().schema(Some(schema::string())).build();
        let body = RequestBodyBuilder::new().required(Some(Required::True));
        let body = FileType::ALL
            .iter()
            .fold(body, |body, kind| body.content(kind.as_str(), content()));
        Self {
            body: Some(body.build()),
            ..self
        }
    }

    /// Adds a response that is a file of an accepted type.
    pub(in crate::http) fn returns_file(self, status: u16, about: &str) -> Self {
        let [first, others @ ..] = FileType::ALL.map(FileType::as_str);
        let described = self.returns_media(status, first, about);
        others.into_iter().fold(described, |described, kind| {
            described.or_media(status, kind)
        })
    }

    /// Adds a JSON response.
    pub(in crate::http) fn returns<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        collect::<T>(&mut self.response_schemas);
        let schema = schema::reference::<T>();
        self.response(status, "application/json", Some(schema), about)
    }

    /// Adds a response of another media type: a page, a stream, plain text.
    pub(in crate::http) fn returns_media(self, status: u16, media_type: &str, about: &str) -> Self {
        let schema = RefOr::T(Schema::Object(schema::string()));
        self.response(status, media_type, Some(schema), about)
    }

    /// Adds another media type to a response.
    pub(in crate::http) fn or_media(mut self, status: u16, media_type: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(schema::string())).build();
        for (_, response) in self.responses.iter_mut().filter(|(of, _)| *of == status) {
            response
                .content
                .insert(media_type.to_owned(), RefOr::T(content.clone()));
        }
        self
    }

    /// Adds a response without a body.
    pub(in crate::http) fn returns_empty(self, status: u16, about: &str) -> Self {
        self.response(status, "", None, about)
    }

    /// Adds a response with any JSON object.
    pub(in crate::http) fn returns_any_object(self, status: u16, about: &str) -> Self {
        let schema = RefOr::T(Schema::Object(schema::any_object()));
        self.response(status, "application/json", Some(schema), about)
    }

    fn response(
        mut self,
        status: u16,
        media_type: &str,
        schema: Option<RefOr<Schema>>,
        about: &str,
    ) -> Self {
        let mut response = response_with_headers(about);
        if let Some(schema) = schema {
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response = response.content(media_type, content);
        }
        self.responses.push((status, response.build()));
        self
    }

    /// Adds `If-None-Match`, 304 for a client that has the newest response, and `ETag`.
    pub(in crate::http) fn conditional(self) -> Self {
        self.header(
            "If-None-Match",
            schema::string(),
            "The `ETag` of an earlier response; 304 if it is still the newest.",
        )
        .returns_empty(304, "Nothing has changed since the response with that tag.")
        .versioned()
    }

    /// Adds `ETag` to the responses so far.
    pub(in crate::http) fn versioned(mut self) -> Self {
        for (_, response) in &mut self.responses {
            response
                .headers
                .insert("ETag".to_owned(), RefOr::Ref(header("ETag")));
        }
        self
    }

    /// Adds the conditions on the resource's settings version.
    pub(super) fn preconditions(self) -> Self {
        self.header(
            "If-Match",
            schema::entity_tags(),
            "The `ETag` of the resource, a list of them, or `*` for any: 412 if the current one is \
             another. Weak tags never match.",
        )
        .header(
            "If-None-Match",
            schema::entity_tags(),
            "`*`: 412 if the resource exists. Anything else has no effect.",
        )
    }

    /// Whether it has conditions on the resource's settings version.
    pub(super) fn is_conditional_write(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.name == "If-Match")
    }

    /// Sets the operation's own errors.
    pub(in crate::http) fn errors(self, codes: &'static [Code]) -> Self {
        Self { codes, ..self }
    }

    /// Whether it has a parameter in this place.
    pub(super) fn reads(&self, place: &ParameterIn) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.parameter_in == *place)
    }
}

/// A response with the headers of every response.
pub(super) fn response_with_headers(about: &str) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(about)
        .header_ref("X-Request-Id", header("X-Request-Id"))
}

/// A reference to a header in the components of the document.
pub(super) fn header(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// Collects a type's schema and the schemas it refers to.
pub(super) fn collect<T: ToSchema>(into: &mut Vec<Named>) {
    into.push((T::name().into_owned(), T::schema()));
    T::schemas(into);
}
