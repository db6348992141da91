//! Members: set, read, list, remove.

use std::sync::Arc;

use data_encoding::HEXLOWER;
use parking_lot::RwLockReadGuard;

use super::wallet_of::wallet_of;
use super::{attribute_log, standing};
use crate::books::{Books, Published, Record};
use crate::domain::{
    Cause, Change, Currency, Event, ExternalUserId, Invalid, Member, MemberNumber, MemberProfile,
    Precondition, ProgramNumber, Refusal, Seq, Timestamp,
};
use crate::service::events;
use crate::service::random::random_bytes;
use crate::service::tenancy::caps::Caps;
use crate::service::tenancy::credentials::principal_member;
use crate::service::{Answer, Caller, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::members::{MemberFilter, Selector};
use crate::store::removals::ErasedKey;
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    Cursor, ListKind, MemberListResponse, MemberSummaryResponse, PageQuery, RemoveMemberResponse,
    SetMemberRequest, SetMemberResponse,
};

/// Options of a removal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Keep the points on the archived record.
    pub retain_balance: bool,
    /// Erase the member's personal data permanently.
    pub erase: bool,
}

impl Services {
    /// Creates, updates or restores a member.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_member(
        &self,
        key: KeyPrincipal,
        id: ExternalUserId,
        precondition: Precondition,
        request: SetMemberRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write(key, None, move |tx, key| {
            let at = tx.now(key.program);
            let found = store::members::find(tx, key.program, &Selector::External(id.clone()))?;
            precondition.check(found.as_ref().map(|member| member.version))?;
            let member = match found {
                Some(member) => merge(tx, at, member, request.profile, true)?,
                None => create(tx, caps, (at, key), &id, request.profile, None)?,
            };
            Ok(Answer::ok(&SetMemberResponse::from(&member)).at(member.version))
        })
        .await
    }

    /// A member's profile, wallet and redemption counts.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member, and for a removed one unless `include_archived`.
    pub async fn get_member(
        &self,
        key: KeyPrincipal,
        id: ExternalUserId,
        include_archived: bool,
    ) -> Result<MemberSummaryResponse, ServiceError> {
        let currency = self.directory.currency_of(key.program)?;
        self.readership.note();
        let (found, as_of) = {
            let books = self.books.read();
            (books.find(key.program, &id), books.last_seq())
        };
        let record = found
            .filter(|record| include_archived || !record.is_archived)
            .ok_or(Refusal::NotFound("member"))?;
        if let Some(member) = self.profiles.get(&record) {
            return Ok(summary(&member, (&record, as_of), &currency));
        }
        let (books, profiles) = (self.books.clone(), self.profiles.clone());
        self.look_up(key, move |connection| {
            let (member, newest) = store::members::find_with_newest(connection, key.program, &id)?
                .filter(|(member, _)| include_archived || member.archived_at.is_none())
                .ok_or(Refusal::NotFound("member"))?;
            let books = moment(&books, newest)?;
            let (record, as_of) = (account(&books, &member)?, books.last_seq());
            drop(books);
            let member = Arc::new(member);
            profiles.keep(&member);
            Ok(summary(&member, (&record, as_of), &currency))
        })
        .await
    }

    /// A page of members, newest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_members(
        &self,
        key: KeyPrincipal,
        mut filter: MemberFilter,
        page: PageQuery,
    ) -> Result<MemberListResponse, ServiceError> {
        filter.before = page.cursor.map(|cursor| MemberNumber(cursor.0));
        let books = self.books.clone();
        let currency = self.directory.currency_of(key.program)?;
        self.read(key, move |connection| {
            let program = key.program;
            // The rows and the newest row of the log are of one moment.
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let limit = page.limit + 1;
            let (mut rows, stopped_at) = match &filter.search {
                Some(search) => {
                    let wanted = (search, &filter);
                    let found = store::search::list(connection, program, wanted, limit)?;
                    (found.members, found.stopped_at)
                }
                None => (
                    store::members::list(connection, program, &filter, limit)?,
                    None,
                ),
            };
            let next_cursor = page::cut(&mut rows, page.limit)
                .map(|last| last.number)
                .or(stopped_at)
                .map(|next| Cursor(next.0).encode(ListKind::Members, program.0));
            let newest = store::log::last_seq(connection)?.unwrap_or(Seq(0));
            // Copied first: no response is rendered while the books are locked.
            let books = moment(&books, newest)?;
            let records = rows.iter().map(|member| account(&books, member));
            let records: Vec<Record> = records.collect::<Result<_, _>>()?;
            let as_of = books.last_seq();
            drop(books);
            let members = rows.iter().zip(&records);
            Ok(MemberListResponse {
                members: members
                    .map(|(member, record)| summary(member, (record, as_of), &currency))
                    .collect(),
                next_cursor,
            })
        })
        .await
    }

    /// Archives a member. For a member that is archived already, or was erased within the
    /// idempotency retention, the answer is that of the last removal.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn remove_member(
        &self,
        key: KeyPrincipal,
        id: ExternalUserId,
        precondition: Precondition,
        options: RemoveOptions,
    ) -> Result<Reply, WriteError> {
        let tokens = Arc::clone(&self.tokens);
        let retention = self.limits.idempotency_retention;
        let removed = self.write(key, None, move |tx, key| {
            let selector = Selector::External(id.clone());
            let erased_key = tokens.erased_key(key.program, &id);
            let found = store::members::find(tx, key.program, &selector)?;
            let balance_retained = if let Some(member) = found {
                precondition.check(Some(member.version))?;
                remove(tx, member, options, &erased_key)?
            } else {
                let not_before = tx.clock_now().saturating_sub(retention);
                store::removals::erased(tx, &erased_key, not_before)?
                    .ok_or(Refusal::NotFound("member"))?
            };
            Ok(Answer::ok(&RemoveMemberResponse {
                external_user_id: id.as_str().to_owned(),
                archived: true,
                balance_retained,
            }))
        });
        let reply = removed.await?;
        if options.erase && reply.status == 200 {
            self.discard_erased_files().await;
        }
        Ok(reply)
    }
}

