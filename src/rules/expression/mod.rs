//! Expressions of rules: a subset of the Common Expression Language, CEL.
//!
//! The parser is that of a public crate; the compiled form and the evaluator are ours. There is one
//! type of numbers, decimals of 28 digits: `7 / 2` is 3.5, and `49.99 * 0.1` is exact.
//!
//! **The subset.** Numbers, texts, booleans, `null`, lists, maps with texts as keys; the operators
//! `== != < <= > >= && || ! in ?: [] + - * / %`; the functions `has`, `get`, `double`, `int`,
//! `round`, `size`, `timestamp`, `dyn`, `contains`, `startsWith`, `endsWith`, `sets.contains` and
//! `sets.intersects`; the macros `all`, `exists`, `exists_one`, `filter` and `map`. There are no
//! regular expressions, bytes, messages, or parts of times.
//!
//! **Absent fields.** An absent field that an evaluation reaches ends it, wherever it is:
//! [`NoValue::Absent`]. So does an index beyond the end of a list. `has(event.x)` asks, and
//! `get(event, 'x', 0)` gives a value instead.
//!
//! **Failures.** An operation without a result fails the expression. As in CEL, it does not if the
//! other side of `&&` or `||` decides, or another element of `all` or `exists`.
//!
//! **Bounds.** A text has at most [`Expression::BYTES_MAX`] bytes, and how deep it is nested is
//! counted before it is parsed. An evaluation takes steps and memory from a [`Meter`], and ends
//! when nothing is left.
//!
//! Source: "Common Expression Language specification", cel.dev.

mod calls;
mod compile;
mod data;
mod error;
mod eval;
mod functions;
mod hints;
mod kind;
mod kinds;
mod meter;
mod node;
mod number;
mod scope;
mod tokens;
mod types;
mod value;

pub use self::data::{Data, DataMap, NoData};
pub use self::error::{Failure, Limit, NoValue, Place, SyntaxError};
pub use self::kind::Kind;
pub use self::meter::Meter;
pub use self::number::Number;
pub use self::scope::{Counter, Scope, Traits};

use cel::common::ast::IdedExpr;
use cel::parser::PrattParser;

use self::compile::{Compiler, Part};
use self::eval::Evaluator;
use self::node::Node;
use self::tokens::Tokens;
use self::value::Value;

/// A compiled expression.
///
/// ```
/// use stampcard::domain::Timestamp;
/// use stampcard::rules::{Data, Expression, Meter, NoValue, Scope, Traits};
/// let event = Data::parse_event(r#"{"amount": 49.99, "items": [{"sku": "A"}]}"#).unwrap();
/// let (participant, now) = (Traits::default(), Timestamp::EPOCH);
/// let scope = Scope { event: &event, participant: &participant, now, at: now };
///
/// let amount = Expression::amount("round(event.amount * 0.1, 2)").unwrap();
/// let number = amount.number(scope, &mut Meter::default()).unwrap();
/// assert_eq!(number.to_string(), "5.00");
///
/// let condition = Expression::condition("event.items.exists(item, item.sku == 'A')").unwrap();
/// assert_eq!(condition.boolean(scope, &mut Meter::default()), Ok(true));
///
/// let absent = Expression::condition("event.coupon == 'X' || true").unwrap();
/// let stopped = absent.boolean(scope, &mut Meter::default());
/// assert_eq!(stopped, Err(NoValue::Absent("coupon".into())));
///
/// let error = Expression::condition("event.amount = 5").unwrap_err();
/// assert_eq!(error.hint.as_deref(), Some("to compare, write =="));
/// ```
#[derive(Debug)]
pub struct Expression {
    source: Box<str>,
    root: Node,
    types: Option<Vec<Box<str>>>,
}

impl Expression {
    /// The most bytes of an expression.
    pub const BYTES_MAX: usize = 4096;

    /// Compiles an expression whose value may be of any kind.
    ///
    /// # Errors
    /// [`SyntaxError`] if it is no expression of the subset, too long or nested too deeply.
    pub fn compile(source: &str) -> Result<Self, SyntaxError> {
        Ok(Self::with_part(source)?.0)
    }

