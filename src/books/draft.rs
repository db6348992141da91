//! The books as the open batch sees them.

use std::collections::BTreeSet;
use std::hash::BuildHasherDefault;
use std::time::Duration;

use super::fold;
use super::id_hash::IdHash;
use super::ledger::accounts_of;
use super::overlay::Overlay;
use super::rows::Records;
use super::{AssetRecord, Books, Contradiction, ProgramRecord, Published, Record, Row, TierNumber};
use crate::domain::{
    AccountKey, AssetNumber, ByNumber, Due, Event, ExternalUserId, MemberNumber, NumberHasher,
    ProgramNumber, Seq, Tier, Timestamp,
};

/// The smallest difference of two times.
const MILLISECOND: Duration = Duration::from_millis(1);

type NumberState = BuildHasherDefault<NumberHasher>;

/// The changes of the open batch over the published books.
///
/// The fold copies a record when it first changes it. [`Draft::undo`] takes back what the open
/// write changed; [`Draft::clear`] forgets the batch, after it was published or lost.
#[derive(Debug)]
pub struct Draft {
    base: Published,
    records: Overlay<MemberNumber, Record, NumberState>,
    /// The accounts in further assets.
    further: Overlay<(MemberNumber, AssetNumber), Record, std::hash::RandomState>,
    assets: Overlay<AssetNumber, AssetRecord, NumberState>,
    programs: Overlay<ProgramNumber, ProgramRecord, NumberState>,
    /// The members by the hashes of their ids; `None`: no longer the id of a member.
    ids: Overlay<IdHash, Option<MemberNumber>, std::hash::RandomState>,
    /// For each program the time before which nothing is due of the records that the batch changed.
    next_dues: ByNumber<ProgramNumber, Timestamp>,
    /// For each program the time up to which the batch applied everything that was due.
    settled: ByNumber<ProgramNumber, Timestamp>,
    /// The programs in which the batch changed how long before points expire this is announced.
    renoticed: Vec<ProgramNumber>,
}

impl Draft {
    /// An empty draft over published books.
    pub fn new(base: &Published) -> Self {
        Self {
            base: base.clone(),
            records: Overlay::new(),
            further: Overlay::new(),
            assets: Overlay::new(),
            programs: Overlay::new(),
            ids: Overlay::new(),
            next_dues: ByNumber::default(),
            settled: ByNumber::default(),
            renoticed: Vec::new(),
        }
    }

    /// The record of a member.
    pub fn record(&self, number: MemberNumber) -> Option<Record> {
        match self.records.get(number) {
            Some(record) => Some(record.clone()),
            None => self.base.read().record(number),
        }
    }

    /// The record of a member with the account in an asset, which may be empty.
    pub fn account(&self, key: AccountKey) -> Option<Record> {
        let record = self.record(key.member)?;
        Some(match key.asset {
            None => record,
            Some(asset) => record.with_account(asset, self.stored(key)),
        })
    }

    /// The records of a member with each account: that in the program's points, then those in
    /// further assets, in order. None if there is no such member.
    pub fn accounts_of(&self, member: MemberNumber) -> Vec<Record> {
        let mut assets: BTreeSet<_> = self.base.read().assets_of(member).collect();
        let open = self.further.iter().map(|(key, _)| key);
        assets.extend(open.filter(|(of, _)| *of == member).map(|(_, asset)| asset));
        accounts_of(member, assets, |key| self.account(key))
    }

    fn is_changed(&self, key: AccountKey) -> bool {
        match key.asset {
            None => self.records.get(key.member).is_some(),
            Some(asset) => self.further.get((key.member, asset)).is_some(),
        }
    }

    /// The member of a program with one of the operator's ids.
    pub fn find(&self, program: ProgramNumber, id: &ExternalUserId) -> Option<Record> {
        let hash = IdHash::of(program, id);
        let number = if let Some(number) = self.ids.get(hash) {
            *number
        } else {
            let books = self.base.read();
            books.find_hash(hash).map(|place| books.number_at(place))
        };
        number.and_then(|number| self.record(number))
    }

