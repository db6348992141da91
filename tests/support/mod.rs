//! A real server on a free port with its own database, and a client without state.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses what it needs of this"
)]
#![allow(missing_docs, missing_debug_implementations, reason = "for tests only")]
#![expect(
    clippy::unwrap_used,
    clippy::needless_pass_by_value,
    reason = "a helper that panics fails its test, and `json!` is passed as it is built"
)]

pub mod documented;
pub mod receiver;
pub mod secrets;
pub mod stream;

use std::io::Read as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::SecretString;
use serde_json::{Value, json};
use stampcard::app::App;
use stampcard::clock::Clock;
use stampcard::config::Settings;
use stampcard::domain::Timestamp;
use stampcard::service::{Names, Services, SystemNames};
use tempfile::TempDir;
use tokio::sync::oneshot;

pub const SANDBOX_KEY: &str = "expys_sandbox_0123456789abcdef0123456789abcdef";
pub const LIVE_KEY: &str = "expys_live_0123456789abcdef0123456789abcdef";
pub const PARTNER_SANDBOX_KEY: &str = "partner_sandbox_0123456789abcdef0123456789abcdef";
pub const PARTNER_LIVE_KEY: &str = "partner_live_0123456789abcdef0123456789abcdef";

/// The time at which every test's clock starts.
pub const NOW: &str = "2026-06-15T12:00:00Z";

/// A running server. Dropping it stops it, and fails if its log contains a secret.
pub struct TestApp {
    pub address: SocketAddr,
    pub clock: Clock,
    pub settings: Settings,
    names: Arc<dyn Names>,
    folder: Arc<TempDir>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
    agent: ureq::Agent,
}

impl TestApp {
    /// Starts a server on a new database; its clock is at [`NOW`].
    pub fn start() -> Self {
        Self::start_with(|_| ())
    }

    /// Starts a server with changed settings.
    pub fn start_with(change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_at(NOW, change)
    }

    /// Starts a server with changed settings and the clock at another time.
    pub fn start_at(now: &str, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_anywhere(now, Arc::new(SystemNames::new()), change)
    }

    /// Like [`TestApp::start_with`], with a name service of the test's own.
    pub fn start_with_names(names: Arc<dyn Names>, change: impl FnOnce(&mut Settings)) -> Self {
        Self::start_anywhere(NOW, names, change)
    }

    fn start_anywhere(
        now: &str,
        names: Arc<dyn Names>,
        change: impl FnOnce(&mut Settings),
    ) -> Self {
        let folder = Arc::new(tempfile::tempdir().unwrap());
        let mut settings = Settings::defaults();
        settings.server.listen = "127.0.0.1:0".parse().unwrap();
        settings.server.workers = 2;
        settings.database.path = folder.path().join("test.db");
        let secret = |key: &str| Some(SecretString::from(key));
        settings.bootstrap.sandbox_key = secret(SANDBOX_KEY);
        settings.bootstrap.live_key = secret(LIVE_KEY);
        settings.bootstrap.partner_sandbox_key = secret(PARTNER_SANDBOX_KEY);
        settings.bootstrap.partner_live_key = secret(PARTNER_LIVE_KEY);
        change(&mut settings);
        let clock = Clock::fixed(Timestamp::parse(now).unwrap());
        Self::run(settings, clock, names, folder)
    }

