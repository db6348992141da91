//! The questions of `stampcard verify`, in plain SQL over the tables. None of it is shared with the
//! code that keeps the figures.

mod constraints;
mod rows;

use rusqlite::Connection;

pub use self::rows::{contradictions, cursors, missing_settings, start, values};
use crate::store::file::definitions;
use crate::store::{Error, SCHEMA, log};

/// What SQLite finds wrong with the file; empty if nothing.
///
/// # Errors
/// [`Error`] if the database cannot be read at all.
pub fn integrity(connection: &Connection) -> Result<Vec<String>, Error> {
    let findings = lines(connection, "PRAGMA integrity_check(100)")?;
    Ok(findings.into_iter().filter(|line| line != "ok").collect())
}

/// Rows that point to nothing, and rows of the log that are of another program than their member.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn foreign_keys(connection: &Connection) -> Result<Vec<String>, Error> {
    let sql = "SELECT format('%s row %d points to no row of %s', \"table\", rowid, parent)
               FROM pragma_foreign_key_check LIMIT 100";
    let members =
        "SELECT format('activity %d is of program row %s; its member is of program row %d',
            a.seq, coalesce(a.program_id, 'none'), m.program_id)
        FROM activity a JOIN member m ON m.id = a.member_id
        WHERE a.program_id IS NOT m.program_id LIMIT 100";
    let programs =
        "SELECT format('activity %d is of program row %d, which is not there', seq, program_id)
        FROM activity
        WHERE program_id IS NOT NULL AND program_id NOT IN (SELECT id FROM program) LIMIT 100";
    let mut findings = lines(connection, sql)?;
    findings.extend(lines(connection, members)?);
    findings.extend(lines(connection, programs)?);
    Ok(findings)
}

/// What of the schema, its append-only triggers included, is not as this program makes it.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn schema(connection: &Connection) -> Result<Vec<String>, Error> {
    definitions::differences(&definitions::in_memory(SCHEMA)?, connection)
}

/// Wallets that are not the sum of their ledger entries, or whose chain of entries is broken.
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
        SELECT format('member row %d holds balance %d, received %d, spent %d; its ledger says %d, %d, %d',
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
        "SELECT format('program row %d sums received %d, spent %d; its wallets say %d, %d',
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

/// Redemptions that stand elsewhere than their history says, or were charged or refunded otherwise,
/// and members who count theirs otherwise.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn redemptions(connection: &Connection) -> Result<Vec<String>, Error> {
    let statuses = "WITH history AS (
            SELECT redemption_id, coalesce(to_state, 'SUBMITTED') AS status, max(seq)
            FROM activity WHERE kind BETWEEN 6 AND 12 GROUP BY redemption_id)
        SELECT format('redemption row %d stands at %s; its history says %s', r.id, r.status,
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
        SELECT format('member row %d counts %d redemptions that are %s; there are %d',
            k.id, k.kept, k.status, coalesce(f.number, 0))
        FROM kept k LEFT JOIN found f ON f.member_id = k.id AND f.status = k.status
        WHERE k.kept <> coalesce(f.number, 0) LIMIT 100";
    let twice = "SELECT format('member row %d holds %d redemptions of offer row %d', member_id,
            count(*), offer_id)
        FROM redemption WHERE status <> 'CANCELED' GROUP BY member_id, offer_id
        HAVING count(*) > 1 LIMIT 100";
    let mut findings = lines(connection, statuses)?;
    findings.extend(lines(connection, twice)?);
    findings.extend(lines(connection, charges)?);
    findings.extend(lines(connection, counts)?);
    Ok(findings)
}

/// Credits that the log and the month's rows tell differently.
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
        SELECT format('organization row %d, month %d: the log says %d credits, its row %d',
            coalesce(l.organization_id, u.organization_id), coalesce(l.month, u.month),
            coalesce(l.credits, 0), coalesce(u.credits, 0))
        FROM log l FULL JOIN organization_usage u USING (organization_id, month)
        WHERE coalesce(l.credits, 0) <> coalesce(u.credits, 0)
        UNION ALL
        SELECT format('%s pool, month %d: the log says %d credits, its row %d',
            coalesce(l.environment, u.environment), coalesce(l.month, u.month),
            coalesce(l.credits, 0), coalesce(u.credits, 0))
        FROM pool l FULL JOIN pool_usage u USING (environment, month)
        WHERE coalesce(l.credits, 0) <> coalesce(u.credits, 0)";
    lines(connection, sql)
}

/// One number of one program, worked out by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramNumberRow {
    /// The program's row.
    pub program: i64,
    /// Which number.
    pub name: &'static str,
    /// Its value; `None` where there is nothing to count.
    pub value: Option<i64>,
}

