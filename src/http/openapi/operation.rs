//! One operation: what its handler reads and answers. Method, path and credential are not said
//! here: they come from the table of routes, and so do the errors that follow from them.

use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::{Response, ResponseBuilder};
use utoipa::openapi::schema::{Object, ObjectBuilder, OneOfBuilder, Type};
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Required, Schema};

use crate::error::Code;
use crate::wire::schema;

/// A named schema, as it goes into the document.
pub(super) type Named = (String, RefOr<Schema>);

/// What a handler reads and answers.
pub(super) struct Operation {
    pub(super) handler: &'static str,
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Parameter>,
    pub(super) body: Option<RequestBody>,
    pub(super) answers: Vec<(u16, Response)>,
    /// Errors beside those that follow from the route and from what is read.
    pub(super) codes: &'static [Code],
    pub(super) request_schemas: Vec<Named>,
    pub(super) answer_schemas: Vec<Named>,
}

impl Operation {
    /// What the handler of this name does, in a few words.
    pub(super) fn new(handler: &'static str, summary: &'static str) -> Self {
        Self {
            handler,
            tag: "",
            summary,
            description: "",
            parameters: Vec::new(),
            body: None,
            answers: Vec::new(),
            codes: &[],
            request_schemas: Vec::new(),
            answer_schemas: Vec::new(),
        }
    }

    /// More about it, in Markdown.
    pub(super) fn about(self, description: &'static str) -> Self {
        Self {
            description,
            ..self
        }
    }

    /// A parameter of the query that may be left out.
    pub(super) fn query(self, name: &str, schema: Object, about: &str) -> Self {
        self.parameter(name, ParameterIn::Query, false, schema, about)
    }

    /// A parameter of the query that must be there.
    pub(super) fn needs(self, name: &str, schema: Object, about: &str) -> Self {
        self.parameter(name, ParameterIn::Query, true, schema, about)
    }

    /// `limit` and `cursor`.
    pub(super) fn page(self, (default, most): (usize, usize)) -> Self {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let about = format!("Rows a page; {default} unless given.");
        self.query("limit", schema::whole(1, most), &about).query(
            "cursor",
            schema::string(),
            "The next cursor of the page before; the first page without.",
        )
    }

    /// A header of the request that may be left out.
    pub(super) fn header(self, name: &str, schema: Object, about: &str) -> Self {
        self.parameter(name, ParameterIn::Header, false, schema, about)
    }

    /// A variable segment of the path.
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
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(if is_required {
                Required::True
            } else {
                Required::False
            })
            .description(Some(about))
            .schema(Some(schema))
            .build();
        self.parameters.push(parameter);
        self
    }

    /// The body it reads.
    pub(super) fn body<T: ToSchema>(self) -> Self {
        self.body_that_is::<T>(Required::True, schema::reference::<T>())
    }

    /// The body it reads, which may be left out; null is none.
    pub(super) fn optional_body<T: ToSchema>(self) -> Self {
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

    /// The JSON it answers.
    pub(super) fn answers<T: ToSchema>(mut self, status: u16, about: &str) -> Self {
        collect::<T>(&mut self.answer_schemas);
        let schema = schema::reference::<T>();
        self.gives(status, "application/json", Some(schema), about)
    }

    /// Another form of answer: a page, a stream, plain text.
    pub(super) fn serves(self, status: u16, media_type: &str, about: &str) -> Self {
        let schema = RefOr::T(Schema::Object(schema::string()));
        self.gives(status, media_type, Some(schema), about)
    }

    /// Another media type of the same answer.
    pub(super) fn serves_too(mut self, status: u16, media_type: &str) -> Self {
        let content = ContentBuilder::new().schema(Some(schema::string())).build();
        for (_, answer) in self.answers.iter_mut().filter(|(of, _)| *of == status) {
            answer
                .content
                .insert(media_type.to_owned(), RefOr::T(content.clone()));
        }
        self
    }

    /// An answer without a body.
    pub(super) fn ends(self, status: u16, about: &str) -> Self {
        self.gives(status, "", None, about)
    }

    /// An answer whose JSON has no name.
    pub(super) fn answers_any_object(self, status: u16, about: &str) -> Self {
        let schema = RefOr::T(Schema::Object(schema::any_object()));
        self.gives(status, "application/json", Some(schema), about)
    }

    fn gives(
        mut self,
        status: u16,
        media_type: &str,
        schema: Option<RefOr<Schema>>,
        about: &str,
    ) -> Self {
        let mut response = response(about);
        if let Some(schema) = schema {
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response = response.content(media_type, content);
        }
        self.answers.push((status, response.build()));
        self
    }

    /// The answer has an `ETag`, and 304 says that the client has it already.
    pub(super) fn conditional(self) -> Self {
        let mut this = self
            .header(
                "If-None-Match",
                schema::string(),
                "The `ETag` of an answer; 304 if it is still the newest.",
            )
            .ends(304, "Nothing has happened since the answer with that tag.");
        for (_, answer) in &mut this.answers {
            answer
                .headers
                .insert("ETag".to_owned(), RefOr::Ref(header("ETag")));
        }
        this
    }

    /// The answer has the resource's settings version as its `ETag`.
    pub(super) fn versioned(mut self) -> Self {
        for (_, answer) in &mut self.answers {
            answer
                .headers
                .insert("ETag".to_owned(), RefOr::Ref(header("ETag")));
        }
        self
    }

    /// It can be made to depend on the resource's settings version.
    pub(super) fn if_unchanged(self) -> Self {
        self.header(
            "If-Match",
            schema::entity_tags(),
            "The `ETag` of the resource, several of them, or `*` for any: 412 if it has another one \
             by now. Weak tags never match.",
        )
        .header(
            "If-None-Match",
            schema::entity_tags(),
            "`*`: 412 if the resource exists. Anything else has no effect.",
        )
    }

    /// Whether it can be made to depend on the resource's settings version.
    pub(super) fn can_depend(&self) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.name == "If-Match")
    }

    /// Errors of its own.
    pub(super) fn fails(self, codes: &'static [Code]) -> Self {
        Self { codes, ..self }
    }

    /// Whether it has a parameter in a place.
    pub(super) fn reads(&self, place: &ParameterIn) -> bool {
        self.parameters
            .iter()
            .any(|parameter| parameter.parameter_in == *place)
    }
}

/// Operations of one heading.
pub(super) fn tagged<const N: usize>(
    tag: &'static str,
    operations: [Operation; N],
) -> impl Iterator<Item = Operation> {
    operations
        .into_iter()
        .map(move |operation| Operation { tag, ..operation })
}

/// A response with what every response has.
pub(super) fn response(about: &str) -> ResponseBuilder {
    ResponseBuilder::new()
        .description(about)
        .header_ref("X-Request-Id", header("X-Request-Id"))
}

/// A header of the document's own list.
pub(super) fn header(name: &str) -> Ref {
    Ref::new(format!("#/components/headers/{name}"))
}

/// A type's schema and those it is made of.
pub(super) fn collect<T: ToSchema>(into: &mut Vec<Named>) {
    into.push((T::name().into_owned(), T::schema()));
    T::schemas(into);
}

/// A parameter's example.
pub(super) fn like(mut schema: Object, example: impl Into<Value>) -> Object {
    schema.examples = vec![example.into()];
    schema
}
