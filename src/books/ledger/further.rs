//! Accounts in further assets, each of which has a record and a place of its own.

use super::Books;
use crate::books::lots::expiries::Expiries;
use crate::books::{AssetRecord, Record};
use crate::domain::{AccountKey, AssetNumber, MemberNumber};

impl Books {
    /// The record of a member with the account in an asset, which may be empty.
    pub fn account(&self, key: AccountKey) -> Option<Record> {
        let record = self.record(key.member)?;
        Some(match key.asset {
            None => record,
            Some(asset) => record.with_account(asset, self.stored(key)),
        })
    }

    /// The further assets in which a member has an account, in order.
    pub(in crate::books) fn assets_of(
        &self,
        member: MemberNumber,
    ) -> impl Iterator<Item = AssetNumber> {
        let range = (member, AssetNumber(i64::MIN))..=(member, AssetNumber(i64::MAX));
        self.further.range(range).map(|((_, asset), _)| *asset)
    }

    /// The records of a member with each account: that in the program's points, then those in
    /// further assets, in order. None if there is no such member.
    pub fn accounts_of(&self, member: MemberNumber) -> Vec<Record> {
        accounts_of(member, self.assets_of(member), |key| self.account(key))
    }

    /// The record at the place of an account.
    pub(in crate::books) fn stored(&self, key: AccountKey) -> Option<Record> {
        self.place_of(key).map(|place| self.record_at(place))
    }

    pub(super) fn place_of(&self, key: AccountKey) -> Option<u32> {
        match key.asset {
            None => self.places.get(key.member),
            Some(asset) => self.further.get(&(key.member, asset)).copied(),
        }
    }

    /// The sums of a further asset.
    pub fn asset(&self, asset: AssetNumber) -> AssetRecord {
        self.assets.get(&asset).copied().unwrap_or_default()
    }

    /// Every further asset with a ledger entry, in no order.
    pub fn assets(&self) -> impl Iterator<Item = (AssetNumber, &AssetRecord)> {
        self.assets.iter().map(|(number, record)| (*number, record))
    }

    /// When the points of a further asset expire; `None` if none were ever in lots.
    pub fn expiries_of_asset(&self, asset: AssetNumber) -> Option<&Expiries> {
        self.asset_expiries.get(&asset)
    }

    /// Every account in a further asset, in the order of the members' numbers: a record with
    /// nothing else of the member.
    pub fn further_records(&self) -> impl Iterator<Item = Record> {
        self.further.values().map(|place| self.record_at(*place))
    }
}

/// The records of a member with each account, of which `account` finds one.
pub(in crate::books) fn accounts_of(
    member: MemberNumber,
    further: impl IntoIterator<Item = AssetNumber>,
    account: impl Fn(AccountKey) -> Option<Record>,
) -> Vec<Record> {
    let further = further.into_iter().map(Some);
    let assets = std::iter::once(None).chain(further);
    assets
        .filter_map(|asset| account(AccountKey { asset, member }))
        .collect()
}
