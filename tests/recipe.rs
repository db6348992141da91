//! CONTRIBUTING's recipes: their lists of files are complete, and the one for an event, followed in
//! a copy of the tree, adds an event that is streamed, delivered, counted and documented.

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
/// Most files of the recipe for an event.
const EVENT_FILES_MAX: usize = 11;
/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_mins(1);
/// The part of the tree that is copied.
const TREE: &[&str] = &[
    ".cargo",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "README.md",
    "SECURITY.md",
    "benches",
    "build",
    "build.rs",
    "clippy.toml",
    "config.toml",
    "docs",
    "packaging",
    "schema.sql",
    "src",
    "tests",
];

/// An edit: the file, a text in it, and its replacement.
const EDITS: &[(&str, &str, &str)] = &[
    (
        "src/domain/events.rs",
        "    /// A member token was created",
        // A number that no event is given soon.
        "    /// A member got another name.
    9999 MemberRenamed \"member.renamed\" Catalogue Counted Member
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
        "src/books/fold.rs",
        "        | Event::MemberErased { member, .. }",
        "        | Event::MemberErased { member, .. }
        | Event::MemberRenamed { member, .. }",
    ),
    (
        "src/books/fold.rs",
        "        Event::MemberCreated { .. } | Event::MemberErased { .. }",
        "        Event::MemberCreated { .. } | Event::MemberRenamed { .. } | Event::MemberErased { .. }",
    ),
    (
        "src/store/log/history/mod.rs",
        "            | Event::MemberChanged { .. }",
        "            | Event::MemberChanged { .. }
            | Event::MemberRenamed { .. }",
    ),
    (
        "src/service/events/catalogue.rs",
        "        Event::MemberCreated { member, tier, .. }",
        "        Event::MemberRenamed { member, tier } => member_object(find(*member)?, tier),
        Event::MemberCreated { member, tier, .. }",
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

/// Files that commands write, and those with tests and documentation.
const WRITTEN: &[&str] = &["docs/API.md", "docs/EVENTS.md", "docs/openapi.json"];
const BY_HAND: &[&str] = &["tests/api/webhooks.rs", "CHANGELOG.md"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A recipe with an example, which shows the files that it has to name.
struct Recipe {
    heading: &'static str,
    /// Words of the example. Every source file with one of them is in the recipe.
    complete: &'static [&'static str],
    /// Words of the example that every source file of the recipe has at least one of.
    relevant: &'static [&'static str],
    /// Source files with such words that the recipe need not name.
    others: &'static [&'static str],
}

/// Where version 1 of the schema is.
const V1: &str = "src/store/file/migrations/v1.sql";

const RECIPES: &[Recipe] = &[
    Recipe {
        heading: "## Recipe: a field of a member",
        complete: &["attributes"],
        relevant: &["attributes", "TABLES", "members"],
        others: &[
            // Keeps only small ones.
            "src/service/loyalty/profiles.rs",
            V1,
            // Erases what version 1 left.
            "src/store/file/migrations/step2/finish.rs",
            // The view of the earning engine.
            "src/domain/attribute_texts.rs",
            "src/http/scrip/participants.rs",
            "src/service/earning/participants.rs",
            "src/wire/scrip/participants.rs",
            "src/http/scrip/state.rs",
            "src/service/earning/state/changes.rs",
            "src/service/earning/state/reading.rs",
            "src/service/earning/state/requests.rs",
            "src/wire/scrip/state.rs",
            // The log of each attribute that changes.
            "src/service/loyalty/attribute_log.rs",
            "src/store/log/history/state.rs",
            // Rules see them as the earning engine shows them.
            "src/rules/expression/compile.rs",
            "src/rules/expression/eval.rs",
            "src/rules/expression/hints.rs",
            "src/rules/expression/scope.rs",
            "src/rules/state.rs",
            "src/rules/values.rs",
            "src/service/earning/past/members.rs",
            "src/service/earning/rules/drafts.rs",
            "src/service/earning/rules/simulate.rs",
            "src/service/upkeep/verify/earned/wanted.rs",
            "src/wire/scrip/rules/simulation.rs",
        ],
    },
    Recipe {
        heading: "## Recipe: a table",
        complete: &[
            "TABLE removal",
            "FROM removal",
            "JOIN removal",
            "INTO removal",
            "UPDATE removal",
            "\"removal\"",
            "mod removals",
            "store::removals",
        ],
        relevant: &["removal", "removals"],
        others: &[
            // Member tokens use the removals' keyed hash.
            "src/service/tenancy/credentials/member_tokens.rs",
        ],
    },
    Recipe {
        heading: "## Recipe: a resource with everything",
        complete: &[
            "mod offer",
            "mod offers",
            "loyalty::offers",
            "store::offers",
            "CreateOfferRequest",
            "OfferListResponse",
        ],
        relevant: &["offer", "offers", "Offer", "OfferId", "OfferCreated"],
        others: &[
            // Uses of offers by others.
            "src/service/earning/redemptions/mod.rs",
            "src/service/earning/redemptions/reading.rs",
            "src/cli/demo/bookings.rs",
            "src/cli/demo/deed.rs",
            "src/service/figures/analytics.rs",
            "src/service/loyalty/configuration.rs",
            "src/service/loyalty/redemptions/mod.rs",
            "src/service/loyalty/redemptions/reading.rs",
        ],
    },
];

