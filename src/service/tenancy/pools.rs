//! Pools of organizations: the partner sets and funds them; live credits and redemptions draw.

use super::organizations::find;
use crate::domain::{
    Environment, Event, EventKind, Invalid, MemberNumber, OrganizationNumber, Points, Pool,
    RedemptionNumber, Refusal, SettlementMode,
};
use crate::error::Surface;
use crate::service::events;
use crate::service::{
    Answer, Caller, IdempotencyKey, KeyPrincipal, PartnerPrincipal, Reply, ServiceError, Services,
};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{FundPoolRequest, OnePoolResponse, PoolBalanceResponse, SetPoolRequest};

impl Services {
    /// The pool of a key's organization; zeros if it has none.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn get_balance(
        &self,
        key: KeyPrincipal,
    ) -> Result<PoolBalanceResponse, ServiceError> {
        let currency = self.directory.currency_of(key.program)?;
        self.look_up(key, move |connection| {
            let pool = store::pools::find(connection, key.organization)?;
            Ok(PoolBalanceResponse::new(
                &pool.unwrap_or_default(),
                &currency,
            ))
        })
        .await
    }

    /// The pool of one of the partner's organizations.
    ///
    /// # Errors
    /// `NotFound` if there is no such organization.
    pub async fn get_pool(
        &self,
        partner: PartnerPrincipal,
        id: String,
    ) -> Result<OnePoolResponse, ServiceError> {
        self.look_up(partner, move |connection| {
            let organization = find(connection, partner, &id)?;
            Ok(one(
                store::pools::find(connection, organization.number)?.as_ref()
            ))
        })
        .await
    }

    /// Sets the limits and the mode of a pool, which begins to exist if it did not.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_pool(
        &self,
        partner: PartnerPrincipal,
        id: String,
        request: SetPoolRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Bullseye, partner, None, move |tx, partner| {
            let organization = find(tx, *partner, &id)?.number;
            let before = store::pools::find(tx, organization)?;
            let mut pool = before.unwrap_or_default();
            pool.credit_limit = request.credit_limit.unwrap_or(pool.credit_limit);
            pool.low_threshold = request.low_threshold.unwrap_or(pool.low_threshold);
            let mode = request.settlement_mode.unwrap_or(pool.mode);
            if mode == SettlementMode::OrgPool && mode != pool.mode {
                check_empty(tx, organization)?;
            }
            pool.mode = mode;
            if before != Some(pool) {
                let event = Event::PoolChanged {
                    organization,
                    credit_limit: pool.credit_limit,
                    mode: pool.mode,
                    low_threshold: pool.low_threshold,
                };
                tx.record(None, tx.clock_now(), event)?;
                store::pools::put(tx, organization, &pool)?;
            }
            Ok(Answer::ok(&one(Some(&pool))))
        })
        .await
    }

    /// Adds points that an organization bought to its pool, which begins to exist if it did not.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn fund_pool(
        &self,
        partner: PartnerPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: FundPoolRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(
            Surface::Bullseye,
            partner,
            idempotency,
            move |tx, partner| {
                let organization = find(tx, *partner, &id)?.number;
                let mut pool = store::pools::find(tx, organization)?.unwrap_or_default();
                let amount = request.amount;
                if pool.balance + amount > Pool::MAX {
                    let expected = format!("must not take the balance above {}", Pool::MAX);
                    return Err(Invalid::new("amount", expected).into());
                }
                pool.add(amount);
                let event = Event::PoolFunded {
                    organization,
                    amount,
                };
                let seq = tx.record(None, tx.clock_now(), event)?;
                store::pools::note(tx, seq, request.note.as_ref())?;
                store::pools::put(tx, organization, &pool)?;
                if partner.environment == Environment::Live {
                    let balance = pool.balance;
                    tell(
                        tx,
                        organization,
                        &Event::OrgPointsPurchased {
                            organization,
                            balance,
                            amount,
                        },
                    )?;
                }
                Ok(Answer::created(&one(Some(&pool))))
            },
        )
        .await
    }
}

fn one(pool: Option<&Pool>) -> OnePoolResponse {
    OnePoolResponse {
        pool: pool.map(Into::into),
    }
}

