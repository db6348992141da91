//! Closes the connection of a request whose body was not read to its end.
//!
//! For a body with a length, actix does this itself. But it would read and discard a chunked body
//! that its reader has dropped until it ends, if ever. Therefore the body is held here until the
//! response is being sent, and actix then closes the connection.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::BoxBody;
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _};

use super::owning_body::OwningBody;

/// The body of a request, for the layer.
pub(super) enum RequestBody {
    /// A body of known length, which is 0 if there is no body.
    Sized(usize),
    /// A chunked body.
    Chunked(Chunks),
}

impl RequestBody {
    /// Takes hold of a request's body, if it is chunked.
    pub(super) fn hold(request: &mut ServiceRequest) -> Self {
        if matches!(request.parts().1, Payload::None) {
            return Self::Sized(0);
        }
        let headers = request.headers();
        if !headers.contains_key(header::TRANSFER_ENCODING) {
            let length = headers.get(header::CONTENT_LENGTH);
            let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
            return Self::Sized(length.unwrap_or(0));
        }
        let chunks = Chunks {
            payload: Rc::new(RefCell::new(request.take_payload())),
            has_ended: Rc::default(),
        };
        let payload = Box::pin(chunks.clone());
        request.set_payload(Payload::Stream { payload });
        Self::Chunked(chunks)
    }

    /// Whether its end was not read. `lacks` tells whether fewer bytes than a length have arrived.
    pub(super) fn is_unread(&self, lacks: impl Fn(usize) -> bool) -> bool {
        match self {
            Self::Sized(length) => lacks(*length),
            Self::Chunked(chunks) => !chunks.has_ended.get(),
        }
    }

    /// Releases it together with the response.
    pub(super) fn release(self, response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        match self {
            Self::Sized(_) => response,
            Self::Chunked(unread) => {
                response.map_body(|_, body| BoxBody::new(OwningBody::new(body, unread)))
            }
        }
    }
}

/// A chunked body, which the handler reads and the layer holds.
#[derive(Clone)]
pub(super) struct Chunks {
    payload: Rc<RefCell<Payload>>,
    has_ended: Rc<Cell<bool>>,
}

impl Stream for Chunks {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = self.payload.borrow_mut().poll_next_unpin(context);
        if matches!(polled, Poll::Ready(None)) {
            self.has_ended.set(true);
        }
        polled
    }
}
