//! Damage to valid bytes.

use proptest::prelude::*;
use proptest::sample::Index;

/// One change.
#[derive(Debug, Clone)]
pub(crate) enum Damage {
    Flip(Index, u8),
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Delete(Index, usize),
    /// Repeats a piece, right after itself.
    Double(Index, usize),
    Cut(Index),
}

/// Input that parsers often fail on.
const NASTY: [&[u8]; 24] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"%",
    b"%FF",
    b"%00",
    b"&",
    b"=",
    b"\"",
    b"{",
    b"[",
    b"}",
    b"\\u",
    b"\\ud800",
    b"-",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"9999999999999999999999999999",
    b"\xff\xfe",
    b"\xe2\x80\xae",
    "é".as_bytes(),
    "🦊".as_bytes(),
    b"null",
];

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    let bytes = prop_oneof![
        prop::sample::select(NASTY.to_vec()).prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 1..8),
    ];
    prop_oneof![
        3 => (place(), 0..8_u8).prop_map(|(place, bit)| Damage::Flip(place, 1 << bit)),
        3 => (place(), any::<u8>()).prop_map(|(place, byte)| Damage::Set(place, byte)),
        4 => (place(), bytes).prop_map(|(place, bytes)| Damage::Insert(place, bytes)),
        3 => (place(), 1..20_usize).prop_map(|(place, length)| Damage::Delete(place, length)),
        2 => (place(), 1..40_usize).prop_map(|(place, length)| Damage::Double(place, length)),
        1 => place().prop_map(Damage::Cut),
    ]
}

/// Up to four changes, sometimes none.
pub(crate) fn damages() -> impl Strategy<Value = Vec<Damage>> {
    prop::collection::vec(damage(), 0..5)
}

/// Applies the changes to the bytes.
pub(crate) fn apply(good: &[u8], damages: &[Damage]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for damage in damages {
        let length = bytes.len();
        // The end is a place too.
        let at = |place: &Index| place.index(length + 1);
        match damage {
            Damage::Flip(place, bit) if length > 0 => bytes[place.index(length)] ^= bit,
            Damage::Set(place, byte) if length > 0 => bytes[place.index(length)] = *byte,
            Damage::Flip(..) | Damage::Set(..) => {}
            Damage::Insert(place, new) => {
                let at = at(place);
                bytes.splice(at..at, new.iter().copied());
            }
            Damage::Delete(place, count) => {
                let at = at(place);
                bytes.drain(at..length.min(at + count));
            }
            Damage::Double(place, count) => {
                let at = at(place);
                let piece = bytes[at..length.min(at + count)].to_vec();
                bytes.splice(at..at, piece);
            }
            Damage::Cut(place) => bytes.truncate(at(place)),
        }
    }
    bytes
}

/// One of these texts, damaged; invalid UTF-8 is replaced.
pub(crate) fn damaged(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    prop_oneof![
        8 => (prop::sample::select(good), damages())
            .prop_map(|(good, damages)| apply(good.as_bytes(), &damages))
            .prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => any::<String>(),
    ]
}
