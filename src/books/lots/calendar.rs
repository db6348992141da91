//! The calendar of a program: what is due, and when.
//!
//! It has an entry of eight bytes for every due thing of every account, in a list for each day. A
//! list is sorted when its day has come: one run after the other, so that a long list keeps nobody
//! waiting, and the runs are merged while they are read. Entries are not looked up to be removed:
//! one whose points are gone is left out when it is reached, and a list in which every second entry
//! may be such a one is cleared of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use crate::domain::{AccountKey, Due, DueKind, Timestamp};

const DAY: i64 = 86_400_000;
/// The bits of the kind in a [`Moment`].
const KIND_BITS: u32 = 5;
/// The most entries that are sorted at a time, which takes less than a millisecond.
const RUN: usize = 4096;
/// A list with fewer stale entries is not worth to be cleared of them.
const STALE_MIN: u32 = 16;

/// The milliseconds of the day and the kind, in the order in which things happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Moment(u32);

impl Moment {
    fn new(at: Timestamp, kind: DueKind) -> (i32, Self) {
        let millis = at.as_millis();
        let day = i32::try_from(millis.div_euclid(DAY)).unwrap_or(i32::MAX);
        let rest = u32::try_from(millis.rem_euclid(DAY)).unwrap_or(0);
        (day, Self(rest << KIND_BITS | u32::from(kind.number())))
    }

    fn parts(self, day: i32) -> Option<(Timestamp, DueKind)> {
        let kind = self.0.to_le_bytes()[0] & ((1 << KIND_BITS) - 1);
        let millis = i64::from(day) * DAY + i64::from(self.0 >> KIND_BITS);
        Some((Timestamp::from_millis(millis)?, DueKind::of_number(kind)?))
    }
}

/// A due thing of the account whose record is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Entry {
    moment: Moment,
    place: u32,
}

/// The due things of a day.
#[derive(Debug)]
struct Day {
    /// The runs, with gaps after those that were read in part, and then entries in any order.
    list: Vec<Entry>,
    runs: Vec<Run>,
    /// Where the entries in any order begin.
    sorted: usize,
    /// The number of entries without gaps.
    len: usize,
    /// The first moment of any entry.
    first: Moment,
    /// The number of entries, at most, that are stale.
    stale: u32,
}

/// A sorted part of a list: in reverse order, so that the first entry is the last.
#[derive(Debug)]
struct Run {
    start: usize,
    end: usize,
}

/// The order in which things happen.
type Key = (Moment, AccountKey);

/// What the calendar asks the books.
pub(in crate::books) trait Dated {
    /// The account whose record is at a place.
    fn key_at(&self, place: u32) -> AccountKey;

    /// Whether the published record at a place has something of this kind due at this time.
    fn is_due(&self, place: u32, at: Timestamp, kind: DueKind) -> bool;

    /// The notices of the published record at a place, in order.
    fn notices(&self, place: u32) -> Vec<Due>;
}

/// The due things of a program.
#[derive(Debug, Default)]
pub(in crate::books) struct Calendar {
    days: BTreeMap<i32, Day>,
}

impl Calendar {
    /// Adds a due thing of the record at a place.
    pub(in crate::books) fn add(&mut self, due: Due, place: u32, places: &impl Dated) {
        let (day, moment) = Moment::new(due.at, due.kind);
        let day = self.days.entry(day).or_insert_with(|| Day {
            list: Vec::new(),
            runs: Vec::new(),
            sorted: 0,
            len: 0,
            first: moment,
            stale: 0,
        });
        day.first = day.first.min(moment);
        if day.list.len() == day.list.capacity() {
            // An eighth at a time: there may be many lists.
            day.list.reserve_exact(day.list.len() / 8 + 4);
        }
        day.insert(Entry { moment, place }, places);
    }

