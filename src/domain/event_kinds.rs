//! Which kind of event something is, and what several kinds have in common.

use super::{
    Counting, Event, EventKind, ExpiryNotice, Funding, LedgerEntry, Program, RedemptionMove, Status,
};

impl EventKind {
    /// The kind of a ledger entry.
    pub fn of_entry(entry: &LedgerEntry) -> Self {
        if entry.is_internal() {
            Self::WalletMoved
        } else if entry.entry.is_credit() {
            Self::WalletCredited
        } else {
            Self::WalletDebited
        }
    }

    /// The kind of a redemption's move to a status.
    pub const fn of_status(status: Status) -> Self {
        match status {
            Status::Submitted => Self::RedemptionCreated,
            Status::Open => Self::RedemptionOpen,
            Status::AwaitingVendor => Self::RedemptionAwaitingVendor,
            Status::AwaitingCustomer => Self::RedemptionAwaitingCustomer,
            Status::Purchased => Self::RedemptionPurchased,
            Status::Completed => Self::RedemptionCompleted,
            Status::Canceled => Self::RedemptionCanceled,
        }
    }
}

impl EventKind {
    /// Whether it is an entry of the program's journal: a ledger entry, or a change of the
    /// program's wallet. The chain of hashes has all of them.
    pub fn is_journaled(self) -> bool {
        matches!(
            self,
            Self::WalletCredited
                | Self::WalletDebited
                | Self::WalletMoved
                | Self::ProgramFunded
                | Self::ProgramBurned
        )
    }
}

impl Event {
    /// The event of a ledger entry.
    pub fn of_entry(entry: LedgerEntry) -> Self {
        match EventKind::of_entry(&entry) {
            EventKind::WalletCredited => Self::WalletCredited(entry),
            EventKind::WalletMoved => Self::WalletMoved(entry),
            _ => Self::WalletDebited(entry),
        }
    }

    /// The event of a redemption's move; `None` for a move to the first status, which is
    /// impossible.
    pub fn of_move(moved: RedemptionMove) -> Option<Self> {
        Some(match moved.to {
            Status::Submitted => return None,
            Status::Open => Self::RedemptionOpen(moved),
            Status::AwaitingVendor => Self::RedemptionAwaitingVendor(moved),
            Status::AwaitingCustomer => Self::RedemptionAwaitingCustomer(moved),
            Status::Purchased => Self::RedemptionPurchased(moved),
            Status::Completed => Self::RedemptionCompleted(moved),
            Status::Canceled => Self::RedemptionCanceled(moved),
        })
    }

    /// The event of a program whose settings changed.
    pub fn program_changed(program: &Program) -> Self {
        Self::ProgramChanged {
            status: Some(program.status),
            default_tier: Some(program.default_tier.clone()),
            ahead: None,
            expiry_notice: Some(program.expiry_notice.map_or(0, ExpiryNotice::days)),
        }
    }

    /// The ledger entry, if it is one.
    pub fn ledger_entry(&self) -> Option<&LedgerEntry> {
        match self {
            Self::WalletCredited(entry) | Self::WalletDebited(entry) | Self::WalletMoved(entry) => {
                Some(entry)
            }
            _ => None,
        }
    }

    /// The change of the program's wallet, if it is one, and by how many points.
    pub fn funding(&self) -> Option<(&Funding, i64)> {
        match self {
            Self::ProgramFunded(funding) => Some((funding, funding.amount.get())),
            Self::ProgramBurned(funding) => Some((funding, -funding.amount.get())),
            _ => None,
        }
    }

    /// Whether reports count it as an event. What a stored event caused is not one.
    pub fn is_counted(&self) -> bool {
        let is_counted = match self {
            Self::MemberCreated { cause, .. } => cause.is_none(),
            _ => self.ledger_entry().is_none_or(|entry| {
                let buckets = entry.buckets.as_deref();
                let is_of_rule = buckets.is_some_and(|buckets| buckets.cause.is_some());
                entry.entry.is_counted() && !is_of_rule
            }),
        };
        self.kind().counting() == Counting::Counted && is_counted
    }

    /// Whether the fields fit the kind.
    pub(super) fn is_consistent(&self) -> bool {
        match self {
            Self::WalletCredited(entry) | Self::WalletDebited(entry) | Self::WalletMoved(entry) => {
                EventKind::of_entry(entry) == self.kind()
            }
            Self::RedemptionOpen(moved)
            | Self::RedemptionAwaitingVendor(moved)
            | Self::RedemptionAwaitingCustomer(moved)
            | Self::RedemptionPurchased(moved)
            | Self::RedemptionCompleted(moved)
            | Self::RedemptionCanceled(moved) => EventKind::of_status(moved.to) == self.kind(),
            Self::StateChanged(change) => change.is_consistent(),
            // The program's points are never archived.
            Self::AssetChanged {
                asset, archived, ..
            } => asset.is_some() == archived.is_some(),
            Self::ProgramChanged {
                expiry_notice: Some(days),
                ..
            } => (0..=ExpiryNotice::DAYS_MAX).contains(days),
            _ => true,
        }
    }
}
