//! What expires next in an account.

use crate::books::Record;
use crate::domain::{Expiring, LotState, Points};

impl Record {
    /// The points that can be spent and expire some day, by time, at most `max` times.
    pub fn expiring(&self, max: usize) -> Vec<Expiring> {
        let mut next: Vec<Expiring> = Vec::new();
        let lots = self.lots.iter().flat_map(|lots| &lots.live);
        for lot in lots.filter(|lot| lot.state == LotState::Available) {
            let Some(at) = lot.expires_at else {
                continue;
            };
            match next.binary_search_by_key(&at, |expiring| expiring.at) {
                Ok(place) => {
                    let sum = next[place].amount.checked_add(lot.remaining);
                    next[place].amount = sum.unwrap_or(Points::MAX);
                }
                Err(place) if place < max => {
                    // A time that is left out is never among the next ones again.
                    next.truncate(max - 1);
                    let amount = lot.remaining;
                    next.insert(place, Expiring { at, amount });
                }
                Err(_) => {}
            }
        }
        next
    }
}
