//! The index by which members are searched.
//!
//! It holds the terms of each member's id and name. A search looks up the members of each of its
//! terms, unless there are very many, and only then reads rows: those that have all other terms,
//! or, if every term is of very many, one after the other.

use rusqlite::{Connection, params_from_iter};

use super::members::{self, MemberFilter};
use crate::domain::{DisplayName, Member, MemberNumber, ProgramNumber, Search, StatusCounts};
use crate::domain::{all_begin, terms};
use crate::store::{Error, Transaction};

/// A term of more members than this is compared with rows.
pub(in crate::store) const LOOKED_UP_MAX: usize = 10_000;
/// The same of the longest term, if each is of very many.
const LONGEST_MAX: usize = 100_000;
/// Rows that one page reads at most.
pub(in crate::store) const ROWS_MAX: usize = 10_000;

/// What a page of a search found.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The members, newest first.
    pub members: Vec<(Member, StatusCounts)>,
    /// The row where the next page goes on, if this one stopped before it was full.
    pub stopped_at: Option<MemberNumber>,
}

/// The terms of a member, each once.
fn terms_of(id: &str, name: Option<&str>) -> Vec<String> {
    let mut all = terms(id);
    all.extend(name.into_iter().flat_map(terms));
    all.sort_unstable();
    all.dedup();
    all
}

fn terms_of_member(member: &Member) -> Vec<String> {
    let name = member.display_name.as_ref().map(DisplayName::as_str);
    terms_of(member.external_user_id.as_str(), name)
}

/// Brings the index up to a member's profile; `before` is what it was, if it was.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn index(tx: &Transaction<'_>, before: Option<&Member>, member: &Member) -> Result<(), Error> {
    let same = before.is_some_and(|before| {
        before.external_user_id == member.external_user_id
            && before.display_name == member.display_name
    });
    if same {
        return Ok(());
    }
    let (old, new) = (
        before.map(terms_of_member).unwrap_or_default(),
        terms_of_member(member),
    );
    let (program, number) = (member.program.0, member.number.0);
    for term in old.iter().filter(|term| !new.contains(term)) {
        let sql = "DELETE FROM search_term WHERE program_id = ?1 AND term = ?2 AND member_id = ?3";
        tx.run(sql, |statement| statement.execute((program, term, number)))?;
    }
    for term in new.iter().filter(|term| !old.contains(term)) {
        tx.run(INSERT, |statement| {
            statement.execute((program, term, number))
        })?;
    }
    Ok(())
}

const INSERT: &str = "INSERT INTO search_term (program_id, term, member_id) VALUES (?1, ?2, ?3)";

/// Puts members into the index who are not in it: those of a table behind one row up to another.
pub(in crate::store) fn index_rows(
    connection: &Connection,
    table: &str,
    (after, last): (i64, i64),
) -> Result<(), Error> {
    let sql = format!(
        "SELECT id, program_id, external_user_id, display_name FROM {table}
         WHERE id > ?1 AND id <= ?2"
    );
    let mut members = connection.prepare_cached(&sql)?;
    let mut insert = connection.prepare_cached(INSERT)?;
    let mut rows = members.query((after, last))?;
    while let Some(row) = rows.next()? {
        let (member, program): (i64, i64) = (row.get(0)?, row.get(1)?);
        for term in terms_of(
            &row.get::<_, String>(2)?,
            row.get::<_, Option<String>>(3)?.as_deref(),
        ) {
            insert.execute((program, term, member))?;
        }
    }
    Ok(())
}

/// A page of the members that a search finds, newest first. The page is full, or it is the last, or
/// it has read as many rows as one may.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    (search, filter): (&Search, &MemberFilter),
    limit: usize,
) -> Result<Found, Error> {
    let before = filter.before.map_or(i64::MAX, |number| number.0);
    let mut candidates: Option<Vec<i64>> = None;
    let mut rest: Vec<&str> = Vec::new();
    for term in search.terms() {
        match members_of(connection, program, (term, before), LOOKED_UP_MAX)? {
            Some(found) => intersect(&mut candidates, found),
            None => rest.push(term),
        }
        if candidates.as_ref().is_some_and(Vec::is_empty) {
            return Ok(Found::default());
        }
    }
    if search.terms().is_empty() {
        return Ok(Found::default());
    }
    if candidates.is_none() {
        rest.sort_by_key(|term| term.len());
        if let Some(longest) = rest.pop() {
            candidates = members_of(connection, program, (longest, before), LONGEST_MAX)?;
            if candidates.is_none() {
                rest.push(longest);
            }
        }
    }
    let mut page = Page {
        rest: &rest,
        limit,
        read: 0,
        found: Found::default(),
    };
    match candidates {
        Some(candidates) => page.read_each(connection, (program, filter), &candidates)?,
        None => page.read_all(connection, (program, filter))?,
    }
    Ok(page.found)
}

