//! Redemptions: create, read, list, update, cancel, rate.

mod feedback;
mod reading;

use uuid::Uuid;

pub use self::reading::UNKNOWN_OFFER;
use self::reading::visible;
use super::ledger::{Movement, post};
use super::{interests, members, offers, points};
use crate::books::Record;
use crate::domain::{
    CancelReason, Change, Entry, Event, Interest, InterestStatus, Invalid, Member, MemberNumber,
    Mover, Offer, Points, ProgramNumber, Reason, Redemption, RedemptionCode, RedemptionId,
    RedemptionMove, RedemptionPatch, RedemptionReturn, Refusal, Status, Timestamp, Units,
};
use crate::service::events;
use crate::service::random::random_bytes;
use crate::service::tenancy::pools;
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{
    CancelRedemptionRequest, CreateRedemptionRequest, PatchRedemptionRequest, RedemptionResponse,
};

impl Services {
    /// Redeems an offer.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_redemption(
        &self,
        caller: Caller,
        idempotency: Option<IdempotencyKey>,
        request: CreateRedemptionRequest,
    ) -> Result<Reply, WriteError> {
        self.write(caller, idempotency, move |tx, caller| {
            let program = caller.program();
            let member = members::subject(tx, caller, request.external_user_id)?
                .ok_or_else(members::external_user_id_required)?;
            let offer = offers::current(tx, program, &request.offer)?;
            let interest = request.interest.map(|id| {
                let interest = interests::of_member(tx, (program, member.number), &id)?;
                if interest.offer == offer.number {
                    Ok::<_, ServiceError>(interest)
                } else {
                    Err(Invalid::new("interest", "must be an interest in the same offer").into())
                }
            });
            let booking = Booking {
                interest: interest.transpose()?,
                ..Booking::default()
            };
            let redemption = redeem(tx, caller, &member, &offer, booking)?;
            let answer = Answer::created(&RedemptionResponse::from(&redemption));
            Ok(answer.with_words_of(redemption.member))
        })
        .await
    }

    /// Updates the status or the details of a redemption.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_redemption(
        &self,
        key: KeyPrincipal,
        id: String,
        request: PatchRedemptionRequest,
    ) -> Result<Reply, WriteError> {
        self.write(Caller::Key(key), None, move |tx, caller| {
            let redemption = visible(tx, caller, &id)?;
            let changed = change(tx, caller, &redemption, request.patch)?;
            Ok(Answer::ok(&RedemptionResponse::from(&changed)).with_words_of(changed.member))
        })
        .await
    }

    /// Cancels a redemption and returns what was charged.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn cancel_redemption(
        &self,
        caller: Caller,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: CancelRedemptionRequest,
    ) -> Result<Reply, WriteError> {
        self.write(caller, idempotency, move |tx, caller| {
            let redemption = visible(tx, caller, &id)?;
            if redemption.status == Status::Canceled {
                // A repeated cancellation changes nothing, not even the reason.
                let answer = Answer::ok(&RedemptionResponse::from(&redemption));
                return Ok(answer.with_words_of(redemption.member));
            }
            let mut patch = request.patch;
            if matches!(caller, Caller::Member(_)) && patch.canceled_reason == Change::Keep {
                patch.canceled_reason = Change::Set(CancelReason::MemberRequested);
            }
            let changed = change(tx, caller, &redemption, patch)?;
            Ok(Answer::ok(&RedemptionResponse::from(&changed)).with_words_of(changed.member))
        })
        .await
    }
}

/// What a redemption has besides a member and an offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::service) struct Booking {
    /// The interest that it comes of.
    pub(in crate::service) interest: Option<Interest>,
    /// The reason of the ledger entry.
    pub(in crate::service) reason: Option<Reason>,
    /// The units, each of which counts towards the limit of the offer. By default there is one, and
    /// redemptions count, however many units they have.
    pub(in crate::service) units: Option<Units>,
}

/// Redeems an offer for a member: stock, points and the redemption change together.
pub(in crate::service) fn redeem(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    member: &Member,
    offer: &Offer,
    Booking {
        mut interest,
        reason,
        units,
    }: Booking,
) -> Result<Redemption, ServiceError> {
    let at = tx.now(member.program);
    member.check_able()?;
    if let Some(interest) = &mut interest {
        interest.leave_for(InterestStatus::Converted)?;
    }
    let quantity = units.unwrap_or(Units::ONE);
    offer.check_redeemable(&member.tier, at, quantity)?;
    let limit = (offer.content.limit, units);
    let held = store::redemptions::held(tx, member.number, offer.number, limit)?;
    if held.is_at_limit {
        return Err(Refusal::RedemptionAlreadyExists.into());
    }
    let price = offer.price(quantity)?;
    let pool = if price.is_zero() {
        None
    } else {
        pools::pool_of_redemptions(tx, caller)?
    };
    let charged = if pool.is_some() { Points::ZERO } else { price };
    let took_stock = offer.content.quantity_remaining.is_some();
    if took_stock {
        store::offers::change_stock(tx, offer.number, -quantity.get())?;
    }
    // The redemption shares the bytes of the interest, and so its conversation.
    let id = match &interest {
        Some(interest) => *interest.id.as_uuid(),
        None => Uuid::now_v7(),
    };
    let owner = (member.number, member.external_user_id.clone());
    let mut redemption = Redemption {
        charged,
        quantity,
        took_stock,
        ..Redemption::submitted(
            RedemptionId::from_uuid(id),
            owner,
            (offer.number, offer.id),
            at,
        )
    };
    store::redemptions::insert(tx, member.program, &mut redemption, || {
        RedemptionCode::of_random(u64::from_be_bytes(random_bytes()))
    })?;
    open_conversation(tx, (member.program, at), &redemption, (offer, interest))?;
    let event = Event::RedemptionCreated {
        member: member.number,
        offer: offer.number,
        redemption: redemption.number,
        charged,
        quantity,
        first: !held.is_known,
    };
    events::record(tx, member.program, at, event)?;
    if let Some(pool) = pool {
        let payer = (member.number, redemption.number);
        pools::draw_redemption(tx, caller, payer, (pool, price))?;
    }
    if !charged.is_zero() {
        let record = points::opened(tx, at, account_of(tx, member.number)?)?;
        let movement = Movement {
            plan: points::plan_take(tx, &record, Entry::Spend, charged)?,
            booking: Some((offer.number, redemption.number)),
            reason,
        };
        post(tx, at, &record, movement)?;
    }
    Ok(redemption)
}

