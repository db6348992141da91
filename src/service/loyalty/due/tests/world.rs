//! Services on a temporary database, and lots in them.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::books::{LotDates, Pick, Record};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{
    Activity, Bucket, BurnOrder, Change, Entry, Event, ExpiryNotice, ExternalUserId, Points,
    Precondition, ProgramNumber, Refusal, Seq, Timestamp,
};
use crate::service::loyalty::{ledger, members};
use crate::service::{Answer, Caller, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, Timing, Transaction, WriteError};
use crate::wire::{AdvanceClockRequest, PatchProgramRequest, SetMemberRequest};

/// When the fixed clocks begin: 31 January 2030 at noon.
const START_MILLIS: i64 = 1_896_091_200_000;
/// Longer than anything here takes.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// A time in seconds after the start.
pub(super) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis(START_MILLIS + seconds * 1000).unwrap()
}

pub(super) fn expires(seconds: i64) -> LotDates {
    LotDates {
        expires_at: Some(at(seconds)),
        matures_at: None,
    }
}

pub(super) fn matures(seconds: i64) -> LotDates {
    LotDates {
        expires_at: None,
        matures_at: Some(at(seconds)),
    }
}

pub(super) fn points(amount: i64) -> Points {
    Points::new(amount).unwrap()
}

pub(super) fn id_of(name: &str) -> ExternalUserId {
    ExternalUserId::parse("externalUserID", name).unwrap()
}

pub(super) struct World {
    folder: TempDir,
    pub(super) clock: Clock,
    pub(super) services: Services,
    /// The key of the sandbox.
    pub(super) key: KeyPrincipal,
    /// The key of the live environment.
    pub(super) live: KeyPrincipal,
    pub(super) runtime: Runtime,
}

impl World {
    pub(super) fn start() -> Self {
        Self::start_with(Clock::fixed(at(0)))
    }

    pub(super) fn start_with(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (services, keys) = Services::start(&settings(&folder), &clock).unwrap();
        let keys = keys.unwrap().keys;
        let principal = |place: usize| {
            let key = secrecy::ExposeSecret::expose_secret(&keys[place].1);
            services.directory().authenticate_key(key).unwrap()
        };
        let (key, live) = (principal(0), principal(1));
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().build().unwrap();
        for key in [key, live] {
            runtime.block_on(services.keep_in_lots(key));
        }
        Self {
            folder,
            clock,
            services,
            key,
            live,
            runtime,
        }
    }

    /// Stops the services, lets time pass and starts them again.
    pub(super) fn restart_after(&mut self, pause: Duration) {
        self.services.stop();
        self.clock.advance(pause);
        let (services, _) = Services::start(&settings(&self.folder), &self.clock).unwrap();
        self.services = services;
        self.wait_until("what was due is applied", |world| world.services.is_ready());
        self.key = self
            .services
            .directory()
            .authenticate_hash(self.key.fingerprint)
            .unwrap();
        self.live = self
            .services
            .directory()
            .authenticate_hash(self.live.fingerprint)
            .unwrap();
    }

    pub(super) fn database(&self) -> PathBuf {
        settings(&self.folder).database.path
    }

    #[track_caller]
    pub(super) fn wait_until(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "waited for: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(super) fn member(&self, key: KeyPrincipal, name: &str) {
        let profile = SetMemberRequest::parse(&json!({}), b"{}").unwrap();
        let set = self
            .services
            .set_member(key, id_of(name), Precondition::NONE, profile);
        assert!(self.runtime.block_on(set).unwrap().status < 300);
    }

    /// Announces points this many days before they expire.
    pub(super) fn announce(&self, days: i64) {
        let request = PatchProgramRequest {
            expiry_notice: Change::Set(ExpiryNotice::new(days).unwrap()),
            ..PatchProgramRequest::default()
        };
        let (id, any) = ("current".to_owned(), Precondition::NONE);
        let set = self.services.patch_program(self.key, id, any, request);
        assert_eq!(self.runtime.block_on(set).unwrap().status, 200);
    }

