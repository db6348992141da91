//! Writes on behalf of a caller. Each one checks the caller's credential again in its own
//! transaction, then replays the stored response of its idempotency key or carries out the work.

use crate::domain::{Environment, Refusal};
use crate::error::Surface;
use crate::service::tenancy::credentials::Principal;
use crate::service::{Answer, IdempotencyKey, Reply, ServiceError, Services, idempotency};
use crate::store::{self, Tenant, Timing, Transaction, WriteError};

impl Services {
    /// Carries out a write of the Expys API: [`Services::write_on`].
    pub(in crate::service) async fn write<P, F>(
        &self,
        caller: P,
        idempotency: Option<IdempotencyKey>,
        work: F,
    ) -> Result<Reply, WriteError>
    where
        P: Principal,
        F: FnOnce(&mut Transaction<'_>, &P) -> Result<Answer, ServiceError> + Send + 'static,
    {
        self.write_on(Surface::Expys, caller, idempotency, work)
            .await
    }

    /// Carries out a write, once for each idempotency key. The caller's credential is checked again
    /// first; `work` receives the caller as the transaction sees it and must use that one, because
    /// its program may have been replaced since the request arrived. A refusal is rendered as the
    /// surface renders errors and, like a success, stored under the key. Nothing can be written in
    /// a suspended program.
    pub(in crate::service) async fn write_on<P, F>(
        &self,
        surface: Surface,
        caller: P,
        idempotency: Option<IdempotencyKey>,
        work: F,
    ) -> Result<Reply, WriteError>
    where
        P: Principal,
        F: FnOnce(&mut Transaction<'_>, &P) -> Result<Answer, ServiceError> + Send + 'static,
    {
        let work = move |tx: &mut Transaction<'_>, caller: &P| {
            if caller.is_suspended() {
                return Err(suspended(surface).into());
            }
            work(tx, caller)
        };
        self.manage_on(surface, caller, idempotency, work).await
    }

    /// [`Services::write_on`], even if the caller's program is suspended.
    pub(in crate::service) async fn manage_on<P, F>(
        &self,
        surface: Surface,
        caller: P,
        idempotency: Option<IdempotencyKey>,
        work: F,
    ) -> Result<Reply, WriteError>
    where
        P: Principal,
        F: FnOnce(&mut Transaction<'_>, &P) -> Result<Answer, ServiceError> + Send + 'static,
    {
        // Writes that are already queued keep the time from before the clock was set.
        if self.clock.refused().is_some() {
            return Err(WriteError::ClockRefused);
        }
        self.write_by_any_clock(surface, caller, idempotency, work)
            .await
    }

    /// [`Services::manage_on`], even while the system clock is refused.
    pub(in crate::service) async fn write_by_any_clock<P, F>(
        &self,
        surface: Surface,
        caller: P,
        idempotency: Option<IdempotencyKey>,
        work: F,
    ) -> Result<Reply, WriteError>
    where
        P: Principal,
        F: FnOnce(&mut Transaction<'_>, &P) -> Result<Answer, ServiceError> + Send + 'static,
    {
        let retention = self.limits.idempotency_retention;
        let mut tenant: Tenant = caller.into();
        let program = tenant.program();
        let timing = Timing {
            program,
            step: self.step,
        };
        if self.step.is_some() {
            // A generated history is written in the order of its calls, without fair sharing.
            tenant = Tenant::Partner(Environment::Live);
        }
        let directory = std::sync::Arc::clone(&self.directory);
        let write = move |tx: &mut Transaction<'_>| {
            let caller = match caller.recheck(tx, &directory) {
                Ok(caller) => caller,
                Err(error) => return refused(tx, surface, error),
            };
            let present: Tenant = caller.into();
            if let Some(replaced) = present.program().filter(|_| present.program() != program) {
                tx.check_settled(replaced)?;
            }
            tx.act_as(caller.actor());
            let Some(key) = idempotency else {
                return work(tx, &caller)
                    .map(Answer::into_reply)
                    .or_else(|error| refused(tx, surface, error));
            };
            let key = key.rescoped(caller.scope());
            if let Some(reply) = idempotency::replay(tx, surface, &key, retention)? {
                return Ok(reply);
            }
            let answer = match work(tx, &caller) {
                Ok(answer) if answer.is_provisional => return Ok(answer.into_reply()),
                Ok(answer) => answer,
                Err(ServiceError::Refused(refusal)) => {
                    tx.undo()?;
                    let answer = Answer::refusal(surface, &refusal);
                    if !refusal.is_outcome() {
                        return Ok(answer.into_reply());
                    }
                    answer
                }
                Err(ServiceError::Storage(error)) => return Err(error),
            };
            idempotency::record(tx, &key, &answer)?;
            Ok(answer.into_reply())
        };
        self.writer.0.write(tenant, timing, write).await
    }
}

/// The refusal of a write in a suspended program.
fn suspended(surface: Surface) -> Refusal {
    match surface {
        Surface::Scrip => Refusal::ProgramInactive,
        Surface::Expys | Surface::Bullseye => Refusal::ProgramSuspended,
    }
}

/// Undoes a write that a rule refused, and renders the refusal.
fn refused(
    tx: &mut Transaction<'_>,
    surface: Surface,
    error: ServiceError,
) -> Result<Reply, store::Error> {
    match error {
        ServiceError::Refused(refusal) => {
            tx.undo()?;
            Ok(Answer::refusal(surface, &refusal).into_reply())
        }
        ServiceError::Storage(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Settings;
    use crate::domain::{Environment, OfferId, Precondition};
    use crate::service::KeyPrincipal;

    /// Starts services on a new database in a folder, and returns them with the key of the sandbox.
    fn start(folder: &Path) -> (Services, KeyPrincipal) {
        let mut settings = Settings::defaults();
        settings.database.path = folder.join("test.db");
        let (services, keys) = Services::start(&settings, &Clock::system()).unwrap();
        let keys = keys.unwrap().keys;
        let (environment, key, _) = &keys[0];
        assert_eq!(*environment, Environment::Sandbox);
        let key = secrecy::ExposeSecret::expose_secret(key);
        let key = services.directory().authenticate_key(key).unwrap();
        (services, key)
    }

    /// The writer is blocked while a key is revoked and used: both writes share a transaction, and
    /// the directory does not know of the first one when the second begins.
    #[test]
    fn a_write_sees_what_the_open_transaction_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let (services, key) = start(folder.path());

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
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let listed = runtime.block_on(services.list_all_keys()).unwrap();
        let is_own = |row: &&store::credentials::ListedKeyRow| {
            row.environment == Environment::Sandbox && row.opens.is_some()
        };
        let uuid = listed.iter().find(is_own).unwrap().uuid;
        let replies = runtime.block_on(async {
            let revoke = services.write_on(Surface::Expys, key, None, move |tx, _| {
                let now = tx.clock_now();
                assert!(store::credentials::revoke_any(tx, uuid, now)?);
                Ok(Answer::no_content())
            });
            let id = OfferId::from_uuid(uuid::Uuid::nil()).to_string();
            let use_it = services.archive_offer(key, id, Precondition::NONE);
            let release = async {
                release.send(()).unwrap();
            };
            // Polled in this order: both are queued before the writer continues.
            tokio::join!(revoke, use_it, release)
        });
        holder.join().unwrap().unwrap();
        assert_eq!(replies.0.unwrap().status, 204);
        assert_eq!(replies.1.unwrap().status, 401);
        services.stop();
    }

    /// A write that only appends has no savepoint: its rows are inserted when it has succeeded.
    #[test]
    fn a_write_that_panics_after_it_appended_leaves_the_others_of_its_batch() {
        let folder = tempfile::tempdir().unwrap();
        let (services, key) = start(folder.path());
        let changed = || crate::domain::Event::ProgramChanged {
            status: None,
            default_tier: None,
            ahead: None,
            expiry_notice: None,
        };
        let append = move |tx: &mut Transaction<'_>| {
            let at = tx.now(key.program);
            tx.record(Some(key.program), at, changed())
        };
        let last = || {
            let connection = store::open_read_only(&services.database).unwrap();
            store::log::last_seq(&connection).unwrap()
        };
        let before = last();

        let (release, held) = std::sync::mpsc::channel::<()>();
        let (begun, has_begun) = std::sync::mpsc::channel();
        let upkeep = services.writer.upkeep();
        let first = upkeep.clone();
        let holder = std::thread::spawn(move || {
            first.write_blocking(move |tx| {
                begun.send(()).unwrap();
                held.recv().unwrap();
                append(tx)
            })
        });
        has_begun.recv().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let bad = runtime.unwrap().block_on(async {
            let bad = upkeep.write(move |tx| -> Result<(), store::Error> {
                append(tx)?;
                panic!("a defect after the first row");
            });
            let release = async {
                release.send(()).unwrap();
            };
            tokio::join!(bad, release).0
        });
        assert_eq!(bad, Err(WriteError::Failed));
        let first = holder.join().unwrap().unwrap();
        assert_eq!(Some(first.0), before.map(|seq| seq.0 + 1));
        assert_eq!(last(), Some(first));
        // A row that was appended before the connection is used is undone with all else.
        let mixed = upkeep.write_blocking(move |tx| -> Result<(), store::Error> {
            append(tx)?;
            assert_eq!(
                store::log::last_seq(tx)?.map(|seq| seq.0),
                Some(first.0 + 1)
            );
            panic!("a defect after the savepoint was opened");
        });
        assert_eq!(mixed, Err(WriteError::Failed));
        assert_eq!(last(), Some(first));
        let next = upkeep.write_blocking(append).unwrap();
        assert_eq!(next.0, first.0 + 1);
        services.stop();
    }

    /// The cost of a commit to the directory depends on what changed, not on the number of rows.
    #[test]
    fn the_two_thousandth_program_costs_what_the_tenth_did() {
        let folder = tempfile::tempdir().unwrap();
        let (services, key) = start(folder.path());
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.unwrap();
        let create = || {
            let body = serde_json::json!({"name": "One of many"});
            let request = crate::wire::CreateProgramRequest::parse(&body).unwrap();
            let services = services.clone();
            async move { services.create_program(key, None, request).await }
        };
        // The median of several, created one after the other.
        let cost = || {
            let mut took: Vec<_> = (0..31)
                .map(|_| {
                    let begun = std::time::Instant::now();
                    assert_eq!(runtime.block_on(create()).unwrap().status, 201);
                    begun.elapsed()
                })
                .collect();
            took.sort_unstable();
            took[15]
        };
        let few = cost();
        for _ in 0..19 {
            let many: Vec<_> = (0..100).map(|_| runtime.spawn(create())).collect();
            for created in many {
                assert_eq!(runtime.block_on(created).unwrap().unwrap().status, 201);
            }
        }
        let many = cost();
        assert!(many < 10 * few, "{few:?} at first, then {many:?}");
        services.stop();
    }
}
