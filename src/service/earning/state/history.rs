//! The changes of a participant's state.

use uuid::Uuid;

use crate::domain::{
    Attributes, DerivedIds, DerivedKind, Event, Seq, StateKind, StateOperation, StoredEvent,
    Timestamp,
};
use crate::service::earning::scope::{Keys, check_program};
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::log::state::{self, StateRow};
use crate::store::{self, Connection};
use crate::wire::{Cursor, ListKind, PageQuery, StateChangeListResponse, StateChangeResponse};

/// The filter of a list of changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// Only those of this program, which has to be the key's.
    pub program: Option<Uuid>,
    /// Only those of this kind of state.
    pub kind: Option<StateKind>,
    /// Only those of this kind.
    pub operation: Option<StateOperation>,
    /// Only those of this key.
    pub key: Option<String>,
    /// Only those that were made at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were made at this time or earlier.
    pub to: Option<Timestamp>,
    /// Only those by events that happened at this time or later.
    pub event_from: Option<Timestamp>,
    /// Only those by events that happened at this time or earlier.
    pub event_to: Option<Timestamp>,
}

impl HistoryFilter {
    fn admits(&self, connection: &Connection, row: &StateRow) -> Result<bool, store::Error> {
        let change = &row.change;
        if self.kind.is_some_and(|kind| change.kind != kind)
            || self.operation.is_some_and(|only| change.operation != only)
            || self.from.is_some_and(|from| row.at < from)
            || self.to.is_some_and(|to| row.at > to)
        {
            return Ok(false);
        }
        if let Some(wanted) = &self.key
            && state::key_of(connection, row.seq)?.as_ref() != Some(wanted)
        {
            return Ok(false);
        }
        if self.event_from.is_none() && self.event_to.is_none() {
            return Ok(true);
        }
        let event = event_of(connection, row)?;
        let happened_at = event.map_or(row.at, |event| event.happened_at);
        Ok(self.event_from.is_none_or(|from| happened_at >= from)
            && self.event_to.is_none_or(|to| happened_at <= to))
    }
}

impl Services {
    /// A page of the changes of a participant's state, newest first.
    ///
    /// # Errors
    /// `forbidden` if the filter names another program, `not_found` without such a participant.
    pub async fn list_state_history(
        &self,
        key: KeyPrincipal,
        id: String,
        filter: HistoryFilter,
        page: PageQuery,
    ) -> Result<StateChangeListResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        let uuid = self.directory.uuid_of(key.program)?;
        check_program(uuid, filter.program)?;
        self.read(key, move |connection| {
            let before = page.cursor.map(|cursor| Seq(cursor.0));
            let keeps = |row: &StateRow| filter.admits(connection, row);
            let found = state::of_member(connection, member, before, page.limit, keeps)?;
            let mut keys = Keys::new(connection);
            let data = found
                .rows
                .into_iter()
                .map(|row| response(connection, uuid, &mut keys, row));
            let list = ListKind::StateHistory;
            let next = found
                .next
                .map(|next| Cursor(next.0).encode(list, key.program.0));
            Ok(StateChangeListResponse {
                data: data.collect::<Result<_, store::Error>>()?,
                pagination: next.into(),
            })
        })
        .await
    }
}

/// The event that caused a change.
fn event_of(connection: &Connection, row: &StateRow) -> Result<Option<StoredEvent>, store::Error> {
    let Some(cause) = row.change.cause else {
        return Ok(None);
    };
    let found = store::log::find(connection, cause.event)?;
    match found.map(|activity| activity.event) {
        Some(Event::EventStored(event)) => Ok(Some(event)),
        _ => Err(store::Error::Impossible("event that caused a change")),
    }
}

fn response(
    connection: &Connection,
    program: Uuid,
    keys: &mut Keys<'_>,
    row: StateRow,
) -> Result<StateChangeResponse, store::Error> {
    let event = event_of(connection, &row)?;
    let ids = DerivedIds::new(program, DerivedKind::StateChange);
    let change = row.change;
    let version = change.cause.map(|cause| {
        let found = store::rules::named_version(connection, cause.version)?;
        found.ok_or(store::Error::Impossible("version of a rule"))
    });
    let rule_id = version.transpose()?.map(|version| version.rule.to_string());
    let is_attribute = change.kind == StateKind::Attribute;
    let value = |text: Option<Box<str>>| match text {
        Some(json) if is_attribute => Some(Attributes::text_of(&json)),
        text => text.map(String::from),
    };
    Ok(StateChangeResponse {
        id: ids.id(row.seq.0, 0).to_string(),
        state_type: change.kind.as_str(),
        key: change.key.map(String::from),
        operation: change.operation.as_str(),
        old_value: value(change.old),
        new_value: value(change.new),
        event_id: event.map(|event| event.id.as_uuid().to_string()),
        rule_id,
        program_id: program.to_string(),
        changed_by_api_key_id: keys.id(row.actor)?,
        changed_at: row.at.to_short(),
    })
}
