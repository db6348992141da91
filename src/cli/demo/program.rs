//! A program of the demo as its people see it: who is there, what is offered, what is booked. It
//! thinks up what is done next, and takes note of what came of it.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context as _;
use fastrand::Rng;
use serde_json::{Value, json};

use super::calendar::{Calendar, Spread, about, times_of_day};
use super::cast::{ANSWERS, Cast, FIRST_NAMES, LAST_NAMES, QUESTIONS, TIERS};
use super::deed::Deed;
use crate::domain::{ExternalUserId, Status, Timestamp};
use crate::service::{KeyPrincipal, Reply};
use crate::wire::{
    CreateOfferRequest, CreateRedemptionRequest, ExchangeTokenRequest, MovePointsRequest,
    PatchRedemptionRequest, SendMessageRequest, SetMemberRequest,
};

/// Of all members, how many leave again; of all credits, how many are a mistake.
const LEAVING: f64 = 0.01;
const MISTAKEN: f64 = 0.002;
/// Of all bookings, about how many somebody has a question.
const ASKING: f64 = 0.12;
/// The time of day, in milliseconds, at which tiers are raised: half past three at night.
const TIERS_RAISED_AT: u64 = 12_600_000;

/// Something that moves somebody to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occasion {
    /// An offer is ready.
    Publish(usize),
    /// Somebody joins.
    SignUp,
    /// A member opens the app.
    Visit,
    /// A member earns points.
    Earn,
    /// A member has earned a higher tier.
    Rise(usize),
    /// A credit was a mistake.
    Correct,
    /// A member wants an offer.
    Book,
    /// It is time for the next step of a booking.
    Proceed(usize),
    /// A member has a question about a booking.
    Ask,
    /// Somebody answers it.
    Answer(usize),
    /// A member goes for good.
    Leave,
}

/// What to take note of once a deed is done.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Nothing,
    Published(usize),
    Booked(usize, usize),
    Moved(usize, Status),
    Asked(usize),
}

#[derive(Debug)]
struct Member {
    balance: i64,
    earned: i64,
    tier: usize,
    /// The offers that the member was given, a bit each: nobody gets one twice.
    held: u32,
    is_gone: bool,
}

#[derive(Debug)]
struct Booking {
    id: String,
    member: usize,
    offer: usize,
    charged: i64,
    status: Status,
}

/// The state of a program, as far as the story needs it.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) cast: &'static Cast,
    pub(super) key: KeyPrincipal,
    pub(super) rng: Rng,
    scale: f64,
    /// How the sign-ups, and everything else, are spread over the days.
    sign_ups: Spread,
    activity: Spread,
    members: Vec<Member>,
    /// The ids of the offers that are published.
    offers: Vec<Option<String>>,
    bookings: Vec<Booking>,
    /// The bookings that are to go a step further, by the day.
    due: BTreeMap<u32, Vec<usize>>,
    rising: Vec<usize>,
    /// The bookings that somebody has asked about.
    asked: Vec<usize>,
}

impl Program {
    pub(super) fn new(
        cast: &'static Cast,
        key: KeyPrincipal,
        calendar: Calendar,
        scale: f64,
        rng: Rng,
    ) -> Self {
        Self {
            cast,
            key,
            rng,
            scale,
            sign_ups: calendar.sign_ups(cast.starts),
            activity: calendar.activity(cast.starts),
            members: Vec::new(),
            offers: vec![None; cast.offers.len()],
            bookings: Vec::new(),
            due: BTreeMap::new(),
            rising: Vec::new(),
            asked: Vec::new(),
        }
    }

