//! What rules see of members, as it was.

use std::time::Duration;

use crate::domain::{
    CounterValue, MemberNumber, ProgramNumber, StateChange, StateKind, StateOperation, Timestamp,
};
use crate::rules::{Counter, Data, Traits};
use crate::store::members::Selector;
use crate::store::{self, Connection};

/// A member, as rules see one.
#[derive(Default)]
pub(super) struct Member {
    pub(super) is_archived: bool,
    pub(super) is_suspended: bool,
    /// `None` until something depends on them.
    pub(super) traits: Option<Traits>,
}

/// What a member had before its first change in the log: attributes that version 0.1.0 wrote.
pub(super) fn first_traits(
    connection: &Connection,
    program: ProgramNumber,
    number: MemberNumber,
) -> Result<Traits, store::Error> {
    let mut traits = Traits::default();
    let member = store::members::find(connection, program, &Selector::Number(number))?;
    let attributes = member.and_then(|member| member.attributes);
    let mut values = attributes.map(|it| it.values()).unwrap_or_default();
    for (key, old) in store::log::past::first_attributes(connection, number)? {
        match old {
            Some(old) => _ = values.insert(key, old),
            None => _ = values.remove(&key),
        }
    }
    for (key, json) in values {
        traits.attributes.insert(key.into(), data_of(&json));
    }
    Ok(traits)
}

/// One that is nested too deeply has no value.
fn data_of(json: &str) -> Data {
    Data::parse(json).unwrap_or(Data::OutOfRange)
}

/// Makes a change of the log. One whose texts were erased is not known.
pub(super) fn apply(
    traits: &mut Traits,
    at: Timestamp,
    change: &StateChange,
) -> Result<(), store::Error> {
    let Some(key) = change.key.clone() else {
        return Ok(());
    };
    match (change.kind, &change.new) {
        (StateKind::Tag, _) if change.operation == StateOperation::Add => {
            traits.add_tag(&key);
        }
        (StateKind::Tag, _) => _ = traits.remove_tag(&key),
        (StateKind::Attribute, Some(new)) => _ = traits.attributes.insert(key, data_of(new)),
        (StateKind::Attribute, None) => _ = traits.attributes.remove(&key),
        (StateKind::Counter, new) => {
            let value = new.as_deref().unwrap_or_default();
            let value = CounterValue::parse_stored("value", value)
                .map_err(|_| store::Error::Impossible("value of a counter"))?;
            let before = traits.counters.get(&key);
            let kept = before.filter(|_| change.operation == StateOperation::Add);
            let after = change.reset_after.map(i64::unsigned_abs);
            let counter = Counter {
                value: value.number(),
                reset_after: after.map(Duration::from_millis),
                last_reset_at: kept.map_or(at, |before| before.last_reset_at),
            };
            traits.counters.insert(key, counter);
        }
    }
    Ok(())
}
