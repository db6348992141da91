//! `POST` is a credit: the request waits in a bounded queue, one thread puts what waits into one
//! transaction, and the response is sent after the commit. How a credit is stored differs.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use rusqlite::{Connection, Result};
use serde::Deserialize;
use tokio::sync::oneshot;

use crate::{Key, append, json, update};

/// The maximum number of credits per commit.
pub(crate) const BATCH_MAX: u32 = 256;
/// Credits that wait for the writer.
const QUEUE_MAX: usize = 4_096;

/// How credits are stored.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    Append,
    Update,
}

/// A credit of a member, whose external id is `m` and a number.
pub(crate) struct Credit {
    pub(crate) member: u32,
    pub(crate) amount: i64,
    pub(crate) key: String,
}

pub(crate) struct Waiting {
    credit: Credit,
    reply: oneshot::Sender<Option<i64>>,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(rename = "externalUserID")]
    external_user_id: &'a str,
    amount: i64,
}

pub(crate) fn routes(
    key: Key,
    writer: SyncSender<Waiting>,
) -> impl Fn(&mut ServiceConfig) + Clone + Send + 'static {
    move |config| {
        let writer = writer.clone();
        let respond = move |request: HttpRequest, body: Bytes| {
            let read = read(&request, key, &body);
            let writer = writer.clone();
            async move {
                match read {
                    Ok(credit) => send(credit, &writer).await,
                    Err(status) => HttpResponse::new(status),
                }
            }
        };
        config.default_service(web::to(respond));
    }
}

fn read(request: &HttpRequest, key: Key, body: &Bytes) -> std::result::Result<Credit, StatusCode> {
    if !key.allows(request) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let key = request.headers().get("idempotency-key");
    let key = key.and_then(|key| key.to_str().ok());
    let body = serde_json::from_slice::<Body<'_>>(body).ok();
    let (Some(key), Some(body)) = (key, body) else {
        return Err(StatusCode::BAD_REQUEST);
    };
    let number = body.external_user_id.strip_prefix('m');
    let Some(member) = number.and_then(|number| number.parse().ok()) else {
        return Err(StatusCode::NOT_FOUND);
    };
    Ok(Credit {
        member,
        amount: body.amount,
        key: key.to_owned(),
    })
}

async fn send(credit: Credit, writer: &SyncSender<Waiting>) -> HttpResponse {
    let (reply, answer) = oneshot::channel();
    if writer.try_send(Waiting { credit, reply }).is_err() {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match answer.await {
        Ok(Some(balance)) => json(Bytes::from(format!("{{\"balance\":{balance}}}"))),
        Ok(None) => HttpResponse::NotFound().finish(),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

/// Creates the database and starts the writer.
pub(crate) fn start_writer(kind: Kind, database: PathBuf, members: u32) -> SyncSender<Waiting> {
    let (sender, receiver) = sync_channel(QUEUE_MAX);
    let (opened, is_open) = sync_channel(1);
    std::thread::spawn(move || {
        let connection = open(kind, &database, members).expect("a new database");
        opened.send(()).expect("the server waits");
        match kind {
            Kind::Append => {
                let sketch = append::sketch(&connection, members).expect("its tables");
                write(&connection, sketch, &receiver)
            }
            Kind::Update => {
                let sketch = update::sketch(&connection).expect("its tables");
                write(&connection, sketch, &receiver)
            }
        }
        .expect("the disk accepts writes");
    });
    is_open.recv().expect("the writer runs");
    sender
}

/// Creates a database with the settings of the product's writer.
pub(crate) fn open(kind: Kind, path: &Path, members: u32) -> Result<Connection> {
    let connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
         PRAGMA wal_autocheckpoint = 4096;",
    )?;
    match kind {
        Kind::Append => connection.execute_batch(append::TABLES)?,
        Kind::Update => update::create(&connection, members)?,
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(connection)
}

/// Puts waiting credits into one transaction, up to the maximum, and responds after the commit.
fn write(
    connection: &Connection,
    mut sketch: impl FnMut(&Credit) -> Result<Option<i64>>,
    receiver: &Receiver<Waiting>,
) -> Result<()> {
    let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
    let mut commit = connection.prepare("COMMIT")?;
    let mut replies = Vec::with_capacity(BATCH_MAX as usize);
    while let Ok(first) = receiver.recv() {
        begin.execute([])?;
        let mut next = Some(first);
        while let Some(Waiting { credit, reply }) = next {
            replies.push((reply, sketch(&credit)?));
            next = (replies.len() < BATCH_MAX as usize)
                .then(|| receiver.try_recv().ok())
                .flatten();
        }
        commit.execute([])?;
        for (reply, balance) in replies.drain(..) {
            let _ = reply.send(balance);
        }
    }
    Ok(())
}
