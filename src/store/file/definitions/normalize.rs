//! A normal form of definitions, in which equal definitions are equal texts.

use std::borrow::Cow;

/// Words that have another meaning in quotes: `"null"` is a name or a text. They are the keywords
/// of SQLite (<https://sqlite.org/lang_keywords.html>), and types and other words that it
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

/// Operators of more than one character. A longer one is before its own beginning.
const OPERATORS: &[&str] = &["->>", "->", "<>", "<=", ">=", "!=", "==", "||", "<<", ">>"];

/// Kinds of tokens that are normalized differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Token {
    /// White space or a comment.
    Gap,
    /// A keyword or a name without quotes.
    Word,
    /// A name in quotes.
    QuotedName,
    /// A literal, an operator, or anything that is not SQL.
    Other,
}

/// Brings a definition into its normal form: tokens with one space between them, words in lower
/// case, no quotes around names that need none.
///
/// Definitions that SQLite reads differently never become equal, with one exception: the case of a
/// word after DEFAULT, which SQLite reads as a text, is lost. `schema.sql` has no such default.
pub(super) fn normalize(sql: &str) -> String {
    // SQLite does not read past a NUL, not even to the end of a comment.
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

/// The first token of `sql`, which is not empty, and its length in bytes.
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

/// The length of the quoted text at the start of `sql`, in which a quote may be doubled; `None` if
/// the quote is never closed.
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

/// The length of the number at the start of `bytes`, including the sign of an exponent.
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

/// Whether a byte can be part of a word in SQLite, unless it begins a number or an operator.
fn is_word_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || !byte.is_ascii()
}

/// A quoted name in lower case and without its quotes if it needs none; otherwise as it is.
fn without_quotes(quoted: &str) -> Cow<'_, str> {
    let name = quoted[1..quoted.len() - 1].to_ascii_lowercase();
    let is_reserved = RESERVED.split_whitespace().any(|word| word == name);
    if is_plain(&name) && !is_reserved {
        Cow::Owned(name)
    } else {
        Cow::Borrowed(quoted)
    }
}

/// Whether a text consists of ASCII letters, digits and underscores, and does not begin with a
/// digit.
pub(super) fn is_plain(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_part) && text.starts_with(|c: char| !c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
            // SQLite does not read past a NUL.
            (
                "CREATE TABLE a (b) STRICT",
                "CREATE TABLE a (b) /* \0*/ STRICT",
            ),
            (
                "CREATE TABLE a (b) STRICT",
                "CREATE TABLE a (b) --\0\n STRICT",
            ),
            // Characters that SQLite does not treat as white space.
            ("a b", "a\u{a0}b"),
            ("a b", "a\u{b}b"),
            ("a", "a /*"),
        ] {
            assert_ne!(normalize(one), normalize(other), "{one}");
        }
    }

    /// A token, which may be written in different ways.
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

    /// Writes a piece with the given case and quotes.
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
            // Without the space it could begin a comment.
            Piece::Symbol("-") => "- ".to_owned(),
            Piece::Symbol(symbol) => (*symbol).to_owned(),
        }
    }

    fn pieces() -> impl Strategy<Value = Vec<(Piece, bool, usize, String)>> {
        prop::collection::vec((piece(), any::<bool>(), 0..4_usize, gap()), 1..30)
    }

    proptest! {
        // The same cases each time.
        #![proptest_config(ProptestConfig {
            rng_seed: proptest::test_runner::RngSeed::Fixed(1),
            ..ProptestConfig::default()
        })]
        #[test]
        fn the_spelling_of_a_definition_makes_no_difference(pieces in pieces()) {
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
        fn any_text_is_normalized(text in "\\PC{0,40}|[a-z'\"`\\[\\]/*\0\n-]{0,40}") {
            let normalized = normalize(&text);
            prop_assert_eq!(normalize(&normalized), normalized);
        }
    }
}
