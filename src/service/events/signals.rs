//! Notifications of commits to the followers of the log, which have their own threads: streams and
//! webhooks.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::domain::{ProgramNumber, Seq};
use crate::store::Committed;

/// Changes since the last call of [`Signals::announcements`].
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Announcements {
    /// Programs with new events that a webhook listens to.
    pub programs: HashSet<ProgramNumber>,
    /// Programs with a webhook that has a delivery to repeat or a test to send.
    pub due: HashSet<ProgramNumber>,
    /// Whether webhooks were created, updated or deleted.
    pub webhooks_changed: bool,
}

/// The notifications that the writer sends after every commit. The cost does not depend on the
/// number of followers.
#[derive(Debug)]
pub struct Signals {
    committed: watch::Sender<Seq>,
    announcements: Mutex<Announcements>,
    announced: Notify,
}

impl Signals {
    pub(in crate::service) fn new(last: Seq) -> Self {
        Self {
            committed: watch::Sender::new(last),
            announcements: Mutex::default(),
            announced: Notify::new(),
        }
    }

    /// A receiver of the number of the last committed activity, notified of every later one.
    pub fn committed(&self) -> watch::Receiver<Seq> {
        self.committed.subscribe()
    }

    /// The number of the last committed activity.
    pub fn last(&self) -> Seq {
        *self.committed.borrow()
    }

    /// Waits until webhooks have work to do.
    pub async fn announcements(&self) -> Announcements {
        loop {
            let news = std::mem::take(&mut *self.announcements.lock());
            if news != Announcements::default() {
                return news;
            }
            self.announced.notified().await;
        }
    }

    /// Notifies the followers of a commit.
    pub(in crate::service) fn notify(&self, committed: &Committed<'_>) {
        if let Some(last) = committed.activities.last() {
            self.committed.send_replace(last.seq);
        }
        let has_work = !committed.announced.is_empty() || !committed.due.is_empty();
        if committed.webhooks_changed || has_work {
            let mut news = self.announcements.lock();
            news.programs.extend(committed.announced);
            news.due.extend(committed.due);
            news.webhooks_changed |= committed.webhooks_changed;
            drop(news);
            self.announced.notify_one();
        }
    }

    /// Notifies the followers after a failure, in which an unknown part may have been committed.
    pub(in crate::service) fn notify_all(&self, last: Seq) {
        self.committed.send_replace(last);
        self.announcements.lock().webhooks_changed = true;
        self.announced.notify_one();
    }
}
