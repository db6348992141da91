//! Checks the documents against the code: the tables of events and limits, the map of folders, and
//! links between documents.
//!
//! After a change of the code, `STAMPCARD_WRITE_DOCS=1 cargo test --test documents` updates the
//! tables.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails at the first surprise, and reads best when it is short"
)]

#[path = "documents/limits.rs"]
mod limits;
#[path = "documents/links.rs"]
mod links;
#[path = "documents/map.rs"]
mod map;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use stampcard::domain::{Audience, Counting, EventKind, EventName, Shown};

/// Set to write the tables.
const WRITE: &str = "STAMPCARD_WRITE_DOCS";

#[test]
fn the_table_of_every_event_is_complete() {
    let mut table = "| number | event | description | audience | object | counted | columns |\n\
                     | --- | --- | --- | --- | --- | --- | --- |\n"
        .to_owned();
    for kind in EventKind::ALL {
        let audience = match kind.audience() {
            Audience::Catalogue => "public",
            Audience::Internal => "internal",
        };
        let shown = match kind.shown() {
            Shown::Member => "member",
            Shown::Transaction => "transaction",
            Shown::Redemption => "redemption",
            Shown::Message => "message",
            Shown::PointsLow | Shown::PointsPurchased => "pool",
            Shown::Expired => "expiry",
            Shown::Funding => "program's wallet",
            Shown::Nothing => "–",
        };
        let counted = match kind.counting() {
            Counting::Counted => "yes",
            Counting::Uncounted => "no",
        };
        let (number, name, about) = (kind.number(), kind.as_str(), kind.about());
        let columns: Vec<String> = columns(kind).collect();
        let columns = columns.join(", ");
        assert!(!about.contains('|'), "{name}: {about}");
        writeln!(
            table,
            "| {number} | `{name}` | {about} | {audience} | {shown} | {counted} | {columns} |"
        )
        .unwrap();
    }
    hold("docs/EVENTS.md", "events", &table);
}

#[test]
fn the_table_of_webhook_bodies_is_complete() {
    let mut table = "| event | `data` |\n| --- | --- |\n".to_owned();
    for (shown, data) in [
        (
            Shown::Member,
            "`externalUserID`, `displayName`, `tier`, `attributes`, `email`, `phone`",
        ),
        (Shown::Transaction, "the transaction and `externalUserID`"),
        (Shown::Redemption, "the redemption"),
        (
            Shown::Message,
            "the message, `conversationID` and `externalUserID`",
        ),
        (
            Shown::PointsLow,
            "`organizationId`, `balance`, `lowThreshold`",
        ),
        (
            Shown::PointsPurchased,
            "`organizationId`, `balance`, `amount`",
        ),
        (
            Shown::Expired,
            "`externalUserID`, `amount`, `at` (when they expired, or will), `balance` (what was left, or is)",
        ),
        (
            Shown::Funding,
            "`assetID`, `amount` and `balance` (what the program's wallet has), both in text, `description` (or null)",
        ),
    ] {
        let names: Vec<String> = EventName::ALL
            .iter()
            .filter(|event| event.kind().shown() == shown)
            .map(|event| format!("`{}`", event.as_str()))
            .collect();
        writeln!(table, "| {} | {data} |", names.join(", ")).unwrap();
    }
    for event in EventName::ALL {
        let name = format!("`{}`", event.as_str());
        assert!(
            table.contains(&name),
            "this test does not say what {name} shows: add a row for {:?}",
            event.kind().shown()
        );
    }
    hold("docs/API.md", "events", &table);
}

#[test]
fn every_column_that_an_event_uses_is_explained() {
    let document = read("docs/EVENTS.md");
    let (_, section) = document.split_once("\n## The columns\n").unwrap();
    let explained: BTreeSet<&str> = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .collect();
    let used: BTreeSet<String> = EventKind::ALL.into_iter().flat_map(columns).collect();
    let used: BTreeSet<&str> = used.iter().map(|column| column.trim_matches('`')).collect();
    assert_eq!(explained, used, "the table of columns in docs/EVENTS.md");
}

/// The columns of an event, in code font.
fn columns(kind: EventKind) -> impl Iterator<Item = String> {
    kind.columns()
        .iter()
        .map(|column| format!("`{}`", column.name()))
}

/// Fails unless a document has the table between the two marks of its subject. Writes it if the
/// environment says so.
#[track_caller]
fn hold(path: &str, subject: &str, table: &str) {
    // One document may have tables of several tests.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let start = format!("<!-- {subject} -->\n");
    let end = format!("<!-- end of {subject} -->\n");
    let document = read(path);
    let (before, rest) = document.split_once(&start).unwrap();
    let (found, after) = rest.split_once(&end).unwrap();
    if found == table {
        return;
    }
    if std::env::var_os(WRITE).is_some() {
        let document = [before, &start, table, &end, after].concat();
        // Another test may read it now.
        let new = root().join(path).with_extension("new");
        std::fs::write(&new, document).unwrap();
        std::fs::rename(new, root().join(path)).unwrap();
        return;
    }
    panic!(
        "the table of {subject} in {path} is out of date. \
         {WRITE}=1 cargo test --test documents writes it:\n\n{table}"
    );
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
