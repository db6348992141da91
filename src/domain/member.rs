//! Members and their wallets.

use super::{
    Attributes, DisplayName, Email, ExternalUserId, MemberNumber, Phone, Points, ProgramNumber,
    Seq, Tier, Timestamp,
};

/// The change of one optional field by a patch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
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

/// The points of one member. The balance is the difference of points received and spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Mints and refunds, ever.
    pub received: Points,
    /// Spends, forfeits and debits, ever.
    pub spent: Points,
}

impl Wallet {
    /// The points that can be spent.
    ///
    /// # Panics
    /// Never: a wallet cannot spend more than it received.
    pub fn balance(&self) -> Points {
        self.received
            .checked_sub(self.spent)
            .expect("a wallet never spends more than it received")
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
            version: Seq(0),
        }
    }
}