    /// The times of the notices, and what each announces: the member, the points, and when they
    /// expire.
    pub(super) fn notices(&self) -> Vec<(i64, i64, i64, i64)> {
        let seconds = |at: Timestamp| (at.as_millis() - START_MILLIS) / 1000;
        let row = |activity: &Activity| match activity.event {
            Event::WalletExpiring {
                member, amount, at, ..
            } => Some((seconds(activity.at), member.0, amount.get(), seconds(at))),
            _ => None,
        };
        self.activities().iter().filter_map(row).collect()
    }

    pub(super) async fn write<F>(&self, key: KeyPrincipal, work: F) -> Result<Reply, WriteError>
    where
        F: FnOnce(&mut Transaction<'_>, &KeyPrincipal) -> Result<Answer, ServiceError>
            + Send
            + 'static,
    {
        self.services.write(key, None, work).await
    }

    /// Credits a member with a lot.
    #[track_caller]
    pub(super) fn lot(&self, name: &str, amount: i64, dates: LotDates) {
        let id = id_of(name);
        let minted = self.write(self.key, move |tx, key| {
            let record = members::current_account(tx, key.program, &id)?;
            mint(tx, &record, amount, dates)?;
            Ok(Answer::no_content())
        });
        assert_eq!(self.runtime.block_on(minted).unwrap().status, 204);
    }

    /// Holds points of a member's lots until a number of seconds have passed.
    #[track_caller]
    pub(super) fn hold(&self, name: &str, amount: i64, until: i64) {
        let id = id_of(name);
        let held = self.write(self.key, move |tx, key| {
            let record = members::current_account(tx, key.program, &id)?;
            let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
            let plan = record.plan(Entry::Hold, points(amount), &pick);
            let plan = plan.unwrap().held_until(at(until));
            let now = tx.now(record.program);
            ledger::append(tx, now, &record, plan.entry_of(&record))?.unwrap();
            Ok(Answer::no_content())
        });
        assert_eq!(self.runtime.block_on(held).unwrap().status, 204);
    }

    /// Takes points from a member's lots; the status is 204, or that of the refusal.
    pub(super) async fn spend(&self, key: KeyPrincipal, name: &str, amount: i64) -> u16 {
        let id = id_of(name);
        let spent = self.write(key, move |tx, key| {
            let record = members::current_account(tx, key.program, &id)?;
            take(tx, &record, amount)
        });
        spent.await.map_or(503, |reply| reply.status)
    }

    #[track_caller]
    pub(super) fn spends(&self, name: &str, amount: i64) -> u16 {
        self.runtime.block_on(self.spend(self.key, name, amount))
    }

    pub(super) fn balance(&self, name: &str) -> i64 {
        let id = id_of(name);
        let wallet = self.services.get_wallet(Caller::Key(self.key), Some(&id));
        wallet.unwrap().balance
    }

    /// Waits until nothing is due in the program of a key.
    pub(super) fn settle(&self) {
        let timing = Timing {
            program: Some(self.key.program),
            step: None,
        };
        let nothing = self
            .services
            .writer
            .0
            .write(self.key.into(), timing, |_| Ok(()));
        self.runtime.block_on(nothing).unwrap();
    }

    /// Lets time pass by the clock.
    pub(super) fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.settle();
    }

    /// Moves the clock of the program.
    pub(super) fn advance(&self, by: Duration) {
        let advanced = self
            .services
            .advance_clock(self.key, None, AdvanceClockRequest { by });
        let (reply, behind) = self.runtime.block_on(advanced).unwrap();
        assert_eq!((reply.status, behind), (200, None));
    }

