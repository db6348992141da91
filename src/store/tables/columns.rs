//! Columns of rows, read by name.
//!
//! [`column!`] finds the position of a column in the text of its query when the program is
//! compiled. So reading by name costs no more than reading by position, and a column that the query
//! does not select is a compile error. Queries of one or two columns are read by position.

use rusqlite::types::FromSql;
use rusqlite::{Row, RowIndex};
use uuid::Uuid;

use crate::domain::{Environment, Points, Timestamp};
use crate::store::Error;

/// The position of a column in a query or a list of columns, both constants: see [`position`].
macro_rules! column {
    ($query:expr, $name:literal) => {
        const { $crate::store::tables::columns::position($query, $name) }
    };
}
pub(in crate::store) use column;

/// The position of the column that is selected as `name`, or as something that ends in it: `name`
/// finds `p.name`.
///
/// # Panics
/// If not exactly one column has the name.
pub(in crate::store) const fn position(query: &str, name: &str) -> usize {
    let text = query.as_bytes();
    let (mut end, mut depth, mut index) = (0, 0, 0);
    let mut found = None;
    loop {
        let is_over = end == text.len() || (depth == 0 && has_at(text, end, b"FROM "));
        if is_over || (depth == 0 && text[end] == b',') {
            if ends_in(text, end, name.as_bytes()) {
                assert!(found.is_none(), "several columns have this name");
                found = Some(index);
            }
            index += 1;
        }
        if is_over {
            break;
        }
        match text[end] {
            b'(' => depth += 1,
            b')' => depth -= 1,
            _ => {}
        }
        end += 1;
    }
    found.expect("a column has this name")
}

/// Whether the part of a text before `end`, up to white space, is or ends in a whole word.
const fn ends_in(text: &[u8], mut end: usize, word: &[u8]) -> bool {
    while end > 0 && text[end - 1].is_ascii_whitespace() {
        end -= 1;
    }
    let Some(start) = end.checked_sub(word.len()) else {
        return false;
    };
    has_at(text, start, word)
        && (start == 0 || !(text[start - 1].is_ascii_alphanumeric() || text[start - 1] == b'_'))
}

const fn has_at(text: &[u8], start: usize, word: &[u8]) -> bool {
    let mut index = 0;
    while index < word.len() {
        if start + index >= text.len() || text[start + index] != word[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// Reads a column that may be null, and converts its value.
pub(in crate::store) fn optional<V: FromSql, T>(
    row: &Row<'_>,
    column: impl RowIndex,
    convert: impl FnOnce(V) -> T,
) -> Result<Option<T>, Error> {
    Ok(row.get::<_, Option<V>>(column)?.map(convert))
}

/// Reads the sixteen bytes of an id.
pub(in crate::store) fn uuid(row: &Row<'_>, column: impl RowIndex) -> Result<Uuid, Error> {
    Ok(Uuid::from_bytes(row.get(column)?))
}

/// Reads a time.
pub(in crate::store) fn time(row: &Row<'_>, column: impl RowIndex) -> Result<Timestamp, Error> {
    timestamp(row.get(column)?)
}

/// Reads a time that may be null.
pub(in crate::store) fn optional_time(
    row: &Row<'_>,
    column: impl RowIndex,
) -> Result<Option<Timestamp>, Error> {
    optional(row, column, timestamp)?.transpose()
}

/// The time of a stored number of milliseconds.
pub(in crate::store) fn timestamp(millis: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millis(millis).ok_or(Error::Impossible("time"))
}

/// Reads a number of points.
pub(in crate::store) fn points(row: &Row<'_>, column: impl RowIndex) -> Result<Points, Error> {
    Points::new(row.get(column)?).ok_or(Error::Impossible("number of points"))
}

/// Reads one of a few words, such as a status. `what` names them in the error.
pub(in crate::store) fn word<T>(
    row: &Row<'_>,
    column: impl RowIndex,
    parse: impl FnOnce(&str) -> Option<T>,
    what: &'static str,
) -> Result<T, Error> {
    let word = row.get_ref(column)?.as_str().ok();
    word.and_then(parse).ok_or(Error::Impossible(what))
}

/// Reads an environment.
pub(in crate::store) fn environment(
    row: &Row<'_>,
    column: impl RowIndex,
) -> Result<Environment, Error> {
    word(row, column, Environment::parse, "environment")
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "SELECT c.id, c.uuid,
        (SELECT a, b FROM t) AS preview, r.uuid, display_name
    FROM c JOIN r ON r.name = c.name";

    #[test]
    fn columns_are_found_by_their_names() {
        assert_eq!(column!(QUERY, "id"), 0);
        assert_eq!(column!(QUERY, "c.uuid"), 1);
        assert_eq!(column!(QUERY, "preview"), 2);
        assert_eq!(column!(QUERY, "r.uuid"), 3);
        assert_eq!(column!(QUERY, "display_name"), 4);
        assert_eq!(column!("a, b", "b"), 1);
    }

    #[test]
    fn a_name_of_no_column_or_of_several_is_refused() {
        for name in ["uuid", "name", "a", "t", "SELECT"] {
            assert!(
                std::panic::catch_unwind(|| position(QUERY, name)).is_err(),
                "{name}"
            );
        }
    }
}
