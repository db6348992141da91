//! Profiles of members.

pub mod participants;
pub mod removals;
pub mod search;
pub(in crate::store) mod terms;

use rusqlite::{Connection, Row};

use crate::domain::{
    Attributes, DisplayName, Email, ExternalUserId, Member, MemberNumber, ParticipantFilter, Phone,
    ProgramNumber, Search, Seq, Tier, Timestamp,
};
use crate::store::tables::columns::{column, optional, optional_time, time};
use crate::store::tables::query::{self, Query};
use crate::store::{AccessChange, Counted, Error, Transaction};

/// A query that selects the columns that [`member`] reads.
macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT m.id, m.program_id, m.external_user_id, m.display_name, m.email, m.phone, ",
            "m.tier, m.attributes, m.token_epoch, m.archived_at, m.suspended_at, m.version, m.created_at",
            $($rest)*
        )
    };
}

/// The number of the newest row of the log, as the same read sees it.
macro_rules! newest {
    () => {
        ", (SELECT max(seq) FROM activity) AS newest"
    };
}

const SELECT: &str = select!("");
const SELECT_WITH_NEWEST: &str = select!(newest!());

const BY_EXTERNAL_ID: &str =
    select!(" FROM member m WHERE m.program_id = ?1 AND m.external_user_id = ?2");
/// Selects the columns that [`member`] reads, of one member.
pub(in crate::store) const BY_NUMBER: &str =
    select!(" FROM member m WHERE m.program_id = ?1 AND m.id = ?2");

/// The id by which a member is looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The operator's own id.
    External(ExternalUserId),
    /// The number of the row.
    Number(MemberNumber),
}

/// The filter of a list of members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// Only members before this one.
    pub before: Option<MemberNumber>,
    /// Only members of this tier.
    pub tier: Option<Tier>,
    /// Only members whose id, name, email and phone number have these terms.
    pub search: Option<Search>,
    /// Include removed members.
    pub include_archived: bool,
    /// Only members who pass this filter. [`list`] ignores it.
    pub participants: Option<Box<ParticipantFilter>>,
}

/// A member, removed or not.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    selector: &Selector,
) -> Result<Option<Member>, Error> {
    match selector {
        Selector::External(id) => {
            let values = (program.0, id.as_str());
            query::one(connection, BY_EXTERNAL_ID, values, member)
        }
        Selector::Number(number) => {
            let values = (program.0, number.0);
            query::one(connection, BY_NUMBER, values, member)
        }
    }
}

/// The member with one of the operator's ids, removed or not, and the newest row of the log at the
/// same moment.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_with_newest(
    connection: &Connection,
    program: ProgramNumber,
    id: &ExternalUserId,
) -> Result<Option<(Member, Seq)>, Error> {
    let sql = select!(
        newest!(),
        " FROM member m WHERE m.program_id = ?1 AND m.external_user_id = ?2"
    );
    query::one(connection, sql, (program.0, id.as_str()), |row| {
        let newest = row.get(column!(SELECT_WITH_NEWEST, "newest"))?;
        Ok((member(row)?, Seq(newest)))
    })
}

/// A page of members, newest first. Ignores the filter's search: see [`search::list`].
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &MemberFilter,
    limit: usize,
) -> Result<Vec<Member>, Error> {
    listing(program, filter).page(connection, limit, member)
}

const NEWEST_FIRST: &str = " ORDER BY m.id DESC";

/// The query of the members of a program that match a filter, newest first, for [`member`].
/// Ignores the filter's search.
pub(in crate::store) fn listing(program: ProgramNumber, filter: &MemberFilter) -> Query {
    let mut query = matching(program, filter);
    query.push(NEWEST_FIRST);
    query
}

/// [`listing`] in no order yet.
fn matching(program: ProgramNumber, filter: &MemberFilter) -> Query {
    let sql = select!(" FROM member m WHERE m.program_id = ?");
    let mut query = Query::new(sql, [program.0]);
    if let Some(before) = filter.before {
        query.and("m.id < ?", [before.0]);
    }
    if let Some(tier) = &filter.tier {
        query.and("m.tier = ?", [tier.as_str().to_owned()]);
    }
    if !filter.include_archived {
        query.push(" AND m.archived_at IS NULL");
    }
    query
}

/// The members of a program after one of them, in the order of their numbers, removed ones
/// included.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn after(
    connection: &Connection,
    program: ProgramNumber,
    member: MemberNumber,
    limit: usize,
) -> Result<Vec<MemberNumber>, Error> {
    let sql = "SELECT id FROM member WHERE program_id = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let members = statement.query_map((program.0, member.0, limit), |row| row.get(0))?;
    Ok(members
        .map(|member| member.map(MemberNumber))
        .collect::<Result<_, _>>()?)
}

