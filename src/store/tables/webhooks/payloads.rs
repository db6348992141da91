//! The objects of events, stored for webhooks, and the events that endpoints subscribe to.
//!
//! **Must not know** the open transaction, which uses both.

use rusqlite::{Connection, Row};

use crate::domain::{ByNumber, EventName, EventSet, ProgramNumber, Seq, Subscription};
use crate::store::Error;
use crate::store::error::readable;
use crate::store::tables::query;

/// The events that the endpoints of each program subscribe to.
///
/// # Errors
/// [`Error`] if the database fails.
pub(in crate::store) fn subscribed(
    connection: &Connection,
) -> Result<ByNumber<ProgramNumber, EventSet>, Error> {
    let sql = "SELECT id, program_id, events FROM webhook_endpoint WHERE disabled_at IS NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([])?;
    let mut subscribed: ByNumber<_, EventSet> = ByNumber::default();
    while let Some(row) = rows.next()? {
        let read = || Ok((ProgramNumber(row.get(1)?), subscription(row, 2)?));
        if let Some((program, subscription)) = readable("webhook_endpoint", row, read())? {
            let set = subscribed.entry(program).or_default();
            *set = set.union(subscription.set());
        }
    }
    Ok(subscribed)
}

/// Stores the object of an event.
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

/// The object of an event, if it is stored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn payload(
    connection: &Connection,
    program: ProgramNumber,
    seq: Seq,
) -> Result<Option<String>, Error> {
    let sql = "SELECT data FROM event_payload WHERE program_id = ?1 AND seq = ?2";
    let found = query::one(connection, sql, (program.0, seq.0), |row| Ok(row.get(0)?))?;
    Ok(found.flatten())
}

/// Reads the names of events, a JSON array.
pub(super) fn subscription(row: &Row<'_>, column: usize) -> Result<Subscription, Error> {
    let json = row.get_ref(column)?.as_str().ok();
    let names: Option<Vec<String>> = json.and_then(|json| serde_json::from_str(json).ok());
    let names = names.ok_or(Error::Impossible("list of events"))?;
    let events = names.iter().map(|name| EventName::parse(name));
    let events = events.collect::<Option<_>>();
    Ok(Subscription::stored(
        events.ok_or(Error::Impossible("event"))?,
    ))
}
