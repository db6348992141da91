//! Who is next, where many wait for one thing: fair shares of time by organization, and within an
//! organization by program.
//!
//! Three classes share first, by the time that each has used: the live organizations, those of the
//! sandbox, and the server's own upkeep. Live and sandbox weigh as many organizations as wait in
//! them, but the sandbox never more than the live ones: together its organizations get at most half
//! while a live one waits. Upkeep weighs least, and gets a twentieth. What nobody else wants
//! anybody may have.
//!
//! Within a class the organizations take turns, and within an organization its programs. In a turn
//! each may use [`rounds::QUANTUM`]; what it uses beyond that it waits for in later rounds. So it
//! does not matter how much somebody has waiting, or how long each piece takes: an organization
//! that asks for little gets it soon.
//!
//! Sources: M. Shreedhar and G. Varghese, "Efficient Fair Queueing using Deficit Round Robin",
//! SIGCOMM 1995, for the turns; what a piece costs is known only when it is done, so it is taken
//! off afterwards, as in surplus round robin (H. Adiseshu, G. Parulkar and G. Varghese, "A Reliable
//! and Scalable Striping Protocol", SIGCOMM 1996). P. Goyal, H. M. Vin and H. Cheng, "Start-time
//! Fair Queueing", SIGCOMM 1996, for the classes.

mod rounds;

use std::collections::VecDeque;
use std::time::Duration;

use self::rounds::{DEBT_MAX, Line, Rounds};
use crate::domain::{Environment, OrganizationNumber, ProgramNumber};

/// Pieces of upkeep that may wait; they have a place of their own.
const UPKEEP_MAX: usize = 256;
/// What the class that weighs least weighs of all of them.
const FLOOR: u64 = 20;
/// Parts of a nanosecond in which the classes' use is counted.
const FINE: u64 = 1024;

/// For whom something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tenant {
    /// A program, by its key or one of its members.
    Program {
        /// Its organization, which the share belongs to.
        organization: OrganizationNumber,
        /// The program.
        program: ProgramNumber,
        /// Where.
        environment: Environment,
    },
    /// The partner, who counts as an organization of its own in each environment.
    Partner(Environment),
    /// The server itself.
    Upkeep,
}

/// How much may wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bounds {
    /// Of all tenants; of those of the sandbox half as much.
    pub(super) all: usize,
    /// Of one organization.
    pub(super) one: usize,
}

impl Bounds {
    /// So many, and of one organization a part of that.
    pub(super) fn new(all: usize, percent_of_one: u32) -> Self {
        let percent = usize::try_from(percent_of_one).unwrap_or(usize::MAX);
        let one = all.saturating_mul(percent).div_ceil(100).max(1);
        Self { all, one }
    }

    fn of_class(self, class: usize) -> usize {
        match class {
            SANDBOX => self.all.div_ceil(2),
            UPKEEP => UPKEEP_MAX,
            _ => self.all,
        }
    }
}

const LIVE: usize = 0;
const SANDBOX: usize = 1;
const UPKEEP: usize = 2;

/// Whose turn it was, to say afterwards what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    holder: Holder,
    room: i64,
    /// What the class weighed when the turn came.
    weight: u64,
}

/// Whose share something takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Holder {
    class: usize,
    house: i64,
}

impl Ticket {
    pub(super) fn holder(&self) -> Holder {
        self.holder
    }
}

impl Holder {
    /// Whether it is the server itself.
    pub(super) fn is_upkeep(self) -> bool {
        self.class == UPKEEP
    }

    /// Whether it is of the sandbox.
    pub(super) fn is_sandbox(self) -> bool {
        self.class == SANDBOX
    }
}

impl Tenant {
    /// Whose share it takes, and which part of that.
    fn place(self) -> (Holder, i64) {
        let class = |environment| match environment {
            Environment::Live => LIVE,
            Environment::Sandbox => SANDBOX,
        };
        let (class, house, room) = match self {
            Self::Program {
                organization,
                program,
                environment,
            } => (class(environment), organization.0, program.0),
            // No organization has this number.
            Self::Partner(environment) => (class(environment), 0, 0),
            Self::Upkeep => (UPKEEP, 0, 0),
        };
        (Holder { class, house }, room)
    }
}

