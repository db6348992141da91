//! Tables as Parquet.

use std::fmt::Write as _;
use std::io::Write;
use std::sync::Arc;

use anyhow::Context as _;
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;

use crate::store::Connection;
use crate::store::dump::{Dump, Field, FieldKind, Value};

/// Rows per row group, which are buffered in memory.
const GROUP_ROWS: usize = 100_000;

/// Writes a table as Parquet, compressed with Snappy, and returns the number of rows. Times are
/// timestamps in UTC with milliseconds.
pub(super) fn parquet(
    connection: &Connection,
    dump: Dump,
    out: &mut (impl Write + Send),
    mut progress: impl FnMut(u64, u64),
) -> Result<u64, anyhow::Error> {
    let fields = dump.fields();
    let schema = Arc::new(parse_message_type(&schema(&fields))?);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .build();
    let mut writer = SerializedFileWriter::new(out, schema, Arc::new(properties))?;
    let mut columns: Vec<Vec<Value>> = vec![Vec::new(); fields.len()];
    let mut rows = 0;
    dump.each_row(connection, |values, total| {
        for (column, value) in columns.iter_mut().zip(values) {
            column.push(value.clone());
        }
        rows += 1;
        progress(rows, total);
        if columns[0].len() == GROUP_ROWS {
            write_group(writer.next_row_group()?, &mut columns, &fields)?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    if !columns[0].is_empty() {
        write_group(writer.next_row_group()?, &mut columns, &fields)?;
    }
    writer.close()?;
    Ok(rows)
}

fn schema(fields: &[Field]) -> String {
    let mut schema = String::from("message stampcard {");
    for field in fields {
        let (kind, logical) = match field.kind {
            FieldKind::Text | FieldKind::Id(_) => ("BYTE_ARRAY", " (STRING)"),
            FieldKind::Integer => ("INT64", ""),
            FieldKind::Time => ("INT64", " (TIMESTAMP(MILLIS,true))"),
        };
        // Writing to a String cannot fail.
        let _ = write!(schema, " OPTIONAL {kind} {}{logical};", field.name);
    }
    schema + " }"
}

/// Writes the buffered rows as a row group and clears the buffer.
fn write_group<W: Write + Send>(
    mut group: SerializedRowGroupWriter<'_, W>,
    columns: &mut [Vec<Value>],
    fields: &[Field],
) -> Result<(), anyhow::Error> {
    for (column, field) in columns.iter_mut().zip(fields) {
        let mut writer = group
            .next_column()?
            .context("the schema has more columns than the row group")?;
        // A null has definition level 0 and no value.
        let is_there = |value: &Value| i16::from(*value != Value::Null);
        let levels: Vec<i16> = column.iter().map(is_there).collect();
        if matches!(field.kind, FieldKind::Text | FieldKind::Id(_)) {
            let text = |value: Value| match value {
                Value::Text(text) => Some(ByteArray::from(text.into_bytes())),
                _ => None,
            };
            let values: Vec<ByteArray> = column.drain(..).filter_map(text).collect();
            let writer = writer.typed::<ByteArrayType>();
            writer.write_batch(&values, Some(&levels), None)?;
        } else {
            let number = |value: Value| match value {
                Value::Integer(number) => Some(number),
                _ => None,
            };
            let values: Vec<i64> = column.drain(..).filter_map(number).collect();
            let writer = writer.typed::<Int64Type>();
            writer.write_batch(&values, Some(&levels), None)?;
        }
        writer.close()?;
    }
    group.close()?;
    Ok(())
}
