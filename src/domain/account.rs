//! The chain of a wallet's ledger entries, and how to go back in it fast.

use super::{Points, Seq};

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
}
