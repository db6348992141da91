//! The packed form of records: no padding, and no more bytes than the numbers can need.

use super::id_hash::IdHash;
use super::sides::OfMember;
use super::small::U56;
use super::{Record, TierNumber};
use crate::domain::{
    Account, AccountKey, AssetNumber, MemberNumber, Points, ProgramNumber, Seq, Timestamp, Wallet,
};

const ARCHIVED: u8 = 1;
const PARTICIPATED: u8 = 2;
const SUSPENDED: u8 = 4;
const FURTHER: u8 = 8;

/// A packed [`Record`], except for what only some members have.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Packed {
    /// The hash of the member's id; of an account in a further asset, its number.
    pub(super) id: IdHash,
    number: U56,
    program: U56,
    applied: U56,
    received: U56,
    spent: U56,
    /// The newest ledger entry and the ones it leads to; 0: none.
    last: U56,
    jump: U56,
    far: U56,
    entries: U56,
    version: U56,
    /// 0: no valid token.
    token_expires_at: U56,
    token_epoch: [u8; 4],
    tier: [u8; 4],
    /// The place of what only some members have.
    side: [u8; 4],
    flags: u8,
}

impl Packed {
    /// Packs a record.
    pub(super) fn new(record: &Record, id: IdHash, side: u32) -> Self {
        let seq = |seq: Option<Seq>| U56::of(seq.map_or(0, |seq| seq.0));
        let token_end = record.token_expires_at.map_or(0, Timestamp::as_millis);
        Self {
            id: record.asset.map_or(id, of_asset),
            number: U56::of(record.number.0),
            program: U56::of(record.program.0),
            applied: U56::of(record.applied.0),
            received: U56::of(record.wallet.received.get()),
            spent: U56::of(record.wallet.spent.get()),
            last: seq(record.account.last),
            jump: seq(record.account.jump),
            far: seq(record.account.far),
            entries: U56::new(record.account.entries),
            version: U56::of(record.version.0),
            token_expires_at: U56::of(token_end),
            token_epoch: record.token_epoch.to_le_bytes(),
            tier: record.tier.0.to_le_bytes(),
            side: side.to_le_bytes(),
            flags: u8::from(record.is_archived) * ARCHIVED
                + u8::from(record.has_participated) * PARTICIPATED
                + u8::from(record.is_suspended) * SUSPENDED
                + u8::from(record.asset.is_some()) * FURTHER,
        }
    }

    /// Unpacks the record, which has this besides.
    pub(super) fn record(&self, side: OfMember) -> Record {
        let seq = |seq: U56| Some(Seq(seq.signed())).filter(|seq| seq.0 > 0);
        let points = |points: U56| Points::new(points.signed()).unwrap_or(Points::MAX);
        let token_end = self.token_expires_at.signed();
        Record {
            number: self.number(),
            program: ProgramNumber(self.program.signed()),
            asset: self.key().asset,
            applied: Seq(self.applied.signed()),
            tier: TierNumber(u32::from_le_bytes(self.tier)),
            is_archived: self.flags & ARCHIVED != 0,
            is_suspended: self.flags & SUSPENDED != 0,
            has_participated: self.flags & PARTICIPATED != 0,
            wallet: Wallet {
                received: points(self.received),
                spent: points(self.spent),
                held: side.held,
                pending: side.pending,
            },
            account: Account {
                last: seq(self.last),
                jump: seq(self.jump),
                far: seq(self.far),
                entries: self.entries.get(),
            },
            version: Seq(self.version.signed()),
            token_epoch: u32::from_le_bytes(self.token_epoch),
            token_expires_at: Timestamp::from_millis(token_end).filter(|_| token_end > 0),
            redemptions: side.redemptions,
            lots: side.lots,
        }
    }

    /// The member's number.
    pub(super) fn number(&self) -> MemberNumber {
        MemberNumber(self.number.signed())
    }

    /// What names its account.
    pub(super) fn key(&self) -> AccountKey {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&self.id.0[..8]);
        let asset = AssetNumber(i64::from_le_bytes(bytes));
        AccountKey {
            asset: (self.flags & FURTHER != 0).then_some(asset),
            member: self.number(),
        }
    }

    /// The place of what only some members have; 0: it has nothing of it.
    pub(super) fn side(&self) -> u32 {
        u32::from_le_bytes(self.side)
    }
}

/// The number of an asset, stored where a member has the hash of the id.
fn of_asset(asset: AssetNumber) -> IdHash {
    let mut id = IdHash::default();
    id.0[..8].copy_from_slice(&asset.0.to_le_bytes());
    id
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::StatusCounts;

    #[test]
    fn a_record_fits_its_size_and_comes_back_unchanged() {
        assert!(size_of::<Packed>() <= 104, "{}", size_of::<Packed>());
        let max = 9_007_199_254_740_991;
        let seq = Some(Seq(max));
        let record = Record {
            number: MemberNumber(max),
            program: ProgramNumber(max - 1),
            asset: None,
            applied: Seq(max - 2),
            tier: TierNumber(u32::MAX),
            is_archived: true,
            is_suspended: true,
            has_participated: false,
            wallet: Wallet {
                received: Points::MAX,
                spent: Points::new(1).unwrap(),
                ..Wallet::default()
            },
            account: Account {
                last: seq,
                jump: None,
                far: seq,
                entries: 77,
            },
            version: Seq(3),
            token_epoch: u32::MAX,
            token_expires_at: Timestamp::from_millis(253_402_300_799_999),
            redemptions: StatusCounts::default(),
            lots: None,
        };
        let packed = Packed::new(&record, IdHash([9; 12]), 8);
        assert_eq!(packed.record(OfMember::default()), record);
        assert_eq!(packed.side(), 8);
        let further = record.in_asset(AssetNumber(max));
        let packed = Packed::new(&further, IdHash([9; 12]), 0);
        assert_eq!(packed.record(OfMember::default()), further);
        assert_eq!(packed.key(), further.key());
        let plain = Record::new(MemberNumber(1), ProgramNumber(2), TierNumber(0));
        let packed = Packed::new(&plain, IdHash::default(), 0);
        assert_eq!(packed.record(OfMember::default()), plain);
    }
}
