//! Receivers for the demo's webhooks, so that deliveries are real: one accepts everything, one
//! fails now and then.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::Builder;

use anyhow::Context as _;
use serde_json::json;

use crate::service::{KeyPrincipal, Services};
use crate::wire::CreateWebhookRequest;

/// The largest accepted body, in bytes.
const BODY_MAX: usize = 1 << 20;

/// Starts the receivers, which end with the process, and creates the program's webhooks.
pub(super) async fn listen(services: &Services, key: KeyPrincipal) -> Result<(), anyhow::Error> {
    let address = start().context("the receivers of the demo's webhooks cannot be started")?;
    for (path, events) in [
        (
            "crm",
            json!([
                "redemption.created",
                "redemption.completed",
                "redemption.canceled"
            ]),
        ),
        (
            "mailer",
            json!(["member.created", "member.tier_changed", "wallet.credited"]),
        ),
    ] {
        let url = format!("http://{address}/{path}");
        let request = CreateWebhookRequest::parse(&json!({"url": url, "events": events}))?;
        services.create_webhook(key, None, request).await?;
    }
    Ok(())
}

fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    Builder::new()
        .name("demo-receiver".to_owned())
        .spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                // A connection that breaks, or gets no thread, is tried again by its sender.
                let _ = Builder::new().spawn(move || receive(stream));
            }
        })?;
    Ok(address)
}

/// Responds to every request of a connection.
fn receive(stream: TcpStream) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 2 {
            if let Some((name, value)) = line.trim_end().split_once(": ")
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.parse().unwrap_or(0);
            }
            line.clear();
        }
        reader.read_exact(&mut vec![0; length.min(BODY_MAX)])?;
        // The mailer fails now and then.
        let answer = if first.contains("/mailer") && fastrand::u8(..6) == 0 {
            "HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
        } else {
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
        };
        reader.get_mut().write_all(answer.as_bytes())?;
    }
}
