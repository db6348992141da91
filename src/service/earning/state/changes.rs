//! Changes of tags, counters and attributes, each with its row of the log.

use std::time::Duration;

use super::{COUNTERS_MAX, TAGS_MAX};
use crate::domain::{
    Attributes, Cause, CounterKey, CounterValue, Event, Invalid, Member, MemberNumber,
    ProgramNumber, Refusal, StateChange, StateKind, StateOperation, Tag, Timestamp,
};
use crate::rules::{self, Counter, Number};
use crate::service::ServiceError;
use crate::service::loyalty::members;
use crate::store::members::Selector;
use crate::store::state::CounterRow;
use crate::store::{self, Connection, Transaction};

/// Adds a tag, in lower case. Returns whether the participant did not have it.
pub(in crate::service::earning) fn tag(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    tag: &str,
    cause: Option<Cause>,
) -> Result<bool, ServiceError> {
    let tag = Tag::lower("tag", tag)?;
    if store::state::has_tag(tx, member, &tag)? {
        return Ok(false);
    }
    if store::state::count_tags(tx, member)? >= TAGS_MAX {
        return Err(Refusal::TooManyTags(TAGS_MAX).into());
    }
    change_tag(tx, at, (member, &tag), StateOperation::Add, cause)?;
    Ok(true)
}

/// Removes a tag. Returns whether the participant had it.
pub(in crate::service::earning) fn untag(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    tag: &str,
    cause: Option<Cause>,
) -> Result<bool, ServiceError> {
    let tag = Tag::lower("tag", tag)?;
    if !store::state::has_tag(tx, member, &tag)? {
        return Ok(false);
    }
    change_tag(tx, at, (member, &tag), StateOperation::Remove, cause)?;
    Ok(true)
}

/// Gives a participant these tags, and no other ones.
pub(in crate::service::earning) fn replace_tags(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    tags: &[Tag],
) -> Result<(), ServiceError> {
    let before = store::state::tags(tx, member)?;
    for tag in before.iter().filter(|tag| !tags.contains(tag)) {
        change_tag(tx, at, (member, tag), StateOperation::Remove, None)?;
    }
    for tag in tags.iter().filter(|tag| !before.contains(tag)) {
        change_tag(tx, at, (member, tag), StateOperation::Add, None)?;
    }
    Ok(())
}

/// Adds or removes a tag.
fn change_tag(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    (member, tag): (MemberNumber, &Tag),
    operation: StateOperation,
    cause: Option<Cause>,
) -> Result<(), ServiceError> {
    match operation {
        StateOperation::Remove => store::state::remove_tag(tx, member, tag)?,
        _ => store::state::add_tag(tx, member, tag)?,
    }
    let change = StateChange {
        member,
        kind: StateKind::Tag,
        operation,
        reset_after: None,
        cause,
        key: Some(tag.as_str().into()),
        old: None,
        new: None,
    };
    let program = program_of(tx, member)?;
    tx.record(Some(program), at, Event::StateChanged(change))?;
    Ok(())
}

/// Adds a number to a counter, which is created if there is none. A counter whose time is over is
/// reset before.
pub(in crate::service::earning) fn count(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    key: &str,
    increment: Number,
    reset_after: Option<Duration>,
    cause: Option<Cause>,
) -> Result<(), ServiceError> {
    let key = CounterKey::parse("key", key)?;
    let before = current(tx, at, (member, &key), cause)?;
    let counter = before.as_ref().map(of_row);
    let counter = rules::counted(counter, increment, reset_after, at);
    let out_of_range = || Invalid::new("increment", "must leave the counter within 28 digits");
    let after = row_of(key, counter.ok_or_else(out_of_range)?);
    if before.as_ref() == Some(&after) {
        return Ok(());
    }
    write(
        tx,
        at,
        (member, before),
        &after,
        (StateOperation::Add, cause),
    )
}

