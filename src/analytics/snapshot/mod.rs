//! Snapshots: the figures in parts that can be stored.
//!
//! Closed blocks of timelines never change, so each is stored once. A **segment** holds up to
//! [`SEGMENT_BLOCKS`] consecutive blocks of one timeline. Only the last segment of a timeline is
//! written again, with more blocks after the same ones. Everything else, the totals and the open
//! heads, is small and is stored in full by every snapshot, as its **state**. The state has the
//! number of closed blocks of each timeline, so that it also fits segments that have grown since.
//!
//! Visits of members have segments too: one for each closed block of links, or several for a large
//! one, and those with the newest visit of each member, which are written in full now and then and
//! in between for the members for whom it changed. Segments that larger blocks or newer ones
//! replace are deleted once the header is written.
//!
//! Each part has a checksum. A part with a wrong checksum makes the whole snapshot unusable, which
//! costs only time, because the log holds everything.

mod parts;

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

pub use self::parts::{Damaged, Header, Part, SegmentId, TimelineId};
use self::parts::{timeline_id, visits_id, whole};
use super::contradiction::POINTS_MAX;
use super::visits::{StoredVisits, VisitDraft, VisitState, Visits};
use super::{
    Counters, Deed, Figures, Measure, OfferCounters, OpenState, Ratings, Timeline, Totals,
};
use crate::domain::{OfferId, OfferNumber, ProgramNumber, Seq, Tier, Timestamp};

/// The version of the format. No other version is read.
pub const VERSION: u32 = 5;
/// Blocks in a full segment, about 50 kB.
pub const SEGMENT_BLOCKS: usize = 128;
/// The largest part of a state, in bytes.
pub const PART_BYTES_MAX: usize = 1 << 20;

/// A snapshot without the segments that were stored before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capture {
    /// The newest activity that it includes.
    pub last_seq: Seq,
    /// Segments that are new or have grown.
    pub segments: Vec<(SegmentId, Part)>,
    /// The state, split into parts of at most [`PART_BYTES_MAX`].
    pub state: Vec<Part>,
    /// Segments that are not needed once all of this is stored: of each timeline those before a
    /// number.
    pub deleted: Vec<SegmentId>,
    /// The number of closed blocks of each timeline.
    blocks: Vec<(TimelineId, usize)>,
    /// What is stored of the visits of each program.
    visits: Vec<(i64, StoredVisits)>,
}

/// What a snapshot stores, before it has its form.
#[derive(Debug)]
pub struct Draft {
    last_seq: Seq,
    segments: Vec<(SegmentId, Vec<u8>)>,
    blocks: Vec<(TimelineId, usize)>,
    programs: Vec<(ProgramState, VisitDraft)>,
}

/// The number of closed blocks of each timeline that are stored already, and what is stored of the
/// visits of each program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    blocks: HashMap<TimelineId, usize>,
    visits: HashMap<i64, StoredVisits>,
}

/// The state in the form in which it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct State {
    last_seq: Seq,
    programs: Vec<ProgramState>,
}

#[derive(Debug, Serialize, Deserialize)]
struct ProgramState {
    number: i64,
    totals: Totals,
    tiers: Vec<(String, u64)>,
    last: Option<(Seq, Timestamp)>,
    timelines: Vec<OpenState>,
    offers: Vec<OfferState>,
    has_deferred: bool,
    /// Is there in a stored state.
    visits: Option<VisitState>,
}

#[derive(Debug, Serialize, Deserialize)]
struct OfferState {
    number: i64,
    id: [u8; 16],
    completions: u64,
    cancellations: u64,
    ratings: Ratings,
    timelines: [OpenState; 2],
}

impl Figures {
    /// Takes a snapshot of everything except the blocks that are stored already. `None` before any
    /// activity.
    ///
    /// # Panics
    /// If a late entry has not been merged.
    pub fn capture(&self, stored: &Stored) -> Option<Capture> {
        self.draft(stored).map(Draft::finish)
    }

