//! Exports and imports: the rows of a database as they are, carried to another one.

mod insert;
mod table;

pub use self::insert::RowError;
pub use self::table::{Column, DefaultValue, Kind, Table, has_rows, tables};
pub use crate::domain::Cell;
