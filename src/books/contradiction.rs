//! Contradictions: rows of the log that cannot follow from those before them.

use crate::domain::{MemberNumber, Seq, Status};

/// A row that cannot follow from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the activity log contradicts itself: in activity {} of member row {}, {kind}",
    seq.0, member.0
)]
pub struct Contradiction {
    /// The row.
    pub seq: Seq,
    /// The member that it is about.
    pub member: MemberNumber,
    /// The kind of contradiction.
    pub kind: ContradictionKind,
}

/// The kinds of contradiction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContradictionKind {
    /// The member has not signed up before.
    #[error("the member has not signed up before")]
    MemberUnknown,
    /// The member signed up twice.
    #[error("the member signs up for the second time")]
    MemberKnown,
    /// The row is of another program than the member.
    #[error("the member belongs to another program")]
    AnotherProgram,
    /// The balance would fall below zero.
    #[error("the balance falls below zero")]
    BalanceNegative,
    /// A total exceeds the largest number of points.
    #[error("a total exceeds the largest number of points")]
    TooManyPoints,
    /// No redemption of the member has the status that one leaves.
    #[error("a redemption leaves the status {}, which no redemption of the member has", .0.as_str())]
    StatusEmpty(Status),
}
