//! Compares the schema of a database with the expected one, object by object.
//!
//! A definition is compared by its tokens, so that white space, comments, the case of keywords and
//! names, and quotes around plain names make no difference. Everything else does.

use std::borrow::Cow;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::Error;

/// Differences that are reported.
const FINDINGS_MAX: usize = 100;

/// Tables that other programs may add: those of SQLite's ANALYZE and AUTOINCREMENT, and those of
/// Litestream 0.5, which keeps them in every database that it replicates.
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

/// Words that mean something else once they are quoted: `"null"` is a name or a text. They are the
/// keywords of SQLite (<https://sqlite.org/lang_keywords.html>), then types and other words that it
/// recognizes by their text.
const RESERVED: &str = "
    abort action add after all alter always analyze and as asc attach autoincrement before begin
    between by cascade case cast check collate column commit conflict constraint create cross
    current current_date current_time current_timestamp database default deferrable deferred delete
    desc detach distinct do drop each else end escape except exclude exclusive exists explain fail
    filter first following for foreign from full generated glob group groups having if ignore
    immediate in index indexed initially inner insert instead intersect into is isnull join key last
    left like limit match materialized natural no not nothing notnull null nulls of offset on or
    order others outer over partition plan pragma preceding primary query raise range recursive
    references regexp reindex release rename replace restrict returning right rollback row rows
    savepoint select set table temp temporary then ties to transaction trigger unbounded union
    unique update using vacuum values view virtual when where window with without
    any blob false int integer real rowid stored strict text true";

/// Operators of more than one character. One stands before its own beginning.
const OPERATORS: &[&str] = &["->>", "->", "<>", "<=", ">=", "!=", "==", "||", "<<", ">>"];

/// One row of `sqlite_schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Object {
    kind: String,
    /// As it is stored.
    stored_name: String,
    /// In lower case: SQLite tells no two names apart by their case.
    name: String,
    /// The table it belongs to, in lower case; its own name if it is one.
    table: String,
    /// Its normalized definition; `None` of an index that SQLite made for a constraint.
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

    /// Whether it is exactly a table that another program may add.
    fn is_allowed(&self) -> bool {
        ALLOWED.iter().any(|(name, sql)| {
            self.kind == "table"
                && (self.stored_name.as_str(), self.table.as_str()) == (name, name)
                && self.definition == Some(normalize(sql))
        })
    }

    /// Its type and name. Who tampers with a schema chooses both, so odd ones are escaped.
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
/// [`Error`] if the text is no valid SQL.
pub(super) fn in_memory(schema: &str) -> Result<Connection, Error> {
    let connection = Connection::open_in_memory()?;
    connection.execute_batch(schema)?;
    Ok(connection)
}

/// Lists the objects of `expected` that `found` lacks or defines otherwise, and those of `found`
/// that are neither expected nor allowed, a sentence each; no more than [`FINDINGS_MAX`].
///
/// # Errors
/// [`Error`] if one of the two cannot be read.
pub(super) fn differences(expected: &Connection, found: &Connection) -> Result<Vec<String>, Error> {
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
    // An altered object is both; it is reported once.
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

/// Reads every row of a schema, whatever stands in it.
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

/// The text of a column. What is no text, as only tampering leaves there, becomes one that no
/// schema has.
fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        other => Some(format!("{other:?}")),
    }
}

/// Kinds of tokens, as far as normalizing tells them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// White space or a comment.
    Gap,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    QuotedName,
    /// A literal, an operator, or what is no SQL.
    Other,
}

