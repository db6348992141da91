//! The books themselves: every record, and how it is found.

mod folding;
mod further;
mod saving;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use hashbrown::HashTable;

pub(super) use self::further::accounts_of;
use super::agenda::Agenda;
use super::fold;
use super::id_hash::IdHash;
use super::lots::calendar::Dated;
use super::lots::expiries::Expiries;
use super::lots::notices::Notices;
use super::lots::{Changed, dues, dues_of};
use super::packed::Packed;
use super::places::Places;
use super::sides::Sides;
use super::tiers::Tiers;
use super::{AssetRecord, Contradiction, ProgramRecord, Record, Row, TierNumber};
use crate::domain::{
    AccountKey, AssetNumber, ByNumber, Due, DueKind, ExpiryNotice, ExternalUserId, Lot,
    MemberNumber, ProgramNumber, Seq, Tier, Timestamp,
};

/// Records in a chunk. Chunks are never moved, so that growing copies nothing.
pub(super) const CHUNK: usize = 1024;
/// Parts of the index, each of which grows on its own, so that no growth takes long.
const SHARDS: usize = 256;
/// Records whose changes share a word of [`Books::dirty`].
const WORD: usize = 64;

/// The accounts of all members and the sums of all programs, after a row of the log.
#[derive(Debug)]
pub struct Books {
    chunks: Vec<Vec<Packed>>,
    places: Places,
    /// The places of accounts in further assets.
    further: BTreeMap<(MemberNumber, AssetNumber), u32>,
    /// The places of records by the hash of the member's id.
    ids: Vec<HashTable<u32>>,
    sides: Sides,
    agenda: Agenda,
    expiries: ByNumber<ProgramNumber, Expiries>,
    asset_expiries: ByNumber<AssetNumber, Expiries>,
    programs: ByNumber<ProgramNumber, ProgramRecord>,
    assets: ByNumber<AssetNumber, AssetRecord>,
    tiers: Tiers,
    /// A bit for each record that changed since it was last saved.
    dirty: Vec<AtomicU64>,
    last_seq: Seq,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            chunks: Vec::new(),
            places: Places::default(),
            further: BTreeMap::new(),
            ids: (0..SHARDS).map(|_| HashTable::new()).collect(),
            sides: Sides::default(),
            agenda: Agenda::default(),
            expiries: ByNumber::default(),
            asset_expiries: ByNumber::default(),
            programs: ByNumber::default(),
            assets: ByNumber::default(),
            tiers: Tiers::default(),
            dirty: Vec::new(),
            last_seq: Seq(0),
        }
    }
}

impl Books {
    /// Applies one row of the log. `token_end` returns when the last token of a member who signs
    /// up expires, if only the member's row tells, as in files of version 0.1.0.
    ///
    /// # Errors
    /// [`Contradiction`] if the row cannot follow from those before it.
    pub fn apply(
        &mut self,
        row: &Row<'_>,
        token_end: impl FnOnce(MemberNumber) -> Option<Timestamp>,
    ) -> Result<(), Contradiction> {
        fold::apply(self, row, token_end)?;
        self.last_seq = self.last_seq.max(row.activity.seq);
        Ok(())
    }

    /// Sets the operator's id of a member.
    pub fn name(&mut self, number: MemberNumber, program: ProgramNumber, id: &ExternalUserId) {
        self.set_id(number, IdHash::of(program, id));
    }

    /// The newest row of the log that is included.
    pub fn last_seq(&self) -> Seq {
        self.last_seq
    }

    /// The number of members.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The record of a member.
    pub fn record(&self, number: MemberNumber) -> Option<Record> {
        self.places.get(number).map(|place| self.record_at(place))
    }

    /// The member of a program with one of the operator's ids.
    pub fn find(&self, program: ProgramNumber, id: &ExternalUserId) -> Option<Record> {
        self.find_hash(IdHash::of(program, id))
            .map(|place| self.record_at(place))
    }

    /// The sums of a program.
    pub fn program(&self, program: ProgramNumber) -> ProgramRecord {
        self.programs.get(&program).copied().unwrap_or_default()
    }

    /// Every program with a ledger entry or a member, in no order.
    pub fn programs(&self) -> impl Iterator<Item = (ProgramNumber, &ProgramRecord)> {
        self.programs
            .iter()
            .map(|(number, record)| (*number, record))
    }

    /// The tier of a number.
    pub fn tier(&self, number: TierNumber) -> Option<Tier> {
        self.tiers.get(number)
    }

