//! Contradictions: rows of the log that cannot follow from those before them.

use crate::domain::{MemberNumber, Seq, Status};

/// A row that cannot follow from those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the activity log contradicts itself: in activity {}{}, {kind}",
    seq.0,
    member.map(|member| format!(" of member row {}", member.0)).unwrap_or_default()
)]
pub struct Contradiction {
    /// The row.
    pub seq: Seq,
    /// The member that it is about, if any.
    pub member: Option<MemberNumber>,
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
    /// More held or deferred points leave than there are.
    #[error("the points that are held or deferred fall below zero")]
    BucketNegative,
    /// A debit does not say rightly how many points the account did not have.
    #[error("the points that the account did not have are not those that the entry names")]
    Uncovered,
    /// An account has lots, and the entry does not say which it moves.
    #[error("the account has lots, but the entry names none")]
    LotsMissing,
    /// An event announces points of an account without lots.
    #[error("points of an account without lots are announced")]
    Unannounceable,
    /// The lots that an entry moves are not those of its kind, or do not add up to its points.
    #[error("the lots that it moves do not fit the entry")]
    LotsDiffer,
    /// An entry moves points of a lot that has none.
    #[error("lot {} does not exist or has no points left", .0)]
    LotUnknown(u32),
    /// A lot differs from what an entry says about it.
    #[error("lot {} is not as the entry describes it", .0)]
    LotDiffers(u32),
    /// An entry takes more points from a lot than there are.
    #[error("lot {} has fewer points", .0)]
    LotShort(u32),
    /// A new lot has a number that is not the next one.
    #[error("a new lot cannot have the number {}", .0)]
    LotNumber(u32),
    /// An account has more lots than are supported.
    #[error("the account has too many lots")]
    TooManyLots,
    /// An entry takes more points from the wallet of its program than there are.
    #[error("the wallet of the program has fewer points")]
    FundsShort,
    /// An asset is said to be issued from the wallet of its program after it was issued.
    #[error("the points of the asset were issued before")]
    IssuedBefore,
    /// Points are put into a wallet, or taken from it, for an asset that is not issued from it.
    #[error("the asset is not issued from the wallet of the program")]
    NotPrefunded,
    /// A row says that the wallet of its program has other points than it has.
    #[error("the wallet of the program has other points than the row says")]
    FundsDiffer,
    /// No redemption of the member has the status that one leaves.
    #[error("a redemption leaves the status {}, which no redemption of the member has", .0.as_str())]
    StatusEmpty(Status),
}
