//! Live streams: sends committed events to every subscriber, each through a bounded queue.
//!
//! One thread follows the log with a cursor, renders each event once and queues it for every
//! subscriber of its topic. The writer only notifies that thread, so the number of subscribers does
//! not affect it. A subscriber whose queue is full is marked as having missed events, and removed.
//!
//! **Must not know**: HTTP, or the format of a stream except its frames.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::{Notify, mpsc, watch};

use crate::budget::{Account, Budget, Owner};
use crate::config::ServerSettings;
use crate::domain::{ConversationId, EventKind, ProgramNumber, Seq};
use crate::service::{Services, ShownEvent};
use crate::telemetry::cause_chain;
use crate::wire;

/// The most frames in the queue of one subscriber.
const QUEUE_MAX: usize = 1024;
/// The most bytes of these frames together.
const QUEUE_BYTES_MAX: usize = 1 << 20;
/// How long to wait before the log is read again after a failure.
const RETRY: Duration = Duration::from_secs(1);

/// A topic to subscribe to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Topic {
    /// Every event of a program.
    Activity(ProgramNumber),
    /// The messages of a conversation of a program.
    Conversation(ProgramNumber, ConversationId),
}

impl Topic {
    fn program(self) -> ProgramNumber {
        match self {
            Self::Activity(program) | Self::Conversation(program, _) => program,
        }
    }
}

/// A frame of a stream, ready to be sent.
#[derive(Debug, Clone)]
pub struct Frame {
    /// The event it shows.
    pub seq: Seq,
    /// The text on the wire; shared by all subscribers.
    pub text: Arc<str>,
}

/// The reason why no stream can be opened now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooManyStreams {
    /// The server has its maximum of streams.
    #[error("too many streams are open")]
    InAll,
    /// The credential has its maximum of streams.
    #[error("this credential already has {0} open streams; close one first")]
    OfCredential(usize),
}

/// The hub. Clones share it.
#[derive(Debug, Clone)]
pub struct Realtime {
    hub: Arc<Hub>,
    thread: Arc<Mutex<Option<JoinHandle<()>>>>,
}

#[derive(Debug)]
struct Hub {
    state: Mutex<State>,
    committed: watch::Receiver<Seq>,
    /// Notified when the first subscriber comes, and when the hub is closed.
    wake: Notify,
    streams_max: usize,
    streams_each_max: usize,
    budget: Budget,
}

#[derive(Debug)]
struct State {
    topics: HashMap<Topic, Vec<Subscriber>>,
    /// The number of subscribers, over all topics.
    count: usize,
    /// The number of subscribers of each credential.
    counts: HashMap<u64, usize>,
    next_id: u64,
    /// The last event that was sent. Kept up to date only while there are subscribers.
    cursor: Seq,
    is_closed: bool,
}

#[derive(Debug)]
struct Subscriber {
    id: u64,
    credential: u64,
    /// The bytes of the queued frames.
    waiting: Arc<AtomicUsize>,
    /// The last event before it subscribed.
    after: Seq,
    queue: mpsc::Sender<Frame>,
    missed: Arc<AtomicBool>,
}

/// A subscription. Dropping it ends it.
#[derive(Debug)]
pub struct Subscription {
    hub: Arc<Hub>,
    topic: Topic,
    id: u64,
    account: Account,
    start: Seq,
    queue: mpsc::Receiver<Frame>,
    waiting: Arc<AtomicUsize>,
    missed: Arc<AtomicBool>,
}

impl Realtime {
    /// Starts the thread that follows the log.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(
        services: Services,
        settings: &ServerSettings,
        budget: Budget,
    ) -> std::io::Result<Self> {
        let committed = services.signals().committed();
        let cursor = *committed.borrow();
        let hub = Arc::new(Hub {
            state: Mutex::new(State {
                topics: HashMap::new(),
                count: 0,
                counts: HashMap::new(),
                next_id: 0,
                cursor,
                is_closed: false,
            }),
            committed,
            wake: Notify::new(),
            streams_max: settings.streams_max,
            streams_each_max: settings.streams_each_max,
            budget,
        });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()?;
        let following = Arc::clone(&hub);
        let thread = std::thread::Builder::new()
            .name("stampcard-streams".to_owned())
            .spawn(move || runtime.block_on(following.follow(services)))?;
        Ok(Self {
            hub,
            thread: Arc::new(Mutex::new(Some(thread))),
        })
    }

    /// Subscribes to a topic, from the next event on. The credential is given by its fingerprint.
    ///
    /// # Errors
    /// [`TooManyStreams`].
    pub fn subscribe(&self, topic: Topic, credential: u64) -> Result<Subscription, TooManyStreams> {
        let account = self.hub.budget.account(Owner::Credential(credential));
        let (sender, queue) = mpsc::channel(QUEUE_MAX);
        let waiting = Arc::new(AtomicUsize::new(0));
        let missed = Arc::new(AtomicBool::new(false));
        let mut state = self.hub.state.lock();
        if state.count >= self.hub.streams_max {
            return Err(TooManyStreams::InAll);
        }
        let of_credential = state.counts.get(&credential).copied().unwrap_or(0);
        if of_credential >= self.hub.streams_each_max {
            return Err(TooManyStreams::OfCredential(of_credential));
        }
        let start = *self.hub.committed.borrow();
        if state.count == 0 {
            state.cursor = start;
            self.hub.wake.notify_one();
        }
        let id = state.next_id;
        state.next_id += 1;
        // The stream of a closed hub ends immediately.
        if !state.is_closed {
            state.count += 1;
            state.counts.insert(credential, of_credential + 1);
            state.topics.entry(topic).or_default().push(Subscriber {
                id,
                credential,
                waiting: Arc::clone(&waiting),
                after: start,
                queue: sender,
                missed: Arc::clone(&missed),
            });
        }
        Ok(Subscription {
            hub: Arc::clone(&self.hub),
            topic,
            id,
            account,
            start,
            queue,
            waiting,
            missed,
        })
    }

    /// The number of subscribers.
    pub fn subscribers(&self) -> usize {
        self.hub.state.lock().count
    }

    /// The bytes held for clients that do not read, or do not finish sending.
    pub fn buffered_bytes(&self) -> usize {
        self.hub.budget.held()
    }

    /// Ends every subscription and accepts no more.
    pub fn close(&self) {
        let mut state = self.hub.state.lock();
        state.is_closed = true;
        state.topics.clear();
        state.counts.clear();
        state.count = 0;
        drop(state);
        self.hub.wake.notify_one();
    }

    /// Waits for the thread to end, after [`Realtime::close`].
    pub fn join(&self) {
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the stream thread panicked");
        }
    }
}

