//! The books as the fold sees them.

use super::Books;
use crate::books::rows::Records;
use crate::books::{AssetRecord, ProgramRecord, Record, TierNumber};
use crate::domain::{AccountKey, AssetNumber, MemberNumber, ProgramNumber, Tier};

impl Records for Books {
    fn record(&self, number: MemberNumber) -> Option<Record> {
        Self::record(self, number)
    }

    fn stored(&self, key: AccountKey) -> Option<Record> {
        Self::stored(self, key)
    }

    fn put(&mut self, record: Record) {
        self.write(&record);
    }

    fn asset(&self, asset: AssetNumber) -> AssetRecord {
        Self::asset(self, asset)
    }

    fn put_asset(&mut self, number: AssetNumber, asset: AssetRecord) {
        self.assets.insert(number, asset);
    }

    fn program(&self, program: ProgramNumber) -> ProgramRecord {
        Self::program(self, program)
    }

    fn put_program(&mut self, number: ProgramNumber, program: ProgramRecord) {
        let before = self.programs.insert(number, program);
        if before.and_then(|before| before.notice) != program.notice {
            self.renew_notices(number, program.notice);
        }
    }

    fn tier_number(&self, tier: &Tier) -> TierNumber {
        self.tiers.number(tier)
    }
}
