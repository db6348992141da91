//! The format of a snapshot, byte for byte: a fixed history must give the stored bytes as long as
//! [`VERSION`] stays the same, and the stored bytes must give its figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use stampcard::analytics::snapshot::{
    Capture, Header, Part, SEGMENT_BLOCKS, SegmentId, Stored, TimelineId, VERSION,
};
use stampcard::analytics::{BLOCK_LEN, Figures, Measure};
use stampcard::domain::{
    Activity, Buckets, Entry, Environment, Event, LedgerEntry, MemberNumber, MessageId, OfferId,
    OfferNumber, OrganizationNumber, OrganizationStatus, Points, ProgramNumber, Rating,
    RedemptionMove, RedemptionNumber, RedemptionRating, Seq, Status, Tier, Timestamp, Units,
};

/// Set this to store the bytes of a new version.
const STORE: &str = "STAMPCARD_STORE_SNAPSHOT";
const START: i64 = 1_767_225_600_000;
const MEMBER: MemberNumber = MemberNumber(1);
const REDEMPTION: RedemptionNumber = RedemptionNumber(1);

/// A log that only grows.
#[derive(Default)]
struct History(Vec<Activity>);

impl History {
    /// An event in a program, or of an organization for program 0.
    fn add(&mut self, after: i64, program: i64, event: Event) {
        let last = self.0.last().map_or(START, |last| last.at.as_millis());
        self.0.push(Activity {
            seq: Seq(self.0.len() as i64 + 1),
            at: Timestamp::from_millis(last + after).unwrap(),
            program: (program > 0).then_some(ProgramNumber(program)),
            event,
        });
    }

    fn ledger(&mut self, after: i64, program: i64, entry: Entry, amount: i64, offer: Option<i64>) {
        let entry = LedgerEntry {
            entry,
            amount: Points::new(amount).unwrap(),
            member: MEMBER,
            asset: None,
            offer: offer.map(OfferNumber),
            redemption: offer.map(|_| REDEMPTION),
            first: amount % 5 == 0,
            reason: None,
            buckets: None,
        };
        self.add(after, program, Event::of_entry(entry));
    }

    /// An entry that changes the points that are held and deferred.
    fn buckets(&mut self, entry: Entry, amount: i64, held: i64, deferred: i64) {
        let buckets = Buckets {
            held,
            deferred,
            ..Buckets::default()
        };
        let entry = LedgerEntry {
            entry,
            amount: Points::new(amount).unwrap(),
            member: MEMBER,
            asset: None,
            offer: None,
            redemption: None,
            first: false,
            reason: None,
            buckets: buckets.boxed(),
        };
        self.add(77, 2, Event::of_entry(entry));
    }

    fn redeem(&mut self, after: i64, program: i64, offer: i64, first: bool) {
        let event = Event::RedemptionCreated {
            member: MEMBER,
            offer: OfferNumber(offer),
            redemption: REDEMPTION,
            charged: Points::ZERO,
            quantity: Units::ONE,
            first,
        };
        self.add(after, program, event);
    }

    fn move_to(&mut self, program: i64, offer: i64, from: Status, to: Status) {
        let event = Event::of_move(RedemptionMove {
            member: MEMBER,
            offer: OfferNumber(offer),
            redemption: REDEMPTION,
            from,
            to,
        });
        self.add(70, program, event.unwrap());
    }

    fn rate(&mut self, program: i64, offer: i64, replaced: Option<i64>, rating: i64) {
        let event = Event::RedemptionRated(RedemptionRating {
            member: MEMBER,
            offer: OfferNumber(offer),
            redemption: REDEMPTION,
            replaced: replaced.and_then(Rating::new),
            rating: Rating::new(rating).unwrap(),
            comment: None,
        });
        self.add(80, program, event);
    }

    fn exchange(&mut self, after: i64, program: i64, identified: bool, credit: bool) {
        // Of several members, some of whom come back.
        let member = MemberNumber(1 + self.0.len() as i64 * 7_919 % 777);
        let event = Event::TokenExchanged {
            member,
            identified,
            credit,
            expires_at: None,
        };
        self.add(after, program, event);
    }
}

fn tier(name: &str) -> Tier {
    Tier::parse("tier", name).unwrap()
}

/// Every kind of event in three programs. Program 1 closes blocks of every width, program 3 a whole
/// segment of them.
fn history() -> Vec<Activity> {
    let mut history = History::default();
    begin(&mut history);
    members(&mut history);
    redemptions(&mut history);
    for i in 0..3 * BLOCK_LEN as i64 + 40 {
        let (after, amount) = (i * i * 7_919 % 86_400_000, i * i * i % 100_003 + 1);
        history.ledger(after, 1, Entry::Mint, amount, None);
        history.ledger(1, 1, Entry::Spend, amount / 2 + 1, Some(11 + i % 2));
        if i % 3 == 0 {
            history.redeem(0, 1, 11, i % 2 == 0);
        }
        history.exchange(i % 4, 1 + i % 2, i % 2 == 0, i % 3 == 0);
    }
    // At equal intervals, so that a block of them takes few bytes.
    for _ in 0..BLOCK_LEN * (SEGMENT_BLOCKS + 1) + 1_005 {
        history.exchange(1_000, 3, false, false);
    }
    history.0
}

