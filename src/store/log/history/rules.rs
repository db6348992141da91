//! Earning rules and their versions, according to the log.

use std::collections::{HashMap, HashSet};

use rusqlite::Row;

use super::History;
use crate::domain::{DerivedIds, DerivedKind, Event, RuleChange, RuleStatus};
use crate::rules::RuleDocument;
use crate::store::Error;
use crate::store::tables::columns::column;

const VERSION: &str = "SELECT v.rule_id, v.number, v.seq, v.change_type, v.document, r.program_id
    FROM rule_version v JOIN rule r ON r.id = v.rule_id WHERE v.id = ?1";

pub(super) const RULES: &str = "SELECT id, program_id, name, status, position, version_id,
        created_at, updated_at, archived_at
    FROM rule ORDER BY id";

pub(super) const BUDGETS: &str = "SELECT b.id, b.rule_id, b.asset_id, p.uuid
    FROM rule_budget b JOIN rule r ON r.id = b.rule_id JOIN program p ON p.id = r.program_id
    ORDER BY b.id";

/// A rule after an event.
struct Rule {
    program: Option<i64>,
    created_at: i64,
    updated_at: i64,
    archived_at: Option<i64>,
    /// The newest version, and its place among those of the rule.
    version: (i64, i64),
    document: RuleDocument,
}

/// All rules.
#[derive(Default)]
pub(super) struct Rules {
    of: HashMap<i64, Rule>,
    versions: HashSet<i64>,
}

impl Rules {
    /// How many rules and versions there are.
    pub(super) fn counts(&self) -> [(&'static str, usize); 2] {
        [
            ("rule", self.of.len()),
            ("rule_version", self.versions.len()),
        ]
    }
}

/// The row of a version.
struct Version {
    rule: i64,
    number: i64,
    seq: i64,
    change: Option<RuleChange>,
    document: Option<RuleDocument>,
    program: i64,
}

impl History<'_> {
    /// Applies an event of a rule.
    pub(super) fn rule(
        &mut self,
        seq: i64,
        at: i64,
        program: Option<i64>,
        event: &Event,
    ) -> Result<(), Error> {
        match event {
            Event::RuleChanged { version, status } => {
                self.rule_version(version.0, *status, (seq, at, program))
            }
            Event::BudgetReset { version, .. } => {
                let mut rules = self.rules.of.values();
                let known = rules.find(|rule| rule.version.0 == version.0);
                if known.is_none_or(|rule| rule.program != program || rule.archived_at.is_some()) {
                    self.report(format!(
                        "activity {seq} resets a budget of rule version row {}, which is not the \
                         present one of a rule",
                        version.0
                    ));
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn rule_version(
        &mut self,
        id: i64,
        status: RuleStatus,
        (seq, at, program): (i64, i64, Option<i64>),
    ) -> Result<(), Error> {
        let Some(row) = self.version_row(id)? else {
            self.report(format!(
                "activity {seq} has no row in the table rule_version"
            ));
            return Ok(());
        };
        let before = self.rules.of.get(&row.rule);
        let place = before.map_or(0, |before| before.version.1) + 1;
        let old = before.map(|before| before.document.status);
        let change = match (old, status) {
            (None, _) => RuleChange::Created,
            (Some(old), new) => RuleChange::of(old, new),
        };
        let document = row.document;
        let is_open = before.is_none_or(|it| it.archived_at.is_none() && it.program == program);
        let created_at = before.map_or(at, |before| before.created_at);
        for (column, differs) in [
            ("number", row.number != place),
            ("seq", row.seq != seq),
            ("change_type", row.change != Some(change)),
            (
                "document",
                document.as_ref().is_none_or(|it| it.status != status),
            ),
            ("rule_id", Some(row.program) != program),
        ] {
            if differs {
                self.report(format!(
                    "rule_version row {id}: its {column} does not match the log"
                ));
            }
        }
        if !is_open || !self.rules.versions.insert(id) {
            let rule = row.rule;
            self.report(format!(
                "activity {seq} does not fit the earlier events of rule row {rule}"
            ));
        }
        if let Some(document) = document {
            let rule = Rule {
                program,
                created_at,
                updated_at: at,
                archived_at: (status == RuleStatus::Archived).then_some(at),
                version: (id, place),
                document,
            };
            self.rules.of.insert(row.rule, rule);
        }
        Ok(())
    }

    fn version_row(&self, id: i64) -> Result<Option<Version>, Error> {
        let mut statement = self.connection.prepare_cached(VERSION)?;
        let mut rows = statement.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let change: String = row.get(column!(VERSION, "change_type"))?;
        let document: String = row.get(column!(VERSION, "document"))?;
        Ok(Some(Version {
            rule: row.get(column!(VERSION, "rule_id"))?,
            number: row.get(column!(VERSION, "number"))?,
            seq: row.get(column!(VERSION, "seq"))?,
            change: RuleChange::parse(&change),
            document: RuleDocument::parse(&document),
            program: row.get(column!(VERSION, "program_id"))?,
        }))
    }

    /// The columns of a rule that may differ from the log and from its newest version.
    pub(super) fn compare_rule(&mut self, id: i64, row: &Row<'_>) -> super::compare::Compared<8> {
        let Some(logged) = self.rules.of.get(&id) else {
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
                "version_id",
                number(column!(RULES, "version_id"))? != Some(logged.version.0),
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
    pub(super) fn compare_budget(&mut self, _: i64, row: &Row<'_>) -> super::compare::Compared<1> {
        let rule: i64 = row.get(column!(BUDGETS, "rule_id"))?;
        let Some(logged) = self.rules.of.get(&rule) else {
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
