//! A list of lots, and what operations do to it.

/// The number of instants among which all dates are.
pub(super) const INSTANTS: usize = 8;

/// Where points are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Free,
    Later(usize),
    Held {
        by: usize,
        until: Option<usize>,
        is_provisional: bool,
        reference: Option<&'static str>,
    },
}

impl Place {
    pub(super) fn is_held(&self) -> bool {
        matches!(self, Self::Held { .. })
    }

    /// Whether points are held, with this reference if there is one.
    pub(super) fn refers_to(&self, wanted: Option<&'static str>) -> bool {
        matches!(self, Self::Held { reference, .. } if wanted.is_none() || *reference == wanted)
    }

    fn is_provisional_of(&self, wanted: &'static str) -> bool {
        matches!(self, Self::Held { is_provisional: true, reference, .. }
            if *reference == Some(wanted))
    }

    fn by(&self) -> usize {
        match self {
            Self::Held { by, .. } => *by,
            _ => 0,
        }
    }
}

/// Points that were credited together, or a part of them.
#[derive(Debug, Clone, Copy)]
struct Pile {
    age: usize,
    points: i64,
    end: Option<usize>,
    place: Place,
}

/// Where points go that are taken.
enum Fate {
    Gone,
    To(Place),
}

#[derive(Debug)]
pub(super) struct Naive {
    piles: Vec<Pile>,
    /// The points by which the balance is negative.
    owed: i64,
    /// Whether those that end first go first.
    by_end: bool,
    /// The number of piles, and of holds, so far.
    count: usize,
    /// What each redemption took, in order.
    spent: Vec<Vec<Pile>>,
}

impl Naive {
    pub(super) fn new(by_end: bool) -> Self {
        Self {
            piles: Vec::new(),
            owed: 0,
            by_end,
            count: 0,
            spent: Vec::new(),
        }
    }

    pub(super) fn sum(&self, fits: impl Fn(&Place) -> bool) -> i64 {
        let piles = self.piles.iter().filter(|pile| fits(&pile.place));
        piles.map(|pile| pile.points).sum()
    }

    pub(super) fn sum_provisional(&self, reference: &'static str) -> i64 {
        self.sum(|place| place.is_provisional_of(reference))
    }

    /// Available, deferred and held points.
    pub(super) fn buckets(&self) -> [i64; 3] {
        let free = self.sum(|place| *place == Place::Free);
        let later = self.sum(|place| matches!(place, Place::Later(_)));
        [free - self.owed, later, self.sum(Place::is_held)]
    }

    fn next(&mut self) -> usize {
        self.count += 1;
        self.count
    }

    pub(super) fn credit(&mut self, points: i64, end: Option<usize>, place: Place) {
        let age = self.next();
        let place = match place {
            Place::Held {
                until,
                is_provisional,
                reference,
                ..
            } => Place::Held {
                by: age,
                until,
                is_provisional,
                reference,
            },
            place => place,
        };
        let pile = Pile {
            age,
            points,
            end,
            place,
        };
        self.put(pile);
    }

    /// Adds points; free ones first make up for a negative balance.
    fn put(&mut self, mut pile: Pile) {
        if pile.place == Place::Free {
            let repaid = self.owed.min(pile.points);
            self.owed -= repaid;
            pile.points -= repaid;
        }
        if pile.points > 0 {
            self.piles.push(pile);
        }
    }

    /// Moves points, in their order. Returns what was taken.
    fn drain(&mut self, points: i64, fits: impl Fn(&Pile) -> bool, fate: &Fate) -> Vec<Pile> {
        let mut order: Vec<usize> = (0..self.piles.len()).collect();
        order.retain(|index| fits(&self.piles[*index]));
        order.sort_by_key(|index| {
            let pile = &self.piles[*index];
            let by_end = self.by_end && pile.place == Place::Free;
            let end = by_end.then_some((pile.end.is_none(), pile.end));
            (end, pile.place.by(), pile.age)
        });
        let (mut left, mut taken) = (points, Vec::new());
        for index in order {
            let part = self.piles[index].points.min(left);
            if part > 0 {
                left -= part;
                self.piles[index].points -= part;
                taken.push(Pile {
                    points: part,
                    ..self.piles[index]
                });
            }
        }
        assert_eq!(left, 0);
        self.piles.retain(|pile| pile.points > 0);
        if let Fate::To(place) = fate {
            for pile in &taken {
                self.put(Pile {
                    place: *place,
                    ..*pile
                });
            }
        }
        taken
    }

