//! Redemptions.

mod candidates;
mod filter;
mod list;

use rusqlite::{Connection, OptionalExtension as _, Row, Statement};

pub use self::filter::RedemptionFilter;
pub use self::list::{Found, Listed, find_listed, list, place};
use crate::domain::{
    CancelReason, Comment, ExternalUserId, Feedback, LimitPer, MemberNumber, Note, OfferId,
    OfferNumber, ProgramNumber, Rating, Redemption, RedemptionCode, RedemptionId, RedemptionLimit,
    RedemptionNumber, Status, Timestamp, Units,
};
use crate::store::tables::columns::{column, optional, optional_time, points, time, uuid, word};
use crate::store::tables::query;
use crate::store::{Error, Transaction};

/// The columns that [`redemption`] reads.
macro_rules! columns {
    () => {
        "r.id, r.uuid, r.member_id, m.external_user_id, r.offer_id, o.uuid, r.code, r.status, \
         r.charged, r.took_stock, r.start_at, r.end_at, r.canceled_reason, r.canceled_note, \
         r.rating, r.rating_comment, r.rated_at, r.created_at, r.quantity, r.returned"
    };
}
use columns;

const COLUMNS: &str = columns!();

/// The tables of [`COLUMNS`].
const FROM: &str = "FROM redemption r
    JOIN member m ON m.id = r.member_id JOIN offer o ON o.id = r.offer_id";

/// The most codes that are drawn for a redemption. Another one is needed if a redemption has the
/// code already, which is rare.
const DRAWS_MAX: usize = 100;

/// A member's history with an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Whether the member ever redeemed it.
    pub is_known: bool,
    /// Whether the limit allows no other redemption.
    pub is_at_limit: bool,
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
    let values = (id.as_uuid().as_bytes(), program.0);
    query::one(connection, &sql, values, redemption)
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
    query::one(connection, &sql, (number.0, program.0), redemption)
}

/// The public id of a row.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn public_id(connection: &Connection, number: RedemptionNumber) -> Result<RedemptionId, Error> {
    let sql = "SELECT uuid FROM redemption WHERE id = ?1";
    let found = query::one(connection, sql, [number.0], |row| uuid(row, 0))?;
    let found = found.ok_or(Error::Impossible("redemption"))?;
    Ok(RedemptionId::from_uuid(found))
}

/// A member's history with an offer that has a limit. The limit is one of redemptions, or if units
/// are given one of units.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn held(
    connection: &Connection,
    member: MemberNumber,
    offer: OfferNumber,
    (limit, units): (RedemptionLimit, Option<Units>),
) -> Result<Held, Error> {
    let ever = "SELECT 1 FROM redemption WHERE member_id = ?1 AND offer_id = ?2 LIMIT 1";
    let mut statement = connection.prepare_cached(ever)?;
    let found = statement.query_row((member.0, offer.0), |_| Ok(()));
    let is_known = found.optional()?.is_some();
    let is_at_limit = match (limit.per_member, units) {
        (Some(most), Some(units)) => {
            let mut statement = connection.prepare_cached(&adding(limit.per))?;
            let held: i64 = statement.query_row((member.0, offer.0), |row| row.get(0))?;
            held.saturating_add(units.get()) > most
        }
        (Some(most), None) if is_known => {
            let mut statement = connection.prepare_cached(&counting(limit.per))?;
            let counted: i64 = statement.query_row((member.0, offer.0, most), |row| row.get(0))?;
            counted >= most
        }
        _ => false,
    };
    Ok(Held {
        is_known,
        is_at_limit,
    })
}

/// The query that counts a member's redemptions of an offer, up to a number.
fn counting(per: LimitPer) -> String {
    let counts = counts(per);
    format!(
        "SELECT count(*) FROM (SELECT 1 FROM redemption
             WHERE member_id = ?1 AND offer_id = ?2 AND {counts} LIMIT ?3)"
    )
}

/// The query of the units that a member has of an offer.
fn adding(per: LimitPer) -> String {
    let counts = counts(per);
    format!(
        "SELECT coalesce(sum(quantity - returned), 0) FROM redemption
             WHERE member_id = ?1 AND offer_id = ?2 AND {counts}"
    )
}

