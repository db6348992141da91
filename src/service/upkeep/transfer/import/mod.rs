//! Lines of JSON back into a database.

mod error;
mod lines;
mod rows;

use std::collections::BTreeMap;
use std::io::BufRead;

use uuid::Uuid;

pub use self::error::ImportError;
use self::lines::{Lines, Note, check_counts, check_trailer, read_header};
use self::rows::{Latest, put, table_of};
use super::Header;
use crate::domain::Timestamp;
use crate::service::random::random_bytes;
use crate::service::upkeep::verify;
use crate::service::upkeep::verify::Report;
use crate::store::import_batches::Missing;
use crate::store::transfer::RowError;
use crate::store::{self, Connection, Database, import_batches, transfer};

/// Rows that share a commit.
const BATCH_ROWS: u64 = 5000;

/// What was taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Rows in all.
    pub rows: u64,
    /// Of these, rows that an earlier run had taken in before it was interrupted.
    pub resumed: u64,
    /// Whether the secrets came along; otherwise new ones were made.
    pub with_secrets: bool,
    /// Webhook endpoints, whose secrets are new unless they came along.
    pub endpoints: u64,
    /// What the verification found at the end.
    pub report: Report,
}

/// Where an import stands, for whoever shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// So many rows are in, of so many.
    Rows(u64, u64),
    /// So many rows of an earlier version are brought up to date, of so many.
    Migrate(u64, u64),
    /// The verification at the end has come to this.
    Verify(&'a str),
}

/// Takes the lines into an empty database, or goes on where an import of the same lines was
/// interrupted. Until the last line is in and everything agrees, no server starts on the database.
/// No row may be later than `now`.
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
    let rows = take_rows(
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

/// Looks at what is there and reads the header; a new database gets the tables of its version.
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

/// What came in.
struct Came {
    rows: u64,
    endpoints: u64,
}

/// Takes in every row that an interrupted import had not.
fn take_rows(
    database: &Database,
    lines: &mut Lines<impl BufRead>,
    (header, now): (&Header, Timestamp),
    note: Option<&Note>,
    progress: &mut impl FnMut(Step<'_>),
) -> Result<Came, ImportError> {
    let connection = database.connection();
    let is_same_version = database.version()? == header.schema;
    let tables = transfer::tables(header.schema)?;
    let mut latest = Latest::load(connection, now)?;
    let total = header.rows.values().sum();
    let done = note.map_or(0, |note| note.lines);
    let mut came: BTreeMap<&str, u64> = BTreeMap::new();
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
        *came.entry(table.name).or_default() += 1;
        if lines.number <= done {
            continue;
        }
        if !is_same_version {
            // The one that was interrupted had all its rows in.
            return Err(ImportError::AnotherFile);
        }
        if !is_open {
            import_batches::begin_batch(connection)?;
            is_open = true;
        }
        if let Err(error) = put(connection, (table, &mut latest), header, &object) {
            return Err(give_up(connection, lines, error));
        }
        if lines.number.is_multiple_of(BATCH_ROWS) {
            close(connection, &mut is_open, lines)?;
            progress(Step::Rows(lines.number - 1, total));
        }
    };
    // The interrupted import had come to the last line, or further than this file goes.
    if lines.number <= done {
        lines.check_same(note)?;
    }
    close(connection, &mut is_open, lines)?;
    if !lines.input.fill_buf()?.is_empty() {
        return Err(lines.bad("closes the export, but more lines follow it"));
    }
    check_counts(lines, header, &came)?;
    Ok(Came {
        rows: trailer.end,
        endpoints: came.get("webhook_endpoint").copied().unwrap_or(0),
    })
}

/// How far an import has come that is not finished.
fn unfinished(connection: &Connection) -> Result<Option<Note>, ImportError> {
    let note = import_batches::unfinished_import(connection)?;
    note.map(|note| serde_json::from_slice(&note))
        .transpose()
        .map_err(|_| store::Error::Impossible("note of an import").into())
}

/// Ends the open batch, so that all lines read so far are done with.
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

/// A row was refused: its batch goes with it, the batches before it stay.
fn give_up(connection: &Connection, lines: &Lines<impl BufRead>, error: RowError) -> ImportError {
    if let Err(error) = import_batches::drop_batch(connection) {
        return error.into();
    }
    match error {
        RowError::Refused(what) => lines.bad(what),
        RowError::Failed(error) => error.into(),
    }
}

/// What an export without secrets does not bring.
fn missing() -> Missing {
    Missing {
        partner_uuid: *Uuid::new_v4().as_bytes(),
        token_key: random_bytes(),
    }
}
