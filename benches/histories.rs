//! Creates the databases that the other benchmarks run on, if they do not exist yet, so that
//! nothing is measured while they are created.
//!
//! Run with `cargo bench --bench histories`; a word selects the databases whose name begins with
//! it. They are kept in target/bench. The longest has ten million events.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it measured"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod support;

use std::fmt::Write as _;

use self::support::history::History;
use self::support::results::{Arguments, Results};
use self::support::sizes::{BASE, GROWTH, MILLION, MILLION_MEMBERS, TEN_MILLION, THOUSAND};

fn main() {
    let arguments = Arguments::read(1);
    let growth = GROWTH.iter().flat_map(|(_, sizes)| sizes);
    let sizes = [&THOUSAND, &MILLION, &TEN_MILLION, &MILLION_MEMBERS, &BASE];
    let mut table = String::from(
        "| history | rows of the log | ledger entries | idempotency records | made in | verified in |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for size in sizes.into_iter().chain(growth) {
        if !arguments.is_selected(size.name) {
            continue;
        }
        let history = History::of(size);
        writeln!(
            table,
            "| {} | {} | {} | {} | {:.1} s | {:.1} s |",
            size.name,
            history.rows,
            history.entries,
            history.answers,
            history.making_seconds,
            history.verifying_seconds
        )
        .unwrap();
    }
    let mut results = Results::new("histories", &arguments);
    results.table("histories", table);
    results.save();
}
