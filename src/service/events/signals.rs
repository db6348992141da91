//! What commits tell those who follow the log on their own threads: streams and webhooks.

use std::collections::HashSet;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::domain::{ProgramNumber, Seq};
use crate::store::Committed;

/// What happened since one last looked.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Announcements {
    /// Programs in which something happened that a webhook listens to.
    pub programs: HashSet<ProgramNumber>,
    /// Programs with a webhook that has something to send again, or a test.
    pub due: HashSet<ProgramNumber>,
    /// Whether webhooks were made or deleted.
    pub webhooks_changed: bool,
}

/// The bell that the writer rings after every commit. Ringing it costs the same whoever listens.
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

    /// The number of the last activity that was committed, and word of every later one.
    pub fn committed(&self) -> watch::Receiver<Seq> {
        self.committed.subscribe()
    }

    /// The number of the last activity that was committed.
    pub fn last(&self) -> Seq {
        *self.committed.borrow()
    }

    /// Waits until there is something for webhooks to do.
    pub async fn announcements(&self) -> Announcements {
        loop {
            let news = std::mem::take(&mut *self.announcements.lock());
            if news != Announcements::default() {
                return news;
            }
            self.announced.notified().await;
        }
    }

    pub(in crate::service) fn ring(&self, committed: &Committed<'_>) {
        if let Some(last) = committed.activities.last() {
            self.committed.send_replace(last.seq);
        }
        let nothing = committed.announced.is_empty() && committed.due.is_empty();
        if committed.webhooks_changed || !nothing {
            let mut news = self.announcements.lock();
            news.programs.extend(committed.announced);
            news.due.extend(committed.due);
            news.webhooks_changed |= committed.webhooks_changed;
            drop(news);
            self.announced.notify_one();
        }
    }

    /// After a failure, whatever may have been committed meanwhile.
    pub(in crate::service) fn ring_anew(&self, last: Seq) {
        self.committed.send_replace(last);
        self.announcements.lock().webhooks_changed = true;
        self.announced.notify_one();
    }
}
