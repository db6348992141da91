//! Further assets of a program beside its points.

use uuid::Uuid;

use crate::domain::{
    Asset, AssetNumber, AssetStatus, Event, FurtherAsset, Invalid, ProgramNumber, Refusal,
    Timestamp,
};
use crate::error::Surface;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services};
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    AssetListResponse, AssetResponse, CreateAssetRequest, LinkAssetRequest, Named, PageQuery,
    PatchAssetRequest,
};

/// The most further assets of a program.
pub(super) const ASSETS_MAX: usize = 100;

impl Services {
    /// [`Services::list_assets`] of a program, which has to be the key's.
    ///
    /// # Errors
    /// `not_found` or `forbidden` for another program.
    pub async fn list_assets_of_program(
        &self,
        key: KeyPrincipal,
        program: String,
        page: PageQuery,
    ) -> Result<AssetListResponse, ServiceError> {
        check_program(self.directory.uuid_of(key.program)?, &program)?;
        self.list_assets(key, page).await
    }

    /// Refuses to link an asset: each belongs to the program in which it was created.
    ///
    /// # Errors
    /// Always [`WriteError`]: `already_linked`, or `not_found` for an asset of another program.
    pub async fn link_asset(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        program: String,
        request: LinkAssetRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let own = store::programs::get(tx, key.program)?.uuid;
            check_program(own, &program)?;
            named(tx, (key.program, own), &request.asset)?;
            Err(Refusal::AlreadyLinked.into())
        })
        .await
    }

    /// Creates a further asset.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn create_asset(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        request: CreateAssetRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let program = store::programs::get(tx, key.program)?;
            check_own_program(program.uuid, &request.program_id)?;
            let max_amount = request.max_amount;
            let max_amount =
                max_amount.map(|max| max.amount("max_transaction_amount", request.scale));
            let max_amount = max_amount.transpose()?;
            if program.currency.symbol.as_str() == request.symbol.as_str()
                || store::assets::has_symbol(tx, key.program, request.symbol.as_str())?
            {
                return Err(Refusal::SymbolTaken.into());
            }
            let (first, room) = (AssetNumber(0), ASSETS_MAX);
            if store::assets::further(tx, key.program, first, room)?.len() >= ASSETS_MAX {
                return Err(Refusal::TooManyAssets(ASSETS_MAX).into());
            }
            let at = tx.now(key.program);
            let mut asset = Asset {
                further: Some(FurtherAsset {
                    number: store::assets::next_number(tx)?,
                    name: request.name,
                    symbol: request.symbol,
                    scale: request.scale,
                    created_at: at,
                    archived_at: None,
                }),
                mode: request.mode,
                policy: request.policy,
                burn_order: request.burn_order,
                max_amount,
                ..Asset::of_new(key.program, at)
            };
            create(tx, &mut asset)?;
            Ok(Answer::created(&AssetResponse::new(&program, &asset)))
        })
        .await
    }
}

/// Stores a further asset that is new, with its event.
pub(super) fn create(tx: &mut Transaction<'_>, asset: &mut Asset) -> Result<(), store::Error> {
    let missing = store::Error::Impossible("further asset");
    let further = asset.further.as_ref().ok_or(missing)?;
    let event = Event::AssetCreated {
        asset: further.number,
        mode: asset.mode,
        burn_order: asset.burn_order,
        symbol: further.symbol.clone(),
        scale: further.scale,
        max_amount: asset.max_amount,
        policy: asset.policy,
    };
    asset.updated_at = further.created_at;
    asset.version = tx.record(Some(asset.program), further.created_at, event)?;
    store::assets::put(tx, asset)
}

/// Applies the changes of a request that the program's points refuse.
pub(super) fn apply_own(
    asset: &mut Asset,
    at: Timestamp,
    request: &PatchAssetRequest,
) -> Result<(), Invalid> {
    let Some(further) = &mut asset.further else {
        if request.name.is_some() {
            let expected = "is that of the program's currency: PUT /v1/configuration";
            return Err(Invalid::new("name", expected));
        }
        if request.status == Some(AssetStatus::Archived) {
            return Err(Invalid::new(
                "status",
                "must be ACTIVE: these are the program's points",
            ));
        }
        return Ok(());
    };
    if let Some(name) = &request.name {
        further.name = name.clone();
    }
    match request.status {
        Some(AssetStatus::Active) => further.archived_at = None,
        Some(AssetStatus::Archived) => {
            further.archived_at = further.archived_at.or(Some(at));
        }
        None => {}
    }
    Ok(())
}

/// Refuses another program than the key's. It may also be called `current`.
pub(in crate::service) fn check_own_program(own: Uuid, given: &str) -> Result<(), Refusal> {
    match Named::program(given) {
        Some(named) if named.or(own) == own => Ok(()),
        Some(_) => Err(Refusal::AnotherProgram("program_id")),
        None => {
            let expected = "must be the id of the program of the API key";
            Err(Invalid::new("program_id", expected).received(given).into())
        }
    }
}

/// [`check_own_program`] of a path.
pub(in crate::service) fn check_program(own: Uuid, given: &str) -> Result<(), Refusal> {
    match check_own_program(own, given) {
        Err(Refusal::Invalid(_)) => Err(Refusal::NotFound("program")),
        checked => checked,
    }
}

/// The further asset of a program with an id; `None`: the id is that of the program's points.
pub(in crate::service) fn with_id(
    connection: &Connection,
    (number, program): (ProgramNumber, Uuid),
    id: Uuid,
) -> Result<Option<Asset>, ServiceError> {
    let not_found = || Refusal::NotFound("asset");
    match AssetResponse::number_of(program, id).ok_or_else(not_found)? {
        None => Ok(None),
        Some(asset) => {
            let asset = store::assets::find_further(connection, number, asset)?;
            Ok(Some(asset.ok_or_else(not_found)?))
        }
    }
}

/// [`with_id`] of a text, which may also be `default`.
pub(in crate::service) fn named(
    connection: &Connection,
    program: (ProgramNumber, Uuid),
    id: &str,
) -> Result<Option<Asset>, ServiceError> {
    match Named::asset(id).ok_or(Refusal::NotFound("asset"))? {
        Named::Own => Ok(None),
        Named::Id(id) => with_id(connection, program, id),
    }
}
