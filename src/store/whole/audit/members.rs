//! The distinct members of every day, computed again by plain SQL.

use rusqlite::Connection;

use crate::store::Error;

/// The distinct members of a kind of visits on one UTC day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MemberDayRow {
    /// The name of the kind.
    pub kind: &'static str,
    /// The row of the program.
    pub program: i64,
    /// The day, counted in days since 1970.
    pub day: i64,
    /// The members.
    pub members: i64,
    /// Those of them without a visit on an earlier day.
    pub first: i64,
    /// Those of them with a visit on an earlier day, but none on the day before.
    pub reactivated: i64,
}

/// The kinds of visits, and the condition of the activities that are visits of each.
const KINDS: [(&str, &str); 6] = [
    ("active", ACTIVE),
    ("minted", "entry = 1 AND asset IS NULL"),
    ("redeemed", REDEEMED),
    ("exchanges", "kind = 20"),
    ("earned", EARNED),
    ("stored events", STORED_EVENTS),
];

/// The condition of what members are active with: credits, redemptions, exchanges and events.
pub(super) const ACTIVE: &str =
    "(kind IN (6, 20) OR (kind = 22 AND member_id IS NOT NULL) OR (entry = 1 AND asset IS NULL)
    OR (entry = 2 AND redemption_id IS NULL AND asset IS NULL))";
/// The condition of redemptions that are created: of an offer, or of an amount.
pub(super) const REDEEMED: &str =
    "(kind = 6 OR (entry = 2 AND redemption_id IS NULL AND asset IS NULL))";
/// The condition of points that can be spent from then on: credited, or deferred and due.
pub(super) const EARNED: &str = "(asset IS NULL
    AND ((entry = 1 AND coalesce(deferred, 0) = 0) OR (entry = 7 AND deferred < 0)))";

/// The condition of stored events of a member.
pub(super) const STORED_EVENTS: &str = "(kind = 22 AND member_id IS NOT NULL)";

/// The distinct members of every day and kind of visits.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn member_days(connection: &Connection) -> Result<Vec<MemberDayRow>, Error> {
    let mut days = Vec::new();
    for (kind, condition) in KINDS {
        // Rounds down before 1970 as well.
        let sql = format!(
            "WITH visit AS (
                SELECT DISTINCT program_id AS p, member_id AS m,
                    (at - ((at % 86400000) + 86400000) % 86400000) / 86400000 AS day
                FROM activity WHERE {condition} AND program_id IS NOT NULL),
            coming AS (
                SELECT p, day, lag(day) OVER (PARTITION BY p, m ORDER BY day) AS before
                FROM visit)
            SELECT p, day, count(*), count(*) FILTER (WHERE before IS NULL),
                count(*) FILTER (WHERE before < day - 1)
            FROM coming GROUP BY p, day ORDER BY p, day"
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            days.push(MemberDayRow {
                kind,
                program: row.get(0)?,
                day: row.get(1)?,
                members: row.get(2)?,
                first: row.get(3)?,
                reactivated: row.get(4)?,
            });
        }
    }
    Ok(days)
}
