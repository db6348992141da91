//! Events: they are stored, and processed by the earning rules in the same transaction.

mod effects;
mod processing;
mod reading;

use futures_util::future::join_all;

use self::processing::{Incoming, process};
pub use self::reading::EventSelection;
use super::scope;
use super::subject;
use crate::books::Record;
use crate::domain::{
    EventSource, ExternalUserId, Invalid, MemberNumber, MemberProfile, Refusal, Seq, StoredEventId,
};
use crate::error::Surface;
use crate::rules::Data;
use crate::service::loyalty::members;
use crate::service::tenancy::caps::Caps;
use crate::service::{Answer, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::stored_events::EventRow;
use crate::store::{self, Transaction, WriteError};
use crate::wire::{
    AcceptedEventResponse, BatchItemResponse, EventBatchResponse, EventRequest, check_event,
    event_id, participant_id,
};
use uuid::Uuid;

impl Services {
    /// Stores and processes an event. Its own key decides whether it is a new one.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn ingest_event(
        &self,
        key: KeyPrincipal,
        request: EventRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            ingest(tx, caps, key, &request)
        })
        .await
    }

    /// Stores and processes events, in their order. Each is an event of its own: what is wrong with
    /// one does not concern the others.
    ///
    /// # Errors
    /// [`WriteError`] if one of them could not be written for a reason that is not its own.
    pub async fn ingest_events(
        &self,
        key: KeyPrincipal,
        requests: Vec<Result<EventRequest, Invalid>>,
    ) -> Result<Reply, WriteError> {
        // All are queued before the first is written, so that they share a commit.
        let items = requests.into_iter().map(|request| async {
            match request {
                Ok(request) => self.ingest_event(key, request).await,
                Err(invalid) => {
                    let refusal = Refusal::from(invalid);
                    Ok(Answer::refusal(Surface::Scrip, &refusal).into_reply())
                }
            }
        });
        let replies = join_all(items).await.into_iter();
        let replies: Vec<Reply> = replies.collect::<Result<_, _>>()?;
        // A key that was revoked meanwhile concerns the request.
        if let [first, others @ ..] = replies.as_slice()
            && matches!(first.status, 401 | 403)
            && others.iter().all(|other| other.status == first.status)
        {
            return Ok(first.clone());
        }
        let results = replies
            .iter()
            .enumerate()
            .map(|(index, reply)| BatchItemResponse::new(index, reply.status, &reply.body));
        Ok(Answer {
            status: 202,
            ..Answer::ok(&EventBatchResponse::new(results.collect()))
        }
        .into_reply())
    }
}

/// A participant that an event names.
#[derive(Debug, Clone)]
enum Named {
    /// One that exists.
    Known(Box<Record>),
    /// One that does not exist, by the operator's own id.
    Unknown(ExternalUserId),
}

impl Named {
    fn of(
        tx: &Transaction<'_>,
        key: &KeyPrincipal,
        id: Option<Uuid>,
        external_id: Option<&ExternalUserId>,
    ) -> Result<Option<Self>, ServiceError> {
        if let Some(id) = id {
            let record = subject::account(tx, key, &id.to_string())?;
            return Ok(Some(Self::Known(Box::new(record))));
        }
        Ok(external_id.map(|id| match tx.account_of(key.program, id) {
            Some(record) => Self::Known(Box::new(record)),
            None => Self::Unknown(id.clone()),
        }))
    }

    fn number(&self) -> Option<MemberNumber> {
        match self {
            Self::Known(record) => Some(record.number),
            Self::Unknown(_) => None,
        }
    }
}

