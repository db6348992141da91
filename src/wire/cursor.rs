//! Opaque cursors, which mark the start of the next page of a list.

use data_encoding::HEXLOWER;
use sha2::{Digest as _, Sha256};

use crate::domain::Invalid;

/// The lists that have pages. A cursor is valid for one list only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum ListKind {
    Members,
    Offers,
    Redemptions,
    Transactions,
    Programs,
    ProgramActivity,
    Conversations,
    Messages,
    Deliveries,
    Inbox,
    // The number of a list is part of its cursors: add new lists at the end.
    RedemptionHistory,
    Interests,
    Participants,
    Lots,
    Statement,
    JournalEntries,
    LedgerSummary,
    ExpirationSchedule,
    ParticipantRedemptions,
    Reversals,
    Assets,
    ProgramBalances,
    Rules,
    RuleHistory,
    Events,
    StateHistory,
}

/// A place in a list: the number of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub i64);

impl Cursor {
    /// The text of the cursor. The owner is the number of the program or organization whose list it
    /// is.
    pub fn encode(self, list: ListKind, owner: i64) -> String {
        encode([self.0], list, owner)
    }

    /// Reads a cursor that [`Cursor::encode`] made for the same list of the same owner.
    ///
    /// # Errors
    /// [`Invalid`] for anything else.
    pub fn decode(text: &str, list: ListKind, owner: i64) -> Result<Self, Invalid> {
        decode(text, list, owner).map(|[number]| Self(number))
    }
}

/// Encodes the numbers that mark the start of a page, with a checksum of four bytes. A cursor is
/// not secret and grants nothing.
pub(super) fn encode<const N: usize>(numbers: [i64; N], list: ListKind, owner: i64) -> String {
    let mut bytes: Vec<u8> = numbers.into_iter().flat_map(i64::to_be_bytes).collect();
    bytes.extend(check(&bytes, list, owner));
    HEXLOWER.encode(&bytes)
}

/// Reads a cursor that [`encode`] made for the same list of the same owner.
pub(super) fn decode<const N: usize>(
    text: &str,
    list: ListKind,
    owner: i64,
) -> Result<[i64; N], Invalid> {
    let invalid = || Invalid::new("cursor", "must be the nextCursor of a page of this list");
    let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| invalid())?;
    let (numbers, found) = bytes.split_at_checked(8 * N).ok_or_else(invalid)?;
    if found != check(numbers, list, owner) {
        return Err(invalid());
    }
    let mut chunks = numbers.as_chunks::<8>().0.iter();
    Ok(std::array::from_fn(|_| {
        chunks.next().map_or(0, |chunk| i64::from_be_bytes(*chunk))
    }))
}

fn check(numbers: &[u8], list: ListKind, owner: i64) -> [u8; 4] {
    let digest = Sha256::new()
        .chain_update([list as u8])
        .chain_update(owner.to_be_bytes())
        .chain_update(numbers)
        .finalize();
    std::array::from_fn(|index| digest[index])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let (one, two) = (1, 2);
        let text = Cursor(77).encode(ListKind::Members, one);
        assert_eq!(
            Cursor::decode(&text, ListKind::Members, one),
            Ok(Cursor(77))
        );
        assert!(Cursor::decode(&text, ListKind::Offers, one).is_err());
        assert!(Cursor::decode(&text, ListKind::Members, two).is_err());
        for garbage in ["", "zz", "00", &text[1..], &text.to_uppercase(), "ünï"] {
            assert!(
                Cursor::decode(garbage, ListKind::Members, one).is_err(),
                "{garbage}"
            );
        }
    }
}
