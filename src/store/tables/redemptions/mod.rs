//! Redemptions.

mod candidates;
mod filter;
mod list;

use rusqlite::{Connection, OptionalExtension as _, Row};

pub use self::filter::RedemptionFilter;
pub use self::list::{Found, Listed, find_listed, list, place};
use super::{members, programs};
use crate::domain::{
    CancelReason, ExternalUserId, MemberNumber, Note, OfferId, OfferNumber, Points, ProgramNumber,
    Redemption, RedemptionId, RedemptionNumber, Status, Timestamp,
};
use crate::store::log::timestamp;
use crate::store::{Error, Transaction};

/// The columns that [`redemption`] reads.
const COLUMNS: &str = "r.id, r.uuid, r.member_id, m.external_user_id, r.offer_id, o.uuid,
    r.status, r.charged, r.took_stock, r.start_at, r.end_at, r.canceled_reason,
    r.canceled_note, r.created_at";

/// The tables that they are of.
const FROM: &str = "FROM redemption r
    JOIN member m ON m.id = r.member_id JOIN offer o ON o.id = r.offer_id";

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
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE r.uuid = ?1 AND r.program_id = ?2");
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
    let sql = format!("SELECT {COLUMNS} {FROM} WHERE r.id = ?1 AND r.program_id = ?2");
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

/// Reads [`COLUMNS`].
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
