//! What rules used of their budgets.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row};

use super::CompiledRules;
use crate::domain::{AssetNumber, ProgramNumber, RuleNumber, Timestamp};
use crate::rules::Consumed;
use crate::store::tables::columns::{column, optional_time, points};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// What was used of budgets, by the number of the rule and the asset.
type Budgets = BTreeMap<(u64, Option<AssetNumber>), Consumed>;

const SELECT: &str = "SELECT b.rule_id, b.asset_id, b.consumed, b.next_reset_at FROM rule_budget b";

/// What the active rules of a program used of their budgets, as it is stored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn budgets(
    connection: &Connection,
    program: ProgramNumber,
    rules: &CompiledRules,
) -> Result<Budgets, Error> {
    if !rules.have_budgets() {
        return Ok(Budgets::new());
    }
    let sql = format!(
        "{SELECT} JOIN rule r ON r.id = b.rule_id WHERE r.program_id = ?1
            AND r.archived_at IS NULL AND r.status = 'ACTIVE'"
    );
    let rows = query::all(connection, &sql, [program.0], budget)?;
    Ok(rows.into_iter().collect())
}

/// What a rule used of its budgets, as it is stored.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn budgets_of(connection: &Connection, rule: RuleNumber) -> Result<Budgets, Error> {
    let sql = format!("{SELECT} WHERE b.rule_id = ?1");
    let rows = query::all(connection, &sql, [rule.0], budget)?;
    Ok(rows.into_iter().collect())
}

/// Stores what rules used of their budgets.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn save_budgets(tx: &Transaction<'_>, budgets: &Budgets) -> Result<(), Error> {
    let sql = "INSERT INTO rule_budget (rule_id, asset_id, consumed, next_reset_at)
               VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (rule_id, ifnull(asset_id, 0)) DO UPDATE
                   SET consumed = ?3, next_reset_at = ?4";
    for ((rule, asset), consumed) in budgets {
        let values = (
            i64::try_from(*rule).unwrap_or(i64::MAX),
            asset.map(|asset| asset.0),
            consumed.points.get(),
            consumed.next_reset_at.map(Timestamp::as_millis),
        );
        tx.run(sql, |statement| statement.execute(values))?;
    }
    Ok(())
}

/// Forgets what a rule used of budgets that it does not have any more: those of other assets than
/// these.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn drop_budgets(
    tx: &Transaction<'_>,
    rule: RuleNumber,
    left: &[Option<AssetNumber>],
) -> Result<(), Error> {
    let sql = "DELETE FROM rule_budget WHERE rule_id = ?1 AND ifnull(asset_id, 0) = ?2";
    for (_, asset) in budgets_of(tx, rule)?.into_keys() {
        if !left.contains(&asset) {
            let asset = asset.map_or(0, |asset| asset.0);
            tx.run(sql, |statement| statement.execute((rule.0, asset)))?;
        }
    }
    Ok(())
}

fn budget(row: &Row<'_>) -> Result<((u64, Option<AssetNumber>), Consumed), Error> {
    let asset: Option<i64> = row.get(column!(SELECT, "asset_id"))?;
    let rule: i64 = row.get(column!(SELECT, "rule_id"))?;
    let consumed = Consumed {
        points: points(row, column!(SELECT, "consumed"))?,
        next_reset_at: optional_time(row, column!(SELECT, "next_reset_at"))?,
    };
    Ok(((rule.unsigned_abs(), asset.map(AssetNumber)), consumed))
}
