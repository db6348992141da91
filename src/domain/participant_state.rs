//! Tags, counters and attributes of participants, as far as the log knows them.

use super::row::{Cells, Field as _, Fields, Row};
use super::stored_event::Cause;
use super::words::words;
use super::{Column, Invalid, MemberNumber, Tag};

words! {
    /// What changed of a participant's state.
    StateKind {
        /// A tag.
        Tag "tag",
        /// A counter.
        Counter "counter",
        /// An attribute.
        Attribute "attribute",
    }
}

words! {
    /// How a participant's state changed.
    StateOperation {
        /// A counter or an attribute got a value.
        Set "set",
        /// A tag was added, or a number to a counter.
        Add "add",
        /// A tag was removed.
        Remove "remove",
        /// An attribute was deleted.
        Delete "delete",
        /// A counter became zero because its time was over.
        AutoReset "auto_reset",
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
    /// Of a counter: the milliseconds after which it is reset from then on, if it ever is.
    pub reset_after: Option<i64>,
    /// The tag, or the key. It and the values are free texts, which the row does not hold.
    pub key: Option<Box<str>>,
    /// The value before, of an attribute as JSON; none of a tag, or if there was none.
    pub old: Option<Box<str>>,
    /// The value after, of an attribute as JSON; none of a tag, or if there is none.
    pub new: Option<Box<str>>,
}

impl StateChange {
    /// Whether what changed can change in this way.
    pub(super) fn is_consistent(&self) -> bool {
        use StateOperation::{Add, AutoReset, Delete, Remove, Set};
        match self.kind {
            StateKind::Tag => matches!(self.operation, Add | Remove) && self.reset_after.is_none(),
            StateKind::Counter => {
                matches!(self.operation, Set | Add | AutoReset)
                    && self.reset_after.is_none_or(|after| after > 0)
                    && (self.operation != AutoReset || self.reset_after.is_some())
            }
            StateKind::Attribute => {
                matches!(self.operation, Set | Delete) && self.reset_after.is_none()
            }
        }
    }
}

impl Tag {
    /// Checks a tag, and puts it in lower case.
    ///
    /// ```
    /// use stampcard::domain::Tag;
    /// assert_eq!(Tag::lower("tag", "VIP").unwrap().as_str(), "vip");
    /// ```
    ///
    /// # Errors
    /// [`Invalid`] as of [`Tag::parse`].
    pub fn lower(field: &str, tag: &str) -> Result<Self, Invalid> {
        Self::parse(field, tag.to_lowercase())
    }
}

impl Fields for StateChange {
    const COLUMNS: &'static [Column] = &[
        Column::Member,
        Column::From,
        Column::To,
        Column::Amount,
        Column::Cause,
        Column::RuleVersion,
    ];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Member, self.member.cell());
        row.set(Column::From, self.kind.cell());
        row.set(Column::To, self.operation.cell());
        row.set(Column::Amount, self.reset_after.cell());
        Cause::write(self.cause, row);
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            member: MemberNumber::of(cells.cell(Column::Member))?,
            kind: StateKind::of(cells.cell(Column::From))?,
            operation: StateOperation::of(cells.cell(Column::To))?,
            reset_after: Option::of(cells.cell(Column::Amount))?,
            cause: Cause::read(cells)?,
            key: None,
            old: None,
            new: None,
        })
    }
}