    /// What is going to happen on a day, each with its time of day in milliseconds.
    pub(super) fn plan(&mut self, day: u32) -> Vec<(u64, Occasion)> {
        let mut plan: Vec<_> = (0..self.cast.offers.len())
            .filter(|offer| {
                Calendar::day_at(self.cast.starts, self.cast.offers[*offer].from) == day
            })
            .map(|offer| (0, Occasion::Publish(offer)))
            .collect();
        let rising = self.rising.drain(..);
        plan.extend(rising.map(|member| (TIERS_RAISED_AT, Occasion::Rise(member))));
        // What is not answered on the next day waits in the inbox.
        let mut coming: Vec<Occasion> = std::mem::take(&mut self.asked)
            .into_iter()
            .filter(|_| self.rng.u32(0..10) > 0)
            .map(Occasion::Answer)
            .collect();
        let due = self.due.remove(&day).unwrap_or_default();
        coming.extend(due.into_iter().map(Occasion::Proceed));
        let cast = self.cast;
        let mut place = |coming: Vec<Occasion>, rng: &mut Rng| {
            let count = u32::try_from(coming.len()).unwrap_or(u32::MAX);
            plan.extend(
                times_of_day(count, cast.at_any_hour, rng)
                    .into_iter()
                    .zip(coming),
            );
        };
        place(coming, &mut self.rng);
        let joining = self.sign_ups.share(day) * self.scale;
        let active = self.activity.share(day) * self.scale;
        for (number, occasion) in [
            (cast.sign_ups * joining, Occasion::SignUp),
            (cast.visits * active, Occasion::Visit),
            (cast.credits * active, Occasion::Earn),
            (cast.credits * active * MISTAKEN, Occasion::Correct),
            (cast.bookings * active, Occasion::Book),
            (cast.bookings * active * ASKING, Occasion::Ask),
            (cast.sign_ups * active * LEAVING, Occasion::Leave),
        ] {
            let count = about(number, &mut self.rng) as usize;
            place(vec![occasion; count], &mut self.rng);
        }
        plan
    }

    /// What is done on an occasion, if anything.
    pub(super) fn act(
        &mut self,
        occasion: Occasion,
        calendar: Calendar,
        at: Timestamp,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let deed = match occasion {
            Occasion::Publish(offer) => return self.publish(offer, calendar).map(Some),
            Occasion::SignUp => Some(self.sign_up()?),
            Occasion::Visit => self.visit()?,
            Occasion::Earn => self.earn()?,
            Occasion::Rise(member) => self.rise(member)?,
            Occasion::Correct => self.correct()?,
            Occasion::Book => return self.book(calendar, at),
            Occasion::Proceed(booking) => return self.proceed(booking, at).map(Some),
            Occasion::Ask => return self.ask(),
            Occasion::Answer(booking) => Some(self.answer(booking)?),
            Occasion::Leave => self.leave()?,
        };
        Ok(deed.map(|deed| (deed, Outcome::Nothing)))
    }

    /// Takes note of what came of a deed on a day.
    pub(super) fn note(
        &mut self,
        outcome: Outcome,
        reply: &Reply,
        day: u32,
    ) -> Result<(), anyhow::Error> {
        anyhow::ensure!(
            reply.status < 500,
            "a request of the demo failed with status {}",
            reply.status
        );
        if reply.status >= 300 {
            // A no is part of the story: too few points, sold out, gone.
            return Ok(());
        }
        match outcome {
            Outcome::Nothing => {}
            Outcome::Asked(booking) => self.asked.push(booking),
            Outcome::Published(offer) => {
                let body: Value = serde_json::from_slice(&reply.body)?;
                let id = body["id"].as_str().context("an offer has an id")?;
                self.offers[offer] = Some(id.to_owned());
            }
            Outcome::Booked(member, offer) => {
                let body: Value = serde_json::from_slice(&reply.body)?;
                let id = body["id"].as_str().context("a redemption has an id")?;
                let charged = body["pointsCharged"].as_i64().unwrap_or(0);
                self.members[member].balance -= charged;
                self.members[member].held |= 1 << offer;
                self.bookings.push(Booking {
                    id: id.to_owned(),
                    member,
                    offer,
                    charged,
                    status: Status::Submitted,
                });
                self.schedule(self.bookings.len() - 1, day);
            }
            Outcome::Moved(booking, status) => {
                let moved = &mut self.bookings[booking];
                moved.status = status;
                match status {
                    Status::Canceled => {
                        let member = &mut self.members[moved.member];
                        member.balance += moved.charged;
                        member.held &= !(1 << moved.offer);
                    }
                    Status::Completed => {}
                    _ => self.schedule(booking, day),
                }
            }
        }
        Ok(())
    }

