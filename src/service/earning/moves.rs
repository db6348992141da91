//! Moves of points: credits, debits, holds and the results of holds.

use uuid::Uuid;

use super::holds;
use super::scope::Named;
use crate::books::{Pick, Plan, Record};
use crate::domain::{
    Actor, BalanceOperation, Bucket, BurnOrder, Cause, DerivedIds, DerivedKind, Entry, Invalid,
    InventoryMode, Lot, Points, PointsRules, Reason, ReferenceId, Refusal, Seq, Timestamp,
};
use crate::service::loyalty::due;
use crate::service::loyalty::ledger::{Movement, post};
use crate::service::loyalty::points::{self, GivenDates, NEEDS_LOTS};
use crate::service::tenancy::pools;
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::log::AccountLog;
use crate::store::{self, Transaction};
use crate::wire::{BalanceOperationRequest, SettleResponse};

/// Where credited points come into, and when.
pub(super) struct CreditTerms {
    pub(super) bucket: Bucket,
    /// What they belong to.
    pub(super) reference: Option<ReferenceId>,
    pub(super) dates: GivenDates,
}

/// Which points a debit takes.
pub(super) struct DebitTerms {
    pub(super) bucket: Bucket,
    /// Whether the balance may become negative.
    pub(super) allow_negative: bool,
    /// Only those that are held for this.
    pub(super) reference: Option<ReferenceId>,
}

/// What an operation on a balance does besides the points that it chooses.
pub(super) struct OperationTerms {
    /// That of a forfeit.
    pub(super) bucket: Bucket,
    /// What the points belong to.
    pub(super) reference: Option<ReferenceId>,
    /// When a hold ends.
    pub(super) until: Option<Timestamp>,
}

/// Who causes entries.
#[derive(Debug, Clone, Copy)]
pub(super) enum By {
    /// The caller.
    Caller,
    /// A rule, for an event.
    Rule(Cause),
}

/// Entries of one request or one action, which are posted one after the other.
pub(super) struct Posting<'a, 't> {
    tx: &'a mut Transaction<'t>,
    at: Timestamp,
    pub(super) rules: PointsRules,
    /// The account after what was posted.
    record: Record,
    description: Reason,
    by: By,
    first: Option<Seq>,
    lots: Vec<(u32, Points)>,
}

/// What a request did.
pub(super) struct Done {
    pub(super) record: Record,
    /// The id of the first journal entry.
    pub(super) entry: String,
    pub(super) lots: Vec<(u32, Points)>,
}

impl<'a, 't> Posting<'a, 't> {
    pub(super) fn begin(
        tx: &'a mut Transaction<'t>,
        record: Record,
        description: &Reason,
        by: By,
    ) -> Result<Self, ServiceError> {
        let at = tx.now(record.program);
        let record = points::opened(tx, at, record)?;
        Ok(Self {
            at,
            rules: tx.points_rules(record.program, record.asset)?.clone(),
            tx,
            record,
            description: description.clone(),
            by,
            first: None,
            lots: Vec::new(),
        })
    }

    fn post(&mut self, plan: Plan) -> Result<(), ServiceError> {
        self.lots.extend(plan.moved_lots());
        let reason = Some(self.description.clone());
        let movement = Movement {
            reason,
            ..plan.into()
        };
        match self.by {
            By::Caller => _ = post(self.tx, self.at, &self.record, movement)?,
            By::Rule(cause) => {
                let movement = movement.caused_by(cause);
                let caller = self.tx.act_as(Actor::Rule);
                post(self.tx, self.at, &self.record, movement)?;
                self.tx.act_as(caller);
            }
        }
        self.reread()?;
        self.first = self.first.or(self.record.account.last);
        Ok(())
    }

    fn reread(&mut self) -> Result<(), ServiceError> {
        let record = self.tx.account_in(self.record.key());
        self.record = record.ok_or(store::Error::Impossible("account that is gone"))?;
        Ok(())
    }

    /// Applies what is overdue now: points may have expired while they were held.
    pub(super) fn end(mut self, program: Uuid) -> Result<Done, ServiceError> {
        due::apply_overdue(self.tx, &self.record, self.at, None)?;
        self.reread()?;
        let first = self.first.ok_or(store::Error::Impossible("ledger entry"))?;
        let ids = DerivedIds::new(program, DerivedKind::JournalEntry);
        Ok(Done {
            record: self.record,
            entry: ids.id(first.0, 0).to_string(),
            lots: self.lots,
        })
    }
}

