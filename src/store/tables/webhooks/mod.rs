//! Webhook endpoints.

pub mod deliveries;
mod payloads;

use rusqlite::{Connection, Row};
use secrecy::{ExposeSecret as _, SecretString};

pub use self::payloads::payload;
use self::payloads::subscription;
pub(in crate::store) use self::payloads::{insert_payload, subscribed};
use crate::domain::{
    Endpoint, EndpointNumber, Environment, ProgramNumber, Seq, Timestamp, WebhookId, WebhookUrl,
};
use crate::store::error::readable;
use crate::store::tables::columns::{column, environment, optional_time, time, uuid};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// The columns that [`endpoint`] reads.
macro_rules! columns {
    () => {
        "w.id, w.uuid, w.url, w.events, w.created_at, w.disabled_at, w.version"
    };
}

const COLUMNS: &str = columns!();

/// The columns that [`active`] reads.
const ACTIVE: &str = concat!(
    columns!(),
    ", w.program_id, o.environment, w.secret, w.cursor_seq"
);

/// An endpoint that is in use, with what a delivery needs.
#[derive(Debug, Clone)]
pub struct ActiveEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The program whose events it receives.
    pub program: ProgramNumber,
    /// The program's environment.
    pub environment: Environment,
    /// The secret that signs its deliveries.
    pub secret: SecretString,
    /// The last event that needs no first attempt any more.
    pub cursor: Seq,
}

/// An endpoint of a program, disabled or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: WebhookId,
) -> Result<Option<Endpoint>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM webhook_endpoint w WHERE w.uuid = ?1 AND w.program_id = ?2");
    let values = (id.as_uuid().as_bytes(), program.0);
    query::one(connection, &sql, values, endpoint)
}

/// The endpoints of a program, newest first: all that are in use, and the newest disabled ones, at
/// most `limit` in total.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    limit: usize,
) -> Result<Vec<Endpoint>, Error> {
    let sql = format!(
        "SELECT * FROM (SELECT {COLUMNS} FROM webhook_endpoint w WHERE w.program_id = ?1
             ORDER BY w.disabled_at IS NOT NULL, w.id DESC LIMIT ?2)
         ORDER BY id DESC"
    );
    let values = (program.0, query::limit(limit));
    query::all(connection, &sql, values, endpoint)
}

/// The number of a program's endpoints that are in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn active_count(connection: &Connection, program: ProgramNumber) -> Result<usize, Error> {
    let sql = "SELECT count(*) FROM webhook_endpoint WHERE program_id = ?1 AND disabled_at IS NULL";
    let count: i64 = connection
        .prepare_cached(sql)?
        .query_row([program.0], |row| row.get(0))?;
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Creates an endpoint, which receives the events after `cursor`, and sets its `number`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    endpoint: &mut Endpoint,
    secret: &SecretString,
    cursor: Seq,
) -> Result<(), Error> {
    let sql = "INSERT INTO webhook_endpoint (uuid, program_id, url, events, secret, cursor_seq,
                   created_at, version)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.prepare_cached(sql)?.execute((
        endpoint.id.as_uuid().as_bytes(),
        program.0,
        endpoint.url.as_str(),
        names(endpoint)?,
        secret.expose_secret(),
        cursor.0,
        endpoint.created_at.as_millis(),
        endpoint.version.0,
    ))?;
    endpoint.number = EndpointNumber(tx.last_insert_rowid());
    Ok(())
}

/// Writes the columns of an endpoint that can change.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, endpoint: &Endpoint) -> Result<(), Error> {
    let sql = "UPDATE webhook_endpoint SET url = ?2, events = ?3, disabled_at = ?4, version = ?5
               WHERE id = ?1";
    tx.prepare_cached(sql)?.execute((
        endpoint.number.0,
        endpoint.url.as_str(),
        names(endpoint)?,
        endpoint.disabled_at.map(Timestamp::as_millis),
        endpoint.version.0,
    ))?;
    Ok(())
}

