//! The types of the fields of requests. Each has its reader and its schema here, and nowhere else.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use super::fields::{Field, FieldType};
use super::{numbers, schema, text_pattern};
use crate::domain::{
    Allocation, AssetSymbol, Attributes, Cents, Day, Email, EventName, ExternalUserId, Intake,
    Invalid, Note, OfferContent, Phone, Points, Pool, Rate, Rating, Refusal, Role, Subscription,
    TermsVersionId, Tier, Timestamp, Url, WebhookUrl,
};

/// The most seconds by which one request moves a sandbox's time: ten years of 365 days.
const ADVANCE_SECONDS_MAX: i64 = 10 * 365 * 24 * 3600;
/// The longest list of event names that is read, unknown and repeated names included.
const EVENT_NAMES_MAX: usize = 100;

/// The most versions of legal documents that a request accepts.
const VERSIONS_MAX: usize = 100;

/// A text of a domain type, which has a `RULE` and a `parse`.
macro_rules! text {
    ($text:ty) => {
        $crate::wire::fields::FieldType {
            read: |field| field.text(<$text>::parse),
            schema: || $crate::wire::schema::text(<$text>::RULE).into(),
        }
    };
}

/// An email address.
pub(super) const EMAIL: FieldType<Email> = FieldType {
    read: |field| field.text(Email::parse),
    schema: || schema::formed(Email::RULE, text_pattern::EMAIL).into(),
};

/// A phone number.
pub(super) const PHONE: FieldType<Phone> = FieldType {
    read: |field| field.text(Phone::parse),
    schema: || schema::formed(Phone::RULE, text_pattern::PHONE).into(),
};

/// The symbol of a further asset.
pub(super) const ASSET_SYMBOL: FieldType<AssetSymbol> = FieldType {
    read: |field| field.text(AssetSymbol::parse),
    schema: || schema::formed(AssetSymbol::RULE, text_pattern::SYMBOL).into(),
};

/// A word of a domain enum, which has `ALL`, `as_str` and `parse`.
macro_rules! word {
    ($word:ty) => {
        $crate::wire::fields::FieldType {
            read: |field| field.word(<$word>::parse, || <$word>::ALL.map(<$word>::as_str)),
            schema: || $crate::wire::schema::one_of(<$word>::ALL.map(<$word>::as_str)).into(),
        }
    };
}

pub(super) use {text, word};

/// Any string. One that cannot be an id is treated like an unknown id.
pub(super) const STRING: FieldType<String> = FieldType {
    read: |field| field.text(|_, text| Ok(text)),
    schema: || schema::string().into(),
};

/// The dollars that a point is worth.
pub(super) const RATE_PER_POINT: FieldType<Rate> = FieldType {
    read: |field| field.rate(Rate::ZERO, Rate::PER_POINT_MAX),
    schema: || schema::rate(Rate::ZERO, Rate::PER_POINT_MAX).into(),
};

/// A price in a display currency.
pub(super) const DISPLAY_PRICE: FieldType<Rate> = FieldType {
    read: |field| field.rate(Rate::ZERO, Rate::PRICE_MAX),
    schema: || schema::rate(Rate::ZERO, Rate::PRICE_MAX).into(),
};

/// The units of a display currency that a dollar is worth.
pub(super) const UNITS_PER_USD: FieldType<Rate> = FieldType {
    read: |field| field.rate(Rate::LEAST, Rate::PER_USD_MAX),
    schema: || schema::rate(Rate::LEAST, Rate::PER_USD_MAX).into(),
};

/// Points to add to a pool, from 1.
pub(super) const POOL_POINTS: FieldType<i64> = FieldType {
    read: |field| field.whole(1, Pool::MAX, Some),
    schema: || schema::whole(1, Pool::MAX).into(),
};

/// A limit of a pool, in points.
pub(super) const POOL_LIMIT: FieldType<i64> = FieldType {
    read: |field| field.whole(0, Pool::MAX, Some),
    schema: || schema::whole(0, Pool::MAX).into(),
};

/// True or false.
pub(super) const BOOLEAN: FieldType<bool> = FieldType {
    read: |field| {
        let boolean = field.value.as_bool();
        boolean.ok_or_else(|| field.wrong("must be true or false"))
    },
    schema: || schema::boolean().into(),
};

