//! Checks every row of the log against the table of events, the chain of hashes and the accounts.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Rows};

use super::chain::{self, Hash};
use super::history::History;
use super::insert::{COMMON, of_journal};
use super::read::{ALL, Stored};
use super::texts;
use crate::domain::{
    Cell, Cells, Column, Entry, Event, EventKind, LedgerEntry, Row, Seq, Timestamp, jump_depth,
};
use crate::store::Error;
use crate::store::tables::columns::column;
use crate::store::whole::rules::Rule;

const TEXTS: &str = "SELECT seq, part, text, salt, commitment FROM log_text ORDER BY seq, part";

/// The number of successive ledger entries of a program of which at least one must store the hash
/// that it follows: more than a commit can have.
const CHAIN_ROWS_MAX: u32 = 4096;
/// The number of findings after which the check stops.
const FINDINGS_MAX: usize = 100;

/// The result of a check.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// The findings, one sentence each.
    pub findings: Vec<String>,
    /// The number of erased texts, of which only the commitments can be checked.
    pub erased: u64,
    /// The newest ledger entry of each program, and its hash.
    pub heads: HashMap<i64, (Seq, Hash)>,
    /// The number of rows of version 0.1.0 that lack values to compare and are taken as given.
    pub given: u64,
}

/// Reads the whole log. Each row may use only the columns of its kind. Each ledger entry must
/// follow the entries of its account, and have the hash that continues the chain.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn check(connection: &Connection) -> Result<Checked, Error> {
    let mut texts = connection.prepare(TEXTS)?;
    let mut check = Check {
        texts: Texts::begin(texts.query([])?)?,
        accounts: HashMap::new(),
        chains: HashMap::new(),
        erased_members: erased_members(connection)?,
        history: History::begin(connection)?,
        rules: Column::ALL.map(|column| Rule::of("activity", column.name())),
        findings: Vec::new(),
    };
    let sql = format!("SELECT {} FROM activity ORDER BY seq", ALL.names);
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        check.row(&Stored::new(row, &ALL))?;
        if check.count() >= FINDINGS_MAX {
            break;
        }
    }
    if check.count() < FINDINGS_MAX {
        check.end();
        check.history.end(FINDINGS_MAX)?;
    }
    let mut findings = check.findings;
    findings.extend(check.history.findings);
    Ok(Checked {
        findings,
        heads: check
            .chains
            .into_iter()
            .map(|(program, head)| (program, (Seq(head.seq), head.hash)))
            .collect(),
        given: check.history.given,
        erased: check.texts.erased,
    })
}

/// The members whose texts may be erased.
fn erased_members(connection: &Connection) -> Result<HashSet<i64>, Error> {
    // An erased member may have been created again under the new id.
    let sql = "SELECT id FROM member WHERE external_user_id GLOB 'erased_*'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct Check<'a> {
    texts: Texts<'a>,
    /// By the member and the asset.
    accounts: HashMap<(i64, Option<i64>), Entries>,
    chains: HashMap<i64, Head>,
    erased_members: HashSet<i64>,
    history: History<'a>,
    rules: [Option<Rule>; Column::ALL.len()],
    findings: Vec<String>,
}

/// The newest hash of a program.
struct Head {
    seq: i64,
    hash: Hash,
    /// The number of entries since one stored the hash that it follows.
    since: u32,
}

/// The ledger entries of an account, in order.
#[derive(Default)]
struct Entries {
    seqs: Vec<i64>,
    wallet: [i64; 4],
}

