//! Compatibility with released versions. Each folder of `tests/kept` holds a database that a
//! release wrote, a backup and an export of it, and the responses that the release returned. This
//! version must return the same responses from all three, and `verify` must agree.
//! `tests/kept/record.py` creates a folder.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "kept/carried.rs"]
mod carried;
#[path = "kept/same.rs"]
mod same;
#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use flate2::read::GzDecoder;
use same::{is_delivery, is_same_but_for_cursor, is_same_error, is_same_without, is_sum, records};
use serde::Deserialize;
use serde_json::{Value, json};
use stampcard::domain::Timestamp;
use support::stream::EventStream;
use support::{Request, Response, TestApp};
use tempfile::TempDir;

/// A field that responses whose path begins like this have since a release, which docs/API.md
/// allows. It is removed, at any depth, before the comparison with a recorded response.
struct Addition {
    since: &'static str,
    path: &'static str,
    field: &'static str,
}

/// Every field that was added since 0.1.0.
const ADDITIONS: &[Addition] = &[
    added("/v1/reports", "details"),
    added("/v1/offers", "isUnlimited"),
    added("/v1/offers", "disclaimer"),
    added("/v1/offers", "valueUSD"),
    added("/v1/offers", "display"),
    added("/v1/offers", "availableFrom"),
    added("/v1/offers", "availableUntil"),
    added("/v1/offers", "paused"),
    added("/v1/offers", "redemptionLimit"),
    added("/v1/offers", "inclusions"),
    added("/v1/offers", "location"),
    added("/v1/offers", "maxGuests"),
    version_on("/v1/members"),
    version_on("/v1/offers"),
    version_on("/v1/programs"),
    version_on("/v1/webhooks"),
    version_on("/partner/organizations"),
    version_on("/api/v1/partner/organizations"),
    added("/healthz", "version"),
    added("/readyz", "version"),
    added("/v1/conversations", "waitingSince"),
    added("/v1/conversations", "displayName"),
    added("/v1/conversations", "lastMessage"),
    added("/v1/conversations", "waitingCount"),
    added("/v1/members", "createdAt"),
    added("/v1/members", "suspendedAt"),
    added("/v1/members", "email"),
    added("/v1/members", "phone"),
    added("/v1/activity/stream", "feedback"),
    added("/v1/activity/stream", "code"),
    added("/v1/activity/stream", "quantity"),
    added("/v1/activity/stream", "email"),
    added("/v1/activity/stream", "phone"),
    added("/v1/wallet/transactions", "balanceAfter"),
    added("/v1/wallet/transactions", "offerTitle"),
    added("/v1/redemptions", "offerTitle"),
    added("/v1/redemptions", "displayName"),
    added("/v1/", "balanceUSD"),
    added("/v1/", "balanceDisplay"),
    added("/v1/", "amountReceivedUSD"),
    added("/v1/", "amountReceivedDisplay"),
    added("/v1/", "amountSpentUSD"),
    added("/v1/", "amountSpentDisplay"),
    added("/v1/", "unitsPerUSD"),
    added("/v1/", "pending"),
    added("/v1/", "held"),
    added("/v1/", "expiring"),
    added("/v1/", "asOf"),
    added("/v1/analytics/summary", "pointsExpired"),
    added("/v1/analytics/summary", "pointsVoided"),
    added("/v1/analytics/summary", "pointsPending"),
    added("/v1/analytics/summary", "pointsHeld"),
    added("/v1/configuration", "currencyUnitsPerUSD"),
    added("/v1/configuration", "ratePerPoint"),
    added("/v1/redemptions", "feedback"),
    added("/v1/redemptions", "code"),
    added("/v1/redemptions", "quantity"),
    added("/v1/analytics/offers", "averageRating"),
    added("/v1/analytics/offers", "ratingCount"),
    added("/v1/programs", "expiry"),
    added("/v1/programs", "time_zone"),
    added("/v1/programs", "expiry_notice"),
    added("/v1/programs", "description"),
    added("/v1/programs", "redemption_target_type"),
    added("/v1/programs", "redemption_target_entity_id"),
    added("/v1/programs", "refund_grace"),
    added("/v1/programs", "on_unknown_participant"),
    added("/v1/configuration", "phoneWebhook"),
    added("/v1/configuration", "conciergeWebhook"),
];

