//! A pool of connections that can only read.

use std::path::Path;
use std::time::Duration;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use super::connection::{Role, reader_flags, set_pragmas};
use super::{Error, OpenError};

/// How long a read waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// The pool. Clones share it.
#[derive(Debug, Clone)]
pub struct Readers {
    pool: Pool<SqliteConnectionManager>,
}

impl Readers {
    pub(super) fn open(path: &Path, count: u32) -> Result<Self, OpenError> {
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
        Ok(Self { pool })
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
