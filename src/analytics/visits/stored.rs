//! The stored form of visits: closed blocks of links, which never change and are stored once, the
//! newest visit of each member, of which every snapshot stores what changed, and the heads.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::links::{BLOCK, LEVELS, Links, block_len};
use super::matrix::Matrix;
use super::{Deed, OfDeeds, Visits};
use crate::domain::MemberNumber;

/// The number that segments have instead of a measure: this one with the newest visits of members,
/// and from the next one on those of each kind and each size of blocks.
const NEWEST: u8 = 127;
/// The most bytes of a segment.
const PIECE_BYTES: usize = 1 << 20;
/// The most members in a segment; each takes at most 40 bytes.
const PIECE_MEMBERS: usize = PIECE_BYTES / 40;
/// The most segments with newest visits, each of which takes time to load.
const CHANGES_MAX: u32 = 128;

/// The number that segments of blocks have instead of a measure.
fn code(deed: usize, level: usize) -> u8 {
    NEWEST + 1 + u8::try_from(deed * LEVELS + level).expect("there are 24 of them")
}

/// A segment: its number instead of a measure, and its number among those.
pub(in crate::analytics) type Place = (u8, u32);

/// Visits without their closed blocks and newest visits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::analytics) struct VisitState {
    kinds: Vec<LinksState>,
    newest: Numbers,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct LinksState {
    /// The number of blocks of each size.
    blocks: [u32; LEVELS],
    head: Vec<u32>,
}

/// The numbers of the segments with newest visits: first those with all of them, then those with
/// the ones that changed since.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Numbers {
    first: u32,
    changes: u32,
    next: u32,
}

/// What is stored already of the visits of a program.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::analytics) struct StoredVisits {
    /// For each size, the place after the last block that is stored, and the number of the first
    /// segment that is not deleted.
    blocks: OfDeeds<[(usize, u32); LEVELS]>,
    newest: Numbers,
    /// The number of members in the segments with all newest visits, and in those after them.
    members: (usize, usize),
    /// The number of visits of each kind.
    visits: OfDeeds<u32>,
}

/// What a snapshot stores of visits, before it has a form: a lock is held only while this is made.
#[derive(Debug)]
pub(in crate::analytics) struct VisitDraft {
    state: VisitState,
    /// The new blocks, with the segment of the first piece of each.
    blocks: Vec<(Place, Arc<Matrix>)>,
    newest: Vec<(i64, OfDeeds<u32>)>,
    stored: StoredVisits,
    deleted: Vec<Place>,
}

/// What a snapshot stores of visits.
pub(in crate::analytics) struct VisitParts {
    pub(in crate::analytics) state: VisitState,
    pub(in crate::analytics) segments: Vec<(Place, Vec<u8>)>,
    /// For kinds of segments, the number before which none is needed once all is stored.
    pub(in crate::analytics) deleted: Vec<Place>,
    pub(in crate::analytics) stored: StoredVisits,
}

impl Visits {
    /// Takes what is not stored yet.
    ///
    /// # Panics
    /// If a late visit has not been merged.
    pub(in crate::analytics) fn draft(&self, stored: Option<&StoredVisits>) -> VisitDraft {
        assert!(
            self.late.is_empty(),
            "visits are settled before they are stored"
        );
        let mut draft = VisitDraft {
            state: VisitState {
                kinds: Vec::new(),
                newest: Numbers::default(),
            },
            blocks: Vec::new(),
            newest: Vec::new(),
            stored: stored.cloned().unwrap_or_default(),
            deleted: Vec::new(),
        };
        for (deed, links) in self.links.iter().enumerate() {
            draft.add(deed, links);
        }
        let before = draft.stored.visits;
        draft.stored.visits = self.links.each_ref().map(|links| short(links.len()));
        let changed = |newest: &OfDeeds<u32>| newest.iter().zip(before).any(|(n, b)| *n > b);
        let all = || {
            self.newest
                .iter()
                .map(|(member, newest)| (member.0, *newest))
        };
        draft
            .newest
            .extend(all().filter(|(_, newest)| changed(newest)));
        let Numbers { changes, next, .. } = draft.stored.newest;
        let (base, since) = draft.stored.members;
        if 2 * (since + draft.newest.len()) > base || next - changes >= CHANGES_MAX {
            if !draft.newest.is_empty() {
                draft.newest.clear();
                draft.newest.extend(all());
                draft.number_all();
            }
        } else {
            draft.stored.members.1 += draft.newest.len();
            draft.stored.newest.next += draft.pieces();
        }
        draft.state.newest = draft.stored.newest;
        draft
    }