    /// The first part of [`Figures::capture`], which is short: a lock is held for it.
    ///
    /// # Panics
    /// If a late entry has not been merged.
    pub fn draft(&self, stored: &Stored) -> Option<Draft> {
        let last_seq = self.last_seq?;
        let mut programs: Vec<_> = self.programs().collect();
        programs.sort_unstable_by_key(|(number, _)| *number);
        let timelines: Vec<_> = programs
            .iter()
            .flat_map(|(number, c)| timelines_of(*number, c))
            .collect();
        let new = |(id, timeline): &(TimelineId, &Timeline)| new_segments(*id, timeline, stored);
        let segments = timelines.iter().flat_map(new).collect();
        let blocks = timelines
            .iter()
            .map(|(id, timeline)| (*id, timeline.block_count()))
            .collect();
        let programs = programs.into_iter().map(|(number, c)| {
            let visits = c.visits.draft(stored.visits.get(&number.0));
            (program_state(number, c), visits)
        });
        Some(Draft {
            last_seq,
            segments,
            blocks,
            programs: programs.collect(),
        })
    }

    /// Restores the figures of a snapshot and which blocks are stored. Segments are fetched one by
    /// one, so that they are not all in memory together.
    ///
    /// # Errors
    /// [`Damaged`] if any part is not as it was stored.
    pub fn restore(
        state: &[Part],
        fetch: impl FnMut(SegmentId) -> Option<Part>,
    ) -> Result<(Self, Stored), Damaged> {
        if !state.iter().all(Part::is_whole) {
            return Err(Damaged::Checksum);
        }
        let bytes: Vec<u8> = state
            .iter()
            .flat_map(|part| part.bytes.iter().copied())
            .collect();
        let state: State = postcard::from_bytes(&bytes).map_err(|_| Damaged::Parts)?;
        let mut shelf = Shelf {
            fetch,
            stored: Stored::default(),
        };
        let mut figures = Self {
            last_seq: Some(state.last_seq),
            ..Self::default()
        };
        for program in state.programs {
            let number = ProgramNumber(program.number);
            let counters = shelf.program(program)?;
            figures.programs.insert(number, counters);
        }
        Ok((figures, shelf.stored))
    }
}

impl Draft {
    /// Writes the parts, which takes longer.
    ///
    /// # Panics
    /// Never: every value can be serialized.
    pub fn finish(self) -> Capture {
        let last_seq = self.last_seq;
        let segments = self.segments.into_iter();
        let mut segments: Vec<_> = segments.map(|(id, bytes)| (id, Part::new(bytes))).collect();
        let (mut deleted, mut visits) = (Vec::new(), Vec::new());
        let mut programs = Vec::with_capacity(self.programs.len());
        for (mut state, draft) in self.programs {
            let program = state.number;
            let parts = draft.finish();
            let new = parts.segments.into_iter();
            segments
                .extend(new.map(|(place, bytes)| (visits_id(program, place), Part::new(bytes))));
            let old = parts.deleted.into_iter();
            deleted.extend(old.map(|place| visits_id(program, place)));
            visits.push((program, parts.stored));
            state.visits = Some(parts.state);
            programs.push(state);
        }
        let state = postcard::to_stdvec(&State { last_seq, programs })
            .expect("every value of a state can be serialized");
        let state = state
            .chunks(PART_BYTES_MAX)
            .map(|bytes| Part::new(bytes.to_vec()))
            .collect();
        Capture {
            last_seq,
            segments,
            state,
            deleted,
            blocks: self.blocks,
            visits,
        }
    }
}

impl Stored {
    /// Notes that a snapshot has been stored.
    pub fn note(&mut self, capture: Capture) {
        self.blocks.extend(capture.blocks);
        self.visits.extend(capture.visits);
    }

    /// Whether no blocks are known to be stored.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }
}

fn timelines_of(
    program: ProgramNumber,
    counters: &Counters,
) -> impl Iterator<Item = (TimelineId, &Timeline)> {
    let own = counters.timelines.iter().enumerate();
    let own = own.map(move |(measure, timeline)| (timeline_id(program.0, 0, measure), timeline));
    let of_offers = counters.offers.iter().flat_map(move |offer| {
        let id = |measure| timeline_id(program.0, offer.number.0, measure);
        [(id(0), &offer.signups), (id(1), &offer.spent)]
    });
    own.chain(of_offers)
}

/// The segments of a timeline with blocks that are not stored yet.
fn new_segments(id: TimelineId, timeline: &Timeline, stored: &Stored) -> Vec<(SegmentId, Vec<u8>)> {
    let count = timeline.block_count();
    let known = stored.blocks.get(&id).copied().unwrap_or(0);
    if count <= known {
        return Vec::new();
    }
    (known / SEGMENT_BLOCKS..count.div_ceil(SEGMENT_BLOCKS))
        .map(|number| {
            let start = number * SEGMENT_BLOCKS;
            let bytes = timeline.stored_blocks(start..count.min(start + SEGMENT_BLOCKS));
            let number = u32::try_from(number).expect("a timeline has fewer than 2^32 blocks");
            (
                SegmentId {
                    timeline: id,
                    number,
                },
                bytes,
            )
        })
        .collect()
}

