//! JSON Schema of requests and responses. The schema of a request is built from its table; the
//! schema of a response is derived from its type.

use utoipa::openapi::schema::{
    AdditionalProperties, Array, ArrayBuilder, KnownFormat, Object, ObjectBuilder, Schema,
    SchemaFormat, Type,
};
use utoipa::openapi::{Ref, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::domain::{
    CancelReason, EventName, OrganizationStatus, OrganizationTier, Points, ProgramStatus, Status,
    TextRule,
};

/// A text by its rule.
pub fn text(rule: TextRule) -> Object {
    let pattern = if rule.lines {
        r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"
    } else {
        r"^[^\x00-\x1f\x7f-\x9f]*$"
    };
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length((rule.least > 0).then_some(rule.least))
        .max_length(Some(rule.most))
        .pattern(Some(pattern))
        .build()
}

/// A string of which only the length counts, in characters.
pub fn length(least: usize, most: usize) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(least))
        .max_length(Some(most))
        .build()
}

/// A string of which nothing is asked.
pub fn string() -> Object {
    Object::with_type(Type::String)
}

/// Entity tags, or `*`.
pub fn entity_tags() -> Object {
    let tag = r#"(W/)?"[!#-~]*""#;
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(format!(r"^(\*|{tag}(, {tag})*)$")))
        .build()
}

/// `true` or `false`.
pub fn boolean() -> Object {
    Object::with_type(Type::Boolean)
}

/// A whole number.
pub fn whole(least: i64, most: i64) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(least))
        .maximum(Some(most))
        .build()
}

/// Points, from `least`.
pub fn points(least: i64) -> Object {
    whole(least, Points::MAX.get())
}

/// An RFC 3339 time.
pub fn time() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .build()
}

/// A day, `YYYY-MM-DD`.
pub fn day() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .build()
}

/// One of some words.
pub fn one_of(words: impl IntoIterator<Item = &'static str>) -> Object {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(words))
        .build()
}

/// A list of at most `most`.
pub(super) fn list(items: Object, most: usize) -> Array {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::Object(items)))
        .max_items(Some(most))
        .build()
}

/// Events of the catalogue, at least one and each once.
pub(super) fn events() -> Array {
    ArrayBuilder::new()
        .items(RefOr::T(Schema::Object(one_of(
            EventName::ALL.map(EventName::as_str),
        ))))
        .min_items(Some(1))
        .max_items(Some(EventName::ALL.len()))
        .unique_items(true)
        .build()
}

/// An object of the caller's own, which may have any fields.
pub fn any_object() -> Object {
    ObjectBuilder::new()
        .schema_type(Type::Object)
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
        .build()
}

/// Words that several answers use, each a schema by its name.
macro_rules! words {
    ($($(#[$doc:meta])+ $name:ident = $words:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $name;

        impl ToSchema for $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                RefOr::T(Schema::Object(one_of($words)))
            }
        }
    )+};
}

words! {
    /// Where a redemption stands.
    RedemptionStatus = Status::ALL.map(Status::as_str);
    /// Why a redemption was canceled.
    CanceledReason = CancelReason::ALL.map(CancelReason::as_str);
    /// Who or what caused something.
    ActorKind = ["key", "member", "partner", "rule", "scheduler", "server"];
    /// Which way points moved.
    TransactionType = ["CREDIT", "DEBIT"];
    /// Whether a program is in use.
    ProgramState = ProgramStatus::ALL.map(ProgramStatus::as_str);
    /// Whether an organization may act.
    OrganizationState = OrganizationStatus::ALL.map(OrganizationStatus::as_str);
    /// What an organization pays.
    OrganizationPlan = OrganizationTier::ALL.map(OrganizationTier::as_str);
}

/// Fields that an answer may lack that an earlier version kept under an `Idempotency-Key`.
const LATER: [&str; 1] = ["version"];

/// Fields that only an Org-API-Key gets, by the schema that they are of.
const KEYS_ONLY: [(&str, &[&str]); 3] = [
    (
        "ConversationResponse",
        &["displayName", "lastMessage", "waitingSince"],
    ),
    ("ConversationListResponse", &["waitingCount"]),
    ("RedemptionResponse", &["offerTitle", "displayName"]),
];

/// Every other field of the answer of this name is always there, null where it has no value.
pub fn require_all(name: &str, schema: &mut RefOr<Schema>) {
    let of_keys = KEYS_ONLY.iter().find(|(of, _)| *of == name);
    let of_keys = of_keys.map_or(&[][..], |(_, fields)| fields);
    match schema {
        RefOr::T(Schema::Object(object)) => {
            let names = object.properties.keys();
            let is_always_there = |field: &&String| {
                !LATER
                    .iter()
                    .chain(of_keys)
                    .any(|one| *one == field.as_str())
            };
            let always = names.filter(is_always_there);
            object.required = always.cloned().collect();
        }
        RefOr::T(Schema::AllOf(all)) => {
            all.items
                .iter_mut()
                .for_each(|item| require_all(name, item));
        }
        _ => {}
    }
}

/// A reference to a named schema.
pub fn reference<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}
