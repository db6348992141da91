//! Every balance that a server answers, compared with plain SQL over the log.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde_json::Value;

use crate::server::{Server, request};

/// The points of each member of a program, by the operator's id, as the log adds them up.
fn of_log(connection: &Connection, program: i64) -> BTreeMap<String, i64> {
    let sql = "SELECT m.external_user_id,
            coalesce(sum(CASE WHEN a.entry IN (1, 3) THEN a.amount
                              WHEN a.entry IN (2, 4, 5) THEN -a.amount END), 0)
        FROM member m LEFT JOIN activity a ON a.member_id = m.id
        WHERE m.program_id = ?1 GROUP BY m.id";
    let mut statement = connection.prepare(sql).unwrap();
    let rows = statement.query_map([program], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().collect::<Result<_, _>>().unwrap()
}

/// Compares the wallet of every member of the key's program with the log: on its own, and in the
/// list, which has the removed members, too. Returns how many there are.
#[track_caller]
pub(crate) fn check_wallets(server: &Server, key: &str, connection: &Connection) -> usize {
    let get = |path: &str| {
        let route = ("GET", path);
        let (agent, address) = (&server.agent, server.address);
        let answer = request(agent, address, key, route, None, &Value::Null);
        answer.unwrap().expect(200)
    };
    let mut listed = BTreeMap::new();
    let mut path = "/v1/members?limit=100&includeArchived=true".to_owned();
    loop {
        let page = get(&path);
        for member in page["members"].as_array().unwrap() {
            let id = member["externalUserID"].as_str().unwrap().to_owned();
            let balance = member["wallet"]["balance"].as_i64().unwrap();
            if member["archivedAt"].is_null() {
                let alone = get(&format!("/v1/wallet?externalUserID={id}"));
                assert_eq!(alone["balance"], balance, "{member}");
            }
            assert_eq!(listed.insert(id, balance), None, "{member}");
        }
        let Some(cursor) = page["nextCursor"].as_str() else {
            break;
        };
        path = format!("/v1/members?limit=100&includeArchived=true&cursor={cursor}");
    }
    let Some(first) = listed.keys().next() else {
        return 0;
    };
    let sql = "SELECT program_id FROM member WHERE external_user_id = ?1";
    let program = connection
        .query_row(sql, [first], |row| row.get(0))
        .unwrap();
    assert_eq!(listed, of_log(connection, program));
    listed.len()
}
