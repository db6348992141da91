//! The life of points, and the calendar by which it is measured.

use serde::Serialize;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::domain::{Expiry, ExpiryNotice, Invalid, Period, Zone};
use crate::wire::fields::{Field, FieldType};
use crate::wire::schema;

/// A time zone.
pub(super) const TIME_ZONE: FieldType<Zone> = FieldType {
    read: |field| {
        let zone = field.value.as_str().and_then(Zone::parse);
        zone.ok_or_else(|| field.wrong("must be the name of a time zone, such as Europe/Berlin"))
    },
    schema: || schema::string().into(),
};

/// Days before points expire, from 1.
pub(super) const EXPIRY_NOTICE: FieldType<ExpiryNotice> = FieldType {
    read: |field| field.whole(1, ExpiryNotice::DAYS_MAX, ExpiryNotice::new),
    schema: || schema::whole(1, ExpiryNotice::DAYS_MAX).into(),
};

/// The life of points.
pub(super) const EXPIRY: FieldType<Expiry> = FieldType {
    read: expiry,
    schema: || {
        let object = ObjectBuilder::new().schema_type(Type::Object);
        let properties = [
            ("after", period_schema()),
            ("at", schema::one_of([YEAR_END]).into()),
            ("extra", period_schema()),
        ];
        let fields = properties.into_iter();
        fields
            .fold(object, |object, (name, schema)| {
                object.property(name, schema)
            })
            .build()
            .into()
    },
};

const YEAR_END: &str = "year_end";

fn period_schema() -> utoipa::openapi::Schema {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .pattern(Some(r"^P(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$"))
        .build()
        .into()
}

fn expiry(field: &Field<'_>) -> Result<Expiry, Invalid> {
    let expected = "must be an object with after, a period such as P12M, or with at, year_end, and \
                    perhaps extra, a period";
    let object = field
        .value
        .as_object()
        .ok_or_else(|| field.wrong(expected))?;
    let period = |name: &str| -> Result<Option<Period>, Invalid> {
        let Some(value) = object.get(name).filter(|value| !value.is_null()) else {
            return Ok(None);
        };
        let period = value.as_str().and_then(|text| text.parse().ok());
        let expected = "must be a period of at most a century, such as P12M, P1Y6M or P90D";
        let name = format!("{}.{name}", field.name);
        period.map(Some).ok_or_else(|| Invalid::new(name, expected))
    };
    let at = object.get("at").filter(|value| !value.is_null());
    match (period("after")?, at, period("extra")?) {
        (Some(after), None, None) => Ok(Expiry::After(after)),
        (None, Some(at), extra) if at.as_str() == Some(YEAR_END) => Ok(Expiry::YearEnd(extra)),
        _ => Err(field.wrong(expected)),
    }
}

/// The life of points: either `after`, or `at` and perhaps `extra`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"after": "P12M"})))]
pub struct ExpiryResponse {
    /// How long after the credit points expire, by the calendar: an ISO 8601 period of months and
    /// days.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub after: Option<String>,
    /// `year_end`: points expire when the calendar year of the credit has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub at: Option<&'static str>,
    /// How long after the end of the year they expire.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub extra: Option<String>,
}

impl From<Expiry> for ExpiryResponse {
    fn from(expiry: Expiry) -> Self {
        let period = |period: Period| period.to_string();
        match expiry {
            Expiry::After(after) => Self {
                after: Some(period(after)),
                at: None,
                extra: None,
            },
            Expiry::YearEnd(extra) => Self {
                after: None,
                at: Some(YEAR_END),
                extra: extra.map(period),
            },
        }
    }
}
