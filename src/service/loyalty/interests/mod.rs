//! Interests: create, read, list, replace the intake, close.

mod phone;

use uuid::Uuid;

use super::{members, offers};
use crate::domain::{
    Event, ExternalUserId, Gateway, Intake, Interest, InterestId, InterestStatus, Member,
    MemberNumber, ProgramNumber, Refusal, Seq, Timestamp,
};
use crate::error::Surface;
use crate::service::events::gateways::parcel;
use crate::service::{
    Answer, Caller, IdempotencyKey, KeyPrincipal, MemberPrincipal, Reply, ServiceError, Services,
    page,
};
use crate::store::interests::{InterestFilter, ListedInterest};
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    CreateInterestRequest, InterestListResponse, InterestResponse, ListKind, PageQuery,
    PatchInterestRequest, SensitiveDetailsData, SetIntakeRequest,
};

impl Services {
    /// Creates an interest and its conversation.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_interest(
        &self,
        caller: Caller,
        idempotency: Option<IdempotencyKey>,
        request: CreateInterestRequest,
    ) -> Result<Reply, WriteError> {
        self.write(caller, idempotency, move |tx, caller| {
            let program = caller.program();
            let member = members::subject(tx, caller, request.external_user_id)?
                .ok_or_else(members::external_user_id_required)?;
            let interest = create(tx, program, &member, (&request.offer, request.intake))?;
            let answer = Answer::created(&InterestResponse::from(&interest));
            Ok(answer.with_words_of(member.number))
        })
        .await
    }

    /// An interest.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn get_interest(
        &self,
        caller: Caller,
        id: String,
    ) -> Result<InterestResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            Ok(shown(caller, visible(connection, &caller, &id)?))
        })
        .await
    }

    /// A page of the program's interests, newest first, or of a member's.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member.
    pub async fn list_interests(
        &self,
        key: KeyPrincipal,
        (of, include_archived): (Option<ExternalUserId>, bool),
        status: Option<InterestStatus>,
        page: PageQuery,
    ) -> Result<InterestListResponse, ServiceError> {
        self.read(key, move |connection| {
            let caller = Caller::Key(key);
            let member = members::subject_of_list(connection, &caller, of, include_archived)?;
            let filter = InterestFilter {
                member: member.map(|member| member.number),
                status,
                before: page.cursor.map(|cursor| Seq(cursor.0)),
            };
            let limit = page.limit + 1;
            let mut rows = store::interests::list(connection, key.program, filter, limit)?;
            let list = (ListKind::Interests, key.program.0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |last| last.interest.seq.0);
            let interests = rows.into_iter().map(|row| shown(caller, row)).collect();
            Ok(InterestListResponse {
                interests,
                next_cursor,
            })
        })
        .await
    }

    /// Closes an interest.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_interest(
        &self,
        key: KeyPrincipal,
        id: String,
        request: PatchInterestRequest,
    ) -> Result<Reply, WriteError> {
        self.write(Caller::Key(key), None, move |tx, caller| {
            let mut found = visible(tx, caller, &id)?;
            found.interest.leave_for(request.status)?;
            let at = tx.now(caller.program());
            save(tx, (caller.program(), at), &found.interest)?;
            Ok(Answer::ok(&shown(*caller, found)))
        })
        .await
    }

    /// Replaces the intake of an interest. Sensitive details go to the concierge first; if it does
    /// not accept them, nothing is changed. Without a concierge they are dropped.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_interest_intake(
        &self,
        member: MemberPrincipal,
        id: String,
        request: SetIntakeRequest,
    ) -> Result<Reply, WriteError> {
        let caller = Caller::Member(member);
        let sent = if request.has_details() {
            self.forward_details(member, &id, &request).await
        } else {
            Ok(false)
        };
        let refused = |refusal| Answer::refusal(Surface::Expys, &refusal).into_reply();
        let were_sent = match sent {
            Ok(sent) => sent,
            Err(ServiceError::Refused(refusal)) => return Ok(refused(refusal)),
            // The write meets the same fault, and reports it.
            Err(ServiceError::Storage(_)) => false,
        };
        self.write(caller, None, move |tx, caller| {
            members::subject(tx, caller, None)?;
            let mut interest = visible(tx, caller, &id)?.interest;
            let at = tx.now(caller.program());
            interest.replace_intake(request.intake);
            if were_sent {
                interest.details_sent_at = Some(at);
            }
            save(tx, (caller.program(), at), &interest)?;
            Ok(Answer::ok(&InterestResponse::from(&interest)))
        })
        .await
    }

    /// Forwards sensitive details. Returns whether there is a concierge, who then has them.
    async fn forward_details(
        &self,
        member: MemberPrincipal,
        id: &str,
        request: &SetIntakeRequest,
    ) -> Result<bool, ServiceError> {
        let (gateways, id) = (self.gateways.clone(), id.to_owned());
        let caller = Caller::Member(member);
        let found = self.look_up(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            let interest = visible(connection, &caller, &id)?.interest;
            let target = gateways.find(connection, member.program, Gateway::Concierge)?;
            Ok(target.map(|target| (interest.id, target)))
        });
        let Some((id, target)) = found.await? else {
            return Ok(false);
        };
        let data = SensitiveDetailsData::of(id.to_string(), request);
        let place = (member.program, member.environment);
        let gateway = (Gateway::Concierge, target);
        let sending = self
            .gateways
            .post(parcel(place, gateway, self.now(), &data));
        if sending.await {
            Ok(true)
        } else {
            Err(Refusal::ConciergeUnavailable.into())
        }
    }
}

