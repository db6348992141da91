//! A route: its method, path, credential, handler and operation, declared together in the file of
//! its resource.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::{Payload, ServiceResponse};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Responder};

use super::openapi::arguments::Arguments;
use super::openapi::operation::Operation;

/// The credential that a route needs. The types of the handler's arguments enforce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// No credential.
    Public,
    /// An Org-API-Key.
    OrgKey,
    /// An Org-API-Key or a member token.
    KeyOrMember,
    /// A member token.
    Member,
    /// A partner key.
    PartnerKey,
}

/// A route.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// The method.
    pub method: &'static str,
    /// The path, with its variable segments in braces.
    pub path: &'static str,
    /// The credential.
    pub access: Access,
    /// The name of the handler; in camel case it is the id of the operation.
    pub handler: &'static str,
    /// The heading in the OpenAPI document.
    pub(super) tag: &'static str,
    /// Describes the operation.
    pub(super) operation: fn() -> Operation,
    /// Calls the handler.
    pub(super) handle: Handle,
}

/// A call of a handler with a request and its body.
pub(super) type Handle = fn(HttpRequest, Payload) -> Handling;

/// A request that is being handled.
pub(super) type Handling = Pin<Box<dyn Future<Output = ServiceResponse>>>;

/// Declares `ROUTES`: by heading of the document and by path, each method with its credential, its
/// handler and its operation. The arguments of the handler add their parameters to the operation.
macro_rules! routes {
    ($(tag $tag:literal; $($path:literal {
        $($method:ident $access:ident $handler:ident => $operation:expr;)+
    })+)+) => {
        /// The routes of this file.
        pub(in crate::http) const ROUTES: &[$crate::http::route::Route] = &[$($($(
            $crate::http::route::Route {
                method: stringify!($method),
                path: $path,
                access: $crate::http::route::Access::$access,
                handler: stringify!($handler),
                tag: $tag,
                operation: || $crate::http::route::describe($handler, $operation),
                handle: |request, payload| {
                    $crate::http::route::handle($handler, request, payload)
                },
            },
        )+)+)+];
    };
}
pub(super) use routes;

/// Adds to an operation what the arguments of its handler read.
pub(super) fn describe<F, Args>(_: F, operation: Operation) -> Operation
where
    F: Handler<Args>,
    Args: Arguments,
{
    Args::describe(operation)
}

/// Calls a handler with what its arguments read from a request.
pub(super) fn handle<F, Args>(handler: F, request: HttpRequest, mut payload: Payload) -> Handling
where
    F: Handler<Args>,
    F::Output: Responder + 'static,
    Args: FromRequest + 'static,
{
    Box::pin(async move {
        let response = match Args::from_request(&request, &mut payload).await {
            Ok(arguments) => handler
                .call(arguments)
                .await
                .respond_to(&request)
                .map_into_boxed_body(),
            Err(error) => HttpResponse::from_error(error),
        };
        ServiceResponse::new(request, response)
    })
}
