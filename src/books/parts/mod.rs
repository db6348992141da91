//! The packed parts in which the books are saved.
//!
//! A *generation* is a base, which holds every record, or a delta, which holds those that changed
//! since the generation before it. Its parts are of different moments, none of them before the
//! row at which it began. So the books are those of a base and the deltas after it, and the rows
//! of the log since the last delta began.

mod holdings;
mod stored;

use std::collections::HashMap;

use self::stored::{StoredPart, StoredProgram, StoredRecord};
use super::ledger::CHUNK;
use super::tiers::Tiers;
use super::{Books, Published, Record, TierNumber};
use crate::domain::{AssetNumber, Points, Seq, Tier};

/// The version of the form of the parts.
pub const VERSION: u32 = 5;

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
    /// The programs, and what their wallets have of further assets; `None` once they are packed.
    first: Option<StoredPart>,
    chunk: usize,
    records: u64,
}

impl Generation {
    /// Begins a base or a delta.
    pub fn begin(published: &Published, is_base: bool) -> Self {
        let books = published.read();
        let mut programs: Vec<StoredProgram> = books.programs().map(StoredProgram::new).collect();
        let funds = books.asset_funds();
        let mut funds: Vec<_> = funds.map(|(asset, funds)| (asset.0, funds.get())).collect();
        let last_seq = books.last_seq();
        let tiers = books.tier_list().clone();
        drop(books);
        programs.sort_unstable_by_key(|program| program.number);
        funds.sort_unstable();
        Self {
            is_base,
            last_seq,
            tiers,
            first: Some(StoredPart {
                programs,
                funds,
                ..StoredPart::default()
            }),
            chunk: 0,
            records: 0,
        }
    }

    /// The next part; `None` after the last one.
    ///
    /// # Errors
    /// [`Replaced`]. The generation cannot be completed.
    pub fn next_part(&mut self, published: &Published) -> Result<Option<Part>, Replaced> {
        if let Some(first) = self.first.take() {
            return Ok(Some(seal(&first)));
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
        records.sort_unstable_by_key(|record| (record.number, record.asset));
        let mut part = StoredPart::default();
        let mut places: HashMap<TierNumber, u64> = HashMap::new();
        let (mut before, mut before_further) = (0, 0);
        for record in &records {
            let place = *places.entry(record.tier).or_insert_with(|| {
                let tier = self.tiers.get(record.tier);
                part.tiers
                    .push(tier.as_ref().map_or("", Tier::as_str).to_owned());
                u64::try_from(part.tiers.len() - 1).unwrap_or(u64::MAX)
            });
            if let Some(asset) = record.asset {
                let stored = StoredRecord::new(record, before_further, place);
                part.further.push((asset.0, stored));
                before_further = record.number.0;
            } else {
                part.records.push(StoredRecord::new(record, before, place));
                before = record.number.0;
            }
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
            let (number, record) = program.program()?;
            self.restore_program(number, record);
        }
        for (asset, funds) in &part.funds {
            let asset = Some(AssetNumber(*asset)).filter(|asset| asset.0 > 0)?;
            self.restore_funds(asset, Points::new(*funds)?);
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
        number = 0;
        for (asset, stored) in &part.further {
            number = number.checked_add(stored.after)?;
            let tier = tiers.get(usize::try_from(stored.tier).ok()?)?;
            let mut record = stored.record(number, *tier)?;
            record.asset = Some(AssetNumber(*asset)).filter(|asset| asset.0 > 0);
            record.asset?;
            newest = newest.max(record.applied);
            if !self.restore(&record) {
                return None;
            }
        }
        let records = part.records.len() + part.further.len();
        Some(Restored {
            records: u64::try_from(records).unwrap_or(u64::MAX),
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
