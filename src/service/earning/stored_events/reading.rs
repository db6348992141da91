//! What is read of events.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{
    DerivedIds, DerivedKind, EventSort, EventSource, EventStatus, ExternalUserId, MemberNumber,
    Refusal, RuleVersionNumber, Seq, StoredEventId, Timestamp,
};
use crate::service::earning::rules::version_id;
use crate::service::earning::scope::check_program_text;
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::evaluations::EvaluationRow;
use crate::store::members::Selector;
use crate::store::stored_events::{EventFilter, EventPage, EventRow};
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, EventListResponse, EventResponse, ListKind, PageQuery, RuleEvaluationResponse,
    event_id, participant_id,
};

/// Which events a list has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSelection {
    /// Only those of this program, which has to be the key's.
    pub program: Option<String>,
    /// Only those of this participant.
    pub participant: Option<Uuid>,
    /// Only those of the participant with this id of the operator's own.
    pub external_id: Option<ExternalUserId>,
    /// Only those in which this rule matched.
    pub rule: Option<Uuid>,
    /// Only those with this status.
    pub status: Option<EventStatus>,
    /// Only those that come from there.
    pub source: Option<EventSource>,
    /// Only those that were stored in this time, both ends included.
    pub stored: (Option<Timestamp>, Option<Timestamp>),
    /// Only those that happened in this time, both ends included.
    pub happened: (Option<Timestamp>, Option<Timestamp>),
    /// The field by which they are ordered.
    pub sort: EventSort,
    /// Whether the last ones come first.
    pub is_descending: bool,
}

impl Services {
    /// A page of the events of the key's program.
    ///
    /// # Errors
    /// `forbidden` for another program; [`ServiceError`] if the database fails.
    pub async fn list_events(
        &self,
        key: KeyPrincipal,
        selection: EventSelection,
        page: PageQuery,
    ) -> Result<EventListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        if let Some(program) = &selection.program {
            check_program_text(uuid, program)?;
        }
        self.read(key, move |connection| {
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let Some(filter) = filter_of(connection, (key, uuid), &selection, page)? else {
                return Ok(EventListResponse {
                    data: Vec::new(),
                    pagination: None.into(),
                });
            };
            let EventPage { rows, next } =
                store::stored_events::list(connection, key.program, &filter, page.limit)?;
            let mut names = Names::new(connection);
            let data = rows
                .iter()
                .map(|row| event(connection, uuid, row, &mut names));
            let list = (ListKind::Events, key.program.0);
            let next = next.map(|next| Cursor(next.0).encode(list.0, list.1));
            Ok(EventListResponse {
                data: data.collect::<Result<_, ServiceError>>()?,
                pagination: next.into(),
            })
        })
        .await
    }

    /// An event with what the rules made of it, perhaps also by those that failed to be evaluated.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such event.
    pub async fn get_event(
        &self,
        key: KeyPrincipal,
        id: String,
        include_skipped: bool,
    ) -> Result<EventResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        self.look_up(key, move |connection| {
            let not_found = || Refusal::NotFound("event");
            let id = Uuid::try_parse(&id).map_err(|_| not_found())?;
            let id = StoredEventId::from_uuid(id);
            let row = store::stored_events::find(connection, key.program, id)?;
            let row = row.ok_or_else(not_found)?;
            let evaluations = store::evaluations::of_event(connection, row.seq)?;
            let is_shown = |it: &&EvaluationRow| {
                include_skipped || !matches!(&*it.status, "SKIPPED_ERROR" | "SKIPPED_TIMEOUT")
            };
            let evaluations = evaluations.iter().filter(is_shown);
            let evaluations = evaluations.map(|it| evaluation(connection, uuid, &row, it));
            let response = event(connection, uuid, &row, &mut Names::new(connection))?;
            Ok(EventResponse {
                rule_evaluations: Some(evaluations.collect::<Result<_, ServiceError>>()?),
                ..response
            })
        })
        .await
    }
}

