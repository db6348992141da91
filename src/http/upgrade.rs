//! Offers to change the protocol, which this server does not take.
//!
//! A client may offer HTTP/2 or a WebSocket with any request (Java's does so by default), and a
//! server that ignores the offer answers as if it were not there. (RFC 9110, section 7.8)
//! actix-http reads an offer as if it had been taken: it ends the connection after the answer, and
//! takes what follows the head of an offer of a WebSocket as its body, whatever its length.
//! (`set_headers` in `h1/decoder.rs`, actix-http 3.20.0) So the body is read by its length here,
//! and the client is told that the connection ends.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{ConnectionType, header};
use actix_web::web::Bytes;
use futures_util::Stream;

/// Whether a request offers another protocol; if so, its body ends where its length says.
pub(super) fn ignore(request: &mut ServiceRequest) -> bool {
    let headers = request.headers();
    if !headers.contains_key(header::UPGRADE) && !request.head().upgrade() {
        return false;
    }
    if !headers.contains_key(header::TRANSFER_ENCODING) {
        let length = headers.get(header::CONTENT_LENGTH);
        let left = length
            .and_then(|length| length.to_str().ok()?.trim().parse().ok())
            .unwrap_or(0);
        let body = request.take_payload();
        let payload = Box::pin(Body { body, left });
        request.set_payload(Payload::Stream { payload });
    }
    true
}

/// Tells the client that the connection ends with this answer.
pub(super) fn decline(response: &mut ServiceResponse<BoxBody>) {
    let head = response.response_mut().head_mut();
    head.set_connection_type(ConnectionType::Close);
}

/// A body of a known length.
struct Body {
    body: Payload,
    left: u64,
}

impl Stream for Body {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let polled = Pin::new(&mut self.body).poll_next(context);
        polled.map_ok(|mut bytes| {
            let length =
                usize::try_from(self.left).map_or(bytes.len(), |left| left.min(bytes.len()));
            bytes.truncate(length);
            self.left -= length as u64;
            bytes
        })
    }
}
