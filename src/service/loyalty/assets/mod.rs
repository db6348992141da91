//! Assets: how the points of a program are kept, its further assets, and conversions to lots.

mod further;

use self::further::{ASSETS_MAX, apply_own, create};
pub(in crate::service) use self::further::{check_own_program, check_program, named, with_id};
use crate::books::{Published, Record};
use crate::domain::{
    AccountKey, Asset, AssetNumber, Change, Event, Invalid, InventoryMode, IssuancePolicy,
    MemberNumber, Precondition, Program, ProgramNumber, Refusal, Seq, Timestamp,
};
use crate::error::Surface;
use crate::service::{Answer, IdempotencyKey, KeyPrincipal, Reply, ServiceError, Services, page};
use crate::store::{self, Connection, Transaction, WriteError};
use crate::wire::{
    AssetListResponse, AssetResponse, ConvertAssetRequest, ConvertAssetResponse, Cursor, ListKind,
    PageQuery, PatchAssetRequest,
};

/// Members that are counted before others have a turn.
const STEP: usize = 1_000;

impl Services {
    /// A page of the assets of the key's program: its points, then the further ones, oldest first.
    ///
    /// # Errors
    /// [`ServiceError`] if the database fails.
    pub async fn list_assets(
        &self,
        key: KeyPrincipal,
        page: PageQuery,
    ) -> Result<AssetListResponse, ServiceError> {
        self.read(key, move |connection| {
            let (program, points) = of_program(connection, key.program)?;
            let after = page.cursor.map_or(0, |cursor| cursor.0);
            let first = page.cursor.is_none().then_some(points);
            let further = store::assets::further(
                connection,
                key.program,
                AssetNumber(after),
                page.limit + 1,
            )?;
            let mut assets: Vec<Asset> = first.into_iter().chain(further).collect();
            let last = page::cut(&mut assets, page.limit);
            let next = last.map(|last| {
                let number = last.number().map_or(0, |number| number.0);
                Cursor(number).encode(ListKind::Assets, key.program.0)
            });
            let data = assets
                .iter()
                .map(|asset| AssetResponse::new(&program, asset));
            Ok(AssetListResponse {
                data: data.collect(),
                pagination: next.into(),
            })
        })
        .await
    }

    /// An asset of the key's program.
    ///
    /// # Errors
    /// `not_found` if it has no such asset.
    pub async fn get_asset(
        &self,
        key: KeyPrincipal,
        id: String,
    ) -> Result<AssetResponse, ServiceError> {
        self.look_up(key, move |connection| {
            let (program, asset) = find(connection, key.program, &id)?;
            Ok(AssetResponse::new(&program, &asset))
        })
        .await
    }

