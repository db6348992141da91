//! Phrases that documentation, comments and messages avoid, each with what to write instead.
//!
//! A phrase is found in any case and across the lines of a paragraph; a full stop, a colon or the
//! like ends it.

use std::collections::HashMap;
use std::path::Path;

use crate::source::{Findings, Source, files, relative};

/// Files, and folders with their subfolders, that are read. Of Rust sources only comments and
/// string literals count, of everything else the whole text.
const PROSE: &[&str] = &[
    "CONTRIBUTING.md",
    "README.md",
    "SECURITY.md",
    "benches",
    "build",
    "build.rs",
    "config.toml",
    "docs",
    "packaging",
    "schema.sql",
    "src",
    "tests",
];

/// Files and folders that are not read: decisions are not edited, and this file names the phrases.
const EXCEPT: &[&str] = &[
    "docs/adr/",
    // The schema of version 0.1.0, as it was released.
    "src/store/file/migrations/v1.sql",
    "tests/tidy/phrases.rs",
];

/// Kinds of files that hold prose.
const KINDS: &[&str] = &["css", "html", "js", "md", "rs", "sql", "toml"];

/// A phrase to avoid, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("afresh", "again"),
    ("anew", "again; rebuild"),
    ("answers are kept", "idempotency records are saved"),
    ("are handed", "receive"),
    ("are told", "receive; are notified"),
    ("as it is told", "as configured"),
    ("became of", "the result of"),
    ("become of", "the result of"),
    ("becomes of", "the result of"),
    ("but for", "except"),
    ("by way of", "through"),
    ("by itself", "automatically; on its own"),
    ("by themselves", "automatically; on their own"),
    ("comes of it", "the result"),
    ("dice", "random numbers"),
    ("for good", "permanently"),
    ("give back", "return"),
    ("given back", "returned"),
    ("gives back", "returns"),
    ("go on with", "continue"),
    ("goes on with", "continues"),
    ("gone on with", "continued"),
    ("has its turn", "is scheduled"),
    ("have their turn", "are scheduled"),
    ("held against", "compared with"),
    ("hold against", "compare with"),
    ("holds against", "compares with"),
    ("in the place of", "in place of; instead of"),
    ("is handed", "receives"),
    ("is told", "receives; is notified"),
    ("kept answer", "replayed response; idempotency record"),
    ("kept answers", "replayed responses; idempotency records"),
    ("let go of", "release"),
    ("lets go", "releases"),
    ("no body is like", "an absent body is treated as"),
    ("of late", "recently"),
    ("of live alone", "only of live"),
    ("of the sandbox alone", "only of the sandbox"),
    ("put away", "archived; deleted"),
    ("put right", "repaired; corrected"),
    ("puts away", "archives; deletes"),
    ("right would be", "expected"),
    ("ring a bell", "notify; wake"),
    ("rings a bell", "notifies; wakes"),
    ("save for", "except"),
    ("so many", "a given number of"),
    ("stand in", "are in"),
    ("stands in", "is in"),
    ("takes its turn", "is scheduled"),
    ("taken out again", "restored"),
    ("that is to say", "(delete it)"),
    ("the answer is kept", "the idempotency record is saved"),
    ("the bell", "the notification"),
    ("who asks", "the caller"),
    ("whoever", "the caller; the client; the operator"),
    ("worked out", "computed"),
    ("works out", "computes"),
    ("write down", "save; record"),
    ("writes down", "saves; records"),
    ("written down", "saved; recorded"),
];

/// A word of a text in lower case with its line, or None where a sentence ends.
type Word = Option<(String, usize)>;

/// Splits a text into words. `first` is the number of its first line.
fn words(text: &str, first: usize, into: &mut Vec<Word>) {
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            into.push(None);
        }
        for part in line.split_whitespace() {
            let word = part.trim_matches(|c: char| !c.is_alphanumeric());
            if !word.is_empty() {
                into.push(Some((word.to_lowercase(), first + index)));
            }
            // A comma does not end a phrase, nor does what marks a line as a comment.
            let is_mark = matches!(part, "//" | "///" | "//!" | "/*" | "/**" | "*" | "#" | ">");
            let ends = part.ends_with(['.', ':', ';', '?', '!', ')', '"', '`', '>']);
            if ends && !is_mark {
                into.push(None);
            }
        }
    }
}

