//! Requests to upgrade the protocol, which this server ignores.
//!
//! A client may offer HTTP/2 or a WebSocket with any request (Java's does so by default), and a
//! server that ignores the offer answers as if it were absent. (RFC 9110, section 7.8) actix-http
//! treats an offer as accepted: it closes the connection after the response, and takes everything
//! after the head of a WebSocket offer as its body, regardless of the length. (`set_headers` in
//! `h1/decoder.rs`, actix-http 3.20.0) Therefore the body is limited to its length here, and the
//! response announces that the connection closes.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::{ConnectionType, header};
use actix_web::web::Bytes;
use futures_util::Stream;

/// Limits the body of a request that offers another protocol to its length. Returns whether it
/// offers one.
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

/// Announces that the connection closes after this response.
pub(super) fn decline(response: &mut ServiceResponse<BoxBody>) {
    let head = response.response_mut().head_mut();
    head.set_connection_type(ConnectionType::Close);
}

/// A body of known length.
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
