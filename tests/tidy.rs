//! The rules of the house that no compiler knows, held by reading the sources: who may know whom,
//! where SQL and actix may stand, and what must not be left lying about. docs and design say why;
//! here is only what.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Characters in a line of code.
const COLUMNS_MAX: usize = 100;
/// Lines in a file.
const LINES_MAX: usize = 700;

/// What each module may use of its neighbours. What is not listed may use nothing.
const MAY_USE: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("budget", &[]),
    ("analytics", &["domain"]),
    ("clock", &["domain"]),
    ("config", &["domain"]),
    ("error", &["domain"]),
    ("telemetry", &["config"]),
    ("wire", &["domain", "error"]),
    ("store", &["domain", "clock", "telemetry"]),
    (
        "service",
        &[
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
    // Streams are HTTP's: what they show comes from the hub.
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

/// The modules whose `mod.rs` says what they must not know.
const LAYERS: &[&str] = &[
    "domain",
    "analytics",
    "store",
    "wire",
    "service",
    "http",
    "webhooks",
    "realtime",
];

/// A source file, taken apart. Each part keeps the line breaks, so that lines have their numbers.
struct Source {
    /// From the root of the package, with slashes.
    path: String,
    text: String,
    /// Without comments and without what stands in string literals.
    code: String,
    /// What stands in string literals, each with its first line.
    strings: Vec<(usize, String)>,
}

impl Source {
    /// The module of the library that the file belongs to.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or_default();
        let end = inside.find(['/', '.']).unwrap_or(inside.len());
        &inside[..end]
    }

    /// The code before the unit tests.
    fn product_code(&self) -> &str {
        let end = self.code.find("#[cfg(test)]").unwrap_or(self.code.len());
        &self.code[..end]
    }
}

/// What is wrong, a line each.
#[derive(Default)]
struct Findings(String);

impl Findings {
    fn add(&mut self, path: &str, line: usize, what: &str) {
        writeln!(self.0, "{path}:{line}: {what}").unwrap();
    }

    #[track_caller]
    fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the given folders, or that folder's files alone for `""`.
fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, bool)> = folders
        .iter()
        .map(|folder| (root().join(folder), !folder.is_empty()))
        .collect();
    while let Some((folder, deep)) = folders.pop() {
        // A folder that does not exist yet holds nothing to complain about.
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                found.push(path);
            } else if deep {
                folders.push((path, true));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_str().unwrap().replace('\\', "/")
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let paths = files(folders)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    let sources: Vec<Source> = paths
        .map(|path| take_apart(relative(&path), std::fs::read_to_string(&path).unwrap()))
        .collect();
    assert!(sources.len() > 3, "the sources are where this test looks");
    sources
}

/// Splits a source into code and string literals.
fn take_apart(path: String, text: String) -> Source {
    let (mut code, mut strings) = (String::new(), Vec::new());
    let (mut rest, mut line) = (text.as_str(), 1);
    while !rest.is_empty() {
        let (length, is_string, is_code) = token(rest);
        let (part, after) = rest.split_at(length);
        if is_string {
            strings.push((line, part.to_owned()));
        }
        if is_code {
            code.push_str(part);
        } else {
            code.extend(part.chars().filter(|c| *c == '\n'));
        }
        line += part.matches('\n').count();
        rest = after;
    }
    Source {
        path,
        text,
        code,
        strings,
    }
}

/// The length of the token that `text` begins with, whether it is a string, whether it is code.
fn token(text: &str) -> (usize, bool, bool) {
    let until = |end: &str, from: usize| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    let first = text.chars().next().unwrap();
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), false, false);
    }
    if text.starts_with("/*") {
        return (until("*/", 2), false, false);
    }
    let raw = text
        .strip_prefix('r')
        .map(|rest| rest.trim_start_matches('#'));
    if let Some(rest) = raw.filter(|rest| rest.starts_with('"')) {
        let hashes = text.len() - rest.len() - 1;
        return (
            until(&format!("\"{}", "#".repeat(hashes)), hashes + 2),
            true,
            false,
        );
    }
    if first == '"' {
        let mut escaped = false;
        let end = text[1..].find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return (end.map_or(text.len(), |at| at + 2), true, false);
    }
    if first == '\'' {
        // A character, unless it is a lifetime.
        let inside = if text[1..].starts_with('\\') { 2 } else { 1 };
        let end = text[inside..]
            .char_indices()
            .nth(1)
            .map(|(at, _)| inside + at);
        if let Some(end) = end.filter(|end| text[*end..].starts_with('\'')) {
            return (end + 1, false, false);
        }
        return (1, false, true);
    }
    if first.is_alphanumeric() || first == '_' {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        // b"…" is a string with a letter before it.
        return (end.unwrap_or(text.len()), false, true);
    }
    (first.len_utf8(), false, true)
}

/// The lines, numbered from 1, that hold `word` as a whole word.
fn lines_with<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_part = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.lines().enumerate().filter_map(move |(index, line)| {
        let found = line.match_indices(word).any(|(at, _)| {
            !is_part(line[..at].chars().next_back())
                && !is_part(line[at + word.len()..].chars().next())
        });
        found.then_some(index + 1)
    })
}

#[test]
fn a_source_is_taken_apart_rightly() {
    let text = "let a = \"x // \\\" y\"; // \"no\"\nlet b = r#\"raw \" z\"#; let c = '\"'; &'a str /* \"q\" */";
    let source = take_apart("src/x.rs".to_owned(), text.to_owned());
    assert_eq!(
        source.strings,
        [
            (1, "\"x // \\\" y\"".to_owned()),
            (2, "r#\"raw \" z\"#".to_owned())
        ]
    );
    assert_eq!(source.code, "let a = ; \nlet b = ; let c = ; &'a str ");
}

#[test]
fn the_engine_and_the_rules_know_no_http_no_sql_and_no_clock() {
    let mut findings = Findings::default();
    for source in sources(&["src/analytics", "src/domain"]) {
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
                    let what = "name the module after crate::, so that its direction shows";
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
            let is_excused = line.contains("://") || in_string(index + 1);
            if line.chars().count() > COLUMNS_MAX && !is_excused {
                let what = format!("longer than {COLUMNS_MAX} columns");
                findings.add(&source.path, index + 1, &what);
            }
        }
        let lines = source.text.lines().count();
        if lines > LINES_MAX {
            findings.add(
                &source.path,
                lines,
                &format!("longer than {LINES_MAX} lines"),
            );
        }
    }
    findings.assert_none();
}

#[test]
fn nothing_is_left_for_later() {
    let mut findings = Findings::default();
    for source in sources(&["src", "tests", "benches"]) {
        // This file has to say the words.
        if source.path == "tests/tidy.rs" {
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
            findings.add(&source.path, 1, "says nowhere what it is for");
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
            findings.add(&source.path, 1, "says nowhere what it must not know");
        }
    }
    findings.assert_none();
}

#[test]
fn no_file_names_a_place_on_somebodys_machine() {
    let mut findings = Findings::default();
    for path in files(&["", "src", "tests", "benches", "docs"]) {
        // Not text, such as an image: it names no place.
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