    /// Compiles a condition: its value is a boolean.
    ///
    /// # Errors
    /// [`SyntaxError`] as of [`Expression::compile`], or if the value is of another kind.
    pub fn condition(source: &str) -> Result<Self, SyntaxError> {
        Self::of_kind(source, Kind::Bool, "a condition")
    }

    /// Compiles an amount: its value is a number.
    ///
    /// # Errors
    /// [`SyntaxError`] as of [`Expression::compile`], or if the value is of another kind.
    pub fn amount(source: &str) -> Result<Self, SyntaxError> {
        Self::of_kind(source, Kind::Number, "an amount")
    }

    fn of_kind(source: &str, kind: Kind, what: &str) -> Result<Self, SyntaxError> {
        let (expression, found, at) = Self::with_part(source)?;
        match found {
            Some(found) if found != kind => {
                let (expected, found) = (kind.with_article(), found.with_article());
                Err(SyntaxError {
                    place: Place::of(source, at),
                    message: format!("{what} must be {expected}, not {found}"),
                    hint: None,
                })
            }
            _ => Ok(expression),
        }
    }

    fn with_part(source: &str) -> Result<(Self, Option<Kind>, usize), SyntaxError> {
        let (tree, tokens) = parse(source)?;
        let mut compiler = Compiler {
            tokens,
            locals: Vec::new(),
        };
        let Part { node, kind, at } = compiler.part(&tree)?;
        let expression = Self {
            source: source.into(),
            types: types::types(&node),
            root: node,
        };
        Ok((expression, kind, at))
    }

    /// Compiles a text that is an expression if it can be parsed as one and names a variable, and
    /// otherwise stands for itself: `None`.
    ///
    /// # Errors
    /// [`SyntaxError`] if it can be parsed and names a variable, but is not of the subset, or its
    /// value can never be a text.
    pub fn named(source: &str) -> Result<Option<Self>, SyntaxError> {
        if !parse(source).is_ok_and(|(tree, _)| names_variable(&tree)) {
            return Ok(None);
        }
        let (expression, kind, at) = Self::with_part(source)?;
        match kind {
            Some(found @ (Kind::List | Kind::Map | Kind::Null)) => Err(SyntaxError {
                place: Place::of(source, at),
                message: format!("a text is needed, not {}", found.with_article()),
                hint: None,
            }),
            _ => Ok(Some(expression)),
        }
    }

    /// The text.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The event types that it asks for, as a condition; `None` if it can be true for any.
    pub fn types(&self) -> Option<&[Box<str>]> {
        self.types.as_deref()
    }

    /// The type of an event, if it has one.
    pub fn type_of(event: &DataMap) -> Option<&str> {
        types::type_of(event)
    }

    /// The number that is written, if it is nothing else.
    pub fn literal(&self) -> Option<Number> {
        compile::constant_number(&self.root)
    }

    /// Its value as a condition.
    ///
    /// # Errors
    /// [`NoValue`] if it has none, or one of another kind.
    pub fn boolean(&self, scope: Scope<'_>, meter: &mut Meter) -> Result<bool, NoValue> {
        let mut evaluator = Evaluator::new(scope, meter);
        let value = evaluator.boolean(&self.root, "a condition");
        value.map_err(value::Stop::into_no_value)
    }

    /// Its value as an amount.
    ///
    /// # Errors
    /// [`NoValue`] if it has none, or one of another kind.
    pub fn number(&self, scope: Scope<'_>, meter: &mut Meter) -> Result<Number, NoValue> {
        let mut evaluator = Evaluator::new(scope, meter);
        let value = evaluator.number(&self.root, "an amount");
        value.map_err(value::Stop::into_no_value)
    }

    /// Its value, of any kind. A time becomes a text.
    ///
    /// # Errors
    /// [`NoValue`] if it has none.
    pub fn value(&self, scope: Scope<'_>, meter: &mut Meter) -> Result<Data, NoValue> {
        let mut evaluator = Evaluator::new(scope, meter);
        let value = evaluator.value(&self.root);
        let data = value.and_then(|value| value.into_data(meter));
        data.map_err(value::Stop::into_no_value)
    }