/// Whether a redemption counts towards a limit, as SQL: by its status, and only if any units are
/// left.
pub(in crate::store) fn counts(per: LimitPer) -> String {
    let statuses = Status::ALL.into_iter().filter(|status| per.counts(*status));
    let statuses: Vec<String> = statuses
        .map(|status| format!("'{}'", status.as_str()))
        .collect();
    format!(
        "status IN ({}) AND returned < quantity",
        statuses.join(", ")
    )
}

/// Creates a redemption and sets its `number` and its `code`: the first one of `draw` that no other
/// redemption of the program has.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn insert(
    tx: &Transaction<'_>,
    program: ProgramNumber,
    redemption: &mut Redemption,
    mut draw: impl FnMut() -> RedemptionCode,
) -> Result<(), Error> {
    for _ in 0..DRAWS_MAX {
        redemption.code = Some(draw());
        if tx.run(INSERT, |statement| {
            insert_row(statement, program, redemption)
        })? {
            redemption.number = RedemptionNumber(tx.last_insert_rowid());
            return Ok(());
        }
    }
    Err(Error::Impossible("code of a redemption"))
}

const INSERT: &str = "INSERT INTO redemption (uuid, program_id, member_id, offer_id, code, status,
        charged, took_stock, created_at, quantity)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
    ON CONFLICT (program_id, code) WHERE code IS NOT NULL DO NOTHING";

/// Runs [`INSERT`]. Returns whether the code was free.
fn insert_row(
    statement: &mut Statement<'_>,
    program: ProgramNumber,
    redemption: &Redemption,
) -> rusqlite::Result<bool> {
    let inserted = statement.execute((
        redemption.id.as_uuid().as_bytes(),
        program.0,
        redemption.member.0,
        redemption.offer.0,
        redemption.code.as_ref().map(RedemptionCode::as_str),
        redemption.status.as_str(),
        redemption.charged.get(),
        redemption.took_stock,
        redemption.created_at.as_millis(),
        redemption.quantity.get(),
    ))?;
    Ok(inserted == 1)
}

/// Writes the columns of a redemption that can change.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn update(tx: &Transaction<'_>, redemption: &Redemption) -> Result<(), Error> {
    let sql = "UPDATE redemption SET status = ?2, start_at = ?3, end_at = ?4, canceled_reason = ?5,
                   canceled_note = ?6, rating = ?7, rating_comment = ?8, rated_at = ?9, returned = ?10
               WHERE id = ?1";
    let feedback = redemption.feedback.as_ref();
    let comment = feedback.and_then(|feedback| feedback.comment.as_ref());
    tx.run(sql, |statement| {
        statement.execute((
            redemption.number.0,
            redemption.status.as_str(),
            redemption.start_at.map(Timestamp::as_millis),
            redemption.end_at.map(Timestamp::as_millis),
            redemption.canceled_reason.map(CancelReason::as_str),
            redemption.canceled_note.as_ref().map(Note::as_str),
            feedback.map(|feedback| feedback.rating.get()),
            comment.map(Comment::as_str),
            feedback.map(|feedback| feedback.submitted_at.as_millis()),
            redemption.returned,
        ))
    })?;
    Ok(())
}

