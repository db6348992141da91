//! Import of an export into an empty database.

mod error;
mod lines;
mod rows;

use std::collections::BTreeMap;
use std::io::BufRead;

use uuid::Uuid;

pub use self::error::ImportError;
use self::lines::{Lines, Note, check_counts, check_trailer, read_header};
use self::rows::{Latest, insert, table_of};
use super::Header;
use crate::domain::Timestamp;
use crate::service::random::random_bytes;
use crate::service::upkeep::verify;
use crate::service::upkeep::verify::Report;
use crate::store::import_batches::Missing;
use crate::store::transfer::RowError;
use crate::store::{self, Connection, Database, import_batches, transfer};

/// Rows of one commit.
const BATCH_ROWS: u64 = 5000;

/// The result of an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The number of rows in total.
    pub rows: u64,
    /// The number of these that an earlier, interrupted run had imported.
    pub resumed: u64,
    /// Whether the export contained the secrets; otherwise new ones were created.
    pub with_secrets: bool,
    /// The number of webhook endpoints, whose secrets are new unless the export contained them.
    pub endpoints: u64,
    /// The report of the verification at the end.
    pub report: Report,
}

/// The progress of an import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// The number of rows imported so far, and in total.
    Rows(u64, u64),
    /// The number of rows of an earlier version migrated so far, and in total.
    Migrate(u64, u64),
    /// The current step of the verification at the end.
    Verify(&'a str),
}

/// Imports the lines into an empty database, or continues an interrupted import of the same lines.
/// No server starts on the database until the last line is imported and verified. No row may be
/// later than `now`.
///
/// # Errors
/// [`ImportError`].
pub fn import(
    database: &mut Database,
    input: impl BufRead,
    now: Timestamp,
    mut progress: impl FnMut(Step<'_>),
) -> Result<Imported, ImportError> {
    let mut lines = Lines::new(input);
    let (note, header) = begin(database, &mut lines)?;
    let rows = import_rows(
        database,
        &mut lines,
        (&header, now),
        note.as_ref(),
        &mut progress,
    )?;
    // An export of an earlier version makes a database of that version first.
    database.migrate(&mut |done, total| progress(Step::Migrate(done, total)))?;
    let connection = database.connection();
    let report = verify::verify_rows(connection, |step| progress(Step::Verify(step)))?;
    if !report.findings.is_empty() {
        return Err(ImportError::Contradiction(report.findings));
    }
    import_batches::finish_import(connection, &missing())?;
    Ok(Imported {
        rows: rows.rows,
        resumed: note.map_or(0, |note| note.lines).saturating_sub(1),
        with_secrets: header.secrets,
        endpoints: rows.endpoints,
        report,
    })
}

/// Checks the state of the database and reads the header; creates the tables of its version in a
/// new database.
fn begin(
    database: &Database,
    lines: &mut Lines<impl BufRead>,
) -> Result<(Option<Note>, Header), ImportError> {
    let version = database.version()?;
    let mut note = None;
    if version > 0 {
        note = unfinished(database.connection())?;
        if note.is_none() && transfer::has_rows(database.connection())? {
            return Err(ImportError::NotEmpty);
        }
    }
    let header = read_header(lines)?;
    match version {
        0 => database.create(header.schema)?,
        version if version != header.schema && note.is_none() => return Err(ImportError::NotEmpty),
        _ => {}
    }
    Ok((note, header))
}

/// The rows of the file.
struct Counts {
    rows: u64,
    endpoints: u64,
}

/// Imports every row that an interrupted import had not imported.
fn import_rows(
    database: &Database,
    lines: &mut Lines<impl BufRead>,
    (header, now): (&Header, Timestamp),
    note: Option<&Note>,
    progress: &mut impl FnMut(Step<'_>),
) -> Result<Counts, ImportError> {
    let connection = database.connection();
    let is_same_version = database.version()? == header.schema;
    let tables = transfer::tables(header.schema)?;
    let mut latest = Latest::load(connection, now)?;
    let total = header.rows.values().sum();
    let done = note.map_or(0, |note| note.lines);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut place = 0;
    let mut is_open = false;
    let trailer = loop {
        if lines.number == done {
            lines.check_same(note)?;
        }
        let Some(object) = lines.next_object()? else {
            close(connection, &mut is_open, lines)?;
            return Err(ImportError::Cut { line: lines.number });
        };
        if object.contains_key("end") {
            break check_trailer(lines, object)?;
        }
        let table = table_of(&tables, &mut place, &object).map_err(|what| lines.bad(what))?;
        *counts.entry(table.name).or_default() += 1;
        if lines.number <= done {
            continue;
        }
        if !is_same_version {
            // The interrupted import was complete except for the verification.
            return Err(ImportError::AnotherFile);
        }
        if !is_open {
            import_batches::begin_batch(connection)?;
            is_open = true;
        }
        if let Err(error) = insert(connection, (table, &mut latest), header, &object) {
            return Err(roll_back(connection, lines, error));
        }
        if lines.number.is_multiple_of(BATCH_ROWS) {
            close(connection, &mut is_open, lines)?;
            progress(Step::Rows(lines.number - 1, total));
        }
    };
    // The interrupted import had reached the last line, or a later one than this file has.
    if lines.number <= done {
        lines.check_same(note)?;
    }
    close(connection, &mut is_open, lines)?;
    if !lines.input.fill_buf()?.is_empty() {
        return Err(lines.bad("is the last line of the export, but more lines follow it"));
    }
    check_counts(lines, header, &counts)?;
    Ok(Counts {
        rows: trailer.end,
        endpoints: counts.get("webhook_endpoint").copied().unwrap_or(0),
    })
}

/// The progress of an unfinished import.
fn unfinished(connection: &Connection) -> Result<Option<Note>, ImportError> {
    let note = import_batches::unfinished_import(connection)?;
    note.map(|note| serde_json::from_slice(&note))
        .transpose()
        .map_err(|_| store::Error::Impossible("note of an import").into())
}

/// Commits the open batch with the progress, so that all lines read so far are imported.
fn close(
    connection: &Connection,
    is_open: &mut bool,
    lines: &Lines<impl BufRead>,
) -> Result<(), ImportError> {
    if std::mem::take(is_open) {
        let note = Note {
            lines: lines.number,
            sha256: lines.checksum(),
        };
        let note = serde_json::to_vec(&note).map_err(std::io::Error::from)?;
        import_batches::end_batch(connection, &note)?;
    }
    Ok(())
}

/// Rolls the batch of a refused row back; the batches before it stay.
fn roll_back(connection: &Connection, lines: &Lines<impl BufRead>, error: RowError) -> ImportError {
    if let Err(error) = import_batches::drop_batch(connection) {
        return error.into();
    }
    match error {
        RowError::Refused(what) => lines.bad(what),
        RowError::Failed(error) => error.into(),
    }
}

/// Replacements for what an export without secrets does not contain.
fn missing() -> Missing {
    Missing {
        partner_uuid: *Uuid::new_v4().as_bytes(),
        token_key: random_bytes(),
    }
}
