//! The compiled form of expressions.

use super::data::Data;

/// What an expression can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variable {
    Event,
    Tags,
    Counters,
    Attributes,
    Now,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Arithmetic {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Different,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Different => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

impl Macro {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Exists => "exists",
            Self::ExistsOne => "exists_one",
            Self::Filter => "filter",
            Self::Map => "map",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Size,
    Get,
    Double,
    Int,
    Round,
    Timestamp,
    Contains,
    StartsWith,
    EndsWith,
    SetsContains,
    SetsIntersects,
}

/// A macro over the elements of a list, or the keys of a map.
#[derive(Debug)]
pub(super) struct Loop {
    pub(super) kind: Macro,
    pub(super) over: Node,
    /// The condition of an element; of `map`, `None` if it takes all.
    pub(super) test: Option<Node>,
    /// What `map` makes of an element.
    pub(super) made: Option<Node>,
}

/// A part of an expression.
#[derive(Debug)]
pub(super) enum Node {
    Constant(Data),
    Variable(Variable),
    /// The variable of a macro, by the number of macros around it.
    Local(usize),
    Field(Box<Self>, Box<str>),
    Has(Box<Self>, Box<str>),
    Index(Box<[Self; 2]>),
    Not(Box<Self>),
    Negate(Box<Self>),
    And(Box<[Self]>),
    Or(Box<[Self]>),
    If(Box<[Self; 3]>),
    Compare(Comparison, Box<[Self; 2]>),
    Arithmetic(Arithmetic, Box<[Self; 2]>),
    In(Box<[Self; 2]>),
    List(Box<[Self]>),
    Map(Box<[[Self; 2]]>),
    Loop(Box<Loop>),
    Call(Function, Box<[Self]>),
}
