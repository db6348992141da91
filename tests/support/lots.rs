//! Members and lots that are written into the file of a stopped server, as many as a test needs.

use rusqlite::Connection;
use stampcard::domain::{Bucket, LotMove, LotMoves, Points};

/// The points of each lot.
pub(crate) const POINTS: i64 = 5;

/// Adds members as sign-ups do: rows, words for the search, and activities.
const SIGN_UPS: &str = "
    CREATE TEMP TABLE base AS SELECT max(seq) AS seq FROM activity;
    CREATE TEMP TABLE last AS SELECT coalesce(max(id), 0) AS id FROM member;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
    INSERT INTO member (id, program_id, external_user_id, tier, created_at, version)
    SELECT last.id + i, 1, 'm' || i, 'standard', ?2, base.seq + i FROM n, base, last;
    INSERT INTO search_term (program_id, term, member_id)
    SELECT 1, external_user_id, member.id FROM member, last WHERE member.id > last.id;
    INSERT INTO activity (seq, at, program_id, kind, actor, member_id, to_state)
    SELECT version, ?2, 1, 1, 6, member.id, 'standard' FROM member, last
    WHERE member.id > last.id ORDER BY member.id;
    DROP TABLE base; DROP TABLE last;";

/// Keeps the points of the program in lots from now on.
const CONVERSION: &str = "
    INSERT INTO activity (seq, at, program_id, kind, actor, to_state, name, expires_at)
    SELECT max(seq) + 1, ?2, 1, 52, 6, 'LOT', 'fifo', ?6 FROM activity;
    INSERT INTO asset (program_id, inventory_mode, burn_order, opening_after, opening_expires_at,
        updated_at, version)
    SELECT 1, 'LOT', 'fifo', ?7, ?6, ?2, max(seq) FROM activity;";

/// Credits every member of the program, with a lot if it has the bytes ?5. None may have a ledger
/// entry yet.
const LOTS: &str = "
    INSERT INTO activity (seq, at, program_id, kind, actor, member_id, entry, amount, flag,
        received_after, spent_after, chain, expires_at, lots)
    SELECT (SELECT max(seq) FROM activity) + place, ?2, 1, 4, 6, id, 1, ?3, 1, ?3, 0,
        CASE WHEN place = 1 THEN zeroblob(32) END, ?4, ?5
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM member WHERE program_id = 1)
    ORDER BY place";

/// Adds members to the first program, converts it to lots, and credits all its members with a lot
/// at a time; the lots expire at another time. Both in Unix milliseconds.
pub(crate) fn insert(connection: &Connection, members: usize, at: i64, expires_at: i64) {
    let made = LotMove::Make {
        number: 1,
        amount: Points::new(POINTS).unwrap(),
        bucket: Bucket::Available,
    };
    let bytes = LotMoves::new(&[made]);
    let hex = data_encoding::HEXLOWER.encode(bytes.as_bytes());
    let sign_ups = if members > 0 { SIGN_UPS } else { "" };
    let conversion = CONVERSION.replace("?6", "NULL").replace("?7", "NULL");
    let lots = LOTS
        .replace("?4", &expires_at.to_string())
        .replace("?5", &format!("x'{hex}'"));
    run(
        connection,
        &format!("{sign_ups} {conversion} {lots}"),
        members,
        at,
    );
}

/// Adds members to the first program, and credits all its members with points without lots.
pub(crate) fn insert_sums(connection: &Connection, members: usize, at: i64) {
    let credits = LOTS.replace("?4", "NULL").replace("?5", "NULL");
    run(connection, &format!("{SIGN_UPS} {credits}"), members, at);
}

/// Begins the conversion of the first program to lots, which the next start continues. The present
/// points are to expire at another time, if ever.
pub(crate) fn begin_conversion(connection: &Connection, at: i64, expires_at: Option<i64>) {
    let expires_at = expires_at.map_or("NULL".to_owned(), |at| at.to_string());
    let conversion = CONVERSION.replace("?6", &expires_at).replace("?7", "0");
    run(connection, &conversion, 0, at);
}

fn run(connection: &Connection, sql: &str, members: usize, at: i64) {
    let sql = format!("PRAGMA synchronous = OFF; BEGIN; {sql}; COMMIT")
        .replace("?1", &members.to_string())
        .replace("?2", &at.to_string())
        .replace("?3", &POINTS.to_string());
    connection.execute_batch(&sql).unwrap();
}
