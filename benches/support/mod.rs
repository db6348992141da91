//! Shared code of the benchmarks of the whole server: the real binary on a new database or on a
//! copy of a long history, baselines, clients, load, medians, and results that end up in
//! docs/BENCHMARKS.md.

pub(crate) mod disk;
pub(crate) mod events;
pub(crate) mod floor;
pub(crate) mod history;
pub(crate) mod load;
pub(crate) mod results;
pub(crate) mod sizes;
pub(crate) mod targets;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The Org-API-Key of every benchmark.
pub(crate) const KEY: &str = "expys_sandbox_0123456789abcdef0123456789abcdef";

/// The partner key of every benchmark.
pub(crate) const PARTNER_KEY: &str = "partner_sandbox_0123456789abcdef0123456789abcdef";

/// Where databases and results are stored between benchmarks: `target/bench`.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A process under load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
}

impl Target {
    /// The processor time of its threads, in seconds.
    pub(crate) fn cpu_seconds(self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process)).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let ticks = fields.split(' ').skip(11).take(2);
        // Linux reports hundredths of a second here, whatever its internal resolution.
        ticks
            .map(|ticks| ticks.parse::<f64>().unwrap())
            .sum::<f64>()
            / 100.0
    }

    /// The bytes that it made the kernel write, by its own counter; see [`disk`] for its flaw.
    pub(crate) fn written_bytes(self) -> u64 {
        let text = std::fs::read_to_string(format!("/proc/{}/io", self.process)).unwrap();
        let mut lines = text.lines();
        let bytes = lines.find_map(|line| line.strip_prefix("write_bytes: "));
        bytes.unwrap().parse().unwrap()
    }
}

