//! Phrases that documentation, comments and messages avoid, each with what to write instead.
//!
//! A phrase is found in any case and across the lines of a paragraph; a full stop, a colon or the
//! like ends it.

use crate::source::{Findings, Source, files, relative};

/// Files, and folders with their subfolders, that are read. Of Rust sources only comments and
/// string literals count, of everything else the whole text.
const PROSE: &[&str] = &[
    "benches",
    "build",
    "build.rs",
    "src/http/dashboard",
    "tests",
];

/// Files below these that are not read: decisions and snapshots are not edited, and this file names
/// the phrases.
const EXCEPT: &[&str] = &["docs/adr/", "tests/tidy/phrases.rs"];

/// Kinds of files that hold prose.
const KINDS: &[&str] = &["css", "html", "js", "md", "rs", "sql", "toml"];

/// What not to write, and what to write instead.
const PHRASES: &[(&str, &str)] = &[
    ("for good", "permanently"),
    ("no body is like", "an absent body is treated as"),
    ("of the sandbox alone", "only of the sandbox"),
    ("rings a bell", "notifies; wakes"),
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
    } else if path.ends_with(".rs") {
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
        words(&text, 1, &mut found);
    }
    found
}

/// The lines on which `phrase` begins.
fn lines_with_phrase(words: &[Word], phrase: &str) -> Vec<usize> {
    let phrase: Vec<&str> = phrase.split(' ').collect();
    let begins = |window: &&[Word]| {
        let mut pairs = window.iter().zip(&phrase);
        pairs.all(|(word, wanted)| word.as_ref().is_some_and(|(word, _)| word == wanted))
    };
    let windows = words.windows(phrase.len()).filter(begins);
    windows
        .filter_map(|window| window[0].as_ref().map(|(_, line)| *line))
        .collect()
}

#[test]
fn no_phrase_needs_decoding() {
    let mut findings = Findings::default();
    for path in PROSE.iter().flat_map(|place| files(&[place])) {
        let name = relative(&path);
        let is_prose = KINDS.iter().any(|kind| name.ends_with(&format!(".{kind}")));
        if !is_prose || EXCEPT.iter().any(|except| name.starts_with(except)) {
            continue;
        }
        let words = prose(&name, std::fs::read_to_string(&path).unwrap());
        for (phrase, instead) in PHRASES {
            for line in lines_with_phrase(&words, phrase) {
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
    let found = prose("src/x.rs", text.to_owned());
    assert_eq!(lines_with_phrase(&found, "rings a bell"), [1, 3]);
    let found = prose("x.md", "He rings\n\na bell, rings\na bell.\n".to_owned());
    assert_eq!(lines_with_phrase(&found, "rings a bell"), [3]);
}
