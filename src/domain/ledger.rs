//! Ledger entries: movements of points in wallets.

use super::row::{Cells, Field as _, Fields, Row};
use super::{Cell, Column, MemberNumber, OfferNumber, Points, Reason, RedemptionNumber};

/// The kind of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The operator credited points.
    Mint,
    /// A redemption took points.
    Spend,
    /// A canceled redemption returned its points.
    Refund,
    /// A deletion of the member took the remaining points.
    Forfeit,
    /// The operator took points to correct a mistake.
    Debit,
}

impl Entry {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Mint,
        Self::Spend,
        Self::Refund,
        Self::Forfeit,
        Self::Debit,
    ];

    /// Whether it adds points to the wallet.
    pub const fn is_credit(self) -> bool {
        matches!(self, Self::Mint | Self::Refund)
    }

    /// Whether it is of a redemption.
    pub const fn is_booked(self) -> bool {
        matches!(self, Self::Spend | Self::Refund)
    }

    /// The number in the log, from 1.
    pub fn number(self) -> i64 {
        self as i64 + 1
    }

    /// The kind with this number.
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number - 1)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
    }
}

/// One movement of points in one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// The kind of movement.
    pub entry: Entry,
    /// The number of points, at least one.
    pub amount: Points,
    /// The member whose wallet changed.
    pub member: MemberNumber,
    /// The offer, on a spend and a refund.
    pub offer: Option<OfferNumber>,
    /// The redemption, on a spend and a refund.
    pub redemption: Option<RedemptionNumber>,
    /// Whether it is the member's first mint or spend.
    pub first: bool,
    /// The reason that the caller gave. It is personal text, which the row does not hold.
    pub reason: Option<Reason>,
}

impl Fields for LedgerEntry {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::Entry,
        Column::Amount,
        Column::Flag,
        Column::Offer,
        Column::Redemption,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::Entry, self.entry.cell());
        row.set(Column::Amount, self.amount.cell());
        row.set(Column::Flag, self.first.cell());
        row.set(Column::Offer, self.offer.cell());
        row.set(Column::Redemption, self.redemption.cell());
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        let entry = Entry::of(cells.cell(Column::Entry))?;
        // Most entries are mints, which have neither an offer nor a redemption to look for.
        let booked = |column| {
            if entry.is_booked() {
                cells.cell(column)
            } else {
                Cell::Null
            }
        };
        Some(Self {
            entry,
            amount: Points::of(cells.cell(Column::Amount)).filter(|amount| !amount.is_zero())?,
            member: MemberNumber::of(cells.cell(Column::Member))?,
            offer: Option::of(booked(Column::Offer))?,
            redemption: Option::of(booked(Column::Redemption))?,
            first: bool::of(cells.cell(Column::Flag))?,
            reason: None,
        })
    }
}
