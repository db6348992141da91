//! Source files, split into code, comments and string literals.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// A source file. Each part keeps the line breaks, so that line numbers stay the same.
pub(crate) struct Source {
    /// Relative to the root of the package, with slashes.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Without comments, string literals and character literals.
    pub(crate) code: String,
    /// String literals, each with the number of its first line.
    pub(crate) strings: Vec<(usize, String)>,
    /// Comments, each with the number of its first line.
    pub(crate) comments: Vec<(usize, String)>,
}

impl Source {
    /// The module of the library that the file belongs to.
    pub(crate) fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or_default();
        let end = inside.find(['/', '.']).unwrap_or(inside.len());
        &inside[..end]
    }

    /// The code before the unit tests.
    pub(crate) fn product_code(&self) -> &str {
        if self.path.contains("/tests/") {
            return "";
        }
        let end = self.code.find("#[cfg(test)]").unwrap_or(self.code.len());
        &self.code[..end]
    }

    /// Splits the text of a file.
    pub(crate) fn parse(path: String, text: String) -> Self {
        let (mut code, mut strings, mut comments) = (String::new(), Vec::new(), Vec::new());
        let (mut rest, mut line) = (text.as_str(), 1);
        while !rest.is_empty() {
            let (length, kind) = token(rest);
            let (part, after) = rest.split_at(length);
            match kind {
                Kind::Code => code.push_str(part),
                Kind::String => strings.push((line, part.to_owned())),
                Kind::Comment => comments.push((line, part.to_owned())),
                Kind::Character => (),
            }
            let breaks = part.matches('\n').count();
            if !matches!(kind, Kind::Code) {
                code.push_str(&"\n".repeat(breaks));
            }
            line += breaks;
            rest = after;
        }
        Self {
            path,
            text,
            code,
            strings,
            comments,
        }
    }
}

enum Kind {
    Code,
    String,
    Comment,
    Character,
}

/// The length and the kind of the token that `text` begins with.
fn token(text: &str) -> (usize, Kind) {
    let until = |end: &str, from: usize| {
        text[from..]
            .find(end)
            .map_or(text.len(), |at| from + at + end.len())
    };
    let first = text.chars().next().unwrap();
    if text.starts_with("//") {
        return (text.find('\n').unwrap_or(text.len()), Kind::Comment);
    }
    if text.starts_with("/*") {
        return (until("*/", 2), Kind::Comment);
    }
    let raw = text
        .strip_prefix('r')
        .map(|rest| rest.trim_start_matches('#'));
    if let Some(rest) = raw.filter(|rest| rest.starts_with('"')) {
        let hashes = text.len() - rest.len() - 1;
        let end = format!("\"{}", "#".repeat(hashes));
        return (until(&end, hashes + 2), Kind::String);
    }
    if first == '"' {
        let mut escaped = false;
        let end = text[1..].find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        });
        return (end.map_or(text.len(), |at| at + 2), Kind::String);
    }
    if first == '\'' {
        // A character, unless it is a lifetime.
        let inside = if text[1..].starts_with('\\') { 2 } else { 1 };
        let end = text[inside..]
            .char_indices()
            .nth(1)
            .map(|(at, _)| inside + at);
        if let Some(end) = end.filter(|end| text[*end..].starts_with('\'')) {
            return (end + 1, Kind::Character);
        }
        return (1, Kind::Code);
    }
    if first.is_alphanumeric() || first == '_' {
        // A prefix such as that of b"…" counts as code.
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_');
        return (end.unwrap_or(text.len()), Kind::Code);
    }
    (first.len_utf8(), Kind::Code)
}

/// Violations, one per line.
#[derive(Default)]
pub(crate) struct Findings(String);

impl Findings {
    pub(crate) fn add(&mut self, path: &str, line: usize, what: &str) {
        writeln!(self.0, "{path}:{line}: {what}").unwrap();
    }

    #[track_caller]
    pub(crate) fn assert_none(self) {
        assert!(self.0.is_empty(), "\n{}", self.0);
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file in the given folders and their subfolders, and the given files themselves. `""`
/// stands for the root of the package, without its subfolders.
pub(crate) fn files(folders: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders: Vec<(PathBuf, bool)> = folders
        .iter()
        .map(|folder| (root().join(folder), !folder.is_empty()))
        .collect();
    found.extend(
        folders
            .extract_if(.., |(path, _)| path.is_file())
            .map(|(path, _)| path),
    );
    while let Some((folder, is_deep)) = folders.pop() {
        // A folder that does not exist has no files.
        for entry in folder.read_dir().into_iter().flatten() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                found.push(path);
            } else if is_deep {
                folders.push((path, true));
            }
        }
    }
    found.sort();
    found
}

/// The path below the root of the package, with slashes.
pub(crate) fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap();
    path.to_str().unwrap().replace('\\', "/")
}

/// Every Rust file in the given folders.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let paths = files(folders)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|ext| ext == "rs"));
    let sources: Vec<Source> = paths
        .map(|path| Source::parse(relative(&path), std::fs::read_to_string(&path).unwrap()))
        .collect();
    assert!(sources.len() > 3, "no Rust files in {folders:?}");
    sources
}

/// The numbers, from 1, of the lines that contain `word` as a whole word.
pub(crate) fn lines_with<'a>(text: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
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
    let source = Source::parse("src/x.rs".to_owned(), text.to_owned());
    assert_eq!(
        source.strings,
        [
            (1, "\"x // \\\" y\"".to_owned()),
            (2, "r#\"raw \" z\"#".to_owned())
        ]
    );
    assert_eq!(
        source.comments,
        [(1, "// \"no\"".to_owned()), (2, "/* \"q\" */".to_owned())]
    );
    assert_eq!(source.code, "let a = ; \nlet b = ; let c = ; &'a str ");
}