/// Brings a definition into the form in which equal ones are equal texts: tokens with one space
/// between them, words in lower case, no quotes around names that need none.
///
/// Two definitions that SQLite reads differently never become equal, except that the case of a word
/// after DEFAULT, which SQLite takes for a text, is lost; `schema.sql` has no such default.
pub(super) fn normalize(sql: &str) -> String {
    // SQLite reads no further than a NUL, not even to the end of a comment.
    let end = sql.find('\0').unwrap_or(sql.len());
    let (mut rest, unread) = sql.split_at(end);
    let mut normalized = String::with_capacity(sql.len());
    while !rest.is_empty() {
        let (token, length) = first_token(rest);
        let (text, after) = rest.split_at(length);
        rest = after;
        let text = match token {
            Token::Gap => continue,
            Token::Word => Cow::Owned(text.to_ascii_lowercase()),
            Token::QuotedName => without_quotes(text),
            Token::Other => Cow::Borrowed(text),
        };
        if !normalized.is_empty() {
            normalized.push(' ');
        }
        normalized.push_str(&text);
    }
    normalized.push_str(unread);
    normalized
}

/// The token at the start of `sql`, which is not empty, and its length in bytes.
fn first_token(sql: &str) -> (Token, usize) {
    let bytes = sql.as_bytes();
    match *bytes {
        [b' ' | b'\t' | b'\n' | b'\x0c' | b'\r', ..] => (Token::Gap, 1),
        [b'-', b'-', ..] => (Token::Gap, sql.find('\n').unwrap_or(sql.len())),
        [b'/', b'*', ..] => match sql[2..].find("*/") {
            Some(at) => (Token::Gap, at + 4),
            None => (Token::Other, sql.len()),
        },
        [b'\'', ..] => (Token::Other, quoted_length(sql).unwrap_or(sql.len())),
        [b'x' | b'X', b'\'', ..] => {
            let length = quoted_length(&sql[1..]).map_or(sql.len(), |length| length + 1);
            (Token::Other, length)
        }
        [b'"' | b'`', ..] => quoted_name(sql, quoted_length(sql)),
        [b'[', ..] => quoted_name(sql, sql.find(']').map(|at| at + 1)),
        [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => (Token::Other, number_length(bytes)),
        [first, ..] if is_word_part(first) && first != b'$' => {
            let end = bytes.iter().position(|byte| !is_word_part(*byte));
            (Token::Word, end.unwrap_or(sql.len()))
        }
        _ => {
            let operator = OPERATORS
                .iter()
                .find(|operator| sql.starts_with(**operator));
            let character = sql.chars().next().map_or(1, char::len_utf8);
            (
                Token::Other,
                operator.map_or(character, |operator| operator.len()),
            )
        }
    }
}

fn quoted_name(sql: &str, length: Option<usize>) -> (Token, usize) {
    match length {
        Some(length) => (Token::QuotedName, length),
        None => (Token::Other, sql.len()),
    }
}

/// The length of what stands in quotes at the start of `sql`, a doubled quote being part of it;
/// `None` if the quote is never closed.
fn quoted_length(sql: &str) -> Option<usize> {
    let (quote, inside) = sql.as_bytes().split_first()?;
    let mut is_closed = false;
    for (at, byte) in inside.iter().enumerate() {
        match (byte == quote, is_closed) {
            (true, _) => is_closed = !is_closed,
            (false, true) => return Some(at + 1),
            (false, false) => {}
        }
    }
    is_closed.then_some(sql.len())
}

/// The length of the number at the start of `bytes`, the sign of an exponent included.
fn number_length(bytes: &[u8]) -> usize {
    let is_hexadecimal = matches!(bytes, [b'0', b'x' | b'X', ..]);
    let mut before = 0;
    let end = bytes.iter().position(|byte| {
        let is_sign = matches!(byte, b'+' | b'-') && matches!(before, b'e' | b'E');
        before = *byte;
        !(is_word_part(*byte) || *byte == b'.' || (is_sign && !is_hexadecimal))
    });
    end.unwrap_or(bytes.len())
}

/// Whether SQLite takes a byte for part of a word, unless a number or an operator begins with it.
fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// A quoted name in lower case and without its quotes if it needs none; else as it is.
fn without_quotes(quoted: &str) -> Cow<'_, str> {
    let name = quoted[1..quoted.len() - 1].to_ascii_lowercase();
    let is_reserved = RESERVED.split_whitespace().any(|word| word == name);
    if is_plain(&name) && !is_reserved {
        Cow::Owned(name)
    } else {
        Cow::Borrowed(quoted)
    }
}

