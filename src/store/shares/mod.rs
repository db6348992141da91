//! A queue with fair shares of time by organization, and within an organization by program.
//!
//! The time is shared first among three classes, by the time that each has used: the live
//! organizations, those of the sandbox, and the server's own upkeep. The weight of live and of
//! sandbox is the number of their organizations that wait, but the sandbox never weighs more than
//! live: together its organizations get at most half of the time while a live one waits. Upkeep
//! weighs least, and gets a twentieth. A share that its owner does not use goes to the others.
//!
//! Within a class the organizations take turns, and within an organization its programs. Each may
//! use [`rounds::QUANTUM`] in a turn; for time beyond that it waits in later rounds. So it does not
//! matter how much work an organization has waiting, or how long each task takes: an organization
//! that needs little time gets it soon.
//!
//! Sources: M. Shreedhar and G. Varghese, "Efficient Fair Queueing using Deficit Round Robin",
//! SIGCOMM 1995, for the turns. The cost of a task is known only when it is done, so it is charged
//! afterwards, as in surplus round robin (H. Adiseshu, G. Parulkar and G. Varghese, "A Reliable and
//! Scalable Striping Protocol", SIGCOMM 1996). P. Goyal, H. M. Vin and H. Cheng, "Start-time Fair
//! Queueing", SIGCOMM 1996, for the classes.

mod rounds;
mod tenant;

use std::collections::VecDeque;
use std::time::Duration;

use self::rounds::{DEBT_MAX, Line, Rounds};
pub use self::tenant::Tenant;
pub(super) use self::tenant::{Bounds, Holder};
use self::tenant::{LIVE, SANDBOX, UPKEEP};

/// The sum of all weights, divided by the weight of upkeep.
const FLOOR: u64 = 20;
/// The used time of a class is counted in this fraction of a nanosecond.
const FINE: u64 = 1024;

/// Identifies a turn, so that its cost can be charged afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    holder: Holder,
    program: i64,
    /// The weight of the class at the beginning of the turn.
    weight: u64,
}

impl Ticket {
    /// The owner of the share that the turn takes.
    pub(super) fn holder(&self) -> Holder {
        self.holder
    }
}

/// The queue of an organization: its programs take turns.
#[derive(Debug)]
struct Organization<T> {
    programs: Rounds<VecDeque<T>>,
    len: usize,
}

impl<T> Default for Organization<T> {
    fn default() -> Self {
        Self {
            programs: Rounds::default(),
            len: 0,
        }
    }
}