    /// The sums of a program.
    pub fn program(&self, program: ProgramNumber) -> ProgramRecord {
        match self.programs.get(program) {
            Some(program) => *program,
            None => self.base.read().program(program),
        }
    }

    /// The sums of a further asset.
    pub fn asset(&self, asset: AssetNumber) -> AssetRecord {
        match self.assets.get(asset) {
            Some(asset) => *asset,
            None => self.base.read().asset(asset),
        }
    }

    /// Whether a program has no ledger entry in the open batch yet.
    pub fn starts_chain(&self, program: ProgramNumber) -> bool {
        let open = self.programs.get(program).map(|record| record.last_entry);
        open.is_none_or(|last| last == self.base.read().program(program).last_entry)
    }

    /// The time before which nothing is due in a program, if anything may be due some day. It may
    /// be too early: only [`Draft::due`] looks up what is left. It costs next to nothing in a
    /// program in which nothing was ever due.
    pub fn next_due(&self, program: ProgramNumber) -> Option<Timestamp> {
        let published = self.base.read().next_due(program);
        let open = self.next_dues.get(&program).copied();
        let next = published.into_iter().chain(open).min()?;
        let after = |settled: &Timestamp| settled.saturating_add(MILLISECOND);
        Some(next.max(self.settled.get(&program).map_or(next, after)))
    }

    /// [`Draft::next_due`] of the records alone that the batch changed.
    pub fn next_due_here(&self, program: ProgramNumber) -> Option<Timestamp> {
        let next = *self.next_dues.get(&program)?;
        let is_applied = self.settled.get(&program).is_some_and(|at| next <= *at);
        (!is_applied).then_some(next)
    }

    /// The programs in which the batch changed what is due some day.
    pub fn dated(&self) -> impl Iterator<Item = ProgramNumber> {
        let renoticed = self.renoticed.iter();
        self.next_dues.keys().chain(renoticed).copied()
    }

    /// Whether the batch changed how long before points expire this is announced in a program. What
    /// is due there is not known before the batch is published.
    pub fn has_new_notice(&self) -> bool {
        !self.renoticed.is_empty()
    }

    /// Takes in that everything that was due in a program up to a time was applied.
    pub fn settle(&mut self, program: ProgramNumber, until: Timestamp) {
        self.settled.insert(program, until);
    }

    /// What is due in a program up to a time, in the order in which it happens, at most `max`. The
    /// caller applies one after the other; what one changes may leave nothing to do for a later
    /// one. What the open write and those before it changed is included.
    pub fn due(&self, program: ProgramNumber, until: Timestamp, max: usize) -> Vec<Due> {
        let is_changed = |key| self.is_changed(key);
        let mut due = self.base.read().due(program, until, max, is_changed);
        if self.next_dues.get(&program).is_some_and(|at| *at <= until) {
            let records = self.records.iter().map(|(_, record)| record);
            let records = records.chain(self.further.iter().map(|(_, record)| record));
            let dated = records.filter(|record| record.program == program && record.lots.is_some());
            let notice = self.program(program).notice;
            let dues = dated.flat_map(|record| record.dues(notice));
            due.extend(dues.filter(|due| due.at <= until));
            due.sort_unstable();
            due.truncate(max);
        }
        due
    }

    /// Sorts a part of what is due in a program up to a time, if it is much, so that
    /// [`Draft::due`] need not. Returns whether all of it is sorted.
    pub fn sort_due(&self, program: ProgramNumber, until: Timestamp) -> bool {
        self.base.read().sort_due(program, until)
    }

    /// The tier of a number.
    pub fn tier(&self, number: TierNumber) -> Option<Tier> {
        self.base.read().tier(number)
    }

