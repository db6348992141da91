//! The objects in an offer: availability, redemption limit, inclusions and location.

use serde::Serialize;
use utoipa::{PartialSchema, ToSchema};

use super::field_types::{QUANTITY, text, word};
use super::fields::FieldType;
use super::request::request;
use super::schema::{self, AUTHORED, DERIVED, DisplaySource};
use super::wallets::CurrencyResponse;
use crate::domain::{
    Caption, Change, CountryCode, Currency, Inclusion, LimitPer, Location, Money, Offer,
    OfferContent, Points, Rate, RedemptionLimit, Timestamp,
};

request! {
    /// The `availability` of an offer in a request. A response has more, which is derived.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct AvailabilityRequest {
        /// The number of pieces left; null and 2147483647 both mean unlimited.
        pub quantity_remaining: Change<i64> = change("quantityRemaining", QUANTITY),
    }
}

request! {
    /// The `redemptionLimit` of an offer in a request.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct RedemptionLimitRequest {
        /// The number of redemptions that a member can have; null means that there is no limit; 1
        /// by default.
        pub per_member: Change<i64> = change("perMember", PER_MEMBER),
        /// The redemptions that count: `ever` for all that are not canceled, `open` for those that
        /// are neither completed nor canceled; `ever` by default. One whose units were all returned
        /// counts no more.
        pub per: Option<LimitPer> = optional("per", word!(LimitPer)),
    }
}

request! {
    /// An item of `inclusions` in a request.
    struct InclusionRequest {}
    /// The inclusion.
    inclusion: Inclusion {
        /// The heading under which it is listed.
        group = required("group", text!(Caption)),
        /// Its name.
        name = required("name", text!(Caption)),
    }
}

request! {
    /// The `location` of an offer in a request.
    struct LocationRequest {}
    /// The location.
    location: Location {
        /// The place in one line.
        display = required("display", text!(Caption)),
        /// The name of the place.
        venue = nullable("venue", text!(Caption)),
        /// The street and the number.
        address = nullable("address", text!(Caption)),
        /// The city.
        city = nullable("city", text!(Caption)),
        /// The state or the region.
        state = nullable("state", text!(Caption)),
        /// The country, as in ISO 3166-1 alpha-2.
        country_code = nullable("countryCode", COUNTRY_CODE),
    }
}

pub(super) const AVAILABILITY: FieldType<AvailabilityRequest> = FieldType {
    read: |field| AvailabilityRequest::read(&field.object()?),
    schema: || AvailabilityRequest::schema().into(),
};

pub(super) const REDEMPTION_LIMIT: FieldType<RedemptionLimitRequest> = FieldType {
    read: |field| RedemptionLimitRequest::read(&field.object()?),
    schema: || RedemptionLimitRequest::schema().into(),
};

const PER_MEMBER: FieldType<i64> = FieldType {
    read: |field| field.whole(1, RedemptionLimit::PER_MEMBER_MAX, Some),
    schema: || schema::whole(1, RedemptionLimit::PER_MEMBER_MAX).into(),
};

pub(super) const INCLUSIONS: FieldType<Vec<Inclusion>> = FieldType {
    read: |field| {
        field.objects(Inclusion::LIST_MAX, |fields| {
            Ok(InclusionRequest::read(fields)?.inclusion)
        })
    },
    schema: || schema::list(InclusionRequest::schema(), Inclusion::LIST_MAX).into(),
};

pub(super) const LOCATION: FieldType<Location> = FieldType {
    read: |field| Ok(LocationRequest::read(&field.object()?)?.location),
    schema: || LocationRequest::schema().into(),
};

const COUNTRY_CODE: FieldType<CountryCode> = FieldType {
    read: |field| field.text(CountryCode::parse),
    schema: || schema::capitals(CountryCode::LETTERS).into(),
};

impl RedemptionLimitRequest {
    /// The limit after the change.
    pub(super) fn apply(self, limit: RedemptionLimit) -> RedemptionLimit {
        RedemptionLimit {
            per_member: self.per_member.apply(limit.per_member),
            per: self.per.unwrap_or(limit.per),
        }
    }
}

