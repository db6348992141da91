//! The responses about redemptions.

use uuid::Uuid;

use crate::domain::{
    AssetNumber, DerivedIds, DerivedKind, Entry, MemberNumber, Points, Redemption, ReversalStatus,
    Scale, Seq, Timestamp, Units,
};
use crate::service::earning::scope::Named;
use crate::service::earning::subject;
use crate::store::log::EntryRow;
use crate::store::log::spends::{self, Amount, Returned};
use crate::store::{self, Connection};
use crate::wire::{ParticipantRedemptionResponse, ReversalResponse};

/// What the responses about a participant share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rendering {
    program: Uuid,
    member: MemberNumber,
}

/// A redemption of either kind.
pub(super) enum Shown {
    Amount(Amount),
    Item {
        redemption: Box<Redemption>,
        entries: Vec<EntryRow>,
        returned: Vec<Returned>,
        title: String,
    },
}

impl Shown {
    /// The asset; `None`: the program's points.
    pub(super) fn asset(&self) -> Option<AssetNumber> {
        match self {
            Self::Amount(amount) => amount.spend.entry.asset,
            Self::Item { .. } => None,
        }
    }

    fn status(&self) -> ReversalStatus {
        match self {
            Self::Amount(amount) => status_of_amount(amount),
            Self::Item { redemption, .. } => status_of_item(redemption),
        }
    }
}

pub(super) fn status_of_amount(Amount { spend, reversals }: &Amount) -> ReversalStatus {
    status(sum(reversals).get(), spend.entry.amount.get())
}

pub(super) fn status_of_item(redemption: &Redemption) -> ReversalStatus {
    let quantity = redemption.quantity.get();
    status(quantity - redemption.left(), quantity)
}

fn status(reversed: i64, all: i64) -> ReversalStatus {
    match reversed {
        0 => ReversalStatus::Completed,
        reversed if reversed < all => ReversalStatus::PartiallyReversed,
        _ => ReversalStatus::FullyReversed,
    }
}

/// The points of entries.
pub(super) fn sum(entries: &[EntryRow]) -> Points {
    let sum = entries.iter().map(|row| row.entry.amount.get()).sum();
    Points::new(sum).unwrap_or(Points::MAX)
}

fn reason(row: &EntryRow) -> Option<String> {
    let reason = row.entry.reason.as_ref();
    reason.map(|reason| reason.as_str().to_owned())
}

impl Rendering {
    pub(super) fn new(program: Uuid, member: MemberNumber) -> Self {
        Self { program, member }
    }

    fn ids(&self, kind: DerivedKind) -> DerivedIds {
        DerivedIds::new(self.program, kind)
    }

    fn entry_id(&self, row: &EntryRow) -> String {
        let ids = self.ids(DerivedKind::JournalEntry);
        ids.id(row.seq.0, 0).to_string()
    }

    /// The spend of the redemption of an amount with an id.
    pub(super) fn amount_of(&self, id: Uuid) -> Option<Seq> {
        match self.ids(DerivedKind::Redemption).numbers(id) {
            Some((seq, 0)) => Some(Seq(seq)),
            _ => None,
        }
    }

    /// The response about a redemption of points of an asset.
    pub(super) fn response(&self, asset: &Named, shown: &Shown) -> ParticipantRedemptionResponse {
        let (status, scale) = (shown.status(), asset.scale);
        let of = |id: String, amount: Points, reversed: Points, at: Timestamp, last: Timestamp| {
            ParticipantRedemptionResponse {
                id,
                program_id: self.program.to_string(),
                participant_id: subject::ids(self.program).id(self.member.0, 0).to_string(),
                asset_id: asset.id.to_string(),
                amount: scale.show_points(amount),
                reward_id: None,
                quantity: None,
                unit_cost: None,
                reversed_amount: scale.show_points(reversed),
                reversed_quantity: None,
                description: None,
                status: status.as_str(),
                journal_entry_id: None,
                created_at: at.to_short(),
                updated_at: last.to_short(),
            }
        };
        match shown {
            Shown::Amount(Amount { spend, reversals }) => {
                let ids = self.ids(DerivedKind::Redemption);
                let id = ids.id(spend.seq.0, 0).to_string();
                let last = reversals.last().unwrap_or(spend).at;
                let reversed = sum(reversals);
                ParticipantRedemptionResponse {
                    description: reason(spend),
                    journal_entry_id: Some(self.entry_id(spend)),
                    ..of(id, spend.entry.amount, reversed, spend.at, last)
                }
            }
            Shown::Item {
                redemption,
                entries,
                returned,
                title,
            } => {
                let spend = entries.iter().find(|row| row.entry.entry == Entry::Spend);
                let id = redemption.id.as_uuid().to_string();
                let created_at = redemption.created_at;
                let last = returned.last().map_or(created_at, |last| last.at);
                let quantity = redemption.quantity.get();
                let reversed = quantity - redemption.left();
                let amounts = [redemption.charged, redemption.points_of(reversed)];
                let described = spend.and_then(reason);
                ParticipantRedemptionResponse {
                    reward_id: Some(redemption.offer_id.as_uuid().to_string()),
                    quantity: Some(quantity),
                    unit_cost: Some(scale.show_points(redemption.points_of(1))),
                    reversed_quantity: Some(reversed),
                    description: described.or_else(|| Some(format!("Redeemed: {title}"))),
                    journal_entry_id: spend.map(|row| self.entry_id(row)),
                    ..of(id, amounts[0], amounts[1], created_at, last)
                }
            }
        }
    }