    /// The time before which nothing is due in a program, if anything may be due some day.
    pub fn next_due(&self, program: ProgramNumber) -> Option<Timestamp> {
        self.agenda.next(program)
    }

    /// [`Books::next_due`] of every program in which anything may be due some day, in no order.
    pub fn next_dues(&self) -> impl Iterator<Item = (ProgramNumber, Timestamp)> {
        self.agenda.all()
    }

    /// When the points of a program expire; `None` if none were ever in lots.
    pub fn expiries(&self, program: ProgramNumber) -> Option<&Expiries> {
        self.expiries.get(&program)
    }

    /// What is due in a program up to a time, in order, at most `max`, except of the accounts that
    /// `skips` names.
    pub(super) fn due(
        &self,
        program: ProgramNumber,
        until: Timestamp,
        max: usize,
        skips: impl Fn(AccountKey) -> bool,
    ) -> Vec<Due> {
        let places = self.view(program);
        self.agenda.due(program, (until, max), &places, skips)
    }

    fn view(&self, program: ProgramNumber) -> View<'_> {
        View {
            chunks: &self.chunks,
            sides: &self.sides,
            notice: self.program(program).notice,
        }
    }

    /// Sorts a part of what is due in a program up to a time, if it is much. Returns whether all of
    /// it is sorted.
    pub(super) fn sort_due(&self, program: ProgramNumber, until: Timestamp) -> bool {
        self.agenda.sort_due(program, until, &self.view(program))
    }

    /// What is due first in a program up to a time.
    pub fn first_due(&self, program: ProgramNumber, until: Timestamp) -> Option<Due> {
        self.next_due(program).filter(|next| *next <= until)?;
        self.due(program, until, 1, |_| false).first().copied()
    }

    /// The number of due things up to a time, which may differ from program to program.
    pub fn count_due(&self, until: impl Fn(ProgramNumber) -> Option<Timestamp>) -> usize {
        let records = self.records().chain(self.further_records());
        let records = records.filter(|record| record.lots.is_some());
        let count = |record: Record| {
            let until = until(record.program);
            let notice = self.program(record.program).notice;
            let dues = record.dues(notice).into_iter();
            dues.filter(|due| until.is_some_and(|until| due.at <= until))
                .count()
        };
        records.map(count).sum()
    }

    /// Every record, in the order of the members' numbers.
    pub fn records(&self) -> impl Iterator<Item = Record> {
        let places = self.places.in_order();
        places.into_iter().map(|place| self.record_at(place))
    }

    /// The memory that the books take, in bytes.
    pub fn heap_bytes(&self) -> usize {
        // A slot of a table is its value and a control byte.
        let slots: usize = self.ids.iter().map(HashTable::capacity).sum();
        self.chunks.len() * CHUNK * size_of::<Packed>()
            + self.places.heap_bytes()
            // The nodes of a tree are two thirds full.
            + self.further.len() * size_of::<(MemberNumber, AssetNumber, u32)>() * 3 / 2
            + slots * 8 / 7 * (size_of::<u32>() + 1)
            + self.sides.heap_bytes()
            + self.agenda.heap_bytes()
            + self
                .expiries
                .values()
                .chain(self.asset_expiries.values())
                .map(Expiries::heap_bytes)
                .sum::<usize>()
            + self.programs.capacity() * size_of::<(ProgramNumber, ProgramRecord)>()
            + self.tiers.heap_bytes()
            + self.dirty.capacity() * size_of::<AtomicU64>()
    }

    pub(super) fn tier_list(&self) -> &Tiers {
        &self.tiers
    }

    pub(super) fn set_last_seq(&mut self, last: Seq) {
        self.last_seq = self.last_seq.max(last);
    }

    fn record_at(&self, place: u32) -> Record {
        self.unpack(self.packed(place))
    }

    fn packed(&self, place: u32) -> &Packed {
        packed(&self.chunks, place)
    }

    fn unpack(&self, packed: &Packed) -> Record {
        packed.record(self.sides.get(packed.side()))
    }

    /// Writes a record, at the end if the member is new.
    pub(super) fn write(&mut self, record: &Record) {
        let key = record.key();
        let place = self.place_of(key).unwrap_or_else(|| {
            let count = self.len() + self.further.len();
            let place = u32::try_from(count).expect("there are fewer accounts than 2^32");
            if index(place).is_multiple_of(CHUNK) {
                self.chunks.push(Vec::with_capacity(CHUNK));
                let words = self.chunks.len() * CHUNK / WORD;
                self.dirty.resize_with(words, AtomicU64::default);
            }
            self.chunks[index(place) / CHUNK].push(Packed::default());
            match key.asset {
                None => self.places.put(record.number, place),
                Some(asset) => {
                    self.further.insert((record.number, asset), place);
                }
            }
            place
        });
        let before = self.packed(place);
        let (id, side) = (before.id, before.side());
        let was: Vec<Lot> = self.sides.lots(side).collect();
        let side = self.sides.put(side, record);
        self.chunks[index(place) / CHUNK][index(place) % CHUNK] = Packed::new(record, id, side);
        self.mark_place(place);
        let is = record.lots.as_ref().map_or(&[][..], |lots| &lots.live);
        if was.is_empty() && is.is_empty() {
            return;
        }
        let accounts = [&was[..], is].map(|lots| !lots.is_empty());
        let changed = Changed::new(&was, is);
        let expiries = match record.asset {
            None => self.expiries.entry(record.program).or_default(),
            Some(asset) => self.asset_expiries.entry(asset).or_default(),
        };
        expiries.follow(accounts, &changed);
        let notice = self.program(record.program).notice;
        let dues = changed.dues(key, record.notices(notice));
        let places = View {
            chunks: &self.chunks,
            sides: &self.sides,
            notice,
        };
        self.agenda.follow(record.program, place, dues, &places);
    }

    /// Follows the change of how long before points expire this is announced in a program.
    fn renew_notices(&mut self, number: ProgramNumber, notice: Option<ExpiryNotice>) {
        let places = View {
            chunks: &self.chunks,
            sides: &self.sides,
            notice,
        };
        self.agenda.set_notice(number, &places);
    }

    fn mark_place(&self, place: u32) {
        let (word, bit) = (index(place) / WORD, index(place) % WORD);
        self.dirty[word].fetch_or(1 << bit, Ordering::Relaxed);
    }

    pub(super) fn find_hash(&self, id: IdHash) -> Option<u32> {
        let shard = &self.ids[shard(id)];
        let is_same = |place: &u32| self.packed(*place).id == id;
        shard.find(id.place(), is_same).copied()
    }

    pub(super) fn number_at(&self, place: u32) -> MemberNumber {
        self.packed(place).number()
    }

    /// Sets the hash of a member's id.
    pub(super) fn set_id(&mut self, number: MemberNumber, id: IdHash) {
        let Some(place) = self.places.get(number) else {
            return;
        };
        let before = std::mem::replace(
            &mut self.chunks[index(place) / CHUNK][index(place) % CHUNK].id,
            id,
        );
        if before == id {
            return;
        }
        if let Ok(entry) = self.ids[shard(before)].find_entry(before.place(), |p| *p == place) {
            entry.remove();
        }
        let chunks = &self.chunks;
        let rehash = |place: &u32| packed(chunks, *place).id.place();
        self.ids[shard(id)].insert_unique(id.place(), place, rehash);
    }
}

