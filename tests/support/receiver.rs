//! A receiver of webhooks: an HTTP server that records every request, byte for byte, and responds
//! by a given rule.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::{Condvar, Mutex};
use serde_json::Value;
use sha2::Sha256;

use super::documented;

/// Longer than anything here takes; after that a test fails instead of hanging.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// The receiver's response to a request.
#[derive(Debug, Clone)]
pub enum Answer {
    /// A status without a body.
    Status(u16),
    /// 302 to another address.
    Redirect(String),
    /// No response at all.
    Silence,
    /// 200, and a body that does not end as long as the client reads it.
    Endless,
}

/// A request as received.
#[derive(Debug, Clone)]
pub struct Received {
    pub method: String,
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        &found.unwrap_or_else(|| panic!("there is no {name}")).1
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub fn event(&self) -> &str {
        self.header("X-Expys-Event")
    }

    pub fn delivery(&self) -> &str {
        self.header("X-Expys-Delivery")
    }

    /// Whether the signature is that of the raw body under this secret, computed independently.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(&self.body);
        let hex = HEXLOWER.encode(&mac.finalize().into_bytes());
        self.header("X-Expys-Signature") == format!("sha256={hex}")
    }
}

type Rule = Box<dyn Fn(&Received) -> Answer + Send>;

/// A running receiver. Dropping it frees its port.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    rule: Mutex<Rule>,
    received: Mutex<Vec<Received>>,
    changed: Condvar,
    connections: AtomicUsize,
    /// The number of endless responses that clients stopped reading.
    given_up: AtomicUsize,
    is_stopping: AtomicBool,
}

impl Receiver {
    /// A receiver that responds to every request with 200.
    pub fn start() -> Self {
        Self::start_with(|_| Answer::Status(200))
    }

    /// A receiver that responds by a rule.
    pub fn start_with(rule: impl Fn(&Received) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            rule: Mutex::new(Box::new(rule)),
            received: Mutex::default(),
            changed: Condvar::new(),
            connections: AtomicUsize::new(0),
            given_up: AtomicUsize::new(0),
            is_stopping: AtomicBool::new(false),
        });
        let its = Arc::clone(&shared);
        std::thread::spawn(move || {
            for connection in listener.incoming() {
                if its.is_stopping.load(Ordering::SeqCst) {
                    return;
                }
                its.connections.fetch_add(1, Ordering::SeqCst);
                let its = Arc::clone(&its);
                std::thread::spawn(move || its.serve(connection.unwrap()));
            }
        });
        Self { address, shared }
    }

    /// Changes the rule.
    pub fn answer(&self, rule: impl Fn(&Received) -> Answer + Send + 'static) {
        *self.shared.rule.lock() = Box::new(rule);
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The requests so far.
    #[track_caller]
    pub fn received(&self) -> Vec<Received> {
        as_described(&self.shared.received.lock())
    }

    /// The requests, once there is the given number.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Received> {
        self.wait_until(|received| received.len() >= count)
    }

    /// The requests, once a condition is fulfilled.
    #[track_caller]
    pub fn wait_until(&self, is_enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        let deadline = Instant::now() + PATIENCE;
        let mut received = self.shared.received.lock();
        while !is_enough(&received) {
            let result = self.shared.changed.wait_until(&mut received, deadline);
            let names: Vec<_> = received.iter().map(Received::event).collect();
            assert!(!result.timed_out(), "only these came: {names:?}");
        }
        as_described(&received)
    }

    /// The number of connections so far.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until a client has stopped reading an endless response.
    #[track_caller]
    pub fn wait_until_given_up(&self) {
        let deadline = Instant::now() + PATIENCE;
        let mut received = self.shared.received.lock();
        while self.shared.given_up.load(Ordering::SeqCst) == 0 {
            let result = self.shared.changed.wait_until(&mut received, deadline);
            assert!(!result.timed_out(), "it is still read");
        }
    }
}

/// Requests, each of which must fit the OpenAPI document.
#[track_caller]
fn as_described(received: &[Received]) -> Vec<Received> {
    received.iter().for_each(documented::check_delivery);
    received.to_vec()
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.is_stopping.store(true, Ordering::SeqCst);
        self.shared.changed.notify_all();
        // Makes the accepting thread check its flag once more.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve(&self, mut connection: TcpStream) {
        let mut bytes = Vec::new();
        while let Some(request) = read_request(&mut connection, &mut bytes) {
            let answer = (self.rule.lock())(&request);
            self.received.lock().push(request);
            self.changed.notify_all();
            if self.respond(&mut connection, &answer).is_err() {
                return;
            }
        }
    }

    fn respond(&self, connection: &mut TcpStream, answer: &Answer) -> std::io::Result<()> {
        match answer {
            Answer::Status(status) => {
                let head = format!("HTTP/1.1 {status} So\r\nContent-Length: 0\r\n\r\n");
                connection.write_all(head.as_bytes())
            }
            Answer::Redirect(to) => {
                let head =
                    format!("HTTP/1.1 302 So\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
                connection.write_all(head.as_bytes())
            }
            Answer::Silence => {
                let mut received = self.received.lock();
                while !self.is_stopping.load(Ordering::SeqCst) {
                    self.changed.wait(&mut received);
                }
                Err(std::io::ErrorKind::ConnectionAborted.into())
            }
            Answer::Endless => {
                connection.write_all(b"HTTP/1.1 200 So\r\nTransfer-Encoding: chunked\r\n\r\n")?;
                let chunk = format!("2000\r\n{}\r\n", "x".repeat(0x2000));
                let mut result = Ok(());
                while result.is_ok() && !self.is_stopping.load(Ordering::SeqCst) {
                    result = connection.write_all(chunk.as_bytes());
                }
                let _received = self.received.lock();
                self.given_up.fetch_add(1, Ordering::SeqCst);
                self.changed.notify_all();
                result
            }
        }
    }
}

/// The next request of a connection; `bytes` holds what was read beyond the one before.
fn read_request(connection: &mut TcpStream, bytes: &mut Vec<u8>) -> Option<Received> {
    let mut more = |bytes: &mut Vec<u8>| {
        let mut piece = [0; 8192];
        let length = connection
            .read(&mut piece)
            .ok()
            .filter(|length| *length > 0)?;
        bytes.extend_from_slice(&piece[..length]);
        Some(())
    };
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        more(bytes)?;
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ').map(str::to_owned);
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut received = Received {
        method: first.next()?,
        path: first.next()?,
        headers,
        body: Vec::new(),
    };
    let length: usize = received.header("Content-Length").parse().unwrap();
    while bytes.len() < end + 4 + length {
        more(bytes)?;
    }
    received.body = bytes[end + 4..end + 4 + length].to_vec();
    bytes.drain(..end + 4 + length);
    Some(received)
}
