//! The database file: its lock, its connections, its schema, and copies of it.

pub mod backup;
pub mod checks;
pub(in crate::store) mod condition;
pub(in crate::store) mod connection;
mod database;
pub(in crate::store) mod definitions;
pub(in crate::store) mod lock;
pub(in crate::store) mod migrations;
mod open_error;
mod paths;
mod schema;
pub(in crate::store) mod scrub;

pub use self::connection::{open_any_version, open_read_only};
pub use self::database::Database;
pub use self::lock::Lock;
pub use self::open_error::{MigrationError, OpenError};
pub use self::schema::{Progress, SCHEMA, known_version as schema_version, schema_of};
