//! Members and their wallets.

use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Row, params_from_iter};

use super::programs;
use crate::domain::{
    Account, Attributes, Currency, DisplayName, Email, ExternalUserId, Member, MemberNumber,
    Points, ProgramNumber, Search, Seq, Status, StatusCounts, Tier, Timestamp, Wallet,
};
use crate::store::log::timestamp;
use crate::store::{AccessChange, Counted, Error, Transaction};

/// A query whose columns [`member`] reads.
macro_rules! select {
    ($($rest:tt)*) => {
        concat!(
            "SELECT m.id, m.program_id, m.external_user_id, m.display_name, m.email, m.tier, ",
            "m.attributes, m.amount_received, m.amount_spent, m.last_entry_seq, m.last_jump_seq, ",
            "m.last_far_seq, m.entries, m.participated, m.token_epoch, m.token_expires_at, m.archived_at, ",
            "m.version, m.created_at",
            $($rest)*
        )
    };
}

/// How many columns [`member`] reads.
const COLUMNS: usize = 19;

/// The columns that [`counts`] reads after those of [`member`].
macro_rules! counts {
    () => {
        ", m.redemptions_submitted, m.redemptions_open, m.redemptions_awaiting_vendor, \
         m.redemptions_awaiting_customer, m.redemptions_purchased, m.redemptions_completed, \
         m.redemptions_canceled"
    };
}

const BY_EXTERNAL_ID: &str =
    select!(" FROM member m WHERE m.program_id = ?1 AND m.external_user_id = ?2");
const BY_NUMBER: &str = select!(" FROM member m WHERE m.program_id = ?1 AND m.id = ?2");
/// What [`counted`] reads, of one member.
pub(in crate::store) const COUNTED_BY_NUMBER: &str = select!(
    counts!(),
    " FROM member m WHERE m.program_id = ?1 AND m.id = ?2"
);

/// Who is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The member with this id of the operator's.
    External(ExternalUserId),
    /// The member of this row.
    Number(MemberNumber),
}

/// A page of a program's members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberFilter {
    /// Only rows before this one.
    pub before: Option<MemberNumber>,
    /// Only this tier.
    pub tier: Option<Tier>,
    /// Only those whose externalUserID and display name have these terms.
    pub search: Option<Search>,
    /// Removed ones too.
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
            let mut statement = connection.prepare_cached(BY_EXTERNAL_ID)?;
            let mut rows = statement.query((program.0, id.as_str()))?;
            rows.next()?.map(member).transpose()
        }
        Selector::Number(number) => {
            let mut statement = connection.prepare_cached(BY_NUMBER)?;
            let mut rows = statement.query((program.0, number.0))?;
            rows.next()?.map(member).transpose()
        }
    }
}

/// The member with an id of the operator's, removed or not, for a write.
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

/// A member, removed or not, and what the points are called, in one read.
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
                ", p.currency_name, p.currency_symbol
                FROM member m JOIN program p ON p.id = m.program_id
                WHERE m.program_id = ?1 AND m.external_user_id = ?2"
            ),
            ValueRef::from(id.as_str()),
        ),
        Selector::Number(number) => (
            select!(
                ", p.currency_name, p.currency_symbol
                FROM member m JOIN program p ON p.id = m.program_id
                WHERE m.program_id = ?1 AND m.id = ?2"
            ),
            ValueRef::Integer(number.0),
        ),
    };
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((program.0, ToSqlOutput::Borrowed(key)))?;
    rows.next()?
        .map(|row| Ok((member(row)?, programs::currency(row, COLUMNS)?)))
        .transpose()
}

/// A member with an id of the operator's, removed or not, what the points are called, and how many
/// redemptions stand where, in one read.
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
        ", p.currency_name, p.currency_symbol
        FROM member m JOIN program p ON p.id = m.program_id
        WHERE m.program_id = ?1 AND m.external_user_id = ?2"
    );
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((program.0, id.as_str()))?;
    rows.next()?
        .map(|row| {
            Ok((
                member(row)?,
                programs::currency(row, COLUMNS + Status::ALL.len())?,
                counts(row)?,
            ))
        })
        .transpose()
}

/// A page of members, newest first, and how many redemptions of each stand where. What is searched
/// for is not looked at: [`super::search::list`] does.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &MemberFilter,
    limit: usize,
) -> Result<Vec<(Member, StatusCounts)>, Error> {
    let (mut sql, mut values) = listing(program, filter);
    sql.push_str(" LIMIT ?");
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut members = Vec::new();
    while let Some(row) = rows.next()? {
        members.push(counted(row)?);
    }
    Ok(members)
}

