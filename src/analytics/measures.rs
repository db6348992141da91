//! The figures of a program and of an offer.

use serde::{Deserialize, Serialize};

use super::Timeline;
use crate::domain::{OfferId, OfferNumber, Rating, Status, StatusCounts, Timestamp};

/// The program-wide figures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Members that ever signed up.
    pub members: u64,
    /// Members that are not deleted.
    pub active_members: u64,
    /// Points of all mints, ever, those that mature later included.
    pub minted: u64,
    /// Points of all spends, ever; a refund does not lower it.
    pub spent: u64,
    /// Points of all refunds and reversals, ever.
    pub refunded: u64,
    /// Points of all forfeits, ever.
    pub forfeited: u64,
    /// Points of all debits, ever.
    pub debited: u64,
    /// Points that expired, ever.
    pub expired: u64,
    /// Points that were credited as held and taken back, ever.
    pub voided: u64,
    /// Points that mature later.
    pub pending: u64,
    /// Points that are held.
    pub held: u64,
    /// Redemptions by their current status.
    pub redemptions: StatusCounts,
    /// Members that ever had a mint or a spend.
    pub participants: u64,
    /// Ledger entries, ever.
    pub ledger_entries: u64,
    /// Events that reports count, ever.
    pub events: u64,
    /// Token exchanges, ever.
    pub exchanges: u64,
    /// Token exchanges that identified a member, ever.
    pub identifications: u64,
    /// Credits that identifications used, ever.
    pub credits: u64,
    /// Offers that are not archived.
    pub current_offers: u64,
    /// The time of the newest ledger entry.
    pub last_entry_at: Option<Timestamp>,
}

impl Totals {
    /// The sum of all balances, which may be negative.
    ///
    /// ```
    /// use stampcard::analytics::Totals;
    /// let taken = Totals { spent: 30, expired: 5, held: 20, pending: 10, ..Totals::default() };
    /// let totals = Totals { minted: 100, ..taken };
    /// assert_eq!(totals.balances(), 35);
    /// ```
    pub fn balances(&self) -> i64 {
        let taken = [
            self.spent,
            self.forfeited,
            self.debited,
            self.expired,
            self.voided,
        ];
        let taken = taken.into_iter().chain([self.held, self.pending]);
        taken.fold(
            self.minted.wrapping_add(self.refunded).cast_signed(),
            |balances, taken| balances.wrapping_sub(taken.cast_signed()),
        )
    }

    /// The share of redemptions that are completed, 0 to 1; 0 if there are no redemptions.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a double is precise enough for a share"
    )]
    pub fn completion_rate(&self) -> f64 {
        match self.redemptions.total() {
            0 => 0.0,
            total => self.redemptions.get(Status::Completed) as f64 / total as f64,
        }
    }
}

/// A measure that a program counts over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Measure {
    /// Members that signed up.
    Signups,
    /// Mints and their points.
    Minted,
    /// Spends and their points.
    Spent,
    /// Events of the catalogue.
    Events,
    /// Token exchanges.
    Exchanges,
    /// Token exchanges that identified a member.
    Identifications,
    /// Token exchanges that used a credit.
    Credits,
    /// Refunds and reversals, and their points.
    Refunded,
    /// Forfeits and their points.
    Forfeited,
    /// Debits and their points.
    Debited,
    /// Points that expired.
    Expired,
    /// Points that were credited as held and taken back.
    Voided,
    /// Redemptions that were created, of offers and of amounts.
    Redeemed,
    /// What members did, for which they count as active.
    Active,
    /// Points that were credited so that they can be spent at once, and deferred points that became
    /// available. Without entries before the program has deferred points: until then they are those
    /// of [`Measure::Minted`].
    Earned,
    /// Events that were stored.
    StoredEvents,
}

impl Measure {
    /// All measures, in the order in which snapshots store them.
    pub const ALL: [Self; 16] = [
        Self::Signups,
        Self::Minted,
        Self::Spent,
        Self::Events,
        Self::Exchanges,
        Self::Identifications,
        Self::Credits,
        Self::Refunded,
        Self::Forfeited,
        Self::Debited,
        Self::Expired,
        Self::Voided,
        Self::Redeemed,
        Self::Active,
        Self::Earned,
        Self::StoredEvents,
    ];
}

/// Current ratings: their number and their sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ratings {
    /// The number of redemptions that are rated.
    pub count: u64,
    /// The sum of their ratings.
    pub sum: u64,
}

impl Ratings {
    /// With one more.
    pub(super) fn with(self, rating: Rating) -> Self {
        Self {
            count: self.count + 1,
            sum: self.sum + u64::from(rating.get()),
        }
    }

    /// With one less; `None` if there is no such rating.
    pub(super) fn without(self, rating: Rating) -> Option<Self> {
        Some(Self {
            count: self.count.checked_sub(1)?,
            sum: self.sum.checked_sub(rating.get().into())?,
        })
    }

    /// The average in hundredths, rounded half up; `None` without ratings.
    ///
    /// ```
    /// use stampcard::analytics::Ratings;
    /// assert_eq!(Ratings { count: 3, sum: 20 }.average_hundredths(), Some(667));
    /// assert_eq!(Ratings { count: 8, sum: 1 }.average_hundredths(), Some(13));
    /// assert_eq!(Ratings::default().average_hundredths(), None);
    /// ```
    pub fn average_hundredths(self) -> Option<u64> {
        (200 * self.sum + self.count).checked_div(2 * self.count)
    }
}

/// The figures of one offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OfferFigures {
    /// The offer.
    pub id: OfferId,
    /// Members who ever redeemed it.
    pub signups: u64,
    /// Its redemptions that are completed.
    pub completions: u64,
    /// Its redemptions that are canceled.
    pub cancellations: u64,
    /// The ratings of its redemptions.
    pub ratings: Ratings,
    /// Points of all spends on it, ever.
    pub spent: u64,
}

/// Everything that is counted for one offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferCounters {
    pub(super) number: OfferNumber,
    pub(super) id: OfferId,
    pub(super) completions: u64,
    pub(super) cancellations: u64,
    pub(super) ratings: Ratings,
    /// First redemptions by a member.
    pub(super) signups: Timeline,
    /// Spends and their points.
    pub(super) spent: Timeline,
}

impl OfferCounters {
    /// The current figures.
    pub fn figures(&self) -> OfferFigures {
        OfferFigures {
            id: self.id,
            signups: self.signups.total().count,
            completions: self.completions,
            cancellations: self.cancellations,
            ratings: self.ratings,
            spent: self.spent.total().amount,
        }
    }

    /// The row of the offer.
    pub fn number(&self) -> OfferNumber {
        self.number
    }

    /// First redemptions by a member, over time.
    pub fn signups(&self) -> &Timeline {
        &self.signups
    }

    /// Spends and their points, over time.
    pub fn spent(&self) -> &Timeline {
        &self.spent
    }
}

/// The figures of one bucket of a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// The start, inclusive.
    pub start: Timestamp,
    /// The end, exclusive.
    pub end: Timestamp,
    /// Members that signed up.
    pub signups: u64,
    /// Points minted.
    pub minted: u64,
    /// Points spent.
    pub spent: u64,
}
