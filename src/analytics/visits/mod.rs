//! Who did something, and when: the number of distinct members of any window.
//!
//! Each visit has a **link** to the visit of the same member before it. A member who did something
//! in a window has exactly one visit in it whose link points before the window, or nowhere. So the
//! members of a window are a count of links below a bound, and so are those who came for the first
//! time, came back, or came back after a pause. Nothing is estimated.
//!
//! Visits of one [`Deed`] are the entries of one timeline, which has their times: the place of a
//! visit is its place there. Links are in blocks, each of them a wavelet matrix, which counts in as
//! many steps as a link has bits. Blocks are closed, and merged into larger ones, beside the fold,
//! so that a window of millions of visits touches a few dozen of them.
//!
//! Sources: Muthukrishnan, "Efficient algorithms for document retrieval problems" (2002), for
//! counting distinct items by the place of each one before; Claude, Navarro and Ordóñez, "The
//! wavelet matrix" (2015), for the counts; O'Neil et al., "The log-structured merge-tree" (1996),
//! for the sizes of blocks.

mod links;
mod matrix;
mod stored;

use std::ops::Range;

use self::links::Links;
pub(super) use self::stored::{StoredVisits, VisitDraft, VisitState};
use super::timeline::in_order;
use super::{Measure, Timeline};
use crate::domain::{ByNumber, MemberNumber};

/// The kinds of visits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Any of the four that follow.
    Any,
    /// Points were credited.
    Mint,
    /// A redemption was created.
    Redemption,
    /// A token was exchanged.
    Exchange,
    /// An event was stored.
    StoredEvent,
    /// Points were credited that can be spent at once, or deferred points became available. Nothing
    /// is recorded before the program has deferred points: until then it is the same as a mint.
    Earning,
}

impl Deed {
    /// All of them, in the order in which snapshots store them.
    pub const ALL: [Self; 6] = [
        Self::Any,
        Self::Mint,
        Self::Redemption,
        Self::Exchange,
        Self::StoredEvent,
        Self::Earning,
    ];

    /// The timeline of which these visits are the entries.
    pub const fn measure(self) -> Measure {
        match self {
            Self::Any => Measure::Active,
            Self::Mint => Measure::Minted,
            Self::Redemption => Measure::Redeemed,
            Self::Exchange => Measure::Exchanges,
            Self::StoredEvent => Measure::StoredEvents,
            Self::Earning => Measure::Earned,
        }
    }
}

/// A number for each kind of visits.
type OfDeeds<T> = [T; Deed::ALL.len()];

/// The members of a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Comings {
    /// Distinct members with a visit in the window.
    pub members: u64,
    /// Of these, those without any visit before the window.
    pub first: u64,
    /// Of these, those with a visit before the window, but none in the window of the same length
    /// directly before it.
    pub reactivated: u64,
}

/// The numbers of visits that are counted: those of the moment at which an answer begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent(OfDeeds<usize>);

/// The visits of one program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Visits {
    links: OfDeeds<Links>,
    /// The link to each member's newest visit, of each kind.
    newest: ByNumber<MemberNumber, OfDeeds<u32>>,
    /// Late visits, in any order.
    late: Vec<(Deed, i64, MemberNumber)>,
}

/// Links of one program that can be put into other blocks: a step that may take long and needs no
/// lock.
#[derive(Debug)]
pub struct Merge {
    deed: Deed,
    merge: links::Merge,
}

/// The result of a [`Merge`].
#[derive(Debug)]
pub struct Merged {
    deed: Deed,
    merged: links::Merged,
}

impl Merge {
    /// Makes the blocks.
    #[must_use]
    pub fn run(self) -> Merged {
        Merged {
            deed: self.deed,
            merged: self.merge.run(),
        }
    }
}

impl Visits {
    /// The largest number of visits of one kind. No further ones are counted.
    const MAX: usize = u32::MAX as usize - 1;

    /// Adds a visit of each of the kinds, at a time in milliseconds since 1970, after it is added
    /// to their timelines. A late one, which only an import brings, counts once
    /// [`Visits::settle`] has merged it into its place.
    pub(super) fn push(
        &mut self,
        deeds: &[Deed],
        at: i64,
        member: MemberNumber,
        timelines: &[Timeline; Measure::ALL.len()],
    ) {
        let newest = self.newest.entry(member).or_default();
        for deed in deeds {
            let index = *deed as usize;
            if timelines[deed.measure() as usize].is_late(at) {
                self.late.push((*deed, at, member));
            } else {
                add(&mut self.links[index], &mut newest[index]);
            }
        }
    }

    /// Records from now on apart from mints what was the same before.
    pub(super) fn part_earning(&mut self) {
        let [from, to] = [Deed::Mint, Deed::Earning].map(|deed| deed as usize);
        self.links[to] = self.links[from].clone();
        for newest in self.newest.values_mut() {
            newest[to] = newest[from];
        }
        let is_mint = |late: &&(Deed, i64, MemberNumber)| late.0 == Deed::Mint;
        let late = self.late.iter().filter(is_mint);
        let late: Vec<_> = late.map(|it| (Deed::Earning, it.1, it.2)).collect();
        self.late.extend(late);
    }

    /// The number of visits of each kind.
    pub(super) fn extent(&self) -> Extent {
        Extent(self.links.each_ref().map(Links::len))
    }

