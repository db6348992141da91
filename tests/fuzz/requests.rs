//! Requests as bytes, sent to a real server: valid ones, damaged.
//!
//! Every response is HTTP. Refusals by the server's own code have the envelope of their path and a
//! request id; bytes that are not HTTP never get that far, and are answered with 400 or 408 without
//! a body.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::LazyLock;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use stampcard::error::Surface;

use crate::cases;
use crate::damage::{apply, damages};
use crate::support::{LIVE_KEY, PARTNER_SANDBOX_KEY, SANDBOX_KEY, TestApp};

/// The time limit for a response. None takes a tenth of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server that receives the requests, and the requests before they are damaged.
struct Stage {
    app: TestApp,
    good: Vec<Vec<u8>>,
}

static STAGE: LazyLock<Stage> = LazyLock::new(|| {
    let app = TestApp::start_with(|settings| settings.rate_limit.per_minute = 0);
    app.member("ada", 1_000_000);
    let token = app.token("ada");
    let offer = app.offer(json!({"pointsPrice": 1}));
    let redemption = app.redeem("ada", &offer);
    let list = app.get("/v1/conversations?externalUserID=ada").expect(200);
    let conversation = list["conversations"][0]["id"].as_str().unwrap();
    let mut good: Vec<Vec<u8>> = GOOD
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| {
            let line = line
                .replace("{offer}", &offer)
                .replace("{redemption}", &redemption)
                .replace("{conversation}", conversation);
            let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
            let key = match parts[0] {
                "token" => &token,
                "live" => LIVE_KEY,
                "partner" => PARTNER_SANDBOX_KEY,
                _ => SANDBOX_KEY,
            };
            request(parts[1], key, parts[2], parts[3])
        })
        .collect();
    good.push(chunked(
        r#"{"externalUserID":"ada","amount":5,"reason":"tea"}"#,
    ));
    Stage { app, good }
});

const GOOD: &str = include_str!("requests.txt");

fn request(line: &str, key: &str, header: &str, body: &str) -> Vec<u8> {
    let end = if header.is_empty() { "" } else { "\r\n" };
    let length = body.len();
    format!(
        "{line} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n{header}{end}\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    )
    .into_bytes()
}

fn chunked(body: &str) -> Vec<u8> {
    let (first, second) = body.split_at(10);
    format!(
        "POST /v1/wallet/credit HTTP/1.1\r\nHost: x\r\nX-API-Key: {SANDBOX_KEY}\r\n\
         Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{first}\r\n{:x};ext=1\r\n{second}\r\n0\r\nX-Trailer: 1\r\n\r\n",
        first.len(),
        second.len()
    )
    .into_bytes()
}

/// A response, as far as it was read.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Sends bytes, closes the sending side, and reads the first response; `None` if the server closes
/// the connection without one, as it may after half a request.
fn send(address: SocketAddr, bytes: &[u8]) -> Option<Answer> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    // The server may close the connection before everything is sent.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let is_head = bytes.starts_with(b"HEAD ");
    let mut all = Vec::new();
    let mut piece = [0; 8192];
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => all.extend_from_slice(&piece[..count]),
            Err(error) => {
                let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
                assert!(
                    !is_late,
                    "it hangs after {:?}",
                    String::from_utf8_lossy(&all)
                );
                break;
            }
        }
        if let Some(answer) = answer(&all, is_head) {
            return Some(answer);
        }
    }
    answer(&all, is_head)
}

/// The first response among these bytes, once it is complete. A stream is complete after its head,
/// and so is the response to a HEAD request.
fn answer(bytes: &[u8], is_head: bool) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head is text");
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .or(head.strip_prefix("HTTP/1.0 "));
    let status = status.expect("it speaks HTTP")[..3].parse().unwrap();
    if status == 100 {
        return answer(&bytes[end..], is_head);
    }
    let mut answer = Answer {
        status,
        head,
        body: bytes[end..].to_vec(),
    };
    let length = answer
        .header("content-length")
        .map(|length| length.parse::<usize>().unwrap());
    match length {
        Some(_) if is_head => answer.body.clear(),
        Some(length) if answer.body.len() >= length => answer.body.truncate(length),
        Some(_) => return None,
        None => answer.body.clear(),
    }
    Some(answer)
}

/// The path of a request, if it can be determined.
fn path(bytes: &[u8]) -> String {
    let line = bytes
        .split(|byte| *byte == b'\r')
        .next()
        .unwrap_or_default();
    let text = String::from_utf8_lossy(line).into_owned();
    let target = text.split(' ').nth(1).unwrap_or_default();
    target.split('?').next().unwrap_or_default().to_owned()
}