/// The settings version of a path's object.
const fn version_on(path: &'static str) -> Addition {
    added(path, "version")
}

/// A field that 0.2.0 adds.
const fn added(path: &'static str, field: &'static str) -> Addition {
    Addition {
        since: "0.2.0",
        path,
        field,
    }
}

/// Reads that have an `ETag` since a release, by the start of the path.
const TAGGED: &[(&str, &str)] = &[
    ("0.2.0", "/v1/members/"),
    ("0.2.0", "/v1/offers/"),
    ("0.2.0", "/v1/configuration"),
    ("0.2.0", "/v1/programs/"),
    ("0.2.0", "/v1/webhooks/"),
    ("0.2.0", "/partner/organizations/"),
    ("0.2.0", "/api/v1/partner/organizations/"),
];

/// Names that changed since a release, before and now, each with the first release that has the new
/// one. docs/API.md and CHANGELOG.md say so.
const RENAMED: &[(&str, &str, &str)] = &[(
    "0.2.0",
    r#""code":"invalid_request""#,
    r#""code":"bad_request""#,
)];

/// Values that reads write differently since a release, before and now: stock without a limit is a
/// number, as the API's documentation says. docs/API.md and CHANGELOG.md say so.
const REWRITTEN: &[(&str, &str, &str)] = &[(
    "0.2.0",
    r#""quantityRemaining":null"#,
    r#""quantityRemaining":2147483647"#,
)];

/// Reads whose responses changed on purpose since a release, by the first one with the change and
/// the start of the path: a search now compares words. CHANGELOG.md says so.
const CHANGED: &[(&str, &str)] = &[
    ("0.2.0", "/v1/members?search=%25"),
    ("0.2.0", "/v1/members?search=_"),
    ("0.2.0", "/v1/members?search=%C3%A5"),
    ("0.2.0", "/v1/programs?search=%C3%BC"),
];

/// Columns that were added at the end of a CSV table since a release, and their number.
const COLUMNS_ADDED: &[(&str, &str, usize)] =
    &[("0.2.0", "members", 3), ("0.2.0", "redemptions", 6)];

/// Lists whose cursors changed since a release; the old ones are still valid.
const NEW_CURSORS: &[(&str, &str)] = &[("0.2.0", "/v1/conversations?")];

/// The reason that 0.1.0 kept of members that it erased, as in responses, and its value now.
const ERASED_REASONS: [(&str, &str); 2] = [
    (r#""reason":"before leaving""#, r#""reason":null"#),
    (",before leaving,", ",,"),
];

/// The number of differences to show; there may be as many as responses.
const SHOWN_MAX: usize = 10;
/// The number of characters to show of a response before and after the first difference.
const CHARS_AROUND: (usize, usize) = (60, 120);

/// The first line of a recording.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    release: String,
    recorded_at: i64,
}

/// Each further line: a request and its answer.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase", tag = "kind")]
enum Line {
    Get(Get),
    Post(Post),
    Stream(Stream),
}

/// A read.
#[derive(Deserialize)]
struct Get {
    path: String,
    credential: Option<String>,
    status: u16,
    #[serde(rename = "type")]
    media_type: Option<String>,
    etag: Option<String>,
    answer: String,
}

/// A write with an `Idempotency-Key`.
#[derive(Deserialize)]
struct Post {
    path: String,
    credential: String,
    key: String,
    body: Option<String>,
    /// A valid body other than the one that came with the key.
    other: String,
    status: u16,
    #[serde(rename = "type")]
    media_type: Option<String>,
    answer: String,
}

/// The first frames of a stream from its beginning.
#[derive(Deserialize)]
struct Stream {
    path: String,
    credential: String,
    frames: Vec<String>,
}

