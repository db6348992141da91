//! Offers: list, read, create, update, archive.

use uuid::Uuid;

use super::{members, sandbox};
use crate::domain::{
    Event, ExternalUserId, Offer, OfferId, OfferNumber, Precondition, ProgramNumber, Rate, Refusal,
    Search, Timestamp,
};
use crate::service::{
    Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page,
};
use crate::store::offers::OfferFilter;
use crate::store::{self, Connection, Counted, Transaction, WriteError};
use crate::wire::{
    CreateOfferRequest, ListKind, OfferListResponse, OfferResponse, PageQuery, PatchOfferRequest,
};

impl Services {
    /// A page of offers, newest first: those that the member can see, or for a key that names no
    /// member all that are not archived.
    ///
    /// # Errors
    /// [`ServiceError`] if the token is revoked or the database fails.
    pub async fn list_offers(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
        available: Option<bool>,
        search: Option<Search>,
        page: PageQuery,
    ) -> Result<OfferListResponse, ServiceError> {
        let clock = self.clock.clone();
        let currency = self.directory.currency_of(caller.program())?;
        self.read(caller, move |connection| {
            let program = caller.program();
            let now = sandbox::now(connection, &clock, program)?;
            let member = members::subject(connection, &caller, on_behalf)?;
            let visible_to = member.map(|member| (member.tier, now));
            let filter = OfferFilter {
                before: page.cursor.map(|cursor| OfferNumber(cursor.0)),
                visible_to,
                available: available.map(|available| (available, now)),
                search,
            };
            let mut rows = store::offers::list(connection, program, &filter, page.limit + 1)?;
            let list = (ListKind::Offers, program.0);
            let next_cursor = page::next_cursor(&mut rows, page, list, |last| last.number.0);
            let data = rows
                .iter()
                .map(|offer| OfferResponse::new(offer, now, &currency))
                .collect();
            Ok(OfferListResponse { data, next_cursor })
        })
        .await
    }

    /// An offer.
    ///
    /// # Errors
    /// `NOT_FOUND` if it is unknown or archived, or the member cannot see it.
    pub async fn get_offer(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
        id: String,
    ) -> Result<OfferResponse, ServiceError> {
        let clock = self.clock.clone();
        let currency = self.directory.currency_of(caller.program())?;
        self.look_up(caller, move |connection| {
            let now = sandbox::now(connection, &clock, caller.program())?;
            let member = members::subject(connection, &caller, on_behalf)?;
            let offer = current(connection, caller.program(), &id)?;
            match member {
                Some(member) if !offer.is_visible_to(&member.tier, now) => {
                    Err(Refusal::NotFound("offer").into())
                }
                _ => Ok(OfferResponse::new(&offer, now, &currency)),
            }
        })
        .await
    }

    /// Creates an offer.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_offer(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateOfferRequest,
    ) -> Result<Reply, WriteError> {
        let caps = self.limits.caps;
        self.write(key, idempotency, move |tx, key| {
            caps.check(tx, Counted::Offers(key.program), 1)?;
            let at = tx.now(key.program);
            let id = OfferId::from_uuid(Uuid::now_v7());
            let mut offer = store::offers::insert(tx, key.program, id, request.content, at)?;
            offer.version = tx.record(
                Some(key.program),
                at,
                Event::OfferCreated {
                    offer: offer.number,
                    id,
                    stock: offer.content.quantity_remaining,
                },
            )?;
            store::offers::update(tx, &offer)?;
            Ok(Answer::created(&shown(tx, key.program, &offer, at)?))
        })
        .await
    }

    /// Updates an offer.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_offer(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchOfferRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let before = current(tx, key.program, &id)?;
            precondition.check(Some(before.version))?;
            let offer = Offer {
                content: request.apply(before.content.clone())?,
                ..before.clone()
            };
            save(tx, key.program, &before, offer)
        })
        .await
    }

    /// Sets the display price of an offer, or clears it, so that it follows the price in points.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_offer_price(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        price: Option<Rate>,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let before = current(tx, key.program, &id)?;
            precondition.check(Some(before.version))?;
            let mut offer = before.clone();
            offer.content.display_price = price;
            save(tx, key.program, &before, offer)
        })
        .await
    }

    /// Archives an offer. Its redemptions and figures stay.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn archive_offer(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let at = tx.now(key.program);
            let mut offer = current(tx, key.program, &id)?;
            precondition.check(Some(offer.version))?;
            offer.archived_at = Some(at);
            offer.version = tx.record(
                Some(key.program),
                at,
                Event::OfferArchived {
                    offer: offer.number,
                },
            )?;
            store::offers::update(tx, &offer)?;
            Ok(Answer::ok(&shown(tx, key.program, &offer, at)?))
        })
        .await
    }
}

/// Saves an offer if its content was changed.
fn save(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    before: &Offer,
    mut offer: Offer,
) -> Result<Answer, ServiceError> {
    let at = tx.now(program);
    if offer != *before {
        let event = Event::OfferChanged {
            offer: offer.number,
            stock: offer.content.quantity_remaining,
        };
        offer.version = tx.record(Some(program), at, event)?;
        store::offers::update(tx, &offer)?;
    }
    Ok(Answer::ok(&shown(tx, program, &offer, at)?).at(offer.version))
}

/// An offer as a response shows it.
fn shown(
    tx: &mut Transaction<'_>,
    program: ProgramNumber,
    offer: &Offer,
    at: Timestamp,
) -> Result<OfferResponse, ServiceError> {
    let currency = &tx.currency(program)?.currency;
    Ok(OfferResponse::new(offer, at, currency))
}

/// Finds an offer of a program that is not archived.
pub(in crate::service) fn current(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
) -> Result<Offer, ServiceError> {
    let not_found = Refusal::NotFound("offer");
    let Some(id) = OfferId::parse(id) else {
        return Err(not_found.into());
    };
    store::offers::find(connection, program, id)?
        .filter(|offer| offer.archived_at.is_none())
        .ok_or(ServiceError::Refused(not_found))
}
