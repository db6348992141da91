//! Follows CONTRIBUTING's recipe for an event in a copy of the tree, and looks whether the event is
//! streamed, delivered, counted and documented without anything else being touched.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use serde_json::{Value, json};

const KEY: &str = "expys_sandbox_0123456789abcdef0123456789abcdef";
/// Files that a recipe may have at most.
const FILES_MAX: usize = 9;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// What is copied of the tree.
const TREE: &[&str] = &[
    ".cargo",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "benches",
    "build",
    "build.rs",
    "clippy.toml",
    "config.toml",
    "docs",
    "schema.sql",
    "src",
    "tests",
];

/// An edit: the file, what stands there, and what stands there afterwards.
const EDITS: &[(&str, &str, &str)] = &[
    (
        "src/domain/events.rs",
        "    /// A member token was created",
        "    /// A member got another name.
    14 MemberRenamed \"member.renamed\" Catalogue Counted Member
        { member: MemberNumber = Member, tier: Tier = To };
    /// A member token was created",
    ),
    (
        "src/analytics/counters.rs",
        "            | Event::MemberErased { .. }",
        "            | Event::MemberErased { .. }
            | Event::MemberRenamed { .. }",
    ),
    (
        "src/service/events/catalogue.rs",
        "        Event::MemberCreated { member, tier }",
        "        Event::MemberRenamed { member, tier } => member_object(find(*member)?, tier),
        Event::MemberCreated { member, tier }",
    ),
    (
        "src/service/loyalty/members.rs",
        "    store::search::index(tx, Some(&before), &member)?;
    let number = member.number;",
        "    store::search::index(tx, Some(&before), &member)?;
    if member.display_name != before.display_name {
        let event = Event::MemberRenamed {
            member: member.number,
            tier: member.tier.clone(),
        };
        events::record(tx, member.program, at, event)?;
    }
    let number = member.number;",
    ),
];

/// Files that commands write, and those that hold tests and words.
const WRITTEN: &[&str] = &["docs/API.md", "docs/EVENTS.md", "docs/openapi.json"];
const BY_HAND: &[&str] = &["tests/api/webhooks.rs", "CHANGELOG.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files that the recipe names, in its order.
fn files_of_recipe() -> Vec<String> {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, recipe) = text.split_once("## Recipe: an event").unwrap();
    let recipe = recipe.split("\n## ").next().unwrap();
    let steps = recipe.lines().filter(|line| {
        line.split_once(". ")
            .is_some_and(|(number, _)| number.parse::<u8>().is_ok())
    });
    steps
        .map(|step| step.split('`').nth(1).unwrap().to_owned())
        .collect()
}

#[test]
fn the_recipe_names_files_that_exist_and_no_more_than_it_may() {
    let files = files_of_recipe();
    assert!(files.len() <= FILES_MAX, "{files:?}");
    for file in &files {
        assert!(root().join(file).is_file(), "{file}");
    }
    let touched: BTreeSet<&str> = EDITS
        .iter()
        .map(|(file, ..)| *file)
        .chain(WRITTEN.iter().copied())
        .chain(BY_HAND.iter().copied())
        .collect();
    let named: BTreeSet<&str> = files.iter().map(String::as_str).collect();
    assert_eq!(touched, named);
    for (file, before, _) in EDITS {
        let text = fs::read_to_string(root().join(file)).unwrap();
        assert_eq!(text.matches(before).count(), 1, "{file}: {before}");
    }
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in from.read_dir().unwrap() {
            let entry = entry.unwrap();
            copy(&entry.path(), &to.join(entry.file_name()));
        }
    } else if from.exists() {
        fs::copy(from, to).unwrap();
    }
}

/// A copy of the tree, changed as the recipe says.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Always in the same place, as a package elsewhere would be built as another one.
    fn new() -> Self {
        let folder = Self::target().join("tree");
        let _ = fs::remove_dir_all(&folder);
        for name in TREE {
            copy(&root().join(name), &folder.join(name));
        }
        for (file, before, after) in EDITS {
            let path = folder.join(file);
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, text.replacen(before, after, 1)).unwrap();
        }
        Self { folder }
    }

    /// Where its binary goes.
    fn target() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("recipe")
    }

    /// Where everything else goes: beside what was built for this test, so that no dependency is
    /// compiled a second time.
    fn build() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR"))
            .parent()
            .unwrap()
            .to_owned()
    }

    #[track_caller]
    fn cargo(&self, arguments: &[&str], environment: &[(&str, &str)]) {
        let ended = Command::new(env!("CARGO"))
            .args(arguments)
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", Self::target())
            .env("CARGO_BUILD_BUILD_DIR", Self::build())
            .envs(environment.iter().copied())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{arguments:?}: {said}");
    }

    fn binary() -> PathBuf {
        Self::target().join("debug/stampcard")
    }
}

