//! Earning rules and their versions, according to the log.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use crate::domain::{Event, RuleChange, RuleStatus};
use crate::rules::RuleDocument;
use crate::store::Error;
use crate::store::tables::columns::column;

const VERSION: &str = "SELECT v.rule_id, v.number, v.seq, v.change_type, v.document, r.program_id
    FROM rule_version v JOIN rule r ON r.id = v.rule_id WHERE v.id = ?1";

/// A rule after an event.
pub(super) struct Rule {
    pub(super) program: Option<i64>,
    pub(super) created_at: i64,
    pub(super) updated_at: i64,
    pub(super) archived_at: Option<i64>,
    /// The newest version, and its place among those of the rule.
    pub(super) version: (i64, i64),
    pub(super) document: RuleDocument,
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

    /// A rule.
    pub(super) fn get(&self, rule: i64) -> Option<&Rule> {
        self.of.get(&rule)
    }

    /// Applies an event of a rule. Returns findings.
    pub(super) fn apply(
        &mut self,
        connection: &Connection,
        (seq, at, program): (i64, i64, Option<i64>),
        event: &Event,
    ) -> Result<Vec<String>, Error> {
        match event {
            Event::RuleChanged { version, status } => {
                self.change(connection, version.0, *status, (seq, at, program))
            }
            Event::BudgetReset { version, .. } => {
                let mut rules = self.of.values();
                let known = rules.find(|rule| rule.version.0 == version.0);
                let fits =
                    known.is_some_and(|it| it.program == program && it.archived_at.is_none());
                let finding = format!(
                    "activity {seq} resets a budget of rule version row {}, which is not the \
                     present one of a rule",
                    version.0
                );
                Ok((!fits).then_some(finding).into_iter().collect())
            }
            _ => Ok(Vec::new()),
        }
    }

    fn change(
        &mut self,
        connection: &Connection,
        id: i64,
        status: RuleStatus,
        (seq, at, program): (i64, i64, Option<i64>),
    ) -> Result<Vec<String>, Error> {
        let Some(row) = version_row(connection, id)? else {
            let finding = format!("activity {seq} has no row in the table rule_version");
            return Ok(vec![finding]);
        };
        let before = self.of.get(&row.rule);
        let place = before.map_or(0, |before| before.version.1) + 1;
        let change = before.map_or(RuleChange::Created, |before| {
            RuleChange::of(before.document.status, status)
        });
        let is_open = before.is_none_or(|it| it.archived_at.is_none() && it.program == program);
        let created_at = before.map_or(at, |before| before.created_at);
        let is_same = |document: &RuleDocument| document.status == status;
        let columns = [
            ("number", row.number != place),
            ("seq", row.seq != seq),
            ("change_type", row.change != Some(change)),
            ("document", !row.document.as_ref().is_some_and(is_same)),
            ("rule_id", Some(row.program) != program),
        ];
        let differing = columns.into_iter().filter(|(_, differs)| *differs);
        let finding =
            |column| format!("rule_version row {id}: its {column} does not match the log");
        let mut findings: Vec<String> = differing.map(|(column, _)| finding(column)).collect();
        if !is_open || !self.versions.insert(id) {
            let rule = row.rule;
            findings.push(format!(
                "activity {seq} does not fit the earlier events of rule row {rule}"
            ));
        }
        if let Some(document) = row.document {
            let rule = Rule {
                program,
                created_at,
                updated_at: at,
                archived_at: (status == RuleStatus::Archived).then_some(at),
                version: (id, place),
                document,
            };
            self.of.insert(row.rule, rule);
        }
        Ok(findings)
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

fn version_row(connection: &Connection, id: i64) -> Result<Option<Version>, Error> {
    let mut statement = connection.prepare_cached(VERSION)?;
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
