//! Compares the schema of a database with the expected one, object by object.
//!
//! Definitions are compared by their tokens, so that white space, comments, the case of keywords
//! and names, and quotes around plain names make no difference. Everything else does.

mod normalize;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use self::normalize::{is_plain, normalize};
use crate::store::Error;

/// The number of differences that are reported.
const FINDINGS_MAX: usize = 100;

/// Tables that other programs may add: those of SQLite's ANALYZE and AUTOINCREMENT, and those that
/// Litestream 0.5 creates in every database that it replicates.
const ALLOWED: &[(&str, &str)] = &[
    ("sqlite_stat1", "CREATE TABLE sqlite_stat1(tbl,idx,stat)"),
    (
        "sqlite_stat4",
        "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    ),
    ("sqlite_sequence", "CREATE TABLE sqlite_sequence(name,seq)"),
    (
        "_litestream_seq",
        "CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)",
    ),
    (
        "_litestream_lock",
        "CREATE TABLE _litestream_lock (id INTEGER)",
    ),
];

/// One row of `sqlite_schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    kind: String,
    /// The name as it is stored.
    stored_name: String,
    /// The name in lower case: names in SQLite do not differ by their case.
    name: String,
    /// The table it belongs to, in lower case; its own name if it is one.
    table: String,
    /// Its normalized definition; `None` for an index that SQLite created for a constraint.
    definition: Option<String>,
}

impl Object {
    fn is_named_like(&self, other: &Self) -> bool {
        (&self.kind, &self.name) == (&other.kind, &other.name)
    }

    /// Whether both are the same object with the same definition.
    fn equals(&self, other: &Self) -> bool {
        self.is_named_like(other)
            && (&self.table, &self.definition) == (&other.table, &other.definition)
    }

    /// Whether it is a table that another program may add, with exactly its definition.
    fn is_allowed(&self) -> bool {
        ALLOWED.iter().any(|(name, sql)| {
            self.kind == "table"
                && (self.stored_name.as_str(), self.table.as_str()) == (name, name)
                && self.definition == Some(normalize(sql))
        })
    }

    /// Its type and name. In an altered schema both may hold any text, so odd ones are escaped.
    fn describe(&self) -> String {
        let shown = |text: &str| {
            if is_plain(text) {
                text.to_owned()
            } else {
                format!("{text:?}")
            }
        };
        format!("{} {}", shown(&self.kind), shown(&self.stored_name))
    }
}

/// Creates a database in memory that has exactly this schema.
///
/// # Errors
/// [`Error`] if the text is not valid SQL.
pub(in crate::store) fn in_memory(schema: &str) -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(schema)?;
    Ok(connection)
}

/// Lists the objects of `expected` that `found` lacks or defines differently, and those of `found`
/// that are neither expected nor allowed, one sentence each; at most [`FINDINGS_MAX`].
///
/// # Errors
/// [`Error`] if one of the two cannot be read.
pub(in crate::store) fn differences(
    expected: &Connection,
    found: &Connection,
) -> Result<Vec<String>, Error> {
    let mut missing = objects(expected)?;
    let mut others = objects(found)?;
    others.retain(|object| {
        let place = missing.iter().position(|ours| ours.equals(object));
        if let Some(place) = place {
            missing.remove(place);
            return false;
        }
        !object.is_allowed()
    });
    // An altered object is in both lists; it is reported once.
    others.retain(|object| {
        let is_altered = missing.iter().any(|ours| ours.is_named_like(object));
        !is_altered
    });
    let missing = missing
        .iter()
        .map(|object| format!("{} is missing or was altered", object.describe()));
    let others = others
        .iter()
        .map(|object| format!("{} is not of the schema", object.describe()));
    Ok(missing.chain(others).take(FINDINGS_MAX).collect())
}

/// Reads every row of a schema, with any content.
fn objects(connection: &Connection) -> Result<Vec<Object>, Error> {
    let sql = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let text = |index| Ok::<_, rusqlite::Error>(text(row.get_ref(index)?));
        let stored_name = text(1)?.unwrap_or_default();
        Ok(Object {
            kind: text(0)?.unwrap_or_default(),
            name: stored_name.to_ascii_lowercase(),
            stored_name,
            table: text(2)?.unwrap_or_default().to_ascii_lowercase(),
            definition: text(3)?.map(|sql| normalize(&sql)),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The text of a column. Another value, which only an altered schema has, becomes a text that no
/// schema has.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => Some(format!("{other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    /// The differences after `sql` was run on a database with our schema.
    fn differences_after(sql: &str) -> Vec<String> {
        let (ours, found) = (in_memory(SCHEMA).unwrap(), in_memory(SCHEMA).unwrap());
        found.execute_batch(sql).unwrap();
        differences(&ours, &found).unwrap()
    }

    #[test]
    fn the_same_schema_has_no_differences() {
        assert_eq!(differences_after(""), Vec::<String>::new());
    }

    #[test]
    fn a_row_that_is_there_twice_or_holds_no_text_is_reported() {
        let copied = "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema SELECT * FROM sqlite_schema
                 WHERE name = 'sqlite_autoindex_program_1';";
        let found = ["index sqlite_autoindex_program_1 is not of the schema"];
        assert_eq!(differences_after(copied), found);
        let moved = "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET tbl_name = 'member'
                 WHERE name = 'sqlite_autoindex_program_1';";
        let found = ["index sqlite_autoindex_program_1 is missing or was altered"];
        assert_eq!(differences_after(moved), found);
        let odd = "PRAGMA writable_schema = ON;
             INSERT INTO sqlite_schema VALUES ('a\nb', x'00ff', 3.5, NULL, x'ff'), (1, 2, 3, 4, 5);";
        let found = differences_after(odd);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found.iter().all(|line| !line.contains('\n')), "{found:?}");
    }

    #[test]
    fn a_limited_number_of_differences_is_reported() {
        let many: Vec<_> = (0..200)
            .map(|number| format!("CREATE TABLE t{number} (a);"))
            .collect();
        assert_eq!(differences_after(&many.concat()).len(), FINDINGS_MAX);
    }
}
