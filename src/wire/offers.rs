//! Offers.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::field_types::{
    BOOLEAN, DISPLAY_PRICE, GUESTS, IMAGES, OBJECT, PRICE, TIERS, TIME, USD, text,
};
use super::fields::Fields;
use super::offer_parts::{
    AVAILABILITY, AvailabilityRequest, AvailabilityResponse, DisplayResponse, INCLUSIONS,
    InclusionResponse, LOCATION, LocationResponse, REDEMPTION_LIMIT, RedemptionLimitRequest,
    RedemptionLimitResponse, priced,
};
use super::request::request;
use crate::domain::{
    Cents, Change, Currency, Inclusion, Invalid, Label, Location, LongText, Money, Offer,
    OfferContent, Points, Rate, RedemptionLimit, Tier, Timestamp, Title, Url,
};

/// The body of `POST /v1/offers`: that of `PATCH`, with a required title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOfferRequest {
    /// The whole offer.
    pub content: OfferContent,
}

impl CreateOfferRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let title = Fields::of(body)?.required("title", &text!(Title))?;
        let label = |word: &str| Label::parse("", word);
        let blank = OfferContent {
            title,
            description: LongText::parse("", "")?,
            short_description: LongText::parse("", "")?,
            disclaimer: None,
            kind: label("experience")?,
            offer_type: label("standard")?,
            points_price: None,
            value_usd: None,
            display_price: None,
            available_from: None,
            expires_at: None,
            is_paused: false,
            limit: RedemptionLimit::default(),
            images: Vec::new(),
            inclusions: Vec::new(),
            location: None,
            guests_max: None,
            tiers: Vec::new(),
            quantity_remaining: None,
            start_at: None,
            end_at: None,
        };
        let content = PatchOfferRequest::parse(body, bytes)?.apply(blank)?;
        Ok(Self { content })
    }
}

impl ToSchema for CreateOfferRequest {}

impl PartialSchema for CreateOfferRequest {
    fn schema() -> RefOr<Schema> {
        let mut schema = PatchOfferRequest::schema();
        if let RefOr::T(Schema::Object(object)) = &mut schema {
            object.required.push("title".to_owned());
        }
        schema
    }
}

request! {
    /// The body of `PATCH /v1/offers/{id}`.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct PatchOfferRequest {
        /// The title.
        pub title: Option<Title> = optional("title", text!(Title)),
        /// The description; empty by default.
        pub description: Option<LongText> = optional("description", text!(LongText)),
        /// The description in one line; empty by default.
        pub short_description: Option<LongText> = optional("shortDescription", text!(LongText)),
        /// The small print; null by default.
        pub disclaimer: Change<LongText> = change("disclaimer", text!(LongText)),
        /// A label of the operator's choice; `experience` by default.
        pub kind: Option<Label> = optional("kind", text!(Label)),
        /// A second label of the operator's choice; `standard` by default.
        pub offer_type: Option<Label> = optional("type", text!(Label)),
        /// The price in points; null and 0 both mean free.
        pub points_price: Change<Points> = change("pointsPrice", PRICE),
        /// The worth in US dollars, with at most two decimals; null by default.
        pub value_usd: Change<Cents> = change("valueUSD", USD),
        /// The time from which it can be redeemed, and members see it; null means now.
        pub available_from: Change<Timestamp> = change("availableFrom", TIME),
        /// The time from which it cannot be redeemed; null means never.
        pub available_until: Change<Timestamp> = change("availableUntil", TIME),
        /// Another name of `availableUntil`. If both are given, they must be equal.
        pub expires_at: Change<Timestamp> = change("expiresAt", TIME),
        /// Whether it is paused: members neither see nor redeem it; false by default.
        pub paused: Option<bool> = optional("paused", BOOLEAN),
        /// How often a member can redeem it. A lowered limit concerns only new redemptions.
        pub redemption_limit: Option<RedemptionLimitRequest> =
            optional("redemptionLimit", REDEMPTION_LIMIT),
        /// Addresses of images.
        pub images: Option<Vec<Url>> = optional("images", IMAGES),
        /// What it includes; an empty list by default.
        pub inclusions: Option<Vec<Inclusion>> = optional("inclusions", INCLUSIONS),
        /// Where it takes place. It replaces an earlier location as a whole.
        pub location: Change<Location> = change("location", LOCATION),
        /// The most guests; null by default.
        pub guests_max: Change<i64> = change("maxGuests", GUESTS),
        /// The tiers that may redeem it; an empty list means every tier.
        pub tiers: Option<Vec<Tier>> = optional("tiers", TIERS),
        /// The stock.
        pub availability: Option<AvailabilityRequest> = nullable("availability", AVAILABILITY),
        /// The start of the experience; it does not restrict redemption.
        pub start_at: Change<Timestamp> = change("startAt", TIME),
        /// The end of the experience, not before its start; it does not restrict redemption.
        pub end_at: Change<Timestamp> = change("endAt", TIME),
    }
    example {"title": "A coffee on the house", "pointsPrice": 40}
}

