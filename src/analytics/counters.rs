//! The fold of one program: its totals, its offers and its timelines.

use std::collections::HashMap;

use super::contradiction::POINTS_MAX;
use super::measures::{Bucket, Measure, OfferCounters, Ratings, Totals};
use super::visits::Visits;
use super::{ContradictionKind, Sum, Timeline, Window};
use crate::domain::{
    Activity, ByNumber, Entry, Event, LedgerEntry, OfferId, OfferNumber, RedemptionMove,
    RedemptionRating, Seq, Status, Tier, Timestamp,
};

/// Everything that is counted for one program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    pub(super) totals: Totals,
    /// In the order of creation.
    pub(super) offers: Vec<OfferCounters>,
    /// The index of each offer in `offers`.
    pub(super) places: ByNumber<OfferNumber, usize>,
    /// Members that are not deleted, by tier. No count is zero.
    pub(super) tiers: HashMap<Tier, u64>,
    /// One for each of [`Measure::ALL`].
    pub(super) timelines: [Timeline; Measure::ALL.len()],
    pub(super) visits: Visits,
    /// Whether the program ever had deferred points.
    pub(super) has_deferred: bool,
    pub(super) last: Option<(Seq, Timestamp)>,
}

impl Counters {
    /// The program-wide figures.
    pub fn totals(&self) -> &Totals {
        &self.totals
    }

    /// The counters of every offer, including archived ones, in the order of creation.
    pub fn offers(&self) -> &[OfferCounters] {
        &self.offers
    }

    /// The tiers held by the most members that are not deleted, at most `limit`, with the number of
    /// members; tiers with the same number are sorted by name.
    pub fn tiers(&self, limit: usize) -> Vec<(Tier, u64)> {
        let mut tiers: Vec<(&Tier, u64)> = self.tiers.iter().map(|(t, n)| (t, *n)).collect();
        tiers.sort_unstable_by(|(a, n), (b, m)| (m, a.as_str()).cmp(&(n, b.as_str())));
        tiers.truncate(limit);
        tiers.into_iter().map(|(t, n)| (t.clone(), n)).collect()
    }

    /// The number of tiers held by members that are not deleted.
    pub fn tier_count(&self) -> usize {
        self.tiers.len()
    }

    /// A measure over time.
    pub fn timeline(&self, measure: Measure) -> &Timeline {
        &self.timelines[measure as usize]
    }

    /// The number of the program's newest activity.
    pub fn last_seq(&self) -> Option<Seq> {
        self.last.map(|(seq, _)| seq)
    }

    /// The latest time of any activity of the program.
    pub fn last_at(&self) -> Option<Timestamp> {
        self.last.map(|(_, at)| at)
    }

    /// The buckets of a window, for the whole program or one offer. The signups of an offer are
    /// members whose first redemption of it is in the bucket, and its mints are zero. `None` if the
    /// program has no such offer.
    pub fn timeseries(&self, window: &Window, offer: Option<OfferId>) -> Option<Vec<Bucket>> {
        let nothing = Timeline::default();
        let [signups, minted, spent] = match offer {
            None => [Measure::Signups, Measure::Minted, Measure::Spent].map(|m| self.timeline(m)),
            Some(id) => {
                let offer = self.offers.iter().find(|offer| offer.id == id)?;
                [&offer.signups, &nothing, &offer.spent]
            }
        };
        let bounds = window.bounds();
        let bucket = |pair: &[Timestamp]| Bucket {
            start: pair[0],
            end: pair[1],
            signups: 0,
            minted: 0,
            spent: 0,
        };
        let mut buckets: Vec<Bucket> = bounds.windows(2).map(bucket).collect();
        let mut fill = |timeline: &Timeline, put: fn(&mut Bucket, Sum)| {
            let mut places = buckets.iter_mut();
            timeline.divide(bounds.iter().map(|at| at.as_millis()), |sum| {
                if let Some(bucket) = places.next() {
                    put(bucket, sum);
                }
            });
        };
        fill(signups, |bucket, sum| bucket.signups = sum.count);
        fill(minted, |bucket, sum| bucket.minted = sum.amount);
        fill(spent, |bucket, sum| bucket.spent = sum.amount);
        Some(buckets)
    }

    /// Merges late entries, which only an import brings, into their places in every timeline.
    /// Returns whether there were any.
    pub fn settle(&mut self) -> bool {
        let of_offers = self
            .offers
            .iter_mut()
            .flat_map(|offer| [&mut offer.signups, &mut offer.spent]);
        let mut any = self.visits.settle(&self.timelines);
        for timeline in self.timelines.iter_mut().chain(of_offers) {
            any |= timeline.settle();
        }
        any
    }

    /// The memory that the timelines take, in bytes, and the number of their entries.
    pub fn timeline_size(&self) -> (usize, u64) {
        let of_offers = self
            .offers
            .iter()
            .flat_map(|offer| [&offer.signups, &offer.spent]);
        self.timelines
            .iter()
            .chain(of_offers)
            .fold((0, 0), |(bytes, entries), timeline| {
                (
                    bytes + timeline.heap_bytes(),
                    entries + timeline.total().count,
                )
            })
    }

