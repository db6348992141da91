//! Members and their wallets.

pub mod removals;
pub mod search;
pub(in crate::store) mod terms;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, Row};

use crate::domain::{
    Account, Attributes, Currency, DisplayName, Email, ExternalUserId, Member, MemberNumber,
    ProgramNumber, Search, Seq, Status, StatusCounts, Tier, Timestamp, Wallet,
};
use crate::store::tables::columns::{column, optional, optional_time, points, time};
use crate::store::tables::programs;
use crate::store::tables::query::{self, Query};
use crate::store::{AccessChange, Counted, Error, Transaction};

/// A query that selects the columns that [`member`] reads.
macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT m.id, m.program_id, m.external_user_id, m.display_name, m.email, m.tier, ",
            "m.attributes, m.amount_received, m.amount_spent, m.last_entry_seq, m.last_jump_seq, ",
            "m.last_far_seq, m.entries, m.participated, m.token_epoch, m.token_expires_at, ",
            "m.archived_at, m.version, m.created_at",
            $($rest)*
        )
    };
}

/// The columns that [`counts`] reads after those of [`member`], in the order of [`Status::ALL`].
macro_rules! counts {
    () => {
        ", m.redemptions_submitted, m.redemptions_open, m.redemptions_awaiting_vendor, \
         m.redemptions_awaiting_customer, m.redemptions_purchased, m.redemptions_completed, \
         m.redemptions_canceled"
    };
}

/// The columns of the currency, after the others.
macro_rules! currency {
    () => {
        ", p.currency_name, p.currency_symbol"
    };
}

const SELECT: &str = select!("");
const SELECT_COUNTED: &str = select!(counts!());
const SELECT_WITH_CURRENCY: &str = select!(currency!());
const SELECT_COUNTED_WITH_CURRENCY: &str = select!(counts!(), currency!());

const BY_EXTERNAL_ID: &str =
    select!(" FROM member m WHERE m.program_id = ?1 AND m.external_user_id = ?2");
const BY_NUMBER: &str = select!(" FROM member m WHERE m.program_id = ?1 AND m.id = ?2");
/// Selects the columns that [`counted`] reads, of one member.
pub(in crate::store) const COUNTED_BY_NUMBER: &str = select!(
    counts!(),
    " FROM member m WHERE m.program_id = ?1 AND m.id = ?2"
);

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
    /// Only members whose externalUserID and display name have these terms.
    pub search: Option<Search>,
    /// Include removed members.
    pub include_archived: bool,
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

/// The member with one of the operator's ids, removed or not, for a write.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_to_change(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    id: &ExternalUserId,
) -> Result<Option<Member>, Error> {
    tx.run(BY_EXTERNAL_ID, |statement| {
        let mut rows = statement.query((program.0, id.as_str()))?;
        Ok(rows.next()?.map(member).transpose())
    })?
}

/// A member, removed or not, and the program's currency, in one read.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_with_currency(
    connection: &Connection,
    program: ProgramNumber,
    selector: &Selector,
) -> Result<Option<(Member, Currency)>, Error> {
    let (sql, key) = match selector {
        Selector::External(id) => (
            select!(
                currency!(),
                " FROM member m JOIN program p ON p.id = m.program_id
                WHERE m.program_id = ?1 AND m.external_user_id = ?2"
            ),
            ValueRef::from(id.as_str()),
        ),
        Selector::Number(number) => (
            select!(
                currency!(),
                " FROM member m JOIN program p ON p.id = m.program_id
                WHERE m.program_id = ?1 AND m.id = ?2"
            ),
            ValueRef::Integer(number.0),
        ),
    };
    let values = (program.0, ToSqlOutput::Borrowed(key));
    query::one(connection, sql, values, |row| {
        let currency = column!(SELECT_WITH_CURRENCY, "currency_name");
        Ok((member(row)?, programs::currency(row, currency)?))
    })
}

