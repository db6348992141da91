//! `stampcard verify`: computes every number a second time with plain SQL.

mod accounts;
mod books;
mod compared;
mod due;
mod earned;
mod members;
mod points;
mod report;
mod timelines;

use self::timelines::MEASURES;
use std::collections::HashMap;

use self::due::DueCheck;
pub use self::report::Report;
use crate::analytics::{Counters, Figures, OfferCounters, OfferFigures, Sum, Timeline};
use crate::domain::{ProgramNumber, Seq, Status, Timestamp};
use crate::service::figures::fold::Folded;
use crate::service::figures::saved::Restored;
use crate::service::idempotency;
use crate::store::{self, Connection, audit};

/// The names of the steps of a verification, to show its progress.
pub const STEPS: &[&str] = &[
    "the file",
    "the schema",
    "references between rows",
    "values of every column",
    "rows against each other",
    "files against their rows",
    "what a start reads",
    "the entries of each wallet against each other",
    "redemptions against their history",
    "credits against the log",
    "idempotency records against their index",
    "compact idempotency records",
    "the search index against the members",
    "every row of the log and its hash",
    "the log, folded again",
    "the accounts of members against SQL",
    "totals and offers against SQL",
    "every day of every timeline against SQL",
    "distinct members of every day against SQL",
    "points against their settings and entries",
    "what rules earned for every event",
    "the snapshot against the log",
    "the saved books against the log",
];

/// A step, which returns its findings.
type Check = fn(&Connection) -> Result<Vec<String>, store::Error>;

/// Verifies the whole database; `progress` receives the name of each step before it begins.
///
/// # Errors
/// [`store::Error`] if the database cannot be read.
pub fn verify(connection: &Connection, progress: impl FnMut(&str)) -> Result<Report, store::Error> {
    let mut report = verify_rows(connection, progress)?;
    if store::import_batches::unfinished_import(connection)?.is_some() {
        let finding = "an import into the database was not finished".to_owned();
        report.findings.insert(0, finding);
    } else {
        // An import sets these last.
        report.findings.extend(audit::missing_settings(connection)?);
        report.findings.extend(audit::cursors(connection)?);
    }
    Ok(report)
}

/// [`verify`] for a database whose import may be in progress.
pub(in crate::service) fn verify_rows(
    connection: &Connection,
    mut progress: impl FnMut(&str),
) -> Result<Report, store::Error> {
    let _snapshot = audit::begin_snapshot(connection)?;
    let mut report = Report::default();
    let checks: [Check; 13] = [
        audit::integrity,
        audit::schema,
        audit::foreign_keys,
        audit::values,
        audit::contradictions,
        audit::attachments,
        audit::start,
        audit::chains,
        audit::redemptions,
        audit::credits,
        store::idempotency::segments_with_gaps,
        idempotency::unreadable_responses,
        store::search::differences,
    ];
    for (name, check) in STEPS.iter().zip(checks) {
        progress(name);
        if let Some(findings) = report.read(name, check(connection))? {
            report.findings.extend(findings);
        }
    }
    let mut steps = STEPS[checks.len()..].iter();
    progress(steps.next().copied().unwrap_or_default());
    let checked = store::log::check(connection);
    let mut heads = HashMap::new();
    if let Some(checked) = report.read("the log", checked)? {
        report.findings.extend(checked.findings);
        report.erased = checked.erased;
        report.erased_files = audit::erased_attachments(connection)?;
        report.given = checked.given;
        heads = checked.heads;
    }
    progress(&books::folding(connection)?);
    steps.next();
    let Some(folded) = folded(connection, &mut report)? else {
        return Ok(report);
    };
    let mut next = || progress(steps.next().copied().unwrap_or_default());
    if folded.books_fault.is_none() {
        next();
        report.add("accounts", accounts::compare(connection, &folded.books))?;
    }
    if folded.figures_fault.is_none() {
        next();
        let compared = compare_numbers(connection, &folded.figures, &mut report);
        report.read("totals and offers", compared)?;
        next();
        let compared = compare_days(connection, &folded.figures, &mut report);
        report.read("days", compared)?;
        next();
        let compared = members::compare(connection, &folded.figures);
        report.add("members", compared)?;
    }
    if folded.books_fault.is_none() && folded.figures_fault.is_none() {
        next();
        let found = report.read("points", points::compare(connection, &folded))?;
        report.findings.extend(found.unwrap_or_default());
    }
    let compared = compare_saved(connection, (&folded, &heads), &mut report, next);
    report.read("what was saved", compared)?;
    Ok(report)
}

/// The figures and the books of the log. A row that contradicts those before it is a finding;
/// `None` if the log cannot be read.
fn folded(connection: &Connection, report: &mut Report) -> Result<Option<Folded>, store::Error> {
    let (mut folded, mut due) = (Folded::default(), DueCheck::default());
    let caught_up = folded.catch_up_with(connection, |books, row| due.row(books, row));
    due.finish();
    report.due = due.rows;
    report.findings.extend(due.findings);
    match caught_up {
        Ok(_) => {}
        Err(store::Error::Impossible(what)) => {
            let finding = format!("the activity log holds an impossible {what}");
            report.findings.push(finding);
            return Ok(None);
        }
        Err(error) => return report.read("the log", Err(error)),
    }
    folded.figures.settle();
    let figures_fault = folded.figures_fault.map(|fault| fault.to_string());
    let books_fault = folded.books_fault.map(|fault| fault.to_string());
    report.findings.extend(figures_fault);
    report.findings.extend(books_fault);
    Ok(Some(folded))
}