    /// Decides on which day a booking goes its next step.
    fn schedule(&mut self, booking: usize, day: u32) {
        let most = match self.bookings[booking].status {
            Status::Submitted => 1,
            Status::Purchased => 20,
            _ => 4,
        };
        let next = day + self.rng.u32(1..=most);
        self.due.entry(next).or_default().push(booking);
    }

    fn publish(&self, offer: usize, calendar: Calendar) -> Result<(Deed, Outcome), anyhow::Error> {
        let cast = &self.cast.offers[offer];
        let expires_at = cast.until.map(|until| {
            let day = Calendar::day_at(self.cast.starts, until);
            calendar.start_of(day).to_string()
        });
        let body = json!({
            "title": cast.title,
            "shortDescription": format!("{}, for members of {}.", cast.title, self.cast.name),
            "kind": cast.kind,
            "pointsPrice": cast.price,
            "tiers": cast.tiers,
            "expiresAt": expires_at,
            "availability": {"quantityRemaining": cast.pieces},
        });
        let request = CreateOfferRequest::parse(&body)?;
        Ok((Deed::Publish(request), Outcome::Published(offer)))
    }

    fn sign_up(&mut self) -> Result<Deed, anyhow::Error> {
        let number = self.members.len();
        let pick = |rng: &mut Rng, names: &[&'static str]| rng.choice(names).copied();
        let first = pick(&mut self.rng, FIRST_NAMES).unwrap_or_default();
        let last = pick(&mut self.rng, LAST_NAMES).unwrap_or_default();
        let email = format!("{first}.{last}.{number}@example.com").to_lowercase();
        let body = json!({
            "externalUserID": external_id(number),
            "displayName": format!("{first} {last}"),
            "email": email,
        });
        self.members.push(Member {
            balance: 0,
            earned: 0,
            tier: 0,
            held: 0,
            is_gone: false,
        });
        Ok(Deed::Exchange(ExchangeTokenRequest::parse(&body)?))
    }

    fn visit(&mut self) -> Result<Option<Deed>, anyhow::Error> {
        let Some(member) = self.somebody() else {
            return Ok(None);
        };
        let body = json!({"externalUserID": external_id(member)});
        Ok(Some(Deed::Exchange(ExchangeTokenRequest::parse(&body)?)))
    }

    fn earn(&mut self) -> Result<Option<Deed>, anyhow::Error> {
        let Some(number) = self.somebody() else {
            return Ok(None);
        };
        let (reason, least, most) = self
            .rng
            .choice(self.cast.earnings)
            .copied()
            .context("points are given for something")?;
        let amount = self.rng.u32(least..=most);
        let member = &mut self.members[number];
        member.balance += i64::from(amount);
        member.earned += i64::from(amount);
        let next = TIERS.get(member.tier + 1);
        if next.is_some_and(|(_, needed)| member.earned >= *needed) {
            member.tier += 1;
            self.rising.push(number);
        }
        let body = json!({
            "externalUserID": external_id(number), "amount": amount, "reason": reason,
        });
        Ok(Some(Deed::Credit(MovePointsRequest::parse(&body)?)))
    }

    fn rise(&self, member: usize) -> Result<Option<Deed>, anyhow::Error> {
        if self.members[member].is_gone {
            return Ok(None);
        }
        let (tier, _) = TIERS[self.members[member].tier];
        let body = json!({"tier": tier});
        let request = SetMemberRequest::parse(&body, body.to_string().as_bytes())?;
        Ok(Some(Deed::SetMember(parsed_id(member)?, request)))
    }

    fn correct(&mut self) -> Result<Option<Deed>, anyhow::Error> {
        let Some(number) = self.somebody() else {
            return Ok(None);
        };
        let member = &mut self.members[number];
        let amount = member.balance.min(50);
        if amount == 0 {
            return Ok(None);
        }
        member.balance -= amount;
        let body = json!({
            "externalUserID": external_id(number), "amount": amount, "reason": "counted twice",
        });
        Ok(Some(Deed::Debit(MovePointsRequest::parse(&body)?)))
    }

    /// Somebody who can afford something takes it; a few try what they cannot have.
    fn book(
        &mut self,
        calendar: Calendar,
        at: Timestamp,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let is_rash = self.rng.u32(0..40) == 0;
        for _ in 0..12 {
            let Some(member) = self.somebody() else {
                break;
            };
            let wanted: Vec<usize> = (0..self.offers.len())
                .filter(|offer| is_rash || self.can_have(member, *offer, calendar, at))
                .collect();
            let Some(offer) = self.rng.choice(wanted) else {
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

    fn can_have(&self, member: usize, offer: usize, calendar: Calendar, at: Timestamp) -> bool {
        let (member, cast) = (&self.members[member], &self.cast.offers[offer]);
        let is_over = cast.until.is_some_and(|until| {
            calendar.start_of(Calendar::day_at(self.cast.starts, until)) <= at
        });
        self.offers[offer].is_some()
            && !is_over
            && member.held & (1 << offer) == 0
            && member.balance >= i64::from(cast.price)
            && (cast.tiers.is_empty() || cast.tiers.contains(&TIERS[member.tier].0))
    }

    fn proceed(&mut self, booking: usize, at: Timestamp) -> Result<(Deed, Outcome), anyhow::Error> {
        let chance = self.rng.u32(0..100);
        let next = match (self.bookings[booking].status, chance) {
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
            body["canceledReason"] = json!(self.rng.choice(reasons));
        }
        if next == Status::Purchased {
            let days = self.rng.u32(3..30);
            let start = at.saturating_add(Duration::from_hours(24) * days);
            body["startAt"] = json!(start.to_string());
        }
        let request = PatchRedemptionRequest::parse(&body)?;
        let id = self.bookings[booking].id.clone();
        Ok((Deed::Move(id, request), Outcome::Moved(booking, next)))
    }

    /// Somebody wants to know something about one of the last bookings.
    fn ask(&mut self) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let newest = self.bookings.len();
        if newest == 0 {
            return Ok(None);
        }
        let number = self.rng.usize(newest.saturating_sub(40)..newest);
        let booking = &self.bookings[number];
        if self.members[booking.member].is_gone {
            return Ok(None);
        }
        let conversation = conversation_of(booking);
        let request = says(self.rng.choice(QUESTIONS).copied(), None)?;
        Ok(Some((
            Deed::Ask(conversation, request),
            Outcome::Asked(number),
        )))
    }

    fn answer(&mut self, booking: usize) -> Result<Deed, anyhow::Error> {
        let conversation = conversation_of(&self.bookings[booking]);
        let request = says(self.rng.choice(ANSWERS).copied(), Some("agent"))?;
        Ok(Deed::Answer(conversation, request))
    }

    fn leave(&mut self) -> Result<Option<Deed>, anyhow::Error> {
        let Some(member) = self.somebody() else {
            return Ok(None);
        };
        self.members[member].is_gone = true;
        Ok(Some(Deed::Remove(parsed_id(member)?)))
    }

    /// A member who is there. Some come far more often than others.
    fn somebody(&mut self) -> Option<usize> {
        let count = self.members.len();
        if count == 0 {
            return None;
        }
        (0..8).find_map(|_| {
            let mut member = self.rng.usize(0..count);
            if self.rng.bool() {
                for _ in 0..3 {
                    let other = self.rng.usize(0..count);
                    member = [member, other][usize::from(zeal(other) > zeal(member))];
                }
            }
            (!self.members[member].is_gone).then_some(member)
        })
    }
}

/// How fond of the program a member is: a number that looks random, but stays the same.
fn zeal(member: usize) -> usize {
    member.wrapping_mul(40_503) % 65_536
}

/// A booking and its conversation have the same id behind another prefix.
fn conversation_of(booking: &Booking) -> String {
    booking.id.replacen("rdm_", "cnv_", 1)
}

fn says(text: Option<&str>, role: Option<&str>) -> Result<SendMessageRequest, anyhow::Error> {
    let text = text.context("there is something to say")?;
    let body = json!({"message": text, "as": role});
    Ok(SendMessageRequest::parse(&body)?)
}

fn external_id(member: usize) -> String {
    format!("user_{}", member + 1)
}

fn parsed_id(member: usize) -> Result<ExternalUserId, anyhow::Error> {
    Ok(ExternalUserId::parse(
        "externalUserID",
        external_id(member),
    )?)
}
