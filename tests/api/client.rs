//! More requests than the support module has, and reads of the rows that are independent of the
//! server.

use std::sync::Barrier;
use std::time::{Duration, Instant};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::types::Value as SqlValue;
use serde_json::{Value, json};
use stampcard::domain::{EventName, Timestamp};

use crate::support::receiver::PATIENCE;
use crate::support::{
    LIVE_KEY, PARTNER_SANDBOX_KEY, Request, Response, SANDBOX_KEY, TestApp, secrets,
};

/// A request with a credential and, unless it is null, a body.
pub(crate) fn call(
    app: &TestApp,
    credential: &str,
    method: &str,
    path: &str,
    body: &Value,
) -> Response {
    let request = app.request(method, path).bearer(credential);
    if body.is_null() {
        request.send()
    } else {
        request.json(body).send()
    }
}

/// `GET` with a credential.
pub(crate) fn get_as(app: &TestApp, credential: &str, path: &str) -> Response {
    call(app, credential, "GET", path, &Value::Null)
}

/// `POST` with a credential.
pub(crate) fn post_as(app: &TestApp, credential: &str, path: &str, body: &Value) -> Response {
    call(app, credential, "POST", path, body)
}

/// A request with the live Org-API-Key.
pub(crate) fn live(app: &TestApp, method: &str, path: &str, body: &Value) -> Response {
    call(app, LIVE_KEY, method, path, body)
}

/// `POST` with the sandbox Org-API-Key and an Idempotency-Key.
pub(crate) fn post_once(app: &TestApp, key: &str, path: &str, body: &Value) -> Response {
    app.request("POST", path)
        .bearer(SANDBOX_KEY)
        .idempotency_key(key)
        .json(body)
        .send()
}

/// Gives points to a member.
#[track_caller]
pub(crate) fn credit(app: &TestApp, member: &str, amount: u64) {
    let body = json!({"externalUserID": member, "amount": amount});
    app.post("/v1/wallet/credit", &body).expect(200);
}

/// Redeems on behalf of a member and returns any response.
pub(crate) fn try_redeem(app: &TestApp, member: &str, offer: &str) -> Response {
    let body = json!({"externalUserID": member, "offer": offer});
    app.post("/v1/redemptions", &body)
}

/// Moves a redemption to a status.
pub(crate) fn move_to(app: &TestApp, redemption: &str, status: &str) -> Response {
    let path = format!("/v1/redemptions/{redemption}");
    app.patch(&path, &json!({"status": status}))
}

/// Cancels a redemption with the Org-API-Key.
pub(crate) fn cancel(app: &TestApp, redemption: &str) -> Response {
    let path = format!("/v1/redemptions/{redemption}/cancel");
    app.post(&path, &json!({}))
}

/// The eligibility of an offer.
#[track_caller]
pub(crate) fn stock(app: &TestApp, offer: &str) -> Value {
    app.get(&format!("/v1/offers/{offer}")).expect(200)["availability"].clone()
}

/// A segment of a path, every special character percent-encoded.
pub(crate) fn encode(segment: &str) -> String {
    utf8_percent_encode(segment, NON_ALPHANUMERIC).to_string()
}

/// `GET /v1/analytics/timeseries` with a query; returns any response.
pub(crate) fn ask(app: &TestApp, query: &str) -> Response {
    app.get(&format!("/v1/analytics/timeseries?{query}"))
}

/// A bucket with its times as numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) signups: i64,
    pub(crate) minted: i64,
    pub(crate) spent: i64,
}

/// The buckets of a timeseries.
#[track_caller]
pub(crate) fn buckets(app: &TestApp, query: &str) -> Vec<Bucket> {
    let body = ask(app, query).expect(200);
    let of = |bucket: &Value, name: &str| bucket[name].as_i64().unwrap();
    let buckets = body["buckets"].as_array().unwrap();
    buckets
        .iter()
        .map(|bucket| Bucket {
            start: of(bucket, "startTime"),
            end: of(bucket, "endTime"),
            signups: of(bucket, "signups"),
            minted: of(bucket, "pointsMinted"),
            spent: of(bucket, "pointsSpent"),
        })
        .collect()
}

/// Unix milliseconds of an RFC 3339 time.
#[track_caller]
pub(crate) fn millis(time: &str) -> i64 {
    Timestamp::parse(time).unwrap().as_millis()
}

/// The RFC 3339 time of Unix milliseconds.
#[track_caller]
pub(crate) fn time(millis: i64) -> String {
    Timestamp::from_millis(millis).unwrap().to_string()
}

/// Advances the clock to a time.
#[track_caller]
pub(crate) fn wait_until(app: &TestApp, time: &str) {
    let left = millis(time) - app.clock.now().as_millis();
    let left = u64::try_from(left).expect("the clock only goes forward");
    app.clock.advance(Duration::from_millis(left));
}

