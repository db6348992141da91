//! Redemptions.

use super::row::{Cells, Field, Fields, Row};
use super::{
    Cell, Change, Column, ConversationId, ExternalUserId, Feedback, MemberNumber, Note, OfferId,
    OfferNumber, Points, Reason, RedemptionCode, RedemptionId, RedemptionNumber, Refusal, Status,
    Timestamp,
};

/// A number of units of an offer that are redeemed together.
///
/// ```
/// use stampcard::domain::Units;
/// assert_eq!(Units::new(3).unwrap().get(), 3);
/// assert_eq!(Units::new(0), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Units(i64);

impl Units {
    /// One.
    pub const ONE: Self = Self(1);
    /// The most units.
    pub const MAX: i64 = 10_000;

    /// A number from 1 to [`MAX`](Self::MAX).
    pub fn new(number: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> i64 {
        self.0
    }
}

/// Most redemptions are of one, of which the log says nothing.
impl Field for Units {
    fn cell(&self) -> Cell<'_> {
        match self.0 {
            1 => Cell::Null,
            many => Cell::Integer(many),
        }
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        match cell {
            Cell::Null => Some(Self::ONE),
            cell => Self::new(cell.integer()?).filter(|units| *units != Self::ONE),
        }
    }
}

/// A return of units of a redemption, of which the others are kept or were returned before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionReturn {
    /// The member.
    pub member: MemberNumber,
    /// The redeemed offer.
    pub offer: OfferNumber,
    /// The redemption.
    pub redemption: RedemptionNumber,
    /// The units.
    pub units: Units,
    /// Why. It may be a personal text, which the row does not hold.
    pub reason: Option<Reason>,
}

impl Fields for RedemptionReturn {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::Offer,
        Column::Redemption,
        Column::Available,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::Offer, self.offer.cell());
        row.set(Column::Redemption, self.redemption.cell());
        row.set(Column::Available, self.units.cell());
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            member: MemberNumber::of(cells.cell(Column::Member))?,
            offer: OfferNumber::of(cells.cell(Column::Offer))?,
            redemption: RedemptionNumber::of(cells.cell(Column::Redemption))?,
            units: Units::of(cells.cell(Column::Available))?,
            reason: None,
        })
    }
}

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
    /// The units of the offer, which share the points equally.
    pub quantity: Units,
    /// The units that were returned while the rest was kept.
    pub returned: i64,
    /// Whether its units are of the stock, to which a cancellation returns them.
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
    /// A free redemption of one unit, which is not stored yet.
    pub fn submitted(
        id: RedemptionId,
        (member, external_user_id): (MemberNumber, ExternalUserId),
        (offer, offer_id): (OfferNumber, OfferId),
        created_at: Timestamp,
    ) -> Self {
        Self {
            number: RedemptionNumber(0),
            id,
            member,
            external_user_id,
            offer,
            offer_id,
            code: None,
            status: Status::Submitted,
            charged: Points::ZERO,
            quantity: Units::ONE,
            returned: 0,
            took_stock: false,
            start_at: None,
            end_at: None,
            canceled_reason: None,
            canceled_note: None,
            feedback: None,
            created_at,
        }
    }

    /// The conversation about it, whose id has the same bytes with another prefix.
    pub fn conversation(&self) -> ConversationId {
        ConversationId::from_uuid(*self.id.as_uuid())
    }

    /// The units that were not returned.
    pub fn left(&self) -> i64 {
        match self.status {
            Status::Canceled => 0,
            _ => self.quantity.get() - self.returned,
        }
    }

    /// The points of some of its units.
    pub fn points_of(&self, units: i64) -> Points {
        let points = self.charged.get() / self.quantity.get() * units;
        Points::new(points).unwrap_or(self.charged)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_unit_is_no_cell_and_others_are_numbers() {
        for number in [1, 2, Units::MAX] {
            let units = Units::new(number).unwrap();
            assert_eq!(Units::of(units.cell()), Some(units));
        }
        assert_eq!(Units::ONE.cell(), Cell::Null);
        for number in [-1, 0, 1, Units::MAX + 1] {
            assert_eq!(Units::of(Cell::Integer(number)), None, "{number}");
        }
        assert_eq!(Units::of(Cell::Text("2")), None);
    }
}
