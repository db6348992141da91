//! The saved books in the database: generations, stored regularly, and the start from them.

use std::iter::from_fn;

use super::steps::in_steps;
use crate::books::parts::{Damaged, Generation, Header, Part, Replaced, VERSION};
use crate::books::{Books, Published};
use crate::domain::Seq;
use crate::service::writer::UpkeepWriter;
use crate::store::books::{GenerationRow, PartRow};
use crate::store::{self, Connection, WriteError};

/// The most deltas after a base. Each has a part of its own, which takes time to load, even if no
/// record changed.
const DELTAS_MAX: usize = 128;

/// The generations in the database from which a start can load the books.
#[derive(Debug, Default)]
pub(in crate::service) struct Generations {
    /// The newest one.
    newest: Option<Header>,
    /// The number of records of the base.
    base_records: u64,
    /// The number of deltas, and of their records.
    deltas: usize,
    delta_records: u64,
}

impl Generations {
    /// Whether there is a base.
    pub(super) fn has_base(&self) -> bool {
        self.newest.is_some()
    }

    /// The newest activity that they include for certain.
    fn last_seq(&self) -> Option<Seq> {
        self.newest.map(|header| header.last_seq)
    }

    /// Whether the deltas exceed half the base, or are too many, so that a base should follow.
    fn are_large(&self) -> bool {
        2 * self.delta_records > self.base_records || self.deltas >= DELTAS_MAX
    }

    fn note(&mut self, header: Header) {
        if header.is_base {
            *self = Self {
                base_records: header.records,
                ..Self::default()
            };
        } else {
            self.deltas += 1;
            self.delta_records += header.records;
        }
        self.newest = Some(header);
    }
}

/// Restores the books of the newest generations; the inner error says why they cannot be used.
pub(super) fn restore(
    connection: &Connection,
) -> Result<Result<(Books, Generations), &'static str>, store::Error> {
    match read(connection) {
        Err(store::Error::Impossible(_)) => Ok(Err("the saved books have an impossible number")),
        read => read,
    }
}

fn read(
    connection: &Connection,
) -> Result<Result<(Books, Generations), &'static str>, store::Error> {
    let headers = match headers(&store::books::generations(connection)?) {
        Ok(headers) => headers,
        Err(reason) => return Ok(Err(reason)),
    };
    let in_log = store::log::last_seq(connection)?.unwrap_or(Seq(0));
    let mut generations = Generations::default();
    let mut books = Books::default();
    for header in headers {
        if header.last_seq > in_log {
            return Ok(Err("the saved books are newer than the log"));
        }
        let mut records = 0;
        for number in 0..header.parts {
            let Some(row) = store::books::part(connection, header.number, number)? else {
                return Ok(Err("parts of the saved books are missing"));
            };
            let part = Part {
                bytes: row.data,
                checksum: row.checksum,
            };
            match books.restore_part(&part) {
                Ok(restored) if restored.newest > in_log => {
                    return Ok(Err("the saved books are newer than the log"));
                }
                Ok(restored) => records += restored.records,
                Err(Damaged::Checksum) => {
                    return Ok(Err("a checksum of the saved books is wrong"));
                }
                Err(Damaged::Form) => {
                    return Ok(Err("a part of the saved books has another form"));
                }
            }
        }
        if records != header.records {
            return Ok(Err("the saved books contradict their header"));
        }
        books.restored_up_to(header.last_seq);
        generations.note(header);
    }
    Ok(Ok((books, generations)))
}

/// The headers of the newest base and of the deltas after it.
fn headers(rows: &[GenerationRow]) -> Result<Vec<Header>, &'static str> {
    let Some(base) = rows.iter().rposition(|row| row.is_base) else {
        return Err(match rows {
            [] => "no books were saved",
            _ => "the base of the saved books is missing",
        });
    };
    let mut headers: Vec<Header> = Vec::new();
    for row in &rows[base..] {
        let header = Header {
            version: row.version,
            number: row.number,
            is_base: row.is_base,
            last_seq: row.last_seq,
            parts: row.parts,
            records: u64::try_from(row.records)
                .map_err(|_| "a header of the saved books is damaged")?,
        };
        if header.checksum() != row.checksum {
            return Err("a header of the saved books is damaged");
        }
        if header.version != VERSION {
            return Err("the saved books have another version");
        }
        let follows = |before: &Header| {
            before.number.checked_add(1) == Some(header.number)
                && before.last_seq <= header.last_seq
        };
        if !headers.last().is_none_or(follows) {
            return Err("a generation of the saved books is missing");
        }
        headers.push(header);
    }
    Ok(headers)
}

