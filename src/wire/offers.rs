//! Offers.

use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, Type};

use super::fields::{Fields, images, price, quantity, text, tiers, time};
use super::schema::{self, request_schema};
use crate::domain::{
    Change, Invalid, Label, LongText, Offer, OfferContent, Points, Tier, Timestamp, Title, Url,
};

/// The body of `POST /v1/offers`. Only `title` is required.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateOfferRequest {
    /// The whole offer.
    pub content: OfferContent,
}

impl CreateOfferRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let title = Fields::of(body)?.required("title", text(Title::parse))?;
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

/// The body of `PATCH /v1/offers/{id}`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct PatchOfferRequest {
    pub title: Option<Title>,
    pub description: Option<LongText>,
    pub short_description: Option<LongText>,
    pub kind: Option<Label>,
    pub offer_type: Option<Label>,
    pub points_price: Change<Points>,
    pub expires_at: Change<Timestamp>,
    pub images: Option<Vec<Url>>,
    pub tiers: Option<Vec<Tier>>,
    pub quantity_remaining: Change<i64>,
    pub start_at: Change<Timestamp>,
    pub end_at: Change<Timestamp>,
}

impl PatchOfferRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        let availability = fields.object("availability", "availability.")?;
        Ok(Self {
            title: fields.optional("title", text(Title::parse))?,
            description: fields.optional("description", text(LongText::parse))?,
            short_description: fields.optional("shortDescription", text(LongText::parse))?,
            kind: fields.optional("kind", text(Label::parse))?,
            offer_type: fields.optional("type", text(Label::parse))?,
            points_price: fields.change("pointsPrice", price)?,
            expires_at: fields.change("expiresAt", time)?,
            images: fields.optional("images", images(OfferContent::IMAGES_MAX))?,
            tiers: fields.optional("tiers", tiers(OfferContent::TIERS_MAX))?,
            quantity_remaining: match availability {
                Some(fields) => match fields.change("quantityRemaining", quantity)? {
                    Change::Set(OfferContent::UNLIMITED) => Change::Clear,
                    change => change,
                },
                None => Change::Keep,
            },
            start_at: fields.change("startAt", time)?,
            end_at: fields.change("endAt", time)?,
        })
    }

    /// The content after the change.
    ///
    /// # Errors
    /// [`Invalid`] if the whole does not hold together.
    pub fn apply(self, content: OfferContent) -> Result<OfferContent, Invalid> {
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
            quantity_remaining: self.quantity_remaining.apply(content.quantity_remaining),
            start_at: self.start_at.apply(content.start_at),
            end_at: self.end_at.apply(content.end_at),
        };
        changed.check()?;
        Ok(changed)
    }
}

/// Both requests may say the same: one needs a title, the other nothing.
macro_rules! offer_schema {
    ($request:ident, $need:ident title) => {
        request_schema!($request {
            /// What it is called.
            $need title: schema::text(Title::RULE),
            /// All about it; empty by default.
            optional description: schema::text(LongText::RULE),
            /// The same in a line; empty by default.
            optional shortDescription: schema::text(LongText::RULE),
            /// A word of the operator's; `experience` by default.
            optional kind: schema::text(Label::RULE),
            /// Another one; `standard` by default.
            optional type: schema::text(Label::RULE),
            /// What it costs; null and 0 both cost nothing.
            optional pointsPrice: schema::nullable(schema::whole(0, OfferContent::PRICE_MAX.get())),
            /// From then on it cannot be redeemed; null is never.
            optional expiresAt: schema::nullable(schema::time()),
            /// Addresses of images.
            optional images: schema::list(schema::text(Url::RULE), OfferContent::IMAGES_MAX),
            /// How much there is of it; `quantityRemaining` null or 2147483647 is unlimited.
            optional availability: schema::nullable(stock()),
            /// When the experience begins; it gates nothing.
            optional startAt: schema::nullable(schema::time()),
            /// When the experience ends, not before it begins; it gates nothing.
            optional endAt: schema::nullable(schema::time()),
            /// The tiers that may redeem it; none is every tier.
            optional tiers: schema::list(schema::text(Tier::RULE), OfferContent::TIERS_MAX),
        } example {"title": "A coffee on the house", "pointsPrice": 40});
    };
}

offer_schema!(CreateOfferRequest, required title);
offer_schema!(PatchOfferRequest, optional title);

/// `availability` of a request: the rest of an answer's is derived.
fn stock() -> Object {
    let pieces = schema::nullable(schema::whole(0, OfferContent::UNLIMITED));
    let mut stock = Object::with_type(Type::Object);
    stock
        .properties
        .insert("quantityRemaining".to_owned(), pieces.into());
    stock
}

/// Whether an offer can be redeemed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "isAvailable": true,
    "quantityRemaining": 12,
    "isUnlimited": false,
})))]
pub struct AvailabilityResponse {
    /// Whether it can be redeemed now: it has pieces left and has not expired.
    pub is_available: bool,
    /// Pieces left; 2147483647 if there is no limit.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub quantity_remaining: i64,
    /// Additive: whether there is no limit.
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
    /// What it is called.
    pub title: String,
    /// All about it.
    pub description: String,
    /// The same in a line.
    pub short_description: String,
    /// A word of the operator's.
    pub kind: String,
    /// Another word of the operator's.
    #[serde(rename = "type")]
    pub offer_type: String,
    /// What it costs; null and 0 both cost nothing. Above 2147483647 only if 0.1.0 set it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub points_price: Option<i64>,
    /// From then on it cannot be redeemed.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// Addresses of images.
    pub images: Vec<String>,
    /// Whether it can be redeemed.
    pub availability: AvailabilityResponse,
    /// When the experience begins; it gates nothing.
    #[schema(format = DateTime)]
    pub start_at: Option<String>,
    /// When the experience ends; it gates nothing.
    #[schema(format = DateTime)]
    pub end_at: Option<String>,
    /// The tiers that may redeem it; none is every tier.
    pub tiers: Vec<String>,
    /// The settings version; in quotes it is the `ETag` of the offer.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub version: i64,
}

impl OfferResponse {
    /// An offer as it stands at `now`.
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
