//! The recorded instruction counts: the cost of each workload when they were written, and the
//! tolerance of a count.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::Command;

use config::{Config, File, FileFormat};
use serde::Deserialize;

use crate::Workload;

/// Relative to the root of the package, where cargo runs benchmarks.
const PATH: &str = "benches/instructions.toml";
const HEAD: &str = "\
# The instructions that one operation of each workload of benches/instructions takes. Written by
# `cargo bench --bench instructions -- --write`; docs/BENCHMARKS.md explains its use.
#
# The figures are valid for this compiler, as other versions generate other instructions, and for
# this kind of processor.
";
/// The factor for the tolerances if the compiler is another version.
const OTHER_COMPILER: f64 = 3.0;

/// Smaller differences are treated as noise: the cost of a function of a hundred instructions
/// depends on how the compiler lays out the code around it.
const DIFFERENCE_MIN: u64 = 20;

/// Workloads with the same tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// In one process, on one thread.
    Engine,
    /// The server with its threads, over a socket.
    Requests,
    /// The server, for requests that look up rows on the thread that serves them. Under callgrind a
    /// look-up occasionally takes as long as with a slow disk, and the look-ups after it are then
    /// sent to another thread.
    LookUps,
}

impl Group {
    const ALL: [Self; 3] = [Self::Engine, Self::Requests, Self::LookUps];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Engine => "engine",
            Self::Requests => "requests",
            Self::LookUps => "look-ups",
        }
    }

    /// The relative change that is treated as noise.
    fn tolerance(self) -> f64 {
        match self {
            Self::Engine => 0.05,
            Self::Requests => 0.15,
            Self::LookUps => 0.5,
        }
    }
}

/// The result of comparing a count with its figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Better,
    Worse,
    /// No figure is recorded.
    Unknown,
}

impl Verdict {
    fn text(self) -> &'static str {
        match self {
            Self::Same => "",
            Self::Better => "better: the figures may be written again",
            Self::Worse => "WORSE",
            Self::Unknown => "has no figure",
        }
    }
}

/// The contents of the file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Figures {
    compiler: String,
    processor: String,
    engine: BTreeMap<String, u64>,
    requests: BTreeMap<String, u64>,
    #[serde(rename = "look-ups")]
    look_ups: BTreeMap<String, u64>,
}

impl Figures {
    pub(crate) fn read() -> Self {
        let file = File::new(PATH, FileFormat::Toml);
        let read = Config::builder().add_source(file).build().unwrap();
        read.try_deserialize().unwrap()
    }

    pub(crate) fn write(&mut self) {
        self.compiler = compiler();
        std::env::consts::ARCH.clone_into(&mut self.processor);
        let mut text = HEAD.to_owned();
        writeln!(text, "compiler = \"{}\"", self.compiler).unwrap();
        writeln!(text, "processor = \"{}\"", self.processor).unwrap();
        for group in Group::ALL {
            writeln!(text, "\n[{}]", group.name()).unwrap();
            for (name, figure) in self.of(group) {
                writeln!(text, "{name} = {figure}").unwrap();
            }
        }
        std::fs::write(PATH, text).unwrap();
    }

    fn of(&self, group: Group) -> &BTreeMap<String, u64> {
        match group {
            Group::Engine => &self.engine,
            Group::Requests => &self.requests,
            Group::LookUps => &self.look_ups,
        }
    }

    pub(crate) fn set(&mut self, group: Group, name: &str, figure: u64) {
        let figures = match group {
            Group::Engine => &mut self.engine,
            Group::Requests => &mut self.requests,
            Group::LookUps => &mut self.look_ups,
        };
        figures.insert(name.to_owned(), figure);
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// The factor by which the tolerances are widened. `None`: the figures are not valid on this
    /// processor.
    pub(crate) fn tolerance_scale(&self) -> Option<f64> {
        let (compiler, processor) = (compiler(), std::env::consts::ARCH);
        if processor != self.processor {
            println!(
                "Skipped: the figures are of {}, this is {processor}.",
                self.processor
            );
            return None;
        }
        if compiler == self.compiler {
            return Some(1.0);
        }
        println!(
            "The figures are of {}, this is {compiler}: changes of up to {OTHER_COMPILER} times \
             the usual tolerance pass. The figures should be written again.",
            self.compiler
        );
        Some(OTHER_COMPILER)
    }

    pub(crate) fn judge(&self, group: Group, name: &str, cost: u64, scale: f64) -> Verdict {
        let tolerance = group.tolerance() * scale;
        let figure = self.of(group).get(name);
        if figure.is_some_and(|figure| figure.abs_diff(cost) < DIFFERENCE_MIN) {
            return Verdict::Same;
        }
        match self.change(group, name, cost) {
            None => Verdict::Unknown,
            Some(change) if change > tolerance => Verdict::Worse,
            Some(change) if change < -tolerance => Verdict::Better,
            Some(_) => Verdict::Same,
        }
    }

    /// The relative difference between the cost of a workload and its figure.
    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn change(&self, group: Group, name: &str, cost: u64) -> Option<f64> {
        let figure = *self.of(group).get(name)?;
        Some(cost as f64 / figure as f64 - 1.0)
    }

    pub(crate) fn print_row(&self, group: Group, name: &str, cost: u64, verdict: Verdict) {
        let figure = self.of(group).get(name);
        let figure = figure.map_or_else(String::new, ToString::to_string);
        let change = self.change(group, name, cost);
        let change = change.map_or_else(String::new, |share| format!("{:+.1} %", 100.0 * share));
        let (group, verdict) = (group.name(), verdict.text());
        println!("| {group}/{name} | {cost} | {figure} | {change} | {verdict} |");
    }

    /// Names that match none of the workloads.
    pub(crate) fn without_workload(&self, workloads: &[Workload<'_>]) -> Vec<&str> {
        let is_there = |group: Group, name: &str| {
            let is_it = |known: &Workload<'_>| known.group == group && known.name == name;
            workloads.iter().any(is_it)
        };
        let names = Group::ALL.into_iter().flat_map(|group| {
            let names = self.of(group).keys();
            names.filter(move |name| !is_there(group, name))
        });
        names.map(String::as_str).collect()
    }
}

/// The version of the compiler that cargo uses here.
fn compiler() -> String {
    let output = Command::new("rustc").arg("--version").output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
