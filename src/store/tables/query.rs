//! Queries, put together from conditions where a filter decides them, and the rows that they find.

use rusqlite::types::Value;
use rusqlite::{Connection, Params, Row, params_from_iter};

use crate::domain::Search;
use crate::store::Error;

/// The first row of a query.
pub(in crate::store) fn one<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    rows.next()?.map(read).transpose()
}

/// Every row of a query.
pub(in crate::store) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
) -> Result<Vec<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(read(row)?);
    }
    Ok(all)
}

/// A number of rows as the value of a LIMIT.
pub(in crate::store) fn limit(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

/// A query and the values of its parameters, in order.
#[derive(Debug)]
pub(in crate::store) struct Query {
    pub(in crate::store) sql: String,
    pub(in crate::store) values: Vec<Value>,
}

impl Query {
    /// Begins a query, or a condition of one.
    pub(in crate::store) fn new<const N: usize>(
        sql: impl Into<String>,
        values: [impl Into<Value>; N],
    ) -> Self {
        Self {
            sql: sql.into(),
            values: values.map(Into::into).into(),
        }
    }

    /// Appends text without parameters.
    pub(in crate::store) fn push(&mut self, sql: &str) {
        self.sql.push_str(sql);
    }

    /// Appends a condition.
    pub(in crate::store) fn and<const N: usize>(
        &mut self,
        condition: &str,
        values: [impl Into<Value>; N],
    ) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
        self.values.extend(values.map(Into::into));
    }

    /// The first rows of the query, at most `rows`.
    pub(in crate::store) fn page<T>(
        mut self,
        connection: &Connection,
        rows: usize,
        read: impl FnMut(&Row<'_>) -> Result<T, Error>,
    ) -> Result<Vec<T>, Error> {
        self.push(" LIMIT ?");
        self.values.push(limit(rows).into());
        all(connection, &self.sql, params_from_iter(self.values), read)
    }

    /// The first rows whose name a search finds, at most `rows`. Rows that it does not find are
    /// read as well, so that there must be few.
    pub(in crate::store) fn searched_page<T>(
        mut self,
        connection: &Connection,
        rows: usize,
        search: Option<&Search>,
        mut read: impl FnMut(&Row<'_>) -> Result<T, Error>,
        name: impl Fn(&T) -> &str,
    ) -> Result<Vec<T>, Error> {
        let Some(search) = search else {
            return self.page(connection, rows, read);
        };
        self.push(" LIMIT -1");
        let mut statement = connection.prepare_cached(&self.sql)?;
        let mut found = statement.query(params_from_iter(self.values))?;
        let mut page = Vec::new();
        while page.len() < rows
            && let Some(row) = found.next()?
        {
            let item = read(row)?;
            if search.finds(&[name(&item)]) {
                page.push(item);
            }
        }
        Ok(page)
    }
}
