//! Takes the spaces out of a script that only its readers need: comments, indentation, blanks beside
//! punctuation, and line breaks within a statement. Strings, templates and regular expressions stay
//! as they are, and so do names, so that an error in a browser's console can be found in the sources.
//!
//! Every statement has to end with a semicolon or a brace, which the formatter sees to.

use anyhow::{Context as _, Result, bail};

/// Words after which a slash begins a regular expression.
const BEFORE_VALUES: [&str; 14] = [
    "await",
    "case",
    "delete",
    "do",
    "else",
    "in",
    "instanceof",
    "new",
    "of",
    "return",
    "throw",
    "typeof",
    "void",
    "yield",
];

/// A piece of a script.
enum Piece<'a> {
    /// Blanks and comments, and whether a line ends in them.
    Blank { has_break: bool },
    /// What is kept as it is.
    Text(&'a str),
}

/// Returns a script with the same meaning.
pub(super) fn squeeze(script: &str) -> Result<String> {
    let mut reader = Reader::new(script);
    let mut kept = String::with_capacity(script.len());
    let mut gap = None;
    while let Some(piece) = reader.next()? {
        match piece {
            Piece::Blank { has_break } => gap = Some(gap.unwrap_or(false) || has_break),
            Piece::Text(text) => {
                if let Some(has_break) = gap.take() {
                    kept.push_str(between(&kept, text, has_break));
                }
                kept.push_str(text);
            }
        }
    }
    if gap == Some(true) && !kept.is_empty() {
        kept.push('\n');
    }
    Ok(kept)
}

/// What has to be between two pieces that blanks separate.
fn between(before: &str, after: &str, has_break: bool) -> &'static str {
    let (Some(last), Some(first)) = (before.chars().next_back(), after.chars().next()) else {
        return "";
    };
    if has_break && matches!(last, ';' | '{' | '}') {
        "\n"
    } else if is_word(last) && is_word(first) || last == first && "+-/".contains(last) {
        " "
    } else {
        ""
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

fn is_break(letter: char) -> bool {
    matches!(letter, '\n' | '\r')
}

struct Reader<'a> {
    rest: &'a str,
    /// The last piece that is no blank.
    last: &'a str,
    /// Whether the last piece is the name of a property, whatever word it is.
    is_property: bool,
    /// For each template that is open, the braces that are open in its present expression.
    templates: Vec<usize>,
}

impl<'a> Reader<'a> {
    fn new(script: &'a str) -> Self {
        Self {
            rest: script,
            last: "",
            is_property: false,
            templates: Vec::new(),
        }
    }

    fn next(&mut self) -> Result<Option<Piece<'a>>> {
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let blank = self.blank();
        if blank > 0 {
            let has_break = self.take(blank).contains('\n');
            return Ok(Some(Piece::Blank { has_break }));
        }
        let end = match first {
            '"' | '\'' => self.quoted(first)?,
            '`' => self.template()?,
            '}' if self.templates.last() == Some(&0) => {
                self.templates.pop();
                self.template()?
            }
            '/' if self.is_value_next()? => self.expression()?,
            letter if is_word(letter) => {
                let end = self.rest.find(|letter| !is_word(letter));
                end.unwrap_or(self.rest.len())
            }
            _ => self.sign(first),
        };
        self.is_property = matches!(self.last, "." | "#");
        self.last = self.take(end);
        Ok(Some(Piece::Text(self.last)))
    }

    fn take(&mut self, end: usize) -> &'a str {
        let (piece, rest) = self.rest.split_at(end);
        self.rest = rest;
        piece
    }

    /// The length of blanks, or of a comment, that come next.
    fn blank(&self) -> usize {
        let rest = self.rest;
        if rest.starts_with("//") {
            return rest.find('\n').unwrap_or(rest.len());
        }
        if rest.starts_with("/*") {
            return rest.find("*/").map_or(rest.len(), |end| end + 2);
        }
        rest.len() - rest.trim_start().len()
    }

    /// The length of a sign; braces within the expression of a template are counted.
    fn sign(&mut self, sign: char) -> usize {
        let longer = ["...", "++", "--"];
        if let Some(whole) = longer.iter().find(|sign| self.rest.starts_with(**sign)) {
            return whole.len();
        }
        if let Some(open) = self.templates.last_mut() {
            match sign {
                '{' => *open += 1,
                '}' => *open -= 1,
                _ => (),
            }
        }
        sign.len_utf8()
    }

    /// The length of a string.
    fn quoted(&self, quote: char) -> Result<usize> {
        let found = self.unescaped(1, |letter| letter == quote || is_break(letter));
        found
            .filter(|end| self.rest[..*end].ends_with(quote))
            .context("a string without an end in its line")
    }

    /// The length of a template, or of its part up to the next expression.
    fn template(&mut self) -> Result<usize> {
        let mut from = 1;
        loop {
            let end = self.unescaped(from, |letter| letter == '`' || letter == '$');
            let end = end.context("a template without an end")?;
            if self.rest[..end].ends_with('`') {
                return Ok(end);
            }
            if self.rest[end..].starts_with('{') {
                self.templates.push(0);
                return Ok(end + 1);
            }
            from = end;
        }
    }

    /// The length of a regular expression.
    fn expression(&self) -> Result<usize> {
        let mut is_in_class = false;
        let end = self.unescaped(1, |letter| {
            match letter {
                '[' => is_in_class = true,
                ']' => is_in_class = false,
                _ => (),
            }
            letter == '/' && !is_in_class
        });
        end.filter(|end| !self.rest[..*end].contains(is_break))
            .context("a regular expression without an end in its line")
    }

    /// The end of the first character, from a place on, that is not escaped and is the one wanted.
    fn unescaped(&self, from: usize, mut is_wanted: impl FnMut(char) -> bool) -> Option<usize> {
        let mut letters = self.rest[from..].char_indices();
        while let Some((at, letter)) = letters.next() {
            if letter == '\\' {
                letters.next();
            } else if is_wanted(letter) {
                return Some(from + at + letter.len_utf8());
            }
        }
        None
    }

    /// Whether a slash begins a regular expression, and does not divide.
    fn is_value_next(&self) -> Result<bool> {
        match self.last {
            "}" => bail!("a slash after a brace: put the regular expression into a constant"),
            "++" | "--" => bail!("a slash after {}: put the value into a constant", self.last),
            _ => (),
        }
        let is_value = self.last == "/" || BEFORE_VALUES.contains(&self.last) && !self.is_property;
        let ends_value = |letter: char| is_word(letter) || ")]\"'`/".contains(letter);
        Ok(is_value || !self.last.ends_with(ends_value))
    }
}
