//! The responses about redemptions.

use uuid::Uuid;

use crate::domain::{
    DerivedIds, DerivedKind, Entry, MemberNumber, Points, Redemption, ReversalStatus, Scale, Seq,
    Status, Timestamp,
};
use crate::service::earning::scope::Named;
use crate::service::earning::subject;
use crate::store::log::EntryRow;
use crate::store::log::spends::{self, Amount};
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
        title: String,
    },
}

impl Shown {
    pub(super) fn status(&self) -> ReversalStatus {
        let (amount, reversed, is_canceled) = match self {
            Self::Amount(amount) => (amount.spend.entry.amount, sum(&amount.reversals), false),
            Self::Item {
                redemption,
                entries,
                ..
            } => (
                redemption.charged,
                refunded(entries),
                redemption.status == Status::Canceled,
            ),
        };
        match (is_canceled, reversed.is_zero(), reversed >= amount) {
            (false, true, _) => ReversalStatus::Completed,
            (false, false, false) => ReversalStatus::PartiallyReversed,
            _ => ReversalStatus::FullyReversed,
        }
    }
}

/// The points of entries.
pub(super) fn sum(entries: &[EntryRow]) -> Points {
    let sum = entries.iter().map(|row| row.entry.amount.get()).sum();
    Points::new(sum).unwrap_or(Points::MAX)
}

/// The points that were returned by the entries of a redemption of an offer.
fn refunded(entries: &[EntryRow]) -> Points {
    let refunds = entries
        .iter()
        .filter(|row| row.entry.entry == Entry::Refund);
    let refunds: Vec<EntryRow> = refunds.cloned().collect();
    sum(&refunds)
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
                title,
            } => {
                let spend = entries.iter().find(|row| row.entry.entry == Entry::Spend);
                let id = redemption.id.as_uuid().to_string();
                let charged = redemption.charged;
                let created_at = redemption.created_at;
                let last = entries.last().map_or(created_at, |row| row.at);
                let is_reversed = status == ReversalStatus::FullyReversed;
                let described = spend.and_then(reason);
                ParticipantRedemptionResponse {
                    reward_id: Some(redemption.offer_id.as_uuid().to_string()),
                    quantity: Some(1),
                    unit_cost: Some(scale.show_points(charged)),
                    reversed_quantity: Some(u64::from(is_reversed)),
                    description: described.or_else(|| Some(format!("Redeemed: {title}"))),
                    journal_entry_id: spend.map(|row| self.entry_id(row)),
                    ..of(id, charged, refunded(entries), created_at, last)
                }
            }
        }
    }

    pub(super) fn reversal_of_amount(
        &self,
        scale: Scale,
        spend: &EntryRow,
        reversal: &EntryRow,
    ) -> ReversalResponse {
        let redemption = self.ids(DerivedKind::Redemption).id(spend.seq.0, 0);
        self.reversal(redemption, (reversal, scale), None)
    }

    /// The reversal of a redemption of an offer, if it was reversed.
    pub(super) fn reversal_of_item(
        &self,
        connection: &Connection,
        redemption: &Redemption,
    ) -> Result<Option<ReversalResponse>, store::Error> {
        let id = *redemption.id.as_uuid();
        let note = redemption.canceled_note.as_ref();
        let note = note.map(|note| note.as_str().to_owned());
        let entries = spends::of_offer(connection, redemption.number)?;
        let refund = entries.iter().find(|row| row.entry.entry == Entry::Refund);
        if let Some(refund) = refund {
            let reversal = self.reversal(id, (refund, Scale::WHOLE), Some(1));
            let reason = reversal.reason.or(note);
            return Ok(Some(ReversalResponse { reason, ..reversal }));
        }
        if redemption.status != Status::Canceled {
            return Ok(None);
        }
        // It was free, or paid by a pool: only its cancellation is in the log.
        let canceled = spends::canceled(connection, redemption.number)?;
        Ok(canceled.map(|(seq, at)| ReversalResponse {
            id: self.ids(DerivedKind::Reversal).id(seq.0, 0).to_string(),
            redemption_id: id.to_string(),
            amount: "0".to_owned(),
            quantity: Some(1),
            reason: note,
            journal_entry_id: None,
            created_at: at.to_short(),
        }))
    }

    fn reversal(
        &self,
        redemption: Uuid,
        (row, scale): (&EntryRow, Scale),
        quantity: Option<u64>,
    ) -> ReversalResponse {
        let ids = self.ids(DerivedKind::Reversal);
        ReversalResponse {
            id: ids.id(row.seq.0, 0).to_string(),
            redemption_id: redemption.to_string(),
            amount: scale.show_points(row.entry.amount),
            quantity,
            reason: reason(row),
            journal_entry_id: Some(self.entry_id(row)),
            created_at: row.at.to_short(),
        }
    }
}
