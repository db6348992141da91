//! Checks of ledger entries, redemptions and credits against the log.

use rusqlite::Connection;

use super::findings::lines;
use crate::domain::{LimitPer, Status};
use crate::store::Error;
use crate::store::log::sums::{RECEIVED, SPENT};
use crate::store::tables::redemptions::counts;

/// Finds chains of ledger entries with a gap.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn chains(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT format('ledger entry %d follows %s; it should follow %s', seq,
            coalesce(previous_seq, 'none'), coalesce(expected, 'none'))
        FROM (SELECT seq, previous_seq,
                lag(seq) OVER (PARTITION BY member_id, asset ORDER BY seq) AS expected
            FROM activity WHERE entry IS NOT NULL)
        WHERE previous_seq IS NOT expected LIMIT 100";
    lines(connection, sql)
}

/// The account of a member, computed by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// The member.
    pub member: i64,
    /// The program.
    pub program: i64,
    /// The points received, spent, held and pending.
    pub totals: [i64; 4],
    /// The number of ledger entries, and the newest one.
    pub entries: (i64, Option<i64>),
    /// Whether there was a mint or a spend.
    pub has_participated: bool,
    /// The redemptions by status, in the order of [`Status::ALL`].
    pub redemptions: [i64; Status::ALL.len()],
}

/// Passes the account of every member to `take`, in the order of their numbers.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn accounts(connection: &Connection, mut take: impl FnMut(AccountRow)) -> Result<(), Error> {
    let counts =
        Status::ALL.map(|status| format!("count(*) FILTER (WHERE status = '{}')", status.as_str()));
    let sql = format!(
        "WITH ledger AS (
            SELECT member_id,
                coalesce(sum({RECEIVED}), 0) AS received, coalesce(sum({SPENT}), 0) AS spent,
                coalesce(sum(held), 0) AS held, coalesce(sum(deferred), 0) AS pending,
                count(*) AS entries, max(seq) AS last, max(entry IN (1, 2)) AS participated
            FROM activity WHERE entry IS NOT NULL AND asset IS NULL GROUP BY member_id),
        booked (member_id, n0, n1, n2, n3, n4, n5, n6) AS (
            SELECT member_id, {} FROM redemption GROUP BY member_id)
        SELECT m.id, m.program_id, coalesce(l.received, 0), coalesce(l.spent, 0),
            coalesce(l.held, 0), coalesce(l.pending, 0), coalesce(l.entries, 0), l.last, coalesce(l.participated, 0), coalesce(n0, 0),
            coalesce(n1, 0), coalesce(n2, 0), coalesce(n3, 0), coalesce(n4, 0), coalesce(n5, 0),
            coalesce(n6, 0)
        FROM member m LEFT JOIN ledger l ON l.member_id = m.id
            LEFT JOIN booked b ON b.member_id = m.id
        ORDER BY m.id",
        counts.join(", ")
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut redemptions = [0; Status::ALL.len()];
        for (column, count) in (9..).zip(&mut redemptions) {
            *count = row.get(column)?;
        }
        take(AccountRow {
            member: row.get(0)?,
            program: row.get(1)?,
            totals: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
            entries: (row.get(6)?, row.get(7)?),
            has_participated: row.get(8)?,
            redemptions,
        });
    }
    Ok(())
}

/// An account in a further asset, computed by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FurtherRow {
    /// The member.
    pub member: i64,
    /// The asset.
    pub asset: i64,
    /// The points received, spent, held and pending.
    pub totals: [i64; 4],
    /// The number of ledger entries, and the newest one.
    pub entries: (i64, Option<i64>),
}

/// Takes every account in a further asset, in the order of members and assets.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn further_accounts(
    connection: &Connection,
    mut take: impl FnMut(FurtherRow),
) -> Result<(), Error> {
    let sql = format!(
        "SELECT member_id, asset, sum({RECEIVED}), sum({SPENT}), coalesce(sum(held), 0),
            coalesce(sum(deferred), 0), count(*), max(seq)
        FROM activity WHERE entry IS NOT NULL AND asset IS NOT NULL AND member_id IS NOT NULL
        GROUP BY member_id, asset ORDER BY member_id, asset"
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(FurtherRow {
            member: row.get(0)?,
            asset: row.get(1)?,
            totals: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
            entries: (row.get(6)?, row.get(7)?),
        });
    }
    Ok(())
}

/// What the wallet of a program would have of an asset that is issued from it, computed by SQL:
/// what was funded without what was burned and issued, and with what was returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FundsRow {
    /// The program.
    pub program: i64,
    /// The asset; `None`: the program's points.
    pub asset: Option<i64>,
    /// The sum.
    pub left: i64,
}