/// The books, at least as new as the newest row of the log that a read has seen.
pub(in crate::service) fn moment(
    books: &Published,
    newest: Seq,
) -> Result<RwLockReadGuard<'_, Books>, store::Error> {
    books.read_at(newest).ok_or(store::Error::Unpublished)
}

pub(in crate::service) fn account(books: &Books, member: &Member) -> Result<Record, store::Error> {
    let record = books.record(member.number);
    record.ok_or(store::Error::Impossible("member without an account"))
}

/// The summary of a member for a key, as the log had it when a row was the newest one.
fn summary(
    member: &Member,
    (record, as_of): (&Record, Seq),
    currency: &Currency,
) -> MemberSummaryResponse {
    let wallet = wallet_of(record, as_of, currency);
    MemberSummaryResponse::new(member, wallet, &record.redemptions)
}

/// Finds a member that is not removed.
pub(in crate::service) fn current(
    connection: &Connection,
    program: ProgramNumber,
    id: ExternalUserId,
) -> Result<Member, ServiceError> {
    store::members::find(connection, program, &Selector::External(id))?
        .filter(|member| member.archived_at.is_none())
        .ok_or(ServiceError::Refused(Refusal::NotFound("member")))
}

/// The account of a member who is neither removed nor suspended.
pub(in crate::service) fn current_account(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    id: &ExternalUserId,
) -> Result<Record, ServiceError> {
    let record = tx.account_of(program, id);
    let record = record.filter(|record| !record.is_archived);
    Ok(standing::able(record.ok_or(Refusal::NotFound("member"))?)?)
}

/// The member of a request: the token's own, or the one that a key names, if it names one.
pub(in crate::service) fn subject(
    connection: &Connection,
    caller: &Caller,
    on_behalf: Option<ExternalUserId>,
) -> Result<Option<Member>, ServiceError> {
    subject_of_list(connection, caller, on_behalf, false)
}

/// [`subject`] of a list, which a key may read of a removed member too.
pub(in crate::service) fn subject_of_list(
    connection: &Connection,
    caller: &Caller,
    on_behalf: Option<ExternalUserId>,
    include_archived: bool,
) -> Result<Option<Member>, ServiceError> {
    match caller {
        Caller::Key(key) => on_behalf
            .map(|id| {
                if !include_archived {
                    return current(connection, key.program, id);
                }
                store::members::find(connection, key.program, &Selector::External(id))?
                    .ok_or(ServiceError::Refused(Refusal::NotFound("member")))
            })
            .transpose(),
        Caller::Member(principal) => {
            let member = principal_member(connection, *principal)?;
            check_on_behalf(&member, on_behalf.as_ref())?;
            Ok(Some(member))
        }
    }
}

/// The refusal of a request in which a key names no member although it has to.
pub(in crate::service) fn external_user_id_required() -> Invalid {
    Invalid::new("externalUserID", "is required when an Org-API-Key calls")
}

/// Refuses a request in which a member's token names another member.
pub(in crate::service) fn check_on_behalf(
    member: &Member,
    on_behalf: Option<&ExternalUserId>,
) -> Result<(), Refusal> {
    match on_behalf {
        Some(id) if *id != member.external_user_id => Err(Refusal::AnotherMember),
        _ => Ok(()),
    }
}