/// An organization: its programs take turns.
#[derive(Debug)]
struct House<T> {
    rooms: Rounds<VecDeque<T>>,
    len: usize,
}

impl<T> Default for House<T> {
    fn default() -> Self {
        Self {
            rooms: Rounds::default(),
            len: 0,
        }
    }
}

impl<T> Line for House<T> {
    fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// The live organizations, or those of the sandbox, or upkeep.
#[derive(Debug)]
struct Class<T> {
    houses: Rounds<House<T>>,
    len: usize,
    /// The time used, by the weight it had at the time.
    used: u64,
}

/// What waits, and for whom.
#[derive(Debug)]
pub(super) struct Shares<T> {
    classes: [Class<T>; 3],
    /// What the class had used that had the last turn. Whoever comes back begins there.
    now: u64,
}

impl<T> Shares<T> {
    pub(super) fn new() -> Self {
        Self {
            classes: std::array::from_fn(|_| Class {
                houses: Rounds::default(),
                len: 0,
                used: 0,
            }),
            now: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.iter().all(|class| class.len == 0)
    }

    /// Lets something wait; gives it back if too much does.
    pub(super) fn push(&mut self, tenant: Tenant, bounds: Bounds, item: T) -> Result<(), T> {
        let (Holder { class: at, house }, room) = tenant.place();
        let waiting = self.classes[LIVE].len + self.classes[SANDBOX].len;
        let class = &mut self.classes[at];
        let own = class.houses.all.get(&house).map_or(0, |h| h.line.len);
        let is_full = at != UPKEEP && (waiting >= bounds.all || own >= bounds.one);
        if is_full || class.len >= bounds.of_class(at) {
            return Err(item);
        }
        if class.len == 0 {
            class.used = class.used.max(self.now);
        }
        class.len += 1;
        let house = class.houses.join(house);
        // The room has to be looked up while its line is still empty.
        house.rooms.join(room).push_back(item);
        house.len += 1;
        Ok(())
    }

    /// A turn for somebody who need not wait.
    pub(super) fn pass(&self, tenant: Tenant) -> Ticket {
        let (holder, room) = tenant.place();
        let weight = self.weight(holder.class);
        Ticket {
            holder,
            room,
            weight,
        }
    }

    /// What is next, of those who may have something.
    pub(super) fn take(&mut self, may: impl Fn(Holder) -> bool) -> Option<(Ticket, T)> {
        let mut order = [LIVE, SANDBOX, UPKEEP];
        order.sort_by_key(|at| self.classes[*at].used);
        for at in order {
            if self.classes[at].len == 0 {
                continue;
            }
            let weight = self.weight(at);
            let class = &mut self.classes[at];
            let of = |house| Holder { class: at, house };
            let Some(house) = class.houses.next(|house| may(of(house))) else {
                continue;
            };
            let inside = &mut class.houses.all.get_mut(&house)?.line;
            let room = inside.rooms.next(|_| true)?;
            let item = inside.rooms.all.get_mut(&room)?.line.pop_front()?;
            inside.rooms.took(room);
            inside.len -= 1;
            class.houses.took(house);
            class.len -= 1;
            self.now = self.now.max(class.used);
            let ticket = Ticket {
                holder: of(house),
                room,
                weight,
            };
            return Some((ticket, item));
        }
        None
    }

    /// Says what something took.
    pub(super) fn charge(&mut self, ticket: Ticket, took: Duration) {
        let cost = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / FINE);
        let class = &mut self.classes[ticket.holder.class];
        class.used = class
            .used
            .saturating_add(cost.saturating_mul(FINE) / ticket.weight);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX).min(DEBT_MAX);
        let house = ticket.holder.house;
        if let Some(turner) = class.houses.all.get_mut(&house) {
            turner.line.rooms.charge(ticket.room, cost);
        }
        class.houses.charge(house, cost);
    }

