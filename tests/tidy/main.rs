//! Rules of the code base that the compiler cannot check, checked by reading the sources: which
//! module may use which, where SQL and actix are allowed, and what must not be left behind.
//! docs/ARCHITECTURE.md gives the reasons.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

mod imports;
mod phrases;
mod source;

use std::collections::BTreeMap;

use source::{Findings, files, lines_with, relative, sources};

/// Characters in a line of code.
const COLUMNS_MAX: usize = 100;
/// Lines in a file, by the folder it is in.
const LINES_MAX: &[(&str, usize)] = &[("src/", 449), ("tests/", 700), ("benches/", 700)];
/// The modules that each module may use. A module that is not listed may use none.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("budget", &[]),
    ("analytics", &["domain"]),
    ("books", &["domain"]),
    ("rules", &["domain"]),
    ("clock", &["domain"]),
    ("config", &["domain"]),
    ("error", &["domain"]),
    ("telemetry", &["config"]),
    ("wire", &["domain", "error", "rules"]),
    ("store", &["books", "domain", "clock", "rules", "telemetry"]),
    (
        "service",
        &[
            "store",
            "analytics",
            "books",
            "rules",
            "domain",
            "rules",
            "wire",
            "error",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    // Streams are part of HTTP; their events come from the hub in `realtime`.
    (
        "http",
        &[
            "realtime",
            "budget",
            "service",
            "store",
            "analytics",
            "domain",
            "wire",
            "error",
            "clock",
            "config",
            "telemetry",
        ],
    ),
    ("webhooks", ABOVE_SERVICE),
    ("realtime", ABOVE_SERVICE),
    ("app", EVERYTHING),
    ("cli", EVERYTHING),
];
const ABOVE_SERVICE: &[&str] = &[
    "budget",
    "service",
    "store",
    "analytics",
    "domain",
    "wire",
    "error",
    "clock",
    "config",
    "telemetry",
];
const EVERYTHING: &[&str] = &[
    "app",
    "budget",
    "http",
    "webhooks",
    "realtime",
    "service",
    "store",
    "analytics",
    "domain",
    "wire",
    "error",
    "clock",
    "config",
    "telemetry",
];

/// The modules whose `mod.rs` states what they must not know.
const LAYERS: &[&str] = &[
    "domain",
    "analytics",
    "books",
    "rules",
    "store",
    "wire",
    "service",
    "http",
    "webhooks",
    "realtime",
];

#[test]
fn the_engine_the_books_and_the_rules_know_no_http_no_sql_and_no_clock() {
    let mut findings = Findings::default();
    for source in sources(&["src/analytics", "src/books", "src/domain", "src/rules"]) {
        for word in [
            "actix",
            "actix_web",
            "rusqlite",
            "r2d2",
            "SystemTime",
            "now_utc",
            "now_local",
            "Instant",
        ] {
            for line in lines_with(&source.text, word) {
                findings.add(&source.path, line, &format!("mentions {word}"));
            }
        }
    }
    findings.assert_none();
}

#[test]
fn only_the_store_has_sql() {
    let mut findings = Findings::default();
    for source in sources(&["src"]) {
        if source.path.starts_with("src/store/") {
            continue;
        }
        for (line, text) in &source.strings {
            let words: Vec<&str> = text.split_whitespace().collect();
            let is_update = words
                .windows(3)
                .any(|three| three[0].ends_with("UPDATE") && three[2] == "SET");
            let begins = |word: &str| lines_with(text, word).next().is_some();
            let pairs = ["INSERT INTO", "DELETE FROM", "REPLACE INTO"];
            if is_update || begins("SELECT") || begins("PRAGMA") || pairs.into_iter().any(begins) {
                findings.add(&source.path, *line, "SQL outside src/store");
            }
        }
        for word in ["rusqlite", "r2d2", "r2d2_sqlite", "rusqlite_migration"] {
            for line in lines_with(&source.code, word) {
                findings.add(&source.path, line, &format!("{word} outside src/store"));
            }
        }
    }
    findings.assert_none();
}

#[test]
fn only_the_http_layer_and_those_who_start_it_have_actix() {
    let mut findings = Findings::default();
    for source in sources(&["src"]) {
        if !matches!(source.module(), "http" | "app" | "cli" | "main") {
            for line in source.code.lines().enumerate() {
                if line.1.contains("actix") {
                    findings.add(&source.path, line.0 + 1, "actix outside src/http");
                }
            }
        }
    }
    findings.assert_none();
}

#[test]
fn only_the_extractor_reads_a_query_string() {
    let mut findings = Findings::default();
    for source in sources(&["src/http"]) {
        if source.path == "src/http/extract.rs" {
            continue;
        }
        for word in ["query_string", "uri().query()", "web::Query"] {
            for line in lines_with(&source.code, word) {
                let problem = format!("{word} outside src/http/extract.rs: declare a query");
                findings.add(&source.path, line, &problem);
            }
        }
    }
    findings.assert_none();
}

#[test]
fn imports_point_one_way() {
    let may_use: BTreeMap<&str, &[&str]> = MAY_USE.iter().copied().collect();
    let mut findings = Findings::default();
    for source in sources(&["src"]) {
        let module = source.module();
        let allowed = may_use.get(module).copied().unwrap_or_default();
        for (index, line) in source.code.lines().enumerate() {
            for (at, _) in line.match_indices("crate::") {
                let used = &line[at + "crate::".len()..];
                let end = used
                    .find(|c: char| !c.is_alphanumeric() && c != '_')
                    .unwrap_or(used.len());
                let used = &used[..end];
                if used.is_empty() {
                    let what = "name the module after crate::, so that the direction of the import is visible";
                    findings.add(&source.path, index + 1, what);
                } else if used != module && !allowed.contains(&used) {
                    let what = format!("{module} must not use {used}");
                    findings.add(&source.path, index + 1, &what);
                }
            }
        }
    }
    findings.assert_none();
}

#[test]
fn nothing_unwraps_outside_tests() {
    let mut findings = Findings::default();
    for source in sources(&["src"]) {
        for (index, line) in source.product_code().lines().enumerate() {
            if line.contains(".unwrap()") || line.contains(".unwrap_err()") {
                findings.add(&source.path, index + 1, "unwrap outside tests");
            }
        }
    }
    findings.assert_none();
}

#[test]
fn lines_and_files_are_short() {
    let mut findings = Findings::default();
    for source in sources(&["src", "tests", "benches"]) {
        let in_string = |line: usize| {
            let within = |(first, text): &(usize, String)| {
                (*first..=*first + text.matches('\n').count()).contains(&line)
            };
            source.strings.iter().any(within)
        };
        for (index, line) in source.text.lines().enumerate() {
            let is_long = line.chars().count() > COLUMNS_MAX;
            if is_long && !line.contains("://") && !in_string(index + 1) {
                let what = format!("longer than {COLUMNS_MAX} columns");
                findings.add(&source.path, index + 1, &what);
            }
        }
        let lines = source.text.lines().count();
        let folder = |(folder, _): &&(&str, usize)| source.path.starts_with(folder);
        let (_, most) = LINES_MAX.iter().find(folder).unwrap();
        if lines > *most {
            findings.add(&source.path, lines, &format!("longer than {most} lines"));
        }
    }
    findings.assert_none();
}

#[test]
fn nothing_is_left_for_later() {
    let mut findings = Findings::default();
    for source in sources(&["src", "tests", "benches"]) {
        // This file names the words.
        if source.path == "tests/tidy/main.rs" {
            continue;
        }
        for word in [
            "TODO",
            "FIXME",
            "XXX",
            "HACK",
            "todo!",
            "unimplemented!",
            "dbg!",
        ] {
            for line in lines_with(&source.text, word) {
                findings.add(&source.path, line, &format!("{word} is left"));
            }
        }
    }
    findings.assert_none();
}

#[test]
fn every_module_says_what_it_is_for_and_every_layer_what_it_must_not_know() {
    let mut findings = Findings::default();
    for source in sources(&["src", "tests", "benches"]) {
        if !source.text.starts_with("//! ") && !source.path.starts_with("tests/api/") {
            findings.add(&source.path, 1, "does not start with what it is for");
        }
        let is_layer = LAYERS
            .iter()
            .any(|layer| source.path == format!("src/{layer}/mod.rs"));
        let header = source
            .text
            .lines()
            .take_while(|line| line.starts_with("//!"));
        if is_layer
            && !header
                .into_iter()
                .any(|line| line.contains("Must not know"))
        {
            findings.add(&source.path, 1, "does not state what it must not know");
        }
    }
    findings.assert_none();
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let mut findings = Findings::default();
    for path in files(&["", "src", "tests", "benches", "docs"]) {
        // In a worktree this file points to the repository.
        if path.ends_with(".git") {
            continue;
        }
        // Images and other binary files are skipped.
        let Ok(text) = std::fs::read_to_string(&path) else {
            continue;
        };
        for folder in ["home", "root", "work", "tmp", "Users", "mnt"] {
            let place = format!("/{folder}/");
            for (index, line) in text.lines().enumerate() {
                let is_absolute = |(at, _): (usize, &str)| {
                    let before = line[..at].chars().next_back();
                    before.is_none_or(|c| !c.is_alphanumeric() && !"_-.}/>*)".contains(c))
                };
                if line.match_indices(&place).any(is_absolute) {
                    findings.add(&relative(&path), index + 1, &format!("names {place}"));
                }
            }
        }
    }
    findings.assert_none();
}
