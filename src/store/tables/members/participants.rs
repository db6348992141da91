//! Lists of participants, which are members in other orders.

use rusqlite::{Connection, params_from_iter};

use super::{MemberFilter, NEWEST_FIRST, matching, member, search};
use crate::domain::{
    Member, ParticipantFilter, ParticipantPlace, ParticipantSort, ParticipantStatus, ProgramNumber,
    Search,
};
use crate::store::Error;
use crate::store::tables::query::Query;

/// The participants of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParticipantPage {
    /// The members, in order.
    pub members: Vec<Member>,
    /// The last one that was read, if the page ended there because it had read the most rows.
    pub stopped_at: Option<ParticipantPlace>,
    /// The rows that were read.
    read: usize,
}

/// A page of participants. A search lists the newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ParticipantFilter,
    limit: usize,
) -> Result<ParticipantPage, Error> {
    if let Some(search) = &filter.search {
        return searched(connection, program, filter, (search, limit));
    }
    let mut page = ParticipantPage::default();
    if filter.sort != ParticipantSort::Status {
        let query = query(program, filter, filter.after, filter.status);
        page.read(connection, query, filter, limit)?;
        return Ok(page);
    }
    let mut statuses = ParticipantStatus::ALL;
    if filter.is_descending {
        statuses.reverse();
    }
    let first = filter.after.map(|place| place.status);
    let wanted = |status: &ParticipantStatus| filter.status.is_none_or(|only| only == *status);
    let from = statuses.iter().position(|status| Some(*status) == first);
    for status in statuses.into_iter().skip(from.unwrap_or(0)).filter(wanted) {
        let after = filter.after.filter(|place| place.status == status);
        let own = ParticipantFilter {
            status: Some(status),
            ..filter.clone()
        };
        let query = query(program, &own, after, own.status);
        page.read(connection, query, &own, limit)?;
        if page.members.len() >= limit || page.stopped_at.is_some() {
            break;
        }
    }
    Ok(page)
}

fn searched(
    connection: &Connection,
    program: ProgramNumber,
    filter: &ParticipantFilter,
    (search, limit): (&Search, usize),
) -> Result<ParticipantPage, Error> {
    let all = MemberFilter {
        before: filter.after.map(|place| place.member),
        include_archived: true,
        participants: Some(Box::new(filter.clone())),
        ..MemberFilter::default()
    };
    let found = search::list(connection, program, (search, &all), limit)?;
    Ok(ParticipantPage {
        members: found.members,
        // Searches go by the member alone.
        stopped_at: found.stopped_at.map(|member| ParticipantPlace {
            member,
            status: ParticipantStatus::Active,
        }),
        read: 0,
    })
}

impl ParticipantPage {
    /// Adds those rows of a query that pass a filter.
    fn read(
        &mut self,
        connection: &Connection,
        query: Query,
        filter: &ParticipantFilter,
        limit: usize,
    ) -> Result<(), Error> {
        let mut statement = connection.prepare_cached(&query.sql)?;
        let mut rows = statement.query(params_from_iter(query.values))?;
        while self.members.len() < limit
            && let Some(row) = rows.next()?
        {
            let member = member(row)?;
            self.read += 1;
            let place = ParticipantPlace {
                member: member.number,
                status: ParticipantStatus::of(&member),
            };
            if filter.passes(&member) {
                self.members.push(member);
            }
            if self.read >= search::ROWS_MAX && self.members.len() < limit {
                self.stopped_at = Some(place);
                break;
            }
        }
        Ok(())
    }
}

/// The members of a status, or all, in the order of the filter.
fn query(
    program: ProgramNumber,
    filter: &ParticipantFilter,
    after: Option<ParticipantPlace>,
    status: Option<ParticipantStatus>,
) -> Query {
    let all = MemberFilter {
        include_archived: true,
        ..MemberFilter::default()
    };
    let mut query = matching(program, &all);
    match status {
        Some(ParticipantStatus::Closed) => query.push(" AND m.archived_at IS NOT NULL"),
        Some(ParticipantStatus::Suspended) => query.push(" AND m.suspended_at IS NOT NULL"),
        // Without an index.
        Some(ParticipantStatus::Active) | None => {}
    }
    if let Some(id) = &filter.external_id {
        query.and("m.external_user_id = ?", [id.as_str().to_owned()]);
    }
    let (later, order) = match (filter.sort, filter.is_descending) {
        (ParticipantSort::ExternalId, true) => (
            "m.external_user_id < (SELECT external_user_id FROM member WHERE id = ?)",
            " ORDER BY m.external_user_id DESC",
        ),
        (ParticipantSort::ExternalId, false) => (
            "m.external_user_id > (SELECT external_user_id FROM member WHERE id = ?)",
            " ORDER BY m.external_user_id",
        ),
        (_, true) => ("m.id < ?", NEWEST_FIRST),
        (_, false) => ("m.id > ?", " ORDER BY m.id"),
    };
    if let Some(after) = after {
        query.and(later, [after.member.0]);
    }
    query.push(order);
    query
}
