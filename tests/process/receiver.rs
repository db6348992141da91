//! A receiver of webhooks: it records every request, byte for byte, and responds as configured.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::Value;

/// Its response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Fine,
    Failing,
    /// Reads the request and never responds.
    Silent,
}

/// A request as received.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) delivery: String,
    pub(crate) signature: String,
    pub(crate) event: String,
    pub(crate) body: Vec<u8>,
    /// Whether the response was 200.
    pub(crate) taken: bool,
}

impl Arrival {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Debug)]
struct Shared {
    mood: Mutex<Mood>,
    arrivals: Mutex<Vec<Arrival>>,
    connections: Mutex<Vec<TcpStream>>,
    is_down: AtomicBool,
}

/// The receiver. It ends with the test.
#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                mood: Mutex::new(Mood::Fine),
                arrivals: Mutex::default(),
                connections: Mutex::default(),
                is_down: AtomicBool::new(false),
            }),
        };
        receiver.listen(listener);
        receiver
    }

    fn listen(&self, listener: TcpListener) {
        let shared = Arc::clone(&self.shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if shared.is_down.load(Ordering::SeqCst) {
                    return;
                }
                shared.connections.lock().push(stream.try_clone().unwrap());
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    pub(crate) fn be(&self, mood: Mood) {
        *self.shared.mood.lock() = mood;
    }

    /// Refuses new connections, and closes open ones.
    pub(crate) fn go_down(&self) {
        self.shared.is_down.store(true, Ordering::SeqCst);
        // Wakes the listening thread, which then closes the port.
        drop(TcpStream::connect(self.address));
        for connection in self.shared.connections.lock().drain(..) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }

    /// Listens again on the same port.
    pub(crate) fn come_up(&self) {
        self.shared.is_down.store(false, Ordering::SeqCst);
        let listener = loop {
            if let Ok(listener) = TcpListener::bind(self.address) {
                break listener;
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        self.listen(listener);
    }

    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.shared.arrivals.lock().clone()
    }
}

impl Shared {
    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut writer = stream;
        while let Some(arrival) = Self::read(&mut reader) {
            let mood = *self.mood.lock();
            self.arrivals.lock().push(Arrival {
                taken: mood == Mood::Fine,
                ..arrival
            });
            let answer: &[u8] = match mood {
                Mood::Fine => b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
                Mood::Failing => b"HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\n\r\n",
                Mood::Silent => {
                    // Until the sender gives up.
                    let _ = reader.fill_buf();
                    return;
                }
            };
            if writer.write_all(answer).is_err() {
                return;
            }
        }
    }

    fn read(reader: &mut BufReader<TcpStream>) -> Option<Arrival> {
        let mut arrival = Arrival {
            delivery: String::new(),
            signature: String::new(),
            event: String::new(),
            body: Vec::new(),
            taken: false,
        };
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line).ok()? > 2 {
            if let Some((name, value)) = line.trim_end().split_once(": ") {
                match name.to_ascii_lowercase().as_str() {
                    "content-length" => length = value.parse().unwrap(),
                    "x-expys-delivery" => value.clone_into(&mut arrival.delivery),
                    "x-expys-signature" => value.clone_into(&mut arrival.signature),
                    "x-expys-event" => value.clone_into(&mut arrival.event),
                    _ => {}
                }
            }
            line.clear();
        }
        if line.is_empty() {
            return None;
        }
        arrival.body.resize(length, 0);
        reader.read_exact(&mut arrival.body).ok()?;
        Some(arrival)
    }
}
