//! What rules bring about.

use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use crate::domain::{
    AssetNumber, BalanceOperation, Bucket, Points, Reason, ReferenceId, Timestamp,
};

use super::expression::{DataMap, Number};

/// A version of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleVersion {
    /// The number of the rule.
    pub rule: u64,
    /// The number of its version.
    pub version: u64,
}

/// A participant as a rule names one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ParticipantKey {
    /// By its id.
    Id(Uuid),
    /// By the operator's own id.
    ExternalId(Box<str>),
}

/// Whom an effect is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// A participant.
    Participant(ParticipantKey),
    /// The program.
    Program,
}

/// A change, with values in place of expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Points are credited.
    Credit {
        /// The asset; `None`: the program's points.
        asset: Option<AssetNumber>,
        /// The points, at least one of the smallest units.
        amount: Points,
        /// Available, or held.
        bucket: Bucket,
        /// The description of the entry.
        description: Option<Reason>,
        /// What they belong to.
        reference: Option<ReferenceId>,
        /// When they expire.
        expires_at: Option<Timestamp>,
        /// When they become available.
        matures_at: Option<Timestamp>,
    },
    /// Points are debited.
    Debit {
        /// The asset; `None`: the program's points.
        asset: Option<AssetNumber>,
        /// The points, at least one of the smallest units.
        amount: Points,
        /// Whether the balance may become negative.
        allow_negative: bool,
        /// The description of the entry.
        description: Option<Reason>,
    },
    /// Points are held, released, forfeited, or taken back.
    Operation {
        /// The operation.
        operation: BalanceOperation,
        /// The asset; `None`: the program's points.
        asset: Option<AssetNumber>,
        /// The points; `None`: all there are.
        amount: Option<Points>,
        /// Of a forfeit: from which bucket.
        bucket: Bucket,
        /// Only the points that belong to this.
        reference: Option<ReferenceId>,
        /// The description of the entry.
        description: Option<Reason>,
    },
    /// A tag is added.
    Tag(Box<str>),
    /// A tag is removed.
    Untag(Box<str>),
    /// A counter is increased, or decreased.
    Count {
        /// The counter.
        key: Box<str>,
        /// What is added.
        increment: Number,
        /// After this long it starts from zero, if that changes.
        reset_after: Option<Duration>,
    },
    /// An attribute is set.
    SetAttribute {
        /// The attribute.
        key: Box<str>,
        /// The value.
        value: Box<str>,
    },
    /// An event happens later.
    Schedule {
        /// When.
        due: Timestamp,
        /// Its data, with its type.
        data: Arc<DataMap>,
        /// How many events caused each other until it.
        depth: u8,
    },
    /// An event happens for every participant.
    Broadcast {
        /// Its data, with its type.
        data: Arc<DataMap>,
        /// How many events caused each other until it.
        depth: u8,
    },
}

/// An effect, and what caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caused {
    /// The rule.
    pub rule: RuleVersion,
    /// The place of the action in the rule, from 0.
    pub action: usize,
    /// Whom it is for.
    pub recipient: Recipient,
    /// The effect.
    pub effect: Effect,
}
