//! The distinct members of the engine, compared with SQL.

use std::collections::BTreeMap;

use super::compared::Compared;
use crate::analytics::{Figures, MemberFigures};
use crate::domain::ProgramNumber;
use crate::store::{self, Connection, audit};

const DAY: i64 = 86_400_000;

/// Compares the members of every day, and of all days together.
pub(super) fn compare(
    connection: &Connection,
    figures: &Figures,
) -> Result<Compared, store::Error> {
    let mut compared = Compared::default();
    // The first and the last day of each program and kind, and its members.
    let mut all: BTreeMap<(i64, &str), (i64, i64, i64)> = BTreeMap::new();
    for row in audit::member_days(connection)? {
        let counted = counted(figures, row.program, (row.day, row.day));
        let returned = [counted.first, counted.reactivated].map(u64::cast_signed);
        let mut is_same = members(counted, row.kind) == Some(row.members);
        if row.kind == "active" {
            is_same &= returned == [row.first, row.reactivated];
        }
        compared.note(is_same, || {
            format!(
                "program row {}, members of {} on day {} since 1970: the engine says {counted:?}, \
                 SQL says {} of whom {} for the first time and {} again after a pause",
                row.program, row.kind, row.day, row.members, row.first, row.reactivated
            )
        });
        let of_all = all.entry((row.program, row.kind));
        let (_, last, members) = of_all.or_insert((row.day, row.day, 0));
        *last = row.day;
        *members += row.first;
    }
    for ((program, kind), (first, last, ever)) in all {
        let found = members(counted(figures, program, (first, last)), kind);
        compared.note(found == Some(ever), || {
            format!(
                "program row {program}, members of {kind} in all: the engine says {found:?}, SQL \
                 says {ever}"
            )
        });
    }
    Ok(compared)
}

impl Compared {
    fn note(&mut self, is_same: bool, finding: impl FnOnce() -> String) {
        self.figures += 1;
        if !is_same {
            self.findings.push(finding());
        }
    }
}

/// The members from the first to the last of some days.
fn counted(figures: &Figures, program: i64, (first, last): (i64, i64)) -> MemberFigures {
    let counters = figures.program(ProgramNumber(program));
    counters.map_or_else(MemberFigures::default, |counters| {
        counters.members(counters.moment(), first * DAY, (last + 1) * DAY)
    })
}

/// The number of a kind of [`audit::member_days`].
fn members(figures: MemberFigures, kind: &str) -> Option<i64> {
    let number = match kind {
        "active" => figures.active,
        "minted" => figures.by_mint,
        "redeemed" => figures.redeeming,
        "stored events" => figures.by_event,
        "exchanges" => figures.by_exchange,
        "earned" => figures.earning,
        _ => return None,
    };
    i64::try_from(number).ok()
}
