//! Offers.

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, images, price, quantity, text, tiers, time};
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

/// Whether an offer can be redeemed.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct AvailabilityResponse {
    pub is_available: bool,
    pub quantity_remaining: Option<i64>,
}

/// `Offer`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OfferResponse {
    pub id: String,
    pub title: String,
    pub description: String,
    pub short_description: String,
    pub kind: String,
    #[serde(rename = "type")]
    pub offer_type: String,
    pub points_price: Option<i64>,
    pub expires_at: Option<String>,
    pub images: Vec<String>,
    pub availability: AvailabilityResponse,
    pub start_at: Option<String>,
    pub end_at: Option<String>,
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
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct OfferListResponse {
    pub data: Vec<OfferResponse>,
    pub next_cursor: Option<String>,
}