/// Compares totals and the figures of offers with SQL.
fn compare_numbers(
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
        let counted = counters(row.program)
            .offers()
            .get(*place)
            .map(OfferCounters::figures);
        *place += 1;
        report.figures += row.numbers.len();
        // An offer in another position is another offer.
        let counted = counted.filter(|f| *f.id.as_uuid().as_bytes() == row.uuid);
        let numbers = counted.map(numbers_of);
        let names = [
            "signups",
            "completions",
            "cancellations",
            "ratings",
            "sum of ratings",
            "points spent",
        ];
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

/// The engine's values of [`audit::offer_numbers`].
fn numbers_of(figures: OfferFigures) -> [u64; 6] {
    [
        figures.signups,
        figures.completions,
        figures.cancellations,
        figures.ratings.count,
        figures.ratings.sum,
        figures.spent,
    ]
}

/// Compares every day of every timeline with SQL, and checks that no entry is outside those days.
fn compare_days(
    connection: &Connection,
    figures: &Figures,
    report: &mut Report,
) -> Result<(), store::Error> {
    const DAY: i64 = 86_400_000;
    let mut seen: HashMap<(&str, i64, i64), Sum> = HashMap::new();
    for row in audit::timeline_days(connection)? {
        report.figures += 1;
        let expected = Sum {
            count: row.count.unsigned_abs(),
            amount: row.amount.unsigned_abs(),
        };
        let counted = timeline(figures, row.timeline, row.program, row.offer)
            .map(|t| t.before((row.day + 1) * DAY) - t.before(row.day * DAY))
            .unwrap_or_default();
        if counted != expected {
            report.findings.push(format!(
                "program row {}, offer row {}, {} on day {} since 1970: the engine says {} of {}, \
                 SQL says {} of {}",
                row.program,
                row.offer,
                row.timeline,
                row.day,
                counted.count,
                counted.amount,
                expected.count,
                expected.amount
            ));
        }
        let sum = seen
            .entry((row.timeline, row.program, row.offer))
            .or_default();
        sum.count += expected.count;
        sum.amount += expected.amount;
    }
    for ((name, program, offer), counted) in all_timelines(figures) {
        report.figures += 1;
        let expected = seen
            .get(&(name, program, offer))
            .copied()
            .unwrap_or_default();
        if counted.total() != expected {
            report.findings.push(format!(
                "program row {program}, offer row {offer}, {name} in all: the engine says {:?}, \
                 SQL says {expected:?}",
                counted.total()
            ));
        }
    }
    Ok(())
}

/// Checks what rules earned, and that what was saved and the rows after it give the same as the
/// log. What cannot be used is not a finding, because the next start then folds the log.
fn compare_saved(
    connection: &Connection,
    (folded, heads): (&Folded, &HashMap<i64, (Seq, [u8; 32])>),
    report: &mut Report,
    mut next: impl FnMut(),
) -> Result<(), store::Error> {
    next();
    if let Some(earned) = report.read("events", earned::check(connection))? {
        report.findings.extend(earned.findings);
        report.skipped = earned.skipped;
    }
    next();
    let mut restored = Restored::read(connection)?;
    let (has_figures, has_books) = (restored.has_figures(), restored.has_books());
    if !has_figures && !has_books {
        return Ok(());
    }
    let saved = &restored.folded.books;
    report.findings.extend(books::wrong_heads(saved, heads));
    restored.catch_up(connection)?;
    let restored = restored.folded;
    let is_same = restored.figures_fault.is_none() && restored.figures == folded.figures;
    if has_figures && folded.figures_fault.is_none() && !is_same {
        report
            .findings
            .push("the snapshot and the rows after it differ from the log".to_owned());
    }
    next();
    if has_books && folded.books_fault.is_none() {
        report.figures += folded.books.len();
        let findings = match restored.books_fault {
            Some(fault) => vec![format!("after the saved books, {fault}")],
            None => books::differences(&restored.books, &folded.books),
        };
        report.findings.extend(findings);
    }
    Ok(())
}

fn all_timelines(figures: &Figures) -> impl Iterator<Item = ((&'static str, i64, i64), &Timeline)> {
    figures.programs().flat_map(|(program, counters)| {
        let own = MEASURES
            .iter()
            .map(move |(name, measure)| ((*name, program.0, 0), counters.timeline(*measure)));
        let of_offers = counters.offers().iter().flat_map(move |offer| {
            let row = offer.number().0;
            [
                (("offer signups", program.0, row), offer.signups()),
                (("offer spent", program.0, row), offer.spent()),
            ]
        });
        own.chain(of_offers)
    })
}

fn timeline<'a>(
    figures: &'a Figures,
    name: &str,
    program: i64,
    offer: i64,
) -> Option<&'a Timeline> {
    let counters = figures.program(ProgramNumber(program))?;
    if let Some((_, measure)) = MEASURES.iter().find(|(measure, _)| *measure == name) {
        return Some(counters.timeline(*measure));
    }
    let offer = counters
        .offers()
        .iter()
        .find(|counters| counters.number().0 == offer)?;
    match name {
        "offer signups" => Some(offer.signups()),
        "offer spent" => Some(offer.spent()),
        _ => None,
    }
}

/// The engine's value of a number in [`audit::program_numbers`].
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
        "points expired" => totals.expired,
        "points voided" => totals.voided,
        "points pending" => totals.pending,
        "points held" => totals.held,
        // The ledger equation.
        "sum of balances" => return Some(totals.balances()),
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
