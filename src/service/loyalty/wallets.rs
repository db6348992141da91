//! Wallets: credit, debit, read, and the ledger of one member.

use super::actors::Actors;
use super::ledger::{Movement, post};
use super::members;
use super::points::{self, GivenDates};
use super::wallet_of::wallet_of;
use crate::books::Record;
use crate::domain::{
    Entry, ExternalUserId, Invalid, ProgramNumber, RedemptionId, Refusal, Seq, Tier, TransactionId,
};
use crate::service::tenancy::pools;
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::log::LedgerRow;
use crate::store::{self, Connection, WriteError};
use crate::wire::{
    CreditRequest, Cursor, DebitRequest, EligibilityResponse, EntryDetailsResponse,
    LedgerEntryResponse, ListKind, PageQuery, TransactionListResponse, TransactionResponse,
    WalletResponse,
};

/// A page of a ledger.
#[derive(Debug, Clone, Copy)]
pub struct TransactionSelection {
    /// Whether entries have their cause and their lots.
    pub has_details: bool,
    /// The page.
    pub page: PageQuery,
}

/// The account of a member, as a read finds it.
pub(super) struct Account {
    pub(super) record: Record,
    pub(super) tier: Tier,
    /// The newest row of the log that it includes.
    pub(super) as_of: Seq,
}

