//! A route: its method, path, credential, handler and operation, declared together in the file of
//! its resource.

use actix_web::http::Method;
use actix_web::web;
use actix_web::{FromRequest, Handler, Resource, Responder};

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
    /// Adds the handler to the path.
    pub(super) attach: fn(Resource) -> Resource,
}

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
                attach: |resource| $crate::http::route::attach(
                    resource,
                    actix_web::http::Method::$method,
                    $handler,
                ),
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

/// Adds a handler to a path. A path with GET has HEAD as well; the server omits the body.
///
/// Source: RFC 9110, section 9.3.2.
pub(super) fn attach<F, Args>(resource: Resource, method: Method, handler: F) -> Resource
where
    F: Handler<Args>,
    F::Output: Responder + 'static,
    Args: FromRequest + 'static,
{
    let has_head = method == Method::GET;
    let resource = resource.route(web::method(method).to(handler.clone()));
    if has_head {
        resource.route(web::head().to(handler))
    } else {
        resource
    }
}
