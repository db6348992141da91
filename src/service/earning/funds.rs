//! The wallet of a program, from which `PREFUNDED` assets are credited.

use super::scope;
use crate::domain::{
    Asset, AssetNumber, DerivedIds, DerivedKind, Event, Funding, IssuancePolicy, Points, Refusal,
    Scale,
};
use crate::error::Surface;
use crate::service::events;
use crate::service::loyalty::assets;
use crate::service::loyalty::ledger::too_large;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::{self, WriteError};
use crate::wire::{
    AssetResponse, FundAssetRequest, FundedAssetResponse, ListKind, Named, PageQuery,
    ProgramBalanceListResponse, ProgramBalanceResponse,
};

/// What is done to the wallet of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FundingKind {
    /// Points are put into it.
    Fund,
    /// Points are taken out of it.
    Burn,
}

impl Services {
    /// A page of what the wallet of the key's program has.
    ///
    /// # Errors
    /// `not_found` or `forbidden` for another program, `not_found` for another asset.
    pub async fn list_program_balance(
        &self,
        key: KeyPrincipal,
        program: String,
        asset: Option<Named>,
        page: PageQuery,
    ) -> Result<ProgramBalanceListResponse, ServiceError> {
        let uuid = self.directory.uuid_of(key.program)?;
        assets::check_program(uuid, &program)?;
        let books = self.books.clone();
        self.readership.note();
        self.read(key, move |connection| {
            let asset = asset.map(|it| it.or(AssetResponse::id_of(uuid, None)));
            let asset = asset.map(|id| scope::asset(connection, (key.program, uuid), id));
            let asset = asset.transpose()?;
            let after = page.cursor.map(|cursor| AssetNumber(cursor.0));
            let (after, limit) = asset.map_or((after, page.limit + 1), |_| (None, usize::MAX));
            let mut found = store::assets::prefunded(connection, key.program, after, limit)?;
            found.retain(|it| asset.is_none_or(|asset| asset.number == it.number()));
            let list = (ListKind::ProgramBalances, key.program.0);
            let next = page::next_cursor(&mut found, page, list, |last| {
                last.number().map_or(0, |number| number.0)
            });
            let books = books.read();
            let data = found.iter().map(|asset| {
                let number = asset.number();
                let funds = match number {
                    None => books.program(key.program).funds,
                    Some(number) => books.asset(number).funds,
                };
                let id = AssetResponse::id_of(uuid, number);
                ProgramBalanceResponse::new(id, funds.unwrap_or(Points::ZERO), asset.scale())
            });
            Ok(ProgramBalanceListResponse {
                data: data.collect(),
                pagination: next.into(),
            })
        })
        .await
    }

    /// Puts points into the wallet of the key's program, or takes them out of it.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn fund_asset(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        (program, asset, kind): (String, String, FundingKind),
        request: FundAssetRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let uuid = store::programs::get(tx, key.program)?.uuid;
            assets::check_program(uuid, &program)?;
            let asset = assets::named(tx, (key.program, uuid), &asset)?;
            let scale = asset.as_ref().map_or(Scale::WHOLE, Asset::scale);
            let number = asset.as_ref().and_then(Asset::number);
            let amount = request.amount.amount("amount", scale)?;
            let funds = tx.funds(key.program, number);
            if funds.is_none() && kind == FundingKind::Fund {
                return Ok(Answer::ok(&without_effect(scale)));
            }
            let further = asset.as_ref().and_then(|asset| asset.further.as_ref());
            let is_archived = further.is_some_and(|further| further.archived_at.is_some());
            if is_archived && kind == FundingKind::Fund {
                return Err(Refusal::AssetArchived.into());
            }
            let before = funds.unwrap_or(Points::ZERO);
            let (balance, past) = match kind {
                FundingKind::Fund => (before.checked_add(amount).ok_or_else(too_large)?, "funded"),
                FundingKind::Burn => {
                    let left = before.checked_sub(amount);
                    let short = || scale.wallet_empty(before, amount);
                    (left.ok_or_else(short)?, "burned")
                }
            };
            let funding = Funding {
                asset: number,
                amount,
                balance,
                description: request.description,
            };
            let event = match kind {
                FundingKind::Fund => Event::ProgramFunded(funding),
                FundingKind::Burn => Event::ProgramBurned(funding),
            };
            let at = tx.now(key.program);
            let seq = events::record(tx, key.program, at, event)?;
            let ids = DerivedIds::new(uuid, DerivedKind::JournalEntry);
            Ok(Answer::ok(&FundedAssetResponse {
                available: scale.show_points(balance),
                journal_entry_id: Some(ids.id(seq.0, 0).to_string()),
                message: format!("{} points {past}", scale.show_points(amount)),
            }))
        })
        .await
    }
}

/// The answer to points for an asset whose credits create points.
fn without_effect(scale: Scale) -> FundedAssetResponse {
    let policy = IssuancePolicy::Unlimited.as_str();
    FundedAssetResponse {
        available: scale.show(0),
        journal_entry_id: None,
        message: format!("nothing changed: the asset is {policy}, so credits need no funds"),
    }
}
