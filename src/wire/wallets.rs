//! Wallets, points and the ledger.

use serde::Serialize;
use serde_json::Value;

use super::fields::{Fields, amount, text};
use crate::domain::{
    Currency, Entry, ExternalUserId, Invalid, Points, Reason, RedemptionId, Tier, Timestamp,
    TransactionId, Wallet,
};

/// The body of `POST /v1/wallet/credit` and `/debit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovePointsRequest {
    /// Whose wallet.
    pub external_user_id: ExternalUserId,
    /// How many points, at least one.
    pub amount: Points,
    /// Why.
    pub reason: Option<Reason>,
}

impl MovePointsRequest {
    /// Reads the body.
    ///
    /// # Errors
    /// [`Invalid`] naming the field.
    pub fn parse(body: &Value) -> Result<Self, Invalid> {
        let fields = Fields::of(body)?;
        Ok(Self {
            external_user_id: fields.required("externalUserID", text(ExternalUserId::parse))?,
            amount: fields.required("amount", amount)?,
            reason: fields.nullable("reason", text(Reason::parse))?,
        })
    }
}

/// What points are called.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct CurrencyResponse {
    pub name: String,
    pub symbol: String,
}

impl From<&Currency> for CurrencyResponse {
    fn from(currency: &Currency) -> Self {
        Self {
            name: currency.name.as_str().to_owned(),
            symbol: currency.symbol.as_str().to_owned(),
        }
    }
}

/// `Wallet`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct WalletResponse {
    pub balance: i64,
    pub amount_received: i64,
    pub amount_spent: i64,
    pub currency: CurrencyResponse,
}

impl WalletResponse {
    /// A wallet in its program's currency.
    pub fn new(wallet: &Wallet, currency: &Currency) -> Self {
        Self {
            balance: wallet.balance().get(),
            amount_received: wallet.received.get(),
            amount_spent: wallet.spent.get(),
            currency: currency.into(),
        }
    }
}

/// The answer to a credit or debit.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct BalanceResponse {
    pub balance: i64,
    pub currency: CurrencyResponse,
}

/// `MemberEligibility`.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct EligibilityResponse {
    pub tier: String,
    pub wallet: WalletResponse,
}

impl EligibilityResponse {
    /// A member's tier and wallet.
    pub fn new(tier: &Tier, wallet: WalletResponse) -> Self {
        Self {
            tier: tier.as_str().to_owned(),
            wallet,
        }
    }
}

/// `Transaction`: a ledger entry as its member sees it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct TransactionResponse {
    pub id: String,
    #[serde(rename = "type")]
    pub transaction_type: &'static str,
    pub amount: i64,
    pub reason: Option<String>,
    #[serde(rename = "redemptionID")]
    pub redemption_id: Option<String>,
    pub created_at: String,
}

impl TransactionResponse {
    /// A ledger entry, which happened at `at`. Where the caller could give no reason, the reason is
    /// what happened.
    pub fn new(
        id: TransactionId,
        entry: Entry,
        amount: Points,
        reason: Option<Reason>,
        redemption: Option<RedemptionId>,
        at: Timestamp,
    ) -> Self {
        let reason = match entry {
            Entry::Mint | Entry::Debit => reason.map(|reason| reason.as_str().to_owned()),
            Entry::Spend => Some("redemption".to_owned()),
            Entry::Refund => Some("refund".to_owned()),
            Entry::Forfeit => Some("member removed".to_owned()),
        };
        Self {
            id: id.to_string(),
            transaction_type: if entry.is_credit() { "CREDIT" } else { "DEBIT" },
            amount: amount.get(),
            reason,
            redemption_id: redemption.map(|id| id.to_string()),
            created_at: at.to_string(),
        }
    }
}

/// A page of transactions.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the API's")]
pub struct TransactionListResponse {
    pub transactions: Vec<TransactionResponse>,
    pub next_cursor: Option<String>,
}
