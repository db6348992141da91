//! A write that waits for the writing thread, and its outcome.

use std::time::Duration;

use tokio::sync::oneshot;

use super::transaction::Transaction;
use crate::domain::ProgramNumber;
use crate::store::Error;

/// The reason why a write was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// The queue is full; nothing was done.
    #[error("too many writes wait")]
    Overloaded,
    /// The disk failed; whether the write was done is not known.
    #[error("the storage takes no writes")]
    Unavailable,
    /// The write hit a defect of the program; nothing was done.
    #[error("the write failed")]
    Failed,
    /// The system clock was set far forward, which no operator has accepted; nothing was done.
    #[error(
        "writes are stopped because the system clock was set forward by more than 24 hours; \
         correct it, or accept it with `stampcard clock accept`"
    )]
    ClockRefused,
}

/// The time of a write.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// The program by whose time it happens. What is due there happens before the write.
    pub program: Option<ProgramNumber>,
    /// How far it advances a fixed clock first, in a history that is generated.
    pub step: Option<Duration>,
}

/// Work to do in a transaction, and a caller that waits for it.
pub(super) trait Job: Send {
    /// When it happens. A step is returned only once, because the work may have to wait again.
    fn timing(&mut self) -> Timing;
    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error>;
    fn finish(self: Box<Self>, outcome: Result<(), WriteError>);
}

/// Receives the outcome of a job.
pub(super) type Reply<T> = oneshot::Receiver<Result<T, WriteError>>;

struct Task<F, T> {
    timing: Timing,
    work: Option<F>,
    value: Option<T>,
    reply: oneshot::Sender<Result<T, WriteError>>,
}

/// A job that runs `work`, and the end of a channel on which its outcome comes.
pub(super) fn job<T, F>(timing: Timing, work: F) -> (Box<dyn Job>, Reply<T>)
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send + 'static,
    T: Send + 'static,
{
    let (reply, receiver) = oneshot::channel();
    let task = Task {
        timing,
        work: Some(work),
        value: None,
        reply,
    };
    (Box::new(task), receiver)
}

impl<F, T> Job for Task<F, T>
where
    F: FnOnce(&mut Transaction<'_>) -> Result<T, Error> + Send,
    T: Send,
{
    fn timing(&mut self) -> Timing {
        let timing = self.timing;
        self.timing.step = None;
        timing
    }

    fn run(&mut self, tx: &mut Transaction<'_>) -> Result<(), Error> {
        if let Some(work) = self.work.take() {
            self.value = Some(work(tx)?);
        }
        Ok(())
    }

    fn finish(self: Box<Self>, outcome: Result<(), WriteError>) {
        let Self { value, reply, .. } = *self;
        // The client may have disconnected; the write stands all the same.
        let _ = reply.send(outcome.and_then(|()| value.ok_or(WriteError::Failed)));
    }
}
