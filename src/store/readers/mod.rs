//! A pool of connections that can only read.

mod gate;
mod readership;
mod turns;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use self::gate::Gate;
pub use self::readership::Readership;
pub use self::turns::Turns;
use crate::store::file::condition::Condition;
use crate::store::file::connection::{Role, reader_flags, set_pragmas};
use crate::store::shares::Bounds;
use crate::store::{Error, OpenError, Tenant};

/// How long a read waits for a connection.
const WAIT: Duration = Duration::from_secs(5);

/// The time above which a look-up counts as slow, as it blocks the calling thread.
const QUICK: Duration = Duration::from_millis(2);
/// The number of look-ups that run on other threads after a slow one.
const DETOURS: u32 = 256;

/// The settings of the readers.
#[derive(Debug, Clone, Copy)]
pub struct ReaderSettings {
    /// The number of connections.
    pub count: u32,
    /// The number of reads that may wait for a connection.
    pub queue_max: usize,
    /// The share of these that one organization may have, in percent.
    pub share_max: u32,
    /// The number of processors. One organization has no more reads at a time, because they would
    /// only take turns: the system lets each run for milliseconds, and a read of another
    /// organization would wait for all of them.
    pub processors: usize,
}

/// The pool. Clones share it.
#[derive(Debug, Clone)]
pub struct Readers {
    pool: Pool<SqliteConnectionManager>,
    /// Admits no more reads than the pool has connections.
    gate: Arc<Gate>,
    /// The number of look-ups that are still to run on other threads.
    detours: Arc<AtomicU32>,
    readership: Readership,
    condition: Condition,
}

impl Readers {
    pub(super) fn open(
        path: &Path,
        settings: ReaderSettings,
        (readership, condition): (Readership, Condition),
    ) -> Result<Self, OpenError> {
        let ReaderSettings {
            count,
            queue_max,
            share_max,
            processors,
        } = settings;
        let count_max = usize::try_from(count).unwrap_or(usize::MAX);
        let file = condition.clone();
        let manager = SqliteConnectionManager::file(path)
            .with_flags(reader_flags())
            .with_init(move |connection| {
                // Another file that has the name now must not be read.
                file.check();
                if file.has_moved() {
                    let code = rusqlite::ffi::SQLITE_CANTOPEN;
                    let error = rusqlite::ffi::Error::new(code);
                    return Err(rusqlite::Error::SqliteFailure(error, None));
                }
                set_pragmas(connection, Role::Reader)
            });
        let pool = Pool::builder()
            .max_size(count)
            .min_idle(Some(1))
            .connection_timeout(WAIT)
            // A read on a broken connection fails anyway; a check would slow every read down.
            .test_on_check_out(false)
            .build(manager)
            .map_err(OpenError::Pool)?;
        Ok(Self {
            pool,
            gate: Gate::new(
                (count_max, processors),
                Bounds::new(queue_max, share_max),
                WAIT,
            ),
            detours: Arc::default(),
            readership,
            condition,
        })
    }

    /// Takes in a failure of a read: if the file is damaged, writes stop too.
    pub fn note_failure(&self, error: &Error) {
        self.condition.note(error);
    }

    /// Runs a read of a few rows that are found by their keys, on the calling thread. Their pages
    /// are nearly always in memory, and then the read takes a fraction of the time in which another
    /// thread would wake up. If a read is slow because it waits for the disk, the next ones run on
    /// threads where blocking is allowed, as they do while no connection is free.
    ///
    /// # Errors
    /// As [`Readers::read`].
    ///
    /// # Panics
    /// If `read` does.
    pub async fn look_up<T, E, F>(&self, tenant: Tenant, read: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.readership.note();
        let left = self.detours.load(Ordering::Relaxed);
        if left > 0 {
            self.detours.store(left - 1, Ordering::Relaxed);
        } else if let Some(_permit) = self.gate.try_enter(tenant)
            && let Some(connection) = self.pool.try_get()
        {
            let start = Instant::now();
            let result = read(&connection);
            if start.elapsed() > QUICK {
                self.detours.store(DETOURS, Ordering::Relaxed);
            }
            return result;
        }
        self.read(tenant, read).await
    }

    /// Runs `read` on a thread where blocking is allowed, when the tenant's turn has come.
    ///
    /// # Errors
    /// The error of `read`, or [`Error::TooManyReads`].
    ///
    /// # Panics
    /// If `read` does.
    pub async fn read<T, E, F>(&self, tenant: Tenant, read: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let pool = self.pool.clone();
        let read = move || {
            let connection = pool.get().map_err(Error::PoolExhausted)?;
            read(&connection)
        };
        self.turns().run(tenant, read).await?
    }

    /// The queue of the reads, for work that needs no connection but takes as long as a read.
    pub fn turns(&self) -> Turns {
        Turns::new(&self.gate)
    }
}

#[cfg(test)]
mod tests {
    use std::panic::AssertUnwindSafe;
    use std::thread::ThreadId;

    use super::*;
    use crate::domain::{Environment, OrganizationNumber, ProgramNumber};
    use crate::store::Database;

    /// Readers with a few connections, and a runtime to wait for them.
    struct Stand {
        readers: Readers,
        runtime: tokio::runtime::Runtime,
        _folder: tempfile::TempDir,
    }

    impl Stand {
        fn new(count: u32) -> Self {
            Self::on_processors(count, 8)
        }

        fn on_processors(count: u32, processors: usize) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let database = Database::open(&folder.path().join("test.db")).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build();
            let settings = ReaderSettings {
                count,
                queue_max: 8,
                share_max: 50,
                processors,
            };
            Self {
                readers: database.readers(settings).unwrap(),
                runtime: runtime.unwrap(),
                _folder: folder,
            }
        }

