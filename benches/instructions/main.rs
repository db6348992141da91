//! What answers and writes cost in instructions, held against figures in the tree: the guard
//! against growing slower.
//!
//! Instructions are counted by valgrind's callgrind (Debian: `valgrind`), so that a busy machine
//! does not matter. Each workload is counted twice, for n and for 2n operations; the difference by
//! n is the cost of one, without start, set-up and end.
//!
//! `cargo bench --bench instructions` compares and fails if something costs more than the tolerance
//! allows; `-- --write` writes benches/instructions.toml anew; a word takes only the workloads
//! whose name has it. docs/BENCHMARKS.md says what the tolerances are and why.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark stops at a surprise and says what it counted"
)]
#![allow(dead_code, reason = "what benchmarks share is not used by each")]

mod callgrind;
mod engine;
mod figures;
mod requests;
#[path = "../support/mod.rs"]
mod support;

use std::cell::LazyCell;
use std::process::ExitCode;

use self::callgrind::Cost;
use self::figures::{Figures, Group, Verdict};
use self::requests::Stand;

/// How often a workload is counted again that seems to cost more than it may, or whose figure is
/// written.
const RECOUNTS: usize = 2;

/// Something whose cost is counted.
struct Workload<'a> {
    group: Group,
    name: &'static str,
    /// The n of it.
    count: usize,
    /// The instructions of so many operations, with everything around them.
    run: Box<dyn Fn(usize) -> u64 + 'a>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, name, count] = &*arguments
        && word == "workload"
    {
        engine::run(name, count.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if !callgrind::is_installed() {
        println!("Skipped: there is no valgrind.");
        return ExitCode::SUCCESS;
    }
    let word = arguments.iter().find(|word| !word.starts_with("--"));
    let writes = arguments.iter().any(|word| word == "--write");
    // Made when the first workload needs it.
    let stand = LazyCell::new(Stand::furnish);
    let mut workloads = engine::workloads();
    workloads.extend(requests::workloads(&stand));
    if let Some(word) = word {
        workloads.retain(|workload| workload.name.contains(word.as_str()));
    }
    let mut known = Figures::read();
    if writes {
        write(&mut known, &workloads, word.is_none());
        return ExitCode::SUCCESS;
    }
    compare(&known, &workloads, word.is_none())
}

/// Writes the figures of these workloads; if they are all there are, no others stay.
fn write(known: &mut Figures, workloads: &[Workload<'_>], all: bool) {
    if all {
        known.clear();
    }
    for workload in workloads {
        let mut cost = Cost::count(workload.count, &workload.run);
        for _ in 0..RECOUNTS {
            cost.recount(workload.count, &workload.run);
        }
        let cost = cost.of_one();
        println!("{}/{}: {cost}", workload.group.name(), workload.name);
        known.set(workload.group, workload.name, cost);
        known.write();
    }
}

fn compare(known: &Figures, workloads: &[Workload<'_>], all: bool) -> ExitCode {
    let Some(scale) = known.tolerance_scale() else {
        return ExitCode::SUCCESS;
    };
    let mut worse = false;
    println!("| workload | instructions | figure | change | |\n|---|---|---|---|---|");
    for workload in workloads {
        let judge = |cost| known.judge(workload.group, workload.name, cost, scale);
        let mut cost = Cost::count(workload.count, &workload.run);
        for _ in 0..RECOUNTS {
            if judge(cost.of_one()) == Verdict::Worse {
                cost.recount(workload.count, &workload.run);
            }
        }
        let verdict = judge(cost.of_one());
        worse |= matches!(verdict, Verdict::Worse | Verdict::Unknown);
        known.print_row(workload.group, workload.name, cost.of_one(), verdict);
    }
    if all {
        for name in known.without_workload(workloads) {
            println!("{name} has a figure, but there is no such workload.");
            worse = true;
        }
    }
    if worse {
        println!(
            "\nIf it has to cost that much: `cargo bench --bench instructions -- --write`, and say \
             why where the change is described."
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
