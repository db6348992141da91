//! The compact form of the response to a credit or debit, which is stored in place of its body.
//!
//! Two numbers, first the balance, then the version of the program's configuration. Each is written
//! in groups of seven bits, the lowest first, a byte each; the highest bit of a byte is set if
//! another one follows.

use std::collections::HashSet;

use rusqlite::Connection;

use crate::domain::{Points, Seq};
use crate::store::Error;

/// The most bytes of a number: no stored number has more than 63 bits.
const NUMBER_BYTES_MAX: usize = 9;
/// The number of findings that are reported.
const FINDINGS_MAX: usize = 100;

/// The response to a credit or debit, as a renderer needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompactResponse {
    /// The number of the renderer.
    pub renderer: u8,
    /// The balance in the response.
    pub balance: Points,
    /// The version of the configuration that has the currency of the response.
    pub configuration: Seq,
}

impl CompactResponse {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * NUMBER_BYTES_MAX);
        push(&mut bytes, self.balance.get().cast_unsigned());
        push(&mut bytes, self.configuration.0.cast_unsigned());
        bytes
    }

    /// Reads what [`CompactResponse::bytes`] wrote; `None` if the bytes are anything else.
    pub(super) fn read(renderer: u8, bytes: &[u8]) -> Option<Self> {
        let (balance, rest) = take(bytes)?;
        let (configuration, rest) = take(rest)?;
        rest.is_empty().then_some(Self {
            renderer,
            balance: Points::new(balance)?,
            configuration: Seq(configuration),
        })
    }
}

fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Reads a number, which must not have more bytes than it needs. Returns it with the bytes after
/// it.
fn take(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(NUMBER_BYTES_MAX) {
        number |= i64::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            let is_shortest = *byte != 0 || place == 0;
            return is_shortest.then(|| (number, &bytes[place + 1..]));
        }
    }
    None
}

/// Reports the compact responses that cannot be rendered: unreadable ones, those with an unknown
/// version of the configuration, and those without a renderer that `is_known`.
///
/// # Errors
/// [`Error`] if the database fails.
pub fn unreadable_responses(
    connection: &Connection,
    is_known: impl Fn(u8) -> bool,
) -> Result<Vec<String>, Error> {
    let mut versions = connection.prepare("SELECT version FROM configuration")?;
    let versions = versions.query_map([], |row| row.get(0))?;
    let versions: HashSet<i64> = versions.collect::<Result<_, _>>()?;
    let wrong_with = |renderer: i64, bytes: &[u8]| {
        let known = u8::try_from(renderer)
            .ok()
            .filter(|number| is_known(*number));
        let Some(renderer) = known else {
            return Some(format!("this version has no renderer {renderer}"));
        };
        let Some(response) = CompactResponse::read(renderer, bytes) else {
            return Some("its compact response cannot be read".to_owned());
        };
        let version = response.configuration.0;
        let is_unknown = !versions.contains(&version);
        is_unknown.then(|| format!("no program has version {version} of its configuration"))
    };
    let sql = "SELECT id, renderer, response FROM idempotency WHERE renderer IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut findings = Vec::new();
    while let Some(row) = rows.next()? {
        let id: i64 = row.get(0)?;
        let bytes = row.get_ref(2)?.as_blob().unwrap_or_default();
        if let Some(wrong) = wrong_with(row.get(1)?, bytes) {
            findings.push(format!("idempotency row {id}: {wrong}"));
            if findings.len() >= FINDINGS_MAX {
                break;
            }
        }
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn compact(balance: i64, configuration: i64) -> CompactResponse {
        CompactResponse {
            renderer: 1,
            balance: Points::new(balance).unwrap(),
            configuration: Seq(configuration),
        }
    }

    #[test]
    fn numbers_take_a_byte_for_seven_bits() {
        for (response, bytes) in [
            (compact(0, 0), &[0, 0][..]),
            (compact(127, 1), &[127, 1]),
            (compact(128, 300), &[0x80, 1, 0xac, 2]),
            (
                compact(Points::MAX.get(), 1 << 53),
                &[
                    255, 255, 255, 255, 255, 255, 255, 15, // 2^53 - 1
                    128, 128, 128, 128, 128, 128, 128, 16, // 2^53
                ],
            ),
            (
                compact(5, i64::MAX),
                &[5, 255, 255, 255, 255, 255, 255, 255, 255, 127],
            ),
        ] {
            assert_eq!(response.bytes(), bytes);
            assert_eq!(CompactResponse::read(1, bytes), Some(response));
        }
    }

    #[test]
    fn other_bytes_are_refused() {
        let good = compact(12_345, 678).bytes();
        for length in 0..good.len() {
            assert_eq!(CompactResponse::read(1, &good[..length]), None, "{length}");
        }
        for bytes in [
            &[good.as_slice(), &[0]].concat()[..],
            // A number with a byte too many, a balance past 2^53 - 1, and a number without an end.
            &[0x85, 0, 1],
            &[128, 128, 128, 128, 128, 128, 128, 16, 1],
            &[5, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            b"{\"balance\":5}",
        ] {
            assert_eq!(CompactResponse::read(1, bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        /// A response has one form, and bytes that can be read are in that form.
        #[test]
        fn what_can_be_read_is_what_would_be_written(
            bytes in proptest::collection::vec(any::<u8>(), 0..20),
            balance in 0..=Points::MAX.get(),
            configuration in 0..i64::MAX,
        ) {
            let written = compact(balance, configuration).bytes();
            prop_assert_eq!(
                CompactResponse::read(1, &written),
                Some(compact(balance, configuration))
            );
            if let Some(response) = CompactResponse::read(1, &bytes) {
                prop_assert_eq!(response.bytes(), bytes);
            }
        }
    }
}
