//! The stored form of a timeline: closed blocks, which are stored once, and the rest, which every
//! snapshot stores again.

use serde::{Deserialize, Serialize};

use super::{BLOCK_LEN, Block, Timeline, reserve_by_eighths};

/// A timeline without its closed blocks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenState {
    /// The number of closed blocks.
    pub blocks: u64,
    head: Vec<(i64, u64)>,
    last_at: Option<i64>,
}

/// Bytes of a stored block's header.
const STORED_HEADER: usize = 20;

impl Timeline {
    /// The number of closed blocks.
    pub fn block_count(&self) -> usize {
        self.blocks.len()
    }

    /// The part that can still change, which every snapshot stores.
    ///
    /// # Panics
    /// If a late entry has not been merged.
    pub fn open_state(&self) -> OpenState {
        assert!(
            self.late.is_empty(),
            "a timeline is settled before it is stored"
        );
        let blocks = self.blocks.len() as u64;
        OpenState {
            blocks,
            head: self.head.clone(),
            last_at: self.last_at,
        }
    }

    /// Closed blocks as bytes. Each has the time of its first entry (8 bytes), the sum of its
    /// amounts (8), the two widths (1 each), the number of words (2) and the words, all
    /// little-endian.
    ///
    /// # Panics
    /// If the range exceeds the number of blocks.
    pub fn stored_blocks(&self, range: std::ops::Range<usize>) -> Vec<u8> {
        let mut bytes = Vec::new();
        for index in range {
            let block = &self.blocks[index];
            let next = self.blocks.get(index + 1);
            let end = next.map_or(self.bytes.len(), |next| 8 * next.word as usize);
            let amount_after = next.map_or(self.closed.amount, |next| next.amount_before);
            let words = &self.bytes[8 * block.word as usize..end];
            let count = u16::try_from(words.len() / 8).expect("a block has at most 258 words");
            bytes.extend(self.firsts[index].to_le_bytes());
            bytes.extend((amount_after - block.amount_before).to_le_bytes());
            bytes.extend([block.time_bits, block.amount_bits]);
            bytes.extend(count.to_le_bytes());
            bytes.extend_from_slice(words);
        }
        bytes
    }

    /// Restores a stored timeline. The pieces may hold more blocks than the state has. `None` if
    /// the parts do not fit together.
    ///
    /// # Errors
    /// The error of the first piece that is one.
    pub fn restore<E>(
        pieces: impl Iterator<Item = Result<Vec<u8>, E>>,
        open: OpenState,
    ) -> Result<Option<Self>, E> {
        let mut timeline = Self {
            last_at: open.last_at,
            ..Self::default()
        };
        let count = pieces.size_hint().1.unwrap_or(0);
        for piece in pieces {
            let is_first = timeline.blocks.is_empty();
            if timeline.restore_blocks(&piece?, open.blocks).is_none() {
                return Ok(None);
            }
            if is_first {
                timeline.expect_pieces(count);
            }
        }
        Ok(timeline.restore_head(open))
    }

    /// Makes room for as many pieces as the first one, so that nothing is moved while they come.
    /// Without the room, or with too little of it, each grows the timeline as usual.
    fn expect_pieces(&mut self, count: usize) {
        let more = count.saturating_sub(1);
        let _ = self
            .bytes
            .try_reserve_exact(self.bytes.len().saturating_mul(more));
        let blocks = self.blocks.len().saturating_mul(more);
        let _ = self.blocks.try_reserve_exact(blocks);
        let _ = self.firsts.try_reserve_exact(blocks);
    }

    /// Adds the blocks of a piece until there are `most`.
    fn restore_blocks(&mut self, piece: &[u8], most: u64) -> Option<()> {
        reserve_by_eighths(&mut self.bytes, piece.len());
        let mut rest = piece;
        while !rest.is_empty() && (self.blocks.len() as u64) < most {
            rest = self.restore_block(rest)?;
        }
        Some(())
    }

    fn restore_head(mut self, open: OpenState) -> Option<Self> {
        if self.blocks.len() as u64 != open.blocks || open.head.len() >= BLOCK_LEN {
            return None;
        }
        self.total = self.closed;
        for (_, amount) in &open.head {
            self.total.count += 1;
            self.total.amount = self.total.amount.checked_add(*amount)?;
        }
        self.head = open.head;
        Some(self)
    }

    /// Adds the first stored block of `bytes` and returns the rest.
    fn restore_block<'a>(&mut self, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (header, rest) = bytes.split_first_chunk::<STORED_HEADER>()?;
        let (first, header) = header.split_first_chunk::<8>()?;
        let (amount, header) = header.split_first_chunk::<8>()?;
        let &[time_bits, amount_bits, count_low, count_high] = header else {
            return None;
        };
        let count = usize::from(u16::from_le_bytes([count_low, count_high]));
        let (words, rest) = rest.split_at_checked(8 * count)?;
        if time_bits > 64 || amount_bits > 64 || count < 2 {
            return None;
        }
        reserve_by_eighths(&mut self.firsts, 1);
        reserve_by_eighths(&mut self.blocks, 1);
        self.firsts.push(i64::from_le_bytes(*first));
        self.blocks.push(Block {
            amount_before: self.closed.amount,
            word: u32::try_from(self.bytes.len() / 8).ok()?,
            time_bits,
            amount_bits,
        });
        self.bytes.extend_from_slice(words);
        self.closed.count += BLOCK_LEN as u64;
        self.closed.amount = self
            .closed
            .amount
            .checked_add(u64::from_le_bytes(*amount))?;
        Some(rest)
    }
}