fn begin(history: &mut History) {
    let organization = OrganizationNumber(1);
    let environment = Environment::Sandbox;
    history.add(
        0,
        0,
        Event::OrganizationCreated {
            organization,
            status: OrganizationStatus::Active,
            environment,
        },
    );
    let (from, to) = (OrganizationStatus::Active, OrganizationStatus::Suspended);
    history.add(
        5,
        0,
        Event::OrganizationChanged {
            organization,
            from,
            to,
        },
    );
    for program in [2, 1, 3] {
        history.add(
            1_000,
            program,
            Event::ProgramCreated {
                organization,
                default_tier: None,
            },
        );
        history.add(
            10,
            program,
            Event::ProgramChanged {
                status: None,
                default_tier: None,
                ahead: None,
                expiry_notice: None,
            },
        );
    }
    for (program, offer) in [(1, 12), (2, 21), (1, 11), (1, 13)] {
        let offer = OfferNumber(offer);
        let id = OfferId::from_uuid(uuid::Uuid::from_u128(offer.0.unsigned_abs().into()));
        history.add(
            50,
            program,
            Event::OfferCreated {
                offer,
                id,
                stock: None,
            },
        );
    }
    let offer = OfferNumber(13);
    history.add(60, 1, Event::OfferChanged { offer, stock: None });
    history.add(60, 1, Event::OfferArchived { offer });
}

fn members(history: &mut History) {
    let member = MEMBER;
    for (number, name) in ["standard", "gold", "platinum", "gold", "Ünlü", "standard"]
        .into_iter()
        .enumerate()
    {
        let tier = tier(name);
        let program = 1 + number as i64 % 2;
        history.add(
            333,
            program,
            Event::MemberCreated {
                member,
                tier,
                cause: None,
            },
        );
    }
    let (from, to) = (tier("gold"), tier("silver"));
    history.add(100, 2, Event::MemberTierChanged { member, from, to });
    let tier = tier("standard");
    let removed = tier.clone();
    history.add(
        100,
        1,
        Event::MemberRemoved {
            member,
            tier: removed,
            retained: true,
        },
    );
    history.add(100, 1, Event::MemberRestored { member, tier });
    let message = MessageId::from_uuid(uuid::Uuid::from_u128(7));
    history.add(
        100,
        1,
        Event::MessageCreated {
            member,
            message,
            role: None,
        },
    );
    for (place, entry) in Entry::ALL[..5].iter().enumerate() {
        let offer = matches!(entry, Entry::Spend | Entry::Refund).then_some(21);
        history.ledger(9_999, 2, *entry, 1_000_000 * (place as i64 + 1), offer);
    }
    history.buckets(Entry::Mint, 50_000_000, 0, 50_000_000);
    history.buckets(Entry::Expire, 1_000_000, 0, 0);
    history.buckets(Entry::Mature, 20_000_000, 0, -20_000_000);
    history.buckets(Entry::Hold, 9_000_000, 9_000_000, 0);
    history.buckets(Entry::Release, 4_000_000, -4_000_000, 0);
    history.buckets(Entry::Void, 2_000_000, -2_000_000, 0);
    history.buckets(Entry::Open, 1_000_000, 0, 0);
    history.buckets(Entry::Reverse, 3_000_000, 0, 0);
}

/// One redemption stays at each status; the completed one went through all of them.
fn redemptions(history: &mut History) {
    for to in Status::ALL {
        history.redeem(500, 2, 21, to == Status::Submitted);
        if to != Status::Submitted {
            history.move_to(2, 21, Status::Submitted, to);
        }
    }
    history.rate(2, 21, None, 10);
    history.rate(2, 21, None, 4);
    history.rate(2, 21, Some(4), 9);
}

/// The figures of the history, from a full fold.
fn folded() -> Figures {
    let mut figures = Figures::default();
    for activity in history() {
        figures.apply(&activity).unwrap();
    }
    assert!(!figures.settle(), "nothing comes late");
    // As a server does before it saves them.
    while let Some((program, merge)) = figures.plan_merge() {
        assert!(figures.accept(program, merge.run()));
    }
    figures
}

fn captured(figures: &Figures) -> Capture {
    figures.capture(&Stored::default()).unwrap()
}

/// A capture and its header, one line for each part.
fn written(capture: &Capture) -> String {
    let header = Header {
        version: VERSION,
        last_seq: capture.last_seq,
        parts: u32::try_from(capture.state.len()).unwrap(),
    };
    let mut text = format!(
        "header {} {} {} {}\n",
        header.version,
        header.last_seq.0,
        header.parts,
        header.checksum()
    );
    let part = |part: &Part| format!("{} {}", part.checksum, HEXLOWER.encode(&part.bytes));
    for (id, segment) in &capture.segments {
        let TimelineId {
            program,
            offer,
            measure,
        } = id.timeline;
        let id = format!("{program} {offer} {measure} {}", id.number);
        writeln!(text, "segment {id} {}", part(segment)).unwrap();
    }
    for state in &capture.state {
        writeln!(text, "state {}", part(state)).unwrap();
    }
    text
}

