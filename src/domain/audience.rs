//! Who hears of an event, and what is shown of it.

/// The receivers of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Streams and webhooks: the event is in the catalogue.
    Catalogue,
    /// This server only.
    Internal,
}

/// Whether reports count an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counting {
    /// They do.
    Counted,
    /// They do not.
    Uncounted,
}

/// The object that streams and webhooks show for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The member, as it was then.
    Member,
    /// The ledger entry, which the log holds completely.
    Transaction,
    /// The redemption, as it was then.
    Redemption,
    /// The message, which never changes.
    Message,
    /// A pool that is low, as the log has it.
    PointsLow,
    /// Points that were bought for a pool, as the log has it.
    PointsPurchased,
    /// Points that expired or will, as the log has it.
    Expired,
    /// A change of the program's wallet, which the log holds completely.
    Funding,
    /// None: the event is internal.
    Nothing,
}
