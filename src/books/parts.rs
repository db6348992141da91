//! The packed parts in which the books are saved.
//!
//! A *generation* is a base, which holds every record, or a delta, which holds those that changed
//! since the generation before it. Its parts are of different moments, none of them before the
//! row at which it began. So the books are those of a base and the deltas after it, and the rows
//! of the log since the last delta began.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::fold::NUMBER_MAX;
use super::ledger::CHUNK;
use super::tiers::Tiers;
use super::{Books, ProgramRecord, Published, Record, TierNumber};
use crate::domain::{
    Account, MemberNumber, Points, ProgramNumber, Seq, Status, StatusCounts, Tier, Timestamp,
    Wallet,
};

/// The version of the form of the parts.
pub const VERSION: u32 = 1;

/// Records of a base in one part: about a hundred kilobytes.
const RECORDS: usize = 4 * CHUNK;

/// A part and its checksum (CRC-32).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The content.
    pub bytes: Vec<u8>,
    /// The checksum of the content.
    pub checksum: u32,
}

/// The header of a generation, which is stored after its parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The version of the form.
    pub version: u32,
    /// The number of the generation; a delta follows the one before it.
    pub number: i64,
    /// Whether it is a base.
    pub is_base: bool,
    /// The newest row of the log when it began.
    pub last_seq: Seq,
    /// The number of its parts.
    pub parts: u32,
    /// The number of its records.
    pub records: u64,
}

impl Header {
    /// The checksum of the header.
    pub fn checksum(&self) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&self.version.to_le_bytes());
        hasher.update(&self.number.to_le_bytes());
        hasher.update(&[u8::from(self.is_base)]);
        hasher.update(&self.last_seq.0.to_le_bytes());
        hasher.update(&self.parts.to_le_bytes());
        hasher.update(&self.records.to_le_bytes());
        hasher.finalize()
    }
}

/// The reason why a part cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// The checksum does not match.
    #[error("a checksum of the saved books is wrong")]
    Checksum,
    /// A part does not have the form of its version.
    #[error("a part of the saved books has another form")]
    Form,
}

/// The books were replaced while a generation of them was being saved. Records may have other
/// places since, so that the generation would lack some.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the books were rebuilt while they were being saved")]
pub struct Replaced;

/// The content of a part that was taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The number of records.
    pub records: u64,
    /// The newest row of the log that any of them includes.
    pub newest: Seq,
}

/// A generation that is being saved, part by part. Between two parts the books are not locked.
#[derive(Debug)]
pub struct Generation {
    is_base: bool,
    last_seq: Seq,
    /// The list of tiers, which identifies the books: other books have another list.
    tiers: Tiers,
    programs: Option<Vec<StoredProgram>>,
    chunk: usize,
    records: u64,
}

