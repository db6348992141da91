//! Findings of one query.

use rusqlite::Connection;

use crate::store::Error;

/// The most findings of one query.
pub(super) const FINDINGS_MAX: usize = 100;

/// The rows of a query that selects one column: the finding.
pub(super) fn lines(connection: &Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
