//! Pages of redemptions that match a filter, in the order of the time they were made.
//!
//! A page is read from indexes that have its order, so that its cost depends only on its length. A
//! search looks up the members and offers that have its words, and reads their redemptions. If
//! these are too many, it reads rows in order up to a limit, and the next page continues there.

use rusqlite::{Connection, Row, params_from_iter};

use super::candidates::{Place, candidates, places_of};
use super::filter::{RedemptionFilter, directions, narrow};
use super::{FROM, columns, redemption};
use crate::domain::{
    OfferNumber, ProgramNumber, Redemption, RedemptionCode, RedemptionNumber, RedemptionOrder,
    Search, Status, Timestamp,
};
use crate::store::Error;
use crate::store::tables::columns::{column, time};
use crate::store::tables::query::{self, Query};
use crate::store::tables::search::ROWS_MAX;

/// The columns that [`listed`] reads.
const LISTED: &str = concat!(columns!(), ", m.display_name, o.title");

/// A redemption with the names of its member and its offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The redemption.
    pub redemption: Redemption,
    /// The member's display name.
    pub display_name: Option<String>,
    /// The offer's title.
    pub offer_title: String,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// Its rows.
    pub rows: Vec<Listed>,
    /// The redemption after which the next page continues, if this one stopped before it was full.
    pub stopped_at: Option<RedemptionNumber>,
}

impl From<Option<Listed>> for Found {
    /// A page with one row or none, which is the last one.
    fn from(row: Option<Listed>) -> Self {
        Self {
            rows: row.into_iter().collect(),
            stopped_at: None,
        }
    }
}

/// A page of redemptions. It is full, or the last one, or its search stopped at the most rows that
/// a page reads.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &RedemptionFilter,
    limit: usize,
) -> Result<Found, Error> {
    if let Some(code) = &filter.code {
        let found = with_code(connection, program, filter, code)?;
        let search = filter.search.as_ref();
        let is_found = |row: &Listed| search.is_none_or(|search| row.matches(search));
        return Ok(Found::from(found.filter(is_found)));
    }
    let Some(search) = &filter.search else {
        return walk(connection, program, filter, limit);
    };
    if let Some(code) = search.only_word().and_then(RedemptionCode::parse)
        && let Some(found) = with_code(connection, program, filter, &code)?
    {
        return Ok(Found::from(Some(found)));
    }
    if search.terms().is_empty() {
        return Ok(Found::default());
    }
    if filter.member.is_some() {
        return walk(connection, program, filter, limit);
    }
    let Some(mut candidates) = candidates(connection, program, search)? else {
        return walk(connection, program, filter, limit);
    };
    match (filter.offer, candidates.offers.as_slice()) {
        (Some(offer), offers) if offers.contains(&offer.0) => {
            return walk(connection, program, filter, limit);
        }
        // Redemptions of other offers do not match the filter.
        (Some(_), _) => candidates.offers.clear(),
        (None, [one]) if candidates.members.is_empty() => {
            let filter = RedemptionFilter {
                offer: Some(OfferNumber(*one)),
                ..filter.clone()
            };
            return walk(connection, program, &filter, limit);
        }
        (None, _) => {}
    }
    match places_of(connection, filter, &candidates)? {
        Some(places) => read_each(connection, search, &places, limit),
        None => walk(connection, program, filter, limit),
    }
}

/// The redemption with a code, if it matches the filter without its search.
fn with_code(
    connection: &Connection,
    program: ProgramNumber,
    filter: &RedemptionFilter,
    code: &RedemptionCode,
) -> Result<Option<Listed>, Error> {
    let condition = of_code(program, filter, code);
    let sql = query_of(&condition, filter.order);
    query::one(connection, &sql, params_from_iter(condition.values), listed)
}

/// The conditions of [`with_code`].
fn of_code(program: ProgramNumber, filter: &RedemptionFilter, code: &RedemptionCode) -> Query {
    let mut condition = Query::new("r.program_id = ?", [program.0]);
    condition.and("r.code = ?", [code.as_str().to_owned()]);
    if let Some(member) = filter.member {
        condition.and("r.member_id = ?", [member.0]);
    }
    if let Some(offer) = filter.offer {
        condition.and("r.offer_id = ?", [offer.0]);
    }
    narrow(&mut condition, filter, filter.status);
    condition
}

