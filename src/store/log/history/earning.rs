//! Earning rules: their events, and their rows.

use rusqlite::Row;

use super::History;
use super::compare::{BUDGETS, Compared, RULES};
use crate::domain::{DerivedIds, DerivedKind, Event};
use crate::store::Error;
use crate::store::tables::columns::column;

impl History<'_> {
    /// Applies an event of a rule.
    pub(super) fn rule(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        event: &Event,
    ) -> Result<(), Error> {
        let found = self
            .rules
            .apply(self.connection, (seq, at, program), event)?;
        self.findings.extend(found);
        Ok(())
    }

    /// The columns of a rule that may differ from the log and from its newest version.
    pub(super) fn compare_rule(&mut self, id: i64, row: &Row<'_>) -> Compared<8> {
        let Some(logged) = self.rules.get(id) else {
            return Ok(None);
        };
        let number = |column: usize| row.get::<_, Option<i64>>(column);
        let name: String = row.get(column!(RULES, "name"))?;
        let status: String = row.get(column!(RULES, "status"))?;
        let document = &logged.document;
        let order = i64::from(document.draft.order);
        Ok(Some([
            (
                "program_id",
                number(column!(RULES, "program_id"))? != logged.program,
            ),
            ("name", name != document.name.as_str()),
            ("status", status != document.status.as_str()),
            (
                "position",
                number(column!(RULES, "position"))? != Some(order),
            ),
            (
                "newest",
                number(column!(RULES, "newest"))? != Some(logged.version.0),
            ),
            (
                "created_at",
                number(column!(RULES, "created_at"))? != Some(logged.created_at),
            ),
            (
                "updated_at",
                number(column!(RULES, "updated_at"))? != Some(logged.updated_at),
            ),
            (
                "archived_at",
                number(column!(RULES, "archived_at"))? != logged.archived_at,
            ),
        ]))
    }

    /// A budget is one of the newest version of its rule.
    pub(super) fn compare_budget(&mut self, _: i64, row: &Row<'_>) -> Compared<1> {
        let rule: i64 = row.get(column!(BUDGETS, "rule_id"))?;
        let Some(logged) = self.rules.get(rule) else {
            return Ok(None);
        };
        let asset: Option<i64> = row.get(column!(BUDGETS, "asset_id"))?;
        let uuid = uuid::Uuid::from_bytes(row.get(column!(BUDGETS, "p.uuid"))?);
        let ids = DerivedIds::new(uuid, DerivedKind::Asset);
        let id = ids.id(asset.unwrap_or(0), 0).to_string();
        let budgets = &logged.document.draft.budgets;
        let is_one = budgets.iter().any(|budget| budget.asset_id == id);
        Ok(Some([("asset_id", !is_one)]))
    }
}
