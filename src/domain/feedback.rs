//! Feedback: how a member rates a completed redemption.

use super::row::{Cells, Field, Fields, Row};
use super::{Cell, Column, Comment, MemberNumber, OfferNumber, RedemptionNumber, Timestamp};

/// A rating, from 0 to 10.
///
/// ```
/// use stampcard::domain::Rating;
/// assert_eq!(Rating::new(10).unwrap().get(), 10);
/// assert_eq!(Rating::new(11), None);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rating(u8);

impl Rating {
    /// The best one.
    pub const MAX: i64 = 10;

    /// Each as the text in the log.
    const TEXTS: [&str; 11] = ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

    /// The rating with this number.
    pub fn new(number: i64) -> Option<Self> {
        let number = u8::try_from(number).ok()?;
        (i64::from(number) <= Self::MAX).then_some(Self(number))
    }

    /// The number.
    pub fn get(self) -> u8 {
        self.0
    }
}

impl Field for Rating {
    fn cell(&self) -> Cell<'_> {
        Cell::Text(Self::TEXTS[usize::from(self.0)])
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        let text = cell.text()?;
        let place = Self::TEXTS.iter().position(|known| *known == text)?;
        u8::try_from(place).ok().map(Self)
    }
}

/// The feedback on a redemption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feedback {
    /// The rating.
    pub rating: Rating,
    /// The member's comment.
    pub comment: Option<Comment>,
    /// When it was submitted.
    pub submitted_at: Timestamp,
}

/// Feedback that was submitted, which replaces the feedback before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedemptionRating {
    /// The member.
    pub member: MemberNumber,
    /// The redeemed offer.
    pub offer: OfferNumber,
    /// The redemption.
    pub redemption: RedemptionNumber,
    /// The rating that it replaces.
    pub replaced: Option<Rating>,
    /// The rating.
    pub rating: Rating,
    /// The member's comment. It is personal text, which the row does not hold.
    pub comment: Option<Comment>,
}

impl Fields for RedemptionRating {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::Offer,
        Column::Redemption,
        Column::From,
        Column::To,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::Offer, self.offer.cell());
        row.set(Column::Redemption, self.redemption.cell());
        row.set(Column::From, self.replaced.cell());
        row.set(Column::To, self.rating.cell());
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            member: MemberNumber::of(cells.cell(Column::Member))?,
            offer: OfferNumber::of(cells.cell(Column::Offer))?,
            redemption: RedemptionNumber::of(cells.cell(Column::Redemption))?,
            replaced: Option::of(cells.cell(Column::From))?,
            rating: Rating::of(cells.cell(Column::To))?,
            comment: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_is_read_back_from_its_text() {
        for number in 0..=Rating::MAX {
            let rating = Rating::new(number).unwrap();
            assert_eq!(rating.cell(), Cell::Text(&number.to_string()));
            assert_eq!(Rating::of(rating.cell()), Some(rating));
        }
        for text in ["", "-1", "11", "07", "7.0", "OPEN"] {
            assert_eq!(Rating::of(Cell::Text(text)), None, "{text}");
        }
        assert_eq!(Rating::of(Cell::Integer(7)), None);
        assert_eq!(Rating::new(-1), None);
    }
}
