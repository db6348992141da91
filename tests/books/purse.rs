//! The lots of an account as a plain list, in which lots without points stay.

use stampcard::books::Lots;
use stampcard::domain::{Lot, LotMoves, LotState, Points, Timestamp};

use super::naive::Person;

/// Where the points of a pile are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Free,
    Held {
        by: u32,
        is_provisional: bool,
        until: Option<i64>,
    },
    Later(i64),
}

/// A lot.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pile {
    pub(crate) number: u32,
    origin: u32,
    entry: u32,
    pub(crate) left: i64,
    pub(crate) end: Option<i64>,
    pub(crate) place: Place,
}

/// All lots of an account that ever were.
#[derive(Debug, Clone, Default)]
pub(crate) struct Purse(pub(crate) Vec<Pile>);

/// An entry that took points, and how many of them were restored.
#[derive(Debug, Clone)]
pub(crate) struct Taking {
    pub(crate) amount: i64,
    pub(crate) restored: i64,
    /// Numbers of lots, and what each lost, in order.
    pub(crate) parts: Vec<(u32, i64)>,
    pub(crate) lots: Option<LotMoves>,
}

/// What is done with points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Gone,
    To(Place),
}

fn time(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis).unwrap()
}

impl Purse {
    pub(crate) fn add(&mut self, entry: u32, left: i64, end: Option<i64>, place: Place) -> usize {
        let number = u32::try_from(self.0.len()).unwrap() + 1;
        self.0.push(Pile {
            number,
            origin: number,
            entry,
            left,
            end,
            place,
        });
        self.0.len() - 1
    }

    /// Part of a pile becomes a pile of its own.
    fn split(&mut self, index: usize, left: i64) -> usize {
        let number = u32::try_from(self.0.len()).unwrap() + 1;
        let pile = self.0[index];
        self.0.push(Pile {
            number,
            left,
            ..pile
        });
        self.0.len() - 1
    }

    pub(crate) fn lots(&self) -> Option<Box<Lots>> {
        let made = u32::try_from(self.0.len()).unwrap();
        let live = self.0.iter().filter(|pile| pile.left > 0);
        let live = live.map(|pile| Lot {
            number: pile.number,
            origin: pile.origin,
            entry: pile.entry,
            remaining: Points::new(pile.left).unwrap(),
            expires_at: pile.end.map(time),
            state: match pile.place {
                Place::Free => LotState::Available,
                Place::Held {
                    by,
                    is_provisional,
                    until,
                } => LotState::Held {
                    by,
                    is_provisional,
                    until: until.map(time),
                },
                Place::Later(at) => LotState::Deferred {
                    matures_at: time(at),
                },
            },
        });
        (made > 0).then(|| {
            Box::new(Lots {
                made,
                live: live.collect(),
                noticed_until: None,
            })
        })
    }

    /// All dates on which something happens, with the kind of what happens.
    pub(crate) fn dates(&self) -> impl Iterator<Item = (i64, u8)> {
        let live = self.0.iter().filter(|pile| pile.left > 0);
        live.flat_map(|pile| match (pile.place, pile.end) {
            (Place::Free, Some(end)) => vec![(end, 2)],
            (Place::Later(at), Some(end)) => vec![(at, 1), (end, 2)],
            (Place::Later(at), None) => vec![(at, 1)],
            (
                Place::Held {
                    until: Some(until), ..
                },
                Some(end),
            ) if until < end => {
                vec![(until, 3), (end, 2)]
            }
            (Place::Held { until, .. }, _) => until.map(|until| (until, 3)).into_iter().collect(),
            _ => Vec::new(),
        })
    }

    /// The ends of piles that can be spent then, with the time from which they can.
    pub(crate) fn ends(&self) -> impl Iterator<Item = (i64, i64)> {
        let live = self.0.iter().filter(|pile| pile.left > 0);
        live.filter_map(|pile| match pile.place {
            Place::Free => Some((pile.end?, i64::MIN)),
            Place::Later(at) => Some((pile.end?, at)),
            Place::Held { until, .. } => Some((pile.end?, until?)),
        })
    }

    pub(crate) fn sum(&self, fits: impl Fn(&Pile) -> bool) -> i64 {
        let piles = self.0.iter().filter(|pile| fits(pile));
        piles.map(|pile| pile.left).sum()
    }
}

impl Person {
    /// The number of the entry that is posted next.
    pub(crate) fn next_entry(&self) -> u32 {
        u32::try_from(self.entries.len()).unwrap() + 1
    }

    fn owed(&self) -> i64 {
        (-self.balance()).max(0)
    }

