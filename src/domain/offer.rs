//! Offers.

use super::{
    Cents, Inclusion, Invalid, Label, Location, LongText, OfferId, OfferNumber, Points, Rate,
    RedemptionLimit, Refusal, Seq, Tier, Timestamp, Title, Units, Url,
};

/// The content of an offer, as the operator sets it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferContent {
    /// The title.
    pub title: Title,
    /// The full description.
    pub description: LongText,
    /// The description for a list.
    pub short_description: LongText,
    /// The small print.
    pub disclaimer: Option<LongText>,
    /// The kind of thing offered; free text, `experience` by default.
    pub kind: Label,
    /// The type; free text, `standard` by default.
    pub offer_type: Label,
    /// The price; `None` and zero both cost nothing, but are different states.
    pub points_price: Option<Points>,
    /// The worth in US dollars; without it, that of the price.
    pub value_usd: Option<Cents>,
    /// The price in the program's display currency; without it, that of the price in points.
    pub display_price: Option<Rate>,
    /// When it can first be redeemed.
    pub available_from: Option<Timestamp>,
    /// When it can no longer be redeemed.
    pub expires_at: Option<Timestamp>,
    /// Whether the operator has paused it: members neither see nor redeem it.
    pub is_paused: bool,
    /// How often a member can redeem it.
    pub limit: RedemptionLimit,
    /// Addresses of images, at most 20.
    pub images: Vec<Url>,
    /// What it includes, at most [`Inclusion::LIST_MAX`].
    pub inclusions: Vec<Inclusion>,
    /// Where it takes place.
    pub location: Option<Location>,
    /// The most guests, up to [`OfferContent::GUESTS_MAX`].
    pub guests_max: Option<i64>,
    /// The tiers it is open to, at most 50; none means all.
    pub tiers: Vec<Tier>,
    /// The pieces left; `None` if there is no limit.
    pub quantity_remaining: Option<i64>,
    /// When the experience starts. It does not limit when the offer can be redeemed.
    pub start_at: Option<Timestamp>,
    /// When the experience ends. It does not limit when the offer can be redeemed.
    pub end_at: Option<Timestamp>,
}

impl OfferContent {
    /// The largest number of images.
    pub const IMAGES_MAX: usize = 20;
    /// The largest number of tiers.
    pub const TIERS_MAX: usize = 50;
    /// The highest number of guests that can be set.
    pub const GUESTS_MAX: i64 = 100_000;
    /// The highest price that can be set, 2^31 − 1. 0.1.0 accepted up to [`Points::MAX`].
    pub const PRICE_MAX: Points = Points::of_i32(i32::MAX);
    /// The number of pieces that requests and responses give for an offer without a limit, 2^31 −
    /// 1. A limit is lower.
    pub const UNLIMITED: i64 = i32::MAX as i64;

    /// The most pieces that a row can have: the 2^31 − 1 that the API accepted, and as many
    /// returned by cancellations.
    pub const STORED_PIECES_MAX: i64 = 2 * i32::MAX as i64;

    /// The pieces of a row, `None` for an offer without a limit. 0.1.0 could store numbers that now
    /// mean that there is no limit.
    pub fn stored_pieces(pieces: Option<i64>) -> Option<i64> {
        pieces.filter(|pieces| *pieces < Self::UNLIMITED)
    }

    /// Checks a stored number of pieces.
    ///
    /// # Errors
    /// [`Invalid`] if no release could store it.
    pub fn check_stored_pieces(field: &str, pieces: i64) -> Result<(), Invalid> {
        let most = Self::STORED_PIECES_MAX;
        if (0..=most).contains(&pieces) {
            return Ok(());
        }
        let expected = format!("must be a whole number from 0 to {most}");
        Err(Invalid::new(field, expected))
    }

    /// Reads a stored list of images.
    ///
    /// # Errors
    /// [`Invalid`] if no release's API accepted it.
    pub fn parse_stored_images(field: &str, json: &str) -> Result<Vec<Url>, Invalid> {
        stored_list(field, json, Self::IMAGES_MAX, Url::parse_stored)
    }

    /// Reads a stored list of tiers.
    ///
    /// # Errors
    /// [`Invalid`] if no release's API accepted it.
    pub fn parse_stored_tiers(field: &str, json: &str) -> Result<Vec<Tier>, Invalid> {
        stored_list(field, json, Self::TIERS_MAX, Tier::parse_stored)
    }