/// The server, which is stopped when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    folder: Option<TempDir>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::on_a_new_database(Command::new(env!("CARGO_BIN_EXE_stampcard")))
    }

    /// On one core, with one worker thread.
    pub(crate) fn start_pinned(core: &str) -> Self {
        Self::on_a_new_database(Self::pinned(core))
    }

    /// On one core, with an existing database.
    pub(crate) fn open_pinned(core: &str, database: &Path) -> Self {
        Self::open(Self::pinned(core), database)
    }

    /// With an existing database.
    pub(crate) fn open(command: Command, database: &Path) -> Self {
        Self::run(command, database, None)
    }

    pub(crate) fn pinned(core: &str) -> Command {
        let mut command = Command::new("taskset");
        command
            .args(["-c", core, env!("CARGO_BIN_EXE_stampcard")])
            .env("STAMPCARD_SERVER__WORKERS", "1");
        command
    }

    pub(crate) fn on_a_new_database(command: Command) -> Self {
        Self::run_in(tempfile::tempdir_in(folder()).unwrap(), command)
    }

    /// On the database `bench.db` of this folder.
    pub(crate) fn run_in(folder: TempDir, command: Command) -> Self {
        let database = folder.path().join("bench.db");
        Self::run(command, &database, Some(folder))
    }

    fn run(mut command: Command, database: &Path, folder: Option<TempDir>) -> Self {
        let mut child = command
            .args(["--listen", "127.0.0.1:0", "--database"])
            .arg(database)
            .env("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", KEY)
            .env("STAMPCARD_BOOTSTRAP__PARTNER_SANDBOX_KEY", PARTNER_KEY)
            .env("STAMPCARD_RATE_LIMIT__PER_MINUTE", "0")
            .env("STAMPCARD_LOG__LEVEL", "error")
            // The maximum, because the keys of a history must not be deleted during a benchmark.
            .env("STAMPCARD_IDEMPOTENCY__RETENTION", "604800")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let address = stdout
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let address = line.strip_prefix("stampcard listening on http://")?;
                Some(address.parse().unwrap())
            })
            .unwrap();
        Self {
            child,
            address,
            folder,
        }
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            address: self.address,
            process: self.child.id(),
        }
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    /// Waits until it has exited.
    pub(crate) fn wait(mut self) {
        assert!(self.child.wait().unwrap().success());
    }

    /// Resident memory, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let kilobytes: u64 = line
            .and_then(|line| line.split_whitespace().nth(1))
            .map(|number| number.parse().unwrap())
            .unwrap();
        kilobytes * 1024
    }

    /// Lets it exit, and returns the folder with its database.
    pub(crate) fn stop(mut self) -> TempDir {
        self.signal("TERM");
        assert!(self.child.wait().unwrap().success());
        self.folder.take().unwrap()
    }

    pub(crate) fn client(&self) -> Client {
        self.client_with(KEY)
    }

    /// A client with another key.
    pub(crate) fn client_with(&self, key: &str) -> Client {
        Client::connect(self.address, key)
    }

    /// A gauge of its metrics.
    pub(crate) fn gauge(&self, name: &str) -> f64 {
        let mut client = self.client();
        let (status, body) = client.send("GET", "/metrics", "");
        assert_eq!(status, 200);
        let text = std::str::from_utf8(body).unwrap();
        let mut lines = text.lines().map(|line| line.split_once(' '));
        let found = lines.find_map(|line| line.filter(|(found, _)| *found == name));
        let (_, value) = found.unwrap_or_else(|| panic!("no gauge {name}"));
        value.parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a process a signal by name.
pub(crate) fn signal(process: u32, name: &str) {
    let status = Command::new("kill")
        .args([format!("-{name}"), process.to_string()])
        .status();
    assert!(status.unwrap().success());
}

/// One connection.
pub(crate) struct Client {
    reader: BufReader<TcpStream>,
    key: String,
    body: Vec<u8>,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr, key: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            reader: BufReader::new(stream),
            key: key.to_owned(),
            body: Vec::new(),
        }
    }

    /// Sends a request and returns the status and the body of the response.
    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> (u16, &[u8]) {
        self.send_with(method, path, "", body)
    }

    /// Sends a request with more headers, each with its line ending.
    pub(crate) fn send_with(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> (u16, &[u8]) {
        let (length, key) = (body.len(), &self.key);
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\n\
             {headers}content-length: {length}\r\n\r\n{body}"
        );
        self.reader.get_mut().write_all(request.as_bytes()).unwrap();
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            line.clear();
            self.reader.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().unwrap();
            }
        }
        self.body.resize(length, 0);
        self.reader.read_exact(&mut self.body).unwrap();
        (status, &self.body)
    }

    /// Gets a path. Without a body, because the server would close the connection.
    pub(crate) fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.send("GET", path, "");
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(body));
        serde_json::from_slice(body).unwrap()
    }

    /// Sends a request whose response must be a success.
    pub(crate) fn expect(&mut self, method: &str, path: &str, body: &Value, status: u16) -> Value {
        let (found, body) = self.send(method, path, &body.to_string());
        assert_eq!(found, status, "{}", String::from_utf8_lossy(body));
        serde_json::from_slice(body).unwrap()
    }
}

/// Requests per second of a given number of clients that credit the same member repeatedly.
pub(crate) fn credits_per_second(server: &Server, clients: usize, time: Duration) -> f64 {
    let (done, stop) = (AtomicU64::new(0), AtomicBool::new(false));
    let (done, stop) = (&done, &stop);
    let body = r#"{"externalUserID":"ann","amount":1}"#;
    std::thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(move || {
                let mut client = server.client();
                while !stop.load(Ordering::Relaxed) {
                    let (status, _) = client.send("POST", "/v1/wallet/credit", body);
                    assert_eq!(status, 200);
                    done.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let (start, before) = (Instant::now(), done.load(Ordering::Relaxed));
        std::thread::sleep(time);
        let count = done.load(Ordering::Relaxed) - before;
        let seconds = start.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let count = count as f64;
        count / seconds
    })
}

/// Millions of bytes.
#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// The median, or the lower of the two in the middle.
pub(crate) fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[(numbers.len() - 1) / 2]
}
