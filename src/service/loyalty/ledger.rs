//! Ledger entries: an entry is appended to the log, and the books follow it.

use crate::books::{Plan, Record};
use crate::domain::{
    Cause, Invalid, LedgerEntry, OfferNumber, Points, Position, Reason, RedemptionNumber,
    Timestamp, Wallet,
};
use crate::service::ServiceError;
use crate::service::events;
use crate::store::{self, NoRoom, Transaction};

/// A movement of points to be posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::service) struct Movement {
    /// What it does to the account.
    pub(in crate::service) plan: Plan,
    /// The offer and the redemption of a spend or refund.
    pub(in crate::service) booking: Option<(OfferNumber, RedemptionNumber)>,
    pub(in crate::service) reason: Option<Reason>,
}

impl Movement {
    /// The movement, which a rule causes.
    pub(in crate::service) fn caused_by(mut self, cause: Cause) -> Self {
        let buckets = self.plan.buckets.get_or_insert_default();
        buckets.cause = Some(cause);
        self
    }
}

impl From<Plan> for Movement {
    fn from(plan: Plan) -> Self {
        Self {
            plan,
            booking: None,
            reason: None,
        }
    }
}

/// Posts a movement to the account for which it was planned, in an open transaction. Returns the
/// wallet after it.
///
/// Refused with `VALIDATION` when a total would exceed what a double represents exactly, and with
/// `WALLET_EMPTY` when the points come from the program's wallet, which has fewer.
pub(in crate::service) fn post(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: &Record,
    movement: Movement,
) -> Result<Wallet, ServiceError> {
    let entry = LedgerEntry {
        offer: movement.booking.map(|(offer, _)| offer),
        redemption: movement.booking.map(|(_, redemption)| redemption),
        reason: movement.reason,
        ..movement.plan.entry_of(record)
    };
    let amount = entry.amount;
    match append(tx, at, record, entry)? {
        Ok(wallet) => Ok(wallet),
        Err(NoRoom::TooLarge) => Err(too_large().into()),
        Err(NoRoom::WalletEmpty(left)) => {
            let scale = tx.points_rules(record.program, record.asset)?.scale;
            Err(scale.wallet_empty(left, amount).into())
        }
    }
}

/// Appends an entry to an account, in an open transaction. Returns the wallet after it; or why it
/// cannot follow, and then appends nothing.
pub(in crate::service) fn append(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    record: &Record,
    entry: LedgerEntry,
) -> Result<Result<Wallet, NoRoom>, store::Error> {
    let Some(wallet) = record.wallet.changed(entry.change()) else {
        return Ok(Err(NoRoom::TooLarge));
    };
    if let Err(no_room) = tx.check_room(record, &entry) {
        return Ok(Err(no_room));
    }
    let account = record
        .account
        .extended(|seq| store::log::jump_of(tx, seq))?;
    let position = Position {
        previous: record.account.last,
        jump: account.jump,
        received: wallet.received,
        spent: wallet.spent,
        held: wallet.held,
        deferred: wallet.pending,
    };
    events::record_entry(tx, record.program, at, entry, position)?;
    Ok(Ok(wallet))
}

/// The refusal of an amount that takes a total past the largest one.
pub(in crate::service) fn too_large() -> Invalid {
    let max = Points::MAX.get();
    Invalid::new(
        "amount",
        format!("would take a total past {max}, the largest total that is supported"),
    )
}