/// The members before a row that have a term, newest first; `None` if there are more than `most`.
pub(in crate::store) fn members_of(
    connection: &Connection,
    program: ProgramNumber,
    (term, before): (&str, i64),
    most: usize,
) -> Result<Option<Vec<i64>>, Error> {
    // Behind every term that begins so: no term holds the last character there is.
    let end = format!("{term}\u{10FFFF}");
    let sql = "SELECT member_id FROM search_term
               WHERE program_id = ?1 AND term >= ?2 AND term < ?3 LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(most + 1).unwrap_or(i64::MAX);
    let mut rows = statement.query((program.0, term, end, limit))?;
    let (mut found, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        count += 1;
        if count > most {
            return Ok(None);
        }
        let member: i64 = row.get(0)?;
        if member < before {
            found.push(member);
        }
    }
    found.sort_unstable_by(|one, two| two.cmp(one));
    found.dedup();
    Ok(Some(found))
}

/// Keeps what is in both; both begin with the largest.
pub(in crate::store) fn intersect(candidates: &mut Option<Vec<i64>>, found: Vec<i64>) {
    match candidates {
        None => *candidates = Some(found),
        Some(candidates) => {
            candidates.retain(|one| found.binary_search_by(|other| one.cmp(other)).is_ok());
        }
    }
}

/// A page on its way.
struct Page<'a> {
    /// The terms that rows are compared with.
    rest: &'a [&'a str],
    limit: usize,
    /// Rows that were read.
    read: usize,
    found: Found,
}

impl Page<'_> {
    fn read_each(
        &mut self,
        connection: &Connection,
        (program, filter): (ProgramNumber, &MemberFilter),
        candidates: &[i64],
    ) -> Result<(), Error> {
        let mut statement = connection.prepare_cached(members::COUNTED_BY_NUMBER)?;
        for &number in candidates {
            if self.is_done(number + 1) {
                break;
            }
            let mut rows = statement.query((program.0, number))?;
            if let Some(row) = rows.next()? {
                self.take(members::counted(row)?, filter);
            }
        }
        Ok(())
    }

    fn read_all(
        &mut self,
        connection: &Connection,
        (program, filter): (ProgramNumber, &MemberFilter),
    ) -> Result<(), Error> {
        // So that no rows are read uncounted.
        let all = MemberFilter {
            include_archived: true,
            ..filter.clone()
        };
        let (sql, values) = members::listing(program, &all);
        let mut statement = connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let member = members::counted(row)?;
            if self.is_done(member.0.number.0 + 1) {
                break;
            }
            self.take(member, filter);
        }
        Ok(())
    }

    /// Whether the page is full, or stops before the row that is before this one.
    fn is_done(&mut self, before: i64) -> bool {
        if self.found.members.len() < self.limit && self.read >= ROWS_MAX {
            self.found.stopped_at = Some(MemberNumber(before));
        }
        self.found.members.len() >= self.limit || self.found.stopped_at.is_some()
    }

    fn take(&mut self, (member, counts): (Member, StatusCounts), filter: &MemberFilter) {
        self.read += 1;
        let is_shown = filter.include_archived || member.archived_at.is_none();
        let is_of_tier = filter.tier.as_ref().is_none_or(|tier| *tier == member.tier);
        let name = member.display_name.as_ref().map_or("", DisplayName::as_str);
        let texts = [member.external_user_id.as_str(), name];
        if is_shown && is_of_tier && (self.rest.is_empty() || all_begin(self.rest, &texts)) {
            self.found.members.push((member, counts));
        }
    }
}

/// Where the index differs from one that is built from the members.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn differences(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT id, program_id, external_user_id, display_name FROM member ORDER BY id";
    let mut members = connection.prepare(sql)?;
    let sql = "SELECT EXISTS (SELECT 1 FROM search_term
                   WHERE program_id = ?1 AND term = ?2 AND member_id = ?3)";
    let mut has = connection.prepare(sql)?;
    let (mut missing, mut expected) = (0_i64, 0_i64);
    let mut findings = Vec::new();
    let mut rows = members.query([])?;
    while let Some(row) = rows.next()? {
        let (member, program): (i64, i64) = (row.get(0)?, row.get(1)?);
        let (id, name): (String, Option<String>) = (row.get(2)?, row.get(3)?);
        for term in terms_of(&id, name.as_deref()) {
            expected += 1;
            if !has.query_row((program, &term, member), |row| row.get(0))? {
                missing += 1;
                if findings.len() < 100 {
                    // The term itself is a part of somebody's name.
                    findings.push(format!(
                        "a search does not find member row {member} by each word"
                    ));
                    findings.dedup();
                }
            }
        }
    }
    let sql = "SELECT count(*) FROM search_term";
    let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
    let surplus = count - (expected - missing);
    if surplus > 0 {
        let what = "words by which a search finds members who do not have them";
        findings.push(format!("the index of the search has {surplus} {what}"));
    }
    Ok(findings)
}
