//! The wallet of an account, as responses show it.

use crate::books::Record;
use crate::domain::{Currency, Seq};
use crate::wire::WalletResponse;

/// The wallet of an account when a row of the log was the newest one.
pub(super) fn wallet_of(record: &Record, as_of: Seq, currency: &Currency) -> WalletResponse {
    let expiring = record.expiring(WalletResponse::EXPIRING_MAX);
    WalletResponse::new(&record.wallet, &expiring, as_of, currency)
}
