//! Conversions to lots: after one, a thread puts the points of every member into lots, in small
//! writes between those of others. Points of a member who is written to meanwhile are put into lots
//! then (`points::opened`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::domain::{AssetNumber, ProgramNumber};
use crate::service::writer::UpkeepWriter;
use crate::store::{self, Transaction, WriteError};
use crate::telemetry::cause_chain;

/// How long to wait after a failure.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// The program of an asset, and the number of a further one.
pub(in crate::service) type OfAsset = (ProgramNumber, Option<AssetNumber>);

/// A write of the thread, which returns whether there are members left.
pub(in crate::service) type Step = fn(&mut Transaction<'_>, OfAsset) -> Result<bool, store::Error>;

/// A handle to the thread. Clones share it.
#[derive(Debug, Clone)]
pub(in crate::service) struct Opening(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    work: Mutex<Work>,
    changed: Condvar,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Work {
    assets: BTreeSet<OfAsset>,
    is_stopped: bool,
}

impl Opening {
    /// Starts the thread, which continues the conversions of earlier runs.
    pub(in crate::service) fn start(
        writer: UpkeepWriter,
        step: Step,
        begun: Vec<OfAsset>,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            work: Mutex::new(Work {
                assets: begun.into_iter().collect(),
                is_stopped: false,
            }),
            changed: Condvar::new(),
            thread: Mutex::new(None),
        });
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("stampcard-lots".to_owned())
            .spawn(move || run(&of_thread, &writer, step))?;
        *shared.thread.lock() = Some(thread);
        Ok(Self(shared))
    }

    /// Puts the points of a program's members in an asset into lots from now on.
    pub(in crate::service) fn begin(&self, asset: OfAsset) {
        self.0.work.lock().assets.insert(asset);
        self.0.changed.notify_all();
    }

    /// Ends the thread. The next start continues its work.
    pub(in crate::service) fn stop(&self) {
        self.0.work.lock().is_stopped = true;
        self.0.changed.notify_all();
        let thread = self.0.thread.lock().take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread that puts points into lots panicked");
        }
    }
}

fn run(shared: &Shared, writer: &UpkeepWriter, step: Step) {
    loop {
        let mut work = shared.work.lock();
        while work.assets.is_empty() && !work.is_stopped {
            shared.changed.wait(&mut work);
        }
        if work.is_stopped {
            return;
        }
        let assets = work.assets.clone();
        drop(work);
        for asset in assets {
            match writer.write_in(asset.0, move |tx| step(tx, asset)) {
                Ok(true) => {}
                Ok(false) => {
                    shared.work.lock().assets.remove(&asset);
                }
                Err(error) => {
                    if !matches!(error, WriteError::Overloaded) {
                        let error = cause_chain(&error);
                        tracing::warn!(error, "points could not be put into lots");
                    }
                    let mut work = shared.work.lock();
                    if !work.is_stopped {
                        shared.changed.wait_for(&mut work, RETRY_AFTER);
                    }
                }
            }
        }
    }
}
