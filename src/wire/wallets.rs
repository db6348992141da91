//! Wallets, points and the ledger.

use serde::Serialize;
use utoipa::ToSchema;

use super::entry_details::EntryDetailsResponse;
use super::field_types::{AMOUNT, EXTERNAL_USER_ID, TIME, text};
use super::request::request;
use super::schema::{CREDIT, DEBIT, TransactionType};
use crate::domain::{
    Change, Currency, Entry, Expiring, ExternalUserId, Money, Points, Reason, RedemptionId, Seq,
    Tier, Timestamp, TransactionId, Wallet,
};

request! {
    /// The body of `POST /v1/wallet/credit`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct CreditRequest {
        /// The member whose wallet it is.
        pub external_user_id: ExternalUserId = required("externalUserID", EXTERNAL_USER_ID),
        /// The number of points.
        pub amount: Points = required("amount", AMOUNT),
        /// The reason; it appears in the member's ledger.
        pub reason: Option<Reason> = nullable("reason", text!(Reason)),
        /// When the points expire. Absent: as the program's `expiry` says; null: never. Only in a
        /// program whose points are kept in lots.
        pub expires_at: Change<Timestamp> = change("expiresAt", TIME),
        /// When the points become available, which has to be before they expire; they are
        /// `pending` until then. Only in a program whose points are kept in lots.
        pub matures_at: Option<Timestamp> = nullable("maturesAt", TIME),
    }
    example {"externalUserID": "user_42", "amount": 100, "reason": "welcome bonus"}
    parse(body);
}

request! {
    /// The body of `POST /v1/wallet/debit`.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct DebitRequest {
        /// The member whose wallet it is.
        pub external_user_id: ExternalUserId = required("externalUserID", EXTERNAL_USER_ID),
        /// The number of points.
        pub amount: Points = required("amount", AMOUNT),
        /// The reason; it appears in the member's ledger.
        pub reason: Option<Reason> = nullable("reason", text!(Reason)),
    }
    example {"externalUserID": "user_42", "amount": 100, "reason": "welcome bonus"}
    parse(body);
}

/// The currency of a program: the name of its points.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({"name": "Points", "symbol": "pts", "unitsPerUSD": 100})))]
pub struct CurrencyResponse {
    /// The display name.
    pub name: String,
    /// The symbol.
    pub symbol: String,
    /// The units in which a dollar's worth of points is displayed.
    #[serde(rename = "unitsPerUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub units_per_usd: Money,
}

impl From<&Currency> for CurrencyResponse {
    fn from(currency: &Currency) -> Self {
        Self {
            name: currency.name.as_str().to_owned(),
            symbol: currency.symbol.as_str().to_owned(),
            units_per_usd: currency.units_per_usd.into(),
        }
    }
}

/// `Wallet`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "balance": 60,
    "amountReceived": 100,
    "amountSpent": 40,
    "balanceUSD": 0.6,
    "balanceDisplay": 60,
    "amountReceivedUSD": 1,
    "amountReceivedDisplay": 100,
    "amountSpentUSD": 0.4,
    "amountSpentDisplay": 40,
    "currency": {"name": "Points", "symbol": "pts", "unitsPerUSD": 100},
    "pending": 0,
    "held": 0,
    "expiring": [{"amount": 60, "at": "2027-06-15T12:00:00.000Z"}],
    "asOf": 1205,
})))]
pub struct WalletResponse {
    /// The points that can be spent: `amountReceived` minus `amountSpent` minus `held`. It is
    /// negative only after a debit that was allowed to take more than there was.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub balance: i64,
    /// Points credited and refunded, ever; `pending` ones are not among them yet.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub amount_received: i64,
    /// Points spent, forfeited, debited and expired, ever.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub amount_spent: i64,
    /// `balance` in dollars: times the configuration's `ratePerPoint`.
    #[serde(rename = "balanceUSD")]
    #[schema(value_type = f64)]
    pub balance_usd: Money,
    /// `balance` as displayed: its dollars times `currency.unitsPerUSD`.
    #[schema(value_type = f64)]
    pub balance_display: Money,
    /// `amountReceived` in dollars.
    #[serde(rename = "amountReceivedUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub amount_received_usd: Money,
    /// `amountReceived` as displayed.
    #[schema(value_type = f64, minimum = 0)]
    pub amount_received_display: Money,
    /// `amountSpent` in dollars.
    #[serde(rename = "amountSpentUSD")]
    #[schema(value_type = f64, minimum = 0)]
    pub amount_spent_usd: Money,
    /// `amountSpent` as displayed.
    #[schema(value_type = f64, minimum = 0)]
    pub amount_spent_display: Money,
    /// The currency.
    pub currency: CurrencyResponse,
    /// Points that were credited and become available later.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub pending: i64,
    /// Points that are reserved. They were received, and are not part of `balance`.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub held: i64,
    /// The points of `balance` that expire next: at most five times, the first one first. Empty in
    /// a program whose points are not kept in lots, and in a wallet of a past time.
    #[schema(max_items = 5)]
    pub expiring: Vec<ExpiringResponse>,
    /// The number in the log of the newest row that the answer includes; for a past time, of the
    /// newest ledger entry that it includes, or 0.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_992_i64)]
    pub as_of: i64,
}

/// Points of a balance that expire at the same time.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({"amount": 60, "at": "2027-06-15T12:00:00.000Z"})))]
pub struct ExpiringResponse {
    /// The number of points.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// When they expire. From that moment on they cannot be spent.
    #[schema(format = DateTime)]
    pub at: String,
}

