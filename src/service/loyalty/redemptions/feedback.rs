//! Feedback of members on their completed redemptions.

use super::reading::visible;
use crate::domain::{Actor, Event, Feedback, Redemption, RedemptionRating, Refusal, Status};
use crate::service::events;
use crate::service::{
    Answer, Caller, KeyPrincipal, MemberPrincipal, Reply, ServiceError, Services,
};
use crate::store::{self, Transaction, WriteError};
use crate::wire::{RedemptionResponse, SetRedemptionFeedbackRequest};

impl Services {
    /// Sets a member's feedback on a redemption, or replaces it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_redemption_feedback(
        &self,
        member: MemberPrincipal,
        id: String,
        request: SetRedemptionFeedbackRequest,
    ) -> Result<Reply, WriteError> {
        self.set_feedback(Caller::Member(member), id, request).await
    }

    /// Sets feedback as the member whose redemption it is. For generated histories, whose members
    /// have no tokens.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn set_feedback_as_member(
        &self,
        key: KeyPrincipal,
        id: String,
        request: SetRedemptionFeedbackRequest,
    ) -> Result<Reply, WriteError> {
        self.set_feedback(Caller::Key(key), id, request).await
    }

    async fn set_feedback(
        &self,
        caller: Caller,
        id: String,
        request: SetRedemptionFeedbackRequest,
    ) -> Result<Reply, WriteError> {
        self.write(caller, None, move |tx, caller| {
            tx.act_as(Actor::Member);
            let redemption = visible(tx, caller, &id)?;
            let rated = rate(tx, caller, redemption, request)?;
            Ok(Answer::ok(&RedemptionResponse::from(&rated)))
        })
        .await
    }
}

/// Sets the feedback on a redemption. The same feedback again changes nothing.
fn rate(
    tx: &mut Transaction<'_>,
    caller: &Caller,
    mut redemption: Redemption,
    request: SetRedemptionFeedbackRequest,
) -> Result<Redemption, ServiceError> {
    if redemption.status != Status::Completed {
        return Err(Refusal::RedemptionNotCompleted(redemption.status).into());
    }
    let SetRedemptionFeedbackRequest { rating, comment } = request;
    let before = redemption.feedback.as_ref();
    if before.is_some_and(|before| (before.rating, &before.comment) == (rating, &comment)) {
        return Ok(redemption);
    }
    let at = tx.now(caller.program());
    let event = Event::RedemptionRated(RedemptionRating {
        member: redemption.member,
        offer: redemption.offer,
        redemption: redemption.number,
        replaced: before.map(|before| before.rating),
        rating,
        comment: comment.clone(),
    });
    redemption.feedback = Some(Feedback {
        rating,
        comment,
        submitted_at: at,
    });
    store::redemptions::update(tx, &redemption)?;
    events::record(tx, caller.program(), at, event)?;
    Ok(redemption)
}
