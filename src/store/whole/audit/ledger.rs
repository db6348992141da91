//! Checks of wallets, redemptions and credits against the log.

use rusqlite::Connection;

use super::findings::lines;
use crate::store::Error;

/// Finds wallets that differ from the sum of their ledger entries, and chains of entries with a
/// gap.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn wallets(connection: &Connection) -> Result<Vec<String>, Error> {
    let sums = "WITH ledger AS (
            SELECT member_id,
                coalesce(sum(amount) FILTER (WHERE entry IN (1, 3)), 0) AS received,
                coalesce(sum(amount) FILTER (WHERE entry IN (2, 4, 5)), 0) AS spent,
                max(seq) AS last, count(*) AS entries,
                max(entry IN (1, 2)) AS participated
            FROM activity WHERE entry IS NOT NULL GROUP BY member_id)
        SELECT format('member row %d has balance %d, received %d, spent %d; its ledger says %d, %d, %d',
            m.id, m.balance, m.amount_received, m.amount_spent,
            coalesce(l.received - l.spent, 0), coalesce(l.received, 0), coalesce(l.spent, 0))
        FROM member m LEFT JOIN ledger l ON l.member_id = m.id
        WHERE m.amount_received <> coalesce(l.received, 0)
            OR m.amount_spent <> coalesce(l.spent, 0)
            OR m.balance <> coalesce(l.received - l.spent, 0)
            OR m.last_entry_seq IS NOT l.last
            OR m.entries <> coalesce(l.entries, 0)
            OR m.last_jump_seq IS NOT (SELECT jump_seq FROM activity WHERE seq = l.last)
            OR (m.last_far_seq IS NOT NULL AND m.last_far_seq IS NOT
                (SELECT jump_seq FROM activity WHERE seq = m.last_jump_seq))
            OR m.participated <> coalesce(l.participated, 0)
        LIMIT 100";
    let chain = "SELECT format('ledger entry %d follows %s; it should follow %s', seq,
            coalesce(previous_seq, 'none'), coalesce(expected, 'none'))
        FROM (SELECT seq, previous_seq, lag(seq) OVER (PARTITION BY member_id ORDER BY seq) AS expected
            FROM activity WHERE entry IS NOT NULL)
        WHERE previous_seq IS NOT expected LIMIT 100";
    let programs =
        "SELECT format('program row %d has the sums received %d, spent %d; its wallets say %d, %d',
            p.id, p.amount_received, p.amount_spent, m.received, m.spent)
        FROM program p JOIN (
            SELECT p.id, coalesce(sum(m.amount_received), 0) AS received,
                coalesce(sum(m.amount_spent), 0) AS spent
            FROM program p LEFT JOIN member m ON m.program_id = p.id GROUP BY p.id) m ON m.id = p.id
        WHERE p.amount_received <> m.received OR p.amount_spent <> m.spent LIMIT 100";
    let mut findings = lines(connection, sums)?;
    findings.extend(lines(connection, chain)?);
    findings.extend(lines(connection, programs)?);
    Ok(findings)
}

/// Finds redemptions whose status, charge or refund differs from their history, and members whose
/// counts of redemptions are wrong.
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
            FROM activity WHERE entry IN (2, 3) GROUP BY redemption_id)
        SELECT format('redemption row %d was charged %d; the ledger says %d spent, %d refunded',
            r.id, r.charged, coalesce(l.spent, 0), coalesce(l.refunded, 0))
        FROM redemption r LEFT JOIN ledger l ON l.redemption_id = r.id
        WHERE r.charged <> coalesce(l.spent, 0)
            OR coalesce(l.refunded, 0) <> iif(r.status = 'CANCELED', r.charged, 0) LIMIT 100";
    let counts = "WITH kept AS (
                SELECT id, 'SUBMITTED' AS status, redemptions_submitted AS kept FROM member UNION ALL
                SELECT id, 'OPEN', redemptions_open FROM member UNION ALL
                SELECT id, 'AWAITING_VENDOR', redemptions_awaiting_vendor FROM member UNION ALL
                SELECT id, 'AWAITING_CUSTOMER', redemptions_awaiting_customer FROM member UNION ALL
                SELECT id, 'PURCHASED', redemptions_purchased FROM member UNION ALL
                SELECT id, 'COMPLETED', redemptions_completed FROM member UNION ALL
                SELECT id, 'CANCELED', redemptions_canceled FROM member),
            found AS (
                SELECT member_id, status, count(*) AS number FROM redemption GROUP BY 1, 2)
        SELECT format('member row %d counts %d redemptions that are %s; it has %d',
            k.id, k.kept, k.status, coalesce(f.number, 0))
        FROM kept k LEFT JOIN found f ON f.member_id = k.id AND f.status = k.status
        WHERE k.kept <> coalesce(f.number, 0) LIMIT 100";
    let twice =
        "SELECT format('member row %d has %d redemptions of offer row %d that are not canceled',
            member_id,
            count(*), offer_id)
        FROM redemption WHERE status <> 'CANCELED' GROUP BY member_id, offer_id
        HAVING count(*) > 1 LIMIT 100";
    let mut findings = lines(connection, statuses)?;
    findings.extend(lines(connection, twice)?);
    findings.extend(lines(connection, charges)?);
    findings.extend(lines(connection, counts)?);
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