    fn run(settings: Settings, clock: Clock, names: Arc<dyn Names>, folder: Arc<TempDir>) -> Self {
        secrets::watch();
        let (stop, stopped) = oneshot::channel();
        let (tell_address, told_address) = std::sync::mpsc::channel();
        let (its_settings, its_clock) = (settings.clone(), clock.clone());
        let its_names = Arc::clone(&names);
        let thread = std::thread::spawn(move || {
            let app = App::build_with(&its_settings, &its_clock, its_names).unwrap();
            tell_address.send(app.address()).unwrap();
            let shutdown = async {
                let _ = stopped.await;
            };
            actix_web::rt::System::new()
                .block_on(app.run(shutdown))
                .unwrap();
        });
        let address = told_address.recv().expect("the server starts");
        let agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_mins(1)))
            .build()
            .into();
        Self {
            address,
            clock,
            settings,
            names,
            folder,
            running: Some((stop, thread)),
            agent,
        }
    }

    /// Stops the server as SIGTERM would and starts another on the same database and clock.
    pub fn restart(mut self) -> Self {
        self.stop();
        Self::run(
            self.settings.clone(),
            self.clock.clone(),
            Arc::clone(&self.names),
            Arc::clone(&self.folder),
        )
    }

    /// Stops the server, runs something on the database as the command line does, and starts
    /// another server.
    pub fn while_stopped<T>(&mut self, work: impl AsyncFnOnce(&Services) -> T) -> T {
        self.stop();
        let (services, _) = Services::start(&self.settings, &self.clock).unwrap();
        let result = actix_web::rt::System::new().block_on(work(&services));
        services.stop();
        *self = Self::run(
            self.settings.clone(),
            self.clock.clone(),
            Arc::clone(&self.names),
            Arc::clone(&self.folder),
        );
        result
    }

    /// Stops the server. The database is deleted when this is dropped.
    pub fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            thread.join().unwrap();
        }
    }

    pub fn database(&self) -> PathBuf {
        self.settings.database.path.clone()
    }

    /// A separate connection to the database, for reads that are independent of the server.
    pub fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An open stream of events.
    #[track_caller]
    pub fn stream(&self, credential: &str, path: &str) -> stream::EventStream {
        stream::EventStream::open(self.address, path, credential, "")
    }

    /// The stream of the sandbox program's events after this number.
    #[track_caller]
    pub fn events_after(&self, seq: i64) -> stream::EventStream {
        let header = format!("Last-Event-ID: {seq}\r\n");
        let path = "/v1/activity/stream";
        stream::EventStream::open(self.address, path, SANDBOX_KEY, &header)
    }

    /// A request without a credential.
    pub fn request(&self, method: &str, path: &str) -> Request {
        Request {
            agent: self.agent.clone(),
            builder: ureq::http::Request::builder()
                .method(method)
                .uri(self.url(path)),
            body: Vec::new(),
        }
    }

    /// `GET` with the sandbox Org-API-Key.
    pub fn get(&self, path: &str) -> Response {
        self.request("GET", path).bearer(SANDBOX_KEY).send()
    }

    /// `POST` with the sandbox Org-API-Key.
    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.request("POST", path)
            .bearer(SANDBOX_KEY)
            .json(body)
            .send()
    }

    /// `PUT` with the sandbox Org-API-Key.
    pub fn put(&self, path: &str, body: &Value) -> Response {
        self.request("PUT", path)
            .bearer(SANDBOX_KEY)
            .json(body)
            .send()
    }

    /// `PATCH` with the sandbox Org-API-Key.
    pub fn patch(&self, path: &str, body: &Value) -> Response {
        self.request("PATCH", path)
            .bearer(SANDBOX_KEY)
            .json(body)
            .send()
    }

    /// `DELETE` with the sandbox Org-API-Key.
    pub fn delete(&self, path: &str) -> Response {
        self.request("DELETE", path).bearer(SANDBOX_KEY).send()
    }

    /// A member token, through the exchange.
    pub fn token(&self, external_user_id: &str) -> String {
        let body = json!({"externalUserID": external_user_id});
        let grant = self.post("/v1/auth/exchange", &body).expect(200);
        grant["accessToken"].as_str().unwrap().to_owned()
    }

    /// Creates a member with the given number of points.
    pub fn member(&self, external_user_id: &str, points: u64) {
        self.put(&format!("/v1/members/{external_user_id}"), &json!({}))
            .expect(200);
        if points > 0 {
            let body = json!({"externalUserID": external_user_id, "amount": points});
            self.post("/v1/wallet/credit", &body).expect(200);
        }
    }

    /// Creates an offer with a title and the given fields; returns its id.
    pub fn offer(&self, fields: Value) -> String {
        let mut body = json!({"title": "An offer"});
        body.as_object_mut()
            .unwrap()
            .extend(fields.as_object().unwrap().clone());
        self.post("/v1/offers", &body).expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Redeems on behalf of a member; returns the redemption's id.
    pub fn redeem(&self, external_user_id: &str, offer: &str) -> String {
        let body = json!({"externalUserID": external_user_id, "offer": offer});
        self.post("/v1/redemptions", &body).expect(201)["id"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// A member's balance.
    pub fn balance(&self, external_user_id: &str) -> i64 {
        let path = format!("/v1/wallet?externalUserID={external_user_id}");
        self.get(&path).expect(200)["balance"].as_i64().unwrap()
    }

    /// `GET /v1/analytics/summary` of the sandbox.
    pub fn summary(&self) -> Value {
        self.get("/v1/analytics/summary").expect(200)
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            let _ = stop.send(());
            let _ = thread.join();
        }
        if !std::thread::panicking() {
            secrets::assert_none_logged();
        }
    }
}

/// A request that can be sent once.
pub struct Request {
    agent: ureq::Agent,
    builder: ureq::http::request::Builder,
    body: Vec<u8>,
}

impl Request {
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.builder = self.builder.header(name, value);
        self
    }

    pub fn bearer(self, credential: &str) -> Self {
        self.header("Authorization", &format!("Bearer {credential}"))
    }

    pub fn idempotency_key(self, key: &str) -> Self {
        secrets::note(key);
        self.header("Idempotency-Key", key)
    }

    pub fn json(self, body: &Value) -> Self {
        self.raw(body.to_string())
            .header("Content-Type", "application/json")
    }

    pub fn raw(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Sends it and reads the whole response, which must fit the OpenAPI document; of a stream,
    /// which does not end, the first piece.
    pub fn send(self) -> Response {
        let method = self.builder.method_ref().map(ToString::to_string);
        let path = self.builder.uri_ref().map(|uri| uri.path().to_owned());
        let response = self.send_unchecked();
        if let (Some(method), Some(path)) = (method, path) {
            documented::check(&method, &path, &response);
        }
        response
    }

    fn send_unchecked(self) -> Response {
        secrets::note_body(&self.body);
        let request = self.builder.body(self.body).unwrap();
        let mut response = self.agent.run(request).unwrap();
        let headers = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let status = response.status().as_u16();
        let is_stream = response
            .headers()
            .get("content-type")
            .is_some_and(|kind| kind == "text/event-stream");
        let bytes = if is_stream {
            let mut piece = vec![0; 4096];
            let length = response.body_mut().as_reader().read(&mut piece).unwrap();
            piece.truncate(length);
            piece
        } else {
            response.body_mut().read_to_vec().unwrap()
        };
        Response {
            status,
            headers,
            bytes,
        }
    }
}

/// A response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub bytes: Vec<u8>,
}

impl Response {
    /// The body, if the status is as expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        self.json()
    }

    /// The message of an error, if status and code are as expected.
    #[track_caller]
    pub fn expect_error(self, status: u16, code: &str) -> String {
        let body = self.expect(status);
        assert_eq!(body["error"]["code"], code, "{body}");
        body["error"]["message"].as_str().unwrap().to_owned()
    }

    pub fn json(&self) -> Value {
        if self.bytes.is_empty() {
            return Value::Null;
        }
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}