/// Reads [`COLUMNS`].
fn redemption(row: &Row<'_>) -> Result<Redemption, Error> {
    let reason: Option<String> = row.get(column!(COLUMNS, "canceled_reason"))?;
    Ok(Redemption {
        number: RedemptionNumber(row.get(column!(COLUMNS, "id"))?),
        id: RedemptionId::from_uuid(uuid(row, column!(COLUMNS, "r.uuid"))?),
        member: MemberNumber(row.get(column!(COLUMNS, "member_id"))?),
        external_user_id: ExternalUserId::stored(row.get(column!(COLUMNS, "external_user_id"))?),
        offer: OfferNumber(row.get(column!(COLUMNS, "offer_id"))?),
        offer_id: OfferId::from_uuid(uuid(row, column!(COLUMNS, "o.uuid"))?),
        code: code(row)?,
        status: word(row, column!(COLUMNS, "status"), Status::parse, "status")?,
        charged: points(row, column!(COLUMNS, "charged"))?,
        took_stock: row.get(column!(COLUMNS, "took_stock"))?,
        start_at: optional_time(row, column!(COLUMNS, "start_at"))?,
        end_at: optional_time(row, column!(COLUMNS, "end_at"))?,
        canceled_reason: reason.and_then(|name| CancelReason::parse(&name)),
        canceled_note: optional(row, column!(COLUMNS, "canceled_note"), Note::stored)?,
        feedback: feedback(row)?,
        created_at: time(row, column!(COLUMNS, "created_at"))?,
        quantity: Units::new(row.get(column!(COLUMNS, "quantity"))?)
            .ok_or(Error::Impossible("quantity"))?,
        returned: row.get(column!(COLUMNS, "returned"))?,
    })
}

/// Reads the code among [`COLUMNS`].
fn code(row: &Row<'_>) -> Result<Option<RedemptionCode>, Error> {
    let text = row.get_ref(column!(COLUMNS, "code"))?.as_str_or_null();
    let text = text.map_err(|_| Error::Impossible("code"))?;
    let read = |text| RedemptionCode::parse(text).ok_or(Error::Impossible("code"));
    text.map(read).transpose()
}

/// Reads the feedback among [`COLUMNS`].
fn feedback(row: &Row<'_>) -> Result<Option<Feedback>, Error> {
    let Some(number) = row.get(column!(COLUMNS, "rating"))? else {
        return Ok(None);
    };
    Ok(Some(Feedback {
        rating: Rating::new(number).ok_or(Error::Impossible("rating"))?,
        comment: optional(row, column!(COLUMNS, "rating_comment"), Comment::stored)?,
        submitted_at: time(row, column!(COLUMNS, "rated_at"))?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::SCHEMA;

    #[test]
    fn a_code_that_a_redemption_of_the_program_has_is_not_given_again() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        schema.pragma_update(None, "foreign_keys", false).unwrap();
        let insert = |program, id, number| {
            let code = RedemptionCode::of_random(number);
            let mut statement = schema.prepare(INSERT).unwrap();
            let redemption = submitted(id, code);
            insert_row(&mut statement, ProgramNumber(program), &redemption)
        };
        assert_eq!(insert(1, 1, 7), Ok(true));
        assert_eq!(insert(1, 2, 7), Ok(false));
        assert_eq!(insert(2, 2, 7), Ok(true), "in another program");
        assert_eq!(insert(1, 3, 8), Ok(true));
        // Another conflict is an error.
        assert!(insert(1, 3, 9).is_err());
    }

    fn submitted(id: u128, code: RedemptionCode) -> Redemption {
        let uuid = uuid::Uuid::from_u128(id);
        let ada = ExternalUserId::stored("ada".to_owned());
        let offer = (OfferNumber(1), OfferId::from_uuid(uuid));
        let (id, at) = (RedemptionId::from_uuid(uuid), Timestamp::EPOCH);
        Redemption {
            code: Some(code),
            ..Redemption::submitted(id, (MemberNumber(1), ada), offer, at)
        }
    }

    #[test]
    fn redemptions_are_counted_from_an_index_alone() {
        let schema = Connection::open_in_memory().unwrap();
        schema.execute_batch(SCHEMA).unwrap();
        let queries = LimitPer::ALL.map(|per| [(counting(per), 3), (adding(per), 2)]);
        for (query, parameters) in queries.into_iter().flatten() {
            let mut statement = schema
                .prepare(&format!("EXPLAIN QUERY PLAN {query}"))
                .unwrap();
            let values = rusqlite::params_from_iter(std::iter::repeat_n(1, parameters));
            let rows = statement.query_map(values, |row| row.get(3)).unwrap();
            let plan: Vec<String> = rows.map(Result::unwrap).collect();
            let index = "USING COVERING INDEX redemption_by_member_offer \
                         (member_id=? AND offer_id=? AND status=?)";
            assert!(plan.iter().any(|step| step.contains(index)), "{plan:?}");
        }
    }
}
