//! Baselines for the server, in separate processes: a bare actix server that returns constants, a
//! sketch of a server that makes credits durable and nothing else, and SQLite alone.
//!
//! Each is the benchmark's own program, started again with the word `floor`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Instant;

use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use rusqlite::Connection;
use serde::Deserialize;
use tempfile::TempDir;
use tokio::sync::oneshot;

use super::{KEY, Target, folder};

/// The maximum number of writes per commit, in the sketch and in the bare loop.
const BATCH_MAX: usize = 256;
/// Commits of the bare loop.
const COMMITS: usize = 60;
/// Writes that wait for the sketch's writer.
const QUEUE_MAX: usize = 4_096;
/// The size of the largest constant body.
const BODY_MAX: usize = 1 << 20;

/// A baseline server, which is stopped when this is dropped.
pub(crate) struct Floor {
    child: Child,
    target: Target,
}

impl Floor {
    /// `GET /` returns a constant as long as a summary, `GET /{bytes}` one of the given number of
    /// bytes, both after a check for the Authorization header.
    pub(crate) fn constant() -> Self {
        Self::start("constant")
    }

    /// `POST` is a credit: three statements, durable before the response.
    pub(crate) fn sketch() -> Self {
        Self::start("sketch")
    }

    fn start(kind: &str) -> Self {
        let mut child = Command::new("taskset")
            .args(["-c", "0"])
            .arg(std::env::current_exe().unwrap())
            .args(["floor", kind])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("taskset is installed");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let target = Target {
            address: line.trim().parse().unwrap(),
            process: child.id(),
        };
        Self { child, target }
    }

    pub(crate) fn target(&self) -> Target {
        self.target
    }
}

impl Drop for Floor {
    /// Waiting closes its input, which ends it; the end of this process does, too.
    fn drop(&mut self) {
        let _ = self.child.wait();
    }
}

/// Runs such a server until its input ends.
pub(crate) fn serve(kind: &str) {
    let folder = tempfile::tempdir_in(folder()).unwrap();
    let path = folder.path().join("sketch.db");
    std::thread::spawn(move || wait_for_the_end(folder));
    match kind {
        "sketch" => serve_sketch(&path),
        _ => serve_constants(),
    }
}

fn wait_for_the_end(folder: TempDir) {
    let _ = std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    drop(folder);
    std::process::exit(0);
}

fn serve_constants() {
    let constants = Constants {
        summary: Bytes::from_static(SUMMARY.as_bytes()),
        any: Bytes::from(vec![b'0'; BODY_MAX]),
    };
    run(move |config| {
        config
            .app_data(Data::new(constants.clone()))
            .route("/", web::get().to(summary))
            .route("/{bytes}", web::get().to(constant));
    });
}

/// One worker thread, on a free port, which is printed.
#[expect(clippy::print_stdout, reason = "the benchmark reads the address")]
fn run(configure: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static) {
    actix_web::rt::System::new().block_on(async {
        let server = HttpServer::new(move || App::new().configure(configure.clone()))
            .workers(1)
            .bind("127.0.0.1:0")
            .unwrap();
        println!("{}", server.addrs()[0]);
        std::io::stdout().flush().unwrap();
        server.run().await.unwrap();
    });
}

#[derive(Clone)]
struct Constants {
    summary: Bytes,
    any: Bytes,
}

fn is_allowed(request: &HttpRequest) -> bool {
    let value = request.headers().get(AUTHORIZATION);
    value.is_some_and(|value| value.as_bytes().ends_with(KEY.as_bytes()))
}

fn json(body: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(body)
}

