//! Participants: create, read, list, update.

use uuid::Uuid;

use super::balances::further_wallets;
use super::{scope, state, subject};
use crate::domain::{
    Attributes, Change, ExternalUserId, Member, MemberProfile, ParticipantFilter, ParticipantPlace,
    ParticipantStatus, Precondition, Refusal, Seq, Timestamp,
};
use crate::error::Surface;
use crate::service::loyalty::{members, standing};
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::members::{Selector, participants};
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    CreateParticipantRequest, Cursor, ListKind, PageQuery, ParticipantListResponse,
    ParticipantProfile, ParticipantResponse, ParticipantRowResponse, PatchParticipantRequest,
};

impl Services {
    /// A page of participants.
    ///
    /// # Errors
    /// `forbidden` for another program; [`ServiceError`] if the database fails.
    pub async fn list_participants(
        &self,
        key: KeyPrincipal,
        program: Option<String>,
        mut filter: ParticipantFilter,
        page: PageQuery,
    ) -> Result<ParticipantListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        if let Some(program) = program {
            scope::check_program_text(uuid, &program)?;
        }
        filter.after = page
            .cursor
            .and_then(|cursor| ParticipantPlace::of_number(cursor.0));
        self.read(key, move |connection| {
            let program = key.program;
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let found = participants::list(connection, program, &filter, page.limit + 1)?;
            let mut members = found.members;
            let last = page::cut(&mut members, page.limit);
            let place = last.map(|last| ParticipantPlace {
                member: last.number,
                status: ParticipantStatus::of(last),
            });
            let next = place
                .or(found.stopped_at)
                .map(|place| Cursor(place.number()));
            let rows = members.iter().map(|member| {
                let updated_at = updated_at(connection, member)?;
                Ok(ParticipantRowResponse::new(uuid, member, updated_at))
            });
            Ok(ParticipantListResponse {
                data: rows.collect::<Result<_, ServiceError>>()?,
                pagination: next
                    .map(|cursor| cursor.encode(ListKind::Participants, program.0))
                    .into(),
            })
        })
        .await
    }

    /// A participant with all balances.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such participant.
    pub async fn get_participant(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<ParticipantResponse, ServiceError> {
        let number = self.participant(key, &id)?.number;
        let uuid = self.directory.uuid_of(key.program)?;
        let (books, clock) = (self.books.clone(), self.clock.clone());
        self.look_up(key, move |connection| {
            // The row and the newest row of the log are of one moment.
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let member = find(connection, key, &Selector::Number(number))?;
            let updated_at = updated_at(connection, &member)?;
            let newest = store::log::last_seq(connection)?.unwrap_or(Seq(0));
            let books = members::moment(&books, newest)?;
            let wallet = members::account(&books, &member)?.wallet;
            let further = further_wallets(&books, number);
            drop(books);
            let balances = scope::balances(connection, (key.program, uuid), &wallet, &further)?;
            let at = state::now(connection, clock.now(), key.program)?;
            let state = state::shown(connection, number, at)?;
            Ok(ParticipantResponse::new(
                uuid, &member, balances, state, updated_at,
            ))
        })
        .await
    }

    /// Creates a participant, or updates the one with the id.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_participant(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateParticipantRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let uuid = store::programs::get(tx, key.program)?.uuid;
            if let Some(program) = &request.program_id {
                scope::check_program_text(uuid, program)?;
            }
            let at = tx.now(key.program);
            let selector = Selector::External(request.external_id.clone());
            let found = store::members::find(tx, key.program, &selector)?;
            let is_new = found.is_none();
            let current = found.as_ref().and_then(|member| member.attributes.clone());
            let tags = request.profile.tags.clone();
            let profile = profile_of(request.profile, current.as_ref())?;
            let member = if let Some(member) = found {
                members::merge(tx, at, member, profile, false)?
            } else {
                let id = ExternalUserId::parse("external_id", request.external_id.as_str())?;
                members::create(tx, caps, (at, key), &id, profile, None)?
            };
            let member = match request.status {
                Some(status) => set_status(tx, at, member, status)?,
                None => member,
            };
            if let Some(tags) = tags {
                state::replace_tags(tx, at, member.number, &tags)?;
            }
            Ok(Answer {
                status: if is_new { 201 } else { 200 },
                version: None,
                ..shown(tx, at, uuid, &member)?
            })
        })
        .await
    }

    /// Changes what the request names.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_participant(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchParticipantRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            let (uuid, before) = subject_of(tx, key, &id)?;
            precondition.check(Some(before.version))?;
            let at = tx.now(key.program);
            let mut member = before.clone();
            let tags = request.profile.tags.clone();
            let profile = profile_of(request.profile, before.attributes.as_ref())?;
            members::apply(&mut member, profile);
            if let Some(id) = request
                .external_id
                .filter(|id| *id != before.external_user_id)
            {
                let selector = Selector::External(id.clone());
                if store::members::find(tx, key.program, &selector)?.is_some() {
                    return Err(Refusal::ExternalIdTaken.into());
                }
                member.external_user_id = id;
            }
            let member = members::save(tx, at, before, member, None)?;
            if let Some(tags) = tags {
                state::replace_tags(tx, at, member.number, &tags)?;
            }
            shown(tx, at, uuid, &member)
        })
        .await
    }

    /// Sets the status.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_participant_status(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        status: ParticipantStatus,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            let (uuid, before) = subject_of(tx, key, &id)?;
            precondition.check(Some(before.version))?;
            let at = tx.now(key.program);
            let member = set_status(tx, at, before, status)?;
            shown(tx, at, uuid, &member)
        })
        .await
    }
}

