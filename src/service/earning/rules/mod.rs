//! Earning rules: what is read of them. Changes and simulations are in files of their own.

mod drafts;
mod simulate;
mod writes;

use uuid::Uuid;

use crate::domain::{DerivedIds, DerivedKind, Refusal, RuleNumber, RuleVersionNumber, Timestamp};
use crate::rules::{Expression, Rule};
use crate::service::earning::scope::{Keys, check_program_text};
use crate::service::loyalty::sandbox;
use crate::service::{KeyPrincipal, ServiceError, Services, page};
use crate::store::rules::{ProgramAssets, RuleFilter, RuleRow, VersionFilter, VersionRow};
use crate::store::{self, Connection};
use crate::wire::{
    BudgetUse, ListKind, PageQuery, RuleListResponse, RuleResponse, RuleTimes,
    RuleVersionListResponse, RuleVersionResponse, ValidateRuleRequest, ValidatedRuleResponse,
};

impl Services {
    /// A page of the rules of the key's program.
    ///
    /// # Errors
    /// `forbidden` for another program; [`ServiceError`] if the database fails.
    pub async fn list_rules(
        &self,
        key: KeyPrincipal,
        program: Option<String>,
        mut filter: RuleFilter,
        page: PageQuery,
    ) -> Result<RuleListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        if let Some(program) = program {
            check_program_text(uuid, &program)?;
        }
        filter.after = page.cursor.map(|cursor| RuleNumber(cursor.0));
        let clock = self.clock.clone();
        self.read(key, move |connection| {
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let now = sandbox::now(connection, &clock, key.program)?;
            let mut rules = store::rules::list(connection, key.program, &filter, page.limit + 1)?;
            let owner = (ListKind::Rules, key.program.0);
            let next = page::next_cursor(&mut rules, page, owner, |last| last.number.0);
            let shown = Shown::of(connection, key, uuid)?;
            let rules = rules.iter().map(|rule| shown.rule(connection, rule, now));
            Ok(RuleListResponse {
                data: rules.collect::<Result<_, _>>()?,
                pagination: next.into(),
            })
        })
        .await
    }

    /// A rule with the use of its budgets.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such rule.
    pub async fn get_rule(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<RuleResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        let clock = self.clock.clone();
        self.look_up(key, move |connection| {
            let snapshot = store::audit::begin_snapshot(connection)?;
            let connection: &Connection = &snapshot;
            let now = sandbox::now(connection, &clock, key.program)?;
            let rule = find(connection, &key, &id)?;
            Ok(Shown::of(connection, key, uuid)?.rule(connection, &rule, now)?)
        })
        .await
    }

    /// A page of the versions of a rule, the newest first.
    ///
    /// # Errors
    /// `not_found` if the key's program has no such rule.
    pub async fn get_rule_history(
        &self,
        key: KeyPrincipal,
        id: String,
        mut filter: VersionFilter,
        page: PageQuery,
    ) -> Result<RuleVersionListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        filter.before = page.cursor.map(|cursor| RuleVersionNumber(cursor.0));
        self.read(key, move |connection| {
            let rule = find(connection, &key, &id)?;
            let mut versions =
                store::rules::versions(connection, rule.number, &filter, page.limit + 1)?;
            let owner = (ListKind::RuleHistory, key.program.0);
            let next = page::next_cursor(&mut versions, page, owner, |last| last.number.0);
            let mut keys = Keys::new(connection);
            let ids = (uuid, rule.uuid);
            let versions = versions.iter().map(|row| version(&mut keys, ids, row));
            Ok(RuleVersionListResponse {
                data: versions.collect::<Result<_, _>>()?,
                pagination: next.into(),
            })
        })
        .await
    }

    /// Whether a text can be the condition of a rule.
    pub fn validate_rule(&self, request: &ValidateRuleRequest) -> ValidatedRuleResponse {
        ValidatedRuleResponse::new(Expression::condition(&request.condition).err())
    }
}

/// The id of a version of a rule, which its history and evaluations show.
pub(in crate::service) fn version_id(program: Uuid, version: RuleVersionNumber) -> Uuid {
    DerivedIds::new(program, DerivedKind::RuleVersion).id(version.0, 0)
}

fn version(
    keys: &mut Keys<'_>,
    (program, rule): (Uuid, Uuid),
    row: &VersionRow,
) -> Result<RuleVersionResponse, store::Error> {
    Ok(RuleVersionResponse::new(
        (program, rule, version_id(program, row.number)),
        row.change,
        (row.before.as_ref(), &row.document),
        (row.at, keys.id(row.actor)?),
    ))
}

/// The rule with an id.
fn find(connection: &Connection, key: &KeyPrincipal, id: &str) -> Result<RuleRow, ServiceError> {
    let not_found = || Refusal::NotFound("rule");
    let uuid = Uuid::try_parse(id).map_err(|_| not_found())?;
    let rule = store::rules::find(connection, key.program, uuid)?;
    Ok(rule.ok_or_else(not_found)?)
}

/// What the rules of a program are shown with.
struct Shown {
    program: Uuid,
    assets: ProgramAssets,
}

impl Shown {
    fn of(connection: &Connection, key: KeyPrincipal, program: Uuid) -> Result<Self, store::Error> {
        let assets = ProgramAssets::of(connection, key.program)?;
        Ok(Self { program, assets })
    }

    /// A rule at a time, with the use of its budgets.
    fn rule(
        &self,
        connection: &Connection,
        rule: &RuleRow,
        now: Timestamp,
    ) -> Result<RuleResponse, store::Error> {
        let times = RuleTimes {
            created_at: rule.created_at,
            updated_at: rule.updated_at,
            archived_at: rule.archived_at,
        };
        let used = self.used(connection, rule, now)?;
        let ids = (self.program, rule.uuid);
        Ok(RuleResponse::new(
            ids,
            &rule.document,
            &used,
            (times, rule.seq),
        ))
    }

    /// What a rule used of each of its budgets.
    fn used(
        &self,
        connection: &Connection,
        rule: &RuleRow,
        now: Timestamp,
    ) -> Result<Vec<BudgetUse>, store::Error> {
        if rule.document.draft.budgets.is_empty() {
            return Ok(Vec::new());
        }
        let stored = store::rules::budgets_of(connection, rule.number)?;
        let compiled = self.compiled(rule)?;
        let budgets = compiled.budgets().iter().map(|budget| {
            let stored = stored.get(&(rule.number.0.unsigned_abs(), budget.asset.asset));
            BudgetUse {
                consumed: budget.consumed_at(stored.copied(), now),
                scale: budget.asset.scale,
            }
        });
        Ok(budgets.collect())
    }

    fn compiled(&self, rule: &RuleRow) -> Result<Rule, store::Error> {
        let version = store::rules::version_of(rule.number, rule.version);
        self.assets.compile(version, &rule.document)
    }
}