fn ingest(
    tx: &mut Transaction<'_>,
    caps: Caps,
    key: &KeyPrincipal,
    request: &EventRequest,
) -> Result<Answer, ServiceError> {
    let program = store::programs::get(tx, key.program)?;
    scope::check_program_text(program.uuid, &request.program_id)?;
    check_event(request)?;
    let data = Data::parse_event(&request.data)
        .map_err(|no_data| Invalid::new("event_data", no_data.to_string()))?;
    let id = StoredEventId::of_key(program.uuid, &request.key);
    let external_id = request.external_id.as_ref();
    let own = Named::of(tx, key, request.participant_id, external_id)?;
    let recipient_id = request.recipient_external_id.as_ref();
    let recipient = Named::of(tx, key, request.recipient_id, recipient_id)?;
    if let Some(row) = store::stored_events::find(tx, key.program, id)? {
        let named = [&own, &recipient].map(|it| it.as_ref().map(Named::number));
        return repeated(tx, program.uuid, (row, request), named);
    }
    let is_unknown = |it: &Option<Named>| matches!(it, Some(Named::Unknown(_)));
    let rejects = false;
    if rejects && (is_unknown(&own) || is_unknown(&recipient)) {
        return Err(Refusal::NotFound("participant").into());
    }
    let incoming = Incoming {
        id,
        key: Some(request.key.clone()),
        json: &request.data,
        data: &data,
        happened_at: request.happened_at,
        source: EventSource::External,
        depth: 0,
    };
    let named = (own.as_ref(), recipient.as_ref());
    let row = process(tx, (caps, key), program.uuid, &incoming, named)?;
    let key = Some(request.key.to_string());
    accepted(tx, program.uuid, &row, key)
}

/// The answer to an event whose key was used before.
fn repeated(
    tx: &Transaction<'_>,
    program: Uuid,
    (row, request): (EventRow, &EventRequest),
    named: [Option<Option<MemberNumber>>; 2],
) -> Result<Answer, ServiceError> {
    let texts = store::stored_events::texts(tx, row.seq)?;
    // Of an erased event it is not known any more.
    let data = texts.data.as_deref();
    let is_same_data = data.is_none_or(|data| processing::is_same_data(data, &request.data));
    let known = [row.member, row.recipient].map(|member| member.map(Some));
    // The recipient is not stored if it is the participant.
    let [own, recipient] = named;
    let recipient = recipient.filter(|recipient| Some(*recipient) != own);
    let is_same = known == [own, recipient] && row.happened_at == request.happened_at;
    if !is_same || !is_same_data {
        return Err(Refusal::IdempotencyKeyReused.into());
    }
    accepted(tx, program, &row, texts.key)
}

fn accepted(
    tx: &Transaction<'_>,
    program: Uuid,
    row: &EventRow,
    key: Option<String>,
) -> Result<Answer, ServiceError> {
    let external_id = row.member.map(|member| reading::external_id(tx, member));
    let body = AcceptedEventResponse {
        id: event_id(row.id),
        program_id: program.to_string(),
        participant_id: row.member.map(|member| participant_id(program, member)),
        external_id: external_id.transpose()?.flatten(),
        idempotency_key: key,
        event_timestamp: row.happened_at.to_string(),
        status: row.status.as_str(),
    };
    Ok(Answer {
        status: 202,
        ..Answer::ok(&body)
    })
}

/// Creates the participants that do not exist. Their rows come right before that of the event,
/// which `event` is the number of.
fn create(
    tx: &mut Transaction<'_>,
    (caps, key): (Caps, &KeyPrincipal),
    named: [Option<&Named>; 2],
) -> Result<[Option<Record>; 2], ServiceError> {
    let at = tx.now(key.program);
    let unknown = |it: &Option<&Named>| match it {
        Some(Named::Unknown(id)) => Some(id.clone()),
        _ => None,
    };
    let mut ids: Vec<ExternalUserId> = named.iter().filter_map(unknown).collect();
    ids.dedup();
    let event = Seq(tx.next_seq().0 + i64::try_from(ids.len()).unwrap_or(0));
    for id in &ids {
        let profile = MemberProfile::default();
        members::create_for(tx, caps, (at, key), id, profile, Some(event))?;
    }
    let record = |it: Option<&Named>| match it {
        None => Ok(None),
        Some(Named::Known(record)) => Ok(Some((**record).clone())),
        Some(Named::Unknown(id)) => {
            let record = tx.account_of(key.program, id);
            let gone = store::Error::Impossible("member that was just created");
            record.map(Some).ok_or(gone)
        }
    };
    let [own, recipient] = named.map(record);
    Ok([own?, recipient?])
}
