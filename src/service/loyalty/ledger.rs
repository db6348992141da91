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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::domain::{ExternalUserId, Precondition};
    use crate::service::loyalty::members;
    use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, Scope, Services};
    use crate::store::WriteError;
    use crate::wire::SetMemberRequest;

    /// Starts services on a new database, and returns them with a key.
    fn start(path: &Path) -> (Services, KeyPrincipal) {
        let mut settings = Settings::defaults();
        settings.database.path = path.to_owned();
        let (services, keys) = Services::start(&settings, &Clock::system()).unwrap();
        let keys = keys.unwrap().keys;
        let key = secrecy::ExposeSecret::expose_secret(&keys[0].1);
        let key = services.directory().authenticate_key(key).unwrap();
        (services, key)
    }

    /// Three credits of one batch, of which the second panics after its movement. The books, the
    /// log and the idempotency records are as if it had never been sent.
    #[test]
    fn a_movement_before_a_panic_is_undone_and_its_idempotency_key_is_not_used_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let (services, key) = start(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
        let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
        let set = services.set_member(key, ada.clone(), Precondition::NONE, profile);
        runtime.block_on(set).unwrap();

        let credit = |name: &str, amount: i64, panics: bool| {
            let scope = Scope::Program(key.program);
            let body = json!({"externalUserID": "ada", "amount": amount});
            let idempotency = IdempotencyKey::new(name, scope, "POST", "/", &body).unwrap();
            let (services, ada) = (services.clone(), ada.clone());
            let work = move |tx: &mut Transaction<'_>, key: &KeyPrincipal| {
                let record = members::current_account(tx, key.program, &ada)?;
                let movement = Movement {
                    entry: Entry::Mint,
                    amount: Points::new(amount).unwrap(),
                    booking: None,
                    reason: None,
                };
                let wallet = post(tx, tx.now(key.program), &record, movement)?;
                assert!(!panics, "the panic of a test");
                Ok(Answer::ok(&wallet.balance().get()))
            };
            async move { services.write(key, Some(idempotency), work).await }
        };
        let balance = || {
            let wallet = services.get_wallet(Caller::Key(key), Some(&ada));
            wallet.unwrap().balance
        };
        let body = |reply: Result<Reply, WriteError>| reply.unwrap().body;

        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let upkeep = services.writer.upkeep();
        let holder = std::thread::spawn(move || {
            upkeep.write_blocking(move |_| {
                begun.send(()).unwrap();
                held.recv().unwrap();
                Ok(())
            })
        });
        has_begun.recv().unwrap();
        let replies = runtime.block_on(async {
            let release = async { release.send(()).unwrap() };
            // Polled in this order: all are queued before the writer continues.
            tokio::join!(
                credit("one", 1, false),
                credit("two", 20, true),
                credit("three", 300, false),
                release
            )
        });
        holder.join().unwrap().unwrap();
        assert_eq!(
            (body(replies.0), body(replies.2)),
            (b"1".to_vec(), b"301".to_vec())
        );
        assert!(matches!(replies.1, Err(WriteError::Failed)));
        assert_eq!(balance(), 301);
        for is_replay in [false, true] {
            let reply = runtime.block_on(credit("two", 20, false)).unwrap();
            assert_eq!((&*reply.body, reply.is_replay), (&b"321"[..], is_replay));
            assert_eq!(balance(), 321);
        }
        services.stop();
        let connection = crate::service::open_read_only(&path).unwrap();
        let report = crate::service::verify::verify(&connection, |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
    }
}
