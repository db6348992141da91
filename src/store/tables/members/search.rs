//! Searches for members.
//!
//! An index holds the terms of each member's id, name, email and phone number. A search looks up
//! the members of each of its terms, except terms of very many members. Only then it reads rows:
//! those of the members that have all terms it looked up, or, if every term has very many members,
//! one after the other.

use rusqlite::{Connection, params_from_iter};

pub use super::terms::differences;
use super::terms::{INSERT, Texts};
use super::{BY_NUMBER, MemberFilter, listing, member};
use crate::domain::{
    DisplayName, Email, Member, MemberNumber, Phone, ProgramNumber, Search, begins,
};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// A term of more members than this is not looked up but compared with rows.
pub(in crate::store) const LOOKED_UP_MAX: usize = 10_000;
/// The limit for the longest term, if every term has very many members.
const LONGEST_MAX: usize = 100_000;
/// The most rows that one page reads.
pub(in crate::store) const ROWS_MAX: usize = 10_000;

/// A page of a search.
#[derive(Debug, Clone, Default)]
pub struct Found {
    /// The members, newest first.
    pub members: Vec<Member>,
    /// The row before which the next page continues, if this one stopped before it was full.
    pub stopped_at: Option<MemberNumber>,
}

fn texts_of(member: &Member) -> Texts<'_> {
    Texts {
        id: member.external_user_id.as_str(),
        name: member.display_name.as_ref().map(DisplayName::as_str),
        email: member.email.as_ref().map(Email::as_str),
        phone: member.phone.as_ref().map(Phone::as_str),
    }
}

/// Updates the index after a member's profile was created or changed; `before` is the former one.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn index(tx: &Transaction<'_>, before: Option<&Member>, member: &Member) -> Result<(), Error> {
    let (before, after) = (before.map(texts_of), texts_of(member));
    if before == Some(after) {
        return Ok(());
    }
    let old = before.map(|texts| texts.terms()).unwrap_or_default();
    let new = after.terms();
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

/// A page of the members that a search finds, newest first. The page is full, or the last one, or
/// stopped at the most rows that a page reads.
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
    let mut rest: Vec<&[String]> = Vec::new();
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
        rest.sort_by_key(|term| term.first().map_or(0, String::len));
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

/// The members before a row that have a term with one of some beginnings, newest first; `None` if
/// there are more than `most`.
pub(in crate::store) fn members_of(
    connection: &Connection,
    program: ProgramNumber,
    (beginnings, before): (&[String], i64),
    most: usize,
) -> Result<Option<Vec<i64>>, Error> {
    let sql = "SELECT member_id FROM search_term
               WHERE program_id = ?1 AND term >= ?2 AND term < ?3 LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = query::limit(most + 1);
    let (mut found, mut count) = (Vec::new(), 0);
    for term in beginnings {
        // After every term with this prefix: no term has the last character of Unicode.
        let end = format!("{term}\u{10FFFF}");
        let mut rows = statement.query((program.0, term, end, limit))?;
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
    }
    found.sort_unstable_by(|one, two| two.cmp(one));
    found.dedup();
    Ok(Some(found))
}

/// Intersects two lists in descending order.
pub(in crate::store) fn intersect(candidates: &mut Option<Vec<i64>>, found: Vec<i64>) {
    match candidates {
        None => *candidates = Some(found),
        Some(candidates) => {
            candidates.retain(|one| found.binary_search_by(|other| one.cmp(other)).is_ok());
        }
    }
}

/// A page that is being read.
struct Page<'a> {
    /// The terms that rows are compared with.
    rest: &'a [&'a [String]],
    limit: usize,
    /// The number of rows read so far.
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
        let mut statement = connection.prepare_cached(BY_NUMBER)?;
        for &number in candidates {
            if self.ends_before(number + 1) {
                break;
            }
            let mut rows = statement.query((program.0, number))?;
            if let Some(row) = rows.next()? {
                self.take(member(row)?, filter);
            }
        }
        Ok(())
    }

    fn read_all(
        &mut self,
        connection: &Connection,
        (program, filter): (ProgramNumber, &MemberFilter),
    ) -> Result<(), Error> {
        // The filter is applied here, so that every row that is read counts.
        let all = MemberFilter {
            include_archived: true,
            ..filter.clone()
        };
        let query = listing(program, &all);
        let mut statement = connection.prepare_cached(&query.sql)?;
        let mut rows = statement.query(params_from_iter(query.values))?;
        while let Some(row) = rows.next()? {
            let member = member(row)?;
            if self.ends_before(member.number.0 + 1) {
                break;
            }
            self.take(member, filter);
        }
        Ok(())
    }

    /// Ends the page if it is full or has read the most rows. Returns whether it has ended.
    fn ends_before(&mut self, before: i64) -> bool {
        if self.found.members.len() < self.limit && self.read >= ROWS_MAX {
            self.found.stopped_at = Some(MemberNumber(before));
        }
        self.found.members.len() >= self.limit || self.found.stopped_at.is_some()
    }

    fn take(&mut self, member: Member, filter: &MemberFilter) {
        self.read += 1;
        let passes = filter.participants.as_ref();
        let is_shown = (filter.include_archived || member.archived_at.is_none())
            && passes.is_none_or(|filter| filter.passes(&member));
        let is_of_tier = filter.tier.as_ref().is_none_or(|tier| *tier == member.tier);
        let has_the_rest = || {
            let terms = texts_of(&member).terms();
            self.rest.iter().all(|term| begins(term, &terms))
        };
        if is_shown && is_of_tier && (self.rest.is_empty() || has_the_rest()) {
            self.found.members.push(member);
        }
    }
}
