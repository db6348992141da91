//! Compares the accounts with the settings of points, and the points of each program with what its
//! entries issued and took.

use crate::analytics::Totals;
use crate::books::{Books, Record};
use crate::domain::{Asset, AssetNumber, ByNumber, InventoryMode, ProgramNumber, Wallet};
use crate::service::figures::fold::Folded;
use crate::store::{self, Connection};

/// The number of findings after which the comparison stops.
const FINDINGS_MAX: usize = 100;

/// Finds accounts that are not in lots but should be, and programs whose accounts have other points
/// than their entries left.
pub(super) fn compare(
    connection: &Connection,
    folded: &Folded,
) -> Result<Vec<String>, store::Error> {
    let mut assets = Assets::default();
    for asset in store::assets::all(connection)? {
        match asset.number() {
            None => assets.points.insert(asset.program, asset),
            Some(number) => assets.further.insert(number, asset),
        };
    }
    let mut findings = without_lots(&folded.books, &assets);
    let sums = folded.books.programs().filter_map(|(program, record)| {
        let totals = folded.figures.program(program)?.totals();
        Some((program, balances(totals, &record.wallets)?))
    });
    findings.extend(sums.map(|(program, what)| format!("program row {}: {what}", program.0)));
    Ok(findings)
}

/// How points are kept.
#[derive(Default)]
struct Assets {
    points: ByNumber<ProgramNumber, Asset>,
    further: ByNumber<AssetNumber, Asset>,
}

/// The accounts with points outside lots in programs and assets that keep them in lots.
fn without_lots(books: &Books, assets: &Assets) -> Vec<String> {
    let is_left = |record: &Record| {
        let asset = match record.asset {
            None => assets.points.get(&record.program),
            Some(asset) => assets.further.get(&asset),
        };
        let Some(asset) = asset else {
            return false;
        };
        let is_opened = asset
            .opening_after
            .is_none_or(|after| record.number <= after);
        asset.mode == InventoryMode::Lot
            && is_opened
            && record.lots.is_none()
            && !(record.wallet.available().is_zero() && record.wallet.held.is_zero())
    };
    let of_points = books.records().filter(|_| !assets.points.is_empty());
    let left = of_points.chain(books.further_records()).filter(is_left);
    left.take(FINDINGS_MAX).map(|record| {
        format!(
            "member row {}: its points are not in lots, but those of its program were put into lots",
            record.number.0
        )
    })
    .collect()
}

/// What is wrong if the points of all accounts are not what was minted and refunded without what
/// was spent, forfeited, debited, expired and voided.
fn balances(totals: &Totals, wallets: &Wallet) -> Option<String> {
    let counted = [
        totals.balances(),
        totals.held.cast_signed(),
        totals.pending.cast_signed(),
    ];
    let kept = [wallets.balance(), wallets.held.get(), wallets.pending.get()];
    (counted != kept).then(|| {
        let shown = |[balances, held, pending]: [i64; 3]| {
            format!("balances of {balances}, {held} held and {pending} pending points")
        };
        format!(
            "its entries leave {}, but its accounts have {}",
            shown(counted),
            shown(kept)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Points;

    #[test]
    fn the_points_of_all_accounts_are_those_that_the_entries_left() {
        let totals = Totals {
            minted: 100,
            refunded: 5,
            spent: 40,
            forfeited: 10,
            debited: 30,
            expired: 20,
            voided: 3,
            held: 4,
            pending: 6,
            ..Totals::default()
        };
        // 105 came, 103 went: 2 = -8 + 4 + 6.
        let points = |number| Points::new(number).unwrap();
        let wallets = Wallet {
            received: points(99),
            spent: points(103),
            held: points(4),
            pending: points(6),
        };
        assert_eq!(balances(&totals, &wallets), None);
        let other = Wallet {
            received: points(98),
            ..wallets
        };
        assert_eq!(
            balances(&totals, &other).unwrap(),
            "its entries leave balances of -8, 4 held and 6 pending points, but its accounts have \
             balances of -9, 4 held and 6 pending points"
        );
    }
}
