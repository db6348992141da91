//! The arguments of handlers in the OpenAPI document. A handler can read a query or a condition
//! only through an argument, and an argument adds its parameters to the operation.

use actix_web::HttpRequest;
use actix_web::web::{Data, Header};

use super::operation::Operation;
use crate::http::auth::{KeyOrMember, MemberToken, OrgKey, PartnerKey, SandboxKey};
use crate::http::conditional::Conditional;
use crate::http::extract::{FileBody, Idempotency, JsonBody, PathPair, PathText, QueryText};
use crate::http::precondition::Conditions;
use crate::wire::Parameters;

/// An argument of a handler. What follows from the route alone, such as the segments of the path,
/// is not described here.
pub(in crate::http) trait Argument {
    /// Adds the parameters that the argument reads.
    fn describe(operation: Operation) -> Operation {
        operation
    }
}

impl<T: ?Sized> Argument for Data<T> {}
impl<T> Argument for Header<T> {}
impl Argument for HttpRequest {}
impl Argument for OrgKey {}
impl Argument for SandboxKey {}
impl Argument for KeyOrMember {}
impl Argument for MemberToken {}
impl Argument for PartnerKey {}
impl Argument for PathText {}
impl Argument for PathPair {}
impl Argument for Idempotency {}
impl<const ROOM: usize> Argument for JsonBody<ROOM> {}

impl Argument for FileBody {
    fn describe(operation: Operation) -> Operation {
        operation.file_body()
    }
}

impl<Q: Parameters> Argument for QueryText<Q> {
    fn describe(operation: Operation) -> Operation {
        operation.query::<Q>()
    }
}

impl Argument for Conditional {
    fn describe(operation: Operation) -> Operation {
        operation.conditional()
    }
}

impl Argument for Conditions {
    fn describe(operation: Operation) -> Operation {
        operation.preconditions()
    }
}

/// All arguments of a handler.
pub(in crate::http) trait Arguments {
    /// Adds the parameters that they read, in their order.
    fn describe(operation: Operation) -> Operation;
}

macro_rules! arguments {
    ($($argument:ident)*) => {
        impl<$($argument: Argument),*> Arguments for ($($argument,)*) {
            fn describe(operation: Operation) -> Operation {
                $(let operation = $argument::describe(operation);)*
                operation
            }
        }
    };
}

arguments!();
arguments!(A);
arguments!(A B);
arguments!(A B C);
arguments!(A B C D);
arguments!(A B C D E);
arguments!(A B C D E F);