/// Gives a member another status. Points are kept.
fn set_status(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    before: Member,
    status: ParticipantStatus,
) -> Result<Member, ServiceError> {
    if ParticipantStatus::of(&before) == status {
        return Ok(before);
    }
    let mut member = before.clone();
    if status == ParticipantStatus::Closed {
        standing::archive(tx, at, &mut member, true)?;
        store::members::update(tx, &before, &member)?;
        return Ok(member);
    }
    member.archived_at = None;
    let member = members::save(tx, at, before, member, None)?;
    standing::suspend(tx, at, member, status == ParticipantStatus::Suspended)
}

/// The changes of a member's profile.
fn profile_of(
    profile: ParticipantProfile,
    attributes: Option<&Attributes>,
) -> Result<MemberProfile, ServiceError> {
    let merged = Attributes::merged(attributes, &profile.attributes)?;
    Ok(MemberProfile {
        display_name: flat(profile.display_name),
        email: flat(profile.email),
        phone: flat(profile.phone),
        tier: None,
        attributes: merged.map_or(Change::Keep, Change::Set),
    })
}

/// A change in which an empty text clears the value.
fn flat<T>(change: Change<Option<T>>) -> Change<T> {
    match change {
        Change::Keep => Change::Keep,
        Change::Clear | Change::Set(None) => Change::Clear,
        Change::Set(Some(value)) => Change::Set(value),
    }
}

fn find(
    connection: &Connection,
    key: KeyPrincipal,
    selector: &Selector,
) -> Result<Member, ServiceError> {
    let found = store::members::find(connection, key.program, selector)?;
    Ok(found.ok_or(Refusal::NotFound("participant"))?)
}

/// The program of a participant, and the member.
fn subject_of(
    tx: &Transaction<'_>,
    key: &KeyPrincipal,
    id: &str,
) -> Result<(Uuid, Member), ServiceError> {
    let number = subject::account(tx, key, id)?.number;
    let uuid = store::programs::get(tx, key.program)?.uuid;
    Ok((uuid, find(tx, *key, &Selector::Number(number))?))
}

/// When a member last changed.
fn updated_at(connection: &Connection, member: &Member) -> Result<Timestamp, ServiceError> {
    let at = store::log::time_of(connection, member.version)?;
    Ok(at.unwrap_or(member.created_at))
}

fn shown(
    tx: &Transaction<'_>,
    at: Timestamp,
    program: Uuid,
    member: &Member,
) -> Result<Answer, ServiceError> {
    let accounts = tx.accounts_of(member.number).into_iter();
    let (points, further): (Vec<_>, Vec<_>) = accounts.partition(|it| it.asset.is_none());
    let wallet = points.first().map(|it| it.wallet).unwrap_or_default();
    let further = further.iter().filter_map(|it| Some((it.asset?, it.wallet)));
    let further: Vec<_> = further.collect();
    let balances = scope::balances(tx, (member.program, program), &wallet, &further)?;
    let updated_at = updated_at(tx, member)?;
    let state = state::shown(tx, member.number, at)?;
    let body = ParticipantResponse::new(program, member, balances, state, updated_at);
    Ok(Answer::ok(&body)
        .at(member.version)
        .with_words_of(member.number))
}