/// A redemption with the names of its member and its offer.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_listed(
    connection: &Connection,
    number: RedemptionNumber,
) -> Result<Option<Listed>, Error> {
    let sql = format!("SELECT {LISTED} {FROM} WHERE r.id = ?1");
    query::one(connection, &sql, [number.0], listed)
}

/// The place of a redemption, after which a page continues.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn place(
    connection: &Connection,
    program: ProgramNumber,
    number: RedemptionNumber,
) -> Result<Option<(Timestamp, RedemptionNumber)>, Error> {
    let sql = "SELECT created_at FROM redemption WHERE id = ?1 AND program_id = ?2";
    query::one(connection, sql, (number.0, program.0), |row| {
        Ok((time(row, 0)?, number))
    })
}

/// Reads [`LISTED`].
fn listed(row: &Row<'_>) -> Result<Listed, Error> {
    Ok(Listed {
        redemption: redemption(row)?,
        display_name: row.get(column!(LISTED, "display_name"))?,
        offer_title: row.get(column!(LISTED, "title"))?,
    })
}

impl Listed {
    fn matches(&self, search: &Search) -> bool {
        let name = self.display_name.as_deref().unwrap_or_default();
        let id = self.redemption.external_user_id.as_str();
        search.finds(&[id, name, &self.offer_title])
    }

    /// Its place in the order of time.
    fn place(&self) -> (Timestamp, RedemptionNumber) {
        (self.redemption.created_at, self.redemption.number)
    }
}

/// Whether the first of two places comes first.
fn is_before<T: Ord>(order: RedemptionOrder, one: &T, other: &T) -> bool {
    match order {
        RedemptionOrder::Newest => one > other,
        RedemptionOrder::Oldest => one < other,
    }
}

/// The conditions of the lists that together hold the redemptions that match a filter, without its
/// search. An index has the order of each list.
fn streams(program: ProgramNumber, filter: &RedemptionFilter) -> Vec<Query> {
    let statuses: Vec<Option<Status>> = match (filter.member, filter.offer, filter.status) {
        (None, Some(_), None) => Status::ALL.map(Some).to_vec(),
        (_, _, status) => vec![status],
    };
    let stream = |status| {
        // A member and an offer belong to one program, so that the narrower condition suffices.
        let mut condition = match (filter.member, filter.offer) {
            (Some(member), _) => Query::new("r.member_id = ?", [member.0]),
            (None, Some(offer)) => Query::new("r.offer_id = ?", [offer.0]),
            (None, None) => Query::new("r.program_id = ?", [program.0]),
        };
        if let (Some(_), Some(offer)) = (filter.member, filter.offer) {
            condition.and("r.offer_id = ?", [offer.0]);
        }
        narrow(&mut condition, filter, status);
        condition
    };
    statuses.into_iter().map(stream).collect()
}

/// The query of one of the lists.
fn query_of(condition: &Query, order: RedemptionOrder) -> String {
    let (_, direction) = directions(order);
    format!(
        "SELECT {LISTED} {FROM} WHERE {} ORDER BY r.created_at {direction}, r.id {direction}",
        condition.sql
    )
}

/// Merges the lists until the page is full.
fn walk(
    connection: &Connection,
    program: ProgramNumber,
    filter: &RedemptionFilter,
    limit: usize,
) -> Result<Found, Error> {
    let conditions = streams(program, filter);
    let mut statements = Vec::new();
    for condition in &conditions {
        statements.push(connection.prepare_cached(&query_of(condition, filter.order))?);
    }
    let (mut streams, mut heads) = (Vec::new(), Vec::new());
    for (statement, condition) in statements.iter_mut().zip(conditions) {
        let mut rows = statement.query(params_from_iter(condition.values))?;
        heads.push(rows.next()?.map(listed).transpose()?);
        streams.push(rows);
    }
    let mut found = Found::default();
    let mut read = 0;
    while found.rows.len() < limit {
        let mut first: Option<usize> = None;
        for (index, head) in heads.iter().enumerate() {
            let place = |index: usize| heads[index].as_ref().map(Listed::place);
            let is_first =
                first.is_none_or(|first| is_before(filter.order, &place(index), &place(first)));
            if head.is_some() && is_first {
                first = Some(index);
            }
        }
        let Some(first) = first else { break };
        if read >= ROWS_MAX && filter.search.is_some() {
            break;
        }
        let next = streams[first].next()?.map(listed).transpose()?;
        if let Some(row) = std::mem::replace(&mut heads[first], next) {
            read += 1;
            found.stopped_at = Some(row.redemption.number);
            let search = filter.search.as_ref();
            if search.is_none_or(|search| row.matches(search)) {
                found.rows.push(row);
            }
        }
    }
    let is_full = found.rows.len() == limit;
    if is_full || heads.iter().all(Option::is_none) {
        found.stopped_at = None;
    }
    Ok(found)
}

