//! The prepaid points of an organization, from which its live programs draw.

use super::Refusal;

/// What redemptions are paid from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SettlementMode {
    /// From the member's wallet. Every credit draws from the pool.
    #[default]
    MemberWallet,
    /// From the pool. Members have no points.
    OrgPool,
}

impl SettlementMode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::MemberWallet, Self::OrgPool];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MemberWallet => "MEMBER_WALLET",
            Self::OrgPool => "ORG_POOL",
        }
    }

    /// Reads the name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

/// A pool and its settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pool {
    /// The points that are left; negative if redemptions overdrew it.
    pub balance: i64,
    /// The points that were ever drawn; what was returned is not subtracted.
    pub lifetime_spent: i64,
    /// The points by which redemptions may overdraw it.
    pub credit_limit: i64,
    /// What redemptions are paid from.
    pub mode: SettlementMode,
    /// The balance below which `org.points.low` is sent.
    pub low_threshold: i64,
}

impl Pool {
    /// The highest balance, amount and limit: clients read them as integers of 32 bits.
    pub const MAX: i64 = i32::MAX as i64;

    /// Draws a number of points. Returns whether the balance fell below the threshold with it.
    ///
    /// # Errors
    /// [`Refusal::InsufficientOrgPoints`] if the pool does not cover it.
    pub fn draw(&mut self, amount: i64) -> Result<bool, Refusal> {
        let floor = match self.mode {
            SettlementMode::MemberWallet => 0,
            SettlementMode::OrgPool => -self.credit_limit,
        };
        let left = self.balance - amount;
        if left < floor {
            return Err(Refusal::InsufficientOrgPoints);
        }
        let falls = self.balance >= self.low_threshold && left < self.low_threshold;
        self.balance = left;
        self.lifetime_spent = self.lifetime_spent.saturating_add(amount).min(Self::MAX);
        Ok(falls)
    }

    /// Adds points that were bought or returned, up to the highest balance.
    pub fn add(&mut self, amount: i64) {
        self.balance = self.balance.saturating_add(amount).min(Self::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_pays_to_its_floor_and_tells_once_that_it_is_low() {
        let mut pool = Pool {
            balance: 10,
            credit_limit: 5,
            low_threshold: 4,
            ..Pool::default()
        };
        assert_eq!(pool.draw(6), Ok(false));
        assert_eq!(pool.draw(1), Ok(true));
        assert_eq!(pool.draw(1), Ok(false));
        let full = pool;
        assert_eq!(pool.draw(3), Err(Refusal::InsufficientOrgPoints));
        assert_eq!(pool, full, "a refused draw changes nothing");
        pool.mode = SettlementMode::OrgPool;
        assert_eq!(pool.draw(7), Ok(false));
        assert_eq!(pool.draw(1), Err(Refusal::InsufficientOrgPoints));
        assert_eq!((pool.balance, pool.lifetime_spent), (-5, 15));
    }

    #[test]
    fn what_was_ever_drawn_stops_at_the_maximum() {
        let mut pool = Pool {
            balance: Pool::MAX,
            lifetime_spent: Pool::MAX - 1,
            ..Pool::default()
        };
        pool.draw(5).unwrap();
        assert_eq!(pool.lifetime_spent, Pool::MAX);
    }
}
