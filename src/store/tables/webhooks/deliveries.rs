//! Webhook deliveries: those that were attempted, and when they are attempted again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Row};

use crate::domain::{Attempt, Delivery, DeliveryStatus, EndpointNumber, EventName, Seq, Timestamp};
use crate::store::tables::columns::{column, optional_time, time, timestamp, word};
use crate::store::tables::query;
use crate::store::{Error, Transaction, log};

/// The columns that [`delivery`] reads.
const COLUMNS: &str = "d.seq, d.status, d.attempts, d.next_at, d.last_at, d.duration,
    d.response_status, d.error, d.created_at";

/// A page of an endpoint's deliveries, newest events first. Test deliveries, which have no event,
/// come last.
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
    let values = (
        endpoint.0,
        before.map_or(i64::MAX, |seq| seq.0),
        status.map(DeliveryStatus::as_str),
        query::limit(limit),
    );
    query::all(connection, &sql, values, delivery)
}

/// A delivery that was attempted.
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
    query::one(connection, &sql, (endpoint.0, seq.0), delivery)
}

/// An endpoint's deliveries that are due, those that have waited longest first.
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
    let values = (endpoint.0, now.as_millis(), query::limit(limit));
    query::all(connection, &sql, values, delivery)
}

/// The time an endpoint's next delivery after `after` is due.
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

/// Writes a delivery after an attempt.
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

/// Advances an endpoint's cursor.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn advance(tx: &Transaction<'_>, endpoint: EndpointNumber, cursor: Seq) -> Result<(), Error> {
    let sql = "UPDATE webhook_endpoint SET cursor_seq = ?2 WHERE id = ?1 AND cursor_seq < ?2";
    tx.prepare_cached(sql)?.execute((endpoint.0, cursor.0))?;
    Ok(())
}

/// Marks all pending deliveries of an endpoint as dead.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn abandon(tx: &Transaction<'_>, endpoint: EndpointNumber) -> Result<(), Error> {
    let sql = "UPDATE webhook_delivery SET status = 'dead', next_at = NULL
               WHERE endpoint_id = ?1 AND next_at IS NOT NULL";
    tx.prepare_cached(sql)?.execute([endpoint.0])?;
    Ok(())
}

/// The number of an endpoint's next test delivery, below zero.
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

/// Deletes settled deliveries and stored objects of events that no endpoint waits for, if they are
/// older than `before`: at most `limit` rows of each. Returns how many were deleted.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn purge(tx: &Transaction<'_>, before: Timestamp, limit: usize) -> Result<usize, Error> {
    // The log is in the order of time, except where a clock was moved, so that its numbers lead
    // directly to the old rows of both tables.
    let cutoff = log::last_before(tx, before)?;
    let deliveries = "DELETE FROM webhook_delivery WHERE (endpoint_id, seq) IN
            (SELECT d.endpoint_id, d.seq FROM webhook_delivery d
             WHERE d.endpoint_id = ?1 AND d.seq <= ?2 AND d.created_at < ?3
               AND d.status <> 'pending'
             LIMIT ?4)";
    let mut settled = 0;
    for endpoint in numbers(tx, "SELECT id FROM webhook_endpoint")? {
        let room = query::limit(limit - settled);
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
    let mut unneeded = 0;
    for program in numbers(tx, "SELECT DISTINCT program_id FROM webhook_endpoint")? {
        let room = query::limit(limit - unneeded);
        unneeded += tx.execute(payloads, (program, cutoff.0, room))?;
    }
    Ok(settled + unneeded)
}

fn numbers(connection: &Connection, sql: &str) -> Result<Vec<i64>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let numbers = statement.query_map([], |row| row.get(0))?;
    Ok(numbers.collect::<Result<_, _>>()?)
}

/// The name of an event by its number in the log, if it is in the catalogue.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn event_name(connection: &Connection, seq: Seq) -> Result<Option<EventName>, Error> {
    let activity = log::find(connection, seq)?;
    Ok(activity.and_then(|activity| activity.event.name()))
}

/// Reads [`COLUMNS`].
fn delivery(row: &Row<'_>) -> Result<Delivery, Error> {
    let at: Option<i64> = row.get(column!(COLUMNS, "last_at"))?;
    let duration: Option<i64> = row.get(column!(COLUMNS, "duration"))?;
    let last = match (at, duration) {
        (Some(at), Some(duration)) => Some(Attempt {
            at: timestamp(at)?,
            duration: Duration::from_millis(duration.unsigned_abs()),
            response_status: row.get(column!(COLUMNS, "response_status"))?,
            error: row.get(column!(COLUMNS, "error"))?,
        }),
        _ => None,
    };
    let status = column!(COLUMNS, "d.status");
    Ok(Delivery {
        seq: Seq(row.get(column!(COLUMNS, "seq"))?),
        status: word(row, status, DeliveryStatus::parse, "delivery status")?,
        attempts: row.get(column!(COLUMNS, "attempts"))?,
        next_at: optional_time(row, column!(COLUMNS, "next_at"))?,
        last,
        created_at: time(row, column!(COLUMNS, "created_at"))?,
    })
}