/// The member with one of the operator's ids, removed or not, the program's currency, and the
/// number of the member's redemptions by status, in one read.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find_with_counts(
    connection: &Connection,
    program: ProgramNumber,
    id: &ExternalUserId,
) -> Result<Option<(Member, Currency, StatusCounts)>, Error> {
    let sql = select!(
        counts!(),
        currency!(),
        " FROM member m JOIN program p ON p.id = m.program_id
        WHERE m.program_id = ?1 AND m.external_user_id = ?2"
    );
    query::one(connection, sql, (program.0, id.as_str()), |row| {
        let currency = column!(SELECT_COUNTED_WITH_CURRENCY, "currency_name");
        Ok((
            member(row)?,
            programs::currency(row, currency)?,
            counts(row)?,
        ))
    })
}

/// A page of members, newest first, each with its redemptions by status. Ignores the filter's
/// search: see [`search::list`].
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &MemberFilter,
    limit: usize,
) -> Result<Vec<(Member, StatusCounts)>, Error> {
    listing(program, filter).page(connection, limit, counted)
}

/// The query of the members of a program that match a filter, newest first, for [`counted`].
/// Ignores the filter's search.
pub(in crate::store) fn listing(program: ProgramNumber, filter: &MemberFilter) -> Query {
    let sql = select!(counts!(), " FROM member m WHERE m.program_id = ?");
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
    query.push(" ORDER BY m.id DESC");
    query
}

/// Reads a member and the number of its redemptions by status.
pub(in crate::store) fn counted(row: &Row<'_>) -> Result<(Member, StatusCounts), Error> {
    Ok((member(row)?, counts(row)?))
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
    member.token_expires_at = None;
    tx.access_changed(AccessChange::Member(member.number));
}

/// Creates a member and sets its `number`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(tx: &mut Transaction<'_>, member: &mut Member) -> Result<(), Error> {
    let sql = "INSERT INTO member (program_id, external_user_id, tier, created_at, display_name,
                   email, attributes)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    tx.run(sql, |statement| {
        statement.execute((
            member.program.0,
            member.external_user_id.as_str(),
            member.tier.as_str(),
            member.created_at.as_millis(),
            member.display_name.as_ref().map(DisplayName::as_str),
            member.email.as_ref().map(Email::as_str),
            member.attributes.as_ref().map(Attributes::as_str),
        ))
    })?;
    tx.count_change(Counted::Members(member.program), 1);
    member.number = MemberNumber(tx.last_insert_rowid());
    Ok(())
}

/// Writes the columns of a member that can change, except the wallet.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET external_user_id = ?2, display_name = ?3, email = ?4, tier = ?5,
                   attributes = ?6, token_epoch = ?7, token_expires_at = ?8, archived_at = ?9,
                   version = ?10
               WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((
            member.number.0,
            member.external_user_id.as_str(),
            member.display_name.as_ref().map(DisplayName::as_str),
            member.email.as_ref().map(Email::as_str),
            member.tier.as_str(),
            member.attributes.as_ref().map(Attributes::as_str),
            member.token_epoch,
            member.token_expires_at.map(Timestamp::as_millis),
            member.archived_at.map(Timestamp::as_millis),
            member.version.0,
        ))
    })?;
    Ok(())
}

/// Writes the time at which the newest token of a member expires.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update_token_end(tx: &Transaction<'_>, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET token_expires_at = ?2 WHERE id = ?1";
    let end = member.token_expires_at.map(Timestamp::as_millis);
    tx.run(sql, |statement| statement.execute((member.number.0, end)))?;
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

