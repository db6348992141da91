//! Whether receivers of webhooks slow down writes: credits per second without webhooks, with ten
//! whose receivers respond, and with ten whose receivers never do.
//!
//! Three servers, each with its own database, alternate: while one is measured the other two are
//! stopped with SIGSTOP, so that their backlogs take no time from it. 64 clients, five rounds,
//! medians. Run with `cargo bench --bench webhooks`; docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use self::support::results::{Arguments, Results};
use self::support::{Server, credits_per_second, median};

const ENDPOINTS: usize = 10;
const CLIENTS: usize = 64;
const ROUNDS: usize = 5;
const WARM_UP: Duration = Duration::from_secs(1);
const TIME: Duration = Duration::from_secs(3);

fn main() {
    let arguments = Arguments::read(ROUNDS);
    let taken = Arc::new(AtomicU64::new(0));
    let answering = receiver(true, &taken);
    let silent = receiver(false, &taken);
    let arms = [
        ("none", with_endpoints(None)),
        ("10 that answer", with_endpoints(Some(answering))),
        ("10 that never answer", with_endpoints(Some(silent))),
    ];
    for (_, server) in &arms {
        server.signal("STOP");
    }
    let mut rates = [const { Vec::new() }; 3];
    for round in 0..arguments.rounds {
        for turn in 0..arms.len() {
            // The order changes, so that no server always comes first.
            let index = (turn + round) % arms.len();
            let server = &arms[index].1;
            server.signal("CONT");
            credits_per_second(server, CLIENTS, WARM_UP);
            rates[index].push(credits_per_second(server, CLIENTS, TIME));
            server.signal("STOP");
        }
    }
    let medians = rates.map(median);
    let mut table = String::from("| webhooks | credits/s | of none |\n| --- | --- | --- |\n");
    for ((name, _), rate) in arms.iter().zip(medians) {
        writeln!(table, "| {name} | {rate:.0} | {:.3} |", rate / medians[0]).unwrap();
    }
    writeln!(
        table,
        "\nNever answering against answering: {:.3}. {} deliveries were taken meanwhile.",
        medians[2] / medians[1],
        taken.load(Ordering::Relaxed)
    )
    .unwrap();
    let mut results = Results::new("webhooks", &arguments);
    results.table("webhooks", table);
    results.save();
}

/// A server with a member and ten endpoints at one receiver.
fn with_endpoints(receiver: Option<SocketAddr>) -> Server {
    let server = Server::start();
    let mut client = server.client();
    client.expect("PUT", "/v1/members/ann", &json!({}), 200);
    for number in 0..ENDPOINTS {
        if let Some(receiver) = receiver {
            let url = format!("http://{receiver}/{number}");
            let body = json!({"url": url, "events": ["wallet.credited"]});
            client.expect("POST", "/v1/webhooks", &body, 201);
        }
    }
    server
}

/// Reads every request, and responds or never does.
fn receiver(answers: bool, taken: &Arc<AtomicU64>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let taken = Arc::clone(taken);
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let taken = Arc::clone(&taken);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                while answers && take(&mut reader).is_some() {
                    taken.fetch_add(1, Ordering::Relaxed);
                }
                // No response, until the sender gives up.
                let _ = reader.read_to_end(&mut Vec::new());
            });
        }
    });
    address
}

fn take(reader: &mut BufReader<TcpStream>) -> Option<()> {
    let (mut line, mut length) = (String::new(), 0);
    while reader.read_line(&mut line).ok()? > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ")
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.parse().ok()?;
        }
        line.clear();
    }
    if line.is_empty() {
        return None;
    }
    reader.read_exact(&mut vec![0; length]).ok()?;
    let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";
    reader.get_mut().write_all(answer).ok()
}
