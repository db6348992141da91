//! The model: what each step changes, in plain vectors, and the response that it leads to. It knows
//! neither the server nor its code.

use std::collections::BTreeMap;

use super::step::{OfferChange, PoolChange, Who};
use crate::step::WAY;

/// The highest balance, stock and price; as a stock it means that there is no limit.
pub(super) const MAX: i64 = 2_147_483_647;
const DAY_MS: i64 = 86_400_000;

/// A status, and the code of an error.
pub(super) type Outcome = (u16, &'static str);
pub(super) const OK: Outcome = (200, "");
pub(super) const CREATED: Outcome = (201, "");
pub(super) const NOT_FOUND: Outcome = (404, "NOT_FOUND");
pub(super) const UNAUTHORIZED: Outcome = (401, "UNAUTHORIZED");
const POOL_TOO_LOW: Outcome = (402, "INSUFFICIENT_ORG_POINTS");
const TOO_FEW: Outcome = (422, "INSUFFICIENT_POINTS");
const TOO_LATE: Outcome = (409, "REDEMPTION_TRANSITION_INVALID");

#[derive(Debug, Clone, Default)]
pub(super) struct Member {
    pub(super) program: usize,
    pub(super) tier: usize,
    pub(super) received: i64,
    pub(super) spent: i64,
    pub(super) is_removed: bool,
    pub(super) is_erased: bool,
    /// Whether the last removal retained the balance.
    retained: bool,
    /// The removals so far; each ends the tokens before it.
    pub(super) removals: u32,
}

impl Member {
    pub(super) fn balance(&self) -> i64 {
        self.received - self.spent
    }
}

#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) program: usize,
    pub(super) price: Option<i64>,
    pub(super) stock: Option<i64>,
    pub(super) from_ms: Option<i64>,
    pub(super) until_ms: Option<i64>,
    pub(super) is_paused: bool,
    pub(super) per_member: Option<i64>,
    pub(super) only_open: bool,
    pub(super) tiers: Vec<usize>,
    pub(super) is_archived: bool,
}

impl Offer {
    fn new(program: usize) -> Self {
        Self {
            program,
            price: None,
            stock: None,
            from_ms: None,
            until_ms: None,
            is_paused: false,
            per_member: Some(1),
            only_open: false,
            tiers: Vec::new(),
            is_archived: false,
        }
    }

    /// Whether members of its tiers see it.
    fn is_offered(&self, now: i64) -> bool {
        let has_begun = self.from_ms.is_none_or(|from| from <= now);
        let is_over = self.until_ms.is_some_and(|until| until <= now);
        !self.is_archived && !self.is_paused && has_begun && !is_over
    }

    pub(super) fn is_available(&self, now: i64) -> bool {
        self.is_offered(now) && self.stock != Some(0)
    }

    pub(super) fn is_seen_by(&self, member: &Member, now: i64) -> bool {
        let is_open = self.tiers.is_empty() || self.tiers.contains(&member.tier);
        self.program == member.program && self.is_offered(now) && is_open
    }

    fn changed(&self, change: &OfferChange, now: i64) -> Self {
        let time = |set: Option<Option<i32>>, before: Option<i64>| match set {
            Some(seconds) => seconds.map(|seconds| now + i64::from(seconds) * 1000),
            None => before,
        };
        let stock = change.stock.unwrap_or(self.stock);
        let tiers = change.tiers.as_ref().unwrap_or(&self.tiers);
        Self {
            price: change.price.unwrap_or(self.price),
            stock: stock.filter(|pieces| *pieces != MAX),
            from_ms: time(change.from, self.from_ms),
            until_ms: time(change.until, self.until_ms),
            is_paused: change.paused.unwrap_or(self.is_paused),
            per_member: change.per_member.unwrap_or(self.per_member),
            only_open: change.only_open.unwrap_or(self.only_open),
            tiers: tiers.clone(),
            ..self.clone()
        }
    }

    /// Whether it could be redeemed at any time.
    fn is_sound(&self) -> bool {
        !matches!((self.from_ms, self.until_ms), (Some(from), Some(until)) if from >= until)
    }
}

#[derive(Debug, Clone)]
pub(super) struct Redemption {
    pub(super) member: usize,
    pub(super) offer: usize,
    /// Index into [`WAY`].
    pub(super) status: usize,
    /// The points that the member paid.
    pub(super) charged: i64,
    /// The points that the pool paid.
    pub(super) drawn: i64,
    took_stock: bool,
    pub(super) feedback: Option<(i64, Option<String>)>,
}

impl Redemption {
    pub(super) fn status(&self) -> &'static str {
        WAY[self.status]
    }

    pub(super) fn is_over(&self) -> bool {
        matches!(self.status(), "COMPLETED" | "CANCELED")
    }
}

#[derive(Debug, Clone, Default)]
pub(super) struct Pool {
    pub(super) balance: i64,
    pub(super) lifetime_spent: i64,
    pub(super) credit_limit: i64,
    pub(super) low_threshold: i64,
    pub(super) pays_redemptions: bool,
}

