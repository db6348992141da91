//! The only SQL: one SQLite file, one thread that writes it, a pool of connections that read it.
//!
//! **Must not know**: HTTP, JSON of the API, the analytics engine, or why a row changes. The
//! services decide that; the observer and the followers of the log read what was committed.

mod answers;
mod error;
mod file;
pub mod log;
mod readers;
mod shares;
mod tables;
mod whole;
mod writer;

pub use rusqlite::Connection;

pub use self::answers::idempotency;
pub use self::error::Error;
pub use self::file::{
    Database, Lock, MigrationError, OpenError, Progress, SCHEMA, backup, checks, open_any_version,
    open_read_only, schema_of, schema_version,
};
pub use self::log::LoggedRow;
pub use self::log::replay::{replay, sibling};
pub use self::readers::{ReaderSettings, Readers, Readership, Turns};
pub use self::shares::Tenant;
pub use self::tables::{
    assets, attachments, books, conversations, credentials, credits, deliveries, evaluations,
    gateways, inbox, interests, members, offers, organizations, phone_codes, points_rules, pools,
    programs, redemptions, removals, rules, sandbox, search, settings, snapshots, state,
    stored_events, terms, webhooks,
};
pub use self::whole::{audit, dump, erasure, import_batches, transfer};
pub use self::writer::{
    AccessChange, ApplyDue, Committed, Counted, NoRoom, Observer, ObserverError, Overdue, Timing,
    Transaction, WriteError, Writer, WriterSettings,
};
