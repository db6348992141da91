//! Whatever comes from outside, damaged on purpose: nothing may panic or hang, and what is refused
//! is refused in the form the documents say.
//!
//! Inputs begin as good ones more often than not: noise alone is turned away at the first byte and
//! tries nothing. What ever failed is kept in tests/fuzz.proptest-regressions and tried first from
//! then on; commit that file. `make fuzz` looks much further than an ordinary run does.

#![allow(clippy::unwrap_used, reason = "a test stops where it cannot go on")]

#[path = "fuzz/addresses.rs"]
mod addresses;
#[path = "fuzz/bodies.rs"]
mod bodies;
#[path = "fuzz/damage.rs"]
mod damage;
#[path = "fuzz/requests.rs"]
mod requests;
#[path = "fuzz/settings.rs"]
mod settings;
#[path = "fuzz/stored.rs"]
mod stored;
#[path = "support/mod.rs"]
mod support;
#[path = "fuzz/texts.rs"]
mod texts;

use proptest::test_runner::{Config, FileFailurePersistence, RngSeed};

/// So many cases of each target in an ordinary run, unless `PROPTEST_CASES` says otherwise. A
/// target whose cases take longer gets fewer, in the same proportion.
fn cases(ordinary: u32) -> Config {
    let defaults = Config::default();
    let is_asked = std::env::var_os("PROPTEST_CASES").is_some();
    let scaled = u64::from(defaults.cases) * u64::from(ordinary) / u64::from(ORDINARY);
    Config {
        cases: if is_asked {
            u32::try_from(scaled.max(1)).unwrap()
        } else {
            ordinary
        },
        // An ordinary run tries the same cases everywhere: it fails for everybody or nobody.
        rng_seed: if is_asked {
            defaults.rng_seed
        } else {
            RngSeed::Fixed(SEED)
        },
        max_shrink_iters: 2000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(
            "tests/fuzz.proptest-regressions",
        ))),
        ..defaults
    }
}

/// What the cases of an ordinary run are made from.
const SEED: u64 = 1;
/// Cases of a target that takes no time.
const ORDINARY: u32 = 1000;
