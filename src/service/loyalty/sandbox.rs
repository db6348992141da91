//! Use cases for developing an app against the sandbox: resetting a program and advancing its
//! clock.

use std::time::Duration;

use tokio::time::timeout;

use super::assets;
use crate::clock::Clock;
use crate::domain::{Event, Invalid, Program, ProgramNumber, ProgramStatus, Timestamp};
use crate::service::Scope;
use crate::service::events::webhooks;
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::tenants;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, Connection, Counted, Timing, Transaction, WriteError};
use crate::wire::{AdvanceClockRequest, ClockResponse, ResetResponse};

/// How far a program's time may be ahead of the clock in total: 100 years of 365 days.
const AHEAD_MAX: Duration = Duration::from_hours(100 * 365 * 24);

/// How long an advance of the clock waits until everything was applied that is due then.
const SWEEP_MAX: Duration = Duration::from_secs(10);

impl Services {
    /// Archives the key's program and moves its keys to a new, empty one of the same name and
    /// settings, whose time is the clock's.
    ///
    /// Each of several concurrent requests resets the program that the key opens when the write
    /// begins. The idempotency record is stored in both programs, because a retry is authenticated
    /// for the new one.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn reset_sandbox(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write(key, idempotency.clone(), move |tx, key| {
            let program = reset(tx, caps, key.program)?;
            let answer = Answer::ok(&ResetResponse {
                program_id: program.uuid.to_string(),
            });
            if let Some(key) = idempotency {
                let key = key.rescoped(Scope::Program(program.number));
                crate::service::idempotency::record(tx, &key, &answer)?;
            }
            Ok(answer)
        })
        .await
    }

    /// Advances the time of the key's program, permanently. Waits until everything was applied that
    /// is due then, but not for long: returns for how long something is due that was not applied
    /// yet, if there is any.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn advance_clock(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: AdvanceClockRequest,
    ) -> Result<(Reply, Option<Duration>), WriteError> {
        let reply = self.advance(key, idempotency, request).await?;
        let is_dated = self.books.read().next_due(key.program).is_some();
        if reply.status != 200 || !is_dated {
            return Ok((reply, None));
        }
        // A write of the program waits until nothing is due.
        let timing = Timing {
            program: Some(key.program),
            step: None,
        };
        let settled = self.writer.0.write(key.into(), timing, |_| Ok(()));
        let is_settled = matches!(timeout(SWEEP_MAX, settled).await, Ok(Ok(())));
        let behind = (!is_settled).then(|| self.behind(key.program).unwrap_or_default());
        Ok((reply, behind))
    }

    async fn advance(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: AdvanceClockRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, idempotency, move |tx, key| {
            let program = key.program;
            let ahead = store::sandbox::ahead(tx, program)? + request.by;
            if ahead > AHEAD_MAX {
                let limit = "would set the program's time more than a century ahead";
                return Err(Invalid::new("advanceSeconds", limit).into());
            }
            let at = tx.now(program);
            let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
            let event = Event::ProgramChanged {
                status: None,
                default_tier: None,
                ahead: Some(millis),
                expiry_notice: None,
            };
            tx.record(Some(program), at, event)?;
            store::sandbox::set_ahead(tx, program, ahead)?;
            let now = tx.now(program).to_string();
            let ahead_seconds = ahead.as_secs();
            Ok(Answer::ok(&ClockResponse { now, ahead_seconds }))
        })
        .await
    }

    /// The time in the key's program, and how far it is ahead of the clock.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn get_clock(&self, key: KeyPrincipal) -> Result<ClockResponse, ServiceError> {
        let clock = self.clock.clone();
        self.look_up(key, move |connection| {
            let ahead = store::sandbox::ahead(connection, key.program)?;
            Ok(ClockResponse {
                now: clock.now().saturating_add(ahead).to_string(),
                ahead_seconds: ahead.as_secs(),
            })
        })
        .await
    }
}

/// The current time in a program, for a read.
pub(in crate::service) fn now(
    connection: &Connection,
    clock: &Clock,
    program: ProgramNumber,
) -> Result<Timestamp, store::Error> {
    let ahead = store::sandbox::ahead(connection, program)?;
    Ok(clock.now().saturating_add(ahead))
}

fn reset(
    tx: &mut Transaction<'_>,
    caps: Caps,
    number: ProgramNumber,
) -> Result<Program, ServiceError> {
    let mut old = store::programs::get(tx, number)?;
    caps.check(tx, Counted::Programs(old.organization), 1)?;
    let at = tx.now(number);
    old.status = ProgramStatus::Archived;
    old.updated_at = at;
    old.archived_at = Some(at);
    old.version = tx.record(Some(number), at, Event::program_changed(&old))?;
    store::programs::update(tx, &old)?;
    for mut endpoint in store::webhooks::active_of(tx, number)? {
        webhooks::disable(tx, number, at, &mut endpoint)?;
    }

    let now = tx.clock_now();
    let (organization, environment) = (old.organization, old.environment);
    let new = tenants::new_program(organization, environment, old.name, now)?;
    let mut new = tenants::create_program(tx, new)?;
    new.currency = old.currency;
    new.default_tier = old.default_tier;
    new.zone = old.zone;
    new.expiry = old.expiry;
    new.expiry_notice = old.expiry_notice;
    new.description = old.description;
    new.target = old.target;
    new.unknown = old.unknown;
    new.refund_grace = old.refund_grace;
    let event = Event::program_changed(&new);
    new.configuration_version = tx.record(Some(new.number), now, event)?;
    store::programs::update(tx, &new)?;
    store::programs::configure(tx, &new)?;
    assets::copy(tx, now, number, new.number)?;
    store::gateways::move_all(tx, number, new.number)?;
    store::sandbox::move_keys(tx, number, new.number)?;
    Ok(new)
}