fn check(bytes: &[u8], answer: &Answer) -> Result<(), TestCaseError> {
    let sent = String::from_utf8_lossy(bytes);
    let text = String::from_utf8_lossy(&answer.body);
    let what = format!("{sent:?}\n{}{text}", answer.head);
    if answer.status < 400 {
        return Ok(());
    }
    prop_assert!(
        answer.status < 500 || text.contains("asked for this"),
        "not the client's fault? {}",
        what
    );
    if answer.header("x-request-id").is_none() {
        // Not HTTP: no part of it took effect.
        prop_assert!(
            matches!(answer.status, 400 | 408) && answer.body.is_empty(),
            "{}",
            what
        );
        return Ok(());
    }
    let is_head = bytes.starts_with(b"HEAD ");
    if answer.body.is_empty() && is_head {
        return Ok(());
    }
    let body: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| TestCaseError::fail(format!("no envelope ({error}): {what}")))?;
    let inner = match Surface::of_path(&path(bytes)) {
        Surface::Expys => &body["error"],
        Surface::Scrip | Surface::Bullseye => &body,
    };
    // The server may read a damaged path in another way than this test.
    let inner = if inner["code"].is_string() {
        inner
    } else {
        &body
    };
    let inner = if inner["code"].is_string() {
        inner
    } else {
        &body["error"]
    };
    prop_assert!(
        inner["code"].is_string() && inner["message"].is_string(),
        "{}",
        what
    );
    for hidden in ["SELECT", "sqlite", "panicked", ".rs:", "/src/"] {
        let echoed = sent.contains(hidden);
        prop_assert!(echoed || !text.contains(hidden), "{hidden}: {}", what);
    }
    Ok(())
}

fn panics(app: &TestApp) -> String {
    let text = app.request("GET", "/metrics").send().text();
    let line = text.lines().find(|line| line.starts_with("panics_total "));
    line.unwrap().to_owned()
}

#[test]
fn the_requests_are_good_before_they_are_damaged() {
    let mut refused = Vec::new();
    for bytes in &STAGE.good {
        let answer = send(STAGE.app.address, bytes).expect("an answer");
        check(bytes, &answer).unwrap();
        if answer.status >= 400 {
            refused.push((path(bytes), answer.status));
        }
    }
    // Streams that were requested.
    assert!(refused.len() <= 12, "{refused:?}");
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_damaged_request_is_answered_or_refused_in_the_envelope(
        index in any::<prop::sample::Index>(),
        damages in damages(),
        pipelined in prop::option::weighted(0.1, any::<prop::sample::Index>()),
    ) {
        let good = index.get(&STAGE.good);
        let mut bytes = apply(good, &damages);
        if let Some(next) = pipelined.map(|next| next.get::<Vec<u8>>(&STAGE.good)) {
            // actix-http applies the newest request's method to every response of a pipeline: after
            // a HEAD, a response that is still to be sent loses its body.
            if !next.starts_with(b"HEAD ") {
                bytes.extend_from_slice(next);
            }
        }
        if let Some(answer) = send(STAGE.app.address, &bytes) {
            check(&bytes, &answer)?;
        }
        prop_assert_eq!(panics(&STAGE.app), "panics_total 0");
    }

    #[test]
    fn any_header_value_is_taken_or_refused(
        name in prop::sample::select(vec![
            "Stampcard-Fault", "Last-Event-ID", "Idempotency-Key", "If-None-Match",
            "Content-Length", "Content-Type", "Accept-Encoding", "X-API-Key", "Cookie", "Range",
            "Transfer-Encoding", "Expect", "Origin", "Upgrade", "X-Request-Id",
        ]),
        value in prop_oneof![
            crate::damage::damaged(&[
                "429", "500", "503, delay=10", "500-after", "delay=30000", "7", "chunked", "gzip",
                "100-continue", "\"17-0a\", W/\"1-2\", *", "application/json; charset=x", "h2c",
            ]).prop_filter("no long sleeps", |value| !value.contains("delay=")
                || value.contains("delay=10")),
            "[ -~]{0,300}",
            "[\\x80-\\u{ffff}]{0,20}",
        ],
        path in prop::sample::select(vec![
            "/v1/members", "/v1/activity/stream", "/v1/analytics/summary", "/", "/v1/wallet/credit",
        ]),
    ) {
        let method = if path.ends_with("credit") { "POST" } else { "GET" };
        let header = format!("{name}: {value}");
        if value.contains(['\r', '\n']) {
            return Ok(());
        }
        let bytes = request(&format!("{method} {path}"), SANDBOX_KEY, &header, "");
        if let Some(answer) = send(STAGE.app.address, &bytes) {
            check(&bytes, &answer)?;
        }
        prop_assert_eq!(panics(&STAGE.app), "panics_total 0");
    }
}
