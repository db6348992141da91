//! A thousand open streams: the memory of each, and the time until an event has reached all of
//! them.
//!
//! One process holds the streams, so that the last arrival is the time at which it read the last
//! one's frame; the time to read a thousand sockets one after the other is included. Run with
//! `cargo bench --bench streams`; docs/BENCHMARKS.md has the results.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::json;

use self::support::results::{Arguments, Results};
use self::support::{KEY, Server, median, megabytes};

const STREAMS: usize = 1000;
const EVENTS: usize = 200;

fn main() {
    let mut server = Command::new(env!("CARGO_BIN_EXE_stampcard"));
    server.env("STAMPCARD_SERVER__STREAMS_EACH_MAX", "10000");
    let server = Server::on_a_new_database(server);
    let mut client = server.client();
    client.expect("PUT", "/v1/members/ann", &json!({}), 200);
    // Memory that the first requests allocate permanently does not count for the streams.
    let one = open(&server);
    credit(&mut client);
    drop(one);
    let before = server.resident_bytes();
    let mut streams: Vec<_> = (0..STREAMS).map(|_| open(&server)).collect();
    let with_streams = server.resident_bytes();
    let (mut first, mut last, mut alone) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..EVENTS {
        let start = Instant::now();
        credit(&mut client);
        alone.push(micros(start.elapsed()));
        for (index, stream) in streams.iter_mut().enumerate() {
            read_frame(stream);
            if index == 0 {
                first.push(micros(start.elapsed()));
            }
        }
        last.push(micros(start.elapsed()));
    }
    let after = server.resident_bytes();
    let weight = with_streams.saturating_sub(before) / STREAMS as u64;
    let (alone, first, all) = (median(alone), median(first), median(last.clone()));
    last.sort_by(f64::total_cmp);
    let slowest = last[last.len() * 99 / 100];
    let (before, after) = (megabytes(before), megabytes(after));
    let mut results = Results::new("streams", &Arguments::none());
    let table = format!(
        "| {STREAMS} open streams | |\n| --- | --- |\n\
         | resident memory before | {before:.1} MB |\n\
         | a stream, with its connection | {weight} B |\n\
         | after {EVENTS} events to each | {after:.1} MB |\n\
         | a credit is answered, median | {alone:.0} µs |\n\
         | the first stream has it, median | {first:.0} µs |\n\
         | all {STREAMS} have it, median | {all:.0} µs |\n\
         | all have it, 99 % | {slowest:.0} µs |\n"
    );
    results.table("streams", table);
    results.save();
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn credit(client: &mut support::Client) {
    let body = json!({"externalUserID": "ann", "amount": 1});
    client.expect("POST", "/v1/wallet/credit", &body, 200);
}

fn open(server: &Server) -> BufReader<TcpStream> {
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let head = format!(
        "GET /v1/activity/stream HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {KEY}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut reader = BufReader::with_capacity(1024, stream);
    until(&mut reader, ": heartbeat");
    reader
}

/// Reads up to the end of a frame that shows an event.
fn read_frame(reader: &mut BufReader<TcpStream>) {
    until(reader, "data: ");
}

fn until(reader: &mut BufReader<TcpStream>, start: &str) {
    let mut line = String::new();
    while !line.starts_with(start) {
        line.clear();
        assert!(reader.read_line(&mut line).unwrap() > 0, "the stream ended");
    }
}
