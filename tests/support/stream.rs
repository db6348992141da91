//! A client of server-sent events that reads the socket itself, so that the exact bytes can be
//! checked.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::documented;

/// Longer than anything here takes; after that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);

/// The first line of every stream, also sent when there is nothing to send.
pub const HEARTBEAT: &str = ": heartbeat\n\n";

/// An open stream. Dropping it closes the connection.
pub struct EventStream {
    connection: TcpStream,
    /// The status line and the headers, as received.
    pub head: String,
    /// Bytes that were received and not parsed yet, with their chunks.
    raw: Vec<u8>,
    /// The part of the body that was not returned yet, without its chunks.
    text: Vec<u8>,
    is_over: bool,
}

impl EventStream {
    /// Requests a stream with `GET`, and checks that it is one.
    #[track_caller]
    pub fn open(address: SocketAddr, path: &str, credential: &str, headers: &str) -> Self {
        let stream = Self::ask(address, "GET", path, credential, headers);
        assert!(stream.head.starts_with("HTTP/1.1 200 "), "{}", stream.head);
        stream
    }

    /// Sends the request, and reads only the head of the response.
    #[track_caller]
    pub fn ask(
        address: SocketAddr,
        method: &str,
        path: &str,
        credential: &str,
        headers: &str,
    ) -> Self {
        let mut connection = TcpStream::connect(address).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n\
             Authorization: Bearer {credential}\r\n{headers}\r\n"
        );
        connection.write_all(request.as_bytes()).unwrap();
        let mut stream = Self {
            connection,
            head: String::new(),
            raw: Vec::new(),
            text: Vec::new(),
            is_over: false,
        };
        let end = loop {
            if let Some(end) = find(&stream.raw, b"\r\n\r\n") {
                break end;
            }
            assert!(stream.read(), "the connection ended before the answer");
        };
        stream.head = String::from_utf8(stream.raw.drain(..end + 4).collect()).unwrap();
        stream
    }

    /// The value of a header of the response.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// The next frame with the empty line that ends it; `None` if the server ended the stream as
    /// HTTP prescribes.
    #[track_caller]
    pub fn next(&mut self) -> Option<String> {
        loop {
            if let Some(end) = find(&self.text, b"\n\n") {
                let frame = self.text.drain(..end + 2).collect();
                return Some(String::from_utf8(frame).unwrap());
            }
            if self.is_over {
                assert_eq!(self.text, b"", "the last frame is whole");
                return None;
            }
            if !self.take_chunk() {
                assert!(self.read(), "the connection ended within the stream");
            }
        }
    }

    /// The next frame that is not a comment.
    #[track_caller]
    pub fn next_event(&mut self) -> Option<Event> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "there is nothing but comments");
            let frame = self.next()?;
            if !frame.starts_with(':') {
                return Some(Event::parse(&frame));
            }
        }
    }

    /// The next event, which must exist.
    #[track_caller]
    pub fn event(&mut self) -> Event {
        self.next_event().expect("the stream goes on")
    }

    /// Reads to the end; the rest must be comments.
    #[track_caller]
    pub fn expect_end(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while let Some(frame) = self.next() {
            assert!(frame.starts_with(':'), "{frame}");
            assert!(Instant::now() < deadline, "it does not end");
        }
    }

    /// Whether more was received.
    fn read(&mut self) -> bool {
        let mut piece = [0; 16_384];
        let length = self.connection.read(&mut piece).expect("something comes");
        self.raw.extend_from_slice(&piece[..length]);
        length > 0
    }

    /// Whether a whole chunk was received.
    fn take_chunk(&mut self) -> bool {
        let Some(line) = find(&self.raw, b"\r\n") else {
            return false;
        };
        let size = std::str::from_utf8(&self.raw[..line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let (start, end) = (line + 2, line + 2 + size + 2);
        if self.raw.len() < end {
            return false;
        }
        self.text.extend_from_slice(&self.raw[start..end - 2]);
        self.raw.drain(..end);
        self.is_over = size == 0;
        true
    }
}

/// A parsed frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub id: Option<i64>,
    pub name: Option<String>,
    pub data: Value,
}

impl Event {
    #[track_caller]
    fn parse(frame: &str) -> Self {
        let field = |name: &str| {
            let prefix = format!("{name}: ");
            let mut values = frame.lines().filter_map(|line| line.strip_prefix(&prefix));
            let value = values.next();
            assert_eq!(values.next(), None, "{frame}");
            value
        };
        let event = Self {
            id: field("id").map(|id| id.parse().unwrap()),
            name: field("event").map(str::to_owned),
            data: serde_json::from_str(field("data").unwrap()).unwrap(),
        };
        documented::check_frame(event.name.as_deref(), &event.data);
        event
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|part| part == wanted)
}
