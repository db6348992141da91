//! The assets in the rows of reports: the points of the programs of an organization, then their
//! further assets.

use uuid::Uuid;

use crate::books::{AssetRecord, Books};
use crate::domain::{Asset, AssetNumber, Scale};
use crate::store::programs::ProgramAccessRow;
use crate::store::{self, Connection};
use crate::wire::{AssetResponse, Cursor};

/// An asset of a row.
pub(in crate::service) struct Listed<'a> {
    pub(in crate::service) program: &'a ProgramAccessRow,
    /// A further asset; `None`: the points of the program.
    pub(in crate::service) asset: Option<(AssetNumber, Asset)>,
}

impl Listed<'_> {
    /// The place in the list, which marks the start of the page after it. Those of further assets
    /// are below zero.
    pub(in crate::service) fn place(&self) -> i64 {
        match &self.asset {
            None => self.program.number.0,
            Some((number, _)) => -number.0,
        }
    }

    pub(in crate::service) fn id(&self) -> Uuid {
        let number = self.asset.as_ref().map(|(number, _)| *number);
        AssetResponse::id_of(self.program.uuid, number)
    }

    pub(in crate::service) fn name(&self) -> &str {
        let asset = self
            .asset
            .as_ref()
            .and_then(|(_, asset)| asset.further.as_ref());
        match asset {
            None => self.program.currency.name.as_str(),
            Some(further) => further.name.as_str(),
        }
    }

    pub(in crate::service) fn symbol(&self) -> &str {
        let asset = self
            .asset
            .as_ref()
            .and_then(|(_, asset)| asset.further.as_ref());
        match asset {
            None => self.program.currency.symbol.as_str(),
            Some(further) => further.symbol.as_str(),
        }
    }

    pub(in crate::service) fn scale(&self) -> Scale {
        let asset = self.asset.as_ref();
        asset.map_or(Scale::WHOLE, |(_, asset)| asset.scale())
    }

    /// The sums over its accounts.
    pub(in crate::service) fn sums(&self, books: &Books) -> AssetRecord {
        match &self.asset {
            None => books.program(self.program.number).points(),
            Some((number, _)) => books.asset(*number),
        }
    }
}

/// The points of programs after the place of a cursor, in order.
pub(in crate::service) fn points(
    programs: &[ProgramAccessRow],
    after: Option<Cursor>,
) -> Vec<Listed<'_>> {
    let after = after.map_or(0, |cursor| cursor.0);
    let is_after = |program: &&ProgramAccessRow| after >= 0 && program.number.0 > after;
    let points = programs.iter().filter(is_after).map(|program| Listed {
        program,
        asset: None,
    });
    points.collect()
}

/// The assets of programs after the place of a cursor, in order.
pub(in crate::service) fn listed<'a>(
    connection: &Connection,
    programs: &'a [ProgramAccessRow],
    after: Option<Cursor>,
) -> Result<Vec<Listed<'a>>, store::Error> {
    let mut all = points(programs, after);
    let first = AssetNumber(after.map_or(0, |cursor| (-cursor.0).max(0)));
    let mut further = Vec::new();
    for program in programs.iter().filter(|it| it.has_further_assets) {
        for asset in store::assets::further(connection, program.number, first, usize::MAX)? {
            if let Some(number) = asset.number() {
                further.push((number, program, asset));
            }
        }
    }
    further.sort_by_key(|(number, ..)| *number);
    all.extend(further.into_iter().map(|(number, program, asset)| Listed {
        program,
        asset: Some((number, asset)),
    }));
    Ok(all)
}
