//! The accounts of members and the sums over them, as the open transaction sees them.

use super::transaction::Transaction;
use crate::books::Record;
use crate::domain::{
    AccountKey, AssetNumber, ExternalUserId, MemberNumber, ProgramNumber, Wallet, WalletChange,
};

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

    /// The further assets in which a member has an account, in order.
    pub fn assets_of(&self, member: MemberNumber) -> Vec<AssetNumber> {
        self.state.draft.assets_of(member)
    }

    /// The account of the member of a program with one of the operator's ids.
    pub fn account_of(&self, program: ProgramNumber, id: &ExternalUserId) -> Option<Record> {
        self.state.draft.find(program, id)
    }

    /// Whether the sums over all wallets of a program, or of a further asset, stay within their
    /// range if the wallet of a record changes like this.
    pub fn has_room(&self, record: &Record, change: WalletChange) -> bool {
        let sums = match record.asset {
            None => self.state.draft.program(record.program).wallets,
            Some(asset) => self.state.draft.asset(asset).wallets,
        };
        sums.changed(change).is_some()
    }

    /// The sum of all wallets of a program.
    pub fn wallets_of(&self, program: ProgramNumber) -> Wallet {
        self.state.draft.program(program).wallets
    }
}
