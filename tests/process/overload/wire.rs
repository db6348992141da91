//! HTTP by hand, for requests that no client library would send.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::server::{SANDBOX_KEY, Server};

/// A connection, and the bytes received so far.
pub(super) struct Wire {
    reader: BufReader<TcpStream>,
}

/// A response.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: u16,
    /// In lower case.
    head: String,
    pub(super) body: String,
}

impl Response {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines();
        lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// The code of the error.
    pub(super) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned()
    }
}

impl Wire {
    pub(super) fn open(server: &Server) -> Self {
        Self::try_open(server).unwrap()
    }

    pub(super) fn try_open(server: &Server) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&server.address, Duration::from_secs(10))?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            reader: BufReader::new(stream),
        })
    }

    /// Accepts only a little before the server has to wait.
    pub(super) fn open_narrow(server: &Server) -> Self {
        let socket = socket2::Socket::new(
            socket2::Domain::IPV4,
            socket2::Type::STREAM,
            Some(socket2::Protocol::TCP),
        )
        .unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect(&server.address.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        Self {
            reader: BufReader::new(stream),
        }
    }

    pub(super) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    pub(super) fn send(&mut self, text: &str) -> std::io::Result<()> {
        self.send_bytes(text.as_bytes())
    }

    pub(super) fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream().write_all(bytes)
    }

    /// The next response; `None` if the connection ends or is silent.
    pub(super) fn read(&mut self) -> Option<Response> {
        let (status, head, body) = self.read_whole()?;
        Some(Response {
            status,
            head,
            body: String::from_utf8(body).ok()?,
        })
    }

    /// The next response, whose body may be binary.
    pub(super) fn read_bytes(&mut self) -> Option<(u16, Vec<u8>)> {
        let (status, _, body) = self.read_whole()?;
        Some((status, body))
    }

    /// The status of the next response, whose body continues.
    pub(super) fn read_head(&mut self) -> Option<u16> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok()?;
        line.split(' ').nth(1)?.parse().ok()
    }

    fn read_whole(&mut self) -> Option<(u16, String, Vec<u8>)> {
        let mut head = String::new();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_ascii_lowercase();
            if line.is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("content-length: ") {
                length = value.parse().ok()?;
            }
            head.push_str(&line);
            head.push('\n');
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).ok()?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, head, body))
    }

    /// Whether the response breaks off before its end.
    pub(super) fn ends_early(&mut self) -> bool {
        self.read_whole().is_none()
    }

    /// Whether the server has closed the connection.
    pub(super) fn is_closed(&mut self) -> bool {
        let mut rest = Vec::new();
        match self.reader.read_to_end(&mut rest) {
            Ok(_) => rest.is_empty(),
            Err(error) => error.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

/// The head of a request with the sandbox key.
pub(super) fn head(method: &str, path: &str, more: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {SANDBOX_KEY}\r\n{more}")
}

/// A whole request.
pub(super) fn request(method: &str, path: &str, body: &str) -> String {
    let length = body.len();
    let more = format!("content-length: {length}\r\n\r\n{body}");
    head(method, path, &more)
}
