//! Redemptions and the way they go.

use super::{
    Change, ConversationId, ExternalUserId, MemberNumber, Note, OfferId, OfferNumber, Points,
    RedemptionId, RedemptionNumber, Refusal, Status, Timestamp,
};

/// Which of a list's redemptions come first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum RedemptionOrder {
    /// Those made last.
    #[default]
    Newest,
    /// Those made first.
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

/// Who moves a redemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mover {
    /// The member it belongs to.
    Member,
    /// The operator, with an Org-API-Key.
    Operator,
}

/// Why a redemption was canceled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say all there is to say")]
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

/// What a request wants changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedemptionPatch {
    /// Where it should stand.
    pub status: Option<Status>,
    /// When the experience starts.
    pub start_at: Change<Timestamp>,
    /// When the experience ends.
    pub end_at: Change<Timestamp>,
    /// Why it is canceled; only on a canceled redemption.
    pub canceled_reason: Change<CancelReason>,
    /// What the operator says about that; only on a canceled redemption.
    pub canceled_note: Change<Note>,
}

/// A member's booking of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redemption {
    /// The row.
    pub number: RedemptionNumber,
    /// The public id.
    pub id: RedemptionId,
    /// Whose it is.
    pub member: MemberNumber,
    /// The operator's own id for the member.
    pub external_user_id: ExternalUserId,
    /// What was booked.
    pub offer: OfferNumber,
    /// The public id of what was booked.
    pub offer_id: OfferId,
    /// Where it stands.
    pub status: Status,
    /// What was charged and a cancellation returns.
    pub charged: Points,
    /// Whether it took a piece that a cancellation gives back.
    pub took_stock: bool,
    /// When the experience starts.
    pub start_at: Option<Timestamp>,
    /// When the experience ends.
    pub end_at: Option<Timestamp>,
    /// Why it was canceled.
    pub canceled_reason: Option<CancelReason>,
    /// What the operator said about that.
    pub canceled_note: Option<Note>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Redemption {
    /// Where the member and the operator talk about it: the same bytes behind another prefix.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::from_uuid(*self.id.as_uuid())
    }

    /// Whether `actor` may move it to `next`. `Ok(false)` means that it stands there already.
    ///
    /// # Errors
    /// [`Refusal::RedemptionTransitionInvalid`] if not.
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
