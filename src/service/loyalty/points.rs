//! Points: how they come into an account and leave it, as the settings of the program say.

use super::due;
use super::ledger::append;
use crate::books::{Grace, LotDates, Pick, Plan, Record, Taken};
use crate::domain::{
    AccountKey, AssetNumber, Bucket, Change, Entry, Invalid, InventoryMode, Points, ProgramNumber,
    Redemption, RedemptionTarget, Refusal, Timestamp,
};
use crate::service::ServiceError;
use crate::store::log::{EntryRow, spends};
use crate::store::{self, Transaction};

/// Members whose points are put into lots in one write.
const STEP: usize = 500;

/// The dates that a caller gives to points.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::service) struct GivenDates {
    /// When they expire; by default, as the program's expiry says.
    pub(in crate::service) expires_at: Change<Timestamp>,
    /// When they become available.
    pub(in crate::service) matures_at: Option<Timestamp>,
}

/// The names of fields in the errors of a surface.
#[derive(Debug, Clone, Copy)]
pub(in crate::service) struct FieldNames {
    expires_at: &'static str,
    matures_at: &'static str,
}

/// Those of the Expys surface.
pub(in crate::service) const EXPYS: FieldNames = FieldNames {
    expires_at: "expiresAt",
    matures_at: "maturesAt",
};

/// Those of the Scrip surface.
pub(in crate::service) const SCRIP: FieldNames = FieldNames {
    expires_at: "expires_at",
    matures_at: "matures_at",
};

/// The expectation of what needs lots, in a program without them.
pub(in crate::service) const NEEDS_LOTS: &str =
    "needs points that are kept in lots: POST /v1/assets/{id}/convert sets that up";

/// The account of a member. In a program with lots, its points are in lots from now on, and those
/// that have expired are gone.
pub(in crate::service) fn opened(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: Record,
) -> Result<Record, store::Error> {
    let account = record.key();
    if !open(tx, at, &record)? {
        return Ok(record);
    }
    let gone = || store::Error::Impossible("account that is gone");
    let record = tx.account_in(account).ok_or_else(gone)?;
    // The program may have been converted long ago.
    let notice = tx.expiry_notice(record.program);
    due::apply_overdue(tx, &record, at, notice)?;
    tx.account_in(account).ok_or_else(gone)
}

/// Puts the points of some members in an asset into lots. Returns whether there are others.
pub(in crate::service) fn open_some(
    tx: &mut Transaction<'_>,
    (program, asset): (ProgramNumber, Option<AssetNumber>),
) -> Result<bool, store::Error> {
    let settings = match asset {
        None => store::assets::find(tx, program)?,
        Some(asset) => store::assets::find_further(tx, program, asset)?,
    };
    let after = settings.and_then(|settings| settings.opening_after);
    let Some(after) = after else {
        return Ok(false);
    };
    let at = tx.now(program);
    let members = store::members::after(tx, program, after, STEP)?;
    for member in &members {
        let member = *member;
        if let Some(record) = tx.account_in(AccountKey { asset, member }) {
            // What has expired meanwhile is due after this write, unless the program is archived.
            open(tx, at, &record)?;
        }
    }
    let last = members.last().filter(|_| members.len() == STEP);
    store::assets::note_opened(tx, (program, asset), last.copied())?;
    Ok(last.is_some())
}

/// Puts the points of an account into lots, if its program has lots and they are not. Returns
/// whether it did.
fn open(tx: &mut Transaction<'_>, at: Timestamp, record: &Record) -> Result<bool, store::Error> {
    if record.lots.is_some() {
        return Ok(false);
    }
    let rules = tx.points_rules(record.program, record.asset)?;
    if rules.mode == InventoryMode::Simple {
        return Ok(false);
    }
    let Some(plan) = record.plan_open(rules.opening_expires_at) else {
        return Ok(false);
    };
    let appended = append(tx, at, record, plan.entry_of(record))?;
    appended.map_err(|_| store::Error::Impossible("sum of points"))?;
    Ok(true)
}

/// Plans a credit of points that are available, now or later.
pub(in crate::service) fn plan_mint(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: &Record,
    amount: Points,
    (given, names): (GivenDates, FieldNames),
) -> Result<Plan, ServiceError> {
    plan_mint_into(tx, at, record, (amount, Bucket::Available), (given, names))
}

