//! `GET /` returns a constant as long as a summary, `GET /{bytes}` one of the given number of
//! bytes. There are no routes to choose from: the only service reads the path.

use std::future::ready;

use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

use crate::{Key, json};

/// The size of the largest constant.
const BODY_MAX: usize = 1 << 20;

const SUMMARY: &str = r#"{"memberCount":2000,"pointsMinted":123456,"pointsSpent":65432,"completionRate":0.5,"redemptions":{"submitted":1,"open":2,"awaiting_vendor":3,"awaiting_customer":4,"purchased":5,"completed":6,"canceled":7,"total":28},"activeMembers":2000,"pointsRefunded":1,"pointsForfeited":2,"pointsDebited":3}"#;

pub(crate) fn routes(key: Key) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    let zeros = Bytes::from(vec![b'0'; BODY_MAX]);
    move |config| {
        let zeros = zeros.clone();
        let respond = move |request: HttpRequest| ready(respond(&request, key, &zeros));
        config.default_service(web::to(respond));
    }
}

fn respond(request: &HttpRequest, key: Key, zeros: &Bytes) -> HttpResponse {
    if !key.allows(request) {
        return HttpResponse::Unauthorized().finish();
    }
    match request.path() {
        "/" => json(Bytes::from_static(SUMMARY.as_bytes())),
        path => match path[1..].parse() {
            Ok(bytes @ 0..=BODY_MAX) => json(zeros.slice(..bytes)),
            _ => HttpResponse::NotFound().finish(),
        },
    }
}