/// The section of CONTRIBUTING with a heading.
fn section(heading: &str) -> String {
    let text = fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    let (_, recipe) = text.split_once(&format!("{heading}\n")).unwrap();
    recipe.split("\n## ").next().unwrap().to_owned()
}

/// The files of a recipe, in order.
fn files_of(heading: &str) -> Vec<String> {
    let recipe = section(heading);
    let steps = recipe.lines().filter(|line| {
        line.split_once(". ")
            .is_some_and(|(number, _)| number.parse::<u8>().is_ok())
    });
    steps
        .map(|step| step.split('`').nth(1).unwrap().to_owned())
        .collect()
}

/// Whether a line of code, not of comment, has a word or phrase.
fn mentions(text: &str, words: &[&str]) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let is_comment = |line: &str| line.starts_with("//") || line.starts_with("--");
    let code = |line: &&str| !is_comment(line.trim_start());
    text.lines().filter(code).any(|line| {
        words.iter().any(|word| {
            line.match_indices(word).any(|(at, _)| {
                let after = &line[at + word.len()..];
                !line[..at].ends_with(is_word) && !after.starts_with(is_word)
            })
        })
    })
}

/// The Rust and SQL sources, by their paths from the root.
fn sources() -> Vec<(String, String)> {
    let (mut found, mut folders) = (Vec::new(), vec![root().join("src")]);
    let mut files = vec![root().join("schema.sql")];
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|it| it.to_str());
            match extension {
                _ if path.is_dir() => folders.push(path),
                Some("rs" | "sql") => files.push(path),
                _ => {}
            }
        }
    }
    for path in files {
        let name = path.strip_prefix(root()).unwrap().to_str().unwrap();
        found.push((name.to_owned(), fs::read_to_string(&path).unwrap()));
    }
    found
}

fn is_source(file: &str) -> bool {
    let is_rust = Path::new(file).extension().is_some_and(|it| it == "rs");
    file == "schema.sql" || file.starts_with("src/") && is_rust
}

#[test]
fn recipes_name_every_source_file_that_their_example_needs() {
    let sources = sources();
    for recipe in RECIPES {
        let files = files_of(recipe.heading);
        for file in &files {
            let path = root().join(file);
            assert!(path.is_file(), "{}: {file} does not exist", recipe.heading);
            let is_relevant = || mentions(&fs::read_to_string(&path).unwrap(), recipe.relevant);
            assert!(
                !is_source(file) || is_relevant(),
                "{}: {file} has nothing to do with the example",
                recipe.heading
            );
        }
        let missing: Vec<&String> = sources
            .iter()
            .filter(|(name, text)| {
                mentions(text, recipe.complete)
                    && !files.contains(name)
                    && !recipe.others.contains(&name.as_str())
            })
            .map(|(name, _)| name)
            .collect();
        assert!(
            missing.is_empty(),
            "{}: {missing:?} mention the example; add them to the recipe, or to `others` of this \
             test",
            recipe.heading
        );
    }
}

/// A field of an offer takes the offer's files in place of the member's.
#[test]
fn the_recipe_for_a_field_holds_for_offers() {
    let recipe = section("## Recipe: a field of a member");
    let files: Vec<&str> = recipe.split('`').skip(1).step_by(2).collect();
    for file in files.iter().filter(|file| file.contains('/')) {
        assert!(root().join(file).is_file(), "{file} does not exist");
    }
    let others = [V1, "src/cli/demo/bookings.rs"];
    for (name, text) in sources() {
        let is_known = files.contains(&name.as_str()) || others.contains(&name.as_str());
        assert!(
            is_known || !mentions(&text, &["short_description", "shortDescription"]),
            "{name} mentions a field of an offer; add it to the recipe"
        );
    }
}

#[test]
fn the_recipe_for_an_event_names_few_files_which_exist() {
    let files = files_of("## Recipe: an event");
    assert!(files.len() <= EVENT_FILES_MAX, "{files:?}");
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

/// A copy of the tree, changed by the recipe.
struct Copy {
    folder: PathBuf,
}

impl Copy {
    /// Always in the same place, because a package elsewhere would be built as another one.
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

    /// The folder of its binary.
    fn target() -> PathBuf {
        Path::new(env!("CARGO_TARGET_TMPDIR")).join("recipe")
    }

    /// The folder of everything else: that of this test's own build, so that no dependency is
    /// compiled twice.
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

/// Responds to one POST and passes its body on.
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

/// Compiles the product a second time, which takes a minute.
#[test]
#[ignore = "make recipe"]
fn an_event_that_is_added_by_the_recipe_is_streamed_delivered_counted_and_documented() {
    let copy = Copy::new();
    // With the features that the tests' dependencies enable, as everything else is built.
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
