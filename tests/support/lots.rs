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

/// Credits every member of the program with a lot. None may have a ledger entry yet.
const LOTS: &str = "
    INSERT INTO activity (seq, at, program_id, kind, actor, member_id, entry, amount, flag,
        received_after, spent_after, chain, expires_at, lots)
    SELECT (SELECT max(seq) FROM activity) + place, ?2, 1, 4, 6, id, 1, ?3, 1, ?3, 0,
        CASE WHEN place = 1 THEN zeroblob(32) END, ?4, x'?5'
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS place FROM member WHERE program_id = 1)
    ORDER BY place";

/// Adds members to the first program, and credits all its members with a lot at a time; the lots
/// expire at another time. Both in Unix milliseconds.
pub(crate) fn insert(connection: &Connection, members: usize, at: i64, expires_at: i64) {
    let made = LotMove::Make {
        number: 1,
        amount: Points::new(POINTS).unwrap(),
        bucket: Bucket::Available,
    };
    let bytes = LotMoves::new(&[made]);
    let hex = data_encoding::HEXLOWER.encode(bytes.as_bytes());
    let sign_ups = if members > 0 { SIGN_UPS } else { "" };
    let sql = format!("PRAGMA synchronous = OFF; BEGIN; {sign_ups} {LOTS}; COMMIT")
        .replace("?1", &members.to_string())
        .replace("?2", &at.to_string())
        .replace("?3", &POINTS.to_string())
        .replace("?4", &expires_at.to_string())
        .replace("?5", &hex);
    connection.execute_batch(&sql).unwrap();
}
