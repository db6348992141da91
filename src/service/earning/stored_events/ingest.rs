//! The intake of events: one by one, and in batches.

use futures_util::future::join_all;
use uuid::Uuid;

use super::named::Named;
use super::processing::{Incoming, is_same_data, process};
use crate::domain::{
    EventSource, Invalid, MemberNumber, Refusal, StoredEventId, UnknownParticipants,
};
use crate::error::Surface;
use crate::rules::Data;
use crate::service::earning::scope;
use crate::service::tenancy::caps::Caps;
use crate::service::{Answer, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::stored_events::EventRow;
use crate::store::{self, Transaction, WriteError};
use crate::wire::{
    AcceptedEventResponse, BatchItemResponse, EventBatchResponse, EventRequest, check_event,
    event_id, participant_id,
};

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
        let checked = |request: Result<EventRequest, Invalid>| -> Result<EventRequest, Refusal> {
            let request = request?;
            scope::check_program_text(key.program_uuid, &request.program_id)?;
            Ok(request)
        };
        // All are queued before the first is written, so that they share a commit.
        let items = requests.into_iter().map(|request| async {
            match checked(request) {
                Ok(request) => Ok((self.ingest_event(key, request).await?, true)),
                Err(refusal) => {
                    let answer = Answer::refusal(Surface::Scrip, &refusal);
                    Ok((answer.into_reply(), false))
                }
            }
        });
        let replies = join_all(items).await.into_iter();
        let replies: Vec<(Reply, bool)> = replies.collect::<Result<_, WriteError>>()?;
        // A key that was revoked meanwhile concerns the request.
        let mut sent = replies.iter().filter(|(_, is_sent)| *is_sent);
        if let Some((first, _)) = sent.next()
            && matches!(first.status, 401 | 403)
            && sent.all(|(other, _)| other.status == first.status)
        {
            return Ok(first.clone());
        }
        let replies = replies.iter().map(|(reply, _)| reply);
        let results = replies
            .enumerate()
            .map(|(index, reply)| BatchItemResponse::new(index, reply.status, &reply.body));
        Ok(Answer {
            status: 202,
            ..Answer::ok(&EventBatchResponse::new(results.collect()))
        }
        .into_reply())
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
        return repeated(
            tx,
            program.uuid,
            (row, request),
            (own.as_ref(), recipient.as_ref()),
        );
    }
    let is_unknown = |it: &Option<Named>| matches!(it, Some(Named::Unknown(_)));
    let rejects = program.unknown == UnknownParticipants::Reject;
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
    (own, recipient): (Option<&Named>, Option<&Named>),
) -> Result<Answer, ServiceError> {
    let texts = store::stored_events::texts(tx, row.seq)?;
    // Of an erased event it is not known any more.
    let data = texts.data.as_deref();
    let is_same_data = data.is_none_or(|data| is_same_data(data, &request.data));
    let is_named = |named: Option<&Named>, stored: Option<MemberNumber>| match named {
        None => stored.is_none(),
        Some(named) => named.number().is_some() && named.number() == stored,
    };
    // The recipient is not stored if it is the participant.
    let own_number = own.and_then(Named::number);
    let other = recipient.filter(|it| it.number().is_none() || it.number() != own_number);
    // The operator's id of an erased participant is not known any more.
    let are_named = is_named(own, row.member) && is_named(other, row.recipient);
    let is_same = (texts.data.is_none() || are_named) && row.happened_at == request.happened_at;
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
    let external_id = row
        .member
        .map(|member| store::members::external_id(tx, member));
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