    /// The credits of a program with this amount: their number in the log, and the member.
    pub(super) fn minted(&self, program: ProgramNumber, amount: i64) -> Vec<(Seq, i64)> {
        let all = self.all_activities();
        let own = all
            .iter()
            .filter(|activity| activity.program == Some(program));
        let minted = own.filter_map(|activity| {
            let entry = activity.event.ledger_entry()?;
            (entry.amount == points(amount)).then_some((activity.seq, entry.member.0))
        });
        minted.collect()
    }

    /// Every activity of the program, in order.
    pub(super) fn activities(&self) -> Vec<Activity> {
        let mut activities = self.all_activities();
        activities.retain(|activity| activity.program == Some(self.key.program));
        activities
    }

    fn all_activities(&self) -> Vec<Activity> {
        let connection = store::open_read_only(&self.database()).unwrap();
        let mut activities = Vec::new();
        store::replay(&connection, Seq(0), |row| {
            activities.push(row.activity.clone());
        })
        .unwrap();
        activities
    }

    /// The ledger entries that something due caused: seconds after the start, kind of entry,
    /// member, points, and when it was due.
    pub(super) fn due_rows(&self) -> Vec<(i64, Entry, i64, i64, i64)> {
        let seconds = |at: Timestamp| (at.as_millis() - START_MILLIS) / 1000;
        let row = |activity: &Activity| {
            let entry = activity.event.ledger_entry()?;
            let due_at = entry.buckets.as_ref()?.due_at?;
            let (at, due_at) = (seconds(activity.at), seconds(due_at));
            Some((at, entry.entry, entry.member.0, entry.amount.get(), due_at))
        };
        self.activities().iter().filter_map(row).collect()
    }

    /// The number in the log of the last of them.
    pub(super) fn last_due(&self) -> Seq {
        let is_due = |activity: &&Activity| {
            let entry = activity.event.ledger_entry();
            entry
                .and_then(|entry| entry.buckets.as_ref()?.due_at)
                .is_some()
        };
        let activities = self.activities();
        activities.iter().rfind(is_due).unwrap().seq
    }

    /// The activities of the program but those of its clock, without their numbers.
    pub(super) fn rows(&self) -> Vec<(Timestamp, Event)> {
        let mut activities = self.activities();
        activities.retain(|activity| !matches!(activity.event, Event::ProgramChanged { .. }));
        let parts = activities
            .into_iter()
            .map(|activity| (activity.at, activity.event));
        parts.collect()
    }

    /// Stops the services; `verify` has nothing to report. Returns how many rows were due.
    #[track_caller]
    pub(super) fn verified(&self) -> u64 {
        self.services.stop();
        let connection = store::open_read_only(&self.database()).unwrap();
        let report = crate::service::verify::verify(&connection, |_| ()).unwrap();
        assert_eq!(report.findings, Vec::<String>::new());
        report.due
    }
}

fn settings(folder: &TempDir) -> Settings {
    let mut settings = Settings::defaults();
    settings.database.path = folder.path().join("test.db");
    settings
}

/// Appends a credit with a lot.
pub(super) fn mint(
    tx: &mut Transaction<'_>,
    record: &Record,
    amount: i64,
    dates: LotDates,
) -> Result<(), store::Error> {
    let plan = record.plan_mint(points(amount), Bucket::Available, Some(dates));
    let at = tx.now(record.program);
    ledger::append(tx, at, record, plan.unwrap().entry_of(record))?.unwrap();
    Ok(())
}

/// Appends a debit of lots, or refuses it.
fn take(tx: &mut Transaction<'_>, record: &Record, amount: i64) -> Result<Answer, ServiceError> {
    let pick = Pick::all(Bucket::Available, BurnOrder::Fifo);
    let amount = points(amount);
    let Some(plan) = record.plan(Entry::Debit, amount, &pick) else {
        return Err(Refusal::InsufficientPoints {
            balance: record.wallet.available(),
            needed: amount,
        }
        .into());
    };
    let at = tx.now(record.program);
    ledger::append(tx, at, record, plan.entry_of(record))?.unwrap();
    Ok(Answer::no_content())
}