/// Creates an interest of a member in an offer that the member sees.
fn create(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    member: &Member,
    (offer, intake): (&str, Intake),
) -> Result<Interest, ServiceError> {
    let at = tx.now(program);
    let offer = offers::current(tx, program, offer)?;
    if !offer.is_visible_to(&member.tier, at) {
        return Err(Refusal::NotFound("offer").into());
    }
    let mut interest = Interest {
        seq: Seq(0),
        id: InterestId::from_uuid(Uuid::now_v7()),
        member: member.number,
        offer: offer.number,
        offer_id: offer.id,
        status: InterestStatus::Submitted,
        created_at: at,
        intake: Some(intake).filter(|intake| *intake != Intake::default()),
        phone_verified: false,
        details_sent_at: None,
    };
    let event = Event::InterestCreated {
        member: member.number,
        offer: offer.number,
        interest: interest.id,
    };
    interest.seq = tx.record(Some(program), at, event)?;
    store::interests::insert(tx, program, &interest)?;
    let about = (None, Some(&offer.content.title));
    let place = (program, member.number);
    store::conversations::insert(tx, place, interest.conversation(), about, at)?;
    Ok(interest)
}

/// Records that an interest changed, and writes it.
pub(super) fn save(
    tx: &mut Transaction<'_>,
    (program, at): (ProgramNumber, Timestamp),
    interest: &Interest,
) -> Result<(), ServiceError> {
    let event = Event::InterestChanged {
        member: interest.member,
        interest: interest.id,
        status: interest.status,
        phone_verified: interest.phone_verified,
    };
    let changed = tx.record(Some(program), at, event)?;
    Ok(store::interests::update(tx, interest, changed)?)
}

/// An interest of a member.
pub(super) fn of_member(
    connection: &Connection,
    (program, member): (ProgramNumber, MemberNumber),
    id: &str,
) -> Result<Interest, ServiceError> {
    let found = find(connection, program, id)?;
    found
        .map(|found| found.interest)
        .filter(|interest| interest.member == member)
        .ok_or(ServiceError::Refused(Refusal::NotFound("interest")))
}

/// An interest that the caller may see.
fn visible(
    connection: &Connection,
    caller: &Caller,
    id: &str,
) -> Result<ListedInterest, ServiceError> {
    let is_visible = |found: &ListedInterest| match caller {
        Caller::Key(_) => true,
        Caller::Member(principal) => principal.member == found.interest.member,
    };
    find(connection, caller.program(), id)?
        .filter(is_visible)
        .ok_or(ServiceError::Refused(Refusal::NotFound("interest")))
}

fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
) -> Result<Option<ListedInterest>, store::Error> {
    let id = InterestId::parse(id);
    let found = id.map(|id| store::interests::find(connection, program, id));
    Ok(found.transpose()?.flatten())
}

/// The response for a caller: a key also gets the names.
fn shown(caller: Caller, listed: ListedInterest) -> InterestResponse {
    let response = InterestResponse::from(&listed.interest);
    match caller {
        Caller::Key(_) => response.named(
            listed.external_user_id,
            listed.display_name,
            listed.offer_title,
        ),
        Caller::Member(_) => response,
    }
}
