//! Members and their wallets.

use super::{
    Account, Attributes, DisplayName, Email, ExternalUserId, MemberNumber, Points, ProgramNumber,
    Seq, Tier, Timestamp,
};

/// What a merge does with one field.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Change<T> {
    /// It was not mentioned: keep the value.
    #[default]
    Keep,
    /// It was null: clear the value.
    Clear,
    /// Take this value.
    Set(T),
}

impl<T> Change<T> {
    /// The field after the change.
    pub fn apply(self, current: Option<T>) -> Option<T> {
        match self {
            Self::Keep => current,
            Self::Clear => None,
            Self::Set(value) => Some(value),
        }
    }
}

/// What a request says of a member's profile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberProfile {
    /// The name to show.
    pub display_name: Change<DisplayName>,
    /// The email address, which no answer returns.
    pub email: Change<Email>,
    /// The tier, if it is mentioned.
    pub tier: Option<Tier>,
    /// The operator's own JSON, replaced whole.
    pub attributes: Change<Attributes>,
}

/// Points of one member. The balance is what was received less what was spent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wallet {
    /// Mints and refunds, ever.
    pub received: Points,
    /// Spends, forfeits and debits, ever.
    pub spent: Points,
}

impl Wallet {
    /// What can be spent now.
    ///
    /// # Panics
    /// Never: a wallet cannot spend more than it received.
    pub fn balance(&self) -> Points {
        self.received
            .checked_sub(self.spent)
            .expect("a wallet never spends more than it received")
    }
}

/// A member of a program.
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
    /// The email address, which no answer returns.
    pub email: Option<Email>,
    /// The tier.
    pub tier: Tier,
    /// The operator's own JSON.
    pub attributes: Option<Attributes>,
    /// The points.
    pub wallet: Wallet,
    /// The head of the wallet's chain of ledger entries.
    pub account: Account,
    /// Whether there ever was a mint or a spend.
    pub participated: bool,
    /// Raised by a removal; tokens of an earlier epoch are dead.
    pub token_epoch: i64,
    /// When the last token minted for the member runs out.
    pub token_expires_at: Option<Timestamp>,
    /// When the member signed up.
    pub created_at: Timestamp,
    /// When the member was removed, if so.
    pub archived_at: Option<Timestamp>,
    /// The settings version: the number of the activity that last changed what a request can set.
    pub version: Seq,
}

impl Member {
    /// A member without a profile and with an empty wallet, who has no row yet.
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
            tier,
            attributes: None,
            wallet: Wallet::default(),
            account: Account::default(),
            participated: false,
            token_epoch: 0,
            token_expires_at: None,
            created_at,
            archived_at: None,
            version: Seq(0),
        }
    }
}