/// The availability of an offer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "isAvailable": true,
    "quantityRemaining": 12,
    "isUnlimited": false,
})))]
pub struct AvailabilityResponse {
    /// Whether it can be redeemed now: it is in stock, not paused, and the time is within
    /// `availableFrom` and `availableUntil`.
    pub is_available: bool,
    /// The number of pieces left; 2147483647 if unlimited.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub quantity_remaining: i64,
    /// Whether the stock is unlimited.
    pub is_unlimited: bool,
}

impl AvailabilityResponse {
    pub(super) fn new(offer: &Offer, now: Timestamp) -> Self {
        let pieces = offer.content.quantity_remaining;
        Self {
            is_available: offer.is_available(now),
            quantity_remaining: pieces.unwrap_or(OfferContent::UNLIMITED),
            is_unlimited: pieces.is_none(),
        }
    }
}

/// How often a member can redeem an offer.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RedemptionLimitResponse {
    /// The number of redemptions that a member can have; null if there is no limit.
    #[schema(minimum = 1, maximum = 1000)]
    pub per_member: Option<i64>,
    /// The redemptions that count: `ever` for all that are not canceled, `open` for those that are
    /// neither completed nor canceled.
    #[schema(value_type = schema::LimitedRedemptions)]
    pub per: &'static str,
}

impl From<RedemptionLimit> for RedemptionLimitResponse {
    fn from(limit: RedemptionLimit) -> Self {
        Self {
            per_member: limit.per_member,
            per: limit.per.as_str(),
        }
    }
}

/// Something that an offer includes.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct InclusionResponse {
    /// The heading under which it is listed.
    pub group: String,
    /// Its name.
    pub name: String,
}

impl From<&Inclusion> for InclusionResponse {
    fn from(inclusion: &Inclusion) -> Self {
        Self {
            group: inclusion.group.as_str().to_owned(),
            name: inclusion.name.as_str().to_owned(),
        }
    }
}

/// The place of an offer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocationResponse {
    /// The place in one line.
    pub display: String,
    /// The name of the place.
    pub venue: Option<String>,
    /// The street and the number.
    pub address: Option<String>,
    /// The city.
    pub city: Option<String>,
    /// The state or the region.
    pub state: Option<String>,
    /// The country, as in ISO 3166-1 alpha-2.
    pub country_code: Option<String>,
}

impl From<&Location> for LocationResponse {
    fn from(location: &Location) -> Self {
        let text = |text: &Option<Caption>| text.as_ref().map(|text| text.as_str().to_owned());
        let country = location.country_code.as_ref();
        Self {
            display: location.display.as_str().to_owned(),
            venue: text(&location.venue),
            address: text(&location.address),
            city: text(&location.city),
            state: text(&location.state),
            country_code: country.map(|code| code.as_str().to_owned()),
        }
    }
}

/// The price of an offer in points, if points are worth anything.
pub(super) fn priced(content: &OfferContent, currency: &Currency) -> Option<i64> {
    let price = content.points_price.map(Points::get);
    price.filter(|_| currency.rate_per_point > Rate::ZERO)
}

/// The price of an offer in the program's display currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DisplayResponse {
    /// The amount.
    #[schema(value_type = f64, minimum = 0)]
    pub amount: Money,
    /// The currency.
    pub currency: CurrencyResponse,
    /// Whether the price was set, or follows from `pointsPrice`.
    #[schema(value_type = DisplaySource)]
    pub source: &'static str,
}

impl DisplayResponse {
    pub(super) fn new(content: &OfferContent, currency: &Currency) -> Option<Self> {
        let (amount, source) = match content.display_price {
            Some(price) => (price.into(), AUTHORED),
            None => (
                Money::display(priced(content, currency)?, currency),
                DERIVED,
            ),
        };
        Some(Self {
            amount,
            currency: currency.into(),
            source,
        })
    }
}