/// Refuses an organization in which a member has points.
fn check_empty(tx: &Transaction<'_>, organization: OrganizationNumber) -> Result<(), ServiceError> {
    for (program, _) in store::pools::programs(tx, organization)? {
        if tx.wallets_of(program).balance() != 0 {
            return Err(Refusal::OrgPool("members of the organization have points").into());
        }
    }
    Ok(())
}

/// The pool that credits of a program draw from, if its organization has one and it is live.
///
/// To be read before the write changes anything: most organizations have none, and then the write
/// of a credit needs no savepoint.
pub(in crate::service) fn pool_of_credits(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
) -> Result<Option<Pool>, ServiceError> {
    let pool = pool_of(tx, key.environment, key.organization)?;
    if pool.is_some_and(|pool| pool.mode == SettlementMode::OrgPool) {
        let message = "the organization pays redemptions from its pool, and members have no points";
        return Err(Refusal::OrgPool(message).into());
    }
    Ok(pool)
}

/// The pool that pays redemptions of the caller's organization, if one does.
pub(in crate::service) fn pool_of_redemptions(
    tx: &Transaction<'_>,
    caller: &Caller,
) -> Result<Option<Pool>, ServiceError> {
    let (environment, organization) = caller.organization();
    let pool = pool_of(tx, environment, organization)?;
    Ok(pool.filter(|pool| pool.mode == SettlementMode::OrgPool))
}

/// Draws the price of a redemption from the pool that pays it.
pub(in crate::service) fn draw_redemption(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    (member, redemption): (MemberNumber, RedemptionNumber),
    (pool, price): (Pool, Points),
) -> Result<(), ServiceError> {
    let event = Event::PoolDrawn {
        member,
        redemption,
        amount: price,
    };
    let at = tx.now(caller.program());
    tx.record(Some(caller.program()), at, event)?;
    let (_, organization) = caller.organization();
    draw(tx, organization, pool, price)
}

/// Returns to the pool what a redemption drew from it for some of the units that are left.
pub(in crate::service) fn give_back(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    (member, redemption): (MemberNumber, RedemptionNumber),
    (units, left): (i64, i64),
) -> Result<(), ServiceError> {
    let (environment, organization) = caller.organization();
    let Some(mut pool) = pool_of(tx, environment, organization)? else {
        return Ok(());
    };
    let kinds = [EventKind::PoolDrawn, EventKind::PoolReturned].map(EventKind::number);
    let amount = store::pools::drawn_by(tx, redemption, kinds)? / left.max(1) * units;
    let Some(amount) = Points::new(amount).filter(|amount| !amount.is_zero()) else {
        return Ok(());
    };
    let event = Event::PoolReturned {
        member,
        redemption,
        amount,
    };
    let at = tx.now(caller.program());
    tx.record(Some(caller.program()), at, event)?;
    pool.add(amount.get());
    store::pools::put(tx, organization, &pool)?;
    Ok(())
}

/// The pool that an organization draws from: none in the sandbox.
fn pool_of(
    tx: &Transaction<'_>,
    environment: Environment,
    organization: OrganizationNumber,
) -> Result<Option<Pool>, store::Error> {
    match environment {
        Environment::Sandbox => Ok(None),
        Environment::Live => store::pools::present(tx, organization),
    }
}

/// Draws points from a pool.
pub(in crate::service) fn draw(
    tx: &mut Transaction<'_>,
    organization: OrganizationNumber,
    mut pool: Pool,
    amount: Points,
) -> Result<(), ServiceError> {
    let is_low = pool.draw(amount.get())?;
    store::pools::put(tx, organization, &pool)?;
    if is_low {
        tell(
            tx,
            organization,
            &Event::OrgPointsLow {
                organization,
                balance: pool.balance,
                threshold: pool.low_threshold,
            },
        )?;
    }
    Ok(())
}

/// Records an event of the organization in each of its active programs.
fn tell(
    tx: &mut Transaction<'_>,
    organization: OrganizationNumber,
    event: &Event,
) -> Result<(), ServiceError> {
    let programs = store::pools::programs(tx, organization)?;
    for (program, _) in programs.into_iter().filter(|(_, is_active)| *is_active) {
        let at = tx.now(program);
        events::record(tx, program, at, event.clone())?;
    }
    Ok(())
}