/// Credits points. A credit with a reference settles what was credited as held with it.
pub(super) fn credit(
    posting: &mut Posting<'_, '_>,
    key: &KeyPrincipal,
    amount: Points,
    terms: &CreditTerms,
) -> Result<Option<SettleResponse>, ServiceError> {
    let has_lots = posting.rules.mode == InventoryMode::Lot;
    let reference = terms.reference.as_ref();
    if reference.is_some() && !has_lots {
        return Err(Invalid::new("reference_id", NEEDS_LOTS).into());
    }
    let settled = reference.filter(|_| terms.bucket == Bucket::Available);
    let mut held = Points::ZERO;
    if let Some(reference) = settled {
        held = settle(posting, reference, amount)?;
    }
    if terms.bucket == Bucket::Held {
        holds::check_room(&posting.record)?;
    }
    if let Some(new) = amount.checked_sub(held).filter(|new| !new.is_zero()) {
        // Pools are of the program's points.
        let pool = match posting.record.asset {
            None => pools::pool_of_credits(posting.tx, key)?,
            Some(_) => None,
        };
        let (at, target) = (posting.at, (new, terms.bucket));
        let named = (terms.dates, points::SCRIP);
        let plan = points::plan_mint_into(posting.tx, at, &posting.record, target, named)?;
        posting.post(plan.referring(reference.cloned()))?;
        if let Some(pool) = pool {
            pools::draw(posting.tx, key.organization, pool, new)?;
        }
    }
    let scale = posting.rules.scale;
    Ok(settled.map(|_| SettleResponse {
        held_amount: scale.show_points(held),
        delta: scale.show(amount.get() - held.get()),
    }))
}

/// Makes points available that were credited as held, and takes back those beyond an amount.
/// Returns how many were held.
fn settle(
    posting: &mut Posting<'_, '_>,
    reference: &ReferenceId,
    amount: Points,
) -> Result<Points, ServiceError> {
    let holders = holds::with_reference(posting.tx, &posting.record, reference)?;
    let admits = |lot: &Lot| is_held_by(lot, &holders) && lot.is_provisional();
    let pick = pick_of(&posting.rules, Bucket::Held, &admits);
    let held = posting.record.points_in(&pick);
    let released = held.min(amount);
    for (entry, points) in [
        (Entry::Mature, Some(released)),
        (Entry::Void, held.checked_sub(released)),
    ] {
        if let Some(points) = points.filter(|points| !points.is_zero()) {
            let plan = posting.record.plan(entry, points, &pick);
            let plan = plan.ok_or(store::Error::Impossible("number of held points"))?;
            posting.post(plan.referring(Some(reference.clone())))?;
        }
    }
    Ok(held)
}

pub(super) fn debit(
    posting: &mut Posting<'_, '_>,
    amount: Points,
    terms: &DebitTerms,
) -> Result<(), ServiceError> {
    if terms.allow_negative {
        let order = posting.rules.burn_order;
        let plan = posting.record.plan_overdraft(amount, order);
        return posting.post(plan.ok_or(store::Error::Impossible("number of points"))?);
    }
    let reference = terms.reference.as_ref();
    if reference.is_some() && posting.rules.mode == InventoryMode::Simple {
        return Err(Invalid::new("reference_id", NEEDS_LOTS).into());
    }
    let holders = reference.map(|it| holds::with_reference(posting.tx, &posting.record, it));
    let holders = holders.transpose()?;
    let admits = |lot: &Lot| holders.as_ref().is_none_or(|by| is_held_by(lot, by));
    let pick = pick_of(&posting.rules, terms.bucket, &admits);
    let plan = planned(posting, Entry::Debit, amount, &pick)?;
    posting.post(plan.referring(reference.cloned()))
}

/// The points that a request names.
pub(super) struct Choice {
    /// How many; `None`: all of them.
    amount: Option<Points>,
    lots: Option<Vec<u32>>,
    /// The numbers of the first and the last entry that credited them.
    earned: (u64, u64),
    /// The entries that hold them.
    holders: Option<Vec<u32>>,
}