    /// The distinct members with a visit in the half-open window from `from` to `to`, in
    /// milliseconds since 1970.
    pub(super) fn members(&self, deed: Deed, times: &Timeline, window: Window) -> u64 {
        let range = window.places(deed, times);
        self.linked_before(deed, &range, range.start)
    }

    /// [`Visits::members`], and how many of them came for the first time or after a pause.
    pub(super) fn comings(&self, deed: Deed, times: &Timeline, window: Window) -> Comings {
        let range = window.places(deed, times);
        if range.is_empty() {
            return Comings::default();
        }
        let first = self.links[deed as usize].count_below(range.clone(), 1) as u64;
        let pause = window
            .from
            .saturating_sub(window.to.saturating_sub(window.from));
        // With no visit since then: the link is below that place.
        let absent = self.linked_before(deed, &range, window.place(deed, times, pause));
        Comings {
            members: self.linked_before(deed, &range, range.start),
            first,
            reactivated: absent - first,
        }
    }

    /// Merges late visits into their places, before their timelines do so. Returns whether there
    /// were any.
    pub(super) fn settle(&mut self, timelines: &[Timeline; Measure::ALL.len()]) -> bool {
        let late = std::mem::take(&mut self.late);
        for deed in Deed::ALL {
            let of_deed = late.iter().filter(|(other, ..)| *other == deed);
            let of_deed: Vec<_> = of_deed.map(|(_, at, member)| (*at, *member)).collect();
            if of_deed.is_empty() {
                continue;
            }
            let index = deed as usize;
            let times = timelines[deed.measure() as usize].entries();
            let entries = times.map(|(at, _)| at).zip(self.members_of(deed));
            let entries: Vec<_> = in_order(entries, of_deed).collect();
            self.links[index] = Links::default();
            for newest in self.newest.values_mut() {
                newest[index] = 0;
            }
            for (_, member) in entries {
                let newest = self.newest.entry(member).or_default();
                add(&mut self.links[index], &mut newest[index]);
            }
        }
        !late.is_empty()
    }

    /// Links that would be counted faster in other blocks; `None` if there are none.
    pub(super) fn plan_merge(&self) -> Option<Merge> {
        self.plan(Links::plan_merge)
    }

    /// Links that are in no block yet, although there are enough of them; `None` if there are none.
    pub(super) fn plan_close(&self) -> Option<Merge> {
        self.plan(Links::plan_close)
    }

    fn plan(&self, plan: impl Fn(&Links) -> Option<links::Merge>) -> Option<Merge> {
        Deed::ALL.into_iter().find_map(|deed| {
            let merge = plan(&self.links[deed as usize])?;
            Some(Merge { deed, merge })
        })
    }

    /// Puts blocks instead of what they were made of. Returns false, and changes nothing, if
    /// it is not there any more.
    pub(super) fn accept(&mut self, merged: Merged) -> bool {
        self.links[merged.deed as usize].accept(merged.merged)
    }

    /// The memory that it takes on the heap, in bytes.
    pub(super) fn heap_bytes(&self) -> usize {
        // A map has a byte of its own for each place of an entry, and an eighth of them is free.
        let entry = size_of::<(MemberNumber, OfDeeds<u32>)>() + 1;
        let places = self.newest.capacity() * 8 / 7;
        self.links.iter().map(Links::heap_bytes).sum::<usize>()
            + places * entry
            + self.late.capacity() * size_of::<(Deed, i64, MemberNumber)>()
    }

    /// The visits of a range whose member has none from `place` on, or none at all, before it.
    fn linked_before(&self, deed: Deed, range: &Range<usize>, place: usize) -> u64 {
        // A link is a place plus one.
        let bound = u32::try_from(place + 1).unwrap_or(u32::MAX);
        self.links[deed as usize].count_below(range.clone(), bound) as u64
    }

    /// The member of each visit, found by following each member's links.
    fn members_of(&self, deed: Deed) -> Vec<MemberNumber> {
        let index = deed as usize;
        let links: Vec<u32> = self.links[index].iter().collect();
        let mut members = vec![MemberNumber(0); links.len()];
        for (member, newest) in &self.newest {
            let (mut link, mut before) = (newest[index], u32::MAX);
            // Links lead to ever earlier places.
            while let Some(place) = link.checked_sub(1).filter(|_| link < before) {
                let Some(entry) = members.get_mut(place as usize) else {
                    break;
                };
                *entry = *member;
                (before, link) = (link, links[place as usize]);
            }
        }
        members
    }
}

/// Adds a visit of a member with a link to this newest one.
fn add(links: &mut Links, newest: &mut u32) {
    let place = links.len();
    if place < Visits::MAX {
        links.push(*newest);
        *newest = u32::try_from(place + 1).unwrap_or(u32::MAX);
    }
}

/// A window, of the visits that are counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) extent: Extent,
}

impl Window {
    fn places(self, deed: Deed, times: &Timeline) -> Range<usize> {
        let [start, end] = [self.from, self.to].map(|at| self.place(deed, times, at));
        start..end.max(start)
    }

    /// The number of visits before a time.
    fn place(self, deed: Deed, times: &Timeline, at: i64) -> usize {
        let place = usize::try_from(times.before(at).count).unwrap_or(usize::MAX);
        place.min(self.extent.0[deed as usize])
    }
}

#[cfg(test)]
mod tests;