        /// The thread on which a look-up of a given duration ran.
        fn thread_of(&self, takes: Duration) -> ThreadId {
            let looked_up = self.readers.look_up(Tenant::Upkeep, move |_| {
                std::thread::sleep(takes);
                Ok::<_, Error>(std::thread::current().id())
            });
            self.runtime.block_on(looked_up).unwrap()
        }
    }

    #[test]
    fn a_slow_look_up_sends_the_next_ones_to_other_threads_for_a_while() {
        let stand = Stand::new(1);
        let here = std::thread::current().id();
        assert_eq!(stand.thread_of(2 * QUICK), here);
        for number in 0..DETOURS {
            assert_ne!(stand.thread_of(Duration::ZERO), here, "{number}");
        }
        assert_eq!(stand.thread_of(Duration::ZERO), here);
    }

    #[test]
    fn a_look_up_waits_on_another_thread_while_no_connection_is_free() {
        let stand = Stand::new(1);
        let taken = stand.readers.pool.get().unwrap();
        let returning = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            drop(taken);
        });
        assert_ne!(stand.thread_of(Duration::ZERO), std::thread::current().id());
        returning.join().unwrap();
    }

    fn program(number: i64, environment: Environment) -> Tenant {
        Tenant::Program {
            organization: OrganizationNumber(number),
            program: ProgramNumber(number),
            environment,
        }
    }

    impl Stand {
        /// Starts reads that run until the returned value is ended.
        fn hold(&self, tenant: Tenant, count: usize) -> Held {
            let (release, released) = std::sync::mpsc::channel::<()>();
            let released = Arc::new(std::sync::Mutex::new(released));
            let running = Arc::new(AtomicU32::new(0));
            let tasks = (0..count)
                .map(|_| {
                    let (readers, released) = (self.readers.clone(), Arc::clone(&released));
                    let running = Arc::clone(&running);
                    self.runtime.spawn(async move {
                        let read = readers.read(tenant, move |_| {
                            running.fetch_add(1, Ordering::SeqCst);
                            let _ = released.lock().unwrap().recv();
                            Ok::<_, Error>(())
                        });
                        read.await.is_ok()
                    })
                })
                .collect();
            Held {
                running,
                release: Some(release),
                tasks,
            }
        }

        /// Waits until the started reads have got as far as they can.
        fn settle(&self) {
            self.runtime.block_on(async {
                for _ in 0..20 {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
            });
        }

        fn is_served(&self, tenant: Tenant) -> bool {
            let read = self.readers.read(tenant, |_| Ok::<_, Error>(()));
            self.runtime.block_on(async {
                let read = tokio::time::timeout(Duration::from_millis(300), read);
                matches!(read.await, Ok(Ok(())))
            })
        }
    }

    struct Held {
        running: Arc<AtomicU32>,
        release: Option<std::sync::mpsc::Sender<()>>,
        tasks: Vec<tokio::task::JoinHandle<bool>>,
    }

    impl Held {
        /// Ends the reads; returns how many of them were served.
        fn end(mut self, stand: &Stand) -> usize {
            self.release = None;
            let mut served = 0;
            for task in self.tasks {
                served += usize::from(stand.runtime.block_on(task).unwrap());
            }
            served
        }
    }

    #[test]
    fn neither_an_organization_nor_the_sandbox_has_every_connection() {
        let stand = Stand::new(3);
        for (flood, innocent) in [
            ([Environment::Live; 2], Environment::Live),
            ([Environment::Sandbox; 2], Environment::Live),
        ] {
            // One organization, or two of the sandbox.
            let second = if flood[0] == Environment::Live { 1 } else { 2 };
            let one = stand.hold(program(1, flood[0]), 2);
            let two = stand.hold(program(second, flood[1]), 2);
            stand.settle();
            let running = |held: &Held| held.running.load(Ordering::SeqCst);
            assert_eq!(running(&one) + running(&two), 2);
            assert!(stand.is_served(program(3, innocent)));
            assert!(!stand.is_served(program(1, flood[0])));
            // A read that was canceled meanwhile does not block others.
            assert_eq!(one.end(&stand) + two.end(&stand), 4);
            assert!(stand.is_served(program(1, flood[0])));
        }
    }

    #[test]
    fn one_organization_has_no_more_reads_at_a_time_than_there_are_processors() {
        let stand = Stand::on_processors(4, 2);
        let flood = stand.hold(program(1, Environment::Live), 4);
        stand.settle();
        assert_eq!(flood.running.load(Ordering::SeqCst), 2);
        assert!(stand.is_served(program(2, Environment::Live)));
        assert_eq!(flood.end(&stand), 4);
    }

    #[test]
    fn a_limited_number_may_wait_and_half_of_it_for_one_organization() {
        let stand = Stand::new(1);
        let first = stand.hold(Tenant::Upkeep, 1);
        stand.settle();
        let many = stand.hold(program(1, Environment::Live), 20);
        stand.settle();
        let mut other = stand.hold(program(2, Environment::Live), 1);
        stand.settle();
        other.release = None;
        assert_eq!(first.end(&stand), 1);
        assert_eq!(many.end(&stand), 4);
        assert_eq!(other.end(&stand), 1);
    }

    #[test]
    fn a_read_that_panics_returns_its_connection() {
        let stand = Stand::new(1);
        for _ in 0..2 {
            let read = stand
                .readers
                .read(Tenant::Upkeep, |_| -> Result<(), Error> {
                    panic!("a defect")
                });
            let end = AssertUnwindSafe(|| stand.runtime.block_on(read));
            assert!(std::panic::catch_unwind(end).is_err());
        }
        assert!(stand.is_served(Tenant::Upkeep));
    }
}