impl PatchOfferRequest {
    /// Reads the body. An `availability` of the wrong type is reported before any other field.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn parse(body: &Value, bytes: &[u8]) -> Result<Self, Invalid> {
        let fields = Fields::with_bytes(body, bytes)?;
        fields.nullable("availability", &OBJECT)?;
        Self::read(&fields)
    }

    /// The content after the change.
    ///
    /// # Errors
    /// [`Invalid`] if the request or the new content contradicts itself.
    pub fn apply(self, content: OfferContent) -> Result<OfferContent, Invalid> {
        let quantity_remaining = match self.availability.unwrap_or_default().quantity_remaining {
            Change::Set(OfferContent::UNLIMITED) => Change::Clear,
            change => change,
        };
        let until = match (self.available_until, self.expires_at) {
            (until, Change::Keep) | (Change::Keep, until) => until,
            (until, same) if until == same => until,
            _ => {
                let expected = "must be equal to expiresAt, which is the same field";
                return Err(Invalid::new("availableUntil", expected));
            }
        };
        let limit = self.redemption_limit.unwrap_or_default();
        let changed = OfferContent {
            title: self.title.unwrap_or(content.title),
            description: self.description.unwrap_or(content.description),
            short_description: self.short_description.unwrap_or(content.short_description),
            disclaimer: self.disclaimer.apply(content.disclaimer),
            kind: self.kind.unwrap_or(content.kind),
            offer_type: self.offer_type.unwrap_or(content.offer_type),
            points_price: self.points_price.apply(content.points_price),
            value_usd: self.value_usd.apply(content.value_usd),
            display_price: content.display_price,
            available_from: self.available_from.apply(content.available_from),
            expires_at: until.apply(content.expires_at),
            is_paused: self.paused.unwrap_or(content.is_paused),
            limit: limit.apply(content.limit),
            images: self.images.unwrap_or(content.images),
            inclusions: self.inclusions.unwrap_or(content.inclusions),
            location: self.location.apply(content.location),
            guests_max: self.guests_max.apply(content.guests_max),
            tiers: self.tiers.unwrap_or(content.tiers),
            quantity_remaining: quantity_remaining.apply(content.quantity_remaining),
            start_at: self.start_at.apply(content.start_at),
            end_at: self.end_at.apply(content.end_at),
        };
        changed.check()?;
        Ok(changed)
    }
}

