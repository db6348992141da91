//! What happened: one typed row of the activity log.

use serde::{Deserialize, Serialize};

use super::row::{Cells, Field as _, Fields, Row, fields};
use super::{
    Column, CredentialNumber, Event, MemberNumber, OfferNumber, Points, ProgramNumber, Reason,
    RedemptionNumber, Status, Timestamp,
};

/// The number of an activity: the order of commits, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Seq(pub i64);

impl Seq {
    /// The largest that a row may have, 2^53: a double still holds it exactly, and there is room
    /// for more than any server will ever add.
    pub const MAX: i64 = 1 << 53;

    /// The number of a stored row.
    pub fn parse_stored(number: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&number).then_some(Self(number))
    }
}

/// The kind of a ledger entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Entry {
    /// The operator gave points.
    Mint,
    /// A redemption took points.
    Spend,
    /// A canceled redemption gave points back.
    Refund,
    /// A removal took what was left.
    Forfeit,
    /// The operator took points, to correct a mistake.
    Debit,
}

impl Entry {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::Mint,
        Self::Spend,
        Self::Refund,
        Self::Forfeit,
        Self::Debit,
    ];

    /// Whether it adds to the wallet.
    pub const fn is_credit(self) -> bool {
        matches!(self, Self::Mint | Self::Refund)
    }

    /// The number in the log, from 1.
    pub fn number(self) -> i64 {
        self as i64 + 1
    }

    /// The entry of this number.
    pub fn of_number(number: i64) -> Option<Self> {
        usize::try_from(number - 1)
            .ok()
            .and_then(|index| Self::ALL.get(index).copied())
    }
}

/// One movement of points in one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerEntry {
    /// What kind of movement.
    pub entry: Entry,
    /// How many points, at least one.
    pub amount: Points,
    /// Whose wallet.
    pub member: MemberNumber,
    /// The offer, on a spend and a refund.
    pub offer: Option<OfferNumber>,
    /// The redemption, on a spend and a refund.
    pub redemption: Option<RedemptionNumber>,
    /// Whether it is the member's first mint or spend.
    pub first: bool,
    /// What the caller gave as the reason. It is a person's words, which do not stand in the row.
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
        let is_booked = matches!(entry, Entry::Spend | Entry::Refund);
        let booked = |column| {
            if is_booked {
                cells.cell(column)
            } else {
                super::Cell::Null
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

fields! {
    /// A redemption that went from one status to another.
    pub struct RedemptionMove {
        /// Whose it is.
        member: MemberNumber = Member,
        /// The offer that was redeemed.
        offer: OfferNumber = Offer,
        /// The redemption.
        redemption: RedemptionNumber = Redemption,
        /// The status it left.
        from: Status = From,
        /// The status it entered.
        to: Status = To,
    }
}

/// Who or what caused an activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An Org-API-Key.
    Key(CredentialNumber),
    /// The member that the activity is about, by a token.
    Member,
    /// A partner key.
    Partner(CredentialNumber),
    /// An earning rule; the row names its version and the event.
    Rule,
    /// The scheduler: something was due.
    Scheduler,
    /// The server itself, or an operator on the command line.
    Server,
}

impl Actor {
    /// The kind of actor in the log, and which one where there are several.
    pub fn numbers(self) -> (i64, Option<i64>) {
        match self {
            Self::Key(key) => (1, Some(key.0)),
            Self::Member => (2, None),
            Self::Partner(key) => (3, Some(key.0)),
            Self::Rule => (4, None),
            Self::Scheduler => (5, None),
            Self::Server => (6, None),
        }
    }

    /// The word for its kind on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Member => "member",
            Self::Partner(_) => "partner",
            Self::Rule => "rule",
            Self::Scheduler => "scheduler",
            Self::Server => "server",
        }
    }

    /// The actor of these numbers; `None` if there is none such.
    pub fn of_numbers(kind: i64, number: Option<i64>) -> Option<Self> {
        let key = number.map(CredentialNumber);
        Some(match kind {
            1 => Self::Key(key?),
            2 => Self::Member,
            3 => Self::Partner(key?),
            4 => Self::Rule,
            5 => Self::Scheduler,
            6 => Self::Server,
            _ => return None,
        })
    }
}

/// One row of the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The program it happened in; `None` for what happens to an organization.
    pub program: Option<ProgramNumber>,
    /// What happened.
    pub event: Event,
}
