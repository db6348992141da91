//! Links: for each visit the one of the same member before it, in blocks that are counted fast.

use std::ops::Range;
use std::sync::Arc;

use super::matrix::Matrix;

/// Links in the smallest block; few in tests, so that they have blocks of all sizes.
pub(super) const BLOCK: usize = if cfg!(test) { 1 << 6 } else { 1 << 10 };
/// Blocks of one size that become one of the next.
const FAN: usize = 16;
/// The number of sizes of blocks. Merging larger ones would take longer than a stop may.
pub(super) const LEVELS: usize = 4;
/// Links that are left in the head until they are closed elsewhere. A head that grows longer, as in
/// a fold of the log, is closed where it is.
const HEAD_MAX: usize = 8 * FAN * BLOCK;

/// The number of links in a block of a size.
pub(super) const fn block_len(level: usize) -> usize {
    BLOCK << (4 * level)
}

/// A link is the place of the visit before, plus one, or zero for a member's first visit.
///
/// The newest links are in a plain head, of which whole blocks are closed. As soon as there are
/// [`FAN`] blocks of one size they may be merged into one, which changes no count: it only makes
/// counting faster. Larger blocks are before smaller ones. Closing and merging take long, so they
/// are planned here, done elsewhere and then put in their place.
#[derive(Debug, Clone, Default)]
pub(super) struct Links {
    blocks: Vec<Arc<Matrix>>,
    /// The place of each block's first link.
    firsts: Vec<usize>,
    head: Vec<u32>,
}

/// Links to be put into other blocks.
#[derive(Debug)]
pub(super) enum Merge {
    /// The first links of the head, to be closed.
    Close {
        first: usize,
        links: Vec<u32>,
        after_small: bool,
    },
    /// Blocks to be merged into one, and the index of the first of them.
    Join { at: usize, blocks: Vec<Arc<Matrix>> },
}

/// Blocks, and what they replace.
#[derive(Debug)]
pub(super) struct Merged {
    merge: Merge,
    blocks: Vec<Arc<Matrix>>,
}

impl Merge {
    pub(super) fn run(self) -> Merged {
        let blocks = match &self {
            Self::Close {
                links, after_small, ..
            } => closed(links, *after_small),
            Self::Join { blocks, .. } => {
                let numbers = blocks.iter().flat_map(|block| block.numbers());
                vec![Arc::new(Matrix::new(numbers.collect()))]
            }
        };
        Merged {
            merge: self,
            blocks,
        }
    }
}

/// Blocks of links, of the second size as long as none of the first is before them.
fn closed(links: &[u32], after_small: bool) -> Vec<Arc<Matrix>> {
    let large = block_len(1);
    let mut blocks = Vec::new();
    let mut rest = links;
    while !rest.is_empty() {
        let is_large = !after_small && rest.len() >= large;
        let len = if is_large { large } else { BLOCK };
        blocks.push(Arc::new(Matrix::new(rest[..len].to_vec())));
        rest = &rest[len..];
    }
    blocks
}

impl Links {
    /// Links of stored blocks, in their order, and of a head.
    pub(super) fn restore(blocks: Vec<Matrix>, head: Vec<u32>) -> Self {
        let mut links = Self::default();
        for block in blocks {
            links.add_block(Arc::new(block));
        }
        links.head = head;
        links
    }

    pub(super) fn len(&self) -> usize {
        self.head_first() + self.head.len()
    }

    pub(super) fn push(&mut self, link: u32) {
        self.head.push(link);
        if self.head.len() == HEAD_MAX {
            let head = std::mem::take(&mut self.head);
            for block in closed(&head, self.ends_small()) {
                self.add_block(block);
            }
        }
    }

    /// Whether the last block is of the smallest size.
    fn ends_small(&self) -> bool {
        self.blocks.last().is_some_and(|last| last.len() == BLOCK)
    }

    fn add_block(&mut self, block: Arc<Matrix>) {
        self.firsts.push(self.head_first());
        self.blocks.push(block);
    }

    /// The closed blocks, each with its size and the place of its first link.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (usize, usize, &Arc<Matrix>)> {
        let blocks = self.firsts.iter().zip(&self.blocks);
        blocks.map(|(first, block)| {
            let level = (block.len() / BLOCK).ilog(FAN) as usize;
            (level, *first, block)
        })
    }

    /// The links that are in no block.
    pub(super) fn head(&self) -> &[u32] {
        &self.head
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

    /// The next blocks to be closed or merged, if there are any.
    pub(super) fn plan_merge(&self) -> Option<Merge> {
        self.plan_close().or_else(|| self.plan_join())
    }

    /// The blocks of the head that can be closed.
    pub(super) fn plan_close(&self) -> Option<Merge> {
        let whole = self.head.len() / BLOCK * BLOCK;
        (whole > 0).then(|| Merge::Close {
            first: self.head_first(),
            after_small: self.ends_small(),
            links: self.head[..whole].to_vec(),
        })
    }

    fn plan_join(&self) -> Option<Merge> {
        let runs = self.blocks.chunk_by(|one, other| one.len() == other.len());
        let mut at = 0;
        for run in runs {
            if run.len() >= FAN && run[0].len() < block_len(LEVELS - 1) {
                let blocks = run[..FAN].to_vec();
                return Some(Merge::Join { at, blocks });
            }
            at += run.len();
        }
        None
    }

    /// Puts blocks instead of what they were made of. Returns false, and changes nothing, if
    /// it is not there any more.
    pub(super) fn accept(&mut self, merged: Merged) -> bool {
        match merged.merge {
            Merge::Close {
                first,
                links,
                after_small,
            } => {
                let is_same = first == self.head_first()
                    && after_small == self.ends_small()
                    && self.head.starts_with(&links);
                if is_same {
                    self.head.drain(..links.len());
                    merged
                        .blocks
                        .into_iter()
                        .for_each(|block| self.add_block(block));
                }
                is_same
            }
            Merge::Join { at, blocks } => {
                let range = at..at + blocks.len();
                let current = self.blocks.get(range.clone()).unwrap_or_default();
                let is_same = |(one, other): (&Arc<Matrix>, &Arc<Matrix>)| Arc::ptr_eq(one, other);
                if current.len() != blocks.len() || !current.iter().zip(&blocks).all(is_same) {
                    return false;
                }
                self.firsts.drain(at + 1..range.end);
                self.blocks.splice(range, merged.blocks);
                true
            }
        }
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