/// [`FundsRow`] of every `PREFUNDED` asset.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn funds(connection: &Connection) -> Result<Vec<FundsRow>, Error> {
    let sql = "WITH sums AS (
            SELECT program_id, asset, sum(CASE WHEN kind = 18 OR entry IN (5, 10) THEN amount
                WHEN kind = 19 OR entry = 1 THEN -amount ELSE 0 END) AS points
            FROM activity
            WHERE program_id IN (SELECT program_id FROM asset WHERE issuance_policy = 'PREFUNDED')
                AND (entry IS NOT NULL OR kind IN (18, 19))
            GROUP BY program_id, asset),
        funded AS (SELECT program_id, iif(symbol IS NULL, NULL, id) AS asset
            FROM asset WHERE issuance_policy = 'PREFUNDED')
        SELECT f.program_id, f.asset, coalesce(s.points, 0)
        FROM funded f LEFT JOIN sums s ON s.program_id = f.program_id AND s.asset IS f.asset";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(FundsRow {
            program: row.get(0)?,
            asset: row.get(1)?,
            left: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Finds redemptions whose status, charge or refund differs from their history, and members with
/// more redemptions of an offer than its limit allowed.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn redemptions(connection: &Connection) -> Result<Vec<String>, Error> {
    let statuses = "WITH history AS (
            SELECT redemption_id, coalesce(to_state, 'SUBMITTED') AS status, max(seq)
            FROM activity WHERE kind BETWEEN 6 AND 12 GROUP BY redemption_id)
        SELECT format('redemption row %d has the status %s; its history says %s', r.id, r.status,
            coalesce(h.status, 'nothing'))
        FROM redemption r LEFT JOIN history h ON h.redemption_id = r.id
        WHERE h.status IS NOT r.status LIMIT 100";
    let charges = "WITH ledger AS (
            SELECT redemption_id, sum(amount) FILTER (WHERE entry = 2) AS spent,
                sum(amount) FILTER (WHERE entry = 3) AS refunded
            FROM activity WHERE entry IN (2, 3) AND asset IS NULL GROUP BY redemption_id)
        SELECT format('redemption row %d was charged %d; the ledger says %d spent, %d refunded',
            r.id, r.charged, coalesce(l.spent, 0), coalesce(l.refunded, 0))
        FROM redemption r LEFT JOIN ledger l ON l.redemption_id = r.id
        WHERE r.charged <> coalesce(l.spent, 0)
            OR coalesce(l.refunded, 0) <> iif(r.status = 'CANCELED', r.charged,
                r.charged / r.quantity * r.returned)
        LIMIT 100";
    let mut findings = lines(connection, statuses)?;
    for per in LimitPer::ALL {
        // Redemptions that count now have counted since they were created. The limit is that of the
        // last change of the offer, so it was in force only for later redemptions.
        let many = format!(
            "WITH held AS (
                SELECT member_id, offer_id, limit_per_member, o.version, count(*) AS redemptions,
                    max(r.id) AS newest
                FROM redemption r JOIN offer o ON o.id = r.offer_id
                WHERE limit_per = '{}' AND {} GROUP BY member_id, offer_id
                HAVING count(*) > limit_per_member)
            SELECT format('member row %d has %d redemptions of offer row %d, whose limit is %d',
                member_id, redemptions, offer_id, limit_per_member)
            FROM held
            WHERE (SELECT min(seq) FROM activity WHERE redemption_id = newest) > version LIMIT 100",
            per.as_str(),
            counts(per)
        );
        findings.extend(lines(connection, &many)?);
    }
    let reversals = "SELECT format('ledger entry %d reverses %s, which is no spend of an amount by its account',
            r.seq, coalesce(r.cause_seq, 'nothing'))
        FROM activity r LEFT JOIN activity s ON s.seq = r.cause_seq AND s.seq < r.seq
        WHERE r.entry = 12 AND (s.entry IS NOT 2 OR s.redemption_id IS NOT NULL
            OR s.member_id IS NOT r.member_id OR s.asset IS NOT r.asset)
        LIMIT 100";
    findings.extend(lines(connection, charges)?);
    findings.extend(lines(connection, reversals)?);
    Ok(findings)
}

/// Finds months whose counts of credits differ from the log.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn credits(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "WITH log AS (
            SELECT p.organization_id, o.environment,
                (strftime('%Y', a.at / 1000, 'unixepoch') - 1970) * 12
                    + strftime('%m', a.at / 1000, 'unixepoch') - 1 AS month,
                sum(a.amount) AS credits
            FROM activity a JOIN program p ON p.id = a.program_id
                JOIN organization o ON o.id = p.organization_id
            WHERE a.kind = 20 GROUP BY 1, 2, 3 HAVING credits > 0),
        pool AS (SELECT environment, month, sum(credits) AS credits FROM log GROUP BY 1, 2)
        SELECT format('organization row %d, month %d: the log says %d credits, organization_usage %d',
            coalesce(l.organization_id, u.organization_id), coalesce(l.month, u.month),
            coalesce(l.credits, 0), coalesce(u.credits, 0))
        FROM log l FULL JOIN organization_usage u USING (organization_id, month)
        WHERE coalesce(l.credits, 0) <> coalesce(u.credits, 0)
        UNION ALL
        SELECT format('%s pool, month %d: the log says %d credits, pool_usage %d',
            coalesce(l.environment, u.environment), coalesce(l.month, u.month),
            coalesce(l.credits, 0), coalesce(u.credits, 0))
        FROM pool l FULL JOIN pool_usage u USING (environment, month)
        WHERE coalesce(l.credits, 0) <> coalesce(u.credits, 0)";
    lines(connection, sql)
}
