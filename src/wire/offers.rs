//! Offers.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use super::fields::{Fields, QUANTITY_MAX, images, price, quantity, text, tiers, time};
use super::schema;
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
                Some(fields) => fields.change("quantityRemaining", quantity)?,
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

impl ToSchema for CreateOfferRequest {}

impl PartialSchema for CreateOfferRequest {
    fn schema() -> RefOr<Schema> {
        request_fields(true)
    }
}

impl ToSchema for PatchOfferRequest {}

impl PartialSchema for PatchOfferRequest {
    fn schema() -> RefOr<Schema> {
        request_fields(false)
    }
}

/// What both requests may say: one needs a title, the other nothing.
fn request_fields(needs_title: bool) -> RefOr<Schema> {
    let text = |rule| Schema::Object(schema::text(rule));
    let nullable = |object| Schema::Object(schema::nullable(object));
    let availability = json!({"quantityRemaining": 12});
    let stock = nullable(schema::whole(0, QUANTITY_MAX));
    let stock = (
        "quantityRemaining",
        false,
        "Pieces left; null is without end.",
        stock,
    );
    let availability = schema::object([stock], availability);
    let RefOr::T(Schema::Object(availability)) = availability else {
        unreachable!("an object was made");
    };
    let (images, tiers) = (schema::text(Url::RULE), schema::text(Tier::RULE));
    let price = nullable(schema::points(0));
    schema::object(
        [
            (
                "title",
                needs_title,
                "What it is called.",
                text(Title::RULE),
            ),
            ("description", false, "All about it.", text(LongText::RULE)),
            (
                "shortDescription",
                false,
                "The same in a line.",
                text(LongText::RULE),
            ),
            (
                "kind",
                false,
                "A word; `experience` by default.",
                text(Label::RULE),
            ),
            (
                "type",
                false,
                "Another; `standard` by default.",
                text(Label::RULE),
            ),
            (
                "pointsPrice",
                false,
                "What it costs; null and 0 both cost nothing.",
                price,
            ),
            (
                "expiresAt",
                false,
                "From then on it cannot be redeemed.",
                nullable(schema::time()),
            ),
            (
                "images",
                false,
                "Addresses.",
                schema::list(images, OfferContent::IMAGES_MAX).into(),
            ),
            ("availability", false, "The stock.", nullable(availability)),
            (
                "startAt",
                false,
                "When the experience begins.",
                nullable(schema::time()),
            ),
            (
                "endAt",
                false,
                "When the experience ends.",
                nullable(schema::time()),
            ),
            (
                "tiers",
                false,
                "None is every tier.",
                schema::list(tiers, OfferContent::TIERS_MAX).into(),
            ),
        ],
        json!({"title": "A coffee on the house", "pointsPrice": 40}),
    )
}

/// Whether an offer can be redeemed.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"isAvailable": true, "quantityRemaining": 12})))]
pub struct AvailabilityResponse {
    /// Whether it can be redeemed now: it has pieces left and has not expired.
    pub is_available: bool,
    /// Pieces left; null is without end.
    #[schema(minimum = 0, maximum = 2_147_483_647)]
    pub quantity_remaining: Option<i64>,
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
    "availability": {"isAvailable": true, "quantityRemaining": null},
    "startAt": null,
    "endAt": null,
    "tiers": [],
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
    /// What it costs; null and 0 both cost nothing.
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
                quantity_remaining: content.quantity_remaining,
            },
            start_at: super::time(content.start_at),
            end_at: super::time(content.end_at),
            tiers: content
                .tiers
                .iter()
                .map(|tier| tier.as_str().to_owned())
                .collect(),
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