impl<T> Line for Organization<T> {
    fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// A class: the live organizations, those of the sandbox, or upkeep.
#[derive(Debug)]
struct Class<T> {
    organizations: Rounds<Organization<T>>,
    len: usize,
    /// The time used, each piece divided by the weight of the class at the time.
    used: u64,
}

/// The work that waits, and its shares.
#[derive(Debug)]
pub(super) struct Shares<T> {
    classes: [Class<T>; 3],
    /// The used time of the class that had the last turn. A class that comes back begins there.
    now: u64,
}

impl<T> Shares<T> {
    pub(super) fn new() -> Self {
        Self {
            classes: std::array::from_fn(|_| Class {
                organizations: Rounds::default(),
                len: 0,
                used: 0,
            }),
            now: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.classes.iter().all(|class| class.len == 0)
    }

    /// Adds an item to the queue; returns it as an error if too many wait.
    pub(super) fn push(&mut self, tenant: Tenant, bounds: Bounds, item: T) -> Result<(), T> {
        let Holder {
            class: at,
            organization,
        } = tenant.place().0;
        let waiting = self.classes[LIVE].len + self.classes[SANDBOX].len;
        let class = &self.classes[at];
        let own = class.organizations.all.get(&organization);
        let own = own.map_or(0, |turner| turner.line.len);
        let is_full = at != UPKEEP && (waiting >= bounds.all || own >= bounds.one);
        if is_full || class.len >= bounds.of_class(at) {
            return Err(item);
        }
        self.put_last(tenant, item);
        Ok(())
    }

    /// Adds an item, no matter how many wait.
    pub(super) fn put_last(&mut self, tenant: Tenant, item: T) {
        self.join(tenant).push_back(item);
    }

    /// Adds an item in front of the others of its program, no matter how many wait.
    pub(super) fn put_first(&mut self, tenant: Tenant, item: T) {
        self.join(tenant).push_front(item);
    }

    /// The line of a program, which is about to get an item.
    fn join(&mut self, tenant: Tenant) -> &mut VecDeque<T> {
        let (holder, program) = tenant.place();
        let class = &mut self.classes[holder.class];
        if class.len == 0 {
            class.used = class.used.max(self.now);
        }
        class.len += 1;
        let organization = class.organizations.join(holder.organization);
        organization.len += 1;
        // The program has to join while its line is still empty.
        organization.programs.join(program)
    }

    /// A turn for a tenant that need not wait.
    pub(super) fn pass(&self, tenant: Tenant) -> Ticket {
        let (holder, program) = tenant.place();
        let weight = self.weight(holder.class);
        Ticket {
            holder,
            program,
            weight,
        }
    }

    /// Takes the next item, among those of the holders that `may` admits.
    pub(super) fn take(&mut self, may: impl Fn(Holder) -> bool) -> Option<(Ticket, T)> {
        let mut order = [LIVE, SANDBOX, UPKEEP];
        order.sort_by_key(|at| self.classes[*at].used);
        for at in order {
            if self.classes[at].len == 0 {
                continue;
            }
            let weight = self.weight(at);
            let class = &mut self.classes[at];
            let holder = |organization| Holder {
                class: at,
                organization,
            };
            let next = class.organizations.next(|number| may(holder(number)));
            let Some(organization) = next else {
                continue;
            };
            let inside = &mut class.organizations.all.get_mut(&organization)?.line;
            let program = inside.programs.next(|_| true)?;
            let item = inside.programs.all.get_mut(&program)?.line.pop_front()?;
            inside.programs.took(program);
            inside.len -= 1;
            class.organizations.took(organization);
            class.len -= 1;
            self.now = self.now.max(class.used);
            let ticket = Ticket {
                holder: holder(organization),
                program,
                weight,
            };
            return Some((ticket, item));
        }
        None
    }

    /// Charges the time that a turn took.
    pub(super) fn charge(&mut self, ticket: Ticket, took: Duration) {
        let cost = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX / FINE);
        let class = &mut self.classes[ticket.holder.class];
        class.used = class
            .used
            .saturating_add(cost.saturating_mul(FINE) / ticket.weight);
        let cost = i64::try_from(cost).unwrap_or(i64::MAX).min(DEBT_MAX);
        let organization = ticket.holder.organization;
        if let Some(turner) = class.organizations.all.get_mut(&organization) {
            turner.line.programs.charge(ticket.program, cost);
        }
        class.organizations.charge(organization, cost);
    }

    /// The present weight of a class.
    fn weight(&self, class: usize) -> u64 {
        let waiting = |class: usize| self.classes[class].organizations.ring.len() as u64;
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

    /// Removes all items, in no particular order.
    pub(super) fn drain(&mut self) -> Vec<T> {
        std::iter::from_fn(|| self.take(|_| true).map(|(_, item)| item)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Environment, OrganizationNumber, ProgramNumber};

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

    /// The share of two seconds that each tenant gets, if all always wait and an item takes `cost`.
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
    fn organizations_share_alike_no_matter_what_their_items_cost() {
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
        // If there are fewer of them than live ones, they get equal shares.
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
    fn the_partner_is_a_separate_organization() {
        let partner = Tenant::Partner(Environment::Live);
        check(run([(live(1, 1), 40), (partner, 300)]), [0.5, 0.5]);
    }

    #[test]
    fn a_long_queue_of_another_organization_holds_no_one_up() {
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
    fn a_class_that_comes_back_has_saved_no_time_up() {
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
        // The sandbox begins while no live organization waits.
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
    fn one_costly_item_after_another_is_charged_in_full() {
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
                // Only now the next item is added.
                shares.push(live(1, 1), MANY, 1).unwrap();
            } else {
                cheap += 100;
                shares.charge(ticket, Duration::from_micros(100));
            }
        }
        assert!(dear <= cheap + 20_000, "{dear} and {cheap} microseconds");
    }

    #[test]
    fn no_organization_can_fill_the_queue_alone() {
        let mut shares = Shares::new();
        let bounds = Bounds::new(8, 50);
        let mut fits = |tenant| shares.push(tenant, bounds, ()).is_ok();
        assert!((0..4).all(|_| fits(sandbox(1))));
        assert!(!fits(sandbox(1)));
        // This was the half for the sandbox.
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
    fn a_tenant_that_is_passed_over_keeps_its_place() {
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
