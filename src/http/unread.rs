//! A request whose body was not read to its end takes its connection with it.
//!
//! Of a body with a length actix sees to that itself. The rest of one in chunks it would read and
//! throw away for as long as it comes, if ever, once whoever reads it has dropped it. So it is held
//! here until the answer is on its way, and actix closes the connection after it.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::HttpMessage as _;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::error::PayloadError;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::{Stream, StreamExt as _};

/// A body in chunks, for the handler to read and for the layer to hold.
#[derive(Clone)]
pub(super) struct Unread(Rc<RefCell<Payload>>);

impl Stream for Unread {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.borrow_mut().poll_next_unpin(context)
    }
}

/// Holds on to a request's body, if it comes in chunks.
pub(super) fn hold(request: &mut ServiceRequest) -> Option<Unread> {
    let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
    is_chunked.then(|| {
        let unread = Unread(Rc::new(RefCell::new(request.take_payload())));
        let payload = Box::pin(unread.clone());
        request.set_payload(Payload::Stream { payload });
        unread
    })
}

/// Lets go of it with the answer.
pub(super) fn release(
    response: ServiceResponse<BoxBody>,
    unread: Option<Unread>,
) -> ServiceResponse<BoxBody> {
    let Some(unread) = unread else {
        return response;
    };
    response.map_body(|_, body| {
        BoxBody::new(Answer {
            body,
            _unread: unread,
        })
    })
}

/// The body of an answer, and what it is the answer to.
struct Answer {
    body: BoxBody,
    _unread: Unread,
}

impl MessageBody for Answer {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
