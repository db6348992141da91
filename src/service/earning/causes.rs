//! The events and the rules that caused ledger entries.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{Cause, LedgerEntry, RuleVersionNumber, Seq};
use crate::store::stored_events::EventRow;
use crate::store::{self, Connection};

/// Events and rules, each looked up once.
pub(super) struct Causes<'a> {
    connection: &'a Connection,
    events: HashMap<Seq, Option<EventRow>>,
    rules: HashMap<RuleVersionNumber, Option<Uuid>>,
}

impl<'a> Causes<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            events: HashMap::new(),
            rules: HashMap::new(),
        }
    }

    /// The event that caused an entry, if one did.
    pub(super) fn event(&mut self, entry: &LedgerEntry) -> Result<Option<&EventRow>, store::Error> {
        let Some(cause) = cause_of(entry) else {
            return Ok(None);
        };
        if !self.events.contains_key(&cause.event) {
            let found = store::stored_events::of_seq(self.connection, cause.event)?;
            self.events.insert(cause.event, found);
        }
        Ok(self.events.get(&cause.event).and_then(Option::as_ref))
    }

    /// The id of the rule that caused an entry, if one did.
    pub(super) fn rule(&mut self, entry: &LedgerEntry) -> Result<Option<Uuid>, store::Error> {
        let Some(Cause { version, .. }) = cause_of(entry) else {
            return Ok(None);
        };
        if let Some(rule) = self.rules.get(&version) {
            return Ok(*rule);
        }
        let found = store::rules::named_version(self.connection, version)?;
        let rule = found.map(|version| version.rule);
        self.rules.insert(version, rule);
        Ok(rule)
    }
}

/// The cause of an entry, if a rule caused it.
pub(super) fn cause_of(entry: &LedgerEntry) -> Option<Cause> {
    entry.buckets.as_ref().and_then(|buckets| buckets.cause)
}
