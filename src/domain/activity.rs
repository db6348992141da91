//! Activities: typed rows of the activity log.

use super::{CredentialNumber, Event, ProgramNumber, Seq, Timestamp};

/// The cause of an activity: a caller, a rule or the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An Org-API-Key.
    Key(CredentialNumber),
    /// The member that the activity is about, by a token.
    Member,
    /// A partner key.
    Partner(CredentialNumber),
    /// An earning rule; the row names its version and the event.
    Rule,
    /// The scheduler, because something was due.
    Scheduler,
    /// The server itself, or an operator on the command line.
    Server,
}

impl Actor {
    /// The number of the actor's kind in the log, and the actor's own number if the kind has many.
    pub fn numbers(self) -> (i64, Option<i64>) {
        match self {
            Self::Key(key) => (1, Some(key.0)),
            Self::Member => (2, None),
            Self::Partner(key) => (3, Some(key.0)),
            Self::Rule => (4, None),
            Self::Scheduler => (5, None),
            Self::Server => (6, None),
        }
    }

    /// The name of its kind on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Key(_) => "key",
            Self::Member => "member",
            Self::Partner(_) => "partner",
            Self::Rule => "rule",
            Self::Scheduler => "scheduler",
            Self::Server => "server",
        }
    }

    /// The actor with these numbers; `None` if no actor has them.
    pub fn of_numbers(kind: i64, number: Option<i64>) -> Option<Self> {
        let key = number.map(CredentialNumber);
        Some(match kind {
            1 => Self::Key(key?),
            2 => Self::Member,
            3 => Self::Partner(key?),
            4 => Self::Rule,
            5 => Self::Scheduler,
            6 => Self::Server,
            _ => return None,
        })
    }
}

/// One row of the activity log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Activity {
    /// Its number.
    pub seq: Seq,
    /// When it happened.
    pub at: Timestamp,
    /// The program it happened in; `None` for an event of an organization.
    pub program: Option<ProgramNumber>,
    /// The event.
    pub event: Event,
}
