//! One write of the campaign: the request, the rows that it must leave in the log, all of them or
//! none, and what its client knows once it is acknowledged.

use std::net::SocketAddr;

use rusqlite::Connection;
use serde_json::Value;

use super::client::Client;
use crate::server::{Answer, request};

/// A row of the log: the kind, the points of a ledger entry, the reason that a caller gave for one.
pub(super) type Row = (i64, Option<i64>, Option<String>);

/// What a client learns from the answer.
pub(super) type Effect = Box<dyn FnOnce(&mut Client, &Value) + Send>;

/// A write.
pub(super) struct Deed {
    pub(super) credential: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// The Idempotency-Key; every POST has one.
    pub(super) key: Option<String>,
    pub(super) body: Value,
    /// The status that is right the first time, and for what is done already.
    pub(super) status: (u16, u16),
    pub(super) rows: Vec<Row>,
    /// What the log does not show: a count that is 1 once this is done and 0 before.
    pub(super) trace: Option<(&'static str, String)>,
    /// How often its client's program was reset, with this.
    pub(super) resets: usize,
    pub(super) effect: Effect,
}

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            method, path, key, ..
        } = self;
        write!(
            f,
            "{method} {path} {key:?} {} -> {:?}",
            self.body, self.rows
        )
    }
}

impl Deed {
    pub(super) fn send(&self, address: SocketAddr, agent: &ureq::Agent) -> Option<Answer> {
        let key = self.key.as_deref();
        let route = (self.method, self.path.as_str());
        request(agent, address, &self.credential, route, key, &self.body).ok()
    }

    /// Whether the database has it, given the rows of its client that are not accounted for.
    #[track_caller]
    pub(super) fn is_done(&self, rest: &[Row], connection: &Connection) -> bool {
        assert!(
            rest.is_empty() || rest == self.rows,
            "whole or not at all: {self:?} left {rest:?}"
        );
        let in_log = (!self.rows.is_empty()).then_some(!rest.is_empty());
        let traced = self.traces(connection);
        if let (Some(in_log), Some(traced)) = (in_log, traced) {
            assert_eq!(in_log, traced, "whole or not at all: {self:?}");
        }
        // What leaves no mark of its own sets the same state when it is sent again.
        in_log.or(traced).unwrap_or(false)
    }

    /// Whether the tables beside the log have it; `None` if there is nothing to look for.
    #[track_caller]
    pub(super) fn traces(&self, connection: &Connection) -> Option<bool> {
        let (sql, mark) = self.trace.as_ref()?;
        let count: i64 = connection.query_row(sql, [mark], |row| row.get(0)).unwrap();
        assert!((0..=1).contains(&count), "never twice: {self:?}");
        Some(count == 1)
    }
}