impl Generation {
    /// Begins a base or a delta.
    pub fn begin(published: &Published, is_base: bool) -> Self {
        let books = published.read();
        let mut programs: Vec<StoredProgram> = books.programs().map(StoredProgram::new).collect();
        let last_seq = books.last_seq();
        let tiers = books.tier_list().clone();
        drop(books);
        programs.sort_unstable_by_key(|program| program.number);
        Self {
            is_base,
            last_seq,
            tiers,
            programs: Some(programs),
            chunk: 0,
            records: 0,
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// [`Replaced`]. The generation cannot be completed.
    pub fn next_part(&mut self, published: &Published) -> Result<Option<Part>, Replaced> {
        if let Some(programs) = self.programs.take() {
            return Ok(Some(seal(&StoredPart {
                programs,
                ..StoredPart::default()
            })));
        }
        let records = self.next_records(published)?;
        if records.is_empty() {
            return Ok(None);
        }
        self.records += u64::try_from(records.len()).unwrap_or(0);
        Ok(Some(self.pack(records)))
    }

    /// Copies the records of the next chunks, each under its own lock.
    fn next_records(&mut self, published: &Published) -> Result<Vec<Record>, Replaced> {
        let mut records = Vec::new();
        while records.len() < RECORDS {
            let books = published.read();
            if !books.tier_list().is_same(&self.tiers) {
                return Err(Replaced);
            }
            if self.chunk >= books.chunk_count() {
                break;
            }
            records.extend(books.take_chunk(self.chunk, self.is_base));
            self.chunk += 1;
        }
        Ok(records)
    }

    /// Packs records, with their tiers.
    fn pack(&self, mut records: Vec<Record>) -> Part {
        records.sort_unstable_by_key(|record| record.number);
        let mut part = StoredPart::default();
        let mut places: HashMap<TierNumber, u64> = HashMap::new();
        let mut before = 0;
        for record in &records {
            let place = *places.entry(record.tier).or_insert_with(|| {
                let tier = self.tiers.get(record.tier);
                part.tiers
                    .push(tier.as_ref().map_or("", Tier::as_str).to_owned());
                u64::try_from(part.tiers.len() - 1).unwrap_or(u64::MAX)
            });
            part.records.push(StoredRecord::new(record, before, place));
            before = record.number.0;
        }
        seal(&part)
    }

    /// The header of the generation, after its last part.
    pub fn header(&self, number: i64, parts: u32) -> Header {
        Header {
            version: VERSION,
            number,
            is_base: self.is_base,
            last_seq: self.last_seq,
            parts,
            records: self.records,
        }
    }
}

impl Books {
    /// Takes in a part. Parts of a generation may come in any order, generations in theirs.
    ///
    /// # Errors
    /// [`Damaged`]. The books are of no use then.
    pub fn restore_part(&mut self, part: &Part) -> Result<Restored, Damaged> {
        if crc32fast::hash(&part.bytes) != part.checksum {
            return Err(Damaged::Checksum);
        }
        let (stored, rest): (StoredPart, _) =
            postcard::take_from_bytes(&part.bytes).map_err(|_| Damaged::Form)?;
        if !rest.is_empty() {
            return Err(Damaged::Form);
        }
        self.restore_all(&stored).ok_or(Damaged::Form)
    }

    /// Takes in the content of a part; `None` if a number is out of range.
    fn restore_all(&mut self, part: &StoredPart) -> Option<Restored> {
        for program in &part.programs {
            let (number, record) = program.program();
            self.restore_program(number, record);
        }
        let tier = |tier: &String| self.tier_list().number(&Tier::stored(tier.clone()));
        let tiers: Vec<TierNumber> = part.tiers.iter().map(tier).collect();
        let (mut number, mut newest) = (0_i64, Seq(0));
        for stored in &part.records {
            number = number.checked_add(stored.after)?;
            let tier = tiers.get(usize::try_from(stored.tier).ok()?)?;
            let record = stored.record(number, *tier)?;
            newest = newest.max(record.applied);
            if !self.restore(&record) {
                return None;
            }
        }
        Some(Restored {
            records: u64::try_from(part.records.len()).unwrap_or(u64::MAX),
            newest,
        })
    }

    /// Completes a load: the books include every row up to this one.
    pub fn restored_up_to(&mut self, last: Seq) {
        self.set_last_seq(last);
    }
}

fn seal(part: &StoredPart) -> Part {
    let bytes = postcard::to_allocvec(part).expect("numbers and texts have a postcard form");
    let checksum = crc32fast::hash(&bytes);
    Part { bytes, checksum }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct StoredPart {
    programs: Vec<StoredProgram>,
    tiers: Vec<String>,
    records: Vec<StoredRecord>,
}

#[derive(Debug, Serialize, Deserialize)]
struct StoredProgram {
    number: i64,
    chain_start: i64,
    last_entry: i64,
    head: Option<[u8; 32]>,
}

impl StoredProgram {
    fn new((number, record): (ProgramNumber, &ProgramRecord)) -> Self {
        Self {
            number: number.0,
            chain_start: record.chain_start.map_or(0, |seq| seq.0),
            last_entry: record.last_entry.map_or(0, |seq| seq.0),
            head: record.head,
        }
    }

    fn program(&self) -> (ProgramNumber, ProgramRecord) {
        let seq = |seq: i64| Some(Seq(seq)).filter(|seq| seq.0 > 0);
        let record = ProgramRecord {
            wallets: Wallet::default(),
            chain_start: seq(self.chain_start),
            last_entry: seq(self.last_entry),
            head: self.head,
        };
        (ProgramNumber(self.number), record)
    }
}

/// A record, with row numbers as distances, which take fewer bytes.
#[derive(Debug, Serialize, Deserialize)]
struct StoredRecord {
    /// The distance from the member before it.
    after: i64,
    program: i64,
    tier: u64,
    applied: i64,
    is_archived: bool,
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
}

impl StoredRecord {
    fn new(record: &Record, before: i64, tier: u64) -> Self {
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
        }
    }

    /// The record; `None` if a number is out of range.
    fn record(&self, number: i64, tier: TierNumber) -> Option<Record> {
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
        let wallet = Wallet {
            received: Points::new(self.received)?,
            spent: Points::new(self.spent)?,
        };
        if wallet.spent > wallet.received {
            return None;
        }
        Some(Record {
            number: MemberNumber(number),
            program: ProgramNumber(self.program),
            applied: Seq(self.applied),
            tier,
            is_archived: self.is_archived,
            has_participated: self.has_participated,
            wallet,
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
        })
    }
}

#[cfg(test)]
mod tests;
