//! Webhook deliveries: what was tried, and what is to be tried again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::domain::{Attempt, Delivery, DeliveryStatus, EndpointNumber, EventName, Seq, Timestamp};
use crate::store::log::timestamp;
use crate::store::{Error, Transaction, log};

/// The columns that [`delivery`] reads.
const COLUMNS: &str = "d.seq, d.status, d.attempts, d.next_at, d.last_at, d.duration,
    d.response_status, d.error, d.created_at";

/// A page of an endpoint's deliveries, the newest events first; tests, which have none, come last.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    endpoint: EndpointNumber,
    status: Option<DeliveryStatus>,
    before: Option<Seq>,
    limit: usize,
) -> Result<Vec<Delivery>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_delivery d
         WHERE d.endpoint_id = ?1 AND d.seq < ?2 AND (?3 IS NULL OR d.status = ?3)
         ORDER BY d.seq DESC LIMIT ?4"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((
        endpoint.0,
        before.map_or(i64::MAX, |seq| seq.0),
        status.map(DeliveryStatus::as_str),
        i64::try_from(limit).unwrap_or(i64::MAX),
    ))?;
    let mut deliveries = Vec::new();
    while let Some(row) = rows.next()? {
        deliveries.push(delivery(row)?);
    }
    Ok(deliveries)
}

/// A delivery that was tried.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    endpoint: EndpointNumber,
    seq: Seq,
) -> Result<Option<Delivery>, Error> {
    let sql =
        format!("SELECT {COLUMNS} FROM webhook_delivery d WHERE d.endpoint_id = ?1 AND d.seq = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((endpoint.0, seq.0))?;
    rows.next()?.map(delivery).transpose()
}

/// An endpoint's deliveries whose time has come, those that wait longest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn due(
    connection: &Connection,
    endpoint: EndpointNumber,
    now: Timestamp,
    limit: usize,
) -> Result<Vec<Delivery>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM webhook_delivery d
         WHERE d.endpoint_id = ?1 AND d.next_at <= ?2 ORDER BY d.next_at LIMIT ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut rows = statement.query((endpoint.0, now.as_millis(), limit))?;
    let mut due = Vec::new();
    while let Some(row) = rows.next()? {
        due.push(delivery(row)?);
    }
    Ok(due)
}

/// When an endpoint's next delivery after `after` is due.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn next_due(
    connection: &Connection,
    endpoint: EndpointNumber,
    after: Timestamp,
) -> Result<Option<Timestamp>, Error> {
    let sql = "SELECT min(next_at) FROM webhook_delivery WHERE endpoint_id = ?1 AND next_at > ?2";
    let next: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row((endpoint.0, after.as_millis()), |row| row.get(0))?;
    next.map(timestamp).transpose()
}

/// Writes how a delivery stands after an attempt.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn record(
    tx: &Transaction<'_>,
    endpoint: EndpointNumber,
    delivery: &Delivery,
) -> Result<(), Error> {
    let sql = "INSERT INTO webhook_delivery (endpoint_id, seq, status, attempts, next_at, last_at,
                   duration, response_status, error, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
               ON CONFLICT (endpoint_id, seq) DO UPDATE SET
                   status = excluded.status, attempts = excluded.attempts,
                   next_at = excluded.next_at, last_at = excluded.last_at,
                   duration = excluded.duration, response_status = excluded.response_status,
                   error = excluded.error";
    let last = delivery.last.as_ref();
    tx.prepare_cached(sql)?.execute((
        endpoint.0,
        delivery.seq.0,
        delivery.status.as_str(),
        delivery.attempts,
        delivery.next_at.map(Timestamp::as_millis),
        last.map(|attempt| attempt.at.as_millis()),
        last.map(|attempt| i64::try_from(attempt.duration.as_millis()).unwrap_or(i64::MAX)),
        last.and_then(|attempt| attempt.response_status),
        last.and_then(|attempt| attempt.error.as_deref()),
        delivery.created_at.as_millis(),
    ))?;
    Ok(())
}

/// Moves an endpoint's cursor on.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn advance(tx: &Transaction<'_>, endpoint: EndpointNumber, cursor: Seq) -> Result<(), Error> {
    let sql = "UPDATE webhook_endpoint SET cursor_seq = ?2 WHERE id = ?1 AND cursor_seq < ?2";
    tx.prepare_cached(sql)?.execute((endpoint.0, cursor.0))?;
    Ok(())
}