/// Opens the conversation of a redemption, or takes over that of the interest it comes of.
fn open_conversation(
    tx: &mut Transaction<'_>,
    (program, at): (ProgramNumber, Timestamp),
    redemption: &Redemption,
    (offer, interest): (&Offer, Option<Interest>),
) -> Result<(), ServiceError> {
    let id = redemption.conversation();
    if let Some(interest) = interest {
        store::conversations::take_over(tx, id, redemption.number)?;
        return interests::save(tx, (program, at), &interest);
    }
    let about = (Some(redemption.number), Some(&offer.content.title));
    store::conversations::insert(tx, (program, redemption.member), id, about, at)?;
    Ok(())
}

/// Applies a patch: the status first, then the details.
pub(in crate::service) fn change(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    before: &Redemption,
    patch: RedemptionPatch,
) -> Result<Redemption, ServiceError> {
    let at = tx.now(caller.program());
    let actor = match caller {
        Caller::Key(_) => Mover::Operator,
        Caller::Member(_) => Mover::Member,
    };
    let mut redemption = before.clone();
    if let Some(next) = patch.status
        && before.check_move(next, actor)?
    {
        redemption.status = next;
    }
    let has_reason = patch.canceled_reason != Change::Keep || patch.canceled_note != Change::Keep;
    if has_reason && redemption.status != Status::Canceled {
        let field = if patch.canceled_reason == Change::Keep {
            "canceledNote"
        } else {
            "canceledReason"
        };
        return Err(Invalid::new(field, "can be set on a canceled redemption only").into());
    }
    redemption.start_at = patch.start_at.apply(redemption.start_at);
    redemption.end_at = patch.end_at.apply(redemption.end_at);
    redemption.canceled_reason = patch.canceled_reason.apply(redemption.canceled_reason);
    redemption.canceled_note = patch.canceled_note.apply(redemption.canceled_note.take());
    if let (Some(start), Some(end)) = (redemption.start_at, redemption.end_at)
        && end < start
    {
        return Err(Invalid::new("endAt", "must not be before startAt").into());
    }
    if redemption != *before {
        store::redemptions::update(tx, &redemption)?;
    }
    if (redemption.start_at, redemption.end_at) != (before.start_at, before.end_at) {
        let event = Event::RedemptionChanged {
            member: redemption.member,
            offer: redemption.offer,
            redemption: redemption.number,
            start_at: redemption.start_at,
            end_at: redemption.end_at,
        };
        events::record(tx, caller.program(), at, event)?;
    }
    if redemption.status != before.status {
        let event = Event::of_move(RedemptionMove {
            member: redemption.member,
            offer: redemption.offer,
            redemption: redemption.number,
            from: before.status,
            to: redemption.status,
        })
        .ok_or(store::Error::Impossible("move of a redemption"))?;
        events::record(tx, caller.program(), at, event)?;
        if redemption.status == Status::Canceled {
            give_back(tx, caller, before, (before.left(), None))?;
        }
    }
    Ok(redemption)
}

/// Returns some units of a redemption, of which others are left or which is completed. The status
/// stays.
pub(in crate::service) fn return_units(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    mut redemption: Redemption,
    (units, reason): (Units, Reason),
) -> Result<Redemption, ServiceError> {
    let event = Event::RedemptionReturned(RedemptionReturn {
        member: redemption.member,
        offer: redemption.offer,
        redemption: redemption.number,
        units,
        reason: Some(reason.clone()),
    });
    let at = tx.now(caller.program());
    events::record(tx, caller.program(), at, event)?;
    give_back(tx, caller, &redemption, (units.get(), Some(reason)))?;
    redemption.returned += units.get();
    store::redemptions::update(tx, &redemption)?;
    Ok(redemption)
}

/// Returns the stock and the points of units of a redemption, even to a removed member's wallet.
fn give_back(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    redemption: &Redemption,
    (units, reason): (i64, Option<Reason>),
) -> Result<(), ServiceError> {
    if redemption.took_stock {
        store::offers::change_stock(tx, redemption.offer, units)?;
    }
    if redemption.charged.is_zero() {
        let payer = (redemption.member, redemption.number);
        return pools::give_back(tx, caller, payer, (units, redemption.left()));
    }
    let at = tx.now(caller.program());
    let record = points::opened(tx, at, account_of(tx, redemption.member)?)?;
    let movement = Movement {
        plan: points::plan_refund(tx, &record, redemption, redemption.points_of(units))?,
        booking: Some((redemption.offer, redemption.number)),
        reason,
    };
    post(tx, at, &record, movement)?;
    Ok(())
}

/// The account of the member of a redemption.
fn account_of(tx: &Transaction<'_>, member: MemberNumber) -> Result<Record, ServiceError> {
    let record = tx.account(member);
    Ok(record.ok_or(store::Error::Impossible("redemption without a member"))?)
}
