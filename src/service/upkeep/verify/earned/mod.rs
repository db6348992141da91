//! Applies the rules that were in force to every event again, and compares what they bring about
//! with what the log has.

mod matching;
mod wanted;

use std::collections::HashSet;

use self::matching::compare;
use self::wanted::{Wanted, wanted};
use crate::domain::{
    Activity, Cause, Entry, Event, EventStatus, MemberNumber, ProgramNumber, RuleNumber, Seq,
    StoredEvent, StoredEventId,
};
use crate::rules::{Data, Outcome, Verdict};
use crate::service::earning::past::{Occurred, Past};
use crate::store::stored_events::EventRow;
use crate::store::{self, Connection};

/// The most findings.
const FINDINGS_MAX: usize = 100;

/// What was found.
#[derive(Default)]
pub(super) struct Earned {
    pub(super) findings: Vec<String>,
    /// Events that were not evaluated again, because what they depend on was erased.
    pub(super) skipped: u64,
}

struct Check<'a> {
    connection: &'a Connection,
    past: Past<'a>,
    erased: HashSet<MemberNumber>,
    pending: Option<Pending>,
    found: Earned,
}

/// An event, and the rows that name it as their cause.
struct Pending {
    activity: Activity,
    program: ProgramNumber,
    /// What has to follow; `None` if that is not known.
    wanted: Option<Vec<Wanted>>,
    rows: Vec<(Cause, Activity)>,
}

/// Evaluates every event again.
pub(super) fn check(connection: &Connection) -> Result<Earned, store::Error> {
    if !store::log::past::has_events(connection)? {
        return Ok(Earned::default());
    }
    let mut check = Check {
        connection,
        past: Past::new(connection),
        erased: store::log::past::erased(connection)?.into_iter().collect(),
        pending: None,
        found: Earned::default(),
    };
    store::log::past::read(connection, |row| check.row(row))?;
    check.finish()?;
    check.budgets()?;
    Ok(check.found)
}

/// The cause that a row names.
fn cause_of(event: &Event) -> Option<Cause> {
    match event {
        Event::StateChanged(change) => change.cause,
        _ => event.ledger_entry()?.buckets.as_ref()?.cause,
    }
}