/// A release's files, unpacked.
struct Recording {
    release: String,
    recorded_at: String,
    gets: Vec<Get>,
    posts: Vec<Post>,
    streams: Vec<Stream>,
    folder: PathBuf,
    unpacked: TempDir,
}

impl Recording {
    /// All recordings.
    fn all() -> Vec<Self> {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kept");
        let mut folders: Vec<PathBuf> = kept
            .read_dir()
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.join("answers.jsonl.gz").exists())
            .collect();
        folders.sort();
        assert!(!folders.is_empty(), "the recordings are where they belong");
        folders.into_iter().map(Self::read).collect()
    }

    fn read(folder: PathBuf) -> Self {
        let unpacked = tempfile::tempdir().unwrap();
        for name in ["answers.jsonl", "stampcard.db", "backup.db", "export.jsonl"] {
            let packed = File::open(folder.join(format!("{name}.gz"))).unwrap();
            let mut plain = File::create(unpacked.path().join(name)).unwrap();
            io::copy(&mut GzDecoder::new(packed), &mut plain).unwrap();
        }
        let text = fs::read_to_string(unpacked.path().join("answers.jsonl")).unwrap();
        let mut lines = text.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap()).unwrap();
        let (mut gets, mut posts, mut streams) = (Vec::new(), Vec::new(), Vec::new());
        for line in lines {
            match serde_json::from_str(line).unwrap() {
                Line::Get(get) => gets.push(get),
                Line::Post(post) => posts.push(post),
                Line::Stream(stream) => streams.push(stream),
            }
        }
        Self {
            recorded_at: Timestamp::from_millis(head.recorded_at)
                .unwrap()
                .to_string(),
            release: head.release,
            gets,
            posts,
            streams,
            folder,
            unpacked,
        }
    }

    /// One of its files, unpacked.
    fn file(&self, name: &str) -> PathBuf {
        self.unpacked.path().join(name)
    }

    /// A server on a copy of a database, at the time of the recording.
    fn serve(&self, database: &Path) -> TestApp {
        TestApp::start_at(&self.recorded_at, |settings| {
            fs::copy(database, &settings.database.path).unwrap();
            // While the clock stands still, no bucket refills.
            settings.rate_limit.per_minute = 0;
        })
    }
}

/// The responses that differ from the recorded ones.
struct Differences {
    release: String,
    found: Vec<String>,
}

impl Differences {
    fn of(recording: &Recording) -> Self {
        Self {
            release: recording.release.clone(),
            found: Vec::new(),
        }
    }

    fn add(&mut self, request: &str, what: &str) {
        self.found.push(format!("{request}\n{what}"));
    }

    /// Compares a response with the recorded one.
    fn compare(
        &mut self,
        request: &str,
        path: &str,
        before: (u16, Option<&str>, Option<&str>, &str),
        now: &Response,
    ) {
        let (status, media_type, etag, body) = before;
        let mut body = self.by(RENAMED, body);
        if !path.is_empty() {
            body = self.by(REWRITTEN, &body);
        }
        let body = &body;
        let (text, mut additions) = (now.text(), self.additions(path));
        // An error has always had a code; that of a redemption was added.
        additions.retain(|field| *field != "code" || status < 400);
        if now.status != status {
            self.add(
                request,
                &format!("  status: {status}, now {}: {text}", now.status),
            );
            return;
        }
        for (name, before) in [("Content-Type", media_type), ("ETag", etag)] {
            let now = now.header(name);
            let is_new = before.is_none() && self.is_listed(TAGGED, path);
            if now != before && !(name == "ETag" && is_new) {
                self.add(request, &format!("  {name}: {before:?}, now {now:?}"));
            }
        }
        let is_same = text == *body
            || is_same_without(&additions, body, &text)
            || (status >= 400 && is_same_error(&additions, body, &text))
            || (self.is_listed(NEW_CURSORS, path)
                && is_same_but_for_cursor(&additions, body, &text));
        if !is_same && !self.is_listed(CHANGED, path) {
            self.add(request, &diff(body, &text));
        }
    }

