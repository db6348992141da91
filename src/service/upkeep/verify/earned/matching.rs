//! The comparison of the rows that an event caused with those that it had to cause.

use std::collections::HashSet;

use super::wanted::{Act, Change, Move, Wanted, What};
use crate::domain::{
    Activity, Attributes, BalanceOperation, Bucket, Cause, Entry, Event, LedgerEntry, MemberNumber,
    Points, RuleVersionNumber, Seq, StateChange, StateKind,
};

type Rows<'a> = &'a [(Cause, Activity)];

/// How the next rows fit what is wanted.
enum Fit {
    /// This many of them are it.
    Same(usize),
    /// This many of them are it, but with this many points.
    Other(usize, i64),
    No,
}

/// The differences, a sentence each.
pub(super) fn compare(
    event: Seq,
    wanted: &[Wanted],
    rows: Rows<'_>,
    erased: &HashSet<MemberNumber>,
) -> Vec<String> {
    let mut findings = Vec::new();
    let unknown = wanted.iter().filter(|it| matches!(it.what, What::Unknown));
    let unknown: Vec<RuleVersionNumber> = unknown.map(|it| it.version).collect();
    let is_checked = |it: &&Wanted| match it.what {
        What::Points(_) => true,
        What::State(_) => !unknown.contains(&it.version),
        What::Unknown => false,
    };
    let is_known = |(cause, row): &&(Cause, Activity)| match &row.event {
        Event::StateChanged(change) => change.key.is_some() && !unknown.contains(&cause.version),
        _ => true,
    };
    let known: Vec<(Cause, Activity)> = rows.iter().filter(is_known).cloned().collect();
    let checked: Vec<&Wanted> = wanted.iter().filter(is_checked).collect();
    let (mut wanted, mut rows) = (&checked[..], &known[..]);
    while let Some((first, rest)) = wanted.split_first() {
        match fit(first, rows, erased) {
            Fit::Same(count) => (wanted, rows) = (rest, &rows[count..]),
            Fit::Other(count, points) => {
                findings.push(format!(
                    "ledger entry {}: its rule earned {} for event {}, but it has {points}",
                    rows[0].1.seq.0,
                    describe(first),
                    event.0
                ));
                (wanted, rows) = (rest, &rows[count..]);
            }
            Fit::No => {
                let is_later = |it: &&Wanted| !matches!(fit(it, rows, erased), Fit::No);
                match rows.split_first() {
                    Some((row, others)) if !rest.iter().any(is_later) => {
                        findings.push(unearned(event, &row.1));
                        rows = others;
                    }
                    _ => {
                        findings.push(format!(
                            "activity {}: {} by rule version row {} is missing after it",
                            event.0,
                            describe(first),
                            first.version.0
                        ));
                        wanted = rest;
                    }
                }
            }
        }
    }
    findings.extend(rows.iter().map(|(_, row)| unearned(event, row)));
    findings
}

fn unearned(event: Seq, row: &Activity) -> String {
    let what = row
        .event
        .ledger_entry()
        .map_or("activity", |_| "ledger entry");
    format!(
        "{what} {}: no rule earned it for event {}",
        row.seq.0, event.0
    )
}

fn fit(wanted: &Wanted, rows: Rows<'_>, erased: &HashSet<MemberNumber>) -> Fit {
    let is_of = |cause: &Cause, member: MemberNumber| {
        let is_unknown = wanted.member.is_none() || erased.contains(&member);
        cause.version == wanted.version && (wanted.member == Some(member) || is_unknown)
    };
    match &wanted.what {
        What::Unknown => Fit::No,
        What::State(change) => match rows.first() {
            Some((cause, row)) => match &row.event {
                Event::StateChanged(stored)
                    if is_of(cause, stored.member) && is_change(change, stored) =>
                {
                    Fit::Same(1)
                }
                _ => Fit::No,
            },
            None => Fit::No,
        },
        What::Points(moved) => {
            let entries = rows.iter().map_while(|(cause, row)| {
                let entry = row.event.ledger_entry()?;
                let is_own = is_of(cause, entry.member) && entry.asset == moved.asset;
                is_own.then_some(entry)
            });
            points(moved, &entries.take(3).collect::<Vec<_>>())
        }
    }
}

