//! The balances of participants: operations on them, and what they answer.

use super::checks::{check_adjustment, check_asset, check_operation, refuse_lot_fields};
use super::moves::{Choice, Posting, credit, debit, forfeit, hold, release, void};
use super::{scope, subject};
use crate::domain::{BalanceOperation, DerivedIds, DerivedKind, InventoryMode, Refusal};
use crate::error::Surface;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::WriteError;
use crate::wire::{
    AdjustBalanceRequest, AdjustedBalanceResponse, AssetResponse, BalanceOperationRequest,
    BalanceOperationResponse, LotAmountResponse, ParticipantBalanceListResponse,
    ParticipantBalanceResponse,
};

impl Services {
    /// The balances of a participant, from the books.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant, or no such asset.
    pub fn list_balances(
        &self,
        key: KeyPrincipal,
        id: &str,
        asset: Option<&str>,
    ) -> Result<ParticipantBalanceListResponse, ServiceError> {
        let record = self.participant(key, id)?;
        let program = self.directory.uuid_of(key.program)?;
        asset.map_or(Ok(()), |id| scope::check_asset_text(program, id))?;
        Ok(ParticipantBalanceListResponse {
            data: vec![ParticipantBalanceResponse::new(program, &record.wallet)],
            pagination: None.into(),
        })
    }

    /// Credits or debits points.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn adjust_balance(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: AdjustBalanceRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = check_asset(tx, key, &request.asset)?;
            check_adjustment(&request)?;
            let record = subject::account(tx, key, &id)?;
            subject::check_active(&record)?;
            let mut posting = Posting::begin(tx, record, &request.asset.description)?;
            if let Some(max) = posting.rules.max_amount.filter(|max| request.amount > *max) {
                return Err(Refusal::AmountTooLarge(max).into());
            }
            let settle = if request.is_credit {
                credit(&mut posting, key, &request)?
            } else {
                debit(&mut posting, &request)?;
                None
            };
            let done = posting.end(program)?;
            let is_deferred = request.matures_at.is_some();
            let words = (request.is_credit, request.bucket, is_deferred);
            let (kind, bucket) = AdjustedBalanceResponse::words(words.0, words.1, words.2);
            let amount = request.amount.get().to_string();
            let past = if request.is_credit {
                "credited"
            } else {
                "debited"
            };
            Ok(Answer::ok(&AdjustedBalanceResponse {
                message: format!("{amount} points {past}"),
                amount,
                asset_id: AssetResponse::id_of(program).to_string(),
                program_id: program.to_string(),
                kind,
                bucket,
                journal_entry_id: done.entry,
                reference_id: request.reference_id.map(|it| it.as_str().to_owned()),
                settle,
                balance: (&done.record.wallet).into(),
            }))
        })
        .await
    }

    /// Holds, releases, forfeits or takes back points.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn operate_on_balance(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        (id, operation): (String, BalanceOperation),
        request: BalanceOperationRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = check_asset(tx, key, &request.asset)?;
            check_operation(operation, &request)?;
            let record = subject::account(tx, key, &id)?;
            if operation.needs_active() {
                subject::check_active(&record)?;
            }
            let mut posting = Posting::begin(tx, record, &request.asset.description)?;
            let has_lots = posting.rules.mode == InventoryMode::Lot;
            if !has_lots {
                refuse_lot_fields(operation, &request)?;
            }
            let choice = Choice::of(&posting, program, &request)?;
            let (amount, until) = match operation {
                BalanceOperation::Hold => hold(&mut posting, &choice, &request)?,
                BalanceOperation::Release => (release(&mut posting, &choice, &request)?, None),
                BalanceOperation::Forfeit => (forfeit(&mut posting, &choice, &request)?, None),
                BalanceOperation::VoidHold => (void(&mut posting, &choice, &request)?, None),
            };
            let done = posting.end(program)?;
            let ids = DerivedIds::new(program, DerivedKind::Lot);
            let lots = done.lots.iter().map(|(lot, points)| LotAmountResponse {
                id: ids.id(done.record.number.0, *lot).to_string(),
                amount: points.get().to_string(),
            });
            let amount = amount.get().to_string();
            Ok(Answer::ok(&BalanceOperationResponse {
                operation: operation.as_str(),
                message: format!("{amount} points {}", operation.past()),
                amount_processed: amount,
                asset_id: AssetResponse::id_of(program).to_string(),
                program_id: program.to_string(),
                journal_entry_id: done.entry,
                reference_id: request.reference_id.map(|it| it.as_str().to_owned()),
                hold_until: until.map(|until| until.to_string()),
                balance: (&done.record.wallet).into(),
                lots_processed: has_lots.then(|| lots.collect()),
            }))
        })
        .await
    }
}
