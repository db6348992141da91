//! The figures, computed again by plain SQL.

use rusqlite::Connection;

use super::members::{ACTIVE, EARNED, REDEEMED, STORED_EVENTS};
use crate::store::{Error, log};

/// A number of a program, computed by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramNumberRow {
    /// The row of the program.
    pub program: i64,
    /// The name of the number.
    pub name: &'static str,
    /// The value; `None` if there are no rows to compute it from.
    pub value: Option<i64>,
}

/// The names of the program-wide numbers and the SQL of each. `?1` is the program; `{counted}` is
/// the condition of the activities that reports count as events, and `{balance}` the change of the
/// balance by a ledger entry.
const PROGRAM_NUMBERS: &[(&str, &str)] = &[
    (
        "members",
        "SELECT count(*) FROM member WHERE program_id = ?1",
    ),
    (
        "active members",
        "SELECT count(*) FROM member WHERE program_id = ?1 AND archived_at IS NULL",
    ),
    (
        "tiers held",
        "SELECT count(DISTINCT tier) FROM member WHERE program_id = ?1 AND archived_at IS NULL",
    ),
    (
        "points minted",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 1 AND asset IS NULL",
    ),
    (
        "points spent",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 2 AND asset IS NULL",
    ),
    (
        "points refunded",
        "SELECT coalesce(sum(amount), 0) FROM activity
            WHERE program_id = ?1 AND entry IN (3, 12) AND asset IS NULL",
    ),
    (
        "points forfeited",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 4 AND asset IS NULL",
    ),
    (
        "points debited",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 5 AND asset IS NULL",
    ),
    (
        "points expired",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 6 AND asset IS NULL",
    ),
    (
        "points voided",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 10 AND asset IS NULL",
    ),
    (
        "points held",
        "SELECT coalesce(sum(held), 0) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL AND asset IS NULL",
    ),
    (
        "points pending",
        "SELECT coalesce(sum(deferred), 0) FROM activity
            WHERE program_id = ?1 AND entry IS NOT NULL AND asset IS NULL",
    ),
    (
        "sum of balances",
        "SELECT coalesce(sum({balance}), 0) FROM activity
            WHERE program_id = ?1 AND entry IS NOT NULL AND asset IS NULL",
    ),
    (
        "redemptions SUBMITTED",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'SUBMITTED'",
    ),
    (
        "redemptions OPEN",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'OPEN'",
    ),
    (
        "redemptions AWAITING_VENDOR",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'AWAITING_VENDOR'",
    ),
    (
        "redemptions AWAITING_CUSTOMER",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'AWAITING_CUSTOMER'",
    ),
    (
        "redemptions PURCHASED",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'PURCHASED'",
    ),
    (
        "redemptions COMPLETED",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'COMPLETED'",
    ),
    (
        "redemptions CANCELED",
        "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = 'CANCELED'",
    ),
    (
        "participants",
        "SELECT count(DISTINCT member_id) FROM activity WHERE program_id = ?1 AND entry IN (1, 2) AND asset IS NULL",
    ),
    (
        "ledger entries",
        "SELECT count(*) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL AND asset IS NULL",
    ),
    (
        "newest ledger entry",
        "SELECT max(at) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL AND asset IS NULL",
    ),
    (
        "events",
        "SELECT count(*) FROM activity WHERE program_id = ?1 AND {counted}",
    ),
    (
        "exchanges",
        "SELECT count(*) FROM activity WHERE program_id = ?1 AND kind = 20",
    ),
    (
        "identifications",
        "SELECT count(*) FROM activity WHERE program_id = ?1 AND kind = 20 AND flag = 1",
    ),
    (
        "credits",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND kind = 20",
    ),
    (
        "current offers",
        "SELECT count(*) FROM offer WHERE program_id = ?1 AND archived_at IS NULL",
    ),
];

/// Every program-wide number of every program.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn program_numbers(connection: &Connection) -> Result<Vec<ProgramNumberRow>, Error> {
    let mut programs = connection.prepare("SELECT id FROM program ORDER BY id")?;
    let programs: Vec<i64> = programs
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let change = log::sums::balance();
    let mut numbers = Vec::new();
    for program in programs {
        for (name, sql) in PROGRAM_NUMBERS {
            let value = connection
                .prepare_cached(
                    &sql.replace("{counted}", &log::COUNTED)
                        .replace("{balance}", &change),
                )?
                .query_row([program], |row| row.get(0))?;
            numbers.push(ProgramNumberRow {
                program,
                name,
                value,
            });
        }
    }
    Ok(numbers)
}

/// The numbers of an offer, computed by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferNumbersRow {
    /// The row of the program.
    pub program: i64,
    /// The sixteen bytes of the offer's id.
    pub uuid: [u8; 16],
    /// Distinct members, redemptions completed, redemptions canceled, redemptions rated, the sum
    /// of their ratings, and points spent.
    pub numbers: [i64; 6],
}

