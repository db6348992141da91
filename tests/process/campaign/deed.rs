//! One write of the campaign: the request, the rows that it must leave in the log (all of them or
//! none), and the client's state after the acknowledgement.

use std::net::SocketAddr;

use rusqlite::Connection;
use serde_json::Value;

use super::client::Client;
use crate::server::{Answer, request};

/// A row of the log: the kind, the points of a ledger entry, the reason that the client sent.
pub(super) type Row = (i64, Option<i64>, Option<String>);

/// The data that a client takes from the response.
pub(super) type Effect = Box<dyn FnOnce(&mut Client, &Value) + Send>;

/// A write.
pub(super) struct Deed {
    pub(super) credential: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    /// The Idempotency-Key; every POST has one.
    pub(super) key: Option<String>,
    pub(super) body: Value,
    /// The status of the first success, and the status if it was done already.
    pub(super) status: (u16, u16),
    pub(super) rows: Vec<Row>,
    /// A query for effects that the log does not show: a count that is 1 after this write and 0
    /// before.
    pub(super) trace: Option<(&'static str, String)>,
    /// The number of resets of its client's program, this one included.
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

    /// Whether the write took effect, given the unassigned rows of its client.
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
        // A write that leaves no row sets the same state when it is sent again.
        in_log.or(traced).unwrap_or(false)
    }

    /// Whether its effect is in the tables other than the log; `None` if there is nothing to check.
    #[track_caller]
    pub(super) fn traces(&self, connection: &Connection) -> Option<bool> {
        let (sql, mark) = self.trace.as_ref()?;
        let count: i64 = connection.query_row(sql, [mark], |row| row.get(0)).unwrap();
        assert!((0..=1).contains(&count), "never twice: {self:?}");
        Some(count == 1)
    }
}
