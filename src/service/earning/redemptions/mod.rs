//! Redemptions of participants: of an amount, and of offers as rewards; and their reversal.

mod reading;
mod rendering;

use uuid::Uuid;

use self::rendering::{Rendering, Shown, sum};
use super::scope::{self, Named, check_program};
use super::subject;
use crate::books::Record;
use crate::domain::{
    AccountKey, CancelReason, Change, Entry, Invalid, Note, OfferId, Points, Redemption,
    RedemptionPatch, Refusal, Status, Units,
};
use crate::error::Surface;
use crate::service::loyalty::ledger::{Movement, post};
use crate::service::loyalty::points;
use crate::service::loyalty::redemptions::{Booking, change, redeem, return_units};
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::log::EntryRow;
use crate::store::log::spends::{self, Amount};
use crate::store::members::Selector;
use crate::store::{self, Transaction, WriteError};
use crate::wire::{
    AssetResponse, RedeemAmountRequest, RedeemItemsRequest, ReversalResponse,
    ReverseRedemptionRequest,
};

pub use self::reading::RedemptionSelection;

impl Services {
    /// Spends an amount of a participant's points.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn redeem_amount(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: RedeemAmountRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            let record = subject::account(tx, key, &id)?;
            check_program(program, Some(request.program.or(program)))?;
            let asset = request.asset.or(AssetResponse::id_of(program, None));
            let asset = scope::asset(tx, (key.program, program), asset)?;
            let amount = request.amount.amount("amount", asset.scale)?;
            subject::check_active(&record)?;
            let record = account(tx, asset.account(record.number))?;
            let at = tx.now(key.program);
            let record = points::opened(tx, at, record)?;
            let movement = Movement {
                plan: points::plan_take(tx, &record, Entry::Spend, amount)?,
                booking: None,
                reason: Some(request.description),
            };
            post(tx, at, &record, movement)?;
            let spend = newest_entry(tx, &record)?;
            let amount = Amount {
                spend,
                reversals: Vec::new(),
            };
            let rendering = Rendering::new(program, record.number);
            let response = rendering.response(&asset, &Shown::Amount(amount));
            let answer = Answer::created(&response);
            Ok(answer.with_words_of(record.number))
        })
        .await
    }

    /// Redeems an offer for a participant.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn redeem_items(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: RedeemItemsRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            let record = subject::account(tx, key, &id)?;
            check_program(program, Some(request.program.or(program)))?;
            subject::check_active(&record)?;
            let member = Selector::Number(record.number);
            let member = store::members::find(tx, key.program, &member)?;
            let member = member.ok_or(Refusal::NotFound("participant"))?;
            let reward = OfferId::from_uuid(request.reward);
            let offer = store::offers::find(tx, key.program, reward)?;
            let offer = offer.filter(|offer| offer.archived_at.is_none());
            let offer = offer.ok_or(Refusal::NotFound("reward"))?;
            let booking = Booking {
                interest: None,
                reason: request.description,
                units: Some(request.quantity),
            };
            let made = redeem(tx, &Caller::Key(*key), &member, &offer, booking)?;
            let rendering = Rendering::new(program, record.number);
            let shown = item(tx, made, offer.content.title.as_str())?;
            let points = Named::points(program);
            let answer = Answer::created(&rendering.response(&points, &shown));
            Ok(answer.with_words_of(record.number))
        })
        .await
    }

    /// Returns points of a redemption to the lots that they came from, the last first.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn reverse_redemption(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        (id, redemption): (String, String),
        request: ReverseRedemptionRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?.uuid;
            let record = subject::account(tx, key, &id)?;
            let rendering = Rendering::new(program, record.number);
            let reversal = match found(tx, &rendering, &record, &redemption)? {
                Found::Amount(amount) => {
                    let number = amount.spend.entry.asset;
                    let asset = scope::asset_of_entry(tx, (key.program, program), number)?;
                    let reversal = reverse_amount(tx, &asset, &record, &amount, request)?;
                    rendering.reversal_of_amount(asset.scale, &amount.spend, &reversal)
                }
                Found::Item(redemption) => reverse_item(tx, key, &rendering, redemption, &request)?,
            };
            Ok(Answer::created(&reversal).with_words_of(record.number))
        })
        .await
    }
}

/// The account of a member who is known.
fn account(tx: &Transaction<'_>, key: AccountKey) -> Result<Record, store::Error> {
    let account = tx.account_in(key);
    account.ok_or(store::Error::Impossible("account that is gone"))
}

/// The redemption that an id names.
enum Found {
    /// The spend of an amount.
    Amount(Box<Amount>),
    /// A redemption of an offer.
    Item(Box<Redemption>),
}

