//! Replay: reads the log to its end, in order, on several threads.
//!
//! Reading a row costs several times as much as counting it. The log only grows, so every
//! connection sees the same rows up to a committed one. Each thread reads every n-th piece of the
//! log, and the caller takes the pieces in order.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, Scope, available_parallelism, scope};

use rusqlite::Connection;

use crate::domain::Seq;
use crate::store::file::connection;
use crate::store::log::LoggedRow;
use crate::store::{Error, log};

/// The numbers in a piece: rows of about a quarter of a megabyte.
const PIECE_NUMBERS: i64 = 2048;
/// The number of pieces from which several threads are worth it.
const PIECES_MIN: i64 = 16;
/// The most threads that read.
const THREADS_MAX: usize = 4;
/// The pieces of one thread that may wait to be taken.
const WAITING_MAX: usize = 2;

/// Passes every row after `after` to `take`, in order. Columns on which neither the figures nor the
/// books depend, such as the reasons of ledger entries, are left out, which halves the time.
///
/// # Errors
/// [`Error`] if the database fails or holds an impossible row.
pub fn replay(
    connection: &Connection,
    after: Seq,
    mut take: impl FnMut(&LoggedRow),
) -> Result<(), Error> {
    let Some(last) = log::last_seq(connection)?.filter(|last| *last > after) else {
        return Ok(());
    };
    let siblings = match siblings(connection, after, last) {
        Ok(siblings) if !siblings.is_empty() => siblings,
        _ => return log::read(connection, after, last, |row| take(&row)),
    };
    scope(|scope| {
        let threads = siblings.len();
        let mut queues = Vec::new();
        for (first, sibling) in siblings.into_iter().enumerate() {
            let pieces = pieces(after, last).skip(first).step_by(threads);
            queues.push(start(scope, sibling, pieces)?);
        }
        for (_, queue) in pieces(after, last).zip((0..threads).cycle()) {
            let ended = |_| Error::Impossible("end of a thread that reads the log");
            queues[queue]
                .recv()
                .map_err(ended)??
                .iter()
                .for_each(&mut take);
        }
        Ok(())
    })
}

/// The pieces of the log. Each begins after its first number and ends with its second one.
fn pieces(after: Seq, last: Seq) -> impl Iterator<Item = (Seq, Seq)> + Send {
    let step = usize::try_from(PIECE_NUMBERS).unwrap_or(usize::MAX);
    let starts = (after.0..last.0).step_by(step);
    starts.map(move |start| (Seq(start), Seq(last.0.min(start + PIECE_NUMBERS))))
}

/// Further connections that see the same rows; none if they would not, or are not worth it.
fn siblings(connection: &Connection, after: Seq, last: Seq) -> Result<Vec<Connection>, Error> {
    let threads = available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS_MAX);
    let numbers = last.0.saturating_sub(after.0);
    if threads == 1 || numbers < PIECES_MIN * PIECE_NUMBERS || numbers > rows_max(connection)? {
        return Ok(Vec::new());
    }
    (0..threads)
        .filter_map(|_| sibling(connection).transpose())
        .collect()
}

/// A further connection to the database, to read much of it once; `None` if it would not see the
/// same rows.
///
/// # Errors
/// [`Error`] if the database cannot be opened.
pub fn sibling(connection: &Connection) -> Result<Option<Connection>, Error> {
    // Other connections see neither an open transaction nor a database without a name.
    let path = connection.path().filter(|path| !path.is_empty());
    let path = path.filter(|_| connection.is_autocommit());
    let open = |path| connection::open_to_scan(Path::new(path));
    Ok(path.map(open).transpose()?)
}

/// An upper bound of the rows in the file. If a log has larger numbers it has gaps, which could not
/// be read piece by piece in reasonable time.
fn rows_max(connection: &Connection) -> rusqlite::Result<i64> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
    // A row takes more than eight bytes.
    Ok(number("page_count")?.saturating_mul(number("page_size")?) / 8)
}

type Piece = Result<Vec<LoggedRow>, Error>;

/// Starts a thread that reads some of the pieces. It ends early if they are no longer taken.
fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    connection: Connection,
    pieces: impl Iterator<Item = (Seq, Seq)> + Send + 'scope,
) -> Result<Receiver<Piece>, Error> {
    let (queue, taken) = sync_channel(WAITING_MAX);
    let read = move || read(&connection, pieces, &queue);
    Builder::new()
        .name("stampcard-replay".to_owned())
        .spawn_scoped(scope, read)
        .map_err(Error::Thread)?;
    Ok(taken)
}

fn read(
    connection: &Connection,
    pieces: impl Iterator<Item = (Seq, Seq)>,
    queue: &SyncSender<Piece>,
) {
    for (after, up_to) in pieces {
        let mut rows = Vec::with_capacity(usize::try_from(up_to.0 - after.0).unwrap_or(0));
        let read = log::read(connection, after, up_to, |row| rows.push(row));
        let failed = read.is_err();
        if queue.send(read.map(|()| rows)).is_err() || failed {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Database;

    fn numbers_after(connection: &Connection, after: i64) -> Result<Vec<i64>, Error> {
        let mut numbers = Vec::new();
        replay(connection, Seq(after), |row| {
            numbers.push(row.activity.seq.0);
        })?;
        Ok(numbers)
    }

    fn append(connection: &Connection, from: i64, to: i64) {
        let sql = "WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
                   INSERT INTO activity (seq, at, kind) SELECT i, 1, 51 FROM n";
        connection.execute(sql, [from, to]).unwrap();
    }

    #[test]
    fn every_row_is_read_once_and_in_order_by_any_number_of_threads() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        assert_eq!(numbers_after(connection, 0).unwrap(), Vec::<i64>::new());
        let last = PIECES_MIN * PIECE_NUMBERS + 777;
        append(connection, 1, last);
        for after in [0, 5, PIECE_NUMBERS, last - 1, last] {
            let expected: Vec<i64> = (after + 1..=last).collect();
            assert_eq!(numbers_after(connection, after).unwrap(), expected);
        }

        // Only its own connection sees an open transaction.
        connection.execute_batch("BEGIN").unwrap();
        append(connection, last + 1, last + 9);
        assert_eq!(numbers_after(connection, last).unwrap().len(), 9);
        connection.execute_batch("ROLLBACK").unwrap();

        // A gap is not read piece by piece.
        append(connection, i64::MAX - 1, i64::MAX - 1);
        let all = numbers_after(connection, 0).unwrap();
        assert_eq!(all.len(), usize::try_from(last + 1).unwrap());
    }

    #[test]
    fn an_impossible_row_is_an_error_and_ends_the_replay() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db")).unwrap();
        let connection = database.connection();
        append(connection, 1, PIECES_MIN * PIECE_NUMBERS * 2);
        // A sign-up without a member.
        let number = PIECE_NUMBERS * 3 + 1;
        let spoil = "INSERT OR REPLACE INTO activity (seq, at, kind) VALUES (?1, 1, 1)";
        connection
            .execute_batch("DROP TRIGGER activity_is_never_deleted")
            .unwrap();
        connection.execute(spoil, [number]).unwrap();
        let read = numbers_after(connection, 0);
        assert!(matches!(read, Err(Error::Impossible("activity"))));
    }
}
