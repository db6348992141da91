//! Ledger entries: movements of points in wallets.

use super::row::{Cells, Field as _, Fields, Row};
use super::{
    AssetNumber, Cause, Cell, Column, LotMoves, MemberNumber, OfferNumber, Points, Reason,
    RedemptionNumber, RedemptionTarget, ReferenceId, Seq, Timestamp, WalletChange,
};

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
    /// Points expired.
    Expire,
    /// Deferred points, or points that were credited as held, became available.
    Mature,
    /// Available points were reserved.
    Hold,
    /// Reserved points became available again.
    Release,
    /// Points that were credited as held were taken back.
    Void,
    /// The points of the account were put into lots.
    Open,
    /// An entry that took points, other than for a redemption, was reversed.
    Reverse,
}

impl Entry {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Self::Mint,
        Self::Spend,
        Self::Refund,
        Self::Forfeit,
        Self::Debit,
        Self::Expire,
        Self::Mature,
        Self::Hold,
        Self::Release,
        Self::Void,
        Self::Open,
        Self::Reverse,
    ];

    /// Whether it adds points to those that can be spent.
    pub const fn is_credit(self) -> bool {
        matches!(
            self,
            Self::Mint | Self::Refund | Self::Mature | Self::Reverse
        )
    }

    /// Whether reports count it as an event. What follows from the passing of time is not one.
    pub const fn is_counted(self) -> bool {
        !matches!(self, Self::Expire | Self::Mature)
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
    /// The asset that moved; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The offer, on a spend for one and on its refund.
    pub offer: Option<OfferNumber>,
    /// The redemption, on a spend for an offer and on its refund.
    pub redemption: Option<RedemptionNumber>,
    /// Whether it is the member's first mint or spend.
    pub first: bool,
    /// The reason that the caller gave. It is personal text, which the row does not hold.
    pub reason: Option<Reason>,
    /// What it moves besides points that can be spent. Most entries have nothing of it.
    pub buckets: Option<Box<Buckets>>,
}

/// What a ledger entry moves besides points that can be spent, and when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Buckets {
    /// The change of the points that are held.
    pub held: i64,
    /// The change of the points that become available later.
    pub deferred: i64,
    /// The points of a debit that the account did not have, so that its balance became negative.
    pub uncovered: Points,
    /// What it does to the lots of the account; `None` if the account has no lots.
    pub lots: Option<LotMoves>,
    /// When the points of a new lot expire, if ever.
    pub expires_at: Option<Timestamp>,
    /// When the points of a new lot become available, if not at once, or reserved points again.
    pub matures_at: Option<Timestamp>,
    /// When it was due, if it was.
    pub due_at: Option<Timestamp>,
    /// What the caller calls the purpose for which points are credited, reserved or taken back.
    pub reference: Option<ReferenceId>,
    /// The number in the log of the entry that it reverses.
    pub reverses: Option<Seq>,
    /// The account that points go to which are spent, or come from if they are returned.
    pub target: RedemptionTarget,
    /// The rule that caused it, if one did.
    pub cause: Option<Cause>,
}

