//! Redemptions, according to the log.

use rusqlite::OptionalExtension as _;

use super::{History, Logged, Offer, REDEMPTION, Rated, Redemption};
use crate::domain::{
    Event, MemberNumber, OfferContent, OfferNumber, RedemptionMove, RedemptionNumber,
    RedemptionRating, RedemptionReturn, Status, Timestamp,
};
use crate::store::Error;
use crate::store::tables::columns::column;

/// The part of a redemption's row that the log also holds.
#[derive(Debug, Clone, Copy)]
struct RedemptionRow {
    program: i64,
    member: i64,
    offer: i64,
    charged: i64,
    created_at: i64,
    took_stock: bool,
    quantity: i64,
}

impl RedemptionRow {
    fn is_of(&self, member: MemberNumber, offer: OfferNumber) -> bool {
        (self.member, self.offer) == (member.0, offer.0)
    }
}

impl History<'_> {
    pub(super) fn redemption(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_complete: bool,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::RedemptionCreated { .. } => {
                self.redemption_created(seq, at, program, is_complete, event)
            }
            Event::RedemptionOpen(moved)
            | Event::RedemptionAwaitingVendor(moved)
            | Event::RedemptionAwaitingCustomer(moved)
            | Event::RedemptionPurchased(moved)
            | Event::RedemptionCompleted(moved)
            | Event::RedemptionCanceled(moved) => self.redemption_moved(seq, moved),
            Event::RedemptionChanged {
                member,
                offer,
                redemption,
                start_at,
                end_at,
            } => {
                let dates = [start_at, end_at].map(|time| time.map(Timestamp::as_millis));
                let stored = self.stored_redemption(redemption.0)?;
                let is_same = stored.is_some_and(|stored| stored.is_of(*member, *offer));
                let known = self.redemptions.get_mut(&redemption.0);
                let known = known.map(|known| known.dates = Logged::Known(dates.into()));
                if !is_same || known.is_none() {
                    self.report_misfit(seq, *redemption);
                }
                Ok(())
            }
            Event::RedemptionRated(rated) => self.redemption_rated(seq, at, rated),
            Event::RedemptionReturned(returned) => self.redemption_returned(seq, returned),
            _ => Ok(()),
        }
    }

    fn redemption_rated(
        &mut self,
        seq: i64,
        at: i64,
        event: &RedemptionRating,
    ) -> Result<(), Error> {
        let stored = self.stored_redemption(event.redemption.0)?;
        let is_same = stored.is_some_and(|stored| stored.is_of(event.member, event.offer));
        let rating = event.rating;
        let fits = self
            .redemptions
            .get_mut(&event.redemption.0)
            .is_some_and(|known| {
                let before = known.rated.replace(Rated { rating, at });
                known.status == Status::Completed
                    && before.map(|before| before.rating) == event.replaced
            });
        if !is_same || !fits {
            self.report_misfit(seq, event.redemption);
        }
        Ok(())
    }

    fn redemption_returned(&mut self, seq: i64, event: &RedemptionReturn) -> Result<(), Error> {
        let stored = self.stored_redemption(event.redemption.0)?;
        let stored = stored.filter(|stored| stored.is_of(event.member, event.offer));
        let units = event.units.get();
        let known = self.redemptions.get_mut(&event.redemption.0);
        let fits = known.is_some_and(|known| {
            known.returned += units;
            let most = match known.status {
                Status::Canceled => 0,
                Status::Completed => stored.map_or(0, |stored| stored.quantity),
                // The last unit is returned by a cancellation.
                _ => stored.map_or(0, |stored| stored.quantity - 1),
            };
            known.returned <= most
        });
        if !fits {
            self.report_misfit(seq, event.redemption);
        }
        if stored.is_some_and(|stored| stored.took_stock) {
            self.move_stock(event.offer.0, units);
        }
        Ok(())
    }

    fn move_stock(&mut self, offer: i64, pieces: i64) {
        if let Some(Offer {
            stock: Logged::Known(Some(stock)),
            ..
        }) = self.offers.get_mut(&offer)
        {
            *stock = (*stock + pieces).min(OfferContent::UNLIMITED - 1);
        }
    }

    fn redemption_moved(&mut self, seq: i64, moved: &RedemptionMove) -> Result<(), Error> {
        let stored = self.stored_redemption(moved.redemption.0)?;
        let is_same = stored.is_some_and(|stored| stored.is_of(moved.member, moved.offer));
        let known = self.redemptions.get_mut(&moved.redemption.0);
        let returned = known.as_ref().map_or(0, |known| known.returned);
        let before = known.map(|known| std::mem::replace(&mut known.status, moved.to));
        if !is_same || before != Some(moved.from) {
            self.report_misfit(seq, moved.redemption);
        }
        let took_stock = stored.filter(|stored| stored.took_stock);
        if let Some(stored) = took_stock.filter(|_| moved.to == Status::Canceled) {
            self.move_stock(moved.offer.0, stored.quantity - returned);
        }
        Ok(())
    }

    fn report_misfit(&mut self, seq: i64, redemption: RedemptionNumber) {
        let row = redemption.0;
        self.report(format!(
            "activity {seq} does not fit redemption row {row} or its earlier events"
        ));
    }

    fn redemption_created(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_complete: bool,
        event: &Event,
    ) -> Result<(), Error> {
        let Event::RedemptionCreated {
            member,
            offer,
            redemption,
            charged,
            quantity,
            ..
        } = event
        else {
            return Ok(());
        };
        self.given += u64::from(!is_complete);
        let stored = self.stored_redemption(redemption.0)?;
        let is_same = stored.is_some_and(|stored| {
            (Some(stored.program), stored.created_at) == (program, at)
                && stored.is_of(*member, *offer)
                && (stored.charged, stored.quantity) == (charged.get(), quantity.get())
        });
        let created = Redemption {
            status: Status::Submitted,
            dates: Logged::of(is_complete.then_some((None, None))),
            rated: None,
            returned: 0,
        };
        let before = self.redemptions.insert(redemption.0, created);
        let row = redemption.0;
        if !is_same || before.is_some() {
            self.report(format!(
                "redemption row {row} has another program, member, offer, price, quantity or time \
                 than activity {seq}, or does not exist"
            ));
        }
        let took = stored.is_some_and(|stored| stored.took_stock);
        if let Some(Offer {
            stock: Logged::Known(stock),
            ..
        }) = self.offers.get(&offer.0)
            && stock.is_some() != took
        {
            self.report(format!(
                "redemption row {row}: took_stock contradicts the stock of offer row {} at \
                 activity {seq}",
                offer.0
            ));
        }
        if took {
            self.move_stock(offer.0, -quantity.get());
        }
        Ok(())
    }

    fn stored_redemption(&mut self, redemption: i64) -> Result<Option<RedemptionRow>, Error> {
        let found = self.redemption_row.query_row([redemption], |row| {
            Ok(RedemptionRow {
                program: row.get(column!(REDEMPTION, "program_id"))?,
                member: row.get(column!(REDEMPTION, "member_id"))?,
                offer: row.get(column!(REDEMPTION, "offer_id"))?,
                charged: row.get(column!(REDEMPTION, "charged"))?,
                created_at: row.get(column!(REDEMPTION, "created_at"))?,
                took_stock: row.get::<_, i64>(column!(REDEMPTION, "took_stock"))? != 0,
                quantity: row.get(column!(REDEMPTION, "quantity"))?,
            })
        });
        Ok(found.optional()?)
    }
}
