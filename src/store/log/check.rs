//! Every row of the log held against the table of events, the chain of hashes and the accounts.

use std::collections::{HashMap, HashSet};

use rusqlite::{Connection, Rows};

use super::chain::{self, Hash};
use super::history::History;
use super::insert::{COMMON, OF_ENTRIES};
use super::read::{ALL, Stored};
use crate::domain::{Cell, Cells, Column, Entry, Event, EventKind, Timestamp, jump_depth};
use crate::store::Error;
use crate::store::whole::rules::Rule;

/// Ledger entries of a program among which one has to tell the hash that it follows: more than a
/// commit can have.
const CHAIN_ROWS_MAX: u32 = 4096;
/// Findings after which no more are looked for.
const FINDINGS_MAX: usize = 100;

/// What was looked at and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// What is wrong, a sentence each.
    pub findings: Vec<String>,
    /// Texts that were erased, so that only their commitments can be checked.
    pub erased: u64,
    /// Rows of version 0.1.0 that do not tell all that is compared, and are taken as given.
    pub given: u64,
}

/// Reads the whole log. Each row may use the columns of its kind and no others; each ledger entry
/// must stand where its account says, and have the hash that the chain tells.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn check(connection: &Connection) -> Result<Checked, Error> {
    let sql = "SELECT seq, part, text, salt, commitment FROM log_text ORDER BY seq, part";
    let mut texts = connection.prepare(sql)?;
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
        check.end(connection)?;
        check.history.end(FINDINGS_MAX)?;
    }
    let mut findings = check.findings;
    findings.extend(check.history.findings);
    Ok(Checked {
        findings,
        given: check.history.given,
        erased: check.texts.erased,
    })
}

/// The members whose texts may be gone.
fn erased_members(connection: &Connection) -> Result<HashSet<i64>, Error> {
    // Who was erased may have come back under the new id.
    let sql = "SELECT id FROM member WHERE external_user_id GLOB 'erased_*'";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

struct Check<'a> {
    texts: Texts<'a>,
    accounts: HashMap<i64, Entries>,
    chains: HashMap<i64, Head>,
    erased_members: HashSet<i64>,
    history: History<'a>,
    rules: [Option<Rule>; Column::ALL.len()],
    findings: Vec<String>,
}

/// The newest hash of a program.
struct Head {
    hash: Hash,
    /// Entries since one told the hash that it follows.
    since: u32,
}

/// The ledger entries of an account: simply all of them, in order.
#[derive(Default)]
struct Entries {
    seqs: Vec<i64>,
    received: i64,
    spent: i64,
}

