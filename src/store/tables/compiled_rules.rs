//! The active rules of a program, ready to be evaluated.
//!
//! **Must not know** the open transaction, which caches these.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Connection, Row};
use uuid::Uuid;

use crate::domain::{
    AssetNumber, DerivedIds, DerivedKind, Name, ProgramNumber, RuleNumber, RuleVersionNumber,
};
use crate::rules::{AssetTerms, Rule, RuleDocument, RuleSet, RuleVersion};
use crate::store::Error;
use crate::store::tables::columns::{column, uuid};
use crate::store::tables::points_rules::{mode, scale};
use crate::store::tables::query;

const ACTIVE: &str = "SELECT r.id, r.uuid, r.newest, v.document
    FROM rule r JOIN rule_version v ON v.id = r.newest
    WHERE r.program_id = ?1 AND r.archived_at IS NULL AND r.status = 'ACTIVE'";

const ASSETS: &str = "SELECT CASE WHEN symbol IS NOT NULL THEN id END AS number, scale,
        inventory_mode
    FROM asset WHERE program_id = ?1";

/// The active rules of a program.
#[derive(Debug, Default)]
pub struct CompiledRules {
    /// The rules, in their order.
    pub set: RuleSet,
    by_version: BTreeMap<RuleVersion, ActiveRule>,
}

/// An active rule, besides what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveRule {
    /// The rule.
    pub number: RuleNumber,
    /// Its newest version.
    pub version: RuleVersionNumber,
    /// Its public id.
    pub uuid: Uuid,
    /// Its name.
    pub name: Name,
}

impl CompiledRules {
    /// The rule of a version.
    pub fn rule(&self, version: RuleVersion) -> Option<&ActiveRule> {
        self.by_version.get(&version)
    }

    /// The numbers of a rule and its version.
    ///
    /// # Errors
    /// [`Error`] if no active rule has this version.
    pub fn numbers(&self, version: RuleVersion) -> Result<(RuleNumber, RuleVersionNumber), Error> {
        let rule = self.rule(version);
        let rule = rule.ok_or(Error::Impossible("version of a rule"))?;
        Ok((rule.number, rule.version))
    }

    /// Whether any rule has a budget.
    pub fn have_budgets(&self) -> bool {
        let mut rules = self.set.rules().iter();
        rules.any(|rule| !rule.budgets().is_empty())
    }
}

/// The active rules of a program, compiled.
///
/// # Errors
/// [`Error`] if the database fails, or a stored rule is none.
pub fn compiled(connection: &Connection, program: ProgramNumber) -> Result<CompiledRules, Error> {
    let rows = query::all(connection, ACTIVE, [program.0], active)?;
    if rows.is_empty() {
        return Ok(CompiledRules::default());
    }
    let assets = ProgramAssets::of(connection, program)?;
    let mut compiled = CompiledRules::default();
    let mut rules = Vec::with_capacity(rows.len());
    for (rule, document) in rows {
        let version = version_of(rule.number, rule.version);
        rules.push(assets.compile(version, &document)?);
        compiled.by_version.insert(version, rule);
    }
    compiled.set = RuleSet::new(rules);
    Ok(compiled)
}

/// A version of a rule as the evaluator names it.
pub fn version_of(rule: RuleNumber, version: RuleVersionNumber) -> RuleVersion {
    RuleVersion {
        rule: rule.0.unsigned_abs(),
        version: version.0.unsigned_abs(),
    }
}

fn active(row: &Row<'_>) -> Result<(ActiveRule, RuleDocument), Error> {
    let document = document(row, column!(ACTIVE, "document"))?;
    let rule = ActiveRule {
        number: RuleNumber(row.get(column!(ACTIVE, "r.id"))?),
        version: RuleVersionNumber(row.get(column!(ACTIVE, "newest"))?),
        uuid: uuid(row, column!(ACTIVE, "uuid"))?,
        name: document.name.clone(),
    };
    Ok((rule, document))
}

/// Reads a whole rule.
pub(super) fn document(row: &Row<'_>, column: usize) -> Result<RuleDocument, Error> {
    let document = row.get_ref(column)?.as_str().ok();
    let document = document.and_then(RuleDocument::parse);
    document.ok_or(Error::Impossible("earning rule"))
}

/// What rules know of the assets of a program.
#[derive(Debug, Clone)]
pub struct ProgramAssets {
    ids: DerivedIds,
    points: AssetTerms,
    further: HashMap<AssetNumber, AssetTerms>,
}

impl ProgramAssets {
    /// The assets of a program.
    ///
    /// # Errors
    /// [`Error`] if the database fails or there is no such program.
    pub fn of(connection: &Connection, program: ProgramNumber) -> Result<Self, Error> {
        let sql = "SELECT uuid FROM program WHERE id = ?1";
        let uuid = query::one(connection, sql, [program.0], |row| uuid(row, 0))?;
        let uuid = uuid.ok_or(Error::Impossible("number of a program"))?;
        let mut assets = Self {
            ids: DerivedIds::new(uuid, DerivedKind::Asset),
            points: AssetTerms::default(),
            further: HashMap::new(),
        };
        for terms in query::all(connection, ASSETS, [program.0], terms)? {
            match terms.asset {
                None => assets.points = terms,
                Some(number) => _ = assets.further.insert(number, terms),
            }
        }
        Ok(assets)
    }

    /// The asset with an id.
    pub fn find(&self, id: &str) -> Option<AssetTerms> {
        match self.ids.numbers(Uuid::try_parse(id).ok()?)? {
            (0, 0) => Some(self.points),
            (number, 0) => self.further.get(&AssetNumber(number)).copied(),
            _ => None,
        }
    }

    /// The id of an asset; `None`: the program's points.
    pub fn id(&self, asset: Option<AssetNumber>) -> Uuid {
        self.ids.id(asset.map_or(0, |asset| asset.0), 0)
    }

    /// Compiles a rule that was checked when it was written.
    ///
    /// # Errors
    /// [`Error`] if it is none.
    pub fn compile(&self, version: RuleVersion, document: &RuleDocument) -> Result<Rule, Error> {
        let rule = Rule::compile(version, &document.draft, &|id| self.find(id));
        rule.map_err(|_| Error::Impossible("earning rule"))
    }
}

fn terms(row: &Row<'_>) -> Result<AssetTerms, Error> {
    let number: Option<i64> = row.get(column!(ASSETS, "number"))?;
    Ok(AssetTerms {
        asset: number.map(AssetNumber),
        scale: scale(row, column!(ASSETS, "scale"))?,
        mode: mode(row, column!(ASSETS, "inventory_mode"))?,
    })
}