    /// What a class weighs now.
    fn weight(&self, class: usize) -> u64 {
        let waiting = |class: usize| self.classes[class].houses.ring.len() as u64;
        let live = waiting(LIVE);
        let sandbox = match live {
            0 => waiting(SANDBOX),
            live => waiting(SANDBOX).min(live),
        };
        let weight = match class {
            LIVE => live * (FLOOR - 1),
            SANDBOX => sandbox * (FLOOR - 1),
            _ => live + sandbox,
        };
        weight.max(1)
    }

    /// Everything that waits, in no order that means anything.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.take(|_| true).map(|(_, item)| item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: Bounds = Bounds {
        all: 100_000,
        one: 100_000,
    };

    fn live(organization: i64, program: i64) -> Tenant {
        Tenant::Program {
            organization: OrganizationNumber(organization),
            program: ProgramNumber(program),
            environment: Environment::Live,
        }
    }

    fn sandbox(organization: i64) -> Tenant {
        Tenant::Program {
            organization: OrganizationNumber(organization),
            program: ProgramNumber(organization),
            environment: Environment::Sandbox,
        }
    }

    /// How long each had of two seconds, if everybody always waits and one piece takes `cost`.
    fn run<const N: usize>(tenants: [(Tenant, u64); N]) -> [f64; N] {
        let mut shares = Shares::new();
        for (index, (tenant, _)) in tenants.iter().enumerate() {
            for _ in 0..3 {
                shares.push(*tenant, MANY, index).unwrap();
            }
        }
        let (mut used, mut all) = ([0_u64; N], 0);
        while all < 2_000_000 {
            let (ticket, index) = shares.take(|_| true).unwrap();
            let (tenant, micros) = tenants[index];
            shares.push(tenant, MANY, index).unwrap();
            shares.charge(ticket, Duration::from_micros(micros));
            used[index] += micros;
            all += micros;
        }
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        used.map(|used| used as f64 / all as f64)
    }

    #[track_caller]
    fn check<const N: usize>(found: [f64; N], expected: [f64; N]) {
        for (found_one, expected_one) in found.iter().zip(expected) {
            assert!(
                (found_one - expected_one).abs() < 0.02,
                "{found:?} in place of {expected:?}"
            );
        }
    }

    #[test]
    fn organizations_share_alike_whatever_their_pieces_cost() {
        check(run([(live(1, 1), 40), (live(2, 2), 4000)]), [0.5, 0.5]);
        let three = [(live(1, 1), 7), (live(2, 2), 10_000), (live(3, 3), 300)];
        check(run(three), [0.333, 0.333, 0.333]);
    }

    #[test]
    fn programs_share_what_their_organization_has() {
        let tenants = [(live(1, 1), 40), (live(1, 2), 900), (live(2, 3), 40)];
        check(run(tenants), [0.25, 0.25, 0.5]);
    }

    #[test]
    fn the_sandbox_has_at_most_half_while_a_live_organization_waits() {
        let three = [
            (live(1, 1), 40),
            (sandbox(2), 40),
            (sandbox(3), 40),
            (sandbox(4), 40),
        ];
        check(run(three), [0.5, 0.167, 0.167, 0.167]);
        // Fewer than the live ones, they share like everybody.
        let one = [(live(1, 1), 40), (live(2, 2), 40), (sandbox(3), 40)];
        check(run(one), [0.333, 0.333, 0.333]);
        check(run([(sandbox(3), 40), (sandbox(4), 90)]), [0.5, 0.5]);
    }

    #[test]
    fn upkeep_has_a_twentieth() {
        let tenants = [(live(1, 1), 40), (sandbox(2), 40), (Tenant::Upkeep, 400)];
        check(run(tenants), [0.475, 0.475, 0.05]);
        check(run([(Tenant::Upkeep, 400)]), [1.0]);
    }

    #[test]
    fn the_partner_is_an_organization_of_its_own() {
        let partner = Tenant::Partner(Environment::Live);
        check(run([(live(1, 1), 40), (partner, 300)]), [0.5, 0.5]);
    }

    #[test]
    fn who_waits_in_vain_until_the_queue_of_another_is_worked_off_waits_no_longer() {
        let mut shares = Shares::new();
        for number in 0..1000 {
            shares.push(sandbox(1), MANY, number).unwrap();
        }
        for _ in 0..100 {
            let (ticket, _) = shares.take(|_| true).unwrap();
            shares.charge(ticket, Duration::from_millis(1));
        }
        shares.push(live(2, 2), MANY, -1).unwrap();
        shares.push(sandbox(3), MANY, -2).unwrap();
        let mut next = || {
            let (ticket, item) = shares.take(|_| true).unwrap();
            shares.charge(ticket, Duration::from_millis(1));
            item
        };
        let first: Vec<i64> = (0..4).map(|_| next()).collect();
        assert!(first.contains(&-1) && first.contains(&-2), "{first:?}");
    }

    #[test]
    fn a_class_that_comes_back_has_saved_nothing_up() {
        let mut shares = Shares::new();
        let work = |shares: &mut Shares<u8>| {
            let (ticket, item) = shares.take(|_| true).unwrap();
            shares.charge(ticket, Duration::from_millis(1));
            item
        };
        for _ in 0..1000 {
            shares.push(live(1, 1), MANY, 1).unwrap();
            work(&mut shares);
        }
        // It begins at a moment at which no live organization waits.
        for _ in 0..100 {
            shares.push(sandbox(2), MANY, 2).unwrap();
        }
        work(&mut shares);
        for _ in 0..100 {
            shares.push(live(1, 1), MANY, 1).unwrap();
        }
        let of_sandbox = (0..20).filter(|_| work(&mut shares) == 2).count();
        assert!((9..=11).contains(&of_sandbox), "{of_sandbox}");
    }

    #[test]
    fn who_asks_for_one_costly_thing_after_the_other_pays_for_it() {
        let mut shares = Shares::new();
        for _ in 0..1000 {
            shares.push(live(2, 2), MANY, 2).unwrap();
        }
        shares.push(live(1, 1), MANY, 1).unwrap();
        let (mut dear, mut cheap) = (0, 0);
        for _ in 0..500 {
            let (ticket, item) = shares.take(|_| true).unwrap();
            if item == 1 {
                dear += 10_000;
                shares.charge(ticket, Duration::from_millis(10));
                // Only now it asks for the next.
                shares.push(live(1, 1), MANY, 1).unwrap();
            } else {
                cheap += 100;
                shares.charge(ticket, Duration::from_micros(100));
            }
        }
        assert!(dear <= cheap + 20_000, "{dear} and {cheap} microseconds");
    }

    #[test]
    fn nobody_can_fill_the_queue_alone() {
        let mut shares = Shares::new();
        let bounds = Bounds::new(8, 50);
        let mut fits = |tenant| shares.push(tenant, bounds, ()).is_ok();
        assert!((0..4).all(|_| fits(sandbox(1))));
        assert!(!fits(sandbox(1)));
        // That was the half which the sandbox may have.
        assert!(!fits(sandbox(2)));
        assert!((0..3).all(|_| fits(live(3, 3))));
        assert!(fits(live(4, 4)));
        assert!(!fits(live(5, 5)), "it is full");
        assert!(fits(Tenant::Upkeep));
        assert_eq!(Bounds::new(1, 1), Bounds { all: 1, one: 1 });
        assert_eq!(shares.drain().len(), 9);
        assert!(shares.is_empty());
    }

    #[test]
    fn who_may_not_is_passed_over_and_keeps_its_place() {
        let mut shares = Shares::new();
        shares.push(live(1, 1), MANY, 1).unwrap();
        shares.push(live(2, 2), MANY, 2).unwrap();
        let first = live(1, 1).place().0;
        let (_, item) = shares.take(|holder| holder != first).unwrap();
        assert_eq!(item, 2);
        assert!(shares.take(|holder| holder != first).is_none());
        assert_eq!(shares.take(|_| true).unwrap().1, 1);
    }
}
