//! Legal documents: publish, list, read, accept.

use uuid::Uuid;

use super::members;
use crate::domain::{
    Event, ExternalUserId, Invalid, Refusal, TermsType, TermsVersion, TermsVersionId,
};
use crate::service::{Answer, Caller, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, WriteError};
use crate::wire::{
    AcceptTermsRequest, PublishTermsRequest, TermsContentResponse, TermsDocumentResponse,
    TermsResponse,
};

impl Services {
    /// The present version of each document, and when the member accepted it. A key that names no
    /// member learns what is published.
    ///
    /// # Errors
    /// `NOT_FOUND` for an unknown member, `FORBIDDEN` when a token names another one.
    pub async fn get_terms(
        &self,
        caller: Caller,
        on_behalf: Option<ExternalUserId>,
    ) -> Result<TermsResponse, ServiceError> {
        self.read(caller, move |connection| {
            let member = members::subject(connection, &caller, on_behalf)?;
            let member = member.map(|member| member.number);
            let present = store::terms::present(connection, caller.program(), member)?;
            Ok(present.as_slice().into())
        })
        .await
    }

    /// A version with its text, whether it is the present one or an earlier one.
    ///
    /// # Errors
    /// `NOT_FOUND` if the program has no such version.
    pub async fn get_terms_content(
        &self,
        caller: Caller,
        version: String,
    ) -> Result<TermsContentResponse, ServiceError> {
        self.look_up(caller, move |connection| {
            members::subject(connection, &caller, None)?;
            let id = TermsVersionId::parse(&version);
            let content = id
                .map(|id| store::terms::content(connection, caller.program(), id))
                .transpose()?;
            let content = content.flatten().ok_or(Refusal::NotFound("version"))?;
            Ok(content.into())
        })
        .await
    }

    /// Publishes a version of a document. The text of the present version is not published again.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn publish_terms(
        &self,
        key: KeyPrincipal,
        of: String,
        request: PublishTermsRequest,
    ) -> Result<Reply, WriteError> {
        self.write(key, None, move |tx, key| {
            let of = TermsType::parse(&of).ok_or(Refusal::NotFound("document"))?;
            let find = |tx: &store::Connection| -> Result<_, store::Error> {
                let all = store::terms::present(tx, key.program, None)?;
                Ok(all.into_iter().find(|terms| terms.version.of == of))
            };
            if let Some(present) = find(tx)? {
                let content = store::terms::content(tx, key.program, present.version.id)?;
                if content.is_some_and(|content| content.html == request.content_html) {
                    return Ok(Answer::ok(&TermsDocumentResponse::from(&present)));
                }
            }
            let at = tx.now(key.program);
            let id = TermsVersionId::from_uuid(Uuid::now_v7());
            let event = Event::TermsPublished { version: id, of };
            let seq = tx.record(Some(key.program), at, event)?;
            let version = TermsVersion { id, of };
            store::terms::publish(tx, (key.program, seq), version, &request.content_html)?;
            let published = find(tx)?.ok_or(store::Error::Impossible("version"))?;
            Ok(Answer::ok(&TermsDocumentResponse::from(&published)))
        })
        .await
    }

    /// Accepts versions for a member: all of them or, if one is unknown, none. What was accepted
    /// before keeps its time.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn accept_terms(
        &self,
        caller: Caller,
        idempotency: Option<IdempotencyKey>,
        request: AcceptTermsRequest,
    ) -> Result<Reply, WriteError> {
        self.write(caller, idempotency, move |tx, caller| {
            let program = caller.program();
            let member = members::subject(tx, caller, request.external_user_id)?
                .ok_or_else(members::external_user_id_required)?
                .number;
            let at = tx.now(program);
            for (index, version) in request.versions.into_iter().enumerate() {
                let published = store::terms::publication(tx, program, version)?;
                let published = published.ok_or_else(|| {
                    let expected = "must be a version of a document that the program published";
                    Invalid::new(format!("versions[{index}]"), expected)
                })?;
                if !store::terms::is_accepted(tx, member, published)? {
                    let event = Event::TermsAccepted { member, version };
                    let seq = tx.record(Some(program), at, event)?;
                    store::terms::accept(tx, member, published, seq)?;
                }
            }
            let present = store::terms::present(tx, program, Some(member))?;
            Ok(Answer::ok(&TermsResponse::from(present.as_slice())))
        })
        .await
    }
}
