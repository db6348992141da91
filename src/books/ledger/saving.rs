//! What is copied to be saved, and how it is written back.

use std::sync::atomic::{AtomicU64, Ordering};

use super::{Books, CHUNK, WORD, index};
use crate::books::{ProgramRecord, Record};
use crate::domain::{AssetNumber, Points, ProgramNumber, Wallet};

impl Books {
    /// The number of chunks of records.
    pub(in crate::books) fn chunk_count(&self) -> usize {
        self.chunks.len()
    }

    /// Copies the records of a chunk that changed since they were last saved, or all of them, and
    /// takes note that they are saved.
    pub(in crate::books) fn take_chunk(&self, chunk: usize, all: bool) -> Vec<Record> {
        let mut records = Vec::new();
        let first = chunk * CHUNK;
        for (word, dirty) in (0..).zip(&self.dirty[first / WORD..(first + CHUNK) / WORD]) {
            let dirty = dirty.swap(0, Ordering::Relaxed);
            let bits = if all { u64::MAX } else { dirty };
            let start = word * WORD;
            let present = self.chunks[chunk].len();
            for bit in (0..WORD).filter(|bit| bits & (1 << bit) != 0) {
                if start + bit < present {
                    records.push(self.unpack(&self.chunks[chunk][start + bit]));
                }
            }
        }
        records
    }

    /// The number of records that changed since they were last saved.
    pub fn dirty_count(&self) -> usize {
        let ones = |word: &AtomicU64| word.load(Ordering::Relaxed).count_ones();
        let count: u32 = self.dirty.iter().map(ones).sum();
        usize::try_from(count).unwrap_or(usize::MAX)
    }

    /// Writes a record that was saved, which is not dirty. Returns false, and changes nothing, if a
    /// sum of its program would become too large.
    pub(in crate::books) fn restore(&mut self, record: &Record) -> bool {
        let before = self.stored(record.key()).map(|before| before.wallet);
        let wallets = (before.unwrap_or_default(), record.wallet);
        if !self.shift(record, wallets) {
            return false;
        }
        self.write(record);
        if let Some(place) = self.place_of(record.key()) {
            let (word, bit) = (index(place) / WORD, index(place) % WORD);
            self.dirty[word].fetch_and(!(1 << bit), Ordering::Relaxed);
        }
        true
    }

    /// Adds the change of a wallet to the sums of its program or asset. Returns false, and changes
    /// nothing, if one would become too large.
    fn shift(&mut self, record: &Record, wallets: (Wallet, Wallet)) -> bool {
        match record.asset {
            None => {
                let shifted = self.program(record.program).shifted(wallets);
                let program = record.program;
                shifted
                    .map(|shifted| self.programs.insert(program, shifted))
                    .is_some()
            }
            Some(asset) => {
                let shifted = self.asset(asset).shifted(wallets);
                shifted
                    .map(|shifted| self.assets.insert(asset, shifted))
                    .is_some()
            }
        }
    }

    pub(in crate::books) fn restore_program(
        &mut self,
        number: ProgramNumber,
        stored: ProgramRecord,
    ) {
        let program = self.programs.entry(number).or_default();
        let is_renewed = program.notice != stored.notice;
        program.notice = stored.notice;
        if program.last_entry <= stored.last_entry {
            *program = ProgramRecord {
                chain_start: stored.chain_start,
                last_entry: stored.last_entry,
                head: stored.head,
                funds: stored.funds,
                ..*program
            };
        }
        if is_renewed {
            self.renew_notices(number, stored.notice);
        }
    }

    /// What the wallets of programs have of further assets, in no order.
    pub(in crate::books) fn asset_funds(&self) -> impl Iterator<Item = (AssetNumber, Points)> {
        self.assets()
            .filter_map(|(number, record)| Some((number, record.funds?)))
    }

    pub(in crate::books) fn restore_funds(&mut self, asset: AssetNumber, funds: Points) {
        self.assets.entry(asset).or_default().funds = Some(funds);
    }
}