    /// Its value as a text: that of a number, a boolean or a time, too.
    ///
    /// # Errors
    /// [`NoValue`] if it has none, or one of another kind.
    pub fn text(&self, scope: Scope<'_>, meter: &mut Meter) -> Result<Box<str>, NoValue> {
        let mut evaluator = Evaluator::new(scope, meter);
        let value = evaluator.value(&self.root);
        Ok(match value.map_err(value::Stop::into_no_value)? {
            Value::Text(text) => text.as_str().into(),
            Value::Number(number) => number.normalize().to_string().into(),
            Value::Bool(value) => value.to_string().into(),
            Value::Time(time) => time.to_short().into(),
            other => return Err(other.refused("a text").into_no_value()),
        })
    }
}

impl<'a, 'm> Evaluator<'a, 'm> {
    fn new(scope: Scope<'a>, meter: &'m mut Meter) -> Self {
        Self {
            scope,
            meter,
            locals: Vec::new(),
        }
    }
}

/// Reads a number as an expression writes it.
pub fn parse_decimal(text: &str) -> Option<Number> {
    number::parse_number(text)
}

/// The syntax tree of a text of bounded length and depth.
fn parse(source: &str) -> Result<(IdedExpr, Tokens<'_>), SyntaxError> {
    if source.len() > Expression::BYTES_MAX {
        let most = Expression::BYTES_MAX;
        return Err(SyntaxError {
            place: Place::of(source, most),
            message: format!("an expression has at most {most} bytes"),
            hint: None,
        });
    }
    let tokens = Tokens::of(source)?;
    let tree = PrattParser::new()
        .enable_ident_escape_syntax(true)
        .parse(source)
        .map_err(|errors| {
            let first = errors.errors.into_iter().find(|error| error.pos.0 > 0);
            let (place, message) = match first {
                Some(error) => (place_of(source, error.pos), error.msg),
                None => (Place::of(source, 0), "it cannot be read".to_owned()),
            };
            let rest = rest_at(source, place);
            SyntaxError {
                place,
                message: hints::plain(&message),
                hint: hints::syntax(rest).map(str::to_owned),
            }
        })?;
    Ok((tree, tokens))
}

/// The parser counts bytes of the line.
fn place_of(source: &str, (line, column): (isize, isize)) -> Place {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let before: usize = source
        .split_inclusive('\n')
        .take(line - 1)
        .map(str::len)
        .sum();
    let bytes = usize::try_from(column).unwrap_or(1).saturating_sub(1);
    Place::of(source, before + bytes)
}

fn rest_at(source: &str, place: Place) -> &str {
    let line = source.lines().nth(place.line - 1).unwrap_or_default();
    let start = line.char_indices().nth(place.column - 1);
    start.and_then(|(at, _)| line.get(at..)).unwrap_or_default()
}

/// Whether a tree names one of the variables.
fn names_variable(tree: &IdedExpr) -> bool {
    use cel::common::ast::{EntryExpr, Expr};
    match &tree.expr {
        Expr::Ident(name) => matches!(name.as_str(), "event" | "participant" | "now"),
        Expr::Select(select) => names_variable(&select.operand),
        Expr::Call(call) => {
            let target = call.target.as_deref();
            target.into_iter().chain(&call.args).any(names_variable)
        }
        Expr::Comprehension(made) => {
            names_variable(&made.iter_range) || names_variable(&made.loop_step)
        }
        Expr::List(list) => list.elements.iter().any(names_variable),
        Expr::Map(map) => map.entries.iter().any(|entry| match &entry.expr {
            EntryExpr::MapEntry(entry) => {
                names_variable(&entry.key) || names_variable(&entry.value)
            }
            EntryExpr::StructField(field) => names_variable(&field.value),
        }),
        Expr::Literal(_) | Expr::Struct(_) | Expr::Unspecified => false,
    }
}