    /// Whether a table has the path since a later release.
    fn is_listed(&self, table: &[(&str, &str)], path: &str) -> bool {
        let mut later = table
            .iter()
            .filter(|(since, _)| number(since) > number(&self.release));
        later.any(|(_, start)| path.starts_with(start))
    }

    /// The fields that were added to responses of a path since the release.
    fn additions(&self, path: &str) -> Vec<&'static str> {
        let added = ADDITIONS
            .iter()
            .filter(|one| number(one.since) > number(&self.release) && path.starts_with(one.path));
        added.map(|one| one.field).collect()
    }

    /// A recorded body with today's names or values.
    fn by(&self, table: &[(&str, &str, &str)], body: &str) -> String {
        let newer = table
            .iter()
            .filter(|(since, ..)| number(since) > number(&self.release));
        newer.fold(body.to_owned(), |body, (_, old, new)| {
            body.replace(old, new)
        })
    }

    #[track_caller]
    fn assert_none(&self) {
        let count = self.found.len();
        let shown = self.found[..count.min(SHOWN_MAX)].join("\n");
        assert!(
            count == 0,
            "{count} answers differ from those of {}:\n{shown}",
            self.release
        );
    }
}

/// The numbers of a release, which can be compared.
fn number(release: &str) -> Vec<u32> {
    let parts = release.split('.');
    parts.map(|part| part.parse().unwrap()).collect()
}

/// A recorded text without the words of erased members, which have lines of their own.
fn without_erased(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let reasons = ERASED_REASONS.iter().filter(|_| line.contains("erased_"));
        reasons.fold(line.to_owned(), |line, (before, now)| {
            line.replace(before, now)
        })
    });
    lines.collect()
}

/// Shows two texts around the first difference.
fn diff(before: &str, now: &str) -> String {
    let pairs = before.chars().zip(now.chars());
    let same = pairs.take_while(|(before, now)| before == now).count();
    let start = same.saturating_sub(CHARS_AROUND.0);
    let part = |text: &str| -> String {
        let length = same - start + CHARS_AROUND.1;
        text.chars().skip(start).take(length).collect()
    };
    format!("  before …{}…\n  now    …{}…", part(before), part(now))
}

fn get(app: &TestApp, credential: Option<&str>, path: &str) -> Request {
    let request = app.request("GET", path);
    match credential {
        Some(credential) => request.bearer(credential),
        None => request,
    }
}

/// Repeats the recorded reads that `is_asked` selects by their path. A response with a tag is also
/// requested with `If-None-Match`.
fn ask_again(
    app: &TestApp,
    recording: &Recording,
    differences: &mut Differences,
    is_asked: impl Fn(&str) -> bool,
) {
    for before in recording.gets.iter().filter(|get| is_asked(&get.path)) {
        let request = format!("GET {}", before.path);
        let credential = before.credential.as_deref();
        let now = get(app, credential, &before.path).send();
        let expected = (
            before.status,
            before.media_type.as_deref(),
            before.etag.as_deref(),
            before.answer.as_str(),
        );
        differences.compare(&request, &before.path, expected, &now);
        if let Some(tag) = &before.etag {
            let asked = get(app, credential, &before.path).header("If-None-Match", tag);
            let status = asked.send().status;
            if status != 304 {
                differences.add(&request, &format!("  with its tag: 304, now {status}"));
            }
        }
    }
}

