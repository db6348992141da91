//! Reads of redemptions: one, a page, the history of one.

use super::super::actors::Actors;
use super::super::members;
use crate::domain::{
    ExternalUserId, Invalid, MemberNumber, OfferId, OfferNumber, ProgramNumber, Redemption,
    RedemptionId, RedemptionNumber, Refusal, Seq,
};
use crate::service::{Caller, KeyPrincipal, ServiceError, Services, page};
use crate::store::redemptions::{Listed, RedemptionFilter};
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, ListKind, PageQuery, RedemptionHistoryEntryResponse, RedemptionHistoryResponse,
    RedemptionListResponse, RedemptionResponse,
};

/// The expectation of `offer` in a list of redemptions.
pub const UNKNOWN_OFFER: &str = "must be the id of an offer of this program, archived or not";

impl Services {
    /// A redemption.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or another member's.
    pub async fn get_redemption(
        &self,
        caller: Caller,
        id: String,
        on_behalf: Option<ExternalUserId>,
    ) -> Result<RedemptionResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            let member = members::subject(connection, &caller, on_behalf)?;
            let redemption = visible(connection, &caller, &id)?;
            match member {
                Some(member) if member.number != redemption.member => {
                    Err(Refusal::NotFound("redemption").into())
                }
                _ => {
                    let listed = store::redemptions::find_listed(connection, redemption.number)?;
                    let listed = listed.ok_or(Refusal::NotFound("redemption"))?;
                    Ok(shown(caller, listed))
                }
            }
        })
        .await
    }

    /// A page of redemptions: a member's own, or for a key the whole program's unless it names a
    /// member.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member, `FORBIDDEN` when a token names another one, [`Invalid`]
    /// for an unknown offer.
    pub async fn list_redemptions(
        &self,
        caller: Caller,
        (on_behalf, include_archived): (Option<ExternalUserId>, bool),
        offer: Option<OfferId>,
        filter: RedemptionFilter,
        page: PageQuery,
    ) -> Result<RedemptionListResponse, ServiceError> {
        self.read(caller, move |connection| {
            let program = caller.program();
            let member =
                members::subject_of_list(connection, &caller, on_behalf, include_archived)?;
            let offer = offer.map(|id| offer_number(connection, program, id));
            let after = page.cursor.map(|cursor| place(connection, program, cursor));
            let filter = RedemptionFilter {
                after: after.transpose()?,
                member: member.map(|member| member.number),
                offer: offer.transpose()?,
                ..filter
            };
            let limit = page.limit + 1;
            let mut found = store::redemptions::list(connection, program, &filter, limit)?;
            let next_cursor = page::cut(&mut found.rows, page.limit)
                .map(|last| last.redemption.number)
                .or(found.stopped_at)
                .map(|next| Cursor(next.0).encode(ListKind::Redemptions, program.0));
            let redemptions = found
                .rows
                .into_iter()
                .map(|row| shown(caller, row))
                .collect();
            Ok(RedemptionListResponse {
                redemptions,
                next_cursor,
            })
        })
        .await
    }

    /// A page of the history of a redemption, newest last.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown.
    pub async fn get_redemption_history(
        &self,
        key: KeyPrincipal,
        id: String,
        page: PageQuery,
    ) -> Result<RedemptionHistoryResponse, ServiceError> {
        self.read(key, move |connection| {
            let program = key.program;
            let redemption = visible(connection, &Caller::Key(key), &id)?;
            let after = Seq(page.cursor.map_or(0, |cursor| cursor.0));
            let limit = page.limit + 1;
            let mut rows = store::log::of_redemption(connection, redemption.number, after, limit)?;
            let list = (ListKind::RedemptionHistory, program.0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |(last, _)| last.seq.0);
            let mut actors = Actors::new(connection);
            let mut history = Vec::new();
            for (activity, actor) in &rows {
                let actor = actors.response(*actor)?;
                history.push(RedemptionHistoryEntryResponse::new(activity, actor));
            }
            Ok(RedemptionHistoryResponse {
                history,
                next_cursor,
            })
        })
        .await
    }
}

/// A redemption that the caller may see.
pub(super) fn visible(
    connection: &Connection,
    caller: &Caller,
    id: &str,
) -> Result<Redemption, ServiceError> {
    let not_found = Refusal::NotFound("redemption");
    let Some(id) = RedemptionId::parse(id) else {
        return Err(not_found.into());
    };
    let is_visible = |member: MemberNumber| match caller {
        Caller::Key(_) => true,
        Caller::Member(principal) => principal.member == member,
    };
    store::redemptions::find(connection, caller.program(), id)?
        .filter(|redemption| is_visible(redemption.member))
        .ok_or(ServiceError::Refused(not_found))
}

/// The number of the offer whose redemptions are listed.
fn offer_number(
    connection: &Connection,
    program: ProgramNumber,
    id: OfferId,
) -> Result<OfferNumber, ServiceError> {
    let offer = store::offers::find(connection, program, id)?;
    let unknown = || Invalid::new("offer", UNKNOWN_OFFER);
    Ok(offer.ok_or_else(unknown)?.number)
}

/// The place after which a page begins.
fn place(
    connection: &Connection,
    program: ProgramNumber,
    cursor: Cursor,
) -> Result<(crate::domain::Timestamp, RedemptionNumber), ServiceError> {
    let place = store::redemptions::place(connection, program, RedemptionNumber(cursor.0))?;
    let expected = "must be the nextCursor of a page of this list";
    Ok(place.ok_or_else(|| Invalid::new("cursor", expected))?)
}

/// The response for a caller: a key also gets the names.
fn shown(caller: Caller, listed: Listed) -> RedemptionResponse {
    let response = RedemptionResponse::from(&listed.redemption);
    match caller {
        Caller::Key(_) => response.named(listed.display_name, listed.offer_title),
        Caller::Member(_) => response,
    }
}
