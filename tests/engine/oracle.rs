//! The oracle: a plain table and another calendar.

use chrono::{DateTime, Days, LocalResult, Months, NaiveDateTime, TimeDelta, TimeZone as _};
use chrono_tz::Tz;
use rusqlite::{Connection, params};

/// The events of one history in a plain table.
pub(crate) struct Oracle {
    connection: Connection,
}

impl Oracle {
    pub(crate) fn new() -> Self {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "CREATE TABLE event (at INTEGER, kind TEXT, offer INTEGER, amount INTEGER);
            CREATE TABLE rating (redemption INTEGER PRIMARY KEY, offer INTEGER, rating INTEGER)";
        connection.execute_batch(sql).unwrap();
        Self { connection }
    }

    pub(crate) fn insert(&self, at: i64, kind: &str, offer: Option<i64>, amount: i64) {
        let sql = "INSERT INTO event VALUES (?1, ?2, ?3, ?4)";
        self.connection
            .prepare_cached(sql)
            .unwrap()
            .execute((at, kind, offer, amount))
            .unwrap();
    }

    /// Rates a redemption; returns the rating before.
    pub(crate) fn rate(&self, offer: i64, redemption: i64, rating: i64) -> Option<i64> {
        let sql = "SELECT max(rating) FROM rating WHERE redemption = ?1";
        let before = self
            .connection
            .query_row(sql, [redemption], |row| row.get(0));
        let sql = "INSERT OR REPLACE INTO rating VALUES (?1, ?2, ?3)";
        let values = (redemption, offer, rating);
        self.connection.execute(sql, values).unwrap();
        before.unwrap()
    }

    /// The number and the sum of the ratings of an offer, and their average in hundredths.
    pub(crate) fn ratings(&self, offer: i64) -> (u64, u64, Option<u64>) {
        let sql = "SELECT count(*), coalesce(sum(rating), 0), round(avg(rating) * 100 + 1e-9)
            FROM rating WHERE offer = ?1";
        let row = self.connection.query_row(sql, [offer], |row| {
            Ok((
                row.get::<_, i64>(0)?.unsigned_abs(),
                row.get::<_, i64>(1)?.unsigned_abs(),
                row.get::<_, Option<f64>>(2)?,
            ))
        });
        let (count, sum, average) = row.unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is rounded, and at most 1000"
        )]
        let average = average.map(|average| average as u64);
        (count, sum, average)
    }

    /// Sign-ups, points minted and points spent of every bucket between these bounds.
    pub(crate) fn buckets(&self, bounds: &[i64], offer: Option<i64>) -> Vec<(u64, u64, u64)> {
        let program = "SELECT count(*) FILTER (WHERE kind = 'signup'),
                coalesce(sum(amount) FILTER (WHERE kind = 'mint'), 0),
                coalesce(sum(amount) FILTER (WHERE kind = 'spend'), 0)
            FROM event WHERE at >= ?1 AND at < ?2 AND (?3 IS NULL)";
        let one_offer = "SELECT count(*) FILTER (WHERE kind = 'booking'), 0,
                coalesce(sum(amount) FILTER (WHERE kind = 'spend'), 0)
            FROM event WHERE at >= ?1 AND at < ?2 AND offer = ?3";
        let sql = if offer.is_some() { one_offer } else { program };
        let mut statement = self.connection.prepare_cached(sql).unwrap();
        bounds
            .windows(2)
            .map(|pair| {
                let row = statement.query_row(params![pair[0], pair[1], offer], |row| {
                    Ok((
                        row.get::<_, i64>(0)?,
                        row.get::<_, i64>(1)?,
                        row.get::<_, i64>(2)?,
                    ))
                });
                let (signups, minted, spent) = row.unwrap();
                (
                    signups.unsigned_abs(),
                    minted.unsigned_abs(),
                    spent.unsigned_abs(),
                )
            })
            .collect()
    }
}

/// The bounds of the buckets; `None` if the window is empty or has too many.
pub(crate) fn bounds(from: i64, to: i64, interval: &str, zone: &str) -> Option<Vec<i64>> {
    if from >= to {
        return None;
    }
    let zone: Tz = zone.parse().unwrap();
    let shown = DateTime::from_timestamp_millis(from)
        .unwrap()
        .with_timezone(&zone)
        .naive_local();
    let mut bounds = vec![from];
    for count in 1_u32.. {
        let start = match interval {
            "hour" => from + i64::from(count) * 3_600_000,
            "day" => instant(zone, shown + Days::new(count.into())),
            "week" => instant(zone, shown + Days::new(7 * u64::from(count))),
            _ => instant(zone, shown.checked_add_months(Months::new(count)).unwrap()),
        };
        if start >= to {
            break;
        }
        if start > *bounds.last().unwrap() {
            bounds.push(start);
        }
        if bounds.len() > 10_000 {
            return None;
        }
    }
    bounds.push(to);
    Some(bounds)
}

/// The time at which the clocks of a zone show this: the earlier of two; in a gap, the time shifted
/// by its length.
fn instant(zone: Tz, shown: NaiveDateTime) -> i64 {
    match zone.from_local_datetime(&shown) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => at.timestamp_millis(),
        LocalResult::None => {
            // By the offset in force before the gap.
            let before = zone.from_utc_datetime(&(shown - TimeDelta::days(2)));
            let offset = chrono::Offset::fix(&chrono::TimeZone::offset_from_utc_datetime(
                &zone,
                &before.naive_utc(),
            ));
            shown.and_utc().timestamp_millis() - i64::from(offset.local_minus_utc()) * 1000
        }
    }
}