/// The points of a program's ledger entries.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Points {
    pub(super) minted: i64,
    pub(super) spent: i64,
    pub(super) refunded: i64,
    pub(super) forfeited: i64,
    pub(super) debited: i64,
}

/// An organization with a pool and two programs.
#[derive(Debug, Default)]
pub(super) struct Naive {
    pub(super) now: i64,
    pub(super) pool: Option<Pool>,
    pub(super) members: Vec<Member>,
    /// The index in `members` of each name; an erased member has none.
    pub(super) known: BTreeMap<Who, usize>,
    /// The erased members, when they were erased, and whether the balance was retained.
    erased: Vec<(Who, i64, bool)>,
    pub(super) offers: Vec<Offer>,
    pub(super) redemptions: Vec<Redemption>,
    pub(super) points: [Points; 2],
    /// The balance after each draw that took the pool below its threshold.
    pub(super) lows: Vec<i64>,
    /// The balance after each funding.
    pub(super) fundings: Vec<i64>,
}

impl Naive {
    /// A member that is not removed.
    pub(super) fn current(&self, who: Who) -> Option<usize> {
        let place = *self.known.get(&who)?;
        (!self.members[place].is_removed).then_some(place)
    }

    /// Creates, restores or updates a member.
    pub(super) fn set_member(&mut self, who: Who, tier: Option<usize>) -> Outcome {
        let place = *self.known.entry(who).or_insert_with(|| {
            self.members.push(Member {
                program: who.0,
                ..Member::default()
            });
            self.members.len() - 1
        });
        let member = &mut self.members[place];
        member.is_removed = false;
        member.tier = tier.unwrap_or(member.tier);
        OK
    }

    pub(super) fn credit(&mut self, who: Who, amount: i64) -> Outcome {
        let Some(place) = self.current(who) else {
            return NOT_FOUND;
        };
        if let Some(pool) = &self.pool {
            if pool.pays_redemptions {
                return (409, "ORG_POOL");
            }
            if pool.balance < amount {
                return POOL_TOO_LOW;
            }
            self.draw(amount);
        }
        self.members[place].received += amount;
        self.points[who.0].minted += amount;
        OK
    }

    pub(super) fn debit(&mut self, who: Who, amount: i64) -> Outcome {
        let Some(place) = self.current(who) else {
            return NOT_FOUND;
        };
        if self.members[place].balance() < amount {
            return TOO_FEW;
        }
        self.members[place].spent += amount;
        self.points[who.0].debited += amount;
        OK
    }

    fn draw(&mut self, amount: i64) {
        let pool = self.pool.as_mut().unwrap();
        let was_low = pool.balance < pool.low_threshold;
        pool.balance -= amount;
        pool.lifetime_spent = (pool.lifetime_spent + amount).min(MAX);
        if pool.balance < pool.low_threshold && !was_low {
            self.lows.push(pool.balance);
        }
    }

    pub(super) fn fund(&mut self, amount: i64) -> Outcome {
        let balance = self.pool.as_ref().map_or(0, |pool| pool.balance) + amount;
        if balance > MAX {
            return (400, "BadRequest");
        }
        self.pool.get_or_insert_default().balance = balance;
        self.fundings.push(balance);
        CREATED
    }

    pub(super) fn set_pool(&mut self, change: &PoolChange) -> Outcome {
        let before = self.pool.clone().unwrap_or_default();
        let after = Pool {
            credit_limit: change.credit_limit.unwrap_or(before.credit_limit),
            low_threshold: change.low_threshold.unwrap_or(before.low_threshold),
            pays_redemptions: change.pays_redemptions.unwrap_or(before.pays_redemptions),
            ..before
        };
        let has_points = self.members.iter().any(|member| member.balance() > 0);
        if after.pays_redemptions && !before.pays_redemptions && has_points {
            return (409, "Conflict");
        }
        self.pool = Some(after);
        OK
    }

    pub(super) fn create_offer(&mut self, program: usize, change: &OfferChange) -> Outcome {
        let offer = Offer::new(program).changed(change, self.now);
        if !offer.is_sound() {
            return (422, "VALIDATION");
        }
        self.offers.push(offer);
        CREATED
    }

    pub(super) fn change_offer(&mut self, place: usize, change: &OfferChange) -> Outcome {
        let before = &self.offers[place];
        let after = before.changed(change, self.now);
        if before.is_archived {
            return NOT_FOUND;
        }
        if !after.is_sound() {
            return (422, "VALIDATION");
        }
        self.offers[place] = after;
        OK
    }

    pub(super) fn archive_offer(&mut self, place: usize) -> Outcome {
        let was_archived = std::mem::replace(&mut self.offers[place].is_archived, true);
        if was_archived { NOT_FOUND } else { OK }
    }