    /// Takes points, if there are enough.
    pub(super) fn take(&mut self, points: i64, fits: impl Fn(&Place) -> bool) -> bool {
        let is_enough = self.sum(&fits) >= points;
        if is_enough {
            self.drain(points, |pile| fits(&pile.place), &Fate::Gone);
        }
        is_enough
    }

    pub(super) fn overdraw(&mut self, points: i64) {
        let free = self.sum(|place| *place == Place::Free).min(points);
        self.take(free, |place| *place == Place::Free);
        self.owed += points - free;
    }

    pub(super) fn hold(
        &mut self,
        points: Option<i64>,
        reference: Option<&'static str>,
        until: Option<usize>,
    ) -> bool {
        let free = self.sum(|place| *place == Place::Free);
        let points = points.unwrap_or(free);
        if points == 0 || points > free {
            return false;
        }
        let place = Place::Held {
            by: self.next(),
            until,
            is_provisional: false,
            reference,
        };
        self.drain(points, |pile| pile.place == Place::Free, &Fate::To(place));
        true
    }

    pub(super) fn release(&mut self, points: Option<i64>, reference: Option<&'static str>) -> bool {
        let held = self.sum(|place| place.refers_to(reference));
        let points = points.unwrap_or(held);
        if points == 0 || points > held {
            return false;
        }
        // What is the person's own comes back before what was credited as held.
        let taken = self.drain(points, |pile| pile.place.refers_to(reference), &Fate::Gone);
        for provisional in [false, true] {
            for pile in &taken {
                let is_provisional =
                    matches!(pile.place, Place::Held { is_provisional, .. } if is_provisional);
                if is_provisional == provisional {
                    self.put(Pile {
                        place: Place::Free,
                        ..*pile
                    });
                }
            }
        }
        true
    }

    /// Makes points free that were credited as held, up to a number; the others are taken back.
    pub(super) fn settle(&mut self, reference: &'static str, points: i64) {
        let held = self.sum_provisional(reference);
        let fits = |pile: &Pile| pile.place.is_provisional_of(reference);
        self.drain(held.min(points), fits, &Fate::To(Place::Free));
        self.void(reference, self.sum_provisional(reference));
    }

    pub(super) fn void(&mut self, reference: &'static str, points: i64) {
        let fits = |pile: &Pile| pile.place.is_provisional_of(reference);
        self.drain(points, fits, &Fate::Gone);
    }

    /// Spends points. Returns the place of what was taken.
    pub(super) fn spend(&mut self, points: i64) -> Option<usize> {
        let is_free = |pile: &Pile| pile.place == Place::Free;
        if self.sum(|place| *place == Place::Free) < points {
            return None;
        }
        let taken = self.drain(points, is_free, &Fate::Gone);
        self.spent.push(taken);
        Some(self.spent.len() - 1)
    }

    /// Restores what was spent.
    pub(super) fn refund(&mut self, place: usize) {
        let mut taken = std::mem::take(&mut self.spent[place]);
        taken.sort_by_key(|pile| pile.age);
        for pile in taken {
            self.put(pile);
        }
    }

    /// Does what is due up to an instant, in its order.
    pub(super) fn pass(&mut self, now: usize) {
        loop {
            let due = |pile: &Pile| {
                let due = match pile.place {
                    Place::Later(at) => Some((at, 1)),
                    Place::Free => pile.end.map(|end| (end, 2)),
                    Place::Held { until, .. } => until.map(|until| (until, 3)),
                };
                due.filter(|(at, _)| *at <= now)
            };
            let Some(next) = self.piles.iter().filter_map(due).min() else {
                return;
            };
            let fits = |pile: &Pile| due(pile) == Some(next);
            let points = self.piles.iter().filter(|pile| fits(pile));
            let points = points.map(|pile| pile.points).sum();
            let fate = match next.1 {
                2 => Fate::Gone,
                _ => Fate::To(Place::Free),
            };
            self.drain(points, fits, &fate);
        }
    }
}
