//! Members and their wallets.

use super::{
    Attributes, Bucket, DisplayName, Email, ExternalUserId, MemberNumber, Phone, Points,
    ProgramNumber, Refusal, Seq, Tier, Timestamp,
};

/// The change of one optional field by a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// Keep the value: the field was not mentioned.
    #[default]
    Keep,
    /// Clear the value: the field was null.
    Clear,
    /// Set this value.
    Set(T),
}

impl<T> Change<T> {
    /// The value after the change.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// The changes of a member's profile by a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberProfile {
    /// The name to show.
    pub display_name: Change<DisplayName>,
    /// The email address.
    pub email: Change<Email>,
    /// The phone number.
    pub phone: Change<Phone>,
    /// The tier, if the request has one.
    pub tier: Option<Tier>,
    /// The operator's own JSON, replaced as a whole.
    pub attributes: Change<Attributes>,
}

/// The points of one member, or the sums over all members of a program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Points that came into the wallet, ever: mints, refunds and reversals.
    pub received: Points,
    /// Points that went out, ever: spends, forfeits, debits, expired and voided points.
    pub spent: Points,
    /// Points that are reserved.
    pub held: Points,
    /// Points that become available later. They are not received yet.
    pub pending: Points,
}

/// The change of a wallet by a ledger entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WalletChange {
    /// Points that came in.
    pub received: i64,
    /// Points that went out.
    pub spent: i64,
    /// The change of the points that are reserved.
    pub held: i64,
    /// The change of the points that become available later.
    pub pending: i64,
}

impl WalletChange {
    /// The change of the balance.
    pub fn balance(&self) -> i64 {
        self.received - self.spent - self.held
    }

    /// The change of the points of a bucket.
    pub fn in_bucket(&self, bucket: Bucket) -> i64 {
        match bucket {
            Bucket::Available => self.balance(),
            Bucket::Held => self.held,
            Bucket::Deferred => self.pending,
        }
    }
}

impl Wallet {
    /// The points that can be spent. It is negative after a debit that was allowed to take more
    /// than there was.
    pub fn balance(&self) -> i64 {
        self.received.get() - self.spent.get() - self.held.get()
    }

    /// The points that can be spent; none if the balance is negative.
    pub fn available(&self) -> Points {
        Points::new(self.balance()).unwrap_or(Points::ZERO)
    }

    /// The points of a bucket. Those that are available may be negative.
    pub fn in_bucket(&self, bucket: Bucket) -> i64 {
        match bucket {
            Bucket::Available => self.balance(),
            Bucket::Held => self.held.get(),
            Bucket::Deferred => self.pending.get(),
        }
    }

    /// All points, in whatever bucket.
    pub fn total(&self) -> i64 {
        Bucket::ALL
            .map(|bucket| self.in_bucket(bucket))
            .iter()
            .sum()
    }

    /// The wallet after a change; `None` if a number would fall below zero or exceed
    /// [`Points::MAX`].
    #[must_use]
    pub fn changed(&self, change: WalletChange) -> Option<Self> {
        let sum = |points: Points, change: i64| Points::new(points.get().checked_add(change)?);
        Some(Self {
            received: sum(self.received, change.received)?,
            spent: sum(self.spent, change.spent)?,
            held: sum(self.held, change.held)?,
            pending: sum(self.pending, change.pending)?,
        })
    }

    /// The change from an earlier state to this one.
    #[must_use]
    pub fn since(&self, before: Self) -> WalletChange {
        WalletChange {
            received: self.received.get() - before.received.get(),
            spent: self.spent.get() - before.spent.get(),
            held: self.held.get() - before.held.get(),
            pending: self.pending.get() - before.pending.get(),
        }
    }
}

/// A member of a program: the profile. The points are in the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The row.
    pub number: MemberNumber,
    /// The program the member belongs to.
    pub program: ProgramNumber,
    /// The operator's own id.
    pub external_user_id: ExternalUserId,
    /// The name to show.
    pub display_name: Option<DisplayName>,
    /// The email address.
    pub email: Option<Email>,
    /// The phone number, as it was given.
    pub phone: Option<Phone>,
    /// The tier.
    pub tier: Tier,
    /// The operator's own JSON.
    pub attributes: Option<Attributes>,
    /// Raised by a deletion; tokens of an earlier epoch are invalid.
    pub token_epoch: i64,
    /// When the member signed up.
    pub created_at: Timestamp,
    /// When the member was deleted, if so.
    pub archived_at: Option<Timestamp>,
    /// When the member was suspended, if so. A deleted member is not.
    pub suspended_at: Option<Timestamp>,
    /// The settings version: the number of the activity that last changed what a request can set.
    pub version: Seq,
}

impl Member {
    /// A member without a row, with an empty profile.
    pub fn new(
        program: ProgramNumber,
        external_user_id: ExternalUserId,
        tier: Tier,
        created_at: Timestamp,
    ) -> Self {
        Self {
            number: MemberNumber(0),
            program,
            external_user_id,
            display_name: None,
            email: None,
            phone: None,
            tier,
            attributes: None,
            token_epoch: 0,
            created_at,
            archived_at: None,
            suspended_at: None,
            version: Seq(0),
        }
    }

    /// Refuses a member who can neither earn nor spend points.
    ///
    /// # Errors
    /// [`Refusal::MemberSuspended`].
    pub fn check_able(&self) -> Result<(), Refusal> {
        match self.suspended_at {
            Some(_) => Err(Refusal::MemberSuspended),
            None => Ok(()),
        }
    }
}
