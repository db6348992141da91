//! Workloads of the real server over one connection: one worker thread, one reader, and requests
//! sent one after the other, so that every write has a commit of its own.

use std::cell::LazyCell;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::json;
use stampcard::domain::Timestamp;
use tempfile::TempDir;

use crate::figures::Group;
use crate::support::{Client, Server};
use crate::{Workload, callgrind};

const MEMBERS: usize = 40;
const OFFERS: usize = 20;
/// The number of days in the history, and of credits on each day.
const DAYS: usize = 32;
const CREDITS: usize = 40;
const DAY: Duration = Duration::from_hours(24);
/// Requests before those that are counted, so that work done only at the first request of a kind is
/// complete. There are more of them than look-ups that go to another thread after a slow one; under
/// callgrind the first look-up is slow.
const WARM_UP: usize = 300;

/// A database with a month of history, which every server starts from.
pub(crate) struct Stand {
    folder: TempDir,
    offers: Vec<String>,
    /// The end of 30 days at an odd offset.
    to: Timestamp,
}

/// Sends the request with this number.
type Ask = fn(&Stand, &mut Client, usize);

/// The cheaper the request, the more are counted: the timers of the server take some hundred
/// thousand instructions in a run, which differ from run to run.
const WORKLOADS: [(Group, &str, usize, Ask); 9] = [
    (Group::Requests, "healthz", 1_000, |_, client, _| {
        get(client, "/healthz");
    }),
    (Group::Requests, "summary", 1_000, |_, client, _| {
        get(client, "/v1/analytics/summary");
    }),
    // Another window each time, and the same one, which is rendered once.
    (
        Group::Requests,
        "timeseries-30-days",
        100,
        |stand, client, number| get(client, &stand.timeseries(number)),
    ),
    (
        Group::Requests,
        "timeseries-again",
        500,
        |stand, client, _| {
            get(client, &stand.timeseries(0));
        },
    ),
    (Group::LookUps, "wallet", 100, |_, client, number| {
        get(
            client,
            &format!("/v1/wallet?externalUserID={}", member(number)),
        );
    }),
    (Group::LookUps, "member", 100, |_, client, number| {
        get(client, &format!("/v1/members/{}", member(number)));
    }),
    (Group::Requests, "credit", 100, |_, client, number| {
        let key = format!("idempotency-key: a-key-as-apps-make-them-{number:08}\r\n");
        let body = format!(r#"{{"externalUserID":"{}","amount":7}}"#, member(number));
        post(client, "/v1/wallet/credit", &key, &body, 200);
    }),
    (Group::Requests, "exchange", 100, |_, client, number| {
        let body = format!(r#"{{"externalUserID":"{}"}}"#, member(number));
        post(client, "/v1/auth/exchange", "", &body, 200);
    }),
    (
        Group::Requests,
        "redemption",
        100,
        |stand, client, number| {
            // A new pair each time, because a member can hold only one redemption of an offer.
            let (member, offer) = (member(number), &stand.offers[number / MEMBERS]);
            let body = format!(r#"{{"externalUserID":"{member}","offer":"{offer}"}}"#);
            post(client, "/v1/redemptions", "", &body, 201);
        },
    ),
];

pub(crate) fn workloads<S: Fn() -> Stand>(stand: &LazyCell<Stand, S>) -> Vec<Workload<'_>> {
    let workload = |(group, name, count, ask): (Group, &'static str, usize, Ask)| Workload {
        group,
        name,
        count,
        run: Box::new(move |count| stand.instructions(ask, count)),
    };
    WORKLOADS.into_iter().map(workload).collect()
}

fn member(number: usize) -> String {
    format!("member-{:02}", number % MEMBERS)
}

#[track_caller]
fn get(client: &mut Client, path: &str) {
    let (status, _) = client.send("GET", path, "");
    assert_eq!(status, 200, "{path}");
}

#[track_caller]
fn post(client: &mut Client, path: &str, headers: &str, body: &str, expected: u16) {
    let (status, answer) = client.send_with("POST", path, headers, body);
    assert_eq!(status, expected, "{}", String::from_utf8_lossy(answer));
}

impl Stand {
    pub(crate) fn create() -> Self {
        let server = Server::start();
        let mut client = server.client();
        for number in 0..MEMBERS {
            let body = json!({"externalUserID": member(number), "amount": 1_000_000});
            let path = format!("/v1/members/{}", member(number));
            client.expect("PUT", &path, &json!({"displayName": "A member"}), 200);
            client.expect("POST", "/v1/wallet/credit", &body, 200);
        }
        let offers = (0..OFFERS).map(|number| {
            let body = json!({"title": format!("Offer {number}"), "pointsPrice": 5});
            let offer = client.expect("POST", "/v1/offers", &body, 201);
            offer["id"].as_str().unwrap().to_owned()
        });
        let offers: Vec<String> = offers.collect();
        let mut now = String::new();
        for day in 0..DAYS {
            for number in 0..CREDITS {
                let body = json!({"externalUserID": member(number), "amount": 1 + number});
                client.expect("POST", "/v1/wallet/credit", &body, 200);
            }
            let newcomer = format!("newcomer-{day}");
            let path = format!("/v1/members/{newcomer}");
            client.expect("PUT", &path, &json!({}), 200);
            let body = json!({"externalUserID": newcomer, "amount": 5});
            client.expect("POST", "/v1/wallet/credit", &body, 200);
            let body = json!({"externalUserID": newcomer, "offer": offers[day % OFFERS]});
            client.expect("POST", "/v1/redemptions", &body, 201);
            let body = json!({"advanceSeconds": DAY.as_secs()});
            let clock = client.expect("POST", "/v1/sandbox/clock", &body, 200);
            clock["now"].as_str().unwrap().clone_into(&mut now);
        }
        let now = Timestamp::parse(&now).unwrap();
        Self {
            folder: server.stop(),
            offers,
            to: now.saturating_sub(DAY + Duration::from_millis(12_345_678)),
        }
    }

    /// The path of a timeseries of 30 days. Those with different numbers have different windows.
    fn timeseries(&self, number: usize) -> String {
        let to = self.to.saturating_sub(Duration::from_millis(number as u64));
        let from = to.saturating_sub(30 * DAY);
        format!("/v1/analytics/timeseries?interval=day&from={from}&to={to}")
    }

    /// The instructions of a server from its start to its end, with a given number of requests.
    fn instructions(&self, ask: Ask, count: usize) -> u64 {
        let folder = tempfile::tempdir().unwrap();
        let database = self.folder.path().join("bench.db");
        std::fs::copy(database, folder.path().join("bench.db")).unwrap();
        let counts = folder.path().join("counts");
        let server = Server::run_in(folder, command(&counts));
        let mut client = server.client();
        for number in 0..WARM_UP + count {
            ask(self, &mut client, number);
        }
        drop(client);
        let _folder = server.stop();
        callgrind::total(&counts)
    }
}

fn command(counts: &Path) -> Command {
    let program = Path::new(env!("CARGO_BIN_EXE_stampcard"));
    let mut command = callgrind::command(program, counts);
    command
        .env("STAMPCARD_SERVER__WORKERS", "1")
        .env("STAMPCARD_DATABASE__READERS", "1")
        // No snapshot of the figures is written in between.
        .env("STAMPCARD_ANALYTICS__SNAPSHOT_INTERVAL", "86400");
    command
}
