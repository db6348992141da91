//! Redemptions.

use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension as _, Row, params_from_iter};

use super::activity::timestamp;
use super::{Error, Transaction, members, programs};
use crate::domain::{
    CancelReason, ExternalUserId, MemberNumber, Note, OfferId, OfferNumber, Points, ProgramNumber,
    Redemption, RedemptionId, RedemptionNumber, Status, Timestamp,
};

/// The columns that [`redemption`] reads.
const SELECT: &str = "SELECT r.id, r.uuid, r.member_id, m.external_user_id, r.offer_id, o.uuid,
        r.status, r.charged, r.took_stock, r.start_at, r.end_at, r.canceled_reason,
        r.canceled_note, r.created_at
    FROM redemption r JOIN member m ON m.id = r.member_id JOIN offer o ON o.id = r.offer_id";

/// A page of a program's redemptions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedemptionFilter {
    /// Only rows before this one.
    pub before: Option<RedemptionNumber>,
    /// Only this member's.
    pub member: Option<MemberNumber>,
    /// Only those that stand here.
    pub status: Option<Status>,
}

/// What a member has to do with an offer so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// Never redeemed it.
    Never,
    /// Redeemed it and canceled.
    Canceled,
    /// Holds a redemption of it.
    Now,
}

/// A redemption.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn find(
    connection: &Connection,
    program: ProgramNumber,
    id: RedemptionId,
) -> Result<Option<Redemption>, Error> {
    let sql = format!("{SELECT} WHERE r.uuid = ?1 AND r.program_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((id.as_uuid().as_bytes(), program.0))?;
    rows.next()?.map(redemption).transpose()
}

/// The redemption of a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn get(
    connection: &Connection,
    program: ProgramNumber,
    number: RedemptionNumber,
) -> Result<Option<Redemption>, Error> {
    let sql = format!("{SELECT} WHERE r.id = ?1 AND r.program_id = ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((number.0, program.0))?;
    rows.next()?.map(redemption).transpose()
}

/// The public id of a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn public_id(connection: &Connection, number: RedemptionNumber) -> Result<RedemptionId, Error> {
    let sql = "SELECT uuid FROM redemption WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([number.0])?;
    let row = rows.next()?.ok_or(Error::Impossible("redemption"))?;
    Ok(RedemptionId::from_uuid(programs::uuid(row, 0)?))
}

/// What a member has to do with an offer so far.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn held(
    connection: &Connection,
    member: MemberNumber,
    offer: OfferNumber,
) -> Result<Held, Error> {
    let active = "SELECT 1 FROM redemption
                  WHERE member_id = ?1 AND offer_id = ?2 AND status <> 'CANCELED'";
    let ever = "SELECT 1 FROM redemption WHERE member_id = ?1 AND offer_id = ?2 LIMIT 1";
    let found = |sql| -> Result<bool, Error> {
        let mut statement = connection.prepare_cached(sql)?;
        Ok(statement
            .query_row((member.0, offer.0), |_| Ok(()))
            .optional()?
            .is_some())
    };
    if found(active)? {
        Ok(Held::Now)
    } else if found(ever)? {
        Ok(Held::Canceled)
    } else {
        Ok(Held::Never)
    }
}

/// A page of redemptions, newest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn list(
    connection: &Connection,
    program: ProgramNumber,
    filter: &RedemptionFilter,
    limit: usize,
) -> Result<Vec<Redemption>, Error> {
    let mut sql = String::from(SELECT);
    let mut values = Vec::new();
    // A member belongs to one program, so that the narrower condition is enough.
    if let Some(member) = filter.member {
        sql.push_str(" WHERE r.member_id = ?");
        values.push(Value::Integer(member.0));
    } else {
        sql.push_str(" WHERE r.program_id = ?");
        values.push(Value::Integer(program.0));
    }
    if let Some(status) = filter.status {
        sql.push_str(" AND r.status = ?");
        values.push(Value::Text(status.as_str().to_owned()));
    }
    if let Some(before) = filter.before {
        sql.push_str(" AND r.id < ?");
        values.push(Value::Integer(before.0));
    }
    sql.push_str(" ORDER BY r.id DESC LIMIT ?");
    values.push(Value::Integer(i64::try_from(limit).unwrap_or(i64::MAX)));
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query(params_from_iter(values))?;
    let mut redemptions = Vec::new();
    while let Some(row) = rows.next()? {
        redemptions.push(redemption(row)?);
    }
    Ok(redemptions)
}

/// Adds a redemption; its `number` is given by the database.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    redemption: &mut Redemption,
) -> Result<(), Error> {
    let sql = "INSERT INTO redemption (uuid, program_id, member_id, offer_id, status, charged,
                   took_stock, created_at)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    tx.run(sql, |statement| {
        statement.execute((
            redemption.id.as_uuid().as_bytes(),
            program.0,
            redemption.member.0,
            redemption.offer.0,
            redemption.status.as_str(),
            redemption.charged.get(),
            redemption.took_stock,
            redemption.created_at.as_millis(),
        ))
    })?;
    redemption.number = RedemptionNumber(tx.last_insert_rowid());
    members::count_redemption(tx, redemption.member, None, redemption.status)
}

/// Writes everything that can change of a redemption.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(
    tx: &Transaction<'_>,
    before: &Redemption,
    redemption: &Redemption,
) -> Result<(), Error> {
    let sql = "UPDATE redemption SET status = ?2, start_at = ?3, end_at = ?4, canceled_reason = ?5,
                   canceled_note = ?6
               WHERE id = ?1";
    tx.run(sql, |statement| {
        statement.execute((
            redemption.number.0,
            redemption.status.as_str(),
            redemption.start_at.map(Timestamp::as_millis),
            redemption.end_at.map(Timestamp::as_millis),
            redemption.canceled_reason.map(CancelReason::as_str),
            redemption.canceled_note.as_ref().map(Note::as_str),
        ))
    })?;
    if redemption.status == before.status {
        return Ok(());
    }
    let from = Some(before.status);
    members::count_redemption(tx, redemption.member, from, redemption.status)
}

/// Reads the columns of [`SELECT`].
fn redemption(row: &Row<'_>) -> Result<Redemption, Error> {
    let time = |column| -> Result<Option<Timestamp>, Error> {
        row.get::<_, Option<i64>>(column)?
            .map(timestamp)
            .transpose()
    };
    let status: String = row.get(6)?;
    let reason: Option<String> = row.get(11)?;
    Ok(Redemption {
        number: RedemptionNumber(row.get(0)?),
        id: RedemptionId::from_uuid(programs::uuid(row, 1)?),
        member: MemberNumber(row.get(2)?),
        external_user_id: ExternalUserId::stored(row.get(3)?),
        offer: OfferNumber(row.get(4)?),
        offer_id: OfferId::from_uuid(programs::uuid(row, 5)?),
        status: Status::parse(&status).ok_or(Error::Impossible("status"))?,
        charged: Points::new(row.get(7)?).ok_or(Error::Impossible("number of points"))?,
        took_stock: row.get(8)?,
        start_at: time(9)?,
        end_at: time(10)?,
        canceled_reason: reason.and_then(|name| CancelReason::parse(&name)),
        canceled_note: row.get::<_, Option<String>>(12)?.map(Note::stored),
        created_at: timestamp(row.get(13)?)?,
    })
}
