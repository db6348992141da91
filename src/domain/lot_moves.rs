//! What ledger entries do to lots, and the form in which the log stores it.

use super::row::Field;
use super::{Bucket, Cell, LotPart, Points, Timestamp};

/// What a ledger entry does to a lot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LotMove {
    /// A new lot. Its dates are those of the entry.
    Make {
        /// Its number: the next one of the account.
        number: u32,
        /// Its points, at least one.
        amount: Points,
        /// Its bucket.
        bucket: Bucket,
    },
    /// Points leave a lot, and the account. In a credit: they make up for a negative balance.
    Take {
        /// The points.
        part: LotPart,
        /// The bucket of the lot.
        from: Bucket,
    },
    /// Points come back to a lot, which is available then.
    Give {
        /// The points.
        part: LotPart,
        /// The number of a new lot that gets them, because the lot itself is not available.
        target: Option<u32>,
    },
    /// Points go to another bucket.
    Shift {
        /// The points.
        part: LotPart,
        /// The bucket before.
        from: Bucket,
        /// The bucket after.
        to: Bucket,
        /// The number of a new lot that gets them, because others stay.
        target: Option<u32>,
    },
}

impl LotMove {
    /// The points of a lot that is there already.
    pub const fn part(&self) -> Option<LotPart> {
        match self {
            Self::Make { .. } => None,
            Self::Take { part, .. } | Self::Give { part, .. } | Self::Shift { part, .. } => {
                Some(*part)
            }
        }
    }
}

/// What a ledger entry does to the lots of its account, in order, as the log stores it.
///
/// Each move is a byte and then numbers, seven bits in a byte, the lowest first (LEB128), in as few
/// bytes as possible. The byte says, from its lowest bit: two bits for the move (0 make, 1 take,
/// 2 give, 3 shift), two for the bucket before and two for the one after (0 none, 1 available,
/// 2 held, 3 deferred), one whether the points expire, one whether a new lot gets them. The numbers
/// of a new lot are its number and its points; those of other moves are the number of the lot, its
/// distance from the origin, the entry, the points, when they expire, when they become available
/// (if the bucket before is `deferred`), and the number of the lot that gets them.
///
/// ```
/// use stampcard::domain::{Bucket, LotMove, LotMoves, Points};
/// let amount = Points::new(300).unwrap();
/// let made = LotMove::Make { number: 7, amount, bucket: Bucket::Available };
/// let moves = LotMoves::new(&[made]);
/// assert_eq!(moves.as_bytes(), [0b01_00_00, 7, 0xac, 2]);
/// assert_eq!(LotMoves::parse(moves.as_bytes()), Some(moves.clone()));
/// assert_eq!(moves.iter().next(), Some(made));
/// assert_eq!(LotMoves::parse(&[0b01_00_00, 7, 0xac]), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LotMoves(Box<[u8]>);

impl LotMoves {
    /// The stored form of moves.
    pub fn new(moves: &[LotMove]) -> Self {
        let mut bytes = Vec::with_capacity(moves.len() * 16);
        for moved in moves {
            write(&mut bytes, moved);
        }
        Self(bytes.into())
    }

    /// Reads the stored form; `None` if the bytes are not the form of any moves.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader(bytes);
        while !reader.0.is_empty() {
            reader.lot_move()?;
        }
        Some(Self(bytes.into()))
    }

    /// The stored form.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The moves, in order.
    pub fn iter(&self) -> impl Iterator<Item = LotMove> + '_ {
        let mut reader = Reader(&self.0);
        std::iter::from_fn(move || reader.lot_move())
    }
}

impl Field for LotMoves {
    fn cell(&self) -> Cell<'_> {
        Cell::Blob(&self.0)
    }

    fn of(cell: Cell<'_>) -> Option<Self> {
        Self::parse(cell.blob()?)
    }
}

const MAKE: u8 = 0;
const TAKE: u8 = 1;
const GIVE: u8 = 2;
const SHIFT: u8 = 3;
const FROM: u32 = 2;
const TO: u32 = 4;
const EXPIRES: u8 = 1 << 6;
const TARGET: u8 = 1 << 7;

fn write(bytes: &mut Vec<u8>, moved: &LotMove) {
    let (part, head, target) = match *moved {
        LotMove::Make {
            number,
            amount,
            bucket,
        } => {
            bytes.push(MAKE | bucket.number() << TO);
            write_number(bytes, number.into());
            write_number(bytes, amount.get().unsigned_abs());
            return;
        }
        LotMove::Take { part, from } => (part, TAKE | from.number() << FROM, None),
        LotMove::Give { part, target } => (part, GIVE, target),
        LotMove::Shift {
            part,
            from,
            to,
            target,
        } => {
            let head = SHIFT | from.number() << FROM | to.number() << TO;
            (part, head, target)
        }
    };
    let expires = if part.expires_at.is_some() {
        EXPIRES
    } else {
        0
    };
    bytes.push(head | expires | if target.is_some() { TARGET } else { 0 });
    write_number(bytes, part.number.into());
    write_number(bytes, part.number.wrapping_sub(part.origin).into());
    write_number(bytes, part.entry.into());
    write_number(bytes, part.amount.get().unsigned_abs());
    for time in [part.expires_at, part.matures_at].into_iter().flatten() {
        write_number(bytes, time.as_millis().unsigned_abs());
    }
    if let Some(target) = target {
        write_number(bytes, target.into());
    }
}