    /// Applies a row of the open write.
    ///
    /// # Errors
    /// [`Contradiction`] if the row cannot follow from those before it. The caller undoes the
    /// write.
    pub fn apply(&mut self, row: &Row<'_>) -> Result<(), Contradiction> {
        fold::apply(self, row, |_| None)?;
        if let (Event::ProgramChanged { .. }, Some(program)) =
            (&row.activity.event, row.activity.program)
            && self.program(program).notice != self.base.read().program(program).notice
        {
            self.renoticed.push(program);
        }
        Ok(())
    }

    /// Sets the operator's id of a member, in place of `former`.
    pub fn name(
        &mut self,
        number: MemberNumber,
        program: ProgramNumber,
        id: &ExternalUserId,
        former: Option<&ExternalUserId>,
    ) {
        if let Some(former) = former {
            self.ids.put(IdHash::of(program, former), None);
        }
        self.ids.put(IdHash::of(program, id), Some(number));
    }

    /// Begins a write: those before it stand.
    pub fn mark(&mut self) {
        self.records.mark();
        self.further.mark();
        self.assets.mark();
        self.programs.mark();
        self.ids.mark();
    }

    /// Undoes the open write.
    pub fn undo(&mut self) {
        self.records.undo();
        self.further.undo();
        self.assets.undo();
        self.programs.undo();
        self.ids.undo();
    }

    /// Forgets the whole batch.
    pub fn clear(&mut self) {
        self.records.clear();
        self.further.clear();
        self.assets.clear();
        self.programs.clear();
        self.ids.clear();
        self.next_dues.clear();
        self.settled.clear();
        self.renoticed.clear();
    }

    /// Writes the batch, which was committed and whose newest row is `last`, into the books.
    pub fn publish(&self, books: &mut Books, last: Seq) {
        for (_, record) in self.records.iter() {
            books.write(record);
        }
        for (_, record) in self.further.iter() {
            books.write(record);
        }
        for (number, program) in self.programs.iter() {
            books.put_program(number, *program);
        }
        for (number, asset) in self.assets.iter() {
            books.put_asset(number, *asset);
        }
        for (id, number) in self.ids.iter() {
            if let Some(number) = number {
                books.set_id(*number, id);
            }
        }
        books.set_last_seq(last);
    }
}

impl Records for Draft {
    fn record(&self, number: MemberNumber) -> Option<Record> {
        Self::record(self, number)
    }

    fn stored(&self, key: AccountKey) -> Option<Record> {
        let Some(asset) = key.asset else {
            return Self::record(self, key.member);
        };
        match self.further.get((key.member, asset)) {
            Some(record) => Some(record.clone()),
            None => self.base.read().stored(key),
        }
    }

    fn put(&mut self, record: Record) {
        let notice = || self.program(record.program).notice;
        let lots = record.lots.as_ref();
        if let Some(due) = lots.and_then(|_| record.next_due(notice())) {
            let next = self.next_dues.entry(record.program).or_insert(due);
            *next = due.min(*next);
            if self
                .settled
                .get(&record.program)
                .is_some_and(|at| due <= *at)
            {
                self.settled.remove(&record.program);
            }
        }
        match record.asset {
            None => self.records.put(record.number, record),
            Some(asset) => self.further.put((record.number, asset), record),
        }
    }

    fn asset(&self, asset: AssetNumber) -> AssetRecord {
        Self::asset(self, asset)
    }

    fn put_asset(&mut self, number: AssetNumber, asset: AssetRecord) {
        self.assets.put(number, asset);
    }

    fn program(&self, program: ProgramNumber) -> ProgramRecord {
        Self::program(self, program)
    }

    fn put_program(&mut self, number: ProgramNumber, program: ProgramRecord) {
        self.programs.put(number, program);
    }

    fn tier_number(&self, tier: &Tier) -> TierNumber {
        // Asked each time, because the books may be replaced between two batches.
        self.base.read().tier_list().number(tier)
    }
}
