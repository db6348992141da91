//! A pool of connections that can only read.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use super::connection::{Role, reader_flags, set_pragmas};
use super::{Error, OpenError, Readership};

/// How long a read waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// The longest that looking up may hold up whoever asked, before it counts as slow.
const QUICK: Duration = Duration::from_millis(2);
/// How many look-ups go elsewhere after a slow one.
const DETOURS: u32 = 256;

/// The pool. Clones share it.
#[derive(Debug, Clone)]
pub struct Readers {
    pool: Pool<SqliteConnectionManager>,
    /// Look-ups that still go elsewhere.
    detours: Arc<AtomicU32>,
    readership: Readership,
}

impl Readers {
    pub(super) fn open(path: &Path, count: u32, readership: Readership) -> Result<Self, OpenError> {
        let manager = SqliteConnectionManager::file(path)
            .with_flags(reader_flags())
            .with_init(|connection| set_pragmas(connection, Role::Reader));
        let pool = Pool::builder()
            .max_size(count)
            .min_idle(Some(1))
            .connection_timeout(WAIT)
            // A read on a broken connection fails by itself; asking first costs every read.
            .test_on_check_out(false)
            .build(manager)
            .map_err(OpenError::Pool)?;
        Ok(Self {
            pool,
            detours: Arc::default(),
            readership,
        })
    }

    /// Runs a read of a few rows that are found by their keys. Their pages are nearly always in
    /// memory, and then such a read takes a fraction of what another thread would take to wake up:
    /// so it runs here. Where that turns out slow the disk is in it, and the next ones go where
    /// blocking is allowed, as they do while no connection is free.
    ///
    /// # Errors
    /// As [`Readers::read`].
    ///
    /// # Panics
    /// If `read` does.
    pub async fn look_up<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.readership.note();
        let left = self.detours.load(Ordering::Relaxed);
        if left > 0 {
            self.detours.store(left - 1, Ordering::Relaxed);
        } else if let Some(connection) = self.pool.try_get() {
            let start = Instant::now();
            let result = read(&connection);
            if start.elapsed() > QUICK {
                self.detours.store(DETOURS, Ordering::Relaxed);
            }
            return result;
        }
        self.read(read).await
    }

    /// Runs `read` on a thread where blocking is allowed.
    ///
    /// # Errors
    /// What `read` returns, or [`Error::PoolExhausted`].
    ///
    /// # Panics
    /// If `read` does.
    pub async fn read<T, E, F>(&self, read: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let pool = self.pool.clone();
        let task = tokio::task::spawn_blocking(move || {
            let connection = pool.get().map_err(Error::PoolExhausted)?;
            read(&connection)
        });
        match task.await {
            Ok(result) => result,
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread::ThreadId;

    use super::*;
    use crate::store::Database;

    /// Readers with one connection, and where to wait for them.
    struct Stand {
        readers: Readers,
        runtime: tokio::runtime::Runtime,
        _folder: tempfile::TempDir,
    }

    impl Stand {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::open(&folder.path().join("test.db")).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            Self {
                readers: database.readers(1).unwrap(),
                runtime: runtime.unwrap(),
                _folder: folder,
            }
        }

        /// The thread that a look-up of so long ran on.
        fn thread_of(&self, takes: Duration) -> ThreadId {
            let looked_up = self.readers.look_up(move |_| {
                std::thread::sleep(takes);
                Ok::<_, Error>(std::thread::current().id())
            });
            self.runtime.block_on(looked_up).unwrap()
        }
    }

    #[test]
    fn a_slow_look_up_sends_the_next_ones_to_other_threads_for_a_while() {
        let stand = Stand::new();
        let here = std::thread::current().id();
        assert_eq!(stand.thread_of(2 * QUICK), here);
        for number in 0..DETOURS {
            assert_ne!(stand.thread_of(Duration::ZERO), here, "{number}");
        }
        assert_eq!(stand.thread_of(Duration::ZERO), here);
    }

    #[test]
    fn a_look_up_waits_elsewhere_while_no_connection_is_free() {
        let stand = Stand::new();
        let taken = stand.readers.pool.get().unwrap();
        let returning = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(taken);
        });
        assert_ne!(stand.thread_of(Duration::ZERO), std::thread::current().id());
        returning.join().unwrap();
    }
}