    /// Counts one activity of this program.
    ///
    /// # Errors
    /// [`ContradictionKind`] if the activity cannot follow from those before it, such as a
    /// redemption that leaves a status it never had. Nothing of it is counted then.
    pub fn apply(&mut self, activity: &Activity) -> Result<(), ContradictionKind> {
        // Before anything else, because only this can fail.
        self.apply_event(activity)?;
        self.apply_deeds(activity);
        let millis = activity.at.as_millis();
        if activity.event.is_counted() {
            self.totals.events += 1;
            self.count(Measure::Events, millis, 1);
        }
        let at = self
            .last
            .map_or(activity.at, |(_, last)| last.max(activity.at));
        self.last = Some((activity.seq, at));
        Ok(())
    }

    fn sign_up(&mut self, tier: &Tier, millis: i64) {
        self.totals.members += 1;
        self.count(Measure::Signups, millis, 1);
        self.enter(tier);
    }

    /// Counts the changes of an event. Each arm checks before it changes anything.
    fn apply_event(&mut self, activity: &Activity) -> Result<(), ContradictionKind> {
        let millis = activity.at.as_millis();
        match &activity.event {
            Event::MemberCreated { tier, .. } => self.sign_up(tier, millis),
            Event::MemberRestored { tier, .. } => self.enter(tier),
            Event::MemberRemoved { tier, .. } => self.leave(tier)?,
            Event::MemberTierChanged { from, to, .. } => {
                self.leave(from)?;
                self.enter(to);
            }
            Event::WalletCredited(entry)
            | Event::WalletDebited(entry)
            | Event::WalletMoved(entry) => {
                self.apply_entry(entry, activity.at)?;
            }
            Event::RedemptionCreated { offer, first, .. } => {
                self.apply_redemption(*offer, *first, millis)?;
            }
            Event::RedemptionOpen(moved)
            | Event::RedemptionAwaitingVendor(moved)
            | Event::RedemptionAwaitingCustomer(moved)
            | Event::RedemptionPurchased(moved)
            | Event::RedemptionCompleted(moved)
            | Event::RedemptionCanceled(moved) => self.apply_move(moved)?,
            Event::TokenExchanged {
                identified, credit, ..
            } => {
                self.apply_exchange(*identified, *credit, millis);
            }
            Event::RedemptionRated(rated) => self.apply_rating(rated)?,
            Event::OfferCreated { offer, id, .. } => self.add_offer(*offer, *id),
            Event::OfferArchived { .. } => {
                let left = self.totals.current_offers.checked_sub(1);
                self.totals.current_offers = left.ok_or(ContradictionKind::NoOfferLeft)?;
            }
            Event::MessageCreated { .. }
            | Event::MemberErased { .. }
            | Event::MemberChanged { .. }
            | Event::MemberStatusChanged { .. }
            | Event::RedemptionChanged { .. }
            | Event::RedemptionReturned(_)
            | Event::OfferChanged { .. }
            | Event::ProgramCreated { .. }
            | Event::ProgramChanged { .. }
            | Event::AssetChanged { .. }
            | Event::AssetCreated { .. }
            | Event::OrganizationCreated { .. }
            | Event::OrganizationChanged { .. }
            | Event::WebhookCreated { .. }
            | Event::WebhookChanged { .. }
            | Event::TermsPublished { .. }
            | Event::OrgPointsLow { .. }
            | Event::OrgPointsPurchased { .. }
            | Event::BalanceExpired { .. }
            | Event::WalletExpiring { .. }
            | Event::ProgramFunded(_)
            | Event::ProgramBurned(_)
            | Event::PoolChanged { .. }
            | Event::PoolFunded { .. }
            | Event::PoolDrawn { .. }
            | Event::PoolReturned { .. }
            | Event::EventStored(_)
            | Event::StateChanged(_)
            | Event::RuleChanged { .. }
            | Event::BudgetReset { .. }
            | Event::TermsAccepted { .. }
            | Event::InterestCreated { .. }
            | Event::InterestChanged { .. } => {}
        }
        Ok(())
    }

    fn apply_redemption(
        &mut self,
        offer: OfferNumber,
        is_first: bool,
        millis: i64,
    ) -> Result<(), ContradictionKind> {
        if is_first {
            self.offer(offer)?.signups.push(millis, 1);
        }
        self.totals.redemptions.add(Status::Submitted, 1);
        Ok(())
    }

    fn apply_move(&mut self, moved: &RedemptionMove) -> Result<(), ContradictionKind> {
        let place = self.place(moved.offer)?;
        self.totals
            .redemptions
            .shift(moved.from, moved.to)
            .ok_or(ContradictionKind::StatusEmpty(moved.from))?;
        let offer = &mut self.offers[place];
        offer.completions += u64::from(moved.to == Status::Completed);
        offer.cancellations += u64::from(moved.to == Status::Canceled);
        Ok(())
    }

