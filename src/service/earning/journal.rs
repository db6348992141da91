//! Journal entries: the ledger entries of a program, and the changes of its wallet, as double-entry
//! bookkeeping.

use uuid::Uuid;

use super::causes::{Causes, cause_of};
use super::scope::{self, Assets, Keys, Named, check_program};
use super::subject;
use crate::books::Books;
use crate::domain::{
    Account, Asset, Bucket, DerivedIds, DerivedKind, Event, ExternalUserId, Invalid,
    IssuancePolicy, JournalAction, LedgerEntity, MemberNumber, Posting, Program, ProgramNumber,
    Refusal, RuleVersionNumber, Scale, Seq, StoredEventId, Timestamp,
};
use crate::service::{KeyPrincipal, ServiceError, Services};
use crate::store::log::EntryRow;
use crate::store::log::journal::{self, Bounds, Found, Hashes, JournalRow};
use crate::store::{self, Connection};
use crate::wire::{
    Cursor, JournalEntryListResponse, JournalEntryResponse, ListKind, PageQuery, PostingResponse,
};

/// More rows of the log than follow an event up to the last one that it causes.
const ROWS_OF_EVENT_MAX: i64 = 50_000;

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
    /// Only those that this event caused.
    pub event: Option<Uuid>,
    /// Only those that this rule caused.
    pub rule: Option<Uuid>,
    /// Whether the filter names a group, which no entry has.
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
    fn admits(&self, assets: &Assets, row: &JournalRow) -> bool {
        let entry = match row {
            JournalRow::Entry(row) => Some(row),
            JournalRow::Funding(_) => None,
        };
        // The response says so if the asset is unknown.
        let scale = || {
            assets
                .named(row.asset())
                .map_or(Scale::WHOLE, |it| it.scale)
        };
        let of_whole = |number: i64| scale().of_whole(number);
        let has_posting = || {
            let wants_all = self.bucket.is_none() && self.min.is_none() && self.max.is_none();
            // Those of the participant are the same, whatever the policy is.
            let postings = entry.map(|row| row.entry.postings(IssuancePolicy::default()));
            wants_all
                || postings.into_iter().flatten().any(|posting| {
                    posting.entity == LedgerEntity::Participant
                        && self.bucket.is_none_or(|bucket| posting.bucket == bucket)
                        && self.min.is_none_or(|min| posting.amount >= of_whole(min))
                        && self.max.is_none_or(|max| posting.amount <= of_whole(max))
                })
        };
        let reference = self.reference.as_deref();
        let reference_of = || entry.and_then(EntryRow::reference);
        reference.is_none_or(|wanted| reference_of() == Some(wanted))
            && self.from.is_none_or(|from| row.at() >= from)
            && self.to.is_none_or(|to| row.at() <= to)
            && self.action.is_none_or(|action| action_of(row) == action)
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
        let books = self.books.clone();
        self.readership.note();
        self.read(key, move |connection| {
            let named = filter.asset.map(|id| {
                let program = (key.program, uuid);
                scope::asset(connection, program, id)
            });
            let named = named.transpose()?;
            // Its newest entries are committed, so that the reads after this see them.
            let source = source(&books.read(), (key.program, uuid), &filter, named);
            let assets = Assets::of(connection, (key.program, uuid))?;
            let newest = source.newest();
            let caused = Caused::of(connection, key.program, &filter)?;
            let is_empty = filter.is_empty || caused.is_none();
            let start = page.cursor.map(|cursor| Seq(cursor.0)).or(newest);
            let Some((start, caused)) = start.zip(caused).filter(|_| !is_empty && newest.is_some())
            else {
                return Ok(JournalEntryListResponse {
                    data: Vec::new(),
                    pagination: None.into(),
                });
            };
            let bounds = Bounds {
                start: caused.last.map_or(start, |last| last.min(start)),
                from: filter.from.max(caused.first_at),
                limit: page.limit,
            };
            let keeps = |row: &JournalRow| {
                named.is_none_or(|named| row.asset() == named.number)
                    && caused.admits(row)
                    && filter.admits(&assets, row)
            };
            let found = match source {
                Source::Program(_) => journal::of_program(connection, key.program, bounds, keeps)?,
                Source::Accounts(member, accounts) => {
                    let owner = (key.program, member);
                    let found = journal::of_accounts(connection, owner, &accounts, bounds, keeps)?;
                    let expected = "must be the next_cursor of a page of this list";
                    found.ok_or_else(|| Invalid::new("cursor", expected))?
                }
            };
            let Found { rows, next } = found;
            let program = store::programs::get(connection, key.program)?;
            let mut rendering = Rendering::new(connection, &program, &assets)?;
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
            let row = journal::find(connection, key.program, Seq(seq))?;
            let row = row.ok_or_else(not_found)?;
            let program = store::programs::get(connection, key.program)?;
            let assets = Assets::of(connection, (key.program, uuid))?;
            Ok(Rendering::new(connection, &program, &assets)?.response(row)?)
        })
        .await
    }
}