impl Check<'_> {
    fn report(&mut self, finding: String) {
        if self.found.findings.len() < FINDINGS_MAX {
            self.found.findings.push(finding);
        }
    }

    fn row(&mut self, row: Activity) -> Result<(), store::Error> {
        let cause = cause_of(&row.event);
        let event = self.pending.as_ref().map(|it| it.activity.seq);
        if cause.is_none_or(|cause| Some(cause.event) != event) {
            self.finish()?;
        }
        match (&row.event, row.program) {
            (Event::EventStored(stored), Some(program)) => {
                let stored = stored.clone();
                return self.event(row, program, &stored);
            }
            _ => self.past.apply(&row)?,
        }
        match (cause, &mut self.pending) {
            (Some(cause), Some(pending)) => pending.rows.push((cause, row)),
            (Some(cause), None) => self.report(format!(
                "activity {}: its cause, activity {}, is not the last event before it",
                row.seq.0, cause.event.0
            )),
            (None, _) => {}
        }
        Ok(())
    }

    /// Evaluates an event.
    fn event(
        &mut self,
        activity: Activity,
        program: ProgramNumber,
        stored: &StoredEvent,
    ) -> Result<(), store::Error> {
        let row = store::stored_events::of_seq(self.connection, activity.seq)?;
        if let Some(row) = &row {
            self.compare_row(&activity, program, stored, row)?;
        }
        let is_erased = stored.member.is_some_and(|own| self.erased.contains(&own));
        let data = stored.data.as_deref().filter(|_| !is_erased);
        let is_unsure = !self.past.program(program)?.unsure.is_empty();
        let mut wanted = None;
        if let Some((row, json)) = row.zip(data).filter(|_| !is_unsure) {
            match Data::parse_event(json) {
                Ok(data) => {
                    let event = Occurred {
                        program,
                        at: activity.at,
                        own: stored.member,
                        recipient: row.recipient,
                        happened_at: stored.happened_at,
                        depth: row.depth,
                        data: &data,
                    };
                    let outcome = self.past.step(&event)?;
                    wanted = Some(self.outcome((&activity, program), stored, &row, outcome)?);
                }
                Err(_) => self.report(format!("activity {}: its data is none", activity.seq.0)),
            }
        } else {
            self.found.skipped += 1;
        }
        self.pending = Some(Pending {
            activity,
            program,
            wanted,
            rows: Vec::new(),
        });
        Ok(())
    }

    /// Compares the row of an event with the log. That it exists is checked with the log.
    fn compare_row(
        &mut self,
        activity: &Activity,
        program: ProgramNumber,
        stored: &StoredEvent,
        row: &EventRow,
    ) -> Result<(), store::Error> {
        let key = stored.key.as_deref();
        let uuid = store::programs::get(self.connection, program)?.uuid;
        let has_id = key.is_none_or(|key| StoredEventId::of_key(uuid, key) == row.id);
        let is_completed = row.status == EventStatus::Completed;
        let differences = [
            ("uuid", row.id != stored.id || !has_id),
            ("program_id", row.program != program),
            ("member_id", row.member != stored.member),
            ("status", is_completed != stored.completed),
            ("happened_at", row.happened_at != stored.happened_at),
        ];
        for (column, _) in differences.into_iter().filter(|(_, differs)| *differs) {
            let seq = activity.seq.0;
            self.report(format!(
                "event {seq}: its {column} does not match activity {seq}"
            ));
        }
        Ok(())
    }

    /// Compares what is stored of an event with what the rules make of it. Returns what has to
    /// follow.
    fn outcome(
        &mut self,
        (activity, program): (&Activity, ProgramNumber),
        stored: &StoredEvent,
        row: &EventRow,
        outcome: Outcome,
    ) -> Result<Vec<Wanted>, store::Error> {
        let evaluations = store::evaluations::of_event(self.connection, activity.seq)?;
        let mut outcome = outcome;
        if !stored.completed && outcome.failure().is_none() {
            // An effect was impossible, which depends on balances: which one is taken as it is.
            let last = evaluations.last();
            let version = last.map(|last| last.version.0.unsigned_abs());
            let mut effects = outcome.effects.iter();
            let place = effects.position(|it| Some(it.rule.version) == version);
            if let Some(place) = place {
                let message = last.and_then(|last| last.error.clone());
                outcome = outcome.refused(place, message.unwrap_or_default());
            }
        }
        self.evaluations(activity.seq, &outcome, &evaluations);
        let failure = outcome.failure().map(|(_, message)| message);
        let status = match failure {
            Some(_) => EventStatus::Failed,
            None => EventStatus::Completed,
        };
        let is_same = row.status == status && row.error.as_deref() == failure;
        if !is_same || stored.completed != failure.is_none() {
            self.report(format!(
                "activity {}: its rules make the event {}{}, but it is {}",
                activity.seq.0,
                status.as_str(),
                failure.map(|it| format!(" ({it})")).unwrap_or_default(),
                row.status.as_str()
            ));
        }
        self.past.draw(program, &outcome.budgets)?;
        wanted(
            &mut self.past,
            program,
            (activity.at, stored.member),
            &outcome.effects,
            &self.erased,
        )
    }

    fn evaluations(
        &mut self,
        seq: Seq,
        outcome: &Outcome,
        stored: &[store::evaluations::EvaluationRow],
    ) {
        let count = outcome.evaluations.len();
        if stored.len() != count {
            self.report(format!(
                "activity {}: its rules make {count} evaluations of the event, but it has {}",
                seq.0,
                stored.len()
            ));
        }
        for (expected, row) in outcome.evaluations.iter().zip(stored) {
            let verdict = &expected.verdict;
            let stopped_by = match verdict {
                Verdict::StoppedByPriorRule(prior) => Some(prior.version),
                _ => None,
            };
            let is_same = row.rule.0.unsigned_abs() == expected.rule.rule
                && row.version.0.unsigned_abs() == expected.rule.version
                && Some(&*row.status) == verdict.status()
                && row.reason.as_deref() == verdict.reason()
                && row.error.as_deref() == verdict.error_message()
                && row.stopped_by.map(|it| it.0.unsigned_abs()) == stopped_by;
            if !is_same {
                self.report(format!(
                    "activity {}: its evaluation {} must be {}{} of rule version row {}",
                    seq.0,
                    row.place,
                    verdict.status().unwrap_or_default(),
                    verdict
                        .reason()
                        .map(|it| format!(" ({it})"))
                        .unwrap_or_default(),
                    expected.rule.version
                ));
            }
        }
    }

    /// Ends an event: compares the rows that followed with what had to follow.
    fn finish(&mut self) -> Result<(), store::Error> {
        let Some(pending) = self.pending.take() else {
            return Ok(());
        };
        match pending.wanted {
            Some(wanted) => {
                let seq = pending.activity.seq;
                for finding in compare(seq, &wanted, &pending.rows, &self.erased) {
                    self.report(finding);
                }
                Ok(())
            }
            None => self.given(&pending),
        }
    }

    /// Takes in what an event that is not known used of budgets.
    fn given(&mut self, pending: &Pending) -> Result<(), store::Error> {
        let program = self.past.program(pending.program)?;
        for (cause, row) in &pending.rows {
            let Some(entry) = row.event.ledger_entry() else {
                continue;
            };
            match entry.entry {
                Entry::Mint => {
                    program.credited(cause.version, entry.asset, (entry.amount, row.at))?;
                }
                // It may have been released, or have been credited before.
                Entry::Mature => program.doubt(cause.version)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// Compares what rules used of their budgets with what is stored.
    fn budgets(&mut self) -> Result<(), store::Error> {
        let mut findings = Vec::new();
        for program in self.past.programs() {
            for rule in program.numbers().filter(|it| !program.unsure.contains(it)) {
                let number = RuleNumber(i64::try_from(rule).unwrap_or(i64::MAX));
                let stored = store::rules::budgets_of(self.connection, number)?;
                let counted = program.budgets.iter().filter(|((it, _), _)| *it == rule);
                if !stored.iter().eq(counted) {
                    findings.push(format!(
                        "rule row {rule}: what it used of its budgets does not match the log"
                    ));
                }
            }
        }
        for finding in findings {
            self.report(finding);
        }
        Ok(())
    }
}