impl Check<'_> {
    /// Checks the end of a token, which the server's clock limits; other events have any time here.
    fn token_end(&mut self, seq: i64, event: &Event) {
        if let Event::TokenExchanged {
            expires_at: Some(end),
            ..
        } = event
            && Timestamp::parse_stored(end.as_millis()).is_none()
        {
            self.report(format!(
                "activity {seq}: its expires_at must not be before 1970"
            ));
        }
    }

    fn row(&mut self, row: &impl Cells) -> Result<(), Error> {
        let seq = row.cell(Column::Seq).integer().unwrap_or_default();
        let kind = row
            .cell(Column::Kind)
            .integer()
            .and_then(EventKind::of_number);
        let texts = self.texts.of(seq)?;
        let Some(kind) = kind else {
            self.report(format!("activity {seq} has an unknown kind"));
            return Ok(());
        };
        let event = Event::read(kind, row);
        match &event {
            Some(event) => {
                self.token_end(seq, event);
                self.history.row(row, event)?;
            }
            None => self.report(format!(
                "activity {seq}, {}, lacks a required value",
                kind.as_str()
            )),
        }
        let is_entry = kind.columns().contains(&Column::Entry);
        let is_used = |column: &Column| {
            COMMON.contains(column)
                || kind.columns().contains(column)
                || of_journal(kind).contains(column)
        };
        // An entry uses only some columns of its kind.
        let mut written = Row::default();
        let entry = event.as_ref().filter(|_| is_entry);
        entry.inspect(|event| event.write(&mut written));
        let is_extra = |column: &Column| {
            entry.is_some()
                && kind.columns().contains(column)
                && written.cell(*column) == Cell::Null
        };
        let unused = Column::ALL
            .into_iter()
            .filter(|column| !is_used(column) || is_extra(column));
        for column in unused {
            if row.cell(column) != Cell::Null {
                let (event, name) = (kind.as_str(), column.name());
                self.report(format!("activity {seq}, {event}, must not have a {name}"));
            }
        }
        for (column, rule) in Column::ALL.into_iter().zip(self.rules) {
            let checked = rule.map_or(Ok(()), |rule| rule.check(row.cell(column)));
            if let Err(expected) = checked {
                let name = column.name();
                self.report(format!("activity {seq}: its {name} {expected}"));
            }
        }
        if is_entry {
            self.entry(seq, row, event.as_ref());
            self.booking(seq, row);
        }
        if kind.is_journaled() {
            self.hash(seq, row, &texts.commitments);
        }
        self.texts(seq, kind, row, &texts);
        Ok(())
    }

    /// Checks which texts a row has, and whether they may be erased.
    fn texts(&mut self, seq: i64, kind: EventKind, row: &impl Cells, texts: &OfRow) {
        let expected = texts::parts_of(kind);
        for (part, _) in &texts.commitments {
            if !expected.contains(part) {
                self.report(format!(
                    "log_text of activity {seq}, {}, must not have part {part}",
                    kind.as_str()
                ));
            }
        }
        let member = row.cell(Column::Member).integer().unwrap_or_default();
        if texts.has_erased && !self.erased_members.contains(&member) {
            self.report(format!(
                "a text of activity {seq} was erased, but member row {member} was not"
            ));
        }
    }

    /// Checks the position of a ledger entry in its account.
    fn entry(&mut self, seq: i64, row: &impl Cells, event: Option<&Event>) {
        let number = |column| row.cell(column).integer();
        let change = event.and_then(Event::ledger_entry).map(LedgerEntry::change);
        let change = change.unwrap_or_default();
        let account = self
            .accounts
            .entry((
                number(Column::Member).unwrap_or_default(),
                number(Column::Asset),
            ))
            .or_default();
        let changes = [change.received, change.spent, change.held, change.pending];
        for (sum, change) in account.wallet.iter_mut().zip(changes) {
            *sum = sum.saturating_add(change);
        }
        let [received, spent, held, deferred] = account.wallet;
        let unless_zero = |points: i64| Some(points).filter(|points| *points != 0);
        let jump = jump_depth(account.seqs.len() as u64 + 1);
        let jump = usize::try_from(jump)
            .ok()
            .and_then(|place| place.checked_sub(1));
        let expected = [
            (Column::Previous, account.seqs.last().copied()),
            (
                Column::Jump,
                jump.and_then(|place| account.seqs.get(place).copied()),
            ),
            (Column::ReceivedAfter, Some(received)),
            (Column::SpentAfter, Some(spent)),
            (Column::HeldAfter, unless_zero(held)),
            (Column::DeferredAfter, unless_zero(deferred)),
        ];
        account.seqs.push(seq);
        for (column, expected) in expected {
            let found = number(column);
            if found != expected {
                self.report(format!(
                    "ledger entry {seq}: its {} is {}, but must be {} after the entries before it",
                    column.name(),
                    show(found),
                    show(expected)
                ));
            }
        }
    }

    /// Checks that a ledger entry has an offer and a redemption if it is of one, and only then. A
    /// spend of an amount has neither.
    fn booking(&mut self, seq: i64, row: &impl Cells) {
        let number = row.cell(Column::Entry).integer();
        let Some(entry) = number.and_then(Entry::of_number) else {
            return;
        };
        let has = |column| row.cell(column) != Cell::Null;
        let must = match (has(Column::Offer), has(Column::Redemption)) {
            (true, true) if entry.is_booked() => return,
            (false, false) if !entry.is_booked() || entry == Entry::Spend => return,
            _ if entry.is_booked() => "must have",
            _ => "must not have",
        };
        let number = entry.number();
        self.report(format!(
            "ledger entry {seq}: with entry {number} it {must} an offer_id and a redemption_id"
        ));
    }

    /// Checks the hash of a ledger entry.
    fn hash(&mut self, seq: i64, row: &impl Cells, texts: &[(i64, Hash)]) {
        let program = row.cell(Column::Program).integer().unwrap_or_default();
        let head = self.chains.entry(program).or_insert(Head {
            seq,
            hash: chain::START,
            since: 0,
        });
        let follows = row.cell(Column::Chain);
        let fits = follows == Cell::Null || follows == Cell::Blob(&head.hash[..]);
        if let Some(stored) = follows.blob().and_then(|bytes| Hash::try_from(bytes).ok()) {
            // A changed entry is reported once, not with every entry that follows.
            *head = Head {
                seq,
                hash: stored,
                since: 0,
            };
        }
        let is_anchored = head.hash != chain::START || follows != Cell::Null;
        head.hash = chain::next(&head.hash, row, texts);
        head.seq = seq;
        head.since += 1;
        if head.since > CHAIN_ROWS_MAX || !is_anchored {
            head.since = 0;
            self.report(format!(
                "ledger entry {seq}: no entry of program row {program} shortly before it stores the \
                 hash that it follows"
            ));
        }
        if !fits {
            self.report(format!(
                "ledger entry {seq} does not follow the one before it of program row {program}: \
                 one of the entries up to it was changed, added or removed"
            ));
        }
    }

    /// Checks what is left when all rows were read.
    fn end(&mut self) {
        if let Some(seq) = self.texts.next_seq() {
            self.report(format!(
                "a text belongs to activity {seq}, which does not exist"
            ));
        }
    }

    fn report(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn count(&self) -> usize {
        self.findings.len() + self.history.findings.len()
    }
}