impl Buckets {
    /// The form in which an entry has it.
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// Reads the columns that a kind of entry may use.
    fn read(entry: Entry, cells: &impl Cells) -> Option<Self> {
        let signed = |column| match cells.cell(column) {
            Cell::Null => Some(0),
            // A zero is not written.
            cell => cell.integer().filter(|number| *number != 0),
        };
        let lots: Option<LotMoves> = Option::of(cells.cell(Column::Lots))?;
        // Most entries are mints and spends of accounts without lots, and reading takes time.
        let held = match entry {
            Entry::Spend | Entry::Refund | Entry::Reverse | Entry::Expire | Entry::Open => 0,
            _ => signed(Column::Held)?,
        };
        let uncovered = match entry {
            Entry::Debit => Points::new(signed(Column::Available)?)?,
            _ => Points::ZERO,
        };
        let (mut deferred, mut dates, mut reference) = (0, [None; 3], None);
        if lots.is_some() {
            reference = Option::of(cells.cell(Column::Name))?;
            deferred = signed(Column::Deferred)?;
            for (column, date) in DATES.into_iter().zip(&mut dates) {
                *date = match cells.cell(column) {
                    Cell::Null => None,
                    cell => Some(Timestamp::parse_stored(cell.integer()?)?),
                };
            }
        }
        let [expires_at, matures_at, due_at] = dates;
        let (reverses, cause) = match entry {
            Entry::Reverse => (Option::of(cells.cell(Column::Cause))?, None),
            _ => (None, Cause::read(cells)?),
        };
        let target = match entry {
            Entry::Spend | Entry::Refund | Entry::Reverse => target_of(cells.cell(Column::To))?,
            _ => RedemptionTarget::default(),
        };
        Some(Self {
            held,
            deferred,
            uncovered,
            lots,
            expires_at,
            matures_at,
            due_at,
            reference,
            reverses,
            target,
            cause,
        })
    }

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        let unless_zero = |number: i64| (number != 0).then_some(number);
        row.set_number(Column::Held, unless_zero(self.held));
        row.set_number(Column::Deferred, unless_zero(self.deferred));
        row.set_number(Column::Available, unless_zero(self.uncovered.get()));
        row.set(Column::Lots, self.lots.cell());
        row.set(Column::ExpiresAt, self.expires_at.cell());
        row.set(Column::MaturesAt, self.matures_at.cell());
        row.set(Column::DueAt, self.due_at.cell());
        row.set(Column::Name, self.reference.cell());
        row.set(Column::Cause, self.reverses.cell());
        Cause::write(self.cause, row);
        if self.target != RedemptionTarget::default() {
            row.set(Column::To, Cell::Text(self.target.as_str()));
        }
    }

    /// Whether an entry of a kind and an amount may move this.
    fn fits(&self, entry: Entry, amount: i64) -> bool {
        let (held, deferred) = (self.held, self.deferred);
        // The points that leave those that can be spent, if points leave.
        let taken = amount.saturating_add(held).saturating_add(deferred);
        let has_lots = self.lots.is_some();
        let dates = [self.expires_at, self.matures_at];
        let in_order =
            !matches!(dates, [Some(expires_at), Some(matures_at)] if matures_at >= expires_at);
        let fits = match entry {
            Entry::Mint => {
                matches!((held, deferred), (0, 0))
                    || (held, deferred) == (amount, 0)
                    || (held, deferred) == (0, amount)
            }
            Entry::Spend | Entry::Refund | Entry::Reverse => (held, deferred) == (0, 0),
            Entry::Expire | Entry::Open => has_lots && (held, deferred) == (0, 0),
            Entry::Forfeit => held <= 0 && deferred <= 0 && taken >= 0,
            Entry::Debit => held <= 0 && deferred == 0 && taken >= self.uncovered.get(),
            Entry::Mature => has_lots && held <= 0 && deferred <= 0 && taken == 0,
            Entry::Hold => (held, deferred) == (amount, 0),
            Entry::Release => (held, deferred) == (-amount, 0),
            Entry::Void => has_lots && (held, deferred) == (-amount, 0),
        };
        // What is returned after its time gets a new one.
        let is_returned = matches!(entry, Entry::Refund | Entry::Reverse);
        let is_new = has_lots && (is_returned || matches!(entry, Entry::Mint | Entry::Open));
        let is_of_redemption = is_returned || entry == Entry::Spend;
        let may_be_of_rule = matches!(
            entry,
            Entry::Mint
                | Entry::Debit
                | Entry::Forfeit
                | Entry::Expire
                | Entry::Mature
                | Entry::Hold
                | Entry::Release
                | Entry::Void
        );
        let may_be_due = matches!(entry, Entry::Expire | Entry::Mature | Entry::Release);
        fits && in_order
            && (is_new || self.expires_at.is_none())
            && match (entry, self.matures_at) {
                (Entry::Hold, until) => until.is_none() || has_lots,
                (_, matures_at) => matures_at.is_some() == (entry == Entry::Mint && deferred > 0),
            }
            && (may_be_due || self.due_at.is_none())
            && (has_lots || self.reference.is_none())
            && (entry == Entry::Reverse || self.reverses.is_none())
            && (may_be_of_rule || self.cause.is_none())
            && (is_of_redemption || self.target == RedemptionTarget::default())
    }
}

/// The account of a redemption, which the log names unless it is that of redemptions.
fn target_of(cell: Cell<'_>) -> Option<RedemptionTarget> {
    match cell {
        Cell::Null => Some(RedemptionTarget::default()),
        cell => RedemptionTarget::parse(cell.text()?)
            .filter(|target| *target != RedemptionTarget::default()),
    }
}

