//! What the log has of changes of attributes.

use crate::domain::{
    Attributes, Cause, Event, Member, StateChange, StateKind, StateOperation, Timestamp,
};
use crate::store::{self, Transaction};

/// Records each attribute of a member that differs from those before.
pub(super) fn record(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    before: Option<&Attributes>,
    member: &Member,
    cause: Option<Cause>,
) -> Result<(), store::Error> {
    let after = member.attributes.as_ref();
    if before == after {
        return Ok(());
    }
    for (key, (old, new)) in Attributes::changes(before, after) {
        let change = StateChange {
            member: member.number,
            kind: StateKind::Attribute,
            operation: match new {
                Some(_) => StateOperation::Set,
                None => StateOperation::Delete,
            },
            reset_after: None,
            cause,
            key: Some(key.into_boxed_str()),
            old: old.map(String::into_boxed_str),
            new: new.map(String::into_boxed_str),
        };
        tx.record(Some(member.program), at, Event::StateChanged(change))?;
    }
    Ok(())
}