    /// Points are minted for a place.
    pub(crate) fn mint(&mut self, amount: i64, end: Option<i64>, place: Place) {
        let (entry, owed) = (self.next_entry(), self.owed());
        match place {
            Place::Later(_) => self.pending += amount,
            Place::Held { .. } => {
                (self.received, self.held) = (self.received + amount, self.held + amount);
            }
            Place::Free => self.received += amount,
        }
        if let Some(purse) = &mut self.purse {
            let place = match place {
                Place::Held { is_provisional, .. } => Place::Held {
                    by: entry,
                    is_provisional,
                    until: None,
                },
                place => place,
            };
            let repaid = if place == Place::Free {
                owed.min(amount)
            } else {
                0
            };
            purse.add(entry, amount - repaid, end, place);
        }
    }

    /// Points that fit go, or go somewhere else: the first by age or by end. Returns which, with
    /// the number of the pile before.
    pub(crate) fn drain(
        &mut self,
        mut amount: i64,
        by_end: bool,
        fits: impl Fn(&Pile) -> bool,
        fate: Fate,
    ) -> Vec<(u32, i64)> {
        let mut owed = if fate == Fate::To(Place::Free) {
            self.owed()
        } else {
            0
        };
        let Some(purse) = &mut self.purse else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        let mut open: Vec<usize> = (0..purse.0.len())
            .filter(|index| purse.0[*index].left > 0 && fits(&purse.0[*index]))
            .collect();
        while amount > 0 {
            let age = |index: &usize| (purse.0[*index].origin, purse.0[*index].number);
            let end = |index: &usize| purse.0[*index].end.unwrap_or(i64::MAX);
            let held_by = |index: &usize| match purse.0[*index].place {
                Place::Held { by, .. } => by,
                _ => 0,
            };
            let first = open.iter().copied().min_by_key(|index| {
                let end = if by_end { end(index) } else { 0 };
                // Of points that are held, those that were held first.
                (end, held_by(index), age(index))
            });
            let index = first.unwrap();
            open.retain(|other| *other != index);
            let points = amount.min(purse.0[index].left);
            amount -= points;
            parts.push((purse.0[index].number, points));
            let Fate::To(place) = fate else {
                purse.0[index].left -= points;
                continue;
            };
            let repaid = owed.min(points);
            owed -= repaid;
            purse.0[index].left -= repaid;
            let moved = points - repaid;
            if moved == purse.0[index].left {
                // Nothing stays where it was.
                if moved > 0 {
                    purse.0[index].place = place;
                }
            } else if moved > 0 {
                purse.0[index].left -= moved;
                let new = purse.split(index, moved);
                purse.0[new].place = place;
            }
        }
        parts
    }

    /// Points of an entry come back, the last ones first.
    pub(crate) fn restore_taking(&mut self, taking: usize, amount: i64) {
        let (entry, mut owed) = (self.next_entry(), self.owed());
        let taken = self.takings[taking].clone();
        self.takings[taking].restored += amount;
        self.received += amount;
        let Some(purse) = &mut self.purse else {
            return;
        };
        // One element for each point would be simpler, but there may be many points.
        let in_piles: i64 = taken.parts.iter().map(|(_, points)| points).sum();
        let mut last_first = vec![(0, taken.amount - in_piles)];
        last_first.extend(taken.parts.iter().rev());
        let (mut skip, mut left) = (taken.restored, amount);
        let mut given: Vec<(usize, i64)> = Vec::new();
        for (number, points) in last_first {
            let skipped = skip.min(points);
            skip -= skipped;
            let points = left.min(points - skipped);
            left -= points;
            if points == 0 {
                continue;
            }
            if number == 0 {
                let repaid = owed.min(points);
                owed -= repaid;
                purse.add(entry, points - repaid, None, Place::Free);
                continue;
            }
            let index = usize::try_from(number).unwrap() - 1;
            let pile = &mut purse.0[index];
            if pile.left == 0 || pile.place == Place::Free {
                pile.left += points;
                pile.place = Place::Free;
                given.push((index, points));
            } else {
                let new = purse.split(index, points);
                purse.0[new].place = Place::Free;
                given.push((new, points));
            }
        }
        given.sort_by_key(|(index, _)| (purse.0[*index].origin, *index));
        for (index, points) in given {
            let repaid = owed.min(points);
            owed -= repaid;
            purse.0[index].left -= repaid;
        }
    }

    /// The equations that always hold.
    #[track_caller]
    pub(crate) fn check_equations(&self) {
        assert!(self.held >= 0 && self.pending >= 0, "{self:?}");
        let Some(purse) = &self.purse else {
            assert_eq!(self.pending, 0);
            return;
        };
        let free = purse.sum(|pile| pile.place == Place::Free);
        assert_eq!(free, self.balance().max(0), "{self:?}");
        let held = purse.sum(|pile| matches!(pile.place, Place::Held { .. }));
        assert_eq!(held, self.held, "{self:?}");
        let later = purse.sum(|pile| matches!(pile.place, Place::Later(_)));
        assert_eq!(later, self.pending, "{self:?}");
    }
}