/// The names of the program-wide numbers and the SQL of each. `?1` is the program, `{counted}` that
/// an activity is an event that reports count.
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
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 1",
    ),
    (
        "points spent",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 2",
    ),
    (
        "points refunded",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 3",
    ),
    (
        "points forfeited",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 4",
    ),
    (
        "points debited",
        "SELECT coalesce(sum(amount), 0) FROM activity WHERE program_id = ?1 AND entry = 5",
    ),
    (
        "sum of balances",
        "SELECT coalesce(sum(balance), 0) FROM member WHERE program_id = ?1",
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
        "SELECT count(DISTINCT member_id) FROM activity WHERE program_id = ?1 AND entry IN (1, 2)",
    ),
    (
        "ledger entries",
        "SELECT count(*) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL",
    ),
    (
        "newest ledger entry",
        "SELECT max(at) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL",
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
    let mut numbers = Vec::new();
    for program in programs {
        for (name, sql) in PROGRAM_NUMBERS {
            let value = connection
                .prepare_cached(&sql.replace("{counted}", &log::COUNTED))?
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

/// The numbers of one offer, worked out by SQL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferNumbersRow {
    /// The program's row.
    pub program: i64,
    /// The offer's sixteen bytes.
    pub uuid: [u8; 16],
    /// Distinct members, completed, canceled, points spent.
    pub numbers: [i64; 4],
}

/// The numbers of every offer, in the order made.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn offer_numbers(connection: &Connection) -> Result<Vec<OfferNumbersRow>, Error> {
    let sql = "WITH booked AS (
            SELECT offer_id, count(DISTINCT member_id) AS signups,
                count(*) FILTER (WHERE status = 'COMPLETED') AS completions,
                count(*) FILTER (WHERE status = 'CANCELED') AS cancellations
            FROM redemption GROUP BY offer_id),
        spent AS (SELECT offer_id, sum(amount) AS points FROM activity WHERE entry = 2 GROUP BY offer_id)
        SELECT o.program_id, o.uuid, coalesce(b.signups, 0), coalesce(b.completions, 0),
            coalesce(b.cancellations, 0), coalesce(s.points, 0)
        FROM offer o LEFT JOIN booked b ON b.offer_id = o.id LEFT JOIN spent s ON s.offer_id = o.id
        ORDER BY o.program_id, o.id";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| {
        Ok(OfferNumbersRow {
            program: row.get(0)?,
            uuid: row.get(1)?,
            numbers: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What happened in one UTC day on one timeline, worked out by SQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DayRow {
    /// Which timeline.
    pub timeline: &'static str,
    /// The program's row.
    pub program: i64,
    /// The offer's row, or 0 for a timeline of the program itself.
    pub offer: i64,
    /// Days since 1970.
    pub day: i64,
    /// Entries.
    pub count: i64,
    /// The sum of their amounts.
    pub amount: i64,
}

/// The names of the timelines, and for each the program, the offer, the time and the amount of
/// every entry; `{counted}` as above.
const TIMELINES: &[(&str, &str)] = &[
    (
        "signups",
        "SELECT program_id AS p, 0 AS o, created_at AS at, 1 AS amount FROM member",
    ),
    (
        "minted",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 1",
    ),
    (
        "spent",
        "SELECT program_id AS p, 0 AS o, at, amount FROM activity WHERE entry = 2",
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
        "offer signups",
        "SELECT program_id AS p, offer_id AS o, min(created_at) AS at, 1 AS amount
         FROM redemption GROUP BY program_id, offer_id, member_id",
    ),
    (
        "offer spent",
        "SELECT program_id AS p, offer_id AS o, at, amount FROM activity WHERE entry = 2",
    ),
];

/// Every day of every timeline, the days of one timeline in order.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn timeline_days(connection: &Connection) -> Result<Vec<DayRow>, Error> {
    let mut days = Vec::new();
    for (timeline, entries) in TIMELINES {
        let entries = entries.replace("{counted}", &log::COUNTED);
        // Rounded down also before 1970.
        let sql = format!(
            "SELECT p, o, (at - ((at % 86400000) + 86400000) % 86400000) / 86400000 AS day,
                 count(*), sum(amount)
             FROM ({entries}) GROUP BY p, o, day ORDER BY p, o, day"
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

/// Holds everything still while several questions are asked.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn begin_snapshot(connection: &Connection) -> Result<rusqlite::Transaction<'_>, Error> {
    Ok(connection.unchecked_transaction()?)
}

fn lines(connection: &Connection, sql: &str) -> Result<Vec<String>, Error> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
