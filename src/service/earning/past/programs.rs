//! The rules of a program and what they used of their budgets, as they were.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::domain::{AssetNumber, Points, ProgramNumber, RuleStatus, RuleVersionNumber, Timestamp};
use crate::rules::{Consumed, RuleDocument, RuleSet, RuleVersion};
use crate::store::rules::ProgramAssets;
use crate::store::{self, Connection};

/// What was used of budgets, by the number of the rule and the asset.
pub(in crate::service) type Budgets = BTreeMap<(u64, Option<AssetNumber>), Consumed>;

/// A program, as its rules were.
pub(in crate::service) struct Program {
    pub(in crate::service) uuid: Uuid,
    assets: ProgramAssets,
    /// The newest version of each rule.
    newest: BTreeMap<u64, (RuleVersion, RuleDocument)>,
    /// Those in force, compiled when they are first used after a change.
    active: Option<RuleSet>,
    pub(in crate::service) budgets: Budgets,
    /// The rules of which it is not known what they used of their budgets.
    pub(in crate::service) unsure: BTreeSet<u64>,
}

impl Program {
    pub(super) fn of(connection: &Connection, number: ProgramNumber) -> Result<Self, store::Error> {
        Ok(Self {
            uuid: store::programs::get(connection, number)?.uuid,
            assets: ProgramAssets::of(connection, number)?,
            newest: BTreeMap::new(),
            active: None,
            budgets: Budgets::new(),
            unsure: BTreeSet::new(),
        })
    }

    /// The numbers of all rules.
    pub(in crate::service) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.newest.keys().copied()
    }

    /// The rules in force.
    pub(in crate::service) fn rules(&mut self) -> Result<&RuleSet, store::Error> {
        let active = if let Some(active) = self.active.take() {
            active
        } else {
            let newest = self.newest.values();
            let active = newest.filter(|(_, it)| it.status == RuleStatus::Active);
            let rules = active.map(|(version, it)| self.assets.compile(*version, it));
            RuleSet::new(rules.collect::<Result<_, _>>()?)
        };
        Ok(self.active.insert(active))
    }

    /// Puts a version of a rule in force. What was used of budgets is carried over to those of the
    /// same assets.
    pub(super) fn changed(
        &mut self,
        version: RuleVersion,
        document: RuleDocument,
        at: Timestamp,
    ) -> Result<(), store::Error> {
        self.active = None;
        let former = self.newest.get(&version.rule);
        if let Some((old, before)) = former.filter(|(_, it)| it.draft != document.draft) {
            let old = self.assets.compile(*old, before)?;
            let new = self.assets.compile(version, &document)?;
            let stored = std::mem::take(&mut self.budgets);
            let (own, others) = stored
                .into_iter()
                .partition(|((it, _), _)| *it == version.rule);
            let own: Budgets = own;
            self.budgets = others;
            for budget in new.budgets() {
                let key = (version.rule, budget.asset.asset);
                let mut olds = old.budgets().iter();
                let former = olds.find(|it| it.asset.asset == budget.asset.asset);
                if let Some((former, used)) = former.zip(own.get(&key)) {
                    let kept = budget.replacing(former, Some(*used), at);
                    self.budgets.insert(key, kept);
                }
            }
        }
        self.newest.insert(version.rule, (version, document));
        Ok(())
    }

    /// Sets what the rule with a version used of its budget of an asset to zero.
    pub(super) fn reset(
        &mut self,
        version: RuleVersionNumber,
        asset: Option<AssetNumber>,
        at: Timestamp,
    ) -> Result<(), store::Error> {
        let mut newest = self.newest.values();
        let version = version.0.unsigned_abs();
        let Some((version, document)) = newest.find(|(it, _)| it.version == version) else {
            return Ok(());
        };
        let rule = self.assets.compile(*version, document)?;
        let mut budgets = rule.budgets().iter();
        if let Some(budget) = budgets.find(|it| it.asset.asset == asset) {
            let used = Consumed {
                points: Points::ZERO,
                next_reset_at: budget.schedule.after(at),
            };
            self.budgets.insert((version.rule, asset), used);
            if rule.budgets().len() == 1 {
                self.unsure.remove(&version.rule);
            }
        }
        Ok(())
    }

    /// Takes in a credit of a rule of which only the points are known.
    pub(in crate::service) fn credited(
        &mut self,
        version: RuleVersionNumber,
        asset: Option<AssetNumber>,
        (points, at): (Points, Timestamp),
    ) -> Result<(), store::Error> {
        let version = version.0.unsigned_abs();
        let rules = self.rules()?.rules().iter();
        let mut budgets = rules
            .filter(|it| it.version().version == version)
            .flat_map(|rule| {
                let budgets = rule.budgets().iter();
                budgets.map(|budget| (rule.version().rule, *budget))
            });
        let Some((rule, budget)) = budgets.find(|(_, it)| it.asset.asset == asset) else {
            return Ok(());
        };
        drop(budgets);
        let key = (rule, asset);
        let used = budget.with(self.budgets.get(&key).copied(), at, points);
        match used {
            Some(used) => _ = self.budgets.insert(key, used),
            None => _ = self.unsure.insert(rule),
        }
        Ok(())
    }

    /// Takes in that it is not known what a version of a rule used of its budgets.
    pub(in crate::service) fn doubt(
        &mut self,
        version: RuleVersionNumber,
    ) -> Result<(), store::Error> {
        let version = version.0.unsigned_abs();
        let rules = self.rules()?.rules().iter();
        let mut rules = rules.filter(|it| it.version().version == version);
        let rule = rules.find(|it| !it.budgets().is_empty());
        if let Some(rule) = rule.map(|it| it.version().rule) {
            self.unsure.insert(rule);
        }
        Ok(())
    }
}