/// The parts of the output of [`written`].
fn read(text: &str) -> (BTreeMap<SegmentId, Part>, Vec<Part>) {
    let (mut segments, mut state) = (BTreeMap::new(), Vec::new());
    for line in text.lines() {
        let fields: Vec<&str> = line.split(' ').collect();
        let number = |index: usize| fields[index].parse::<i64>().unwrap();
        let part = || Part {
            bytes: HEXLOWER
                .decode(fields[fields.len() - 1].as_bytes())
                .unwrap(),
            checksum: fields[fields.len() - 2].parse().unwrap(),
        };
        match fields[0] {
            "segment" => {
                let timeline = TimelineId {
                    program: number(1),
                    offer: number(2),
                    measure: u8::try_from(number(3)).unwrap(),
                };
                let number = u32::try_from(number(4)).unwrap();
                segments.insert(SegmentId { timeline, number }, part());
            }
            "state" => state.push(part()),
            _ => {}
        }
    }
    (segments, state)
}

fn file_name() -> String {
    format!("snapshot-v{VERSION}.hex")
}

/// Describes how the bytes of a version are written to their file.
fn how_to_store() -> String {
    format!("store its bytes with `{STORE}=1 cargo test --test engine snapshot`")
}

/// The stored bytes of this version. Existing ones are never overwritten.
#[track_caller]
fn stored() -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/engine");
    let path = folder.join(file_name());
    if std::env::var_os(STORE).is_some() && !path.exists() {
        // Other tests of this program read it at the same time.
        let mut file = tempfile::NamedTempFile::new_in(&folder).unwrap();
        let text = written(&captured(&folded()));
        std::io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        file.persist(&path).unwrap();
    }
    std::fs::read_to_string(&path).unwrap_or_else(|_| {
        let how = how_to_store();
        panic!(
            "version {VERSION} has no tests/engine/{}: {how}",
            file_name()
        )
    })
}

#[test]
fn the_history_has_everything_that_a_snapshot_stores() {
    let figures = folded();
    let capture = captured(&figures);
    assert!(capture.segments.iter().any(|(id, _)| id.number == 1));
    assert!(capture.segments.iter().any(|(id, _)| id.timeline.offer > 0));
    let program = |number| figures.program(ProgramNumber(number)).unwrap();
    let open = |measure| program(1).timeline(measure).open_state().blocks;
    assert!(open(Measure::Minted) == 3 && open(Measure::Identifications) == 1);
    assert!(
        program(1).tier_count() > 2,
        "their order is not that of a map"
    );
    // Blocks of visits in two sizes, and newest visits.
    let codes = capture.segments.iter().map(|(id, _)| id.timeline.measure);
    let codes: BTreeSet<u8> = codes.filter(|code| *code > 126).collect();
    assert!(codes.len() > 4 && codes.contains(&127), "{codes:?}");
    assert!(open(Measure::Earned) == 0);
    assert!(program(2).timeline(Measure::Earned).total().count > 1);
    let totals = program(2).totals();
    let buckets = [totals.expired, totals.voided, totals.pending, totals.held];
    assert_eq!(buckets, [1_000_000, 2_000_000, 30_000_000, 3_000_000]);
    let ratings = program(2).offers()[0].figures().ratings;
    assert_eq!((ratings.count, ratings.sum), (2, 19));
    for status in Status::ALL {
        assert!(
            program(2).totals().redemptions.get(status) > 0,
            "{status:?}"
        );
    }
}

#[test]
fn a_capture_is_the_same_however_often_it_is_made() {
    let first = captured(&folded());
    for _ in 0..5 {
        assert!(captured(&folded()) == first);
    }
}

#[test]
fn the_bytes_of_a_version_never_change() {
    let (stored, found) = (stored(), written(&captured(&folded())));
    let mut lines = stored.lines().zip(found.lines());
    let differs = lines.find(|(stored, found)| stored != found);
    let differs = differs.map_or("the number of parts", |(stored, _)| {
        stored.split_at(stored.len().min(40)).0
    });
    let (name, how) = (file_name(), how_to_store());
    assert!(
        stored == found,
        "A snapshot is not written as {name} says (first difference: {differs}). Databases hold \
         such snapshots, so raise VERSION in src/analytics/snapshot.rs, then {how} and delete \
         the old file. If only the history of this test was changed, delete {name} and {how}."
    );
}

#[test]
fn the_stored_bytes_give_the_figures_back() {
    let stored = stored();
    let (segments, state) = read(&stored);
    let fetch = |id| segments.get(&id).cloned();
    let (restored, known) = Figures::restore(&state, fetch).unwrap();
    let figures = folded();
    assert!(restored == figures, "the same figures");
    // Figures loaded from it continue: only the state is stored again.
    let next = figures.capture(&known).unwrap();
    assert_eq!(next.segments, Vec::new());
    assert!(next.state == state, "the same state");
}
