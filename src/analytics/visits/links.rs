//! Links: for each visit the one of the same member before it, in blocks that are counted fast.

use std::ops::Range;
use std::sync::Arc;

use super::matrix::Matrix;

/// Links in the smallest block; few in tests, so that they have blocks of all sizes.
pub(super) const BLOCK: usize = if cfg!(test) { 1 << 6 } else { 1 << 13 };
/// Blocks of one size that become one of the next.
const FAN: usize = 16;

/// A link is the place of the visit before, plus one, or zero for a member's first visit.
///
/// The newest links, fewer than [`BLOCK`], are in a plain head. A full head becomes a block. As
/// soon as there are [`FAN`] blocks of one size they may be merged into one, which changes no
/// count: it only makes counting faster. Merging takes long, so it is planned here, done elsewhere
/// and then put in their place.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    blocks: Vec<Arc<Matrix>>,
    /// The place of each block's first link.
    firsts: Vec<usize>,
    head: Vec<u32>,
}

/// Blocks to be merged into one.
#[derive(Debug)]
pub(super) struct Merge {
    /// The index of the first block.
    at: usize,
    blocks: Vec<Arc<Matrix>>,
}

/// A block that replaces several.
#[derive(Debug)]
pub(super) struct Merged {
    merge: Merge,
    block: Arc<Matrix>,
}

impl Merge {
    pub(super) fn run(self) -> Merged {
        let numbers = self.blocks.iter().flat_map(|block| block.numbers());
        let block = Arc::new(Matrix::new(numbers.collect()));
        Merged { merge: self, block }
    }
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.head_first() + self.head.len()
    }

    pub(super) fn push(&mut self, link: u32) {
        self.head.push(link);
        if self.head.len() == BLOCK {
            self.firsts.push(self.head_first());
            let links = std::mem::take(&mut self.head);
            self.blocks.push(Arc::new(Matrix::new(links)));
        }
    }

    /// The number of a range's links that are below a bound.
    pub(super) fn count_below(&self, range: Range<usize>, bound: u32) -> usize {
        let within = |first: usize, len: usize| {
            let inside = |place: usize| place.clamp(first, first + len) - first;
            inside(range.start)..inside(range.end)
        };
        let from = self.firsts.partition_point(|first| *first <= range.start);
        let from = from.saturating_sub(1);
        let touched = self.firsts[from..].iter().zip(&self.blocks[from..]);
        let closed: usize = touched
            .take_while(|(first, _)| **first < range.end)
            .map(|(first, block)| block.count_below(within(*first, block.len()), bound))
            .sum();
        let open = &self.head[within(self.head_first(), self.head.len())];
        closed + open.iter().filter(|link| **link < bound).count()
    }

    /// Every link, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        let closed = self.blocks.iter().flat_map(|block| block.numbers());
        closed.chain(self.head.iter().copied())
    }

    /// The next merge, if there is one.
    pub(super) fn plan_merge(&self) -> Option<Merge> {
        let runs = self.blocks.chunk_by(|one, other| one.len() == other.len());
        let mut at = 0;
        for run in runs {
            if run.len() >= FAN {
                let blocks = run[..FAN].to_vec();
                return Some(Merge { at, blocks });
            }
            at += run.len();
        }
        None
    }

    /// Puts a merged block instead of those that it was made of. Returns false, and changes
    /// nothing, if they are not there any more.
    pub(super) fn accept(&mut self, merged: Merged) -> bool {
        let Merge { at, blocks } = &merged.merge;
        let range = *at..at + blocks.len();
        let current = self.blocks.get(range.clone()).unwrap_or_default();
        let is_same = |(one, other): (&Arc<Matrix>, &Arc<Matrix>)| Arc::ptr_eq(one, other);
        if current.len() != blocks.len() || !current.iter().zip(blocks).all(is_same) {
            return false;
        }
        self.firsts.drain(at + 1..range.end);
        self.blocks.splice(range, [merged.block]);
        true
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.blocks.iter().map(|b| b.heap_bytes()).sum::<usize>()
            + self.blocks.capacity() * size_of::<Arc<Matrix>>()
            + self.firsts.capacity() * size_of::<usize>()
            + self.head.capacity() * size_of::<u32>()
    }

    /// The place of the head's first link.
    fn head_first(&self) -> usize {
        let last = self.firsts.last().zip(self.blocks.last());
        last.map_or(0, |(first, block)| first + block.len())
    }
}

/// Links are the same however they are divided into blocks.
impl PartialEq for Links {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Links {}