impl Choice {
    pub(super) fn of(
        posting: &Posting<'_, '_>,
        asset: &Named,
        request: &BalanceOperationRequest,
    ) -> Result<Self, ServiceError> {
        let (tx, record) = (&*posting.tx, &posting.record);
        let ids = asset.lots();
        let lot_of = |id: &Uuid| match ids.numbers(*id) {
            Some((member, lot)) if member == record.number.0 => Some(lot),
            _ => None,
        };
        let named = request.lot_ids.as_ref();
        let log = AccountLog::new(tx, record.number, &record.account);
        let first = match request.earned_from {
            Some(from) => log.last_where(|at| at < from)? + 1,
            None => 0,
        };
        let last = match request.earned_to {
            Some(to) => log.last_where(|at| at <= to)?,
            None => u64::MAX,
        };
        let reference = request.reference_id.as_ref();
        let holders = reference.map(|it| holds::with_reference(tx, record, it));
        let amount = request.amount;
        let amount = amount.map(|amount| amount.amount("amount", asset.scale));
        Ok(Self {
            amount: amount.transpose()?,
            lots: named.map(|ids| ids.iter().filter_map(lot_of).collect()),
            earned: (first, last),
            holders: holders.transpose()?,
        })
    }

    /// Some of the points, or all of them: those that belong to something, if that is named.
    pub(super) fn belonging(
        posting: &Posting<'_, '_>,
        amount: Option<Points>,
        reference: Option<&ReferenceId>,
    ) -> Result<Self, ServiceError> {
        let holders = reference.map(|it| holds::with_reference(posting.tx, &posting.record, it));
        Ok(Self {
            amount,
            lots: None,
            earned: (0, u64::MAX),
            holders: holders.transpose()?,
        })
    }

    /// Whether a lot is one of them, apart from what holds it.
    fn admits(&self, lot: &Lot) -> bool {
        let entry = u64::from(lot.entry);
        let is_named = self.lots.as_ref();
        is_named.is_none_or(|lots| lots.contains(&lot.number))
            && (self.earned.0..=self.earned.1).contains(&entry)
    }

    /// Whether a held lot is one of them.
    fn admits_held(&self, lot: &Lot) -> bool {
        self.admits(lot) && self.holders.as_ref().is_none_or(|by| is_held_by(lot, by))
    }
}

/// The points of a bucket that may be chosen. Of held points, those that were held first are used
/// first, whatever the burn order is.
fn pick_of<'a>(rules: &PointsRules, bucket: Bucket, admits: &'a dyn Fn(&Lot) -> bool) -> Pick<'a> {
    let order = match bucket {
        Bucket::Held => BurnOrder::Fifo,
        Bucket::Available | Bucket::Deferred => rules.burn_order,
    };
    Pick {
        bucket,
        order,
        admits,
    }
}

fn is_held_by(lot: &Lot, entries: &[u32]) -> bool {
    lot.held_by().is_some_and(|by| entries.contains(&by))
}

/// Carries out an operation. Returns how many points it moved, and when a hold ends automatically.
pub(super) fn operate(
    posting: &mut Posting<'_, '_>,
    operation: BalanceOperation,
    choice: &Choice,
    terms: &OperationTerms,
) -> Result<(Points, Option<Timestamp>), ServiceError> {
    Ok(match operation {
        BalanceOperation::Hold => hold(posting, choice, terms)?,
        BalanceOperation::Release => (release(posting, choice, terms)?, None),
        BalanceOperation::Forfeit => (forfeit(posting, choice, terms)?, None),
        BalanceOperation::VoidHold => (void(posting, choice, terms)?, None),
    })
}

/// Holds points. Returns how many, and when the hold ends automatically.
fn hold(
    posting: &mut Posting<'_, '_>,
    choice: &Choice,
    terms: &OperationTerms,
) -> Result<(Points, Option<Timestamp>), ServiceError> {
    let until = holds::until(posting.at, terms.until)?;
    holds::check_room(&posting.record)?;
    let admits = |lot: &Lot| choice.admits(lot);
    let pick = pick_of(&posting.rules, Bucket::Available, &admits);
    let amount = choice.amount.unwrap_or(posting.record.points_in(&pick));
    let plan = planned(posting, Entry::Hold, amount, &pick)?;
    if posting.record.lots.is_none() {
        posting.post(plan)?;
        return Ok((amount, None));
    }
    let plan = plan.held_until(until);
    posting.post(plan.referring(terms.reference.clone()))?;
    Ok((amount, Some(until)))
}

