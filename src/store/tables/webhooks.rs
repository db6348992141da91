//! Webhook endpoints, and the events that were kept for them.

use rusqlite::{Connection, Row};
use secrecy::{ExposeSecret as _, SecretString};

use super::programs;
use crate::domain::{
    ByNumber, Endpoint, EndpointNumber, Environment, EventName, EventSet, ProgramNumber, Seq,
    Subscription, Timestamp, WebhookId, WebhookUrl,
};
use crate::store::log::timestamp;
use crate::store::{Error, Transaction};

/// The columns that [`endpoint`] reads.
const COLUMNS: &str = "w.id, w.uuid, w.url, w.events, w.created_at, w.disabled_at, w.version";

/// An endpoint in use, with all that sending to it needs.
#[derive(Debug, Clone)]
pub struct ActiveEndpoint {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Whose events it gets.
    pub program: ProgramNumber,
    /// Where.
    pub environment: Environment,
    /// The key of the signatures.
    pub secret: SecretString,
    /// Events up to here need no first attempt.
    pub cursor: Seq,
}

/// An endpoint of a program, in use or not.
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
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), program.0))?;
    rows.next()?.map(endpoint).transpose()
}

/// The endpoints of a program, newest first: all that are in use, and the newest of the others, at
/// most `limit` in all.
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
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((program.0, i64::try_from(limit).unwrap_or(i64::MAX)))?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.push(endpoint(row)?);
    }
    Ok(endpoints)
}

/// How many endpoints of a program are in use.
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

/// Adds an endpoint, which gets the events after `cursor`.
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

/// Writes what can change of an endpoint.
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

/// Whether an event that an endpoint listens to waits for its first attempt. How far the endpoint
/// has come is written down only now and then, so that this reads rows that were passed over.
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

/// The events that an endpoint listens to, as a JSON array.
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
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([program.0])?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.push(endpoint(row)?);
    }
    Ok(endpoints)
}

/// Whether an endpoint was taken out of use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn is_disabled(connection: &Connection, number: EndpointNumber) -> Result<bool, Error> {
    let sql = "SELECT disabled_at IS NOT NULL FROM webhook_endpoint WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row([number.0], |row| row.get(0))?)
}

/// Up to where the log needs no first attempt to an endpoint; `None` if it is out of use.
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

/// Every endpoint in use.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn all_active(connection: &Connection) -> Result<Vec<ActiveEndpoint>, Error> {
    let sql = format!(
        "SELECT {COLUMNS}, w.program_id, o.environment, w.secret, w.cursor_seq
         FROM webhook_endpoint w
         JOIN program p ON p.id = w.program_id
         JOIN organization o ON o.id = p.organization_id
         WHERE w.disabled_at IS NULL ORDER BY w.id"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query([])?;
    let mut endpoints = Vec::new();
    while let Some(row) = rows.next()? {
        endpoints.extend(crate::store::readable(
            "webhook_endpoint",
            row,
            active(row),
        )?);
    }
    Ok(endpoints)
}

fn active(row: &Row<'_>) -> Result<ActiveEndpoint, Error> {
    let environment: String = row.get(8)?;
    Ok(ActiveEndpoint {
        endpoint: endpoint(row)?,
        program: ProgramNumber(row.get(7)?),
        environment: Environment::parse(&environment).ok_or(Error::Impossible("environment"))?,
        secret: SecretString::from(row.get::<_, String>(9)?),
        cursor: Seq(row.get(10)?),
    })
}

/// The events that some endpoint of each program listens to.
///
/// # Errors
/// [`Error`] if the database fails.
pub(in crate::store) fn heard(
    connection: &Connection,
) -> Result<ByNumber<ProgramNumber, EventSet>, Error> {
    let sql = "SELECT id, program_id, events FROM webhook_endpoint WHERE disabled_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut heard: ByNumber<_, EventSet> = ByNumber::default();
    while let Some(row) = rows.next()? {
        let read = || {
            Ok((
                ProgramNumber(row.get(1)?),
                subscription(&row.get::<_, String>(2)?)?,
            ))
        };
        if let Some((program, subscription)) =
            crate::store::readable("webhook_endpoint", row, read())?
        {
            let set = heard.entry(program).or_default();
            *set = set.union(subscription.set());
        }
    }
    Ok(heard)
}

/// Keeps the object that an event is about.
pub(in crate::store) fn insert_payload(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
    data: &str,
) -> Result<(), Error> {
    let sql = "INSERT INTO event_payload (program_id, seq, data) VALUES (?1, ?2, ?3)";
    connection
        .prepare_cached(sql)?
        .execute((program.0, seq.0, data))?;
    Ok(())
}

/// The object that an event is about, if it was kept.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn payload(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
) -> Result<Option<String>, Error> {
    let sql = "SELECT data FROM event_payload WHERE program_id = ?1 AND seq = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((program.0, seq.0))?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?.flatten())
}

/// Reads the columns of [`COLUMNS`].
fn endpoint(row: &Row<'_>) -> Result<Endpoint, Error> {
    let url: String = row.get(2)?;
    Ok(Endpoint {
        number: EndpointNumber(row.get(0)?),
        id: WebhookId::from_uuid(programs::uuid(row, 1)?),
        url: WebhookUrl::stored(&url).ok_or(Error::Impossible("webhook address"))?,
        subscription: subscription(&row.get::<_, String>(3)?)?,
        created_at: timestamp(row.get(4)?)?,
        disabled_at: row.get::<_, Option<i64>>(5)?.map(timestamp).transpose()?,
        version: Seq(row.get(6)?),
    })
}

fn subscription(json: &str) -> Result<Subscription, Error> {
    let names: Vec<String> =
        serde_json::from_str(json).map_err(|_| Error::Impossible("list of events"))?;
    let events = names.iter().map(|name| EventName::parse(name));
    let events = events.collect::<Option<_>>();
    Ok(Subscription::stored(
        events.ok_or(Error::Impossible("event"))?,
    ))
}
