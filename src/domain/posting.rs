//! Ledger entries in the form of double-entry bookkeeping: what goes into each account of an entry.

use super::{Bucket, Entry, Event, IssuancePolicy, LedgerEntry, RedemptionTarget};

/// The kind of a journal entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalAction {
    /// Points were credited.
    Credit,
    /// Points were debited.
    Debit,
    /// Available points were held.
    Hold,
    /// Held points became available again.
    Release,
    /// Points were forfeited.
    Forfeit,
    /// Points expired.
    Expire,
    /// Points became available because their time had come.
    Maturity,
    /// Points that were credited as held became available.
    Settle,
    /// Points that were credited as held were taken back.
    VoidHold,
    /// Points were spent.
    Redemption,
    /// Points that were spent were returned.
    Reversal,
    /// The points of an account were put into lots.
    Open,
    /// Points were put into the wallet of the program.
    Fund,
    /// Points were taken out of the wallet of the program.
    Burn,
}

impl JournalAction {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Credit,
        Self::Debit,
        Self::Hold,
        Self::Release,
        Self::Forfeit,
        Self::Expire,
        Self::Maturity,
        Self::Settle,
        Self::VoidHold,
        Self::Redemption,
        Self::Reversal,
        Self::Open,
        Self::Fund,
        Self::Burn,
    ];

    /// That of a ledger entry.
    pub fn of(entry: &LedgerEntry) -> Self {
        match entry.entry {
            Entry::Mint => Self::Credit,
            Entry::Spend => Self::Redemption,
            Entry::Refund | Entry::Reverse => Self::Reversal,
            Entry::Forfeit => Self::Forfeit,
            Entry::Debit => Self::Debit,
            Entry::Expire => Self::Expire,
            Entry::Mature if entry.change().held < 0 => Self::Settle,
            Entry::Mature => Self::Maturity,
            Entry::Hold => Self::Hold,
            Entry::Release => Self::Release,
            Entry::Void => Self::VoidHold,
            Entry::Open => Self::Open,
        }
    }

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credit => "CREDIT",
            Self::Debit => "DEBIT",
            Self::Hold => "HOLD",
            Self::Release => "RELEASE",
            Self::Forfeit => "FORFEIT",
            Self::Expire => "EXPIRE",
            Self::Maturity => "MATURITY",
            Self::Settle => "SETTLE",
            Self::VoidHold => "VOID_HOLD",
            Self::Redemption => "REDEMPTION",
            Self::Reversal => "REVERSAL",
            Self::Open => "OPEN",
            Self::Fund => "FUND",
            Self::Burn => "BURN",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.as_str() == name)
    }
}

/// The owner of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerEntity {
    /// The member.
    Participant,
    /// The program, whose wallet has the points of assets that are issued from it.
    Program,
    /// Where points come from.
    Issuance,
    /// Where points go that are spent.
    Redemption,
    /// Where points go that are forfeited or expire.
    Breakage,
}

impl LedgerEntity {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Participant,
        Self::Program,
        Self::Issuance,
        Self::Redemption,
        Self::Breakage,
    ];

    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Participant => "PARTICIPANT",
            Self::Program => "PROGRAM",
            Self::Issuance => "SYSTEM_ISSUANCE",
            Self::Redemption => "SYSTEM_REDEMPTION",
            Self::Breakage => "SYSTEM_BREAKAGE",
        }
    }

    /// Where the points of an asset come from that are credited.
    fn issuer(policy: IssuancePolicy) -> Self {
        match policy {
            IssuancePolicy::Unlimited => Self::Issuance,
            IssuancePolicy::Prefunded => Self::Program,
        }
    }

    /// The other side of an entry that brings points into an account, or takes them out.
    fn other_side(entry: &LedgerEntry, policy: IssuancePolicy) -> Self {
        match entry.entry {
            Entry::Spend | Entry::Refund | Entry::Reverse => match entry.target() {
                RedemptionTarget::Redemption => Self::Redemption,
                RedemptionTarget::Breakage => Self::Breakage,
            },
            Entry::Forfeit | Entry::Expire => Self::Breakage,
            // A debit corrects what was credited.
            Entry::Mint
            | Entry::Debit
            | Entry::Void
            | Entry::Mature
            | Entry::Hold
            | Entry::Release
            | Entry::Open => Self::issuer(policy),
        }
    }
}

/// What a journal entry adds to an account, or takes from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    /// Its number in the entry: those of the participant have that of their bucket.
    pub number: u32,
    /// The owner of the account.
    pub entity: LedgerEntity,
    /// The bucket of the owner.
    pub bucket: Bucket,
    /// The points; negative if they leave the account.
    pub amount: i64,
}

impl Posting {
    /// The number of the other side.
    const OTHER_SIDE: u32 = 4;

    /// The number of a participant's posting to a bucket.
    pub fn number_of(bucket: Bucket) -> u32 {
        bucket.number().into()
    }
}

impl LedgerEntry {
    /// Its postings, whose sum is zero. An entry that only puts points into lots has none. The
    /// points of its asset are issued like this.
    pub fn postings(&self, policy: IssuancePolicy) -> Vec<Posting> {
        let change = self.change();
        let own = Bucket::ALL.map(|bucket| Posting {
            number: Posting::number_of(bucket),
            entity: LedgerEntity::Participant,
            bucket,
            amount: change.in_bucket(bucket),
        });
        let sum: i64 = own.iter().map(|posting| posting.amount).sum();
        let other = Posting {
            number: Posting::OTHER_SIDE,
            entity: LedgerEntity::other_side(self, policy),
            bucket: Bucket::Available,
            amount: -sum,
        };
        own.into_iter()
            .chain([other])
            .filter(|posting| posting.amount != 0)
            .collect()
    }
}

impl Event {
    /// The postings of a change of the program's wallet, whose sum is zero; none of other events.
    pub fn funding_postings(&self) -> Vec<Posting> {
        let (other, amount) = match self {
            Self::ProgramFunded(funding) => (LedgerEntity::Issuance, funding.amount.get()),
            Self::ProgramBurned(funding) => (LedgerEntity::Breakage, -funding.amount.get()),
            _ => return Vec::new(),
        };
        let sides = [(LedgerEntity::Program, amount), (other, -amount)];
        let postings = (Posting::OTHER_SIDE..)
            .zip(sides)
            .map(|(number, (entity, amount))| Posting {
                number,
                entity,
                bucket: Bucket::Available,
                amount,
            });
        postings.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Buckets, MemberNumber, Points};

    #[test]
    fn an_entry_takes_from_the_wallet_of_the_program_what_its_posting_says() {
        for entry in Entry::ALL {
            for held in [0, 10, -10] {
                let buckets = Buckets {
                    held,
                    ..Buckets::default()
                };
                let entry = LedgerEntry {
                    entry,
                    amount: Points::new(10).unwrap(),
                    member: MemberNumber(1),
                    asset: None,
                    offer: None,
                    redemption: None,
                    first: false,
                    reason: None,
                    buckets: buckets.boxed(),
                };
                let postings = entry.postings(IssuancePolicy::Prefunded);
                let sum: i64 = postings.iter().map(|posting| posting.amount).sum();
                assert_eq!(sum, 0, "{entry:?}");
                let of_program = postings.iter();
                let of_program = of_program.filter(|it| it.entity == LedgerEntity::Program);
                let taken: i64 = of_program.map(|posting| -posting.amount).sum();
                assert_eq!(taken, entry.issued(), "{entry:?}");
            }
        }
    }
}
