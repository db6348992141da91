//! Tables as CSV.

use std::io::Write;

use anyhow::Context as _;

use crate::domain::Timestamp;
use crate::store::Connection;
use crate::store::dump::{Dump, FieldKind, Value};

/// Writes a table as CSV (RFC 4180) with a head line; how many rows it has. What holds nothing is
/// an empty field, a time is RFC 3339 in UTC.
pub(super) fn csv(
    connection: &Connection,
    dump: Dump,
    out: impl Write,
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, anyhow::Error> {
    let mut writer = csv::Writer::from_writer(out);
    let fields = dump.fields();
    writer.write_record(fields.iter().map(|field| field.name))?;
    let mut rows = 0;
    dump.each_row(connection, |values, total| {
        for (value, field) in values.iter().zip(&fields) {
            match value {
                Value::Null => writer.write_field("")?,
                Value::Text(text) => writer.write_field(text)?,
                Value::Integer(millis) if field.kind == FieldKind::Time => {
                    let at = Timestamp::from_millis(*millis).context("an impossible time")?;
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
