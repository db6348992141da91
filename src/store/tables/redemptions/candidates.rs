//! The members and offers that a search for redemptions matches, and the places of their
//! redemptions.

use std::collections::HashMap;

use rusqlite::{Connection, params_from_iter};

use super::filter::{RedemptionFilter, narrow};
use crate::domain::{ProgramNumber, RedemptionOrder, Search, begins, terms};
use crate::store::Error;
use crate::store::tables::query::{self, Query};
use crate::store::tables::search::{self, LOOKED_UP_MAX, ROWS_MAX};

/// Members and offers: a search finds only redemptions of one of them.
pub(super) struct Candidates {
    pub(super) members: Vec<i64>,
    pub(super) offers: Vec<i64>,
}

/// The members and offers that a search matches; `None` if they are too many.
pub(super) fn candidates(
    connection: &Connection,
    program: ProgramNumber,
    search: &Search,
) -> Result<Option<Candidates>, Error> {
    let Some(titles) = titles(connection, program)? else {
        return Ok(None);
    };
    // Members that have every word that no offer has, or offers that have every word that no member
    // has; otherwise the members and the offers that have one of the words.
    let (mut of_members, mut of_offers, mut of_both) = (None, None, None);
    for term in search.terms() {
        let offers: Vec<i64> = titles
            .iter()
            .filter(|(_, words)| begins(term, words))
            .map(|(offer, _)| *offer)
            .collect();
        let members = search::members_of(connection, program, (term, i64::MAX), LOOKED_UP_MAX)?;
        match members {
            None => {}
            Some(members) if offers.is_empty() => search::intersect(&mut of_members, members),
            Some(members) if members.is_empty() => search::intersect(&mut of_offers, offers),
            Some(members) => of_both = Some(Candidates { members, offers }),
        }
    }
    let only_members = of_members.map(|members| Candidates {
        members,
        offers: Vec::new(),
    });
    let only_offers = of_offers.map(|offers| Candidates {
        members: Vec::new(),
        offers,
    });
    Ok(only_members.or(only_offers).or(of_both))
}

/// The row of an offer, and the words of its title.
pub(super) type Title = (i64, Vec<String>);

/// The words of the titles of a program's offers, including archived ones, newest first; `None` if
/// there are more offers than a search may read.
pub(super) fn titles(
    connection: &Connection,
    program: ProgramNumber,
) -> Result<Option<Vec<Title>>, Error> {
    let sql = "SELECT id, title FROM offer WHERE program_id = ?1 ORDER BY id DESC LIMIT ?2";
    let values = (program.0, query::limit(ROWS_MAX + 1));
    let titles = query::all(connection, sql, values, |row| {
        let title = row.get_ref(1)?.as_str().unwrap_or_default();
        Ok((row.get(0)?, terms(title)))
    })?;
    Ok((titles.len() <= ROWS_MAX).then_some(titles))
}

/// A place in the order of time: the time and the row.
pub(super) type Place = (i64, i64);

/// The places of the candidates' redemptions that match a filter, in its order and without its
/// search; `None` if they are too many.
pub(super) fn places_of(
    connection: &Connection,
    filter: &RedemptionFilter,
    candidates: &Candidates,
) -> Result<Option<Vec<Place>>, Error> {
    let mut places = HashMap::new();
    for (column, numbers) in [
        ("r.member_id", &candidates.members),
        ("r.offer_id", &candidates.offers),
    ] {
        if numbers.is_empty() {
            continue;
        }
        let condition = one_of(column, numbers, filter);
        let mut statement = connection.prepare_cached(&query_of_places(&condition))?;
        let mut rows = statement.query(params_from_iter(condition.values))?;
        while let Some(row) = rows.next()? {
            let (number, at): (i64, i64) = row.try_into()?;
            places.insert(number, at);
        }
        if places.len() > ROWS_MAX {
            return Ok(None);
        }
    }
    let mut places: Vec<Place> = places
        .into_iter()
        .map(|(number, at)| (at, number))
        .collect();
    places.sort_unstable();
    if filter.order == RedemptionOrder::Newest {
        places.reverse();
    }
    Ok(Some(places))
}

/// The conditions of the redemptions of some members or offers that match a filter.
pub(super) fn one_of(column: &str, numbers: &[i64], filter: &RedemptionFilter) -> Query {
    let numbers: Vec<String> = numbers.iter().map(i64::to_string).collect();
    let condition = format!("{column} IN (SELECT value FROM json_each(?))");
    let mut query = Query::new(condition, [format!("[{}]", numbers.join(","))]);
    if let Some(offer) = filter.offer {
        // Not by the index of offers: an offer may have many more redemptions than the members.
        query.and("+r.offer_id = ?", [offer.0]);
    }
    narrow(&mut query, filter, filter.status);
    query
}

/// The query of the places of redemptions that meet a condition, in no order.
pub(super) fn query_of_places(condition: &Query) -> String {
    let limit = ROWS_MAX + 1;
    let condition = &condition.sql;
    format!("SELECT r.id, r.created_at FROM redemption r WHERE {condition} LIMIT {limit}")
}