/// `Offer`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "title": "A coffee on the house",
    "description": "Any coffee of the menu.",
    "shortDescription": "A coffee",
    "disclaimer": "Not with other offers.",
    "kind": "experience",
    "type": "standard",
    "pointsPrice": 40,
    "valueUSD": 3.5,
    "display": null,
    "availableFrom": null,
    "availableUntil": null,
    "expiresAt": null,
    "paused": false,
    "redemptionLimit": {"perMember": 1, "per": "open"},
    "images": ["https://example.com/coffee.jpg"],
    "inclusions": [{"group": "Extras", "name": "A biscuit"}],
    "location": {
        "display": "Harbour Café, Athens",
        "venue": "Harbour Café",
        "address": null,
        "city": "Athens",
        "state": null,
        "countryCode": "GR",
    },
    "maxGuests": null,
    "availability": {
        "isAvailable": true,
        "quantityRemaining": 2_147_483_647,
        "isUnlimited": true,
    },
    "startAt": null,
    "endAt": null,
    "tiers": [],
    "version": 118,
})))]
pub struct OfferResponse {
    /// The id, `off_…`.
    pub id: String,
    /// The title.
    pub title: String,
    /// The description.
    pub description: String,
    /// The description in one line.
    pub short_description: String,
    /// The small print.
    pub disclaimer: Option<String>,
    /// A label of the operator's choice.
    pub kind: String,
    /// A second label of the operator's choice.
    #[serde(rename = "type")]
    pub offer_type: String,
    /// The price in points; null and 0 both mean free. Above 2147483647 only if version 0.1.0 set
    /// it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub points_price: Option<i64>,
    /// The worth in US dollars: as set, or that of `pointsPrice`; null without either.
    #[serde(rename = "valueUSD")]
    #[schema(value_type = Option<f64>, minimum = 0)]
    pub value_usd: Option<Money>,
    /// The price in the program's display currency; null if it has none.
    pub display: Option<DisplayResponse>,
    /// The time from which it can be redeemed.
    #[schema(format = DateTime)]
    pub available_from: Option<String>,
    /// The time from which it cannot be redeemed.
    #[schema(format = DateTime)]
    pub available_until: Option<String>,
    /// The same as `availableUntil`.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// Whether it is paused: members neither see nor redeem it.
    pub paused: bool,
    /// How often a member can redeem it.
    pub redemption_limit: RedemptionLimitResponse,
    /// Addresses of images.
    pub images: Vec<String>,
    /// What it includes.
    pub inclusions: Vec<InclusionResponse>,
    /// Where it takes place.
    pub location: Option<LocationResponse>,
    /// The most guests.
    #[schema(minimum = 0, maximum = 100_000)]
    pub max_guests: Option<i64>,
    /// The availability.
    pub availability: AvailabilityResponse,
    /// The start of the experience; it does not restrict redemption.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// The end of the experience; it does not restrict redemption.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// The tiers that may redeem it; an empty list means every tier.
    pub tiers: Vec<String>,
    /// The settings version; in quotes, the `ETag` of the offer.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl OfferResponse {
    /// An offer with its availability at `now`, in a program with a currency.
    pub fn new(offer: &Offer, now: Timestamp, currency: &Currency) -> Self {
        let content = &offer.content;
        let worth = priced(content, currency).map(|points| Money::usd(points, currency));
        let disclaimer = content.disclaimer.as_ref();
        let images = content.images.iter().map(|url| url.as_str().to_owned());
        let tiers = content.tiers.iter().map(|tier| tier.as_str().to_owned());
        Self {
            id: offer.id.to_string(),
            title: content.title.as_str().to_owned(),
            description: content.description.as_str().to_owned(),
            short_description: content.short_description.as_str().to_owned(),
            disclaimer: disclaimer.map(|text| text.as_str().to_owned()),
            kind: content.kind.as_str().to_owned(),
            offer_type: content.offer_type.as_str().to_owned(),
            points_price: content.points_price.map(Points::get),
            value_usd: content.value_usd.map(Money::of_cents).or(worth),
            display: DisplayResponse::new(content, currency),
            available_from: super::time(content.available_from),
            available_until: super::time(content.expires_at),
            expires_at: super::time(content.expires_at),
            paused: content.is_paused,
            redemption_limit: content.limit.into(),
            images: images.collect(),
            inclusions: content.inclusions.iter().map(Into::into).collect(),
            location: content.location.as_ref().map(Into::into),
            max_guests: content.guests_max,
            availability: AvailabilityResponse::new(offer, now),
            start_at: super::time(content.start_at),
            end_at: super::time(content.end_at),
            tiers: tiers.collect(),
            version: offer.version.0,
        }
    }
}

request! {
    /// The body of `PUT /v1/offers/{id}/price`.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct SetOfferPriceRequest {
        /// The price in the program's display currency.
        pub amount: Rate = required("amount", DISPLAY_PRICE),
    }
    example {"amount": 38}
    parse(body);
}

/// A page of offers.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferListResponse {
    /// The offers, newest first.
    pub data: Vec<OfferResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `CreateOfferRequest` has no table: it reads the title itself and the rest as a change.
    #[test]
    fn a_new_offer_is_described_as_it_is_read() {
        let schema = serde_json::to_value(CreateOfferRequest::schema()).unwrap();
        assert_eq!(schema["required"], json!(["title"]));
        let missing = CreateOfferRequest::parse(&json!({}), b"{}").unwrap_err();
        assert_eq!(missing.field, "title");
        let described = schema["properties"].as_object().unwrap();
        for name in described.keys() {
            // No field accepts this.
            let mut body = json!({"title": "A coffee on the house"});
            body[name] = json!([[]]);
            let bytes = body.to_string();
            let refused = CreateOfferRequest::parse(&body, bytes.as_bytes()).unwrap_err();
            assert!(refused.field.starts_with(name.as_str()), "{refused}");
        }
        let changed = serde_json::to_value(PatchOfferRequest::schema()).unwrap();
        assert_eq!(schema["properties"], changed["properties"]);
    }
}
