//! Baselines for the benchmarks of the whole server, as fast as actix-web and SQLite get: all
//! crates optimized together, another allocator, no unwinding.
//!
//! - `constant KEY`: a server that returns constants, after a check of the Authorization header.
//! - `append KEY DATABASE MEMBERS`: a sketch of a durable credit that only appends.
//! - `update KEY DATABASE MEMBERS`: one that updates the row of a member, too.
//! - `commits DATABASE MEMBERS`: the appends without a server; prints credits per second.
//!
//! A server has one serving thread, prints its address and ends with its standard input.

#![allow(
    clippy::print_stdout,
    reason = "the benchmark reads the address, or the result"
)]

mod append;
mod constants;
mod credits;
mod update;

use std::io::Write as _;
use std::path::Path;

use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use actix_web::web::{Bytes, ServiceConfig};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use mimalloc::MiMalloc;

use self::credits::Kind;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["commits", database, members] => {
            let rate = append::commits_per_second(Path::new(database), count(members));
            println!("{rate}");
        }
        ["constant", key] => serve(constants::routes(Key::of(key))),
        [kind, key, database, members] => {
            let kind = match kind {
                "append" => Kind::Append,
                "update" => Kind::Update,
                _ => panic!("expected append or update, got {kind}"),
            };
            let writer = credits::start_writer(kind, database.into(), count(members));
            serve(credits::routes(Key::of(key), writer));
        }
        _ => panic!("expected one of the forms above, got {arguments:?}"),
    }
}

fn count(text: &str) -> u32 {
    text.parse().expect("a number of members")
}

/// Serves until standard input ends.
fn serve(routes: impl Fn(&mut ServiceConfig) + Clone + Send + 'static) {
    std::thread::spawn(|| {
        let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
        std::process::exit(0);
    });
    let serving = async {
        let server = HttpServer::new(move || App::new().configure(routes.clone()))
            .workers(1)
            .bind("127.0.0.1:0")
            .expect("a free port");
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush().expect("somebody reads");
        server.run().await.expect("the server runs");
    };
    actix_web::rt::System::new().block_on(serving);
}

/// The expected value of the Authorization header.
#[derive(Clone, Copy)]
struct Key(&'static str);

impl Key {
    fn of(key: &str) -> Self {
        Self(format!("Bearer {key}").leak())
    }

    fn allows(self, request: &HttpRequest) -> bool {
        let value = request.headers().get(AUTHORIZATION);
        value.is_some_and(|value| value.as_bytes() == self.0.as_bytes())
    }
}

fn json(body: Bytes) -> HttpResponse {
    const JSON: HeaderValue = HeaderValue::from_static("application/json");
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON))
        .body(body)
}
