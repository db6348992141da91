//! The file is lost under the running server: a read meets damage, or the name refers to another
//! file. Writes stop immediately, and the reason is logged.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::faults::damage;
use crate::server::{Answer, Place, Server};

fn ready(server: &Server) -> Answer {
    server.send("GET", "/readyz", None, &Value::Null).unwrap()
}

fn credit(server: &Server) -> u16 {
    let body = json!({"externalUserID": "ann", "amount": 1});
    server.post("/v1/wallet/credit", &body).status
}

/// Replaces the file under a server, which must refuse writes and log the reason until it is
/// stopped.
#[track_caller]
fn lose_file(what: &str, act: impl Fn(&Place)) -> Place {
    let place = Place::new();
    let mut server = place.start();
    server.live_a_little();
    act(&place);
    assert_eq!(credit(&server), 503, "{what}");
    let answer = ready(&server);
    assert_eq!(answer.status, 503, "{what}");
    assert!(
        answer.text.contains("replaced, moved or removed"),
        "{}",
        answer.text
    );
    // Reads continue where they can.
    assert_eq!(
        server.get("/v1/wallet?externalUserID=ann")["balance"],
        70,
        "{what}"
    );
    assert_eq!(
        server.get("/v1/analytics/summary")["memberCount"],
        2,
        "{what}"
    );
    assert_eq!(credit(&server), 503, "{what}");
    let log = server.log();
    assert_eq!(
        log.matches("writes are stopped").count(),
        1,
        "{what}: {log}"
    );
    server.signal("TERM");
    assert_eq!(server.wait().0, Some(0), "{what}: {}", server.log());
    place
}

/// All acknowledged writes are present, and the server accepts writes.
#[track_caller]
fn assert_whole(place: &Place) {
    let server = place.start();
    assert_eq!(server.get("/v1/wallet?externalUserID=ann")["balance"], 70);
    assert_eq!(credit(&server), 200);
    server.terminate();
    assert_eq!(place.verify().code, Some(0));
}

#[test]
fn writes_stop_when_the_file_is_replaced_moved_or_removed() {
    let other = Place::new();
    let server = other.start();
    server.set_member("somebody-else");
    server.terminate();
    lose_file("removed", |place| {
        fs::remove_file(place.database()).unwrap();
    });
    // The other file is left unchanged.
    let place = lose_file("replaced", |place| {
        let new = place.path("new");
        fs::copy(other.database(), &new).unwrap();
        fs::rename(new, place.database()).unwrap();
    });
    assert!(fs::read(place.database()).unwrap() == fs::read(other.database()).unwrap());
    // The stop moves the contents of its log into the file.
    assert_whole(&lose_file("its log removed", |place| {
        fs::remove_file(place.path("test.db-wal")).unwrap();
    }));
    // The original file is complete once it is moved back.
    let place = lose_file("moved", |place| {
        fs::rename(place.database(), place.path("elsewhere")).unwrap();
    });
    fs::rename(place.path("elsewhere"), place.database()).unwrap();
    assert_whole(&place);
}

#[test]
fn the_loss_is_said_although_nobody_asks_or_writes() {
    let place = Place::new();
    let server = place.start();
    server.live_a_little();
    fs::remove_file(place.database()).unwrap();
    server.wait_for_log("writes are stopped");
}

/// Requests that read rows.
const READS: [&str; 3] = [
    "/v1/members?limit=100",
    "/v1/redemptions?limit=100",
    "/v1/members/member-7",
];

#[test]
fn damage_that_only_a_read_meets_stops_writes() {
    for path in READS {
        let place = Place::new();
        let server = place.start();
        server.live_a_little();
        for count in 0..200 {
            server.set_member(&format!("member-{count}"));
        }
        server.terminate();
        // A server that has just started has empty caches.
        let server = place.start();
        assert_eq!(ready(&server).status, 200);
        damage(&place);
        let start = Instant::now();
        while server.send("GET", path, None, &Value::Null).unwrap().status == 200 {
            assert!(start.elapsed() < Duration::from_secs(20), "{path}");
        }
        let answer = ready(&server);
        assert_eq!(answer.status, 503, "{path}");
        assert!(answer.text.contains("damaged"), "{}", answer.text);
        assert_eq!(credit(&server), 503, "{path}");
        let log = server.log();
        assert!(log.contains("writes are stopped"), "{path}: {log}");
        assert!(log.contains("stampcard verify"), "{path}: {log}");
        assert_eq!(
            server.get("/v1/analytics/summary")["memberCount"],
            202,
            "{path}"
        );
    }
}
