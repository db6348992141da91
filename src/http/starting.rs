//! The responses of the bound port while the server is starting, which show the progress. A browser
//! gets a page that reloads itself, any other client an error in the form of the API.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use actix_web::rt::net::{TcpListener as Incoming, TcpStream};
use futures_util::StreamExt as _;
use futures_util::future::pending;
use futures_util::stream;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{sleep, timeout};

/// Connections that are served concurrently; more wait to be accepted.
const CONNECTIONS_MAX: usize = 64;
/// The time limit of a connection.
const TIME_LIMIT: Duration = Duration::from_secs(2);
/// The largest head of a request that is read, in bytes.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// The pause after a connection that could not be accepted for lack of descriptors.
const PAUSE: Duration = Duration::from_millis(100);

const PAGE: &str = include_str!("starting.html");

/// The progress of a step that the start waits for.
#[derive(Debug)]
pub(crate) struct Progress {
    /// The step, as the start of a sentence.
    pub(crate) what: &'static str,
    /// 0 to 100.
    pub(crate) percent: Cell<u8>,
}

/// Answers until it is dropped.
pub(super) async fn answer_all(listener: &TcpListener, progress: &Progress) -> Infallible {
    let Ok(incoming) = incoming(listener) else {
        // Connections wait until the server takes over.
        return pending().await;
    };
    let connections = stream::unfold(incoming, |incoming| async {
        let accepted = incoming.accept().await;
        if accepted.is_err() {
            sleep(PAUSE).await;
        }
        Some((accepted, incoming))
    });
    connections
        .filter_map(|accepted| async { accepted.ok() })
        .for_each_concurrent(CONNECTIONS_MAX, |(connection, _)| async move {
            // A connection that breaks or takes too long concerns only its client.
            let _ = timeout(TIME_LIMIT, answer(connection, progress)).await;
        })
        .await;
    pending().await
}

fn incoming(listener: &TcpListener) -> io::Result<Incoming> {
    let listener = listener.try_clone()?;
    listener.set_nonblocking(true)?;
    Incoming::from_std(listener)
}

async fn answer(mut connection: TcpStream, progress: &Progress) -> io::Result<()> {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        if head.len() >= HEAD_BYTES_MAX || connection.read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    }
    connection.write_all(&response(&head, progress)).await?;
    connection.shutdown().await?;
    // Closing a connection with unread bytes would lose the response.
    while connection.read(&mut [0; 1024]).await? > 0 {}
    Ok(())
}

fn response(head: &[u8], progress: &Progress) -> Vec<u8> {
    let head = String::from_utf8_lossy(head).to_ascii_lowercase();
    let is_browser = head
        .lines()
        .any(|line| line.starts_with("accept:") && line.contains("text/html"));
    let Progress { what, percent } = progress;
    let percent = percent.get();
    let (media_type, body) = if is_browser {
        let page = PAGE.replace("{what}", what);
        (
            "text/html; charset=utf-8",
            page.replace("{percent}", &percent.to_string()),
        )
    } else {
        let message = format!("{what}: {percent} %");
        let error = json!({"error": {"code": "OVERLOADED", "message": message}});
        ("application/json", error.to_string())
    };
    let mut response = format!(
        "HTTP/1.1 503 Service Unavailable\r\n\
         content-type: {media_type}\r\n\
         content-length: {}\r\n\
         content-security-policy: default-src 'none'; style-src 'unsafe-inline'; \
         script-src 'unsafe-inline'; connect-src 'self'\r\n\
         retry-after: 1\r\n\
         cache-control: no-store\r\n\
         connection: close\r\n\r\n",
        body.len()
    );
    if !head.starts_with("head ") {
        response.push_str(&body);
    }
    response.into_bytes()
}