fn program_state(number: ProgramNumber, counters: &Counters) -> ProgramState {
    let mut tiers: Vec<_> = counters
        .tiers
        .iter()
        .map(|(tier, count)| (tier.as_str().to_owned(), *count))
        .collect();
    tiers.sort_unstable();
    ProgramState {
        number: number.0,
        totals: counters.totals,
        tiers,
        last: counters.last,
        timelines: counters
            .timelines
            .iter()
            .map(Timeline::open_state)
            .collect(),
        offers: counters
            .offers
            .iter()
            .map(|offer| OfferState {
                number: offer.number.0,
                id: *offer.id.as_uuid().as_bytes(),
                completions: offer.completions,
                cancellations: offer.cancellations,
                ratings: offer.ratings,
                timelines: [offer.signups.open_state(), offer.spent.open_state()],
            })
            .collect(),
        has_deferred: counters.has_deferred,
        visits: None,
    }
}

/// Builds figures from stored parts.
struct Shelf<F> {
    fetch: F,
    stored: Stored,
}

impl<F: FnMut(SegmentId) -> Option<Part>> Shelf<F> {
    fn program(&mut self, state: ProgramState) -> Result<Counters, Damaged> {
        let program = state.number;
        let mut timelines = state
            .timelines
            .into_iter()
            .enumerate()
            .map(|(measure, open)| self.timeline(timeline_id(program, 0, measure), open))
            .collect::<Result<Vec<_>, _>>()?;
        let mut counters = Counters {
            totals: state.totals,
            tiers: state
                .tiers
                .into_iter()
                .map(|(t, count)| (Tier::stored(t), count))
                .collect(),
            last: state.last,
            ..Counters::default()
        };
        if timelines.len() != Measure::ALL.len() {
            return Err(Damaged::Parts);
        }
        counters.timelines.swap_with_slice(&mut timelines);
        counters.has_deferred = state.has_deferred;
        counters.visits = self.visits(program, state.visits)?;
        // Every visit is an entry of its timeline.
        let is_whole = |deed: Deed| {
            let entries = counters.timeline(deed.measure()).total().count;
            entries == counters.visits.count(deed) as u64
        };
        let mut deeds = Deed::ALL.into_iter();
        if !deeds.all(is_whole) {
            return Err(Damaged::Parts);
        }
        for offer in state.offers {
            let number = OfferNumber(offer.number);
            let [signups, spent] = offer.timelines;
            let signups = self.timeline(timeline_id(program, number.0, 0), signups)?;
            let spent = self.timeline(timeline_id(program, number.0, 1), spent)?;
            counters.places.insert(number, counters.offers.len());
            counters.offers.push(OfferCounters {
                number,
                id: OfferId::from_uuid(uuid::Uuid::from_bytes(offer.id)),
                completions: offer.completions,
                cancellations: offer.cancellations,
                ratings: offer.ratings,
                signups,
                spent,
            });
        }
        Ok(counters)
    }

    fn visits(&mut self, program: i64, state: Option<VisitState>) -> Result<Visits, Damaged> {
        let fetch = &mut self.fetch;
        let fetch = |place| whole(fetch(visits_id(program, place)));
        let state = state.ok_or(Damaged::Parts)?;
        let (visits, stored) = Visits::restore(state, fetch)?.ok_or(Damaged::Parts)?;
        self.stored.visits.insert(program, stored);
        Ok(visits)
    }

    fn timeline(&mut self, id: TimelineId, open: OpenState) -> Result<Timeline, Damaged> {
        let count = usize::try_from(open.blocks).map_err(|_| Damaged::Parts)?;
        self.stored.blocks.insert(id, count);
        let fetch = &mut self.fetch;
        let pieces = (0_u32..)
            .take(count.div_ceil(SEGMENT_BLOCKS))
            .map(|number| {
                let id = SegmentId {
                    timeline: id,
                    number,
                };
                whole(fetch(id))
            });
        // The last segment may have grown since the state was stored.
        Timeline::restore(pieces, open)?
            .filter(|timeline| timeline.total().amount <= POINTS_MAX)
            .ok_or(Damaged::Parts)
    }
}
