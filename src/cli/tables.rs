//! Tables as CSV.

use std::borrow::Cow;
use std::io::Write;

use anyhow::Context as _;

use crate::domain::Timestamp;
use crate::store::Connection;
use crate::store::dump::{Dump, FieldKind, Value};

/// The format of a CSV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    /// Text is not escaped, even if a spreadsheet would run it.
    pub(super) is_raw: bool,
    /// The file begins with a byte order mark, so that Excel reads it as UTF-8.
    pub(super) has_mark: bool,
}

/// Writes a table as CSV (RFC 4180) with a header line, and returns the number of rows. Nulls are
/// empty fields, times are RFC 3339 in UTC.
pub(super) fn csv(
    connection: &Connection,
    dump: Dump,
    form: Form,
    mut out: impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, anyhow::Error> {
    if form.has_mark {
        out.write_all("\u{feff}".as_bytes())?;
    }
    let mut writer = csv::Writer::from_writer(out);
    let fields = dump.fields();
    writer.write_record(fields.iter().map(|field| field.name))?;
    let mut rows = 0;
    dump.each_row(connection, |values, total| {
        for (value, field) in values.iter().zip(&fields) {
            match value {
                Value::Null => writer.write_field("")?,
                Value::Text(text) if form.is_raw => writer.write_field(text)?,
                Value::Text(text) => writer.write_field(inert(text).as_bytes())?,
                Value::Integer(millis) if field.kind == FieldKind::Time => {
                    let at = Timestamp::from_millis(*millis).context("a time is out of range")?;
                    writer.write_field(at.to_string())?;
                }
                Value::Integer(number) => writer.write_field(number.to_string())?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        rows += 1;
        progress(rows, total);
        Ok::<_, anyhow::Error>(())
    })?;
    writer.flush()?;
    Ok(rows)
}

/// Puts an apostrophe before text that a spreadsheet would run as a formula: at the beginning, and
/// after characters that separate cells in locales without the comma as separator.
/// src/http/dashboard/assets/lib/csv.js does the same.
fn inert(text: &str) -> Cow<'_, str> {
    let mut places = Vec::new();
    let mut is_beginning = true;
    let mut begin = 0;
    for (place, c) in text.char_indices() {
        let is_formula = matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
        let is_blank = matches!(c, '\t' | '\r') && place == 0;
        if is_beginning && (is_formula || is_blank) {
            places.push(begin);
            is_beginning = false;
        } else if matches!(c, ';' | '\t' | '\r' | '\n') {
            is_beginning = true;
            begin = place + 1;
        } else if !(c.is_whitespace() || matches!(c, '"' | '\'' | '\u{feff}')) {
            is_beginning = false;
        }
    }
    if places.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut inert = String::with_capacity(text.len() + places.len());
    let mut done = 0;
    for place in places {
        inert.push_str(&text[done..place]);
        inert.push('\'');
        done = place;
    }
    inert.push_str(&text[done..]);
    Cow::Owned(inert)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_made_text() {
        for (text, written) in [
            ("=HYPERLINK(\"x\")", "'=HYPERLINK(\"x\")"),
            ("+1", "'+1"),
            ("-5", "'-5"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1", "'＝1"),
            ("\"=1", "'\"=1"),
            ("  '=1", "'  '=1"),
            ("\t=1", "'\t=1"),
            ("\rabc", "'\rabc"),
            ("hello;=1", "hello;'=1"),
            ("one\n=2\r\n -3", "one\n'=2\r\n' -3"),
        ] {
            assert_eq!(inert(text), written, "{text:?}");
        }
        for text in [
            "",
            "a=b",
            "1-5",
            "ada@example.com",
            "a - b",
            "{\"a\":-1}",
            "x, =1",
        ] {
            assert_eq!(inert(text), text);
        }
    }
}