/// Gives up everything that an endpoint still waits for.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn abandon(tx: &Transaction<'_>, endpoint: EndpointNumber) -> Result<(), Error> {
    let sql = "UPDATE webhook_delivery SET status = 'dead', next_at = NULL
               WHERE endpoint_id = ?1 AND next_at IS NOT NULL";
    tx.prepare_cached(sql)?.execute([endpoint.0])?;
    Ok(())
}

/// The number of an endpoint's next test, below zero.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn next_test(connection: &Connection, endpoint: EndpointNumber) -> Result<Seq, Error> {
    let sql = "SELECT min(seq) FROM webhook_delivery WHERE endpoint_id = ?1 AND seq < 0";
    let least: Option<i64> = connection
        .prepare_cached(sql)?
        .query_row([endpoint.0], |row| row.get(0))
        .optional()?
        .flatten();
    Ok(Seq(least.unwrap_or(0) - 1))
}

/// Deletes what is older than `before`: settled deliveries, and events that nobody waits for. At
/// most `limit` rows of each of the two; what comes back is how many went.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn purge(tx: &Transaction<'_>, before: Timestamp, limit: usize) -> Result<usize, Error> {
    // The log is in the order of time, but for clocks that were moved, so that its numbers lead
    // straight to the old rows of either table.
    let cutoff = log::last_before(tx, before)?;
    let deliveries = "DELETE FROM webhook_delivery WHERE (endpoint_id, seq) IN
            (SELECT d.endpoint_id, d.seq FROM webhook_delivery d
             WHERE d.endpoint_id = ?1 AND d.seq <= ?2 AND d.created_at < ?3
               AND d.status <> 'pending'
             LIMIT ?4)";
    let mut settled = 0;
    for endpoint in numbers(tx, "SELECT id FROM webhook_endpoint")? {
        let room = i64::try_from(limit - settled).unwrap_or(i64::MAX);
        let values = (endpoint, cutoff.0, before.as_millis(), room);
        settled += tx.execute(deliveries, values)?;
    }
    let payloads = "DELETE FROM event_payload WHERE program_id = ?1 AND seq IN
            (SELECT p.seq FROM event_payload p
             WHERE p.program_id = ?1 AND p.seq <= ?2
               AND NOT EXISTS (SELECT 1 FROM webhook_endpoint w
                   WHERE w.program_id = ?1 AND w.disabled_at IS NULL
                     AND (w.cursor_seq < p.seq OR EXISTS (SELECT 1 FROM webhook_delivery d
                         WHERE d.endpoint_id = w.id AND d.seq = p.seq AND d.status = 'pending')))
             LIMIT ?3)";
    let mut unheard = 0;
    for program in numbers(tx, "SELECT DISTINCT program_id FROM webhook_endpoint")? {
        let room = i64::try_from(limit - unheard).unwrap_or(i64::MAX);
        unheard += tx.execute(payloads, (program, cutoff.0, room))?;
    }
    Ok(settled + unheard)
}

fn numbers(connection: &Connection, sql: &str) -> Result<Vec<i64>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let numbers = statement.query_map([], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// The name of the event of this number, if it is in the catalogue.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn event_name(connection: &Connection, seq: Seq) -> Result<Option<EventName>, Error> {
    let activity = log::find(connection, seq)?;
    Ok(activity.and_then(|activity| activity.event.name()))
}

/// Reads the columns of [`COLUMNS`].
fn delivery(row: &Row<'_>) -> Result<Delivery, Error> {
    let status: String = row.get(1)?;
    let at: Option<i64> = row.get(4)?;
    let duration: Option<i64> = row.get(5)?;
    let last = match (at, duration) {
        (Some(at), Some(duration)) => Some(Attempt {
            at: timestamp(at)?,
            duration: Duration::from_millis(duration.unsigned_abs()),
            response_status: row.get(6)?,
            error: row.get(7)?,
        }),
        _ => None,
    };
    Ok(Delivery {
        seq: Seq(row.get(0)?),
        status: DeliveryStatus::parse(&status).ok_or(Error::Impossible("delivery status"))?,
        attempts: row.get(2)?,
        next_at: row.get::<_, Option<i64>>(3)?.map(timestamp).transpose()?,
        last,
        created_at: timestamp(row.get(8)?)?,
    })
}
