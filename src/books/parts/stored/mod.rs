//! The form of a part: numbers as distances, which take few bytes.

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::holdings::StoredHoldings;
use crate::books::fold::NUMBER_MAX;
use crate::books::{ProgramRecord, Record, TierNumber};
use crate::domain::{
    Account, ExpiryNotice, MemberNumber, Points, ProgramNumber, Seq, Status, StatusCounts,
    Timestamp, Wallet,
};

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct StoredPart {
    pub(super) programs: Vec<StoredProgram>,
    /// The numbers of further assets, each with what the wallet of its program has of it.
    pub(super) funds: Vec<(i64, i64)>,
    pub(super) tiers: Vec<String>,
    pub(super) records: Vec<StoredRecord>,
    /// The accounts in further assets, each with the number of the asset.
    pub(super) further: Vec<(i64, StoredRecord)>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredProgram {
    pub(super) number: i64,
    chain_start: i64,
    last_entry: i64,
    head: Option<[u8; 32]>,
    /// The days of the notice; 0: none.
    notice: i64,
    /// One more than the points in its wallet; 0: it has none.
    funds: i64,
}

impl StoredProgram {
    pub(super) fn new((number, record): (ProgramNumber, &ProgramRecord)) -> Self {
        Self {
            number: number.0,
            chain_start: record.chain_start.map_or(0, |seq| seq.0),
            last_entry: record.last_entry.map_or(0, |seq| seq.0),
            head: record.head,
            notice: record.notice.map_or(0, ExpiryNotice::days),
            funds: record.funds.map_or(0, |funds| funds.get() + 1),
        }
    }

    /// The program; `None` if a number is out of range.
    pub(super) fn program(&self) -> Option<(ProgramNumber, ProgramRecord)> {
        let seq = |seq: i64| Some(Seq(seq)).filter(|seq| seq.0 > 0);
        let record = ProgramRecord {
            chain_start: seq(self.chain_start),
            last_entry: seq(self.last_entry),
            head: self.head,
            notice: ExpiryNotice::new(self.notice),
            funds: match self.funds {
                0 => None,
                funds => Some(Points::new(funds.checked_sub(1)?)?),
            },
            ..ProgramRecord::default()
        };
        Some((ProgramNumber(self.number), record))
    }
}

/// A record, with row numbers as distances, which take fewer bytes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredRecord {
    /// The distance from the member before it.
    pub(super) after: i64,
    program: i64,
    pub(super) tier: u64,
    applied: i64,
    is_archived: bool,
    is_suspended: bool,
    has_participated: bool,
    received: i64,
    spent: i64,
    entries: u64,
    /// The distances of the newest entry from `applied`, and of each further one from it; plus
    /// one, so that 0 means none.
    last: i64,
    jump: i64,
    far: i64,
    version: i64,
    token_epoch: u32,
    token_expires_at: i64,
    /// The place of a status in the list of all, and the number of redemptions.
    redemptions: Vec<(u8, u32)>,
    holdings: Option<StoredHoldings>,
}

impl StoredRecord {
    pub(super) fn new(record: &Record, before: i64, tier: u64) -> Self {
        let applied = record.applied.0;
        let back = |seq: Option<Seq>| seq.map_or(0, |seq| applied - seq.0 + 1);
        let counts = (0..).zip(Status::ALL).filter_map(|(place, status)| {
            // The books hold no more.
            let count = u32::try_from(record.redemptions.get(status)).unwrap_or(u32::MAX);
            (count > 0).then_some((place, count))
        });
        Self {
            after: record.number.0 - before,
            program: record.program.0,
            tier,
            applied,
            is_archived: record.is_archived,
            is_suspended: record.is_suspended,
            has_participated: record.has_participated,
            received: record.wallet.received.get(),
            spent: record.wallet.spent.get(),
            entries: record.account.entries,
            last: back(record.account.last),
            jump: back(record.account.jump),
            far: back(record.account.far),
            version: applied - record.version.0,
            token_epoch: record.token_epoch,
            token_expires_at: record.token_expires_at.map_or(0, Timestamp::as_millis),
            redemptions: counts.collect(),
            holdings: StoredHoldings::new(record),
        }
    }

    /// The record; `None` if a number is out of range.
    pub(super) fn record(&self, number: i64, tier: TierNumber) -> Option<Record> {
        let is_number = |number: &i64| (0..=NUMBER_MAX).contains(number);
        let own = [number, self.program, self.applied];
        if !own.iter().all(is_number) || self.entries > NUMBER_MAX.unsigned_abs() {
            return None;
        }
        let back = |distance: i64| match distance {
            0 => Some(None),
            distance => {
                let seq = self.applied.checked_sub(distance.checked_sub(1)?)?;
                (1..=self.applied).contains(&seq).then_some(Some(Seq(seq)))
            }
        };
        let mut redemptions = StatusCounts::default();
        for (place, count) in &self.redemptions {
            let status = *Status::ALL.get(usize::from(*place))?;
            if redemptions.get(status) > 0 {
                return None;
            }
            redemptions.add(status, u64::from(*count));
        }
        let token_end = match self.token_expires_at {
            0 => None,
            end => Some(Timestamp::from_millis(end).filter(|_| end > 0)?),
        };
        let mut record = Record {
            number: MemberNumber(number),
            program: ProgramNumber(self.program),
            asset: None,
            applied: Seq(self.applied),
            tier,
            is_archived: self.is_archived,
            is_suspended: self.is_suspended,
            has_participated: self.has_participated,
            wallet: Wallet {
                received: Points::new(self.received)?,
                spent: Points::new(self.spent)?,
                ..Wallet::default()
            },
            account: Account {
                last: back(self.last)?,
                jump: back(self.jump)?,
                far: back(self.far)?,
                entries: self.entries,
            },
            version: Some(self.applied.checked_sub(self.version)?)
                .filter(|seq| (0..=self.applied).contains(seq))
                .map(Seq)?,
            token_epoch: self.token_epoch,
            token_expires_at: token_end,
            redemptions,
            lots: None,
        };
        if let Some(holdings) = &self.holdings {
            holdings.write(&mut record)?;
        }
        Some(record)
    }
}