    /// The reversal of a redemption of an amount.
    pub(super) fn reversal_of_amount(
        &self,
        scale: Scale,
        spend: &EntryRow,
        reversal: &EntryRow,
    ) -> ReversalResponse {
        ReversalResponse {
            id: self.reversal_id(reversal.seq),
            redemption_id: self
                .ids(DerivedKind::Redemption)
                .id(spend.seq.0, 0)
                .to_string(),
            amount: scale.show_points(reversal.entry.amount),
            quantity: None,
            reason: reason(reversal),
            journal_entry_id: Some(self.entry_id(reversal)),
            created_at: reversal.at.to_short(),
        }
    }

    /// The reversals of a redemption of an offer, oldest first.
    pub(super) fn reversals_of_item(
        &self,
        connection: &Connection,
        redemption: &Redemption,
    ) -> Result<Vec<(Seq, ReversalResponse)>, store::Error> {
        let entries = spends::of_offer(connection, redemption.number)?;
        // Each return has an entry, unless it was free, or paid by a pool.
        let mut refunds = entries
            .iter()
            .filter(|row| row.entry.entry == Entry::Refund);
        let mut left = redemption.quantity.get();
        let mut reversals = Vec::new();
        for returned in spends::returned(connection, redemption.number)? {
            let units = returned
                .part
                .as_ref()
                .map_or(left, |(units, _)| units.get());
            left -= units;
            let seq = returned.seq;
            let reversal = self.reversal_of_item(redemption, (returned, units), refunds.next());
            reversals.push((seq, reversal));
        }
        Ok(reversals)
    }

    /// The newest reversal of a redemption of an offer, which was of some units.
    pub(super) fn newest_reversal_of_item(
        &self,
        connection: &Connection,
        redemption: &Redemption,
        units: Units,
    ) -> Result<ReversalResponse, store::Error> {
        let returned = spends::newest_returned(connection, redemption.number)?;
        let returned = returned.ok_or(store::Error::Impossible("reversal"))?;
        let newest = spends::newest_of_offer(connection, redemption.number)?;
        let refund = newest.filter(|row| row.entry.entry == Entry::Refund);
        Ok(self.reversal_of_item(redemption, (returned, units.get()), refund.as_ref()))
    }

    /// A return of some units of a redemption of an offer, with its entry.
    fn reversal_of_item(
        &self,
        redemption: &Redemption,
        (returned, units): (Returned, i64),
        refund: Option<&EntryRow>,
    ) -> ReversalResponse {
        let note = redemption.canceled_note.as_ref();
        let reason = match returned.part {
            Some((_, reason)) => reason,
            None => note.map(|note| note.as_str().to_owned()),
        };
        ReversalResponse {
            id: self.reversal_id(returned.seq),
            redemption_id: redemption.id.as_uuid().to_string(),
            amount: redemption.points_of(units).get().to_string(),
            quantity: Some(units),
            reason,
            journal_entry_id: refund.map(|row| self.entry_id(row)),
            created_at: returned.at.to_short(),
        }
    }

    fn reversal_id(&self, seq: Seq) -> String {
        self.ids(DerivedKind::Reversal).id(seq.0, 0).to_string()
    }
}
