//! Overwrites what SQLite leaves in the unused bytes of pages.
//!
//! `PRAGMA secure_delete` overwrites a row that is deleted or changed. But when pages are balanced,
//! rows move to other pages, and a page that is built again keeps their bytes in its unused part
//! (`rebuildPage` in SQLite's btree.c): an erasure of the row does not reach that copy. So after an
//! erasure every page is looked at, some in a transaction, and unused bytes are overwritten with
//! zeros, by way of `sqlite_dbpage` (<https://sqlite.org/dbpage.html>).
//!
//! Which bytes of a page are used is from <https://sqlite.org/fileformat2.html>, section 1.6.

use std::ops::Range;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::store::Error;
use crate::store::tables::settings;

/// Pages that are looked at in one transaction (4 MiB).
const STEP_PAGES: u32 = 1024;
/// The pause after a step, so that writes are not held up for long.
const PAUSE: Duration = Duration::from_millis(10);
/// The pause after a step that failed or could not be done.
const PAUSE_LONG: Duration = Duration::from_secs(10);
/// The most times that all pages are gone through because others wrote meanwhile.
const PASSES_MAX: u32 = 2;
/// The first page whose number has a first byte that a page of a table may begin with, too. In a
/// larger file a page of a long value cannot be told from one of a table.
const PAGES_MAX: u32 = 1 << 25;

/// What is left to scrub after an erasure.
#[derive(Debug)]
pub(in crate::store) struct Scrubber {
    /// The next page, while a pass is under way.
    next: Option<u32>,
    /// Passes that were finished.
    passes: u32,
    /// Whether others wrote since the pass began. Then the bytes of a page may have come to another
    /// number, which the pass had left behind.
    is_disturbed: bool,
    /// Whether more was erased since the pass began.
    is_wanted_again: bool,
    /// When the next step is due.
    due: Instant,
}

impl Scrubber {
    /// Goes on where an earlier process ended.
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

    /// Says that something was erased.
    pub(in crate::store) fn want(&mut self) {
        if self.next.is_some() {
            self.is_wanted_again = true;
        } else {
            (self.next, self.passes) = (Some(1), 0);
            self.is_disturbed = false;
        }
    }

    /// Says that others wrote.
    pub(in crate::store) fn disturb(&mut self) {
        self.is_disturbed = true;
    }

    /// Puts the next step off.
    pub(in crate::store) fn postpone(&mut self) {
        self.due = Instant::now() + PAUSE_LONG;
    }

    /// How long until the next step is due; `None` if nothing is left to do.
    pub(in crate::store) fn wait(&self) -> Option<Duration> {
        self.next
            .map(|_| self.due.saturating_duration_since(Instant::now()))
    }

    /// Scrubs some pages. `true`: that was the rest.
    ///
    /// # Errors
    /// [`Error`] if the database fails; it can be tried again.
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

/// Scrubs every page, of a file that nobody else writes to.
///
/// # Errors
/// [`Error`] if the database fails.
pub(in crate::store) fn scrub_all(connection: &Connection) -> Result<(), Error> {
    let mut scrubber = Scrubber::open(connection)?;
    scrubber.want();
    while !scrubber.step(connection)? {
        // The log begins again from its start.
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    }
    Ok(())
}

/// Overwrites the unused bytes of some pages; whether there are more behind them.
fn scrub(connection: &Connection, pages: Range<u32>) -> Result<bool, Error> {
    let count: u32 = connection.pragma_query_value(None, "page_count", |row| row.get(0))?;
    if !is_possible(connection, count)? {
        tracing::warn!(
            "copies of what was erased may be left in unused bytes of the database: the file is \
             too large for this, or stampcard was built without its .cargo/config.toml; stop the \
             server and run VACUUM on the file"
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

/// Whether SQLite was compiled with what it takes, and pages can be told apart.
fn is_possible(connection: &Connection, pages: u32) -> Result<bool, Error> {
    let sql = "SELECT count(*) FROM pragma_module_list WHERE name = 'sqlite_dbpage'";
    let mut statement = connection.prepare_cached(sql)?;
    let is_there: bool = statement.query_row([], |row| row.get(0))?;
    Ok(is_there && pages < PAGES_MAX)
}

/// Overwrites the unused bytes of a page of a table or an index with zeros; whether one was not
/// zero. Other pages are left as they are.
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

/// The bytes of a page that nothing is in; `None` of a page that is not of a table or an index, or
/// is not as SQLite writes it.
fn unused(page: &[u8], number: u32) -> Option<Vec<Range<usize>>> {
    // Before the header of the first page stands that of the file.
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
    // Each names the next, which stands behind it, and its own size.
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

/// Inserts, changes and deletes rows of a table of its own until pages hold rests of them.
#[cfg(test)]
pub(in crate::store) fn leave_rests(connection: &Connection) {
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
    assert!(rests(connection) > 20);
}

/// How many pages have something in their unused bytes.
#[cfg(test)]
pub(in crate::store) fn rests(connection: &Connection) -> usize {
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

    /// A new database with rests in its pages.
    fn database() -> (tempfile::TempDir, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("any.db");
        connection::create_private(&path).unwrap();
        let connection = connection::open_writer(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        leave_rests(&connection);
        (folder, connection)
    }

    fn rows(connection: &Connection) -> Vec<(i64, String, String)> {
        let mut statement = connection.prepare("SELECT * FROM rests").unwrap();
        let rows = statement.query_map([], |row| row.try_into()).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn sqlite_leaves_rests_and_they_are_overwritten_and_rows_stay() {
        let (_folder, connection) = database();
        let before = rows(&connection);
        scrub_all(&connection).unwrap();
        assert_eq!(rests(&connection), 0);
        assert!(rows(&connection) == before);
        let checked: String = connection
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(checked, "ok");
    }

    #[test]
    fn a_pass_that_others_disturb_is_followed_by_one_more() {
        let (_folder, connection) = database();
        let mut scrubber = Scrubber::open(&connection).unwrap();
        assert_eq!(scrubber.wait(), None, "nothing was erased");
        settings::want_scrub(&connection).unwrap();
        scrubber.want();
        scrubber.disturb();
        assert!(!scrubber.step(&connection).unwrap());
        assert!(settings::is_scrub_wanted(&connection).unwrap());
        // However often they write: else it would never end.
        scrubber.disturb();
        assert!(scrubber.step(&connection).unwrap());
        assert!(!settings::is_scrub_wanted(&connection).unwrap());
        assert_eq!(scrubber.wait(), None);
    }

    #[test]
    fn what_is_erased_meanwhile_needs_a_pass_of_its_own() {
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

    /// A page of a table with one row at the end, a free block before it, and rubbish elsewhere.
    fn page() -> Vec<u8> {
        let mut page = vec![0xaa; 64];
        page[..10].copy_from_slice(&[13, 0, 40, 0, 1, 0, 40, 0, 0, 56]);
        page[40..44].copy_from_slice(&[0, 0, 0, 16]);
        page
    }

    #[test]
    fn what_is_between_rows_is_cleared_and_rows_stay() {
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
        // The first byte of a page of a long value, and headers that point out of the page or back.
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