/// Reads the streams again. Without the stored objects of events only ids and names are compared.
fn stream_again(
    app: &TestApp,
    recording: &Recording,
    differences: &mut Differences,
    has_objects: bool,
) {
    for before in &recording.streams {
        let additions = differences.additions(&before.path);
        let from_start = "Last-Event-ID: 0\r\n";
        let mut stream =
            EventStream::open(app.address, &before.path, &before.credential, from_start);
        for frame in &before.frames {
            let now = loop {
                let frame = stream.next().unwrap();
                if !frame.starts_with(':') {
                    break frame;
                }
            };
            let shown = |frame: &str| {
                let object = frame.find(",\"data\":").filter(|_| !has_objects);
                frame[..object.unwrap_or(frame.len())].to_owned()
            };
            let frame = without_erased(frame);
            let (before_shown, now_shown) = (shown(&frame), shown(&now));
            let is_same = before_shown == now_shown
                || before_shown
                    .split_once("\ndata:")
                    .is_some_and(|(head, data)| {
                        let (now_head, now_data) = now_shown.split_once("\ndata:").unwrap();
                        head == now_head && is_same_without(&additions, data, now_data)
                    });
            if !is_same {
                let request = format!("GET {}", before.path);
                differences.add(&request, &diff(&frame, &now));
            }
        }
    }
}

/// Repeats every write: the recorded response is replayed, and the same key with another body is a
/// conflict.
fn write_again(app: &TestApp, recording: &Recording, differences: &mut Differences) {
    for before in &recording.posts {
        let send = |body: Option<&str>| {
            let request = app
                .request("POST", &before.path)
                .bearer(&before.credential)
                .idempotency_key(&before.key);
            match body {
                Some(body) => request.header("Content-Type", "application/json").raw(body),
                None => request,
            }
            .send()
        };
        let request = format!("POST {} ({})", before.path, before.key);
        let now = send(before.body.as_deref());
        let media_type = before.media_type.as_deref();
        let expected = (before.status, media_type, None, before.answer.as_str());
        // A replayed response was rendered by the release, so that no field was added.
        differences.compare(&request, "", expected, &now);
        if now.header("Idempotency-Replayed") != Some("true") {
            differences.add(&request, "  it is no replay");
        }
        let now = send(Some(&before.other));
        if now.status != 409 {
            let what = format!("  another body: 409, now {}: {}", now.status, now.text());
            differences.add(&request, &what);
        }
    }
}

/// Runs a command on a database, which must succeed, and returns its output.
#[track_caller]
fn run(database: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stampcard"))
        .args(arguments)
        .arg("--database")
        .arg(database)
        .env_clear()
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {printed}{error}");
    printed
}

/// `verify` must find nothing wrong, and the CSV tables must be those of the release.
fn check_stopped(recording: &Recording, database: &Path, differences: &mut Differences) {
    let verified: Value = serde_json::from_str(&run(database, &["verify", "--json"])).unwrap();
    assert_eq!(verified["findings"], json!([]));
    assert_eq!(verified["agrees"], true);
    for table in ["members", "ledger", "redemptions"] {
        let export = ["export", "-", "--format", "csv", "--table", table];
        let before = fs::read_to_string(recording.folder.join(format!("{table}.csv"))).unwrap();
        let before = without_erased(&before);
        let now = run(database, &export);
        let added = COLUMNS_ADDED
            .iter()
            .find(|(since, name, _)| *name == table && number(since) > number(&recording.release));
        let is_same = match added {
            Some((.., columns)) => records(&now, *columns) == records(&before, 0),
            None => now == before,
        };
        if !is_same {
            let what = diff(&before, &now);
            differences.add(&format!("the table {table}"), &what);
        }
    }
}

#[test]
fn the_file_of_a_release_gives_the_same_answers() {
    for recording in Recording::all() {
        let mut differences = Differences::of(&recording);
        let mut app = recording.serve(&recording.file("stampcard.db"));
        ask_again(&app, &recording, &mut differences, |_| true);
        stream_again(&app, &recording, &mut differences, true);
        write_again(&app, &recording, &mut differences);
        ask_again(&app, &recording, &mut differences, is_sum);
        app.stop();
        check_stopped(&recording, &app.database(), &mut differences);
        // The first start may have migrated the file; the second one reads what it wrote.
        let mut app = app.restart();
        ask_again(&app, &recording, &mut differences, is_sum);
        write_again(&app, &recording, &mut differences);
        app.stop();
        differences.assert_none();
    }
}

