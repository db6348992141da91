//! Overwrites what SQLite leaves in the unused bytes of pages.
//!
//! `PRAGMA secure_delete` overwrites a row that is deleted or updated. But when SQLite balances
//! pages, rows move to other pages, and a rebuilt page keeps their bytes in its unused part
//! (`rebuildPage` in SQLite's btree.c). An erasure of the row does not reach that copy. So after an
//! erasure all pages are read, a limited number in each transaction, and unused bytes are
//! overwritten with zeros through `sqlite_dbpage` (<https://sqlite.org/dbpage.html>).
//!
//! The layout of a page is described in <https://sqlite.org/fileformat2.html>, section 1.6.

use std::ops::Range;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::Error;
use crate::store::tables::settings;

/// The number of pages that are scrubbed in one transaction (4 MiB).
const STEP_PAGES: u32 = 1024;
/// The pause after a step, so that writes are not held up for long.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause after a step that failed or was postponed.
const PAUSE_LONG: Duration = Duration::from_secs(10);
/// The most passes over all pages that are made because of writes in between.
const PASSES_MAX: u32 = 2;
/// The first page whose number begins with a byte that a page of a table may begin with, too. In a
/// larger file, a page of a long value cannot be distinguished from one of a table.
const PAGES_MAX: u32 = 1 << 25;

/// The progress of scrubbing after an erasure.
#[derive(Debug)]
pub(in crate::store) struct Scrubber {
    /// The next page of the present pass, if there is one.
    next: Option<u32>,
    /// The number of finished passes.
    passes: u32,
    /// Whether there were writes since the pass began. They may have moved bytes to a page that the
    /// pass had scrubbed already.
    is_disturbed: bool,
    /// Whether more was erased since the pass began.
    is_wanted_again: bool,
    /// When the next step is due.
    due: Instant,
}

impl Scrubber {
    /// Resumes the work of an earlier process, if it is not finished.
    ///
    /// # Errors
    /// [`Error`] if the database fails.
    pub(in crate::store) fn open(connection: &Connection) -> Result<Self, Error> {
        let mut scrubber = Self {
            next: None,
            passes: 0,
            is_disturbed: false,
            is_wanted_again: false,
            due: Instant::now(),
        };
        if settings::is_scrub_wanted(connection)? {
            scrubber.want();
        }
        Ok(scrubber)
    }

    /// Requests a pass after an erasure.
    pub(in crate::store) fn want(&mut self) {
        if self.next.is_some() {
            self.is_wanted_again = true;
        } else {
            (self.next, self.passes) = (Some(1), 0);
            self.is_disturbed = false;
        }
    }

    /// Takes in that there was a write.
    pub(in crate::store) fn disturb(&mut self) {
        self.is_disturbed = true;
    }

    /// Postpones the next step.
    pub(in crate::store) fn postpone(&mut self) {
        self.due = Instant::now() + PAUSE_LONG;
    }

    /// The time until the next step is due; `None` if nothing is left to do.
    pub(in crate::store) fn wait(&self) -> Option<Duration> {
        self.next
            .map(|_| self.due.saturating_duration_since(Instant::now()))
    }

    /// Scrubs some pages. Returns `true` if they were the last ones.
    ///
    /// # Errors
    /// [`Error`] if the database fails; the step can be retried.
    pub(in crate::store) fn step(&mut self, connection: &Connection) -> Result<bool, Error> {
        let Some(first) = self.next else {
            return Ok(false);
        };
        self.due = Instant::now() + PAUSE_LONG;
        let tx = Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
        let after = first.saturating_add(STEP_PAGES);
        let has_more = scrub(&tx, first..after)?;
        let is_again = self.is_wanted_again || (self.is_disturbed && self.passes + 1 < PASSES_MAX);
        if !has_more && !is_again {
            settings::forget_scrub(&tx)?;
        }
        tx.commit()?;
        self.due = Instant::now() + PAUSE;
        if has_more {
            self.next = Some(after);
            return Ok(false);
        }
        self.passes = if self.is_wanted_again {
            0
        } else {
            self.passes + 1
        };
        self.next = is_again.then_some(1);
        (self.is_disturbed, self.is_wanted_again) = (false, false);
        Ok(!is_again)
    }
}