#[cfg(test)]
pub(in crate::service) mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::books::{LotDates, Pick};
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::domain::{Bucket, BurnOrder, Entry, ExternalUserId, Precondition};
    use crate::service::loyalty::members;
    use crate::service::{
        Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, Scope, Services, TransactionSelection,
    };
    use crate::store::WriteError;
    use crate::wire::{PageQuery, SetMemberRequest};

    /// Starts services on a new database, and returns them with a key.
    pub(in crate::service) fn start(path: &Path) -> (Services, KeyPrincipal) {
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
                let amount = Points::new(amount).unwrap();
                let plan = record.plan_mint(amount, Bucket::Available, None).unwrap();
                let wallet = post(tx, tx.now(key.program), &record, plan.into())?;
                assert!(!panics, "the panic of a test");
                Ok(Answer::ok(&wallet.balance()))
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

    /// Posts what a plan says, which depends on the account.
    fn post_plan(
        runtime: &tokio::runtime::Runtime,
        (services, key): (&Services, KeyPrincipal),
        plan: impl FnOnce(&Record) -> Option<Plan> + Send + 'static,
    ) {
        let work = move |tx: &mut Transaction<'_>, key: &KeyPrincipal| {
            let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
            let record = members::current_account(tx, key.program, &ada)?;
            let plan = plan(&record).unwrap();
            let movement = Movement {
                reason: Reason::parse("reason", "a plan").ok(),
                ..plan.into()
            };
            let wallet = post(tx, tx.now(key.program), &record, movement)?;
            Ok(Answer::ok(&wallet.balance()))
        };
        runtime.block_on(services.write(key, None, work)).unwrap();
    }

    /// Entries with lots, written by the writer: `verify` finds nothing to report, a start reads
    /// them back, and an import has the same account.
    #[test]
    fn entries_with_lots_are_written_read_and_moved() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let (services, key) = start(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
        let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
        let set = services.set_member(key, ada, Precondition::NONE, profile);
        runtime.block_on(set).unwrap();
        runtime.block_on(services.keep_in_lots(key));

        let to = (&services, key);
        let all = |bucket| Pick::all(bucket, BurnOrder::Fifo);
        let some = |points| Points::new(points).unwrap();
        let at = Timestamp::from_millis;
        let mint = |bucket, expires_at, matures_at| {
            move |it: &Record| {
                let dates = LotDates {
                    expires_at,
                    matures_at,
                };
                it.plan_mint(some(100), bucket, Some(dates))
            }
        };
        // Long after this test.
        let (matures, expires) = (5_000_000_000_000, 6_000_000_000_000);
        post_plan(&runtime, to, mint(Bucket::Available, at(expires), None));
        post_plan(&runtime, to, mint(Bucket::Available, None, at(matures)));
        post_plan(&runtime, to, mint(Bucket::Held, None, None));
        post_plan(&runtime, to, move |it| {
            it.plan(Entry::Hold, some(30), &all(Bucket::Available))
        });
        let due = |services: &Services| {
            let draft = crate::books::Draft::new(&services.books);
            let due = draft.due(key.program, at(expires).unwrap(), 9);
            due.len()
        };
        assert_eq!(due(&services), 2);
        post_plan(&runtime, to, move |it| {
            it.plan_overdraft(some(110), BurnOrder::Fifo)
        });
        // Nothing is left of the lot that expires.
        assert_eq!(due(&services), 1);
        let shown = runtime.block_on(transactions(&services, key));
        let expected = [(110, "a plan", -40), (100, "a plan", 100)];
        let expected = expected.map(|(amount, reason, after)| (amount, reason.to_owned(), after));
        assert_eq!(shown, expected);
        let record = |services: &Services| {
            let books = services.books.read();
            books.find(key.program, &ExternalUserId::parse("", "ada").unwrap())
        };
        let before = record(&services).unwrap();
        let wallet = before.wallet;
        assert_eq!((wallet.balance(), wallet.held), (-40, some(130)));
        services.stop();
        check_and_move(&folder, &path, &before);
    }

    /// A negative balance and held points from before a conversion: the former gets no lot, and the
    /// next credit makes up for it.
    #[test]
    fn a_conversion_keeps_negative_balances_and_held_points() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        let (services, key) = start(&path);
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
        let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
        let set = services.set_member(key, ada.clone(), Precondition::NONE, profile);
        runtime.block_on(set).unwrap();
        let to = (&services, key);
        let some = |points| Points::new(points).unwrap();
        let mint = move |it: &Record| it.plan_mint(some(100), Bucket::Available, None);
        post_plan(&runtime, to, mint);
        post_plan(&runtime, to, move |it| {
            it.plan(
                Entry::Hold,
                some(30),
                &Pick::all(Bucket::Available, BurnOrder::Fifo),
            )
        });
        post_plan(&runtime, to, move |it| {
            it.plan_overdraft(some(90), BurnOrder::Fifo)
        });
        let record = || services.books.read().find(key.program, &ada).unwrap();
        let state = || {
            let record = record();
            let lots = record.lots.map(|lots| {
                let live = lots.live.iter().map(|lot| lot.remaining.get());
                live.collect::<Vec<_>>()
            });
            (record.wallet.balance(), record.wallet.held.get(), lots)
        };
        assert_eq!(state(), (-20, 30, None));
        runtime.block_on(services.keep_in_lots(key));
        assert_eq!(state(), (-20, 30, Some(vec![30])));
        let credit = json!({"externalUserID": "ada", "amount": 50});
        let credit = crate::wire::CreditRequest::parse(&credit).unwrap();
        let reply = runtime
            .block_on(services.credit_wallet(key, None, credit))
            .unwrap();
        assert_eq!(reply.status, 200);
        assert_eq!(state(), (30, 30, Some(vec![30, 30])));
        let before = record();
        services.stop();
        check_and_move(&folder, &path, &before);
    }

    /// The points, the reason, and the balance after each transaction that is listed.
    async fn transactions(services: &Services, key: KeyPrincipal) -> Vec<(i64, String, i64)> {
        let ada = ExternalUserId::parse("externalUserID", "ada").unwrap();
        let page = PageQuery {
            limit: 9,
            cursor: None,
        };
        let has_details = false;
        let selection = TransactionSelection { has_details, page };
        let list = services.list_transactions(Caller::Key(key), Some(ada), false, selection);
        let list = list.await.unwrap().transactions.into_iter();
        let shown = list.map(|it| {
            let reason = it.transaction.reason.unwrap_or_default();
            (it.transaction.amount, reason, it.balance_after)
        });
        shown.collect()
    }

    /// Verifies a database, exports it, and starts from what was saved and from the copy.
    fn check_and_move(folder: &tempfile::TempDir, path: &Path, before: &Record) {
        let connection = crate::service::open_read_only(path).unwrap();
        let report = crate::service::verify::verify(&connection, |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        let mut lines = Vec::new();
        crate::service::transfer::export(&connection, true, &mut lines, |_, _| ()).unwrap();
        drop(connection);
        let copy = folder.path().join("copy.db");
        let mut database = store::Database::open_for_import(&copy).unwrap();
        let now = Clock::system().now();
        crate::service::transfer::import(&mut database, lines.as_slice(), now, |_| ()).unwrap();
        drop(database);
        for path in [path, &copy] {
            let mut settings = Settings::defaults();
            settings.database.path = path.to_owned();
            let (services, _) = Services::start(&settings, &Clock::system()).unwrap();
            let found = services.books.read().record(before.number);
            assert_eq!(found.as_ref(), Some(before));
            services.stop();
        }
    }
}