/// The redemption of a participant with an id.
fn found(
    connection: &store::Connection,
    rendering: &Rendering,
    record: &Record,
    id: &str,
) -> Result<Found, ServiceError> {
    let not_found = || Refusal::NotFound("redemption");
    let uuid = Uuid::try_parse(id).map_err(|_| not_found())?;
    if let Some(seq) = rendering.amount_of(uuid) {
        let amount = spends::amount(connection, (record.program, record.number), seq)?;
        return Ok(Found::Amount(Box::new(amount.ok_or_else(not_found)?)));
    }
    let id = crate::domain::RedemptionId::from_uuid(uuid);
    let redemption = store::redemptions::find(connection, record.program, id)?;
    let redemption = redemption.filter(|redemption| redemption.member == record.number);
    Ok(Found::Item(Box::new(redemption.ok_or_else(not_found)?)))
}

/// The entry that was just posted to an account.
fn newest_entry(tx: &Transaction<'_>, record: &Record) -> Result<EntryRow, store::Error> {
    let impossible = || store::Error::Impossible("ledger entry that was just written");
    let account = tx.account_in(record.key()).ok_or_else(impossible)?.account;
    let seq = account.last.ok_or_else(impossible)?;
    store::log::entry(tx, record.program, seq)?.ok_or_else(impossible)
}

/// A redemption of an offer with what the log has of it.
fn item(
    connection: &store::Connection,
    redemption: Redemption,
    title: &str,
) -> Result<Shown, store::Error> {
    let returned = if redemption.left() < redemption.quantity.get() {
        spends::returned(connection, redemption.number)?
    } else {
        Vec::new()
    };
    Ok(Shown::Item {
        entries: spends::of_offer(connection, redemption.number)?,
        returned,
        title: title.to_owned(),
        redemption: Box::new(redemption),
    })
}

/// Reverses a spend of an amount, or a part of it.
fn reverse_amount(
    tx: &mut Transaction<'_>,
    asset: &Named,
    record: &Record,
    Amount { spend, reversals }: &Amount,
    request: ReverseRedemptionRequest,
) -> Result<EntryRow, ServiceError> {
    if request.quantity.is_some() {
        let expected = "must be absent: the redemption is of an amount";
        return Err(Invalid::new("quantity", expected).into());
    }
    let at = tx.now(record.program);
    let record = account(tx, asset.account(record.number))?;
    let record = points::opened(tx, at, record)?;
    let restored = sum(reversals);
    let left = spend.entry.amount.checked_sub(restored);
    let left = left.unwrap_or(Points::ZERO);
    let amount = request.amount;
    let amount = amount.map(|amount| amount.amount("amount", asset.scale));
    let amount = amount.transpose()?.unwrap_or(left);
    let plan = points::plan_return(tx, &record, Entry::Reverse, amount, (spend, restored))?;
    let too_large = || Refusal::ReversalTooLarge(asset.scale.show_points(left));
    let mut plan = plan.ok_or_else(too_large)?;
    plan.buckets.get_or_insert_default().reverses = Some(spend.seq);
    let movement = Movement {
        plan,
        booking: None,
        reason: Some(request.reason),
    };
    post(tx, at, &record, movement)?;
    Ok(newest_entry(tx, &record)?)
}

/// Reverses a redemption of an offer, or some of its units. With the last units it is canceled,
/// unless it is completed.
fn reverse_item(
    tx: &mut Transaction<'_>,
    key: &KeyPrincipal,
    rendering: &Rendering,
    redemption: Box<Redemption>,
    request: &ReverseRedemptionRequest,
) -> Result<ReversalResponse, ServiceError> {
    if request.amount.is_some() {
        let expected = "must be absent: the redemption is of a quantity";
        return Err(Invalid::new("amount", expected).into());
    }
    let left = redemption.left();
    let units = request.quantity.or(Units::new(left));
    let units = units.filter(|units| units.get() <= left);
    let units = units.ok_or(Refusal::QuantityTooLarge(left))?;
    let caller = Caller::Key(*key);
    let is_canceled = units.get() == left && redemption.status != Status::Completed;
    let reversed = if is_canceled {
        let note = Note::parse("reason", request.reason.as_str())?;
        let patch = RedemptionPatch {
            status: Some(Status::Canceled),
            canceled_reason: Change::Set(CancelReason::Other),
            canceled_note: Change::Set(note),
            ..RedemptionPatch::default()
        };
        change(tx, &caller, &redemption, patch)?
    } else {
        return_units(tx, &caller, *redemption, (units, request.reason.clone()))?
    };
    Ok(rendering.newest_reversal_of_item(tx, &reversed, units)?)
}
