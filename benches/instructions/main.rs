//! Instruction counts of requests and engine operations, compared with recorded figures: a guard
//! against slower code.
//!
//! Instructions are counted by valgrind's callgrind (Debian: `valgrind`), so that other load on the
//! machine has no influence. Each workload is counted twice, for n and for 2n operations; the
//! difference divided by n is the cost of one operation, without start, set-up and end.
//!
//! `cargo bench --bench instructions` compares the counts and fails if one exceeds its tolerance;
//! `-- --write` rewrites benches/instructions.toml; a word selects the workloads whose name
//! contains it. docs/BENCHMARKS.md explains the tolerances.

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

/// How often a workload is counted again if it exceeds its tolerance or if its figure is written.
const RECOUNTS: usize = 2;

/// A workload whose cost is counted.
struct Workload<'a> {
    group: Group,
    name: &'static str,
    /// The number n of operations.
    count: usize,
    /// Returns the instructions of a given number of operations, including start and end.
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
        println!("Skipped: valgrind is not installed.");
        return ExitCode::SUCCESS;
    }
    let word = arguments.iter().find(|word| !word.starts_with("--"));
    let writes = arguments.iter().any(|word| word == "--write");
    // Created when the first workload needs it.
    let stand = LazyCell::new(Stand::create);
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

/// Writes the figures of these workloads. If they are all workloads, other figures are removed.
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