impl Check<'_> {
    /// A token ends at a time that the server's clock gives; other events have any in this column.
    fn token_end(&mut self, seq: i64, event: &Event) {
        if let Event::TokenExchanged {
            expires_at: Some(end),
            ..
        } = event
            && Timestamp::parse_stored(end.as_millis()).is_none()
        {
            self.find(format!(
                "activity {seq}: its expires_at is before 1970, where no token ends"
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
            self.find(format!("activity {seq} is of a kind that no event has"));
            return Ok(());
        };
        match Event::read(kind, row) {
            Some(event) => {
                self.token_end(seq, &event);
                self.history.row(row, &event)?;
            }
            None => self.find(format!(
                "activity {seq} lacks something that {} has",
                kind.as_str()
            )),
        }
        let is_entry = kind.columns().contains(&Column::Entry);
        let is_used = |column: &Column| {
            COMMON.contains(column)
                || kind.columns().contains(column)
                || (is_entry && OF_ENTRIES.contains(column))
        };
        let unused = Column::ALL.into_iter().filter(|column| !is_used(column));
        for column in unused {
            if row.cell(column) != Cell::Null {
                let (event, name) = (kind.as_str(), column.name());
                self.find(format!(
                    "activity {seq}, {event}, has a {name}, which it never has"
                ));
            }
        }
        for (column, rule) in Column::ALL.into_iter().zip(self.rules) {
            let checked = rule.map_or(Ok(()), |rule| rule.check(row.cell(column)));
            if let Err(expected) = checked {
                let name = column.name();
                self.find(format!("activity {seq}: its {name} {expected}"));
            }
        }
        if is_entry {
            self.entry(seq, row);
            self.hash(seq, row, &texts.commitments);
            let member = row.cell(Column::Member).integer().unwrap_or_default();
            if texts.has_erased && !self.erased_members.contains(&member) {
                self.find(format!(
                    "ledger entry {seq} lost a text, but member row {member} was not erased"
                ));
            }
        } else if !texts.commitments.is_empty() {
            self.find(format!(
                "activity {seq}, {}, has a text, which it never has",
                kind.as_str()
            ));
        }
        Ok(())
    }

    /// Where a ledger entry stands in its account.
    fn entry(&mut self, seq: i64, row: &impl Cells) {
        let number = |column| row.cell(column).integer();
        let amount = number(Column::Amount).unwrap_or_default();
        let account = self
            .accounts
            .entry(number(Column::Member).unwrap_or_default())
            .or_default();
        if number(Column::Entry)
            .and_then(Entry::of_number)
            .is_some_and(Entry::is_credit)
        {
            account.received = account.received.saturating_add(amount);
        } else {
            account.spent = account.spent.saturating_add(amount);
        }
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
            (Column::ReceivedAfter, Some(account.received)),
            (Column::SpentAfter, Some(account.spent)),
        ];
        account.seqs.push(seq);
        for (column, expected) in expected {
            let found = number(column);
            if found != expected {
                self.find(format!(
                    "ledger entry {seq}: its {} is {}; the entries before it say {}",
                    column.name(),
                    show(found),
                    show(expected)
                ));
            }
        }
    }

    /// The hash of a ledger entry.
    fn hash(&mut self, seq: i64, row: &impl Cells, texts: &[(i64, Hash)]) {
        let program = row.cell(Column::Program).integer().unwrap_or_default();
        let head = self.chains.entry(program).or_insert(Head {
            hash: chain::START,
            since: 0,
        });
        let follows = row.cell(Column::Chain);
        let fits = follows == Cell::Null || follows == Cell::Blob(&head.hash[..]);
        if let Some(told) = follows.blob().and_then(|bytes| Hash::try_from(bytes).ok()) {
            // One finding for what was changed, not for all that follows.
            *head = Head {
                hash: told,
                since: 0,
            };
        }
        let is_told = head.hash != chain::START || follows != Cell::Null;
        head.hash = chain::next(&head.hash, row, texts);
        head.since += 1;
        if head.since > CHAIN_ROWS_MAX || !is_told {
            head.since = 0;
            self.find(format!(
                "ledger entry {seq}: none of the entries before it of program row {program} tells \
                 the hash that it follows"
            ));
        }
        if !fits {
            self.find(format!(
                "ledger entry {seq} does not follow the one before it of program row {program}: \
                 one of the entries up to it was changed, added or removed"
            ));
        }
    }

    /// What is left when all rows were read.
    fn end(&mut self, connection: &Connection) -> Result<(), Error> {
        if let Some(seq) = self.texts.next_seq() {
            self.find(format!(
                "a text belongs to activity {seq}, which is not there"
            ));
        }
        let mut statement = connection.prepare("SELECT id, chain FROM program ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (program, stored): (i64, Option<Hash>) = row.try_into()?;
            if self.chains.get(&program).map(|head| head.hash) != stored {
                self.find(format!(
                    "program row {program}: its newest ledger entry has another hash than the \
                     chain says"
                ));
            }
        }
        Ok(())
    }

    fn find(&mut self, finding: String) {
        self.findings.push(finding);
    }

    fn count(&self) -> usize {
        self.findings.len() + self.history.findings.len()
    }
}

/// The texts of the log, read beside its rows.
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
    /// Their parts and commitments.
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
        let text = row.get_ref(2)?.as_bytes_or_null();
        let text = text.map_err(|_| Error::Impossible("text of the log"))?;
        let salt: Option<Vec<u8>> = row.get(3)?;
        let kept: Option<Hash> = row.get(4)?;
        let is_erased = text.is_none();
        self.erased += u64::from(is_erased);
        let made = text.zip(salt).map(|(text, salt)| {
            // One that is no UTF-8 gets another commitment than the chain has.
            chain::commitment(&salt, &String::from_utf8_lossy(text))
        });
        // Without either, which the schema forbids, the chain does not fit.
        let commitment = made.or(kept).unwrap_or_default();
        self.next = Some(Next {
            seq: row.get(0)?,
            part: row.get(1)?,
            commitment,
            is_erased,
        });
        Ok(())
    }

    /// The parts and commitments of the texts of a row, whose number rises from call to call.
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
