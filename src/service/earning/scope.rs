//! What a request of the Scrip surface may name: the key's own program, and its assets.

use std::collections::HashMap;

use uuid::Uuid;

use crate::domain::{
    AccountKey, Actor, Asset, AssetNumber, CredentialNumber, DerivedIds, DerivedKind, MemberNumber,
    ProgramNumber, Refusal, Scale, Wallet,
};
use crate::service::ServiceError;
use crate::service::loyalty::assets;
pub(super) use crate::service::loyalty::assets::check_own_program as check_program_text;
use crate::store::{self, Connection};
use crate::wire::{AssetResponse, ParticipantBalanceResponse};

/// Refuses another program than the key's.
pub(super) fn check_program(own: Uuid, given: Option<Uuid>) -> Result<(), Refusal> {
    match given {
        Some(given) if given != own => Err(Refusal::AnotherProgram("program_id")),
        _ => Ok(()),
    }
}

/// An asset of the key's program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Named {
    program: Uuid,
    /// `None`: the program's points.
    pub(super) number: Option<AssetNumber>,
    /// Its id.
    pub(super) id: Uuid,
    /// The decimals of its amounts.
    pub(super) scale: Scale,
}

impl Named {
    /// The points of a program.
    pub(super) fn points(program: Uuid) -> Self {
        Self::new(program, None)
    }

    fn new(program: Uuid, asset: Option<&Asset>) -> Self {
        let number = asset.and_then(Asset::number);
        Self {
            program,
            number,
            id: AssetResponse::id_of(program, number),
            scale: asset.map_or(Scale::WHOLE, Asset::scale),
        }
    }

    /// The account of a member in it.
    pub(super) fn account(&self, member: MemberNumber) -> AccountKey {
        AccountKey {
            asset: self.number,
            member,
        }
    }

    /// The ids of its lots. Lots are numbered in each account of a member.
    pub(super) fn lots(&self) -> DerivedIds {
        let owner = self.number.map_or(self.program, |_| self.id);
        DerivedIds::new(owner, DerivedKind::Lot)
    }
}

/// The asset of a program with an id.
pub(super) fn asset(
    connection: &Connection,
    program: (ProgramNumber, Uuid),
    id: Uuid,
) -> Result<Named, ServiceError> {
    let found = assets::with_id(connection, program, id)?;
    Ok(Named::new(program.1, found.as_ref()))
}

/// [`asset`] of a text, which may also be `default`.
pub(super) fn asset_of_text(
    connection: &Connection,
    program: (ProgramNumber, Uuid),
    given: &str,
) -> Result<Named, ServiceError> {
    let found = assets::named(connection, program, given)?;
    Ok(Named::new(program.1, found.as_ref()))
}

/// The asset of a ledger entry of a program.
pub(super) fn asset_of_entry(
    connection: &Connection,
    (number, program): (ProgramNumber, Uuid),
    asset: Option<AssetNumber>,
) -> Result<Named, store::Error> {
    let Some(asset) = asset else {
        return Ok(Named::points(program));
    };
    let found = store::assets::find_further(connection, number, asset)?;
    let found = found.ok_or(store::Error::Impossible("asset of a ledger entry"))?;
    Ok(Named::new(program, Some(&found)))
}

/// The further assets of a program, to look up many.
pub(super) struct Assets {
    program: Uuid,
    further: HashMap<AssetNumber, Asset>,
}

impl Assets {
    /// Those of a program. Read them after the entries or accounts whose assets they are.
    pub(super) fn of(
        connection: &Connection,
        (number, program): (ProgramNumber, Uuid),
    ) -> Result<Self, store::Error> {
        let all = store::assets::further(connection, number, AssetNumber(0), usize::MAX)?;
        let numbered = all
            .into_iter()
            .filter_map(|asset| asset.number().map(|number| (number, asset)));
        Ok(Self {
            program,
            further: numbered.collect(),
        })
    }

    fn none(program: Uuid) -> Self {
        Self {
            program,
            further: HashMap::new(),
        }
    }

    /// The asset of a ledger entry or an account; `None`: the program's points.
    pub(super) fn get(&self, asset: Option<AssetNumber>) -> Result<Option<&Asset>, store::Error> {
        let unknown = store::Error::Impossible("asset of a ledger entry");
        let found = asset.map(|number| self.further.get(&number).ok_or(unknown));
        found.transpose()
    }

    pub(super) fn named(&self, asset: Option<AssetNumber>) -> Result<Named, store::Error> {
        Ok(Named::new(self.program, self.get(asset)?))
    }
}

/// The balances of a member: of the program's points, and of each further asset in which the member
/// has an account.
pub(super) fn balances(
    connection: &Connection,
    program: (ProgramNumber, Uuid),
    points: &Wallet,
    further: &[(AssetNumber, Wallet)],
) -> Result<Vec<ParticipantBalanceResponse>, store::Error> {
    let points = (None, *points);
    let assets = match further {
        [] => Assets::none(program.1),
        _ => Assets::of(connection, program)?,
    };
    let further = further
        .iter()
        .map(|(asset, wallet)| (Some(*asset), *wallet));
    let all = std::iter::once(points).chain(further);
    all.map(|(asset, wallet)| {
        let asset = assets.named(asset)?;
        Ok(ParticipantBalanceResponse::new(
            asset.id,
            &wallet,
            asset.scale,
        ))
    })
    .collect()
}

/// The public ids of keys, each looked up once.
pub(super) struct Keys<'a> {
    connection: &'a Connection,
    known: HashMap<CredentialNumber, Option<Uuid>>,
}

impl<'a> Keys<'a> {
    pub(super) fn new(connection: &'a Connection) -> Self {
        Self {
            connection,
            known: HashMap::new(),
        }
    }

    /// The id of an actor that is an Org-API-Key.
    pub(super) fn id(&mut self, actor: Option<Actor>) -> Result<Option<String>, store::Error> {
        let Some(Actor::Key(number)) = actor else {
            return Ok(None);
        };
        let id = match self.known.get(&number) {
            Some(id) => *id,
            None => store::credentials::uuid_of(self.connection, number)?,
        };
        self.known.insert(number, id);
        Ok(id.map(|id| id.to_string()))
    }
}