/// Reads the redemptions at some places until the page is full.
fn read_each(
    connection: &Connection,
    search: &Search,
    places: &[Place],
    limit: usize,
) -> Result<Found, Error> {
    let mut found = Found::default();
    for (_, number) in places {
        if found.rows.len() == limit {
            break;
        }
        let row = find_listed(connection, RedemptionNumber(*number))?;
        found.rows.extend(row.filter(|row| row.matches(search)));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use rusqlite::types::Value;

    use super::super::candidates::{one_of, query_of_places};
    use super::*;
    use crate::domain::MemberNumber;

    /// SQLite's plan of a query, a line for each step.
    fn plan(sql: &str, parameters: usize) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(include_str!("../../../../schema.sql"))
            .unwrap();
        let mut statement = connection
            .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))
            .unwrap();
        let values = vec![Value::Integer(1); parameters];
        let rows = statement.query_map(params_from_iter(values), |row| row.get(3));
        rows.unwrap().map(Result::unwrap).collect()
    }

    fn filters() -> Vec<RedemptionFilter> {
        let mut filters = Vec::new();
        let at = Timestamp::from_millis(0);
        for bits in 0..64_u8 {
            let is = |bit: u8| bits & (1 << bit) != 0;
            filters.push(RedemptionFilter {
                member: is(0).then_some(MemberNumber(1)),
                offer: is(1).then_some(OfferNumber(1)),
                status: is(2).then_some(Status::Open),
                from: at.filter(|_| is(3)),
                to: at.filter(|_| is(3)),
                after: at.filter(|_| is(4)).map(|at| (at, RedemptionNumber(1))),
                order: if is(5) {
                    RedemptionOrder::Oldest
                } else {
                    RedemptionOrder::Newest
                },
                ..RedemptionFilter::default()
            });
        }
        filters
    }

    #[test]
    fn no_list_is_scanned_and_only_a_members_own_of_one_offer_are_sorted() {
        for filter in filters() {
            for condition in streams(ProgramNumber(1), &filter) {
                let sql = query_of(&condition, filter.order);
                let plan = plan(&sql, condition.values.len());
                let (first, rest) = plan.split_first().unwrap();
                assert!(
                    !plan.iter().any(|step| step.contains("SCAN")),
                    "{sql}: {plan:?}"
                );
                let is_one = filter.member.is_some() && filter.offer.is_some();
                let is_sorted = rest.iter().any(|step| step.contains("TEMP B-TREE"));
                assert!(is_one || !is_sorted, "{sql}: {plan:?}");
                let is_indexed = plan.iter().any(|step| step.contains("redemption_by_"));
                assert!(is_indexed, "{sql}: {first} {rest:?}");
            }
        }
    }

    #[test]
    fn a_code_is_looked_up() {
        let code = RedemptionCode::of_random(1);
        for filter in filters() {
            let condition = of_code(ProgramNumber(1), &filter, &code);
            let sql = query_of(&condition, filter.order);
            let plan = plan(&sql, condition.values.len());
            assert!(
                plan[0].contains("redemption_by_code (program_id=? AND code=?)"),
                "{plan:?}"
            );
        }
    }

    #[test]
    fn redemptions_of_candidates_are_looked_up_one_by_one() {
        for filter in filters() {
            for (column, index) in [
                ("r.member_id", "redemption_by_member"),
                ("r.offer_id", "redemption_by_offer"),
            ] {
                let condition = one_of(column, &[1, 2], &filter);
                let sql = query_of_places(&condition);
                let plan = plan(&sql, condition.values.len());
                assert!(plan[0].contains(index), "{sql}: {plan:?}");
            }
        }
    }
}
