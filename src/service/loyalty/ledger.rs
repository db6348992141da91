//! Ledger entries: the wallet, the program's sums and the log change together or not at all.

use crate::domain::{
    Account, Entry, Invalid, LedgerEntry, Member, OfferNumber, Points, Position, Reason,
    RedemptionNumber, Refusal, Seq, Timestamp, Wallet,
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

/// Posts a movement to a member's wallet, in an open transaction.
///
/// Refused with `INSUFFICIENT_POINTS` when the balance would fall below zero, and with `VALIDATION`
/// when a total would exceed what a double represents exactly.
pub(in crate::service) fn post(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: &mut Member,
    movement: Movement,
) -> Result<Seq, ServiceError> {
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
    let balance = member.wallet.balance();
    if balance < spent {
        return Err(Refusal::InsufficientPoints {
            balance,
            needed: spent,
        }
        .into());
    }
    let totals = member.wallet;
    member.wallet = Wallet {
        received: totals
            .received
            .checked_add(received)
            .ok_or_else(too_large)?,
        spent: totals.spent.checked_add(spent).ok_or_else(too_large)?,
    };
    if !tx.add_to_sums(member.program, received, spent)? {
        return Err(too_large().into());
    }
    let first = matches!(entry, Entry::Mint | Entry::Spend) && !member.participated;
    let account = member
        .account
        .extended(|seq| store::log::jump_of(tx, seq))?;
    let position = Position {
        previous: member.account.last,
        jump: account.jump,
        received: member.wallet.received,
        spent: member.wallet.spent,
    };
    let entry = LedgerEntry {
        entry,
        amount,
        member: member.number,
        offer: booking.map(|(offer, _)| offer),
        redemption: booking.map(|(_, redemption)| redemption),
        first,
        reason,
    };
    let seq = events::record_entry(tx, member.program, at, entry, position)?;
    member.account = Account {
        last: Some(seq),
        ..account
    };
    member.participated |= first;
    store::members::update_wallet(tx, member)?;
    Ok(seq)
}

/// The refusal of an amount that takes a total past the largest one.
fn too_large() -> Invalid {
    let max = Points::MAX.get();
    Invalid::new(
        "amount",
        format!("would take a total past {max}, the largest total that is supported"),
    )
}
