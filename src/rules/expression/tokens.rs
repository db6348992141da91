//! The tokens of an expression: how deep it is before it is parsed, and where its parts are.
//!
//! The parser drops the places of the parts it read. A walk through the parts in the order of the
//! text finds them again: each has a token of its own, and the next one like it is the one.

use cel::parser::pratt_parser::{Lexer, TokenKind};

use super::error::{Place, SyntaxError};
use super::hints;

/// A token that can be looked for.
#[derive(Debug, Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    is_decimal: bool,
}

/// The tokens of a text, and how many of them were walked past.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    source: &'a str,
    all: Vec<Token>,
    next: usize,
}

/// How deep the parts of an expression can be nested, counted before it is parsed, from above.
pub(super) const DEPTH_MAX: usize = 100;

/// What makes an expression deep in one pair of brackets.
#[derive(Debug, Clone, Copy, Default)]
struct Level {
    /// Operators that are applied one after the other.
    chain: usize,
    /// Choices by `?`, which are nested in each other.
    choices: usize,
}

/// Counts how deep the parts of an expression are nested, by the brackets that are open.
#[derive(Debug)]
struct Depth(Vec<(Level, TokenKind)>);

impl Depth {
    /// The depth after one more token; `None` if it closes no bracket.
    fn after(&mut self, kind: TokenKind) -> Option<usize> {
        let (level, closed_by) = self.0.last_mut()?;
        match kind {
            TokenKind::TokComma => *level = Level::default(),
            TokenKind::TokLogicalAnd | TokenKind::TokLogicalOr | TokenKind::TokColon => {
                level.chain = 0;
            }
            TokenKind::TokQuestion => {
                level.chain = 0;
                level.choices += 1;
            }
            TokenKind::TokLeftBracket | TokenKind::TokLeftBrace | TokenKind::TokLeftParen => {
                level.chain += 1;
                let closed_by = match kind {
                    TokenKind::TokLeftBracket => TokenKind::TokRightBracket,
                    TokenKind::TokLeftBrace => TokenKind::TokRightBrace,
                    _ => TokenKind::TokRightParen,
                };
                self.0.push((Level::default(), closed_by));
            }
            TokenKind::TokRightBracket | TokenKind::TokRightBrace | TokenKind::TokRightParen => {
                if *closed_by != kind {
                    return None;
                }
                self.0.pop();
            }
            TokenKind::TokDot
            | TokenKind::TokMinus
            | TokenKind::TokPlus
            | TokenKind::TokAsterisk
            | TokenKind::TokSlash
            | TokenKind::TokPercent
            | TokenKind::TokExclamation
            | TokenKind::TokEqualEqual
            | TokenKind::TokExclamationEqual
            | TokenKind::TokLess
            | TokenKind::TokLessEqual
            | TokenKind::TokGreater
            | TokenKind::TokGreaterEqual
            | TokenKind::TokIn => level.chain += 1,
            _ => (),
        }
        let levels = self.0.iter();
        Some(levels.map(|(level, _)| level.chain + level.choices).sum())
    }
}

impl<'a> Tokens<'a> {
    /// The tokens of a text.
    ///
    /// # Errors
    /// [`SyntaxError`] if it is nested too deeply, closes a bracket that is not open, or has a part
    /// that is no token.
    pub(super) fn of(source: &'a str) -> Result<Self, SyntaxError> {
        let mut lexer = Lexer::new(source);
        // What is outside of all brackets ends with the text.
        let mut depth = Depth(vec![(Level::default(), TokenKind::TokEnd)]);
        let error = |start: usize, message: String, hint: Option<&str>| SyntaxError {
            place: Place::of(source, start),
            message,
            hint: hint.map(str::to_owned),
        };
        let mut tokens = Vec::new();
        loop {
            let token = lexer.lex();
            match token.kind {
                TokenKind::TokEnd => break,
                TokenKind::TokError => {
                    let message = lexer.get_error().map(|error| error.message.clone());
                    let message = message.unwrap_or_else(|| "it cannot be read".to_owned());
                    let rest = source.get(token.start..).unwrap_or_default();
                    return Err(error(token.start, message, hints::syntax(rest)));
                }
                TokenKind::TokWhitespace | TokenKind::TokComment => continue,
                _ => (),
            }
            let Some(found) = depth.after(token.kind) else {
                let text = source.get(token.start..token.end).unwrap_or_default();
                let message = format!("{text} closes no bracket that is open here");
                return Err(error(token.start, message, None));
            };
            if found > DEPTH_MAX {
                let message = "the expression is nested too deeply".to_owned();
                let hint = "use fewer brackets and shorter chains of operators";
                return Err(error(token.start, message, Some(hint)));
            }
            tokens.push(Token {
                start: token.start,
                end: token.end,
                is_decimal: token.kind == TokenKind::TokFloat,
            });
        }
        Ok(Self {
            source,
            all: tokens,
            next: 0,
        })
    }

    /// Walks to the next token with a text; where it starts.
    pub(super) fn find(&mut self, text: &str) -> usize {
        self.walk_to(|token, source| source.get(token.start..token.end) == Some(text))
    }

    /// Walks to the next token that is a name, perhaps in backquotes; where it starts.
    pub(super) fn find_name(&mut self, name: &str) -> usize {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if name.bytes().all(is_plain) {
            return self.find(name);
        }
        self.find(&format!("`{name}`"))
    }

    /// Walks to the next token that begins with one of these characters.
    pub(super) fn find_start(&mut self, first: &[char]) -> usize {
        self.walk_to(|token, source| {
            let rest = source.get(token.start..);
            rest.is_some_and(|rest| rest.starts_with(first))
        })
    }

    /// Walks to the next number with a point or an exponent; where it starts, and its text.
    pub(super) fn find_decimal(&mut self) -> (usize, &'a str) {
        let start = self.walk_to(|token, _| token.is_decimal);
        let rest = self.all.get(self.next.saturating_sub(1));
        let text = rest.and_then(|token| self.source.get(token.start..token.end));
        (start, text.unwrap_or_default())
    }

    fn walk_to(&mut self, is_it: impl Fn(&Token, &str) -> bool) -> usize {
        let rest = self.all.get(self.next..).unwrap_or_default();
        match rest.iter().position(|token| is_it(token, self.source)) {
            Some(distance) => {
                self.next += distance + 1;
                rest[distance].start
            }
            // Then it is near the last one.
            None => self.here(),
        }
    }

    /// Where the last token that was found starts.
    pub(super) fn here(&self) -> usize {
        let last = self.all.get(self.next.saturating_sub(1));
        last.map_or(0, |token| token.start)
    }

    pub(super) fn place(&self, offset: usize) -> Place {
        Place::of(self.source, offset)
    }
}