/// Releases points, those first that were held first. Points that were credited as held become
/// the participant's by an entry of their own.
fn release(
    posting: &mut Posting<'_, '_>,
    choice: &Choice,
    terms: &OperationTerms,
) -> Result<Points, ServiceError> {
    let all = |lot: &Lot| choice.admits_held(lot);
    let own = |lot: &Lot| choice.admits_held(lot) && !lot.is_provisional();
    let provisional = |lot: &Lot| choice.admits_held(lot) && lot.is_provisional();
    let kinds: [&dyn Fn(&Lot) -> bool; 3] = [&all, &own, &provisional];
    let picks = kinds.map(|admits| pick_of(&posting.rules, Bucket::Held, admits));
    let amount = choice.amount.unwrap_or(posting.record.points_in(&picks[0]));
    // In which order they are taken, and so how many of each kind.
    let plan = planned(posting, Entry::Debit, amount, &picks[0])?;
    if posting.record.lots.is_none() {
        let plan = planned(posting, Entry::Release, amount, &picks[0])?;
        posting.post(plan)?;
        return Ok(amount);
    }
    let is_provisional = |number: u32| {
        let lots = posting.record.lots.iter().flat_map(|lots| &lots.live);
        let mut lots = lots.filter(|lot| lot.is_provisional());
        lots.any(|lot| lot.number == number)
    };
    let moved = plan.moved_lots();
    let sum = |of: bool| -> Option<Points> {
        let moved = moved.iter().filter(|(lot, _)| is_provisional(*lot) == of);
        Points::new(moved.map(|(_, points)| points.get()).sum())
    };
    let parts = [
        (Entry::Release, sum(false), &picks[1]),
        (Entry::Mature, sum(true), &picks[2]),
    ];
    for (entry, points, pick) in parts {
        if let Some(points) = points.filter(|points| !points.is_zero()) {
            let plan = planned(posting, entry, points, pick)?;
            posting.post(plan.referring(terms.reference.clone()))?;
        }
    }
    Ok(amount)
}

fn forfeit(
    posting: &mut Posting<'_, '_>,
    choice: &Choice,
    terms: &OperationTerms,
) -> Result<Points, ServiceError> {
    let admits = |lot: &Lot| choice.admits_held(lot);
    let pick = pick_of(&posting.rules, terms.bucket, &admits);
    let amount = choice.amount.unwrap_or(posting.record.points_in(&pick));
    let plan = planned(posting, Entry::Forfeit, amount, &pick)?;
    posting.post(plan.referring(terms.reference.clone()))?;
    Ok(amount)
}

/// Takes back points that were credited as held. Returns how many.
fn void(
    posting: &mut Posting<'_, '_>,
    choice: &Choice,
    terms: &OperationTerms,
) -> Result<Points, ServiceError> {
    let admits = |lot: &Lot| choice.admits_held(lot) && lot.is_provisional();
    let pick = pick_of(&posting.rules, Bucket::Held, &admits);
    let amount = posting.record.points_in(&pick);
    let plan = posting.record.plan(Entry::Void, amount, &pick);
    let nothing = Refusal::NotFound("credit to HELD with this reference_id");
    let plan = plan.ok_or(nothing)?;
    posting.post(plan.referring(terms.reference.clone()))?;
    Ok(amount)
}

/// The plan of an entry; refused if too few points match.
fn planned(
    posting: &Posting<'_, '_>,
    entry: Entry,
    amount: Points,
    pick: &Pick<'_>,
) -> Result<Plan, ServiceError> {
    let (record, scale) = (&posting.record, posting.rules.scale);
    let plan = record.plan(entry, amount, pick);
    Ok(plan.ok_or_else(|| Refusal::TooFewMatching {
        available: scale.show_points(record.points_in(pick)),
        needed: scale.show(amount.get().max(1)),
    })?)
}
