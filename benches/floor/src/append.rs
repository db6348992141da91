//! The append sketch: balances and idempotency keys are in memory, and a credit appends two rows,
//! one to a log and one with the idempotency record. No page is written again once it is full.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::time::{Instant, SystemTime};

use rusqlite::{Connection, Result};

use crate::credits::{BATCH_MAX, Credit, Kind, open};

/// Room for the keys of some minutes, so that the table of keys does not move under load.
const KEYS: usize = 1 << 22;
/// Commits of the bare loop.
const COMMITS: u32 = 200;

/// The columns are those that the product needs for the same.
pub(crate) const TABLES: &str = "
    CREATE TABLE log (seq INTEGER PRIMARY KEY, at INTEGER, program INTEGER, kind INTEGER,
        actor INTEGER, member INTEGER, amount INTEGER, received INTEGER) STRICT;
    CREATE TABLE answer (id INTEGER PRIMARY KEY, key BLOB, body BLOB, at INTEGER, status INTEGER,
        balance INTEGER) STRICT;
";

pub(crate) fn sketch(
    connection: &Connection,
    members: u32,
) -> Result<impl FnMut(&Credit) -> Result<Option<i64>>> {
    let mut log = connection.prepare(
        "INSERT INTO log (at, program, kind, actor, member, amount, received)
         VALUES (?1, 1, 4, 1, ?2, ?3, ?4)",
    )?;
    let mut answer = connection.prepare(
        "INSERT INTO answer (key, body, at, status, balance) VALUES (?1, ?2, ?3, 200, ?4)",
    )?;
    let mut balances = vec![0_i64; members as usize];
    let mut keys: HashMap<[u8; 16], i64> = HashMap::with_capacity(KEYS);
    Ok(move |credit: &Credit| {
        let Some(balance) = balances.get_mut(credit.member as usize) else {
            return Ok(None);
        };
        let key = digest(&credit.key);
        let replay = match keys.entry(key) {
            Entry::Occupied(entry) => return Ok(Some(*entry.get())),
            Entry::Vacant(entry) => entry,
        };
        *balance += credit.amount;
        let now = milliseconds();
        log.execute((now, credit.member, credit.amount, *balance))?;
        let body = digest((credit.member, credit.amount));
        answer.execute((key, body, now, *balance))?;
        Ok(Some(*replay.insert(*balance)))
    })
}

/// Sixteen bytes that stand for a value.
fn digest(value: impl std::hash::Hash) -> [u8; 16] {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    let first = hasher.finish();
    0xff_u8.hash(&mut hasher);
    let halves = u128::from(first) << 64 | u128::from(hasher.finish());
    halves.to_be_bytes()
}

#[expect(
    clippy::disallowed_methods,
    reason = "there are no tests that set this clock"
)]
fn milliseconds() -> i64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.expect("a clock after 1970").as_millis();
    i64::try_from(now).expect("a clock before the year 292278994")
}

/// Credits per second that SQLite makes durable without a server, with the maximum number of
/// credits in each commit.
pub(crate) fn commits_per_second(database: &Path, members: u32) -> f64 {
    let connection = open(Kind::Append, database, members).expect("a new database");
    let mut sketch = sketch(&connection, members).expect("its tables");
    let start = Instant::now();
    for commit in 0..COMMITS {
        connection.execute_batch("BEGIN IMMEDIATE").expect("begin");
        for row in 0..BATCH_MAX {
            let number = commit * BATCH_MAX + row;
            let credit = Credit {
                member: number * 7_919 % members,
                amount: 1,
                key: format!("1-{number}"),
            };
            sketch(&credit).expect("the disk accepts writes");
        }
        connection.execute_batch("COMMIT").expect("commit");
    }
    f64::from(COMMITS * BATCH_MAX) / start.elapsed().as_secs_f64()
}
