//! Starts the binary, sends requests to it, and ends it with the test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::secrets;

pub(crate) const SANDBOX_KEY: &str = "expys_sandbox_0123456789abcdef0123456789abcdef";

/// Longer than anything here takes; after that a test fails instead of hanging.
const PATIENCE: Duration = Duration::from_mins(1);
/// The limit for `verify`, which reads every row: an hour's load leaves more than ten million.
const VERIFY_PATIENCE: Duration = Duration::from_mins(15);

/// A folder for the database and other files of a test. It is deleted with the test.
pub(crate) struct Place {
    folder: TempDir,
    logs: AtomicUsize,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            logs: AtomicUsize::new(0),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path("test.db")
    }

    /// A separate connection to the database.
    pub(crate) fn sqlite(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.database()).unwrap()
    }

    /// The names of the files in the folder, except the logs of this helper.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = self.folder.path().read_dir().unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.starts_with("stderr-"))
            .collect();
        names.sort();
        names
    }

    /// The binary with these arguments, in this folder, and without settings from the environment.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stampcard"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .stdin(Stdio::null());
        command
    }

    /// The same on this folder's database.
    pub(crate) fn on_database(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(arguments);
        command.arg("--database").arg(self.database());
        command
    }

    /// Runs the binary with these arguments on this folder's database.
    #[track_caller]
    pub(crate) fn run_on_database(&self, arguments: &[&str]) -> Ended {
        self.run(self.on_database(arguments))
    }

    /// Starts a server on this folder's database, with the keys that the tests know.
    pub(crate) fn serve(&self) -> Command {
        let mut command = self.command(&["--listen", "127.0.0.1:0", "--database"]);
        command
            .arg(self.database())
            .env("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", SANDBOX_KEY);
        command
    }

    pub(crate) fn start(&self) -> Server {
        self.start_as(self.serve())
    }

    /// Runs a command until it listens.
    #[track_caller]
    pub(crate) fn start_as(&self, mut command: Command) -> Server {
        let log = self.new_log();
        command.stderr(File::create(&log).unwrap());
        Self::start_logging_to(command, log)
    }

    /// The same, with a separate standard error, which is `log` if it is a file.
    #[track_caller]
    pub(crate) fn start_logging_to(mut command: Command, log: PathBuf) -> Server {
        let level = "STAMPCARD_LOG__LEVEL";
        if command.get_envs().all(|(name, _)| name != level) {
            // So that everything it logs is checked in the end.
            command.env(level, secrets::LEVEL);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    break;
                }
            }
        });
        let mut server = Server {
            child,
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            printed: Vec::new(),
            told: Mutex::new(told),
            log,
            agent: agent(),
        };
        loop {
            let Ok(line) = server.told.lock().unwrap().recv_timeout(PATIENCE) else {
                panic!(
                    "it does not listen: {:?}",
                    std::fs::read_to_string(&server.log)
                );
            };
            if let Some(address) = line.strip_prefix("stampcard listening on http://") {
                server.address = address.parse().unwrap();
                return server;
            }
            server.printed.push(line);
        }
    }

    /// Runs a command that ends without a signal.
    #[track_caller]
    pub(crate) fn run(&self, command: Command) -> Ended {
        self.run_for(command, PATIENCE)
    }

    /// Runs a command that may take longer.
    #[track_caller]
    fn run_for(&self, mut command: Command, patience: Duration) -> Ended {
        let log = self.new_log();
        command.stderr(File::create(&log).unwrap());
        let out = log.with_extension("out");
        command.stdout(File::create(&out).unwrap());
        let mut child = command.spawn().unwrap();
        let status = wait(&mut child, patience);
        Ended {
            code: status.code(),
            stdout: std::fs::read_to_string(out).unwrap(),
            stderr: std::fs::read_to_string(log).unwrap(),
        }
    }

    /// The wallets in a database of this folder, as its view shows them to any other program: id,
    /// balance, points received and spent.
    pub(crate) fn wallets(&self, database: &str) -> Vec<String> {
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let connection = rusqlite::Connection::open_with_flags(self.path(database), flags).unwrap();
        let sql = "SELECT format('%s %d %d %d', m.external_user_id, w.balance, w.amount_received,
                w.amount_spent)
            FROM wallet w JOIN member m ON m.id = w.member_id ORDER BY 1";
        let mut statement = connection.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<Result<_, _>>().unwrap()
    }

    /// `stampcard verify` on this folder's database.
    #[track_caller]
    pub(crate) fn verify(&self) -> Ended {
        let mut command = self.command(&["verify", "--database"]);
        command.arg(self.database());
        self.run_for(command, VERIFY_PATIENCE)
    }

    fn new_log(&self) -> PathBuf {
        let number = self.logs.fetch_add(1, Ordering::Relaxed);
        self.path(&format!("stderr-{number}"))
    }
}