impl From<&Expiring> for ExpiringResponse {
    fn from(expiring: &Expiring) -> Self {
        Self {
            amount: expiring.amount.get(),
            at: expiring.at.to_string(),
        }
    }
}

impl WalletResponse {
    /// The most times at which points expire that a wallet names.
    pub const EXPIRING_MAX: usize = 5;

    /// A wallet in its program's currency, with what expires next and the row of the log that it
    /// is as of.
    pub fn new(wallet: &Wallet, expiring: &[Expiring], as_of: Seq, currency: &Currency) -> Self {
        let balance = wallet.balance();
        let [received, spent] = [wallet.received, wallet.spent].map(Points::get);
        Self {
            balance,
            amount_received: received,
            amount_spent: spent,
            balance_usd: Money::usd(balance, currency),
            balance_display: Money::display(balance, currency),
            amount_received_usd: Money::usd(received, currency),
            amount_received_display: Money::display(received, currency),
            amount_spent_usd: Money::usd(spent, currency),
            amount_spent_display: Money::display(spent, currency),
            currency: currency.into(),
            pending: wallet.pending.get(),
            held: wallet.held.get(),
            expiring: expiring.iter().map(Into::into).collect(),
            as_of: as_of.0,
        }
    }
}

/// The response to a credit or debit.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "balance": 100,
    "currency": {"name": "Points", "symbol": "pts", "unitsPerUSD": 100},
})))]
pub struct BalanceResponse {
    /// The points that can be spent now; negative as a wallet's `balance` may be.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub balance: i64,
    /// The currency.
    pub currency: CurrencyResponse,
}

/// `MemberEligibility`.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(examples(json!({
    "tier": "gold",
    "wallet": {
        "balance": 60,
        "amountReceived": 100,
        "amountSpent": 40,
        "balanceUSD": 0.6,
        "balanceDisplay": 60,
        "amountReceivedUSD": 1,
        "amountReceivedDisplay": 100,
        "amountSpentUSD": 0.4,
        "amountSpentDisplay": 40,
        "currency": {"name": "Points", "symbol": "pts", "unitsPerUSD": 100},
        "pending": 0,
        "held": 0,
        "expiring": [],
        "asOf": 1205,
    },
})))]
pub struct EligibilityResponse {
    /// The member's tier.
    pub tier: String,
    /// The member's wallet.
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

/// `Transaction`: a ledger entry as shown to its member.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "id": "txn_01a1fda8-194e-75c2-b11a-dd34b93c1d23",
    "type": "DEBIT",
    "amount": 40,
    "reason": "redemption",
    "redemptionID": "rdm_01a1fda8-1988-75da-9f29-66beffff55ec",
    "createdAt": "2026-06-15T12:00:00.000Z",
})))]
pub struct TransactionResponse {
    /// The id, `txn_…`.
    pub id: String,
    /// Whether points were added to the wallet or taken from it.
    #[serde(rename = "type")]
    #[schema(value_type = TransactionType)]
    pub transaction_type: &'static str,
    /// The number of points, always positive.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// The reason given by the caller, or `redemption`, `refund`, `member removed` or `expired`.
    /// Points that become available have the reason of their credit.
    pub reason: Option<String>,
    /// The redemption that was paid for or refunded.
    #[serde(rename = "redemptionID")]
    pub redemption_id: Option<String>,
    /// When the points moved.
    #[schema(format = DateTime)]
    pub created_at: String,
}

impl TransactionResponse {
    /// A ledger entry of the time `at`. An entry that no caller gives a reason for has its kind as
    /// the reason.
    pub fn new(
        id: TransactionId,
        entry: Entry,
        amount: Points,
        reason: Option<Reason>,
        redemption: Option<RedemptionId>,
        at: Timestamp,
    ) -> Self {
        let reason = match entry {
            Entry::Mint
            | Entry::Debit
            | Entry::Mature
            | Entry::Reverse
            | Entry::Hold
            | Entry::Release
            | Entry::Void
            | Entry::Open => reason.map(|reason| reason.as_str().to_owned()),
            Entry::Spend if redemption.is_none() => reason.map(|it| it.as_str().to_owned()),
            Entry::Spend => Some("redemption".to_owned()),
            Entry::Refund => Some("refund".to_owned()),
            Entry::Forfeit => Some("member removed".to_owned()),
            Entry::Expire => Some("expired".to_owned()),
        };
        Self {
            id: id.to_string(),
            transaction_type: if entry.is_credit() { CREDIT } else { DEBIT },
            amount: amount.get(),
            reason,
            redemption_id: redemption.map(|id| id.to_string()),
            created_at: at.to_string(),
        }
    }
}

/// A ledger entry in the list of a wallet.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LedgerEntryResponse {
    /// The entry.
    #[serde(flatten)]
    pub transaction: TransactionResponse,
    /// The balance of the wallet after the entry.
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    pub balance_after: i64,
    /// The current title of the redeemed offer.
    pub offer_title: Option<String>,
    /// The cause and the lots, if `details` is `true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub details: Option<EntryDetailsResponse>,
}

/// A page of transactions.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TransactionListResponse {
    /// The ledger entries, newest first.
    pub transactions: Vec<LedgerEntryResponse>,
    /// The `cursor` of the next page; null on the last one.
    pub next_cursor: Option<String>,
}
