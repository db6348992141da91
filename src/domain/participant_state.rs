//! Tags, counters and attributes of participants, as far as the log knows them.

use super::row::{Cells, Field as _, Fields, Row};
use super::stored_event::Cause;
use super::{Column, MemberNumber};

/// What changed of a participant's state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateKind {
    /// A tag.
    Tag,
    /// A counter.
    Counter,
    /// An attribute.
    Attribute,
}

impl StateKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tag, Self::Counter, Self::Attribute];

    /// The name on the wire and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Counter => "counter",
            Self::Attribute => "attribute",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a participant's state changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StateOperation {
    /// A counter or an attribute got a value.
    Set,
    /// A tag was added, or a number to a counter.
    Add,
    /// A tag was removed.
    Remove,
    /// An attribute was deleted.
    Delete,
    /// A counter became zero because its time was over.
    AutoReset,
}

impl StateOperation {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Set,
        Self::Add,
        Self::Remove,
        Self::Delete,
        Self::AutoReset,
    ];

    /// The name on the wire and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Add => "add",
            Self::Remove => "remove",
            Self::Delete => "delete",
            Self::AutoReset => "auto_reset",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|operation| operation.as_str() == name)
    }
}

/// A change of a participant's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateChange {
    /// The participant.
    pub member: MemberNumber,
    /// What changed.
    pub kind: StateKind,
    /// How it changed.
    pub operation: StateOperation,
    /// The rule that caused it, if one did.
    pub cause: Option<Cause>,
    /// The tag, or the key. It and the values are free texts, which the row does not hold.
    pub key: Option<Box<str>>,
    /// The value before; none of a tag, or if there was none.
    pub old: Option<Box<str>>,
    /// The value after; none of a tag, or if there is none.
    pub new: Option<Box<str>>,
}

impl Fields for StateChange {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::From,
        Column::To,
        Column::Cause,
        Column::RuleVersion,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::From, self.kind.cell());
        row.set(Column::To, self.operation.cell());
        Cause::write(self.cause, row);
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            member: MemberNumber::of(cells.cell(Column::Member))?,
            kind: StateKind::of(cells.cell(Column::From))?,
            operation: StateOperation::of(cells.cell(Column::To))?,
            cause: Cause::read(cells)?,
            key: None,
            old: None,
            new: None,
        })
    }
}
