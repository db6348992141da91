//! What expires next in an account.

use crate::books::Record;
use crate::domain::{Expiring, Lot, LotState, Points, Timestamp};

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

    /// The points that can be spent until a time, if that was not announced yet.
    pub fn unannounced(&self, end: Timestamp) -> Option<Points> {
        let lots = self.lots.as_ref()?;
        let expire = |lot: &&Lot| lot.state == LotState::Available && lot.expires_at == Some(end);
        let points = lots
            .live
            .iter()
            .filter(expire)
            .map(|lot| lot.remaining.get());
        let sum = Points::new(points.sum()).unwrap_or(Points::MAX);
        (!sum.is_zero() && lots.noticed_until < Some(end)).then_some(sum)
    }
}