/// Whether an event that an endpoint subscribes to waits for its first attempt. The endpoint's
/// cursor is stored only now and then, so that this may find events that were delivered or skipped.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn has_backlog(
    connection: &Connection,
    program: ProgramNumber,
    endpoint: &Endpoint,
) -> Result<bool, Error> {
    let events = endpoint.subscription.events().iter();
    let kinds: Vec<_> = events
        .map(|event| event.kind().number().to_string())
        .collect();
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM activity
             WHERE seq > (SELECT cursor_seq FROM webhook_endpoint WHERE id = ?1)
                 AND program_id = ?2 AND kind IN ({}))",
        kinds.join(", ")
    );
    Ok(connection.query_row(&sql, (endpoint.number.0, program.0), |row| row.get(0))?)
}

/// The events that an endpoint subscribes to, as a JSON array.
fn names(endpoint: &Endpoint) -> Result<String, Error> {
    let events = endpoint.subscription.events().iter();
    let names: Vec<_> = events.map(|event| event.as_str()).collect();
    serde_json::to_string(&names).map_err(|_| Error::Impossible("list of events"))
}

/// The endpoints of a program that are in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn active_of(connection: &Connection, program: ProgramNumber) -> Result<Vec<Endpoint>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_endpoint w
         WHERE w.program_id = ?1 AND w.disabled_at IS NULL ORDER BY w.id"
    );
    query::all(connection, &sql, [program.0], endpoint)
}

/// Whether an endpoint is disabled.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn is_disabled(connection: &Connection, number: EndpointNumber) -> Result<bool, Error> {
    let sql = "SELECT disabled_at IS NOT NULL FROM webhook_endpoint WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([number.0], |row| row.get(0))?)
}

/// The last event of which an endpoint needs no first attempt; `None` if it is disabled.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn place(connection: &Connection, number: EndpointNumber) -> Result<Option<Seq>, Error> {
    let sql = "SELECT iif(disabled_at IS NULL, cursor_seq, NULL) FROM webhook_endpoint
               WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let place: Option<i64> = statement.query_row([number.0], |row| row.get(0))?;
    Ok(place.map(Seq))
}

/// Every endpoint that is in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_active(connection: &Connection) -> Result<Vec<ActiveEndpoint>, Error> {
    let sql = format!(
        "SELECT {ACTIVE}
         FROM webhook_endpoint w
         JOIN program p ON p.id = w.program_id
         JOIN organization o ON o.id = p.organization_id
         WHERE w.disabled_at IS NULL ORDER BY w.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.extend(readable("webhook_endpoint", row, active(row))?);
    }
    Ok(endpoints)
}

/// Reads [`ACTIVE`].
fn active(row: &Row<'_>) -> Result<ActiveEndpoint, Error> {
    let secret: String = row.get(column!(ACTIVE, "secret"))?;
    Ok(ActiveEndpoint {
        endpoint: endpoint(row)?,
        program: ProgramNumber(row.get(column!(ACTIVE, "program_id"))?),
        environment: environment(row, column!(ACTIVE, "environment"))?,
        secret: SecretString::from(secret),
        cursor: Seq(row.get(column!(ACTIVE, "cursor_seq"))?),
    })
}

/// Reads [`COLUMNS`].
fn endpoint(row: &Row<'_>) -> Result<Endpoint, Error> {
    let url: String = row.get(column!(COLUMNS, "url"))?;
    Ok(Endpoint {
        number: EndpointNumber(row.get(column!(COLUMNS, "id"))?),
        id: WebhookId::from_uuid(uuid(row, column!(COLUMNS, "uuid"))?),
        url: WebhookUrl::stored(&url).ok_or(Error::Impossible("webhook address"))?,
        subscription: subscription(row, column!(COLUMNS, "events"))?,
        created_at: time(row, column!(COLUMNS, "created_at"))?,
        disabled_at: optional_time(row, column!(COLUMNS, "disabled_at"))?,
        version: Seq(row.get(column!(COLUMNS, "version"))?),
    })
}
