//! Redemptions.

use super::{
    Change, ConversationId, ExternalUserId, Feedback, MemberNumber, Note, OfferId, OfferNumber,
    Points, RedemptionCode, RedemptionId, RedemptionNumber, Refusal, Status, Timestamp,
};

/// The order of a list of redemptions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RedemptionOrder {
    /// Newest first.
    #[default]
    Newest,
    /// Oldest first.
    Oldest,
}

impl RedemptionOrder {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Newest, Self::Oldest];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Oldest => "oldest",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|order| order.as_str() == name)
    }
}

/// The party that moves a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// The member it belongs to.
    Member,
    /// The operator, with an Org-API-Key.
    Operator,
}

/// Why a redemption was canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum CancelReason {
    SoldOut,
    VendorDeclined,
    DateUnavailable,
    MemberRequested,
    Expired,
    Other,
}

impl CancelReason {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::SoldOut,
        Self::VendorDeclined,
        Self::DateUnavailable,
        Self::MemberRequested,
        Self::Expired,
        Self::Other,
    ];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SoldOut => "SOLD_OUT",
            Self::VendorDeclined => "VENDOR_DECLINED",
            Self::DateUnavailable => "DATE_UNAVAILABLE",
            Self::MemberRequested => "MEMBER_REQUESTED",
            Self::Expired => "EXPIRED",
            Self::Other => "OTHER",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// The changes of a redemption by a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedemptionPatch {
    /// The new status.
    pub status: Option<Status>,
    /// When the experience starts.
    pub start_at: Change<Timestamp>,
    /// When the experience ends.
    pub end_at: Change<Timestamp>,
    /// Why it is canceled; only on a canceled redemption.
    pub canceled_reason: Change<CancelReason>,
    /// The operator's note on that; only on a canceled redemption.
    pub canceled_note: Change<Note>,
}

/// A member's booking of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The row.
    pub number: RedemptionNumber,
    /// The public id.
    pub id: RedemptionId,
    /// The member.
    pub member: MemberNumber,
    /// The operator's own id of the member.
    pub external_user_id: ExternalUserId,
    /// The row of the offer.
    pub offer: OfferNumber,
    /// The public id of the offer.
    pub offer_id: OfferId,
    /// The code, which no other redemption of the program has. None if 0.1.0 created it.
    pub code: Option<RedemptionCode>,
    /// The status.
    pub status: Status,
    /// The points that were charged, which a cancellation returns.
    pub charged: Points,
    /// Whether it took a piece of the stock, which a cancellation returns.
    pub took_stock: bool,
    /// When the experience starts.
    pub start_at: Option<Timestamp>,
    /// When the experience ends.
    pub end_at: Option<Timestamp>,
    /// Why it was canceled.
    pub canceled_reason: Option<CancelReason>,
    /// The operator's note on that.
    pub canceled_note: Option<Note>,
    /// The member's feedback, once it is completed.
    pub feedback: Option<Feedback>,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Redemption {
    /// The conversation about it, whose id has the same bytes with another prefix.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::from_uuid(*self.id.as_uuid())
    }

    /// Checks whether `actor` may move it to `next`. `Ok(false)` means that it has that status.
    ///
    /// # Errors
    /// [`Refusal::RedemptionTransitionInvalid`] if the move is not allowed.
    pub fn check_move(&self, next: Status, actor: Mover) -> Result<bool, Refusal> {
        if self.status == next {
            return Ok(false);
        }
        let too_late =
            actor == Mover::Member && !matches!(self.status, Status::Submitted | Status::Open);
        if too_late || !self.status.may_become(next) {
            return Err(Refusal::RedemptionTransitionInvalid {
                from: self.status,
                to: next,
            });
        }
        Ok(true)
    }
}
