//! Lines of JSON back into a database.

mod lines;

use std::collections::BTreeMap;
use std::io::BufRead;
use std::time::Duration;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use self::lines::{Lines, check_counts, check_trailer, read_header};
use super::Header;
use crate::domain::{ByNumber, ProgramNumber, Timestamp};
use crate::service::upkeep::verify;
use crate::service::upkeep::verify::Report;
use crate::store::import_batches;
use crate::store::import_batches::Missing;
use crate::store::transfer;
use crate::store::transfer::{Cell, Kind, RowError, Table};
use crate::store::{self, Connection, Database, OpenError};

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

/// Why an import stopped.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// There is something in the database already.
    #[error(
        "the database has data of its own, or tables of another version; an import needs a new file, so give it another \
         --database"
    )]
    NotEmpty,
    /// An import was interrupted, and this is not the file that it read.
    #[error(
        "an import of another file into this database was interrupted; import that file again to \
         finish it, or delete the database and start anew"
    )]
    AnotherFile,
    /// A line cannot be used.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: u64,
        /// What is wrong and what would be right.
        what: String,
    },
    /// The lines end too early.
    #[error(
        "the file ends after line {line} without the line that closes an export: it was cut; export \
         again, or copy the whole file, and import that: it goes on where this one ended"
    )]
    Cut {
        /// The last whole line.
        line: u64,
    },
    /// What came in contradicts itself.
    #[error("what was imported contradicts itself, so the database stays closed: {}", .0.join("; "))]
    Contradiction(Vec<String>),
    /// The lines cannot be read.
    #[error("the lines cannot be read")]
    Read(#[from] std::io::Error),
    /// The database cannot be used or brought up to date.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database failed.
    #[error("the rows cannot be written")]
    Storage(#[from] store::Error),
}

/// How late a row may be.
struct Latest {
    now: Timestamp,
    /// How far the time of programs is ahead of that, of those that are.
    ahead: ByNumber<ProgramNumber, Duration>,
}

impl Latest {
    /// By the clock, and by the programs that are in already.
    fn load(connection: &Connection, now: Timestamp) -> Result<Self, store::Error> {
        let ahead = store::sandbox::all_ahead(connection)?;
        Ok(Self { now, ahead })
    }

    /// Whether no time in a row is later than its program's; notes a program that is ahead.
    fn check(&mut self, table: &Table, cells: &[Cell<'_>]) -> Result<(), RowError> {
        let of = |name: &str| {
            let place = table.columns.iter().position(|column| column.name == name);
            place.and_then(|place| cells.get(place)?.integer())
        };
        let is_program = table.name == "program";
        let program = of(if is_program { "id" } else { "program_id" }).map(ProgramNumber);
        if let (true, Some(program)) = (is_program, program) {
            let ahead = of("clock_offset").and_then(|ahead| u64::try_from(ahead).ok());
            self.ahead
                .insert(program, Duration::from_millis(ahead.unwrap_or(0)));
        }
        let ahead = match program {
            Some(program) => self.ahead.get(&program).copied(),
            // A message's conversation has one, which is not looked up.
            None => self.ahead.values().max().copied(),
        };
        let latest = self.now.saturating_add(ahead.unwrap_or_default());
        for (column, cell) in table.columns.iter().zip(cells) {
            let at = cell.integer().filter(|_| column.is_stamp);
            if at.is_some_and(|at| at > latest.as_millis()) {
                return Err(RowError::Refused(format!(
                    "{}.{} must be no later than this machine's clock, by which it is {latest}; if \
                     that is wrong, set it right",
                    table.name, column.name
                )));
            }
        }
        Ok(())
    }
}

/// How far an unfinished import has come; kept in the database, in the transaction of its rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// Lines that are done with.
    lines: u64,
    /// SHA-256 of their bytes, so that only the same file is gone on with.
    sha256: String,
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

/// The table of a row. Tables come in their order, so that what is pointed to is there.
fn table_of<'a>(
    tables: &'a [Table],
    place: &mut usize,
    object: &Map<String, Value>,
) -> Result<&'a Table, String> {
    let names = || {
        let names: Vec<&str> = tables.iter().map(|table| table.name).collect();
        names.join(", ")
    };
    let name = object
        .get("table")
        .and_then(Value::as_str)
        .ok_or_else(|| format!("table is missing; it must be one of {}", names()))?;
    let found = tables
        .iter()
        .position(|table| table.name == name)
        .ok_or_else(|| format!("table {name:?} is not known; it must be one of {}", names()))?;
    if found < *place {
        let last = tables[*place].name;
        return Err(format!(
            "a row of {name} comes after one of {last}; the tables must come in the order {}",
            names()
        ));
    }
    *place = found;
    Ok(&tables[found])
}

/// Puts one row in.
fn put(
    connection: &Connection,
    (table, latest): (&Table, &mut Latest),
    header: &Header,
    object: &Map<String, Value>,
) -> Result<(), RowError> {
    let known = |name: &str| name == "table" || table.columns.iter().any(|own| own.name == name);
    if let Some(unknown) = object.keys().find(|name| !known(name)) {
        let names: Vec<&str> = table.columns.iter().map(|own| own.name.as_str()).collect();
        return Err(RowError::Refused(format!(
            "{}.{unknown} is not known; its fields are {}",
            table.name,
            names.join(", ")
        )));
    }
    // Room for what does not stand in the line as it is: bytes, and secrets that are made.
    let mut made: Vec<Option<Vec<u8>>> = Vec::with_capacity(table.columns.len());
    for column in &table.columns {
        let value = object.get(&column.name);
        made.push(match value {
            Some(Value::String(text)) if column.kind == Kind::Blob => {
                HEXLOWER.decode(text.as_bytes()).ok()
            }
            None if column.is_secret && !header.secrets => Some(new_webhook_secret().into_bytes()),
            _ => None,
        });
    }
    let mut cells = Vec::with_capacity(table.columns.len());
    for (column, made) in table.columns.iter().zip(&made) {
        let wrong =
            |what: &str| RowError::Refused(format!("{}.{} {what}", table.name, column.name));
        let cell = match (object.get(&column.name), column.kind, made) {
            (None, Kind::Text, Some(secret)) => {
                Cell::Text(std::str::from_utf8(secret).map_err(|_| wrong("must be text"))?)
            }
            (None | Some(Value::Null), ..) if column.is_nullable => Cell::Null,
            (None | Some(Value::Null), ..) => return Err(wrong("is missing")),
            (Some(value), Kind::Integer, _) => Cell::Integer(
                value
                    .as_i64()
                    .ok_or_else(|| wrong("must be a whole number"))?,
            ),
            (Some(value), Kind::Text, _) => {
                Cell::Text(value.as_str().ok_or_else(|| wrong("must be text"))?)
            }
            (Some(_), Kind::Blob, Some(bytes)) => Cell::Blob(bytes),
            (Some(_), Kind::Blob, None) => {
                return Err(wrong("must be bytes in lower-case hexadecimal"));
            }
        };
        cells.push(cell);
    }
    latest.check(table, &cells)?;
    table.insert(connection, &cells)
}

/// What an export without secrets does not bring.
fn missing() -> Missing {
    Missing {
        partner_uuid: *Uuid::new_v4().as_bytes(),
        token_key: random(),
    }
}

/// A secret for an endpoint whose own stayed behind.
fn new_webhook_secret() -> String {
    format!("whsec_{}", HEXLOWER.encode(&random::<24>()))
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    bytes
}