    /// Changes the settings of an asset that the request names.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn patch_asset(
        &self,
        key: KeyPrincipal,
        id: String,
        precondition: Precondition,
        request: PatchAssetRequest,
    ) -> Result<Reply, WriteError> {
        self.write_on(Surface::Scrip, key, None, move |tx, key| {
            let (program, before) = find(tx, key.program, &id)?;
            precondition.check(Some(before.version))?;
            let mut asset = before.clone();
            let scale = asset.scale();
            let max_amount = match request.max_amount {
                Change::Keep => Change::Keep,
                Change::Clear => Change::Clear,
                Change::Set(max) => Change::Set(max.amount("max_transaction_amount", scale)?),
            };
            asset.max_amount = max_amount.apply(asset.max_amount);
            let at = tx.now(key.program);
            apply_own(&mut asset, at, &request)?;
            let is_issued = asset.further.is_some() || tx.has_entries(key.program);
            if let Some(policy) = request.policy {
                set_policy(&mut asset, is_issued, policy)?;
            }
            asset.burn_order = request.burn_order.unwrap_or(asset.burn_order);
            if asset != before {
                save(tx, at, &mut asset)?;
            }
            Ok(Answer::ok(&AssetResponse::new(&program, &asset)).at(asset.version))
        })
        .await
    }

    /// Converts the points of a program to lots, or counts what that would do. From its commit on
    /// the program has lots; the points of members are put into them by and by.
    ///
    /// # Errors
    /// [`WriteError`].
    pub async fn convert_asset(
        &self,
        key: KeyPrincipal,
        idempotency: Option<IdempotencyKey>,
        id: String,
        request: ConvertAssetRequest,
    ) -> Result<Reply, WriteError> {
        let books = self.books.clone();
        let named = id.clone();
        let count = move |connection: &Connection| count(connection, key.program, &named, &books);
        let counted = self.read(key, count).await;
        let opening = self.opening.clone();
        self.write_on(Surface::Scrip, key, idempotency, move |tx, key| {
            let (program, mut asset) = find(tx, key.program, &id)?;
            let at = tx.now(key.program);
            let expires_at = opening_expires_at(&program, &asset, at, &request)?;
            let counted = counted?;
            if !request.dry_run {
                asset.mode = InventoryMode::Lot;
                asset.opening_expires_at = expires_at;
                asset.opening_after = Some(MemberNumber(0));
                save(tx, at, &mut asset)?;
                // Its first write comes after this one.
                opening.begin((key.program, asset.number()));
            }
            Ok(Answer::ok(&ConvertAssetResponse {
                dry_run: request.dry_run,
                members: counted.members,
                lots: counted.lots,
                points: asset.scale().show(counted.points),
                would_expire_first: expires_at
                    .filter(|_| counted.lots > 0)
                    .map(|at| at.to_string()),
            }))
        })
        .await
    }
}

