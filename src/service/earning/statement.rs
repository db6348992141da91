//! The statement of a participant's account: its changes in a period, with the balance after each.

use uuid::Uuid;

use super::causes::Causes;
use super::scope::{Keys, Named, asset};
use crate::domain::{
    Bucket, DerivedIds, DerivedKind, Entry, JournalAction, Posting, ProgramNumber, Refusal,
    Timestamp,
};
use crate::service::loyalty::Actors;
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::log::{AccountLog, EntryRow};
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, EntryDetailsResponse, ListKind, PageQuery, StatementDetailsResponse, StatementResponse,
    StatementRowResponse, short,
};

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
    /// Whether the newest entry comes first.
    pub is_descending: bool,
    /// Whether entries have their cause and their lots.
    pub has_details: bool,
}

impl Services {
    /// A page of the statement of a participant.
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
    let period = (first, last);
    let (rows, next) = if selection.is_descending {
        newest_first(log, bucket, period, page)?
    } else {
        oldest_first(log, bucket, period, page)?
    };
    let mut rendering = Rendering {
        program: uuid,
        asset,
        bucket,
        keys: Keys::new(connection),
        causes: Causes::new(connection),
        actors: selection.has_details.then(|| Actors::new(connection)),
    };
    let data = rows.into_iter().map(|row| rendering.response(row));
    let data = data.collect::<Result<_, store::Error>>()?;
    let next_cursor = next.map(|read| {
        let read = i64::try_from(read).unwrap_or(i64::MAX);
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

/// The entries of a page, and the number of the last one that was read if more follow.
type Page = (Vec<EntryRow>, Option<u64>);

fn is_in(bucket: Bucket, row: &EntryRow) -> bool {
    row.entry.change().in_bucket(bucket) != 0
}

fn oldest_first(
    log: &AccountLog<'_>,
    bucket: Bucket,
    (first, last): (u64, u64),
    page: PageQuery,
) -> Result<Page, store::Error> {
    let after = page.cursor.map_or(0, |cursor| cursor.0.unsigned_abs());
    let mut next = first.max(after.saturating_add(1));
    let end = last.min(next.saturating_add(READ_MAX - 1));
    let mut rows = Vec::new();
    while next <= end && rows.len() < page.limit {
        let room = (page.limit - rows.len()) as u64;
        let stop = end.min(next + room - 1);
        let found = log.range(next, stop)?.into_iter();
        rows.extend(found.filter(|row| is_in(bucket, row)));
        next = stop + 1;
    }
    Ok((rows, (next <= last).then(|| next - 1)))
}

fn newest_first(
    log: &AccountLog<'_>,
    bucket: Bucket,
    (first, last): (u64, u64),
    page: PageQuery,
) -> Result<Page, store::Error> {
    let before = page.cursor.map(|cursor| cursor.0.unsigned_abs());
    let newest = before.map_or(last, |before| last.min(before.saturating_sub(1)));
    let oldest = first.max((newest + 1).saturating_sub(READ_MAX));
    let (mut rows, mut read) = (Vec::new(), newest + 1);
    if newest >= oldest {
        log.back(newest, |number, row| {
            read = number;
            rows.extend(Some(row).filter(|row| is_in(bucket, row)));
            Ok::<_, store::Error>(number > oldest && rows.len() < page.limit)
        })?;
    }
    Ok((rows, (read > first).then_some(read)))
}

/// What the rows of a statement share.
struct Rendering<'a> {
    program: Uuid,
    asset: &'a Named,
    bucket: Bucket,
    keys: Keys<'a>,
    causes: Causes<'a>,
    /// `None`: without details.
    actors: Option<Actors<'a>>,
}

impl Rendering<'_> {
    fn response(&mut self, row: EntryRow) -> Result<StatementRowResponse, store::Error> {
        let (scale, bucket) = (self.asset.scale, self.bucket);
        let entries = DerivedIds::new(self.program, DerivedKind::JournalEntry);
        let postings = DerivedIds::new(self.program, DerivedKind::Posting);
        let posting = postings.id(row.seq.0, Posting::number_of(bucket));
        let event = self.causes.event(&row.entry)?;
        let event = event.map(|event| (event.id, event.happened_at));
        Ok(StatementRowResponse {
            posting_id: posting.to_string(),
            journal_entry_id: entries.id(row.seq.0, 0).to_string(),
            action_type: JournalAction::of(&row.entry).as_str(),
            amount: scale.show(row.entry.change().in_bucket(bucket)),
            bucket: bucket.as_str(),
            running_balance: scale.show(row.after.in_bucket(bucket)),
            event_id: event.map(|(id, _)| id.as_uuid().to_string()),
            event_timestamp: event.map(|(_, at)| at.to_short()),
            created_by_api_key_id: self.keys.id(row.actor)?,
            created_at: row.at.to_short(),
            details: self.details(&row)?,
            description: row.entry.reason.map(|reason| reason.as_str().to_owned()),
        })
    }

    fn details(
        &mut self,
        row: &EntryRow,
    ) -> Result<Option<StatementDetailsResponse>, store::Error> {
        let Some(actors) = &mut self.actors else {
            return Ok(None);
        };
        let actor = actors.response(row.actor)?;
        let details = EntryDetailsResponse::new(actor, row.entry.buckets.as_deref());
        let is_amount = row.entry.entry == Entry::Spend && row.entry.redemption.is_none();
        let redemption = is_amount.then(|| {
            let ids = DerivedIds::new(self.program, DerivedKind::Redemption);
            ids.id(row.seq.0, 0).to_string()
        });
        let details = StatementDetailsResponse::new(details, redemption, self.asset.scale);
        Ok(Some(details))
    }
}
