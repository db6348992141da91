//! The index of the words of members' ids and names: its rows, built from the members and compared
//! with them.
//!
//! **Must not know** the open transaction: migrations and imports build the index as well.

use rusqlite::Connection;

use crate::domain::terms;
use crate::store::Error;

/// The terms of a member, each once, sorted.
pub(super) fn terms_of(id: &str, name: Option<&str>) -> Vec<String> {
    let mut all = terms(id);
    all.extend(name.into_iter().flat_map(terms));
    all.sort_unstable();
    all.dedup();
    all
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

/// Compares the index with the members, and describes each difference.
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
                    // The term itself is personal data, so that the finding leaves it out.
                    findings.push(format!(
                        "member row {member}: the search index lacks a word of its id or name"
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
