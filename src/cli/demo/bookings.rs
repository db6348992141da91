//! The offers of a program of the demo, their bookings, and conversations about them.

use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use serde_json::{Value, json};

use super::calendar::Calendar;
use super::cast::{ANSWERS, COMPLAINTS, Cast, Offer, PRAISE, QUESTIONS, RATINGS};
use super::deed::{Deed, Outcome};
use super::members::{Members, external_id};
use crate::domain::{Status, Timestamp};
use crate::wire::{
    CreateOfferRequest, CreateRedemptionRequest, PatchRedemptionRequest, SendMessageRequest,
    SetRedemptionFeedbackRequest,
};

/// A booking.
#[derive(Debug)]
pub(super) struct Booking {
    pub(super) id: String,
    pub(super) member: usize,
    pub(super) offer: usize,
    pub(super) charged: i64,
    pub(super) status: Status,
}

/// The offers of a program and every booking, by their numbers.
#[derive(Debug)]
pub(super) struct Bookings {
    cast: &'static Cast,
    /// The ids of the offers that are published.
    offers: Vec<Option<String>>,
    list: Vec<Booking>,
}

impl Bookings {
    pub(super) fn new(cast: &'static Cast) -> Self {
        Self {
            cast,
            offers: vec![None; cast.offers.len()],
            list: Vec::new(),
        }
    }

    pub(super) fn publish(
        &self,
        offer: usize,
        calendar: Calendar,
    ) -> Result<(Deed, Outcome), anyhow::Error> {
        let cast = &self.cast.offers[offer];
        let time = |share| self.time_of(share, calendar).to_string();
        let mut body: Value = serde_json::from_str(cast.details)?;
        for (field, value) in [
            ("title", json!(cast.title)),
            (
                "shortDescription",
                json!(format!(
                    "{}, for members of {}.",
                    cast.title, self.cast.name
                )),
            ),
            ("kind", json!(cast.kind)),
            ("pointsPrice", json!(cast.price)),
            ("tiers", json!(cast.tiers)),
            ("availableFrom", json!(cast.begins.map(time))),
            ("expiresAt", json!(cast.until.map(time))),
            ("availability", json!({"quantityRemaining": cast.pieces})),
        ] {
            body[field] = value;
        }
        let request = CreateOfferRequest::parse(&body, body.to_string().as_bytes())?;
        Ok((Deed::Publish(Box::new(request)), Outcome::Published(offer)))
    }

    /// Records the id of a published offer.
    pub(super) fn note_published(&mut self, offer: usize, id: &str) {
        self.offers[offer] = Some(id.to_owned());
    }

    /// Has a member redeem an affordable offer; a few try one that is not available to them.
    pub(super) fn book(
        &self,
        members: &Members,
        calendar: Calendar,
        at: Timestamp,
        rng: &mut Rng,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let is_rash = rng.u32(0..40) == 0;
        for _ in 0..12 {
            let Some(member) = members.somebody(rng) else {
                break;
            };
            let can_have = |offer: usize| {
                self.is_open(offer, calendar, at)
                    && members.can_have(member, offer, &self.cast.offers[offer])
            };
            let wanted: Vec<usize> = (0..self.offers.len())
                .filter(|offer| is_rash || can_have(*offer))
                .collect();
            let Some(offer) = rng.choice(wanted) else {
                continue;
            };
            let Some(id) = &self.offers[offer] else {
                continue;
            };
            let body = json!({"externalUserID": external_id(member), "offer": id});
            let request = CreateRedemptionRequest::parse(&body)?;
            return Ok(Some((Deed::Book(request), Outcome::Booked(member, offer))));
        }
        Ok(None)
    }

    fn is_open(&self, offer: usize, calendar: Calendar, at: Timestamp) -> bool {
        let has_passed = |share| self.time_of(share, calendar) <= at;
        let Offer { begins, until, .. } = self.cast.offers[offer];
        self.offers[offer].is_some()
            && begins.is_none_or(has_passed)
            && !until.is_some_and(has_passed)
    }

    /// The time at a share of the program's history.
    fn time_of(&self, share: f64, calendar: Calendar) -> Timestamp {
        calendar.start_of(Calendar::day_at(self.cast.starts, share))
    }