/// The filter of a selection; `None` if it names something that does not exist.
fn filter_of(
    connection: &Connection,
    (key, program): (KeyPrincipal, Uuid),
    selection: &EventSelection,
    page: PageQuery,
) -> Result<Option<EventFilter>, ServiceError> {
    let mut member = None;
    if let Some(id) = &selection.external_id {
        let selector = Selector::External(id.clone());
        match store::members::find(connection, key.program, &selector)? {
            Some(found) => member = Some(found.number),
            None => return Ok(None),
        }
    }
    if let Some(id) = selection.participant {
        let ids = DerivedIds::new(program, DerivedKind::Participant);
        match ids.numbers(id) {
            Some((number, 0)) if member.is_none_or(|it| it.0 == number) => {
                member = Some(MemberNumber(number));
            }
            _ => return Ok(None),
        }
    }
    let mut rule = None;
    if let Some(id) = selection.rule {
        match store::rules::find(connection, key.program, id)? {
            Some(found) => rule = Some(found.number),
            None => return Ok(None),
        }
    }
    Ok(Some(EventFilter {
        member,
        rule,
        status: selection.status,
        source: selection.source,
        stored: selection.stored,
        happened: selection.happened,
        sort: selection.sort,
        is_descending: selection.is_descending,
        after: page.cursor.map(|cursor| Seq(cursor.0)),
    }))
}

/// The operator's own ids of members, each looked up once.
struct Names<'a> {
    connection: &'a Connection,
    known: HashMap<MemberNumber, Option<String>>,
}

impl<'a> Names<'a> {
    fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    fn get(&mut self, member: MemberNumber) -> Result<Option<String>, store::Error> {
        if let Some(name) = self.known.get(&member) {
            return Ok(name.clone());
        }
        let name = store::members::external_id(self.connection, member)?;
        self.known.insert(member, name.clone());
        Ok(name)
    }
}

fn event(
    connection: &Connection,
    program: Uuid,
    row: &EventRow,
    names: &mut Names<'_>,
) -> Result<EventResponse, ServiceError> {
    let texts = store::stored_events::texts(connection, row.seq)?;
    let external_id = row.member.map(|member| names.get(member));
    let participant = |member: MemberNumber| participant_id(program, member);
    let stored_at = row.stored_at.to_string();
    Ok(EventResponse {
        id: event_id(row.id),
        program_id: program.to_string(),
        participant_id: row.member.map(participant),
        external_id: external_id.transpose()?.flatten(),
        recipient_id: row.recipient.map(participant),
        event_type: row.source.as_str(),
        event_data: EventResponse::data_of(texts.data),
        event_timestamp: row.happened_at.to_string(),
        idempotency_key: texts.key,
        status: row.status.as_str(),
        error_message: row.error.clone(),
        received_at: stored_at.clone(),
        created_at: stored_at.clone(),
        processed_at: stored_at.clone(),
        updated_at: stored_at,
        rule_evaluations: None,
    })
}

fn evaluation(
    connection: &Connection,
    program: Uuid,
    event: &EventRow,
    row: &EvaluationRow,
) -> Result<RuleEvaluationResponse, ServiceError> {
    let version = |number: RuleVersionNumber| {
        let found = store::rules::named_version(connection, number)?;
        found.ok_or(store::Error::Impossible("version of a rule"))
    };
    let evaluated = version(row.version)?;
    let stopped_by = row.stopped_by.map(version).transpose()?;
    let ids = DerivedIds::new(program, DerivedKind::Evaluation);
    Ok(RuleEvaluationResponse {
        id: ids.id(event.seq.0, row.place).to_string(),
        rule_id: evaluated.rule.to_string(),
        rule_name: evaluated.name.as_str().to_owned(),
        rule_history_id: version_id(program, row.version).to_string(),
        status: row.status.clone(),
        reason: row.reason.clone(),
        stopped_by_rule_id: stopped_by.map(|version| version.rule.to_string()),
        error_message: row.error.clone(),
        created_at: event.stored_at.to_string(),
    })
}