/// Runs it and checks that standard error is empty and the exit code 0.
#[track_caller]
pub(crate) fn done(ended: &Ended) -> &Ended {
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:?}"
    );
    ended
}

/// The output of a command.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Its standard error, after a check that it failed as a command fails: with exit code 1, one
    /// line and nothing on standard output.
    #[track_caller]
    pub(crate) fn refusal(&self) -> &str {
        assert_eq!((self.code, self.stdout.as_str()), (Some(1), ""), "{self:?}");
        assert_eq!(self.stderr.lines().count(), 1, "{}", self.stderr);
        assert!(self.stderr.starts_with("stampcard: "), "{}", self.stderr);
        self.stderr.trim_end()
    }
}

/// A running server. It is killed with the test at the latest; then its log must contain no secret.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The lines before the one with the address.
    pub(crate) printed: Vec<String>,
    told: Mutex<Receiver<String>>,
    log: PathBuf,
    pub(crate) agent: ureq::Agent,
}

pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(PATIENCE))
        .build()
        .into()
}

impl Server {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard error so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap()
    }

    /// Waits until the log contains a text.
    #[track_caller]
    pub(crate) fn wait_for_log(&self, text: &str) {
        let start = Instant::now();
        while !self.log().contains(text) {
            assert!(start.elapsed() < PATIENCE, "never logged: {text}");
            std::thread::yield_now();
        }
    }

    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args([&format!("-{name}"), &self.id().to_string()])
            .status();
        assert!(status.unwrap().success());
    }

    /// Waits for the end; returns the exit code and the output after the address.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> (Option<i32>, Vec<String>) {
        let status = wait(&mut self.child, PATIENCE);
        (status.code(), self.told.lock().unwrap().iter().collect())
    }

    /// Stops it as a service manager does.
    #[track_caller]
    pub(crate) fn terminate(mut self) {
        self.signal("TERM");
        assert_eq!(self.wait(), (Some(0), Vec::new()), "{}", self.log());
    }

    /// Kills it immediately.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// A request with the sandbox key; an error if the connection broke.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        idempotency_key: Option<&str>,
        body: &Value,
    ) -> Result<Answer, ureq::Error> {
        request(
            &self.agent,
            self.address,
            SANDBOX_KEY,
            (method, path),
            idempotency_key,
            body,
        )
    }

    #[track_caller]
    pub(crate) fn get(&self, path: &str) -> Value {
        self.send("GET", path, None, &Value::Null)
            .unwrap()
            .expect(200)
    }

    #[track_caller]
    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send("POST", path, None, body).unwrap()
    }

    #[track_caller]
    pub(crate) fn credit(&self, member: &str, amount: u64) {
        let body = json!({"externalUserID": member, "amount": amount});
        self.post("/v1/wallet/credit", &body).expect(200);
    }

    /// Writes that leave the balance as it is.
    #[track_caller]
    pub(crate) fn move_points(&self, member: &str) {
        self.credit(member, 3);
        let body = json!({"externalUserID": member, "amount": 3});
        self.post("/v1/wallet/debit", &body).expect(200);
    }

    #[track_caller]
    /// The wallets of all members of the program, as [`Place::wallets`] shows them.
    pub(crate) fn wallets(&self) -> Vec<String> {
        let page = self.get("/v1/members?limit=100&includeArchived=true");
        assert_eq!(page["nextCursor"], Value::Null);
        let shown = |member: &Value| {
            let wallet = &member["wallet"];
            let (balance, received) = (&wallet["balance"], &wallet["amountReceived"]);
            let id = member["externalUserID"].as_str().unwrap();
            format!("{id} {balance} {received} {}", wallet["amountSpent"])
        };
        let members = page["members"].as_array().unwrap().iter();
        let mut wallets: Vec<String> = members.map(shown).collect();
        wallets.sort();
        wallets
    }

    pub(crate) fn set_member(&self, member: &str) {
        let path = format!("/v1/members/{member}");
        let answer = self.send("PUT", &path, None, &json!({})).unwrap();
        answer.expect(200);
    }

    /// Creates an offer and returns its id.
    #[track_caller]
    pub(crate) fn offer(&self, price: u64) -> String {
        let body = json!({"title": "An offer", "pointsPrice": price});
        let offer = self.post("/v1/offers", &body).expect(201);
        offer["id"].as_str().unwrap().to_owned()
    }

    /// A member's support conversation.
    pub(crate) fn support(&self, member: &str) -> String {
        let list = self.get(&format!("/v1/conversations?externalUserID={member}"));
        let all = list["conversations"].as_array().unwrap();
        let support = all.iter().find(|one| one["type"] == "support");
        support.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Creates some data of every kind: two members, credits, a redemption completed and one
    /// canceled.
    pub(crate) fn live_a_little(&self) {
        let offer = self.offer(30);
        for member in ["ann", "bob"] {
            self.set_member(member);
            self.credit(member, 100);
            let body = json!({"externalUserID": member, "offer": offer});
            let made = self.post("/v1/redemptions", &body).expect(201);
            let status = if member == "ann" {
                "COMPLETED"
            } else {
                "CANCELED"
            };
            let path = format!("/v1/redemptions/{}", made["id"].as_str().unwrap());
            let body = json!({"status": status});
            self.send("PATCH", &path, None, &body).unwrap().expect(200);
        }
        let body = json!({"externalUserID": "ann"});
        self.post("/v1/auth/exchange", &body).expect(200);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        if !std::thread::panicking() {
            for line in log.lines() {
                assert_eq!(secrets::find(line), None, "the log tells it: {line}");
            }
        }
    }
}