/// Writes the wallet and the head of its chain of entries.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update_wallet(tx: &Transaction<'_>, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET balance = ?2, amount_received = ?3, amount_spent = ?4,
                   last_entry_seq = ?5, last_jump_seq = ?6, last_far_seq = ?7, entries = ?8,
                   participated = ?9
               WHERE id = ?1";
    let values = (
        member.number.0,
        member.wallet.balance().get(),
        member.wallet.received.get(),
        member.wallet.spent.get(),
        member.account.last.map(|seq| seq.0),
        member.account.jump.map(|seq| seq.0),
        member.account.far.map(|seq| seq.0),
        member.account.entries.cast_signed(),
        member.participated,
    );
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Counts a redemption under its new status instead of its former one, if it had one.
pub(in crate::store) fn count_redemption(
    tx: &Transaction<'_>,
    member: MemberNumber,
    from: Option<Status>,
    to: Status,
) -> Result<(), Error> {
    let sql = "UPDATE member
               SET redemptions_submitted = redemptions_submitted
                       + (?3 IS 'SUBMITTED') - (?2 IS 'SUBMITTED'),
                   redemptions_open = redemptions_open
                       + (?3 IS 'OPEN') - (?2 IS 'OPEN'),
                   redemptions_awaiting_vendor = redemptions_awaiting_vendor
                       + (?3 IS 'AWAITING_VENDOR') - (?2 IS 'AWAITING_VENDOR'),
                   redemptions_awaiting_customer = redemptions_awaiting_customer
                       + (?3 IS 'AWAITING_CUSTOMER') - (?2 IS 'AWAITING_CUSTOMER'),
                   redemptions_purchased = redemptions_purchased
                       + (?3 IS 'PURCHASED') - (?2 IS 'PURCHASED'),
                   redemptions_completed = redemptions_completed
                       + (?3 IS 'COMPLETED') - (?2 IS 'COMPLETED'),
                   redemptions_canceled = redemptions_canceled
                       + (?3 IS 'CANCELED') - (?2 IS 'CANCELED')
               WHERE id = ?1";
    let values = (member.0, from.map(Status::as_str), to.as_str());
    tx.run(sql, |statement| statement.execute(values))?;
    Ok(())
}

/// Reads the columns of `counts`.
fn counts(row: &Row<'_>) -> Result<StatusCounts, Error> {
    let mut counts = StatusCounts::default();
    let first = column!(SELECT_COUNTED, "redemptions_submitted");
    for (column, status) in (first..).zip(Status::ALL) {
        let count: i64 = row.get(column)?;
        let count = u64::try_from(count).map_err(|_| Error::Impossible("number of redemptions"))?;
        counts.add(status, count);
    }
    Ok(counts)
}

/// Reads the columns of `select`.
fn member(row: &Row<'_>) -> Result<Member, Error> {
    let entries: i64 = row.get(column!(SELECT, "entries"))?;
    Ok(Member {
        number: MemberNumber(row.get(column!(SELECT, "m.id"))?),
        program: ProgramNumber(row.get(column!(SELECT, "program_id"))?),
        external_user_id: ExternalUserId::stored(row.get(column!(SELECT, "external_user_id"))?),
        display_name: optional(row, column!(SELECT, "display_name"), DisplayName::stored)?,
        email: optional(row, column!(SELECT, "email"), Email::stored)?,
        tier: Tier::stored(row.get(column!(SELECT, "tier"))?),
        attributes: optional(row, column!(SELECT, "attributes"), Attributes::stored)?,
        wallet: Wallet {
            received: points(row, column!(SELECT, "amount_received"))?,
            spent: points(row, column!(SELECT, "amount_spent"))?,
        },
        account: Account {
            last: optional(row, column!(SELECT, "last_entry_seq"), Seq)?,
            jump: optional(row, column!(SELECT, "last_jump_seq"), Seq)?,
            far: optional(row, column!(SELECT, "last_far_seq"), Seq)?,
            entries: entries.cast_unsigned(),
        },
        participated: row.get(column!(SELECT, "participated"))?,
        token_epoch: row.get(column!(SELECT, "token_epoch"))?,
        token_expires_at: optional_time(row, column!(SELECT, "token_expires_at"))?,
        archived_at: optional_time(row, column!(SELECT, "archived_at"))?,
        version: Seq(row.get(column!(SELECT, "version"))?),
        created_at: time(row, column!(SELECT, "created_at"))?,
    })
}