async fn summary(request: HttpRequest, constants: Data<Constants>) -> HttpResponse {
    if !is_allowed(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    json(constants.summary.clone())
}

async fn constant(
    request: HttpRequest,
    bytes: web::Path<usize>,
    constants: Data<Constants>,
) -> HttpResponse {
    if !is_allowed(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    json(constants.any.slice(..bytes.into_inner().min(BODY_MAX)))
}

/// As long as a summary.
const SUMMARY: &str = r#"{"memberCount":2000,"pointsMinted":123456,"pointsSpent":65432,"completionRate":0.5,"redemptions":{"submitted":1,"open":2,"awaiting_vendor":3,"awaiting_customer":4,"purchased":5,"completed":6,"canceled":7,"total":28},"activeMembers":2000,"pointsRefunded":1,"pointsForfeited":2,"pointsDebited":3}"#;

/// A credit in the queue of the sketch's writer.
struct Credit {
    member: i64,
    amount: i64,
    key: String,
    reply: oneshot::Sender<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(rename = "externalUserID")]
    external_user_id: String,
    amount: i64,
}

fn serve_sketch(path: &Path) {
    let connection = open(path);
    let (sender, receiver) = sync_channel(QUEUE_MAX);
    std::thread::spawn(move || write(&connection, &receiver));
    run(move |config| {
        config
            .app_data(Data::new(sender.clone()))
            .default_service(web::to(credit));
    });
}

async fn credit(
    request: HttpRequest,
    body: Bytes,
    writer: Data<SyncSender<Credit>>,
) -> HttpResponse {
    if !is_allowed(&request) {
        return HttpResponse::Unauthorized().finish();
    }
    let key = request.headers().get("idempotency-key");
    let Some(key) = key.and_then(|key| key.to_str().ok()) else {
        return HttpResponse::BadRequest().finish();
    };
    let Ok(body) = serde_json::from_slice::<Body>(&body) else {
        return HttpResponse::BadRequest().finish();
    };
    let number = body.external_user_id.strip_prefix('m');
    let Some(member) = number.and_then(|number| number.parse().ok()) else {
        return HttpResponse::NotFound().finish();
    };
    let (reply, answer) = oneshot::channel();
    let sent = writer.try_send(Credit {
        member,
        amount: body.amount,
        key: key.to_owned(),
        reply,
    });
    if let Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) = sent {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match answer.await {
        Ok(balance) => HttpResponse::Ok()
            .content_type("application/json")
            .body(format!("{{\"balance\":{balance}}}")),
        Err(_) => HttpResponse::NotFound().finish(),
    }
}

/// The writer: puts waiting credits into one transaction, up to the maximum, and responds after the
/// commit.
fn write(connection: &Connection, receiver: &Receiver<Credit>) {
    while let Ok(first) = receiver.recv() {
        let mut replies = Vec::with_capacity(BATCH_MAX);
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut next = Some(first);
        while let Some(credit) = next {
            let balance = apply(connection, credit.member, credit.amount, &credit.key);
            replies.push((credit.reply, balance));
            next = (replies.len() < BATCH_MAX)
                .then(|| receiver.try_recv().ok())
                .flatten();
        }
        connection.execute_batch("COMMIT").unwrap();
        for (reply, balance) in replies {
            let _ = reply.send(balance);
        }
    }
}

/// The three statements of a credit.
fn apply(connection: &Connection, member: i64, amount: i64, key: &str) -> i64 {
    let statement = |sql| connection.prepare_cached(sql).unwrap();
    let balance =
        statement("UPDATE member SET balance = balance + ?2 WHERE id = ?1 RETURNING balance")
            .query_row((member, amount), |row| row.get(0))
            .unwrap();
    statement("INSERT INTO ledger (member, amount) VALUES (?1, ?2)")
        .execute((member, amount))
        .unwrap();
    statement("INSERT INTO answer (key, body) VALUES (?1, zeroblob(80))")
        .execute([key])
        .unwrap();
    balance
}

/// A separate database with as many members as the longest history.
fn open(path: &Path) -> Connection {
    let connection = Connection::open(path).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
             CREATE TABLE member (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
             CREATE TABLE ledger (seq INTEGER PRIMARY KEY, member INTEGER, amount INTEGER);
             CREATE TABLE answer (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
             WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199999)
             INSERT INTO member SELECT i, 0 FROM n;",
        )
        .unwrap();
    connection
}

/// Credits per second that SQLite makes durable with no server around it: the sketch's statements,
/// with the maximum number of writes in each commit.
pub(crate) fn commits_per_second() -> f64 {
    let folder = tempfile::tempdir_in(folder()).unwrap();
    let connection = open(&folder.path().join("loop.db"));
    let start = Instant::now();
    for commit in 0..COMMITS {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for row in 0..BATCH_MAX {
            let number = commit * BATCH_MAX + row;
            let member = i64::try_from(number % 2_000).unwrap();
            apply(&connection, member, 1, &format!("1-{number}"));
        }
        connection.execute_batch("COMMIT").unwrap();
    }
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    let rows = (COMMITS * BATCH_MAX) as f64;
    rows / start.elapsed().as_secs_f64()
}