/// What the entries of a list were caused by, if a filter says so.
#[derive(Default)]
struct Caused {
    event: Option<Seq>,
    versions: Option<Vec<RuleVersionNumber>>,
    /// The last row of the log that can be such an entry.
    last: Option<Seq>,
    /// The time of the first one.
    first_at: Option<Timestamp>,
}

impl Caused {
    /// `None` if there is no such event or rule.
    fn of(
        connection: &Connection,
        program: ProgramNumber,
        filter: &JournalFilter,
    ) -> Result<Option<Self>, store::Error> {
        let mut caused = Self::default();
        if let Some(id) = filter.event {
            let id = StoredEventId::from_uuid(id);
            let Some(event) = store::stored_events::find(connection, program, id)? else {
                return Ok(None);
            };
            caused.event = Some(event.seq);
            caused.last = Some(Seq(event.seq.0.saturating_add(ROWS_OF_EVENT_MAX)));
            caused.first_at = Some(event.stored_at);
        }
        if let Some(id) = filter.rule {
            let Some(rule) = store::rules::find(connection, program, id)? else {
                return Ok(None);
            };
            caused.versions = Some(store::rules::numbers_of_versions(connection, rule.number)?);
        }
        Ok(Some(caused))
    }

    fn admits(&self, row: &JournalRow) -> bool {
        let cause = match row {
            JournalRow::Entry(row) => cause_of(&row.entry),
            JournalRow::Funding(_) => None,
        };
        let versions = self.versions.as_ref();
        self.event
            .is_none_or(|event| cause.is_some_and(|it| it.event == event))
            && versions.is_none_or(|all| cause.is_some_and(|it| all.contains(&it.version)))
    }
}

/// Where the entries of a list are.
enum Source {
    /// Those of a program, the newest of which is this.
    Program(Option<Seq>),
    /// Those of some accounts of a member.
    Accounts(MemberNumber, Vec<Account>),
}

impl Source {
    fn newest(&self) -> Option<Seq> {
        match self {
            Self::Program(newest) => *newest,
            Self::Accounts(_, accounts) => accounts.iter().filter_map(|it| it.last).max(),
        }
    }
}

/// Where the entries are that a filter may admit; `named` is its asset.
fn source(
    books: &Books,
    (number, program): (ProgramNumber, Uuid),
    filter: &JournalFilter,
    named: Option<Named>,
) -> Source {
    let record = match (filter.participant, &filter.external_id) {
        (Some(id), _) => {
            let member = subject::ids(program).numbers(id);
            member.and_then(|(member, _)| books.record(MemberNumber(member)))
        }
        (None, Some(id)) => books.find(number, id),
        (None, None) => return Source::Program(books.program(number).last_entry),
    };
    let Some(record) = record.filter(|record| record.program == number) else {
        return Source::Accounts(MemberNumber(0), Vec::new());
    };
    let member = record.number;
    let accounts = books.accounts_of(member).into_iter();
    let accounts = accounts.filter(|it| named.is_none_or(|named| it.asset == named.number));
    Source::Accounts(member, accounts.map(|it| it.account).collect())
}