/// Creates a member, whose id must follow the current rules for ids. If a stored event is the
/// cause, it is the one with this number.
pub(in crate::service) fn create(
    tx: &mut Transaction<'_>,
    caps: Caps,
    (at, key): (Timestamp, &KeyPrincipal),
    id: &ExternalUserId,
    profile: MemberProfile,
    cause: Option<Seq>,
) -> Result<Member, ServiceError> {
    let id = ExternalUserId::parse("externalUserID", id.as_str())?;
    caps.check_member(tx, key)?;
    let program = key.program;
    let tier = match profile.tier.clone() {
        Some(tier) => tier,
        None => store::programs::get(tx, program)?.default_tier,
    };
    let mut member = Member::new(program, id, tier, at);
    apply(&mut member, profile);
    store::members::insert(tx, &mut member)?;
    store::search::index(tx, None, &member)?;
    let event = Event::MemberCreated {
        member: member.number,
        tier: member.tier.clone(),
        cause,
    };
    member.version = events::record(tx, program, at, event)?;
    store::members::update_version(tx, &member)?;
    attribute_log::record(tx, at, None, &member, None)?;
    Ok(member)
}

/// Merges a profile into a member's; `restore` also restores a removed member.
pub(in crate::service) fn merge(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    before: Member,
    profile: MemberProfile,
    restore: bool,
) -> Result<Member, ServiceError> {
    let mut member = before.clone();
    apply(&mut member, profile);
    if restore {
        member.archived_at = None;
    }
    save(tx, at, before, member, None)
}

/// Stores a member whose profile changed, perhaps by a rule, or who is not removed any more.
pub(in crate::service) fn save(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    before: Member,
    mut member: Member,
    cause: Option<Cause>,
) -> Result<Member, ServiceError> {
    let restores = before.archived_at.is_some() && member.archived_at.is_none();
    if restores {
        store::removals::forget(tx, member.number)?;
    }
    if member == before {
        return Ok(member);
    }
    store::members::update(tx, &before, &member)?;
    if restores {
        store::conversations::wait_again(tx, member.number)?;
    }
    store::search::index(tx, Some(&before), &member)?;
    let number = member.number;
    let to = member.tier.clone();
    let event = if restores {
        Event::MemberRestored {
            member: number,
            tier: to,
        }
    } else if before.tier != member.tier {
        Event::MemberTierChanged {
            member: number,
            from: before.tier,
            to,
        }
    } else {
        Event::MemberChanged { member: number }
    };
    member.version = events::record(tx, member.program, at, event)?;
    store::members::update_version(tx, &member)?;
    attribute_log::record(tx, at, before.attributes.as_ref(), &member, cause)?;
    Ok(member)
}

pub(in crate::service) fn apply(member: &mut Member, profile: MemberProfile) {
    let MemberProfile {
        display_name,
        email,
        phone,
        tier,
        attributes,
    } = profile;
    member.display_name = display_name.apply(member.display_name.take());
    member.email = email.apply(member.email.take());
    member.phone = phone.apply(member.phone.take());
    member.attributes = attributes.apply(member.attributes.take());
    if let Some(tier) = tier {
        member.tier = tier;
    }
}

/// Removes a member that is not removed yet: forfeits the balance unless it is retained, and
/// invalidates the tokens. Then erases the personal data if requested, except a hash of the id.
/// Returns whether the balance was retained.
fn remove(
    tx: &mut Transaction<'_>,
    mut member: Member,
    options: RemoveOptions,
    erased_key: &ErasedKey,
) -> Result<bool, ServiceError> {
    let at = tx.now(member.program);
    let before = member.clone();
    let is_new = member.archived_at.is_none();
    if is_new {
        standing::archive(tx, at, &mut member, options.retain_balance)?;
    }
    let retained = store::removals::retained(tx, member.number)?;
    if options.erase {
        let cleared = MemberProfile {
            display_name: Change::Clear,
            email: Change::Clear,
            phone: Change::Clear,
            tier: None,
            attributes: Change::Clear,
        };
        apply(&mut member, cleared);
        member.external_user_id = erased_id()?;
        let event = Event::MemberErased {
            member: member.number,
            id: member.external_user_id.clone(),
        };
        member.version = events::record(tx, member.program, at, event)?;
        store::search::index(tx, Some(&before), &member)?;
        store::erasure::erase(tx, member.number)?;
        store::removals::note_erased(tx, member.number, erased_key, tx.clock_now())?;
    }
    if is_new || options.erase {
        store::members::update(tx, &before, &member)?;
    }
    Ok(retained)
}

/// A random id that replaces the id of an erased member.
fn erased_id() -> Result<ExternalUserId, Invalid> {
    ExternalUserId::parse(
        "externalUserID",
        format!("erased_{}", HEXLOWER.encode(&random_bytes::<16>())),
    )
}
