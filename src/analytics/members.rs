//! The members who did something in a window.

use super::visits::{self, Comings, Deed, Extent};
use super::{Counters, Measure};
use crate::domain::{Activity, Entry, Event, LedgerEntry, MemberNumber, StoredEvent};

/// The distinct members of a window.
///
/// ```
/// use stampcard::analytics::MemberFigures;
/// let figures = MemberFigures { active: 5, first: 2, ..MemberFigures::default() };
/// assert_eq!(figures.returning(), 3);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MemberFigures {
    /// Members who did something.
    pub active: u64,
    /// Members with points that were credited, or that became available where they were deferred.
    pub earning: u64,
    /// Members who created a redemption.
    pub redeeming: u64,
    /// Members who signed up.
    pub new: u64,
    /// Of those who are active, the ones who never were before.
    pub first: u64,
    /// Of those who are active, the ones who were before, but not in the window of the same length
    /// directly before this one.
    pub reactivated: u64,
    /// Members with points that were credited, whenever these became available.
    pub by_mint: u64,
    /// Members with a token exchange.
    pub by_exchange: u64,
    /// Members with a stored event.
    pub by_event: u64,
}

impl MemberFigures {
    /// Members who are active and were so before the window.
    pub fn returning(&self) -> u64 {
        self.active - self.first
    }
}

/// What a program had counted at one moment. Later activities change no figure that is asked for
/// with it, so that a long answer needs no long lock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moment {
    extent: Extent,
    signups: u64,
    has_deferred: bool,
}

impl Counters {
    /// Counts what the member of an activity did, after it is counted in its own measure.
    pub(super) fn apply_deeds(&mut self, activity: &Activity) {
        let millis = activity.at.as_millis();
        match &activity.event {
            Event::WalletCredited(entry)
            | Event::WalletDebited(entry)
            | Event::WalletMoved(entry)
                if entry.asset.is_none() =>
            {
                self.apply_deed(entry, millis);
            }
            Event::RedemptionCreated { member, .. } => {
                self.count(Measure::Redeemed, millis, 1);
                self.act(Deed::Redemption, *member, millis);
            }
            Event::TokenExchanged { member, .. } => self.act(Deed::Exchange, *member, millis),
            Event::EventStored(StoredEvent {
                member: Some(member),
                ..
            }) => {
                self.count(Measure::StoredEvents, millis, 1);
                self.act(Deed::StoredEvent, *member, millis);
            }
            _ => {}
        }
    }

    /// Counts what the member of an entry of the program's points did.
    fn apply_deed(&mut self, entry: &LedgerEntry, millis: i64) {
        let deferred = deferred(entry);
        match entry.entry {
            Entry::Mint => {
                self.act(Deed::Mint, entry.member, millis);
                if self.has_deferred && deferred == 0 {
                    self.earn(entry, millis);
                }
            }
            Entry::Mature if self.has_deferred && deferred < 0 => self.earn(entry, millis),
            // An amount was redeemed, not an offer.
            Entry::Spend if entry.redemption.is_none() => {
                self.count(Measure::Redeemed, millis, 1);
                self.act(Deed::Redemption, entry.member, millis);
            }
            _ => {}
        }
    }

    /// Notes that a member did something.
    fn act(&mut self, deed: Deed, member: MemberNumber, millis: i64) {
        self.count(Measure::Active, millis, 1);
        let deeds = [Deed::Any, deed];
        self.visits.push(&deeds, millis, member, &self.timelines);
    }

    /// Notes that a member has further points that can be spent.
    fn earn(&mut self, entry: &LedgerEntry, millis: i64) {
        self.count(Measure::Earned, millis, entry.amount.get().unsigned_abs());
        let deeds = [Deed::Earning];
        self.visits
            .push(&deeds, millis, entry.member, &self.timelines);
    }

    /// Records earned points apart from mints from the first deferred ones on, before these are
    /// counted.
    pub(super) fn part_earning(&mut self, entry: &LedgerEntry) {
        if self.has_deferred || entry.entry != Entry::Mint || deferred(entry) == 0 {
            return;
        }
        self.has_deferred = true;
        self.visits.part_earning();
        self.timelines[Measure::Earned as usize] = self.timeline(Measure::Minted).clone();
    }

    /// The memory that the visits of members take, in bytes.
    pub fn visits_bytes(&self) -> usize {
        self.visits.heap_bytes()
    }

    /// The present moment.
    pub fn moment(&self) -> Moment {
        Moment {
            extent: self.visits.extent(),
            signups: self.timeline(Measure::Signups).total().count,
            has_deferred: self.has_deferred,
        }
    }

    /// The members of the half-open window from `from` to `to`, in milliseconds since 1970, without
    /// what came after a moment.
    pub fn members(&self, moment: Moment, from: i64, to: i64) -> MemberFigures {
        let distinct = |deed| self.distinct(deed, moment, from, to);
        let window = window(moment, from, to);
        let times = self.timeline(Measure::Active);
        let Comings {
            members,
            first,
            reactivated,
        } = self.visits.comings(Deed::Any, times, window);
        let by_mint = distinct(Deed::Mint);
        let signups = self.timeline(Measure::Signups);
        let signups = [from, to].map(|at| signups.before(at).count.min(moment.signups));
        MemberFigures {
            active: members,
            earning: if moment.has_deferred {
                distinct(Deed::Earning)
            } else {
                by_mint
            },
            redeeming: distinct(Deed::Redemption),
            new: signups[1].saturating_sub(signups[0]),
            first,
            reactivated,
            by_mint,
            by_exchange: distinct(Deed::Exchange),
            by_event: distinct(Deed::StoredEvent),
        }
    }

    /// The distinct members with a visit of one kind in a window.
    pub(super) fn distinct(&self, deed: Deed, moment: Moment, from: i64, to: i64) -> u64 {
        // Nothing is apart before it has to be.
        let deed = match deed {
            Deed::Earning if !moment.has_deferred => Deed::Mint,
            deed => deed,
        };
        let times = self.timeline(deed.measure());
        self.visits.members(deed, times, window(moment, from, to))
    }
}

/// The change of an account's deferred points.
fn deferred(entry: &LedgerEntry) -> i64 {
    entry.buckets.as_ref().map_or(0, |buckets| buckets.deferred)
}

fn window(moment: Moment, from: i64, to: i64) -> visits::Window {
    visits::Window {
        from,
        to,
        extent: moment.extent,
    }
}