/// Waits for a process, up to a limit.
#[track_caller]
fn wait(child: &mut Child, patience: Duration) -> ExitStatus {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if start.elapsed() > patience {
            let _ = child.kill();
            panic!("it does not end");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// A response.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) request_id: String,
    pub(crate) is_replay: bool,
    pub(crate) text: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        serde_json::from_str(&self.text).unwrap()
    }
}

/// One request.
pub(crate) fn request(
    agent: &ureq::Agent,
    address: SocketAddr,
    key: &str,
    (method, path): (&str, &str),
    idempotency_key: Option<&str>,
    body: &Value,
) -> Result<Answer, ureq::Error> {
    let mut builder = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{address}{path}"))
        .header("Authorization", format!("Bearer {key}"));
    if let Some(key) = idempotency_key {
        builder = builder.header("Idempotency-Key", key);
    }
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    secrets::note_body(body.as_bytes());
    run(agent, builder.body(body.into_bytes()).unwrap())
}

/// Sends a PNG file in a conversation.
pub(crate) fn upload(
    agent: &ureq::Agent,
    address: SocketAddr,
    (conversation, name): (&str, &str),
    idempotency_key: &str,
    file: Vec<u8>,
) -> Result<Answer, ureq::Error> {
    secrets::note(name);
    let path = format!("/v1/conversations/{conversation}/attachments?name={name}");
    let builder = ureq::http::Request::builder()
        .method("POST")
        .uri(format!("http://{address}{path}"))
        .header("Authorization", format!("Bearer {SANDBOX_KEY}"))
        .header("Idempotency-Key", idempotency_key)
        .header("Content-Type", "image/png");
    run(agent, builder.body(file).unwrap())
}

/// A file of a size that begins as a PNG does, filled with bytes of this seed.
pub(crate) fn picture(size: usize, seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    file.extend(std::iter::repeat_with(|| random.u8(..)).take(size - file.len()));
    file
}

fn run(agent: &ureq::Agent, request: ureq::http::Request<Vec<u8>>) -> Result<Answer, ureq::Error> {
    let mut response = agent.run(request)?;
    let header = |name: &str| {
        let value = response.headers().get(name);
        value.map(|value| value.to_str().unwrap().to_owned())
    };
    let (request_id, is_replay) = (
        header("X-Request-Id").unwrap_or_default(),
        header("Idempotency-Replayed").is_some(),
    );
    Ok(Answer {
        status: response.status().as_u16(),
        request_id,
        is_replay,
        text: response.body_mut().read_to_string()?,
    })
}

/// The permission bits of a file.
pub(crate) fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}
