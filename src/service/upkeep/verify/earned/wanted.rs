//! The rows of the log that effects have.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use crate::domain::{
    AssetNumber, BalanceOperation, Bucket, CounterValue, MemberNumber, Points, ProgramNumber,
    ReferenceId, RuleVersionNumber, StateKind, StateOperation, Timestamp,
};
use crate::rules::{Caused, Data, Effect, Number, Traits, counted};
use crate::service::earning::past::Past;
use crate::store;

/// A row, or some rows of points that belong together, which a rule causes.
pub(super) struct Wanted {
    pub(super) version: RuleVersionNumber,
    /// `None` if the participant is not known any more.
    pub(super) member: Option<MemberNumber>,
    pub(super) what: What,
}

pub(super) enum What {
    Points(Move),
    State(Change),
    /// Changes of the state of somebody who is not known. Those of its version are not checked.
    Unknown,
}

/// A movement of points.
pub(super) struct Move {
    pub(super) act: Act,
    pub(super) asset: Option<AssetNumber>,
    /// `None`: all there were.
    pub(super) amount: Option<Points>,
    pub(super) reference: Option<ReferenceId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Credit(Bucket),
    /// A credit with a reference, which settles what was credited as held.
    Settle,
    Debit,
    Operate(BalanceOperation),
}

/// A change of a tag, a counter or an attribute.
pub(super) struct Change {
    pub(super) kind: StateKind,
    pub(super) operation: StateOperation,
    pub(super) key: Box<str>,
    /// The text of a counter, or of an attribute.
    pub(super) new: Option<String>,
    pub(super) reset_after: Option<i64>,
}

/// What effects of an event at a time have to be followed by. Of erased members no changes of state
/// are known.
pub(super) fn wanted(
    past: &mut Past<'_>,
    program: ProgramNumber,
    (at, own): (Timestamp, Option<MemberNumber>),
    effects: &[Caused],
    erased: &HashSet<MemberNumber>,
) -> Result<Vec<Wanted>, store::Error> {
    let mut states: BTreeMap<i64, Traits> = BTreeMap::new();
    let mut all = Vec::new();
    for caused in effects {
        let number = i64::try_from(caused.rule.version).unwrap_or(i64::MAX);
        let version = RuleVersionNumber(number);
        let member = past.member_of(program, own, &caused.recipient)?;
        let of = |what| Wanted {
            version,
            member,
            what,
        };
        if let Some(moved) = move_of(&caused.effect) {
            all.push(of(What::Points(moved)));
            continue;
        }
        let Some(known) = member.filter(|member| !erased.contains(member)) else {
            all.push(of(What::Unknown));
            continue;
        };
        let traits = match states.entry(known.0) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(past.traits(program, known)?.clone()),
        };
        let changes = changes(traits, at, &caused.effect).into_iter();
        all.extend(changes.map(|change| of(What::State(change))));
    }
    Ok(all)
}

fn move_of(effect: &Effect) -> Option<Move> {
    Some(match effect {
        Effect::Credit {
            asset,
            amount,
            bucket,
            reference,
            ..
        } => Move {
            act: match reference {
                Some(_) if *bucket == Bucket::Available => Act::Settle,
                _ => Act::Credit(*bucket),
            },
            asset: *asset,
            amount: Some(*amount),
            reference: reference.clone(),
        },
        Effect::Debit { asset, amount, .. } => Move {
            act: Act::Debit,
            asset: *asset,
            amount: Some(*amount),
            reference: None,
        },
        Effect::Operation {
            operation,
            asset,
            amount,
            reference,
            ..
        } => Move {
            act: Act::Operate(*operation),
            asset: *asset,
            amount: amount.filter(|_| *operation != BalanceOperation::VoidHold),
            reference: reference.clone(),
        },
        _ => return None,
    })
}

/// The changes that an effect makes, which are made in `traits`.
fn changes(traits: &mut Traits, at: Timestamp, effect: &Effect) -> Vec<Change> {
    let change = |kind, operation, key: &str, new| Change {
        kind,
        operation,
        key: key.into(),
        new,
        reset_after: None,
    };
    match effect {
        Effect::Tag(tag) if traits.add_tag(tag) => {
            let tag = tag.to_lowercase();
            vec![change(StateKind::Tag, StateOperation::Add, &tag, None)]
        }
        Effect::Untag(tag) if traits.remove_tag(tag) => {
            let tag = tag.to_lowercase();
            vec![change(StateKind::Tag, StateOperation::Remove, &tag, None)]
        }
        Effect::SetAttribute { key, value } => {
            let after = Data::Text(value.clone());
            let before = traits.attributes.insert(key.clone(), after.clone());
            if before.as_ref() == Some(&after) {
                return Vec::new();
            }
            let new = Some(value.to_string());
            vec![change(StateKind::Attribute, StateOperation::Set, key, new)]
        }
        Effect::Count {
            key,
            increment,
            reset_after,
        } => count(traits, at, key, (*increment, *reset_after)),
        _ => Vec::new(),
    }
}

/// The changes of a counter: it is reset before if its time is over.
fn count(
    traits: &mut Traits,
    at: Timestamp,
    key: &str,
    (increment, reset_after): (Number, Option<Duration>),
) -> Vec<Change> {
    let mut changes = Vec::new();
    let change = |operation, counter: &crate::rules::Counter| Change {
        kind: StateKind::Counter,
        operation,
        key: key.into(),
        new: Some(CounterValue::of(counter.value).to_string()),
        reset_after: counter
            .reset_after
            .map(|after| i64::try_from(after.as_millis()).unwrap_or(i64::MAX)),
    };
    let mut before = traits.counters.get(key).copied();
    if let Some(counter) = before.as_mut().filter(|counter| counter.is_over(at)) {
        counter.value = Number::ZERO;
        counter.last_reset_at = at;
        changes.push(change(StateOperation::AutoReset, counter));
    }
    if let Some(after) = counted(before, increment, reset_after, at) {
        if before != Some(after) {
            changes.push(change(StateOperation::Add, &after));
        }
        traits.counters.insert(key.into(), after);
    }
    changes
}
