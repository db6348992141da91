//! Requests of the demo to the service layer, and their outcomes.

use crate::domain::{ExternalUserId, Precondition, Status};
use crate::service::{Caller, KeyPrincipal, RemoveOptions, Reply, Services};
use crate::store::WriteError;
use crate::wire::{
    AcceptTermsRequest, CreateOfferRequest, CreateRedemptionRequest, CreditRequest, DebitRequest,
    ExchangeTokenRequest, PatchRedemptionRequest, SendMessageRequest, SetMemberRequest,
    SetRedemptionFeedbackRequest,
};

/// A request.
#[derive(Debug, Clone)]
pub(super) enum Deed {
    Publish(Box<CreateOfferRequest>),
    Exchange(ExchangeTokenRequest),
    Accept(AcceptTermsRequest),
    Credit(CreditRequest),
    Debit(DebitRequest),
    SetMember(ExternalUserId, SetMemberRequest),
    Remove(ExternalUserId),
    Book(CreateRedemptionRequest),
    Move(String, PatchRedemptionRequest),
    /// A member rates a booking.
    Rate(String, SetRedemptionFeedbackRequest),
    /// A member sends a message.
    Ask(String, SendMessageRequest),
    /// The operator sends a message.
    Answer(String, SendMessageRequest),
}

/// The part of a response that the demo records.
#[derive(Debug, Clone, Copy)]
pub(super) enum Outcome {
    Nothing,
    /// The balance of a member, after a credit or debit.
    Balance(usize),
    Published(usize),
    Booked(usize, usize),
    Moved(usize, Status),
    Asked(usize),
}

impl Deed {
    pub(super) async fn carry_out(
        self,
        services: &Services,
        key: KeyPrincipal,
    ) -> Result<Reply, WriteError> {
        match self {
            Self::Publish(request) => services.create_offer(key, None, *request).await,
            Self::Exchange(request) => services.exchange_token(key, None, request).await,
            Self::Accept(request) => {
                let caller = Caller::Key(key);
                services.accept_terms(caller, None, request).await
            }
            Self::Credit(request) => services.credit_wallet(key, None, request).await,
            Self::Debit(request) => services.debit_wallet(key, None, request).await,
            Self::SetMember(id, request) => {
                let precondition = Precondition::NONE;
                services.set_member(key, id, precondition, request).await
            }
            Self::Remove(id) => {
                let options = RemoveOptions::default();
                services
                    .remove_member(key, id, Precondition::NONE, options)
                    .await
            }
            Self::Book(request) => {
                let caller = Caller::Key(key);
                services.create_redemption(caller, None, request).await
            }
            Self::Move(id, request) => services.patch_redemption(key, id, request).await,
            Self::Rate(id, request) => services.set_feedback_as_member(key, id, request).await,
            Self::Ask(id, request) => services.send_message_as_member(key, id, request).await,
            Self::Answer(id, request) => {
                let caller = Caller::Key(key);
                services.send_message(caller, None, id, request).await
            }
        }
    }
}