fn is_change(wanted: &Change, stored: &StateChange) -> bool {
    let text = stored.new.as_deref();
    let is_new = match wanted.kind {
        StateKind::Attribute => text.map(Attributes::text_of) == wanted.new,
        _ => text == wanted.new.as_deref(),
    };
    let is_kind = (stored.kind, stored.operation) == (wanted.kind, wanted.operation);
    is_kind
        && is_new
        && stored.key.as_deref() == Some(&*wanted.key)
        && stored.reset_after == wanted.reset_after
}

/// How the next entries of an account fit a movement of points.
fn points(wanted: &Move, entries: &[&LedgerEntry]) -> Fit {
    let has_reference = |entry: &LedgerEntry| {
        let buckets = entry.buckets.as_ref();
        buckets.and_then(|it| it.reference.as_ref()) == wanted.reference.as_ref()
    };
    let (mut count, mut sum) = (0, 0);
    let take = |count: &mut usize, kind: Entry| {
        let next = entries.get(*count);
        let next = next.filter(|it| it.entry == kind && has_reference(it))?;
        *count += 1;
        Some(next.amount.get())
    };
    let amount = wanted.amount.map(Points::get);
    let is_short = |sum: i64| amount.is_none_or(|amount| sum < amount);
    match wanted.act {
        Act::Credit(bucket) => {
            let held = entries.first().and_then(|it| it.buckets.as_ref());
            let is_held = held.is_some_and(|it| it.held > 0);
            if is_held == (bucket == Bucket::Held) {
                sum += take(&mut count, Entry::Mint).unwrap_or(0);
            }
        }
        Act::Settle => {
            let matured = take(&mut count, Entry::Mature);
            sum += matured.unwrap_or(0);
            if amount.is_some_and(|amount| sum >= amount) {
                take(&mut count, Entry::Void);
            }
            if is_short(sum) {
                sum += take(&mut count, Entry::Mint).unwrap_or(0);
            }
        }
        Act::Debit => sum += take(&mut count, Entry::Debit).unwrap_or(0),
        Act::Operate(BalanceOperation::Hold) => {
            sum += take(&mut count, Entry::Hold).unwrap_or(0);
        }
        Act::Operate(BalanceOperation::Release) => {
            sum += take(&mut count, Entry::Release).unwrap_or(0);
            if is_short(sum) {
                sum += take(&mut count, Entry::Mature).unwrap_or(0);
            }
        }
        Act::Operate(BalanceOperation::Forfeit) => {
            sum += take(&mut count, Entry::Forfeit).unwrap_or(0);
        }
        Act::Operate(BalanceOperation::VoidHold) => {
            sum += take(&mut count, Entry::Void).unwrap_or(0);
        }
    }
    match amount {
        _ if count == 0 => Fit::No,
        Some(amount) if amount != sum => Fit::Other(count, sum),
        _ => Fit::Same(count),
    }
}

fn describe(wanted: &Wanted) -> String {
    match &wanted.what {
        What::State(change) => format!("a change of a {}", change.kind.as_str()),
        What::Unknown => "a change".to_owned(),
        What::Points(moved) => {
            let what = match moved.act {
                Act::Credit(_) | Act::Settle => "a credit",
                Act::Debit => "a debit",
                Act::Operate(BalanceOperation::Hold) => "a hold",
                Act::Operate(BalanceOperation::Release) => "a release",
                Act::Operate(BalanceOperation::Forfeit) => "a forfeit",
                Act::Operate(BalanceOperation::VoidHold) => "the end of a hold",
            };
            match moved.amount {
                Some(amount) => format!("{what} of {}", amount.get()),
                None => what.to_owned(),
            }
        }
    }
}
