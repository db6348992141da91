//! What the books hold about a member and about a program.

use crate::domain::{
    Account, MemberNumber, Points, ProgramNumber, Seq, StatusCounts, Timestamp, Wallet,
};

/// A tier, by its number in the list of all tiers that were ever held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TierNumber(pub(super) u32);

/// The state of a member after a row of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The member's row.
    pub number: MemberNumber,
    /// The member's program.
    pub program: ProgramNumber,
    /// The newest row of the log that was applied to this record.
    pub applied: Seq,
    /// The tier.
    pub tier: TierNumber,
    /// Whether the member is removed.
    pub is_archived: bool,
    /// Whether the member ever had a mint or a spend.
    pub has_participated: bool,
    /// The points.
    pub wallet: Wallet,
    /// The end of the wallet's chain of ledger entries.
    pub account: Account,
    /// The settings version: the newest row that changed the profile.
    pub version: Seq,
    /// The number of removals; tokens that were created before the last one are invalid.
    pub token_epoch: u32,
    /// When the last valid token expires.
    pub token_expires_at: Option<Timestamp>,
    /// The redemptions by status.
    pub redemptions: StatusCounts,
}

impl Record {
    /// A member who has just signed up.
    pub(super) fn new(number: MemberNumber, program: ProgramNumber, tier: TierNumber) -> Self {
        Self {
            number,
            program,
            applied: Seq(0),
            tier,
            is_archived: false,
            has_participated: false,
            wallet: Wallet::default(),
            account: Account::default(),
            version: Seq(0),
            token_epoch: 0,
            token_expires_at: None,
            redemptions: StatusCounts::default(),
        }
    }
}

/// The state of a program after a row of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProgramRecord {
    /// The sum over all wallets.
    pub wallets: Wallet,
    /// The newest ledger entry that stores the hash of the entry before it.
    pub chain_start: Option<Seq>,
    /// The newest ledger entry.
    pub last_entry: Option<Seq>,
    /// The hash of the newest ledger entry, if it is known without computing it.
    pub head: Option<[u8; 32]>,
}

impl ProgramRecord {
    /// Adds the difference between two states of a member's wallet; `None` if a sum would exceed
    /// [`Points::MAX`].
    pub(super) fn shifted(self, before: Wallet, after: Wallet) -> Option<Self> {
        let sum = |sum: Points, before: Points, after: Points| {
            Points::new(sum.get() - before.get() + after.get())
        };
        Some(Self {
            wallets: Wallet {
                received: sum(self.wallets.received, before.received, after.received)?,
                spent: sum(self.wallets.spent, before.spent, after.spent)?,
            },
            ..self
        })
    }
}