/// Scrubs all pages of a file that has no other writer.
///
/// # Errors
/// [`Error`] if the database fails.
pub(in crate::store) fn scrub_all(connection: &Connection) -> Result<(), Error> {
    let mut scrubber = Scrubber::open(connection)?;
    scrubber.want();
    while !scrubber.step(connection)? {
        // SQLite reuses the write-ahead log from its start.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Overwrites the unused bytes of some pages; returns whether there are more pages after them.
fn scrub(connection: &Connection, pages: Range<u32>) -> Result<bool, Error> {
    let count: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if !is_possible(connection, count)? {
        tracing::warn!(
            "the database cannot be scrubbed after an erasure and may hold copies of erased words \
             in unused bytes: the file is too large, or stampcard was built without its \
             .cargo/config.toml; stop the server and run VACUUM on the file"
        );
        return Ok(false);
    }
    let mut read = connection.prepare_cached("SELECT data FROM sqlite_dbpage WHERE pgno = ?1")?;
    let sql = "UPDATE sqlite_dbpage SET data = ?2 WHERE pgno = ?1";
    let mut write = connection.prepare_cached(sql)?;
    let mut page = Vec::new();
    for number in pages.start..pages.end.min(count + 1) {
        read.query_row([number], |row| {
            page.clear();
            page.extend_from_slice(row.get_ref(0)?.as_blob()?);
            Ok(())
        })?;
        if clear(&mut page, number) {
            write.execute((number, &page))?;
        }
    }
    Ok(pages.end <= count)
}

/// Whether SQLite was compiled with `sqlite_dbpage`, and kinds of pages can be distinguished.
fn is_possible(connection: &Connection, pages: u32) -> Result<bool, Error> {
    let sql = "SELECT count(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'";
    let mut statement = connection.prepare_cached(sql)?;
    let is_there: bool = statement.query_row([], |row| row.get(0))?;
    Ok(is_there && pages < PAGES_MAX)
}

/// Overwrites the unused bytes of a page of a table or an index with zeros; returns whether any
/// byte changed. Leaves other pages as they are.
fn clear(page: &mut [u8], number: u32) -> bool {
    let unused = unused(page, number).unwrap_or_default();
    let mut is_changed = false;
    for range in unused {
        let bytes = &mut page[range];
        if bytes.iter().any(|byte| *byte != 0) {
            bytes.fill(0);
            is_changed = true;
        }
    }
    is_changed
}

/// The unused bytes of a page; `None` if the page does not belong to a table or an index, or is not
/// as SQLite writes it.
fn unused(page: &[u8], number: u32) -> Option<Vec<Range<usize>>> {
    // The first page begins with the header of the file.
    let header = if number == 1 { 100 } else { 0 };
    let number_at = |at: usize| {
        let bytes = page.get(at..at + 2)?.try_into().ok()?;
        Some(usize::from(u16::from_be_bytes(bytes)))
    };
    let pointers = match page.get(header)? {
        2 | 5 => header + 12,
        10 | 13 => header + 8,
        _ => return None,
    };
    let rows = pointers + 2 * number_at(header + 3)?;
    let content = match number_at(header + 5)? {
        0 => 1 << 16,
        content => content,
    };
    if rows > content || content > page.len() {
        return None;
    }
    let mut unused: Vec<_> = std::iter::once(rows..content).collect();
    let mut block = number_at(header + 1)?;
    let mut after = content;
    // Each free block holds the position of the next one, which is behind it, and its own size.
    while block != 0 {
        let (next, end) = (number_at(block)?, block + number_at(block + 2)?);
        if block < after || end < block + 4 || end > page.len() {
            return None;
        }
        unused.push(block + 4..end);
        (block, after) = (next, end);
    }
    Some(unused)
}

/// Inserts and updates rows of a separate table until pages hold remains of them.
#[cfg(test)]
pub(in crate::store) fn leave_remains(connection: &Connection) {
    let sql = "CREATE TABLE rests (id INTEGER PRIMARY KEY, name TEXT UNIQUE, text TEXT) STRICT";
    connection.execute_batch(sql).unwrap();
    let mut random = fastrand::Rng::with_seed(1);
    let word = |random: &mut fastrand::Rng, length: usize| -> String {
        (0..length).map(|_| random.lowercase()).collect()
    };
    let tx = connection.unchecked_transaction().unwrap();
    for number in 1..=2000 {
        let row = (number, word(&mut random, 12), word(&mut random, 30));
        tx.execute("INSERT INTO rests VALUES (?1, ?2, ?3)", row)
            .unwrap();
        let (changed, length) = (random.i64(1..=number), random.usize(..300));
        let change = (changed, word(&mut random, length));
        tx.execute("UPDATE rests SET text = ?2 WHERE id = ?1", change)
            .unwrap();
    }
    tx.commit().unwrap();
    assert!(remains(connection) > 20);
}

/// The number of pages with data in their unused bytes.
#[cfg(test)]
pub(in crate::store) fn remains(connection: &Connection) -> usize {
    let mut statement = connection
        .prepare("SELECT pgno, data FROM sqlite_dbpage")
        .unwrap();
    let pages = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    let pages: Vec<(u32, Vec<u8>)> = pages.unwrap().map(Result::unwrap).collect();
    let cleared = pages
        .into_iter()
        .map(|(number, mut page)| clear(&mut page, number));
    cleared.filter(|is_changed| *is_changed).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;
    use crate::store::file::connection;

    /// A new database with remains in its pages.
    fn database() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.db");
        connection::create_private(&path).unwrap();
        let connection = connection::open_writer(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        leave_remains(&connection);
        (folder, connection)
    }

    fn rows(connection: &Connection) -> Vec<(i64, String, String)> {
        let mut statement = connection.prepare("SELECT * FROM rests").unwrap();
        let rows = statement.query_map([], |row| row.try_into()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn sqlite_leaves_remains_which_are_overwritten_while_rows_stay() {
        let (_folder, connection) = database();
        let before = rows(&connection);
        scrub_all(&connection).unwrap();
        assert_eq!(remains(&connection), 0);
        assert!(rows(&connection) == before);
        let checked: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(checked, "ok");
    }

    #[test]
    fn a_pass_with_writes_in_between_is_followed_by_one_more() {
        let (_folder, connection) = database();
        let mut scrubber = Scrubber::open(&connection).unwrap();
        assert_eq!(scrubber.wait(), None, "nothing was erased");
        settings::want_scrub(&connection).unwrap();
        scrubber.want();
        scrubber.disturb();
        assert!(!scrubber.step(&connection).unwrap());
        assert!(settings::is_scrub_wanted(&connection).unwrap());
        // Only one more, even if there are further writes; else it might never end.
        scrubber.disturb();
        assert!(scrubber.step(&connection).unwrap());
        assert!(!settings::is_scrub_wanted(&connection).unwrap());
        assert_eq!(scrubber.wait(), None);
    }

    #[test]
    fn an_erasure_in_between_needs_another_pass() {
        let (_folder, connection) = database();
        settings::want_scrub(&connection).unwrap();
        let mut scrubber = Scrubber::open(&connection).unwrap();
        assert!(
            scrubber.wait().is_some(),
            "an earlier process did not end it"
        );
        scrubber.want();
        assert!(!scrubber.step(&connection).unwrap());
        assert!(scrubber.step(&connection).unwrap());
    }

    /// A page of a table with one row at the end, a free block before it, and garbage elsewhere.
    fn page() -> Vec<u8> {
        let mut page = vec![0xaa; 64];
        page[..10].copy_from_slice(&[13, 0, 40, 0, 1, 0, 40, 0, 0, 56]);
        page[40..44].copy_from_slice(&[0, 0, 0, 16]);
        page
    }

    #[test]
    fn bytes_between_rows_are_cleared_while_rows_stay() {
        let mut cleared = page();
        assert!(clear(&mut cleared, 2));
        let mut expected = page();
        expected[10..40].fill(0);
        expected[44..56].fill(0);
        assert_eq!(cleared, expected);
        assert!(!clear(&mut cleared, 2), "nothing is left to clear");
    }

    #[test]
    fn other_pages_and_damaged_ones_are_left_alone() {
        // The first byte of a page of a long value, and headers that point outside or backwards.
        for (place, byte) in [
            (0, 0),
            (0, 1),
            (5, 1),
            (3, 1),
            (2, 63),
            (43, 60),
            (41, 40),
            (43, 2),
        ] {
            let mut damaged = page();
            damaged[place] = byte;
            let before = damaged.clone();
            assert!(!clear(&mut damaged, 2), "{place}");
            assert_eq!(damaged, before);
        }
        assert!(!clear(&mut page(), 1));
    }
}