    /// Checks fields against each other.
    ///
    /// # Errors
    /// [`Invalid`] naming `availableFrom` if it could never be redeemed, or `endAt` if the
    /// experience ends before it starts.
    pub fn check(&self) -> Result<(), Invalid> {
        if let (Some(from), Some(until)) = (self.available_from, self.expires_at)
            && from >= until
        {
            let expected = "must be before availableUntil, which is also called expiresAt";
            return Err(Invalid::new("availableFrom", expected));
        }
        match (self.start_at, self.end_at) {
            (Some(start), Some(end)) if end < start => {
                Err(Invalid::new("endAt", "must not be before startAt"))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a JSON array of at most `most` strings.
fn stored_list<T>(
    field: &str,
    json: &str,
    most: usize,
    parse: impl Fn(&str, &str) -> Result<T, Invalid>,
) -> Result<Vec<T>, Invalid> {
    let items: Vec<String> = serde_json::from_str(json)
        .ok()
        .filter(|items: &Vec<String>| items.len() <= most)
        .ok_or_else(|| {
            Invalid::new(
                field,
                format!("must be a JSON array of at most {most} strings"),
            )
        })?;
    items.iter().map(|item| parse(field, item)).collect()
}

/// An offer of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The row.
    pub number: OfferNumber,
    /// The public id.
    pub id: OfferId,
    /// The content.
    pub content: OfferContent,
    /// When it was archived, if so.
    pub archived_at: Option<Timestamp>,
    /// The settings version: the number of the activity that last changed what a request can set.
    pub version: Seq,
}

impl Offer {
    /// Whether a member of a tier that it is open to can redeem it at `now`.
    pub fn is_available(&self, now: Timestamp) -> bool {
        self.is_offered(now) && self.content.quantity_remaining != Some(0)
    }

    /// Whether it is listed for a member of `tier` at `now`.
    pub fn is_visible_to(&self, tier: &Tier, now: Timestamp) -> bool {
        self.is_offered(now) && self.is_open_to(tier)
    }

    /// Checks whether a member of `tier` may redeem it at `now`, except for the points.
    ///
    /// # Errors
    /// [`Refusal::NotFound`] if it is archived, [`Refusal::OfferUnavailable`] if it is paused, not
    /// available yet, expired, sold out, closed to the tier or short of units.
    pub fn check_redeemable(
        &self,
        tier: &Tier,
        now: Timestamp,
        quantity: Units,
    ) -> Result<(), Refusal> {
        let stock = self.content.quantity_remaining;
        if self.archived_at.is_some() {
            Err(Refusal::NotFound("offer"))
        } else if self.content.is_paused {
            Err(Refusal::OfferUnavailable("the offer is paused"))
        } else if !self.has_begun(now) {
            Err(Refusal::OfferUnavailable("the offer is not available yet"))
        } else if self.is_expired(now) {
            Err(Refusal::OfferUnavailable("the offer has expired"))
        } else if stock == Some(0) {
            Err(Refusal::OfferUnavailable("the offer is sold out"))
        } else if !self.is_open_to(tier) {
            Err(Refusal::OfferUnavailable(
                "the offer is not open to the member's tier",
            ))
        } else if stock.is_some_and(|stock| stock < quantity.get()) {
            Err(Refusal::OfferUnavailable(
                "the offer has fewer units left than that",
            ))
        } else {
            Ok(())
        }
    }

    /// The price of some units.
    ///
    /// # Errors
    /// [`Refusal::OfferUnavailable`] if it is more than [`Points::MAX`].
    pub fn price(&self, quantity: Units) -> Result<Points, Refusal> {
        let unit = self.content.points_price.unwrap_or(Points::ZERO);
        let price = unit.get().checked_mul(quantity.get()).and_then(Points::new);
        price.ok_or(Refusal::OfferUnavailable(
            "that many units cost more points than a member can have",
        ))
    }

    /// Whether members of its tiers see it at `now`.
    fn is_offered(&self, now: Timestamp) -> bool {
        self.archived_at.is_none()
            && !self.content.is_paused
            && self.has_begun(now)
            && !self.is_expired(now)
    }

    fn has_begun(&self, now: Timestamp) -> bool {
        self.content.available_from.is_none_or(|at| at <= now)
    }

    fn is_expired(&self, now: Timestamp) -> bool {
        self.content.expires_at.is_some_and(|at| at <= now)
    }

    fn is_open_to(&self, tier: &Tier) -> bool {
        self.content.tiers.is_empty() || self.content.tiers.contains(tier)
    }
}
