//! Wallets: credit, debit, read, and the ledger of one member.

use super::ledger::{Movement, post};
use super::members;
use crate::domain::{
    Currency, Entry, ExternalUserId, Invalid, Member, RedemptionId, Refusal, Seq, TransactionId,
};
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::members::Selector;
use crate::store::{self, Connection, WriteError};
use crate::wire::{
    Cursor, EligibilityResponse, LedgerEntryResponse, ListKind, MovePointsRequest, PageQuery,
    TransactionListResponse, TransactionResponse, WalletResponse,
};

impl Services {
    /// Credits points to a member.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn credit_wallet(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: MovePointsRequest,
    ) -> Result<Reply, WriteError> {
        self.move_points(key, idempotency, request, Entry::Mint)
            .await
    }

    /// Debits points from a member, to correct a mistake.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn debit_wallet(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: MovePointsRequest,
    ) -> Result<Reply, WriteError> {
        self.move_points(key, idempotency, request, Entry::Debit)
            .await
    }

    async fn move_points(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: MovePointsRequest,
        entry: Entry,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let MovePointsRequest {
                external_user_id,
                amount,
                reason,
            } = request;
            let mut member = members::current_to_change(tx, key.program, &external_user_id)?;
            let at = tx.now(key.program);
            post(
                tx,
                at,
                &mut member,
                Movement {
                    entry,
                    amount,
                    booking: None,
                    reason,
                },
            )?;
            let balance = member.wallet.balance();
            Ok(Answer::balance(balance, tx.currency(key.program)?))
        })
        .await
    }

    /// A member's wallet.
    ///
    /// # Errors
    /// As [`Services::get_eligibility`].
    pub async fn get_wallet(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
    ) -> Result<WalletResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            let (member, currency) = subject(connection, &caller, on_behalf)?;
            Ok(WalletResponse::new(&member.wallet, &currency))
        })
        .await
    }

    /// A member's tier and wallet.
    ///
    /// # Errors
    /// `VALIDATION` when a key names no member, `FORBIDDEN` when a token names another one,
    /// `NOT_FOUND` for an unknown or removed member.
    pub async fn get_eligibility(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
    ) -> Result<EligibilityResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            let (member, currency) = subject(connection, &caller, on_behalf)?;
            let wallet = WalletResponse::new(&member.wallet, &currency);
            Ok(EligibilityResponse::new(&member.tier, wallet))
        })
        .await
    }

    /// A page of a member's ledger, newest first.
    ///
    /// # Errors
    /// As [`Services::get_eligibility`]; a key may read the ledger of a removed member with
    /// `include_archived`.
    pub async fn list_transactions(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
        include_archived: bool,
        page: PageQuery,
    ) -> Result<TransactionListResponse, ServiceError> {
        self.read(caller, move |connection| {
            let (member, _) = subject_of_list(connection, &caller, on_behalf, include_archived)?;
            let start = page
                .cursor
                .map(|cursor| Seq(cursor.0))
                .or(member.account.last);
            let Some(start) = start else {
                return Ok(TransactionListResponse {
                    transactions: Vec::new(),
                    next_cursor: None,
                });
            };
            let rows = store::log::wallet_entries(connection, member.number, start, page.limit)?;
            if rows.is_empty() {
                // The entry that the cursor names belongs to another wallet.
                let expected = "must be the nextCursor of a page of this list";
                return Err(Invalid::new("cursor", expected).into());
            }
            // The last entry of this page names the one before it.
            let next_cursor = rows
                .last()
                .and_then(|last| last.previous)
                .map(|seq| Cursor(seq.0).encode(ListKind::Transactions, caller.program().0));
            let transactions = rows
                .into_iter()
                .map(|row| LedgerEntryResponse {
                    transaction: TransactionResponse::new(
                        TransactionId::of_entry(row.seq, row.at),
                        row.entry,
                        row.amount,
                        row.reason,
                        row.redemption.map(RedemptionId::from_uuid),
                        row.at,
                    ),
                    balance_after: row.balance_after.get(),
                    offer_title: row.offer_title,
                })
                .collect();
            Ok(TransactionListResponse {
                transactions,
                next_cursor,
            })
        })
        .await
    }
}

/// The member of a read: the token's own, or the one that a key names.
fn subject(
    connection: &Connection,
    caller: &Caller,
    on_behalf: Option<ExternalUserId>,
) -> Result<(Member, Currency), ServiceError> {
    subject_of_list(connection, caller, on_behalf, false)
}

/// [`subject`] of a list, which a key may read of a removed member too.
fn subject_of_list(
    connection: &Connection,
    caller: &Caller,
    on_behalf: Option<ExternalUserId>,
    include_archived: bool,
) -> Result<(Member, Currency), ServiceError> {
    match caller {
        Caller::Key(key) => {
            let id = on_behalf.ok_or_else(members::external_user_id_required)?;
            let selector = Selector::External(id);
            store::members::find_with_currency(connection, key.program, &selector)?
                .filter(|(member, _)| include_archived || member.archived_at.is_none())
                .ok_or(ServiceError::Refused(Refusal::NotFound("member")))
        }
        Caller::Member(principal) => {
            let selector = Selector::Number(principal.member);
            let found =
                store::members::find_with_currency(connection, principal.program, &selector)?
                    .filter(|(member, _)| member.token_epoch == principal.epoch)
                    .ok_or(ServiceError::Refused(Refusal::TokenRevoked))?;
            members::check_on_behalf(&found.0, on_behalf.as_ref())?;
            Ok(found)
        }
    }
}
