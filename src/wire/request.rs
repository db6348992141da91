//! Requests. One table declares a request's fields; the struct, its `parse` and its OpenAPI schema
//! are generated from it, so a field that is read is also described.
//!
//! ```text
//! request! {
//!     /// The body of `POST /v1/wallet/debit`.
//!     #[derive(Debug, Clone, PartialEq, Eq)]
//!     pub struct DebitRequest {
//!         /// The number of points.
//!         pub amount: Points = required("amount", AMOUNT),
//!         /// The reason.
//!         pub reason: Option<Reason> = nullable("reason", text!(Reason)),
//!     }
//!     example {"amount": 100}
//!     parse(body);
//! }
//! ```
//!
//! An entry is a field of the struct, a method of [`Fields`](super::fields::Fields) that says how
//! it may be absent or null, the name on the wire, and a [`FieldType`]. Fields are read in the
//! order of the table, and the first error is returned. The doc comment of an entry is its
//! description in the OpenAPI document.
//!
//! After the struct, a group may fill another type: `pub profile: MemberProfile { … }`, with
//! entries for its fields, and `..base` for fields without an entry.
//!
//! `parse(body)` reads a required body, `parse(body or null)` an optional one, and
//! `parse(body, bytes)` one with a field that is stored as it was received. `-> Refusal` names
//! another error than [`Invalid`](crate::domain::Invalid). Without `parse`, the type has its own.

use serde_json::Value;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};

use super::fields::FieldType;