/// The reason why the books were not saved.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    /// The database took no write.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The books were replaced meanwhile.
    #[error(transparent)]
    Replaced(#[from] Replaced),
}

/// The books, and what is saved of them.
#[derive(Debug)]
pub(in crate::service) struct BooksSaver {
    published: Published,
    generations: Generations,
    /// Whether the last attempt failed. Records that it took are no longer known to have changed,
    /// so that only a base has all of them.
    has_failed: bool,
}

impl BooksSaver {
    pub(in crate::service) fn new(published: Published, generations: Generations) -> Self {
        Self {
            published,
            generations,
            has_failed: false,
        }
    }

    /// The number of activities since the last time.
    pub(super) fn new_rows(&self) -> i64 {
        let saved = self.generations.last_seq().unwrap_or(Seq(0));
        self.published.read().last_seq().0 - saved.0
    }

    /// Saves the books in steps, the header last: until then the generations before are valid.
    pub(super) fn save(&mut self, writer: &UpkeepWriter) -> Result<Header, SaveError> {
        let saved = self.save_generation(writer);
        self.has_failed = saved.is_err();
        let header = saved?;
        self.generations.note(header);
        if header.is_base
            && let Err(error) = delete_loose_parts(writer)
        {
            // They are deleted before the next generation.
            tracing::warn!(%error, "older parts of the saved books could not be deleted");
        }
        Ok(header)
    }

    fn save_generation(&self, writer: &UpkeepWriter) -> Result<Header, SaveError> {
        let before = self.begin(writer)?;
        let number = before.map_or(1, |before| before.saturating_add(1));
        // A write that failed may have reached the disk, so that the newest is another one.
        let is_known = before == self.generations.newest.map(|header| header.number);
        let is_base = self.has_failed
            || !is_known
            || !self.generations.has_base()
            || self.generations.are_large();
        let mut generation = Generation::begin(&self.published, is_base);
        let mut parts = 0;
        let mut replaced = None;
        let rows = from_fn(|| match generation.next_part(&self.published) {
            Ok(part) => part.map(|part| {
                parts += 1;
                let row = PartRow {
                    checksum: part.checksum,
                    data: part.bytes,
                };
                (row.data.len(), (parts - 1, row))
            }),
            Err(error) => {
                replaced = Some(error);
                None
            }
        });
        in_steps(rows, |step| {
            writer.write_blocking(move |tx| {
                let mut rows = step.iter();
                rows.try_for_each(|(part, row)| store::books::put_part(tx, number, *part, row))
            })
        })?;
        if let Some(replaced) = replaced {
            return Err(replaced.into());
        }
        let header = generation.header(number, parts);
        let row = row_of(&header);
        writer.write_blocking(move |tx| store::books::put_generation(tx, &row))?;
        Ok(header)
    }

    /// Deletes what earlier attempts left behind, and returns the number of the newest generation.
    fn begin(&self, writer: &UpkeepWriter) -> Result<Option<i64>, WriteError> {
        if !self.generations.has_base() {
            writer.write_blocking(|tx| store::books::delete_generations(tx))?;
        }
        delete_loose_parts(writer)?;
        writer.write_blocking(|tx| store::books::newest(tx))
    }
}

fn row_of(header: &Header) -> GenerationRow {
    GenerationRow {
        number: header.number,
        version: header.version,
        is_base: header.is_base,
        last_seq: header.last_seq,
        parts: header.parts,
        records: i64::try_from(header.records).unwrap_or(i64::MAX),
        checksum: header.checksum(),
    }
}

/// Deletes the parts that belong to no generation, some in each write.
fn delete_loose_parts(writer: &UpkeepWriter) -> Result<(), WriteError> {
    while writer.write_blocking(|tx| store::books::delete_loose_parts(tx))? {}
    Ok(())
}
