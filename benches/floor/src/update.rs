//! The updating sketch: a credit updates the row of its member, appends a ledger row and inserts
//! its key into an index. It is for keys that are not repeated.

use rusqlite::{Connection, Result};

use crate::credits::Credit;

pub(crate) fn create(connection: &Connection, members: u32) -> Result<()> {
    connection.execute_batch(
        "CREATE TABLE member (id INTEGER PRIMARY KEY, balance INTEGER NOT NULL);
         CREATE TABLE ledger (seq INTEGER PRIMARY KEY, member INTEGER, amount INTEGER);
         CREATE TABLE answer (key TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;",
    )?;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?1)
        INSERT INTO member SELECT i, 0 FROM n";
    connection.execute(fill, [members]).map(|_| ())
}

pub(crate) fn sketch(
    connection: &Connection,
) -> Result<impl FnMut(&Credit) -> Result<Option<i64>>> {
    let mut update = connection
        .prepare("UPDATE member SET balance = balance + ?2 WHERE id = ?1 RETURNING balance")?;
    let mut ledger = connection.prepare("INSERT INTO ledger (member, amount) VALUES (?1, ?2)")?;
    let mut answer =
        connection.prepare("INSERT INTO answer (key, body) VALUES (?1, zeroblob(80))")?;
    Ok(move |credit: &Credit| {
        let (member, amount) = (credit.member, credit.amount);
        let balance = update.query_map((member, amount), |row| row.get(0))?.next();
        let Some(balance) = balance.transpose()? else {
            return Ok(None);
        };
        ledger.execute((member, amount))?;
        answer.execute([&credit.key])?;
        Ok(Some(balance))
    })
}
