//! Search terms: text folded so that case, accents and forms of writing do not matter, and split
//! into terms.
//!
//! Folding decomposes the text by compatibility, drops marks and applies full case folding. A word
//! ends at any character that is neither a letter nor a digit. A term is a word, or the rest of a
//! word from an ideograph on, because no space separates the parts of such a name. A symbol, such
//! as an emoji, is a term. Phone numbers have their own terms, see `contact`.

use icu_casemap::CaseMapper;
use icu_normalizer::DecomposingNormalizer;
use icu_properties::CodePointMapData;
use icu_properties::props::{GeneralCategory, GeneralCategoryGroup};

use super::contact::{number_beginnings, only_digits};
use super::text::check;
use super::{Blanks, Invalid, TextRule};

/// Characters of a term that are compared.
const TERM_CHARS: usize = 64;
/// Terms of one text that a search can find.
const TEXT_TERMS: usize = 32;

/// The terms of a text, sorted and without repetition. An extraordinarily long text is cut off.
pub fn terms(text: &str) -> Vec<String> {
    let mut terms = words(text, Split::EveryBeginning);
    terms.truncate(TEXT_TERMS);
    terms.sort_unstable();
    terms.dedup();
    terms
}

/// The terms that a list is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    terms: Vec<Vec<String>>,
}

impl Search {
    /// The most terms.
    pub const TERMS_MAX: usize = 16;
    /// The rule for the text.
    pub const RULE: TextRule = TextRule {
        least: 0,
        most: 255,
        lines: false,
        blanks: Blanks::Kept,
    };

    /// Reads the text given as `field`.
    ///
    /// # Errors
    /// [`Invalid`] if it is longer than 255 characters, has control characters or more than
    /// [`Search::TERMS_MAX`] words.
    pub fn parse(field: &str, text: &str) -> Result<Self, Invalid> {
        check(field, text, Self::RULE)?;
        let words = words(text, Split::Words);
        if words.len() > Self::TERMS_MAX {
            let most = format!("must have at most {} words", Self::TERMS_MAX);
            return Err(Invalid::new(field, most));
        }
        let number = only_digits(text).filter(|_| words.len() > 1);
        let beginnings = |word: String| {
            let digits = only_digits(&word);
            let numbers = digits.iter().chain(&number);
            let numbers: Vec<String> = numbers.flat_map(|n| number_beginnings(n)).collect();
            std::iter::once(word).chain(numbers).collect()
        };
        let mut terms: Vec<Vec<String>> = words.into_iter().map(beginnings).collect();
        terms.sort_unstable();
        terms.dedup();
        Ok(Self { terms })
    }

    /// The terms, all of which must be found. Each is a list: first the folded word, then, if it
    /// may be part of a phone number, beginnings of the terms of such numbers; one of them must be
    /// found. A text without terms, such as punctuation, finds nothing.
    pub fn terms(&self) -> &[Vec<String>] {
        &self.terms
    }

    /// The word, folded, if there is only one.
    pub fn only_word(&self) -> Option<&str> {
        match self.terms.as_slice() {
            [term] => term.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether each term is a prefix of some term of the texts.
    pub fn finds(&self, texts: &[&str]) -> bool {
        let found: Vec<String> = texts.iter().flat_map(|text| terms(text)).collect();
        !self.terms.is_empty() && self.terms.iter().all(|term| begins(term, &found))
    }
}

/// Whether one of the beginnings of a searched term is a prefix of a term that was found.
pub fn begins(term: &[String], found: &[String]) -> bool {
    let is_found = |start: &String| found.iter().any(|own| own.starts_with(start));
    term.iter().any(is_found)
}

/// The places where terms begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Split {
    /// At words.
    Words,
    /// At words, and at each ideograph within one.
    EveryBeginning,
}

fn words(text: &str, split: Split) -> Vec<String> {
    let mut terms = Vec::new();
    if text.is_ascii() {
        // The usual case, which needs no folding of marks or forms.
        for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
            if !word.is_empty() {
                terms.push(cut(word).to_ascii_lowercase());
            }
        }
        return terms;
    }
    let folded = fold(text);
    let mut begin = None;
    for (place, c) in folded.char_indices() {
        if c.is_alphanumeric() {
            begin.get_or_insert(place);
            continue;
        }
        if let Some(begin) = begin.take() {
            add(&folded[begin..place], split, &mut terms);
        }
        if category(c) == GeneralCategory::OtherSymbol {
            terms.push(c.to_string());
        }
    }
    if let Some(begin) = begin {
        add(&folded[begin..], split, &mut terms);
    }
    terms
}

/// Adds the terms of one word.
fn add(word: &str, split: Split, terms: &mut Vec<String>) {
    terms.push(cut(word).to_owned());
    if split == Split::EveryBeginning {
        let later = word
            .char_indices()
            .skip(1)
            .filter(|(_, c)| is_ideograph(*c));
        for (place, _) in later.take(TEXT_TERMS) {
            terms.push(cut(&word[place..]).to_owned());
        }
    }
}