impl Services {
    /// Credits points to a member.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn credit_wallet(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreditRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let (at, amount) = (tx.now(key.program), request.amount);
            let record = members::current_account(tx, key.program, &request.external_user_id)?;
            let pool = pools::pool_of_credits(tx, key)?;
            let record = points::opened(tx, at, record)?;
            let dates = GivenDates {
                expires_at: request.expires_at,
                matures_at: request.matures_at,
            };
            let movement = Movement {
                plan: points::plan_mint(tx, at, &record, amount, (dates, points::EXPYS))?,
                booking: None,
                reason: request.reason,
            };
            let wallet = post(tx, at, &record, movement)?;
            if let Some(pool) = pool {
                pools::draw(tx, key.organization, pool, amount)?;
            }
            Ok(Answer::balance(wallet.balance(), tx.currency(key.program)?))
        })
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
        request: DebitRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let at = tx.now(key.program);
            let record = members::current_account(tx, key.program, &request.external_user_id)?;
            let record = points::opened(tx, at, record)?;
            let movement = Movement {
                plan: points::plan_take(tx, &record, Entry::Debit, request.amount)?,
                booking: None,
                reason: request.reason,
            };
            let wallet = post(tx, at, &record, movement)?;
            Ok(Answer::balance(wallet.balance(), tx.currency(key.program)?))
        })
        .await
    }

    /// A member's wallet, from the books.
    ///
    /// # Errors
    /// As [`Services::get_eligibility`].
    pub fn get_wallet(
        &self,
        caller: Caller,
        on_behalf: Option<&ExternalUserId>,
    ) -> Result<WalletResponse, ServiceError> {
        let account = self.account(caller, on_behalf, false)?;
        self.wallet(caller, &account)
    }

    /// A member's tier and wallet, from the books.
    ///
    /// # Errors
    /// `VALIDATION` when a key names no member, `FORBIDDEN` when a token names another one,
    /// `NOT_FOUND` for an unknown or removed member.
    pub fn get_eligibility(
        &self,
        caller: Caller,
        on_behalf: Option<&ExternalUserId>,
    ) -> Result<EligibilityResponse, ServiceError> {
        let account = self.account(caller, on_behalf, false)?;
        let wallet = self.wallet(caller, &account)?;
        Ok(EligibilityResponse::new(&account.tier, wallet))
    }

    /// A page of a member's ledger, newest first.
    ///
    /// # Errors
    /// As [`Services::get_eligibility`]; a key may read the ledger of a removed member with
    /// `include_archived`, and its details.
    pub async fn list_transactions(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
        include_archived: bool,
        selection: TransactionSelection,
    ) -> Result<TransactionListResponse, ServiceError> {
        let TransactionSelection { has_details, page } = selection;
        if has_details && matches!(caller, Caller::Member(_)) {
            return Err(Invalid::new("details", "needs an Org-API-Key").into());
        }
        // Its newest entry is committed, so that a read that begins now sees it.
        let account = self.account(caller, on_behalf.as_ref(), include_archived)?;
        let record = account.record;
        self.read(caller, move |connection| {
            let start = page
                .cursor
                .map(|cursor| Seq(cursor.0))
                .or(record.account.last);
            let Some(start) = start else {
                return Ok(TransactionListResponse {
                    transactions: Vec::new(),
                    next_cursor: None,
                });
            };
            let page = store::log::wallet_entries(connection, record.number, start, page.limit)?;
            let page = page.ok_or_else(|| {
                // The entry that the cursor names belongs to another wallet.
                let expected = "must be the nextCursor of a page of this list";
                Invalid::new("cursor", expected)
            })?;
            let next_cursor = page
                .next
                .map(|seq| Cursor(seq.0).encode(ListKind::Transactions, caller.program().0));
            let mut actors = Actors::new(connection);
            let mut transactions = Vec::with_capacity(page.entries.len());
            for row in page.entries {
                let entry = (caller.program(), row.seq);
                let details = has_details.then(|| details(connection, &mut actors, entry));
                transactions.push(response(row, details.transpose()?));
            }
            Ok(TransactionListResponse {
                transactions,
                next_cursor,
            })
        })
        .await
    }

    fn wallet(&self, caller: Caller, account: &Account) -> Result<WalletResponse, ServiceError> {
        let currency = self.directory.currency_of(caller.program())?;
        Ok(wallet_of(&account.record, account.as_of, &currency))
    }

    /// The account of the member of a read: the token's own, or the one that a key names. A key may
    /// read the lists of a removed member too.
    pub(super) fn account(
        &self,
        caller: Caller,
        on_behalf: Option<&ExternalUserId>,
        include_archived: bool,
    ) -> Result<Account, ServiceError> {
        self.readership.note();
        let books = self.books.read();
        let record = match caller {
            Caller::Key(key) => {
                let id = on_behalf.ok_or_else(members::external_user_id_required)?;
                books
                    .find(key.program, id)
                    .filter(|record| include_archived || !record.is_archived)
                    .ok_or(Refusal::NotFound("member"))?
            }
            Caller::Member(principal) => {
                let record = books
                    .record(principal.member)
                    .filter(|record| i64::from(record.token_epoch) == principal.epoch)
                    .ok_or(Refusal::TokenRevoked)?;
                let named = on_behalf.map(|id| books.find(principal.program, id));
                if named.is_some_and(|named| named.is_none_or(|n| n.number != record.number)) {
                    return Err(Refusal::AnotherMember.into());
                }
                record
            }
        };
        let tier = books.tier(record.tier);
        Ok(Account {
            record,
            tier: tier.ok_or(store::Error::Impossible("tier"))?,
            as_of: books.last_seq(),
        })
    }
}

/// An entry in the list of a wallet.
fn response(row: LedgerRow, details: Option<EntryDetailsResponse>) -> LedgerEntryResponse {
    LedgerEntryResponse {
        transaction: TransactionResponse::new(
            TransactionId::of_entry(row.seq, row.at),
            row.entry,
            row.amount,
            row.reason,
            row.redemption.map(RedemptionId::from_uuid),
            row.at,
        ),
        balance_after: row.balance_after,
        offer_title: row.offer_title,
        details,
    }
}

/// The cause and the lots of an entry of a program.
fn details(
    connection: &Connection,
    actors: &mut Actors<'_>,
    (program, seq): (ProgramNumber, Seq),
) -> Result<EntryDetailsResponse, store::Error> {
    let row = store::log::entry(connection, program, seq)?;
    let row = row.ok_or(store::Error::Impossible("ledger entry"))?;
    let actor = actors.response(row.actor)?;
    Ok(EntryDetailsResponse::new(
        actor,
        row.entry.buckets.as_deref(),
    ))
}