/// The query of all members of a program that a filter leaves, newest first, and its values; what
/// [`counted`] reads. What is searched for is left to the caller.
pub(in crate::store) fn listing(
    program: ProgramNumber,
    filter: &MemberFilter,
) -> (String, Vec<Value>) {
    let mut sql = String::from(select!(counts!(), " FROM member m WHERE m.program_id = ?"));
    let mut values = vec![Value::Integer(program.0)];
    if let Some(before) = filter.before {
        sql.push_str(" AND m.id < ?");
        values.push(Value::Integer(before.0));
    }
    if let Some(tier) = &filter.tier {
        sql.push_str(" AND m.tier = ?");
        values.push(Value::Text(tier.as_str().to_owned()));
    }
    if !filter.include_archived {
        sql.push_str(" AND m.archived_at IS NULL");
    }
    sql.push_str(" ORDER BY m.id DESC");
    (sql, values)
}

/// A member and how many redemptions stand where.
pub(in crate::store) fn counted(row: &Row<'_>) -> Result<(Member, StatusCounts), Error> {
    Ok((member(row)?, counts(row)?))
}

/// The members that were ever removed, each with the epoch of the tokens that are good now.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn raised_epochs(connection: &Connection) -> Result<Vec<(MemberNumber, i64)>, Error> {
    let sql = "SELECT id, token_epoch FROM member WHERE token_epoch > 0";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| Ok((MemberNumber(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The epoch of the tokens of a member that are good now.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn epoch(connection: &Connection, member: MemberNumber) -> Result<i64, Error> {
    let sql = "SELECT token_epoch FROM member WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([member.0])?;
    Ok(rows.next()?.map_or(Ok(0), |row| row.get(0))?)
}

/// Ends every token of a member, once [`update`] has written it.
pub fn end_tokens(tx: &mut Transaction<'_>, member: &mut Member) {
    member.token_epoch += 1;
    member.token_expires_at = None;
    tx.access_changed(AccessChange::Member(member.number));
}

/// Adds a new member, who gets the number of the row.
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

/// Writes what can change of a member other than the wallet.
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

/// Writes when the newest token of a member ends.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update_token_end(tx: &Transaction<'_>, member: &Member) -> Result<(), Error> {
    let sql = "UPDATE member SET token_expires_at = ?2 WHERE id = ?1";
    let end = member.token_expires_at.map(Timestamp::as_millis);
    tx.run(sql, |statement| statement.execute((member.number.0, end)))?;
    Ok(())
}

/// Writes the settings version, once the activity is recorded that changed it.
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

/// Counts a redemption that came to a status, or came into being there.
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
    for (column, status) in (COLUMNS..).zip(Status::ALL) {
        let count: i64 = row.get(column)?;
        let count = u64::try_from(count).map_err(|_| Error::Impossible("number of redemptions"))?;
        counts.add(status, count);
    }
    Ok(counts)
}

/// Reads the columns of `select`.
fn member(row: &Row<'_>) -> Result<Member, Error> {
    let points = |column| -> Result<Points, Error> {
        Points::new(row.get(column)?).ok_or(Error::Impossible("number of points"))
    };
    let time = |column| -> Result<Option<Timestamp>, Error> {
        row.get::<_, Option<i64>>(column)?
            .map(timestamp)
            .transpose()
    };
    Ok(Member {
        number: MemberNumber(row.get(0)?),
        program: ProgramNumber(row.get(1)?),
        external_user_id: ExternalUserId::stored(row.get(2)?),
        display_name: row.get::<_, Option<String>>(3)?.map(DisplayName::stored),
        email: row.get::<_, Option<String>>(4)?.map(Email::stored),
        tier: Tier::stored(row.get(5)?),
        attributes: row.get::<_, Option<String>>(6)?.map(Attributes::stored),
        wallet: Wallet {
            received: points(7)?,
            spent: points(8)?,
        },
        account: Account {
            last: row.get::<_, Option<i64>>(9)?.map(Seq),
            jump: row.get::<_, Option<i64>>(10)?.map(Seq),
            far: row.get::<_, Option<i64>>(11)?.map(Seq),
            entries: row.get::<_, i64>(12)?.cast_unsigned(),
        },
        participated: row.get(13)?,
        token_epoch: row.get(14)?,
        token_expires_at: time(15)?,
        archived_at: time(16)?,
        version: Seq(row.get(17)?),
        created_at: timestamp(row.get(18)?)?,
    })
}
