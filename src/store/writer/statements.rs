//! The prepared statements of the writer's connection.
//!
//! The cache of rusqlite hashes the text of a statement twice and copies it once on each use.
//! Writes run the same few statements over and over. So the writer keeps those that it used last,
//! and finds them by comparing texts, which mostly differ in length already.

use std::cell::RefCell;

use rusqlite::{CachedStatement, Connection, Result, Statement};

/// A source of statements. It hides the lifetime of the connection from its users.
pub(in crate::store) trait Prepared {
    /// Runs `work` with the statement for a text.
    fn with(
        &self,
        sql: &'static str,
        work: &mut dyn FnMut(&mut Statement<'_>) -> Result<()>,
    ) -> Result<()>;
}

/// The number of statements that are kept.
const KEPT: usize = 64;

/// The statements that were used last.
pub(super) struct Statements<'c> {
    connection: &'c Connection,
    /// The latest at the end.
    idle: RefCell<Vec<(&'static str, CachedStatement<'c>)>>,
}

impl<'c> Statements<'c> {
    pub(super) fn new(connection: &'c Connection) -> Self {
        Self {
            connection,
            idle: RefCell::default(),
        }
    }

    pub(super) fn connection(&self) -> &'c Connection {
        self.connection
    }
}

impl Prepared for Statements<'_> {
    fn with(
        &self,
        sql: &'static str,
        work: &mut dyn FnMut(&mut Statement<'_>) -> Result<()>,
    ) -> Result<()> {
        // Taken out meanwhile, so that a statement in use is never found again.
        let mut idle = self.idle.borrow_mut();
        let place = idle.iter().rposition(|(text, _)| *text == sql);
        let taken = place.map(|place| idle.remove(place).1);
        drop(idle);
        let mut statement = match taken {
            Some(statement) => statement,
            None => self.connection.prepare_cached(sql)?,
        };
        let result = work(&mut statement);
        let mut idle = self.idle.borrow_mut();
        if idle.len() == KEPT {
            idle.remove(0);
        }
        idle.push((sql, statement));
        result
    }
}

impl std::fmt::Debug for dyn Prepared + '_ {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prepared")
    }
}

/// Runs `work` with the statement for a text, and returns its result.
pub(in crate::store) fn run<T>(
    prepared: &dyn Prepared,
    sql: &'static str,
    work: impl FnOnce(&mut Statement<'_>) -> Result<T>,
) -> Result<T> {
    let mut work = Some(work);
    let mut value = None;
    prepared.with(sql, &mut |statement| {
        if let Some(work) = work.take() {
            value = Some(work(statement)?);
        }
        Ok(())
    })?;
    value.ok_or(rusqlite::Error::QueryReturnedNoRows)
}
