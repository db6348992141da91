//! The chain of a wallet's ledger entries, and how to go back in it fast.

use super::{AssetNumber, MemberNumber, Points, Seq, Timestamp};

/// What names an account: its asset and its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The asset; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The member.
    pub member: MemberNumber,
}

/// The end of a wallet's chain of ledger entries, to which the next entry is added.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Account {
    /// The newest entry.
    pub last: Option<Seq>,
    /// The entry that it jumps to.
    pub jump: Option<Seq>,
    /// The entry that this one jumps to, if it is known.
    pub far: Option<Seq>,
    /// The number of entries.
    pub entries: u64,
}

/// The position of a ledger entry in its account: columns of its row besides those of the event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The entry before it.
    pub previous: Option<Seq>,
    /// An earlier entry to jump to, so that any entry is reached in few steps.
    pub jump: Option<Seq>,
    /// The points that the account received, this entry included.
    pub received: Points,
    /// The points that it spent, this entry included.
    pub spent: Points,
    /// The points that it holds after this entry.
    pub held: Points,
    /// The points that become available later, after this entry.
    pub deferred: Points,
}

/// A ledger entry, as far as going back from it needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// Its number in the account, from 1.
    pub number: u64,
    /// Its number in the log.
    pub seq: Seq,
    /// Its time.
    pub at: Timestamp,
    /// The entry before it.
    pub previous: Option<Seq>,
    /// The earlier entry that it jumps to.
    pub jump: Option<Seq>,
}

impl Link {
    /// The newest entry of an account for which `holds` is true, as it then is for all before it;
    /// `None` if there is none. `self` is the newest of all; `find` finds an earlier one by its
    /// number in the account and in the log, and is called about four times the logarithm of the
    /// number of entries at most.
    ///
    /// # Errors
    /// The error of `find`.
    pub fn newest_where<E>(
        self,
        holds: impl Fn(&Self) -> bool,
        mut find: impl FnMut(u64, Seq) -> Result<Self, E>,
    ) -> Result<Option<Self>, E> {
        let mut later = self;
        while !holds(&later) {
            let Some(previous) = later.previous else {
                return Ok(None);
            };
            let far = later.jump.filter(|jump| *jump != previous);
            let far = far.map(|jump| find(jump_depth(later.number), jump));
            later = match far.transpose()?.filter(|far| !holds(far)) {
                Some(far) => far,
                None => find(later.number - 1, previous)?,
            };
        }
        Ok(Some(later))
    }
}

impl Account {
    /// The account with one more entry, whose jump is known and whose number is not yet. `jump_of`
    /// finds the jump of an earlier entry; it is called for one entry in four.
    ///
    /// # Errors
    /// The error of `jump_of`.
    pub fn extended<E>(
        &self,
        jump_of: impl FnOnce(Seq) -> Result<Option<Seq>, E>,
    ) -> Result<Self, E> {
        let depth = jump_depth(self.entries + 1);
        let (jump, far) = match (self.jump, self.far) {
            _ if depth == self.entries => (self.last, self.jump),
            _ if depth == 0 => (None, None),
            (_, Some(far)) => (Some(far), None),
            (Some(jump), None) => (jump_of(jump)?, None),
            (None, None) => (None, None),
        };
        Ok(Self {
            last: None,
            jump,
            far,
            entries: self.entries + 1,
        })
    }
}

