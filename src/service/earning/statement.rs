//! The statement of a participant's account: its changes in a period, with the balance after each.

use uuid::Uuid;

use super::scope::{Keys, Named, asset};
use crate::domain::{
    Bucket, DerivedIds, DerivedKind, JournalAction, Posting, ProgramNumber, Refusal, Timestamp,
};
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::log::{AccountLog, EntryRow};
use crate::store::{self, Connection};
use crate::wire::{Cursor, ListKind, PageQuery, StatementResponse, StatementRowResponse, short};

/// The most entries that are read for a page.
const READ_MAX: u64 = 10_000;

/// The account and the period of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatementSelection {
    /// The asset.
    pub asset: Uuid,
    /// The bucket.
    pub bucket: Bucket,
    /// The start, inclusive.
    pub from: Option<Timestamp>,
    /// The end, inclusive.
    pub to: Option<Timestamp>,
}

impl Services {
    /// A page of the statement of a participant, oldest entry first.
    ///
    /// # Errors
    /// `not_found` if the program has no such participant or asset.
    pub async fn get_statement(
        &self,
        key: KeyPrincipal,
        id: String,
        selection: StatementSelection,
        page: PageQuery,
    ) -> Result<StatementResponse, ServiceError> {
        let member = self.participant(key, &id)?.number;
        let program = self.directory.uuid_of(key.program)?;
        let books = self.books.clone();
        self.read(key, move |connection| {
            let asset = asset(connection, (key.program, program), selection.asset)?;
            // Its newest entry is committed, so that the reads after this see it.
            let record = books.read().account(asset.account(member));
            let record = record.ok_or(Refusal::NotFound("participant"))?;
            let log = AccountLog::new(connection, record.number, &record.account);
            Ok(statement(
                (connection, &log),
                (key.program, program, &asset),
                selection,
                page,
            )?)
        })
        .await
    }
}

fn statement(
    (connection, log): (&Connection, &AccountLog<'_>),
    (program, uuid, asset): (ProgramNumber, Uuid, &Named),
    selection: StatementSelection,
    page: PageQuery,
) -> Result<StatementResponse, store::Error> {
    let StatementSelection {
        bucket, from, to, ..
    } = selection;
    // The number of the first entry of the period, and of the last one.
    let first = match from {
        Some(from) => log.last_where(|at| at < from)? + 1,
        None => 1,
    };
    let last = match to {
        Some(to) => log.last_where(|at| at <= to)?,
        None => log.count(),
    };
    let balance_after = |number| match number {
        0 => Ok(0),
        _ => log.get(number).map(|row| row.after.in_bucket(bucket)),
    };
    let opening = balance_after(first - 1)?;
    let closing = balance_after(last.max(first - 1))?;
    let after = page.cursor.map_or(0, |cursor| cursor.0.unsigned_abs());
    let mut next = first.max(after.saturating_add(1));
    let end = last.min(next.saturating_add(READ_MAX - 1));
    let mut keys = Keys::new(connection);
    let mut data = Vec::new();
    while next <= end && data.len() < page.limit {
        let room = (page.limit - data.len()) as u64;
        let stop = end.min(next + room - 1);
        for row in log.range(next, stop)? {
            if row.entry.change().in_bucket(bucket) != 0 {
                data.push(response(&mut keys, (uuid, asset), bucket, row)?);
            }
        }
        next = stop + 1;
    }
    let next_cursor = (next <= last).then(|| {
        let read = i64::try_from(next - 1).unwrap_or(i64::MAX);
        Cursor(read).encode(ListKind::Statement, program.0)
    });
    Ok(StatementResponse {
        asset_id: asset.id.to_string(),
        bucket: bucket.as_str(),
        from: short(from),
        to: short(to),
        opening_balance: asset.scale.show(opening),
        closing_balance: asset.scale.show(closing),
        data,
        pagination: next_cursor.into(),
    })
}

fn response(
    keys: &mut Keys<'_>,
    (program, asset): (Uuid, &Named),
    bucket: Bucket,
    row: EntryRow,
) -> Result<StatementRowResponse, store::Error> {
    let entries = DerivedIds::new(program, DerivedKind::JournalEntry);
    let postings = DerivedIds::new(program, DerivedKind::Posting);
    let posting = postings.id(row.seq.0, Posting::number_of(bucket));
    Ok(StatementRowResponse {
        posting_id: posting.to_string(),
        journal_entry_id: entries.id(row.seq.0, 0).to_string(),
        action_type: JournalAction::of(&row.entry).as_str(),
        amount: asset.scale.show(row.entry.change().in_bucket(bucket)),
        bucket: bucket.as_str(),
        running_balance: asset.scale.show(row.after.in_bucket(bucket)),
        event_id: None,
        event_timestamp: None,
        created_by_api_key_id: keys.id(row.actor)?,
        created_at: row.at.to_short(),
        description: row.entry.reason.map(|reason| reason.as_str().to_owned()),
    })
}
