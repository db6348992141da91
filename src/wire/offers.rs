//! Offers.

use serde::Serialize;
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::field_types::{IMAGES, OBJECT, PRICE, QUANTITY, TIERS, TIME, text};
use super::fields::{FieldType, Fields};
use super::request::request;
use crate::domain::{
    Change, Invalid, Label, LongText, Offer, OfferContent, Points, Tier, Timestamp, Title, Url,
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
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let title = Fields::of(body)?.required("title", &text!(Title))?;
        let label = |word: &str| Label::parse("", word);
        let blank = OfferContent {
            title,
            description: LongText::parse("", "")?,
            short_description: LongText::parse("", "")?,
            kind: label("experience")?,
            offer_type: label("standard")?,
            points_price: None,
            expires_at: None,
            images: Vec::new(),
            tiers: Vec::new(),
            quantity_remaining: None,
            start_at: None,
            end_at: None,
        };
        let content = PatchOfferRequest::parse(body)?.apply(blank)?;
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
        /// A label of the operator's choice; `experience` by default.
        pub kind: Option<Label> = optional("kind", text!(Label)),
        /// A second label of the operator's choice; `standard` by default.
        pub offer_type: Option<Label> = optional("type", text!(Label)),
        /// The price in points; null and 0 both mean free.
        pub points_price: Change<Points> = change("pointsPrice", PRICE),
        /// The time from which it cannot be redeemed; null means never.
        pub expires_at: Change<Timestamp> = change("expiresAt", TIME),
        /// Addresses of images.
        pub images: Option<Vec<Url>> = optional("images", IMAGES),
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

request! {
    /// The `availability` of an offer in a request. A response has more, which is derived.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct AvailabilityRequest {
        /// The number of pieces left; null and 2147483647 both mean unlimited.
        pub quantity_remaining: Change<i64> = change("quantityRemaining", QUANTITY),
    }
}

const AVAILABILITY: FieldType<AvailabilityRequest> = FieldType {
    read: |field| AvailabilityRequest::read(&field.object()?),
    schema: || AvailabilityRequest::schema().into(),
};

impl PatchOfferRequest {
    /// Reads the body. An `availability` of the wrong type is reported before any other field.
    ///
    /// # Errors
    /// Names the first field that is wrong.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        fields.nullable("availability", &OBJECT)?;
        Self::read(&fields)
    }

    /// The content after the change.
    ///
    /// # Errors
    /// [`Invalid`] if the new content contradicts itself.
    pub fn apply(self, content: OfferContent) -> Result<OfferContent, Invalid> {
        let quantity_remaining = match self.availability.unwrap_or_default().quantity_remaining {
            Change::Set(OfferContent::UNLIMITED) => Change::Clear,
            change => change,
        };
        let changed = OfferContent {
            title: self.title.unwrap_or(content.title),
            description: self.description.unwrap_or(content.description),
            short_description: self.short_description.unwrap_or(content.short_description),
            kind: self.kind.unwrap_or(content.kind),
            offer_type: self.offer_type.unwrap_or(content.offer_type),
            points_price: self.points_price.apply(content.points_price),
            expires_at: self.expires_at.apply(content.expires_at),
            images: self.images.unwrap_or(content.images),
            tiers: self.tiers.unwrap_or(content.tiers),
            quantity_remaining: quantity_remaining.apply(content.quantity_remaining),
            start_at: self.start_at.apply(content.start_at),
            end_at: self.end_at.apply(content.end_at),
        };
        changed.check()?;
        Ok(changed)
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
    /// Whether it can be redeemed now: it is in stock and has not expired.
    pub is_available: bool,
    /// The number of pieces left; 2147483647 if unlimited.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub quantity_remaining: i64,
    /// Whether the stock is unlimited.
    pub is_unlimited: bool,
}

/// `Offer`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "off_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "title": "A coffee on the house",
    "description": "Any coffee of the menu.",
    "shortDescription": "A coffee",
    "kind": "experience",
    "type": "standard",
    "pointsPrice": 40,
    "expiresAt": null,
    "images": ["https://example.com/coffee.jpg"],
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
    /// A label of the operator's choice.
    pub kind: String,
    /// A second label of the operator's choice.
    #[serde(rename = "type")]
    pub offer_type: String,
    /// The price in points; null and 0 both mean free. Above 2147483647 only if version 0.1.0 set
    /// it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub points_price: Option<i64>,
    /// The time from which it cannot be redeemed.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// Addresses of images.
    pub images: Vec<String>,
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
    /// An offer with its availability at `now`.
    pub fn new(offer: &Offer, now: Timestamp) -> Self {
        let content = &offer.content;
        Self {
            id: offer.id.to_string(),
            title: content.title.as_str().to_owned(),
            description: content.description.as_str().to_owned(),
            short_description: content.short_description.as_str().to_owned(),
            kind: content.kind.as_str().to_owned(),
            offer_type: content.offer_type.as_str().to_owned(),
            points_price: content.points_price.map(Points::get),
            expires_at: super::time(content.expires_at),
            images: content
                .images
                .iter()
                .map(|url| url.as_str().to_owned())
                .collect(),
            availability: AvailabilityResponse {
                is_available: offer.is_available(now),
                quantity_remaining: content
                    .quantity_remaining
                    .unwrap_or(OfferContent::UNLIMITED),
                is_unlimited: content.quantity_remaining.is_none(),
            },
            start_at: super::time(content.start_at),
            end_at: super::time(content.end_at),
            tiers: content
                .tiers
                .iter()
                .map(|tier| tier.as_str().to_owned())
                .collect(),
            version: offer.version.0,
        }
    }
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
        let missing = CreateOfferRequest::parse(&json!({})).unwrap_err();
        assert_eq!(missing.field, "title");
        let described = schema["properties"].as_object().unwrap();
        for name in described.keys() {
            // No field accepts this.
            let mut body = json!({"title": "A coffee on the house"});
            body[name] = json!([[]]);
            let refused = CreateOfferRequest::parse(&body).unwrap_err();
            assert!(refused.field.starts_with(name.as_str()), "{refused}");
        }
        let changed = serde_json::to_value(PatchOfferRequest::schema()).unwrap();
        assert_eq!(schema["properties"], changed["properties"]);
    }
}
