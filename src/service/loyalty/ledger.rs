//! Ledger entries: an entry is appended to the log, and the books follow it.

use crate::books::Record;
use crate::domain::{
    Entry, Invalid, LedgerEntry, OfferNumber, Points, Position, Reason, RedemptionNumber, Refusal,
    Timestamp, Wallet,
};
use crate::service::ServiceError;
use crate::service::events;
use crate::store::{self, Transaction};

/// A movement of points to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct Movement {
    pub(in crate::service) entry: Entry,
    /// At least one point.
    pub(in crate::service) amount: Points,
    /// The offer and the redemption of a spend or refund.
    pub(in crate::service) booking: Option<(OfferNumber, RedemptionNumber)>,
    pub(in crate::service) reason: Option<Reason>,
}

/// Posts a movement to an account, in an open transaction. Returns the wallet after it.
///
/// Refused with `INSUFFICIENT_POINTS` when the balance would fall below zero, and with `VALIDATION`
/// when a total would exceed what a double represents exactly.
pub(in crate::service) fn post(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: &Record,
    movement: Movement,
) -> Result<Wallet, ServiceError> {
    let Movement {
        entry,
        amount,
        booking,
        reason,
    } = movement;
    let (received, spent) = if entry.is_credit() {
        (amount, Points::ZERO)
    } else {
        (Points::ZERO, amount)
    };
    let totals = record.wallet;
    let balance = totals.balance();
    if balance < spent {
        return Err(Refusal::InsufficientPoints {
            balance,
            needed: spent,
        }
        .into());
    }
    let sum = |total: Points, more| total.checked_add(more).ok_or_else(too_large);
    let wallet = Wallet {
        received: sum(totals.received, received)?,
        spent: sum(totals.spent, spent)?,
    };
    if !tx.has_room(record.program, received, spent) {
        return Err(too_large().into());
    }
    let account = record
        .account
        .extended(|seq| store::log::jump_of(tx, seq))?;
    let position = Position {
        previous: record.account.last,
        jump: account.jump,
        received: wallet.received,
        spent: wallet.spent,
    };
    let entry = LedgerEntry {
        entry,
        amount,
        member: record.number,
        offer: booking.map(|(offer, _)| offer),
        redemption: booking.map(|(_, redemption)| redemption),
        first: matches!(entry, Entry::Mint | Entry::Spend) && !record.has_participated,
        reason,
    };
    events::record_entry(tx, record.program, at, entry, position)?;
    Ok(wallet)
}

/// The refusal of an amount that takes a total past the largest one.
fn too_large() -> Invalid {
    let max = Points::MAX.get();
    Invalid::new(
        "amount",
        format!("would take a total past {max}, the largest total that is supported"),
    )
}
