//! Operators whose operands cannot go together, as far as that is known before an event comes.

use super::compile::{Compiler, Part};
use super::error::SyntaxError;
use super::kind::Kind;

impl Compiler<'_> {
    /// The kind of the values of an operator between two operands.
    pub(super) fn check_binary(
        &self,
        symbol: &str,
        at: usize,
        left: &Part,
        right: &Part,
    ) -> Result<Option<Kind>, SyntaxError> {
        let refuse = |hint: Option<&str>| {
            let name = |kind: Option<Kind>| kind.map_or("a value", Kind::with_article);
            let (left, right) = (name(left.kind), name(right.kind));
            let message = format!("{symbol} does not take {left} and {right}");
            Err(self.error(at, message, hint.map(str::to_owned)))
        };
        let is_of =
            |part: &Part, kinds: &[Kind]| part.kind.is_none_or(|kind| kinds.contains(&kind));
        let is_same = match (left.kind, right.kind) {
            (Some(left), Some(right)) => is_comparable(left, right),
            _ => true,
        };
        let one_is = |kind: Kind| left.kind == Some(kind) || right.kind == Some(kind);
        let has_text = one_is(Kind::Text) && one_is(Kind::Number);
        match symbol {
            "==" | "!=" if is_same || one_is(Kind::Null) => Ok(Some(Kind::Bool)),
            "<" | "<=" | ">" | ">=" => {
                const ORDERED: &[Kind] = &[Kind::Number, Kind::Text, Kind::Time, Kind::Bool];
                if is_same && is_of(left, ORDERED) && is_of(right, ORDERED) {
                    return Ok(Some(Kind::Bool));
                }
                refuse(has_text.then_some(DOUBLE))
            }
            "+" => {
                const ADDED: &[Kind] = &[Kind::Number, Kind::Text, Kind::List];
                let kind = left.kind.or(right.kind);
                let is_same =
                    left.kind.is_none() || right.kind.is_none() || left.kind == right.kind;
                if is_same && is_of(left, ADDED) && is_of(right, ADDED) {
                    return Ok(kind);
                }
                refuse(has_text.then_some(DOUBLE))
            }
            "-" | "*" | "/" | "%" => {
                if is_of(left, &[Kind::Number]) && is_of(right, &[Kind::Number]) {
                    return Ok(Some(Kind::Number));
                }
                refuse(one_is(Kind::Text).then_some(DOUBLE))
            }
            "in" if is_of(right, &[Kind::List]) => Ok(Some(Kind::Bool)),
            "in" if is_of(right, &[Kind::Map]) && is_of(left, &[Kind::Text]) => {
                Ok(Some(Kind::Bool))
            }
            "in" => refuse(Some(
                "write a list in brackets, such as ['a', 'b'], after in",
            )),
            _ => refuse(has_text.then_some(DOUBLE)),
        }
    }

    /// An error if something cannot have elements, or not by this index.
    pub(super) fn check_index(&self, of: &Part, index: &Part) -> Result<(), SyntaxError> {
        let expected = match of.kind {
            None => return Ok(()),
            Some(Kind::List) => Kind::Number,
            Some(Kind::Map) => Kind::Text,
            Some(other) => {
                let message = format!("{} has no elements", other.with_article());
                return Err(self.error(of.at, message, None));
            }
        };
        self.expect_kind(index, expected, "an index of it")
    }
}

const DOUBLE: &str = "a number that is written as a text needs double()";

fn is_comparable(left: Kind, right: Kind) -> bool {
    left == right
        || matches!(
            (left, right),
            (Kind::Time, Kind::Text) | (Kind::Text, Kind::Time)
        )
}