/// Whether a text consists of ASCII letters, digits and underscores, and begins with no digit.
fn is_plain(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_part) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::store::SCHEMA;

    /// What `sql` does to a database that has our schema.
    fn differences_after(sql: &str) -> Vec<String> {
        let (ours, found) = (in_memory(SCHEMA).unwrap(), in_memory(SCHEMA).unwrap());
        found.execute_batch(sql).unwrap();
        differences(&ours, &found).unwrap()
    }

    #[test]
    fn white_space_comments_case_and_needless_quotes_are_dropped() {
        for (sql, normalized) in [
            ("", ""),
            (" -- only a comment", ""),
            (
                "CREATE  TABLE\t\"Activity\"(\n[seq]\r\n)",
                "create table activity ( seq )",
            ),
            ("a--b\nc", "a c"),
            ("a/*b*/c/**/d/*/e*/f", "a c d f"),
            ("a /* -- */ b -- /*\n c */", "a b c * /"),
            ("`a_1` \"A_1\" [a_1]", "a_1 a_1 a_1"),
            ("a->>'b'->c", "a ->> 'b' -> c"),
            ("a<=b<c<>d||e", "a <= b < c <> d || e"),
            ("x<-1", "x < - 1"),
        ] {
            assert_eq!(normalize(sql), normalized, "{sql}");
        }
    }

    #[test]
    fn literals_and_names_that_need_quotes_stay_as_they_are() {
        for sql in [
            "'a--b' '/*' 'It''s' ''",
            "x'00Ff' X'ab'",
            "\"a b\" \"A\"\"b\" [a-b] `1a` \"\" \"ä\"",
            "1.5E+3 .5e-7 0xFf 1_000",
            "\"NULL\" [Select] `true` \"integer\"",
        ] {
            assert_eq!(normalize(sql), sql);
        }
    }

    #[test]
    fn different_definitions_stay_different() {
        for (one, other) in [
            ("a b", "ab"),
            ("x 'ab'", "x'ab'"),
            ("'a' 'b'", "'a''b'"),
            ("'A'", "'a'"),
            ("'a'", "\"a\""),
            ("a < = b", "a <= b"),
            ("a - - b", "a -- b"),
            ("a IS NOT NULL", "a IS NOT \"NULL\""),
            // SQLite does not read what stands after a NUL.
            (
                "CREATE TABLE a (b) STRICT",
                "CREATE TABLE a (b) /* \0*/ STRICT",
            ),
            (
                "CREATE TABLE a (b) STRICT",
                "CREATE TABLE a (b) --\0\n STRICT",
            ),
            // No white space for SQLite.
            ("a b", "a\u{a0}b"),
            ("a b", "a\u{b}b"),
            ("a", "a /*"),
        ] {
            assert_ne!(normalize(one), normalize(other), "{one}");
        }
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
    fn no_more_is_reported_than_somebody_reads() {
        let many: Vec<_> = (0..200)
            .map(|number| format!("CREATE TABLE t{number} (a);"))
            .collect();
        assert_eq!(differences_after(&many.concat()).len(), FINDINGS_MAX);
    }

    /// A token as it may be written, and what it means.
    #[derive(Debug, Clone)]
    enum Piece {
        Word(&'static str),
        Name(&'static str),
        Literal(String),
        Symbol(&'static str),
    }

    fn piece() -> impl Strategy<Value = Piece> {
        let words = ["create", "table", "not", "null", "check", "x", "length"];
        let names = ["activity", "_a1", "seq"];
        let symbols = ["(", ")", ",", "=", "<=", "||", "-", "/", "*", "<", ".", ";"];
        prop_oneof![
            prop::sample::select(words.to_vec()).prop_map(Piece::Word),
            prop::sample::select(names.to_vec()).prop_map(Piece::Name),
            literal().prop_map(Piece::Literal),
            prop::sample::select(symbols.to_vec()).prop_map(Piece::Symbol),
        ]
    }

    fn literal() -> impl Strategy<Value = String> {
        prop_oneof![
            r#"[ a-cA-C/*"\[\]`'\n-]{0,8}"#.prop_map(|s| format!("'{}'", s.replace('\'', "''"))),
            "([0-9a-fA-F]{2}){0,4}".prop_map(|digits| format!("x'{digits}'")),
            (0..10_000_u32).prop_map(|number| number.to_string()),
            "[0-9]{1,3}\\.[0-9]{1,3}(e[+-]?[0-9]{1,2})?",
        ]
    }

    fn gap() -> impl Strategy<Value = String> {
        prop_oneof![
            "[ \t\r\n\u{c}]{1,3}",
            "[a-z '\"`*-]{0,6}".prop_map(|text| format!("/*{text}*/")),
            "[a-z '\"`*/-]{0,6}".prop_map(|text| format!("--{text}\n")),
        ]
    }

    /// How a piece is written: the case of its letters, and which quotes a name has.
    fn written(piece: &Piece, is_upper: bool, quotes: usize) -> String {
        let cased = |word: &str| {
            if is_upper {
                word.to_ascii_uppercase()
            } else {
                word.to_owned()
            }
        };
        match piece {
            Piece::Word(word) => cased(word),
            Piece::Name(name) => {
                let (open, close) = [("", ""), ("\"", "\""), ("[", "]"), ("`", "`")][quotes];
                format!("{open}{}{close}", cased(name))
            }
            Piece::Literal(text) => text.clone(),
            // Directly before a comment it would be part of that.
            Piece::Symbol("-") => "- ".to_owned(),
            Piece::Symbol(symbol) => (*symbol).to_owned(),
        }
    }

    fn pieces() -> impl Strategy<Value = Vec<(Piece, bool, usize, String)>> {
        prop::collection::vec((piece(), any::<bool>(), 0..4_usize, gap()), 1..30)
    }

    proptest! {
        #[test]
        fn how_a_definition_is_written_makes_no_difference(pieces in pieces()) {
            let (mut plain, mut fancy) = (String::new(), String::new());
            for (piece, is_upper, quotes, gap) in &pieces {
                plain.extend([&written(piece, false, 0), " "]);
                fancy.extend([&written(piece, *is_upper, *quotes), gap.as_str()]);
            }
            let normalized = normalize(&plain);
            prop_assert_eq!(&normalize(&fancy), &normalized);
            prop_assert_eq!(&normalize(&normalized), &normalized);
        }

        #[test]
        fn a_changed_literal_makes_a_difference(
            pieces in pieces(),
            place in any::<prop::sample::Index>(),
            literals in (literal(), literal()),
        ) {
            prop_assume!(literals.0 != literals.1);
            let place = place.index(pieces.len());
            let with = |literal: &str| {
                let write = |(at, (piece, is_upper, quotes, gap)): (usize, &(Piece, _, _, _))| {
                    let text = if at == place {
                        literal.to_owned()
                    } else {
                        written(piece, *is_upper, *quotes)
                    };
                    format!("{text}{gap}")
                };
                normalize(&pieces.iter().enumerate().map(write).collect::<String>())
            };
            prop_assert_ne!(with(&literals.0), with(&literals.1));
        }

        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,40}|[a-z'\"`\\[\\]/*\0\n-]{0,40}") {
            let normalized = normalize(&text);
            prop_assert_eq!(normalize(&normalized), normalized);
        }
    }
}