    /// Notes that a due thing is none any more.
    pub(in crate::books) fn note_stale(&mut self, due: Due, places: &impl Dated) {
        let (number, _) = Moment::new(due.at, due.kind);
        let Some(day) = self.days.get_mut(&number) else {
            return;
        };
        day.stale = day.stale.saturating_add(1);
        let is_half = usize::try_from(day.stale).is_ok_and(|stale| 2 * stale >= day.len);
        if day.stale >= STALE_MIN && is_half {
            day.clear(number, places);
            if day.len == 0 {
                self.days.remove(&number);
            }
        }
    }

    /// Replaces all notices by those of another notice time, which `places` knows. Only accounts
    /// with points that expire have any.
    pub(in crate::books) fn set_notice(&mut self, places: &impl Dated) {
        let mut all = Vec::new();
        self.days.retain(|number, day| {
            // Notices are added faster to lists in any order.
            day.mix();
            day.list.retain(|entry| match entry.moment.parts(*number) {
                Some((_, DueKind::Notice)) => false,
                Some((_, DueKind::Expire)) => {
                    all.push(entry.place);
                    true
                }
                _ => true,
            });
            day.len = day.list.len();
            let first = day.list.iter().map(|entry| entry.moment).min();
            day.first = first.unwrap_or(day.first);
            !day.list.is_empty()
        });
        all.sort_unstable();
        all.dedup();
        for place in all {
            for due in places.notices(place) {
                self.add(due, place, places);
            }
        }
    }

    /// The time before which nothing is due, if anything may be due some day.
    pub(in crate::books) fn next(&self) -> Option<Timestamp> {
        let (number, day) = self.days.first_key_value()?;
        day.first.parts(*number).map(|(at, _)| at)
    }

    /// Sorts a run of what is due up to a time. Returns whether all of it is sorted, so that
    /// [`Calendar::due`] takes little time.
    pub(in crate::books) fn sort_run(&mut self, until: Timestamp, places: &impl Dated) -> bool {
        let (last, _) = Moment::new(until, DueKind::Mature);
        let mut days = self.days.range_mut(..=last);
        let unsorted = days.find(|(_, day)| !day.is_sorted());
        if let Some((_, day)) = unsorted {
            day.sort_run(places);
            return day.is_sorted() && days.all(|(_, day)| day.is_sorted());
        }
        true
    }

    /// What is due up to a time, in order, at most `max`, except of the accounts that `skips`
    /// names. Forgets the stale entries that it comes across first.
    pub(in crate::books) fn due(
        &mut self,
        until: Timestamp,
        max: usize,
        places: &impl Dated,
        skips: impl Fn(AccountKey) -> bool,
    ) -> Vec<Due> {
        let (last, _) = Moment::new(until, DueKind::Mature);
        let mut found = Vec::new();
        for (number, day) in self.days.range_mut(..=last) {
            while !day.is_sorted() {
                day.sort_run(places);
            }
            let is_due = |entry: Entry, (at, kind)| places.is_due(entry.place, at, kind);
            day.read(places, |entry, (_, account)| {
                let Some((at, kind)) = entry.moment.parts(*number) else {
                    return Reading::GoOn;
                };
                if at > until || found.len() >= max {
                    return Reading::Stop;
                }
                if !is_due(entry, (at, kind)) {
                    return Reading::Forget;
                }
                let due = Due::new(at, kind, account);
                if !skips(account) && found.last() != Some(&due) {
                    found.push(due);
                }
                Reading::GoOn
            });
            if found.len() >= max {
                break;
            }
        }
        while let Some(day) = self.days.first_entry()
            && day.get().len == 0
        {
            day.remove();
        }
        found
    }

    /// The memory that it takes, in bytes.
    pub(in crate::books) fn heap_bytes(&self) -> usize {
        let lists = self.days.values().map(|day| day.list.capacity());
        let runs = self.days.values().map(|day| day.runs.capacity());
        self.days.len() * size_of::<(i32, Day)>()
            + lists.sum::<usize>() * size_of::<Entry>()
            + runs.sum::<usize>() * size_of::<Run>()
    }
}