/// The single number that a query returns.
#[track_caller]
pub(crate) fn number(app: &TestApp, sql: &str) -> i64 {
    app.sqlite().query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The number of activities of a kind.
#[track_caller]
pub(crate) fn activities(app: &TestApp, kind: i64) -> i64 {
    let sql = format!("SELECT count(*) FROM activity WHERE kind = {kind}");
    number(app, &sql)
}

/// The events that a webhook can subscribe to.
pub(crate) fn catalogue() -> [&'static str; EventName::ALL.len()] {
    EventName::ALL.map(EventName::as_str)
}

/// The id of a webhook and the secret that signs its requests.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Webhook {
    /// Its path, followed by `rest`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/v1/webhooks/{}{rest}", self.id)
    }
}

/// Creates a webhook in the sandbox.
#[track_caller]
pub(crate) fn webhook(app: &TestApp, url: &str, events: &[&str]) -> Webhook {
    let body = json!({"url": url, "events": events});
    let made = app.post("/v1/webhooks", &body).expect(201);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    Webhook {
        id: text("id"),
        secret: text("signingSecret"),
    }
}

/// The deliveries of a webhook, newest events first.
#[track_caller]
pub(crate) fn deliveries(app: &TestApp, webhook: &Webhook) -> Vec<Value> {
    let page = app.get(&webhook.path("/deliveries?limit=100")).expect(200);
    page["deliveries"].as_array().unwrap().clone()
}

/// Waits until a webhook's newest delivery fulfils a condition.
#[track_caller]
pub(crate) fn delivery(app: &TestApp, webhook: &Webhook, is: impl Fn(&Value) -> bool) -> Value {
    until(|| {
        let newest = deliveries(app, webhook).into_iter().next();
        newest.filter(|newest| is(newest))
    })
}

/// Polls until there is a value, for work that another thread of the server does later.
#[track_caller]
pub(crate) fn until<T>(look: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "it never came");
    }
}

/// A member's support conversation.
#[track_caller]
pub(crate) fn support(app: &TestApp, member: &str) -> String {
    conversation(app, member, "support")
}

/// A member's only conversation of a type.
#[track_caller]
pub(crate) fn conversation(app: &TestApp, member: &str, kind: &str) -> String {
    let path = format!("/v1/conversations?externalUserID={}", encode(member));
    let list = app.get(&path).expect(200);
    let all = list["conversations"].as_array().unwrap();
    let mut found = all.iter().filter(|one| one["type"] == kind);
    let id = found.next().unwrap()["id"].as_str().unwrap().to_owned();
    assert_eq!(found.next(), None, "there is only one of type {kind}");
    id
}

/// Sends a message in a conversation as the operator.
#[track_caller]
pub(crate) fn say_as_agent(app: &TestApp, conversation: &str, text: &str) {
    let path = format!("/v1/conversations/{conversation}/messages");
    let body = json!({"message": text, "as": "agent"});
    let said = app.post(&path, &body).expect(200);
    assert_eq!(said, json!({"ok": true}));
}

/// Sends a message in a conversation with a member's token.
#[track_caller]
pub(crate) fn say(app: &TestApp, token: &str, conversation: &str, text: &str) {
    let path = format!("/v1/conversations/{conversation}/messages");
    let said = post_as(app, token, &path, &json!({"message": text})).expect(200);
    assert_eq!(said, json!({"ok": true}));
}

/// A file of a size that begins as a PNG does, filled with a byte.
pub(crate) fn picture(size: usize, filler: u8) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(size.max(bytes.len()), filler);
    bytes
}

/// A request that sends a picture in a conversation as the operator.
pub(crate) fn attaching(
    app: &TestApp,
    conversation: &str,
    name: &str,
    picture: impl Into<Vec<u8>>,
) -> Request {
    secrets::note(name);
    let name = encode(name);
    let path = format!("/v1/conversations/{conversation}/attachments?name={name}");
    let request = app.request("POST", &path).bearer(SANDBOX_KEY);
    request.header("Content-Type", "image/png").raw(picture)
}

/// Sends a picture in a conversation as the operator; returns the message.
#[track_caller]
pub(crate) fn attach(app: &TestApp, conversation: &str, name: &str, picture: &[u8]) -> Value {
    attaching(app, conversation, name, picture)
        .send()
        .expect(201)
}

/// Every row of every table that a request could write to.
pub(crate) fn rows(app: &TestApp) -> Vec<String> {
    const TABLES: [(&str, &str); 21] = [
        ("organization", "*"),
        ("program", "*"),
        ("configuration", "*"),
        ("asset", "*"),
        ("credential", "*"),
        ("member", "*"),
        ("offer", "*"),
        ("redemption", "*"),
        ("activity", "*"),
        ("idempotency", "*"),
        ("pool_usage", "*"),
        ("organization_usage", "*"),
        ("conversation", "*"),
        ("message", "*"),
        ("attachment", "*"),
        ("attachment_piece", "attachment_id, number, length(data)"),
        ("interest", "*"),
        ("phone_code", "*"),
        ("gateway", "*"),
        // The sender writes the other columns of these two tables at any time.
        (
            "webhook_endpoint",
            "uuid, program_id, url, events, disabled_at",
        ),
        ("webhook_delivery WHERE seq < 0", "endpoint_id, seq"),
    ];
    let connection = app.sqlite();
    let mut rows = Vec::new();
    for (table, columns) in TABLES {
        let sql = format!("SELECT {columns} FROM {table}");
        let mut statement = connection.prepare(&sql).unwrap();
        let columns = statement.column_count();
        let found = statement.query_map([], |row| {
            let values: Result<Vec<SqlValue>, _> = (0..columns).map(|i| row.get(i)).collect();
            Ok(format!("{table} {:?}", values?))
        });
        rows.extend(found.unwrap().map(Result::unwrap));
    }
    rows
}