/// Generates a request from its table; see the [module](self).
macro_rules! request {
    (
        $(#[$meta:meta])*
        $visible:vis struct $request:ident {
            $($(#[doc = $about:literal])+
            $field_visible:vis $field:ident: $type:ty =
                $need:ident($name:literal, $of:expr $(, $default:expr)?),)*
        }
        $($(#[doc = $group_about:literal])+
        $group_visible:vis $group:ident: $group_type:ident {
            $($(#[doc = $inner_about:literal])+
            $inner:ident =
                $inner_need:ident($inner_name:literal, $inner_of:expr $(, $inner_default:expr)?),)*
            $(..$base:expr)?
        })?
        $(example $example:tt)?
        $(parse($($source:tt)+) $(-> $error:ty)?;)?
    ) => {
        $(#[$meta])*
        $visible struct $request {
            $($(#[doc = $about])+ $field_visible $field: $type,)*
            $($(#[doc = $group_about])+ $group_visible $group: $group_type,)?
        }

        impl $request {
            /// Reads the fields in the order of the table.
            fn read(
                fields: &$crate::wire::fields::Fields<'_>,
            ) -> Result<Self, $crate::wire::request::error!($($($error)?)?)> {
                let _ = fields;
                Ok(Self {
                    $($field: fields.$need($name, &$of $(, $default)?)?,)*
                    $($group: $group_type {
                        $($inner: fields.$inner_need(
                            $inner_name, &$inner_of $(, $inner_default)?
                        )?,)*
                        $(..$base)?
                    },)?
                })
            }

            $($crate::wire::request::parse! {
                ($($source)+) $visible, $crate::wire::request::error!($($error)?)
            })?
        }

        impl utoipa::ToSchema for $request {}

        impl utoipa::PartialSchema for $request {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
                $crate::wire::request::Description::default()
                    $(.$need($name, concat!($($about),+), &$of $(, $default)?))*
                    $($(.$inner_need(
                        $inner_name, concat!($($inner_about),+), &$inner_of $(, $inner_default)?
                    ))*)?
                    $(.example(serde_json::json!($example)))?
                    .build()
                    .into()
            }
        }
    };
}

/// The error of a request's `parse`.
macro_rules! error {
    () => {
        $crate::domain::Invalid
    };
    ($error:ty) => {
        $error
    };
}

/// The `parse` of a request.
macro_rules! parse {
    ((body) $visible:vis, $error:ty) => {
        /// Reads the body.
        ///
        /// # Errors
        /// Names the first field that is wrong.
        $visible fn parse(body: &serde_json::Value) -> Result<Self, $error> {
            Self::read(&$crate::wire::fields::Fields::of(body)?)
        }
    };
    ((body or null) $visible:vis, $error:ty) => {
        /// Reads the body. An absent body is treated as `null`.
        ///
        /// # Errors
        /// Names the first field that is wrong.
        $visible fn parse(body: &serde_json::Value) -> Result<Self, $error> {
            Self::read(&$crate::wire::fields::Fields::of_optional(body)?)
        }
    };
    ((body, bytes) $visible:vis, $error:ty) => {
        /// Reads the body, both parsed and as it was received.
        ///
        /// # Errors
        /// Names the first field that is wrong.
        $visible fn parse(body: &serde_json::Value, bytes: &[u8]) -> Result<Self, $error> {
            Self::read(&$crate::wire::fields::Fields::with_bytes(body, bytes)?)
        }
    };
}

pub(super) use {error, parse, request};

/// Builds the schema of a request. Each kind of entry is a method here and of
/// [`Fields`](super::fields::Fields).
#[derive(Default)]
pub(super) struct Description(ObjectBuilder);

impl Description {
    pub(super) fn required<T, E>(self, name: &str, about: &str, of: &FieldType<T, E>) -> Self {
        let Self(object) = self.optional(name, about, of);
        Self(object.required(name))
    }

    pub(super) fn optional<T, E>(self, name: &str, about: &str, of: &FieldType<T, E>) -> Self {
        self.property(name, about, (of.schema)())
    }

    pub(super) fn optional_or<T, E>(
        self,
        name: &str,
        about: &str,
        of: &FieldType<T, E>,
        _default: T,
    ) -> Self {
        self.optional(name, about, of)
    }

    pub(super) fn nullable<T, E>(self, name: &str, about: &str, of: &FieldType<T, E>) -> Self {
        self.property(name, about, or_null((of.schema)()))
    }

    pub(super) fn change<T, E>(self, name: &str, about: &str, of: &FieldType<T, E>) -> Self {
        self.nullable(name, about, of)
    }

    pub(super) fn example(self, example: Value) -> Self {
        Self(self.0.examples([example]))
    }

    pub(super) fn build(self) -> Schema {
        self.0.schema_type(Type::Object).build().into()
    }

    fn property(self, name: &str, about: &str, mut schema: Schema) -> Self {
        let description = Some(about.trim_ascii().to_owned());
        match &mut schema {
            Schema::Object(object) => object.description = description,
            Schema::Array(array) => array.description = description,
            _ => {}
        }
        Self(self.0.property(name, schema))
    }
}

/// A schema that accepts null, too.
fn or_null(mut schema: Schema) -> Schema {
    if let Schema::Object(object) = &mut schema {
        if let SchemaType::Type(only) = &object.schema_type {
            object.schema_type = SchemaType::from_iter([only.clone(), Type::Null]);
        }
        if let Some(words) = &mut object.enum_values {
            words.push(Value::Null);
        }
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use utoipa::PartialSchema as _;

    use crate::domain::{Change, DisplayName, MemberProfile, Points, Tier};
    use crate::wire::field_types::{AMOUNT, BOOLEAN, PRICE, text};

    request! {
        /// A request with an entry of each kind.
        #[derive(Debug, PartialEq)]
        struct SampleRequest {
            /// Required.
            amount: Points = required("amount", AMOUNT),
            /// Optional.
            tier: Option<Tier> = optional("tier", text!(Tier)),
            /// With a default,
            /// on two lines.
            flag: bool = optional_or("isFlag", BOOLEAN, true),
            /// Nullable.
            name: Option<DisplayName> = nullable("displayName", text!(DisplayName)),
            /// A change.
            price: Change<Points> = change("price", PRICE),
        }
        /// A group.
        profile: MemberProfile {
            /// In the group.
            tier = optional("profileTier", text!(Tier)),
            ..MemberProfile { display_name: Change::Clear, ..MemberProfile::default() }
        }
        example {"amount": 1}
        parse(body);
    }

    #[test]
    fn a_table_is_read_in_its_order() {
        let sample = SampleRequest::parse(&json!({"amount": 7, "price": null, "unknown": 1}));
        let profile = MemberProfile {
            display_name: Change::Clear,
            ..MemberProfile::default()
        };
        let expected = SampleRequest {
            amount: Points::new(7).unwrap(),
            tier: None,
            flag: true,
            name: None,
            price: Change::Clear,
            profile,
        };
        assert_eq!(sample, Ok(expected));
        let wrong = json!({
            "amount": 0, "tier": null, "isFlag": 1, "displayName": 2, "price": -1,
            "profileTier": 3,
        });
        let mut wrong = wrong.as_object().unwrap().clone();
        for (name, right) in [
            ("amount", json!(1)),
            ("tier", json!("gold")),
            ("isFlag", json!(false)),
            ("displayName", json!(null)),
            ("price", json!(0)),
            ("profileTier", json!("gold")),
        ] {
            let refused = SampleRequest::parse(&wrong.clone().into()).unwrap_err();
            assert_eq!(refused.field, name);
            wrong.insert(name.to_owned(), right);
        }
        assert!(SampleRequest::parse(&wrong.into()).is_ok());
        assert_eq!(
            SampleRequest::parse(&json!([])).unwrap_err().field,
            "the body"
        );
    }

    #[test]
    fn a_table_is_described_as_it_is_read() {
        let schema = serde_json::to_value(SampleRequest::schema()).unwrap();
        assert_eq!(schema["required"], json!(["amount"]));
        assert_eq!(schema["examples"], json!([{"amount": 1}]));
        let described: Vec<_> = schema["properties"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, field)| (name.as_str(), &field["type"], &field["description"]))
            .collect();
        let mut expected = [
            ("amount", json!("integer"), json!("Required.")),
            ("tier", json!("string"), json!("Optional.")),
            (
                "isFlag",
                json!("boolean"),
                json!("With a default, on two lines."),
            ),
            ("displayName", json!(["string", "null"]), json!("Nullable.")),
            ("price", json!(["integer", "null"]), json!("A change.")),
            ("profileTier", json!("string"), json!("In the group.")),
        ];
        expected.sort_by_key(|(name, ..)| *name);
        let expected = expected
            .iter()
            .map(|(name, kind, about)| (*name, kind, about));
        assert_eq!(described, expected.collect::<Vec<_>>());
    }
}
