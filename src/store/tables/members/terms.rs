//! The index of the words of members' ids, names and emails, and of their phone numbers: its rows,
//! built from the members and compared with them.
//!
//! **Must not know** the open transaction: migrations and imports build the index as well.

use rusqlite::{Connection, Row};

use crate::domain::{phone_terms, terms};
use crate::store::Error;

/// The texts of a member that a search looks into.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Texts<'a> {
    pub(super) id: &'a str,
    pub(super) name: Option<&'a str>,
    pub(super) email: Option<&'a str>,
    pub(super) phone: Option<&'a str>,
}

/// The columns of the texts, after those of the member and the program.
const COLUMNS: &str = "id, program_id, external_user_id, display_name, email, phone";

impl<'a> Texts<'a> {
    /// Reads [`COLUMNS`].
    fn read(row: &'a Row<'_>) -> Result<Self, rusqlite::Error> {
        let text = |column| Ok::<_, rusqlite::Error>(row.get_ref(column)?.as_str_or_null()?);
        Ok(Self {
            id: row.get_ref("external_user_id")?.as_str()?,
            name: text("display_name")?,
            email: text("email")?,
            phone: text("phone")?,
        })
    }

    /// The terms, each once, sorted.
    pub(super) fn terms(&self) -> Vec<String> {
        let words = [Some(self.id), self.name, self.email];
        let mut all: Vec<String> = words.into_iter().flatten().flat_map(terms).collect();
        all.extend(self.phone.into_iter().flat_map(phone_terms));
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// Adds a term of a member.
pub(super) const INSERT: &str =
    "INSERT INTO search_term (program_id, term, member_id) VALUES (?1, ?2, ?3)";

/// Adds the terms of members that the index does not have yet: the rows of a table after one number
/// up to another.
pub(in crate::store) fn index_rows(
    connection: &Connection,
    table: &str,
    (after, last): (i64, i64),
) -> Result<(), Error> {
    let sql = format!("SELECT {COLUMNS} FROM {table} WHERE id > ?1 AND id <= ?2");
    let mut members = connection.prepare_cached(&sql)?;
    let mut insert = connection.prepare_cached(INSERT)?;
    let mut rows = members.query((after, last))?;
    while let Some(row) = rows.next()? {
        let (member, program): (i64, i64) = (row.get(0)?, row.get(1)?);
        for term in Texts::read(row)?.terms() {
            insert.execute((program, term, member))?;
        }
    }
    Ok(())
}

/// Compares the index with the members, and describes each difference.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn differences(connection: &Connection) -> Result<Vec<String>, Error> {
    let mut members = connection.prepare(&format!("SELECT {COLUMNS} FROM member ORDER BY id"))?;
    let sql = "SELECT EXISTS (SELECT 1 FROM search_term
                   WHERE program_id = ?1 AND term = ?2 AND member_id = ?3)";
    let mut has = connection.prepare(sql)?;
    let (mut missing, mut expected) = (0_i64, 0_i64);
    let mut findings = Vec::new();
    let mut rows = members.query([])?;
    while let Some(row) = rows.next()? {
        let (member, program): (i64, i64) = (row.get(0)?, row.get(1)?);
        for term in Texts::read(row)?.terms() {
            expected += 1;
            if !has.query_row((program, &term, member), |row| row.get(0))? {
                missing += 1;
                if findings.len() < 100 {
                    // The term itself is personal data, so that the finding leaves it out.
                    findings.push(format!(
                        "member row {member}: the search index lacks a word of its id, name, \
                         email or phone"
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
        findings.push(format!(
            "the search index has {surplus} words that their members do not have"
        ));
    }
    Ok(findings)
}
