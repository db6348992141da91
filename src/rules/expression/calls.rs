//! Functions and macros.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators};

use super::compile::{Compiler, Part, constant_number};
use super::error::SyntaxError;
use super::hints;
use super::kind::Kind;
use super::node::{Function, Loop, Macro, Node};

/// The most digits that `round` rounds to.
pub(super) const DIGITS_MAX: u32 = 28;

/// How a function is written.
#[derive(Clone, Copy)]
struct Signature {
    name: &'static str,
    function: Function,
    /// The least and the most arguments, that before the point among them.
    arguments: (usize, usize),
    /// Whether the first argument can be before a point, and whether it must.
    receiver: (bool, bool),
    /// The kinds of the arguments, if only one is taken.
    kinds: [Option<Kind>; 3],
    /// The kind of the result.
    result: Option<Kind>,
    usage: &'static str,
}

const fn signature(name: &'static str, function: Function, usage: &'static str) -> Signature {
    Signature {
        name,
        function,
        arguments: (1, 1),
        receiver: (false, false),
        kinds: [None; 3],
        result: Some(Kind::Number),
        usage,
    }
}

const fn of_texts(name: &'static str, function: Function, usage: &'static str) -> Signature {
    Signature {
        arguments: (2, 2),
        receiver: (true, true),
        kinds: [Some(Kind::Text), Some(Kind::Text), None],
        result: Some(Kind::Bool),
        ..signature(name, function, usage)
    }
}

const SIGNATURES: [Signature; 9] = [
    Signature {
        receiver: (true, false),
        ..signature("size", Function::Size, "event.items.size()")
    },
    Signature {
        arguments: (3, 3),
        kinds: [Some(Kind::Map), Some(Kind::Text), None],
        result: None,
        ..signature("get", Function::Get, "get(event, 'name', 0)")
    },
    signature("double", Function::Double, "double(event.text)"),
    signature("int", Function::Int, "int(event.amount)"),
    Signature {
        arguments: (1, 2),
        kinds: [Some(Kind::Number), Some(Kind::Number), None],
        ..signature("round", Function::Round, "round(event.amount, 2)")
    },
    Signature {
        result: Some(Kind::Time),
        ..signature(
            "timestamp",
            Function::Timestamp,
            "timestamp('2027-01-01T00:00:00Z')",
        )
    },
    of_texts("contains", Function::Contains, "event.sku.contains('A')"),
    of_texts(
        "startsWith",
        Function::StartsWith,
        "event.sku.startsWith('A')",
    ),
    of_texts("endsWith", Function::EndsWith, "event.sku.endsWith('A')"),
];

const fn of_sets(name: &'static str, function: Function, usage: &'static str) -> Signature {
    Signature {
        arguments: (2, 2),
        kinds: [Some(Kind::List), Some(Kind::List), None],
        result: Some(Kind::Bool),
        ..signature(name, function, usage)
    }
}

const OF_SETS: [Signature; 2] = [
    of_sets(
        "contains",
        Function::SetsContains,
        "sets.contains(participant.tags, ['a', 'b'])",
    ),
    of_sets(
        "intersects",
        Function::SetsIntersects,
        "sets.intersects(participant.tags, ['a', 'b'])",
    ),
];