/// Whether an entry that is read is needed.
enum Reading {
    /// It stays.
    GoOn,
    /// It is stale.
    Forget,
    /// It stays, and is the last one that is read.
    Stop,
}

impl Day {
    fn is_sorted(&self) -> bool {
        self.sorted == self.list.len()
    }

    /// Adds an entry: to the last run, if all are sorted.
    fn insert(&mut self, entry: Entry, places: &impl Dated) {
        let is_sorted = self.is_sorted();
        match self.runs.last_mut() {
            Some(run) if is_sorted => {
                let own = key_of(entry, places);
                let part = &self.list[run.start..run.end];
                let at = part.partition_point(|entry| key_of(*entry, places) > own);
                if part.get(at) == Some(&entry) {
                    return;
                }
                self.list.insert(run.start + at, entry);
                run.end += 1;
                self.sorted += 1;
            }
            _ => self.list.push(entry),
        }
        self.len += 1;
    }

    /// Makes a run of the next entries in any order.
    fn sort_run(&mut self, places: &impl Dated) {
        let (start, end) = (self.sorted, self.list.len().min(self.sorted + RUN));
        // The numbers are looked up once each.
        self.list[start..end].sort_by_cached_key(|entry| Reverse(key_of(*entry, places)));
        self.runs.push(Run { start, end });
        self.sorted = end;
    }

    /// Reads sorted entries in order, until `read` stops it.
    fn read(&mut self, places: &impl Dated, mut read: impl FnMut(Entry, Key) -> Reading) {
        let next = |list: &[Entry], start, end| {
            let entry = *list[start..end].last()?;
            Some((Reverse(key_of(entry, places)), end - 1))
        };
        let mut heads: BinaryHeap<_> = (self.runs.iter().enumerate())
            .filter_map(|(index, run)| {
                let (key, place) = next(&self.list, run.start, run.end)?;
                Some((key, Reverse(index), place))
            })
            .collect();
        let mut forgotten = 0;
        while let Some((Reverse(key), Reverse(index), place)) = heads.pop() {
            let run = &mut self.runs[index];
            match read(self.list[place], key) {
                // What is after an entry that stays is looked at again.
                Reading::Forget if place + 1 == run.end => {
                    run.end -= 1;
                    forgotten += 1;
                }
                Reading::GoOn | Reading::Forget => {}
                Reading::Stop => break,
            }
            if let Some((key, place)) = next(&self.list, run.start, place) {
                heads.push((key, Reverse(index), place));
            }
        }
        if forgotten > 0 {
            self.len -= forgotten;
            let forgotten = u32::try_from(forgotten).unwrap_or(u32::MAX);
            self.stale = self.stale.saturating_sub(forgotten);
            self.runs.retain(|run| run.start < run.end);
            self.list
                .truncate(self.runs.last().map_or(0, |run| run.end));
            self.sorted = self.list.len();
        }
        let ends = self.runs.iter().map(|run| self.list[run.end - 1].moment);
        self.first = ends.min().unwrap_or(self.first);
    }

    /// Puts the entries in any order, without gaps.
    fn mix(&mut self) {
        let mut len = 0;
        for run in self.runs.drain(..) {
            self.list.copy_within(run.start..run.end, len);
            len += run.end - run.start;
        }
        self.list.drain(len..self.sorted);
        self.sorted = 0;
    }

    /// Removes stale and repeated entries.
    fn clear(&mut self, number: i32, places: &impl Dated) {
        self.mix();
        self.list.retain(|entry| {
            let parts = entry.moment.parts(number);
            parts.is_some_and(|(at, kind)| places.is_due(entry.place, at, kind))
        });
        self.list.sort_unstable();
        self.list.dedup();
        self.list.shrink_to_fit();
        self.len = self.list.len();
        self.stale = 0;
        let first = self.list.iter().map(|entry| entry.moment).min();
        self.first = first.unwrap_or(self.first);
    }
}

fn key_of(entry: Entry, places: &impl Dated) -> Key {
    (entry.moment, places.key_at(entry.place))
}

#[cfg(test)]
mod tests;
