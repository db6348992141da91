//! A proxy in front of the server that records requests and drops responses on demand.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// The state that the connections share.
#[derive(Default)]
struct State {
    /// The method and path of every request, without the query.
    seen: Vec<String>,
    /// How many responses are still to be dropped, by the beginning of the request.
    losses: Vec<(String, u32)>,
    is_over: bool,
}

/// A proxy in front of a server. Its threads end with their connections.
pub(crate) struct Lossy {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Lossy {
    pub(crate) fn before(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if shared.lock().unwrap().is_over {
                    return;
                }
                let state = Arc::clone(&shared);
                // A broken connection affects only its two ends.
                std::thread::spawn(move || hand_on(client, server, &state).ok());
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Drops the next responses to requests that begin like this: `POST /v1/wallet`.
    pub(crate) fn drop_responses(&self, what: &str, count: u32) {
        self.state
            .lock()
            .unwrap()
            .losses
            .push((what.to_owned(), count));
    }

    /// The number of requests that begin like this.
    pub(crate) fn seen(&self, what: &str) -> usize {
        let state = self.state.lock().unwrap();
        state
            .seen
            .iter()
            .filter(|each| each.starts_with(what))
            .count()
    }
}

impl Drop for Lossy {
    fn drop(&mut self) {
        self.state.lock().unwrap().is_over = true;
        let _ = TcpStream::connect(self.address);
    }
}

fn hand_on(mut client: TcpStream, server: SocketAddr, state: &Mutex<State>) -> std::io::Result<()> {
    let Some((head, body)) = request(&mut client)? else {
        return Ok(());
    };
    let line = head.lines().next().unwrap_or_default();
    let mut words = line.split([' ', '?']);
    let method = words.next().unwrap_or_default();
    let what = format!("{method} {}", words.next().unwrap_or_default());
    let is_lost = {
        let mut state = state.lock().unwrap();
        state.seen.push(what.clone());
        let mut losses = state.losses.iter_mut();
        let found = losses.find(|(start, left)| *left > 0 && what.starts_with(start.as_str()));
        found.is_some_and(|(_, left)| {
            *left -= 1;
            true
        })
    };
    let mut upstream = TcpStream::connect(server)?;
    let kept = head
        .lines()
        .filter(|line| !line.to_lowercase().starts_with("connection:"));
    let head: Vec<&str> = kept.chain(["Connection: close", "", ""]).collect();
    upstream.write_all(head.join("\r\n").as_bytes())?;
    upstream.write_all(&body)?;
    let mut buffer = [0; 16384];
    loop {
        let count = upstream.read(&mut buffer)?;
        if count == 0 {
            return client.shutdown(Shutdown::Both);
        }
        if !is_lost {
            client.write_all(&buffer[..count])?;
        }
    }
}

/// The head of a request, without its empty line, and its body.
fn request(client: &mut TcpStream) -> std::io::Result<Option<(String, Vec<u8>)>> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 16384];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        bytes.extend_from_slice(&buffer[..count]);
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut body = bytes.split_off(end + 4);
    let length = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map_or(0, |(_, length)| length.trim().parse().unwrap_or(0));
    while body.len() < length {
        let count = client.read(&mut buffer)?;
        if count == 0 {
            return Ok(None);
        }
        body.extend_from_slice(&buffer[..count]);
    }
    Ok(Some((head, body)))
}