/// The members that were ever removed, each with the epoch of its valid tokens.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn raised_epochs(connection: &Connection) -> Result<Vec<(MemberNumber, i64)>, Error> {
    let sql = "SELECT id, token_epoch FROM member WHERE token_epoch > 0";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((MemberNumber(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The operator's own id of a member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn external_id(connection: &Connection, member: MemberNumber) -> Result<Option<String>, Error> {
    let sql = "SELECT external_user_id FROM member WHERE id = ?1";
    query::one(connection, sql, [member.0], |row| Ok(row.get(0)?))
}

/// The epoch of a member's valid tokens.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn epoch(connection: &Connection, member: MemberNumber) -> Result<i64, Error> {
    let sql = "SELECT token_epoch FROM member WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([member.0])?;
    Ok(rows.next()?.map_or(Ok(0), |row| row.get(0))?)
}

/// Revokes every token of a member. Takes effect when [`update`] writes the member.
pub fn end_tokens(tx: &mut Transaction<'_>, member: &mut Member) {
    member.token_epoch += 1;
    tx.access_changed(AccessChange::Member(member.number));
}

/// Creates a member and sets its `number`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &mut Transaction<'_>, member: &mut Member) -> Result<(), Error> {
    let sql = "INSERT INTO member (program_id, external_user_id, tier, created_at, display_name,
                   email, phone, attributes)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.run(sql, |statement| {
        statement.execute((
            member.program.0,
            member.external_user_id.as_str(),
            member.tier.as_str(),
            member.created_at.as_millis(),
            member.display_name.as_ref().map(DisplayName::as_str),
            member.email.as_ref().map(Email::as_str),
            member.phone.as_ref().map(Phone::as_str),
            member.attributes.as_ref().map(Attributes::as_str),
        ))
    })?;
    tx.count_change(Counted::Members(member.program), 1);
    member.number = MemberNumber(tx.last_insert_rowid());
    tx.name_member(member, None);
    Ok(())
}

/// Writes the columns of a member that can change; `before` is the member without the changes.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &mut Transaction<'_>, before: &Member, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET external_user_id = ?2, display_name = ?3, email = ?4, phone = ?5,
                   tier = ?6, attributes = ?7, token_epoch = ?8, archived_at = ?9, version = ?10,
                   suspended_at = ?11
               WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((
            member.number.0,
            member.external_user_id.as_str(),
            member.display_name.as_ref().map(DisplayName::as_str),
            member.email.as_ref().map(Email::as_str),
            member.phone.as_ref().map(Phone::as_str),
            member.tier.as_str(),
            member.attributes.as_ref().map(Attributes::as_str),
            member.token_epoch,
            member.archived_at.map(Timestamp::as_millis),
            member.version.0,
            member.suspended_at.map(Timestamp::as_millis),
        ))
    })?;
    if member.external_user_id != before.external_user_id {
        tx.name_member(member, Some(&before.external_user_id));
    }
    Ok(())
}

/// Writes the settings version, after the activity that changed it was recorded.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update_version(tx: &Transaction<'_>, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET version = ?2 WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((member.number.0, member.version.0))
    })?;
    Ok(())
}

/// Reads the columns of `select`.
pub(in crate::store) fn member(row: &Row<'_>) -> Result<Member, Error> {
    Ok(Member {
        number: MemberNumber(row.get(column!(SELECT, "m.id"))?),
        program: ProgramNumber(row.get(column!(SELECT, "program_id"))?),
        external_user_id: ExternalUserId::stored(row.get(column!(SELECT, "external_user_id"))?),
        display_name: optional(row, column!(SELECT, "display_name"), DisplayName::stored)?,
        email: optional(row, column!(SELECT, "email"), Email::stored)?,
        phone: optional(row, column!(SELECT, "phone"), Phone::stored)?,
        tier: Tier::stored(row.get(column!(SELECT, "tier"))?),
        attributes: optional(row, column!(SELECT, "attributes"), Attributes::stored)?,
        token_epoch: row.get(column!(SELECT, "token_epoch"))?,
        archived_at: optional_time(row, column!(SELECT, "archived_at"))?,
        suspended_at: optional_time(row, column!(SELECT, "suspended_at"))?,
        version: Seq(row.get(column!(SELECT, "version"))?),
        created_at: time(row, column!(SELECT, "created_at"))?,
    })
}