/// The position, from 1, of the entry that the `number`th entry of an account jumps to; 0 if it
/// jumps to none.
///
/// The positions follow skew-binary numbers: an older entry is reached in at most about twice the
/// logarithm of the distance in steps, by jumping as long as a jump does not go too far.
///
/// Source: Eugene W. Myers, "An applicative random-access stack", 1983.
///
/// ```
/// use stampcard::domain::jump_depth;
/// let depths: Vec<u64> = (1..=8).map(jump_depth).collect();
/// assert_eq!(depths, [0, 1, 0, 3, 4, 3, 0, 7]);
/// ```
pub fn jump_depth(number: u64) -> u64 {
    let mut rest = number;
    let mut weight = 0;
    while rest > 0 {
        // The largest 2^k - 1 that fits.
        weight = (1 << (64 - (rest + 1).leading_zeros() - 1)) - 1;
        rest -= weight;
    }
    number - weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jumps_follow_from_the_account_alone_and_reach_every_entry_in_few_steps() {
        let mut jumps: Vec<Option<Seq>> = Vec::new();
        let mut account = Account::default();
        let mut asked = 0;
        for number in 1..=2000_u64 {
            let jump_of = |seq: Seq| {
                asked += 1;
                Ok::<_, ()>(jumps[usize::try_from(seq.0).unwrap() - 1])
            };
            account = account.extended(jump_of).unwrap();
            let depth = account.jump.map_or(0, |jump| jump.0.unsigned_abs());
            assert_eq!(depth, jump_depth(number), "{number}");
            if let Some(far) = account.far {
                assert_eq!(far.0.unsigned_abs(), jump_depth(depth), "{number}");
            }
            assert_eq!(account.entries, number);
            jumps.push(account.jump);
            account.last = Some(Seq(i64::try_from(number).unwrap()));
        }
        assert!(asked <= 2000 / 4, "{asked}");
        for wanted in 1..=2000 {
            let (mut place, mut steps) = (2000, 0);
            while place != wanted {
                let jump = jump_depth(place);
                place = if jump >= wanted { jump } else { place - 1 };
                steps += 1;
            }
            assert!(steps <= 3 * 11, "{wanted}: {steps}");
        }
    }

    /// Accounts of many lengths, with many entries of one time: every time has the entry that a
    /// look at all of them finds, for the logarithm of their number of look-ups.
    #[test]
    fn the_newest_entry_by_a_time_is_the_one_that_a_fold_finds_in_few_look_ups() {
        let mut state = 1_u64;
        let mut random = |most: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) % most
        };
        let mut deepest = 0;
        for length in [0, 1, 2, 3, 7, 8, 100, 1023, 5000] {
            let mut account = Account::default();
            let mut entries: Vec<Link> = Vec::new();
            let mut millis = 10;
            for number in 1..=length {
                // Two in three have the time of the one before.
                millis += i64::from(random(3) == 0);
                let jump_of = |seq: Seq| {
                    let place = usize::try_from(seq.0 / 3).unwrap() - 1;
                    Ok::<_, ()>(entries[place].jump)
                };
                let previous = account.last;
                account = account.extended(jump_of).unwrap();
                let seq = Seq(3 * number);
                account.last = Some(seq);
                entries.push(Link {
                    number: number.unsigned_abs(),
                    seq,
                    at: Timestamp::from_millis(millis).unwrap(),
                    previous,
                    jump: account.jump,
                });
            }
            for time in (8..millis + 2).map(|time| Timestamp::from_millis(time).unwrap()) {
                let naive = entries.iter().rfind(|entry| entry.at <= time);
                let mut asked = 0;
                let find = |number: u64, seq: Seq| {
                    asked += 1;
                    assert_eq!(number, seq.0.unsigned_abs() / 3);
                    Ok::<_, ()>(entries[usize::try_from(number).unwrap() - 1])
                };
                let newest = entries.last();
                let newest = newest.map(|it| it.newest_where(|it| it.at <= time, find));
                let found = newest.transpose().unwrap().flatten();
                assert_eq!(found.as_ref(), naive, "{length} {time}");
                deepest = deepest.max(asked);
                assert!(
                    asked <= 4 * length.checked_ilog2().unwrap_or(0) + 2,
                    "{asked}"
                );
            }
        }
        // The longest account needs more than a few, so that the limit says something.
        assert!(deepest > 12, "{deepest}");
    }
}
