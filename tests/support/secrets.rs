//! Texts that must never be in a log. Everything private that a test sends is recorded, and every
//! line that a server logs, at the level `trace`, is compared with it.

use std::collections::BTreeSet;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, Once};

use serde_json::Value;

/// The level at which the servers of the tests log.
pub const LEVEL: &str = "debug,stampcard=trace";

/// The beginnings of credentials and secrets. The rest is random.
const PREFIXES: [&str; 6] = [
    "expys_sandbox_",
    "expys_live_",
    "partner_sandbox_",
    "partner_live_",
    "v4.local.",
    "whsec_",
];

/// The fields of requests whose text is personal.
const FIELDS: [&str; 8] = [
    "comment",
    "displayName",
    "email",
    "message",
    "phone",
    "dietary",
    "allergies",
    "accessibility",
];

/// Shorter texts are in many lines by chance.
const CHARS_MIN: usize = 6;

static SENT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
static FOUND: Mutex<Vec<String>> = Mutex::new(Vec::new());
static LINES: AtomicUsize = AtomicUsize::new(0);

/// Records the private texts in the body of a request.
pub fn note_body(body: &[u8]) {
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else {
        return;
    };
    for name in FIELDS {
        if let Some(Value::String(text)) = fields.get(name) {
            note(text);
        }
    }
}

/// Records a private text.
pub fn note(text: &str) {
    if text.chars().count() >= CHARS_MIN {
        SENT.lock().unwrap().insert(text.to_owned());
    }
}

/// The secrets that were found in a log.
pub fn find(log: &str) -> Option<String> {
    let is_secret = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let key = PREFIXES.iter().find_map(|prefix| {
        log.match_indices(prefix).find_map(|(start, _)| {
            let rest = &log[start + prefix.len()..];
            let length = rest.chars().take_while(|c| is_secret(*c)).count();
            (length >= CHARS_MIN).then(|| (*prefix).to_owned())
        })
    });
    let sent = || {
        let sent = SENT.lock().unwrap();
        sent.iter().find(|text| log.contains(*text)).cloned()
    };
    key.or_else(sent)
}

/// From now on everything that this process logs is checked.
pub fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::fmt()
            .with_env_filter(LEVEL)
            .with_ansi(false)
            .with_writer(|| Watcher)
            .init();
    });
}

/// The number of lines that were checked.
pub fn lines() -> usize {
    LINES.load(Ordering::Relaxed)
}

/// Fails if a line contained a secret. It may come from another test of the same program.
#[track_caller]
pub fn assert_none_logged() {
    let found = FOUND.lock().unwrap();
    assert!(found.is_empty(), "the log tells {found:#?}");
}

struct Watcher;

impl io::Write for Watcher {
    /// A whole line at a time.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        LINES.fetch_add(1, Ordering::Relaxed);
        let text = String::from_utf8_lossy(line);
        if let Some(secret) = find(&text) {
            let mut found = FOUND.lock().unwrap();
            found.push(format!("{secret} in {text}"));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
