//! What is counted for one program.

use std::collections::HashMap;

use crate::domain::{
    Activity, Entry, Event, LedgerEntry, OfferId, OfferNumber, Seq, Status, StatusCounts, Tier,
    Timestamp,
};

/// The program-wide figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Members that ever signed up.
    pub members: u64,
    /// Those of them that are not removed.
    pub active_members: u64,
    /// Points of all mints, ever.
    pub minted: u64,
    /// Points of all spends, ever; a refund does not lower it.
    pub spent: u64,
    /// Points of all refunds, ever.
    pub refunded: u64,
    /// Points of all forfeits, ever.
    pub forfeited: u64,
    /// Points of all debits, ever.
    pub debited: u64,
    /// Redemptions by where they stand now.
    pub redemptions: StatusCounts,
    /// Members that ever had a mint or a spend.
    pub participants: u64,
    /// Ledger entries, ever.
    pub ledger_entries: u64,
    /// Events of the catalogue, ever.
    pub events: u64,
    /// Token exchanges, ever.
    pub exchanges: u64,
    /// Those of them that identified a member.
    pub identifications: u64,
    /// Credits that identifications took, ever.
    pub credits: u64,
    /// Offers that are not archived.
    pub current_offers: u64,
    /// The time of the newest ledger entry.
    pub last_entry_at: Option<Timestamp>,
}

impl Totals {
    /// The share of redemptions that are completed, 0 to 1; 0 if there are none.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a share needs no more than a double has"
    )]
    pub fn completion_rate(&self) -> f64 {
        match self.redemptions.total() {
            0 => 0.0,
            total => self.redemptions.get(Status::Completed) as f64 / total as f64,
        }
    }
}

/// The figures of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferFigures {
    /// The offer.
    pub id: OfferId,
    /// Distinct members who ever redeemed it.
    pub signups: u64,
    /// Redemptions of it that stand at completed.
    pub completions: u64,
    /// Redemptions of it that stand at canceled.
    pub cancellations: u64,
    /// Points of all spends on it, ever.
    pub spent: u64,
}

/// Everything that is counted for one program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    totals: Totals,
    /// In the order the offers were made.
    offers: Vec<OfferFigures>,
    /// Where each offer stands in `offers`.
    places: HashMap<OfferNumber, usize>,
    /// Members that are not removed, by tier. No tier stands at zero.
    tiers: HashMap<Tier, u64>,
    last: Option<(Seq, Timestamp)>,
}

impl Counters {
    /// The program-wide figures.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// One row for every offer, archived ones too, in the order made.
    pub fn offers(&self) -> &[OfferFigures] {
        &self.offers
    }

    /// How many tiers are held by members that are not removed.
    pub fn tier_count(&self) -> usize {
        self.tiers.len()
    }

    /// The number of the program's newest activity.
    pub fn last_seq(&self) -> Option<Seq> {
        self.last.map(|(seq, _)| seq)
    }

    /// The latest time stamped in the program.
    pub fn last_at(&self) -> Option<Timestamp> {
        self.last.map(|(_, at)| at)
    }

    /// Counts one activity of this program.
    ///
    /// # Panics
    /// If the activity contradicts those before it, such as a redemption that leaves a status it
    /// never had.
    pub fn apply(&mut self, activity: &Activity) {
        let at = self
            .last
            .map_or(activity.at, |(_, last)| last.max(activity.at));
        self.last = Some((activity.seq, at));
        if activity.event.is_catalogued() {
            self.totals.events += 1;
        }
        match &activity.event {
            Event::MemberCreated { tier, .. } => {
                self.totals.members += 1;
                self.enter(tier);
            }
            Event::MemberRestored { tier, .. } => self.enter(tier),
            Event::MemberRemoved { tier, .. } => self.leave(tier),
            Event::MemberTierChanged { from, to, .. } => {
                self.leave(from);
                self.enter(to);
            }
            Event::Ledger(entry) => self.apply_entry(entry, activity.at),
            Event::RedemptionCreated { offer, first, .. } => {
                self.totals.redemptions.add(Status::Submitted, 1);
                self.offer(*offer).signups += u64::from(*first);
            }
            Event::RedemptionMoved {
                offer, from, to, ..
            } => {
                self.totals.redemptions.shift(*from, *to);
                let figures = self.offer(*offer);
                figures.completions += u64::from(*to == Status::Completed);
                figures.cancellations += u64::from(*to == Status::Canceled);
            }
            Event::TokenExchanged {
                identified, credit, ..
            } => {
                self.totals.exchanges += 1;
                self.totals.identifications += u64::from(*identified);
                self.totals.credits += u64::from(*credit);
            }
            Event::OfferCreated { offer, id } => {
                self.totals.current_offers += 1;
                self.places.insert(*offer, self.offers.len());
                let (signups, completions, cancellations, spent) = (0, 0, 0, 0);
                let figures = OfferFigures {
                    id: *id,
                    signups,
                    completions,
                    cancellations,
                    spent,
                };
                self.offers.push(figures);
            }
            Event::OfferArchived { .. } => self.totals.current_offers -= 1,
            Event::OfferChanged { .. }
            | Event::ProgramCreated { .. }
            | Event::ProgramChanged
            | Event::OrganizationCreated { .. }
            | Event::OrganizationChanged { .. } => {}
        }
    }

    fn apply_entry(&mut self, entry: &LedgerEntry, at: Timestamp) {
        let points = entry.amount.get().unsigned_abs();
        let totals = &mut self.totals;
        let sum = match entry.entry {
            Entry::Mint => &mut totals.minted,
            Entry::Spend => &mut totals.spent,
            Entry::Refund => &mut totals.refunded,
            Entry::Forfeit => &mut totals.forfeited,
            Entry::Debit => &mut totals.debited,
        };
        *sum = sum
            .checked_add(points)
            .expect("the store keeps every total below 2^53");
        totals.ledger_entries += 1;
        totals.participants += u64::from(entry.first);
        totals.last_entry_at = totals.last_entry_at.max(Some(at));
        if let (Entry::Spend, Some(offer)) = (entry.entry, entry.offer) {
            self.offer(offer).spent += points;
        }
    }

    fn enter(&mut self, tier: &Tier) {
        self.totals.active_members += 1;
        // The usual case, a tier already held, copies nothing.
        match self.tiers.get_mut(tier) {
            Some(count) => *count += 1,
            None => {
                self.tiers.insert(tier.clone(), 1);
            }
        }
    }

    fn leave(&mut self, tier: &Tier) {
        self.totals.active_members -= 1;
        let count = self
            .tiers
            .get_mut(tier)
            .expect("a member leaves a tier that was held");
        *count -= 1;
        if *count == 0 {
            self.tiers.remove(tier);
        }
    }

    fn offer(&mut self, number: OfferNumber) -> &mut OfferFigures {
        let place = self
            .places
            .get(&number)
            .expect("an offer is made before it is redeemed");
        &mut self.offers[*place]
    }
}
