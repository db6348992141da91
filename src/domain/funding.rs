//! The wallet of a program, from which the points of a `PREFUNDED` asset are credited: what is put
//! into it, and what is taken out of it again.

use super::row::{Cells, Field as _, Fields, Row};
use super::{AssetNumber, Column, Points, Reason};

/// A change of a program's wallet that no ledger entry of a member makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Funding {
    /// The asset; `None`: the program's points.
    pub asset: Option<AssetNumber>,
    /// The number of points, at least one.
    pub amount: Points,
    /// The points in the wallet after it.
    pub balance: Points,
    /// The description that the caller gave. It is free text, which the row does not hold.
    pub description: Option<Reason>,
}

impl Fields for Funding {
    const COLUMNS: &'static [Column] = &[Column::Amount, Column::Asset, Column::Available];

    fn write<'a>(&'a self, row: &mut Row<'a>) {
        row.set(Column::Amount, self.amount.cell());
        row.set(Column::Asset, self.asset.cell());
        row.set(Column::Available, self.balance.cell());
    }

    fn read(cells: &impl Cells) -> Option<Self> {
        Some(Self {
            asset: Option::of(cells.cell(Column::Asset))?,
            amount: Points::of(cells.cell(Column::Amount)).filter(|amount| !amount.is_zero())?,
            balance: Points::of(cells.cell(Column::Available))?,
            description: None,
        })
    }
}
