//! From the syntax tree of the parser to the compiled form.

use cel::common::ast::{
    CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue, MapExpr, SelectExpr, operators,
};

use super::data::Data;
use super::error::SyntaxError;
use super::hints;
use super::kind::Kind;
use super::node::{Arithmetic, Comparison, Node, Variable};
use super::number::{Number, parse_number};
use super::tokens::Tokens;

/// A part with what is known of it before it is evaluated.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) node: Node,
    /// The kind of its values, if it has only one.
    pub(super) kind: Option<Kind>,
    /// Where it starts, or where its operator is.
    pub(super) at: usize,
}

pub(super) struct Compiler<'a> {
    pub(super) tokens: Tokens<'a>,
    /// The variables of the macros around.
    pub(super) locals: Vec<String>,
}

const PARTICIPANT: &str = "participant";

impl Compiler<'_> {
    pub(super) fn error(&self, at: usize, message: String, hint: Option<String>) -> SyntaxError {
        SyntaxError {
            place: self.tokens.place(at),
            message,
            hint,
        }
    }

    pub(super) fn part(&mut self, expression: &IdedExpr) -> Result<Part, SyntaxError> {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(literal),
            Expr::Ident(name) => self.variable(name),
            Expr::Select(select) => self.select(select),
            Expr::Call(call) => self.call(call),
            Expr::Comprehension(made) => self.comprehension(made),
            Expr::List(list) => {
                let at = self.tokens.find("[");
                let elements = list.elements.iter().map(|element| self.part(element));
                let elements: Vec<Part> = elements.collect::<Result<_, _>>()?;
                let nodes = elements.into_iter().map(|part| part.node).collect();
                Ok(Part {
                    node: constant_list(nodes),
                    kind: Some(Kind::List),
                    at,
                })
            }
            Expr::Map(map) => self.map(map),
            Expr::Struct(_) | Expr::Unspecified => {
                let message = "messages are not part of the expressions of rules".to_owned();
                Err(self.error(self.tokens.here(), message, None))
            }
        }
    }

    fn literal(&mut self, literal: &LiteralValue) -> Result<Part, SyntaxError> {
        const QUOTES: &[char] = &['"', '\'', 'r', 'R'];
        const DIGITS: &[char] = &['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];
        let (data, kind, at) = match literal {
            LiteralValue::Boolean(value) => {
                let value = *value.inner();
                let at = self.tokens.find(if value { "true" } else { "false" });
                (Data::Bool(value), Kind::Bool, at)
            }
            LiteralValue::Null => (Data::Null, Kind::Null, self.tokens.find("null")),
            LiteralValue::String(text) => {
                let at = self.tokens.find_start(QUOTES);
                (Data::Text(text.inner().into()), Kind::Text, at)
            }
            LiteralValue::Int(number) => {
                let at = self.tokens.find_start(DIGITS);
                (Data::Number((*number.inner()).into()), Kind::Number, at)
            }
            LiteralValue::UInt(number) => {
                let at = self.tokens.find_start(DIGITS);
                (Data::Number((*number.inner()).into()), Kind::Number, at)
            }
            LiteralValue::Double(number) => {
                // As it is written: the parser made a binary fraction of it.
                let (at, text) = self.tokens.find_decimal();
                let Some(mut value) = parse_number(text) else {
                    let message = format!("the number {text} is out of range");
                    let hint = "numbers have at most 28 digits".to_owned();
                    return Err(self.error(at, message, Some(hint)));
                };
                value.set_sign_negative(number.inner().is_sign_negative() && !value.is_zero());
                (Data::Number(value), Kind::Number, at)
            }
            LiteralValue::Bytes(_) => {
                let at = self.tokens.find_start(&['b', 'B']);
                let message = "bytes are not part of the expressions of rules".to_owned();
                return Err(self.error(at, message, Some("leave out the b".to_owned())));
            }
        };
        Ok(Part {
            node: Node::Constant(data),
            kind: Some(kind),
            at,
        })
    }

    fn variable(&mut self, name: &str) -> Result<Part, SyntaxError> {
        let at = self.tokens.find(name.trim_start_matches('.'));
        let local = self.locals.iter().rposition(|local| local == name);
        let (node, kind) = match (local, name) {
            (Some(index), _) => (Node::Local(index), None),
            (None, "event") => (Node::Variable(Variable::Event), Some(Kind::Map)),
            (None, "now") => (Node::Variable(Variable::Now), Some(Kind::Time)),
            (None, PARTICIPANT) => {
                let message = "participant is no value of its own".to_owned();
                return Err(self.error(at, message, Some(hints::PARTICIPANT.to_owned())));
            }
            _ => {
                let message = format!("there is no variable {name}");
                return Err(self.error(at, message, Some(hints::variable(name, &self.locals))));
            }
        };
        Ok(Part { node, kind, at })
    }

    fn select(&mut self, select: &SelectExpr) -> Result<Part, SyntaxError> {
        if select.test {
            self.tokens.find("has");
        }
        if self.is_participant(&select.operand) {
            self.tokens.find(PARTICIPANT);
            let at = self.tokens.find(&select.field);
            let (variable, kind) = match select.field.as_str() {
                "tags" => (Variable::Tags, Kind::List),
                "counters" => (Variable::Counters, Kind::Map),
                "attributes" => (Variable::Attributes, Kind::Map),
                other => {
                    let message = format!("participant has no {other}");
                    return Err(self.error(at, message, Some(hints::PARTICIPANT.to_owned())));
                }
            };
            let (node, kind) = if select.test {
                (Node::Constant(Data::Bool(true)), Kind::Bool)
            } else {
                (Node::Variable(variable), kind)
            };
            return Ok(Part {
                node,
                kind: Some(kind),
                at,
            });
        }
        let operand = self.part(&select.operand)?;
        let at = self.tokens.find_name(&select.field);
        self.expect_kind(&operand, Kind::Map, "a field")?;
        // Every counter is a number.
        let kind = match operand.node {
            Node::Variable(Variable::Counters) => Some(Kind::Number),
            _ => None,
        };
        let (of, field) = (Box::new(operand.node), select.field.as_str().into());
        Ok(if select.test {
            Part {
                node: Node::Has(of, field),
                kind: Some(Kind::Bool),
                at,
            }
        } else {
            Part {
                node: Node::Field(of, field),
                kind,
                at,
            }
        })
    }

    fn is_participant(&self, operand: &IdedExpr) -> bool {
        let is_local = || self.locals.iter().any(|local| local == PARTICIPANT);
        matches!(&operand.expr, Expr::Ident(name) if name == PARTICIPANT) && !is_local()
    }

    fn map(&mut self, map: &MapExpr) -> Result<Part, SyntaxError> {
        let at = self.tokens.find("{");
        let mut entries: Vec<[Node; 2]> = Vec::with_capacity(map.entries.len());
        for entry in &map.entries {
            let EntryExpr::MapEntry(entry) = &entry.expr else {
                return Err(self.error(at, "a map has keys and values".to_owned(), None));
            };
            let key = self.part(&entry.key)?;
            self.expect_kind(&key, Kind::Text, "a key of a map")?;
            let name = constant_text(&key.node);
            if let Some(name) = name
                && entries
                    .iter()
                    .any(|[key, _]| constant_text(key) == Some(name))
            {
                let message = format!("the map has the key {name} twice");
                return Err(self.error(key.at, message, None));
            }
            let value = self.part(&entry.value)?;
            entries.push([key.node, value.node]);
        }
        Ok(Part {
            node: Node::Map(entries.into()),
            kind: Some(Kind::Map),
            at,
        })
    }

    fn call(&mut self, call: &CallExpr) -> Result<Part, SyntaxError> {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (operators::LOGICAL_AND | operators::LOGICAL_OR, _) => self.logical(call),
            (operators::LOGICAL_NOT, [operand]) => {
                let at = self.tokens.find_start(&['!']);
                let operand = self.part(operand)?;
                self.expect_kind(&operand, Kind::Bool, "!")?;
                Ok(Part {
                    node: Node::Not(Box::new(operand.node)),
                    kind: Some(Kind::Bool),
                    at,
                })
            }
            (operators::NEGATE, [operand]) => {
                let at = self.tokens.find("-");
                let operand = self.part(operand)?;
                self.expect_kind(&operand, Kind::Number, "-")?;
                Ok(Part {
                    node: Node::Negate(Box::new(operand.node)),
                    kind: Some(Kind::Number),
                    at,
                })
            }
            (operators::CONDITIONAL, [test, yes, no]) => {
                let test = self.part(test)?;
                self.expect_kind(&test, Kind::Bool, "?")?;
                let at = self.tokens.find("?");
                let (yes, no) = (self.part(yes)?, self.part(no)?);
                let kind = yes.kind.filter(|kind| no.kind == Some(*kind));
                let node = Node::If(Box::new([test.node, yes.node, no.node]));
                Ok(Part { node, kind, at })
            }
            (operators::INDEX, [of, index]) => {
                let of = self.part(of)?;
                let at = self.tokens.find("[");
                let index = self.part(index)?;
                self.check_index(&of, &index)?;
                let kind = match of.node {
                    Node::Variable(Variable::Counters) => Some(Kind::Number),
                    _ => None,
                };
                let node = Node::Index(Box::new([of.node, index.node]));
                Ok(Part { node, kind, at })
            }
            (name, [left, right]) if is_operator(call) => self.binary(name, left, right),
            _ => self.function(call),
        }
    }

    fn binary(
        &mut self,
        name: &str,
        left: &IdedExpr,
        right: &IdedExpr,
    ) -> Result<Part, SyntaxError> {
        let arithmetic = match name {
            operators::ADD => Some(Arithmetic::Add),
            operators::SUBSTRACT => Some(Arithmetic::Subtract),
            operators::MULTIPLY => Some(Arithmetic::Multiply),
            operators::DIVIDE => Some(Arithmetic::Divide),
            operators::MODULO => Some(Arithmetic::Remainder),
            _ => None,
        };
        let comparison = match name {
            operators::EQUALS => Some(Comparison::Equal),
            operators::NOT_EQUALS => Some(Comparison::Different),
            operators::LESS => Some(Comparison::Less),
            operators::LESS_EQUALS => Some(Comparison::LessOrEqual),
            operators::GREATER => Some(Comparison::Greater),
            operators::GREATER_EQUALS => Some(Comparison::GreaterOrEqual),
            _ => None,
        };
        let left = self.part(left)?;
        let symbol = match (arithmetic, comparison) {
            (Some(operator), _) => operator.symbol(),
            (_, Some(comparison)) => comparison.symbol(),
            _ => "in",
        };
        let at = self.tokens.find(symbol);
        let right = self.part(right)?;
        let kind = self.check_binary(symbol, at, &left, &right)?;
        let operands = Box::new([left.node, right.node]);
        let node = match (arithmetic, comparison) {
            (Some(operator), _) => Node::Arithmetic(operator, operands),
            (_, Some(comparison)) => Node::Compare(comparison, operands),
            _ if name == operators::IN => Node::In(operands),
            _ => {
                let message = "this operator is not part of the expressions of rules".to_owned();
                return Err(self.error(at, message, None));
            }
        };
        Ok(Part { node, kind, at })
    }

    /// A chain of `&&`, or of `||`, which the parser made a balanced tree of.
    fn logical(&mut self, call: &CallExpr) -> Result<Part, SyntaxError> {
        let mut parts = Vec::new();
        let at = self.flatten(call, &mut parts)?;
        let parts = parts.into_boxed_slice();
        let node = if call.func_name == operators::LOGICAL_AND {
            Node::And(parts)
        } else {
            Node::Or(parts)
        };
        Ok(Part {
            node,
            kind: Some(Kind::Bool),
            at,
        })
    }

    fn flatten(&mut self, call: &CallExpr, parts: &mut Vec<Node>) -> Result<usize, SyntaxError> {
        let symbol = call.func_name.trim_matches('_');
        let mut first = None;
        for (index, argument) in call.args.iter().enumerate() {
            if index > 0 {
                self.tokens.find(symbol);
            }
            let at = match &argument.expr {
                Expr::Call(inner) if inner.func_name == call.func_name => {
                    self.flatten(inner, parts)?
                }
                _ => {
                    let part = self.part(argument)?;
                    self.expect_kind(&part, Kind::Bool, if symbol == "&&" { "&&" } else { "||" })?;
                    parts.push(part.node);
                    part.at
                }
            };
            first.get_or_insert(at);
        }
        Ok(first.unwrap_or_else(|| self.tokens.here()))
    }

    /// An error if the values of a part are of another kind for certain.
    pub(super) fn expect_kind(
        &self,
        part: &Part,
        expected: Kind,
        operation: &str,
    ) -> Result<(), SyntaxError> {
        match part.kind {
            Some(found) if found != expected => {
                let (expected, found) = (expected.with_article(), found.with_article());
                let message = format!("{operation} needs {expected}, not {found}");
                Err(self.error(part.at, message, None))
            }
            _ => Ok(()),
        }
    }
}

/// Whether a call is an operator between two operands, which the parser gives a name of its own.
fn is_operator(call: &CallExpr) -> bool {
    let name = call.func_name.as_str();
    call.target.is_none() && (name == operators::IN || name.starts_with('_') && name.ends_with('_'))
}

/// A list of constants is a constant.
fn constant_list(nodes: Vec<Node>) -> Node {
    if nodes.iter().all(|node| matches!(node, Node::Constant(_))) {
        let data = nodes.into_iter().filter_map(|node| match node {
            Node::Constant(data) => Some(data),
            _ => None,
        });
        return Node::Constant(Data::List(data.collect()));
    }
    Node::List(nodes.into())
}

/// The text of a constant.
fn constant_text(node: &Node) -> Option<&str> {
    match node {
        Node::Constant(Data::Text(text)) => Some(text),
        _ => None,
    }
}

/// The number of a constant.
pub(super) fn constant_number(node: &Node) -> Option<Number> {
    match node {
        Node::Constant(Data::Number(number)) => Some(*number),
        _ => None,
    }
}
