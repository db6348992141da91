//! Due things: what happens in a program because its time has come.

use super::{AccountKey, AssetNumber, MemberNumber, Timestamp};

/// The kind of a due thing. Of things that are due at one time, those of a lower number come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DueKind {
    /// Deferred points of a member become available.
    Mature,
    /// Points of a member expire.
    Expire,
    /// Points of a member that were reserved until then become available again.
    Release,
    /// It is announced that points of a member will expire.
    Notice,
}

impl DueKind {
    /// All kinds, in the order of their numbers.
    pub const ALL: [Self; 4] = [Self::Mature, Self::Expire, Self::Release, Self::Notice];

    /// The number, from 1.
    pub const fn number(self) -> u8 {
        self as u8 + 1
    }

    /// The name in the metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mature => "mature",
            Self::Expire => "expire",
            Self::Release => "release",
            Self::Notice => "notice",
        }
    }

    /// The kind with this number.
    pub fn of_number(number: u8) -> Option<Self> {
        let index = usize::from(number).checked_sub(1)?;
        Self::ALL.get(index).copied()
    }
}

/// Something that is due: all that happens to a member's points of one kind and at one time. They
/// are sorted in the order in which they happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Due {
    /// When it is due.
    pub at: Timestamp,
    /// Its kind.
    pub kind: DueKind,
    /// The asset; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The member.
    pub member: MemberNumber,
}

impl Due {
    /// That of an account.
    pub const fn new(at: Timestamp, kind: DueKind, account: AccountKey) -> Self {
        Self {
            at,
            kind,
            asset: account.asset,
            member: account.member,
        }
    }

    /// The account.
    pub const fn account(&self) -> AccountKey {
        AccountKey {
            asset: self.asset,
            member: self.member,
        }
    }
}