    /// A member that is not removed redeems an offer of its program.
    pub(super) fn redeem(&mut self, member: usize, place: usize) -> Outcome {
        let (who, offer) = (&self.members[member], &self.offers[place]);
        if offer.is_archived {
            return NOT_FOUND;
        }
        if !offer.is_seen_by(who, self.now) || offer.stock == Some(0) {
            return (422, "OFFER_UNAVAILABLE");
        }
        let counts = |held: &&Redemption| {
            let is_over =
                held.status() == "CANCELED" || (offer.only_open && held.status() == "COMPLETED");
            held.member == member && held.offer == place && !is_over
        };
        let held = i64::try_from(self.redemptions.iter().filter(counts).count()).unwrap();
        if offer.per_member.is_some_and(|most| held >= most) {
            return (409, "REDEMPTION_ALREADY_EXISTS");
        }
        let price = offer.price.unwrap_or(0);
        let pool = self.pool.as_ref().filter(|pool| pool.pays_redemptions);
        let (mut charged, mut drawn) = (0, 0);
        match pool {
            _ if price == 0 => {}
            Some(pool) if pool.balance - price < -pool.credit_limit => return POOL_TOO_LOW,
            Some(_) => drawn = price,
            None if who.balance() < price => return TOO_FEW,
            None => charged = price,
        }
        if drawn > 0 {
            self.draw(drawn);
        }
        let offer = &mut self.offers[place];
        let took_stock = offer.stock.is_some();
        offer.stock = offer.stock.map(|pieces| pieces - 1);
        self.points[offer.program].spent += charged;
        self.members[member].spent += charged;
        self.redemptions.push(Redemption {
            member,
            offer: place,
            status: 0,
            charged,
            drawn,
            took_stock,
            feedback: None,
        });
        CREATED
    }

    /// The operator sets a status.
    pub(super) fn advance(&mut self, place: usize, next: usize) -> Outcome {
        let now = self.redemptions[place].status;
        let is_over = self.redemptions[place].is_over();
        let goes_back = (WAY[now], WAY[next]) == ("AWAITING_CUSTOMER", "AWAITING_VENDOR");
        let is_legal = now == next || (!is_over && (next > now || goes_back));
        if !is_legal {
            return TOO_LATE;
        }
        if WAY[next] == "CANCELED" && now != next {
            self.returned(place);
        }
        self.redemptions[place].status = next;
        OK
    }

    pub(super) fn cancel(&mut self, place: usize, as_member: bool) -> Outcome {
        let is_legal = match self.redemptions[place].status() {
            "SUBMITTED" | "OPEN" | "CANCELED" => true,
            "COMPLETED" => false,
            _ => !as_member,
        };
        if is_legal {
            self.advance(place, WAY.len() - 1)
        } else {
            TOO_LATE
        }
    }

    /// What a canceled redemption took returns to where it came from.
    fn returned(&mut self, place: usize) {
        let redemption = &self.redemptions[place];
        let offer = &mut self.offers[redemption.offer];
        if redemption.took_stock {
            offer.stock = offer.stock.map(|pieces| (pieces + 1).min(MAX - 1));
        }
        self.members[redemption.member].received += redemption.charged;
        self.points[offer.program].refunded += redemption.charged;
        if redemption.drawn > 0 {
            let pool = self.pool.as_mut().unwrap();
            pool.balance = (pool.balance + redemption.drawn).min(MAX);
        }
    }

    /// A member with a valid token rates a redemption.
    pub(super) fn rate(
        &mut self,
        member: usize,
        place: usize,
        feedback: (i64, Option<String>),
    ) -> Outcome {
        let redemption = &mut self.redemptions[place];
        if redemption.member != member {
            return NOT_FOUND;
        }
        if redemption.status() != "COMPLETED" {
            return (422, "REDEMPTION_NOT_COMPLETED");
        }
        redemption.feedback = Some(feedback);
        OK
    }

    /// Returns also whether the answer is that the balance was retained.
    pub(super) fn remove(&mut self, who: Who, retain: bool, erase: bool) -> (Outcome, bool) {
        let Some(place) = self.known.get(&who).copied() else {
            let mut erased = self.erased.iter().rev();
            let found = erased.find(|(of, at, _)| *of == who && *at > self.now - DAY_MS);
            return found.map_or((NOT_FOUND, false), |(_, _, retained)| (OK, *retained));
        };
        let member = &mut self.members[place];
        if !member.is_removed {
            member.is_removed = true;
            member.removals += 1;
            member.retained = retain;
            if !retain {
                self.points[who.0].forfeited += member.balance();
                member.spent = member.received;
            }
        }
        let retained = member.retained;
        if erase {
            member.is_erased = true;
            self.known.remove(&who);
            self.erased.push((who, self.now, retained));
            let of_member = |redemption: &&mut Redemption| redemption.member == place;
            for redemption in self.redemptions.iter_mut().filter(of_member) {
                redemption.feedback = redemption.feedback.take().map(|(rating, _)| (rating, None));
            }
        }
        (OK, retained)
    }
}