    /// Restores stored visits; `fetch` returns the bytes of a segment. The inner value is `None` if
    /// the parts do not fit together.
    ///
    /// # Errors
    /// The first error of `fetch`.
    pub(in crate::analytics) fn restore<E>(
        state: VisitState,
        mut fetch: impl FnMut(Place) -> Result<Vec<u8>, E>,
    ) -> Result<Option<(Self, StoredVisits)>, E> {
        let mut visits = Self::default();
        let mut stored = StoredVisits {
            newest: state.newest,
            ..StoredVisits::default()
        };
        if state.kinds.len() != visits.links.len() {
            return Ok(None);
        }
        for (deed, kind) in state.kinds.into_iter().enumerate() {
            let Some(blocks) = restored_blocks(deed, kind.blocks, &mut fetch)? else {
                return Ok(None);
            };
            let links = Links::restore(blocks, kind.head);
            for (level, first, block) in links.blocks() {
                stored.blocks[deed][level].0 = first + block.len();
            }
            stored.visits[deed] = short(links.len());
            visits.links[deed] = links;
        }
        let Numbers {
            first,
            changes,
            next,
        } = state.newest;
        if first > changes || changes > next {
            return Ok(None);
        }
        for number in first..next {
            let bytes = fetch((NEWEST, number))?;
            let Ok(newest) = postcard::from_bytes::<Vec<(i64, OfDeeds<u32>)>>(&bytes) else {
                return Ok(None);
            };
            let members = &mut stored.members;
            *if number < changes {
                &mut members.0
            } else {
                &mut members.1
            } += newest.len();
            visits.newest.reserve(newest.len());
            for (member, newest) in newest {
                if newest.iter().zip(stored.visits).any(|(n, most)| *n > most) {
                    return Ok(None);
                }
                visits.newest.insert(MemberNumber(member), newest);
            }
        }
        Ok(Some((visits, stored)))
    }

    /// The number of visits of a kind.
    pub(in crate::analytics) fn count(&self, deed: Deed) -> usize {
        self.links[deed as usize].len()
    }
}

/// A number of visits, which is at most [`Visits::MAX`].
fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The number of the first segment of the block that begins at a place.
fn segment(place: usize) -> u32 {
    short(place / BLOCK)
}

fn restored_blocks<E>(
    deed: usize,
    counts: [u32; LEVELS],
    fetch: &mut impl FnMut(Place) -> Result<Vec<u8>, E>,
) -> Result<Option<Vec<Matrix>>, E> {
    let (mut blocks, mut place) = (Vec::new(), 0);
    for level in (0..LEVELS).rev() {
        let len = block_len(level);
        for _ in 0..counts[level] {
            let (code, number) = (code(deed, level), segment(place));
            let mut bytes = fetch((code, number))?;
            let Some(width) = bytes.first().copied() else {
                return Ok(None);
            };
            for piece in 1..Matrix::stored_len(len, width).div_ceil(PIECE_BYTES) {
                bytes.extend(fetch((code, number.saturating_add(short(piece))))?);
            }
            let Some(block) = Matrix::restore(len, &bytes) else {
                return Ok(None);
            };
            blocks.push(block);
            place += len;
            if place > Visits::MAX {
                return Ok(None);
            }
        }
    }
    Ok(Some(blocks))
}

impl VisitDraft {
    /// Adds the new blocks of one kind of visits.
    fn add(&mut self, deed: usize, links: &Links) {
        let mut counts = [0; LEVELS];
        let stored = &mut self.stored.blocks[deed];
        for (level, first, block) in links.blocks() {
            counts[level] += 1;
            if first >= stored[level].0 {
                let place = (code(deed, level), segment(first));
                self.blocks.push((place, Arc::clone(block)));
                stored[level].0 = first + block.len();
            }
        }
        // What is in larger blocks is not needed in smaller ones.
        let mut end = 0;
        for level in (0..LEVELS).rev() {
            let first = segment(end);
            end += counts[level] as usize * block_len(level);
            if first > stored[level].1 {
                stored[level].1 = first;
                self.deleted.push((code(deed, level), first));
            }
        }
        self.state.kinds.push(LinksState {
            blocks: counts,
            head: links.head().to_vec(),
        });
    }

    /// Numbers the segments with all newest visits.
    fn number_all(&mut self) {
        let first = self.stored.newest.next;
        let next = first + self.pieces();
        self.stored.newest = Numbers {
            first,
            changes: next,
            next,
        };
        self.stored.members = (self.newest.len(), 0);
        if first > 0 {
            self.deleted.push((NEWEST, first));
        }
    }

    /// The number of segments that the newest visits take.
    fn pieces(&self) -> u32 {
        short(self.newest.len().div_ceil(PIECE_MEMBERS))
    }

    /// Writes the parts, which takes longer.
    pub(in crate::analytics) fn finish(mut self) -> VisitParts {
        let mut segments = Vec::new();
        for ((code, number), block) in self.blocks {
            for (piece, bytes) in (number..).zip(block.stored().chunks(PIECE_BYTES)) {
                segments.push(((code, piece), bytes.to_vec()));
            }
        }
        self.newest.sort_unstable_by_key(|(member, _)| *member);
        let pieces = self.newest.chunks(PIECE_MEMBERS);
        let first = self.state.newest.next - short(pieces.len());
        for (number, newest) in (first..).zip(pieces) {
            let bytes = postcard::to_stdvec(newest).expect("numbers can be serialized");
            segments.push(((NEWEST, number), bytes));
        }
        VisitParts {
            state: self.state,
            segments,
            deleted: self.deleted,
            stored: self.stored,
        }
    }
}