/// The columns of the dates of an entry.
const DATES: [Column; 3] = [Column::ExpiresAt, Column::MaturesAt, Column::DueAt];

impl LedgerEntry {
    /// The account that points of a redemption go to, or come back from.
    pub fn target(&self) -> RedemptionTarget {
        let buckets = self.buckets.as_deref();
        buckets.map_or_else(RedemptionTarget::default, |buckets| buckets.target)
    }

    /// How it changes the wallet.
    pub fn change(&self) -> WalletChange {
        let buckets = self.buckets.as_deref();
        let (held, pending) = buckets.map_or((0, 0), |buckets| (buckets.held, buckets.deferred));
        let amount = self.amount.get();
        // Deferred points are received when they become available, and are not spent before.
        let (received, spent) = match self.entry {
            Entry::Mint | Entry::Refund | Entry::Reverse => (amount - pending, 0),
            Entry::Mature => (-pending, 0),
            Entry::Spend | Entry::Forfeit | Entry::Debit | Entry::Expire | Entry::Void => {
                (0, amount + pending)
            }
            Entry::Hold | Entry::Release | Entry::Open => (0, 0),
        };
        WalletChange {
            received,
            spent,
            held,
            pending,
        }
    }

    /// The points that it takes from where they are issued; negative if they go back to there.
    pub fn issued(&self) -> i64 {
        match self.entry {
            Entry::Mint => self.amount.get(),
            // A debit corrects what was credited.
            Entry::Debit | Entry::Void => -self.amount.get(),
            Entry::Spend
            | Entry::Refund
            | Entry::Forfeit
            | Entry::Expire
            | Entry::Mature
            | Entry::Hold
            | Entry::Release
            | Entry::Open
            | Entry::Reverse => 0,
        }
    }

    /// Whether points only moved between the buckets of the wallet, or came into one from which
    /// they cannot be spent, or whether they are not the program's points. Lists of transactions
    /// leave it out.
    pub fn is_internal(&self) -> bool {
        if self.asset.is_some() {
            return true;
        }
        match self.entry {
            Entry::Mint => self
                .buckets
                .as_ref()
                .is_some_and(|buckets| buckets.held != 0 || buckets.deferred != 0),
            Entry::Hold | Entry::Release | Entry::Void | Entry::Open => true,
            Entry::Spend
            | Entry::Refund
            | Entry::Forfeit
            | Entry::Debit
            | Entry::Expire
            | Entry::Mature
            | Entry::Reverse => false,
        }
    }
}

impl Fields for LedgerEntry {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::Entry,
        Column::Amount,
        Column::Flag,
        Column::Offer,
        Column::Redemption,
        Column::ExpiresAt,
        Column::Cause,
        Column::MaturesAt,
        Column::DueAt,
        Column::Asset,
        Column::Available,
        Column::Held,
        Column::Deferred,
        Column::Lots,
        Column::Name,
        Column::To,
        Column::RuleVersion,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::Entry, self.entry.cell());
        row.set(Column::Amount, self.amount.cell());
        row.set(Column::Flag, self.first.cell());
        row.set(Column::Offer, self.offer.cell());
        row.set(Column::Redemption, self.redemption.cell());
        row.set(Column::Asset, self.asset.cell());
        if let Some(buckets) = &self.buckets {
            buckets.write(row);
        }
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
        let amount = Points::of(cells.cell(Column::Amount)).filter(|amount| !amount.is_zero())?;
        let buckets = Buckets::read(entry, cells)?;
        buckets.fits(entry, amount.get()).then_some(())?;
        let asset = Option::of(cells.cell(Column::Asset))?;
        let first = bool::of(cells.cell(Column::Flag))?;
        let offer: Option<OfferNumber> = Option::of(booked(Column::Offer))?;
        let redemption: Option<RedemptionNumber> = Option::of(booked(Column::Redemption))?;
        // Only the program's points count participants and pay offers.
        let is_plain = !first && offer.is_none() && redemption.is_none();
        (asset.is_none() || is_plain).then_some(())?;
        Some(Self {
            entry,
            amount,
            member: MemberNumber::of(cells.cell(Column::Member))?,
            asset,
            offer,
            redemption,
            first,
            reason: None,
            buckets: buckets.boxed(),
        })
    }
}
