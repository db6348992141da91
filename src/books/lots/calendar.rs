//! The calendar of a program: what is due, and when.
//!
//! It has an entry of eight bytes for every due thing of every account, in a list for each day. A
//! list is sorted when its day has come. Entries are not looked up to be removed: one whose points
//! are gone is left out when it is reached, and a list in which every second entry may be such a
//! one is cleared of them.

use std::collections::BTreeMap;

use crate::domain::{AccountKey, Due, DueKind, Timestamp};

const DAY: i64 = 86_400_000;
/// The bits of the kind in a [`Moment`].
const KIND_BITS: u32 = 5;
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
    /// Until it is sorted in any order; then in reverse order, so that the first one is the last.
    list: Vec<Entry>,
    is_sorted: bool,
    /// The first moment of any entry.
    first: Moment,
    /// The number of entries, at most, that are stale.
    stale: u32,
}

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
            is_sorted: false,
            first: moment,
            stale: 0,
        });
        day.first = day.first.min(moment);
        if day.list.len() == day.list.capacity() {
            // An eighth at a time: there may be many lists.
            day.list.reserve_exact(day.list.len() / 8 + 4);
        }
        let entry = Entry { moment, place };
        if day.is_sorted {
            let key = |entry: &Entry| (entry.moment, places.key_at(entry.place));
            let own = key(&entry);
            let at = day.list.partition_point(|entry| key(entry) > own);
            if day.list.get(at) != Some(&entry) {
                day.list.insert(at, entry);
            }
        } else {
            day.list.push(entry);
        }
    }

    /// Notes that a due thing is none any more.
    pub(in crate::books) fn note_stale(&mut self, due: Due, places: &impl Dated) {
        let (number, _) = Moment::new(due.at, due.kind);
        let Some(day) = self.days.get_mut(&number) else {
            return;
        };
        day.stale = day.stale.saturating_add(1);
        let is_half = usize::try_from(day.stale).is_ok_and(|stale| 2 * stale >= day.list.len());
        if day.stale >= STALE_MIN && is_half {
            day.clear(number, places);
            if day.list.is_empty() {
                self.days.remove(&number);
            }
        }
    }

    /// Replaces all notices by those of another notice time, which `places` knows. Only accounts
    /// with points that expire have any.
    pub(in crate::books) fn set_notice(&mut self, places: &impl Dated) {
        let mut all = Vec::new();
        self.days.retain(|number, day| {
            day.list.retain(|entry| match entry.moment.parts(*number) {
                Some((_, DueKind::Notice)) => false,
                Some((_, DueKind::Expire)) => {
                    all.push(entry.place);
                    true
                }
                _ => true,
            });
            // Notices are added faster to lists in any order.
            day.is_sorted = false;
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
            day.sort(places);
            let mut index = day.list.len();
            while index > 0 && found.len() < max {
                index -= 1;
                let entry = day.list[index];
                let Some((at, kind)) = entry.moment.parts(*number) else {
                    continue;
                };
                if at > until {
                    break;
                }
                if places.is_due(entry.place, at, kind) {
                    let account = places.key_at(entry.place);
                    if !skips(account) {
                        found.push(Due::new(at, kind, account));
                    }
                } else if index + 1 == day.list.len() {
                    day.list.pop();
                    day.stale = day.stale.saturating_sub(1);
                }
            }
            if let Some(first) = day.list.last() {
                day.first = first.moment;
            }
            if found.len() >= max {
                break;
            }
        }
        while let Some(day) = self.days.first_entry()
            && day.get().list.is_empty()
        {
            day.remove();
        }
        found
    }

    /// The memory that it takes, in bytes.
    pub(in crate::books) fn heap_bytes(&self) -> usize {
        let lists = self.days.values().map(|day| day.list.capacity());
        self.days.len() * size_of::<(i32, Day)>() + lists.sum::<usize>() * size_of::<Entry>()
    }
}

impl Day {
    fn sort(&mut self, places: &impl Dated) {
        if !self.is_sorted {
            let key = |entry: &Entry| (entry.moment, places.key_at(entry.place));
            // The numbers are looked up once each: there may be very many.
            self.list
                .sort_by_cached_key(|entry| std::cmp::Reverse(key(entry)));
            self.list.dedup();
            self.is_sorted = true;
        }
    }

    /// Removes stale and repeated entries.
    fn clear(&mut self, number: i32, places: &impl Dated) {
        self.list.retain(|entry| {
            let parts = entry.moment.parts(number);
            parts.is_some_and(|(at, kind)| places.is_due(entry.place, at, kind))
        });
        if !self.is_sorted {
            self.list.sort_unstable();
        }
        self.list.dedup();
        self.list.shrink_to_fit();
        self.stale = 0;
        let first = self.list.iter().map(|entry| entry.moment).min();
        self.first = first.unwrap_or(self.first);
    }
}
