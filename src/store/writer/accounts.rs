//! The accounts of members and the sums over them, as the open transaction sees them.

use super::transaction::Transaction;
use crate::books::{AssetRecord, Record};
use crate::domain::{
    AccountKey, AssetNumber, ExternalUserId, LedgerEntry, MemberNumber, Points, ProgramNumber,
    Wallet,
};

/// The reason why an entry cannot follow in an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoRoom {
    /// A total would exceed [`Points::MAX`].
    TooLarge,
    /// The wallet of the program has only these points.
    WalletEmpty(Points),
}

impl Transaction<'_> {
    /// The account of a member, with the changes of this transaction.
    pub fn account(&self, member: MemberNumber) -> Option<Record> {
        self.state.draft.record(member)
    }

    /// The account of a member in an asset, which may be empty, with the changes of this
    /// transaction.
    pub fn account_in(&self, key: AccountKey) -> Option<Record> {
        self.state.draft.account(key)
    }

    /// The records of a member with each account: that in the program's points, then those in
    /// further assets, in order, with the changes of this transaction. None if there is no such
    /// member.
    pub fn accounts_of(&self, member: MemberNumber) -> Vec<Record> {
        self.state.draft.accounts_of(member)
    }

    /// The account of the member of a program with one of the operator's ids.
    pub fn account_of(&self, program: ProgramNumber, id: &ExternalUserId) -> Option<Record> {
        self.state.draft.find(program, id)
    }

    /// Checks that an entry of an account can follow: that the sums over all wallets of its
    /// program, or of its further asset, stay within their range, and that the wallet of the
    /// program has the points, if that is where they come from.
    ///
    /// # Errors
    /// [`NoRoom`].
    pub fn check_room(&self, record: &Record, entry: &LedgerEntry) -> Result<(), NoRoom> {
        let sums = self.sums(record.program, record.asset);
        let fits = sums.wallets.changed(entry.change());
        fits.ok_or(NoRoom::TooLarge)?;
        let Some(funds) = sums.funds else {
            return Ok(());
        };
        match funds.get() - entry.issued() {
            ..0 => Err(NoRoom::WalletEmpty(funds)),
            left if left > Points::MAX.get() => Err(NoRoom::TooLarge),
            _ => Ok(()),
        }
    }

    /// What the wallet of a program has of its points or of a further asset; `None` if credits
    /// create them.
    pub fn funds(&self, program: ProgramNumber, asset: Option<AssetNumber>) -> Option<Points> {
        self.sums(program, asset).funds
    }

    /// Whether a program has an entry in its journal.
    pub fn has_entries(&self, program: ProgramNumber) -> bool {
        self.state.draft.program(program).last_entry.is_some()
    }

    fn sums(&self, program: ProgramNumber, asset: Option<AssetNumber>) -> AssetRecord {
        match asset {
            None => self.state.draft.program(program).points(),
            Some(asset) => self.state.draft.asset(asset),
        }
    }

    /// The sum of all wallets of a program.
    pub fn wallets_of(&self, program: ProgramNumber) -> Wallet {
        self.state.draft.program(program).wallets
    }
}