/// A server that ends with the test.
struct Server {
    child: Child,
    url: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(Copy::binary())
            .args(["--listen", "127.0.0.1:0", "--database", "test.db"])
            .current_dir(folder)
            .env("STAMPCARD_BOOTSTRAP__SANDBOX_KEY", KEY)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines
            .map(Result::unwrap)
            .find_map(|line| Some(line.strip_prefix("stampcard listening on ")?.to_owned()))
            .unwrap();
        Self { child, url }
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .build()
            .into();
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Authorization", format!("Bearer {KEY}"))
            .header("Content-Type", "application/json")
            .body(body.to_string())
            .unwrap();
        let mut answer = agent.run(request).unwrap();
        answer.body_mut().read_json().unwrap()
    }

    fn event_count(&self) -> Value {
        let agent = ureq::get(format!("{}/v1/reports/program-activity", self.url));
        let mut answer = agent
            .header("Authorization", format!("Bearer {KEY}"))
            .call()
            .unwrap();
        let report: Value = answer.body_mut().read_json().unwrap();
        report["data"][0]["event_count"].clone()
    }

    /// The first lines of the stream of activity from the beginning, up to one that has `end`.
    fn stream_until(&self, end: &str) -> String {
        let answer = ureq::get(format!("{}/v1/activity/stream", self.url))
            .header("Authorization", format!("Bearer {KEY}"))
            .header("Last-Event-ID", "0")
            .call()
            .unwrap();
        let mut text = String::new();
        for line in BufReader::new(answer.into_body().into_reader()).lines() {
            text.push_str(&line.unwrap());
            text.push('\n');
            if text.contains(end) {
                break;
            }
        }
        text
    }
}

/// Answers one POST and hands its body out.
fn receiver() -> (u16, std::sync::mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = channel();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut length, mut line) = (0, String::new());
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            .unwrap();
        tell.send(String::from_utf8(body).unwrap()).unwrap();
    });
    (port, told)
}

/// It compiles the product a second time, so that it takes a minute.
#[test]
#[ignore = "make recipe"]
fn an_event_that_is_added_by_the_recipe_is_streamed_delivered_counted_and_documented() {
    let copy = Copy::new();
    // With the features that the tests' dependencies ask for, as all else is built.
    copy.cargo(&["test", "--no-run", "--test", "documents"], &[]);

    // Documented: by the commands that the recipe names.
    let written = Command::new(Copy::binary())
        .arg("openapi")
        .output()
        .unwrap();
    let described: Value = serde_json::from_slice(&written.stdout).unwrap();
    assert!(described["webhooks"]["member.renamed"].is_object());
    let schemas = &described["components"]["schemas"];
    assert!(schemas["MemberRenamedEvent"].is_object());
    fs::write(copy.folder.join("docs/openapi.json"), written.stdout).unwrap();
    let write = [("STAMPCARD_WRITE_DOCS", "1")];
    copy.cargo(&["test", "--test", "documents"], &write);
    copy.cargo(&["test", "--test", "documents"], &[]);
    for document in ["docs/EVENTS.md", "docs/API.md"] {
        let text = fs::read_to_string(copy.folder.join(document)).unwrap();
        assert!(text.contains("`member.renamed`"), "{document}");
    }

    // Streamed, delivered and counted.
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let (port, told) = receiver();
    server.send("PUT", "/v1/members/ann", &json!({"displayName": "Ann"}));
    let hook = json!({
        "url": format!("http://127.0.0.1:{port}/"), "events": ["member.renamed"],
    });
    server.send("POST", "/v1/webhooks", &hook);
    let before = server.event_count().as_i64().unwrap();
    server.send("PUT", "/v1/members/ann", &json!({"displayName": "Anne"}));
    let delivered: Value = serde_json::from_str(&told.recv_timeout(PATIENCE).unwrap()).unwrap();
    assert_eq!(delivered["type"], "member.renamed");
    assert_eq!(delivered["data"]["displayName"], "Anne");
    let frame = "event: member.renamed\n";
    assert!(server.stream_until(frame).contains(frame));
    assert_eq!(server.event_count(), before + 1);
    drop(server);
    let verified = Command::new(Copy::binary())
        .args(["verify", "--database", "test.db"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(verified.status.success(), "{verified:?}");
}
