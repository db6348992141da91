//! `stampcard verify`: every number worked out a second time by plain SQL.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::fold;
use crate::analytics::{Counters, Figures};
use crate::domain::{ProgramNumber, Status, Timestamp};
use crate::store::{self, Connection, audit};

/// What was looked at and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Figures that were compared.
    pub figures: usize,
    /// What is wrong, a sentence each; empty if nothing is.
    pub findings: Vec<String>,
}

/// The steps of a verification, for whoever shows its progress.
pub const STEPS: &[&str] = &[
    "the file",
    "the schema",
    "references between rows",
    "wallets against the ledger",
    "redemptions against their history",
    "credits against the log",
    "figures against SQL",
];

/// Looks at everything; `progress` is told the name of each step before it begins.
///
/// # Errors
/// [`store::Error`] if the database cannot be read.
pub fn verify(
    connection: &Connection,
    mut progress: impl FnMut(&str),
) -> Result<Report, store::Error> {
    let _snapshot = audit::begin_snapshot(connection)?;
    let mut report = Report::default();
    let checks: [fn(&Connection) -> Result<Vec<String>, store::Error>; 6] = [
        audit::integrity,
        audit::schema,
        audit::foreign_keys,
        audit::wallets,
        audit::redemptions,
        audit::credits,
    ];
    for (name, check) in STEPS.iter().zip(checks) {
        progress(name);
        report.findings.extend(check(connection)?);
    }
    progress(STEPS[checks.len()]);
    // A log that contradicts itself stops the fold; here that is a finding like any other.
    match catch_unwind(AssertUnwindSafe(|| fold(connection))) {
        Ok(Ok(figures)) => compare(connection, &figures, &mut report)?,
        Ok(Err(store::Error::Impossible(what))) => report
            .findings
            .push(format!("the activity log holds an impossible {what}")),
        Ok(Err(error)) => return Err(error),
        Err(_) => report
            .findings
            .push("the activity log contradicts itself".to_owned()),
    }
    Ok(report)
}

fn compare(
    connection: &Connection,
    figures: &Figures,
    report: &mut Report,
) -> Result<(), store::Error> {
    let none = Counters::default();
    let counters = |program| figures.program(ProgramNumber(program)).unwrap_or(&none);
    for row in audit::program_numbers(connection)? {
        report.figures += 1;
        let counted = number(counters(row.program), row.name);
        if counted != row.value {
            report.findings.push(format!(
                "program row {}, {}: the engine says {}, SQL says {}",
                row.program,
                row.name,
                show(counted),
                show(row.value)
            ));
        }
    }
    let mut places: HashMap<i64, usize> = HashMap::new();
    for row in audit::offer_numbers(connection)? {
        let place = places.entry(row.program).or_default();
        let counted = counters(row.program).offers().get(*place);
        *place += 1;
        report.figures += row.numbers.len();
        // An offer that stands in another place is not this one.
        let counted = counted.filter(|f| *f.id.as_uuid().as_bytes() == row.uuid);
        let numbers = counted.map(|f| [f.signups, f.completions, f.cancellations, f.spent]);
        let names = ["signups", "completions", "cancellations", "points spent"];
        for (index, name) in names.into_iter().enumerate() {
            let counted = numbers.and_then(|numbers| i64::try_from(numbers[index]).ok());
            let value = Some(row.numbers[index]);
            if counted != value {
                report.findings.push(format!(
                    "program row {}, offer {place}, {name}: the engine says {}, SQL says {}",
                    row.program,
                    show(counted),
                    show(value)
                ));
            }
        }
    }
    Ok(())
}

/// The engine's side of a number that [`audit::program_numbers`] names.
fn number(counters: &Counters, name: &str) -> Option<i64> {
    let totals = counters.totals();
    if let Some(status) = name.strip_prefix("redemptions ").and_then(Status::parse) {
        return i64::try_from(totals.redemptions.get(status)).ok();
    }
    let value = match name {
        "members" => totals.members,
        "active members" => totals.active_members,
        "tiers held" => counters.tier_count() as u64,
        "points minted" => totals.minted,
        "points spent" => totals.spent,
        "points refunded" => totals.refunded,
        "points forfeited" => totals.forfeited,
        "points debited" => totals.debited,
        // The ledger equation.
        "sum of balances" => (totals.minted + totals.refunded)
            .checked_sub(totals.spent + totals.forfeited + totals.debited)?,
        "participants" => totals.participants,
        "ledger entries" => totals.ledger_entries,
        "newest ledger entry" => return totals.last_entry_at.map(Timestamp::as_millis),
        "events" => totals.events,
        "exchanges" => totals.exchanges,
        "identifications" => totals.identifications,
        "credits" => totals.credits,
        "current offers" => totals.current_offers,
        _ => return None,
    };
    i64::try_from(value).ok()
}

fn show(value: Option<i64>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string())
}