fn write_number(bytes: &mut Vec<u8>, mut rest: u64) {
    while rest >= 0x80 {
        bytes.push(rest.to_le_bytes()[0] | 0x80);
        rest >>= 7;
    }
    bytes.push(rest.to_le_bytes()[0]);
}

/// The bytes that are left to read. Every method returns `None` if they do not begin with what it
/// reads.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// A number of at most 63 bits, in as few bytes as possible.
    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..63).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return (byte > 0 || shift == 0).then_some(number);
            }
        }
        None
    }

    /// A number from 1.
    fn count(&mut self) -> Option<u32> {
        let number = u32::try_from(self.number()?).ok()?;
        (number > 0).then_some(number)
    }

    fn points(&mut self) -> Option<Points> {
        let points = Points::new(i64::try_from(self.number()?).ok()?)?;
        (!points.is_zero()).then_some(points)
    }

    fn time(&mut self) -> Option<Timestamp> {
        Timestamp::parse_stored(i64::try_from(self.number()?).ok()?)
    }

    fn lot_move(&mut self) -> Option<LotMove> {
        let head = self.byte()?;
        let from = Bucket::of_number(head >> FROM & 3);
        let to = Bucket::of_number(head >> TO & 3);
        let (expires, has_target) = (head & EXPIRES != 0, head & TARGET != 0);
        let kind = head & 3;
        if kind == MAKE {
            return match (from, to, expires || has_target) {
                (None, Some(bucket), false) => Some(LotMove::Make {
                    number: self.count()?,
                    amount: self.points()?,
                    bucket,
                }),
                _ => None,
            };
        }
        let part = self.part(expires, from == Some(Bucket::Deferred))?;
        let target = if has_target {
            Some(self.count()?)
        } else {
            None
        };
        match (kind, from, to, target) {
            (TAKE, Some(from), None, None) => Some(LotMove::Take { part, from }),
            (GIVE, None, None, target) => Some(LotMove::Give { part, target }),
            (SHIFT, Some(from), Some(to), target) => {
                let is_known = matches!(
                    (from, to),
                    (Bucket::Available, Bucket::Held)
                        | (Bucket::Held | Bucket::Deferred, Bucket::Available)
                );
                is_known.then_some(LotMove::Shift {
                    part,
                    from,
                    to,
                    target,
                })
            }
            _ => None,
        }
    }

    fn part(&mut self, expires: bool, is_deferred: bool) -> Option<LotPart> {
        let number = self.count()?;
        let distance = u32::try_from(self.number()?).ok()?;
        let origin = number.checked_sub(distance).filter(|origin| *origin > 0)?;
        let (entry, amount) = (self.count()?, self.points()?);
        let expires_at = if expires { Some(self.time()?) } else { None };
        let matures_at = if is_deferred {
            Some(self.time()?)
        } else {
            None
        };
        Some(LotPart {
            number,
            origin,
            entry,
            amount,
            expires_at,
            matures_at,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn bytes_have_one_meaning_or_none(bytes in vec(any::<u8>(), 0..40)) {
            if let Some(moves) = LotMoves::parse(&bytes) {
                let read: Vec<LotMove> = moves.iter().collect();
                prop_assert!(read.len() <= bytes.len());
                prop_assert_eq!(LotMoves::new(&read), moves);
            }
        }
    }

    #[test]
    fn every_move_is_read_as_it_was_written_and_no_byte_is_spare() {
        let part = LotPart {
            number: 300,
            origin: 2,
            entry: u32::MAX,
            amount: Points::MAX,
            expires_at: Timestamp::parse("9999-12-31T23:59:59.999Z"),
            matures_at: None,
        };
        let plain = LotPart {
            origin: 300,
            expires_at: None,
            ..part
        };
        let deferred = LotPart {
            matures_at: Some(Timestamp::EPOCH),
            ..part
        };
        let (number, target) = (u32::MAX, Some(u32::MAX));
        let (available, held) = (Bucket::Available, Bucket::Held);
        let moves = [
            LotMove::Make {
                number,
                amount: Points::MAX,
                bucket: Bucket::Deferred,
            },
            LotMove::Take {
                part: plain,
                from: available,
            },
            LotMove::Take {
                part: deferred,
                from: Bucket::Deferred,
            },
            LotMove::Give { part, target: None },
            LotMove::Give {
                part: plain,
                target,
            },
            LotMove::Shift {
                part,
                from: available,
                to: held,
                target,
            },
            LotMove::Shift {
                part: deferred,
                from: Bucket::Deferred,
                to: available,
                target: None,
            },
        ];
        let written = LotMoves::new(&moves);
        assert_eq!(written.iter().collect::<Vec<_>>(), moves);
        assert_eq!(LotMoves::parse(written.as_bytes()), Some(written.clone()));
        for moved in moves {
            let bytes = LotMoves::new(&[moved]).0;
            for end in 1..bytes.len() {
                assert_eq!(LotMoves::parse(&bytes[..end]), None, "{moved:?}");
            }
        }
        let [one, none] = [0x81, 0x00].map(|last| vec![0b01_00_00, 7, 0x80, last]);
        assert_eq!(LotMoves::parse(&one), None, "cut");
        assert_eq!(LotMoves::parse(&none), None, "a byte more than needed");
    }
}