/// What the responses of a program's entries share.
struct Rendering<'a> {
    program: &'a Program,
    assets: &'a Assets,
    /// Where credited points of the program come from.
    policy: IssuancePolicy,
    keys: Keys<'a>,
    causes: Causes<'a>,
    hashes: Hashes<'a>,
}

impl<'a> Rendering<'a> {
    fn new(
        connection: &'a Connection,
        program: &'a Program,
        assets: &'a Assets,
    ) -> Result<Self, store::Error> {
        let points = store::assets::find(connection, program.number)?;
        Ok(Self {
            program,
            assets,
            policy: points.map_or_else(IssuancePolicy::default, |points| points.policy),
            keys: Keys::new(connection),
            causes: Causes::new(connection),
            hashes: Hashes::new(connection, program.number),
        })
    }

    fn response(&mut self, row: JournalRow) -> Result<JournalEntryResponse, store::Error> {
        let seq = row.seq();
        let asset = self.assets.get(row.asset())?;
        let postings = match &row {
            JournalRow::Entry(row) => {
                let policy = asset.map_or(self.policy, |asset| asset.policy);
                row.entry.postings(policy)
            }
            JournalRow::Funding(row) => row.activity.event.funding_postings(),
        };
        let postings = postings.iter();
        let postings = postings.map(|posting| self.posting(&row, asset, posting));
        let postings = postings.collect();
        let action_type = action_of(&row).as_str();
        let (created_at, actor) = (row.at().to_short(), row.actor());
        let (mut event_id, mut rule_id) = (None, None);
        if let JournalRow::Entry(row) = &row {
            let event = self.causes.event(&row.entry)?;
            event_id = event.map(|event| event.id.as_uuid().to_string());
            rule_id = self.causes.rule(&row.entry)?.map(|rule| rule.to_string());
        }
        let (reference, description) = match row {
            JournalRow::Entry(row) => (row.reference().map(str::to_owned), row.entry.reason),
            JournalRow::Funding(row) => {
                let funding = row.activity.event.funding();
                (None, funding.and_then(|(it, _)| it.description.clone()))
            }
        };
        let ids = DerivedIds::new(self.program.uuid, DerivedKind::JournalEntry);
        Ok(JournalEntryResponse {
            id: ids.id(seq.0, 0).to_string(),
            action_type,
            created_at,
            created_by_api_key_id: self.keys.id(actor)?,
            entry_hash: data_encoding::HEXLOWER.encode(&self.hashes.of(seq)?),
            event_id,
            rule_id,
            program_id: self.program.uuid.to_string(),
            program_name: self.program.name.as_str().to_owned(),
            reference_id: reference,
            postings,
            description: description.map(|reason| reason.as_str().to_owned()),
        })
    }

    fn posting(
        &self,
        row: &JournalRow,
        asset: Option<&Asset>,
        posting: &Posting,
    ) -> PostingResponse {
        let program = self.program.uuid;
        let ids = DerivedIds::new(program, DerivedKind::Posting);
        let participant = match row {
            JournalRow::Entry(row) if posting.entity == LedgerEntity::Participant => {
                Some(subject::ids(program).id(row.entry.member.0, 0))
            }
            _ => None,
        };
        let further = asset.and_then(|asset| asset.further.as_ref());
        let symbol = match further {
            None => self.program.currency.symbol.as_str(),
            Some(further) => further.symbol.as_str(),
        };
        let scale = asset.map_or(Scale::WHOLE, Asset::scale);
        PostingResponse {
            id: ids.id(row.seq().0, posting.number).to_string(),
            amount: scale.show(posting.amount),
            asset_symbol: symbol.to_owned(),
            bucket: posting.bucket.as_str(),
            entity_type: posting.entity.as_str(),
            participant_id: participant.map(|id| id.to_string()),
            group_id: None,
            program_id: program.to_string(),
            created_at: row.at().to_short(),
        }
    }
}

/// The kind of a journal entry.
fn action_of(row: &JournalRow) -> JournalAction {
    match row {
        JournalRow::Entry(row) => JournalAction::of(&row.entry),
        JournalRow::Funding(row) => match row.activity.event {
            Event::ProgramBurned(_) => JournalAction::Burn,
            _ => JournalAction::Fund,
        },
    }
}
