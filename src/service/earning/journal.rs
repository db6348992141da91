//! Journal entries: the ledger entries of a program as double-entry bookkeeping.

use uuid::Uuid;

use super::scope::{Keys, check_asset, check_program};
use super::subject;
use crate::domain::{
    Bucket, DerivedIds, DerivedKind, ExternalUserId, Invalid, JournalAction, LedgerEntity,
    MemberNumber, Posting, Program, Refusal, Seq, Timestamp,
};
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::log::EntryRow;
use crate::store::log::journal::{self, Found, Hashes};
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, JournalEntryListResponse, JournalEntryResponse, ListKind, PageQuery, PostingResponse,
};

/// The filter of a list of journal entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalFilter {
    /// Only those of this program, which has to be the key's.
    pub program: Option<Uuid>,
    /// Only those of this asset, which has to be the program's.
    pub asset: Option<Uuid>,
    /// Only those of this participant.
    pub participant: Option<Uuid>,
    /// Only those of the participant with this external id.
    pub external_id: Option<ExternalUserId>,
    /// Whether the filter names something that no entry has: a group, an event or a rule.
    pub is_empty: bool,
    /// Only those with this reference.
    pub reference: Option<String>,
    /// Only those that were created at this time or later.
    pub from: Option<Timestamp>,
    /// Only those that were created at this time or earlier.
    pub to: Option<Timestamp>,
    /// Only those of this kind.
    pub action: Option<JournalAction>,
    /// Only those with a posting of the participant to this bucket,
    pub bucket: Option<Bucket>,
    /// of this many points or more,
    pub min: Option<i64>,
    /// and of this many or less.
    pub max: Option<i64>,
}

impl JournalFilter {
    fn admits(&self, row: &EntryRow) -> bool {
        let has_posting = || {
            let wants_all = self.bucket.is_none() && self.min.is_none() && self.max.is_none();
            let mut postings = row.entry.postings().into_iter();
            wants_all
                || postings.any(|posting| {
                    posting.entity == LedgerEntity::Participant
                        && self.bucket.is_none_or(|bucket| posting.bucket == bucket)
                        && self.min.is_none_or(|min| posting.amount >= min)
                        && self.max.is_none_or(|max| posting.amount <= max)
                })
        };
        let reference = self.reference.as_deref();
        reference.is_none_or(|wanted| row.reference() == Some(wanted))
            && self.from.is_none_or(|from| row.at >= from)
            && self.to.is_none_or(|to| row.at <= to)
            && self
                .action
                .is_none_or(|action| JournalAction::of(&row.entry) == action)
            && has_posting()
    }
}

