//! The router: finds the handler of a request by its path and method.
//!
//! Each thread has its own router, so that its counters are found together with the handler.

use std::future::ready;
use std::rc::Rc;

use actix_web::HttpRequest;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::Method;

use super::HttpError;
use super::path::{self, Pattern};
use super::route::{Handle, Handling, Route};
use crate::error::Code;
use crate::telemetry::{Metrics, PathMetrics};

/// The paths of the server.
#[derive(Debug)]
pub(super) struct Router {
    paths: matchit::Router<Resource>,
    unknown: Resource,
}

/// A path with its routes, one for each method; without routes it is an unknown path.
#[derive(Debug)]
pub(super) struct Resource {
    routes: &'static [Route],
    /// Its [`Pattern`] for the extractors, if it has variable segments.
    pattern: Option<Rc<Extensions>>,
    /// The counters of its requests.
    pub(super) metrics: PathMetrics,
}

impl Router {
    /// A router that knows no path.
    pub(super) fn new(metrics: &Metrics) -> Self {
        Self {
            paths: matchit::Router::new(),
            unknown: Resource {
                routes: &[],
                pattern: None,
                metrics: metrics.of_no_path(),
            },
        }
    }

    /// Adds the routes of one path, at its address with a prefix.
    pub(super) fn add(
        &mut self,
        metrics: &Metrics,
        prefix: &'static str,
        routes: &'static [Route],
    ) {
        let path = routes[0].path;
        let methods: Vec<_> = routes.iter().map(|route| route.method).collect();
        let resource = Resource {
            routes,
            pattern: path.contains('{').then(|| {
                let mut data = Extensions::new();
                data.insert(Pattern(path));
                Rc::new(data)
            }),
            metrics: metrics.of_path(path, &methods),
        };
        self.paths
            .insert(format!("{prefix}{path}"), resource)
            .expect("no two routes have the same path");
    }

    /// The resource of a request's path, in any spelling.
    pub(super) fn find(&self, request: &mut ServiceRequest) -> &Resource {
        let resource = self.resource(request.path()).unwrap_or(&self.unknown);
        if let Some(pattern) = &resource.pattern {
            request.add_data_container(Rc::clone(pattern));
        }
        resource
    }

    fn resource(&self, path: &str) -> Option<&Resource> {
        let plain = path::plain(path);
        // The handler of a path with a wrong escape refuses it, once the caller is known.
        let path = plain.as_deref().unwrap_or(path);
        self.paths.at(path).ok().map(|found| found.value)
    }
}

impl Resource {
    /// Calls the handler of a request's method.
    pub(super) fn handle(&self, request: ServiceRequest) -> Handling {
        match self.handler(request.request()) {
            Ok(handle) => {
                let (request, payload) = request.into_parts();
                handle(request, payload)
            }
            Err(error) => Box::pin(ready(request.error_response(error))),
        }
    }

    /// The handler of a request's method. A path with GET has HEAD as well; the server omits the
    /// body.
    ///
    /// Source: RFC 9110, section 9.3.2.
    fn handler(&self, request: &HttpRequest) -> Result<Handle, HttpError> {
        let method = match *request.method() {
            Method::HEAD => &Method::GET,
            ref method => method,
        };
        let route = self.routes.iter().find(|route| route.method == method);
        match route {
            Some(route) => Ok(route.handle),
            None if self.routes.is_empty() => Err(unknown(request.uri().path())),
            None => Err(self.method_not_allowed()),
        }
    }

    fn method_not_allowed(&self) -> HttpError {
        let methods: Vec<_> = self.routes.iter().map(|route| route.method).collect();
        let allow = methods.join(", ").replace("GET", "GET, HEAD");
        let message = format!("this route allows {allow}");
        HttpError {
            allow: Some(allow),
            ..HttpError::new(Code::MethodNotAllowed, message)
        }
    }
}

/// The error for a path that is unknown or cannot be decoded.
fn unknown(path: &str) -> HttpError {
    match path::plain(path) {
        Ok(_) => HttpError::new(Code::NotFound, "no such route"),
        Err(error) => error,
    }
}

#[cfg(test)]
mod tests {
    use super::super::routes;
    use super::*;

    /// The pattern of the routes at a path.
    fn found(router: &Router, path: &str) -> Option<&'static str> {
        router.resource(path).map(|found| found.routes[0].path)
    }

    #[test]
    fn each_path_leads_to_its_own_routes() {
        let router = routes::router(&Metrics::new());
        for route in routes::ROUTES {
            let filled = route.path.replace(['{', '}'], "~");
            assert_eq!(found(&router, &filled), Some(route.path));
            let prefixed = format!("{}{filled}", path::PARTNER_PREFIX);
            let is_partner = route.path.starts_with("/partner/");
            assert_eq!(
                found(&router, &prefixed).is_some(),
                is_partner,
                "{prefixed}"
            );
            assert_eq!(found(&router, &format!("{}/", route.path)), None);
            assert_eq!(found(&router, &format!("/{}", route.path)), None);
        }
    }

    #[test]
    fn a_variable_segment_is_not_empty_and_has_no_slash() {
        let router = routes::router(&Metrics::new());
        let is = |path, expected| assert_eq!(found(&router, path), expected, "{path}");
        is("/v1/members/a", Some("/v1/members/{externalUserID}"));
        is("/v1/members/a%2Fb", Some("/v1/members/{externalUserID}"));
        is("/v1/members/%zz", Some("/v1/members/{externalUserID}"));
        is("/v1/members/", None);
        is("/v1/members/a/b", None);
        is("/v1/%6Dembers", Some("/v1/members"));
        is("/v1%2Fmembers", None);
        is("/", Some("/"));
        for path in ["", "*", "v1/members", "//"] {
            is(path, None);
        }
    }
}
