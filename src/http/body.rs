//! Response bodies: a large one is sent in pieces, so that a connection buffers one piece and not
//! the whole body.

use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::web::Bytes;

use super::connection::Watch;
use super::owning_body::OwningBody;
use super::request_body::RequestBody;

/// The most bytes of a piece.
const PIECE: usize = 64 * 1024;

/// Marks a body that stays in memory permanently, such as an asset.
struct Shared;

/// Marks a response whose body is in memory anyway, so that a slow reader costs no memory.
pub(super) fn shared(mut response: HttpResponse) -> HttpResponse {
    response.extensions_mut().insert(Shared);
    response
}

/// A request in progress. Dropping it starts the time limit of the next request.
#[derive(Debug)]
pub(super) struct Answering(Option<Rc<Watch>>);

impl Answering {
    /// Starts with a request whose head has arrived.
    pub(super) fn begin(watch: Option<&Rc<Watch>>) -> Self {
        if let Some(watch) = watch {
            watch.head_ended();
        }
        Self(watch.cloned())
    }

    /// Notes that there is a response: nothing will read the rest of the request's body.
    pub(super) fn responded(&self, request: &RequestBody) {
        if let Some(watch) = &self.0
            && request.is_unread(|length| watch.lacks(length))
        {
            watch.discard_body();
        }
    }

    /// Ends with a response that is passed to the connection at once.
    fn end(mut self, now: Instant) {
        if let Some(watch) = self.0.take() {
            watch.answered(now);
        }
    }

    fn set_to_come(&self, bytes: usize) {
        if let Some(watch) = &self.0 {
            watch.set_to_come(bytes);
        }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        if let Some(watch) = &self.0 {
            watch.set_to_come(0);
            watch.answered(Instant::now());
        }
    }
}

/// Sends the body of a response in pieces, unless it is small. The request is in progress until the
/// last piece is passed to the connection.
pub(super) fn in_pieces(
    response: ServiceResponse<BoxBody>,
    answering: Answering,
    now: Instant,
) -> ServiceResponse<BoxBody> {
    let is_large = match response.response().body().size() {
        BodySize::None => false,
        BodySize::Sized(size) => size > PIECE as u64,
        BodySize::Stream => true,
    };
    if !is_large {
        answering.end(now);
        return response;
    }
    let is_shared = response.response().extensions().contains::<Shared>();
    response.map_body(|_, body| match body.try_into_bytes() {
        Ok(bytes) => BoxBody::new(Pieces {
            bytes,
            is_shared,
            answering,
        }),
        Err(body) => BoxBody::new(OwningBody::new(body, answering)),
    })
}

/// A body that is in memory as a whole.
struct Pieces {
    bytes: Bytes,
    is_shared: bool,
    answering: Answering,
}

impl MessageBody for Pieces {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.bytes.len() as u64)
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        if self.bytes.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.bytes.len().min(PIECE);
        let piece = self.bytes.split_to(length);
        if !self.is_shared {
            // The whole buffer stays allocated until its last piece is sent.
            self.answering.set_to_come(self.bytes.len());
        }
        Poll::Ready(Some(Ok(piece)))
    }
}
