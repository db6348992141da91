//! The balances of participants: operations on them, and what they answer.

use super::checks::{check_adjustment, check_asset, check_operation, refuse_lot_fields};
use super::moves::{
    By, Choice, CreditTerms, DebitTerms, OperationTerms, Posting, credit, debit, operate,
};
use super::{scope, subject};
use crate::books::Books;
use crate::domain::{
    AssetNumber, BalanceOperation, Bucket, InventoryMode, MemberNumber, Refusal, Wallet,
};
use crate::error::Surface;
use crate::service::loyalty::points::GivenDates;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::WriteError;
use crate::wire::{
    AdjustBalanceRequest, AdjustedBalanceResponse, BalanceOperationRequest,
    BalanceOperationResponse, BucketsResponse, LotAmountResponse, ParticipantBalanceListResponse,
    ParticipantBalanceResponse,
};

impl Services {
    /// The balances of a participant, from the books.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant, or no such asset.
    pub async fn list_balances(
        &self,
        key: KeyPrincipal,
        id: &str,
        asset: Option<String>,
    ) -> Result<ParticipantBalanceListResponse, ServiceError> {
        let record = self.participant(key, id)?;
        let program = (key.program, self.directory.uuid_of(key.program)?);
        let books = self.books.clone();
        self.look_up(key, move |connection| {
            let data = if let Some(asset) = asset {
                let asset = scope::asset_of_text(connection, program, &asset)?;
                let account = books.read().account(asset.account(record.number));
                let wallet = account.map_or(Wallet::default(), |account| account.wallet);
                vec![ParticipantBalanceResponse::new(
                    asset.id,
                    &wallet,
                    asset.scale,
                )]
            } else {
                let member = record.number;
                let wallets = further_wallets(&books.read(), member);
                scope::balances(connection, program, &record.wallet, &wallets)?
            };
            Ok(ParticipantBalanceListResponse {
                data,
                pagination: None.into(),
            })
        })
        .await
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
            let (program, asset) = check_asset(tx, key, &request.asset)?;
            check_adjustment(&request)?;
            let amount = request.amount.amount("amount", asset.scale)?;
            let record = subject::account_in(tx, key, &id, &asset)?;
            subject::check_active(&record)?;
            let mut posting = Posting::begin(tx, record, &request.asset.description, By::Caller)?;
            if let Some(max) = posting.rules.max_amount.filter(|max| amount > *max) {
                return Err(Refusal::AmountTooLarge(asset.scale.show_points(max)).into());
            }
            let settle = if request.is_credit {
                credit(&mut posting, key, amount, &credit_terms(&request))?
            } else {
                let terms = DebitTerms {
                    bucket: request.bucket,
                    allow_negative: request.allow_negative,
                    reference: request.reference_id.clone(),
                };
                debit(&mut posting, amount, &terms)?;
                None
            };
            let done = posting.end(program)?;
            let is_deferred = request.matures_at.is_some();
            let words = (request.is_credit, request.bucket, is_deferred);
            let (kind, bucket) = AdjustedBalanceResponse::words(words.0, words.1, words.2);
            let amount = asset.scale.show_points(amount);
            let past = if request.is_credit {
                "credited"
            } else {
                "debited"
            };
            Ok(Answer::ok(&AdjustedBalanceResponse {
                message: format!("{amount} points {past}"),
                amount,
                asset_id: asset.id.to_string(),
                program_id: program.to_string(),
                kind,
                bucket,
                journal_entry_id: done.entry,
                reference_id: request.reference_id.map(|it| it.as_str().to_owned()),
                settle,
                balance: BucketsResponse::new(&done.record.wallet, asset.scale),
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
            let (program, asset) = check_asset(tx, key, &request.asset)?;
            check_operation(operation, &request)?;
            let record = subject::account_in(tx, key, &id, &asset)?;
            if operation.needs_active() {
                subject::check_active(&record)?;
            }
            let mut posting = Posting::begin(tx, record, &request.asset.description, By::Caller)?;
            let has_lots = posting.rules.mode == InventoryMode::Lot;
            if !has_lots {
                refuse_lot_fields(operation, &request)?;
            }
            let choice = Choice::of(&posting, &asset, &request)?;
            let terms = OperationTerms {
                bucket: request.bucket.unwrap_or(Bucket::Available),
                reference: request.reference_id.clone(),
                until: request.hold_until,
            };
            let (amount, until) = operate(&mut posting, operation, &choice, &terms)?;
            let done = posting.end(program)?;
            let ids = asset.lots();
            let lots = done.lots.iter().map(|(lot, points)| LotAmountResponse {
                id: ids.id(done.record.number.0, *lot).to_string(),
                amount: asset.scale.show_points(*points),
            });
            let amount = asset.scale.show_points(amount);
            Ok(Answer::ok(&BalanceOperationResponse {
                operation: operation.as_str(),
                message: format!("{amount} points {}", operation.past()),
                amount_processed: amount,
                asset_id: asset.id.to_string(),
                program_id: program.to_string(),
                journal_entry_id: done.entry,
                reference_id: request.reference_id.map(|it| it.as_str().to_owned()),
                hold_until: until.map(|until| until.to_string()),
                balance: BucketsResponse::new(&done.record.wallet, asset.scale),
                lots_processed: has_lots.then(|| lots.collect()),
            }))
        })
        .await
    }
}

fn credit_terms(request: &AdjustBalanceRequest) -> CreditTerms {
    CreditTerms {
        bucket: request.bucket,
        reference: request.reference_id.clone(),
        dates: GivenDates {
            expires_at: request.expires_at,
            matures_at: request.matures_at,
        },
    }
}

/// The wallets of a member in further assets.
pub(super) fn further_wallets(books: &Books, member: MemberNumber) -> Vec<(AssetNumber, Wallet)> {
    let accounts = books.accounts_of(member).into_iter();
    let wallets = accounts.filter_map(|it| it.asset.map(|asset| (asset, it.wallet)));
    wallets.collect()
}