fn packed(chunks: &[Vec<Packed>], place: u32) -> &Packed {
    &chunks[index(place) / CHUNK][index(place) % CHUNK]
}

/// The records, for the calendars.
struct View<'a> {
    chunks: &'a [Vec<Packed>],
    sides: &'a Sides,
    /// How long before points expire this is announced in the program of the calendar.
    notice: Option<ExpiryNotice>,
}

impl Dated for View<'_> {
    fn key_at(&self, place: u32) -> AccountKey {
        packed(self.chunks, place).key()
    }

    fn is_due(&self, place: u32, at: Timestamp, kind: DueKind) -> bool {
        let packed = packed(self.chunks, place);
        let due = Due::new(at, kind, packed.key());
        let notices = self.notices_of(packed);
        let mut lots = self.sides.lots(packed.side());
        lots.any(|lot| dues_of(&lot, packed.key(), notices).any(|other| other == due))
    }

    fn notices(&self, place: u32) -> Vec<Due> {
        let packed = packed(self.chunks, place);
        let notices = self.notices_of(packed);
        let mut dues = dues(self.sides.lots(packed.side()), packed.key(), notices);
        dues.retain(|due| due.kind == DueKind::Notice);
        dues
    }
}

impl View<'_> {
    /// What decides when the lots of an account are announced; those of a further asset never are.
    fn notices_of(&self, packed: &Packed) -> Notices {
        Notices {
            notice: self.notice.filter(|_| packed.key().asset.is_none()),
            until: self.sides.noticed_until(packed.side()),
        }
    }
}

/// The part of the index that lists a hash.
fn shard(id: IdHash) -> usize {
    usize::from(id.0[11])
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