impl Subscription {
    /// The last event before the subscription.
    pub fn start(&self) -> Seq {
        self.start
    }

    /// The next frame, or `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Frame> {
        let frame = self.queue.recv().await?;
        self.waiting.fetch_sub(frame.text.len(), Ordering::Relaxed);
        Some(frame)
    }

    /// The memory account of its credential, for events that are read from the log for it.
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// Whether it ended because it missed frames.
    pub fn has_missed(&self) -> bool {
        self.missed.load(Ordering::Acquire)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let id = self.id;
        self.hub.state.lock().retain(self.topic, |s| s.id != id);
    }
}

impl State {
    /// Removes the subscribers of a topic for which `keep` is false.
    fn retain(&mut self, topic: Topic, keep: impl Fn(&Subscriber) -> bool) {
        let Some(subscribers) = self.topics.get_mut(&topic) else {
            return;
        };
        let counts = &mut self.counts;
        let before = subscribers.len();
        subscribers.retain(|subscriber| {
            let is_kept = keep(subscriber);
            if !is_kept && let Some(count) = counts.get_mut(&subscriber.credential) {
                *count -= 1;
                if *count == 0 {
                    counts.remove(&subscriber.credential);
                }
            }
            is_kept
        });
        self.count -= before - subscribers.len();
        if subscribers.is_empty() {
            self.topics.remove(&topic);
        }
    }

    /// Queues a frame for every subscriber of a topic. A subscriber whose queue is full misses it
    /// and is removed.
    fn send(&mut self, topic: Topic, frame: &Frame) {
        let length = frame.text.len();
        self.retain(topic, |subscriber| {
            if frame.seq <= subscriber.after {
                return true;
            }
            let waiting = subscriber.waiting.fetch_add(length, Ordering::Relaxed);
            let is_missed = if waiting > 0 && waiting + length > QUEUE_BYTES_MAX {
                true
            } else {
                match subscriber.queue.try_send(frame.clone()) {
                    Ok(()) => return true,
                    Err(error) => matches!(error, mpsc::error::TrySendError::Full(_)),
                }
            };
            subscriber.missed.store(is_missed, Ordering::Release);
            false
        });
    }
}

impl Hub {
    /// Follows the log until the hub is closed.
    async fn follow(&self, services: Services) {
        let mut committed = self.committed.clone();
        loop {
            let (is_closed, has_subscribers) = {
                let state = self.state.lock();
                (state.is_closed, state.count > 0)
            };
            if is_closed {
                return;
            }
            tokio::select! {
                () = self.wake.notified() => {}
                // Without subscribers, no commit wakes this thread.
                changed = committed.changed(), if has_subscribers => if changed.is_err() { return },
            }
            let up_to = *committed.borrow_and_update();
            while let Some((from, programs)) = self.unsent(up_to) {
                match services.events_after(programs, from, up_to).await {
                    Ok((events, end)) => self.publish(&services, &events, end),
                    Err(error) => {
                        let error = cause_chain(&error);
                        tracing::error!(
                            error,
                            "the log could not be read for streams; trying again"
                        );
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
        }
    }

    /// The last event that was sent and the programs with subscribers, if newer events are
    /// committed and there are subscribers.
    fn unsent(&self, up_to: Seq) -> Option<(Seq, HashSet<ProgramNumber>)> {
        let mut state = self.state.lock();
        if state.count == 0 {
            state.cursor = up_to;
        }
        let programs = state.topics.keys().map(|topic| topic.program()).collect();
        (state.cursor < up_to).then_some((state.cursor, programs))
    }

    fn publish(&self, services: &Services, events: &[(ProgramNumber, ShownEvent)], end: Seq) {
        let mut state = self.state.lock();
        for (program, event) in events {
            let activity = Topic::Activity(*program);
            if state.topics.contains_key(&activity)
                && let Some(text) = activity_frame(services, *program, event)
            {
                let seq = event.seq;
                state.send(activity, &Frame { seq, text });
            }
            if event.name.kind() == EventKind::MessageCreated
                && let Some((conversation, text)) = wire::message_frame(&event.data)
            {
                let topic = Topic::Conversation(*program, conversation);
                let (seq, text) = (event.seq, text.into());
                state.send(topic, &Frame { seq, text });
            }
        }
        state.cursor = end;
    }
}

/// The frame of an event in the activity stream of its program.
pub fn activity_frame(
    services: &Services,
    program: ProgramNumber,
    event: &ShownEvent,
) -> Option<Arc<str>> {
    let environment = services.directory().environment_of(program)?;
    let text = event.with_body(environment, |body| {
        wire::frame(event.seq.0, event.name, body)
    });
    Some(text.into())
}
