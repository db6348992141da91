//! How the points of programs and further assets are kept, according to the log.

use std::collections::{HashMap, HashSet};

use crate::domain::{
    AssetNumber, Cell, Cells, Column, Entry, Event, InventoryMode, IssuancePolicy, Points,
    Timestamp,
};

/// What a further asset has of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Further {
    pub(super) symbol: String,
    pub(super) scale: i64,
    pub(super) created_at: i64,
    pub(super) archived_at: Option<i64>,
}

/// The program of an asset, and the number of a further one.
pub(super) type Key = (i64, Option<i64>);

/// The settings after an event.
pub(super) struct Asset {
    pub(super) further: Option<Further>,
    pub(super) mode: InventoryMode,
    pub(super) policy: IssuancePolicy,
    pub(super) burn_order: &'static str,
    pub(super) max_amount: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) updated_at: i64,
    pub(super) version: i64,
}

/// The settings of the points of all programs for which they were ever changed, and of all further
/// assets.
#[derive(Default)]
pub(super) struct Assets {
    of: HashMap<Key, Asset>,
    /// The further assets that were created, in whatever program.
    created: HashSet<i64>,
    /// The assets with an entry that does not fit the settings.
    misfits: HashSet<Key>,
}

impl Assets {
    /// Applies an event of an asset. Returns a finding.
    pub(super) fn apply(
        &mut self,
        seq: i64,
        at: i64,
        program: i64,
        event: &Event,
    ) -> Option<String> {
        match event {
            Event::AssetCreated { .. } => self.create(seq, at, program, event),
            _ => self.change(seq, at, program, event),
        }
    }

    /// Applies an event that sets how points are kept.
    fn change(&mut self, seq: i64, at: i64, program: i64, event: &Event) -> Option<String> {
        let Event::AssetChanged {
            asset,
            mode,
            burn_order,
            max_amount,
            expires_at,
            archived,
            policy,
        } = event
        else {
            return None;
        };
        let key = (program, asset.map(|asset| asset.0));
        let before = self.of.get(&key);
        let mut further = before.and_then(|before| before.further.clone());
        if let Some((further, archived)) = further.as_mut().zip(*archived) {
            let archived_at = further.archived_at.unwrap_or(at);
            further.archived_at = archived.then_some(archived_at);
        }
        let is_known = asset.is_some() == further.is_some();
        // Points of a program become PREFUNDED before its first entry, which the books check.
        let issued = before.map_or(IssuancePolicy::Unlimited, |before| before.policy);
        let is_issued_alike =
            issued == *policy || (asset.is_none() && issued == IssuancePolicy::Unlimited);
        let changed = Asset {
            further,
            mode: *mode,
            policy: *policy,
            burn_order: burn_order.as_str(),
            max_amount: max_amount.map(Points::get),
            expires_at: expires_at.map(Timestamp::as_millis),
            updated_at: at,
            version: seq,
        };
        let is_lot = changed.mode == InventoryMode::Lot;
        // Points in lots stay in lots, and the date of the first ones stays what it was.
        let fits = match before.filter(|before| before.mode == InventoryMode::Lot) {
            Some(before) => is_lot && before.expires_at == changed.expires_at,
            None => is_lot || changed.expires_at.is_none(),
        };
        self.of.insert(key, changed);
        (!fits || !is_known || !is_issued_alike).then(|| {
            format!(
                "activity {seq} does not fit the way in which the {} were kept before",
                describe(key)
            )
        })
    }

    /// Applies the creation of a further asset.
    fn create(&mut self, seq: i64, at: i64, program: i64, event: &Event) -> Option<String> {
        let Event::AssetCreated {
            asset: AssetNumber(asset),
            mode,
            burn_order,
            symbol,
            scale,
            max_amount,
            policy,
        } = event
        else {
            return None;
        };
        let created = Asset {
            further: Some(Further {
                symbol: symbol.as_str().to_owned(),
                scale: scale.decimals().into(),
                created_at: at,
                archived_at: None,
            }),
            mode: *mode,
            policy: *policy,
            burn_order: burn_order.as_str(),
            max_amount: max_amount.map(Points::get),
            expires_at: None,
            updated_at: at,
            version: seq,
        };
        let is_new = self.created.insert(*asset);
        self.of.insert((program, Some(*asset)), created);
        (!is_new).then(|| format!("activity {seq} creates asset row {asset} again"))
    }

    /// Checks that a ledger entry has lots only where points are kept in them, that points are
    /// credited to lots there, and that a further asset is one of the program, and in use if it is
    /// credited. Returns a finding, for each asset once.
    pub(super) fn entry(
        &mut self,
        row: &impl Cells,
        seq: i64,
        program: Option<i64>,
    ) -> Option<String> {
        let entry = row.cell(Column::Entry).integer().and_then(Entry::of_number);
        let (entry, program) = entry.zip(program)?;
        let has_lots = row.cell(Column::Lots) != Cell::Null;
        let key = (program, row.cell(Column::Asset).integer());
        let asset = self.of.get(&key);
        if let Some(why) = self.misfit(key, entry == Entry::Mint) {
            let number = key.1.unwrap_or_default();
            return self.misfits.insert(key).then(|| {
                format!("activity {seq} moves asset row {number}, which {why} {program}")
            });
        }
        let is_lot = asset.is_some_and(|asset| asset.mode == InventoryMode::Lot);
        let (has, kept) = match (is_lot, has_lots) {
            (false, true) => ("has lots", "as a sum"),
            (true, false) if entry == Entry::Mint => ("has no lot", "in lots"),
            _ => return None,
        };
        self.misfits.insert(key).then(|| {
            format!(
                "activity {seq} {has}, but at that time the {} were kept {kept}",
                describe(key)
            )
        })
    }

    /// Checks that the wallet of a program is changed for its points or an asset of the program,
    /// and gets no points of an archived one. Returns a finding.
    pub(super) fn funding(&self, seq: i64, program: i64, event: &Event) -> Option<String> {
        let (funding, change) = event.funding()?;
        let AssetNumber(asset) = funding.asset?;
        let why = self.misfit((program, Some(asset)), change > 0)?;
        Some(format!(
            "activity {seq} changes the wallet of asset row {asset}, which {why} {program}"
        ))
    }

    /// Why points of a further asset cannot be moved in a program, or not be issued.
    fn misfit(&self, key: Key, issues: bool) -> Option<&'static str> {
        key.1?;
        let further = self.of.get(&key).and_then(|asset| asset.further.as_ref());
        match further {
            None => Some("was not created before in program row"),
            Some(further) if issues && further.archived_at.is_some() => {
                Some("was archived in program row")
            }
            Some(_) => None,
        }
    }

    /// Takes out the settings of an asset.
    pub(super) fn remove(&mut self, key: Key) -> Option<Asset> {
        self.of.remove(&key)
    }

    /// The assets whose settings were not taken out.
    pub(super) fn left(&self) -> impl Iterator<Item = &Key> {
        self.of.keys()
    }
}

/// The points of an asset, in a finding.
fn describe((program, asset): Key) -> String {
    match asset {
        None => format!("points of program row {program}"),
        Some(asset) => format!("points of asset row {asset} of program row {program}"),
    }
}
