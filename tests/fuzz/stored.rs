//! Stored and exported data that is read again: snapshots and imports.

use std::collections::HashMap;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::json;
use stampcard::analytics::Figures;
use stampcard::analytics::snapshot::{Capture, Part, SegmentId, Stored};
use stampcard::clock::Clock;
use stampcard::domain::{
    Activity, Event, OfferId, OfferNumber, OrganizationNumber, ProgramNumber, Seq, Timestamp,
};
use stampcard::service::transfer::{ImportError, Imported, export, import};
use stampcard::store::Database;

use crate::cases;
use crate::damage::{Damage, apply, damages};
use crate::support::TestApp;

/// A snapshot with a few closed blocks.
static CAPTURE: LazyLock<Capture> = LazyLock::new(|| {
    let mut figures = Figures::default();
    let mut seq = 0;
    let mut record = |event: Event| {
        seq += 1;
        let activity = Activity {
            seq: Seq(seq),
            at: Timestamp::from_millis(1_780_000_000_000 + seq * 997).unwrap(),
            program: Some(ProgramNumber(1)),
            event,
        };
        figures.apply(&activity).unwrap();
    };
    let organization = OrganizationNumber(1);
    record(Event::ProgramCreated {
        organization,
        default_tier: None,
    });
    record(Event::OfferCreated {
        offer: OfferNumber(1),
        id: OfferId::from_uuid(uuid::Uuid::from_u128(1)),
        stock: None,
    });
    for number in 0..400 {
        record(signup(number));
    }
    figures.capture(&Stored::default()).unwrap()
});

fn signup(number: i64) -> Event {
    Event::MemberCreated {
        member: stampcard::domain::MemberNumber(number),
        tier: stampcard::domain::Tier::parse("tier", "standard").unwrap(),
        cause: None,
    }
}

/// Loads a snapshot with these parts.
fn restore(state: &[Part], segments: &[(SegmentId, Part)]) -> bool {
    let segments: HashMap<_, _> = segments.iter().cloned().collect();
    Figures::restore(state, |id| segments.get(&id).cloned()).is_ok()
}

/// The lines of a database that has data in every table.
static EXPORT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let mut app = TestApp::start();
    app.member("ada", 100);
    let offer = app.offer(json!({"pointsPrice": 10, "tiers": ["standard"]}));
    app.redeem("ada", &offer);
    let hook = json!({"url": "http://127.0.0.1:9/", "events": ["member.tier_changed"]});
    app.post("/v1/webhooks", &hook).expect(201);
    let list = app.get("/v1/conversations?externalUserID=ada").expect(200);
    let id = list["conversations"][0]["id"].as_str().unwrap();
    let body = json!({"message": "Where is my tea?", "as": "agent"});
    app.post(&format!("/v1/conversations/{id}/messages"), &body)
        .expect(200);
    app.put("/v1/members/ada", &json!({"attributes": {"a": [1, "x"]}}))
        .expect(200);
    app.stop();
    let database = Database::open(&app.database()).unwrap();
    let mut lines = Vec::new();
    export(database.connection(), true, &mut lines, |_, _| ()).unwrap();
    lines
});

fn import_lines(lines: &[u8]) -> Result<Imported, ImportError> {
    let folder = tempfile::tempdir().unwrap();
    let mut database = Database::open_for_import(&folder.path().join("new.db")).unwrap();
    // The database is deleted afterwards.
    let connection = database.connection();
    connection
        .pragma_update(None, "synchronous", "OFF")
        .unwrap();
    import(&mut database, lines, Clock::system().now(), |_| ())
}

/// The lines with some of them changed, removed, duplicated or moved, and nothing else.
fn shuffle(lines: &[u8], changes: &[(Index, u8, Vec<Damage>)]) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = lines
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    for (index, kind, damages) in changes {
        let at = index.index(lines.len());
        match kind {
            0 => drop(lines.remove(at)),
            1 => lines.insert(at, lines[at].clone()),
            2 => {
                let line = lines.remove(at);
                let to = lines.len() / 2;
                lines.insert(to, line);
            }
            _ => {
                lines[at] = apply(&lines[at], damages);
                lines[at].push(b'\n');
            }
        }
        if lines.is_empty() {
            break;
        }
    }
    lines.concat()
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_damaged_snapshot_is_known_for_one(
        part in any::<Index>(),
        damages in damages(),
        is_gone in any::<bool>(),
    ) {
        let (mut state, mut segments) = (CAPTURE.state.clone(), CAPTURE.segments.clone());
        prop_assert!(restore(&state, &segments));
        let part = part.index(state.len() + segments.len());
        if is_gone {
            if part < state.len() {
                state.remove(part);
            } else {
                segments.remove(part - state.len());
            }
            prop_assert!(!restore(&state, &segments));
            return Ok(());
        }
        let bytes = if part < state.len() {
            &mut state[part].bytes
        } else {
            let at = part - state.len();
            &mut segments[at].1.bytes
        };
        let damaged = apply(bytes, &damages);
        let is_whole = damaged == *bytes;
        *bytes = damaged;
        prop_assert_eq!(restore(&state, &segments), is_whole);
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_damaged_export_is_refused_by_its_line(
        changes in prop::collection::vec((any::<Index>(), 0..6_u8, damages()), 0..3),
    ) {
        let lines = shuffle(&EXPORT, &changes);
        let taken = import_lines(&lines);
        prop_assert_eq!(taken.is_ok(), lines == *EXPORT);
        if let Err(error) = taken {
            match error {
                ImportError::Line { line, what } => prop_assert!(line > 0 && !what.is_empty()),
                ImportError::Cut { .. } => {}
                ImportError::Contradiction(what) => prop_assert!(!what.is_empty()),
                other => return Err(TestCaseError::fail(format!("{other:?}"))),
            }
        }
    }
}
