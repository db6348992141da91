//! Unique words, and the search for remains of them in files.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// The number of consecutive bytes of a word that are searched for.
const PART: usize = 8;
/// The same for digits: the last eight of a time in milliseconds take every value once a day.
const DIGITS: usize = 11;

/// Generates words of random letters, the same ones for the same seed.
pub(super) struct Words(fastrand::Rng);

impl Words {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    /// One word with the given number of letters.
    pub(super) fn plain(&mut self, letters: usize) -> String {
        (0..letters).map(|_| self.0.lowercase()).collect()
    }

    /// Text with characters that take several bytes in JSON and UTF-8, about this long.
    pub(super) fn text(&mut self, letters: usize) -> String {
        let mut text = self.plain(12);
        for special in ['é', '"', '\u{1d11e}'].iter().cycle() {
            if text.len() >= letters {
                break;
            }
            text.push(*special);
            text += &self.plain(20);
        }
        text
    }

    pub(super) fn number(&mut self, below: usize) -> usize {
        self.0.usize(..below)
    }
}

/// Words, and every part of them, to search for.
pub(super) struct Search {
    parts: HashMap<Vec<u8>, String>,
    lengths: BTreeSet<usize>,
    /// Whether a part begins with these two bytes, so that most places need no further comparison.
    begins: Vec<bool>,
}

impl Search {
    /// Searches for every part that consists of letters or of digits, so that it is the same in
    /// UTF-8, JSON and CSV, and is in no other words.
    pub(super) fn of<'a>(words: impl IntoIterator<Item = &'a String>) -> Self {
        let mut search = Self::whole(&[]);
        for word in words {
            let before = search.parts.len();
            let letters = word.as_bytes().windows(PART);
            for part in letters.filter(|part| part.iter().all(u8::is_ascii_alphabetic)) {
                search.add(part, word);
            }
            let digits = word.as_bytes().windows(DIGITS);
            for part in digits.filter(|part| part.iter().all(u8::is_ascii_digit)) {
                search.add(part, word);
            }
            assert!(search.parts.len() > before, "{word} has no part of its own");
        }
        search
    }

    /// Searches for whole words.
    pub(super) fn whole(words: &[&str]) -> Self {
        let mut search = Self {
            parts: HashMap::new(),
            lengths: BTreeSet::new(),
            begins: vec![false; 1 << 16],
        };
        for word in words {
            search.add(word.as_bytes(), word);
        }
        search
    }

    fn add(&mut self, part: &[u8], word: &str) {
        self.begins[begin(part)] = true;
        self.lengths.insert(part.len());
        self.parts.insert(part.to_vec(), word.to_owned());
    }

    /// The first place of a match.
    pub(super) fn find(&self, bytes: &[u8]) -> Option<String> {
        let places = bytes.windows(2).enumerate();
        let begins = places.filter(|(_, two)| self.begins[begin(two)]);
        let mut found = begins.filter_map(|(place, _)| {
            let (part, word) = self.lengths.iter().find_map(|length| {
                let part = bytes.get(place..place + length)?;
                Some((part, self.parts.get(part)?))
            })?;
            let text = String::from_utf8_lossy(part);
            Some(format!("{text:?} of {word:?} at byte {place}"))
        });
        found.next()
    }

    /// The first match in a file, if the file exists.
    pub(super) fn find_in(&self, path: &Path) -> Option<String> {
        let bytes = std::fs::read(path).ok()?;
        let found = self.find(&bytes)?;
        Some(format!("{}: {found}", path.display()))
    }
}

fn begin(part: &[u8]) -> usize {
    usize::from(part[0]) << 8 | usize::from(part[1])
}
