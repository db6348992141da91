//! What the fold reads and changes.

use super::{AssetRecord, ProgramRecord, Record, TierNumber};
use crate::domain::{AccountKey, Activity, AssetNumber, MemberNumber, ProgramNumber, Seq, Tier};

/// What the fold reads from a row of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row<'a> {
    /// The activity, without its texts.
    pub activity: &'a Activity,
    /// The earlier entry that a ledger entry jumps to.
    pub jump: Option<Seq>,
    /// Whether an entry of the journal stores the hash of the entry before it.
    pub starts_chain: bool,
    /// The hash of an entry of the journal that is being written. Those in the log are not
    /// computed.
    pub hash: Option<[u8; 32]>,
    /// Whether the row is of version 0.1.0, which did not log when tokens expire.
    pub is_given: bool,
}

/// Records that the fold reads and changes.
pub(super) trait Records {
    fn record(&self, number: MemberNumber) -> Option<Record>;
    /// The record of an account of its own: that of a member, or of an account in a further asset.
    fn stored(&self, key: AccountKey) -> Option<Record>;
    fn put(&mut self, record: Record);
    fn asset(&self, asset: AssetNumber) -> AssetRecord;
    fn put_asset(&mut self, number: AssetNumber, asset: AssetRecord);
    fn program(&self, program: ProgramNumber) -> ProgramRecord;
    fn put_program(&mut self, number: ProgramNumber, program: ProgramRecord);
    /// The number of a tier, which gets one if it is new.
    fn tier_number(&self, tier: &Tier) -> TierNumber;
}