    fn apply_entry(&mut self, entry: &LedgerEntry, at: Timestamp) -> Result<(), ContradictionKind> {
        // Figures are those of the program's points.
        if entry.asset.is_some() {
            return Ok(());
        }
        let points = entry.amount.get().unsigned_abs();
        let spent_on = match (entry.entry, entry.offer) {
            (Entry::Spend, Some(offer)) => Some(self.place(offer)?),
            _ => None,
        };
        let totals = &mut self.totals;
        let (mut held, mut pending) = (Some(totals.held), Some(totals.pending));
        // Most entries change neither.
        if entry.buckets.is_some() {
            let change = entry.change();
            held = totals.held.checked_add_signed(change.held);
            pending = totals.pending.checked_add_signed(change.pending);
        }
        let (Some(held), Some(pending)) = (held, pending) else {
            return Err(ContradictionKind::BucketNegative);
        };
        let sum = match entry.entry {
            Entry::Mint => Some(&mut totals.minted),
            Entry::Spend => Some(&mut totals.spent),
            Entry::Refund | Entry::Reverse => Some(&mut totals.refunded),
            Entry::Forfeit => Some(&mut totals.forfeited),
            Entry::Debit => Some(&mut totals.debited),
            Entry::Expire => Some(&mut totals.expired),
            Entry::Void => Some(&mut totals.voided),
            Entry::Mature | Entry::Hold | Entry::Release | Entry::Open => None,
        };
        if let Some(sum) = sum {
            *sum = sum
                .checked_add(points)
                .filter(|sum| *sum <= POINTS_MAX)
                .ok_or(ContradictionKind::TooManyPoints)?;
        }
        (totals.held, totals.pending) = (held, pending);
        totals.ledger_entries += 1;
        totals.participants += u64::from(entry.first);
        totals.last_entry_at = totals.last_entry_at.max(Some(at));
        self.part_earning(entry);
        let measure = match entry.entry {
            Entry::Mint => Measure::Minted,
            Entry::Spend => Measure::Spent,
            Entry::Refund | Entry::Reverse => Measure::Refunded,
            Entry::Forfeit => Measure::Forfeited,
            Entry::Debit => Measure::Debited,
            Entry::Expire => Measure::Expired,
            Entry::Void => Measure::Voided,
            Entry::Mature | Entry::Hold | Entry::Release | Entry::Open => return Ok(()),
        };
        self.count(measure, at.as_millis(), points);
        if let Some(place) = spent_on {
            self.offers[place].spent.push(at.as_millis(), points);
        }
        Ok(())
    }

    fn apply_rating(&mut self, rated: &RedemptionRating) -> Result<(), ContradictionKind> {
        let offer = self.offer(rated.offer)?;
        let without = match rated.replaced {
            None => Some(offer.ratings),
            Some(replaced) => offer.ratings.without(replaced),
        };
        let without = without.ok_or(ContradictionKind::RatingUnknown(rated.offer))?;
        offer.ratings = without.with(rated.rating);
        Ok(())
    }

    fn apply_exchange(&mut self, identified: bool, credit: bool, millis: i64) {
        self.totals.exchanges += 1;
        self.totals.identifications += u64::from(identified);
        self.totals.credits += u64::from(credit);
        let happened = [
            (Measure::Exchanges, true),
            (Measure::Identifications, identified),
            (Measure::Credits, credit),
        ];
        for (measure, _) in happened.into_iter().filter(|(_, happened)| *happened) {
            self.count(measure, millis, 1);
        }
    }

    fn add_offer(&mut self, number: OfferNumber, id: OfferId) {
        self.totals.current_offers += 1;
        self.places.insert(number, self.offers.len());
        self.offers.push(OfferCounters {
            number,
            id,
            completions: 0,
            cancellations: 0,
            ratings: Ratings::default(),
            signups: Timeline::default(),
            spent: Timeline::default(),
        });
    }

    pub(super) fn count(&mut self, measure: Measure, millis: i64, amount: u64) {
        self.timelines[measure as usize].push(millis, amount);
    }

    fn enter(&mut self, tier: &Tier) {
        self.totals.active_members += 1;
        // The usual case, a tier that is held already, copies nothing.
        match self.tiers.get_mut(tier) {
            Some(count) => *count += 1,
            None => {
                self.tiers.insert(tier.clone(), 1);
            }
        }
    }

    fn leave(&mut self, tier: &Tier) -> Result<(), ContradictionKind> {
        let held = self.tiers.get_mut(tier).filter(|count| **count > 0);
        let active = self.totals.active_members.checked_sub(1);
        let (Some(count), Some(active)) = (held, active) else {
            return Err(ContradictionKind::TierEmpty);
        };
        self.totals.active_members = active;
        *count -= 1;
        if *count == 0 {
            self.tiers.remove(tier);
        }
        Ok(())
    }

    fn place(&self, number: OfferNumber) -> Result<usize, ContradictionKind> {
        let place = self.places.get(&number).copied();
        place.ok_or(ContradictionKind::OfferUnknown(number))
    }

    fn offer(&mut self, number: OfferNumber) -> Result<&mut OfferCounters, ContradictionKind> {
        let place = self.place(number)?;
        Ok(&mut self.offers[place])
    }
}
