//! What an operator sees of a ledger entry besides: who caused it, and the lots that it moved.

use serde::Serialize;
use utoipa::ToSchema;

use super::redemption_history::ActorResponse;
use super::schema::LotChange;
use crate::domain::{Buckets, LotMove, LotMoves, Timestamp};

/// The cause of a ledger entry, and what it did to lots.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(examples(json!({
    "actor": {"type": "key", "name": "front desk", "keyPrefix": "expys_sandbox_abcdef"},
    "lots": [
        {"number": 3, "change": "taken", "amount": 40, "expiresAt": "2027-01-31T12:00:00.000Z",
         "maturesAt": null},
    ],
})))]
pub struct EntryDetailsResponse {
    /// The actor that caused it; null for entries of version 0.1.0.
    pub actor: Option<ActorResponse>,
    /// The lots that it made or moved, in order; null if the account had no lots.
    pub lots: Option<Vec<MovedLotResponse>>,
}

/// What a ledger entry did to a lot.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MovedLotResponse {
    /// The number of the lot in the account, from 1.
    #[schema(minimum = 1)]
    pub number: u32,
    /// What happened to it.
    #[schema(value_type = LotChange)]
    pub change: &'static str,
    /// The points.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount: i64,
    /// When they expire, if ever.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// When they become available, if they were not yet.
    #[schema(format = DateTime)]
    pub matures_at: Option<String>,
}

impl EntryDetailsResponse {
    /// The details of an entry with this actor.
    pub fn new(actor: Option<ActorResponse>, buckets: Option<&Buckets>) -> Self {
        let moves = buckets.and_then(|it| it.lots.as_ref().map(|lots| (it, lots)));
        let all = |(buckets, lots): (&Buckets, &LotMoves)| {
            let lots = lots.iter();
            lots.map(|moved| MovedLotResponse::new(moved, buckets))
                .collect()
        };
        Self {
            actor,
            lots: moves.map(all),
        }
    }
}

impl MovedLotResponse {
    fn new(moved: LotMove, buckets: &Buckets) -> Self {
        let (change, number, amount, expires_at, matures_at) = match moved {
            LotMove::Make { number, amount, .. } => {
                let (end, start) = (buckets.expires_at, buckets.matures_at);
                ("made", number, amount, end, start)
            }
            LotMove::Take { part, .. } => {
                let (end, start) = (part.expires_at, part.matures_at);
                ("taken", part.number, part.amount, end, start)
            }
            LotMove::Give { part, target } => {
                let number = target.unwrap_or(part.number);
                ("restored", number, part.amount, part.expires_at, None)
            }
            LotMove::Shift { part, target, .. } => {
                let number = target.unwrap_or(part.number);
                ("moved", number, part.amount, part.expires_at, None)
            }
        };
        let text = |at: Option<Timestamp>| at.map(|at| at.to_string());
        Self {
            number,
            change,
            amount: amount.get(),
            expires_at: text(expires_at),
            matures_at: text(matures_at),
        }
    }
}
