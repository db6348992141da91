//! SIGTERM and Ctrl-C.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::server::{Place, SANDBOX_KEY, Server, agent, request};

/// A request whose body is not complete yet.
fn half_a_credit(server: &Server) -> (TcpStream, &'static str) {
    let (start, end) = (r#"{"externalUserID":"ann","#, r#""amount":5}"#);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "POST /v1/wallet/credit HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SANDBOX_KEY}\r\n\
         Content-Length: {}\r\n\r\n{start}",
        start.len() + end.len()
    )
    .unwrap();
    // Connections are accepted in the order of arrival: the server has this one once it responds on
    // a later one.
    let (later, route) = (agent(), ("GET", "/v1/analytics/summary"));
    request(
        &later,
        server.address,
        SANDBOX_KEY,
        route,
        None,
        &Value::Null,
    )
    .unwrap();
    (stream, end)
}

#[test]
fn either_signal_ends_it_at_once_with_exit_code_0() {
    let place = Place::new();
    for signal in ["TERM", "INT"] {
        let mut server = place.start();
        // A client that keeps its connection open delays nothing.
        server.get("/v1/analytics/summary");
        let start = Instant::now();
        server.signal(signal);
        assert_eq!(server.wait(), (Some(0), Vec::new()));
        let took = start.elapsed();
        assert!(took < Duration::from_secs(4), "SIG{signal}: {took:?}");
        assert!(server.log().contains("stopping"), "{}", server.log());
    }
}

#[test]
fn a_request_in_flight_is_finished() {
    let place = Place::new();
    let mut command = place.serve();
    // One worker, so that requests are processed in order of arrival.
    command.env("STAMPCARD_SERVER__WORKERS", "1");
    let mut server = place.start_as(command);
    server.set_member("ann");
    let (mut stream, end) = half_a_credit(&server);
    server.signal("TERM");
    server.wait_for_log("stopping");
    stream.write_all(end.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert_eq!(server.wait().0, Some(0));
    let credited: i64 = place
        .sqlite()
        .query_row(
            "SELECT sum(amount) FROM activity WHERE entry = 1",
            [],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(credited, 5);
}

#[test]
fn a_request_that_never_ends_is_waited_for_no_longer_than_said() {
    let place = Place::new();
    let mut command = place.serve();
    command.env("STAMPCARD_SERVER__SHUTDOWN_TIMEOUT", "1");
    let mut server = place.start_as(command);
    let (_stream, _) = half_a_credit(&server);
    let start = Instant::now();
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0));
    assert!(
        start.elapsed() < Duration::from_secs(6),
        "{:?}",
        start.elapsed()
    );
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn a_stopped_server_leaves_one_file_that_holds_everything() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    let summary = server.get("/v1/analytics/summary");
    server.terminate();
    let names = place.names();
    let wal = place.path("test.db-wal");
    let left = std::fs::metadata(wal).map_or(0, |wal| wal.len());
    assert_eq!(left, 0, "everything is in the file itself: {names:?}");
    let server = place.start();
    assert_eq!(server.get("/v1/analytics/summary"), summary);
    server.terminate();
}
