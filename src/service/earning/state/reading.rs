//! Tags, counters and attributes of a participant, as they are at a time.

use std::collections::BTreeMap;

use super::changes;
use crate::domain::{CounterValue, MemberNumber, ProgramNumber, Timestamp};
use crate::rules::{Data, DataMap, Traits};
use crate::service::ServiceError;
use crate::store::state::CounterRow;
use crate::store::{self, Connection, Transaction};

/// Tags, in order, and the value of each counter, by key.
type Shown = (Vec<String>, BTreeMap<String, String>);

/// The tags and counters of a participant at a time.
pub(in crate::service::earning) fn shown(
    connection: &Connection,
    member: MemberNumber,
    at: Timestamp,
) -> Result<Shown, store::Error> {
    let tags = store::state::tags(connection, member)?;
    let counters = store::state::counters(connection, member)?.into_iter();
    let counters = counters.map(|row| (row.key.as_str().to_owned(), value_at(&row, at)));
    let tags = tags.iter().map(|tag| tag.as_str().to_owned());
    Ok((tags.collect(), counters.collect()))
}

/// The time in a program, with which requests are answered.
pub(in crate::service::earning) fn now(
    connection: &Connection,
    now: Timestamp,
    program: ProgramNumber,
) -> Result<Timestamp, store::Error> {
    Ok(now.saturating_add(store::sandbox::ahead(connection, program)?))
}

/// The value of a counter at a time.
pub(super) fn value_at(row: &CounterRow, at: Timestamp) -> String {
    let value = changes::of_row(row).value_at(at);
    CounterValue::of(value).to_string()
}

/// What expressions see of a participant.
pub(in crate::service::earning) fn traits_of(
    tx: &Transaction<'_>,
    member: MemberNumber,
) -> Result<Traits, ServiceError> {
    let mut traits = Traits::default();
    for tag in store::state::tags(tx, member)? {
        traits.add_tag(tag.as_str());
    }
    for row in store::state::counters(tx, member)? {
        let key = row.key.as_str().into();
        traits.counters.insert(key, changes::of_row(&row));
    }
    if let Some(attributes) = changes::find(tx, member)?.attributes {
        traits.attributes = data_of(&attributes.values());
    }
    Ok(traits)
}

/// Attributes as expressions see them. One that is nested too deeply has no value: an expression
/// that reads it fails.
fn data_of(values: &BTreeMap<String, String>) -> DataMap {
    let values = values.iter().map(|(name, json)| {
        let data = Data::parse(json).unwrap_or(Data::OutOfRange);
        (name.as_str().into(), data)
    });
    values.collect()
}
