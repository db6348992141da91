//! A program of the demo with its `members`, their `bookings` and the `agenda`. Decides the next
//! request and records its outcome.

use anyhow::Context as _;
use fastrand::Rng;
use serde_json::Value;

use super::agenda::{Agenda, Occasion};
use super::bookings::{Booking, Bookings};
use super::calendar::Calendar;
use super::cast::{Cast, Lots};
use super::deed::{Deed, Outcome};
use super::lots;
use super::members::Members;
use crate::domain::{Status, Timestamp};
use crate::service::{KeyPrincipal, Reply, Services};

/// The state of a program, as far as the demo needs it.
#[derive(Debug)]
pub(super) struct Program {
    pub(super) key: KeyPrincipal,
    cast: &'static Cast,
    /// The published versions of its legal documents.
    versions: Vec<String>,
    /// Whether its points are in lots by now.
    has_lots: bool,
    rng: Rng,
    members: Members,
    bookings: Bookings,
    agenda: Agenda,
}

impl Program {
    pub(super) fn new(
        cast: &'static Cast,
        (key, versions): (KeyPrincipal, Vec<String>),
        calendar: Calendar,
        scale: f64,
        rng: Rng,
    ) -> Self {
        Self {
            key,
            cast,
            versions,
            has_lots: false,
            rng,
            members: Members::default(),
            bookings: Bookings::new(cast),
            agenda: Agenda::new(cast, calendar, scale),
        }
    }

    /// If the program begins to keep its points in lots on this day, does so.
    pub(super) async fn begin_lots(
        &mut self,
        services: &Services,
        day: u32,
    ) -> Result<(), anyhow::Error> {
        let lots = self.cast.lots.as_ref();
        let begins = |lots: &&Lots| Calendar::day_at(self.cast.starts, lots.from) == day;
        if let Some(lots) = lots.filter(begins) {
            lots::convert(services, self.key, lots).await?;
            self.has_lots = true;
        }
        Ok(())
    }

    /// The occasions of a day, each with its time of day in milliseconds.
    pub(super) fn plan(&mut self, day: u32) -> Vec<(u64, Occasion)> {
        let rising = self.members.take_rising();
        self.agenda.plan(day, rising, &mut self.rng)
    }

    /// The request for an occasion, if any.
    pub(super) fn act(
        &mut self,
        occasion: Occasion,
        calendar: Calendar,
        at: Timestamp,
    ) -> Result<Option<(Deed, Outcome)>, anyhow::Error> {
        let (members, bookings, rng) = (&mut self.members, &self.bookings, &mut self.rng);
        let deed = match occasion {
            Occasion::Publish(offer) => return bookings.publish(offer, calendar).map(Some),
            Occasion::SignUp => Some(members.sign_up(rng)?),
            Occasion::Visit => members.visit(&self.versions, rng)?,
            Occasion::Earn => return members.earn((self.cast, self.has_lots), at, rng),
            Occasion::Rise(member) => members.rise(member)?,
            Occasion::Correct => return members.correct(rng),
            Occasion::Book => return bookings.book(members, calendar, at, rng),
            Occasion::Proceed(booking) => return bookings.proceed(members, booking, at, rng),
            Occasion::Ask => return bookings.ask(members, rng),
            Occasion::Answer(booking) => Some(bookings.answer(booking, rng)?),
            Occasion::Leave => members.leave(rng)?,
        };
        Ok(deed.map(|deed| (deed, Outcome::Nothing)))
    }

    /// Records the outcome of a request.
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
            // Refusals are expected: too few points, sold out, archived.
            return Ok(());
        }
        match outcome {
            Outcome::Nothing => {}
            Outcome::Balance(member) => {
                let body: Value = serde_json::from_slice(&reply.body)?;
                let balance = body["balance"].as_i64();
                let balance = balance.context("a credit returns a balance")?;
                self.members.note_balance(member, balance);
            }
            Outcome::Asked(booking) => self.agenda.expect_answer(booking),
            Outcome::Published(offer) => {
                let body: Value = serde_json::from_slice(&reply.body)?;
                let id = body["id"].as_str().context("an offer has an id")?;
                self.bookings.note_published(offer, id);
            }
            Outcome::Booked(member, offer) => {
                let body: Value = serde_json::from_slice(&reply.body)?;
                let id = body["id"].as_str().context("a redemption has an id")?;
                let charged = body["pointsCharged"].as_i64().unwrap_or(0);
                self.members.pay(member, offer, charged);
                let status = Status::Submitted;
                let booking = self.bookings.add(Booking {
                    id: id.to_owned(),
                    member,
                    offer,
                    charged,
                    status,
                });
                self.agenda.schedule(booking, status, day, &mut self.rng);
            }
            Outcome::Moved(booking, status) => {
                let moved = self.bookings.set_status(booking, status);
                match status {
                    Status::Canceled => {
                        self.members
                            .refund(moved.member, moved.offer, moved.charged);
                    }
                    Status::Completed => {
                        if self.cast.offers[moved.offer].is_repeatable {
                            self.members.refund(moved.member, moved.offer, 0);
                        }
                        // Most members rate nothing.
                        if self.rng.u32(0..10) >= 6 {
                            self.agenda.schedule(booking, status, day, &mut self.rng);
                        }
                    }
                    _ => self.agenda.schedule(booking, status, day, &mut self.rng),
                }
            }
        }
        Ok(())
    }
}
