//! The state of the ledger while its entries are moved: accounts and chains of hashes.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Statement};

use super::tables;
use crate::domain::{Account, Cell, Cells as _, Column, Entry, EventKind, Row, Seq};
use crate::store::Error;
use crate::store::file::open_error::MigrationError;
use crate::store::log::NewText;
use crate::store::log::chain::{self, Hash};
use crate::store::tables::members::terms;

/// The activities of version 1 that changed a member's settings.
const CHANGES: [EventKind; 4] = [
    EventKind::MemberCreated,
    EventKind::MemberTierChanged,
    EventKind::MemberRemoved,
    EventKind::MemberRestored,
];

/// The most ledger entries of a program between two that hold the hash before them.
const CHAIN_ROWS_MAX: u32 = 256;

/// The accounts and chains after the entries so far.
#[derive(Default)]
pub(super) struct Ledger {
    wallets: HashMap<i64, Wallet>,
    chains: HashMap<i64, Chain>,
}

#[derive(Default)]
struct Wallet {
    account: Account,
    received: i64,
    spent: i64,
    /// The time of the last forfeit.
    forfeited_at: Option<i64>,
    /// The activity that last changed the member's settings.
    version: i64,
}

/// The head of a program's chain of hashes.
struct Chain {
    hash: Hash,
    /// The number of entries since one that holds the hash before it; `None` if there is none in
    /// this transaction.
    since: Option<u32>,
}

impl Ledger {
    /// Reads the entries that have been moved already, and the programs' chains as far as they were
    /// written.
    pub(super) fn read(&mut self, connection: &Connection) -> Result<(), MigrationError> {
        let mut programs = connection.prepare("SELECT id, chain FROM program")?;
        let mut rows = programs.query([])?;
        while let Some(row) = rows.next()? {
            let hash: Option<Hash> = row.get(1)?;
            let chain = Chain {
                hash: hash.unwrap_or(chain::START),
                since: None,
            };
            self.chains.insert(row.get(0)?, chain);
        }
        // The new log has its final name when it is complete.
        let is_whole = connection.column_exists(None, "activity", "jump_seq")?;
        let table = if is_whole { "activity" } else { "new_activity" };
        if !connection.table_exists(None, table)? {
            return Ok(());
        }
        let sql = format!(
            "SELECT seq, at, member_id, entry, jump_seq, received_after, spent_after FROM {table}
             WHERE entry IS NOT NULL OR kind IN (1, 2, 3, 30) ORDER BY seq"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            if row.get_ref(3)? == ValueRef::Null {
                self.wallets.entry(row.get(2)?).or_default().version = row.get(0)?;
                continue;
            }
            let wallet = self.wallets.entry(row.get(2)?).or_default();
            wallet.account = Account {
                last: Some(Seq(row.get(0)?)),
                jump: row.get::<_, Option<i64>>(4)?.map(Seq),
                far: None,
                entries: wallet.account.entries + 1,
            };
            (wallet.received, wallet.spent) = (row.get(5)?, row.get(6)?);
            if row.get::<_, i64>(3)? == Entry::Forfeit.number() {
                wallet.forfeited_at = Some(row.get(1)?);
            }
        }
        Ok(())
    }

    /// Moves the next members, each with its settings version.
    pub(super) fn move_members(&self, tx: &Connection) -> Result<usize, MigrationError> {
        let sql = "SELECT coalesce(max(id), 0) FROM new_member";
        let before: i64 = tx.query_row(sql, [], |row| row.get(0))?;
        let (rows, last) = tables::move_rows(tx, "member", &["id"])?;
        let Some(last) = last else { return Ok(0) };
        let sql = "SELECT id FROM new_member WHERE id > ?1 AND id <= ?2";
        let mut members = tx.prepare(sql)?;
        let mut update = tx.prepare("UPDATE new_member SET version = ?2 WHERE id = ?1")?;
        let ids = members.query_map((before, last), |row| row.get::<_, i64>(0))?;
        for id in ids {
            let id = id?;
            if let Some(wallet) = self.wallets.get(&id) {
                update.execute((id, wallet.version))?;
            }
        }
        terms::index_rows(tx, "new_member", (before, last))?;
        Ok(rows)
    }

    /// Notes an activity that may have changed a member's settings.
    pub(super) fn note_change(&mut self, kind: Option<EventKind>, row: &Row<'_>) {
        let is_change = kind.is_some_and(|kind| CHANGES.contains(&kind));
        let number = |column| row.cell(column).integer();
        if let (true, Some(member), Some(seq)) =
            (is_change, number(Column::Member), number(Column::Seq))
        {
            self.wallets.entry(member).or_default().version = seq;
        }
    }

    /// The time of the last forfeit of a member's points.
    pub(super) fn forfeited_at(&self, member: i64) -> Option<i64> {
        self.wallets.get(&member)?.forfeited_at
    }

    /// Adds a ledger entry, and sets its position in its account on the row.
    pub(super) fn add(
        &mut self,
        row: &mut Row<'_>,
        jumps: &mut Statement<'_>,
    ) -> Result<(), Error> {
        let impossible = || Error::Impossible("ledger entry");
        let number = |row: &Row<'_>, column| row.cell(column).integer();
        let member = number(row, Column::Member).ok_or_else(impossible)?;
        let amount = number(row, Column::Amount).ok_or_else(impossible)?;
        let entry = number(row, Column::Entry).and_then(Entry::of_number);
        let entry = entry.ok_or_else(impossible)?;
        let wallet = self.wallets.entry(member).or_default();
        if entry.is_credit() {
            wallet.received = wallet.received.saturating_add(amount);
        } else {
            wallet.spent = wallet.spent.saturating_add(amount);
        }
        if entry == Entry::Forfeit {
            wallet.forfeited_at = number(row, Column::At);
        }
        let account = wallet.account.extended(|seq| {
            let jump: Option<i64> = jumps.query_row([seq.0], |row| row.get(0))?;
            Ok::<_, rusqlite::Error>(jump.map(Seq))
        })?;
        wallet.account = Account {
            last: number(row, Column::Seq).map(Seq),
            ..account
        };
        row.set_number(Column::Jump, account.jump.map(|seq| seq.0));
        row.set(Column::ReceivedAfter, Cell::Integer(wallet.received));
        row.set(Column::SpentAfter, Cell::Integer(wallet.spent));
        Ok(())
    }

    /// Extends the chain of the entry's program. Returns the hash before it, if the row must hold
    /// it.
    pub(super) fn extend(&mut self, row: &Row<'_>, text: Option<&NewText<'_>>) -> Option<Hash> {
        let program = row.cell(Column::Program).integer();
        let Some(chain) = program.and_then(|program| self.chains.get_mut(&program)) else {
            // Another program inserted the row: `stampcard verify` reports it.
            return None;
        };
        let commitments = text.map(|text| (text.part, text.commitment()));
        let before = chain.hash;
        chain.hash = chain::next(&before, row, commitments.as_slice());
        let is_stored = chain.since.is_none_or(|since| since >= CHAIN_ROWS_MAX);
        chain.since = Some(if is_stored {
            1
        } else {
            chain.since.unwrap_or(0) + 1
        });
        is_stored.then_some(before)
    }

    /// Writes the heads of the chains that the open transaction changed.
    pub(super) fn write_chains(&mut self, tx: &Connection) -> Result<(), Error> {
        let mut update = tx.prepare("UPDATE program SET chain = ?2 WHERE id = ?1")?;
        for (program, chain) in &mut self.chains {
            if chain.since.take().is_some() {
                update.execute((program, chain.hash))?;
            }
        }
        Ok(())
    }
}