impl Compiler<'_> {
    /// A call of a function.
    pub(super) fn function(&mut self, call: &CallExpr) -> Result<Part, SyntaxError> {
        let name = call.func_name.as_str();
        if let Some(target) = call.target.as_deref() {
            if matches!(&target.expr, Expr::Ident(sets) if sets == "sets") {
                self.tokens.find("sets");
                let at = self.tokens.find(name);
                let found = OF_SETS.iter().find(|signature| signature.name == name);
                let found = found.ok_or_else(|| {
                    let message = format!("there is no function sets.{name}");
                    self.error(at, message, Some(hints::function(&format!("sets.{name}"))))
                })?;
                return self.arguments(found, at, Vec::new(), &call.args);
            }
            let target = self.part(target)?;
            let at = self.tokens.find(name);
            let found = self.signature(name, at)?;
            if !found.receiver.0 {
                return Err(self.usage(found, at));
            }
            return self.arguments(found, at, vec![target], &call.args);
        }
        let at = self.tokens.find(name.trim_start_matches('.'));
        if let ("dyn", [argument]) = (name, call.args.as_slice()) {
            // The value itself, of a kind that nobody knows before it is evaluated.
            return Ok(Part {
                kind: None,
                ..self.part(argument)?
            });
        }
        let found = self.signature(name, at)?;
        if found.receiver.1 {
            return Err(self.usage(found, at));
        }
        self.arguments(found, at, Vec::new(), &call.args)
    }

    fn signature(&self, name: &str, at: usize) -> Result<&'static Signature, SyntaxError> {
        let found = SIGNATURES.iter().find(|signature| signature.name == name);
        found.ok_or_else(|| {
            let is_macro = ["has", "all", "exists", "exists_one", "filter", "map"].contains(&name);
            let (message, hint) = if is_macro {
                let hint = "write has(event.x), or list.all(x, x > 1) and the like".to_owned();
                (format!("{name} has other arguments"), hint)
            } else {
                (
                    format!("there is no function {name}"),
                    hints::function(name),
                )
            };
            self.error(at, message, Some(hint))
        })
    }

    fn usage(&self, signature: &Signature, at: usize) -> SyntaxError {
        let message = format!("{} has other arguments", signature.name);
        self.error(at, message, Some(format!("write {}", signature.usage)))
    }

    fn arguments(
        &mut self,
        signature: &Signature,
        at: usize,
        mut parts: Vec<Part>,
        rest: &[IdedExpr],
    ) -> Result<Part, SyntaxError> {
        let (least, most) = signature.arguments;
        if !(least..=most).contains(&(parts.len() + rest.len())) {
            return Err(self.usage(signature, at));
        }
        for argument in rest {
            parts.push(self.part(argument)?);
        }
        for (part, kind) in parts.iter().zip(signature.kinds) {
            if let Some(kind) = kind {
                self.expect_kind(part, kind, signature.name)?;
            }
        }
        if let (Function::Round, Some(digits)) = (signature.function, parts.get(1)) {
            let number = constant_number(&digits.node);
            let is_right = |digits: &rust_decimal::Decimal| {
                digits.is_integer() && !digits.is_sign_negative() && *digits <= DIGITS_MAX.into()
            };
            if number.is_some_and(|number| !is_right(&number)) {
                let message =
                    format!("round needs a whole number of digits from 0 to {DIGITS_MAX}");
                return Err(self.error(digits.at, message, None));
            }
        }
        let nodes: Vec<Node> = parts.into_iter().map(|part| part.node).collect();
        Ok(Part {
            node: Node::Call(signature.function, nodes.into()),
            kind: signature.result,
            at,
        })
    }

    /// A macro over a list or a map.
    pub(super) fn comprehension(&mut self, made: &ComprehensionExpr) -> Result<Part, SyntaxError> {
        let over = self.part(&made.iter_range)?;
        let Some((kind, test, result)) = recognize(made) else {
            let message = "this macro is not part of the expressions of rules".to_owned();
            return Err(self.error(over.at, message, None));
        };
        if !matches!(over.kind, None | Some(Kind::List | Kind::Map)) {
            self.expect_kind(&over, Kind::List, kind.name())?;
        }
        let at = self.tokens.find(kind.name());
        self.tokens.find(&made.iter_var);
        self.locals.push(made.iter_var.clone());
        let mut inner = |part: Option<&IdedExpr>| part.map(|part| self.part(part)).transpose();
        let (test, result) = (inner(test)?, inner(result)?);
        self.locals.pop();
        if let Some(test) = &test {
            self.expect_kind(test, Kind::Bool, kind.name())?;
        }
        let result_kind = match kind {
            Macro::Filter | Macro::Map => Kind::List,
            _ => Kind::Bool,
        };
        Ok(Part {
            node: Node::Loop(Box::new(Loop {
                kind,
                over: over.node,
                test: test.map(|part| part.node),
                made: result.map(|part| part.node),
            })),
            kind: Some(result_kind),
            at,
        })
    }
}

/// The macro that the parser expanded to a comprehension, and its condition and its result for an
/// element.
fn recognize(made: &ComprehensionExpr) -> Option<(Macro, Option<&IdedExpr>, Option<&IdedExpr>)> {
    let Expr::Call(step) = &made.loop_step.expr else {
        return None;
    };
    let second = |call: &CallExpr| -> Option<usize> { (call.args.len() == 2).then_some(1) };
    Some(match (&made.accu_init.expr, step.func_name.as_str()) {
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_AND) => {
            (Macro::All, Some(&step.args[second(step)?]), None)
        }
        (Expr::Literal(LiteralValue::Boolean(_)), operators::LOGICAL_OR) => {
            (Macro::Exists, Some(&step.args[second(step)?]), None)
        }
        (Expr::Literal(LiteralValue::Int(_)), operators::CONDITIONAL) => {
            (Macro::ExistsOne, Some(step.args.first()?), None)
        }
        (Expr::List(_), operators::ADD) => (Macro::Map, None, Some(added(step)?)),
        (Expr::List(_), operators::CONDITIONAL) => {
            let Expr::Call(add) = &step.args.get(1)?.expr else {
                return None;
            };
            let (test, element) = (step.args.first()?, added(add)?);
            match &element.expr {
                Expr::Ident(name) if *name == made.iter_var => (Macro::Filter, Some(test), None),
                _ => (Macro::Map, Some(test), Some(element)),
            }
        }
        _ => return None,
    })
}

/// The element that a step of a comprehension adds to a list.
fn added(add: &CallExpr) -> Option<&IdedExpr> {
    match &add.args.get(1)?.expr {
        Expr::List(list) => list.elements.first(),
        _ => None,
    }
}
