//! Processing: the rules are applied to an event, in the transaction that stores it. If one of
//! their actions fails, the event is stored as a failed one, and nothing else happens.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::effects::{self, Acting};
use super::named::{Named, create};
use crate::books::Record;
use crate::domain::{Event, EventSource, EventStatus, Seq, StoredEvent, StoredEventId, Timestamp};
use crate::rules::{
    self, Data, Listed, Outcome, Participant, ParticipantKey, State, Verdict, step,
};
use crate::service::earning::{state, subject};
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::credentials::Principal as _;
use crate::service::{KeyPrincipal, ServiceError};
use crate::store::evaluations::EvaluationRow;
use crate::store::rules::CompiledRules;
use crate::store::stored_events::EventRow;
use crate::store::{self, Transaction};

/// An event that is about to be stored.
pub(super) struct Incoming<'a> {
    pub(super) id: StoredEventId,
    pub(super) key: Option<Box<str>>,
    /// Its data, as it was received.
    pub(super) json: &'a str,
    pub(super) data: &'a rules::DataMap,
    pub(super) happened_at: Timestamp,
    pub(super) source: EventSource,
    pub(super) depth: u8,
}

/// Stores an event of a participant, perhaps for another one, and makes its effects happen.
pub(super) fn process(
    tx: &mut Transaction<'_>,
    (caps, key): (Caps, &KeyPrincipal),
    program: Uuid,
    incoming: &Incoming<'_>,
    (own, recipient): (Option<&Named>, Option<&Named>),
) -> Result<EventRow, ServiceError> {
    let records = create(tx, (caps, key), [own, recipient])?;
    let at = tx.now(key.program);
    let compiled = tx.rules(key.program)?;
    let outcome = evaluate(tx, key, (program, at), &compiled, incoming, &records)?;
    let row = save(tx, key, incoming, &records, (at, &compiled, &outcome))?;
    if row.status == EventStatus::Failed {
        return Ok(row);
    }
    let acting = Acting {
        key,
        program,
        at,
        event: row.seq,
        rules: &compiled,
    };
    for (place, caused) in outcome.effects.iter().enumerate() {
        match effects::apply(tx, &acting, caused) {
            Ok(()) => {}
            Err(ServiceError::Refused(refusal)) => {
                // As if the action had failed in the step; the participants are created again.
                let message = refusal.to_string();
                tx.undo()?;
                tx.act_as(key.actor());
                let records = create(tx, (caps, key), [own, recipient])?;
                let outcome = outcome.clone().refused(place, message);
                return save(tx, key, incoming, &records, (at, &compiled, &outcome));
            }
            Err(error) => return Err(error),
        }
    }
    store::rules::save_budgets(tx, &outcome.budgets)?;
    Ok(row)
}

/// What the rules make of an event.
fn evaluate(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
    (program, at): (Uuid, Timestamp),
    compiled: &CompiledRules,
    incoming: &Incoming<'_>,
    [own, recipient]: &[Option<Record>; 2],
) -> Result<Outcome, ServiceError> {
    if compiled.set.rules().is_empty() {
        return Ok(Outcome::default());
    }
    let participant = own.as_ref().map(|record| participant(tx, program, record));
    let state = State {
        participant: participant.transpose()?,
        budgets: store::rules::budgets(tx, key.program, compiled)?,
        // The entries are checked when they are posted.
        amount_limits: BTreeMap::new(),
    };
    let recipient = recipient.as_ref();
    let recipient = recipient.map(|it| ParticipantKey::Id(subject::id(program, it.number)));
    let event = rules::Event {
        data: incoming.data,
        now: incoming.happened_at,
        at,
        recipient,
        depth: incoming.depth,
    };
    Ok(step(&compiled.set, &event, &state, Listed::Stored))
}

fn participant(
    tx: &Transaction<'_>,
    program: Uuid,
    record: &Record,
) -> Result<Participant, ServiceError> {
    let external_id = store::members::external_id(tx, record.number)?;
    let external_id = external_id.ok_or(store::Error::Impossible("member without an id"))?;
    Ok(Participant {
        id: subject::id(program, record.number),
        external_id: external_id.into(),
        is_active: subject::check_active(record).is_ok(),
        traits: state::traits_of(tx, record.number)?,
    })
}

/// Stores an event and its evaluations.
fn save(
    tx: &mut Transaction<'_>,
    key: &KeyPrincipal,
    incoming: &Incoming<'_>,
    [own, recipient]: &[Option<Record>; 2],
    (at, compiled, outcome): (Timestamp, &CompiledRules, &Outcome),
) -> Result<EventRow, ServiceError> {
    let error = outcome.failure().map(|(_, message)| message.to_owned());
    let status = match error {
        Some(_) => EventStatus::Failed,
        None => EventStatus::Completed,
    };
    let member = own.as_ref().map(|record| record.number);
    let recipient = recipient.as_ref().map(|record| record.number);
    let stored = StoredEvent {
        member,
        id: incoming.id,
        completed: status == EventStatus::Completed,
        happened_at: incoming.happened_at,
        key: incoming.key.clone(),
        data: Some(incoming.json.into()),
    };
    let seq = tx.record(Some(key.program), at, Event::EventStored(stored))?;
    let row = EventRow {
        seq,
        id: incoming.id,
        program: key.program,
        member,
        recipient: recipient.filter(|recipient| Some(*recipient) != member),
        source: incoming.source,
        status,
        happened_at: incoming.happened_at,
        depth: incoming.depth,
        error,
        stored_at: at,
    };
    store::stored_events::insert(tx, &row)?;
    save_evaluations(tx, seq, compiled, outcome)?;
    Ok(row)
}

fn save_evaluations(
    tx: &Transaction<'_>,
    event: Seq,
    compiled: &CompiledRules,
    outcome: &Outcome,
) -> Result<(), store::Error> {
    for (place, evaluation) in (0..).zip(&outcome.evaluations) {
        let Some(status) = evaluation.verdict.status() else {
            continue;
        };
        let (rule, version) = compiled.numbers(evaluation.rule)?;
        let stopped_by = match evaluation.verdict {
            Verdict::StoppedByPriorRule(prior) => Some(compiled.numbers(prior)?.1),
            _ => None,
        };
        let row = EvaluationRow {
            place,
            rule,
            version,
            status: status.to_owned(),
            reason: evaluation.verdict.reason().map(str::to_owned),
            error: evaluation.verdict.error_message().map(str::to_owned),
            stopped_by,
        };
        store::evaluations::insert(tx, event, &row)?;
    }
    Ok(())
}

/// Whether two texts are the same data.
pub(super) fn is_same_data(one: &str, other: &str) -> bool {
    one == other || Data::parse_event(one) == Data::parse_event(other)
}
