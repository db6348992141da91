//! What the books hold about a member and about a program.

use super::lots::notices::Notices;
use super::lots::{Lots, dues, dues_of};
use crate::domain::{
    Account, AccountKey, AssetNumber, Due, ExpiryNotice, MemberNumber, Points, ProgramNumber, Seq,
    StatusCounts, Timestamp, Wallet,
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
    /// The asset whose wallet, account and lots it has; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The newest row of the log that was applied to this record.
    pub applied: Seq,
    /// The tier.
    pub tier: TierNumber,
    /// Whether the member is removed.
    pub is_archived: bool,
    /// Whether the member is suspended.
    pub is_suspended: bool,
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
    /// The lots, if the account has, or ever had, any.
    pub lots: Option<Box<Lots>>,
}

impl Record {
    /// A member who has just signed up.
    pub(super) fn new(number: MemberNumber, program: ProgramNumber, tier: TierNumber) -> Self {
        Self {
            number,
            program,
            asset: None,
            applied: Seq(0),
            tier,
            is_archived: false,
            is_suspended: false,
            has_participated: false,
            wallet: Wallet::default(),
            account: Account::default(),
            version: Seq(0),
            token_epoch: 0,
            token_expires_at: None,
            redemptions: StatusCounts::default(),
            lots: None,
        }
    }

    /// What names the account.
    pub fn key(&self) -> AccountKey {
        AccountKey {
            asset: self.asset,
            member: self.number,
        }
    }

    /// The member with an empty account in a further asset.
    pub(super) fn in_asset(self, asset: AssetNumber) -> Self {
        Self {
            asset: Some(asset),
            wallet: Wallet::default(),
            account: Account::default(),
            lots: None,
            ..self
        }
    }

    /// The member with the account in a further asset that a record of its own has, if any.
    pub(super) fn with_account(self, asset: AssetNumber, account: Option<Self>) -> Self {
        let Some(account) = account else {
            return self.in_asset(asset);
        };
        Self {
            asset: Some(asset),
            wallet: account.wallet,
            account: account.account,
            lots: account.lots,
            ..self
        }
    }

    /// Everything that is due some day, in order. Its program announces points that expire by this
    /// notice.
    pub fn dues(&self, notice: Option<ExpiryNotice>) -> Vec<Due> {
        let lots = self.lots.iter().flat_map(|lots| &lots.live);
        dues(lots.copied(), self.key(), self.notices(notice))
    }

    /// When the first of it is due.
    pub(super) fn next_due(&self, notice: Option<ExpiryNotice>) -> Option<Timestamp> {
        let lots = &self.lots.as_ref()?.live;
        let notices = self.notices(notice);
        let dues = lots
            .iter()
            .flat_map(|lot| dues_of(lot, self.key(), notices));
        dues.map(|due| due.at).min()
    }

    /// What decides when its lots are announced; those of a further asset never are.
    pub(super) fn notices(&self, notice: Option<ExpiryNotice>) -> Notices {
        let until = self.lots.as_ref().and_then(|lots| lots.noticed_until);
        Notices {
            notice: notice.filter(|_| self.asset.is_none()),
            until,
        }
    }
}

/// The sums over the accounts of a further asset.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AssetRecord {
    /// The sum over all wallets.
    pub wallets: Wallet,
    /// The members who have any of it, in whatever bucket.
    pub holders: u64,
    /// The amount by which balances are negative.
    pub overdrawn: i64,
    /// What the wallet of its program has of it; `None` if credits create it.
    pub funds: Option<Points>,
}

impl AssetRecord {
    /// Adds the change of a member's wallet from one to another; `None` if a sum would exceed
    /// [`Points::MAX`].
    ///
    /// [`Points::MAX`]: crate::domain::Points::MAX
    pub(super) fn shifted(self, (before, after): (Wallet, Wallet)) -> Option<Self> {
        let owed = |wallet: Wallet| (-wallet.balance()).max(0);
        let holds = |wallet: Wallet| {
            let all = [wallet.available(), wallet.held, wallet.pending];
            u64::from(all.iter().any(|points| !points.is_zero()))
        };
        Some(Self {
            wallets: self.wallets.changed(after.since(before))?,
            holders: self.holders + holds(after) - holds(before),
            overdrawn: self.overdrawn + owed(after) - owed(before),
            funds: self.funds,
        })
    }
}

/// The state of a program after a row of the log.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ProgramRecord {
    /// The sum over all wallets.
    pub wallets: Wallet,
    /// The members who have points, in whatever bucket.
    pub holders: u64,
    /// The points by which balances are negative.
    pub overdrawn: i64,
    /// The newest ledger entry that stores the hash of the entry before it.
    pub chain_start: Option<Seq>,
    /// The newest ledger entry.
    pub last_entry: Option<Seq>,
    /// The hash of the newest ledger entry, if it is known without computing it.
    pub head: Option<[u8; 32]>,
    /// How long before points expire this is announced, if at all.
    pub notice: Option<ExpiryNotice>,
    /// The points in its wallet from which its own points are credited; `None` if credits create
    /// them.
    pub funds: Option<Points>,
}

impl ProgramRecord {
    /// The sums over the accounts in the program's points.
    pub fn points(&self) -> AssetRecord {
        AssetRecord {
            wallets: self.wallets,
            holders: self.holders,
            overdrawn: self.overdrawn,
            funds: self.funds,
        }
    }

    /// Adds the change of a member's wallet, as [`AssetRecord::shifted`] does.
    pub(super) fn shifted(self, wallets: (Wallet, Wallet)) -> Option<Self> {
        let AssetRecord {
            wallets,
            holders,
            overdrawn,
            funds,
        } = self.points().shifted(wallets)?;
        Some(Self {
            wallets,
            holders,
            overdrawn,
            funds,
            ..self
        })
    }
}