/// A time.
pub(super) const TIME: FieldType<Timestamp> = FieldType {
    read: |field| {
        let time = field.value.as_str().and_then(Timestamp::parse);
        time.ok_or_else(|| field.wrong("must be an RFC 3339 time such as 2026-06-01T00:00:00Z"))
    },
    schema: || schema::time().into(),
};

/// The id of a member, who may have been created under an earlier rule for ids. The current rule is
/// checked when a member is created.
pub(super) const EXTERNAL_USER_ID: FieldType<ExternalUserId> = FieldType {
    read: |field| field.text(|name, id| ExternalUserId::parse_stored(name, &id)),
    schema: || schema::text(ExternalUserId::RULE).into(),
};

/// Points to move, from 1.
pub(super) const AMOUNT: FieldType<Points> = FieldType {
    read: |field| field.whole(1, Points::MAX.get(), Points::new),
    schema: || schema::points(1).into(),
};

/// The price of an offer.
pub(super) const PRICE: FieldType<Points> = FieldType {
    read: |field| field.whole(0, OfferContent::PRICE_MAX.get(), Points::new),
    schema: || schema::whole(0, OfferContent::PRICE_MAX.get()).into(),
};

/// The stock of an offer, up to [`OfferContent::UNLIMITED`].
pub(super) const QUANTITY: FieldType<i64> = FieldType {
    read: |field| field.whole(0, OfferContent::UNLIMITED, Some),
    schema: || schema::whole(0, OfferContent::UNLIMITED).into(),
};

/// A rating.
pub(super) const RATING: FieldType<Rating> = FieldType {
    read: |field| field.whole(0, Rating::MAX, Rating::new),
    schema: || schema::whole(0, Rating::MAX).into(),
};

/// The most guests of an offer.
pub(super) const GUESTS: FieldType<i64> = FieldType {
    read: |field| field.whole(0, OfferContent::GUESTS_MAX, Some),
    schema: || schema::whole(0, OfferContent::GUESTS_MAX).into(),
};

/// An amount in US dollars, read from the digits of the body.
pub(super) const USD: FieldType<Cents> = FieldType {
    read: |field| {
        let literal = raw(field).filter(|_| field.value.is_number());
        let cents = literal.and_then(|raw| numbers::scaled(raw.get(), 2));
        cents.and_then(Cents::new).ok_or_else(|| {
            let most = Cents::MAX.get() / 100;
            field.wrong(format!(
                "must be a number from 0 to {most} with at most two decimals"
            ))
        })
    },
    schema: || schema::number(0, Cents::MAX.get() / 100).into(),
};

/// Credits a month.
pub(super) const CREDITS: FieldType<i64> = FieldType {
    read: |field| field.whole(0, Allocation::CREDITS_MAX, Some),
    schema: || schema::whole(0, Allocation::CREDITS_MAX).into(),
};

/// The seconds by which a sandbox's time moves.
pub(super) const ADVANCE_SECONDS: FieldType<Duration> = FieldType {
    read: |field| {
        let seconds = |number: i64| Some(Duration::from_secs(number.unsigned_abs()));
        field.whole(1, ADVANCE_SECONDS_MAX, seconds)
    },
    schema: || schema::whole(1, ADVANCE_SECONDS_MAX).into(),
};

/// Addresses of images.
pub(super) const IMAGES: FieldType<Vec<Url>> = FieldType {
    read: |field| field.list(OfferContent::IMAGES_MAX, Url::parse),
    schema: || schema::list(schema::text(Url::RULE), OfferContent::IMAGES_MAX).into(),
};

/// Tiers. A repeated one counts once.
pub(super) const TIERS: FieldType<Vec<Tier>> = FieldType {
    read: |field| {
        let mut tiers: Vec<Tier> = Vec::new();
        for tier in field.list(OfferContent::TIERS_MAX, Tier::parse)? {
            if !tiers.contains(&tier) {
                tiers.push(tier);
            }
        }
        Ok(tiers)
    },
    schema: || schema::list(schema::text(Tier::RULE), OfferContent::TIERS_MAX).into(),
};