impl Services {
    /// A page of the journal entries of the key's program, newest first.
    ///
    /// # Errors
    /// `forbidden` if the filter names another program, `not_found` for another asset.
    pub async fn list_journal_entries(
        &self,
        key: KeyPrincipal,
        filter: JournalFilter,
        page: PageQuery,
    ) -> Result<JournalEntryListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        check_program(uuid, filter.program)?;
        check_asset(uuid, filter.asset)?;
        let names_one = filter.participant.is_some() || filter.external_id.is_some();
        let member = self.member_of(key, uuid, &filter);
        let newest = match (names_one, &member) {
            (false, _) => self.books.read().program(key.program).last_entry,
            (true, Some((_, newest))) => *newest,
            (true, None) => None,
        };
        let start = page.cursor.map(|cursor| Seq(cursor.0)).or(newest);
        let Some(start) = start.filter(|_| !filter.is_empty && newest.is_some()) else {
            return Ok(JournalEntryListResponse {
                data: Vec::new(),
                pagination: None.into(),
            });
        };
        self.readership.note();
        self.read(key, move |connection| {
            let bounds = (start, page.limit);
            let keeps = |row: &EntryRow| filter.admits(row);
            let found = match member {
                None => journal::of_program(connection, key.program, bounds, keeps)?,
                Some((member, _)) => {
                    let account = (key.program, member);
                    let found = journal::of_account(connection, account, bounds, keeps)?;
                    let expected = "must be the next_cursor of a page of this list";
                    found.ok_or_else(|| Invalid::new("cursor", expected))?
                }
            };
            let Found { rows, next } = found;
            let program = store::programs::get(connection, key.program)?;
            let mut rendering = Rendering::new(connection, &program);
            let data = rows.into_iter().map(|row| rendering.response(row));
            let list = ListKind::JournalEntries;
            let next = next.map(|next| Cursor(next.0).encode(list, key.program.0));
            Ok(JournalEntryListResponse {
                data: data.collect::<Result<_, store::Error>>()?,
                pagination: next.into(),
            })
        })
        .await
    }

    /// A journal entry of the key's program.
    ///
    /// # Errors
    /// `not_found` if it has no such entry.
    pub async fn get_journal_entry(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<JournalEntryResponse, ServiceError> {
        let not_found = || Refusal::NotFound("journal entry");
        let uuid = self.directory.uuid_of(key.program)?;
        let numbers = Uuid::try_parse(&id)
            .ok()
            .and_then(|id| DerivedIds::new(uuid, DerivedKind::JournalEntry).numbers(id));
        let Some((seq, 0)) = numbers else {
            return Err(not_found().into());
        };
        self.look_up(key, move |connection| {
            let row = store::log::entry(connection, key.program, Seq(seq))?;
            let row = row.ok_or_else(not_found)?;
            let program = store::programs::get(connection, key.program)?;
            Ok(Rendering::new(connection, &program).response(row)?)
        })
        .await
    }

    /// The member that a filter names, with the newest entry of the account.
    fn member_of(
        &self,
        key: KeyPrincipal,
        program: Uuid,
        filter: &JournalFilter,
    ) -> Option<(MemberNumber, Option<Seq>)> {
        let books = self.books.read();
        let record = match (filter.participant, &filter.external_id) {
            (Some(id), _) => {
                let (number, _) = subject::ids(program).numbers(id)?;
                books.record(MemberNumber(number))
            }
            (None, Some(id)) => books.find(key.program, id),
            (None, None) => None,
        };
        let record = record.filter(|record| record.program == key.program)?;
        Some((record.number, record.account.last))
    }
}

/// What the responses of a program's entries share.
struct Rendering<'a> {
    program: &'a Program,
    keys: Keys<'a>,
    hashes: Hashes<'a>,
}

impl<'a> Rendering<'a> {
    fn new(connection: &'a Connection, program: &'a Program) -> Self {
        Self {
            program,
            keys: Keys::new(connection),
            hashes: Hashes::new(connection, program.number),
        }
    }

    fn response(&mut self, row: EntryRow) -> Result<JournalEntryResponse, store::Error> {
        let postings = row.entry.postings();
        let postings = postings.iter().map(|posting| self.posting(&row, posting));
        let postings = postings.collect();
        let ids = DerivedIds::new(self.program.uuid, DerivedKind::JournalEntry);
        Ok(JournalEntryResponse {
            id: ids.id(row.seq.0, 0).to_string(),
            action_type: JournalAction::of(&row.entry).as_str(),
            created_at: row.at.to_short(),
            created_by_api_key_id: self.keys.id(row.actor)?,
            entry_hash: data_encoding::HEXLOWER.encode(&self.hashes.of(row.seq)?),
            event_id: None,
            rule_id: None,
            program_id: self.program.uuid.to_string(),
            program_name: self.program.name.as_str().to_owned(),
            reference_id: row.reference().map(str::to_owned),
            postings,
            description: row.entry.reason.map(|reason| reason.as_str().to_owned()),
        })
    }

    fn posting(&self, row: &EntryRow, posting: &Posting) -> PostingResponse {
        let program = self.program.uuid;
        let ids = DerivedIds::new(program, DerivedKind::Posting);
        let is_own = posting.entity == LedgerEntity::Participant;
        let participant = subject::ids(program).id(row.entry.member.0, 0);
        PostingResponse {
            id: ids.id(row.seq.0, posting.number).to_string(),
            amount: posting.amount.to_string(),
            asset_symbol: self.program.currency.symbol.as_str().to_owned(),
            bucket: posting.bucket.as_str(),
            entity_type: posting.entity.as_str(),
            participant_id: is_own.then(|| participant.to_string()),
            group_id: None,
            program_id: program.to_string(),
            created_at: row.at.to_short(),
        }
    }
}