/// A response keeps the currency of its time: one that the release stored, and one of this version
/// before the first change of a migrated program.
#[test]
fn credits_are_replayed_as_they_were_after_the_currency_was_renamed() {
    for recording in Recording::all() {
        let mut differences = Differences::of(&recording);
        let mut app = recording.serve(&recording.file("stampcard.db"));
        let credits = recording.posts.iter();
        let credits = credits.filter(|post| post.path == "/v1/wallet/credit");
        let keys: BTreeSet<&str> = credits.map(|post| &*post.credential).collect();
        assert!(!keys.is_empty());
        for key in keys {
            let send = |method, path, body: &Value| {
                let request = app.request(method, path).bearer(key);
                request.idempotency_key("new").json(body).send()
            };
            send("PUT", "/v1/members/new", &json!({})).expect(200);
            let credit = || {
                let body = json!({"externalUserID": "new", "amount": 5});
                send("POST", "/v1/wallet/credit", &body)
            };
            let first = credit();
            assert_eq!(first.status, 200, "{}", first.text());
            let renamed = json!({"currencyName": "Renamed", "currencySymbol": "r"});
            send("PUT", "/v1/configuration", &renamed).expect(200);
            let again = credit();
            assert_eq!(again.header("Idempotency-Replayed"), Some("true"));
            assert_eq!(again.text(), first.text());
        }
        write_again(&app, &recording, &mut differences);
        app.stop();
        let verified = run(&app.database(), &["verify", "--json"]);
        let verified: Value = serde_json::from_str(&verified).unwrap();
        assert_eq!(verified["findings"], json!([]));
        differences.assert_none();
    }
}

#[test]
fn the_export_of_a_release_gives_the_same_answers() {
    for recording in Recording::all() {
        let mut differences = Differences::of(&recording);
        let database = recording.file("imported.db");
        let export = recording.file("export.jsonl");
        run(&database, &["import", export.to_str().unwrap()]);
        let mut app = recording.serve(&database);
        ask_again(&app, &recording, &mut differences, |path| {
            !is_delivery(path)
        });
        stream_again(&app, &recording, &mut differences, false);
        app.stop();
        check_stopped(&recording, &app.database(), &mut differences);
        differences.assert_none();
    }
}

#[test]
fn the_backup_of_a_release_gives_the_same_answers() {
    for recording in Recording::all() {
        let mut differences = Differences::of(&recording);
        let database = recording.file("restored.db");
        let backup = recording.file("backup.db");
        run(&database, &["restore", backup.to_str().unwrap()]);
        let mut app = recording.serve(&database);
        ask_again(&app, &recording, &mut differences, |_| true);
        stream_again(&app, &recording, &mut differences, true);
        write_again(&app, &recording, &mut differences);
        app.stop();
        check_stopped(&recording, &app.database(), &mut differences);
        differences.assert_none();
    }
}

#[test]
fn a_new_field_is_no_difference_where_it_is_listed() {
    let before = r#"{"rows":[{"a":1,"b":{"a":2}}],"next":null}"#;
    let now = r#"{"rows":[{"a":1,"new":0,"b":{"a":2,"new":[]}}],"new":1,"next":null}"#;
    assert!(is_same_without(&["new"], before, now));
    assert!(!is_same_without(&[], before, now));
    assert!(!is_same_without(&["newer"], before, now));
    assert!(!is_same_without(&["a"], before, now));
    let error =
        |code, message: &str| format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
    assert!(is_same_error(&[], &error("A", "old"), &error("A", "new")));
    assert!(!is_same_error(&[], &error("A", "old"), &error("B", "old")));
    assert!(!is_same_error(
        &[],
        &error("A", "old"),
        r#"{"error":{"code":"A"}}"#
    ));
    assert!(number("0.10.0") > number("0.9.3"));
    assert_eq!(
        diff("same: 1", "same: 2"),
        "  before …same: 1…\n  now    …same: 2…"
    );
}
