//! A response body that owns something until it is sent.

use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;

/// A body with what is dropped together with it.
pub(super) struct OwningBody<T> {
    body: BoxBody,
    _owned: T,
}

impl<T> OwningBody<T> {
    pub(super) fn new(body: BoxBody, owned: T) -> Self {
        Self {
            body,
            _owned: owned,
        }
    }
}

impl<T: Unpin> MessageBody for OwningBody<T> {
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
