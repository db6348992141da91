//! A client of the activity stream that resumes where the connection broke.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

use crate::server::SANDBOX_KEY;

/// A whole frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) seq: i64,
    pub(super) event: String,
    /// The id that a webhook's body has, too.
    pub(super) id: String,
}

#[derive(Debug, Default)]
struct Shared {
    address: Mutex<Option<SocketAddr>>,
    frames: Mutex<Vec<Frame>>,
    connections: Mutex<usize>,
    is_over: AtomicBool,
}

/// The client, on a separate thread.
#[derive(Debug)]
pub(super) struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    pub(super) fn start() -> Self {
        let shared = Arc::new(Shared::default());
        let own = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            while !own.is_over.load(Ordering::SeqCst) {
                if own.follow().is_none() {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
        });
        Self {
            shared,
            thread: Some(thread),
        }
    }

    /// The server has another address now.
    pub(super) fn turn_to(&self, address: SocketAddr) {
        *self.shared.address.lock() = Some(address);
    }

    pub(super) fn last(&self) -> i64 {
        self.shared
            .frames
            .lock()
            .last()
            .map_or(0, |frame| frame.seq)
    }

    /// The activity of an event, by its id.
    pub(super) fn numbers(&self) -> HashMap<String, i64> {
        let frames = self.shared.frames.lock();
        frames
            .iter()
            .map(|frame| (frame.id.clone(), frame.seq))
            .collect()
    }

    /// All frames, and the number of connections. The server must have ended.
    pub(super) fn finish(mut self) -> (Vec<Frame>, usize) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        let frames = std::mem::take(&mut *self.shared.frames.lock());
        (frames, *self.shared.connections.lock())
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
    }
}

impl Shared {
    /// Reads one connection; `None` if it was refused.
    fn follow(&self) -> Option<()> {
        let address = (*self.address.lock())?;
        let stream = TcpStream::connect(address).ok()?;
        let last = self.frames.lock().last().map_or(0, |frame| frame.seq);
        let head = format!(
            "GET /v1/activity/stream HTTP/1.1\r\nhost: x\r\n\
             authorization: Bearer {SANDBOX_KEY}\r\nlast-event-id: {last}\r\n\r\n"
        );
        (&stream).write_all(head.as_bytes()).ok()?;
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let status = lines.next()?;
        assert!(status.starts_with("HTTP/1.1 200"), "{status}");
        *self.connections.lock() += 1;
        let (mut seq, mut event, mut data) = (None, String::new(), None);
        for line in lines {
            if let Some(id) = line.strip_prefix("id: ") {
                seq = id.parse().ok();
            } else if let Some(name) = line.strip_prefix("event: ") {
                name.clone_into(&mut event);
            } else if let Some(body) = line.strip_prefix("data: ") {
                data = Some(body.to_owned());
            } else if line.is_empty()
                // A frame counts once it is complete.
                && let (Some(seq), Some(body)) = (seq.take(), data.take())
            {
                let body: Value = serde_json::from_str(&body).unwrap();
                let id = body["id"].as_str().unwrap().to_owned();
                let event = std::mem::take(&mut event);
                self.frames.lock().push(Frame { seq, event, id });
            }
        }
        Some(())
    }
}