/// Folds a text: decomposed, without marks, in one case.
fn fold(text: &str) -> String {
    let normalizer = DecomposingNormalizer::new_nfkd();
    let decomposed = normalizer.normalize(text);
    let folded = CaseMapper::new().fold_string(&decomposed).into_owned();
    // Case folding may compose characters or add a mark, as for a capital I with a dot.
    let again = normalizer.normalize(&folded);
    again.chars().filter(|c| !is_dropped(*c)).collect()
}

/// Whether a character is dropped: a mark, or a control of how text is shown.
fn is_dropped(c: char) -> bool {
    let category = category(c);
    GeneralCategoryGroup::Mark.contains(category) || category == GeneralCategory::Format
}

fn category(c: char) -> GeneralCategory {
    CodePointMapData::<GeneralCategory>::new().get(c)
}

/// Whether a character is a unified ideograph, which may begin a part of a name without a space
/// before it. Compatibility ideographs are decomposed to these.
fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3005}'..='\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{20000}'..='\u{3FFFD}')
}

/// The part of a term that is compared.
fn cut(term: &str) -> &str {
    let end = term.char_indices().nth(TERM_CHARS);
    end.map_or(term, |(end, _)| &term[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_found(text: &str, searches: &[&str]) {
        for search in searches {
            let parsed = Search::parse("search", search).unwrap();
            assert!(
                parsed.finds(&[text]),
                "{search} in {text}: {parsed:?} {:?}",
                terms(text)
            );
        }
    }

    #[track_caller]
    fn assert_not_found(text: &str, searches: &[&str]) {
        for search in searches {
            let parsed = Search::parse("search", search).unwrap();
            assert!(
                !parsed.finds(&[text]),
                "{search} in {text}: {:?}",
                terms(text)
            );
        }
    }

    #[test]
    fn case_accents_and_forms_do_not_count() {
        assert_found("Ärzte", &["ärzte", "ARZTE", "a\u{308}rz", "Ａｒｚｔｅ"]);
        assert_found("Γιώργος", &["γιωργος", "ΓΙΩΡΓΟΣ", "γιωργοσ"]);
        assert_found("JOSÉ", &["jose", "Jose\u{301}", "josé"]);
        assert_found("Straße", &["strasse", "STRASSE", "straẞe"]);
        assert_found("İstanbul", &["istanbul", "ISTANBUL", "i\u{307}stanbul"]);
        assert_found("Сергей", &["сергеи", "СЕРГЕЙ", "Сергеи\u{306}"]);
        assert_found("ﬁnn", &["finn", "FIN"]);
        assert_found("한국어", &["한국", "하", "\u{1112}\u{1161}\u{11ab}"]);
        assert_found("مُحَمَّد", &["محمد"]);
        assert_found("שָׁלוֹם", &["שלום"]);
        assert_found("ガンダム", &["ｶﾞﾝﾀﾞﾑ", "カンタム"]);
        assert_found("نامه\u{200c}ای", &["نامهای"]);
    }

    #[test]
    fn a_term_begins_a_word_or_is_an_ideograph_on() {
        assert_found("user_42", &["user", "42", "USE", "42 user", "user_42"]);
        assert_not_found("user_42", &["ser", "2", "user42", "43", ""]);
        assert_found("王小明", &["王", "小明", "明", "王小明"]);
        assert_not_found("王小明", &["王明", "大"]);
        assert_found("Ada🦊 O'Brien", &["🦊", "ada", "o brien", "BRIEN 🦊"]);
        assert_not_found("100%", &["%", "_", "'", "\"", "*", "\\", "-", "00"]);
    }

    #[test]
    fn digits_may_be_a_phone_number() {
        let of = |text: &str| Search::parse("search", text).unwrap().terms;
        let strings = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let only = |texts: &[&str]| vec![strings(texts)];
        assert_eq!(of("ada"), only(&["ada"]));
        assert_eq!(of("a42"), only(&["a42"]));
        assert_eq!(of("042"), only(&["042", "+42"]));
        assert_eq!(of("+4567"), only(&["4567", "+4567", "-7654"]));
        let both = ["+694123", "-321496"];
        let expected: [Vec<String>; 2] = [
            strings(&["123", "+123", both[0], both[1]]),
            strings(&["694", "+694", both[0], both[1]]),
        ];
        assert_eq!(of("694 123"), expected);
        assert_eq!(of("(694)-123"), expected);
        let expected: [Vec<String>; 2] = [strings(&["694", "+694"]), strings(&["ada"])];
        assert_eq!(of("ada 694"), expected);
    }

    #[test]
    fn terms_are_bounded() {
        let long = "x".repeat(255);
        assert_eq!(terms(&long), ["x".repeat(TERM_CHARS)]);
        assert_found(&long, &[&long]);
        let name: String = ('一'..).take(255).collect();
        assert_eq!(terms(&name).len(), TEXT_TERMS);
        assert!(Search::parse("search", &"a ".repeat(Search::TERMS_MAX)).is_ok());
        let error = Search::parse("search", &"a ".repeat(Search::TERMS_MAX + 1)).unwrap_err();
        assert_eq!(error.field, "search");
        assert_eq!(error.to_string(), "search must have at most 16 words");
    }
}