#[cfg(test)]
impl Services {
    /// Keeps the points of a program in lots from now on.
    pub(in crate::service) async fn keep_in_lots(&self, key: KeyPrincipal) {
        let request = ConvertAssetRequest {
            to: InventoryMode::Lot,
            expires_at: Change::Keep,
            expiry: None,
            dry_run: false,
        };
        let default = || "default".to_owned();
        let converted = self.convert_asset(key, None, default(), request).await;
        assert_eq!(converted.unwrap().status, 200);
        while self.get_asset(key, default()).await.unwrap().converting {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }
}

/// When the points expire that members have at a conversion, as the request says.
fn opening_expires_at(
    program: &Program,
    asset: &Asset,
    at: Timestamp,
    request: &ConvertAssetRequest,
) -> Result<Option<Timestamp>, ServiceError> {
    if request.to != InventoryMode::Lot {
        let expected = "must be LOT: points in lots are never put back into a sum";
        return Err(Invalid::new("to", expected).into());
    }
    if asset.mode == InventoryMode::Lot {
        return Err(Refusal::AlreadyLots.into());
    }
    let by = |expiry: crate::domain::Expiry| expiry.after(at, &program.zone);
    match (request.expires_at, request.expiry) {
        // The program's expiry is that of its points alone.
        (Change::Keep, None) if asset.further.is_some() => Ok(None),
        (Change::Keep, None) => Ok(program.expiry.and_then(by)),
        (Change::Keep, Some(expiry)) => Ok(by(expiry)),
        (Change::Clear, None) => Ok(None),
        (Change::Set(expires_at), None) if expires_at > at => Ok(Some(expires_at)),
        (Change::Set(_), None) => Err(Invalid::new("expires_at", "must be in the future").into()),
        (_, Some(_)) => {
            let expected = "must be absent when expires_at is given";
            Err(Invalid::new("expiry", expected).into())
        }
    }
}

/// What is to be put into lots.
#[derive(Debug, Default)]
struct Count {
    members: u64,
    lots: u64,
    points: i64,
}

/// Counts what a conversion would put into lots: nothing of an asset that has lots.
fn count(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
    books: &Published,
) -> Result<Count, ServiceError> {
    let mut count = Count::default();
    let (_, asset) = find(connection, program, id)?;
    if asset.mode == InventoryMode::Lot {
        return Ok(count);
    }
    let asset = asset.number();
    let mut after = MemberNumber(0);
    loop {
        let members = store::members::after(connection, program, after, STEP)?;
        let books = books.read();
        let accounts = members.iter().map(|member| AccountKey {
            asset,
            member: *member,
        });
        let records = accounts.filter_map(|account| books.account(account));
        for record in records.filter(|record| record.lots.is_none()) {
            count.add(&record);
        }
        drop(books);
        match members.last() {
            Some(last) if members.len() == STEP => after = *last,
            _ => return Ok(count),
        }
    }
}

impl Count {
    fn add(&mut self, record: &Record) {
        let buckets = [record.wallet.available(), record.wallet.held];
        let lots = buckets.iter().filter(|points| !points.is_zero()).count();
        self.members += u64::from(lots > 0);
        self.lots += lots as u64;
        self.points += buckets.iter().map(|points| points.get()).sum::<i64>();
    }
}

/// Stores the settings, with their event.
fn save(tx: &mut Transaction<'_>, at: Timestamp, asset: &mut Asset) -> Result<(), store::Error> {
    let further = asset.further.as_ref();
    let event = Event::AssetChanged {
        asset: asset.number(),
        mode: asset.mode,
        burn_order: asset.burn_order,
        max_amount: asset.max_amount,
        expires_at: asset.opening_expires_at,
        archived: further.map(|further| further.archived_at.is_some()),
        policy: asset.policy,
    };
    asset.updated_at = at;
    asset.version = tx.record(Some(asset.program), at, event)?;
    store::assets::put(tx, asset)
}

/// Keeps the points of a new program as those of an old one are kept, and creates the further
/// assets of the old one that are in use.
pub(super) fn copy(
    tx: &mut Transaction<'_>,
    at: Timestamp,
    old: ProgramNumber,
    new: ProgramNumber,
) -> Result<(), store::Error> {
    let empty = |asset: Asset| Asset {
        program: new,
        opening_after: None,
        opening_expires_at: None,
        version: Seq(0),
        ..asset
    };
    if let Some(asset) = store::assets::find(tx, old)? {
        save(tx, at, &mut empty(asset))?;
    }
    let further = store::assets::further(tx, old, AssetNumber(0), ASSETS_MAX)?;
    for asset in further {
        let mut asset = empty(asset);
        let number = store::assets::next_number(tx)?;
        if let Some(further) = asset.further.as_mut().filter(|it| it.archived_at.is_none()) {
            further.number = number;
            further.created_at = at;
            create(tx, &mut asset)?;
        }
    }
    Ok(())
}

/// Sets where credited points come from, which becomes the wallet of the program at most.
fn set_policy(asset: &mut Asset, is_issued: bool, policy: IssuancePolicy) -> Result<(), Invalid> {
    if policy == asset.policy {
        return Ok(());
    }
    if is_issued || policy == IssuancePolicy::Unlimited {
        return Err(Invalid::new(
            "issuance_policy",
            "does not change, except that of the program's points to PREFUNDED before the first \
             entry of the program's journal",
        ));
    }
    asset.policy = policy;
    Ok(())
}

/// A program and how its points are kept.
fn of_program(
    connection: &Connection,
    number: ProgramNumber,
) -> Result<(Program, Asset), store::Error> {
    let program = store::programs::get(connection, number)?;
    let asset = store::assets::find(connection, number)?;
    let asset = asset.unwrap_or_else(|| Asset::of_new(number, program.created_at));
    Ok((program, asset))
}

fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: &str,
) -> Result<(Program, Asset), ServiceError> {
    let (program, points) = of_program(connection, program)?;
    let further = named(connection, (program.number, program.uuid), id)?;
    Ok((program, further.unwrap_or(points)))
}