/// The names of an object's fields, sorted.
#[track_caller]
pub(crate) fn names(body: &Value) -> Vec<&str> {
    body.as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

/// One field of every row of a list.
#[track_caller]
pub(crate) fn column<'a>(rows: &'a Value, field: &str) -> Vec<&'a str> {
    let rows = rows.as_array().unwrap();
    rows.iter()
        .map(|row| row[field].as_str().unwrap())
        .collect()
}

/// Sends two requests at the same time and returns their statuses, sorted.
pub(crate) fn race(sends: [&(dyn Fn() -> Response + Sync); 2]) -> Vec<u16> {
    let start = Barrier::new(2);
    let start = &start;
    let mut statuses = std::thread::scope(|scope| {
        let running = sends.map(|send| {
            scope.spawn(move || {
                start.wait();
                send().status
            })
        });
        running.map(|thread| thread.join().unwrap())
    });
    statuses.sort_unstable();
    statuses.to_vec()
}

/// A request with the sandbox partner key and, unless it is null, a body.
pub(crate) fn partner(app: &TestApp, method: &str, path: &str, body: &Value) -> Response {
    call(app, PARTNER_SANDBOX_KEY, method, path, body)
}

/// `GET` with the sandbox partner key, which must succeed.
#[track_caller]
pub(crate) fn partner_get(app: &TestApp, path: &str) -> Value {
    partner(app, "GET", path, &Value::Null).expect(200)
}

/// The id of an organization and the key of its first program.
#[derive(Debug, Clone)]
pub(crate) struct Tenant {
    pub(crate) id: String,
    pub(crate) key: String,
}

impl Tenant {
    /// Its path, followed by `rest`.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/partner/organizations/{}{rest}", self.id)
    }
}

/// Creates an organization.
#[track_caller]
pub(crate) fn organization(app: &TestApp, partner_key: &str, body: &Value) -> Tenant {
    let made = post_as(app, partner_key, "/partner/organizations", body).expect(201);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    Tenant {
        id: text(&made["organization"]["id"]),
        key: text(&made["apiKey"]),
    }
}

/// Creates a program and returns its id and key.
#[track_caller]
pub(crate) fn program(app: &TestApp, key: &str, name: &str) -> (String, String) {
    let made = post_as(app, key, "/v1/programs", &json!({"name": name})).expect(201);
    let text = |field: &str| made[field].as_str().unwrap().to_owned();
    (text("id"), text("apiKey"))
}

/// Checks an error in the `snake_case` envelope and returns its message.
#[track_caller]
pub(crate) fn scrip_error(response: Response, status: u16, code: &str) -> String {
    let body = response.expect(status);
    match &body["details"] {
        Value::Null => assert_eq!(names(&body), ["code", "message"]),
        details => {
            assert_eq!(names(&body), ["code", "details", "message"]);
            assert_eq!(details["message"], body["message"], "{body}");
            let told = format!("{} {}", details["field"], details["expected"]).replace('"', "");
            let message = body["message"].as_str().unwrap().replace('"', "");
            assert_eq!(told, message, "{body}");
        }
    }
    assert_eq!(body["code"], code, "{body}");
    body["message"].as_str().unwrap().to_owned()
}

/// A PUT with a raw body.
pub(crate) fn put_raw(app: &TestApp, path: &str, body: &str) -> Response {
    app.request("PUT", path)
        .bearer(SANDBOX_KEY)
        .header("Content-Type", "application/json")
        .raw(body)
        .send()
}

/// Checks an error in the partner's envelope and returns its message.
#[track_caller]
pub(crate) fn partner_error(response: Response, status: u16, code: &str) -> String {
    let body = response.expect(status);
    assert_eq!(names(&body), ["code", "details", "message"]);
    assert_eq!(body["code"], code, "{body}");
    assert!(body["details"].is_object(), "{body}");
    body["message"].as_str().unwrap().to_owned()
}

/// Exchanges a program's key for a member's token.
#[track_caller]
pub(crate) fn exchange(app: &TestApp, key: &str, member: &str) -> String {
    let body = json!({"externalUserID": member});
    let grant = post_as(app, key, "/v1/auth/exchange", &body).expect(200);
    grant["accessToken"].as_str().unwrap().to_owned()
}

/// An object with the fields of another one.
pub(crate) fn with(mut body: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else {
        panic!("{fields} is no object")
    };
    body.as_object_mut().unwrap().extend(fields);
    body
}

/// `verify` finds nothing.
#[track_caller]
pub(crate) fn check(app: &TestApp) {
    let report = stampcard::service::verify::verify(&app.sqlite(), |_| ()).unwrap();
    assert_eq!(report.findings, Vec::<String>::new());
}