/// Sets a counter, which is created if there is none. Its time starts again.
pub(super) fn set_counter(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    (member, key): (MemberNumber, CounterKey),
    value: CounterValue,
    reset_after: impl FnOnce(Option<Duration>) -> Option<Duration>,
) -> Result<CounterRow, ServiceError> {
    let before = current(tx, at, (member, &key), None)?;
    let reset_after = reset_after(before.as_ref().and_then(|before| before.reset_after));
    let after = CounterRow {
        key,
        value,
        reset_after,
        last_reset_at: at,
    };
    // Nothing depends on when a counter was set that is never reset.
    if let Some(before) = before.as_ref()
        && after.reset_after.is_none()
        && before.reset_after.is_none()
        && before.value == after.value
    {
        return Ok(before.clone());
    }
    let operation = StateOperation::Set;
    write(tx, at, (member, before), &after, (operation, None))?;
    Ok(after)
}

/// A counter before a change. If its time is over, it is reset first.
fn current(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    (member, key): (MemberNumber, &CounterKey),
    cause: Option<Cause>,
) -> Result<Option<CounterRow>, ServiceError> {
    let Some(found) = store::state::find_counter(tx, member, key)? else {
        if store::state::count_counters(tx, member)? >= COUNTERS_MAX {
            return Err(Refusal::TooManyCounters(COUNTERS_MAX).into());
        }
        return Ok(None);
    };
    if !of_row(&found).is_over(at) {
        return Ok(Some(found));
    }
    let reset = CounterRow {
        value: CounterValue::of(Number::ZERO),
        last_reset_at: at,
        ..found.clone()
    };
    let operation = StateOperation::AutoReset;
    write(tx, at, (member, Some(found)), &reset, (operation, cause))?;
    Ok(Some(reset))
}

fn write(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    (member, before): (MemberNumber, Option<CounterRow>),
    after: &CounterRow,
    (operation, cause): (StateOperation, Option<Cause>),
) -> Result<(), ServiceError> {
    store::state::save_counter(tx, member, after)?;
    let change = StateChange {
        member,
        kind: StateKind::Counter,
        operation,
        reset_after: after.reset_after_millis(),
        cause,
        key: Some(after.key.as_str().into()),
        old: before.map(|before| before.value.to_string().into_boxed_str()),
        new: Some(after.value.to_string().into_boxed_str()),
    };
    let program = program_of(tx, member)?;
    tx.record(Some(program), at, Event::StateChanged(change))?;
    Ok(())
}

/// The counter of a row.
pub(super) fn of_row(row: &CounterRow) -> Counter {
    Counter {
        value: row.value.number(),
        reset_after: row.reset_after,
        last_reset_at: row.last_reset_at,
    }
}

fn row_of(key: CounterKey, counter: Counter) -> CounterRow {
    CounterRow {
        key,
        value: CounterValue::of(counter.value),
        reset_after: counter.reset_after,
        last_reset_at: counter.last_reset_at,
    }
}

/// Gives an attribute a text.
pub(in crate::service::earning) fn set_attribute(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    member: MemberNumber,
    key: &str,
    value: &str,
    cause: Option<Cause>,
) -> Result<(), ServiceError> {
    let before = find(tx, member)?;
    let mut after = before.clone();
    let attributes = Attributes::with_text(before.attributes.as_ref(), key, value)?;
    after.attributes = Some(attributes);
    members::save(tx, at, before, after, cause)?;
    Ok(())
}

/// The profile of a participant.
pub(super) fn find(tx: &Transaction<'_>, member: MemberNumber) -> Result<Member, ServiceError> {
    profile(tx, program_of(tx, member)?, member)
}

/// The profile of a participant of a program.
pub(super) fn profile(
    connection: &Connection,
    program: ProgramNumber,
    member: MemberNumber,
) -> Result<Member, ServiceError> {
    let found = store::members::find(connection, program, &Selector::Number(member))?;
    Ok(found.ok_or(Refusal::NotFound("participant"))?)
}

fn program_of(tx: &Transaction<'_>, member: MemberNumber) -> Result<ProgramNumber, ServiceError> {
    let record = tx.account(member);
    Ok(record.ok_or(Refusal::NotFound("participant"))?.program)
}