/// Plans a credit of points into a bucket: available, now or later, or held.
pub(in crate::service) fn plan_mint_into(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: &Record,
    (amount, bucket): (Points, Bucket),
    (given, names): (GivenDates, FieldNames),
) -> Result<Plan, ServiceError> {
    check_amount(tx, record, amount)?;
    let rules = tx.points_rules(record.program, record.asset)?;
    if rules.is_archived {
        return Err(Refusal::AssetArchived.into());
    }
    let dates = match rules.mode {
        InventoryMode::Simple => {
            refuse_dates(given, names)?;
            None
        }
        InventoryMode::Lot => Some(LotDates {
            expires_at: match given.expires_at {
                Change::Keep => rules.expires_at(at),
                Change::Clear => None,
                Change::Set(expires_at) => Some(expires_at),
            },
            matures_at: given.matures_at,
        }),
    };
    let plan = record.plan_mint(amount, bucket, dates);
    Ok(plan.ok_or_else(|| impossible_dates(dates.unwrap_or_default(), names))?)
}

/// Plans that points leave an account: `entry` is a spend or a debit.
pub(in crate::service) fn plan_take(
    tx: &mut Transaction<'_>,
    record: &Record,
    entry: Entry,
    amount: Points,
) -> Result<Plan, ServiceError> {
    if entry == Entry::Debit {
        check_amount(tx, record, amount)?;
    }
    let rules = tx.points_rules(record.program, record.asset)?;
    let (order, scale, target) = (rules.burn_order, rules.scale, rules.target);
    let plan = record.plan(entry, amount, &Pick::all(Bucket::Available, order));
    let available = record.wallet.available();
    let mut plan = plan.ok_or_else(|| match record.asset {
        None => Refusal::InsufficientPoints {
            balance: available,
            needed: amount,
        },
        Some(_) => Refusal::TooFewMatching {
            available: scale.show_points(available),
            needed: scale.show_points(amount),
        },
    })?;
    if entry == Entry::Spend && target != RedemptionTarget::default() {
        plan.buckets.get_or_insert_default().target = target;
    }
    Ok(plan)
}

/// Plans that points are restored which a redemption took.
pub(in crate::service) fn plan_refund(
    tx: &mut Transaction<'_>,
    record: &Record,
    redemption: &Redemption,
    amount: Points,
) -> Result<Plan, ServiceError> {
    let impossible = || store::Error::Impossible("refund of more than was spent");
    let spend = spends::spend_of_offer(tx, redemption.number)?.ok_or_else(impossible)?;
    let restored = redemption.points_of(redemption.quantity.get() - redemption.left());
    let plan = plan_return(tx, record, Entry::Refund, amount, (&spend, restored))?;
    Ok(plan.ok_or_else(impossible)?)
}

/// Plans that points are restored which an entry took, of which some were restored before. `None`
/// if fewer are left.
pub(in crate::service) fn plan_return(
    tx: &mut Transaction<'_>,
    record: &Record,
    entry: Entry,
    amount: Points,
    (spend, restored): (&EntryRow, Points),
) -> Result<Option<Plan>, store::Error> {
    let at = tx.now(record.program);
    let rules = tx.points_rules(record.program, record.asset)?;
    let taken = Taken {
        amount: spend.entry.amount,
        lots: spend.lots(),
        restored,
        grace: rules.refund_grace.map(|grace| Grace {
            at,
            expires_at: grace.after(at),
        }),
        target: spend.entry.target(),
    };
    Ok(record.plan_restore(entry, amount, taken, rules.mode))
}

/// Refuses an amount above the most that a single credit or debit may move.
fn check_amount(
    tx: &mut Transaction<'_>,
    record: &Record,
    amount: Points,
) -> Result<(), ServiceError> {
    let rules = tx.points_rules(record.program, record.asset)?;
    match rules.max_amount {
        Some(max) if amount > max => {
            let max = rules.scale.show_points(max);
            let expected = format!("must be at most {max}, the limit of a single credit or debit");
            Err(Invalid::new("amount", expected).into())
        }
        _ => Ok(()),
    }
}

/// Refuses dates in a program without lots.
fn refuse_dates(given: GivenDates, names: FieldNames) -> Result<(), Invalid> {
    if matches!(given.expires_at, Change::Set(_)) {
        return Err(Invalid::new(names.expires_at, NEEDS_LOTS));
    }
    if given.matures_at.is_some() {
        return Err(Invalid::new(names.matures_at, NEEDS_LOTS));
    }
    Ok(())
}

/// The refusal of dates that no lot can have.
fn impossible_dates(dates: LotDates, names: FieldNames) -> Invalid {
    let is_early = |date: Option<Timestamp>| date.is_some_and(|date| date < Timestamp::EPOCH);
    let years = "must be in the years 1970 to 9999";
    if is_early(dates.expires_at) {
        return Invalid::new(names.expires_at, years);
    }
    match dates.expires_at {
        Some(expires_at) if !is_early(dates.matures_at) => {
            let expected = format!("must be before the points expire, which is {expires_at}");
            Invalid::new(names.matures_at, expected)
        }
        _ => Invalid::new(names.matures_at, years),
    }
}