    /// Records a new booking and returns its number.
    pub(super) fn add(&mut self, booking: Booking) -> usize {
        self.list.push(booking);
        self.list.len() - 1
    }

    /// Records the new status of a booking.
    pub(super) fn set_status(&mut self, booking: usize, status: Status) -> &Booking {
        let booking = &mut self.list[booking];
        booking.status = status;
        booking
    }

    pub(super) fn proceed(
        &self,
        members: &Members,
        booking: usize,
        at: Timestamp,
        rng: &mut Rng,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        if self.list[booking].status == Status::Completed {
            let deed = self.rate(members, booking, rng)?;
            return Ok(deed.map(|deed| (deed, Outcome::Nothing)));
        }
        let chance = rng.u32(0..100);
        let next = match (self.list[booking].status, chance) {
            (_, ..3) => Status::Canceled,
            (Status::Purchased, _) => Status::Completed,
            (Status::Submitted, _) => Status::Open,
            (Status::Open, 35..) | (Status::AwaitingCustomer, ..10) => Status::AwaitingVendor,
            (Status::Open | Status::AwaitingVendor, _) => Status::AwaitingCustomer,
            _ => Status::Purchased,
        };
        let mut body = json!({"status": next.as_str()});
        if next == Status::Canceled {
            let reasons = [
                "MEMBER_REQUESTED",
                "VENDOR_DECLINED",
                "DATE_UNAVAILABLE",
                "SOLD_OUT",
            ];
            body["canceledReason"] = json!(rng.choice(reasons));
        }
        if next == Status::Purchased {
            let days = rng.u32(3..30);
            let start = at.saturating_add(Duration::from_hours(24) * days);
            body["startAt"] = json!(start.to_string());
        }
        let request = PatchRedemptionRequest::parse(&body)?;
        let id = self.list[booking].id.clone();
        let moved = (Deed::Move(id, request), Outcome::Moved(booking, next));
        Ok(Some(moved))
    }

    /// Has the member of a booking rate it; some add a comment.
    fn rate(
        &self,
        members: &Members,
        booking: usize,
        rng: &mut Rng,
    ) -> Result<Option<Deed>, anyhow::Error> {
        let booking = &self.list[booking];
        if members.is_gone(booking.member) {
            return Ok(None);
        }
        let rating = rng.choice(RATINGS).copied();
        let comments = if rating < Some(7) { COMPLAINTS } else { PRAISE };
        let comment = rng.choice(comments).filter(|_| rng.u32(0..10) < 3);
        let body = json!({"rating": rating, "comment": comment});
        let request = SetRedemptionFeedbackRequest::parse(&body)?;
        Ok(Some(Deed::Rate(booking.id.clone(), request)))
    }

    /// Has a member ask about one of the latest bookings.
    pub(super) fn ask(
        &self,
        members: &Members,
        rng: &mut Rng,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let newest = self.list.len();
        if newest == 0 {
            return Ok(None);
        }
        let number = rng.usize(newest.saturating_sub(40)..newest);
        let booking = &self.list[number];
        if members.is_gone(booking.member) {
            return Ok(None);
        }
        let conversation = conversation_of(booking);
        let request = says(rng.choice(QUESTIONS).copied(), None)?;
        Ok(Some((
            Deed::Ask(conversation, request),
            Outcome::Asked(number),
        )))
    }

    pub(super) fn answer(&self, booking: usize, rng: &mut Rng) -> Result<Deed, anyhow::Error> {
        let conversation = conversation_of(&self.list[booking]);
        let request = says(rng.choice(ANSWERS).copied(), Some("agent"))?;
        Ok(Deed::Answer(conversation, request))
    }
}

/// The id of a booking's conversation, which differs from the booking's only in the prefix.
fn conversation_of(booking: &Booking) -> String {
    booking.id.replacen("rdm_", "cnv_", 1)
}

fn says(text: Option<&str>, role: Option<&str>) -> Result<SendMessageRequest, anyhow::Error> {
    let text = text.context("there are texts")?;
    let body = json!({"message": text, "as": role});
    Ok(SendMessageRequest::parse(&body)?)
}
