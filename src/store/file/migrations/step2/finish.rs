//! The changes of rows after all tables were moved.

use rusqlite::{Connection, TransactionBehavior};

use super::plan::STEP_ROWS;
use super::tables;
use crate::domain::{MemberNumber, Seq};
use crate::store::file::open_error::MigrationError;
use crate::store::tables::conversations::WAITS_SINCE;
use crate::store::whole::erasure;

/// The start of the ids that version 1 gave to erased members; 32 digits follow.
const ERASED: &str = "erased_";

/// Erases the personal data that version 1 left of erased members: the reasons of their points and
/// the notes of their cancellations.
pub(super) fn erase_again(connection: &mut Connection) -> Result<(), MigrationError> {
    let pattern = ERASED.to_owned() + &"[0-9a-f]".repeat(32);
    let sql = "SELECT id, (SELECT max(seq) FROM activity WHERE member_id = member.id AND entry > 0)
               FROM member
               WHERE archived_at IS NOT NULL AND external_user_id GLOB ?1
                   AND display_name IS NULL AND email IS NULL AND attributes IS NULL";
    let mut members: Vec<(i64, Option<i64>)> = Vec::new();
    for member in connection
        .prepare(sql)?
        .query_map([pattern], |row| row.try_into())?
    {
        members.push(member?);
    }
    for (member, last) in members {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        erasure::empty(&tx, MemberNumber(member), &[last.map(Seq)])?;
        tx.commit()?;
    }
    Ok(())
}

/// Sets the versions of offers, programs and organizations: the last activities that changed them.
/// Those of members were set when they were moved; the log of version 1 does not have changes of
/// webhooks. The present configuration of each program becomes its first version.
pub(super) fn set_versions(connection: &mut Connection) -> Result<(), MigrationError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let sql = "SELECT kind / 10, CASE WHEN kind < 50 THEN offer_id WHEN kind < 60 THEN program_id
                   ELSE organization_id END AS row, max(seq)
               FROM activity WHERE kind >= 40 GROUP BY 1, 2";
    let mut newest = tx.prepare(sql)?;
    let mut rows = newest.query([])?;
    while let Some(row) = rows.next()? {
        let (group, number, seq): (i64, Option<i64>, i64) = row.try_into()?;
        let sql = match group {
            4 => "UPDATE offer SET version = ?2 WHERE id = ?1",
            5 => "UPDATE program SET version = ?2, configuration_version = ?2 WHERE id = ?1",
            _ => "UPDATE organization SET version = ?2 WHERE id = ?1",
        };
        tx.prepare_cached(sql)?.execute((number, seq))?;
    }
    drop(rows);
    drop(newest);
    // They exist if the migration was stopped after this transaction.
    let sql = "INSERT OR IGNORE INTO configuration
                   (program_id, version, currency_name, currency_symbol, rate_per_point,
                    units_per_usd, default_tier)
               SELECT id, configuration_version, currency_name, currency_symbol, rate_per_point,
                   units_per_usd, default_tier
               FROM program";
    tx.execute(sql, [])?;
    tx.commit()?;
    Ok(())
}

/// Drops the sums over the wallets of a program and the head of its chain, which follow from the
/// log, and adds the view of the wallets.
pub(super) fn drop_sums(connection: &mut Connection) -> Result<(), MigrationError> {
    let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for column in ["amount_received", "amount_spent", "chain"] {
        if tx.column_exists(None, "program", column)? {
            tx.execute_batch(&format!("ALTER TABLE program DROP COLUMN {column}"))?;
        }
    }
    tx.execute_batch("DROP VIEW IF EXISTS wallet")?;
    tx.execute_batch(&tables::definitions("wallet")?.join(";"))?;
    tx.commit()?;
    Ok(())
}

/// Sets the time since which members wait for an answer, in a limited number of conversations at a
/// time.
pub(super) fn set_waiting(connection: &mut Connection) -> Result<(), MigrationError> {
    let sql = format!(
        "UPDATE conversation SET waiting_since = {WAITS_SINCE}
         WHERE id > ?1 AND id <= ?2 AND last_role = 'member'
             AND (SELECT archived_at FROM member WHERE id = member_id) IS NULL"
    );
    let last = "SELECT coalesce(max(id), 0) FROM conversation";
    let last: i64 = connection.query_row(last, [], |row| row.get(0))?;
    let mut after = 0;
    while after < last {
        let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        tx.execute(&sql, [after, after + STEP_ROWS])?;
        tx.commit()?;
        after += STEP_ROWS;
    }
    Ok(())
}
