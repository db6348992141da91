//! What the log says of redemptions.

use rusqlite::OptionalExtension as _;

use super::{History, Offer, Told};
use crate::domain::{
    Event, MemberNumber, OfferNumber, RedemptionMove, RedemptionNumber, Status, Timestamp,
};
use crate::store::Error;

/// When a redemption begins and ends.
type Dates = (Option<i64>, Option<i64>);

pub(super) struct Redemption {
    status: Status,
    dates: Told<Dates>,
}

/// A redemption's row, as far as the log tells it.
#[derive(Debug, Clone, Copy)]
struct Booking {
    program: i64,
    member: i64,
    offer: i64,
    charged: i64,
    created_at: i64,
    took_stock: bool,
}

impl Booking {
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
        is_told: bool,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::RedemptionCreated { .. } => self.booked(seq, at, program, is_told, event),
            Event::RedemptionOpen(moved)
            | Event::RedemptionAwaitingVendor(moved)
            | Event::RedemptionAwaitingCustomer(moved)
            | Event::RedemptionPurchased(moved)
            | Event::RedemptionCompleted(moved)
            | Event::RedemptionCanceled(moved) => self.moved(seq, moved),
            Event::RedemptionChanged {
                member,
                offer,
                redemption,
                start_at,
                end_at,
            } => {
                let dates = [start_at, end_at].map(|time| time.map(Timestamp::as_millis));
                let stored = self.booking(redemption.0)?;
                let is_same = stored.is_some_and(|stored| stored.is_of(*member, *offer));
                let known = self.redemptions.get_mut(&redemption.0);
                let known = known.map(|known| known.dates = Told::Known(dates.into()));
                if !is_same || known.is_none() {
                    self.misfit(seq, *redemption);
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn moved(&mut self, seq: i64, moved: &RedemptionMove) -> Result<(), Error> {
        let stored = self.booking(moved.redemption.0)?;
        let is_same = stored.is_some_and(|stored| stored.is_of(moved.member, moved.offer));
        let known = self.redemptions.get_mut(&moved.redemption.0);
        let before = known.map(|known| std::mem::replace(&mut known.status, moved.to));
        if !is_same || before != Some(moved.from) {
            self.misfit(seq, moved.redemption);
        }
        let has_piece = stored.is_some_and(|stored| stored.took_stock);
        if moved.to == Status::Canceled && has_piece {
            self.move_stock(moved.offer.0, 1);
        }
        Ok(())
    }

    fn misfit(&mut self, seq: i64, redemption: RedemptionNumber) {
        let row = redemption.0;
        self.find(format!(
            "activity {seq} does not fit redemption row {row} and what happened to it before"
        ));
    }

    /// Compares the dates, unless they were last changed by version 0.1.0, which did not tell.
    pub(super) fn compare_redemptions(&mut self) -> Result<(), Error> {
        let sql = "SELECT id, start_at, end_at FROM redemption ORDER BY id";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: i64 = row.get(0)?;
            let dates: Dates = (row.get(1)?, row.get(2)?);
            let told = self.redemptions.get(&id);
            if told.is_some_and(|told| told.dates.contradicts(dates)) {
                self.findings.push(format!(
                    "redemption row {id}: its start_at or end_at is not what the log says"
                ));
            }
        }
        Ok(())
    }

    fn booked(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        is_told: bool,
        event: &Event,
    ) -> Result<(), Error> {
        let Event::RedemptionCreated {
            member,
            offer,
            redemption,
            charged,
            ..
        } = event
        else {
            return Ok(());
        };
        self.given += u64::from(!is_told);
        let stored = self.booking(redemption.0)?;
        let expected = (program, member.0, offer.0, charged.get(), at);
        let is_same = stored.is_some_and(|s| {
            (Some(s.program), s.member, s.offer, s.charged, s.created_at) == expected
        });
        let created = Redemption {
            status: Status::Submitted,
            dates: Told::of(is_told.then_some((None, None))),
        };
        let before = self.redemptions.insert(redemption.0, created);
        let row = redemption.0;
        if !is_same || before.is_some() {
            self.find(format!(
                "redemption row {row} has another program, member, offer, price or time than \
                 activity {seq}, or does not exist"
            ));
        }
        let took = stored.is_some_and(|stored| stored.took_stock);
        if let Some(Offer {
            stock: Told::Known(stock),
            ..
        }) = self.offers.get(&offer.0)
            && stock.is_some() != took
        {
            self.find(format!(
                "redemption row {row}: took_stock contradicts the stock of offer row {} at \
                 activity {seq}",
                offer.0
            ));
        }
        if took {
            self.move_stock(offer.0, -1);
        }
        Ok(())
    }

    fn booking(&mut self, redemption: i64) -> Result<Option<Booking>, Error> {
        let found = self.redemption.query_row([redemption], |row| {
            Ok(Booking {
                program: row.get(0)?,
                member: row.get(1)?,
                offer: row.get(2)?,
                charged: row.get(3)?,
                created_at: row.get(4)?,
                took_stock: row.get::<_, i64>(5)? != 0,
            })
        });
        Ok(found.optional()?)
    }
}
