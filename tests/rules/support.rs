//! What the tests of rules share.

use stampcard::domain::Timestamp;
use stampcard::rules::{Data, DataMap, Expression, Meter, NoValue, Scope, Traits};

/// A time of an event.
pub(crate) fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The time of all events that need none of their own.
pub(crate) fn now() -> Timestamp {
    at("2026-11-30T12:00:00Z")
}

pub(crate) fn fields(json: &str) -> DataMap {
    Data::parse_event(json).unwrap()
}

/// The value of an expression for an event and a participant.
pub(crate) fn value(
    expression: &Expression,
    event: &DataMap,
    participant: &Traits,
    meter: &mut Meter,
) -> Result<Data, NoValue> {
    let scope = Scope {
        event,
        participant,
        now: now(),
        at: now(),
    };
    expression.value(scope, meter)
}

/// Random numbers that are the same for the same seed.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// A number below a limit.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % u64::try_from(limit).unwrap()).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

/// The number of runs of a long form.
pub(crate) fn runs(default: u64) -> u64 {
    let Some(text) = std::env::var_os("RULES_RUNS") else {
        return default;
    };
    let text = text.into_string().unwrap();
    text.parse()
        .unwrap_or_else(|_| panic!("RULES_RUNS must be a number, not {text:?}"))
}
