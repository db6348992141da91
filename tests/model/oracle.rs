//! Every figure by plain SQL over the tables, and the sums that must hold in any database.

use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use stampcard::service::verify::verify;
use stampcard::store::open_read_only;

/// The program of an environment.
fn program(connection: &Connection, environment: &str) -> i64 {
    let sql = "SELECT p.id FROM program p JOIN organization o ON o.id = p.organization_id
               WHERE o.environment = ?1";
    connection
        .query_row(sql, [environment], |row| row.get(0))
        .unwrap()
}

fn number(connection: &Connection, program: i64, sql: &str) -> i64 {
    let found: Option<i64> = connection
        .query_row(sql, [program], |row| row.get(0))
        .unwrap();
    found.unwrap_or(0)
}

fn points(connection: &Connection, program: i64, entry: i64) -> i64 {
    let sql = format!(
        "SELECT sum(amount) FROM activity
         WHERE kind IN (4, 5, 21) AND program_id = ?1 AND entry = {entry}"
    );
    number(connection, program, &sql)
}

/// The expected response to `GET /v1/analytics/summary`.
pub(crate) fn summary(connection: &Connection, environment: &str) -> Value {
    let program = program(connection, environment);
    let count = |sql: &str| number(connection, program, sql);
    let at = |status: &str| {
        count(&format!(
            "SELECT count(*) FROM redemption WHERE program_id = ?1 AND status = '{status}'"
        ))
    };
    let total = count("SELECT count(*) FROM redemption WHERE program_id = ?1");
    #[expect(clippy::cast_precision_loss, reason = "the counts of a test are small")]
    let rate = if total == 0 {
        0.0
    } else {
        at("COMPLETED") as f64 / total as f64
    };
    json!({
        "memberCount": count("SELECT count(*) FROM member WHERE program_id = ?1"),
        "activeMembers":
            count("SELECT count(*) FROM member WHERE program_id = ?1 AND archived_at IS NULL"),
        "pointsMinted": points(connection, program, 1),
        "pointsSpent": points(connection, program, 2),
        "pointsRefunded": points(connection, program, 3),
        "pointsForfeited": points(connection, program, 4),
        "pointsDebited": points(connection, program, 5),
        "pointsExpired": points(connection, program, 6),
        "pointsVoided": points(connection, program, 10),
        "pointsPending": count("SELECT sum(deferred) FROM activity WHERE program_id = ?1"),
        "pointsHeld": count("SELECT sum(held) FROM activity WHERE program_id = ?1"),
        "completionRate": rate,
        "redemptions": {
            "submitted": at("SUBMITTED"),
            "open": at("OPEN"),
            "awaiting_vendor": at("AWAITING_VENDOR"),
            "awaiting_customer": at("AWAITING_CUSTOMER"),
            "purchased": at("PURCHASED"),
            "completed": at("COMPLETED"),
            "canceled": at("CANCELED"),
            "total": total,
        },
    })
}

/// The expected response to `GET /v1/analytics/offers`.
pub(crate) fn offers(connection: &Connection, environment: &str) -> Value {
    let sql = "SELECT lower(hex(o.uuid)),
            (SELECT count(DISTINCT member_id) FROM redemption WHERE offer_id = o.id),
            (SELECT count(*) FROM redemption WHERE offer_id = o.id AND status = 'COMPLETED'),
            (SELECT count(*) FROM redemption WHERE offer_id = o.id AND status = 'CANCELED'),
            (SELECT coalesce(sum(charged), 0) FROM redemption WHERE offer_id = o.id),
            (SELECT count(rating) FROM redemption WHERE offer_id = o.id),
            (SELECT round(avg(rating) + 1e-9, 2) FROM redemption WHERE offer_id = o.id)
        FROM offer o WHERE o.program_id = ?1 ORDER BY o.id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([program(connection, environment)], |row| {
        let hex: String = row.get(0)?;
        Ok(json!({
            "offerId": format!(
                "off_{}-{}-{}-{}-{}",
                &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]
            ),
            "signups": row.get::<_, i64>(1)?,
            "completions": row.get::<_, i64>(2)?,
            "cancellations": row.get::<_, i64>(3)?,
            "pointsSpent": row.get::<_, i64>(4)?,
            "ratingCount": row.get::<_, i64>(5)?,
            "averageRating": row.get::<_, Option<f64>>(6)?.map(plain),
        }))
    });
    let rows: Vec<Value> = rows.unwrap().collect::<Result<_, _>>().unwrap();
    json!({"offers": rows})
}

/// A number without a fraction if it is whole.
fn plain(number: f64) -> Value {
    serde_json::from_str(&number.to_string()).unwrap()
}

/// The points that the newest entry of each of a program's wallets leaves in it, held and pending
/// ones included.
const BALANCES: &str = "
    SELECT coalesce(sum(received_after - spent_after + coalesce(deferred_after, 0)), 0)
    FROM activity
    WHERE seq IN (SELECT max(seq) FROM activity WHERE program_id = ?1 AND entry IS NOT NULL
                  GROUP BY member_id)";

/// Holds in any database: minted + refunded - spent - forfeited - debited - expired - voided is the
/// sum of all balances, held and pending points, every wallet is the sum of its ledger, stock is
/// never returned twice, and `verify` finds nothing that is overdue.
pub(crate) fn check(database: &Path) {
    let connection = open_read_only(database).unwrap();
    for environment in ["sandbox", "live"] {
        let program = program(&connection, environment);
        let of = |entry| points(&connection, program, entry);
        let balances = number(&connection, program, BALANCES);
        let taken: i64 = [2, 4, 5, 6, 10].map(of).iter().sum();
        assert_eq!(of(1) + of(3) - taken, balances);
    }
    let none = |sql: &str| {
        let found: i64 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
        assert_eq!(found, 0, "{sql}");
    };
    for (after, entries) in [("received_after", "(1, 3)"), ("spent_after", "(2, 4, 5)")] {
        none(&format!(
            "SELECT count(*) FROM (
                SELECT {after} AS told, sum(amount) FILTER (WHERE entry IN {entries}) OVER w AS sum
                FROM activity WHERE entry IS NOT NULL
                WINDOW w AS (PARTITION BY member_id ORDER BY seq)
             ) WHERE told <> coalesce(sum, 0)",
        ));
    }
    // No refund without its spend, none twice, none of a redemption that is not canceled.
    none(
        "SELECT count(*) FROM redemption r WHERE (
            SELECT coalesce(sum(CASE a.entry WHEN 2 THEN 1 WHEN 3 THEN -1 END), 0)
            FROM activity a WHERE a.redemption_id = r.id AND a.entry IS NOT NULL)
            <> CASE WHEN r.status = 'CANCELED' OR r.charged = 0 THEN 0 ELSE 1 END",
    );
    // The order of the log is the order of time, in each program.
    none(
        "SELECT count(*) FROM (SELECT at, lag(at) OVER (PARTITION BY program_id ORDER BY seq) AS b
            FROM activity) WHERE at < b",
    );
    let report = verify(&connection, |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}

/// Whether every field of `expected` is in `found`, which may have more.
#[track_caller]
pub(crate) fn assert_has(found: &Value, expected: &Value) {
    match (found, expected) {
        (Value::Object(_), Value::Object(fields)) => {
            for (name, value) in fields {
                assert_has(&found[name], value);
            }
        }
        (Value::Array(found), Value::Array(expected)) => {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert_has(found, expected);
            }
        }
        _ => assert_eq!(found, expected),
    }
}