/// The caller's own JSON object, stored byte for byte as it was received.
pub(super) const JSON_OBJECT: FieldType<Attributes> = FieldType {
    read: raw_object,
    schema: || schema::any_object().into(),
};

/// An object, of which only the type is checked.
pub(super) const OBJECT: FieldType<()> = FieldType {
    read: |field| field.object().map(|_| ()),
    schema: || schema::any_object().into(),
};

/// Versions of legal documents.
pub(super) const VERSIONS: FieldType<Vec<TermsVersionId>> = FieldType {
    read: |field| {
        field.list(VERSIONS_MAX, |name, id| {
            let version = TermsVersionId::parse(&id);
            version.ok_or_else(|| Invalid::new(name, "must be the id of a version"))
        })
    },
    schema: || schema::list(schema::string(), VERSIONS_MAX).into(),
};

/// Adults or children.
pub(super) const PERSONS: FieldType<i64> = FieldType {
    read: |field| field.whole(0, Intake::GUESTS_MAX, Some),
    schema: || schema::whole(0, Intake::GUESTS_MAX).into(),
};

/// Days of the calendar.
pub(super) const DATES: FieldType<Vec<Day>> = FieldType {
    read: |field| {
        field.list(Intake::DATES_MAX, |name, day| {
            Intake::parse_date(name, &day)
        })
    },
    schema: || schema::list(schema::day(), Intake::DATES_MAX).into(),
};

/// A sensitive text, which an error does not repeat.
pub(super) const DETAILS: FieldType<Note> = FieldType {
    read: |field| match field.value {
        Value::String(text) => Note::parse(field.name, text.as_str()),
        _ => Err(Invalid::new(field.name, "must be a string")),
    },
    schema: || schema::text(Note::RULE).into(),
};

/// The role of an Org-API-Key that speaks for the operator.
pub(super) const AGENT: FieldType<Role> = FieldType {
    read: |field| {
        field.text(|name, word| match Role::parse(&word) {
            Some(Role::Agent) => Ok(Role::Agent),
            _ => Err(Invalid::new(name, "must be agent, or be left out")),
        })
    },
    schema: || schema::one_of([Role::Agent.as_str()]).into(),
};

/// The address of a webhook. The environment decides later whether it is allowed.
pub(super) const WEBHOOK_URL: FieldType<String> = FieldType {
    read: STRING.read,
    schema: || schema::length(1, WebhookUrl::BYTES_MAX).into(),
};

/// The address of a gateway, in an object. The environment decides later whether it is allowed.
pub(super) const GATEWAY: FieldType<String> = FieldType {
    read: |field| field.object()?.required("url", &WEBHOOK_URL),
    schema: || {
        let url = (WEBHOOK_URL.schema)();
        ObjectBuilder::new()
            .schema_type(Type::Object)
            .property("url", url)
            .required("url")
            .build()
            .into()
    },
};

/// The events that a webhook listens to.
pub(super) const EVENTS: FieldType<Subscription, Refusal> = FieldType {
    read: |field| {
        let names = field.list(EVENT_NAMES_MAX, |_, name| Ok(name))?;
        let mut events = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let unknown = || Subscription::unknown_event(format!("{}[{index}]", field.name));
            events.push(EventName::parse(name).ok_or_else(unknown)?);
        }
        Ok(Subscription::new(field.name, events)?)
    },
    schema: || schema::events().into(),
};

/// The text of a field of the body, in which the last field of a name counts, as in the parsed
/// body.
pub(super) fn raw<'a>(field: &Field<'a>) -> Option<&'a RawValue> {
    let fields: BTreeMap<String, &RawValue> = serde_json::from_slice(field.bytes).ok()?;
    fields.get(field.name).copied()
}

/// An object of the body, from the bytes of the body.
fn raw_object(field: &Field<'_>) -> Result<Attributes, Invalid> {
    let wrong = || field.wrong("must be an object");
    if !field.value.is_object() {
        return Err(wrong());
    }
    let raw = raw(field).ok_or_else(wrong)?;
    let object = Attributes::parse(field.name, raw.get())?;
    // It is returned as it was received, so clients must be able to parse it.
    serde_json::from_str::<Map<String, Value>>(raw.get())
        .map(|_| object)
        .map_err(|_| field.wrong("must have only numbers that a double can hold"))
}