/// The texts of the log, read in parallel with its rows.
struct Texts<'a> {
    rows: Rows<'a>,
    next: Option<Next>,
    erased: u64,
}

/// The next text.
#[derive(Clone, Copy)]
struct Next {
    seq: i64,
    part: i64,
    commitment: Hash,
    is_erased: bool,
}

/// The texts of one row.
#[derive(Default)]
struct OfRow {
    /// Their numbers and commitments.
    commitments: Vec<(i64, Hash)>,
    has_erased: bool,
}

impl<'a> Texts<'a> {
    fn begin(rows: Rows<'a>) -> Result<Self, Error> {
        let mut texts = Self {
            rows,
            next: None,
            erased: 0,
        };
        texts.step()?;
        Ok(texts)
    }

    fn step(&mut self) -> Result<(), Error> {
        self.next = None;
        let Some(row) = self.rows.next()? else {
            return Ok(());
        };
        let text = row.get_ref(column!(TEXTS, "text"))?.as_bytes_or_null();
        let text = text.map_err(|_| Error::Impossible("text of the log"))?;
        let salt: Option<Vec<u8>> = row.get(column!(TEXTS, "salt"))?;
        let stored: Option<Hash> = row.get(column!(TEXTS, "commitment"))?;
        let is_erased = text.is_none();
        self.erased += u64::from(is_erased);
        let computed = text.zip(salt).map(|(text, salt)| {
            // A text that is not UTF-8 gets another commitment than the chain has.
            chain::commitment(&salt, &String::from_utf8_lossy(text))
        });
        // Without both, which the schema forbids, the hash does not match.
        let commitment = computed.or(stored).unwrap_or_default();
        self.next = Some(Next {
            seq: row.get(column!(TEXTS, "seq"))?,
            part: row.get(column!(TEXTS, "part"))?,
            commitment,
            is_erased,
        });
        Ok(())
    }

    /// The texts of a row, whose number must rise from call to call.
    fn of(&mut self, seq: i64) -> Result<OfRow, Error> {
        let mut texts = OfRow::default();
        while let Some(next) = self.next.filter(|next| next.seq == seq) {
            texts.commitments.push((next.part, next.commitment));
            texts.has_erased |= next.is_erased;
            self.step()?;
        }
        Ok(texts)
    }

    fn next_seq(&self) -> Option<i64> {
        self.next.map(|next| next.seq)
    }
}

fn show(value: Option<i64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