/// The prose of a file. Its parts are separated, except the lines of one comment.
fn prose(path: &str, text: String) -> Vec<Word> {
    let mut found = Vec::new();
    if path.ends_with("CHANGELOG.md") {
        // What has been released stays as it is.
        let released = text.match_indices("\n## ").nth(1).map(|(at, _)| at);
        words(&text[..released.unwrap_or(text.len())], 1, &mut found);
    } else if Path::new(path).extension().is_some_and(|kind| kind == "rs") {
        let source = Source::parse(path.to_owned(), text);
        let mut last = 0;
        for (line, comment) in &source.comments {
            if *line != last + 1 {
                found.push(None);
            }
            words(comment, *line, &mut found);
            last = *line;
        }
        for (line, string) in &source.strings {
            found.push(None);
            // A line that ends in a backslash goes on in the next one.
            words(&string.replace("\\\n", " \n"), *line, &mut found);
        }
    } else {
        words(&without_word_list(&text), 1, &mut found);
    }
    found
}

/// The text without its table of words to avoid, whose lines are left empty.
fn without_word_list(text: &str) -> String {
    let mut in_list = false;
    let mut rest = String::with_capacity(text.len());
    for line in text.lines() {
        in_list = line == "| use | not |" || (in_list && !line.is_empty());
        rest.push_str(if in_list { "" } else { line });
        rest.push('\n');
    }
    rest
}

/// The lines on which `phrase` begins. `places` has the places of each word.
fn lines_with_phrase(words: &[Word], places: &Places<'_>, phrase: &str) -> Vec<usize> {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let begins = |at: &&usize| {
        let window = words.get(**at..**at + phrase.len()).unwrap_or_default();
        let mut pairs = window.iter().zip(&phrase);
        window.len() == phrase.len()
            && pairs.all(|(word, wanted)| word.as_ref().is_some_and(|(word, _)| word == wanted))
    };
    let places = places.get(phrase[0]).map_or(&[][..], Vec::as_slice);
    let found = places.iter().filter(begins);
    found
        .filter_map(|at| words[*at].as_ref().map(|(_, line)| *line))
        .collect()
}

type Places<'a> = HashMap<&'a str, Vec<usize>>;

fn places(words: &[Word]) -> Places<'_> {
    let mut places = Places::new();
    for (at, word) in words.iter().enumerate() {
        if let Some((word, _)) = word {
            places.entry(word).or_default().push(at);
        }
    }
    places
}

#[test]
fn no_phrase_needs_decoding() {
    let mut findings = Findings::default();
    for path in PROSE.iter().flat_map(|place| files(&[place])) {
        let name = relative(&path);
        let kind = path.extension().and_then(|kind| kind.to_str());
        let is_prose = kind.is_some_and(|kind| KINDS.contains(&kind));
        if !is_prose || EXCEPT.iter().any(|except| name.starts_with(except)) {
            continue;
        }
        let words = prose(&name, std::fs::read_to_string(&path).unwrap());
        let places = places(&words);
        for (phrase, instead) in PHRASES {
            for line in lines_with_phrase(&words, &places, phrase) {
                findings.add(&name, line, &format!("\"{phrase}\" -> {instead}"));
            }
        }
    }
    findings.assert_none();
}

#[test]
fn a_phrase_is_found_across_lines_but_not_across_sentences() {
    let text =
        "/// It rings\n/// a Bell, twice.\nlet x = \"rings \\\n a bell\"; // rings.\n// A bell\n";
    let lines = |path: &str, text: &str| {
        let words = prose(path, text.to_owned());
        lines_with_phrase(&words, &places(&words), "rings a bell")
    };
    assert_eq!(lines("src/x.rs", text), [1, 3]);
    assert_eq!(lines("x.md", "He rings\n\na bell, rings\na bell.\n"), [3]);
}