/// The numbers of every offer, oldest first.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn offer_numbers(connection: &Connection) -> Result<Vec<OfferNumbersRow>, Error> {
    let sql = "WITH booked AS (
            SELECT offer_id, count(DISTINCT member_id) AS signups,
                count(*) FILTER (WHERE status = 'COMPLETED') AS completions,
                count(*) FILTER (WHERE status = 'CANCELED') AS cancellations,
                count(rating) AS ratings, sum(rating) AS rating_sum
            FROM redemption GROUP BY offer_id),
        spent AS (SELECT offer_id, sum(amount) AS points FROM activity WHERE entry = 2 AND asset IS NULL
            GROUP BY offer_id)
        SELECT o.program_id, o.uuid, coalesce(b.signups, 0), coalesce(b.completions, 0),
            coalesce(b.cancellations, 0), coalesce(b.ratings, 0), coalesce(b.rating_sum, 0),
            coalesce(s.points, 0)
        FROM offer o LEFT JOIN booked b ON b.offer_id = o.id LEFT JOIN spent s ON s.offer_id = o.id
        ORDER BY o.program_id, o.id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        let mut numbers = [0; 6];
        for (column, number) in (2..).zip(&mut numbers) {
            *number = row.get(column)?;
        }
        Ok(OfferNumbersRow {
            program: row.get(0)?,
            uuid: row.get(1)?,
            numbers,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The entries of a timeline in one UTC day, computed by SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRow {
    /// The name of the timeline.
    pub timeline: &'static str,
    /// The row of the program.
    pub program: i64,
    /// The row of the offer, or 0 for a timeline of the program itself.
    pub offer: i64,
    /// The day, counted in days since 1970.
    pub day: i64,
    /// The number of entries.
    pub count: i64,
    /// The sum of their amounts.
    pub amount: i64,
}

/// The names of the timelines, and the SQL that selects the program, the offer, the time and the
/// amount of every entry of each; `{counted}` as above, and the conditions of visits of members.
const TIMELINES: &[(&str, &str)] = &[
    (
        "signups",
        "SELECT program_id AS p, 0 AS o, created_at AS at, 1 AS amount FROM member",
    ),
    (
        "minted",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 1 AND asset IS NULL",
    ),
    (
        "spent",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 2 AND asset IS NULL",
    ),
    (
        "events",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity WHERE {counted}",
    ),
    (
        "exchanges",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity WHERE kind = 20",
    ),
    (
        "identifications",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity
         WHERE kind = 20 AND flag = 1",
    ),
    (
        "credits",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity
         WHERE kind = 20 AND amount = 1",
    ),
    (
        "refunded",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry IN (3, 12) AND asset IS NULL",
    ),
    (
        "forfeited",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 4 AND asset IS NULL",
    ),
    (
        "debited",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 5 AND asset IS NULL",
    ),
    (
        "expired",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 6 AND asset IS NULL",
    ),
    (
        "voided",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 10 AND asset IS NULL",
    ),
    (
        "redeemed",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity WHERE {redeemed}",
    ),
    (
        "active",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity WHERE {active}",
    ),
    (
        // Not recorded apart from mints before the program has deferred points.
        "earned",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity
         WHERE {earned} AND program_id IN (SELECT program_id FROM activity
             WHERE entry = 1 AND deferred > 0 AND asset IS NULL)",
    ),
    (
        "stored events",
        "SELECT program_id AS p, 0 AS o, at, 1 AS amount FROM activity WHERE {stored}",
    ),
    (
        "offer signups",
        "SELECT program_id AS p, offer_id AS o, min(created_at) AS at, 1 AS amount
         FROM redemption GROUP BY program_id, offer_id, member_id",
    ),
    (
        "offer spent",
        "SELECT program_id AS p, offer_id AS o, at, amount FROM activity WHERE entry = 2 AND asset IS NULL",
    ),
];

/// Every day of every timeline, the days of one timeline in order.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn timeline_days(connection: &Connection) -> Result<Vec<DayRow>, Error> {
    let mut days = Vec::new();
    for (timeline, entries) in TIMELINES {
        let entries = entries
            .replace("{counted}", &log::COUNTED)
            .replace("{redeemed}", REDEEMED)
            .replace("{active}", ACTIVE)
            .replace("{earned}", EARNED)
            .replace("{stored}", STORED_EVENTS);
        // Rounds down before 1970 as well. The check of the log finds rows without a program or an
        // offer.
        let sql = format!(
            "SELECT p, o, (at - ((at % 86400000) + 86400000) % 86400000) / 86400000 AS day,
                 count(*), sum(amount)
             FROM ({entries}) WHERE p IS NOT NULL AND o IS NOT NULL
             GROUP BY p, o, day ORDER BY p, o, day"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            days.push(DayRow {
                timeline,
                program: row.get(0)?,
                offer: row.get(1)?,
                day: row.get(2)?,
                count: row.get(3)?,
                amount: row.get(4)?,
            });
        }
    }
    Ok(days)
}
