//! What a benchmark found: tables for docs/BENCHMARKS.md and figures by name, kept in
//! target/bench/results until `cargo bench --bench tables` writes them down.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use super::folder;

/// What the command line asks for: a number of rounds, and words that choose.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) rounds: usize,
    words: Vec<String>,
}

impl Arguments {
    /// Reads the command line; so many rounds unless it says another number.
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

    /// As if nothing had been asked for, and one round.
    pub(crate) fn none() -> Self {
        Self {
            rounds: 1,
            words: Vec::new(),
        }
    }

    /// Whether something of this name is to be done: all is, unless words choose.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word.as_str()))
    }

    /// The same without a word that says something else than what is wanted.
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

    /// The words after the name of a part that this program is started anew for.
    pub(crate) fn part(&self, name: &str) -> Option<&[String]> {
        let (first, rest) = self.words.split_first()?;
        (first == name).then_some(rest)
    }
}

/// What one benchmark found in one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Results {
    pub(crate) name: String,
    pub(crate) command: String,
    pub(crate) rounds: usize,
    pub(crate) commit: String,
    pub(crate) date: String,
    pub(crate) machine: String,
    /// Whether words chose a part.
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
            date: said_by("date", &["-u", "+%F"]),
            machine: machine(),
            is_part: !arguments.words.is_empty(),
            tables: BTreeMap::new(),
            figures: BTreeMap::new(),
        }
    }

    /// Adds a table, and shows it.
    #[expect(clippy::print_stdout, reason = "so that one sees it come")]
    pub(crate) fn table(&mut self, name: &str, table: String) {
        println!("\n{table}");
        self.tables.insert(name.to_owned(), table);
    }

    pub(crate) fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Keeps them. A part of a benchmark is only shown: it must not stand for the whole.
    pub(crate) fn save(&self) {
        if !self.is_part {
            let bytes = serde_json::to_vec_pretty(self).unwrap();
            std::fs::write(path(&self.name), bytes).unwrap();
        }
    }

    /// What a benchmark found last, if it ran.
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

/// The commit that is checked out, with a plus if anything but the documents differs from it.
fn commit() -> String {
    let commit = said_by("git", &["rev-parse", "--short", "HEAD"]);
    let changed = said_by("git", &["status", "--porcelain", "--", ".", ":!docs"]);
    if changed.is_empty() {
        commit
    } else {
        format!("{commit}+")
    }
}

/// The processor and its cores, as `lscpu` says.
fn machine() -> String {
    let text = said_by("lscpu", &[]);
    let field = |name: &str| {
        let line = text.lines().find(|line| line.trim().starts_with(name));
        line.and_then(|line| line.split_once(':'))
            .map_or("unknown", |(_, value)| value.trim())
    };
    format!("{}, {} cores", field("Model name:"), field("CPU(s):"))
}

fn said_by(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}
