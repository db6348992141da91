//! Results of a benchmark: tables for docs/BENCHMARKS.md and figures by name, stored in
//! target/bench/results until `cargo bench --bench tables` writes them to the documents.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::folder;

/// The arguments of the command line: a number of rounds, and words that select.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) rounds: usize,
    words: Vec<String>,
}

impl Arguments {
    /// Parses the command line, with a default for the number of rounds.
    pub(crate) fn read(rounds: usize) -> Self {
        let given = std::env::args().skip(1).filter(|word| word != "--bench");
        let (numbers, words): (Vec<_>, Vec<_>) =
            given.partition(|word| word.parse::<usize>().is_ok());
        let asked = numbers.first().map(|number| number.parse().unwrap());
        Self {
            rounds: asked.unwrap_or(rounds),
            words,
        }
    }

    /// No selection, and one round.
    pub(crate) fn none() -> Self {
        Self {
            rounds: 1,
            words: Vec::new(),
        }
    }

    /// Whether something of this name is selected. Without words, everything is.
    pub(crate) fn is_selected(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    /// Returns the arguments without a word that is not a selection.
    pub(crate) fn without(&self, word: Option<&str>) -> Self {
        let words = self
            .words
            .iter()
            .filter(|other| Some(other.as_str()) != word);
        Self {
            rounds: self.rounds,
            words: words.cloned().collect(),
        }
    }

    /// The words after the name of a part for which this program was started again.
    pub(crate) fn part(&self, name: &str) -> Option<&[String]> {
        let (first, rest) = self.words.split_first()?;
        (first == name).then_some(rest)
    }
}

/// The results of one benchmark in one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) rounds: usize,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) machine: String,
    /// Whether there was a selection.
    is_part: bool,
    pub(crate) tables: BTreeMap<String, String>,
    pub(crate) figures: BTreeMap<String, f64>,
}

impl Results {
    pub(crate) fn new(name: &str, arguments: &Arguments) -> Self {
        let words = arguments.words.iter().map(|word| format!(" {word}"));
        let words: String = words.collect();
        let command = format!("cargo bench --bench {name} -- {}{words}", arguments.rounds);
        Self {
            name: name.to_owned(),
            command,
            rounds: arguments.rounds,
            commit: commit(),
            date: output_of("date", &["-u", "+%F"]),
            machine: machine(),
            is_part: !arguments.words.is_empty(),
            tables: BTreeMap::new(),
            figures: BTreeMap::new(),
        }
    }

    /// Adds a table and prints it.
    #[expect(clippy::print_stdout, reason = "shows progress")]
    pub(crate) fn table(&mut self, name: &str, table: String) {
        println!("\n{table}");
        self.tables.insert(name.to_owned(), table);
    }

    pub(crate) fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Stores the results. A selection is only printed, because it must not replace the whole.
    pub(crate) fn save(&self) {
        if !self.is_part {
            let bytes = serde_json::to_vec_pretty(self).unwrap();
            std::fs::write(path(&self.name), bytes).unwrap();
        }
    }

    /// The last results of a benchmark, if there are any.
    pub(crate) fn load(name: &str) -> Option<Self> {
        let bytes = std::fs::read(path(name)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

fn path(name: &str) -> PathBuf {
    let folder = folder().join("results");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{name}.json"))
}

/// The commit that is checked out, with a plus if files other than the documents differ from it.
fn commit() -> String {
    let commit = output_of("git", &["rev-parse", "--short", "HEAD"]);
    let changed = output_of("git", &["status", "--porcelain", "--", ".", ":!docs"]);
    if changed.is_empty() {
        commit
    } else {
        format!("{commit}+")
    }
}

/// The processor and its cores, as `lscpu` reports them.
fn machine() -> String {
    let text = output_of("lscpu", &[]);
    let field = |name: &str| {
        let line = text.lines().find(|line| line.trim().starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, value)| value.trim())
    };
    format!("{}, {} cores", field("Model name:"), field("CPU(s):"))
}

fn output_of(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
